"""Rows of token ids as a tokenizer gives them: padded, cut, as lists or arrays."""
from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Optional, Sequence, Union

from . import errors
from ._arrays import numpy
from ._library import integer

if TYPE_CHECKING:
    from typing_extensions import TypedDict

    class PackOptions(TypedDict, total=False):
        """How rows are given, with transformers' names."""

        padding: Union[bool, str]
        padding_side: Optional[str]
        truncation: Union[bool, str, None]
        max_length: Optional[int]
        return_tensors: Optional[str]

PACK_KEYWORDS = ("padding", "padding_side", "truncation", "max_length", "return_tensors")
_PADDING = {False: "do_not_pad", True: "longest", "do_not_pad": "do_not_pad", "longest": "longest", "max_length": "max_length"}
_TRUNCATION = {None: False, False: False, True: True, "do_not_truncate": False, "longest_first": True, "only_first": True}


class Encoding(dict[str, Any]):
    """input_ids and attention_mask, as keys and as attributes: model.generate(**encoding)."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the encoding has no {name}; it has {', '.join(self)}") from None


def _choice(value: Any, what: str, known: dict[Any, Any]) -> Any:
    try:
        return known[value]
    except (KeyError, TypeError):
        raise errors.ArgError(f"{what} is {value!r}, can be {', '.join(map(repr, known))}") from None


def tensors(rows: Any, kind: Optional[str]) -> Any:
    """Rows of one length as an array; lists when no kind is named."""
    if kind is None:
        return rows
    if kind not in ("np", "pt"):
        raise errors.ArgError(f"return_tensors is {kind!r}, can be None, 'np' or 'pt'")
    if len({len(row) for row in rows}) > 1:
        raise errors.ArgError(f"rows of {min(map(len, rows))} to {max(map(len, rows))} tokens are no array: padding=True makes them equal")
    if kind == "np":
        return numpy().array(rows, "int64")
    torch: Any = sys.modules.get("torch")
    if torch is None:
        try:
            torch = __import__("torch")
        except ImportError:
            raise ImportError("return_tensors='pt' needs PyTorch: python -m pip install torch") from None
    return torch.tensor(rows, dtype=torch.int64)


def ending(row: list[int], plain: list[int]) -> int:
    """How many tokens were added behind a text's own."""
    begin = next((i for i in range(len(row) - len(plain) + 1) if row[i:i + len(plain)] == plain), 0)
    return max(len(row) - begin - len(plain), 0)


def pack(rows: Sequence[list[int]], batched: bool, endings: Sequence[int], *, pad: Optional[int], longest: int, side: str,
         padding: Union[bool, str] = False, padding_side: Optional[str] = None, truncation: Union[bool, str, None] = None,
         max_length: Optional[int] = None, return_tensors: Optional[str] = None) -> Encoding:
    """The rows and which of their tokens are no padding. endings: tokens at the end of each row that
    stay when it is cut; none without."""
    how, cuts = _choice(padding, "padding", _PADDING), _choice(truncation, "truncation", _TRUNCATION)
    side = _choice(side if padding_side is None else padding_side, "padding_side", {"left": "left", "right": "right"})
    if max_length is not None and not cuts and how != "max_length":
        raise errors.ArgError(f"max_length is {max_length}, and neither truncation=True nor padding='max_length' is there to use it")
    most = longest if max_length is None else integer(max_length, "max_length", 1)
    if cuts:
        kept_ends = endings or [0] * len(rows)
        rows = [row if len(row) <= most else row[:max(most - n, 0)] + row[len(row) - n:] for row, n in zip(rows, kept_ends)]
    ids, mask = [list(row) for row in rows], [[1] * len(row) for row in rows]
    if how != "do_not_pad":
        if pad is None:
            raise errors.ArgError("the model has no padding token: set tokenizer.pad_token_id, to tokenizer.eos_token_id for instance")
        width = most if how == "max_length" else max(map(len, rows), default=0)
        for row, kept in zip(ids, mask):
            at = 0 if side == "left" else len(row)
            n = max(width - len(row), 0)
            row[at:at], kept[at:at] = [pad] * n, [0] * n
    if return_tensors is not None:
        return Encoding(input_ids=tensors(ids, return_tensors), attention_mask=tensors(mask, return_tensors))
    return Encoding(input_ids=ids if batched else ids[0], attention_mask=mask if batched else mask[0])

