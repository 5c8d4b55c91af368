"""Commits one after the other in one segment, up to the first that is not right. The inner loop of all reading.

Bytes are read in chunks and headers unpacked in place, so the time goes into the checksum and into making commits. A commit
larger than a chunk is checked piecemeal before it is held in memory: a wrong length costs reading, not memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeAlias, cast

from defs.store.commitlog.layout import CHECKSUM, CHECKSUM_SIZE, SEGMENT_HEADER, Framing, crc32c
from defs.store.commitlog.model import Commit, Run, Within
from defs.store.commitlog.sources import CHUNK, Source

__all__ = ["Step", "Stop", "StopKind", "Walker", "commit_at"]

StopKind: TypeAlias = Literal["End", "TornHeader", "TornPayload", "TornChecksum", "Checksum"]


Step: TypeAlias = Callable[[bytes, int, Within, int], Run | None]
"""(bytes, position in them, their segment, the position in that) to the commits from there on that need no further care, if
any."""


class Stop(NamedTuple):
    """Why a walk is over: `End` is the clean end of the segment. The rest says what the bytes at `position` claim to be."""

    kind: StopKind
    position: int
    size: int = 0  #: of the commit with header and checksum, as its header has it; of a torn header, what is there
    min_tx_offset: int = 0
    n: int = 0
    records: int = 0  #: bytes of records
    blank: bool = False  #: whether the header is all zeros

    @property
    def behind(self) -> int | None:
        """Where the next commit would stand, None if the segment ends before that."""
        return self.position + self.size if self.kind == "Checksum" else None


class Walker:
    """Iterates over the commits of a segment from a position on; then `stop` says why there are no more."""

    def __init__(self, source: Source, framing: Framing, position: int = SEGMENT_HEADER.size, step: Step | None = None) -> None:
        self.source = source
        self.step = step
        self.framing = framing
        self.position = position
        self.stop = Stop("End", position)

    def __iter__(self) -> Iterator[Commit]:
        return cast("Iterator[Commit]", self._items(past_bad=False))

    def runs(self) -> Iterator[Commit | Run]:
        """The commits, but those that `step` stands for, which is asked before each, as one Run."""
        return cast("Iterator[Commit | Run]", self._items(past_bad=False))

    def items(self) -> Iterator[Commit | Stop]:
        """The commits, and a Stop for each that has the wrong checksum, and then what is behind it."""
        return cast("Iterator[Commit | Stop]", self._items(past_bad=True))

    def _items(self, past_bad: bool) -> Iterator[Commit | Run | Stop]:
        source, position, segment = self.source, self.position, self.source.path.name
        version, header_size, _, read = self.framing
        step, within = self.step, Within(segment, version, header_size)
        checksum_of, new = crc32c(), tuple.__new__
        chunk, start, last = b"", position, False
        view = memoryview(chunk)
        while True:
            at = position - start
            left = len(chunk) - at
            if left < header_size:
                if not last:
                    chunk, start = source.read_at(position, CHUNK), position
                    view, last = memoryview(chunk), len(chunk) < CHUNK
                    continue
                self.stop = Stop("TornHeader", position, left) if left else Stop("End", position)
                return
            if step is not None and (run := step(chunk, at, within, position)) is not None:
                yield run
                position += run.len
                continue
            min_tx_offset, epoch, n, size = read(chunk, at)
            total = header_size + size + CHECKSUM_SIZE
            if total > left:
                if total <= CHUNK and not last:
                    chunk, start = source.read_at(position, CHUNK), position
                    view, last = memoryview(chunk), len(chunk) < CHUNK
                    continue
                outcome = _large(source, position, total) if not last else left
                if isinstance(outcome, int):
                    self.stop = self._stop(position, min_tx_offset, n, size, outcome, chunk[at : at + header_size])
                    if not past_bad or self.stop.behind is None:
                        return
                    yield self.stop
                    position += total
                    continue
                records, checksum = outcome[header_size:-CHECKSUM_SIZE], CHECKSUM.unpack(outcome[-CHECKSUM_SIZE:])[0]
            else:
                end = at + total - CHECKSUM_SIZE
                (checksum,) = CHECKSUM.unpack_from(chunk, end)
                if checksum_of(view[at:end]) != checksum:
                    self.stop = self._stop(position, min_tx_offset, n, size, total, chunk[at : at + header_size])
                    if not past_bad:
                        return
                    yield self.stop
                    position += total
                    continue
                records = chunk[at + header_size : end]
            yield new(Commit, (min_tx_offset, epoch, n, records, checksum, segment, position, total, version))
            position += total

    def _stop(self, position: int, min_tx_offset: int, n: int, size: int, there: int, header: bytes) -> Stop:
        total = self.framing.overhead + size
        kind: StopKind = "Checksum" if there >= total else "TornChecksum" if there >= total - CHECKSUM_SIZE else "TornPayload"
        return Stop(kind, position, total, min_tx_offset, n, size, not any(header))


def commit_at(source: Source, framing: Framing, position: int) -> Commit | None:
    """The commit at a position, None if there is none that is right."""
    head = source.read_at(position, framing.header_size)
    if len(head) < framing.header_size:
        return None
    min_tx_offset, epoch, n, size = framing.read(head, 0)
    data = _large(source, position, framing.overhead + size)
    if isinstance(data, int):
        return None
    records, (checksum,) = data[framing.header_size : -CHECKSUM_SIZE], CHECKSUM.unpack(data[-CHECKSUM_SIZE:])
    return Commit(min_tx_offset, epoch, n, records, checksum, source.path.name, position, len(data), framing.version)


def _large(source: Source, position: int, total: int) -> bytes | int:
    """The bytes of a commit whose checksum is right; else how many of them there are."""
    remaining = source.remaining(position)
    if remaining < total:
        return remaining
    body = total - CHECKSUM_SIZE
    checksum = there = 0
    while there < body:
        piece = source.read_at(position + there, min(CHUNK, body - there))
        if not piece:
            return there
        checksum = crc32c()(piece, checksum)
        there += len(piece)
    stored = source.read_at(position + body, CHECKSUM_SIZE)
    if len(stored) < CHECKSUM_SIZE or CHECKSUM.unpack(stored)[0] != checksum:
        return there + len(stored)
    data = source.read_at(position, total)
    return data if len(data) == total else len(data)
