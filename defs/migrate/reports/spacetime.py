"""The server's own words: the plan as it prints it before publishing, or the reason why it refuses."""

from __future__ import annotations

from collections.abc import Iterator

from defs.findings.words import visible
from defs.migrate.printing import CannotPrint, to_text
from defs.migrate.reports.model import Check, Comparison

__all__ = ["print_spacetime"]


def print_spacetime(check: Check) -> str:
    """The plans; with several older definitions, each after a line that says against which."""
    several = len(check.comparisons) > 1
    return "\n".join(part for one in check.comparisons for part in _part(check, one, several))


def _part(check: Check, comparison: Comparison, several: bool) -> Iterator[str]:
    if several:
        yield f"Against {visible(comparison.old.source)}:"
    for source, failure in comparison.failures:
        yield f"{visible(source)}: {visible(failure.kind)}: {visible(failure.message)}"
    if comparison.absent:
        yield from (f"{visible(entry.element)}: {visible(entry.message)}" for entry in comparison.entries)
    server = comparison.server
    if server is not None and server.errors is not None:
        yield visible_lines(server.errors.reason)
    if server is not None and server.plan is not None:
        try:
            yield to_text(server.plan, color=check.color)
        except CannotPrint as error:
            yield str(error)


def visible_lines(text: str) -> str:
    """The text as it is, but for characters that would disturb a terminal."""
    return "\n".join(map(visible, text.split("\n")))
