"""The reference's transactions run again: results, error texts, TxData, offsets, and the log byte for byte; then the state.

What cannot come out by itself is taken from the record: who called a reducer, and the order in which a module's indexes and
constraints get ids, which is that of a hash map. The server's random jumps of sequences do not occur in these logs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from defs import load
from defs.schema.table import TableSchema
from defs.store.commitlog import list_segments
from defs.store.datastore import Datastore
from defs.store.ddl.program import Program, initialize, update_program
from defs.store.ddl.update import Step, update_database
from defs.store.reading import Transaction as LoggedTransaction
from defs.store.reading import read_transactions
from defs.store.replay import ReplayError, replay
from defs.store.state import CommittedState, codec_of_rows
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.transaction import Transaction
from defs.store.txdata import ReducerCall, TableChange
from defs.system import rows as st

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import ROOT, SCENARIOS, expected

RECORDED = [name for name in SCENARIOS if expected(name).get("transactions")]
SEGMENT_SIZE = {"many": 1 << 16}
#: Scenarios in which the server does what is refused here unless asked for.
DEFECTIVE = {"event_reschema_same_tx": ("ReschemedTable", 2)}
JWT = '{"iss":"example","sub":"someone"}'
_STEP = re.compile(r'(\w+)(?:\(\(NamespacePath\(\[\]\), "(\w+)"\)\))?')


def program(number: int) -> Program:
    """What stands for the code of the reference's modules."""
    return Program(bytes.fromhex("0061736d01000000000604") + f"rev:{number}".encode())


class Rerun:
    """A scenario that is being run again."""

    def __init__(self, scenario: str, directory: Path, *, upstream: bool = False) -> None:
        self.scenario = scenario
        self.recorded = expected(scenario)
        self.datastore = Datastore.create(
            directory,
            database_identity=int(self.recorded["database_identity"], 16),
            owner_identity=int(self.recorded["owner_identity"], 16),
            upstream=upstream,
            max_segment_size=SEGMENT_SIZE.get(scenario, 1 << 30),
            fsync=False,
        )
        logged = [tx for tx in read_transactions(ROOT / scenario) if isinstance(tx, LoggedTransaction)]
        self.calls = {tx.inputs.timestamp: tx.inputs for tx in logged if tx.inputs}
        publishing = {group.table.table_id: group.values for group in logged[1].inserts}
        #: ids of indexes and constraints, as the reference gave them
        self.made = {
            **{row[2]: row[0] for row in publishing[st.ST_INDEX_ID]},
            **{row[1]: row[0] for row in publishing[st.ST_CONSTRAINT_ID]},
        }

    def arrange(self, schema: TableSchema) -> TableSchema:
        return replace(
            schema,
            indexes=tuple(sorted(schema.indexes, key=lambda one: self.made[one.index_name])),
            constraints=tuple(sorted(schema.constraints, key=lambda one: self.made[one.constraint_name])),
        )

    def run(self) -> None:
        for recorded in self.recorded["transactions"]:
            if recorded["outcome"] != "no_plan":
                self.transaction(recorded)

    def transaction(self, recorded: dict[str, Any]) -> None:
        label = recorded["label"]
        tx = self.datastore.begin(self._workload(recorded["workload"]))
        what, _, file = label.partition(" ")
        if what == "publish":
            initialize(tx, load(ROOT / self.scenario / file).validate(), program(1), self.arrange)
        elif what == "republish":
            self._republish(tx, file, recorded)
        for op in recorded.get("ops") or ():
            OPS[op["op"]](self, tx, op)
        if recorded["outcome"] == "rolled_back":
            assert tx.rollback() == recorded["rollback_returned_offset"], label
            return
        data = tx.commit()
        assert data.tx_offset == recorded["tx_offset"], label
        assert data.last_tx_offset == recorded["commit_returned_offset"], label
        assert [told(change) for change in data.tables.values()] == [named(one) for one in recorded["tx_data"]], label

    def _workload(self, workload: Any) -> Any:
        if isinstance(workload, str):
            return workload
        call = self.calls.get(workload["timestamp_micros"])  # of those not logged nobody knows who called
        return ReducerCall(
            workload["reducer"],
            (call and call.caller_identity) or 0,
            (call and call.caller_connection_id) or 0,
            workload["timestamp_micros"],
            bytes.fromhex(workload["arg_bsatn_hex"]),
        )

    def _republish(self, tx: Transaction, file: str, recorded: dict[str, Any]) -> None:
        module = load(ROOT / self.scenario / file).validate()
        found = [_STEP.fullmatch(step) for step in recorded["plan_steps"]]
        steps = [Step(step[1], (), step[2] or "") for step in found if step]
        assert len(steps) == len(recorded["plan_steps"])
        if recorded.get("update_error"):
            with pytest.raises(TransactionError) as caught:
                update_database(tx, module, steps)
            assert caught.value.upstream == recorded["update_error"]
            return
        updated = update_database(tx, module, steps)
        assert list(updated.log) == recorded["update_log"]
        assert updated.result == recorded["update_result"]
        number = re.search(r"_(\d+)\.bsatn", file)
        assert number
        update_program(tx, program(int(number[1])))

    # -- operations

    def _row(self, tx: Transaction, op: dict[str, Any], change: Callable[[], Any]) -> None:
        if not op["ok"]:
            with pytest.raises(TransactionError) as caught:
                change()
            assert caught.value.upstream == op["error"]
            return
        assert encoded(tx, op["table"], change()) == op["result"]["bsatn"]

    def insert(self, tx: Transaction, op: dict[str, Any]) -> None:
        self._row(tx, op, lambda: tx.insert(op["table"], bytes.fromhex(op["row"]["bsatn"])))

    def update(self, tx: Transaction, op: dict[str, Any]) -> None:
        schema = tx.schema(op["table"])
        index = next(one.index_name for one in schema.indexes if one.columns == (schema.primary_key,))
        self._row(tx, op, lambda: tx.update(op["table"], index, bytes.fromhex(op["row"]["bsatn"])))

    def delete(self, tx: Transaction, op: dict[str, Any]) -> None:
        assert tx.delete(op["table"], bytes.fromhex(op["row"]["bsatn"])) == bool(op["deleted"])

    def clear(self, tx: Transaction, op: dict[str, Any]) -> None:
        assert tx.clear_table(op["table"]) == op["deleted"]

    def scan(self, tx: Transaction, op: dict[str, Any]) -> None:
        assert [encoded(tx, op["table"], row) for row in tx.scan(op["table"])] == [row["bsatn"] for row in op["visible_rows"]]
        assert tx.count(op["table"]) == op["row_count"]

    def _client(self, tx: Transaction) -> tuple[int, int]:
        assert isinstance(tx.workload, ReducerCall)
        return int(tx.workload.caller_identity), int(tx.workload.caller_connection_id)

    def insert_st_client(self, tx: Transaction, op: dict[str, Any]) -> None:
        identity, connection = self._client(tx)
        tx.insert("st_client", (identity, connection))
        tx.insert("st_connection_credentials", (connection, JWT))

    def delete_st_client(self, tx: Transaction, op: dict[str, Any]) -> None:
        identity, connection = self._client(tx)
        assert tx.delete_by_index("st_client", "st_client_identity_connection_id_idx_btree", (identity, connection)) == 1
        assert tx.delete_by_index("st_connection_credentials", 13, connection) == 1


OPS: dict[str, Callable[[Rerun, Transaction, dict[str, Any]], None]] = {
    "insert": Rerun.insert,
    "update": Rerun.update,
    "delete": Rerun.delete,
    "clear": Rerun.clear,
    "scan": Rerun.scan,
    "insert_st_client": Rerun.insert_st_client,
    "delete_st_client": Rerun.delete_st_client,
}


def encoded(tx: Transaction, table: str, row: Any) -> str:
    return codec_of_rows(tx.schema(table).row_type).encode(row).hex()


def told(change: TableChange) -> dict[str, Any]:
    return {
        "table_id": change.table_id,
        "table_name": change.table_name,
        "is_event": change.is_event,
        "inserts": [row.hex() for row in change.inserts],
        "deletes": [row.hex() for row in change.deletes],
        "truncated": change.truncated,
        "ephemeral": change.ephemeral,
    }


def named(recorded: dict[str, Any]) -> dict[str, Any]:
    rows = {part: [row["bsatn"] for row in recorded[part]] for part in ("inserts", "deletes")}
    return {**recorded, **rows}


def check_live(state: CommittedState, live: dict[str, Any]) -> None:
    """The committed state is the one that the engine had."""
    assert sorted(row.table_id for row in state.records(st.StEventTableRow)) == live["st_event_table"]
    assert state.sequences_next() == {one["sequence_id"]: one["next_value"] for one in live["sequences_next"]}
    assert sorted(state.tables) == [table["table_id"] for table in live["tables"]]
    for table in live["tables"]:
        found = state.tables[table["table_id"]]
        schema = found.schema
        assert sorted(found) == [bytes.fromhex(row["bsatn"]) for row in table["rows"]]
        assert schema.table_name == table["table_name"]
        assert schema.is_event == table["is_event"]
        assert schema.primary_key == table["primary_key"]
        assert schema.table_access.name.lower() == table["access"]
        assert [column.col_name for column in schema.columns] == [column["name"] for column in table["columns"]]
        assert {index.index_name: index.index_id for index in schema.indexes} == {
            index["name"]: index["index_id"] for index in table["indexes"]
        }
        assert {one.constraint_name: one.columns for one in schema.constraints} == {
            one["name"]: tuple(one["unique_columns"]) for one in table["constraints"]
        }
        assert {one.sequence_name: one.col_pos for one in schema.sequences} == {
            one["name"]: one["column"] for one in table["sequences"]
        }


@pytest.mark.parametrize("scenario", RECORDED)
def test_recorded_transactions_come_out_the_same(scenario: str, tmp_path: Path) -> None:
    rerun = Rerun(scenario, tmp_path, upstream=scenario in DEFECTIVE)
    rerun.run()
    check_live(rerun.datastore.state, rerun.recorded["live"])
    rerun.datastore.close()
    segments = [segment.file for segment in list_segments(tmp_path)]
    assert segments == [segment["file"] for segment in rerun.recorded["segments"]]
    for file in segments:
        assert (tmp_path / file).read_bytes() == (ROOT / scenario / file).read_bytes(), file


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("scenario", RECORDED)
def test_the_log_written_replays_to_the_same_state(scenario: str, tmp_path: Path) -> None:
    rerun = Rerun(scenario, tmp_path, upstream=scenario in DEFECTIVE)
    rerun.run()
    live = rerun.datastore.state
    rerun.datastore.close()
    replayed = replay(tmp_path)
    assert replayed.next_tx_offset == live.next_tx_offset
    assert {table_id: set(table) for table_id, table in replayed.tables.items()} == {
        table_id: set(table) for table_id, table in live.tables.items()
    }
    assert {table_id: table.schema.normalize() for table_id, table in replayed.tables.items()} == {
        table_id: table.schema.normalize() for table_id, table in live.tables.items()
    }


@pytest.mark.parametrize("scenario", DEFECTIVE)
def test_defects_of_the_server_are_not_repeated(scenario: str, tmp_path: Path) -> None:
    kind, index = DEFECTIVE[scenario]
    rerun = Rerun(scenario, tmp_path)
    transactions = rerun.recorded["transactions"]
    for recorded in transactions[:index]:
        rerun.transaction(recorded)
    with pytest.raises(TransactionError) as caught:
        rerun.transaction(transactions[index])
    assert caught.value.kind == kind


@pytest.mark.usefixtures("each_engine")
def test_the_server_cannot_replay_what_it_wrote_of_events_after_a_reschema(tmp_path: Path) -> None:
    rerun = Rerun("event_reschema_same_tx", tmp_path, upstream=True)
    rerun.run()
    rerun.datastore.close()
    with pytest.raises(ReplayError):
        replay(tmp_path, upstream=True)
    replay(tmp_path)
