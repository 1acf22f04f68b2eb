#!/usr/bin/env python3
"""The public header against the checked-in record of the ABI, which only grows.

  abi.py probe   HEADER OUT.c               writes a C program that prints sizes, offsets and values
  abi.py check   HEADER RECORD SYM PROBE    PROBE is that program, built
  abi.py update  HEADER RECORD SYM PROBE    the same, then writes RECORD and SYM anew
  abi.py exports SYM map|def OUT            the linker's version script or the .def file
  abi.py library SYM LIBRARY                what the built library exports and needs

check allows additions only: new functions, structs, enum values and typedefs,
and new fields at the end of structs that start with struct_size. The record is
of systems with 64-bit pointers; elsewhere check is skipped. The header has to
stay plain (no unions, bit-fields, nested structs): what this cannot read is an
error, so that nothing passes unseen.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SKIPPED = 77
SYMBOL_VERSION = "HYBRIDLM_0"
MAX_STRIPPED_BYTES = 1500000
NOT_NEEDED = ("libstdc++", "libm.", "libc++")


def spaces(text):
    return re.sub(r"\s*([*,()\[\]])\s*", r"\1", " ".join(text.split()))


def nameless(parameters):
    """'(int32_t a, void *b)' without the names, which are no part of the ABI."""
    one_by_one = spaces(parameters).strip("()").split(",")
    return "(" + ", ".join(re.sub(r"(?<=[\s*])\w+$", "", p).strip() for p in one_by_one) + ")"


def plain(text):
    """The header without comments, preprocessor lines and the extern "C" frame."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"^#(\\\n|.)*$", "", text, flags=re.M)
    return re.sub(r'extern "C" \{(.*)\}', r"\1", text, flags=re.S)


def parse_field(text):
    """(name, type) of a struct member."""
    pointer = re.fullmatch(r"(.*\(\*)\s*(\w+)\s*\)\s*(\(.*\))", text, flags=re.S)
    if pointer:
        return pointer[2], spaces(pointer[1]) + ")" + nameless(pointer[3])
    member = re.fullmatch(r"([\w\s*]+?)(\w+)((?:\[\w+\])*)", text.strip(), flags=re.S)
    if not member or ":" in text:
        raise SystemExit(f"abi.py: can not read the member '{spaces(text)}'")
    return member[2], spaces(member[1] + member[3])


def parse(path):
    """enums: names; structs: name -> [(field, type)]; functions and typedefs: name -> text."""
    text = plain(path.read_text())
    found = {"enums": [], "structs": {}, "functions": {}, "typedefs": {}, "macros": []}
    found["macros"] = re.findall(r"^#define (HLM_(?!API)\w+) .", path.read_text(), flags=re.M)

    def enum(m):
        found["enums"] += [e.split("=")[0].strip() for e in m[1].split(",") if e.strip()]
        return ""

    def struct(m):
        found["structs"][m[1]] = [parse_field(f) for f in m[2].split(";") if f.strip()]
        return ""

    def function(m):
        found["functions"][m[2]] = spaces(m[1]) + nameless(m[3])
        return ""

    def handle(m):
        found["typedefs"][m[1]] = "handle"
        return ""

    def typedef(m):
        name = re.fullmatch(r"(.*?)(\w+)(\s*\(.*\))?", m[1].strip(), flags=re.S)
        found["typedefs"][name[2]] = spaces(name[1]) + (nameless(name[3]) if name[3] else "")
        return ""

    text = re.sub(r"\benum \{([^}]*)\};", enum, text)
    text = re.sub(r"\btypedef struct (\w+) \{([^}]*)\} \1;", struct, text)
    text = re.sub(r"\btypedef struct (\w+) \1;", handle, text)
    text = re.sub(r"\btypedef ([^;{}]*);", typedef, text)
    text = re.sub(r"\bHLM_API ([\w\s*]+?)(\w+)(\([^;]*\));", function, text)
    if text.strip():
        raise SystemExit(f"abi.py: can not read this part of {path.name}: '{spaces(text)[:200]}'")
    return found


def write_probe(header, out):
    found = parse(header)
    lines = ["#include <stdio.h>", "#include <hybridlm/hybridlm.h>",
             "#define V(x) printf(\"value %s %lld\\n\", #x, (long long)(x))",
             "#define S(t) printf(\"struct %s %zu %zu\\n\", #t, sizeof(t), _Alignof(t))",
             "#define F(t, f) printf(\"field %s.%s %zu %zu\\n\", #t, #f, offsetof(t, f), sizeof(((t *)0)->f))",
             "int main(void)", "{", "    printf(\"pointer %zu\\n\", sizeof(void *));", "    V(HLM_ABI_VERSION);"]
    lines += [f"    V({name});" for name in found["enums"] + found["macros"]]
    for name, fields in found["structs"].items():
        lines += [f"    S({name});"] + [f"    F({name}, {field});" for field, _ in fields]
    out.write_text("\n".join(lines + ["    return 0;", "}", ""]))


def measure(header, probe):
    """The record of this header, or None without 64-bit pointers."""
    found = parse(header)
    wrapper = os.environ.get("MESON_EXE_WRAPPER", "").split()
    printed = subprocess.run([*wrapper, str(probe)], check=True, stdout=subprocess.PIPE, text=True).stdout
    record = {"values": {}, "structs": {}, "functions": found["functions"], "typedefs": found["typedefs"]}
    for line in printed.splitlines():
        kind, name, *numbers = line.split()
        if kind == "pointer" and name != "8":
            return None
        if kind == "value":
            record["values"][name] = int(numbers[0])
        elif kind == "struct":
            record["structs"][name] = {"size": int(numbers[0]), "align": int(numbers[1]), "fields": []}
        elif kind == "field":
            owner, field = name.split(".")
            of_type = dict(found["structs"][owner])[field]
            record["structs"][owner]["fields"].append([field, of_type, int(numbers[0]), int(numbers[1])])
    return record


def compare_struct(name, old, new):
    if new is None:
        return [f"struct {name} is gone"]
    bad = []
    if new["align"] != old["align"]:
        bad.append(f"struct {name}: alignment {old['align']} became {new['align']}")
    for i, field in enumerate(old["fields"]):
        now = new["fields"][i] if i < len(new["fields"]) else None
        if now != field:
            bad.append(f"struct {name}: field {field} became {now}")
    grows = bool(old["fields"]) and old["fields"][0][0] == "struct_size"
    if new["size"] < old["size"] or (new != old and not grows):
        bad.append(f"struct {name}: size {old['size']} became {new['size']}"
                   + ("" if grows else ", and without struct_size it may not change at all"))
    for field, _, offset, size in new["fields"][len(old["fields"]):]:
        # A field in what was padding would read an older caller's garbage.
        if offset < old["size"]:
            bad.append(f"struct {name}: new field {field} lies inside the old {old['size']} bytes")
    return bad


def compare(old, new):
    """Every way in which `new` breaks programs built against `old`."""
    bad = []
    for kind in ("values", "functions", "typedefs"):
        for name, was in old[kind].items():
            now = new[kind].get(name)
            if now != was:
                bad.append(f"{name}: {was} became {now}" if now is not None else f"{name} ({was}) is gone")
    for name, was in old["structs"].items():
        bad += compare_struct(name, was, new["structs"].get(name))
    return bad


def additions(old, new):
    added = []
    for kind in ("values", "functions", "typedefs", "structs"):
        added += [n for n in new[kind] if n not in old[kind]]
    for name, was in old["structs"].items():
        added += [f"{name}.{f[0]}" for f in new["structs"].get(name, was)["fields"][len(was["fields"]):]]
    return added


def read_symbols(path):
    return [line for line in path.read_text().split("\n") if line and not line.startswith("#")]


def dump(record):
    """JSON with a line for each value, function and field."""
    def block(items, opening, closing, indent):
        return opening + "\n" + ",\n".join(indent + item for item in items) + "\n" + indent[:-1] + closing

    def pairs(table):
        return block([f"{json.dumps(k)}: {json.dumps(v)}" for k, v in table.items()], "{", "}", "  ")

    structs = [f'"{name}": {{"size": {s["size"]}, "align": {s["align"]}, "fields": '
               + block([json.dumps(f) for f in s["fields"]], "[", "]}", "   ") for name, s in record["structs"].items()]
    parts = [f'"{k}": {pairs(v)}' if k != "structs" else f'"{k}": ' + block(structs, "{", "}", "  ")
             for k, v in record.items()]
    return block(parts, "{", "}", " ") + "\n"


def report(bad, checked):
    for line in bad:
        print(f"FAIL {line}")
    print(f"{checked - min(len(bad), checked)} passed, {len(bad)} failed")
    return 1 if bad else 0


def check(header, record_path, sym_path, probe, write):
    new = measure(header, probe)
    if new is None:
        return SKIPPED
    old = json.loads(record_path.read_text()) if record_path.exists() else {k: {} for k in new}
    bad = compare(old, new)
    for name in new["functions"]:
        if not name.startswith("hlm_"):
            bad.append(f"{name}: public functions start with hlm_")
    for name, s in new["structs"].items():
        end = 0
        for field, of_type, offset, size in s["fields"] + [["its end", "", s["size"], 0]]:
            if offset != end:
                bad.append(f"struct {name}: padding before {field}; give it a reserved field")
            end = offset + size
            if re.search(r"\b(bool|long|enum|union|int)\b", of_type):
                bad.append(f"struct {name}: field {field} has the type {of_type}, whose size depends on the compiler")
    if write and not bad:
        record_path.write_text(dump(new))
        sym_path.write_text("# Exported functions; written by abi.py update.\n" + "\n".join(sorted(new["functions"])) + "\n")
    elif not write:
        bad += [f"{name} is new: meson compile -C build abi-update records it" for name in additions(old, new)]
        symbols = set(read_symbols(sym_path)) if sym_path.exists() else set()
        bad += [f"{name}: in only one of the header and {sym_path.name}" for name in sorted(symbols ^ set(new["functions"]))]
    return report(bad, sum(len(new[k]) for k in ("values", "functions", "typedefs", "structs")))


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
    paths = [pathlib.Path(a) for a in rest]
    if command == "probe":
        return write_probe(*paths)
    if command in ("check", "update"):
        return check(*paths, write=command == "update")
    if command == "exports":
        return write_exports(paths[0], rest[1], paths[2])
    if command == "library":
        return check_library(paths[0], rest[1])
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
