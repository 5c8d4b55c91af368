"""Findings: what is wrong with a definition, or worth a warning, and the printers that say so.

Nothing here knows a rule. Whoever judges a definition makes a `Report` of `Finding`s for each source; a printer turns the
`Reading` of all of them into one text. Printers are pure functions, registered in one table and loaded when used.
"""

from __future__ import annotations

from collections.abc import Callable

from defs.findings.model import Finding, Level, Reading, Report, Status
from defs.lazy import deferred

__all__ = ["PRINTERS", "Finding", "Level", "Printer", "Reading", "Report", "Status"]

Printer = Callable[[Reading], str]

PRINTERS: dict[str, Printer] = {
    "text": deferred("defs.findings.text:print_text"),
    "json": deferred("defs.findings.jsonform:print_json"),
    "sarif": deferred("defs.findings.sarif:print_sarif"),
    "junit": deferred("defs.findings.junit:print_junit"),
    "github": deferred("defs.findings.github:print_github"),
}
