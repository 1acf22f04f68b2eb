#!/usr/bin/env python3
"""mutate.py MUTANT SOURCE OUT: a source file with one fault put into it. MUTANT has a
sentence that says what is wrong, and then lines to be found ("-") and those that
take their place ("+"); several such pairs may follow one another. What is to be
found must be there exactly once, so that a mutant can not quietly lose its meaning."""
import pathlib
import re
import sys


def main(mutant, source, out):
    edits = re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", pathlib.Path(mutant).read_text(), re.M)
    if not edits:
        sys.exit(f"{mutant}: nothing to put in")
    text = pathlib.Path(source).read_text()
    for edit in edits:
        old, new = (re.sub(r"^[-+]", "", lines, flags=re.M) for lines in edit)
        if text.count(old) != 1:
            sys.exit(f"{mutant}: these lines are {text.count(old)} times in {source}, expected once:\n{old}")
        text = text.replace(old, new)
    pathlib.Path(out).write_text(text)


main(*sys.argv[1:])
