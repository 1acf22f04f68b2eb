"""Models and their tokenizers."""
from __future__ import annotations

import ctypes
import json
import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Iterable, Mapping, Optional, Sequence, Union

from . import errors, raw
from ._arrays import c_tokens, token_list
from ._handle import Handle, Owner, interruptible
from ._library import c_string, check, documented, fill, integer, lib
from .structs import MemoryPlanInfo, ModelInfo

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from typing_extensions import Unpack

    from ._arrays import Tokens
    from ._context import Context
    from .structs import ModelParams, PlanParams

#: {"role": "user", "content": "..."}, and whatever else the template knows
Message = Mapping[str, Any]


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

    @classmethod
    def _of(cls, handle: Handle) -> Model:
        """Another Model on the same handle."""
        model = cls.__new__(cls)
        model._adopt(handle)
        return model

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

    @documented("hlm_memory_plan")
    def memory_plan(self, **params: Unpack[PlanParams]) -> MemoryPlanInfo:
        """What the model, its sequences and a context take, in bytes."""
        struct = fill(raw.hlm_plan_params(), "memory_plan", dict(params))
        out = fill(raw.hlm_memory_plan_info(), "MemoryPlanInfo", {})
        handle = self.handle()
        check(lib.hlm_memory_plan(handle.pointer, ctypes.byref(struct), ctypes.byref(out)))
        plan: MemoryPlanInfo = read_struct(out, MemoryPlanInfo)
        return plan

    def generate(self, input_ids: Any, **options: Any) -> npt.NDArray[np.int64]:
        """Token ids in, the same with what follows out, with transformers' names; see
        hybridlm.generate_ids. Uses a context of the model's own, one call at a time."""
        from ._batch import generate_ids
        from ._context import Context
        with self._default_lock:
            if self._default is None:
                self._default = Context(self)
            return generate_ids(self._default, input_ids, **options)


class Tokenizer:
    """Text to token ids and back, by a model's files. Any number of threads may use one."""

    def __init__(self, handle: Handle, info: ModelInfo):
        self._handle = handle
        self.vocab_size = info.vocab_size
        #: token ids, None where the model has none
        self.bos_token_id = info.bos_token if info.bos_token >= 0 else None
        self.eos_token_id = info.eos_token if info.eos_token >= 0 else None
        self.pad_token_id = info.pad_token if info.pad_token >= 0 else None
        self.unk_token_id = info.unk_token if info.unk_token >= 0 else None
        self.has_chat_template = bool(info.has_chat_template)

    def _sized(self, function: Any, kind: Any, cap: int, *args: Any) -> Any:
        """Calls a function that ends in (out, cap, n), again when cap was too small."""
        n = ctypes.c_size_t()
        while True:
            out = (kind * cap)()
            status = function(self._handle.pointer, *args, out, cap, ctypes.byref(n))
            if status != raw.HLM_E_SPACE:
                check(status)
                return out[:n.value]
            cap = n.value

    @documented("hlm_tokenize")
    def encode(self, text: str, *, add_special: bool = False, parse_special: bool = False) -> list[int]:
        """Text to token ids."""
        if not isinstance(text, str):
            raise TypeError(f"text is {type(text).__name__}, expected str")
        data = text.encode("utf-8")
        flags = (raw.HLM_TOKENIZE_ADD_SPECIAL if add_special else 0) | (raw.HLM_TOKENIZE_PARSE_SPECIAL if parse_special else 0)
        ids: list[int] = self._sized(lib.hlm_tokenize, ctypes.c_int32, len(data) + 8, data, len(data), flags)
        return ids

    @documented("hlm_detokenize")
    def decode(self, tokens: Tokens, *, skip_special: bool = False) -> str:
        """Token ids to text."""
        ids, n = c_tokens(token_list(tokens))
        flags = raw.HLM_DETOKENIZE_SKIP_SPECIAL if skip_special else 0
        text: bytes = self._sized(lib.hlm_detokenize, ctypes.c_char, 8 * n + 64, ids, n, flags)
        return text.decode("utf-8")

    @documented("hlm_token_ends")
    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return bool(lib.hlm_token_ends(self._handle.pointer, integer(token, "token", -2**31, 2**31 - 1)))

    def stream(self, *, skip_special: bool = False) -> TextStream:
        """Text of one token after another."""
        return TextStream(self, skip_special=skip_special)

    def _chat(self, messages: Iterable[Message], tools: Optional[Sequence[Any]], add_generation_prompt: bool,
              chat_template: Optional[str], template_name: Optional[str], now: int,
              extra: dict[str, Any]) -> tuple[bytes, Any]:
        fields: dict[str, Any] = {"flags": 0 if add_generation_prompt else raw.HLM_CHAT_NO_GENERATION_PROMPT,
                                  "chat_template": chat_template, "template_name": template_name, "now": now,
                                  "tools_json": json.dumps(list(tools)) if tools is not None else None,
                                  "extra_json": json.dumps(extra) if extra else None}
        if isinstance(messages, (str, bytes, Mapping)):
            raise TypeError(f"messages is {type(messages).__name__}, expected a list of dicts")
        text = json.dumps([dict(m) for m in messages])
        return c_string(text, "messages"), fill(raw.hlm_chat_params(), "chat", fields)

    @documented("hlm_chat_tokenize")
    def apply_chat_template(self, messages: Iterable[Message], *, tools: Optional[Sequence[Any]] = None,
                            add_generation_prompt: bool = True, chat_template: Optional[str] = None,
                            template_name: Optional[str] = None, now: int = 0, **extra: Any) -> list[int]:
        """A chat as token ids, by the model's template. Further keywords become variables of it."""
        data, params = self._chat(messages, tools, add_generation_prompt, chat_template, template_name, now, extra)
        ids: list[int] = self._sized(lib.hlm_chat_tokenize, ctypes.c_int32, 512, data, ctypes.byref(params))
        return ids

    @documented("hlm_chat_render")
    def render_chat(self, messages: Iterable[Message], *, tools: Optional[Sequence[Any]] = None,
                    add_generation_prompt: bool = True, chat_template: Optional[str] = None,
                    template_name: Optional[str] = None, now: int = 0, **extra: Any) -> str:
        """The same as text."""
        data, params = self._chat(messages, tools, add_generation_prompt, chat_template, template_name, now, extra)
        text: bytes = self._sized(lib.hlm_chat_render, ctypes.c_char, 4096, data, ctypes.byref(params))
        return text.decode("utf-8")


class TextStream(Owner):
    """Text of one token after another; no piece ends inside a character. One call at a time."""

    @documented("hlm_text_stream_new")
    def __init__(self, tokenizer: Tokenizer, *, skip_special: bool = False):
        out = ctypes.c_void_p()
        model = tokenizer._handle
        check(lib.hlm_text_stream_new(ctypes.byref(out), model.pointer, raw.HLM_DETOKENIZE_SKIP_SPECIAL if skip_special else 0))
        self._handle = Handle("text stream", out.value, lib.hlm_text_stream_free)
        self._text, self._len = ctypes.c_void_p(), ctypes.c_size_t()
        self._out = ctypes.byref(self._text), ctypes.byref(self._len)

    def _piece(self) -> str:
        if not self._len.value:
            return ""
        return ctypes.string_at(self._text.value or 0, self._len.value).decode("utf-8")

    @documented("hlm_text_stream_push")
    def push(self, token: int) -> str:
        """The text that the token makes certain; it may be empty."""
        with self.handle() as stream:
            check(lib.hlm_text_stream_push(stream, integer(token, "token", -2**31, 2**31 - 1), *self._out))
            return self._piece()

    @documented("hlm_text_stream_begin")
    def begin(self, tokens: Tokens) -> None:
        """Goes on behind these tokens, as Cache.tokens gives them."""
        ids, n = c_tokens(tokens, "tokens")
        with self.handle() as stream:
            check(lib.hlm_text_stream_begin(stream, ids, n))

    @documented("hlm_text_stream_cut")
    def cut(self) -> str:
        """What is left where the tokens end, but not the text: nothing that later tokens may change."""
        with self.handle() as stream:
            check(lib.hlm_text_stream_cut(stream, *self._out))
            return self._piece()

    @documented("hlm_text_stream_finish")
    def finish(self) -> str:
        """What is left at the end; the stream is then as new."""
        with self.handle() as stream:
            check(lib.hlm_text_stream_finish(stream, *self._out))
            return self._piece()
