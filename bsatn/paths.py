"""Where inside a value something is: field names and array indexes, outermost first, written as Python would reach it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

__all__ = ["Path", "format_path"]

Path: TypeAlias = Iterable[str | int]


SHOWN = 24  #: steps of a path that are worth reading; of a longer one, half from each end


def format_path(path: Path) -> str:
    """`("sections", 1, "tables")` becomes `sections[1].tables`; names that are no identifiers are quoted."""
    steps = tuple(path)
    if len(steps) > SHOWN:
        left_out = len(steps) - SHOWN
        return f"{format_path(steps[: SHOWN // 2])} ...({left_out} more)... {format_path(steps[-SHOWN // 2 :])}"
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step.isidentifier() or step.isdigit():
            text += f".{step}" if text else step
        else:
            text += f"[{step!r}]"
    return text
