"""Keyword arguments that are not known: named, with what may be meant."""
from __future__ import annotations

import difflib
from typing import Iterable

#: names that other libraries and other calls of this one have for the same
_ALIASES = {
    "max_new_tokens": ("max_tokens",), "max_tokens": ("max_new_tokens",), "n_predict": ("max_tokens", "max_new_tokens"),
    "stop_strings": ("stop",), "stop_string": ("stop", "stop_strings"), "stop": ("stop_strings",), "eos_token_id": ("stop_tokens",), "stop_tokens": ("eos_token_id",),
    "temp": ("temperature",), "repeat_penalty": ("repetition_penalty",), "random_seed": ("seed",), "rng_seed": ("seed",),
    "threads": ("n_threads",), "num_threads": ("n_threads",), "n_ctx": ("max_tokens",), "lora": ("adapter",),
    "add_special": ("add_special_tokens",), "skip_special": ("skip_special_tokens",),
    "system_prompt": ("messages",), "template_kwargs": ("variables",), "chat_template_kwargs": ("variables",),
}


def unknown_keyword(what: str, name: str, known: Iterable[str]) -> TypeError:
    """The exception for a keyword argument that `what` does not have."""
    there = [k for k in known if k not in ("struct_size", "reserved")]
    meant = [a for a in _ALIASES.get(name, ()) if a in there] or difflib.get_close_matches(name, there, 1)
    hint = f"; did you mean '{meant[0]}'?" if meant else ""
    return TypeError(f"{what} got an unexpected keyword argument '{name}'{hint}")


def check_keywords(what: str, given: Iterable[str], known: Iterable[str]) -> None:
    """TypeError for the first name that is not known."""
    there = list(known)
    for name in given:
        if name not in there:
            raise unknown_keyword(what, name, there)
