"""Small commit logs: a table, a table of events, a few transactions in three segments; and what can be wrong with them.

A log is its files by name. What is wrong is a change of one file's bytes, or of which commits there are; each says what it is
about. (spec: event-tables 3.2, 3.4, 3.5)
"""

from __future__ import annotations

import random
import struct
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from bsatn.codec import Codec
from bsatn.satn import parse_type
from bsatn.types import AlgebraicType, ProductType
from defs.store.commitlog.compression import compress_segment
from defs.store.commitlog.layout import crc32c, pack_segment_header
from defs.store.commitlog.txdata import Inputs, Mutations, RowGroup, Txdata, write_txdata
from defs.system import rows as st
from defs.system.catalog import row_codec

__all__ = ["Files", "damaged", "intact", "records"]

Files: TypeAlias = dict[str, bytes]
Rows: TypeAlias = Mapping[int, Sequence[bytes]]

TABLE, EVENTS, OTHER = 4096, 4097, 4098
HEADER = pack_segment_header()
_V1, _V0 = struct.Struct("<QQHI"), struct.Struct("<QHI")


class Commit(NamedTuple):
    """A commit before it is bytes: `n` transactions in `content`."""

    offset: int
    content: bytes
    n: int = 1
    epoch: int = 0

    def packed(self, version: int = 1) -> bytes:
        size = len(self.content)
        head = _V1.pack(self.offset, self.epoch, self.n, size) if version else _V0.pack(self.offset, self.n, size)
        data = head + self.content
        return data + struct.pack("<I", crc32c()(data))


def record(
    inserts: Rows | None = None,
    deletes: Rows | None = None,
    truncates: Iterable[int] = (),
    inputs: Inputs | None = None,
    outputs: bytes | None = None,
) -> bytes:
    """A record, its tables in ascending order."""

    def groups(rows: Rows | None) -> tuple[RowGroup, ...]:
        return tuple(RowGroup(table, tuple(group)) for table, group in sorted((rows or {}).items()))

    return write_txdata(Txdata(inputs, outputs, Mutations(groups(inserts), groups(deletes), tuple(truncates))))


def described(table: int, name: str, row: str, *, event: bool = False) -> dict[int, list[bytes]]:
    """Rows of the system tables that make a table known."""
    kind = parse_type(row)
    assert isinstance(kind, ProductType)
    columns = [
        st.StColumnRow(table, place, one.name or "", Codec(AlgebraicType).encode(one.algebraic_type))
        for place, one in enumerate(kind)
    ]
    found = {
        st.ST_TABLE_ID: [row_codec(st.StTableRow).encode(st.StTableRow(table, name, "user", "public", None))],
        st.ST_COLUMN_ID: [row_codec(st.StColumnRow).encode(one) for one in columns],
    }
    if event:
        found[st.ST_EVENT_TABLE_ID] = [row_codec(st.StEventTableRow).encode(st.StEventTableRow(table))]
    return found


def joined(*parts: Mapping[int, Sequence[bytes]]) -> dict[int, list[bytes]]:
    """Rows of several descriptions, by table."""
    tables: dict[int, list[bytes]] = {}
    for part in parts:
        for table, rows in part.items():
            tables.setdefault(table, []).extend(rows)
    return tables


def row(number: int, text: str = "") -> bytes:
    return struct.pack("<II", number, len(text.encode())) + text.encode()


PLAYER, SHOT = described(TABLE, "t", "(n: U32, s: String)"), described(EVENTS, "e", "(n: U32, s: String)", event=True)
CALL = Inputs("go", bytes(32 + 16 + 8) + b"\7")


def contents() -> list[bytes]:
    """The records of the base log: what happens in it."""
    return [
        record(joined(PLAYER, SHOT)),
        record({TABLE: [row(1, "a"), row(2)]}),
        record({EVENTS: [row(7, "x")]}),
        record({TABLE: [row(3, "c")], EVENTS: [row(7), row(8)]}, inputs=CALL),
        record({TABLE: [row(1, "b")]}, {TABLE: [row(1, "a")]}),
        record(inputs=Inputs("__identity_connected__", b"")),
        record({EVENTS: [row(9)]}, {TABLE: [row(2)]}),
        record(truncates=[TABLE]),
        record({TABLE: [row(5)]}),
    ]


BREAKS = (3, 6)  #: offsets at which the base log's later segments begin


def commits() -> list[Commit]:
    return [Commit(offset, content) for offset, content in enumerate(contents())]


def name(offset: int, ending: str = ".stdb.log") -> str:
    return f"{offset:020}{ending}"


def laid_out(found: Iterable[Commit], breaks: Sequence[int] = BREAKS, version: int = 1) -> Files:
    """Files of the commits; a segment begins at the first, and at each offset of `breaks`."""
    files: Files = {}
    head = HEADER[:6] + bytes([version]) + HEADER[7:]
    current = ""
    for commit in found:
        if not current or (commit.offset in breaks and name(commit.offset) not in files):
            current = name(commit.offset)
            files[current] = head
        files[current] += commit.packed(version)
    return files


def compressed(files: Files) -> Files:
    """The log with all segments but the last in the server's compressed form."""
    with tempfile.TemporaryDirectory(prefix="bsatn-vectors-") as place:
        for file, data in files.items():
            (Path(place) / file).write_bytes(data)
        for file in sorted(files)[:-1]:
            compress_segment(Path(place) / file)
        return {file: (Path(place) / file).read_bytes() for file in sorted(files)}


def in_one(*contents: bytes) -> Files:
    """A log of one segment: the descriptions of both tables, and these records."""
    found = [record(joined(PLAYER, SHOT)), *contents]
    return laid_out([Commit(offset, content) for offset, content in enumerate(found)], ())


# What is right ----------------------------------------------------------------------------------------------------------


def intact() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """Logs in which nothing is wrong: what they are about, their files, flags."""
    whole = commits()
    yield "three segments", laid_out(whole), ()
    yield "one segment", laid_out(whole, ()), ()
    yield "a segment for each commit", laid_out(whole, range(len(whole))), ()
    yield "the first two segments compressed", compressed(laid_out(whole)), ("compressed",)
    yield "all but the last commit compressed", compressed(laid_out(whole, (8,))), ("compressed",)
    yield "log format version 0", laid_out(whole, (), 0), ()
    yield "log format version 0, three segments", laid_out(whole, BREAKS, 0), ()
    older, newer = laid_out(whole[:6], (3,), 0), laid_out(whole[6:], ())
    yield "a segment of version 1 behind two of version 0", {**older, **newer}, ()
    yield "epochs that rise", laid_out([one._replace(epoch=one.offset // 2) for one in whole]), ()
    yield "the largest epoch", laid_out([one._replace(epoch=(1 << 64) - 1) for one in whole]), ()
    batches = [(0, 3), (3, 4), (4, 8), (8, 9)]
    grouped = [Commit(start, b"".join(contents()[start:end]), end - start) for start, end in batches]
    yield "several transactions in a commit", laid_out(grouped, ()), ()
    yield "several transactions in a commit, three segments", laid_out(grouped, (3, 8)), ()
    yield "one commit of all", laid_out([Commit(0, b"".join(contents()), len(whole))], ()), ()
    yield (
        "reserved bytes that are not zero",
        {file: data[:8] + b"\1\2" + data[10:] for file, data in laid_out(whole).items()},
        (),
    )
    yield "an offset index beside it, of zeros", {**laid_out(whole), name(0, ".stdb.ofs"): bytes(64)}, ()
    yield "an offset index beside it, of nonsense", {**laid_out(whole), name(0, ".stdb.ofs"): bytes(range(64))}, ()
    yield "files of other names beside it", {**laid_out(whole), "db.lock": b"", "0.log": b"x"}, ()
    yield "two tables described", in_one(record(joined(described(OTHER, "u", "(x: U8)"), {OTHER: [b"\7"]}))), ()
    yield "no rows, no columns to read", in_one(), ()


def records() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """What a record may be and may not be, in a log that is fine otherwise."""
    for about, content in (
        ("an empty record: flags alone", b"\0"),
        ("no mutations, but a call", b"\x80" + struct.pack("<IB", 3, 2) + b"go"),
        ("a call of a name of no letters", b"\x80" + struct.pack("<IB", 1, 0)),
        ("an output", b"\x40\x03bad"),
        ("a call, an output and mutations", b"\xe0" + struct.pack("<IB", 3, 2) + b"go" + b"\x02ok" + bytes(3)),
        ("flags that mean nothing", b"\x3f" + bytes(3)),
        ("empty lists", b"\x20" + bytes(3)),
        ("a group without rows", b"\x20\1" + struct.pack("<I", TABLE) + bytes(3)),
        ("a table twice", b"\x20\2" + 2 * (struct.pack("<I", TABLE) + b"\1" + row(1)) + bytes(2)),
        (
            "two tables, the later one first",
            b"\x20\2" + struct.pack("<I", EVENTS) + b"\1" + row(1) + struct.pack("<I", TABLE) + b"\1" + row(1) + bytes(2),
        ),
        ("a count of two bytes", b"\x20\1" + struct.pack("<I", EVENTS) + b"\x81\x01" + row(1) * 129 + bytes(2)),
        ("a count longer than it need be", b"\x20\x81\x00" + struct.pack("<I", TABLE) + b"\1" + row(1) + bytes(2)),
        ("an event of the same bytes twice", record({EVENTS: [row(1), row(1)]})),
        ("a row of the same bytes twice", record({TABLE: [row(1), row(1)]})),
        ("a row deleted that is not there", record(None, {TABLE: [row(1)]})),
        ("an event deleted", record(None, {EVENTS: [row(1)]})),
        ("events truncated", record(truncates=[EVENTS])),
        ("an empty table truncated", record(truncates=[TABLE])),
        ("a row inserted and deleted", record({TABLE: [row(1)]}, {TABLE: [row(1)]})),
        ("a table nobody described", record({OTHER: [row(1)]})),
        ("a table nobody described, without rows", record({OTHER: []})),
        ("a table nobody described, truncated", record(truncates=[OTHER])),
        ("a row that is cut", b"\x20\1" + struct.pack("<I", TABLE) + b"\1\1\0"),
        ("a row of text that is no UTF-8", record({TABLE: [struct.pack("<II", 1, 1) + b"\xff"]})),
        ("a name of a reducer that is no UTF-8", b"\x80" + struct.pack("<IB", 2, 1) + b"\xff"),
        ("a count past what is there", b"\x20\1" + struct.pack("<I", TABLE) + b"\xff\xff\xff\xff\x0f"),
        ("a count that never ends", b"\x20" + b"\xff" * 12),
        ("bytes behind the record", record({TABLE: [row(1)]}) + b"\0"),
        ("no bytes", b""),
        ("half a record", record({TABLE: [row(1, "abc")]})[:-4]),
    ):
        flags = ("huge-count",) if "past" in about else ()
        yield about, in_one(content), flags
        yield f"{about}, and a transaction behind it", in_one(content, record({TABLE: [row(9)]})), flags
    gone = record(None, {table: rows for table, rows in SHOT.items() if table != st.ST_EVENT_TABLE_ID}, [st.ST_EVENT_TABLE_ID])
    yield "a table of events dropped", in_one(record({EVENTS: [row(1)]}), gone, record({TABLE: [row(1)]})), ()
    left = record(None, {table: rows for table, rows in SHOT.items() if table != st.ST_EVENT_TABLE_ID})
    yield "a table of events dropped, but for its mark", in_one(record({EVENTS: [row(1)]}), left, record({TABLE: [row(1)]})), ()
    yield "a dropped table of events takes one", in_one(gone, record({EVENTS: [row(1)]})), ()
    again = record(described(OTHER, "e", "(n: U32, s: String)"))
    yield "a name used again for a normal table", in_one(gone, again, record({OTHER: [row(1)]})), ()
    dropped = record(None, PLAYER)
    yield "a table dropped with its rows in the log", in_one(record({TABLE: [row(1)]}), dropped, record({EVENTS: [row(1)]})), ()
    emptied = record(None, {**PLAYER, TABLE: [row(1)]})
    yield "a table dropped, its rows deleted with it", in_one(record({TABLE: [row(1)]}), emptied), ()
    cleared = record(None, PLAYER, [TABLE])
    yield "a table dropped, its rows truncated with it", in_one(record({TABLE: [row(1)]}), cleared), ()
    born = record(joined(described(OTHER, "u", "(x: U8)", event=True), {OTHER: [b"\1"]}))
    yield "a table of events that takes one in its first transaction", in_one(born, record({OTHER: [b"\2"]})), ()


# What is wrong ----------------------------------------------------------------------------------------------------------


def _edited(files: Files, file: str, change: Callable[[bytearray], object]) -> Files:
    data = bytearray(files[file])
    change(data)
    return {**files, file: bytes(data)}


def _flip(at: int, bit: int) -> Callable[[bytearray], object]:
    def change(data: bytearray) -> None:
        data[at] ^= 1 << bit

    return change


def _fields(start: int, size: int) -> dict[str, int]:
    """Where the parts of a commit are, by name."""
    return {"offset": start, "high offset": start + 7, "epoch": start + 8, "n": start + 16, "length": start + 18,
            "high length": start + 21, "flags": start + 22, "row": start + size - 6, "checksum": start + size - 4}  # fmt: skip


def damaged() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """Logs with one thing wrong."""
    whole = commits()
    files = laid_out(whole)
    first, middle, last = sorted(files)
    starts = _starts(whole)
    for where, file, offset in (("first", first, 1), ("middle", middle, 4), ("last", last, 7), ("very last", last, 8),
                                ("first", middle, 3)):  # fmt: skip
        size = len(whole[offset].packed())
        for part, at in _fields(starts[offset], size).items():
            yield (
                f"a bit of the {part} in a commit of segment {file[18:20]}, the {where}",
                _edited(files, file, _flip(at, 3)),
                (),
            )
    ends = starts[8], len(files[last])
    for at in sorted({*range(ends[0] - 2, ends[0] + 24), *range(ends[1] - 6, ends[1]), (ends[0] + ends[1]) // 2}):
        yield f"the last segment cut at byte {at}", {**files, last: files[last][:at]}, ("truncated",)
    for at in (0, 1, 5, 6, 7, 9, 10, 11):
        yield f"the last segment cut at byte {at}, in its header", {**files, last: files[last][:at]}, ("truncated",)
    for file, about in ((first, "the first"), (middle, "the middle")):
        for at in (0, 9, 10, 25, len(files[file]) - 30, len(files[file]) - 1):
            yield f"{about} segment cut at byte {at}", {**files, file: files[file][:at]}, ("truncated",)
    for missing in range(len(whole)):
        yield f"commit {missing} is missing", laid_out([one for one in whole if one.offset != missing]), ()
    for file, about in ((first, "the first"), (middle, "the middle"), (last, "the last")):
        yield f"{about} segment is missing", {other: data for other, data in files.items() if other != file}, ()
        for at, what in ((0, "magic"), (5, "magic"), (6, "version"), (7, "checksum algorithm")):
            yield f"the {what} of {about} segment", _edited(files, file, _flip(at, 1)), ()
        yield f"version 0 in the header of {about} segment", _edited(files, file, _flip(6, 0)), ()
        yield f"{about} segment is empty", {**files, file: b""}, ("truncated",)
        yield f"{about} segment has a header only", {**files, file: HEADER}, ("truncated",)
        yield f"{about} segment has a header and a byte", {**files, file: HEADER + b"\1"}, ("truncated",)
        yield f"{about} segment ends with bytes of nothing", {**files, file: files[file] + bytes(range(40))}, ("trailing",)
    for count in (1, 10, 13, 14, 17, 18, 21, 22, 26, 27, 60, 300):
        yield f"{count} zeros behind the last commit", {**files, last: files[last] + bytes(count)}, ("trailing",)
        if count in (10, 22, 60):
            yield f"{count} zeros behind the first segment", {**files, first: files[first] + bytes(count)}, ("trailing",)
    for count in (1, 21, 22, 30):
        yield f"{count} bytes of ones behind the last commit", {**files, last: files[last] + b"\xff" * count}, ("trailing",)
    for offset in (1, 2, 4, 5, 7, 8):
        copied = whole[: offset + 1] + whole[offset:]
        yield f"commit {offset} is there twice", laid_out(copied), ("duplicate",)
        other = [*whole[: offset + 1], whole[offset]._replace(content=record()), *whole[offset + 1 :]]
        yield f"another commit {offset} behind it", laid_out(other), ("forked",)
        empty = [*whole[:offset], Commit(offset, b"", 0), *whole[offset:]]
        yield f"a commit of no transactions before commit {offset}", laid_out(empty), ()
    yield "a commit of no transactions at the end", laid_out([*whole, Commit(9, b"", 0)]), ()
    for former, latter in ((1, 2), (4, 5), (7, 8)):
        swapped = [*whole]
        swapped[former], swapped[latter] = whole[latter], whole[former]
        yield f"commits {former} and {latter} change places", laid_out(swapped), ()
    yield "the log begins at 3", {file: data for file, data in files.items() if file != first}, ()
    yield "the first commit has offset 1", laid_out([one._replace(offset=one.offset + 1) for one in whole], (4, 7)), ()
    yield (
        "offsets jump by one in the middle",
        laid_out([*whole[:5], *(one._replace(offset=one.offset + 1) for one in whole[5:])]),
        (),
    )
    yield "the largest offset", laid_out([*whole, Commit((1 << 64) - 1, record())]), ()
    yield "more transactions than records", laid_out([*whole[:8], whole[8]._replace(n=2)]), ()
    yield "fewer transactions than records", laid_out([*whole[:7], Commit(7, contents()[7] + contents()[8])]), ()
    yield (
        "a segment named before its first commit",
        {**{file: files[file] for file in (first, middle)}, name(5): files[last]},
        (),
    )
    yield (
        "a segment named after its first commit",
        {**{file: files[file] for file in (first, middle)}, name(7): files[last]},
        (),
    )
    yield "a segment of another name", {**{file: files[file] for file in (first, middle)}, "6.stdb.log": files[last]}, ()
    torn = {**files, middle: files[middle][:-3]}
    redone = laid_out(whole[5:], (5,))
    yield "a torn commit, written again in the next segment", {first: files[first], middle: torn[middle], **redone}, ()
    flipped = _edited(files, middle, _flip(starts[4] + 22, 0))
    again = laid_out(whole[4:], (4,))
    yield "a bad commit, and all from it on written again", {first: files[first], middle: flipped[middle], **again}, ()
    yield from _squeezed(files)
    yield from _two_frames()
    yield from _random(files)


def _starts(whole: Sequence[Commit]) -> dict[int, int]:
    """Where each commit of the base log begins in its segment."""
    found, at = {}, 0
    for commit in whole:
        at = len(HEADER) if not commit.offset or commit.offset in BREAKS else at
        found[commit.offset] = at
        at += len(commit.packed())
    return found


def _squeezed(files: Files) -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """Damage in compressed segments."""
    squeezed = compressed(files)
    for file in sorted(files)[:-1]:
        size = len(squeezed[file])
        for at in (2, 5, size // 2, size - 30, size - 5, size - 1):
            yield f"byte {at} of compressed segment {file[18:20]}", _edited(squeezed, file, _flip(at, 2)), ("compressed",)
        for at in (4, size // 2, size - 9, size - 1):
            yield f"compressed segment {file[18:20]} cut at {at}", {**squeezed, file: squeezed[file][:at]}, ("compressed",)


def _two_frames() -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """A compressed segment of more than one frame, and damage in the second one."""
    found = [commits()[0], Commit(1, record({TABLE: [row(1, "ab" * 2500)]})), Commit(2, record({TABLE: [row(2)]}))]
    files = compressed(laid_out(found, (2,)))
    (first, _) = sorted(files)
    yield "a compressed segment of two frames", files, ("compressed",)
    second = files[first].index(b"\x28\xb5\x2f\xfd", 4)
    for at in (second, second + 4, second + 9):
        yield f"byte {at} of a compressed segment, in its second frame", _edited(files, first, _flip(at, 2)), ("compressed",)


def _random(files: Files) -> Iterator[tuple[str, Files, tuple[str, ...]]]:
    """A bit or a byte anywhere, from a seed."""
    source = random.Random("logs 1")
    for _ in range(70):
        file = source.choice(sorted(files))
        at, value = source.randrange(len(files[file])), source.choice((0, 1, 0x7F, 0x80, 0xFF))

        def change(data: bytearray, at: int = at, value: int = value) -> None:
            data[at] = value if data[at] != value else value ^ 1

        yield f"byte {at} of segment {file[18:20]}", _edited(files, file, change), ("random",)
