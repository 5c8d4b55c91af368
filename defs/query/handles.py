"""Tables as queries see them: a name, columns, which of them have an index, whether rows are events.

A typed table is a class whose annotations are its columns, as `bsatn generate` writes it:

    class FighterTable(Table[Fighter], name="fighter"):
        id: IndexedColumn[FighterTable, int, kinds.U64]
        name: Column[FighterTable, str, kinds.String]

    fighter = FighterTable()

`Table` and `EventTable` differ in the literal type of `IS_EVENT`, which is what `CanBeLookupTable` of `defs.bindings` looks at.
The columns are
made when one is first asked for, so classes may name one another in any order. Everything else about a table is in
`__table__`, since any other name may be a column's.
"""

from __future__ import annotations

import difflib
import inspect
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Literal, TypeVar

from defs.query.columns import Column, IndexedColumn
from defs.query.errors import QueryError, UnknownColumn

if TYPE_CHECKING:
    from typing import Self

__all__ = ["AnyTable", "ColumnInfo", "EventTable", "Handle", "Table", "TableInfo", "View"]

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column's name in SQL, its kind, whether an index is its own."""

    name: str
    kind: Any
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table's name in SQL, its row class, its columns by attribute."""

    name: str
    row: Any
    is_event: bool
    columns: Mapping[str, ColumnInfo]
    #: kinds of the parameters of a view that has some
    parameters: tuple[Any, ...] = field(default=())


class Handle(Generic[_R]):
    """Base of tables with rows `_R`."""

    IS_EVENT: ClassVar[Any] = False

    __named__: ClassVar[str] = ""

    def __init_subclass__(cls, *, name: str | None = None) -> None:
        super().__init_subclass__()
        if name is not None:
            cls.__named__ = name

    @property
    def __table__(self) -> TableInfo:
        cls = type(self)
        known: TableInfo | None = cls.__dict__.get("__known_table__")
        if known is None:
            if not cls.__named__:
                raise QueryError(
                    "NotATable", f"class {cls.__name__} has no table", f'say class {cls.__name__}(..., name="...")'
                )
            known = TableInfo(cls.__named__, _row_of(cls), bool(cls.IS_EVENT), _columns_of(cls))
            cls.__known_table__ = known  # type: ignore[attr-defined]
        return known

    def __getitem__(self, name: str) -> IndexedColumn[Self, Any, Any]:
        """A column by its attribute or its name in SQL. Raises UnknownColumn."""
        table = self.__table__
        info = table.columns.get(name) or next((one for one in table.columns.values() if one.name == name), None)
        if info is None:
            close = difflib.get_close_matches(name, table.columns, n=1)
            hint = f"did you mean {close[0]}?" if close else f"its columns are {_listed(table.columns)}"
            raise UnknownColumn("UnknownColumn", f"{table.name} has no column {name}", hint)
        made: type[Any] = IndexedColumn if info.indexed else Column
        column: IndexedColumn[Self, Any, Any] = made(self, info.name, info.kind, info.indexed)
        return column

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__table__.columns})

    def __repr__(self) -> str:
        return f"<{'event ' if self.__table__.is_event else ''}table {self.__table__.name}>"

    if not TYPE_CHECKING:  # to a type checker a table has the columns that its class says

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__") and name.endswith("__") and name not in self.__table__.columns:
                raise AttributeError(name)
            return self[name]


class Table(Handle[_R]):
    """Base of ordinary tables."""

    IS_EVENT: ClassVar[Literal[False]] = False


class View(Table[_R]):
    """Base of views without parameters: read like tables, and never joined, as they have no indexes."""


class EventTable(Handle[_R]):
    """Base of event tables: a join may start from one, and never look one up."""

    IS_EVENT: ClassVar[Literal[True]] = True


class AnyTable(Handle[Any]):
    """A table known at run time only. A type checker takes any name for a column, of any type."""

    def __init__(self, table: TableInfo) -> None:
        self.__dict__["__info__"] = table

    @property
    def __table__(self) -> TableInfo:
        info: TableInfo = self.__dict__["__info__"]
        return info

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> IndexedColumn[Self, Any, Any]: ...


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join([*list(names)[:20], *(["…"] if len(names) > 20 else [])]) or "none"


def _row_of(cls: type[Any]) -> Any:
    for base in getattr(cls, "__orig_bases__", ()):
        for argument in typing.get_args(base):
            return argument
    return None


def _columns_of(cls: type[Any]) -> dict[str, ColumnInfo]:
    """The columns that annotations say, without those of the base classes."""
    try:
        hints = typing.get_type_hints(cls, localns={cls.__name__: cls}, include_extras=True)
    except NameError as error:
        raise QueryError("NotATable", f"class {cls.__name__}: {error}") from None
    columns: dict[str, ColumnInfo] = {}
    for attribute in inspect.get_annotations(cls):
        hint, name = hints[attribute], attribute
        if typing.get_origin(hint) is Annotated:
            hint, name = typing.get_args(hint)[:2]
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin in (Column, IndexedColumn):
            columns[attribute] = ColumnInfo(name, arguments[2], origin is IndexedColumn)
    return columns
