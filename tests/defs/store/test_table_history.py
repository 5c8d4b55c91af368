"""A table's history as columns: what the engine says of its own logs; ranges, changed columns, names, damage, two engines."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bsatn
from bsatn import types as t
from bsatn.columns import Columns
from bsatn.errors import BsatnError
from bsatn.types import ProductType
from bsatn.values import Timestamp
from defs.store import HistoryReader, table_history
from defs.store.commitlog import LogError
from defs.store.commitlog.txdata import Inputs
from defs.store.history import LEADING, HistoryError
from defs.store.picking import PickingReader
from defs.store.reading import Transaction, read_transactions
from defs.system.errors import StoreError

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import ROOT, bootstrap, expected, record, user_table, write_log

pa = pytest.importorskip("pyarrow")

REPOSITORY = Path(__file__).parents[3]
TABLE = 4096
ROW = bsatn.product(id=t.U64, text=t.STRING)
CALL = struct.Struct("<32s16sq")
HEAD = [element.name for element in LEADING.elements]
_Line = tuple[int, int | None, str | None, bytes | None, str, bytes]  #: the leading columns, and a row's bytes


def lines_of(scenario: str, table: str) -> list[_Line]:
    """The history that follows from what the engine says: of a table that was emptied, the rows that it held in memory, the
    oldest first."""
    held = {one["tx_offset"]: one["tx_data"] for one in expected(scenario).get("transactions", ()) if "tx_offset" in one}
    found: list[_Line] = []
    born: dict[str, tuple[int, int]] = {}

    def rows_of(groups: list[Any], part: str) -> list[str]:
        return [row["bsatn"] for group in groups if group["table_name"] == table for row in group[part]]

    for tx in (tx for commit in expected(scenario)["commits"] for tx in commit["txs"]):
        inputs = tx["inputs"] or {}
        caller = inputs.get("caller_identity")
        head = tx["tx_offset"], inputs.get("timestamp_micros"), inputs.get("reducer_name"), caller and bytes.fromhex(caller)
        deletes, inserts = rows_of(tx["deletes"], "rows"), rows_of(tx["inserts"], "rows")
        if table in [one["table_name"] for one in tx["truncates"]]:
            deletes = sorted(rows_of(held[tx["tx_offset"]], "deletes"), key=born.__getitem__)
        found += [(*head, "delete", bytes.fromhex(row)) for row in deletes]
        found += [(*head, "insert", bytes.fromhex(row)) for row in inserts]
        born.update({row: (tx["tx_offset"], place) for place, row in enumerate(inserts)})
    return found


def read(history: Any) -> Any:
    """As a pyarrow table."""
    return pa.table(history)


def columns_of(found: list[_Line], row_type: ProductType) -> Any:
    """The same as a pyarrow table, made of lists."""
    heads = [pa.array(column) for column in ([line[at] for line in found] for at in range(5))]
    own = pa.table(bsatn.Codec(row_type).decode_columns(b"".join(line[5] for line in found), count=len(found), sums="struct"))
    return heads, own


def same(one: Any, other: Any) -> bool:
    """Whether tables are the same to the bit: also NaNs, and times that Python has none for."""
    ours, theirs = (table.combine_chunks().to_batches()[0].serialize().to_pybytes() for table in (one, other))
    return bool(one.schema.equals(other.schema) and ours == theirs)


def last_type(scenario: str, table: str) -> ProductType:
    reader = HistoryReader(ROOT / scenario, table)
    list(reader.chunks())
    assert reader._seen is not None
    return reader._seen.row_type


# What the engine says ---------------------------------------------------------------------------------------

CASES = [
    ("event_mixed", "chat_event"),
    ("event_mixed", "ping_event"),
    ("event_mixed", "player"),
    ("event_dropped", "other_event"),
    ("event_dropped", "note"),
    ("truncate", "bag"),
    ("truncate", "single"),
    ("plain", "player"),
    ("batched", "player"),
    ("many", "blip_event"),
    ("many", "nested"),
    ("many", "options"),
    ("many", "people"),
    ("many", "scalars"),
    ("many_zstd", "scalars"),
]


@pytest.mark.parametrize(("scenario", "table"), CASES)
def test_what_the_engine_says(scenario: str, table: str) -> None:
    want = lines_of("many" if scenario == "many_zstd" else scenario, table)
    assert want
    heads, own = columns_of(want, last_type(scenario, table))
    history = table_history(ROOT / scenario, table)
    assert (history.num_rows, history.faults) == (len(want), ())
    assert history.column_names == [*HEAD, *own.column_names]
    found = read(history)
    assert found["tx_offset"].to_pylist() == heads[0].to_pylist()
    assert found["tx_timestamp"].cast(pa.int64()).to_pylist() == heads[1].to_pylist()
    assert found["tx_reducer"].to_pylist() == heads[2].to_pylist()
    assert found["tx_caller"].to_pylist() == heads[3].to_pylist()
    assert found["tx_op"].to_pylist() == heads[4].to_pylist()
    assert same(found.select(own.column_names), own)


def test_the_types_of_the_leading_columns() -> None:
    fields = list(read(table_history(ROOT / "event_mixed", "ping_event")).schema)[:5]
    assert [(field.name, str(field.type), field.nullable) for field in fields] == [
        ("tx_offset", "uint64", False),
        ("tx_timestamp", "timestamp[us]", True),
        ("tx_reducer", "string", True),
        ("tx_caller", "fixed_size_binary[32]", True),
        ("tx_op", "string", False),
    ]


def test_it_is_what_the_log_reader_gives_row_by_row() -> None:
    rows = [
        (tx.tx_offset, value)
        for tx in read_transactions(ROOT / "event_mixed")
        if isinstance(tx, Transaction)
        for group in tx.events()
        if group.table.name == "chat_event"
        for value in group.values
    ]
    found = read(table_history(ROOT / "event_mixed", "chat_event"))
    assert [(one["tx_offset"], one["seq"], one["body"]) for one in found.to_pylist()] == [
        (offset, value[0], value[3]) for offset, value in rows
    ]
    assert {one.as_py() for one in found["tx_op"]} == {"insert"}


def test_a_table_by_its_id_and_a_system_table() -> None:
    by_name, by_id = (read(table_history(ROOT / "event_mixed", table)) for table in ("player", 4098))
    assert by_name.equals(by_id)
    kept = read(table_history(ROOT / "event_dropped", "st_event_table"))
    assert kept["tx_op"].to_pylist().count("insert") - kept["tx_op"].to_pylist().count("delete") == 1
    assert kept.filter(pa.compute.equal(kept["tx_offset"], 6))["tx_op"].to_pylist() == ["delete"]


_OTHER_ENGINE = """
import sys
import bsatn, pyarrow
from defs.store import table_history
directory, log, *tables = sys.argv[1:]
assert bsatn.engine() != "native"
for name in tables:
    table = pyarrow.table(table_history(log, name))
    with pyarrow.ipc.new_file(f"{directory}/{name}", table.schema) as writer:
        writer.write(table)
"""


def test_another_engine_gives_the_same(tmp_path: Path) -> None:
    tables = ["blip_event", "nested", "options", "people", "scalars"]
    command = [sys.executable, "-c", _OTHER_ENGINE, str(tmp_path), str(ROOT / "many"), *tables]
    subprocess.run(command, env={**os.environ, "BSATN_ENGINE": "python", "PYTHONPATH": str(REPOSITORY)}, check=True)
    for table in tables:
        with pa.OSFile(str(tmp_path / table)) as file:
            assert same(pa.ipc.open_file(file).read_all(), read(table_history(ROOT / "many", table)))


# Logs made by hand ------------------------------------------------------------------------------------------


def rows(*numbers: int, row_type: ProductType = ROW) -> list[bytes]:
    return [bsatn.Codec(row_type).encode((number, f"row {number}")) for number in numbers]


def called(name: str, micros: int) -> Inputs:
    return Inputs(name, CALL.pack(bytes(31) + b"\x07", bytes(16), micros))


def logged(directory: Path, *records: bytes, row_type: ProductType = ROW, event: bool = True, name: str = "ev") -> Path:
    return write_log(directory, [bootstrap(), record(user_table(TABLE, name, row_type, event=event)), *records])


def told(history: Any) -> list[tuple[int, str, int]]:
    """Transaction, operation and `id` of each row."""
    return [(one["tx_offset"], one["tx_op"], one["id"]) for one in read(history).to_pylist()]


def test_deletes_come_before_inserts(tmp_path: Path) -> None:
    log = logged(tmp_path, record({TABLE: rows(1, 2)}), record({TABLE: rows(3)}, {TABLE: rows(1)}), event=False)
    assert told(table_history(log, "ev")) == [(2, "insert", 1), (2, "insert", 2), (3, "delete", 1), (3, "insert", 3)]


def test_the_rows_of_a_table_that_is_emptied(tmp_path: Path) -> None:
    """Those it had, no others; also when they came before the range."""
    log = logged(
        tmp_path,
        record({TABLE: rows(1, 2, 3)}),
        record(deletes={TABLE: rows(2)}),
        record(truncates=[TABLE]),
        record({TABLE: rows(4)}),
        record(truncates=[TABLE]),
        record(truncates=[TABLE]),
        event=False,
    )
    assert told(table_history(log, "ev", first=3)) == [
        (3, "delete", 2), (4, "delete", 1), (4, "delete", 3), (5, "insert", 4), (6, "delete", 4),
    ]  # fmt: skip


def test_what_is_not_known_of_a_call_is_null(tmp_path: Path) -> None:
    inputs = called("hit", 5), Inputs("short", b"1"), None
    log = logged(tmp_path, *(record({TABLE: rows(number)}, inputs=one) for number, one in enumerate(inputs)))
    found = read(table_history(log, "ev"))
    assert found["tx_reducer"].to_pylist() == ["hit", "short", None]
    assert found["tx_timestamp"].cast(pa.int64()).to_pylist() == [5, None, None]
    assert found["tx_caller"].to_pylist() == [b"\x07" + bytes(31), None, None]


def test_leading_columns_give_way(tmp_path: Path) -> None:
    row_type = bsatn.product(tx_op=t.U64, tx_offset=t.STRING, tx_offset_=t.U8)
    codec = bsatn.Codec(row_type)
    log = logged(tmp_path, record({TABLE: [codec.encode((7, "mine", 9))]}), row_type=row_type)
    history = table_history(log, "ev")
    assert history.column_names == [
        "tx_offset__", "tx_timestamp", "tx_reducer", "tx_caller", "tx_op_", "tx_op", "tx_offset", "tx_offset_",
    ]  # fmt: skip
    (row,) = read(history).to_pylist()
    assert [row[name] for name in ("tx_offset__", "tx_op_", "tx_op", "tx_offset", "tx_offset_")] == [2, "insert", 7, "mine", 9]


def test_rows_without_bytes(tmp_path: Path) -> None:
    log = logged(tmp_path, record({TABLE: [b""]}), record({TABLE: [b""]}), row_type=bsatn.product())
    history = table_history(log, "ev")
    assert (history.num_rows, history.column_names) == (2, HEAD)


# Ranges -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "offsets"),
    [(0, None, [2, 3, 4]), (3, None, [3, 4]), (0, 3, [2, 3]), (3, 3, [3]), (4, 3, []), (9, 99, [])],
)
def test_ranges(tmp_path: Path, first: int, last: int | None, offsets: list[int]) -> None:
    log = logged(tmp_path, *(record({TABLE: rows(number)}) for number in range(3)))
    assert [offset for offset, *_ in told(table_history(log, "ev", first=first, last=last))] == offsets


def test_since(tmp_path: Path) -> None:
    """Without a call the time is that of the last one."""
    calls = None, called("a", 10), None, called("b", 20), None
    log = logged(tmp_path, *(record({TABLE: rows(number)}, inputs=one) for number, one in enumerate(calls)))
    assert [number for *_, number in told(table_history(log, "ev", since=Timestamp(10)))] == [1, 2, 3, 4]
    assert [number for *_, number in told(table_history(log, "ev", since=Timestamp(11)))] == [3, 4]
    assert told(table_history(log, "ev", since=Timestamp(21))) == []


def test_nothing_is_read_past_the_range(tmp_path: Path) -> None:
    log = logged(tmp_path, record({TABLE: rows(1)}), b"\xff")
    assert told(table_history(log, "ev", last=2)) == [(2, "insert", 1)]
    with pytest.raises(HistoryError):
        table_history(log, "ev", last=3)


def test_a_table_without_rows(tmp_path: Path) -> None:
    log = logged(tmp_path, record({TABLE: rows(1)}))
    for history in (
        table_history(log, "ev", last=1),
        table_history(log, "ev", first=3),
        table_history(log, "ev", last=1, merge=True),
    ):
        assert (history.num_rows, history.num_batches, history.column_names) == (0, 1, [*HEAD, "id", "text"])
        assert read(history).num_rows == 0


# Columns that change ----------------------------------------------------------------------------------------


def test_other_columns_are_told() -> None:
    with pytest.raises(StoreError) as caught:
        table_history(ROOT / "event_reschema", "feed_event")
    assert (caught.value.kind, caught.value.tx_offset) == ("ColumnsChanged", 5)
    assert str(caught.value) == (
        "transaction 5: from here on table feed_event has columns (payload String); before, (old_payload U64, payload U64); "
        "merge them, or read transactions up to 4 and from 5 on"
    )
    with pytest.raises(StoreError, match=r"merge them, or read tables 4096 and 4098, by their ids$"):
        table_history(ROOT / "add_columns", "item")


@pytest.mark.parametrize(("first", "last", "own"), [
    (0, 4, ["old_payload", "payload"]), (5, 7, ["payload"]), (8, 10, ["kind", "payload", "at"]),
    (11, None, ["id", "at", "kind"]),
])  # fmt: skip
def test_ranges_within_which_columns_stay(first: int, last: int | None, own: list[str]) -> None:
    history = table_history(ROOT / "event_reschema", "feed_event", first=first, last=last)
    assert history.column_names[5:] == own
    assert history.num_rows


def test_what_comes_before_other_columns_is_had() -> None:
    chunks = HistoryReader(ROOT / "event_reschema", "feed_event").chunks()
    assert next(chunks).num_rows == 3
    with pytest.raises(StoreError):
        next(chunks)


def test_a_table_that_is_emptied_when_it_is_empty_has_no_columns(tmp_path: Path) -> None:
    other = bsatn.product(id=t.U64)
    log = logged(
        tmp_path,
        record({TABLE: rows(1)}),
        record(user_table(TABLE + 1, "ev", other), truncates=[TABLE + 1]),
        record({TABLE: rows(2)}),
        event=False,
    )
    assert told(table_history(log, "ev")) == [(2, "insert", 1), (4, "insert", 2)]


def test_columns_are_merged() -> None:
    """Those of the newest rows first; null where a row has none."""
    want = [
        (tx.tx_offset, dict(zip((column.name for column in group.table.columns), value, strict=True)))
        for tx in read_transactions(ROOT / "add_columns")
        if isinstance(tx, Transaction)
        for group in tx.inserts
        if group.table.name == "item"
        for value in group.values
    ]
    found = read(table_history(ROOT / "add_columns", "item", merge=True))
    assert found.column_names[5:] == ["id", "label", "qty", "price", "note", "kind"]
    assert [field.nullable for field in list(found.schema)[5:]] == [False, False, False, True, True, True]
    inserted = [row for row in found.to_pylist() if row["tx_op"] == "insert"]
    assert [(row["tx_offset"], {name: row[name] for name in found.column_names[5:]}) for row in inserted] == [
        (offset, {name: row.get(name) for name in found.column_names[5:]}) for offset, row in want
    ]
    assert {row["kind"] for row in inserted} > {None, "none"}


def test_columns_that_went_are_merged() -> None:
    found = read(table_history(ROOT / "event_reschema", "feed_event", first=8, merge=True))
    assert found.column_names[5:] == ["id", "at", "kind", "payload"]
    assert found["payload"].to_pylist() == [[37150, 39739], [0], [0, 13452, 21, 56270], None, None, None]
    assert found["id"].to_pylist() == [None, None, None, 1, 2, 3]
    assert found["kind"].to_pylist() == ["warning", "fatal", "fatal", "info", "info", "warning"]


def test_columns_of_two_types_are_not_merged() -> None:
    with pytest.raises(StoreError) as caught:
        table_history(ROOT / "event_reschema", "feed_event", merge=True)
    assert (caught.value.kind, caught.value.fields["column"]) == ("ColumnsDiffer", "payload")
    assert "column payload is String in older rows and Array<U16> in newer ones" in str(caught.value)


def test_columns_of_one_name(tmp_path: Path) -> None:
    """No server has them; nothing is lost of them."""
    twice = ProductType((t.ProductTypeElement("a", t.U8), t.ProductTypeElement("a", t.U16)))
    log = logged(tmp_path, record({TABLE: [b"\1\2\0"]}), row_type=twice)
    for merge in (False, True):
        found = read(table_history(log, "ev", merge=merge))
        assert [found.column(at).to_pylist() for at in (5, 6)] == [[1], [2]]
    other = record({**user_table(TABLE + 1, "ev", ROW), TABLE + 1: rows(1)})
    log = logged(tmp_path / "two", record({TABLE: [b"\1\2\0"]}), other, row_type=twice)
    with pytest.raises(StoreError, match=r"columns \(a U8, a U16\) have a name twice, so they cannot be merged"):
        table_history(log, "ev", merge=True)


def test_merging_what_does_not_change_changes_nothing() -> None:
    plain, merged = (read(table_history(ROOT / "many", "nested", merge=merge)) for merge in (False, True))
    assert same(plain, merged)


def test_an_event_in_the_transaction_that_changes_its_columns() -> None:
    assert read(table_history(ROOT / "event_reschema_same_tx", "feed_event", first=3))["payload"].to_pylist() == ["hello"] * 2


# What is wrong ----------------------------------------------------------------------------------------------


def test_damage() -> None:
    damaged = ROOT / "damaged_flip_first_segment"
    with pytest.raises(HistoryError) as caught:
        table_history(damaged, "blip_event")
    assert caught.value.kind == "Checksum"
    assert "at byte 37854" in str(caught.value)
    salvaged = table_history(damaged, "options", mode="salvage")
    assert [fault.kind for fault in salvaged.faults] == ["Checksum"]
    whole = table_history(ROOT / "many", "options")
    assert set(offsets_of(whole)) - set(offsets_of(salvaged)) == {47}


def test_faults_are_told_once_when_the_log_is_read_twice() -> None:
    salvaged = table_history(ROOT / "damaged_flip_first_segment", "options", mode="salvage", merge=True)
    assert len(salvaged.faults) == 1


def offsets_of(history: Columns) -> list[int]:
    found: list[int] = read(history)["tx_offset"].to_pylist()
    return found


def test_what_comes_before_damage_is_had() -> None:
    reader = HistoryReader(ROOT / "damaged_flip_first_segment", "blip_event")
    chunks = reader.chunks()
    assert offsets_of(next(chunks)) == offsets_of(table_history(ROOT / "many", "blip_event", last=46))
    with pytest.raises(HistoryError):
        next(chunks)
    assert len(reader.faults) == 1


def test_damage_before_the_first_row_or_the_table(tmp_path: Path) -> None:
    log = write_log(tmp_path, [bootstrap(), b"\xff"])
    for merge in (False, True):
        with pytest.raises(HistoryError):
            table_history(log, "ev", merge=merge)
        with pytest.raises(StoreError, match="the log has no table zzz; it has st_"):
            table_history(log, "zzz", merge=merge, mode="salvage")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("player_", "the log has no table player_; did you mean player?"),
        ("envent", "the log has no table envent; did you mean ping_event or chat_event?"),
        ("xyz", "the log has no table xyz; it has chat_event, ping_event, player"),
        (9999, "the log has no table 9999; it has chat_event, ping_event, player"),
    ],
)
def test_no_such_table(table: str | int, says: str) -> None:
    with pytest.raises(StoreError) as caught:
        table_history(ROOT / "event_mixed", table)
    assert (caught.value.kind, str(caught.value)) == ("TableNotFound", says)


def test_no_such_log(tmp_path: Path) -> None:
    with pytest.raises(LogError):
        table_history(tmp_path, "ev")


def test_a_number_that_is_too_wide_is_told_with_its_transaction() -> None:
    with pytest.raises(StoreError) as caught:
        table_history(ROOT / "many", "scalars", wide="decimal")
    assert caught.value.kind == "LimitExceeded"
    assert str(caught.value).startswith("transaction 12: table scalars, i_128: a number has too many digits")


def test_a_type_without_columns(tmp_path: Path) -> None:
    deep: t.AlgebraicType = t.U16
    for _ in range(61):
        deep = t.ArrayType(deep)
    log = logged(tmp_path, row_type=bsatn.product(deep=deep))
    with pytest.raises(BsatnError) as caught:
        table_history(log, "ev")
    assert (caught.value.kind, str(caught.value).startswith("table ev, deep")) == ("ColumnsTooDeep", True)


# Chunks, and who takes them ---------------------------------------------------------------------------------


def test_chunks_are_of_a_size(tmp_path: Path) -> None:
    log = logged(tmp_path, *(record({TABLE: rows(*range(start, start + 100))}) for start in range(1000, 2000, 100)))
    parts = list(HistoryReader(log, "ev", chunk=8000).chunks())
    assert [part.num_rows for part in parts] == [200, 200, 200, 200, 200]
    assert [number for part in parts for *_, number in told(part)] == list(range(1000, 2000))
    assert told(table_history(log, "ev")) == [row for part in parts for row in told(part)]


def test_a_transaction_of_many_rows_is_no_single_chunk(tmp_path: Path) -> None:
    log = logged(tmp_path, record({TABLE: rows(*range(10_000))}))
    parts = list(HistoryReader(log, "ev", chunk=1).chunks())
    assert [part.num_rows for part in parts] == [4096, 4096, 1808]
    assert [number for part in parts for *_, number in told(part)] == list(range(10_000))


def test_rows_are_picked_without_making_values() -> None:
    """Of records that describe no table; of other tables nothing is kept."""
    picked = [
        (item.tx_offset, group.rows)
        for item in PickingReader(ROOT / "many", "strict", lambda table: table.name == "scalars").transactions()
        if isinstance(item, Transaction) and item.tx_offset > 1
        for group in item.inserts
        if not group.values
    ]
    want = [
        (item.tx_offset, group.rows)
        for item in read_transactions(ROOT / "many")
        if isinstance(item, Transaction) and not item.truncates
        for group in item.inserts
        if group.table.name == "scalars"
    ]
    assert picked == want


def test_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defs.store.history._TELL", 0)
    log, lines = logged(tmp_path, record({TABLE: rows(1)})), list[str]()
    list(HistoryReader(log, "ev", progress=lines.append).chunks())
    assert lines[-1].endswith(" MB, 3 transactions, 1 rows")


def test_sums_as_unions() -> None:
    found = read(table_history(ROOT / "event_mixed", "chat_event", sums="union"))
    assert pa.types.is_union(found.schema.field("kind").type)
    assert found["tx_reducer"].to_pylist() == read(table_history(ROOT / "event_mixed", "chat_event"))["tx_reducer"].to_pylist()


def test_polars_and_duckdb_take_every_table() -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    for table in ("blip_event", "nested", "options", "people", "scalars"):
        history = table_history(ROOT / "many", table)
        frame, relation = polars.DataFrame(history), duckdb.sql("select tx_offset, tx_op from history").fetchall()
        assert frame.height == history.num_rows > 0
        assert relation == list(zip(frame["tx_offset"], frame["tx_op"], strict=True))
