"""Transactions of a log with the rows of some tables only, as bytes: those of the others are checked, and passed over.

Records that need all care are read as ever, so they have the rows of every table.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from bsatn.codec import Codec
from defs.store.checking import GroupReader
from defs.store.reading import LogReader, Mode, TableRows
from defs.store.scanning import Readers, counter
from defs.store.state import Row
from defs.store.tracking import LogTable

__all__ = ["PickingReader"]


class PickingReader(LogReader):
    """A LogReader that keeps the rows of the tables that are `wanted`; without values, but where they need care."""

    def __init__(self, directory: str | os.PathLike[str], mode: Mode, wanted: Callable[[LogTable], bool]) -> None:
        super().__init__(directory, mode)
        groups = self._groups
        groups.insert_readers = Readers(self.tracker, lambda table: keep(table, lambda group: groups.inserts.append(group)))
        groups.delete_readers = Readers(self.tracker, lambda table: keep(table, lambda group: groups.deletes.append(group)))

        def keep(table: LogTable, add: Callable[[TableRows], object]) -> GroupReader:
            check = _check(table.codec) or counter(table)
            return _keeper(table, check, add) if wanted(table) else check


def _check(codec: Codec[Row]) -> GroupReader | None:
    """The native engine's function that finds the end of rows."""
    if codec.engine != "native":
        return None
    from defs.store.stepping import checker_of

    return checker_of(codec).check


def _keeper(table: LogTable, check: GroupReader, add: Callable[[TableRows], object]) -> GroupReader:
    """A reader that keeps the bytes of rows."""

    def keep(buffer: bytes, position: int, count: int) -> int:
        rows: list[bytes] = []
        for _ in range(count):
            end = check(buffer, position, 1)
            rows.append(buffer[position:end])
            position = end
        add(TableRows(table, tuple(rows), ()))
        return position

    return keep
