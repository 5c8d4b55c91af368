"""Which tables a log has, with the types of their rows, at each point of the log; learnt from the log itself.

Rows cannot be told apart without their type, and the types are rows of `st_table`, `st_column` and `st_event_table` that came
before. So every record is read with a `Draft`: what the log has described so far, and what this record adds, which is in force
at once. Deletes of the record take effect at its end. If the record is read to its end, the draft is kept, else it is dropped.

Of two rows for one column the later one counts. A record that removes columns of an event table and then has rows of it does
not say so before the rows: `Draft` takes the number of columns to keep from a list of guesses. (spec: event-tables 1.6)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bsatn.codec import Codec
from bsatn.types import AlgebraicType, ProductType, ProductTypeElement
from defs.schema.table import TableSchema
from defs.store.state import Row, codec_of_rows
from defs.system.catalog import decoded_type
from defs.system.errors import StoreError
from defs.system.rows import ST_COLUMN_ID, ST_EVENT_TABLE_ID, ST_TABLE_ID, StColumnRow, StTableRow
from defs.system.tables import SYSTEM_SCHEMAS

__all__ = ["DESCRIBING", "Draft", "LogColumn", "LogTable", "Tracker"]


@dataclass(frozen=True, slots=True)
class LogColumn:
    """A column, as the log describes it."""

    name: str
    type: AlgebraicType


@dataclass(frozen=True)
class LogTable:
    """A table at a point of a log. `table_type` and `access` are the words of `st_table`."""

    table_id: int
    name: str
    table_type: str
    access: str
    primary_key: int | None
    columns: tuple[LogColumn, ...]
    is_event: bool

    @classmethod
    def of(cls, schema: TableSchema) -> LogTable:
        """The table with this schema."""
        columns = tuple(LogColumn(column.col_name, column.col_type) for column in schema.columns)
        words = schema.table_type.name.lower(), schema.table_access.name.lower()
        return cls(schema.table_id, schema.table_name, *words, schema.primary_key, columns, schema.is_event)

    @property
    def is_system(self) -> bool:
        """Whether it is one of the server's own tables."""
        return self.table_type == "system"

    @cached_property
    def row_type(self) -> ProductType:
        """The type of a row: the columns' names and types."""
        return ProductType(tuple(ProductTypeElement(column.name, column.type) for column in self.columns))

    @cached_property
    def codec(self) -> Codec[Row]:
        """The codec of rows, as tuples."""
        return codec_of_rows(self.row_type)


@dataclass(slots=True)
class _Known:
    """What is known of one table id: its rows in the three system tables, in the order in which they came."""

    tables: dict[bytes, StTableRow] = field(default_factory=dict)
    columns: dict[bytes, StColumnRow] = field(default_factory=dict)
    events: dict[bytes, None] = field(default_factory=dict)

    def copy(self) -> _Known:
        return _Known(dict(self.tables), dict(self.columns), dict(self.events))

    def table(self, table_id: int, keep: int | None = None, residents: bool = False) -> LogTable:
        """The table; with only the first `keep` columns, or (`residents`) with every row of `st_column` as a column."""
        if not self.tables:
            raise StoreError("TableNotFound", f"the log has not described table {table_id}", table_id=table_id)
        table = next(reversed(self.tables.values()))
        columns = sorted(self.columns.values(), key=lambda column: column.col_pos)
        if not residents:
            newest = {column.col_pos: column for column in columns}  # sorting is stable: of equal positions, the later one
            columns = list(newest.values())[:keep]
            for position, column in enumerate(columns):
                if column.col_pos != position:
                    message = f"table {table_id} ({table.table_name}) has a column {column.col_pos} but no column {position}"
                    raise StoreError("InvalidColumns", message, table_id=table_id)
        key = table.table_primary_key
        return LogTable(
            table_id,
            table.table_name,
            table.table_type,
            table.table_access,
            key[0] if key else None,
            tuple(LogColumn(column.col_name, decoded_type(table, column.col_name, column.col_type)) for column in columns),
            bool(self.events),
        )


def _built_in(table_id: int) -> LogTable:
    return LogTable.of(SYSTEM_SCHEMAS[table_id])


#: The tables that describe tables are read as they always were; a log cannot say otherwise.
_FIXED = {table_id: _built_in(table_id) for table_id in (ST_TABLE_ID, ST_COLUMN_ID, ST_EVENT_TABLE_ID)}

DESCRIBING = frozenset(_FIXED)
"""Ids of the tables whose rows say what other tables are."""


class Tracker:
    """What the log has described so far. It begins with the system tables, which old logs presuppose.

    `upstream`: the columns of an event table whose layout changes within a record are taken as the server's replay takes them,
    which cannot read rows of it in the same record.
    """

    def __init__(self, *, upstream: bool = False) -> None:
        self.upstream = upstream
        self._known: dict[int, _Known] = {}
        self._tables: dict[int, LogTable] = {table_id: _built_in(table_id) for table_id in SYSTEM_SCHEMAS}

    def tables(self) -> Iterator[LogTable]:
        """Every table there is at this point, by id. Raises StoreError, when the rows that describe one make no sense."""
        for table_id in sorted({*self._tables, *self._known}):
            found = self.table(table_id)
            if found is not None:
                yield found

    def table(self, table_id: int) -> LogTable | None:
        """A table at this point, or None. Raises StoreError, when the rows that describe it make no sense."""
        if table_id not in self._tables:
            known = self._known.get(table_id)
            if known is None or not known.tables:
                return None
            self._tables[table_id] = known.table(table_id)
        return self._tables[table_id]

    def known_ids(self) -> Iterable[int]:
        """Ids of the tables that rows of the log describe."""
        return self._known.keys()

    def known(self, table_id: int) -> _Known | None:
        """The rows that describe a table."""
        return self._known.get(table_id)

    def apply(self, changed: dict[int, _Known]) -> None:
        """Take over what a record changed."""
        for table_id, known in changed.items():
            if table_id in _FIXED:
                continue
            self._tables.pop(table_id, None)
            if known.tables:
                self._known[table_id] = known
            elif table_id in SYSTEM_SCHEMAS:
                self._tables[table_id] = _built_in(table_id)
            else:
                self._known.pop(table_id, None)  # dropped


class Draft:
    """A record that is being read: the tracker's knowledge, and what the record has added to it up to here.

    `guesses` says, for the first event tables that have rows in the record, how many columns fewer they have than it
    seems; `met` lists how many columns each of them seemed to have.
    """

    def __init__(self, tracker: Tracker, guesses: Sequence[int] = ()) -> None:
        self.tracker = tracker
        self.guesses = guesses
        self.met: list[int] = []
        self._changed: dict[int, _Known] = {}
        self._gone: list[tuple[int, Row, bytes]] = []
        self._used: dict[int, LogTable] = {}

    def table(self, table_id: int, *, inserting: bool = False) -> LogTable:
        """The table whose rows come next in the record. Raises StoreError."""
        if table_id in _FIXED:
            return _FIXED[table_id]
        if table_id in self._used:
            return self._used[table_id]
        changed = self._changed.get(table_id)
        if changed is not None and changed.tables:
            table = changed.table(table_id, residents=self.tracker.upstream and bool(changed.events))
        else:
            known = self.tracker.table(table_id)
            if known is None:
                raise StoreError("TableNotFound", f"the log has not described table {table_id}", table_id=table_id)
            table = known
        if inserting and table.is_event:
            table = self._guessed(table)
            self._used[table_id] = table
        return table

    def _guessed(self, table: LogTable) -> LogTable:
        self.met.append(len(table.columns))
        index = len(self.met) - 1
        fewer = self.guesses[index] if index < len(self.guesses) else 0
        if not fewer:
            return table
        known = self._changed.get(table.table_id) or self.tracker.known(table.table_id) or _Known()
        return known.table(table.table_id, keep=len(table.columns) - fewer)

    def inserted(self, table_id: int, row: Row, data: bytes) -> None:
        """Note a row that the record inserts."""
        if table_id not in _FIXED:
            return
        known = self._edit(row[0])
        if table_id == ST_TABLE_ID:
            known.tables.setdefault(data, StTableRow(*row))
        elif table_id == ST_COLUMN_ID:
            known.columns.setdefault(data, StColumnRow(*row))
        else:
            known.events[data] = None

    def deleted(self, table_id: int, row: Row, data: bytes) -> None:
        """Note a row that the record deletes."""
        if table_id in _FIXED:
            self._gone.append((table_id, row, data))

    def finish(self, truncates: Sequence[int] = ()) -> bool:
        """The record's end: deletes and truncates take effect.

        False when rows of an event table were read with other columns than it has now, which shows a wrong guess: its layout
        changes only while it has no rows.
        """
        for table_id, row, data in self._gone:
            self._part(self._edit(row[0]), table_id).pop(data, None)
        for table_id in _FIXED.keys() & set(truncates):
            for known_id in {*self.tracker.known_ids(), *self._changed}:
                self._part(self._edit(known_id), table_id).clear()
        return self.tracker.upstream or all(self._still_is(table) for table in self._used.values())

    def _still_is(self, table: LogTable) -> bool:
        changed = self._changed.get(table.table_id)
        if changed is None:
            now = self.tracker.table(table.table_id)
        else:
            now = changed.table(table.table_id) if changed.tables else None
        return now is None or now is table or now.columns == table.columns

    def keep(self) -> bool:
        """Let the tracker know what the record changed; whether it changed anything."""
        self.tracker.apply(self._changed)
        return bool(self._changed)

    def _edit(self, table_id: int) -> _Known:
        if table_id not in self._changed:
            known = self.tracker.known(table_id)
            self._changed[table_id] = known.copy() if known else _Known()
        return self._changed[table_id]

    @staticmethod
    def _part(known: _Known, table_id: int) -> dict[bytes, Any]:
        parts: dict[int, dict[bytes, Any]] = {ST_TABLE_ID: known.tables, ST_COLUMN_ID: known.columns}
        return parts.get(table_id, known.events)
