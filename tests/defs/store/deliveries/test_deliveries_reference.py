"""Every case of the reference: what the transaction changed, and what each query's subscribers get."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from delivery_cases import cases, module_of

from bsatn import Identity
from defs.query.sql import Catalog, compile
from defs.store.datastore import Datastore
from defs.store.deliveries import changes_for, initial_rows, is_initial_sent
from defs.store.transactions.errors import TransactionError
from defs.store.txdata import TxData


def hexed(rows: Any) -> list[str]:
    return sorted(one.hex() for one in rows)


def prepared(case: dict[str, Any]) -> Datastore:
    datastore = Datastore.create()
    datastore.publish(module_of(case))
    with datastore.begin() as tx:
        for table, rows in case["setup"].items():
            for one in rows:
                tx.insert(table, bytes.fromhex(one["bsatn"]))
        tx.commit()
    return datastore


def transacted(datastore: Datastore, operations: list[dict[str, Any]]) -> TxData:
    with datastore.begin() as tx:
        for op in operations:
            found: dict[str, Any] = {}
            try:
                if op["op"] == "insert":
                    tx.insert(op["table"], bytes.fromhex(op["row"]))
                    found = {"ok": True}
                else:
                    found = {"deleted": int(tx.delete(op["table"], bytes.fromhex(op["row"])))}
            except TransactionError as error:
                found = {"ok": False, "error": error.upstream}
            assert {key: op.get(key) for key in found} == found
        return tx.commit()


def test_every_case_is_delivered_as_the_reference_delivers_it() -> None:
    counts = Counter[str]()
    for case in cases():
        datastore, catalog = prepared(case), Catalog(module_of(case))
        state, sender = datastore.state, Identity.from_hex(case["caller_identity"])
        plans = [plan for query in case["queries"] for plan in compile(query["sql"], catalog)]
        for plan, query in zip(plans, case["queries"], strict=True):
            assert hexed(initial_rows(plan, state, sender=sender)) == query["initial"], (case["id"], query["sql"])
            assert is_initial_sent(plan, state) == query["initial_sent"], (case["id"], query["sql"])
        commit = transacted(datastore, case["tx"])
        user = [change for change in commit.tables.values() if not change.table_name.startswith("st_")]
        changed = {one.table_name: {"inserts": hexed(one.inserts), "deletes": hexed(one.deletes)} for one in user}
        assert changed == case["changes"], case["id"]
        for plan, query in zip(plans, case["queries"], strict=True):
            for upstream, want in ((True, query), (False, query.get("skipped", query))):
                have = changes_for(plan, commit, state, sender=sender, upstream=upstream)
                assert (hexed(have.inserts), hexed(have.deletes)) == (want["inserts"], want["deletes"]), (
                    case["id"],
                    query["sql"],
                )
            counts["queries"] += 1
            counts["skipped"] += "skipped" in query
            counts["sent"] += bool(query["inserts"] or query["deletes"])
    assert counts == {"queries": 1153, "skipped": 10, "sent": counts["sent"]}
    assert counts["sent"] > 200
