"""vectors/modules/arena_v2.rs, written in Python: declaration for declaration, in the same order."""

from __future__ import annotations

from typing import Annotated

from bsatn import (
    F32,
    I32,
    I64,
    I128,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
    ConnectionId,
    Identity,
    ScheduleAt,
    TimeDuration,
    Timestamp,
    Uuid,
    Variant,
    case,
    record,
    result,
    variants,
)
from defs.bindings import (
    AnonymousViewContext,
    EventTable,
    Index,
    Module,
    ProcedureContext,
    ReducerContext,
    Table,
    ViewContext,
    column,
)

module = Module()


@record
class Vec2:
    x: F32
    y: F32


@case
class Melee:
    pass


@case
class Ranged:
    distance: U32


@case
class Area:
    spot: Vec2


@case
class Poison:
    pass


DamageKind = Annotated[Melee | Ranged | Area | Poison, variants("DamageKind")]


@record
class Loadout:
    slots: list[str | None]
    weight: Annotated[Variant, result(U16, str)]


@module.table(public=True, indexes=[Index.btree("team", "level", accessor="by_team_level")])
class Fighter(Table):
    id: U64 = column(primary_key=True, auto_inc=True)
    owner: Identity = column(unique=True)
    name: str = column(index="btree")
    team: U8
    level: U32
    health: I32 = column(default_value=100)
    pos: Vec2
    loadout: Loadout
    session: ConnectionId | None
    experience: U64 = column(default_value=0)


@module.table(public=True, event=True)
class DamageEvent(EventTable):
    target: U64
    amount: U32
    kind: DamageKind
    at: Timestamp


@module.table(event=True)
class AuditEvent(EventTable):
    seq: U64 = column(primary_key=True, auto_inc=True)
    actor: Identity
    what: str
    trace: Uuid


@module.table()
class Ledger(Table):
    key: U128 = column(primary_key=True)
    balance: I128
    big: U256
    tag: str = column(index="hash")
    lane: U16 = column(unique=True, index="direct")


@module.table(scheduled="respawn")
class RespawnTimer(Table):
    scheduled_id: U64 = column(primary_key=True, auto_inc=True)
    scheduled_at: ScheduleAt
    fighter: U64
    delay: TimeDuration


@module.init
def init(ctx: ReducerContext) -> None:
    pass


@module.client_connected
def on_connect(ctx: ReducerContext) -> None:
    pass


@module.client_disconnected
def on_disconnect(ctx: ReducerContext) -> None:
    pass


@module.reducer
def hit(ctx: ReducerContext, target: U64, amount: U32, kind: DamageKind) -> None:
    ctx.db.damage_event.insert(DamageEvent(target, amount, kind, ctx.timestamp))


@module.reducer
def rename(ctx: ReducerContext, id: U64, new_name: str) -> None:
    pass


@module.reducer
def respawn(ctx: ReducerContext, timer: RespawnTimer) -> None:
    pass


@module.procedure
def score(ctx: ProcedureContext, fighter: U64, bonus: I64 | None) -> list[U64]:
    return [fighter]


@module.view
def my_fighter(ctx: ViewContext) -> Fighter | None:
    found: Fighter | None = ctx.db.fighter.owner.find(ctx.sender)
    return found


@module.view
def top_fighters(ctx: AnonymousViewContext) -> list[Fighter]:
    return list(ctx.db.fighter.name.filter("top"))


@module.table(public=True, event=True)
class ChatEvent(EventTable):
    from_: Identity
    text: str


@module.reducer
def say(ctx: ReducerContext, text: str) -> None:
    ctx.db.chat_event.insert(ChatEvent(ctx.sender, text))
