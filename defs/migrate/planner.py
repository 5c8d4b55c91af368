"""The planner: may a new definition replace an old one, and by which steps? (spec: compat 1)

`plan` indexes both definitions, runs the comparisons, and sorts what they found: errors, if there are any, or prechecks and
steps. It never sees rows. What the server still refuses afterwards is told by `defs.migrate.problems`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from typing import Any, Final, Literal, TypeAlias

from bsatn.collector import collector_paused
from bsatn.errors import BsatnError, LimitExceeded
from bsatn.frozen import frozen
from bsatn.stack import on_enough_stack
from defs.migrate import errors as e
from defs.migrate import steps as s
from defs.migrate.comparing import COMPARISONS, Finding, Work
from defs.migrate.releases import NEWEST, Profile
from defs.migrate.sides import Side, Unanswerable
from defs.schema.model import ModuleDef
from defs.schema.resolve import MAX_SIZE

__all__ = ["MigrationPlan", "Verdict", "plan"]

Verdict: TypeAlias = Literal["auto", "breaks-clients", "manual"]


@frozen
class MigrationPlan:
    """How the new definition replaces the old one: prechecks, then steps, in the server's order."""

    old: ModuleDef = field(repr=False)
    new: ModuleDef = field(repr=False)
    prechecks: tuple[s.Precheck, ...]
    steps: tuple[s.Step, ...]
    release: str = NEWEST
    indexed: tuple[Side, Side] | None = field(default=None, repr=False, compare=False)  #: as planning left them

    @property
    def breaks_client(self) -> bool:
        """Whether all clients are disconnected."""
        return any(isinstance(step, s.DisconnectAllUsers) for step in self.steps)

    @property
    def sides(self) -> tuple[Side, Side]:
        """The old and the new definition, indexed."""
        return self.indexed or (Side(self.old), Side(self.new))

    @property
    def verdict(self) -> Verdict:
        """`auto` or `breaks-clients`; a refusal is MigrationErrors."""
        return "breaks-clients" if self.breaks_client else "auto"

    def to_json(self) -> dict[str, Any]:
        """The plan as plain data."""
        return {
            "verdict": self.verdict,
            "prechecks": [one.to_json() for one in self.prechecks],
            "steps": [one.to_json() for one in self.steps],
        }


def plan(old: ModuleDef, new: ModuleDef, *, release: str = NEWEST) -> MigrationPlan:
    """What the server of a release does when `new` is published over `old`.

    Raises MigrationErrors when it refuses, with every reason; UnknownRelease; LimitExceeded for types too large or too deep to
    compare, and for more differences than anybody reads.
    """
    profile = Profile(release)
    try:
        with collector_paused():
            return on_enough_stack(lambda: _plan(old, new, profile))
    except RecursionError:
        raise _too_large(()) from None


def _plan(old: ModuleDef, new: ModuleDef, profile: Profile) -> MigrationPlan:
    work = Work(Side(old), Side(new), profile)
    try:
        found = {kind: list[Any]() for kind in (s.Step, s.CheckAddSequenceRangeValid, e.MigrationError)}
        for finding in (known for compare in COMPARISONS for one in compare(work) for known in _known(one, profile)):
            found[_family(finding)].append(finding)
    except Unanswerable as error:
        raise _crash(error) from None
    if found[e.MigrationError]:
        keys: Any = {}
        raise e.MigrationErrors(sorted(found[e.MigrationError], key=lambda error: error.keyed(keys)))
    steps = sorted(set(found[s.Step]), key=lambda step: step.sort_key)
    prechecks = sorted(found[s.CheckAddSequenceRangeValid], key=lambda check: check.sort_key)
    return MigrationPlan(old, new, tuple(prechecks), tuple(steps), profile.release, (work.old, work.new))


def _family(finding: Finding) -> type[Any]:
    if isinstance(finding, (s.CheckAddSequenceRangeValid, e.MigrationError)):
        return e.MigrationError if isinstance(finding, e.MigrationError) else s.CheckAddSequenceRangeValid
    return s.Step


#: Errors that stood where a newer release has a step.
BEFORE: Final[dict[type[s.Step], Callable[[Any], e.MigrationError]]] = {
    s.RemoveTable: lambda step: e.RemoveTable(step.name, path=(*step.namespace, "tables", step.name)),
    s.AddConstraint: lambda step: e.AddUniqueConstraint(step.name, path=(*step.namespace, "constraints", step.name)),
}


def _known(finding: Finding, profile: Profile) -> Iterator[Finding]:
    """The finding as the release has it, if it has it."""
    if profile.has(finding):
        yield finding
    elif type(finding) in BEFORE:
        yield BEFORE[type(finding)](finding)  # type: ignore[index]


def _crash(error: Unanswerable) -> BsatnError:
    """What is answered in place of the server, which has no answer, or of us."""
    if error.why.ref is None:
        return _too_large(error.path)
    what = f"{error.path[-1]} of {error.path[-3]}"
    return e.MigrationErrors([e.ServerWouldCrash(what, error.why.ref, path=error.path)])


def _too_large(path: tuple[str, ...]) -> BsatnError:
    what = "a type nests too deep, or is too large written out without references"
    return LimitExceeded("MAX_SIZE", MAX_SIZE, what, path=path, advice="split the type")
