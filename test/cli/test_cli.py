#!/usr/bin/env python3
"""Runs the hybridlm program as people and scripts do: every command, its JSON,
exit codes, error texts, pipes, Ctrl-C and a terminal.

    test_cli.py PROGRAM FOLDER [PLAIN]     FOLDER holds tiny-llama/ and tiny-llama.gguf; PLAIN is the program without libedit
"""

import fcntl
import json
import math
import os
import pathlib
import pty
import re
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata

PROGRAM, MODELS = sys.argv[1], sys.argv[2]
PLAIN = sys.argv[3] if len(sys.argv) > 3 else PROGRAM
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
    assert "unexpected argument" in bad(2, "run", "one", "two", "three")
    assert "unexpected argument" in bad(2, "run", "-m", GGUF, "one", "two")
    assert "unexpected argument" in bad(2, "info", GGUF, FOLDER)


OTHERS = {"temp": "1.5", "repeat-penalty": "1.2", "penalty-window": "5", "typical": "0.5", "seed": "7", "stop": "q", "max-tokens": "5",
          "ctx": "40", "threads": "1", "kv": "f32", "system": "Be kind", "chat-template": None, "stats": "", "quiet": "", "no-wrap": "",
          "adapter": None, "draft-model": GGUF, "draft": "2", "show-special": "", "read": ""}
TIMES = ("prompt_seconds", "generate_seconds", "prompt_tokens_per_second", "generated_tokens_per_second")


@test
def names_of_other_programs():
    """What --help lists as also understood does what the option itself does."""
    template = file_with(b"{% for m in messages %}{{ m['content'] }}{% endfor %}")
    tried = set()
    with tempfile.TemporaryDirectory() as folder:
        files = {"adapter": adapter(folder, "lora"), "chat-template": template}
        for command in ("run", "chat"):
            lines = good(command, "--help").split("Also understood:\n")[1].split("\n\n")[0].splitlines()
            assert "--top_k" in lines.pop()
            for line in lines:
                option, names = re.fullmatch(r"  --([a-z-]+): (.*)", line).groups()
                value = OTHERS[option] if OTHERS[option] is not None else files[option]
                base = [command, "-m", FOLDER, "-p", "hi", "--seed", "3", "--temp", "1", "-n", "6"]
                base += ["--draft-ngram", "4"] if option == "draft" else []
                for name in ["--" + option, *names.split(", ")]:
                    got = good_json(*base, name, *([value] if value else []))
                    got = {k: v for k, v in got.items() if k not in TIMES}
                    want = got if name == "--" + option else want
                    assert got == want, (command, name)
                    tried.add(name)
    os.unlink(template)
    assert {"--temperature", "--n-predict", "--ctx-size", "--verbose", "-v", "-sys", "--lora", "-md"} <= tried
    same = [good_json("run", "-m", GGUF, "-n", "8", "--temp", "1", "--seed", "1", *o, "hello")["ids"]
            for o in (["--top-k", "3"], ["--top_k", "3"], ["--top_k=3"])]
    assert same[0] == same[1] == same[2]
    assert "CPU" in bad(2, "run", "-m", GGUF, "-ngl", "99", "hi") and "CPU" in bad(2, "chat", "--n-gpu-layers", "1")
    assert "--kv" in bad(2, "run", "-ctk", "f16", "hi") and "--kv" in bad(2, "run", "--cache_type_k", "f16", "hi")


@test
def slips_are_understood():
    for word, meant in (("--temprature", "--temperature"), ("--tempeature", "--temperature"), ("--tpo-k", "--top-k"), ("--max", "--max-tokens"),
                        ("--max-token", "--max-tokens"), ("--sed", "--seed"), ("--hlep", "--help"), ("--Stop", "--stop"),
                        ("--ctx-siz", "--ctx-size"), ("--rep", "--repeat-penalty"), ("--jsn=1", "--json"), ("--thread", "--threads")):
        assert f"Did you mean {meant}?" in bad(2, "run", "-m", GGUF, word, "1", "hi"), word
    for word, meant in (("cht", "chat"), ("rnu", "run"), ("tokenise", "tokenize"), ("scroe", "score"), ("inof", "info"),
                        ("generate", "run"), ("show", "info"), ("bnech", "bench")):
        assert f"Did you mean {meant}?" in bad(2, word) and f"Did you mean {meant}?" in bad(2, "help", word), word
    assert "Did you mean bench state?" in bad(2, "bench", "stat") and "Did you mean bench slices?" in bad(2, "bench", "slice", "-m", GGUF)
    assert "Did you mean" not in bad(2, "xyzzy") and "Did you mean" not in bad(2, "run", "--xyzzy")
    assert f"hybridlm chat {GGUF}" in bad(2, GGUF)


@test
def model_before_the_text():
    env = {k: v for k, v in os.environ.items() if k != "HYBRIDLM_MODEL"}
    for command, more in (("run", ["-n", "4"]), ("chat", ["-n", "4"]), ("tokenize", []), ("score", [])):
        want = {k: v for k, v in good_json(command, "-m", FOLDER, "hello you", *more, env=env).items() if "second" not in k and k != "seed"}
        for args in ([FOLDER, "hello you"], [FOLDER, "-p", "hello you"], ["-p", "hello you", FOLDER], ["-m", FOLDER, "-p", "hello you"],
                     [FOLDER, "-f", "-"], [FOLDER]):
            if args == [FOLDER] and command == "chat":
                continue  # lines are messages
            got = good_json(command, *args, *more, stdin=b"hello you", env=env)
            assert {k: v for k, v in got.items() if "second" not in k and k != "seed"} == want, (command, args)
        named = {**env, "HYBRIDLM_MODEL": FOLDER}
        got = good_json(command, "hello you", *more, env=named)
        assert {k: v for k, v in got.items() if "second" not in k and k != "seed"} == want, command
        assert good_json(command, GGUF, "-p", "hello you", *more, env=named) if command != "chat" else True
        assert "none.gguf" in bad(1, command, "none.gguf", "-p", "x", env=env)
        assert "none.gguf" in bad(1, command, "none.gguf", env=env)
        assert "/no/folder" in bad(1, command, "/no/folder", env=env)
        assert "'hello' is no file" in bad(2, command, "hello", env=env) and "-m PATH" in bad(2, command, "hello", env=env)
    assert len(good("chat", FOLDER, "--json", "-n", "2", stdin=b"one\ntwo\n", env=env).splitlines()) == 2
    assert "prompt" not in good("bench", GGUF, "-p", "0", "-n", "1", "-r", "1", env=env)


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
def without_a_seed_the_text_varies():
    for command, path in (("run", GGUF), ("chat", FOLDER)):
        hot = [command, "-m", path, "-n", "24", "--ignore-eos", "--temp", "2", "-p", "hello"]
        drawn = [good_json(*hot) for _ in range(3)]
        assert len({str(d["ids"]) for d in drawn}) > 1 and len({d["seed"] for d in drawn}) == 3, drawn
        for d in drawn:
            again = good_json(*hot, "--seed", str(d["seed"]))
            assert again["ids"] == d["ids"] and again["seed"] == d["seed"]
        assert len({good_json(*hot, "--seed", "-1")["seed"] for _ in range(3)}) == 3
        for options, told in (([], True), (["--seed", "5"], False), (["-q"], False), (["--temp", "0"], False)):
            code, out, err = run(*hot, *options)
            assert code == 0 and ("--seed" in err) == told, (options, err)
        code, out, err = run(*hot)
        seed = re.search(r"--seed (\d+)", err)[1]
        assert good(*hot, "--seed", seed) == out
        cold = [command, "-m", path, "-n", "24", "--ignore-eos", "-p", "hello"]
        assert good_json(*cold)["ids"] == good_json(*cold)["ids"]  # greedy draws nothing
    assert "from -1" in bad(2, "run", "--seed", "-2", "hi") and "whole number" in bad(2, "run", "--seed", "x", "hi")
    one, two = chat(["hi", "/clear", "hi"], "-n", "24", "--ctx", "400", "--temp", "2", "--ignore-eos")
    assert one["seed"] != two["seed"] and one["ids"] != two["ids"]
    one, two = chat(["hi", "/clear", "hi"], "-n", "24", "--ctx", "400", "--temp", "2", "--ignore-eos", "--seed", "9")
    assert one["seed"] == two["seed"] == 9 and one["ids"] == two["ids"]
    first, *more = chat(["hi"] + ["/regen"] * 3, "-n", "24", "--ctx", "400", "--ignore-eos")
    assert len({str(a["ids"]) for a in more}) > 1  # each /regen draws anew


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
def a_prompt_without_room_is_told_at_once():
    text = "a prompt of more than eight tokens, surely"
    n = good_json("tokenize", "-m", GGUF, text)["count"]
    err = bad(1, "run", "-m", GGUF, "--ctx", "8", text)
    assert f"takes {n} tokens" in err and "room for 8" in err and f"--ctx {n + 128}" in err, err
    err = bad(1, "run", "-m", GGUF, "--ctx", str(n - 1), "-n", "10", text)
    assert f"room for {n - 1}" in err and f"--ctx {n + 10}" in err
    assert "room for 64" in bad(1, "run", "-m", GGUF, "word " * 100) and "--ctx" in bad(1, "run", "-m", GGUF, "word " * 100)
    code, out, err = run("run", "-m", GGUF, "--ctx", "8", "--json", text)
    assert code == 1 and f"takes {n} tokens" in json.loads(out)["error"]["message"]
    assert bad(1, "run", "-m", GGUF, "--ctx", "8", "--echo", text)  # not even the echo
    assert len(good_json("run", "-m", GGUF, "--ctx", str(n), "--ignore-eos", text)["ids"]) == 1
    long = file_with(b"word " * 200000)
    start = time.time()
    assert "room for 64" in bad(1, "run", "-m", GGUF, "-f", long)
    assert time.time() - start < 20  # tokenizing alone
    os.unlink(long)


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
def other_names_of_chat_commands():
    for words in ("/clear", "/reset", "/new"):
        first, again = chat(["hi", words, "hi"], "-n", "4")
        assert first["ids"] == again["ids"], words
    for words in ("/bye", "/quit", "/exit"):
        assert len(chat(["hi", words, "never read"], "-n", "4")) == 1, words
    for words in ("/?", "/help"):
        code, out, err = run("chat", "-m", FOLDER, stdin=words.encode() + b"\n")
        assert code == 0 and all(c in out for c in ("/clear", "/set", "/bye", "/?", "/load")), words
    for slip, meant in (("/claer", "/clear"), ("/hlep", "/help"), ("/sett temp 1", "/set"), ("/sav x", "/save"), ("/rest", "/reset"),
                        ("/lod x", "/load"), ("/by", "/bye"), ("/regenerate", "/regen")):
        code, out, err = run("chat", "-m", FOLDER, stdin=slip.encode() + b"\n")
        assert code == 0 and f"did you mean {meant}?" in err, (slip, err)


@test
def settings_change_in_the_chat():
    base = ["-n", "12", "--ctx", "600", "--ignore-eos"]
    cold, hot = (chat(["hi"], *base, *o)[0]["ids"] for o in ([], ["--temp", "2", "--seed", "4"]))
    assert cold != hot
    for lines in (["/set temp 2", "/set seed 4"], ["/set temperature 2", "/set seed=4"], ["/set parameter temperature 2", "/set parameter seed 4"],
                  ["/set --temp 2", "/set seed 4"]):
        assert chat(lines + ["hi"], *base)[0]["ids"] == hot, lines
    assert chat(["/set temp 2", "/set temp 0", "hi"], *base)[0]["ids"] == cold
    one, two = chat(["hi", "/set n_predict 5", "/clear", "hi"], *base)
    assert len(one["ids"]) == 12 and two["ids"] == one["ids"][:5]
    assert chat(["/set top_k 1", "/set temp 2", "hi"], *base)[0]["ids"] == cold
    assert chat(["/set system S", "hi"], "-n", "4")[0]["ids"] == chat(['/set system "S"', "hi"], "-n", "4")[0]["ids"] == \
        chat(["hi"], "-n", "4", "--system", "S")[0]["ids"]
    text = chat(["hi"], *base)[0]["text"]
    stop = next(c for c in reversed(text) if c != "\ufffd")
    stopped = chat([f"/set stop {stop}", "hi"], *base)[0]
    if stop.strip():
        assert stopped["finish"] == "stop_string"
    code, out, err = run("chat", "-m", FOLDER, "-n", "4", stdin=b"/set verbose\nhi\n/set quiet\nhi\n")
    assert code == 0 and err.count("tokens reused") == 1
    code, out, err = run("chat", "-m", FOLDER, stdin=b"/set\n/set temp\n/set stats on\n/set stats off\n")
    assert code == 0 and out.count("temp ") >= 2 and "max-tokens" in out and out.count("stats") == 3
    code, out, err = run("chat", "-m", FOLDER, "-n", "9", "--temp", "2", "--ignore-eos", stdin=b"/set seed\nhi\n")
    seed = re.match(r"  seed +-1 \(now (\d+)\)\n", out)
    assert out[seed.end():] == run("chat", "-m", FOLDER, "-n", "9", "--temp", "2", "--ignore-eos", "--seed", seed[1], stdin=b"hi\n")[1]
    # what is wrong is said by name, ends a script, and changes nothing
    for line, words in (("/set temprature 1", "Did you mean /set temperature"), ("/set temp much", "takes a number"), ("/set temp 200", "from 0 to 100"),
                        ("/set top_p 2", "from 0 to 1"), ("/set ctx 100", "settled when a chat begins"), ("/set xyzzy 1", "knows no 'xyzzy'"),
                        ("/set stats maybe", "on or off"), ("/set model x", "settled"), ("/set parameter nothing 3", "knows no 'nothing'")):
        code, out, err = run("chat", "-m", FOLDER, "-n", "4", stdin=line.encode() + b"\nhi\n")
        assert code == 2 and words in err, (line, err)
    t = Terminal("chat", "-m", FOLDER, "-n", "4")
    t.wait_for("> ")
    t.type("/set temp 200\r")
    t.wait_for("from 0 to 100")
    t.wait_for("> ")
    t.type("/set\r")
    t.wait_for("temp               0")
    t.type("/bye\r")
    assert t.exit_code() == 0


@test
def what_can_not_be_loaded_is_told():
    with tempfile.TemporaryDirectory() as folder:
        def file(name, text):
            pathlib.Path(folder, name).write_bytes(text)
            return os.path.join(folder, name)
        os.mkfifo(os.path.join(folder, "fifo"))
        os.symlink("nowhere", os.path.join(folder, "dangling"))
        cases = [(os.path.join(folder, "missing"), "No such file"), (os.path.join(folder, "dangling"), "No such file"), (folder, "Is a directory"),
                 (os.path.join(folder, "fifo"), "no regular file"), ("/dev/null", "no regular file"), (file("empty", b""), "no JSON"),
                 (file("text", b"[\n{"), "line 2"), (file("object", b"{}"), "no array of messages"), (file("role", b'[{"content": "x"}]'), "no role"),
                 (file("content", b'[{"role": "user", "content": "x"}, {"role": "user", "content": 1}]'), "message 1 has no content"),
                 (file("bytes", b'[{"role": "user", "content": "\xff"}]'), "no JSON"), (os.path.join(folder, "role", "x"), "Not a directory")]
        for path, words in cases:
            code, out, err = run("chat", "-m", FOLDER, "-n", "4", "--json", stdin=f"hi\n/load {path}\nyo\n".encode())
            assert code == 0 and "no conversation is loaded" in err and path in err and words in err, (path, err)
            assert [json.loads(line)["ids"] for line in out.splitlines()] == [a["ids"] for a in chat(["hi", "yo"], "-n", "4")]
        assert "/load needs the name" in run("chat", "-m", FOLDER, stdin=b"/load\n")[2]


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

    def __init__(self, *args, program=PROGRAM, columns=0, **env):
        size = struct.pack("HHHH", 24, columns, 0, 0)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, size)
            os.environ.update({"TERM": "xterm", **env})
            os.execv(program, [program, *args])
        self.seen = ""

    def resize(self, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def type(self, text):
        data = text if isinstance(text, bytes) else text.encode()
        while data:
            data = data[os.write(self.fd, data[:1024]):]

    def rest(self):
        """All that comes until the program ends, and its exit code."""
        while True:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            if not data:
                break
            self.seen += data.decode(errors="replace")
        os.close(self.fd)
        return self.seen, os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

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


def paste(text):
    return "\x1b[200~" + text + "\x1b[201~"


def messages_of(typed, program, **env):
    """What a chat on a terminal takes for the user's messages when so is typed."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "talk")
        t = Terminal("chat", "-m", FOLDER, "-n", "1", "--ctx", "500000", program=program, columns=80, **env)
        t.wait_for("> ")
        for keys in typed:
            t.type(keys)
            t.wait_for("[stopped after 1 tokens")
            t.wait_for("> ")  # before it the terminal edits, not the program
        t.type("/save " + file + "\r")
        t.wait_for("[saved")
        t.type("/bye\r")
        assert t.exit_code() == 0
        return [m["content"] for m in json.loads(pathlib.Path(file).read_text()) if m["role"] == "user"]


@test
def pasted_lines_are_one_message():
    long = "\n".join(f"line {i} of a long text" for i in range(1500))
    cases = [(paste("one\rtwo\rthree") + "\r", "one\ntwo\nthree"),
             (paste("one\ntwo\n\nthree") + "\r", "one\ntwo\n\nthree"),
             (paste("one\r\ntwo\r\n") + "\r", "one\ntwo"),
             (paste("gr\u00fc\u00dfe\r\u4e16\u754c \U0001f642\re\u0301") + "\r", "gr\u00fc\u00dfe\n\u4e16\u754c \U0001f642\ne\u0301"),
             ("before " + paste("one\rtwo") + " behind\r", "before one\ntwo behind"),
             (paste("a\rb") + paste("c\rd") + "\r", "a\nbc\nd"),
             (paste("/reset\r/quit\rx") + "\r", "/reset\n/quit\nx"),
             (paste("/etc/passwd\rand more") + "\r", "/etc/passwd\nand more"),
             (paste("a line that ends in \\\rand another") + "\r", "a line that ends in \\\nand another"),
             (paste("  four\r\tblanks") + "\r", "  four\n\tblanks"),
             (paste("a\x1b[31mb\x01c\r\x04d\x7fe") + "\r", "a\x1b[31mb\x01c\n\x04d\x7fe"),
             ("slip\x15" + paste("one\rtwo") + "\r", "one\ntwo"),
             (paste("one line") + "\r", "one line"),
             (paste("") + "x\r", "x"),
             ("plain\r", "plain"), ("gr\u00fcx\x7f\u00df\r", "gr\u00fc\u00df"), ("one two\x17three\r", "one three"), ("typed \\\rgoes on\r", "typed \ngoes on"),
             (paste(long.replace("\n", "\r")) + "\r", long)]
    for program in {PROGRAM, PLAIN}:
        for env in ({"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C"}):
            got = messages_of([keys for keys, _ in cases], program, **env)
            assert len(got) == len(cases), (program, env, got[:40])
            for (keys, want), message in zip(cases, got):
                assert message == want, (program, env, keys[:60], message[:60])


@test
def commands_may_be_pasted():
    for program in {PROGRAM, PLAIN}:
        t = Terminal("chat", "-m", FOLDER, "-n", "1", program=program)
        t.wait_for("> ")
        t.type(paste("/stats") + "\r")
        t.wait_for("prefix cache holds")
        t.type("/system " + paste("one\rtwo") + "\r")
        t.wait_for("forgotten")
        t.wait_for("> ")
        t.type(paste("hi\rho"))
        t.wait_for("ho")
        t.type_until("\x03", "ends the chat")  # given up: nothing of it stays
        t.type("/bye\r")
        assert t.exit_code() == 0


@test
def the_terminal_is_told_of_pastes_and_left_as_it_was():
    for program in {PROGRAM, PLAIN}:
        for keys in ("/bye\r", "\x04"):
            t = Terminal("chat", "-m", FOLDER, program=program)
            before = termios.tcgetattr(t.fd)
            t.wait_for("> ")
            t.type(keys)
            seen, code = t.rest()
            assert code == 0 and seen.count("\x1b[?2004l") == 1, (program, seen)
        t = Terminal("chat", "-m", FOLDER, program=program)
        t.wait_for("\x1b[?2004h")
        t.type("/bye\r")
        assert t.exit_code() == 0
        t = Terminal("chat", "-m", FOLDER, program=program, TERM="dumb")
        t.wait_for("> ")
        assert "2004" not in t.seen
        t.type("/bye\r")
        assert "2004" not in t.rest()[0]
    assert b"2004" not in subprocess.run([PROGRAM, "chat", "-m", FOLDER, "-n", "1"], input=b"hi\n", capture_output=True, timeout=LIMIT).stdout


def columns_of(text):
    """Columns of a terminal, by Python's own tables."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


PROSE = ("The quick brown fox jumps over the lazy dog, and then (as if that were not enough) it turns round and jumps back.\n\n"
         "    indented, and a verylongwordthatdoesnotfitintoanyofthesmallwindowsthatweretriedhere and more\n"
         "\u4e16\u754c\u4f60\u597d\u4e16\u754c\u4f60\u597d\u4e16\u754c\u4f60\u597d mixed\u4e16with latin\u754c words "
         "e\u0301e\u0301e\u0301e\u0301 a\u0308u\u0308o\u0308 \uac00\ub098\ub2e4 \uff21\uff22 end")


def shown(text, columns, *args):
    t = Terminal("run", "-m", GGUF, "--ctx", "4000", "--echo", "-q", "-n", "1", "--stop", "zzzz", *args, text, columns=columns)
    out, code = t.rest()
    assert code == 0, out
    return out.replace("\r\n", "\n")


@test
def words_wrap_at_the_width():
    for columns in (10, 17, 20, 33, 40, 80, 200):
        out = shown(PROSE, columns)
        lines = out.split("\n")
        assert all(columns_of(line) <= columns for line in lines), (columns, [l for l in lines if columns_of(l) > columns])
        # nothing is lost: but for blanks it is the text
        assert re.sub(r"\s", "", out).startswith(re.sub(r"\s", "", PROSE)), (columns, out)
        # words that fit on a line are whole
        for word in re.findall(r"[A-Za-z(),.]+", PROSE.split("\u4e16")[0]):
            if len(word) <= columns:
                assert any(word in line for line in lines), (columns, word)
        # and a line is no shorter than it needs to be
        for line, following in zip(lines, lines[1:]):
            word = following.split(" ")[0]
            if line and word and "\u0300" > max(line + word) and (line + " " + word) in PROSE:
                assert columns_of(line) + 1 + columns_of(word) > columns, (columns, line, word)
    assert shown(PROSE, 0).startswith(PROSE)  # a terminal that does not say its width
    assert shown(PROSE, 20, "--no-wrap").startswith(PROSE)
    assert shown("x " * 30, 7).split("\n")[:8] == ["x x x x"] * 7 + ["x x"] or shown("x " * 30, 7).count("x") >= 30
    hostile = shown("a\x1b[2Jb\x07c\x9bd\x08", 40)
    assert "\x1b" not in hostile and "\x07" not in hostile and "\x08" not in hostile and "a\ufffd[2Jb\ufffdc" in hostile
    assert good("run", "-m", GGUF, "--ctx", "4000", "--echo", "-q", "-n", "1", PROSE).startswith(PROSE)  # a pipe has no width


@test
def a_window_may_change_its_size():
    t = Terminal("run", "-m", GGUF, "-q", "--temp", "1.5", "--seed", "1", *ENDLESS, "hello", columns=100)
    while t.seen.count("\n") < 40:
        t.seen += os.read(t.fd, 4096).decode(errors="replace")
    assert 60 < max(columns_of(line) for line in t.seen.split("\r\n")) <= 100
    t.resize(30)
    t.seen = ""
    while t.seen.count("\n") < 400:  # what was on its way is of the old width
        t.seen += os.read(t.fd, 4096).decode(errors="replace")
    late = t.seen.split("\r\n")[-200:]
    assert 15 < max(columns_of(line) for line in late) <= 30, max(late, key=columns_of)
    t.type("\x03")
    assert t.rest()[1] == 130


@test
def progress_keeps_to_the_width():
    path = file_with(b"word " * 6000)
    for columns in (3, 7, 16, 30, 60, 120, 0):
        t = Terminal("run", "-m", GGUF, "--ctx", "40000", "-n", "1", "-t", "1", "-f", path, columns=columns)
        out, code = t.rest()
        frames = [re.sub(r"\x1b\[K", "", f) for f in out.split("\r") if "%" in f]
        assert code == 0 and all(len(f) < (columns or 80) for f in frames), (columns, frames)
        assert frames or columns < 7, out
        if columns >= 30 or columns == 0:
            assert all(re.fullmatch(r"(reading|loading) \[#*\.*\] +\d+ %", f.strip("\n")) for f in frames), frames
    os.unlink(path)


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
