"""Compressing sealed segments in place, in the form the server gives them. (spec: event-tables 3.3)"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from defs.store.commitlog.errors import LogError, unreadable
from defs.store.commitlog.files import scan_files
from defs.store.commitlog.segments import HeaderFault, check_header
from defs.store.commitlog.sources import Source, open_source
from defs.store.commitlog.upstream import stop_message
from defs.store.commitlog.walking import Walker
from defs.store.commitlog.zstd import pack_seek_table

__all__ = ["FRAME_SIZE", "compress_segment"]

FRAME_SIZE = 4096  #: uncompressed bytes of a frame


def compress_segment(path: str | os.PathLike[str]) -> int:
    """Put the seekable zstd form of a segment in its place, under its name, and return its size in bytes.

    The new file is complete and on disk before it takes the old one's place. The newest segment is refused, as it may still be
    written to, and so is one that is damaged. A segment that is compressed already stays as it is.
    Raises LogError: `NotFound`, `Unreadable`, `NotCompressible`.
    """
    segment = Path(path)
    with open_source(segment) as source:
        if source.compressed:
            return source.file_size
        offsets = scan_files(segment.parent).offsets
        if not offsets or segment.name == scan_files(segment.parent).segment(offsets[-1]).name:
            raise LogError("NotCompressible", segment, "this is the newest segment of its log, which may still be written to")
        _check(source)
        try:
            return _replace(source)
        except OSError as error:
            raise unreadable(segment, error) from None


def _check(source: Source) -> None:
    found = check_header(source)
    if isinstance(found, HeaderFault):
        raise LogError("NotCompressible", source.path, found.message)
    walker = Walker(source, found)
    for _ in walker:
        pass
    if walker.stop.kind not in ("End", "TornHeader"):
        raise LogError("NotCompressible", source.path, f"it is damaged, and stays as evidence: {stop_message(walker.stop)}")


def _replace(source: Source) -> int:
    import zstandard

    compressor = zstandard.ZstdCompressor(write_content_size=False)
    frames: list[tuple[int, int]] = []
    position = 0
    with tempfile.NamedTemporaryFile(dir=source.path.parent, prefix=source.path.name + ".", suffix=".tmp", delete=False) as new:
        try:
            while block := source.read_at(position, FRAME_SIZE):
                stream = compressor.compressobj()
                packed = stream.compress(block) + stream.flush()
                new.write(packed)
                frames.append((len(packed), len(block)))
                position += len(block)
            new.write(pack_seek_table(frames))
            new.flush()
            os.fsync(new.fileno())
            size = new.tell()
            Path(new.name).chmod(source.path.stat().st_mode & 0o777)
            Path(new.name).replace(source.path)
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
    return size
