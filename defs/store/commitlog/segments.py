"""Opening a segment for reading: its header, what is wrong with it, and the framing of its commits. (spec: event-tables 3.2)"""

from __future__ import annotations

from typing import NamedTuple

from defs.store.commitlog.layout import CRC32C, FRAMINGS, MAGIC, SEGMENT_HEADER, Framing
from defs.store.commitlog.model import DamageKind
from defs.store.commitlog.sources import Source

__all__ = ["HeaderFault", "check_header", "likely_framings"]


class HeaderFault(NamedTuple):
    """What is wrong with the header of a segment, in the server's words."""

    kind: DamageKind
    message: str
    byte_offset: int = 0


def check_header(source: Source) -> Framing | HeaderFault:
    """The framing of the segment's commits, or why it cannot be read."""
    head = source.read_at(0, SEGMENT_HEADER.size)
    if len(head) < SEGMENT_HEADER.size:
        problem = source.faults[0].message if source.faults else "failed to fill whole buffer"
        return HeaderFault("ShortSegmentHeader", f"failed to read segment header ({SEGMENT_HEADER.size} bytes): {problem}")
    magic, version, algorithm = SEGMENT_HEADER.unpack(head)
    if magic != MAGIC:
        expected, got = (", ".join(f"{byte:x}" for byte in data) for data in (MAGIC, magic))
        return HeaderFault("Magic", f"segment header does not start with magic: expected [{expected}], got [{got}]")
    if version not in FRAMINGS:
        return HeaderFault("Version", f"unsupported log format version: {version}", 6)
    if algorithm != CRC32C:
        return HeaderFault("ChecksumAlgorithm", f"unsupported checksum algorithm: {algorithm}", 7)
    return FRAMINGS[version]


def likely_framings(source: Source) -> list[Framing]:
    """The framings that commits may have, the likeliest first, whatever the header's state."""
    head = source.read_at(0, SEGMENT_HEADER.size)
    declared = head[6] if len(head) == SEGMENT_HEADER.size else None
    return sorted(FRAMINGS.values(), key=lambda framing: (framing.version != declared, -framing.version))
