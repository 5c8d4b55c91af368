"""The score board as markdown, HTML and JSON: a table of shares, then for each testee what is wrong, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from defs.conformance.board import Board, Counts, Entry, Group
from defs.conformance.reports.html import counts_table
from defs.conformance.reports.page import page, table
from defs.conformance.reports.words import COLUMNS, counted, percent, share
from defs.conformance.running import STATUSES
from defs.findings.page import code, words
from defs.findings.words import visible

__all__ = ["PRINTERS"]

TITLE = "Conformance score board"
ABOUT = (
    "The share of cases, of those that a testee does not skip, in which all that is required is right: accepting or rejecting, "
    "bytes, JSON. Weak is where only something recommended differs: the kind of an error, its place, words."
)
MIXED = "These runs did not all ask the same vectors."


def _shares(board: Board, names: Iterable[str], of: Callable[[Entry], dict[str, Counts]]) -> list[tuple[str, list[str]]]:
    """A row a name: each testee's share; empty where it was not asked."""
    return [(name, [_share(of(entry).get(name)) for entry in board.entries]) for name in names]


def _share(counts: Counts | None) -> str:
    return "" if counts is None else percent(share(counts))


def _total(entry: Entry) -> Counts:
    return {status: sum(counts[status] for counts in entry.areas.values()) for status in STATUSES}


def _facts(entry: Entry) -> str:
    skipped = sum(counts["skipped"] for counts in entry.areas.values())
    parts = [counted(entry.cases, "case"), f"{skipped} skipped" if skipped else "", "interrupted" if entry.interrupted else ""]
    return f"{', '.join(filter(None, parts))}. Ops: {', '.join(op for op in entry.ops if op != 'hello')}."


def _reasons(group: Group) -> Iterator[str]:
    for reason, count in group.reasons.most_common():
        yield f"{count} × {reason}"
    if group.unexplained:
        yield f"{group.unexplained} × not expected, such as {group.example}"


# -- markdown


def print_markdown(board: Board) -> str:
    return "\n".join(_markdown(board)) + "\n"


_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", visible(text))


def _markdown(board: Board) -> Iterator[str]:
    yield f"# {TITLE}\n\n{ABOUT}"
    if board.is_mixed:
        yield f"\n**{MIXED}**"
    heads = [_plain(entry.title) for entry in board.entries]
    rows = _shares(board, board.areas, lambda entry: entry.areas)
    yield from _markdown_table(["area", *heads], [*rows, ("**all**", [f"**{_share(_total(one))}**" for one in board.entries])])
    if board.flags:
        yield "\n## By flag"
        yield from _markdown_table(["flag", *heads], _shares(board, board.flags, lambda entry: entry.flags))
    for entry in board.entries:
        yield f"\n## {_plain(entry.title)}\n\n{_plain(_facts(entry))}"
        yield from _markdown_table(["area", *COLUMNS], [(area, _numbers(counts)) for area, counts in entry.areas.items()])
        wrong = [*(f"fault of the testee: {_plain(fault)}" for fault in entry.faults), *_markdown_groups(entry)]
        yield from (["", *(f"- {line}" for line in wrong)] if wrong else [])


def _markdown_groups(entry: Entry) -> Iterator[str]:
    for place, group in entry.groups.items():
        yield f"`{place}`: {_statuses(group)}" + "".join(f"\n  - {_plain(reason)}" for reason in _reasons(group))


def _markdown_table(head: list[str], rows: Iterable[tuple[str, list[str]]]) -> Iterator[str]:
    yield f"\n| {' | '.join(head)} |\n|{'---|' * len(head[:1])}{'---:|' * len(head[1:])}"
    for name, cells in rows:
        yield f"| {' | '.join([name, *cells])} |"


def _numbers(counts: Counts) -> list[str]:
    return [*(str(counts[status]) for status in STATUSES), *(percent(share(counts, of)) for of in COLUMNS[len(STATUSES) :])]


def _statuses(group: Group) -> str:
    return ", ".join(f"{group.counts[status]} {status}" for status in STATUSES if group.counts[status])


# -- HTML


def print_html(board: Board) -> str:
    return page(TITLE, _html(board))


def _html(board: Board) -> Iterator[str]:
    yield f'<h1>{TITLE}</h1><p class="soft">{words(ABOUT)}</p>'
    if board.is_mixed:
        yield f'<section class="verdict weak"><p><strong>{MIXED}</strong></p></section>'
    heads = [words(entry.title) for entry in board.entries]
    rows = [(code(area), cells, "") for area, cells in _shares(board, board.areas, lambda entry: entry.areas)]
    yield table(["area", *heads], [*rows, ("all", [_share(_total(entry)) for entry in board.entries], "total")])
    for entry in board.entries:
        yield f'<h2>{words(entry.title)}</h2><p class="soft">{words(_facts(entry))}</p>'
        yield counts_table("area", entry.areas, total=True)
        for fault in entry.faults:
            yield f'<section class="verdict failed"><p>Fault of the testee: {words(fault)}</p></section>'
        for place, group in entry.groups.items():
            style = "fail" if group.unexplained else "known" if group.reasons else "weak"
            yield f'<details class="{style}"><summary><span class="hue">{_statuses(group)}</span>{code(place)}</summary>'
            reasons = "".join(f"<p>{words(reason)}</p>" for reason in _reasons(group))
            yield f'<div class="body">{reasons or "<p>Recommended answers differ.</p>"}</div></details>'
    if board.flags:
        yield "<h2>By flag</h2>"
        yield table(["flag", *heads], [(code(flag), cells, "") for flag, cells in
                                       _shares(board, board.flags, lambda entry: entry.flags)])  # fmt: skip


# -- JSON


def print_json(board: Board) -> str:
    return json.dumps({"format": 1, "testees": [_jsonable(entry) for entry in board.entries]}, indent=1) + "\n"


def _jsonable(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "version": entry.version,
        "ops": list(entry.ops),
        "vectors": entry.vectors,
        "cases": entry.cases,
        "seconds": entry.seconds,
        "interrupted": entry.interrupted,
        "faults": list(entry.faults),
        "areas": {name: dict(counts) for name, counts in entry.areas.items()},
        "flags": {name: dict(counts) for name, counts in entry.flags.items()},
        "required": {name: _percentage(counts) for name, counts in {**entry.areas, "all": _total(entry)}.items()},
        "groups": {
            place: {
                "counts": dict(group.counts),
                "reasons": [{"reason": reason, "cases": count} for reason, count in group.reasons.most_common()],
                "unexplained": group.unexplained,
                "example": group.example or None,
            }
            for place, group in entry.groups.items()
        },
    }


def _percentage(counts: Counts) -> float | None:
    part = share(counts)
    return None if part is None else float(part * 100)


PRINTERS: dict[str, Callable[[Board], str]] = {"markdown": print_markdown, "html": print_html, "json": print_json}
