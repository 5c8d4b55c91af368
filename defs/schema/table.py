"""Tables as a database stores them: one flat schema a table or view, with types written out. (spec: validation 6)

A schema repeats what a definition says, in the database's words: ids, positions, and column types without references, so that
rows can be read without the module. `table_schema` and `view_schema` make one from a definition. The database gives the ids;
until then those of parts are 0, and names are local: `TableSchema.stored_under` puts the namespace of a submodule before them.

A type that contains itself cannot be written out. The reference crashes there; here it is a `TableSchemaError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import ClassVar, Literal, TypeAlias, TypeVar

from bsatn.errors import BsatnError
from bsatn.paths import Path
from bsatn.stack import on_enough_stack
from bsatn.types import U256, AlgebraicType, ProductType, ProductTypeElement
from defs.raw.shared import BTree, Direct, TableAccess, TableType
from defs.schema.model import (
    ColumnDef,
    IndexAlgorithm,
    ModuleDef,
    NamespacePath,
    OutboxDef,
    ScheduleDef,
    TableDef,
    ViewColumnDef,
    ViewDef,
)
from defs.schema.resolve import Unresolvable, resolve_refs

__all__ = [
    "ColumnSchema",
    "ColumnsNotFound",
    "ConstraintSchema",
    "EmptyName",
    "IndexSchema",
    "OneAutoInc",
    "OutboxSchema",
    "Problem",
    "ScheduleSchema",
    "SequenceSchema",
    "TableSchema",
    "TableSchemaError",
    "ViewInfo",
    "owner_of",
    "qualified",
    "table_schema",
    "view_schema",
]

_R = TypeVar("_R")


class TableSchemaError(BsatnError):
    """The definition has no schema.

    Kinds: `RecursiveColumnType`, a column's type contains itself; `InvalidTypeRef`, it refers to nothing; `TypeTooLarge`, it is
    too large or nested too deep when written out; `NotInModule`, the table is of another module. `path` says which column,
    `fields` holds its `table`, `column` and `ref`.
    """


_REASONS = {
    "RecursiveTypeRef": ("RecursiveColumnType", "contains itself: type &{ref} comes round again"),
    "InvalidTypeRef": ("InvalidTypeRef", "refers to type &{ref}, which does not exist"),
    "TypeTooLarge": ("TypeTooLarge", "is too large when written out without references"),
}


# Schemas ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ColumnSchema:
    """A column. `col_type` has no references. Default values stay with the definition."""

    table_id: int
    col_pos: int
    col_name: str
    alias: str | None
    col_type: AlgebraicType


@dataclass(frozen=True, slots=True)
class IndexSchema:
    """An index; its alias is the name in the source."""

    index_id: int
    table_id: int
    index_name: str
    alias: str | None
    index_algorithm: IndexAlgorithm

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of the indexed columns, in the index's order."""
        algorithm = self.index_algorithm
        return (algorithm.column,) if isinstance(algorithm, Direct) else algorithm.columns


@dataclass(frozen=True, slots=True)
class ConstraintSchema:
    """No two rows agree on all of `columns` (sorted, without repeats); there is no other kind of constraint."""

    table_id: int
    constraint_id: int
    constraint_name: str
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SequenceSchema:
    """A generator of a column's values, from `start` in steps of one; the bounds are the same for all."""

    INCREMENT: ClassVar[int] = 1
    MIN_VALUE: ClassVar[int] = 1
    MAX_VALUE: ClassVar[int] = (1 << 127) - 1

    sequence_id: int
    sequence_name: str
    table_id: int
    col_pos: int
    start: int = 1


@dataclass(frozen=True, slots=True)
class ScheduleSchema:
    """Rows of the table call `function_name` at the time in the column `at_column`."""

    table_id: int
    schedule_id: int
    schedule_name: str
    function_name: str
    at_column: int


@dataclass(frozen=True, slots=True)
class OutboxSchema:
    """Rows of the table call a reducer of another database; its answer goes to `on_result_reducer`, a qualified name."""

    remote_reducer: str
    target_column: int
    arg_columns: tuple[int, ...]
    on_result_reducer: str | None
    signature_hash: int | str  #: the 32 bytes read as a little-endian number; of releases before 2.14.0 a text


@dataclass(frozen=True, slots=True)
class ViewInfo:
    """What a table that stores a view's rows knows of the view. Types of parameters may have references."""

    view_id: int
    is_anonymous: bool
    params: ProductType


@dataclass(frozen=True, slots=True)
class TableSchema:
    """A table, or the stored rows of a view. (spec: validation 6.1)"""

    table_id: int
    table_name: str
    alias: str | None
    view_info: ViewInfo | None
    columns: tuple[ColumnSchema, ...]
    primary_key: int | None
    indexes: tuple[IndexSchema, ...]
    constraints: tuple[ConstraintSchema, ...]
    sequences: tuple[SequenceSchema, ...]
    table_type: TableType
    table_access: TableAccess
    schedule: ScheduleSchema | None = None
    is_event: bool = False
    outbox: OutboxSchema | None = None

    @property
    def row_type(self) -> ProductType:
        """The type of a row: the columns' names and types."""
        return ProductType(tuple(ProductTypeElement(column.col_name, column.col_type) for column in self.columns))

    def normalize(self) -> TableSchema:
        """The same with indexes, constraints and sequences sorted by name, which have no order of their own."""
        return replace(
            self,
            indexes=tuple(sorted(self.indexes, key=lambda one: one.index_name)),
            constraints=tuple(sorted(self.constraints, key=lambda one: one.constraint_name)),
            sequences=tuple(sorted(self.sequences, key=lambda one: one.sequence_name)),
        )

    def stored_under(self, namespace: NamespacePath) -> TableSchema:
        """The same with a namespace before the names a database qualifies; names of columns and schedules stay local."""
        return replace(
            self,
            table_name=qualified(namespace, self.table_name),
            indexes=tuple(replace(one, index_name=qualified(namespace, one.index_name)) for one in self.indexes),
            constraints=tuple(
                replace(one, constraint_name=qualified(namespace, one.constraint_name)) for one in self.constraints
            ),
            sequences=tuple(replace(one, sequence_name=qualified(namespace, one.sequence_name)) for one in self.sequences),
            schedule=self.schedule and replace(self.schedule, function_name=qualified(namespace, self.schedule.function_name)),
        )

    def problems(self) -> list[Problem]:
        """What is inconsistent in the schema by itself, in the reference's order. (spec: validation 6.2)"""
        return [*_missing_columns(self), *_empty_names(self), *_first_double_sequence(self)]


def qualified(namespace: NamespacePath, name: str) -> str:
    """The name with the namespaces before it, joined by dots."""
    return ".".join((*namespace, name))


# Problems ---------------------------------------------------------------------------------------------------

Part: TypeAlias = Literal["Column", "Index", "Constraint", "Sequence"]


@dataclass(frozen=True, slots=True)
class _Problem:
    table: str

    @property
    def kind(self) -> str:
        """The variant's name."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class ColumnsNotFound(_Problem):
    """A part of the table is over columns that the table does not have."""

    ty: Part
    name: str
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EmptyName(_Problem):
    """A part has no name; of a column, `id` is the position."""

    ty: Part
    id: int


@dataclass(frozen=True, slots=True)
class OneAutoInc(_Problem):
    """More than one sequence generates the column `field`."""

    field: str


Problem: TypeAlias = ColumnsNotFound | EmptyName | OneAutoInc


def _missing_columns(schema: TableSchema) -> Iterator[Problem]:
    parts: list[tuple[Part, str, Sequence[int]]] = [
        *(("Sequence", one.sequence_name, (one.col_pos,)) for one in schema.sequences),
        *(("Index", one.index_name, one.columns) for one in schema.indexes),
        *(("Constraint", one.constraint_name, one.columns) for one in schema.constraints),
    ]
    for ty, name, columns in parts:
        missing = tuple(col for col in columns if col >= len(schema.columns))
        if missing:
            yield ColumnsNotFound(schema.table_name, ty, name, missing)


def _empty_names(schema: TableSchema) -> Iterator[Problem]:
    parts: list[tuple[Part, str, int]] = [
        *(("Column", one.col_name, one.col_pos) for one in schema.columns),
        *(("Index", one.index_name, one.index_id) for one in schema.indexes),
        *(("Constraint", one.constraint_name, one.constraint_id) for one in schema.constraints),
        *(("Sequence", one.sequence_name, one.sequence_id) for one in schema.sequences),
    ]
    for ty, name, number in parts:
        if not name:
            yield EmptyName(schema.table_name, ty, number)


def _first_double_sequence(schema: TableSchema) -> Iterator[Problem]:
    """The first column of two sequences that stand side by side; those with others between them are not noticed."""
    for col, group in groupby(one.col_pos for one in schema.sequences):
        if len(list(group)) > 1 and col < len(schema.columns):  # of a missing column, the reference crashes
            yield OneAutoInc(schema.table_name, schema.columns[col].col_name)
            return


# From definitions -------------------------------------------------------------------------------------------


def table_schema(module: ModuleDef, table: TableDef, table_id: int = 0) -> TableSchema:
    """The schema of a table of the module or of one mounted in it. Raises TableSchemaError. (spec: validation 6.1)"""
    owner = owner_of(module, table)
    path = ("tables", table.name)
    return TableSchema(
        table_id=table_id,
        table_name=table.name,
        alias=table.accessor_name,
        view_info=None,
        columns=_columns(owner, table.columns, table.name, path, table_id),
        primary_key=table.primary_key,
        indexes=tuple(IndexSchema(0, table_id, one.name, one.source_name, one.algorithm) for one in table.indexes.values()),
        constraints=tuple(ConstraintSchema(table_id, 0, one.name, one.columns) for one in table.constraints.values()),
        sequences=tuple(SequenceSchema(0, one.name, table_id, one.column) for one in table.sequences.values()),
        table_type=table.table_type,
        table_access=table.table_access,
        schedule=None if table.schedule is None else _schedule(table.schedule, table_id),
        is_event=table.is_event,
        outbox=None if table.outbox is None else outbox_schema(table.outbox, table.namespace),
    )


def view_schema(module: ModuleDef, view: ViewDef, form: Literal["codegen", "datastore"] = "codegen") -> TableSchema:
    """The schema of a view: as clients see it, or as the database stores its rows. Raises TableSchemaError.

    The stored form begins with a column that tells the view's arguments apart, and is indexed by it; the view's primary key
    holds among rows of the same arguments. (spec: validation 6.1)
    """
    seen = _view_for_codegen(owner_of(module, view), view)
    return seen if form == "codegen" else _view_for_datastore(seen, view)


def _view_for_codegen(owner: ModuleDef, view: ViewDef) -> TableSchema:
    return TableSchema(
        table_id=0,
        table_name=view.name,
        alias=None,
        view_info=None,
        columns=_columns(owner, view.return_columns, view.name, ("views", view.name), 0),
        primary_key=view.primary_key if owner.version == 10 else None,
        indexes=(),
        constraints=(),
        sequences=(),
        table_type=TableType.User,
        table_access=TableAccess.Public if view.is_public else TableAccess.Private,
    )


def _view_for_datastore(seen: TableSchema, view: ViewDef) -> TableSchema:
    key = seen.primary_key
    over: dict[str, tuple[int, ...]] = {f"{view.name}_arg_hash_idx_btree": (0,)}
    unique: dict[str, tuple[int, ...]] = {}
    if key is not None:
        name = f"{view.name}_arg_hash_{seen.columns[key].col_name}"
        over[f"{name}_idx_btree"] = unique[f"{name}_key"] = (0, key + 1)
    return replace(
        seen,
        alias=view.accessor_name,
        view_info=ViewInfo(0, view.is_anonymous, view.params),
        columns=(
            ColumnSchema(0, 0, "arg_hash", None, U256),
            *(replace(column, col_pos=column.col_pos + 1) for column in seen.columns),
        ),
        primary_key=None,
        indexes=tuple(IndexSchema(0, 0, index, None, BTree(columns)) for index, columns in over.items()),
        constraints=tuple(ConstraintSchema(0, 0, constraint, columns) for constraint, columns in unique.items()),
    )


def owner_of(module: ModuleDef, one: TableDef | ViewDef) -> ModuleDef:
    """The module, of this one and those mounted in it, whose namespace the table or view is in."""
    found = next((part for part in module.modules() if part.path == one.namespace), None)
    if found is None:
        message = f"{one.qualified_name} is not in the module: no module is mounted at {'.'.join(one.namespace) or 'the root'}"
        raise TableSchemaError("NotInModule", message, table=one.qualified_name)
    return found


def _columns(
    owner: ModuleDef, columns: Sequence[ColumnDef | ViewColumnDef], table: str, path: Path, table_id: int
) -> tuple[ColumnSchema, ...]:
    return tuple(
        ColumnSchema(table_id, one.col_id, one.name, one.accessor_name, resolved_type(owner, one, table, path))
        for one in columns
    )


def resolved_type(owner: ModuleDef, column: ColumnDef | ViewColumnDef, table: str, path: Path) -> AlgebraicType:
    """A column's type without references. Raises TableSchemaError, with the table and column, when there is no such type."""
    try:
        return bounded(lambda: resolve_refs(column.ty, owner.typespace))
    except Unresolvable as error:
        kind, reason = _REASONS[error.kind]
        message = f"the type of column {column.name} of {table} {reason.format(ref=error.ref)}"
        place = (*path, "columns", column.name)
        raise TableSchemaError(kind, message, path=place, table=table, column=column.name, ref=error.ref) from None


def bounded(work: Callable[[], _R]) -> _R:
    """Do work that nests as deep as the types; too deep is Unresolvable."""
    try:
        return on_enough_stack(work)
    except RecursionError:
        raise Unresolvable("TypeTooLarge") from None


def _schedule(schedule: ScheduleDef, table_id: int) -> ScheduleSchema:
    return ScheduleSchema(table_id, 0, schedule.name, schedule.function_name, schedule.at_column)


def outbox_schema(outbox: OutboxDef, namespace: NamespacePath) -> OutboxSchema:
    """The outbox of a table in a namespace: the callback's name is qualified, unlike the other names."""
    callback = outbox.on_result_reducer
    return OutboxSchema(
        outbox.remote_reducer,
        outbox.target_column,
        outbox.arg_columns,
        None if callback is None else qualified(namespace, callback),
        outbox.signature_hash,
    )
