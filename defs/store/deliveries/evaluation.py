"""Plans evaluated: each node a generator of joined rows, tables read from a snapshot.

Scans decode nothing; a condition decodes the rows that it looks at, once each. Index scans and joins look up keys: a table
builds an index when a key is first asked for, and keeps it. A join without an index is evaluated the same way where its right
side is a table. Results are bags; how many pairs of rows their joins may look at is bounded. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from bsatn.errors import LimitExceeded
from bsatn.values import Identity
from defs.query.sql.plan import CrossJoin, Filter, HashJoin, IndexJoin, IndexScan, Plan, PlanNode, TableScan, nodes_of
from defs.schema.table import TableSchema
from defs.store.deliveries.changes import Delta, Snapshot
from defs.store.deliveries.conditions import Joined, reader
from defs.store.state import Key, Table, key_of

__all__ = ["MAX_PAIRS", "result_rows"]

MAX_PAIRS: Final = 10_000_000  #: pairs of rows that the joins of one query may make


def result_rows(plan: Plan, root: PlanNode, snapshot: Snapshot, sender: Identity) -> Iterator[bytes]:
    """The rows that `root` (the plan's own, or one of its plans of changes) yields of the returned table: a bag of BSATN.

    Raises StoreError, LimitExceeded.
    """
    evaluation = _Evaluation(plan, root, snapshot, sender)
    if evaluation.is_empty():
        return iter(())
    slot = plan.returned_slot
    return (joined[slot] for joined in evaluation.rows(root))


class _Evaluation:
    """One plan over one snapshot; each slot reads one relation."""

    def __init__(self, plan: Plan, root: PlanNode, snapshot: Snapshot, sender: Identity) -> None:
        self.sender = sender
        self.pairs = 0
        self.blank: Joined = (b"",) * len(plan.tables)
        self.relations: dict[int, Table] = {
            one.slot: _relation(snapshot, one.table, one.delta) for one in nodes_of(root) if isinstance(one, _LEAVES)
        }

    def is_empty(self) -> bool:
        """Whether a table is: then so is every inner join with it, and every scan."""
        return not all(map(len, self.relations.values()))

    def rows(self, node: PlanNode) -> Iterator[Joined]:
        match node:
            case TableScan():
                return (self.at(node.slot, data) for data in self.relations[node.slot])
            case IndexScan():
                return self.index_scan(node)
            case Filter():
                return filter(reader(node.condition, self.relations, self.sender), self.rows(node.input))
            case IndexJoin():
                return self.index_join(node)
            case HashJoin():
                return self.hash_join(node)
            case CrossJoin():
                return self.cross_join(node)

    def at(self, slot: int, data: bytes) -> Joined:
        """A joined row with a row in one slot only."""
        return (*self.blank[:slot], data, *self.blank[slot + 1 :])

    def index_scan(self, node: IndexScan) -> Iterator[Joined]:
        parts = [reader(part, self.relations, self.sender, ordered=False)(self.blank) for part in node.key]
        return (self.at(node.slot, data) for data in self.relations[node.slot].find(node.positions, parts))

    def index_join(self, node: IndexJoin) -> Iterator[Joined]:
        parts = [reader(part, self.relations, self.sender, ordered=False) for part in node.key]
        find, positions, slot = self.relations[node.slot].find, node.positions, node.slot
        for outer in self.rows(node.outer):
            matching = find(positions, [part(outer) for part in parts])
            self.count(len(matching))
            for data in matching:
                yield (*outer[:slot], data, *outer[slot + 1 :])

    def hash_join(self, node: HashJoin) -> Iterator[Joined]:
        probe = reader(node.left_column, self.relations, self.sender, ordered=False)
        matches = self.matches(node)
        for left in self.rows(node.left):
            yield from self.merged(left, matches(probe(left)))

    def matches(self, node: HashJoin) -> Callable[[object], list[Joined]]:
        """The right side's rows by the value of its column."""
        column = node.right_column
        if isinstance(node.right, TableScan):
            table = self.relations[column.slot]
            return lambda value: [self.at(column.slot, data) for data in table.find((column.position,), (value,))]
        read = reader(column, self.relations, self.sender, ordered=False)
        found: defaultdict[Key, list[Joined]] = defaultdict(list)
        for right in self.rows(node.right):
            found[key_of((read(right),))].append(right)
        return lambda value: found.get(key_of((value,)), [])

    def cross_join(self, node: CrossJoin) -> Iterator[Joined]:
        right = list(self.rows(node.right))
        for left in self.rows(node.left):
            yield from self.merged(left, right)

    def merged(self, left: Joined, matching: list[Joined]) -> Iterable[Joined]:
        self.count(len(matching))
        return [tuple(one or other for one, other in zip(left, right, strict=True)) for right in matching]

    def count(self, pairs: int) -> None:
        """Note that so many pairs of rows come next. Raises LimitExceeded."""
        self.pairs += pairs
        if self.pairs > MAX_PAIRS:
            advice = "say more of what is wanted in WHERE"
            raise LimitExceeded("pairs", MAX_PAIRS, "the query's joins make too many pairs of rows", advice=advice)


_LEAVES = TableScan | IndexScan | IndexJoin


def _relation(snapshot: Snapshot, schema: TableSchema, delta: Delta | None) -> Table:
    return snapshot.table(schema) if delta is None else snapshot.delta(schema, delta)
