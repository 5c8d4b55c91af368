"""SQL of subscriptions: checked against a module's definition, and compiled to plans. (spec: event-tables 1.9)

`check` answers as the server would: a `Subscription`, or an `SqlError` with the server's message, where in the text it is, and
a hint. `compile` gives the plans alone, for whoever evaluates them; `defs.query.sql.plan` says what they mean.
"""

from __future__ import annotations

from defs.query.sql.catalog import CALLERS, Caller, Catalog
from defs.query.sql.checking import MAX_LENGTH, MAX_TABLES, PROTOCOLS, Protocol, Subscription, check, compile
from defs.query.sql.errors import SqlError
from defs.query.sql.plan import Plan

__all__ = [
    "CALLERS",
    "MAX_LENGTH",
    "MAX_TABLES",
    "PROTOCOLS",
    "Caller",
    "Catalog",
    "Plan",
    "Protocol",
    "SqlError",
    "Subscription",
    "check",
    "compile",
]
