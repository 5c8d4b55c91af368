"""Replay: the state of every scenario is the reference's; what is damaged or contradicts itself is told."""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bsatn
from bsatn import types as t
from bsatn.satsjson import dumps
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE
from defs.schema.table import TableSchema
from defs.store.reading import LogReader, Mode
from defs.store.replay import ReplayError, replay
from defs.store.state import CommittedState
from defs.system import rows as st
from defs.system.tables import bootstrap_rows

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import ROOT, SCENARIOS, bootstrap, column, encoded, expected, record, records_of, user_table, write_log

pytestmark = pytest.mark.usefixtures("each_engine")

DAMAGED = [name for name in SCENARIOS if name.startswith("damaged_")]
REPLAYABLE = [name for name in SCENARIOS if expected(name)["replayed"]["ok"]]
HARMLESS = {"damaged_duplicate_commit", "damaged_empty_segment"}  #: nothing is lost
ROW = bsatn.product(id=t.U64, text=t.STRING)
TABLE = 4096


def row(number: int, text: str = "") -> bytes:
    return bsatn.Codec(ROW).encode((number, text))


# The scenarios ----------------------------------------------------------------------------------------------


def parts(schema: TableSchema) -> dict[str, Any]:
    """A schema in the words of the reference."""
    return {
        "columns": [
            {"name": one.col_name, "type": json.loads(dumps(ALGEBRAIC_TYPE_SHAPE, one.col_type))} for one in schema.columns
        ],
        "indexes": [(one.index_id, one.index_name, type(one.index_algorithm).__name__, one.columns) for one in schema.indexes],
        "constraints": [(one.constraint_id, one.constraint_name, one.columns) for one in schema.constraints],
        "sequences": [(one.sequence_id, one.sequence_name, one.col_pos, one.start) for one in schema.sequences],
    }


def parts_seen(table: dict[str, Any]) -> dict[str, Any]:
    def index(one: dict[str, Any]) -> Any:
        name, _, rest = one["algorithm"].partition("(")
        return one["index_id"], one["name"], name, tuple(map(int, re.findall(r"ColId\((\d+)\)", rest)))

    return {
        "columns": table["columns"],
        "indexes": [index(one) for one in table["indexes"]],
        "constraints": [(one["constraint_id"], one["name"], tuple(one["unique_columns"])) for one in table["constraints"]],
        "sequences": [(one["sequence_id"], one["name"], one["column"], one["start"]) for one in table["sequences"]],
    }


def ordered(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: part if name == "columns" else sorted(part) for name, part in parts.items()}


def check(state: CommittedState, scenario: str) -> None:
    """The state is the one that the reference came to."""
    want = expected(scenario)["replayed"]
    assert state.next_tx_offset == expected(scenario)["next_tx_offset"]
    assert state.tables.keys() == {table["table_id"] for table in want["tables"]}
    assert sorted(one.table_id for one in state.records(st.StEventTableRow)) == want["st_event_table"]
    assert state.sequences_next() == {one["sequence_id"]: one["next_value"] for one in want["sequences_next"]}
    for table in want["tables"]:
        found = state.tables[table["table_id"]]
        schema = found.schema
        assert (schema.table_name, schema.is_event, len(found)) == (table["table_name"], table["is_event"], table["row_count"])
        if "rows" in table:
            assert sorted(data.hex() for data in found) == [one["bsatn"] for one in table["rows"]]
            assert (schema.table_type.name.lower(), schema.table_access.name.lower()) == (table["table_type"], table["access"])
            assert schema.primary_key == table["primary_key"]
            assert ordered(parts(schema)) == ordered(parts_seen(table))
        for index in schema.indexes:  # they are built of what is there
            for values in list(found.scan())[:5]:
                assert found.codec.encode(values) in found.by_index(index.index_id, [values[one] for one in index.columns])


@pytest.mark.parametrize("scenario", [name for name in REPLAYABLE if name not in DAMAGED])
@pytest.mark.parametrize("mode", ["strict", "salvage"])
def test_the_state_is_the_references(scenario: str, mode: Mode) -> None:
    check(replay(ROOT / scenario, mode=mode), scenario)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_as_upstream(scenario: str) -> None:
    """It replays exactly the logs that the reference replays, to the same state, and says so where it passes over damage."""
    if scenario in REPLAYABLE:
        state = replay(ROOT / scenario, upstream=True)
        check(state, scenario)
        errors = [item for item in expected(scenario)["reader"]["commits_iterator"] if "error" in item]
        assert len(state.faults) == len(errors)
        return
    with pytest.raises(ReplayError) as caught:
        replay(ROOT / scenario, upstream=True)
    errors = expected(scenario)["replayed"]["errors"]
    if "out-of-order offset" not in errors[0]:  # the server's words, where it is not about the last segment's extent
        assert errors[-1 if scenario == "damaged_magic" else 1 - (len(errors) < 2)] in str(caught.value)


@pytest.mark.parametrize("scenario", [name for name in DAMAGED if name not in HARMLESS])
def test_damage_is_told(scenario: str) -> None:
    """By default no transaction is lost silently, as the reference loses those behind `damaged_flip_length`."""
    with pytest.raises(ReplayError) as caught:
        replay(ROOT / scenario)
    assert caught.value.fault is not None
    assert caught.value.fault.segment in str(caught.value)


@pytest.mark.parametrize("scenario", DAMAGED)
def test_salvage(scenario: str) -> None:
    """As much as can be had without a gap, and what is wrong."""
    state = replay(ROOT / scenario, mode="salvage")
    assert bool(state.faults) == (scenario != "damaged_empty_segment")
    if scenario in ("damaged_version", "damaged_algorithm", "damaged_magic"):  # only the header of the last segment is bad
        check(replace_next(state), "many")
        return
    assert state.next_tx_offset == expected(scenario)["next_tx_offset"]
    if scenario in REPLAYABLE:
        check(state, scenario)


def replace_next(state: CommittedState) -> CommittedState:
    """For comparison with `many`, of which these are copies."""
    assert state.next_tx_offset == 291
    return state


@pytest.mark.parametrize("scenario", ["damaged_flip_middle", "damaged_gap", "damaged_missing_segment", "damaged_flip_length"])
def test_up_to_a_transaction_before_the_damage(scenario: str) -> None:
    last = expected(scenario)["next_tx_offset"] - 1
    sound = replay(ROOT / "many", at=last)
    state = replay(ROOT / scenario, at=last)
    assert rows_of(state) == rows_of(sound)
    with pytest.raises(ReplayError):
        replay(ROOT / scenario, at=last + 1)


def rows_of(state: CommittedState) -> dict[int, set[bytes]]:
    return {table_id: set(table) for table_id, table in state.tables.items()}


def test_every_point_of_a_log() -> None:
    """The rows that a transaction leaves are those that it should, one transaction after the other."""
    before = rows_of(CommittedState.bootstrapped())
    for offset in range(12):
        state = replay(ROOT / "truncate", at=offset)
        assert state.next_tx_offset == offset + 1
        commit = expected("truncate")["commits"][offset]["txs"][0]
        for group in commit["inserts"]:
            before.setdefault(group["table_id"], set()).update(bytes.fromhex(one["bsatn"]) for one in group["rows"])
        for group in commit["deletes"]:
            before[group["table_id"]] -= {bytes.fromhex(one["bsatn"]) for one in group["rows"]}
        for one in commit["truncates"]:
            before[one["table_id"]] = set()
        assert {table_id: rows for table_id, rows in rows_of(state).items() if rows} == {k: v for k, v in before.items() if v}
    with pytest.raises(ReplayError, match="there is no transaction 12: the last one is 11"):
        replay(ROOT / "truncate", at=12)


def test_progress() -> None:
    seen: list[tuple[int, int]] = []

    def progress(reader: LogReader) -> None:
        seen.append((reader.next, reader.bytes))

    replay(ROOT / "plain", progress=progress)
    assert [one for one, _ in seen] == sorted({one for one, _ in seen})
    assert (seen[0][0], seen[-1]) == (1, (10, (ROOT / "plain" / f"{0:020}.stdb.log").stat().st_size - 10))


# The checklist of upstream's pull request -------------------------------------------------------------------


def start(*more: bytes, event: bool = True) -> list[bytes]:
    """A new database with a table, then more records."""
    return [bootstrap(), record(user_table(TABLE, "ev", ROW, event=event)), *more]


def replayed(tmp_path: Path, log: Iterable[bytes], *, mode: Mode = "strict", upstream: bool = False) -> CommittedState:
    return replay(write_log(tmp_path / "log", log), mode=mode, upstream=upstream)


def error_of(tmp_path: Path, log: Iterable[bytes]) -> ReplayError:
    with pytest.raises(ReplayError) as caught:
        replayed(tmp_path, log)
    return caught.value


def test_replay_skips_event_rows(tmp_path: Path) -> None:
    state = replayed(tmp_path, start(record({TABLE: [row(1), row(2)]}), record({TABLE: [row(1)]})))
    assert (state.tables[TABLE].schema.is_event, len(state.tables[TABLE]), state.next_tx_offset) == (True, 0, 4)


def test_replay_keeps_rows_of_ordinary_tables(tmp_path: Path) -> None:
    state = replayed(tmp_path, start(record({TABLE: [row(1), row(2)]}), event=False))
    assert list(state.tables[TABLE].scan()) == [(1, ""), (2, "")]


def test_replay_of_a_dropped_event_table(tmp_path: Path) -> None:
    described = user_table(TABLE, "ev", ROW, event=True)
    dropped = record(None, {1: described[1], 2: described[2]}, [17])
    state = replayed(tmp_path, start(record({TABLE: [row(1)]}), dropped))
    assert TABLE not in state.tables
    assert rows_of(state) == rows_of(CommittedState.bootstrapped())


def test_replay_deletes_orphans_of_st_event_table(tmp_path: Path) -> None:
    described = user_table(TABLE, "ev", ROW, event=True)
    dropped = record(None, {1: described[1], 2: described[2]})
    state = replayed(tmp_path, start(record({TABLE: [row(1)]}), dropped))
    assert state.records(st.StEventTableRow) == []


def test_replay_event_table_schema_change(tmp_path: Path) -> None:
    """Old rows and new ones in one log."""
    change = record({2: [column(TABLE, 0, "payload", t.STRING)]}, {2: user_table(TABLE, "ev", ROW)[2]})
    new = bsatn.Codec(bsatn.product(t.STRING)).encode(("x",))
    state = replayed(tmp_path, start(record({TABLE: [row(1)]}), change, record({TABLE: [new]})))
    assert [one.col_name for one in state.tables[TABLE].schema.columns] == ["payload"]
    assert len(state.tables[TABLE]) == 0


def test_replay_updated_st_table(tmp_path: Path) -> None:
    private = st.StTableRow(TABLE, "ev", "user", "private", (0,))
    update = record({1: [encoded(private)]}, {1: user_table(TABLE, "ev", ROW)[1]})
    schema = replayed(tmp_path, start(update, record({TABLE: [row(1)]}))).tables[TABLE].schema
    assert (schema.table_access.name, schema.primary_key, schema.is_event) == ("Private", 0, True)


def test_event_and_reschema_in_one_transaction(tmp_path: Path) -> None:
    """Sound by default; the reference's own error when asked for."""
    state = replay(ROOT / "event_reschema_same_tx")
    assert state.next_tx_offset == 5
    assert [one.col_name for one in state.tables[TABLE].schema.columns] == ["payload"]
    with pytest.raises(ReplayError, match=r"data too short for \[u8\]: Expected 131951, given 232"):
        replay(ROOT / "event_reschema_same_tx", upstream=True)


# What a log may contradict ----------------------------------------------------------------------------------


def test_contradictions(tmp_path: Path) -> None:
    ordinary = start(record({TABLE: [row(1)]}), event=False)
    described = user_table(TABLE, "ev", ROW)
    system = encoded(st.StTableRow(TABLE, "ev", "system", "public", None))
    narrow = column(TABLE, 1, "text", t.BOOL)
    cases: list[tuple[bytes, str, str]] = [
        (record({TABLE: [row(1)]}), "RowExists", "a row of table 4096 (ev) is inserted that is there already"),
        (record(None, {TABLE: [row(2)]}), "RowMissing", "a row of table 4096 (ev) is deleted that is not there"),
        (record({1: [system]}, {1: described[1]}), "TableTypeChanged", "cannot become 'system'"),
        (record({1: [encoded(st.StTableRow(TABLE, "two", "user", "public", None))]}), "UnfinishedChange", "described twice"),
        (record({2: [narrow]}), "UnfinishedChange", "described twice"),
        (record({2: [narrow]}, {2: [described[2][1]]}), "IncompatibleLayout", "does not fit its new columns"),
        (record({17: [encoded(st.StEventTableRow(TABLE))] * 2}), "RowExists", "st_event_table"),
    ]
    for content, kind, says in cases:
        error = error_of(tmp_path, [*ordinary, content])
        assert (error.kind, error.tx_offset) == (kind, 3), content
        assert says in str(error)
        assert str(error).startswith("transaction 3: ")


def test_built_in_rows_may_come_again(tmp_path: Path) -> None:
    """The rows that transaction 0 logs are there from the start; those of a user's table are not."""
    again = {table_id: list(rows) for table_id, rows in bootstrap_rows().items()}
    state = replayed(tmp_path, [bootstrap(), record(again)])
    assert rows_of(state) == rows_of(CommittedState.bootstrapped())
    first = record({1: user_table(TABLE, "ev", ROW)[1]})
    assert error_of(tmp_path, start(first)).kind == "RowExists"
    assert replayed(tmp_path, start(first), upstream=True).next_tx_offset == 3  # its bound is off by one
    second = [bootstrap(), *(record(user_table(TABLE + 1, "b", ROW)) for _ in range(2))]
    with pytest.raises(ReplayError):
        replayed(tmp_path, second, upstream=True)


def test_rows_fit_wider_columns(tmp_path: Path) -> None:
    """As when a sum gets another variant."""
    one, two = bsatn.sum_(a=t.U8), bsatn.sum_(a=t.U8, b=t.STRING)
    described = user_table(TABLE, "t", bsatn.product(x=one))
    change = record({2: [column(TABLE, 0, "x", two)]}, {2: described[2]})
    log = [bootstrap(), record(described), record({TABLE: [b"\0\7"]}), change, record({TABLE: [b"\1" + bytes(4)]})]
    assert [values for (values,) in replayed(tmp_path, log).tables[TABLE].scan()] == [(0, 7), (1, "")]


def test_a_truncated_table_is_emptied_and_an_unknown_one_is_an_error(tmp_path: Path) -> None:
    state = replayed(
        tmp_path, start(record({TABLE: [row(1)]}), record(None, None, [TABLE]), record({TABLE: [row(1)]}), event=False)
    )
    assert list(state.tables[TABLE].scan()) == [(1, "")]
    assert error_of(tmp_path, start(record(None, None, [5000]))).kind == "TableNotFound"


def test_the_largest_of_several_rows_for_a_system_sequence(tmp_path: Path) -> None:
    first = CommittedState.bootstrapped().records(st.StSequenceRow, (0,), (1,))[0]
    rows = [encoded(replace(first, allocated=allocated)) for allocated in (5000, 9000, 7000)]
    state = replayed(tmp_path, [bootstrap(), record({3: rows})])
    assert (state.sequences_next()[1], len(state.tables[3])) == (9000, 8)


def test_missing_system_tables_are_added(tmp_path: Path) -> None:
    """Databases from before event tables get `st_event_table`."""
    mine = {number: [one for one in rows if about(number, one) == 17] for number, rows in bootstrap_rows().items()}
    assert [len(mine[number]) for number in range(1, 6)] == [1, 1, 0, 1, 1]
    without = record(None, {number: rows for number, rows in mine.items() if rows})
    state = replayed(tmp_path, [bootstrap(), without])
    assert rows_of(state) == rows_of(CommittedState.bootstrapped())


def about(number: int, data: bytes) -> int:
    value: int = CommittedState().tables[number].codec.decode(data)[{1: 0, 2: 0, 3: 2, 4: 1, 5: 2}[number]]
    return value


def test_a_system_table_that_is_not_ours(tmp_path: Path) -> None:
    extra = record({2: [column(st.ST_VAR_ID, 2, "more", t.U8)]})
    error = error_of(tmp_path, [bootstrap(), extra])
    assert (error.kind, "st_var" in str(error)) == ("SystemTableMismatch", True)


def test_an_empty_log(tmp_path: Path) -> None:
    state = replayed(tmp_path, [])
    assert (rows_of(state), state.next_tx_offset) == (rows_of(CommittedState.bootstrapped()), 0)


def test_a_log_whose_beginning_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="the log begins here") as caught:
        replay(write_log(tmp_path / "log", [record({TABLE: [row(1)]})], first=7))
    assert caught.value.kind == "MissingStart"


def test_random_changes_never_do_worse_than_an_error(tmp_path: Path) -> None:
    chance = random.Random(5)
    kinds = set()
    for scenario in ("event_dropped", "truncate"):
        contents = records_of(scenario)
        for _ in range(60):
            which = chance.randrange(1, len(contents))
            one = bytearray(contents[which])
            one[chance.randrange(len(one))] ^= 1 << chance.randrange(8)
            log = [*contents[:which], bytes(one), *contents[which + 1 :]]
            for upstream in (False, True):
                try:
                    replayed(tmp_path, log, upstream=upstream)
                except ReplayError as error:
                    kinds.add(error.kind)
    assert {"RowMissing", "BufferLength", "TableNotFound"} <= kinds
