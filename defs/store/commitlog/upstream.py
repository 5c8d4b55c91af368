"""The server's own iteration over a log, item by item. (spec: event-tables 3.5)

It differs from a sound reader: an error in a segment is held back, to see whether the next segment goes on where it stands, and
told with, or after, what comes next; when there is no next segment, it goes on behind the bad commit in the one at hand; the
offset that is expected is never moved, so that each commit behind a gap is an error of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from defs.store.commitlog.files import LogFiles
from defs.store.commitlog.model import Commit, Damage, DamageKind
from defs.store.commitlog.segments import HeaderFault, check_header
from defs.store.commitlog.sources import open_source
from defs.store.commitlog.walking import Stop, Walker

__all__ = ["iterate", "stop_message"]

_SHORT = "failed to fill whole buffer"
_MESSAGES = {
    "Checksum": "commit at byte position {position}: checksum mismatch",
    "TornPayload": "commit at byte position {position}: failed to read {records} bytes of commit payload: " + _SHORT,
    "TornChecksum": "commit at byte position{position}: failed to read checksum: " + _SHORT,
}


def stop_message(stop: Stop) -> str:
    """The server's words for a commit it cannot read."""
    return _MESSAGES[stop.kind].format(position=stop.position, records=stop.records)


def iterate(files: LogFiles, start: int) -> Iterator[Commit | Damage]:
    """What the server's iterator gives for transactions from `start` on. Raises LogError (`Unreadable`)."""
    before = [offset for offset in files.offsets if offset <= start]
    offsets = iter(files.offsets[max(len(before) - 1, 0) :])
    expected = start
    last: tuple[int, int] | None = None
    held: Damage | None = None
    items: Iterator[Commit | Damage] = iter(())
    with ExitStack() as opened:
        while True:
            for item in items:
                if isinstance(item, Damage):
                    held = _with_offset(item, expected)
                    break
                previous, held = held, None
                offset = item.min_tx_offset
                if last is None:
                    if offset + item.n <= start:
                        continue
                    expected = offset
                if last and last[0] == offset:
                    if last[1] != item.checksum:
                        yield Damage(item.segment, item.byte_offset, "Forked", f"forked history: offset={offset}", offset)
                elif offset != expected:
                    words = f"out-of-order commit: expected-offset={expected} actual-offset={offset}"
                    yield Damage(item.segment, item.byte_offset, "OutOfOrder", words, offset, previous=previous)
                else:
                    last, expected = (offset, item.checksum), offset + item.n
                    yield item
            following = next(offsets, None)
            if following is None:
                if held is None:
                    return
                damage, held = held, None
                yield damage
                continue
            source = open_source(files.segment(following))
            found = check_header(source)
            if isinstance(found, HeaderFault):
                source.__exit__(None, None, None)
                path = files.segment(following)
                yield Damage(path.name, found.byte_offset, "Io", f"{path} [reading segment header]: {found.message}")
                continue
            opened.close()
            items = _read(Walker(opened.enter_context(source), found))


def _read(walker: Walker) -> Iterator[Commit | Damage]:
    """The commits of one segment; behind a bad one it goes on, if the segment does."""
    for item in walker.items():
        if isinstance(item, Commit):
            yield item
        elif _ends(walker, item):
            return
        else:
            yield _damage(walker, item)
    if not _ends(walker, walker.stop):
        yield _damage(walker, walker.stop)


def _ends(walker: Walker, stop: Stop) -> bool:
    """Whether the server takes this for the end of the segment: a header of zeros is one in version 0 only."""
    return stop.kind in ("End", "TornHeader") or (stop.blank and walker.framing.version == 0)


def _damage(walker: Walker, stop: Stop) -> Damage:
    kind: DamageKind = "Checksum" if stop.kind == "Checksum" else "Io"
    return Damage(walker.source.path.name, stop.position, kind, stop_message(stop), None, stop.behind)


def _with_offset(damage: Damage, expected: int) -> Damage:
    """A held error as it is told: of a wrong checksum, only which transaction it concerns."""
    if damage.kind != "Checksum":
        return damage
    words = f"checksum mismatch at offset={expected}"
    return Damage(damage.segment, damage.byte_offset, "Checksum", words, expected, damage.end)
