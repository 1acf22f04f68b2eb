#!/usr/bin/env python3
"""The public header and the built library against the record of the ABI.

  abi.py check   RECORD SYM INCLUDE COMPILER...  the header, by compiling what the record says
  abi.py exports SYM map|def OUT                 the linker's version script or the .def file
  abi.py library SYM LIBRARY                     what the built library exports and needs

The record is bindings/hybridlm.json, which bindings/gen writes (ninja -C build abi-update)
and which only grows. Nothing here needs libclang: every recorded value, size, offset and
type becomes a line of C that compiles only while the header agrees. Names that the
record does not have fail too. The record is of systems with 64-bit pointers; elsewhere
check is skipped.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
SYMBOL_VERSION = "HYBRIDLM_1"
MAX_STRIPPED_BYTES = 1900000  # 1,493,192 in 0.2.0, before twenty more types; gcc 14 makes 7 % more of it than gcc 12
NOT_NEEDED = ("libstdc++", "libm.", "libc++")


def report(bad, checked):
    for line in bad:
        print(f"FAIL {line}")
    print(f"{checked - min(len(bad), checked)} passed, {len(bad)} failed")
    return 1 if bad else 0


# ---- the header against the record, by the compiler ----

def without_comments(text):
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.S)


def number_checks(record):
    values = [v for e in record["enums"] for v in e["values"]] + record["macros"]
    for v in values:
        if not v["name"].startswith("HLM_VERSION_"):
            yield v["name"], f"_Static_assert({v['name']} == {v['value']}, \"is no longer {v['value']}\");"


def struct_checks(s):
    name = s["name"]
    for what, measure in (("size", "sizeof"), ("align", "_Alignof")):
        yield f"struct {name}", f'_Static_assert({measure}({name}) == {s[what]}, "its {what} is not the recorded {s[what]}");'
    for f in s["fields"]:
        member, where = f"(({name} *)0)->{f['name']}", f"{name}.{f['name']}"
        yield where, f'_Static_assert(offsetof({name}, {f["name"]}) == {f["offset"]}, "is no longer at {f["offset"]}");'
        yield where, f'_Static_assert(sizeof({member}) == {f["size"]}, "has no longer {f["size"]} bytes");'
        if "[" not in f["type"]:
            yield where, f'_Static_assert(_Generic({member}, {f["type"]}: 1, default: 0), "is no longer {f["type"]}");'


def checks(record):
    """(name, line of C that compiles only while the header agrees)."""
    yield from number_checks(record)
    for t in record["typedefs"]:
        pointer = t["type"].replace("(", "(*)(", 1) if "(" in t["type"] else t["type"] + " *"
        yield t["name"], f'_Static_assert(_Generic(({t["name"]} *)0, {pointer}: 1, default: 0), "is no longer {t["type"]}");'
    for h in record["handles"]:
        yield h["name"], f"static {h['name']} *const check_{h['name']};"
    for s in record["structs"]:
        yield from struct_checks(s)
    for f in record["functions"]:
        kinds = ", ".join(kind for _, kind in f["parameters"]) or "void"
        of_type = f"{f['result']} (*)({kinds})"
        yield f["name"], f'_Static_assert(_Generic(&{f["name"]}, {of_type}: 1, default: 0), "is no longer {of_type}");'


def disagreements(lines, include, compiler):
    """What the compiler says against `lines`, by the names that #line gives."""
    source = "#include <stddef.h>\n#include <hybridlm/hybridlm.h>\n"
    source += "".join(f'#line 1 "{name}"\n{line}\n' for name, line in lines)
    done = subprocess.run([*compiler, "-std=c11", "-fsyntax-only", "-w", "-I", include, "-x", "c", "-"], input=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = re.findall(r"^(.*?):\d+:(?:\d+:)? (?:fatal )?error: (.*)", done.stdout, flags=re.M)
    if done.returncode and not said:
        raise SystemExit(f"abi.py: the compiler failed:\n{done.stdout}")
    found = {}
    for name, sentence in said:
        found.setdefault(name, sentence)
    return [f"{name}: {sentence}" for name, sentence in found.items()]


def names_of(record):
    """Every public name of the record."""
    values = [v for e in record["enums"] for v in e["values"]]
    return {i["name"] for i in [*values, *(i for k in record if k != "enums" for i in record[k])]}


def has_64_bit_pointers(compiler):
    done = subprocess.run([*compiler, "-dM", "-E", "-x", "c", "-"], input="", stdout=subprocess.PIPE, text=True, check=True)
    return "#define __SIZEOF_POINTER__ 8" in done.stdout


def check(record_path, sym_path, include, *compiler):
    if not has_64_bit_pointers(compiler):
        return SKIPPED
    record = json.loads(record_path.read_text(encoding="utf-8"))
    lines = list(checks(record))
    bad = disagreements(lines, include, compiler)
    text = "".join(without_comments(p.read_text(encoding="utf-8")) for p in sorted(pathlib.Path(include).glob("hybridlm/*.h")))
    known = names_of(record) | {"HLM_API", "HLM_BUILD", "HLM_NODISCARD", "HLM_STATIC"}
    new = sorted(set(re.findall(r"\b(?:hlm|HLM)_\w+", text)) - known)
    bad += [f"{name} is new: ninja -C build abi-update records it" for name in new]
    functions = {f["name"] for f in record["functions"]}
    bad += [f"{name}: in only one of the record and {sym_path.name}" for name in sorted(set(read_symbols(sym_path)) ^ functions)]
    return report(bad, len(lines))


# ---- the export list ----

def read_symbols(path):
    return [line for line in path.read_text().split("\n") if line and not line.startswith("#")]


def write_exports(sym_path, kind, out):
    names = read_symbols(sym_path)
    if kind == "map":
        body = "".join(f"        {name};\n" for name in names)
        out.write_text(f"{SYMBOL_VERSION} {{\n    global:\n{body}    local:\n        *;\n}};\n")
    else:
        out.write_text("EXPORTS\n" + "".join(f"    {name}\n" for name in names))


def output_of(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def check_library(sym_path, library):
    nm, readelf, strip = (os.environ.get(n, d) for n, d in (("NM", "nm"), ("READELF", "readelf"), ("STRIP", "strip")))
    wanted = {f"{name}@@{SYMBOL_VERSION}" for name in read_symbols(sym_path)}
    # The version itself is listed as an absolute symbol.
    lines = [line.split() for line in output_of(nm, "-D", "--defined-only", "--with-symbol-versions", library).splitlines()]
    exported = {fields[-1] for fields in lines if fields[-1].split("@")[0] != SYMBOL_VERSION}
    bad = [f"{name} is exported and not in {sym_path.name}" for name in sorted(exported - wanted)]
    bad += [f"{name} is not exported" for name in sorted(wanted - exported)]
    dynamic = output_of(readelf, "-d", library)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    bad += [f"the library needs {lib}" for lib in needed if lib.startswith(NOT_NEEDED)]
    soname = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    if not soname or not re.fullmatch(r"libhybridlm\.so\.\d+", soname[0]):
        bad.append(f"the SONAME is {soname}")
    with tempfile.TemporaryDirectory() as folder:
        stripped = os.path.join(folder, "stripped.so")
        subprocess.run([strip, "-o", stripped, library], check=True)
        size = os.path.getsize(stripped)
    print(f"{len(exported)} functions exported, {size} bytes stripped, needs {' '.join(needed)}")
    if size > MAX_STRIPPED_BYTES:
        bad.append(f"the stripped library has {size} bytes, more than {MAX_STRIPPED_BYTES}")
    return report(bad, len(wanted) + 3)


def main():
    if len(sys.argv) < 4:
        raise SystemExit(__doc__)
    command, *rest = sys.argv[1:]
    if command == "check":
        return check(pathlib.Path(rest[0]), pathlib.Path(rest[1]), *rest[2:])
    if command == "exports":
        return write_exports(pathlib.Path(rest[0]), rest[1], pathlib.Path(rest[2]))
    if command == "library":
        return check_library(pathlib.Path(rest[0]), rest[1])
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
