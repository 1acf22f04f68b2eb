"""An exception for every status, named after it.

Written by bindings/gen/gen.py from include/hybridlm/hybridlm.h; do not edit."""
from __future__ import annotations


class Error(Exception):
    """A call of the library failed. The text is the library's sentence."""

    #: the header's name of the status, and its number
    name = "HLM_E_?"
    status = 0


class ArgError(Error, ValueError):
    """A pointer is NULL, a number is outside its range, or two arguments contradict each other."""

    name = "HLM_E_ARG"
    status = -1


class NomemError(Error, MemoryError):
    """The allocator, or a byte cap, had no more memory."""

    name = "HLM_E_NOMEM"
    status = -2


class IoError(Error, OSError):
    """A file could not be opened or read."""

    name = "HLM_E_IO"
    status = -3


class FormatError(Error, ValueError):
    """A file says something that is wrong or contradictory."""

    name = "HLM_E_FORMAT"
    status = -4


class UnsupportedError(Error, NotImplementedError):
    """Well formed, but not known to this version: an architecture, a tensor type, a tokenizer, or a field of a newer
    struct."""

    name = "HLM_E_UNSUPPORTED"
    status = -5


class TokenError(Error, ValueError):
    """A token id is negative or not below the vocabulary size."""

    name = "HLM_E_TOKEN"
    status = -6


class FullError(Error):
    """The cache would grow past its max_tokens."""

    name = "HLM_E_FULL"
    status = -7


class CancelledError(Error):
    """hlm_ctx_cancel(), a progress callback or an executor stopped the call."""

    name = "HLM_E_CANCELLED"
    status = -8


class BusyError(Error):
    """The object is in use by another call."""

    name = "HLM_E_BUSY"
    status = -9


class MismatchError(Error):
    """Objects that do not belong together: a cache of another model or pool, a context of the process that this one
    was forked from."""

    name = "HLM_E_MISMATCH"
    status = -10


class UnreachableError(Error):
    """A position that can not be returned to."""

    name = "HLM_E_UNREACHABLE"
    status = -11


class EmptyError(Error):
    """No tokens where at least one is needed."""

    name = "HLM_E_EMPTY"
    status = -12


class SpaceError(Error):
    """The output buffer is too small; the size needed has been written."""

    name = "HLM_E_SPACE"
    status = -13


class TemplateError(Error):
    """A chat template raised an error or broke a rule of the language."""

    name = "HLM_E_TEMPLATE"
    status = -14


class LimitError(Error):
    """A budget (template steps, output size, regular expression) ran out."""

    name = "HLM_E_LIMIT"
    status = -15


class InternalError(Error):
    """A broken invariant of the library itself; please report it."""

    name = "HLM_E_INTERNAL"
    status = -16


BY_STATUS: dict[int, type[Error]] = {
    -1: ArgError,
    -2: NomemError,
    -3: IoError,
    -4: FormatError,
    -5: UnsupportedError,
    -6: TokenError,
    -7: FullError,
    -8: CancelledError,
    -9: BusyError,
    -10: MismatchError,
    -11: UnreachableError,
    -12: EmptyError,
    -13: SpaceError,
    -14: TemplateError,
    -15: LimitError,
    -16: InternalError,
}

__all__ = [
    "Error",
    "ArgError",
    "NomemError",
    "IoError",
    "FormatError",
    "UnsupportedError",
    "TokenError",
    "FullError",
    "CancelledError",
    "BusyError",
    "MismatchError",
    "UnreachableError",
    "EmptyError",
    "SpaceError",
    "TemplateError",
    "LimitError",
    "InternalError",
]
