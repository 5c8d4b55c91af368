"""Bytes made to break a reader: cut, damaged, lying about lengths, nested, circular. Each is refused by name, at once.

Every engine reads everything here; no input may take longer than a moment or more memory than it pays for.
"""

from __future__ import annotations

import functools
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from bsatn import types as t
from bsatn.annotations import U8, U16, U32, U64, Bool, Bytes, String, Unit, array, option, product, ref, sum_
from bsatn.codec import Codec
from bsatn.engines import Engine, available
from bsatn.errors import DecodeError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import record
from bsatn.values import Variant
from defs import raw

_T = TypeVar("_T")

REPOSITORY = Path(__file__).parents[2]
MIB = 1 << 20
PATIENCE = 5.0  #: seconds; what is bounded ends in a fraction of it, what is not would take years
ENGINES = available()

each_engine = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture(autouse=True)
def _at_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of this file that takes long has met a bomb that went off."""
    start = time.monotonic()
    yield
    if request.node.get_closest_marker("slow") is None:
        assert time.monotonic() - start < PATIENCE


def refusal(codec: Codec[Any], data: bytes) -> DecodeError:
    """The error that the bytes get."""
    with pytest.raises(DecodeError) as caught:
        codec.decode(data)
    return caught.value


def place(error: DecodeError) -> tuple[str, int | None, str]:
    return error.kind, error.offset, error.where


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


HUGE = u32(2**32 - 1)

# -- a real definition, cut and damaged

MODULES = json.loads((REPOSITORY / "vectors" / "modules" / "expected.json").read_text("utf-8"))["modules"]
ARENA = bytes.fromhex(MODULES["arena_v1"]["bytes"])


def definition_codec(engine: Engine) -> Codec[raw.RawModuleDef]:
    return Codec[raw.RawModuleDef](raw.RawModuleDef, engine=engine)


@each_engine
def test_a_definition_cut_anywhere_is_too_short(engine: Engine) -> None:
    codec = definition_codec(engine)
    for cut in range(len(ARENA)):
        with pytest.raises(DecodeError) as caught:
            codec.decode(ARENA[:cut])
        error = caught.value
        assert error.kind == "BufferLength"
        assert error.offset is not None
        assert error.offset + error.fields["given"] == cut
        assert error.fields["given"] < error.fields["expected"]


def test_an_error_deep_in_a_definition_says_where() -> None:
    cut = ARENA.index(b"audit_event") + 4
    error = refusal(definition_codec("python"), ARENA[:cut])
    assert place(error) == ("BufferLength", cut - 4, "sections[2].tables[0].source_name")


def verdict(codec: Codec[Any], data: bytes) -> object:
    """The value, or all there is to say about the error; a value must become the same bytes again."""
    try:
        value = codec.decode(data)
    except DecodeError as error:
        return error.kind, error.offset, error.path, error.fields
    assert codec.encode(value) == data
    return value


def damage(spots: Iterator[tuple[int, int]] | list[tuple[int, int]]) -> None:
    """Flip each bit in turn: all engines must say the same of the result, with an error of a known kind if any."""
    exact, *fast = map(definition_codec, reversed(ENGINES))
    kinds = {"BufferLength", "InvalidTag", "InvalidUtf8", "InvalidBool", "TrailingBytes", "LimitExceeded"}
    for byte, bit in spots:
        data = ARENA[:byte] + bytes([ARENA[byte] ^ 1 << bit]) + ARENA[byte + 1 :]
        found = verdict(exact, data)
        assert all(found == verdict(codec, data) for codec in fast), (byte, bit)
        assert isinstance(found, raw.RawModuleDefV10) or found[0] in kinds, (byte, bit)  # type: ignore[index]


def test_a_definition_with_a_bit_flipped_is_read_or_refused() -> None:
    damage(random.Random(1).sample([(byte, bit) for byte in range(len(ARENA)) for bit in range(8)], 400))


@pytest.mark.slow
def test_a_definition_with_any_bit_flipped_is_read_or_refused() -> None:
    damage([(byte, bit) for byte in range(len(ARENA)) for bit in range(8)])


@each_engine
def test_a_definition_with_bytes_after_it_is_refused(engine: Engine) -> None:
    error = refusal(definition_codec(engine), ARENA + b"\0\0")
    assert (error.kind, error.offset, error.fields) == ("TrailingBytes", len(ARENA), {"unread": 2})


# -- lengths and counts that lie


@each_engine
@pytest.mark.parametrize(
    ("kind", "data", "for_type", "given"),
    [
        (String, HUGE, "[u8]", 0),
        (String, HUGE + b"abc", "[u8]", 3),
        (Bytes, HUGE + b"abc", "[u8]", 3),
        (array(U64), HUGE, "u64", 0),
        (array(U64), HUGE + bytes(12), "u64", 4),
        (array(U16), HUGE + bytes(1), "u16", 1),
        (array(t.F32), HUGE + bytes(2), "u32", 2),
        (array(Bool), HUGE, "u8", 0),
        (array(String), HUGE + u32(0), "u32", 0),
        (array(product(a=U32, b=Unit)), HUGE + u32(7), "u32", 0),
        (array(product(a=U32, b=U64)), HUGE + u32(7), "u64", 0),
        (array(option(Unit)), HUGE + b"\1\0\1", "u8", 0),
        (array(array(array(U8))), HUGE * 3, "[u8]", 0),
        (t.Typespace, HUGE, "u8", 0),
    ],
)
def test_a_length_of_4_gib_runs_into_the_end(kind: Any, data: bytes, for_type: str, given: int, engine: Engine) -> None:
    error = refusal(Codec[Any](kind, engine=engine), data)
    assert (error.kind, error.fields["for_type"], error.fields["given"]) == ("BufferLength", for_type, given)


@each_engine
@pytest.mark.parametrize(
    "kind",
    [
        array(Unit),
        array(product(a=Unit)),
        array(product(a=Unit, b=product(Unit, Unit))),
        array(array(Unit)),
        option(array(Unit)),
        product(U32, array(Unit)),
    ],
    ids=str,
)
def test_four_billion_values_without_bytes_are_past_the_limit(kind: Any, engine: Engine) -> None:
    lead = {"some": b"\0", "U32": u32(1), "Array<Array": u32(1)}
    data = next((bytes_ for word, bytes_ in lead.items() if word in str(kind)), b"") + HUGE
    error = refusal(Codec[Any](kind, engine=engine), data)
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.bound) == ("empty_elements", Limits().empty_elements)
    assert "Limits(empty_elements=" in error.message


@each_engine
def test_values_without_bytes_are_counted_over_all_arrays(engine: Engine) -> None:
    codec = Codec[Any](array(array(Unit)), engine=engine, limits=Limits(empty_elements=10))
    assert codec.decode(u32(2) + u32(5) + u32(5)) == [[()] * 5, [()] * 5]
    error = refusal(codec, u32(2) + u32(5) + u32(6))
    assert (error.kind, error.where) == ("LimitExceeded", "[1]")


@each_engine
def test_as_many_values_without_bytes_as_the_limit_allows_are_read(engine: Engine) -> None:
    most = Limits().empty_elements
    assert len(Codec[Any](array(Unit), engine=engine).decode(u32(most))) == most


@each_engine
def test_a_count_in_a_definition_that_lies_runs_into_the_end(engine: Engine) -> None:
    error = refusal(definition_codec(engine), b"\x02" + HUGE)
    assert place(error) == ("BufferLength", 5, "sections[0]")


# -- nesting


def list_codec(engine: Engine = "python", limits: Limits | None = None) -> Codec[Any]:
    """A list as a recursive type: each node holds a value and perhaps the next node."""
    node = product(value=U32, next=option(ref(0)))
    return Codec[Any](ref(0), t.Typespace((node,)), engine=engine, limits=limits or Limits())


def linked(length: int) -> bytes:
    return b"".join(u32(i) + b"\0" for i in range(length - 1)) + u32(length - 1) + b"\1"


def nested_products(depth: int) -> t.AlgebraicType:
    kind: t.AlgebraicType = t.U8
    for _ in range(depth):
        kind = t.ProductType((t.ProductTypeElement("inner", kind),))
    return kind


@each_engine
def test_a_list_of_100_nodes_inside_one_another_goes_there_and_back(engine: Engine) -> None:
    codec = list_codec(engine)
    value = codec.decode(linked(100))
    assert codec.encode(value) == linked(100)
    for i in range(100):
        assert value[0] == i
        value = value[1]
    assert value is None


@each_engine
def test_a_list_past_the_depth_is_refused_where_it_goes_past(engine: Engine) -> None:
    error = refusal(list_codec(engine), linked(10_000))
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.bound) == ("depth", 512)
    assert error.offset == 256 * 5  # each node opens two: its product and the option
    assert error.path[:4] == ("next", "some", "next", "some")


@each_engine
@pytest.mark.parametrize("depth", [3, 4, 7, 8, 9, 100, 512])
def test_depth_counts_arrays_products_and_sums(depth: int, engine: Engine) -> None:
    codec = list_codec(engine, Limits(depth=depth))
    fits = (depth - 1) // 2  # a product and an option each, and the unit in the last one
    assert codec.encode(codec.decode(linked(fits))) == linked(fits)
    assert refusal(codec, linked(fits + 1)).kind == "LimitExceeded"


@each_engine
def test_types_nested_100_products_deep_stand_in_a_definition(engine: Engine) -> None:
    definition = raw.RawModuleDefV10((raw.v10.TypespaceSection(t.Typespace((nested_products(100),))),))
    codec = definition_codec(engine)
    data = codec.encode(definition)
    assert codec.decode(data) == definition
    assert codec.encode(codec.decode(data)) == data


@each_engine
def test_a_value_nested_100_products_deep_goes_there_and_back(engine: Engine) -> None:
    codec = Codec[Any](nested_products(100), engine=engine)
    assert codec.encode(codec.decode(b"\7")) == b"\7"


@each_engine
@pytest.mark.parametrize("depth", [600, 10_000])
def test_thousands_of_arrays_inside_one_another_are_too_deep_a_type(depth: int, engine: Engine) -> None:
    error = refusal(Codec[Any](t.AlgebraicType, engine=engine), b"\3" * depth + b"\4")
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.offset) == ("depth", 512)
    assert "Limits(depth=" in error.message


@each_engine
def test_arrays_as_deep_as_the_limit_are_a_type(engine: Engine) -> None:
    codec = Codec[Any](t.AlgebraicType, engine=engine)
    data = b"\3" * 510 + b"\4"  # each a variant of AlgebraicType, and so is String, which holds a unit
    assert codec.encode(codec.decode(data)) == data


@each_engine
def test_a_limit_beyond_the_stack_is_refused_and_does_not_crash(engine: Engine) -> None:
    codec = Codec[Any](t.AlgebraicType, engine=engine, limits=Limits(depth=10**6))
    assert refusal(codec, b"\3" * 50_000 + b"\4").kind == "LimitExceeded"


@each_engine
def test_a_type_nested_too_deep_makes_no_codec(engine: Engine) -> None:
    kind: t.AlgebraicType = t.STRING
    for _ in range(10_000):
        kind = t.ArrayType(kind)
    with pytest.raises(LimitExceeded):
        Codec[Any](kind, engine=engine)


@each_engine
def test_submodules_inside_one_another_are_too_deep(engine: Engine) -> None:
    inner = b"\x01\0\0\0\x0e\x01\0\0\0" + u32(0)  # one section of one submodule without name
    error = refusal(definition_codec(engine), b"\x02" + inner * 5000 + u32(0))
    assert error.kind == "LimitExceeded"
    assert error.path[:4] == ("sections", 0, "submodules", 0)


@each_engine
def test_a_value_nested_too_deep_is_not_written(engine: Engine) -> None:
    value: Any = None
    for _ in range(10_000):
        value = (1, value)
    with pytest.raises(LimitExceeded) as caught:
        list_codec(engine).encode(value)
    assert isinstance(caught.value, EncodeError)


@each_engine
def test_a_value_inside_itself_is_not_written(engine: Engine) -> None:
    value: list[Any] = [1]
    value.append(value)
    with pytest.raises(LimitExceeded):
        list_codec(engine).encode(value)


# -- references


def space(*kinds: t.AlgebraicType) -> t.Typespace:
    return t.Typespace(kinds)


@each_engine
@pytest.mark.parametrize(
    ("typespace", "kind", "fault", "at"),
    [
        (space(), 0, "InvalidTypeRef", 0),
        (space(t.U8), 1, "InvalidTypeRef", 1),
        (space(t.U8), 2**32 - 1, "InvalidTypeRef", 2**32 - 1),
        (space(ref(7)), 0, "InvalidTypeRef", 7),
        (space(ref(0)), 0, "RecursiveTypeRef", 0),
        (space(ref(1), ref(0)), 0, "RecursiveTypeRef", 0),
        (space(ref(1), ref(2), ref(1)), 0, "RecursiveTypeRef", 1),
    ],
)
def test_a_reference_that_leads_nowhere_has_no_value(
    typespace: t.Typespace, kind: int, fault: str, at: int, engine: Engine
) -> None:
    codec = Codec[Any](product(a=U8, b=ref(kind)), typespace, engine=engine)
    error = refusal(codec, bytes(10))
    assert place(error) == (fault, 1, "b")
    assert error.fields == {"ref": at}
    with pytest.raises(EncodeError) as caught:
        codec.encode((0, 0))
    assert caught.value.kind == fault


@each_engine
@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (option(ref(9)), b"\1", None),
        (array(ref(9)), u32(0), []),
        (sum_(a=ref(9), b=U8), b"\1\7", Variant(1, 7)),
    ],
    ids=["none", "empty array", "other variant"],
)
def test_a_reference_that_no_byte_reaches_does_no_harm(kind: Any, data: bytes, value: Any, engine: Engine) -> None:
    codec = Codec[Any](kind, space(), engine=engine)
    assert codec.decode(data) == value
    assert codec.encode(value) == data


@each_engine
def test_a_long_chain_of_references_is_followed(engine: Engine) -> None:
    chain = space(*(ref(i + 1) for i in range(10_000)), t.U8)
    assert Codec[Any](ref(0), chain, engine=engine).decode(b"\7") == 7


@each_engine
@pytest.mark.parametrize(
    ("typespace", "data"),
    [
        (space(product(next=ref(0))), b""),
        (space(product(a=ref(1), b=ref(1)), product(a=ref(0), b=ref(0))), b""),
        (space(product(a=U8, next=ref(0))), bytes(100_000)),
        (space(sum_(next=ref(0))), bytes(100_000)),
        (space(array(ref(0))), u32(1) * 100_000),
    ],
    ids=["product of itself", "two products", "with a byte", "sum", "array"],
)
def test_a_type_without_end_is_too_deep(typespace: t.Typespace, data: bytes, engine: Engine) -> None:
    assert refusal(Codec[Any](ref(0), typespace, engine=engine), data).kind == "LimitExceeded"


# -- types that double


def doubling(levels: int, last: t.AlgebraicType) -> t.Typespace:
    """Each type is a pair of the next one, so that the first holds 2^levels of the last."""
    return space(*(product(ref(i + 1), ref(i + 1)) for i in range(levels)), last)


@each_engine
@pytest.mark.parametrize("levels", [21, 60, 200])
def test_a_typespace_that_doubles_nothing_is_past_the_limit(levels: int, engine: Engine) -> None:
    error = refusal(Codec[Any](ref(0), doubling(levels, t.UNIT), engine=engine), b"")
    assert isinstance(error, LimitExceeded)
    assert error.limit == "empty_elements"


@each_engine
@pytest.mark.parametrize("levels", [60, 200])
def test_a_typespace_that_doubles_a_byte_runs_into_the_end(levels: int, engine: Engine) -> None:
    error = refusal(Codec[Any](ref(0), doubling(levels, t.U8), engine=engine), bytes(1000))
    assert (error.kind, error.offset) == ("BufferLength", 1000)


@each_engine
def test_a_small_typespace_that_doubles_is_read(engine: Engine) -> None:
    codec = Codec[Any](ref(0), doubling(10, t.U8), engine=engine)
    assert codec.encode(codec.decode(bytes(1024))) == bytes(1024)


@each_engine
def test_an_array_of_doubled_nothing_is_past_the_limit(engine: Engine) -> None:
    codec = Codec[Any](array(ref(0)), doubling(10, t.UNIT), engine=engine)
    assert len(codec.decode(u32(10))) == 10
    assert refusal(codec, u32(100_000)).kind == "LimitExceeded"


@each_engine
def test_a_type_that_doubles_as_written_costs_what_it_is_long(engine: Engine) -> None:
    kind: t.AlgebraicType = t.U8
    for _ in range(12):
        kind = product(kind, kind)
    codec = Codec[Any](kind, engine=engine)
    assert codec.encode(codec.decode(bytes(4096))) == bytes(4096)


@each_engine
def test_a_product_of_thousands_of_fields_is_read(engine: Engine) -> None:
    kind = t.ProductType(tuple(t.ProductTypeElement(None, t.U8) for _ in range(5000)))
    codec = Codec[Any](kind, engine=engine)
    assert codec.decode(bytes(5000)) == (0,) * 5000
    assert refusal(codec, bytes(4999)).where == "4999"


@each_engine
def test_a_sum_of_hundreds_of_variants_reaches_as_far_as_a_byte(engine: Engine) -> None:
    kind = t.SumType(tuple(t.SumTypeVariant(f"v{i}", t.U8 if i % 2 else t.UNIT) for i in range(300)))
    codec = Codec[Any](kind, engine=engine)
    assert codec.decode(b"\xff\7") == Variant(255, 7)
    assert codec.decode(b"\xfe") == Variant(254)
    with pytest.raises(EncodeError):
        codec.encode(Variant(256))


# -- bytes that mean nothing

ROW = product(id=U32, name=String, tags=array(option(Bool)))


@each_engine
@pytest.mark.parametrize(
    ("data", "where"),
    [
        (u32(1) + u32(1) + b"\xff", ("InvalidUtf8", 8, "name")),
        (u32(1) + u32(2) + b"\xc3\x28", ("InvalidUtf8", 8, "name")),
        (u32(1) + u32(3) + "\ud800".encode("utf-8", "surrogatepass"), ("InvalidUtf8", 8, "name")),
        (u32(1) + u32(2) + b"\xc0\x80", ("InvalidUtf8", 8, "name")),
        (u32(1) + u32(4) + b"\xf4\x90\x80\x80", ("InvalidUtf8", 8, "name")),
        (u32(1) + u32(0) + u32(2) + b"\1\0\2", ("InvalidBool", 14, "tags[1].some")),
        (u32(1) + u32(0) + u32(2) + b"\1\0\xff", ("InvalidBool", 14, "tags[1].some")),
        (u32(1) + u32(0) + u32(2) + b"\1\2", ("InvalidTag", 13, "tags[1]")),
        (u32(1) + u32(0) + u32(2) + b"\1", ("BufferLength", 13, "tags[1]")),
        (u32(1) + u32(0) + u32(2) + b"\1\0", ("BufferLength", 14, "tags[1].some")),
        (u32(1) + u32(0) + b"\0", ("BufferLength", 8, "tags")),
        (u32(1) + u32(0) + u32(0) + b"\0", ("TrailingBytes", 12, "")),
        (b"\0", ("BufferLength", 0, "id")),
    ],
)
def test_an_error_says_kind_offset_and_path(data: bytes, where: tuple[str, int, str], engine: Engine) -> None:
    assert place(refusal(Codec[Any](ROW, engine=engine), data)) == where


@each_engine
def test_a_nul_is_text(engine: Engine) -> None:
    assert Codec[str](String, engine=engine).decode(u32(1) + b"\0") == "\0"


@each_engine
@pytest.mark.parametrize("tag", [3, 4, 127, 128, 255])
def test_a_tag_that_names_no_version_is_refused(tag: int, engine: Engine) -> None:
    error = refusal(definition_codec(engine), bytes([tag]) + ARENA[1:])
    assert (error.kind, error.offset, error.fields) == ("InvalidTag", 0, {"tag": tag, "sum_name": "RawModuleDef"})


@each_engine
def test_random_bytes_end_in_an_error_or_a_value(engine: Engine) -> None:
    codec, source = definition_codec(engine), random.Random(2)
    for _ in range(300):
        data = bytes([source.randrange(3)]) + source.randbytes(source.randrange(200))
        verdict(codec, data)


# -- wherever the caller is


def from_depth(frames: int, work: Callable[[], _T]) -> _T:
    return work() if frames == 0 else from_depth(frames - 1, work)


def spare_frames() -> int:
    """How many calls fit on the stack from here, a few less."""
    depth, frame = 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back  # type: ignore[assignment]
    return sys.getrecursionlimit() - depth - 60


@each_engine
@pytest.mark.parametrize(
    "work",
    [
        lambda engine: list_codec(engine).decode(linked(250)),
        lambda engine: list_codec(engine).encode(list_codec().decode(linked(250))),
        lambda engine: definition_codec(engine).decode(ARENA),
        lambda engine: definition_codec(engine).encode(definition_codec("python").decode(ARENA)),
    ],
    ids=["list", "list written", "definition", "definition written"],
)
def test_a_caller_deep_in_its_own_stack_gets_the_same_answer(work: Callable[[Engine], Any], engine: Engine) -> None:
    expected = work(engine)
    assert from_depth(spare_frames(), functools.partial(work, engine)) == expected


@each_engine
@pytest.mark.parametrize("data", [linked(10_000), linked(250)[:-1], linked(250) + b"\0"])
def test_a_caller_deep_in_its_own_stack_gets_the_same_error(data: bytes, engine: Engine) -> None:
    expected = refusal(list_codec(engine), data)
    error = from_depth(spare_frames(), lambda: refusal(list_codec(engine), data))
    assert (place(error), error.message) == (place(expected), expected.message)


@each_engine
def test_many_threads_may_use_a_new_codec_at_once(engine: Engine) -> None:
    codec, start, faults = definition_codec(engine), threading.Barrier(8), list[object]()
    expected = raw.decode(ARENA)

    def read() -> None:
        start.wait()
        for _ in range(5):
            if codec.decode(ARENA) != expected or codec.encode(expected) != ARENA:
                faults.append("another value")
            try:
                codec.decode(ARENA[:-1])
                faults.append("no error")
            except DecodeError as error:
                if error.kind != "BufferLength":
                    faults.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_a_record_may_be_used_first_by_many_threads_at_once() -> None:
    @record
    class Leaf:
        value: U32

    @record
    class Branch:
        leaves: list[Leaf]
        beside: Branch | None

    start, outcomes = threading.Barrier(8), list[object]()

    def read() -> None:
        start.wait()
        try:
            outcomes.append(Codec(Branch).decode(u32(1) + u32(7) + b"\1"))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            outcomes.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Branch([Leaf(7)], None)] * 8


# -- all of it in one process, with its memory measured from outside

BOMBS: list[tuple[t.AlgebraicType, t.Typespace, bytes]] = [
    (array(Unit), space(), HUGE),
    (array(U64), space(), HUGE),
    (array(t.U256), space(), HUGE),
    (t.STRING, space(), HUGE),
    (t.BYTES, space(), HUGE),
    (array(t.STRING), space(), HUGE + bytes(4000)),
    (array(array(Unit)), space(), HUGE * 2),
    (ref(0), doubling(60, t.UNIT), b""),
    (ref(0), doubling(60, t.U8), bytes(1000)),
    (ref(0), space(ref(0)), bytes(100)),
    (ref(0), space(product(a=ref(0), b=ref(0))), b""),
    (ref(0), space(array(ref(0))), u32(1) * 100_000),
    (ref(0), space(product(value=U32, next=option(ref(0)))), linked(100_000)),
]

_MEASURED = """
import re, sys
from defs.testee import answer_line
for line in sys.stdin:
    print(answer_line(line))
print(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the most memory used is read from /proc")
def test_all_bombs_together_stay_under_200_mib() -> None:
    kind, typespace = Codec(t.AlgebraicType), Codec(t.Typespace)
    lines = [
        json.dumps(
            {
                "op": "value.decode",
                "type": kind.encode(bomb).hex(),
                "typespace": typespace.encode(types).hex(),
                "bytes": data.hex(),
            }
        )
        for bomb, types, data in BOMBS
    ]
    lines.append(json.dumps({"op": "module.decode", "bytes": "02" + "ffffffff"}))
    lines.append(json.dumps({"op": "module.decode", "bytes": "0101000000" + "03" * 10_000 + "04"}))
    lines.append(json.dumps({"op": "value.decode", "type": "03" * 10_000 + "04", "bytes": "00000000"}))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
        timeout=60,
    )
    *replies, peak = done.stdout.splitlines()
    kinds = {"LimitExceeded", "BufferLength", "RecursiveTypeRef"}
    assert [reply for reply in map(json.loads, replies) if reply.get("error") not in kinds] == []
    assert len(replies) == len(lines)
    assert int(peak) * 1024 < 200 * MIB
