"""Where inside a value something is: field names and array indexes, outermost first, written as Python would reach it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Path", "format_path"]

Path: TypeAlias = Iterable[str | int]


def format_path(path: Path) -> str:
    """`("sections", 1, "tables")` becomes `sections[1].tables`; names that are no identifiers are quoted."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() or step.isdigit():
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text
