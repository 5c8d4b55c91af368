"""What the planner plans and the server then refuses: each recorded fact, and what is no problem."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from defs import migrate
from defs.migrate.problems import KINDS
from defs.migrate.reports.model import DataCheck
from defs.migrate.verdict import server_verdict
from defs.query.sql import check
from defs.query.sql.parser import parse_statements
from defs.raw import v9, v10
from defs.raw.shared import TableAccess, TableType
from defs.schema.model import ModuleDef
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from migrate_cases import Table, module, raw_module

ROW: dict[str, t.AlgebraicType] = {"id": t.U64, "name": t.STRING}


def problems(old: ModuleDef, new: ModuleDef) -> list[migrate.Problem]:
    try:
        return list(migrate.publishing_problems(old, new, migrate.plan(old, new)))
    except migrate.MigrationErrors as refused:
        return list(migrate.publishing_problems(old, new, refused))


def kinds(old: ModuleDef, new: ModuleDef) -> list[str]:
    return [one.kind for one in problems(old, new)]


def test_a_removed_table_must_be_empty() -> None:
    (found,) = problems(module(Table("t", ROW)), module())
    assert (found.kind, found.outcome, found.path) == ("TableNotEmpty", "data", ("tables", "t"))
    assert kinds(module(Table("t", ROW, event=True)), module()) == []


def scheduled(name: str | None) -> ModuleDef:
    timer = Table("timer", {"id": t.U64, "at": t.SCHEDULE_AT}, indexes=[[0]], unique=[[0]], primary_key=(0,))
    params = t.ProductType((t.ProductTypeElement("row", t.Ref(0)),))
    names = ("run", "other")
    reducers = tuple(v10.RawReducerDefV10(one, params, v10.FunctionVisibility.Private, t.UNIT, t.STRING) for one in names)
    sections: list[Any] = [v10.ReducersSection(reducers)]
    if name is not None:
        sections.append(v10.SchedulesSection((v10.RawScheduleDefV10(None, "timer", 1, name),)))
    return module(timer, sections=sections)


def test_schedules_cannot_change() -> None:
    assert kinds(scheduled("run"), scheduled("run")) == []
    assert kinds(scheduled(None), scheduled("run")) == ["ScheduleChanged"]
    removed, added = problems(scheduled("run"), scheduled("other"))
    assert "Removing schedules is not yet implemented" in removed.why
    assert "Adding schedules is not yet implemented" in added.why
    assert kinds(module(), scheduled("run")) == []


def test_sequences() -> None:
    with_one = module(Table("t", ROW, sequences=[0]))
    assert kinds(module(Table("t", ROW)), with_one) == ["SequenceRange"]
    wider = module(Table("t", {**ROW, "n": t.U32}, sequences=[2], defaults={2: bytes(4)}))
    (found,) = problems(module(Table("t", ROW)), wider)
    assert (found.kind, found.outcome, found.path[-1]) == ("SequenceOnNewColumn", "crash", "n")


def test_unique_constraints() -> None:
    indexed = module(Table("t", ROW, indexes=[[0]]))
    assert kinds(indexed, module(Table("t", ROW, indexes=[[0]], unique=[[0]]))) == ["DuplicateRows"]
    reverse = Table("t", ROW, indexes=[[1, 0]], unique=[[1, 0]])
    (found,) = problems(module(Table("t", ROW, indexes=[[1, 0]])), module(reverse))
    assert (found.kind, found.outcome) == ("ConstraintWithoutIndex", "refused")
    assert "(id, name)" in found.why


def test_the_layout_of_rows() -> None:
    """The first string in a table of fixed rows is refused; where rows had one before it is not."""
    before, after = (
        t.SumType(tuple(t.SumTypeVariant(name, kind) for name, kind in variants))
        for variants in ([("a", t.U64)], [("a", t.U64), ("b", t.STRING)])
    )
    for row, expected in (({"k": t.Ref(0)}, ["RowLayout"]), ({"k": t.Ref(0), "s": t.STRING}, [])):
        old, new = (module(Table("t", row), types=[kind]) for kind in (before, after))
        assert [step.kind for step in migrate.plan(old, new).steps] == ["ChangeColumns"]
        assert kinds(old, new) == expected


def test_an_index_that_moves() -> None:
    one, two = Table("a", ROW), Table("b", ROW)
    name = v10.ExplicitNamesSection(v10.ExplicitNames((v10.IndexName(v10.NameMapping("ix", "pinned")),)))
    on_a = Table("a", ROW, indexes=[[0]], index_names=["ix"])
    on_b = Table("b", ROW, indexes=[[0]], index_names=["ix"])
    old, new = module(on_a, two, sections=[name]), module(one, on_b, sections=[name])
    assert migrate.plan(old, new).steps == ()
    (found,) = problems(old, new)
    assert (found.kind, found.outcome) == ("IndexMoved", "lost")


def viewed(public: bool) -> ModuleDef:
    view = v10.RawViewDefV10("v", 0, public, False, t.ProductType(()), t.ArrayType(t.Ref(0)))
    return module(Table("t", ROW, access=TableAccess.Private), sections=[v10.ViewsSection((view,))])


def test_a_plan_that_cannot_be_shown() -> None:
    old, new = viewed(True), viewed(False)
    assert [step.kind for step in migrate.plan(old, new).steps] == ["ChangeAccess", "UpdateView"]
    assert kinds(old, new) == ["PlanNotShown"]


def ruled(*tables: Table) -> ModuleDef:
    from defs.raw.shared import RawRowLevelSecurityDefV9

    return module(*tables, sections=[v10.RowLevelSecuritySection((RawRowLevelSecurityDefV9("SELECT * FROM t"),))])


def test_a_rule_of_a_removed_table() -> None:
    assert "SecurityRuleTable" in kinds(ruled(Table("t", ROW)), ruled())
    assert kinds(ruled(Table("t", ROW)), ruled(Table("t", ROW))) == []


def environment(**variables: tuple[Any, bool]) -> ModuleDef:
    declared = (v10.RawEnvironmentDeclarationV10(name, kind, optional) for name, (kind, optional) in variables.items())
    return module(sections=[v10.EnvironmentSection(tuple(declared))])


ANY, AB, ABC = v10.EnvString(), v10.EnvUnion(("a", "b")), v10.EnvUnion(("c", "b", "a"))


@pytest.mark.parametrize(
    ("old", "new", "asks"),
    [
        (None, (ANY, False), True),
        (None, (ANY, True), False),
        ((ANY, True), (ANY, False), True),
        ((ANY, False), (ANY, True), False),
        ((ANY, False), (ANY, False), False),
        ((ANY, True), (AB, True), True),
        ((ABC, False), (AB, False), True),
        ((AB, False), (ABC, False), False),
        ((AB, False), (ANY, True), False),
        ((AB, True), (v10.EnvStringLiteral("a"), True), True),
        ((v10.EnvStringLiteral("a"), True), (AB, True), False),
        ((ANY, False), None, False),
    ],
)
def test_variables(old: tuple[Any, bool] | None, new: tuple[Any, bool] | None, asks: bool) -> None:
    """A value that was good is good, and none is needed that was not."""
    sides = [environment(**({} if one is None else {"KEY": one})) for one in (old, new)]
    found = problems(*sides)
    assert [one.kind for one in found] == ["RequiredVariable"] * asks
    assert all((one.outcome, one.path) == ("data", ("environment", "KEY")) for one in found)
    assert server_verdict(*sides, release="2.14.0")[0].verdict == ("needs-data-check" if asks else "auto")


def version_9(names: Mapping[str, Sequence[str]]) -> ModuleDef:
    """Tables by their columns, as a definition of version 9 has them."""
    rows = [t.ProductType(tuple(t.ProductTypeElement(one, t.U64) for one in columns)) for columns in names.values()]
    rest = ((), (), (), (), None, TableType.User, TableAccess.Public)
    tables = tuple(v9.RawTableDefV9(name, at, *rest) for at, name in enumerate(names))
    types = tuple(v9.RawTypeDefV9(v9.RawScopedTypeNameV9((), f"T{at}"), at, True) for at in range(len(rows)))
    return validate(v9.RawModuleDefV9(t.Typespace(tuple(rows)), tables, (), types, (), ()))


def test_another_version_is_an_upgrade() -> None:
    old, new = version_9({"t": ["id"]}), module(Table("t", {"id": t.U64}))
    (found,) = problems(old, new)
    assert (found.kind, found.outcome) == ("MajorVersionUpgrade", "notice")
    assert "from version 9 to 10" in found.why
    assert "--yes=migrate" in found.workaround
    assert kinds(new, old) == kinds(old, old) == kinds(new, new) == []


def test_names_that_version_10_converts() -> None:
    """Of tables, and of columns of tables that keep their names or do not; what is called otherwise is no conversion."""
    old = version_9({"Person": ["id", "homeTown"], "player2": ["id"], "kept": ["myName", "other"], "Gone": ["id"]})
    new = module(
        Table("person", {"id": t.U64, "home_town": t.U64}),
        Table("player_2", {"id": t.U64}),
        Table("kept", {"my_name": t.U64, "another": t.U64}),
        Table("gone_for_good", {"id": t.U64}),
    )
    told = {one.path: one.why for one in problems(old, new) if one.kind == "RenamedByCasing"}
    assert list(told) == [
        ("tables", "Person"),
        ("tables", "Person", "columns", "homeTown"),
        ("tables", "kept", "columns", "myName"),
        ("tables", "player2"),
    ]
    assert "player2 is called player_2 now" in told["tables", "player2"]
    assert "homeTown is called home_town now" in told["tables", "Person", "columns", "homeTown"]
    assert "RenamedByCasing" not in kinds(version_9({"person": ["id"]}), new)


# Questions to the database ----------------------------------------------------------------------------------


def asked(old: ModuleDef, new: ModuleDef) -> dict[str, DataCheck]:
    """The question of each kind of problem."""
    _, found = server_verdict(old, new, release="2.14.0")
    return {one.kind: one.data_check for one in found if one.kind and one.data_check}


NAMES = ["t", "T", "group", "order", "t2", "_t", "select"]
SEQUENCED = [t.I8, t.U8, t.I16, t.U16, t.I32, t.U32, t.I64, t.U64, t.I128, t.U128]


@pytest.mark.parametrize("name", NAMES)
def test_questions_are_sql(name: str) -> None:
    """Each parses. `COUNT` and columns are for `spacetime sql` alone, so the rest is checked as a subscription to the rows."""
    row = {name: t.I64, "where": t.U32}
    before, after = Table(name, row, indexes=[[0, 1]]), Table(name, row, indexes=[[0, 1]], unique=[[0, 1]], sequences=[0])
    quoted = name if name in ("t", "t2", "_t") else f'"{name}"'
    found = asked(module(before), module(after))
    assert found == {
        "SequenceRange": DataCheck(f"SELECT COUNT(*) AS n FROM {quoted} WHERE {quoted} >= 1", "n is 0"),
        "DuplicateRows": DataCheck(f'SELECT {quoted}, "where" FROM {quoted}', "no two rows are alike"),
    }
    found |= asked(module(before), module())
    assert set(found) == {"SequenceRange", "DuplicateRows", "TableNotEmpty"}
    for question in found.values():
        assert len(parse_statements(question.sql)) == 1
        whole = re.sub(r"^SELECT .*? FROM ", "SELECT * FROM ", question.sql)
        assert whole != question.sql
        assert check(whole, module(before)).returns == name


@pytest.mark.parametrize("kind", SEQUENCED, ids=str)
def test_questions_about_every_type_of_sequence(kind: t.AlgebraicType) -> None:
    old, new = (module(Table("t", {"id": kind}, sequences=auto)) for auto in ([], [0]))
    [question] = asked(old, new).values()
    assert check(question.sql.replace("COUNT(*) AS n", "*"), old)


def test_questions_about_mounted_modules() -> None:
    """Their tables have the namespace before the name."""
    inner = raw_module(Table("user", ROW)), raw_module(Table("user", ROW, sequences=[0]))
    old, new = (module(sections=[v10.SubmodulesSection((v10.RawSubmoduleV10("auth", one),))]) for one in inner)
    [question] = asked(old, new).values()
    assert question.sql == 'SELECT COUNT(*) AS n FROM "auth.user" WHERE id >= 1'
    assert check(question.sql.replace("COUNT(*) AS n", "*"), old)


def test_every_kind_says_what_helps() -> None:
    for kind, said in KINDS.items():
        assert said.workaround, kind
        assert said.why, kind
