#!/usr/bin/env python3
"""Copies tokenizers with a part of their cases from the conformance kit.

  test/data/tokenizers/make.py KIT/tokenizers

Long lines stay out, of the others every n-th goes in."""
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
TAKE = {
    "smollm2": ["tokenizer.json.xz", "tokenizer_config.json"],
    "llama3_bpe": ["tokenizer.json", "tokenizer_config.json", "vocab.gguf"],
    "huozi_spm_bpe": ["tokenizer.json", "tokenizer_config.json", "vocab.gguf"],
    "unigram_nfkc": ["tokenizer.json.xz", "tokenizer_config.json"],
    "added_tokens_zoo": ["tokenizer.json", "tokenizer_config.json"],
}
CASES = {"cases.jsonl": 4, "decode_cases.jsonl": 3, "bytes_cases.jsonl": 3}

kit = pathlib.Path(sys.argv[1])
for name, files in TAKE.items():
    out = HERE / name
    out.mkdir(exist_ok=True)
    for file in files:
        shutil.copyfile(kit / name / file, out / file)
    for file, nth in CASES.items():
        lines = [line for line in (kit / name / file).read_text().splitlines() if len(line) < 1500]
        (out / file).write_text("\n".join(lines[::nth]) + "\n")
