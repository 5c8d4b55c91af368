"""Random tables, transactions and queries: what is sent turns the result before into the result after."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from delivery_cases import EVENT, Question, after, catalog, changes, filled, plan_of, questions

from bsatn import Identity
from defs.query.sql import SqlError
from defs.store.deliveries import Change, Delta, Subscribers, changes_for, initial_rows, is_initial_sent
from defs.store.deliveries.changes import Snapshot
from defs.store.deliveries.pruning import Watch, is_concerned
from defs.store.messages import v2

NO_ONE = Identity(0)
Case = tuple[dict[str, set[bytes]], dict[str, Change]]


def check(case: Case, question: Question) -> bool:
    """Whether the server takes the query; if so its rows are as they must be."""
    before, made = case
    try:
        plan = plan_of(question.sql)
    except SqlError:
        return False
    state = filled(before)
    was = question.answer(*(before[name] for name in question.tables))
    assert Counter(initial_rows(plan, state)) == was
    assert is_initial_sent(plan, state) == all(before[name] for name in question.tables)
    now = after(before, made)
    delta = changes_for(plan, made, filled(now))
    assert not Counter(delta.inserts) & Counter(delta.deletes)
    if EVENT in question.tables:
        check_events(before, made, question, delta)
        return True
    is_now = question.answer(*(now[name] for name in question.tables))
    assert Counter(delta.deletes) <= was + Counter(delta.inserts)
    assert was + Counter(delta.inserts) - Counter(delta.deletes) == is_now
    return True


def check_events(before: dict[str, set[bytes]], made: dict[str, Change], question: Question, delta: Delta) -> None:
    """Each event is there once for each row that it matched before the transaction, and nothing is ever taken away."""
    seen = {**before, EVENT: set(made.get(EVENT, Change()).inserts)}
    assert Counter(delta.inserts) == question.answer(*(seen[name] for name in question.tables))
    assert delta.deletes == ()


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(changes(), questions())
def test_what_is_sent_leads_from_before_to_after(case: Case, question: Question) -> None:
    assume(check(case, question))


@pytest.mark.slow
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(changes(), questions())
def test_what_is_sent_leads_from_before_to_after_at_length(case: Case, question: Question) -> None:
    assume(check(case, question))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(changes(), st.lists(questions(), min_size=1, max_size=6), st.booleans(), st.data())
def test_many_subscribers_get_what_each_query_says(
    case: Case, asked: list[Question], upstream: bool, data: st.DataObject
) -> None:
    """Queries shared, watched and pruned together come to the same as each by itself."""
    before, made = case
    state = filled(before)
    subscribers = Subscribers(catalog(), state, upstream=upstream)
    clients = [subscribers.connect() for _ in range(2)]
    taken: dict[tuple[int, int], list[str]] = {}
    for place, question in enumerate(asked):
        who = data.draw(st.integers(0, 1))
        texts = [question.sql] * data.draw(st.integers(1, 2))
        answer = subscribers.answer(clients[who], v2.Subscribe(0, v2.QuerySetId(place), tuple(texts)))
        if isinstance(answer, v2.SubscribeApplied):
            taken[who, place] = [question.sql]
    filled(after(before, made))
    sent = subscribers.deliver(made)
    for who, client in enumerate(clients):
        want: Counter[Any] = Counter()
        for (owner, place), (sql,) in taken.items():
            plan = plan_of(sql)
            delta = changes_for(plan, made, state, upstream=upstream)
            if owner == who and delta:
                kind = "EventTable" if plan.returned.is_event else "PersistentTable"
                want[place, plan.returned.table_name, kind, tuple(sorted(delta.inserts)), tuple(sorted(delta.deletes))] += 1
        assert received(sent.get(client)) == want


def received(message: Any) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for one in message.query_sets if message is not None else ():
        assert len({table.table_name for table in one.tables}) == len(one.tables)
        for table in one.tables:
            for rows in table.rows:
                if isinstance(rows, v2.EventTable):
                    new, gone = rows.events.rows(), ()
                else:
                    new, gone = rows.inserts.rows(), rows.deletes.rows()
                key: Any = one.query_set_id.id, table.table_name, type(rows).__name__, tuple(sorted(new)), tuple(sorted(gone))
                found[key] += 1
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(changes(), st.lists(questions(), max_size=6))
def test_a_query_that_is_passed_over_has_nothing_to_send(case: Case, asked: list[Question]) -> None:
    before, made = case
    state = filled(after(before, made))
    snapshot = Snapshot(state, made)
    watch: Watch[str] = Watch("by slot")
    plans = {}
    for question in asked:
        try:
            plans[question.sql] = plan_of(question.sql)
        except SqlError:
            continue
        watch.add(question.sql, plans[question.sql], NO_ONE)
    concerned = watch.concerned(snapshot)
    for sql, plan in plans.items():
        assert (sql in concerned) == is_concerned(plan, snapshot, NO_ONE)
        watch.remove(sql, plan, NO_ONE)
    assert not watch.concerned(snapshot)
