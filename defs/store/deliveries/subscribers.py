"""Clients that subscribe, and what each of them is sent: answers to its messages, and updates for commits.

    subscribers = Subscribers(module, datastore.state)
    client = subscribers.connect()
    subscribers.answer(client, v2.Subscribe(1, v2.QuerySetId(7), ("SELECT * FROM chat",)))
    ...
    sent = subscribers.deliver(tx.commit())[client]

`answers_v1` and `answers_v2` say it in the words of each version. Where the server is defective this is sound, unless
`upstream`; `defs.store.deliveries.defects` says where. Row-level security is not modelled. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Sequence

from bsatn.values import ConnectionId, Identity
from defs.query.sql import Catalog, Plan, SqlError
from defs.query.sql.catalog import Caller
from defs.query.sql.checking import Protocol
from defs.schema.model import ModuleDef
from defs.store.deliveries import answers_v1, answers_v2
from defs.store.deliveries.changes import Changes, Snapshot, changes_of
from defs.store.deliveries.clients import Client, Queries, Query, SetKey
from defs.store.deliveries.queries import delta_rows, initial_rows, is_initial_sent
from defs.store.deliveries.updates import Call, Initial, Update
from defs.store.messages import ClientMessage, ServerMessage
from defs.store.messages import Protocol as Version
from defs.store.state import CommittedState
from defs.store.txdata import TxData
from defs.system.errors import StoreError

__all__ = ["Subscribers"]


class Subscribers:
    """The clients of one database. `state` is that of the datastore, which each commit changes in place."""

    def __init__(self, module: ModuleDef | Catalog, state: CommittedState, *, upstream: bool = False) -> None:
        self.state = state
        self.upstream = upstream
        self.clients: dict[Client, None] = {}
        catalog = module if isinstance(module, Catalog) else Catalog(module)
        self._queries = Queries(catalog, "by table" if upstream else "by slot")
        self._connections = 0

    def connect(
        self,
        identity: Identity | int = 0,
        connection_id: ConnectionId | int | None = None,
        *,
        protocol: Version = "v2",
        caller: Caller = "client",
    ) -> Client:
        """A new client; connections that are not numbered are numbered from 1."""
        self._connections += 1
        number = self._connections if connection_id is None else connection_id
        client = Client(Identity(identity), ConnectionId(number), protocol, caller)
        self.clients[client] = None
        return client

    def disconnect(self, client: Client) -> None:
        """The client goes, and its subscriptions with it. Raises StoreError (`ClientNotFound`)."""
        self._check(client)
        for key in list(client.sets):
            self._queries.drop(client, key)
        del self.clients[client]

    def answer(self, client: Client, message: ClientMessage) -> ServerMessage:
        """What the client is sent for a message: a subscription begins, ends or is refused; a one-off query is answered.

        Queries that the server refuses are answered with its words. Raises StoreError: `ClientNotFound`; `QuerySetExists`,
        `QuerySetNotFound` (there is, or is not, a set of that number); `NotAnswered` (calls, messages of another version).
        """
        self._check(client)
        answers = answers_v1.ANSWERS if client.protocol == "v1" else answers_v2.ANSWERS
        found = answers.get(type(message))
        if found is None:
            expected = ", ".join(sorted(kind.__name__ for kind in answers))
            what = f"{type(message).__module__.rpartition('.')[2]}.{type(message).__name__}"
            raise StoreError("NotAnswered", f"a client of {client.protocol} gets no answer to {what}; expected {expected}")
        return found(self, client, message)

    def deliver(self, commit: TxData | Changes, call: Call | None = None) -> dict[Client, ServerMessage]:
        """What each client is sent for a transaction that was just committed; those whom it does not concern are left out.

        The client of a reducer `call` always gets an answer, and its rows within it, in no message besides.
        Raises StoreError: `ClientNotFound`; `LayoutChanged`, `TableNotFound` (the tables are not those subscribed to: the
        server disconnects everybody then). LimitExceeded.
        """
        if call is not None:
            self._check(call.client)
        snapshot = Snapshot(self.state, changes_of(commit))
        updates: dict[Client, list[Update]] = {}
        for query in self._queries.watch.concerned(snapshot):
            for plan in query.plans:
                if delta := delta_rows(plan, snapshot, query.sender):
                    for client, key in query.waiting:
                        updates.setdefault(client, []).append(Update(key, query, plan.returned, delta))
        if call is not None:
            updates.setdefault(call.client, [])
        return {client: self._message(client, updates[client], call) for client in self.clients if client in updates}

    def _message(self, client: Client, updates: Sequence[Update], call: Call | None) -> ServerMessage:
        if client.protocol == "v1":
            return answers_v1.transaction_update(self, updates, call)
        return answers_v2.transaction_update(updates, call if call is not None and call.client is client else None)

    def _check(self, client: Client) -> None:
        if client not in self.clients:
            raise StoreError("ClientNotFound", f"connection {client.connection_id.hex()} is not one of these clients")

    # -- for answers

    def subscribe(self, client: Client, key: SetKey, texts: Sequence[str], protocol: Protocol) -> list[Initial]:
        """The client waits for queries; what each returns at first. Raises SqlError, whose `sql` is the text at fault."""
        if key in client.sets:
            raise StoreError("QuerySetExists", f"connection {client.connection_id.hex()} has a query set {key[1]} already")
        queries = [self._compiled(text, client, protocol) for text in texts]
        found = self.initial(queries)
        self._queries.add(client, key, queries)
        return found

    def unsubscribe(self, client: Client, key: SetKey) -> tuple[Query, ...]:
        """The client drops a set; returns its queries."""
        if key not in client.sets:
            raise StoreError("QuerySetNotFound", f"connection {client.connection_id.hex()} has no query set {key[1]}")
        return self._queries.drop(client, key)

    def restore(self, client: Client, key: SetKey, queries: Sequence[Query]) -> None:
        """The client waits again for queries that it dropped."""
        self._queries.add(client, key, queries)

    def current(self, query: Query) -> tuple[str, tuple[bytes, ...]]:
        """What a query with one plan returns now: the table's name, and rows of it, even if it reads an empty table."""
        (plan,) = query.plans
        return plan.returned.table_name, initial_rows(plan, self.state, sender=query.sender)

    def one_off(self, client: Client, text: str) -> tuple[Plan, tuple[bytes, ...]]:
        """The rows of a query that is asked once. Raises SqlError."""
        (plan,) = self._compiled(text, client, "oneoff").plans
        return plan, initial_rows(plan, self.state, sender=client.identity)

    def initial(self, queries: Sequence[Query]) -> list[Initial]:
        """What queries return now; those that read an empty table are left out."""
        return [
            Initial(plan, initial_rows(plan, self.state, sender=query.sender))
            for query in {query.name: query for query in queries}.values()
            for plan in query.plans
            if is_initial_sent(plan, self.state)
        ]

    def table_id(self, name: str) -> int:
        """The id of a table. Raises StoreError (`TableNotFound`)."""
        found = self.state.table_named(name)
        if found is None:
            raise StoreError("TableNotFound", f"there is no table {name}", name=name)
        return found.schema.table_id

    def _compiled(self, text: str, client: Client, protocol: Protocol) -> Query:
        try:
            return self._queries.compiled(text, client, protocol)
        except SqlError as error:
            error.fields["sql"] = text
            raise
