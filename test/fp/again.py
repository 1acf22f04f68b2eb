#!/usr/bin/env python3
"""Runs tests of a build once more on threads that round upwards and have no
denormals (preset.c), as a host's may: the same cases pass. The last line is the
sum over the programs, "N passed, N failed".

  again.py unit BUILD PRESET             the programs of test/unit
  again.py golden PRESET GOLDEN FOLDER...  test/golden twice, with and without: besides, all numbers are the same bits
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SUM = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)

# Functions behind the public ones are called as they are, and the thread's environment is theirs; or the test computes
# files or what it expects in it.
INTERNAL = {"experts", "jinja", "math", "quant", "quantise", "quantised", "quantised_models", "released", "sample", "team"}
# What takes long elsewhere for the sake of chance: the first few of the models that are named, or so many models.
FEWER = {"promise": 3, "speculate": 2, "prefix_cache": "2", "prefix_folder": "2"}


def run(name, command, preset, folder=None):
    if not pathlib.Path(command[0]).exists():
        print(f"{name}: was not built")
        return 0, 1
    env = dict(os.environ, LD_PRELOAD=preset) if preset else None
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    sums = SUM.findall(done.stdout)
    passed, failed = map(int, sums[-1]) if sums else (0, 0)
    if done.returncode != 0 and not failed or passed + failed == 0:
        failed = 1
    print(f"{name}: {passed} passed, {failed} failed" + (f"\n{done.stdout[-3000:]}{done.stderr[-2000:]}" if failed else ""))
    return passed, failed


def unit(build, preset):
    tests = json.loads((pathlib.Path(build) / "meson-info" / "intro-tests.json").read_text())
    programs = {}
    for t in tests:
        folder = pathlib.Path(t["cmd"][0]).parent
        if folder == pathlib.Path(build) / "test" / "unit" and t["name"] not in INTERNAL | {"host"}:
            program, fewer = t["cmd"], FEWER.get(t["name"])
            if isinstance(fewer, int):
                program = program[:2 + fewer]
            elif fewer:
                program = [*program[:2], fewer]
            programs[t["name"]] = program
    if not programs:
        raise SystemExit("again.py: no tests")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda p: run(*p, preset), programs.items()))


def golden(preset, program, folders):
    with tempfile.TemporaryDirectory() as scratch:
        files = [pathlib.Path(scratch) / name for name in ("plain", "preset")]
        counts = [run(file.name, [program, "--keep", str(file), *folders], preset if file.name == "preset" else None)
                  for file in files]
        plain, other = (file.read_bytes() for file in files)
    same = plain == other and len(plain) > 0
    print(f"{len(plain)} bytes of numbers, {'the same' if same else 'not the same'}")
    return [counts[1], (int(same), int(not same))]


def main():
    kind, arguments = sys.argv[1], sys.argv[2:]
    counts = unit(*arguments) if kind == "unit" else golden(arguments[0], arguments[1], arguments[2:])
    passed, failed = map(sum, zip(*counts))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
