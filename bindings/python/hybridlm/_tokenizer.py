"""Tokenizers: text and chats to token ids and back, with transformers' names."""
from __future__ import annotations

import ctypes
import json
import re
from typing import TYPE_CHECKING, Any, Iterable, Mapping, Optional, Sequence, Union, overload

from . import errors, raw
from ._arrays import c_tokens, token_list
from ._chat import Message, is_batch, message_list, messages_json, open_end, template_variables, tools_json
from ._encoding import PACK_KEYWORDS, Encoding, ending, pack
from ._handle import Handle, Owner
from ._library import check, documented, fill, integer, lib
from ._names import check_keywords, unknown_keyword

if TYPE_CHECKING:
    from typing_extensions import Literal, Unpack

    from ._arrays import Tokens
    from ._encoding import PackOptions
    from .structs import ModelInfo

#: what apply_chat_template takes; all else is a variable of the template, or nothing
CHAT_KEYWORDS = ("conversation", "messages", "tools", "documents", "chat_template", "add_generation_prompt", "continue_final_message", "tokenize",
                 "padding", "padding_side", "truncation", "max_length", "return_tensors", "return_dict", "sanitize_control_tokens",
                 "template_name", "variables", "now")


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
        #: where padding goes, unless a call says so: where generate() needs it
        self.padding_side = "left"
        self.model_max_length = info.max_positions
        self.has_chat_template = bool(info.has_chat_template)
        self._size = -1

    def __repr__(self) -> str:
        chat = "a chat template" if self.has_chat_template else "no chat template"
        return f"<hybridlm.Tokenizer {self.vocab_size} ids, {chat}>"

    def __len__(self) -> int:
        """Tokens that it knows, added ones included. vocab_size is the model's: it may have more rows."""
        if self._size < 0:
            known, unknown = 0, self.vocab_size
            while known < unknown:  # ids are without gaps
                middle = (known + unknown) // 2
                known, unknown = (middle + 1, unknown) if self._knows(middle) else (known, middle)
            self._size = known
        return self._size

    def __bool__(self) -> bool:
        return True

    def _knows(self, token: int) -> bool:
        try:
            self.decode([token])
        except errors.TokenError:
            return False
        return True

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

    # ---- text ----

    @documented("hlm_tokenize")
    def encode(self, text: str, *, add_special_tokens: bool = False, parse_special: bool = False,
               add_special: Optional[bool] = None) -> list[int]:
        """Text to token ids. add_special_tokens adds what the model wants around a text, and parse_special
        reads the special tokens that it spells; neither unless asked for, other than in a call of the
        tokenizer itself. add_special is an older name."""
        if not isinstance(text, str):
            raise TypeError(f"text is {type(text).__name__}, expected str")
        data = text.encode("utf-8")
        adds = add_special_tokens if add_special is None else add_special
        flags = (raw.HLM_TOKENIZE_ADD_SPECIAL if adds else 0) | (raw.HLM_TOKENIZE_PARSE_SPECIAL if parse_special else 0)
        ids: list[int] = self._sized(lib.hlm_tokenize, ctypes.c_int32, len(data) + 8, data, len(data), flags)
        return ids

    def __call__(self, text: Union[str, Sequence[str]], *, add_special_tokens: bool = True, split_special_tokens: bool = False,
                 return_attention_mask: bool = True, **options: Unpack[PackOptions]) -> Encoding:
        """A text or a list of texts as {"input_ids": ..., "attention_mask": ...}, as transformers gives
        them: special tokens are added, and those that the text spells are read (split_special_tokens=True
        splits them like other text: for text of untrusted origin). Lists, or arrays of int64 with
        return_tensors="np", tensors with "pt". padding=True or "max_length" pads, on the left unless
        padding_side says so; truncation=True cuts to max_length."""
        check_keywords("the tokenizer's call", options, ("text", "add_special_tokens", "split_special_tokens", "return_attention_mask",
                                                         *PACK_KEYWORDS))
        batched = isinstance(text, (list, tuple))
        texts: Any = text if batched else [text]
        rows = [self.encode(t, add_special_tokens=add_special_tokens, parse_special=not split_special_tokens) for t in texts]
        if options.get("truncation") and add_special_tokens:
            plain = [self.encode(t, parse_special=not split_special_tokens) for t in texts]
            given = self._pack(rows, batched, options, [ending(row, own) for row, own in zip(rows, plain)])
        else:
            given = self._pack(rows, batched, options)
        if not return_attention_mask:
            del given["attention_mask"]
        return given

    def _pack(self, rows: list[list[int]], batched: bool, options: Any, endings: Sequence[int] = ()) -> Encoding:
        return pack(rows, batched, endings, pad=self.pad_token_id, longest=self.model_max_length, side=self.padding_side, **options)

    @documented("hlm_detokenize")
    def decode(self, tokens: Tokens, skip_special_tokens: bool = False, *, clean_up_tokenization_spaces: Optional[bool] = None,
               skip_special: Optional[bool] = None) -> str:
        """Token ids to text; batch_decode takes several rows. skip_special is an older name."""
        if clean_up_tokenization_spaces:
            raise errors.UnsupportedError("clean_up_tokenization_spaces=True: spaces are never changed here")
        ids, n = c_tokens(token_list(tokens))
        skips = skip_special_tokens if skip_special is None else skip_special
        flags = raw.HLM_DETOKENIZE_SKIP_SPECIAL if skips else 0
        text: bytes = self._sized(lib.hlm_detokenize, ctypes.c_char, 8 * n + 64, ids, n, flags)
        return text.decode("utf-8")

    def batch_decode(self, sequences: Iterable[Tokens], skip_special_tokens: bool = False, *,
                     clean_up_tokenization_spaces: Optional[bool] = None) -> list[str]:
        """A text of each row of token ids."""
        if isinstance(sequences, (str, bytes, Mapping)):
            raise TypeError(f"sequences is {type(sequences).__name__}, expected rows of token ids")
        return [self.decode(row, skip_special_tokens, clean_up_tokenization_spaces=clean_up_tokenization_spaces) for row in sequences]

    @documented("hlm_model_token_ends")
    def ends(self, token: int) -> bool:
        """Whether the token ends an answer."""
        return bool(lib.hlm_model_token_ends(self._handle.pointer, integer(token, "token", -2**31, 2**31 - 1)))

    def stream(self, *, skip_special_tokens: bool = False, skip_special: Optional[bool] = None) -> TextStream:
        """Text of one token after another. skip_special is an older name."""
        return TextStream(self, skip_special_tokens=skip_special_tokens, skip_special=skip_special)

    def _text_of(self, token: Optional[int]) -> Optional[str]:
        return None if token is None else self.decode([token])

    @property
    def bos_token(self) -> Optional[str]:
        return self._text_of(self.bos_token_id)

    @property
    def eos_token(self) -> Optional[str]:
        return self._text_of(self.eos_token_id)

    @property
    def pad_token(self) -> Optional[str]:
        return self._text_of(self.pad_token_id)

    @property
    def unk_token(self) -> Optional[str]:
        return self._text_of(self.unk_token_id)

    # ---- chats ----

    def _template_text(self, params: Any) -> str:
        text: bytes = self._sized(lib.hlm_chat_template_text, ctypes.c_char, 4096, ctypes.byref(params))
        return text.decode("utf-8")

    @property
    @documented("hlm_chat_template_text")
    def chat_template(self) -> Optional[str]:
        """The model's default template, None where it has none and no built-in one fits."""
        try:
            return self._template_text(fill(raw.hlm_chat_params(), "chat", {}))
        except errors.UnsupportedError:
            return None

    def _named(self, chat_template: Optional[str]) -> bool:
        """Whether it is the name of a template, which transformers takes in place of a text."""
        if chat_template is None or not re.fullmatch(r"[\w-]+", chat_template):
            return False
        try:
            self._template_text(fill(raw.hlm_chat_params(), "chat", {"template_name": chat_template}))
        except errors.UnsupportedError:
            return False
        return True

    def _chat_fields(self, tools: Optional[Sequence[Any]], add_generation_prompt: bool, chat_template: Optional[str],
                     template_name: Optional[str], now: int) -> dict[str, Any]:
        if template_name is None and self._named(chat_template):
            template_name, chat_template = chat_template, None
        return {"flags": 0 if add_generation_prompt else raw.HLM_CHAT_NO_GENERATION_PROMPT, "chat_template": chat_template,
                "template_name": template_name, "now": now, "tools_json": tools_json(tools)}

    def _chat_variables(self, fields: dict[str, Any], documents: Optional[Sequence[Any]], variables: Optional[Mapping[str, Any]],
                        extra: dict[str, Any]) -> None:
        """Checks keywords that are no parameters, and adds what becomes a variable to the fields."""
        if extra:
            named = template_variables(self._template_text(fill(raw.hlm_chat_params(), "chat", fields)))
            for name in extra:
                if name in named:
                    continue
                raise unknown_keyword("apply_chat_template()", name, [*CHAT_KEYWORDS, *sorted(named)])
        given = {**({} if documents is None else {"documents": list(documents)}), **(variables or {}), **extra}
        fields["extra_json"] = json.dumps(given) if given else None

    def _chat(self, tokenize: bool, messages: Iterable[Message], fields: dict[str, Any], goes_on: Union[bool, str]) -> Any:
        """One chat, as ids or as text."""
        talk = message_list(messages)
        if goes_on:
            talk, text = open_end(talk, self._template_text(fill(raw.hlm_chat_params(), "chat", fields)), goes_on)
            fields = {**fields, "chat_template": text}
        data, params = messages_json(talk), ctypes.byref(fill(raw.hlm_chat_params(), "chat", fields))
        if tokenize:
            return self._sized(lib.hlm_chat_tokenize, ctypes.c_int32, 512, data, params)
        return self._sized(lib.hlm_chat_render, ctypes.c_char, 4096, data, params).decode("utf-8")

    @overload
    def apply_chat_template(self, conversation: Iterable[Message], tools: Optional[Sequence[Any]] = None,
                            documents: Optional[Sequence[Any]] = None, chat_template: Optional[str] = None,
                            add_generation_prompt: bool = False, continue_final_message: Union[bool, str] = False, *,
                            tokenize: Literal[False], **more: Any) -> str: ...

    @overload
    def apply_chat_template(self, conversation: Iterable[Message], tools: Optional[Sequence[Any]] = None,
                            documents: Optional[Sequence[Any]] = None, chat_template: Optional[str] = None,
                            add_generation_prompt: bool = False, continue_final_message: Union[bool, str] = False, *,
                            return_dict: Literal[True], **more: Any) -> Encoding: ...

    @overload
    def apply_chat_template(self, conversation: Iterable[Message], tools: Optional[Sequence[Any]] = None,
                            documents: Optional[Sequence[Any]] = None, chat_template: Optional[str] = None,
                            add_generation_prompt: bool = False, continue_final_message: Union[bool, str] = False, *,
                            return_tensors: str, **more: Any) -> Any: ...

    @overload
    def apply_chat_template(self, conversation: Iterable[Message], tools: Optional[Sequence[Any]] = None,
                            documents: Optional[Sequence[Any]] = None, chat_template: Optional[str] = None,
                            add_generation_prompt: bool = False, continue_final_message: Union[bool, str] = False,
                            **more: Any) -> list[int]: ...

    @overload
    def apply_chat_template(self, conversation: Sequence[Sequence[Message]], tools: Optional[Sequence[Any]] = None,
                            documents: Optional[Sequence[Any]] = None, chat_template: Optional[str] = None,
                            add_generation_prompt: bool = False, continue_final_message: Union[bool, str] = False,
                            **more: Any) -> Any: ...

    @documented("hlm_chat_tokenize")
    def apply_chat_template(self, conversation: Any = None, tools: Optional[Sequence[Any]] = None,
                            documents: Optional[Sequence[Any]] = None, chat_template: Optional[str] = None, add_generation_prompt: bool = False,
                            continue_final_message: Union[bool, str] = False, tokenize: bool = True,
                            padding: Union[bool, str] = False, truncation: Union[bool, str, None] = None,
                            max_length: Optional[int] = None, return_tensors: Optional[str] = None, return_dict: bool = False, *,
                            padding_side: Optional[str] = None, return_assistant_tokens_mask: bool = False,
                            sanitize_control_tokens: bool = True, tokenizer_kwargs: Optional[Mapping[str, Any]] = None,
                            template_name: Optional[str] = None, variables: Optional[Mapping[str, Any]] = None, now: int = 0,
                            messages: Any = None, **extra: Any) -> Any:
        """A chat as token ids by the model's template; as text with tokenize=False, and as a dictionary
        of input_ids and attention_mask with return_dict=True. A list of chats gives a list. An answer
        is opened only with add_generation_prompt=True; continue_final_message=True leaves the final
        message open instead (a name: that field of it).

        chat_template is a template or the name of one, as template_name. Further keywords become
        variables of the template if its text names them, and are TypeErrors otherwise; `variables`
        has some whatever the template names. messages is another name of conversation. now: seconds since 1970 that strftime_now shows."""
        if (conversation is None) == (messages is None):
            raise TypeError("apply_chat_template() needs one conversation, a list of messages")
        messages = conversation if messages is None else messages
        if return_assistant_tokens_mask:
            raise errors.UnsupportedError("return_assistant_tokens_mask=True: there is no mask of the assistant's tokens")
        if not sanitize_control_tokens:
            raise errors.UnsupportedError("sanitize_control_tokens=False: special tokens come only from what the template itself writes")
        if tokenizer_kwargs:
            raise errors.UnsupportedError(f"tokenizer_kwargs has {', '.join(tokenizer_kwargs)}: give padding, truncation and "
                                          "max_length themselves")
        if continue_final_message and add_generation_prompt:
            raise errors.ArgError("continue_final_message and add_generation_prompt are both there: an answer is continued or opened")
        fields = self._chat_fields(tools, add_generation_prompt, chat_template, template_name, now)
        self._chat_variables(fields, documents, variables, extra)
        batched = is_batch(messages)
        chats = [self._chat(tokenize, chat, fields, continue_final_message) for chat in (messages if batched else [messages])]
        if not tokenize:
            return chats if batched else chats[0]
        given = self._pack(chats, batched, {"padding": padding, "padding_side": padding_side, "truncation": truncation,
                                            "max_length": max_length, "return_tensors": return_tensors})
        return given if return_dict else given["input_ids"]

    def render_chat(self, messages: Iterable[Message], **options: Any) -> str:
        """The same as text: apply_chat_template(messages, tokenize=False)."""
        text: str = self.apply_chat_template(messages, tokenize=False, **options)
        return text


class TextStream(Owner):
    """Text of one token after another; no piece ends inside a character. One call at a time."""

    @documented("hlm_text_stream_new")
    def __init__(self, tokenizer: Tokenizer, *, skip_special_tokens: bool = False, skip_special: Optional[bool] = None):
        out = ctypes.c_void_p()
        model = tokenizer._handle
        self._skips = bool(skip_special_tokens if skip_special is None else skip_special)
        check(lib.hlm_text_stream_new(ctypes.byref(out), model.pointer, raw.HLM_DETOKENIZE_SKIP_SPECIAL if self._skips else 0))
        self._handle = Handle("text stream", out.value, lib.hlm_text_stream_free)
        self._text, self._len = ctypes.c_void_p(), ctypes.c_size_t()
        self._out = ctypes.byref(self._text), ctypes.byref(self._len)

    def _facts(self) -> str:
        return "without special tokens" if self._skips else "with special tokens"

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
