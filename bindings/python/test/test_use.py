"""What works: the classes, against each other and against the C library's own answers."""
import ctypes
import json

import hybridlm
import numpy as np
import pytest


def test_structs_have_the_recorded_sizes():
    for name, (recorded, here) in hybridlm.raw.sizes().items():
        assert recorded == here, name


def test_every_status_has_an_exception(root):
    record = json.loads((root / "bindings" / "hybridlm.json").read_text())
    statuses = {v["name"]: v["value"] for e in record["enums"] for v in e["values"] if v["name"].startswith("HLM_E_")}
    assert {e.name: e.status for e in hybridlm.errors.BY_STATUS.values()} == statuses
    for name, status in statuses.items():
        assert hybridlm.lib.hlm_status_name(status).decode() == name
        assert issubclass(hybridlm.errors.BY_STATUS[status], hybridlm.Error)


def test_docstrings_come_from_the_header():
    assert "varlen batch" in hybridlm.Context.decode.__doc__
    assert "Copies no state" in hybridlm.Cache.fork.__doc__
    assert "pages" in hybridlm.Pool.usage.__doc__
    assert hybridlm.FullError.__doc__.startswith("The cache would grow")


def test_info(model):
    assert model.info.arch == "llama"
    assert model.info.vocab_size == model.tokenizer.vocab_size > 0
    assert hybridlm.__version__.count(".") == 2
    assert model.memory_plan(n_sequences=2, n_tokens=100).total > 0
    assert model.labels == []


def test_model_file(path, root, tmp_path):
    file = hybridlm.ModelFile(path)
    info = file.info
    assert (info.container, info.version, info.arch, info.is_adapter) == ("GGUF", 3, "llama", 0)
    assert file.problems == [] and file.parts == [(str(path), path.stat().st_size)]
    names = [key.name for key in file.keys]
    tokens = names.index("tokenizer.ggml.tokens")
    assert file.keys[tokens].type == "array" and file.keys[tokens].item == "string"
    assert len(file.value(tokens)) == file.keys[tokens].n_items and len(file.value(tokens, 3)) == 3
    table = next(t for t in file.tensors if t.name == "token_embd.weight")
    assert len(table.shape) == 2 and table.shape[1] == file.value(names.index("llama.embedding_length")) and table.unfit == ""
    with pytest.raises(hybridlm.ArgError):
        file.value(len(names))
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(path.read_bytes()[:-1])
    damaged = hybridlm.ModelFile(cut)
    assert "is the file whole" in damaged.problems[0] and damaged.keys == file.keys
    folder = hybridlm.ModelFile(root / "test/data/models/tiny-llama")
    assert folder.info.container == "folder" and "model_type" in [key.name for key in folder.keys]
    with pytest.raises(hybridlm.IoError):
        hybridlm.ModelFile(tmp_path / "nothing")


def test_text_there_and_back(model):
    tokenizer = model.tokenizer
    text = "one two three \u00e9\u4e2d\U0001f600"
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(np.array(ids)) == text
    stream = tokenizer.stream()
    assert "".join([stream.push(t) for t in ids] + [stream.finish()]) == text
    assert tokenizer.encode("") == [] and tokenizer.decode([]) == ""
    long = text * 3000
    assert tokenizer.decode(tokenizer.encode(long)) == long


def test_chat_template(model):
    template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{{ mood }}"
    messages = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    text = model.tokenizer.render_chat(messages, chat_template=template, mood="three")
    assert text == "user: one\nassistant: two\nthree"
    assert model.tokenizer.decode(model.tokenizer.apply_chat_template(messages, chat_template=template, mood="three")) == text


def test_decode_is_the_same_however_it_is_cut(context, tokens):
    whole, parts = hybridlm.Cache(context), hybridlm.Cache(context)
    [expected] = context.decode([(whole, tokens)])
    for token in tokens:
        [got] = context.decode([(parts, [token])])
    assert got.tobytes() == expected.tobytes()
    assert got.shape == (context.model.info.vocab_size,) and got.dtype == np.float32
    assert len(whole) == len(tokens) and whole.tokens() == tokens and whole.tokens(1, 3) == tokens[1:3]


def test_a_batch_gives_views_of_one_array(context, tokens):
    caches = [hybridlm.Cache(context) for _ in range(3)]
    rows = context.decode([(c, tokens[i:]) for i, c in enumerate(caches)])
    assert all(r.base is rows[0].base is not None for r in rows)
    for i, row in enumerate(rows):
        [alone] = context.decode([(hybridlm.Cache(context), tokens[i:])])
        assert alone.tobytes() == row.tobytes()


def test_steps_mixed_with_pairs(context, tokens):
    a, b, c = (hybridlm.Cache(context) for _ in range(3))
    n, vocab = len(tokens), context.model.info.vocab_size
    rows = context.decode([hybridlm.Step(a, tokens, logits="all"), (b, tokens), hybridlm.Step(c, tokens, logits=[0, 2])])
    assert rows[0].shape == (n, vocab) and rows[1].shape == (vocab,) and rows[2].shape == (2, vocab)
    assert rows[0][-1].tobytes() == rows[1].tobytes()
    assert rows[0][[0, 2]].tobytes() == rows[2].tobytes()


def test_prepared_step(context, tokens):
    ids = np.array(tokens[:1], np.int32)
    out = np.empty(context.model.info.vocab_size, np.float32)
    cache, other = hybridlm.Cache(context), hybridlm.Cache(context)
    step = hybridlm.Step(cache, ids, out=out)
    assert step.tokens is ids
    for token in tokens:
        ids[0] = token
        [logits] = context.decode([step])
        assert logits is out
    [expected] = context.decode([(other, tokens)])
    assert out.tobytes() == expected.tobytes()
    step = hybridlm.Step(cache, [tokens[0]])
    step.tokens = tokens
    context.decode([step])
    assert len(cache) == 2 * len(tokens)


def test_hidden_states_and_attention(context, tokens):
    info, cache = context.model.info, hybridlm.Cache(context)
    context.decode([(cache, tokens[:2])])
    step = hybridlm.Step(cache, tokens[2:], logits=None, hidden=[0, info.n_layers, -1], attention=[0])
    assert context.decode([step]) == [None]
    n = len(tokens) - 2
    assert {k: v.shape for k, v in step.hidden.items()} == dict.fromkeys([0, info.n_layers, -1], (n, info.hidden_size))
    assert step.attention[0].shape == (info.n_heads, n, len(tokens))
    assert context.model.memory_plan().total  # the context's model is its own
    kinds = hybridlm.Step(cache, tokens[:1], hidden=[(0, hybridlm.HIDDEN_STREAM)])
    context.decode([kinds])
    assert kinds.hidden[0, hybridlm.HIDDEN_STREAM].shape == (1, info.hidden_size)
    with pytest.raises(hybridlm.ArgError):
        hybridlm.Step(cache, tokens, hidden=[(0, hybridlm.HIDDEN_RECURRENCE)])
    assert np.allclose(step.attention[0].sum(axis=-1), 1, atol=1e-5)


def test_embeddings_in_place_of_tokens(context, tokens):
    cache, other = hybridlm.Cache(context), hybridlm.Cache(context)
    step = hybridlm.Step(cache, tokens, hidden=[0])
    [expected] = context.decode([step])
    [got] = context.decode([hybridlm.Step(other, embeddings=step.hidden[0])])
    assert got.tobytes() == expected.tobytes()
    assert other.tokens() == [hybridlm.TOKEN_NONE] * len(tokens)


def test_fork_and_rewind(context, tokens):
    cache = hybridlm.Cache(context)
    context.decode([(cache, tokens)])
    fork, early = cache.fork(), cache.fork(2)
    assert len(fork) == len(tokens) and early.tokens() == tokens[:2]
    [a], [b] = context.decode([(fork, [tokens[0]])]), context.decode([(cache, [tokens[0]])])
    assert a.tobytes() == b.tobytes() == context.logits(cache).tobytes()
    with pytest.raises(hybridlm.EmptyError):
        context.logits(hybridlm.Cache(context))
    with pytest.raises(TypeError):
        context.logits(tokens)
    assert cache.rewind(2) >= 0 and len(cache) == 2
    [a], [b] = context.decode([(cache, tokens[2:])]), context.decode([(early, tokens[2:])])
    assert a.tobytes() == b.tobytes()


def test_snapshots(context, tokens, tmp_path):
    cache = hybridlm.Cache(context)
    context.decode([(cache, tokens)])
    data = cache.to_bytes()
    cache.save(tmp_path / "text")
    [expected] = context.decode([(cache.fork(), [1])])
    for loaded in hybridlm.Cache.from_bytes(context, data), hybridlm.Cache.load(context.pool, tmp_path / "text"):
        assert loaded.tokens() == tokens
        assert context.decode([(loaded, [1])])[0].tobytes() == expected.tobytes()
    assert (tmp_path / "text").read_bytes() == data
    with pytest.raises(hybridlm.Error):
        hybridlm.Cache.from_bytes(context, data[:-1])
    with pytest.raises(TypeError):
        hybridlm.Cache.from_bytes(context, 1)


def test_marks(context, root, tokens):
    cache = hybridlm.Cache(context)
    context.decode([(cache, tokens)])
    cache.mark()
    cache.unmark(len(tokens))
    assert cache.marks() == sorted(cache.marks())
    model = hybridlm.Model(root / "test/data/models/falcon-mamba")
    context = hybridlm.Context(model)
    cache = hybridlm.Cache(context)
    context.decode([(cache, [1, 2, 3])])
    cache.mark()
    assert 3 in cache.marks()
    [expected] = context.decode([(cache, [4])])
    assert cache.rewind(3) == 0
    assert context.decode([(cache, [4])])[0].tobytes() == expected.tobytes()
    assert cache.state(0, hybridlm.STATE_SCAN).size > 0
    cache.unmark(3)
    assert 3 not in cache.marks()


def test_score_and_embed(context, tokens):
    logprobs = context.score(tokens)
    [rows] = context.decode([hybridlm.Step(hybridlm.Cache(context), tokens, logits="all")])
    rows = rows.astype(np.float64)
    expected = rows - np.log(np.exp(rows - rows.max(-1, keepdims=True)).sum(-1, keepdims=True)) - rows.max(-1, keepdims=True)
    assert np.allclose(logprobs, expected[np.arange(len(tokens) - 1), tokens[1:]], atol=1e-4)
    labels = [-100, *tokens[1:3], *[-100] * (len(tokens) - 3)]
    assert context.score(tokens, labels)[:2].tobytes() == logprobs[:2].tobytes()
    assert not context.score(tokens, labels)[2:].any()
    vector = context.embed(tokens, normalise=True)
    assert vector.shape == (context.model.info.hidden_size,) and abs(np.linalg.norm(vector) - 1) < 1e-5


def test_pool(model, tokens):
    pool = hybridlm.Pool(model, kv_type=hybridlm.TYPE_F32, page_tokens=16)
    context = hybridlm.Context(model, pool=pool, n_threads=1)
    cache = hybridlm.Cache(pool, max_tokens=64)
    cache.reserve(32)
    context.decode([(cache, tokens)])
    assert 0 < pool.usage.used <= pool.usage.held
    assert context.pool.usage == pool.usage


def test_sampler(model, context, tokens):
    [logits] = context.decode([(hybridlm.Cache(context), tokens)])
    best = int(logits.argmax())
    assert hybridlm.Sampler(model).sample(logits) == best
    assert hybridlm.Sampler(model, logit_bias={best: -float("inf")}).sample(logits) != best
    a = hybridlm.Sampler(model, temperature=1.0, seed=5)
    b = a.fork()
    assert [a.sample(logits) for _ in range(20)] == [b.sample(logits) for _ in range(20)]


@pytest.mark.parametrize("options", [
    {"max_tokens": 12, "ignore_eos": True},
    {"max_tokens": 40, "temperature": 1.0, "seed": 3},
    {"max_tokens": 40, "temperature": 1.5, "seed": 4, "stop": ["e", "th", "the "]},
    {"max_tokens": 40, "temperature": 1.5, "seed": 5, "stop": "in", "ignore_eos": True, "show_special": True},
    {"max_tokens": 40, "temperature": 1.0, "seed": 6, "stop_tokens": list(range(40, 80))},
    {"temperature": 1.0, "seed": 7, "ignore_eos": True},
])
def test_streamed_text_is_that_of_the_library(context, options):
    make = lambda: hybridlm.Cache(context, max_tokens=100)  # noqa: E731
    stream = context.generate("one two", cache=make(), **options)
    pieces = list(stream)
    done = context.complete("one two", cache=make(), **options)
    assert "".join(pieces) == stream.text == done.text
    assert (stream.tokens, stream.finish) == (done.tokens, done.result.finish)
    assert len(stream.cache) == len(done.cache)
    assert done.result.n_generated == len(done.tokens)


def test_streams_go_on_from_a_cache(context, tokens):
    cache = hybridlm.Cache(context)
    context.decode([(cache, tokens)])
    fresh = context.generate(tokens, max_tokens=5).read()
    assert context.generate([], cache=cache, max_tokens=5).read() == fresh
    assert len(cache) == len(tokens) + 4


def test_nothing_runs_ahead_of_the_loop(context, tokens):
    stream = context.generate(tokens, max_tokens=50, ignore_eos=True)
    assert len(stream.cache) == 0
    for n, _ in enumerate(stream, 1):
        if n == 3:
            break
    assert len(stream.cache) == len(tokens) + len(stream.tokens) - 1
    stream.close()
    assert list(stream) == []


def test_drafts_change_nothing(model, context, tokens):
    options = {"max_tokens": 40, "ignore_eos": True, "temperature": 0.5, "seed": 2}
    plain = context.complete(tokens, **options)
    with hybridlm.Context(model, n_threads=1) as drafter:
        kept = hybridlm.Cache(drafter)
        for drafts in ({}, {"n_draft": 3, "ngram": 2, "n_branches": 2, "fixed": 1},
                       {"draft": drafter, "draft_cache": kept, "ngram": -1, "fixed": 1}):
            fast = context.complete(tokens, speculation=drafts, **options)
            assert fast.tokens == plain.tokens and fast.text == plain.text
            assert fast.result.n_accepted <= fast.result.n_drafted and fast.result.n_steps <= plain.result.n_steps
        assert fast.result.n_steps < plain.result.n_steps / 2 and len(kept) > len(tokens)
    with pytest.raises(hybridlm.ArgError):
        context.complete(tokens, speculation={"n_draft": 65})
    with pytest.raises(TypeError):
        context.complete(tokens, speculation={"drafts": 1})


def test_prefix_cache(model, tokens, tmp_path):
    with hybridlm.Pool(model, prefix_bytes=1 << 20) as pool, hybridlm.Context(model, pool=pool, n_threads=1) as context:
        first, second = hybridlm.Cache(pool), hybridlm.Cache(pool)
        context.decode([(first, tokens)])
        first.prefix_add()
        assert second.reuse(tokens) == (len(tokens) - 1, 0) or second.pending > 0
        assert second.tokens() == list(tokens[:-1])
        info = pool.prefix_info
        assert info.tokens == len(tokens) and info.hits == 1 and info.bytes > 0
        whole = context.complete(tokens, max_tokens=4, ignore_eos=True)
        again = context.complete(tokens, cache=second, max_tokens=4, ignore_eos=True, reuse=True)
        assert again.tokens == whole.tokens and again.result.n_reused in (len(tokens) - 1, len(tokens))
        pool.prefix_save(tmp_path / "texts")
        held = pool.prefix_info.tokens
        pool.prefix_clear()
        assert pool.prefix_info.tokens == 0
        assert pool.prefix_load(tmp_path / "texts") == 0 and pool.prefix_info.tokens == held
        with pytest.raises(hybridlm.TokenError):
            second.reuse([-1])


def test_adapters(llama, lora, tokens):
    plus, minus = hybridlm.Adapter(llama, lora), hybridlm.Adapter(llama, lora, scale=-1)
    none = hybridlm.Adapter.join([plus, minus])
    assert plus.info[:2] == (1, 2) and none.info[:2] == (1, 4) and plus.info.bytes > 0
    with hybridlm.Context(llama, n_threads=2) as context:
        caches = [hybridlm.Cache(context) for _ in range(4)]
        steps = [hybridlm.Step(c, tokens, adapter=a) for c, a in zip(caches, (plus, minus, none))]
        changed, other, back, own = context.decode([*steps, (caches[3], tokens)])  # four kinds in one batch
        assert np.allclose(back, own, atol=1e-5) and not np.allclose(changed, own, atol=1e-2) and not np.allclose(other, changed, atol=1e-2)
        [alone] = context.decode([hybridlm.Step(hybridlm.Cache(context), tokens, adapter=plus)])
        assert alone.tobytes() == changed.tobytes() == context.logits(caches[0]).tobytes()
        steps[0].adapter, steps[0].tokens = None, [1]  # a step may be decoded again with another
        [plain] = context.decode(steps[:1])
        assert plain.tobytes() == steps[0].logits.tobytes() != alone.tobytes()


def test_text_of_adapters(llama, lora, tokens):
    adapter = hybridlm.Adapter(llama, lora)
    options = {"max_tokens": 6, "ignore_eos": True, "temperature": 3.0, "seed": 2}
    with hybridlm.Context(llama, n_threads=2) as context:
        own, whole = context.complete(tokens, **options), context.complete(tokens, adapter=adapter, **options)
        assert own.tokens != whole.tokens
        stream = context.generate(tokens, adapter=adapter, **options)
        assert stream.read() == whole.text and stream.tokens == whole.tokens
        cache = hybridlm.Cache(context)
        context.decode([hybridlm.Step(cache, tokens, adapter=adapter)])
        assert context.generate([], cache=cache.fork(), adapter=adapter, **options).read() == whole.text
        first = context.decode([hybridlm.Step(hybridlm.Cache(context), tokens, adapter=adapter)])[0].argmax()
        assert llama.generate(tokens, max_new_tokens=1, adapter=adapter)[-1] == first
        cache.prefix_add()
        assert hybridlm.Cache(context).reuse(tokens, adapter=adapter).reused == len(tokens) - 1
        assert hybridlm.Cache(context).reuse(tokens).reused == 0
        again = context.complete(tokens, cache=hybridlm.Cache(context), adapter=adapter, reuse=True, **options)
        assert again.tokens == whole.tokens and again.result.n_reused > 0
        messages, cache = [{"role": "user", "content": "one"}], hybridlm.Cache(context)
        answers = [context.chat(messages, cache=cache, adapter=adapter, max_tokens=3, ignore_eos=True).read() for _ in range(2)]
        assert answers[0] == answers[1]


def test_snapshots_of_adapters(llama, lora, tokens):
    adapter = hybridlm.Adapter(llama, lora, scale=0.5)
    with hybridlm.Context(llama, n_threads=1) as context, hybridlm.Pool(llama) as pool:
        cache = hybridlm.Cache(context)
        context.decode([hybridlm.Step(cache, tokens, adapter=adapter)])
        data = cache.to_bytes()
        with pytest.raises(hybridlm.MismatchError, match="adapter"):
            hybridlm.Cache.from_bytes(pool, data)
        pool.adapt(hybridlm.Adapter(llama, lora, scale=0.5))  # another one of the same file
        assert hybridlm.Cache.from_bytes(pool, data).tokens() == tokens


def test_chat_keeps_what_the_cache_has(context):
    template = {"chat_template": "{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}"}
    messages = [{"role": "user", "content": "one two three"}]
    cache = hybridlm.Cache(context)
    first = context.chat(messages, cache=cache, template=template, max_tokens=4, ignore_eos=True).read()
    messages += [{"role": "assistant", "content": first}, {"role": "user", "content": "four"}]
    kept = context.chat(messages, cache=cache, template=template, max_tokens=6).read()
    assert kept == context.chat(messages, template=template, max_tokens=6).read()
    assert kept == context.chat(messages, cache=cache, template=template, max_tokens=6).read()


def test_generate_with_names_of_transformers(model, tokens):
    alone = model.generate(tokens, max_new_tokens=6)
    assert alone.dtype == np.int64 and alone.shape == (len(tokens) + 6,) and alone[:len(tokens)].tolist() == tokens
    padded = [[0, 0, *tokens[:-2]], tokens]
    mask = [[0, 0, *[1] * (len(tokens) - 2)], [1] * len(tokens)]
    both = model.generate(np.array(padded), attention_mask=mask, max_new_tokens=6, pad_token_id=0)
    assert both.shape == (2, len(tokens) + 6) and both[1].tolist() == alone.tolist()
    assert both[0].tolist() == [0, 0, *model.generate(tokens[:-2], max_new_tokens=6).tolist()]
    several = model.generate([tokens], num_return_sequences=3, do_sample=True, temperature=1.5, top_p=0.9, max_new_tokens=8, seed=1)
    again = model.generate([tokens], do_sample=True, temperature=1.5, top_p=0.9, max_new_tokens=8, seed=3)
    assert several.shape[0] == 3 and several[2].tolist() == again[0].tolist()
    first = int(alone[len(tokens)])
    assert model.generate(tokens, eos_token_id=first, max_new_tokens=6).tolist() == [*tokens, first]
    assert len(model.generate(tokens, max_length=len(tokens) + 2)) == len(tokens) + 2
    penalised = model.generate(tokens, max_new_tokens=6, repetition_penalty=50.0)
    assert not set(penalised[len(tokens):].tolist()) & set(tokens)


def test_generate_until_the_positions_are_used_up(model, tokens):
    out = model.generate([tokens, tokens], attention_mask=[[1] * len(tokens), [1] * 3 + [0] * (len(tokens) - 3)], eos_token_id=[])
    assert out.shape == (2, len(tokens) + model.info.max_positions + 1 - 3)


def test_a_model_with_classes(root):
    model = hybridlm.Model(root / "test/data/models/persimmon-seqcls")
    context = hybridlm.Context(model)
    assert model.info.n_labels == len(model.labels) == 3
    cache = hybridlm.Cache(context)
    assert context.decode([(cache, [1, 2])])[0].shape == context.logits(cache).shape == (3,)
    assert hybridlm.Step(hybridlm.Cache(context), [1, 2], logits="all").logits.shape == (2, 3)
    for call in (lambda: context.generate([1]), lambda: context.complete([1]), lambda: context.score([1, 2]),
                 lambda: model.generate([1])):
        with pytest.raises(hybridlm.UnsupportedError):
            call()


def test_quantised_at_load(root):
    plain, made = (hybridlm.Model(root / "test/data/models/llama3", quantise=name) for name in (None, "int4"))
    assert made.info.weight_bytes < plain.info.weight_bytes and made.info.weight_type == "int4"
    with pytest.raises(hybridlm.UnsupportedError, match="none of q4_0"):
        hybridlm.Model(root / "test/data/models/llama3", quantise="q9")


def test_a_model_without_tokenizer(root):
    model = hybridlm.Model(root / "test/data/models/llama3")
    context = hybridlm.Context(model)
    stream = context.generate([1, 2], max_tokens=4)
    assert stream.read() == "" and stream.tokens == context.complete([1, 2], max_tokens=4).tokens
    assert model.generate([1, 2], max_new_tokens=4)[2:].tolist() == stream.tokens
    for call in (lambda: context.generate("one"), lambda: model.tokenizer.stream(), lambda: model.tokenizer.encode("one")):
        with pytest.raises(hybridlm.UnsupportedError):
            call()


def test_vocab_only(path):
    model = hybridlm.Model(path, flags=hybridlm.LOAD_VOCAB_ONLY)
    assert model.tokenizer.encode("one")
    with pytest.raises(hybridlm.UnsupportedError):
        hybridlm.Context(model)


def test_progress(path):
    seen = []
    hybridlm.Model(path, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and 0 < seen[-1][0] <= seen[-1][1]
    with pytest.raises(hybridlm.CancelledError):
        hybridlm.Model(path, progress=lambda done, total: True)

    def fail(done, total):
        raise KeyError("mine")
    with pytest.raises(KeyError, match="mine"):
        hybridlm.Model(path, progress=fail)


def test_the_raw_layer(model):
    n = ctypes.c_size_t()
    out = (ctypes.c_int32 * 8)()
    status = hybridlm.lib.hlm_tokenize(model.handle().pointer, b"one two", 7, 0, out, 8, ctypes.byref(n))
    assert status == hybridlm.raw.HLM_OK and out[:n.value] == model.tokenizer.encode("one two")
