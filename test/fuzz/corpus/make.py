#!/usr/bin/env python3
"""Writes the first seeds of the corpora beside this file; the fuzzer found the others (named by their hash)."""
import json
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent


def string(s):
    return struct.pack("<Q", len(s)) + s.encode()


def kv(key, kind, value):
    return string(key) + struct.pack("<I", kind) + value


def gguf(version, alignment):
    kvs = [
        kv("general.alignment", 4, struct.pack("<I", alignment)),
        kv("general.architecture", 8, string("llama")),
        kv("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 3) + string("a") + string("") + string("bc")),
        kv("tokenizer.ggml.scores", 9, struct.pack("<IQ2f", 6, 2, 1.5, -1)),
        kv("x", 12, struct.pack("<d", 3)),
        kv("k", 10, struct.pack("<Q", 2**64 - 1)),
    ]
    table, data = b"", b""
    for name, dims, number, size in (("w", (32, 2), 2, 36), ("n", (4,), 0, 16), ("h", (3, 2, 2), 1, 24)):
        table += string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, number, len(data))
        data += bytes(range(size)) + bytes(-size % alignment)
    front = b"GGUF" + struct.pack("<IQQ", version, 3, len(kvs)) + b"".join(kvs) + table
    return front + bytes(-len(front) % alignment) + data


def folder(config, index, header, data):
    text = json.dumps(header)
    return json.dumps(config).encode() + b"\0" + (json.dumps(index).encode() if index else b"") + b"\0" + string(text) + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


HEADER = {"a": entry("F32", [2, 2], 0, 16), "b": entry("BF16", [3], 16, 22), "__metadata__": {"format": "pt"}, "c": entry("I64", [], 24, 32),
          "d": entry("U8", [2], 22, 24)}
(HERE / "gguf" / "seed_v3").write_bytes(gguf(3, 32))
(HERE / "gguf" / "seed_v2").write_bytes(gguf(2, 8))
(HERE / "safetensors" / "seed_single").write_bytes(folder({"model_type": "llama"}, None, HEADER, bytes(range(32))))
(HERE / "safetensors" / "seed_index").write_bytes(
    folder({"x": [1.5, float("inf")]}, {"weight_map": {"a": "s", "b": "s"}}, HEADER, bytes(range(32))))
