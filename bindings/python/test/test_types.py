"""Type checkers see a slip in a keyword, and none where there is none."""
import re
import subprocess
import sys

import pytest

HEAD = """from typing import Any
import hybridlm
model = hybridlm.Model("m")
context = hybridlm.Context(model)
tokenizer = model.tokenizer
talk = [{"role": "user", "content": "hi"}]
"""
RIGHT = """
context.chat(talk, max_tokens=5, temperature=0.5, seed=None, stop=["a"], template={"mood": 1}).read()
context.generate("a", seed=3, top_k=5, show_special=True, cache=None)
context.complete("a", reuse=True, min_p=0.1, speculation={}).seed
model.generate([1], max_new_tokens=3, do_sample=True, num_return_sequences=2, stop_strings="a", attention_mask=[1])[0]
hybridlm.Sampler(model, temperature=1.0, seed=None).seed
ids: list[int] = tokenizer.apply_chat_template(talk)
text: str = tokenizer.apply_chat_template(talk, tokenize=False, mood=1)
both: hybridlm.Encoding = tokenizer.apply_chat_template(talk, return_dict=True)
array = tokenizer.apply_chat_template(talk, return_tensors="np").shape
several: list[list[int]] = tokenizer.apply_chat_template([talk, talk])
model.generate(**tokenizer("a"), max_new_tokens=5, temperature=None)
both = tokenizer("a", padding=True, return_tensors="np")
rows: list[str] = tokenizer.batch_decode([[1]], skip_special_tokens=True)
context.score("a"), context.embed([1]), len(tokenizer)
"""
WRONG = [
    "context.chat(talk, max_new_tokens=5)", "context.chat(talk, temprature=0.5)", "context.chat(talk, temperature='hot')", "context.chat(talk, caches=None)",
    "context.generate('a', max_token=5)", "context.generate('a', top_k='x')", "context.complete('a', reuses=True)",
    "context.complete('a', top_q=0.5)", "model.generate([1], max_tokens=3)", "model.generate([1], do_smaple=True)",
    "model.generate([1], temperature='hot')", "hybridlm.generate_ids(context, [1], max_token=3)", "hybridlm.Sampler(model, temprature=1.0)",
    "hybridlm.Context(model, threads=3)", "hybridlm.Model('m', flag=3)", "hybridlm.Cache(context, n_ctx=3)", "tokenizer('a', paddin=True)",
    "tokenizer.decode([1], skip_specials=True)", "tokenizer.encode('a', add_specials=True)", "model.memory_plan(tokens=3)",
    "x: str = tokenizer.apply_chat_template(talk)", "y: list[int] = tokenizer.apply_chat_template(talk, tokenize=False)",
]


def check(path, text):
    """Lines of the text with an error."""
    pytest.importorskip("mypy")
    path.write_text(text)
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(path.parent / "cache"), "--config-file", "", str(path)],
                          cwd=path.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode in (0, 1), done.stdout
    return {int(n) for n in re.findall(rf"^{re.escape(path.name)}:(\d+): error:", done.stdout, re.MULTILINE)}, done.stdout


def test_what_is_right_has_no_errors(tmp_path):
    lines, said = check(tmp_path / "right.py", HEAD + RIGHT)
    assert not lines, said


def test_every_slip_is_an_error(tmp_path):
    lines, said = check(tmp_path / "wrong.py", HEAD + "\n".join(WRONG) + "\n")
    first = HEAD.count("\n") + 1
    assert lines == set(range(first, first + len(WRONG))), said
