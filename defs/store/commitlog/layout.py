"""The fixed parts of a segment: its header, and the two framings of a commit. (spec: event-tables 3.1, 3.2)"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

__all__ = ["CHECKSUM", "CHECKSUM_SIZE", "FRAMINGS", "MAGIC", "MAX_TX_OFFSET", "SEGMENT_HEADER", "VERSION", "Framing", "crc32c"]

MAGIC = bytes.fromhex("286473295e32")
SEGMENT_HEADER = struct.Struct("<6sBB2x")  #: magic, log format version, checksum algorithm, two reserved bytes
VERSION = 1
CRC32C = 0
CHECKSUM = struct.Struct("<I")
CHECKSUM_SIZE = CHECKSUM.size
MAX_TX_OFFSET = (1 << 64) - 1
LOG_SUFFIX, INDEX_SUFFIX = ".stdb.log", ".stdb.ofs"

_V0 = struct.Struct("<QHI")
_V1 = struct.Struct("<QQHI")

Header: TypeAlias = tuple[int, int, int, int]
"""Smallest tx offset, epoch, number of records, bytes of records."""


class Framing(NamedTuple):
    """How a commit is framed in one log format version."""

    version: int
    header_size: int
    n_offset: int  #: where in the header `n` stands
    read: Callable[[Any, int], Any]  #: (buffer, position) to Header

    @property
    def overhead(self) -> int:
        return self.header_size + CHECKSUM_SIZE


def _read_v0(buffer: Any, position: int) -> Header:
    offset, n, size = _V0.unpack_from(buffer, position)
    return offset, 0, n, size


FRAMINGS: dict[int, Framing] = {
    0: Framing(0, _V0.size, 8, _read_v0),
    1: Framing(1, _V1.size, 16, _V1.unpack_from),
}


def pack_commit_header(min_tx_offset: int, epoch: int, n: int, size: int) -> bytes:
    """The header of a commit in the current version."""
    return _V1.pack(min_tx_offset, epoch, n, size)


def pack_segment_header() -> bytes:
    """The header of a segment in the current version."""
    return SEGMENT_HEADER.pack(MAGIC, VERSION, CRC32C)


@cache
def crc32c() -> Callable[..., int]:
    """The function for CRC-32C: (data, checksum of what stands before it) to checksum. Its library loads on first use."""
    from crc32c import crc32c as native

    return native
