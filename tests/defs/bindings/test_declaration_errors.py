"""Declarations that are wrong: each is refused where it stands or when built, by a sentence that names the place."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import pytest

from bsatn import F32, U8, U32, U64, BsatnError, Identity, ScheduleAt, Variant, case, product, record, ref, sum_, variants
from defs.bindings import (
    AnonymousViewContext,
    DeclarationError,
    EventTable,
    HttpHandlerContext,
    Index,
    Module,
    Outbox,
    ProcedureContext,
    Query,
    ReducerContext,
    Request,
    Response,
    Schedule,
    Table,
    ViewContext,
    column,
)
from defs.validate import ValidationErrors


@record
class Spot:
    x: U8


@case
class Far:
    distance: U8


@case
class Near:
    pass


class Team(enum.Enum):
    Red = 0


Range = Annotated[Near | Far, variants("Range")]
WRONG: list[tuple[str, str, Callable[[Any], object]]] = []  #: kind, what the message holds, what declares it


def wrong(kind: str, *says: str) -> Callable[[Callable[[Any], object]], Callable[[Any], object]]:
    """The function declares something wrong."""

    def note(declare: Callable[[Any], object]) -> Callable[[Any], object]:
        WRONG.append((kind, "|".join(says), declare))
        return declare

    return note


# Columns ----------------------------------------------------------------------------------------------------


@wrong("NotAType", "Thing.size", "int has no BSATN layout", "say its width")
def an_int_without_width(module: Any) -> None:
    @module.table()
    class Thing(Table):
        size: int


@wrong("NotAType", "Thing.sizes", "width")
def an_int_without_width_deep_down(module: Any) -> None:
    @module.table()
    class Thing(Table):
        sizes: list[int | None]


@wrong("UnknownName", "Thing", "Nowhere")
def a_type_that_is_not_there(module: Any) -> None:
    @module.table()
    class Thing(Table):
        size: Nowhere  # type: ignore[name-defined]  # noqa: F821


@wrong("NonSpecialTypeNotAUse", "Thing.pair", "product needs a name")
def a_tuple(module: Any) -> None:
    @module.table()
    class Thing(Table):
        pair: tuple[U8, U8]


@wrong("NonSpecialTypeNotAUse", "Thing.pair", "product needs a name")
def a_product_without_name(module: Any) -> None:
    @module.table()
    class Thing(Table):
        pair: Annotated[Any, product(x=U8)]


@wrong("NonSpecialTypeNotAUse", "Thing.choice", "sum needs a name")
def a_sum_without_name(module: Any) -> None:
    @module.table()
    class Thing(Table):
        choice: Annotated[Variant, sum_(a=U8, b=U8)]


@wrong("NamelessType", "Thing.choice", 'variants("Name")')
def a_sum_of_classes_without_name(module: Any) -> None:
    @module.table()
    class Thing(Table):
        choice: Annotated[Near | Far, variants()]


@wrong("InvalidTypeRef", "Thing.other", "&7")
def a_reference(module: Any) -> None:
    @module.table()
    class Thing(Table):
        other: Annotated[Any, ref(7)]


@wrong("DuplicateTypeName", "Thing.two.x", "called Spot too", "Module.type_name")
def two_types_of_one_name(module: Any) -> None:
    @record
    class Other:
        x: F32

    Other.__name__ = "Spot"

    @record
    class Two:
        x: Other

    @module.table()
    class Thing(Table):
        one: Spot
        two: Two


@wrong("NotAColumn", "Thing.size", "say column(default_value=3)")
def a_plain_default(module: Any) -> None:
    @module.table()
    class Thing(Table):
        size: U8 = 3


@wrong("NotAColumn", "Thing.size", "annotate it")
def a_column_without_type(module: Any) -> None:
    @module.table()
    class Thing(Table):
        size = column(unique=True)  # pyright: ignore[reportGeneralTypeIssues]


@wrong("NotATable", "Thing", "derives from Table or EventTable")
def a_class_that_is_no_row(module: Any) -> None:
    @module.table()
    class Thing:
        size: U8


@wrong("InheritedColumns", "Thing", "Base")
def columns_of_a_base(module: Any) -> None:
    class Base(Table):
        id: U64

    @module.table()
    class Thing(Base):
        size: U8


@wrong("NotATable", "class Thing is not yet declared", "@module.table")
def a_row_of_a_class_without_table(module: Any) -> None:
    class Thing(Table):
        size: U8

    Thing(3)


@wrong("RepeatedPrimaryKey", "Thing.b", "a and b")
def two_primary_keys(module: Any) -> None:
    @module.table()
    class Thing(Table):
        a: U8 = column(primary_key=True)
        b: U8 = column(primary_key=True)


@wrong("InvalidSequenceColumnType", "Thing.name", "auto_inc needs an integer, not String")
def auto_inc_on_a_string(module: Any) -> None:
    @module.table()
    class Thing(Table):
        name: str = column(auto_inc=True)


@wrong("InvalidSequenceColumnType", "Thing.spot", "not Spot")
def auto_inc_on_a_record(module: Any) -> None:
    @module.table()
    class Thing(Table):
        spot: Spot = column(auto_inc=True)


@wrong("ColumnDefaultValueMalformed", "table thing", "Thing.size", "300")
def a_default_that_does_not_fit(module: Any) -> None:
    @module.table()
    class Thing(Table):
        size: U8 = column(default_value=300)


@wrong("ColumnDefaultValueMalformed", "Thing.spot", "Spot")
def a_default_of_another_type(module: Any) -> None:
    @module.table()
    class Thing(Table):
        spot: Spot = column(default_value="here")


@pytest.mark.parametrize("options", [{"unique": True}, {"primary_key": True}, {"auto_inc": True}], ids=str)
def test_a_default_where_values_differ(options: dict[str, Any]) -> None:
    module = Module()
    both: Any = column(default_value=3, **options)
    with pytest.raises(DeclarationError, match="has no default value") as caught:

        @module.table()
        class Thing(Table):
            size: U8 = both

    assert (caught.value.kind, caught.value.where) == ("InvalidDefault", "Thing.size")


# Indexes ----------------------------------------------------------------------------------------------------


@wrong("ColumnNotFound", "index by_b", "'b'", "columns are a, c")
def an_index_on_an_unknown_column(module: Any) -> None:
    @module.table(indexes=[Index.btree("a", "b", accessor="by_b")])
    class Thing(Table):
        a: U8
        c: U8


@wrong("DuplicateColumns", "index twice", "names a column twice")
def an_index_on_a_column_twice(module: Any) -> None:
    @module.table(indexes=[Index.btree("a", "a", accessor="twice")])
    class Thing(Table):
        a: U8


@wrong("DuplicateColumns", "index none", "names no column")
def an_index_on_nothing(module: Any) -> None:
    @module.table(indexes=[Index.hash(accessor="none")])
    class Thing(Table):
        a: U8


@wrong("UnknownIndex", "Thing.a", "'tree'", "btree, hash, direct")
def an_index_of_no_kind(module: Any) -> None:
    @module.table()
    class Thing(Table):
        a: U8 = column(index="tree")  # type: ignore[arg-type]


@wrong("DirectIndexNotUnique", "Thing.a", "unique")
def a_direct_index_that_is_not_unique(module: Any) -> None:
    @module.table()
    class Thing(Table):
        a: U8 = column(index="direct")


@wrong("DirectIndexOnBadType", "Thing.a", "U8, U16, U32, U64 or plain enum, not String")
def a_direct_index_on_a_string(module: Any) -> None:
    @module.table()
    class Thing(Table):
        a: str = column(index="direct", unique=True)


@wrong("DirectIndexOnBadType", "Thing.range", "not Range")
def a_direct_index_on_a_sum_with_payloads(module: Any) -> None:
    @module.table()
    class Thing(Table):
        range: Range = column(index="direct", unique=True)


# Tables -----------------------------------------------------------------------------------------------------


@wrong("DuplicateName", "Other", "called thing")
def two_tables_of_one_name(module: Any) -> None:
    @module.table()
    class Thing(Table):
        a: U8

    @module.table(accessor="thing")
    class Other(Table):
        a: U8


@wrong("EventTableMismatch", "Thing", "must derive from EventTable")
def an_event_table_that_is_none(module: Any) -> None:
    @module.table(event=True)
    class Thing(Table):
        a: U8


@wrong("ScheduledEventTable", "Thing", "must not be an event table")
def a_scheduled_event_table(module: Any) -> None:
    @module.table(scheduled="wake")
    class Thing(EventTable):
        id: U64 = column(primary_key=True)
        scheduled_at: ScheduleAt


@wrong("ColumnNotFound", "the schedule", "'scheduled_at'", "id, when")
def a_schedule_without_its_column(module: Any) -> None:
    @module.table(scheduled="wake")
    class Thing(Table):
        id: U64 = column(primary_key=True)
        when: ScheduleAt


@wrong("ScheduledIncorrectColumns", "Thing", "primary key of type U64")
def a_schedule_without_key(module: Any) -> None:
    @module.table(scheduled="wake")
    class Thing(Table):
        scheduled_at: ScheduleAt


@wrong("ScheduledIncorrectColumns", "Thing.id", "U64, not U32")
def a_schedule_with_a_small_key(module: Any) -> None:
    @module.table(scheduled="wake")
    class Thing(Table):
        id: U32 = column(primary_key=True)
        scheduled_at: ScheduleAt


@wrong("ScheduledIncorrectColumns", "Thing.when", "ScheduleAt, not U64")
def a_schedule_at_a_number(module: Any) -> None:
    @module.table(scheduled=Schedule("wake", at="when"))
    class Thing(Table):
        id: U64 = column(primary_key=True)
        when: U64


@wrong("MissingScheduledFunction", "Thing", "calls wake")
def a_schedule_of_nothing(module: Any) -> None:
    @module.table(scheduled="wake")
    class Thing(Table):
        id: U64 = column(primary_key=True)
        scheduled_at: ScheduleAt


@wrong("IncorrectScheduledFunctionParams", "Thing", "wake", "one argument, a Thing")
def a_schedule_of_a_function_that_takes_no_row(module: Any) -> None:
    @module.table(scheduled="wake")
    class Thing(Table):
        id: U64 = column(primary_key=True)
        scheduled_at: ScheduleAt

    @module.reducer
    def wake(ctx: ReducerContext, id: U64) -> None: ...


@wrong("OutboxEventTable", "Thing", "must not be an event table")
def an_outbox_of_events(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(32)))
    class Thing(EventTable):
        id: U64 = column(primary_key=True)
        to: Identity


@wrong("OutboxScheduledTable", "Thing", "scheduled")
def an_outbox_with_a_schedule(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(32)), scheduled="wake")
    class Thing(Table):
        id: U64 = column(primary_key=True)
        to: Identity
        scheduled_at: ScheduleAt


@wrong("OutboxMissingPrimaryKey", "Thing", "primary key")
def an_outbox_without_key(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(32)))
    class Thing(Table):
        to: Identity


@wrong("OutboxInvalidPrimaryKey", "Thing.id", "U64, not U8")
def an_outbox_with_a_small_key(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(32)))
    class Thing(Table):
        id: U8 = column(primary_key=True)
        to: Identity


@wrong("OutboxTargetColumnMissing", "Thing.to", "Identity or U256, not String")
def an_outbox_to_a_text(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(32)))
    class Thing(Table):
        id: U64 = column(primary_key=True)
        to: str


@wrong("ColumnNotFound", "the outbox", "'nowhere'")
def an_outbox_of_an_unknown_column(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(32), arguments=("nowhere",)))
    class Thing(Table):
        id: U64 = column(primary_key=True)
        to: Identity


@wrong("InvalidSignatureHash", "Thing", "32 bytes, not 3")
def an_outbox_with_a_short_hash(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(3)))
    class Thing(Table):
        id: U64 = column(primary_key=True)
        to: Identity


@wrong("MissingOutboxOnResult", "Thing", "told")
def an_outbox_that_tells_nobody(module: Any) -> None:
    @module.table(outbox=Outbox("a", "to", bytes(32), on_result="told"))
    class Thing(Table):
        id: U64 = column(primary_key=True)
        to: Identity


# Functions --------------------------------------------------------------------------------------------------


@wrong("DuplicateFunctionName", "second", "called first")
def two_functions_of_one_name(module: Any) -> None:
    @module.reducer
    def first(ctx: ReducerContext) -> None: ...

    @module.procedure(accessor="first")
    def second(ctx: ProcedureContext) -> None: ...


@wrong("DuplicateName", "thing")
def a_view_and_a_table_of_one_name(module: Any) -> None:
    @module.table()
    class Thing(Table):
        a: U8

    @module.view
    def thing(ctx: ViewContext) -> list[Thing]:
        raise NotImplementedError


@wrong("DuplicateLifecycle", "second", "Init")
def two_beginnings(module: Any) -> None:
    @module.init
    def first(ctx: ReducerContext) -> None: ...

    @module.init
    def second(ctx: ReducerContext) -> None: ...


@wrong("InvalidParameter", "start.flag", "nothing but its context")
def a_beginning_with_arguments(module: Any) -> None:
    @module.init
    def start(ctx: ReducerContext, flag: bool) -> None: ...


@wrong("MissingContext", "reducer go", "ReducerContext", "it has none")
def a_reducer_without_context(module: Any) -> None:
    @module.reducer
    def go() -> None: ...


@wrong("MissingContext", "reducer go", "ReducerContext", "not ViewContext")
def a_reducer_with_another_context(module: Any) -> None:
    @module.reducer
    def go(ctx: ViewContext) -> None: ...


@wrong("MissingContext", "view go", "ViewContext or AnonymousViewContext")
def a_view_without_context(module: Any) -> None:
    @module.view
    def go(spot: Spot) -> list[Spot]:
        raise NotImplementedError


@wrong("MissingAnnotation", "go.spot", "annotate it")
def an_argument_without_type(module: Any) -> None:
    @module.reducer
    def go(ctx: ReducerContext, spot) -> None: ...  # type: ignore[no-untyped-def]


@wrong("NotAType", "go.size", "width")
def an_argument_without_width(module: Any) -> None:
    @module.reducer
    def go(ctx: ReducerContext, size: int) -> None: ...


@wrong("UnknownName", "reducer go", "Nowhere")
def an_argument_of_a_type_that_is_not_there(module: Any) -> None:
    @module.reducer
    def go(ctx: ReducerContext, size: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@wrong("InvalidParameter", "go.size", "no default")
def an_argument_with_a_default(module: Any) -> None:
    @module.reducer
    def go(ctx: ReducerContext, size: U8 = 3) -> None: ...


@wrong("InvalidParameter", "go.sizes", "no *")
def arguments_without_number(module: Any) -> None:
    @module.reducer
    def go(ctx: ReducerContext, *sizes: U8) -> None: ...


@wrong("InvalidReducerReturnType", "go.return", "returns None")
def a_reducer_that_returns(module: Any) -> None:
    @module.reducer
    def go(ctx: ReducerContext) -> U8:
        raise NotImplementedError


NOT_ROWS: list[Any] = [Spot, U8, list[U8], list[Range], list[list[Spot]], list[Team], None, Query[Range]]


@pytest.mark.parametrize("returned", NOT_ROWS, ids=str)
def test_what_a_view_may_not_return(returned: Any) -> None:
    module = Module()

    def go(ctx: ViewContext) -> Any:
        raise NotImplementedError

    go.__annotations__["return"] = returned
    module.view(go)
    with pytest.raises(DeclarationError, match="list\\[Row\\]") as caught:
        module.build()
    assert (caught.value.kind, caught.value.where) == ("InvalidViewReturnType", "go.return")


@wrong("InvalidViewReturnType", "go.return", "not nothing")
def a_view_that_returns_nothing(module: Any) -> None:
    @module.view
    def go(ctx: ViewContext):  # type: ignore[no-untyped-def]
        raise NotImplementedError


@wrong("ViewFloatParam", "go.x", "no float")
def a_view_of_a_float(module: Any) -> None:
    @module.view
    def go(ctx: ViewContext, x: F32) -> list[Spot]:
        raise NotImplementedError


@wrong("ViewPrimaryKeyColumnNotFound", "go", "'y'", "x")
def a_view_with_an_unknown_key(module: Any) -> None:
    @module.view(primary_key="y")
    def go(ctx: ViewContext) -> list[Spot]:
        raise NotImplementedError


@wrong("ViewPrimaryKeyWithParams", "go", "arguments")
def a_view_with_key_and_arguments(module: Any) -> None:
    @module.view(primary_key="x")
    def go(ctx: AnonymousViewContext, size: U8) -> list[Spot]:
        raise NotImplementedError


@wrong("InvalidHandler", "go", "Response")
def a_handler_of_nothing(module: Any) -> None:
    @module.http_handler
    def go(ctx: HttpHandlerContext) -> Response:
        raise NotImplementedError


@wrong("InvalidHandler", "go", "Response")
def a_handler_that_returns_text(module: Any) -> None:
    @module.http_handler
    def go(ctx: HttpHandlerContext, request: Request) -> str:
        raise NotImplementedError


# The rest ---------------------------------------------------------------------------------------------------


@wrong("UnknownMethod", "'GTE'", "GET")
def a_route_by_no_method(module: Any) -> None:
    module.route("GTE", "/", "go")


@wrong("MissingHttpHandler", "/hello", "go")
def a_route_to_nowhere(module: Any) -> None:
    module.route("GET", "/hello", "go")


@wrong("DuplicateDeclaration", "Second", "First")
def two_environments(module: Any) -> None:
    @module.environment
    class First: ...

    @module.environment
    class Second: ...


@wrong("InvalidEnvironment", "Environment.SIZE", "str or a Literal")
def an_environment_of_numbers(module: Any) -> None:
    @module.environment
    class Environment:
        SIZE: U8


@wrong("NamelessType", "int", "name Size")
def a_name_for_what_has_none(module: Any) -> None:
    module.type_name(U8, "Size")


@wrong("RecursiveSubmodule", "within itself")
def a_module_within_itself(module: Any) -> None:
    other = Module()
    other.submodule("a", module)
    module.submodule("b", other)


@pytest.mark.parametrize(("kind", "says", "declare"), WRONG, ids=[declare.__name__ for *_, declare in WRONG])
def test_it_is_refused(kind: str, says: str, declare: Callable[[Any], object]) -> None:
    def declare_and_build() -> None:
        module = Module()
        declare(module)
        module.build()

    with pytest.raises(BsatnError) as caught:
        declare_and_build()
    assert type(caught.value) is DeclarationError
    assert caught.value.kind == kind, caught.value
    for part in says.split("|"):
        assert part in str(caught.value)


def test_what_only_the_server_refuses_is_found_by_validating() -> None:
    module = Module()

    @module.table(name="no name")
    class Thing(Table):
        a: U8

    module.build()
    with pytest.raises(ValidationErrors, match="no name"):
        module.validate()


def test_options_that_there_are_none_of() -> None:
    module: Any = Module()
    with pytest.raises(TypeError):
        module.table(primary_key=True)
    with pytest.raises(TypeError):
        module.reducer(public=True)(print)
    with pytest.raises(ValueError, match="snake_case, none"):
        Module(case_conversion="camelCase")  # type: ignore[arg-type]


def test_a_class_variable_is_no_column() -> None:
    module = Module()

    @module.table()
    class Thing(Table):
        LIMIT: ClassVar[int] = 3
        a: U8

    assert len(Thing.__columns__) == 1
