"""Answers and updates in the words of version 1. (spec: event-tables 5.2)

Version 1 has no way to say that rows are events, so queries that return event tables are refused. An update is grouped by
table; a query that a client subscribed to twice is there once. Durations and energy are 0: nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp
from defs.query.sql import SqlError
from defs.query.sql.checking import Protocol
from defs.store.deliveries.clients import Client, SetKey
from defs.store.deliveries.queries import Delta
from defs.store.deliveries.updates import Call, Initial, Update, refusal
from defs.store.messages import BsatnRowList, ServerMessage, v1

if TYPE_CHECKING:
    from defs.store.deliveries.subscribers import Subscribers

__all__ = ["ANSWERS", "transaction_update"]

_SINGLE, _MULTI, _LEGACY = "single", "multi", "legacy"
_NO_TIME: Final = TimeDuration(0)


def transaction_update(subscribers: Subscribers, updates: Sequence[Update], call: Call | None) -> ServerMessage:
    """The message for a transaction, with the reducer call behind it, if there was one."""
    once = {(one.query.name[0], one.table.table_name): one for one in updates}
    update = _database_update(subscribers, ((one.table.table_name, one.delta) for one in once.values()))
    return v1.TransactionUpdate(
        v1.Committed(update),
        Timestamp(0 if call is None else call.timestamp),
        Identity(0) if call is None else call.client.identity,
        ConnectionId(0) if call is None else call.client.connection_id,
        v1.ReducerCallInfo("", 0, b"", 0)
        if call is None
        else v1.ReducerCallInfo(call.reducer_name, 0, call.args, call.request_id),
        0,
        _NO_TIME,
    )


def _database_update(subscribers: Subscribers, deltas: Iterable[tuple[str, Delta]]) -> v1.DatabaseUpdate:
    grouped: dict[str, list[Delta]] = {}
    for name, delta in deltas:
        grouped.setdefault(name, []).append(delta)
    return v1.DatabaseUpdate(tuple(_table_update(subscribers, name, found) for name, found in grouped.items()))


def _table_update(subscribers: Subscribers, name: str, deltas: Sequence[Delta]) -> v1.TableUpdate:
    return v1.TableUpdate(
        subscribers.table_id(name),
        name,
        sum(len(delta.inserts) + len(delta.deletes) for delta in deltas),
        tuple(
            v1.Uncompressed(v1.QueryUpdate(BsatnRowList.of(delta.deletes), BsatnRowList.of(delta.inserts))) for delta in deltas
        ),
    )


def _inserted(found: Iterable[Initial]) -> Iterable[tuple[str, Delta]]:
    return ((one.plan.returned.table_name, Delta(inserts=one.rows)) for one in found)


def _deleted(found: Iterable[Initial]) -> Iterable[tuple[str, Delta]]:
    return ((one.plan.returned.table_name, Delta(deletes=one.rows)) for one in found)


def _error(error: SqlError, request_id: int, query_id: int | None) -> v1.SubscriptionError:
    return v1.SubscriptionError(0, request_id, query_id, None, refusal(error))


def _single_rows(subscribers: Subscribers, name: str, delta: Delta) -> v1.SubscribeRows:
    """The rows of a SubscribeSingle, which are sent whatever tables are empty."""
    update = _table_update(subscribers, name, [delta])
    return v1.SubscribeRows(update.table_id, name, update)


def _subscribe_single(subscribers: Subscribers, client: Client, message: v1.SubscribeSingle) -> ServerMessage:
    key = _SINGLE, message.query_id.id
    try:
        subscribers.subscribe(client, key, [message.query], "v1_single")
    except SqlError as error:
        return _error(error, message.request_id, message.query_id.id)
    name, rows = subscribers.current(client.sets[key][0])
    rows_sent = _single_rows(subscribers, name, Delta(inserts=rows))
    return v1.SubscribeApplied(message.request_id, 0, message.query_id, rows_sent)


def _unsubscribe(subscribers: Subscribers, client: Client, message: v1.Unsubscribe) -> ServerMessage:
    (query,) = subscribers.unsubscribe(client, (_SINGLE, message.query_id.id))
    name, rows = subscribers.current(query)
    rows_sent = _single_rows(subscribers, name, Delta(deletes=rows))
    return v1.UnsubscribeApplied(message.request_id, 0, message.query_id, rows_sent)


def _subscribe_multi(subscribers: Subscribers, client: Client, message: v1.SubscribeMulti) -> ServerMessage:
    key = _MULTI, message.query_id.id
    try:
        found = subscribers.subscribe(client, key, message.query_strings, "v1")
    except SqlError as error:
        return _error(error, message.request_id, message.query_id.id)
    update = _database_update(subscribers, _inserted(found))
    return v1.SubscribeMultiApplied(message.request_id, 0, message.query_id, update)


def _unsubscribe_multi(subscribers: Subscribers, client: Client, message: v1.UnsubscribeMulti) -> ServerMessage:
    dropped = subscribers.unsubscribe(client, (_MULTI, message.query_id.id))
    update = _database_update(subscribers, _deleted(subscribers.initial(dropped)))
    return v1.UnsubscribeMultiApplied(message.request_id, 0, message.query_id, update)


def _subscribe_legacy(subscribers: Subscribers, client: Client, message: v1.Subscribe) -> ServerMessage:
    """All queries at once, in the place of those of the last such message; that one stays when these are refused."""
    key: SetKey = _LEGACY, 0
    former = client.sets.get(key)
    if former is not None:
        subscribers.unsubscribe(client, key)
    protocol: Protocol = "v2" if subscribers.upstream else "v1"
    try:
        found = subscribers.subscribe(client, key, message.query_strings, protocol)
    except SqlError as error:
        if former is not None:
            subscribers.restore(client, key, former)
        return _error(error, message.request_id, None)
    return v1.InitialSubscription(_database_update(subscribers, _inserted(found)), message.request_id, _NO_TIME)


def _one_off(subscribers: Subscribers, client: Client, message: v1.OneOffQuery) -> ServerMessage:
    try:
        plan, rows = subscribers.one_off(client, message.query_string)
    except SqlError as error:
        return v1.OneOffQueryResponse(message.message_id, refusal(error), (), _NO_TIME)
    table = v1.OneOffTable(plan.returned.table_name, BsatnRowList.of(rows))
    return v1.OneOffQueryResponse(message.message_id, None, (table,), _NO_TIME)


#: By type of message.
ANSWERS: Final[Mapping[type[Any], Callable[[Subscribers, Client, Any], ServerMessage]]] = {
    v1.SubscribeSingle: _subscribe_single,
    v1.SubscribeMulti: _subscribe_multi,
    v1.Subscribe: _subscribe_legacy,
    v1.Unsubscribe: _unsubscribe,
    v1.UnsubscribeMulti: _unsubscribe_multi,
    v1.OneOffQuery: _one_off,
}
