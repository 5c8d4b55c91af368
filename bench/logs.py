"""Commit logs of a given size, always the same: one transaction a commit, as the server writes them.

Records are packed by hand; the library's writer frames them, and its system rows describe the tables. A small transaction
is a call that moves something: one event row, or now and then one row of a table. A medium one rewrites two rows of
a table (two deletes, two inserts) and has three events with text. (spec: event-tables 3.4)
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench import wire

STEP, CHAT, THING, PLAYER = 4096, 4097, 4098, 4099
EVENTS = frozenset({STEP, CHAT})
TABLES: dict[int, tuple[str, dict[str, bytes]]] = {
    STEP: ("step", {"who": wire.U64, "x": wire.F32, "y": wire.F32}),
    CHAT: ("chat", {"sender": wire.U64, "sent": wire.TIMESTAMP, "words": wire.STRING}),
    THING: ("thing", {"id": wire.U64, "kind": wire.U32, "count": wire.U32}),
    PLAYER: (
        "player",
        {
            "id": wire.U64,
            "owner": wire.IDENTITY,
            "name": wire.STRING,
            "level": wire.U32,
            "guild": wire.option_type(wire.U32),
            "at": wire.TIMESTAMP,
        },
    ),
}
PLAYERS = 1_000
SEGMENT = 64 << 20
SMALL, MEDIUM = "small", "medium"

_CALL = struct.Struct("<32s16sq")
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Log:
    """A log on disk."""

    directory: Path
    bytes: int
    transactions: int


def row_type(table_id: int) -> bytes:
    return wire.product_type(**TABLES[table_id][1])


def made(cache: Path, kind: str, size: int) -> Log:
    """The log of one kind (`small`, `medium`) with at least `size` bytes; made unless it is there from an earlier run."""
    directory = cache / "logs" / f"{kind}-{size}"
    if not (directory / "done").exists():
        shutil.rmtree(directory, ignore_errors=True)
        transactions = write(directory, kind, size)
        (directory / "done").write_text(f"{transactions}\n")
    total = sum(file.stat().st_size for file in directory.glob("*.stdb.log"))
    return Log(directory, total, int((directory / "done").read_text()))


def write(directory: Path, kind: str, size: int) -> int:
    """Writes a log, and returns the number of its transactions."""
    from defs.store.commitlog import Writer

    random = Random(f"log {kind}")
    records = RECORDS[kind](random)
    written = 0
    with Writer(directory, max_segment_size=SEGMENT, fsync=False) as log:
        for record in described():
            log.append(record)
        while written < size:
            record = next(records)
            log.append(record)
            written += len(record) + 26
        return log.next_tx_offset


def described() -> Iterator[bytes]:
    """A new database, its tables, and a thousand players."""
    from defs.system import rows as st
    from defs.system.catalog import row_codec
    from defs.system.tables import bootstrap_rows

    def encoded(row: object) -> bytes:
        return row_codec(type(row)).encode(row)

    yield transaction(b"", {table_id: list(rows) for table_id, rows in bootstrap_rows().items()}, {})
    inserts: dict[int, list[bytes]] = {st.ST_TABLE_ID: [], st.ST_COLUMN_ID: [], st.ST_EVENT_TABLE_ID: []}
    for table_id, (name, columns) in TABLES.items():
        inserts[st.ST_TABLE_ID].append(encoded(st.StTableRow(table_id, name, "user", "public", None)))
        for position, (column, kind) in enumerate(columns.items()):
            inserts[st.ST_COLUMN_ID].append(encoded(st.StColumnRow(table_id, position, column, kind)))
        if table_id in EVENTS:
            inserts[st.ST_EVENT_TABLE_ID].append(encoded(st.StEventTableRow(table_id)))
    yield transaction(b"", inserts, {})
    yield transaction(b"", {PLAYER: [player(index, 0) for index in range(PLAYERS)]}, {})


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def groups(rows: dict[int, list[bytes]]) -> bytes:
    parts = [wire.u32(table_id) + varint(len(group)) + b"".join(group) for table_id, group in sorted(rows.items())]
    return varint(len(parts)) + b"".join(parts)


def transaction(inputs: bytes, inserts: dict[int, list[bytes]], deletes: dict[int, list[bytes]]) -> bytes:
    """A record. `inputs` has its own length before it, or is empty."""
    return bytes([0xA0 if inputs else 0x20]) + inputs + groups(inserts) + groups(deletes) + b"\x00"


def call(name: str, index: int, arguments: bytes) -> bytes:
    caller = index % PLAYERS
    who = _CALL.pack(wire.u64(caller) * 4, wire.u64(caller) * 2, index * _SECOND)
    body = bytes([len(name)]) + name.encode() + who + arguments
    return wire.u32(len(body)) + body


def player(index: int, version: int) -> bytes:
    name = wire.text(f"player {index}")
    guild = wire.some(wire.u32(index % 50)) if index % 3 else wire.NONE
    return wire.u64(index) + wire.u64(index) * 4 + name + wire.u32(version) + guild + wire.i64(version * _SECOND)


def small(random: Random) -> Iterator[bytes]:
    index = 0
    while True:
        index += 1
        x, y = random.random(), random.random()
        if index % 8:
            row = struct.pack("<Qff", index % PLAYERS, x, y)
            yield transaction(call("step", index, row[8:]), {STEP: [row]}, {})
        else:
            row = struct.pack("<QII", index, index % 9, 1)
            yield transaction(call("take", index, row[:8]), {THING: [row]}, {})


def medium(random: Random) -> Iterator[bytes]:
    versions = [0] * PLAYERS
    words = ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog"]
    index = 0
    while True:
        index += 1
        who = index * 2 % PLAYERS
        deletes = [player(one, versions[one]) for one in (who, who + 1)]
        versions[who] += 1
        versions[who + 1] += 1
        inserts = [player(one, versions[one]) for one in (who, who + 1)]
        said = [" ".join(random.choices(words, k=6)) for _ in range(3)]
        events = [wire.u64(who) + wire.i64(index * _SECOND) + wire.text(one) for one in said]
        yield transaction(call("say", index, wire.text(said[0])), {CHAT: events, PLAYER: inserts}, {PLAYER: deletes})


RECORDS: dict[str, Callable[[Random], Iterator[bytes]]] = {SMALL: small, MEDIUM: medium}


def types(folder: Path) -> dict[str, str]:
    """Files with the type of each table's rows, for an engine that does not learn them from the log."""
    import bsatn
    import bsatn.wiretypes  # gives types themselves a layout
    from defs.store.tracking import LogTable
    from defs.system.tables import SYSTEM_SCHEMAS

    codec: bsatn.Codec[bsatn.AlgebraicType] = bsatn.Codec(bsatn.AlgebraicType)
    found = {table_id: codec.encode(LogTable.of(schema).row_type) for table_id, schema in SYSTEM_SCHEMAS.items()}
    found.update((table_id, row_type(table_id)) for table_id in TABLES)
    for table_id, content in found.items():
        (folder / f"{table_id}.type").write_bytes(content)
    return {str(table_id): os.fspath(folder / f"{table_id}.type") for table_id in found}
