"""For each rule a pair of definitions that breaks it, and one that nearly does: as declarations, in as few words as they take.

Run as a program, it writes the golden files anew: which rule finds how much in which pair, and all that is found between the
real modules.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bsatn import types as t
from bsatn.annotations import array, option, product, ref, sum_
from bsatn.codec import Codec
from bsatn.types import (
    BOOL,
    BYTES,
    F32,
    I32,
    I64,
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    TIME_DURATION,
    TIMESTAMP,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    UNIT,
    AlgebraicType,
    ProductType,
    ProductTypeElement,
    Typespace,
)
from defs.loading import load
from defs.migrate.rules import RULES, RuleFinding, client_findings
from defs.raw import RawModuleDefV10, v10
from defs.raw.shared import (
    BTree,
    Hash,
    Lifecycle,
    RawRowLevelSecurityDefV9,
    RawUniqueConstraintDataV9,
    TableAccess,
    TableType,
)
from defs.schema.model import ModuleDef
from defs.validate import validate

HERE = Path(__file__).parent
MODULES = HERE.parents[3] / "vectors" / "modules"
NONE, SNAKE = v10.CaseConversionPolicy.None_, v10.CaseConversionPolicy.SnakeCase
_VISIBILITY = v10.FunctionVisibility


@dataclasses.dataclass(frozen=True)
class Tab:
    """A table: columns by name; keys, unique and indexed columns by position."""

    columns: Mapping[str, AlgebraicType]
    public: bool = True
    event: bool = False
    key: int | None = None
    unique: Sequence[tuple[int, ...]] = ()
    indexes: Sequence[tuple[int, ...]] = ()
    hashed: bool = False
    accessor: str | None = None
    auto: Sequence[int] = ()
    defaults: Mapping[int, Any] = dataclasses.field(default_factory=dict)
    schedule: str | None = None
    outbox: v10.RawOutboxDefV10 | None = None


@dataclasses.dataclass(frozen=True)
class Fun:
    """A reducer, or, with a result, a procedure."""

    params: Mapping[str, AlgebraicType] = dataclasses.field(default_factory=dict)
    public: bool = True
    ok: AlgebraicType = UNIT
    err: AlgebraicType = STRING


@dataclasses.dataclass(frozen=True)
class Vie:
    """A view of rows of a table."""

    of: str
    params: Mapping[str, AlgebraicType] = dataclasses.field(default_factory=dict)
    public: bool = True
    anonymous: bool = True
    one: bool = False


def _product(parts: Mapping[str, AlgebraicType]) -> ProductType:
    return ProductType(tuple(ProductTypeElement(name, kind) for name, kind in parts.items()))


def _table(name: str, one: Tab, row: int, typespace: Typespace) -> v10.RawTableDefV10:
    uniques = [*([(one.key,)] if one.key is not None else []), *one.unique]
    algorithm: Callable[[tuple[int, ...]], Any] = Hash if one.hashed else BTree
    kinds = list(one.columns.values())
    return v10.RawTableDefV10(
        source_name=name,
        product_type_ref=row,
        primary_key=() if one.key is None else (one.key,),
        indexes=tuple(
            v10.RawIndexDefV10(f"{name}_{'_'.join(map(str, columns))}_idx", one.accessor, algorithm(columns))
            for columns in dict.fromkeys([*uniques, *one.indexes])
        ),
        constraints=tuple(v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(columns)) for columns in uniques),
        sequences=tuple(v10.RawSequenceDefV10(None, column, None, None, None, 1) for column in one.auto),
        table_type=TableType.User,
        table_access=TableAccess.Public if one.public else TableAccess.Private,
        default_values=tuple(
            v10.RawColumnDefaultValueV10(at, Codec[Any](kinds[at], typespace).encode(value))
            for at, value in one.defaults.items()
        ),
        is_event=one.event,
    )


def module(
    *,
    types: Mapping[str, AlgebraicType] | None = None,
    tables: Mapping[str, Tab] | None = None,
    reducers: Mapping[str, Fun] | None = None,
    procedures: Mapping[str, Fun] | None = None,
    views: Mapping[str, Vie] | None = None,
    lifecycle: str | None = None,
    routes: Iterable[tuple[str, Any]] = (),
    rules: Iterable[str] = (),
    environment: Iterable[tuple[str, Any, bool]] = (),
    policy: v10.CaseConversionPolicy = NONE,
    names: Iterable[Any] = (),
    submodules: Mapping[str, RawModuleDefV10] | None = None,
    first: Sequence[AlgebraicType] = (),
) -> RawModuleDefV10:
    """A definition. Named types are the first entries of the typespace, after `first`, then come the tables' rows."""
    types, tables, views = types or {}, tables or {}, views or {}
    entries = [*first, *types.values(), *(_product(one.columns) for one in tables.values())]
    start = len(first) + len(types)
    typespace = Typespace(tuple(entries))
    rows = {name: start + place for place, name in enumerate(tables)}
    named = {**{name: len(first) + place for place, name in enumerate(types)}, **{f"Row{n}": at for n, at in rows.items()}}
    visibility = {True: _VISIBILITY.ClientCallable, False: _VISIBILITY.Private}
    sections: list[Any] = [
        v10.CaseConversionPolicySection(policy),
        v10.TypespaceSection(typespace),
        v10.TypesSection(
            tuple(v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), name), index, True) for name, index in named.items())
        ),
        v10.TablesSection(tuple(_table(name, one, rows[name], typespace) for name, one in tables.items())),
        v10.ReducersSection(
            tuple(
                v10.RawReducerDefV10(name, _product(one.params), visibility[one.public], one.ok, one.err)
                for name, one in (reducers or {}).items()
            )
        ),
        v10.ProceduresSection(
            tuple(
                v10.RawProcedureDefV10(name, _product(one.params), one.ok, visibility[one.public])
                for name, one in (procedures or {}).items()
            )
        ),
        v10.ViewsSection(
            tuple(
                v10.RawViewDefV10(
                    name,
                    place,
                    one.public,
                    one.anonymous,
                    _product(one.params),
                    (option if one.one else array)(ref(rows[one.of])),
                )
                for place, (name, one) in enumerate(views.items())
            )
        ),
        v10.SchedulesSection(
            tuple(
                v10.RawScheduleDefV10(None, name, list(one.columns.values()).index(SCHEDULE_AT), one.schedule)
                for name, one in tables.items()
                if one.schedule
            )
        ),
        v10.OutboxesSection(tuple(one.outbox for one in tables.values() if one.outbox)),
        v10.LifeCycleReducersSection((v10.RawLifeCycleReducerDefV10(Lifecycle.Init, lifecycle),) if lifecycle else ()),
        v10.HttpHandlersSection((v10.RawHttpHandlerDefV10("handler"),)),
        v10.HttpRoutesSection(tuple(v10.RawHttpRouteDefV10("handler", method, path) for path, method in routes)),
        v10.RowLevelSecuritySection(tuple(map(RawRowLevelSecurityDefV9, rules))),
        v10.EnvironmentSection(tuple(v10.RawEnvironmentDeclarationV10(*one) for one in environment)),
        v10.ExplicitNamesSection(v10.ExplicitNames(tuple(names))),
        v10.SubmodulesSection(tuple(v10.RawSubmoduleV10(name, inner) for name, inner in (submodules or {}).items())),
    ]
    return RawModuleDefV10(tuple(sections))


Raw = RawModuleDefV10
Pairs = dict[str, tuple[Raw, Raw]]


def reducer(**params: AlgebraicType) -> Raw:
    """One reducer of these parameters."""
    return module(reducers={"f": Fun(params)})


def procedure(result: AlgebraicType = UNIT, **params: AlgebraicType) -> Raw:
    """One procedure."""
    return module(procedures={"f": Fun(params, ok=result)})


def table(columns: Mapping[str, AlgebraicType] | None = None, **rest: Any) -> Raw:
    """One table."""
    return module(tables={"t": Tab(columns or {"id": U64, "name": STRING}, **rest)})


def view(columns: Mapping[str, AlgebraicType] | None = None, **rest: Any) -> Raw:
    """One view, of a private table."""
    return module(tables={"t": Tab(columns or {"id": U64}, public=False)}, views={"v": Vie("t", **rest)})


def enum(*variants: str, **others: Any) -> Raw:
    """An enum, and what uses it."""
    kind = sum_(*((name, others.get("payload", UNIT)) for name in variants))
    used: dict[str, dict[str, Any]] = {"arg": {"reducers": {"f": Fun({"kind": ref(0)})}}}
    used["result"] = {"procedures": {"f": Fun(ok=ref(0))}}
    used["row"] = {"tables": {"t": Tab({"id": U8, "kind": ref(0)})}}
    used["event"] = {"tables": {"t": Tab({"id": U8, "kind": ref(0)}, event=True)}}
    used["private"] = {"tables": {"t": Tab({"id": U8, "kind": ref(0)}, public=False)}}
    return module(types={"Kind": kind}, **used[others["use"]])


EMPTY = module()
GET, ANY = v10.Method(v10.Get()), v10.AnyMethod()
POINT, SPOT = {"x": F32, "y": F32}, {"a": F32, "y": F32}
OUTBOX = v10.RawOutboxDefV10("t", "remote", 1, (2,), None, 7)
OUT_COLUMNS = {"id": U64, "target": IDENTITY, "n": U32}


def outbox(**changes: Any) -> Raw:
    """One outbox."""
    return table(OUT_COLUMNS, key=0, outbox=dataclasses.replace(OUTBOX, **changes))


def pinned(name: str, kind: Any = v10.TableName) -> Any:
    """A canonical name for `t`, or for another name."""
    return kind(v10.NameMapping("t" if kind is v10.TableName else "f", name))


#: What breaks the rule, and what does not although it looks like it; further pairs have a word after the rule's id.
FIRES: Pairs = {
    "REDUCER_NO_REMOVE": (reducer(), EMPTY),
    "REDUCER_STAYS_CALLABLE": (reducer(), module(reducers={"f": Fun(public=False)})),
    "REDUCER_STAYS_CALLABLE lifecycle": (reducer(), module(reducers={"f": Fun()}, lifecycle="f")),
    "REDUCER_SAME_PARAMS": (reducer(a=U32), reducer(a=I32)),
    "REDUCER_SAME_PARAMS swapped": (reducer(a=U32, b=U32), reducer(b=U32, a=U32)),
    "REDUCER_SAME_PARAMS appended": (reducer(a=U32), reducer(a=U32, b=U8)),
    "REDUCER_SAME_PARAMS dropped": (reducer(a=U32, b=U8), reducer(a=U32)),
    "REDUCER_SAME_PARAMS text": (reducer(a=STRING), reducer(a=BYTES)),
    "REDUCER_SAME_PARAMS float": (reducer(a=F32), reducer(a=U32)),
    "REDUCER_SAME_PARAMS special": (reducer(a=TIMESTAMP), reducer(a=TIME_DURATION)),
    "REDUCER_PARAM_NAMES_SAME": (reducer(a=U32, b=U8), reducer(a=U32, c=U8)),
    "PROCEDURE_NO_REMOVE": (procedure(), EMPTY),
    "PROCEDURE_STAYS_CALLABLE": (procedure(), module(procedures={"f": Fun(public=False)})),
    "PROCEDURE_SAME_PARAMS": (procedure(a=U16, b=U64), procedure(a=U64, b=U16)),
    "PROCEDURE_PARAM_NAMES_SAME": (procedure(a=U16), procedure(b=U16)),
    "PROCEDURE_SAME_RETURN": (procedure(U64), procedure(I64)),
    "TABLE_NO_REMOVE": (table(), EMPTY),
    "VIEW_NO_REMOVE": (view(), module(tables={"t": Tab({"id": U64}, public=False)})),
    "RELATION_STAYS_PUBLIC": (table(), table(public=False)),
    "RELATION_STAYS_PUBLIC view": (view(), view(public=False)),
    "TABLE_NOT_ADDED_TO_ALL": (EMPTY, table()),
    "PRIMARY_KEY_SAME": (table(key=0), table()),
    "PRIMARY_KEY_SAME moved": (table(key=0), table(key=1)),
    "PRIMARY_KEY_NOT_ADDED": (table(), table(key=0)),
    "UNIQUE_NO_REMOVE": (table(unique=[(1,)]), table(indexes=[(1,)])),
    "INDEX_NO_REMOVE": (table(indexes=[(1,)]), table()),
    "VIEW_SAME_PARAMS": (view(params={"a": U32}), view(params={"a": U64})),
    "VIEW_SAME_CONTEXT": (view(anonymous=True), view(anonymous=False)),
    "ROW_SAME_COLUMNS": (table({"a": U32, "b": U32}), table({"b": U32, "a": U32})),
    "ROW_SAME_COLUMNS event": (table({"a": U32, "b": U32}, event=True), table({"b": U32}, event=True)),
    "ROW_SAME_COLUMNS view": (view({"a": U32}), view({"a": I32})),
    "ROW_NO_NEW_COLUMNS": (table({"a": U32}), table({"a": U32, "b": U32}, defaults={1: 0})),
    "ROW_NO_NEW_COLUMNS text": (table({"a": STRING}), table({"a": STRING, "b": U8}, defaults={1: 0})),
    "ENUM_TAGS_SAME": (enum("a", "b", use="arg"), enum("b", "a", use="arg")),
    "ENUM_TAGS_SAME removed": (enum("a", "b", use="arg"), enum("a", use="arg")),
    "ENUM_TAGS_SAME event": (enum("a", "b", use="event"), enum("a", "c", "b", use="event")),
    "ENUM_TAGS_SAME payload": (enum("a", "b", use="result", payload=U8), enum("b", "a", use="result", payload=U8)),
    "ENUM_NO_NEW_VARIANT_SENT": (enum("a", use="row"), enum("a", "b", use="row")),
    "ENUM_NO_NEW_VARIANT_SENT result": (enum("a", use="result"), enum("a", "b", use="result")),
    "CANONICAL_NAME_SAME": (table(), module(tables={"t": Tab({"id": U64, "name": STRING})}, names=[pinned("u")])),
    "CANONICAL_NAME_SAME policy": (
        module(reducers={"sayHello": Fun()}),
        module(reducers={"sayHello": Fun()}, policy=SNAKE),
    ),
    "COLUMN_NAME_SAME": (table({"a": U32}, event=True), table({"b": U32}, event=True)),
    "MEMBER_NAMES_SAME": (
        module(types={"P": _product(POINT)}, reducers={"f": Fun({"at": ref(0)})}),
        module(types={"P": _product(SPOT)}, reducers={"f": Fun({"at": ref(0)})}),
    ),
    "MEMBER_NAMES_SAME variant": (enum("a", "b", use="arg"), enum("a", "c", use="arg")),
    "MEMBER_NAMES_SAME grouped": (
        module(types={"P": _product(POINT)}, reducers={"f": Fun({"at": ref(0)})}),
        reducer(x=F32, y=F32),
    ),
    "ACCESSOR_NAME_SAME": (
        module(tables={"t": Tab({"id": U64})}),
        module(tables={"u": Tab({"id": U64})}, names=[v10.TableName(v10.NameMapping("u", "t"))]),
    ),
    "ACCESSOR_NAME_SAME index": (table(indexes=[(0,)], accessor="by_id"), table(indexes=[(0,)], accessor="find")),
    "TYPE_NAME_SAME": (
        module(types={"P": _product(POINT)}, reducers={"f": Fun({"at": ref(0)})}),
        module(types={"Q": _product(POINT)}, reducers={"f": Fun({"at": ref(0)})}),
    ),
    "VIEW_SAME_KIND": (view(one=True), view(one=False)),
    "HTTP_ROUTE_NO_REMOVE": (module(routes=[("/a", GET)]), module(routes=[("/b", GET)])),
    "HTTP_ROUTE_NO_REMOVE method": (module(routes=[("/a", ANY)]), module(routes=[("/a", GET)])),
    "RLS_SAME": (module(rules=["SELECT * FROM t"]), EMPTY),
    "ENVIRONMENT_NOT_STRICTER": (EMPTY, module(environment=[("KEY", v10.EnvString(), False)])),
    "ENVIRONMENT_NOT_STRICTER union": (
        module(environment=[("KEY", v10.EnvString(), True)]),
        module(environment=[("KEY", v10.EnvUnion(("a", "b")), True)]),
    ),
    "OUTBOX_SAME_CALL": (outbox(), outbox(signature_hash=8)),
    "COLUMN_ADDED_HAS_DEFAULT": (table({"a": U32}, public=False), table({"a": U32, "b": U32}, public=False)),
    "COLUMN_NO_REMOVE": (table({"a": U32, "b": U8}, public=False), table({"a": U32}, public=False)),
    "COLUMN_ORDER_SAME": (table({"a": U32, "b": U8}, public=False), table({"b": U8, "a": U32}, public=False)),
    "COLUMN_SAME_TYPE": (table({"a": U128}, public=False), table({"a": U64}, public=False)),
    "COLUMN_SAME_TYPE bool": (table({"a": BOOL}, public=False), table({"a": U8}, public=False)),
    "EVENT_FLAG_SAME": (table(), table(event=True)),
    "SEQUENCE_NO_REMOVE": (table(auto=[0]), table()),
    "ENUM_VARIANTS_APPEND_ONLY": (enum("a", "b", use="private"), enum("b", "a", use="private")),
}
TREE = {"Tree": sum_(("leaf", U32), ("node", array(ref(0))))}
NEAR: Pairs = {
    "REDUCER_NO_REMOVE": (module(reducers={"f": Fun(public=False)}), EMPTY),
    "REDUCER_STAYS_CALLABLE": (module(reducers={"f": Fun(public=False)}), reducer()),
    "REDUCER_SAME_PARAMS": (
        module(types=TREE, reducers={"f": Fun({"a": ref(0)})}),
        module(first=[U8], types={"Tree": sum_(("leaf", U32), ("node", array(ref(1))))}, reducers={"f": Fun({"a": ref(1)})}),
    ),
    "REDUCER_SAME_PARAMS private": (
        module(reducers={"f": Fun({"a": U32}, public=False)}),
        module(reducers={"f": Fun({"a": I32}, public=False)}),
    ),
    "REDUCER_PARAM_NAMES_SAME": (
        reducer(myName=U32),
        module(reducers={"f": Fun({"myName": U32})}, policy=SNAKE),
    ),
    "PROCEDURE_NO_REMOVE": (module(procedures={"f": Fun(public=False)}), EMPTY),
    "PROCEDURE_STAYS_CALLABLE": (module(procedures={"f": Fun(public=False)}), procedure()),
    "PROCEDURE_SAME_PARAMS": (procedure(a=option(U32)), procedure(a=sum_(("some", U32), ("none", UNIT)))),
    "PROCEDURE_PARAM_NAMES_SAME": (procedure(a=U16), procedure(a=U16)),
    "PROCEDURE_SAME_RETURN": (procedure(IDENTITY), procedure(product(("__identity__", U256)))),
    "TABLE_NO_REMOVE": (table(public=False), EMPTY),
    "TABLE_NO_REMOVE view": (
        module(tables={"v": Tab({"id": U64})}),
        module(tables={"t": Tab({"id": U64}, public=False)}, views={"v": Vie("t")}),
    ),
    "VIEW_NO_REMOVE": (view(public=False), table({"id": U64}, public=False)),
    "RELATION_STAYS_PUBLIC": (table(public=False), table()),
    "TABLE_NOT_ADDED_TO_ALL": (EMPTY, table(public=False)),
    "PRIMARY_KEY_SAME": (table(key=0), table(unique=[(0,)])),
    "PRIMARY_KEY_SAME event": (table(key=0, event=True), table(event=True)),
    "PRIMARY_KEY_NOT_ADDED": (table(event=True), table(event=True, key=0)),
    "UNIQUE_NO_REMOVE": (table(unique=[(0, 1)], indexes=[(1,)]), table(unique=[(1,)], indexes=[(0, 1)])),
    "INDEX_NO_REMOVE": (table(indexes=[(1,)]), table(indexes=[(1,)], hashed=True)),
    "VIEW_SAME_PARAMS": (view(params={"a": U32}, public=False), view(params={"a": U64}, public=False)),
    "VIEW_SAME_CONTEXT": (view(anonymous=True, public=False), view(anonymous=False, public=False)),
    "ROW_SAME_COLUMNS": (table({"a": U32, "b": U32}, public=False), table({"b": U32, "a": U32}, public=False)),
    "ROW_NO_NEW_COLUMNS": (
        table({"a": U32}, public=False),
        table({"a": U32, "b": U32}, public=False, defaults={1: 0}),
    ),
    "ENUM_TAGS_SAME": (enum("a", "b", use="arg"), enum("a", "b", "c", use="arg")),
    "ENUM_NO_NEW_VARIANT_SENT": (enum("a", use="private"), enum("a", "b", use="private")),
    "CANONICAL_NAME_SAME": (table(public=False), module(tables={"t": Tab({"id": U64}, public=False)}, names=[pinned("u")])),
    "COLUMN_NAME_SAME": (
        module(tables={"t": Tab({"myName": U32}, event=True)}),
        module(tables={"t": Tab({"myName": U32}, event=True)}, policy=SNAKE),
    ),
    "MEMBER_NAMES_SAME": (
        module(types={"P": _product(POINT)}, tables={"t": Tab({"at": ref(0)}, public=False)}),
        module(types={"P": _product(SPOT)}, tables={"t": Tab({"at": ref(0)}, public=False)}),
    ),
    "ACCESSOR_NAME_SAME": (
        module(tables={"t": Tab({"id": U64}, public=False)}),
        module(tables={"u": Tab({"id": U64}, public=False)}, names=[v10.TableName(v10.NameMapping("u", "t"))]),
    ),
    "TYPE_NAME_SAME": (module(types={"P": _product(POINT)}), module(types={"Q": _product(POINT)})),
    "VIEW_SAME_KIND": (view(one=True, public=False), view(one=False, public=False)),
    "HTTP_ROUTE_NO_REMOVE": (module(routes=[("/a", GET)]), module(routes=[("/a", ANY)])),
    "RLS_SAME": (module(rules=["SELECT * FROM t", "SELECT * FROM u"]), module(rules=["SELECT * FROM u", "SELECT * FROM t"])),
    "ENVIRONMENT_NOT_STRICTER": (EMPTY, module(environment=[("KEY", v10.EnvString(), True)])),
    "ENVIRONMENT_NOT_STRICTER union": (
        module(environment=[("KEY", v10.EnvUnion(("a", "b")), True)]),
        module(environment=[("KEY", v10.EnvUnion(("b", "c", "a")), True)]),
    ),
    "OUTBOX_SAME_CALL": (
        outbox(),
        module(
            tables={"t": Tab(OUT_COLUMNS, key=0, outbox=dataclasses.replace(OUTBOX, on_result_reducer="told"))},
            reducers={"told": Fun({"key": ref(0), "outcome": t.result_type(UNIT, STRING)}, public=False)},
        ),
    ),
    "COLUMN_ADDED_HAS_DEFAULT": (
        table({"a": U32}, public=False),
        table({"a": U32, "b": U32}, public=False, defaults={1: 5}),
    ),
    "COLUMN_NO_REMOVE": (table({"a": U32, "b": U8}, public=False, event=True), table({"a": U32}, public=False, event=True)),
    "COLUMN_ORDER_SAME": (table({"a": U32}, public=False), table({"a": U32, "b": U8}, public=False, defaults={1: 0})),
    "COLUMN_SAME_TYPE": (enum("a", use="private"), enum("a", "b", use="private")),
    "EVENT_FLAG_SAME": (table(event=True), table(event=True)),
    "SEQUENCE_NO_REMOVE": (table(), table(auto=[0])),
    "ENUM_VARIANTS_APPEND_ONLY": (enum("a", "b", use="private"), enum("a", "b", "c", use="private")),
}
NEAR["ACCESSOR_NAME_SAME view"] = (
    module(tables={"t": Tab({"id": U64}, public=False)}, views={"v": Vie("t", {"a": U8})}),
    module(tables={"v": Tab({"id": U64})}),
)
#: A rule that no newer server has.
OLDER = {"COLUMN_NO_ADD": "1.3.0"}
ARENA = [("arena_v1", "arena_v2"), ("arena_v1", "arena_v3"), ("arena_classic", "arena_v1"), ("arena_v2", "arena_v1")]


def rule_of(case: str) -> str:
    """The rule that a case is of."""
    return case.split(" ")[0]


def arena(name: str) -> ModuleDef:
    """A real module."""
    return load(MODULES / f"{name}.wasm").validate()


def shown(found: RuleFinding) -> dict[str, Any]:
    """A finding as plain data."""
    return {"rule": found.rule.id, **dataclasses.asdict(found.hit)}


def matrix() -> dict[str, dict[str, int]]:
    """How many findings each rule has in each pair; rules that have none are left out."""
    rows: dict[str, dict[str, int]] = {}
    for word, cases in (("fires", FIRES), ("near", NEAR)):
        for case, (old, new) in cases.items():
            found = [one.rule.id for one in client_findings(validate(old), validate(new))]
            rows[f"{case}: {word}"] = {rule: found.count(rule) for rule in RULES if rule in found}
    return rows


def arenas() -> dict[str, list[dict[str, Any]]]:
    """All that is found between the real modules."""
    pairs = {f"{old} to {new}": (arena(old), arena(new)) for old, new in ARENA}
    return {name: [shown(one) for one in client_findings(*pair)] for name, pair in pairs.items()}


def witnesses() -> dict[str, Any]:
    """The first finding of the rule in each pair that breaks it."""
    found = {case: client_findings(validate(old), validate(new)) for case, (old, new) in FIRES.items()}
    return {case: shown(next(one for one in all_ if one.rule.id == rule_of(case))) for case, all_ in found.items()}


GOLDEN: dict[str, Callable[[], Any]] = {"matrix": matrix, "arenas": arenas, "witnesses": witnesses}

if __name__ == "__main__":
    for name, make in GOLDEN.items():
        (HERE / f"{name}.json").write_text(json.dumps(make(), indent=1, ensure_ascii=False) + "\n", "utf-8")
