"""A database: committed state, one transaction at a time, and a log, if it is to last.

    with Datastore.create("data/clog") as datastore:
        datastore.publish(module)
        with datastore.begin() as tx:
            tx.insert("player", (0, "ann"))
            tx.commit()

`Datastore.open` goes on with a log. Without a directory a database lives in memory. (spec: event-tables 1.2 to 1.6)
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bsatn.values import Identity
from defs.schema.model import ModuleDef
from defs.schema.table import IndexSchema, TableSchema
from defs.store.commitlog import Writer
from defs.store.commitlog.txdata import Mutations, RowGroup, Txdata, write_txdata
from defs.store.ddl.program import NO_PROGRAM, Program, initialize
from defs.store.replay import replay
from defs.store.state import CommittedState
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.rows import SequenceJump
from defs.store.transactions.slots import Slots
from defs.store.transactions.transaction import Transaction
from defs.store.txdata import ReducerCall, TxData, Workload
from defs.system import rows as st
from defs.system.errors import StoreError
from defs.system.tables import bootstrap_rows

__all__ = ["Datastore"]


class Datastore:
    """A database. `state` is what is committed; read it between transactions, change it with `begin`.

    Where the server is defective it is sound by default, and as the server with `upstream`:

    - an event table whose columns were changed takes no events in the same transaction, whose log the server cannot replay
    - an index over a column of an event table is built anew when the column gets another type; the server's keeps the old keys
      until it is opened again, so that further events are undefined (here: error `StaleIndex`)
    - `clear_table` does not count again what the transaction had deleted before

    `sequence_jump` decides, for the row of `st_sequence` of which a value is taken, whether the next values go on at the next
    multiple of 4096, as the server decides at random once in 4096 times; without it none does.
    """

    def __init__(
        self,
        state: CommittedState,
        writer: Writer | None = None,
        *,
        database_identity: Identity | int = 0,
        owner_identity: Identity | int = 0,
        upstream: bool = False,
        sequence_jump: SequenceJump | None = None,
    ) -> None:
        self.state = state
        self.database_identity = Identity(database_identity)
        self.owner_identity = Identity(owner_identity)
        self.upstream = upstream
        self.sequence_jump = sequence_jump
        self._writer = writer
        self.stale: dict[int, tuple[IndexSchema, ...]] = {}  #: with `upstream`, the broken indexes by table id
        self._slots: dict[int, Slots] = {}
        self._transaction: Transaction | None = None

    @classmethod
    def create(
        cls,
        directory: str | os.PathLike[str] | None = None,
        *,
        database_identity: Identity | int = 0,
        owner_identity: Identity | int = 0,
        upstream: bool = False,
        sequence_jump: SequenceJump | None = None,
        max_segment_size: int = 1 << 30,
        fsync: bool = True,
    ) -> Self:
        """A new database; with a directory, one with a log there, whose transaction 0 describes the system tables.

        Raises StoreError (`LogExists`), LogError.
        """
        writer = None
        if directory is not None:
            writer = Writer(directory, max_segment_size=max_segment_size, fsync=fsync)
            if writer.next_tx_offset:
                writer.close()
                raise StoreError("LogExists", f"{os.fspath(directory)} has a log already; open it, or take another directory")
        datastore = cls(
            CommittedState.bootstrapped(),
            writer,
            database_identity=database_identity,
            owner_identity=owner_identity,
            upstream=upstream,
            sequence_jump=sequence_jump,
        )
        datastore.append(_bootstrap_record())
        return datastore

    @classmethod
    def open(
        cls,
        directory: str | os.PathLike[str],
        *,
        upstream: bool = False,
        sequence_jump: SequenceJump | None = None,
        max_segment_size: int = 1 << 30,
        fsync: bool = True,
    ) -> Self:
        """The database that a log leaves behind; further transactions are appended.

        Raises ReplayError (the log is damaged), LogError (there is none, or another writer has it), StoreError (`LogMoved`).
        """
        state = replay(directory, upstream=upstream)
        module = next(iter(state.records(st.StModuleRow)), None)
        writer = Writer(directory, max_segment_size=max_segment_size, fsync=fsync, upstream=upstream)
        datastore = cls(
            state,
            writer,
            database_identity=module.database_identity if module else 0,
            owner_identity=module.owner_identity if module else 0,
            upstream=upstream,
            sequence_jump=sequence_jump,
        )
        try:
            datastore._go_on(writer)
        except BaseException:
            writer.close()
            raise
        return datastore

    def _go_on(self, writer: Writer) -> None:
        if writer.next_tx_offset == 0:
            self.append(_bootstrap_record())
            self.state.next_tx_offset = writer.next_tx_offset
        if writer.next_tx_offset != self.state.next_tx_offset:
            found = f"it was read up to transaction {self.state.next_tx_offset - 1}, and goes on with {writer.next_tx_offset}"
            raise StoreError("LogMoved", f"{writer.directory}: {found}")

    def begin(self, workload: Workload = "internal") -> Transaction:
        """Begin a transaction. Raises TransactionError: `TransactionOpen` (there is one), `InvalidWorkload`."""
        if self._transaction is not None:
            raise TransactionError("TransactionOpen")
        if isinstance(workload, ReducerCall):
            workload.inputs()
        elif workload not in ("internal", "sql"):
            raise TransactionError(
                "InvalidWorkload", reason=f"{workload!r} is no workload; expected internal, sql, or a ReducerCall"
            )
        self._transaction = Transaction(self, workload)
        return self._transaction

    def publish(
        self,
        module: ModuleDef,
        program: Program = NO_PROGRAM,
        *,
        arrange: Callable[[TableSchema], TableSchema] = TableSchema.normalize,
    ) -> TxData:
        """Make the tables of a module, by name, those of its views, its rules, and its row of `st_module`, in one transaction.

        `arrange` orders indexes, constraints and sequences, and so their ids; the server takes them as a hash map gives them.
        Raises TransactionError: `AlreadyInitialized`, `InvalidRule`; TableSchemaError.
        """
        with self.begin() as tx:
            initialize(tx, module, program, arrange)
            return tx.commit()

    def close(self) -> None:
        """Roll back what is open, and let go of the log. Raises LogError."""
        if self._transaction is not None:
            self._transaction.rollback()
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    # -- for transactions

    def slots(self, table_id: int) -> Slots:
        """Where the committed rows of a table lie. After `open`: as the log had them, not as the server would have."""
        if table_id not in self._slots:
            self._slots[table_id] = Slots(self.state.tables[table_id])
        return self._slots[table_id]

    def remember(self, table_id: int, slots: Slots) -> None:
        """Note where the rows of a new table lie."""
        self._slots[table_id] = slots

    def forget(self, table_id: int) -> None:
        """A table was dropped."""
        self._slots.pop(table_id, None)
        self.stale.pop(table_id, None)

    def closed(self, transaction: Transaction) -> None:
        """A transaction is over."""
        if self._transaction is transaction:
            self._transaction = None

    def append(self, record: bytes) -> None:
        """Write a record to the log, if there is one, and put it on disk. Raises LogError."""
        if self._writer is not None:
            self._writer.append([record])
            self._writer.sync()


def _bootstrap_record() -> bytes:
    groups = tuple(RowGroup(table_id, rows) for table_id, rows in bootstrap_rows().items())
    return write_txdata(Txdata(None, None, Mutations(groups)))
