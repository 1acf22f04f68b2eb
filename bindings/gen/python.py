"""hybridlm.json as Python: the raw ctypes module, the constants, the exceptions, and
the types of parameters and results. Nothing of it is written by hand, so that a
new field, value or status of the header is there at once."""
import re

HEAD = '"""{doc}\n\nWritten by bindings/gen/gen.py from include/hybridlm/hybridlm.h; do not edit."""\n'
CTYPES = {"int8_t": "c_int8", "uint8_t": "c_uint8", "int16_t": "c_int16", "uint16_t": "c_uint16", "int32_t": "c_int32",
          "uint32_t": "c_uint32", "int64_t": "c_int64", "uint64_t": "c_uint64", "size_t": "c_size_t", "float": "c_float",
          "double": "c_double", "char": "c_char", "void": "None"}
PYTHON = {**{k: "int" for k in CTYPES if k.endswith("_t")}, "float": "float", "double": "float", "const char *": "str"}

# Fields that may be None, for which the package finds a value.
OPTIONAL = {("hlm_sampler_params", "seed")}

# Exceptions of Python that say the same, as second base classes.
BUILTIN = {"HLM_E_ARG": "ValueError", "HLM_E_NOMEM": "MemoryError", "HLM_E_IO": "OSError", "HLM_E_FORMAT": "ValueError",
           "HLM_E_UNSUPPORTED": "NotImplementedError", "HLM_E_TOKEN": "ValueError"}

RAW_END = '''

def declare(library: CDLL) -> None:
    """Give every function of the library its types. AttributeError names one that it lacks."""
    for name, (result, parameters, _) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters


def sizes() -> dict[str, tuple[int, int]]:
    """The size of every struct, as recorded and as ctypes lays it out."""
    return {
'''


def indented(lines, by="    "):
    return "\n".join(by + line if line else "" for line in lines)


def docstring(lines, by="    "):
    """A docstring from the lines of a comment; nothing from none."""
    if not lines:
        return ""
    text = "\n".join([lines[0], *(by + line if line else "" for line in lines[1:])])
    text = text.replace("\\", "\\\\").replace('"""', '\\"""')
    return f'{by}"""{text}{" " if text.endswith(chr(34)) else ""}"""\n'


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


class Writer:
    def __init__(self, data):
        self.data = data
        self.typedefs = {t["name"]: t["type"] for t in data["typedefs"]}

    def base(self, spelling):
        """Typedefs of numbers resolved."""
        return self.typedefs.get(spelling, spelling)

    def value(self, spelling, text="c_void_p"):
        """The ctypes type of a value; pointers are addresses, but for `text` in place of strings."""
        if "*" in spelling:
            return text if spelling == "const char *" else "c_void_p"
        array = re.fullmatch(r"(.*?) ?\[(\d+)\]", spelling)
        if array:
            return f"{self.value(array[1])} * {array[2]}"
        return CTYPES[self.base(spelling.replace("const ", ""))]

    def prototype(self, item):
        kinds = [self.value(kind) for _, kind in item["parameters"]]
        return f"CFUNCTYPE({', '.join([self.value(item['result']), *kinds])})"

    # ---- raw.py ----

    def constants(self, prefix="HLM_"):
        for enum in self.data["enums"]:
            yield from ((prefix + v["name"][4:], v["value"]) for v in enum["values"])
        yield from ((prefix + m["name"][4:], m["value"]) for m in self.data["macros"])

    def struct(self, s):
        text = f"\n\nclass {s['name']}(Structure):\n" + docstring(s["comment"])
        text += "    _fields_ = [\n"
        for f in s["fields"]:
            kind = f"{s['name']}_{f['name']}" if "parameters" in f else self.value(f["type"], "c_char_p")
            text += f'        ("{f["name"]}", {kind}),\n'
        return text + "    ]\n"

    def callbacks(self):
        for t in self.data["typedefs"]:
            if "(" in t["type"]:
                result, parameters = re.fullmatch(r"(.*?) \((.*)\)", t["type"]).groups()
                kinds = [["", kind.strip()] for kind in parameters.split(",")]
                yield f"{t['name']} = {self.prototype({'result': result, 'parameters': kinds})}\n"
        for s in self.data["structs"]:
            yield from (f"{s['name']}_{f['name']} = {self.prototype(f)}\n" for f in s["fields"] if "parameters" in f)

    def function(self, f):
        kinds = ", ".join(self.value(kind, "c_char_p") for _, kind in f["parameters"])
        lines = [repr(line + "\n") for line in f["comment"][:-1]] + [repr(line) for line in f["comment"][-1:]]
        comment = "\n" + indented(lines, " " * 8) if lines else ' ""'
        return f'    "{f["name"]}": ({self.value(f["result"], "c_char_p")}, [{kinds}],{comment}),\n'

    def raw(self):
        names = sorted({"CDLL", "CFUNCTYPE", "Structure", "c_void_p", *(n for n in CTYPES.values() if n != "None")})
        parts = [HEAD.format(doc="The C API as it is: constants, structs, callbacks and functions of hybridlm.h.\n\n"
                             "All pointers are addresses (c_void_p), but for strings ended by 0, which are bytes."),
                 "from __future__ import annotations\n\nfrom ctypes import (\n",
                 indented([f"{n}," for n in [*names, "c_char_p", "sizeof"]]), "\n)\nfrom typing import Any\n\n",
                 *(f"{name} = {value}\n" for name, value in self.constants()), "\n", *self.callbacks(),
                 *(self.struct(s) for s in self.data["structs"]),
                 "\n\n#: name -> result, parameters, the header's comment\n"
                 "FUNCTIONS: dict[str, tuple[Any, list[Any], str]] = {\n",
                 *(self.function(f) for f in self.data["functions"]), "}\n", RAW_END,
                 *(f'        "{s["name"]}": ({s["size"]}, sizeof({s["name"]})),\n' for s in self.data["structs"]), "    }\n"]
        return "".join(parts)

    # ---- constants.py ----

    def constants_module(self):
        out = HEAD.format(doc="The header's values without their HLM_: HLM_TYPE_F16 is TYPE_F16. Statuses are in errors.")
        shown = [(n, v) for n, v in self.constants("") if not re.match(r"(E_|OK$)", n)]
        return out + "\n" + "\n".join(f"{n} = {v}" for n, v in shown) + "\n\n__all__ = [\n" + \
            indented([f'"{n}",' for n, _ in shown]) + "\n]\n"

    # ---- errors.py ----

    def errors(self):
        statuses = [v for e in self.data["enums"] for v in e["values"] if v["name"].startswith("HLM_E_")]
        out = HEAD.format(doc="An exception for every status, named after it.")
        out += '''from __future__ import annotations


class Error(Exception):
    """A call of the library failed. The text is the library's sentence."""

    #: the header's name of the status, and its number
    name = "HLM_E_?"
    status = 0
'''
        for v in statuses:
            builtin = f", {BUILTIN[v['name']]}" if v["name"] in BUILTIN else ""
            out += f"\n\nclass {camel(v['name'][6:])}Error(Error{builtin}):\n{docstring(v['comment'])}\n"
            out += f'    name = "{v["name"]}"\n    status = {v["value"]}\n'
        out += "\n\nBY_STATUS: dict[int, type[Error]] = {\n"
        out += "".join(f"    {v['value']}: {camel(v['name'][6:])}Error,\n" for v in statuses) + "}\n\n__all__ = [\n    \"Error\",\n"
        return out + "".join(f'    "{camel(v["name"][6:])}Error",\n' for v in statuses) + "]\n"

    # ---- structs.py ----

    def python_type(self, field):
        return PYTHON.get(self.base(field["type"]))

    def fields(self, struct):
        """Fields that a Python caller sees: numbers and strings."""
        hidden = ("struct_size", "reserved")
        return [f for f in struct["fields"] if f["name"] not in hidden and self.python_type(f)]

    def structs_module(self):
        out = HEAD.format(doc="Parameters (as keyword arguments) and results of calls, field by field as in the header.")
        out += "from __future__ import annotations\n\nfrom typing import NamedTuple, Optional, TypedDict\n"
        exported = []
        for s in self.data["structs"]:
            name = camel(s["name"][4:])
            if re.search(r"_(params|info|result)$", s["name"]):
                exported.append(name)
                base = "TypedDict, total=False" if name.endswith("Params") else "NamedTuple"
                out += f"\n\nclass {name}({base}):\n" + docstring(s["comment"] or [f"{s['name']} of the header."])
                for f in self.fields(s):
                    out += "\n" + "".join(f"    #: {line}\n" for line in f["comment"])
                    kind = self.python_type(f)
                    out += f"    {f['name']}: {f'Optional[{kind}]' if (s['name'], f['name']) in OPTIONAL else kind}\n"
        return out + "\n\n__all__ = [\n" + indented([f'"{n}",' for n in exported]) + "\n]\n"


def files(data):
    """name -> text of the generated modules."""
    w = Writer(data)
    return {"raw.py": w.raw(), "constants.py": w.constants_module(), "errors.py": w.errors(), "structs.py": w.structs_module()}
