"""What a log is made of: segments, commits, and damage. The table of damage kinds is here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

__all__ = ["DAMAGE_KINDS", "Commit", "Damage", "DamageKind", "Run", "Segment", "Within"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment file, as its name and its header describe it.

    `file_size` is that of the file, compressed or not. `log_format_version` and `checksum_algorithm` are the header's bytes,
    whether or not they are supported; None where it is too short or does not begin as one. (spec: event-tables 3.2)
    """

    file: str
    min_tx_offset: int
    file_size: int
    compressed: bool
    log_format_version: int | None
    checksum_algorithm: int | None


class Commit(NamedTuple):
    """One commit: `n` transactions from `min_tx_offset` on, whose records stand back to back in `records`.

    `byte_offset` is where the commit's header begins in the segment (in a compressed one, in its uncompressed bytes), `len` its
    bytes with header and checksum, `version` the segment's log format version. A tuple, because a log holds millions of them
    and a frozen dataclass takes eight times as long to make. (spec: event-tables 3.2)
    """

    min_tx_offset: int
    epoch: int
    n: int
    records: bytes | memoryview
    checksum: int
    segment: str
    byte_offset: int
    len: int
    version: int

    @property
    def end_tx_offset(self) -> int:
        """The offset of the transaction after this commit."""
        return self.min_tx_offset + self.n


class Within(NamedTuple):
    """What all commits of a segment have in common: its file's name, its log format version, the bytes of a header."""

    name: str
    version: int
    header_size: int


class Run(NamedTuple):
    """Commits in order, back to back in one segment: `n` transactions from `min_tx_offset` on.

    `len` counts the bytes of all of them; `last_tx_offset` and `checksum` are those of the last one. They were stepped over
    with their rows; or, to be read, they are `items`.
    """

    min_tx_offset: int
    n: int
    commits: int
    rows: int
    len: int
    last_tx_offset: int
    checksum: int
    items: Iterable[Commit] = ()

    @property
    def end_tx_offset(self) -> int:
        """The offset of the transaction after these commits."""
        return self.min_tx_offset + self.n


DamageKind = Literal[
    "Checksum",
    "TornCommit",
    "TornHeader",
    "ZeroTail",
    "OutOfOrder",
    "Forked",
    "Duplicate",
    "EmptyCommit",
    "Superseded",
    "Compression",
    "ShortSegmentHeader",
    "Magic",
    "Version",
    "ChecksumAlgorithm",
    "FileName",
    "SearchLimit",
    "Io",
]

DAMAGE_KINDS: dict[DamageKind, str] = {
    "Checksum": "the bytes of a commit do not have its checksum: some of them were changed, or never written",
    "TornCommit": "the segment ends within a commit: writing it was cut short, or its length was changed",
    "TornHeader": "the segment ends with fewer bytes than a commit header: writing one was cut short; the server ignores them",
    "ZeroTail": "the segment ends with zeros: room that was set aside, or lost by a crash",
    "OutOfOrder": "a commit does not have the offset that follows the one before it: transactions are missing, or there twice",
    "Forked": "two different commits have the same offset",
    "Duplicate": "a commit is there twice; the copy is skipped, but the server will not open this log for writing",
    "EmptyCommit": "a commit holds no transaction, which no writer writes; the server takes the next one for a fork",
    "Superseded": "intact commits stand behind damage, and the next segment starts over before them: the server gave them up",
    "Compression": "part of a compressed segment cannot be decompressed",
    "ShortSegmentHeader": "the file is shorter than a segment header: making it was cut short",
    "Magic": "the file does not begin as a segment does",
    "Version": "the segment's log format version is not one that is known, or not that of its commits",
    "ChecksumAlgorithm": "the segment's checksum algorithm is not the one that is known (0, CRC-32C)",
    "FileName": "the name of a segment file is not an offset in 20 digits",
    "SearchLimit": "the search for intact commits behind damage was given up, so some may be left; no honest log gets there",
    "Io": "the server's iterator fails with an I/O error (in mode `upstream` only)",
}
"""Every kind of damage, with its meaning."""

assert set(DAMAGE_KINDS) == set(get_args(DamageKind))


@dataclass(frozen=True, slots=True)
class Damage:
    """Something wrong at a place in the log.

    `byte_offset` counts as in `Commit`; `end` is where the bad bytes end, if there are any. `tx_offset` is the transaction
    concerned: the first that is missing or unreadable, or that of the commit in question. `message` says what was found and
    what was expected, without the place. `previous`, in mode `upstream`: an error found earlier and not told then.
    """

    segment: str
    byte_offset: int
    kind: DamageKind
    message: str
    tx_offset: int | None = None
    end: int | None = None
    previous: Damage | None = None

    def __str__(self) -> str:
        return f"{self.segment} at byte {self.byte_offset}: {self.message}"
