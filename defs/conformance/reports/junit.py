"""JUnit XML, which every CI shows: a suite for each group, a test case for each case.

A failure is a failure, a crash an error; what the list expects, and what the testee does not do, is skipped, with the reason.
Faults of the testee as a whole, and lines of the list for no case, are errors of a suite of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from xml.etree import ElementTree

from defs.conformance.reports.words import headline
from defs.conformance.running import Result, Run
from defs.findings.words import visible

__all__ = ["print_junit"]


def print_junit(run: Run) -> str:
    """The document."""
    name = f"conformance of {run.testee.name} {run.testee.version}"
    root = ElementTree.Element("testsuites", name=visible(name), time=f"{run.seconds:.3f}")
    why = {failure.result.id: failure.why for failure in run.failures}
    for place, results in groupby(run.results, lambda result: result.place):
        suite = ElementTree.SubElement(root, "testsuite", name=place)
        for result in results:
            _case(suite, run, result, why.get(result.id))
    _whole(root, run)
    for suite in root:
        for total, what in (("tests", ""), ("failures", "/failure"), ("errors", "/error"), ("skipped", "/skipped")):
            suite.set(total, str(len(suite.findall(f"testcase{what}"))))
    for total in ("tests", "failures", "errors", "skipped"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(suite: ElementTree.Element, run: Run, result: Result, why: str | None) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=result.place.replace("/", "."), name=result.id)
    line = run.line_of(result)
    small = run.reduced.get(result.id)
    smallest = f"smallest: {json.dumps(small.request)}: {small.words}" if small else ""
    words = [why or "", *map(str, result.differences), result.detail, smallest]
    if why is not None:
        _outcome(case, "error" if result.status == "crashed" else "failure", result.status, words)
    elif line is not None:
        _outcome(case, "skipped", result.status, [f"expected, {line.status}: {line.reason}", *words])
    elif result.status == "skipped":
        _outcome(case, "skipped", result.status, words)
    elif result.status == "weak":
        ElementTree.SubElement(case, "system-out").text = visible("recommended: " + "; ".join(filter(None, words)))


def _whole(root: ElementTree.Element, run: Run) -> None:
    wrong = [("testee", fault) for fault in run.faults]
    wrong += [("expected failures", f"line {line.number}: {line.pattern} matches no case") for line in run.unmatched]
    if run.interrupted:
        wrong.append(("run", headline(run)))
    if wrong:
        suite = ElementTree.SubElement(root, "testsuite", name="the run as a whole")
        for name, fault in wrong:
            case = ElementTree.SubElement(suite, "testcase", classname="run", name=name)
            _outcome(case, "error", name, [fault])


def _outcome(case: ElementTree.Element, tag: str, kind: str, words: Iterable[str]) -> None:
    lines = [visible(line) for line in words if line]
    outcome = ElementTree.SubElement(case, tag, message=lines[0] if lines else kind, type=kind)
    outcome.text = "\n".join(lines)
