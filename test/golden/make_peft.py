#!/usr/bin/env python3
"""make_peft.py MODELS DIR: what PEFT itself says, into DIR: which modules its settings speak of (rules.json, for the names of
MODULES), and an activated LoRA (alora/) for MODELS/types with the logits of some prompts. Needs peft, transformers and torch from
PyPI; the tests do not."""
import json
import os
import sys

MODULES = ["model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.v_proj", "model.layers.11.mlp.down_proj", "lm_head",
           "backbone.layers.3.mixer.in_proj", "model.layers.2.mlp.shared_expert.up_proj", "layers.0.self_attn.q_proj",
           "model.layers.1.mlp.experts.7.w1", "q_proj"]
# the first key that matches, in order
PATTERNS = [["q_proj"], ["proj"], [".*proj"], ["q_proj|v_proj"], [r"layers\.1\..*"], [r"^model\.layers\.0\..*q_proj"], ["^lm_head$"],
            [r"layers.(0|11)\..*_proj"], [r"self_attn\.(q|v)_proj"], ["model.layers.0.self_attn.q_proj"], ["odel.layers.0.self_attn.q_proj"],
            ["layers.1.self_attn.v_proj", "v_proj"], ["v_proj", "layers.1.self_attn.v_proj"], [r"layers\.\d\.mlp\.[^.]+"], ["1.*"],
            [r"\w+\.\d+\.mlp\.(?:down|up)_proj"], [r"mixer\.(?!out)\w+"], [r"(?i:Q_PROJ)"], [r"self.attn.q.proj"], ["lm.head"], [r"[q-v]_proj"],
            [r"l{1}m_head"], [r"layers.1{,2}.mlp.down_proj"], [r"(?P<a>q)_proj"], ["experts.7.w1", "w1"], [r".*experts\.\d+\..*"], ["mlp"], [""],
            [r"(q)_(p)roj\b"], [r"layers\.(\d)\3\.mlp\.down_proj"]]
TARGETS = [{"target_modules": ["q_proj", "v_proj"]}, {"target_modules": "q_proj"}, {"target_modules": ".*q_proj"}, {"target_modules": r".*\.(q|v)_proj"},
           {"target_modules": r"model\.layers\.(0|1)\..*"}, {"target_modules": ["lm_head"]}, {"target_modules": ["head"]},
           {"target_modules": ["q_proj", "v_proj", "down_proj", "w1", "in_proj"], "layers_to_transform": [1, 3]},
           {"target_modules": ["q_proj", "v_proj", "w1"], "layers_to_transform": 1},
           {"target_modules": ["q_proj", "v_proj", "w1"], "layers_to_transform": [1], "layers_pattern": "layers"},
           {"target_modules": ["q_proj", "v_proj", "w1"], "layers_to_transform": [7], "layers_pattern": ["experts", "layers"]},
           {"target_modules": ["q_proj", "w1"], "layers_to_transform": [7], "layers_pattern": ["layers", "experts"]},
           {"target_modules": ["q_proj", "v_proj"], "layers_to_transform": 0, "layers_pattern": "blocks"},
           {"target_modules": ["q_proj", "v_proj"], "layers_to_transform": [0], "layers_pattern": r"(?:layers|h)"},
           {"target_modules": ["model.layers.0.self_attn.q_proj", "v_proj"], "layers_to_transform": [5]},
           {"target_modules": ["q_proj", "v_proj"], "layers_to_transform": []},
           {"target_modules": ["q_proj", "v_proj"], "exclude_modules": ["layers.0.self_attn.q_proj"]},
           {"target_modules": ["q_proj", "v_proj"], "exclude_modules": r".*layers\.1\..*"}, {"target_modules": ["q_proj"], "exclude_modules": "q_proj"},
           {"target_modules": ["q_proj"], "exclude_modules": []}]

INVOCATION = [9, 4, 9]
PROMPTS = [[3, 9, 4, 9, 5, 6], [9, 4, 9, 1, 2], [1, 2, 3, 4, 5, 6, 7], [7, 9, 4, 9, 8, 9, 4, 9, 2, 1], [5, 9, 4, 9, 4, 9, 3], [1, 2, 9, 4, 9],
           [1, 9, 4], [9, 4, 9], [2, 9, 9, 4, 4, 9, 9, 4, 9, 9]]


def write_json(path, value):
    with open(path, "w") as f:
        json.dump(value, f, separators=(",", ":"))
        f.write("\n")


def rules():
    from peft import LoraConfig
    from peft.tuners.tuners_utils import check_target_module_exists
    from peft.utils.other import get_pattern_key
    patterns = [{"keys": keys, "found": [k if (k := get_pattern_key(keys, m)) in keys else None for m in MODULES]} for keys in PATTERNS]
    targets = [{"config": c, "found": [bool(check_target_module_exists(LoraConfig(**c), m)) and
                                       type(check_target_module_exists(LoraConfig(**c), m)).__name__ != "_ExcludedModule" for m in MODULES]}
               for c in TARGETS]
    return {"modules": MODULES, "patterns": patterns, "targets": targets}


def alora(models, parent):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM
    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_pretrained(os.path.join(models, "types"), dtype=torch.float32).eval()
    config = LoraConfig(r=4, lora_alpha=6, task_type="CAUSAL_LM", alora_invocation_tokens=INVOCATION,
                        target_modules=["q_proj", "k_proj", "v_proj", "down_proj", "lm_head"])
    peft = get_peft_model(model, config).eval()
    for name, p in peft.named_parameters():
        if "lora_" in name:
            p.data.normal_(0, 0.3)
    folder = os.path.join(parent, "alora")
    peft.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    cases = []
    with torch.no_grad():
        for prompt in PROMPTS:
            logits = peft(input_ids=torch.tensor([prompt])).logits[0]
            cases.append({"ids": prompt, "logits": [[float(f"{x:.7g}") for x in row] for row in logits.tolist()]})
    write_json(os.path.join(folder, "cases.json"), cases)
    path = os.path.join(folder, "adapter_config.json")
    with open(path) as f:
        config = json.load(f)
    config["base_model_name_or_path"] = "types"
    config["target_modules"].sort()
    write_json(path, config)


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    os.makedirs(sys.argv[2], exist_ok=True)
    write_json(os.path.join(sys.argv[2], "rules.json"), rules())
    alora(*sys.argv[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
