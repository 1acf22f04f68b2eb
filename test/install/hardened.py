#!/usr/bin/env python3
"""What the linker and the compiler wrote into libraries, programs and archives is what the options say.

  hardened.py [--expect NAME]... [--rpath] FILE...

Everywhere: no stack that can be executed, no segment that is writable and executable, no relocation
in code, no JIT. NAME adds: relro, stack-protector, fortify, pie (programs), cet, bti (of every object in
an archive; cet of a shared library, too). Programs may have an RPATH with --rpath, which
is for those in the build folder; a library has none.
"""
import re
import subprocess
import sys

passed = failed = 0


def check(ok, what):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAIL {what}")


def readelf(*args):
    done = subprocess.run(["readelf", "-W", *args], text=True, errors="replace", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit(f"readelf {' '.join(args)}: {done.stderr}")
    return done.stdout


def check_archive(path, expected):
    """Every object says for itself that it was compiled with branch protection."""
    notes = re.split(r"^File: ", readelf("-n", path), flags=re.M)[1:]
    check(notes, f"{path} is empty")
    for name, wanted in (("cet", ("IBT", "SHSTK")), ("bti", ("BTI", "PAC"))):
        if name in expected:
            bare = [n.split("\n")[0] for n in notes if not all(w in n for w in wanted)]
            check(not bare, f"{path}: without {' and '.join(wanted)}: {' '.join(bare[:5])}")
    if "stack-protector" in expected:
        check("__stack_chk_fail" in readelf("-s", path), f"{path}: no function checks its stack")


def check_segments(path, expected):
    segments = readelf("-l", path)
    stack = re.search(r"^ *GNU_STACK .*", segments, re.M)
    check(stack and " RWE " not in stack[0], f"{path}: the stack can be executed")
    check(not re.search(r"^ *LOAD .* RWE ", segments, re.M), f"{path}: a segment is writable and executable")
    if "relro" in expected:
        check("GNU_RELRO" in segments, f"{path}: no RELRO")


def check_elf(path, expected, may_rpath):
    header = readelf("-h", path)
    dynamic = readelf("-d", path)
    program = "INTERP" in readelf("-l", path)
    check_segments(path, expected)
    check("TEXTREL" not in dynamic, f"{path}: relocations in code")
    if "relro" in expected:
        check("BIND_NOW" in dynamic and re.search(r"FLAGS_1.*NOW", dynamic), f"{path}: no BIND_NOW")
    if not (program and may_rpath):
        check(not re.search(r"\((RPATH|RUNPATH)\)", dynamic), f"{path}: an RPATH")
    if program and "pie" in expected:
        check(re.search(r"Type: *DYN", header), f"{path}: not position independent")
    symbols = readelf("--dyn-syms", path)
    if "stack-protector" in expected:
        check("__stack_chk_fail" in symbols, f"{path}: no function checks its stack")
    if "fortify" in expected:
        names = set(re.findall(r" UND (__\w+_chk)\b", symbols))
        check(names, f"{path}: no call of libc is checked")
    check("pcre2_jit" not in symbols and "mprotect" not in symbols, f"{path}: makes code")
    if "cet" in expected and not program:
        check_cet(path, dynamic)


def check_cet(path, dynamic):
    notes = readelf("-n", path)
    check("IBT" in notes and "SHSTK" in notes, f"{path}: not marked for CET")
    # the C library's _init and _fini often lack the landing that the mark promises
    check(not re.search(r"\((INIT|FINI)\)", dynamic), f"{path}: _init or _fini are called")


def main():
    args, expected, paths, may_rpath = sys.argv[1:], set(), [], False
    while args:
        arg = args.pop(0)
        if arg == "--expect":
            expected.add(args.pop(0))
        elif arg == "--rpath":
            may_rpath = True
        else:
            paths.append(arg)
    if not paths:
        raise SystemExit(__doc__)
    for path in paths:
        if path.endswith(".a"):
            check_archive(path, expected)
        else:
            check_elf(path, expected, may_rpath)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
