"""A table in the words of the system tables, both ways: the rows that describe a schema, and the schema that rows describe.

(spec: event-tables 1.2, 2)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, Final, TypeVar

from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.limits import Limits
from bsatn.types import AlgebraicType, ProductType, ProductTypeElement
from defs.raw.shared import TableAccess, TableType
from defs.schema.table import (
    ColumnSchema,
    ConstraintSchema,
    IndexSchema,
    OutboxSchema,
    ScheduleSchema,
    SequenceSchema,
    TableSchema,
    ViewInfo,
)
from defs.system import rows as st
from defs.system.errors import StoreError

__all__ = ["Described", "Describing", "column_type", "decoded_type", "describing_rows", "row_codec", "schema_of"]

_R = TypeVar("_R")
_E = TypeVar("_E", bound=Enum)

#: Types of columns may nest some 80 products deep, which leaves room on the stack for whatever is done with them.
_TYPE: Final[Codec[AlgebraicType]] = Codec(AlgebraicType, limits=Limits(depth=256))


_CODECS: dict[type[Any], Codec[Any]] = {}


def row_codec(row: type[_R]) -> Codec[_R]:
    """The codec of a record of `defs.system.rows`."""
    if row not in _CODECS:
        _CODECS[row] = Codec(row)
    return _CODECS[row]


@dataclass(frozen=True, slots=True)
class Described:
    """A row of a system table."""

    table_id: int
    row: Any

    def encode(self) -> bytes:
        """The row's BSATN."""
        return row_codec(type(self.row)).encode(self.row)


def describing_rows(schema: TableSchema, *, allocated: int | None = None) -> Iterator[Described]:
    """The rows that describe a table, in the order in which the server writes them. (spec: event-tables 1.2)

    `allocated` is what its sequences give next; by default each starts at its start. Of names in generated code (aliases) only
    those known get rows. Views have rows of their own, which are not among these.
    """
    number, name = schema.table_id, schema.table_name
    key = None if schema.primary_key is None else (schema.primary_key,)
    kind, access = schema.table_type.name.lower(), schema.table_access.name.lower()
    yield Described(st.ST_TABLE_ID, st.StTableRow(number, name, kind, access, key))
    if schema.alias is not None:
        yield Described(st.ST_TABLE_ACCESSOR_ID, st.StTableAccessorRow(name, schema.alias))
    for column in schema.columns:
        encoded = _TYPE.encode(column.col_type)
        yield Described(st.ST_COLUMN_ID, st.StColumnRow(number, column.col_pos, column.col_name, encoded))
        if column.alias is not None:
            yield Described(st.ST_COLUMN_ACCESSOR_ID, st.StColumnAccessorRow(name, column.col_name, column.alias))
    if schema.schedule is not None:
        due = schema.schedule
        row = st.StScheduledRow(due.schedule_id, number, due.function_name, due.schedule_name, due.at_column)
        yield Described(st.ST_SCHEDULED_ID, row)
    if schema.is_event:
        yield Described(st.ST_EVENT_TABLE_ID, st.StEventTableRow(number))
    if schema.outbox is not None:
        yield Described(st.ST_OUTBOX_ID, _outbox_row(number, schema.outbox))
    for index in schema.indexes:
        yield Described(st.ST_INDEX_ID, st.StIndexRow(index.index_id, number, index.index_name, index.index_algorithm))
        if index.alias is not None:
            yield Described(st.ST_INDEX_ACCESSOR_ID, st.StIndexAccessorRow(index.index_name, index.alias))
    for one in schema.constraints:
        unique = st.Unique(one.columns)
        yield Described(st.ST_CONSTRAINT_ID, st.StConstraintRow(one.constraint_id, one.constraint_name, number, unique))
    for sequence in schema.sequences:
        yield Described(st.ST_SEQUENCE_ID, _sequence_row(sequence, allocated))


def _sequence_row(sequence: SequenceSchema, allocated: int | None) -> st.StSequenceRow:
    return st.StSequenceRow(
        sequence.sequence_id,
        sequence.sequence_name,
        sequence.table_id,
        sequence.col_pos,
        sequence.INCREMENT,
        sequence.start,
        sequence.MIN_VALUE,
        sequence.MAX_VALUE,
        sequence.start if allocated is None else allocated,
    )


def _outbox_row(table_id: int, outbox: OutboxSchema) -> st.StOutboxRow:
    digest = outbox.signature_hash
    if isinstance(digest, int):
        digest = digest.to_bytes(32, "little").hex()
    return st.StOutboxRow(
        table_id, outbox.remote_reducer, outbox.target_column, outbox.arg_columns, outbox.on_result_reducer, digest
    )


# From rows --------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Describing:
    """The rows of the system tables that are about one table. Aliases are by name."""

    table: st.StTableRow
    columns: Sequence[st.StColumnRow]
    indexes: Sequence[st.StIndexRow] = ()
    constraints: Sequence[st.StConstraintRow] = ()
    sequences: Sequence[st.StSequenceRow] = ()
    schedule: st.StScheduledRow | None = None
    outbox: st.StOutboxRow | None = None
    view: st.StViewRow | None = None
    view_params: Sequence[st.StViewParamRow] = ()
    is_event: bool = False
    table_alias: str | None = None
    column_aliases: dict[str, str] = field(default_factory=dict)
    index_aliases: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=4096)
def column_type(encoded: bytes) -> AlgebraicType:
    """The type that `st_column.col_type` holds. Raises DecodeError."""
    return _TYPE.decode(encoded)


def schema_of(rows: Describing) -> TableSchema:
    """The schema that the rows describe; parts stand in the rows' order, columns by position.

    Raises StoreError (`InvalidColumns`: a position is missing or a type does not decode; `InvalidTable`: the words for kind or
    access are none of ours; `InvalidConstraint`).
    """
    table = rows.table
    number = table.table_id
    columns = sorted(rows.columns, key=lambda column: column.col_pos)
    _check_positions(table, [column.col_pos for column in columns])
    params = ProductType(
        tuple(
            ProductTypeElement(one.param_name, decoded_type(table, one.param_name, one.param_type))
            for one in sorted(rows.view_params, key=lambda one: one.param_pos)
        )
    )
    aliases = rows.column_aliases
    return TableSchema(
        table_id=number,
        table_name=table.table_name,
        alias=rows.table_alias,
        view_info=None if rows.view is None else ViewInfo(rows.view.view_id, rows.view.is_anonymous, params),
        columns=tuple(
            ColumnSchema(
                number, one.col_pos, one.col_name, aliases.get(one.col_name), decoded_type(table, one.col_name, one.col_type)
            )
            for one in columns
        ),
        primary_key=table.table_primary_key[0] if table.table_primary_key else None,
        indexes=tuple(_index(one, rows.index_aliases.get(one.index_name)) for one in rows.indexes),
        constraints=tuple(_constraint(one) for one in rows.constraints),
        sequences=tuple(
            SequenceSchema(one.sequence_id, one.sequence_name, number, one.col_pos, one.start) for one in rows.sequences
        ),
        table_type=_word(TableType, table.table_type, table),
        table_access=_word(TableAccess, table.table_access, table),
        schedule=None if rows.schedule is None else _schedule(rows.schedule),
        is_event=rows.is_event,
        outbox=None if rows.outbox is None else _outbox(rows.outbox),
    )


def _check_positions(table: st.StTableRow, found: list[int]) -> None:
    if found != list(range(len(found))):
        shown = ", ".join(map(str, found[:20])) + (", ..." if len(found) > 20 else "")
        message = f"table {table.table_id} ({table.table_name}) has columns at positions {shown}, not 0 to {len(found) - 1}"
        raise StoreError("InvalidColumns", message, table_id=table.table_id)


def decoded_type(table: st.StTableRow, column: str, encoded: bytes) -> AlgebraicType:
    try:
        return column_type(encoded)
    except BsatnError as error:
        message = f"the type of column {column} of table {table.table_id} ({table.table_name}) does not decode: {error}"
        raise StoreError("InvalidColumns", message, table_id=table.table_id, column=column) from None


def _word(words: type[_E], text: str, table: st.StTableRow) -> _E:
    found = next((one for one in words if one.name.lower() == text), None)
    if found is None:
        expected = " or ".join(one.name.lower() for one in words)
        message = f"table {table.table_id} ({table.table_name}) is {text!r}; expected {expected}"
        raise StoreError("InvalidTable", message, table_id=table.table_id)
    return found


def _index(row: st.StIndexRow, alias: str | None) -> IndexSchema:
    algorithm = row.index_algorithm
    if isinstance(algorithm, st.Unused):
        raise StoreError("InvalidIndex", f"index {row.index_id} ({row.index_name}) has no algorithm", table_id=row.table_id)
    return IndexSchema(row.index_id, row.table_id, row.index_name, alias, algorithm)


def _constraint(row: st.StConstraintRow) -> ConstraintSchema:
    data = row.constraint_data
    if isinstance(data, st.Unused):
        message = f"constraint {row.constraint_id} ({row.constraint_name}) is of no kind"
        raise StoreError("InvalidConstraint", message, table_id=row.table_id)
    return ConstraintSchema(row.table_id, row.constraint_id, row.constraint_name, data.columns)


def _schedule(row: st.StScheduledRow) -> ScheduleSchema:
    return ScheduleSchema(row.table_id, row.schedule_id, row.schedule_name, row.reducer_name, row.at_column)


def _outbox(row: st.StOutboxRow) -> OutboxSchema:
    try:
        digest = bytes.fromhex(row.signature_hash)
    except ValueError:
        message = f"the signature hash of the outbox of table {row.table_id} is not hex digits"
        raise StoreError("InvalidOutbox", message, table_id=row.table_id) from None
    hashed = int.from_bytes(digest, "little")
    return OutboxSchema(row.remote_reducer, row.target_column, row.arg_columns, row.on_result_reducer, hashed)
