"""How messages are compressed, and how far they may grow again. (spec: event-tables 5)

What is decompressed is bounded before memory is taken for it: a frame of a few bytes may say that it is gigabytes. Brotli needs
a package of that name, or brotlicffi, 1.2 or newer, which `pip install "bsatn[brotli]"` brings; nothing else here needs one.
"""

from __future__ import annotations

import gzip
import importlib
import zlib
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final

from bsatn.errors import BsatnError, DecodeError, LimitExceeded

__all__ = ["MAX_SIZE", "THRESHOLD", "Compression", "compress", "decompress"]

MAX_SIZE: Final = 64 << 20  #: bytes that a message may have when decompressed, unless the caller says otherwise
THRESHOLD: Final = 1024  #: the server compresses only what is longer, in bytes
_CHUNK = 4096


class Compression(IntEnum):
    """The byte before each message of the server."""

    NONE = 0
    BROTLI = 1
    GZIP = 2


def compress(data: bytes, how: Compression) -> bytes:
    """The data compressed, fast rather than small, as the server does. Raises BsatnError (`BrotliMissing`)."""
    return _COMPRESS[how](data)


def decompress(data: bytes, how: Compression, *, max_size: int = MAX_SIZE, offset: int = 0) -> bytes:
    """What was compressed. `offset` is where `data` stands in the frame, for errors.

    Raises DecodeError (`InvalidCompression`, `TrailingBytes`), LimitExceeded (`max_size`), BsatnError (`BrotliMissing`).
    """
    return _DECOMPRESS[how](data, max_size, offset)


def _gzip_out(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=1, mtime=0)


def _brotli_out(data: bytes) -> bytes:
    found: bytes = _brotli().compress(data, quality=1)
    return found


def _plain_in(data: bytes, max_size: int, offset: int) -> bytes:
    if len(data) > max_size:
        raise _too_large(max_size, offset)
    return data


def _gzip_in(data: bytes, max_size: int, offset: int) -> bytes:
    inflate = zlib.decompressobj(wbits=31)
    try:
        found = inflate.decompress(data, max_size + 1)
    except zlib.error as error:
        raise _broken("gzip", str(error), offset) from None
    if len(found) > max_size:
        raise _too_large(max_size, offset)
    if not inflate.eof:
        raise _broken("gzip", "it ends too soon", offset)
    if inflate.unused_data:
        unread = len(inflate.unused_data)
        raise DecodeError("TrailingBytes", offset=offset + len(data) - unread, unread=unread)
    return found


def _brotli_in(data: bytes, max_size: int, offset: int) -> bytes:
    package = _brotli()
    stream = package.Decompressor()
    found = bytearray()
    place = 0
    try:
        while not stream.is_finished():
            chunk = data[place : place + _CHUNK] if stream.can_accept_more_data() else b""
            out = stream.process(chunk, output_buffer_limit=max_size + 1 - len(found))
            place += len(chunk)
            found += out
            if len(found) > max_size:
                raise _too_large(max_size, offset)
            if not chunk and not out:
                raise _broken("brotli", "it ends too soon", offset)
    except package.error as error:
        raise _broken("brotli", str(error) or "it is no brotli stream", offset) from None
    if place < len(data):
        raise DecodeError("TrailingBytes", offset=offset + place, unread=len(data) - place)
    return bytes(found)


def _broken(name: str, why: str, offset: int) -> DecodeError:
    return DecodeError("InvalidCompression", f"the {name} data cannot be decompressed: {why}", offset=offset)


def _too_large(max_size: int, offset: int) -> LimitExceeded:
    what = "the message is too long when decompressed"
    return LimitExceeded("max_size", max_size, what, offset=offset, advice="raise it with max_size=...")


def _brotli() -> Any:
    """The package; a release before 1.2 is none, as nothing bounds what it gives out."""
    for name in ("brotli", "brotlicffi"):
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        if hasattr(package.Decompressor, "can_accept_more_data"):
            return package
    message = "this needs brotli, and the Python package for it, 1.2 or newer, is not there"
    error = BsatnError("BrotliMissing", message)
    error.hint = "pip install 'brotli>=1.2', or do with gzip or no compression"
    raise error


_COMPRESS: Final[dict[Compression, Callable[[bytes], bytes]]] = {
    Compression.NONE: bytes,
    Compression.BROTLI: _brotli_out,
    Compression.GZIP: _gzip_out,
}
_DECOMPRESS: Final[dict[Compression, Callable[[bytes, int, int], bytes]]] = {
    Compression.NONE: _plain_in,
    Compression.BROTLI: _brotli_in,
    Compression.GZIP: _gzip_in,
}
