"""What the planner plans and the server then refuses: each recorded fact, and what is no problem."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from bsatn import types as t
from defs import migrate
from defs.migrate.problems import KINDS
from defs.raw import v10
from defs.raw.shared import TableAccess
from defs.schema.model import ModuleDef

sys.path.insert(0, str(Path(__file__).parent))

from migrate_cases import Table, module

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


def test_every_kind_says_what_helps() -> None:
    for kind, said in KINDS.items():
        assert said.workaround, kind
        assert said.why, kind
