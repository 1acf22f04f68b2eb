#!/usr/bin/env python3
"""Makes thousands of bad models from two good ones and runs each through the
hostile runner: every setting with every kind of wrong value, tensors of wrong
type and shape, bytes flipped. Most may be accepted or refused, but nothing may
crash, hang, leak or come without a message that names the file.

  mutate.py RUNNER FOLDER      FOLDER has base_hf and gguf/ok_base.gguf
  mutate.py RUNNER FOLDER --models MODEL...   instead the settings of these folders, which are run when they are accepted
  mutate.py --keep OUT ...     leave the cases in OUT
  mutate.py --every N ...      only one of N cases
"""
import argparse
import copy
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

NAN, INF = float("nan"), float("inf")
NO_INTEGERS = (None, 1.5, 1e308, 1e-320, NAN, INF, -INF, "16", "", True, False, [], {}, [1], [2, 2, 2], {"factor": 1e30}, "\0", "x" * 5000)
NUMBERS = (0, 1, 3, 15, -1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63))
VALUES = NUMBERS + NO_INTEGERS
# Settings that must be whole numbers and can not be left out.
NEEDED = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings")
DEFAULTS = ("max_position_embeddings",)  # transformers has one where the key is absent; null is as absent
OPTIONAL = ("head_dim", "rope_theta", "rope_scaling", "rope_parameters", "sliding_window", "use_sliding_window",
            "max_window_layers", "layer_types", "attention_bias", "mlp_bias", "partial_rotary_factor", "_name_or_path",
            "eos_token_id", "pad_token_id", "torch_dtype", "dtype", "architectures", "hidden_act", "quantization_config")
ROPE = {"factor": 8.0, "original_max_position_embeddings": 16, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "beta_fast": 32, "beta_slow": 1, "mscale": 1.0, "mscale_all_dim": 1.0, "attention_factor": 1.0,
        "truncate": True, "rope_theta": 10000.0}


class Cases:
    def __init__(self, out, every):
        self.out, self.every, self.made, self.lines = out, every, 0, []

    def add(self, data, what, expect="either", as_name="", prefix="m", suffix="", stage="load"):
        self.made += 1
        if self.made % self.every:
            return
        name = f"{prefix}_{self.made:05}{suffix}"
        path = self.out / name
        if isinstance(data, dict):
            path.mkdir()
            for file, content in data.items():
                if isinstance(content, pathlib.Path):
                    (path / file).symlink_to(content)
                else:
                    (path / file).write_bytes(content)
        else:
            path.write_bytes(data)
        self.lines.append(json.dumps({"file": name, "kind": "made", "what": what, "expect": expect, "stage": stage,
                                      "as": as_name}))

    def close(self):
        (self.out / "manifest.jsonl").write_text("\n".join(self.lines) + "\n")


# ---- config.json ----

def configs(cases, base):
    def add(config, what, expect="either"):
        cases.add(json.dumps(config).encode(), what, expect, "config.json", "config", ".json")

    good = json.loads((base / "config.json").read_text())
    for key in sorted(set(good) | set(OPTIONAL)):
        for i, value in enumerate(VALUES):
            wrong = key in NEEDED and i >= len(NUMBERS) and not (key in DEFAULTS and value is None)
            add({**good, key: value}, f"{key} = {value!r:.40}", "reject" if wrong else "either")
        without = {k: v for k, v in good.items() if k != key}
        add(without, f"no {key}", "reject" if key in NEEDED and key not in DEFAULTS else "either")
    for kind in ("default", "linear", "dynamic", "llama3", "yarn", "longrope", "", None, 1):
        for where in ("rope_scaling", "rope_parameters"):
            add({**good, where: {"rope_type": kind}}, f"{where} of type {kind!r} alone")
    for kind in ("linear", "dynamic", "llama3", "yarn"):
        for key in ROPE:
            for i, value in enumerate(VALUES):
                where = ("rope_scaling", "rope_parameters")[i % 2]
                add({**good, where: {"rope_type": kind, **ROPE, key: value}}, f"{where} {kind!r}: {key} = {value!r:.40}")
    for arch in ("mistral", "qwen2", "qwen3", "bert", "LLAMA", "llama\0x"):
        for value in VALUES:
            add({**good, "model_type": arch, "architectures": ["XForCausalLM"], "sliding_window": value}, f"{arch!r} window {value!r:.40}")
    for types in (["sliding_attention"], ["sliding_attention"] * 2, ["full_attention", 7], [[], {}], ["x", "y"]):
        add({**good, "layer_types": types, "sliding_window": 1, "model_type": "mistral"}, f"layer_types {types}")


# What lists of settings become besides other values.
def lists(value):
    return [value[:-1], value + value, value[::-1], [None] * len(value), [value], [-1] * len(value), [2**40] * len(value), ["x"] * len(value)]


def models(cases, folders):
    """Each setting of a model's own config.json, and of the objects in it, with every value; what is accepted must run."""
    for folder in folders:
        good = json.loads((folder / "config.json").read_text())
        files = {p.name: p.resolve() for p in folder.iterdir() if p.name != "config.json" and not p.name.startswith("golden")}

        def add(config, what):
            cases.add({**files, "config.json": json.dumps(config).encode()}, f"{folder.name}: {what}", stage="decode",
                      prefix=folder.name)

        for key, value in good.items():
            add({k: v for k, v in good.items() if k != key}, f"no {key}")
            for bad in list(VALUES) + (lists(value) if isinstance(value, list) else []):
                add({**good, key: bad}, f"{key} = {bad!r:.40}")
            for inner in value if isinstance(value, dict) else ():
                for bad in VALUES:
                    add({**good, key: {**value, inner: bad}}, f"{key}.{inner} = {bad!r:.40}")


# ---- safetensors ----

def read_safetensors(path):
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8:8 + n])
    header.pop("__metadata__", None)
    return {k: (v["dtype"], v["shape"], raw[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]]) for k, v in header.items()}


def write_safetensors(tensors):
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def folders(cases, base):
    good = read_safetensors(base / "model.safetensors")
    files = {p.name: p.read_bytes() for p in base.iterdir()}
    size = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I8": 1, "U8": 1, "I32": 4, "BOOL": 1}
    width = 2 if next(iter(good.values()))[0] != "F32" else 4

    def add(tensors, what, expect="either", prefix="hf", **more):
        cases.add({**files, "model.safetensors": write_safetensors(tensors), **more}, what, expect, prefix=prefix)

    add(good, "written again", "accept")
    for name, (dtype, shape, content) in good.items():
        count = len(content) // width
        add({k: v for k, v in good.items() if k != name}, f"no {name}", "reject")
        add({**good, name: (dtype, shape[::-1] + [1], content)}, f"{name}: a dimension more", "reject")
        add({**good, name: (dtype, [count + 1], content + content[:width])}, f"{name}: one element more", "reject")
        add({**good, name: (dtype, [0, *shape], b"")}, f"{name}: no elements", "reject")
        add({**good, name: (dtype, [], content[:width])}, f"{name}: a number", "reject")
        for other, n in size.items():
            add({**good, name: (other, shape, bytes(n * count))}, f"{name}: {other}",
                "reject" if other[0] in "IUB" and other != "BF16" else "either")
        for fill in (b"\xff", b"\x7f", b"\x80"):
            add({**good, name: (dtype, shape, fill * len(content))}, f"{name}: all bytes {fill}")
        bad = {"F32": b"\0\0\x80\x7f", "F16": b"\0\x7c", "BF16": b"\x80\x7f"}[dtype]
        add({**good, name: (dtype, shape, content[:-width] + bad)}, f"{name}: an infinity, checked", "reject", "n_hf")
    add({**good, "model.extra.weight": ("F32", [1], bytes(4))}, "a tensor too many", "reject")
    config = {**json.loads(files["config.json"]), "attention_bias": True}
    for n in (0, 1, 15, 16, 17):
        biases = {f"model.layers.{i}.self_attn.{p}_proj.bias": ("F32", [n], bytes(4 * n)) for i in range(2) for p in "qkvo"}
        add({**good, **biases}, f"biases of {n}", **{"config.json": json.dumps(config).encode()})
        add({**good, **biases}, f"biases of {n} that nothing asks for", "reject")
    shards(cases, base, good)


def shards(cases, base, good):
    side = {p.name: p.read_bytes() for p in base.iterdir() if p.name != "model.safetensors"}
    names = list(good)
    first = write_safetensors({k: good[k] for k in names[:5]})
    second = write_safetensors({k: good[k] for k in names[5:]})
    where = {k: "a.safetensors" if i < 5 else "b.safetensors" for i, k in enumerate(names)}

    def add(index, what, expect="reject", a=first, b=second):
        cases.add({**side, "a.safetensors": a, "b.safetensors": b, "model.safetensors.index.json": json.dumps(index).encode()},
                  what, expect, prefix="shards")

    add({"weight_map": where}, "two shards", "accept")
    add({"weight_map": where}, "both the same shard", b=first)
    add({"weight_map": {k: "a.safetensors" for k in names}}, "all tensors in one of two")
    add({"weight_map": {k: v for k, v in where.items() if v[0] == "a"}}, "half an index")
    for value in (None, 7, [], {}, "", ".", "..", "../a.safetensors", "a\0.safetensors", "C:a", "a/b", "config.json", "x" * 300):
        add({"weight_map": {**where, names[0]: value}}, f"a shard named {value!r:.40}")
    for index in ([], {}, {"weight_map": []}, {"weight_map": {}}, {"weight_map": None}, 7):
        add(index, f"the index is {index}")


# ---- GGUF ----

FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9


def string(s):
    return struct.pack("<Q", len(s)) + s


def value(kind, v):
    if kind == STRING:
        return string(v)
    if kind == ARRAY:
        item, items = v
        return struct.pack("<IQ", item, len(items)) + b"".join(value(item, i) for i in items)
    return struct.pack(FORMATS[kind], v)


class Gguf:
    def __init__(self, raw):
        self.raw, self.at = raw, 8
        n_tensors, n_kvs = self.take("<Q"), self.take("<Q")
        self.kvs = [self.kv() for _ in range(n_kvs)]
        self.tensors = [self.tensor() for _ in range(n_tensors)]
        self.data = raw[(self.at + 31) // 32 * 32:]

    def take(self, fmt):
        v = struct.unpack_from(fmt, self.raw, self.at)[0]
        self.at += struct.calcsize(fmt)
        return v

    def string(self):
        n = self.take("<Q")
        self.at += n
        return self.raw[self.at - n:self.at]

    def value(self, kind):
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            item, n = self.take("<I"), self.take("<Q")
            return item, [self.value(item) for _ in range(n)]
        return self.take(FORMATS[kind])

    def kv(self):
        key, kind = self.string(), self.take("<I")
        return [key, kind, self.value(kind)]

    def tensor(self):
        name = self.string()
        dims = [self.take("<Q") for _ in range(self.take("<I"))]
        return [name, dims, self.take("<I"), self.take("<Q")]

    def write(self, kvs=None, tensors=None):
        kvs = self.kvs if kvs is None else kvs
        tensors = self.tensors if tensors is None else tensors
        out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(kvs))
        out += b"".join(string(k) + struct.pack("<I", kind) + value(kind, v) for k, kind, v in kvs)
        for name, dims, kind, offset in tensors:
            out += string(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", d) for d in dims)
            out += struct.pack("<IQ", kind, offset)
        return out + bytes(-len(out) % 32) + self.data


WRONG = ([(4, v) for v in (0, 1, 2, 3, 15, 17, 2**16, 2**31, 2**32 - 1)] + [(0, 0), (5, -1), (7, 1), (10, 2**64 - 1), (11, -1)] +
         [(6, v) for v in (0.0, 1e-30, 1e30, -1.0, NAN, INF)] + [(12, NAN), (STRING, b""), (STRING, b"x"), (STRING, b"\xff\0")] +
         [(ARRAY, (4, [])), (ARRAY, (4, [2])), (ARRAY, (4, [2, 2])), (ARRAY, (4, [1, 2])), (ARRAY, (5, [-1, 4])), (ARRAY, (0, [0] * 288)),
          (ARRAY, (6, [NAN] * 288)), (ARRAY, (STRING, [])), (ARRAY, (STRING, [b""] * 288)), (ARRAY, (STRING, [b"a b"] * 288))])
MORE_KEYS = (b"llama.rope.scaling.type", b"llama.rope.scaling.factor", b"llama.rope.scaling.original_context_length",
             b"llama.rope.scaling.attn_factor", b"llama.attention.key_length", b"llama.attention.value_length", b"llama.vocab_size",
             b"llama.attention.sliding_window", b"split.count", b"general.name", b"tokenizer.ggml.pre", b"tokenizer.chat_template",
             b"tokenizer.ggml.add_bos_token", b"tokenizer.ggml.eot_token_id", b"tokenizer.ggml.precompiled_charsmap")


def ggufs(cases, path):
    raw = path.read_bytes()
    g = Gguf(raw)

    def add(data, what, expect="either"):
        cases.add(data, what, expect, prefix="gguf", suffix=".gguf")

    add(g.write(), "written again", "accept")
    for i, (key, kind, v) in enumerate(g.kvs):
        rest = g.kvs[:i] + g.kvs[i + 1:]
        add(g.write(kvs=rest), f"no {key}")
        for other, w in WRONG:
            add(g.write(kvs=rest + [[key, other, w]]), f"{key} = {w!r:.40} ({other})")
        if kind == ARRAY:
            for n in (0, 1, len(v[1]) - 1):
                add(g.write(kvs=rest + [[key, kind, (v[0], v[1][:n])]]), f"{key}: {n} items")
            add(g.write(kvs=rest + [[key, kind, (v[0], v[1] + v[1][:1])]]), f"{key}: one item more")
    for key in MORE_KEYS:
        for other, w in WRONG:
            add(g.write(kvs=[kv for kv in g.kvs if kv[0] != key] + [[key, other, w]]), f"{key} = {w!r:.40} ({other})")
    for i, (name, dims, kind, offset) in enumerate(g.tensors):
        add(g.write(tensors=g.tensors[:i] + g.tensors[i + 1:]), f"no {name}", "either" if name == b"output.weight" else "reject")
        for t in ([name, dims[::-1], kind, offset], [name, dims + [1], kind, offset], [name, [], kind, offset],
                  [name, dims[:-1] + [0], kind, offset], [name, dims, kind, offset + 32], [name, dims, kind, 2**63],
                  [name, [2**32, 2**32], kind, offset], [b"", dims, kind, offset], [name + b"x", dims, kind, offset]):
            add(g.write(tensors=g.tensors[:i] + [t] + g.tensors[i + 1:]), f"{name}: {t}")
        for other in (*range(42), 255, 2**32 - 1):
            add(g.write(tensors=g.tensors[:i] + [[name, dims, other, offset]] + g.tensors[i + 1:]), f"{name}: type {other}")


def flips(cases, base, gguf, n):
    rng = random.Random(1)
    raw = gguf.read_bytes()
    for i in range(n):
        b = bytearray(raw)
        for _ in range(1 + i % 3):
            b[rng.randrange(len(b) if i % 4 == 0 else 9000)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        cases.add(bytes(b), f"flipped {i}", prefix="flip", suffix=".gguf")
    for name in ("tokenizer.json", "tokenizer_config.json", "config.json", "model.safetensors"):
        good = (base / name).read_bytes()
        for i in range(n // 2):
            b = bytearray(good)
            at = rng.randrange(min(len(b), 3000))
            if i % 3 == 0:
                b[at] = rng.randrange(256)
            elif i % 3 == 1:
                del b[at:at + rng.randrange(1, 40)]
            else:
                b[at:at] = rng.choice((b"-", b"[", b"{", b'"', b"99999999999", b"null,", b"\xff", b"1e999", b"\\u0000"))
            cases.add(bytes(b), f"{name} changed {i}", as_name=name, prefix="flip")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runner")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--keep", type=pathlib.Path, metavar="OUT")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--models", type=pathlib.Path, nargs="+", metavar="MODEL")
    args = parser.parse_args()
    base, gguf = args.folder / "base_hf", args.folder / "gguf" / "ok_base.gguf"
    with tempfile.TemporaryDirectory() as tmp:
        out = args.keep or pathlib.Path(tmp)
        out.mkdir(exist_ok=True)
        cases = Cases(out, args.every)
        if args.models:
            models(cases, args.models)
        else:
            configs(cases, base)
            folders(cases, base)
            ggufs(cases, gguf)
            flips(cases, base, gguf, 400)
        cases.close()
        done = subprocess.run([args.runner, out / "manifest.jsonl", "--base", base], stdout=subprocess.PIPE, text=True, errors="replace")
        lines = done.stdout.splitlines()
        for line in lines:
            if not line.startswith("ok  "):
                print(line)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
