"""Logs read without a module: every scenario's transactions and rows; schemas that change; records that make no sense."""

from __future__ import annotations

import json
import random
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bsatn
from bsatn import types as t
from bsatn.types import ProductType
from defs.store.commitlog.txdata import Inputs
from defs.store.reading import BadRecord, LogReader, Mode, TableRows, Transaction, read_transactions
from defs.store.showing import row_json, row_text, type_text
from defs.system import rows as st

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import (
    INTACT,
    ROOT,
    SCENARIOS,
    bootstrap,
    changed,
    column,
    encoded,
    expected,
    record,
    records_of,
    user_table,
    write_log,
)

WITH_TXS = [name for name in SCENARIOS if any("txs" in commit for commit in expected(name)["commits"])]
ROW = bsatn.product(id=t.U64, text=t.STRING)
TABLE = 4096


def read(directory: Path, mode: Mode = "strict") -> list[Transaction]:
    """The transactions of a log without faults."""
    found = list(read_transactions(directory, mode=mode))
    assert all(isinstance(item, Transaction) for item in found), found
    return [item for item in found if isinstance(item, Transaction)]


def fault(directory: Path) -> BadRecord:
    """What ends a log."""
    *_, last = read_transactions(directory)
    assert isinstance(last, BadRecord), last
    return last


def row(number: int, text: str = "") -> bytes:
    return bsatn.Codec(ROW).encode((number, text))


# The scenarios ----------------------------------------------------------------------------------------------


def group_of(group: TableRows) -> dict[str, Any]:
    return {
        "table_id": group.table.table_id,
        "table_name": group.table.name,
        "is_event": group.table.is_event,
        "rows": [
            {"bsatn": data.hex(), "json": json.loads(row_json(group.table, values))}
            for data, values in zip(group.rows, group.values, strict=True)
        ],
    }


def inputs_of(inputs: Inputs | None) -> dict[str, Any] | None:
    if inputs is None:
        return None
    caller, connection, time, args = inputs.caller_identity, inputs.caller_connection_id, inputs.timestamp, inputs.args
    assert caller is not None
    assert connection is not None
    assert time is not None
    assert args is not None
    return {
        "reducer_name": inputs.reducer_name,
        "reducer_args_hex": inputs.reducer_args.hex(),
        "caller_identity": caller.hex(),
        "caller_connection_id": connection.hex(),
        "timestamp_micros": int(time),
        "arg_bsatn_hex": args.hex(),
    }


@pytest.mark.parametrize("scenario", WITH_TXS)
def test_transactions_and_rows_are_the_references(scenario: str) -> None:
    commits = {commit["min_tx_offset"]: commit for commit in expected(scenario)["commits"] if not commit.get("duplicate")}
    compared = 0
    for tx in read(ROOT / scenario):
        commit = commits[tx.commit.min_tx_offset]
        if not commit["txs"]:  # the reference could not read it
            continue
        want = next(one for one in commit["txs"] if one["tx_offset"] == tx.tx_offset)
        assert (tx.commit.segment, tx.commit.byte_offset, tx.commit.len) == (
            commit["segment"],
            commit["byte_offset"],
            commit["len"],
        )
        assert (tx.byte_offset, tx.len) == (commit["byte_offset"] + 22 + want["record_offset"], want["record_len"])
        assert inputs_of(tx.inputs) == want["inputs"]
        assert tx.outputs is want["outputs"] is None
        assert [group_of(group) for group in tx.inserts] == want["inserts"]
        assert [group_of(group) for group in tx.deletes] == want["deletes"]
        assert [(table.table_id, table.name) for table in tx.truncates] == [
            (one["table_id"], one["table_name"]) for one in want["truncates"]
        ]
        compared += 1
    assert compared == sum(len(commit.get("txs", ())) for commit in commits.values())


def test_the_scenarios_have_what_is_compared() -> None:
    txs = [tx for name in WITH_TXS for commit in expected(name)["commits"] for tx in commit.get("txs", ())]
    assert len(WITH_TXS) >= 10
    assert any(group["is_event"] for tx in txs for group in tx["inserts"])
    assert any(tx["truncates"] for tx in txs)
    assert len({tx["inputs"]["reducer_name"] for tx in txs if tx["inputs"]}) == 5


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if name not in WITH_TXS])
def test_copies_of_a_log_read_as_far_as_they_are_good(scenario: str) -> None:
    """Up to the damage, each transaction is that of `many`."""
    original = {tx.tx_offset: (tx.inputs, tx.inserts, tx.deletes, tx.truncates) for tx in read(ROOT / "many")}
    found = [item for item in read_transactions(ROOT / scenario) if isinstance(item, Transaction)]
    assert len(found) == expected(scenario)["next_tx_offset"]
    for tx in found:
        assert (tx.inputs, tx.inserts, tx.deletes, tx.truncates) == original[tx.tx_offset]


@pytest.mark.parametrize("scenario", INTACT)
def test_tables_at_the_end(scenario: str) -> None:
    """Also where the reference cannot replay."""
    reader = LogReader(ROOT / scenario)
    for item in reader.transactions():
        assert isinstance(item, Transaction)
    found = {table.table_id: table for table in reader.tracker.tables()}
    for table in expected(scenario)["replayed"].get("tables", ()):
        seen = found.pop(table["table_id"])
        assert (seen.name, seen.is_event) == (table["table_name"], table["is_event"])
        if "columns" in table:
            assert (seen.table_type, seen.access, seen.primary_key) == tuple(
                table[k] for k in ("table_type", "access", "primary_key")
            )
            assert [one.name for one in seen.columns] == [one["name"] for one in table["columns"]]
    assert not found or not expected(scenario)["replayed"]["ok"]
    assert reader.next == max((tx.tx_offset for tx in read(ROOT / scenario)), default=-1) + 1


def test_events_of_a_transaction() -> None:
    counted = [sum(len(group.rows) for group in tx.events()) for tx in read(ROOT / "event_mixed")]
    assert sum(counted) == 19
    assert counted[3] == 2


# Schemas that change ----------------------------------------------------------------------------------------


def event_log(*more: bytes) -> list[bytes]:
    """A new database with an event table, then more records."""
    return [bootstrap(), record(user_table(TABLE, "ev", ROW, event=True)), record({TABLE: [row(1, "a")]}), *more]


def test_an_event_in_the_transaction_that_changes_its_table() -> None:
    """Which the server cannot replay: columns go that, at that point of the record, are still there."""
    groups = [group for tx in read(ROOT / "event_reschema_same_tx") for group in tx.events()]
    assert [[one.name for one in group.table.columns] for group in groups] == [
        ["old_payload", "payload"],
        ["payload"],
        ["payload"],
    ]
    assert [group.values for group in groups][1] == (("hello",),)
    *_, last = read_transactions(ROOT / "event_reschema_same_tx", mode="upstream")
    assert isinstance(last, BadRecord)
    assert last.tx_offset == 3
    assert last.message.startswith(expected("event_reschema_same_tx")["decode_error"]["errors"][0])


ID_COLUMN, TEXT_COLUMN = column(TABLE, 0, "id", t.U64), column(TABLE, 1, "text", t.STRING)


def gone(*columns: bytes) -> dict[int, list[bytes]]:
    return {st.ST_COLUMN_ID: list(columns)}


@pytest.mark.parametrize(
    ("inserted", "deleted", "kind", "value"),
    [
        pytest.param([], [TEXT_COLUMN], bsatn.product(id=t.U64), (7,), id="the last column goes"),
        pytest.param([column(TABLE, 1, "text", t.U32)], [TEXT_COLUMN], bsatn.product(t.U64, t.U32), (7, 8), id="retyped"),
        pytest.param([column(TABLE, 2, "n", t.U8)], [], bsatn.product(t.U64, t.STRING, t.U8), (7, "x", 8), id="one more"),
        pytest.param(
            [column(TABLE, 0, "text", t.STRING)],
            [ID_COLUMN, TEXT_COLUMN],
            bsatn.product(t.STRING),
            ("hello",),
            id="the first goes",
        ),
    ],
)
def test_columns_change_in_the_transaction_of_an_event(
    tmp_path: Path, inserted: list[bytes], deleted: list[bytes], kind: ProductType, value: Any
) -> None:
    new = bsatn.Codec(kind).encode(value)
    change = record(
        {st.ST_COLUMN_ID: inserted, TABLE: [new]} if inserted else {TABLE: [new]}, gone(*deleted) if deleted else None
    )
    directory = write_log(tmp_path / "log", event_log(change, record({TABLE: [new]})))
    assert [group.values for tx in read(directory) for group in tx.events()] == [((1, "a"),), (value,), (value,)]


def test_a_column_without_bytes_goes_in_the_transaction_of_an_event(tmp_path: Path) -> None:
    """The bytes read either way; what the record deletes at its end says which is right."""
    described = user_table(TABLE, "ev", bsatn.product(id=t.U64, nothing=t.UNIT), event=True)
    change = record({TABLE: [bytes(8)]}, gone(described[2][1]))
    (group,) = read(write_log(tmp_path / "log", [bootstrap(), record(described), change]))[2].events()
    assert (group.values, len(group.table.columns)) == (((0,),), 1)


def test_a_truncated_st_event_table(tmp_path: Path) -> None:
    reader = LogReader(write_log(tmp_path / "log", event_log(record(None, None, [st.ST_EVENT_TABLE_ID]))))
    flags = []
    for _ in reader.transactions():
        table = reader.tracker.table(TABLE)
        flags.append(table and table.is_event)
    assert flags == [None, True, True, False]


def test_columns_of_two_tables_change_in_the_transaction_of_their_events(tmp_path: Path) -> None:
    other = 4097
    last_columns = gone(TEXT_COLUMN, column(other, 1, "text", t.STRING))
    change = record({TABLE: [bytes(8)], other: [b"\1" * 8]}, last_columns)
    log = [
        bootstrap(),
        record(user_table(TABLE, "a", ROW, event=True)),
        record(user_table(other, "b", ROW, event=True)),
        change,
    ]
    values = [group.values for tx in read(write_log(tmp_path / "log", log)) for group in tx.events()]
    assert values == [((0,),), ((0x0101010101010101,),)]


def test_a_table_is_renamed_dropped_and_forgotten(tmp_path: Path) -> None:
    described = user_table(TABLE, "ev", ROW, event=True)
    renamed = record({st.ST_TABLE_ID: [encoded(st.StTableRow(TABLE, "new", "user", "public", None))]}, {1: described[1]})
    dropped = record(None, {1: [encoded(st.StTableRow(TABLE, "new", "user", "public", None))], 2: described[2]}, [17])
    log = [*event_log(), renamed, record({TABLE: [row(2)]}), dropped, record({TABLE: [row(3)]})]
    directory = write_log(tmp_path / "log", log)
    txs = [item for item in read_transactions(directory) if isinstance(item, Transaction)]
    assert [group.table.name for tx in txs for group in tx.events()] == ["ev", "new"]
    found = fault(directory)
    assert (found.kind, found.tx_offset, found.message) == ("TableNotFound", 6, "the log has not described table 4096")


def test_an_old_log_presupposes_the_system_tables(tmp_path: Path) -> None:
    directory = write_log(tmp_path / "log", event_log()[1:])
    assert [group.values for tx in read(directory) for group in tx.events()] == [((1, "a"),)]


# Records that make no sense ---------------------------------------------------------------------------------


def test_a_row_that_does_not_fit(tmp_path: Path) -> None:
    """The error says which row of which table of which transaction, and where it stands in the segment."""
    bad = changed(row(2, "abc"), lambda data: data.__setitem__(slice(-3, None), b"a\xffc"))
    log = event_log(record({TABLE: [row(1), bad]}))
    found = fault(write_log(tmp_path / "log", log))
    at = 10 + sum(26 + len(one) for one in log[:3]) + 22 + log[3].index(b"\3\0\0\0a\xffc")
    assert (found.kind, found.tx_offset, found.table_id, found.table, found.row) == ("InvalidUtf8", 3, TABLE, "ev", 1)
    assert at <= found.byte_offset <= at + 5
    assert str(found).startswith(
        f"{found.segment} at byte {found.byte_offset}: transaction 3, row 1 of table 4096 (ev): invalid utf8"
    )


@pytest.mark.parametrize(
    ("content", "kind", "says"),
    [
        (record({TABLE: [row(1, "abc")]})[:-4], "BufferLength", ""),
        (record({TABLE: [row(1)]}) + b"\0", "TrailingBytes", "1 bytes left over"),
        (record({5000: [row(1)]}), "TableNotFound", "not described table 5000"),
        (record(None, {5000: [row(1)]}), "TableNotFound", "not described table 5000"),
        (record(None, None, [5000]), "TableNotFound", "not described table 5000"),
        (record({2: [column(TABLE, 7, "far", t.U8)], TABLE: [row(1)]}), "InvalidColumns", "a column 7 but no column 2"),
        (record({2: [encoded(st.StColumnRow(TABLE, 0, "id", b"\x63"))], TABLE: [row(1)]}), "InvalidColumns", "column id"),
        (b"", "BufferLength", ""),
    ],
)
def test_bad_records(tmp_path: Path, content: bytes, kind: str, says: str) -> None:
    found = fault(write_log(tmp_path / "log", event_log(content)))
    assert (found.kind, found.tx_offset) == (kind, 3)
    assert says in found.message


@pytest.mark.parametrize(("depth", "kind"), [(250, None), (300, "InvalidColumns"), (2000, "InvalidColumns")])
def test_types_nested_deep(tmp_path: Path, depth: int, kind: str | None) -> None:
    """Whatever nests deeper than a bound is an error, not the end of the stack."""
    described = user_table(TABLE, "deep", bsatn.product(t.U8), event=True)
    described[2] = [encoded(st.StColumnRow(TABLE, 0, "a", b"\3" * depth + b"\7"))]
    log = [bootstrap(), record(described), record({TABLE: [b"\1\0\0\0" * depth + b"\7"]})]
    *_, last = read_transactions(write_log(tmp_path / "log", log))
    if isinstance(last, Transaction):
        (group,) = last.inserts
        assert kind is None
        assert (
            row_text(group.table, group.values[0]).count("[") == row_json(group.table, group.values[0]).count("[") == depth - 1
        )
        assert type_text(group.table.columns[0].type).count("Array") == depth
    else:
        assert last.kind == kind


def test_rows_without_bytes_are_bounded(tmp_path: Path) -> None:
    units = user_table(TABLE, "unit", bsatn.product(a=t.UNIT))
    few = record({TABLE: [b""]})
    many = few.replace(b"\0\x10\0\0\1", b"\0\x10\0\0\x80\x80\x80\x80\x80\x01")
    assert [len(tx.inserts) for tx in read(write_log(tmp_path / "one", [bootstrap(), record(units), few]))][-1] == 1
    found = fault(write_log(tmp_path / "log", [bootstrap(), record(units), many]))
    assert found.kind in ("LimitExceeded", "BufferLength")


def test_salvage_goes_on_behind_a_bad_record(tmp_path: Path) -> None:
    log = event_log(record({5000: [row(1)]}), record({TABLE: [row(3)]}))
    found = list(read_transactions(write_log(tmp_path / "log", log), mode="salvage"))
    assert [isinstance(item, Transaction) for item in found] == [True, True, True, False, True]


def test_a_log_whose_beginning_is_gone(tmp_path: Path) -> None:
    found = fault(write_log(tmp_path / "log", event_log()[2:], first=2))
    assert (found.kind, found.tx_offset) == ("MissingStart", 2)
    assert "2 transactions" in found.message


def flipped(contents: list[bytes], count: int) -> Iterator[list[bytes]]:
    """The records with a few of their bits wrong."""
    chance = random.Random(7)
    for _ in range(count):
        copy = [bytearray(one) for one in contents]
        for _ in range(chance.randint(1, 3)):
            one = chance.choice(copy[1:])
            one[chance.randrange(len(one))] ^= 1 << chance.randrange(8)
        yield [bytes(one) for one in copy]


MODES: tuple[Mode, ...] = ("strict", "salvage", "upstream")


def try_flips(tmp_path: Path, scenario: str, count: int) -> set[str]:
    kinds: set[str] = set()
    for content in flipped(records_of(scenario), count):
        directory = write_log(tmp_path / "log", content)
        for mode in MODES:
            for item in read_transactions(directory, mode=mode):
                if not isinstance(item, Transaction):
                    assert str(item)
                    kinds.add(item.kind)
    return kinds


def test_flipped_bits_with_the_right_checksum(tmp_path: Path) -> None:
    kinds = try_flips(tmp_path, "event_reschema", 60) | try_flips(tmp_path, "event_mixed", 30)
    assert {"BufferLength", "TableNotFound"} <= kinds


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["event_reschema", "event_reschema_same_tx", "event_dropped", "add_columns", "truncate"])
def test_many_flipped_bits(tmp_path: Path, scenario: str) -> None:
    assert len(try_flips(tmp_path, scenario, 600)) > 3


# Memory -----------------------------------------------------------------------------------------------------


def peak(directory: Path) -> int:
    tracemalloc.start()
    try:
        for item in read_transactions(directory):
            assert isinstance(item, Transaction)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    def log(count: int) -> Path:
        more = (record({TABLE: [row(number, "x" * 10_000)]}) for number in range(count))
        return write_log(tmp_path / str(count), [*event_log(), *more])

    peak(log(10))  # what is compiled and cached once
    assert peak(log(1600)) < peak(log(400)) + 300_000 < 6_000_000
