#!/usr/bin/env python3
"""The time that a decode step takes from Python more than from C.

  step.py C_PROGRAM MODEL [-t THREADS] [-n STEPS] [--rounds R]

C_PROGRAM is step.c, built. One-token steps at position 32, timed one by one; C, a prepared
Step and a (cache, tokens) pair take turns. The least time of all rounds is the one that
other work on the machine disturbs least; the medians are of the best round. Exits with 1
when a prepared step costs more than 20 us more than C's.
"""
import argparse
import re
import statistics
import subprocess
import sys
import time

import hybridlm
import numpy as np

POSITION = 32
MOST_US = 20.0


def measure(context, cache, work, n):
    """(least, median) in us of the call `work`."""
    took = []
    for _ in range(n):
        begin = time.perf_counter_ns()
        work()
        took.append(time.perf_counter_ns() - begin)
        cache.rewind(POSITION)
    return min(took) / 1000, statistics.median(took) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("-t", "--threads", type=int, default=1)
    parser.add_argument("-n", "--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    context = hybridlm.Context(hybridlm.Model(args.model), n_threads=args.threads)
    cache = hybridlm.Cache(context)
    context.decode([(cache, [0] * POSITION)])
    step = hybridlm.Step(cache, np.zeros(1, np.int32))
    steps, pairs = [step], [(cache, [0])]
    found = {"C": [], "prepared Step": [], "(cache, tokens)": []}
    for _ in range(args.rounds):
        said = subprocess.run([args.program, args.model, str(args.threads), str(args.steps)], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        found["C"].append(tuple(map(float, re.findall(r"[\d.]+", said))))
        found["prepared Step"].append(measure(context, cache, lambda: context.decode(steps), args.steps))
        found["(cache, tokens)"].append(measure(context, cache, lambda: context.decode(pairs), args.steps))
    best = {name: tuple(map(min, zip(*rounds))) for name, rounds in found.items()}
    for name, (least, median) in best.items():
        print(f"{name:16} least {least:9.2f} us   median {median:9.2f} us   more than C: {least - best['C'][0]:6.2f} us, "
              f"{median - best['C'][1]:6.2f} us")
    return 1 if best["prepared Step"][0] - best["C"][0] > MOST_US else 0


sys.exit(main())
