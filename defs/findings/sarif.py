"""SARIF 2.1.0, in the shape that GitHub's code scanning takes: flat messages, stable rule ids, a fingerprint for each result.

A finding has no line, since a definition is compiled: its place is the source, line 1, and in it the path as a logical
location. The fingerprint leaves positions out, so that a table added before another does not make its findings new.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from bsatn import __version__
from bsatn.paths import format_path
from defs.findings.model import Finding, Reading, Report
from defs.findings.places import file_of, uri_of
from defs.findings.words import visible

__all__ = ["print_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_KEPT = "\n\t"  #: characters that a message may hold as they are


def print_sarif(reading: Reading) -> str:
    """One run with everything in it."""
    findings = [finding for report in reading.reports for finding in report.all()]
    rules = {rule: index for index, rule in enumerate(dict.fromkeys(finding.rule for finding in findings))}
    levels = {finding.rule: finding.level for finding in reversed(findings)}
    seen: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "bsatn",
                "semanticVersion": __version__,
                "rules": [_rule(reading, rule, levels[rule]) for rule in rules],
            }
        },
        "automationDetails": {"id": f"bsatn-{reading.command}/"},
        "invocations": [
            {
                "executionSuccessful": not any(report.unreadable for report in reading.reports),
                "toolExecutionNotifications": [note for report in reading.reports for note in _notes(report)],
            }
        ],
        "results": [_result(finding, rules[finding.rule], seen) for finding in findings],
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(reading: Reading, rule: str, level: str) -> dict[str, Any]:
    text = {"text": visible(reading.about(rule))}
    return {
        "id": rule,
        "shortDescription": text,
        "fullDescription": text,
        "help": text,
        "defaultConfiguration": {"level": level},
        "properties": {"problem.severity": {"note": "recommendation"}.get(level, level)},
    }


def _notes(report: Report) -> list[dict[str, Any]]:
    notes = []
    if report.unreadable and report.failed is not None:
        notes.append({"level": "error", "message": {"text": f"{visible(report.source)}: {visible(report.failed.message)}"}})
    if report.omitted:
        text = f"{visible(report.source)}: {report.omitted} more findings were left out"
        notes.append({"level": "warning", "message": {"text": text}})
    return notes


def _result(finding: Finding, index: int, seen: Counter[str]) -> dict[str, Any]:
    message = visible(finding.message, keep=_KEPT) or finding.rule
    if finding.where:
        message = f"{visible(finding.element)}: {message}"
    if finding.help:
        message += f"\n{visible(finding.help, keep=_KEPT)}"
    artifact = {"uri": uri_of(finding.source)}
    if file_of(finding.source) and not artifact["uri"].startswith("file:"):
        artifact["uriBaseId"] = "%SRCROOT%"
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": 1}}}
    if finding.path:
        logical = {"fullyQualifiedName": visible(finding.where), "kind": "member"}
        location["logicalLocations"] = [{"name": visible(finding.name), **logical} if finding.name else logical]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": message},
        "locations": [location],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(finding, seen)},
    }


def _fingerprint(finding: Finding, seen: Counter[str]) -> str:
    """A digest of what is found where, and which of several alike this is."""
    place = format_path([step for step in finding.path if isinstance(step, str)])
    parts = (finding.source, finding.rule, place, finding.name or "", finding.message)
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
