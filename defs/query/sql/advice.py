"""What to do about a join that the server refuses: which index to add, or which way round to write it."""

from __future__ import annotations

from dataclasses import replace

from defs.query.sql.errors import SqlError
from defs.query.sql.optimize import optimize
from defs.query.sql.plan import (
    And,
    Column,
    Compare,
    Constant,
    CrossJoin,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    Parameter,
    Plan,
    PlanNode,
    TableScan,
    nodes_of,
    side_of,
)
from defs.query.sql.typed import Typed

__all__ = ["event_lookup_hint", "index_hint", "same_side_hint", "why_looked_up"]


def index_hint(plan: Plan, join: HashJoin | CrossJoin) -> str:
    """Which column to index, or else that ON is missing, or that the tables may change places."""
    if isinstance(join, CrossJoin):
        return "say what to join by: ON one column = another, one of them indexed"
    slot, column = join.right_column.slot, join.right_column
    table = next((node.table for node in nodes_of(join.right) if isinstance(node, TableScan)), plan.tables[slot])
    name = table.columns[column.position].col_name
    why = why_looked_up(plan, slot)
    if table.is_event:
        return _event_advice(plan, slot)
    advice = f"add an index on column `{name}` of table `{table.table_name}`, which is the one looked up: {why}"
    return advice + (f"; or {other}" if (other := _swap_advice(plan)) else "")


def event_lookup_hint(plan: Plan, join: IndexJoin) -> str:
    """How to look up the other table instead."""
    return _event_advice(plan, join.slot)


def _event_advice(plan: Plan, slot: int) -> str:
    table = plan.tables[slot]
    why = f"`{table.table_name}` is looked up, and event tables keep no rows to look up: {why_looked_up(plan, slot)}"
    if len(plan.tables) != 2:
        return why
    other = plan.tables[1 - slot]
    if other.is_event:
        return f"{why}; two event tables cannot be joined"
    instead = f"look up `{other.table_name}` instead: it needs an index on its joined column, and must be the right of JOIN"
    return f"{why}; {_swap_advice(plan) or instead}"


def same_side_hint(typed: Typed) -> str:
    """ON must say how the tables belong together."""
    if len(typed.aliases) < 2:
        return ""
    return f"ON must compare a column of `{typed.aliases[0]}` with one of `{typed.aliases[1]}`"


def why_looked_up(plan: Plan, slot: int) -> str:
    """Why the server looks up this side of a join of two tables, and not the other one."""
    if len(plan.tables) != 2:
        return "tables are joined from left to right"
    here, there = plan.aliases[slot], plan.aliases[1 - slot]
    if side_of(slot) == "left" and plan.tables[1 - slot].view_info is not None:
        return f"`{there}` is a view, of which the server first reads the rows of one call"
    if side_of(slot) == "right":
        return (
            f"it is on the right of JOIN, and `{there}` on the left is filtered too"
            if _filtered(plan, slot)
            else "it is on the right of JOIN"
        )
    return f"only `{there}` is compared with a constant, so the server begins with `{there}`, not with `{here}`"


def _filtered(plan: Plan, slot: int) -> bool:
    """Whether a term of WHERE compares a column of the slot with a constant."""
    condition = plan.logical.condition if isinstance(plan.logical, Filter) else None
    terms: tuple[Expression, ...] = condition.terms if isinstance(condition, And) else () if condition is None else (condition,)
    return any(
        isinstance(term, Compare)
        and isinstance(term.left, Column)
        and term.left.slot == slot
        and isinstance(term.right, Constant | Parameter)
        for term in terms
    )


def _swap_advice(plan: Plan) -> str:
    """That the query is accepted with its two tables the other way round, or nothing."""
    swapped = _swap(plan.logical)
    if swapped is None or len(plan.tables) != 2:
        return ""
    try:
        root = optimize(swapped, [plan.returned_slot])
    except SqlError:
        return ""
    nodes = list(nodes_of(root))
    if any(isinstance(node, HashJoin) or (isinstance(node, IndexJoin) and node.table.is_event) for node in nodes):
        return ""
    return f"swap the tables around JOIN: FROM {_written(plan, 1)} JOIN {_written(plan, 0)}"


def _written(plan: Plan, slot: int) -> str:
    name, alias = plan.tables[slot].table_name, plan.aliases[slot]
    return name if name == alias else f"{name} AS {alias}" if plan.tables[slot].alias != alias else alias


def _swap(node: PlanNode) -> PlanNode | None:
    if isinstance(node, Filter):
        below = _swap(node.input)
        return None if below is None else replace(node, input=below)
    if isinstance(node, HashJoin):
        return replace(node, left=node.right, right=node.left, left_column=node.right_column, right_column=node.left_column)
    return None
