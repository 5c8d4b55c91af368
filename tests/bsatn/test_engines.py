"""The fast engines against the Construct engine: the same verdict and value on any input."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bsatn
from bsatn import strategies, types
from bsatn.codec import Codec
from bsatn.codegen import GeneratedEngine
from bsatn.codegen.runtime import GiveUp
from bsatn.constructs import ConstructEngine
from bsatn.engines import Engine, FastEngine, available, fast_engine
from bsatn.errors import DecodeError, EncodeError
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.records import shape_of
from bsatn.shapes import Shape
from bsatn.typeshapes import shape_of_type
from defs import raw

CAREFUL = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large], deadline=None
)


FAST: tuple[Engine, ...] = tuple(name for name in available() if name != "construct")


def fast_engines(shape: Shape, limits: Limits = DEFAULT_LIMITS) -> list[FastEngine]:
    return [engine for name in FAST if (engine := fast_engine(name, shape, limits))]


def fast_reading(engine: FastEngine, data: bytes) -> str | None:
    """What a fast engine makes of the bytes; None when it gives up."""
    try:
        value, end = engine.decode(data, 0)
    except Exception:  # noqa: BLE001 - whatever it raises means the same
        return None
    return repr((value, end)) if end <= len(data) else None


def exact_reading(shape: Shape, data: bytes, limits: Limits = DEFAULT_LIMITS) -> str | None:
    """What the Construct engine makes of them; None when it refuses."""
    try:
        return repr(ConstructEngine(shape, limits).decode(data, 0))
    except DecodeError as error:
        refused = error
    assert refused.offset is not None
    assert 0 <= refused.offset <= len(data)
    return None


def checked_end(engine: FastEngine, data: bytes, count: int = 1) -> int | None:
    """Where values end that a fast engine only checks; None when it gives up."""
    try:
        end = engine.check(data, 0, count)
    except Exception:  # noqa: BLE001 - whatever it raises means the same
        return None
    return end if end <= len(data) else None


def agree(shape: Shape, data: bytes) -> None:
    exact = exact_reading(shape, data)
    for engine in fast_engines(shape):
        assert fast_reading(engine, data) == exact
        end = checked_end(engine, data)
        assert (end is None) == (exact is None)
        assert end is None or exact is None or exact.endswith(f", {end})")


def assert_same_types(found: Any, expected: Any) -> None:
    """Equal values may differ in class: a plain int is equal to a Timestamp, a tuple to a Variant."""
    assert type(found) is type(expected)
    if isinstance(found, (tuple, list)):
        for one, other in zip(found, expected, strict=True):
            assert_same_types(one, other)


@CAREFUL
@given(strategies.typed_values())
def test_a_value_comes_back_from_both_engines(case: Any) -> None:
    kind, typespace, value = case
    shape = shape_of_type(kind, typespace)
    data = ConstructEngine(shape, DEFAULT_LIMITS).encode(value)
    assert repr(ConstructEngine(shape, DEFAULT_LIMITS).decode(data, 0)) == repr((value, len(data)))
    for engine in fast_engines(shape):
        assert engine.encode(value) == data
        assert fast_reading(engine, data) == repr((value, len(data)))
        assert_same_types(engine.decode(data, 0)[0], value)


@CAREFUL
@given(strategies.typed_values(), st.data())
def test_damaged_bytes_get_one_verdict(case: Any, data: st.DataObject) -> None:
    kind, typespace, value = case
    shape = shape_of_type(kind, typespace)
    good = Codec[Any](kind, typespace).encode(value)
    cut = data.draw(st.integers(0, len(good)))
    agree(shape, good[:cut])
    agree(shape, good + data.draw(st.binary(min_size=1, max_size=4)))
    if good:
        place, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
        agree(shape, good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])


@CAREFUL
@given(strategies.algebraic_types(3), strategies.typespaces(), st.binary(max_size=60))
def test_random_bytes_get_one_verdict(kind: Any, typespace: Any, data: bytes) -> None:
    agree(shape_of_type(kind, typespace), data)


@CAREFUL
@given(strategies.typed_values(), st.integers(0, 6), st.integers(0, 6))
def test_small_limits_get_one_verdict(case: Any, depth: int, empty: int) -> None:
    kind, typespace, value = case
    shape = shape_of_type(kind, typespace)
    data = Codec[Any](kind, typespace).encode(value)
    limits = Limits(depth=depth, empty_elements=empty)
    exact = exact_reading(shape, data, limits)
    for engine in fast_engines(shape, limits):
        fast = fast_reading(engine, data)
        if fast is not None:  # near the limit a fast engine may give up where the exact one need not
            assert fast == exact


@CAREFUL
@given(strategies.algebraic_types(2), strategies.typespaces(), st.data())
def test_wrong_values_get_one_verdict(kind: Any, typespace: Any, data: st.DataObject) -> None:
    shape = shape_of_type(kind, typespace)
    value = data.draw(_ANYTHING)
    exact: bytes | None
    try:
        exact = ConstructEngine(shape, DEFAULT_LIMITS).encode(value)
    except EncodeError:
        exact = None
    for engine in fast_engines(shape):
        try:
            fast = engine.encode(value)
        except Exception:  # noqa: BLE001 - whatever it raises means the same
            continue
        assert fast == exact


_ANYTHING = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.binary(max_size=3),
        st.just(bytearray(b"x")),
        st.builds(bsatn.Timestamp, st.integers(0, 9)), st.builds(bsatn.Identity, st.integers(0, 9)), st.just("some"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.builds(bsatn.Variant, st.integers(0, 3), inner),
        st.builds(bsatn.Some, inner), st.dictionaries(st.text(max_size=2), inner, max_size=2),
    ),
    max_leaves=6,
)  # fmt: skip


DEFINITION = shape_of(raw.RawModuleDef)


@settings(CAREFUL, max_examples=60)
@given(strategies.values(DEFINITION), st.data())
def test_definitions_come_back_and_damage_gets_one_verdict(value: Any, data: st.DataObject) -> None:
    good = raw.encode(value)
    assert good == ConstructEngine(DEFINITION, DEFAULT_LIMITS).encode(value)
    assert raw.decode(good) == value
    agree(DEFINITION, good[: data.draw(st.integers(0, len(good)))])
    place, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    agree(DEFINITION, good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])


def test_records_made_fast_are_the_records() -> None:
    data = bytes.fromhex("020100000002010000000100000074000000000000000000000000000000000000000001000000000000")
    definition = raw.decode(data)
    again, _ = ConstructEngine(DEFINITION, DEFAULT_LIMITS).decode(data, 0)
    assert definition == again
    assert hash(definition) == hash(again)
    assert type(definition) is raw.RawModuleDefV10
    with pytest.raises(dataclasses.FrozenInstanceError):
        definition.sections = ()  # type: ignore[misc]
    table = definition.tables[0]
    assert dataclasses.replace(table, is_event=True).is_event
    assert not hasattr(table, "__dict__")


def test_a_type_too_wide_to_compile_is_left_to_the_construct_engine() -> None:
    wide = types.ProductType(tuple(types.ProductTypeElement(f"f{i}", types.option_type(types.U8)) for i in range(9000)))
    codec = Codec[Any](wide)
    value = (None,) * 9000
    started = time.monotonic()
    assert codec.decode(codec.encode(value)) == value
    assert codec.decode_many(codec.encode_many([value, value])) == [value, value]
    assert time.monotonic() - started < 5  # compiling it would take longer, and longer still the wider it is
    with pytest.raises(GiveUp):
        GeneratedEngine(codec.shape, DEFAULT_LIMITS).decode(bytes(18000), 0)
