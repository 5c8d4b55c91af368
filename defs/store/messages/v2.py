"""Messages of version 2 of the websocket protocol, which version 3 sends several to a frame. (spec: event-tables 5.1)

Fields stand in wire order; the order of the classes in `ClientMessage` and `ServerMessage` is that of their tags. Tables go by
name. Timestamps are microseconds, although upstream's comments say otherwise.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, TypeAlias

from bsatn.annotations import U8, U32
from bsatn.records import case, record, variants
from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp
from defs.store.messages.rowlist import BsatnRowList

__all__ = [
    "BatchApplied",
    "BatchError",
    "BatchOutcome",
    "BatchResult",
    "CallProcedure",
    "CallReducer",
    "ClientMessage",
    "EventTable",
    "InitialConnection",
    "OneOffQuery",
    "OneOffQueryResult",
    "PersistentTable",
    "ProcedureInternalError",
    "ProcedureResult",
    "ProcedureReturned",
    "ProcedureStatus",
    "QueryErr",
    "QueryOk",
    "QueryResult",
    "QueryRows",
    "QuerySetId",
    "QuerySetQueries",
    "QuerySetUpdate",
    "ReducerErr",
    "ReducerInternalError",
    "ReducerOk",
    "ReducerOkEmpty",
    "ReducerOutcome",
    "ReducerResult",
    "ServerMessage",
    "SingleTableRows",
    "Subscribe",
    "SubscribeApplied",
    "SubscribeBatch",
    "SubscribeBatchApplied",
    "SubscriptionError",
    "TableUpdate",
    "TableUpdateRows",
    "TransactionUpdate",
    "Unsubscribe",
    "UnsubscribeApplied",
    "UnsubscribeFlags",
]


@record
class QuerySetId:
    """A client's number for queries that it subscribed to together."""

    id: U32


# What clients send ------------------------------------------------------------------------------------------


@record
class Subscribe:
    """Subscribe to queries together, as one set."""

    request_id: U32
    query_set_id: QuerySetId
    query_strings: tuple[str, ...]


class UnsubscribeFlags(Enum):
    """Whether the rows that the client loses are to be sent."""

    Default = 0
    SendDroppedRows = 1


@record
class Unsubscribe:
    """Drop a query set."""

    request_id: U32
    query_set_id: QuerySetId
    flags: UnsubscribeFlags = UnsubscribeFlags.Default


@record
class OneOffQuery:
    """Ask once."""

    request_id: U32
    query_string: str


@record
class CallReducer:
    """Call a reducer; `args` is the BSATN of the product of its arguments."""

    request_id: U32
    flags: U8
    reducer: str
    args: bytes


@record
class CallProcedure:
    """Call a procedure; `args` is the BSATN of the product of its arguments."""

    request_id: U32
    flags: U8
    procedure: str
    args: bytes


@record
class QuerySetQueries:
    """One set of a SubscribeBatch."""

    query_set_id: QuerySetId
    query_strings: tuple[str, ...]


@record
class SubscribeBatch:
    """Subscribe to several sets."""

    request_id: U32
    sets: tuple[QuerySetQueries, ...]


ClientMessage: TypeAlias = Annotated[
    Subscribe | Unsubscribe | OneOffQuery | CallReducer | CallProcedure | SubscribeBatch, variants("ClientMessage")
]


# Rows -------------------------------------------------------------------------------------------------------


@record
class SingleTableRows:
    """Rows that a query returns."""

    table: str
    rows: BsatnRowList


@record
class QueryRows:
    """What queries return, each by itself; a table may be there several times."""

    tables: tuple[SingleTableRows, ...]


@record
class PersistentTable:
    """What a transaction added to the result of a query, and took from it."""

    inserts: BsatnRowList
    deletes: BsatnRowList


@record
class EventTable:
    """The events of a transaction: rows that nobody keeps."""

    events: BsatnRowList


TableUpdateRows: TypeAlias = Annotated[PersistentTable | EventTable, variants("TableUpdateRows")]


@record
class TableUpdate:
    """What a transaction means for the queries of a set that return one table, an entry for each."""

    table_name: str
    rows: tuple[TableUpdateRows, ...]


@record
class QuerySetUpdate:
    """What a transaction means for one query set."""

    query_set_id: QuerySetId
    tables: tuple[TableUpdate, ...]


# What the server sends --------------------------------------------------------------------------------------


@record
class InitialConnection:
    """Who the client is."""

    identity: Identity
    connection_id: ConnectionId
    token: str


@record
class SubscribeApplied:
    """A query set is subscribed to; `rows` are those it has at first."""

    request_id: U32
    query_set_id: QuerySetId
    rows: QueryRows


@record
class UnsubscribeApplied:
    """A query set is dropped; `rows` only if they were asked for."""

    request_id: U32
    query_set_id: QuerySetId
    rows: QueryRows | None


@record
class SubscriptionError:
    """A query set is not, or no longer, subscribed to."""

    request_id: U32 | None
    query_set_id: QuerySetId
    error: str


@record
class TransactionUpdate:
    """What a transaction means for a client."""

    query_sets: tuple[QuerySetUpdate, ...]


@case(name="ok")
class QueryOk:
    """The rows."""

    rows: QueryRows


@case(name="err")
class QueryErr:
    """Why there are none."""

    error: str


QueryResult: TypeAlias = Annotated[QueryOk | QueryErr, variants("Result")]


@record
class OneOffQueryResult:
    """The answer to a OneOffQuery."""

    request_id: U32
    result: QueryResult


@record(name="Ok")
class ReducerOk:
    """It committed; the caller's rows come here, and in no other message."""

    ret_value: bytes
    transaction_update: TransactionUpdate


@case(name="OkEmpty")
class ReducerOkEmpty:
    """It committed, and there is nothing to say. The server reads it, and never sends it."""


@case(name="Err")
class ReducerErr:
    """It returned an error: the BSATN of it."""

    error: bytes


@case(name="InternalError")
class ReducerInternalError:
    """It failed."""

    error: str


ReducerOutcome: TypeAlias = Annotated[
    ReducerOk | ReducerOkEmpty | ReducerErr | ReducerInternalError, variants("ReducerOutcome")
]


@record
class ReducerResult:
    """The answer to a CallReducer."""

    request_id: U32
    timestamp: Timestamp
    result: ReducerOutcome


@case(name="Returned")
class ProcedureReturned:
    """The BSATN of what it returned."""

    value: bytes


@case(name="InternalError")
class ProcedureInternalError:
    """It failed."""

    error: str


ProcedureStatus: TypeAlias = Annotated[ProcedureReturned | ProcedureInternalError, variants("ProcedureStatus")]


@record
class ProcedureResult:
    """The answer to a CallProcedure."""

    status: ProcedureStatus
    timestamp: Timestamp
    total_host_execution_duration: TimeDuration
    request_id: U32


@case(name="Applied")
class BatchApplied:
    """The set is subscribed to."""

    rows: QueryRows


@case(name="Error")
class BatchError:
    """The set is not subscribed to."""

    error: str


BatchOutcome: TypeAlias = Annotated[BatchApplied | BatchError, variants("SubscribeBatchOutcome")]


@record
class BatchResult:
    """What became of one set of a SubscribeBatch."""

    query_set_id: QuerySetId
    outcome: BatchOutcome


@record
class SubscribeBatchApplied:
    """The answer to a SubscribeBatch."""

    request_id: U32
    results: tuple[BatchResult, ...]


ServerMessage: TypeAlias = Annotated[
    InitialConnection
    | SubscribeApplied
    | UnsubscribeApplied
    | SubscriptionError
    | TransactionUpdate
    | OneOffQueryResult
    | ReducerResult
    | ProcedureResult
    | SubscribeBatchApplied,
    variants("ServerMessage"),
]
