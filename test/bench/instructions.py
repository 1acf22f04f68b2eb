#!/usr/bin/env python3
"""Two builds of the program against each other by instructions, which no other program disturbs.

    test/bench/instructions.py A B

A and B are build folders with examples/cli/hybridlm; B may be left out. Counted by valgrind's callgrind, so with the kernels of the
AVX2 class, on one thread: a decode step, as the difference between an answer of some tokens and a longer one, and a prompt's step, as the difference
between a prompt of some tokens and a longer one, so that loading and the program's own start are in neither. Printed are millions of
instructions a step (of the prompt: all of it), and B/A.
"""
import argparse
import pathlib
import re
import subprocess
import sys

COUNT = re.compile(r"Collected : (\d+)")
ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ("models/SmolLM2-135M-Instruct.Q4_1.gguf", "test/data/models/granite4-dense")


def ids(n):
    return ",".join(str((i * i * 31 + i * 7 + 3) % 250) for i in range(n))


def instructions(build, model, prompt, answer):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", build / "examples/cli/hybridlm", "run", model,
               "-t", "1", "--ids", ids(prompt), "-n", str(answer), "--ignore-eos", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    found = COUNT.search(done.stderr)
    if done.returncode or not found:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return int(found[1])


def step(build, model, few, many):
    """Of a decode step behind 8 tokens."""
    return (instructions(build, model, 8, many) - instructions(build, model, 8, few)) / (many - few)


def prompt(build, model, few, many):
    """Of the tokens by which a prompt is longer."""
    return instructions(build, model, many, 1) - instructions(build, model, few, 1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-m", "--models", nargs="+", type=pathlib.Path, default=[ROOT / m for m in MODELS])
    p.add_argument("--steps", type=int, nargs=2, metavar=("FEW", "MANY"), default=(4, 12))
    p.add_argument("--prompt", type=int, nargs=2, metavar=("FEW", "MANY"), default=(16, 528))
    p.add_argument("builds", nargs="+", type=pathlib.Path)
    args = p.parse_args()
    for model in args.models:
        for what, count, (few, many) in (("a decode step", step, args.steps), (f"{args.prompt[1] - args.prompt[0]} tokens of a prompt", prompt, args.prompt)):
            counts = [count(build, model, few, many) for build in args.builds]
            ratio = f"  {counts[1] / counts[0]:.4f}" if len(counts) > 1 else ""
            print(f"{model.name}, {what}: " + "  ".join(f"{c / 1e6:.3f}" for c in counts) + ratio, flush=True)


main()
