"""Findings: what is wrong with a definition, or worth a warning, and the printers that say so.

Nothing here knows a rule. Whoever judges a definition makes a `Report` of `Finding`s for each source; a printer turns the
`Reading` of all of them into one text. Printers are pure functions, registered in one table.
"""

from __future__ import annotations

from collections.abc import Callable

from defs.findings.github import print_github
from defs.findings.jsonform import print_json
from defs.findings.junit import print_junit
from defs.findings.model import Finding, Level, Reading, Report, Status
from defs.findings.sarif import print_sarif
from defs.findings.text import print_text

__all__ = ["PRINTERS", "Finding", "Level", "Printer", "Reading", "Report", "Status"]

Printer = Callable[[Reading], str]

PRINTERS: dict[str, Printer] = {
    "text": print_text,
    "json": print_json,
    "sarif": print_sarif,
    "junit": print_junit,
    "github": print_github,
}
