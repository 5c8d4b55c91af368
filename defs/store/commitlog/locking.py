"""One writer at a time: an exclusive lock on `db.lock`, the file that the server locks too. (spec: event-tables 3.1)

It is beside `clog/` where the directory of the segments has that name, as in a replica; else among the segments. The operating
system gives the lock back when the process ends, however it ends; the file stays, and says nothing by being there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

from defs.store.commitlog.errors import LogError, unreadable

__all__ = ["lock", "lock_path"]

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def lock_path(directory: Path) -> Path:
    """The lock file of a directory of segments."""
    home = directory.parent if directory.name == "clog" else directory
    return home / "db.lock"


def lock(directory: Path) -> IO[bytes]:
    """Take the lock; closing the file gives it back. Raises LogError: `Locked`, `Unreadable`."""
    path = lock_path(directory)
    try:
        file = path.open("ab")
    except OSError as error:
        raise unreadable(path, error) from None
    try:
        _take(file)
    except OSError:
        file.close()
        raise LogError("Locked", directory, f"another writer, or the server, has this log open (it holds {path})") from None
    return file
