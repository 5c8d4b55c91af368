"""Clients, their messages and what they are sent: event tables, query sets, callers, both versions, and what is refused."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from delivery_cases import EVENT, arena, catalog, database, filled, plan_of, row, table_of

from bsatn import ConnectionId, Identity, Timestamp
from bsatn.errors import BsatnError, LimitExceeded
from bsatn.types import BOOL, BYTES, IDENTITY
from defs.query.sql import Plan
from defs.query.sql.plan import Compare, Constant, Parameter
from defs.store.datastore import Datastore
from defs.store.deliveries import (
    DEFECTS,
    Call,
    Change,
    Client,
    Delta,
    Snapshot,
    Subscribers,
    changes_for,
    delta_rows,
    initial_rows,
)
from defs.store.deliveries.conditions import MAX_NESTING, reader, value_of
from defs.store.messages import BsatnRowList, v1, v2
from defs.store.state import Table
from defs.system.errors import StoreError

SET = v2.QuerySetId(7)
ANN, BOB = row("users", 1, 1, 0.0), row("users", 2, 1, 1.5)
RED = row("teams", 1, 1, 0.0)
HIT = row(EVENT, 1, 5, 0.0)
JOIN = "SELECT events.* FROM events JOIN users ON events.user_id = users.id"


@pytest.fixture
def datastore() -> Datastore:
    return database()


def subscribers_of(datastore: Datastore, *, upstream: bool = False) -> Subscribers:
    return Subscribers(catalog(), datastore.state, upstream=upstream)


def inserted(datastore: Datastore, *rows: tuple[str, bytes], deleted: tuple[tuple[str, bytes], ...] = ()) -> Any:
    with datastore.begin() as tx:
        for name, one in rows:
            tx.insert(name, one)
        for name, one in deleted:
            assert tx.delete(name, one)
        return tx.commit()


def applied(subscribers: Subscribers, client: Client, *texts: str, number: int = 7) -> dict[str, tuple[bytes, ...]]:
    answer = subscribers.answer(client, v2.Subscribe(1, v2.QuerySetId(number), texts))
    assert isinstance(answer, v2.SubscribeApplied), answer
    assert (answer.request_id, answer.query_set_id.id) == (1, number)
    return {one.table: one.rows.rows() for one in answer.rows.tables}


def events(*rows: bytes) -> v2.EventTable:
    return v2.EventTable(BsatnRowList.of(rows))


def persistent(inserts: tuple[bytes, ...] = (), deletes: tuple[bytes, ...] = ()) -> v2.PersistentTable:
    return v2.PersistentTable(BsatnRowList.of(inserts), BsatnRowList.of(deletes))


def update(*tables: tuple[str, tuple[v2.TableUpdateRows, ...]], number: int = 7) -> v2.QuerySetUpdate:
    return v2.QuerySetUpdate(v2.QuerySetId(number), tuple(v2.TableUpdate(*one) for one in tables))


# Events ---------------------------------------------------------------------------------------------------------


def test_an_event_comes_once_and_is_not_kept(datastore: Datastore) -> None:
    subscribers = subscribers_of(datastore)
    client = subscribers.connect()
    assert applied(subscribers, client, "SELECT * FROM events") == {}
    sent = subscribers.deliver(inserted(datastore, (EVENT, HIT), (EVENT, HIT)))
    assert sent == {client: v2.TransactionUpdate((update((EVENT, (events(HIT),))),))}
    assert len(table_of(datastore.state, EVENT)) == 0
    assert subscribers.deliver(inserted(datastore, ("users", ANN))) == {}
    assert applied(subscribers, client, "SELECT * FROM events", number=8) == {}


@pytest.mark.parametrize(
    ("before", "inserts", "deletes", "delivered"),
    [
        ((), (ANN,), (), 0),  # the matching row comes along with the event
        ((ANN,), (), (ANN,), 1),  # it goes
        ((ANN,), (row("users", 1, 9, 9.0),), (ANN,), 1),  # it changes
        ((ANN,), (), (), 1),  # it stays
        ((BOB,), (), (), 0),  # there is none
        ((ANN, row("users", 1, 2, 2.0)), (), (), 2),  # there are two
    ],
)
def test_events_join_what_was_there_before(
    datastore: Datastore, before: tuple[bytes, ...], inserts: tuple[bytes, ...], deletes: tuple[bytes, ...], delivered: int
) -> None:
    """(spec: event-tables 1.9)"""
    inserted(datastore, *(("users", one) for one in before))
    subscribers = subscribers_of(datastore)
    hits, users = subscribers.connect(), subscribers.connect()
    applied(subscribers, hits, JOIN)
    applied(subscribers, users, JOIN.replace("events.*", "users.*"))
    commit = inserted(
        datastore, (EVENT, HIT), *(("users", one) for one in inserts), deleted=tuple(("users", one) for one in deletes)
    )
    sent = subscribers.deliver(commit)
    if not delivered:
        assert sent == {}
        return
    assert sent[hits] == v2.TransactionUpdate((update((EVENT, (events(*[HIT] * delivered),))),))
    old = [one for one in before if one != BOB]
    assert sent[users] == v2.TransactionUpdate((update(("users", (persistent(tuple(old)),))),))


def test_everything_leaves_event_tables_and_private_ones_out(datastore: Datastore) -> None:
    inserted(datastore, ("users", ANN), ("secrets", row("secrets", 1)))
    subscribers = subscribers_of(datastore)
    client, owner = subscribers.connect(), subscribers.connect(caller="owner")
    assert applied(subscribers, client, " select * FROM * ") == {"users": (ANN,)}
    assert set(applied(subscribers, owner, "SELECT * FROM *")) == {"users", "secrets"}
    assert subscribers.deliver(inserted(datastore, (EVENT, HIT))) == {}
    sent = subscribers.deliver(inserted(datastore, ("teams", RED), ("secrets", row("secrets", 2))))
    assert sent[client] == v2.TransactionUpdate((update(("teams", (persistent((RED,)),))),))
    assert len(sent[owner].query_sets[0].tables) == 2  # type: ignore[union-attr]


# Grouping -------------------------------------------------------------------------------------------------------


def test_updates_are_grouped_by_client_set_and_table(datastore: Datastore) -> None:
    subscribers = subscribers_of(datastore)
    client, other, idle = (subscribers.connect() for _ in range(3))
    both = "SELECT * FROM events", "SELECT * FROM events WHERE n = 5"
    applied(subscribers, client, *both, both[0], "SELECT * FROM users", number=1)
    applied(subscribers, client, both[0], number=2)
    applied(subscribers, other, both[1], number=1)
    applied(subscribers, idle, "SELECT * FROM events WHERE n = 6", number=1)
    sent = subscribers.deliver(inserted(datastore, (EVENT, HIT), ("users", ANN)))
    assert set(sent) == {client, other}
    assert sent[other] == v2.TransactionUpdate((update((EVENT, (events(HIT),)), number=1),))
    sets = {one.query_set_id.id: {table.table_name: table.rows for table in one.tables} for one in sent[client].query_sets}  # type: ignore[union-attr]
    assert sets == {1: {EVENT: (events(HIT),) * 2, "users": (persistent((ANN,)),)}, 2: {EVENT: (events(HIT),)}}


def test_the_caller_gets_its_rows_in_the_answer_to_its_call(datastore: Datastore) -> None:
    subscribers = subscribers_of(datastore)
    caller, other = subscribers.connect(), subscribers.connect()
    for client in (caller, other):
        applied(subscribers, client, "SELECT * FROM users")
    call = Call(caller, request_id=3, timestamp=Timestamp(9), ret_value=b"ret")
    sent = subscribers.deliver(inserted(datastore, ("users", ANN)), call)
    rows = v2.TransactionUpdate((update(("users", (persistent((ANN,)),))),))
    assert sent == {caller: v2.ReducerResult(3, Timestamp(9), v2.ReducerOk(b"ret", rows)), other: rows}
    assert subscribers.deliver({}, call) == {
        caller: v2.ReducerResult(3, Timestamp(9), v2.ReducerOk(b"ret", v2.TransactionUpdate(())))
    }


def test_sender_is_each_clients_own(datastore: Datastore) -> None:
    """Queries with `:sender` are shared between connections of one identity, and no others."""
    subscribers = subscribers_of(datastore)
    first, second, other = subscribers.connect(1), subscribers.connect(1), subscribers.connect(2)
    for client in (first, second, other):
        applied(subscribers, client, "SELECT * FROM notes WHERE owner = :sender")
    sent = subscribers.deliver(inserted(datastore, ("notes", row("notes", 1, 5))))
    assert set(sent) == {first, second}
    sent = subscribers.deliver(inserted(datastore, ("notes", row("notes", 2, 6)), ("notes", row("notes", 3, 6))))
    assert sent == {other: v2.TransactionUpdate((update(("notes", (persistent((row("notes", 2, 6),)),))),))}
    answer = subscribers.answer(other, v2.OneOffQuery(1, "SELECT * FROM notes WHERE owner <> :sender"))
    assert isinstance(answer, v2.OneOffQueryResult)
    assert isinstance(answer.result, v2.QueryOk)
    assert len(answer.result.rows.tables[0].rows) == 2


def test_what_sender_is() -> None:
    who = Identity.from_hex("00" * 31 + "0a")
    assert value_of(Parameter("sender", IDENTITY), who) == 10
    assert value_of(Parameter("sender", BYTES), who) == bytes(31) + b"\x0a"


def test_unsubscribing_ends_it(datastore: Datastore) -> None:
    inserted(datastore, ("users", ANN))
    subscribers = subscribers_of(datastore)
    client, other = subscribers.connect(), subscribers.connect()
    for one in (client, other):
        applied(subscribers, one, "SELECT * FROM users", "SELECT * FROM users WHERE id = 1")
    wanted = v2.Unsubscribe(2, SET, v2.UnsubscribeFlags.SendDroppedRows)
    rows = v2.QueryRows((v2.SingleTableRows("users", BsatnRowList.of([ANN])),) * 2)
    assert subscribers.answer(client, wanted) == v2.UnsubscribeApplied(2, SET, rows)
    assert set(subscribers.deliver(inserted(datastore, ("users", BOB)))) == {other}
    assert subscribers.answer(other, v2.Unsubscribe(2, SET)) == v2.UnsubscribeApplied(2, SET, None)
    assert subscribers.deliver(inserted(datastore, ("users", row("users", 3, 3, 3.0)))) == {}
    assert len(applied(subscribers, client, "SELECT * FROM users")["users"]) == 3
    subscribers.disconnect(client)
    assert subscribers.deliver(inserted(datastore, ("users", row("users", 4, 3, 3.0)))) == {}
    with pytest.raises(StoreError) as caught:
        subscribers.answer(client, wanted)
    assert caught.value.kind == "ClientNotFound"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (v2.Subscribe(1, SET, ("SELECT * FROM users",)), "QuerySetExists"),
        (v2.Unsubscribe(1, v2.QuerySetId(8)), "QuerySetNotFound"),
        (v2.CallReducer(1, 0, "say", b""), "NotAnswered"),
        (v1.SubscribeSingle("SELECT * FROM users", 1, v1.QueryId(1)), "NotAnswered"),
    ],
)
def test_what_cannot_be_answered(datastore: Datastore, message: Any, kind: str) -> None:
    subscribers = subscribers_of(datastore)
    client = subscribers.connect()
    applied(subscribers, client, "SELECT * FROM users")
    with pytest.raises(StoreError) as caught:
        subscribers.answer(client, message)
    assert caught.value.kind == kind


def test_a_set_with_a_query_that_is_refused_is_not_subscribed_to(datastore: Datastore) -> None:
    subscribers = subscribers_of(datastore)
    client = subscribers.connect()
    lookup = "SELECT users.* FROM users JOIN events ON users.id = events.user_id"
    message = "Event tables cannot be used as the lookup table in subscription joins"
    answer = subscribers.answer(client, v2.Subscribe(1, SET, ("SELECT * FROM users", lookup)))
    assert answer == v2.SubscriptionError(1, SET, f"{message}, executing: `{lookup}`")
    assert subscribers.deliver(inserted(datastore, ("users", ANN))) == {}
    batch = v2.SubscribeBatch(2, (v2.QuerySetQueries(SET, (lookup,)), v2.QuerySetQueries(SET, ("SELECT * FROM users",))))
    rows = v2.QueryRows((v2.SingleTableRows("users", BsatnRowList.of([ANN])),))
    refused = v2.BatchResult(SET, v2.BatchError(f"{message}, executing: `{lookup}`"))
    expected = v2.SubscribeBatchApplied(2, (refused, v2.BatchResult(SET, v2.BatchApplied(rows))))
    assert subscribers.answer(client, batch) == expected


def test_one_off_queries(datastore: Datastore) -> None:
    inserted(datastore, ("users", ANN), ("users", BOB), ("teams", RED), (EVENT, HIT))
    subscribers = subscribers_of(datastore)
    client, old = subscribers.connect(), subscribers.connect(protocol="v1")

    def asked(sql: str) -> Any:
        answer = subscribers.answer(client, v2.OneOffQuery(1, sql))
        assert isinstance(answer, v2.OneOffQueryResult)
        also = subscribers.answer(old, v1.OneOffQuery(b"id", sql))
        assert isinstance(also, v1.OneOffQueryResponse)
        if isinstance(answer.result, v2.QueryErr):
            assert also.error == answer.result.error
            return answer.result.error
        assert [one.rows for one in also.tables] == [one.rows for one in answer.result.rows.tables]
        return sorted(answer.result.rows.tables[0].rows.rows())

    assert asked("SELECT * FROM events") == []
    assert asked("SELECT u.* FROM users u JOIN teams t WHERE u.id = 1") == [ANN]
    assert asked("SELECT u.* FROM users u JOIN teams t ON u.team = t.id JOIN users v ON v.id = t.boss") == [ANN, BOB]
    assert asked("SELECT * FROM nowhere").startswith("no such table")


# Version 1 ------------------------------------------------------------------------------------------------------

REFUSED = (
    "Subscribing to event tables requires WebSocket v2. Please upgrade your client SDK and regenerate your module bindings."
)


@pytest.mark.parametrize("upstream", [False, True])
def test_version_1_refuses_events(datastore: Datastore, upstream: bool) -> None:
    subscribers = subscribers_of(datastore, upstream=upstream)
    client = subscribers.connect(protocol="v1")
    sql = "SELECT * FROM events"
    single = subscribers.answer(client, v1.SubscribeSingle(sql, 1, v1.QueryId(2)))
    assert single == v1.SubscriptionError(0, 1, 2, None, REFUSED)
    assert subscribers.answer(client, v1.SubscribeMulti((sql,), 1, v1.QueryId(2))) == single
    legacy = subscribers.answer(client, v1.Subscribe((sql,), 1))
    if upstream:
        assert isinstance(legacy, v1.InitialSubscription)
    else:
        assert legacy == v1.SubscriptionError(0, 1, None, None, REFUSED)
    assert (client in subscribers.deliver(inserted(datastore, (EVENT, HIT)))) == upstream


def test_version_1(datastore: Datastore) -> None:
    inserted(datastore, ("users", ANN))
    subscribers = subscribers_of(datastore)
    client, caller = subscribers.connect(5, protocol="v1"), subscribers.connect(6, protocol="v1")
    number = table_of(datastore.state, "users").schema.table_id

    def table(inserts: tuple[bytes, ...], deletes: tuple[bytes, ...] = (), copies: int = 1) -> v1.TableUpdate:
        rows = v1.Uncompressed(v1.QueryUpdate(BsatnRowList.of(deletes), BsatnRowList.of(inserts)))
        return v1.TableUpdate(number, "users", copies * (len(inserts) + len(deletes)), (rows,) * copies)

    single = subscribers.answer(client, v1.SubscribeSingle("SELECT * FROM users", 1, v1.QueryId(2)))
    assert single == v1.SubscribeApplied(1, 0, v1.QueryId(2), v1.SubscribeRows(number, "users", table((ANN,))))
    both = ("SELECT * FROM users", "SELECT * FROM users WHERE id <> 1", "SELECT * FROM teams")
    multi = subscribers.answer(client, v1.SubscribeMulti(both, 1, v1.QueryId(3)))
    assert isinstance(multi, v1.SubscribeMultiApplied)
    assert [(one.table_name, one.num_rows, len(one.updates)) for one in multi.update.tables] == [("users", 1, 2)]
    legacy = subscribers.answer(caller, v1.Subscribe(("SELECT * FROM users",), 1))
    assert isinstance(legacy, v1.InitialSubscription)
    refused = subscribers.answer(caller, v1.Subscribe(("SELECT * FROM nowhere",), 1))
    assert isinstance(refused, v1.SubscriptionError)

    call = Call(caller, 4, "join", b"args", 9)
    sent = subscribers.deliver(inserted(datastore, ("users", BOB)), call)
    assert set(sent) == {client, caller}
    for who, copies in ((client, 2), (caller, 1)):
        message = sent[who]
        assert isinstance(message, v1.TransactionUpdate)
        assert message.status == v1.Committed(v1.DatabaseUpdate((table((BOB,), copies=copies),)))
        assert (message.caller_identity, message.caller_connection_id) == (Identity(6), ConnectionId(2))
        assert message.reducer_call == v1.ReducerCallInfo("join", 0, b"args", 4)
    dropped = subscribers.answer(client, v1.Unsubscribe(5, v1.QueryId(2)))
    assert dropped == v1.UnsubscribeApplied(5, 0, v1.QueryId(2), v1.SubscribeRows(number, "users", table((), (ANN, BOB))))
    gone = subscribers.answer(client, v1.UnsubscribeMulti(5, v1.QueryId(3)))
    assert isinstance(gone, v1.UnsubscribeMultiApplied)
    assert [one.num_rows for one in gone.update.tables] == [3]
    subscribers.answer(caller, v1.Subscribe(("SELECT * FROM teams",), 1))
    assert subscribers.deliver(inserted(datastore, deleted=(("users", BOB),))) == {}


# Defects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("upstream", [False, True])
def test_the_server_misses_changes_of_the_other_alias(datastore: Datastore, upstream: bool) -> None:
    """(spec: event-tables 1.9)"""
    inserted(datastore, ("users", row("users", 2, 1, 0.0)))
    subscribers = subscribers_of(datastore, upstream=upstream)
    client = subscribers.connect()
    applied(subscribers, client, "SELECT r.* FROM users AS l JOIN users AS r ON l.team = r.id WHERE l.id = 2")
    sent = subscribers.deliver(inserted(datastore, ("users", ANN)))
    rows = v2.TransactionUpdate((update(("users", (persistent((ANN,)),))),))
    assert sent == ({} if upstream else {client: rows})


def test_defects_are_named_once_each() -> None:
    names = [one.name for one in DEFECTS]
    assert len(set(names)) == len(names) == 5
    assert [one.name for one in DEFECTS if not one.is_repeated] == ["self-join-pruning", "legacy-subscribe-events"]


# Bounds ---------------------------------------------------------------------------------------------------------


def test_a_join_that_would_never_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defs.store.deliveries.evaluation.MAX_PAIRS", 1000)
    same = {row("users", number, 1, 0.0) for number in range(40)}
    state = filled({"users": same, "teams": set(), EVENT: set()})
    sql = "SELECT l.* FROM users l JOIN users r ON l.team = r.team"
    with pytest.raises(LimitExceeded) as caught:
        initial_rows(plan_of(sql), state)
    assert caught.value.limit == "pairs"
    assert len(initial_rows(plan_of(f"{sql} WHERE l.id = 1"), state)) == 40


def test_conditions_nested_too_deep_are_refused() -> None:
    condition: Any = Constant(True, BOOL)
    for _ in range(MAX_NESTING + 1):
        condition = Compare("=", condition, Constant(True, BOOL))
    with pytest.raises(LimitExceeded):
        reader(condition, {}, Identity(0))
    assert reader(condition.left, {}, Identity(0))(()) is True


def test_a_table_that_is_not_the_querys_is_refused() -> None:
    plan = plan_of("SELECT * FROM users")
    with Datastore.create() as empty, pytest.raises(StoreError) as missing:
        initial_rows(plan, empty.state)
    assert missing.value.kind == "TableNotFound"
    datastore = database()
    users = table_of(datastore.state, "users")
    users.relayout(table_of(datastore.state, "secrets").schema)
    with pytest.raises(StoreError) as changed:
        changes_for(plan, {"users": Change((ANN,))}, datastore.state)
    assert changed.value.kind == "LayoutChanged"
    assert isinstance(changed.value, BsatnError)


def test_a_small_change_of_a_large_join_looks_at_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes find what joins it: no table is gone through, let alone for each row of another one."""
    count = 20_000
    large = {
        "users": {row("users", number, number % 1000, 0.0) for number in range(count)},
        "teams": {row("teams", number, number, 0.0) for number in range(count)},
        EVENT: set[bytes](),
    }
    state = filled(large)
    plans = [
        plan_of("SELECT u.* FROM users u JOIN teams t ON u.id = t.boss WHERE t.score = 0.0"),
        plan_of("SELECT e.* FROM events e JOIN users u ON e.user_id = u.id"),
        plan_of("SELECT * FROM users WHERE id = 5"),
    ]
    made = {"users": Change((row("users", 7, 1, 9.0),)), EVENT: Change((row(EVENT, 7, 1, 0.0),))}
    table_of(state, "users").insert(made["users"].inserts[0])
    for plan in plans:
        changes_for(plan, made, state)  # builds the indexes
    gone_through = Table.__iter__

    def small(table: Table) -> Iterator[bytes]:
        assert len(table) < 1000
        return gone_through(table)

    monkeypatch.setattr(Table, "__iter__", small)
    monkeypatch.setattr("defs.store.deliveries.evaluation.MAX_PAIRS", 10)
    found = [changes_for(plan, made, state) for plan in plans]
    assert [len(delta.inserts) for delta in found] == [1, 1, 0]
    with pytest.raises(AssertionError):
        initial_rows(plan_of("SELECT * FROM users"), state)


def test_only_the_queries_that_are_concerned_are_evaluated(datastore: Datastore, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribers = subscribers_of(datastore)
    clients = [subscribers.connect() for _ in range(300)]
    for number, client in enumerate(clients):
        applied(subscribers, client, f"SELECT * FROM users WHERE id = {number // 3}")
    evaluated = []

    def noted(plan: Plan, snapshot: Snapshot, sender: Identity) -> Delta:
        evaluated.append(plan)
        return delta_rows(plan, snapshot, sender)

    monkeypatch.setattr("defs.store.deliveries.subscribers.delta_rows", noted)
    assert set(subscribers.deliver(inserted(datastore, ("users", ANN)))) == set(clients[3:6])
    assert len(evaluated) == 1


def test_the_module_may_be_given_as_it_is(datastore: Datastore) -> None:
    subscribers = Subscribers(arena(), datastore.state)
    assert applied(subscribers, subscribers.connect(), "SELECT * FROM users") == {}
