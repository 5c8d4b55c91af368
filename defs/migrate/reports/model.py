"""What a check found, as its printers print it: findings, a comparison for each older definition, and all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from functools import reduce
from typing import Final, Literal, TypeAlias

from bsatn.frozen import frozen
from defs.findings.model import counted
from defs.migrate.errors import MigrationErrors
from defs.migrate.planner import MigrationPlan
from defs.migrate.rules.model import Path, Rule, Severity, UpgradeFirst, Witness
from defs.raw import RawModuleDef
from defs.schema.model import ModuleDef

__all__ = [
    "SAYS",
    "Check",
    "Comparison",
    "DataCheck",
    "Entry",
    "Failure",
    "Ignored",
    "Outcome",
    "ServerVerdict",
    "Side",
    "Verdict",
    "counts",
]

Verdict: TypeAlias = Literal["auto", "breaks-clients", "needs-data-check", "fails-at-execution", "manual"]
Outcome: TypeAlias = Literal["compatible", "incompatible", "absent", "not-compared"]
LEVELS: Final[tuple[Severity, ...]] = ("error", "warning", "note")

#: What a verdict means, in a sentence about the server.
SAYS: Final[dict[Verdict, str]] = {
    "auto": "publishes it by itself",
    "breaks-clients": "publishes it and disconnects all clients, which publishing has to confirm",
    "needs-data-check": "publishes it if what is stored allows it",
    "fails-at-execution": "plans it, and then fails to carry the plan out",
    "manual": "refuses it",
}


@frozen
class DataCheck:
    """A question about stored rows that decides whether a publish goes through."""

    sql: str  #: for `spacetime sql`
    expect: str  #: of its answer


@frozen
class Entry:
    """One finding."""

    rule: Rule
    level: Severity
    element: str  #: for people: `table fighter / column team`
    message: str
    path_old: Path | None = None
    path_new: Path | None = None
    witness: Witness | None = None
    data_check: DataCheck | None = None
    kind: str | None = None  #: of a server's error: upstream's name for it; of what it runs into: ours
    help: str | None = None  #: how to fix just this, where there is more to say than the rule says
    also: tuple[str, ...] = ()  #: rules that say the same of it

    @property
    def fix(self) -> str:
        """What to do about it, in sentences."""
        return f"{self.help[0].upper()}{self.help[1:]}." if self.help else self.rule.fix

    @property
    def silent(self) -> bool:
        """Whether somebody reads wrong values without noticing; what is refused nobody reads."""
        return self.witness is not None and self.witness.silent and self.rule.axis != "server"

    @property
    def rules(self) -> str:
        """The rules that are broken: `PUBLISH_NOT_REFUSED, COLUMN_ORDER_SAME`."""
        return ", ".join((self.rule.id, *self.also))

    @property
    def sort_key(self) -> tuple[int, bool]:
        """The worst first; what is misread unnoticed before what fails."""
        return LEVELS.index(self.level), not self.silent


@frozen
class Ignored:
    """A finding that the configuration accepts."""

    entry: Entry
    reason: str


@frozen
class Failure:
    """Why there is no definition to compare, or no comparison."""

    kind: str
    message: str


@frozen
class Side:
    """One of the definitions, or why there is none."""

    source: str
    version: int | None = None
    layout: str | None = None
    module: ModuleDef | None = field(default=None, repr=False, compare=False)
    failed: Failure | None = None
    raw: RawModuleDef | None = field(default=None, repr=False, compare=False)

    @property
    def fingerprint(self) -> str | None:
        """Of what its clients can see; it is made each time."""
        from defs.migrate.fingerprint import fingerprint

        return None if self.module is None else fingerprint(self.module)


@frozen
class ServerVerdict:
    """What the server does when the new definition is published over the old one."""

    verdict: Verdict
    plan: MigrationPlan | None = None  #: None when it refuses
    errors: MigrationErrors | None = None

    @property
    def breaks_clients(self) -> bool:
        """Whether all clients are disconnected."""
        return self.plan is not None and self.plan.breaks_client


@frozen
class Comparison:
    """The new definition against an older one."""

    old: Side
    new: Side
    server: ServerVerdict | None = None
    entries: Sequence[Entry] = ()
    ignored: Sequence[Ignored] = ()
    failed: Failure | None = None  #: why the definitions cannot be compared, although both are there
    absent: bool = False  #: whether there is no older definition yet, which is accepted

    @property
    def failures(self) -> list[tuple[str, Failure]]:
        """Why there is no verdict: the source that is to blame, and what is wrong."""
        sides = [(side.source, side.failed) for side in (self.old, self.new) if side.failed]
        if not sides and self.server is None and not self.absent:
            sides = [(self.new.source, self.failed or Failure("NotCompared", "there is no definition to compare"))]
        return sides

    @property
    def unchanged(self) -> bool:
        """Whether clients can see no difference and the server finds nothing to do."""
        plan = self.server.plan if self.server else None
        idle = plan is not None and not self.entries and not self.ignored and _idle(plan)
        return idle and (self.old.module is self.new.module or self.old.fingerprint == self.new.fingerprint)

    @property
    def upgrade_first(self) -> UpgradeFirst:
        """Which side may be replaced first, going by all that clients notice."""
        return reduce(_both, (one.rule.upgrade_first for one in self.entries if one.rule.axis != "server"), "either")


def _idle(plan: MigrationPlan) -> bool:
    """Whether the plan only does again what is there: views evaluated, and rules taken and put back."""
    return all(step.kind in ("UpdateView", "RemoveRowLevelSecurity", "AddRowLevelSecurity") for step in plan.steps)


def _both(one: UpgradeFirst, other: UpgradeFirst) -> UpgradeFirst:
    if one == other or other == "either":
        return one
    return other if one == "either" else "lock-step"


@frozen
class Check:
    """All that a printer prints from."""

    new: Side
    comparisons: Sequence[Comparison]
    release: str  #: of the server
    threshold: str = "error"  #: the least level that fails, `server`, or `never`
    settings: Sequence[Entry] = ()  #: findings about the configuration itself
    config: str | None = None  #: the file it was read from
    color: bool = False

    def fails(self, entry: Entry) -> bool:
        """Whether a finding is at or above the threshold."""
        if self.threshold == "server":
            return entry.level == "error" and entry.rule.axis == "server"
        return self.threshold != "never" and LEVELS.index(entry.level) <= LEVELS.index(_level(self.threshold))

    def outcome(self, comparison: Comparison) -> Outcome:
        """What became of a comparison. Where nothing fails the check, errors still make it incompatible."""
        if comparison.failures:
            return "not-compared"
        if comparison.absent:
            return "absent"
        wrong = any(self.fails(entry) or entry.level == "error" for entry in comparison.entries)
        return "incompatible" if wrong else "compatible"

    def all(self) -> Iterator[Entry]:
        """Every finding, those about the configuration last."""
        for comparison in self.comparisons:
            yield from comparison.entries
        yield from self.settings

    @property
    def status(self) -> int:
        """The exit status: 3 something could not be compared, 1 a finding fails the check, 0 none does."""
        if not self.comparisons or any(comparison.failures for comparison in self.comparisons):
            return 3
        return int(any(map(self.fails, self.all())))


def _level(threshold: str) -> Severity:
    return next(level for level in LEVELS if level == threshold)


def counts(entries: Iterable[Entry]) -> str:
    """`2 errors, 1 warning`; nothing of none."""
    found = Counter(entry.level for entry in entries)
    return ", ".join(counted(found[level], level) for level in LEVELS if found[level])
