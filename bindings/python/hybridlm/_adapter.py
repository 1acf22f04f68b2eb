"""What is added to a model's matrices: LoRA and DoRA."""
from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Iterable, Optional, Union

from . import raw
from ._handle import Handle, Owner
from ._library import c_string, check, documented, fill, lib
from ._model import Model, read_struct
from .structs import AdapterInfo

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .structs import AdapterParams


class Adapter(Owner):
    """LoRA or DoRA of a model, for steps and texts that name it; immutable, so any number of threads may use one."""

    @documented("hlm_adapter_load")
    def __init__(self, model: Model, path: Union[str, os.PathLike[str]], **params: Unpack[AdapterParams]):
        """Load a PEFT folder or a GGUF file. Parameters are the fields of hlm_adapter_params."""
        if not isinstance(model, Model):
            raise TypeError(f"model is {type(model).__name__}, expected Model")
        struct = fill(raw.hlm_adapter_params(), "Adapter", dict(params))
        name = c_string(path, "path")
        out = ctypes.c_void_p()
        parent = model.handle()
        check(lib.hlm_adapter_load(ctypes.byref(out), parent.pointer, name, ctypes.byref(struct)))
        self._handle = Handle("adapter", out.value, lib.hlm_adapter_release)

    @classmethod
    @documented("hlm_adapter_join")
    def join(cls, adapters: Iterable[Adapter]) -> Adapter:
        """Several of one model as one, whose effects are added."""
        parts = [_needed(a) for a in adapters]
        pointers = (ctypes.c_void_p * len(parts))(*[p.pointer for p in parts])
        out = ctypes.c_void_p()
        check(lib.hlm_adapter_join(ctypes.byref(out), pointers, len(parts)))
        joined = cls.__new__(cls)
        joined._handle = Handle("adapter", out.value, lib.hlm_adapter_release)
        return joined

    def _facts(self) -> str:
        info = self.info
        return f"{info.n_matrices} matrices, rank {info.rank}, {info.bytes} bytes"

    @property
    @documented("hlm_adapter_info_get")
    def info(self) -> AdapterInfo:
        """Matrices that it adds to, its largest rank, its bytes."""
        struct = fill(raw.hlm_adapter_info(), "AdapterInfo", {})
        handle = self.handle()
        check(lib.hlm_adapter_info_get(handle.pointer, ctypes.byref(struct)))
        info: AdapterInfo = read_struct(struct, AdapterInfo)
        return info


def _needed(adapter: Any) -> Handle:
    if not isinstance(adapter, Adapter):
        raise TypeError(f"adapter is {type(adapter).__name__}, expected Adapter")
    return adapter.handle()


def adapter_handle(adapter: Optional[Adapter]) -> Optional[Handle]:
    """Its handle, to be kept while a call uses it; None has none."""
    return None if adapter is None else _needed(adapter)
