"""Databases as they are run and logged: system tables, transactions, commit logs, replay, deliveries. (spec: event-tables)

    from defs.store import Datastore, table_history
    from defs.store.replay import replay

    with Datastore.create("data/clog") as datastore:
        datastore.publish(module)
        with datastore.begin() as tx:
            tx.insert("damage_event", (7, 3, Timestamp(0)))
            tx.commit()
    len(replay("data/clog").table_named("damage_event"))  # 0: an event is logged, never stored
    len(table_history("data/clog", "damage_event"))  # 1

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from defs.lazy import lazily

if TYPE_CHECKING:
    from defs.store.datastore import Datastore as Datastore
    from defs.store.history import HistoryReader as HistoryReader
    from defs.store.history import table_history as table_history
    from defs.store.reading import LogReader as LogReader
    from defs.store.state import CommittedState as CommittedState
    from defs.store.transactions.transaction import Transaction as Transaction
    from defs.store.txdata import TxData as TxData
    from defs.system.errors import StoreError as StoreError

_HOME = {
    "CommittedState": "state",
    "Datastore": "datastore",
    "HistoryReader": "history",
    "LogReader": "reading",
    "StoreError": ".system.errors",
    "Transaction": "transactions.transaction",
    "TxData": "txdata",
    "table_history": "history",
}
__all__ = [*_HOME]

__getattr__, __dir__ = lazily(__name__, _HOME)
