#!/usr/bin/env python3
"""House rules that a compiler does not check (docs/style.md). Prints every place
that breaks one and "N passed, N failed", counted in files.

  test/lint.py [FILE ...]      without files: all sources of the project
"""
import pathlib
import re
import statistics
import shutil
import subprocess
import sys

import layers

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("include", "lib", "src", "cuda", "examples", "test", "docs")
LIBRARY = ("lib", "src", "cuda", "include")
MAX_FILE_LINES = 600
MAX_FILE_BYTES = 3 << 20
MAX_FUNCTION_LINES = 80
MAX_VECTOR_LINES = 150
MAX_P90_LINES = 25  # of all functions of lib/ and src/, nine of ten
MAX_COLUMNS = 150
# What few may include of lib/, or of the system.
DOORS = {"jinja/": ("lib/jinja/", "lib/chat/"), "jansson.h": ("lib/base/json.c",)}
# Who asks which dialect a store's files have: the loader, which passes it on (hlmi_loader_settings); all others read
# what is there, whatever it is.
DIALECT = re.compile(r"\bhlmi_store_dialect\s*\(")
DIALECT_ASKED = ("lib/weights/", "src/arch/loader.c")

# What ends, prints in, or reads the environment of somebody else's program.
BANNED = re.compile(r"(?<![\w.>])(exit|_exit|_Exit|quick_exit|abort|printf|vprintf|fprintf|puts|putchar|putc|fputs|perror"
                    r"|getenv|setenv|signal|sigaction|atexit|system|setlocale)\s*\(")
# What gives a descriptor: there is one place for it, which gives none below 3.
OPENERS = re.compile(r"(?<![\w.>])(open(?:64|at|at2)?|creat|fopen(?:64)?|freopen|opendir|popen|dup[23]?|mk(?:o?s?)temps?|tmpfile"
                     r"|eventfd|memfd_create|signalfd|timerfd_create|epoll_create1?|inotify_init1?|shm_open|pipe2?|socket|socketpair"
                     r"|accept4?|pidfd_open|userfaultfd|perf_event_open)\s*\(|\b(F_DUPFD\w*|SYS_open\w*|SYS_memfd_create)\b")
OPENING = "lib/base/os_posix_file.c"
PROMISES = re.compile(r"\b(TODO|FIXME|XXX|stub|not yet implemented|placeholder|for now|hack)\b", re.I)
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
PUBLIC = re.compile(r"^hlm_status (hlm_\w+)\(", re.M)
CALLBACK = re.compile(r"^.*\w+(?:->|\.)(?:parallel_for|progress|on_token|fns\.\w+)\(|^.*\b(?:writer->write|reader->read|log->write|mem->alloc|mem->free)\(", re.M)
SCOPE = re.compile(r"(template\b.*)?(namespace|class|struct)\b[^(]*$")  # of C++: what stands before a brace of its own
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)


def without_comments(text):
    """Comments and strings blanked, lines kept."""
    return COMMENT_OR_STRING.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def functions(code):
    """(first line, length) of each function, by the layout that clang-format gives."""
    start, before = None, ""
    for number, line in enumerate(code.split("\n"), 1):
        if line.startswith("{") and not SCOPE.match(before):
            start = number
        elif line.startswith("}") and start:
            yield start, number - start + 1
            start = None
        before = line


def lines_of(text, pattern):
    for m in pattern.finditer(text):
        yield text.count("\n", 0, m.start()) + 1, m


def check_library(name, text, code):
    parts = name.split("/")
    if parts[0] == "src" and name.endswith(".c"):
        for line, m in lines_of(code, PUBLIC):
            yield line, f"{m[1]} is defined without HLMI_CALL (lib/base/call.h)"
    for line, m in lines_of(code, CALLBACK):
        if "HLMI_HOST(" not in m[0]:
            yield line, f"{m[0].strip()}) calls the host without HLMI_HOST (lib/base/host.h)"
    for line, m in lines_of(code, BANNED):
        yield line, f"{m[1]}() has no place in a library"
    for line, m in lines_of(code, OPENERS):
        if name != OPENING and parts[0] != "include":
            yield line, f"{m[1] or m[2]} gives a descriptor, which is for {OPENING} (hlmi_os_fd)"
    for line, _ in lines_of(code, DIALECT):
        if not name.startswith(DIALECT_ASKED):
            yield line, f"hlmi_store_dialect is for {' and '.join(DIALECT_ASKED)} alone"
    for line, m in lines_of(text, PROMISES):
        yield line, f"'{m[0]}' promises work that is not done"
    for line, m in lines_of(text, INCLUDE):
        for what, who in DOORS.items():
            if m[1].startswith(what) and not name.startswith(who):
                yield line, f"{m[1]} is for {' and '.join(who)} alone"


def check(path):
    """(line, sentence) for everything wrong with a file."""
    name = path.relative_to(ROOT).as_posix()
    text = path.read_text()
    lines = text.split("\n")
    code = without_comments(text)
    if not text.startswith("/*"):
        yield 1, "the file does not open with a comment that says what it owns"
    if not text.endswith("\n") or text.endswith("\n\n"):
        yield len(lines), "the file does not end with one newline"
    for number, line in enumerate(lines, 1):
        if "\t" in line or line != line.rstrip():
            yield number, "a tab, or blanks at the end of the line"
        if len(line) > MAX_COLUMNS:
            yield number, f"{len(line)} columns, more than {MAX_COLUMNS}"
    if name.startswith(LIBRARY):
        yield from check_library(name, text, code)
        if len(lines) - 1 > MAX_FILE_LINES and not name.startswith("include/"):
            yield 1, f"{len(lines) - 1} lines, more than {MAX_FILE_LINES}"
    limit = MAX_VECTOR_LINES if re.match(r"lib/kernel/\w+/", name) else MAX_FUNCTION_LINES
    for start, length in functions(code):
        if length > limit:
            yield start, f"a function of {length} lines, more than {limit}"


def large_files():
    """(file, sentence) for what is in the repository and has no place there: a package or a model would be in every clone for good."""
    git = shutil.which("git")  # where there is none, there is no repository either
    found = subprocess.run([git, "-C", ROOT, "ls-files", "-z"], capture_output=True, check=False) if git else None
    for name in found.stdout.decode().split("\0") if found and found.returncode == 0 else []:
        path = ROOT / name
        if name and path.is_file() and path.stat().st_size > MAX_FILE_BYTES:
            yield name, f"{path.stat().st_size} bytes, more than {MAX_FILE_BYTES}"


def check_layers():
    """(file, sentence) for what does not keep to the table of layers, and for a page that shows another one."""
    for sentence in layers.wrong_table():
        yield "test/layers.py", sentence
    if layers.table() not in (ROOT / "docs/design.md").read_text():
        yield "docs/design.md", "its table of layers is not the one that test/layers.py prints"
    includes = layers.Includes(without_comments)
    for name, path in includes.paths.items():
        for sentence in includes.wrong(name):
            yield path.relative_to(ROOT).as_posix(), sentence


def check_lengths():
    """(file, sentence) when functions have grown; prints how long they are."""
    lengths = sorted(n for path in layers.sources().values() for _, n in functions(without_comments(path.read_text())))
    p90 = statistics.quantiles(lengths, n=10)[8]
    print(f"{len(lengths)} functions of lib/ and src/: median {statistics.median(lengths):.0f} lines, p90 {p90:.0f}, longest {lengths[-1]}")
    if p90 > MAX_P90_LINES:
        yield "lib, src", f"a tenth of the functions has more than {p90:.0f} lines, it should be {MAX_P90_LINES}"


def main():
    paths = [pathlib.Path(a).resolve() for a in sys.argv[1:]]
    if not paths:
        paths = sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*") if p.suffix in (".c", ".h", ".cpp", ".hpp", ".cu", ".cuh"))
    whole = [] if sys.argv[1:] else [*large_files(), *check_layers(), *check_lengths()]
    for name, sentence in whole:
        print(f"{name}: {sentence}")
    failed = len(whole)
    for path in paths:
        found = list(check(path))
        failed += bool(found)
        for line, sentence in found:
            print(f"{path.relative_to(ROOT)}:{line}: {sentence}")
    print(f"{len(paths) + len(whole) - failed} passed, {failed} failed")
    return 1 if failed or not paths else 0


sys.exit(main())
