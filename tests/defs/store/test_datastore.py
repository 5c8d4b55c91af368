"""A database and its log: created, opened, appended to, failing; and random work against a naive model of it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as hs
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bsatn import types as t
from defs.store.commitlog import LogError, Writer
from defs.store.datastore import Datastore
from defs.store.reading import Transaction as LoggedTransaction
from defs.store.reading import read_transactions
from defs.store.replay import ReplayError
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.transaction import Transaction
from defs.store.txdata import CONNECTED, ReducerCall
from defs.system.errors import StoreError

sys.path.insert(0, str(Path(__file__).parent))

from datastore_cases import PING, PLAYER, check_replay, columns_of, contents, made, new, rows, table
from log_cases import ROOT


def test_a_new_log_begins_as_the_reference_does(tmp_path: Path) -> None:
    Datastore.create(tmp_path, fsync=False).close()
    (written,) = tmp_path.glob("*.log")
    assert (ROOT / "plain" / written.name).read_bytes().startswith(written.read_bytes())
    assert written.stat().st_size == 10 + 26 + 8869


def test_a_database_goes_on_where_its_log_ends(tmp_path: Path) -> None:
    datastore = new(PLAYER, PING, directory=tmp_path)
    with datastore.begin() as tx:
        tx.insert("player", (0, "ann"))
        tx.commit()
    before = contents(datastore.state)
    datastore.close()
    with Datastore.open(tmp_path, fsync=False) as reopened:
        assert contents(reopened.state) == before
        with reopened.begin(ReducerCall("join")) as tx:
            assert tx.insert("player", (0, "bob")) == (2, "bob")
            tx.insert("ping", (5,))
            assert tx.commit().tx_offset == 3
        check_replay(reopened, tmp_path)


def test_a_log_is_not_created_over_another_nor_opened_twice(tmp_path: Path) -> None:
    datastore = Datastore.create(tmp_path, fsync=False)
    with pytest.raises(LogError):
        Datastore.open(tmp_path)
    datastore.close()
    with pytest.raises(StoreError, match="has a log already; open it, or take another directory"):
        Datastore.create(tmp_path)
    Datastore.open(tmp_path, fsync=False).close()


def test_what_is_no_log_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(LogError):
        Datastore.open(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()


def test_an_empty_log_gets_its_first_transaction(tmp_path: Path) -> None:
    Writer(tmp_path, fsync=False).close()
    with Datastore.open(tmp_path, fsync=False) as datastore:
        made(datastore, PING)
        check_replay(datastore, tmp_path)


def test_a_damaged_log_is_not_opened_and_not_touched(tmp_path: Path) -> None:
    new(PLAYER, directory=tmp_path).close()
    (path,) = tmp_path.glob("*.log")
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ReplayError, match="checksum"):
        Datastore.open(tmp_path)
    assert path.read_bytes() == damaged


def test_a_commit_that_cannot_be_logged_does_not_happen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datastore = new(PLAYER, directory=tmp_path)
    before = contents(datastore.state)

    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    tx = datastore.begin()
    tx.insert("player", (0, "ann"))
    monkeypatch.setattr(Writer, "_sync", full)
    with pytest.raises(LogError, match="No space left"):
        tx.commit()
    assert tx.outcome == "rolled back"
    assert contents(datastore.state) == before
    assert datastore.state.next_tx_offset == 2
    monkeypatch.undo()
    with datastore.begin() as tx:
        tx.insert("player", (0, "ann"))
        with pytest.raises(LogError, match="an earlier write failed"):
            tx.commit()
    datastore.close()


def test_what_a_commit_has_returned_for_is_in_the_file(tmp_path: Path) -> None:
    datastore = new(PING, directory=tmp_path)
    (path,) = tmp_path.glob("*.log")
    for value in range(3):
        before = path.stat().st_size
        with datastore.begin() as tx:
            tx.insert("ping", (value,))
            assert path.stat().st_size == before
            tx.commit()
        assert path.stat().st_size > before
    datastore.close()


def test_closing_rolls_back(tmp_path: Path) -> None:
    with new(PING, directory=tmp_path) as datastore:
        tx = datastore.begin()
        tx.insert("ping", (1,))
    assert tx.outcome == "rolled back"
    assert len(list(read_transactions(tmp_path))) == 2


# Random work ----------------------------------------------------------------------------------------------------

ITEM = table("item", columns_of(id=t.U8, name=t.STRING, size=t.I16), unique=(0, (1, 2)), auto_inc=(0,), primary_key=0)
LOOSE = table("loose", columns_of(value=t.U8))
NOISE = table("noise", columns_of(id=t.U8, name=t.STRING), unique=(0,), auto_inc=(0,), event=True)
#: By table: positions that are unique together, and whether column 0 is generated.
KEYS: dict[str, tuple[tuple[int, ...], ...]] = {"item": ((0,), (1, 2)), "loose": (), "noise": ((0,),)}
EVENTS = {"noise"}
NAMES = sorted(KEYS)
ROWS = {
    "item": hs.tuples(hs.integers(0, 5), hs.sampled_from("ab"), hs.integers(-1, 1)),
    "loose": hs.tuples(hs.integers(0, 4)),
    "noise": hs.tuples(hs.integers(0, 3), hs.sampled_from("ab")),
}
ANY_ROW = hs.sampled_from(NAMES).flatmap(lambda name: hs.tuples(hs.just(name), ROWS[name]))
Found: TypeAlias = set[tuple[Any, ...]]
Rows: TypeAlias = dict[str, Found]


def clashing(name: str, row: tuple[Any, ...], others: Found) -> bool:
    """Whether the row has the key of another."""
    return any([row[at] for at in key] == [one[at] for at in key] for key in KEYS[name] for one in others)


class Naive:
    """A database as plain sets: what a transaction sees, what is committed, what each sequence gives next."""

    def __init__(self) -> None:
        self.committed: Rows = {name: set() for name in NAMES}
        self.committed_next: dict[str, int] = {"item": 1, "noise": 1}
        self.begin()

    def begin(self) -> None:
        self.seen: Rows = {name: set() if name in EVENTS else set(found) for name, found in self.committed.items()}
        self.next = dict(self.committed_next)

    def insert(self, name: str, row: tuple[Any, ...], instead: tuple[Any, ...] | None = None) -> tuple[Any, ...] | None:
        """The row inserted, None if it breaks a key."""
        if name in self.next and row[0] == 0:
            row = (self.next[name] % 256, *row[1:])
            self.next[name] += 1
        others = self.seen[name] - {instead or ()}
        if row not in others and clashing(name, row, others):
            return None
        self.seen[name] = others | {row}
        return row

    def update(self, name: str, row: tuple[Any, ...]) -> tuple[Any, ...] | str:
        """The row updated, or the kind of error; a key of a committed row is looked at before the row to update is."""
        if row[0] == 0:
            row = (self.next[name] % 256, *row[1:])
            self.next[name] += 1
        old = next((one for one in self.seen[name] if one[0] == row[0]), None)
        if old is None:
            clash = clashing(name, row, self.seen[name] & self.committed[name])
            return "UniqueConstraintViolation" if clash else "KeyNotFound"
        return self.insert(name, row, old) or "UniqueConstraintViolation"

    def changes(self, name: str) -> tuple[Found, Found]:
        before = set() if name in EVENTS else self.committed[name]
        return self.seen[name] - before, before - self.seen[name]

    def commit(self) -> None:
        self.committed = {name: set() if name in EVENTS else found for name, found in self.seen.items()}
        self.committed_next = self.next


class Work(RuleBasedStateMachine):
    """Random transactions on ordinary and event tables; the log must say what was done and leave the same state behind."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.datastore = new(ITEM, LOOSE, NOISE, directory=self.directory)
        self.naive = Naive()
        self.offset = 1
        self.logged: list[dict[str, tuple[Found, Found, bool]]] = []
        self.tx: Transaction | None = None

    def teardown(self) -> None:
        self.datastore.close()
        shutil.rmtree(self.directory)

    @property
    def open(self) -> Transaction:
        if self.tx is None:
            self.naive.begin()
            self.tx = self.datastore.begin(ReducerCall("work"))
        return self.tx

    @initialize(found=hs.lists(ANY_ROW, max_size=8))
    def fill(self, found: list[tuple[str, tuple[Any, ...]]]) -> None:
        for name, row in found:
            self._insert(name, row)

    def _insert(self, name: str, row: tuple[Any, ...]) -> None:
        tx = self.open
        expected = self.naive.insert(name, row)
        if expected is None:
            with pytest.raises(TransactionError, match="Unique constraint violation"):
                tx.insert(name, row)
        else:
            assert tx.insert(name, row) == expected

    @rule(one=ANY_ROW)
    def insert(self, one: tuple[str, tuple[Any, ...]]) -> None:
        self._insert(*one)

    @rule(name=hs.sampled_from(["item", "noise"]), data=hs.data())
    def update(self, name: str, data: hs.DataObject) -> None:
        row = data.draw(ROWS[name])
        tx = self.open
        expected = self.naive.update(name, row)
        if isinstance(expected, str):
            with pytest.raises(TransactionError) as caught:
                tx.update(name, f"{name}_id", row)
            assert caught.value.kind == expected
        else:
            assert tx.update(name, f"{name}_id", row) == expected

    @rule(one=ANY_ROW)
    def delete(self, one: tuple[str, tuple[Any, ...]]) -> None:
        name, row = one
        tx = self.open
        assert tx.delete(name, row) == (row in self.naive.seen[name])
        self.naive.seen[name] = self.naive.seen[name] - {row}

    @rule(name=hs.sampled_from(["item", "noise"]), key=hs.integers(0, 8))
    def delete_by_index(self, name: str, key: int) -> None:
        tx = self.open
        gone = {row for row in self.naive.seen[name] if row[0] == key}
        assert tx.delete_by_index(name, f"{name}_id", key) == len(gone)
        self.naive.seen[name] = self.naive.seen[name] - gone

    @rule(name=hs.sampled_from(NAMES))
    def clear(self, name: str) -> None:
        tx = self.open
        assert tx.clear_table(name) == len(self.naive.seen[name])
        self.naive.seen[name] = set()

    @rule(key=hs.integers(0, 8), lower=hs.integers(0, 3), upper=hs.integers(4, 8))
    def look(self, key: int, lower: int, upper: int) -> None:
        tx = self.open
        for name in ("item", "noise"):
            seen = self.naive.seen[name]
            assert set(tx.by_index(name, f"{name}_id", key)) == {row for row in seen if row[0] == key}
            assert tx.by_range(name, f"{name}_id", (lower,), (upper,)) == sorted(row for row in seen if lower <= row[0] < upper)

    @invariant()
    def sees_what_it_did(self) -> None:
        if self.tx is not None:
            for name in NAMES:
                seen = rows(self.tx, name)
                assert set(seen) == self.naive.seen[name]
                assert len(seen) == self.tx.count(name) == len(self.naive.seen[name])

    @precondition(lambda self: self.tx is not None)
    @rule()
    def rollback(self) -> None:
        assert self.open.rollback() == self.offset
        self.tx = None

    @precondition(lambda self: self.tx is not None)
    @rule()
    def commit(self) -> None:
        data = self.open.commit()
        self.tx = None
        named = {change.table_name: change for change in data.tables.values()}
        expected = {}
        for name in NAMES:
            new_rows, gone = self.naive.changes(name)
            empty = bool(gone) and not self.naive.seen[name]
            if new_rows or gone:
                expected[name] = (new_rows, gone, empty)
                change = named[name]
                assert (set(change.inserted()), set(change.deleted())) == (new_rows, gone)
                assert len(change.inserts) == len(new_rows)
                assert change.truncated == empty
            else:
                assert name not in named
        used = self.naive.next != self.naive.committed_next
        assert ("st_sequence" in named) == used
        if expected or used:
            self.offset += 1
            self.logged.append(expected)
        assert (data.tx_offset, data.last_tx_offset) == (self.offset if expected or used else None, self.offset)
        self.naive.commit()
        for name in NAMES:
            found = self.datastore.state.table_named(name)
            assert found is not None
            assert set(found.scan()) == self.naive.committed[name]

    @precondition(lambda self: self.tx is None)
    @rule()
    def reopen(self) -> None:
        before = contents(self.datastore.state)
        self.datastore.close()
        self._check_log()
        self.datastore = Datastore.open(self.directory, fsync=False)
        assert contents(self.datastore.state) == before

    def _check_log(self) -> None:
        found = list(read_transactions(self.directory))[2:]
        assert len(found) == len(self.logged)
        for tx, expected in zip(found, self.logged, strict=True):
            assert isinstance(tx, LoggedTransaction)
            assert tx.inputs is not None
            assert tx.inputs.reducer_name == "work"
            inserts, deletes = (
                {group.table.name: set(group.values) for group in groups if not group.table.is_system}
                for groups in (tx.inserts, tx.deletes)
            )
            assert inserts == {name: new_rows for name, (new_rows, _, _) in expected.items() if new_rows}
            assert deletes == {name: gone for name, (_, gone, empty) in expected.items() if gone and not empty}
            assert {one.name for one in tx.truncates} == {name for name, (_, _, empty) in expected.items() if empty}


SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class MuchWork(Work):
    """The same for longer."""


TestWork = Work.TestCase
TestWork.settings = settings(max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=SLOW)
TestMuchWork = pytest.mark.slow(MuchWork.TestCase)
TestMuchWork.settings = settings(max_examples=800, stateful_step_count=60, deadline=None, suppress_health_check=SLOW)


def test_clients_that_come_are_logged_even_if_nothing_changes(tmp_path: Path) -> None:
    datastore = Datastore.create(tmp_path, fsync=False)
    datastore.begin(ReducerCall(CONNECTED, 1, 2, 3)).commit()
    datastore.close()
    *_, last = read_transactions(tmp_path)
    assert isinstance(last, LoggedTransaction)
    assert last.inputs is not None
    assert (last.inputs.reducer_name, last.inserts, last.deletes, last.truncates) == (CONNECTED, (), (), ())
