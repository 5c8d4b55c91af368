"""SATN text: what the reference prints, and types read from text."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsatn import types as t
from bsatn.errors import EncodeError, LimitExceeded, TypeTextError
from bsatn.limits import Limits
from bsatn.satn import format_type, format_value, parse_type
from bsatn.typeshapes import shape_of_type
from bsatn.values import Identity, Some, Timestamp, Variant


def product(*fields: tuple[str | None, t.AlgebraicType]) -> t.ProductType:
    return t.ProductType(tuple(t.ProductTypeElement(*field) for field in fields))


def sum_of(*variants: tuple[str | None, t.AlgebraicType]) -> t.SumType:
    return t.SumType(tuple(t.SumTypeVariant(*variant) for variant in variants))


# What the reference prints for these, by the source of its `fmt_algebraic_type`. (spec: wire 5.4)
PRINTED = [
    (t.U256, "U256"),
    (t.Ref(7), "&7"),
    (t.UNIT, "()"),
    (t.NEVER, "(|)"),
    (t.BYTES, "Array<U8>"),
    (t.ArrayType(t.ArrayType(t.STRING)), "Array<Array<String>>"),
    (product(("a", t.U8), ("b", t.BOOL)), "(a: U8, b: Bool)"),
    (product((None, t.U8), ("b", t.BOOL), (None, t.F32)), "(0: U8, b: Bool, 2: F32)"),
    (t.option_type(t.U32), "(some: U32 | none: ())"),
    (sum_of((None, t.U8), ("b", t.Ref(0)), (None, t.UNIT)), "(U8 | b: &0 | ())"),
    (sum_of((None, t.U8)), "(U8)"),
    (t.IDENTITY, "(__identity__: U256)"),
]


@pytest.mark.parametrize(("kind", "text"), PRINTED)
def test_types_print_as_the_reference_prints_them_and_read_back(kind: t.AlgebraicType, text: str) -> None:
    assert format_type(kind) == str(kind) == text
    assert parse_type(text) == kind


def test_a_sum_of_one_named_variant_prints_like_a_product_unless_exact() -> None:
    kind = sum_of(("a", t.U8))
    assert format_type(kind) == "(a: U8)"
    assert parse_type("(a: U8)") == product(("a", t.U8))
    assert format_type(kind, exact=True) == "(a: U8 |)"
    assert parse_type("(a: U8 |)") == parse_type("(| a: U8)") == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (" u8 ", t.U8),
        ("string", t.STRING),
        ("bytes", t.BYTES),
        ("Option<Bytes>", t.option_type(t.BYTES)),
        ("Result<U8,String>", t.result_type(t.U8, t.STRING)),
        ("ARRAY < identity >", t.ArrayType(t.IDENTITY)),
        ("(ConnectionId, Timestamp)", product((None, t.CONNECTION_ID), (None, t.TIMESTAMP))),
        ("(d: TimeDuration, u: Uuid,)", product(("d", t.TIME_DURATION), ("u", t.UUID))),
        ("ScheduleAt", t.SCHEDULE_AT),
        ("(U8)", sum_of((None, t.U8))),
        ("(U8,)", product((None, t.U8))),
        ("(| a: U8 | b: ())", sum_of(("a", t.U8), ("b", t.UNIT))),
        ("(1: U8, 1: U8)", product(("1", t.U8), (None, t.U8))),
        ("(0: U8 | 1: U8)", sum_of(("0", t.U8), ("1", t.U8))),
        ('("0": U8, "a b": U8, "\\"": U8)', product(("0", t.U8), ("a b", t.U8), ('"', t.U8))),
        ("(U8: U8, Array: &4294967295)", product(("U8", t.U8), ("Array", t.Ref(0xFFFFFFFF)))),
        ("(größe: U8\n)", product(("größe", t.U8))),
    ],
)
def test_the_types_people_type(text: str, kind: t.AlgebraicType) -> None:
    assert parse_type(text) == kind


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("", 0, "a type"),
        ("(a: )", 4, "a type"),
        ("(a: U8", 6, "`,`, `|` or `)`"),
        ("(a: U8, b: U8 | c: U8)", 14, "`,` or `)`"),
        ("(a: U8 | b: U8, c: U8)", 14, "`|` or `)`"),
        ("(,)", 1, "a type"),
        ("U8 U8", 3, "the end"),
        ("Array U8", 6, "`<` after Array"),
        ("Result<U8>", 9, "2 parameters"),
        ("(a: U8, b: Foo)", 11, "`Name: ()`"),
        ("&4294967296", 1, "below 2^32"),
        ("&" + "9" * 10_000, 1, "below 2^32"),
        ("(a: %)", 4, "a type"),
        ('("\\q": U8)', 1, "escapes of JSON"),
        ('"' + "a" * 100_000, 0, "a type"),
    ],
)
def test_errors_point_at_the_place(text: str, position: int, expected: str) -> None:
    with pytest.raises(TypeTextError) as caught:
        parse_type(text)
    assert caught.value.fields["position"] == position
    sentence, line, caret = caught.value.message.split("\n")
    assert expected in sentence
    assert len(sentence) < 200
    assert len(line) < 90
    shown = line[2:]
    assert shown in text or not text
    assert shown[len(caret) - 3 :] == text[position : position + 30][: len(shown) - len(caret) + 3]
    assert caret.endswith("^")


@pytest.mark.parametrize("text", ["(" * 100_000, "Array<" * 100_000, "(a:" * 100_000])
def test_depth_is_a_limit(text: str) -> None:
    with pytest.raises(LimitExceeded) as caught:
        parse_type(text)
    assert caught.value.limit == "depth"


def test_depth_counts_brackets() -> None:
    nested = "Array<" * 7 + "U8" + ">" * 7
    assert format_type(parse_type(nested, limits=Limits(depth=7))) == nested
    with pytest.raises(LimitExceeded):
        parse_type(nested, limits=Limits(depth=6))


def test_printing_a_type_needs_no_stack() -> None:
    kind: t.AlgebraicType = t.U8
    for _ in range(100_000):
        kind = t.ArrayType(kind)
    assert format_type(kind).endswith(">" * 100_000)
    while isinstance(kind, t.ArrayType):  # freed one by one: the interpreter would recurse
        kind = kind.element


NAMES = st.none() | st.sampled_from(["a", "b", "U8", "0", "1", "Array", ""]) | st.text(max_size=4)


def parts(types: st.SearchStrategy[t.AlgebraicType]) -> st.SearchStrategy[list[tuple[Any, t.AlgebraicType]]]:
    return st.lists(st.tuples(NAMES, types), max_size=4)


TYPES: st.SearchStrategy[t.AlgebraicType] = st.recursive(
    st.sampled_from(t.PRIMITIVES) | st.integers(0, 0xFFFFFFFF).map(t.Ref),
    lambda inner: (
        inner.map(t.ArrayType)
        | inner.map(t.option_type)
        | parts(inner).map(lambda found: product(*found))
        | parts(inner).map(lambda found: sum_of(*found))
    ),
    max_leaves=12,
)


@given(TYPES)
def test_exact_text_reads_back_as_the_same_type(kind: t.AlgebraicType) -> None:
    assert parse_type(format_type(kind, exact=True)) == kind


@given(st.text(alphabet='(){}<>|,:& "0aU8rsAy\\n', max_size=30))
def test_any_text_is_a_type_or_an_error(text: str) -> None:
    try:
        kind = parse_type(text)
    except TypeTextError:
        return  # and nothing else is raised
    assert parse_type(format_type(kind, exact=True)) == kind


# As the reference's descriptions of modules print default values.
VALUES: list[tuple[str, Any, str]] = [
    ("Bool", True, "true"),
    ("I128", -5, "-5"),
    ("U256", 2**256 - 1, str(2**256 - 1)),
    ("F32", -0.0, "-0"),
    ("F32", 0.10000000149011612, "0.1"),
    ("F32", 238268.546875, "238268.55"),
    ("F32", 3.4028234663852886e38, "340282350000000000000000000000000000000"),
    ("F32", 1.401298464324817e-45, "0.000000000000000000000000000000000000000000001"),
    ("F32", 2.0**-122, "0.0000000000000000000000000000000000001880791"),
    ("F32", float("-inf"), "-inf"),
    ("F64", float("nan"), "NaN"),
    ("F64", 1e21, "1000000000000000000000"),
    ("F64", 1.5e-7, "0.00000015"),
    ("F64", 12.0, "12"),
    ("String", 'say "日本語"', '"say "日本語""'),
    ("Bytes", b"\x01\x02", "0x0102"),
    ("Array<I8>", [1, -2], "[1, -2]"),
    ("Array<Bool>", [], "[]"),
    ("()", (), "()"),
    ("(a: U8, b: U8)", (1, 2), "(a = 1, b = 2)"),
    ("(U8,)", (3,), "(0 = 3)"),
    ("Identity", Identity(5), "(__identity__ = 5)"),
    ("ScheduleAt", Timestamp(-9), "(Time = (__timestamp_micros_since_unix_epoch__ = -9))"),
    ("(U8 | b: ())", Variant(0, 9), "( = 9)"),
    ("(U8 | b: ())", Variant(1), "(b = ())"),
    ("Option<U8>", None, "(none = ())"),
    ("Option<Option<U8>>", Some(7), "(some = (some = 7))"),
]


@pytest.mark.parametrize(("kind", "value", "text"), VALUES)
def test_values_print_as_the_reference_prints_them(kind: str, value: Any, text: str) -> None:
    assert format_value(shape_of_type(parse_type(kind)), value) == text


@pytest.mark.parametrize(
    ("kind", "value", "error", "path"),
    [
        ("(a: Array<U8>, b: Array<I8>)", (b"", [1, 128]), "OutOfRange", ("b", 1)),
        ("(a: U8)", (1, 2), "WrongLength", ()),
        ("(a: String)", (1,), "WrongType", ("a",)),
        ("(a: String)", ("\ud800",), "InvalidUtf8", ("a",)),
        ("(a: U8 | b: U8)", Variant(2, 0), "UnknownVariant", ()),
        ("Option<Option<U8>>", Some(-1), "OutOfRange", ("some", "some")),
        ("Option<Option<U8>>", 5, "WrongType", ()),
        ("F32", 1e39, "OutOfRange", ()),
        ("Array<&9>", [0], "InvalidTypeRef", (0,)),
        ("ScheduleAt", 5, "WrongType", ()),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_with_its_path(kind: str, value: Any, error: str, path: Any) -> None:
    with pytest.raises(EncodeError) as caught:
        format_value(shape_of_type(parse_type(kind)), value)
    assert (caught.value.kind, caught.value.path) == (error, path)


def test_deep_values_print_in_a_thread_with_the_usual_stack() -> None:
    kind, value = "I8", 1
    for _ in range(500):
        kind, value = f"Array<{kind}>", [value]  # type: ignore[assignment]
    shape = shape_of_type(parse_type(kind))
    texts: list[str] = []
    thread = threading.Thread(target=lambda: texts.append(format_value(shape, value)))
    thread.start()
    thread.join()
    assert texts == ["[" * 500 + "1" + "]" * 500]
