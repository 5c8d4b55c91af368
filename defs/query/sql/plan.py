"""Plans: how the server finds the rows of a query, as plain data to evaluate or to look at.

A plan is a tree of nodes. Each yields rows; a row of a join holds one row for each of several slots. A slot is a table's
position in FROM (0 is left of the first JOIN, 1 right of it), so that a table joined with itself is two. Expressions name
columns by slot and position. Values are in the forms of `bsatn.values`.

To evaluate: `TableScan` yields every row of its table. `IndexScan` yields those whose columns at `positions` equal `key`.
`Filter` keeps the rows that its condition holds for. `IndexJoin` pairs each row of `outer` with the rows of `table` whose
columns at `positions` equal `key`, which is over the outer row; `returns` says which of the two it keeps, the outer row once
for each match. `HashJoin` is an equality join without an index, `CrossJoin` one without ON: plans of subscriptions have
neither, those of one-off queries may. Comparisons order values totally: NaN equals itself and is greatest, `-0.0` equals
`0.0`. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from bsatn.types import U256, AlgebraicType
from defs.schema.table import TableSchema

__all__ = [
    "And",
    "Column",
    "Compare",
    "Constant",
    "CrossJoin",
    "Expression",
    "Filter",
    "HashJoin",
    "IndexJoin",
    "IndexScan",
    "Or",
    "Parameter",
    "Plan",
    "PlanNode",
    "TableScan",
    "columns_of",
    "nodes_of",
    "side_of",
]

Operator: TypeAlias = Literal["=", "<>", "<", ">", "<=", ">="]
Side: TypeAlias = Literal["left", "right"]
#: Which rows of a join are kept: the outer ones, those looked up, or both.
Returns: TypeAlias = Literal["outer", "lookup", "both"]


def side_of(slot: int) -> Side:
    """The side of (the first) JOIN that a slot is on."""
    return "right" if slot else "left"


# Expressions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the row in a slot; `position` counts columns from 0, `name` is canonical."""

    slot: int
    position: int
    type: AlgebraicType
    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A value, in the form of `bsatn.values`."""

    value: Any
    type: AlgebraicType


@dataclass(frozen=True, slots=True)
class Parameter:
    """What is known when the query runs.

    `sender`: the caller's identity, as an Identity or as its 32 bytes (most significant first), by the type.
    `view-arguments`: the hash that tells the arguments of a view apart; its column is the first of the view's stored rows.
    """

    name: Literal["sender", "view-arguments"]
    type: AlgebraicType


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two operands of one type. A column compared with a constant has the column on the left."""

    op: Operator
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more conditions hold; none of them is an And."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of two or more conditions holds; none of them is an Or."""

    terms: tuple[Expression, ...]


#: A condition (Compare, And, Or; a Column or Constant of type Bool), or an operand of a comparison (any but And and Or of
#: a type other than Bool; conditions may be compared too).
Expression: TypeAlias = Column | Constant | Parameter | Compare | And | Or

VIEW_ARGUMENTS = Parameter("view-arguments", U256)


def columns_of(*expressions: Expression) -> Iterator[Column]:
    """The columns in expressions, each as often as it is there."""
    todo = list(reversed(expressions))
    while todo:
        match todo.pop():
            case Column() as column:
                yield column
            case Compare(_, left, right):
                todo += [right, left]
            case And(terms) | Or(terms):
                todo += reversed(terms)


# Nodes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TableScan:
    """Every row of a table; with `delta`, of the rows that a transaction inserted or deleted."""

    table: TableSchema
    slot: int
    delta: Literal["inserts", "deletes"] | None = None


@dataclass(frozen=True, slots=True)
class IndexScan:
    """The rows whose columns at `positions` equal `key` (constants and parameters), found by the index of that name."""

    table: TableSchema
    slot: int
    index: str
    positions: tuple[int, ...]
    key: tuple[Expression, ...]
    delta: Literal["inserts", "deletes"] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """The rows of `input` that the condition holds for."""

    input: PlanNode
    condition: Expression


@dataclass(frozen=True, slots=True)
class IndexJoin:
    """For each row of `outer`, the rows of `table` whose columns at `positions` equal `key`, found by an index.

    `key` has constants, parameters, and last a column of `outer`. `unique`: there is at most one such row.
    """

    outer: PlanNode
    table: TableSchema
    slot: int
    index: str
    positions: tuple[int, ...]
    key: tuple[Expression, ...]
    unique: bool = False
    returns: Returns = "both"
    delta: Literal["inserts", "deletes"] | None = None


@dataclass(frozen=True, slots=True)
class HashJoin:
    """The pairs in which two columns are equal; `returns` speaks of `left` as outer."""

    left: PlanNode
    right: PlanNode
    left_column: Column
    right_column: Column
    returns: Returns = "both"


@dataclass(frozen=True, slots=True)
class CrossJoin:
    """All pairs."""

    left: PlanNode
    right: PlanNode


PlanNode: TypeAlias = TableScan | IndexScan | Filter | IndexJoin | HashJoin | CrossJoin


def children(node: PlanNode) -> tuple[PlanNode, ...]:
    """The nodes directly below."""
    match node:
        case Filter():
            return (node.input,)
        case IndexJoin():
            return (node.outer,)
        case HashJoin() | CrossJoin():
            return (node.left, node.right)
    return ()


def nodes_of(node: PlanNode) -> Iterator[PlanNode]:
    """The node and all below, a node before those below it, left before right."""
    todo = [node]
    while todo:
        here = todo.pop()
        yield here
        todo.extend(reversed(children(here)))


@dataclass(frozen=True, slots=True)
class Plan:
    """A query's plan.

    `tables` are those of FROM by slot, `aliases` what the text calls them. The query returns the row in slot `returned_slot` of
    each result of `root`. `logical` is the query before it was optimised: scans, joins and one filter, as written.

    `inserts` and `deletes` are plans of what a transaction adds to the result and takes from it: scans of what was inserted or
    deleted stand in the place of tables. Of a join they are four each, in the order dR+ S', R' dS+, dR+ dS-, dR- dS+ and
    dR- S', R' dS-, dR+ dS+, dR- dS-. They are empty for a one-off query.
    """

    root: PlanNode
    returned_slot: int
    tables: tuple[TableSchema, ...]
    aliases: tuple[str, ...]
    logical: PlanNode
    inserts: tuple[PlanNode, ...] = ()
    deletes: tuple[PlanNode, ...] = ()
    uses_sender: bool = False

    @property
    def returned(self) -> TableSchema:
        """The table whose rows the query returns."""
        return self.tables[self.returned_slot]

    @property
    def lookup(self) -> IndexJoin | None:
        """The join, if there is one."""
        return next((node for node in nodes_of(self.root) if isinstance(node, IndexJoin)), None)
