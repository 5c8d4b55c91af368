"""Queries: `From(table)`, filtered, joined, rendered to the text that the Rust builder renders for the same calls.

    From(events).left_semijoin(fighters, on=(events.target, fighters.id)).where(events.amount > 9).sql()

Each step is a new query. What a join looks up is its argument, which must not be an event table; both columns must be indexed.
The rest a server may refuse depends on the module: `sql(check=module)` asks. (spec: event-tables 6.1, 1.9)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar

from defs.query.columns import Column, Condition, IndexedColumn, Predicate, check_kinds, condition, quoted
from defs.query.errors import QueryError
from defs.query.handles import Handle, TableInfo
from defs.query.literals import literal

if TYPE_CHECKING:
    from defs.bindings.rows import CanBeLookupTable
    from defs.query.sql import Catalog
    from defs.query.sql.catalog import Caller
    from defs.query.sql.checking import Protocol
    from defs.schema.model import ModuleDef

__all__ = ["Call", "From", "Query", "Semijoin", "Side"]

Side = Literal["left", "right"]  #: of JOIN

_T = TypeVar("_T", bound=Handle[Any])
_L = TypeVar("_L", bound="CanBeLookupTable")
_Q = TypeVar("_Q")
_V = TypeVar("_V")
_W = TypeVar("_W")


class Query(Generic[_Q]):
    """A query that returns rows of table `_Q`."""

    __slots__ = ()

    def sql(self, *, check: ModuleDef | Catalog | None = None, caller: Caller = "client", protocol: Protocol = "v2") -> str:
        """The text. With `check`, a module, raises SqlError where a server of that module would refuse it."""
        text = self._render()
        if check is not None:
            from defs.query import sql as checker

            checker.check(text, check, caller=caller, protocol=protocol)
        return text

    def _render(self) -> str:
        raise NotImplementedError

    def __str__(self) -> str:
        return self._render()

    def __repr__(self) -> str:
        text = self._render()
        return f"<query {text if len(text) <= 200 else text[:199] + '…'}>"


class From(Query[_T]):
    """The rows of a table, or those that pass its filters. Raises QueryError for what is no table."""

    __slots__ = ("_filter", "_table")

    def __init__(self, table: _T) -> None:
        if not isinstance(table, Handle):
            _no_table(table)
        info = table.__table__
        if info.parameters:
            message = f"the view {info.name} has parameters"
            raise QueryError("NotATable", message, f"say call(view, ...) with {len(info.parameters)} arguments")
        self._table: _T = table
        self._filter: Predicate[Any] | None = None

    def where(self, predicate: Condition[_T]) -> From[_T]:
        """Only the rows for which the predicate holds, and those before. Raises QueryError."""
        made = From(self._table)
        made._filter = _both(self._filter, predicate, self._table.__table__.name)
        return made

    filter = where

    def left_semijoin(self, table: _L, *, on: tuple[IndexedColumn[_T, _V, _W], IndexedColumn[_L, _V, _W]]) -> Semijoin[_T]:
        """The rows for which `table`, which is looked up, has one with an equal column. Raises QueryError.

        `on`: a column of this table and one of `table`, both indexed and of one type.
        """
        return Semijoin("left", self._table, self._filter, table, on)

    def right_semijoin(self, table: _L, *, on: tuple[IndexedColumn[_T, _V, _W], IndexedColumn[_L, _V, _W]]) -> Semijoin[_L]:
        """The rows of `table`, which is looked up, with a column equal to one of these rows'. `on` as for left_semijoin."""
        return Semijoin("right", self._table, self._filter, table, on)

    def _render(self) -> str:
        where = "" if self._filter is None else f" WHERE {self._filter}"
        return f"SELECT * FROM {quoted(self._table.__table__.name)}{where}"


class Semijoin(Query[_Q]):
    """The rows of one side of a join; further filters are of that side."""

    __slots__ = ("_after", "_before", "_left", "_on", "_right", "_side")
    _side: Side
    _before: Predicate[Any] | None
    _after: Predicate[Any] | None

    def __init__(self, side: Side, left: Handle[Any], before: Predicate[Any] | None, right: Any, on: Any) -> None:
        check_join(side, left, right, on)
        self._side, self._left, self._right, self._on = side, left, right, on
        self._before, self._after = before, None

    @classmethod
    def unchecked(cls, side: Side, left: Handle[Any], before: Predicate[Any] | None, right: Handle[Any], on: Any) -> Any:
        """As the class makes one, of any tables and columns."""
        made = object.__new__(cls)
        made._side, made._left, made._right, made._on, made._before, made._after = side, left, right, on, before, None
        return made

    def where(self, predicate: Condition[_Q]) -> Semijoin[_Q]:
        """Only the rows for which the predicate holds, and those before. Raises QueryError."""
        made: Semijoin[_Q] = self.unchecked(self._side, self._left, self._before, self._right, self._on)
        made._after = self._after
        if self._side == "left":
            made._before = _both(self._before, predicate, self._left.__table__.name)
        else:
            made._after = _both(self._after, predicate, self._right.__table__.name)
        return made

    filter = where

    def _render(self) -> str:
        left, right = quoted(self._left.__table__.name), quoted(self._right.__table__.name)
        filters = " AND ".join(str(one) for one in (self._before, self._after) if one is not None)
        one, other = self._on
        join = f"{left} JOIN {right} ON {one.sql} = {other.sql}"
        return f"SELECT {left if self._side == 'left' else right}.* FROM {join}{filters and ' WHERE ' + filters}"


class Call(Query[_Q]):
    """The rows of a view with parameters. `arguments` are pairs of a kind and a value. Raises QueryError."""

    __slots__ = ("_arguments", "_name")

    def __init__(self, name: str, arguments: Sequence[tuple[Any, Any]]) -> None:
        self._name = name
        self._arguments = [
            literal(kind, value, f"argument {place} of {name}") for place, (kind, value) in enumerate(arguments, 1)
        ]

    def _render(self) -> str:
        return f"SELECT * FROM {quoted(self._name)}({', '.join(self._arguments)})"


def _both(before: Predicate[Any] | None, added: Any, table: str) -> Predicate[Any]:
    made = condition(added, table)
    return made if before is None else before & made


def _no_table(given: object) -> NoReturn:
    hint = "of a class declared with defs.bindings say table(Class); of a module tables(module)"
    raise QueryError("NotATable", f"{given!r:.80} is no table to query", hint)


# Joins ------------------------------------------------------------------------------------------------------


def check_join(side: Side, left: Handle[Any], right: Any, on: Any) -> None:
    """A join that a server could run. Raises QueryError, which says what to do instead."""
    if not isinstance(right, Handle):
        _no_table(right)
    one, other = left.__table__, right.__table__
    columns = on if isinstance(on, tuple) and len(on) == 2 and all(isinstance(column, Column) for column in on) else None
    if other.is_event:
        raise QueryError("EventLookup", *_event_lookup(side, one, other, columns))
    if columns is None:
        hint = f"say on=({one.name}..., {other.name}...): a column of each table, left one first"
        raise QueryError("NotAPredicate", f"on= takes two columns, not {on!r:.80}", hint)
    if one.name == other.name:
        message = f"{one.name} is joined with itself, and both sides would have one name"
        raise QueryError("SelfJoin", message, "write the SQL with aliases: FROM t AS a JOIN t AS b")
    for column, table in zip(columns, (one, other), strict=True):
        if column.table.__table__.name != table.name:
            hint = f"on= takes a column of {one.name}, then one of {other.name}"
            raise QueryError("OtherTable", f"{column} is no column of {table.name}", hint)
        if not column.indexed:
            raise QueryError("NotIndexed", f"{column} has no index of its own, which joins need", _index_hint(column, table))
    check_kinds(columns[0], columns[1], "joined with")


def _event_lookup(side: Side, left: TableInfo, events: TableInfo, on: Any) -> tuple[str, str]:
    message = f"{events.name} is an event table, which a join cannot look up: its rows are gone when it looks"
    if left.is_event:
        return (
            message,
            f"{left.name} is one too, so the two cannot be joined: subscribe to both, and match the rows that arrive",
        )
    swapped = "right_semijoin" if side == "left" else "left_semijoin"
    columns = f"{on[1]}, {on[0]}" if on else f"{events.name}..., {left.name}..."
    rows = left if side == "left" else events
    hint = f"swap the sides: From({events.name}).{swapped}({left.name}, on=({columns})) returns {rows.name} too"
    return message, hint


def _index_hint(column: Column[Any, Any, Any], table: TableInfo) -> str:
    alike = [name for name, one in table.columns.items() if one.indexed and one.kind == column.kind]
    also = f", or join on {' or '.join(alike[:3])}" if alike else ""
    return f"add an index on this column alone to the module{also}"
