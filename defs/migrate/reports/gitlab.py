"""GitLab's code quality report: a JSON array, an object for each finding, whose fingerprint stays when nothing changes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any, Final

from defs.findings.model import Finding, Level
from defs.findings.places import file_of
from defs.findings.words import visible
from defs.migrate.reports.asreading import reading_of
from defs.migrate.reports.model import Check

__all__ = ["print_gitlab"]

_SEVERITIES: Final[dict[Level, str]] = {"error": "critical", "warning": "minor", "note": "info"}


def print_gitlab(check: Check) -> str:
    """The array; empty when there is nothing to say."""
    seen: Counter[str] = Counter()
    findings = [finding for report in reading_of(check).reports for finding in report.all()]
    return json.dumps([_object(finding, seen) for finding in findings], indent=2) + "\n"


def _object(finding: Finding, seen: Counter[str]) -> dict[str, Any]:
    path = file_of(finding.source) or "unnamed"
    message = f"{finding.element}: {finding.message}" if finding.path else finding.message
    key = "\0".join((path, finding.rule, finding.where, finding.message))
    seen[key] += 1
    digest = hashlib.sha256(f"{key}\0{seen[key]}".encode("utf-8", "surrogatepass")).hexdigest()
    return {
        "description": visible(f"{finding.rule}: {message}"),
        "check_name": visible(finding.rule),
        "fingerprint": digest,
        "severity": _SEVERITIES[finding.level],
        "location": {"path": visible(path).removeprefix("./"), "lines": {"begin": 1}},
    }
