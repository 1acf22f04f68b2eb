#!/usr/bin/env python3
"""What drafts from the text bring: `hybridlm run` with and without them, in interleaved rounds.

    speculate.py PROGRAM MODEL [--file TEXT | --ids LIST] [-n TOKENS] [--rounds N] [--threads N] [OPTIONS OF hybridlm run ...]

Prints for each setting the best and the median time a token, by the clock and by the processor (the program's own time
for TOKENS tokens less that for one; it does not see other programs on the machine), beside plain decoding. The texts of
all must be the same.
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys


def used():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def run(args, more):
    before = used()
    out = subprocess.run([args.program, "run", "-m", args.model, "-q", "--json", "-t", str(args.threads), *args.text, *more],
                         capture_output=True, text=True, check=True).stdout
    return used() - before, json.loads(out)


def one_round(args, options):
    first, _ = run(args, ["-n", "1", *options])
    whole, answer = run(args, ["-n", str(args.n), *options])
    n = answer["generated_tokens"] - 1
    return {"cpu": (whole - first) / n, "wall": answer["generate_seconds"] / n, "answer": answer}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program")
    p.add_argument("model")
    p.add_argument("--file")
    p.add_argument("--ids")
    p.add_argument("-n", type=int, default=200)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--threads", type=int, default=1)
    args, common = p.parse_known_args()
    args.text = ["--ids", args.ids] if args.ids else ["-f", args.file or "-"]
    settings = {"plain": [], "drafts from the text": ["--draft-ngram", "8"]}
    rounds = {name: [] for name in settings}
    for _ in range(args.rounds):
        for name, options in settings.items():
            rounds[name].append(one_round(args, [*options, *common]))
    ids = {json.dumps(r["answer"]["ids"]) for all_rounds in rounds.values() for r in all_rounds}
    if len(ids) != 1:
        sys.exit("the texts differ")
    for name, all_rounds in rounds.items():
        line = name
        for clock in ("wall", "cpu"):
            times = [r[clock] for r in all_rounds]
            base = [r[clock] for r in rounds["plain"]]
            line += (f"; {clock} ms a token: best {1e3 * min(times):.1f} ({min(base) / min(times):.2f} times), "
                     f"median {1e3 * statistics.median(times):.1f} ({statistics.median(base) / statistics.median(times):.2f})")
        steps = [r["answer"].get("steps", args.n - 1) for r in all_rounds]
        answer = all_rounds[0]["answer"]
        print(f"{line}; {(answer['generated_tokens'] - 1) / statistics.median(steps):.2f} tokens a step")


main()
