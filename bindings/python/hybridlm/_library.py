"""The shared library: found, loaded, its functions typed; statuses become exceptions."""
from __future__ import annotations

import ctypes
import ctypes.util
import os
import pathlib
import sys
from typing import Any, Callable, TypeVar

from . import errors, raw
from ._names import unknown_keyword

#: names the library to load instead of the one in the package
ENVIRONMENT = "HYBRIDLM_LIBRARY"
_NAMES = {"win32": "hybridlm.dll", "darwin": "libhybridlm_python.dylib"}

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def _path() -> str:
    named = os.environ.get(ENVIRONMENT)
    if named:
        return named
    bundled = pathlib.Path(__file__).parent / _NAMES.get(sys.platform, "libhybridlm_python.so")
    if bundled.exists():
        return str(bundled)
    found = ctypes.util.find_library("hybridlm")
    if not found:
        raise ImportError(f"libhybridlm is neither in {bundled.parent} nor in the system; {ENVIRONMENT} may name its file")
    return found


def _load() -> ctypes.CDLL:
    path = _path()
    try:
        library = ctypes.CDLL(path)
        raw.declare(library)
    except OSError as e:
        raise ImportError(f"libhybridlm can not be loaded: {e}") from e
    except AttributeError as e:
        raise ImportError(f"{path} is older than this package: {e}") from e
    found = library.hlm_abi_version()
    if found != raw.HLM_ABI_VERSION:
        raise ImportError(f"{path} has the ABI version {found}, this package is for {raw.HLM_ABI_VERSION}")
    return library


#: The library: every function of the header by its name, see hybridlm.raw. Calls
#: release the interpreter's lock while they compute.
lib = _load()


def error(status: int, sentence: str) -> errors.Error:
    """The exception of a status."""
    kind = errors.BY_STATUS.get(status)
    if kind:
        return kind(sentence)
    unknown = errors.Error(f"status {status}: {sentence}")
    unknown.status = status
    return unknown


def last_error() -> str:
    """The library's sentence about this thread's latest failure."""
    return bytes(lib.hlm_last_error()).decode("utf-8", "replace")


def check(status: int) -> None:
    """Raise the exception of a status that is not HLM_OK."""
    if status:
        raise error(status, last_error())


def documented(name: str) -> Callable[[_Decorated], _Decorated]:
    """Puts the header's comment on `name` below a docstring."""
    def decorate(function: _Decorated) -> _Decorated:
        comment = raw.FUNCTIONS[name][2]
        function.__doc__ = f"{(function.__doc__ or '').rstrip()}\n\n{name}:\n{comment}"
        return function
    return decorate


def fill(struct: ctypes.Structure, what: str, values: dict[str, Any]) -> Any:
    """A parameter struct with its size and the given fields set. A name that it does
    not have is a TypeError, as for any other keyword argument."""
    kinds = {name: kind for name, kind, *_ in struct._fields_}
    struct.struct_size = ctypes.sizeof(struct)
    for name, value in values.items():
        if name not in kinds or name in ("struct_size", "reserved"):
            raise unknown_keyword(what, name, kinds)
        setattr(struct, name, _field(kinds[name], f"{what}: {name}", value))
    return struct


def _field(kind: Any, what: str, value: Any) -> Any:
    if kind is ctypes.c_char_p:
        return None if value is None else c_string(value, what)
    if kind in (ctypes.c_float, ctypes.c_double):
        return float(value)
    if not isinstance(kind, type) or not hasattr(kind, "_type_") or kind is ctypes.c_void_p:
        return value
    number = _index(value, what)
    if kind(number).value != number:
        raise errors.ArgError(f"{what} is {number}, which its {8 * ctypes.sizeof(kind)} bits can not hold")
    return number


def _index(value: Any, what: str) -> int:
    try:
        return int(value.__index__())
    except AttributeError:
        raise TypeError(f"{what} is {type(value).__name__}, expected an integer") from None


def integer(value: Any, what: str, low: int = -2**63, high: int = 2**63 - 1) -> int:
    """`value` as an int within bounds, so that nothing is cut off on its way into C."""
    number = _index(value, what)
    if not low <= number <= high:
        raise errors.ArgError(f"{what} is {number}, can be {low} to {high}")
    return number


def c_string(text: Any, what: str) -> bytes:
    """A string ended by 0: UTF-8 without a 0 inside."""
    if isinstance(text, os.PathLike):
        text = os.fspath(text)
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"{what} is {type(text).__name__}, expected str")
    encoded = text.encode("utf-8", "surrogateescape" if what == "path" else "strict") if isinstance(text, str) else text
    if b"\0" in encoded:
        raise errors.ArgError(f"{what} has a 0 inside")
    return encoded
