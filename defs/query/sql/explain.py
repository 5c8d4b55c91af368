"""Plans as data and as a tree to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from defs.query.sql.plan import (
    And,
    Column,
    Compare,
    Constant,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexScan,
    Or,
    Parameter,
    Plan,
    PlanNode,
    TableScan,
    children,
    side_of,
)
from defs.schema.table import TableSchema

__all__ = ["plan_to_json", "to_tree"]

_MAX_CONDITION = 160  #: characters of a condition shown


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON: `op` (table-scan, index-scan, filter, index-join), and what belongs to each."""
    return _node_to_json(plan.root, joined=len(plan.tables) > 1)


def _node_to_json(node: PlanNode, joined: bool) -> dict[str, Any]:
    match node:
        case TableScan():
            return {"op": "table-scan", "table": node.table.table_name, "side": side_of(node.slot) if joined else None}
        case IndexScan():
            scan = {"op": "index-scan", "table": node.table.table_name, "side": side_of(node.slot) if joined else None}
            return {**scan, "index": _column_names(node.table, node.positions), "point": True}
        case Filter():
            return {"op": "filter", "input": _node_to_json(node.input, joined)}
        case IndexJoin():
            return {
                "op": "index-join",
                "outer": _node_to_json(node.outer, joined),
                "lookup": node.table.table_name,
                "lookup_side": side_of(node.slot),
                "index": _column_names(node.table, node.positions),
                "unique": node.unique,
                "returns": node.returns,
            }
        case HashJoin():
            return {
                "op": "hash-join",
                "left": _node_to_json(node.left, joined),
                "right": _node_to_json(node.right, joined),
                "returns": node.returns,
            }
    return {"op": "cross-join", "left": _node_to_json(node.left, joined), "right": _node_to_json(node.right, joined)}


def _column_names(table: TableSchema, positions: tuple[int, ...]) -> list[str]:
    return [table.columns[position].col_name for position in positions]


def to_tree(plan: Plan) -> str:
    """The plan drawn as a tree, what is done last on top."""
    return "\n".join(_lines(plan, plan.root, "", ""))


def _lines(plan: Plan, node: PlanNode, first: str, rest: str) -> Iterator[str]:
    yield first + _words(plan, node)
    below = children(node)
    for index, child in enumerate(below):
        last = index == len(below) - 1
        yield from _lines(plan, child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def _words(plan: Plan, node: PlanNode) -> str:
    match node:
        case TableScan():
            return f"scan {_called(plan, node.slot)}"
        case IndexScan():
            return f"scan {_called(plan, node.slot)} by index {node.index}: {_equalities(plan, node)}"
        case Filter():
            text = condition_to_text(plan, node.condition)
            return f"filter {text if len(text) <= _MAX_CONDITION else text[: _MAX_CONDITION - 1] + '…'}"
        case IndexJoin():
            kept = {"outer": "keep the rows below", "lookup": "keep the rows found", "both": "keep both"}[node.returns]
            one = ", at most one" if node.unique else ""
            return f"look up {_called(plan, node.slot)} by index {node.index}: {_equalities(plan, node)}{one}; {kept}"
        case HashJoin():
            pair = f"{_operand(plan, node.left_column)} = {_operand(plan, node.right_column)}"
            return f"join without an index on {pair}"
    return "join all rows with all"


def _called(plan: Plan, slot: int) -> str:
    name, alias = plan.tables[slot].table_name, plan.aliases[slot]
    return name if name == alias else f"{name} as {alias}"


def _equalities(plan: Plan, node: IndexScan | IndexJoin) -> str:
    names = _column_names(node.table, node.positions)
    return " and ".join(f"{name} = {_operand(plan, value)}" for name, value in zip(names, node.key, strict=True))


def condition_to_text(plan: Plan, condition: Expression) -> str:
    """A condition, close to SQL, with columns by the names of the query's tables."""
    match condition:
        case And(terms):
            return " AND ".join(
                f"({condition_to_text(plan, t)})" if isinstance(t, Or) else condition_to_text(plan, t) for t in terms
            )
        case Or(terms):
            return " OR ".join(condition_to_text(plan, term) for term in terms)
        case Compare(op, left, right):
            return f"{_operand(plan, left)} {op} {_operand(plan, right)}"
    return _operand(plan, condition)


def _operand(plan: Plan, operand: Expression) -> str:
    match operand:
        case Column():
            return f"{plan.aliases[operand.slot]}.{operand.name}" if len(plan.tables) > 1 else operand.name
        case Constant(bool() as value):
            return str(value).upper()
        case Constant(value):
            return repr(value)
        case Parameter("sender"):
            return ":sender"
        case Parameter():
            return "the view's arguments"
    return f"({condition_to_text(plan, operand)})"
