"""System tables: what a new database writes, schemas from rows and back; tables as sets of rows with indexes."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as hs

import bsatn
from bsatn import types as t
from bsatn.types import ProductType
from defs.raw.shared import BTree, Direct, Hash, TableAccess, TableType
from defs.schema.table import (
    ColumnSchema,
    ConstraintSchema,
    IndexSchema,
    OutboxSchema,
    ScheduleSchema,
    SequenceSchema,
    TableSchema,
)
from defs.store.commitlog.layout import crc32c
from defs.store.state import CommittedState, Table, key_of
from defs.system import rows as st
from defs.system import tables as system
from defs.system.catalog import Describing, describing_rows, row_codec, schema_of
from defs.system.errors import StoreError
from defs.system.tables import SYSTEM_BY_ID, SYSTEM_SCHEMAS, SYSTEM_TABLES, bootstrap_rows

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import bootstrap, expected

ITEM = TableSchema(
    table_id=4096,
    table_name="item",
    alias="Item",
    view_info=None,
    columns=(
        ColumnSchema(4096, 0, "id", "Id", t.U32),
        ColumnSchema(4096, 1, "name", None, t.STRING),
        ColumnSchema(4096, 2, "weight", None, t.F64),
        ColumnSchema(4096, 3, "tags", None, t.ArrayType(t.U16)),
    ),
    primary_key=0,
    indexes=(
        IndexSchema(5000, 4096, "item_id_idx_direct", "by_id", Direct(0)),
        IndexSchema(5001, 4096, "item_name_weight_idx_btree", None, BTree((1, 2))),
        IndexSchema(5002, 4096, "item_tags_idx_hash", None, Hash((3,))),
    ),
    constraints=(ConstraintSchema(4096, 6000, "item_id_key", (0,)),),
    sequences=(SequenceSchema(7000, "item_id_seq", 4096, 0),),
    table_type=TableType.User,
    table_access=TableAccess.Private,
    schedule=ScheduleSchema(4096, 8000, "item_schedule", "expire", 2),
    is_event=True,
    outbox=OutboxSchema("remote.take", 0, (1, 2), None, 7),
)


# System tables ----------------------------------------------------------------------------------------------


def test_the_bootstrap_record_is_the_references() -> None:
    """Byte for byte, as in transaction 0 of every new database."""
    record = bootstrap()
    commit = bytes(16) + b"\1\0" + len(record).to_bytes(4, "little") + record
    assert len(record) == 8869
    assert crc32c()(commit).to_bytes(4, "little").hex() == "402d29f1"
    inserts = expected("event_mixed")["commits"][0]["txs"][0]["inserts"]
    assert {group["table_id"]: [row["bsatn"] for row in group["rows"]] for group in inserts} == {
        table_id: [row.hex() for row in rows] for table_id, rows in bootstrap_rows().items()
    }


def test_ids() -> None:
    constants = {name: value for name, value in vars(st).items() if name.startswith("ST_")}
    assert constants == {f"{table.name.upper()}_ID": table.table_id for table in SYSTEM_TABLES}
    assert sorted(constants.values()) == list(range(1, 27))
    for part in ("constraints", "indexes", "sequences"):
        ids = sorted(number for table in SYSTEM_TABLES for number in getattr(table, part))
        assert ids == list(range(1, len(ids) + 1)), part


def test_system_tables_as_they_are_replayed() -> None:
    tables = {table["table_id"]: table for table in expected("plain")["replayed"]["tables"]}
    for table_id, system_table in SYSTEM_BY_ID.items():
        seen, schema = tables[table_id], system_table.schema
        assert (schema.table_name, schema.primary_key) == (seen["table_name"], seen["primary_key"])
        assert schema.table_access.name.lower() == seen["access"]
        assert {one.index_id: one.index_name for one in schema.indexes} == {x["index_id"]: x["name"] for x in seen["indexes"]}
        assert {one.constraint_id: list(one.columns) for one in schema.constraints} == {
            one["constraint_id"]: one["unique_columns"] for one in seen["constraints"]
        }
        assert [(one.sequence_id, one.col_pos, one.start) for one in schema.sequences] == [
            (one["sequence_id"], one["column"], one["start"]) for one in seen["sequences"]
        ]


@pytest.mark.parametrize("system_table", SYSTEM_TABLES, ids=lambda one: str(one.name))
def test_a_bootstrapped_state_describes_its_tables(system_table: system.SystemTable) -> None:
    state = CommittedState.bootstrapped()
    assert state.schema_for_table(system_table.table_id).normalize() == system_table.schema
    assert state.next_tx_offset == 1


def test_sequences_of_a_new_database() -> None:
    assert CommittedState.bootstrapped().sequences_next() == dict.fromkeys(range(1, 9), 4096)


# Schemas and rows -------------------------------------------------------------------------------------------


def described(schema: TableSchema) -> CommittedState:
    state = CommittedState.bootstrapped()
    for one in describing_rows(schema):
        assert state.tables[one.table_id].insert(one.encode())
    return state


@pytest.mark.parametrize("schema", [ITEM, replace(ITEM, is_event=False, outbox=None, schedule=None, alias=None)])
def test_schema_to_rows_and_back(schema: TableSchema) -> None:
    assert described(schema).schema_for_table(4096) == schema


def test_columns_stand_by_position() -> None:
    columns = [one.row for one in describing_rows(ITEM) if one.table_id == st.ST_COLUMN_ID]
    schema = schema_of(Describing(TABLE_ROW, columns[::-1]))
    assert [one.col_name for one in schema.columns] == ["id", "name", "weight", "tags"]


def test_rows_are_described_in_the_servers_order() -> None:
    order = [one.table_id for one in describing_rows(ITEM)]
    assert order == [1, 18, 2, 20, 2, 2, 2, 9, 17, 26, 4, 19, 4, 4, 5, 3]


def test_sequences_begin_at_their_start_unless_told() -> None:
    rows = [one.row for one in describing_rows(ITEM, allocated=99) if one.table_id == st.ST_SEQUENCE_ID]
    assert [(row.start, row.allocated) for row in rows] == [(1, 99)]


def test_without_st_event_table_nothing_is_an_event_table() -> None:
    state = described(ITEM)
    assert state.is_event(4096)
    del state.tables[st.ST_EVENT_TABLE_ID]
    assert not state.is_event(4096)
    assert not state.schema_for_table(4096).is_event


TABLE_ROW = st.StTableRow(4096, "item", "user", "public", None)
COLUMN = st.StColumnRow(4096, 0, "id", b"\x0b")


@pytest.mark.parametrize(
    ("rows", "kind", "says"),
    [
        (Describing(TABLE_ROW, [replace(COLUMN, col_pos=1)]), "InvalidColumns", "positions 1, not 0 to 0"),
        (Describing(TABLE_ROW, [COLUMN, COLUMN]), "InvalidColumns", "positions 0, 0"),
        (Describing(TABLE_ROW, [replace(COLUMN, col_type=b"\xff")]), "InvalidColumns", "column id"),
        (Describing(replace(TABLE_ROW, table_type="users"), [COLUMN]), "InvalidTable", "'users'; expected system or user"),
        (Describing(replace(TABLE_ROW, table_access=""), [COLUMN]), "InvalidTable", "expected public or private"),
        (Describing(TABLE_ROW, [COLUMN], indexes=[st.StIndexRow(1, 4096, "i", st.Unused(0))]), "InvalidIndex", "no algorithm"),
        (
            Describing(TABLE_ROW, [COLUMN], constraints=[st.StConstraintRow(1, "c", 4096, st.Unused(0))]),
            "InvalidConstraint",
            "of no kind",
        ),
        (Describing(TABLE_ROW, [COLUMN], outbox=st.StOutboxRow(4096, "r", 0, (), None, "xyz")), "InvalidOutbox", "hex"),
    ],
)
def test_rows_that_describe_no_table(rows: Describing, kind: str, says: str) -> None:
    with pytest.raises(StoreError) as caught:
        schema_of(rows)
    assert caught.value.kind == kind
    assert says in str(caught.value)


def test_no_such_table() -> None:
    state = CommittedState.bootstrapped()
    for ask in (state.table, state.schema_for_table):
        with pytest.raises(StoreError, match="there is no table 77"):
            ask(77)
    assert state.table_named("nothing") is None
    named = state.table_named("st_view")
    assert named is not None
    assert named.schema.table_id == st.ST_VIEW_ID


# Tables -----------------------------------------------------------------------------------------------------


def item(number: int, name: str = "", weight: float = 0.0, tags: tuple[int, ...] = ()) -> bytes:
    return Table(ITEM).codec.encode((number, name, weight, list(tags)))


def test_a_table_is_a_set_in_order() -> None:
    table = Table(ITEM)
    assert [table.insert(item(n)) for n in (3, 1, 3, 2)] == [True, True, False, True]
    assert [row[0] for row in table.scan()] == [3, 1, 2]
    assert table.delete(item(1))
    assert not table.delete(item(1))
    assert item(3) in table
    assert item(1) not in table
    assert table.insert(item(1))
    assert [row[0] for row in table.scan()] == [3, 2, 1]
    assert (len(table), table.clear(), len(table)) == (3, 3, 0)


def test_indexes() -> None:
    table = Table(ITEM)
    rows = [item(1, "a", 0.0), item(2, "a", -0.0, (5,)), item(3, "a", math.nan), item(4, "b", float("inf"), (5,))]
    for row in rows:
        table.insert(row)
    assert table.by_index(5000, (3,)) == (rows[2],)
    assert table.by_index(5001, ("a", 0.0)) == (rows[0], rows[1])
    assert table.by_index(5001, ("a", -math.nan)) == (rows[2],)
    assert table.by_index(5002, ([5],)) == (rows[1], rows[3])
    assert table.by_index(5002, ([],)) == (rows[0], rows[2])
    table.clear()
    assert table.by_index(5000, (3,)) == ()
    with pytest.raises(StoreError, match="table item has no index 1"):
        table.by_index(1, (3,))


Op = tuple[str, int, str]


@given(hs.lists(hs.tuples(hs.sampled_from(["insert", "delete", "look", "clear"]), hs.integers(0, 2), hs.sampled_from("xy"))))
def test_indexes_agree_with_a_scan(ops: list[Op]) -> None:
    """Whenever they are first asked for."""
    table = Table(ITEM)
    naive: list[tuple[int, str]] = []
    for op, number, name in ops:
        row, data = (number, name), item(number, name)
        match op:
            case "insert":
                assert table.insert(data) == (row not in naive)
                naive += [row] if row not in naive else []
            case "delete":
                assert table.delete(data) == (row in naive)
                naive = [one for one in naive if one != row]
            case "look":
                assert table.find((1,), (name,)) == tuple(item(*one) for one in naive if one[1] == name)
            case _:
                assert table.clear() == len(naive)
                naive = []
    assert [row[:2] for row in table.scan()] == naive
    for name in "xy":
        assert table.find((1,), (name,)) == tuple(item(*one) for one in naive if one[1] == name)
    for number in range(3):
        assert table.by_index(5000, (number,)) == tuple(item(*one) for one in naive if one[0] == number)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ([math.nan], [-math.nan], True),
        ([0.0], [-0.0], True),
        ([[1, math.nan]], [(1, math.nan)], True),
        ([bsatn.Some(None)], [None], False),
        ([bsatn.Variant(0, 1)], [bsatn.Variant(1, 1)], False),
        (["1"], [1], False),
    ],
)
def test_keys(left: list[Any], right: list[Any], same: bool) -> None:
    assert (key_of(left) == key_of(right)) is same
    assert not same or hash(key_of(left)) == hash(key_of(right))


def test_relayout_forgets_what_was_decoded() -> None:
    table = Table(replace(ITEM, indexes=()))
    table.insert(item(1, "a"))
    assert table.find((0,), (1,)) == (item(1, "a"),)
    table.relayout(
        replace(ITEM, columns=tuple(replace(one, col_type=t.I32) if not one.col_pos else one for one in ITEM.columns))
    )
    table.insert(item(0xFFFFFFFF))
    assert [row[0] for row in table.scan()] == [1, -1]
    assert table.by_index(5000, (-1,)) == (item(0xFFFFFFFF),)


def test_records_of_a_system_table() -> None:
    state = CommittedState.bootstrapped()
    row = state.records(st.StColumnRow, (0, 1), (st.ST_VAR_ID, 1))[0]
    assert (row.col_name, row_codec(st.StColumnRow).encode(row)) == ("value", state.tables[2].find((0, 1), (8, 1))[0])
    assert isinstance(SYSTEM_SCHEMAS[8].row_type, ProductType)
