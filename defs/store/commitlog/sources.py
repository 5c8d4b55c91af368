"""The bytes of a segment at any position, whether the file is compressed or not, in bounded memory.

A plain file is read with ordinary reads, never mapped: a map of a file that another process cuts is a crash. The size is that
at opening; what is appended later is not seen. A compressed file is a row of zstd frames, with a table of them at its end. With
the table, any position is one frame away, and a frame that does not decompress reads as zeros, is noted as a fault, and takes
nothing else with it. Without one, the frames are read from the beginning, up to the first fault. (spec: event-tables 3.3)
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple, Self

from defs.store.commitlog.errors import open_file, unreadable
from defs.store.commitlog.layout import MAGIC
from defs.store.commitlog.zstd import ZSTD_MAGIC, decompressor, read_seek_table

__all__ = ["CHUNK", "Fault", "Source", "open_source"]

CHUNK = 1 << 20  #: bytes read at once


class Fault(NamedTuple):
    """Compressed bytes that say nothing."""

    start: int  #: in the uncompressed bytes
    end: int | None  #: None: everything behind it
    message: str


class Source(ABC):
    """The uncompressed bytes of one file."""

    compressed = False
    forward_only = False  #: going back means starting over

    def __init__(self, file: IO[bytes], path: Path, file_size: int) -> None:
        self._file = file
        self.path = path
        self.file_size = file_size
        self.faults: list[Fault] = []

    @abstractmethod
    def read_at(self, position: int, count: int) -> bytes:
        """The `count` bytes at `position`, fewer only where the segment ends. Raises LogError (`Unreadable`)."""

    @abstractmethod
    def remaining(self, position: int) -> int:
        """The number of bytes from `position` on."""

    def fault_within(self, start: int, end: int | None) -> Fault | None:
        """A fault that touches the stretch of bytes, or is right at its end."""
        for fault in self.faults:
            if (end is None or fault.start <= end) and (fault.end is None or fault.end > start):
                return fault
        return None

    def _pread(self, position: int, count: int) -> bytes:
        try:
            self._file.seek(position)
            data = self._file.read(count)
            while len(data) < count and (more := self._file.read(count - len(data))):
                data += more
        except OSError as error:
            raise unreadable(self.path, error) from None
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


class _Plain(Source):
    def read_at(self, position: int, count: int) -> bytes:
        return self._pread(position, min(count, self.file_size - position)) if position < self.file_size else b""

    def remaining(self, position: int) -> int:
        return max(self.file_size - position, 0)


class _Frames(Source):
    """Compressed, with a table: `starts` are the positions of frames in the uncompressed bytes, `places` in the file."""

    compressed = True

    def __init__(self, file: IO[bytes], path: Path, file_size: int, starts: array[int], places: array[int]) -> None:
        super().__init__(file, path, file_size)
        self._starts, self._places = starts, places
        self._decompress = decompressor().decompress
        self._bad: set[int] = set()
        self._at, self._block = -1, b""

    def read_at(self, position: int, count: int) -> bytes:
        end = min(position + count, self._starts[-1])
        parts = []
        index = bisect_right(self._starts, position) - 1
        while position < end:
            block = self._frame(index)
            start = position - self._starts[index]
            part = block[start : start + end - position]
            parts.append(part)
            position += len(part)
            index += 1
        return b"".join(parts)

    def remaining(self, position: int) -> int:
        return max(self._starts[-1] - position, 0)

    def _frame(self, index: int) -> bytes:
        if index == self._at:
            return self._block
        size = self._starts[index + 1] - self._starts[index]
        data = self._pread(self._places[index], self._places[index + 1] - self._places[index])
        try:
            block = bytes(self._decompress(data, max_output_size=max(size, 1)))
            problem = "" if len(block) == size else f"a frame of {size} bytes, by the table, has {len(block)}"
        except Exception as error:  # noqa: BLE001 - the library's own class, which is not loaded before it is needed
            block, problem = b"", str(error)
        if problem:
            if index not in self._bad:
                self._bad.add(index)
                self.faults.append(Fault(self._starts[index], self._starts[index + 1], problem))
            block = bytes(size)
        self._at, self._block = index, block
        return block


class _Stream(Source):
    """Compressed, without a table: forwards only; going back starts over."""

    compressed = forward_only = True

    def __init__(self, file: IO[bytes], path: Path, file_size: int) -> None:
        super().__init__(file, path, file_size)
        self._size: int | None = None
        self._restart()

    def _restart(self) -> None:
        self._file.seek(0)
        self._reader: Any = decompressor().stream_reader(self._file, read_across_frames=True, closefd=False)
        self._position = 0  #: of the end of the window
        self._window = b""

    def read_at(self, position: int, count: int) -> bytes:
        start = self._position - len(self._window)
        if position < start:
            self._restart()
            start = 0
        while self._position < position + count:
            piece = self._next(min(max(position + count - self._position, 1 << 16), CHUNK))
            if not piece:
                break
            self._position += len(piece)
            kept = self._window[position - start :] if position - start < len(self._window) else b""
            self._window = kept + piece
            start = self._position - len(self._window)
        at = position - start
        return self._window[at : at + count] if at >= 0 else b""

    def remaining(self, position: int) -> int:
        if self._size is None:
            while piece := self._next(CHUNK):
                self._position, self._window = self._position + len(piece), piece
            self._size = self._position
        return max(self._size - position, 0)

    def _next(self, count: int) -> bytes:
        try:
            return bytes(self._reader.read(count))
        except OSError as error:
            raise unreadable(self.path, error) from None
        except Exception as error:  # noqa: BLE001 - as above
            if not self.faults:
                self.faults.append(Fault(self._position, None, str(error)))
            return b""


def open_source(path: Path) -> Source:
    """Open a segment file for reading. Raises LogError: `NotFound`, `Unreadable`."""
    file = open_file(path)
    try:
        size = os.fstat(file.fileno()).st_size
        start = file.read(len(MAGIC))
        table = None if start == MAGIC else read_seek_table(file, size)
        if table:
            return _Frames(file, path, size, *table)
        return (_Stream if start.startswith(ZSTD_MAGIC) else _Plain)(file, path, size)
    except OSError as error:
        file.close()
        raise unreadable(path, error) from None
    except BaseException:
        file.close()
        raise
