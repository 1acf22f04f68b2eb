#!/usr/bin/env python3
"""Runs the hybridlm program as people and scripts do: every command but chat, its JSON, exit codes, error texts and pipes."""

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time

from program import FOLDER, GGUF, LIMIT, MODELS, PROGRAM, adapter, bad, chat, file_with, good, good_json, main, run, test


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
    code, out, _ = run("run", path, "--ids", "1", "--json")
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


@test
def info_of_tensors():
    for path, names in ((GGUF, ("token_embd.weight", "blk.1.ffn_down.weight")),
                        (FOLDER, ("model.embed_tokens.weight", "model.layers.1.mlp.down_proj.weight"))):
        info = good_json("info", path, "--tensors")
        tensors = {t["tensor"]: t for t in info["tensors"]}
        table, down = tensors[names[0]], tensors[names[1]]
        assert table["role"] == "embedding" and "layer" not in table and table["shape"] == [table["rows"], table["cols"]]
        assert down["layer"] == 1 and down["block"] == "mlp" and down["role"] == "down" and down["unit"] > 0, down
        assert sum(t["bytes"] for t in info["tensors"]) == info["model"]["weight_bytes"]
        lines = good("info", path, "--tensors").splitlines()
        assert len(lines) == len(info["tensors"]) + 1 and lines[0].split()[:4] == ["tensor", "type", "shape", "bytes"]
        assert any(line.split()[0] == names[1] and " mlp " in line for line in lines)
    assert "tensors" not in good_json("info", GGUF)
    plain, info = (good_json("info", FOLDER, "--tensors", *more) for more in ((), ("--quantise", "q8_0")))
    kept = {t["tensor"]: (t["type"], t["kept_type"]) for t in info["tensors"]}
    assert kept["model.layers.1.mlp.down_proj.weight"] == ("f16", "q8_0"), kept
    assert kept["model.embed_tokens.weight"] == ("f16", "f16") and kept["model.norm.weight"][1] == "f32", kept
    assert all(t["kept_type"] in (t["type"], "f32") for t in plain["tensors"])
    assert info["memory"]["weights"] < plain["memory"]["weights"]
    assert "none of q4_0" in bad(1, "info", FOLDER, "--quantise", "q9")


def cut_short(n):
    """tiny-llama.gguf without its last n bytes."""
    with open(GGUF, "rb") as f:
        return file_with(f.read()[:-n])


@test
def info_of_keys_and_files():
    out = good("info", GGUF, "--keys")
    assert re.search(r'^general.architecture +string +"llama"$', out, re.M) and "(288 items)" in out and "container" not in out
    out = good("info", FOLDER, "--files")
    assert re.search(r"^  container +folder$", out, re.M) and re.search(r"^  f16 +\d+ tensors +\d+ bytes$", out, re.M), out
    both = good_json("info", GGUF, "--keys", "--files")
    assert both["file"]["container"] == "GGUF" and both["file"]["n_keys"] == len(both["keys"]) and "problems" not in both
    tokens = next(k for k in both["keys"] if k["key"] == "tokenizer.ggml.tokens")
    assert tokens["items"] == 288 and len(tokens["value"]) == 16 and tokens["item_type"] == "string", tokens
    assert "file" not in good_json("info", GGUF) and "keys" not in good_json("info", GGUF)


@test
def info_of_what_can_not_be_run():
    path = cut_short(1)
    out = good("info", path)
    assert re.search(r"^cannot be run: .*is the file whole\?$", out, re.M) and re.search(r"^  settings +21$", out, re.M), out
    assert "token_embd.weight" in good("info", path, "--tensors") and "general.architecture" in good("info", path, "--keys")
    told = good_json("info", path)
    assert len(told["tensors"]) == told["file"]["n_tensors"] == 20 and len(told["problems"]) == 1 and "model" not in told
    os.unlink(path)
    single = good("info", os.path.join(FOLDER, "model.safetensors"))
    assert "container              safetensors" in single and "give the folder" in single
    assert "cannot be run" not in good("info", GGUF)
    assert "magic" in bad(1, "info", __file__) and "cannot be run" not in bad(1, "info", "/no/such")


@test
def info_of_an_unknown_architecture():
    with open(GGUF, "rb") as f:
        data = f.read()
    at = data.index(b"llama", data.index(b"general.architecture"))
    path = file_with(data[:at] + b"l\x1b[1m" + data[at + 5:])
    out = good("info", path)
    assert "\x1b" not in out and "l\\x1B[1m" in out and "is not known to this version" in out, out
    assert "not known to this version" in good_json("info", path)["problems"][0]
    os.unlink(path)


@test
def info_of_an_adapter():
    with tempfile.TemporaryDirectory() as folder:
        path = str(adapter(folder, "lora"))
        out = good("info", path)
        assert "folder, an adapter" in out and "no model: it is loaded beside" in out and "peft_type" in good("info", path, "--keys"), out


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


sys.exit(main())
