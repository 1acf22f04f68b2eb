#!/usr/bin/env python3
"""tokenizer_diff.py LIBRARY FOLDER... [-n N] [--seed S] [--show K]: random texts against the `tokenizers` package.

Encodes N random texts with the tokenizer.json (or .json.xz) of each folder, with hlm_tokenize of the shared library and
with the package, with and without special tokens around them, markers parsed or plain; and decodes the ids and some random
ones both ways. Differences are grouped by what stands in KNOWN, in the words of docs/tokenizers.md; the others are shown
and counted as failed. Needs Python's tokenizers (0.23).
"""
import argparse
import collections
import ctypes
import json
import lzma
import pathlib
import random
import sys
import tempfile

import tokenizers

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python" / "hybridlm"))
import raw as api  # noqa: E402  (its folder is known only now)

ADD_SPECIAL, PARSE_SPECIAL, SKIP_SPECIAL = 1, 2, 1
BATCH = 500

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "etaoin shrdlu", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " ", " \t\n\r\v\f", "\n", "'’\"",
    "!#$%&()*+,-./:;<=>?@[]^_`{|}~\\", "àéîõüßçñøœÆĐłžşİı", "αβγδεζηθικλμνξοπρςστυφχψωΩ", "абвгдежзийклмнопрстуфхцчшщъыьэюяЁ",
    "的一是不了人我在有他这为之大来以个中上们漢字", "ひらがなカタカナーゞ", "한국어가각힣ㄱㅏ", "ᄀ까ᅢᆨᆩ", "हिन्दीक्षत्रज्ञा", "العربيةلاءﷺ", "עבריתאבג",
    "ไทยกำแพง", "áè̂ạ̈̃̈́", "𝔘𝕟𝒊𝓬𝑜𝔡𝔢ﬁﬂ①②㎏Ⅷ½¾²³ª", "😀👩‍💻👨‍👩‍👧🇩🇪🏳️‍🌈❤️", "\u00a0\u2002\u2003\u2028\u2029\u202f\u3000\u200b\u200d\ufeff\u1680\u180e\u0085",
    "\u0000\u0001\u001b\u007f\u009f\u00ad", "▁Ġ▂", "\ufffd\uffff\U0010ffff\ue000", "ſKÅⅠⅰǅǆ", "٠١٢٣४५६๑๒", "ⅣⅤ፩〇",
]
PARTS = ["'s", "'LL", "n't", "don't ", "it's", "  ", "   ", " \n", "\r\n", "<0x0A>", "<unk>", "<s>", "</s>", "http://x.y/z?a=b", "3.14", "1,000,000",
         "foo_bar", "CamelCase", "if (x == 0) {\n\treturn;\n}", "e.g.", "U.S.A.", "...", "--", "http", "#include <x.h>", "\t\t", "a\u0301", "\u1112\u1161\u11ab",
         "ẛ̣", "aaaaaaaaaaaaaaaaaaaa", "=====", "        "]

# Rules of the package that the library does not follow; docs/tokenizers.md says why. (name, test on folder, text, why)
KNOWN = []


class Library:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.hlm_last_error.restype = ctypes.c_char_p

    def open(self, path):
        params = api.hlm_model_params(ctypes.sizeof(api.hlm_model_params), flags=api.HLM_LOAD_VOCAB_ONLY)
        self.model = ctypes.c_void_p()
        if self.lib.hlm_model_load(ctypes.byref(self.model), str(path).encode(), ctypes.byref(params)):
            raise SystemExit(self.lib.hlm_last_error().decode())

    def encode(self, text, flags):
        raw = text.encode()
        n, cap = ctypes.c_size_t(), 8 * len(raw) + 64
        out = (ctypes.c_int32 * cap)()
        if self.lib.hlm_tokenize(self.model, raw, ctypes.c_size_t(len(raw)), ctypes.c_uint32(flags), out, ctypes.c_size_t(cap),
                                 ctypes.byref(n)):
            return self.lib.hlm_last_error().decode()
        return out[:n.value]

    def decode(self, ids, flags):
        n, cap = ctypes.c_size_t(), 64 * len(ids) + 4096
        out = ctypes.create_string_buffer(cap)
        if self.lib.hlm_detokenize(self.model, (ctypes.c_int32 * len(ids))(*ids), ctypes.c_size_t(len(ids)), ctypes.c_uint32(flags),
                                   out, ctypes.c_size_t(cap), ctypes.byref(n)):
            return self.lib.hlm_last_error()
        return out.raw[:n.value].decode()


class Texts:
    def __init__(self, seed, markers):
        self.r = random.Random(seed)
        self.markers = markers

    def part(self):
        r, kind = self.r, self.r.random()
        if kind < 0.12:
            return r.choice(PARTS)
        if kind < 0.18 and self.markers:
            return r.choice(self.markers)
        alphabet = r.choice(ALPHABETS)
        return "".join(r.choices(alphabet, k=r.choice((1, 1, 2, 3, 5, 8))))

    def text(self):
        glue = self.r.choice(("", "", " "))
        return glue.join(self.part() for _ in range(self.r.choice((1, 2, 4, 8, 12))))


def compare(lib, tok, texts, n, report):
    size = tok.get_vocab_size(with_added_tokens=True)
    for done in range(0, n, BATCH):
        batch = [texts.text() for _ in range(min(BATCH, n - done))]
        add, parse = texts.r.random() < 0.3, texts.r.random() < 0.7
        tok.encode_special_tokens = not parse
        flags = (ADD_SPECIAL if add else 0) | (PARSE_SPECIAL if parse else 0)
        for text, enc in zip(batch, tok.encode_batch(batch, add_special_tokens=add)):
            ours = lib.encode(text, flags)
            report("encode", (text, flags), enc.ids, ours)
        lists = [e.ids for e in tok.encode_batch(batch[:BATCH // 4], add_special_tokens=add)]
        lists += [texts.r.choices(range(size), k=texts.r.choice((1, 3, 9))) for _ in range(BATCH // 8)]
        skip = texts.r.random() < 0.5
        for ids, want in zip(lists, tok.decode_batch(lists, skip_special_tokens=skip)):
            report("decode", (ids, skip), want, lib.decode(ids, SKIP_SPECIAL if skip else 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("folders", nargs="+")
    parser.add_argument("-n", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10)
    args = parser.parse_args()
    lib, known, passed, failed = Library(args.library), collections.Counter(), 0, 0
    for folder in map(pathlib.Path, args.folders):
        path = folder / "tokenizer.json"
        text = path.read_text() if path.exists() else lzma.open(f"{path}.xz", "rt").read()
        tok = tokenizers.Tokenizer.from_str(text)
        markers = [t["content"] for t in json.loads(text)["added_tokens"]]
        with tempfile.TemporaryDirectory() as tmp:
            (pathlib.Path(tmp) / "tokenizer.json").write_text(text)
            lib.open(pathlib.Path(tmp) / "tokenizer.json")
        counts = collections.Counter()

        def report(what, given, want, got):
            nonlocal passed, failed
            if want == got:
                counts["same"] += 1
                passed += 1
                return
            for name, test in KNOWN:
                if test(what, given, want, got):
                    known[name] += 1
                    passed += 1
                    return
            failed += 1
            counts["different"] += 1
            if counts["different"] <= args.show:
                print(f"{folder.name}: {what} {given!r}\n  package: {want!r}\n  ours:    {got!r}", flush=True)

        compare(lib, tok, Texts(args.seed, markers), args.n, report)
        print(f"{folder.name}: {counts['same']} same, {counts['different']} different", flush=True)
    for name, n in known.items():
        print(f"{n} known: {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
