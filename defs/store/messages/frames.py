"""Frames: the binary payloads of the websocket, and the messages in them. (spec: event-tables 5)

A client's frame is a message; a server's is a byte that tells the compression, and a message. Version 3 puts several messages
of version 2 behind one another. Every row list that comes in is checked, so that cutting it apart cannot fail later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

from bsatn.codec import Codec
from bsatn.constructs import ConstructEngine, Read
from bsatn.errors import DecodeError
from bsatn.paths import Path
from defs.store.messages import v1, v2
from defs.store.messages.compression import MAX_SIZE, THRESHOLD, Compression, compress, decompress
from defs.store.messages.rowlist import BsatnRowList

__all__ = [
    "SUBPROTOCOLS",
    "ClientMessage",
    "Protocol",
    "ServerMessage",
    "compressed_update",
    "decode_client",
    "decode_server",
    "encode_client",
    "encode_server",
    "query_update",
]

Protocol: TypeAlias = Literal["v1", "v2", "v3"]
ClientMessage: TypeAlias = v1.ClientMessage | v2.ClientMessage
ServerMessage: TypeAlias = v1.ServerMessage | v2.ServerMessage

#: What to ask for in `Sec-WebSocket-Protocol`. (`v1.json.spacetimedb` is version 1 as SATS-JSON, which is not read here.)
SUBPROTOCOLS: Final[dict[Protocol, str]] = {
    "v1": "v1.bsatn.spacetimedb",
    "v2": "v2.bsatn.spacetimedb",
    "v3": "v3.bsatn.spacetimedb",
}
_CLIENT: Final[dict[Protocol, Any]] = {"v1": v1.ClientMessage, "v2": v2.ClientMessage, "v3": v2.ClientMessage}
_SERVER: Final[dict[Protocol, Any]] = {"v1": v1.ServerMessage, "v2": v2.ServerMessage, "v3": v2.ServerMessage}
_SEVERAL: Final = frozenset({"v3"})


@lru_cache(maxsize=8)
def _codec(protocol: Protocol, side: Literal["client", "server", "update"]) -> Codec[Any]:
    if side == "update":
        return Codec(v1.QueryUpdate)
    return Codec(_CLIENT[protocol] if side == "client" else _SERVER[protocol])


def encode_client(*messages: ClientMessage, protocol: Protocol = "v2") -> bytes:
    """A client's frame with these messages: one, in version 3 one or more. Raises EncodeError, ValueError."""
    return _joined(_codec(protocol, "client"), messages, protocol)


def decode_client(frame: bytes, *, protocol: Protocol = "v2") -> tuple[ClientMessage, ...]:
    """The messages of a client's frame. Raises DecodeError."""
    return tuple(_split(_codec(protocol, "client"), frame, 0, protocol))


def encode_server(
    *messages: ServerMessage,
    protocol: Protocol = "v2",
    compression: Compression = Compression.NONE,
    threshold: int = THRESHOLD,
) -> bytes:
    """A server's frame with these messages, compressed if they take more than `threshold` bytes.

    Raises EncodeError, ValueError; BsatnError (`BrotliMissing`).
    """
    data = _joined(_codec(protocol, "server"), messages, protocol)
    how = compression if len(data) > threshold else Compression.NONE
    return bytes((how,)) + compress(data, how)


def decode_server(frame: bytes, *, protocol: Protocol = "v2", max_size: int = MAX_SIZE) -> tuple[ServerMessage, ...]:
    """The messages of a server's frame; at most `max_size` bytes are decompressed.

    Raises DecodeError, LimitExceeded, BsatnError (`BrotliMissing`). The offset of an error counts bytes of the frame; of a
    frame that is compressed it counts bytes of what was decompressed.
    """
    how = _compression(frame)
    if how is Compression.NONE:
        decompress(frame[1:], how, max_size=max_size, offset=1)
        return tuple(_split(_codec(protocol, "server"), frame, 1, protocol))
    return tuple(_split(_codec(protocol, "server"), decompress(frame[1:], how, max_size=max_size, offset=1), 0, protocol))


def _compression(frame: bytes) -> Compression:
    if not frame:
        raise DecodeError("BufferLength", offset=0, for_type="the compression byte", expected=1, given=0)
    try:
        return Compression(frame[0])
    except ValueError:
        raise DecodeError("InvalidTag", offset=0, tag=frame[0], sum_name="Compression") from None


# Updates of version 1 are compressed by themselves ------------------------------------------------------------


def query_update(update: v1.CompressableQueryUpdate, *, max_size: int = MAX_SIZE) -> v1.QueryUpdate:
    """The update, decompressed if need be. Raises as `decode_server` does."""
    if isinstance(update, v1.Uncompressed):
        return update.update
    how = Compression.BROTLI if isinstance(update, v1.BrotliUpdate) else Compression.GZIP
    data = decompress(update.data, how, max_size=max_size)
    (found,) = _split(_codec("v1", "update"), data, 0, "v1")
    assert isinstance(found, v1.QueryUpdate)
    return found


def compressed_update(
    update: v1.QueryUpdate, compression: Compression, *, threshold: int = THRESHOLD
) -> v1.CompressableQueryUpdate:
    """The update, compressed if it takes more than `threshold` bytes. Raises BsatnError (`BrotliMissing`)."""
    data = _codec("v1", "update").encode(update)
    if compression is Compression.NONE or len(data) <= threshold:
        return v1.Uncompressed(update)
    kind = v1.BrotliUpdate if compression is Compression.BROTLI else v1.GzipUpdate
    return kind(compress(data, compression))


# Messages ---------------------------------------------------------------------------------------------------


def _joined(codec: Codec[Any], messages: tuple[Any, ...], protocol: Protocol) -> bytes:
    if not messages or (len(messages) > 1 and protocol not in _SEVERAL):
        expected = "one or more messages" if protocol in _SEVERAL else "one message"
        raise ValueError(f"a frame of protocol {protocol} has {expected}, not {len(messages)}")
    return b"".join(map(codec.encode, messages))


def _split(codec: Codec[Any], data: bytes, offset: int, protocol: Protocol) -> Iterator[Any]:
    """The messages from `offset` on: exactly one, or to the end."""
    while True:
        message, end = codec.decode_from(data, offset)
        _check(codec, data, offset, message)
        yield message
        if end == len(data):
            return
        if protocol not in _SEVERAL:
            raise DecodeError("TrailingBytes", offset=end, unread=len(data) - end)
        offset = end


def _check(codec: Codec[Any], data: bytes, offset: int, message: Any) -> None:
    """Check the row lists of a message; an error learns where in it, and at which byte, the fault is."""
    for path, rows in _row_lists(message):
        try:
            rows.check()
        except DecodeError as error:
            error.path = (*path, *error.path)
            error.offset = _offset_of(codec, data, offset, error.path)
            raise


def _row_lists(message: Any) -> Iterator[tuple[Path, BsatnRowList]]:
    todo: list[tuple[Path, Any]] = [((), message)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, BsatnRowList):
            yield path, value
        elif isinstance(value, tuple):
            todo += [((*path, index), part) for index, part in reversed(list(enumerate(value)))]
        elif dataclasses.is_dataclass(value):
            names = [one.name for one in dataclasses.fields(value)]
            todo += [((*path, name), getattr(value, name)) for name in reversed(names)]


def _offset_of(codec: Codec[Any], data: bytes, offset: int, path: Path) -> int | None:
    """Where in the data the value at the path begins."""
    found: list[int] = []

    def note(read: Read) -> None:
        if not found and read.path == path:
            found.append(read.offset)

    ConstructEngine(codec.shape, codec.limits).decode(data, offset, trace=note)
    return found[0] if found else None
