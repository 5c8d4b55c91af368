"""Answers and updates in the words of version 2. (spec: event-tables 5.1)

An update is grouped by query set, then by table: overlapping queries of a set give one TableUpdate with an entry each, so that
an event comes once for each query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from bsatn.values import Timestamp
from defs.query.sql import SqlError
from defs.schema.table import TableSchema
from defs.store.deliveries.clients import Client
from defs.store.deliveries.queries import Delta
from defs.store.deliveries.updates import Call, Initial, Update, refusal
from defs.store.messages import BsatnRowList, ServerMessage, v2

if TYPE_CHECKING:
    from defs.store.deliveries.subscribers import Subscribers

__all__ = ["ANSWERS", "transaction_update"]

_SET: Final = "set"


def transaction_update(updates: Sequence[Update], call: Call | None) -> ServerMessage:
    """The message for a transaction; for the client whose `call` it was, the answer to that."""
    update = v2.TransactionUpdate(tuple(_query_sets(updates)))
    if call is None:
        return update
    return v2.ReducerResult(call.request_id, Timestamp(call.timestamp), v2.ReducerOk(call.ret_value, update))


def _query_sets(updates: Sequence[Update]) -> Iterable[v2.QuerySetUpdate]:
    grouped: dict[int, dict[str, list[v2.TableUpdateRows]]] = {}
    for one in updates:
        tables = grouped.setdefault(one.key[1], {})
        tables.setdefault(one.table.table_name, []).append(_rows(one.table, one.delta))
    for number, tables in grouped.items():
        yield v2.QuerySetUpdate(
            v2.QuerySetId(number), tuple(v2.TableUpdate(name, tuple(rows)) for name, rows in tables.items())
        )


def _rows(table: TableSchema, delta: Delta) -> v2.TableUpdateRows:
    inserts = BsatnRowList.of(delta.inserts)
    return v2.EventTable(inserts) if table.is_event else v2.PersistentTable(inserts, BsatnRowList.of(delta.deletes))


def _query_rows(found: Iterable[Initial]) -> v2.QueryRows:
    return v2.QueryRows(tuple(v2.SingleTableRows(one.plan.returned.table_name, BsatnRowList.of(one.rows)) for one in found))


def _subscribe(subscribers: Subscribers, client: Client, message: v2.Subscribe) -> ServerMessage:
    number = message.query_set_id
    try:
        found = subscribers.subscribe(client, (_SET, number.id), message.query_strings, "v2")
    except SqlError as error:
        return v2.SubscriptionError(message.request_id, number, refusal(error))
    return v2.SubscribeApplied(message.request_id, number, _query_rows(found))


def _subscribe_batch(subscribers: Subscribers, client: Client, message: v2.SubscribeBatch) -> ServerMessage:
    results = []
    for one in message.sets:
        outcome: v2.BatchOutcome
        try:
            found = subscribers.subscribe(client, (_SET, one.query_set_id.id), one.query_strings, "v2")
            outcome = v2.BatchApplied(_query_rows(found))
        except SqlError as error:
            outcome = v2.BatchError(refusal(error))
        results.append(v2.BatchResult(one.query_set_id, outcome))
    return v2.SubscribeBatchApplied(message.request_id, tuple(results))


def _unsubscribe(subscribers: Subscribers, client: Client, message: v2.Unsubscribe) -> ServerMessage:
    dropped = subscribers.unsubscribe(client, (_SET, message.query_set_id.id))
    wanted = message.flags is v2.UnsubscribeFlags.SendDroppedRows
    rows = _query_rows(subscribers.initial(dropped)) if wanted else None
    return v2.UnsubscribeApplied(message.request_id, message.query_set_id, rows)


def _one_off(subscribers: Subscribers, client: Client, message: v2.OneOffQuery) -> ServerMessage:
    try:
        plan, rows = subscribers.one_off(client, message.query_string)
    except SqlError as error:
        return v2.OneOffQueryResult(message.request_id, v2.QueryErr(refusal(error)))
    return v2.OneOffQueryResult(message.request_id, v2.QueryOk(_query_rows([Initial(plan, rows)])))


#: By type of message.
ANSWERS: Final[Mapping[type[Any], Callable[[Subscribers, Client, Any], ServerMessage]]] = {
    v2.Subscribe: _subscribe,
    v2.SubscribeBatch: _subscribe_batch,
    v2.Unsubscribe: _unsubscribe,
    v2.OneOffQuery: _one_off,
}
