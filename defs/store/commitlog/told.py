"""What is said of damage: one function for each thing that a sound reader finds."""

from __future__ import annotations

from defs.store.commitlog.layout import Framing
from defs.store.commitlog.model import Commit, Damage, DamageKind
from defs.store.commitlog.searching import zero_until
from defs.store.commitlog.sources import Source
from defs.store.commitlog.walking import Stop, StopKind

__all__ = ["StrayRun", "bad_bytes", "duplicate", "gap", "search_limit", "stray_kind", "superseded", "wrong_version"]

_KIND_OF_STOP: dict[StopKind, DamageKind] = {
    "Checksum": "Checksum",
    "TornPayload": "TornCommit",
    "TornChecksum": "TornCommit",
    "TornHeader": "TornHeader",
}

_WORDS_OF_STOP: dict[StopKind, str] = {
    "Checksum": "checksum mismatch in a commit of {size} bytes",
    "TornPayload": "a commit of {size} bytes, of which the segment holds {there}",
    "TornChecksum": "a commit of {size} bytes, of which the segment holds {there}",
    "TornHeader": "{there} bytes, less than a commit header, which the server cuts off",
}


def bad_bytes(
    source: Source, stop: Stop, expected: int, *, resume: Commit | None = None, limit: int | None = None, searched: bool = False
) -> Damage:
    """Bytes from `stop` on that are no commit, up to `resume` or the end; transaction `expected` was to stand there.

    `searched`: whether intact commits behind were looked for. `limit`: what the next segment begins with.
    """
    there = source.remaining(stop.position)
    end = resume.byte_offset if resume else stop.position + there
    kind = _KIND_OF_STOP[stop.kind]
    words = _WORDS_OF_STOP[stop.kind].format(size=stop.size, there=there)
    if stop.blank and zero_until(source, stop.position) is not None:
        kind, words = "ZeroTail", f"{there} zero bytes up to the end"
    elif fault := source.fault_within(stop.position, min(stop.position + stop.size, end)):
        kind, words = "Compression", f"a commit in a part that does not decompress: {fault.message}"
    return Damage(source.path.name, stop.position, kind, f"{words}; {_fate(expected, resume, limit, searched)}", expected, end)


def _fate(expected: int, resume: Commit | None, limit: int | None, searched: bool) -> str:
    if not searched:
        return f"transaction {expected} was to come here"
    if limit == expected:
        return f"the next segment goes on with transaction {expected}, so none is lost"
    following = resume.min_tx_offset if resume else limit
    if following is None:
        return f"no intact commit behind it; transactions from {expected} on are lost, if there were any"
    place = f"at byte {resume.byte_offset}" if resume else "in the next segment"
    return f"{_lost(expected, following)}; it goes on with transaction {following} {place}"


def _lost(first: int, following: int) -> str:
    if following <= first:
        return "no transaction is lost"
    return f"transaction {first} is lost" if following == first + 1 else f"transactions {first} to {following - 1} are lost"


def gap(segment: str, byte_offset: int, expected: int, found: int) -> Damage:
    """Transactions are missing where no byte is bad."""
    words = f"out-of-order commit: expected-offset={expected} actual-offset={found}; {_lost(expected, found)}"
    return Damage(segment, byte_offset, "OutOfOrder", words, expected)


def duplicate(commit: Commit) -> Damage:
    """The same commit again."""
    words = f"the commit of transaction {commit.min_tx_offset} is there twice; the copy is skipped"
    return _of_commit(commit, "Duplicate", words)


def superseded(commit: Commit, expected: int) -> Damage:
    """An intact commit among bytes that the next segment replaces."""
    words = (
        f"an intact commit of transaction {commit.min_tx_offset} behind damage, given up when the next segment "
        f"was begun with transaction {expected}; there may be more behind it"
    )
    return _of_commit(commit, "Superseded", words)


def wrong_version(source: Source, declared: Framing, actual: Framing) -> Damage:
    """The header names one version, the commits are of another."""
    words = f"the header says log format version {declared.version}, the commits are of version {actual.version}"
    return Damage(source.path.name, 6, "Version", words, None, 7)


def search_limit(source: Source, stop: Stop, expected: int) -> Damage:
    """Looking for intact commits has cost too much."""
    words = f"the search for intact commits was given up; transactions from {expected} on may be in this segment"
    end = stop.position + source.remaining(stop.position)
    return Damage(source.path.name, stop.position, "SearchLimit", words, expected, end)


def stray_kind(commit: Commit, last: tuple[int, int] | None) -> DamageKind:
    """What a commit is that does not come after the last one."""
    if not commit.n:
        return "EmptyCommit"
    return "Forked" if last and last[0] == commit.min_tx_offset else "OutOfOrder"


_WORDS_OF_STRAYS: dict[DamageKind, str] = {
    "EmptyCommit": "a commit without transactions",
    "Forked": "forked history: another commit",
    "OutOfOrder": "out-of-order commit: expected-offset={expected} actual-offset={found}; the commit",
}


class StrayRun:
    """Intact commits in a row that do not come after the last good one. They are not delivered, but told, once."""

    def __init__(self, kind: DamageKind, first: Commit, expected: int) -> None:
        self.kind: DamageKind = kind
        self.first = self.last = first
        self.expected = expected

    def damage(self) -> Damage:
        first, last = self.first, self.last
        words = _WORDS_OF_STRAYS[self.kind].format(expected=self.expected, found=first.min_tx_offset)
        where = f" at offset {first.min_tx_offset}"
        more = f", and those behind it up to offset {last.min_tx_offset}" if last is not first else ""
        words += f"{where}{more}, not delivered"
        return Damage(first.segment, first.byte_offset, self.kind, words, first.min_tx_offset, last.byte_offset + last.len)


def _of_commit(commit: Commit, kind: DamageKind, words: str) -> Damage:
    end = commit.byte_offset + commit.len
    return Damage(commit.segment, commit.byte_offset, kind, words, commit.min_tx_offset, end)
