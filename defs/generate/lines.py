"""Lines of Python in the form that formatters leave alone: what is too long for one line has an item a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

__all__ = ["WIDTH", "imported", "spread", "text_literal"]

WIDTH = 88  #: characters of a line, where it can be helped


def spread(before: str, items: Sequence[str], after: str) -> list[str]:
    """`before` ends in an opening bracket, `after` begins with the closing one."""
    line = before + ", ".join(items) + after
    if len(line) <= WIDTH:
        return [line]
    indent = before[: len(before) - len(before.lstrip())]
    return [before, *(f"{indent}    {item}," for item in items), indent + after]


def imported(module: str, names: Iterable[str]) -> list[str]:
    """An import of names, sorted as import sorters do: constants, classes, the rest."""
    ordered = sorted(names, key=_import_order)
    if not ordered:
        return []
    line = f"from {module} import {', '.join(ordered)}"
    return [line] if len(line) <= WIDTH else [f"from {module} import (", *(f"    {name}," for name in ordered), ")"]


def _import_order(name: str) -> tuple[object, ...]:
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return rank, [(int(digits), "") if digits else (-1, text) for digits, text in re.findall(r"(\d+)|(\D+)", name)]


def text_literal(text: str) -> str:
    """A string in double quotes, readable where it can be shown."""
    shown = "".join(f"\\{char}" if char in '"\\' else char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return f'"{shown}"'
