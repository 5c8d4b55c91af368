"""A SpacetimeDB module for its clients, by `bsatn generate`: do not edit."""

from __future__ import annotations

from typing import Annotated, Never, TypeAlias

from bsatn import (
    F32,
    I32,
    I64,
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
    case,
    record,
    variants,
)
from defs.generate.calls import ProcedureCall, ReducerCall
from defs.query import Column, EventTable, IndexedColumn, Table, View, kinds


@record
class AuditEvent:
    seq: U64
    actor: Identity
    what: str
    trace: Uuid


@record
class DamageEvent:
    target: U64
    amount: U32
    kind: DamageKind
    at: Timestamp


@case(name="Melee")
class DamageKindMelee:
    pass


@case(name="Ranged")
class DamageKindRanged:
    value: U32


@case(name="Area")
class DamageKindArea:
    value: Vec2


@record
class Vec2:
    x: F32
    y: F32


@record
class Fighter:
    id: U64
    owner: Identity
    name: str
    level: U32
    team: U8
    health: I32
    pos: Vec2
    loadout: Loadout
    session: ConnectionId | None


@case(name="ok")
class ResultU16StringOk:
    value: U16


@case(name="err")
class ResultU16StringErr:
    value: str


@record
class Loadout:
    slots: list[str | None]
    weight: ResultU16String


@record
class Ledger:
    key: U128
    balance: I64
    big: U256
    tag: str
    lane: U16


@record
class RespawnTimer:
    scheduled_id: U64
    scheduled_at: ScheduleAt
    fighter: U64
    delay: TimeDuration


DamageKind: TypeAlias = Annotated[
    DamageKindMelee | DamageKindRanged | DamageKindArea,
    variants("DamageKind"),
]
ResultU16String: TypeAlias = Annotated[
    ResultU16StringOk | ResultU16StringErr,
    variants("ResultU16String"),
]


class AuditEventTable(EventTable[AuditEvent], name="audit_event"):
    """A private table of events."""

    seq: IndexedColumn[AuditEventTable, int, kinds.U64]
    actor: Column[AuditEventTable, Identity, kinds.Identity]
    what: Column[AuditEventTable, str, kinds.String]
    trace: Column[AuditEventTable, Uuid, kinds.Uuid]


audit_event = AuditEventTable()


class DamageEventTable(Table[DamageEvent], name="damage_event"):
    """A public table of rows."""

    target: Column[DamageEventTable, int, kinds.U64]
    amount: Column[DamageEventTable, int, kinds.U32]
    kind: Column[DamageEventTable, Never, DamageKind]
    at: Column[DamageEventTable, Timestamp, kinds.Timestamp]


damage_event = DamageEventTable()


class FighterTable(Table[Fighter], name="fighter"):
    """A public table of rows."""

    id: IndexedColumn[FighterTable, int, kinds.U64]
    owner: IndexedColumn[FighterTable, Identity, kinds.Identity]
    name: IndexedColumn[FighterTable, str, kinds.String]
    level: Column[FighterTable, int, kinds.U32]
    team: Column[FighterTable, int, kinds.U8]
    health: Column[FighterTable, int, kinds.I32]
    pos: Column[FighterTable, Never, Vec2]
    loadout: Column[FighterTable, Never, Loadout]
    session: Column[FighterTable, Never, kinds.Option[kinds.ConnectionId]]


fighter = FighterTable()


class LedgerTable(Table[Ledger], name="ledger"):
    """A private table of rows."""

    key: IndexedColumn[LedgerTable, int, kinds.U128]
    balance: Column[LedgerTable, int, kinds.I64]
    big: Column[LedgerTable, int, kinds.U256]
    tag: IndexedColumn[LedgerTable, str, kinds.String]
    lane: IndexedColumn[LedgerTable, int, kinds.U16]


ledger = LedgerTable()


class RespawnTimerTable(Table[RespawnTimer], name="respawn_timer"):
    """A private table of rows."""

    scheduled_id: IndexedColumn[RespawnTimerTable, int, kinds.U64]
    scheduled_at: Column[RespawnTimerTable, Never, kinds.ScheduleAt]
    fighter: Column[RespawnTimerTable, int, kinds.U64]
    delay: Column[RespawnTimerTable, Never, kinds.TimeDuration]


respawn_timer = RespawnTimerTable()


class MyFighterView(View[Fighter], name="my_fighter"):
    """A view of rows."""

    id: Column[MyFighterView, int, kinds.U64]
    owner: Column[MyFighterView, Identity, kinds.Identity]
    name: Column[MyFighterView, str, kinds.String]
    level: Column[MyFighterView, int, kinds.U32]
    team: Column[MyFighterView, int, kinds.U8]
    health: Column[MyFighterView, int, kinds.I32]
    pos: Column[MyFighterView, Never, Vec2]
    loadout: Column[MyFighterView, Never, Loadout]
    session: Column[MyFighterView, Never, kinds.Option[kinds.ConnectionId]]


my_fighter = MyFighterView()


class TopFightersView(View[Fighter], name="top_fighters"):
    """A view of rows."""

    id: Column[TopFightersView, int, kinds.U64]
    owner: Column[TopFightersView, Identity, kinds.Identity]
    name: Column[TopFightersView, str, kinds.String]
    level: Column[TopFightersView, int, kinds.U32]
    team: Column[TopFightersView, int, kinds.U8]
    health: Column[TopFightersView, int, kinds.I32]
    pos: Column[TopFightersView, Never, Vec2]
    loadout: Column[TopFightersView, Never, Loadout]
    session: Column[TopFightersView, Never, kinds.Option[kinds.ConnectionId]]


top_fighters = TopFightersView()


@record
class HitArgs(ReducerCall):
    """Arguments of a reducer."""

    NAME = "hit"

    target: U64
    amount: U32
    kind: DamageKind


@record
class RenameArgs(ReducerCall):
    """Arguments of a reducer."""

    NAME = "rename"

    new_name: str
    id: U64


@record
class RespawnArgs(ReducerCall):
    """Arguments of a reducer, which only the module calls."""

    NAME = "respawn"

    timer: RespawnTimer


@record
class ScoreArgs(ProcedureCall[list[U64]]):
    """Arguments of a procedure."""

    NAME = "score"
    RETURNS = list[U64]

    fighter: U64
    bonus: I64 | None
