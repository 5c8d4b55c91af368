"""Rows in a transaction: inserting, updating, deleting, reading; and the values that sequences generate.

Event tables take the same path as any other: their rows are seen by the transaction that inserts them, and by no other.
A row comes as a tuple of values, a dict by column name, a record, or BSATN; it is returned as a tuple. (spec: event-tables 1.3)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bsatn.errors import BsatnError
from defs.raw.shared import Hash
from defs.schema.table import IndexSchema, SequenceSchema, TableSchema
from defs.store.state import Row, SystemRows, codec_of_rows
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.tables import TxTable
from defs.store.transactions.values import plain_rows, wrapped
from defs.system import rows as st
from defs.system.catalog import row_codec
from defs.system.tables import SYSTEM_TABLES

if TYPE_CHECKING:
    from defs.store.datastore import Datastore

__all__ = ["TABLE_OF_RECORD", "RowTransaction", "SequenceJump", "TableName"]

TableName: TypeAlias = str | int  #: a table's name, as the database stores it, or id
SequenceJump: TypeAlias = Callable[[st.StSequenceRow], bool]
_R = TypeVar("_R")
TABLE_OF_RECORD = {table.row: table.table_id for table in SYSTEM_TABLES}
_JUMP = 4096
#: System tables that describe tables; the others are as anybody's.
_DESCRIBING = frozenset(
    TABLE_OF_RECORD[row]
    for row in (
        st.StTableRow, st.StColumnRow, st.StSequenceRow, st.StIndexRow, st.StConstraintRow, st.StScheduledRow, st.StViewRow,
        st.StViewParamRow, st.StViewColumnRow, st.StEventTableRow, st.StTableAccessorRow, st.StIndexAccessorRow,
        st.StColumnAccessorRow, st.StOutboxRow,
    )
)  # fmt: skip


class RowTransaction(SystemRows):
    """The rows of an open transaction. An error leaves it as it was, but for values that sequences gave."""

    def __init__(self, datastore: Datastore) -> None:
        self.datastore = datastore
        self.outcome: str | None = None  #: `committed` or `rolled back`, once it is over
        self._tables: dict[int, TxTable] = {}
        self._dropped: dict[int, TxTable] = {}
        self._written = 0  # rows written to describe tables
        self._broken = ""  # why it cannot commit

    # -- tables

    def schema(self, table: TableName) -> TableSchema:
        """A table's schema as this transaction sees it. Raises TransactionError (`TableNotFound`)."""
        return self._table(table).schema

    def _open(self) -> None:
        if self.outcome is not None:
            raise TransactionError("TransactionClosed", outcome=self.outcome)

    def _table(self, table: TableName) -> TxTable:
        self._open()
        if isinstance(table, int):
            return self._by_id(table)
        found = self._one(st.StTableRow, (1,), (table,)) if isinstance(table, str) else None
        if found is None:
            raise TransactionError("TableNotFound", name=table)
        return self._by_id(found.table_id)

    def _by_id(self, table_id: int) -> TxTable:
        found = self._tables.get(table_id)
        if found is None:
            base = None if table_id in self._dropped else self.datastore.state.tables.get(table_id)
            if base is None:
                raise TransactionError("IdNotFound", id=table_id, system_table="st_table")
            found = self._tables[table_id] = TxTable(base, self.datastore.slots(table_id))
            found.stale = self.datastore.stale.get(table_id, ())
        return found

    def records(self, row: type[_R], columns: tuple[int, ...] = (), key: Sequence[Any] = ()) -> list[_R]:
        """The rows of a system table as records; those whose values at the positions `columns` are `key`."""
        table = self._by_id(TABLE_OF_RECORD[row])
        codec = row_codec(row)
        return [codec.decode(data) for data in (table.find(columns, key) if columns else table)]

    # -- changing

    def insert(self, table: TableName, row: Any) -> Row:
        """Insert a row; returns it with the values generated for zeros in columns with a sequence.

        A row that is there already is no error, and nothing is done. Raises TransactionError: `UniqueConstraintViolation`,
        `InvalidRow`, `UnableToAllocate`, `TableNotFound`, `ReschemedTable`.
        """
        found = self._writable(table)
        return found.added.codec.decode(self._insert(found, found.encode(row)))

    def _writable(self, table: TableName) -> TxTable:
        found = self._table(table)
        if found.schema.table_id in _DESCRIBING:
            raise TransactionError("SystemTable", table=found.schema.table_name)
        return found

    def _insert(self, table: TxTable, data: bytes) -> bytes:
        self._check_takes_rows(table)
        slot = table.added_slots.take()
        data = self._generated(table, data, slot)
        table.insert(data, slot)
        return data

    def _check_takes_rows(self, table: TxTable) -> None:
        name = table.schema.table_name
        if self.datastore.upstream:
            for index in table.stale:
                if index in table.schema.indexes:
                    raise TransactionError("StaleIndex", index=index.index_name, table=name)
        elif table.reschemed:
            raise TransactionError("ReschemedTable", table=name)

    def update(self, table: TableName, index: str | int, row: Any) -> Row:
        """Put a row in place of the one with the same key in a unique index; returns it, with generated values.

        Raises TransactionError: `KeyNotFound`, `NotUnique`, `IndexNotFound`, and as `insert` does.
        """
        found = self._writable(table)
        data = found.encode(row)
        self._check_takes_rows(found)
        over = found.index(index)
        slot = found.added_slots.take()
        data = self._generated(found, data, slot)
        found.update(over, data, slot)
        return found.added.codec.decode(data)

    def delete(self, table: TableName, row: Any) -> bool:
        """Delete a row that is equal in all columns; False when there is none. Raises TransactionError."""
        found = self._writable(table)
        return found.remove(found.encode(row))

    def delete_by_index(self, table: TableName, index: str | int, key: Any) -> int:
        """Delete the rows with the key in an index; returns how many. Raises TransactionError."""
        found = self._writable(table)
        return self._remove(found, self._found(found, found.index(index), key))

    @staticmethod
    def _remove(table: TxTable, rows: Sequence[bytes]) -> int:
        return sum(map(table.remove, rows))

    def clear_table(self, table: TableName) -> int:
        """Delete all rows; returns how many. Upstream counts those deleted before in the same transaction again."""
        found = self._writable(table)
        again = len(found.gone) if self.datastore.upstream else 0
        return found.clear() + again

    # -- reading

    def scan(self, table: TableName) -> Iterator[Row]:
        """The rows that this transaction sees, its own first, as the server gives them."""
        found = self._table(table)
        return iter([found.added.codec.decode(data) for data in found])

    def count(self, table: TableName) -> int:
        """How many rows this transaction sees."""
        return len(self._table(table))

    def by_index(self, table: TableName, index: str | int, key: Any) -> list[Row]:
        """The rows with the key in an index: a value, or a sequence with one for each column. Raises TransactionError."""
        found = self._table(table)
        return [found.added.codec.decode(data) for data in self._found(found, found.index(index), key)]

    def by_range(
        self, table: TableName, index: str | int, lower: Sequence[Any] = (), upper: Sequence[Any] = (), *, open_end: bool = True
    ) -> list[Row]:
        """The rows of an index between two keys, in its order; an empty key is no bound.

        Keys are values of the first columns of the index; `lower` is within the range, `upper` only if not `open_end`.
        Raises TransactionError: `IndexCannotSeekRange` (a hash index), `InvalidKey`, `IndexNotFound`.
        """
        found = self._table(table)
        over = found.index(index)
        if isinstance(over.index_algorithm, Hash):
            raise TransactionError("IndexCannotSeekRange", index_id=over.index_id)
        least, most = self._bound(found, over, lower), self._bound(found, over, upper)
        plain = plain_rows(found.schema.row_type)
        keyed = [(plain.key(data, over.columns), data) for data in found]
        within = [
            (key, data)
            for key, data in keyed
            if key[: len(least)] >= least
            and (not most or key[: len(most)] < most or (not open_end and key[: len(most)] == most))
        ]
        return [found.added.codec.decode(data) for _, data in sorted(within, key=lambda one: one[0])]

    def _bound(self, table: TxTable, index: IndexSchema, key: Any) -> Row:
        values = self._key(table, index, key, prefix=True)
        columns = tuple(table.schema.columns[column] for column in index.columns[: len(values)])
        part = replace(table.schema, columns=columns).row_type
        return plain_rows(part).key(codec_of_rows(part).encode(values), range(len(values)))

    def _found(self, table: TxTable, index: IndexSchema, key: Any) -> list[bytes]:
        return table.find(index.columns, self._key(table, index, key))

    def _key(self, table: TxTable, index: IndexSchema, key: Any, *, prefix: bool = False) -> Row:
        values = tuple(key) if isinstance(key, (tuple, list)) and (prefix or len(index.columns) > 1) else (key,)
        columns = tuple(table.schema.columns[column] for column in index.columns[: len(values) if prefix else None])
        codec = codec_of_rows(replace(table.schema, columns=columns).row_type)
        try:
            return codec.decode(codec.encode(values))
        except BsatnError as error:
            raise TransactionError("InvalidKey", index=index.index_name, table=table.schema.table_name, reason=error) from None

    # -- sequences

    def _generated(self, table: TxTable, data: bytes, slot: int) -> bytes:
        """The row with the next value of its sequence in each column with one that is zero."""
        sequences = table.schema.sequences
        if not sequences:
            return data
        row = list(table.added.codec.decode(data))
        zeros = [one for one in sequences if row[one.col_pos] == 0]
        if not zeros:
            return data
        try:
            for one in zeros:
                row[one.col_pos] = wrapped(table.schema.columns[one.col_pos].col_type, self._next_value(one))
        except TransactionError:
            table.added_slots.free(slot)
            raise
        return table.added.codec.encode(tuple(row))

    def _next_value(self, sequence: SequenceSchema) -> int:
        """The value that a sequence gives; its row in `st_sequence` is written anew with the one after it."""
        row = self._one(st.StSequenceRow, (0,), (sequence.sequence_id,))
        if row is None or row.allocated + row.increment > row.max_value:
            raise TransactionError("UnableToAllocate", sequence_id=sequence.sequence_id)
        following = replace(row, allocated=row.allocated + row.increment)
        if self.datastore.sequence_jump is not None and self.datastore.sequence_jump(row):
            following = replace(following, allocated=following.allocated + -following.allocated % _JUMP)
        self._rewrite(row, following)
        return row.allocated

    def _rewrite(self, old: st.StSequenceRow, new: st.StSequenceRow) -> None:
        """Put a row of `st_sequence` in place of another."""
        codec, table = row_codec(st.StSequenceRow), self._by_id(st.ST_SEQUENCE_ID)
        table.remove(codec.encode(old))
        slot = table.added_slots.take()
        table.insert(codec.encode(new), slot)
