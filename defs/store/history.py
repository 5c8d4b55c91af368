"""What a log says of one table, as Arrow columns: a row for each row that was inserted or deleted.

Only the rows of that table are taken out of the log, as bytes, each behind the BSATN of what is known of its transaction. So
they are rows of a wider type, which `Codec.decode_columns` reads, some megabytes at a time, making no Python object of a value.
(spec: event-tables 1.5, 1.7, 3.4)
"""

from __future__ import annotations

import difflib
import os
import struct
import time
from collections.abc import Callable, Collection, Iterator
from functools import cache
from typing import Literal, NamedTuple

from bsatn.codec import Codec
from bsatn.columns import Columns, Sums, Wide
from bsatn.engines import engine
from bsatn.errors import BsatnError
from bsatn.paths import format_path
from bsatn.types import IDENTITY, STRING, TIMESTAMP, U64, ProductType, ProductTypeElement, option_type
from bsatn.values import Timestamp
from defs.store.merging import Merged, described
from defs.store.picking import PickingReader
from defs.store.reading import Fault, LogReader, Transaction
from defs.store.state import Row, codec_of_rows
from defs.store.tracking import LogTable, Tracker
from defs.system.errors import StoreError

__all__ = ["LEADING", "History", "HistoryError", "HistoryReader", "missing_table", "table_history"]

LEADING = ProductType(
    tuple(
        ProductTypeElement(name, kind)
        for name, kind in {
            "tx_offset": U64,
            "tx_timestamp": option_type(TIMESTAMP),
            "tx_reducer": option_type(STRING),
            "tx_caller": option_type(IDENTITY),
            "tx_op": STRING,
        }.items()
    )
)
"""The columns before the table's own: the transaction, then time, reducer and caller of the call that made it (null where there
was none), then `insert` or `delete`."""

_SLICE = 1 << 12  #: rows between looks at how large a chunk is
_CHUNK, _CHUNK_OF_VALUES = 32 << 20, 4 << 20  #: bytes of rows decoded at once: natively, or with a Python object a value
_TELL = 0.2  #: seconds between reports of progress
_u64: Callable[[bytes], tuple[int]] = struct.Struct("<Q").unpack_from


class HistoryError(StoreError):
    """The log cannot be read to the end; `fault` is what is wrong with it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.kind, f"{fault}")


class History(Columns):
    """A table's history as columns; `faults` is what was wrong with the log, if it was to be salvaged."""

    faults: tuple[Fault, ...] = ()


def table_history(
    directory: str | os.PathLike[str],
    table: str | int,
    *,
    first: int = 0,
    last: int | None = None,
    since: Timestamp | None = None,
    mode: Literal["strict", "salvage"] = "strict",
    merge: bool = False,
    wide: Wide = "binary",
    sums: Sums = "struct",
) -> History:
    """The rows of a table that a log says were inserted and deleted, in order: the columns of `LEADING`, then the table's own.

    `table` is its name, or id. Of each transaction deletes come before inserts, so that the last row of a key is the newest.
    Where a table was emptied, of which the log does not list the rows, they are listed. Where the table has a column that is
    called as one of LEADING, the latter has a `_` at its end.

    `first` and `last` are transactions, both read; `since` leaves out what happened before, by the last call's time. With
    `merge` a table whose columns change has them all: null where a row has none, the newest first. `mode` is that of
    `read_transactions`; with `salvage` what is wrong is in `faults`, and after a gap it is uncertain which rows an emptied
    table had. `wide` and `sums` are those of `Codec.decode_columns`.

    Raises StoreError: `TableNotFound`, `ColumnsChanged` if not `merge`, `ColumnsDiffer` where columns of one name have two
    types; HistoryError for a damaged log; LogError for what is no log; what decode_columns raises.
    """
    reader = HistoryReader(directory, table, first=first, last=last, since=since, mode=mode, merge=merge, wide=wide, sums=sums)
    made = History.concat(reader.chunks())
    made.faults = tuple(reader.faults)
    return made


class HistoryReader:
    """As `table_history`, in chunks. `faults` is what was wrong up to here, `rows` how many rows there were.

    `chunk` is the size of a chunk in bytes of BSATN, about; `progress` gets a line of text now and then. Memory is taken by a
    chunk, by the largest commit, and, for a table that is no event table, by the rows that it has at each point.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        table: str | int,
        *,
        first: int = 0,
        last: int | None = None,
        since: Timestamp | None = None,
        mode: Literal["strict", "salvage"] = "strict",
        merge: bool = False,
        wide: Wide = "binary",
        sums: Sums = "struct",
        chunk: int | None = None,
        progress: Callable[[str], object] | None = None,
    ) -> None:
        self.directory = directory
        self.table = str(table)
        self.first, self.last, self.since = first, last, since
        self.mode: Literal["strict", "salvage"] = mode
        self.merge = merge
        self.wide: Wide = wide
        self.sums: Sums = sums
        self.chunk = chunk or (_CHUNK if engine() == "native" else _CHUNK_OF_VALUES)
        self.faults: list[Fault] = []
        self.rows = 0
        self._progress = progress
        self._told = 0.0
        self._names: set[str] = set()
        self._seen: LogTable | None = None
        self._tracker = Tracker()

    def chunks(self) -> Iterator[Columns]:
        """The columns of the rows, some at a time; once without rows, if there are none. All have the same columns.

        What is before a damaged place, or before other columns, comes before that is raised. Raises as table_history.
        """
        merged = Merged(self._layouts()) if self.merge else None
        pending: _Pending | None = None
        for change in self._changes():
            if pending is None:
                pending = self._pending(merged, change.table)
            elif not pending.takes(change.table):
                yield from pending.left()
                raise _changed(pending.table, change)
            for start in range(0, len(change.rows), _SLICE):
                if pending.size >= self.chunk:
                    yield pending.made()
                pending.add(change, start)
            self.rows += len(change.rows)
        if pending is not None:
            yield from pending.left()
        elif self.mode == "salvage" or not self.faults:
            yield self._pending(None, self._rowless()).made()
        if self.faults and self.mode == "strict":
            raise HistoryError(self.faults[0])

    def _pending(self, merged: Merged | None, table: LogTable) -> _Pending:
        return _Pending(table, merged or Merged([table.row_type]), bool(merged), self.wide, self.sums)

    def _rowless(self) -> LogTable:
        """The table, when there are no rows of it. Raises StoreError."""
        for table in self._tracker.tables():
            self._wanted(table)
        if self._seen is None:
            raise missing_table(self.table, self._names)
        return self._seen

    def _layouts(self) -> list[ProductType]:
        """The types that rows have, in order, each once; the log is read for that."""
        return [*{change.table.row_type: None for change in self._changes()}]

    def _wanted(self, table: LogTable) -> bool:
        self._names.add(table.name)
        if self.table not in (table.name, str(table.table_id)):
            return False
        self._seen = table
        return True

    def _changes(self) -> Iterator[_Change]:
        """The groups of rows that changed within the range."""
        self.faults.clear()
        reader = PickingReader(self.directory, self.mode, self._wanted)
        self._tracker = reader.tracker
        stored: dict[int, dict[bytes, None]] = {}
        latest: int | None = None
        for item in reader.transactions():
            if self.last is not None and item.tx_offset is not None and item.tx_offset > self.last:
                break
            if not isinstance(item, Transaction):
                self.faults.append(item)
                continue
            if self.since is not None and item.inputs is not None and item.inputs.timestamp is not None:
                latest = item.inputs.timestamp
            within = item.tx_offset >= self.first and (self.since is None or (latest is not None and latest >= self.since))
            for change in self._of_transaction(item, stored):
                if within and change.rows:
                    yield change
            self._tell(reader)
            if item.tx_offset == self.last:
                break

    def _of_transaction(self, tx: Transaction, stored: dict[int, dict[bytes, None]]) -> Iterator[_Change]:
        """The changes of a transaction; `stored` has the rows of ordinary tables, by table id."""
        inserts, deletes = ([group for group in part if self._wanted(group.table)] for part in (tx.inserts, tx.deletes))
        for group in inserts:
            if not group.table.is_event:
                stored.setdefault(group.table.table_id, {}).update(dict.fromkeys(group.rows))
        for group in deletes:
            rows = stored.get(group.table.table_id, {})
            for row in group.rows:
                rows.pop(row, None)
            yield _Change(tx, group.table, "delete", group.rows)
        for table in tx.truncates:
            if self._wanted(table):
                yield _Change(tx, table, "delete", tuple(stored.pop(table.table_id, ())))
        for group in inserts:
            yield _Change(tx, group.table, "insert", group.rows)

    def _tell(self, reader: LogReader) -> None:
        if self._progress is not None and (now := time.monotonic()) - self._told > _TELL:
            self._told = now
            self._progress(f"{reader.bytes / 1e6:,.0f} MB, {reader.next:,} transactions, {self.rows:,} rows")


def missing_table(name: str, known: Collection[str]) -> StoreError:
    """The error for a table that is not in the log, which names some that are."""
    own = [one for one in known if not one.startswith("st_")] or [*known]
    close = difflib.get_close_matches(name, known if name.startswith("st_") else own, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(sorted(own)[:20])}"
    return StoreError("TableNotFound", f"the log has no table {name}; {hint}", table=name)


def _changed(before: LogTable, change: _Change) -> StoreError:
    """The error for other columns than before."""
    offset, table = change.tx.tx_offset, change.table
    what = f"from here on table {table.name} has columns {described(table.row_type)}; before, {described(before.row_type)}"
    apart = f"transactions up to {offset - 1} and from {offset} on"
    if before.table_id != table.table_id:
        apart = f"tables {before.table_id} and {table.table_id}, by their ids"
    return StoreError("ColumnsChanged", f"{what}; merge them, or read {apart}", tx_offset=offset, table_id=table.table_id)


class _Change(NamedTuple):
    """Rows that a transaction inserts into a table, or deletes."""

    tx: Transaction
    table: LogTable
    op: Literal["insert", "delete"]
    rows: tuple[bytes, ...]

    def head(self) -> bytes:
        """What is known of the transaction, as BSATN of `LEADING`."""
        inputs = self.tx.inputs
        timestamp, caller = (inputs.timestamp, inputs.caller_identity) if inputs else (None, None)
        return _heads().encode((self.tx.tx_offset, timestamp, inputs and inputs.reducer_name, caller, self.op))


@cache
def _heads() -> Codec[Row]:
    return Codec(LEADING)


class _Pending:
    """Rows that wait to be made columns. `size` is how many bytes they have."""

    def __init__(self, table: LogTable, merged: Merged, many: bool, wide: Wide, sums: Sums) -> None:
        self.table = table
        self.size = 0
        self._merged = merged
        self._many = many
        self._wide: Wide = wide
        self._sums: Sums = sums
        self._convert = merged.converter(table.row_type)
        self._codec = codec_of_rows(_with_leading(merged.row_type))
        self._pieces: list[bytes] = []
        self._made = False

    def takes(self, table: LogTable) -> bool:
        """Whether rows of the table, as it is now, have the same columns."""
        return table is self.table or self._many or table.row_type == self.table.row_type

    def add(self, change: _Change, start: int) -> None:
        """Add some of the rows of a change."""
        if change.table is not self.table:
            self.table, self._convert = change.table, self._merged.converter(change.table.row_type)
        head, convert = change.head(), self._convert
        rows = change.rows[start : start + _SLICE]
        pieces = [head + row for row in rows] if convert is None else [head + convert(row) for row in rows]
        self._pieces += pieces
        self.size += sum(map(len, pieces))

    def left(self) -> Iterator[Columns]:
        """The columns of what is left, if it is anything."""
        if self._pieces or not self._made:
            yield self.made()

    def made(self) -> Columns:
        """The columns of the rows that were added since the last time."""
        pieces, self._pieces, self.size, self._made = self._pieces, [], 0, True
        try:
            return self._codec.decode_columns(b"".join(pieces), count=len(pieces), wide=self._wide, sums=self._sums)
        except BsatnError as error:
            if not error.path:
                raise
            row, steps = (error.path[0], error.path[1:]) if isinstance(error.path[0], int) else (None, error.path)
            offset = None if row is None else _u64(pieces[row])[0]
            place = f"table {self.table.name}, {format_path(steps)}"
            raise StoreError(error.kind, f"{place}: {error.message}", tx_offset=offset) from None


def _with_leading(own: ProductType) -> ProductType:
    """The type of a row behind what is known of its transaction."""
    taken = {element.name for element in own.elements}
    leading: list[ProductTypeElement] = []
    for element in LEADING.elements:
        name = element.name or ""
        while name in taken:
            name += "_"
        leading.append(ProductTypeElement(name, element.algebraic_type))
    return ProductType((*leading, *own.elements))
