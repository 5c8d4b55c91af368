"""Rules of the planner one by one: event tables, types, releases, the token, printed values, and bounded time."""

from __future__ import annotations

import re
import struct
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsatn import types as t
from bsatn.errors import LimitExceeded
from defs import migrate, testing
from defs.keccak import keccak_256
from defs.migrate import errors as e
from defs.migrate import steps as s
from defs.migrate.types import Layout, Layouts, row_layout
from defs.migrate.values import debug_float, debug_value
from defs.raw import v10
from defs.raw.shared import TableAccess
from defs.releases import release_named
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from migrate_cases import Table, module

ROW: dict[str, Any] = {"id": t.U64, "name": t.STRING}


def kinds(old: Any, new: Any, **options: Any) -> list[str]:
    """Kinds of the steps, or of the errors with a `!` before each."""
    try:
        return [step.kind for step in migrate.plan(old, new, **options).steps]
    except migrate.MigrationErrors as refused:
        return [f"!{error.kind}" for error in refused.errors]


def attempt(old: Any, new: Any, **options: Any) -> migrate.MigrationPlan | migrate.MigrationErrors:
    """The plan, or the refusal."""
    try:
        return migrate.plan(old, new, **options)
    except migrate.MigrationErrors as refused:
        return refused


def tables(before: dict[str, Any], after: dict[str, Any], **options: Any) -> tuple[Any, Any]:
    return module(Table("t", before, **options)), module(Table("t", after, **options))


# Tables -----------------------------------------------------------------------------------------------------


def test_nothing_changed() -> None:
    assert kinds(*tables(ROW, ROW)) == []


def test_columns_of_stored_rows() -> None:
    more = {**ROW, "level": t.U32}
    assert kinds(*tables(ROW, more)) == ["!AddColumn"]
    old, new = module(Table("t", ROW)), module(Table("t", more, defaults={2: bytes(4)}))
    assert kinds(old, new) == ["AddColumns", "DisconnectAllUsers"]
    assert kinds(new, old) == ["!RemoveColumn"]
    assert kinds(*tables(ROW, {"name": t.STRING, "id": t.U64})) == ["!ReorderTable", "!ReorderTable"]
    assert kinds(*tables(ROW, {**ROW, "id": t.I64})) == ["!ChangeColumnType"]


def test_columns_of_event_tables_are_free() -> None:
    for after in ({**ROW, "level": t.U32}, {"id": t.U64}, {"name": t.STRING, "id": t.U64}, {**ROW, "id": t.STRING}):
        assert kinds(*tables(ROW, after, event=True)) == ["ReschemaEventTable", "DisconnectAllUsers"]
    assert kinds(*tables(ROW, ROW, event=True)) == []


def test_the_event_flag_stays() -> None:
    plain, event = module(Table("t", ROW)), module(Table("t", ROW, event=True))
    assert kinds(plain, event) == kinds(event, plain) == ["!ChangeTableEventFlag"]
    fewer = {"id": t.U64}
    assert kinds(event, module(Table("t", fewer))) == ["!ChangeTableEventFlag"]
    assert kinds(plain, module(Table("t", fewer, event=True))) == ["!RemoveColumn", "!ChangeTableEventFlag"]


def test_tables_come_and_go() -> None:
    one, two = module(Table("t", ROW)), module(Table("t", ROW), Table("u", ROW))
    assert kinds(one, two) == ["AddTable"]
    assert kinds(two, one) == ["RemoveTable", "DisconnectAllUsers"]
    assert migrate.plan(two, one).breaks_client
    assert kinds(one, module(Table("t", ROW, access=TableAccess.Private))) == ["ChangeAccess"]


def test_a_table_of_events_that_moves_a_unique_column() -> None:
    """The constraint is of the same columns by another position: only where it is named the same."""
    old = module(Table("t", ROW, event=True, indexes=[[0]], unique=[[0]], primary_key=(0,)))
    new = module(Table("t", {"name": t.STRING, "id": t.U64}, event=True, indexes=[[1]], unique=[[1]], primary_key=(1,)))
    assert kinds(old, new) == ["!ChangeUniqueConstraint"]


def mounted(source: str) -> Any:
    """A module with a table, mounted at `lib` under another accessor name."""
    table = Table("t", ROW, indexes=[[0]]).raw(0)
    named = v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), "T"), 0, True)
    row = v10.TypespaceSection(t.Typespace((Table("t", ROW).row,)))
    inner = v10.RawModuleDefV10((row, v10.TypesSection((named,)), v10.TablesSection((table,))))
    pinned = v10.ExplicitNames((v10.NamespaceName(v10.NameMapping(source, "lib")),))
    return module(sections=[v10.SubmodulesSection((v10.RawSubmoduleV10(source, inner),)), v10.ExplicitNamesSection(pinned)])


def test_a_submodule_of_another_accessor_name() -> None:
    old, new = mounted("one"), mounted("two")
    assert kinds(old, new) == ["ChangeIndexSourceName", "ChangeTableAccessorName"]
    assert kinds(old, new, release="2.8.2") == []


# Types ------------------------------------------------------------------------------------------------------


def sums(*payloads: t.AlgebraicType, names: str = "abcdef") -> t.SumType:
    return t.SumType(tuple(t.SumTypeVariant(name, kind) for name, kind in zip(names, payloads, strict=False)))


U8, U16, U32, UNIT = t.U8, t.U16, t.U32, t.UNIT


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (sums(UNIT), sums(UNIT, UNIT), ["ChangeColumns"]),
        (sums(UNIT), sums(UNIT, U8), ["!ChangeColumnTypeSizeMismatch"]),
        (sums(U16), sums(U16, t.STRING), ["!ChangeColumnTypeSizeMismatch"]),
        (sums(t.U64), sums(t.U64, t.STRING), ["ChangeColumns"]),
        (sums(t.STRING), sums(t.STRING, U32), ["!ChangeColumnTypeSizeMismatch", "!ChangeColumnTypeAlignMismatch"]),
        (sums(UNIT, UNIT), sums(UNIT), ["!ChangeColumnTypeFewerVariants"]),
        (sums(UNIT, UNIT), sums(UNIT, UNIT, names="ba"), ["!ChangeColumnTypeRenamedVariant"] * 2),
        (
            sums(sums(UNIT, UNIT)),
            sums(sums(UNIT)),
            ["!ChangeWithinColumnTypeFewerVariants"],
        ),
        (sums(sums(UNIT)), sums(sums(UNIT, names="z")), ["!ChangeWithinColumnTypeRenamedVariant"]),
    ],
)  # fmt: skip
def test_growth_of_sums(old: t.SumType, new: t.SumType, expected: list[str]) -> None:
    """As run with the crates; behind references, as bindings write them."""
    inner = [variant.algebraic_type for variant in old.variants if isinstance(variant.algebraic_type, t.SumType)]
    befores, afters = [old], [new]
    if inner:
        befores = [sums(t.Ref(1)), inner[0]]
        after = new.variants[0].algebraic_type
        assert isinstance(after, t.SumType)
        afters = [t.SumType((t.SumTypeVariant("a", t.Ref(1)),)), after]
    row: dict[str, t.AlgebraicType] = {"id": t.U64, "kind": t.Ref(0)}
    assert kinds(module(Table("t", row), types=befores), module(Table("t", row), types=afters)) == expected


def test_numbers_never_widen() -> None:
    assert kinds(*tables({"n": U8}, {"n": U16})) == ["!ChangeColumnType"]
    assert kinds(*tables({"n": t.ArrayType(U8)}, {"n": t.ArrayType(U16)})) == ["!ChangeWithinColumnType"]


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        (t.BOOL, Layout(1, 1)),
        (t.U256, Layout(32, 32)),
        (t.STRING, Layout(4, 2, False)),
        (t.ArrayType(t.U64), Layout(4, 2, False)),
        (sums(), Layout(1, 1)),
        (sums(U16), Layout(4, 2)),
        (sums(U16, t.STRING), Layout(6, 2, False)),
        (t.ProductType((t.ProductTypeElement("a", U8), t.ProductTypeElement("b", U32))), Layout(8, 4)),
        (UNIT, Layout(0, 1)),
    ],
)
def test_layouts(kind: t.AlgebraicType, layout: Layout) -> None:
    assert Layouts().of(kind) == layout


def test_rows_are_two_bytes_at_least() -> None:
    assert row_layout(Layouts(), []) == Layout(2, 1)
    assert row_layout(Layouts(), [U8, U8, U8]) == Layout(4, 1)


def test_a_type_that_contains_itself() -> None:
    """The server panics as soon as it compares such a column; adding or removing one it plans."""
    recursive = module(Table("t", {"next": t.ArrayType(t.Ref(0))}))
    assert kinds(recursive, recursive) == ["!ServerWouldCrash"]
    assert kinds(module(), recursive) == ["AddTable"]
    with pytest.raises(migrate.CannotPrint, match="Type resolution failed"):
        migrate.to_text(migrate.plan(module(), recursive))


def test_shared_types_cost_nothing() -> None:
    """Thirty levels of pairs of the level below: too large to write out, and refused as that."""
    levels: list[t.AlgebraicType] = [sums(UNIT)]
    for place in range(30):
        levels.append(t.ProductType(tuple(t.ProductTypeElement(name, t.Ref(place)) for name in "ab")))
    large = module(Table("t", {"x": t.Ref(30)}), types=levels)
    with pytest.raises(LimitExceeded):
        migrate.plan(large, large)
    small = module(Table("t", {"x": t.Ref(14)}), types=levels[:15])
    other = module(Table("t", {"x": t.Ref(14)}), types=[sums(UNIT, UNIT), *levels[1:15]])
    started = time.perf_counter()
    assert kinds(small, other) == ["ChangeColumns"]
    assert time.perf_counter() - started < 20


# Releases ---------------------------------------------------------------------------------------------------

GROWN = [sums(UNIT)], [sums(UNIT, UNIT)]


@pytest.mark.parametrize(
    ("before", "since", "old", "new", "was", "becomes"),
    [
        (
            "1.2.0",
            "1.3.0",
            module(Table("t", {"k": t.Ref(0)}), types=GROWN[0]),
            module(Table("t", {"k": t.Ref(0)}), types=GROWN[1]),
            ["!ChangeColumnType"],
            ["ChangeColumns"],
        ),
        (
            "1.3.2",
            "1.4.0",
            module(Table("t", ROW)),
            module(Table("t", {**ROW, "n": U8}, defaults={2: b"\0"})),
            ["!AddColumn"],
            ["AddColumns", "DisconnectAllUsers"],
        ),
        ("2.1.0", "2.2.0", module(Table("t", ROW)), module(), ["!RemoveTable"], ["RemoveTable", "DisconnectAllUsers"]),
        (
            "2.1.0",
            "2.2.0",
            module(Table("t", ROW, indexes=[[0]], unique=[[0]], primary_key=(0,))),
            module(Table("t", ROW, indexes=[[0]], unique=[[0]])),
            [],
            ["ChangePrimaryKey"],
        ),
        (
            "2.4.1",
            "2.5.0",
            *tables(ROW, {"id": t.U64}, event=True),
            ["!RemoveColumn"],
            ["ReschemaEventTable", "DisconnectAllUsers"],
        ),
        (
            "2.7.0-hotfix1",
            "2.7.0-hotfix2",
            module(Table("t", ROW, indexes=[[0]])),
            module(Table("t", ROW, indexes=[[0]], unique=[[0]])),
            ["!AddUniqueConstraint"],
            ["AddConstraint"],
        ),
        ("1.12.0", "2.0.0", *(module(Table("t", ROW, event=flag)) for flag in (False, True)), [], ["!ChangeTableEventFlag"]),
    ],
)
def test_what_a_release_brought(before: str, since: str, old: Any, new: Any, was: list[str], becomes: list[str]) -> None:
    assert kinds(old, new, release=before) == was
    assert kinds(old, new, release=since) == becomes


@pytest.mark.parametrize("release", ["2.15.0", "0.9.0", "", "newest", "2.14.0.1", "2.4.0-rc1", "2.4-hotfix1", "9" * 50])
def test_releases_that_are_not_known(release: str) -> None:
    with pytest.raises(migrate.UnknownRelease):
        migrate.plan(module(), module(), release=release)


def test_a_refusal_says_why_and_goes_by_the_release() -> None:
    old, new = module(Table("t", ROW)), module()
    parties = bytes(32), bytes(32), old, bytes(32), new
    with pytest.raises(migrate.MigrationPolicyError) as refused:
        migrate.try_migrate(*parties, migrate.Compatible(), release="2.1.0")
    assert refused.value.kind == "AutoMigrateFailure"
    assert refused.value.errors is not None
    assert [error.kind for error in refused.value.errors.errors] == ["RemoveTable"]
    with pytest.raises(migrate.MigrationPolicyError) as refused:
        migrate.try_migrate(*parties, migrate.Compatible())
    assert (refused.value.kind, refused.value.errors) == ("ClientBreakingChangeDisallowed", None)


def test_releases_compare() -> None:
    names = ["1.0.0-rc2", "1.0.0-rc2.1", "1.0.0-rc10", "v1.0", "1.0.1", "1.0.1-hotfix1", "1.0.1-hotfix10", "1.0.2", "1.12"]
    found = list(map(release_named, names))
    assert found == sorted(set(found))
    assert release_named("2.4") == release_named("v2.4.0")
    for text in ("2", "2.4.", "2.4-rc1", "2.4.0-rc", "2.4.0-beta1", "2.4.0 ", "٢.4.0", ""):
        with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
            release_named(text)


def test_steps_are_in_the_order_of_the_server() -> None:
    assert len(migrate.STEPS) == 25
    assert [step.rank for step in migrate.STEPS] == list(range(25))
    steps = [s.AddTable(("a",), "z"), s.AddTable((), "é"), s.AddTable((), "z"), s.RemoveTable(("b",), "a")]
    assert [step.sort_key for step in sorted(steps, key=lambda step: step.sort_key)] == [
        step.sort_key for step in (steps[3], steps[2], steps[1], steps[0])
    ]


def test_errors_that_no_reference_case_has() -> None:
    assert e.ChangeOutboxTargetColumn("t", 1, 2).message == (
        "Changing the target column of outbox table t from ColId(1) to ColId(2) requires a manual migration"
    )
    assert e.ChangeOutboxPrimaryKey("t", 1, None).message == (
        "Changing the primary key of outbox table t from Some(ColId(1)) to None requires a manual migration"
    )


# Policy -----------------------------------------------------------------------------------------------------

IDENTITY = bytes(31) + b"\x01"
OLD, NEW = keccak_256(b"old"), keccak_256(b"new")
TOKEN = bytes.fromhex("ed0d0cc7c1cc3a31740ac07d39d23c426c244405e3b1528992169120e3bce3d0")


def test_the_token() -> None:
    assert migrate.migration_token(IDENTITY, OLD, NEW) == TOKEN
    with pytest.raises(ValueError, match="32 bytes"):
        migrate.migration_token(IDENTITY, OLD, b"new")


def policy_of(policy: migrate.MigrationPolicy, old: Any, new: Any) -> str:
    try:
        return migrate.try_migrate(IDENTITY, OLD, old, NEW, new, policy).verdict
    except migrate.MigrationPolicyError as error:
        return error.kind


def test_policies() -> None:
    empty, full = module(), module(Table("t", ROW))
    assert policy_of(migrate.Compatible(), empty, full) == "auto"
    assert policy_of(migrate.Compatible(), full, empty) == "ClientBreakingChangeDisallowed"
    assert policy_of(migrate.BreakClients(TOKEN), full, empty) == "breaks-clients"
    assert policy_of(migrate.BreakClients(TOKEN), empty, full) == "auto"
    assert policy_of(migrate.BreakClients(bytes(32)), empty, full) == "InvalidToken"
    changed = module(Table("t", {**ROW, "id": U8}))
    assert policy_of(migrate.BreakClients(bytes(32)), full, changed) == "AutoMigrateFailure"


# Printed values ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "bits", "text"),
    [
        (1.5, 64, "1.5"),
        (-0.0, 64, "-0.0"),
        (1e15, 64, "1000000000000000.0"),
        (1e16, 64, "1e16"),
        (1e21, 64, "1e21"),
        (1e-4, 64, "0.0001"),
        (9.5e-5, 64, "9.5e-5"),
        (struct.unpack("<f", struct.pack("<f", 0.1))[0], 32, "0.1"),
        (float("nan"), 32, "NaN"),
        (float("-inf"), 64, "-inf"),
    ],
)
def test_floats(value: float, bits: int, text: str) -> None:
    assert debug_float(value, bits) == text


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (t.U8, b"\x07", "U8(\n    7,\n)"),
        (t.I128, b"\xff" * 16, "I128(\n    Packed(\n        -1,\n    ),\n)"),
        (t.ArrayType(t.I128), b"\1\0\0\0" + b"\xff" * 16, "Array(\n    [\n        -1,\n    ],\n)"),
        (t.ArrayType(t.U8), bytes(4), "Array(\n    [],\n)"),
        (t.STRING, b'\2\0\0\0"\n', 'String(\n    "\\"\\n",\n)'),
        (sums(UNIT), b"\0", "Sum(\n    SumValue {\n        tag: 0,\n        value: Product(\n"
         "            ProductValue {\n                elements: [],\n            },\n        ),\n    },\n)"),
    ],
)  # fmt: skip
def test_values(kind: t.AlgebraicType, data: bytes, text: str) -> None:
    assert debug_value(kind, data) == text


# Any definitions --------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(testing.valid_definitions(version=None))
def test_a_definition_replaces_itself(raw: Any) -> None:
    old, new = validate(raw), validate(raw)
    plan = attempt(old, new)
    if isinstance(plan, migrate.MigrationErrors):
        assert {error.kind for error in plan.errors} == {"ServerWouldCrash"}
    else:
        assert {step.kind for step in plan.steps} <= {"UpdateView", "AddRowLevelSecurity", "RemoveRowLevelSecurity"}
        assert "▸" not in migrate.to_text(plan).replace("▸ ▸", "")
        assert not [one for one in migrate.publishing_problems(old, new, plan) if one.outcome != "notice"]


@settings(max_examples=60, deadline=None)
@given(
    testing.valid_definitions(version=10), testing.valid_definitions(version=10), st.sampled_from(["1.0.0", "2.0.0", "2.8.2"])
)
def test_any_two_definitions_get_an_answer(before: Any, after: Any, release: str) -> None:
    old, new = validate(before), validate(after)
    for known in (release, "2.14.0"):
        plan = attempt(old, new, release=known)
        if isinstance(plan, migrate.MigrationErrors):
            assert plan.reason.count("\n\n") >= len(plan.errors) > 0
        else:
            assert [step.sort_key for step in plan.steps] == sorted(step.sort_key for step in plan.steps)
            assert migrate.publishing_problems(old, new, plan) is not None


@pytest.mark.slow
def test_time_grows_with_the_number_of_tables() -> None:
    def seconds(count: int) -> float:
        old, new = (
            module(*(Table(f"t{place}", {**ROW, "kind": kind}, indexes=[[0]], unique=[[0]]) for place in range(count)))
            for kind in (U8, U16)
        )
        started = time.perf_counter()
        assert len(kinds(old, new)) == count
        return time.perf_counter() - started

    small, large = seconds(1000), seconds(10_000)
    assert large < 30 * small + 1
