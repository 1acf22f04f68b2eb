#!/usr/bin/env python3
"""Times `hybridlm bench` and llama.cpp's `llama-bench` on the same files, in turn, and prints a table.

    test/bench/compare.py --ours build/examples/cli/hybridlm --peer .../llama-bench [-t 2] [--rounds 3] FILE...

Each round runs both programs on each file, one after the other, so that a change of the machine's speed meets
both. The figures are the best of all rounds, in tokens a second; the fractions are those of ours in the round
with the best figure: of the read bandwidth while generating, of the instruction's peak while reading the prompt.
"""
import argparse
import json
import os
import subprocess
import sys


def run(command):
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return json.loads(out)


def ours(args, path):
    r = run([args.ours, "bench", "-m", path, "-p", str(args.prompt), "-n", str(args.generate), "-t", str(args.threads),
             "-r", str(args.repeats), "--json"])
    return {"pp": r["prompt"]["best"], "tg": r["generation"]["best"], "kernels": r["model"]["kernel_class"],
            "pp_of": r["fractions"]["prompt"], "tg_of": r["fractions"]["generation"], "read": r["read_bytes_per_second"]}


def peer(args, path):
    r = run([args.peer, "-m", path, "-p", str(args.prompt), "-n", str(args.generate), "-t", str(args.threads), "-r",
             str(args.repeats), "-o", "json"])
    best = {"pp" if t["n_prompt"] else "tg": max(t["samples_ts"]) for t in r}
    return best


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--ours", required=True)
    p.add_argument("--peer", required=True)
    p.add_argument("-t", "--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--repeats", type=int, default=3)
    p.add_argument("--prompt", type=int, default=512)
    p.add_argument("--generate", type=int, default=128)
    p.add_argument("files", nargs="+")
    args = p.parse_args()
    best = {}
    for i in range(args.rounds):
        for path in args.files:
            a, b = ours(args, path), peer(args, path)
            row = best.setdefault(path, {"ours": dict(a), "peer": dict(b)})
            for k in ("pp", "tg"):
                row["peer"][k] = max(row["peer"][k], b[k])
                if a[k] > row["ours"][k]:
                    row["ours"][k], row["ours"][k + "_of"] = a[k], a[k + "_of"]
            print(f"round {i + 1}: {os.path.basename(path)}: {a} {b}", file=sys.stderr)
    print(f"| file | prompt {args.prompt} | llama.cpp | ratio | of peak | generate {args.generate} | llama.cpp | ratio | of bandwidth |")
    print("|---|---|---|---|---|---|---|---|---|")
    for path, row in best.items():
        a, b = row["ours"], row["peer"]
        print(f"| {os.path.basename(path)} | {a['pp']:.0f} | {b['pp']:.0f} | **{a['pp'] / b['pp']:.2f}** | {a['pp_of']:.2f} |"
              f" {a['tg']:.0f} | {b['tg']:.0f} | **{a['tg'] / b['tg']:.2f}** | {a['tg_of']:.2f} |")


main()
