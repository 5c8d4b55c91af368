"""Tables: what a decorator says of a row class, checked, and fed to the builder in upstream's order.

`declare_table` checks all that needs no types, when the class is declared; `register_table` checks the rest, when the module is
built and every name is known. (spec: event-tables 1.1; validation 2.7, 2.9, 2.12)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, NoReturn

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.errors import EncodeError
from bsatn.shapes import Product, Sum, is_unit
from defs.bindings.errors import DeclarationError
from defs.bindings.rows import MISSING, Algorithm, ColumnOptions, Index
from defs.bindings.types import Scope, Types, read_shape
from defs.raw import v10
from defs.raw.shared import BTree, Direct, Hash, RawIndexAlgorithm, TableAccess, TableType

__all__ = ["Outbox", "Schedule", "TableDeclaration", "declare_table", "register_table"]

_ALGORITHMS: dict[Algorithm, Callable[[tuple[int, ...]], RawIndexAlgorithm]] = {
    "btree": BTree, "hash": Hash, "direct": lambda columns: Direct(columns[0]),
}  # fmt: skip
_DIRECT = (t.U8, t.U16, t.U32, t.U64)


def source_name(function: str | Callable[..., Any]) -> str:
    """The name of a function that is given itself or by name."""
    return function if isinstance(function, str) else function.__name__


@dataclass(frozen=True, slots=True)
class Schedule:
    """Rows of a table call `function`, a reducer or procedure or its name, when the column `at` says."""

    function: str | Callable[..., Any]
    at: str = "scheduled_at"

    @property
    def function_name(self) -> str:
        """The function's source name."""
        return source_name(self.function)


@dataclass(frozen=True, slots=True)
class Outbox:
    """Rows of a table call a reducer of another database.

    `target` is the column with that database's identity, `arguments` the columns with the reducer's arguments (by default all
    but the primary key and the target). `signature_hash` is that of the remote reducer, 32 bytes; `on_result` the reducer, or
    its name, that is told how it went.
    """

    remote_reducer: str
    target: str
    signature_hash: bytes
    arguments: tuple[str, ...] | None = None
    on_result: str | Callable[..., Any] | None = None

    @property
    def callback(self) -> str | None:
        """The source name of the reducer that is told how it went."""
        return None if self.on_result is None else source_name(self.on_result)


@dataclass(frozen=True, slots=True)
class PlannedIndex:
    """An index, its columns by position; without an accessor it is called like its column."""

    algorithm: Algorithm
    columns: tuple[int, ...]
    accessor: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class TableDeclaration:
    """A table as declared: everything but its types."""

    cls: type[Any]
    scope: Scope
    accessor: str
    name: str | None
    is_public: bool
    options: tuple[ColumnOptions, ...]
    attributes: tuple[str, ...]
    indexes: tuple[PlannedIndex, ...]
    schedule: tuple[str, int] | None
    outbox: Outbox | None

    @property
    def is_event(self) -> bool:
        """Whether it is an event table."""
        return bool(self.cls.IS_EVENT)

    @property
    def primary_key(self) -> int | None:
        """Position of the primary key."""
        return next((place for place, one in enumerate(self.options) if one.primary_key), None)

    def fault(self, kind: str, message: str, attribute: str | None = None) -> NoReturn:
        """Raise what is wrong with the table, or with a column."""
        where = (self.cls.__name__,) if attribute is None else (self.cls.__name__, attribute)
        raise DeclarationError(kind, f"table {self.accessor}: {message}", path=where)

    def position(self, attribute: str, user: str) -> int:
        """Position of a column that something, `user`, names."""
        if attribute not in self.attributes:
            known = ", ".join(self.attributes) or "none"
            self.fault("ColumnNotFound", f"{user} names a column {attribute!r}; the columns are {known}")
        return self.attributes.index(attribute)


# -- declaring


def declare_table(
    cls: type[Any],
    scope: Scope,
    *,
    accessor: str,
    name: str | None,
    public: bool,
    indexes: Sequence[Index],
    scheduled: Schedule | None,
    outbox: Outbox | None,
) -> TableDeclaration:
    """What the decorator says of a row class. Raises DeclarationError."""
    columns: dict[str, ColumnOptions] = cls.__columns__
    bare = TableDeclaration(cls, scope, accessor, name, public, tuple(columns.values()), tuple(columns), (), None, outbox)
    keys = [attribute for attribute, one in columns.items() if one.primary_key]
    if len(keys) > 1:
        bare.fault("RepeatedPrimaryKey", f"a table has one primary key, not {' and '.join(keys)}", keys[1])
    for attribute, one in columns.items():
        if one.default_value is not MISSING and (one.is_unique or one.auto_inc):
            message = "a column that is unique, a primary key or auto_inc has no default value: all old rows would get the same"
            bare.fault("InvalidDefault", message, attribute)
        if one.index is not None and one.index not in _ALGORITHMS:
            bare.fault("UnknownIndex", f"the index is {one.index!r}; expected one of {', '.join(_ALGORITHMS)}", attribute)
    schedule = None
    if scheduled is not None:
        if bare.is_event:
            bare.fault("ScheduledEventTable", "a scheduled table must not be an event table: its rows wait, events do not stay")
        if not keys:
            bare.fault("ScheduledIncorrectColumns", "a scheduled table needs a primary key of type U64")
        schedule = scheduled.function_name, bare.position(scheduled.at, "the schedule")
    if outbox is not None:
        _check_outbox(bare, outbox, schedule is not None)
    planned = tuple(_plan_indexes(bare, indexes))
    return replace(bare, indexes=planned, schedule=schedule)


def _check_outbox(table: TableDeclaration, outbox: Outbox, is_scheduled: bool) -> None:
    if table.is_event:
        table.fault("OutboxEventTable", "an outbox must not be an event table")
    if is_scheduled:
        table.fault("OutboxScheduledTable", "an outbox must not be a scheduled table")
    if table.primary_key is None:
        table.fault("OutboxMissingPrimaryKey", "an outbox needs a primary key of type U64")
    if len(outbox.signature_hash) != 32:
        table.fault("InvalidSignatureHash", f"the signature hash of the outbox has 32 bytes, not {len(outbox.signature_hash)}")
    for attribute in (outbox.target, *(outbox.arguments or ())):
        table.position(attribute, "the outbox")


def _plan_indexes(table: TableDeclaration, indexes: Sequence[Index]) -> Iterable[PlannedIndex]:
    """The indexes in upstream's order: of the table, of columns, of unique columns without one; those on unique ones first."""
    planned = [
        PlannedIndex(
            one.algorithm,
            tuple(table.position(attribute, f"the index {one.accessor}") for attribute in one.columns),
            one.accessor,
            one.name,
        )
        for one in indexes
    ]
    for one in planned:
        if not one.columns or len(set(one.columns)) < len(one.columns):
            what = "a column twice" if one.columns else "no column"
            table.fault("DuplicateColumns", f"the index {one.accessor} names {what}")
    options = list(enumerate(table.options))
    planned += [PlannedIndex(one.index, (place,)) for place, one in options if one.index is not None]
    unique = [(place,) for place, one in options if one.is_unique]
    indexed = {one.columns for one in planned}
    planned += [PlannedIndex("btree", columns) for columns in unique if columns not in indexed]
    for one in planned:
        if one.algorithm == "direct" and one.columns not in unique:
            message = "a direct index is for a column that is unique"
            table.fault("DirectIndexNotUnique", message, table.attributes[one.columns[0]])
    return sorted(planned, key=lambda one: one.columns not in unique)


# -- registering


def register_table(types: Types, table: TableDeclaration) -> int:
    """Add the table to the module in the making; the reference of its row type. Raises DeclarationError."""
    shape = read_shape(table.cls, table.scope, (table.cls.__name__,))
    row = types.of_shape(shape, (table.cls.__name__,))
    assert isinstance(shape, Product)
    assert isinstance(row, t.Ref)
    names = [name or "" for name in shape.names]
    kinds = [types.of_shape(part, (table.cls.__name__,)) for part in shape.fields]
    _check_types(table, shape, kinds)
    builder = (
        types.builder.build_table(table.accessor, row.index)
        .with_type(TableType.User)
        .with_access(TableAccess.Public if table.is_public else TableAccess.Private)
        .with_event(table.is_event)
    )
    for place, options in enumerate(table.options):
        if options.is_unique:
            builder.with_unique_constraint(place)
    explicit: list[v10.ExplicitNameEntry] = []
    if table.name is not None:
        explicit.append(v10.TableName(v10.NameMapping(table.accessor, table.name)))
    for index in table.indexes:
        source = "_".join((table.accessor, *(names[place] for place in index.columns), "idx", index.algorithm))
        builder.with_index(_ALGORITHMS[index.algorithm](index.columns), source, index.accessor or names[index.columns[0]])
        if index.name is not None:
            explicit.append(v10.IndexName(v10.NameMapping(source, index.name)))
    if table.primary_key is not None:
        builder.with_primary_key(table.primary_key)
    for place, options in enumerate(table.options):
        if options.auto_inc:
            builder.with_column_sequence(place)
    for place, options in enumerate(table.options):
        if options.default_value is not MISSING:
            builder.with_default_column_value(place, _encoded(table, shape, place))
    ref = builder.finish()
    if table.schedule is not None:
        function, at = table.schedule
        types.builder.add_schedule(table.accessor, at, function)
    if table.outbox is not None:
        _register_outbox(types, table, table.outbox)
    types.builder.add_explicit_names(explicit)
    return ref


def _check_types(table: TableDeclaration, shape: Product, kinds: Sequence[t.AlgebraicType]) -> None:
    """The columns are of the types that their options ask for."""
    for place, (attribute, options, kind) in enumerate(zip(table.attributes, table.options, kinds, strict=True)):
        if options.auto_inc and kind not in t.INTEGERS:
            table.fault("InvalidSequenceColumnType", f"auto_inc needs an integer, not {_shown(shape, place, kind)}", attribute)
    for index in table.indexes:
        place = index.columns[0]
        part = shape.fields[place]
        plain = isinstance(part, Sum) and all(map(is_unit, part.payloads))
        if index.algorithm == "direct" and not plain and kinds[place] not in _DIRECT:
            message = f"a direct index needs a U8, U16, U32, U64 or plain enum, not {_shown(shape, place, kinds[place])}"
            table.fault("DirectIndexOnBadType", message, table.attributes[place])
    key = table.primary_key
    if table.schedule is not None:
        at = table.schedule[1]
        if kinds[at] != t.SCHEDULE_AT:
            message = f"the column that says when is a ScheduleAt, not {_shown(shape, at, kinds[at])}"
            table.fault("ScheduledIncorrectColumns", message, table.attributes[at])
    for user, asked, fault in (
        ("a scheduled table", table.schedule, "ScheduledIncorrectColumns"),
        ("an outbox", table.outbox, "OutboxInvalidPrimaryKey"),
    ):
        if asked is not None and key is not None and kinds[key] != t.U64:
            message = f"the primary key of {user} is a U64, not {_shown(shape, key, kinds[key])}"
            table.fault(fault, message, table.attributes[key])
    if table.outbox is not None:
        target = table.attributes.index(table.outbox.target)
        if kinds[target] not in (t.IDENTITY, t.U256):
            message = f"the target of an outbox is an Identity or U256, not {_shown(shape, target, kinds[target])}"
            table.fault("OutboxTargetColumnMissing", message, table.attributes[target])


def _shown(shape: Product, place: int, kind: t.AlgebraicType) -> str:
    """A column's type for a person: the class's name where it is a reference."""
    part = shape.fields[place]
    named = getattr(getattr(part, "cls", None), "__name__", None) or getattr(part, "name", None)
    return str(named) if isinstance(kind, t.Ref) and named else repr(kind)


def _encoded(table: TableDeclaration, shape: Product, place: int) -> bytes:
    """The bytes of a column's default value."""
    codec: Codec[Any] = Codec(Annotated[Any, shape.fields[place]])
    try:
        return codec.encode(table.options[place].default_value)
    except EncodeError as error:
        table.fault("ColumnDefaultValueMalformed", f"the default value does not fit: {error}", table.attributes[place])


def _register_outbox(types: Types, table: TableDeclaration, outbox: Outbox) -> None:
    target = table.attributes.index(outbox.target)
    if outbox.arguments is None:
        arguments = [place for place in range(len(table.attributes)) if place not in (target, table.primary_key)]
    else:
        arguments = [table.attributes.index(attribute) for attribute in outbox.arguments]
    signature = int.from_bytes(outbox.signature_hash, "little")
    types.builder.add_outbox(table.accessor, outbox.remote_reducer, target, arguments, outbox.callback, signature)
