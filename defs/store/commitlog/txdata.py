"""The record of one transaction: who asked for it, and what it did to which table. (spec: event-tables 3.4)

Records are not length-prefixed, and rows are not either: where a record ends is known only to one who knows the type of every
row in it. So reading takes a `RowReader`, which is asked for the rows of a table group by group, in file order, and can learn
the types from the groups it has seen: those of the system tables come first.

Every count is checked against the bytes that are left before anything is made of it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from bsatn.errors import DecodeError, EncodeError
from bsatn.values import ConnectionId, Identity, Timestamp

__all__ = ["Inputs", "Mutations", "RowGroup", "RowReader", "Txdata", "read_txdata", "write_txdata"]

Buffer: TypeAlias = bytes | bytearray | memoryview

INPUTS, OUTPUTS, MUTATIONS = 0x80, 0x40, 0x20
_U32 = struct.Struct("<I")
_CALL = struct.Struct("<32s16sq")
_U64_MAX = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Inputs:
    """The reducer call behind a transaction: its name, and what the server wrote of the call.

    `reducer_args` is caller identity (32 bytes), connection id (16), timestamp (i64, microseconds), then the reducer's own
    arguments as BSATN. The properties are None where it is too short for that.
    """

    reducer_name: str
    reducer_args: bytes

    def _call(self) -> tuple[bytes, bytes, int] | None:
        return _CALL.unpack_from(self.reducer_args) if len(self.reducer_args) >= _CALL.size else None

    @property
    def caller_identity(self) -> Identity | None:
        call = self._call()
        return Identity(int.from_bytes(call[0], "little")) if call else None

    @property
    def caller_connection_id(self) -> ConnectionId | None:
        call = self._call()
        return ConnectionId(int.from_bytes(call[1], "little")) if call else None

    @property
    def timestamp(self) -> Timestamp | None:
        call = self._call()
        return Timestamp(call[2]) if call else None

    @property
    def args(self) -> bytes | None:
        return self.reducer_args[_CALL.size :] if len(self.reducer_args) >= _CALL.size else None


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows of one table, each as BSATN."""

    table_id: int
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Mutations:
    """What a transaction did: rows inserted (those of event tables too), rows deleted, ids of tables emptied."""

    inserts: tuple[RowGroup, ...] = ()
    deletes: tuple[RowGroup, ...] = ()
    truncates: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Txdata:
    """One record."""

    inputs: Inputs | None = None
    outputs: bytes | None = None
    mutations: Mutations | None = None


class RowReader(Protocol):
    """Knows where rows end. Each method reads `count` rows of the table from `position` on, and returns them with the position
    after the last. It raises DecodeError for rows that cannot be read; it must bound `count` for rows that take no bytes."""

    def insert(self, table_id: int, buffer: Buffer, position: int, count: int) -> tuple[tuple[bytes, ...], int]: ...

    def delete(self, table_id: int, buffer: Buffer, position: int, count: int) -> tuple[tuple[bytes, ...], int]: ...


def read_txdata(buffer: Buffer, position: int, rows: RowReader) -> tuple[Txdata, int]:
    """The record at `position` and the position after it. Raises DecodeError, and what `rows` raises."""
    if not 0 <= position < len(buffer):
        raise _short("flags", 1, buffer, position)
    flags = buffer[position]
    position += 1
    inputs: Inputs | None = None
    outputs: bytes | None = None
    mutations: Mutations | None = None
    if flags & INPUTS:
        inputs, position = _read_inputs(buffer, position)
    if flags & OUTPUTS:
        size, position = _take(buffer, position, 1, "outputs")
        outputs, position = _take(buffer, position, size[0], "outputs")
    if flags & MUTATIONS:
        inserts, position = _read_groups(buffer, position, rows.insert, "inserts")
        deletes, position = _read_groups(buffer, position, rows.delete, "deletes")
        truncates, position = _read_truncates(buffer, position)
        mutations = Mutations(inserts, deletes, truncates)
    return Txdata(inputs, outputs, mutations), position


def write_txdata(txdata: Txdata) -> bytes:
    """The record as bytes. Raises EncodeError: `TooLong` (a name or outputs past 255 bytes), `OutOfRange`, `InvalidUtf8`."""
    inputs, outputs, mutations = txdata.inputs, txdata.outputs, txdata.mutations
    flags = INPUTS * (inputs is not None) | OUTPUTS * (outputs is not None) | MUTATIONS * (mutations is not None)
    out = bytearray([flags])
    if inputs is not None:
        _write_inputs(out, inputs)
    if outputs is not None:
        out += _short_length(outputs, "outputs")
        out += outputs
    if mutations is not None:
        for name, groups in (("inserts", mutations.inserts), ("deletes", mutations.deletes)):
            out += write_varint(len(groups))
            for group in groups:
                out += _u32(group.table_id, name)
                out += write_varint(len(group.rows))
                out += b"".join(group.rows)
        out += write_varint(len(mutations.truncates))
        out += b"".join(_u32(table_id, "truncates") for table_id in mutations.truncates)
    return bytes(out)


def read_varint(buffer: Buffer, position: int, what: str = "count") -> tuple[int, int]:
    """An unsigned LEB128 number below 2^64 at `position`, and the position after it. Longer spellings than needed are taken,
    up to ten bytes. Raises DecodeError."""
    value = 0
    for index in range(10):
        if position + index >= len(buffer):
            raise _short(what, index + 1, buffer, position)
        byte = buffer[position + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if value > _U64_MAX:
                break
            return value, position + index + 1
    raise DecodeError("Other", f"{what}: not a number of 64 bits", offset=position, path=("mutations", what))


def write_varint(value: int) -> bytes:
    """The shortest unsigned LEB128 spelling. Raises EncodeError (`OutOfRange`)."""
    if not 0 <= value <= _U64_MAX:
        raise EncodeError("OutOfRange", f"{value} is not a number of 64 bits")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_inputs(buffer: Buffer, position: int) -> tuple[Inputs, int]:
    size, start = _take(buffer, position, 4, "inputs")
    body, end = _take(buffer, start, _U32.unpack(size)[0], "inputs")
    if not body or 1 + body[0] > len(body):
        needed = 1 + body[0] if body else 1
        raise _short("reducer_name", needed, memoryview(body), 0, offset=start)
    try:
        name = body[1 : 1 + body[0]].decode()
    except UnicodeDecodeError:
        raise DecodeError("InvalidUtf8", offset=start + 1, path=("inputs", "reducer_name")) from None
    return Inputs(name, body[1 + body[0] :]), end


def _write_inputs(out: bytearray, inputs: Inputs) -> None:
    try:
        name = inputs.reducer_name.encode()
    except UnicodeEncodeError:
        raise EncodeError("InvalidUtf8", path=("inputs", "reducer_name")) from None
    length = _short_length(name, "reducer_name")
    out += _u32(1 + len(name) + len(inputs.reducer_args), "inputs")
    out += length + name + inputs.reducer_args


class _ReadRows(Protocol):
    def __call__(self, table_id: int, buffer: Buffer, position: int, count: int, /) -> tuple[tuple[bytes, ...], int]: ...


_SMALLEST_GROUP = 5  #: bytes: a table id and a count of one byte


def _read_groups(buffer: Buffer, position: int, read: _ReadRows, what: str) -> tuple[tuple[RowGroup, ...], int]:
    count, position = read_varint(buffer, position, what)
    if count * _SMALLEST_GROUP > len(buffer) - position:
        raise _short(what, count * _SMALLEST_GROUP, buffer, position)
    groups = []
    for _ in range(count):
        table, position = _take(buffer, position, 4, what)
        many, position = read_varint(buffer, position, what)
        if many > max(len(buffer) - position, 1):
            raise _short(f"{what}, rows of table {_U32.unpack(table)[0]}", many, buffer, position)
        table_id: int = _U32.unpack(table)[0]
        rows, after = read(table_id, buffer, position, many)
        if len(rows) != many or not position <= after <= len(buffer):
            raise ValueError(f"{read} read {len(rows)} rows of table {table_id} instead of {many}, up to byte {after}")
        position = after
        groups.append(RowGroup(table_id, rows))
    return tuple(groups), position


def _read_truncates(buffer: Buffer, position: int) -> tuple[tuple[int, ...], int]:
    count, position = read_varint(buffer, position, "truncates")
    ids, position = _take(buffer, position, 4 * count, "truncates")
    return tuple(table_id for (table_id,) in _U32.iter_unpack(ids)), position


def _take(buffer: Buffer, position: int, size: int, what: str) -> tuple[bytes, int]:
    if size > len(buffer) - position:
        raise _short(what, size, buffer, position)
    return bytes(buffer[position : position + size]), position + size


def _short(what: str, expected: int, buffer: Buffer, position: int, offset: int | None = None) -> DecodeError:
    return DecodeError(
        "BufferLength",
        offset=position if offset is None else offset,
        for_type=what,
        expected=expected,
        given=max(len(buffer) - position, 0),
    )


def _short_length(data: bytes, what: str) -> bytes:
    if len(data) > 255:
        raise EncodeError("TooLong", f"{what}: {len(data)} bytes, and the length is one byte", path=(what,))
    return bytes([len(data)])


def _u32(value: int, what: str) -> bytes:
    if not 0 <= value < 1 << 32:
        raise EncodeError("OutOfRange", f"{value} does not fit in a U32", path=(what,))
    return _U32.pack(value)
