#!/usr/bin/env python3
"""make_hybrids.py DIR: tiny Falcon-H1, Zamba2 and Qwen3.5 folders with random weights
and their golden numbers, in options that the kit's folders leave out. Written from
the formulas of transformers' modeling files: one forward pass without cache, token
by token where there is a recurrence."""
import math
import os
import sys

import numpy as np

import make_golden as golden
import tensors as st
from family import base_freq

COMMON = {"vocab_size": 64, "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2}
CONFIGS = {
    # norm before the gate, in groups; every bias; the width of Mamba-2 from mamba_expand
    "falcon-h1-options": {
        **COMMON, "architectures": ["FalconH1ForCausalLM"], "model_type": "falcon_h1", "hidden_size": 32,
        "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12,
        "mamba_d_ssm": None, "mamba_expand": 2, "mamba_n_heads": 4, "mamba_d_head": "auto", "mamba_n_groups": 2,
        "mamba_d_state": 6, "mamba_d_conv": 3, "mamba_conv_bias": True, "mamba_proj_bias": True, "projectors_bias": True,
        "mamba_rms_norm": True, "mamba_norm_before_gate": True, "attention_bias": True, "mlp_bias": True,
        "time_step_limit": [0.2, 1.5], "rope_theta": 100.0, "attention_in_multiplier": 0.8, "attention_out_multiplier": 1.2,
        "embedding_multiplier": 1.7, "lm_head_multiplier": 0.6, "key_multiplier": 0.7, "mlp_multipliers": [0.9, 1.3],
        "ssm_in_multiplier": 1.4, "ssm_out_multiplier": 0.75, "ssm_multipliers": [0.6, 1.5, 0.8, 1.1, 1.25],
        "tie_word_embeddings": True},
    # one block for three layers, no adapters of attention, shared key/value heads, no positions, biases, groups, a head
    "zamba2-options": {
        **COMMON, "architectures": ["Zamba2ForCausalLM"], "model_type": "zamba2", "hidden_size": 32, "intermediate_size": 40,
        "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "num_mem_blocks": 1, "adapter_rank": 3,
        "use_shared_attention_adapter": False, "use_mem_rope": False, "add_bias_linear": True, "n_mamba_heads": 4,
        "mamba_expand": 2, "mamba_ngroups": 2, "mamba_d_state": 6, "mamba_d_conv": 2, "time_step_min": 0.3,
        "rms_norm_eps": 1e-4, "layers_block_type": ["hybrid", "mamba", "hybrid", "hybrid"], "hidden_act": "gelu",
        "tie_word_embeddings": False},
    # value heads of their own size, three to a key head; biases of attention; layers by interval
    "qwen3_5-options": {
        **COMMON, "architectures": ["Qwen3_5ForCausalLM"], "model_type": "qwen3_5_text", "hidden_size": 32,
        "intermediate_size": 40, "num_hidden_layers": 4, "full_attention_interval": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 12, "attention_bias": True, "linear_num_key_heads": 2,
        "linear_num_value_heads": 6, "linear_key_head_dim": 10, "linear_value_head_dim": 7, "linear_conv_kernel_dim": 3,
        "rope_parameters": {"rope_type": "default", "rope_theta": 100.0, "partial_rotary_factor": 0.5},
        "tie_word_embeddings": True},
}


def silu(x):
    return x / (1 + np.exp(-x))


def gelu(x):
    return x * np.vectorize(lambda v: 0.5 * math.erfc(-v / math.sqrt(2)))(x.astype(np.float64)).astype(x.dtype)


class Hybrid:
    """What the families share. shapes: name -> (shape, spread), spread None for the weights of a norm."""

    def __init__(self, config, tensors=None):
        self.c, self.t, self.shapes = config, tensors or {}, {}
        h, v = config["hidden_size"], config["vocab_size"]
        self.hidden, self.heads, self.kv_heads = h, config["num_attention_heads"], config["num_key_value_heads"]
        self.add("model.embed_tokens.weight", (v, h), 1.0)
        if not config["tie_word_embeddings"]:
            self.add("lm_head.weight", (v, h), 2 / np.sqrt(h))
        for i in range(config["num_hidden_layers"]):
            self.add_layer(i, f"model.layers.{i}.")

    def add(self, name, shape, spread):
        self.shapes[name] = shape, spread

    def add_linear(self, name, rows, cols, bias=False):
        self.add(name + ".weight", (rows, cols), 1.2 / np.sqrt(cols))
        if bias:
            self.add(name + ".bias", (rows,), 0.3)

    def add_mamba2(self, p, bias_in, bias_out):
        inner, n, g, heads, window = self.ssm
        channels = inner + 2 * g * n
        self.add_linear(p + "in_proj", inner + channels + heads, self.hidden, bias_in)
        self.add_linear(p + "out_proj", self.hidden, inner, bias_out)
        self.add(p + "conv1d.weight", (channels, 1, window), 0.5)
        self.add(p + "conv1d.bias", (channels,), 0.3)
        for name in ("A_log", "D", "dt_bias"):
            self.add(p + name, (heads,), 1.0)
        self.add(p + "norm.weight", (inner,), None)

    def get(self, name, dtype):
        return self.t[name].astype(dtype)

    def linear(self, x, name):
        y = x @ self.get(name + ".weight", x.dtype).T
        return y + self.get(name + ".bias", x.dtype) if name + ".bias" in self.t else y

    def norm(self, x, name, eps=None, one=0):
        mean = np.mean(x * x, axis=-1, keepdims=True)
        return x / np.sqrt(mean + x.dtype.type(eps or self.c["rms_norm_eps"])) * (one + self.get(name + ".weight", x.dtype))

    def turn(self, x, theta, dims):
        angle = (np.arange(len(x), dtype=np.float32)[:, None] * base_freq(theta, dims).astype(np.float32)).astype(x.dtype)
        cos, sin = np.cos(angle)[:, None, :], np.sin(angle)[:, None, :]
        a, b = x[..., :dims // 2], x[..., dims // 2:dims]
        return np.concatenate([a * cos - b * sin, b * cos + a * sin, x[..., dims:]], axis=-1)

    def attend(self, q, k, v, scale):
        n, share = len(q), self.heads // self.kv_heads
        k, v = np.repeat(k, share, axis=1), np.repeat(v, share, axis=1)
        scores = np.einsum("qhd,khd->hqk", q, k) * q.dtype.type(scale)
        scores = np.where(np.tri(n, dtype=bool), scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        return np.einsum("hqk,khd->qhd", weights, v).reshape(n, -1)

    def convolve(self, x, p):
        """Rows through the convolution and SiLU, and its newest inputs."""
        taps = self.get(p + "conv1d.weight", x.dtype)[:, 0]
        padded = np.concatenate([np.zeros((taps.shape[1] - 1, x.shape[1]), x.dtype), x])
        u = sum(padded[k:k + len(x)] * taps[:, k] for k in range(taps.shape[1]))
        if p + "conv1d.bias" in self.t:
            u = u + self.get(p + "conv1d.bias", x.dtype)
        return silu(u), padded[-taps.shape[1]:].T

    def mamba2(self, rows, p, limits):
        """The scan's rows and the gate, from projected rows."""
        inner, n, g, heads, _ = self.ssm
        z, x, dt = np.split(rows, [inner, 2 * inner + 2 * g * n], axis=1)
        u, conv = self.convolve(x, p)
        u, b, c = np.split(u, [inner, inner + g * n], axis=1)
        u = u.reshape(len(u), heads, -1)
        b, c = (np.repeat(v.reshape(len(v), g, n), heads // g, axis=1) for v in (b, c))
        dt = np.clip(np.log1p(np.exp(dt + self.get(p + "dt_bias", rows.dtype))), *limits)
        a, skip = -np.exp(self.get(p + "A_log", rows.dtype)), self.get(p + "D", rows.dtype)
        state, y = np.zeros((heads, u.shape[2], n), rows.dtype), np.empty_like(u)
        for t in range(len(u)):
            state = np.exp(dt[t] * a)[:, None, None] * state + (dt[t][:, None] * u[t])[:, :, None] * b[t][:, None, :]
            y[t] = np.einsum("hpn,hn->hp", state, c[t]) + skip[:, None] * u[t]
        return y.reshape(len(y), -1), z, conv, state

    def group_norm(self, y, name, eps):
        rows = y.reshape(len(y), self.ssm[2], -1)
        rows = rows / np.sqrt(np.mean(rows * rows, axis=-1, keepdims=True) + y.dtype.type(eps))
        return rows.reshape(y.shape) * self.get(name + ".weight", y.dtype)

    def forward(self, ids, dtype):
        out = {}
        x = self.embedding = self.get("model.embed_tokens.weight", dtype)[ids] * dtype(self.c.get("embedding_multiplier", 1))
        for i in range(self.c["num_hidden_layers"]):
            out[f"hidden.{i}"] = x
            x = self.layer(i, f"model.layers.{i}.", x, out)
        out["hidden_pre_norm"] = x
        out[f"hidden.{self.c['num_hidden_layers']}"] = x = self.norm(x, self.final, one=self.one)
        head = "model.embed_tokens.weight" if self.c["tie_word_embeddings"] else "lm_head.weight"
        out["logits"] = x @ self.get(head, dtype).T * dtype(self.c.get("lm_head_multiplier", 1))
        return out


class FalconH1(Hybrid):
    final, one = "model.final_layernorm", 0

    def __init__(self, c, tensors=None):
        self.ssm = c["mamba_expand"] * c["hidden_size"], c["mamba_d_state"], c["mamba_n_groups"], c["mamba_n_heads"], c["mamba_d_conv"]
        super().__init__(c, tensors)
        self.add("model.final_layernorm.weight", (self.hidden,), None)

    def add_layer(self, _, p):
        h, f, d = self.hidden, self.c["intermediate_size"], self.c["head_dim"]
        self.add_mamba2(p + "mamba.", True, True)
        for name, rows in (("q", self.heads * d), ("k", self.kv_heads * d), ("v", self.kv_heads * d)):
            self.add_linear(p + f"self_attn.{name}_proj", rows, h, True)
        self.add_linear(p + "self_attn.o_proj", h, self.heads * d, True)
        for name, rows, cols in (("gate", f, h), ("up", f, h), ("down", h, f)):
            self.add_linear(p + f"feed_forward.{name}_proj", rows, cols, True)
        for name in ("input_layernorm", "pre_ff_layernorm"):
            self.add(p + name + ".weight", (h,), None)

    def layer(self, i, p, x, out):
        c, (inner, n, g, heads, _), d = self.c, self.ssm, self.c["head_dim"]
        u = self.norm(x, p + "input_layernorm")
        parts = np.repeat(c["ssm_multipliers"], [inner, inner, g * n, g * n, heads]).astype(x.dtype)
        rows = self.linear(u * x.dtype.type(c["ssm_in_multiplier"]), p + "mamba.in_proj") * parts
        y, z, conv, state = self.mamba2(rows, p + "mamba.", c["time_step_limit"])
        out.update({f"conv_state.{i}": conv, f"ssm_state.{i}": state})
        y = self.group_norm(y, p + "mamba.norm", c["rms_norm_eps"]) * silu(z)
        m = self.linear(y, p + "mamba.out_proj") * x.dtype.type(c["ssm_out_multiplier"])
        w = u * x.dtype.type(c["attention_in_multiplier"])
        q, k, v = (self.linear(w, p + f"self_attn.{name}_proj").reshape(len(x), -1, d) for name in "qkv")
        q, k = self.turn(q, c["rope_theta"], d), self.turn(k * x.dtype.type(c["key_multiplier"]), c["rope_theta"], d)
        a = self.linear(self.attend(q, k, v, d ** -0.5), p + "self_attn.o_proj")
        x = x + m + a * x.dtype.type(c["attention_out_multiplier"])
        u = self.norm(x, p + "pre_ff_layernorm")
        gate, down = (x.dtype.type(v) for v in c["mlp_multipliers"])
        f = silu(self.linear(u, p + "feed_forward.gate_proj") * gate) * self.linear(u, p + "feed_forward.up_proj")
        return x + self.linear(f, p + "feed_forward.down_proj") * down


class Zamba2(Hybrid):
    final, one = "model.final_layernorm", 0

    def __init__(self, c, tensors=None):
        self.ssm = c["mamba_expand"] * c["hidden_size"], c["mamba_d_state"], c["mamba_ngroups"], c["n_mamba_heads"], c["mamba_d_conv"]
        self.uses = [i for i, t in enumerate(c["layers_block_type"]) if t == "hybrid"]
        super().__init__(c, tensors)
        self.add("model.final_layernorm.weight", (self.hidden,), None)

    def add_layer(self, i, p):
        h, f, rank, d = self.hidden, self.c["intermediate_size"], self.c["adapter_rank"], 2 * self.hidden // self.heads
        mamba = p + ("mamba_decoder." if i in self.uses else "")
        self.add_mamba2(mamba + "mamba.", True, True)
        self.add(mamba + "input_layernorm.weight", (h,), None)
        if i not in self.uses:
            return
        self.add_linear(p + "linear", h, h)
        s = p + "shared_transformer."
        if i != self.uses[0]:
            return
        for name, rows, cols in (("q", self.heads * d, 2 * h), ("k", self.kv_heads * d, 2 * h), ("v", self.kv_heads * d, 2 * h),
                                 ("o", h, self.heads * d)):
            self.add_linear(s + f"self_attn.{name}_proj", rows, cols)
        self.add_linear(s + "feed_forward.gate_up_proj", 2 * f, h, True)
        self.add_linear(s + "feed_forward.down_proj", h, f, True)
        for use in range(len(self.uses)):
            self.add_linear(s + f"feed_forward.gate_up_proj_adapter_list.{use}.0", rank, h)
            self.add_linear(s + f"feed_forward.gate_up_proj_adapter_list.{use}.1", 2 * f, rank)
        self.add(s + "input_layernorm.weight", (2 * h,), None)
        self.add(s + "pre_ff_layernorm.weight", (h,), None)

    def shared(self, use, x):
        s, d = f"model.layers.{self.uses[0]}.shared_transformer.", 2 * self.hidden // self.heads
        u = self.norm(np.concatenate([x, self.embedding], axis=1), s + "input_layernorm")
        q, k, v = (self.linear(u, s + f"self_attn.{name}_proj").reshape(len(x), -1, d) for name in "qkv")
        a = self.linear(self.attend(q, k, v, (d / 2) ** -0.5), s + "self_attn.o_proj")
        u, adapter = self.norm(a, s + "pre_ff_layernorm"), s + f"feed_forward.gate_up_proj_adapter_list.{use}."
        both = self.linear(u, s + "feed_forward.gate_up_proj") + self.linear(self.linear(u, adapter + "0"), adapter + "1")
        gate, up = np.split(both, 2, axis=1)
        return self.linear(gelu(gate) * up, s + "feed_forward.down_proj")

    def layer(self, i, p, x, out):
        u, mamba = x, p
        if i in self.uses:
            u, mamba = x + self.linear(self.shared(self.uses.index(i), x), p + "linear"), p + "mamba_decoder."
        rows = self.linear(self.norm(u, mamba + "input_layernorm"), mamba + "mamba.in_proj")
        y, z, conv, state = self.mamba2(rows, mamba + "mamba.", (self.c["time_step_min"], np.inf))
        out.update({f"conv_state.{i}": conv, f"ssm_state.{i}": state})
        y = self.group_norm(y * silu(z), mamba + "mamba.norm", 1e-5)
        return x + self.linear(y, mamba + "mamba.out_proj")


class Qwen35(Hybrid):
    final, one = "model.norm", 1

    def __init__(self, c, tensors=None):
        super().__init__(c, tensors)
        self.add("model.norm.weight", (self.hidden,), None)

    def is_delta(self, i):
        return (i + 1) % self.c["full_attention_interval"] != 0

    def add_layer(self, i, p):
        c, h, f, d = self.c, self.hidden, self.c["intermediate_size"], self.c["head_dim"]
        keys, heads = c["linear_num_key_heads"] * c["linear_key_head_dim"], c["linear_num_value_heads"]
        values = heads * c["linear_value_head_dim"]
        if self.is_delta(i):
            for name, rows in (("qkv", 2 * keys + values), ("z", values), ("b", heads), ("a", heads)):
                self.add_linear(p + "linear_attn.in_proj_" + name, rows, h)
            self.add_linear(p + "linear_attn.out_proj", h, values)
            self.add(p + "linear_attn.conv1d.weight", (2 * keys + values, 1, c["linear_conv_kernel_dim"]), 0.5)
            self.add(p + "linear_attn.A_log", (heads,), 1.0)
            self.add(p + "linear_attn.dt_bias", (heads,), 1.0)
            self.add(p + "linear_attn.norm.weight", (c["linear_value_head_dim"],), None)
        else:
            for name, rows in (("q", 2 * self.heads * d), ("k", self.kv_heads * d), ("v", self.kv_heads * d)):
                self.add_linear(p + f"self_attn.{name}_proj", rows, h, True)
            self.add_linear(p + "self_attn.o_proj", h, self.heads * d, True)
            for name in "qk":
                self.add(p + f"self_attn.{name}_norm.weight", (d,), None)
        for name, rows, cols in (("gate", f, h), ("up", f, h), ("down", h, f)):
            self.add_linear(p + f"mlp.{name}_proj", rows, cols)
        for name in ("input_layernorm", "post_attention_layernorm"):
            self.add(p + name + ".weight", (h,), None)

    def delta(self, i, p, u, out):
        c, n = self.c, len(u)
        kd, vd, kh, vh = (c["linear_" + k] for k in ("key_head_dim", "value_head_dim", "num_key_heads", "num_value_heads"))
        rows, conv = self.convolve(self.linear(u, p + "in_proj_qkv"), p)
        q, k, v = np.split(rows, [kh * kd, 2 * kh * kd], axis=1)
        q, k = (np.repeat(w.reshape(n, kh, kd), vh // kh, axis=1) for w in (q, k))
        q, k = (w / np.sqrt(np.sum(w * w, axis=-1, keepdims=True) + u.dtype.type(1e-6)) for w in (q, k))
        q, v = q / u.dtype.type(np.sqrt(kd)), v.reshape(n, vh, vd)
        beta = 1 / (1 + np.exp(-self.linear(u, p + "in_proj_b")))
        step = np.log1p(np.exp(self.linear(u, p + "in_proj_a") + self.get(p + "dt_bias", u.dtype)))
        g = np.exp(-np.exp(self.get(p + "A_log", u.dtype)) * step)
        state, y = np.zeros((vh, kd, vd), u.dtype), np.empty_like(v)
        for t in range(n):
            state = state * g[t][:, None, None]
            miss = (v[t] - np.einsum("hnp,hn->hp", state, k[t])) * beta[t][:, None]
            state = state + k[t][:, :, None] * miss[:, None, :]
            y[t] = np.einsum("hnp,hn->hp", state, q[t])
        out.update({f"conv_state.{i}": conv, f"ssm_state.{i}": state})
        y = self.norm(y, p + "norm").reshape(n, -1) * silu(self.linear(u, p + "in_proj_z"))
        return self.linear(y, p + "out_proj")

    def attention(self, p, u):
        d, rope = self.c["head_dim"], self.c["rope_parameters"]
        dims = int(d * rope["partial_rotary_factor"])
        q, gate = np.split(self.linear(u, p + "q_proj").reshape(len(u), self.heads, 2 * d), 2, axis=2)
        k, v = (self.linear(u, p + name + "_proj").reshape(len(u), self.kv_heads, d) for name in "kv")
        q, k = (self.turn(self.norm(w, p + f"{name}_norm", one=1), rope["rope_theta"], dims) for name, w in (("q", q), ("k", k)))
        a = self.attend(q, k, v, d ** -0.5) / (1 + np.exp(-gate.reshape(len(u), -1)))
        return self.linear(a, p + "o_proj")

    def layer(self, i, p, x, out):
        u = self.norm(x, p + "input_layernorm", one=1)
        x = x + (self.delta(i, p + "linear_attn.", u, out) if self.is_delta(i) else self.attention(p + "self_attn.", u))
        u = self.norm(x, p + "post_attention_layernorm", one=1)
        return x + self.linear(silu(self.linear(u, p + "mlp.gate_proj")) * self.linear(u, p + "mlp.up_proj"), p + "mlp.down_proj")


FAMILIES = {"falcon_h1": FalconH1, "zamba2": Zamba2, "qwen3_5_text": Qwen35}


def make(parent, name, seed):
    config, folder = CONFIGS[name], os.path.join(parent, name)
    family, rng = FAMILIES[config["model_type"]], np.random.default_rng(seed)
    os.makedirs(folder, exist_ok=True)
    middle = {True: family.one, False: 0}
    weights = {n: (rng.standard_normal(s) * (0.2 if std is None else std) +
                   (std is None) * (1 - middle["linear_attn" not in n])).astype(np.float32)
               for n, (s, std) in family(config).shapes.items()}
    dtype = {n: "F32" if "A_log" in n or n.endswith((".D", "dt_bias")) else "BF16" for n in weights}
    model = family(config, {n: st.stored(x, dtype[n]) for n, x in weights.items()})
    values, error = golden.golden_of(model, rng, 30)
    st.write_file(os.path.join(folder, "model.safetensors"), {n: (dtype[n], x) for n, x in weights.items()})
    golden.write_golden(folder, values)
    golden.write_json(os.path.join(folder, "config.json"), config)
    facts = golden.facts(name, config, error, "options that the kit's folders leave out")
    facts["tolerance"].update(state=facts["tolerance"]["hidden"])
    golden.write_json(os.path.join(folder, "golden.json"), facts)
    print(f"{folder}: float32 against float64 {error['logits']:.2e}")


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    for seed, name in enumerate(CONFIGS):
        make(sys.argv[1], name, 11 + seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
