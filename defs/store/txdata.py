"""What a transaction did, table by table: what the server tells its subscribers, and of it what goes to the log.

Rows of event tables are among the inserts here and in the log, and nowhere else. (spec: event-tables 1.4, 1.5)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bsatn.codec import Codec
from bsatn.errors import EncodeError
from bsatn.values import ConnectionId, Identity, Timestamp
from defs.store.commitlog.txdata import Inputs, Mutations, RowGroup, Txdata
from defs.store.state import Row
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.tables import TxTable
from defs.system.tables import EPHEMERAL_TABLES

__all__ = ["CONNECTED", "DISCONNECTED", "ReducerCall", "TableChange", "TxData", "Workload", "collect"]

CONNECTED: Final = "__identity_connected__"
DISCONNECTED: Final = "__identity_disconnected__"
_ALWAYS_LOGGED: Final = frozenset({CONNECTED, DISCONNECTED})


@dataclass(frozen=True, slots=True)
class ReducerCall:
    """The reducer call that a transaction is for; the log keeps it. `args` are the reducer's arguments as BSATN.

    A client that comes or goes is a call of `CONNECTED` or `DISCONNECTED`: such a call is logged even if no row changes.
    """

    reducer_name: str
    caller_identity: Identity | int = 0
    caller_connection_id: ConnectionId | int = 0
    timestamp: Timestamp | int = 0
    args: bytes = b""

    def inputs(self) -> Inputs:
        """The call as it is logged. Raises TransactionError (`InvalidWorkload`): a name too long, a number out of range."""
        try:
            if len(self.reducer_name.encode()) > 255:
                raise EncodeError("TooLong", "the reducer's name has more than 255 bytes")
            call = (
                int(self.caller_identity).to_bytes(32, "little")
                + int(self.caller_connection_id).to_bytes(16, "little")
                + int(self.timestamp).to_bytes(8, "little", signed=True)
            )
            return Inputs(self.reducer_name, call + self.args)
        except (OverflowError, UnicodeEncodeError, EncodeError) as error:
            raise TransactionError("InvalidWorkload", reason=f"reducer call {self.reducer_name!r:.80}: {error}") from None


Workload: TypeAlias = ReducerCall | Literal["internal", "sql"]


@dataclass(frozen=True, slots=True)
class TableChange:
    """What happened to one table; rows are BSATN, in the server's order.

    `truncated`: it had rows, and has none now; the log says so instead of listing `deletes`. `ephemeral`: it is never logged.
    """

    table_id: int
    table_name: str
    is_event: bool
    inserts: tuple[bytes, ...]
    deletes: tuple[bytes, ...]
    truncated: bool
    ephemeral: bool
    codec: Codec[Row]  #: of the rows inserted
    former_codec: Codec[Row]  #: of the rows deleted

    def inserted(self) -> Iterator[Row]:
        """The values of the rows inserted."""
        return map(self.codec.decode, self.inserts)

    def deleted(self) -> Iterator[Row]:
        """The values of the rows deleted."""
        return map(self.former_codec.decode, self.deletes)


@dataclass(frozen=True, slots=True)
class TxData:
    """What a commit did. `tables` has those that changed, by ascending id.

    `tx_offset` is None when nothing was logged; `last_tx_offset` is that of the last transaction logged, this or one before.
    """

    tables: Mapping[int, TableChange]
    tx_offset: int | None
    last_tx_offset: int
    inputs: Inputs | None = None

    def events(self) -> Iterator[TableChange]:
        """The changes of event tables."""
        return (change for change in self.tables.values() if change.is_event)

    def to_txdata(self) -> Txdata:
        """The log's record of it: rows by ascending table id; emptied tables; the reducer call, if it was one."""
        logged = [change for change in self.tables.values() if not change.ephemeral]
        return Txdata(
            self.inputs,
            None,
            Mutations(
                tuple(RowGroup(change.table_id, change.inserts) for change in logged if change.inserts),
                tuple(
                    RowGroup(change.table_id, change.deletes) for change in logged if change.deletes and not change.truncated
                ),
                tuple(change.table_id for change in logged if change.truncated),
            ),
        )


def collect(tables: Mapping[int, TxTable], dropped: Mapping[int, TxTable], workload: Workload, next_tx_offset: int) -> TxData:
    """What the tables of a transaction come to, nothing being changed yet."""
    changes = {
        **{
            table_id: _change(table, table.base_slots.ordered(table.gone), table.added_slots.ordered())
            for table_id, table in tables.items()
        },
        **{table_id: _change(table, table.base_slots.ordered(), []) for table_id, table in dropped.items()},
    }
    changed = {
        table_id: changes[table_id] for table_id in sorted(changes) if changes[table_id].inserts or changes[table_id].deletes
    }
    call = workload if isinstance(workload, ReducerCall) else None
    logged = any(not change.ephemeral for change in changed.values()) or (
        call is not None and call.reducer_name in _ALWAYS_LOGGED
    )
    return TxData(
        changed,
        next_tx_offset if logged else None,
        next_tx_offset if logged else next_tx_offset - 1,
        call.inputs() if call else None,
    )


def _change(table: TxTable, deletes: Iterable[bytes], inserts: Iterable[bytes]) -> TableChange:
    schema = table.schema
    gone, new = tuple(deletes), tuple(inserts)
    return TableChange(
        schema.table_id,
        schema.table_name,
        schema.is_event,
        new,
        gone,
        truncated=bool(gone) and not new and len(gone) == len(table.base),
        ephemeral=schema.table_id in EPHEMERAL_TABLES or schema.view_info is not None,
        codec=table.added.codec,
        former_codec=table.base.codec,
    )
