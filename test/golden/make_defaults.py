#!/usr/bin/env python3
"""Writes test/data/class_defaults.json: what transformers' configuration classes have where config.json has nothing,
numbers, texts, true, false and null, by model_type. Needs the PyPI package transformers.

  make_defaults.py [FILE]
"""
import json
import pathlib
import sys

from transformers import CONFIG_MAPPING

FILE = pathlib.Path(__file__).resolve().parent.parent / "data" / "class_defaults.json"
FAMILIES = ("bamba falcon_h1 falcon_mamba granitemoehybrid jamba lfm2 llama mamba mamba2 mistral mixtral nemotron_h persimmon "
            "phi qwen2 qwen3 qwen3_5_text qwen3_next zamba2").split()
# said by the class and not by the file, or of no weight
OTHERS = set("model_type architectures transformers_version dtype torch_dtype _name_or_path name_or_path return_dict "
             "output_hidden_states output_attentions is_encoder_decoder problem_type bos_token_id eos_token_id pad_token_id".split())


def plain(value):
    return value is None or isinstance(value, (bool, int, float, str))


def defaults(family):
    config = CONFIG_MAPPING[family]()
    given = config.to_dict()
    derived = derived_keys(family)
    found = {k: v for k, v in given.items() if plain(v) and k not in OTHERS and k not in derived}
    rope = given.get("rope_parameters") or {}
    found.update((k, v) for k, v in rope.items() if k in ("rope_theta", "partial_rotary_factor"))
    return dict(sorted(found.items()))


def derived_keys(family):
    """Settings that follow from others: they change when sizes do."""
    usual = CONFIG_MAPPING[family]().to_dict()
    derived = set()
    for size in ("hidden_size", "num_attention_heads", "mamba_n_heads", "mamba_d_ssm", "mamba_expand"):
        try:
            other = CONFIG_MAPPING[family](**{size: 2 * usual[size]}).to_dict()
        except Exception:  # no such setting, or sizes that do not go together
            continue
        derived |= {k for k, v in usual.items() if k != size and other.get(k) != v}
    return derived


file = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
table = {family: defaults(family) for family in FAMILIES}
file.write_text(json.dumps(table, indent=1) + "\n")
print(file, sum(map(len, table.values())), "settings")
