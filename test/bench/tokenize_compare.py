#!/usr/bin/env python3
"""Speed of the library's tokenizers beside that of the `tokenizers` package, on one thread of the same machine.

    tokenize_compare.py build/test/tokenizer_cases FOLDER...

Each folder holds a tokenizer.json. The texts are the project's own documents (English), its sources (code), and one word
of a million letters. Both encode each text several times, in turns; what counts is the best time of the processor. The
package runs without offsets (encode_batch_fast) where it can, which is its fastest way.
"""
import lzma
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402: it reads the environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
TURNS = 3


def texts():
    english = "".join(p.read_text() for p in sorted(ROOT.glob("docs/*.md")))
    code = "".join(p.read_text() for folder in ("lib", "src", "include") for p in sorted(ROOT.glob(f"{folder}/**/*.[ch]")))
    letters = "".join(c for c in english if "a" <= c.lower() <= "z")
    word = (letters * (1_000_000 // len(letters) + 1))[:1_000_000]
    return {"english": english, "code": code, "one word": word}


def package(folder):
    path = pathlib.Path(folder) / "tokenizer.json"
    text = path.read_text() if path.exists() else lzma.open(f"{path}.xz", "rt").read()
    return tokenizers.Tokenizer.from_str(text)


def their_speed(tok, text):
    run = getattr(tok, "encode_batch_fast", tok.encode_batch)
    begin = time.process_time()
    run([text], add_special_tokens=False)
    return len(text.encode()) / (time.process_time() - begin) / 1e6


def our_speed(program, folder, path):
    out = subprocess.run([program, "--bench", folder, path], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"encode ([0-9.]+) MB/s", out)[1])


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    program, folders = sys.argv[1], sys.argv[2:]
    print("| tokenizer | text | library MB/s | package MB/s | ratio |\n|---|---|---|---|---|")
    speeds, ratios = [], []
    with tempfile.TemporaryDirectory() as tmp:
        for folder in folders:
            tok = package(folder)
            for name, text in texts().items():
                path = pathlib.Path(tmp) / "text"
                path.write_text(text)
                ours = theirs = 0.0
                for _ in range(TURNS):
                    ours = max(ours, our_speed(program, folder, path))
                    theirs = max(theirs, their_speed(tok, text))
                print(f"| {pathlib.Path(folder).name} | {name} | {ours:.1f} | {theirs:.1f} | {ours / theirs:.1f} |", flush=True)
                speeds.append(ours)
                ratios.append(ours / theirs)
    print(f"tokenizers {tokenizers.__version__}; least {min(speeds):.1f} MB/s, least ratio {min(ratios):.1f}")


main()
