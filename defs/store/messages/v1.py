"""Messages of version 1 of the websocket protocol, in its binary form. (spec: event-tables 5.2)

Fields stand in wire order; the order of the classes in `ClientMessage` and `ServerMessage` is that of their tags. Durations
named `_micros` are plain numbers, others are TimeDuration.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from bsatn.annotations import U8, U32, U64, U128
from bsatn.records import case, record, variants
from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp
from defs.store.messages.rowlist import BsatnRowList

__all__ = [
    "BrotliUpdate",
    "CallProcedure",
    "CallReducer",
    "ClientMessage",
    "Committed",
    "CompressableQueryUpdate",
    "DatabaseUpdate",
    "Failed",
    "GzipUpdate",
    "IdentityToken",
    "InitialSubscription",
    "OneOffQuery",
    "OneOffQueryResponse",
    "OneOffTable",
    "OutOfEnergy",
    "ProcedureInternalError",
    "ProcedureOutOfEnergy",
    "ProcedureResult",
    "ProcedureReturned",
    "ProcedureStatus",
    "QueryId",
    "QueryUpdate",
    "ReducerCallInfo",
    "ServerMessage",
    "Subscribe",
    "SubscribeApplied",
    "SubscribeMulti",
    "SubscribeMultiApplied",
    "SubscribeRows",
    "SubscribeSingle",
    "SubscriptionError",
    "TableUpdate",
    "TransactionUpdate",
    "TransactionUpdateLight",
    "Unsubscribe",
    "UnsubscribeApplied",
    "UnsubscribeMulti",
    "UnsubscribeMultiApplied",
    "UpdateStatus",
]


@record
class QueryId:
    """A client's number for a subscription."""

    id: U32


# What clients send ------------------------------------------------------------------------------------------


@record
class CallReducer:
    """Call a reducer; `flags` 1 asks for no message if it commits."""

    reducer: str
    args: bytes
    request_id: U32
    flags: U8


@record
class Subscribe:
    """Legacy: subscribe to these queries, and to no others."""

    query_strings: tuple[str, ...]
    request_id: U32


@record
class OneOffQuery:
    """Ask once."""

    message_id: bytes
    query_string: str


@record
class SubscribeSingle:
    """Subscribe to one more query."""

    query: str
    request_id: U32
    query_id: QueryId


@record
class SubscribeMulti:
    """Subscribe to more queries, together."""

    query_strings: tuple[str, ...]
    request_id: U32
    query_id: QueryId


@record
class Unsubscribe:
    """Drop what a SubscribeSingle subscribed to."""

    request_id: U32
    query_id: QueryId


@record
class UnsubscribeMulti:
    """Drop what a SubscribeMulti subscribed to."""

    request_id: U32
    query_id: QueryId


@record
class CallProcedure:
    """Call a procedure."""

    procedure: str
    args: bytes
    request_id: U32
    flags: U8


ClientMessage: TypeAlias = Annotated[
    CallReducer | Subscribe | OneOffQuery | SubscribeSingle | SubscribeMulti | Unsubscribe | UnsubscribeMulti | CallProcedure,
    variants("ClientMessage"),
]


# Rows -------------------------------------------------------------------------------------------------------


@record
class QueryUpdate:
    """Rows that leave a query's result, and rows that come into it."""

    deletes: BsatnRowList
    inserts: BsatnRowList


@case(name="Brotli")
class BrotliUpdate:
    """A QueryUpdate, compressed; `defs.store.messages.query_update` reads it."""

    data: bytes


@case(name="Gzip")
class GzipUpdate:
    """A QueryUpdate, compressed; `defs.store.messages.query_update` reads it."""

    data: bytes


@case(name="Uncompressed")
class Uncompressed:
    """A QueryUpdate as it is."""

    update: QueryUpdate


CompressableQueryUpdate: TypeAlias = Annotated[Uncompressed | BrotliUpdate | GzipUpdate, variants("CompressableQueryUpdate")]


@record
class TableUpdate:
    """What happened to the rows of one table, an update for each query; `num_rows` counts those of all."""

    table_id: U32
    table_name: str
    num_rows: U64
    updates: tuple[CompressableQueryUpdate, ...]


@record
class DatabaseUpdate:
    """What happened to the rows of several tables."""

    tables: tuple[TableUpdate, ...]


@record
class SubscribeRows:
    """The rows of one query."""

    table_id: U32
    table_name: str
    table_rows: TableUpdate


# What the server sends --------------------------------------------------------------------------------------


@record
class InitialSubscription:
    """The answer to the legacy Subscribe."""

    database_update: DatabaseUpdate
    request_id: U32
    total_host_execution_duration: TimeDuration


@case(name="Committed")
class Committed:
    """A transaction that committed."""

    update: DatabaseUpdate


@case(name="Failed")
class Failed:
    """A reducer that failed."""

    error: str


@case(name="OutOfEnergy")
class OutOfEnergy:
    """A reducer that was stopped."""


UpdateStatus: TypeAlias = Annotated[Committed | Failed | OutOfEnergy, variants("UpdateStatus")]


@record
class ReducerCallInfo:
    """The reducer call behind a transaction."""

    reducer_name: str
    reducer_id: U32
    args: bytes
    request_id: U32


@record
class TransactionUpdate:
    """What a transaction means for a client, and whose it was. `energy_quanta_used` is a number of quanta."""

    status: UpdateStatus
    timestamp: Timestamp
    caller_identity: Identity
    caller_connection_id: ConnectionId
    reducer_call: ReducerCallInfo
    energy_quanta_used: U128
    total_host_execution_duration: TimeDuration


@record
class TransactionUpdateLight:
    """What a transaction means for a client that asked for no more."""

    request_id: U32
    update: DatabaseUpdate


@record
class IdentityToken:
    """Who the client is."""

    identity: Identity
    token: str
    connection_id: ConnectionId


@record
class OneOffTable:
    """Rows that a one-off query returns."""

    table_name: str
    rows: BsatnRowList


@record
class OneOffQueryResponse:
    """The answer to a OneOffQuery."""

    message_id: bytes
    error: str | None
    tables: tuple[OneOffTable, ...]
    total_host_execution_duration: TimeDuration


@record
class SubscribeApplied:
    """The answer to a SubscribeSingle."""

    request_id: U32
    total_host_execution_duration_micros: U64
    query_id: QueryId
    rows: SubscribeRows


@record
class UnsubscribeApplied:
    """The answer to an Unsubscribe."""

    request_id: U32
    total_host_execution_duration_micros: U64
    query_id: QueryId
    rows: SubscribeRows


@record
class SubscriptionError:
    """A subscription is refused, or ends; what a query that returns an event table gets."""

    total_host_execution_duration_micros: U64
    request_id: U32 | None
    query_id: U32 | None
    table_id: U32 | None
    error: str


@record
class SubscribeMultiApplied:
    """The answer to a SubscribeMulti."""

    request_id: U32
    total_host_execution_duration_micros: U64
    query_id: QueryId
    update: DatabaseUpdate


@record
class UnsubscribeMultiApplied:
    """The answer to an UnsubscribeMulti."""

    request_id: U32
    total_host_execution_duration_micros: U64
    query_id: QueryId
    update: DatabaseUpdate


@case(name="Returned")
class ProcedureReturned:
    """The BSATN of what it returned."""

    value: bytes


@case(name="OutOfEnergy")
class ProcedureOutOfEnergy:
    """It was stopped."""


@case(name="InternalError")
class ProcedureInternalError:
    """It failed."""

    error: str


ProcedureStatus: TypeAlias = Annotated[
    ProcedureReturned | ProcedureOutOfEnergy | ProcedureInternalError, variants("ProcedureStatus")
]


@record
class ProcedureResult:
    """The answer to a CallProcedure."""

    status: ProcedureStatus
    timestamp: Timestamp
    total_host_execution_duration: TimeDuration
    request_id: U32


ServerMessage: TypeAlias = Annotated[
    InitialSubscription
    | TransactionUpdate
    | TransactionUpdateLight
    | IdentityToken
    | OneOffQueryResponse
    | SubscribeApplied
    | UnsubscribeApplied
    | SubscriptionError
    | SubscribeMultiApplied
    | UnsubscribeMultiApplied
    | ProcedureResult,
    variants("ServerMessage"),
]
