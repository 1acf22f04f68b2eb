"""What it takes to compute: steps of many sequences, scores, embeddings, text."""
from __future__ import annotations

import ctypes
import threading
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Sequence, Tuple, Union

from . import errors, raw
from ._adapter import Adapter, adapter_handle
from ._arrays import address, c_tokens, check_array, is_array, numpy, token_list
from ._handle import Handle, Owner, interruptible
from ._library import check, documented, fill, integer, lib
from ._chat import Message, is_batch
from ._model import Model
from ._names import check_keywords
from ._state import Cache, Pool

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._arrays import FloatArray, Tokens
    from ._sampler import Sampler
    from ._stream import Completion, Stream
    from ._options import TextOptions
    from .structs import CtxParams, ModelInfo, SamplerParams

# Steps of fewer tokens are over soon enough for Ctrl-C to wait for them.
LONG = 32
#: a request for hidden states: a layer, or (layer, HIDDEN_...)
Hidden = Union[int, Tuple[int, int]]
_STEP_BYTES = ctypes.sizeof(raw.hlm_step)


def row_width(info: ModelInfo) -> int:
    """Numbers in a row of logits: the vocabulary, the classes of a classification head, or 0."""
    return info.vocab_size if info.head == raw.HLM_HEAD_TEXT else info.n_labels


class _Requests:
    """An array of pointers to structs, as the library reads requests."""

    def __init__(self, items: list[Any]):
        self.items = items
        self.pointers = (ctypes.c_void_p * len(items))(*map(ctypes.addressof, items))
        self.address = ctypes.addressof(self.pointers) if items else None


class Step:
    """New tokens for one sequence, with arrays for what they give; see Context.decode.

    A step may be decoded again and again: its arrays are filled anew each time. Change
    the tokens in place (step.tokens[0] = 5), or assign others of any number.

    tokens      ids: an int32 array is read anew for each decode, other sequences are copied
    logits      "last" (a row), "all" or a list of indices (a row each), None
    hidden      layers whose hidden states are wanted, -1 before the final norm; (layer, kind)
                for a kind other than HIDDEN_STREAM
    attention   layers whose attention weights are wanted
    embeddings  [n, hidden_size] float32 rows in place of tokens
    adapter     what the tokens are run with, None for the model alone
    out         a float32 array for the logits, instead of one made here"""

    __slots__ = ("_attention", "_attention_requests", "_c", "_embeddings", "_hidden", "_hidden_requests", "_ids", "_info",
                 "_out", "_pointers", "_row_list", "_rows", "_tokens", "adapter", "attention", "cache", "hidden", "lock", "logits")

    def __init__(self, cache: Cache, tokens: Optional[Tokens] = None, *,
                 logits: Union[None, str, Sequence[int]] = "last", hidden: Iterable[Hidden] = (),
                 attention: Iterable[int] = (), embeddings: Optional[FloatArray] = None,
                 adapter: Optional[Adapter] = None, out: Optional[FloatArray] = None):
        if not isinstance(cache, Cache):
            raise TypeError(f"cache is {type(cache).__name__}, expected Cache")
        adapter_handle(adapter)
        self.cache, self.adapter = cache, adapter
        self._info = cache._model.info
        #: taken while the step is decoded or changed
        self.lock = threading.Lock()
        self._c = raw.hlm_step()
        self._c.struct_size = _STEP_BYTES
        self._pointers = (ctypes.c_void_p * 1)(ctypes.addressof(self._c))
        self._hidden = {item: self._read_hidden(item) for item in hidden}
        self._attention = [integer(layer, "attention", 0, self._info.n_layers - 1) for layer in attention]
        self._rows = self._read_rows(logits)
        self._out = out
        self._tokens: Any = None
        self._ids: Any = None
        self._embeddings = None
        #: results: the logits, and for each layer asked for its states and weights
        self.logits: Any = None
        self.hidden: dict[Hidden, FloatArray] = {}
        self.attention: dict[int, FloatArray] = {}
        if (tokens is None) == (embeddings is None):
            raise errors.ArgError("a step needs tokens or embeddings, and not both")
        if embeddings is not None:
            check_array(embeddings, "embeddings", "float32", (-1, self._info.hidden_size))
            self._embeddings = embeddings
            self._c.embeddings = address(embeddings)
            self._resize(len(embeddings))
        else:
            self.tokens = tokens

    @staticmethod
    def _read_rows(logits: Any) -> Any:
        if logits is None or (isinstance(logits, str) and logits in ("last", "all")):
            return logits
        if isinstance(logits, str):
            raise errors.ArgError(f'logits is "{logits}", expected "last", "all", None or a list of indices')
        return [integer(i, "logits", 0) for i in token_list(logits, "logits")]

    def _read_hidden(self, item: Any) -> tuple[int, int, int]:
        """(layer, kind, width) of a request."""
        if isinstance(item, tuple) and len(item) != 2:
            raise errors.ArgError(f"hidden has {item}, expected a layer or (layer, kind)")
        layer, kind = item if isinstance(item, tuple) else (item, raw.HLM_HIDDEN_STREAM)
        layer, kind = integer(layer, "hidden", -1, self._info.n_layers), integer(kind, "hidden", 0, 2**31 - 1)
        width = lib.hlm_model_hidden_width(self.cache._model.handle().pointer, kind)
        if not width:
            raise errors.ArgError(f"the model has no hidden states of the kind {kind}")
        return layer, kind, width

    @property
    def tokens(self) -> Any:
        """The ids, as an int32 array."""
        return self._tokens

    @tokens.setter
    def tokens(self, value: Any) -> None:
        np = numpy()
        if self._embeddings is not None:
            raise errors.ArgError("the step has embeddings in place of tokens")
        if is_array(value):
            check_array(value, "tokens", "int32", (-1,))
        else:
            value = np.array(token_list(value), dtype=np.int32)
        self.take()
        try:
            n_before = -1 if self._tokens is None else len(self._tokens)
            if len(value) != n_before:
                self._resize(len(value))
                self._ids = (ctypes.c_int32 * len(value))()
                self._c.tokens = ctypes.addressof(self._ids)
            self._tokens = value
        finally:
            self.lock.release()

    def __repr__(self) -> str:
        n = self._c.n_tokens
        what = "embeddings" if self._embeddings is not None else "tokens"
        rows = self._rows if isinstance(self._rows, str) else "no" if self._rows is None else len(self._rows)
        return f"<hybridlm.Step {n} {what}, {rows} logits, {self.cache!r}>"

    def take(self) -> None:
        """Begin to use the step; BusyError when another call does."""
        if not self.lock.acquire(False):
            raise errors.BusyError("the step is in use by another call")

    def _resize(self, n: int) -> None:
        """Room for what n tokens give."""
        np = numpy()
        c, width = self._c, row_width(self._info)
        shape: Optional[tuple[int, ...]] = (width,)
        if self._rows is None:
            shape = None
        elif self._rows == "all":
            c.logit_rows, shape = raw.HLM_ROWS_ALL, (n, width)
        elif self._rows != "last":
            rows = (ctypes.c_size_t * len(self._rows))(*self._rows)
            c.logit_rows, c.rows, c.n_rows = raw.HLM_ROWS_LIST, ctypes.addressof(rows), len(rows)
            self._row_list = rows
            shape = (len(rows), width)
        if shape is not None and self._out is not None:
            check_array(self._out, "out", "float32", shape, writes=True)
            self.logits = self._out
        elif shape is not None:
            self.logits = np.empty(shape, np.float32)
        c.logits = None if shape is None else address(self.logits)
        self.hidden = {item: np.empty((n, wide), np.float32) for item, (_, _, wide) in self._hidden.items()}
        self._hidden_requests = _Requests([
            raw.hlm_hidden(ctypes.sizeof(raw.hlm_hidden), layer=layer, kind=kind, out=address(self.hidden[item]))
            for item, (layer, kind, _) in self._hidden.items()])
        c.hidden, c.n_hidden = self._hidden_requests.address, len(self._hidden)
        c.n_tokens = n

    def _bind(self, handle: Handle) -> Optional[Handle]:
        """What depends on the cache as it is now; its handle is taken. Gives the adapter's, to be kept for the call."""
        c, adapter = self._c, adapter_handle(self.adapter)
        c.cache, c.adapter = handle.pointer, adapter.pointer if adapter else None
        if self._ids is not None:
            # The library's own copy: another thread may write into the array meanwhile.
            ctypes.memmove(self._ids, address(self._tokens), ctypes.sizeof(self._ids))
        if self._attention:
            after = int(lib.hlm_cache_length(handle.pointer)) + c.n_tokens
            shape = (self._info.n_heads, c.n_tokens, after)
            self.attention = {layer: numpy().empty(shape, "float32") for layer in self._attention}
            self._attention_requests = _Requests([
                raw.hlm_attention(ctypes.sizeof(raw.hlm_attention), layer=layer, out=address(array))
                for layer, array in self.attention.items()])
            c.attention, c.n_attention = self._attention_requests.address, len(self.attention)
        return adapter


class Context(Owner):
    """Threads and scratch. One call at a time, but for cancel()."""

    @documented("hlm_ctx_new")
    def __init__(self, model: Model, *, pool: Optional[Pool] = None, **params: Unpack[CtxParams]):
        """Parameters are the fields of hlm_ctx_params. Without a pool it has one of its own."""
        if not isinstance(model, Model):
            raise TypeError(f"model is {type(model).__name__}, expected Model")
        if pool is not None and not isinstance(pool, Pool):
            raise TypeError(f"pool is {type(pool).__name__}, expected Pool")
        struct = fill(raw.hlm_ctx_params(), "Context", dict(params))
        states = pool.handle() if pool is not None else None
        struct.pool = states.pointer if states else None
        out = ctypes.c_void_p()
        parent = model.handle()
        check(lib.hlm_ctx_new(ctypes.byref(out), parent.pointer, ctypes.byref(struct)))
        self._handle = Handle("context", out.value, lib.hlm_ctx_free)
        self._model = Model._of(parent)  # of this object's own: nobody else can close it
        self._info = self._model.info
        #: the seed of the latest generate_ids()
        self.last_seed: Optional[int] = None

    def _facts(self) -> str:
        return f"of {self._info.arch}"

    @property
    def model(self) -> Model:
        self.handle()
        return Model._of(self._model.handle())

    @property
    def pool(self) -> Pool:
        """Where its caches live."""
        handle = self.handle()
        pointer = lib.hlm_ctx_pool(handle.pointer)
        lib.hlm_pool_retain(pointer)
        pool = Pool.__new__(Pool)
        pool._adopt(Handle("pool", pointer, lib.hlm_pool_release), self._model)
        return pool

    @documented("hlm_ctx_cancel")
    def cancel(self) -> None:
        """Stop the running call, from any thread; it raises CancelledError."""
        handle = self.handle()  # so that it lives during the call
        lib.hlm_ctx_cancel(handle.pointer)

    # ---- calls ----

    def _run(self, handle: Handle, long: bool, function: Any, *args: Any) -> None:
        """A call on the taken context. A cancel that came too late for the call it was
        meant for hits the next one, which is then made again."""
        def settled(status: int) -> None:
            handle.late_cancel = status != raw.HLM_E_CANCELLED

        def once() -> None:
            if long:
                interruptible(lambda: lib.hlm_ctx_cancel(handle.pointer), settled, function, handle.pointer, *args)
            else:
                check(function(handle.pointer, *args))

        late = handle.late_cancel
        try:
            once()
        except errors.CancelledError:
            handle.late_cancel = False
            if not late:
                raise
            once()

    @documented("hlm_decode_step")
    def decode(self, steps: Iterable[Union[Step, tuple[Cache, Tokens]]]) -> list[FloatArray]:
        """Run new tokens: [(cache, tokens), ...] or Steps, mixed as you like, in one batch.
        Gives the logits of each, views of memory that the library wrote to: of a pair
        the last token's row, in an array of its own; of a Step its logits."""
        handle = self.handle()
        made = list(steps)
        pairs = sum(not isinstance(s, Step) for s in made)
        block = numpy().empty((pairs, row_width(self._info)), "float32") if pairs else None
        for i in range(len(made) - 1, -1, -1) if pairs else ():
            if not isinstance(made[i], Step):
                pairs -= 1
                made[i] = self._pair(made[i], block[pairs])  # type: ignore[index]
        batch: list[Step] = made  # type: ignore[assignment]
        n_tokens = 0
        taken: list[Any] = [handle.lock]
        pointers = batch[0]._pointers if len(batch) == 1 else (ctypes.c_void_p * len(batch))(
            *[ctypes.addressof(s._c) for s in batch])
        used: list[Optional[Handle]] = []  # caches and adapters live until the call is over
        handle.take()
        try:
            for step in batch:
                cache = step.cache.handle()
                cache.take()
                taken.append(cache.lock)
                step.take()
                taken.append(step.lock)
                used += cache, step._bind(cache)
                n_tokens += step._c.n_tokens
            self._run(handle, n_tokens >= LONG, lib.hlm_decode_step, pointers, len(batch))
        finally:
            for lock in taken:
                lock.release()
        return [s.logits for s in batch]

    @staticmethod
    def _pair(pair: Any, out: Any) -> Step:
        try:
            cache, tokens = pair
        except (TypeError, ValueError):
            raise TypeError(f"a step is {type(pair).__name__}, expected a Step or (cache, tokens)") from None
        return Step(cache, tokens, out=out)

    @documented("hlm_cache_logits")
    def logits(self, cache: Cache) -> FloatArray:
        """The logits behind a cache's last token once more, as its step gave them: after a fork, a rewind, a load."""
        if not isinstance(cache, Cache):
            raise TypeError(f"cache is {type(cache).__name__}, expected Cache")
        handle, state = self.handle(), cache.handle()
        out: FloatArray = numpy().empty(row_width(self._info), "float32")
        with handle, state:
            long = lib.hlm_cache_pending(state.pointer) >= LONG
            self._run(handle, long, lib.hlm_cache_logits, state.pointer, address(out))
        return out

    def _ids(self, tokens: Union[str, Tokens]) -> tuple[Any, int]:
        """Ids, or those of a text from its beginning."""
        if isinstance(tokens, str):
            self.handle()  # a closed context says so
            tokens = self._model.tokenizer.encode(tokens, add_special_tokens=True)
        return c_tokens(tokens)

    @documented("hlm_score")
    def score(self, tokens: Union[str, Tokens], labels: Optional[Tokens] = None) -> FloatArray:
        """Log-probability of each token but the first, or of labels in place of the tokens
        (a negative label, such as -100, is left out and gives 0). Of text, its tokens as
        generate() would begin with it: tokenizer.encode(text, add_special_tokens=True)."""
        np = numpy()
        ids, n = self._ids(tokens)
        wanted, n_labels = (None, n) if labels is None else c_tokens(labels, "labels")
        if n_labels != n:
            raise errors.ArgError(f"{n} tokens and {n_labels} labels")
        out: FloatArray = np.empty(max(n - 1, 0), np.float32)
        text = fill(raw.hlm_score_params(), "score()", {
            "tokens": ctypes.addressof(ids), "n_tokens": n, "logprobs": address(out),
            "labels": None if wanted is None else ctypes.addressof(wanted)})
        handle = self.handle()
        with handle:
            self._run(handle, True, lib.hlm_score, ctypes.byref(text), None)
        return out

    @documented("hlm_embed")
    def embed(self, tokens: Union[str, Tokens], *, pooling: int = raw.HLM_EMBED_MEAN,
              normalise: bool = False) -> FloatArray:
        """A text's vector: EMBED_MEAN, EMBED_LAST or EMBED_FIRST of its rows; normalise scales it to length 1.
        Text is read as by score()."""
        np = numpy()
        ids, n = self._ids(tokens)
        out: FloatArray = np.empty(self._info.hidden_size, np.float32)
        text = fill(raw.hlm_embed_params(), "embed()", {
            "tokens": ctypes.addressof(ids), "n_tokens": n, "pooling": pooling, "normalise": bool(normalise)})
        handle = self.handle()
        with handle:
            self._run(handle, True, lib.hlm_embed, ctypes.byref(text), address(out))
        return out

    # ---- text ----

    def generate(self, prompt: Union[str, Tokens], *, cache: Optional[Cache] = None, sampler: Optional[Sampler] = None,
                 adapter: Optional[Adapter] = None, max_tokens: Optional[int] = None, stop: Union[str, Sequence[str]] = (),
                 stop_tokens: Sequence[int] = (), ignore_eos: bool = False, show_special: bool = False,
                 logit_bias: Optional[Mapping[int, float]] = None, **sampling: Unpack[SamplerParams]) -> Stream:
        """Text that follows the prompt, piece by piece as it comes:

            for piece in context.generate("Once upon a time", max_tokens=50, temperature=0.8):
                print(piece, end="", flush=True)

        The prompt is text, or ids; it is appended to the cache (a new one without). Fields
        of hlm_sampler_params make a sampler when none is given. An adapter is run with the prompt and what follows. Nothing runs ahead of the
        loop: stop it anywhere, and the cache holds what was given so far."""
        from ._stream import Stream
        return Stream(self, prompt, cache, sampler, adapter=adapter, max_tokens=max_tokens, stop=stop, stop_tokens=stop_tokens,
                      ignore_eos=ignore_eos, show_special=show_special, sampling={"logit_bias": logit_bias, **sampling})

    def chat(self, messages: Iterable[Message], *, cache: Optional[Cache] = None, tools: Optional[Sequence[Any]] = None,
             template: Optional[Mapping[str, Any]] = None, **options: Unpack[TextOptions]) -> Stream:
        """An assistant's answer to [{"role": "user", "content": "..."}, ...], as generate().

        What a cache that is given, or the prefix cache of its pool, holds of the chat is not
        computed again. `template` has further keywords of
        Tokenizer.apply_chat_template; `options` are those of generate()."""
        from ._options import TEXT_KEYWORDS
        check_keywords("chat()", options, ("messages", "tools", "template", *TEXT_KEYWORDS[1:]))
        prompt = self._chat_ids(messages, {"tools": tools, "add_generation_prompt": True, **(template or {})})
        if cache is not None and prompt:
            prompt = prompt[cache.reuse(prompt, adapter=options.get("adapter")).reused:]
        return self.generate(prompt, cache=cache, **options)

    def _chat_ids(self, messages: Iterable[Message], template: dict[str, Any]) -> list[int]:
        """A chat's ids, its answer opened unless the template's keywords say otherwise."""
        for name in ("tokenize", "return_dict", "return_tensors", "padding", "truncation", "max_length"):
            if name in template:
                raise TypeError(f"chat() got template[{name!r}]: it makes the ids itself")
        if template.get("continue_final_message"):
            template = {**template, "add_generation_prompt": False}
        if is_batch(messages):
            raise TypeError("messages is a list of chats, expected one chat")
        ids: list[int] = self.model.tokenizer.apply_chat_template(messages, **template)
        return ids

    @documented("hlm_generate")
    def complete(self, prompt: Union[str, Tokens], *, cache: Optional[Cache] = None, sampler: Optional[Sampler] = None,
                 adapter: Optional[Adapter] = None, max_tokens: Optional[int] = None, stop: Union[str, Sequence[str]] = (),
                 stop_tokens: Sequence[int] = (), ignore_eos: bool = False, show_special: bool = False, reuse: bool = False,
                 speculation: Optional[Mapping[str, Any]] = None, logit_bias: Optional[Mapping[int, float]] = None, **sampling: Unpack[SamplerParams]) -> Completion:
        """generate() in one call of the library, with its tokens, reason and times. With `reuse` the
        prompt is the whole text, and the cache is brought to what is known of it first.

        `speculation` drafts tokens ahead, which changes the time and never the text: {} from the
        text itself; with the fields of hlm_speculation, {"n_draft": 16, "draft": a smaller
        model's context} for instance."""
        from ._stream import complete
        return complete(self, prompt, cache, sampler, reuse=reuse, speculation=speculation, adapter=adapter, max_tokens=max_tokens, stop=stop, stop_tokens=stop_tokens,
                        ignore_eos=ignore_eos, show_special=show_special, sampling={"logit_bias": logit_bias, **sampling})
