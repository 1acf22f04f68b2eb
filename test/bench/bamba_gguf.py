#!/usr/bin/env python3
"""bamba_gguf.py FOLDER OUT.gguf: a Bamba folder of ../shared/bench/make_model.py as the
GGUF file that llama.cpp knows as granitehybrid, to compare what both do with states.
Rows of q and k are not reordered for llama.cpp's rotation: weights are random, and
speed does not depend on them. Matrices become f16. Needs numpy and the gguf package."""
import json
import pathlib
import sys

import gguf
import numpy as np

NAMES = {"input_layernorm.weight": "attn_norm.weight", "self_attn.q_proj.weight": "attn_q.weight",
         "self_attn.k_proj.weight": "attn_k.weight", "self_attn.v_proj.weight": "attn_v.weight",
         "self_attn.o_proj.weight": "attn_output.weight", "mamba.in_proj.weight": "ssm_in.weight",
         "mamba.conv1d.weight": "ssm_conv1d.weight", "mamba.conv1d.bias": "ssm_conv1d.bias", "mamba.dt_bias": "ssm_dt.bias",
         "mamba.A_log": "ssm_a", "mamba.D": "ssm_d", "mamba.norm.weight": "ssm_norm.weight", "mamba.out_proj.weight": "ssm_out.weight",
         "pre_ff_layernorm.weight": "ffn_norm.weight", "feed_forward.gate_proj.weight": "ffn_gate.weight",
         "feed_forward.up_proj.weight": "ffn_up.weight", "feed_forward.down_proj.weight": "ffn_down.weight"}
TOP = {"model.embed_tokens.weight": "token_embd.weight", "model.final_layernorm.weight": "output_norm.weight",
       "lm_head.weight": "output.weight"}


def tensors(path):
    """(name, bf16 values as uint16) of a safetensors file."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    size = int(data[:8].view("<u8")[0])
    for name, info in json.loads(bytes(data[8:8 + size])).items():
        if name != "__metadata__":
            begin, end = (8 + size + o for o in info["data_offsets"])
            yield name, data[begin:end].view("<u2").reshape(info["shape"])


def new_name(name):
    if name in TOP:
        return TOP[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{NAMES[rest]}"


def f32(bf16):
    return (bf16.astype(np.uint32) << 16).view(np.float32)


def settings(w, c):
    layers = c["num_hidden_layers"]
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_block_count(layers)
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(c["num_attention_heads"])
    w.add_head_count_kv([c["num_key_value_heads"] if i in c["attn_layer_indices"] else 0 for i in range(layers)])
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_rope_dimension_count(c["attn_rotary_emb"])
    w.add_rope_freq_base(c["rope_theta"])
    w.add_rope_scaling_finetuned(True)
    w.add_vocab_size(c["vocab_size"])
    w.add_ssm_conv_kernel(c["mamba_d_conv"])
    w.add_ssm_state_size(c["mamba_d_state"])
    w.add_ssm_group_count(c["mamba_n_groups"])
    w.add_ssm_inner_size(c["mamba_expand"] * c["hidden_size"])
    w.add_ssm_time_step_rank(c["mamba_n_heads"])
    w.add_tokenizer_model("none")


def main(folder, out):
    c = json.loads((pathlib.Path(folder) / "config.json").read_text())
    w = gguf.GGUFWriter(out, "granitehybrid")
    settings(w, c)
    for name, bits in tensors(pathlib.Path(folder) / "model.safetensors"):
        to = new_name(name)
        if to.endswith("ssm_a"):
            w.add_tensor(to, -np.exp(f32(bits)).reshape(-1, 1))
        elif to.endswith("ssm_d"):
            w.add_tensor(to, f32(bits).reshape(-1, 1))
        elif to.endswith("ssm_norm.weight"):
            w.add_tensor(to, f32(bits).reshape(c["mamba_n_groups"], -1))
        elif bits.squeeze().ndim == 1 or "conv1d" in to:
            w.add_tensor(to, f32(bits).squeeze())
        else:
            w.add_tensor(to, f32(bits).astype(np.float16)) # on CPUs without bf16 dot products far faster there than bf16
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


main(*sys.argv[1:])
