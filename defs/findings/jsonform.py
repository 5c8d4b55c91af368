"""For a program: one JSON object, whose keys are stable and always there.

`valid` (no source has an error), `errors`, `warnings` and `notes` (counts), `sources`: for each, in the order given, `source`,
`status` (valid, invalid, undecodable or unreadable), `version`, `layout` (null when nothing was decoded), `failed` (a finding,
why there is no definition, or null), `omitted` (findings there was no room for) and `findings`. A finding has `rule`, `level`,
`message`, `path` (a list of names and positions), `where` (the path in words), `element`, `name` and `help`.
"""

from __future__ import annotations

import json
from typing import Any

from defs.findings.model import Finding, Reading, Report

__all__ = ["print_json"]


def print_json(reading: Reading) -> str:
    """The object, indented, in ASCII: no name can disturb a terminal or an encoding."""
    document = {
        "valid": all(report.status == "valid" for report in reading.reports),
        "errors": reading.count("error"),
        "warnings": reading.count("warning"),
        "notes": reading.count("note"),
        "sources": [_report(report) for report in reading.reports],
    }
    return json.dumps(document, indent=2) + "\n"


def _report(report: Report) -> dict[str, Any]:
    return {
        "source": report.source,
        "status": report.status,
        "version": report.version,
        "layout": report.layout,
        "failed": None if report.failed is None else _finding(report.failed),
        "omitted": report.omitted,
        "findings": [_finding(one) for one in report.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": finding.level,
        "message": finding.message,
        "path": list(finding.path),
        "where": finding.where,
        "element": finding.element,
        "name": finding.name,
        "help": finding.help,
    }
