"""The native engine by itself: it neither panics nor leaks, whatever it is given."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import bsatn
from bsatn import types as t
from bsatn.codec import Codec
from bsatn.codegen.runtime import GiveUp, Unsure
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.records import shape_of
from bsatn.shapes import Shape
from bsatn.typeshapes import shape_of_type
from defs import raw

NativeEngine = pytest.importorskip("bsatn.native").NativeEngine
write_program = pytest.importorskip("bsatn.native.program").write_program

LIST = t.ProductType((t.ProductTypeElement("value", t.U32), t.ProductTypeElement("next", t.option_type(t.Ref(0)))))
ROW = bsatn.product(
    id=bsatn.U32,
    name=bsatn.String,
    tags=bsatn.array(bsatn.option(bsatn.Bool)),
    owner=bsatn.Identity,
    big=bsatn.I128,
    small=bsatn.F32,
    many=bsatn.array(bsatn.I16),
    kind=bsatn.sum_(a=bsatn.U8, b=bsatn.Unit, c=bsatn.String),
    due=bsatn.ScheduleAt,
    none=bsatn.array(bsatn.Unit),
    deep=bsatn.option(bsatn.option(bsatn.U8)),
    raw=bsatn.Bytes,
)
VALUE = (
    7, "grün", [True, None, False], bsatn.Identity(1 << 200), -(1 << 100), 1.5, [-3, 4],
    bsatn.Variant(2, "c"), bsatn.Timestamp(-5), [(), ()], bsatn.Some(3), b"abc",
)  # fmt: skip


def engine(kind: Any, limits: Limits = DEFAULT_LIMITS, typespace: t.Typespace | None = None) -> Any:
    shape = shape_of_type(kind, typespace) if isinstance(kind, t.AlgebraicType) else shape_of(kind)
    return NativeEngine(shape, limits)


def test_a_value_of_every_kind_goes_there_and_back() -> None:
    native = engine(ROW)
    data = native.encode(VALUE)
    assert native.decode(data, 0) == (VALUE, len(data))
    assert native.decode(b"xy" + data, 2) == (VALUE, len(data) + 2)
    assert native.decode_many(data * 3, 0, len(data) * 3) == ([VALUE] * 3, len(data) * 3)
    assert native.encode_many([VALUE] * 3) == data * 3
    assert native.check(data * 3, 0, 3) == len(data) * 3


def test_what_is_cut_gives_up() -> None:
    native = engine(ROW)
    data = native.encode(VALUE)
    for cut in range(len(data)):
        with pytest.raises(GiveUp):
            native.decode(data[:cut], 0)
        with pytest.raises(GiveUp):
            native.check(data[:cut], 0, 1)


@bsatn.record
class Tagged:
    """Texts as a list and as a tuple."""

    some: list[str]
    fixed: tuple[str, ...]
    last: bsatn.U8


TEXTS = ["", "a", "grün", "x" * 300]


def test_texts_are_read_into_what_was_asked_for() -> None:
    native = engine(Tagged)
    value = Tagged(some=TEXTS, fixed=tuple(TEXTS), last=7)
    data = native.encode(value)
    found, end = native.decode(data, 0)
    assert (found, end) == (value, len(data))
    assert (type(found.some), type(found.fixed)) == (list, tuple)
    for cut in range(len(data)):
        with pytest.raises(GiveUp):
            native.decode(data[:cut], 0)


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\1\0\0\0\1\0\0\0\xff", b"\2\0\0\0\1\0\0\0\xff\0\0\0\0"], ids=bytes.hex)
def test_what_are_no_texts_give_up(data: bytes) -> None:
    with pytest.raises((GiveUp, UnicodeDecodeError)):
        engine(bsatn.array(bsatn.String)).decode(data, 0)


class Pair(tuple[Any, ...]):
    """A tuple that says which items it has."""

    def __iter__(self) -> Iterator[Any]:
        return iter((5, 6))


FIELDS = bsatn.product(
    a=bsatn.U8, b=bsatn.Timestamp, c=bsatn.option(bsatn.U8), d=bsatn.String, e=bsatn.array(bsatn.Timestamp), f=bsatn.U16
)


@pytest.mark.parametrize("container", [tuple, list])
def test_fields_are_written_in_order_whatever_holds_them(container: type[Any]) -> None:
    native = engine(FIELDS)
    data = bytes([1, *[2] * 8, 0, 3, 1, 0, 0, 0, 52, 1, 0, 0, 0, *[5] * 8, 6, 6])
    value = native.decode(data, 0)[0]
    assert native.encode(container(value)) == data
    assert native.encode_many([container(value)] * 3) == data * 3
    for wrong in (value[:-1], (*value, 1), ()):
        with pytest.raises(GiveUp):
            native.encode(container(wrong))


def test_a_class_of_tuples_has_its_say() -> None:
    native = engine(bsatn.product(a=bsatn.U8, b=bsatn.U8))
    assert native.encode(Pair((1, 2, 3))) == b"\5\6"


@pytest.mark.parametrize(("kind", "size"), [(bsatn.I8, 1), (bsatn.U16, 2), (bsatn.U32, 4), (bsatn.U64, 8), (bsatn.U128, 16)])
def test_bytes_are_written_wherever_room_ends(kind: Any, size: int) -> None:
    """Numbers after a text of any length, so that each may be the one that needs more room."""
    native = engine(bsatn.product(a=bsatn.String, b=bsatn.array(kind)))
    for length in range(270):
        expected = length.to_bytes(4, "little") + b"x" * length + b"\3\0\0\0" + (b"\1" + bytes(size - 1)) * 3
        assert native.encode(("x" * length, [1] * 3)) == expected


def test_an_offset_past_the_end_gives_up() -> None:
    with pytest.raises(GiveUp):
        engine(bsatn.U8).decode(b"\1", 2)


@pytest.mark.parametrize("depth", [3, 8, 100, 512, 900, 5000])
def test_what_may_be_too_deep_is_left_to_the_construct_engine(depth: int) -> None:
    native = engine(t.Ref(0), Limits(depth=depth), t.Typespace((LIST,)))
    nodes = (min(depth, 900) - 3) // 2  # a product and an option each, and the last one's with a unit
    deep = b"\1\0\0\0\0" * nodes + b"\1\0\0\0\1"
    value, end = native.decode(deep, 0)
    assert (native.encode(value), native.check(deep, 0, 1), end) == (deep, end, len(deep))
    deeper = b"\1\0\0\0\0" * (nodes + 2) + b"\1\0\0\0\1"
    with pytest.raises(Unsure):
        native.decode(deeper, 0)
    with pytest.raises(Unsure):
        native.check(deeper, 0, 1)
    with pytest.raises(Unsure):
        native.encode((1, (1, (1, value))))


def test_a_value_inside_itself_is_left_to_the_construct_engine() -> None:
    value: list[Any] = [1]
    value.append(value)
    with pytest.raises(Unsure):
        engine(t.Ref(0), typespace=t.Typespace((LIST,))).encode(value)


def test_a_program_is_as_long_as_its_type() -> None:
    doubling = t.Typespace((*(bsatn.product(bsatn.ref(i + 1), bsatn.ref(i + 1)) for i in range(200)), t.U8))
    program = write_program(shape_of_type(t.Ref(0), doubling), DEFAULT_LIMITS)
    assert len(program.ops) < 200 * 10


def test_a_program_that_checks_steps_over_numbers_at_once() -> None:
    kind = bsatn.product(a=bsatn.U32, b=bsatn.product(c=bsatn.Identity, d=bsatn.F64), e=bsatn.array(bsatn.Timestamp))
    program = write_program(shape_of_type(kind), DEFAULT_LIMITS, values=False)
    assert [op[:2] for op in program.ops] == [("Skip", 44), ("Bytes", 8), ("Return", 0)]


def test_limits_past_any_number_of_ours_are_limits() -> None:
    native = engine(bsatn.array(bsatn.Unit), Limits(depth=10**30, empty_elements=10**30))
    assert native.decode(b"\2\0\0\0", 0) == ([(), ()], 4)


# -- values that bite

REFUSALS = (GiveUp, TypeError, ValueError, OverflowError)


class Shrinking:
    """An integer that empties the list it is in."""

    def __init__(self, inside: list[Any]) -> None:
        self.inside = inside

    def __index__(self) -> int:
        self.inside.clear()
        return 1


class Raising:
    def __index__(self) -> int:
        raise ZeroDivisionError


def test_a_list_that_changes_while_it_is_written_does_no_harm() -> None:
    for kind in (bsatn.array(bsatn.U32), bsatn.array(bsatn.option(bsatn.U32))):
        values: list[Any] = [2] * 10
        values[1] = Shrinking(values)
        with pytest.raises(IndexError):
            engine(kind).encode(values)
    fields: list[Any] = [2, 2]
    fields[0] = Shrinking(fields)
    with pytest.raises(IndexError):
        engine(bsatn.product(a=bsatn.U32, b=bsatn.U32)).encode(fields)
    with pytest.raises(ZeroDivisionError):
        engine(bsatn.U32).encode(Raising())


@pytest.mark.parametrize("pair", [("b", ()), (1, []), bsatn.Variant(1), [True, ()]], ids=repr)
def test_a_variant_that_carries_nothing_is_written(pair: Any) -> None:
    assert engine(bsatn.sum_(a=bsatn.U8, b=bsatn.Unit)).encode(pair) == b"\1"


@pytest.mark.parametrize(
    "pair", [("b", (1,)), (1, 7), (1, None), ("c", ()), (2, ()), (-1, ()), (1, (), 3), (1,), ("a", 300)], ids=repr
)
def test_a_pair_that_is_no_variant_gives_up(pair: Any) -> None:
    with pytest.raises(REFUSALS):
        engine(bsatn.sum_(a=bsatn.U8, b=bsatn.Unit)).encode(pair)


@pytest.mark.parametrize(
    "value", [1 << 300, -1, 1.5, "1", None, b"", (), object(), float("nan")], ids=lambda value: type(value).__name__
)
def test_what_is_no_u32_gives_up(value: Any) -> None:
    for kind in (bsatn.U32, bsatn.array(bsatn.U32), bsatn.U256):
        with pytest.raises(REFUSALS):
            engine(kind).encode([value] if kind is not bsatn.U32 else value)


# -- memory


def rounds(work: Callable[[], object], times: int) -> None:
    for _ in range(times):
        work()
    gc.collect()


def attempts() -> Iterator[Callable[[], object]]:
    native, definition = engine(ROW), engine(raw.RawModuleDef)
    data = native.encode(VALUE)
    module = bytes.fromhex("020100000002010000000100000074000000000000000000000000000000000000000001000000000000")
    wrong = (*VALUE[:-1], "no bytes")

    def failing(work: Callable[[], object]) -> Callable[[], object]:
        def attempt() -> None:
            with pytest.raises(REFUSALS):
                work()

        return attempt

    yield lambda: native.decode(data, 0)
    yield lambda: native.decode_many(data * 10, 0, 10 * len(data))
    yield lambda: native.encode(VALUE)
    yield lambda: native.check(data, 0, 1)
    yield lambda: definition.encode(definition.decode(module, 0)[0])
    yield failing(lambda: native.decode(data[:-1], 0))
    yield failing(lambda: native.decode_many(data * 10, 0, 10 * len(data) + 1))
    yield failing(lambda: native.encode(wrong))
    yield failing(lambda: native.check(data[:-1], 0, 1))
    yield failing(lambda: definition.decode(module[:-1], 0))


def resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_nothing_is_kept_of_what_was_read_or_written() -> None:
    for work in attempts():
        rounds(work, 20)
        shared = [sys.getrefcount(one) for one in (bsatn.Variant, bsatn.Timestamp, bsatn.Some, VALUE, *VALUE)]
        before = sys.getallocatedblocks()
        rounds(work, 500)
        assert sys.getallocatedblocks() - before < 100
        after = [sys.getrefcount(one) for one in (bsatn.Variant, bsatn.Timestamp, bsatn.Some, VALUE, *VALUE)]
        assert max(abs(one - other) for one, other in zip(after, shared, strict=True)) < 10


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_no_memory_is_kept_outside_of_python() -> None:
    native = engine(ROW)
    data = native.encode(VALUE) * 2_000

    def work() -> None:
        native.encode_many(native.decode_many(data, 0, len(data))[0])
        with pytest.raises(GiveUp):
            native.decode_many(data, 0, len(data) + 1)

    rounds(work, 3)
    before = resident()
    rounds(work, 20)
    assert resident() - before < 2 * len(data)


def test_plans_are_freed() -> None:
    shape = shape_of_type(ROW)

    def work() -> None:
        native = NativeEngine(shape, DEFAULT_LIMITS)
        native.check(native.encode(VALUE), 0, 1)

    rounds(work, 5)
    before = sys.getallocatedblocks()
    rounds(work, 50)
    assert sys.getallocatedblocks() - before < 50


# -- damage, by the million


def wild() -> dict[str, tuple[Shape, list[bytes]]]:
    """Shapes, and bytes that are values of them."""
    definition = shape_of(raw.RawModuleDef)
    nodes = t.Typespace((LIST,))
    row = Codec[Any](ROW)
    return {
        "row": (row.shape, [row.encode(VALUE)]),
        "list": (shape_of_type(t.Ref(0), nodes), [b"\1\0\0\0\0" * count + b"\1\0\0\0\1" for count in (1, 5, 40)]),
        "type": (shape_of(t.AlgebraicType), [Codec(t.AlgebraicType).encode(kind) for kind in (ROW, LIST)]),
        "definition": (
            definition,
            [bytes.fromhex("020100000002010000000100000074000000000000000000000000000000000000000001000000000000")],
        ),
    }


def mutated(source: random.Random, seeds: list[bytes]) -> Iterator[bytes]:
    """Endless damaged inputs; damage piles up for a while."""
    while True:
        data = bytearray(source.choice(seeds))
        for number in source.randbytes(24):
            place = number * 7 % len(data)
            action = number & 3
            if action == 0:
                data[place] ^= 1 << (number >> 5)
            elif action == 1:
                data[place] = number
            elif action == 2 and len(data) > 2:
                del data[place]
            else:
                data.insert(place, number >> 4)
            yield bytes(data)


def sweep(name: str, count: int, compared: int, seed: int = 0) -> None:
    """Nothing panics; of one input in `compared`, all engines say the same."""
    shape, seeds = wild()[name]
    native = NativeEngine(shape, DEFAULT_LIMITS)
    decode, check = native.plan.decode, native.checker.check
    exact = Codec[Any](bsatn.U8, engine="construct")
    exact.shape = shape
    inputs = mutated(random.Random(f"{name} {seed}"), seeds)
    for number in range(count):
        data = next(inputs)
        end: int | None = None
        value: Any = None
        with suppress(Exception):  # a panic is none
            value, end = decode(data, 0)
        checked: int | None = None
        with suppress(Exception):
            checked = check(data, 0, 1)
        assert checked == end, data.hex()
        if number % compared == 0:
            try:
                expected = repr(exact.decode_from(data))
            except bsatn.DecodeError:
                expected = repr((None, None))
            assert repr((value, end)) == expected, data.hex()


@pytest.mark.parametrize("name", ["row", "list", "type", "definition"])
def test_damage_does_not_panic(name: str) -> None:
    sweep(name, 20_000, 40)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
@pytest.mark.parametrize("name", ["row", "list", "type", "definition"])
def test_ten_million_damaged_inputs_do_not_panic(name: str, part: int) -> None:
    sweep(name, 1_250_000, 2_000, 1 + part)
