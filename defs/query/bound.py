"""Tables of classes that `defs.bindings` declares.

A type checker knows of such a class whether its rows are events, and nothing of its columns: their annotations are what its
instances hold. For columns with types write the module's tables out with `bsatn generate`. (spec: event-tables 6.1)
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, overload

from bsatn.errors import DefinitionError
from bsatn.records import shape_of
from bsatn.shapes import Bool, Bytes, Float, Int, Newtype, Product, Shape, String
from bsatn.typeshapes import type_of_shape
from defs.query.columns import IndexedColumn
from defs.query.errors import QueryError, UnknownTable
from defs.query.handles import ColumnInfo, Handle, TableInfo
from defs.query.kinds import kind_of_type

if TYPE_CHECKING:
    from defs.bindings.rows import EventTable, Table
    from defs.bindings.tables import TableDeclaration

__all__ = ["BoundEventTable", "BoundTable", "table"]

_R = TypeVar("_R")
_Row = TypeVar("_Row", bound="Table")
_Event = TypeVar("_Event", bound="EventTable")


class _Bound(Handle[_R], Generic[_R]):
    """A table of a class; a type checker takes any name for a column, of any type."""

    def __init__(self, table: TableInfo) -> None:
        self.__dict__["__info__"] = table

    @property
    def __table__(self) -> TableInfo:
        info: TableInfo = self.__dict__["__info__"]
        return info

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> IndexedColumn[typing.Self, Any, Any]: ...


class BoundTable(_Bound[_R]):
    """An ordinary table of a class."""

    IS_EVENT: ClassVar[Literal[False]] = False


class BoundEventTable(_Bound[_R]):
    """An event table of a class."""

    IS_EVENT: ClassVar[Literal[True]] = True


@overload
def table(cls: type[_Row], /, accessor: str | None = None) -> BoundTable[_Row]: ...
@overload
def table(cls: type[_Event], /, accessor: str | None = None) -> BoundEventTable[_Event]: ...
def table(cls: type[Any], /, accessor: str | None = None) -> Any:
    """The table that `Module.table` declared of a class; `accessor` says which, where there are several. Raises QueryError."""
    declared: tuple[TableDeclaration, ...] = cls.__dict__.get("__tables__", ()) if isinstance(cls, type) else ()
    if not declared:
        raise QueryError("NotATable", f"{cls!r:.80} is no table", "declare a class with @module.table")
    found = [one for one in declared if accessor in (None, one.accessor)]
    if len({one.accessor for one in found}) != 1:
        names = ", ".join(sorted({one.accessor for one in declared}))
        message = f"class {cls.__name__} is of the tables {names}" + ("" if accessor is None else f", not of {accessor}")
        raise UnknownTable("UnknownTable", message, "name one: table(Class, accessor)")
    made = BoundEventTable if found[0].is_event else BoundTable
    return made(_of_class(cls, found[0]))


def _of_class(cls: type[Any], declared: TableDeclaration) -> TableInfo:
    try:
        shape = shape_of(cls)
    except DefinitionError as error:
        raise QueryError("NotATable", str(error)) from None
    assert isinstance(shape, Product)
    hints = typing.get_type_hints(cls, localns={**declared.scope, cls.__name__: cls}, include_extras=True)
    indexed = {index.columns[0] for index in declared.indexes if len(index.columns) == 1}
    columns: dict[str, ColumnInfo] = {}
    for place, (attribute, name, part) in enumerate(zip(shape.attributes, shape.names, shape.fields, strict=True)):
        columns[attribute] = ColumnInfo(name or "", _kind_of_shape(part, hints[attribute]), place in indexed)
    return TableInfo(declared.accessor, cls, declared.is_event, columns)


_LEAVES = (Bool, Bytes, Float, Int, Newtype, String)


def _kind_of_shape(shape: Shape, annotation: Any) -> Any:
    """What has no literals is told apart by its annotation."""
    return kind_of_type(type_of_shape(shape)) if isinstance(shape, _LEAVES) else annotation
