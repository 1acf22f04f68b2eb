#!/usr/bin/env python3
"""Which folder sees which (docs/design.md shows the table): test/lint.py holds the includes and the public calls of lib/ and src/ to it.

  test/layers.py                       the table as docs/design.md has it
  test/layers.py compile COMPILER...   files that call what their folder does not see do not compile: "N passed, N failed"
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# From above: what all that a folder's files include may lie in, directly or behind other headers. A header by itself is a door
# into a folder that is otherwise unseen. `public` are calls of the public API, wherever it is defined; others are of what is seen.
LAYERS = {
    "session": "public sample api/engine.h state/draft.h plan/model_mem.h base",
    "api": "arch block cpu ops exec state plan place chat text weights kernel quant base",
    "arch": "plan place weights text/pyre.h text/regex.h quant base",
    "block": "ops exec plan place kernel quant base",
    "cpu": "ops exec plan place kernel quant base",
    "ops": "exec plan place kernel quant base",
    "exec": "plan place kernel quant base",
    "state": "plan place weights/fingerprint.h kernel quant base",
    "sample": "public plan/model_mem.h base",
    "plan": "place weights/fingerprint.h kernel quant base",
    "place": "quant base",
    "chat": "jinja text base",
    "jinja": "base",
    "text": "base",
    "weights": "quant base",
    "kernel": "quant base",
    "quant": "base",
    "base": "",
}
# What a file of a folder does not get to, although all of the folder's headers are included: folder, call.
UNSEEN = (
    ("arch", "hlmi_cache_claim(0, 1)"),
    ("arch", "hlmi_emit(0, 0, 0, 0, 0, 0)"),
    ("plan", "hlmi_emit(0, 0, 0, 0, 0, 0)"),
    ("state", "hlmi_emit(0, 0, 0, 0, 0, 0)"),
    ("exec", "hlmi_record(0)"),
    ("ops", "hlmi_cache_claim(0, 1)"),
    ("block", "hlmi_cache_claim(0, 1)"),
    ("sample", "hlmi_model_runs(0)"),
    ("session", "hlmi_cache_claim(0, 1)"),
)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
DEFINED = re.compile(r"^(?:HLMI_CALL\((hlm_\w+)|[a-z][\w *]*\b(hlm_\w+)\([^;]*?\)\n\{)", re.M)
CALLED = re.compile(r"\b(hlm_\w+)\(")


def folder_of(name):
    """The folder of a file, by its name in lib/ or src/."""
    return max((f for f in LAYERS if name.startswith(f + "/")), key=len, default=None)


def sources():
    """{name in lib/ or src/: path}"""
    found = {}
    for top in ("lib", "src"):
        for path in (ROOT / top).rglob("*.[ch]"):
            found[path.relative_to(ROOT / top).as_posix()] = path
    return found


class Includes:
    def __init__(self, without_comments):
        self.paths = sources()
        texts = {name: path.read_text() for name, path in self.paths.items()}
        self.code = {name: without_comments(text) for name, text in texts.items()}
        self.direct = {}
        for name, text in texts.items():
            near = name.rsplit("/", 1)[0] + "/"
            self.direct[name] = [n for n in (i if i in self.paths else near + i for i in INCLUDE.findall(text)) if n in self.paths]
        self.definers = {}
        for name, code in self.code.items():
            for m in DEFINED.finditer(code):
                self.definers[m[1] or m[2]] = folder_of(name)

    def behind(self, name):
        """{file: the include that leads to it} for all that a file includes."""
        found, waiting = {}, [(i, i) for i in self.direct[name]]
        while waiting:
            here, through = waiting.pop()
            if here not in found:
                found[here] = through
                waiting += [(i, through) for i in self.direct[here]]
        return found

    def wrong(self, name):
        """Sentences for what a file includes and calls against the table."""
        own = folder_of(name)
        if own is None:
            yield "lies in a folder that test/layers.py does not know"
            return
        seen = {own, *LAYERS[own].split()}
        for here, through in sorted(self.behind(name).items()):
            if here == name:
                yield f"includes itself through {through}"
            elif folder_of(here) not in seen and here not in seen and (here == through or folder_of(through) != own):
                yield f"{own} does not see {here}" + (f" (through {through})" if here != through else "")
        for called in sorted(set(CALLED.findall(self.code[name]))) if "public" not in seen else ():
            if self.definers.get(called, own) not in seen:
                yield f"{own} does not see {self.definers[called]}, which defines {called}"


def wrong_table():
    """Folders of the table see only what stands below them, so no includes go in a circle between folders."""
    below = list(LAYERS)
    for folder, sees in LAYERS.items():
        below.remove(folder)
        for other in sees.split():
            if other != "public" and (folder_of(other) if other.endswith(".h") else other) not in below:
                yield f"{folder} sees {other}, which does not stand below it"


def table():
    return "\n".join(f"{folder:9}{' '.join(sees.split())}".rstrip() for folder, sees in LAYERS.items())


def compile_files(compiler):
    flags = ["-std=c11", "-fsyntax-only", "-Werror=implicit-function-declaration", *(f"-I{ROOT / d}" for d in ("include", "lib", "src"))]
    good = bad = 0
    for folder, call in UNSEEN:
        headers = "".join(f'#include "{n}"\n' for n in sorted(sources()) if folder_of(n) == folder and n.endswith(".h"))
        for body, expected in (("(void)0", True), (call, False)):
            code = f"{headers}void f(void);\nvoid f(void)\n{{\n    {body};\n}}\n"
            run = subprocess.run([*compiler, *flags, "-x", "c", "-"], input=code, capture_output=True, text=True, check=False)
            refused = run.returncode != 0 and call.split("(")[0] in run.stderr
            ok = run.returncode == 0 if expected else refused
            good, bad = good + ok, bad + (not ok)
            if not ok:
                print(f"FAIL {folder}: {body} {'does not compile' if expected else 'compiles'}\n{run.stderr}")
    print(f"{good} passed, {bad} failed")
    return 1 if bad or not good else 0


if __name__ == "__main__":
    sys.exit(compile_files(sys.argv[2:]) if sys.argv[1:2] == ["compile"] else print(table()))
