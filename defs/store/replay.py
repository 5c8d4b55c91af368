"""From a log to the committed state that it leaves behind. (spec: event-tables 1.6)

Rows go into one set a table id while the log is read; schemas, and from them the tables, are made when it has been. Event
rows go nowhere. What contradicts the state so far (a row that is there already, or one to delete that is not) is an error.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from bsatn.engines import engine
from bsatn.errors import BsatnError
from defs.store.commitlog import Damage, list_segments, read_commits
from defs.store.commitlog.layout import SEGMENT_HEADER
from defs.store.commitlog.model import Run
from defs.store.reading import BadRecord, Fault, LogReader, Mode, TableRows, Transaction
from defs.store.state import CommittedState, Row, Table
from defs.store.tracking import Tracker
from defs.system import rows as st
from defs.system.catalog import row_codec
from defs.system.errors import StoreError
from defs.system.tables import FIRST_USER_ID, SYSTEM_BY_ID, SYSTEM_SCHEMAS, bootstrap_rows

__all__ = ["ReplayError", "replay"]

#: Position of the table's id in the rows that describe tables; these may be there already when they describe system tables.
_DESCRIBED = {
    st.ST_TABLE_ID: 0,
    st.ST_COLUMN_ID: 0,
    st.ST_SEQUENCE_ID: 2,
    st.ST_INDEX_ID: 1,
    st.ST_CONSTRAINT_ID: 2,
}

_UNORDERED = frozenset({"Magic", "OutOfOrder", "Forked", "Duplicate"})


class ReplayError(StoreError):
    """The log cannot be replayed: it is damaged, or its records contradict one another.

    `fault` is the damage, if it is that. `str(error)` says where.
    """

    def __init__(self, kind: str, message: str, *, tx_offset: int | None = None, fault: Fault | None = None) -> None:
        self.fault = fault
        super().__init__(kind, message, tx_offset=tx_offset)


def replay(
    directory: str | os.PathLike[str],
    *,
    at: int | None = None,
    mode: Mode = "strict",
    upstream: bool = False,
    progress: Callable[[LogReader], None] | None = None,
) -> CommittedState:
    """The state after the last transaction of the log, or after transaction `at`.

    Any damage up to there is a ReplayError, unless `mode` is `"salvage"`: then the state is that of the transactions up to the
    first one that is missing, and `state.faults` lists what was wrong. `upstream`: as the server does, which takes some damage
    for the end of the log, and cannot read every log that it wrote. `progress` is called after each transaction, or after some
    at once. Of an empty log it is the state of a new database, whose transaction 0 is still to be logged.

    Raises ReplayError; LogError for what is no log.
    """
    reader = LogReader(directory, "upstream" if upstream else mode)
    replaying = _Replay(reader.mode, reader.tracker)
    for item in _items(reader, replaying, None if at is None else at + 1):
        if not isinstance(item, (Transaction, Run)):
            if at is None or item.tx_offset is None or item.tx_offset <= at:
                replaying.fault(item)
            continue
        if replaying.take(item) and progress is not None:
            progress(reader)
        if replaying.next - 1 == at:
            break
    state = replaying.finish()
    if upstream and at is None:
        _check_last_segment(directory)
    if at is not None and state.next_tx_offset != at + 1:
        raise ReplayError("NoTransaction", f"there is no transaction {at}: {_extent(state.next_tx_offset)}")
    return state


def _items(reader: LogReader, replaying: _Replay, end: int | None) -> Iterator[Transaction | Fault | Run]:
    """What is in the log. Transactions before `end` that change only rows of plain tables may come as a Run, applied."""
    if engine() != "native":
        return reader.transactions()
    from defs.store.stepping import Applier

    return reader.runs(Applier(reader.tracker, replaying.tables, replaying.takes, end))


def _extent(following: int) -> str:
    return f"the last one is {following - 1}" if following else "the log is empty"


def _check_last_segment(directory: str | os.PathLike[str]) -> None:
    """The server asks for a log's extent before it replays, which fails when the last segment's commits are out of order."""
    segments = [segment for segment in list_segments(directory) if segment.file_size >= SEGMENT_HEADER.size]
    if not segments:
        return
    for item in read_commits(directory, start=segments[-1].min_tx_offset, mode="salvage"):
        if isinstance(item, Damage) and item.segment == segments[-1].file:
            if item.kind in _UNORDERED:
                raise ReplayError(item.kind, f"{item}", fault=item)
            return


class _Replay:
    def __init__(self, mode: Mode, tracker: Tracker) -> None:
        self.mode = mode
        self.tracker = tracker
        self.next = 0
        self.faults: list[Fault] = []
        self.stopped = False
        self.tables: dict[int, dict[bytes, Row | None]] = {table_id: {} for table_id in SYSTEM_BY_ID}
        self.types: dict[int, str] = {}
        for table_id, rows in bootstrap_rows().items():
            self.tables[table_id].update(dict.fromkeys(rows))

    # -- damage

    def fault(self, fault: Fault) -> None:
        """Something wrong with the log. The server passes over an error in the log that nothing follows."""
        self.settle()
        self.faults.append(fault)
        if self.mode == "strict" or isinstance(fault, BadRecord):
            self.settle(anyway=True)

    def settle(self, *, anyway: bool = False) -> None:
        """Fail of what was wrong before, now that something follows; unless it is to be salvaged."""
        if self.faults and (anyway or self.mode == "upstream") and self.mode != "salvage":
            raise ReplayError(self.faults[0].kind, f"{self.faults[0]}", fault=self.faults[0])

    # -- transactions

    def takes(self, tx_offset: int) -> bool:
        """Whether the transaction is the next to be applied."""
        return tx_offset == self.next and not self.stopped

    def take(self, item: Transaction | Run) -> bool:
        """Apply a transaction; or note that some were applied. False when one before it is missing, and so it is not."""
        self.settle()
        if self.stopped:
            return False
        first = item.min_tx_offset if isinstance(item, Run) else item.tx_offset
        if first != self.next:
            if self.mode == "salvage" and self.faults:
                self.stopped = True
                return False
            what = (
                "its first segments are missing, and snapshots are not read" if self.next == 0 else "transactions are missing"
            )
            raise ReplayError("InvalidOffset", f"expected transaction {self.next}, found {first}: {what}")
        if isinstance(item, Run):
            self.next = item.end_tx_offset
            return True
        try:
            self._apply(item)
        except StoreError as error:
            error.tx_offset = first
            if isinstance(error, ReplayError):
                raise
            raise ReplayError(error.kind, error.message, tx_offset=first) from None
        self.next = first + 1
        return True

    def _apply(self, tx: Transaction) -> None:
        for group in tx.inserts:
            if not group.table.is_event:  # events leave no trace, not even a table
                self._insert(group)
        dropped = self._dropped(tx)
        for group in tx.deletes:
            if group.table.table_id not in dropped:
                self._delete(group)
        for table in tx.truncates:
            if table.table_id not in dropped:
                self.tables.setdefault(table.table_id, {}).clear()
        for table_id in dropped:
            self.tables.pop(table_id, None)
            self.types.pop(table_id, None)
        for table_id in _described((*tx.inserts, *tx.deletes), st.ST_TABLE_ID, st.ST_COLUMN_ID):
            self._check_description(table_id)

    def _insert(self, group: TableRows) -> None:
        table_id = group.table.table_id
        rows = self.tables.setdefault(table_id, {})
        if table_id == st.ST_TABLE_ID:
            self._check_table_type(group)
        column = _DESCRIBED.get(table_id)
        for data, values in zip(group.rows, group.values, strict=True):
            if data in rows and (column is None or values[column] >= FIRST_USER_ID + (self.mode == "upstream")):
                message = f"a row of table {table_id} ({group.table.name}) is inserted that is there already: {_shown(data)}"
                raise StoreError("RowExists", message, table_id=table_id)
            rows[data] = None

    def _check_table_type(self, group: TableRows) -> None:
        for table_id, name, table_type, *_ in group.values:
            before = self.types.setdefault(table_id, table_type)
            if before != table_type:
                message = f"table {table_id} ({name}) was of type {before!r} and cannot become {table_type!r}"
                raise StoreError("TableTypeChanged", message, table_id=table_id)

    def _check_description(self, table_id: int) -> None:
        """At the end of a transaction a table is described once, and its rows are rows of its columns."""
        known = self.tracker.known(table_id)
        if known is None:
            return
        if len(known.tables) > 1 or len({column.col_pos for column in known.columns.values()}) < len(known.columns):
            message = f"table {table_id} is described twice at the end of the transaction"
            raise StoreError("UnfinishedChange", message, table_id=table_id)
        table = self.tracker.table(table_id)
        if table is None:
            return
        for data in self.tables.get(table_id, ()):
            try:
                table.codec.decode(data)
            except BsatnError as error:
                message = f"table {table_id} ({table.name}) has a row that does not fit its new columns: {error}"
                raise StoreError("IncompatibleLayout", message, table_id=table_id) from None

    def _delete(self, group: TableRows) -> None:
        rows = self.tables.get(group.table.table_id, {})
        for data in group.rows:
            if data not in rows:
                where = f"table {group.table.table_id} ({group.table.name})"
                raise StoreError("RowMissing", f"a row of {where} is deleted that is not there: {_shown(data)}")
            del rows[data]

    @staticmethod
    def _dropped(tx: Transaction) -> set[int]:
        """Tables whose row in `st_table` goes without another coming."""
        return _described(tx.deletes, st.ST_TABLE_ID) - _described(tx.inserts, st.ST_TABLE_ID)

    # -- the end

    def finish(self) -> CommittedState:
        """The state: what older releases left behind is put right, then tables are made of the rows."""
        state = CommittedState()
        for table_id in SYSTEM_BY_ID:
            for data in self.tables.pop(table_id, {}):
                state.tables[table_id].insert(data)
        _drop_double_sequences(state)
        _drop_orphans(state)
        _add_missing_system_tables(state)
        for row in sorted(state.records(st.StTableRow), key=lambda row: row.table_id):
            self._build(state, row.table_id)
        if self.tables:
            table_id = min(self.tables)
            raise ReplayError("TableNotFound", f"there are rows of table {table_id}, which st_table does not have")
        state.next_tx_offset = self.next
        state.faults = tuple(self.faults)
        return state

    def _build(self, state: CommittedState, table_id: int) -> None:
        try:
            schema = state.schema_for_table(table_id)
        except StoreError as error:
            raise ReplayError(error.kind, error.message) from None
        if table_id in SYSTEM_SCHEMAS:
            if schema.normalize() != SYSTEM_SCHEMAS[table_id]:
                name = SYSTEM_SCHEMAS[table_id].table_name
                message = f"the log describes system table {table_id} ({name}) other than release 2.14.0 does"
                raise ReplayError("SystemTableMismatch", message)
            return
        table = state.tables[table_id] = Table(schema)
        table.rows = self.tables.pop(table_id, {})


def _described(groups: tuple[TableRows, ...], *by: int) -> set[int]:
    """Ids of the tables that rows of these system tables are about."""
    return {row[0] for group in groups if group.table.table_id in by for row in group.values}


def _drop_double_sequences(state: CommittedState) -> None:
    """Of several rows for one of the system's sequences, the one that has allocated most stays."""
    table = state.tables[st.ST_SEQUENCE_ID]
    best: dict[int, tuple[int, bytes]] = {}
    for data in list(table):
        row = row_codec(st.StSequenceRow).decode(data)
        if row.sequence_id >= FIRST_USER_ID:
            continue
        known = best.get(row.sequence_id)
        if known is None or row.allocated > known[0]:
            best[row.sequence_id] = (row.allocated, data)
            data = known[1] if known else b""
        table.delete(data)


def _drop_orphans(state: CommittedState) -> None:
    """Rows of `st_event_table` whose table is gone; older releases left them behind."""
    table = state.tables[st.ST_EVENT_TABLE_ID]
    alive = {row.table_id for row in state.records(st.StTableRow)}
    for data in list(table):
        if row_codec(st.StEventTableRow).decode(data).table_id not in alive:
            table.delete(data)


def _add_missing_system_tables(state: CommittedState) -> None:
    """Describe system tables that the log's rows do not."""
    alive = {row.table_id for row in state.records(st.StTableRow)}
    missing = SYSTEM_BY_ID.keys() - alive
    if not missing:
        return
    for table_id, rows in bootstrap_rows().items():
        column, codec = _DESCRIBED[table_id], state.tables[table_id].codec
        for data in rows:
            if codec.decode(data)[column] in missing:
                state.tables[table_id].insert(data)


def _shown(data: bytes) -> str:
    return data[:40].hex() + ("..." if len(data) > 40 else "")
