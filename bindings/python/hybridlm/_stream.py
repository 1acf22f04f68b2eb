"""Text as it comes, and in one call."""
from __future__ import annotations

import ctypes
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Iterator, Mapping, NamedTuple, Optional, Sequence, Union

from . import errors, raw
from ._adapter import Adapter, adapter_handle
from ._arrays import c_tokens, token_list
from ._library import c_string, check, fill, integer, lib
from ._model import needs_text, read_struct
from ._names import check_keywords
from ._options import TEXT_KEYWORDS
from ._sampler import Sampler
from ._state import Cache
from ._tokenizer import TextStream
from .structs import GenerateResult

if TYPE_CHECKING:
    from ._arrays import Tokens
    from ._context import Context

_STEP_BYTES = ctypes.sizeof(raw.hlm_step)
PROMPT_PART = 512  # tokens of a prompt between two chances for Ctrl-C


class StopText:
    """Holds back text that may become a stop string, and ends before the first that is
    complete; of those complete at the same character, before the longest."""

    def __init__(self, strings: Sequence[str]):
        self.strings = strings
        self.held = ""
        self.found = False

    def feed(self, text: str) -> str:
        """What is certain now."""
        if not self.strings or self.found:
            return "" if self.found else text
        self.held += text
        ends = [(at + len(s), at) for s in self.strings for at in [self.held.find(s)] if at >= 0]
        if ends:
            self.found = True
            given, self.held = self.held[:min(ends)[1]], ""
            return given
        keep = max(self._open(s) for s in self.strings)
        given, self.held = self.held[:len(self.held) - keep], self.held[len(self.held) - keep:]
        return given

    def _open(self, string: str) -> int:
        """Characters at the end of what is held that begin the string."""
        most = min(len(string) - 1, len(self.held))
        return next((n for n in range(most, 0, -1) if self.held.endswith(string[:n])), 0)

    def finish(self) -> str:
        given, self.held = self.held, ""
        return given


class Request:
    """The arguments that generate() and complete() have in common, checked."""

    def __init__(self, context: Context, prompt: Union[str, Tokens], cache: Optional[Cache], sampler: Optional[Sampler], *,
                 adapter: Optional[Adapter], max_tokens: Optional[int], stop: Union[str, Sequence[str]], stop_tokens: Sequence[int],
                 ignore_eos: bool, show_special: bool, sampling: dict[str, Any]):
        from ._context import Context as ContextClass
        if not isinstance(context, ContextClass):
            raise TypeError(f"context is {type(context).__name__}, expected Context")
        self.context, self.model = context, context.model
        needs_text(self.model.info)
        if cache is not None and not isinstance(cache, Cache):
            raise TypeError(f"cache is {type(cache).__name__}, expected Cache")
        if sampler is not None and not isinstance(sampler, Sampler):
            raise TypeError(f"sampler is {type(sampler).__name__}, expected Sampler")
        check_keywords("generate()", sampling, TEXT_KEYWORDS)
        given = {k: v for k, v in sampling.items() if k not in ("logit_bias", "seed") or v is not None}
        if sampler is not None and given:
            raise errors.ArgError(f"a sampler is given, and {', '.join(given)} besides")
        adapter_handle(adapter)
        self.adapter = adapter
        self.cache = cache if cache is not None else Cache(context)
        self.sampler = sampler if sampler is not None else Sampler(self.model, **given)
        if isinstance(prompt, str):
            begins = len(self.cache) == 0
            self.prompt: Any = self.model.tokenizer.encode(prompt, add_special_tokens=begins)
        else:
            self.prompt = prompt
        self.max_tokens = 0 if max_tokens is None else integer(max_tokens, "max_tokens", 1)
        self.stop = [stop] if isinstance(stop, str) else list(stop)
        if not all(isinstance(s, str) and s for s in self.stop):
            raise errors.ArgError("stop has something that is no string, or an empty one")
        self.stop_tokens = token_list(stop_tokens, "stop_tokens")
        self.ignore_eos, self.show_special = bool(ignore_eos), bool(show_special)


class Stream(Iterator[str]):
    """Pieces of text, one step of the model at a time; see Context.generate."""

    def __init__(self, context: Context, prompt: Union[str, Tokens], cache: Optional[Cache], sampler: Optional[Sampler],
                 **options: Any):
        self._request = r = Request(context, prompt, cache, sampler, **options)
        #: what is generated: the ids (the ending one included), and where they are kept
        self.tokens: list[int] = []
        self.cache = r.cache
        #: what the sampler draws with: given as seed= it gives the same again
        self.seed = r.sampler.seed
        #: FINISH_..., or None while it goes on
        self.finish: Optional[int] = None
        self.text = ""
        info = r.model.info
        try:
            self._text: Optional[TextStream] = r.model.tokenizer.stream(skip_special_tokens=not r.show_special)
        except errors.UnsupportedError:
            self._text = None  # a model without tokenizer gives ids and no text
        self._stop = StopText(r.stop)
        self._logits = (ctypes.c_float * info.vocab_size)()
        self._token = ctypes.c_int32()
        self._step = raw.hlm_step()
        self._step.struct_size = _STEP_BYTES
        self._steps = (ctypes.c_void_p * 1)(ctypes.addressof(self._step))
        self._prompt, n = c_tokens(r.prompt, "prompt")
        if n == 0 and len(r.cache) == 0:
            raise errors.EmptyError("no prompt, and the cache is empty")
        self._started = self._over = False

    def __repr__(self) -> str:
        state = "over" if self._over else "goes on" if self._started else "not begun"
        return f"<hybridlm.Stream {len(self.tokens)} tokens, {state}, {self._request.sampler!r}>"

    def __iter__(self) -> Stream:
        return self

    def __next__(self) -> str:
        while not self._over:
            if not self._started:
                self._start()
                self._started = True
            elif self.finish is None:
                self._advance()
            piece = self._draw() if self.finish is None else self._finish()
            if piece:
                self.text += piece
                return piece
        raise StopIteration

    def close(self) -> None:
        """No further pieces; the cache stays as it is."""
        self._over = True

    def read(self) -> str:
        """All text, to the end."""
        for _ in self:
            pass
        return self.text

    # ---- one token ----

    def _decode(self, cache: Cache, tokens: Any, n: int, logits: bool) -> None:
        context, state, adapter = self._request.context.handle(), cache.handle(), adapter_handle(self._request.adapter)
        step = self._step
        with context, state as pointer:
            step.adapter = adapter.pointer if adapter else None
            step.cache, step.tokens, step.n_tokens = pointer, tokens, n
            step.logits = ctypes.addressof(self._logits) if logits else None
            self._request.context._run(context, n > 1, lib.hlm_decode_step, self._steps, 1)

    def _start(self) -> None:
        """The prompt, or what is behind the cache's last token once more."""
        n, begin = len(self._prompt), 0
        if n == 0:
            context, state = self._request.context.handle(), self.cache.handle()
            with context, state as pointer:
                self._request.context._run(context, lib.hlm_cache_pending(pointer) > 1, lib.hlm_cache_logits, pointer,
                                           ctypes.addressof(self._logits))
        while begin < n:
            part = min(PROMPT_PART, n - begin)
            self._decode(self.cache, ctypes.addressof(self._prompt) + 4 * begin, part, begin + part == n)
            begin += part
        self._prompt = None
        if self._text is not None:
            self._text.begin(self.cache.tokens())

    def _advance(self) -> None:
        """The latest token, run."""
        try:
            self._decode(self.cache, ctypes.addressof(self._token), 1, True)
        except errors.FullError:
            self.finish = raw.HLM_FINISH_FULL

    def _draw(self) -> str:
        r, token = self._request, self._token
        with r.sampler.handle() as sampler:
            check(lib.hlm_sampler_sample(sampler, self._logits, ctypes.byref(token)))
            check(lib.hlm_sampler_accept(sampler, token))
        drawn = token.value
        ends = drawn in r.stop_tokens or (not r.ignore_eos and lib.hlm_model_token_ends(r.model.handle().pointer, drawn) != 0)
        piece = "" if ends or self._text is None else self._stop.feed(self._text.push(drawn))
        self.tokens.append(drawn)
        if ends:
            self.finish = raw.HLM_FINISH_STOP_TOKEN
        elif self._stop.found:
            self.finish = raw.HLM_FINISH_STOP_STRING
        elif len(self.tokens) == r.max_tokens:
            self.finish = raw.HLM_FINISH_LENGTH
        return piece

    def _finish(self) -> str:
        """What was held back."""
        self._over = True
        if self._text is None or self._stop.found:
            return ""
        goes_on = self.finish in (raw.HLM_FINISH_LENGTH, raw.HLM_FINISH_FULL)
        return self._stop.feed(self._text.cut() if goes_on else self._text.finish()) + self._stop.finish()


class Completion(NamedTuple):
    """What Context.complete gives."""

    text: str
    tokens: list[int]
    result: GenerateResult
    cache: Cache
    #: what the sampler drew with: given as seed= it gives the same again
    seed: int


def _numbers(speculation: Optional[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in (speculation or {}).items() if name not in ("draft", "draft_cache")}


def _drafters(speculation: Optional[Mapping[str, Any]]) -> tuple[Optional[Context], Optional[Cache]]:
    """The second context and its cache, if there are any."""
    given = speculation or {}
    return given.get("draft"), given.get("draft_cache")


def complete(context: Context, prompt: Union[str, Tokens], cache: Optional[Cache], sampler: Optional[Sampler],
             reuse: bool, speculation: Optional[Mapping[str, Any]], **options: Any) -> Completion:
    """See Context.complete."""
    drafter, kept = _drafters(speculation)
    r = Request(context, prompt, cache, sampler, **options)
    ids, n = c_tokens(r.prompt, "prompt")
    text: list[bytes] = []
    tokens: list[int] = []

    def on_token(_: object, token: int, piece: Optional[int], length: int) -> int:
        if length:
            text.append(ctypes.string_at(piece or 0, length))
        if token >= 0:
            tokens.append(token)
        return 0

    params = fill(raw.hlm_generate_params(), "complete", {})
    stop = (ctypes.c_char_p * len(r.stop))(*[c_string(s, "stop") for s in r.stop])
    stop_tokens = (ctypes.c_int32 * len(r.stop_tokens))(*r.stop_tokens)
    params.prompt, params.n_prompt = ctypes.addressof(ids), n
    params.max_tokens = r.max_tokens
    params.stop, params.n_stop = ctypes.addressof(stop), len(stop)
    params.stop_tokens, params.n_stop_tokens = ctypes.addressof(stop_tokens), len(stop_tokens)
    params.ignore_eos, params.show_special = r.ignore_eos, r.show_special
    params.reuse = bool(reuse)
    params.on_token = raw.hlm_generate_params_on_token(on_token)
    result = fill(raw.hlm_generate_result(), "complete", {})
    drafts = fill(raw.hlm_speculation(), "speculation", _numbers(speculation))
    if speculation is not None:
        params.speculation = ctypes.addressof(drafts)
    handle, state, chain, with_adapter = context.handle(), r.cache.handle(), r.sampler.handle(), adapter_handle(r.adapter)
    params.adapter = with_adapter.pointer if with_adapter else None
    with handle, state as cache_pointer, chain as sampler_pointer, ExitStack() as held:
        drafts.draft = held.enter_context(drafter.handle()) if drafter is not None else None
        drafts.draft_cache = held.enter_context(kept.handle()) if kept is not None else None
        context._run(handle, True, lib.hlm_generate, cache_pointer, sampler_pointer, ctypes.byref(params), ctypes.byref(result))
    return Completion(b"".join(text).decode("utf-8"), tokens, read_struct(result, GenerateResult), r.cache, r.sampler.seed)
