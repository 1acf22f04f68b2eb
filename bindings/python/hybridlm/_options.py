"""Keyword arguments of calls that make text, for type checkers: a name that is not here is
an error of mypy, and a TypeError when it runs."""
from __future__ import annotations

from typing import TYPE_CHECKING, Mapping, Optional, Sequence, TypedDict, Union

from .structs import SamplerParams

if TYPE_CHECKING:
    from ._adapter import Adapter
    from ._sampler import Sampler


class TextOptions(SamplerParams, total=False):
    """What Context.generate takes besides a prompt and a cache."""

    sampler: Optional[Sampler]
    adapter: Optional[Adapter]
    max_tokens: Optional[int]
    stop: Union[str, Sequence[str]]
    stop_tokens: Sequence[int]
    ignore_eos: bool
    show_special: bool
    logit_bias: Optional[Mapping[int, float]]


class GenerateOptions(TypedDict, total=False):
    """What generate_ids and Model.generate take, with transformers' names."""

    attention_mask: object
    max_new_tokens: Optional[int]
    max_length: Optional[int]
    do_sample: bool
    temperature: Optional[float]
    top_k: Optional[int]
    top_p: Optional[float]
    min_p: Optional[float]
    typical_p: Optional[float]
    repetition_penalty: Optional[float]
    num_return_sequences: int
    eos_token_id: Union[None, int, Sequence[int]]
    pad_token_id: Optional[int]
    stop_strings: Union[None, str, Sequence[str]]
    seed: Optional[int]
    adapter: Optional[Adapter]


TEXT_KEYWORDS = ("prompt", "cache", *TextOptions.__annotations__)
GENERATE_KEYWORDS = tuple(GenerateOptions.__annotations__)
