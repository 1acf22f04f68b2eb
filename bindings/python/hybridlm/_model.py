"""Models."""
from __future__ import annotations

import ctypes
import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Optional, Union

from . import errors, raw
from ._handle import Handle, Owner, interruptible
from ._library import c_string, check, documented, fill, lib
from ._names import check_keywords
from ._tokenizer import Tokenizer
from .structs import MemoryPlanInfo, ModelInfo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Unpack

    from ._context import Context
    from ._options import GenerateOptions
    from .structs import ModelParams, PlanParams


def read_struct(struct: ctypes.Structure, result: Any) -> Any:
    """A result struct as the named tuple of hybridlm.structs."""
    values = (getattr(struct, name) for name in result._fields)
    return result(*(v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values))


def model_info(pointer: int) -> ModelInfo:
    info = fill(raw.hlm_model_info(), "ModelInfo", {})
    check(lib.hlm_model_info_get(pointer, ctypes.byref(info)))
    result: ModelInfo = read_struct(info, ModelInfo)
    return result


def needs_text(info: ModelInfo) -> None:
    """UnsupportedError for a model whose rows are classes, not tokens, or that has none."""
    if info.head == raw.HLM_HEAD_NONE:
        raise errors.UnsupportedError("the model has no head (HEAD_NONE) and writes no text")
    if info.head != raw.HLM_HEAD_TEXT:
        raise errors.UnsupportedError("the model has a classification head and writes no text")


class Model(Owner):
    """Weights, tokenizer and layer plan; immutable, so any number of threads may use one."""

    @documented("hlm_model_load")
    def __init__(self, path: Union[str, os.PathLike[str]], *, progress: Optional[Callable[[int, int], object]] = None,
                 **params: Unpack[ModelParams]):
        """Load a GGUF file or a Hugging Face folder. Further parameters are the fields of
        hlm_model_params. progress(bytes done, bytes in all) may return True, or raise, to
        stop; it runs on another thread than the main one."""
        struct = fill(raw.hlm_model_params(), "Model", dict(params))
        name = c_string(path, "path")
        stopped: list[Optional[BaseException]] = []

        def report(_: object, done: int, total: int) -> int:
            try:
                if not stopped and progress is not None and progress(done, total):
                    stopped.append(None)
            except BaseException as e:
                stopped.append(e)
            return len(stopped)

        struct.progress = raw.hlm_model_params_progress(report)
        out = ctypes.c_void_p()
        try:
            interruptible(lambda: stopped.append(None), lambda status: None, lib.hlm_model_load, ctypes.byref(out), name,
                          ctypes.byref(struct))
        except errors.CancelledError:
            if stopped and stopped[0] is not None:
                raise stopped[0] from None
            raise
        finally:
            pointer = out.value
            if pointer:
                self._adopt(Handle("model", pointer, lib.hlm_model_release))

    def _adopt(self, handle: Handle) -> None:
        self._handle = handle
        self._info = model_info(handle.pointer)
        self._default: Optional[Context] = None
        self._default_lock = threading.Lock()
        #: what the latest generate() drew with: given as seed= it gives the same again
        self.last_seed: Optional[int] = None

    @classmethod
    def _of(cls, handle: Handle) -> Model:
        """Another Model on the same handle."""
        model = cls.__new__(cls)
        model._adopt(handle)
        return model

    def _facts(self) -> str:
        i = self._info
        name = f" {i.name!r}" if i.name else ""
        return f"{i.arch}{name}, {i.n_parameters / 1e6:.4g} M parameters, {i.weight_type or 'no weights'}"

    def close(self) -> None:
        """Give up the model; contexts and caches made from it keep it alive."""
        self._default = None
        super().close()

    @property
    def info(self) -> ModelInfo:
        """Facts about the model."""
        self.handle()
        return self._info

    @property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer(self.handle(), self._info)

    @property
    @documented("hlm_model_label")
    def labels(self) -> list[str]:
        """Names of the classes of a classification head; LABEL_n where the files have none."""
        handle, names = self.handle(), []
        for i in range(self._info.n_labels):
            name = lib.hlm_model_label(handle.pointer, i)
            names.append(f"LABEL_{i}" if name is None else name.decode("utf-8", "replace"))
        return names

    @documented("hlm_model_plan_memory")
    def memory_plan(self, **params: Unpack[PlanParams]) -> MemoryPlanInfo:
        """What the model, its sequences and a context take, in bytes."""
        struct = fill(raw.hlm_plan_params(), "memory_plan", dict(params))
        out = fill(raw.hlm_memory_plan_info(), "MemoryPlanInfo", {})
        handle = self.handle()
        check(lib.hlm_model_plan_memory(handle.pointer, ctypes.byref(struct), ctypes.byref(out)))
        plan: MemoryPlanInfo = read_struct(out, MemoryPlanInfo)
        return plan

    def generate(self, input_ids: Any, **options: Unpack[GenerateOptions]) -> npt.NDArray[np.int64]:
        """Token ids in, the same with what follows out, with transformers' names; see
        hybridlm.generate_ids. Uses a context of the model's own, one call at a time; last_seed is
        the seed of the latest call."""
        from ._batch import generate_ids
        from ._context import Context
        from ._options import GENERATE_KEYWORDS
        check_keywords("generate()", options, GENERATE_KEYWORDS)
        with self._default_lock:
            if self._default is None:
                self._default = Context(self)
            try:
                return generate_ids(self._default, input_ids, **options)
            finally:
                self.last_seed = self._default.last_seed
