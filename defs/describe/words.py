"""Words from a definition, made safe to show and short enough to repeat.

A name in a definition may be anything: a megabyte long and repeated by four-byte references, or an escape sequence that
moves the reader's cursor. `clip` bounds what is repeated, `visible` writes invisible characters as escapes, `quoted` is a
string literal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

__all__ = ["MAX_LIST", "MAX_NAME", "clip", "clip_list", "joined", "quoted", "visible"]

#: Characters of a name, and of a list of names, that descriptions show.
MAX_NAME = 256
MAX_LIST = 1024

#: Controls, format characters (they reorder text), separators of lines, lone surrogates, private and unassigned ones.
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})
_SHORT = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_PLAIN = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u024f…]*")


def clip(text: str, limit: int = MAX_NAME) -> str:
    """The text, or its beginning and an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clip_list(names: Iterable[str], count: int) -> tuple[str, ...]:
    """The names, or the first of the `count` there are and how many are left out."""
    kept: list[str] = []
    size = 0
    for name in islice(names, MAX_LIST):
        size += len(name) + 2
        if size > MAX_LIST:
            break
        kept.append(name)
    return (*kept, f"… {count - len(kept)} more") if len(kept) < count else tuple(kept)


def joined(names: Iterable[str], separator: str = "_") -> str:
    """The names in one word, no more of them than fit."""
    return clip(separator.join(islice(names, MAX_NAME)))


def visible(text: str, keep: str = "") -> str:
    """The text with every character that shows nothing, or moves what is shown, written as an escape."""
    if _PLAIN.fullmatch(text):
        return text
    return "".join(c if c in keep or not _is_invisible(c) else _escape(c) for c in text)


def quoted(text: str) -> str:
    """The text as a string literal, as the reference prints one: quotes, backslashes and invisible characters escaped."""
    return '"' + visible(text.replace("\\", "\\\\").replace('"', '\\"')) + '"'


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE


def _escape(character: str) -> str:
    return _SHORT.get(character) or f"\\u{{{ord(character):x}}}"
