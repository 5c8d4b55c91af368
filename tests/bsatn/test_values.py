"""Values: the classes that stand for what Python has no class for, and the errors, as plain data."""

from __future__ import annotations

import copy
import datetime
import math
import pickle
import struct
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import bsatn
from bsatn.errors import (
    BsatnError,
    DecodeError,
    DefinitionError,
    EncodeError,
    LimitExceeded,
    TypeTextError,
)
from bsatn.values import (
    ConnectionId,
    F32NaN,
    Identity,
    Some,
    TimeDuration,
    Timestamp,
    Uuid,
    Variant,
    f32_from_bits,
    f32_to_bytes,
)

UTC = datetime.UTC
DAY = datetime.timedelta(days=1)

# -- plain data

VALUES: list[Any] = [
    Variant(1),
    Variant(1, 7),
    Variant(0, [Variant(2, "x")]),
    Some(None),
    Some(Some(7)),
    F32NaN(0x7F800001),
    F32NaN(0xFFC00000),
    Identity(7),
    ConnectionId(7),
    Uuid(7),
    Timestamp(-7),
    TimeDuration(7),
]
ERRORS: list[BsatnError] = [
    BsatnError("Some", "sentence", path=("a", 1)),
    DecodeError("BufferLength", offset=3, path=("rows", 2, "name"), for_type="u8", expected=1, given=0),
    DecodeError("InvalidTag", offset=0, tag=17, sum_name=None),
    EncodeError("OutOfRange", "300 does not fit u8", path=("x",)),
    LimitExceeded("depth", 512, "the value is nested too deep", offset=4, path=("a",)),
    DefinitionError("NotAType", "int has no BSATN layout"),
    TypeTextError("Syntax", "found `)`", position=3),
]
ways: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
each_way = pytest.mark.parametrize("way", ways, ids=["copy", "deepcopy", "pickle"])
values = pytest.mark.parametrize("value", VALUES, ids=repr)
errors = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)


@each_way
@values
def test_a_copy_of_a_value_is_the_same(value: Any, way: Callable[[Any], Any]) -> None:
    again = way(value)
    assert repr(again) == repr(value)
    assert type(again) is type(value)
    assert again == value or math.isnan(value)


@values
def test_a_values_repr_builds_it(value: Any) -> None:
    again = eval(repr(value), {name: getattr(bsatn, name) for name in bsatn.__all__})
    assert type(again) is type(value)
    assert repr(again) == repr(value)


@each_way
@errors
def test_a_copy_of_an_error_is_the_same(error: BsatnError, way: Callable[[Any], Any]) -> None:
    again = way(error)
    assert type(again) is type(error)
    assert again.__dict__ == error.__dict__
    assert (str(again), again.args) == (str(error), error.args)


@errors
def test_an_error_is_caught_as_what_it_is(error: BsatnError) -> None:
    assert isinstance(error, BsatnError)
    assert str(error).startswith(error.message)


def test_a_limit_is_an_error_of_either_side() -> None:
    assert issubclass(LimitExceeded, DecodeError)
    assert issubclass(LimitExceeded, EncodeError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (DecodeError("InvalidUtf8"), "invalid utf8"),
        (DecodeError("InvalidUtf8", offset=4), "invalid utf8 (at byte 4)"),
        (DecodeError("InvalidUtf8", offset=4, path=("a", 0)), "invalid utf8 (at byte 4, a[0])"),
        (DecodeError("InvalidUtf8", path=("a", "b c", 1, "0")), "invalid utf8 (at a['b c'][1].0)"),
        (EncodeError("WrongType", "no", path=(0, "a")), "no (at [0].a)"),
        (EncodeError("WrongType"), "WrongType"),
        (DecodeError("InvalidTag", tag=255, sum_name=None), "unknown tag 0xff for sum type <unknown>"),
        (DecodeError("InvalidTag", tag=2, sum_name="option"), "unknown tag 0x2 for sum type option"),
        (DecodeError("Other", text="so it is"), "so it is"),
    ],
)
def test_an_error_says_what_and_where(error: BsatnError, text: str) -> None:
    assert str(error) == text


def test_a_path_is_a_tuple_whatever_it_was() -> None:
    steps: list[str | int] = ["a", 1]
    assert DecodeError("InvalidUtf8", path=iter(steps)).path == ("a", 1)


# -- Variant and Some


def test_a_variant_is_the_pair_of_tag_and_value() -> None:
    variant = Variant(1, "x")
    assert (variant.tag, variant.value) == (1, "x")
    assert variant == (1, "x")
    assert hash(variant) == hash((1, "x"))
    assert Variant(3) == (3, ())


def test_a_variant_is_matched_by_position() -> None:
    match Variant(2, 7):
        case Variant(2, payload):
            assert payload == 7
        case _:
            pytest.fail("no match")


def test_some_is_matched_by_position() -> None:
    match Some(None):
        case Some(value):
            assert value is None
        case _:
            pytest.fail("no match")


def test_some_of_none_is_not_none() -> None:
    options: list[object] = [None, Some(None), Some(Some(None))]
    assert options[0] != options[1] != options[2] != options[0]


def test_a_variant_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Variant(1).tag = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Variant(1).more = 2  # type: ignore[attr-defined]


# -- 32-bit NaNs


@pytest.mark.parametrize("bits", [0x7F800001, 0x7FC00000, 0x7FFFFFFF, 0xFF800001, 0xFFFFFFFF])
def test_a_nan_knows_its_bits(bits: int) -> None:
    value = F32NaN(bits)
    assert math.isnan(value)
    assert value.bits == bits
    assert f32_to_bytes(value) == bits.to_bytes(4, "little")


@pytest.mark.parametrize("bits", [0, 1, 0x3F800000, 0x7F800000, 0xFF800000, 0x80000000, 1 << 32, 0x17FC00000, -1])
def test_what_is_no_nan_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="NaN"):
        F32NaN(bits)


@pytest.mark.parametrize("bits", [0, 0x80000000, 0x3FC00000, 0x7F800000, 0xFF800000, 1, 0x7F800001, 0x7FC00000, 0xFFC00001])
def test_any_32_bits_are_a_float_that_gives_them_back(bits: int) -> None:
    assert f32_to_bytes(f32_from_bits(bits)) == bits.to_bytes(4, "little")


def test_only_a_signalling_nan_needs_a_class_of_its_own() -> None:
    assert type(f32_from_bits(0x7FC00000)) is float
    assert type(f32_from_bits(0x7F800001)) is F32NaN


# -- Identity, ConnectionId, Uuid: hex


@pytest.mark.parametrize(("cls", "digits"), [(Identity, 64), (ConnectionId, 32), (Uuid, 32)])
def test_hex_is_big_endian_and_of_full_width(cls: Any, digits: int) -> None:
    text = "c2" + "0" * (digits - 3) + "1"
    value = cls.from_hex(text)
    assert value == (0xC2 << (4 * digits - 8)) + 1
    assert value.hex() == text
    assert cls.from_hex("0x" + text) == cls.from_hex("0X" + text.upper()) == value


@pytest.mark.parametrize("cls", [Identity, ConnectionId, Uuid])
@pytest.mark.parametrize("spoil", [
    lambda text: "", lambda text: "0x", lambda text: text[1:], lambda text: text + "0", lambda text: "g" + text[1:],
    lambda text: " " + text[1:], lambda text: "-" + text[1:], lambda text: "+" + text[1:],
    lambda text: text[:3] + "_" + text[4:],
    lambda text: "0x0x" + text[4:], lambda text: "\u0661" + text[1:], lambda text: "\uff11" + text[1:],
    lambda text: "0x" + text[2:],
], ids=range(13))  # fmt: skip
def test_what_is_no_hex_of_full_width_is_refused(cls: Any, spoil: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match=r"hex digits|base 16"):
        cls.from_hex(spoil("1" * (cls.BITS // 4)))


def test_a_uuid_is_the_standard_librarys() -> None:
    standard = uuid.UUID("12345678-1234-5678-9abc-def012345678")
    value = Uuid.from_uuid(standard)
    assert value.to_uuid() == standard
    assert value.hex() == standard.hex


# -- Timestamp and TimeDuration


@pytest.mark.parametrize(
    ("micros", "moment"),
    [
        (0, datetime.datetime(1970, 1, 1, tzinfo=UTC)),
        (-1, datetime.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        (1_700_000_000_123_456, datetime.datetime(2023, 11, 14, 22, 13, 20, 123_456, tzinfo=UTC)),
        (253_402_300_799_999_999, datetime.datetime.max.replace(tzinfo=UTC)),
        (-62_135_596_800_000_000, datetime.datetime.min.replace(tzinfo=UTC)),
    ],
)
def test_a_timestamp_is_a_datetime(micros: int, moment: datetime.datetime) -> None:
    assert Timestamp(micros).to_datetime() == moment
    assert Timestamp.from_datetime(moment) == micros
    assert Timestamp(micros).to_datetime().tzinfo is UTC


def test_a_timestamp_of_another_zone_is_the_same_moment() -> None:
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    assert Timestamp.from_datetime(datetime.datetime(1970, 1, 1, 5, 30, tzinfo=zone)) == 0


def test_a_datetime_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Timestamp.from_datetime(datetime.datetime(2020, 1, 1))


@pytest.mark.parametrize("micros", [2**63 - 1, -(2**63), 253_402_300_800_000_000])
def test_a_timestamp_past_the_years_of_datetime_overflows(micros: int) -> None:
    with pytest.raises(OverflowError):
        Timestamp(micros).to_datetime()


@pytest.mark.parametrize("span", [DAY, -DAY, DAY * 0, datetime.timedelta(microseconds=-1), datetime.timedelta.max])
def test_a_duration_is_a_timedelta(span: datetime.timedelta) -> None:
    assert TimeDuration.from_timedelta(span).to_timedelta() == span


def test_every_duration_of_the_wire_is_a_timedelta() -> None:
    assert TimeDuration(2**63 - 1).to_timedelta() // datetime.timedelta(microseconds=1) == 2**63 - 1


def test_special_values_are_integers() -> None:
    assert Timestamp(7) == 7
    assert sorted([Timestamp(2), Timestamp(1)]) == [1, 2]
    assert hash(Identity(7)) == hash(7)
    assert struct.pack("<q", TimeDuration(-1)) == b"\xff" * 8


def test_special_values_say_what_they_are() -> None:
    assert str(Timestamp(7)) == "Timestamp(7)"
    assert f"{ConnectionId(1)!r}" == f"ConnectionId.from_hex('{'0' * 31}1')"
