"""Ownership and locking of the library's objects, and calls that Ctrl-C ends.

A Handle is one reference to an object of the library. It is given back when the last
Python object that uses it is gone; a running call is such a user, so that close() in
one thread never frees what another thread's call works on. Objects that the header
allows one call at a time carry a lock: a second call raises BusyError."""
from __future__ import annotations

import _thread
import threading
from typing import Any, Callable, Optional, TypeVar

from . import errors
from ._library import check, error, last_error

_Self = TypeVar("_Self", bound="Owner")


class Handle:
    __slots__ = ("__weakref__", "_free", "late_cancel", "lock", "pointer", "what")

    def __init__(self, what: str, pointer: Optional[int], free: Callable[[int], object]):
        if not pointer:
            raise errors.InternalError(f"the library gave no {what}")
        self.pointer: int = pointer
        self.what = what
        self._free = free
        self.lock = threading.Lock()
        #: a cancel that came too late for the call it was meant for waits for the next
        self.late_cancel = False

    def __del__(self) -> None:
        free = getattr(self, "_free", None)
        if free:
            free(self.pointer)

    def take(self) -> None:
        """Begin a call; BusyError when another one runs."""
        if not self.lock.acquire(False):
            raise errors.BusyError(f"the {self.what} is in use by another call")

    def __enter__(self) -> int:
        self.take()
        return self.pointer

    def __exit__(self, *_: object) -> None:
        self.lock.release()


class Owner:
    """What has a handle: close(), `with`, and a sentence for those that are closed."""

    _handle: Optional[Handle] = None

    def handle(self) -> Handle:
        """The handle, or ArgError when this object is closed."""
        handle = self._handle
        if handle is None:
            raise errors.ArgError(f"the {type(self).__name__} is closed")
        return handle

    @property
    def closed(self) -> bool:
        return self._handle is None

    def close(self) -> None:
        """Give the object back, once no call uses it any more. Closing twice does nothing."""
        self._handle = None

    def __enter__(self: _Self) -> _Self:
        self.handle()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        what = f"hybridlm.{type(self).__name__}"
        if self._handle is None:
            return f"<{what}, closed>"
        try:
            facts = self._facts()
        except errors.BusyError:
            facts = "in use"
        except (errors.Error, AttributeError):  # closed meanwhile
            facts = ""
        return f"<{what} {facts}>" if facts else f"<{what}>"

    def _facts(self) -> str:
        """What repr() says of the object, in a few words; it computes nothing."""
        return ""

    def __copy__(self) -> Any:
        raise TypeError(f"{type(self).__name__} can not be copied")

    def __deepcopy__(self, _: object) -> Any:
        raise TypeError(f"{type(self).__name__} can not be copied")

    def __reduce__(self) -> Any:
        raise TypeError(f"{type(self).__name__} can not be pickled")


def start(work: Callable[[], None]) -> None:
    """Runs `work` on a thread of its own, or here when the system refuses one."""
    try:
        _thread.start_new_thread(work, ())
    except RuntimeError:
        work()


def interruptible(cancel: Callable[[], object], settled: Callable[[int], object], function: Callable[..., int],
                  *args: object) -> None:
    """check(function(*args)), but Ctrl-C (any exception of a signal handler) ends it.

    Python runs signal handlers in the main thread, between bytecodes. A long call of
    the main thread therefore runs on another one, while this one waits. `cancel` makes
    the call return early; `settled` then hears what it returned."""
    if _thread.get_ident() != threading.main_thread().ident:
        check(function(*args))
        return
    over = _thread.allocate_lock()
    over.acquire()
    outcome: list[tuple[int, str]] = []

    def work() -> None:
        try:
            status = function(*args)
            outcome.append((status, last_error() if status else ""))
        finally:
            over.release()

    interruption: Optional[BaseException] = None
    started = False
    while not outcome:
        try:
            if interruption is not None:
                cancel()
            if not started:
                started = True
                start(work)
            over.acquire()
        except BaseException as e:  # noqa: B902  (KeyboardInterrupt is none of Exception's)
            interruption = e
    status, sentence = outcome[0]
    if interruption is not None:
        settled(status)
        raise interruption
    if status:
        raise error(status, sentence)
