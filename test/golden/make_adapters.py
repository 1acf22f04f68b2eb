#!/usr/bin/env python3
"""make_adapters.py MODELS DIR: tiny adapters with random numbers for some of the MODELS, into DIR, and the golden numbers
of the models whose matrices they change: w + s B A (LoRA), and of each row m / |w + s B A| of that (DoRA).
The one for a GGUF model needs the gguf package."""
import json
import os
import sys

import numpy as np

import make_golden as mg
import tensors as st
from family import Family

LENGTH = 20
WANTED = ("input_ids", "logits", "greedy_ids", "greedy_logits", "input_ids.b0", "logits.b0", "input_ids.b1", "logits.b1")

# name: (base, ends of names, settings of PEFT)
PEFT = {
    "lora": ("types", ("q_proj", "v_proj", "down_proj", "lm_head"),
             {"r": 3, "lora_alpha": 5, "rank_pattern": {"v_proj": 1}, "alpha_pattern": {"layers.1.mlp.down_proj": 2}}),
    "lora-root": ("biases", ("k_proj", "o_proj", "gate_proj", "up_proj"), {"r": 4, "lora_alpha": 3, "use_rslora": True}),
    "dora": ("types", ("q_proj", "o_proj", "up_proj"), {"r": 2, "lora_alpha": 3, "use_dora": True}),
}


def setting(config, key, name, default):
    """A value of a pattern for a matrix, as PEFT finds it."""
    found = [v for k, v in config.get(key, {}).items() if name == k or name.endswith("." + k)]
    return found[0] if found else default


def factors(rng, shape, rank):
    """A and B that change a matrix about as much as it is."""
    a = (rng.standard_normal((rank, shape[1])) / np.sqrt(shape[1])).astype(np.float32)
    return a, (rng.standard_normal((shape[0], rank)) * 0.7).astype(np.float32)


def change(weight, a, b, scale, magnitude):
    w = weight.astype(np.float64) + scale * (b.astype(np.float64) @ a.astype(np.float64))
    if magnitude is not None:
        w *= (magnitude.astype(np.float64) / np.linalg.norm(w, axis=1))[:, None]
    return w


def finish(models, folder, model, base, rng, note):
    values, error = mg.golden_of(model, rng, LENGTH)
    mg.write_golden(folder, {n: values[n] for n in WANTED})
    name = os.path.basename(folder)
    mg.write_json(os.path.join(folder, "golden.json"),
                  {**mg.facts(name, model.c, error, note), "base": os.path.relpath(os.path.join(models, base), folder)})
    print(f"{folder}: float32 against float64 {error['logits']:.2e}")


def make_peft(models, parent, name, seed):
    base, ends, config = PEFT[name]
    folder, rng = os.path.join(parent, name), np.random.default_rng(seed)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(models, base, "config.json")) as f:
        model = Family(json.load(f), st.read_folder(os.path.join(models, base)))
    files, kinds = {}, ("F32", "F16", "BF16")
    for i, tensor in enumerate(n for n in list(model.t) if n.endswith(tuple(e + ".weight" for e in ends))):
        w, module = model.t[tensor], tensor.removesuffix(".weight")
        rank = setting(config, "rank_pattern", module, config["r"])
        alpha = setting(config, "alpha_pattern", module, config["lora_alpha"])
        kind, to = kinds[i % 3], "base_model.model." + module
        a, b = (st.stored(x, kind) for x in factors(rng, w.shape, rank))
        files[to + ".lora_A.weight"], files[to + ".lora_B.weight"] = (kind, a), (kind, b)
        magnitude = None
        if config.get("use_dora"):
            magnitude = st.stored(np.linalg.norm(w, axis=1) * rng.uniform(0.5, 1.5, w.shape[0]), "F32")
            files[to + ".lora_magnitude_vector"] = ("F32", magnitude)
        scale = alpha / (np.sqrt(rank) if config.get("use_rslora") else rank)
        model.t[tensor] = change(w, a, b, scale, magnitude)
    st.write_file(os.path.join(folder, "adapter_model.safetensors"), files)
    mg.write_json(os.path.join(folder, "adapter_config.json"),
                  {"peft_type": "LORA", "bias": "none", "target_modules": list(ends), **config})
    finish(models, folder, model, base, rng, f"{len(files)} tensors on {base}")


def make_gguf(models, parent, name, base, seed):
    import gguf

    import make_gguf as gg
    settings = {**gg.SIZES, **gg.VARIANTS[base][1], "model_type": "llama"}
    folder, rng = os.path.join(parent, name), np.random.default_rng(seed)
    os.makedirs(folder, exist_ok=True)
    read = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32)
            for t in gguf.GGUFReader(os.path.join(models, base, "model.gguf")).tensors}
    model = Family(settings, {})
    turn = {"attn_q": model.heads, "attn_k": model.kv_heads}
    w = gguf.GGUFWriter(os.path.join(folder, "adapter.gguf"), "llama")
    w.add_type("adapter")
    w.add_string("adapter.type", "lora")
    w.add_float32("adapter.lora.alpha", 5.0)
    for hf in mg.random_weights(settings, np.random.default_rng(0), {}):
        to = gg.gguf_name(hf)
        heads = turn.get(to.split(".")[-2])
        x = gg.model_rows(read[to], heads) if heads else read[to]
        if to.split(".")[-2] in ("attn_q", "attn_k", "attn_output", "ffn_up"):
            a, b = factors(rng, x.shape, 2)
            w.add_tensor(to + ".lora_a", a)
            w.add_tensor(to + ".lora_b", gg.file_rows(b, heads) if heads else b)
            x = change(x, a, b, 5.0 / 2, None)
        model.t[hf] = x
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    finish(models, folder, model, base + "/model.gguf", rng, f"GGUF, on {base}")


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    for seed, name in enumerate(PEFT):
        make_peft(*sys.argv[1:], name, 3000 + seed)
    make_gguf(*sys.argv[1:], "gguf-lora", "gguf-q4_0", 3100)
    return 0


if __name__ == "__main__":
    sys.exit(main())
