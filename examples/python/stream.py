#!/usr/bin/env python3
"""Text as it comes: a prompt's continuation, or with --chat an assistant's answer.

  stream.py MODEL PROMPT [--chat] [--max-tokens N] [--temperature T] [--seed N]

Ctrl-C stops at once, also in a long prompt.
"""
import argparse
import sys

import hybridlm


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("prompt")
    parser.add_argument("--chat", action="store_true")
    parser.add_argument("--max-tokens", type=int, default=100)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--seed", type=int, help="the same seed gives the same text; another each time without")
    args = parser.parse_args()
    options = {"max_tokens": args.max_tokens, "temperature": args.temperature, "seed": args.seed}
    with hybridlm.Model(args.model) as model, hybridlm.Context(model) as context:
        if args.chat:
            stream = context.chat([{"role": "user", "content": args.prompt}], **options)
        else:
            stream = context.generate(args.prompt, **options)
        try:
            for piece in stream:
                print(piece, end="", flush=True)
        except KeyboardInterrupt:
            pass
        drawn = f", seed {stream.seed}" if args.temperature > 0 else ""
        print(f"\n[{len(stream.tokens)} tokens{drawn}]", file=sys.stderr)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hybridlm.Error as e:
        sys.exit(f"stream.py: {e}")
