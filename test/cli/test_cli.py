#!/usr/bin/env python3
"""Runs the hybridlm program as people and scripts do: every command, its JSON,
exit codes, error texts, pipes, Ctrl-C and a terminal.

    test_cli.py PROGRAM FOLDER     FOLDER holds tiny-llama/ and tiny-llama.gguf
"""

import json
import math
import os
import pathlib
import pty
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time

PROGRAM, MODELS = sys.argv[1], sys.argv[2]
FOLDER = os.path.join(MODELS, "tiny-llama")
GGUF = os.path.join(MODELS, "tiny-llama.gguf")
LIMIT = 120  # seconds for one call; they take milliseconds
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def run(*args, stdin=b"", env=None, **more):
    done = subprocess.run([PROGRAM, *args], input=stdin, capture_output=True, timeout=LIMIT, env=env, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def good(*args, **more):
    code, out, err = run(*args, **more)
    assert code == 0, f"{args}: exit code {code}, {err!r}"
    return out


def good_json(*args, **more):
    return json.loads(good(*args, "--json", **more))


def bad(code, *args, **more):
    """Expects an exit code and an empty result; gives the error text."""
    got, out, err = run(*args, **more)
    assert got == code, f"{args}: exit code {got} instead of {code}, {err!r}"
    assert out == "", f"{args}: output {out!r}"
    assert err.startswith("hybridlm: "), err
    return err


def file_with(data):
    f = tempfile.NamedTemporaryFile(delete=False)
    f.write(data)
    f.close()
    return f.name


def adapter(folder, name, sign=1):
    """A PEFT folder of rank 1 for two matrices of tiny-llama."""
    path = pathlib.Path(folder, name)
    path.mkdir()
    settings = {"peft_type": "LORA", "r": 1, "lora_alpha": 0.25, "target_modules": ["down_proj", "q_proj"], "bias": "none"}
    (path / "adapter_config.json").write_text(json.dumps(settings))
    header, data = {}, b""
    for matrix, rows, cols in (("layers.0.mlp.down_proj", 16, 32), ("layers.1.self_attn.q_proj", 16, 16)):
        for part, shape in (("A", [1, cols]), ("B", [rows, 1])):
            values = [sign ** (part == "B") * (1 + i % 3) / 2 * (-1) ** (i // 2) for i in range(shape[0] * shape[1])]
            begin = len(data)
            data += struct.pack(f"<{len(values)}f", *values)
            header[f"base_model.model.model.{matrix}.lora_{part}.weight"] = {
                "dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    (path / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
    return str(path)


# ---- usage ------------------------------------------------------------------


@test
def help_of_every_command():
    for command in ("chat", "run", "tokenize", "score", "info", "bench"):
        out = good(command, "--help")
        assert out.startswith(f"hybridlm {command}: ") and "--json" in out and "Examples:" in out, out
        assert out == good("help", command) and out == good(command, "-h")
        assert command in good("--help")
    for kind in ("state", "slices"):
        out = good("bench", kind, "--help")
        assert out.startswith(f"hybridlm bench {kind}: ") and out == good("help", "bench", kind)


@test
def no_command_is_a_usage_error():
    code, out, err = run()
    assert code == 2 and out == "" and "Commands:" in err


@test
def version():
    assert good("--version").startswith("hybridlm ")


@test
def unknown_command_suggests_the_nearest():
    assert "Did you mean tokenize?" in bad(2, "tokenise")


@test
def unknown_option_suggests_the_nearest():
    assert "Did you mean --temp?" in bad(2, "run", "-m", GGUF, "--tmp", "1", "hi")
    assert "--help" in bad(2, "run", "--zzzzzzzz")


@test
def values_are_checked():
    assert "whole number" in bad(2, "run", "-n", "many", "hi")
    assert "from 0 to" in bad(2, "run", "-n", "-1", "hi")
    assert "from 0 to 1" in bad(2, "run", "--top-p", "1.5", "hi")
    assert "takes a number" in bad(2, "run", "--temp", "nan", "hi")
    assert "f16, f32, bf16" in bad(2, "run", "--kv", "f64", "hi")
    assert "needs a value" in bad(2, "run", "-m")
    assert "takes no value" in bad(2, "run", "--json=yes", "hi").splitlines()[0]
    assert "unexpected argument" in bad(2, "run", "one", "two")


@test
def usage_error_as_json():
    code, out, _ = run("run", "--json", "--zzz")
    assert code == 2 and "zzz" in json.loads(out)["error"]["message"]


# ---- models -----------------------------------------------------------------


@test
def missing_model_says_how_to_get_one():
    assert "quickstart.sh" in bad(1, "info", "/no/such/model.gguf")
    env = {k: v for k, v in os.environ.items() if k != "HYBRIDLM_MODEL"}
    assert "-m PATH" in bad(2, "run", "hi", env=env)


@test
def model_from_the_environment():
    assert good("info", env={**os.environ, "HYBRIDLM_MODEL": GGUF}) == good("info", GGUF)


@test
def damaged_model_is_refused():
    with open(GGUF, "rb") as f:
        data = f.read()
    path = file_with(data[: len(data) // 2])
    code, out, _ = run("info", path, "--json")
    error = json.loads(out)["error"]
    os.unlink(path)
    assert code == 1 and error["status"] == "HLM_E_FORMAT" and error["hint"], error


@test
def info_of_both_forms():
    for path, width, bos in ((GGUF, 32, 1), (FOLDER, 16, 286)):
        info = good_json("info", path, "--ctx", "32", "--seqs", "3")
        model, memory = info["model"], info["memory"]
        assert model["arch"] == "llama" and model["vocab_size"] == 288 and model["n_layers"] == 2, model
        assert model["hidden_size"] == width and model["max_positions"] == 64 and model["bytes_per_token"] > 0
        assert model["bos_token"] == bos and model["has_chat_template"] == (path == FOLDER)
        assert memory["sequences"] == 3 and memory["ctx"] == 32
        assert memory["total"] >= memory["weights"] + memory["state"] and memory["prefix"] == 512 << 20
        one = good_json("info", path, "--ctx", "32")["memory"]
        assert memory["state"] == 3 * one["state"]
        assert "memory for 1 sequence of 64 tokens" in good("info", path)


# ---- tokenize ---------------------------------------------------------------


@test
def tokens_and_back():
    for path in (GGUF, FOLDER, os.path.join(FOLDER, "tokenizer.json")):
        for text in ("hello world", "Gr\u00fc\u00dfe, \u4e16\u754c \U0001f642", "two  spaces\n\nand lines "):
            ids = good("tokenize", "-m", path, "--no-special", text).split()
            assert ids and good("tokenize", "-m", path, "--decode", ",".join(ids)) == text + "\n", (path, text)
            result = good_json("tokenize", "-m", path, "--no-special", text, "--pieces")
            assert result["ids"] == [int(i) for i in ids] and result["count"] == len(ids) == len(result["pieces"])
            assert good("tokenize", "-m", path, "--no-special", "--count", text) == f"{len(ids)}\n"
            assert good_json("tokenize", "-m", path, "-d", " ".join(ids))["text"] == text
    assert good_json("tokenize", "-m", GGUF, "hello")["ids"][0] == 1  # this tokenizer begins with bos


@test
def text_from_file_and_pipe():
    data = "A long text. ".encode() * 20000
    path = file_with(data)
    piped = good("tokenize", "-m", GGUF, "--count", stdin=data)
    assert int(piped) > 20000 and piped == good("tokenize", "-m", GGUF, "--count", "-f", path)
    assert piped == good("tokenize", "-m", GGUF, "--count", "-f", "-", stdin=data)
    os.unlink(path)
    assert "not both" in bad(2, "tokenize", "-m", GGUF, "-p", "x", "-f", "y")
    assert "/no/such/file" in bad(1, "tokenize", "-m", GGUF, "-f", "/no/such/file")


@test
def markers_in_text_stay_text():
    for path, marker, id in ((GGUF, "</s>", 2), (FOLDER, "<|end|>", 287)):
        plain = good_json("tokenize", "-m", path, marker, "--no-special")["ids"]
        assert id not in plain and len(plain) > 1
        assert id in good_json("tokenize", "-m", path, marker, "--no-special", "--parse-special")["ids"]


@test
def bytes_that_are_no_text():
    result = good_json("tokenize", "-m", GGUF, stdin=b"a\xff\x00b")
    assert result["count"] >= 4
    assert json.loads(good("tokenize", "-m", GGUF, "--pieces", "--json", stdin=b"\xc3"))["count"] >= 1


@test
def bad_ids():
    assert "no token id" in bad(1, "tokenize", "-m", GGUF, "-d", stdin=b"1 two 3")
    assert "another tokenizer" in bad(1, "tokenize", "-m", GGUF, "-d", "1,288")
    assert "no text" in bad(1, "tokenize", "-m", GGUF, "-d", stdin=b"1\x002")


# ---- run ----------------------------------------------------------------------


@test
def run_gives_text_and_ids():
    result = good_json("run", "-m", GGUF, "-n", "8", "--ignore-eos", "hello")
    assert len(result["ids"]) == result["generated_tokens"] == 8 and result["finish"] == "length"
    assert good("run", "-m", GGUF, "-n", "8", "--ignore-eos", "hello") == result["text"] + "\n"
    again = good_json("run", "-m", GGUF, "-n", "8", "--ignore-eos", stdin=b"hello")
    assert again["ids"] == result["ids"]
    ids = good("tokenize", "-m", GGUF, "hello").strip()
    for source in (ids.replace(" ", ","), file_with(f"[{ids.replace(' ', ', ')}]\n".encode())):
        assert good_json("run", "-m", GGUF, "-n", "8", "--ignore-eos", "--ids", source)["ids"] == result["ids"]
    assert good("run", "-m", GGUF, "-n", "8", "--ignore-eos", "--echo", "hello").endswith(result["text"] + "\n")


@test
def drafts_change_nothing():
    base = ["run", "-m", GGUF, "-n", "40", "--ignore-eos", "hello hello"]
    for how in ([], ["--temp", "1", "--seed", "5"]):
        want = good_json(*base, *how)
        assert "steps" not in want
        for drafts in (["--draft-ngram", "2"], ["--draft-ngram", "8", "--draft", "16", "--branches", "3"],
                       ["--draft-model", GGUF], ["--draft-model", FOLDER, "--draft-ngram", "1", "--branches", "2"]):
            got = good_json(*base, *how, *drafts)
            assert got["ids"] == want["ids"], (how, drafts)
            assert got["accepted_tokens"] <= got["drafted_tokens"] and got["steps"] <= 39
    assert "were right" in run(*base, "--draft-ngram", "2", "--stats")[2]
    assert "--draft-ngram" in bad(2, *base, "--branches", "2")
    assert "vocabulary has 320" in bad(1, *base, "--draft-model", os.path.join(MODELS, "mistral"))


@test
def one_answer_whatever_the_threads_and_the_way_of_loading():
    want = good_json("run", "-m", GGUF, "-n", "16", "--ignore-eos", "hello")["ids"]
    for options in (["-t", "1"], ["-t", "3"], ["--read"], ["--check"], ["--ctx", "40"]):
        assert good_json("run", "-m", GGUF, "-n", "16", "--ignore-eos", "hello", *options)["ids"] == want, options
    portable = good_json("run", "-m", GGUF, "-n", "16", "--ignore-eos", "hello", "--portable")["ids"]
    assert portable == good_json("run", "-m", GGUF, "-n", "16", "--ignore-eos", "hello", "--portable", "--cpu", "ref")["ids"]


@test
def a_seed_gives_the_same_draws():
    hot = ["run", "-m", GGUF, "-n", "16", "--ignore-eos", "--temp", "2", "hello"]
    one = good_json(*hot, "--seed", "1")["ids"]
    assert one == good_json(*hot, "--seed", "1")["ids"] != good_json(*hot, "--seed", "2")["ids"]
    greedy = good_json("run", "-m", GGUF, "-n", "16", "--ignore-eos", "hello")["ids"]
    assert good_json(*hot, "--seed", "1", "--top-k", "1")["ids"] == greedy
    for options in (["--top-p", "0.5"], ["--min-p", "0.1"], ["--typical", "0.5"], ["--repeat-penalty", "1.3"],
                    ["--frequency-penalty", "0.5"], ["--presence-penalty", "0.5", "--penalty-window", "-1"]):
        assert len(good_json(*hot, *options)["ids"]) == 16


@test
def stop_strings():
    text = good_json("run", "-m", GGUF, "-n", "16", "--ignore-eos", "hello")["text"]
    stop = text[3:5]
    if not stop or "\ufffd" in stop:
        stop = text[-1]
    result = good_json("run", "-m", GGUF, "-n", "16", "--ignore-eos", "hello", "--stop", "never said", "--stop", stop)
    assert result["finish"] == "stop_string" and result["text"] == text[: text.index(stop)], (text, result)
    assert "not empty" in bad(2, "run", "--stop", "", "hi")


@test
def full_context():
    result = good_json("run", "-m", GGUF, "-n", "0", "--ignore-eos", "--ctx", "32", "hello")
    assert result["finish"] == "full"
    assert "--ctx" in run("run", "-m", GGUF, "-n", "0", "--ignore-eos", "--ctx", "32", "hello")[2]
    assert "--ctx" in bad(1, "run", "-m", GGUF, "--ctx", "8", "a prompt of more than eight tokens, surely")


@test
def empty_and_wrong_prompts():
    assert "empty" in bad(1, "run", "-m", GGUF, "--no-special", stdin=b"")
    assert "another tokenizer" in bad(1, "run", "-m", GGUF, "--ids", "1,2,288")


@test
def quiet_output_is_only_the_text():
    _, out, err = run("run", "-m", GGUF, "-n", "4", "-q", "--ignore-eos", "hello")
    assert out.endswith("\n") and err == ""


@test
def write_errors_are_failures():
    if not os.path.exists("/dev/full"):
        return
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "tokenize", "-m", GGUF, "hello"], stdout=full, stderr=subprocess.PIPE, timeout=LIMIT)
    assert done.returncode == 1 and b"could not be written" in done.stderr


# ---- score --------------------------------------------------------------------


TEXT = "The quick brown fox jumps over the lazy dog. " * 8


@test
def score_adds_up():
    result = good_json("score", "-m", GGUF, TEXT, "--tokens", "--chunk", "50")
    per_token = result["logprobs"]
    assert len(per_token) == result["tokens"] == len(result["ids"])
    assert [i for i, p in enumerate(per_token) if p is None] == list(range(0, result["tokens"], 50))
    known = [p for p in per_token if p is not None]
    assert len(known) == result["scored"] and all(p < 0 for p in known)
    assert math.isclose(sum(known), result["sum_logprob"], rel_tol=1e-6)
    assert math.isclose(result["mean_nll"], -result["sum_logprob"] / result["scored"], rel_tol=1e-6)
    assert math.isclose(result["perplexity"], math.exp(result["mean_nll"]), rel_tol=1e-6)


@test
def score_of_ids_equals_score_of_text():
    ids = good("tokenize", "-m", GGUF, TEXT)
    path = file_with(ids.encode())
    a, b = good_json("score", "-m", GGUF, TEXT), good_json("score", "-m", GGUF, "--ids", path)
    assert a["sum_logprob"] == b["sum_logprob"] and a["tokens"] == b["tokens"]
    chunk = ids.split()[:50]
    whole = good_json("score", "-m", GGUF, "--ids", ",".join(chunk))["sum_logprob"]
    assert good_json("score", "-m", GGUF, "--ids", " ".join(chunk), "-t", "1")["sum_logprob"] == whole
    os.unlink(path)


@test
def score_as_text():
    out = good("score", "-m", GGUF, stdin=TEXT.encode())
    assert "mean nll" in out and "perplexity" in out
    assert len(good("score", "-m", GGUF, "--tokens", TEXT).splitlines()) > 50
    assert "at least 2" in bad(1, "score", "-m", GGUF, "--ids", "5")
    assert "another tokenizer" in bad(1, "score", "-m", GGUF, "--ids", "5 400 5")


# ---- bench --------------------------------------------------------------------


@test
def bench_measures_model_and_machine():
    result = good_json("bench", "-m", GGUF, "-p", "32", "-n", "8", "-t", "2", "-r", "2")
    assert result["prompt"]["best"] >= result["prompt"]["median"] > 0 and result["generation"]["best"] > 0
    assert result["threads"] == 2 and result["read_bytes_per_second"] > 1e8
    assert result["bytes_per_token"]["weights"] > 0 and result["fractions"]["generation"] > 0
    out = good("bench", GGUF, "-p", "0", "-n", "4", "-r", "1")
    assert "generation" in out and "GB/s" in out and "prompt " not in out
    assert "nothing" in bad(2, "bench", GGUF, "-p", "0", "-n", "0")
    assert "--ctx" in bad(1, "bench", GGUF, "-p", "65", "-r", "1")


@test
def bench_state_measures_forks_and_rewinds():
    result = good_json("bench", "state", "-m", GGUF, "--tokens", "20,40", "-r", "2", "--folder", tempfile.gettempdir())
    figures = result["figures"]
    assert result["tokens_run"] == 40 and {f["tokens"] for f in figures} == {0, 20, 40}
    fork = [f for f in figures if f["what"] == "fork"]
    assert len(fork) == 2 and all(f["at_most"] == 10 and f["value"] > 0 and "reached" in f for f in fork)
    assert [f for f in figures if f["what"] == "the same tokens as without"][0]["reached"]
    out = good("bench", "state", GGUF, "--tokens", "20", "-r", "1", "--folder", tempfile.gettempdir())
    assert "20 tokens, all of them run" in out and "rewind to a mark" in out
    assert "commas" in bad(2, "bench", "state", GGUF, "--tokens", "x")
    assert "ascend" in bad(2, "bench", "state", GGUF, "--tokens", "40,20")


@test
def bench_slices_measures_overruns():
    result = good_json("bench", "slices", "-m", GGUF, "-b", "200", "-p", "32", "-n", "4", "-t", "2", "-r", "2")
    steps, machine, memory = result["steps"], result["machine"], result["memory"]
    assert result["budget_us"] == 200 and result["sliced_seconds"] > 0 and result["plain_seconds"] > 0
    assert steps["slices"] == machine["slices"] == memory["slices"] and 0 <= steps["late"] <= 1
    assert steps["median_ms"] <= steps["p90_ms"] <= steps["p99_ms"] <= steps["most_ms"]
    out = good("bench", "slices", GGUF, "-p", "8", "-n", "2", "-r", "1")
    assert "arithmetic alone" in out and "reading alone" in out and "slices of 4000 us" in out
    assert "--ctx" in bad(1, "bench", "slices", GGUF, "-p", "60", "-n", "10")
    assert "from 1" in bad(2, "bench", "slices", GGUF, "--budget", "0")


# ---- chat ---------------------------------------------------------------------


def chat(lines, *args, path=FOLDER):
    out = good("chat", "-m", path, "--json", *args, stdin="".join(line + "\n" for line in lines).encode())
    return [json.loads(line) for line in out.splitlines()]


@test
def chat_answers_once():
    one = good_json("chat", "-m", FOLDER, "-n", "6", "-p", "hi")
    assert 0 < len(one["ids"]) <= 6 and one["reused_tokens"] == 0
    path = file_with(b"hi")
    assert good_json("chat", "-m", FOLDER, "-n", "6", "-f", path)["ids"] == one["ids"]
    assert chat(["hi"], "-n", "6")[0]["ids"] == one["ids"]
    os.unlink(path)


@test
def chat_prompt_is_the_template():
    rendered = "<|begin|>system\nS<|end|>\n<|begin|>user\nhi<|end|>\n<|begin|>assistant\n"
    ids = good("tokenize", "-m", FOLDER, "--no-special", "--parse-special", rendered).split()
    answer = good_json("chat", "-m", FOLDER, "--system", "S", "-n", "6", "-p", "hi")
    assert answer["prompt_tokens"] == len(ids)
    assert answer["ids"] == good_json("run", "-m", FOLDER, "--ids", ",".join(ids), "-n", "6")["ids"]


@test
def second_turn_costs_only_the_new_tokens():
    first, second = chat(["hi", "yo"], "-n", "4", "--ctx", "200")
    assert second["reused_tokens"] >= first["prompt_tokens"]
    assert second["prompt_tokens"] < first["prompt_tokens"] + len(first["ids"]) + 20
    assert first["recomputed_tokens"] == second["recomputed_tokens"] == 0


@test
def full_context_drops_turns_and_says_so():
    answers = chat(["one", "two", "three", "four", "five"], "-n", "4", "--ctx", "64")
    assert len(answers) == 5 and sum(a["dropped_turns"] for a in answers) > 0
    stdin = b"one\ntwo\nthree\nfour\nfive\n"
    assert "context full: dropped" in run("chat", "-m", FOLDER, "-n", "4", "--ctx", "64", stdin=stdin)[2]
    code, _, err = run("chat", "-m", FOLDER, "--ctx", "64", stdin=b"word " * 100 + b"\n")
    assert code == 1 and "--ctx" in err


@test
def chat_commands():
    first, again = chat(["hi", "/reset", "hi"], "-n", "4")
    assert first["ids"] == again["ids"]
    assert len(chat(["hi", "/regen", "/quit", "never read"], "-n", "4")) == 2
    one, two, other = chat(["hi", "yo", "/undo", "no"], "-n", "4")
    assert two["reused_tokens"] >= one["prompt_tokens"] and other["reused_tokens"] >= one["prompt_tokens"]
    assert other["ids"] == chat(["hi", "no"], "-n", "4")[1]["ids"]
    code, _, err = run("chat", "-m", FOLDER, "-n", "4", stdin=b"/undo\nhi\n/stats\n")
    assert code == 0 and "nothing to take back" in err and "prefix cache holds" in err
    code, _, err = run("chat", "-m", FOLDER, stdin=b"/regen\n/nonsense\n/help\n")
    assert code == 0 and "no answer yet" in err and "/nonsense" in err
    with_system = chat(["/system S", "hi"], "-n", "4")[0]
    assert with_system["ids"] == good_json("chat", "-m", FOLDER, "-s", "S", "-n", "4", "-p", "hi")["ids"]


@test
def an_answer_tried_again_reads_nothing():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("config.json", "model.safetensors"):
            os.symlink(os.path.abspath(os.path.join(MODELS, "mamba2-dtlimit", name)), os.path.join(folder, name))
        os.symlink(os.path.abspath(os.path.join(FOLDER, "tokenizer_config.json")), os.path.join(folder, "tokenizer_config.json"))
        vocabulary = json.loads(pathlib.Path(FOLDER, "tokenizer.json").read_text())
        vocabulary["added_tokens"] += [dict(vocabulary["added_tokens"][0], id=i, content=f"<{i}>") for i in range(288, 320)]
        pathlib.Path(folder, "tokenizer.json").write_text(json.dumps(vocabulary))
        first, again = chat(["hi", "/regen"], "-n", "4", path=folder)
        assert first["prompt_tokens"] > 1 and first["reused_tokens"] == 0
        assert (again["prompt_tokens"], again["reused_tokens"], again["recomputed_tokens"]) == (0, first["prompt_tokens"], 0)


@test
def conversations_are_kept():
    with tempfile.TemporaryDirectory() as folder:
        file, texts = os.path.join(folder, "talk"), os.path.join(folder, "texts")
        whole = chat(["hi", "yo", "no"], "-n", "4")
        chat(["hi", "yo", "/save " + file], "-n", "4")
        again = chat(["/load " + file, "no"], "-n", "4")[0]
        assert again["ids"] == whole[2]["ids"] and again["reused_tokens"] == whole[2]["reused_tokens"]
        os.unlink(file + ".state")
        code, out, err = run("chat", "-m", FOLDER, "-n", "4", "--json", stdin=f"/load {file}\nno\n/load {texts}\n/save\n".encode())
        assert code == 0 and json.loads(out)["ids"] == whole[2]["ids"] and json.loads(out)["reused_tokens"] == 0
        assert "without its state" in err and "no conversation" in err and "needs the name" in err
        first = chat(["hi"], "-n", "4", "--prefix-cache", texts)[0]
        second = chat(["hi"], "-n", "4", "--prefix-cache", texts)[0]
        assert first["reused_tokens"] == 0 and second["prompt_tokens"] == 1 and first["ids"] == second["ids"]
        text = [good_json("run", "-m", FOLDER, "-n", "4", "--prefix-cache", texts, "hello world") for _ in range(2)]
        assert text[0]["ids"] == text[1]["ids"] and text[1]["prompt_tokens"] == 1 < text[0]["prompt_tokens"]


@test
def conversations_are_replaced_whole():
    with tempfile.TemporaryDirectory() as folder:
        file, link = os.path.join(folder, "talk"), os.path.join(folder, "link")
        chat(["hi", "/save " + file], "-n", "4")
        before, talks = pathlib.Path(file).read_bytes(), ["hi", "yo", "/save " + file]
        os.chmod(file, 0o640)
        # no room for the new one: the old stays, and nothing beside it
        code, out, err = run("chat", "-m", FOLDER, "-n", "4", "--json", stdin="\n".join(talks).encode(),
                             restore_signals=False,  # Python ignores SIGXFSZ: writing fails
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2,) * 2))
        assert code == 0 and "can not be written" in err, err
        assert pathlib.Path(file).read_bytes() == before and sorted(os.listdir(folder)) == ["talk", "talk.state"]
        inode = os.stat(file).st_ino
        os.symlink("talk", link)
        chat(talks + ["/save " + link], "-n", "4")
        assert os.stat(file).st_ino != inode and os.stat(file).st_mode & 0o777 == 0o640
        assert pathlib.Path(file).read_bytes() != before and not os.path.islink(link)
        assert len(json.loads(pathlib.Path(link).read_text())) == len(json.loads(pathlib.Path(file).read_text())) == 4
        code, out, err = run("chat", "-m", FOLDER, "-n", "4", stdin=f"/save {folder}\n/save {folder}/no/talk\n/save /dev/null\n".encode())
        assert code == 0 and err.count("can not be written") == 3 and os.path.exists("/dev/null")
        assert sorted(os.listdir(folder)) == ["link", "link.state", "talk", "talk.state"]


@test
def no_standard_descriptors():
    """Started without some of 0, 1 and 2: what is printed lands in no file."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "talk")
        chat(["hi", "/save " + file], "-n", "4")
        want = {name: pathlib.Path(folder, name).read_bytes() for name in os.listdir(folder)}
        for closed in range(8):
            if closed & 1 == 0:
                for name in want:
                    os.unlink(os.path.join(folder, name))
            numbers = [fd for fd in range(3) if closed >> fd & 1]
            done = subprocess.run([PROGRAM, "chat", "-m", FOLDER, "-n", "4"], input=f"hi\n/save {file}\n".encode(),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                                  preexec_fn=lambda: [os.close(fd) for fd in numbers])
            assert closed & 1 or (done.returncode == 0) == (not closed & 2), (closed, done.returncode)
            assert closed & 2 or closed & 1 or done.stdout, closed
            assert {name: pathlib.Path(folder, name).read_bytes() for name in os.listdir(folder)} == want, closed


@test
def typed_markers_are_no_special_tokens():
    typed = "x<|end|>\n<|begin|>assistant\ny"
    spelled = good_json("tokenize", "-m", FOLDER, "--no-special", typed)["count"]
    empty = good_json("chat", "-m", FOLDER, "-n", "1", "--ctx", "400", "-p", "x")["prompt_tokens"]
    x = good_json("tokenize", "-m", FOLDER, "--no-special", "x")["count"]
    assert good_json("chat", "-m", FOLDER, "-n", "1", "--ctx", "400", "-p", typed)["prompt_tokens"] == empty - x + spelled


@test
def chat_template_option():
    path = file_with(b"{% for m in messages %}{{ m['content'] }}{% endfor %}")
    assert good_json("chat", "-m", FOLDER, "--chat-template", path, "-n", "1", "-p", "hello")["prompt_tokens"] == \
        good_json("tokenize", "-m", FOLDER, "--no-special", "hello")["count"]
    with open(path, "wb") as f:
        f.write(b"{{ raise_exception('not with me') }}")
    assert "not with me" in bad(1, "chat", "-m", FOLDER, "--chat-template", path, "-p", "hello")
    os.unlink(path)


# ---- adapters -------------------------------------------------------------------


@test
def adapters_change_the_text_by_their_scale():
    base = ["run", "-m", FOLDER, "-n", "12", "--ignore-eos", "hello world"]
    own = good_json(*base)["ids"]
    with tempfile.TemporaryDirectory() as folder:
        lora, minus = adapter(folder, "lora"), adapter(folder, "minus", -1)
        once = good_json(*base, "--adapter", lora)["ids"]
        assert once != own
        assert good_json(*base, "--adapter", lora, "--adapter-scale", "1")["ids"] == once
        assert good_json(*base, "--adapter", lora, "--adapter-scale=-1")["ids"] == good_json(*base, "--adapter", minus)["ids"] != once
        assert good_json(*base, "--adapter", lora, "--adapter-scale", "0")["ids"] == own
        two = [good_json(*base, *options)["ids"] for options in (["--adapter", lora, "--adapter", lora],
                                                                 ["--adapter", lora, "--adapter-scale", "2"])]
        assert two[0] == two[1] != once
        # each scale is of the adapter before it
        for options in (["--adapter", lora, "--adapter", lora, "--adapter-scale", "-1"],
                        ["--adapter", lora, "--adapter-scale", "-1", "--adapter", lora],
                        ["--adapter", lora, "--adapter", minus]):
            assert good_json(*base, *options)["ids"] == own, options
        assert good_json(*base, "--adapter", lora, "--draft-ngram", "1", "--branches", "2")["ids"] == once


@test
def adapters_that_can_not_be_used():
    base = ["run", "-m", FOLDER, "hello"]
    with tempfile.TemporaryDirectory() as folder:
        lora, none = adapter(folder, "lora"), os.path.join(folder, "none")
        assert none in bad(1, *base, "--adapter", lora, "--adapter", none)
        assert none in bad(1, *base, "--adapter", none, "--adapter-scale", "0")
        code, out, _ = run("chat", "-m", FOLDER, "-p", "hi", "--json", "--adapter", none)
        error = json.loads(out)["error"]
        assert code == 1 and error["status"] == "HLM_E_IO" and none in error["message"] and "quickstart" not in error["hint"]
        assert "lora" in bad(1, "run", "-m", GGUF, "hello", "--adapter", lora)
        assert "lora" in bad(1, "run", "-m", os.path.join(MODELS, "llama3"), "--ids", "1,2", "--adapter", lora)
        assert "before any --adapter" in bad(2, *base, "--adapter-scale", "2", "--adapter", lora)
        assert "takes a number" in bad(2, *base, "--adapter", lora, "--adapter-scale", "much")
        assert "16 times" in bad(2, *base, *["--adapter", lora] * 17)
        assert "--adapter" in bad(2, "score", "-m", FOLDER, "hello", "--adapter", lora)


@test
def conversations_are_kept_with_their_adapters():
    with tempfile.TemporaryDirectory() as folder:
        file, texts = os.path.join(folder, "talk"), os.path.join(folder, "texts")
        own = ["-n", "4", "--ctx", "400"]
        options = own + ["--adapter", adapter(folder, "lora"), "--adapter-scale", "7", "--adapter", adapter(folder, "more")]
        whole = chat(["hi", "yo", "no"], *options)
        assert whole[2]["ids"] != chat(["hi", "yo", "no"], *own)[2]["ids"] and whole[2]["reused_tokens"] > 0
        chat(["hi", "yo", "/save " + file], *options)
        again = chat(["/load " + file, "no"], *options)[0]
        assert again["ids"] == whole[2]["ids"] and again["reused_tokens"] == whole[2]["reused_tokens"]
        code, out, err = run("chat", "-m", FOLDER, "-n", "4", "--json", stdin=f"/load {file}\nno\n".encode())
        assert code == 0 and "without its state" in err and json.loads(out)["reused_tokens"] == 0
        for base in (["chat", "-m", FOLDER, "-p", "hi"], ["run", "-m", FOLDER, "hello world"]):
            first, second = (good_json(*base, *options, "--prefix-cache", texts) for _ in range(2))
            assert first["ids"] == second["ids"] and second["prompt_tokens"] == 1 < first["prompt_tokens"]
        code, out, err = run("run", "-m", FOLDER, "-n", "4", "--json", "hello world", "--prefix-cache", texts)
        assert code == 0 and "its adapters" in err
        assert json.loads(out)["ids"] == good_json("run", "-m", FOLDER, "-n", "4", "hello world")["ids"]


# ---- Ctrl-C and the terminal ----------------------------------------------------


ENDLESS = ["-n", "0", "--ignore-eos", "--ctx", "1000000"]


@test
def interrupt_ends_run_with_what_there_is():
    p = subprocess.Popen([PROGRAM, "run", "-m", GGUF, *ENDLESS, "--json", "hello"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    time.sleep(1)
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=LIMIT)
    result = json.loads(out)
    assert p.returncode == 130 and result["finish"] == "interrupted" and result["ids"], (p.returncode, out[:200])


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, *args):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(PROGRAM, [PROGRAM, *args])
        self.seen = ""

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, text, seconds=30):
        """Reads until `text` comes; forgets what came before its end."""
        end = time.time() + seconds
        while text not in self.seen:
            assert time.time() < end, f"{text!r} did not come: {self.seen[-300:]!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    assert text in self.seen, f"ended without {text!r}: {self.seen[-300:]!r}"
        self.seen = self.seen[self.seen.index(text) + len(text):]

    def type_until(self, key, text):
        """Presses a key until `text` comes: one that is pressed before the editor listens is lost."""
        for _ in range(30):
            self.type(key)
            try:
                return self.wait_for(text, seconds=1)
            except AssertionError:
                pass
        raise AssertionError(f"{text!r} did not come: {self.seen[-300:]!r}")

    def exit_code(self, key=None):
        """The exit code, pressing `key` every second until there is one."""
        for moment in range(LIMIT * 20):
            if key and moment % 20 == 0:
                self.type(key)
            if select.select([self.fd], [], [], 0.05)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:  # Linux: the other side is closed
                    key = None
                    time.sleep(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("the program did not end")


@test
def interrupt_stops_the_answer_and_not_the_chat():
    t = Terminal("chat", "-m", FOLDER, *ENDLESS)
    t.wait_for("> ")
    t.type("hi\r")
    time.sleep(1)
    t.type("\x03")
    t.wait_for("[stopped]")
    t.wait_for("> ")
    t.type("/reset\r")
    t.wait_for("forgotten")
    t.wait_for("> ")
    t.type("/quit\r")
    assert t.exit_code() == 0


@test
def interrupt_at_the_prompt_warns_first():
    t = Terminal("chat", "-m", FOLDER)
    t.wait_for("> ")
    t.type_until("\x03", "ends the chat")
    t.wait_for("> ")
    assert t.exit_code("\x03") == 130


@test
def end_of_input_ends_the_chat():
    t = Terminal("chat", "-m", FOLDER)
    t.wait_for("> ")
    assert t.exit_code("\x04") == 0


def main():
    passed = failed = 0
    for function in TESTS:
        try:
            function()
            passed += 1
        except Exception as error:  # a test that breaks has failed, whatever broke
            failed += 1
            print(f"{function.__name__}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
