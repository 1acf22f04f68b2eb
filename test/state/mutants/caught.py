#!/usr/bin/env python3
"""caught.py PROGRAMS SOUND MUTANT MODEL...: does the property test catch a fault? MUTANT
(state_programs on a library with one) must fail within PROGRAMS programs on one of the
models and print a program that shows it, and SOUND must pass that one and those before."""
import re
import subprocess
import sys

SEED = 20251 # the same programs every day: whether a fault is found must not be chance


def run(program, n, model):
    done = subprocess.run([program, "--programs", str(n), "--seed", str(SEED), "--threads", "1", model], capture_output=True, text=True)
    return done.returncode, done.stdout


def caught(programs, sound, mutant, model):
    code, out = run(mutant, programs, model)
    at = re.search(r"program (\d+) \(--seed", out)
    if code != 1 or not at or not re.search(r", in\n    \{\w+, cache", out):
        return f"not caught in {programs} programs (exit code {code})"
    code, sound_out = run(sound, int(at[1]) + 1, model)
    if code != 0:
        return f"the sound library fails too:\n{sound_out}"
    print(out, end="")
    return None


def main(programs, sound, mutant, *models):
    for model in models:
        why = caught(int(programs), sound, mutant, model)
        if why is None:
            print("1 passed, 0 failed")
            return 0
        print(f"{model}: {why}")
    print("0 passed, 1 failed")
    return 1


sys.exit(main(*sys.argv[1:]))
