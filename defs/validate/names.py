"""Names: what an Identifier is, how a name changes case, what a generated name looks like. (spec: validation 2.1-2.3)

Splitting a name into words looks only at the *shape* of each grapheme cluster: upper, lower, digit, separator or
other. So a name is first turned into its shape, one ASCII character a cluster (`A`, `a`, `0`, `_`, `.`), and one
pattern finds the words in that. An ASCII name is a shape already, which makes the common case a single `findall`;
only a name beyond ASCII loads `regex`, for its clusters (`\\X`).

Whose Unicode decides: clusters, XID_Start and XID_Continue come from `regex`, so the version of that package fixes
them, not Python's; the range below carries Unicode 17, whose XID properties equal those of the server's lock file on
every code point. (Python 3.11 and 3.12 alone would refuse U+200C, U+200D, U+30FB and U+FF65 after the first
character.) Unicode 18 lets a virama join any letter to the consonant after it (GB9c): with it `a्कB` has other words
than upstream's. NFC and letter case come from Python: letters and compositions newer than
`unicodedata.unidata_version` stay as they are, as do U+019B, U+0264, U+A7D3 and U+A7D5, which got capitals late.
"""

from __future__ import annotations

import functools
import importlib
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

from bsatn.frozen import frozen

__all__ = [
    "IdentifierFault",
    "IdentifierFaultKind",
    "camel",
    "generated_index_name",
    "generated_key_name",
    "generated_schedule_name",
    "generated_sequence_name",
    "identifier_fault",
    "pascal",
    "snake",
]

#: What to install for names beyond ASCII: the releases of `regex` that carry Unicode 17.
REGEX_REQUIREMENT = "regex>=2025.11.3,<2026.9.29"

# Identifiers ------------------------------------------------------------------------------------------------

#: Upstream's names. Its list of reserved words is empty in every release, so `Reserved` is never found.
IdentifierFaultKind: TypeAlias = Literal["Empty", "NotCanonicalized", "InvalidStart", "InvalidContinue", "Reserved"]


@frozen
class IdentifierFault:
    """Why `name` is not an Identifier; `char` is the offending one of InvalidStart and InvalidContinue."""

    kind: IdentifierFaultKind
    name: str
    char: str | None = None


class _Alphabet(NamedTuple):
    """How to look for faults: does a name begin well, and where is the first character that may not follow?"""

    start: Callable[[str], re.Match[str] | None]
    stray: Callable[[str, int], re.Match[str] | None]


def identifier_fault(name: str) -> IdentifierFault | None:
    """The first check that `name` fails to be an Identifier, or None if it is one. (spec: validation 2.1)"""
    if name.isidentifier() and unicodedata.is_normalized("NFC", name):
        return None  # Python's XID properties are a subset of upstream's, so its yes is final; its no is not
    if not name:
        return IdentifierFault("Empty", name)
    if not unicodedata.is_normalized("NFC", name):
        return IdentifierFault("NotCanonicalized", name)
    alphabet = _ASCII_ALPHABET if name.isascii() else _unicode().alphabet
    if not alphabet.start(name):
        return IdentifierFault("InvalidStart", name, name[0])
    stray = alphabet.stray(name, 1)
    return IdentifierFault("InvalidContinue", name, stray[0]) if stray else None


_ASCII_ALPHABET = _Alphabet(re.compile(r"[A-Za-z_]").match, re.compile(r"[^A-Za-z0-9_]").search)

# Words ------------------------------------------------------------------------------------------------------

_SEPARATORS = frozenset("_- ")
_OTHER = r"[^A-Za-z0-9_\- ]"
#: What no boundary runs through: an acronym gives its last capital to the lower case after it.
_RUN = r"(?:[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+)"
#: Runs with other graphemes between them are one word; at least one grapheme, no separators. The possessive
#: quantifiers keep the time linear.
_WORD = re.compile(rf"(?=[^_\- ]){_OTHER}*+(?:{_RUN}(?:{_OTHER}++{_RUN})*+{_OTHER}*+)?")


def _shape(grapheme: str) -> str:
    """One ASCII character that splits like `grapheme`."""
    lower, upper = grapheme.lower(), grapheme.upper()
    if lower == upper:
        return grapheme if grapheme.isascii() and len(grapheme) == 1 else "."
    return "A" if grapheme == upper else "a" if grapheme == lower else "."


def _words(name: str) -> list[str]:
    """The words of `name`, none of them empty, separators gone. (spec: validation 2.2)"""
    if name.isascii():
        return _WORD.findall(name)
    graphemes = _unicode().graphemes(name)
    shapes = "".join(map(_shape, graphemes))
    return ["".join(graphemes[word.start() : word.end()]) for word in _WORD.finditer(shapes)]


def _capital(word: str) -> str:
    """The first *character* in upper case, which may be several, and the rest in lower case on its own."""
    return word[0].upper() + word[1:].lower()


# Cases ------------------------------------------------------------------------------------------------------

#: Definitions repeat their names. Long ones are converted anew, so hostile input cannot fill the memory.
_CACHED_NAMES = 16384
_CACHED_LENGTH = 64


def _cached(convert: Callable[[str], str]) -> Callable[[str], str]:
    remembered = functools.lru_cache(_CACHED_NAMES)(convert)

    @functools.wraps(convert)
    def converted(name: str) -> str:
        return remembered(name) if len(name) <= _CACHED_LENGTH else convert(name)

    return converted


@_cached
def snake(name: str) -> str:
    """`HTTP2Server` as `http_2_server`."""
    return "_".join([word.lower() for word in _words(name)])


@_cached
def camel(name: str) -> str:
    """`HTTP2Server` as `http2Server`."""
    words = _words(name)
    return "".join([word.lower() for word in words[:1]] + [_capital(word) for word in words[1:]])


@_cached
def pascal(name: str) -> str:
    """`HTTP2Server` as `Http2Server`."""
    return "".join([_capital(word) for word in _words(name)])


# Beyond ASCII -----------------------------------------------------------------------------------------------


class _Unicode(NamedTuple):
    alphabet: _Alphabet
    graphemes: Callable[[str], list[str]]


@functools.cache
def _unicode() -> _Unicode:
    """`regex`, loaded when the first name needs it."""
    try:
        regex: Any = importlib.import_module("regex")
    except ImportError as error:
        wanted = f"names beyond ASCII need the package regex: pip install '{REGEX_REQUIREMENT}'"
        raise ImportError(wanted, name="regex") from error
    alphabet = _Alphabet(regex.compile(r"[\p{XID_Start}_]").match, regex.compile(r"\P{XID_Continue}").search)
    return _Unicode(alphabet, regex.compile(r"\X").findall)


# Generated names (spec: validation 2.3) ---------------------------------------------------------------------


def generated_index_name(table: str, columns: Iterable[str], algorithm: str) -> str:
    """`table` is the canonical name, `columns` the columns' in the order of the index; `btree`, `hash` or `direct`."""
    return f"{_with_columns(table, columns)}_idx_{algorithm}"


def generated_key_name(table: str, columns: Iterable[str]) -> str:
    """The name of a unique constraint."""
    return f"{_with_columns(table, columns)}_key"


def generated_sequence_name(table: str, column: str) -> str:
    return f"{_with_columns(table, [column])}_seq"


def generated_schedule_name(table: str) -> str:
    return f"{table}_sched"


def _with_columns(table: str, columns: Iterable[str]) -> str:
    return f"{table}_{'_'.join(columns)}"
