"""Arguments that are arrays: tokens from lists or numpy, results into numpy."""
from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any, Sequence, Union

from . import errors

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    #: Token ids: a sequence of ints, or an int32 array.
    Tokens = Union[Sequence[int], npt.NDArray[np.int32]]
    FloatArray = npt.NDArray[np.float32]

_INT32 = range(-2**31, 2**31)


def numpy() -> Any:
    """The numpy module, which only what returns arrays needs."""
    try:
        import numpy as np
    except ImportError:
        raise ImportError("this returns arrays and needs numpy: python -m pip install numpy") from None
    return np


def is_array(value: object) -> bool:
    np = sys.modules.get("numpy")
    return np is not None and isinstance(value, np.ndarray)


def address(array: Any) -> int:
    return int(array.__array_interface__["data"][0])


def check_array(array: Any, what: str, dtype: str, shape: tuple[int, ...], *, writes: bool = False) -> None:
    """Whether the library can use an array where it is. A shape of -1 is any length."""
    if not is_array(array):
        raise TypeError(f"{what} is {type(array).__name__}, expected a numpy array of {dtype}")
    if array.dtype != dtype or not array.dtype.isnative:
        raise TypeError(f"{what} has the dtype {array.dtype}, expected {dtype}")
    if array.ndim != len(shape) or any(want not in (-1, got) for want, got in zip(shape, array.shape)):
        wanted = ", ".join("any" if n < 0 else str(n) for n in shape)
        raise errors.ArgError(f"{what} has the shape {array.shape}, expected ({wanted})")
    if not array.flags.c_contiguous or not array.flags.aligned:
        raise errors.ArgError(f"{what} is not contiguous")
    if writes and not array.flags.writeable:
        raise errors.ArgError(f"{what} is read-only")


def token_list(value: Any, what: str = "tokens") -> list[int]:
    """The ids as Python numbers that int32 can hold."""
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError(f"{what} is {type(value).__name__}, expected token ids")
    if is_array(value) and value.dtype.kind not in "iu":
        raise TypeError(f"{what} has the dtype {value.dtype}, expected int32")
    try:
        ids = [int(v.__index__()) for v in value]
    except (AttributeError, TypeError):
        raise TypeError(f"{what} is no sequence of integers") from None
    for i, token in enumerate(ids):
        if token not in _INT32:
            raise errors.TokenError(f"{what}[{i}] is {token}, no token id")
    return ids


def c_tokens(value: Any, what: str = "tokens") -> tuple[Any, int]:
    """A C array of the ids, and how many: a copy, which no other thread can change during a call."""
    if is_array(value):
        check_array(value, what, "int32", (-1,))
        return (ctypes.c_int32 * len(value)).from_buffer_copy(value), len(value)
    ids = token_list(value, what)
    return (ctypes.c_int32 * len(ids))(*ids), len(ids)
