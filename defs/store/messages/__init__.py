"""Messages between clients and the server over the websocket, as bytes. (spec: event-tables 5)

    frame = encode_client(v2.Subscribe(1, v2.QuerySetId(7), ("SELECT * FROM chat",)))
    (message,) = decode_server(frame)
    if isinstance(message, v2.SubscribeApplied):
        for table in message.rows.tables:
            rows = [codec.decode(row) for row in table.rows.rows()]

`v1` and `v2` are the messages of each version; version 3 has those of version 2, several to a frame. Nothing here opens a
connection.
"""

from __future__ import annotations

from defs.store.messages import v1, v2
from defs.store.messages.compression import MAX_SIZE, THRESHOLD, Compression
from defs.store.messages.frames import (
    SUBPROTOCOLS,
    ClientMessage,
    Protocol,
    ServerMessage,
    compressed_update,
    decode_client,
    decode_server,
    encode_client,
    encode_server,
    query_update,
)
from defs.store.messages.rowlist import BsatnRowList, FixedSize, RowOffsets, RowSizeHint

__all__ = [
    "MAX_SIZE",
    "SUBPROTOCOLS",
    "THRESHOLD",
    "BsatnRowList",
    "ClientMessage",
    "Compression",
    "FixedSize",
    "Protocol",
    "RowOffsets",
    "RowSizeHint",
    "ServerMessage",
    "compressed_update",
    "decode_client",
    "decode_server",
    "encode_client",
    "encode_server",
    "query_update",
    "v1",
    "v2",
]
