#!/usr/bin/env python3
"""Streaming generation in other languages against the C program, in turn on the same model.

  compare.py [-t THREADS] [-n TOKENS] [--rounds R] MODEL NAME=COMMAND...

The first COMMAND is what the others are compared with. Each gets MODEL, THREADS and TOKENS
as arguments (a command may hold {} where they go) and ends its stderr with "N tokens/s"; all must
write the same text. Rounds alternate in order, so that a change of the machine's speed meets
all; the ratio is that of the best rounds. Exits with 1 where one is below 0.97. "CPU" is the
processor time of a token in all threads: that of a run less that of a run of FEW tokens, the
least of all rounds. Other work on the machine disturbs it less.
"""
import argparse
import re
import resource
import shlex
import subprocess
import sys

WANTED = 0.97
FEW = 8


def run(command, arguments):
    words = shlex.split(command)
    at = words.index("{}") if "{}" in words else len(words)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*words[:at], *arguments, *words[at + 1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    said = done.stderr.decode(errors="replace")
    speed = re.search(r"([\d.]+) tokens/s\s*$", said)
    if done.returncode or not speed:
        raise SystemExit(f"compare.py: {command} failed\n{said}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return float(speed[1]), cpu, done.stdout


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-t", "--threads", type=int, default=2)
    p.add_argument("-n", "--tokens", type=int, default=128)
    p.add_argument("--rounds", type=int, default=7)
    p.add_argument("model")
    p.add_argument("programs", nargs="+", metavar="NAME=COMMAND")
    args = p.parse_args()
    programs = dict(program.split("=", 1) for program in args.programs)
    base = next(iter(programs))
    best, cpu, texts = dict.fromkeys(programs, 0.0), {name: [] for name in programs}, {}
    for i in range(args.rounds):
        for name in list(programs)[::1 if i % 2 == 0 else -1]:
            speed, much, texts[name] = run(programs[name], [args.model, str(args.threads), str(args.tokens)])
            _, little, _ = run(programs[name], [args.model, str(args.threads), str(FEW)])
            best[name] = max(best[name], speed)
            cpu[name].append((much, little))
    slow = 0
    for name in programs:
        same = "" if texts[name] == texts[base] else "   other text!"
        slow += best[name] < WANTED * best[base] or bool(same)
        much, little = (min(column) for column in zip(*cpu[name]))
        print(f"{name:16} {best[name]:9.1f} tokens/s {100 * best[name] / best[base]:7.1f} %"
              f"   CPU {1e6 * (much - little) / (args.tokens - FEW):8.1f} us a token{same}")
    return 1 if slow else 0


sys.exit(main())
