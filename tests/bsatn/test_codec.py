"""The one door: decode, decode_from, decode_many, iter_decode, encode, encode_many, and their errors."""

from __future__ import annotations

import gc
import math
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bsatn import types as t
from bsatn.annotations import F32, F64, I8, U8, U16, U32, Bool, Bytes, String, Unit, array, option, product, sum_
from bsatn.codec import Codec
from bsatn.engines import Engine, available
from bsatn.errors import BsatnError, DecodeError, DefinitionError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import record
from bsatn.values import F32NaN, Identity, Some, TimeDuration, Timestamp, Variant

ENGINES = available()
each_engine = pytest.mark.parametrize("engine", ENGINES)

ROW = product(id=U16, name=String)
ROWS = [(1, "a"), (2, ""), (3, "é")]
DATA = bytes.fromhex("0100" "01000000" "61" "0200" "00000000" "0300" "02000000" "c3a9")  # fmt: skip


@record
class Point:
    x: F32
    y: F32


def codec(kind: Any, engine: Engine = "python", **limits: int) -> Codec[Any]:
    return Codec[Any](kind, engine=engine, limits=Limits(**limits))


def refusal(work: Callable[[], object]) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        work()
    return caught.value


def encode_refusal(work: Callable[[], object]) -> EncodeError:
    with pytest.raises(EncodeError) as caught:
        work()
    return caught.value


# -- what may be passed


@each_engine
@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_any_buffer_is_read(wrap: Callable[[bytes], Any], engine: Engine) -> None:
    row = codec(ROW, engine)
    assert row.decode(wrap(DATA[:7])) == ROWS[0]
    assert row.decode_from(wrap(DATA), 7) == (ROWS[1], 13)
    assert row.decode_many(wrap(DATA)) == ROWS
    assert list(row.iter_decode(wrap(DATA))) == ROWS


@each_engine
def test_bytes_read_from_a_buffer_are_bytes_of_their_own(engine: Engine) -> None:
    data = bytearray(b"\1\0\0\0\7")
    value = codec(Bytes, engine).decode(data)
    data[4] = 0
    assert type(value) is bytes
    assert value == b"\7"


@each_engine
def test_a_slice_of_a_buffer_is_read(engine: Engine) -> None:
    spread = bytes(byte for pair in zip(DATA, DATA, strict=True) for byte in pair)
    assert codec(ROW, engine).decode_many(memoryview(spread)[::2]) == ROWS


@each_engine
@pytest.mark.parametrize("data", ["00", None, 7, [0], (0,), object()])
def test_what_is_no_buffer_is_a_type_error(data: Any, engine: Engine) -> None:
    row = codec(U8, engine)
    for method in (row.decode, row.decode_from, row.decode_many, row.iter_decode):
        with pytest.raises(TypeError, match="bytes are needed"):
            method(data)


@pytest.mark.parametrize("annotation", [int, object, "U8", 7, type, dict[str, int]])
def test_what_is_no_type_makes_no_codec(annotation: Any) -> None:
    with pytest.raises(DefinitionError):
        Codec(annotation)


# -- decode


@each_engine
def test_bytes_after_the_value_are_an_error(engine: Engine) -> None:
    error = refusal(lambda: codec(U16, engine).decode(b"\1\0\2"))
    assert (error.kind, error.offset, error.path, error.fields) == ("TrailingBytes", 2, (), {"unread": 1})


@each_engine
def test_bytes_after_the_value_may_be_allowed(engine: Engine) -> None:
    assert codec(U16, engine).decode(b"\1\0\2", trailing="allow") == 1


@each_engine
def test_too_few_bytes_are_an_error_even_where_more_is_allowed(engine: Engine) -> None:
    assert refusal(lambda: codec(U16, engine).decode(b"\1", trailing="allow")).kind == "BufferLength"


@each_engine
def test_a_value_without_bytes_is_read_from_nothing(engine: Engine) -> None:
    assert codec(Unit, engine).decode(b"") == ()


# -- decode_from


@each_engine
def test_a_value_is_read_from_the_middle(engine: Engine) -> None:
    row = codec(ROW, engine)
    assert [row.decode_from(DATA, offset) for offset in (0, 7, 13)] == list(zip(ROWS, (7, 13, 21), strict=True))


@each_engine
def test_an_error_in_the_middle_counts_from_the_start(engine: Engine) -> None:
    error = refusal(lambda: codec(ROW, engine).decode_from(DATA[:-1], 13))
    assert (error.kind, error.offset, error.where) == ("BufferLength", 19, "name")


@each_engine
def test_a_value_without_bytes_is_read_from_the_end(engine: Engine) -> None:
    assert codec(Unit, engine).decode_from(DATA, len(DATA)) == ((), len(DATA))


@each_engine
@pytest.mark.parametrize("offset", [-1, 22, 10**20])
def test_an_offset_outside_the_data_is_a_value_error(offset: int, engine: Engine) -> None:
    with pytest.raises(ValueError, match="outside"):
        codec(ROW, engine).decode_from(DATA, offset)


# -- skip


@each_engine
def test_values_are_skipped(engine: Engine) -> None:
    row = codec(ROW, engine)
    assert [row.skip(DATA, offset) for offset in (0, 7, 13)] == [7, 13, 21]
    assert [row.skip(memoryview(DATA), count=count) for count in range(4)] == [0, 7, 13, 21]
    assert row.skip(DATA, 7, count=2) == 21


@each_engine
def test_a_bad_value_is_not_skipped(engine: Engine) -> None:
    row = codec(ROW, engine)
    error = refusal(lambda: row.skip(DATA[:-1], count=3))
    assert (error.kind, error.offset, error.where) == ("BufferLength", 19, "[2].name")
    assert refusal(lambda: row.skip(DATA, count=4)).where == "[3].id"
    assert refusal(lambda: row.skip(DATA, count=10**30)).where == "[3].id"
    with pytest.raises(ValueError, match="outside"):
        row.skip(DATA, 22)
    with pytest.raises(ValueError, match="not -1"):
        row.skip(DATA, count=-1)


@each_engine
def test_any_number_of_values_without_bytes_is_skipped_at_once(engine: Engine) -> None:
    assert codec(Unit, engine).skip(DATA, 3, count=10**15) == 3


# -- decode_many and iter_decode


def many(row: Codec[Any], data: bytes, count: int | None = None) -> list[Any]:
    return row.decode_many(data, count=count)


def each(row: Codec[Any], data: bytes, count: int | None = None) -> list[Any]:
    return list(row.iter_decode(data, count=count))


ways = pytest.mark.parametrize("read", [many, each])


@each_engine
@ways
def test_rows_back_to_back_are_read(read: Any, engine: Engine) -> None:
    assert read(codec(ROW, engine), DATA) == ROWS


@each_engine
@ways
def test_no_rows_are_read_from_nothing(read: Any, engine: Engine) -> None:
    assert read(codec(ROW, engine), b"") == []


@each_engine
@ways
def test_rows_are_as_many_as_told(read: Any, engine: Engine) -> None:
    assert read(codec(ROW, engine), DATA, 3) == ROWS


@each_engine
@ways
def test_fewer_rows_than_told_are_an_error(read: Any, engine: Engine) -> None:
    error = refusal(lambda: read(codec(ROW, engine), DATA, 4))
    assert (error.kind, error.offset, error.where) == ("BufferLength", len(DATA), "[3].id")


@each_engine
@ways
def test_more_rows_than_told_are_bytes_left_over(read: Any, engine: Engine) -> None:
    error = refusal(lambda: read(codec(ROW, engine), DATA, 2))
    assert (error.kind, error.offset, error.fields) == ("TrailingBytes", 13, {"unread": 8})


@each_engine
@ways
def test_an_error_names_the_row_and_the_byte(read: Any, engine: Engine) -> None:
    error = refusal(lambda: read(codec(ROW, engine), DATA[:-1]))
    assert (error.kind, error.offset, error.path) == ("BufferLength", 19, (2, "name"))
    assert "[2].name" in str(error)


@each_engine
@ways
@pytest.mark.parametrize("kind", [product(a=U32, b=Bool), U16, array(U8)])
def test_half_a_row_at_the_end_is_an_error(read: Any, kind: Any, engine: Engine) -> None:
    row = codec(kind, engine)
    whole = row.encode(row.decode(bytes(row.min_width)))
    error = refusal(lambda: read(row, whole * 3 + whole[:-1]))
    assert error.kind == "BufferLength"
    assert error.path[0] == 3


@each_engine
@ways
def test_a_bad_row_of_fixed_width_is_named(read: Any, engine: Engine) -> None:
    error = refusal(lambda: read(codec(product(a=U32, b=Bool), engine), b"\0\0\0\0\1" * 2 + b"\0\0\0\0\2"))
    assert (error.kind, error.offset, error.where) == ("InvalidBool", 14, "[2].b")


@each_engine
@ways
def test_rows_without_bytes_need_a_count(read: Any, engine: Engine) -> None:
    with pytest.raises(ValueError, match="count="):
        read(codec(Unit, engine), b"")


@each_engine
@ways
def test_rows_without_bytes_are_as_many_as_told(read: Any, engine: Engine) -> None:
    assert read(codec(product(a=Unit), engine), b"", 3) == [((),)] * 3


@each_engine
@ways
def test_no_rows_told_are_none_read(read: Any, engine: Engine) -> None:
    assert read(codec(ROW, engine), b"", 0) == []
    assert refusal(lambda: read(codec(ROW, engine), DATA, 0)).kind == "TrailingBytes"


@each_engine
def test_rows_are_read_one_at_a_time(engine: Engine) -> None:
    rows = codec(ROW, engine).iter_decode(DATA[:-1])
    assert isinstance(rows, Iterator)
    assert [next(rows), next(rows)] == ROWS[:2]
    assert refusal(lambda: next(rows)).where == "[2].name"


@each_engine
def test_a_missing_count_is_an_error_before_the_first_row(engine: Engine) -> None:
    with pytest.raises(ValueError, match="count="):
        codec(Unit, engine).iter_decode(b"")


# -- encode


@each_engine
def test_rows_are_written_back_to_back(engine: Engine) -> None:
    assert codec(ROW, engine).encode_many(ROWS) == DATA
    assert codec(ROW, engine).encode_many(row for row in ROWS) == DATA
    assert codec(ROW, engine).encode_many([]) == b""


@each_engine
@pytest.mark.parametrize(
    ("kind", "value", "fault", "where"),
    [
        (U8, "7", "WrongType", ""),
        (U8, 7.0, "WrongType", ""),
        (U8, None, "WrongType", ""),
        (U8, 256, "OutOfRange", ""),
        (U8, -1, "OutOfRange", ""),
        (I8, -129, "OutOfRange", ""),
        (U32, 2**32, "OutOfRange", ""),
        (t.I128, 2**127, "OutOfRange", ""),
        (t.U256, -1, "OutOfRange", ""),
        (t.U256, 2**256, "OutOfRange", ""),
        (F32, 1e39, "OutOfRange", ""),
        (F64, "1.5", "WrongType", ""),
        (Bool, 2, "WrongType", ""),
        (Bool, "true", "WrongType", ""),
        (String, b"a", "WrongType", ""),
        (String, "\ud800", "InvalidUtf8", ""),
        (Bytes, "a", "WrongType", ""),
        (Bytes, [1, 2], "WrongType", ""),
        (array(U16), 7, "WrongType", ""),
        (array(U16), [1, "x"], "WrongType", "[1]"),
        (array(U16), [1, 2**16], "OutOfRange", "[1]"),
        (array(U16), [0] * 50 + [-1], "OutOfRange", "[50]"),
        (array(U16), {1, 2}, "WrongType", ""),
        (product(a=U8, b=U8), (1,), "WrongLength", ""),
        (product(a=U8, b=U8), (1, 2, 3), "WrongLength", ""),
        (product(a=U8, b=U8), (1, "x"), "WrongType", "b"),
        (product(a=U8, b=U8), {"a": 1, "b": 2}, "WrongType", ""),
        (product(a=product(b=array(U8), c=array(U16))), ((b"", [-1]),), "OutOfRange", "a.c[0]"),
        (sum_(a=U8), Variant(1, 0), "UnknownVariant", ""),
        (sum_(a=U8), Variant(-1, 0), "UnknownVariant", ""),
        (sum_(a=U8), ("b", 0), "UnknownVariant", ""),
        (sum_(a=U8), Variant(0, "x"), "WrongType", "a"),
        (sum_(a=U8), 7, "WrongType", ""),
        (option(option(U8)), 7, "WrongType", ""),
        (option(option(U8)), Some("x"), "WrongType", "some.some"),
        (t.SCHEDULE_AT, 7, "WrongType", ""),
        (t.IDENTITY, 2**256, "OutOfRange", ""),
        (t.TIMESTAMP, 2**63, "OutOfRange", ""),
        (t.NEVER, 0, "WrongType", ""),
        (Point, (1.0, 2.0), "WrongType", ""),
        (t.AlgebraicType, 7, "WrongType", ""),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_with_its_place(
    kind: Any, value: Any, fault: str, where: str, engine: Engine
) -> None:
    error = encode_refusal(lambda: codec(kind, engine).encode(value))
    assert (error.kind, error.where) == (fault, where)


@each_engine
def test_an_error_names_the_row_that_cannot_be_written(engine: Engine) -> None:
    error = encode_refusal(lambda: codec(ROW, engine).encode_many([ROWS[0], (2, b"")]))
    assert (error.kind, error.where) == ("WrongType", "[1].name")


@each_engine
def test_an_error_does_not_spell_out_a_vast_value(engine: Engine) -> None:
    error = encode_refusal(lambda: codec(U8, engine).encode("x" * 10**6))
    assert len(error.message) < 200
    error = encode_refusal(lambda: codec(U8, engine).encode(1 << 10**6))
    assert len(error.message) < 200


@each_engine
@pytest.mark.parametrize(
    ("kind", "value", "data"),
    [
        (U8, True, "01"),
        (F32, 1, "0000803f"),
        (Bool, 1, "01"),
        (Bytes, bytearray(b"\7"), "0100000007"),
        (array(U16), (1, 2), "0200000001000200"),
        (product(a=U8, b=U8), [1, 2], "0102"),
        (sum_(a=U8, b=Unit), ("a", 7), "0007"),
        (sum_(a=U8, b=Unit), (1, ()), "01"),
        (sum_(a=U8, b=Unit), [0, 7], "0007"),
        (t.IDENTITY, 1, "01" + "00" * 31),
        (t.SCHEDULE_AT, TimeDuration(1), "000100000000000000"),
        (t.SCHEDULE_AT, Timestamp(1), "010100000000000000"),
    ],
)
def test_what_is_as_good_as_the_value_is_written(kind: Any, value: Any, data: str, engine: Engine) -> None:
    assert codec(kind, engine).encode(value).hex() == data


# -- floats


@each_engine
@pytest.mark.parametrize("bits", [0x7F800001, 0xFF800001, 0x7FBFFFFF, 0x7FC00000, 0xFFC00001, 0x7FFFFFFF])
@pytest.mark.parametrize(
    ("kind", "lead"),
    [(F32, b""), (array(F32), b"\1\0\0\0"), (product(a=U8, b=F32), b"\7")],
    ids=["alone", "in an array", "in a product"],
)
def test_a_32_bit_nan_keeps_its_bits(kind: Any, lead: bytes, bits: int, engine: Engine) -> None:
    data = lead + struct.pack("<I", bits)
    one = codec(kind, engine)
    assert one.encode(one.decode(data)) == data
    assert one.encode_many(one.decode_many(data * 40)) == data * 40


@each_engine
def test_a_signalling_nan_is_a_float_that_knows_its_bits(engine: Engine) -> None:
    value = codec(F32, engine).decode(bytes.fromhex("010080ff"))
    assert isinstance(value, F32NaN)
    assert value.bits == 0xFF800001
    assert math.isnan(value)


@each_engine
@pytest.mark.parametrize("count", [1, 15, 16, 17, 100])
def test_one_nan_among_many_floats_keeps_its_bits(count: int, engine: Engine) -> None:
    data = struct.pack("<I", count) + struct.pack("<f", 1.5) * (count - 1) + bytes.fromhex("010080ff")
    floats = codec(array(F32), engine)
    assert floats.encode(floats.decode(data)) == data


# -- limits


@each_engine
@pytest.mark.parametrize(
    ("limits", "kind", "data", "limit"),
    [
        ({"depth": 2}, product(a=U8, b=array(product(c=U8))), b"\7\1\0\0\0\7", "depth"),
        ({"empty_elements": 3}, array(Unit), b"\4\0\0\0", "empty_elements"),
    ],
)
def test_a_limit_says_how_to_raise_it(limits: dict[str, int], kind: Any, data: bytes, limit: str, engine: Engine) -> None:
    with pytest.raises(LimitExceeded) as caught:
        codec(kind, engine, **limits).decode(data)
    error = caught.value
    assert (error.kind, error.limit, error.bound) == ("LimitExceeded", limit, limits[limit])
    assert f"`{limit}` is {limits[limit]}" in error.message
    assert f"Limits({limit}=" in error.message
    raised = codec(kind, engine, **{limit: limits[limit] + 1})
    assert raised.encode(raised.decode(data)) == data


@each_engine
def test_a_limit_is_an_error_of_the_value_when_writing(engine: Engine) -> None:
    deep: Any = [[[[]]]]
    kind: t.AlgebraicType = t.ArrayType(t.ArrayType(t.ArrayType(t.ArrayType(t.U16))))
    small = Codec[Any](t.Ref(0), t.Typespace((t.ArrayType(t.Ref(0)),)), engine=engine, limits=Limits(depth=3))
    assert codec(kind, engine).encode(deep)
    with pytest.raises(LimitExceeded) as caught:
        small.encode(deep)
    assert isinstance(caught.value, EncodeError)
    assert caught.value.where == "[0][0][0]"


# -- the garbage collector

LARGE = b"\1\0\0\0\0\0" * 20_000  # rows of a number and an empty text


@pytest.fixture
def _collector() -> Iterator[None]:
    was = gc.isenabled()
    yield
    (gc.enable if was else gc.disable)()


@pytest.mark.usefixtures("_collector")
@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("data", [LARGE, LARGE[:-1], b"\xff" * len(LARGE)], ids=["good", "cut", "bad"])
@pytest.mark.parametrize("kind", ["rows", "array"])
def test_a_large_decode_leaves_the_collector_as_it_was(on: bool, data: bytes, kind: str) -> None:
    (gc.enable if on else gc.disable)()
    try:
        if kind == "rows":
            codec(ROW).decode_many(data)
        else:
            codec(array(ROW)).decode(struct.pack("<I", 20_000) + data)
    except BsatnError:
        assert data != LARGE
    assert gc.isenabled() is on


@pytest.mark.usefixtures("_collector")
def test_a_large_decode_does_not_collect() -> None:
    gc.enable()
    gc.collect()
    before = [generation["collections"] for generation in gc.get_stats()]
    codec(ROW).decode_many(LARGE)
    after = [generation["collections"] for generation in gc.get_stats()]
    assert sum(after) - sum(before) <= 1


# -- the rest


@pytest.mark.parametrize(
    ("kind", "width"),
    [(U8, 1), (Unit, 0), (String, 4), (option(U32), 1), (product(a=U8, b=String), 5), (t.IDENTITY, 32), (t.NEVER, 1)],
)
def test_the_fewest_bytes_of_a_value(kind: Any, width: int) -> None:
    assert codec(kind).min_width == width


@each_engine
def test_a_codec_of_a_record_gives_records(engine: Engine) -> None:
    points = Codec(Point, engine=engine)
    assert points.decode(points.encode(Point(1.5, -0.0))) == Point(1.5, 0.0)
    assert points.decode_many(points.encode_many([Point(1.0, 2.0)] * 3)) == [Point(1.0, 2.0)] * 3


@each_engine
def test_a_codec_is_used_over_and_over(engine: Engine) -> None:
    row = codec(ROW, engine)
    for _ in range(3):
        assert refusal(lambda: row.decode(DATA[:3])).kind == "BufferLength"
        assert row.decode(DATA[:7]) == ROWS[0]
        assert encode_refusal(lambda: row.encode((1, 2))).kind == "WrongType"
        assert row.encode(ROWS[0]) == DATA[:7]


def test_special_values_come_with_their_class() -> None:
    assert type(codec(t.IDENTITY).decode(bytes(32))) is Identity
