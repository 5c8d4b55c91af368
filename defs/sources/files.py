"""Bounded reads of files and standard input. Nothing larger than the limit is ever held."""

from __future__ import annotations

import os
import stat
import sys
from typing import Protocol

from .errors import SourceError, size

_CHUNK = 1 << 20


class Readable(Protocol):
    """What bounded reading needs: `read(n)` yields at most n bytes, and nothing (or None) at the end."""

    def read(self, n: int, /) -> bytes | None: ...


def read_path(path: str, limit: int) -> bytes:
    """The bytes of the file at `path`.

    Raises `SourceError`: `NotFound`, `Unreadable`, `TooLarge`.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # Path("") would be "."
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size > limit:
                raise _too_large(path, limit, f"it has {size(status.st_size)}")
            return read_bounded(file, path, limit)
    except FileNotFoundError:
        raise SourceError("NotFound", path, "there is no such file" + _missing_hint(path)) from None
    except (OSError, ValueError) as error:
        if "\0" not in path and os.path.isdir(path):  # noqa: PTH112  # never raises
            raise SourceError("Unreadable", path, "this is a directory; name the .wasm file in it") from None
        raise SourceError("Unreadable", path, f"cannot read it: {_reason(error)}") from None


def read_stdin(limit: int) -> bytes:
    """The bytes of standard input up to its end.

    Raises `SourceError`: `Unreadable`, `TooLarge`.
    """
    stream = sys.stdin
    binary: Readable | None = getattr(stream, "buffer", None)
    try:
        if binary is not None:
            return read_bounded(binary, "<stdin>", limit)
        if stream is None:
            raise SourceError("Unreadable", "<stdin>", "standard input is closed; name a file, or pipe the input in")
        text = stream.read(limit + 1)  # a text-only replacement of sys.stdin
        data = text.encode("utf-8", "surrogateescape")
    except (OSError, ValueError) as error:
        raise SourceError("Unreadable", "<stdin>", f"cannot read standard input: {_reason(error)}") from None
    if len(data) > limit:
        raise _too_large("<stdin>", limit)
    return data


def read_bounded(stream: Readable, origin: str, limit: int) -> bytes:
    """Everything `stream.read` yields, at most `limit` bytes. Raises `SourceError` (`TooLarge`) as soon as
    there is more."""
    data = bytearray()
    while chunk := stream.read(min(_CHUNK, limit + 1 - len(data))):
        data += chunk
        if len(data) > limit:
            raise _too_large(origin, limit)
    return bytes(data)


def _too_large(origin: str, limit: int, found: str = "there is more") -> SourceError:
    message = f"{found}, the limit is {size(limit)}; raise Limits.input_bytes if it really is a definition"
    return SourceError("TooLarge", origin, message)


def _missing_hint(path: str) -> str:
    compact = "".join(path.split())
    if path.lstrip().startswith(("{", "[")):
        return "; a text is taken for a path: pass JSON as bytes, or on standard input with '-'"
    if len(compact) >= 16 and all(c in "0123456789abcdefABCDEFxX" for c in compact):
        return "; a text is taken for a path: pass hex as bytes, or on standard input with '-'"
    return ""


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
