"""The programs of examples/python run, and say what is wrong in one line."""
import re
import subprocess
import sys

import pytest


def run(root, name, *args, text=None):
    return subprocess.run([sys.executable, root / "examples" / "python" / name, *map(str, args)], timeout=120, text=True,
                          input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_stream(root, path):
    drawn = "--max-tokens", 8, "--temperature", 1, "--seed", 5
    done = run(root, "stream.py", path, "one two", *drawn)
    assert done.returncode == 0 and done.stdout and "8 tokens" in done.stderr
    assert run(root, "stream.py", path, "one two", *drawn).stdout == done.stdout


def test_branch(root, path):
    done = run(root, "branch.py", path, "one two", "-n", 3, "--max-tokens", 6, "--seed", 0)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    scores = [float(line.split()[0]) for line in lines[:3]]
    assert scores == sorted(scores, reverse=True) and lines[3].startswith("best: ")
    drawn = run(root, "branch.py", path, "one two", "-n", 3, "--max-tokens", 6)
    seed = re.search(r"seed (\d+)", drawn.stderr)[1]
    again = run(root, "branch.py", path, "one two", "-n", 3, "--max-tokens", 6, "--seed", seed)
    assert again.stdout == drawn.stdout and run(root, "branch.py", path, "one two", "-n", 3, "--max-tokens", 6).stderr != drawn.stderr


def test_branch_answers_its_own_question(root):
    """The question of its description, with the model that quickstart.sh fetches, if it is there."""
    model = root / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not model.exists():
        pytest.skip(f"{model} is not there")
    question = re.search(r'branch\.py MODEL "(.*?)"', (root / "examples/python/branch.py").read_text())[1]
    done = run(root, "branch.py", model, question)
    answer = done.stdout.split("best: ")[1].strip()
    assert done.returncode == 0 and len(answer.split()) > 4 and answer[-1] in ".!?", answer


def test_score(root, path):
    done = run(root, "score.py", path, "--top", 2, text="one two three four")
    assert done.returncode == 0 and "perplexity" in done.stdout and len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize("name, args", [("stream.py", ["x"]), ("branch.py", ["x"]), ("score.py", [])])
def test_a_model_that_is_not_there(root, tmp_path, name, args):
    done = run(root, name, tmp_path / "none.gguf", *args, text="one two")
    assert done.returncode == 1 and "none.gguf" in done.stderr and "Traceback" not in done.stderr
