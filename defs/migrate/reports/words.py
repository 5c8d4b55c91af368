"""The sentences that several printers share."""

from __future__ import annotations

from typing import Final

from defs.describe.words import clip
from defs.findings.words import MAX_SHOWN, visible
from defs.migrate.reports.model import SAYS, Check, Comparison, Entry, Outcome, Side, counts
from defs.migrate.rules.model import UpgradeFirst

__all__ = [
    "AXES", "OUTCOMES", "UPGRADES", "about", "file_in_tree", "headline", "question", "server_line", "summary", "witness_lines",
]  # fmt: skip

OUTCOMES: Final[dict[Outcome, str]] = {
    "compatible": "compatible",
    "incompatible": "not compatible",
    "absent": "nothing to compare with",
    "not-compared": "could not be compared",
}
UPGRADES: Final[dict[UpgradeFirst, str]] = {
    "server": "the server first, then clients",
    "clients": "clients first, then the server",
    "either": "either side first",
    "lock-step": "both at once: neither order works",
}
AXES: Final = {"server": "server", "client": "clients", "data": "stored rows"}
_SIDES: Final = {"old": ("the old", "the new"), "new": ("the new", "the old")}


def headline(check: Check, comparison: Comparison) -> str:
    """`not compatible: 2 errors, 1 warning`; `compatible: nothing changes`."""
    outcome = OUTCOMES[check.outcome(comparison)]
    if comparison.failures:
        return outcome
    found = "nothing changes" if comparison.unchanged else counts(comparison.entries)
    ignored = f"{len(comparison.ignored)} ignored" if comparison.ignored else ""
    more = ", ".join(filter(None, (found, ignored)))
    return f"{outcome}: {more}" if more else outcome


def summary(check: Check) -> str:
    """All comparisons in one line."""
    outcomes = [check.outcome(one) for one in check.comparisons]
    parts = [f"{outcomes.count(one)} {words}" for one, words in OUTCOMES.items() if one in outcomes]
    return f"against {len(outcomes)} definitions: {', '.join(parts)}"


def server_line(check: Check, comparison: Comparison) -> str:
    """What the server does: `the server (2.14.0) refuses it: manual`."""
    if comparison.server is None:
        return ""
    verdict = comparison.server.verdict
    also = " and disconnects all clients" if comparison.server.breaks_clients and verdict != "breaks-clients" else ""
    return f"{verdict}: a server of release {check.release} {SAYS[verdict]}{also}"


def about(side: Side) -> str:
    """`version 10, layout 10i`."""
    return f"version {side.version}, layout {side.layout}" if side.version is not None else ""


def question(entry: Entry) -> str:
    """What to ask the database."""
    return f"{entry.data_check.sql}  -- {entry.data_check.expect}" if entry.data_check else ""


def witness_lines(entry: Entry, room: int = MAX_SHOWN) -> list[tuple[str, str]]:
    """The witness as labelled lines, each of so many characters at most: what is written, its bytes, what is read."""
    one = entry.witness
    if one is None:
        return []
    writer, reader = _SIDES[one.written_by]
    return [
        (f"{writer} writes", clip(visible(one.value), room)),
        ("as", clip(visible(one.type), room)),
        ("bytes", clip(visible(one.bytes), room)),
        (f"{reader} {'reads' if one.silent else 'fails'}", clip(visible(one.read_as), room)),
        ("so", visible(one.shows)),
    ]


def file_in_tree(source: str) -> str:
    """The file that a source is, for tools that show findings beside files: of what git has, the path."""
    if source.startswith("git:") and not source.startswith("git://"):
        return source.split(":", 2)[2].removeprefix("./")
    return source
