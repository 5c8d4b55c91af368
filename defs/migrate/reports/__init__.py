"""The printers of a check: pure functions from a `Check` to a text, registered in one table.

Three come from `defs.findings` through `asreading`: SARIF, JUnit and GitHub's annotations show findings of any kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from defs.migrate.reports.asreading import print_github, print_junit, print_sarif
from defs.migrate.reports.gitlab import print_gitlab
from defs.migrate.reports.html import print_html
from defs.migrate.reports.jsonform import print_json
from defs.migrate.reports.markdown import print_markdown
from defs.migrate.reports.model import Check
from defs.migrate.reports.spacetime import print_spacetime
from defs.migrate.reports.text import print_text

__all__ = ["PRINTERS", "Printer"]

Printer: TypeAlias = Callable[[Check], str]

PRINTERS: dict[str, Printer] = {
    "text": print_text,
    "json": print_json,
    "sarif": print_sarif,
    "junit": print_junit,
    "github": print_github,
    "gitlab": print_gitlab,
    "markdown": print_markdown,
    "html": print_html,
    "spacetime": print_spacetime,
}
