#!/usr/bin/env python3
"""asserted.py PROGRAMS SOUND MUTANT MODEL: does an assertion find a fault before the property
test does? MUTANT (state_programs on a library with one, and with assertions) must be ended by
one within PROGRAMS programs, before any logits differ, and SOUND must pass as many."""
import re
import signal
import subprocess
import sys

SEED = 20251


def run(program, n, model):
    return subprocess.run([program, "--programs", n, "--seed", str(SEED), "--threads", "1", model], capture_output=True, text=True)


def main(programs, sound, mutant, model):
    done = run(mutant, programs, model)
    found = re.search(r"(src/state/\w+\.c:\d+: \w+: Assertion .*)", done.stderr)
    early = done.returncode == -signal.SIGABRT and found and not re.search(r"^program \d+", done.stdout, re.M)
    print(found[1] if found else f"no assertion (exit code {done.returncode})\n{done.stdout}")
    fine = early and run(sound, programs, model).returncode == 0
    print("1 passed, 0 failed" if fine else "0 passed, 1 failed")
    return 0 if fine else 1


sys.exit(main(*sys.argv[1:]))
