"""SQL: whether a subscription is taken and whose rows it sends; and what a query builder renders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from defs.conformance.asking import RECOMMENDED, Ask, Difference
from defs.conformance.checks.common import differs
from defs.vectors.files import Case

__all__ = ["check_query", "check_subscription"]

_TOLD = ("returns", "is_event", "lookup", "lookup_side")
_OF_A_PARSER = "sql parser error"  #: begins messages that a third party's parser words


def check_subscription(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    """Why a query is refused is recommended. A one-off query is told no more than that it is fine."""
    reply = ask("sql.check", {name: case[name] for name in ("module", "sql", "caller", "protocol")})
    yield from differs("ok", True, reply["ok"])
    if not reply["ok"]:
        return
    refused = reply.get("verdict") == "error"
    yield from differs("verdict", case["verdict"], "reject" if refused else "accept")
    if case["verdict"] == "accept" and not refused and "returns" in case:
        for name in _TOLD:
            yield from differs(name, case.get(name), reply.get(name))
    elif case["verdict"] == "reject" and refused:
        yield from differs("stage", case["stage"], reply.get("stage"), RECOMMENDED)
        if not case["reason"].startswith(_OF_A_PARSER):
            yield from differs("reason", case["reason"], reply.get("message"), RECOMMENDED)


def check_query(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    reply = ask("query.render", {"description": case["description"]})
    yield from differs("ok", True, reply["ok"])
    if reply["ok"]:
        yield from differs("sql", case["sql"], reply.get("sql"))
