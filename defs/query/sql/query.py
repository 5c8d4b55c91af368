"""The syntax tree to the subscription language: one table or inner joins, one condition, one thing returned.

Checks come in the server's order: statement, query, select, FROM, WHERE, select list, and last that names are qualified where
there is a join. Everything here is an error of stage `parse`. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from defs.query.sql import syntax
from defs.query.sql.errors import SqlError
from defs.query.sql.syntax import (
    Binary,
    Expr,
    FunctionCall,
    Join,
    Name,
    Nested,
    Query,
    Select,
    SelectItem,
    TableRef,
    Unary,
    render,
)

__all__ = [
    "Comparison",
    "Field",
    "Joined",
    "Lit",
    "Logic",
    "Returned",
    "Selection",
    "Sender",
    "Source",
    "SqlExpr",
    "read_query",
]

#: How deep an expression may nest; operators in a row count, as each is in the left operand of the next.
MAX_NESTING = 1600


@dataclass(frozen=True, slots=True)
class Lit:
    """A literal: bool, number, string or hex, and the text of it."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Sender:
    """`:sender`."""

    at: int


@dataclass(frozen=True, slots=True)
class Field:
    """A column; `table` is what it is qualified with, None when it is not."""

    table: str | None
    name: str
    at: int
    name_at: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands compared."""

    op: str
    left: SqlExpr
    right: SqlExpr
    at: int


@dataclass(frozen=True, slots=True)
class Logic:
    """AND, OR."""

    op: Literal["AND", "OR"]
    left: SqlExpr
    right: SqlExpr
    at: int


SqlExpr: TypeAlias = Lit | Sender | Field | Comparison | Logic


@dataclass(frozen=True, slots=True)
class Source:
    """A table of FROM: its name, what it is called in the query, the arguments of a view call."""

    name: str
    alias: str
    args: tuple[Lit, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Joined:
    """A joined table; `on` is a comparison of two columns, or None without ON."""

    source: Source
    on: Comparison | None


@dataclass(frozen=True, slots=True)
class Returned:
    """The select list: `*` (no table), `t.*`, columns (with their aliases), or a count."""

    kind: Literal["star", "columns", "count"]
    at: int
    table: str | None = None
    columns: tuple[tuple[Field, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """A query of the subscription language."""

    source: Source
    joins: tuple[Joined, ...]
    where: SqlExpr | None
    returned: Returned


def read_query(statements: Sequence[syntax.Statement]) -> Selection:
    """The query that the statements are. Raises SqlError."""
    if not statements:
        raise SqlError("parse", "Empty SQL query", None, "subscribe with SELECT * FROM a table")
    if len(statements) > 1:
        raise SqlError("parse", "Multiple SQL statements are not supported", None, "send each query by itself")
    statement = statements[0]
    if not isinstance(statement, Query):
        _unsupported(": Non-SELECT queries", statement.at, "subscriptions only read: change data with a reducer")
    if statement.before or statement.after:
        _unsupported(
            f": {render(statement)}", statement.at, "leave out everything after WHERE: clients sort and cut for themselves"
        )
    if not isinstance(statement.body, Select):
        _unsupported(
            f" set operation: {render(statement.body)}", statement.at, "send each SELECT by itself, without parentheses"
        )
    select = statement.body
    if select.before or select.into or select.after:
        _unsupported(f" SELECT: {render(select)}", select.at, "a subscription is SELECT, FROM and WHERE, and nothing else")
    source, joins = _from(select)
    where = None if select.where is None else _expression(select.where, 0)
    returned = _select_list(select.items)
    if joins and (bare := _unqualified(joins, returned, where)) is not None:
        raise SqlError(
            "parse",
            "Names must be qualified when using joins",
            bare.at,
            f"write the table before it: `{source.alias}.{bare.name}`",
        )
    return Selection(source, joins, where, returned)


def _unsupported(what: str, at: int, hint: str = "") -> NoReturn:
    raise SqlError("parse", f"Unsupported{what}", at, hint)


# FROM -------------------------------------------------------------------------------------------------------


def _from(select: Select) -> tuple[Source, tuple[Joined, ...]]:
    if not select.tables:
        raise SqlError("parse", "A FROM clause is required", None, "say which table: SELECT * FROM a table")
    (table, joins), *others = select.tables
    if others:
        at = others[0][0].at
        raise SqlError("parse", "Implicit joins are not supported", at, "write JOIN ... ON instead of the comma")
    source = _joined_source(table) if joins else _source(table)
    return source, tuple(_join(join) for join in joins)


def _source(table: TableRef) -> Source:
    if not table.plain or (table.alias is not None and table.alias.columns):
        _unsupported(f" FROM expression: {render(table)}", table.at, "FROM takes names of tables, each perhaps with an alias")
    name = table.name.dotted
    args = tuple(_view_argument(arg) for arg in table.args or ())
    return Source(name, name if table.alias is None else table.alias.name.value, args, table.at)


def _joined_source(table: TableRef) -> Source:
    source = _source(table)
    if source.args:
        message = f" view call in a JOIN: `{source.name}`. A view that takes arguments can only be queried by itself"
        _unsupported(message, table.at)
    return source


def _view_argument(arg: syntax.FunctionArg) -> Lit:
    if arg.value is None:
        _unsupported(f" view argument: {render(arg)}. View arguments must be positional literals", arg.at)
    match arg.value:
        case syntax.Literal():
            return _literal(arg.value)
        case Unary():
            return _signed(arg.value, " view argument: {}. View arguments must be literals")
    return _unsupported(f" view argument: {render(arg.value)}. View arguments must be literals", arg.at)


def _join(join: Join) -> Joined:
    source = _joined_source(join.table)
    if join.kind == "CROSS JOIN" or (join.kind == "JOIN" and not join.constraint):
        return Joined(source, None)
    on = join.on
    if (
        join.kind == "JOIN"
        and isinstance(on, Binary)
        and on.op == "="
        and isinstance(on.left, Name)
        and isinstance(on.right, Name)
    ):
        return Joined(source, Comparison("=", _field(on.left), _field(on.right), on.at))
    hint = "use JOIN ... ON one column = another, without parentheses around them"
    raise SqlError("parse", "Non-inner joins are not supported", join.at, hint)


# WHERE ------------------------------------------------------------------------------------------------------

_COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
_TOO_DEEP = SqlError(
    "parse", "Recursion limit exceeded, `sql-parser::parse_expr`", None, f"at most {MAX_NESTING} operators in a row"
)


def _expression(expr: Expr, depth: int) -> SqlExpr:
    """An expression; operators in a row are a loop, so only parentheses to the right of an operator recurse."""
    spine: list[tuple[Binary, int]] = []
    while True:
        if depth > MAX_NESTING:
            raise SqlError("parse", _TOO_DEEP.message, expr.at, _TOO_DEEP.hint)
        if isinstance(expr, Binary):
            spine.append((expr, depth))
            expr = expr.left
        elif isinstance(expr, Nested):
            expr = expr.inner
        else:
            break
        depth += 1
    found = _operand(expr)
    for node, level in reversed(spine):
        right = _expression(node.right, level + 1)
        if node.op == "AND" or node.op == "OR":
            found = Logic(node.op, found, right, node.at)  # type: ignore[arg-type]
        elif node.op in _COMPARISONS:
            found = Comparison(node.op, found, right, node.at)
        else:
            _unsupported(f" binary operator: {node.op}", node.at, "the operators are = <> < > <= >= AND OR")
    return found


def _operand(expr: Expr) -> SqlExpr:
    match expr:
        case syntax.Literal("placeholder", ":sender", at, _):
            return Sender(at)
        case syntax.Literal():
            return _literal(expr)
        case Unary():
            return _signed(expr, " expression: {}")
        case Name():
            return _field(expr)
    hint = "a condition is made of columns, literals, :sender, comparisons, AND, OR and parentheses"
    if render(expr).startswith("NOT "):
        hint = "turn the comparison round instead: <> for =, >= for <"
    return _unsupported(f" expression: {render(expr)}", expr.at, hint)


def _literal(literal: syntax.Literal) -> Lit:
    if literal.kind not in ("bool", "number", "string", "hex"):
        hint = "the only parameter is :sender, in small letters" if literal.kind == "placeholder" else ""
        _unsupported(f" literal expression: {render(literal)}", literal.at, hint)
    return Lit(literal.kind, _digits(literal), literal.at)


def _signed(expr: Unary, refusal: str) -> Lit:
    number = expr.operand
    if not isinstance(number, syntax.Literal) or number.kind != "number":
        _unsupported(refusal.format(render(expr)), expr.at, "a sign may stand before a number only")
    return Lit("number", expr.op + _digits(number), expr.at)


def _digits(literal: syntax.Literal) -> str:
    """The text of a literal; a number may end in L, for no reason."""
    return literal.text.removesuffix("L") if literal.kind == "number" else literal.text


def _field(name: Name) -> Field:
    *table, column = name.parts
    return Field(".".join(part.value for part in table) if table else None, column.value, name.at, column.at)


# The select list --------------------------------------------------------------------------------------------


def _select_list(items: Sequence[SelectItem]) -> Returned:
    first = items[0]
    if len(items) == 1:
        if first.kind == "star":
            return Returned("star", first.at)
        if first.kind == "table-star" and first.name is not None:
            return Returned("star", first.at, first.name.dotted)
        if isinstance(first.expr, FunctionCall):
            if first.alias is None:
                raise SqlError("parse", "Aggregate expressions must have column aliases", first.at)
            if not first.expr.is_count:
                _unsupported(f" aggregate function: {render(first.expr)}", first.at)
            return Returned("count", first.at)
    return Returned("columns", first.at, columns=tuple(_column(item) for item in items))


def _column(item: SelectItem) -> tuple[Field, str]:
    if item.expr is None:
        raise SqlError("parse", "Mixed wildcard projections are not supported", item.at)
    if not isinstance(item.expr, Name):
        _unsupported(f" projection expression: {render(item.expr)}", item.at)
    field = _field(item.expr)
    return field, field.name if item.alias is None else item.alias.value


def _unqualified(joins: Sequence[Joined], returned: Returned, where: SqlExpr | None) -> Field | None:
    """A column that no table is named with."""
    candidates: list[SqlExpr] = [join.on for join in joins if join.on is not None]
    candidates += [field for field, _ in returned.columns]
    candidates += [where] if where is not None else []
    return next((field for field in _fields(candidates) if field.table is None), None)


def _fields(expressions: Sequence[SqlExpr]) -> Iterator[Field]:
    todo = list(reversed(expressions))
    while todo:
        match todo.pop():
            case Field() as field:
                yield field
            case Comparison(_, left, right, _) | Logic(_, left, right, _):
                todo += [right, left]
