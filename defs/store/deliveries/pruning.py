"""Which queries a transaction concerns, without evaluating them.

A query with `column = constant` on a table need not be looked at when no changed row has the constant. Held against each side
of a join by itself (`by slot`) that is sound. The server holds it against each table (`by table`): in `FROM t l JOIN t r ON
... WHERE l.id = 2` it then passes over changes of `r` whose id is not 2, and clients miss rows. (spec: event-tables 1.9)

`Watch` finds the queries by the values of the rows that changed, so that thousands of queries with different constants cost
no more than those that are concerned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from bsatn.values import Identity
from defs.query.sql.plan import Column, Compare, Constant, Filter, IndexScan, Parameter, Plan, PlanNode, TableScan, nodes_of
from defs.schema.table import TableSchema
from defs.store.deliveries.changes import Snapshot
from defs.store.deliveries.conditions import value_of
from defs.store.state import Key, key_of

__all__ = ["Pruning", "Term", "Watch", "is_concerned", "terms_of"]

Pruning: TypeAlias = Literal["by slot", "by table"]
_Q = TypeVar("_Q", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Term:
    """`column = constant` on the table in a slot."""

    slot: int
    position: int
    key: Key


def terms_of(plan: Plan, sender: Identity) -> Iterator[Term]:
    """The terms by which the server tells whether a query is concerned.

    They are the keys of index scans over one column, and single conditions above a scan.
    """
    for node in nodes_of(plan.root):
        match node:
            case IndexScan(_, slot, _, (position,), (Constant() | Parameter() as value,)):
                yield Term(slot, position, key_of((value_of(value, sender),)))
            case Filter(below, Compare("=", Column(slot, position), Constant() | Parameter() as value)):
                if _scans(below, slot):
                    yield Term(slot, position, key_of((value_of(value, sender),)))


def _scans(node: PlanNode, slot: int) -> bool:
    return any(isinstance(one, TableScan) and one.slot == slot for one in nodes_of(node))


def is_concerned(plan: Plan, snapshot: Snapshot, sender: Identity, pruning: Pruning = "by slot") -> bool:
    """Whether the changes of a snapshot may concern the query."""
    watch: Watch[int] = Watch(pruning)
    watch.add(0, plan, sender)
    return bool(watch.concerned(snapshot))


@dataclass(slots=True)
class Watch(Generic[_Q]):
    """Queries by what must change to concern them."""

    pruning: Pruning = "by slot"
    _schemas: dict[str, TableSchema] = field(default_factory=dict)
    _whole: defaultdict[str, dict[_Q, None]] = field(default_factory=lambda: defaultdict(dict))
    _points: defaultdict[str, dict[int, dict[Key, dict[_Q, None]]]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, query: _Q, plan: Plan, sender: Identity) -> None:
        """Watch for changes that concern the query; it may have several plans."""
        for table, points in self._watched(plan, sender):
            self._schemas[table.table_name] = table
            if not points:
                self._whole[table.table_name][query] = None
            for point in points:
                keys = self._points[table.table_name].setdefault(point.position, {})
                keys.setdefault(point.key, {})[query] = None

    def remove(self, query: _Q, plan: Plan, sender: Identity) -> None:
        """No longer watch for the query, given as it was added."""
        for table, points in self._watched(plan, sender):
            self._whole[table.table_name].pop(query, None)
            for point in points:
                keys = self._points[table.table_name].get(point.position, {})
                keys.get(point.key, {}).pop(query, None)
                if not keys.get(point.key, True):
                    del keys[point.key]

    def _watched(self, plan: Plan, sender: Identity) -> Iterator[tuple[TableSchema, list[Term]]]:
        """What is watched as one, and the terms of which one must hold for it."""
        terms = list(terms_of(plan, sender))
        if self.pruning == "by slot":
            for slot, table in enumerate(plan.tables):
                yield table, [term for term in terms if term.slot == slot]
            return
        for name in dict.fromkeys(table.table_name for table in plan.tables):
            slots = [slot for slot, table in enumerate(plan.tables) if table.table_name == name]
            yield plan.tables[slots[0]], [term for term in terms if term.slot in slots]

    def concerned(self, snapshot: Snapshot) -> dict[_Q, None]:
        """The queries that the changes of a snapshot may concern."""
        found: dict[_Q, None] = {}
        for name, change in snapshot.changes.items():
            if name in self._schemas and (change.inserts or change.deletes):
                found |= self._whole.get(name, {})
                for position, keys in self._points.get(name, {}).items():
                    if keys:
                        for key in self._keys(snapshot, name, position):
                            found |= keys.get(key, {})
        return found

    def _keys(self, snapshot: Snapshot, name: str, position: int) -> Iterator[Key]:
        """The values that changed rows have in a column."""
        schema = self._schemas[name]
        for rows in (snapshot.delta(schema, "inserts"), snapshot.delta(schema, "deletes")):
            for data in rows:
                yield key_of((rows.row(data)[position],))
