"""Every rule over every pair: what breaks it is found, what nearly does is not, and what is shown is what our codec reads."""

from __future__ import annotations

import json
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bsatn import types as t
from bsatn.annotations import array, option, product, ref, result, sum_
from bsatn.codec import Codec
from bsatn.satsjson import dumps
from bsatn.types import I32, STRING, U8, U32, UNIT, AlgebraicType
from defs.migrate import UnknownRelease
from defs.migrate.checking import check
from defs.migrate.fingerprint import fingerprint
from defs.migrate.releases import NEWEST
from defs.migrate.reports.model import Side
from defs.migrate.rules import RULES, RuleFinding, UnknownRule, client_findings, explain
from defs.migrate.verdict import server_verdict
from defs.schema.model import ModuleDef
from defs.testing import valid_definitions
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from rule_cases import (
    ARENA,
    FIRES,
    GOLDEN,
    HERE,
    NEAR,
    OLDER,
    Fun,
    Raw,
    Tab,
    arena,
    module,
    reducer,
    rule_of,
    table,
)

DOCS = Path(__file__).parents[4] / "docs"
ALL = {f"{case}: fires": pair for case, pair in FIRES.items()} | {f"{case}: near": pair for case, pair in NEAR.items()}
#: Rules about what only the root module has, or has in another way.
OF_THE_ROOT = {"HTTP_ROUTE_NO_REMOVE", "RLS_SAME", "ENVIRONMENT_NOT_STRICTER"}


def found(old: Raw, new: Raw, release: str = "2.14.0") -> tuple[RuleFinding, ...]:
    return client_findings(validate(old), validate(new), release=release)


def ids(findings: tuple[RuleFinding, ...]) -> list[str]:
    return [one.rule.id for one in findings]


def test_every_rule_has_both_cases() -> None:
    for cases in (FIRES, NEAR):
        assert {rule_of(case) for case in cases} | set(OLDER) == set(RULES)


@pytest.mark.parametrize("case", FIRES)
def test_fires(case: str) -> None:
    assert rule_of(case) in ids(found(*FIRES[case]))


@pytest.mark.parametrize("case", NEAR)
def test_near_miss(case: str) -> None:
    assert rule_of(case) not in ids(found(*NEAR[case]))


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    """`python tests/defs/migrate/rules/rule_cases.py` writes them anew."""
    assert json.loads(json.dumps(GOLDEN[name]())) == json.loads((HERE / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("case", ALL)
def test_nothing_changed(case: str) -> None:
    for raw in ALL[case]:
        assert client_findings(validate(raw), validate(raw)) == ()


@pytest.mark.parametrize("name", sorted({name for pair in ARENA for name in pair} | {"arena_2_0", "arena_2_8"}))
def test_real_modules_unchanged(name: str) -> None:
    assert client_findings(arena(name), arena(name)) == ()


def test_layouts_of_one_module() -> None:
    """The same source built with other bindings breaks nothing."""
    for name in ("arena_2_0", "arena_2_8"):
        assert client_findings(arena(name), arena("arena_v1")) == client_findings(arena("arena_v1"), arena(name)) == ()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(valid_definitions(None))
def test_random_unchanged(raw: Any) -> None:
    assert client_findings(validate(raw), validate(raw)) == ()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(valid_definitions(None), valid_definitions(None))
def test_random_pairs(old: Any, new: Any) -> None:
    """Whatever the pair: findings in a fixed order, with places, texts and bytes that fit."""
    findings = client_findings(validate(old), validate(new))
    assert findings == client_findings(validate(old), validate(new))
    for one in findings:
        assert one.hit.path_old or one.hit.path_new
        assert one.hit.element
        assert one.hit.message
        if one.hit.witness:
            bytes.fromhex(one.hit.witness.bytes)
            assert one.hit.silent == one.hit.witness.silent


@pytest.mark.parametrize("case", [case for case in FIRES if rule_of(case) not in OF_THE_ROOT])
def test_in_a_submodule(case: str) -> None:
    """What breaks a promise in the root breaks it in a mounted module, whose name is before its own."""
    if case.endswith((" lifecycle", " policy")) or case in ("OUTBOX_SAME_CALL", "CANONICAL_NAME_SAME"):
        pytest.skip("of the root alone")
    old, new = (module(submodules={"inner": raw}) for raw in FIRES[case])
    inside = found(old, new)
    outside = found(*FIRES[case])
    assert ids(inside) == ids(outside)
    assert [one.hit.message.replace("inner.", "") for one in inside] == [one.hit.message for one in outside]
    for one in inside:
        assert all(path[0] == "inner" for path in (one.hit.path_old, one.hit.path_new) if path)
        assert " inner." in one.hit.element


def test_namespaces_are_names() -> None:
    """A table that moved into a mounted module is another one."""
    inside = module(submodules={"inner": table(), "other": table(key=0)})
    assert found(inside, inside) == ()
    assert ids(found(table(), inside)) == ["TABLE_NO_REMOVE", "TABLE_NOT_ADDED_TO_ALL", "TABLE_NOT_ADDED_TO_ALL"]


def test_rows_back_to_back() -> None:
    """The first of two longer rows is read as two."""
    (one,) = found(*FIRES["ROW_NO_NEW_COLUMNS"])
    assert one.hit.witness is not None
    assert one.hit.witness.value == '[{"a":1,"b":2},{"a":3,"b":4}]'
    assert one.hit.witness.bytes == "01000000020000000300000004000000"
    assert one.hit.witness.read_as == '[{"a":1},{"a":2}]'
    assert one.hit.silent


# Witnesses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [case for case in FIRES if rule_of(case) == "REDUCER_SAME_PARAMS"])
def test_witness_of_arguments(case: str) -> None:
    """The other engine reads the same of the bytes."""
    old, new = (validate(raw) for raw in FIRES[case])
    (one,) = client_findings(old, new)
    witness = one.hit.witness
    assert witness is not None
    codecs = [Codec[Any](side.reducers["f"].params, side.typespace, engine="construct") for side in (old, new)]
    data = bytes.fromhex(witness.bytes)
    assert dumps(codecs[0].shape, codecs[0].decode(data)) == witness.value
    if witness.silent:
        assert dumps(codecs[1].shape, codecs[1].decode(data, trailing="allow")) == witness.read_as != witness.value
    else:
        with pytest.raises(Exception, match="data too short"):
            codecs[1].decode(data, trailing="allow")


@pytest.mark.parametrize(
    ("old", "new"),
    [(U32, I32), (t.F32, U32), (STRING, t.BYTES), (t.U128, t.U64), (t.I64, t.TIMESTAMP), (t.IDENTITY, t.U256), (U8, t.BOOL)],
)
def test_widths(old: AlgebraicType, new: AlgebraicType) -> None:
    """Bytes that are read without an error and mean something else are told; those that mean the same are not."""
    findings = found(reducer(a=old), reducer(a=new))
    same = t.special_name(old) or t.special_name(new)
    assert ids(findings) == (["MEMBER_NAMES_SAME"] if same else ["REDUCER_SAME_PARAMS"])
    assert findings[0].hit.silent == (not same)


def test_silent_first() -> None:
    old = module(reducers={"a": Fun({"x": U32}), "b": Fun({"x": U32}), "c": Fun()})
    new = module(reducers={"a": Fun({"x": U32, "y": U8}), "b": Fun({"x": I32})})
    findings = found(old, new)
    assert [(one.rule.id, one.hit.element) for one in findings] == [
        ("REDUCER_SAME_PARAMS", "reducer b"),
        ("REDUCER_NO_REMOVE", "reducer c"),
        ("REDUCER_SAME_PARAMS", "reducer a"),
    ]


def test_what_has_no_value() -> None:
    """Nobody can send what does not exist."""
    assert found(reducer(a=t.NEVER), reducer(a=U8)) == ()
    endless = {"Endless": product(next=ref(0))}
    old, new = (module(types=endless, reducers={"f": Fun({"a": kind})}) for kind in (ref(0), U8))
    assert found(old, new) == ()


def test_recursive_types() -> None:
    def tree(leaf: AlgebraicType, first: int = 0) -> Raw:
        inner = {"Inner": product(children=array(ref(first + 1)))}
        outer = {"Tree": sum_(("leaf", leaf), ("node", ref(first)))}
        functions = {"f": Fun({"a": ref(first + 1)}), "g": Fun({"a": ref(first)})}
        return module(first=[U8] * first, types={**inner, **outer}, reducers=functions)

    assert found(tree(U32), tree(U32, 3)) == ()
    findings = found(tree(U32), tree(STRING, 3))
    assert [one.hit.element for one in findings] == ["reducer f", "reducer g"]
    assert all(one.hit.witness for one in findings)


NESTED: dict[str, Callable[[AlgebraicType], AlgebraicType]] = {
    "products": lambda inner: product(a=inner),
    "arrays": lambda inner: product(a=array(inner)),
    "options": option,
    "variants": lambda inner: sum_(("a", U8), ("b", inner)),
    "widening": lambda inner: product(a=inner, b=U8),
}


def nested(leaf: AlgebraicType, wrap: Callable[[AlgebraicType], AlgebraicType], levels: int) -> ModuleDef:
    """A type within a type, many times over, wherever one can be used; no server stores what is 500 levels deep."""
    types = {**{f"T{n}": wrap(ref(n + 1)) for n in range(levels)}, f"T{levels}": product(x=leaf)}
    tables = {"t": Tab({"id": U8, "a": ref(0)}), "e": Tab({"a": ref(0)}, event=True)} if levels <= 60 else {}
    function = Fun({"a": ref(0)}, ok=ref(0))
    return validate(module(types=types, tables=tables, reducers={"f": Fun(function.params)}, procedures={"g": function}))


@pytest.mark.parametrize("levels", [60, 500])
@pytest.mark.parametrize("nesting", NESTED)
def test_deep_types(nesting: str, levels: int) -> None:
    """All that a check does ends, and soon."""
    old, same, other = (nested(leaf, NESTED[nesting], levels) for leaf in (U32, U32, I32))
    start = time.process_time()
    assert fingerprint(old) == fingerprint(same) != fingerprint(other)
    assert client_findings(old, same) == ()
    rules = {one.rule.id for one in client_findings(old, other)}
    functions = {"REDUCER_SAME_PARAMS", "PROCEDURE_SAME_PARAMS", "PROCEDURE_SAME_RETURN"}
    assert rules == functions | ({"ROW_SAME_COLUMNS", "COLUMN_SAME_TYPE"} if old.tables else set())
    assert server_verdict(old, same, release=NEWEST)[0].verdict == "auto"
    assert server_verdict(old, other, release=NEWEST)[0].verdict == ("manual" if old.tables else "auto")
    assert time.process_time() - start < 30


def test_what_is_too_deep_is_not_compatible() -> None:
    """The planner writes types of columns out, and stops at a bound of its own."""
    types = {**{f"T{n}": product(a=ref(n + 1)) for n in range(400)}, "T400": product(x=U32)}
    deep = validate(module(types=types, tables={"t": Tab({"a": ref(0)})}))
    one = Side("deep.wasm", 10, "10i", deep)
    found = check([one], one)
    assert found.status == 3
    [(source, failure)] = found.comparisons[0].failures
    assert (source, failure.kind) == ("deep.wasm", "LimitExceeded")
    assert "a type nests too deep" in failure.message
    assert "tables.t.columns.a" in failure.message


def rings(leaf: AlgebraicType, size: int) -> Raw:
    """Types of which each leads to the next, and the last to the first; each has a way out."""
    types = {f"T{n}": sum_(("end", leaf), ("on", array(ref((n + 1) % size))), ("back", option(ref(0)))) for n in range(size)}
    return module(types=types, reducers={f"f{n}": Fun({"a": ref(n)}) for n in range(0, size, 50)})


@pytest.mark.parametrize("size", [1, 2, 3, 200])
def test_types_that_contain_one_another(size: int) -> None:
    old, same, other = (validate(rings(leaf, size)) for leaf in (U32, U32, I32))
    start = time.process_time()
    assert client_findings(old, same) == ()
    found = client_findings(old, other)
    assert [one.rule.id for one in found] == ["REDUCER_SAME_PARAMS"] * len(old.reducers)
    assert all(one.hit.silent for one in found)
    assert fingerprint(old) == fingerprint(same) != fingerprint(other)
    assert time.process_time() - start < 30


def test_rings_of_different_length() -> None:
    """What is unrolled differently is the same bytes."""
    old, new = (module(types=ring(size), reducers={"f": Fun({"a": ref(0)})}) for size in (2, 3))
    assert ids(found(old, new)) == []


def ring(size: int) -> dict[str, AlgebraicType]:
    return {f"T{n}": product(next=option(ref((n + 1) % size)), x=U8) for n in range(size)}


def test_shared_parts_cost_once() -> None:
    """A type that would be astronomically large written out."""

    def wide(last: AlgebraicType) -> Raw:
        types = {f"T{n}": product(a=ref(n + 1), b=ref(n + 1)) for n in range(60)}
        return module(types={**types, "T60": product(a=last)}, reducers={"f": Fun({"a": ref(0)})})

    start = time.monotonic()
    assert found(wide(U32), wide(U32)) == ()
    (one,) = found(wide(U32), wide(I32))
    assert one.rule.id == "REDUCER_SAME_PARAMS"
    assert one.hit.witness is None
    assert time.monotonic() - start < 30


def test_regrouped_results() -> None:
    """Options and results are told apart by what is in them, not by how it is written."""
    same = (result(UNIT, STRING), sum_(("ok", UNIT), ("err", STRING)))
    old, new = (reducer(a=kind) for kind in same)
    assert found(old, new) == ()


@pytest.mark.slow
def test_linear_time() -> None:
    def tables(count: int, kind: AlgebraicType) -> Raw:
        return module(tables={f"t{n}": Tab({"id": U32, "x": kind, "y": U8}, key=0) for n in range(count)})

    taken = []
    for count in (2_500, 10_000):
        old, same, other = (validate(tables(count, kind)) for kind in (U32, U32, I32))
        start = time.process_time()
        assert client_findings(old, same) == ()
        middle = time.process_time()
        assert len(client_findings(old, other)) == 2 * count
        taken.append((middle - start, time.process_time() - middle))
    for small, large in zip(*taken, strict=True):
        assert large < 8 * small + 1


# Releases, texts --------------------------------------------------------------------------------------------


def test_releases() -> None:
    old, new = table({"a": U32}, public=False), table({"a": U32, "b": U32}, public=False, defaults={1: 5})
    assert ids(found(old, new, "1.3.0")) == ["COLUMN_NO_ADD"]
    assert ids(found(old, new, "1.4.0")) == []
    assert ids(found(*FIRES["COLUMN_ADDED_HAS_DEFAULT"], "1.3.0")) == ["COLUMN_NO_ADD"]
    assert "EVENT_FLAG_SAME" not in ids(found(*FIRES["EVENT_FLAG_SAME"], "1.12.0"))
    for release in ("2.15.0", "0.9.0", "new"):
        with pytest.raises(UnknownRelease):
            found(old, new, release)


@pytest.mark.parametrize("rule", RULES)
def test_explain(rule: str) -> None:
    text = explain(rule.lower())
    declared = RULES[rule]
    assert text.startswith(f"{rule}: {declared.title}\n")
    assert declared.why in text
    assert declared.fix in text
    assert not declared.title.endswith(".")
    for sentence in (declared.why, declared.fix):
        assert sentence.endswith(".")
        assert sentence[0].isupper()


def test_explain_unknown() -> None:
    with pytest.raises(UnknownRule, match="did you mean REDUCER_SAME_PARAMS"):
        explain("REDUCR_SAME_PARMS")
    for hostile in ("", "x" * 10_000, "\x00\n"):
        with pytest.raises(UnknownRule) as raised:
            explain(hostile)
        assert len(str(raised.value)) < 300


def test_page_is_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "generate_rules.py"))
    assert made["page"]() == (DOCS / "rules.md").read_text("utf-8"), "run: python docs/generate_rules.py"
