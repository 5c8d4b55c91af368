"""Committed state: tables as sets of rows, and what their system tables say of them.

A row is its BSATN; two rows are the same when their bytes are. Nothing is decoded, and no index is built, before somebody asks;
an index that was built is kept up to date. (spec: event-tables 1.2, 1.4)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.types import ProductType
from defs.schema.table import TableSchema
from defs.system import rows as st
from defs.system.catalog import Describing, row_codec, schema_of
from defs.system.errors import StoreError
from defs.system.tables import SYSTEM_SCHEMAS, SYSTEM_TABLES, bootstrap_rows

if TYPE_CHECKING:
    from defs.store.reading import Fault

__all__ = ["CommittedState", "Key", "Row", "SystemRows", "Table", "codec_of_rows", "key_of"]

Row: TypeAlias = tuple[Any, ...]  #: a row's values by position, in the forms of `bsatn.values`
Key: TypeAlias = tuple[Any, ...]  #: values of the columns of an index, in its order
_R = TypeVar("_R")

_TABLE_OF_RECORD: dict[type[Any], int] = {table.row: table.table_id for table in SYSTEM_TABLES}


@lru_cache(maxsize=1024)
def codec_of_rows(row_type: ProductType) -> Codec[Row]:
    """The codec of a table's rows, as tuples."""
    return Codec(row_type)


def key_of(values: Sequence[Any]) -> Key:
    """Values as a key: hashable, all NaNs alike, and both zeros, as the server's indexes compare."""
    return tuple(map(_comparable, values))


def _comparable(value: Any) -> Any:
    if isinstance(value, float):
        return value if value == value else "NaN"
    if isinstance(value, (list, tuple)):
        return tuple(map(_comparable, value))
    return value


class Table:
    """A table's rows, in the order in which they came.

    `rows` maps each row's bytes to its values if they were asked for, else None. Whoever inserts vouches that the bytes are a
    row of the table (`codec` tells).
    """

    __slots__ = ("_found", "codec", "rows", "schema")

    def __init__(self, schema: TableSchema) -> None:
        self.rows: dict[bytes, Row | None] = {}
        self.relayout(schema)

    def relayout(self, schema: TableSchema) -> None:
        """Take another schema; rows are kept as they are, so their bytes must be rows of it too."""
        self.schema = schema
        self.codec = codec_of_rows(schema.row_type)
        self._found: dict[tuple[int, ...], dict[Key, dict[bytes, None]]] = {}
        self.rows = dict.fromkeys(self.rows)

    def insert(self, data: bytes, row: Row | None = None) -> bool:
        """Add a row, with its values if they are at hand; False, and nothing done, when it is there already."""
        if data in self.rows:
            return False
        self.rows[data] = row
        for columns, found in self._found.items():
            found[self._key(data, columns)][data] = None
        return True

    def delete(self, data: bytes) -> bool:
        """Remove a row; False when it is not there."""
        if data not in self.rows:
            return False
        for columns, found in self._found.items():
            key = self._key(data, columns)
            del found[key][data]
            if not found[key]:
                del found[key]
        del self.rows[data]
        return True

    def clear(self) -> int:
        """Remove all rows; returns how many there were."""
        count = len(self.rows)
        self.rows.clear()
        self._found.clear()
        return count

    def scan(self) -> Iterator[Row]:
        """The values of every row."""
        for data, row in self.rows.items():
            yield self.codec.decode(data) if row is None else row

    def row(self, data: bytes) -> Row:
        """The values of a row that is in the table; they are kept."""
        row = self.rows[data]
        if row is None:
            row = self.rows[data] = self.codec.decode(data)
        return row

    def find(self, columns: tuple[int, ...], key: Sequence[Any]) -> tuple[bytes, ...]:
        """The rows whose values at these positions are `key`, indexed or not: the first call for the positions looks at all."""
        if columns not in self._found:
            found: dict[Key, dict[bytes, None]] = defaultdict(dict)
            for data in self.rows:
                found[self._key(data, columns)][data] = None
            self._found[columns] = found
        return tuple(self._found[columns].get(key_of(key), ()))

    def by_index(self, index_id: int, key: Sequence[Any]) -> tuple[bytes, ...]:
        """The rows that an index has under the key, a value for each of its columns. Raises StoreError (`IndexNotFound`)."""
        index = next((one for one in self.schema.indexes if one.index_id == index_id), None)
        if index is None:
            name = self.schema.table_name
            raise StoreError("IndexNotFound", f"table {name} has no index {index_id}", table_id=self.schema.table_id)
        return self.find(index.columns, key)

    def _key(self, data: bytes, columns: tuple[int, ...]) -> Key:
        row = self.row(data)
        return tuple([_comparable(row[column]) for column in columns])

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, data: bytes) -> bool:
        return data in self.rows

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.rows)


class SystemRows(ABC):
    """What the rows of system tables say, wherever they are kept: in committed state, or as a transaction sees them."""

    @abstractmethod
    def records(self, row: type[_R], columns: tuple[int, ...] = (), key: Sequence[Any] = ()) -> list[_R]:
        """The rows of a system table as records; those whose values at the positions `columns` are `key`."""

    def schema_for_table(self, table_id: int) -> TableSchema:
        """The schema that the system tables' rows describe at this moment, event flag included. (spec: event-tables 1.2)

        Raises StoreError: `TableNotFound`, or as `schema_of` does.
        """
        table = self._one(st.StTableRow, (0,), (table_id,))
        if table is None:
            raise _no_table(table_id)
        view = self._one(st.StViewRow, (2,), (table_id,))
        named = (table.table_name,)
        indexes = self.records(st.StIndexRow, (1,), (table_id,))
        aliases = [alias for one in indexes for alias in self.records(st.StIndexAccessorRow, (0,), (one.index_name,))]
        alias = self._one(st.StTableAccessorRow, (0,), named)
        return schema_of(
            Describing(
                table,
                columns=self.records(st.StColumnRow, (0,), (table_id,)),
                indexes=indexes,
                constraints=self.records(st.StConstraintRow, (2,), (table_id,)),
                sequences=self.records(st.StSequenceRow, (2,), (table_id,)),
                schedule=self._one(st.StScheduledRow, (1,), (table_id,)),
                outbox=self._one(st.StOutboxRow, (0,), (table_id,)),
                view=view,
                view_params=() if view is None else self.records(st.StViewParamRow, (0,), (view.view_id,)),
                is_event=self.is_event(table_id),
                table_alias=None if alias is None else alias.accessor_name,
                column_aliases={r.col_name: r.accessor_name for r in self.records(st.StColumnAccessorRow, (0,), named)},
                index_aliases={row.index_name: row.accessor_name for row in aliases},
            )
        )

    def is_event(self, table_id: int) -> bool:
        """Whether `st_event_table` has the table; no, when there is no `st_event_table`."""
        return self._one(st.StEventTableRow, (0,), (table_id,)) is not None

    def _one(self, row: type[_R], columns: tuple[int, ...], key: Sequence[Any]) -> _R | None:
        """The row of a system table with the key; of several, the one that came last."""
        found = self.records(row, columns, key)
        return found[-1] if found else None

    def sequences_next(self) -> dict[int, int]:
        """By sequence id, the value that each gives next."""
        return {row.sequence_id: row.allocated for row in self.records(st.StSequenceRow)}


class CommittedState(SystemRows):
    """The tables of a database between transactions.

    `tables` holds them by id; event tables are among them, always empty. `next_tx_offset` is the offset of the next
    transaction that is logged. `faults` is what was wrong with the log that the state was salvaged from.
    """

    def __init__(self) -> None:
        """The system tables, without rows."""
        self.tables: dict[int, Table] = {table_id: Table(schema) for table_id, schema in sorted(SYSTEM_SCHEMAS.items())}
        self.next_tx_offset = 0
        self.faults: tuple[Fault, ...] = ()

    @classmethod
    def bootstrapped(cls) -> CommittedState:
        """A new database: the system tables, described by their rows, which transaction 0 has logged."""
        state = cls()
        for table_id, rows in bootstrap_rows().items():
            for data in rows:
                state.tables[table_id].insert(data)
        state.next_tx_offset = 1
        return state

    # -- tables

    def table(self, table_id: int) -> Table:
        """A table by id. Raises StoreError (`TableNotFound`)."""
        found = self.tables.get(table_id)
        if found is None:
            raise _no_table(table_id)
        return found

    def table_named(self, name: str) -> Table | None:
        """A table by its canonical name, or None."""
        row = self._one(st.StTableRow, (1,), (name,))
        return None if row is None else self.tables.get(row.table_id)

    # -- rows of the system tables

    def records(self, row: type[_R], columns: tuple[int, ...] = (), key: Sequence[Any] = ()) -> list[_R]:
        """The rows of a system table as records; those whose values at the positions `columns` are `key`."""
        table = self.tables.get(_TABLE_OF_RECORD[row])
        if table is None:
            return []
        codec = row_codec(row)
        return [codec.decode(data) for data in (table.find(columns, key) if columns else table)]


def _no_table(table_id: int) -> BsatnError:
    return StoreError("TableNotFound", f"there is no table {table_id}", table_id=table_id)
