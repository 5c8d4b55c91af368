"""The fast way through a record: one that describes no table and holds what it seems to. Whoever is unsure says so.

Most records are of this kind. Their rows are of tables that are known and stay as they are, so one loop can step over the
record's parts and hand each group of rows to a function made once for the table. Anything else (a row that describes a table, a
truncate, a count past the end, bytes that are no value) is Unsure, and `defs.store.reading` reads the record again with all
care; so here errors need no words. (spec: event-tables 3.4)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from bsatn.codec import Codec
from bsatn.codegen import GeneratedEngine
from bsatn.codegen.runtime import Unsure
from defs.store.checking import GroupReader, checker
from defs.store.commitlog.txdata import INPUTS, MUTATIONS, OUTPUTS, read_varint
from defs.store.tracking import DESCRIBING, LogTable, Tracker

__all__ = ["Readers", "Scanned", "Unsure", "counter", "one_by_one", "scan"]

_u32: Callable[[bytes, int], tuple[int]] = struct.Struct("<I").unpack_from


class Readers(dict[int, GroupReader]):
    """The reader of each table's groups, made by `make` on first use. Raises Unsure for tables that need all care.

    To be cleared whenever the tracker learns something.
    """

    def __init__(self, tracker: Tracker, make: Callable[[LogTable], GroupReader]) -> None:
        super().__init__()
        self._tracker = tracker
        self._make = make

    def __missing__(self, table_id: int) -> GroupReader:
        table = None if table_id in DESCRIBING else self._tracker.table(table_id)
        if table is None or not table.codec.min_width:
            raise Unsure
        self[table_id] = reader = self._make(table)
        return reader


class Scanned(NamedTuple):
    """Where a record ends, its flags, how many rows it has, and where its inputs and outputs (without lengths) are."""

    end: int
    flags: int
    rows: int
    inputs: int
    inputs_end: int
    outputs: int
    outputs_end: int


def scan(buffer: bytes, position: int, inserts: Readers, deletes: Readers) -> Scanned:
    """Step over the record at `position`. Raises anything for a record that is wrong, or that is unsure."""
    flags = buffer[position]
    position += 1
    inputs = inputs_end = outputs = outputs_end = rows = 0
    if flags & INPUTS:
        inputs = position + 4
        position = inputs_end = inputs + _u32(buffer, position)[0]
        name_end = inputs + 1 + buffer[inputs]
        if name_end > position:
            raise Unsure
        name = buffer[inputs + 1 : name_end]
        if not name.isascii():
            name.decode()
    if flags & OUTPUTS:
        outputs = position + 1
        position = outputs_end = outputs + buffer[position]
    if flags & MUTATIONS:
        for readers in (inserts, deletes):
            groups = buffer[position]
            position += 1
            if groups > 0x7F:
                raise Unsure
            while groups:
                groups -= 1
                count = buffer[position + 4]
                if count > 0x7F:
                    count, at = read_varint(buffer, position + 4)
                    if count > len(buffer) - at:
                        raise Unsure
                else:
                    at = position + 5
                position = readers[_u32(buffer, position)[0]](buffer, at, count)
                rows += count
        if buffer[position]:
            raise Unsure
        position += 1
    if position > len(buffer):
        raise Unsure
    return _scanned(Scanned, (position, flags, rows, inputs, inputs_end, outputs, outputs_end))


_scanned: Callable[[type[Scanned], tuple[int, ...]], Scanned] = tuple.__new__


def counter(table: LogTable) -> GroupReader:
    """A reader that only sees whether rows are rows."""
    written = checker(table.codec)
    if written is not None:
        return written
    read = one_by_one(table.codec)

    def check(buffer: bytes, position: int, count: int) -> int:
        for _ in range(count):
            _, position = read(buffer, position)
        return position

    return check


@lru_cache(maxsize=1024)
def one_by_one(codec: Codec[Any]) -> Callable[[bytes, int], tuple[Any, int]]:
    """The engine's function that reads one row, without what the codec puts around it."""
    if codec.engine == "native":
        from bsatn.native import NativeEngine

        return NativeEngine(codec.shape, codec.limits).plan.decode
    read: Callable[[bytes, int], tuple[Any, int]] = GeneratedEngine(codec.shape, codec.limits).readers["read"]
    return read
