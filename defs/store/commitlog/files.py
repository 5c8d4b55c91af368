"""Which files a log consists of. Names decide: 20 digits, the offset of the first transaction. (spec: event-tables 3.1)"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from defs.store.commitlog.errors import LogError, unreadable
from defs.store.commitlog.layout import INDEX_SUFFIX, LOG_SUFFIX, MAGIC, MAX_TX_OFFSET, SEGMENT_HEADER
from defs.store.commitlog.model import Segment

__all__ = ["LogFiles", "file_name", "find_files", "list_segments", "segment_directory"]

_SEGMENT_NAME = re.compile(r"[0-9]{20}")


class LogFiles(NamedTuple):
    """The segment files of a directory."""

    directory: Path
    offsets: list[int]  #: by which the segments are named, ascending
    misnamed: list[str]  #: files with the suffix of a segment, but no offset for a name

    def segment(self, offset: int) -> Path:
        return self.directory / file_name(offset)

    def offset_index(self, offset: int) -> Path:
        return self.directory / file_name(offset, INDEX_SUFFIX)


def file_name(offset: int, suffix: str = LOG_SUFFIX) -> str:
    """The name of the segment, or of its offset index, that begins with the transaction."""
    return f"{offset:020}{suffix}"


def segment_directory(directory: str | os.PathLike[str]) -> Path:
    """Where the segments are: the directory, or `clog/` in it, which makes it that of a replica.

    Raises LogError: `NotFound`, `NotALog` (a file).
    """
    try:
        path = Path(directory)
        if (path / "clog").is_dir():
            return path / "clog"
        if path.is_dir():
            return path
        exists = path.exists()
    except (OSError, ValueError) as error:
        raise unreadable(directory, error) from None
    if exists:
        raise LogError("NotALog", directory, "this is a file; name the directory that holds the segments")
    raise LogError("NotFound", directory, "there is no such directory")


def find_files(directory: str | os.PathLike[str]) -> LogFiles:
    """The log in a directory. Raises LogError: `NotFound`, `NotALog` (no file in it is named as a segment), `Unreadable`."""
    found = scan_files(segment_directory(directory))
    if not found.offsets and not found.misnamed:
        raise LogError(
            "NotALog", directory, f"no segments here: files of a commit log are named like {file_name(0)}, in a directory clog"
        )
    return found


def scan_files(path: Path) -> LogFiles:
    """The log in a directory of segments, which may have none. Raises LogError (`Unreadable`)."""
    try:
        with os.scandir(path) as entries:
            names = [entry.name.removesuffix(LOG_SUFFIX) for entry in entries if entry.name.endswith(LOG_SUFFIX)]
    except OSError as error:
        raise unreadable(path, error) from None
    good = [name for name in names if _SEGMENT_NAME.fullmatch(name) and int(name) <= MAX_TX_OFFSET]
    misnamed = [name + LOG_SUFFIX for name in set(names).difference(good)]
    return LogFiles(path, sorted(map(int, good)), sorted(misnamed))


def list_segments(directory: str | os.PathLike[str]) -> list[Segment]:
    """The segments of a log in order, as their names and headers describe them; commits are not looked at.

    Raises LogError: `NotFound`, `NotALog`, `Unreadable`.
    """
    files = find_files(directory)
    return [describe_segment(files.segment(offset), offset) for offset in files.offsets]


def describe_segment(path: Path, offset: int) -> Segment:
    """The segment in a file. Raises LogError (`Unreadable`)."""
    from defs.store.commitlog.sources import open_source

    with open_source(path) as source:
        head = source.read_at(0, SEGMENT_HEADER.size)
        readable = len(head) == SEGMENT_HEADER.size and head.startswith(MAGIC)
        version, algorithm = SEGMENT_HEADER.unpack(head)[1:] if readable else (None, None)
        return Segment(path.name, offset, source.file_size, source.compressed, version, algorithm)
