"""Clients, the queries that they subscribed to, and who waits for which query.

A query is compiled and evaluated once for all clients that sent the same text and mean the same by it: the same tables seen,
and the same `:sender` where the text has one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from bsatn.values import ConnectionId, Identity
from defs.query.sql import Catalog, Plan, check
from defs.query.sql.catalog import Caller
from defs.query.sql.checking import Protocol
from defs.store.deliveries.pruning import Pruning, Watch
from defs.store.messages import Protocol as Version

__all__ = ["Client", "Queries", "Query", "SetKey"]

SetKey: TypeAlias = tuple[str, int]  #: a client's query set: what kind of message made it, and its number
_Name: TypeAlias = tuple[str, Caller, Protocol, Identity | None]


@dataclass(eq=False)
class Client:
    """A connection. `caller` says which tables it sees: those of an owner, or those of anybody else.

    `sets` are the queries it subscribed to, by set.
    """

    identity: Identity
    connection_id: ConnectionId
    protocol: Version = "v2"
    caller: Caller = "client"
    sets: dict[SetKey, tuple[Query, ...]] = field(default_factory=dict)


@dataclass(eq=False)
class Query:
    """A compiled query: a plan for each table that it returns. `waiting` are the sets that it is in, in order."""

    name: _Name
    plans: tuple[Plan, ...]
    sender: Identity
    waiting: dict[tuple[Client, SetKey], None] = field(default_factory=dict)


class Queries:
    """All that is subscribed to."""

    def __init__(self, catalog: Catalog, pruning: Pruning) -> None:
        self.catalog = catalog
        self.watch: Watch[Query] = Watch(pruning)
        self._known: dict[_Name, Query] = {}

    def compiled(self, sql: str, client: Client, protocol: Protocol) -> Query:
        """The query that a client means by a text. Raises SqlError."""
        for sender in (None, client.identity):
            if (known := self._known.get((sql, client.caller, protocol, sender))) is not None:
                return known
        plans = check(sql, self.catalog, caller=client.caller, protocol=protocol).plans
        sender = client.identity if any(plan.uses_sender for plan in plans) else None
        return Query((sql, client.caller, protocol, sender), plans, client.identity)

    def add(self, client: Client, key: SetKey, queries: Iterable[Query]) -> tuple[Query, ...]:
        """A client waits for these queries; one that is there twice counts once. Returns them."""
        found = tuple({query.name: query for query in queries}.values())
        client.sets[key] = found
        for query in found:
            if not query.waiting:
                self._known[query.name] = query
                for plan in query.plans:
                    self.watch.add(query, plan, query.sender)
            query.waiting[client, key] = None
        return found

    def drop(self, client: Client, key: SetKey) -> tuple[Query, ...]:
        """A client no longer waits for a set; returns its queries."""
        dropped = client.sets.pop(key)
        for query in dropped:
            del query.waiting[client, key]
            if not query.waiting:
                del self._known[query.name]
                for plan in query.plans:
                    self.watch.remove(query, plan, query.sender)
        return dropped
