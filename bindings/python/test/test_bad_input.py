"""Bad input is an exception, never a crash."""
import copy
import gc
import pickle
import random

import hybridlm
import numpy as np
import pytest

NO_TOKENS = [None, 5, "one", b"one", [1.5], ["1"], [None], [[1, 2]], {"a": 1}, np.zeros(3), np.zeros((2, 2), np.int64), object()]


@pytest.mark.parametrize("bad", NO_TOKENS)
def test_no_token_ids(model, context, bad):
    cache = hybridlm.Cache(context)
    with pytest.raises((TypeError, hybridlm.ArgError)):
        context.decode([(cache, bad)])
    with pytest.raises((TypeError, hybridlm.ArgError)):
        model.tokenizer.decode(bad)
    if not isinstance(bad, str):
        with pytest.raises((TypeError, hybridlm.ArgError)):
            context.score(bad)
        with pytest.raises((TypeError, hybridlm.ArgError)):
            context.embed(bad)
        with pytest.raises((TypeError, hybridlm.ArgError)):
            context.generate(bad)
    assert len(cache) == 0


@pytest.mark.parametrize("bad", [-1, 2**31, 2**40, -2**63, 2**70])
def test_ids_outside_the_vocabulary(model, context, bad):
    cache = hybridlm.Cache(context)
    for call in (lambda: context.decode([(cache, [bad])]), lambda: context.score([1, bad]), lambda: context.embed([bad]),
                 lambda: model.tokenizer.decode([bad]), lambda: context.generate([bad], cache=cache).read(),
                 lambda: context.complete([bad], cache=cache), lambda: model.generate([bad], max_new_tokens=1)):
        with pytest.raises((hybridlm.Error, TypeError)):  # 2**70 is no integer to numpy
            call()
    assert len(cache) == 0


@pytest.mark.parametrize("bad", [np.zeros(4, np.int64), np.zeros(4, ">i4"), np.zeros(4, np.float32), np.zeros(4, np.uint32),
                                 np.zeros(8, np.int32)[::2], np.zeros((2, 2), np.int32), np.zeros((), np.int32)])
def test_arrays_that_can_not_be_used_in_place(context, bad):
    with pytest.raises((TypeError, hybridlm.ArgError)):
        context.decode([(hybridlm.Cache(context), bad)])
    with pytest.raises((TypeError, hybridlm.ArgError)):
        context.score(bad)


def test_arrays_for_results(context, tokens):
    cache, vocab, n = hybridlm.Cache(context), context.model.info.vocab_size, len(tokens)
    read_only = np.zeros(vocab, np.float32)
    read_only.flags.writeable = False
    for bad in (np.zeros(vocab), np.zeros(vocab - 1, np.float32), np.zeros((1, vocab), np.float32),
                np.zeros(2 * vocab, np.float32)[::2], read_only, [0.0] * vocab, b"x" * 4 * vocab):
        with pytest.raises((TypeError, hybridlm.ArgError)):
            hybridlm.Step(cache, tokens, out=bad)
    out = np.zeros((n, vocab), np.float32)
    step = hybridlm.Step(cache, tokens, logits="all", out=out)
    with pytest.raises(hybridlm.ArgError):
        step.tokens = tokens[1:]
    for bad in ("first", [n], [-1], [1, 0], [0, 0], 3, [2**70]):
        with pytest.raises((TypeError, hybridlm.Error)):
            context.decode([hybridlm.Step(cache, tokens, logits=bad)])
    for bad in ([(0, 77)], [(0, -1)], [(0,)], [(0, 0, 0)], [(None, 0)]):
        with pytest.raises((TypeError, hybridlm.ArgError)):
            hybridlm.Step(cache, tokens, hidden=bad)
    for bad in ([-2], [10**6], [2**40], ["0"], [None]):
        with pytest.raises((TypeError, hybridlm.ArgError)):
            hybridlm.Step(cache, tokens, hidden=bad)
        with pytest.raises((TypeError, hybridlm.ArgError)):
            hybridlm.Step(cache, tokens, attention=bad)
    for bad in (np.zeros((n, 3), np.float32), np.zeros((n, context.model.info.hidden_size)), [[0.0]]):
        with pytest.raises((TypeError, hybridlm.ArgError)):
            hybridlm.Step(cache, embeddings=bad)
    assert len(cache) == 0


def test_steps_that_are_none(context, tokens):
    cache = hybridlm.Cache(context)
    for bad in ([None], [cache], [(cache,)], [(cache, tokens, 3)], [(None, tokens)], [("cache", tokens)], ["ab"], [5]):
        with pytest.raises((TypeError, hybridlm.ArgError)):
            context.decode(bad)
    for bad in (None, 5):
        with pytest.raises(TypeError):
            context.decode(bad)
    with pytest.raises(hybridlm.EmptyError):
        context.decode([])
    with pytest.raises(hybridlm.EmptyError):
        context.decode([(cache, [])])
    with pytest.raises(hybridlm.BusyError):
        context.decode([(cache, tokens), (cache, tokens)])
    step = hybridlm.Step(cache, tokens)
    with pytest.raises(hybridlm.BusyError):
        context.decode([step, step])
    with pytest.raises(hybridlm.ArgError):
        hybridlm.Step(cache)
    assert len(cache) == 0


def test_text_arguments(model, context):
    tokenizer = model.tokenizer
    for bad in (None, 5, b"one", ["one"]):
        with pytest.raises(TypeError):
            tokenizer.encode(bad)
    with pytest.raises(UnicodeEncodeError):
        tokenizer.encode("\ud800")
    for bad in ([None], [["a"]], "one", {"role": "user"}, 5, None):
        with pytest.raises((TypeError, ValueError)):
            tokenizer.apply_chat_template(bad, chat_template="x")
    with pytest.raises(TypeError):
        tokenizer.apply_chat_template([{"role": "user", "content": object()}], chat_template="x")
    with pytest.raises(hybridlm.TemplateError):
        tokenizer.render_chat([], chat_template="{{ raise_exception('no') }}")
    with pytest.raises(hybridlm.ArgError):
        tokenizer.render_chat([], chat_template="a\0b")
    for bad in ([""], [5], [None], ["a", ""]):
        with pytest.raises(hybridlm.ArgError):
            context.generate("one", stop=bad)
    for bad in (0, -1, 2**70):
        with pytest.raises(hybridlm.ArgError):
            context.generate("one", max_tokens=bad)
    with pytest.raises(hybridlm.ArgError):
        context.generate("one", sampler=hybridlm.Sampler(model), temperature=1.0)
    with pytest.raises(hybridlm.EmptyError):
        context.generate([])
    for bad in ("x", 1.5, None):
        with pytest.raises(TypeError):
            tokenizer.ends(bad)
    stream = tokenizer.stream()
    for bad in (-1, 2**31 - 1, 2**31, 2**70):
        with pytest.raises(hybridlm.Error):
            stream.push(bad)
    assert stream.finish() == ""


def test_parameters(path, model, context):
    for make in (lambda **k: hybridlm.Model(path, **k), lambda **k: hybridlm.Context(model, **k),
                 lambda **k: hybridlm.Pool(model, **k), lambda **k: hybridlm.Cache(context, **k),
                 lambda **k: hybridlm.Sampler(model, **k), lambda **k: context.generate("one", **k),
                 lambda **k: model.generate([1], **k), lambda **k: model.memory_plan(**k)):
        for bad in ("nonsense", "struct_size", "reserved"):
            with pytest.raises(TypeError):
                make(**{bad: 1})
    for key, bad in (("n_threads", -1), ("n_threads", 2**31), ("n_threads", "2"), ("n_threads", 1.5), ("max_rows", -1),
                     ("max_rows", 2**64), ("pool", 5), ("pool", model)):
        with pytest.raises((TypeError, hybridlm.ArgError)):
            hybridlm.Context(model, **{key: bad})
    for key, bad in (("temperature", float("nan")), ("temperature", -1.0), ("top_p", 2.0), ("top_k", -1), ("top_k", 2**31),
                     ("seed", -1), ("seed", 2**64), ("logit_bias", [1, 2]), ("logit_bias", {2**31: 1.0}),
                     ("logit_bias", {-1: 1.0}), ("logit_bias", {"a": 1.0}), ("logit_bias", {1: "x"}), ("n_logit_bias", 3)):
        with pytest.raises((TypeError, ValueError)):
            hybridlm.Sampler(model, **{key: bad})
    for bad in (None, 5, "model", hybridlm):
        for kind in (hybridlm.Context, hybridlm.Pool, hybridlm.Cache, hybridlm.Sampler):
            with pytest.raises(TypeError):
                kind(bad)


def test_positions(context, tokens):
    cache = hybridlm.Cache(context, max_tokens=8)
    context.decode([(cache, tokens[:4])])
    for bad in (-1, 5, 2**62, 2**70):
        with pytest.raises(hybridlm.ArgError):
            cache.rewind(bad)
        with pytest.raises(hybridlm.ArgError):
            cache.fork(bad)
    for start, stop in ((-1, None), (5, None), (3, 2), (0, 5), (2**70, None)):
        with pytest.raises(hybridlm.ArgError):
            cache.tokens(start, stop)
    for bad in (1.5, "1", [1]):
        with pytest.raises(TypeError):
            cache.rewind(bad)
    with pytest.raises(hybridlm.ArgError):
        cache.unmark(2**70)
    with pytest.raises(hybridlm.FullError):
        cache.reserve(9)
    with pytest.raises(hybridlm.FullError):
        context.decode([(cache, tokens[:5])])
    with pytest.raises(hybridlm.ArgError):
        cache.state(10**6, hybridlm.STATE_CONV)
    assert cache.tokens() == tokens[:4]


def test_labels(context, tokens):
    with pytest.raises(hybridlm.ArgError):
        context.score(tokens, tokens[1:])
    with pytest.raises(hybridlm.ArgError):
        context.score(tokens[:1])
    with pytest.raises(hybridlm.Error):
        context.score(tokens, [0] * (len(tokens) - 1) + [2**31 - 1])
    with pytest.raises(hybridlm.Error):
        context.embed(tokens, pooling=77)
    with pytest.raises(hybridlm.Error):
        context.embed(tokens, pooling=-1)


def test_generate_arguments(model, tokens):
    for bad in ({"max_new_tokens": 0}, {"max_new_tokens": "5"}, {"max_length": 1}, {"num_return_sequences": 0},
                {"attention_mask": [1]}, {"attention_mask": [[0] * len(tokens)]}, {"eos_token_id": ["a"]},
                {"do_sample": True, "temperature": -1.0}, {"stop_strings": [5]}, {"seed": -1}, {"num_beams": 4}):
        with pytest.raises((TypeError, ValueError, hybridlm.Error)):
            model.generate([tokens], **{"max_new_tokens": 2, **bad} if "max_length" not in bad else bad)
    for bad in ([], [[]], "one", None, [[1.5]], [[[1]]], [[1], [1, 2]]):
        with pytest.raises((TypeError, ValueError)):
            model.generate(bad, max_new_tokens=2)


def test_files_that_are_none(tmp_path):
    for bad in (None, 5, ["a"], "a\0b"):
        with pytest.raises((TypeError, ValueError)):
            hybridlm.Model(bad)
    with pytest.raises(hybridlm.IoError, match="nowhere"):
        hybridlm.Model(tmp_path / "nowhere.gguf")
    (tmp_path / "bad.gguf").write_bytes(b"GGUF" + bytes(range(256)))
    with pytest.raises(hybridlm.Error, match="bad.gguf"):
        hybridlm.Model(tmp_path / "bad.gguf")


def test_closed_objects(path, tokens):
    model = hybridlm.Model(path)
    tokenizer = model.tokenizer
    context, pool, sampler = hybridlm.Context(model), hybridlm.Pool(model), hybridlm.Sampler(model)
    cache, stream = hybridlm.Cache(context), tokenizer.stream()
    logits = np.zeros(model.info.vocab_size, np.float32)
    text = context.generate("one two", ignore_eos=True, temperature=1.0)
    next(text)
    step = hybridlm.Step(cache, tokens)
    for thing in (model, context, pool, sampler, cache, stream):
        thing.close()
        thing.close()
        assert thing.closed
    calls = (lambda: model.info, lambda: model.labels, lambda: model.memory_plan(), lambda: model.tokenizer,
                 lambda: hybridlm.Context(model), lambda: hybridlm.Pool(model), lambda: hybridlm.Sampler(model),
                 lambda: context.decode([]), lambda: context.decode([(cache, tokens)]), lambda: context.score(tokens),
                 lambda: context.embed(tokens), lambda: context.generate("one"), lambda: context.complete("one"),
                 lambda: context.chat([]), lambda: context.cancel(), lambda: context.pool, lambda: context.model,
                 lambda: hybridlm.Cache(pool), lambda: hybridlm.Cache(context), lambda: pool.usage, lambda: sampler.fork(),
                 lambda: sampler.sample(logits), lambda: sampler.accept(1), lambda: cache.fork(), lambda: cache.rewind(0),
                 lambda: cache.length, lambda: len(cache), lambda: cache.tokens(), lambda: cache.reserve(4),
                 lambda: cache.mark(), lambda: cache.marks(), lambda: cache.unmark(0),
                 lambda: cache.state(0, 0), lambda: stream.push(1), lambda: stream.finish(), lambda: list(text),
                 lambda: context.decode([step]), lambda: model.generate([1], max_new_tokens=1))
    for n, call in enumerate(calls):
        with pytest.raises(hybridlm.ArgError, match="closed"):
            call()
            pytest.fail(f"call {n} works on a closed object")
    assert tokenizer.encode("one")  # it keeps the model alive


def test_adapters(model, context, llama, lora, tokens, tmp_path):
    adapter = hybridlm.Adapter(llama, lora)
    for none in (lora, "lora", 1, llama):
        for call in (lambda: hybridlm.Step(hybridlm.Cache(context), tokens, adapter=none), lambda: hybridlm.Adapter.join([none]),
                     lambda: context.generate("one", adapter=none), lambda: context.complete("one", adapter=none),
                     lambda: hybridlm.Cache(context).reuse(tokens, adapter=none), lambda: context.pool.adapt(none),
                     lambda: model.generate(tokens, adapter=none), lambda: hybridlm.Adapter(none if none is not llama else 1, lora)):
            with pytest.raises(TypeError):
                call()
    with pytest.raises(hybridlm.ArgError):
        hybridlm.Adapter.join([])
    with pytest.raises(hybridlm.ArgError):
        context.pool.adapt(None)
    with pytest.raises(hybridlm.IoError, match="nowhere"):
        hybridlm.Adapter(llama, tmp_path / "nowhere")
    with pytest.raises(TypeError, match="rank"):
        hybridlm.Adapter(llama, lora, rank=4)
    with pytest.raises(hybridlm.FormatError, match="dimensional"):
        hybridlm.Adapter(model, lora)  # of a model of other sizes
    with pytest.raises(hybridlm.MismatchError):
        context.decode([hybridlm.Step(hybridlm.Cache(context), tokens, adapter=adapter)])
    with pytest.raises(hybridlm.MismatchError):
        context.complete("one", adapter=adapter)
    with hybridlm.Context(llama, n_threads=1) as other:
        step = hybridlm.Step(hybridlm.Cache(other), tokens, adapter=adapter)
        text = other.generate("one", adapter=adapter)
        adapter.close()
        for call in (lambda: other.decode([step]), lambda: next(text), lambda: adapter.info, lambda: hybridlm.Adapter.join([adapter]),
                     lambda: other.pool.adapt(adapter), lambda: other.complete("one", adapter=adapter)):
            with pytest.raises(hybridlm.ArgError, match="closed"):
                call()
        step.adapter = None
        assert len(other.decode([step])) == 1


def test_a_step_of_a_closed_cache(context, tokens):
    cache = hybridlm.Cache(context)
    step = hybridlm.Step(cache, tokens)
    cache.close()
    with pytest.raises(hybridlm.ArgError, match="closed"):
        context.decode([step])
    assert len(context.decode([(hybridlm.Cache(context), tokens)])) == 1


def test_things_of_another_model(path, model, context, tokens):
    other = hybridlm.Model(path)
    pool = hybridlm.Pool(model)
    for call in (lambda: context.decode([(hybridlm.Cache(pool), tokens)]),
                 lambda: context.complete("one", sampler=hybridlm.Sampler(other)),
                 lambda: hybridlm.Context(other, pool=pool)):
        with pytest.raises(hybridlm.MismatchError):
            call()


def test_objects_that_were_not_made_by_their_constructor(context):
    for kind in (hybridlm.Model, hybridlm.Adapter, hybridlm.Pool, hybridlm.Cache, hybridlm.Context, hybridlm.Sampler, hybridlm.TextStream):
        empty = kind.__new__(kind)
        with pytest.raises(hybridlm.ArgError):
            empty.handle()
        del empty
    for thing in (hybridlm.Cache(context), context, context.model):
        for way in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError):
                way(thing)


@pytest.mark.parametrize("seed", range(20))
def test_finalisers_in_any_order(path, tokens, seed):
    model = hybridlm.Model(path)
    context = hybridlm.Context(model, n_threads=2)
    cache = hybridlm.Cache(context)
    context.decode([(cache, tokens)])
    things = [model, context, cache, cache.fork(), context.pool, hybridlm.Sampler(model), model.tokenizer.stream(),
              context.generate("one"), hybridlm.Step(cache, tokens)]
    model.generate(tokens, max_new_tokens=1)
    del model, context, cache
    random.Random(seed).shuffle(things)
    cycle = [things[0]]
    cycle.append(cycle)  # left to the garbage collector
    while things:
        things.pop()
    del cycle
    gc.collect()
