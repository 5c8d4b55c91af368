"""Checks as readings, which the printers of `defs.findings` print: a report for each older definition, on the new file."""

from __future__ import annotations

from collections.abc import Iterator

from bsatn.frozen import frozen
from defs.findings import PRINTERS, Finding, Reading, Report
from defs.migrate.reports.model import Check, Comparison, Entry
from defs.migrate.reports.words import file_in_tree, question, witness_lines

__all__ = ["print_github", "print_junit", "print_sarif", "reading_of"]


@frozen
class _Named(Finding):
    """A finding whose element has a name in words, as the check gives it."""

    words: str = ""

    @property
    def element(self) -> str:
        return self.words


ROOM = 400  #: characters of a witness's value; JSON has all of it


def reading_of(check: Check) -> Reading:
    """The check as a reading."""
    several = len(check.comparisons) > 1
    reports = [_report(check, comparison, several) for comparison in check.comparisons]
    if check.settings:
        source = check.config or "configuration"
        reports.append(Report(source, findings=[_finding(entry, source, "") for entry in check.settings]))
    rules = {entry.rule.id: entry.rule.title for entry in check.all()}
    return Reading(reports, "check", rules)


def _report(check: Check, comparison: Comparison, several: bool) -> Report:
    new = comparison.new
    name = f"{new.source} against {comparison.old.source}"
    for source, failure in comparison.failures:
        failed = Finding(failure.kind, "error", f"{source}: {failure.message}", file_in_tree(source))
        return Report(name, new.version, new.layout, failed=failed, unreadable=True)
    against = f" (against {comparison.old.source})" if several else ""
    findings = [_finding(entry, file_in_tree(new.source), against) for entry in comparison.entries]
    return Report(name, new.version, new.layout, findings)


def _finding(entry: Entry, source: str, against: str) -> Finding:
    path = entry.path_new or entry.path_old or ()
    message = entry.message if path else f"{entry.element}: {entry.message}" if entry.element != _ALL else entry.message
    help_ = "\n".join(_help(entry))
    return _Named(entry.rule.id, entry.level, message + against, source, path, help_, words=entry.element)


_ALL = "the definition"


def _help(entry: Entry) -> Iterator[str]:
    yield from (f"{label}: {text}" for label, text in witness_lines(entry, ROOM))
    yield f"fix: {entry.fix}"
    if entry.also:
        yield f"also: {', '.join(entry.also)}"
    if entry.data_check:
        yield f"ask: {question(entry)}"


def print_sarif(check: Check) -> str:
    """SARIF 2.1.0, for code scanning."""
    return PRINTERS["sarif"](reading_of(check))


def print_junit(check: Check) -> str:
    """JUnit XML: a suite for each older definition."""
    return PRINTERS["junit"](reading_of(check))


def print_github(check: Check) -> str:
    """Workflow commands: an annotation for each finding."""
    return PRINTERS["github"](reading_of(check))
