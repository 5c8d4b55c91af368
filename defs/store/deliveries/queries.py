"""What a subscribed query returns at first, and what a transaction adds to that and takes away.

Of a join, eight plans say which pairs come and go; rows that come by one and go by another cancel, one for one. Event tables
are empty after the transaction as before, so events are joined with the other table as it *was*: a row inserted along with its
event is not found, one deleted is. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bsatn.values import Identity
from defs.query.sql.plan import Plan, PlanNode
from defs.store.deliveries.changes import Changes, Snapshot, changes_of
from defs.store.deliveries.evaluation import result_rows
from defs.store.deliveries.pruning import Pruning, is_concerned
from defs.store.state import CommittedState
from defs.store.txdata import TxData

__all__ = ["NO_ONE", "Delta", "changes_for", "delta_rows", "initial_rows", "is_initial_sent"]

NO_ONE = Identity(0)


@dataclass(frozen=True, slots=True)
class Delta:
    """Rows that come into a query's result, and rows that leave it: bags of BSATN."""

    inserts: tuple[bytes, ...] = ()
    deletes: tuple[bytes, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to send."""
        return bool(self.inserts or self.deletes)


def initial_rows(plan: Plan, state: CommittedState, *, sender: Identity = NO_ONE) -> tuple[bytes, ...]:
    """The rows of a query over committed state: a bag of BSATN. None are events, which no state holds.

    `sender` is what `:sender` means. Raises StoreError (`TableNotFound`, `LayoutChanged`), LimitExceeded.
    """
    return tuple(result_rows(plan, plan.root, Snapshot(state), sender))


def is_initial_sent(plan: Plan, state: CommittedState) -> bool:
    """Whether the answer to a Subscribe has an entry for the query, be it an empty one.

    It has none for a query that reads an empty table, as event tables always are.
    """
    snapshot = Snapshot(state)
    return all(map(len, map(snapshot.table, plan.tables)))


def delta_rows(plan: Plan, snapshot: Snapshot, sender: Identity) -> Delta:
    """What the changes of a snapshot do to the query's result. Raises StoreError, LimitExceeded."""
    inserts = _all(plan, plan.inserts, snapshot, sender)
    deletes = _all(plan, plan.deletes, snapshot, sender)
    if not inserts or not deletes:
        return Delta(tuple(inserts), tuple(deletes))
    both = Counter(inserts) & Counter(deletes)
    return Delta(_without(inserts, both), _without(deletes, both))


def changes_for(
    plan: Plan, commit: TxData | Changes, state: CommittedState, *, sender: Identity = NO_ONE, upstream: bool = False
) -> Delta:
    """What a query's subscribers are sent for a transaction; `state` is that after it.

    With `upstream`, as the server does it, which now and then thinks that a self-join is not concerned
    (`defs.store.deliveries.defects`). Raises StoreError (`TableNotFound`, `LayoutChanged`), LimitExceeded.
    """
    snapshot = Snapshot(state, changes_of(commit))
    pruning: Pruning = "by table" if upstream else "by slot"
    return delta_rows(plan, snapshot, sender) if is_concerned(plan, snapshot, sender, pruning) else Delta()


def _all(plan: Plan, parts: Sequence[PlanNode], snapshot: Snapshot, sender: Identity) -> list[bytes]:
    return [row for part in parts for row in result_rows(plan, part, snapshot, sender)]


def _without(rows: Iterable[bytes], cancelled: Counter[bytes]) -> tuple[bytes, ...]:
    left = cancelled.copy()
    kept = []
    for row in rows:
        if left[row]:
            left[row] -= 1
        else:
            kept.append(row)
    return tuple(kept)
