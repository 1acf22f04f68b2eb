#!/usr/bin/env python3
"""Checks the documents: links inside the project lead somewhere, and C and C++ code compiles.

  check.py ROOT [--library FILE MODEL] COMPILER...

Every ```c and ```cpp block of docs/*.md is compiled by itself (```cpp where there is a C++ compiler), behind
the public header and the usual standard headers; blocks of contributors' pages may include internal ones. With
--library, blocks that have a main() are linked with FILE and run with MODEL (a Hugging Face
folder), a text and two lines of input, and say something. The chat of guide.md has at most 40 lines, as it says.
The example on top of hybridlm.h is such a block, too: the ten lines of a main().
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PRELUDE = "".join(f"#include <{h}>\n" for h in ("stdint.h", "stdio.h", "stdlib.h", "string.h", "hybridlm/hybridlm.h"))
FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-unused-const-variable"]
CPP_PRELUDE = "".join(f"#include <{h}>\n" for h in ("cstdio", "string", "string_view", "vector", "hybridlm/hybridlm.hpp"))
CPP_FLAGS = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c++"]
INPUT = "hi\nand again\n"
CHAT_LINES = 40
EXAMPLE_LINES = 10
EXAMPLE = """static int32_t print(void *user, int32_t token, const char *text, size_t len)
{
    (void)user;
    (void)token;
    return fwrite(text, 1, len, stdout) < len;
}

int main(int argc, char **argv)
{
    if (argc < 2) return 1;
#line 1 "the example of hybridlm.h"
%s
    hlm_cache_free(cache);
    hlm_ctx_free(ctx);
    hlm_model_release(model);
    return st != HLM_OK;
}
"""
passed = failed = 0


def check(ok, what, detail=""):
    global passed, failed
    if ok:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {what}\n{detail}")


def heading_anchors(text):
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", t.replace("`", "")).strip().lower().replace(" ", "-") for t in titles}


def check_links(page, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        ok = to.exists() and (not anchor or anchor in heading_anchors(to.read_text()))
        check(ok, f"{page.name}: the link {target} leads nowhere")


def blocks(text, language):
    for m in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S):
        yield text.count("\n", 0, m.start()) + 1, m.group(1)


def check_block(root, where, code, compiler, library, tmp):
    source, program = tmp / "block.c", tmp / "block"
    source.write_text(PRELUDE + f'#line 1 "{where}"\n' + code)
    run = library and "int main(" in code
    command = [*compiler, *FLAGS, *(f"-I{root / d}" for d in ("include", "lib", "src")), str(source)]
    command += [library[0], "-Wl,-rpath," + str(pathlib.Path(library[0]).parent), "-o", str(program)] if run else ["-fsyntax-only"]
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    check(done.returncode == 0, f"{where} does not compile", done.stdout)
    if run and done.returncode == 0:
        done = subprocess.run([program, library[1], "one two three"], text=True, errors="replace", input=INPUT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        check(done.returncode == 0 and done.stdout.strip(), f"{where} fails with exit status {done.returncode}", done.stdout)
    if "fgets(" in code:
        check("int main(" in code and code.count("\n") <= CHAT_LINES, f"{where}: the chat has {code.count(chr(10))} lines")


def example(root):
    """The lines of the header's example, for MODEL on the command line."""
    header = (root / "include" / "hybridlm" / "hybridlm.h").read_text()
    lines = re.search(r"^ \* Example:.*\n \*\n((?: \*  +.*\n)+)", header, re.M)[1].splitlines()
    check(len(lines) == EXAMPLE_LINES, f"hybridlm.h: the example has {len(lines)} lines")
    return EXAMPLE % "\n".join(line[2:] for line in lines).replace('"model.gguf"', "argv[1]")


def roomy(folder, to):
    """A copy of the model's folder that is made for longer texts."""
    shutil.copytree(folder, to)
    config = json.loads((to / "config.json").read_text())
    (to / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 4096}))
    return str(to)


def check_cpp(root, where, code, compiler):
    done = subprocess.run([*compiler, *CPP_FLAGS, f"-I{root / 'include'}", "-"], text=True, stdout=subprocess.PIPE,
                          input=CPP_PRELUDE + f'#line 1 "{where}"\n' + code, stderr=subprocess.STDOUT)
    check(done.returncode == 0, f"{where} does not compile", done.stdout)


def has_cpp(compiler):
    done = subprocess.run([*compiler, "-fsyntax-only", "-x", "c++", "-"], input="", text=True, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def main():
    args = sys.argv[1:]
    root, args = pathlib.Path(args[0]).resolve(), args[1:]
    library = None
    if args[0] == "--library":
        library, args = [str(pathlib.Path(p).resolve()) for p in args[1:3]], args[3:]
    cpp = has_cpp(args)
    if not cpp:
        print("no C++ compiler: blocks of C++ are left out")
    with tempfile.TemporaryDirectory() as tmp:
        if library:
            library[1] = roomy(library[1], pathlib.Path(tmp, "model"))
        check_block(root, "hybridlm.h", example(root), args, library, pathlib.Path(tmp))
        for page in [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md"))]:
            text = page.read_text()
            check_links(page, text)
            for line, code in blocks(text, "c"):
                check_block(root, f"{page.name}:{line}", code, args, library, pathlib.Path(tmp))
            for line, code in blocks(text, "cpp") if cpp else ():
                check_cpp(root, f"{page.name}:{line}", code, args)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
