#!/usr/bin/env python3
"""What no language could be given must not get into the header: adds such things to a
copy of it, and wants each refused by name. Skipped (77) without libclang."""
import pathlib
import shutil
import sys
import tempfile

try:
    import header
except ImportError:
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# a declaration, and a word of the sentence that refuses it; None: it is accepted
CASES = [
    ("typedef struct hlm_t { size_t struct_size; int32_t *more; } hlm_t;", None),
    ("HLM_API hlm_status hlm_more(const hlm_model *model, int32_t (*call)(void *user));", "hlm_more"),
    ("HLM_API int hlm_more(void);", "hlm_more"),
    ("HLM_API hlm_status hlm_more(long n);", "hlm_more"),
    ("HLM_API hlm_status hlm_more(const hlm_unknown *p);", "hlm_unknown"),
    ("HLM_API hlm_status hlm_more(int32_t n, ...);", "hlm_more"),
    ("HLM_API hlm_status more(int32_t n);", "more: public functions start with hlm_"),
    ("extern int32_t hlm_global;", "hlm_global"),
    ("union hlm_u { int32_t a; float b; };", "hlm_u"),
    ("typedef struct hlm_t { size_t struct_size; int32_t a : 3; int32_t b; } hlm_t;", "bit-field"),
    ("typedef struct hlm_t { size_t struct_size; int32_t a; } hlm_t;", "padding before its end"),
    ("typedef struct hlm_t { int32_t a; size_t b; } hlm_t;", "padding before b"),
    ("typedef struct hlm_t_info { size_t struct_size; size_t count; } hlm_t_info;", "count is a method"),
    ("typedef struct hlm_t { size_t struct_size; enum { HLM_A } kind; int32_t b; } hlm_t;", "enum"),
    ("typedef struct hlm_t { size_t struct_size; long (*call)(void *user); } hlm_t;", "call"),
]


def refusal(include):
    """The sentences against the header below `include`, joined."""
    try:
        return "\n".join(header.rules(header.read(include)))
    except header.HeaderError as e:
        return str(e)


def main():
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        include = pathlib.Path(folder)
        shutil.copytree(ROOT / "include" / "hybridlm", include / "hybridlm")
        path = include / "hybridlm" / "hybridlm.h"
        text = path.read_text(encoding="utf-8")
        at = text.rindex("#ifdef __cplusplus")
        for declaration, word in CASES:
            path.write_text(text[:at] + declaration + "\n\n" + text[at:], encoding="utf-8")
            said = refusal(include)
            if bool(said) != (word is not None) or (word and word not in said):
                bad.append(f"{declaration} gives '{said}', expected {word}")
    for line in bad:
        print(f"FAIL {line}")
    print(f"{len(CASES) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


sys.exit(main())
