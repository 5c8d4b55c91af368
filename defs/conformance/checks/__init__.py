"""What the answers to a case must be: a row an area, over any Ask.

A check yields what differs. Required are the verdict, bytes and JSON; recommended are the kind of an error, its place, and
words. A part of a case that an implementation skips is left out; the case is skipped if all of it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from defs.conformance.asking import Ask, Counting, Difference, Skipped
from defs.conformance.checks.definitions import check_conversion, check_definition, check_validation
from defs.conformance.checks.logs import check_log
from defs.conformance.checks.migrations import check_migration
from defs.conformance.checks.names import check_name
from defs.conformance.checks.queries import check_query, check_subscription
from defs.conformance.checks.traces import check_trace
from defs.conformance.checks.values import check_type, check_value

if TYPE_CHECKING:
    from defs.vectors.files import Case

__all__ = ["CHECKS", "Check", "ask_case"]

Check: TypeAlias = Callable[["Case", Path, Ask], Iterator[Difference]]  #: the path is the directory of the vectors

CHECKS: dict[str, Check] = {
    "values": check_value,
    "types": check_type,
    "names": check_name,
    "definitions": check_definition,
    "validation": check_validation,
    "conversion": check_conversion,
    "migrations": check_migration,
    "logs": check_log,
    "traces": check_trace,
    "subscriptions": check_subscription,
    "queries": check_query,
}


def ask_case(area: str, case: Case, place: Path, ask: Counting) -> list[Difference]:
    """What differs. Raises Skipped if no question of the case was answered, Crashed."""
    found: list[Difference] = []
    before = ask.answered
    with suppress(Skipped):
        found.extend(CHECKS[area](case, place, ask))
    if ask.answered == before and ask.skipped:
        raise Skipped(next(iter(ask.skipped.values())))
    return found
