"""Finding the next intact commit behind damage.

A commit is recognised by its checksum, but trying one at every byte would take for ever. So a place is tried only if the header
there would make sense: an offset that can still come, at least one record, a length that fits. The high bytes of a possible
offset are known, and are looked for with `bytes.find`; stretches of zeros, in which no header can begin, are jumped over. What
checksums may cost altogether is bounded, and going past it is told, never hidden.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from defs.store.commitlog.layout import CHECKSUM, CHECKSUM_SIZE, FRAMINGS, MAX_TX_OFFSET, Framing, crc32c
from defs.store.commitlog.model import Commit
from defs.store.commitlog.sources import CHUNK, Source
from defs.store.commitlog.walking import Stop, commit_at

__all__ = ["Search", "SearchLimit", "zero_until"]

_NONZERO = re.compile(rb"[^\0]")
_MOST_RECORDS = 0xFFFF
_OVERLAP = 64  #: bytes by which chunks overlap: more than a header
_FREE_BYTES, _BYTES_PER_BYTE = 1 << 30, 64
_PER_TRY = 4096  #: bytes whose checksum takes as long as it takes to get to computing one


class SearchLimit(Exception):
    """The search has cost more than it may."""


class Search:
    """Looks for commits in one segment; keeps the account of what that costs."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._budget = _FREE_BYTES + _BYTES_PER_BYTE * source.file_size

    def behind(self, stop: Stop, framings: Sequence[Framing], lowest: int, highest: int | None) -> Commit | None:
        """The next intact commit behind a bad one of the first framing, whose offset is from `lowest` to `highest`.

        If the bad commit's header makes sense, and where it says the next one is there is an intact one with the offset that
        follows, then that is it: nothing can stand between. Otherwise every place is tried. Raises SearchLimit.
        """
        if stop.behind is not None and stop.n and stop.min_tx_offset == lowest:
            following = commit_at(self._source, framings[0], stop.behind)
            if following and following.min_tx_offset == lowest + stop.n:
                return following
        return self.first(stop.position + 1, framings, lowest, highest)

    def first(self, start: int, framings: Sequence[Framing], lowest: int, highest: int | None) -> Commit | None:
        """The first intact commit at `start` or behind, whose offset is from `lowest` to `highest`. Raises SearchLimit."""
        remaining = self._source.remaining(start)
        highest = min(_ceiling(lowest, remaining) if highest is None else highest, MAX_TX_OFFSET)
        top = _common_top(lowest, highest)
        shift = 8 - len(top)
        while chunk := self._source.read_at(start, CHUNK):
            if (found := self._in_chunk(chunk, start, framings, lowest, highest, top, shift)) or len(chunk) < CHUNK:
                return found
            start += len(chunk) - _OVERLAP
        return None

    def _in_chunk(
        self, chunk: bytes, start: int, framings: Sequence[Framing], lowest: int, highest: int, top: bytes, shift: int
    ) -> Commit | None:
        blank = max(framing.n_offset for framing in framings) + 2  #: bytes of a header that are never all zero
        at = -1
        while True:
            at = chunk.find(top, at + 1 + shift) - shift
            if at < 0:
                return None
            if not any(chunk[at : at + blank]):
                nonzero = _NONZERO.search(chunk, at + blank)
                if not nonzero:
                    return None
                at = max(at, nonzero.start() - blank)
                continue
            if not lowest <= int.from_bytes(chunk[at : at + 8], "little") <= highest:
                continue
            for framing in framings:
                if len(chunk) - at >= framing.header_size and self._plausible(chunk, at, start, framing, highest):
                    found = commit_at(self._source, framing, start + at)
                    if found:
                        return found

    def _plausible(self, chunk: bytes, at: int, start: int, framing: Framing, highest: int) -> bool:
        min_tx_offset, _, n, size = framing.read(chunk, at)
        total = framing.overhead + size
        remaining = self._source.remaining(start + at)
        if not n or min_tx_offset + n - 1 > highest or total > remaining:
            return False
        self._budget -= _PER_TRY + total + (start if self._source.forward_only else 0)
        if self._budget < 0:
            raise SearchLimit
        if at + total > len(chunk):
            return True
        end = at + total - CHECKSUM_SIZE
        (checksum,) = CHECKSUM.unpack_from(chunk, end)
        return bool(checksum == crc32c()(memoryview(chunk)[at:end]))


def zero_until(source: Source, position: int) -> int | None:
    """Where the segment ends, if there is nothing but zeros from `position` on."""
    while chunk := source.read_at(position, CHUNK):
        if chunk.count(0) != len(chunk):
            return None
        position += len(chunk)
    return position


def _ceiling(lowest: int, remaining: int) -> int:
    """The highest offset that a commit in so many bytes can have, going on from `lowest`."""
    return lowest + (remaining // FRAMINGS[0].overhead + 1) * _MOST_RECORDS


def _common_top(lowest: int, highest: int) -> bytes:
    """The high bytes, in the order they stand in the file, that all numbers from `lowest` to `highest` share; at least one."""
    low, high = lowest.to_bytes(8, "little"), highest.to_bytes(8, "little")
    size = 0
    while size < 8 and low[7 - size] == high[7 - size]:
        size += 1
    return low[8 - size :]
