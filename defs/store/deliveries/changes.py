"""What subscriptions read: the committed tables, and what a transaction put into them and took out.

`Changes` come from a commit (`TxData`) or are made by hand. `Snapshot` has the tables as they are *after* the transaction,
event tables empty as ever, and the changes beside them; both are tables that can be searched by key.
(spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from defs.schema.table import TableSchema
from defs.store.state import CommittedState, Table
from defs.store.txdata import TxData
from defs.system.errors import StoreError

__all__ = ["Change", "Changes", "Snapshot", "changes_of"]

Delta: TypeAlias = Literal["inserts", "deletes"]


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of one table that a transaction inserted and deleted, BSATN; none of them is in both."""

    inserts: tuple[bytes, ...] = ()
    deletes: tuple[bytes, ...] = ()


#: By canonical name, the tables that a transaction changed.
Changes: TypeAlias = Mapping[str, Change]


def changes_of(commit: TxData | Changes) -> Changes:
    """What a commit changed, by table."""
    if not isinstance(commit, TxData):
        return commit
    return {change.table_name: Change(change.inserts, change.deletes) for change in commit.tables.values()}


@dataclass(slots=True)
class Snapshot:
    """Committed tables, and the changes of the transaction that was committed last, if it is to be delivered."""

    state: CommittedState
    changes: Changes = field(default_factory=dict)
    _tables: dict[str, Table] = field(default_factory=dict)
    _deltas: dict[tuple[str, Delta], Table] = field(default_factory=dict)

    def table(self, schema: TableSchema) -> Table:
        """The rows of a table.

        Raises StoreError: `TableNotFound`, `LayoutChanged` (the columns are not those that the query was compiled for).
        """
        name = schema.table_name
        if name not in self._tables:
            found = self.state.table_named(name)
            if found is None:
                raise StoreError("TableNotFound", f"there is no table {name}", name=name)
            if _types(found.schema) != _types(schema):
                message = f"table {name} has other columns than the query was compiled for: subscribe again, as clients must"
                raise StoreError("LayoutChanged", message, name=name)
            self._tables[name] = found
        return self._tables[name]

    def delta(self, schema: TableSchema, delta: Delta) -> Table:
        """The rows of a table that were inserted, or deleted. Raises StoreError as `table` does."""
        key = schema.table_name, delta
        if key not in self._deltas:
            change = self.changes.get(schema.table_name, Change())
            self._deltas[key] = _table_of(self.table(schema).schema, change.inserts if delta == "inserts" else change.deletes)
        return self._deltas[key]


def _types(schema: TableSchema) -> list[object]:
    return [column.col_type for column in schema.columns]


def _table_of(schema: TableSchema, rows: Iterable[bytes]) -> Table:
    table = Table(schema)
    for row in rows:
        table.insert(row)
    return table
