"""The printers of a check: pure functions from a `Check` to a text, registered in one table and loaded when used.

Three come from `defs.findings` through `asreading`: SARIF, JUnit and GitHub's annotations show findings of any kind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from defs.lazy import deferred

if TYPE_CHECKING:
    from defs.migrate.reports.model import Check

__all__ = ["PRINTERS", "Printer"]

Printer: TypeAlias = "Callable[[Check], str]"

PRINTERS: dict[str, Printer] = {
    "text": deferred("defs.migrate.reports.text:print_text"),
    "json": deferred("defs.migrate.reports.jsonform:print_json"),
    "sarif": deferred("defs.migrate.reports.asreading:print_sarif"),
    "junit": deferred("defs.migrate.reports.asreading:print_junit"),
    "github": deferred("defs.migrate.reports.asreading:print_github"),
    "gitlab": deferred("defs.migrate.reports.gitlab:print_gitlab"),
    "markdown": deferred("defs.migrate.reports.markdown:print_markdown"),
    "html": deferred("defs.migrate.reports.html:print_html"),
    "spacetime": deferred("defs.migrate.reports.spacetime:print_spacetime"),
}
