"""The fastest way through a log: whole commits stepped over by the native engine, or applied to the rows that tables have.

It knows the rows of the tables it has been taught, and leaves any commit to `defs.store.reading` that has others, or is not as
it should be. So here, too, errors need no words. (spec: event-tables 1.6, 3.2, 3.4)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from bsatn._native import Commits, Plan, Stepped
from bsatn.codec import Codec
from bsatn.native import NativeEngine
from defs.store.commitlog.layout import MAX_TX_OFFSET
from defs.store.commitlog.model import Run, Within
from defs.store.tracking import DESCRIBING, LogTable, Tracker

__all__ = ["Applier", "Stepper", "checker_of"]


class Stepper:
    """Steps over commits; to be told to `forget` whenever the tracker learns something."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._commits = Commits()
        self.forget = self._commits.forget

    def step(self, data: bytes, at: int, within: Within, position: int, expected: int) -> Run | None:
        """The commits in `data` from `at` on, `expected` their first transaction, up to one that needs care; None if that is
        the first."""
        while expected <= MAX_TX_OFFSET:
            found = self._step(data, at, within.header_size, expected)
            if found.commits:
                numbers = found.transactions, found.commits, found.rows, found.end - at
                return Run(expected, *numbers, found.last_tx_offset, found.checksum)
            if found.wanted is None or not self._teach(found.wanted):
                return None
        return None

    def _step(self, data: bytes, at: int, header_size: int, expected: int) -> Stepped:
        return self._commits.step(data, at, header_size, expected)

    def _teach(self, table_id: int) -> bool:
        """Let the engine know the rows of a table, if they are such that it may."""
        try:
            table = None if table_id in DESCRIBING else self._tracker.table(table_id)
            return table is not None and table.codec.min_width > 0 and self._learn(table)
        except Exception:  # noqa: BLE001 - whatever is wrong with the table, reading with all care says it better
            return False

    def _learn(self, table: LogTable) -> bool:
        self._commits.learn(table.table_id, checker_of(table.codec))
        return True


class Applier(Stepper):
    """Applies commits to the rows of tables, as replay does, if their transactions are before `end` and `takes` says so of the
    first one, and else steps over them. Those that contradict the rows are left alone.

    `tables` has the rows by table id. It stays as it is, but for what the tracker learns, and for tables that get rows."""

    def __init__(
        self,
        tracker: Tracker,
        tables: Mapping[int, dict[bytes, Any]],
        takes: Callable[[int], bool],
        end: int | None,
    ) -> None:
        super().__init__(tracker)
        self._tables = tables
        self._takes = takes
        self._end = MAX_TX_OFFSET if end is None else min(max(end, 0), MAX_TX_OFFSET)

    def _step(self, data: bytes, at: int, header_size: int, expected: int) -> Stepped:
        if not self._takes(expected):
            return super()._step(data, at, header_size, expected)
        return self._commits.apply(data, at, header_size, expected, self._end)

    def _learn(self, table: LogTable) -> bool:
        rows = self._tables.get(table.table_id)
        if rows is None and not table.is_event:
            return False  # the first rows of a table need the place for them
        self._commits.learn(table.table_id, checker_of(table.codec), rows, table.is_event)
        return True


@lru_cache(maxsize=1024)
def checker_of(codec: Codec[Any]) -> Plan:
    """What sees natively whether bytes are rows; written once for a type."""
    return NativeEngine(codec.shape, codec.limits).checker
