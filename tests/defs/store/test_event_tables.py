"""Event tables: their rows are in TxData and in the log, and in no committed state. Upstream's checklist, by its names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from defs.store.datastore import Datastore
from defs.store.reading import Transaction as LoggedTransaction
from defs.store.reading import read_transactions
from defs.store.replay import replay
from defs.store.transactions.errors import TransactionError
from defs.store.txdata import CONNECTED, ReducerCall

sys.path.insert(0, str(Path(__file__).parent))

from datastore_cases import EVENT, PING, PLAYER, contents, new, only, rows


def logged(directory: Path) -> list[LoggedTransaction]:
    """The transactions of a log that can be read to its end."""
    found = list(read_transactions(directory))
    assert all(isinstance(tx, LoggedTransaction) for tx in found)
    return [tx for tx in found if isinstance(tx, LoggedTransaction)]


def test_event_inserts_are_in_tx_data() -> None:
    datastore = new(EVENT)
    with datastore.begin() as tx:
        tx.insert("damage", (0, 7, "hit"))
        tx.insert("damage", (0, 8, "miss"))
        data = tx.commit()
    assert only(data, "damage") == ([(1, 7, "hit"), (2, 8, "miss")], [])
    (change,) = data.events()
    assert (change.table_name, change.is_event, change.truncated, change.ephemeral) == ("damage", True, False, False)
    assert data.tx_offset == data.last_tx_offset == 2


def test_committed_state_is_empty_after_merge() -> None:
    datastore = new(EVENT)
    with datastore.begin() as tx:
        tx.insert("damage", (0, 7, "hit"))
        assert tx.count("damage") == 1
        tx.commit()
    found = datastore.state.table_named("damage")
    assert found is not None
    assert len(found) == 0
    with datastore.begin() as tx:
        assert rows(tx, "damage") == []
        assert tx.by_index("damage", "damage_code", 7) == []


@pytest.mark.usefixtures("each_engine")
def test_replay_skips_event_rows(tmp_path: Path) -> None:
    datastore = new(EVENT, PLAYER, directory=tmp_path)
    with datastore.begin(ReducerCall("strike")) as tx:
        tx.insert("damage", (0, 7, "hit"))
        tx.insert("player", (0, "ann"))
        tx.commit()
    live = contents(datastore.state)
    datastore.close()
    last = logged(tmp_path)[-1]
    assert [(group.table.name, group.values) for group in last.events()] == [("damage", ((1, 7, "hit"),))]
    state = replay(tmp_path)
    assert contents(state) == live
    found = state.table_named("damage")
    assert found is not None
    assert found.schema.is_event
    assert len(found) == 0


def test_ordinary_tables_are_unaffected(tmp_path: Path) -> None:
    datastore = new(EVENT, PLAYER, directory=tmp_path)
    with datastore.begin() as tx:
        tx.insert("player", (0, "ann"))
        tx.insert("player", (0, "bob"))
        tx.commit()
    with datastore.begin() as tx:
        tx.insert("damage", (0, 7, "hit"))
        tx.update("player", "player_id", (1, "eve"))
        data = tx.commit()
    assert only(data, "player") == ([(1, "eve")], [(1, "ann")])
    with datastore.begin() as tx:
        assert sorted(rows(tx, "player")) == [(1, "eve"), (2, "bob")]
        with pytest.raises(TransactionError, match="Unique constraint violation"):
            tx.insert("player", (3, "bob"))


# Upstream's own tests of the datastore (spec: event-tables 7) ---------------------------------------------------


@pytest.fixture
def datastore() -> Datastore:
    return new(EVENT, PING)


def test_event_table_insert_delete_noop(datastore: Datastore) -> None:
    with datastore.begin() as tx:
        tx.insert("ping", (5,))
        assert tx.delete("ping", (5,))
        data = tx.commit()
    assert not data.tables
    assert data.tx_offset is None
    assert data.last_tx_offset == 1


def test_event_table_update_only_final_row(datastore: Datastore) -> None:
    with datastore.begin() as tx:
        tx.insert("damage", (1, 7, "first"))
        assert tx.update("damage", "damage_id", (1, 9, "final")) == (1, 9, "final")
        assert only(tx.commit(), "damage") == ([(1, 9, "final")], [])


def test_event_table_insert_records_txdata_not_committed_state(datastore: Datastore) -> None:
    with datastore.begin() as tx:
        tx.insert("ping", (5,))
        assert only(tx.commit(), "ping") == ([(5,)], [])
    with datastore.begin() as tx:
        assert rows(tx, "ping") == []


@pytest.mark.parametrize("row", [(1, 8, "b"), (2, 7, "b")], ids=["primary key", "unique column"])
def test_event_table_constraints_within_tx(datastore: Datastore, row: tuple[int, int, str]) -> None:
    with datastore.begin() as tx:
        tx.insert("damage", (1, 7, "a"))
        with pytest.raises(TransactionError) as caught:
            tx.insert("damage", row)
        assert caught.value.kind == "UniqueConstraintViolation"
        assert rows(tx, "damage") == [(1, 7, "a")]
        assert tx.insert("damage", (1, 7, "a")) == (1, 7, "a")  # the same row is no error, whatever is unique
        assert tx.count("damage") == 1


def test_event_table_index_lookup_within_tx(datastore: Datastore) -> None:
    with datastore.begin() as tx:
        tx.insert("damage", (1, 7, "a"))
        tx.insert("damage", (2, 8, "b"))
        assert tx.by_index("damage", "damage_code_idx_btree", 8) == [(2, 8, "b")]
        assert tx.by_range("damage", "damage_code", (7,), (8,)) == [(1, 7, "a")]
        assert tx.delete_by_index("damage", "damage_code", 8) == 1
        assert tx.by_index("damage", "damage_code_idx_btree", 8) == []


def test_event_table_auto_inc_goes_on_although_the_rows_are_gone(datastore: Datastore) -> None:
    for expected in (1, 2):
        with datastore.begin() as tx:
            assert tx.insert("damage", (0, 7, "a"))[0] == expected
            tx.commit()
    with datastore.begin() as tx:
        assert tx.insert("damage", (0, 7, "a"))[0] == 3  # rolled back, so given again
    with datastore.begin() as tx:
        tx.insert("damage", (0, 7, "a"))
        with pytest.raises(TransactionError):
            tx.insert("damage", (0, 7, "b"))  # used up 4
        assert tx.insert("damage", (0, 8, "b"))[0] == 5


def test_event_table_constraints_reset_across_txs(datastore: Datastore) -> None:
    for _ in range(2):
        with datastore.begin() as tx:
            tx.insert("damage", (1, 7, "a"))
            assert tx.commit().tx_offset is not None


def test_events_of_one_transaction_are_gone_in_the_next(datastore: Datastore) -> None:
    with datastore.begin() as tx:
        tx.insert("ping", (5,))
        tx.commit()
    with datastore.begin() as tx:
        assert not tx.delete("ping", (5,))
        assert tx.clear_table("ping") == 0
        with pytest.raises(TransactionError, match=r"Key U64\(1\) was not found in index IndexId\(4096\)"):
            tx.update("damage", "damage_id", (1, 1, ""))


def test_cleared_events_take_no_offset_but_clients_always_do(datastore: Datastore) -> None:
    with datastore.begin(ReducerCall("tick")) as tx:
        tx.insert("ping", (5,))
        assert tx.clear_table("ping") == 1
        assert tx.commit().tx_offset is None
    with datastore.begin(ReducerCall(CONNECTED)) as tx:
        data = tx.commit()
    assert data.tx_offset == 2
    assert not data.tables


def test_slots_freed_last_are_filled_first(datastore: Datastore) -> None:
    with datastore.begin() as tx:
        for value in (1, 2, 3, 4):
            tx.insert("ping", (value,))
        tx.delete("ping", (1,))
        tx.delete("ping", (3,))
        tx.insert("ping", (5,))
        tx.insert("ping", (6,))
        tx.insert("ping", (7,))
        assert only(tx.commit(), "ping")[0] == [(6,), (2,), (5,), (4,), (7,)]


def test_dropping_the_last_event_table_truncates_what_lists_event_tables(tmp_path: Path) -> None:
    datastore = new(PING, directory=tmp_path)
    with datastore.begin() as tx:
        tx.drop_table("ping")
        tx.commit()
    datastore.close()
    assert [table.table_id for table in logged(tmp_path)[-1].truncates] == [17, 18, 20]
