"""Token ids in, token ids out, with the names that transformers uses."""
from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

from . import errors
from ._adapter import Adapter
from ._arrays import numpy
from ._context import Context, Step
from ._library import integer, lib
from ._model import Model, needs_text
from ._sampler import Sampler, new_seed
from ._state import Cache
from ._stream import StopText
from ._tokenizer import TextStream

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class _Sequence:
    """One row of the result."""

    def __init__(self, prompt: Any, cache: Cache, sampler: Sampler, limit: int, stop: Sequence[str], text: Any,
                 adapter: Optional[Adapter]):
        self.given = prompt
        self.tokens: list[int] = []
        self.left = limit
        self.sampler = sampler
        self.cache, self.adapter = cache, adapter
        self.step: Optional[Step] = None
        self.stop = StopText(stop)
        self.text = text

    def take(self, logits: Any, ends: Any) -> bool:
        """Draws a token; whether another may follow."""
        token = self.sampler.sample(logits)
        self.sampler.accept(token)
        self.tokens.append(token)
        self.left -= 1
        if self.text is not None:
            self.stop.feed(self.text.push(token))
        if self.left == 0 or self.stop.found or ends(token):
            return False
        if self.step is None:
            self.step = Step(self.cache, [token], adapter=self.adapter)
        self.step.tokens[0] = token
        return True


def _rows(input_ids: Any, attention_mask: Any, pad: Optional[int]) -> tuple[Any, list[list[int]], bool]:
    """The rows as they are given, the prompts without their padding, and whether there was one only,
    as a flat list. Without a mask the padding token is padding."""
    np = numpy()
    ids = np.asarray(input_ids)
    if ids.dtype.kind not in "iu":
        raise TypeError(f"input_ids has the dtype {ids.dtype}, expected integers")
    if ids.ndim not in (1, 2) or ids.size == 0:
        raise errors.ArgError(f"input_ids has the shape {ids.shape}, expected [length] or [batch, length]")
    kept = ids != (-1 if pad is None else pad) if attention_mask is None else np.asarray(attention_mask).astype(bool)
    if kept.shape != ids.shape:
        raise errors.ArgError(f"attention_mask has the shape {kept.shape}, input_ids {ids.shape}")
    rows = [row[mask].tolist() for row, mask in zip(np.atleast_2d(ids), np.atleast_2d(kept))]
    if not all(rows):
        raise errors.EmptyError("a row of input_ids is all padding")
    return np.atleast_2d(ids), rows, ids.ndim == 1


def _limit(width: int, max_new_tokens: Optional[int], max_length: Optional[int]) -> int:
    """Most new tokens of rows of a width, padding included; -1 for no limit but the cache's."""
    if max_new_tokens is not None:
        if max_length is not None:
            warnings.warn(f"max_length is {max_length} and max_new_tokens {max_new_tokens}: the latter counts", stacklevel=4)
        return integer(max_new_tokens, "max_new_tokens", 1)
    if max_length is None:
        return -1
    limit = integer(max_length, "max_length", 1) - width
    if limit < 1:
        raise errors.ArgError(f"max_length is {max_length}, and the prompts have {width} tokens")
    return limit


def _ends(context: Context, eos_token_id: Union[None, int, Sequence[int]]) -> Any:
    if eos_token_id is None:
        model = context.model.handle()
        return lambda token: bool(lib.hlm_model_token_ends(model.pointer, token))
    given = [eos_token_id] if hasattr(eos_token_id, "__index__") else list(eos_token_id)
    return {integer(t, "eos_token_id") for t in given}.__contains__


def _text_behind(model: Model, prompt: list[int]) -> TextStream:
    stream = model.tokenizer.stream()
    stream.begin(prompt)
    return stream


def _advance(context: Context, active: list[_Sequence]) -> list[_Sequence]:
    """Runs every active sequence's latest token, in one batch; those that are full drop out."""
    while active:
        try:
            context.decode([s.step for s in active if s.step is not None])
            return active
        except errors.FullError:
            with_room = [s for s in active if not _is_full(s.cache)]
            if len(with_room) == len(active):
                raise
            active = with_room
    return active


def _is_full(cache: Cache) -> bool:
    try:
        cache.reserve(len(cache) + 1)
    except errors.FullError:
        return True
    return False


def _pad_token(context: Context, pad_token_id: Optional[int], ends: Any) -> tuple[int, Optional[int]]:
    """What rows are filled with, and the token that is padding in a prompt without a mask: none
    that ends an answer, which may be part of a chat."""
    info = context.model.info
    if pad_token_id is not None:
        integer(pad_token_id, "pad_token_id")
    known = pad_token_id if pad_token_id is not None else info.pad_token if info.pad_token >= 0 else None
    fill = known if known is not None else max(info.eos_token, 0)
    return fill, known if known is not None and known >= 0 and not ends(known) else None


def _chain(do_sample: bool, repetition_penalty: float, sampling: dict[str, Optional[float]]) -> dict[str, Any]:
    """The sampler's parameters; None is off. What only matters to draws is told when nothing is drawn."""
    chain: dict[str, Any] = {"repetition_penalty": repetition_penalty, "penalty_window": -1}
    if do_sample:
        return {**chain, **{name: _OFF[name] if value is None else value for name, value in sampling.items()}}
    unused = [name for name, value in sampling.items() if value not in (None, _DEFAULTS[name])]
    if unused:
        warnings.warn(f"{', '.join(unused)} without do_sample=True: the likeliest token is always taken", stacklevel=4)
    return chain


_DEFAULTS = {"temperature": 1.0, "top_k": 50, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0}
_OFF = {**_DEFAULTS, "top_k": 0}


def generate_ids(context: Context, input_ids: Any, *, attention_mask: Any = None, max_new_tokens: Optional[int] = None,
                 max_length: Optional[int] = None, do_sample: bool = False, temperature: Optional[float] = 1.0, top_k: Optional[int] = 50,
                 top_p: Optional[float] = 1.0, min_p: Optional[float] = 0.0, typical_p: Optional[float] = 1.0, repetition_penalty: Optional[float] = 1.0,
                 num_return_sequences: int = 1, eos_token_id: Union[None, int, Sequence[int]] = None,
                 pad_token_id: Optional[int] = None, stop_strings: Union[None, str, Sequence[str]] = None,
                 seed: Optional[int] = None, adapter: Optional[Adapter] = None) -> npt.NDArray[np.int64]:
    """Prompts [length] or [batch, length] in; int64 [batch * num_return_sequences, length + new]
    out: each row of the prompts as it is, padding included, what follows it up to and with the
    ending token, padding. out[:, length:] is what is new.

    The names and defaults are those of transformers' generate(), with these differences:
    without max_new_tokens and max_length a sequence goes on until it ends or the model's
    positions are used up; top_k, top_p, min_p and typical_p see the probabilities at
    temperature 1 (see docs/sampling.md); `seed` makes draws repeatable, sequence i has
    seed + i, and without one they vary: context.last_seed tells what it was. Padding, on either
    side, is what attention_mask leaves out, or without one the padding token unless it ends
    answers. All sequences run as one batch, and num_return_sequences fork the prompt's state
    instead of running it again. All are run with the adapter, if there is one."""
    needs_text(context.model.info)
    model, ends = context.model, _ends(context, eos_token_id)
    pad, padding = _pad_token(context, pad_token_id, ends)
    given, prompts, flat = _rows(input_ids, attention_mask, padding)
    width = given.shape[1]
    limit = _limit(width, max_new_tokens, max_length)
    copies = integer(num_return_sequences, "num_return_sequences", 1)
    if copies > 1 and not do_sample:
        raise errors.ArgError(f"num_return_sequences is {copies} without do_sample=True: all would be the same")
    repetition_penalty = 1.0 if repetition_penalty is None else repetition_penalty
    chain = _chain(do_sample, repetition_penalty, {"temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p,
                                                   "typical_p": typical_p})
    first_seed = new_seed() if seed is None else integer(seed, "seed", 0, 2**64 - 1 - copies * len(prompts))
    context.last_seed = first_seed
    stop = [stop_strings] if isinstance(stop_strings, str) else list(stop_strings or ())
    caches = [Cache(context) for _ in prompts]
    first = context.decode([Step(cache, prompt, adapter=adapter) for cache, prompt in zip(caches, prompts)])
    done: list[_Sequence] = []
    active: list[_Sequence] = []
    for row, prompt, cache, logits in zip(given, prompts, caches, first):
        for copy in range(copies):
            sampler = Sampler(model, seed=first_seed + len(done), **chain)
            for token in prompt if repetition_penalty != 1.0 else ():
                sampler.accept(token)
            sequence = _Sequence(row, cache.fork() if copy + 1 < copies else cache, sampler, limit, stop,
                                 _text_behind(model, prompt) if stop else None, adapter)
            done.append(sequence)
            if sequence.take(logits, ends):
                active.append(sequence)
    while active:
        active = _advance(context, active)
        active = [s for s in active if s.step is not None and s.take(s.step.logits, ends)]
    return _padded(done, width, pad, flat and copies == 1)


def _padded(rows: Sequence[_Sequence], width: int, pad: int, flat: bool) -> npt.NDArray[np.int64]:
    out: npt.NDArray[np.int64] = numpy().full((len(rows), width + max(len(r.tokens) for r in rows)), pad, "int64")
    for to, row in zip(out, rows):
        to[:width] = row.given
        to[width:width + len(row.tokens)] = row.tokens
    return out.reshape(-1) if flat else out
