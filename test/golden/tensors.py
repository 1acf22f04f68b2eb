"""safetensors files for the golden scripts: read and written with numpy alone.
A tensor is a numpy array; bfloat16, which numpy lacks, is read as float32 and
written from it. The dtype of a file is one of the names that safetensors uses."""
import json
import os
import struct

import numpy as np

NUMPY = {"F64": np.float64, "F32": np.float32, "F16": np.float16, "I32": np.int32}


def bf16_bits(x):
    """The upper halves of float32 values, rounded to the nearest, ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def bf16_values(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def stored(x, dtype):
    """What a reader gets back after x was stored as dtype."""
    return bf16_values(bf16_bits(x)) if dtype == "BF16" else x.astype(NUMPY[dtype])


def read_file(path):
    with open(path, "rb") as f:
        data = f.read()
    (n,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8:8 + n]), memoryview(data)[8 + n:]
    out = {}
    for name, t in header.items():
        if name == "__metadata__":
            continue
        raw = body[slice(*t["data_offsets"])]
        if t["dtype"] == "BF16":
            x = bf16_values(np.frombuffer(raw, np.uint16))
        else:
            x = np.frombuffer(raw, NUMPY[t["dtype"]])
        out[name] = x.reshape(t["shape"])
    return out


def read_folder(folder):
    """All weights of a folder, in one file or in shards with an index."""
    index = os.path.join(folder, "model.safetensors.index.json")
    names = ["model.safetensors"]
    if os.path.exists(index):
        with open(index) as f:
            names = sorted(set(json.load(f)["weight_map"].values()))
    out = {}
    for name in names:
        out.update(read_file(os.path.join(folder, name)))
    return out


def write_file(path, tensors):
    """tensors: name -> (dtype, array)."""
    header, chunks, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, (dtype, x) in tensors.items():
        raw = (bf16_bits(x) if dtype == "BF16" else np.ascontiguousarray(x, NUMPY[dtype])).tobytes()
        header[name] = {"dtype": dtype, "shape": list(np.shape(x)), "data_offsets": [at, at + len(raw)]}
        chunks.append(raw)
        at += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def write_shards(folder, tensors, count):
    names = list(tensors)
    weight_map, total = {}, 0
    for i in range(count):
        part = {n: tensors[n] for n in names[i::count]}
        file = f"model-{i + 1:05d}-of-{count:05d}.safetensors"
        write_file(os.path.join(folder, file), part)
        weight_map.update({n: file for n in part})
        total += sum(x.size * {"F64": 8, "F32": 4, "I32": 4}.get(d, 2) for d, x in part.values())
    with open(os.path.join(folder, "model.safetensors.index.json"), "w") as f:
        json.dump({"metadata": {"total_size": total}, "weight_map": weight_map}, f)
