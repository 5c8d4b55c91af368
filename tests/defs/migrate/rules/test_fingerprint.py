"""The fingerprint changes with everything that clients can see, and with nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from bsatn.annotations import array, option, product, ref, sum_
from bsatn.types import F32, I32, STRING, U8, U32, U64, AlgebraicType
from defs.migrate.fingerprint import fingerprint, surface
from defs.raw import v10
from defs.testing import valid_definitions
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from rule_cases import NONE, SNAKE, Fun, Raw, Tab, Vie, arena, module

GET, POST, ANY = v10.Method(v10.Get()), v10.Method(v10.Post()), v10.AnyMethod()
KIND = sum_(("red", U8), ("blue", ref(1)))
POINT = product(x=F32, y=F32)
BASE: dict[str, Any] = {
    "types": {"Kind": KIND, "Point": POINT, "Unused": product(a=U8)},
    "tables": {
        "seen": Tab({"id": U64, "kind": ref(0), "n": U32}, key=0, unique=[(2,)], indexes=[(1, 2)], accessor="by"),
        "hidden": Tab({"id": U64, "n": U32}, public=False),
    },
    "reducers": {"call": Fun({"at": ref(1), "n": U32}), "own": Fun({"n": U32}, public=False)},
    "procedures": {"ask": Fun({"n": U32}, ok=array(ref(0)))},
    "views": {"look": Vie("seen", {"n": U32}), "inner": Vie("hidden", public=False)},
    "routes": [("/a", GET), ("/b", POST)],
    "rules": ["SELECT * FROM seen", "SELECT * FROM hidden"],
}


def build(**changes: Any) -> Raw:
    return module(**{**BASE, **changes})


def tables(name: str, one: Tab) -> dict[str, Any]:
    return {"tables": {**BASE["tables"], name: one}}


def seen(columns: dict[str, AlgebraicType] | None = None, **changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"key": 0, "unique": [(2,)], "indexes": [(1, 2)], "accessor": "by"} | changes
    return tables("seen", Tab(columns or {"id": U64, "kind": ref(0), "n": U32}, **given))


def types(**changes: AlgebraicType) -> dict[str, Any]:
    return {"types": {**BASE["types"], **changes}}


def function(kind: str, name: str, one: Fun) -> dict[str, Any]:
    return {kind: {**BASE[kind], name: one}}


def views(name: str, one: Vie) -> dict[str, Any]:
    return {"views": {**BASE["views"], name: one}}


VISIBLE: dict[str, dict[str, Any]] = {
    "table renamed": {"tables": {"sean": BASE["tables"]["seen"]}, "views": {}},
    "table public": tables("hidden", Tab({"id": U64, "n": U32})),
    "table private": seen(public=False),
    "table added": tables("more", Tab({"id": U64})),
    "table of events": seen(event=True),
    "table accessor": {"names": [v10.TableName(v10.NameMapping("seen", "saw"))]},
    "column renamed": seen({"id": U64, "kind": ref(0), "m": U32}),
    "column type": seen({"id": U64, "kind": ref(0), "n": I32}),
    "columns moved": seen({"id": U64, "n": U32, "kind": ref(0)}, unique=[(1,)], indexes=[(2, 1)]),
    "column added": seen({"id": U64, "kind": ref(0), "n": U32, "o": U32}),
    "key gone": seen(key=None, unique=[(0,), (2,)]),
    "key moved": seen(key=2, unique=[(0,)]),
    "unique gone": seen(unique=[], indexes=[(1, 2), (2,)]),
    "index gone": seen(indexes=[]),
    "index columns": seen(indexes=[(2, 1)]),
    "index accessor": seen(accessor="of"),
    "variant renamed": types(Kind=sum_(("rot", U8), ("blue", ref(1)))),
    "variant added": types(Kind=sum_(("red", U8), ("blue", ref(1)), ("green", U8))),
    "variants moved": types(Kind=sum_(("blue", ref(1)), ("red", U8))),
    "payload": types(Kind=sum_(("red", U32), ("blue", ref(1)))),
    "field renamed": types(Point=product(x=F32, z=F32)),
    "field type": types(Point=product(x=F32, y=U32)),
    "type renamed": {"types": {"Sort": KIND, "Point": POINT, "Unused": product(a=U8)}},
    "reducer gone": {"reducers": {}},
    "reducer private": function("reducers", "call", Fun({"at": ref(1), "n": U32}, public=False)),
    "reducer public": function("reducers", "own", Fun({"n": U32})),
    "reducer of the start": {"lifecycle": "start", "reducers": {**BASE["reducers"], "start": Fun(), "call": Fun()}},
    "parameter renamed": function("reducers", "call", Fun({"at": ref(1), "m": U32})),
    "parameter type": function("reducers", "call", Fun({"at": ref(1), "n": I32})),
    "parameters moved": function("reducers", "call", Fun({"n": U32, "at": ref(1)})),
    "reducer name": {"names": [v10.FunctionName(v10.NameMapping("call", "shout"))]},
    "procedure gone": {"procedures": {}},
    "procedure result": function("procedures", "ask", Fun({"n": U32}, ok=ref(0))),
    "procedure parameter": function("procedures", "ask", Fun({"n": U64}, ok=array(ref(0)))),
    "view gone": {"views": {"inner": BASE["views"]["inner"]}},
    "view public": views("inner", Vie("hidden")),
    "view rows": views("look", Vie("hidden", {"n": U32})),
    "view parameter": views("look", Vie("seen", {"n": U64})),
    "view of one": views("look", Vie("seen", {"n": U32}, one=True)),
    "route gone": {"routes": [("/a", GET)]},
    "route method": {"routes": [("/a", ANY), ("/b", POST)]},
    "route path": {"routes": [("/a", GET), ("/c", POST)]},
    "rule gone": {"rules": ["SELECT * FROM seen"]},
    "submodule": {"submodules": {"more": module(reducers={"f": Fun()})}},
}
INVISIBLE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "numbers of types": {
        "first": [U8, STRING],
        "types": {"Kind": sum_(("red", U8), ("blue", ref(3))), "Point": POINT, "Unused": product(a=U8)},
        "tables": {
            "hidden": BASE["tables"]["hidden"],
            "seen": Tab({"id": U64, "kind": ref(2), "n": U32}, key=0, unique=[(2,)], indexes=[(1, 2)], accessor="by"),
        },
        "reducers": {"own": Fun({"n": U32}, public=False), "call": Fun({"at": ref(3), "n": U32})},
        "procedures": {"ask": Fun({"n": U32}, ok=array(ref(2)))},
    },
    "private column": tables("hidden", Tab({"id": U64, "m": STRING}, public=False)),
    "private table gone": {"tables": {"seen": BASE["tables"]["seen"]}, "views": {"look": BASE["views"]["look"]}},
    "private table added": tables("more", Tab({"id": U64}, public=False)),
    "private reducer": function("reducers", "own", Fun({"n": U64}, public=False)),
    "private view": views("inner", Vie("hidden", {"n": U8}, public=False)),
    "index algorithm": seen(hashed=True),
    "index name": {"names": [v10.IndexName(v10.NameMapping("seen_1_2_idx", "another"))]},
    "sequence": seen(auto=[0]),
    "default": seen(defaults={2: 7}),
    "view context": views("look", Vie("seen", {"n": U32}, anonymous=False)),
    "unused type": types(Unused=product(b=U8)),
    "order of rules": {"rules": ["SELECT * FROM hidden", "SELECT * FROM seen"]},
    "order of routes": {"routes": [("/b", POST), ("/a", GET)]},
    "environment": {"environment": [("KEY", v10.EnvString(), True)]},
    "empty submodule": {"submodules": {"more": module(reducers={"f": Fun(public=False)})}},
}


def of(raw: Raw) -> str:
    return fingerprint(validate(raw))


@pytest.mark.parametrize("edit", VISIBLE)
def test_visible(edit: str) -> None:
    assert of(build(**VISIBLE[edit])) != of(build())


@pytest.mark.parametrize("edit", INVISIBLE)
def test_invisible(edit: str) -> None:
    assert of(build(**INVISIBLE[edit])) == of(build())


def test_all_differ() -> None:
    """A reducer that is private is gone, to clients; everything else is a surface of its own."""
    found = {edit: of(build(**changes)) for edit, changes in VISIBLE.items()}
    assert found.pop("reducer private") == found["reducer gone"]
    assert len(set(found.values())) == len(found)


def test_source_names_are_seen() -> None:
    """Generated code is made of them, even where the canonical ones are the same."""
    column = [module(tables={"t": Tab({name: U8})}, policy=SNAKE) for name in ("my_name", "myName")]
    used = {"f": Fun({"a": ref(0)})}
    types = [{"P": product((name, U8))} for name in ("my_name", "myName")]
    field = [module(types=one, reducers=used, policy=SNAKE) for one in types]
    for one, other in (column, field):
        assert of(one) != of(other)
    assert of(module(reducers={"f": Fun()}, policy=SNAKE)) == of(module(reducers={"f": Fun()}, policy=NONE))


def test_references_are_not_seen() -> None:
    """An option by reference and one written out are the same, small or large."""
    for inner in (U8, product(*((f"f{n}", U32) for n in range(100)))):
        kinds: dict[str, AlgebraicType] = {"P": inner} if inner is not U8 else {}
        payload = ref(1) if kinds else U8
        written = module(first=[U8], types=kinds, reducers={"f": Fun({"a": option(payload)})})
        referred = module(first=[option(payload)], types=kinds, reducers={"f": Fun({"a": ref(0)})})
        assert of(written) == of(referred)


def test_large_types_are_compared() -> None:
    def wide(last: AlgebraicType) -> Raw:
        parts = [product(*((f"f{n}", option(U32)) for n in range(100)), ("last", last))]
        return module(types={"P": parts[0]}, reducers={"f": Fun({"a": ref(0)})})

    assert of(wide(U8)) == of(wide(U8)) != of(wide(STRING))


def test_real_modules() -> None:
    names = ("arena_v1", "arena_2_0", "arena_2_8", "arena_v2", "arena_v3", "arena_classic")
    found = {name: fingerprint(arena(name)) for name in names}
    assert found["arena_v1"] == found["arena_2_0"] == found["arena_2_8"]
    assert len(set(found.values())) == 4
    assert found["arena_v1"] == "7b0d656b30afc1b031683d0102f124d628e25d1f002a25978856f86cb576ac32"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(valid_definitions(None))
def test_random(raw: Any) -> None:
    """Plain data, the same each time."""
    shown = surface(validate(raw))
    assert json.loads(json.dumps(shown)) == shown
    assert fingerprint(validate(raw)) == of(raw)
