"""Rows: a class whose annotations are the columns of a table.

    @module.table(public=True)
    class Fighter(Table):
        id: U64 = column(primary_key=True, auto_inc=True)
        name: str = column(index="btree")

Deriving from `Table` or `EventTable` says which kind of table the class is for, to Python and to type checkers: `IS_EVENT` has
the literal type of its value, and `CanBeLookupTable` is what only classes of ordinary tables are. The decorator makes the class
a record (frozen, slotted), so a codec reads and writes its rows. (spec: event-tables 1.1)
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import keyword
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias, dataclass_transform

from bsatn.records import Declared
from defs.bindings.errors import DeclarationError

__all__ = ["Algorithm", "CanBeLookupTable", "EventTable", "Index", "Row", "Table", "column"]

Algorithm: TypeAlias = Literal["btree", "hash", "direct"]


class _Missing(enum.Enum):
    MISSING = "no default value"


MISSING = _Missing.MISSING  #: None is a value of options


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """What `column` says."""

    primary_key: bool = False
    auto_inc: bool = False
    unique: bool = False
    index: Algorithm | None = None
    default_value: Any = MISSING
    name: str | None = None

    @property
    def is_unique(self) -> bool:
        """Whether no two rows agree on it."""
        return self.primary_key or self.unique


def column(
    *,
    primary_key: bool = False,
    auto_inc: bool = False,
    unique: bool = False,
    index: Algorithm | None = None,
    default_value: Any = MISSING,
    name: str | None = None,
) -> Any:
    """A column that is more than its type.

    `primary_key` and `unique` bring a btree index where `index` names no other kind; `auto_inc` generates values of an
    integer where a row has 0. `default_value` is what rows stored before get when the column is added to a table; a row made
    in Python says it all the same. `name` is the column's, where Python cannot spell it; `from_` needs none, and is `from`.
    """
    return ColumnOptions(primary_key, auto_inc, unique, index, default_value, name)


@dataclass(frozen=True, slots=True)
class Index:
    """An index over columns, named as attributes of the class; make it with `btree`, `hash` or `direct`.

    `accessor` is what code calls it, `name` its canonical name where that is not to be generated.
    """

    algorithm: Algorithm
    columns: tuple[str, ...]
    accessor: str
    name: str | None = None

    @classmethod
    def btree(cls, *columns: str, accessor: str, name: str | None = None) -> Index:
        """An ordered index: equality and ranges, of the first columns or all."""
        return cls("btree", columns, accessor, name)

    @classmethod
    def hash(cls, *columns: str, accessor: str, name: str | None = None) -> Index:
        """A hash index: equality only."""
        return cls("hash", columns, accessor, name)

    @classmethod
    def direct(cls, column: str, *, accessor: str, name: str | None = None) -> Index:
        """An array indexed by one small integer or plain enum that is unique."""
        return cls("direct", (column,), accessor, name)


@dataclass_transform(frozen_default=True, field_specifiers=(column,))
class Row:
    """Base of the two kinds of row class; derive from one of those."""

    __slots__ = ()
    __columns__: ClassVar[dict[str, Any]]
    __tables__: ClassVar[tuple[Any, ...]]  #: what `Module.table` was told of the class, each time

    def __init__(self, *_: Any, **__: Any) -> None:
        raise DeclarationError("NotATable", f"class {type(self).__name__} is not yet declared: decorate it with @module.table")


class Table(Row):
    """Base of the rows of an ordinary table."""

    __slots__ = ()
    IS_EVENT: ClassVar[Literal[False]] = False


class EventTable(Row):
    """Base of the rows of an event table: delivered and logged, never stored."""

    __slots__ = ()
    IS_EVENT: ClassVar[Literal[True]] = True


class CanBeLookupTable(Protocol):
    """What the class of an ordinary table is and that of an event table is not, as upstream's trait of this name.

    Events are gone when a query looks them up, so a typed query builder takes `type[T]` with `T` bound to this.
    """

    IS_EVENT: ClassVar[Literal[False]]


_KINDS = (Row, Table, EventTable, object)


def wire_name(attribute: str) -> str:
    """The name on the wire: that of the attribute, without the underscore that makes a Python keyword writable."""
    bare = attribute.removesuffix("_")
    return bare if keyword.iskeyword(bare) else attribute


def make_row(cls: type[Any], scope: Any) -> type[Any]:
    """The class as a record with `__columns__`, options by attribute; one that is a record already stays as it is."""
    if "__columns__" in cls.__dict__:
        return cls
    if not issubclass(cls, (Table, EventTable)):
        raise DeclarationError("NotATable", "a table's class derives from Table or EventTable", path=(cls.__name__,))
    for base in cls.__mro__[1:]:
        if base not in _KINDS and inspect.get_annotations(base):
            message = f"the columns of {base.__name__} would be lost: a table's class declares its columns itself"
            raise DeclarationError("InheritedColumns", message, path=(cls.__name__,))
    columns: dict[str, ColumnOptions] = {}
    for attribute, annotation in inspect.get_annotations(cls).items():
        if _is_class_variable(annotation):
            continue
        options = cls.__dict__.get(attribute, ColumnOptions())
        if not isinstance(options, ColumnOptions):
            message = f"{options!r} is no column option: say column(default_value={options!r})"
            raise DeclarationError("NotAColumn", message, path=(cls.__name__, attribute))
        columns[attribute] = options
        name = options.name or wire_name(attribute)
        field: Any = dataclasses.field(metadata={"name": name if name != attribute else None, "since": None})
        setattr(cls, attribute, field)
    lost = [name for name, value in cls.__dict__.items() if isinstance(value, ColumnOptions)]
    if lost:
        raise DeclarationError("NotAColumn", "the column has no type: annotate it", path=(cls.__name__, lost[0]))
    made: type[Any] = dataclass(frozen=True, slots=True)(cls)
    made.__columns__ = columns
    made.__bsatn__ = Declared(is_case=False, name=made.__name__, since=None, namespace=scope)
    return made


def _is_class_variable(annotation: Any) -> bool:
    text = annotation if isinstance(annotation, str) else repr(annotation)
    return text.removeprefix("typing.").startswith("ClassVar")
