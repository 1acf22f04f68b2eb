#!/usr/bin/env python3
"""A streamed token from Python and one from hlm_generate, in turn, at the same positions.

  turns.py MODEL [-t THREADS] [-n TOKENS]

On a machine with other work whole programs can not be compared (compare.py), but tokens
that take turns meet the same work. Prints percentiles of the time of a token: a step of
the model, the next token drawn, its text. Exits with 1 when Python's median speed is
below 97 % of C's.
"""
import argparse
import ctypes
import sys
import time

import hybridlm
from hybridlm import lib, raw

WANTED = 0.97


def generate_one(context, cache, token):
    """The time in us that hlm_generate gives for running a token and drawing the next."""
    prompt = (ctypes.c_int32 * 1)(token)
    params = raw.hlm_generate_params(ctypes.sizeof(raw.hlm_generate_params), ctypes.addressof(prompt), 1, 2, ignore_eos=1)
    result = raw.hlm_generate_result(ctypes.sizeof(raw.hlm_generate_result))
    before = len(cache)
    status = lib.hlm_generate(context.handle().pointer, cache.handle().pointer, None, ctypes.byref(params), ctypes.byref(result))
    if status:
        raise SystemExit(lib.hlm_last_error().decode())
    cache.rewind(before)
    return result.generate_ns / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("-t", "--threads", type=int, default=1)
    parser.add_argument("-n", "--tokens", type=int, default=300)
    args = parser.parse_args()
    context = hybridlm.Context(hybridlm.Model(args.model), n_threads=args.threads)
    stream = context.generate("Once upon a time", ignore_eos=True)
    next(stream)
    times = {"C": [], "Python": []}
    while len(times["Python"]) < args.tokens:
        times["C"].append(generate_one(context, stream.cache, stream.tokens[-1]))
        before, begin = len(stream.tokens), time.perf_counter_ns()
        if next(stream, None) is None:
            break
        if len(stream.tokens) == before + 1:
            times["Python"].append((time.perf_counter_ns() - begin) / 1000)
    ranked = {name: sorted(us) for name, us in times.items()}
    for name, us in ranked.items():
        print(f"{name:7} {len(us)} tokens: 10 % below {us[len(us) // 10]:9.1f} us, median {us[len(us) // 2]:9.1f} us")
    ratio = ranked["C"][len(ranked["C"]) // 2] / ranked["Python"][len(ranked["Python"]) // 2]
    print(f"Python's median speed: {100 * ratio:.1f} % of C's")
    return 0 if ratio >= WANTED else 1


sys.exit(main())
