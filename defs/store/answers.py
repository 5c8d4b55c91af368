"""What the testee says of a log: its commits with their transactions, and the state that it leaves. (spec: event-tables 3)"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from defs.schema.table import TableSchema
from defs.store.commitlog import Commit, list_segments, read_commits
from defs.store.commitlog.txdata import Inputs
from defs.store.reading import LogReader, TableRows, Transaction
from defs.store.replay import replay
from defs.store.showing import fault_json, row_json
from defs.store.state import Row, Table
from defs.store.tracking import LogTable

__all__ = ["answer_read", "answer_replay"]


def answer_read(path: str) -> dict[str, Any]:
    """Segments, commits with their transactions, and damage, of all that can be read. Raises LogError."""
    txs: dict[int, list[dict[str, Any]]] = {}
    damage: list[dict[str, Any]] = []
    for item in LogReader(path, "salvage").transactions():
        if isinstance(item, Transaction):
            txs.setdefault(item.commit.min_tx_offset, []).append(_transaction(item))
        else:
            damage.append(fault_json(item))
    commits = [
        _commit(item, txs.get(item.min_tx_offset, []))
        for item in read_commits(path, mode="salvage")
        if isinstance(item, Commit)
    ]
    return {"segments": [asdict(segment) for segment in list_segments(path)], "commits": commits, "damage": damage}


def answer_replay(path: str) -> dict[str, Any]:
    """The tables after the last transaction, system tables among them. Raises ReplayError, LogError."""
    state = replay(path)
    return {"next_tx_offset": state.next_tx_offset, "tables": [_table(state.tables[number]) for number in sorted(state.tables)]}


def _commit(commit: Commit, txs: list[dict[str, Any]]) -> dict[str, Any]:
    whole = {
        name: getattr(commit, name) for name in ("segment", "byte_offset", "len", "min_tx_offset", "epoch", "n", "checksum")
    }
    return {**whole, "records_len": len(commit.records), "txs": txs}


def _transaction(tx: Transaction) -> dict[str, Any]:
    return {
        "tx_offset": tx.tx_offset,
        "record_offset": tx.record_offset,
        "record_len": tx.len,
        "inputs": None if tx.inputs is None else _inputs(tx.inputs),
        "outputs": None if tx.outputs is None else tx.outputs.hex(),
        "has_mutations": tx.has_mutations,
        "inserts": [_group(group) for group in tx.inserts],
        "deletes": [_group(group) for group in tx.deletes],
        "truncates": [{"table_id": table.table_id, "table_name": table.name} for table in tx.truncates],
    }


def _inputs(inputs: Inputs) -> dict[str, Any]:
    caller, connection, time, args = inputs.caller_identity, inputs.caller_connection_id, inputs.timestamp, inputs.args
    return {
        "reducer_name": inputs.reducer_name,
        "reducer_args_hex": inputs.reducer_args.hex(),
        "caller_identity": None if caller is None else caller.hex(),
        "caller_connection_id": None if connection is None else connection.hex(),
        "timestamp_micros": None if time is None else int(time),
        "arg_bsatn_hex": None if args is None else args.hex(),
    }


def _group(group: TableRows) -> dict[str, Any]:
    table = group.table
    rows = [_row(table, data, values) for data, values in zip(group.rows, group.values, strict=True)]
    return {"table_id": table.table_id, "table_name": table.name, "is_event": table.is_event, "rows": rows}


def _row(table: LogTable, data: bytes, values: Row) -> dict[str, str]:
    return {"bsatn": data.hex(), "json": row_json(table, values)}


def _table(table: Table) -> dict[str, Any]:
    schema: TableSchema = table.schema
    described = LogTable.of(schema)
    return {
        "table_id": schema.table_id,
        "table_name": schema.table_name,
        "table_type": described.table_type,
        "access": described.access,
        "is_event": schema.is_event,
        "primary_key": schema.primary_key,
        "row_count": len(table),
        "rows": [_row(described, data, table.row(data)) for data in sorted(table)],
    }
