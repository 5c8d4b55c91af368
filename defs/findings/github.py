"""Workflow commands of GitHub Actions: a line for each finding, shown as an annotation of the run.

`%`, line ends and, in properties, `:` and `,` are escaped as the runner expects, so no name can end a command or begin another.
"""

from __future__ import annotations

from defs.findings.model import Finding, Level, Reading, counted
from defs.findings.places import file_of
from defs.findings.words import visible

__all__ = ["print_github"]

_COMMANDS: dict[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def print_github(reading: Reading) -> str:
    """The commands; nothing when there is nothing to say."""
    lines = [_command(finding) for report in reading.reports for finding in report.all()]
    for report in reading.reports:
        if report.omitted:
            text = f"{counted(report.omitted, 'more finding')} left out"
            lines.append(_command(Finding("omitted", "error", text, report.source)))
    return "".join(line + "\n" for line in lines)


def _command(finding: Finding) -> str:
    properties = {"title": finding.rule, "file": file_of(finding.source)}
    shown = ",".join(f"{key}={visible(text).translate(_PROPERTY)}" for key, text in properties.items() if text)
    message = f"{finding.element}: {finding.message}" if finding.path else finding.message
    if properties["file"] is None:
        message = f"{finding.source}: {message}"
    if finding.help:
        message += f"\n{finding.help}"
    return f"::{_COMMANDS[finding.level]} {shown}::{visible(message, keep=chr(10)).translate(_DATA)}"
