"""Threads, signals, fork, and the end of the process."""
import os
import signal
import subprocess
import sys
import threading
import time

import hybridlm
import numpy as np
import pytest

LONG = 400  # tokens that take a while on the test's model


def run_python(code, *args, timeout=60):
    return subprocess.run([sys.executable, "-c", code, *map(str, args)], timeout=timeout, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture()
def slow(model):
    """A context and tokens whose step takes long enough to be met."""
    with hybridlm.Context(model, n_threads=1, max_rows=1) as context:
        yield context, np.zeros(min(LONG, model.info.max_positions), np.int32)


def test_two_threads_on_one_context(slow):
    context, ids = slow
    results, end = [], time.monotonic() + 20

    def work():
        while time.monotonic() < end and not {"ok", "busy"} <= set(results):
            cache = hybridlm.Cache(context)
            try:
                context.decode([(cache, ids)])
                results.append("ok")
            except hybridlm.BusyError:
                assert len(cache) == 0
                results.append("busy")
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert {"ok", "busy"} <= set(results)


def during_a_step(context, cache, ids, meanwhile):
    """Calls `meanwhile` while a step of another thread runs; what it raised. On a busy machine they seldom meet."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        raised = []
        running = threading.Event()

        def work():
            running.set()
            try:
                context.decode([(cache, ids)])
            except hybridlm.Error as e:
                raised.append(e)
        thread = threading.Thread(target=work)
        thread.start()
        running.wait()
        while thread.is_alive() and not context.handle().lock.locked():
            pass
        seen = thread.is_alive()
        try:
            meanwhile()
            met = None
        except hybridlm.Error as e:
            met = e
        thread.join()
        if seen and met:
            return met
        cache.rewind(0) if not cache.closed else None
    return None


@pytest.mark.parametrize("call", ["length", "tokens", "fork", "rewind", "reserve", "decode"])
def test_a_cache_that_another_thread_steps(slow, call):
    context, ids = slow
    cache = hybridlm.Cache(context)
    calls = {"length": lambda: cache.length, "tokens": cache.tokens, "fork": cache.fork, "rewind": lambda: cache.rewind(0),
             "reserve": lambda: cache.reserve(3), "decode": lambda: context.decode([(cache, ids)])}
    assert isinstance(during_a_step(context, cache, ids, calls[call]), hybridlm.BusyError)


def test_closing_what_another_thread_uses(model):
    for _ in range(20):
        context = hybridlm.Context(model, n_threads=1, max_rows=1)
        cache = hybridlm.Cache(context)
        errors = []

        def work(context=context, cache=cache, errors=errors):
            try:
                while True:
                    context.decode([(cache, [1] * 40)])
                    cache.rewind(0)
            except hybridlm.ArgError as e:
                errors.append(str(e))
        thread = threading.Thread(target=work)
        thread.start()
        cache.close()
        context.close()
        del cache, context
        thread.join()
        assert len(errors) == 1 and "closed" in errors[0]


def test_a_model_shared_by_threads(model, tokens):
    expected = model.generate(tokens, max_new_tokens=5).tolist()
    results = []

    def work():
        context = hybridlm.Context(model, n_threads=1)
        for _ in range(5):
            results.append(hybridlm.generate_ids(context, tokens, max_new_tokens=5).tolist())
            results.append(model.generate(tokens, max_new_tokens=5).tolist())
            assert model.tokenizer.decode(model.tokenizer.encode("one two")) == "one two"
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [expected] * 40


def test_the_interpreter_is_free_while_a_step_runs(slow):
    context, ids = slow
    cache, met, end = hybridlm.Cache(context), 0, time.monotonic() + 20

    def work():
        while met <= 100 and time.monotonic() < end:
            context.decode([(cache, ids)])
            cache.rewind(0)
    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive():
        met += context.handle().lock.locked()
    thread.join()
    assert met > 100  # bytecode ran here while the other thread computed


def test_cancel_from_another_thread(slow):
    context, ids = slow
    cache = hybridlm.Cache(context)
    stop = threading.Event()

    def work():
        while not stop.is_set():
            context.cancel()
            time.sleep(0.001)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        with pytest.raises(hybridlm.CancelledError):
            for _ in range(1000):
                context.decode([(cache, ids)])
                cache.rewind(0)
    finally:
        stop.set()
        thread.join()
    assert len(cache) == 0


@pytest.fixture()
def interrupts():
    """Python's own handler: a process that a shell started in the background ignores Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("call", ["decode", "score", "complete", "embed", "stream"])
@pytest.mark.usefixtures("interrupts")
def test_ctrl_c(model, call):
    context = hybridlm.Context(model, n_threads=1, max_rows=1)
    ids = np.zeros(min(LONG, model.info.max_positions - 1), np.int32)
    calls = {"decode": lambda: context.decode([(hybridlm.Cache(context), ids)]), "score": lambda: context.score(ids),
             "complete": lambda: context.complete(ids, max_tokens=1), "embed": lambda: context.embed(ids),
             "stream": lambda: context.generate(ids, max_tokens=1).read()}
    done = threading.Event()

    def interrupt():
        """Again and again: one that comes while an object is finalised is lost, as Python has it."""
        while not done.wait(0.2):
            if os.name == "nt":
                signal.raise_signal(signal.SIGINT)
            else:
                os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    begin = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            while time.monotonic() - begin < 20:
                calls[call]()
    finally:
        done.set()
    thread.join()
    # A request that came too late for its call is not left to the next one.
    expected = hybridlm.Context(model, n_threads=1).score(ids[:10])
    assert context.score(ids[:10]).tobytes() == expected.tobytes()


def test_a_cancel_that_came_too_late_is_made_good(context, tokens):
    cache = hybridlm.Cache(context)
    hybridlm.lib.hlm_ctx_cancel(context.handle().pointer)
    context.handle().late_cancel = True  # as after a Ctrl-C that met the end of a call
    context.decode([(cache, tokens)])
    assert len(cache) == len(tokens)
    context.cancel()
    with pytest.raises(hybridlm.CancelledError):
        context.decode([(cache, tokens)])


FORK = """
import os, signal, sys, hybridlm
model = hybridlm.Model(sys.argv[1])
one, two = hybridlm.Context(model, n_threads=1), hybridlm.Context(model, n_threads=2)
a, b = hybridlm.Cache(one), hybridlm.Cache(two)
expected = one.decode([(a, [1, 2])])[0].tobytes()
two.decode([(b, [1, 2])])
child = os.fork()
if child == 0:
    signal.alarm(30)
    for cache, call in ((b, lambda: two.decode([(b, [3])])), (b, lambda: two.score([1, 2, 3])), (b, lambda: two.generate("one").read())):
        try:
            call()
            sys.exit(3)
        except hybridlm.MismatchError as e:
            assert "fork" in str(e), e
    a.rewind(0)
    assert one.decode([(a, [1, 2])])[0].tobytes() == expected
    fresh = hybridlm.Context(model, n_threads=2)
    assert fresh.decode([(hybridlm.Cache(fresh), [1, 2])])[0].tobytes() == expected
    del two, one, fresh
    sys.exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
two.decode([(b, [3])])
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork()")
def test_fork(path):
    done = run_python(FORK, path)
    assert done.returncode == 0 and done.stdout.strip().endswith("done"), done.stdout


END = """
import sys, threading, hybridlm
model = hybridlm.Model(sys.argv[1])
context = hybridlm.Context(model, n_threads=2)
cache = hybridlm.Cache(context)
stream = context.generate("one two", temperature=1, seed=5)
next(stream)
def work():
    other = hybridlm.Context(model, n_threads=1, max_rows=1)
    while True:
        other.score([1] * 200)
threading.Thread(target=work, daemon=True).start()
sys.stdout.write("done")
"""


def test_the_process_ends_with_everything_open(path):
    for _ in range(3):
        done = run_python(END, path)
        assert (done.returncode, done.stdout) == (0, "done")


def test_without_numpy(path):
    code = """
import sys
sys.modules["numpy"] = None
import hybridlm
model = hybridlm.Model(sys.argv[1])
context = hybridlm.Context(model)
print(len(context.generate("one two", max_tokens=3).tokens), context.generate("one two", max_tokens=8, temperature=1, seed=5).read() != "")
print(context.complete([1, 2], max_tokens=3).result.n_generated, model.tokenizer.decode([1, 2]) != "")
try:
    context.decode([(hybridlm.Cache(context), [1])])
except ImportError as e:
    print("numpy" in str(e))
"""
    done = run_python(code, path)
    assert done.stdout.split() == ["0", "True", "3", "True", "True"], done.stdout
