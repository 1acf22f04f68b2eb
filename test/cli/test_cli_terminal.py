#!/usr/bin/env python3
"""The hybridlm program on a terminal: Ctrl-C, pastes, widths."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata

from program import FOLDER, GGUF, LIMIT, PLAIN, PROGRAM, Terminal, file_with, good, main, test


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
    long = "\n".join(f"line {i} of a long text" for i in range(400))  # more than two of the 4,096 bytes that a terminal keeps
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


sys.exit(main())
