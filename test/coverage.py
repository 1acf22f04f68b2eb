#!/usr/bin/env python3
"""Which lines of lib/ and src/ the tests of a build have run, from what gcc's gcov tells of every object of it: the
library's, and those of tests that compile a source again. A line counts as run when one of them has run it.

  test/coverage.py BUILD [--lines]     a build with -Db_coverage=true, after its tests; --lines: also which lines were not run
"""
import argparse
import collections
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
AT_ONCE = 50


def reports(build):
    """What gcov says of each object, in pieces, because a command line has an end."""
    notes = sorted(map(str, build.rglob("*.gcno")))
    for i in range(0, len(notes), AT_ONCE):
        done = subprocess.run(["gcov", "--json-format", "--stdout", *notes[i:i + AT_ONCE]], cwd=build, capture_output=True, text=True)
        yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))


def lines_run(build):
    """{file: {line: whether it was run}} of the library's own files."""
    found = collections.defaultdict(dict)
    for report in reports(build):
        for file in report["files"]:
            path = os.path.relpath(os.path.normpath(os.path.join(report["current_working_directory"], file["file"])), ROOT)
            if path.startswith(("lib/", "src/")):
                for line in file["lines"]:
                    number = line["line_number"]
                    found[path][number] = found[path].get(number, False) or line["count"] > 0
    return found


def table(found):
    """(folder, lines, lines that were run), then their sum."""
    sums = collections.defaultdict(lambda: [0, 0])
    for path, lines in found.items():
        parts = path.split("/")
        for name in ("/".join(parts[:2]), "in all"):
            sums[name][0] += len(lines)
            sums[name][1] += sum(lines.values())
    return sorted(sums.items(), key=lambda s: (s[0] == "in all", s[0]))


def stretches(lines):
    """The lines that were not run, as "3 7-9"."""
    wanted, out = sorted(n for n, run in lines.items() if not run), []
    for n in wanted:
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(f"{a}-{b}" if b > a else str(a) for a, b in out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--lines", action="store_true")
    args = parser.parse_args()
    found = lines_run(args.build.resolve())
    for path in sorted(found) if args.lines else ():
        if not all(found[path].values()):
            print(f"{path}: {stretches(found[path])}")
    for name, (lines, run) in table(found):
        print(f"{name:16} {run:6} of {lines:6} lines run, {100 * run / lines:5.1f} %")


main()
