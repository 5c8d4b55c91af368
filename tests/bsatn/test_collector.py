"""The collector's pause: what is made in it is old afterwards, and garbage does not pile up for that."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from bsatn import collector
from bsatn.collector import collector_paused

pytestmark = pytest.mark.skipif(not collector._Books().usable, reason="a collector of another kind")

MANY = 5_000  #: more than the first threshold


class Node:
    """Part of a cycle with itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.me = self
        self.rows: list[Any] = []


@pytest.fixture(autouse=True)
def books(monkeypatch: pytest.MonkeyPatch) -> Iterator[collector._Books]:
    """Fresh books, nothing young, and CPython's usual thresholds; all put back."""
    monkeypatch.setattr(collector, "_BOOKS", collector._Books())
    was, thresholds = gc.isenabled(), gc.get_threshold()
    gc.enable()
    gc.set_threshold(700, 10, 10)
    gc.collect()
    yield collector._BOOKS
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    (gc.enable if was else gc.disable)()


def make(count: int = MANY) -> list[list[int]]:
    with collector_paused():
        return [[index] for index in range(count)]


def is_young(value: object) -> bool:
    return any(one is value for generation in (0, 1) for one in gc.get_objects(generation))


def test_what_is_made_is_old_and_nothing_is_frozen() -> None:
    made = make()
    assert not is_young(made[0])
    assert not is_young(made[-1])
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()


def test_little_stays_young(books: collector._Books) -> None:
    assert is_young(make(100)[0])
    assert books.made == 0


def test_what_is_made_in_vain_stays_young() -> None:
    kept: list[list[int]] = []

    def work() -> None:
        with collector_paused():
            kept.extend([index] for index in range(MANY))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert gc.isenabled()
    assert is_young(kept[0])
    assert collector._BOOKS.made == 0


@pytest.mark.parametrize("generation", [0, 1])
def test_garbage_made_before_is_found_when_the_work_begins(generation: int) -> None:
    gc.set_threshold(100_000, 10, 10)
    node = Node()
    if generation:
        gc.collect(0)
    found = weakref.ref(node)
    del node
    assert found() is not None
    with collector_paused():
        assert found() is None


@pytest.mark.parametrize("when", ["before", "after"])
def test_garbage_between_works_does_not_pile_up(monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """Old garbage, which holds rows, is found after so much was made; young garbage, at once."""
    monkeypatch.setattr(collector, "GROWTH", 0)
    monkeypatch.setattr(collector, "SPARE", 5 * MANY)
    alive: set[weakref.ref[Node]] = set()
    most = 0
    for _ in range(60):
        node = Node() if when == "before" else None
        rows = make()
        node = node or Node()
        node.rows = rows
        alive.add(weakref.ref(node, alive.discard))
        del node, rows
        most = max(most, len(alive))
    assert most <= {"before": 8, "after": 2}[when]


def test_full_collections_are_far_apart(monkeypatch: pytest.MonkeyPatch, books: collector._Books) -> None:
    """So that what is walked is less than what is made, however much is kept."""
    monkeypatch.setattr(collector, "SPARE", 50 * MANY)
    kept: list[Any] = []
    fulls = [gc.get_stats()[2]["collections"]]
    for _ in range(120):
        kept.append(make())
        fulls.append(gc.get_stats()[2]["collections"])
    assert fulls[-1] - fulls[0] == 1
    first = fulls.index(fulls[0] + 1) - 1  # so many works were done by then
    assert first * MANY > collector.SPARE // 2
    assert books.alive > first * MANY
    assert 10 * books.made < 13 * (120 - first) * MANY


def test_what_was_made_between_works_is_counted(books: collector._Books) -> None:
    make()
    first = books.made
    kept = [[index] for index in range(10 * MANY)]  # CPython's own collections walk these
    make()
    assert books.made - first >= len(kept) // 2


@pytest.mark.parametrize("when", ["before", "meanwhile", "when a full collection is due"])
def test_what_a_program_froze_stays_frozen(books: collector._Books, when: str) -> None:
    if when == "meanwhile":
        with collector_paused():
            gc.freeze()
            made = [[index] for index in range(MANY)]
        assert is_young(made[0])
    else:
        gc.freeze()
        books.made = 0 if when == "before" else collector.SPARE + 1
        make()
    frozen = gc.get_freeze_count()
    assert frozen > MANY
    assert is_young(make()[0])
    assert gc.get_freeze_count() == frozen
    assert not books.usable


@pytest.mark.parametrize("thresholds", [(0, 10, 10), (700, 0, 10), (700, 10, 0)])
def test_a_threshold_of_zero_is_respected(thresholds: tuple[int, int, int]) -> None:
    gc.set_threshold(*thresholds)
    found = weakref.ref(Node())
    made = make()
    assert found() is not None or thresholds[0]
    gc.disable()
    assert is_young(made[0]) or thresholds[0]
    assert collector._BOOKS.made == 0


def test_where_the_collector_is_off_nothing_is_done() -> None:
    gc.disable()
    found = weakref.ref(Node())
    made = make()
    assert found() is not None
    assert is_young(made[0])
    assert not gc.isenabled()


def test_one_pause_within_another() -> None:
    with collector_paused():
        made = make()
        assert not gc.isenabled()
        assert collector._BOOKS.made == 0
    assert gc.isenabled()
    assert not is_young(made[0])
    assert collector._BOOKS.made > 0


def test_work_within_a_collection() -> None:
    """A finalizer may decode, whatever the collection that found it."""
    made: list[object] = []

    class Last(Node):
        def __del__(self) -> None:
            made.append(make()[-1])

    Last()
    assert make()
    gc.collect()
    assert len(made) == 1
    assert gc.get_freeze_count() == 0
    assert make()


def test_threads_leave_the_collector_on() -> None:
    def work() -> None:
        for _ in range(30):
            assert len(make()) == MANY

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert collector._BOOKS.usable
    assert not is_young(make()[0])
