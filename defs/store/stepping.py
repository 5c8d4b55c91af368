"""The fastest way through a log, for those who only count: whole commits stepped over by the native engine.

It knows the rows of the tables it has been taught, and leaves any commit to `defs.store.reading` that has others, or is not as
it should be. So here, too, errors need no words. (spec: event-tables 3.2, 3.4)
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from bsatn._native import Commits, Plan
from bsatn.codec import Codec
from bsatn.native import NativeEngine
from defs.store.commitlog.model import Run
from defs.store.tracking import DESCRIBING, Tracker

__all__ = ["Stepper"]


class Stepper:
    """Steps over commits; to be told to `forget` whenever the tracker learns something."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker
        self._commits = Commits()
        self.forget = self._commits.forget

    def step(self, data: bytes, at: int, header_size: int, expected: int) -> Run | None:
        """The commits in `data` from `at` on, `expected` their first transaction, up to one that needs care; None if that is
        the first."""
        while True:
            found = self._commits.step(data, at, header_size, expected)
            if found.commits:
                numbers = found.transactions, found.commits, found.rows, found.end - at
                return Run(expected, *numbers, found.last_tx_offset, found.checksum)
            if found.wanted is None or not self._teach(found.wanted):
                return None

    def _teach(self, table_id: int) -> bool:
        """Let the engine know the rows of a table, if they are such that it may."""
        table = None if table_id in DESCRIBING else self._tracker.table(table_id)
        if table is None or not table.codec.min_width:
            return False
        self._commits.learn(table_id, _plan(table.codec))
        return True


@lru_cache(maxsize=1024)
def _plan(codec: Codec[Any]) -> Plan:
    return NativeEngine(codec.shape, codec.limits).checker
