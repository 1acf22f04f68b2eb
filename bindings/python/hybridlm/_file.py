"""What lies in the files of a model or an adapter, also of one that can not be run."""
from __future__ import annotations

import ctypes
import json
import os
from typing import Any, NamedTuple, Union

from . import raw
from ._handle import Handle, Owner
from ._library import c_string, check, documented, fill, lib
from ._model import read_struct
from .structs import FileInfo, FileKeyInfo


class FileTensor(NamedTuple):
    """A tensor as it lies in its file; `unfit` tells why it can be no weight, "": it can."""

    name: str
    type: str
    shape: tuple[int, ...]
    bytes: int
    part: str
    unfit: str


class ModelFile(Owner):
    """A GGUF file, a folder, or a safetensors file: settings, tensors, and why it can not be run. Immutable, so any number of threads may use one."""

    @documented("hlm_file_open")
    def __init__(self, path: Union[str, os.PathLike[str]]):
        """Read headers and settings, no weights. What is damaged or unknown is told by `problems`."""
        out = ctypes.c_void_p()
        name = c_string(path, "path")
        check(lib.hlm_file_open(ctypes.byref(out), name, None))
        self._handle = Handle("file", out.value, lib.hlm_file_free)

    def _facts(self) -> str:
        info = self.info
        return f"{info.container}, {info.n_keys} settings, {info.n_tensors} tensors"

    @property
    @documented("hlm_file_info_get")
    def info(self) -> FileInfo:
        """Container, architecture, quantisation, and how many parts, settings, tensors and problems there are."""
        struct = fill(raw.hlm_file_info(), "FileInfo", {})
        handle = self.handle()
        check(lib.hlm_file_info_get(handle.pointer, ctypes.byref(struct)))
        info: FileInfo = read_struct(struct, FileInfo)
        return info

    @property
    @documented("hlm_file_problem")
    def problems(self) -> list[str]:
        """Why it can not be run; empty when headers and settings tell of no reason."""
        handle = self.handle()
        return [bytes(lib.hlm_file_problem(handle.pointer, i)).decode("utf-8", "replace") for i in range(self.info.n_problems)]

    @property
    @documented("hlm_file_part")
    def parts(self) -> list[tuple[str, int]]:
        """Path and bytes of each weight file."""
        handle = self.handle()
        size = ctypes.c_uint64()
        found = []
        for i in range(self.info.n_parts):
            path = bytes(lib.hlm_file_part(handle.pointer, i, ctypes.byref(size)))
            found.append((os.fsdecode(path), size.value))
        return found

    @property
    @documented("hlm_file_key")
    def keys(self) -> list[FileKeyInfo]:
        """Name, type and number of items of each setting, in the order of the file."""
        handle = self.handle()
        found = []
        for i in range(self.info.n_keys):
            struct = fill(raw.hlm_file_key_info(), "FileKeyInfo", {})
            check(lib.hlm_file_key(handle.pointer, i, ctypes.byref(struct)))
            found.append(read_struct(struct, FileKeyInfo))
        return found

    @documented("hlm_file_value")
    def value(self, i: int, max_items: int = 0) -> Any:
        """Value of setting i; of its arrays max_items items at most (0: all)."""
        handle = self.handle()
        n = ctypes.c_size_t()
        status = lib.hlm_file_value(handle.pointer, i, max_items, None, 0, ctypes.byref(n))
        if status != raw.HLM_E_SPACE:
            check(status)
        out = ctypes.create_string_buffer(n.value)
        check(lib.hlm_file_value(handle.pointer, i, max_items, out, n.value, ctypes.byref(n)))
        return json.loads(out.raw[: n.value])

    @property
    @documented("hlm_file_tensor")
    def tensors(self) -> list[FileTensor]:
        """Each tensor as it lies in its file, in the order of the files."""
        handle = self.handle()
        found = []
        for i in range(self.info.n_tensors):
            struct = fill(raw.hlm_file_tensor_info(), "FileTensorInfo", {})
            check(lib.hlm_file_tensor(handle.pointer, i, ctypes.byref(struct)))
            name, of, part, unfit = (bytes(s).decode("utf-8", "replace") for s in (struct.name, struct.type, struct.part, struct.unfit))
            found.append(FileTensor(name, of, tuple(struct.dims[: struct.n_dims]), struct.bytes, part, unfit))
        return found
