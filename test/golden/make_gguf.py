#!/usr/bin/env python3
"""make_gguf.py DIR [NAME...]: tiny GGUF models with random weights, and their golden
numbers. Needs the gguf package, whose quantisers and dequantisers say what the
blocks mean; keys, names and row orders are those that llama.cpp's converter writes."""
import os
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

import make_golden as mg
from family import Family, base_freq, llama3_freq

NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
         "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
         "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
         "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
         "block_sparse_moe.gate": "ffn_gate_inp"}
EXPERT = {"w1": "ffn_gate", "w2": "ffn_down", "w3": "ffn_up"}
PAIRED = ("llama", "mistral3") # whose q and k rows come as rotation pairs
SIZES = {"hidden_size": 32, "intermediate_size": 64, "head_dim": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "vocab_size": 64, "max_position_embeddings": 128, "rms_norm_eps": 1e-5,
         "tie_word_embeddings": False, "rope_theta": 10000.0}
LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 16}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}

# name: (model_type, settings, types of the matrices in turn, further keys)
VARIANTS = {
    "gguf-llama3": ("llama", {"rope_scaling": LLAMA3, "rope_theta": 1000.0}, ["F16", "F32", "BF16"], {}),
    "gguf-q4_0": ("llama", {"tie_word_embeddings": True, "head_dim": 32}, ["Q4_0"], {}),
    "gguf-q4_1": ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 2.5}}, ["Q4_1"],
                  {"rope.scaling.type": "linear", "rope.scaling.factor": 2.5}),
    "gguf-q5_0": ("llama", {"rope_scaling": {"rope_type": "linear", "factor": 4.0}}, ["Q5_0"],
                  {"rope.scale_linear": 4.0}), # the key of 2023
    "gguf-q5_1": ("llama", {"rope_scaling": {**YARN, "attention_factor": (0.1 * np.log(4) + 1) * 0.8, "beta_fast": 8.0,
                                             "beta_slow": 0.5}, "rope_theta": 500.0}, ["Q5_1"],
                  {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0, "rope.scaling.original_context_length": 32,
                   "rope.scaling.attn_factor": 0.8, "rope.scaling.yarn_beta_fast": 8.0,
                   "rope.scaling.yarn_beta_slow": 0.5}),
    "gguf-biases": ("llama", {"attention_bias": True, "mlp_bias": True, "head_dim": 24}, ["Q8_0"], {}),
    "gguf-none": ("llama", {"num_key_value_heads": 4, "head_dim": None}, ["Q8_0", "Q4_0"], {"rope.scaling.type": "none"}),
    "gguf-qwen2": ("qwen2", {"tie_word_embeddings": True, "head_dim": None}, ["Q8_0", "Q4_1"], {}),
    "gguf-qwen2-yarn": ("qwen2", {"rope_scaling": YARN, "rope_theta": 1000000.0}, ["Q4_0", "Q5_1", "F16"],
                        {"rope.scaling.type": "yarn", "rope.scaling.factor": 4.0,
                         "rope.scaling.original_context_length": 32}),
    "gguf-qwen3": ("qwen3", {"head_dim": 24, "rope_theta": 1000000.0}, ["BF16", "Q5_0"], {}),
    "gguf-mistral": ("mistral", {"sliding_window": None}, ["Q8_0", "BF16"], {}),
    # experts in one tensor each, as in files of 2023, and all of a layer in one
    "gguf-experts-old": ("mixtral", {"num_local_experts": 3, "num_experts_per_tok": 2}, ["Q8_0", "F16"], {}),
    "gguf-experts": ("mixtral", {"num_local_experts": 4, "num_experts_per_tok": 2}, ["Q4_0", "Q8_0", "Q5_0"], {}),
    # widths of 256 where blocks of 256 go, as in files of llama-quantize
    "gguf-k": ("llama", {"hidden_size": 256, "intermediate_size": 32, "vocab_size": 40, "num_attention_heads": 2,
                          "num_key_value_heads": 1, "num_hidden_layers": 1, "rms_norm_eps": 1e-6},
               ["Q4_K", "Q6_K"], {}),
    "gguf-k-tied": ("qwen3", {"hidden_size": 256, "intermediate_size": 256, "head_dim": 64, "vocab_size": 40,
                              "num_hidden_layers": 1, "tie_word_embeddings": True}, ["Q6_K", "Q4_K"], {}),
}


def random_blocks(rng, shape, kind, std):
    """Bytes of any valid q4_K or q6_K matrix whose values spread by about std."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (shape[0], shape[1] // 256, size), dtype=np.uint8)
    if kind == Type.Q4_K: # d, dmin, 6-bit scales and minima, 4-bit numbers
        scale = rng.uniform(0.5, 1.5, blocks.shape[:2] + (2,)) * std / 170 * (1, 7.5)
        blocks[..., :4] = scale.astype(np.float16).view(np.uint8).reshape(blocks.shape[:2] + (4,))
    else: # d is the last
        scale = rng.uniform(0.5, 1.5, blocks.shape[:2] + (1,)) * std / 1370
        blocks[..., -2:] = scale.astype(np.float16).view(np.uint8)
    return blocks.reshape(shape[0], -1)


def file_rows(x, heads):
    """Rows of q and k in halves to rows in pairs, as the converter orders them for llama."""
    return x.reshape(heads, 2, -1, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def model_rows(x, heads):
    return x.reshape(heads, -1, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def gguf_name(name):
    base, kind = name.rsplit(".", 1)
    if base.startswith("model.layers."):
        _, _, layer, rest = base.split(".", 3)
        if ".experts." in rest:
            _, _, expert, matrix = rest.split(".")
            return f"blk.{layer}.{EXPERT[matrix]}.{expert}.{kind}"
        return f"blk.{layer}.{NAMES[rest]}.{kind}"
    return f"{NAMES[base]}.{kind}"


def stack_name(name):
    """blk.0.ffn_up.3.weight to blk.0.ffn_up_exps.weight"""
    blk, layer, matrix, _, kind = name.split(".")
    return f"{blk}.{layer}.{matrix}_exps.{kind}"


def encode(x, kind, rng):
    """(bytes as the writer wants them, type, the values that they stand for)."""
    if x.ndim == 1:
        return x, Type.F32, x
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    if x.shape[1] % block: # as llama-quantize does
        kind = Type.Q8_0
    if kind in (Type.Q4_K, Type.Q6_K):
        data = random_blocks(rng, x.shape, kind, float(x.std()))
    else:
        data = gguf.quants.quantize(x, kind)
    return data, kind, gguf.quants.dequantize(data, kind).astype(np.float32)


def write_keys(w, arch, m, keys):
    c = m.c
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_block_count(c["num_hidden_layers"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(m.heads)
    w.add_head_count_kv(m.kv_heads)
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_rope_freq_base(c["rope_theta"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    if c["head_dim"]:
        w.add_key_length(m.dim)
        w.add_value_length(m.dim)
    if arch in PAIRED:
        w.add_vocab_size(c["vocab_size"])
        w.add_rope_dimension_count(m.dim)
    if "num_local_experts" in c:
        w.add_expert_count(c["num_local_experts"])
        w.add_expert_used_count(c["num_experts_per_tok"])
    for key, value in keys.items():
        add = w.add_string if isinstance(value, str) else w.add_uint32 if isinstance(value, int) else w.add_float32
        add(f"{arch}.{key}", value)


def make(parent, name, seed):
    kind_of_model, settings, kinds, keys = VARIANTS[name]
    arch = {"mistral": "mistral3", "mixtral": "llama"}.get(kind_of_model, kind_of_model)
    config = {"model_type": kind_of_model, **SIZES, **settings}
    folder, rng = os.path.join(parent, name), np.random.default_rng(seed)
    os.makedirs(folder, exist_ok=True)
    weights, m = mg.random_weights(config, rng, {}), Family(config, {})
    w = gguf.GGUFWriter(os.path.join(folder, "model.gguf"), arch)
    write_keys(w, arch, m, keys)
    stacks = {} # of one matrix of all experts: name to type and parts
    turn, n = {"attn_q": m.heads, "attn_k": m.kv_heads} if arch in PAIRED else {}, 0
    for hf, x in weights.items():
        to = gguf_name(hf)
        heads = turn.get(to.split(".")[-2])
        whole = stack_name(to) if ".experts." in hf and not name.endswith("-old") else None
        kind = stacks[whole][0] if whole in stacks else Type[kinds[n % len(kinds)]]
        n += x.ndim > 1
        data, kind, values = encode(file_rows(x, heads) if heads else x, kind, rng)
        if whole:
            stacks.setdefault(whole, (kind, []))[1].append(data)
        else:
            w.add_tensor(to, data, raw_dtype=kind)
        m.t[hf] = model_rows(values, heads) if heads else values
    for to, (kind, parts) in stacks.items():
        w.add_tensor(to, np.stack(parts), raw_dtype=kind)
    if config.get("rope_scaling", {}).get("rope_type") == "llama3":
        r = {**config["rope_scaling"], "rope_theta": config["rope_theta"]}
        divisors = base_freq(r["rope_theta"], m.dim) / llama3_freq(r, m.dim)
        w.add_tensor("rope_freqs.weight", divisors.astype(np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
    values, error = mg.golden_of(m, rng, 20 if config["hidden_size"] < 256 else 12)
    mg.write_golden(folder, values)
    note = f"GGUF, {arch}, {', '.join(kinds)}"
    mg.write_json(os.path.join(folder, "golden.json"), mg.facts(name, config, error, note))
    print(f"{folder}: float32 against float64 {error['logits']:.2e}")


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    for seed, name in enumerate(VARIANTS):
        if len(sys.argv) == 2 or name in sys.argv[2:]:
            make(sys.argv[1], name, 2000 + seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
