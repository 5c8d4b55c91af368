"""What rules and the server both say is one finding, and nothing is lost by it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bsatn.types import I64, STRING, U8, U32, U64
from defs.migrate.checking import check
from defs.migrate.config import Ignore, Settings
from defs.migrate.merging import SAME
from defs.migrate.releases import NEWEST
from defs.migrate.reports import PRINTERS
from defs.migrate.reports.model import Check, Entry, Side
from defs.migrate.rules import RULES, client_findings
from defs.migrate.verdict import server_verdict
from defs.raw import v10
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from rule_cases import EMPTY, FIRES, Raw, enum, module, rule_of, table

STORED = [rule.id for rule in RULES.values() if rule.axis == "data" and rule.severity == "error"]


def compared(old: Raw, new: Raw, *, release: str = NEWEST, settings: Settings | None = None) -> Check:
    before, after = (Side(name, 10, "10i", validate(raw)) for name, raw in (("old", old), ("new", new)))
    return check([before], after, release=release, settings=settings)


def entries(old: Raw, new: Raw, release: str = NEWEST) -> list[Entry]:
    return list(compared(old, new, release=release).comparisons[0].entries)


def test_whatever_is_refused_for_stored_rows_is_declared() -> None:
    assert [rule for rule in STORED if rule not in SAME] == []
    assert set(SAME) <= set(RULES)


@pytest.mark.parametrize("case", FIRES)
def test_one_finding_for_one_fact(case: str) -> None:
    """Each rule that is broken is named as often as before, those that the server names as well only beside its finding."""
    old, new = FIRES[case]
    found = entries(old, new)
    alone = [one.rule.id for one in client_findings(validate(old), validate(new))]
    _, server = server_verdict(validate(old), validate(new), release=NEWEST)
    named = [one.rule.id for one in found if one.rule.id in RULES] + [rule for one in found for rule in one.also]
    assert sorted(named) == sorted(alone)
    assert [one.rule.id for one in found if one.rule.id not in RULES] == [one.rule.id for one in server]
    assert [one for one in found if one.rule.id in SAME] == []
    assert all(one.rule.axis == "server" and one.kind for one in found if one.also)
    if rule_of(case) in SAME:
        assert [one.also for one in found if one.also] == [(rule_of(case),)] * alone.count(rule_of(case))


def test_before_a_server_could_add_columns() -> None:
    old, new = table({"a": U32}, public=False), table({"a": U32, "b": U32}, public=False, defaults={1: 5})
    [one] = entries(old, new, "1.3.0")
    assert (one.kind, one.also) == ("AddColumn", ("COLUMN_NO_ADD",))


def test_two_facts_of_one_column_are_two_findings() -> None:
    old = table({"a": U32, "b": U64}, public=False, auto=[1])
    new = table({"b": STRING, "a": U32}, public=False)
    found = {one.kind or one.rule.id: one.also for one in entries(old, new) if one.element == "table t / column b"}
    assert found == {
        "ChangeColumnType": ("COLUMN_SAME_TYPE",),
        "ReorderTable": ("COLUMN_ORDER_SAME",),
        "SEQUENCE_NO_REMOVE": (),
    }


def test_what_the_rule_knows_goes_with_the_finding() -> None:
    """The bytes; a sentence where it says more; but nobody reads wrongly what is not published."""
    [one] = entries(table({"a": U64}, public=False), table({"a": I64}, public=False))
    assert (one.rule.id, one.silent) == ("PUBLISH_NOT_REFUSED", False)
    assert one.witness is not None
    assert one.witness.silent
    [one] = entries(enum("a", "b", use="private"), enum("b", "a", use="private"))
    assert one.also == ("ENUM_VARIANTS_APPEND_ONLY",)
    assert one.message.endswith("requires a manual migration: whoever reads it reads `a` as `b` and `b` as `a`")
    [one] = [one for one in entries(table(), table(event=True)) if one.kind]
    assert one.message == "Changing the event flag of table t requires a manual migration: `t` is an event table now"
    [one] = entries(table({"a": U32, "b": U8}, public=False), table({"a": U32}, public=False))
    assert one.message == "Removing a column b from table t requires a manual migration"


def test_a_variable_that_is_required() -> None:
    [one] = entries(EMPTY, module(environment=[("KEY", v10.EnvString(), False)]))
    assert (one.rule.id, one.kind, one.also) == ("PUBLISH_ROWS_ALLOW", "RequiredVariable", ("ENVIRONMENT_NOT_STRICTER",))
    assert one.element == "environment variable KEY"
    assert one.message.endswith(": `KEY` is required now")


def test_every_format_names_both() -> None:
    found = compared(table(), table(event=True))
    for form, printer in PRINTERS.items():
        if form not in ("spacetime", "gitlab"):  # the server's words alone; one name alone
            assert "EVENT_FLAG_SAME" in printer(found), form


def test_an_ignore_of_what_is_told_beside_another() -> None:
    """It hides nothing, and says by which name the finding goes."""
    ignores = Settings(ignore=(Ignore("EVENT_FLAG_SAME", "table *", "known"),))
    found = compared(table(public=False), table(public=False, event=True), settings=ignores)
    assert found.status == 1
    assert [one.message for one in found.settings] == ["it matches no finding; PUBLISH_NOT_REFUSED is what tells of it here"]
    ignores = Settings(ignore=(Ignore("PUBLISH_NOT_REFUSED", "table *", "known"),))
    found = compared(table(public=False), table(public=False, event=True), settings=ignores)
    assert (found.status, list(found.all())) == (0, [])
