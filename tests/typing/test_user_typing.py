"""What a type checker makes of code that uses the package: read by mypy and pyright, and run as any test.

A line marked `type: ignore[code]` is wrong on purpose: strict checking refuses a mark that hides no error, so each mark
proves that the error is found.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, TypeAlias, assert_never, assert_type

import pytest

import bsatn
import defs
from bsatn import (
    F32,
    U8,
    U32,
    U64,
    Bytes,
    Codec,
    Identity,
    Limits,
    ScheduleAt,
    TimeDuration,
    Timestamp,
    Typespace,
    case,
    field,
    record,
    type_of,
    variants,
)
from bsatn.types import AlgebraicType
from defs.raw import RawModuleDefV8, RawModuleDefV9, RawModuleDefV10


class Team(enum.Enum):
    Red = 0
    Blue = 1


@record
class Damage:
    target: U64
    amount: U32
    at: Timestamp
    team: Team
    by: Identity | None
    notes: list[str]
    spot: tuple[F32, F32]
    icon: Bytes
    again: ScheduleAt
    shown: bool = field(default=True, name="is_shown")


@case
class Melee:
    pass


@case
class Ranged:
    distance: U32


@record
class Push:
    x: F32
    y: F32


Attack: TypeAlias = Annotated[Melee | Ranged | Push, variants("Attack")]

DAMAGE = Damage(1, 2, Timestamp(3), Team.Red, None, ["a"], (0.5, 1.5), b"", TimeDuration(1))


def test_fields_have_the_types_they_are_declared_with() -> None:
    assert_type(DAMAGE.target, int)
    assert_type(DAMAGE.amount, int)
    assert_type(DAMAGE.at, Timestamp)
    assert_type(DAMAGE.team, Team)
    assert_type(DAMAGE.by, Identity | None)
    assert_type(DAMAGE.notes, list[str])
    assert_type(DAMAGE.spot, tuple[float, float])
    assert_type(DAMAGE.icon, bytes)
    assert_type(DAMAGE.again, TimeDuration | Timestamp)
    assert_type(DAMAGE.shown, bool)


def test_a_codec_is_of_its_record() -> None:
    codec = Codec(Damage)
    assert_type(codec, Codec[Damage])
    assert_type(codec.decode(codec.encode(DAMAGE)), Damage)
    assert_type(codec.decode_from(codec.encode(DAMAGE)), tuple[Damage, int])
    assert_type(codec.decode_many(codec.encode_many([DAMAGE])), list[Damage])
    for value in codec.iter_decode(codec.encode(DAMAGE)):
        assert_type(value, Damage)


def test_a_codec_of_a_plain_class_is_of_that_class() -> None:
    assert_type(Codec(str).decode(b"\1\0\0\0a"), str)
    assert_type(Codec(bool).decode(b"\1"), bool)
    assert_type(Codec(Identity).decode(bytes(32)), Identity)


def test_a_codec_of_a_type_is_of_what_one_says() -> None:
    codec: Codec[int] = Codec(bsatn.U8)
    assert_type(codec.decode(b"\7"), int)
    values: Codec[Any] = Codec(bsatn.product(x=bsatn.U8), Typespace(), limits=Limits(depth=9))
    assert values.decode(b"\7") == (7,)


def test_types_are_types() -> None:
    assert_type(type_of(Damage), AlgebraicType)


def test_a_field_of_another_type_is_found() -> None:
    assert Push("1", 2.0)  # type: ignore[arg-type]
    assert Ranged(distance=None)  # type: ignore[arg-type]


def test_a_field_that_is_missing_is_found() -> None:
    with pytest.raises(TypeError):
        Push(1.0)  # type: ignore[call-arg]


def test_a_field_too_many_is_found() -> None:
    with pytest.raises(TypeError):
        Push(1.0, 2.0, 3.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Push(1.0, y=2.0, z=3.0)  # type: ignore[call-arg]


def test_a_change_of_a_record_is_found() -> None:
    with pytest.raises(AttributeError):
        Push(1.0, 2.0).x = 3.0  # type: ignore[misc]


def test_a_field_that_is_none_is_found() -> None:
    with pytest.raises(AttributeError):
        _ = Push(1.0, 2.0).z  # type: ignore[attr-defined]


def test_a_value_of_another_class_is_not_written() -> None:
    with pytest.raises(bsatn.EncodeError):
        Codec(Push).encode(Ranged(1))  # type: ignore[arg-type]


def reach(attack: Attack) -> float:
    """Matches every variant: a checker sees that nothing is left."""
    match attack:
        case Melee():
            return 1.0
        case Ranged(distance):
            assert_type(distance, int)
            return distance
        case Push(x=x, y=y):
            assert_type(x, float)
            return x + y
        case _:
            assert_never(attack)


def forgetful(attack: Attack) -> float:
    """Leaves one out: a checker sees that too."""
    match attack:
        case Melee():
            return 1.0
        case Ranged(distance):
            return distance
        case _:
            assert_never(attack)  # type: ignore[arg-type]


def test_variants_are_matched_to_the_last() -> None:
    assert [reach(attack) for attack in (Melee(), Ranged(7), Push(1.0, 2.0))] == [1.0, 7, 3.0]
    with pytest.raises(AssertionError):
        forgetful(Push(1.0, 2.0))


def version(definition: defs.RawModuleDef) -> int:
    match definition:
        case RawModuleDefV8():
            return 8
        case RawModuleDefV9(tables=tables):
            return 9 + 0 * len(tables)
        case RawModuleDefV10():
            assert_type(definition.typespace, Typespace)
            assert_type(definition.tables[0].is_event if definition.tables else False, bool)
            return 10
        case _:
            assert_never(definition)


def test_definitions_are_matched_to_the_last() -> None:
    assert version(defs.decode(bytes.fromhex("0200000000"))) == 10


def test_errors_have_their_fields() -> None:
    with pytest.raises(bsatn.DecodeError) as caught:
        Codec(U8).decode(b"")
    assert_type(caught.value.offset, int | None)
    assert_type(caught.value.kind, str)
    assert_type(caught.value.where, str)
