"""Chains of samplers."""
from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Mapping, Optional

from . import errors, raw
from ._arrays import address, check_array
from ._handle import Handle, Owner
from ._library import check, documented, fill, integer, lib
from ._model import Model

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arrays import FloatArray
    from .structs import SamplerParams

_INT32 = (-2**31, 2**31 - 1)


def new_seed() -> int:
    """A seed that nobody has chosen: short enough to be typed, and exact in every reader of JSON."""
    return int.from_bytes(os.urandom(4), "little")


class Sampler(Owner):
    """A chain and its random state. One call at a time."""

    @documented("hlm_sampler_new")
    def __init__(self, model: Model, *, logit_bias: Optional[Mapping[int, float]] = None,
                 **params: Unpack[SamplerParams]):
        """Parameters are the fields of hlm_sampler_params; logit_bias maps tokens to what
        is added to their logits. Without any: greedy. Without a seed every sampler draws
        otherwise; `seed` tells with what."""
        if not isinstance(model, Model):
            raise TypeError(f"model is {type(model).__name__}, expected Model")
        if logit_bias is not None and not isinstance(logit_bias, Mapping):
            raise TypeError(f"logit_bias is {type(logit_bias).__name__}, expected a dict of token ids")
        values: dict[str, Any] = dict(params)
        seed = values.get("seed")
        #: what it draws with: given to another, it draws the same
        self.seed = values["seed"] = new_seed() if seed is None else integer(seed, "Sampler: seed", 0, 2**64 - 1)
        n = integer(values.pop("n_logit_bias", len(logit_bias or {})), "n_logit_bias")
        if n != len(logit_bias or {}):
            raise errors.ArgError(f"n_logit_bias is {n}, logit_bias has {len(logit_bias or {})}")
        struct = fill(raw.hlm_sampler_params(), "Sampler", values)
        biases = [raw.hlm_logit_bias(integer(t, "token", *_INT32), float(b)) for t, b in (logit_bias or {}).items()]
        array = (raw.hlm_logit_bias * n)(*biases)
        struct.logit_bias = ctypes.addressof(array) if n else None
        struct.n_logit_bias = n
        out = ctypes.c_void_p()
        parent = model.handle()
        check(lib.hlm_sampler_new(ctypes.byref(out), parent.pointer, ctypes.byref(struct)))
        self._adopt(Handle("sampler", out.value, lib.hlm_sampler_free), model.info.vocab_size)
        self._temperature = struct.temperature

    def _adopt(self, handle: Handle, vocab_size: int) -> None:
        self._handle = handle
        self._vocab_size = vocab_size
        self._token = ctypes.c_int32()

    def _facts(self) -> str:
        return f"temperature {self._temperature:g}, seed {self.seed}" if self._temperature > 0 else "greedy"

    @documented("hlm_sampler_fork")
    def fork(self) -> Sampler:
        """The same chain, history and random state, independent from now on."""
        out = ctypes.c_void_p()
        with self.handle() as sampler:
            check(lib.hlm_sampler_fork(ctypes.byref(out), sampler))
        fork = Sampler.__new__(Sampler)
        fork._adopt(Handle("sampler", out.value, lib.hlm_sampler_free), self._vocab_size)
        fork.seed, fork._temperature = self.seed, self._temperature
        return fork

    @documented("hlm_sampler_sample")
    def sample(self, logits: FloatArray) -> int:
        """Draw a token from the logits of one row."""
        check_array(logits, "logits", "float32", (self._vocab_size,))
        with self.handle() as sampler:
            check(lib.hlm_sampler_sample(sampler, address(logits), ctypes.byref(self._token)))
            return self._token.value

    @documented("hlm_sampler_accept")
    def accept(self, token: int) -> None:
        """Tell the penalties that the token became part of the text."""
        with self.handle() as sampler:
            check(lib.hlm_sampler_accept(sampler, integer(token, "token", *_INT32)))
