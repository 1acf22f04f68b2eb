"""What make_golden.py makes: each entry is a config, how its weights are stored,
and what it pins down. `legacy` and `v5` are the two spellings of transformers."""

BASE = {"hidden_act": "silu", "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 64, "max_position_embeddings": 256,
        "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2, "attention_dropout": 0.0, "use_cache": True,
        "tie_word_embeddings": False, "initializer_range": 0.02}
CLASS = {"llama": "Llama", "mistral": "Mistral", "mixtral": "Mixtral", "qwen2": "Qwen2", "qwen3": "Qwen3"}
VARIANTS = []


def add(name, note, model, settings, without=(), **extra):
    config = {"architectures": [CLASS[model] + "ForCausalLM"], "model_type": model, **BASE, **settings}
    for key in without:
        del config[key]
    VARIANTS.append({"name": name, "note": note, "config": config, "extra": extra})


def legacy(scaling=None, theta=10000.0):
    return {"rope_theta": theta, "rope_scaling": scaling, "torch_dtype": "bfloat16", "transformers_version": "4.50.0"}


def v5(theta=10000.0, **parameters):
    return {"rope_parameters": {"rope_theta": theta, "rope_type": "default", **parameters}, "dtype": "bfloat16",
            "transformers_version": "5.23.0"}


LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}

# rotations
add("linear-type", "the old key \"type\"", "llama", legacy({"type": "linear", "factor": 2.5}))
add("linear-v5", "rope_parameters", "llama", v5(rope_type="linear", factor=3))
add("dynamic-type", "prompt longer than max_position_embeddings: token p as if the text ended at p", "llama",
    legacy({"type": "dynamic", "factor": 2.0}) | {"max_position_embeddings": 16}, length=30)
add("dynamic-v5", "several layers, kv heads = heads", "llama",
    v5(rope_type="dynamic", factor=4.0, theta=500.0) | {"max_position_embeddings": 12, "num_hidden_layers": 3,
                                                      "num_key_value_heads": 4}, length=22)
add("dynamic-one", "factor 1", "qwen2", legacy({"rope_type": "dynamic", "factor": 1.0}) | {"max_position_embeddings": 16},
    length=30)
add("llama3-v5", "rope_parameters", "llama",
    v5(theta=500000.0, rope_type="llama3", original_max_position_embeddings=16, **LLAMA3), length=22)
add("llama3-outside", "original_max_position_embeddings beside the scaling counts, not the one in it", "llama",
    legacy({"rope_type": "llama3", "original_max_position_embeddings": 200, **LLAMA3}, 1000.0)
    | {"original_max_position_embeddings": 24, "head_dim": 16}, length=22)
add("llama3-none", "no original_max_position_embeddings: max_position_embeddings", "llama",
    legacy({"rope_type": "llama3", **LLAMA3}, 1000.0) | {"max_position_embeddings": 64, "head_dim": 16}, length=22)
add("yarn-type", "attention_factor and betas given, the old key \"type\"", "llama",
    legacy({"type": "yarn", "factor": 4.0, "attention_factor": 0.7, "beta_fast": 8, "beta_slow": 0.5,
            "original_max_position_embeddings": 32}, 100.0) | {"head_dim": 16}, length=22)
add("yarn-mscale", "mscale and mscale_all_dim, bounds not rounded", "llama",
    v5(theta=100.0, rope_type="yarn", factor=8.0, mscale=1.2, mscale_all_dim=0.6, truncate=False,
       original_max_position_embeddings=48) | {"head_dim": 16}, length=22)
add("yarn-zero", "mscale_all_dim 0 counts as not given, betas null", "llama",
    v5(theta=1000.0, rope_type="yarn", factor=2.0, mscale=1.5, mscale_all_dim=0, beta_fast=None, beta_slow=None,
       attention_factor=None, original_max_position_embeddings=64) | {"head_dim": 12})
add("yarn-ratio", "factor null: the ratio of the lengths; the original one stands outside", "qwen2",
    legacy({"rope_type": "yarn", "factor": None}, 1000000.0) | {"original_max_position_embeddings": 32})
add("yarn-below", "factor below 1 has no attention factor", "qwen3",
    legacy({"rope_type": "yarn", "factor": 0.5, "original_max_position_embeddings": 512}, 1000000.0) | {"head_dim": 10})
add("both", "rope_scaling goes before rope_parameters", "llama",
    v5(theta=777.0) | {"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_theta": 50.0})
add("theta-default", "no theta anywhere", "llama", {"rope_scaling": None})
add("theta-integer", "numbers without a point", "mistral", legacy(theta=10000) | {"sliding_window": None})
add("short", "default rotation past max_position_embeddings", "llama", v5() | {"max_position_embeddings": 8})

# shapes and biases
add("biases", "attention_bias reaches o, mlp_bias", "llama", v5() | {"attention_bias": True, "mlp_bias": True})
add("odd", "odd sizes and three types in shards", "llama",
    legacy() | {"hidden_size": 48, "intermediate_size": 40, "num_attention_heads": 3, "num_key_value_heads": 1,
                "head_dim": 10, "vocab_size": 67}, shards=3, storage=["BF16", "F32", "F16"])
add("wide-heads", "heads wider than the hidden state", "llama", v5() | {"head_dim": 40, "num_key_value_heads": 1})
add("mha", "kv heads null: as many as heads; head_dim null", "llama",
    legacy() | {"num_key_value_heads": None, "head_dim": None, "pretraining_tp": 1, "hidden_size": 64})
add("eps", "no rms_norm_eps: 1e-6", "llama", v5(), without=["rms_norm_eps"])

# experts
add("experts", "three of five experts, a window", "mixtral",
    v5() | {"num_local_experts": 5, "num_experts_per_tok": 3, "sliding_window": 7}, length=40)

# storage
add("tied", "one table", "llama", v5() | {"tie_word_embeddings": True})
add("tied-copy", "lm_head equals the embedding", "llama", v5() | {"tie_word_embeddings": True}, head="copy")
add("tied-own", "the file holds two tables that differ: not tied", "qwen3",
    v5() | {"tie_word_embeddings": True, "head_dim": 16}, head="own")
add("tied-only", "the file holds lm_head alone: it is the embedding", "llama", v5() | {"tie_word_embeddings": True},
    head="only")
add("f32", "F32", "llama", v5() | {"dtype": "float32"}, storage=["F32"])
add("f16", "F16", "mistral", v5() | {"sliding_window": None}, storage=["F16"])
add("mixed", "three types in one file", "qwen2", v5(), storage=["BF16", "F32", "F16"])

# windows
add("window", "a small window", "mistral", legacy() | {"sliding_window": 5, "num_hidden_layers": 3})
add("window-one", "each token sees itself", "mistral", v5() | {"sliding_window": 1})
add("window-types", "Mistral's window ignores layer_types", "mistral",
    v5() | {"sliding_window": 4, "layer_types": ["full_attention", "sliding_attention"]})
add("upper", "layers from max_window_layers on slide", "qwen2",
    legacy() | {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1, "num_hidden_layers": 3})
add("upper-off", "a window that is not in use", "qwen2",
    legacy() | {"use_sliding_window": False, "sliding_window": 4, "max_window_layers": 0})
add("upper-default", "no max_window_layers: 28, so none slides", "qwen3",
    legacy() | {"use_sliding_window": True, "sliding_window": 4, "head_dim": 8})
add("types", "layer_types goes before max_window_layers", "qwen3",
    v5() | {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 2, "num_hidden_layers": 3,
            "layer_types": ["sliding_attention", "full_attention", "sliding_attention"], "head_dim": 10})
add("qwen3-bias", "attention_bias in Qwen3 reaches o", "qwen3", v5() | {"attention_bias": True, "head_dim": 16})
add("qwen3-tied", "tied, kv heads = heads", "qwen3",
    legacy(theta=1000000) | {"tie_word_embeddings": True, "num_key_value_heads": 4, "head_dim": 8})
