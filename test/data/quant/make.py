#!/usr/bin/env python3
"""Makes the fixtures of test_quant beside this file from the gguf Python package.

TYPE.bin, TYPE.f32    blocks with random bytes and chosen scales, and what they dequantise to
floats.f32            floats to quantise; TYPE.quant is what they become
"""
import os

import gguf
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
T = gguf.GGMLQuantizationType
rng = np.random.default_rng(20260101)

# f16 bits: zeros, least and greatest subnormal, least and greatest normal, both signs; ordinary ones follow
EDGES = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x8400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00]
SCALES = {  # positions of f16 fields in a block
    "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q8_0": [0], "q4_K": [0, 2], "q6_K": [208],
}


def scales(n):
    s = rng.normal(0, 0.05, n).astype(np.float16).view(np.uint16)
    k = min(n, len(EDGES))
    s[:k] = rng.permutation(EDGES)[:k]
    return s


def save(name, array):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(np.ascontiguousarray(array).tobytes())


def dequantise_case(name):
    t = T[name.upper()]
    block, size = gguf.GGML_QUANT_SIZES[t]
    n = 16 if block == 256 else 64
    data = rng.integers(0, 256, (n, size), dtype=np.uint8)
    for at in SCALES[name]:
        data[:, at:at + 2] = scales(n).view(np.uint8).reshape(n, 2)
    save(name + ".bin", data)
    save(name + ".f32", gguf.quants.dequantize(data, t).astype(np.float32))


def plain_case(name):
    bits = rng.integers(0, 1 << 16, 512, dtype=np.uint16)
    bits[: len(EDGES)] = EDGES
    bits[12:16] = [0x7C00, 0xFC00, 0x7F80, 0xFF80]
    exponent = 0x7C00 if name == "f16" else 0x7F80
    nan = ((bits & exponent) == exponent) & ((bits & (0x7FFF ^ exponent)) != 0)
    bits[nan] |= 0x0200 if name == "f16" else 0x0040  # quiet: how signalling ones convert is up to the machine
    save(name + ".bin", bits)
    save(name + ".f32", gguf.quants.dequantize(bits.view(np.uint8).reshape(1, -1), T[name.upper()]).astype(np.float32))


def floats():
    rows = [rng.normal(0, s, 32) for s in (1, 0.02, 1e-3, 1e-7, 300, 1e4, 4e5) for _ in range(4)]
    rows += [np.zeros(32), np.full(32, -0.0), np.full(32, 0.37), np.full(32, -2.0), np.arange(32) - 15.5, np.arange(32) * 1.0]
    rows += [np.where(np.arange(32) == 5, -1.0, 0.0), np.where(np.arange(32) % 2, 0.5, -0.5)]
    rows += [rng.integers(-8, 8, 32) * 0.125, rng.integers(-254, 255, 32) * 0.5, np.abs(rng.normal(0, 1, 32)) + 3]
    x = np.array(rows, dtype=np.float32)
    return x


def int4_quantise(x):
    """Blocks of 128: scale, zero, codes of torchao's int4_weight_only."""
    x = x.ravel()[:x.size // 128 * 128].reshape(-1, 128)
    low, high = x.min(1, keepdims=True), x.max(1, keepdims=True)
    scale = np.maximum((high - low) / np.float32(15), np.float32(1e-6))
    q = np.clip(np.rint((x - low) / scale), 0, 15).astype(np.uint8)
    head = np.concatenate([scale, low + np.float32(8) * scale], 1).view(np.uint8)
    return np.concatenate([head, q[:, 0::2] | q[:, 1::2] << 4], 1)


def int4_dequantise(blocks):
    head, qs = blocks[:, :8].copy().view(np.float32), blocks[:, 8:]
    q = np.stack([qs & 15, qs >> 4], 2).reshape(len(blocks), 128).astype(np.float32)
    return (q - np.float32(8)) * head[:, :1] + head[:, 1:]


def int4_case(x):
    rng = np.random.default_rng(20261130)
    blocks = rng.integers(0, 256, (16, 72), dtype=np.uint8)
    blocks[:, :8] = rng.normal(0, 0.05, (16, 2)).astype(np.float32).view(np.uint8)
    save("int4.bin", blocks)
    save("int4.f32", int4_dequantise(blocks))
    save("int4.quant", int4_quantise(x))


def f8_scaled_case():
    """Blocks of 32 codes of E4M3 behind a scale: every number, under scales of both signs."""
    codes = np.arange(256, dtype=np.uint8)
    codes[codes % 128 == 127] -= 1  # NaN
    e, m = (codes >> 3 & 15).astype(int), (codes & 7).astype(np.float32)
    number = np.where(e > 0, np.ldexp(1 + m / 8, e - 7), m * 2.0**-9) * np.where(codes > 127, -1, 1)
    scale = np.array([1, -0.37, 1e-3, 3e5, 0.011, 2.0**-140, -2.5e-7, 448], np.float32).reshape(8, 1)
    save("f8_scaled.bin", np.concatenate([scale.view(np.uint8), codes.reshape(8, 32)], 1))
    save("f8_scaled.f32", number.astype(np.float32).reshape(8, 32) * scale)


for name in SCALES:
    dequantise_case(name)
for name in ("f16", "bf16"):
    plain_case(name)
x = floats()
save("floats.f32", x)
with np.errstate(over="ignore"):
    for name in ("f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"):
        save(name + ".quant", gguf.quants.quantize(x, T[name.upper()]))
int4_case(x)
f8_scaled_case()
