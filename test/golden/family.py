"""The Llama family in numpy, written from what transformers 5 documents and does
(modeling_llama, _mistral, _mixtral, _qwen2, _qwen3, modeling_rope_utils). One straight
forward pass in a precision of choice, no cache, no tricks: what the engine is
held against. Where a setting is absent, the class's default counts."""
import math

import numpy as np

DEFAULTS = {
    "llama": {"num_key_value_heads": None, "rms_norm_eps": 1e-6},
    "mistral": {"num_key_value_heads": 8, "rms_norm_eps": 1e-6, "sliding_window": 4096},
    "mixtral": {"num_key_value_heads": 8, "rms_norm_eps": 1e-5, "sliding_window": None, "rope_theta": 1000000.0,
                "num_local_experts": 8, "num_experts_per_tok": 2},
    "qwen2": {"num_key_value_heads": 32, "rms_norm_eps": 1e-6, "sliding_window": 4096, "max_window_layers": 28},
    "qwen3": {"num_key_value_heads": 32, "rms_norm_eps": 1e-6, "sliding_window": 4096, "max_window_layers": 28,
              "head_dim": 128},
}


def rope_settings(c):
    """The one description of the rotation that transformers makes of both spellings."""
    r = dict(c.get("rope_scaling") or c.get("rope_parameters") or {})
    r.setdefault("rope_theta", c.get("rope_theta", 10000.0))
    r.setdefault("rope_type", r.get("type", "default"))
    if "original_max_position_embeddings" in c:
        r["original_max_position_embeddings"] = c["original_max_position_embeddings"]
    r.setdefault("original_max_position_embeddings", c["max_position_embeddings"])
    return r


def base_freq(theta, dim):
    return 1.0 / theta ** (np.arange(0, dim, 2) / dim)


def llama3_freq(r, dim):
    f, factor, original = base_freq(r["rope_theta"], dim), r["factor"], r["original_max_position_embeddings"]
    low, high = r["low_freq_factor"], r["high_freq_factor"]
    wavelen = 2 * math.pi / f
    smooth = (original / wavelen - low) / (high - low)
    blend = (1 - smooth) * f / factor + smooth * f
    return np.where(wavelen < original / high, f, np.where(wavelen > original / low, f / factor, blend))


def yarn_freq(r, dim, max_positions):
    """Frequencies, and what cos and sin are multiplied by."""
    original, factor = r["original_max_position_embeddings"], r.get("factor")
    if factor is None:
        factor = max_positions / original

    def mscale(m):
        return 1.0 if factor <= 1 else 0.1 * m * math.log(factor) + 1.0

    attention = r.get("attention_factor")
    if attention is None:
        both = r.get("mscale") and r.get("mscale_all_dim")
        attention = mscale(r["mscale"]) / mscale(r["mscale_all_dim"]) if both else mscale(1)

    def dim_of(turns):
        return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(r["rope_theta"]))

    low, high = dim_of(r.get("beta_fast") or 32), dim_of(r.get("beta_slow") or 1)
    if r.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dim - 1)
    if low == high:
        high += 0.001
    ramp = np.clip((np.arange(dim // 2) - low) / (high - low), 0, 1)
    f = base_freq(r["rope_theta"], dim)
    return f / factor * ramp + f * (1 - ramp), attention


def rotation(c, dim, length):
    """Angles [length, dim/2] in float32, as the models were trained, and the factor of cos and sin."""
    r, limit, factor = rope_settings(c), c["max_position_embeddings"], 1.0
    kind = r["rope_type"]
    if kind == "default":
        f = base_freq(r["rope_theta"], dim)
    elif kind == "linear":
        f = base_freq(r["rope_theta"], dim) / r["factor"]
    elif kind == "llama3":
        f = llama3_freq(r, dim)
    elif kind == "yarn":
        f, factor = yarn_freq(r, dim, limit)
    elif kind == "dynamic": # token p as if the text ended at p
        seq = np.maximum(np.arange(length) + 1, limit)
        stretched = r["rope_theta"] * (r["factor"] * seq / limit - (r["factor"] - 1)) ** (dim / (dim - 2))
        f = np.stack([base_freq(theta, dim) for theta in stretched])
    else:
        raise ValueError(f"rope type {kind}")
    f = np.broadcast_to(np.asarray(f, np.float32), (length, dim // 2))
    return np.arange(length, dtype=np.float32)[:, None] * f, factor


class Family:
    def __init__(self, config, tensors):
        self.c = {**DEFAULTS[config["model_type"]], **config}
        self.t = tensors
        c = self.c
        self.heads = c["num_attention_heads"]
        self.kv_heads = c["num_key_value_heads"] or self.heads
        self.dim = c.get("head_dim") or c["hidden_size"] // self.heads

    def window(self, layer):
        c, kind = self.c, self.c["model_type"]
        if kind in ("mistral", "mixtral"):
            return c["sliding_window"]
        if kind == "llama" or not c.get("use_sliding_window"):
            return None
        types = c.get("layer_types")
        slides = types[layer] == "sliding_attention" if types else layer >= c["max_window_layers"]
        return c["sliding_window"] if slides else None

    def biases(self):
        """Which projections have one."""
        c, kind = self.c, self.c["model_type"]
        asked = set("qkvo") if kind in ("llama", "qwen3") and c.get("attention_bias") else set()
        mlp = {"gate", "up", "down"} if kind == "llama" and c.get("mlp_bias") else set()
        return asked | mlp | (set("qkv") if kind == "qwen2" else set())

    def embeddings(self):
        """Input table and head: tied when the config says so and the file does not hold two that differ."""
        a, b = self.t.get("model.embed_tokens.weight"), self.t.get("lm_head.weight")
        if not self.c.get("tie_word_embeddings"):
            return a, b
        a = b if a is None else a
        return a, a if b is None else b

    def forward(self, ids, dtype):
        """{hidden.i, hidden_pre_norm, logits} of the tokens, computed in dtype."""
        c, out = self.c, {}
        table, head = self.embeddings()
        x = table[ids].astype(dtype)
        for i in range(c["num_hidden_layers"]):
            out[f"hidden.{i}"] = x
            p = f"model.layers.{i}."
            x = x + self.attention(i, self.norm(x, p + "input_layernorm", dtype), dtype)
            y = self.norm(x, p + "post_attention_layernorm", dtype)
            if c["model_type"] == "mixtral":
                x = x + self.experts(y, p + "block_sparse_moe.", dtype)
            else:
                x = x + self.feed_forward(y, [p + f"mlp.{s}_proj" for s in ("gate", "up", "down")], dtype)
        out["hidden_pre_norm"] = x
        x = self.norm(x, "model.norm", dtype)
        out[f"hidden.{c['num_hidden_layers']}"] = x
        out["logits"] = x @ head.T.astype(dtype)
        return out

    def feed_forward(self, x, names, dtype):
        gate, up = self.linear(x, names[0], "gate", dtype), self.linear(x, names[1], "up", dtype)
        return self.linear(gate / (1 + np.exp(-gate)) * up, names[2], "down", dtype)

    def experts(self, x, p, dtype):
        """Each row through the experts of largest probability, weighted by it, the weights scaled to a sum of 1."""
        logits, out = self.linear(x, p + "gate", "router", dtype), np.zeros_like(x)
        weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
        chosen = np.argsort(-logits, axis=-1, kind="stable")[:, :self.c["num_experts_per_tok"]]
        for row, experts in enumerate(chosen):
            total = weight[row, experts].sum()
            for e in sorted(experts):
                y = self.feed_forward(x[row:row + 1], [p + f"experts.{e}.{w}" for w in ("w1", "w3", "w2")], dtype)
                out[row] += weight[row, e] / total * y[0]
        return out

    def norm(self, x, name, dtype):
        mean = np.mean(x * x, axis=-1, keepdims=True)
        return x / np.sqrt(mean + dtype(self.c["rms_norm_eps"])) * self.t[name + ".weight"].astype(dtype)

    def linear(self, x, name, short, dtype):
        y = x @ self.t[name + ".weight"].T.astype(dtype)
        return y + self.t[name + ".bias"].astype(dtype) if short in self.biases() else y

    def attention(self, layer, x, dtype):
        n, dim, p = len(x), self.dim, f"model.layers.{layer}.self_attn."
        q, k, v = (self.linear(x, p + s + "_proj", s, dtype).reshape(n, -1, dim) for s in "qkv")
        if self.c["model_type"] == "qwen3":
            q, k = self.norm(q, p + "q_norm", dtype), self.norm(k, p + "k_norm", dtype)
        angle, factor = rotation(self.c, dim, n)
        cos = (np.cos(angle.astype(dtype)) * dtype(factor))[:, None, :]
        sin = (np.sin(angle.astype(dtype)) * dtype(factor))[:, None, :]

        def turn(h):
            a, b = h[..., :dim // 2], h[..., dim // 2:]
            return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)

        q, k = turn(q), turn(k)
        share = self.heads // self.kv_heads
        k, v = np.repeat(k, share, axis=1), np.repeat(v, share, axis=1)
        scores = np.einsum("qhd,khd->hqk", q, k) * dtype(dim ** -0.5)
        i, j = np.arange(n)[:, None], np.arange(n)[None, :]
        seen, w = j <= i, self.window(layer)
        if w is not None:
            seen &= j > i - w
        scores = np.where(seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        y = np.einsum("hqk,khd->qhd", weights, v).reshape(n, -1)
        return self.linear(y, p + "o_proj", "o", dtype)
