"""What a check found, in words and as JSON: for people at a terminal, and for the programs they write."""

from __future__ import annotations

from typing import Any

from defs.query.sql.advice import why_looked_up
from defs.query.sql.checking import Subscription
from defs.query.sql.errors import SqlError
from defs.query.sql.explain import plan_to_json, to_tree

__all__ = ["accepted", "accepted_to_json", "place", "refused", "refused_to_json"]

_BEFORE, _AFTER = 60, 40  #: characters of a long line shown around the fault
_SHORT = 160  #: characters of a line that is shown whole


def accepted(found: Subscription, *, explain: bool = False) -> str:
    """That a query is accepted, what it returns, and which side of a join is looked up; with `explain` the plan as a tree."""
    lines = [f"accepted: {_returns(found)}"]
    if (join := found.join) is not None:
        plan = found.plans[0]
        columns = ", ".join(join.table.columns[position].col_name for position in join.positions)
        lines.append(f"  looks up {found.lookup} ({found.lookup_side} of JOIN) by its index on {columns}")
        lines.append(f"  because {why_looked_up(plan, join.slot)}")
        if plan.returned_slot != join.slot and any(table.is_event for table in plan.tables) and not found.is_event:
            lines.append(f"  each event adds its row of {found.returns}, and nothing ever takes it away")
    if found.plans and explain:
        for plan in found.plans:
            lines += [f"  {line}" for line in (to_tree(plan)).split("\n")]
    return "\n".join(lines)


def _returns(found: Subscription) -> str:
    if found.all_tables:
        names = [plan.returned.table_name for plan in found.plans]
        return f"returns every table but event tables: {', '.join(names) or 'there are none'}"
    name = found.plans[0].returned.table_name
    if found.protocol == "oneoff":
        return f"returns rows of {name}" + (", of which an event table has none" if found.is_event else "")
    return f"returns {name}, an event table: rows come once, and are not kept" if found.is_event else f"returns rows of {name}"


def accepted_to_json(found: Subscription, *, explain: bool = False) -> dict[str, Any]:
    """`verdict`, `returns`, `is_event`, `lookup`, `lookup_side`; with `explain` also `plans`."""
    reply: dict[str, Any] = {"verdict": "ok", "returns": found.returns, "is_event": found.is_event}
    reply |= {"lookup": found.lookup, "lookup_side": found.lookup_side}
    return reply | ({"plans": [plan_to_json(plan) for plan in found.plans]} if explain else {})


def refused(error: SqlError, sql: str) -> str:
    """Why a query is refused: the server's message, where in the text, and what to do."""
    lines = [f"refused ({error.stage}): {_printable(error.message)}"]
    if error.position is not None:
        lines += [f"  {line}" for line in place(sql, error.position)]
    if error.hint:
        lines.append(f"  hint: {_printable(error.hint)}")
    return "\n".join(lines)


def refused_to_json(error: SqlError) -> dict[str, Any]:
    """`verdict`, `stage`, `message`, `position` (characters, or null), `hint`."""
    where = {"position": error.position, "hint": error.hint}
    return {"verdict": "error", "stage": error.stage, "message": error.message, **where}


def place(sql: str, position: int) -> tuple[str, str]:
    """The line of a text that a position is in, shortened around it, and a caret below."""
    start = sql.rfind("\n", 0, position) + 1
    end = sql.find("\n", position)
    line, column = sql[start : len(sql) if end < 0 else end], position - start
    prefix, suffix = "", ""
    if len(line) > _SHORT:
        first, last = max(column - _BEFORE, 0), column + _AFTER
        prefix, suffix = "…" if first else "", "…" if last < len(line) else ""
        line, column = line[first:last], column - first
    before, after = prefix + _printable(line[:column]), _printable(line[column:]) + suffix
    return before + after, " " * len(before) + "^"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
