"""Chats as a template sees them: its variables, tools, and messages that are to be continued."""
from __future__ import annotations

import json
import re
import secrets
from typing import Any, Iterable, Mapping, Optional, Sequence, Union

from . import errors
from ._library import c_string

#: {"role": "user", "content": "..."}, and whatever else the template knows
Message = Mapping[str, Any]

#: names for what an assistant thinks before it answers
_THOUGHTS = ("reasoning_content", "thinking", "reasoning")
_TAGS = re.compile(r"\{#.*?#\}|\{[{%](.*?)[%}]\}", re.DOTALL)
_STRINGS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
_NAMES = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
#: words of the language, and what the library gives to every template
_NO_VARIABLES = frozenset("""and block break call continue elif else endblock endcall endfilter endfor endgeneration endif endmacro
    endset false filter for generation if import in include is loop macro messages namespace none not or raise_exception range recursive
    set strftime_now tools true add_generation_prompt False None True cycler dict joiner lipsum""".split())


def template_variables(text: str) -> set[str]:
    """Names that a template reads or sets, and so may be given to it."""
    names: set[str] = set()
    for tag in _TAGS.finditer(text):
        names.update(_NAMES.findall(_STRINGS.sub(" ", tag[1] or "")))
    return names - _NO_VARIABLES


def is_batch(messages: Any) -> bool:
    return isinstance(messages, (list, tuple)) and bool(messages) and isinstance(messages[0], (list, tuple))


def _message(given: Message) -> dict[str, Any]:
    """A message as templates of transformers see it: without members that are None, as clients of
    servers have them, and with what was thought under all names that templates have for it."""
    message = {key: value for key, value in dict(given).items() if value is not None}
    thought = next((message[name] for name in _THOUGHTS if name in message), None)
    return message if thought is None else {"thinking": thought, **message, "reasoning_content": thought}


def message_list(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Messages as dicts of their own."""
    if isinstance(messages, (str, bytes, Mapping)):
        raise TypeError(f"messages is {type(messages).__name__}, expected a list of dicts")
    return [_message(m) for m in messages]


def messages_json(messages: list[dict[str, Any]]) -> bytes:
    return c_string(json.dumps(messages), "messages")


def tools_json(tools: Optional[Sequence[Any]]) -> Optional[str]:
    """Tools as JSON. Functions are no schemas here."""
    if tools is None:
        return None
    if isinstance(tools, (str, bytes, Mapping)):
        raise TypeError(f"tools is {type(tools).__name__}, expected a list of JSON schemas")
    for i, tool in enumerate(tools):
        if callable(tool):
            raise TypeError(f"tools[{i}] is a {type(tool).__name__}, expected its JSON schema as a dict (transformers.utils.get_json_schema makes one)")
    return json.dumps(list(tools))


def _tagged(message: dict[str, Any], field: str, tag: str) -> dict[str, Any]:
    """The message with the tag at the end of a field's text, or of its last part that is text."""
    value = message.get(field)
    if isinstance(value, str):
        copies = [name for name in _THOUGHTS if message.get(name) == value] if field in _THOUGHTS else []
        return {**message, **{name: value + tag for name in (field, *copies)}}
    parts = [dict(p) for p in value] if isinstance(value, (list, tuple)) and all(isinstance(p, Mapping) for p in value) else []
    for part in reversed(parts):
        if isinstance(part.get("text"), str):
            part["text"] += tag
            return {**message, field: parts}
    raise errors.ArgError(f"continue_final_message: the final message has no text in {field!r}")


def open_end(messages: list[dict[str, Any]], template: str, field: Union[bool, str]) -> tuple[list[dict[str, Any]], str]:
    """Messages and a template that together give the text up to the end of the final
    message. A tag is put there, and the template's whole text cut before it: by the template
    itself, so that its markers stay the only ones that are special tokens."""
    if not messages:
        raise errors.ArgError("continue_final_message: there is no message")
    name = field if isinstance(field, str) else "content"
    tag = f"end-of-text-{secrets.token_hex(8)}"
    tagged = [*messages[:-1], _tagged(messages[-1], name, tag + " ")]
    # The line's end behind the first tag is trimmed; what is behind the template is cut off.
    cut = (f"{{% set hlm_text %}}\n{template}{{% endset %}}{{% set hlm_parts = hlm_text.rsplit('{tag}', 1) %}}"
           "{% if hlm_parts|length < 2 %}{{ raise_exception('continue_final_message: the template does not show the final message\\'s "
           + re.sub(r"[^\w-]", "?", name) + "') }}{% endif %}"
           "{% set hlm_begin = hlm_parts[0] if hlm_parts[1][:1] == ' ' else hlm_parts[0].rstrip() %}"
           f"{{{{ hlm_begin.replace('{tag} ', '').replace('{tag}', '') }}}}")  # of templates that show the text twice
    return tagged, cut
