"""Rows in transactions: generated values, keys, no-ops, reading one's own rows, and what is refused, in words."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.errors import BsatnError
from defs.keccak import keccak_256
from defs.raw.shared import BTree, Hash
from defs.schema.table import IndexSchema
from defs.store.datastore import Datastore
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.slots import Slots
from defs.store.transactions.transaction import Transaction
from defs.store.transactions.values import debug_text, nameless, plain_rows, wrapped
from defs.store.txdata import CONNECTED, DISCONNECTED, ReducerCall

sys.path.insert(0, str(Path(__file__).parent))

from datastore_cases import EVENT, PLAYER, columns_of, new, only, rows, table

SMALL = table("small", columns_of(id=t.U8, name=t.STRING), unique=(0,), auto_inc=(0,))
SIGNED = table("signed", columns_of(id=t.I8), auto_inc=(0,))
PAIRS = table(
    "pairs",
    columns_of(a=t.U32, b=t.STRING, c=t.F64),
    unique=((0, 1),),
    indexes=(IndexSchema(0, 0, "pairs_c_idx_btree", None, BTree((2,))), IndexSchema(0, 0, "pairs_b_hash", None, Hash((1,)))),
)


def test_zero_means_generate_and_wraps_with_the_type() -> None:
    with new(SMALL).begin() as tx:
        given = [tx.insert("small", (0, f"{number}"))[0] for number in range(255)]
        assert given == list(range(1, 256))
        assert tx.insert("small", (0, "wrapped"))[0] == 0  # 256 has no bits left
        with pytest.raises(TransactionError, match="small_id_idx_btree"):
            tx.insert("small", (0, "again"))  # 257 is 1, which is there
        tx.delete_by_index("small", "small_id", 2)
        assert tx.insert("small", (0, "free again"))[0] == 2


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [(t.I8, 128, -128), (t.I8, 127, 127), (t.U8, 256, 0), (t.U128, 1 << 127, 1 << 127), (t.I256, -1, -1), (t.U16, -1, 65535)],
)
def test_generated_values_keep_their_lowest_bits(kind: t.AlgebraicType, value: int, expected: int) -> None:
    assert wrapped(kind, value) == expected


def test_a_jump_of_a_sequence_goes_on_at_the_next_multiple_of_4096() -> None:
    datastore = new(PLAYER)
    datastore.sequence_jump = lambda row: row.allocated == 2
    with datastore.begin() as tx:
        assert [tx.insert("player", (0, name))[0] for name in "abcd"] == [1, 2, 4096, 4097]


def test_a_sequence_at_its_end_gives_nothing() -> None:
    datastore = new(PLAYER)
    with datastore.begin() as tx:
        (row,) = [one for one in tx.scan(3) if one[1] == "player_id_seq"]
        last = (*row[:-1], (1 << 127) - 1)
        tx._by_id(3).remove(tx._by_id(3).encode(row))
        tx._by_id(3).put(tx._by_id(3).encode(last))
        with pytest.raises(TransactionError) as caught:
            tx.insert("player", (0, "ann"))
        assert caught.value.upstream == (
            "DatastoreError: SequenceError: Sequence ID `4096` still had no values left after allocation."
        )
        assert rows(tx, "player") == []
        assert tx.insert("player", (1, "ann")) == (1, "ann")


def test_rows_come_in_several_forms() -> None:
    class Record:
        id, name = 3, "cid"

    with new(PLAYER).begin() as tx:
        assert tx.insert("player", (1, "ann")) == (1, "ann")
        assert tx.insert("player", {"name": "bob", "id": 2}) == (2, "bob")
        assert tx.insert("player", Record()) == (3, "cid")
        assert tx.insert("player", bytes.fromhex("0400000000000000 03000000 646565")) == (4, "dee")
        assert tx.count(tx.schema("player").table_id) == 4


def test_a_transaction_sees_its_own_changes_first() -> None:
    datastore = new(PAIRS)
    with datastore.begin() as tx:
        tx.insert("pairs", (1, "x", 0.5))
        tx.insert("pairs", (2, "y", 0.5))
        tx.commit()
    with datastore.begin() as tx:
        tx.delete("pairs", (1, "x", 0.5))
        tx.insert("pairs", (1, "x", -0.5))
        assert rows(tx, "pairs") == [(1, "x", -0.5), (2, "y", 0.5)]
        assert tx.by_index("pairs", "pairs_c_idx_btree", 0.5) == [(2, "y", 0.5)]
        tx.insert("pairs", (3, "x", 0.5))
        assert tx.by_index("pairs", "pairs_c_idx_btree", 0.5) == [(3, "x", 0.5), (2, "y", 0.5)]
        tx.delete("pairs", (3, "x", 0.5))
        assert tx.by_index("pairs", "pairs_a_b_idx_btree", (1, "x")) == [(1, "x", -0.5)]
        assert tx.by_index("pairs", "pairs_b_hash", "y") == [(2, "y", 0.5)]
    with datastore.begin() as tx:
        assert rows(tx, "pairs") == [(1, "x", 0.5), (2, "y", 0.5)]


def test_ranges_follow_the_order_of_the_index() -> None:
    datastore = new(PAIRS)
    values = [(3, "c", 1.0), (1, "b", float("inf")), (1, "a", -1.0), (2, "", float("nan"))]
    with datastore.begin() as tx:
        for row in values[:2]:
            tx.insert("pairs", row)
        tx.commit()
    with datastore.begin() as tx:
        for row in values[2:]:
            tx.insert("pairs", row)

        def names(index: str, lower: tuple[Any, ...] = (), upper: tuple[Any, ...] = (), **more: bool) -> list[Any]:
            return [(row[0], row[1]) for row in tx.by_range("pairs", index, lower, upper, **more)]

        key = "pairs_a_b_idx_btree"
        assert names(key) == [(1, "a"), (1, "b"), (2, ""), (3, "c")]
        assert names(key, (1, "b"), (3,)) == [(1, "b"), (2, "")]
        assert names(key, (1,), (1,), open_end=False) == [(1, "a"), (1, "b")]
        assert names("pairs_c_idx_btree") == [(1, "a"), (3, "c"), (1, "b"), (2, "")]  # NaN comes last
        with pytest.raises(TransactionError, match="does not support seeking for a range"):
            names("pairs_b_hash", ("a",))


def test_what_cancels_leaves_nothing() -> None:
    datastore = new(PLAYER)
    with datastore.begin() as tx:
        tx.insert("player", (1, "ann"))
        tx.commit()
    with datastore.begin() as tx:
        tx.delete("player", (1, "ann"))
        tx.insert("player", (1, "ann"))
        tx.update("player", "player_id", (1, "ann"))
        tx.update("player", "player_id", (1, "eve"))
        tx.update("player", "player_id", (1, "ann"))
        tx.insert("player", (2, "bob"))
        tx.delete_by_index("player", "player_name", "bob")
        assert rows(tx, "player") == [(1, "ann")]
        data = tx.commit()
    assert not data.tables
    assert data.tx_offset is None


def test_an_update_may_not_take_the_key_of_another() -> None:
    datastore = new(PLAYER)
    with datastore.begin() as tx:
        tx.insert("player", (1, "ann"))
        tx.insert("player", (2, "bob"))
        with pytest.raises(TransactionError, match="player_name_idx_btree"):
            tx.update("player", "player_id", (1, "bob"))
        tx.commit()
    with datastore.begin() as tx:
        with pytest.raises(TransactionError, match="player_name_idx_btree"):
            tx.update("player", "player_id", (1, "bob"))
        tx.insert("player", (3, "cid"))
        with pytest.raises(TransactionError, match="player_name_idx_btree"):
            tx.update("player", "player_id", (1, "cid"))
        assert tx.update("player", "player_name", (9, "bob")) == (9, "bob")
        assert sorted(rows(tx, "player")) == [(1, "ann"), (3, "cid"), (9, "bob")]
        assert only(tx.commit(), "player") == ([(3, "cid"), (9, "bob")], [(2, "bob")])


@pytest.mark.parametrize("committed", [True, False])
def test_of_two_keys_that_are_taken_the_index_made_first_is_named(committed: bool) -> None:
    datastore = new(PLAYER)
    tx = datastore.begin()
    tx.insert("player", (1, "ann"))
    tx.insert("player", (2, "bob"))
    if committed:
        tx.commit()
        tx = datastore.begin()
    with pytest.raises(TransactionError, match="'player_id_idx_btree'"):
        tx.insert("player", (1, "bob"))


def test_clear_counts_what_it_deletes_and_upstream_counts_again() -> None:
    for upstream, expected in ((False, 2), (True, 3)):
        datastore = new(PLAYER, upstream=upstream)
        with datastore.begin() as tx:
            tx.insert("player", (1, "ann"))
            tx.insert("player", (2, "bob"))
            tx.commit()
        with datastore.begin() as tx:
            tx.delete("player", (1, "ann"))
            tx.insert("player", (3, "cid"))
            assert tx.clear_table("player") == expected
            assert tx.count("player") == 0


# What is refused ------------------------------------------------------------------------------------------------


@pytest.fixture
def tx() -> Transaction:
    return new(PLAYER, EVENT, PAIRS).begin()


REFUSED: dict[str, tuple[Callable[[Transaction], object], str, str]] = {
    "unknown table": (lambda tx: tx.insert("nobody", ()), "TableNotFound", "Table with name `nobody` not found"),
    "unknown id": (lambda tx: tx.count(5000), "IdNotFound", "Table with ID `5000` not found"),
    "a name that is no text": (lambda tx: tx.count(None), "TableNotFound", "`None`"),  # type: ignore[arg-type]
    "too few values": (lambda tx: tx.insert("player", (1,)), "InvalidRow", "not a row of table player"),
    "a value of another type": (lambda tx: tx.insert("player", (1, 2)), "InvalidRow", "name"),
    "a number out of range": (lambda tx: tx.insert("player", (-1, "a")), "InvalidRow", "id"),
    "no row at all": (lambda tx: tx.insert("player", 5), "InvalidRow", "int is no row; expected a tuple"),
    "other columns": (lambda tx: tx.insert("player", {"id": 1, "nom": ""}), "InvalidRow", "id, nom; expected id, name"),
    "bytes too short": (lambda tx: tx.insert("player", b"\1"), "InvalidRow", "data too short"),
    "bytes left over": (lambda tx: tx.delete("player", bytes(13)), "InvalidRow", "left over"),
    "lone surrogate": (lambda tx: tx.insert("player", (1, "\ud800")), "InvalidRow", "name"),
    "unknown index": (lambda tx: tx.update("player", "by_luck", (1, "a")), "IndexNotFound", "by_luck"),
    "not a unique index": (lambda tx: tx.update("pairs", "pairs_b_hash", (1, "a", 0.0)), "NotUnique", "Index was not unique"),
    "a key of another type": (lambda tx: tx.by_index("player", "player_id", "one"), "InvalidKey", "player_id_idx_btree"),
    "half a key": (lambda tx: tx.by_index("pairs", "pairs_a_b_idx_btree", 1), "InvalidKey", "pairs_a_b_idx_btree"),
    "too long a bound": (lambda tx: tx.by_range("player", "player_id", (1, 2)), "InvalidKey", "player_id"),
    "a system table": (lambda tx: tx.insert("st_event_table", (4096,)), "SystemTable", "st_event_table is a system table"),
    "dropping one": (lambda tx: tx.drop_table("st_client"), "SystemTable", "st_client"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_say_what_and_leave_the_transaction_as_it_was(what: str, tx: Transaction) -> None:
    act, kind, text = REFUSED[what]
    with pytest.raises(TransactionError) as caught:
        act(tx)
    assert caught.value.kind == kind
    assert text in f"{caught.value}"
    assert tx.insert("player", (0, "ann")) == (1, "ann")
    assert tx.commit().tx_offset == 2


@pytest.mark.parametrize("end", [Transaction.commit, Transaction.rollback])
def test_a_transaction_that_is_over_does_nothing(end: Callable[[Transaction], object], tx: Transaction) -> None:
    tx.insert("player", (1, "ann"))
    end(tx)
    acts: list[Callable[[], object]] = [
        lambda: tx.insert("player", (2, "bob")),
        lambda: tx.scan("player"),
        lambda: tx.create_table(SMALL),
        tx.commit,
        tx.rollback,
    ]
    for act in acts:
        with pytest.raises(TransactionError, match=f"this transaction was {tx.outcome}; begin another"):
            act()


def test_one_transaction_at_a_time() -> None:
    datastore = new(PLAYER)
    with datastore.begin():
        with pytest.raises(TransactionError) as caught:
            datastore.begin()
        assert caught.value.kind == "TransactionOpen"
    datastore.begin().rollback()


@pytest.mark.parametrize(
    "call",
    [
        "cron",
        ReducerCall("x" * 256),
        ReducerCall("\ud800"),
        ReducerCall("say", caller_identity=-1),
        ReducerCall("say", caller_connection_id=1 << 128),
        ReducerCall("say", timestamp=1 << 63),
    ],
)
def test_workloads_that_cannot_be_logged_do_not_begin(call: Any) -> None:
    datastore = Datastore.create()
    with pytest.raises(TransactionError) as caught:
        datastore.begin(call)
    assert caught.value.kind == "InvalidWorkload"
    datastore.begin().rollback()


@pytest.mark.parametrize("name", [CONNECTED, DISCONNECTED])
def test_only_clients_take_an_offset_without_changes(name: str) -> None:
    datastore = Datastore.create()
    assert datastore.begin(ReducerCall("tick")).commit().tx_offset is None
    data = datastore.begin(ReducerCall(name, 1, 2, 3, b"\4")).commit()
    assert data.tx_offset == data.last_tx_offset == 1
    inputs = data.to_txdata().inputs
    assert inputs is not None
    assert (inputs.reducer_name, inputs.caller_identity, inputs.caller_connection_id) == (name, 1, 2)
    assert (inputs.timestamp, inputs.args) == (3, b"\4")


# Small parts ----------------------------------------------------------------------------------------------------


def test_slots_are_reused_last_in_first_out() -> None:
    slots = Slots([b"a", b"b", b"c"])
    for row in (b"a", b"c"):
        slots.remove(row)
    slot = slots.take()
    slots.free(slot)
    for row in (b"d", b"e", b"f"):
        slots.put(row)
    assert slots.ordered() == [b"e", b"b", b"d", b"f"]
    slots.clear()
    slots.put(b"g")
    slots.put(b"h")
    assert (slots.slot_of(b"g"), slots.slot_of(b"h"), slots.slot_of(b"a")) == (3, 2, None)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (t.U64, 7, "U64(7)"),
        (t.STRING, 'a"b', 'String("a\\"b")'),
        (t.BOOL, True, "Bool(true)"),
        (t.I128, 5, "I128(Packed(5))"),
        (t.ArrayType(t.U16), [1, 2], "Array([1, 2])"),
        (nameless(t.IDENTITY), (5,), "Product(ProductValue { elements: [U256(5)] })"),
        (nameless(t.option_type(t.U8)), (0, 1), "Sum(SumValue { tag: 0, value: U8(1) })"),
    ],
)
def test_values_are_shown_as_in_rust(kind: t.AlgebraicType, value: Any, text: str) -> None:
    assert debug_text(kind, value) == text


def test_options_and_special_types_compare_by_what_they_consist_of() -> None:
    plain = plain_rows(t.ProductType((t.ProductTypeElement("o", t.option_type(t.U8)), t.ProductTypeElement("i", t.IDENTITY))))
    some = plain.key(bytes([0, 9]) + bytes(32), (0, 1))
    none = plain.key(bytes([1]) + bytes(32), (0, 1))
    assert some < none
    assert plain.texts(bytes([0, 9]) + bytes(32), (0,))[0] == "( = 9)"


def test_keccak_256() -> None:
    assert keccak_256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak_256(bytes(135)) != keccak_256(bytes(136)) != keccak_256(bytes(137))


def test_all_errors_are_of_one_family(tx: Transaction) -> None:
    with pytest.raises(BsatnError):
        tx.insert("nobody", ())
