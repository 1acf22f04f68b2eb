#!/usr/bin/env python3
"""The built library's debug information against the kept dump of the last tagged version,
by Debian's abigail-tools: an opinion on the ABI that does not come from the header.

  dump.py write LIBRARY INCLUDE DUMP     when a version is tagged: test/abi/hybridlm-VERSION.abi
  dump.py check LIBRARY INCLUDE DUMP     every difference but new functions and structs that grew
                                         at their end is named

The library needs debug information (meson's debug option).
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ABIDW = ["abidw", "--drop-private-types", "--exported-interfaces-only", "--type-id-style", "hash", "--no-corpus-path",
         "--no-comp-dir-path", "--no-show-locs", "--headers-dir"]
ERRORS, INCOMPATIBLE = 1 | 2, 8  # bits of abidiff's exit status
GROWTH = (re.compile(r"^.* summary: "), re.compile(r"^'struct hlm_\w+' changed:$"),
          re.compile(r"^  type size changed from \d+ to \d+ \(in bits\)$"),
          re.compile(r"^  \d+ data member insertions?:$"))
INSERTED = re.compile(r"^    '.*', at offset (\d+) \(in bits\)$")
SIZE = re.compile(r"^  type size changed from (\d+) to (\d+)")


def write(library, include, dump):
    done = subprocess.run([*ABIDW, str(pathlib.Path(include) / "hybridlm"), library], check=True, stdout=subprocess.PIPE)
    pathlib.Path(dump).write_bytes(done.stdout)


def differences(report):
    """Lines of abidiff's report that are more than growth at the end of a struct."""
    bad, old_size = [], None
    for line in report.split("\n"):
        size, inserted = SIZE.match(line), INSERTED.match(line)
        if size:
            old_size = int(size[1])
            if int(size[2]) < old_size:
                bad.append(line)
        elif inserted and old_size is not None and int(inserted[1]) >= old_size:
            continue
        elif line.strip() and not any(allowed.match(line) for allowed in GROWTH):
            bad.append(line)
    return bad


def check(library, include, dump):
    with tempfile.TemporaryDirectory() as folder:
        now = str(pathlib.Path(folder) / "now.abi")
        write(library, include, now)
        done = subprocess.run(["abidiff", "--leaf-changes-only", "--no-added-syms", dump, now], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
    bad = differences(done.stdout)
    if done.returncode & (ERRORS | INCOMPATIBLE) and not bad:
        bad = [f"abidiff ended with {done.returncode}: {done.stdout}"]
    for line in bad:
        print(f"FAIL {line}")
    print(f"{0 if bad else 1} passed, {1 if bad else 0} failed")
    return 1 if bad else 0


def main():
    if len(sys.argv) != 5 or sys.argv[1] not in ("write", "check"):
        raise SystemExit(__doc__)
    return (write if sys.argv[1] == "write" else check)(*sys.argv[2:])


sys.exit(main())
