#!/usr/bin/env python3
"""Best of n: n answers to one question, and the one that the model itself finds likeliest.

  branch.py MODEL "What is gravity?" [-n N] [--max-tokens N] [--temperature T] [--seed N]

The question goes through the model's chat template, where it has one, and runs once. Every branch is a fork of its state, which copies nothing, and
all branches run as one batch: a step for all costs little more than a step for one.
Needs numpy.
"""
import argparse
import sys

import numpy as np

import hybridlm


class Branch:
    """One answer in the making."""

    def __init__(self, cache, sampler):
        self.cache = cache
        self.sampler = sampler
        self.tokens = []
        self.logprob = 0.0

    def draw(self, logits):
        """One more token; its log-probability counts for the answer."""
        token = self.sampler.sample(logits)
        self.sampler.accept(token)
        top = logits.max()
        self.logprob += float(logits[token] - top - np.log(np.exp(logits - top).sum()))
        self.tokens.append(token)
        return token

    @property
    def score(self):
        """Mean log-probability of a token: long answers and short ones compare."""
        return self.logprob / len(self.tokens)

    def rank(self, tokenizer):
        """Answers that came to their end go before those that were cut off, and all before one that says nothing."""
        says = tokenizer.decode(self.tokens, skip_special_tokens=True).strip() != ""
        return says, tokenizer.ends(self.tokens[-1]), self.score


def read_question(tokenizer, question):
    if tokenizer.has_chat_template:
        return tokenizer.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True)
    return tokenizer.encode(question, add_special_tokens=True)


def branches(model, context, prompt, n, max_tokens, temperature, seed):
    """The answers; without a seed the first one's is drawn, and every next one's is one more."""
    trunk = hybridlm.Cache(context)
    [logits] = context.decode([(trunk, read_question(model.tokenizer, prompt))])
    first = hybridlm.Sampler(model, seed=seed).seed
    made = [Branch(trunk.fork(), hybridlm.Sampler(model, temperature=temperature, top_p=0.95, seed=first + i)) for i in range(n)]
    alive = [b for b in made if not model.tokenizer.ends(b.draw(logits))]
    for _ in range(max_tokens - 1):
        if not alive:
            break
        rows = context.decode([(b.cache, b.tokens[-1:]) for b in alive])
        alive = [b for b, row in zip(alive, rows) if not model.tokenizer.ends(b.draw(row))]
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("prompt")
    parser.add_argument("-n", type=int, default=4)
    parser.add_argument("--max-tokens", type=int, default=400)
    parser.add_argument("--temperature", type=float, default=0.6)
    parser.add_argument("--seed", type=int, help="the same seed gives the same branches; others each time without")
    args = parser.parse_args()
    if args.n < 1 or args.max_tokens < 1:
        parser.error("-n and --max-tokens are at least 1")
    with hybridlm.Model(args.model) as model, hybridlm.Context(model) as context:
        made = branches(model, context, args.prompt, args.n, args.max_tokens, args.temperature, args.seed)
        made.sort(key=lambda b: b.rank(model.tokenizer), reverse=True)
        for branch in made:
            print(f"{branch.score:8.3f}  {model.tokenizer.decode(branch.tokens, skip_special_tokens=True)!r}")
        print(f"[seed {min(b.sampler.seed for b in made)}]", file=sys.stderr)
        print(f"best: {model.tokenizer.decode(made[0].tokens, skip_special_tokens=True)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except hybridlm.Error as e:
        sys.exit(f"branch.py: {e}")
