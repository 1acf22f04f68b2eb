#!/usr/bin/env python3
"""make_golden.py make DIR [NAME...]: tiny Llama-family models with random weights
and their golden numbers, one folder each (the variants are in variants.py).
make_golden.py check FOLDER...: this script's own arithmetic against the golden
numbers of folders that others made.

Golden values are computed in float64; tolerances are 20 times what float32 differs
by, and 1e-4 at least, as in the conformance kit."""
import itertools
import json
import os
import sys

import numpy as np

import tensors as st
from family import Family
from variants import VARIANTS

GREEDY = 8


def random_weights(config, rng, extra):
    """Weights of a Family in float32: logits of a spread near 2, attention that is neither flat nor sharp."""
    m = Family(config, {})
    c, h, out = m.c, config["hidden_size"], {}
    rows = {"q": m.heads * m.dim, "k": m.kv_heads * m.dim, "v": m.kv_heads * m.dim, "o": h,
            "gate": c["intermediate_size"], "up": c["intermediate_size"], "down": h}
    cols = {"o": m.heads * m.dim, "down": c["intermediate_size"]}

    def gauss(shape, std):
        return (rng.standard_normal(shape) * std).astype(np.float32)

    def norm(name, n):
        out[name + ".weight"] = 1 + gauss(n, 0.2)

    out["model.embed_tokens.weight"] = gauss((c["vocab_size"], h), 1)
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        norm(p + "input_layernorm", h)
        norm(p + "post_attention_layernorm", h)
        if c["model_type"] == "mixtral":
            moe, n = p + "block_sparse_moe.", c["num_local_experts"]
            out[moe + "gate.weight"] = gauss((n, h), 3 / np.sqrt(h))
            for e, (w, s) in itertools.product(range(n), {"w1": "gate", "w2": "down", "w3": "up"}.items()):
                wide = cols.get(s, h)
                out[f"{moe}experts.{e}.{w}.weight"] = gauss((rows[s], wide), 1 / np.sqrt(wide))
        for s, n in rows.items():
            if c["model_type"] == "mixtral" and s not in "qkvo":
                continue
            name = p + ("self_attn." if s in "qkvo" else "mlp.") + s + "_proj"
            wide = cols.get(s, h)
            out[name + ".weight"] = gauss((n, wide), (1.5 if s in "qk" else 1) / np.sqrt(wide))
            if s in m.biases():
                out[name + ".bias"] = gauss(n, 0.5)
        if c["model_type"] == "qwen3":
            norm(p + "self_attn.q_norm", m.dim)
            norm(p + "self_attn.k_norm", m.dim)
    norm("model.norm", h)
    if not c.get("tie_word_embeddings") or extra.get("head") == "own":
        out["lm_head.weight"] = gauss((c["vocab_size"], h), 2 / np.sqrt(h))
    elif extra.get("head"): # "copy": beside the embedding; "only": instead of it
        out["lm_head.weight"] = out["model.embed_tokens.weight"]
        if extra["head"] == "only":
            del out["model.embed_tokens.weight"]
    return out


def log_probs(logits, ids):
    shifted = logits[:-1] - logits[:-1].max(axis=-1, keepdims=True)
    lse = np.log(np.exp(shifted).sum(axis=-1))
    return shifted[np.arange(len(ids) - 1), ids[1:]] - lse


def greedy(model, ids, steps):
    """Tokens, their logits, and the smallest lead of a chosen token."""
    ids, rows, margin = list(ids), [], np.inf
    for _ in range(steps):
        row = model.forward(np.array(ids), np.float64)["logits"][-1]
        top = np.sort(row)
        margin = min(margin, top[-1] - top[-2])
        rows.append(row)
        ids.append(int(row.argmax()))
    return np.array(ids[-steps:]), np.array(rows), margin


def golden_of(model, rng, length):
    """Golden tensors, and the largest float32 error of each kind."""
    vocab, layers = model.c["vocab_size"], model.c["num_hidden_layers"]
    while True: # a prompt after which no greedy choice is a near tie
        ids = rng.integers(0, vocab, length)
        greedy_ids, greedy_logits, margin = greedy(model, ids, GREEDY)
        if margin > 0.02:
            break
    want, near = model.forward(ids, np.float64), model.forward(ids, np.float32)
    error = {"logits": 0.0, "hidden": 0.0, "final_norm": 0.0}
    for name in want:
        kind = "logits" if name == "logits" else "final_norm" if name == f"hidden.{layers}" else "hidden"
        error[kind] = max(error[kind], float(np.abs(want[name] - near[name]).max()))
    out = {"input_ids": ids, **want, "greedy_ids": greedy_ids, "greedy_logits": greedy_logits}
    for i, n in enumerate((5, 13)):
        out[f"input_ids.b{i}"] = ids_b = rng.integers(0, vocab, n)
        out[f"logits.b{i}"] = model.forward(ids_b, np.float64)["logits"]
    scores = []
    for i, n in enumerate((9, 3)):
        doc = rng.integers(0, vocab, n)
        logits = model.forward(doc, np.float64)["logits"]
        scores.append(log_probs(logits, doc))
        out.update({f"docs.{i}.input_ids": doc, f"docs.{i}.logits": logits, f"docs.{i}.logprobs": scores[-1]})
    out["loss"] = np.array([-np.concatenate(scores).mean()])
    return out, error


def facts(name, config, error, note):
    return {"name": name, "model_type": config["model_type"], "compute_dtype": "float64", "notes": [note],
            "fp32_vs_fp64": error, "tolerance": {k: max(1e-4, 20 * e) for k, e in error.items()}}


def write_golden(folder, values):
    dtypes = {n: "I32" if "ids" in n else "F32" for n in values}
    st.write_file(os.path.join(folder, "golden.safetensors"), {n: (dtypes[n], x) for n, x in values.items()})


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f, indent=1)
        f.write("\n")


def make(parent, variant, seed):
    name, config, extra = variant["name"], variant["config"], variant.get("extra", {})
    folder = os.path.join(parent, name)
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(seed)
    kinds = extra.get("storage", ["BF16"])
    weights = random_weights(config, rng, extra)
    dtype = {n: kinds[i % len(kinds)] for i, n in enumerate(weights)}
    model = Family(config, {n: st.stored(x, dtype[n]) for n, x in weights.items()})
    values, error = golden_of(model, rng, extra.get("length", 24))
    files = {n: (dtype[n], x) for n, x in weights.items()}
    if extra.get("shards"):
        st.write_shards(folder, files, extra["shards"])
    else:
        st.write_file(os.path.join(folder, "model.safetensors"), files)
    write_golden(folder, values)
    write_json(os.path.join(folder, "config.json"), config)
    write_json(os.path.join(folder, "golden.json"), facts(name, config, error, variant["note"]))
    print(f"{folder}: float32 against float64 {error['logits']:.2e}")


def check(folder):
    with open(os.path.join(folder, "config.json")) as f:
        model = Family(json.load(f), st.read_folder(folder))
    want = st.read_file(os.path.join(folder, "golden.safetensors"))
    got = model.forward(want["input_ids"], np.float64)
    worst = {n: float(np.abs(x - want[n]).max()) for n, x in got.items() if n in want}
    path = np.concatenate([want["input_ids"], want["greedy_ids"][:-1]])
    tail = model.forward(path, np.float64)["logits"][-len(want["greedy_ids"]):]
    worst["greedy_logits"] = float(np.abs(tail - want["greedy_logits"]).max())
    print(f"{folder}: " + ", ".join(f"{n} {e:.1e}" for n, e in worst.items()))
    return max(worst.values()) < 1e-4


def main():
    if len(sys.argv) > 2 and sys.argv[1] == "make":
        for seed, v in enumerate(VARIANTS):
            if len(sys.argv) == 3 or v["name"] in sys.argv[3:]:
                make(sys.argv[2], v, 1000 + seed)
        return 0
    if len(sys.argv) > 2 and sys.argv[1] == "check":
        return 0 if all([check(folder) for folder in sys.argv[2:]]) else 1
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
