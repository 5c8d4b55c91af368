"""Appending commits, byte for byte as the server does. (spec: event-tables 3.3)

Commits are gathered in a buffer and written when it is full, on `sync`, and at the end of a segment. What `sync` has
returned for is on disk. A segment that has reached its size is synced and closed, and the next one begins with the next
offset. When the operating system refuses a write, the writer is done for: what is on disk is known only by reading it again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from bsatn.errors import EncodeError
from defs.store.commitlog.errors import LogError, unreadable
from defs.store.commitlog.files import scan_files
from defs.store.commitlog.indexing import OffsetIndexWriter
from defs.store.commitlog.layout import CHECKSUM, MAX_TX_OFFSET, crc32c, pack_commit_header, pack_segment_header
from defs.store.commitlog.locking import lock
from defs.store.commitlog.recovery import find_tail

__all__ = ["Writer", "sync_directory"]

_REOPEN = "open the log anew to see what it holds"
_MOST_RECORDS, _MOST_BYTES = 0xFFFF, 0xFFFFFFFF


class Writer:
    """Appends to the log in a directory, which is made if it is missing; given a replica's, to that in its `clog/`.

    `max_segment_size` and `offset_index_interval_bytes` are in bytes. `fsync=False` leaves it to the operating system when
    data reaches the disk. `offset_index_require_segment_fsync`: entries of the offset index wait for `sync`. `upstream`: take
    up a damaged log as the server does, even where that gives up intact commits. While it is open no other writer, and no
    server, can open the log. Raises LogError: `Locked`, `NotAppendable`, `Unreadable`.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        max_segment_size: int = 1 << 30,
        offset_index_interval_bytes: int = 4096,
        offset_index_require_segment_fsync: bool = True,
        fsync: bool = True,
        write_buffer_size: int = 128 << 10,
        upstream: bool = False,
    ) -> None:
        if max_segment_size < 1 or offset_index_interval_bytes < 1:
            raise ValueError("max_segment_size and offset_index_interval_bytes are numbers of bytes, at least 1")
        self._max_size = max_segment_size
        self._interval = offset_index_interval_bytes
        self._index_after_sync = offset_index_require_segment_fsync
        self._fsync = fsync
        self._buffer_size = write_buffer_size
        self._buffer = bytearray()
        self._state = "open"
        self._directory = _made(Path(directory))
        self._lock = lock(self._directory)
        try:
            self._open_tail(upstream)
        except OSError as error:
            self._lock.close()
            raise unreadable(self._directory, error) from None
        except BaseException:
            self._lock.close()
            raise

    def _open_tail(self, upstream: bool) -> None:
        files = scan_files(self._directory)
        tail = find_tail(files, upstream)
        self._next, self._epoch = tail.next_offset, tail.epoch
        for offset in tail.remove:
            files.segment(offset).unlink()
            files.offset_index(offset).unlink(missing_ok=True)
        if tail.resume is None:
            self._begin_segment()
            return
        self._file: IO[bytes] = files.segment(tail.resume).open("r+b", buffering=0)
        self._file.truncate(tail.size)
        self._file.seek(tail.size)
        self._size = tail.size
        self._index = self._new_index(tail.resume)

    @property
    def directory(self) -> Path:
        """Where the segments are."""
        return self._directory

    @property
    def next_tx_offset(self) -> int:
        """The offset that the next transaction gets."""
        return self._next

    @property
    def epoch(self) -> int:
        """That of the last commit, or the highest found when the log was opened."""
        return self._epoch

    def append(self, records: Sequence[bytes] | bytes, n: int | None = None, epoch: int | None = None) -> int:
        """Append one commit and return the offset of its first transaction.

        `records` is a sequence of records, one a transaction; or all of them joined, and `n` says how many (1 if left out).
        `epoch` stays what it was if left out, and never falls. The commit is safe once `sync` has returned.
        Raises EncodeError (`OutOfRange`, `TooLong`), LogError (`Failed`).
        """
        self._check_open()
        if isinstance(records, bytes):
            payload, count = records, 1 if n is None else n
        else:
            payload, count = b"".join(records), len(records)
            if n is not None and n != count:
                raise EncodeError("OutOfRange", f"n is {n}, but there are {count} records")
        epoch = self._epoch if epoch is None else epoch
        self._check(payload, count, epoch)
        header = pack_commit_header(self._next, epoch, count, len(payload))
        checksum = crc32c()(payload, crc32c()(header))
        size = len(header) + len(payload) + CHECKSUM.size
        offset, place = self._next, self._size
        self._buffer += header
        self._buffer += payload
        self._buffer += CHECKSUM.pack(checksum)
        self._next, self._epoch, self._size = offset + count, epoch, place + size
        try:
            self._index.committed(offset, place, size)
            if self._size >= self._max_size:
                self._end_segment()
                self._begin_segment()
            elif len(self._buffer) >= self._buffer_size:
                self._flush()
        except OSError as error:
            raise self._failed(error) from None
        return offset

    def sync(self) -> int:
        """Put everything appended on disk, and return the next offset: all before it is safe. Raises LogError (`Failed`)."""
        self._check_open()
        try:
            self._sync()
        except OSError as error:
            raise self._failed(error) from None
        return self._next

    def close(self) -> None:
        """Sync, and let go of the log. Again, or after a failure, it does nothing more. Raises LogError (`Failed`)."""
        if self._state == "closed":
            return
        try:
            if self._state == "open":
                self.sync()
        finally:
            self._state = "closed"
            self._file.close()
            self._index.close()
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._state == "closed":
            raise ValueError("this writer is closed")
        if self._state == "failed":
            raise LogError("Failed", self._directory, f"an earlier write failed; {_REOPEN}")

    def _check(self, payload: bytes, count: int, epoch: int) -> None:
        if not 1 <= count <= _MOST_RECORDS:
            raise EncodeError("OutOfRange", f"a commit holds 1 to {_MOST_RECORDS} records, not {count}")
        if len(payload) > _MOST_BYTES:
            raise EncodeError("TooLong", f"the records of a commit have at most {_MOST_BYTES} bytes, not {len(payload)}")
        if not self._epoch <= epoch <= MAX_TX_OFFSET:
            raise EncodeError("OutOfRange", f"the epoch is {self._epoch} and does not fall, so not to {epoch}")
        if self._next + count > MAX_TX_OFFSET:
            raise EncodeError("OutOfRange", "the log is full: offsets are numbers of 64 bits")

    def _failed(self, error: OSError) -> LogError:
        self._state = "failed"
        return LogError("Failed", self._directory, f"cannot write: {error.strerror or error}; {_REOPEN}")

    def _flush(self) -> None:
        view = memoryview(bytes(self._buffer))
        self._buffer.clear()
        while view:
            view = view[self._file.write(view) :]

    def _sync(self) -> None:
        self._flush()
        if self._fsync:
            os.fsync(self._file.fileno())
        self._index.synced()

    def _end_segment(self) -> None:
        self._sync()
        self._file.close()
        self._index.close()

    def _begin_segment(self) -> None:
        files = scan_files(self._directory)
        self._file = files.segment(self._next).open("xb", buffering=0)
        self._buffer += pack_segment_header()
        self._size = len(self._buffer)
        self._flush()
        if self._fsync:
            os.fsync(self._file.fileno())
            sync_directory(self._directory)
        self._index = self._new_index(self._next)

    def _new_index(self, offset: int) -> OffsetIndexWriter:
        path = scan_files(self._directory).offset_index(offset)
        capacity = self._max_size // self._interval
        return OffsetIndexWriter(path, capacity, self._interval, self._index_after_sync, self._size)


def _made(directory: Path) -> Path:
    if (directory / "clog").is_dir():
        return directory / "clog"
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise unreadable(directory, error) from None
    return directory


def sync_directory(directory: Path) -> None:
    """Put the names of the files in a directory on disk, where the operating system can."""
    if os.name != "posix":
        return
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
