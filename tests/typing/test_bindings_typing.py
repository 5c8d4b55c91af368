"""What type checkers make of a module declared in Python: read by mypy and pyright, and run as any test.

A line marked `type: ignore[code]` is wrong on purpose, and both checkers are told to refuse a mark that hides no error.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, assert_type

import pytest

from bsatn import U8, U64, Codec, Identity, ScheduleAt, TimeDuration, Timestamp
from defs.bindings import (
    AnonymousViewContext,
    CanBeLookupTable,
    DeclarationError,
    EventTable,
    HttpHandlerContext,
    Module,
    ProcedureContext,
    Query,
    ReducerContext,
    Request,
    Response,
    Table,
    ViewContext,
    column,
)
from defs.raw import RawModuleDefV10
from defs.schema import ModuleDef

module = Module()


@module.table(public=True)
class Fighter(Table):
    id: U64 = column(primary_key=True, auto_inc=True)
    owner: Identity = column(unique=True)
    health: U8 = column(default_value=100)
    name: str
    back_at: ScheduleAt | None


@module.table(event=True)
class Hit(EventTable):
    target: U64
    amount: U8


@module.reducer
def rename(ctx: ReducerContext, id: U64, name: str) -> None:
    assert_type(ctx.sender, Identity)
    assert_type(ctx.timestamp, Timestamp)
    assert_type(name, str)


@module.reducer(name="heal_all")
def heal(ctx: ReducerContext) -> None: ...


@module.procedure
def score(ctx: ProcedureContext, fighter: Fighter) -> list[U64]:
    return [fighter.id]


@module.view
def mine(ctx: ViewContext) -> Fighter | None: ...


@module.view(primary_key="id")
def weak(ctx: AnonymousViewContext) -> list[Fighter]:
    return []


@module.view
def all_fighters(ctx: AnonymousViewContext) -> Query[Fighter]:
    return Query()


@module.init
def start(ctx: ReducerContext) -> None: ...


@module.http_handler
def hello(ctx: HttpHandlerContext, request: Request) -> Response:
    return Response()


_T = TypeVar("_T", bound=CanBeLookupTable)


def lookup(table: type[_T]) -> Callable[[], _T | None]:
    """Stands for a query builder's look-up, which events have no rows for."""
    assert table.IS_EVENT is False
    return lambda: None


ME = Fighter(1, Identity(2), 3, "me", None)


def test_columns_have_the_types_they_are_declared_with() -> None:
    assert_type(ME, Fighter)
    assert_type(ME.id, int)
    assert_type(ME.owner, Identity)
    assert_type(ME.health, int)
    assert_type(ME.name, str)
    assert_type(ME.back_at, TimeDuration | Timestamp | None)
    assert_type(Codec(Fighter), Codec[Fighter])
    assert_type(Codec(Fighter).decode(Codec(Fighter).encode(ME)), Fighter)


def test_rows_are_made_with_all_their_columns() -> None:
    assert Fighter(id=1, owner=Identity(2), health=3, name="me", back_at=None) == ME
    with pytest.raises(TypeError):
        Fighter(1, Identity(2), 3, "me")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Hit(target=1, amount=2, by=3)  # type: ignore[call-arg]
    Hit("1", 2)  # type: ignore[arg-type]


def test_rows_do_not_change() -> None:
    with pytest.raises(AttributeError):
        ME.health = 4  # type: ignore[misc]
    with pytest.raises(AttributeError):
        _ = ME.armour  # type: ignore[attr-defined]


def test_a_table_says_whether_its_rows_are_events() -> None:
    assert_type(Fighter.IS_EVENT, Literal[False])
    assert_type(Hit.IS_EVENT, Literal[True])
    assert_type(lookup(Fighter)(), Fighter | None)
    with pytest.raises(AssertionError):
        lookup(Hit)  # type: ignore[type-var]


def test_an_event_table_is_declared_as_one() -> None:
    with pytest.raises(DeclarationError, match="EventTable"):
        Module().table(event=True)(Fighter)  # type: ignore[type-var]
    assert Module().table(event=True)(Hit) is Hit


def test_an_event_table_has_no_schedule() -> None:
    with pytest.raises(DeclarationError, match="event table"):
        Module().table(event=True, scheduled="go")(Hit)  # type: ignore[call-overload]


def test_functions_stay_what_they_are() -> None:
    assert_type(score(ProcedureContext(), ME), list[int])
    assert_type(mine(ViewContext()), Fighter | None)
    assert_type(weak(AnonymousViewContext()), list[Fighter])
    with pytest.raises(TypeError):
        heal(ReducerContext(), 1)  # type: ignore[call-arg]


def returns(ctx: ReducerContext) -> int:
    return 1


def looks(ctx: ViewContext) -> list[Fighter]:
    return []


def begins(ctx: ReducerContext, flag: bool) -> None: ...


def answers(ctx: HttpHandlerContext, request: Request) -> str:
    return ""


def test_functions_take_their_context_and_return_what_they_may() -> None:
    wrong = Module()
    wrong.reducer(returns)  # type: ignore[type-var]
    wrong.reducer(accessor="again")(returns)  # type: ignore[type-var]
    wrong.procedure(looks)  # type: ignore[type-var]
    wrong.init(begins)  # type: ignore[type-var]
    wrong.http_handler(answers)  # type: ignore[type-var]
    other = Module()
    other.reducer(looks)  # type: ignore[type-var]
    other.view(returns)  # type: ignore[type-var]
    for one in (wrong, other):
        with pytest.raises(DeclarationError):
            one.build()


def test_there_is_no_other_index() -> None:
    column(index="tree")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="camelCase"):
        Module(case_conversion="camelCase")  # type: ignore[arg-type]


def test_what_comes_out_has_its_type() -> None:
    assert_type(module.build(), RawModuleDefV10)
    assert_type(module.validate(), ModuleDef)
    tables: Any = module.validate().tables
    assert list(tables) == ["fighter", "hit"]
