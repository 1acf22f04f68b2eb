#!/usr/bin/env python3
"""Writes smollm2/classes.jsonl: ids that transformers gives with that vocabulary as vocab.json and merges.txt.

  test/data/tokenizers/make_classes.py     (transformers 5.24, tokenizers 0.23.3)"""
import json
import lzma
import pathlib
import tempfile

from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).resolve().parent / "smollm2"
TEXTS = ["Hello  world", "tabs\t\tand\nlines\r\n\r\n x", "don't I'LL we've 'S", "12345 6 \u0663\u0664",
         "na\u00efve na\u0308ive \u0301x \u212b", "\u6570\u5b57 \ud55c\uad6d", "\U0001f642 a\u00a0b",
         "<|endoftext|> x<|im_end|>y <s>a <mask> b", "f(x):\n    x*2  # ok\n\n\n", "\u092e\u0930\u093e\u0920\u0940",
         "[PAD]  [M] x"]
MORE = {"pad_token": "[PAD]", "added_tokens_decoder": {
    "49152": {"content": "[M]", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False, "special": True},
    "49153": {"content": "  ", "lstrip": False, "rstrip": False, "single_word": False, "normalized": True, "special": False}}}
CONFIGS = [{}, {"add_prefix_space": True, "add_bos_token": True}, {"add_eos_token": True, "eos_token": "<|im_end|>"}, MORE]
CLASSES = ["GPT2Tokenizer", "CodeGenTokenizer", "Qwen2Tokenizer", "GPTNeoXTokenizer", "RobertaTokenizer", "BlenderbotTokenizer"]

model = json.load(lzma.open(HERE / "tokenizer.json.xz"))["model"]
merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
with open(HERE / "classes.jsonl", "w") as out:
    for name in CLASSES:
        for config in CONFIGS:
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                own = dict(config, tokenizer_class=name)
                (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
                (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
                (folder / "tokenizer_config.json").write_text(json.dumps(own))
                (folder / "config.json").write_text('{"model_type": "gpt2"}')
                t = AutoTokenizer.from_pretrained(folder)
                cases = [[text, t(text)["input_ids"]] for text in TEXTS]
                ids = [t.bos_token_id, t.eos_token_id, t.pad_token_id, t.unk_token_id]
            line = {"config": own, "special": [-1 if i is None else i for i in ids], "cases": cases}
            out.write(json.dumps(line, separators=(",", ":")) + "\n")
