"""Traces: what the subscribers of each query are sent for a transaction.

What else a case says, the results, changes, the log's record and the state, the protocol does not ask; what of it a testee adds
to its reply is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defs.conformance.asking import Ask, Difference, Reply
from defs.conformance.checks.common import differs, parts
from defs.vectors.files import Case

__all__ = ["check_trace", "fields"]

_PARTS = ("initial", "initial_sent", "inserts", "deletes")
_MORE = ("results", "changes", "record", "state")


def check_trace(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    """Where the server is defective, its answer and the sound one are both right."""
    reply = ask("deliver", fields(case))
    yield from differs("ok", True, reply["ok"])
    if not reply["ok"]:
        return
    choices = case.get("choices", [case])
    tried = [list(_delivered(choice["deliveries"], reply)) for choice in choices]
    yield from min(tried, key=len)
    yield from parts(*(differs(name, case[name], reply[name]) for name in _MORE if name in case and name in reply))


def fields(case: Case) -> dict[str, Any]:
    """The fields of the request."""
    setup = {group["table"]: [{"bsatn": row} for row in group["rows"]] for group in case["setup"]}
    given = {name: case[name] for name in ("module", "caller_identity")}
    return {**given, "setup": setup, "tx": case["operations"], "queries": case["subscribed"]}


def _delivered(expected: list[Case], reply: Reply) -> Iterator[Difference]:
    """What differs of one answer, query by query; rows are bags."""
    got = reply.get("queries")
    if not isinstance(got, list) or len(got) != len(expected):
        yield from differs("queries", len(expected), got)
        return
    for place, (wanted, query) in enumerate(zip(expected, got, strict=True)):
        for name in _PARTS:
            yield from differs(f"query {place}: {name}", _bag(wanted[name]), _bag(_get(query, name)))


def _get(query: Any, name: str) -> Any:
    return query.get(name) if isinstance(query, dict) else None


def _bag(rows: Any) -> Any:
    """Rows as hex, sorted by their bytes; anything else as it is."""
    if not isinstance(rows, list):
        return rows
    return sorted(row.hex() if isinstance(row, bytes) else str(row) for row in rows)
