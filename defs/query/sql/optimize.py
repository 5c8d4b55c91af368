"""From a plan as written to the one that the server runs: rules applied in its order, each until it no longer fits.

Conditions that compare a column with a constant move down to their table's scan. A join whose left side is a bare scan and
whose right side is not changes sides. A join becomes an index join if the right side has an index that ends in the joined
column, its other columns fixed by constants. A filtered scan becomes an index scan if an index is fixed whole. Then every join
keeps only the rows somebody needs. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from defs.query.sql.errors import SqlError
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
    IndexScan,
    Parameter,
    PlanNode,
    Returns,
    TableScan,
    children,
    columns_of,
    nodes_of,
)
from defs.schema.table import TableSchema

__all__ = ["in_order", "is_unique", "optimize", "slots_below", "slots_of", "with_children"]

#: How many columns an index may have to be scanned at a point.
_MAX_INDEX_COLUMNS = 3

_Rule = Callable[[PlanNode], PlanNode | None]


def optimize(node: PlanNode, needed: Sequence[int]) -> PlanNode:
    """The plan that the server runs, given the slots whose rows are returned. Raises SqlError when a column is out of reach."""
    node = _map(node, _own_sides)
    for rule in (
        _push_terms,
        _push_condition,
        _delta_first,
        _filtered_first,
        _use_index_to_join,
        _use_index_to_scan,
        _mark_unique,
    ):
        node = _everywhere(node, rule)
    node = _keep(node, list(needed))
    _check_reach(node)
    return node


# Rules ------------------------------------------------------------------------------------------------------


def _everywhere(node: PlanNode, rule: _Rule) -> PlanNode:
    """Apply a rule to the topmost node that it fits, again and again."""
    while (changed := _once(node, rule)) is not None:
        node = changed
    return node


def _once(node: PlanNode, rule: _Rule) -> PlanNode | None:
    if (changed := rule(node)) is not None:
        return changed
    below = children(node)
    for index, child in enumerate(below):
        if (changed := _once(child, rule)) is not None:
            return with_children(node, [*below[:index], changed, *below[index + 1 :]])
    return None


def _map(node: PlanNode, change: Callable[[PlanNode], PlanNode]) -> PlanNode:
    node = change(node)
    return with_children(node, [_map(child, change) for child in children(node)])


def with_children(node: PlanNode, below: Sequence[PlanNode]) -> PlanNode:
    """The node with others directly below."""
    match node:
        case Filter():
            return replace(node, input=below[0])
        case IndexJoin():
            return replace(node, outer=below[0])
        case HashJoin() | CrossJoin():
            return replace(node, left=below[0], right=below[1])
    return node


def in_order(node: PlanNode) -> PlanNode:
    """The plan with each join's columns on the sides of their tables; a join with both columns on one side is left as it is."""

    def turn(join: PlanNode) -> PlanNode:
        if not isinstance(join, HashJoin) or join.right_column.slot not in slots_below(join.left):
            return join
        return _own_sides(join) if join.left_column.slot in slots_below(join.right) else join

    return _map(node, turn)


def _own_sides(node: PlanNode) -> PlanNode:
    """ON may name the columns in either order."""
    if isinstance(node, HashJoin):
        left, right = node.left_column, node.right_column
        if left.slot in slots_below(node.right) or right.slot in slots_below(node.left):
            return replace(node, left_column=right, right_column=left)
    return node


def _push_terms(node: PlanNode) -> PlanNode | None:
    """The terms of an AND that are about one table by itself move to its scan, all at once."""
    if not isinstance(node, Filter) or not isinstance(node.condition, And) or _is_settled(node.input):
        return None
    scanned = {one.slot for one in nodes_of(node.input) if isinstance(one, TableScan)}
    first = next((slot for term in node.condition.terms if (slot := _pushable(term)) is not None), None)
    if first is None or first not in scanned:
        return None
    moved = [term for term in node.condition.terms if _pushable(term) == first]
    kept = [term for term in node.condition.terms if _pushable(term) != first]
    below = _above_scan(node.input, first, _all_of(moved))
    return Filter(below, _all_of(kept)) if kept else below


def _push_condition(node: PlanNode) -> PlanNode | None:
    """A single comparison with a constant moves to its table's scan."""
    if not isinstance(node, Filter) or _is_settled(node.input) or (slot := _pushable(node.condition)) is None:
        return None
    if not any(isinstance(one, TableScan) and one.slot == slot for one in nodes_of(node.input)):
        return None
    return _above_scan(node.input, slot, node.condition)


def _pushable(term: Expression) -> int | None:
    """The slot that a comparison of a column with a constant is about; None for any other condition."""
    match term:
        case Compare(_, Column(slot), Constant() | Parameter()):
            return slot
    return None


def _is_settled(node: PlanNode) -> bool:
    """Whether filters and a scan are all there is."""
    return all(isinstance(one, TableScan | Filter) for one in nodes_of(node))


def _above_scan(node: PlanNode, slot: int, condition: Expression) -> PlanNode:
    if isinstance(node, TableScan) and node.slot == slot:
        return Filter(node, condition)
    return with_children(node, [_above_scan(child, slot, condition) for child in children(node)])


def _all_of(terms: Sequence[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else And(tuple(terms))


def _swapped(join: HashJoin) -> HashJoin:
    return replace(join, left=join.right, right=join.left, left_column=join.right_column, right_column=join.left_column)


def _delta_first(node: PlanNode) -> PlanNode | None:
    """What a transaction changed goes left, whatever filters there are."""
    if isinstance(node, HashJoin) and _is_delta(node.right) and not _is_delta(node.left):
        return _swapped(node)
    return None


def _is_delta(node: PlanNode) -> bool:
    while isinstance(node, Filter):
        node = node.input
    return isinstance(node, TableScan) and node.delta is not None


def _filtered_first(node: PlanNode) -> PlanNode | None:
    """A bare scan on the left changes places with anything else."""
    if isinstance(node, HashJoin) and isinstance(node.left, TableScan) and node.left.delta is None:
        return None if isinstance(node.right, TableScan) else _swapped(node)
    return None


def _use_index_to_join(node: PlanNode) -> PlanNode | None:
    if not isinstance(node, HashJoin):
        return None
    scan, filters = _peel(node.right)
    if not isinstance(scan, TableScan):
        return None
    fixed = [pair for condition in filters for pair in _fixed(_terms(condition), scan.slot)]
    for index in scan.table.indexes:
        *leading, last = index.columns
        values = [next((value for position, value in fixed if position == one), None) for one in leading]
        if last != node.right_column.position or None in values:
            continue
        used = list(zip(leading, (value for value in values if value is not None), strict=True))
        key = (*(value for _, value in used), node.left_column)
        join = IndexJoin(node.left, scan.table, scan.slot, index.index_name, index.columns, key, delta=scan.delta)
        rest = [left for condition in filters if (left := _without(condition, scan.slot, used)) is not None]
        return Filter(join, _all_of(rest)) if rest else join
    return None


def _peel(node: PlanNode) -> tuple[PlanNode, list[Expression]]:
    filters = []
    while isinstance(node, Filter):
        filters.append(node.condition)
        node = node.input
    return node, filters


def _terms(condition: Expression) -> tuple[Expression, ...]:
    return condition.terms if isinstance(condition, And) else (condition,)


def _fixed(terms: Iterable[Expression], slot: int) -> list[tuple[int, Expression]]:
    """The columns of a slot that equal a constant, by position, and the constant."""
    return [pair for term in terms if (pair := _fixes(term, slot)) is not None]


def _fixes(term: Expression, slot: int) -> tuple[int, Expression] | None:
    match term:
        case Compare("=", Column() as column, (Constant() | Parameter()) as value) if column.slot == slot:
            return column.position, value
    return None


def _without(condition: Expression, slot: int, used: Sequence[tuple[int, Expression]]) -> Expression | None:
    """What is left of a condition when the index takes care of some of its terms."""
    left = [term for term in _terms(condition) if _fixes(term, slot) not in used]
    return _all_of(left) if left else None


def _use_index_to_scan(node: PlanNode) -> PlanNode | None:
    """The index with the most columns that constants fix whole; of equal ones the first."""
    if not isinstance(node, Filter) or not isinstance(node.input, TableScan):
        return None
    scan, terms = node.input, _terms(node.condition)
    known = [(place, *pair) for place, term in enumerate(terms) if (pair := _fixes(term, scan.slot)) is not None]
    best: tuple[str, tuple[int, ...], list[tuple[int, int, Expression]]] | None = None
    for index in scan.table.indexes:
        found = [term for one in index.columns if (term := next((k for k in known if k[1] == one), None)) is not None]
        fits = 0 < len(index.columns) <= _MAX_INDEX_COLUMNS and len(found) == len(index.columns)
        if fits and (best is None or len(index.columns) > len(best[1])):
            best = index.index_name, index.columns, found
    if best is None:
        return None
    name, positions, found = best
    lookup = IndexScan(scan.table, scan.slot, name, positions, tuple(value for _, _, value in found), scan.delta)
    used = {place for place, _, _ in found}
    rest = [term for place, term in enumerate(terms) if place not in used]
    return Filter(lookup, _all_of(rest)) if rest else lookup


def _mark_unique(node: PlanNode) -> PlanNode | None:
    if isinstance(node, IndexJoin) and not node.unique and is_unique(node.table, node.positions[-1]):
        return replace(node, unique=True)
    return None


def is_unique(table: TableSchema, position: int) -> bool:
    """Whether no two rows of a table agree on the column."""
    return any(tuple(constraint.columns) == (position,) for constraint in table.constraints)


# What each join must keep -----------------------------------------------------------------------------------


def _keep(node: PlanNode, needed: list[int]) -> PlanNode:
    """The plan with joins that keep the needed slots only, where they keep one side."""
    match node:
        case Filter():
            more = [column.slot for column in columns_of(node.condition)]
            return replace(node, input=_keep(node.input, list(dict.fromkeys([*needed, *more]))))
        case CrossJoin():
            return replace(
                node, left=_keep(node.left, _of(node.left, needed)), right=_keep(node.right, _of(node.right, needed))
            )
        case HashJoin():
            left = list(dict.fromkeys([node.left_column.slot, *_of(node.left, needed)]))
            right = list(dict.fromkeys([node.right_column.slot, *_of(node.right, needed)]))
            returns: Returns = "both"
            if _of(node.left, needed) == needed:
                returns = "outer"
            elif _of(node.right, needed) == needed:
                returns = "lookup"
            return replace(node, left=_keep(node.left, left), right=_keep(node.right, right), returns=returns)
        case IndexJoin():
            probe = _of(node.outer, [column.slot for column in columns_of(*node.key)])
            if needed == [node.slot]:
                return replace(node, outer=_keep(node.outer, probe), returns="lookup")
            outer = list(dict.fromkeys([*(slot for slot in needed if slot != node.slot), *probe]))
            returns = "both" if node.slot in needed else "outer"
            return replace(node, outer=_keep(node.outer, outer), returns=returns)
    return node


def _of(node: PlanNode, slots: Sequence[int]) -> list[int]:
    below = slots_below(node)
    return [slot for slot in slots if slot in below]


def slots_below(node: PlanNode) -> set[int]:
    """The slots of every table that a node reads."""
    return {one.slot for one in nodes_of(node) if isinstance(one, TableScan | IndexScan | IndexJoin)}


def slots_of(node: PlanNode) -> list[int]:
    """The slots whose rows a node yields, in their order within a row."""
    match node:
        case TableScan() | IndexScan():
            return [node.slot]
        case Filter():
            return slots_of(node.input)
        case IndexJoin():
            outer = [] if node.returns == "lookup" else slots_of(node.outer)
            return outer if node.returns == "outer" else [*outer, node.slot]
        case HashJoin():
            left = [] if node.returns == "lookup" else slots_of(node.left)
            return left if node.returns == "outer" else [*left, *slots_of(node.right)]
    return [*slots_of(node.left), *slots_of(node.right)]


def _check_reach(node: PlanNode) -> None:
    """Every column is of a row that its node is given."""
    for one in nodes_of(node):
        match one:
            case Filter():
                pairs = [(one.condition, one.input)]
            case IndexJoin():
                pairs = [(part, one.outer) for part in one.key]
            case HashJoin():
                pairs = [(one.left_column, one.left), (one.right_column, one.right)]
            case _:
                continue
        for expression, source in pairs:
            given = slots_of(source)
            if any(column.slot not in given for column in columns_of(expression)):
                raise SqlError("plan", "Could not compute positional arguments during query planning")
