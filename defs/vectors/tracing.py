"""Traces run by this library's own datastore: what the testee protocol does not ask of them.

Results of the operations, the changes that a commit records, its record in the log, and the state after replaying that log.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from defs import raw
from defs.conformance.asking import Difference
from defs.conformance.checks.common import differs
from defs.schema.model import ModuleDef
from defs.store.commitlog.txdata import write_txdata
from defs.store.datastore import Datastore
from defs.store.replay import replay
from defs.store.state import CommittedState, codec_of_rows
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.transaction import Transaction
from defs.store.txdata import TableChange
from defs.validate import validate
from defs.vectors.files import Case

__all__ = ["trace_differences"]

_FIRST_USER_TABLE = 4096


def trace_differences(case: Case, _: Path) -> Iterator[Difference]:
    """What this library makes otherwise of a case."""
    module = _module(case["module"])
    with tempfile.TemporaryDirectory(prefix="bsatn-trace-") as place:
        with Datastore.create(place, fsync=False) as datastore:
            datastore.publish(module)
            with datastore.begin() as before:
                for group in case["setup"]:
                    for row in group["rows"]:
                        before.insert(group["table"], row)
                before.commit()
            with datastore.begin() as tx:
                results = [_performed(tx, one) for one in case["operations"]]
                data = tx.commit()
        yield from differs("results", [_told(one) for one in case["results"]], results)
        yield from differs("changes", case["changes"], [_change(one) for one in data.tables.values()])
        record = None if data.tx_offset is None else write_txdata(data.to_txdata())
        yield from differs("record", case.get("record"), record)
        yield from differs("state", case["state"]["tables"], _tables(replay(place)))


@lru_cache(maxsize=16)
def _module(data: bytes) -> ModuleDef:
    return validate(raw.decode(data))


def _performed(tx: Transaction, operation: Case) -> dict[str, Any]:
    table, row = operation["table"], operation["row"]
    if operation["op"] == "delete":
        return {"deleted": int(tx.delete(table, row))}
    try:
        inserted = tx.insert(table, row)
    except TransactionError as error:
        return {"ok": False, "message": error.message}
    stored = codec_of_rows(tx.schema(table).row_type).encode(inserted)
    return {"ok": True, "row": stored} if stored != row else {"ok": True}


def _told(result: Case) -> Case:
    """A result; of a message, what is the server's own word and not that of the crates around it."""
    return {**result, "message": result["message"].partition(": ")[2]} if "message" in result else result


def _change(change: TableChange) -> dict[str, Any]:
    rows = {"inserts": list(change.inserts), "deletes": list(change.deletes)}
    return {"table": change.table_name, "table_id": change.table_id, "is_event": change.is_event, **rows,
            "truncated": change.truncated}  # fmt: skip


def _tables(state: CommittedState) -> list[dict[str, Any]]:
    tables = (state.tables[number] for number in sorted(state.tables) if number >= _FIRST_USER_TABLE)
    return [{"table_id": one.schema.table_id, "table_name": one.schema.table_name, "is_event": one.schema.is_event,
             "rows": sorted(one)} for one in tables]  # fmt: skip
