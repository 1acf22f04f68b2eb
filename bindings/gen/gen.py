#!/usr/bin/env python3
"""Everything that is generated from the public header.

  gen.py update    writes bindings/hybridlm.json, test/abi/hybridlm.sym and the generated
                   modules of bindings/python/hybridlm; refuses what breaks the ABI
  gen.py check     says which of them differ from what update would write

Needs the PyPI package libclang. Prints "N passed, N failed" at the end; check exits
with 77 (skipped) where libclang is missing.
"""
import json
import pathlib
import sys

import python
import record

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RECORD = ROOT / "bindings" / "hybridlm.json"
SYMBOLS = ROOT / "test" / "abi" / "hybridlm.sym"
MODULES = ROOT / "bindings" / "python" / "hybridlm"
SKIPPED = 77


def outputs(data):
    """path -> text of all generated files."""
    texts = {RECORD: record.dump(data) + "\n", SYMBOLS: record.symbols(data)}
    texts.update((MODULES / name, text) for name, text in python.files(data).items())
    return texts


def count(data):
    return sum(len(data[kind]) for kind in data)


def report(bad, checked):
    for line in bad:
        print(f"FAIL {line}")
    print(f"{max(checked - len(bad), 0)} passed, {len(bad)} failed")
    return 1 if bad else 0


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("update", "check"):
        raise SystemExit(__doc__)
    try:
        import header
    except ImportError:
        print("gen.py: this needs libclang: python3 -m pip install libclang", file=sys.stderr)
        return SKIPPED if sys.argv[1] == "check" else 1
    try:
        data = header.read(ROOT / "include")
    except header.HeaderError as e:
        return report([str(e)], 1)
    bad = header.rules(data)
    if RECORD.exists():
        bad += record.compare(json.loads(RECORD.read_text(encoding="utf-8")), data)
    for path, text in outputs(data).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if sys.argv[1] == "check":
            bad.append(f"{path.relative_to(ROOT)} is not what the header gives: ninja -C build abi-update writes it")
        elif not bad:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(ROOT)}")
    return report(bad, count(data))


if __name__ == "__main__":
    sys.exit(main())
