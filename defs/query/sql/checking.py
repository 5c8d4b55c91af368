"""What the server says to a subscription: accepted, and how it would be run, or refused, and why.

The checks are the server's and in its order; the first that fails is the one that is told. One-off queries are compiled alike,
but not held to what subscriptions must be. Work is bounded by the length of the text: 50000 bytes, as in the server; joins of
more than MAX_TABLES are refused unplanned. (spec: event-tables 1.9)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from defs.query.sql.advice import event_lookup_hint, index_hint, same_side_hint
from defs.query.sql.catalog import Caller, Catalog
from defs.query.sql.errors import SqlError
from defs.query.sql.optimize import in_order, optimize, slots_below, with_children
from defs.query.sql.parser import parse_statements
from defs.query.sql.plan import CrossJoin, HashJoin, IndexJoin, Plan, PlanNode, Side, TableScan, children, nodes_of, side_of
from defs.query.sql.query import read_query
from defs.query.sql.typed import Typed, type_query, with_view_filters
from defs.schema.model import ModuleDef
from defs.schema.table import TableSchema, TableSchemaError

__all__ = ["MAX_LENGTH", "MAX_TABLES", "PROTOCOLS", "Protocol", "Subscription", "check", "compile"]

#: V2 Subscribe; V1 SubscribeMulti and SubscribeSingle; the one-off query of either.
Protocol: TypeAlias = Literal["v2", "v1", "v1_single", "oneoff"]
PROTOCOLS: tuple[Protocol, ...] = ("v2", "v1", "v1_single", "oneoff")

MAX_LENGTH = 50_000  #: bytes of text that the server takes
MAX_TABLES = 16  #: tables in one FROM that are planned; a subscription may have two

_ALL_TABLES = re.compile(r"\s*select\s+\*\s+from\s+\*\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subscription:
    """An accepted query, with a plan for each table that it returns: one, but for `SELECT * FROM *`."""

    sql: str
    caller: Caller
    protocol: Protocol
    plans: tuple[Plan, ...]
    all_tables: bool = False

    @property
    def returns(self) -> str | list[str]:
        """Canonical name of the table returned; for `SELECT * FROM *` the sorted names."""
        names = [plan.returned.table_name for plan in self.plans]
        return names if self.all_tables else names[0]

    @property
    def is_event(self) -> bool:
        """Whether the rows come as events, which no client keeps."""
        return any(plan.returned.is_event for plan in self.plans)

    @property
    def join(self) -> IndexJoin | None:
        """The join, if there is one."""
        return None if self.all_tables else self.plans[0].lookup

    @property
    def lookup(self) -> str | None:
        """Canonical name of the table that a join looks up by an index; None without one."""
        return self.join.table.table_name if self.join else None

    @property
    def lookup_side(self) -> Side | None:
        """The side of JOIN that this table is on."""
        return side_of(self.join.slot) if self.join else None


def check(sql: str, module: ModuleDef | Catalog, *, caller: Caller = "client", protocol: Protocol = "v2") -> Subscription:
    """What a query means to the server. Raises SqlError when the server refuses it."""
    catalog = module if isinstance(module, Catalog) else Catalog(module)
    if protocol in ("v2", "v1") and _ALL_TABLES.fullmatch(sql):
        plans = tuple(_whole(table, protocol) for table in _everything(catalog, caller))
        return Subscription(sql, caller, protocol, plans, all_tables=True)
    if protocol != "oneoff" and not sql.strip():
        raise SqlError("parse", "SubscriptionError: Empty string", None, "subscribe with SELECT * FROM a table")
    return Subscription(sql, caller, protocol, (_plan(sql, catalog, caller, protocol),))


def compile(sql: str, module: ModuleDef | Catalog, *, caller: Caller = "client", protocol: Protocol = "v2") -> tuple[Plan, ...]:
    """The plans of a query, one for each table that it returns. Raises SqlError when the server refuses it."""
    return check(sql, module, caller=caller, protocol=protocol).plans


def _everything(catalog: Catalog, caller: Caller) -> list[TableSchema]:
    try:
        return catalog.everything(caller)
    except TableSchemaError as error:
        raise SqlError("resolve", str(error)) from None


def _whole(table: TableSchema, protocol: Protocol) -> Plan:
    scan = with_view_filters(TableScan(table, 0))
    plan = Plan(optimize(scan, [0]), 0, (table,), (table.table_name,), scan)
    return _with_fragments(plan)


def _plan(sql: str, catalog: Catalog, caller: Caller, protocol: Protocol) -> Plan:
    _check_text(sql)
    typed = type_query(read_query(parse_statements(sql)), catalog, caller)
    if len(typed.tables) > MAX_TABLES:
        raise _too_many(typed, f"at most {MAX_TABLES} tables are planned here, whatever the query is for")
    logical = in_order(with_view_filters(typed.logical))
    try:
        root = optimize(logical, [typed.returned_slot])
        plan = Plan(root, typed.returned_slot, typed.tables, typed.aliases, logical, uses_sender=typed.uses_sender)
        return plan if protocol == "oneoff" else _subscribed(plan, typed, protocol)
    except SqlError as error:
        if error.position is not None:
            raise
        raise SqlError(error.stage, error.message, typed.ons[0] if typed.ons else None, same_side_hint(typed)) from None


def _check_text(sql: str) -> None:
    try:
        size = len(sql.encode())
    except UnicodeEncodeError as error:
        message = "sql parser error: the text has half a surrogate pair, which is no character"
        raise SqlError("parse", message, error.start) from None
    if size > MAX_LENGTH:
        head = sql[:120]
        hint = f"it is {size} bytes; at most {MAX_LENGTH} are taken: split it into several queries"
        raise SqlError("parse", f'SQL query exceeds maximum allowed length: "{head}..."', None, hint)


def _subscribed(plan: Plan, typed: Typed, protocol: Protocol) -> Plan:
    """The plan, held to what subscriptions must be."""
    nodes = list(nodes_of(plan.root))
    unindexed = next((node for node in nodes if isinstance(node, HashJoin | CrossJoin)), None)
    if unindexed is not None:
        message = "Subscriptions require indexes on join columns"
        raise SqlError("index", message, _on(typed, unindexed), index_hint(plan, unindexed))
    for node in nodes:
        if isinstance(node, IndexJoin) and node.table.is_event:
            message = "Event tables cannot be used as the lookup table in subscription joins"
            raise SqlError("event-lookup", message, typed.places[node.slot], event_lookup_hint(plan, node))
    if len(plan.tables) > 2:
        raise _too_many(typed, "join two tables; a third one's condition can be checked by the client, or in a view")
    plan = _with_fragments(plan)
    if protocol in ("v1", "v1_single") and plan.returned.is_event:
        message = (
            "Subscribing to event tables requires WebSocket v2. "
            "Please upgrade your client SDK and regenerate your module bindings."
        )
        hint = f"{plan.returned.table_name} is an event table, which V1 cannot deliver"
        raise SqlError("event-v1", message, typed.places[plan.returned_slot], hint)
    return plan


def _on(typed: Typed, node: HashJoin | CrossJoin) -> int:
    """Where the join is in the text: the ON of the last table below it, in the order of FROM."""
    return typed.ons[max(slots_below(node)) - 1]


def _too_many(typed: Typed, hint: str) -> SqlError:
    message = f"Invalid number of tables in subscription: {len(typed.tables)}"
    return SqlError("plan", message, typed.places[2], hint)


# Changes ----------------------------------------------------------------------------------------------------

_Delta: TypeAlias = Literal["inserts", "deletes"]
#: What stands for each table in the plans of changes; None for the table itself.
_Deltas: TypeAlias = tuple[tuple[_Delta | None, ...], ...]
_JOIN_INSERTS: _Deltas = (
    ("inserts", None), (None, "inserts"), ("inserts", "deletes"), ("deletes", "inserts"),
)  # fmt: skip
_JOIN_DELETES: _Deltas = (
    ("deletes", None), (None, "deletes"), ("inserts", "inserts"), ("deletes", "deletes"),
)  # fmt: skip


def _with_fragments(plan: Plan) -> Plan:
    """With the plans of what a transaction inserts into the result and deletes from it. (spec: event-tables 1.9)"""
    alone = len(plan.tables) == 1
    inserts: _Deltas = (("inserts",),) if alone else _JOIN_INSERTS
    deletes: _Deltas = (("deletes",),) if alone else _JOIN_DELETES
    return replace(plan, inserts=tuple(_fragments(plan, inserts)), deletes=tuple(_fragments(plan, deletes)))


def _fragments(plan: Plan, deltas: _Deltas) -> Iterator[PlanNode]:
    for changed in deltas:
        yield optimize(_changed(plan.logical, changed), [plan.returned_slot])


def _changed(node: PlanNode, deltas: tuple[_Delta | None, ...]) -> PlanNode:
    if isinstance(node, TableScan):
        return replace(node, delta=deltas[node.slot])
    return with_children(node, [_changed(child, deltas) for child in children(node)])
