#!/usr/bin/env python3
"""Breaks a copy of the header in every way that the ABI forbids, and wants abi.py check
and the record's compare to name each; and that additions are no breakage.

  breaks.py ROOT COMPILER...
"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
COMPILER = sys.argv[2:]
RECORD = ROOT / "bindings" / "hybridlm.json"
sys.path.insert(0, str(ROOT / "bindings" / "gen"))
import record  # noqa: E402  (its folder is known only now)

# what is replaced in the header, by what, and the name that the sentence must have
HEADER = [
    ("HLM_E_BUSY = -9", "HLM_E_BUSY = -19", "HLM_E_BUSY"),
    ("#define HLM_NOW ((int64_t)-1)", "#define HLM_NOW ((int64_t)-2)", "HLM_NOW"),
    ("int64_t max_positions;", "int32_t max_positions;", "hlm_model_info.max_positions"),
    ("    int32_t *tokens;\n    size_t tokens_cap;\n", "    size_t tokens_cap;\n    int32_t *tokens;\n", "hlm_generate_params.tokens"),
    ("int32_t token;\n    /** Added", "int32_t token;\n    int32_t more;\n    /** Added", "struct hlm_logit_bias"),
    ("hlm_cache_rewind(hlm_cache *cache, int64_t pos", "hlm_cache_rewind(hlm_cache *cache, int32_t pos", "hlm_cache_rewind"),
    ("hlm_status hlm_cache_reserve(", "hlm_status hlm_cache_keep(", "hlm_cache_reserve"),
    ("typedef int32_t hlm_status;", "typedef int64_t hlm_status;", "hlm_status"),
    ("typedef void hlm_task(void *arg, size_t index);", "typedef void hlm_task(void *arg, int32_t index);", "hlm_task"),
]


def drop_value(data):
    data["enums"][1]["values"] = [v for v in data["enums"][1]["values"] if v["name"] != "HLM_E_BUSY"]


def struct(data, name):
    return next(s for s in data["structs"] if s["name"] == name)


def add_field(data, name, before_end):
    """A field at the end of a struct, or that many bytes before it."""
    s = struct(data, name)
    s["fields"].append({"name": "more", "type": "int64_t", "offset": s["size"] - before_end, "size": 8, "comment": []})
    s["size"] += 8 - before_end


# a change of the record's data, and the name that the sentence must have; None: allowed
DATA = [
    (drop_value, "HLM_E_BUSY"),
    (lambda d: d["structs"].remove(struct(d, "hlm_step")), "hlm_step"),
    (lambda d: struct(d, "hlm_step")["fields"].pop(2), "tokens"),
    (lambda d: struct(d, "hlm_step").update(align=16), "hlm_step"),
    (lambda d: add_field(d, "hlm_logit_bias", 0), "hlm_logit_bias"),
    (lambda d: add_field(d, "hlm_cache_params", 8), "hlm_cache_params"),
    (lambda d: add_field(d, "hlm_cache_params", 0), None),
    (lambda d: d["functions"].append({**d["functions"][0], "name": "hlm_more"}), None),
    (lambda d: d["enums"][1]["values"].append({"name": "HLM_E_MORE", "value": -99, "comment": []}), None),
]


def header_names(tmp, text, name):
    """Whether abi.py check names `name` for this header."""
    for header in (ROOT / "include" / "hybridlm").glob("*.h"):
        (tmp / "hybridlm" / header.name).write_text(header.read_text())
    (tmp / "hybridlm" / "hybridlm.h").write_text(text)
    done = subprocess.run([sys.executable, ROOT / "test" / "abi" / "abi.py", "check", RECORD,
                           ROOT / "test" / "abi" / "hybridlm.sym", tmp, *COMPILER], stdout=subprocess.PIPE, text=True)
    return done.returncode == 1 and any(line.startswith(f"FAIL {name}") for line in done.stdout.splitlines())


def main():
    good = (ROOT / "include" / "hybridlm" / "hybridlm.h").read_text()
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "hybridlm").mkdir()
        for old, new, name in HEADER:
            if good.count(old) != 1:
                bad.append(f"the header has {good.count(old)} times {old!r}, expected once")
            elif not header_names(pathlib.Path(folder), good.replace(old, new), name):
                bad.append(f"abi.py check does not name {name}")
    was = json.loads(RECORD.read_text())
    for change, name in DATA:
        now = copy.deepcopy(was)
        change(now)
        sentences = record.compare(was, now)
        if (name is None) != (not sentences) or (name and not any(name in s for s in sentences)):
            bad.append(f"a change that should name {name} gives {sentences}")
    for line in bad:
        print(f"FAIL {line}")
    total = len(HEADER) + len(DATA)
    print(f"{total - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


sys.exit(main())
