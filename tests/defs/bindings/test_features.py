"""Every feature of the bindings in a small module: what it comes to in the raw definition, and that the server takes it."""

from __future__ import annotations

import dataclasses
import enum
from typing import Annotated, Any, ClassVar, Literal

import pytest

from bsatn import U8, U16, U32, U64, Codec, Identity, ScheduleAt, Variant, case, product, record, result, variants
from bsatn import types as t
from bsatn.shapes import Product
from defs.bindings import (
    AnonymousViewContext,
    EventTable,
    HttpHandlerContext,
    Index,
    Module,
    Outbox,
    ProcedureContext,
    Query,
    RawModuleDefV10Builder,
    ReducerContext,
    Request,
    Response,
    Schedule,
    Table,
    ViewContext,
    column,
)
from defs.raw import v10
from defs.raw.shared import BTree, Direct, Hash, Lifecycle, RawUniqueConstraintDataV9, TableAccess, TableType


class Team(enum.Enum):
    Red = 0
    None_ = 1


@record
class Spot:
    x: U8
    y: U8


@dataclasses.dataclass
class Plain:
    spot: Spot
    inner: list[Inner]


@dataclasses.dataclass
class Inner:
    size: U16


@record
class Tree:
    branches: list[Tree]


@case
class Ok:
    value: Spot


@case
class Err:
    message: str


SpotResult = Annotated[Ok | Err, variants("SpotResult", names=("ok", "err"))]
Attack = Annotated[Spot | Plain, variants("Attack")]


def only_table(module: Module) -> v10.RawTableDefV10:
    module.validate()
    (table,) = module.build().tables
    return table


def types_of(module: Module, name: str) -> tuple[t.AlgebraicType, ...]:
    """The types of the columns of a table."""
    definition = module.build()
    ref = next(one.product_type_ref for one in definition.tables if one.source_name == name)
    row = definition.typespace[ref]
    assert isinstance(row, t.ProductType)
    return tuple(element.algebraic_type for element in row)


def type_names(module: Module) -> dict[str, int]:
    return {"::".join((*one.source_name.scope, one.source_name.source_name)): one.ty for one in module.build().types}


# Tables -----------------------------------------------------------------------------------------------------


def test_a_table_without_options() -> None:
    module = Module()

    @module.table()
    class HighScore(Table):
        points: U32

    table = only_table(module)
    assert table == v10.RawTableDefV10("high_score", 0, (), (), (), (), TableType.User, TableAccess.Private, (), False)
    assert not HighScore.IS_EVENT
    assert module.build().explicit_names == ()


def test_event_tables() -> None:
    module = Module()

    @module.table(event=True)
    class Said(EventTable):
        text: str

    @module.table()
    class Silent(EventTable):
        text: str

    module.validate()
    assert [(one.source_name, one.is_event) for one in module.build().tables] == [("said", True), ("silent", True)]
    assert Said.IS_EVENT
    assert Silent.IS_EVENT


def test_event_tables_have_all_that_tables_have() -> None:
    module = Module()

    @module.table(public=True, indexes=[Index.hash("a", "b", accessor="both")])
    class Everything(EventTable):
        id: U64 = column(primary_key=True, auto_inc=True)
        a: U8 = column(unique=True, index="direct")
        b: U16 = column(index="btree")
        c: U16 = column(default_value=7)

    table = only_table(module)
    assert (table.is_event, table.primary_key, len(table.indexes), len(table.sequences)) == (True, (0,), 4, 1)


def test_indexes() -> None:
    module = Module()

    @module.table(
        indexes=[
            Index.btree("b", "a", accessor="by_b_a", name="first"),
            Index.hash("c", accessor="c_hash"),
            Index.direct("kind", accessor="kinds"),
        ]
    )
    class Thing(Table):
        a: U8 = column(primary_key=True)
        b: U16 = column(index="hash")
        c: str = column(unique=True)
        kind: Team = column(unique=True)

    table = only_table(module)
    assert table.indexes == (
        v10.RawIndexDefV10("thing_c_idx_hash", "c_hash", Hash((2,))),
        v10.RawIndexDefV10("thing_kind_idx_direct", "kinds", Direct(3)),
        v10.RawIndexDefV10("thing_a_idx_btree", "a", BTree((0,))),
        v10.RawIndexDefV10("thing_b_a_idx_btree", "by_b_a", BTree((1, 0))),
        v10.RawIndexDefV10("thing_b_idx_hash", "b", Hash((1,))),
    )
    assert [one.data for one in table.constraints] == [RawUniqueConstraintDataV9((place,)) for place in (0, 2, 3)]
    assert module.build().explicit_names == (v10.IndexName(v10.NameMapping("thing_b_a_idx_btree", "first")),)
    assert "first" in module.validate().tables["thing"].indexes


def test_sequences_need_no_key() -> None:
    module = Module()

    @module.table()
    class Counter(Table):
        a: U8 = column(auto_inc=True)
        b: U16

    assert [one.column for one in only_table(module).sequences] == [0]


def test_default_values() -> None:
    module = Module()

    @module.table()
    class Thing(Table):
        number: U16 = column(default_value=258)
        text: str | None = column(default_value=None)
        team: Team = column(default_value=Team.None_)
        spot: Spot = column(default_value=Spot(1, 2))
        outcome: SpotResult = column(default_value=Ok(Spot(3, 4)))
        many: list[U8] = column(default_value=b"ab")

    values = {one.col_id: one.value.hex() for one in only_table(module).default_values}
    assert values == {0: "0201", 1: "01", 2: "01", 3: "0102", 4: "000304", 5: "020000006162"}
    assert module.validate().tables["thing"].columns[1].default_bytes == b"\1"


def test_names_given_outright() -> None:
    module = Module(case_conversion="none")

    @module.table(accessor="things", name="Thing")
    class AnyClass(Table):
        id: U64 = column(primary_key=True)

    @module.reducer(name="DoIt")
    def do_it(ctx: ReducerContext) -> None: ...

    @module.procedure(accessor="ask", name="Ask")
    def any_procedure(ctx: ProcedureContext) -> None: ...

    @module.view(accessor="all_things", name="AllThings")
    def any_view(ctx: AnonymousViewContext) -> list[AnyClass]:
        raise NotImplementedError

    checked = module.validate()
    assert checked.tables["Thing"].accessor_name == "things"
    assert (checked.reducers["DoIt"].accessor_name, checked.procedures["Ask"].accessor_name) == ("do_it", "ask")
    assert checked.views["AllThings"].accessor_name == "all_things"
    assert module.build().case_conversion_policy is v10.CaseConversionPolicy.None_


def test_a_policy_is_said_only_when_asked_for() -> None:
    assert Module().build().sections == ()
    (section,) = Module(case_conversion="snake_case").build().sections
    assert section == v10.CaseConversionPolicySection(v10.CaseConversionPolicy.SnakeCase)


def test_columns_that_python_cannot_spell() -> None:
    module = Module()

    @module.table(indexes=[Index.btree("from_", "a_b", accessor="both")])
    class Letter(Table):
        from_: Identity
        class_: str = column(index="btree")
        a_b: U8 = column(name="A_b")
        kept_: U8
        WIDTH: ClassVar[int] = 3

    row = module.build().typespace[0]
    assert isinstance(row, t.ProductType)
    assert [element.name for element in row] == ["from", "class", "A_b", "kept_"]
    module.validate()
    assert [(one.source_name, one.accessor_name) for one in module.build().tables[0].indexes] == [
        ("letter_from_A_b_idx_btree", "both"), ("letter_class_idx_btree", "class"),
    ]  # fmt: skip
    assert Letter.WIDTH == 3


def test_one_class_for_several_tables() -> None:
    module = Module()

    @module.table(accessor="first")
    @module.table(accessor="second", public=True)
    class Row(Table):
        id: U64

    module.validate()
    tables = module.build().tables
    assert [(one.source_name, one.product_type_ref, one.table_access.name) for one in tables] == [
        ("first", 0, "Private"), ("second", 0, "Public"),
    ]  # fmt: skip
    assert type_names(module) == {"Row": 0}


def test_one_class_in_two_modules() -> None:
    one, two = Module(), Module()

    @one.table()
    @two.table()
    class Row(Table):
        id: U64

    assert one.build() == two.build()


def test_schedules() -> None:
    module = Module()

    @module.table(scheduled="wake")
    class Alarm(Table):
        id: U64 = column(primary_key=True)
        scheduled_at: ScheduleAt

    @module.procedure
    def later(ctx: ProcedureContext, row: Reminder) -> U8:
        raise NotImplementedError

    @module.table(scheduled=Schedule(later, at="when"))
    class Reminder(Table):
        when: ScheduleAt
        id: U64 = column(primary_key=True, auto_inc=True)

    @module.reducer
    def wake(ctx: ReducerContext, row: Alarm) -> None: ...

    assert module.build().schedules == (
        v10.RawScheduleDefV10(None, "alarm", 1, "wake"),
        v10.RawScheduleDefV10(None, "reminder", 0, "later"),
    )
    tables = module.validate().tables
    assert [(one.schedule and one.schedule.is_procedure) for one in tables.values()] == [False, True]


def test_functions_are_called_by_their_accessor() -> None:
    module = Module()

    @module.reducer(accessor="wake_up")
    def wake(ctx: ReducerContext, row: Alarm) -> None: ...

    @module.table(scheduled=wake)
    class Alarm(Table):
        id: U64 = column(primary_key=True)
        scheduled_at: ScheduleAt

    @module.reducer(accessor="told_off")
    def told(ctx: ReducerContext, row: Order, outcome: Annotated[Variant, result(t.UNIT, str)]) -> None: ...

    @module.table(outbox=Outbox("buy", "shop", bytes(32), on_result=told))
    class Order(Table):
        id: U64 = column(primary_key=True)
        shop: Identity

    @module.http_handler(accessor="greet")
    def hello(ctx: HttpHandlerContext, request: Request) -> Response:
        raise NotImplementedError

    module.route("GET", "/", hello)
    module.validate()
    assert [one.function_name for one in module.build().schedules] == ["wake_up"]
    assert [one.on_result_reducer for one in module.build().outboxes] == ["told_off"]
    assert [one.handler_function for one in module.build().http_routes] == ["greet"]


def test_outboxes() -> None:
    module = Module()
    hash_ = bytes(range(32))

    @module.reducer
    def told(ctx: ReducerContext, row: Order, outcome: Annotated[Variant, result(t.UNIT, str)]) -> None: ...

    @module.table(outbox=Outbox("shop.buy", "shop", hash_, on_result=told))
    class Order(Table):
        id: U64 = column(primary_key=True, auto_inc=True)
        what: str
        shop: Identity
        price: U32

    @module.table(outbox=Outbox("ping", "to", hash_, arguments=("b", "a")))
    class Ping(Table):
        a: U8
        id: U64 = column(primary_key=True, auto_inc=True)
        b: U8
        to: Identity

    module.validate()
    number = int.from_bytes(hash_, "little")
    assert module.build().outboxes == (
        v10.RawOutboxDefV10("order", "shop.buy", 2, (1, 3), "told", number),
        v10.RawOutboxDefV10("ping", "ping", 3, (2, 0), None, number),
    )


# Types ------------------------------------------------------------------------------------------------------


def test_types_are_registered_once_and_before_what_they_are_made_of() -> None:
    module = Module()

    @module.table()
    class Thing(Table):
        plain: Plain
        again: Plain | None
        team: Team
        tree: Tree
        size: Inner

    module.validate()
    assert type_names(module) == {"Thing": 0, "Plain": 1, "Spot": 2, "Inner": 3, "Team": 4, "Tree": 5}
    assert types_of(module, "thing") == (t.Ref(1), t.option_type(t.Ref(1)), t.Ref(4), t.Ref(5), t.Ref(3))
    typespace = module.build().typespace
    assert typespace[4] == t.SumType((t.SumTypeVariant("Red", t.UNIT), t.SumTypeVariant("None", t.UNIT)))
    assert typespace[5] == t.ProductType((t.ProductTypeElement("branches", t.ArrayType(t.Ref(5))),))


def test_dataclasses_are_records() -> None:
    module = Module()

    @dataclasses.dataclass
    class Here:
        size: U8

    @module.table()
    class Thing(Table):
        here: list[Here]

    module.validate()
    codec = Codec(Thing)
    assert codec.decode(codec.encode(Thing([Here(3)]))) == Thing([Here(3)])


def test_special_types_stand_where_they_are_used() -> None:
    module = Module()

    @module.table()
    class Thing(Table):
        who: Identity
        when: ScheduleAt
        maybe: Identity | None
        outcome: SpotResult
        closed: Annotated[Variant, result(U16, str)]
        raw: bytes

    module.validate()
    assert types_of(module, "thing") == (
        t.IDENTITY, t.SCHEDULE_AT, t.option_type(t.IDENTITY), t.result_type(t.Ref(1), t.STRING),
        t.result_type(t.U16, t.STRING), t.BYTES,
    )  # fmt: skip
    assert type_names(module) == {"Thing": 0, "Spot": 1}


def test_names_and_scopes_of_types() -> None:
    module = Module()

    @module.table()
    class Thing(Table):
        attack: Attack
        team: Team

    module.type_name(Team, "combat.Side")
    module.type_name(Attack, "combat::moves::Attack")
    module.type_name(Thing, "Row")
    module.validate()
    assert type_names(module) == {"Row": 0, "combat::moves::Attack": 1, "Spot": 2, "Plain": 3, "Inner": 4, "combat::Side": 5}
    assert module.build().typespace[1] == t.SumType((t.SumTypeVariant("Spot", t.Ref(2)), t.SumTypeVariant("Plain", t.Ref(3))))


def test_annotations_mean_what_they_mean_where_they_stand() -> None:
    """Local names too, and those of what is declared later; a name of another place only where there is none here."""
    module = Module()

    def declare(accessor: str, Size: Any) -> type[Any]:
        @module.reducer(accessor=accessor)
        def set_size(ctx: ReducerContext, size: Size, row: Later) -> None: ...  # pyright: ignore[reportInvalidTypeForm]

        @module.table(accessor=f"{accessor}_table")
        class Row(Table):
            size: Size  # pyright: ignore[reportInvalidTypeForm]
            later: Later

        return Row

    small, large = declare("small", U8), declare("large", U64)
    module.type_name(large, "Large")

    @module.table()
    class Later(Table):
        id: U64

    assert small is not large
    assert [types_of(module, f"{name}_table")[0] for name in ("small", "large")] == [t.U8, t.U64]
    assert {one.source_name: one.params.elements[0].algebraic_type for one in module.build().reducers} == {
        "small": t.U8, "large": t.U64,
    }  # fmt: skip
    module.validate()


# Functions --------------------------------------------------------------------------------------------------


def test_reducers() -> None:
    module = Module()

    @module.reducer
    def b_open(ctx: ReducerContext, from_: Identity, spots: list[Spot]) -> None: ...

    @module.reducer(private=True)
    def a_hidden(ctx: ReducerContext) -> None: ...

    module.validate()
    hidden, opened = module.build().reducers
    assert hidden == v10.RawReducerDefV10("a_hidden", t.UNIT, v10.FunctionVisibility.Private, t.UNIT, t.STRING)
    params = product(("from", t.IDENTITY), spots=t.ArrayType(t.Ref(0)))
    assert opened == v10.RawReducerDefV10("b_open", params, v10.FunctionVisibility.ClientCallable, t.UNIT, t.STRING)


def test_a_function_stays_what_it_is() -> None:
    module = Module()

    @module.reducer
    def note(ctx: ReducerContext, into: list[int]) -> None:
        into.append(1)

    seen: list[int] = []
    note(ReducerContext(), seen)
    assert seen == [1]


def test_lifecycle() -> None:
    module = Module()

    @module.client_disconnected
    def bye(ctx: ReducerContext) -> None: ...

    @module.init
    def start(ctx: ReducerContext) -> None: ...

    @module.client_connected
    def hello(ctx: ReducerContext) -> None: ...

    assert dict(module.validate().lifecycle_reducers) == {
        Lifecycle.Init: "start", Lifecycle.OnConnect: "hello", Lifecycle.OnDisconnect: "bye",
    }  # fmt: skip
    assert {one.visibility for one in module.build().reducers} == {v10.FunctionVisibility.Private}


def test_procedures() -> None:
    module = Module()

    @module.procedure
    def ask(ctx: ProcedureContext, spot: Spot) -> SpotResult:
        raise NotImplementedError

    @module.procedure(private=True)
    def tell(ctx: ProcedureContext) -> None: ...

    module.validate()
    asked, told = module.build().procedures
    assert (asked.return_type, told.return_type) == (t.result_type(t.Ref(0), t.STRING), t.UNIT)
    assert told.visibility is v10.FunctionVisibility.Private


def test_views() -> None:
    module = Module()

    @module.table(public=True)
    class Fighter(Table):
        id: U64 = column(primary_key=True)

    @module.view
    def a(ctx: ViewContext) -> Fighter | None:
        raise NotImplementedError

    @module.view
    def b(ctx: AnonymousViewContext) -> list[Fighter]:
        raise NotImplementedError

    @module.view
    def c(ctx: AnonymousViewContext) -> Query[Fighter]:
        raise NotImplementedError

    @module.view(private=True)
    def d(ctx: ViewContext, team: Team) -> list[Spot]:
        raise NotImplementedError

    @module.view(primary_key="id")
    def e(ctx: ViewContext) -> list[Fighter]:
        raise NotImplementedError

    found = [(one.source_name, one.index, one.is_public, one.is_anonymous) for one in module.build().views]
    assert found == [
        ("a", 0, True, False), ("b", 0, True, True), ("c", 1, True, True), ("d", 1, False, False), ("e", 2, True, False),
    ]  # fmt: skip
    fighter = t.Ref(0)
    assert [one.return_type for one in module.build().views][:4] == [
        t.option_type(fighter), t.ArrayType(fighter), product(__query__=fighter), t.ArrayType(t.Ref(2)),
    ]  # fmt: skip
    assert module.build().view_primary_keys == (v10.RawViewPrimaryKeyDefV10("e", ("id",)),)
    keys = {name: one.primary_key for name, one in module.validate().views.items()}
    assert keys == {"a": None, "b": None, "c": 0, "d": None, "e": 0}


def test_http() -> None:
    module = Module()

    @module.http_handler
    def hello(ctx: HttpHandlerContext, request: Request) -> Response:
        raise NotImplementedError

    @module.http_handler(name="Other")
    def other(ctx: HttpHandlerContext, request: Request) -> Response:
        raise NotImplementedError

    module.route("GET", "/hello", hello)
    module.route("any", "/other", "other")
    module.route(v10.Extension("PURGE"), "/hello", hello)
    checked = module.validate()
    assert [(one.handler_name, one.method, one.path) for one in checked.http_routes] == [
        ("hello", v10.Method(v10.Get()), "/hello"),
        ("Other", v10.AnyMethod(), "/other"),
        ("hello", v10.Method(v10.Extension("PURGE")), "/hello"),
    ]


# The rest ---------------------------------------------------------------------------------------------------


def test_environment() -> None:
    module = Module()

    @module.environment
    class Environment:
        API_KEY: str
        MODE: Literal["dev", "live"]
        ONLY: Literal["this"]
        NOTE: str | None
        LEVEL: Literal["low", "high"] | None

    declared = module.build().environment
    assert declared == (
        v10.RawEnvironmentDeclarationV10("API_KEY", v10.EnvString(), False),
        v10.RawEnvironmentDeclarationV10("MODE", v10.EnvUnion(("dev", "live")), False),
        v10.RawEnvironmentDeclarationV10("ONLY", v10.EnvStringLiteral("this"), False),
        v10.RawEnvironmentDeclarationV10("NOTE", v10.EnvString(), True),
        v10.RawEnvironmentDeclarationV10("LEVEL", v10.EnvUnion(("low", "high")), True),
    )
    assert module.validate().environment is not None


def test_an_empty_environment_is_one() -> None:
    module = Module()
    assert module.build().environment is None

    @module.environment
    class Environment:
        pass

    assert module.build().environment == ()


def test_row_level_security() -> None:
    module = Module()
    module.client_visibility_filter("SELECT * FROM fighter WHERE owner = :sender")
    module.client_visibility_filter("SELECT * FROM ledger")
    assert module.validate().row_level_security == (
        "SELECT * FROM fighter WHERE owner = :sender", "SELECT * FROM ledger",
    )  # fmt: skip


def test_submodules() -> None:
    inner, outer = Module(), Module()

    @inner.table()
    class Session(Table):
        id: U64

    outer.submodule("auth", inner)
    outer.submodule("Billing", Module(), name="money")
    checked = outer.validate()
    assert list(checked.submodules) == ["auth", "money"]
    assert checked.submodules["auth"].tables["session"].qualified_name == "auth.session"
    assert outer.build().submodules[0].module == inner.build()


def test_sections_stand_in_the_order_of_the_rust_bindings() -> None:
    """The policy, what is registered by name, the environment, handlers, security, routes."""
    module = Module(case_conversion="snake_case")

    @module.http_handler
    def a_handler(ctx: HttpHandlerContext, request: Request) -> Response:
        raise NotImplementedError

    module.route("GET", "/", a_handler)
    module.client_visibility_filter("SELECT")

    @module.environment
    class Environment:
        pass

    @module.reducer
    def z(ctx: ReducerContext) -> None: ...

    @module.table()
    class Y(Table):
        id: U64

    names = [type(section).__name__.removesuffix("Section") for section in module.build().sections]
    assert names == [
        "CaseConversionPolicy", "Typespace", "Types", "Tables", "ExplicitNames", "Reducers", "Environment", "HttpHandlers",
        "RowLevelSecurity", "HttpRoutes",
    ]  # fmt: skip


def test_building_again_gives_the_same() -> None:
    module = Module()

    @module.table()
    class Thing(Table):
        id: U64

    first = module.build()
    assert module.build() == first

    @module.reducer
    def more(ctx: ReducerContext, thing: Thing) -> None: ...

    assert len(module.build().sections) > len(first.sections)


def test_rows_are_read_and_written() -> None:
    module = Module()

    @module.table()
    class Letter(Table):
        from_: U8
        text: str = column(default_value="?")

    row = Letter(from_=1, text="a")
    assert Codec(Letter).encode(row).hex() == "010100000061"
    assert Codec(Letter).decode(b"\1\1\0\0\0a") == row
    assert dataclasses.replace(row, text="b") == Letter(1, "b")
    shape = Codec(Letter).shape
    assert isinstance(shape, Product)
    assert shape.names == ("from", "text")
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.text = "c"  # type: ignore[misc]


def test_the_builder_alone() -> None:
    """The calls of upstream's builder, in its order."""
    builder = RawModuleDefV10Builder()
    row = product(id=t.U64, name=t.STRING)
    ref = (
        builder.build_table_with_new_type("log", row, True)
        .with_type(TableType.User)
        .with_access(TableAccess.Private)
        .with_event(True)
        .with_auto_inc_primary_key(0)
        .with_index(BTree((0,)), "log_id_idx_btree", "id")
        .with_index_no_accessor_name(Hash((1,)), "log_name_idx_hash")
        .with_default_column_value(1, b"\0\0\0\0")
        .finish()
    )
    builder.add_lifecycle_reducer(Lifecycle.Init, "start", t.UNIT)
    definition = builder.finish()
    assert ref == 0
    (table,) = definition.tables
    assert (table.is_event, table.primary_key, table.sequences[0].column) == (True, (0,), 0)
    assert table.indexes[1].accessor_name is None
    assert definition.types[0].source_name == v10.RawScopedTypeNameV10((), "log")
    from defs.validate import validate

    checked: Any = validate(definition)
    assert checked.tables["log"].is_event
