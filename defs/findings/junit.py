"""JUnit XML, which every CI shows: a suite for each source, a test case for each finding, and one that passes when valid.

Errors are failures, a source without definition is an error, and warnings pass with their text as output. Characters that XML
has no way to write, and those that would move what is shown, are escaped as text.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from defs.findings.model import Finding, Reading, Report
from defs.findings.words import visible

__all__ = ["print_junit"]


def print_junit(reading: Reading) -> str:
    """The document."""
    root = ElementTree.Element("testsuites", name=f"bsatn {reading.command}")
    for report in reading.reports:
        root.append(_suite(reading, report))
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suite(reading: Reading, report: Report) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=visible(report.source))
    if report.status == "valid":
        _case(suite, report, reading.command)
    if report.failed is not None:
        _outcome(_case(suite, report, report.failed.rule), "error", report.failed)
    for finding in report.findings:
        case = _case(suite, report, f"{finding.rule} {finding.where}".strip())
        if finding.level == "error":
            _outcome(case, "failure", finding)
        else:
            ElementTree.SubElement(case, "system-out").text = f"{finding.level}: {_body(finding)}"
    if report.omitted:
        left_out = Finding("omitted", "error", f"{report.omitted} more findings were left out", report.source)
        _outcome(_case(suite, report, "omitted"), "failure", left_out)
    for total, what in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
        suite.set(total, str(len(suite.findall(what))))
    return suite


def _case(suite: ElementTree.Element, report: Report, name: str) -> ElementTree.Element:
    attributes: dict[str, Any] = {"classname": visible(report.source), "name": visible(name)}
    return ElementTree.SubElement(suite, "testcase", attributes)


def _outcome(case: ElementTree.Element, tag: str, finding: Finding) -> None:
    outcome = ElementTree.SubElement(case, tag, message=visible(finding.message), type=visible(finding.rule))
    outcome.text = _body(finding)


def _body(finding: Finding) -> str:
    text = f"{finding.element}: {finding.message}" if finding.path else finding.message
    return visible(f"{text}\n{finding.help}" if finding.help else text, keep="\n\t")
