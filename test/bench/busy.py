#!/usr/bin/env python3
"""Threads on a busy machine: single-token steps a second, and the 99.9th percentile of a step, beside busy processes.

    busy.py BUILD MODEL [--threads 1,2,4] [--loads 0,1,2,4,18] [--seconds 10] [--rounds 5]

BUILD is a build folder (its test/bench/busy_steps does the work). The thread counts take turns in each round, and medians of
the rounds are printed, with the ratio to one thread beside the same load. Of the 99.9th percentile more than 1 is slower.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import time


def steps(program, model, threads, seconds):
    out = subprocess.run([program, model, str(threads), str(seconds)], capture_output=True, text=True, check=True).stdout
    return tuple(float(x) for x in out.split())


def beside(program, load, measure):
    hogs = [subprocess.Popen([program, "hog"]) for _ in range(load)]
    time.sleep(0.3)
    try:
        return measure()
    finally:
        for p in hogs:
            p.kill()
            p.wait()


def numbers(text):
    return [int(x) for x in text.split(",")]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("model")
    p.add_argument("--threads", type=numbers, default=[1, 2, 4])
    p.add_argument("--loads", type=numbers, default=[0, 1, 2, 4, 18])
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--rounds", type=int, default=5)
    args = p.parse_args()
    program = str(pathlib.Path(args.build) / "test/bench/busy_steps")
    print(f"{len(os.sched_getaffinity(0))} cores, {args.rounds} rounds of {args.seconds:g} s")
    print("| busy processes | threads | steps/s | of one thread | 99.9 % of steps within, ms | of one thread | longest, ms |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for load in args.loads:
        def rounds():
            return [{t: steps(program, args.model, t, args.seconds) for t in args.threads} for _ in range(args.rounds)]

        got = beside(program, load, rounds)
        base = None
        for t in args.threads:
            rate, late, worst = (statistics.median(r[t][i] for r in got) for i in range(3))
            base = base or (rate, late)
            print(f"| {load} | {t} | {rate:.1f} | {rate / base[0]:.2f} | {late:.1f} | {late / base[1]:.2f} | {worst:.0f} |", flush=True)


if __name__ == "__main__":
    main()
