"""Offset indexes: where in a segment some of its commits stand. Advice only, so what they say is checked, and what is wrong in
them ignored. An index is a file of fixed length: entries of two u64, tx offset and byte position, ascending, then zeros.
(spec: event-tables 3.3)
"""

from __future__ import annotations

import os
import struct
from itertools import takewhile
from pathlib import Path

from defs.store.commitlog.errors import LogError, open_file, unreadable
from defs.store.commitlog.layout import SEGMENT_HEADER

__all__ = ["ENTRY", "best_entry", "read_offset_index"]

ENTRY = struct.Struct("<QQ")
MAX_BYTES = 1 << 26  #: of an index that are looked at


def read_offset_index(path: str | os.PathLike[str]) -> list[tuple[int, int]]:
    """The entries (tx offset, byte position) of an offset index file, up to the first that is zero or out of order.

    Raises LogError: `NotFound`, `Unreadable`.
    """
    try:
        with open_file(Path(path)) as file:
            data = file.read(MAX_BYTES)
    except OSError as error:
        raise unreadable(path, error) from None
    entries: list[tuple[int, int]] = []
    previous = (0, SEGMENT_HEADER.size - 1)
    for key, position in takewhile(any, ENTRY.iter_unpack(data[: len(data) // ENTRY.size * ENTRY.size])):
        if not (key > previous[0] and position > previous[1]):
            break
        previous = (key, position)
        entries.append(previous)
    return entries


def best_entry(path: Path, tx_offset: int) -> tuple[int, int] | None:
    """The last entry at or before the transaction; None without one, or without an index that can be read."""
    try:
        entries = read_offset_index(path)
    except LogError:
        return None
    return max(takewhile(lambda entry: entry[0] <= tx_offset, entries), default=None)
