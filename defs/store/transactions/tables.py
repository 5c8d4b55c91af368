"""A table as one transaction sees it: the committed rows that it has not deleted, and the rows that it has inserted.

An event table is no different: it has no committed rows. Nothing here changes committed state. (spec: event-tables 1.3)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bsatn.errors import BsatnError
from defs.schema.table import IndexSchema, TableSchema
from defs.store.state import Row, Table
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.slots import Slots
from defs.store.transactions.values import plain_rows

__all__ = ["TxTable"]


class TxTable:
    """Committed rows in `base`, of which those in `gone` are deleted; rows inserted in `added`. Slots say in which order."""

    __slots__ = ("added", "added_slots", "base", "base_slots", "gone", "is_new", "reschemed", "stale", "unique")

    def __init__(self, base: Table, slots: Slots, *, is_new: bool = False) -> None:
        self.base = base
        self.base_slots = slots
        self.is_new = is_new  #: made by this transaction
        self.added = Table(base.schema)
        self.added_slots = Slots()
        self.gone: dict[bytes, None] = {}
        self.reschemed = False  #: an event table whose columns this transaction changed
        self.stale: tuple[IndexSchema, ...] = ()  #: indexes that upstream leaves with keys of another type
        self.unique = _unique_indexes(base.schema)

    @property
    def schema(self) -> TableSchema:
        """The schema, with what this transaction changed."""
        return self.added.schema

    def relayout(self, schema: TableSchema) -> None:
        """Take another schema, whose rows the rows so far must be too."""
        self.added.relayout(schema)
        self.unique = _unique_indexes(schema)

    # -- reading

    def __len__(self) -> int:
        return len(self.base) - len(self.gone) + len(self.added)

    def __contains__(self, data: bytes) -> bool:
        return data in self.added or (data in self.base and data not in self.gone)

    def __iter__(self) -> Iterator[bytes]:
        """The rows, in the server's order: the transaction's own come first."""
        yield from self.added_slots.ordered()
        for data in self.base_slots.ordered():
            if data not in self.gone:
                yield data

    def find(self, columns: tuple[int, ...], key: Sequence[Any]) -> list[bytes]:
        """The rows with these values in these columns, in the order of `iter`."""
        kept = [data for data in self.base.find(columns, key) if data not in self.gone]
        return [*self.added_slots.ordered(self.added.find(columns, key)), *self.base_slots.ordered(kept)]

    def key(self, data: bytes, columns: Sequence[int]) -> Row:
        """The values of a row in these columns."""
        row = self.added.codec.decode(data)
        return tuple(row[column] for column in columns)

    def index(self, index: str | int) -> IndexSchema:
        """An index by id, name or alias. Raises TransactionError (`IndexNotFound`)."""
        for one in self.schema.indexes:
            if index in (one.index_id, one.index_name) or (index == one.alias and one.alias is not None):
                return one
        shown = f"IndexId({index})" if isinstance(index, int) else index
        raise TransactionError("IndexNotFound", index=shown, table=self.schema.table_name)

    # -- rows of users

    def encode(self, row: Any) -> bytes:
        """A row as BSATN: from BSATN, a sequence of values, a mapping of column names, or a record. Raises TransactionError."""
        codec = self.added.codec
        try:
            if isinstance(row, (bytes, bytearray, memoryview)):
                codec.decode(row)
                return bytes(row)
            values = self._values(row)
            return codec.encode(values)
        except TransactionError:
            raise
        except BsatnError as error:
            raise TransactionError("InvalidRow", table=self.schema.table_name, reason=error) from None

    def _values(self, row: Any) -> Row:
        names = [column.col_name for column in self.schema.columns]
        if isinstance(row, Mapping):
            given = set(row)
            if given != set(names):
                reason = f"it has the columns {', '.join(map(str, row)) or 'none'}; expected {', '.join(names)}"
                raise TransactionError("InvalidRow", table=self.schema.table_name, reason=reason)
            return tuple(row[name] for name in names)
        if isinstance(row, (tuple, list)):
            return tuple(row)
        if all(hasattr(row, name) for name in names) and names:
            return tuple(getattr(row, name) for name in names)
        reason = f"{type(row).__name__} is no row; expected a tuple of values, a dict by column name, or BSATN"
        raise TransactionError("InvalidRow", table=self.schema.table_name, reason=reason)

    # -- changing

    def remove(self, data: bytes) -> bool:
        """Delete a row; False when it is not there."""
        if data in self.base and data not in self.gone:
            self.gone[data] = None
        elif self.added.delete(data):
            self.added_slots.remove(data)
        else:
            return False
        return True

    def clear(self) -> int:
        """Delete all rows; returns how many there were."""
        count = len(self)
        self.added_slots.clear()
        self.added.clear()
        self.gone = dict.fromkeys(self.base)
        return count

    def put(self, data: bytes, slot: int | None = None) -> None:
        """Insert a row without any check."""
        self.added.insert(data)
        self.added_slots.put(data, slot)

    def insert(self, data: bytes, slot: int) -> bool:
        """Insert a row into the slot that was taken for it; False when it is there already, which is no error.

        Raises TransactionError (`UniqueConstraintViolation`).
        """
        try:
            if data in self.added:
                return False
            self._check_unique(data, self.added)
            if data in self.base:
                self.gone.pop(data, None)
                return False
            self._check_unique(data, self.base)
            self.put(data, slot)
        finally:
            if self.added_slots.slot_of(data) != slot:
                self.added_slots.free(slot)
        return True

    def update(self, index: IndexSchema, data: bytes, slot: int) -> bool:
        """Put a row in place of the one with its key; False when that is the same row.

        Raises TransactionError: `NotUnique`, `KeyNotFound`, `UniqueConstraintViolation`.
        """
        try:
            return self._update(index, data, slot)
        finally:
            if self.added_slots.slot_of(data) != slot:
                self.added_slots.free(slot)

    def _update(self, index: IndexSchema, data: bytes, slot: int) -> bool:
        if index not in self.unique:
            raise TransactionError("NotUnique", index_id=index.index_id)
        key = self.key(data, index.columns)
        found = self.base.find(index.columns, key)
        old = next((one for one in found if one not in self.gone), None)
        self._check_unique(data, self.base, {old} if old else (), but=index)
        if old is not None:
            if old == data:
                return False
            self._check_unique(data, self.added)
            self.put(data, slot)
            self.gone[old] = None
            return True
        mine = next(iter(self.added.find(index.columns, key)), None)
        if mine is None:
            shown = plain_rows(self.schema.row_type).texts(data, index.columns)[1]
            raise TransactionError("KeyNotFound", index_id=index.index_id, key=shown)
        self._check_unique(data, self.added, {mine})
        self.remove(mine)
        if data in self.base:
            self.gone.pop(data, None)
            return False
        self.put(data, slot)
        return True

    def _check_unique(
        self, data: bytes, rows: Table, replaced: Sequence[bytes] | set[bytes] = (), but: IndexSchema | None = None
    ) -> None:
        for index in self.unique:
            if index == but:
                continue
            for other in rows.find(index.columns, self.key(data, index.columns)):
                if other not in replaced and not (rows is self.base and other in self.gone):
                    raise self.violation(index, data)

    def violation(self, index: IndexSchema, data: bytes) -> TransactionError:
        """The error that a row has the key of another in a unique index."""
        names = ", ".join(f'"{self.schema.columns[column].col_name}"' for column in index.columns)
        value, _ = plain_rows(self.schema.row_type).texts(data, index.columns)
        table = self.schema.table_name
        return TransactionError("UniqueConstraintViolation", index=index.index_name, table=table, columns=names, value=value)


def _unique_indexes(schema: TableSchema) -> tuple[IndexSchema, ...]:
    """The indexes over the columns of a unique constraint, by id."""
    unique = {constraint.columns for constraint in schema.constraints}
    found = [index for index in schema.indexes if tuple(sorted(set(index.columns))) in unique]
    return tuple(sorted(found, key=lambda index: index.index_id))
