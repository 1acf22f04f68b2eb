#!/usr/bin/env python3
"""make_hymba.py DIR: a tiny Hymba with random weights and its golden numbers, in
options that the kit's folders leave out: biases of the projections, squared ReLU,
plain positions, a head of its own, dt rank "auto", a group of three layers.
Written from the release's description, one forward pass without cache, as family.py."""
import os
import sys

import numpy as np

import make_golden as golden
import tensors as st
from family import base_freq

CONFIG = {"architectures": ["HymbaForCausalLM"], "model_type": "hymba", "hidden_size": 32, "intermediate_size": 40,
          "num_hidden_layers": 5, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 64, "mamba_expand": 2,
          "mamba_d_state": 4, "mamba_d_conv": 3, "mamba_dt_rank": "auto", "mamba_conv_bias": True, "mamba_proj_bias": True,
          "mamba_inner_layernorms": True, "num_memory_tokens": 6, "memory_tokens_interspersed_every": 0,
          "sliding_window": 7, "global_attn_idx": [0, 4], "kv_reuse_group": [[1, 2, 3]], "kv_reuse_every_i_layer": -1,
          "rope": True, "rope_type": None, "rope_theta": 100.0, "max_position_embeddings": 256,
          "orig_max_position_embeddings": 256, "rms_norm_eps": 1e-5, "hidden_act": "silu", "mlp_hidden_act": "relu2",
          "kq_norm": "none", "kq_head_dim": -1, "attn_hidden_size": -1, "v_head_dim": 16, "num_experts": 1, "num_mamba": 1,
          "tie_word_embeddings": False, "layer_type": ["h"] * 5, "bos_token_id": 1, "eos_token_id": 2}


class Hymba:
    def __init__(self, config, tensors):
        self.c, self.t = config, tensors
        c = config
        self.inner, self.heads, self.kv_heads = c["mamba_expand"] * c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
        self.dim, self.v_dim = c["hidden_size"] // self.heads, self.inner // self.heads
        self.rank = -(-c["hidden_size"] // 16)
        self.producer = {i: g[0] for g in c["kv_reuse_group"] for i in g}

    def owns(self, layer):
        return self.producer.get(layer, layer) == layer

    def shapes(self):
        """Name -> (shape, spread), spread None: a norm's weights."""
        c, h, d, n = self.c, self.c["hidden_size"], self.inner, self.c["mamba_d_state"]
        out = {"model.embed_tokens.weight": ((c["vocab_size"], h), 1.0), "model.memory_tokens": ((c["num_memory_tokens"], h), 1.0)}
        for i in range(c["num_hidden_layers"]):
            p = f"model.layers.{i}."
            kv = self.kv_heads * (self.dim + self.v_dim) if self.owns(i) else 0
            rows = self.heads * self.dim + kv + 2 * d
            out.update({
                p + "input_layernorm.weight": ((h,), None), p + "pre_moe_layernorm.weight": ((h,), None),
                p + "mamba.in_proj.weight": ((rows, h), 1.5 / np.sqrt(h)), p + "mamba.in_proj.bias": ((rows,), 0.3),
                p + "mamba.conv1d.weight": ((d, 1, c["mamba_d_conv"]), 0.5), p + "mamba.conv1d.bias": ((d,), 0.3),
                p + "mamba.x_proj.0.weight": ((self.rank + 2 * n, d), 1 / np.sqrt(d)),
                p + "mamba.dt_proj.0.weight": ((d, self.rank), 1.0), p + "mamba.dt_proj.0.bias": ((d,), 1.5),
                p + "mamba.A_log.0": ((d, n), 1.0), p + "mamba.D.0": ((d,), 1.0),
                p + "mamba.dt_layernorm.weight": ((self.rank,), None), p + "mamba.B_layernorm.weight": ((n,), None),
                p + "mamba.C_layernorm.weight": ((n,), None),
                p + "mamba.pre_avg_layernorm1.weight": ((d,), None), p + "mamba.pre_avg_layernorm2.weight": ((d,), None),
                p + "mamba.out_proj.weight": ((h, d), 1 / np.sqrt(d)), p + "mamba.out_proj.bias": ((h,), 0.3),
                p + "moe.experts.0.up_proj.weight": ((c["intermediate_size"], h), 1 / np.sqrt(h)),
                p + "moe.experts.0.down_proj.weight": ((h, c["intermediate_size"]), 1 / np.sqrt(h))})
        out["model.final_layernorm.weight"] = ((h,), None)
        out["lm_head.weight"] = ((c["vocab_size"], h), 2 / np.sqrt(h))
        return out

    def get(self, name, dtype):
        return self.t[name].astype(dtype)

    def norm(self, x, name, dtype):
        mean = np.mean(x * x, axis=-1, keepdims=True)
        return x / np.sqrt(mean + dtype(self.c["rms_norm_eps"])) * self.get(name + ".weight", dtype)

    def attention(self, layer, q, rows, dtype):
        """rows: k and v of the layer that owns them, k turned."""
        n, share = len(q), self.heads // self.kv_heads
        q = self.turn(q.reshape(n, self.heads, self.dim), dtype)
        k, v = (np.repeat(x, share, axis=1) for x in rows)
        scores = np.einsum("qhd,khd->hqk", q, k) * dtype(self.dim ** -0.5)
        i, j = np.arange(n)[:, None], np.arange(n)[None, :]
        seen = j <= i
        if layer not in self.c["global_attn_idx"]:
            seen &= (j < self.c["num_memory_tokens"]) | (i - j <= self.c["sliding_window"])
        scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return np.einsum("hqk,khd->qhd", weights, v).reshape(n, -1)

    def turn(self, x, dtype):
        freq = base_freq(self.c["rope_theta"], self.dim).astype(np.float32)
        angle = (np.arange(len(x), dtype=np.float32)[:, None] * freq).astype(dtype)
        cos, sin = np.cos(angle)[:, None, :], np.sin(angle)[:, None, :]
        a, b = x[..., :self.dim // 2], x[..., self.dim // 2:]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)

    def mamba(self, p, x, z, dtype):
        """The branch's rows, the newest inputs of the convolution, the state."""
        n, taps = self.c["mamba_d_state"], self.get(p + "conv1d.weight", dtype)[:, 0]
        padded = np.concatenate([np.zeros((taps.shape[1] - 1, self.inner), dtype), x])
        u = sum(padded[k:k + len(x)] * taps[:, k] for k in range(taps.shape[1])) + self.get(p + "conv1d.bias", dtype)
        u = u / (1 + np.exp(-u))
        low, b, c = np.split(u @ self.get(p + "x_proj.0.weight", dtype).T, [self.rank, self.rank + n], axis=1)
        low, b, c = (self.norm(v, p + name + "_layernorm", dtype) for v, name in ((low, "dt"), (b, "B"), (c, "C")))
        dt = np.log1p(np.exp(low @ self.get(p + "dt_proj.0.weight", dtype).T + self.get(p + "dt_proj.0.bias", dtype)))
        a, state, y = -np.exp(self.get(p + "A_log.0", dtype)), np.zeros((self.inner, n), dtype), np.empty_like(u)
        for t in range(len(u)):
            state = np.exp(dt[t][:, None] * a) * state + (dt[t] * u[t])[:, None] * b[t][None, :]
            y[t] = state @ c[t] + self.get(p + "D.0", dtype) * u[t]
        return y * z / (1 + np.exp(-z)), padded[-taps.shape[1]:].T, state

    def forward(self, ids, dtype):
        c, out, rows = self.c, {}, {}
        memory = c["num_memory_tokens"]
        x = np.concatenate([self.get("model.memory_tokens", dtype), self.get("model.embed_tokens.weight", dtype)[ids]])
        for i in range(c["num_hidden_layers"]):
            out[f"hidden.{i}"], p, n = x, f"model.layers.{i}.", len(x)
            u = self.norm(x, p + "input_layernorm", dtype) @ self.get(p + "mamba.in_proj.weight", dtype).T
            u = u + self.get(p + "mamba.in_proj.bias", dtype)
            q, rest = np.split(u, [self.heads * self.dim], axis=1)
            if self.owns(i):
                k, v, rest = np.split(rest, np.cumsum([self.kv_heads * self.dim, self.kv_heads * self.v_dim]), axis=1)
                rows[i] = self.turn(k.reshape(n, self.kv_heads, self.dim), dtype), v.reshape(n, self.kv_heads, self.v_dim)
            a = self.attention(i, q, rows[self.producer.get(i, i)], dtype)
            m, conv, state = self.mamba(p + "mamba.", *np.split(rest, 2, axis=1), dtype)
            out.update({f"branch.attn.{i}": a[-4:], f"branch.mamba.{i}": m[-4:], f"conv_state.{i}": conv, f"ssm_state.{i}": state})
            both = (self.norm(a, p + "mamba.pre_avg_layernorm1", dtype) + self.norm(m, p + "mamba.pre_avg_layernorm2", dtype)) / 2
            x = x + both @ self.get(p + "mamba.out_proj.weight", dtype).T + self.get(p + "mamba.out_proj.bias", dtype)
            g = self.norm(x, p + "pre_moe_layernorm", dtype) @ self.get(p + "moe.experts.0.up_proj.weight", dtype).T
            x = x + np.maximum(g, 0) ** 2 @ self.get(p + "moe.experts.0.down_proj.weight", dtype).T
        out["hidden_pre_norm"] = x
        out[f"hidden.{c['num_hidden_layers']}"] = x = self.norm(x, "model.final_layernorm", dtype)
        out["logits"] = x[memory:] @ self.get("lm_head.weight", dtype).T
        return out


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    rng, folder = np.random.default_rng(7), sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    shapes = Hymba(CONFIG, {}).shapes()
    weights = {n: (rng.standard_normal(s) * (0.2 if std is None else std) + (std is None)).astype(np.float32)
               for n, (s, std) in shapes.items()}
    dtype = {n: "F32" if "A_log" in n or ".D." in n else "BF16" for n in weights}
    model = Hymba(CONFIG, {n: st.stored(x, dtype[n]) for n, x in weights.items()})
    values, error = golden.golden_of(model, rng, 30)
    st.write_file(os.path.join(folder, "model.safetensors"), {n: (dtype[n], x) for n, x in weights.items()})
    golden.write_golden(folder, values)
    golden.write_json(os.path.join(folder, "config.json"), CONFIG)
    facts = golden.facts("hymba-options", CONFIG, error, "options that the kit's Hymba folders leave out")
    facts["tolerance"].update(state=facts["tolerance"]["hidden"], branch=facts["tolerance"]["hidden"])
    golden.write_json(os.path.join(folder, "golden.json"), facts)
    print(f"{folder}: float32 against float64 {error['logits']:.2e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
