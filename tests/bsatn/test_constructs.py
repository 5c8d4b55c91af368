"""The Construct engine against vectors, the reference's cases, hostile input and wrong values."""

from __future__ import annotations

import contextlib
import enum
import gzip
import importlib
import io
import json
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsatn import types as t
from bsatn.annotations import F32, U8, U32, plain_enum, product, sum_
from bsatn.constructs import ConstructEngine, Read, Role, construct_of, shape_for, streams
from bsatn.constructs.containers import ArrayNode
from bsatn.errors import DecodeError, DefinitionError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import case, record, shape_of, variants
from bsatn.shapes import Choice, Int, Product, String
from bsatn.values import F32NaN, Identity, Some, TimeDuration, Timestamp, Variant
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE, TYPESPACE_SHAPE

construct: Any = importlib.import_module("construct")  # it ships no types

REFERENCE = Path(__file__).parents[2] / "vectors" / "reference" / "values.jsonl.gz"
ANY_PAIR = t.SumType((t.SumTypeVariant("a", t.U8), t.SumTypeVariant(None, t.STRING)))

_T = TypeVar("_T")


def engine(annotation: Any, typespace: t.Typespace | None = None, **limits: int) -> ConstructEngine:
    return ConstructEngine(shape_for(annotation, typespace), Limits(**limits))


def decode(annotation: Any, data: bytes, typespace: t.Typespace | None = None, **limits: int) -> Any:
    value, end = engine(annotation, typespace, **limits).decode(data)
    assert end == len(data)
    return value


def refusal(annotation: Any, data: bytes, typespace: t.Typespace | None = None, **limits: int) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        engine(annotation, typespace, **limits).decode(data)
    return caught.value


def encode_refusal(values: ConstructEngine, value: Any) -> EncodeError:
    with pytest.raises(EncodeError) as caught:
        values.encode(value)
    return caught.value


def on_fresh_thread(work: Callable[[], _T]) -> _T:
    """The result of work done with an empty stack under Python's default recursion limit."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((True, work()))
        except BaseException as error:  # noqa: BLE001 - handed over to the caller
            outcome.append((False, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    good, result = outcome[0]
    if not good:
        raise result
    return result  # type: ignore[no-any-return]


# -- Golden (spec: wire 1.2, 2.2, 3) -------------------------------------------------------------------------

VALUES: list[tuple[Any, Any, str]] = [
    (t.U16, 0x1234, "3412"),
    (t.I32, -2, "feffffff"),
    (t.I256, -42, "d6" + "ff" * 31),
    (t.U128, 0x0102030405060708090A0B0C0D0E0F10, "100f0e0d0c0b0a090807060504030201"),
    (t.F32, 1.5, "0000c03f"),
    (t.F64, -0.0, "0000000000000080"),
    (t.STRING, "hé", "0300000068c3a9"),
    (t.ArrayType(t.U16), [1, 2], "0200000001000200"),
    (t.BYTES, b"\x01\x02", "020000000102"),
    (t.ArrayType(t.UNIT), [(), (), ()], "03000000"),
    (t.option_type(t.U8), 5, "0005"),
    (t.option_type(t.U8), None, "01"),
    (t.option_type(t.option_type(t.U8)), Some(None), "0001"),
    (t.option_type(t.option_type(t.U8)), Some(7), "000007"),
    (t.option_type(t.option_type(t.U8)), None, "01"),
    (t.result_type(t.U8, t.STRING), Variant(1, "x"), "010100000078"),
    (t.IDENTITY, Identity(1), "01" + "00" * 31),
    (t.SCHEDULE_AT, TimeDuration(10), "000a00000000000000"),
    (t.SCHEDULE_AT, Timestamp(10), "010a00000000000000"),
    (t.UNIT, (), ""),
    (t.BOOL, True, "01"),
    (product(t.U8, t.BOOL), (1, False), "0100"),
    (plain_enum("red", "green"), Variant(1), "01"),
    (ANY_PAIR, Variant(1, "x"), "010100000078"),
]


@pytest.mark.parametrize(("kind", "value", "data"), VALUES, ids=[f"{v!r}"[:30] for _, v, _ in VALUES])
def test_value_vectors(kind: Any, value: Any, data: str) -> None:
    decoded = decode(kind, bytes.fromhex(data))
    assert decoded == value
    assert type(decoded) is type(value)
    assert repr(decoded) == repr(value)  # -0.0 and 0.0 are equal
    assert engine(kind).encode(value).hex() == data


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (t.F64, "000000000000f87f"),
        (t.F64, "010000000000f8ff"),
        (t.F64, "010000000000f07f"),
        (t.F32, "0100807f"),
        (t.F32, "010080ff"),
        (t.F32, "0100c07f"),
        (t.F32, "0000807f"),
    ],
)
def test_floats_keep_their_bits(kind: Any, data: str) -> None:
    assert engine(kind).encode(decode(kind, bytes.fromhex(data))).hex() == data


TYPES = [
    (t.U8, "07"),
    (t.F64, "13"),
    (t.Ref(1), "0001000000"),
    (t.BYTES, "0307"),
    (t.UNIT, "0200000000"),
    (t.NEVER, "0100000000"),
    (t.option_type(t.U8), "01020000000004000000736f6d650700040000006e6f6e650200000000"),
    (t.result_type(t.U8, t.STRING), "010200000000020000006f6b07000300000065727204"),
    (product(t.U8, t.BOOL), "020200000001070105"),
    (t.IDENTITY, "0201000000000c0000005f5f6964656e746974795f5f11"),
]


@pytest.mark.parametrize(("kind", "data"), TYPES, ids=[data[:20] for _, data in TYPES])
def test_type_vectors(kind: t.AlgebraicType, data: str) -> None:
    types = ConstructEngine(ALGEBRAIC_TYPE_SHAPE)
    assert types.decode(bytes.fromhex(data)) == (kind, len(data) // 2)
    assert types.encode(kind).hex() == data


def short(for_type: str, expected: int, given: int) -> tuple[str, dict[str, Any]]:
    return "BufferLength", {"for_type": for_type, "expected": expected, "given": given}


MaybeU8: TypeAlias = U8 | None
ERRORS: list[tuple[Any, str, tuple[str, dict[str, Any]], int]] = [
    (t.BOOL, "02", ("InvalidBool", {"byte": 2}), 0),
    (t.BOOL, "", short("u8", 1, 0), 0),
    (t.U32, "0102", short("u32", 4, 2), 0),
    (t.I256, "0102030405", short("i256", 32, 5), 0),
    (t.F32, "01", short("u32", 4, 1), 0),
    (t.F64, "0102", short("u64", 8, 2), 0),
    (t.TIMESTAMP, "0102", short("i64", 8, 2), 0),
    (t.IDENTITY, "0102", short("u256", 32, 2), 0),
    (t.STRING, "0500", short("u32", 4, 2), 0),
    (t.STRING, "0500000061", short("[u8]", 5, 1), 4),
    (t.BYTES, "0500000061", short("[u8]", 5, 1), 4),
    (t.STRING, "01000000ff", ("InvalidUtf8", {}), 4),
    (t.STRING, "03000000eda080", ("InvalidUtf8", {}), 4),  # a surrogate
    (t.STRING, "02000000c080", ("InvalidUtf8", {}), 4),  # an overlong form
    (t.ArrayType(t.U16), "020000000100", short("u16", 2, 0), 6),
    (t.ArrayType(t.U64), "ffffffff", short("u64", 8, 0), 4),
    (t.ArrayType(t.U64), "ffff", short("u32", 4, 2), 0),
    (t.option_type(t.U8), "02", ("InvalidTag", {"tag": 2, "sum_name": None}), 0),
    (t.option_type(t.U8), "", short("u8", 1, 0), 0),
    (t.NEVER, "00", ("InvalidTag", {"tag": 0, "sum_name": None}), 0),
    (MaybeU8, "02", ("InvalidTag", {"tag": 2, "sum_name": "option"}), 0),
    (t.AlgebraicType, "14", ("InvalidTag", {"tag": 20, "sum_name": "AlgebraicType"}), 0),
    (t.AlgebraicType, "030314", ("InvalidTag", {"tag": 20, "sum_name": "AlgebraicType"}), 2),
]


@pytest.mark.parametrize(
    ("kind", "data", "expected", "offset"), ERRORS, ids=[f"{kind}-{data}"[:40] for kind, data, _, _ in ERRORS]
)
def test_error_table(kind: Any, data: str, expected: tuple[str, dict[str, Any]], offset: int) -> None:
    shape = shape_of(kind)
    with pytest.raises(DecodeError) as caught:
        ConstructEngine(shape).decode(bytes.fromhex(data))
    error = caught.value
    assert (error.kind, error.fields, error.offset) == (*expected, offset)


def test_offsets_are_absolute() -> None:
    with pytest.raises(DecodeError) as caught:
        engine(product(t.U8, t.BOOL)).decode(b"\xff\xff\x01\x02", 2)
    assert caught.value.offset == 3
    assert engine(t.U8).decode(b"\x01\x02\x03", 1) == (2, 2)
    for outside in (-1, 4):
        with pytest.raises(ValueError, match="outside"):
            engine(t.UNIT).decode(b"\x01\x02\x03", outside)


# -- The reference -------------------------------------------------------------------------------------------


def reference_cases() -> list[dict[str, Any]]:
    with gzip.open(REFERENCE, "rt") as lines:
        return [json.loads(line) for line in lines]


def rust_debug(error: DecodeError) -> str:
    """The error as Rust's `{:?}` prints it."""
    fields = error.fields
    match error.kind:
        case "BufferLength":
            sizes = f"expected: {fields['expected']}, given: {fields['given']}"
            return f'BufferLength {{ for_type: "{fields["for_type"]}", {sizes} }}'
        case "InvalidTag":
            return f"InvalidTag {{ tag: {fields['tag']}, sum_name: {fields['sum_name']} }}"
        case "InvalidBool":
            return f"InvalidBool({fields['byte']})"
    return error.kind


def test_the_reference_cases_are_there() -> None:
    cases = reference_cases()
    assert len(cases) == 1500
    assert {bool(case["ok"]) for case in cases} == {True, False}


@pytest.mark.parametrize("reference", reference_cases(), ids=lambda reference: reference["id"])
def test_reference(reference: dict[str, Any]) -> None:
    type_bytes, space_bytes = bytes.fromhex(reference["type"]), bytes.fromhex(reference["typespace"])
    types, spaces = ConstructEngine(ALGEBRAIC_TYPE_SHAPE), ConstructEngine(TYPESPACE_SHAPE)
    kind, end = types.decode(type_bytes)
    space, space_end = spaces.decode(space_bytes)
    assert (end, space_end) == (len(type_bytes), len(space_bytes))
    assert types.encode(kind) == type_bytes
    assert spaces.encode(space) == space_bytes

    data = bytes.fromhex(reference["bytes"])
    values = engine(kind, space)
    if reference["ok"]:
        value, end = values.decode(data)
        assert len(data) - end == reference["unread"]
        assert values.encode(value) == data[:end]
    else:
        with pytest.raises(DecodeError) as caught:
            values.decode(data)
        assert rust_debug(caught.value) == reference["error"]
        assert caught.value.message == reference["message"]
        assert caught.value.offset is not None
        assert 0 <= caught.value.offset <= len(data)


# -- Records, places -----------------------------------------------------------------------------------------


class Color(enum.Enum):
    RED = 1
    GREEN = 2


@case
class Ranged:
    distance: U32


@case
class Idle:
    pass


@record
class Melee:
    reach: F32
    tags: list[str]


Attack = Annotated[Ranged | Idle | Melee, variants("Attack")]


@record
class Hit:
    by: Identity | None
    how: Attack
    colors: tuple[Color, ...]
    plain: Ranged


HIT = Hit(Identity(3), Melee(1.5, ["a"]), (Color.GREEN, Color.RED), Ranged(9))


def test_records() -> None:
    hits = engine(Hit)
    data = hits.encode(HIT)
    assert data.hex() == "00" + "03" + "00" * 31 + "02" + "0000c03f" + "01000000" + "0100000061" + (
        "02000000" + "0100" + "09000000"
    )
    decoded, end = hits.decode(data)
    assert decoded == HIT
    assert end == len(data)
    assert type(decoded.colors) is tuple
    assert type(decoded.how.tags) is list
    for how, tag in ((Ranged(7), 0), (Idle(), 1)):
        data = engine(Attack).encode(how)
        assert data[0] == tag
        assert decode(Attack, data) == how


PLACES: list[tuple[Any, str, tuple[str | int, ...], int]] = [
    (product(a=t.U8, b=t.ArrayType(t.BOOL)), "0002000000" + "0102", ("b", 1), 6),
    (product(t.U8, t.BOOL), "0002", ("1",), 1),
    (t.option_type(t.BOOL), "0002", ("some",), 1),
    (t.option_type(t.option_type(t.BOOL)), "000002", ("some", "some"), 2),
    (sum_(t.U8, ok=t.BOOL), "0102", ("ok",), 1),
    (t.SumType((t.SumTypeVariant(None, t.BOOL),)), "0002", ("0",), 1),
    (t.SCHEDULE_AT, "0002", (), 1),
    (product(x=t.IDENTITY), "0002", ("x",), 0),
    (Hit, "00" + "00" * 31, ("by", "some"), 1),
    (Hit, "01" + "0001", ("how", "distance"), 2),
    (Hit, "01" + "02" + "00000000" + "01000000" + "01000000ff", ("how", "tags", 0), 14),
    (Hit, "01" + "03", ("how",), 1),
    (Hit, "01" + "01" + "01000000" + "07", ("colors", 0), 6),
    (Hit, "01" + "01" + "00000000" + "07", ("plain", "distance"), 6),
    (Ranged, "00", ("distance",), 0),
    (list[Ranged], "01000000" + "00", (0, "distance"), 4),
    (
        t.AlgebraicType,
        "0201000000" + "01" + "0303" + "20",
        ("elements", 0, "algebraic_type", "element", "element"),
        8,
    ),
]


@pytest.mark.parametrize(("kind", "data", "path", "offset"), PLACES, ids=[str(p[2]) for p in PLACES])
def test_decode_places(kind: Any, data: str, path: tuple[str | int, ...], offset: int) -> None:
    shape = shape_of(kind)
    with pytest.raises(DecodeError) as caught:
        ConstructEngine(shape).decode(bytes.fromhex(data))
    assert (caught.value.path, caught.value.offset) == (path, offset)


WORDS = Choice(String(), {"public": "PUBLIC", "private": "PRIVATE"}, "no access: `{found}`")
NUMBERS = Choice(Int(8, False), {1: "ONE"}, "no number {found}")


def test_choice() -> None:
    words = ConstructEngine(Product(("access",), (WORDS,)))
    assert words.decode(b"\x06\0\0\0public") == (("PUBLIC",), 10)
    assert words.encode(("PRIVATE",)) == b"\x07\0\0\0private"
    with pytest.raises(DecodeError, match=r"no access: `\{x\}`") as caught:
        words.decode(b"\x03\0\0\0{x}")
    assert (caught.value.kind, caught.value.offset, caught.value.path) == ("Other", 4, ("access",))
    with pytest.raises(DecodeError, match="no number 2") as caught:
        ConstructEngine(NUMBERS).decode(b"\x02")
    assert caught.value.offset == 0
    wrong: Any
    for wrong in ("public", []):
        with pytest.raises(EncodeError, match="one of 'PUBLIC', 'PRIVATE'"):
            words.encode((wrong,))


# -- What encoding accepts -----------------------------------------------------------------------------------


class Indexed:
    def __index__(self) -> int:
        return 7


CROWD = t.SumType(tuple(t.SumTypeVariant(f"v{n}", t.UNIT) for n in range(300)))
ACCEPTED: list[tuple[Any, Any, str]] = [
    (t.U8, True, "01"),
    (t.U8, Indexed(), "07"),
    (t.I8, -128, "80"),
    (t.U256, (1 << 256) - 1, "ff" * 32),
    (t.F32, 1, "0000803f"),
    (t.F32, F32NaN(0x7F800001), "0100807f"),
    (t.F32, math.inf, "0000807f"),
    (t.F64, 1 << 60, "000000000000b043"),
    (t.BOOL, 1, "01"),
    (t.BOOL, 0.0, "00"),
    (t.BYTES, bytearray(b"a"), "0100000061"),
    (t.ArrayType(t.U8), b"", "00000000"),
    (t.ArrayType(t.U16), (1,), "010000000100"),
    (product(t.U8, t.U8), [1, 2], "0102"),
    (product(t.U8, t.U8), Variant(1, 2), "0102"),
    (t.IDENTITY, 5, "05" + "00" * 31),
    (ANY_PAIR, ("a", 7), "0007"),
    (ANY_PAIR, [0, 7], "0007"),
    (ANY_PAIR, (False, 7), "0007"),
    (CROWD, ("v255", ()), "ff"),
    (CROWD, (Indexed(), ()), "07"),
    (Color, Color.GREEN, "01"),
]


@pytest.mark.parametrize(("kind", "value", "data"), ACCEPTED, ids=[f"{a[0]}-{a[1]!r}"[:40] for a in ACCEPTED])
def test_encode_accepts(kind: Any, value: Any, data: str) -> None:
    assert ConstructEngine(shape_of(kind)).encode(value).hex() == data


TWINS = t.SumType((t.SumTypeVariant("x", t.U8), t.SumTypeVariant("x", t.U8)))
REFUSED: list[tuple[Any, Any, str, tuple[str | int, ...], str]] = [
    (t.U8, 256, "OutOfRange", (), "expected 0 to 255 (U8), found int 256"),
    (t.U8, -1, "OutOfRange", (), "found int -1"),
    (t.I16, 1 << 15, "OutOfRange", (), "-32768 to 32767"),
    (t.U8, 1 << 5000, "OutOfRange", (), "an int of 5001 bits"),
    (t.U8, 1.0, "WrongType", (), "expected an integer (U8), found float 1.0"),
    (t.U8, "1", "WrongType", (), "found str '1'"),
    (t.U8, None, "WrongType", (), "found None"),
    (t.F32, 1e39, "OutOfRange", (), "F32"),
    (t.F64, 10**400, "OutOfRange", (), "F64"),
    (t.F64, "1", "WrongType", (), "a float (F64)"),
    (t.F32, None, "WrongType", (), "a float (F32)"),
    (t.BOOL, 2, "WrongType", (), "a bool, found int 2"),
    (t.BOOL, [], "WrongType", (), "a list of length 0"),
    (t.STRING, b"a", "WrongType", (), "a str, found bytes b'a'"),
    (t.STRING, "ab\ud800", "InvalidUtf8", (), "U+D800, at index 2"),
    (t.BYTES, [1], "WrongType", (), "bytes"),
    (t.BYTES, memoryview(b"a"), "WrongType", (), "a memoryview"),
    (t.BYTES, "a", "WrongType", (), "found str"),
    (t.ArrayType(t.U16), {1}, "WrongType", (), "a list or tuple, found a set of length 1"),
    (t.ArrayType(t.STRING), "ab", "WrongType", (), "a list or tuple, found str"),
    (t.ArrayType(t.U16), [1, "x"], "WrongType", (1,), "an integer"),
    (product(a=t.U8, b=t.U8), (1,), "WrongLength", (), "expected 2 fields, found a tuple of length 1"),
    (product(a=t.U8, b=t.U8), (1, 2, 3), "WrongLength", (), "length 3"),
    (product(a=t.U8, b=t.U8), {"a": 1, "b": 2}, "WrongType", (), "a tuple or list of 2 fields"),
    (product(a=t.U8, b=t.U8), (1, -2), "OutOfRange", ("b",), "-2"),
    (t.UNIT, None, "WrongType", (), "0 fields"),
    (t.IDENTITY, -1, "OutOfRange", (), "U256"),
    (ANY_PAIR, 1, "WrongType", (), "a pair (tag or name, payload)"),
    (ANY_PAIR, (1, 2, 3), "WrongType", (), "length 3"),
    (ANY_PAIR, "ab", "WrongType", (), "a pair"),
    (ANY_PAIR, (2, 0), "UnknownVariant", (), "no variant has the tag int 2; there is 0 'a', 1"),
    (ANY_PAIR, (-1, 0), "UnknownVariant", (), "-1"),
    (ANY_PAIR, ("b", 0), "UnknownVariant", (), "no variant is named 'b'"),
    (ANY_PAIR, (1.0, "x"), "WrongType", (), "a tag or variant name"),
    (ANY_PAIR, (0, "x"), "WrongType", ("a",), "an integer"),
    (ANY_PAIR, (1, 5), "WrongType", ("1",), "a str"),
    (TWINS, ("x", 0), "UnknownVariant", (), "variants 0, 1 are named 'x'"),
    (CROWD, (256, ()), "UnknownVariant", (), "no tag byte"),
    (CROWD, ("v299", ()), "UnknownVariant", (), "no tag byte"),
    (t.NEVER, (0, ()), "UnknownVariant", (), "none at all"),
    (t.option_type(t.U8), "x", "WrongType", ("some",), "an integer"),
    (t.option_type(t.option_type(t.U8)), 7, "WrongType", (), "None or Some(...)"),
    (t.option_type(t.option_type(t.U8)), (7,), "WrongType", (), "None or Some(...)"),
    (t.option_type(t.option_type(t.U8)), Some("x"), "WrongType", ("some", "some"), "an integer"),
    (t.SCHEDULE_AT, 10, "WrongType", (), "one of TimeDuration, Timestamp"),
    (Color, 1, "WrongType", (), "Color.RED"),
    (Color, [], "WrongType", (), "a list"),
    (Attack, Hit, "WrongType", (), "Ranged, Melee, Idle()"),
    (Attack, Ranged(-1), "OutOfRange", ("distance",), "U32"),
    (Ranged, 5, "WrongType", (), "a Ranged, found int 5"),
    (Hit, (1, 2, 3, 4), "WrongType", (), "a Hit"),
    (Hit, Hit(None, Idle(), (), 5), "WrongType", ("plain",), "a Ranged"),  # type: ignore[arg-type]
    (Hit, Hit(None, Melee(0.0, [5]), (), Ranged(1)), "WrongType", ("how", "tags", 0), "a str"),  # type: ignore[list-item]
    (Hit, Hit(None, Idle(), (), Ranged(-5)), "OutOfRange", ("plain", "distance"), "U32"),
    (list[Ranged], [Ranged(1), 2], "WrongType", (1,), "a Ranged"),
]


@pytest.mark.parametrize(
    ("kind", "value", "error_kind", "path", "words"),
    REFUSED,
    ids=[f"{r[0]}-{type(r[1]).__name__}-{r[4]}"[:60] for r in REFUSED],
)
def test_encode_refuses(kind: Any, value: Any, error_kind: str, path: tuple[str | int, ...], words: str) -> None:
    with pytest.raises(EncodeError) as caught:
        ConstructEngine(shape_of(kind)).encode(value)
    assert (caught.value.kind, caught.value.path) == (error_kind, path)
    assert words in str(caught.value)


def test_lengths_past_the_prefix_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_LENGTH", 3)
    for kind, good, bad in (
        (t.STRING, "abc", "éé"),
        (t.BYTES, b"abc", b"abcd"),
        (t.ArrayType(t.U16), [1] * 3, [1] * 4),
    ):
        engine(kind).encode(good)
        assert encode_refusal(engine(kind), bad).kind == "TooLong"


# -- Limits and hostile input --------------------------------------------------------------------------------

NEST = t.Typespace((t.ArrayType(t.Ref(0)),))
LIST = t.Typespace(
    (
        t.ProductType(
            (t.ProductTypeElement("next", t.SumType((t.SumTypeVariant("some", t.Ref(0)), t.SumTypeVariant("none", t.UNIT)))),)
        ),
    )
)
CHAIN = t.Typespace((t.SumType((t.SumTypeVariant("end", t.U8), t.SumTypeVariant("more", t.Ref(0)))),))


@case
class Box:
    inside: list[Box]


@case
class Fork:
    arms: Box2


@case
class Box2:
    trees: list[Fork | None]


def fork(depth: int) -> bytes:
    return b"\x01\0\0\0\0" * depth + b"\0\0\0\0"


DEEP: list[tuple[str, Callable[[], ConstructEngine], bytes]] = [
    ("arrays", lambda: engine(t.Ref(0), NEST), b"\x01\0\0\0" * 511 + b"\0\0\0\0"),
    ("products", lambda: engine(t.Ref(0), LIST), b"\0" * 254 + b"\x01"),
    ("sums", lambda: engine(t.Ref(0), CHAIN), b"\x01" * 511 + b"\0\x07"),
    ("cases", lambda: engine(Box), b"\x01\0\0\0" * 511 + b"\0\0\0\0"),
    ("cases in cases", lambda: engine(Fork), fork(255)),
    ("types", lambda: ConstructEngine(ALGEBRAIC_TYPE_SHAPE), b"\x03" * 510 + b"\x04"),
]


@pytest.mark.parametrize(("make", "data"), [d[1:] for d in DEEP], ids=[d[0] for d in DEEP])
def test_depth_fits_a_fresh_stack(make: Callable[[], ConstructEngine], data: bytes) -> None:
    values = make()
    value, end = on_fresh_thread(lambda: values.decode(data))
    assert end == len(data)
    assert on_fresh_thread(lambda: values.encode(value)) == data


@pytest.mark.parametrize("count", [513, 10_000, 100_000])
def test_too_deep(count: int) -> None:
    error = refusal(t.Ref(0), b"\x01\0\0\0" * count, NEST)
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.bound, error.offset) == ("depth", 512, 4 * 512)
    assert error.path == (0,) * 512
    with pytest.raises(LimitExceeded, match="depth"):
        ConstructEngine(ALGEBRAIC_TYPE_SHAPE).decode(b"\x03" * count + b"\x04")


@pytest.mark.parametrize(
    ("kind", "data", "open_at_most"),
    [
        (t.U8, "01", 0),
        (t.STRING, "00000000", 0),
        (t.BYTES, "00000000", 0),
        (t.IDENTITY, "00" * 32, 0),
        (t.UNIT, "", 1),
        (t.ArrayType(t.U16), "00000000", 1),
        (t.ArrayType(t.UNIT), "01000000", 2),
        (t.option_type(t.U8), "0001", 1),
        (t.option_type(t.U8), "01", 2),  # none is the unit product inside the sum
        (plain_enum("a"), "00", 2),
        (t.SCHEDULE_AT, "00" * 9, 1),
        (product(product(t.U8)), "01", 2),
        (t.ArrayType(product(t.option_type(t.U8))), "01000000" + "0001", 3),
        (Ranged, "00000000", 0),
    ],
    ids=str,
)
def test_what_counts_as_open(kind: Any, data: str, open_at_most: int) -> None:
    def values(depth: int) -> ConstructEngine:
        return ConstructEngine(shape_of(kind), Limits(depth=depth))

    value, _ = values(open_at_most).decode(bytes.fromhex(data))
    assert values(open_at_most).encode(value).hex() == data
    if open_at_most:
        with pytest.raises(LimitExceeded, match="depth"):
            values(open_at_most - 1).decode(bytes.fromhex(data))
        with pytest.raises(LimitExceeded, match="depth"):
            values(open_at_most - 1).encode(value)


def test_closing_makes_room_again() -> None:
    rows = t.ArrayType(product(t.ArrayType(t.option_type(t.U8))))
    data = b"\x02\0\0\0" + b"\x02\0\0\0\x00\x07\x00\x08" * 2
    value = decode(rows, data, depth=4)
    assert value == [([7, 8],)] * 2
    assert engine(rows, depth=4).encode(value) == data


def test_cyclic_list_ends() -> None:
    circle: list[Any] = []
    circle.append(circle)
    error = encode_refusal(engine(t.Ref(0), NEST), circle)
    assert isinstance(error, LimitExceeded)
    assert error.limit == "depth"


@pytest.mark.parametrize("element", [t.UNIT, product(t.UNIT, t.UNIT), t.Ref(0)])
def test_count_of_empty_elements_is_bounded(element: t.AlgebraicType) -> None:
    space = t.Typespace((product(t.UNIT),))
    error = refusal(product(t.U8, t.ArrayType(element)), b"\x01\xff\xff\xff\xff", space)
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.offset, error.path) == ("empty_elements", 1, ("1",))


def test_empty_elements_are_counted_over_the_whole_value() -> None:
    pair = product(t.ArrayType(t.UNIT), t.ArrayType(t.UNIT))
    data = b"\x03\0\0\0\x04\0\0\0"
    values = engine(pair, empty_elements=7)
    assert values.decode(data) == (([()] * 3, [()] * 4), 8)
    assert values.decode(data) == (([()] * 3, [()] * 4), 8)  # each call has a budget of its own
    assert refusal(pair, data, empty_elements=6).offset == 4


@pytest.mark.parametrize("kind", [t.U64, t.STRING, t.option_type(t.U8), product(t.U8), t.NEVER, t.ArrayType(t.U8)])
def test_count_bombs_run_out_of_bytes(kind: t.AlgebraicType) -> None:
    error = refusal(t.ArrayType(kind), b"\xff\xff\xff\xff")
    assert (error.kind, error.path[0], error.offset) == ("BufferLength", 0, 4)


def test_doubling_products_end_quickly() -> None:
    """Sixty entries, each the next one twice: 2^60 values from no bytes. (shapes.metered)"""
    space = t.Typespace((*(product(t.Ref(n + 1), t.Ref(n + 1)) for n in range(60)), t.UNIT))
    start = time.monotonic()
    error = refusal(t.Ref(0), b"", space, empty_elements=1 << 16)
    assert isinstance(error, LimitExceeded)
    assert error.limit == "empty_elements"
    assert time.monotonic() - start < 5
    with pytest.raises(LimitExceeded, match="empty_elements"):
        engine(t.Ref(0), space).decode(b"")


def test_product_of_itself_ends() -> None:
    space = t.Typespace((product(t.U8, t.Ref(0)), product(t.Ref(1), t.Ref(1))))
    assert refusal(t.Ref(0), b"\x01" * 3, space).kind == "BufferLength"
    for index, data in ((0, b"\x01" * 600), (1, b"")):
        error = refusal(t.Ref(index), data, space)
        assert isinstance(error, LimitExceeded)
        assert error.limit == "depth"


def test_broken_references() -> None:
    space = t.Typespace((t.Ref(1), t.Ref(0), product(a=t.U8, b=t.option_type(t.Ref(9))), t.ArrayType(t.Ref(9))))
    circle = refusal(t.Ref(0), b"\x01", space)
    assert (circle.kind, circle.offset) == ("RecursiveTypeRef", 0)
    error = refusal(t.Ref(2), b"\x01\x00", space)
    assert (error.kind, error.fields, error.offset, error.path) == (
        "InvalidTypeRef",
        {"ref": 9},
        2,
        ("b", "some"),
    )
    assert decode(t.Ref(2), b"\x01\x01", space) == (1, None)  # never reached
    assert decode(t.Ref(3), b"\0\0\0\0", space) == []
    assert refusal(t.Ref(3), b"\x01\0\0\0", space).kind == "InvalidTypeRef"
    wrong = encode_refusal(engine(t.Ref(2), space), (1, 5))
    assert (wrong.kind, wrong.fields, wrong.path) == ("InvalidTypeRef", {"ref": 9}, ("b", "some"))
    assert engine(t.Ref(2), space).encode((1, None)) == b"\x01\x01"


def test_case_that_holds_only_itself_is_refused_when_it_is_read() -> None:
    for annotation in (Endless, list[Endless]):
        with pytest.raises(DefinitionError, match="Endless holds nothing but itself"):
            shape_of(annotation)


@case
class Endless:
    inside: Endless


def test_no_type_is_too_deep_to_build() -> None:
    count = 20_000
    space = t.Typespace((*(product(t.Ref(n + 1)) for n in range(count)), t.U8))
    values = engine(t.Ref(0), space)
    assert values.root._sizeof(None, "") == 1
    with pytest.raises(LimitExceeded, match="depth"):
        values.decode(b"\x01")


def test_types_with_a_typespace_only() -> None:
    with pytest.raises(DefinitionError):
        construct_of(Hit, t.Typespace())


# -- Trace ---------------------------------------------------------------------------------------------------


def reads_of(values: ConstructEngine, data: bytes) -> list[Read]:
    reads: list[Read] = []
    with contextlib.suppress(DecodeError):
        values.decode(data, trace=reads.append)
    return reads


def test_trace_says_what_is_read() -> None:
    kind = product(name=t.STRING, tags=t.ArrayType(t.option_type(t.U8)), at=t.TIMESTAMP)
    data = b"\x01\0\0\0x" + b"\x02\0\0\0\0\x07\x01" + b"\x01" + b"\0" * 7
    reads = reads_of(engine(kind), data)
    assert [(r.offset, len(r.data), r.role, r.path, r.depth) for r in reads] == [
        (0, 4, Role.LENGTH, ("name",), 1),
        (4, 1, Role.VALUE, ("name",), 1),
        (5, 4, Role.COUNT, ("tags",), 2),
        (9, 1, Role.TAG, ("tags", 0), 3),
        (10, 1, Role.VALUE, ("tags", 0, "some"), 3),
        (11, 1, Role.TAG, ("tags", 1), 3),
        (12, 8, Role.VALUE, ("at",), 1),
    ]
    assert [type(r.shape).__name__ for r in reads] == [
        "String",
        "String",
        "Array",
        "Sum",
        "Int",
        "Sum",
        "Newtype",
    ]
    assert b"".join(r.data for r in reads) == data


def test_trace_ends_where_decoding_does() -> None:
    reads = reads_of(engine(product(t.U8, t.BOOL, t.U8)), b"\x01\x02\x03")
    assert [r.data for r in reads] == [b"\x01", b"\x02"]
    assert [r.data for r in reads_of(engine(product(t.U8, t.U32)), b"\x01\x02")] == [b"\x01"]


# -- Properties ----------------------------------------------------------------------------------------------


def attempt(work: Callable[[Any], Any], argument: Any) -> Any:
    """The result, or the error."""
    try:
        return work(argument)
    except DecodeError as error:
        return error


def kinds() -> st.SearchStrategy[t.AlgebraicType]:
    names = st.sampled_from([None, "a", "b", "some", "none", "x y"])
    leaves: st.SearchStrategy[t.AlgebraicType] = st.sampled_from(
        [
            *t.PRIMITIVES,
            t.BYTES,
            t.UNIT,
            t.NEVER,
            t.IDENTITY,
            t.TIMESTAMP,
            t.SCHEDULE_AT,
            t.Ref(0),
            t.Ref(1),
            t.Ref(7),
        ]
    )

    def grow(inner: st.SearchStrategy[t.AlgebraicType]) -> st.SearchStrategy[t.AlgebraicType]:
        fields = st.lists(st.builds(t.ProductTypeElement, names, inner), max_size=4).map(tuple)
        arms = st.lists(st.builds(t.SumTypeVariant, names, inner), max_size=4).map(tuple)
        return st.one_of(
            st.builds(t.ArrayType, inner),
            st.builds(t.ProductType, fields),
            st.builds(t.SumType, arms),
            st.builds(t.option_type, inner),
        )

    return st.recursive(leaves, grow, max_leaves=8)


#: Bytes that are likely to mean something: small counts and tags, and some of everything.
BYTES = st.lists(
    st.one_of(st.sampled_from([b"\0", b"\x01", b"\x02\0\0\0", b"\x01\0\0\0", b"abc"]), st.binary(max_size=9)),
    max_size=12,
).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(kind=kinds(), other=kinds(), third=kinds(), data=BYTES)
def test_any_type_and_bytes(kind: Any, other: Any, third: Any, data: bytes) -> None:
    """A value or a DecodeError; a value is the bytes it was read from, and no fewer bytes would do."""
    values = engine(kind, t.Typespace((other, third)), depth=60, empty_elements=1000)
    reads = reads_of(values, data)
    assert b"".join(read.data for read in reads) == data[: sum(len(read.data) for read in reads)]
    assert [read.offset for read in reads[1:]] == [read.offset + len(read.data) for read in reads[:-1]]
    outcome = attempt(values.decode, data)
    if isinstance(outcome, DecodeError):
        assert outcome.offset is not None
        assert 0 <= outcome.offset <= len(data)
        again = attempt(values.decode_stream, io.BytesIO(data))
        assert isinstance(again, DecodeError)
        assert (again.kind, again.offset, again.path) == (outcome.kind, outcome.offset, outcome.path)
        return
    value, end = outcome
    assert values.encode(value) == data[:end]
    assert values.decode(data + b"\xff", 0)[1] == end
    stream = io.BytesIO(data)
    assert values.encode(values.decode_stream(stream)) == data[:end]
    assert stream.tell() == end
    if values.root.size is not None:
        assert values.root.size == end
    for cut in range(end):
        with pytest.raises(DecodeError) as caught:
            values.decode(data[:cut])
        assert caught.value.kind == "BufferLength"
        assert caught.value.offset is not None
        assert caught.value.offset + caught.value.fields["given"] == cut


# -- Among other constructs ----------------------------------------------------------------------------------

POINT = product(x=t.U8, y=t.U16)


def test_inside_a_struct() -> None:
    frame = construct.Struct(
        "kind" / construct.Int8ul,
        "rows" / construct.PrefixedArray(construct.Int8ul, construct_of(POINT)),
        "hit" / construct_of(Hit),
        "rest" / construct.GreedyBytes,
    )
    hit = engine(Hit).encode(HIT)
    data = b"\x09" + b"\x02" + b"\x01\x02\x00" + b"\x03\x04\x00" + hit + b"tail"
    parsed = frame.parse(data)
    assert (parsed.kind, list(parsed.rows), parsed.hit, parsed.rest) == (9, [(1, 2), (3, 4)], HIT, b"tail")
    assert frame.build(parsed) == data
    assert frame.compile().parse(data).hit == HIT


def test_errors_inside_a_struct_say_where() -> None:
    frame = construct.Struct("kind" / construct.Int8ul, "row" / construct_of(POINT))
    with pytest.raises(DecodeError) as caught:
        frame.parse(b"\x09\x01\x02")
    assert (caught.value.offset, caught.value.path) == (2, ("y",))
    assert caught.value.fields == {"for_type": "u16", "expected": 2, "given": 1}
    assert caught.value.__notes__ == ["construct: (parsing) -> row"]
    with pytest.raises(EncodeError) as refused:
        frame.build({"kind": 1, "row": (1, -1)})
    assert refused.value.__notes__ == ["construct: (building) -> row"]


def test_alternatives_go_on_after_an_error() -> None:
    either = construct.Select(construct_of(t.BOOL), construct_of(t.U8))
    assert either.parse(b"\x05") == 5
    assert construct.GreedyRange(construct_of(t.U16)).parse(b"\x01\0\x02\0\x03") == [1, 2]


def test_refs_resolve_in_the_typespace() -> None:
    assert construct_of(t.Ref(0), CHAIN).parse(b"\x01\x00\x07") == Variant(1, Variant(0, 7))
    assert construct_of(Ranged).build(Ranged(1)) == b"\x01\0\0\0"


def test_limits_of_an_embedded_value() -> None:
    shallow = construct_of(list[Ranged], limits=Limits(depth=0))
    with pytest.raises(LimitExceeded, match="nested too deep"):
        shallow.parse(b"\0\0\0\0")
    with pytest.raises(LimitExceeded, match="nested too deep"):
        shallow.build([])
    few = construct_of(t.ArrayType(t.UNIT), limits=Limits(empty_elements=1))
    with pytest.raises(LimitExceeded, match="empty_elements"):
        few.parse(b"\x02\0\0\0")


class Trickle(io.RawIOBase):
    """A stream without a position that gives a byte at a time and notes what it was asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked = 0

    def read(self, size: int = -1) -> bytes:
        self.asked = max(self.asked, size)
        piece, self.data = self.data[:1], self.data[1:]
        return piece

    def tell(self) -> int:
        raise OSError("no position")


def test_streams_that_trickle() -> None:
    stream = Trickle(b"\x03\0\0\0abc!")
    assert construct_of(t.STRING).parse_stream(stream) == "abc"  # type: ignore[arg-type]
    assert stream.data == b"!"


def test_a_length_that_lies_takes_no_memory() -> None:
    stream = Trickle(b"\xff\xff\xff\xffabc")
    with pytest.raises(DecodeError) as caught:
        construct_of(t.BYTES).parse_stream(stream)  # type: ignore[arg-type]
    assert caught.value.fields == {"for_type": "[u8]", "expected": 0xFFFFFFFF, "given": 3}
    assert stream.asked <= 1 << 16


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (t.U256, 32),
        (POINT, 3),
        (t.UNIT, 0),
        (t.SCHEDULE_AT, 9),
        (plain_enum("a", "b"), 1),
        (Ranged, 4),
        (product(t.U64, t.SCHEDULE_AT, t.BOOL), 18),
        (t.option_type(t.U8), None),
        (t.STRING, None),
        (t.ArrayType(t.U8), None),
        (t.NEVER, None),
        (product(t.U8, t.STRING), None),
        (Box, None),
    ],
    ids=str,
)
def test_sizeof(kind: Any, size: int | None) -> None:
    if size is not None:
        assert construct_of(kind).sizeof() == size
        assert construct_of(kind)[3].sizeof() == 3 * size
    else:
        with pytest.raises(construct.SizeofError):
            construct_of(kind).sizeof()


def test_repr_is_one_line() -> None:
    nasty = t.ProductType((t.ProductTypeElement("a\nb", t.SumType((t.SumTypeVariant("c\nd", t.U8),))),))
    values = engine(nasty)
    assert repr(construct_of(nasty)) == r"<BsatnValue ['a\nb']>"
    assert repr(values) == r"<ConstructEngine ['a\nb']>"
    assert repr(engine(t.Ref(0), NEST).root) == "<ArrayNode Array>"
    assert repr(engine(t.U16).root) == "<IntNode U16>"
    assert repr(engine(Hit).root) == "<ProductNode Hit>"


def test_nodes_share_and_close_cycles() -> None:
    root = engine(t.Ref(0), NEST).root
    assert isinstance(root, ArrayNode)
    assert root.element.node is root


def test_engine_is_safe_to_share() -> None:
    values = engine(Hit)
    data = values.encode(HIT)
    bad = b"\x09"

    def work() -> bool:
        for _ in range(50):
            assert values.decode(data)[0] == HIT
            with pytest.raises(DecodeError):
                values.decode(bad)
        return True

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert on_fresh_thread(work)
