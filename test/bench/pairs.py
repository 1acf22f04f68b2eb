#!/usr/bin/env python3
"""Two builds of the program against each other: their libraries' sizes, and their speed by turns.

    test/bench/pairs.py [-m MODEL] [-t 1] [--pairs 11] A B

A and B are build folders, say of this tree with and without hardening:
    meson setup build-a -Dtests=disabled
    meson setup build-b -Dtests=disabled -Dstack_protector=false -Dfortify=false -Drelro=false -Dbranch_protection=false -Db_pie=false
    ninja -C build-a examples/cli/hybridlm && ninja -C build-b examples/cli/hybridlm
Each pair runs both, the first of a pair by turns, so that a change of the machine's speed meets both. Printed are
the sizes and, of the pairs' ratios A/B, the median and the quartiles: tokens a second of a prompt and of generating,
and the CPU time of the whole process, which other programs disturb least.
"""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import tempfile


def one(build, args):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([build / "examples/cli/hybridlm", "bench", "-m", args.model, "-p", str(args.prompt), "-n", str(args.generate),
                          "-t", str(args.threads), "-r", "1", "--json"], check=True, capture_output=True, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    r = json.loads(out)
    return {"prompt": r["prompt"]["best"], "generating": r["generation"]["best"],
            "CPU time": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def size(path):
    with tempfile.TemporaryDirectory() as folder:
        stripped = os.path.join(folder, "stripped")
        subprocess.run(["strip", "-o", stripped, path], check=True)
        return os.path.getsize(stripped)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-m", "--model", default="models/SmolLM2-135M-Instruct.Q4_1.gguf")
    p.add_argument("-t", "--threads", type=int, default=1)
    p.add_argument("--prompt", type=int, default=256)
    p.add_argument("--generate", type=int, default=64)
    p.add_argument("--pairs", type=int, default=11)
    p.add_argument("a", type=pathlib.Path)
    p.add_argument("b", type=pathlib.Path)
    args = p.parse_args()
    ratios = {}
    for i in range(args.pairs):
        order = (args.a, args.b) if i % 2 == 0 else (args.b, args.a)
        runs = {build: one(build, args) for build in order}
        for what, value in runs[args.a].items():
            ratios.setdefault(what, []).append(value / runs[args.b][what])
    for name in ("src/library/libhybridlm.so", "examples/cli/hybridlm"):
        a, b = size(args.a / name), size(args.b / name)
        print(f"{name}, stripped: {a} and {b} bytes, {a / b:.4f}")
    for what, r in ratios.items():
        low, middle, high = statistics.quantiles(r, n=4)
        print(f"{what}: {middle:.4f} ({low:.4f} to {high:.4f}) over {len(r)} pairs")


main()
