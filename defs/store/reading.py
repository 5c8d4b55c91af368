"""A log as transactions with their rows decoded, one after the other, in memory that does not grow with the log.

No module is needed: a log describes its tables (`defs.store.tracking`). Commits and checksums are the business of
`defs.store.commitlog`; here records become transactions. (spec: event-tables 1.6, 3.4)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar, cast

from bsatn.collector import collector_paused
from bsatn.engines import engine
from bsatn.errors import BsatnError, DecodeError, LimitExceeded
from defs.store.checking import GroupReader
from defs.store.commitlog import Commit, Damage
from defs.store.commitlog.layout import FRAMINGS
from defs.store.commitlog.model import Run, Within
from defs.store.commitlog.reading import Step, read_runs
from defs.store.commitlog.txdata import INPUTS, MUTATIONS, OUTPUTS, Buffer, Inputs, Txdata, read_txdata
from defs.store.scanning import Readers, counter, one_by_one, scan
from defs.store.state import Row
from defs.store.tracking import Draft, LogTable, Tracker
from defs.system.errors import StoreError

if TYPE_CHECKING:
    from defs.store.stepping import Stepper

__all__ = ["BadRecord", "Fault", "LogReader", "Mode", "TableRows", "Transaction", "read_transactions"]

_T = TypeVar("_T")

Mode: TypeAlias = Literal["strict", "salvage", "upstream"]

_MAX_GUESSES, _MIN_GUESSES = 256, 16
_GUESSED_BYTES = 64 << 20  #: how much of a record may be read anew, all guesses together, beyond the least number of them
_MANY_ROWS = 1 << 10  #: rows of one group from which on pausing the garbage collector pays
_MAX_EMPTY_ROWS = 1 << 18  #: rows that take no bytes, in one group


class TableRows(NamedTuple):
    """Rows of one table that a transaction inserts or deletes: as BSATN, and as values by position."""

    table: LogTable
    rows: tuple[bytes, ...]
    values: tuple[Row, ...]


class Transaction(NamedTuple):
    """One transaction of a log; a tuple for the reason that commits are.

    `inserts` has the rows of event tables too. `byte_offset` is where its record begins in the segment (of a compressed one,
    in its uncompressed bytes), `record_offset` where in the commit's records, `len` its bytes.
    """

    tx_offset: int
    commit: Commit
    byte_offset: int
    record_offset: int
    len: int
    inputs: Inputs | None
    outputs: bytes | None
    has_mutations: bool
    inserts: tuple[TableRows, ...]
    deletes: tuple[TableRows, ...]
    truncates: tuple[LogTable, ...]

    def events(self) -> Iterator[TableRows]:
        """Those of the inserts that are events."""
        return (group for group in self.inserts if group.table.is_event)


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be read; the others of its commit behind it are lost with it.

    As `Damage`, with the error's `kind`. `byte_offset` is where the offending item begins; `table_id`, `table` and `row` say
    which row it is in, if it is in one.
    """

    segment: str
    byte_offset: int
    kind: str
    message: str
    tx_offset: int
    table_id: int | None = None
    table: str | None = None
    row: int | None = None

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row} of table {self.table_id} ({self.table})"
        return f"{self.segment} at byte {self.byte_offset}: transaction {self.tx_offset}{row}: {self.message}"


Fault: TypeAlias = Damage | BadRecord


def read_transactions(directory: str | os.PathLike[str], *, mode: Mode = "strict") -> Iterator[Transaction | Fault]:
    """The transactions of a log in order, and what is wrong with it.

    `mode` is that of `read_commits`: `strict` ends with the first fault, `salvage` goes on behind a bad commit, `upstream`
    reads as the server's replay does. Raises LogError for what is no log.
    """
    return LogReader(directory, mode).transactions()


class LogReader:
    """Reads a log. `tracker` holds what the log has described so far, `next` is the offset of the transaction that comes next;
    `commits` and `bytes` count what was read."""

    def __init__(self, directory: str | os.PathLike[str], mode: Mode = "strict") -> None:
        self.directory = directory
        self.mode: Mode = mode
        self.tracker = Tracker(upstream=mode == "upstream")
        self.next = 0
        self.commits = 0
        self.bytes = 0
        self._counters = Readers(self.tracker, counter)
        self._groups = _Groups(self.tracker)
        self._forget: Callable[[], object] = lambda: None

    def transactions(self) -> Iterator[Transaction | Fault]:
        """The transactions and faults, in order; when called again, those that have been written since."""
        return self._items(self._transaction)

    def row_counts(self) -> Iterator[int | Fault]:
        """As `transactions`, but of each only the number of its rows: they are checked, not kept."""
        return self._items(self._row_count)

    def runs(self, stepper: Stepper) -> Iterator[Transaction | Fault | Run]:
        """As `transactions`, but the commits that `stepper` stands for are one Run. It must know this reader's tracker."""
        return self._all_items(self._transaction, stepper)

    def row_totals(self) -> Iterator[tuple[int, int] | Fault]:
        """As `row_counts`, but of some transactions at once: how many they are, and how many rows they have together."""
        stepper: Stepper | None = None
        if engine() == "native":
            from defs.store.stepping import Stepper

            stepper = Stepper(self.tracker)
        for item in self._all_items(self._row_count, stepper):
            if isinstance(item, int):
                yield 1, item
            else:
                yield (item.n, item.rows) if isinstance(item, Run) else item

    def _items(self, read: _RecordReader[_T]) -> Iterator[_T | Fault]:
        return cast("Iterator[_T | Fault]", self._all_items(read))

    def _after_the_first(self, stepper: Stepper) -> Step:
        """Step over commits; but the first one of the log is looked at."""
        self._forget = stepper.forget

        def step(data: bytes, at: int, within: Within, position: int, expected: int) -> Run | None:
            return stepper.step(data, at, within, position, expected) if self.commits else None

        return step

    def _all_items(self, read: _RecordReader[_T], stepper: Stepper | None = None) -> Iterator[_T | Fault | Run]:
        step = self._after_the_first(stepper) if stepper else None
        for item in read_runs(self.directory, start=self.next, mode=self.mode, step=step):
            if isinstance(item, Damage):
                yield item
                continue
            if isinstance(item, Run):
                self.commits += item.commits
                self.bytes += item.len
                self.next = item.end_tx_offset
                yield item
                continue
            if not self.commits and item.min_tx_offset:
                yield _missing_start(item)
                if self.mode != "salvage":
                    return
            self.commits += 1
            self.bytes += item.len
            fault = yield from self._of_commit(item, read)
            if fault is not None:
                yield fault
                if self.mode != "salvage":
                    return

    def _of_commit(self, commit: Commit, read: _RecordReader[_T]) -> Generator[_T, None, BadRecord | None]:
        buffer = bytes(commit.records)
        position = 0
        for tx_offset in range(commit.min_tx_offset, commit.end_tx_offset):
            last = tx_offset == commit.end_tx_offset - 1
            found = read(commit, buffer, position, tx_offset, last)
            if isinstance(found, _Failure):
                return found.told(commit, tx_offset)
            self.next = tx_offset + 1
            item, position = found
            yield item
        return None

    def _row_count(
        self, commit: Commit, buffer: bytes, position: int, tx_offset: int, last: bool
    ) -> tuple[int, int] | _Failure:
        try:
            end, _, rows, *_ = scan(buffer, position, self._counters, self._counters)
            if end == len(buffer) or not last or self.mode == "upstream":
                return rows, end
        except Exception:  # noqa: BLE001 - whatever it was, reading with all care says it better
            pass
        read = self._read(buffer, position, last)
        if isinstance(read, _Failure):
            return read
        return sum(len(group.rows) for group in (*read.rows.inserts, *read.rows.deletes)), read.end

    def _transaction(
        self, commit: Commit, buffer: bytes, position: int, tx_offset: int, last: bool
    ) -> tuple[Transaction, int] | _Failure:
        base = commit.byte_offset + FRAMINGS[commit.version].header_size
        groups = self._groups
        groups.inserts, groups.deletes = [], []
        try:
            end, flags, _, at, at_end, out, out_end = scan(buffer, position, groups.insert_readers, groups.delete_readers)
            if end == len(buffer) or not last or self.mode == "upstream":
                name_end = at + 1 + buffer[at]
                inputs = Inputs(buffer[at + 1 : name_end].decode(), buffer[name_end:at_end]) if flags & INPUTS else None
                outputs = buffer[out:out_end] if flags & OUTPUTS else None
                inserts, deletes = tuple(groups.inserts), tuple(groups.deletes)
                place = base + position, position, end - position
                return Transaction(tx_offset, commit, *place, inputs, outputs, flags & MUTATIONS > 0, inserts, deletes, ()), end
        except Exception:  # noqa: BLE001 - as above
            pass
        read = self._read(buffer, position, last)
        if isinstance(read, _Failure):
            return read
        tx = Transaction(
            tx_offset,
            commit,
            base + position,
            position,
            read.end - position,
            read.txdata.inputs,
            read.txdata.outputs,
            read.txdata.mutations is not None,
            tuple(read.rows.inserts),
            tuple(read.rows.deletes),
            tuple(read.truncates),
        )
        return tx, read.end

    def _learned(self) -> None:
        self._forget()
        self._counters.clear()
        self._groups.insert_readers.clear()
        self._groups.delete_readers.clear()

    def _read(self, buffer: bytes, position: int, last: bool) -> _Read | _Failure:
        """The record at the position; if it makes no sense as it seems to be, with the columns that event tables may have."""
        guesses: list[int] = []
        first: _Failure | None = None
        affordable = _GUESSED_BYTES // (len(buffer) - position + 1)
        for _ in range(min(max(_MIN_GUESSES, affordable), _MAX_GUESSES)):
            draft = Draft(self.tracker, guesses)
            rows = _Rows(draft)
            try:
                txdata, end = read_txdata(buffer, position, rows)
                if last and end < len(buffer) and self.mode != "upstream":
                    raise DecodeError("TrailingBytes", offset=end, unread=len(buffer) - end)
                truncated = txdata.mutations.truncates if txdata.mutations else ()
                tables = [draft.table(table_id) for table_id in truncated]
                if draft.finish(truncated):
                    if draft.keep():
                        self._learned()
                    return _Read(txdata, end, rows, tables)
                failure = _Failure(StoreError("LayoutChanged", "rows of an event table before its columns change"), position)
            except BsatnError as error:
                failure = _Failure(error, position, rows.table, rows.row)
            first = first or failure
            following = None if self.mode == "upstream" else _next_guesses(guesses, draft.met)
            if following is None:
                break
            guesses = following
        assert first is not None
        return first


def _missing_start(commit: Commit) -> BadRecord:
    offset = commit.min_tx_offset
    message = f"the log begins here: what came before, which describes the tables, is gone ({offset} transactions)"
    return BadRecord(commit.segment, commit.byte_offset, "MissingStart", message, offset)


def _next_guesses(guesses: Sequence[int], met: Sequence[int]) -> list[int] | None:
    """What to try next, the last table's columns first; None when everything was tried."""
    following = [*guesses, *[0] * len(met)][: len(met)]
    while following:
        if following[-1] + 1 < met[len(following) - 1]:
            following[-1] += 1
            return following
        following.pop()
    return None


class _Groups:
    """Gathers what is read of a record the fast way."""

    def __init__(self, tracker: Tracker) -> None:
        self.inserts: list[TableRows] = []
        self.deletes: list[TableRows] = []
        self.insert_readers = Readers(tracker, lambda table: self._reader(table, lambda group: self.inserts.append(group)))
        self.delete_readers = Readers(tracker, lambda table: self._reader(table, lambda group: self.deletes.append(group)))

    @staticmethod
    def _reader(table: LogTable, add: Callable[[TableRows], object]) -> GroupReader:
        read = one_by_one(table.codec)

        def keep(buffer: bytes, position: int, count: int) -> int:
            rows: list[bytes] = []
            values: list[Row] = []
            for _ in range(count):
                value, end = read(buffer, position)
                rows.append(buffer[position:end])
                values.append(value)
                position = end
            add(TableRows(table, tuple(rows), tuple(values)))
            return position

        def keep_many(buffer: bytes, position: int, count: int) -> int:
            if count < _MANY_ROWS:
                return keep(buffer, position, count)
            with collector_paused():
                return keep(buffer, position, count)

        return keep_many


@dataclass(slots=True)
class _Read:
    """A record that was read."""

    txdata: Txdata
    end: int
    rows: _Rows
    truncates: list[LogTable]


_RecordReader: TypeAlias = Callable[[Commit, bytes, int, int, bool], "tuple[_T, int] | _Failure"]
"""(commit, its records, position, offset of the transaction, whether it is the last) to what is made of it, and its end."""


@dataclass(slots=True)
class _Failure:
    """Why a record was not read, and where the record and the row begin in the commit's records."""

    error: BsatnError
    position: int
    table: LogTable | None = None
    row: int | None = None

    def told(self, commit: Commit, tx_offset: int) -> BadRecord:
        error, table = self.error, self.table
        segment, base = commit.segment, commit.byte_offset + FRAMINGS[commit.version].header_size
        offset = error.offset if isinstance(error, DecodeError) else None
        where = f" (at {error.where})" if error.where else ""
        place = (None, None, None) if table is None else (table.table_id, table.name, self.row)
        return BadRecord(
            segment, base + (self.position if offset is None else offset), error.kind, error.message + where, tx_offset, *place
        )


class _Rows:
    """Reads the rows of one record; `table` and `row` say which was being read when it failed."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.inserts: list[TableRows] = []
        self.deletes: list[TableRows] = []
        self.table: LogTable | None = None
        self.row: int | None = None

    def insert(self, table_id: int, buffer: Buffer, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
        group, end = self._group(table_id, buffer, position, count, inserting=True)
        self.inserts.append(group)
        for row, data in zip(group.values, group.rows, strict=True):
            self.draft.inserted(table_id, row, data)
        return group.rows, end

    def delete(self, table_id: int, buffer: Buffer, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
        group, end = self._group(table_id, buffer, position, count, inserting=False)
        self.deletes.append(group)
        for row, data in zip(group.values, group.rows, strict=True):
            self.draft.deleted(table_id, row, data)
        return group.rows, end

    def _group(self, table_id: int, buffer: Buffer, position: int, count: int, *, inserting: bool) -> tuple[TableRows, int]:
        self.table = self.row = None
        table = self.draft.table(table_id, inserting=inserting)
        decode = table.codec.decode_from
        data = bytes(buffer)
        if count > _MAX_EMPTY_ROWS and not table.codec.min_width:
            raise LimitExceeded(
                "rows", _MAX_EMPTY_ROWS, f"{count} rows that take no bytes", offset=position, advice="no set has so many"
            )
        self.table = table
        rows: list[bytes] = []
        values: list[Row] = []
        for self.row in range(count):
            value, end = decode(data, position)
            rows.append(data[position:end])
            values.append(value)
            position = end
        self.table = self.row = None
        return TableRows(table, tuple(rows), tuple(values)), position
