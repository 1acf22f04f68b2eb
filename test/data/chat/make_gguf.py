#!/usr/bin/env python3
"""Writes named.gguf beside this file: a vocabulary without weights, with chat templates that have names."""
import pathlib
import struct


def string(s):
    return struct.pack("<Q", len(s.encode())) + s.encode()


def text(key, value):
    return string(key) + struct.pack("<I", 8) + string(value)


def texts(key, values):
    return string(key) + struct.pack("<IIQ", 9, 8, len(values)) + b"".join(map(string, values))


TEMPLATES = {"": "D{{ messages|length }}", ".tool_use": "T{{ tools|length }}", ".own": "O{{ bos_token }}"}
PAIRS = [text("general.architecture", "llama"), text("tokenizer.ggml.model", "llama"),
         texts("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>", "\u2581a", "a"]),
         texts("tokenizer.chat_templates", [name[1:] for name in TEMPLATES if name] + ["missing"]),
         *(text("tokenizer.chat_template" + name, value) for name, value in TEMPLATES.items())]
(pathlib.Path(__file__).resolve().parent / "named.gguf").write_bytes(
    b"GGUF" + struct.pack("<IQQ", 3, 0, len(PAIRS)) + b"".join(PAIRS))
