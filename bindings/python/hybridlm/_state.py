"""Where states live, and the state of one sequence."""
from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Union

from . import raw
from ._adapter import Adapter, adapter_handle
from ._arrays import c_tokens, numpy
from ._handle import Handle, Owner
from ._library import c_string, check, documented, fill, integer, lib
from ._model import Model, read_struct

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arrays import FloatArray, Tokens
    from ._context import Context
    from .structs import CacheParams, PoolParams, PrefixInfo


class PoolUsage(NamedTuple):
    """Bytes of pages in use by caches, and held from the allocator."""

    used: int
    held: int


class Pool(Owner):
    """Where states live: pages of one model, a byte cap. Any number of threads may use one."""

    @documented("hlm_pool_new")
    def __init__(self, model: Model, *, memory_token_adapter: Optional[Adapter] = None, **params: Unpack[PoolParams]):
        """An empty pool. Parameters are the fields of hlm_pool_params."""
        if not isinstance(model, Model):
            raise TypeError(f"model is {type(model).__name__}, expected Model")
        struct = fill(raw.hlm_pool_params(), "Pool", dict(params))
        out = ctypes.c_void_p()
        other = adapter_handle(memory_token_adapter)
        struct.memory_token_adapter = other.pointer if other else None
        parent = model.handle()
        check(lib.hlm_pool_new(ctypes.byref(out), parent.pointer, ctypes.byref(struct)))
        self._adopt(Handle("pool", out.value, lib.hlm_pool_release), Model._of(parent))

    def _adopt(self, handle: Handle, model: Model) -> None:
        self._handle = handle
        self._model = model  # of this object's own: nobody else can close it

    def _facts(self) -> str:
        return "of {}: {} bytes used, {} held".format(self._model.info.arch, *self.usage)

    @property
    @documented("hlm_pool_info_get")
    def usage(self) -> PoolUsage:
        """Bytes used and held."""
        info = fill(raw.hlm_pool_info(), "usage", {})
        handle = self.handle()
        check(lib.hlm_pool_info_get(handle.pointer, ctypes.byref(info)))
        return PoolUsage(info.used_bytes, info.held_bytes)

    @documented("hlm_pool_adapt")
    def adapt(self, adapter: Adapter) -> None:
        """Make an adapter known before a step runs with it, for snapshots and texts that are to be loaded."""
        handle, other = self.handle(), adapter_handle(adapter)
        check(lib.hlm_pool_adapt(handle.pointer, other.pointer if other else None))

    @property
    @documented("hlm_prefix_info_get")
    def prefix_info(self) -> PrefixInfo:
        """What the prefix cache holds, and how much it was of use."""
        from .structs import PrefixInfo
        struct = fill(raw.hlm_prefix_info(), "prefix_info", {})
        handle = self.handle()
        check(lib.hlm_prefix_info_get(handle.pointer, ctypes.byref(struct)))
        info: PrefixInfo = read_struct(struct, PrefixInfo)
        return info

    @documented("hlm_prefix_clear")
    def prefix_clear(self) -> None:
        """Forget all texts of the prefix cache."""
        handle = self.handle()
        check(lib.hlm_prefix_clear(handle.pointer))

    @documented("hlm_prefix_save")
    def prefix_save(self, folder: Union[str, os.PathLike[str]]) -> None:
        """Save the texts of the prefix cache in a folder."""
        handle = self.handle()
        check(lib.hlm_prefix_save(handle.pointer, c_string(folder, "path")))

    @documented("hlm_prefix_load")
    def prefix_load(self, folder: Union[str, os.PathLike[str]], flags: int = 0) -> int:
        """Add the texts of such a folder; how many were damaged, or of another model."""
        refused = ctypes.c_size_t()
        handle = self.handle()
        flags = integer(flags, "flags", 0, 2**32 - 1)
        check(lib.hlm_prefix_load(handle.pointer, c_string(folder, "path"), flags, ctypes.byref(refused)))
        return refused.value


class Reuse(NamedTuple):
    """Tokens of a text that need not be run, and how many of these the next step computes again."""

    reused: int
    pending: int


class Cache(Owner):
    """The state of one sequence, a value: fork() copies nothing. One call at a time."""

    @documented("hlm_cache_new")
    def __init__(self, pool: Union[Pool, Context], **params: Unpack[CacheParams]):
        """An empty sequence in a pool, or in the pool of a context. Parameters are the
        fields of hlm_cache_params."""
        from ._context import Context
        if isinstance(pool, Context):
            pool = pool.pool
        if not isinstance(pool, Pool):
            raise TypeError(f"pool is {type(pool).__name__}, expected Pool or Context")
        struct = fill(raw.hlm_cache_params(), "Cache", dict(params))
        out = ctypes.c_void_p()
        parent = pool.handle()
        check(lib.hlm_cache_new(ctypes.byref(out), parent.pointer, ctypes.byref(struct)))
        self._adopt(Handle("cache", out.value, lib.hlm_cache_free), pool._model)

    def _adopt(self, handle: Handle, model: Model) -> None:
        self._handle = handle
        self._model = model

    def _facts(self) -> str:
        return f"of {self._model.info.arch}: {self.length} tokens"

    @documented("hlm_cache_fork")
    def fork(self, at_pos: Optional[int] = None) -> Cache:
        """A second sequence that begins with the first at_pos tokens of this one (None: all)."""
        at = raw.HLM_NOW if at_pos is None else integer(at_pos, "at_pos", 0)
        out = ctypes.c_void_p()
        with self.handle() as cache:
            check(lib.hlm_cache_fork(ctypes.byref(out), cache, at))
        fork = Cache.__new__(Cache)
        fork._adopt(Handle("cache", out.value, lib.hlm_cache_free), self._model)
        return fork

    @classmethod
    def _read(cls, pool: Union[Pool, Context], call: Callable[[Any, int], int]) -> Cache:
        from ._context import Context
        if isinstance(pool, Context):
            pool = pool.pool
        if not isinstance(pool, Pool):
            raise TypeError(f"pool is {type(pool).__name__}, expected Pool or Context")
        out = ctypes.c_void_p()
        parent = pool.handle()
        check(call(ctypes.byref(out), parent.pointer))
        cache = cls.__new__(cls)
        cache._adopt(Handle("cache", out.value, lib.hlm_cache_free), pool._model)
        return cache

    @classmethod
    @documented("hlm_cache_load")
    def load(cls, pool: Union[Pool, Context], path: Union[str, os.PathLike[str]], flags: int = 0) -> Cache:
        """A sequence from a snapshot in a file, in a pool, or in the pool of a context. flags: SNAPSHOT_..."""
        name, flags = c_string(path, "path"), integer(flags, "flags", 0, 2**32 - 1)
        return cls._read(pool, lambda out, pool: lib.hlm_cache_load(out, pool, name, flags))

    @classmethod
    @documented("hlm_cache_load_memory")
    def from_bytes(cls, pool: Union[Pool, Context], data: bytes, flags: int = 0) -> Cache:
        """A sequence from a snapshot in memory."""
        if not isinstance(data, bytes):
            raise TypeError(f"data is {type(data).__name__}, expected bytes")
        flags = integer(flags, "flags", 0, 2**32 - 1)
        return cls._read(pool, lambda out, pool: lib.hlm_cache_load_memory(out, pool, data, len(data), flags))

    @documented("hlm_cache_save")
    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """Write a snapshot: the file has what it had, or all of the new."""
        name = c_string(path, "path")
        with self.handle() as cache:
            check(lib.hlm_cache_save(cache, name))

    @documented("hlm_cache_save_memory")
    def to_bytes(self) -> bytes:
        """A snapshot in memory."""
        n = ctypes.c_size_t()
        with self.handle() as cache:
            lib.hlm_cache_save_memory(cache, None, 0, ctypes.byref(n))
            out = (ctypes.c_char * n.value)()
            check(lib.hlm_cache_save_memory(cache, out, n.value, ctypes.byref(n)))
        return out.raw

    @documented("hlm_cache_rewind")
    def rewind(self, pos: int) -> int:
        """Forget the tokens from `pos` on. How many before it the next step recomputes."""
        pending = ctypes.c_int64()
        with self.handle() as cache:
            check(lib.hlm_cache_rewind(cache, integer(pos, "pos"), ctypes.byref(pending)))
        return pending.value

    @property
    @documented("hlm_cache_pending")
    def pending(self) -> int:
        """Tokens before the end that the next step recomputes first, after a rewind or a fork to an earlier position."""
        with self.handle() as cache:
            return int(lib.hlm_cache_pending(cache))

    @documented("hlm_cache_mark")
    def mark(self) -> None:
        """Keep the state at the present position, so that a return to it computes nothing."""
        with self.handle() as cache:
            check(lib.hlm_cache_mark(cache))

    @documented("hlm_cache_unmark")
    def unmark(self, pos: int) -> None:
        """Remove the mark at a position."""
        with self.handle() as cache:
            check(lib.hlm_cache_unmark(cache, integer(pos, "pos")))

    @documented("hlm_cache_marks")
    def marks(self) -> list[int]:
        """The positions of all marks, automatic ones included."""
        n = ctypes.c_size_t()
        with self.handle() as cache:
            check(lib.hlm_cache_marks(cache, None, 0, ctypes.byref(n)))
            out = (ctypes.c_int64 * n.value)()
            check(lib.hlm_cache_marks(cache, out, n.value, ctypes.byref(n)))
        return list(out)

    @documented("hlm_cache_reuse")
    def reuse(self, tokens: Tokens, *, adapter: Optional[Adapter] = None) -> Reuse:
        """Go to the longest beginning of a text that this or the pool's prefix cache holds; run tokens[reused:] next,
        with the same adapter."""
        ids, n = c_tokens(tokens)
        reused, pending = ctypes.c_size_t(), ctypes.c_size_t()
        other = adapter_handle(adapter)
        text = fill(raw.hlm_reuse_params(), "reuse()", {"tokens": ctypes.addressof(ids), "n_tokens": n,
                                                        "adapter": other.pointer if other else None})
        with self.handle() as cache:
            check(lib.hlm_cache_reuse(cache, ctypes.byref(text), ctypes.byref(reused), ctypes.byref(pending)))
        return Reuse(reused.value, pending.value)

    @documented("hlm_prefix_add")
    def prefix_add(self) -> None:
        """Let the pool's prefix cache remember this text."""
        with self.handle() as cache:
            check(lib.hlm_prefix_add(cache))

    @documented("hlm_cache_reserve")
    def reserve(self, n_tokens: int) -> None:
        """Take the memory for n_tokens in all now."""
        with self.handle() as cache:
            check(lib.hlm_cache_reserve(cache, integer(n_tokens, "n_tokens")))

    @property
    @documented("hlm_cache_length")
    def length(self) -> int:
        """Tokens held; len(cache) is the same."""
        with self.handle() as cache:
            return int(lib.hlm_cache_length(cache))

    def __len__(self) -> int:
        return self.length

    def __bool__(self) -> bool:
        return True  # an empty cache is a cache

    @documented("hlm_cache_tokens")
    def tokens(self, start: int = 0, stop: Optional[int] = None) -> list[int]:
        """The token ids from position `start` on, up to `stop` (None: all)."""
        with self.handle() as cache:
            length = int(lib.hlm_cache_length(cache))
            start = integer(start, "start", 0, length)
            n = integer(length if stop is None else stop, "stop", start, length) - start
            out = (ctypes.c_int32 * n)()
            check(lib.hlm_cache_tokens(cache, start, n, out))
        return list(out)

    @documented("hlm_cache_state")
    def state(self, layer: int, which: int) -> FloatArray:
        """A copy of a layer's recurrent state, STATE_CONV or STATE_SCAN; empty where it has none."""
        np = numpy()
        layer, which = integer(layer, "layer", -2**31, 2**31 - 1), integer(which, "which", -2**31, 2**31 - 1)
        n = ctypes.c_size_t()
        with self.handle() as cache:
            check(lib.hlm_cache_state(cache, layer, which, None, 0, ctypes.byref(n)))
            out: FloatArray = np.empty(n.value, np.float32)
            check(lib.hlm_cache_state(cache, layer, which, out.ctypes.data, n.value, ctypes.byref(n)))
        return out
