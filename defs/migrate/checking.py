"""May a definition replace older ones: the server's plan, what clients notice, and what the project's settings make of it.

    old = side("old.wasm", lambda: defs.load("old.wasm"))
    new = side("new.wasm", lambda: defs.load("new.wasm"))
    found = check([old], new)
    found.status              # 0 compatible, 1 findings, 3 could not compare
    found.comparisons[0].server.verdict, found.comparisons[0].entries

A side is read once and never raises: one that cannot be had or is invalid keeps the reason, and nothing with such a side is
ever compatible. Severities and ignores are applied after everything was found, so that an ignore that fits nothing is noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from bsatn.errors import BsatnError
from defs.loading import Loaded
from defs.migrate.config import Ignore, Settings, check_rules
from defs.migrate.merging import told_once
from defs.migrate.releases import NEWEST, Profile
from defs.migrate.reports.model import Check, Comparison, Entry, Failure, Ignored, Side
from defs.migrate.rules import RULES, RuleFinding, client_findings
from defs.migrate.rules.model import Rule
from defs.migrate.verdict import SERVER_RULES, server_verdict
from defs.sources import SourceError
from defs.validate import ValidationErrors

__all__ = ["SETTINGS_RULES", "all_rules", "check", "side"]

SETTINGS_RULES: Final[dict[str, Rule]] = {
    rule.id: rule
    for rule in (
        Rule(
            "IGNORE_MATCHES",
            "An ignore matches a finding",
            "server",
            "warning",
            "An ignore that fits nothing hides the next finding that it happens to fit.",
            "Remove it, or correct its rule or element.",
            "either",
        ),
        Rule(
            "IGNORE_NOT_EXPIRED",
            "An ignore has not expired",
            "server",
            "warning",
            "It was accepted up to a day that has passed: its findings count again.",
            "Settle what was ignored and remove the ignore, or give it another day.",
            "either",
        ),
        Rule(
            "OLD_DEFINITION_EXISTS",
            "What a module is compared with is there",
            "server",
            "note",
            "A revision that does not have the file yet says nothing about compatibility; nor does one in which the path is "
            "misspelled.",
            "None is needed as long as the module is new there; leave --allow-missing out when it no longer is.",
            "either",
        ),
    )
}


def all_rules() -> dict[str, Rule]:
    """Every rule by its id: the server's, those of clients and stored rows, those of the settings."""
    return {**SERVER_RULES, **RULES, **SETTINGS_RULES}


def side(source: str, load: Callable[[], Loaded], *, known: Side | None = None) -> Side:
    """One of the definitions, read and validated; or why there is none. One that is `known` is not validated again."""
    loaded: Loaded | None = None
    try:
        loaded = load()
        module = known.module if known is not None and known.raw == loaded.raw else None
        module = module or loaded.validate()
        return Side(loaded.origin, loaded.version, loaded.layout, module, raw=loaded.raw)
    except ValidationErrors as invalid:
        failed = _invalid(invalid)
    except SourceError as error:
        failed = Failure(error.kind, error.message + _ADVICE.get(error.kind, ""))
    except BsatnError as error:
        failed = Failure(error.kind, str(error))
    except OSError as error:
        failed = Failure("Unreadable", error.strerror or str(error))
    if loaded is None:
        return Side(source, failed=failed)
    return Side(loaded.origin, loaded.version, loaded.layout, failed=failed)


_ABSENT: Final = "GitPath"  #: the kind of failure that says that there is no such file yet
_ADVICE: Final = {_ABSENT: " (if the module is new there, --allow-missing accepts that)"}


def _invalid(invalid: ValidationErrors) -> Failure:
    found = invalid.to_json()
    first, count = found["errors"][0], len(found["errors"]) + found["omitted"]
    more = f" (and {count - 1} more; see `bsatn validate`)" if count > 1 else ""
    return Failure("InvalidDefinition", f"it is no valid definition: {first['kind']}: {first['message']}{more}")


def check(
    old: Sequence[Side],
    new: Side,
    *,
    release: str = NEWEST,
    threshold: str = "error",
    settings: Settings | None = None,
    today: date | None = None,
    allow_missing: bool = False,
) -> Check:
    """Whether `new` may replace each of the older definitions on a server of a release.

    With `allow_missing`, one that a git revision does not have is no failure. `today` decides which ignores have expired.
    Raises UnknownRelease; BadConfig for a rule that is none.
    """
    settings = settings or Settings()
    check_rules(settings, all_rules())
    Profile(release)
    today = today or date.today()
    valid = [one for one in settings.ignore if not one.has_expired(today)]
    used: set[Ignore] = set()
    comparisons = [_settled(_compared(one, new, release, allow_missing), settings, valid, used) for one in old]
    stale = () if any(one.failures for one in comparisons) else (one for one in valid if one not in used)
    about = [_about(one, "IGNORE_MATCHES", _fits_nothing(one, comparisons)) for one in stale]
    about += [
        _about(one, "IGNORE_NOT_EXPIRED", f"it expired on {one.expires}") for one in settings.ignore if one.has_expired(today)
    ]
    kept, _ = _apply(about, settings, (), set())
    return Check(new, comparisons, release, threshold, kept, settings.origin)


def _compared(old: Side, new: Side, release: str, allow_missing: bool) -> Comparison:
    if allow_missing and old.failed is not None and old.failed.kind == _ABSENT:
        missing = old.failed.message.removesuffix(_ADVICE[_ABSENT])
        rule = SETTINGS_RULES["OLD_DEFINITION_EXISTS"]
        note = Entry(rule, rule.severity, old.source, missing)
        return Comparison(replace(old, failed=None), new, entries=[note], absent=True)
    if old.module is None or new.module is None:
        return Comparison(old, new)
    try:
        server, entries = server_verdict(old.module, new.module, release=release)
        found = client_findings(old.module, new.module, release=release)
    except BsatnError as error:
        return Comparison(old, new, failed=Failure(error.kind, str(error)))
    return Comparison(old, new, server, told_once(entries, map(_entry, found)))


def _entry(found: RuleFinding) -> Entry:
    hit = found.hit
    return Entry(found.rule, found.rule.severity, hit.element, hit.message, hit.path_old, hit.path_new, hit.witness)


# Settings ---------------------------------------------------------------------------------------------------


def _settled(comparison: Comparison, settings: Settings, valid: Sequence[Ignore], used: set[Ignore]) -> Comparison:
    kept, ignored = _apply(comparison.entries, settings, valid, used)
    return replace(comparison, entries=kept, ignored=ignored)


def _apply(
    entries: Iterable[Entry], settings: Settings, valid: Sequence[Ignore], used: set[Ignore]
) -> tuple[list[Entry], list[Ignored]]:
    """The findings with the severities that the settings give them, the worst first, and those that are ignored."""
    kept, ignored = [], []
    for entry in entries:
        matching = [one for one in valid if one.matches(entry.rule.id, entry.element)]
        used.update(matching)
        level: Any = settings.severity.get(entry.rule.id, entry.level)
        if matching:
            ignored.append(Ignored(entry, matching[0].reason))
        elif level != "off":
            kept.append(replace(entry, level=level))
    return sorted(kept, key=lambda entry: entry.sort_key), ignored


def _fits_nothing(ignore: Ignore, comparisons: Iterable[Comparison]) -> str:
    found = (entry for one in comparisons for entry in one.entries)
    told = next((one for one in found if ignore.rule in one.also and ignore.matches(ignore.rule, one.element)), None)
    return f"it matches no finding; {told.rule.id} is what tells of it here" if told else "it matches no finding"


def _about(ignore: Ignore, rule: str, message: str) -> Entry:
    declared = SETTINGS_RULES[rule]
    return Entry(declared, declared.severity, f"ignore of {ignore.rule} on {ignore.element}", message)
