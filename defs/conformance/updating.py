"""The list of expected failures that a run would have needed, written for a person to finish.

Comments, and lines that are true, stay as they are. A line that is true of some cases only becomes a line for each of these,
with its reason; what is new is at the end, with TODO in place of a reason and what was seen beside it. A list with a TODO in it
is refused, so no failure becomes an expected one without a word on why.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from defs.conformance.expected import Line
from defs.conformance.running import Result, Run
from defs.findings.words import visible

__all__ = ["updated"]

HEADER = "# Failures that are expected: `ID-OR-GLOB [weak|fail|crashed|varies]  # reason`\n"
WHOLE_GROUP = 3  #: cases that a group has at least, for one line to speak of all
MAX_SEEN = 100  #: characters of what was seen


def updated(run: Run) -> str:
    """The list's text."""
    old = list(_kept(run)) if run.expected.text else [HEADER.rstrip()]
    new = list(_added(run))
    return "\n".join([*old, *(["", *new] if new else [])]) + "\n"


def _kept(run: Run) -> Iterator[str]:
    lines = {line.number: line for line in run.expected.lines}
    unmatched = {line.number for line in run.unmatched}
    speaks_of: dict[int, list[Result]] = {}
    for result in run.results:
        if (line := run.line_of(result)) is not None:
            speaks_of.setdefault(line.number, []).append(result)
    for number, text in enumerate(run.expected.text.splitlines(), 1):
        if number not in lines:
            yield text
        elif number not in unmatched:
            yield from _still_true(lines[number], speaks_of.get(number, []), text)


def _still_true(line: Line, results: list[Result], text: str) -> Iterator[str]:
    true = [result for result in results if line.allows(result.status)]
    if len(true) == len(results):
        yield text
    else:
        yield from (str(Line(result.id, line.status, line.reason)) for result in true)


def _added(run: Run) -> Iterator[str]:
    """Lines for what is wrong; one for a group of which all is wrong in the same way, if all of it was asked."""
    whole = not run.selection.get("flags") and not run.selection.get("cases") and not run.interrupted
    new = {result.id for result, _ in run.failures if result.status in ("fail", "crashed", "weak")}
    for place, found in groupby(run.results, lambda result: result.place):
        results = list(found)
        statuses = {result.status for result in results}
        if whole and len(results) >= WHOLE_GROUP and len(statuses) == 1 and all(result.id in new for result in results):
            yield f"{place}/* {results[0].status}  # TODO {_seen(results[0])}"
        else:
            yield from (f"{result.id} {result.status}  # TODO {_seen(result)}" for result in results if result.id in new)


def _seen(result: Result) -> str:
    text = visible(result.words)
    return text if len(text) <= MAX_SEEN else text[: MAX_SEEN - 3] + "..."
