"""Verdicts, thresholds, severities and ignores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import defs
from defs import raw
from defs.loading import Loaded
from defs.migrate import UnknownRelease
from defs.migrate.checking import all_rules, check, side
from defs.migrate.config import BadConfig, Ignore, Settings, find, read
from defs.migrate.reports.model import Check, Comparison, DataCheck, Entry, Side
from defs.migrate.rules.model import Rule, UpgradeFirst
from defs.migrate.verdict import element_of
from defs.raw import v10
from defs.validate import ValidationErrors

MODULES = "vectors/modules"


@pytest.fixture(scope="module")
def sides() -> dict[str, Side]:
    root = Path(__file__).parents[4]
    made = {}
    for name in ("v1", "v2", "v3", "classic"):
        path = root / MODULES / f"arena_{name}.wasm"
        made[name] = side(f"{name}.wasm", lambda path=path: defs.load(path))  # type: ignore[misc]
    return made


def rules_of(found: Check) -> list[tuple[str, str]]:
    return [(entry.rule.id, entry.element) for entry in found.comparisons[0].entries]


# Verdicts ---------------------------------------------------------------------------------------------------


def test_an_unchanged_module_is_compatible(sides: dict[str, Side]) -> None:
    for one in sides.values():
        found = check([one], one)
        assert (found.status, list(found.all())) == (0, [])
        assert found.comparisons[0].unchanged
        assert found.outcome(found.comparisons[0]) == "compatible"


def test_an_upgrade_that_breaks_clients(sides: dict[str, Side]) -> None:
    found = check([sides["v1"]], sides["v2"])
    [comparison] = found.comparisons
    assert comparison.server
    assert comparison.server.verdict == "breaks-clients"
    assert rules_of(found) == [("PUBLISH_KEEPS_CLIENTS", "the definition"), ("TABLE_NO_SHRINK", "table fighter")]
    assert (found.status, comparison.upgrade_first) == (0, "server")
    assert not comparison.unchanged


def test_what_is_misread_unnoticed_stands_first(sides: dict[str, Side]) -> None:
    found = check([sides["v1"]], sides["v3"])
    assert rules_of(found)[0] == ("REDUCER_SAME_ARGS", "reducer rename")
    assert ("PUBLISH_NOT_REFUSED", "table fighter / column team") in rules_of(found)
    assert found.status == 1


def test_several_older_definitions(sides: dict[str, Side]) -> None:
    found = check([sides["v1"], sides["v2"], sides["v3"]], sides["v2"])
    assert [found.outcome(one) for one in found.comparisons] == ["compatible", "compatible", "incompatible"]
    assert found.status == 1
    assert check([], sides["v2"]).status == 3


def test_a_side_that_is_not_there_is_never_compatible(sides: dict[str, Side]) -> None:
    def gone() -> defs.Loaded:
        raise FileNotFoundError(2, "No such file or directory")

    missing = side("gone.wasm", gone)
    for found in (check([missing], sides["v1"]), check([sides["v1"]], missing), check([missing, sides["v1"]], sides["v1"])):
        assert found.status == 3
        assert found.outcome(found.comparisons[0]) == "not-compared"
    assert check([missing], sides["v1"], threshold="never").status == 3


def test_what_is_known_of_an_invalid_definition(sides: dict[str, Side], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read is told; how much more is wrong is counted."""
    invalid = changed(lambda tables: (*tables, *tables))
    assert (invalid.version, invalid.layout, invalid.module, invalid.fingerprint) == (10, "10i", None, None)
    assert invalid.failed
    assert invalid.failed.kind == "InvalidDefinition"
    assert invalid.failed.message.endswith(" (and 4 more; see `bsatn validate`)")  # one for each of five tables
    once = changed(lambda tables: (*tables, tables[0])).failed
    assert once
    assert "more" not in once.message
    monkeypatch.setattr(ValidationErrors, "SHOWN", 1)  # characters for which there is room
    assert changed(lambda tables: (*tables, *tables)).failed == invalid.failed
    assert check([sides["v1"]], invalid, threshold="never").status == 3


@pytest.mark.parametrize(
    ("sides_first", "together"),
    [
        ((), "either"),
        (("clients",), "clients"),
        (("clients", "clients"), "clients"),
        (("server", "either"), "server"),
        (("either", "server", "either"), "server"),
        (("server", "clients"), "lock-step"),
        (("clients", "either", "server"), "lock-step"),
        (("lock-step", "either"), "lock-step"),
        (("lock-step", "clients"), "lock-step"),
    ],
)
def test_who_upgrades_first(sides_first: tuple[UpgradeFirst, ...], together: str) -> None:
    """What suits every finding; what only the server notices says nothing of clients."""
    rules = [Rule("R", "t", "client", "error", "w", "f", first) for first in sides_first]
    rules.append(Rule("S", "t", "server", "error", "w", "f", "lock-step"))
    entries = [Entry(rule, "error", "table t", "m") for rule in rules]
    assert Comparison(Side("old"), Side("new"), entries=entries).upgrade_first == together


def test_a_release_decides_what_the_server_can_do(sides: dict[str, Side]) -> None:
    assert ("PUBLISH_NOT_REFUSED", "table damage_event") not in rules_of(check([sides["v1"]], sides["v2"], release="2.14.0"))
    with pytest.raises(UnknownRelease):
        check([sides["v1"]], sides["v2"], release="9.9")


def changed(change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Side:
    """The arena with its tables changed."""
    definition = defs.load(f"{MODULES}/arena_v1.wasm").raw
    assert isinstance(definition, raw.RawModuleDefV10)
    sections = [
        v10.TablesSection(change(one.tables)) if isinstance(one, v10.TablesSection) else one for one in definition.sections
    ]
    data = raw.encode(raw.RawModuleDefV10(tuple(sections)))
    return side("changed", lambda: defs.load(data))


def test_rows_decide_over_a_removed_table(sides: dict[str, Side]) -> None:
    found = check([sides["v1"]], changed(lambda tables: tuple(one for one in tables if one.source_name != "ledger")))
    [comparison] = found.comparisons
    assert comparison.server
    assert (comparison.server.verdict, comparison.server.breaks_clients) == ("needs-data-check", True)
    [asked] = [entry.data_check for entry in comparison.entries if entry.data_check]
    assert asked == DataCheck("SELECT COUNT(*) AS n FROM ledger", "n is 0")


def test_a_schedule_that_is_taken_away_fails_when_executed(sides: dict[str, Side]) -> None:
    definition = defs.load(f"{MODULES}/arena_v1.wasm").raw
    assert isinstance(definition, raw.RawModuleDefV10)
    sections = tuple(one for one in definition.sections if not isinstance(one, v10.SchedulesSection))
    data = raw.encode(raw.RawModuleDefV10(sections))
    found = check([sides["v1"]], side("new", lambda: defs.load(data)))
    [comparison] = found.comparisons
    assert comparison.server
    assert comparison.server.verdict == "fails-at-execution"
    assert found.status == 1


@pytest.mark.parametrize(
    ("path", "element"),
    [
        (("tables", "a", "columns", "b"), "table a / column b"),
        (("auth", "tables", "a"), "table auth.a"),
        (("environment", "KEY"), "environment variable KEY"),
        ((), "the definition"),
        (("tables",), "tables"),
    ],
)
def test_paths_in_words(path: tuple[str, ...], element: str) -> None:
    assert element_of(path) == element


# Settings ---------------------------------------------------------------------------------------------------


def test_thresholds(sides: dict[str, Side]) -> None:
    statuses = {
        threshold: [check([sides["v1"]], sides[new], threshold=threshold).status for new in ("v1", "v2", "v3")]
        for threshold in ("error", "warning", "note", "server", "never")
    }
    assert statuses == {"error": [0, 0, 1], "warning": [0, 1, 1], "note": [0, 1, 1], "server": [0, 0, 1], "never": [0, 0, 0]}
    silent = replace(check([sides["v1"]], sides["v3"], threshold="never"))
    assert silent.outcome(silent.comparisons[0]) == "incompatible"


def test_severities(sides: dict[str, Side]) -> None:
    raised = check([sides["v1"]], sides["v2"], settings=Settings(severity={"TABLE_NO_SHRINK": "error"}))
    assert (raised.status, rules_of(raised)[0][0]) == (1, "TABLE_NO_SHRINK")
    off = check([sides["v1"]], sides["v2"], settings=Settings(severity={"TABLE_NO_SHRINK": "off"}))
    assert [rule for rule, _ in rules_of(off)] == ["PUBLISH_KEEPS_CLIENTS"]


def ignoring(element: str = "reducer rename", expires: date | None = None) -> Settings:
    return Settings(ignore=(Ignore("REDUCER_SAME_ARGS", element, "nobody calls it", expires),))


@pytest.mark.parametrize("element", ["reducer rename", "reducer *", "*"])
def test_an_ignore_hides_a_finding_and_keeps_its_reason(sides: dict[str, Side], element: str) -> None:
    found = check([sides["v1"]], sides["v3"], settings=ignoring(element))
    [ignored] = found.comparisons[0].ignored
    assert (ignored.entry.element, ignored.reason) == ("reducer rename", "nobody calls it")
    assert "REDUCER_SAME_ARGS" not in [rule for rule, _ in rules_of(found)]
    assert found.settings == []


def test_an_ignore_may_name_what_looks_like_a_pattern() -> None:
    odd = Ignore("R", "row-level security [a]", "r")
    assert odd.matches("R", "row-level security [a]")
    assert odd.matches("R", "row-level security a")
    assert not odd.matches("R", "row-level security b")
    assert not odd.matches("S", "row-level security [a]")


def test_findings_about_settings_have_severities_too(sides: dict[str, Side]) -> None:
    stale = ignoring("reducer renam").ignore
    for level, status in (("error", 1), ("note", 0)):
        found = check([sides["v1"]], sides["v1"], settings=Settings(severity={"IGNORE_MATCHES": level}, ignore=stale))
        assert ([one.level for one in found.settings], found.status) == ([level], status)
    found = check([sides["v1"]], sides["v1"], settings=Settings(severity={"IGNORE_MATCHES": "off"}, ignore=stale))
    assert found.settings == []


def test_an_ignore_that_matches_nothing_is_a_finding(sides: dict[str, Side]) -> None:
    found = check([sides["v1"]], sides["v3"], settings=ignoring("reducer renam"))
    assert [(one.rule.id, one.level) for one in found.settings] == [("IGNORE_MATCHES", "warning")]
    assert check([sides["v1"]], sides["v1"], settings=ignoring(), threshold="warning").status == 1
    matched_by_one = check([sides["v1"], sides["v3"]], sides["v3"], settings=ignoring())
    assert matched_by_one.settings == []
    unknown = check([sides["v3"], Side("gone")], sides["v3"], settings=ignoring())
    assert (unknown.settings, unknown.status) == ([], 3)


def test_an_ignore_holds_up_to_its_last_day(sides: dict[str, Side]) -> None:
    settings = ignoring(expires=date(2027, 1, 31))
    held = check([sides["v1"]], sides["v3"], settings=settings, today=date(2027, 1, 31))
    assert len(held.comparisons[0].ignored) == 1
    over = check([sides["v1"]], sides["v3"], settings=settings, today=date(2027, 2, 1))
    assert over.comparisons[0].ignored == []
    assert rules_of(over)[0][0] == "REDUCER_SAME_ARGS"
    assert [one.rule.id for one in over.settings] == ["IGNORE_NOT_EXPIRED"]


def test_rules_that_are_none_are_refused_with_the_nearest(sides: dict[str, Side]) -> None:
    for settings in (
        Settings(severity={"TABLE_NO_SHRNK": "off"}, origin="x.toml"),
        Settings(ignore=(Ignore("table_no_shrink", "*", "r"),), origin="x.toml"),
    ):
        with pytest.raises(BadConfig, match=r"x\.toml: there is no rule .*; did you mean TABLE_NO_SHRINK\?"):
            check([sides["v1"]], sides["v1"], settings=settings)


def test_ids_of_rules_are_their_own() -> None:
    assert all(rule.id == key for key, rule in all_rules().items())
    assert all(rule.why and rule.fix and rule.title for rule in all_rules().values())


# Files ------------------------------------------------------------------------------------------------------

GOOD = """
[check]
against = "a.lock"
server = "2.4"
fail-on = "warning"
allow-missing = true
severity = { TABLE_NO_SHRINK = "note" }
[[check.ignore]]
rule = "TABLE_NO_SHRINK"
element = "*"
reason = "r"
expires = 2027-01-31
"""


def test_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "bsatn.toml"
    path.write_text(GOOD)
    ignore = Ignore("TABLE_NO_SHRINK", "*", "r", date(2027, 1, 31))
    expected = Settings(("a.lock",), "2.4", "warning", {"TABLE_NO_SHRINK": "note"}, (ignore,), str(path), True)
    assert read(path) == expected
    other = tmp_path / "pyproject.toml"
    other.write_text(GOOD.replace("[check", "[tool.bsatn.check"))
    assert read(other) == replace(expected, origin=str(other))


def test_the_nearest_configuration_is_found(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find(below) != below / "pyproject.toml"
    (tmp_path / "pyproject.toml").write_text("[tool.bsatn.check]\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert find(below) == tmp_path / "pyproject.toml"
    (tmp_path / "bsatn.toml").write_text("[check]\n")
    assert find(below) == tmp_path / "bsatn.toml"
    (tmp_path / "a" / ".git").mkdir()
    assert find(below) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[check", "it is no TOML"),
        ("x = 1", r"it has no table \[check\]"),
        ("check = 1", "must be a table, not 1"),
        ("[check]\nagainst = 1", "against must be a list of texts, not 1"),
        ("[check]\nagainst = ['']", "against must be a text"),
        ("[check]\nfail_on = 'error'", "there is no key fail_on; did you mean fail-on"),
        ("[check]\nfail-on = 'eror'", r"fail-on must be one of .*, not 'eror'; did you mean error\?"),
        ("[check]\nseverity = 'off'", "severity must be a table of rules"),
        ("[check.severity]\nX = 'fatal'", "severity.X must be one of error, warning, note, off"),
        ("[[check.ignore]]\nrule = 'X'\nelement = '*'", r"ignore\[0\] has no reason"),
        ("[[check.ignore]]\nrule = 'X'\nreason = 'r'", r"ignore\[0\] has no element"),
        ("[[check.ignore]]\nrule = 'X'\nelement = '*'\nreason = ' '", "reason must be a text"),
        (
            "[[check.ignore]]\nrule = 'X'\nelement = '*'\nreason = 'r'\nexpires = 'soon'",
            "expires must be a day such as 2027-01-31",
        ),
        (
            "[[check.ignore]]\nrule = 'X'\nelement = '*'\nreason = 'r'\nuntil = 2027-01-01",
            r"there is no key ignore\[0\]\.until",
        ),
        ("[check]\nignore = {}", "ignore must be a list of tables"),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "bsatn.toml").write_text(text)
    with pytest.raises(BadConfig, match=message):
        read(tmp_path / "bsatn.toml")


def test_a_definition_that_is_both_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = str(Path(__file__).parents[4] / MODULES / "arena_v1.wasm")
    new = side(source, lambda: defs.load(source))
    monkeypatch.setattr(Loaded, "validate", lambda _: pytest.fail("validated again"))
    old = side(source, lambda: defs.load(source), known=new)
    assert old.module is new.module is not None
    assert check([old], new).comparisons[0].unchanged
