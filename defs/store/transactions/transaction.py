"""A transaction: what it does is seen by itself alone until it commits, and then all at once.

    with datastore.begin(ReducerCall("say", args=b"...")) as tx:
        tx.insert("chat_event", (0, "hello"))
        data = tx.commit()

Rows are the business of `defs.store.transactions.rows`, tables that of `defs.store.ddl`. (spec: event-tables 1.3, 1.4)
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from defs.store.commitlog.txdata import write_txdata
from defs.store.ddl.tables import SchemaTransaction
from defs.store.state import CommittedState
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.slots import Slots
from defs.store.transactions.tables import TxTable
from defs.store.txdata import TxData, Workload, collect

if TYPE_CHECKING:
    from defs.store.datastore import Datastore

__all__ = ["Transaction", "merge_apply_deletes", "merge_apply_inserts"]


class Transaction(SchemaTransaction):
    """An open transaction; `Datastore.begin` makes one. As a context manager it rolls back, unless it was committed."""

    def __init__(self, datastore: Datastore, workload: Workload) -> None:
        super().__init__(datastore)
        self.workload: Workload = workload

    def commit(self) -> TxData:
        """Make it so: log it, if there is a log, and then change the committed state.

        A transaction that changes no rows that are logged takes no offset, but for those of clients that come and go.
        When the log fails, the transaction is rolled back.

        Raises TransactionError: `TransactionClosed`, `TransactionBroken`; LogError.
        """
        self._open()
        if self._broken:
            raise TransactionError("TransactionBroken", reason=self._broken)
        store, state = self.datastore, self.datastore.state
        data = collect(self._tables, self._dropped, self.workload, state.next_tx_offset)
        self.outcome = "rolled back"
        store.closed(self)
        if data.tx_offset is not None:
            store.append(write_txdata(data.to_txdata()))
            state.next_tx_offset = data.tx_offset + 1
        merge_apply_deletes(state, self._tables, self._dropped)
        for table_id in self._dropped:
            store.forget(table_id)
        for table_id, slots in merge_apply_inserts(state, self._tables).items():
            store.remember(table_id, slots)
        store.stale.update({table_id: table.stale for table_id, table in self._tables.items() if table.stale})
        self.outcome = "committed"
        return data

    def rollback(self) -> int:
        """Undo everything, sequences included. Returns the offset of the last transaction logged. Raises TransactionError."""
        self._open()
        self.outcome = "rolled back"
        self.datastore.closed(self)
        return self.datastore.state.next_tx_offset - 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.outcome is None:
            self.rollback()


def merge_apply_deletes(state: CommittedState, tables: dict[int, TxTable], dropped: dict[int, TxTable]) -> None:
    """Take what was deleted out of committed state: rows by ascending table id, then dropped tables."""
    for _, table in sorted(tables.items()):
        for data in table.base_slots.ordered(table.gone):
            table.base.delete(data)
            table.base_slots.remove(data)
    for table_id in dropped:
        state.tables.pop(table_id, None)


def merge_apply_inserts(state: CommittedState, tables: dict[int, TxTable]) -> dict[int, Slots]:
    """Put what was inserted into committed state, by ascending table id; rows of event tables are left out.

    Returns the slots of the tables that are new.
    """
    made: dict[int, Slots] = {}
    for table_id, table in sorted(tables.items()):
        if table.base.schema != table.schema:
            table.base.relayout(table.schema)
        if table.is_new:
            state.tables[table_id] = table.base
            made[table_id] = table.base_slots
        if table.schema.is_event:
            continue
        for data in table.added_slots.ordered():
            table.base.insert(data)
            table.base_slots.put(data)
    return made
