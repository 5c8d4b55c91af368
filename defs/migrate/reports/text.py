"""For a person: by older definition, the verdict, then the findings, the worst first, those of one element together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field

from bsatn.frozen import frozen
from defs.findings.words import visible
from defs.migrate.reports.model import Check, Comparison, Entry
from defs.migrate.reports.words import UPGRADES, headline, question, server_line, summary, witness_lines
from defs.migrate.rules.model import Witness

__all__ = ["print_text"]

ROOM = 96  #: characters of a witness's value; JSON has all of it
Paint = Callable[[str, str], str]

_SGR = {
    "error": "31", "warning": "33", "note": "36", "compatible": "32", "incompatible": "31", "not-compared": "31",
    "absent": "36",
    "element": "1", "faint": "2", "silent": "1;31",
}  # fmt: skip


def print_text(check: Check) -> str:
    """A block for each older definition; a line for all when there are several."""
    paint = _painted if check.color else _plain
    blocks = ["\n".join(_comparison(check, one, paint)) for one in check.comparisons]
    if check.settings:
        about = [visible(check.config or "configuration"), *_findings(check.settings, paint)]
        blocks.append("\n".join(about))
    if len(check.comparisons) > 1:
        blocks.append(summary(check))
    if any(True for _ in check.all()):
        blocks.append("`bsatn explain RULE` says why a rule matters.")
    return "\n\n".join(blocks) + "\n"


def _painted(style: str, text: str) -> str:
    return f"\x1b[{_SGR[style]}m{text}\x1b[0m"


def _plain(_: str, text: str) -> str:
    return text


def _comparison(check: Check, comparison: Comparison, paint: Paint) -> Iterator[str]:
    names = f"{visible(comparison.new.source)} against {visible(comparison.old.source)}"
    yield f"{names}: {paint(check.outcome(comparison), headline(check, comparison))}"
    for source, failure in comparison.failures:
        yield f"  {visible(source)}: {visible(failure.kind)}: {visible(failure.message)}"
    if comparison.server is not None:
        yield f"  server   {server_line(check, comparison)}"
    if any(entry.rule.axis == "client" for entry in comparison.entries):
        yield f"  upgrade  {UPGRADES[comparison.upgrade_first]}"
    yield from _findings(comparison.entries, paint)
    for one in comparison.ignored:
        yield "  " + paint("faint", f"ignored {one.entry.rules} on {visible(one.entry.element)}: {visible(one.reason)}")


def _findings(entries: Sequence[Entry], paint: Paint) -> Iterator[str]:
    """By element, in the order of the worst finding of each; bytes, and what helps, are told once where they are the same."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.element, []).append(entry)
    told = _Told()
    for element, found in groups.items():
        yield ""
        yield "  " + paint("element", visible(element))
        for entry in found:
            yield from _finding(entry, paint, told)


@frozen
class _Told:
    """What the reader has seen above."""

    fixes: set[str] = field(default_factory=set)
    witnesses: dict[Witness, str] = field(default_factory=dict)  #: and of which element


def _finding(entry: Entry, paint: Paint, told: _Told) -> Iterator[str]:
    silent = paint("silent", " unnoticed") if entry.silent else ""
    yield f"    {paint(entry.level, entry.level)}{silent} {entry.rules}: {visible(entry.message)}"
    if entry.witness in told.witnesses:
        yield f"      shown by the same bytes as of {visible(told.witnesses[entry.witness])}"
    elif entry.witness is not None:
        told.witnesses[entry.witness] = entry.element
        yield from (f"      {label + ':':15} {text}" for label, text in witness_lines(entry, ROOM))
    if entry.data_check:
        yield f"      ask: {visible(question(entry))}"
    if entry.fix not in told.fixes:
        told.fixes.add(entry.fix)
        yield "      " + paint("faint", f"fix: {visible(entry.fix)}")
