"""Tables for tests of transactions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from replay_cases import ENGINES

from bsatn import types as t
from defs.raw.shared import BTree, TableAccess, TableType
from defs.schema.table import ColumnSchema, ConstraintSchema, IndexSchema, SequenceSchema, TableSchema
from defs.store.datastore import Datastore
from defs.store.replay import replay
from defs.store.state import CommittedState
from defs.store.transactions.transaction import Transaction
from defs.store.txdata import TxData


def columns_of(**columns: t.AlgebraicType) -> tuple[ColumnSchema, ...]:
    """Columns by name, each its own accessor."""
    return tuple(ColumnSchema(0, place, name, name, kind) for place, (name, kind) in enumerate(columns.items()))


def table(
    name: str,
    columns: tuple[ColumnSchema, ...],
    *,
    unique: Iterable[int | tuple[int, ...]] = (),
    auto_inc: Iterable[int] = (),
    indexes: Iterable[IndexSchema] = (),
    primary_key: int | None = None,
    event: bool = False,
) -> TableSchema:
    """A table: an index and a constraint for each entry of `unique`, a sequence for each of `auto_inc`."""
    keys = [one if isinstance(one, tuple) else (one,) for one in unique]
    spelt = ["_".join((name, *(columns[place].col_name for place in key))) for key in keys]
    return TableSchema(
        table_id=0,
        table_name=name,
        alias=name,
        view_info=None,
        columns=columns,
        primary_key=primary_key,
        indexes=(
            *(IndexSchema(0, 0, f"{word}_idx_btree", word, BTree(key)) for word, key in zip(spelt, keys, strict=True)),
            *indexes,
        ),
        constraints=tuple(ConstraintSchema(0, 0, f"{word}_key", key) for word, key in zip(spelt, keys, strict=True)),
        sequences=tuple(SequenceSchema(0, f"{name}_{columns[place].col_name}_seq", 0, place) for place in auto_inc),
        table_type=TableType.User,
        table_access=TableAccess.Public,
        is_event=event,
    )


PLAYER = table("player", columns_of(id=t.U64, name=t.STRING), unique=(0, 1), auto_inc=(0,), primary_key=0)
EVENT = table(
    "damage", columns_of(id=t.U64, code=t.U32, text=t.STRING), unique=(0, 1), auto_inc=(0,), primary_key=0, event=True
)
PING = table("ping", columns_of(at=t.I64), event=True)


def made(datastore: Datastore, *tables: TableSchema) -> Datastore:
    """The database with these tables."""
    with datastore.begin() as tx:
        for one in tables:
            tx.create_table(one)
        tx.commit()
    return datastore


def new(*tables: TableSchema, directory: Path | None = None, upstream: bool = False) -> Datastore:
    """A new database with these tables."""
    return made(Datastore.create(directory, upstream=upstream, fsync=False), *tables)


def rows(tx: Transaction, name: str) -> list[tuple[object, ...]]:
    """What the transaction sees in a table."""
    return list(tx.scan(name))


def only(data: TxData, name: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The inserts and deletes of a table in a commit."""
    change = next(one for one in data.tables.values() if one.table_name == name)
    return list(change.inserted()), list(change.deleted())


def contents(state: CommittedState) -> dict[int, tuple[TableSchema, frozenset[bytes]]]:
    """All there is in a state."""
    return {table_id: (found.schema.normalize(), frozenset(found)) for table_id, found in state.tables.items()}


def check_replay(datastore: Datastore, directory: Path) -> None:
    """Close the database; its log must leave the same state behind, whichever engine reads it."""
    live = contents(datastore.state)
    following = datastore.state.next_tx_offset
    datastore.close()
    for engine in ENGINES:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BSATN_ENGINE", engine)
            replayed = replay(directory)
        assert replayed.next_tx_offset == following
        assert contents(replayed) == live
