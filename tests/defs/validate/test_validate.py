"""Validation against the reference's answers, on definitions made to hold or to fail, and on hostile ones."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsatn import strategies
from bsatn import types as t
from bsatn.annotations import array, option, product, ref, result
from bsatn.errors import DecodeError
from bsatn.records import shape_of
from bsatn.shapes import Sum
from defs import raw, testing
from defs.describe import describe
from defs.describe.text import to_text
from defs.raw import v8, v10
from defs.raw.shared import BTree, RawUniqueConstraintDataV9, TableAccess, TableType
from defs.schema import ModuleDef
from defs.validate import ValidationErrors, validate
from defs.validate.errors import combine

VECTORS = Path(__file__).parents[3] / "vectors"
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)
QUICK = settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
LONG = settings(max_examples=3000, deadline=None, suppress_health_check=SLOW)


def for_all(strategy: st.SearchStrategy[Any], test: Callable[[Any], None], how: settings = QUICK) -> None:
    run: Any = how(given(strategy)(test))
    run()


# The reference's cases --------------------------------------------------------------------------------------


@cache
def reference() -> tuple[dict[str, Any], ...]:
    found = []
    for name in ("modules.jsonl.gz", "modules_v8.jsonl.gz"):
        with gzip.open(VECTORS / "reference" / name, "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in lines]
    modules = json.loads((VECTORS / "modules" / "expected.json").read_text("utf-8"))["modules"]
    return (*found, *({"id": name, **case} for name, case in modules.items()))


def definition(case: dict[str, Any]) -> raw.RawModuleDef:
    return raw.decode(bytes.fromhex(case["bytes"]))


def outcome(given: raw.RawModuleDef) -> ModuleDef | ValidationErrors:
    """The model, or all that is wrong; anything else that is raised is a failure of the test."""
    try:
        return validate(given)
    except ValidationErrors as errors:
        return errors


def chunks(size: int = 100) -> list[slice]:
    return [slice(start, start + size) for start in range(0, len(reference()), size)]


@pytest.mark.parametrize("part", chunks(), ids=lambda part: f"from{part.start}")
def test_the_reference_says_the_same(part: slice) -> None:
    for case in reference()[part]:
        found = outcome(definition(case))
        if case.get("reference_crashed"):
            assert isinstance(found, ValidationErrors), case["id"]
            assert "ReferenceWouldCrash" in {error.kind for error in found.errors}, case["id"]
        elif case["valid"]:
            assert isinstance(found, ModuleDef), case["id"]
            assert to_text(describe(found)) == case["describe"], case["id"]
        else:
            assert isinstance(found, ValidationErrors), case["id"]
            expected = [(error["kind"], error["debug"], error["message"]) for error in case["errors"]]
            assert sorted((error.kind, error.debug, error.message) for error in found.errors) == sorted(expected), case["id"]
            assert found.errors == combine(reversed(found.errors)), case["id"]


def test_the_reference_has_every_verdict() -> None:
    verdicts = Counter((case["version"], case["valid"], bool(case.get("reference_crashed"))) for case in reference())
    assert {version for version, valid, _ in verdicts if valid} == {8, 9, 10}
    assert {version for version, valid, crashed in verdicts if not valid and not crashed} >= {8, 10}
    assert sum(count for (_, _, crashed), count in verdicts.items() if crashed) == 36


# Definitions made to hold, or nearly ------------------------------------------------------------------------


def holds(given: raw.RawModuleDef) -> None:
    module = validate(given)
    assert repr(module) == repr(validate(raw.decode(raw.encode(given))))
    assert module.version == raw.version_of(given)
    check_order(module)


def check_order(module: ModuleDef) -> None:
    """The look-ups stand in the order that the model promises."""
    for level in module.modules():
        sorted_by_name: list[Any] = [level.tables, *([] if level.environment is None else [level.environment])]
        for table in level.tables.values():
            sorted_by_name += [table.indexes, table.constraints, table.sequences]
            assert [one.col_id for one in table.columns] == list(range(len(table.columns)))
            assert table.namespace == level.path
        for lookup in sorted_by_name:
            assert list(lookup) == sorted(lookup)
            assert [one.name for one in lookup.values()] == list(lookup)
        assert list(level.types) == sorted(level.types, key=lambda name: (name.scope, name.name))
        as_listed: list[Any] = [level.reducers, level.procedures, level.views, level.http_handlers]
        for lookup in as_listed:
            assert [one.name for one in lookup.values()] == list(lookup)


def as_declared(given: raw.RawModuleDefV10, module: ModuleDef) -> None:
    for declared, found in (
        (given.reducers, module.reducers),
        (given.procedures, module.procedures),
        (given.views, module.views),
        (given.http_handlers, module.http_handlers),
    ):
        assert [one.source_name for one in declared] == [one.accessor_name for one in found.values()]
    assert [one.namespace for one in given.submodules] == [one.accessor_path[-1] for one in module.submodules.values()]
    for mounted, inner in zip(given.submodules, module.submodules.values(), strict=True):
        as_declared(mounted.module, inner)


@pytest.mark.parametrize("version", [10, 9, 8])
def test_valid_definitions_validate(version: Any) -> None:
    for_all(testing.valid_definitions(version), holds)


@QUICK
@given(testing.valid_definitions(10))
def test_functions_and_submodules_stand_as_declared(drawn: raw.RawModuleDef) -> None:
    assert isinstance(drawn, raw.RawModuleDefV10)
    as_declared(drawn, validate(drawn))


def is_refused_or_accepted(given: raw.RawModuleDef) -> None:
    """Nothing but ValidationErrors is raised, and twice the same."""
    first, again = outcome(given), outcome(given)
    if isinstance(first, ValidationErrors):
        assert isinstance(again, ValidationErrors)
        assert first.errors
        assert [error.debug for error in first.errors] == [error.debug for error in again.errors]
        assert str(first) == str(again)
        assert first.to_json() == again.to_json()
    else:
        assert repr(first) == repr(again)  # a default may be NaN
        check_order(first)


ARBITRARY = strategies.values(shape_of(raw.RawModuleDef))


def test_nearly_valid_definitions_get_a_verdict() -> None:
    for_all(testing.nearly_valid_definitions(None), is_refused_or_accepted)


def test_arbitrary_definitions_get_a_verdict() -> None:
    for_all(ARBITRARY, is_refused_or_accepted)


@pytest.mark.slow
@pytest.mark.parametrize("version", [10, 9, 8])
def test_many_definitions_get_a_verdict(version: Any) -> None:
    for_all(testing.valid_definitions(version), holds, LONG)
    for_all(testing.nearly_valid_definitions(version), is_refused_or_accepted, LONG)


@pytest.mark.slow
def test_many_arbitrary_definitions_get_a_verdict() -> None:
    for_all(ARBITRARY, is_refused_or_accepted, LONG)


@cache
def small_cases() -> list[bytes]:
    return [data for case in reference() if len(data := bytes.fromhex(case["bytes"])) < 3000]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(small_cases())))
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255) | st.integers(0, 3))
    return bytes(data)


def decodes_to_a_verdict(data: bytes) -> None:
    try:
        given = raw.decode(data)
    except DecodeError:
        return
    started = time.perf_counter()
    is_refused_or_accepted(given)
    assert time.perf_counter() - started < 5


def test_damaged_bytes_that_decode_get_a_verdict() -> None:
    for_all(damaged(), decodes_to_a_verdict, settings(QUICK, max_examples=400))


@pytest.mark.slow
def test_many_damaged_bytes_get_a_verdict() -> None:
    for_all(damaged(), decodes_to_a_verdict, settings(LONG, max_examples=20_000))


# Strategies -------------------------------------------------------------------------------------------------


def sections_of(given: raw.RawModuleDefV10) -> Iterator[str]:
    for section in given.sections:
        content = getattr(section, next(iter(section.__dataclass_fields__)))
        if content and content != v10.ExplicitNames(()):
            yield type(section).__name__


@pytest.mark.slow
def test_valid_definitions_use_every_section_and_feature() -> None:
    seen: Counter[str] = Counter()

    def look(drawn: Any) -> None:
        seen.update(sections_of(drawn))
        module = validate(drawn)
        for level in module.modules():
            for table in level.tables.values():
                seen.update(type(one.algorithm).__name__ for one in table.indexes.values())
                flags = {
                    "schedule": table.schedule, "outbox": table.outbox, "event": table.is_event, "sequences": table.sequences,
                    "constraints": table.constraints, "defaults": any(one.default_bytes is not None for one in table.columns),
                }  # fmt: skip
                seen.update(name for name, found in flags.items() if found)
            seen.update("query" if view.is_query else "rows" for view in level.views.values())
            seen.update("view key" for view in level.views.values() if view.primary_key is not None)
        seen[str(drawn.case_conversion_policy)] += 1

    for_all(testing.valid_definitions(10), look, LONG)
    shape = shape_of(v10.RawModuleDefV10Section)
    assert isinstance(shape, Sum)
    sections = {one.__name__ for one in shape.members}
    features = {"BTree", "Hash", "Direct", "schedule", "outbox", "event", "sequences", "constraints", "defaults"}
    policies = {str(policy) for policy in v10.CaseConversionPolicy}
    wanted = sections | features | policies | {"query", "rows", "view key"}
    assert wanted <= {name for name, count in seen.items() if count > 20}


@pytest.mark.slow
def test_faults_bring_about_most_kinds_of_error() -> None:
    seen: Counter[str] = Counter()

    def look(drawn: Any) -> None:
        found = outcome(drawn)
        seen.update(error.kind for error in found.errors) if isinstance(found, ValidationErrors) else seen.update(["valid"])

    for_all(testing.nearly_valid_definitions(None), look, LONG)
    assert len(seen) > 25, seen
    assert seen["valid"] < sum(seen.values()) / 2, seen


# Bombs ------------------------------------------------------------------------------------------------------


def table(name: str, row: int, **parts: Any) -> v10.RawTableDefV10:
    fields: dict[str, Any] = {"primary_key": (), "indexes": (), "constraints": (), "sequences": (), "default_values": ()}
    return v10.RawTableDefV10(
        source_name=name, product_type_ref=row, table_type=TableType.User, table_access=TableAccess.Public, **fields | parts
    )


def module(entries: Sequence[t.AlgebraicType], tables: Sequence[v10.RawTableDefV10], *more: Any) -> raw.RawModuleDefV10:
    return raw.RawModuleDefV10((v10.TypespaceSection(t.Typespace(tuple(entries))), v10.TablesSection(tuple(tables)), *more))


def doubling(times: int) -> Sequence[t.AlgebraicType]:
    """Entry n is two of entry n + 1: written out, the first is exponential."""
    return [product(a=ref(place + 1), b=ref(place + 1)) for place in range(times)] + [t.U8]


def named(*refs: int) -> v10.TypesSection:
    return v10.TypesSection(tuple(v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), f"T{one}"), one, True) for one in refs))


def results(times: int) -> Sequence[t.AlgebraicType]:
    return [result(ref(place + 1), ref(place + 1)) for place in range(times)] + [t.U8]


def table_v8(entries: Sequence[t.AlgebraicType], row: int, *columns: t.AlgebraicType) -> raw.RawModuleDefV8:
    described = tuple(v8.RawColumnDefV8(f"c{place}", kind) for place, kind in enumerate(columns))
    one = v8.RawTableDefV8("tt", described, (), (), (), v8.StTableType.User, v8.StAccess.Public, None)
    return raw.RawModuleDefV8(t.Typespace(tuple(entries)), (v8.TableDesc(one, row),), (), ())


def deep(levels: int) -> t.AlgebraicType:
    kind: t.AlgebraicType = t.U8
    for _ in range(levels):
        kind = product(a=kind)
    return kind


CHAIN: Sequence[t.AlgebraicType] = [ref(place + 1) for place in range(100_000)] + [t.U8]
LOOP: Sequence[t.AlgebraicType] = [ref((place + 1) % 100_000) for place in range(100_000)]
DEFAULT = (v10.RawColumnDefaultValueV10(0, b"\0" * 64),)

BOMBS: dict[str, Callable[[], raw.RawModuleDef]] = {
    "alias chain": lambda: module([product(c=ref(1)), *(ref(at + 2) for at in range(100_000)), t.U8], [table("tt", 0)]),
    "alias chain with a default": lambda: module(
        [product(c=ref(1)), *(ref(at + 2) for at in range(100_000)), t.U8], [table("tt", 0, default_values=DEFAULT)]
    ),
    "alias loop": lambda: module([*LOOP, product(c=ref(0), d=ref(7))], [table("tt", 100_000)]),
    "alias chain in V8": lambda: table_v8([*CHAIN, product(c0=ref(0))], 100_001, ref(0)),
    "named alias chain": lambda: module(CHAIN, [], named(*range(0, 100_000, 100))),
    "doubling": lambda: module([*doubling(60), product(c=ref(0))], [table("tt", 61)]),
    "doubling, all named": lambda: module([*doubling(60), product(c=ref(0))], [table("tt", 61)], named(*range(60))),
    "doubling with a default": lambda: module(
        [*doubling(60), product(c=ref(0))], [table("tt", 61, default_values=DEFAULT)], named(*range(60))
    ),
    "doubling in V8": lambda: table_v8([*doubling(60), product(c0=ref(0))], 61, ref(0)),
    "doubling row in V8": lambda: table_v8(doubling(60), 0),
    "doubling that can be written out in V8": lambda: table_v8([*doubling(17), product(cx=ref(0))], 18, ref(0)),
    "doubling uses": lambda: module([*results(60), product(c=ref(0))], [table("tt", 61)]),
    "deep products": lambda: module([product(c=deep(100))], [table("tt", 0)]),
    "deep default": lambda: module([product(c=deep(100))], [table("tt", 0, default_values=DEFAULT)]),
    "deep V8": lambda: table_v8([product(c0=deep(100))], 0, deep(100)),
    "deep use": lambda: module([product(c=array(array(option(t.U8)))), deep(100)], [table("tt", 0)], named(1)),
    "unit array default": lambda: module(
        [product(c=array(product()))], [table("tt", 0, default_values=(v10.RawColumnDefaultValueV10(0, b"\xff" * 4),))]
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_quickly(name: str) -> None:
    given = BOMBS[name]()
    started = time.perf_counter()
    found = outcome(given)
    if isinstance(found, ValidationErrors):
        assert len(str(found)) < 1 << 22
    assert time.perf_counter() - started < 10


def test_nesting_of_submodules_gets_a_verdict() -> None:
    inner = raw.RawModuleDefV10()
    for _ in range(100):
        inner = raw.RawModuleDefV10((v10.SubmodulesSection((v10.RawSubmoduleV10("inner", inner),)),))
    assert len(list(validate(inner).modules())) == 101


def test_a_full_stack_is_no_obstacle() -> None:
    given = module([product(c=array(t.U8)), deep(100)], [table("tt", 0)], named(1))
    expected = outcome(given)

    def descend(left: int) -> Any:
        return descend(left - 1) if left else outcome(given)

    used = len(list(iter_frames()))
    found = descend(sys.getrecursionlimit() - used - 40)
    assert isinstance(found, ValidationErrors)
    assert isinstance(expected, ValidationErrors)
    assert found.errors == expected.errors


def iter_frames() -> Iterator[Any]:
    frame: Any = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def many_tables(count: int) -> raw.RawModuleDefV10:
    unique = (v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9((0,))),)

    def one(place: int) -> v10.RawTableDefV10:
        index = v10.RawIndexDefV10(f"i{place}", None, BTree((0,)))
        return table(f"t{place}", place, primary_key=(0,), indexes=(index,), constraints=unique)

    return module([product(id=t.U64, name=t.STRING)] * count, [one(place) for place in range(count)])


@pytest.mark.slow
def test_ten_thousand_tables_take_ten_times_as_long_as_a_thousand() -> None:
    def seconds(count: int) -> float:
        given = many_tables(count)
        started = time.perf_counter()
        assert len(validate(given).tables) == count
        return time.perf_counter() - started

    seconds(100)
    assert seconds(10_000) < 40 * seconds(1_000)
