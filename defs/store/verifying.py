"""A log read from end to end, to see whether it is intact; and how much there was, and how long it took."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from defs.store.commitlog import list_segments
from defs.store.reading import Fault, LogReader

__all__ = ["Verified", "verify"]

_TELL = 0.2  #: seconds between reports of progress


def verify(
    directory: str | os.PathLike[str], *, salvage: bool = False, progress: Callable[[str], object] | None = None
) -> Verified:
    """Read a log to the end. Raises LogError.

    If it is damaged, or with `salvage`, every damaged place is found; also those that a recovery has left behind, and that
    are no damage otherwise. `progress` gets a line of text now and then.
    """
    found = Verified(directory, salvage=salvage)
    found.read(progress)
    if found.faults and not salvage:
        return verify(directory, salvage=True, progress=progress)
    return found


class Verified:
    """What reading a log has shown. `faults` are the damaged places, in order."""

    def __init__(self, directory: str | os.PathLike[str], *, salvage: bool) -> None:
        self._reader = LogReader(directory, "salvage" if salvage else "strict")
        segments = list_segments(directory)
        self.segments = len(segments)
        self._size = 0 if any(segment.compressed for segment in segments) else sum(one.file_size for one in segments)
        self.faults: list[Fault] = []
        self.transactions = self.rows = 0
        self.seconds = 0.0

    def read(self, progress: Callable[[str], object] | None) -> None:
        """Read it."""
        begin = time.monotonic()
        told = begin
        for item in self._reader.row_totals():
            if not isinstance(item, tuple):
                self.faults.append(item)
                continue
            transactions, rows = item
            self.transactions += transactions
            self.rows += rows
            if progress is not None and (now := time.monotonic()) - told > _TELL:
                told = now
                progress(self._progress(now - begin))
        self.seconds = time.monotonic() - begin

    def _progress(self, seconds: float) -> str:
        done = f"{self.bytes / self._size:.0%}" if self._size else f"{self.bytes / 1e6:,.0f} MB"
        return f"{done}, {self.transactions:,} transactions, {self.bytes / 1e6 / seconds:.1f} MB/s"

    @property
    def commits(self) -> int:
        """Commits that are intact."""
        return self._reader.commits

    @property
    def bytes(self) -> int:
        """Their bytes, uncompressed."""
        return self._reader.bytes

    def counts(self) -> dict[str, Any]:
        """The numbers, as fields."""
        return {
            "segments": self.segments,
            "commits": self.commits,
            "transactions": self.transactions,
            "rows": self.rows,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "damaged_places": len(self.faults),
        }

    def summary(self) -> str:
        """The numbers, as a line."""
        numbers = [(self.segments, "segment"), (self.commits, "commit"), (self.transactions, "transaction"), (self.rows, "row")]
        counted = ", ".join(f"{number:,} {what}{'s' * (number != 1)}" for number, what in numbers)
        speed = f"{self.bytes / 1e6:.2f} MB in {self.seconds:.2f} s ({self.bytes / 1e6 / max(self.seconds, 1e-6):.1f} MB/s)"
        places = len(self.faults)
        verdict = f"damaged in {places} place{'s' * (places != 1)}" if places else "intact"
        return f"{verdict}: {counted}; {speed}"
