"""Whether a stored table still is what a definition says: the first difference, in a fixed order. (spec: validation 6.3)

The comparisons are yielded one by one in the reference's order; the first that differs is the answer, and nothing after it is
looked at.

What is not compared may differ freely: whether it is an event table, aliases, default values, the column of a schedule's
time, what a stored view knows of the view, and every id but the position of a column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from defs.schema.model import ModuleDef, NamespacePath, ScheduleDef, TableDef
from defs.schema.resolve import Unresolvable
from defs.schema.table import (
    ColumnSchema,
    OutboxSchema,
    ScheduleSchema,
    TableSchema,
    TableSchemaError,
    bounded,
    outbox_schema,
    owner_of,
    resolved_type,
)

__all__ = ["Mismatch", "check_compatible"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference: `found` is what the schema has, `expected` what the definition says; None stands for nothing there."""

    kind: str  #: `NotInNamespace`, `IndexNotFound`, `IndexAlgorithmMismatch`, `IndexCountMismatch`, ...
    element: str  #: what differs, `table player` or `index player_id_idx_btree`
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.kind}: {self.element}: expected {self.expected}, found {self.found}"


#: Kind of mismatch, element, expected, found.
_Comparison: TypeAlias = tuple[str, str, Any, Any]


def check_compatible(schema: TableSchema, module: ModuleDef, table: TableDef) -> Mismatch | None:
    """The first difference between a stored schema and the definition; None when they agree.

    Names in the schema are as stored, with the namespace of a submodule before them. Raises TableSchemaError for a table that
    is not of the module, or types too deep to compare.
    """
    owner = owner_of(module, table)

    def first() -> Mismatch | None:
        return next((Mismatch(*one) for one in _comparisons(schema, owner, table) if one[2] != one[3]), None)

    try:
        return bounded(first)
    except Unresolvable as error:
        raise TableSchemaError(error.kind, f"types of {table.name} are too deep to compare", table=table.name) from None


def _comparisons(schema: TableSchema, owner: ModuleDef, table: TableDef) -> Iterator[_Comparison]:
    yield from _name("table", "TableNameMismatch", schema.table_name, table.namespace, table.name)
    name = f"table {schema.table_name}"
    yield "PrimaryKeyMismatch", name, table.primary_key, schema.primary_key
    yield "TableAccessMismatch", name, table.table_access, schema.table_access
    yield "TableTypeMismatch", name, table.table_type, schema.table_type
    for column in schema.columns:
        yield from _column(column, owner, table)
    yield "ColumnCountMismatch", name, len(table.columns), len(schema.columns)
    yield from _parts(schema, table)
    yield from _schedule(schema.schedule, table.schedule)
    yield "SchedulePresenceMismatch", name, table.schedule is not None, schema.schedule is not None
    outbox = None if table.outbox is None else outbox_schema(table.outbox, table.namespace)
    yield from _outbox(name, schema.outbox, outbox)
    yield "OutboxPresenceMismatch", name, outbox is not None, schema.outbox is not None


def _prefix(namespace: NamespacePath) -> str:
    return "".join(f"{segment}." for segment in namespace)


def _local(stored: str, namespace: NamespacePath) -> str | None:
    """The stored name without the namespace; a local name may have dots of its own. None when it is not in the namespace."""
    prefix = _prefix(namespace)
    return stored.removeprefix(prefix) if stored.startswith(prefix) else None


def _name(element: str, kind: str, stored: str, namespace: NamespacePath, expected: str) -> Iterator[_Comparison]:
    local = _local(stored, namespace)
    if local is None:
        yield "NotInNamespace", f"{element} {stored}", _prefix(namespace), stored
    yield kind, f"{element} {stored}", expected, local


def _column(column: ColumnSchema, owner: ModuleDef, table: TableDef) -> Iterator[_Comparison]:
    name = f"column {column.col_name}"
    if not 0 <= column.col_pos < len(table.columns):
        yield "ColumnNotFound", name, None, column.col_pos
        return
    said = table.columns[column.col_pos]
    yield "ColumnNameMismatch", name, said.name, column.col_name
    try:
        kind = resolved_type(owner, said, table.name, ("tables", table.name))
    except TableSchemaError as error:
        yield error.kind, name, None, column.col_type
        return
    yield "ColumnTypeMismatch", name, kind, column.col_type
    yield "ColumnIdMismatch", name, said.col_id, column.col_pos


def _parts(schema: TableSchema, table: TableDef) -> Iterator[_Comparison]:
    """Indexes, constraints, sequences: each is found by name and says the same of columns; then there are as many."""
    kinds: tuple[tuple[str, str, Any, Any], ...] = (
        (
            "Index",
            "Algorithm",
            [(one.index_name, one.index_algorithm) for one in schema.indexes],
            {key: (one.name, one.algorithm) for key, one in table.indexes.items()},
        ),
        (
            "Constraint",
            "Data",
            [(one.constraint_name, one.columns) for one in schema.constraints],
            {key: (one.name, one.columns) for key, one in table.constraints.items()},
        ),
        (
            "Sequence",
            "Column",
            [(one.sequence_name, one.col_pos) for one in schema.sequences],
            {key: (one.name, one.column) for key, one in table.sequences.items()},
        ),
    )
    for kind, content, stored, said in kinds:
        for name, value in stored:
            element = f"{kind.lower()} {name}"
            local = _local(name, table.namespace)
            if local is None:
                yield "NotInNamespace", element, _prefix(table.namespace), name
                return
            if local not in said:
                yield f"{kind}NotFound", element, None, name
                return
            expected_name, expected = said[local]
            yield f"{kind}NameMismatch", element, expected_name, local
            yield f"{kind}{content}Mismatch", element, expected, value
        yield f"{kind}CountMismatch", f"table {schema.table_name}", len(said), len(stored)


def _schedule(stored: ScheduleSchema | None, said: ScheduleDef | None) -> Iterator[_Comparison]:
    if stored is None:
        return
    name = f"schedule {stored.schedule_name}"
    if said is None:
        yield "ScheduleNotFound", name, None, stored.schedule_name
        return
    yield "ScheduleNameMismatch", name, said.name, stored.schedule_name
    function = said.function_name
    yield from _name(f"{name}: function", "ScheduleFunctionNameMismatch", stored.function_name, said.namespace, function)


def _outbox(name: str, stored: OutboxSchema | None, said: OutboxSchema | None) -> Iterator[_Comparison]:
    if stored is None:
        return
    name = f"outbox of {name}"
    if said is None:
        yield "OutboxNotFound", name, None, stored.remote_reducer
        return
    yield "OutboxRemoteReducerMismatch", name, said.remote_reducer, stored.remote_reducer
    yield "OutboxTargetColumnMismatch", name, said.target_column, stored.target_column
    yield "OutboxArgColumnsMismatch", name, said.arg_columns, stored.arg_columns
    yield "OutboxOnResultReducerMismatch", name, said.on_result_reducer, stored.on_result_reducer
    yield "OutboxSignatureHashMismatch", name, said.signature_hash, stored.signature_hash
