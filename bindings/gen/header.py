"""Reads the public header with libclang (PyPI: libclang) into plain data.

The result, bindings/hybridlm.json, is a dict of lists in the header's order:
  enums      {comment, values: [{name, value, comment}]}
  macros     {name, value, comment}: those that are numbers
  handles    {name, comment}: opaque structs
  typedefs   {name, type, comment}
  structs    {name, size, align, comment, fields: [{name, type, offset, size, comment}]}
  functions  {name, result, parameters: [[name, type]], comment}
A comment is a list of lines. A field that points to a function has its `result` and
`parameters` too. Sizes and offsets are those of systems with 64-bit pointers, on which
the header has the same layout everywhere.
"""
import pathlib
import re

import clang.cindex as clang

# Parsed for one target with these in place of the compiler's headers, the result
# is the same on every machine.
TARGET = ["-x", "c", "-std=c11", "-target", "x86_64-unknown-linux-gnu", "-nostdinc", "-isystem", "/system"]
SYSTEM = {
    "/system/stddef.h": "typedef __SIZE_TYPE__ size_t;\n",
    "/system/stdint.h": "".join(f"typedef __{n.upper()}_TYPE__ {n}_t;\n" for s in (8, 16, 32, 64)
                                for n in (f"int{s}", f"uint{s}")),
}
MAIN = "/main.c"
INCLUDE = "#include <hybridlm/hybridlm.h>\n"

# What a field or parameter is made of: fixed widths, so that no compiler differs.
SCALARS = {"int8_t", "uint8_t", "int16_t", "uint16_t", "int32_t", "uint32_t", "int64_t", "uint64_t", "size_t",
           "float", "double", "char", "void"}


class HeaderError(Exception):
    """The header has something that the bindings can not express."""


def comment_lines(raw):
    """The lines of a /** comment */ without its frame."""
    if not raw or not raw.startswith("/**"):
        return []
    first, *others = raw[3:-2].strip().split("\n")
    return [first.rstrip(), *(re.sub(r"^\s*\* {0,2}", "", line).rstrip() for line in others)]


def comment_of(cursor):
    return comment_lines(cursor.raw_comment)


def where(cursor):
    return f"{pathlib.Path(cursor.location.file.name).name}:{cursor.location.line}"


class Reader:
    def __init__(self, include):
        self.include = pathlib.Path(include).resolve()
        self.data = {kind: [] for kind in ("enums", "macros", "handles", "typedefs", "structs", "functions")}
        self.known = set(SCALARS)

    def parse(self, text):
        files = [(MAIN, text), *SYSTEM.items()]
        unit = clang.Index.create().parse(
            MAIN, [*TARGET, f"-I{self.include}"], unsaved_files=files,
            options=clang.TranslationUnit.PARSE_DETAILED_PROCESSING_RECORD)
        for problem in unit.diagnostics:
            if problem.severity >= clang.Diagnostic.Error:
                raise HeaderError(str(problem))
        return unit

    def ours(self, cursor):
        file = cursor.location.file
        return file is not None and self.include in pathlib.Path(file.name).resolve().parents

    # ---- types ----

    def check_name(self, spelling, cursor):
        base = re.sub(r"\bconst\b|[*\s]|\[\d+\]", "", spelling)
        if base not in self.known:
            raise HeaderError(f"{where(cursor)}: {cursor.spelling} has the type '{spelling}', which the bindings can not "
                              "express: its size depends on the compiler, or the header does not declare it")

    def callback(self, kind, cursor):
        """result and parameters of a pointer to a function, else nothing."""
        pointee = kind.get_pointee()
        if pointee.kind != clang.TypeKind.FUNCTIONPROTO:
            return {}
        names = [c.spelling for c in cursor.get_children() if c.kind == clang.CursorKind.PARM_DECL]
        kinds = [a.spelling for a in pointee.argument_types()]
        for spelling in [pointee.get_result().spelling, *kinds]:
            self.check_name(spelling, cursor)
        return {"result": pointee.get_result().spelling, "parameters": [list(p) for p in zip(names, kinds)]}

    def field(self, cursor):
        if cursor.is_bitfield():
            raise HeaderError(f"{where(cursor)}: {cursor.spelling} is a bit-field")
        found = {"name": cursor.spelling, "type": cursor.type.spelling,
                 "offset": cursor.get_field_offsetof() // 8, "size": cursor.type.get_size()}
        callback = self.callback(cursor.type, cursor)
        if not callback:
            self.check_name(cursor.type.spelling, cursor)
        return {**found, **callback, "comment": comment_of(cursor)}

    # ---- declarations ----

    def enum(self, cursor):
        values = [{"name": v.spelling, "value": v.enum_value, "comment": comment_of(v)} for v in cursor.get_children()]
        self.data["enums"].append({"comment": comment_of(cursor), "values": values})

    def struct(self, cursor):
        if not cursor.is_definition():
            return
        fields = [self.field(c) for c in cursor.get_children() if c.kind != clang.CursorKind.STRUCT_DECL]
        self.data["structs"].append({"name": cursor.spelling, "size": cursor.type.get_size(),
                                     "align": cursor.type.get_align(), "comment": comment_of(cursor), "fields": fields})

    def typedef(self, cursor):
        self.known.add(cursor.spelling)
        under = cursor.underlying_typedef_type
        if under.get_declaration().kind != clang.CursorKind.STRUCT_DECL:
            self.data["typedefs"].append({"name": cursor.spelling, "type": under.spelling, "comment": comment_of(cursor)})
        elif not under.get_declaration().is_definition() and not under.get_declaration().get_definition():
            self.data["handles"].append({"name": cursor.spelling, "comment": comment_of(cursor)})

    def function(self, cursor):
        parameters = [[p.spelling, p.type.spelling] for p in cursor.get_arguments()]
        for spelling in [cursor.result_type.spelling, *(kind for _, kind in parameters)]:
            self.check_name(spelling, cursor)
        if cursor.type.kind == clang.TypeKind.FUNCTIONPROTO and cursor.type.is_function_variadic():
            raise HeaderError(f"{where(cursor)}: {cursor.spelling} takes any number of arguments")
        self.data["functions"].append({"name": cursor.spelling, "result": cursor.result_type.spelling,
                                       "parameters": parameters, "comment": comment_of(cursor)})

    def macros(self, unit):
        """Macros whose value is a number: their names, then their values from an enum."""
        names, comments = [], {}
        for cursor in unit.cursor.get_children():
            if cursor.kind == clang.CursorKind.MACRO_DEFINITION and self.ours(cursor):
                tokens = [t.spelling for t in cursor.get_tokens()]
                if len(tokens) > 1 and cursor.spelling.startswith("HLM_") and cursor.spelling not in ("HLM_API", "HLM_NODISCARD"):
                    names.append(cursor.spelling)
        for path in sorted(self.include.glob("hybridlm/*.h")):
            comments.update((m[2], comment_lines(m[1])) for m in re.finditer(
                r"(/\*\*(?:[^*]|\*(?!/))*\*/)\n#define (HLM_\w+)", path.read_text(encoding="utf-8")))
        lines = "".join(f"enum {{ value_of_{n} = {n} }};\n" for n in names)
        for cursor in self.parse(INCLUDE + lines).cursor.get_children():
            for value in cursor.get_children() if cursor.kind == clang.CursorKind.ENUM_DECL else ():
                if value.spelling.startswith("value_of_"):
                    name = value.spelling[len("value_of_"):]
                    self.data["macros"].append({"name": name, "value": value.enum_value, "comment": comments.get(name, [])})

    def read(self):
        unit = self.parse(INCLUDE)
        kinds = {clang.CursorKind.ENUM_DECL: self.enum, clang.CursorKind.STRUCT_DECL: self.struct,
                 clang.CursorKind.TYPEDEF_DECL: self.typedef, clang.CursorKind.FUNCTION_DECL: self.function}
        allowed_besides = (clang.CursorKind.MACRO_DEFINITION, clang.CursorKind.MACRO_INSTANTIATION,
                           clang.CursorKind.INCLUSION_DIRECTIVE)
        for cursor in unit.cursor.get_children():
            if not self.ours(cursor) or cursor.kind in allowed_besides:
                continue
            if cursor.kind not in kinds:
                raise HeaderError(f"{where(cursor)}: the bindings can not express {cursor.kind.name} {cursor.spelling}")
            kinds[cursor.kind](cursor)
        self.macros(unit)
        return self.data


def rules(data):
    """Sentences about what the header should not have, though a compiler takes it."""
    bad = [f"{f['name']}: public functions start with hlm_" for f in data["functions"] if not f["name"].startswith("hlm_")]
    for s in data["structs"]:
        if re.search(r"_(info|result)$", s["name"]):
            bad += [f"struct {s['name']}: {f['name']} is a method of Python's tuples" for f in s["fields"]
                    if f["name"] in ("count", "index")]
        end = 0
        for f in [*s["fields"], {"name": "its end", "offset": s["size"], "size": 0}]:
            if f["offset"] != end:
                bad.append(f"struct {s['name']}: padding before {f['name']}; give it a reserved field")
            end = f["offset"] + f["size"]
    return bad


def read(include):
    """The header below the folder `include`; HeaderError names what can not be expressed."""
    return Reader(include).read()
