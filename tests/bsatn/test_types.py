"""Types as plain data: built, printed, compared, recognised by exact structure."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given

import bsatn
from bsatn import strategies
from bsatn import types as t
from bsatn.annotations import (
    U8,
    U32,
    Bool,
    Bytes,
    Never,
    ScheduleAt,
    String,
    Unit,
    array,
    option,
    plain_enum,
    product,
    ref,
    result,
    sum_,
)
from bsatn.records import record, type_of

NAMES: dict[str, Any] = {name: getattr(bsatn, name) for name in bsatn.__all__}

SPECIAL: dict[str, t.AlgebraicType] = {
    "Identity": t.IDENTITY,
    "ConnectionId": t.CONNECTION_ID,
    "Timestamp": t.TIMESTAMP,
    "TimeDuration": t.TIME_DURATION,
    "Uuid": t.UUID,
    "ScheduleAt": t.SCHEDULE_AT,
}

KINDS: list[tuple[t.AlgebraicType, str]] = [
    *((kind, kind.name) for kind in t.PRIMITIVES),
    *((kind, name) for name, kind in SPECIAL.items()),
    (t.BYTES, "Bytes"),
    (t.UNIT, "Unit"),
    (t.NEVER, "Never"),
    (t.Ref(3), "ref(3)"),
    (array(U32), "array(U32)"),
    (array(array(U8)), "array(Bytes)"),
    (option(U8), "option(U8)"),
    (option(option(ref(0))), "option(option(ref(0)))"),
    (result(U8, String), "result(U8, String)"),
    (product(x=U8, y=Bool), "product(x=U8, y=Bool)"),
    (product(U8, Bool), "product(U8, Bool)"),
    (product(("a b", U8), Bool), "product(('a b', U8), Bool)"),
    (product(("x", U8), ("x", Bool)), "product(('x', U8), ('x', Bool))"),
    (product(("", U8)), "product(('', U8))"),
    (sum_(a=U8, b=Unit), "sum_(a=U8, b=Unit)"),
    (sum_(U8), "sum_(U8)"),
    (sum_(("class", U8)), "sum_(('class', U8))"),
    (sum_(("__debug__", U8)), "sum_(('__debug__', U8))"),
    (product(("\u00b5", U8)), "product(('\u00b5', U8))"),  # Python would spell it another way
]


# -- built and printed


@pytest.mark.parametrize(("kind", "text"), KINDS, ids=[text for _, text in KINDS])
def test_a_types_repr_builds_it(kind: t.AlgebraicType, text: str) -> None:
    assert repr(kind) == text
    assert type_of(eval(text, dict(NAMES))) == kind


@given(strategies.algebraic_types(3))
def test_any_types_repr_builds_it(kind: t.AlgebraicType) -> None:
    assert type_of(eval(repr(kind), dict(NAMES))) == kind


def test_a_typespace_shows_its_types() -> None:
    assert eval(repr(t.Typespace((t.U8, ref(0)))), {**NAMES, **vars(t)}) == t.Typespace((t.U8, ref(0)))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (product(a=U8, b=Bool), "(a: U8, b: Bool)"),
        (option(U8), "(some: U8 | none: ())"),
        (array(U8), "Array<U8>"),
        (t.NEVER, "(|)"),
        (t.UNIT, "()"),
        (ref(0), "&0"),
    ],
)
def test_a_types_text_is_satn(kind: t.AlgebraicType, text: str) -> None:
    assert str(kind) == text


def test_types_may_be_given_as_annotations() -> None:
    assert product(a=U32, b=list[U32], c=U8 | None, d=str) == product(a=t.U32, b=array(t.U32), c=option(t.U8), d=t.STRING)


def test_a_record_is_a_part_of_a_type() -> None:
    @record
    class Point:
        x: U8

    assert array(Point) == array(product(x=t.U8))


def test_a_plain_enum_is_a_sum_of_units() -> None:
    assert plain_enum("a", "b") == sum_(a=Unit, b=Unit)


# -- special shapes, by their exact structure


@pytest.mark.parametrize(("name", "kind"), SPECIAL.items())
def test_a_special_shape_is_known(name: str, kind: t.AlgebraicType) -> None:
    assert t.special_name(kind) == name


@pytest.mark.parametrize(
    "kind",
    [
        product(__identity__=t.U128),
        product(__identity__=t.I256),
        product(__identity__=ref(0)),
        product(__Identity__=t.U256),
        product(__identity__=t.U256, more=Unit),
        product(t.U256),
        product(__connection_id__=t.I128),
        product(__timestamp_micros_since_unix_epoch__=t.U64),
        product(__time_duration_micros__=t.U64),
        product(__uuid__=t.U256),
        sum_(__identity__=t.U256),
        sum_(Interval=t.TIMESTAMP, Time=t.TIME_DURATION),
        sum_(Time=t.TIMESTAMP, Interval=t.TIME_DURATION),
        sum_(interval=t.TIME_DURATION, time=t.TIMESTAMP),
        sum_(Interval=t.TIME_DURATION, Time=t.TIMESTAMP, Never=Unit),
        sum_(Interval=t.TIME_DURATION),
        sum_(Interval=ref(0), Time=ref(1)),
        product(Interval=t.TIME_DURATION, Time=t.TIMESTAMP),
        t.U256,
        t.UNIT,
        t.NEVER,
        t.BYTES,
    ],
    ids=repr,
)
def test_what_is_nearly_a_special_shape_is_none(kind: t.AlgebraicType) -> None:
    assert t.special_name(kind) is None


@pytest.mark.parametrize("payload", [t.U8, t.UNIT, t.NEVER, ref(0), option(t.U8)], ids=repr)
def test_an_option_has_a_payload(payload: t.AlgebraicType) -> None:
    assert t.option_payload(t.option_type(payload)) == payload


@pytest.mark.parametrize(
    "kind",
    [
        sum_(Some=U8, None_=Unit),
        sum_(some=U8, none=U8),
        sum_(none=Unit, some=U8),
        sum_(some=U8),
        sum_(some=U8, none=Unit, more=Unit),
        sum_(U8, Unit),
        sum_(some=U8, none=ref(0)),
        product(some=U8, none=Unit),
        t.U8,
    ],
    ids=repr,
)
def test_what_is_nearly_an_option_is_none(kind: t.AlgebraicType) -> None:
    assert t.option_payload(kind) is None


def test_a_result_has_two_payloads() -> None:
    assert t.result_payloads(result(U8, String)) == (t.U8, t.STRING)


@pytest.mark.parametrize(
    "kind",
    [sum_(Ok=U8, Err=U8), sum_(err=U8, ok=U8), sum_(ok=U8), sum_(ok=U8, err=U8, more=U8), product(ok=U8, err=U8)],
    ids=repr,
)
def test_what_is_nearly_a_result_is_none(kind: t.AlgebraicType) -> None:
    assert t.result_payloads(kind) is None


# -- plain data


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS], ids=repr)
def test_a_copy_of_a_type_is_equal(kind: t.AlgebraicType) -> None:
    for again in (copy.copy(kind), copy.deepcopy(kind), pickle.loads(pickle.dumps(kind))):
        assert again == kind
        assert hash(again) == hash(kind)


def test_types_differ_by_names_and_order() -> None:
    kinds = {
        product(a=U8, b=U8),
        product(b=U8, a=U8),
        product(U8, U8),
        sum_(a=U8, b=U8),
        product(a=U8, b=U8, c=U8),
        array(U8),
        ref(0),
        ref(1),
        t.UNIT,
        t.NEVER,
    }
    assert len(kinds) == 10


def test_a_name_that_is_empty_is_not_a_name_that_is_missing() -> None:
    assert product(("", U8)) != product(U8)


def test_a_type_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        t.Ref(0).index = 1  # type: ignore[misc]


def test_the_primitives_stand_in_tag_order() -> None:
    assert [kind.name for kind in t.PRIMITIVES] == (
        ["String", "Bool", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "I128", "U128", "I256", "U256", "F32", "F64"]
    )


def test_a_typespace_is_a_sequence() -> None:
    space = t.Typespace((t.U8, t.STRING))
    assert (len(space), space[1], list(space)) == (2, t.STRING, [t.U8, t.STRING])
    with pytest.raises(IndexError):
        space[2]


def test_the_annotations_that_are_types_mean_them() -> None:
    assert type_of(Bytes) == t.BYTES
    assert type_of(Never) == t.NEVER
    assert type_of(Unit) == t.UNIT
    assert type_of(ScheduleAt) == t.SCHEDULE_AT
