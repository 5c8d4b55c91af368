"""Names in generated Python: a module's where Python has them free, changed as little as possible where not.

A name that is taken, a keyword or used by the generated code itself gets an underscore. Python reads identifiers in Unicode's
normal form KC, so names are first brought to it.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

import bsatn

__all__ = ["Names", "is_plain", "pascal"]

#: What generated code imports or means by itself: no attribute may hide these.
USED = frozenset(
    (
        *keyword.kwlist, *bsatn.__all__, "Annotated", "Call", "Column", "EventTable", "IS_EVENT", "IndexedColumn", "Never",
        "ProcedureCall", "ReducerCall", "Table", "TypeAlias", "View", "annotations", "bool", "bytes", "enum", "float", "int",
        "kinds", "list", "str",
    )
)  # fmt: skip
_GLOBAL = USED.union(vars(builtins))


class Names:
    """The names of one scope: of the file, or of a class when `hidden` are the names of the file that it may not hide."""

    def __init__(self, hidden: Iterable[str] | None = None) -> None:
        self._taken = set(_GLOBAL) if hidden is None else {*USED, *hidden}

    def give(self, wanted: str, fallback: str = "x") -> str:
        """A name that nothing else in the scope has."""
        name = _identifier(wanted, fallback)
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name


def _identifier(wanted: str, fallback: str) -> str:
    """The nearest name Python takes; two leading underscores would be mangled in a class, or mean something."""
    name = unicodedata.normalize("NFKC", wanted)
    if not name.isidentifier():
        name = re.sub(r"\W", "_", name)
        name = name if name.isidentifier() else f"{fallback}_{name}"
        name = name if name.isidentifier() else fallback
    return f"{fallback}{name}" if name.startswith("__") else name


def is_plain(name: str) -> bool:
    """Whether Python takes the name as it is, once a keyword has its underscore."""
    return name.isidentifier() and unicodedata.normalize("NFKC", name) == name


def pascal(*parts: str) -> str:
    """Names of a path in one: `lib`, `top_players` as `LibTopPlayers`."""
    words = [word for part in parts for word in part.split("_") if word]
    return "".join(word[:1].upper() + word[1:] for word in words)
