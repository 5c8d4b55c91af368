"""The seekable form of zstd: frames, then a table of their sizes in a frame that decompressors skip.

The table is `5e 2a 4d 18`, its length (u32), for each frame its compressed and uncompressed size (u32 each; and a checksum, if
bit 7 of the flags says so), then the number of frames (u32), the flags (u8) and `b1 ea 92 8f`. The library loads on first use.
"""

from __future__ import annotations

import struct
from array import array
from typing import IO, Any

__all__ = ["ZSTD_MAGIC", "decompressor", "pack_seek_table", "read_seek_table"]

ZSTD_MAGIC = bytes.fromhex("28b52ffd")
MIN_FRAME = 9  #: bytes of the shortest frame there is
MAX_FRAME = 1 << 20  #: uncompressed bytes of a frame that are decompressed at once; the server makes frames of 4096
MAX_FRAMES = 1 << 22  #: of a table that is held in memory: 16 GiB in frames of 4096
MAX_WINDOW = 1 << 27  #: bytes a frame may ask to look back; the bound of the library's own command
_SKIPPABLE = struct.Struct("<II")
_FOOTER = struct.Struct("<IBI")
_SKIPPABLE_MAGIC, _FOOTER_MAGIC = 0x184D2A5E, 0x8F92EAB1
_WITH_CHECKSUMS = 0x80


def decompressor() -> Any:
    """What decompresses frames."""
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)


def pack_seek_table(frames: list[tuple[int, int]]) -> bytes:
    """The table for frames of so many compressed and uncompressed bytes, without checksums."""
    entries = b"".join(_SKIPPABLE.pack(*frame) for frame in frames)
    start = _SKIPPABLE.pack(_SKIPPABLE_MAGIC, len(entries) + _FOOTER.size)
    return start + entries + _FOOTER.pack(len(frames), 0, _FOOTER_MAGIC)


def read_seek_table(file: IO[bytes], size: int) -> tuple[array[int], array[int]] | None:
    """Where frames begin in the uncompressed bytes and in the file, each list ended by where the last one ends.

    None if the file has no table, or one that does not fit the file.
    """
    smallest = _SKIPPABLE.size + _FOOTER.size
    if size < smallest:
        return None
    file.seek(size - _FOOTER.size)
    count, flags, magic = _FOOTER.unpack(file.read(_FOOTER.size))
    width = 12 if flags & _WITH_CHECKSUMS else 8
    if magic != _FOOTER_MAGIC or not 0 < count <= MAX_FRAMES or count * width > size - smallest:
        return None
    file.seek(size - smallest - count * width)
    if _SKIPPABLE.unpack(file.read(_SKIPPABLE.size)) != (_SKIPPABLE_MAGIC, count * width + _FOOTER.size):
        return None
    starts, places = array("Q", [0]), array("Q", [0])
    table = file.read(count * width)
    for at in range(0, count * width, width):
        packed, unpacked = _SKIPPABLE.unpack_from(table, at)
        if packed < MIN_FRAME or unpacked > MAX_FRAME:
            return None
        starts.append(starts[-1] + unpacked)
        places.append(places[-1] + packed)
    return (starts, places) if places[-1] == size - smallest - count * width else None
