"""The printers of a run: pure functions from a `Run` to a text, registered in one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from defs.conformance.reports.html import print_html
from defs.conformance.reports.jsonform import print_json
from defs.conformance.reports.junit import print_junit
from defs.conformance.reports.text import print_text
from defs.conformance.running import Run

__all__ = ["PRINTERS", "Printer"]

Printer: TypeAlias = Callable[[Run], str]

PRINTERS: dict[str, Printer] = {"text": print_text, "json": print_json, "junit": print_junit, "html": print_html}
