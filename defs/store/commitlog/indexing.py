"""Writing an offset index beside a segment, entry for entry as the server does. (spec: event-tables 3.3)

The first commit after the last entry is the candidate. Once enough bytes have been written since, it becomes an entry: when the
segment is synced, or at once where that is not asked for. Commit 0 is never a candidate, since key 0 ends the list.
"""

from __future__ import annotations

from pathlib import Path

from defs.store.commitlog.index import ENTRY, read_offset_index

__all__ = ["OffsetIndexWriter"]


class OffsetIndexWriter:
    """The offset index of the segment being written. `capacity` is in entries; `size` is where the segment is continued."""

    def __init__(self, path: Path, capacity: int, interval: int, after_sync: bool, size: int) -> None:
        self._interval = interval
        self._after_sync = after_sync
        self._capacity = capacity
        known = [entry for entry in read_offset_index(path) if entry[1] < size] if path.exists() else []
        self._count = min(len(known), capacity)
        self._candidate: tuple[int, int] | None = None
        self._written = 0
        self._file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        self._file.truncate(self._count * ENTRY.size)
        self._file.truncate(capacity * ENTRY.size)

    def committed(self, min_tx_offset: int, byte_offset: int, size: int) -> None:
        """Note a commit that was written."""
        self._written += size
        if self._candidate is None and min_tx_offset:
            self._candidate = min_tx_offset, byte_offset
        if not self._after_sync:
            self._append()

    def synced(self) -> None:
        """Note that everything written is on disk."""
        self._append()

    def close(self) -> None:
        self._file.close()

    def _append(self) -> None:
        if self._candidate is None or self._written < self._interval:
            return
        if self._count < self._capacity:
            self._file.seek(self._count * ENTRY.size)
            self._file.write(ENTRY.pack(*self._candidate))
            self._count += 1
        self._candidate, self._written = None, 0
