"""Runs the rules that a server release has, and explains them."""

from __future__ import annotations

import difflib
import sys
from typing import Final

from bsatn.collector import collector_paused
from bsatn.errors import BsatnError, LimitExceeded
from bsatn.stack import on_enough_stack
from defs.migrate.releases import NEWEST, Profile, version_of
from defs.migrate.rules.comparison import Comparison
from defs.migrate.rules.model import CHECKS, RULES, Rule, RuleFinding, Severity
from defs.schema.model import ModuleDef

__all__ = ["UnknownRule", "client_findings", "explain", "explanation", "holds"]

_RANKS: Final[dict[Severity, int]] = {"error": 0, "warning": 1, "note": 2}
_WHO: Final = {
    "server": "The server first, clients afterwards.",
    "clients": "Clients first, the server afterwards.",
    "either": "Either side first.",
    "lock-step": "Both at once: neither order works.",
}
_ADVICE: Final = "sys.setrecursionlimit stops it first"
_AXES: Final = {"server": "publishing", "client": "clients", "data": "stored rows"}


class UnknownRule(BsatnError):
    """There is no rule of this id: the kind is `UnknownRule`."""

    def __init__(self, rule_id: str) -> None:
        near = difflib.get_close_matches(rule_id.upper()[:80], RULES, n=1, cutoff=0.4)
        suggestion = f"did you mean {near[0]}?" if near else "see docs/rules.md"
        super().__init__("UnknownRule", f"there is no rule {rule_id[:80]!r}: {suggestion}", rule=rule_id, nearest=near)


def holds(rule: Rule, release: str) -> bool:
    """Whether a server release has the rule. Raises UnknownRelease."""
    version = version_of(release)
    return (rule.since is None or version_of(rule.since) <= version) and (
        rule.until is None or version < version_of(rule.until)
    )


def client_findings(old: ModuleDef, new: ModuleDef, *, release: str = NEWEST) -> tuple[RuleFinding, ...]:
    """Every broken promise to clients and to stored rows, when `new` replaces `old` on a server of `release`.

    What is read wrongly and unnoticed stands before what fails, within a severity; then in the order of `RULES`.
    Raises UnknownRelease; LimitExceeded for types too large or too deep to compare.
    """
    Profile(release)  # refuses a release that it does not know
    try:
        with collector_paused():
            return on_enough_stack(lambda: _findings(old, new, release))
    except RecursionError:
        raise LimitExceeded("depth", sys.getrecursionlimit(), "a type is nested too deep to compare", advice=_ADVICE) from None


def _findings(old: ModuleDef, new: ModuleDef, release: str) -> tuple[RuleFinding, ...]:
    both = Comparison(old, new)
    found = [RuleFinding(rule, hit) for rule in RULES.values() if holds(rule, release) for hit in CHECKS[rule.id](both)]
    return tuple(sorted(found, key=lambda one: (_RANKS[one.rule.severity], not one.hit.silent)))


def explanation(rule: Rule) -> tuple[tuple[str, str], ...]:
    """What there is to say of a rule, as headings and texts."""
    releases = [f"from {rule.since}"] * (rule.since is not None) + [f"before {rule.until}"] * (rule.until is not None)
    return (
        ("Notices", f"{_AXES[rule.axis]} ({rule.severity})"),
        ("Why", rule.why),
        ("Fix", rule.fix),
        ("Upgrade", _WHO[rule.upgrade_first]),
        ("Servers", " and ".join(releases) or "all releases"),
    )


def explain(rule_id: str) -> str:
    """A rule in words, for people. Raises UnknownRule, which names the nearest one."""
    rule = RULES.get(rule_id.upper())
    if rule is None:
        raise UnknownRule(rule_id)
    lines = [f"{head + ':':9}{text}" for head, text in explanation(rule)]
    return "\n".join([f"{rule.id}: {rule.title}", "", *lines]) + "\n"
