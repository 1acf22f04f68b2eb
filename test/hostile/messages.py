#!/usr/bin/env python3
"""Compares what the library says of about a thousand refused files with what it
said when they were last written down, one line a case, so that a sentence that
changes is seen, and meant. Models of every family with settings and tensors that are wrong,
GGUF files, tokenizers, adapters, snapshots, chat templates; made here, and by
mutate.py, of which a part is taken.

  messages.py SAY DATA            SAY is build/test/say, DATA test/data; prints the differences to DATA/messages.txt
  messages.py SAY DATA --update   writes that file
"""
import argparse
import difflib
import json
import lzma
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import mutate

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import models

KV_F16, KV_INT8 = 2, 4  # HLM_TYPE_...
SENTENCE = 300  # characters; one that is cut by the library would end where the path's length has it
MEMORY = "HLM_E_NOMEM"  # no verdict on a file
TEMPLATES = (
    "{% if %}", "{% if x %}", "{% endif %}", "{% for %}{% endfor %}", "{% for x of y %}{% endfor %}", "{% for x in y %}", "{{", "{{ }}",
    "{{ 1 + }}", "{{ 'a }}", "{{ (1 }}", "{{ [1, }}", "{{ {'a' 1} }}", "{{ a.b.c }}", "{{ nothing() }}", "{{ nothing.x }}", "{% nothing %}",
    "{% set %}", "{% set x %}", "{% set 1 = 2 %}", "{% macro %}", "{% macro m(a %}{% endmacro %}", "{% macro m() %}", "{{ 1 / 0 }}",
    "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 'a' + 1 }}", "{{ 'a' - 'b' }}", "{{ 'a' | nothing }}", "{{ 1 is nothing }}", "{{ 'a' | join(1, 2, 3) }}",
    "{{ messages[99].role }}", "{{ messages['x'].y }}", "{{ range(10 ** 9) }}", "{% for i in range(10 ** 7) %}{{ 'x' * 1000 }}{% endfor %}",
    "{{ 'x' * 10 ** 9 }}", "{{ raise_exception('no') }}", "{{ raise_exception() }}", "{{ strftime_now() }}", "{{ ''.__class__ }}",
    "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}", "{% raw %}", "{# open", "{% call x %}{% endcall %}",
    "{% filter upper %}", "{% break %}", "{{ 'a' if }}", "{{ not }}", "{{ a b }}", "{{ 1e999 | int }}", "{{ '%d' | format('x') }}",
    "{{ '\\x' }}", "{{ messages | tojson(indent='x') }}", "{{ 'x' | replace }}", "{{ namespace(1) }}", "{{ dict(1) }}", "{{ 99999999999999999999 }}",
    "{{ '{' | fromjson }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}")


class Cases:
    """Takes what mutate.py makes, and asks at once: nothing is kept."""

    def __init__(self, say, out, base):
        self.out, self.base, self.lines, self.every, self.made = out, base, [], 1, 0
        self.process = subprocess.Popen([say], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
                                        errors="replace")

    def taking(self, every):
        """One in so many of what follows."""
        self.every, self.made = every, 0
        return self

    def lay(self, data, as_name, suffix):
        """A file, or a folder: with the model's files of `base` where it is given as one of them."""
        path = self.out / f"case{suffix}"
        if as_name:
            data = {**{p.name: p for p in self.base.iterdir()}, as_name: data}
        if not isinstance(data, dict):
            path.write_bytes(data)
            return path
        path.mkdir()
        for name, content in data.items():
            if isinstance(content, pathlib.Path):
                (path / name).symlink_to(content.resolve())
            else:
                (path / name).write_bytes(content)
        return path

    def add(self, data, what, expect="either", as_name="", prefix="m", suffix="", stage="load", model=None, verb=None, letters=""):
        self.made += 1
        if self.made % self.every:
            return
        path = self.lay(data, as_name, suffix)
        verb = verb or ("attach" if model else "load")
        self.ask(f"{prefix}: {what}", verb, model or path, path, letters or ("w" if prefix == "n_hf" else ""))
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    def ask(self, what, verb, model, path, letters="", kv=0):
        self.process.stdin.write(f"{verb}\t{letters}\t{kv}\t{model}\t{path}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        if not answer:
            sys.exit(f"{what}: the library ended the process\n0 passed, 1 failed")
        answer = answer.replace(str(self.out) + "/", "")
        if answer != "HLM_OK" and not answer.startswith(MEMORY):
            self.lines.append(f"{' '.join(what.split())} | {answer[:SENTENCE]}\n")


def manifest(cases, folder):
    """The files of test/data/hostile."""
    for line in (folder / "manifest.jsonl").read_text().splitlines():
        case = json.loads(line)
        path = folder / case["file"]
        data = {p.name: p for p in path.iterdir()} if path.is_dir() else path.read_bytes()
        model = folder / (case.get("base") or "base_hf") if case["stage"] == "attach" else None
        cases.add(data, f"{case['file']}: {case['what']}", as_name=case.get("as", ""), prefix=case["kind"],
                  suffix=path.suffix if case["kind"].startswith("gguf") else "", model=model,
                  letters="w" if path.name.startswith("n_") else "")


def wrong_tensors(good, name):
    dtype, shape, content = good[name]
    width = {"F32": 4, "F16": 2, "BF16": 2}.get(dtype, 8)
    yield "missing", {k: v for k, v in good.items() if k != name}
    yield "one row more", {**good, name: (dtype, [shape[0] + 1, *shape[1:]], content + content[:len(content) // shape[0]])}
    yield "a dimension more", {**good, name: (dtype, [*shape, 1], content)}
    yield "int32", {**good, name: ("I32", shape, bytes(4 * len(content) // width))}
    yield "twice, under another name", {**good, name + ".x": good[name]}


def tensors(cases, folder):
    """Of each kind of tensor in a model the first."""
    good = mutate.read_safetensors(folder / "model.safetensors")
    side = {p.name: p for p in folder.iterdir() if p.name in ("config.json", "generation_config.json")}
    seen = set()
    for name in good:
        kind = re.sub(r"\d+", "N", name)
        if kind in seen:
            continue
        seen.add(kind)
        for what, changed in wrong_tensors(good, name):
            cases.add({**side, "model.safetensors": mutate.write_safetensors(changed)}, f"{folder.name} {name}: {what}", prefix="tensors")


def places(value, at=()):
    """All places in a JSON value, without going through long lists and vocabularies."""
    yield at
    if len(at) < 6 and isinstance(value, (dict, list)) and len(value) <= 40:
        for key in value if isinstance(value, dict) else range(min(len(value), 2)):
            yield from places(value[key], (*at, key))


def changed(value, at, new):
    if not at:
        return new
    inner = changed(value[at[0]], at[1:], new)
    if isinstance(value, dict):
        return {**value, at[0]: inner}
    return [*value[:at[0]], inner, *value[at[0] + 1:]]


def tokenizers(cases, folders):
    for folder in folders:
        packed = folder / "tokenizer.json.xz"
        good = json.loads(lzma.open(packed).read() if packed.exists() else (folder / "tokenizer.json").read_text())
        for at in places(good):
            for bad in (None, 7, -1, "x", [], {}, [7], {"type": "x"}, 2**40, True, 1.5, "\0"):
                cases.add(json.dumps(changed(good, at, bad)).encode(), f"{folder.name}.{'.'.join(map(str, at))} = {bad!r}",
                          prefix="tokenizer", suffix="-tokenizer.json", letters="v")


def vocabularies(cases, base, pieces):
    vocab = json.loads((base / "tokenizer.json").read_text())["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in vocab["merges"]]
    good = {"vocab.json": vocab["vocab"], "merges.txt": "\n".join(merges), "tokenizer_config.json": {"tokenizer_class": "GPT2Tokenizer"}}
    first = next(iter(vocab["vocab"]))
    changes = [("no merges", {"merges.txt": None}), ("no vocabulary", {"vocab.json": None}), ("one word in a merge", {"merges.txt": "abc"}),
               ("an unknown merge", {"merges.txt": "\u4e00 \u4e01"}), ("merges of bad UTF-8", {"merges.txt": b"\xff \xfe"})]
    changes += [(f"vocabulary {v!r:.30}", {"vocab.json": v}) for v in ([], {}, 7, {"a": "b"}, {"a": -1}, {"a": 2**40}, {"a": 0, "b": 0}, {"a": 5})]
    changes += [(f"{first!r} has id {v!r}", {"vocab.json": {**vocab["vocab"], first: v}}) for v in (None, 1, 1.5, "1", 10**6)]
    for what, change in changes:
        files = {k: v for k, v in {**good, **change}.items() if v is not None}
        cases.add({k: v if isinstance(v, bytes) else v.encode() if isinstance(v, str) else json.dumps(v).encode() for k, v in files.items()},
                  what, prefix="vocab.json", model=cases.out / "case/vocab.json", verb="load", letters="v")
    raw, rng = pieces.read_bytes(), random.Random(2)
    for i in range(40):
        at, byte = rng.randrange(len(raw) if i % 2 else 200), rng.randrange(256)
        cases.add(raw[:at] + bytes([byte]) + raw[at + 1:], f"byte {at} is {byte}", prefix="sentencepiece", suffix=".model", letters="v")
        if i % 4 == 0:
            cases.add(raw[:at], f"{at} bytes", prefix="sentencepiece", suffix=".model", letters="v")


def adapters(cases, folder, model):
    good = json.loads((folder / "adapter_config.json").read_text())
    weights = folder / "adapter_model.safetensors"
    matrices = mutate.read_safetensors(weights)

    def add(config, what, safetensors=weights):
        cases.add({"adapter_config.json": json.dumps(config).encode(), "adapter_model.safetensors": safetensors}, f"{folder.name} {what}",
                  prefix="adapter", model=model)

    for key in (*good, "use_dora", "use_rslora", "fan_in_fan_out", "modules_to_save", "layers_to_transform", "alora_invocation_tokens",
                "trainable_token_indices", "init_lora_weights", "a_setting"):
        add({k: v for k, v in good.items() if k != key}, f"without {key}")
        for bad in (None, 0, -1, 1.5, 2**31, 1e308, "x", "", True, [], ["x"], [7], {}, {"x": 1}, {"v_proj": -1}, {"(": 1}):
            add({**good, key: bad}, f"{key} = {bad!r}")
    for name in list(matrices)[:6]:
        for what, wrong in wrong_tensors(matrices, name):
            add(good, f"{name}: {what}", mutate.write_safetensors(wrong))


def snapshots(cases, folders):
    """A snapshot of one model, changed, and for pools that it does not fit."""
    model, other = folders / "hymba-options", folders / "jamba"
    good = cases.out / "snapshot"
    cases.ask("snapshot: saved", "save", model, good, "p")
    raw = good.read_bytes()
    for what, kv, where, letters in (("int8 rows", KV_INT8, model, "p"), ("f16 states", 0, model, "ph"), ("another model", 0, other, "p"),
                                     ("f32 activations", KV_F16, model, "pf"), ("no prefix", 0, model, "pn")):
        cases.ask(f"snapshot: for {what}", "restore", where, good, letters, kv)
    middle = len(raw) // 2
    made = [(f"{n} bytes", raw[:n]) for n in (0, 1, 8, 100, 386)]
    made += [("half of it", raw[:middle]), ("without its last byte", raw[:-1]), ("a byte more", raw + b"\0"), ("a text", b"hello world\n" * 99),
             ("a GGUF file", b"GGUF" + raw[4:]), ("its first byte changed", b"X" + raw[1:]),
             ("of version 99", raw[:8] + struct.pack("<I", 99) + raw[12:]), ("of version 0", raw[:8] + bytes(4) + raw[12:]),
             ("a byte changed in the middle", raw[:middle] + bytes([raw[middle] ^ 1]) + raw[middle + 1:]),
             ("the last byte changed", raw[:-1] + bytes([raw[-1] ^ 1]))]
    for what, data in made:
        cases.add(data, what, prefix="snapshot", model=model, verb="restore", letters="p")
    good.unlink()
    cases.ask("snapshot: not there", "restore", model, good, "p")
    cases.ask("snapshot: a folder", "restore", model, model, "p")


def collect(cases, data):
    hostile, folders = data / "hostile", data / "models"
    base, gguf = hostile / "base_hf", hostile / "gguf/ok_base.gguf"
    families = [m for m in models.each(folders) if not models.weights(m)]
    manifest(cases.taking(1), hostile)
    mutate.models(cases.taking(61), families)
    mutate.configs(cases.taking(23), base)
    mutate.folders(cases.taking(5), base)
    mutate.ggufs(cases.taking(19), gguf)
    cases.taking(8)
    for folder in families:
        tensors(cases, folder)
    tokenizers(cases.taking(17), [base, *(data / "tokenizers" / n for n in ("added_tokens_zoo", "llama3_bpe", "huozi_spm_bpe", "unigram_nfkc"))])
    vocabularies(cases.taking(1), base, hostile / "sentencepiece/ok_base.model")
    adapters(cases.taking(3), data / "adapters/lora", folders / "types")
    snapshots(cases.taking(1), folders)
    for template in TEMPLATES:
        cases.add(template.encode(), f"{template:.60}", prefix="template", model=base, verb="render")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("say")
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    record = args.data / "messages.txt"
    with tempfile.TemporaryDirectory() as tmp:
        cases = Cases(args.say, pathlib.Path(tmp), args.data / "hostile/base_hf")
        collect(cases, args.data)
        lines = [line.replace(str(args.data), "DATA") for line in cases.lines]
    if args.update:
        record.write_text("".join(lines), encoding="utf-8")
    before = record.read_text(encoding="utf-8").splitlines(keepends=True)
    differences = [d for d in difflib.unified_diff(before, lines, "before", "now", n=0) if not d.startswith(("---", "+++", "@@"))]
    sys.stdout.writelines(differences)
    failed = max(sum(d[0] == sign for d in differences) for sign in "-+")
    print(f"{len(lines) - sum(d[0] == '+' for d in differences)} passed, {failed} failed")
    return failed != 0


sys.exit(main())
