"""What a module's functions are handed first, and what a view may return besides rows.

Which context a function takes says what it is: a view that takes an AnonymousViewContext knows no caller. Nothing here runs
a module; a runtime derives its contexts from these.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from bsatn.values import ConnectionId, Identity, Timestamp

__all__ = [
    "AnonymousViewContext", "HttpHandlerContext", "ProcedureContext", "Query", "ReducerContext", "Request", "Response",
    "ViewContext",
]  # fmt: skip

_R = TypeVar("_R")


class ReducerContext:
    """A reducer's: who called, when, on which connection, and the tables."""

    sender: Identity
    connection_id: ConnectionId | None
    timestamp: Timestamp
    db: Any


class ProcedureContext:
    """A procedure's: who called, when, on which connection; tables only within a transaction."""

    sender: Identity
    connection_id: ConnectionId | None
    timestamp: Timestamp


class ViewContext:
    """A view's that may depend on who looks."""

    sender: Identity
    db: Any


class AnonymousViewContext:
    """A view's that is the same for everybody."""

    db: Any


class HttpHandlerContext:
    """An HTTP handler's."""

    timestamp: Timestamp


class Request:
    """An HTTP request."""

    method: str
    uri: str
    body: bytes


class Response:
    """An HTTP response."""

    status: int
    body: bytes


class Query(Generic[_R]):
    """Returned by a view that gives a query over rows of a class instead of rows; `sql` is the query."""

    sql: str
