"""SATS-JSON against the reference's own text, and the reader's rules one by one."""

from __future__ import annotations

import enum
import gzip
import json
import struct
import threading
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bsatn
from bsatn import types as t
from bsatn.errors import DecodeError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import shape_of
from bsatn.satn import parse_type
from bsatn.satsjson import dumps, dumps_untyped, loads
from bsatn.shapes import Float, Int, Shape
from bsatn.typeshapes import shape_of_type
from bsatn.values import F32NaN, Some, Variant
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE

REFERENCE = Path(__file__).parents[2] / "vectors" / "reference" / "values.jsonl.gz"


def shape(text: str) -> Shape:
    return shape_of_type(parse_type(text))


def reference_cases() -> list[dict[str, Any]]:
    with gzip.open(REFERENCE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def codec_of(case: dict[str, Any]) -> bsatn.Codec[Any]:
    kind = bsatn.Codec(t.AlgebraicType).decode(bytes.fromhex(case["type"]))
    return bsatn.Codec(kind, bsatn.Codec(t.Typespace).decode(bytes.fromhex(case["typespace"])))


def typed_text(codec: bsatn.Codec[Any], value: Any) -> Any:
    try:
        return dumps(codec.shape, value)
    except EncodeError as error:
        return {"json_err": error.message}


def test_every_reference_value_is_written_character_by_character_and_read_back() -> None:
    written = read = 0
    for case in reference_cases():
        if not case["ok"]:
            continue
        codec, data = codec_of(case), bytes.fromhex(case["bytes"])
        value = codec.decode(data, trailing="allow")
        assert typed_text(codec, value) == case["typed_json"], case["id"]
        assert dumps_untyped(codec.shape, value) == case["json"], case["id"]
        written += 1
        for text in (case["json"], case["typed_json"]):
            if isinstance(text, str) and "null" not in text:  # NaN and infinities do not come back
                assert codec.encode(loads(codec.shape, text)) == data[: len(data) - case["unread"]], case["id"]
                read += 1
    assert (written, read > 1500) == (1223, True)


def test_every_reference_type_reads_and_writes_as_a_value() -> None:
    for case in reference_cases():
        kind = bsatn.Codec(t.AlgebraicType).decode(bytes.fromhex(case["type"]))
        text = dumps(ALGEBRAIC_TYPE_SHAPE, kind)
        assert json.loads(text) == case["type_json"], case["id"]
        assert loads(ALGEBRAIC_TYPE_SHAPE, text) == kind, case["id"]


def test_a_type_is_written_by_its_rust_names() -> None:
    kind = parse_type("(a: U8, Array<&1>)")
    assert dumps(ALGEBRAIC_TYPE_SHAPE, kind) == (
        '{"Product":{"elements":[{"name":{"some":"a"},"algebraic_type":{"U8":[]}},'
        '{"name":{"none":[]},"algebraic_type":{"Array":{"Ref":1}}}]}}'
    )


class Colour(enum.Enum):
    red = 0
    blue = 1


@bsatn.case
class Dot: ...


@bsatn.case
class Circle:
    radius: bsatn.U8


@bsatn.record
class Box:
    pair: tuple[bsatn.U8, bool]
    colour: Colour | None
    nothing: tuple[()]


Figure = Annotated[Dot | Circle | Box, bsatn.variants("Figure")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Dot(), '{"Dot":[]}'),
        (Circle(5), '{"Circle":5}'),
        (Box((1, True), None, ()), '{"Box":{"pair":[1,true],"colour":{"none":[]},"nothing":[]}}'),
        (
            Box((1, True), Colour.blue, ()),
            '{"Box":{"pair":[1,true],"colour":{"some":{"blue":[]}},"nothing":[]}}',
        ),
    ],
)
def test_classes_are_written_as_derived_rust_types_are(value: Any, text: str) -> None:
    figure = shape_of(Figure)
    assert dumps(figure, value) == text
    assert loads(figure, text) == value
    assert type(loads(figure, text)) is type(value)


def test_a_record_on_its_own_is_derived_too() -> None:
    assert dumps(shape_of(Box), Box((1, True), None, ())) == '{"pair":[1,true],"colour":{"none":[]},"nothing":[]}'


def test_a_type_in_a_record_is_written_as_typed() -> None:
    @bsatn.record
    class Holder:
        typed: Annotated[Any, parse_type("(x: Option<U8>)")]
        own: bsatn.U8 | None

    assert dumps(shape_of(Holder), Holder((None,), None)) == '{"typed":{"x":{"none":{}}},"own":{"none":[]}}'


def test_spelling_of_nothing_and_of_tuples_can_be_asked_for() -> None:
    option = shape("Option<U8>")
    assert dumps(option, None) == dumps(option, None, none="object") == '{"none":{}}'
    assert dumps(option, None, none="array") == '{"none":[]}'
    assert dumps(shape("(a: (U8, Bool))"), ((1, True),), tuples="array") == '{"a":[1,true]}'
    with pytest.raises(EncodeError, match="tuple element has no name") as caught:
        dumps(shape("(a: (U8, Bool))"), ((1, True),))
    assert (caught.value.kind, caught.value.path) == ("Other", ("a",))


WRITTEN: list[tuple[str, Any, str]] = [
    ("U128", 2**128 - 1, str(2**128 - 1)),
    ("U256", 0, '"0x0"'),
    ("I256", -42, '"-0x2a"'),
    ("Bytes", b"\x01\xab", '"01ab"'),
    ("Array<I8>", [-1, 2], "[-1,2]"),
    ("Array<()>", [(), ()], "[{},{}]"),
    ("(a: U8 | U8)", Variant(0, 1), '{"a":1}'),
    ("(a: U8 | U8)", Variant(1, 1), "[1,1]"),
    ("Option<Option<U8>>", Some(None), '{"some":{"none":{}}}'),
    ("String", 'é"\\\n\x00\x7f\u2028', '"é\\"\\\\\\n\\u0000\x7f\u2028"'),
    ('("a\\"b": U8)', (1,), '{"a\\"b":1}'),
    ("F64", 1e15, "1000000000000000.0"),
    ("F64", 1e16, "1e+16"),
    ("F64", 1.5e-5, "0.000015"),
    ("F64", 1.5e-6, "1.5e-6"),
    ("F64", -0.0, "-0.0"),
    ("F64", float("inf"), "null"),
    ("F32", 0.10000000149011612, "0.1"),
    ("F32", 1.25e12, "1250000000000.0"),
    ("F32", 12499999752192.0, "1.25e+13"),
    ("F32", 1.401298464324817e-45, "1e-45"),
    ("F32", F32NaN(0x7F800001), "null"),
    ("F32", 2.0**-96, "1.2621775e-29"),  # 1.2621774e-29 is closer, and another float
    ("F32", 2.0**87, "1.5474251e+26"),
]


@pytest.mark.parametrize(("kind", "value", "text"), WRITTEN)
def test_writing(kind: str, value: Any, text: str) -> None:
    assert dumps(shape(kind), value) == text


def test_a_32_bit_float_is_written_with_the_fewest_digits() -> None:
    for exponent in range(1, 255):  # powers of two, where the closest short decimal may be another float
        for neighbour in (-1, 0, 1):
            data = ((exponent << 23) + neighbour).to_bytes(4, "little")
            value: float = struct.unpack("<f", data)[0]
            text = dumps(Float(32), value)
            assert struct.pack("<f", float(text)) == data
            digits = len(text.replace("-", "").replace(".", "").split("e")[0].strip("0"))
            shorter = f"{value:.{digits - 2}e}" if digits > 1 else "0"
            assert digits <= 9
            assert struct.pack("<f", float(shorter)) != data, text


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_32_bit_floats_come_back(value: float) -> None:
    assert struct.pack("<f", loads(Float(32), dumps(Float(32), value))) == struct.pack("<f", value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_64_bit_floats_come_back(value: float) -> None:
    assert struct.pack("<d", loads(Float(64), dumps(Float(64), value))) == struct.pack("<d", value)


@given(st.text())
def test_strings_come_back_however_they_are_escaped(value: str) -> None:
    string = shape("String")
    assert loads(string, dumps(string, value)) == value
    assert loads(string, json.dumps(value)) == value


def test_indented_text_says_the_same() -> None:
    kind = shape("(a: Array<U8>, b: Array<(c: String, d: Option<()>)>, e: Array<I8>)")
    value: Any = (b"\x01", [("[{,:", None), ("\\", ())], [])
    text = dumps(kind, value, indent=2)
    assert text == json.dumps(json.loads(dumps(kind, value)), indent=2)
    assert loads(kind, text) == value


READ: list[tuple[str, str, Any]] = [
    ("(a: U8 | b: U8)", '{"b":1}', Variant(1, 1)),
    ("(a: U8 | b: U8)", '["b",1]', Variant(1, 1)),
    ("(a: U8 | b: U8)", "[1,1]", Variant(1, 1)),
    ("(a: U8 | b: U8)", '["+1",1]', Variant(1, 1)),
    ("(a: U8 | b: U8)", '{"1":1}', Variant(1, 1)),
    ("(a: U8 | b: U8)", '{"+001":1}', Variant(1, 1)),
    ('("1": U8 | b: U8)', '{"1":1}', Variant(1, 1)),  # a name like a number is out of reach
    ('("300": U8 | b: U8)', '{"300":1}', Variant(0, 1)),  # but not one past the tags
    ("Option<U8>", "null", None),
    ("Option<U8>", '{"none":[]}', None),
    ("Option<U8>", '{"none":{}}', None),
    ("Option<U8>", '{"some":5}', 5),
    ("Option<Option<U8>>", '{"some":null}', Some(None)),
    ("(a: U8, b: Bool)", '{"b":true,"a":1}', (1, True)),
    ("(a: U8, b: Bool)", "[1,false]", (1, False)),
    ("(a: U8, b: Bool)", '{"\\u0061":1,"b":true}', (1, True)),
    ("Identity", '["0x1"]', 1),
    ("()", "[]", ()),
    ("()", " { } ", ()),
    ("Bytes", '"aBcD"', b"\xab\xcd"),
    ("Bytes", "[0,255]", b"\x00\xff"),
    ("Bytes", '""', b""),
    ("U256", '"0x000A"', 10),
    ("U256", '"+0xa"', 10),
    ("U256", '"0x' + "0" * 100_000 + '1"', 1),
    ("I256", '"-0x8' + "0" * 63 + '"', -(2**255)),
    ("I128", str(-(2**127)), -(2**127)),
    ("I128", "-0", 0),
    ("F64", "5", 5.0),
    ("F64", "1E-2", 0.01),
    ("F64", "1" * 300, float("1" * 300)),
    ("F32", "0.1", 0.10000000149011612),
    ("F32", "1e-60", 0.0),
    ("String", '"\\ud83d\\ude00\\/"', "😀/"),
]


@pytest.mark.parametrize(("kind", "text", "value"), READ)
def test_reading(kind: str, text: str, value: Any) -> None:
    assert loads(shape(kind), text) == value
    assert loads(shape(kind), text.encode()) == value


REFUSED: list[tuple[str, str, str]] = [
    ("(a: U8 | b: U8)", '"a"', "JsonShape"),
    ("(a: () | b: ())", '"a"', "JsonShape"),
    ("(a: U8 | b: U8)", "{}", "JsonShape"),
    ("(a: U8 | b: U8)", "[]", "JsonShape"),
    ("(a: U8 | b: U8)", "null", "JsonShape"),
    ("(a: U8 | b: U8)", '{"a":1,"b":1}', "JsonShape"),
    ("(a: U8 | b: U8)", "[0,1,2]", "JsonShape"),
    ("(a: U8 | b: U8)", "[0]", "JsonSyntax"),
    ("(a: U8 | b: U8)", "[2,1]", "UnknownVariant"),
    ("(a: U8 | b: U8)", "[-1,1]", "UnknownVariant"),
    ("(a: U8 | b: U8)", "[0.0,1]", "UnknownVariant"),
    ("(a: U8 | b: U8)", '{"c":1}', "UnknownVariant"),
    ("(a: U8 | b: U8)", "{1:1}", "JsonShape"),
    ("(a: U8 | b: U8)", '{"' + "9" * 10_000 + '":1}', "UnknownVariant"),
    ("(|)", "[0,0]", "UnknownVariant"),
    ("Option<U8>", "5", "JsonShape"),
    ("Option<U8>", '{"none":null}', "JsonShape"),
    ("Result<U8, U8>", "null", "JsonShape"),
    ("(a: U8, b: Bool)", '{"a":1}', "MissingField"),
    ("(a: U8, b: Bool)", '{"a":1,"b":true,"c":1}', "UnknownField"),
    ("(a: U8, b: Bool)", '{"a":1,"a":1,"b":true}', "DuplicateField"),
    ("(a: U8, b: Bool)", "[1]", "MissingField"),
    ("(a: U8, b: Bool)", "[1,true,2]", "JsonShape"),
    ("(U8, Bool)", '{"0":1,"1":true}', "UnknownField"),
    ("()", "null", "JsonShape"),
    ("U8", "1.0", "JsonShape"),
    ("U8", "-0", "JsonShape"),
    ("U8", "256", "OutOfRange"),
    ("U8", '"1"', "JsonShape"),
    ("U128", "1.0", "JsonShape"),
    ("U128", "1e3", "JsonShape"),
    ("U128", '"1"', "JsonShape"),
    ("I128", str(2**127), "OutOfRange"),
    ("U64", "1" * 1_000_000, "OutOfRange"),
    ("U256", "1", "JsonShape"),
    ("U256", '"1"', "JsonShape"),
    ("U256", '"0X1"', "JsonShape"),
    ("U256", '"-0x1"', "JsonShape"),
    ("U256", '"0x"', "JsonShape"),
    ("U256", '"0x1_0"', "JsonShape"),
    ("U256", '"0x1' + "0" * 64 + '"', "OutOfRange"),
    ("I256", '"0x8' + "0" * 63 + '"', "OutOfRange"),
    ("Bytes", '"0x01"', "JsonShape"),
    ("Bytes", '"012"', "JsonShape"),
    ("Bytes", '"０１"', "JsonShape"),
    ("Bytes", "[256]", "OutOfRange"),
    ("F32", "null", "JsonShape"),
    ("F32", '"1.0"', "JsonShape"),
    ("F32", "1e39", "OutOfRange"),
    ("F64", "1e400", "OutOfRange"),
    ("F64", "1" * 1_000_000, "OutOfRange"),
    ("F64", "NaN", "JsonSyntax"),
    ("F64", "-Infinity", "JsonSyntax"),
    ("F64", "1.", "JsonSyntax"),
    ("F64", ".5", "JsonSyntax"),
    ("F64", "+1", "JsonSyntax"),
    ("F64", "01", "JsonSyntax"),
    ("Bool", "1", "JsonShape"),
    ("Bool", '"true"', "JsonShape"),
    ("Bool", "truefalse", "JsonSyntax"),
    ("String", '"\\ud800"', "JsonSyntax"),
    ("String", '"\ud800"', "JsonSyntax"),
    ("String", '"a\nb"', "JsonSyntax"),
    ("String", '"\\x41"', "JsonSyntax"),
    ("String", '"abc', "JsonSyntax"),
    ("String", "'abc'", "JsonSyntax"),
    ("Array<I8>", "[1,]", "JsonSyntax"),
    ("Array<I8>", "[1 2]", "JsonShape"),
    ("Array<I8>", "[1", "JsonSyntax"),
    ("Array<I8>", '"01"', "JsonShape"),
    ("U8", "", "JsonSyntax"),
    ("U8", "\ufeff1", "JsonSyntax"),
    ("U8", "1 1", "JsonSyntax"),
    ("U8", "1\x00", "JsonSyntax"),
    ("&5", "1", "InvalidTypeRef"),
]


@pytest.mark.parametrize(("kind", "text", "error"), REFUSED)
def test_refused(kind: str, text: str, error: str) -> None:
    with pytest.raises(DecodeError) as caught:
        loads(shape(kind), text)
    assert caught.value.kind == error
    assert len(str(caught.value)) < 300


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        loads(shape("String"), b'"a\xff"')
    assert (caught.value.kind, caught.value.offset) == ("InvalidUtf8", 2)


@pytest.mark.parametrize(
    ("text", "error", "path", "offset"),
    [
        ('{"a":[[1,[70000,0]]]}', "OutOfRange", ("a", 0, "b", 0), 10),
        ('{"a":[[1,["x"]]]}', "JsonShape", ("a", 0, "b", 0), 10),
        ('{"é":0}', "UnknownField", (), 1),
        ('{"a":[[1,[]],{"c":[]}]}', "UnknownVariant", ("a", 1), 14),
        ('{"a":[]} x', "JsonSyntax", (), 9),
        ('{"a":[[1,[]],', "JsonSyntax", ("a", 1), 13),
    ],
)
def test_errors_say_where(text: str, error: str, path: Any, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        loads(shape("(a: Array<(a: U8 | b: Array<U16>)>)"), text)
    assert (caught.value.kind, caught.value.path, caught.value.offset) == (error, path, offset)


@pytest.mark.parametrize(
    ("kind", "value", "error", "path"),
    [
        ("(a: Array<(b: U8)>)", ([(1,), (256,)],), "OutOfRange", ("a", 1, "b")),
        ("(a: (b: U8 | c: String))", (("c", 1),), "WrongType", ("a", "c")),
        ("String", "\ud800", "InvalidUtf8", ()),
        ("F32", 1e39, "OutOfRange", ()),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_with_its_path(kind: str, value: Any, error: str, path: Any) -> None:
    with pytest.raises(EncodeError) as caught:
        dumps(shape(kind), value)
    assert (caught.value.kind, caught.value.path) == (error, path)


#: A linked list: a recursive type.
LINKS = t.Typespace((parse_type("(next: Option<&0>)"),))


def links(count: int) -> str:
    return '{"next":{"some":' * count + '{"next":{"none":{}}}' + "}}" * count


def test_what_is_too_deep_for_the_codec_is_too_deep_here() -> None:
    codec = bsatn.Codec[Any](t.Ref(0), LINKS)
    value = loads(codec.shape, links(255))  # 256 products and as many sums are open, and the unit of `none`
    assert dumps(codec.shape, value) == links(255)
    codec.encode(loads(codec.shape, links(254)))
    for refused in (lambda: loads(codec.shape, links(256)), lambda: dumps(codec.shape, (value,))):
        with pytest.raises(LimitExceeded) as caught:
            refused()
        assert caught.value.limit == "depth"
    with pytest.raises(LimitExceeded):
        codec.encode((value,))
    assert loads(codec.shape, links(256), limits=Limits(depth=514)) == (value,)


def test_what_adds_no_depth() -> None:
    kind = shape("(a: Array<(i: Identity, b: Bytes, u: ())>)")
    value = ([(5, b"\x01", ())],)
    for text in (dumps(kind, value), '[[[["0x5"],[1],[]]]]'):
        assert loads(kind, text, limits=Limits(depth=3)) == value


def test_the_deepest_value_reads_in_a_thread_with_the_usual_stack() -> None:
    codec, found = bsatn.Codec[Any](t.Ref(0), LINKS), list[str]()
    deep = Limits(depth=50_000)
    work = threading.Thread(
        target=lambda: found.append(dumps(codec.shape, loads(codec.shape, links(2_000), limits=deep), limits=deep))
    )
    work.start()
    work.join()
    assert found == [links(2_000)]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"next":[0,' * 100_000, '{"next":{"a":' * 100_000])
def test_bombs_are_errors(text: str) -> None:
    with pytest.raises(DecodeError):
        loads(shape_of_type(t.Ref(0), LINKS), text)


@given(st.text(alphabet='{}[]:,"0e.-+\\ntua1 ', max_size=40))
def test_any_text_is_a_value_or_an_error(text: str) -> None:
    kind = shape("Array<(n: F64 | e: Option<String> | t: (u: Array<I8>, a: Bool))>")
    try:
        value = loads(kind, text)
    except DecodeError:
        return  # and nothing else is raised
    assert loads(kind, dumps(kind, value)) == value


@given(st.text(alphabet="0123456789-+.eE", max_size=12))
def test_numbers_follow_the_grammar_of_json(text: str) -> None:
    expected: float | None
    try:
        expected = float(json.loads(text))
    except ValueError:
        expected = None
    if expected is not None and abs(expected) < float("inf"):
        assert loads(Float(64), text) == expected
    else:
        with pytest.raises(DecodeError) as caught:
            loads(Float(64), text)
        assert caught.value.kind == "OutOfRange" or expected is None


@given(st.integers(-(2**256), 2**256), st.sampled_from([8, 16, 32, 64, 128, 256]), st.booleans())
def test_integers_come_back_or_are_out_of_range(number: int, bits: int, signed: bool) -> None:
    kind = Int(bits, signed)
    low = -(2 ** (bits - 1)) if signed else 0
    text = str(number) if bits < 256 else f'"{number:#x}"'
    if low <= number < low + 2**bits:
        assert dumps(kind, number) == text
        assert loads(kind, text) == number
    else:
        with pytest.raises(EncodeError):
            dumps(kind, number)
        with pytest.raises(DecodeError):
            loads(kind, text)
