#!/usr/bin/env python3
"""How likely a model finds a text: perplexity, and the tokens that surprised it most.

  score.py MODEL [FILE] [--top N]      FILE is read from standard input when it is missing

Needs numpy.
"""
import argparse
import sys

import numpy as np

import hybridlm


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("file", nargs="?")
    parser.add_argument("--top", type=int, default=5)
    args = parser.parse_args()
    if args.file:
        with open(args.file, encoding="utf-8", errors="replace") as file:
            text = file.read()
    else:
        text = sys.stdin.read()
    with hybridlm.Model(args.model) as model, hybridlm.Context(model) as context:
        tokens = model.tokenizer.encode(text, add_special_tokens=True)
        if len(tokens) < 2:
            sys.exit("score.py: the text has fewer than two tokens")
        logprobs = context.score(tokens)
        print(f"{len(tokens)} tokens, mean log-probability {logprobs.mean():.4f}, perplexity {np.exp(-logprobs.mean()):.3f}")
        for i in np.argsort(logprobs)[:args.top]:
            before = model.tokenizer.decode(tokens[max(0, i - 7):i + 1])
            print(f"{logprobs[i]:8.3f}  {before!r} -> {model.tokenizer.decode(tokens[i + 1:i + 2])!r}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (hybridlm.Error, OSError) as e:
        sys.exit(f"score.py: {e}")
