#!/usr/bin/env python3
"""jinja_diff.py LIBRARY MODEL [-n N] [--seed S] [--show K]: random templates against Jinja2.

Renders N random templates with Jinja2, configured as transformers configures it, and with hlm_chat_render of the
shared library (MODEL: any folder with a tokenizer, test/data/models/tiny-llama for one). A difference is another
text, or an error on one side only; sentences of errors are not compared. Differences are grouped by what stands in
KNOWN, in the order of docs/templates.md; the rest is shown. Needs Python's jinja2 (3.1).
"""
import argparse
import collections
import copy
import ctypes
import json
import pathlib
import random
import re
import sys
import warnings

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "hybridlm"))
import raw  # noqa: E402  (its folder is known only now)

MESSAGES = [{"role": "user", "content": "Héllo <b>|x "}, {"role": "assistant", "content": None, "n": 3, "l": [1, 2.5, "x"]}]
EXTRA = {"s": "a-B c\td", "e": "", "u": "ßé日本\U0001F600", "i": 7, "z": 0, "neg": -3, "f": 2.5, "t": True, "nn": None,
         "l": [3, 1, 2], "ls": ["b", "a", "C"], "d": {"k": 1, "b": "x", "a": [1]}, "ld": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}

# Rules of the reference that we do not follow; docs/templates.md says why.
KNOWN = [
    ("not there: urlize, random, pprint's wrapping", r"urlize|random|pprint"),
    ("slices of constants: Jinja2 folds those that fail to undefined", r"can not be sliced|slice indices"),
    ("no bytes: str.encode", r"encode\(\)"),
    ("items of what is no mapping: an error at once, not at the first item", r"Can only get item pairs"),
    ("integers of more than 64 bits", r"wider than 64 bits"),
    ("whole exponents only", r"whole number as its exponent"),
    ("identity and text of objects", r"object at 0x|object>|generator object|<bound|<built-in|<function|<Macro"),
]


def environment():
    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    return env


class Library:
    def __init__(self, path, model):
        self.lib = ctypes.CDLL(path)
        self.lib.hlm_last_error.restype = ctypes.c_char_p
        self.model = ctypes.c_void_p()
        params = raw.hlm_model_params(ctypes.sizeof(raw.hlm_model_params), flags=raw.HLM_LOAD_VOCAB_ONLY)
        if self.lib.hlm_model_load(ctypes.byref(self.model), model.encode(), ctypes.byref(params)):
            raise SystemExit(self.lib.hlm_last_error().decode())
        self.out = ctypes.create_string_buffer(1 << 20)
        self.messages = json.dumps(MESSAGES).encode()
        self.extra = json.dumps(EXTRA).encode()

    def render(self, text):
        """(text, None) or (None, sentence)"""
        n = ctypes.c_size_t()
        params = raw.hlm_chat_params(ctypes.sizeof(raw.hlm_chat_params), extra_json=self.extra,
                                     chat_template=text.encode(), now=1)
        if self.lib.hlm_chat_render(self.model, self.messages, ctypes.byref(params), self.out,
                                    ctypes.c_size_t(len(self.out)), ctypes.byref(n)):
            return None, self.lib.hlm_last_error().decode("utf-8", "replace")
        return self.out.raw[:n.value].decode(), None


STRINGS = ["''", "'a'", "'a b  c'", "'A-b_C'", "'<x>&\"'", "'12'", "' 3.5 '", "'é日'", "'x\\ny\\n'", "'ab-cd  e--f a-b-cd-ef,--g hh'", "'%s'", "'{}'", "s", "e", "u",
           "messages[0].content", "messages[0]['role']"]
NUMBERS = ["0", "1", "-1", "2", "7", "10", "3.5", "-0.5", "1e3", "i", "z", "neg", "f", "t", "true", "false"]
LISTS = ["[]", "[1, 2, 3]", "['b', 'a', 'C']", "l", "ls", "ld", "messages", "(1, 'a')", "range(4)", "[none, 1]", "[[1, 2], [3, 4]]"]
DICTS = ["{}", "d", "{'a': 1, 'b': [2]}", "messages[1]", "ld[0]"]
OTHER = ["none", "nn", "missing", "missing.x", "d.nope", "namespace(a=1).a", "loop"]
FILTERS = ["abs", "capitalize", "center(9)", "count", "d('D')", "default('D', true)", "dictsort", "dictsort(by='value')", "e",
           "filesizeformat", "first", "float", "float(1.5)", "forceescape", "indent", "indent(2, true)", "int", "int(5)",
           "int(base=16)", "items", "join", "join('-')", "join(',', 'a')", "last", "length", "list", "lower", "map('upper')|list",
           "map(attribute='a')|list", "map(attribute='role')|join(',')", "max", "min", "reject|list", "reject('odd')|list",
           "rejectattr('a')|list", "replace('a', 'ZZ')", "replace('', '.', 2)", "reverse", "reverse|list", "round", "round(1)",
           "round(0, 'floor')", "safe", "select|list", "select('string')|list", "selectattr('a', 'equalto', 1)|list",
           "slice(2)|list", "batch(2, 'x')|list", "sort", "sort(reverse=true)", "sort(attribute='b')", "string", "striptags", "sum",
           "sum(attribute='a')", "sum(start=1)", "title", "tojson", "tojson(indent=2)", "tojson(sort_keys=true)", "trim", "trim('a')",
           "truncate(5)", "truncate(5, true, '')", "unique|list", "upper", "urlencode", "wordcount", "wordwrap(3)",
           "wordwrap(5, false)", "wordwrap(4, break_on_hyphens=false)", "wordwrap(6, true, '/')", "xmlattr", "xmlattr(false)", "nosuch", "groupby('a')|list",
           "format(1, 'x')", "attr('a')", "list|length"]
METHODS = ["upper()", "lower()", "strip()", "strip('a')", "lstrip()", "rstrip('\\n')", "split()", "split('-')", "split(' ', 1)",
           "rsplit('b', 1)", "splitlines()", "splitlines(true)", "startswith('a')", "endswith(('c', 'd'))", "find('b')", "rfind('b')",
           "index('a')", "count('a')", "replace('a', 'b')", "replace('a', 'b', 1)", "title()", "capitalize()", "swapcase()",
           "casefold()", "isdigit()", "isalpha()", "isalnum()", "isspace()", "isupper()", "islower()", "istitle()", "isnumeric()",
           "isdecimal()", "isidentifier()", "zfill(6)", "ljust(6, '.')", "rjust(6)", "center(7, '*')", "partition('-')",
           "rpartition(' ')", "join(['x', 'y'])", "expandtabs(4)", "removeprefix('a')", "removesuffix('d')", "format(1, a=2)",
           "encode()", "items()|list", "keys()|list", "values()|list", "get('a')", "get('zz', 5)", "copy()", "index(1)", "count(1)",
           "append(1)", "pop()", "bit_length()", "__class__", "a", "role"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "iterable",
         "sequence", "callable", "odd", "even", "divisibleby(3)", "equalto(1)", "eq(2)", "ne(1)", "gt(1)", "lt(2)", "ge(1)", "le(2)",
         "in([1, 'a'])", "sameas(none)", "lower", "upper", "escaped", "filter", "test"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
SLICES = ["[0]", "[-1]", "[1:]", "[:2]", "[::-1]", "[1:3]", "[::2]", "[-2:]", "['a']", "[5]", "[:-1]", "[3:1:-1]"]
FORMATS = ["'%d' % {}", "'%s-%r' % ({}, {})", "'%5.2f|' % {}", "'%-5s|' % {}", "'%05d' % {}", "'%x' % {}", "'%c' % {}", "'%%' % {}",
           "'{{}}'.format({})", "'{{0!r:>8}}'.format({})", "'{{:,}}'.format({})", "'{{:.2f}}'.format({})", "'{{:08.3f}}'.format({})",
           "'{{:x}}'.format({})", "'{{:^9}}'.format({})", "'{{:+d}}'.format({})", "'{{:e}}'.format({})", "'{{a}}'.format(a={})"]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def atom(self):
        return self.r.choice(self.r.choice([STRINGS, STRINGS, NUMBERS, NUMBERS, LISTS, DICTS, OTHER]))

    def expr(self, depth):
        r = self.r
        if depth <= 0:
            return self.atom()
        sub = lambda: self.expr(depth - 1)
        kind = r.randrange(12)
        if kind < 3:
            return "%s|%s" % (self.tight(depth - 1), r.choice(FILTERS))
        if kind < 5:
            return "%s.%s" % (self.tight(depth - 1), r.choice(METHODS))
        if kind == 5:
            return "%s is %s%s" % (self.tight(depth - 1), r.choice(["", "not "]), r.choice(TESTS))
        if kind < 8:
            return "%s %s %s" % (self.tight(depth - 1), r.choice(BINARY), self.tight(depth - 1))
        if kind == 8:
            return self.tight(depth - 1) + r.choice(SLICES)
        if kind == 9:
            form = r.choice(FORMATS)
            return form.format(*([self.tight(depth - 1)] * 2))
        if kind == 10:
            return "%s if %s else %s" % (sub(), sub(), sub())
        return r.choice(["[%s, %s]" % (sub(), sub()), "{'a': %s, 'b': %s}" % (sub(), sub()), "not %s" % self.tight(depth - 1),
                         "-%s" % self.tight(depth - 1), "dict(a=%s)" % sub()])

    def tight(self, depth):
        e = self.expr(depth)
        return e if re.fullmatch(r"[\w.\[\]'\"]+", e) else "(%s)" % e

    def statement(self):
        r, e = self.r, lambda: self.expr(1)
        return r.choice([
            lambda: "{%% for x in %s %%}{{ x }}{{ loop.index }}%s{%% else %%}none{%% endfor %%}" %
            (self.tight(1), r.choice(["", ",", "\n  ", "{{ loop.last }}", "{% if x == 1 %}{% break %}{% endif %}"])),
            lambda: "{%% if %s %%}\n yes \n{%%- else %%} no\n  {%% endif %%}" % e(),
            lambda: "{%% set x = %s %%}{{ x }}%s" % (e(), r.choice(["", "{{- x -}} ", "\n{# c #}\n{{ x }}"])),
            lambda: "{%% set x %%}%s{{ %s }}{%% endset %%}{{ x|upper }}" % (r.choice(["a", " \n"]), e()),
            lambda: "{%% macro m(a, b=%s) %%}[{{ a }},{{ b }}]{%% endmacro %%}{{ m(%s) }}{{ m(1, b=%s) }}" % (e(), e(), e()),
            lambda: "{%% for k, v in %s.items() %%}{{ k }}={{ v }};{%% endfor %%}" % r.choice(DICTS),
            lambda: "{%% set ns = namespace(x=%s) %%}{%% for q in l %%}{%% set ns.x = ns.x ~ q %%}{%% endfor %%}{{ ns.x }}" % e(),
            lambda: "{%% filter %s %%} %s {%% endfilter %%}" % (r.choice(["upper", "trim", "replace('a','b')"]), "a{{ %s }}" % e()),
        ])()

    def template(self):
        return self.statement() if self.r.random() < 0.25 else "{{ %s }}" % self.expr(self.r.randrange(1, 4))


def reference(env, text):
    try:
        data = copy.deepcopy(EXTRA | {"messages": MESSAGES})  # Jinja2's indent appends to a list that it is given
        return env.from_string(text).render(tools=None, documents=None, add_generation_prompt=True,
                                            bos_token="<|begin|>", eos_token="<|end|>", **data), None
    except Exception as error:  # whatever Python raises counts as an error
        return None, "%s: %s" % (type(error).__name__, error)


def main():
    warnings.simplefilter("ignore")  # Python's, of the code that Jinja2 makes
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("library")
    p.add_argument("model")
    p.add_argument("-n", type=int, default=10000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--show", type=int, default=20)
    a = p.parse_args()
    env, ours, make = environment(), Library(a.library, a.model), Generator(a.seed)
    known, unknown = collections.Counter(), []
    for _ in range(a.n):
        text = make.template()
        want, got = reference(env, text), ours.render(text)
        if want[0] == got[0] and (want[1] is None) == (got[1] is None):
            continue
        everything = " ".join([text] + [str(x) for x in want + got])
        name = next((name for name, pattern in KNOWN if re.search(pattern, everything, re.I)), None)
        if name:
            known[name] += 1
        else:
            unknown.append((text, want, got))
    for text, want, got in unknown[:a.show]:
        print("%s\n  jinja2: %r\n  ours:   %r" % (text, want[1] if want[0] is None else want[0], got[1] if got[0] is None else got[0]))
    for name, n in known.items():
        print("%d known: %s" % (n, name))
    print("%d passed, %d failed" % (a.n - len(unknown) - sum(known.values()), len(unknown)))
    return bool(unknown)


if __name__ == "__main__":
    raise SystemExit(main())
