"""Where in a log writing may go on. (spec: event-tables 3.5, column "Open")

The last segment is read as a whole; empty ones behind it were begun and never used, and go. If it ends cleanly, or with less
than a commit header, it is continued. If it ends with bytes that are no commit, it is left as it is and a new segment begins
after its last good commit. The server does that whatever those bytes are, and thereby gives up intact commits among them.
Here that is refused, as is whatever else would make transactions vanish, unless `upstream` asks for the server's way.
"""

from __future__ import annotations

from typing import NamedTuple

from defs.store.commitlog.errors import LogError
from defs.store.commitlog.files import LogFiles, file_name
from defs.store.commitlog.layout import FRAMINGS, SEGMENT_HEADER, VERSION
from defs.store.commitlog.searching import Search, SearchLimit, zero_until
from defs.store.commitlog.segments import HeaderFault, check_header
from defs.store.commitlog.sources import Source, open_source
from defs.store.commitlog.upstream import stop_message
from defs.store.commitlog.walking import Stop, Walker

__all__ = ["Tail", "find_tail"]

_ADVICE = (
    "copy what can be read into a new directory (read_commits with mode='salvage', and a Writer), "
    "or say upstream=True to do as the server does"
)


class Tail(NamedTuple):
    """How to go on writing."""

    next_offset: int
    epoch: int  #: the highest of the last segment
    resume: int | None  #: the segment to continue; None: begin a new one
    size: int  #: bytes of it that stay
    remove: tuple[int, ...]  #: empty segments


def find_tail(files: LogFiles, upstream: bool) -> Tail:
    """Where writing goes on. Changes nothing. Raises LogError: `NotAppendable`, `Unreadable`."""
    if files.misnamed and not upstream:
        raise _refusal(files, files.misnamed[0], "not the name of a segment (an offset in 20 digits); rename or move it")
    remaining = list(files.offsets)
    empty: list[int] = []
    while remaining:
        offset = remaining[-1]
        with open_source(files.segment(offset)) as source:
            if source.file_size > SEGMENT_HEADER.size or source.compressed:
                return _tail_of(files, offset, source, tuple(reversed(empty)), upstream)
            found = check_header(source)
        if isinstance(found, HeaderFault) and found.kind != "ShortSegmentHeader" and not upstream:
            raise _refusal(files, file_name(offset), found.message)
        empty.append(remaining.pop())
    first = empty[-1] if empty and not upstream else 0
    return Tail(first, 0, None, 0, tuple(reversed(empty)))


def _tail_of(files: LogFiles, offset: int, source: Source, empty: tuple[int, ...], upstream: bool) -> Tail:
    name = source.path.name
    framing = check_header(source)
    if isinstance(framing, HeaderFault):
        raise _refusal(files, name, framing.message)
    if upstream:
        framing = FRAMINGS[VERSION]  # it takes any segment for one of the current version
    expected, epoch = offset, 0
    walker = Walker(source, framing)
    for commit in walker:
        if commit.min_tx_offset != expected:
            problem = f"out-of-order offset: expected={expected} actual={commit.min_tx_offset}, at byte {commit.byte_offset}"
            raise _refusal(files, name, problem, "" if upstream else _ADVICE.partition(", or")[0])
        if not commit.n and not upstream:
            raise _refusal(files, name, f"a commit without transactions, at byte {commit.byte_offset}", _ADVICE)
        expected, epoch = expected + commit.n, max(epoch, commit.epoch)
    stop = walker.stop
    clean = stop.kind in ("End", "TornHeader")
    if not clean:
        if stop.position == SEGMENT_HEADER.size:
            raise _refusal(files, name, f"no valid commits in segment: {stop_message(stop)}")
        if not upstream:
            _refuse_to_supersede(files, source, walker, stop, expected)
    if empty and empty[0] != expected and not upstream:
        words = f"an empty segment, to begin with transaction {empty[0]}, but {name} ends with {expected - 1}"
        raise _refusal(files, file_name(empty[0]), words, _ADVICE)
    resumable = clean and not source.compressed and framing.version == VERSION
    return Tail(expected, epoch, offset if resumable else None, stop.position, empty)


def _refuse_to_supersede(files: LogFiles, source: Source, walker: Walker, stop: Stop, expected: int) -> None:
    """Raise if there are, or may be, intact commits behind the last good one."""
    if stop.blank and zero_until(source, stop.position) is not None:
        return
    try:
        found = Search(source).behind(stop, (walker.framing,), expected, None)
    except SearchLimit:
        raise _refusal(
            files, source.path.name, f"bytes from {stop.position} on are damaged, and too odd to search", _ADVICE
        ) from None
    if found:
        words = (
            f"bytes {stop.position} to {found.byte_offset} are damaged, and behind them is an intact commit of transaction "
            f"{found.min_tx_offset}; going on with transaction {expected} would give it up"
        )
        raise _refusal(files, source.path.name, words, _ADVICE)


def _refusal(files: LogFiles, name: str, problem: str, advice: str = "") -> LogError:
    return LogError("NotAppendable", files.directory / name, f"{problem}; {advice}" if advice else problem)
