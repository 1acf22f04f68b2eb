#!/usr/bin/env python3
"""embed.py OUT.c NAME.jinja...: the templates as C arrays, in the order given.

The final newline of a file is no part of its template.
"""
import pathlib
import sys


def array(path):
    data = path.read_bytes().removesuffix(b"\n")
    rows = [", ".join(str(byte) for byte in data[i:i + 24]) for i in range(0, len(data), 24)]
    return "static const unsigned char %s[] = {\n    %s\n};\n" % (path.stem, ",\n    ".join(rows))


def main():
    out, *paths = (pathlib.Path(arg) for arg in sys.argv[1:])
    rows = ["    {\"%s\", (const char *)%s, sizeof %s}," % (p.stem, p.stem, p.stem) for p in paths]
    out.write_text("/* Made by embed.py. */\n#include \"chat/builtin.h\"\n\n" + "".join(array(p) for p in paths) +
                   "\nconst hlmi_builtin hlmi_builtin_templates[] = {\n" + "\n".join(rows) +
                   "\n};\nconst size_t hlmi_builtin_count = %d;\n" % len(paths))


main()
