"""Names resolved and literals typed: a query of the subscription language to a plan, as written.

An operand has the type of the column it is compared with; a comparison whose left operand is a constant takes the type from
the right one. Columns are resolved in the order of the server, so that of several faults it is the same one that is told.
(spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from bsatn.types import (
    BOOL,
    BYTES,
    CONNECTION_ID,
    F32,
    F64,
    IDENTITY,
    INTEGERS,
    STRING,
    TIMESTAMP,
    UUID,
    AlgebraicType,
    option_payload,
)
from defs.query.sql.catalog import Caller, Catalog, column_of, nearest, public_columns
from defs.query.sql.errors import SqlError
from defs.query.sql.literals import has_literals, parse_literal
from defs.query.sql.plan import (
    VIEW_ARGUMENTS,
    And,
    Column,
    Compare,
    Constant,
    CrossJoin,
    Expression,
    Filter,
    HashJoin,
    Operator,
    Or,
    Parameter,
    PlanNode,
    TableScan,
)
from defs.query.sql.query import Comparison, Field, Lit, Logic, Returned, Selection, Sender, Source, SqlExpr
from defs.schema.table import TableSchema, TableSchemaError

__all__ = ["Typed", "type_query"]

#: The types whose values may be compared.
_COMPARABLE = frozenset({*INTEGERS, BOOL, F32, F64, STRING, BYTES, IDENTITY, CONNECTION_ID, TIMESTAMP, UUID})
_FLIPPED: dict[Operator, Operator] = {"=": "=", "<>": "<>", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Typed:
    """A query with its names and types settled; `places` are where in the text each table, and each ON, stands."""

    logical: PlanNode
    returned_slot: int
    tables: tuple[TableSchema, ...]
    aliases: tuple[str, ...]
    places: tuple[int, ...]
    ons: tuple[int, ...]
    uses_sender: bool


def type_query(query: Selection, catalog: Catalog, caller: Caller) -> Typed:
    """Settle names and types. Raises SqlError of stage `resolve` or `type`."""
    scope = _Scope(catalog, caller, bool(query.joins))
    root = scope.scan(query.source)
    scope.view_arguments(query.source, root.table)
    ons = []
    node: PlanNode = root
    for join in query.joins:
        if join.source.alias in scope.slots:
            message = f"Duplicate name `{join.source.alias}`"
            raise SqlError("resolve", message, join.source.at, "give each its own alias: FROM t AS a JOIN t AS b")
        right = scope.scan(join.source)
        scope.view_arguments(join.source, right.table)
        if join.on is None:
            node = CrossJoin(node, right)
            ons.append(join.source.at)
            continue
        equal = scope.type(join.on, BOOL)
        assert isinstance(equal, Compare)
        assert isinstance(equal.left, Column)
        assert isinstance(equal.right, Column)
        node = HashJoin(node, right, equal.left, equal.right)
        ons.append(join.on.left.at if isinstance(join.on.left, Field) else join.on.at)
    if query.where is not None:
        node = Filter(node, scope.type(query.where, BOOL))
    slot = scope.returned(query.returned)
    return Typed(node, slot, tuple(scope.tables), tuple(scope.slots), tuple(scope.places), tuple(ons), scope.uses_sender)


class _Scope:
    """The tables of a query by what it calls them."""

    def __init__(self, catalog: Catalog, caller: Caller, joins: bool) -> None:
        self.catalog = catalog
        self.caller: Caller = caller
        self.joins = joins
        self.slots: dict[str, int] = {}
        self.tables: list[TableSchema] = []
        self.places: list[int] = []
        self.names: list[str] = []
        self.uses_sender = False

    # -- tables

    def scan(self, source: Source) -> TableScan:
        table = self.find(source)
        self.slots[source.alias] = len(self.tables)
        self.tables.append(table)
        self.places.append(source.at)
        self.names.append(source.name)
        return TableScan(table, len(self.tables) - 1)

    def find(self, source: Source) -> TableSchema:
        try:
            table = self.catalog.find(source.name, self.caller)
        except TableSchemaError as error:
            raise SqlError("resolve", str(error), source.at) from None
        if table is not None:
            return table
        if self.catalog.is_private(source.name):
            hint = f"{source.name} is private: only the owner may read it; declare it public, or read it through a view"
        elif like := nearest(source.name, self.catalog.spellings(self.caller)):
            hint = (
                f"did you mean `{like}`? (names are case-sensitive)"
                if like.lower() == source.name.lower()
                else f"did you mean `{like}`?"
            )
        else:
            names = self.catalog.names(self.caller)
            hint = f"the tables are {_listed(names)}" if names else "the module has no tables that the caller may read"
        message = f"no such table: `{source.name}`. If the table exists, it may be marked private."
        raise SqlError("resolve", message, source.at, hint)

    def view_arguments(self, source: Source, table: TableSchema) -> None:
        """Arguments fit the view's parameters."""
        if table.view_info is None:
            if source.args:
                message = f"`{table.table_name}` is a table, not a view; it does not take arguments"
                raise SqlError("resolve", message, source.args[0].at)
            return
        params = table.view_info.params.elements
        if len(params) != len(source.args):
            message = f"View `{table.table_name}` takes {len(params)} argument(s), but {len(source.args)} were given"
            raise SqlError("resolve", message, source.at)
        for argument, param in zip(source.args, params, strict=True):
            if param.algebraic_type != BOOL and not has_literals(param.algebraic_type):
                of = f"Parameter `{param.name or ''}` of view `{table.table_name}`"
                raise SqlError("type", f"{of} has type {param.algebraic_type}, which cannot be passed from SQL", argument.at)
            self.literal(argument, param.algebraic_type)

    # -- what is returned

    def returned(self, returned: Returned) -> int:
        if returned.kind == "count":
            _no_columns(returned.at)
        if returned.kind == "star":
            if returned.table is not None:
                return self.slot(returned.table, returned.at)
            if self.joins:
                hint = f"say whose rows: SELECT {next(iter(self.slots))}.*"
                raise SqlError("type", "SELECT * is not supported for joins", returned.at, hint)
            return 0
        taken: set[str] = set()
        for field, alias in returned.columns:
            if alias in taken:
                raise SqlError("resolve", f"Duplicate name `{alias}`", field.at)
            taken.add(alias)
            self.type(field, None)
        return _no_columns(returned.at)

    # -- expressions

    def type(self, expr: SqlExpr, expected: AlgebraicType | None) -> Expression:
        """An expression, of the expected type if there is one. Operators in a row are a loop."""
        spine: list[Comparison | Logic] = []
        while isinstance(expr, Comparison | Logic):
            if expected not in (None, BOOL):
                raise _unexpected(BOOL, expected, expr.at)
            if isinstance(expr, Comparison) and isinstance(expr.left, Lit | Sender):
                break
            spine.append(expr)
            expected = BOOL if isinstance(expr, Logic) else None
            expr = expr.left
        found = self.constant_first(expr) if isinstance(expr, Comparison) else self.operand(expr, expected)
        for node in reversed(spine):
            if isinstance(node, Logic):
                found = _logic(node, found, self.type(node.right, BOOL))
            else:
                found = _compare(node, found, self.type(node.right, _type_of(found)))
        return found

    def constant_first(self, node: Comparison) -> Expression:
        right = self.type(node.right, None)
        return _compare(node, self.type(node.left, _type_of(right)), right)

    def operand(self, expr: Lit | Sender | Field, expected: AlgebraicType | None) -> Expression:
        match expr:
            case Lit():
                return self.literal(expr, expected)
            case Sender():
                return self.sender(expr, expected)
        return self.column(expr, expected)

    def literal(self, literal: Lit, expected: AlgebraicType | None) -> Constant:
        if literal.kind == "bool":
            if expected not in (None, BOOL):
                raise _unexpected(BOOL, expected, literal.at)
            return Constant(literal.text == "TRUE", BOOL)
        if expected is None:
            raise SqlError(
                "type",
                "Cannot resolve type for literal expression",
                literal.at,
                "compare a column with a literal, not two literals",
            )
        try:
            return Constant(parse_literal(literal.text, expected), expected)
        except ValueError:
            message = f"The literal expression `{literal.text}` cannot be parsed as type `{expected}`"
            raise SqlError("type", message, literal.at, _literal_hint(literal, expected)) from None

    def sender(self, sender: Sender, expected: AlgebraicType | None) -> Parameter:
        if expected not in (None, IDENTITY, BYTES):
            raise _unexpected(IDENTITY, expected, sender.at, ":sender is an Identity: compare it with a column of that type")
        self.uses_sender = True
        return Parameter("sender", IDENTITY if expected is None else expected)

    def column(self, field: Field, expected: AlgebraicType | None) -> Column:
        slot = 0 if field.table is None else self.slot(field.table, field.at)
        table = self.tables[slot]
        column = column_of(table, field.name)
        if column is None:
            known = [name for one in public_columns(table) for name in (one.col_name, one.alias or one.col_name)]
            like = nearest(field.name, known)
            what = table.table_name
            hint = (
                f"did you mean `{like}`?"
                if like
                else f"the columns of {what} are {_listed([one.col_name for one in public_columns(table)])}"
            )
            raise SqlError("resolve", f"`{field.name}` is not in scope", field.name_at, hint)
        if expected is not None and column.col_type != expected:
            raise _unexpected(column.col_type, expected, field.name_at)
        return Column(slot, column.col_pos, column.col_type, column.col_name)

    def slot(self, alias: str, at: int) -> int:
        if alias in self.slots:
            return self.slots[alias]
        called = [f"`{known}`" for known in self.slots]
        hint = (
            f"in this query the table is called {' or '.join(called)}"
            if len(called) == 1
            else f"the tables here are called {' and '.join(called)}"
        )
        for known, name in zip(self.slots, self.names, strict=True):
            if alias in (name, self.tables[self.slots[known]].table_name, self.tables[self.slots[known]].alias):
                hint = f"in this query {alias} is called `{known}`: write it as in FROM"
        raise SqlError("resolve", f"`{alias}` is not in scope", at, hint)


def _no_columns(at: int) -> NoReturn:
    message = "Column projections are not supported in subscriptions; Subscriptions must return a table type"
    raise SqlError("type", message, at, "select whole rows: SELECT *, or the table's name and .*")


def _unexpected(found: AlgebraicType, expected: AlgebraicType | None, at: int, hint: str = "") -> SqlError:
    message = f"Unexpected type: (expected) {found} != {expected} (inferred)"
    if not hint and expected == BOOL:
        hint = "a condition must be a Bool: compare the column with something"
    return SqlError("type", message, at, hint or "both sides must be of one type; nothing is converted")


def _literal_hint(literal: Lit, kind: AlgebraicType) -> str:
    if kind == BOOL:
        return "a Bool is compared with TRUE or FALSE, without quotes"
    if not has_literals(kind):
        what = "an option" if option_payload(kind) is not None else "this type"
        return f"no literal can be of {what}: compare another column"
    if kind in INTEGERS and literal.kind == "hex":
        return "hex digits are read as decimal ones here: write the number in decimal"
    return _HINTS.get(kind, f"the whole numbers from {_range(kind)}" if kind in INTEGERS else "a number such as 1.5 or 1e3")


_HINTS: dict[AlgebraicType, str] = {
    BYTES: "bytes are an even number of hex digits: 0x616263",
    IDENTITY: "an Identity is 64 hex digits after 0x, or :sender",
    CONNECTION_ID: "a ConnectionId is 32 hex digits after 0x",
    TIMESTAMP: "a Timestamp is written '2024-02-29T12:30:45Z', with its time zone",
    UUID: "a Uuid is written '00000000-0000-0000-0000-000000000001'",
}


def _range(kind: AlgebraicType) -> str:
    bits, signed = INTEGERS[kind]  # type: ignore[index]
    return f"-2^{bits - 1} to 2^{bits - 1} - 1" if signed else f"0 to 2^{bits} - 1"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _type_of(expr: Expression) -> AlgebraicType:
    return expr.type if isinstance(expr, Column | Constant | Parameter) else BOOL


def _compare(node: Comparison, left: Expression, right: Expression) -> Compare:
    """A comparison; a constant before a column changes places with it."""
    op: Operator = node.op  # type: ignore[assignment]
    if (kind := _type_of(left)) not in _COMPARABLE:
        raise SqlError(
            "type", f"Invalid binary operator `{op}` for type `{kind}`", node.at, "values of this type cannot be compared"
        )
    if isinstance(left, Constant | Parameter) and isinstance(right, Column):
        return Compare(_FLIPPED[op], right, left)
    return Compare(op, left, right)


def _logic(node: Logic, left: Expression, right: Expression) -> Expression:
    """A condition of two; terms of the same kind become terms of one."""
    kind: Callable[[tuple[Expression, ...]], And | Or] = And if node.op == "AND" else Or
    terms: tuple[Expression, ...] = ()
    for side in (left, right):
        same = isinstance(side, And) if node.op == "AND" else isinstance(side, Or)
        terms += side.terms if same and isinstance(side, And | Or) else (side,)
    return kind(terms)


def with_view_filters(node: PlanNode) -> PlanNode:
    """Scans of views read only the rows of one call: those whose first column is the hash of its arguments."""
    match node:
        case TableScan(table) if table.view_info is not None:
            return Filter(
                node, Compare("=", Column(node.slot, 0, VIEW_ARGUMENTS.type, table.columns[0].col_name), VIEW_ARGUMENTS)
            )
        case Filter(input, condition):
            return Filter(with_view_filters(input), condition)
        case HashJoin(left, right, one, other):
            return HashJoin(with_view_filters(left), with_view_filters(right), one, other)
        case CrossJoin(left, right):
            return CrossJoin(with_view_filters(left), with_view_filters(right))
    return node
