"""Where the package has transformers' names it does what transformers does; against transformers itself, if it is there."""
import inspect
import itertools
import json
import re
import shutil
import warnings

import hybridlm
import numpy as np
import pytest

TALK = [{"role": "user", "content": "one <|end|> two"}, {"role": "assistant", "content": "three  "}]
TEXT = "<|begin|>user\none <|end|> two<|end|>\n<|begin|>assistant\nthree  <|end|>\n"
PLAIN = [{"role": "user", "content": "one two"}, {"role": "assistant", "content": "three  "}]
TRIMS = ("{%- for m in messages %}\n  {%- if m.role == 'user' %}U {{ m.content|trim }}{% else %}{{ bos_token + m.content|trim + eos_token }}"
         "{% endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}A{% endif %}\n")
LEADS = "\n  {% set seen = namespace(n=0) %}\n{% for m in messages %}\n    {{ m['content'] }}|{{ loop.index }}\n{% endfor %}\n  end"


@pytest.fixture()
def tokenizer(llama):
    return llama.tokenizer


def test_chat_templates_give_ids_text_or_a_dictionary(tokenizer):
    ids = tokenizer.apply_chat_template(TALK)
    assert isinstance(ids, list) and all(type(i) is int for i in ids)
    assert tokenizer.apply_chat_template(TALK, tokenize=False) == tokenizer.render_chat(TALK) == TEXT == tokenizer.decode(ids)
    both = tokenizer.apply_chat_template(TALK, return_dict=True)
    assert isinstance(both, dict) and both == {"input_ids": ids, "attention_mask": [1] * len(ids)} and both.input_ids == ids
    assert tokenizer.apply_chat_template(TALK, tokenize=False, return_dict=True) == TEXT
    assert ids == tokenizer.apply_chat_template(conversation=TALK) == tokenizer.apply_chat_template(messages=TALK)
    for bad in ((), (TALK, TALK)):
        with pytest.raises(TypeError, match="conversation"):
            tokenizer.apply_chat_template(**dict(zip(("conversation", "messages"), bad)))
    opened = tokenizer.apply_chat_template(TALK, add_generation_prompt=True, tokenize=False)
    assert opened == TEXT + "<|begin|>assistant\n"
    assert tokenizer.apply_chat_template([TALK, TALK[:1]], tokenize=False) == [TEXT, TEXT[:TEXT.index("<|begin|>assistant")]]
    array = tokenizer.apply_chat_template(TALK, return_tensors="np")
    assert array.shape == (1, len(ids)) and array.dtype == np.int64 and array[0].tolist() == ids
    assert hybridlm.Tokenizer.apply_chat_template.__doc__.count("tokenize=False") and tokenizer.chat_template.startswith("{% for")


@pytest.mark.parametrize("template", [None, TRIMS, LEADS])
@pytest.mark.parametrize("last", ["three", "three  ", "  three\n", "<|end|>", "end-of-text", "'\"\\ {{ x }} %}"])
def test_final_messages_are_continued(tokenizer, template, last):
    talk = [TALK[0], {"role": "assistant", "content": last}]
    text = tokenizer.apply_chat_template(talk, chat_template=template, tokenize=False)
    cut = tokenizer.apply_chat_template(talk, chat_template=template, tokenize=False, continue_final_message=True)
    behind = tokenizer.apply_chat_template([TALK[0], {"role": "assistant", "content": "QQ"}], chat_template=template, tokenize=False)
    assert cut == text[:len(text) - len(behind.split("QQ")[1])]
    ids = tokenizer.apply_chat_template(talk, chat_template=template, continue_final_message=True)
    assert tokenizer.decode(ids) == cut
    special = [tokenizer.bos_token_id, tokenizer.eos_token_id]
    written = 0 if template is LEADS else 1 if template is TRIMS else 3  # the messages' own markers are plain text
    assert sum(i in special for i in ids) == written


def test_what_is_continued(tokenizer):
    parts = [{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "image"}]}]
    show = "{% for m in messages %}{% for p in m.content %}{{ p.text or '' }};{% endfor %}{% endfor %}"
    assert tokenizer.apply_chat_template(parts, chat_template=show, tokenize=False, continue_final_message=True) == "a"
    thought = [{"role": "assistant", "content": "b", "thinking": "a"}]
    show = "<{{ messages[0].thinking }}>{{ messages[0].content }}"
    assert tokenizer.apply_chat_template(thought, chat_template=show, tokenize=False, continue_final_message="thinking") == "<a"
    for bad in ({"add_generation_prompt": True}, {"continue_final_message": "nothing"}, {"chat_template": "no content"}):
        with pytest.raises((ValueError, hybridlm.TemplateError)):
            tokenizer.apply_chat_template(PLAIN, **{"continue_final_message": True, **bad})
    with pytest.raises(ValueError):
        tokenizer.apply_chat_template([], continue_final_message=True)


@pytest.mark.parametrize("slip, meant", [
    ("tokenise", "tokenize"), ("add_generation_promt", "add_generation_prompt"), ("enable_thinkng", "enable_thinking"),
    ("return_tensor", "return_tensors"), ("tool", "tools"), ("template_kwargs", "variables"), ("moods", "mood"), ("return_dct", "return_dict")])
def test_slips_are_named(tokenizer, slip, meant):
    template = "{% if enable_thinking %}think{% endif %}{{ messages[0]['role'] }}{{ mood }}"
    with pytest.raises(TypeError, match=rf"'{slip}'.*'{meant}'"):
        tokenizer.apply_chat_template(PLAIN, chat_template=template, **{slip: True})


def test_variables_of_a_template(tokenizer):
    template = "{# hidden #}{{ 'quoted' }}{{ messages[0].field }}{{ mood or '-' }}{{ documents|length if documents else '' }} words"
    give = lambda **k: tokenizer.apply_chat_template(PLAIN, chat_template=template, tokenize=False, **k)  # noqa: E731
    assert give() == "quoted- words" and give(mood="x") == "quotedx words" and give(variables={"mood": "y", "field": 1}) == "quotedy words"
    assert give(documents=[{"text": "a"}, {"text": "b"}]) == "quoted-2 words"
    for name in ("hidden", "quoted", "field", "words", "unknown"):
        with pytest.raises(TypeError, match=name):
            give(**{name: 1})
    with pytest.raises(TypeError, match="enable_thinking"):
        tokenizer.apply_chat_template(PLAIN, enable_thinking=False)  # the model's template does not know it
    assert tokenizer.apply_chat_template(PLAIN, chat_template="chatml", tokenize=False).startswith("<|begin|><|im_start|>user\none two<|im_end|>")
    assert tokenizer.apply_chat_template(PLAIN, chat_template="word", tokenize=False) == "word"


@pytest.mark.parametrize("refused", [{"return_assistant_tokens_mask": True}, {"sanitize_control_tokens": False}, {"tokenizer_kwargs": {"a": 1}},
                                     {"return_tensors": "tf"}, {"return_tensors": 1}, {"padding": "most"}, {"truncation": "most"}, {"max_length": 5},
                                     {"padding_side": "middle"}, {"padding": True}, {"tools": [print]}, {"tools": {}}])
def test_what_is_not_there_is_refused_by_name(tokenizer, refused):
    with pytest.raises((hybridlm.Error, TypeError), match="padding token" if refused == {"padding": True} else next(iter(refused))):
        tokenizer.apply_chat_template(PLAIN, **refused)


def test_special_tokens_of_text(tokenizer):
    ids = tokenizer.apply_chat_template(PLAIN)
    assert tokenizer.decode(ids, skip_special_tokens=True) == tokenizer.decode(ids, True) == "user\none two\nassistant\nthree  \n"
    assert tokenizer.batch_decode([ids, ids[:5]], skip_special_tokens=True) == [tokenizer.decode(i, skip_special_tokens=True) for i in (ids, ids[:5])]
    assert tokenizer.batch_decode(np.array([ids, ids])) == [tokenizer.decode(ids)] * 2 and tokenizer.batch_decode([]) == []
    assert tokenizer.decode(ids, skip_special=True) == tokenizer.decode(ids, skip_special_tokens=True)
    assert tokenizer.stream(skip_special_tokens=True).push(tokenizer.eos_token_id) == "" != tokenizer.stream().push(tokenizer.eos_token_id)
    assert (tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token) == ("<|begin|>", "<|end|>", None)
    with pytest.raises(hybridlm.UnsupportedError, match="clean_up"):
        tokenizer.decode(ids, clean_up_tokenization_spaces=True)
    for bad in (ids, "text", b"text", {1: 2}, None, 5):
        with pytest.raises(TypeError):
            tokenizer.batch_decode(bad)


def test_length(llama, model, root):
    assert len(llama.tokenizer) == llama.info.vocab_size == 288 and len(model.tokenizer) == 288 and llama.tokenizer
    padded = json.loads((root / "test/data/models/tiny-llama/config.json").read_text())["vocab_size"]
    assert padded == 288
    with pytest.raises(hybridlm.UnsupportedError):
        len(hybridlm.Model(root / "test/data/models/llama3").tokenizer)


def test_length_is_the_tokenizers_and_not_the_matrix(root, tmp_path):
    """Four tokens fewer in tokenizer.json than rows in the matrix."""
    shutil.copytree(root / "test/data/models/tiny-llama", tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    data = json.loads(path.read_text())
    data["added_tokens"] = [t for t in data["added_tokens"] if t["id"] < 286]
    vocab = data["model"]["vocab"]
    for token in [t for t, i in vocab.items() if i >= 282]:
        del vocab[token]
    data["model"]["merges"] = [m for m in data["model"]["merges"] if "".join(m if isinstance(m, list) else m.split(" ")) in vocab]
    path.write_text(json.dumps(data))
    (tmp_path / "model" / "tokenizer_config.json").write_text("{}")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    (tmp_path / "model" / "config.json").write_text(json.dumps({k: v for k, v in config.items() if not k.endswith("token_id")}))
    tokenizer = hybridlm.Model(tmp_path / "model").tokenizer
    assert (len(tokenizer), tokenizer.vocab_size) == (282, 288)


def test_calls_of_a_tokenizer(tokenizer, model):
    one = tokenizer("one two")
    assert one == {"input_ids": tokenizer.encode("one two", add_special_tokens=True), "attention_mask": [1] * len(one.input_ids)}
    assert model.tokenizer("one two").input_ids[0] == model.tokenizer.bos_token_id
    assert model.tokenizer("one two", add_special_tokens=False).input_ids == model.tokenizer.encode("one two")
    assert "attention_mask" not in tokenizer("one", return_attention_mask=False)
    chat = tokenizer.apply_chat_template(PLAIN, tokenize=False)
    assert tokenizer(chat, add_special_tokens=False).input_ids == tokenizer.apply_chat_template(PLAIN)
    assert tokenizer.eos_token_id not in tokenizer("<|end|>", split_special_tokens=True).input_ids
    many = tokenizer(["one two", "x"])
    assert many.input_ids == [one.input_ids, tokenizer("x").input_ids]
    with pytest.raises(hybridlm.ArgError, match="padding"):
        tokenizer(["one two", "x"], return_tensors="np")
    tokenizer.pad_token_id = tokenizer.eos_token_id
    left = tokenizer(["one two", "x"], padding=True, return_tensors="np")
    assert left.input_ids[1].tolist() == [287] * (len(one.input_ids) - 1) + tokenizer("x").input_ids
    assert left.attention_mask.sum(-1).tolist() == [len(one.input_ids), 1]
    assert tokenizer("x", padding="max_length", max_length=3, padding_side="right").attention_mask == [1, 0, 0]
    with pytest.raises(TypeError, match="'paddin'; did you mean 'padding'"):
        tokenizer("x", paddin=True)
    for bad in (None, 5, b"x", [5], [["x"]]):
        with pytest.raises(TypeError):
            tokenizer(bad)
    with pytest.raises(AttributeError, match="input_ids"):
        one.token_type_ids


def test_score_and_embed_take_text(model):
    with hybridlm.Context(model, n_threads=1) as context:
        ids = model.tokenizer.encode("one two", add_special_tokens=True)
        assert context.score("one two").tobytes() == context.score(ids).tobytes()
        assert context.embed("one two").tobytes() == context.embed(ids).tobytes()
        with pytest.raises(hybridlm.ArgError):
            context.score("")


def test_seeds_vary_unless_given(model, context, tokens):
    draw = {"max_tokens": 12, "temperature": 2.0, "ignore_eos": True}
    runs = [context.generate(tokens, **draw) for _ in range(4)]
    for run in runs:
        run.read()
    assert len({run.seed for run in runs}) == 4 and len({tuple(run.tokens) for run in runs}) == 4
    again = context.complete(tokens, seed=runs[0].seed, **draw)
    assert again.tokens == runs[0].tokens and again.seed == runs[0].seed
    assert context.complete(tokens, seed=None, **draw).seed != context.complete(tokens, **draw).seed
    whole = context.complete(tokens, **draw)
    assert context.generate(tokens, sampler=hybridlm.Sampler(model, temperature=2.0, seed=whole.seed), max_tokens=12,
                            ignore_eos=True).read() == whole.text
    a, b = hybridlm.Sampler(model, temperature=1.0), hybridlm.Sampler(model, temperature=1.0)
    assert a.seed != b.seed and a.fork().seed == a.seed and hybridlm.Sampler(model, seed=2**64 - 1).seed == 2**64 - 1
    options = {"do_sample": True, "temperature": 2.0, "max_new_tokens": 12, "eos_token_id": []}
    first, seed = model.generate(tokens, **options), model.last_seed
    assert model.generate(tokens, **options).tolist() != first.tolist() and model.last_seed != seed
    assert model.generate(tokens, seed=seed, **options).tolist() == first.tolist() and model.last_seed == seed


@pytest.mark.parametrize("side, fill", list(itertools.product(("left", "right"), (0, 5, 287))))
def test_rows_keep_their_padding(model, tokens, side, fill):
    n, short = len(tokens), tokens[:3]
    pads = [fill] * (n - 3)
    row, mask = (pads + short, [0] * (n - 3) + [1] * 3) if side == "left" else (short + pads, [1] * 3 + [0] * (n - 3))
    given = np.array([row, tokens])
    out = model.generate(given, attention_mask=[mask, [1] * n], max_new_tokens=5, eos_token_id=[])
    assert out.shape == (2, n + 5) and out[:, :n].tolist() == given.tolist()
    assert out[0, n:].tolist() == model.generate(short, max_new_tokens=5, eos_token_id=[])[3:].tolist()
    assert out[1, n:].tolist() == model.generate(tokens, max_new_tokens=5, eos_token_id=[])[n:].tolist()
    assert model.generate(given, attention_mask=[mask, [1] * n], max_length=n + 2, eos_token_id=[]).shape == (2, n + 2)


def test_padding_without_a_mask(model, tokens):
    """As in transformers: the padding token is padding, unless it ends answers."""
    n, given = len(tokens), [[0] * (len(tokens) - 3) + tokens[:3], tokens]
    masked = model.generate(given, attention_mask=[[0] * (n - 3) + [1] * 3, [1] * n], max_new_tokens=4, pad_token_id=0)
    assert model.generate(given, max_new_tokens=4, pad_token_id=0).tolist() == masked.tolist()
    ends = model.generate(given, max_new_tokens=4, pad_token_id=0, eos_token_id=0)
    whole = model.generate(given, attention_mask=np.ones((2, n)), max_new_tokens=4, pad_token_id=0, eos_token_id=0)
    assert ends.tolist() == whole.tolist()
    stops = int(model.generate(tokens, max_new_tokens=1)[-1])
    out = model.generate([tokens, given[0]], attention_mask=[[1] * n, [0] * (n - 3) + [1] * 3], max_new_tokens=4, eos_token_id=stops, pad_token_id=7)
    assert out[0, n] == stops and (out[0, n + 1:] == 7).all()


def test_from_text_to_text(llama):
    """The lines that every guide to transformers has."""
    tokenizer = llama.tokenizer
    tokenizer.pad_token_id = tokenizer.eos_token_id
    inputs = tokenizer(["one two three", "x"], padding=True, return_tensors="np")
    out = llama.generate(**inputs, max_new_tokens=4, do_sample=False)
    n = inputs["input_ids"].shape[1]
    assert len(tokenizer.batch_decode(out[:, n:], skip_special_tokens=True)) == 2
    alone = llama.generate([tokenizer("x").input_ids], max_new_tokens=4)
    new = out[1, n:].tolist()
    assert new[:len(alone[0]) - 1] == alone[0, 1:].tolist()
    assert tokenizer.batch_decode(out[:, :n], skip_special_tokens=True) == ["one two three", "x"]
    chat = tokenizer.apply_chat_template([PLAIN, PLAIN[:1]], add_generation_prompt=True, padding=True, return_dict=True, return_tensors="np")
    assert llama.generate(**chat, max_new_tokens=1).shape == (2, chat.input_ids.shape[1] + 1)


def test_the_lines_of_the_docs(llama, root, capsys):
    text = (root / "docs/python.md").read_text()
    code = re.search(r"## As in transformers\n```python\n(.*?)```", text, re.DOTALL)[1]
    exec(code.replace("max_new_tokens=50", "max_new_tokens=3").replace("What is gravity?", "hi"), {"model": llama})
    assert capsys.readouterr().out.startswith("[")


def test_what_draws_nothing_is_told(model, tokens):
    with pytest.warns(UserWarning, match="temperature, top_p"):
        model.generate(tokens, max_new_tokens=1, temperature=0.5, top_p=0.5)
    with pytest.warns(UserWarning, match="max_length is 9 and max_new_tokens 1"):
        assert model.generate([1], max_new_tokens=1, max_length=9).shape == (2,)
    off = {"temperature": None, "top_k": None, "top_p": None, "min_p": None, "typical_p": None, "repetition_penalty": None}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        greedy = model.generate(tokens, max_new_tokens=3, **off)
        drawn = model.generate(tokens, max_new_tokens=3, do_sample=True, seed=3, **off)
    assert greedy.tolist() == model.generate(tokens, max_new_tokens=3).tolist()
    assert drawn.tolist() == model.generate(tokens, max_new_tokens=3, do_sample=True, seed=3, top_k=0).tolist()
    with pytest.raises(hybridlm.ArgError, match="num_return_sequences"):
        model.generate(tokens, max_new_tokens=1, num_return_sequences=2)


@pytest.mark.parametrize("call, slip, meant", [
    ("generate", "max_tokens", "max_new_tokens"), ("generate", "do_smaple", "do_sample"), ("generate", "temprature", "temperature"),
    ("chat", "max_new_tokens", "max_tokens"), ("chat", "temprature", "temperature"), ("chat", "templates", "template"),
    ("stream", "max_new_tokens", "max_tokens"), ("stream", "stop_string", "stop"), ("stream", "repeat_penalty", "repetition_penalty"),
    ("complete", "tempereture", "temperature"), ("Context", "threads", "n_threads"), ("Sampler", "topk", "top_k"), ("Model", "flag", "flags"),
    ("Pool", "page_token", "page_tokens"), ("Cache", "n_ctx", "max_tokens")])
def test_slips_in_other_calls(path, model, context, tokens, call, slip, meant):
    calls = {"generate": lambda **k: model.generate(tokens, **k), "chat": lambda **k: context.chat(PLAIN, **k),
             "stream": lambda **k: context.generate("x", **k), "complete": lambda **k: context.complete("x", **k),
             "Context": lambda **k: hybridlm.Context(model, **k), "Sampler": lambda **k: hybridlm.Sampler(model, **k),
             "Model": lambda **k: hybridlm.Model(path, **k), "Pool": lambda **k: hybridlm.Pool(model, **k),
             "Cache": lambda **k: hybridlm.Cache(context, **k)}
    with pytest.raises(TypeError, match=rf"'{slip}'; did you mean '{meant}'\?"):
        calls[call](**{slip: 1})


def test_options_are_those_of_the_calls():
    """What type checkers see is what the calls take."""
    from hybridlm._options import GENERATE_KEYWORDS, TEXT_KEYWORDS
    from hybridlm._tokenizer import CHAT_KEYWORDS
    taken = [p for p in inspect.signature(hybridlm.generate_ids).parameters if p not in ("context", "input_ids")]
    assert sorted(taken) == sorted(GENERATE_KEYWORDS)
    own = {p for p in inspect.signature(hybridlm.Context.generate).parameters if p not in ("self", "sampling")}
    assert own | set(hybridlm.SamplerParams.__annotations__) == set(TEXT_KEYWORDS)
    chat = {p for p in inspect.signature(hybridlm.Tokenizer.apply_chat_template).parameters if p not in ("self", "extra")}
    assert chat - set(CHAT_KEYWORDS) == {"return_assistant_tokens_mask", "tokenizer_kwargs"} and set(CHAT_KEYWORDS) <= chat


def test_reprs(model, context, tokens, llama, lora):
    cache = hybridlm.Cache(context)
    stream = context.generate(tokens, max_tokens=2, temperature=1, seed=7)
    things = [model, model.tokenizer, context, context.pool, cache, hybridlm.Sampler(model), hybridlm.Step(cache, tokens),
              hybridlm.Adapter(llama, lora), model.tokenizer.stream(), stream]
    for thing in things:
        text = repr(thing)
        assert text.startswith(f"<hybridlm.{type(thing).__name__} ") and text.endswith(">") and "0x" not in text, text
    assert "llama" in repr(model) and "q4_0" in repr(model) and "0 tokens" in repr(cache) and "greedy" in repr(things[5])
    assert "temperature 1, seed 7" in repr(stream) and "not begun" in repr(stream) and "rank 2" in repr(things[7])
    context.decode([(cache, tokens)])
    assert f"{len(tokens)} tokens" in repr(cache)
    with cache.handle():
        assert repr(cache) == "<hybridlm.Cache in use>"
    assert list(stream) is not None and "over" in repr(stream)
    for thing in things[4:6]:
        thing.close()
        assert repr(thing) == f"<hybridlm.{type(thing).__name__}, closed>"
    assert "closed" in repr(things[6]) and repr(hybridlm.Model.__new__(hybridlm.Model)) == "<hybridlm.Model, closed>"


# ---- the same by transformers ----

@pytest.fixture(scope="module")
def theirs(root):
    transformers = pytest.importorskip("transformers")
    return transformers.AutoTokenizer.from_pretrained(root / "test/data/models/tiny-llama")


def same(a, b):
    return json.dumps(a, default=lambda x: x.tolist() if hasattr(x, "tolist") else dict(x)) == \
        json.dumps(b, default=lambda x: x.tolist() if hasattr(x, "tolist") else dict(x))


@pytest.mark.parametrize("options", [
    {}, {"add_generation_prompt": True}, {"return_dict": True}, {"tokenize": False}, {"tokenize": False, "return_dict": True}, {"return_tensors": "np"},
    {"return_tensors": "np", "return_dict": True}, {"continue_final_message": True}, {"continue_final_message": True, "tokenize": False},
    {"truncation": True, "max_length": 9}, {"padding": "max_length", "max_length": 40, "return_dict": True}, {"padding": True, "return_dict": True},
    {"documents": [{"title": "a", "text": "b"}]}, {"tools": [{"type": "function", "function": {"name": "f"}}]}])
@pytest.mark.parametrize("template", [None, TRIMS, LEADS])
@pytest.mark.parametrize("batch", [False, True])
def test_chats_are_those_of_transformers(theirs, llama, options, template, batch):
    ours = llama.tokenizer
    theirs.pad_token, theirs.padding_side, ours.pad_token_id = theirs.eos_token, "left", ours.eos_token_id
    talk = [PLAIN, PLAIN[::-1]] if batch else PLAIN
    if batch and "return_tensors" in options:
        options = {**options, "padding": True}
    want = theirs.apply_chat_template(talk, **{"return_dict": False, "chat_template": template, **options})
    if isinstance(want, dict) or hasattr(want, "keys"):
        want = {k: want[k] for k in ("input_ids", "attention_mask")}
    assert same(want, ours.apply_chat_template(talk, chat_template=template, **options))


@pytest.mark.parametrize("message", [
    {"content": "a", "tool_calls": None}, {"content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": None}}}]},
    {"content": "a", "reasoning": "b"}, {"content": "a", "thinking": "b"}, {"content": "a", "reasoning_content": "b", "thinking": "c"},
    {"content": "a", "reasoning_content": None, "reasoning": "c"}, {"content": [{"type": "text", "text": "a"}]}, {"content": ""}])
@pytest.mark.parametrize("goes_on", [False, "thinking", "reasoning_content"])
def test_members_of_messages_are_those_of_transformers(theirs, llama, message, goes_on):
    template = ("{% for m in messages %}{{ m.role }}{{ m.thinking }}|{{ m.reasoning_content }}|{{ m.reasoning }}|{{ m.content }}"
                "{{ m.tool_calls is defined }}{{ m.content is defined }}{{ m.tool_calls|tojson if m.tool_calls }}{% endfor %}")
    talk, options = [{"role": "assistant", **message}], {"chat_template": template, "tokenize": False, "continue_final_message": goes_on}
    try:
        want = theirs.apply_chat_template(talk, **options)
    except ValueError:
        with pytest.raises(ValueError):
            llama.tokenizer.apply_chat_template(talk, **options)
    else:
        want = want.replace("CONTINUE_FINAL_MESSAGE_TAG ", "")  # transformers leaves it where a text is shown twice
        assert llama.tokenizer.apply_chat_template(talk, **options) == want


@pytest.mark.parametrize("text", ["one two", ["one two", "x"], "<|end|> a", "", ["a"], ("a", "")])
@pytest.mark.parametrize("options", [{}, {"add_special_tokens": False}, {"split_special_tokens": True}, {"padding": True, "return_tensors": "np"},
                                     {"truncation": True, "max_length": 3}, {"padding": "max_length", "max_length": 12},
                                     {"padding": "longest", "padding_side": "right"}, {"return_attention_mask": False}])
def test_calls_are_those_of_transformers(theirs, llama, text, options):
    ours = llama.tokenizer
    theirs.pad_token, theirs.padding_side, ours.pad_token_id = theirs.eos_token, "left", ours.eos_token_id
    want = {k: v for k, v in theirs(text if isinstance(text, str) else list(text), **options).items() if k != "token_type_ids"}
    assert same(want, ours(text, **options))
    assert len(theirs) == len(ours)
    for skips in (False, True):
        rows = [[1, 287, 100, 286], [], [5]]
        assert theirs.batch_decode(rows, skip_special_tokens=skips) == ours.batch_decode(rows, skip_special_tokens=skips)
