"""What subscribers are sent: the rows of a query at first, and what each transaction adds and takes away.

`initial_rows` and `changes_for` answer for one plan of `defs.query.sql`; `Subscribers` keeps clients and speaks to them in
messages. `DEFECTS` says where the server is defective and what is done here. (spec: event-tables 1.9)
"""

from __future__ import annotations

from defs.store.deliveries.changes import Change, Changes, Snapshot, changes_of
from defs.store.deliveries.clients import Client
from defs.store.deliveries.defects import DEFECTS, Defect
from defs.store.deliveries.queries import Delta, changes_for, delta_rows, initial_rows, is_initial_sent
from defs.store.deliveries.subscribers import Subscribers
from defs.store.deliveries.updates import Call

__all__ = [
    "DEFECTS",
    "Call",
    "Change",
    "Changes",
    "Client",
    "Defect",
    "Delta",
    "Snapshot",
    "Subscribers",
    "changes_for",
    "changes_of",
    "delta_rows",
    "initial_rows",
    "is_initial_sent",
]
