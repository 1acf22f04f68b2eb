#!/usr/bin/env python3
"""Conversations with the hybridlm program through pipes: turns, commands, what is kept, adapters."""

import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

from program import FOLDER, GGUF, MODELS, PROGRAM, Terminal, adapter, bad, chat, file_with, good, good_json, main, run, test


# ---- chat ---------------------------------------------------------------------


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


sys.exit(main())
