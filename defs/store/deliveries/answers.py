"""The testee's answer about deliveries: one transaction, and what each query's subscribers get. (spec: testee)

All in memory, in a database of its own. Queries are asked as V2 Subscribes of a client that is not the owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bsatn.values import Identity
from defs.query.sql import Catalog, SqlError, check
from defs.store.datastore import Datastore
from defs.store.deliveries.queries import changes_for, initial_rows, is_initial_sent
from defs.store.transactions.errors import TransactionError

__all__ = ["Operation", "answer_deliver"]

Operation = tuple[str, str, bytes]  #: `insert` or `delete`, the table's canonical name, the row as BSATN


def answer_deliver(
    catalog: Catalog,
    setup: Mapping[str, Sequence[bytes]],
    tx: Sequence[Operation],
    queries: Sequence[str],
    *,
    sender: Identity,
    upstream: bool = False,
) -> dict[str, Any]:
    """`queries`: for each `initial`, `initial_sent`, `inserts`, `deletes`; rows are hex, sorted.

    An insert that fails in `tx` inserts nothing, and the transaction goes on, but for one that is no row.
    Raises SqlError, TransactionError, StoreError, LimitExceeded.
    """
    plans = [plan for text in queries for plan in _plan(text, catalog)]
    with Datastore.create() as datastore:
        datastore.publish(catalog.module)
        with datastore.begin() as first:
            for table, rows in setup.items():
                for row in rows:
                    first.insert(table, row)
            first.commit()
        state = datastore.state
        replies: list[dict[str, Any]] = [
            {"initial": _hex(initial_rows(plan, state, sender=sender)), "initial_sent": is_initial_sent(plan, state)}
            for plan in plans
        ]
        with datastore.begin() as second:
            for op, table, row in tx:
                try:
                    if op == "insert":
                        second.insert(table, row)
                    else:
                        second.delete(table, row)
                except TransactionError as error:
                    if error.kind != "UniqueConstraintViolation":
                        raise
            commit = second.commit()
        for plan, reply in zip(plans, replies, strict=True):
            delta = changes_for(plan, commit, state, sender=sender, upstream=upstream)
            reply |= {"inserts": _hex(delta.inserts), "deletes": _hex(delta.deletes)}
    return {"queries": replies}


def _plan(text: str, catalog: Catalog) -> Iterator[Any]:
    """The query's one plan; a text that stands for several tables is refused, as its rows could not be told apart."""
    found = check(text, catalog)
    if found.all_tables:
        raise SqlError("plan", "SELECT * FROM * is several queries: ask for each table by itself")
    yield from found.plans


def _hex(rows: Sequence[bytes]) -> list[str]:
    return sorted(row.hex() for row in rows)
