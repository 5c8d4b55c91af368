"""What keeps a log from being read or written as a whole. What is wrong inside one is `Damage`, which is data."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Literal, get_args

from bsatn.errors import BsatnError

__all__ = ["LogError", "open_file", "unreadable"]

UnreadableKind = Literal["NotFound", "NotALog", "Unreadable", "Locked", "Failed"]
"""The files were not obtained: no such directory, no log in it, a refusal of the operating system, another writer."""

RefusedKind = Literal["NotAppendable", "NotCompressible", "Unsupported"]
"""The files were read, and what they hold forbids what was asked."""

LogErrorKind = UnreadableKind | RefusedKind

_UNREADABLE = frozenset(get_args(UnreadableKind))


class LogError(BsatnError):
    """A log cannot be opened, or must not be written to.

    `kind` is a `LogErrorKind`, `origin` the directory or file, and `str(error)` is `origin: what was found and what to do`.
    """

    def __init__(self, kind: LogErrorKind, origin: str | os.PathLike[str], message: str) -> None:
        self.origin = os.fspath(origin)
        super().__init__(kind, f"{self.origin}: {message}")

    @property
    def unreadable(self) -> bool:
        """True: it could not be read or had (exit status 3). False: it was read, and it is bad (exit status 1)."""
        return self.kind in _UNREADABLE


def unreadable(origin: str | os.PathLike[str], error: OSError | ValueError) -> LogError:
    """The operating system's refusal as a LogError."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return LogError("NotFound" if isinstance(error, FileNotFoundError) else "Unreadable", origin, reason or "cannot be read")


def open_file(path: Path) -> IO[bytes]:
    """Open a file for reading, without a buffer. Raises LogError: `NotFound`, `Unreadable` (which a pipe is, too)."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise LogError("Unreadable", path, "this is not a file")
        return path.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
