"""Parts of tables in a transaction: indexes, unique constraints and sequences, by the rows of system tables that describe them.

(spec: event-tables 1.2, 1.7)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from bsatn.errors import BsatnError
from defs.schema.table import ConstraintSchema, IndexSchema, SequenceSchema, TableSchema
from defs.store.ddl.columns import numbered
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.rows import TABLE_OF_RECORD, RowTransaction, TableName
from defs.store.transactions.tables import TxTable
from defs.store.transactions.values import is_integer
from defs.system import rows as st
from defs.system.catalog import describing_rows, row_codec
from defs.system.tables import SYSTEM_BY_ID

__all__ = ["PartTransaction", "whole"]

_R = TypeVar("_R")
_T = TypeVar("_T", bound="PartTransaction")
_P = ParamSpec("_P")


def whole(change: Callable[Concatenate[_T, _P], _R]) -> Callable[Concatenate[_T, _P], _R]:
    """Of a method that writes several rows: when it fails between two of them, the transaction cannot commit any more."""

    @wraps(change)
    def changing(self: _T, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        before = self._written
        try:
            return change(self, *args, **kwargs)
        except BsatnError as error:
            if self._written != before:
                self._broken = f"{error}"
            raise

    return changing


class PartTransaction(RowTransaction):
    """What a transaction can do to the parts of tables. After an error in the middle of a change it can only be rolled back."""

    @whole
    def create_index(self, table: TableName, index: IndexSchema, *, unique: bool = False) -> int:
        """Add an index and return its id; `unique`: a unique constraint over its columns is to follow.

        Raises TransactionError: `InvalidTable`, `UniqueConstraintViolation`.
        """
        found = self._user_table(table)
        schema = found.schema
        self._checked(replace(schema, indexes=(index,), constraints=(), sequences=()))
        row = self.describe(st.StIndexRow(0, schema.table_id, index.index_name, index.index_algorithm))
        if index.alias is not None:
            self.describe(st.StIndexAccessorRow(index.index_name, index.alias))
        self._refresh(schema.table_id)
        made = found.index(row.index_id)
        if unique or made in found.unique:
            self._check_distinct(found, made.columns, lambda data: found.violation(made, data))
        return made.index_id

    @whole
    def drop_index(self, table: TableName, index: str | int) -> None:
        """Remove an index. Raises TransactionError (`IndexNotFound`)."""
        found = self._user_table(table)
        over = found.index(index)
        self.undescribe(st.StIndexRow, (0,), over.index_id)
        self.undescribe(st.StIndexAccessorRow, (0,), over.index_name)
        self._refresh(found.schema.table_id)

    @whole
    def create_constraint(self, table: TableName, constraint: ConstraintSchema) -> int:
        """Add a unique constraint, over the columns of an index, and return its id.

        Raises TransactionError: `ConstraintWithoutIndex`, `DuplicateRows`, `UniqueConstraintViolation` (the name is taken).
        """
        found = self._user_table(table)
        schema, columns = found.schema, constraint.columns
        name = constraint.constraint_name
        if not any(tuple(sorted(set(one.columns))) == columns for one in schema.indexes):
            shown = ", ".join(map(str, columns))
            raise TransactionError("ConstraintWithoutIndex", constraint=name, table=schema.table_name, columns=shown)

        def twice(data: bytes) -> TransactionError:
            value = ", ".join(map(repr, found.key(data, columns)))
            return TransactionError("DuplicateRows", constraint=name, table=schema.table_name, value=value)

        self._check_distinct(found, columns, twice)
        row = self.describe(st.StConstraintRow(0, name, schema.table_id, st.Unique(columns)))
        self._refresh(schema.table_id)
        return int(row.constraint_id)

    @staticmethod
    def _check_distinct(table: TxTable, columns: tuple[int, ...], error: Callable[[bytes], TransactionError]) -> None:
        for data in table:
            if len(table.find(columns, table.key(data, columns))) > 1:
                raise error(data)

    @whole
    def drop_constraint(self, table: TableName, constraint: str | int) -> None:
        """Remove a unique constraint, by name or id. Raises TransactionError (`IdNotFound`)."""
        schema = self._user_table(table).schema
        found = next((one for one in schema.constraints if constraint in (one.constraint_name, one.constraint_id)), None)
        if found is None:
            raise TransactionError("IdNotFound", id=constraint, system_table="st_constraint")
        self.undescribe(st.StConstraintRow, (0,), found.constraint_id)
        self._refresh(schema.table_id)

    @whole
    def create_sequence(self, table: TableName, sequence: SequenceSchema) -> int:
        """Let a sequence generate a column's values; returns its id. Raises TransactionError (`InvalidTable`)."""
        schema = self._user_table(table).schema
        self._checked(replace(schema, sequences=(*schema.sequences, sequence)))
        alone = replace(numbered(schema, schema.table_id), indexes=(), constraints=())
        fresh = replace(sequence, sequence_id=0, table_id=schema.table_id)
        described = [one for one in describing_rows(replace(alone, sequences=(fresh,))) if one.table_id == st.ST_SEQUENCE_ID]
        row = self.describe(described[0].row)
        self._refresh(schema.table_id)
        return int(row.sequence_id)

    @whole
    def drop_sequence(self, table: TableName, sequence: str | int) -> None:
        """Remove a sequence, by name or id. Raises TransactionError (`IdNotFound`)."""
        schema = self._user_table(table).schema
        found = next((one for one in schema.sequences if sequence in (one.sequence_name, one.sequence_id)), None)
        if found is None:
            raise TransactionError("IdNotFound", id=sequence, system_table="st_sequence")
        self.undescribe(st.StSequenceRow, (0,), found.sequence_id)
        self._refresh(schema.table_id)

    # -- rows of system tables

    def _user_table(self, table: TableName) -> TxTable:
        found = self._table(table)
        if found.schema.table_id in SYSTEM_BY_ID:
            raise TransactionError("SystemTable", table=found.schema.table_name)
        return found

    def describe(self, row: _R) -> _R:
        """Insert a row of a system table, a record; returns it with generated ids. The caller vouches that it makes sense."""
        self._written += 1
        table = self._by_id(TABLE_OF_RECORD[type(row)])
        codec = row_codec(type(row))
        return codec.decode(self._insert(table, codec.encode(row)))

    def undescribe(self, row: type[Any], columns: tuple[int, ...], value: Any) -> None:
        """Delete the rows of a system table with the value in the columns."""
        self._written += 1
        table = self._by_id(TABLE_OF_RECORD[row])
        self._remove(table, table.find(columns, (value,)))

    def _described(self, table_id: int) -> TableSchema:
        """The schema that the rows describe, parts by id: in the order in which they were made."""
        schema = self.schema_for_table(table_id)
        return replace(
            schema,
            indexes=tuple(sorted(schema.indexes, key=lambda one: one.index_id)),
            constraints=tuple(sorted(schema.constraints, key=lambda one: one.constraint_id)),
            sequences=tuple(sorted(schema.sequences, key=lambda one: one.sequence_id)),
        )

    def _refresh(self, table_id: int) -> None:
        self._by_id(table_id).relayout(self._described(table_id))

    @staticmethod
    def _checked(schema: TableSchema) -> TableSchema:
        wrong = [f"{problem}" for problem in schema.problems()]
        for one in schema.sequences:
            if one.col_pos < len(schema.columns) and not is_integer(schema.columns[one.col_pos].col_type):
                wrong.append(f"sequence {one.sequence_name} is over {schema.columns[one.col_pos].col_name}, no integer column")
        if wrong:
            raise TransactionError("InvalidTable", table=schema.table_name, reason="; ".join(wrong))
        return schema
