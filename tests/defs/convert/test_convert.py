"""Conversions: as the reference makes them, byte for byte; exact ones by their laws; and where the two differ."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import defs
from bsatn import types as t
from bsatn.annotations import product
from defs import raw, testing
from defs.convert import Loss, LossyConversion, losses_to_v9, losses_to_v10, normal, to_v9, to_v10
from defs.raw import RawModuleDefV9, RawModuleDefV10, layouts, v9, v10
from defs.schema.lookup import Lookup
from defs.schema.model import ModuleDef
from defs.validate import ValidationErrors, validate

sys.path.insert(0, str(Path(__file__).parent))

from convert_cases import (
    HAZARDS_V9,
    HAZARDS_V10,
    IMPOSSIBLE,
    INVALID_UPSTREAM,
    SPECIAL_ROWS,
    comparable,
    explicit,
    explicit_names,
    index_v9,
    keyed_table,
    module,
    module_v9,
    table,
    table_v9,
    unique_v9,
    valid_cases,
)

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
LONG = settings(max_examples=2000, deadline=None, suppress_health_check=SLOW)


def for_all(strategy: st.SearchStrategy[Any], test: Callable[[Any], None], how: settings = QUICK) -> None:
    run: Any = how(given(strategy)(test))
    run()


def converted(model: ModuleDef, version: str, **options: Any) -> RawModuleDefV9 | RawModuleDefV10:
    return to_v9(model, **options) if version == "v9" else to_v10(model, **options)


# The reference ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["v9", "v10"])
@pytest.mark.parametrize("version", [8, 9, 10])
def test_the_reference_converts_to_the_same(version: int, target: str) -> None:
    cases = valid_cases(version)
    assert len(cases) > 100
    for case in cases:
        model = validate(raw.decode(bytes.fromhex(case["bytes"])))
        expected = raw.encode(normal(raw.decode(bytes.fromhex(case[target]))))
        assert raw.encode(converted(model, target, as_upstream=True)) == expected, case["id"]


@pytest.mark.parametrize("version", [8, 9, 10])
def test_the_references_definitions_come_back(version: int) -> None:
    for case in valid_cases(version):
        obeys_the_laws(raw.decode(bytes.fromhex(case["bytes"])))


# Laws -------------------------------------------------------------------------------------------------------


def obeys_the_laws(drawn: raw.RawModuleDef) -> None:
    model = validate(drawn)
    comes_back_from_v10(model)
    comes_back_from_v9(model)
    for target in ("v9", "v10"):
        as_upstream = converted(model, target, as_upstream=True)
        assert normal(as_upstream) == as_upstream


def comes_back_from_v10(model: ModuleDef) -> None:
    ten = to_v10(model)
    back, losses = validate(ten), losses_to_v10(model)
    assert raw.decode(raw.encode(ten)) == ten
    assert to_v10(back) == ten
    assert losses_to_v10(back) == ()
    assert losses == () or model.version < 10
    if not losses:
        assert comparable(back, model.version) == comparable(model)
        assert back.typespace_for_generate == model.typespace_for_generate
    assert gist(back) == gist(model)
    assert back.types == model.types


def comes_back_from_v9(model: ModuleDef) -> None:
    nine, losses = to_v9(model, lossy=True), losses_to_v9(model)
    back = validate(nine)
    assert raw.decode(raw.encode(nine)) == nine
    assert to_v9(back) == nine
    assert losses == () or model.version == 10
    if losses:
        with pytest.raises(LossyConversion) as refused:
            to_v9(model)
        assert refused.value.losses == losses
    else:
        assert to_v9(model) == nine
        assert comparable(back, model.version) == comparable(model)
    events = {name for name, one in model.tables.items() if one.is_event}
    assert {loss.path for loss in losses if loss.what == "that it is an event table"} == {("tables", name) for name in events}
    assert gist(back) == {name: {**one, "is_event": False} for name, one in gist(model).items()}
    assert back.types.keys() == model.types.keys()


def gist(model: ModuleDef) -> dict[str, Any]:
    """What no conversion may change of tables: all but names of their parts, and a second constraint over the same columns."""
    return {
        name: {
            "columns": [(column.name, column.ty, column.default_bytes) for column in one.columns],
            "key": one.primary_key,
            "unique": {constraint.columns for constraint in one.constraints.values()},
            "indexes": sorted((repr(index.algorithm), index.accessor_name or "") for index in one.indexes.values()),
            "sequences": sorted(sequence.column for sequence in one.sequences.values()),
            "schedule": one.schedule and (one.schedule.at_column, one.schedule.id_column, one.schedule.function_name),
            "kind": (one.table_type, one.table_access, one.product_type_ref),
            "is_event": one.is_event,
        }
        for name, one in model.tables.items()
    }


@pytest.mark.parametrize("version", [10, 9, 8])
def test_valid_definitions_obey_the_laws(version: Any) -> None:
    for_all(testing.valid_definitions(version), obeys_the_laws)


@pytest.mark.slow
@pytest.mark.parametrize("version", [10, 9, 8])
def test_many_valid_definitions_obey_the_laws(version: Any) -> None:
    for_all(testing.valid_definitions(version), obeys_the_laws, LONG)


# Event tables -----------------------------------------------------------------------------------------------

EVENTS = ("zzhits", "zzshots")


def with_events(drawn: RawModuleDefV10) -> RawModuleDefV10:
    """The definition with two event tables more, with rows of their own."""
    entries = drawn.typespace.types
    rows = (product(zzid=t.U64, zzname=t.STRING), product(zzid=t.U64))
    events = tuple(
        replace(keyed_table(name), product_type_ref=len(entries) + place, is_event=True) for place, name in enumerate(EVENTS)
    )
    others = [one for one in drawn.sections if not isinstance(one, (v10.TypespaceSection, v10.TablesSection))]
    typespace = v10.TypespaceSection(t.Typespace((*entries, *rows)))
    return RawModuleDefV10((typespace, v10.TablesSection((*drawn.tables, *events)), *others))


def without_events(converted: Any) -> Any:
    """The conversion without what it says of the event tables."""
    if isinstance(converted, RawModuleDefV9):
        kept = tuple(one for one in converted.tables if one.name not in EVENTS)
        return replace(converted, tables=kept, typespace=t.Typespace(converted.typespace.types[:-2]))
    sections: list[Any] = []
    for one in converted.sections:
        if isinstance(one, v10.TypespaceSection):
            sections.append(v10.TypespaceSection(t.Typespace(one.typespace.types[:-2])))
        elif isinstance(one, v10.TablesSection):
            kept_tables = tuple(table for table in one.tables if table.source_name not in EVENTS)
            sections += [v10.TablesSection(kept_tables)] if kept_tables else []
        elif isinstance(one, v10.ExplicitNamesSection):
            entries = (entry for entry in one.explicit_names.entries if not entry.mapping.source_name.startswith(EVENTS))
            sections.append(v10.ExplicitNamesSection(v10.ExplicitNames(tuple(entries))))
        else:
            sections.append(one)
    return RawModuleDefV10(tuple(sections))


WAYS: tuple[tuple[str, dict[str, bool]], ...] = (
    ("v9", {"lossy": True}), ("v9", {"as_upstream": True}), ("v10", {}), ("v10", {"as_upstream": True}),
)  # fmt: skip


def leaves_the_others_alone(drawn: RawModuleDefV10) -> None:
    model, more = validate(drawn), validate(with_events(drawn))
    for target, options in WAYS:
        result = converted(more, target, **options)
        assert without_events(result) == converted(model, target, **options)
        if isinstance(result, RawModuleDefV10):
            events = {one.source_name for one in result.tables if one.is_event}
            assert events == {one.accessor_name for one in more.tables.values() if one.is_event} >= set(EVENTS)


def test_event_tables_change_nothing_about_the_others() -> None:
    for_all(testing.valid_definitions(10), leaves_the_others_alone, settings(QUICK, max_examples=40))


# Hazards ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HAZARDS_V10)
def test_what_the_reference_loses_of_version_10_is_kept(name: str) -> None:
    model = validate(HAZARDS_V10[name])
    obeys_the_laws(HAZARDS_V10[name])
    assert validate(to_v10(model)) == model
    as_upstream = to_v10(model, as_upstream=True)
    if name in INVALID_UPSTREAM:
        with pytest.raises(ValidationErrors) as invalid:
            validate(as_upstream)
        assert {error.kind for error in invalid.value.errors} == {INVALID_UPSTREAM[name]}
    else:
        assert validate(as_upstream) != model


@pytest.mark.parametrize("name", HAZARDS_V9)
def test_what_version_10_cannot_say_of_version_9_does_no_harm(name: str) -> None:
    model = validate(HAZARDS_V9[name])
    obeys_the_laws(HAZARDS_V9[name])
    assert (losses_to_v10(model) == ()) == (name == "two indexes over the same columns")


def test_a_column_that_is_a_special_types_field_has_a_name_of_its_own() -> None:
    model = validate(SPECIAL_ROWS)
    column = model.tables["t"].columns[0]
    assert (column.name, column.accessor_name) == ("identity", "__identity__")
    assert names(model, "indexes") == ["t___identity___idx_btree"]
    assert names(model, "constraints") == ["t___identity___key"]
    assert validate(to_v10(model)) == model
    assert losses_to_v10(model) == ()
    assert Loss(
        ("tables", "t", "columns", "identity"), "the column's name identity", "it becomes __identity__"
    ) in losses_to_v9(model)
    for back in (to_v9(model, lossy=True), to_v9(model, as_upstream=True), to_v10(model, as_upstream=True)):
        assert validate(back).tables["t"].columns[0].name == "__identity__"


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_version_10_is_refused(name: str) -> None:
    definition, path = IMPOSSIBLE[name]
    model = validate(definition)
    with pytest.raises(LossyConversion) as refused:
        to_v10(model)
    assert [loss.path for loss in refused.value.losses] == [path]
    assert refused.value.losses[0] in losses_to_v10(model)
    with pytest.raises(ValidationErrors):
        validate(to_v10(model, as_upstream=True))
    comes_back_from_v9(model)


def names(model: ModuleDef, part: str) -> list[str]:
    return list(getattr(model.tables["t"], part))


def test_names_after_both_conversions() -> None:
    def both(case: RawModuleDefV9 | RawModuleDefV10) -> tuple[ModuleDef, ModuleDef]:
        model = validate(case)
        return validate(to_v10(model)), validate(to_v10(model, as_upstream=True))

    ours, theirs = both(HAZARDS_V10["explicit index name"])
    assert (names(ours, "indexes"), names(theirs, "indexes")) == (["chosen"], ["t_a_idx_btree"])
    ours, theirs = both(HAZARDS_V10["schedule of a function with another's accessor name"])
    called = [model.tables["t"].schedule and model.tables["t"].schedule.function_name for model in (ours, theirs)]
    assert called == ["g", "k"]
    ours, theirs = both(HAZARDS_V10["event of a function with another's accessor name"])
    assert [list(model.lifecycle_reducers.values()) for model in (ours, theirs)] == [["g"], ["k"]]
    ours, theirs = both(HAZARDS_V10["unsorted unique columns"])
    assert (names(ours, "constraints"), names(theirs, "constraints")) == (["t_b_a_key"], ["t_a_b_key"])
    ours, theirs = both(HAZARDS_V10["key of a query view"])
    assert [model.views["v"].primary_key for model in (ours, theirs)] == [1, 0]
    ours, theirs = both(HAZARDS_V10["names of columns, members, parameters and types"])
    accessors = [[one.accessor_name for one in model.tables["my_table"].columns] for model in (ours, theirs)]
    assert accessors == [["MyId", "TheName"], ["my_id", "the_name"]]
    ours, theirs = both(HAZARDS_V10["several types for an entry"])
    assert [str(model.type_names[0]) for model in (ours, theirs)] == ["Ab", "C"]


@pytest.mark.parametrize(
    ("name", "indexes", "constraints"),
    [
        ("names of constraints", ["i"], ["t_a_key"]),
        ("constraints over the same columns", ["i"], ["t_a_key"]),
        ("constraints over the same two columns", ["i"], ["t_a_b_key", "t_b_a_key"]),
        ("constraints of two tables with one generated name", ["i"], ["t_b_a_key"]),
        ("two indexes over the same columns", ["i", "j"], []),
        ("index names that are no identifiers", ["t_a_idx_btree", "t_a_idx_btree_2"], []),
        ("an index with another's generated name", ["t_b_idx_btree", "t_b_idx_btree_2"], []),
        ("an index with a constraint's generated name", ["t_a_idx_btree"], ["t_a_key"]),
        ("an index with the generated name of a constraint on two columns", ["i", "t_b_idx_btree"], ["t_a_b_key"]),
    ],
)
def test_names_of_version_9_in_version_10(name: str, indexes: list[str], constraints: list[str]) -> None:
    model = validate(to_v10(validate(HAZARDS_V9[name])))
    assert (names(model, "indexes"), names(model, "constraints")) == (indexes, constraints)


def test_the_reference_follows_names_that_version_10_cannot_say() -> None:
    failing = {}
    for name, definition in HAZARDS_V9.items():
        try:
            validate(to_v10(validate(definition), as_upstream=True))
        except ValidationErrors as invalid:
            failing[name] = {error.kind for error in invalid.errors}
    assert failing.pop("float parameters of a view") == {"ViewFloatParam"}
    assert len(failing) == 10
    assert set(map(frozenset, failing.values())) == {frozenset({"DuplicateName"})}


def test_floats_of_views_become_references() -> None:
    model = validate(to_v10(validate(HAZARDS_V9["float parameters of a view"])))
    resolved = [model.typespace[getattr(one.algebraic_type, "index", -1)] for one in model.views["v"].params.elements[:2]]
    assert resolved == [t.F32, t.F64]
    assert model.views["v"].params.elements[2].algebraic_type == t.U8
    assert model.views["w"].params.elements[0].algebraic_type == model.views["v"].params.elements[1].algebraic_type


def test_names_that_are_no_identifiers_are_written_as_declared_in_version_9() -> None:
    nine = to_v9(validate(HAZARDS_V10["converted names that are no identifiers"]), lossy=True)
    product_, sum_ = nine.typespace.types
    assert isinstance(product_, t.ProductType)
    assert isinstance(sum_, t.SumType)
    assert [one.name for one in product_.elements] == ["a", "_1"]
    assert [one.name for one in sum_.variants] == ["_2", "b"]


def test_members_out_of_order_make_the_order_custom() -> None:
    types = (v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), "T"), 0, False),)
    for written, is_custom in ((("_2", "_3"), False), (("__2", "_3"), True)):  # both become 2 and 3, which are in order
        model = validate(module(v10.TypesSection(types), entries=(product(**dict.fromkeys(written, t.U8)),)))
        nine = to_v9(model, lossy=True)
        assert nine.types[0].custom_ordering is is_custom
        assert validate(nine).types.keys() == model.types.keys()


# Losses -----------------------------------------------------------------------------------------------------

EVERYTHING = module(
    v10.TablesSection((keyed_table("Hits", is_event=True), keyed_table("jobs"))),
    v10.ReducersSection((v10.RawReducerDefV10("r", product(X=t.U8), v10.FunctionVisibility.Private, t.UNIT, t.STRING),)),
    v10.ViewsSection((v10.RawViewDefV10("v", 0, True, True, t.UNIT, t.ArrayType(t.Ref(0))),)),
    v10.ViewPrimaryKeysSection((v10.RawViewPrimaryKeyDefV10("v", ("a",)),)),
    v10.OutboxesSection((v10.RawOutboxDefV10("jobs", "there.do_it", 1, (), None, 7),)),
    v10.HttpHandlersSection((v10.RawHttpHandlerDefV10("h"),)),
    v10.HttpRoutesSection((v10.RawHttpRouteDefV10("h", v10.AnyMethod(), "/x"),)),
    v10.EnvironmentSection((v10.RawEnvironmentDeclarationV10("KEY", v10.EnvString(), True),)),
    v10.SubmodulesSection((v10.RawSubmoduleV10("inner", module(v10.TablesSection((table("t"),)))),)),
    v10.TypesSection(
        (
            v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), "Row"), 0, True),
            v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), "E"), 1, True),
        )
    ),
    explicit_names(*explicit(v10.IndexName, jobs_index="jobs_index")),
    entries=(product(a=t.U64, to=t.IDENTITY), product(Inner=t.U8)),
)


def test_every_loss_is_told() -> None:
    found = {".".join(map(str, loss.path)): loss.what for loss in losses_to_v9(validate(EVERYTHING))}
    assert found == {
        "tables.hits": "the table's accessor name Hits",
        "tables.hits.indexes.hits_a_idx_btree": "the alias Hits_index",
        "tables.jobs.outbox": "the outbox",
        "reducers.r.params": "the parameters' names as written (X)",
        "reducers.r.visibility": "that the reducer is private",
        "views.v.primary_key": "the view's primary key a",
        "typespace.1": "the member names of type E as written",
        "http_handlers.h": "the HTTP handler",
        "http_routes": "HTTP routes (1)",
        "environment": "the declared environment variables (KEY)",
        "submodules.inner": "the submodule",
    }


def test_a_loss_says_where_what_and_why() -> None:
    (loss, *_) = losses_to_v9(validate(EVERYTHING))
    assert loss == Loss(("tables", "hits"), "that it is an event table", "it becomes an ordinary table, which keeps its rows")
    assert str(loss) == "tables.hits: that it is an event table; it becomes an ordinary table, which keeps its rows"


def test_the_refusal_names_the_first_losses() -> None:
    with pytest.raises(LossyConversion, match=r"version 9 cannot say 12 things of it: \[1\] tables\.hits: .*; and 7 more"):
        to_v9(validate(EVERYTHING))


def test_with_leave_what_version_9_can_say_is_left() -> None:
    model = validate(to_v9(validate(EVERYTHING), lossy=True))
    assert list(model.tables) == ["hits", "jobs"]
    assert (model.submodules, model.environment, model.http_handlers) == (Lookup(), None, Lookup())


# The rest ---------------------------------------------------------------------------------------------------


def test_definitions_made_without_source_names_are_written_with_canonical_ones() -> None:
    model = validate(HAZARDS_V10["names of columns, members, parameters and types"])
    types = Lookup((name, replace(one, source_name=None)) for name, one in model.types.items())
    bare = replace(model, source_typespace=None, types=types)
    back = validate(to_v10(bare))
    assert gist(back) == gist(model)
    assert back.types == model.types
    assert [one.name for one in back.reducers["my_reducer"].params.elements] == ["some_arg"]


def test_an_empty_definition() -> None:
    model = validate(RawModuleDefV10())
    empty = (v10.TypespaceSection(t.Typespace()), v10.ExplicitNamesSection(v10.ExplicitNames(())))
    assert to_v10(model).sections == (v10.CaseConversionPolicySection(v10.CaseConversionPolicy.SnakeCase), *empty)
    upstream = (v10.CaseConversionPolicySection(v10.CaseConversionPolicy.None_), *empty)
    assert to_v10(model, as_upstream=True).sections == upstream
    assert to_v9(model) == RawModuleDefV9(t.Typespace(), (), (), (), (), ())


def test_an_empty_environment_is_not_the_same_as_none() -> None:
    declared = RawModuleDefV10((v10.EnvironmentSection(()),))
    assert to_v10(validate(declared)).environment == ()
    assert to_v10(validate(RawModuleDefV10())).environment is None


def test_many_names_that_collide_take_no_longer_than_others() -> None:
    def seconds(count: int) -> float:
        indexes = tuple(index_v9(f"no name {number}", 0, 1, 2) for number in range(count))
        constraints = tuple(unique_v9(f"rule {number}", 0, 1, 2) for number in range(count))
        model = validate(module_v9(table_v9("t", indexes=indexes, constraints=constraints)))
        started = time.perf_counter()
        ten = to_v10(model)
        assert (len(ten.tables[0].indexes), len(ten.tables[0].constraints)) == (count, 6)
        return time.perf_counter() - started

    seconds(1000)
    assert seconds(20_000) < 200 * seconds(1000)


def test_submodules_nest_deeply() -> None:
    inner = RawModuleDefV10()
    for _ in range(100):
        inner = RawModuleDefV10((v10.SubmodulesSection((v10.RawSubmoduleV10("inner", inner),)),))
    model = validate(inner)
    for as_upstream in (False, True):
        assert len(list(validate(to_v10(model, as_upstream=as_upstream)).modules())) == 101


def test_the_normal_form_leaves_what_is_ordered() -> None:
    columns = (v9.RawColumnDefaultValueV9("t", 1, b"\0"), v9.RawColumnDefaultValueV9("t", 0, b"\0"))
    procedures = tuple(v9.RawProcedureDefV9(name, t.UNIT, t.U8) for name in "qp")
    mixed = (procedures[0], columns[0], procedures[1], columns[1])
    reducers = tuple(v9.RawReducerDefV9(name, t.UNIT, None) for name in "ba")
    found = normal(RawModuleDefV9(t.Typespace(), (), reducers, (), mixed, ()))
    assert found.misc_exports == (procedures[0], columns[1], procedures[1], columns[0])
    assert found.reducers == reducers
    old = raw.RawModuleDefV8(t.Typespace(), (), (), ())
    assert normal(old) is old


def test_exported_from_the_package() -> None:
    assert (defs.to_v9, defs.to_v10) == (to_v9, to_v10)


# -- across releases


def test_a_definition_of_an_old_release_keeps_its_meaning_when_written_for_the_newest() -> None:
    """Read in its layout, validated, converted, written for the newest release, and read there."""
    path = Path(__file__).parents[3] / "vectors" / "reference" / "layouts.jsonl.gz"
    releases = set()
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for case in map(json.loads, lines):
            module = validate(layouts.decode(bytes.fromhex(case["bytes"]), layout=case["written_by"]).raw)
            converted = to_v10(module) if module.version == 10 else to_v9(module)
            again = validate(layouts.decode(layouts.encode(converted), layout="2.14.0").raw)
            assert again == module, case["id"]
            releases.add(case["written_by"])
    assert len(releases) == 10
