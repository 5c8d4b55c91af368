"""What goes from the subscriptions to the messages, before it is put in the words of a version."""

from __future__ import annotations

from dataclasses import dataclass

from bsatn.values import Timestamp
from defs.query.sql import Plan, SqlError
from defs.schema.table import TableSchema
from defs.store.deliveries.clients import Client, Query, SetKey
from defs.store.deliveries.queries import Delta

__all__ = ["Call", "Initial", "Update", "refusal"]


@dataclass(frozen=True, slots=True)
class Call:
    """A reducer call that a client made, and that committed. `args` and `ret_value` are BSATN."""

    client: Client
    request_id: int = 0
    reducer_name: str = ""
    args: bytes = b""
    timestamp: Timestamp | int = 0
    ret_value: bytes = b""


@dataclass(frozen=True, slots=True)
class Initial:
    """What a query returns at first: rows of the table that its plan returns."""

    plan: Plan
    rows: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """What a transaction does to one query of a client's set."""

    key: SetKey
    query: Query
    table: TableSchema
    delta: Delta


def refusal(error: SqlError) -> str:
    """The error as the server sends it: with the query behind it, unless it is about V1. (spec: event-tables 1.9)"""
    return error.message if error.stage == "event-v1" else f"{error.message}, executing: `{error.fields['sql']}`"
