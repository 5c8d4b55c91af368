"""CBOR: the mapping item by item, nothing lost, nothing else accepted. cbor2 is the second reader."""

from __future__ import annotations

import gzip
import json
import struct
import threading
from pathlib import Path
from typing import Annotated, Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bsatn
from bsatn import types as t
from bsatn.cborform import dumps, loads
from bsatn.errors import DecodeError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import shape_of
from bsatn.satn import parse_type
from bsatn.shapes import Float, Int, Shape
from bsatn.typeshapes import shape_of_type
from bsatn.values import F32NaN, Identity, Some, TimeDuration, Variant, f32_from_bits, f32_to_bytes
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE

REFERENCE = Path(__file__).parents[2] / "vectors" / "reference" / "values.jsonl.gz"


def shape(text: str) -> Shape:
    return shape_of_type(parse_type(text))


def test_every_reference_value_comes_back_bit_by_bit() -> None:
    count = 0
    with gzip.open(REFERENCE, "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            if not case["ok"]:
                continue
            kind = bsatn.Codec(t.AlgebraicType).decode(bytes.fromhex(case["type"]))
            assert loads(ALGEBRAIC_TYPE_SHAPE, dumps(ALGEBRAIC_TYPE_SHAPE, kind)) == kind
            space = bsatn.Codec(t.Typespace).decode(bytes.fromhex(case["typespace"]))
            codec, data = bsatn.Codec[Any](kind, space), bytes.fromhex(case["bytes"])
            made = dumps(codec.shape, codec.decode(data, trailing="allow"))
            assert codec.encode(loads(codec.shape, made)) == data[: len(data) - case["unread"]], case["id"]
            cbor2.loads(made)
            for end in range(len(made)):
                with pytest.raises(DecodeError):
                    loads(codec.shape, made[:end])
            count += 1
    assert count == 1223


MAPPING: list[tuple[str, Any, Any]] = [
    ("Bool", True, True),
    ("String", "hé", "hé"),
    ("Bytes", b"\x01", b"\x01"),
    ("U64", 2**64 - 1, 2**64 - 1),
    ("I64", -(2**63), -(2**63)),
    ("U256", 2**255, 2**255),
    ("I256", -(2**255), -(2**255)),
    ("F64", 0.1, 0.1),
    ("Array<I8>", [1, -1], [1, -1]),
    ("(b: U8, a: U8)", (1, 2), {"b": 1, "a": 2}),
    ("()", (), {}),
    ("(U8, Bool)", (1, True), [1, True]),
    ("(a: U8, Bool)", (1, True), [1, True]),
    ("(a: U8, a: Bool)", (1, True), [1, True]),
    ("Identity", Identity(5), {"__identity__": 5}),
    ("ScheduleAt", TimeDuration(-5), {"Interval": {"__time_duration_micros__": -5}}),
    ("(a: U8 | b: ())", Variant(0, 1), {"a": 1}),
    ("(a: U8 | b: ())", Variant(1), {"b": {}}),
    ("(a: U8 | U8 | a: U8 | c: U8)", Variant(0, 1), [0, 1]),
    ("(a: U8 | U8 | a: U8 | c: U8)", Variant(1, 1), [1, 1]),
    ("(a: U8 | U8 | a: U8 | c: U8)", Variant(3, 1), {"c": 1}),
    ("Option<U8>", None, None),
    ("Option<U8>", 1, 1),
    ("Option<Array<U16>>", [1], [1]),
    ("Option<Option<U8>>", None, None),
    ("Option<Option<U8>>", Some(None), [None]),
    ("Option<Option<U8>>", Some(1), [1]),
    ("Option<Option<Option<U8>>>", Some(Some(None)), [[None]]),
]


@pytest.mark.parametrize(("kind", "value", "item"), MAPPING)
def test_the_mapping(kind: str, value: Any, item: Any) -> None:
    made = dumps(shape(kind), value)
    assert made == cbor2.dumps(item)
    found = loads(shape(kind), made)
    assert found == value
    assert type(found) is type(value)


@bsatn.case
class Dot: ...


@bsatn.case
class Circle:
    radius: bsatn.U8


@bsatn.record
class Box:
    side: bsatn.U8 | None


@pytest.mark.parametrize(
    ("value", "item"),
    [(Dot(), {"Dot": {}}), (Circle(5), {"Circle": 5}), (Box(None), {"Box": {"side": None}})],
)
def test_classes(value: Any, item: Any) -> None:
    figure = shape_of(Annotated[Dot | Circle | Box, bsatn.variants("Figure")])
    assert dumps(figure, value) == cbor2.dumps(item)
    assert loads(figure, cbor2.dumps(item)) == value


@pytest.mark.parametrize("length", [0, 23, 24, 255, 256, 65_535, 65_536])
def test_lengths_are_as_short_as_can_be(length: int) -> None:
    assert dumps(shape("Bytes"), bytes(length)) == cbor2.dumps(bytes(length))
    assert dumps(shape("String"), "x" * length) == cbor2.dumps("x" * length)
    assert dumps(shape("Array<Bool>"), [True] * length) == cbor2.dumps([True] * length)


@given(st.integers(-(2**256), 2**256), st.sampled_from([8, 16, 32, 64, 128, 256]), st.booleans())
def test_integers(number: int, bits: int, signed: bool) -> None:
    low = -(2 ** (bits - 1)) if signed else 0
    if low <= number < low + 2**bits:
        assert dumps(Int(bits, signed), number) == cbor2.dumps(number)
        assert loads(Int(bits, signed), cbor2.dumps(number)) == number
    else:
        with pytest.raises(EncodeError):
            dumps(Int(bits, signed), number)
        with pytest.raises(DecodeError) as caught:
            loads(Int(bits, signed), cbor2.dumps(number))
        assert caught.value.kind == "OutOfRange"


@given(st.integers(0, 2**32 - 1) | st.integers(0x7F800000, 0x7FFFFFFF) | st.integers(0xFF800000, 0xFFFFFFFF))
def test_every_32_bit_float_comes_back(bits: int) -> None:
    value = f32_from_bits(bits)
    made = dumps(Float(32), value)
    assert f32_to_bytes(loads(Float(32), made)) == bits.to_bytes(4, "little")
    if isinstance(value, F32NaN):
        assert made == bytes.fromhex("d85144") + bits.to_bytes(4, "big")
    else:
        assert made == b"\xfa" + bits.to_bytes(4, "big")


@given(st.integers(0, 2**64 - 1) | st.integers(0x7FF0000000000000, 0x7FFFFFFFFFFFFFFF))
def test_every_64_bit_float_comes_back(bits: int) -> None:
    (value,) = struct.unpack(">d", bits.to_bytes(8, "big"))
    made = dumps(Float(64), value)
    assert made == b"\xfb" + bits.to_bytes(8, "big")
    assert struct.pack(">d", loads(Float(64), made)) == bits.to_bytes(8, "big")


ACCEPTED: list[tuple[str, str, Any]] = [
    ("U8", "1900ff", 255),  # wider than need be
    ("Bytes", "5a0000000101", b"\x01"),
    ("F64", "f93c00", 1.0),  # a half
    ("F32", "fb3ff8000000000000", 1.5),  # a double that is a 32-bit float
    ("(a: U8, b: U8)", "a2616202616101", (1, 2)),  # any order
    ("U128", "c24105", 5),  # a short bignum
]


@pytest.mark.parametrize(("kind", "data", "value"), ACCEPTED)
def test_also_read(kind: str, data: str, value: Any) -> None:
    assert loads(shape(kind), bytes.fromhex(data)) == value


REFUSED: list[tuple[str, str, str]] = [
    ("U8", "", "CborSyntax"),
    ("U8", "0000", "TrailingBytes"),
    ("U8", "1c", "CborSyntax"),
    ("U8", "190100", "OutOfRange"),
    ("U8", "20", "OutOfRange"),
    ("U8", "f93c00", "CborShape"),
    ("U8", "f5", "CborShape"),
    ("U8", "f7", "CborShape"),
    ("U8", "6131", "CborShape"),
    ("Bool", "01", "CborShape"),
    ("F64", "01", "CborShape"),
    ("F64", "f6", "CborShape"),
    ("F64", "d851447fa00000", "CborShape"),
    ("F32", "d851437fa000", "CborShape"),
    ("F32", "d852447fa00000", "CborShape"),
    ("F32", "fb3fb999999999999a", "OutOfRange"),
    ("F32", "fb47efffffffffffff", "OutOfRange"),
    ("String", "4161", "CborShape"),
    ("String", "61ff", "CborSyntax"),
    ("String", "7f6161ff", "CborSyntax"),
    ("String", "63eda080", "CborSyntax"),
    ("Bytes", "6161", "CborShape"),
    ("Bytes", "8101", "CborShape"),
    ("Array<I8>", "9f01ff", "CborSyntax"),
    ("Array<I8>", "a10101", "CborSyntax"),
    ("Array<I8>", "9bffffffffffffffff", "CborSyntax"),
    ("Bytes", "5bffffffffffffffff", "CborSyntax"),
    ("(a: U8, b: U8)", "a161610a", "MissingField"),
    ("(a: U8)", "a2616101616201", "UnknownField"),
    ("(a: U8)", "a2616101616102", "CborSyntax"),
    ("(a: U8)", "a1416101", "UnknownField"),
    ("(a: U8)", "8101", "CborShape"),
    ("(U8, U8)", "8101", "WrongLength"),
    ("(U8, U8)", "a2000001", "CborSyntax"),
    ("()", "80", "CborShape"),
    ("()", "f6", "CborShape"),
    ("(a: U8 | U8)", "a1616201", "UnknownVariant"),
    ("(a: U8 | U8)", "820001", "UnknownVariant"),
    ("(a: U8 | U8)", "820201", "UnknownVariant"),
    ("(a: U8 | U8)", "82f501", "UnknownVariant"),
    ("(a: U8 | U8)", "83010101", "CborShape"),
    ("(a: U8 | U8)", "a2616101616201", "CborShape"),
    ("(a: U8 | U8)", "6161", "CborShape"),
    ("Option<Option<U8>>", "01", "CborShape"),
    ("Option<Option<U8>>", "820101", "CborShape"),
    ("Identity", "01", "CborShape"),
    ("U8", "c101", "CborSyntax"),
    ("U8", "d9d9f701", "CborSyntax"),
    ("Array<I8>", "d81c81d81d00", "CborSyntax"),
    ("Array<I8>", "d9010281d81900", "CborSyntax"),
    ("&5", "00", "InvalidTypeRef"),
]


@pytest.mark.parametrize(("kind", "data", "error"), REFUSED)
def test_refused(kind: str, data: str, error: str) -> None:
    with pytest.raises(DecodeError) as caught:
        loads(shape(kind), bytes.fromhex(data))
    assert caught.value.kind == error


@pytest.mark.parametrize(
    ("item", "error", "path"),
    [
        ({"a": [{"x": 1}, {"x": 256}]}, "OutOfRange", ("a", 1, "x")),
        ({"a": [{"y": [1, "2"]}]}, "CborShape", ("a", 0, "y", 1)),
        ({"a": [{"z": 0}]}, "UnknownVariant", ("a", 0)),
    ],
)
def test_errors_say_where(item: Any, error: str, path: Any) -> None:
    kind = shape("(a: Array<(x: U8 | y: Array<I8>)>)")
    with pytest.raises(DecodeError) as caught:
        loads(kind, cbor2.dumps(item))
    assert (caught.value.kind, caught.value.path) == (error, path)


def test_a_value_that_does_not_fit_is_an_error_with_its_path() -> None:
    with pytest.raises(EncodeError) as caught:
        dumps(shape("(a: Array<I8>)"), ([0, 128],))
    assert (caught.value.kind, caught.value.path) == ("OutOfRange", ("a", 1))


LINKS = t.Typespace((parse_type("(next: Option<&0>)"),))


def test_depth_is_a_limit() -> None:
    codec = bsatn.Codec[Any](t.Ref(0), LINKS)
    value: Any = (None,)
    for _ in range(255):
        value = (value,)
    assert loads(codec.shape, dumps(codec.shape, value)) == value
    flat = shape("(i: Identity, b: Bytes, u: ())")  # holds nothing that adds depth
    assert loads(flat, dumps(flat, (1, b"", ())), limits=Limits(depth=1)) == (1, b"", ())
    for refused in (
        lambda: dumps(codec.shape, (value,)),
        lambda: loads(codec.shape, b"\xa1\x64next" * 257 + b"\xf6"),
    ):
        with pytest.raises(LimitExceeded) as caught:
            refused()
        assert caught.value.limit == "depth"
    assert loads(codec.shape, b"\xa1\x64next" * 257 + b"\xf6", limits=Limits(depth=514)) == (value,)


@pytest.mark.parametrize("data", [b"\x81", b"\xa1\x64next", b"\xc2", b"\xd8\x51", b"\xd8\x1c"])
def test_bombs_are_errors_in_a_thread_with_the_usual_stack(data: bytes) -> None:
    found: list[DecodeError] = []

    def work() -> None:
        try:
            loads(shape_of_type(t.Ref(0), LINKS), data * 3_000_000 + b"\0", limits=Limits(depth=10_000_000))
        except DecodeError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [error.kind for error in found] in (["LimitExceeded"], ["CborSyntax"])


@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_an_error(data: bytes) -> None:
    kind = shape("Array<(n: F32 | e: Option<String> | U128)>")
    try:
        value = loads(kind, data)
    except DecodeError:
        return  # and nothing else is raised
    assert dumps(kind, loads(kind, dumps(kind, value))) == dumps(kind, value)
