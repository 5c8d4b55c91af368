"""For a person: by source, then by element, in the order of the findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from defs.findings.model import Finding, Reading, Report, Status, counted
from defs.findings.words import visible

__all__ = ["print_text"]

Paint = Callable[[str, str], str]

_SGR = {"error": "31", "warning": "33", "note": "36", "valid": "32", "element": "1", "faint": "2"}
_STATUSES: tuple[Status, ...] = ("valid", "invalid", "undecodable", "unreadable")


def print_text(reading: Reading) -> str:
    """A block for each source; a line of counts when there are several."""
    paint = _painted if reading.color else _plain
    blocks = ["\n".join(_source(report, paint)) for report in reading.reports]
    if len(blocks) > 1:
        blocks.append(_summary(reading))
    return ("\n\n" if any("\n" in block for block in blocks) else "\n").join(blocks) + "\n"


def _painted(style: str, text: str) -> str:
    return f"\x1b[{_SGR[style]}m{text}\x1b[0m"


def _plain(_: str, text: str) -> str:
    return text


def _source(report: Report, paint: Paint) -> Iterator[str]:
    source = visible(report.source)
    if report.failed is not None:
        message = f"{visible(report.failed.rule)}: {visible(report.failed.message)}"
        yield f"{source}: {paint('error', report.status)}: {message}"
        return
    counts = [
        paint(level, counted(report.count(level), level)) for level in ("error", "warning", "note") if report.count(level)
    ]
    if report.status == "valid":
        counts.insert(0, paint("valid", "valid"))
    yield f"{source}: {', '.join(counts)} {paint('faint', f'(version {report.version}, layout {report.layout})')}"
    groups: dict[str, list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault(finding.element, []).append(finding)
    for element, findings in groups.items():
        yield "  " + paint("element", visible(element) or "the definition")
        for finding in findings:
            yield from _finding(finding, paint)
    if report.omitted:
        yield f"  ... and {report.omitted} more"


def _finding(finding: Finding, paint: Paint) -> Iterator[str]:
    yield f"    {paint(finding.level, finding.level)} {visible(finding.rule)}: {visible(finding.message)}"
    if finding.is_inside:
        yield "      " + paint("faint", f"at {visible(finding.where)}")
    if finding.help:
        yield f"      help: {visible(finding.help)}"


def _summary(reading: Reading) -> str:
    statuses = reading.statuses()
    parts = [f"{statuses[status]} {status}" for status in _STATUSES if statuses[status]]
    counts = [counted(reading.count(level), level) for level in ("error", "warning", "note") if reading.count(level)]
    return f"{counted(len(reading.reports), 'source')}: {', '.join(parts)}" + (f"; {', '.join(counts)}" if counts else "")
