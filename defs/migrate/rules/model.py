"""What a rule is, what it finds, and the bytes that prove it.

A rule is declared once: `@rule(ID, title, ...)` over one pure function of both definitions. The id names the promise that a
change breaks. `RULES` has the declarations in the order in which they are made, `CHECKS` the functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bsatn.frozen import frozen

if TYPE_CHECKING:
    from defs.migrate.rules.comparison import Comparison

__all__ = [
    "CHECKS",
    "RULES",
    "Axis",
    "Check",
    "Hit",
    "Path",
    "Rule",
    "RuleFinding",
    "Severity",
    "UpgradeFirst",
    "Witness",
    "rule",
]

Axis: TypeAlias = Literal["server", "client", "data"]
Severity: TypeAlias = Literal["error", "warning", "note"]
UpgradeFirst: TypeAlias = Literal["server", "clients", "either", "lock-step"]
Path: TypeAlias = tuple[str, ...]  #: as of the planner's errors: namespaces, `tables`, the name, `columns`, the name


@frozen
class Rule:
    """A promise that a new definition has to keep."""

    id: str
    title: str  #: the promise in a sentence, without full stop
    axis: Axis  #: who notices: the server when it publishes, clients generated before, or the rows that are stored
    severity: Severity
    why: str
    fix: str
    upgrade_first: UpgradeFirst  #: in which order both sides may be replaced
    since: str | None = None  #: the first server release that it holds for
    until: str | None = None  #: the first server release that it no longer holds for
    spec: str = ""


@frozen
class Witness:
    """A value written under one definition, and what the other side reads from its bytes."""

    type: str  #: the type it is written as, in SATN
    written_by: Literal["old", "new"]
    value: str  #: SATS-JSON
    bytes: str  #: hexadecimal
    read_as: str  #: SATS-JSON; of a failure, what the reader says
    shows: str  #: in a sentence
    silent: bool  #: whether the reader notices nothing


@frozen
class Hit:
    """One place where a promise is broken."""

    path_old: Path | None  #: None for what only the new definition has
    path_new: Path | None  #: None for what only the old definition has
    element: str  #: for people: `table fighter / column team`
    message: str
    witness: Witness | None = None

    @property
    def silent(self) -> bool:
        """Whether somebody reads wrong values without noticing."""
        return self.witness is not None and self.witness.silent


@frozen
class RuleFinding:
    """A rule, and where it is broken."""

    rule: Rule
    hit: Hit


Check: TypeAlias = Callable[["Comparison"], Iterable[Hit]]

RULES: Final[dict[str, Rule]] = {}
CHECKS: Final[dict[str, Check]] = {}


def rule(
    id: str,
    title: str,
    *,
    axis: Axis,
    severity: Severity,
    why: str,
    fix: str,
    upgrade_first: UpgradeFirst,
    since: str | None = None,
    until: str | None = None,
    spec: str = "compat 7.2",
) -> Callable[[Check], Check]:
    """Declares a rule over the function that finds where it is broken."""
    assert id not in RULES, id

    def declare(check: Check) -> Check:
        RULES[id] = Rule(id, title, axis, severity, why, fix, upgrade_first, since, until, spec)
        CHECKS[id] = check
        return check

    return declare
