#!/usr/bin/env python3
"""Streaming generation in Python, for compare.py; what stream.c does.

  stream.py MODEL THREADS TOKENS     text to stdout; "N tokens/s" from the first token on to stderr
"""
import sys
import time

import hybridlm


def main():
    path, threads, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    model = hybridlm.Model(path)
    context = hybridlm.Context(model, n_threads=threads)
    cache = hybridlm.Cache(context, max_tokens=n + 64)
    stream = context.generate("Once upon a time", cache=cache, max_tokens=n, ignore_eos=True)
    first = last = None
    for piece in stream:
        sys.stdout.write(piece)
        sys.stdout.flush()
        last = time.perf_counter()
        if first is None:
            first, behind = last, len(stream.tokens)
    print(f"{(len(stream.tokens) - behind) / (last - first):.2f} tokens/s", file=sys.stderr)


main()
