"""The rules one by one, as tables: a definition that breaks one, and the errors it must get. After upstream's unit tests.

`Draft` is a module in words short enough for a table; `as_v10` and `as_v9` write it down. An expected error is the error
itself, or its kind where its fields say nothing more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pytest

from bsatn import types as t
from bsatn.annotations import array, option, product, ref, result, sum_
from defs import raw
from defs.raw import v8, v9, v10
from defs.raw.shared import (
    BTree,
    Direct,
    Hash,
    Lifecycle,
    RawIndexAlgorithm,
    RawUniqueConstraintDataV9,
    TableAccess,
    TableType,
)
from defs.schema import ModuleDef
from defs.schema.model import ScopedTypeName
from defs.validate import ValidationErrors, validate
from defs.validate import errors as e
from defs.validate import reasons as r

Expected: TypeAlias = e.ValidationError | str


@dataclass(frozen=True)
class Table:
    """A table; `sequences` are columns, `schedule` is a function and a column, the rest is as in the raw definition."""

    name: str = "Bananas"
    row: int = 0
    key: tuple[int, ...] = ()
    indexes: tuple[RawIndexAlgorithm, ...] = ()
    uniques: tuple[tuple[int, ...], ...] = ()
    sequences: tuple[tuple[str | None, int], ...] = ()
    schedule: tuple[str, int] | None = None
    defaults: tuple[tuple[int, bytes], ...] = ()
    event: bool = False


@dataclass(frozen=True)
class Draft:
    """A module. Types are (name, entry, custom ordering), functions (name, parameters), lifecycles (event, function)."""

    entries: tuple[t.AlgebraicType, ...] = ()
    tables: tuple[Table, ...] = ()
    types: tuple[tuple[str, int, bool], ...] = ()
    reducers: tuple[tuple[str, t.ProductType], ...] = ()
    procedures: tuple[tuple[str, t.ProductType], ...] = ()
    lifecycles: tuple[tuple[Lifecycle, str], ...] = ()
    sections: tuple[Any, ...] = ()


USER: dict[str, Any] = {"table_type": TableType.User, "table_access": TableAccess.Public}
CALLABLE = v10.FunctionVisibility.ClientCallable
NO_PARAMS = product()


def as_v10(draft: Draft) -> raw.RawModuleDefV10:
    scoped = [(name.split("::"), entry, custom) for name, entry, custom in draft.types]
    tables = [
        v10.RawTableDefV10(
            source_name=one.name,
            product_type_ref=one.row,
            primary_key=one.key,
            indexes=tuple(v10.RawIndexDefV10(f"{one.name}{n}", None, index) for n, index in enumerate(one.indexes)),
            constraints=tuple(v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(cols)) for cols in one.uniques),
            sequences=tuple(v10.RawSequenceDefV10(name, col, None, None, None, 1) for name, col in one.sequences),
            default_values=tuple(v10.RawColumnDefaultValueV10(col, value) for col, value in one.defaults),
            is_event=one.event,
            **USER,
        )
        for one in draft.tables
    ]
    return raw.RawModuleDefV10(
        (
            v10.TypespaceSection(t.Typespace(draft.entries)),
            v10.TypesSection(
                tuple(
                    v10.RawTypeDefV10(v10.RawScopedTypeNameV10(tuple(scope), last), entry, custom)
                    for (*scope, last), entry, custom in scoped
                )
            ),
            v10.TablesSection(tuple(tables)),
            v10.ReducersSection(
                tuple(v10.RawReducerDefV10(name, params, CALLABLE, t.UNIT, t.STRING) for name, params in draft.reducers)
            ),
            v10.ProceduresSection(
                tuple(v10.RawProcedureDefV10(name, params, t.UNIT, CALLABLE) for name, params in draft.procedures)
            ),
            v10.SchedulesSection(
                tuple(v10.RawScheduleDefV10(None, one.name, one.schedule[1], one.schedule[0])
                      for one in draft.tables if one.schedule)
            ),
            v10.LifeCycleReducersSection(tuple(v10.RawLifeCycleReducerDefV10(*one) for one in draft.lifecycles)),
            *draft.sections,
        )
    )  # fmt: skip


def as_v9(draft: Draft) -> raw.RawModuleDefV9:
    events = {name: event for event, name in draft.lifecycles}
    scoped = [(name.split("::"), entry, custom) for name, entry, custom in draft.types]
    tables = [
        v9.RawTableDefV9(
            name=one.name,
            product_type_ref=one.row,
            primary_key=one.key,
            indexes=tuple(v9.RawIndexDefV9(None, None, index) for index in one.indexes),
            constraints=tuple(v9.RawConstraintDefV9(None, RawUniqueConstraintDataV9(cols)) for cols in one.uniques),
            sequences=tuple(v9.RawSequenceDefV9(name, col, None, None, None, 1) for name, col in one.sequences),
            schedule=None if one.schedule is None else v9.RawScheduleDefV9(None, *one.schedule),
            **USER,
        )
        for one in draft.tables
    ]
    return raw.RawModuleDefV9(
        typespace=t.Typespace(draft.entries),
        tables=tuple(tables),
        reducers=tuple(v9.RawReducerDefV9(name, params, events.get(name)) for name, params in draft.reducers),
        types=tuple(
            v9.RawTypeDefV9(v9.RawScopedTypeNameV9(tuple(scope), last), entry, custom)
            for (*scope, last), entry, custom in scoped
        ),
        misc_exports=(
            *(v9.RawProcedureDefV9(name, params, t.UNIT) for name, params in draft.procedures),
            *(v9.RawColumnDefaultValueV9(one.name, col, value) for one in draft.tables for col, value in one.defaults),
        ),
        row_level_security=(),
    )


def check(definition: raw.RawModuleDef, expected: Sequence[Expected]) -> None:
    try:
        validate(definition)
        found: tuple[e.ValidationError, ...] = ()
    except ValidationErrors as errors:
        found = errors.errors
    said = [error.debug for error in found]
    kinds = Counter(one if isinstance(one, str) else one.kind for one in expected)
    assert Counter(error.kind for error in found) == kinds, said
    for one in expected:
        assert isinstance(one, str) or one in found, (one.debug, said)


# What V10 and V9 share: names differ by conversion only -----------------------------------------------------

ROW = product(b=t.U16, a=t.U64, s=t.STRING, i=t.I32)
TIMES = product(id=t.U64, at=t.SCHEDULE_AT)
DELIVERIES = Table("Deliveries", key=(0,), indexes=(BTree((0,)),), uniques=((0,),), schedule=("check", 1))


def bananas(**parts: Any) -> Draft:
    return Draft((ROW,), (Table(**parts),))


def codegen(error: r.CodegenError) -> Expected:
    return e.ClientCodegenError(r.InTypespace(0), error)


def functions(**kinds: Any) -> Draft:
    named: dict[str, Any] = {kind: tuple((name, NO_PARAMS) for name in names.split()) for kind, names in kinds.items()}
    return Draft(**named)


TWICE = (("scope1::scope2::Duplicate", 0, True), ("scope1::scope2::Duplicate", 0, True))
BAD_USE = array(product(bar=t.U8))

#: Name, module, and the errors as a function of the spelling of canonical names ("snake" in V10, verbatim in V9).
SHARED: list[tuple[str, Draft, Callable[[str, Callable[[str], str]], list[Expected]]]] = [
    ("valid", bananas(key=(0,), indexes=(BTree((0,)),), uniques=((0,),), sequences=((None, 0),)), lambda t_, n: []),
    ("row type out of range", bananas(row=1337), lambda t_, n: [e.InvalidProductTypeRef("Bananas", 1337)]),
    ("row type is no product", Draft((t.U8,), (Table(),)), lambda t_, n: [e.InvalidProductTypeRef("Bananas", 0)]),
    (
        "columns not in order",
        Draft((ROW,), (Table(),), (("Bananas", 0, False),)),
        lambda t_, n: ["TypeHasIncorrectOrdering"],
    ),
    ("empty table name", bananas(name=""), lambda t_, n: [e.IdentifierError(r.Empty())]),
    (
        "empty column name",
        Draft((t.ProductType((t.ProductTypeElement("", t.U8),)),), (Table(),)),
        lambda t_, n: [e.IdentifierError(r.Empty())],
    ),
    (
        "unnamed column",
        Draft((t.ProductType((t.ProductTypeElement(None, t.U8),)),), (Table(),)),
        lambda t_, n: [e.UnnamedColumn(e.ColumnName("Bananas", "0"))],
    ),
    (
        "index column missing",
        bananas(indexes=(BTree((0, 55)),)),
        lambda t_, n: [e.ColumnNotFound("Bananas", f"{t_}_b_col_55_idx_btree", 55)],
    ),
    (
        "unique column missing",
        bananas(uniques=((55,),)),
        lambda t_, n: [e.ColumnNotFound("Bananas", f"{t_}_col_55_key", 55)],
    ),
    (
        "sequence column missing",
        bananas(sequences=((None, 55),)),
        lambda t_, n: [e.ColumnNotFound("Bananas", f"{t_}_col_55_seq", 55)],
    ),
    (
        "sequence of strings",
        bananas(sequences=((None, 2),)),
        lambda t_, n: [e.InvalidSequenceColumnType(f"{t_}_s_seq", e.ColumnName("Bananas", "s"), t.STRING)],
    ),
    (
        "two sequences on a column",
        bananas(sequences=((None, 0), ("second", 0))),
        lambda t_, n: [e.OneAutoInc(e.ColumnName("Bananas", "b"))],
    ),
    (
        "index column twice",
        bananas(indexes=(BTree((0, 0)),)),
        lambda t_, n: [e.DuplicateColumns(f"{t_}_b_b_idx_btree", (0, 0))],
    ),
    (
        "unique column twice",
        bananas(uniques=((1, 1),)),
        lambda t_, n: [e.DuplicateColumns(f"{t_}_a_a_key", (1, 1))],
    ),
    ("recursion", Draft((product(a=option(ref(0))),), (), (("T", 0, True),)), lambda t_, n: []),
    (
        "ref out of range",
        Draft((product(foo=ref(1337)),), (), (("T", 0, True),)),
        lambda t_, n: [codegen(r.TypeRefError(r.InvalidTypeRef(1337)))],
    ),
    (
        "not for code generation",
        Draft((product(foo=BAD_USE),), (), (("T", 0, True),)),
        lambda t_, n: [codegen(r.NonSpecialTypeNotAUse(product(bar=t.U8)))],
    ),
    (
        "alias of itself",
        Draft((product(foo=ref(1)), ref(1)), (), (("T", 0, True),)),
        lambda t_, n: [codegen(r.TypeRefError(r.RecursiveTypeRef(1)))],
    ),
    ("named entry out of range", Draft((), (), (("T", 3, True),)), lambda t_, n: ["InvalidTypeRef"]),
    ("hash index", bananas(indexes=(Hash((0, 1)),)), lambda t_, n: []),
    ("direct index", bananas(indexes=(Direct(0), Direct(1))), lambda t_, n: []),
    (
        "direct index on I32",
        bananas(indexes=(Direct(3),)),
        lambda t_, n: [e.DirectIndexOnBadType(f"{t_}_i_idx_direct", "i", t.I32)],
    ),
    (
        "unique without index",
        bananas(uniques=((0,),), indexes=(BTree((0, 1)),)),
        lambda t_, n: [e.UniqueConstraintWithoutIndex(f"{t_}_b_key", (0,))],
    ),
    ("unique with permuted index", bananas(uniques=((0, 1),), indexes=(BTree((1, 0)),)), lambda t_, n: []),
    ("key column missing", bananas(key=(44,)), lambda t_, n: [e.ColumnNotFound("Bananas", "Bananas", 44)]),
    ("key of two columns", bananas(key=(0, 1)), lambda t_, n: [e.RepeatedPrimaryKey("Bananas")]),
    (
        "key not unique",
        bananas(key=(0,), indexes=(BTree((0,)),)),
        lambda t_, n: [e.MissingPrimaryKeyUniqueConstraint(e.ColumnName("Bananas", "b"))],
    ),
    ("reserved table name", bananas(name="st_mine"), lambda t_, n: [e.TableNameReserved("st_mine")]),
    ("table twice", Draft((ROW,), (Table("tt"), Table("tt"))), lambda t_, n: [e.DuplicateName("tt")]),
    (
        "type twice",
        Draft((product(),), (), TWICE),
        lambda t_, n: [e.DuplicateTypeName(ScopedTypeName((n("scope1"), n("scope2")), "Duplicate"))],
    ),
    (
        "lifecycle twice",
        replace(functions(reducers="f g"), lifecycles=((Lifecycle.Init, "f"), (Lifecycle.Init, "g"))),
        lambda t_, n: [e.DuplicateLifecycle(Lifecycle.Init)],
    ),
    ("reducer twice", functions(reducers="foo foo"), lambda t_, n: [e.DuplicateFunctionName("foo")]),
    ("procedure twice", functions(procedures="foo foo"), lambda t_, n: [e.DuplicateFunctionName("foo")]),
    ("reducer and procedure", functions(reducers="foo", procedures="foo"), lambda t_, n: [e.DuplicateFunctionName("foo")]),
    (
        "nameless parameter",
        Draft(reducers=(("f", t.ProductType((t.ProductTypeElement(None, t.U8),))),)),
        lambda t_, n: [e.ClientCodegenError(r.ReducerArg("f", 0, None), r.NamelessReducerParam())],
    ),
    (
        "scheduled function missing",
        Draft((TIMES,), (DELIVERIES,), (("T", 0, True),)),
        lambda t_, n: [e.MissingScheduledFunction("deliveries_sched" if t_ == "bananas" else "Deliveries_sched", "check")],
    ),
    (
        "scheduled function with other parameters",
        Draft((TIMES,), (DELIVERIES,), (("T", 0, True),), (("check", product(a=t.U64)),)),
        lambda t_, n: ["IncorrectScheduledFunctionParams"],
    ),
    (
        "scheduled procedure",
        Draft((TIMES,), (DELIVERIES,), (("T", 0, True),), (), (("check", product(row=ref(0))),)),
        lambda t_, n: [],
    ),
    (
        "schedule at no time",
        Draft((TIMES,), (replace(DELIVERIES, schedule=("check", 0)),), (("T", 0, True),), (("check", product(row=ref(0))),)),
        lambda t_, n: ["ScheduledIncorrectColumns"],
    ),
    ("default", bananas(defaults=((0, b"\1\2"),)), lambda t_, n: []),
    ("default with bytes left over", bananas(defaults=((0, b"\1\2\3"),)), lambda t_, n: []),
    ("two bad defaults", bananas(defaults=((0, b"\1"), (1, b""))), lambda t_, n: ["ColumnDefaultValueMalformed"] * 2),
    ("default of no column", bananas(defaults=((9, b""),)), lambda t_, n: [e.ColumnNotFound("Bananas", "Bananas", 9)]),
]


@pytest.mark.parametrize(("draft", "errors"), [case[1:] for case in SHARED], ids=[case[0] for case in SHARED])
@pytest.mark.parametrize("version", [10, 9])
def test_rules_of_v10_and_v9(draft: Draft, errors: Any, version: int) -> None:
    if version == 10:
        check(as_v10(draft), errors("bananas", str.capitalize))
    else:
        check(as_v9(draft), errors("Bananas", str))


def test_two_defaults_for_a_column_count_in_v9_only() -> None:
    twice = bananas(defaults=((0, b"\1\0"), (0, b"\2\0")))
    assert validate(as_v10(twice)).tables["bananas"].columns[0].default_value == 2
    check(as_v9(twice), [e.MultipleColumnDefaultValues("Bananas", 0)])


# What only V10 has ------------------------------------------------------------------------------------------


def view(name: str, returned: t.AlgebraicType, params: t.ProductType = NO_PARAMS) -> v10.RawViewDefV10:
    return v10.RawViewDefV10(name, 0, True, True, params, returned)


def views(*ones: v10.RawViewDefV10, keys: Sequence[tuple[str, str]] = ()) -> Draft:
    keyed = tuple(v10.RawViewPrimaryKeyDefV10(name, tuple(columns.split())) for name, columns in keys)
    return Draft((ROW,), (), (("Row", 0, True),), sections=(v10.ViewsSection(ones), v10.ViewPrimaryKeysSection(keyed)))


def http(*routes: tuple[str, str, v10.MethodOrAny], handlers: str = "handle") -> Draft:
    return Draft(
        sections=(
            v10.HttpHandlersSection(tuple(map(v10.RawHttpHandlerDefV10, handlers.split()))),
            v10.HttpRoutesSection(tuple(v10.RawHttpRouteDefV10(name, method, path) for name, path, method in routes)),
        )
    )


GET, ANY = v10.Method(v10.Get()), v10.AnyMethod()
BAD_PATHS = (
    "a", "a/b", "/A", "/a b", "/a?b", "/a#b", "/a%20", "/a.b", "/a+b", "/a:b", "/a*", "/{a}", "/é", "/a\\b", "/a|b", "/a\"b",
    "/a'b", "/a=b", "/a&b", "/a@b", "/a!b", "/a$b", "/a,b", "/a;b", "/a\n",
)  # fmt: skip

OUTBOX_ROW = product(id=t.U64, to=t.IDENTITY, text=t.STRING)
OUTBOX_TABLE = Table("Outgoing", key=(0,), indexes=(BTree((0,)),), uniques=((0,),))
OUTCOME = result(t.UNIT, t.STRING)


def outbox(table: Table = OUTBOX_TABLE, params: t.ProductType | None = None, more: Sequence[Any] = (), **parts: Any) -> Draft:
    fields = {
        "table_name": "Outgoing", "remote_reducer": "lib.receive", "target_column": 1, "arg_columns": (2,),
        "on_result_reducer": "done", "signature_hash": 7, **parts,
    }  # fmt: skip
    done = product(any_name=ref(0), another=OUTCOME) if params is None else params
    boxes = (v10.RawOutboxDefV10(**fields),)
    return Draft(
        (OUTBOX_ROW, OUTCOME, product(id=t.U32, to=t.IDENTITY)), (table,), (("Row", 0, True),), (("done", done),),
        sections=(v10.OutboxesSection(boxes * (2 if more else 1)),),
    )  # fmt: skip


def mounted(*inner: tuple[str, Draft], reducers: str = "", **outer: Any) -> Draft:
    modules = tuple(v10.RawSubmoduleV10(name, as_v10(draft)) for name, draft in inner)
    drafted = functions(reducers=reducers)
    return replace(drafted, sections=(v10.SubmodulesSection(modules), *outer.get("sections", ())), **{
        name: value for name, value in outer.items() if name != "sections"
    })  # fmt: skip


def pinned(kind: Any, source: str, canonical: str) -> v10.ExplicitNamesSection:
    return v10.ExplicitNamesSection(v10.ExplicitNames((kind(v10.NameMapping(source, canonical)),)))


def env(*names: str, ty: v10.RawEnvVarTypeV10 | None = None) -> v10.EnvironmentSection:
    return v10.EnvironmentSection(tuple(v10.RawEnvironmentDeclarationV10(name, ty or v10.EnvString(), False) for name in names))


EMPTY = Draft()
INIT = replace(functions(reducers="f"), lifecycles=((Lifecycle.Init, "f"),))

V10_ONLY: list[tuple[str, Draft, Sequence[Expected]]] = [
    ("lifecycle of no reducer", Draft(lifecycles=((Lifecycle.Init, "f"),)), [e.LifecycleWithoutReducer(Lifecycle.Init)]),
    (
        "reducer of two events",
        replace(functions(reducers="f"), lifecycles=((Lifecycle.Init, "f"), (Lifecycle.OnConnect, "f"))),
        [e.DuplicateLifecycle(Lifecycle.OnConnect)],
    ),
    ("handler twice", http(handlers="h h"), [e.DuplicateHttpHandlerName("h")]),
    ("route twice", http(("handle", "/a", GET), ("handle", "/a", GET)), [e.DuplicateHttpRoute("/a", GET)]),
    ("route and any", http(("handle", "/a", ANY), ("handle", "/a", GET)), [e.DuplicateHttpRoute("/a", GET)]),
    ("any and route", http(("handle", "/a", GET), ("handle", "/a", ANY)), [e.DuplicateHttpRoute("/a", ANY)]),
    ("routes apart", http(("handle", "/a", GET), ("handle", "/a", v10.Method(v10.Put())), ("handle", "", ANY)), []),
    ("route to no handler", http(("nobody", "/a", GET)), [e.MissingHttpHandler("nobody")]),
    *((f"path {path!r}", http(("handle", path, GET)), [e.InvalidHttpRoutePath(path)]) for path in BAD_PATHS),
    ("handler named as reducer", replace(http(handlers="f"), reducers=(("f", NO_PARAMS),)), []),
    ("view", views(view("v", array(ref(0)))), []),
    ("view of no rows", views(view("v", t.U8)), [e.InvalidViewReturnType("v", t.U8)]),
    ("view of a missing type", views(view("v", option(ref(9)))), [e.InvalidProductTypeRef("v", 9)]),
    ("view twice", views(view("v", array(ref(0))), view("v", array(ref(0)))), [e.DuplicateName("v")]),
    ("view with float", views(view("v", array(ref(0)), product(f=t.F32))), [e.ViewFloatParam("v", "f")]),
    ("view with nested float", views(view("v", array(ref(0)), product(f=array(t.F32)))), []),
    ("view key", views(view("v", array(ref(0))), keys=[("v", "b")]), []),
    ("view key of no column", views(view("v", array(ref(0))), keys=[("v", "z")]), [e.ViewPrimaryKeyColumnNotFound("v", "z")]),
    ("view key of no view", views(keys=[("v", "b")]), [e.ViewPrimaryKeyViewNotFound("v")]),
    ("view key twice", views(view("v", array(ref(0))), keys=[("v", "b"), ("v", "b")]), [e.RepeatedViewPrimaryKey("v")]),
    (
        "view key of two columns",
        views(view("v", array(ref(0))), keys=[("v", "a b")]),
        [e.MultipleViewPrimaryKeyColumns("v", ("a", "b"))],
    ),
    (
        "view key with parameters",
        views(view("v", array(ref(0)), product(p=t.U8)), keys=[("v", "b")]),
        [e.ViewPrimaryKeyWithParams("v")],
    ),
    ("outbox", outbox(), []),
    ("outbox with referenced outcome", outbox(params=product(a=ref(0), b=ref(1))), []),
    ("outbox of no table", outbox(table_name="nothing"), [e.MissingOutboxTable("nothing")]),
    ("outbox by canonical name", outbox(table_name="outgoing"), [e.MissingOutboxTable("outgoing")]),
    ("outbox twice", outbox(more=(1,)), [e.DuplicateOutbox("outgoing")]),
    ("outbox of events", outbox(replace(OUTBOX_TABLE, event=True)), [e.OutboxEventTable("outgoing")]),
    ("outbox without key", outbox(Table("Outgoing")), [e.OutboxMissingPrimaryKey("outgoing")]),
    ("outbox with small key", outbox(replace(OUTBOX_TABLE, row=2)), ["OutboxInvalidPrimaryKey"]),
    ("outbox to a string", outbox(target_column=2), [e.OutboxTargetColumnMissing("outgoing")]),
    ("outbox to its key", outbox(target_column=0), [e.OutboxTargetColumnMissing("outgoing")]),
    ("outbox argument missing", outbox(arg_columns=(0, 0, 9)), [e.OutboxArgumentColumnNotFound("outgoing", 9)]),
    ("outbox callback missing", outbox(on_result_reducer="no"), [e.MissingOutboxOnResult("outgoing", "no")]),
    *(
        (f"outbox callback {name}", outbox(on_result_reducer=name), [e.OutboxOnResultMustBeLocal("outgoing", name)])
        for name in ("child.done", "child::done")
    ),
    *(
        (f"outbox callback takes {params}", outbox(params=params), ["IncorrectOutboxOnResultParams"])
        for params in (
            NO_PARAMS, product(a=ref(0)), product(a=OUTCOME, b=ref(0)), product(a=ref(0), b=result(t.STRING, t.UNIT)),
            product(a=ref(0), b=result(t.UNIT, t.U8)), product(a=ref(0), b=OUTCOME, c=t.U8), product(a=t.U8, b=OUTCOME),
            product(a=ref(0), b=option(t.STRING)),
        )
    ),
    (
        "outbox callback's parameters are told as written",
        outbox(params=product(BIG=t.U8)),
        [
            e.IncorrectOutboxOnResultParams(
                "outgoing", "done", t.ProductType(tuple(t.ProductTypeElement(None, kind) for kind in (ref(0), OUTCOME))),
                product(BIG=t.U8),
            )
        ],
    ),
    ("outbox to no name", outbox(remote_reducer="a..b"), [e.IdentifierError(r.Empty())]),
    ("submodule", mounted(("child", functions(reducers="f"))), []),
    ("submodule twice", mounted(("child", EMPTY), ("child", EMPTY)), [e.DuplicateName("child")]),
    ("submodules that become one", mounted(("myChild", EMPTY), ("my_child", EMPTY)), [e.DuplicateName("my_child")]),
    ("submodule without name", mounted(("", EMPTY)), [e.IdentifierError(r.Empty())]),
    ("namespace of 63 bytes", mounted(("n" * 63, EMPTY)), []),
    ("namespace of 64 bytes", mounted(("n" * 64, EMPTY)), [e.NamespaceTooLong("n" * 64, 64)]),
    (
        "given namespace is no identifier",
        mounted(("child", EMPTY), sections=(pinned(v10.NamespaceName, "child", "a.b"),)),
        ["IdentifierError"],
    ),
    ("errors of a submodule", mounted(("child", functions(reducers="f f"))), [e.DuplicateFunctionName("f")]),
    ("lifecycle in the root", replace(INIT, sections=mounted(("child", EMPTY)).sections), []),
    ("lifecycle in a submodule", mounted(("child", INIT)), [e.LifecycleInSubmodule(Lifecycle.Init, "child")]),
    (
        "lifecycle two levels down",
        mounted(("outer", mounted(("inner", INIT)))),
        [e.LifecycleInSubmodule(Lifecycle.Init, "inner")],
    ),
    ("reducer as namespace", mounted(("c", EMPTY), reducers="c"), [e.NamespaceNameConflict("reducer", "c", "c")]),
    (
        "table as namespace",
        mounted(("child", EMPTY), entries=(ROW,), tables=(Table("child"),)),
        [e.NamespaceNameConflict("table", "child", "child")],
    ),
    ("only canonical names meet", mounted(("myChild", EMPTY), reducers="my_child"), []),
    ("conflict below", mounted(("o", mounted(("c", EMPTY), reducers="c"))), [e.NamespaceNameConflict("reducer", "c", "c")]),
    ("environment", Draft(sections=(env("KEY", "_k"),)), []),
    ("environment below", mounted(("child", Draft(sections=(env("KEY"),)))), [e.EnvironmentInSubmodule("child")]),
    ("empty environment below", mounted(("child", Draft(sections=(env(),)))), []),
    ("variable twice", Draft(sections=(env("K", "K"),)), [e.Environment(r.DuplicateDeclaration("K"))]),
    *((f"variable {name[:9]!r}", Draft(sections=(env(name),)), [e.Environment(r.InvalidName())])
      for name in ("", "9", "é", "a-b", "a\n", "x" * 257)),
    ("too many variables", Draft(sections=(env(*(f"k{n}" for n in range(257))),)), [e.Environment(r.TooManyDeclarations())]),
    ("empty union", Draft(sections=(env("K", ty=v10.EnvUnion(())),)), [e.Environment(r.EmptyUnion("K"))]),
    (
        "long union",
        Draft(sections=(env("K", ty=v10.EnvUnion(("",) * 257)),)),
        [e.Environment(r.TooManyUnionEntries("K"))],
    ),
    (
        "long literal",
        Draft(sections=(env("K", ty=v10.EnvStringLiteral("x" * 8193)),)),
        [e.Environment(r.LiteralTooLarge("K"))],
    ),
    (
        "large environment",
        Draft(sections=(env(*(f"k{n}" for n in range(2)), ty=v10.EnvUnion(("x" * 8192,) * 200)),)),
        [e.Environment(r.SchemaTooLarge("k1"))],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("draft", "errors"), [case[1:] for case in V10_ONLY], ids=[case[0] for case in V10_ONLY])
def test_rules_of_v10(draft: Draft, errors: Sequence[Expected]) -> None:
    check(as_v10(draft), errors)


def test_a_reducer_returns_nothing_or_a_string() -> None:
    reducer = v10.RawReducerDefV10("f", NO_PARAMS, CALLABLE, t.U8, t.STRING)
    check(raw.RawModuleDefV10((v10.ReducersSection((reducer,)),)), [e.InvalidReducerReturnType("f", t.U8, t.STRING)])


# What valid modules become ----------------------------------------------------------------------------------


def model(draft: Draft) -> ModuleDef:
    return validate(as_v10(draft))


def test_names_are_converted_by_policy() -> None:
    entries = (product(playerName=t.U8, HTTPCode=t.U16), sum_(FirstOne=t.UNIT))
    draft = Draft(entries, (Table("ApplesAndPears", indexes=(BTree((0, 1)),)),), (("a_type::of_fruit", 1, True),))
    found = model(draft)
    assert list(found.tables) == ["apples_and_pears"]
    table = found.tables["apples_and_pears"]
    assert [column.name for column in table.columns] == ["player_name", "http_code"]
    assert [column.accessor_name for column in table.columns] == ["playerName", "HTTPCode"]
    assert list(table.indexes) == ["apples_and_pears_player_name_http_code_idx_btree"]
    assert [str(name) for name in found.types] == ["AType::OfFruit"]
    assert found.typespace[1] == sum_(firstOne=t.UNIT)
    verbatim = model(replace(draft, sections=(v10.CaseConversionPolicySection(v10.CaseConversionPolicy.None_),)))
    assert list(verbatim.tables) == ["ApplesAndPears"]
    assert [str(name) for name in verbatim.types] == ["a_type::of_fruit"]


def test_names_given_outright_win() -> None:
    draft = Draft((ROW,), (Table("Apples", indexes=(BTree((0,)),), uniques=((0,),)),))
    found = model(replace(draft, sections=(pinned(v10.TableName, "Apples", "FB"),)))
    assert list(found.tables) == ["FB"]
    assert list(found.tables["FB"].indexes) == ["FB_b_idx_btree"]
    assert list(found.tables["FB"].constraints) == ["FB_b_key"]
    indexed = model(replace(draft, sections=(pinned(v10.IndexName, "Apples0", "fb_lookuP"),)))
    assert list(indexed.tables["apples"].indexes) == ["fb_lookuP"]


def test_what_the_system_calls_is_private() -> None:
    found = model(Draft((TIMES,), (DELIVERIES,), (("T", 0, True),), (("check", product(row=ref(0))), ("other", NO_PARAMS))))
    assert [one.visibility.name for one in found.reducers.values()] == ["Private", "ClientCallable"]
    assert found.tables["deliveries"].schedule is not None
    assert found.tables["deliveries"].schedule.name == "deliveries_sched"


def test_query_views_take_the_key_of_their_table() -> None:
    query = product(__query__=ref(0))
    keyed = Table(key=(0,), indexes=(BTree((0,)),), uniques=((0,),))
    one = replace(views(view("v", query), view("w", query, product(p=t.U8)), view("u", array(ref(0)))), tables=(keyed,))
    assert [found.primary_key for found in model(one).views.values()] == [0, None, None]


def test_paths_lead_through_every_namespace() -> None:
    inner = Draft((ROW,), (Table("tt"),), reducers=(("f", NO_PARAMS),))
    found = model(mounted(("myAuth", mounted(("InnerWire", inner)))))
    lowest = found.submodules["my_auth"].submodules["inner_wire"]
    assert (lowest.path, lowest.accessor_path) == (("my_auth", "inner_wire"), ("myAuth", "InnerWire"))
    assert lowest.tables["tt"].qualified_name == "my_auth.inner_wire.tt"
    assert lowest.reducers["f"].qualified_name == "my_auth.inner_wire.f"


# V8 ---------------------------------------------------------------------------------------------------------

NO_INDEX: tuple[v8.RawIndexDefV8, ...] = ()


def of_v8(
    name: str = "Bananas", row: int = 0, columns: str = "b a s i", entries: Sequence[t.AlgebraicType] = (ROW,),
    indexes: Sequence[v8.RawIndexDefV8] = (), constraints: Sequence[tuple[int, tuple[int, ...]]] = (),
    sequences: Sequence[int] = (), aliases: Sequence[str] = (), kind: t.AlgebraicType | None = None,
) -> raw.RawModuleDefV8:  # fmt: skip
    kinds = {part.name: part.algebraic_type for part in entries[0]} if entries and isinstance(entries[0], t.ProductType) else {}
    table = v8.RawTableDefV8(
        name,
        tuple(v8.RawColumnDefV8(column, kind or kinds.get(column, t.U8)) for column in columns.split()),
        tuple(indexes),
        tuple(v8.RawConstraintDefV8(f"ct{n}", v8.Constraints(flags), cols) for n, (flags, cols) in enumerate(constraints)),
        tuple(v8.RawSequenceDefV8(f"seq{n}", col, 1, None, None, None, 0) for n, col in enumerate(sequences)),
        v8.StTableType.User,
        v8.StAccess.Public,
        None,
    )
    return raw.RawModuleDefV8(
        t.Typespace(tuple(entries)), (v8.TableDesc(table, row),), (), tuple(v8.TypeAlias8(alias, 0) for alias in aliases)
    )


def index_v8(*cols: int, kind: v8.IndexType = v8.IndexType.BTree, unique: bool = False) -> v8.RawIndexDefV8:
    return v8.RawIndexDefV8("by_it", unique, kind, cols)


V8: list[tuple[str, raw.RawModuleDefV8, Sequence[Expected]]] = [
    ("valid", of_v8(constraints=[(15, (1,)), (5, (0,))], sequences=[0], aliases=["Bananas"]), []),
    ("row type missing", of_v8(row=1337), [e.InvalidProductTypeRef("Bananas", 1337)]),
    ("row type contains itself", of_v8(entries=[product(b=ref(0))], columns="", aliases=["B"]), ["InvalidProductTypeRef"]),
    ("empty table name", of_v8(name=""), [e.IdentifierError(r.Empty())]),
    ("column of another name", of_v8(columns="b z"), ["ColumnDefMalformed"]),
    (
        "column of another type, by reference",
        of_v8(columns="b", entries=[product(b=t.U16), t.STRING], kind=ref(1)),
        [e.ColumnDefMalformed(e.ColumnName("Bananas", "b"), t.STRING, 0, product(b=t.U16))],
    ),
    ("column too many", of_v8(columns="b a s i k"), ["ColumnDefMalformed"]),
    ("columns too few", of_v8(columns="b"), []),
    ("index column missing", of_v8(indexes=[index_v8(0, 55)]), [e.ColumnNotFound("Bananas", "by_it", 55)]),
    ("index column twice", of_v8(indexes=[index_v8(0, 0)]), [e.DuplicateColumns("by_it", (0, 0))]),
    ("hash index", of_v8(indexes=[index_v8(0, kind=v8.IndexType.Hash)]), []),
    ("unique index", of_v8(indexes=[index_v8(0, unique=True)]), []),
    ("unique column missing", of_v8(constraints=[(5, (55,))]), ["ColumnNotFound"] * 2),
    ("unique column twice", of_v8(constraints=[(5, (1, 1))]), ["DuplicateColumns"] * 2),
    ("sequence column missing", of_v8(sequences=[55]), [e.ColumnNotFound("Bananas", "seq0", 55)]),
    ("sequence of strings", of_v8(sequences=[2]), ["InvalidSequenceColumnType"]),
    ("key column missing", of_v8(constraints=[(13, (44,))]), ["ColumnNotFound"] * 2),
    ("two keys", of_v8(constraints=[(13, (0,)), (13, (1,))]), [e.RepeatedPrimaryKey("Bananas")]),
    ("key of two columns", of_v8(constraints=[(13, (0, 1))]), [e.RepeatedPrimaryKey("Bananas")]),
    ("type twice", of_v8(aliases=["a.b.X", "a::b::X"]), [e.DuplicateTypeName(ScopedTypeName(("a", "b"), "X"))]),
    *((f"flags {flags}", of_v8(constraints=[(flags, (0,))]), ["ReferenceWouldCrash"])
      for flags in (2, 3, 4, 6, 8, 9, 10, 11, 12, 14)),
    ("auto_inc of no column", of_v8(constraints=[(7, ())]), ["ReferenceWouldCrash"]),
]  # fmt: skip


@pytest.mark.parametrize(("definition", "errors"), [case[1:] for case in V8], ids=[case[0] for case in V8])
def test_rules_of_v8(definition: raw.RawModuleDefV8, errors: Sequence[Expected]) -> None:
    check(definition, errors)


def test_constraints_of_v8_imply_indexes_and_sequences() -> None:
    key = v8.RawConstraintDefV8("ct_tt_a_primary_key_auto", v8.Constraints.PRIMARY_KEY_AUTO, (0,))
    table = v8.RawTableDefV8(
        "tt", (v8.RawColumnDefV8("a", t.U32),), (), (key,), (), v8.StTableType.User, v8.StAccess.Public, None
    )
    found = validate(raw.RawModuleDefV8(t.Typespace((product(a=t.U32),)), (v8.TableDesc(table, 0),), (), ())).tables["tt"]
    assert list(found.indexes) == ["idx_tt_a_primary_key_auto_unique"]
    assert list(found.constraints) == ["ct_tt_a_primary_key_auto"]
    assert list(found.sequences) == ["seq_tt_a_primary_key_auto"]
    assert found.primary_key == 0
