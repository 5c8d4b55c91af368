"""Subscriptions and the query builder: recorded answers, since the server's SQL is in crates that are asked nothing here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defs.vectors.files import Case, VectorFile
from defs.vectors.generation.programs import Programs
from defs.vectors.generation.releases import NEWEST
from defs.vectors.generation.selecting import recorded, spread

__all__ = ["make_queries", "make_subscriptions"]

SUBSCRIPTIONS, SIMILAR = 480, 60
LONGEST = 6000  #: hex digits of a module
_SOURCE = f"recorded: spacetimedb-query {NEWEST}, spacetimedb-subscription {NEWEST}"
_OTHERS = ("v1", "v1_single", "oneoff")
_ABOUT = {
    "v2": "texts as a V2 Subscribe",
    "v1": "texts as a V1 SubscribeMulti: those that V2 answers otherwise, and some others",
    "v1_single": "texts as a V1 SubscribeSingle: those that SubscribeMulti answers otherwise",
    "oneoff": "texts as a one-off query: those that V2 answers otherwise, and some others",
}


def make_subscriptions(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area: one for each protocol."""
    rows = [row for row in recorded(directory, "subscriptions") if len(row["module"]) < LONGEST]
    drawn = spread(rows, SUBSCRIPTIONS, features=_features, size=lambda row: len(row["module"]) + len(row["sql"]))
    chosen: dict[str, list[Any]] = {"v2": drawn, "v1": [], "v1_single": [], "oneoff": []}
    for protocol in _OTHERS:
        other = [row for row in rows if protocol in row and _verdict(row, protocol) != _verdict(row, "v2")]
        alike = [row for row in drawn[:SIMILAR] if protocol in row and row not in other] if protocol != "v1_single" else []
        chosen[protocol] = [*other, *alike]
    for protocol, found in chosen.items():
        cases = {(case["sql"], case["module"], case["caller"]): case for case in (_case(row, protocol) for row in found)}
        yield VectorFile("subscriptions", protocol.replace("_", ""), _ABOUT[protocol], tuple(cases.values()))


def _said(row: Any, protocol: str) -> Any:
    said = row[protocol]
    return row["v2"] if said == "same" else said


def _verdict(row: Any, protocol: str) -> tuple[Any, ...]:
    """What makes answers differ: not that a one-off query is told no more than that it is fine."""
    said = _said(row, protocol)
    return said["verdict"], said.get("stage"), said.get("error")


def _case(row: Any, protocol: str) -> Case:
    said = _said(row, protocol)
    case: Case = {"spec": "event-tables 1.9", "since": NEWEST, "until": NEWEST, "flags": _flags(row), "source": _SOURCE,
                  "module": bytes.fromhex(row["module"]), "sql": row["sql"], "caller": row["caller"],
                  "protocol": protocol}  # fmt: skip
    if said["verdict"] == "error":
        return {**case, "verdict": "reject", "error": "InvalidQuery", "stage": said["stage"], "reason": said["error"]}
    names = ("returns", "is_event", "lookup", "lookup_side")
    return {**case, "verdict": "accept", **{name: said[name] for name in names if said.get(name) is not None}}


def _flags(row: Any) -> list[str]:
    flags = {"non-ascii": not row["sql"].isascii(), "nul": "\0" in row["sql"], "random": True}
    return sorted(flag for flag, holds in flags.items() if holds)


def _features(row: Any) -> set[str]:
    said = row["v2"]
    words = said.get("error", "").split(" ")
    shape = {
        said["verdict"],
        said.get("stage", ""),
        " ".join(words[:4]),
        str(said.get("lookup_side")),
        str(said.get("is_event")),
    }
    return {*shape, str(type(said.get("returns"))), row["caller"] + said["verdict"], *_operators(said.get("plan"))}


def _operators(plan: Any) -> Iterator[str]:
    while plan:
        yield " ".join(str(plan.get(name)) for name in ("op", "unique", "returns", "lookup_side"))
        plan = plan.get("input") or plan.get("outer")
        plan = plan if isinstance(plan, dict) else None


def make_queries(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    cases = [_query(row) for row in recorded(directory, "query_builder")]
    yield VectorFile("queries", "builder", "queries as data, and the text that the Rust query builder renders", tuple(cases))


def _query(row: Any) -> Case:
    return {"spec": "event-tables 6", "since": NEWEST, "until": NEWEST, "flags": ["random"], "description": row["description"],
            "verdict": "accept", "sql": row["sql"], "source": f"recorded: spacetimedb-query-builder {NEWEST}"}  # fmt: skip
