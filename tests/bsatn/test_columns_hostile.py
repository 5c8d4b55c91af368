"""Bytes and types made to break the reader of columns: refused by name, at once, and for no more memory than they pay for."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.annotations import U8, U16, U32, U64, U128, U256, Bool, Bytes, String, Unit, array, option, product, sum_
from bsatn.codec import Codec
from bsatn.columns import Columns
from bsatn.engines import Engine, available
from bsatn.errors import BsatnError, DecodeError, DefinitionError, LimitExceeded
from bsatn.limits import Limits
from bsatn.values import Identity, Timestamp, Variant

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed, and says what columns are")

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 5.0  #: seconds of the processor; what is bounded ends in a fraction of it, what is not would take years
ENGINES = available()

each_engine = pytest.mark.parametrize("engine", ENGINES)
native = pytest.mark.skipif("native" not in ENGINES, reason="the native engine is not built")


@pytest.fixture(autouse=True)
def _at_once(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of this file that takes long has met a bomb that went off."""
    start = time.process_time()
    yield
    if request.node.get_closest_marker("slow") is None:
        assert time.process_time() - start < PATIENCE


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


HUGE = u32(2**32 - 1)


def refusal(work: Callable[[], object]) -> BsatnError:
    with pytest.raises(BsatnError) as caught:
        work()
    return caught.value


def same_refusal(kind: Any, data: bytes, engine: Engine, typespace: t.Typespace | None = None, **options: Any) -> BsatnError:
    """The error that the bytes get, which is that of `decode_many`."""
    codec = Codec[Any](kind, typespace, engine=engine)
    error = refusal(lambda: codec.decode_columns(data, **options))
    expected = refusal(lambda: codec.decode_many(data, **options))
    assert (type(error), str(error), error.fields) == (type(expected), str(expected), expected.fields)
    return error


def place(error: BsatnError) -> tuple[str, int | None, Any]:
    assert isinstance(error, DecodeError)
    return error.kind, error.offset, error.path


# -- lengths that lie


@each_engine
@pytest.mark.parametrize("kind", [String, Bytes, array(U64), array(String), array(array(U8)), array(sum_(a=Unit))], ids=str)
def test_a_huge_length_is_too_short(kind: Any, engine: Engine) -> None:
    empty = u32(0)
    for data in (HUGE, empty + HUGE, empty * 3 + HUGE + bytes(100)):
        assert same_refusal(kind, data, engine).kind == "BufferLength"
    rows = product(a=U8, b=array(kind), c=option(kind))
    assert same_refusal(rows, b"\0" + u32(1) + HUGE, engine).kind == "BufferLength"
    assert same_refusal(rows, b"\0" + u32(0) + b"\0" + HUGE, engine).kind == "BufferLength"


@each_engine
def test_elements_without_bytes_are_limited(engine: Engine) -> None:
    assert same_refusal(array(Unit), HUGE, engine).kind == "LimitExceeded"
    codec = Codec(product(a=array(Unit), b=array(Unit)), engine=engine, limits=Limits(empty_elements=5))
    assert len(codec.decode_columns((u32(2) + u32(3)) * 10)) == 10  # the limit is a row's
    error = refusal(lambda: codec.decode_columns((u32(2) + u32(3)) * 10 + u32(3) + u32(3)))
    assert error.path[0] == 10


@each_engine
def test_shared_products_without_bytes_are_limited(engine: Engine) -> None:
    shared = t.Typespace((product(u=Unit),))
    kind = product(x=t.Ref(0), y=t.Ref(0))
    columns = Codec(kind, shared, engine=engine, limits=Limits(empty_elements=2)).decode_columns(b"", count=3)
    assert len(columns) == 3
    assert (type(columns._source).__name__ == "ColumnData") == (engine == "native")
    codec = Codec(kind, shared, engine=engine, limits=Limits(empty_elements=1))
    error = refusal(lambda: codec.decode_columns(b"", count=3))
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.path[0]) == ("empty_elements", 0)
    assert str(error) == str(refusal(lambda: codec.decode_many(b"", count=3)))


@each_engine
@pytest.mark.parametrize("kind", [array(U16), array(String), array(array(Unit))], ids=str)
def test_elements_with_bytes_are_not_limited(kind: Any, engine: Engine) -> None:
    columns = Codec[Any](kind, engine=engine, limits=Limits(empty_elements=0)).decode_columns(
        u32(3) + bytes(3 * min_width(kind))
    )
    assert len(columns) == 1
    assert (type(columns._source).__name__ == "ColumnData") == (engine == "native")


def min_width(kind: t.ArrayType) -> int:
    return Codec[Any](kind.element).min_width


@each_engine
def test_a_count_that_is_not_there_is_too_short(engine: Engine) -> None:
    for kind in (U16, String):
        data = bytes(8)
        count = len(Codec[Any](kind).decode_many(data))
        assert same_refusal(kind, data, engine, count=count + 1).kind == "BufferLength"
        assert same_refusal(kind, data, engine, count=2**64 + count).kind == "BufferLength"
        assert same_refusal(kind, data, engine, count=count - 1).kind == "TrailingBytes"
        assert same_refusal(kind, data, engine, count=0).kind == "TrailingBytes"
        assert len(Codec[Any](kind, engine=engine).decode_columns(b"", count=0)) == 0
    assert same_refusal(Unit, b"\0", engine, count=3).kind == "TrailingBytes"


@native
def test_more_rows_without_bytes_than_memory_are_counted() -> None:
    columns = Codec(Unit, engine="native").decode_columns(b"", count=10**12)
    assert (len(columns), columns.nbytes) == (10**12, 0)


@native
def test_more_elements_without_bytes_than_a_batch_holds_stand_in_several() -> None:
    columns = Codec(array(Unit), engine="native").decode_columns(u32(1 << 18) * 9_000)
    assert (len(columns), columns.num_batches) == (9_000, 3)


def test_limits_past_any_number_of_ours_are_limits() -> None:
    endless = Limits(depth=10**30, empty_elements=10**30, null_bytes=10**30)
    kind = product(a=array(Unit), b=option(product(*[U256] * 4)))
    assert len(Codec(kind, limits=endless).decode_columns(u32(2) + b"\1")) == 1


# -- values that are not there

BIG = product(*[U256] * 100)  #: 3200 bytes
BOMBS: dict[str, tuple[Any, bytes, int, dict[str, Any]]] = {
    "option": (option(BIG), b"\1", 3201, {}),
    "option of an option": (option(option(BIG)), b"\1", 3202, {}),
    "option of a sum in a product": (option(product(x=option(sum_(a=BIG, b=U8)))), b"\1", 3206, {}),
    "option of a product of a sum": (option(product(x=sum_(a=BIG, b=U8))), b"\1", 3206, {}),
    "option of an option of a sum": (option(option(sum_(a=BIG))), b"\1", 3206, {}),
    "option of choices": (option(product(*[option(Bool)] * 100)), b"\1", 201, {}),
    "option of times": (option(product(*[Timestamp] * 100)), b"\1", 801, {}),
    "option of identities": (option(product(*[Identity] * 10)), b"\1", 321, {}),
    "option of texts": (option(product(*[String, Bytes, array(U8)] * 20)), b"\1", 241, {}),
    "option of decimals": (option(product(*[U128, U256] * 10)), b"\1", 481, {"wide": "decimal"}),
    "sum": (sum_(a=BIG, b=U8), b"\1\0", 3204, {"sums": "struct"}),
    "option of a sum": (option(sum_(a=BIG, b=U8)), b"\1", 3205, {"sums": "struct"}),
    "sum of sums": (sum_(a=sum_(c=BIG, d=U8), b=Unit), b"\1", 3207, {"sums": "struct"}),
}  # fmt: skip


@each_engine
@pytest.mark.parametrize("name", BOMBS)
def test_values_that_are_not_there_are_limited(name: str, engine: Engine) -> None:
    kind, row, cost, options = BOMBS[name]
    codec = Codec(product(x=kind), limits=Limits(null_bytes=10 * cost), engine=engine)
    columns = codec.decode_columns(row * 10, **options)
    assert columns.nbytes <= 10 * cost + 512
    error = refusal(lambda: codec.decode_columns(row * 11, **options))
    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.bound) == ("null_bytes", 10 * cost)
    assert refusal(lambda: codec.decode_columns(row * 11 + b"\7", **options)).kind == "InvalidTag"


@each_engine
def test_small_values_that_are_not_there_cost_nothing(engine: Engine) -> None:
    limits = Limits(null_bytes=0)
    kind = product(a=option(product(*[U64] * 7)), b=option(ACTION), c=option(String))
    assert len(Codec(kind, limits=limits, engine=engine).decode_columns(b"\1\1\1" * 100)) == 100


@each_engine
def test_values_that_are_not_there_are_counted_once(engine: Engine) -> None:
    codec = Codec(product(a=option(BIG), b=U128), limits=Limits(null_bytes=5 * 3201), engine=engine)
    rows = (b"\1" + bytes(16)) * 4 + b"\1" + b"\xff" * 16
    assert refusal(lambda: codec.decode_columns(rows, wide="decimal")).path == (4, "b")


ACTION = sum_(wait=U8, stop=Unit, say=String)

HUNGRY = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from bsatn import U256, Codec, Limits, array, option, product
row = b"\\x08\\0\\0\\0" + b"\\1" * 8
kind = array(option(product(*[U256] * 100)))
try:
    Codec(kind, engine="native", limits=Limits(null_bytes=1 << 28)).decode_columns(row * 250_000)
except Exception as error:
    print(error.limit)
"""


@native
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as on Linux")
def test_rows_that_seem_to_grow_reserve_no_more_than_there_is() -> None:
    command = [sys.executable, "-c", HUNGRY]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "null_bytes"), done.stderr


# -- types that are large, or deep


@each_engine
@pytest.mark.parametrize("leaf", [t.U8, t.UNIT], ids=str)
@pytest.mark.parametrize(
    "outer", [lambda a, b: product(x=a, y=b), lambda a, b: sum_(x=a, y=b), lambda a, b: product(x=array(a), y=b)]
)
def test_a_type_that_doubles_is_refused_at_once(leaf: Any, outer: Any, engine: Engine) -> None:
    doubling = t.Typespace((*(outer(t.Ref(i + 1), t.Ref(i + 1)) for i in range(28)), leaf))
    error = refusal(lambda: Codec(t.Ref(0), doubling, engine=engine).decode_columns(b"", count=1))
    assert isinstance(error, DefinitionError)
    assert error.kind == "TooManyColumns"


OUTER: dict[str, tuple[Callable[[Any], Any], bytes]] = {
    "product": (lambda kind: product(x=kind), b""),
    "array": (array, u32(1)),
    "option": (option, b"\0"),
    "sum": (lambda kind: sum_(x=kind, y=U8), b"\0"),
    "array and option": (lambda kind: array(option(kind)), u32(1) + b"\0"),
}


@each_engine
@pytest.mark.parametrize("sums", ["union", "struct"])
@pytest.mark.parametrize("name", OUTER)
def test_sixty_levels_are_taken_and_no_more(name: str, sums: Any, engine: Engine) -> None:
    outer, step = OUTER[name]
    kind: Any = t.U32
    levels = 60 if name != "array and option" else 30
    for _ in range(levels):
        kind = outer(kind)
    data = step * levels + u32(7)
    columns = Codec(kind, engine=engine).decode_columns(data * 3, sums=sums)
    table = pa.table(columns)
    table.validate(full=True)
    assert table.num_rows == 3
    assert (type(columns._source).__name__ == "ColumnData") == (engine == "native")
    error = refusal(lambda: Codec(outer(kind), engine=engine).decode_columns(data, sums=sums))
    assert error.kind == "ColumnsTooDeep"
    assert same_refusal(kind, data[:-1], engine).kind == "BufferLength"


@each_engine
def test_depth_is_that_of_other_values(engine: Engine) -> None:
    codec = Codec[Any](list[list[U16 | None]], limits=Limits(depth=2), engine=engine)
    assert len(codec.decode_columns(u32(0) + u32(1) + u32(0))) == 2
    deep = u32(0) + u32(1) + u32(1) + b"\1"
    error = refusal(lambda: codec.decode_columns(deep))
    assert isinstance(error, LimitExceeded)
    assert (error.limit, str(error)) == ("depth", str(refusal(lambda: codec.decode_many(deep))))


# -- texts


def text(body: bytes) -> bytes:
    return u32(len(body)) + body


@each_engine
@pytest.mark.parametrize(
    ("kind", "lead", "first"),
    [
        (String, b"", b""),
        (product(a=String), b"", b""),
        (product(a=option(String)), b"\0", b"\0"),
        (array(String), b"", u32(2)),
        (sum_(a=String), b"\0", b"\0"),
    ],
    ids=str,
)
def test_a_character_split_over_two_texts_is_refused(kind: Any, lead: bytes, first: bytes, engine: Engine) -> None:
    for middle in (b"", lead + text(b"")) if kind != array(String) else (b"",):
        error = same_refusal(kind, first + text(b"a\xc3") + middle + lead + text(b"\xa9b"), engine)
        assert error.kind == "InvalidUtf8"
        assert error.path[0] == 0


@each_engine
@pytest.mark.parametrize("bad", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x80" * 40], ids=repr)
def test_a_text_that_is_wrong_in_the_middle_of_a_batch_is_found(bad: bytes, engine: Engine) -> None:
    good = text("grün".encode()) + b"\1"
    data = good * 700 + text(bad) + b"\1" + good * 300
    error = same_refusal(product(a=String, b=Bool), data, engine)
    assert place(error) == ("InvalidUtf8", 700 * len(good) + 4, (700, "a"))


@each_engine
@pytest.mark.parametrize("later", [b"\1", b"\0\0\0\0\2", text(b"\xff")], ids=["cut", "no bool", "no text"])
def test_the_first_of_two_wrong_rows_is_told(later: bytes, engine: Engine) -> None:
    good = text(b"a") + b"\1"
    data = good * 300 + text(b"\xff") + b"\1" + good * 300 + later
    error = same_refusal(product(a=String, b=Bool), data, engine)
    assert place(error) == ("InvalidUtf8", 300 * len(good) + 4, (300, "a"))


@each_engine
def test_a_wrong_text_is_told_before_what_is_too_much(engine: Engine) -> None:
    kind = product(a=String, b=U128)
    data = text(b"\xff") + bytes(16) + text(b"") + b"\xff" * 16
    error = refusal(lambda: Codec(kind, engine=engine).decode_columns(data, wide="decimal"))
    assert place(error) == ("InvalidUtf8", 4, (0, "a"))


@each_engine
def test_bytes_need_not_be_text(engine: Engine) -> None:
    assert len(Codec(product(a=Bytes, b=String), engine=engine).decode_columns((text(b"\xff\xc3") + text(b"a")) * 3)) == 3


# -- several batches

MIB = 1 << 20


def values_of(columns: Columns, column: int = 0) -> Any:
    return pa.table(columns).column(column)


@native
def test_rows_of_fixed_width_stand_in_batches() -> None:
    data = random.Random(1).randbytes(72 << 10) * (1 << 10)
    numbers = pa.Array.from_buffers(pa.uint64(), 9 * MIB, [None, pa.py_buffer(data)])
    columns = Codec(product(x=U64), engine="native").decode_columns(data)
    assert (columns.num_batches, len(columns), columns.nbytes) == (2, 9 * MIB, len(data))
    assert values_of(columns).combine_chunks().equals(numbers)
    assert not hasattr(columns, "__arrow_c_array__")
    with pytest.raises(AttributeError, match="2 batches, so no single array"):
        columns.__arrow_c_array__  # noqa: B018
    codec = Codec(product(x=U64), engine="native")
    assert place(refusal(lambda: codec.decode_columns(data + b"\0"))) == ("BufferLength", len(data), (9 * MIB, "x"))
    assert refusal(lambda: codec.decode_columns(data, count=9 * MIB - 1)).kind == "TrailingBytes"
    assert len(codec.decode_columns(data, count=9 * MIB)) == 9 * MIB


@native
def test_rows_that_vary_stand_in_batches() -> None:
    bodies = [bytes([97 + row % 26]) * MIB for row in range(70)]
    codec = Codec(product(x=String, y=Bool), engine="native")
    data = b"".join(text(body) + b"\1" for body in bodies)
    columns = codec.decode_columns(data)
    assert (columns.num_batches, len(columns)) == (2, 70)
    assert values_of(columns).cast(pa.binary()).to_pylist() == bodies
    one = MIB + 5
    for row, column, at in ((68, "y", one - 1), (66, "x", 4), (2, "x", 4), (2, "y", one - 1)):
        place_ = row * one + at
        wrong = data[:place_] + b"\xff" + data[place_ + 1 :]
        kind = "InvalidBool" if column == "y" else "InvalidUtf8"
        assert place(refusal(partial(codec.decode_columns, wrong))) == (kind, place_, (row, column))
    stopped = reader_of(codec).read(data + b"\0", 0, None)[1]
    assert (stopped.sure_row, stopped.row, stopped.sure_offset) == (
        64,
        70,
        64 * one,
    )  # no batch is looked at again that was right


@native
def test_digits_are_counted_in_every_batch() -> None:
    codec = Codec(product(x=U256), engine="native")
    data = bytes(32 * (2 * MIB + 5000)) + b"\xff" * 32 + bytes(3200)
    error = refusal(lambda: codec.decode_columns(data, wide="decimal"))
    assert error.path == (2 * MIB + 5000, "x")


@each_engine
def test_columns_are_put_together(engine: Engine) -> None:
    codec = Codec(product(x=ACTION, y=String), engine=engine)
    parts = [codec.decode_columns(b"\0" + bytes([row]) + text(b"a" * row)) for row in range(3)]
    whole = Columns.concat(parts)
    assert (len(whole), whole.num_batches, whole.column_names) == (3, 3, ["x", "y"])
    assert values_of(whole, 1).to_pylist() == ["", "a", "aa"]
    assert not hasattr(whole, "__arrow_c_array__")
    assert len(Columns.concat([whole, *parts])) == 6
    assert len(Columns.concat(iter(parts[:1]))) == 1
    for others in (product(x=U8, y=String), product(y=ACTION, x=String), product(x=ACTION)):
        with pytest.raises(ValueError, match="do not go together"):
            Columns.concat([parts[0], Codec(others, engine=engine).decode_columns(b"")])
    with pytest.raises(ValueError, match="nothing to put together"):
        Columns.concat([])


@native
def test_columns_of_two_engines_are_not_put_together() -> None:
    parts = [Codec(U8, engine=engine).decode_columns(b"\1") for engine in ("native", "python")]
    with pytest.raises(ValueError, match="do not go together"):
        Columns.concat(parts)


# -- damage, by the million

ROW = product(
    id=U32, name=String, tags=array(option(Bool)), owner=Identity, kind=ACTION, none=array(Unit),
    deep=option(option(U8)), due=option(Timestamp), raw=Bytes, some=option(ACTION), parts=array(product(a=U8, b=String)),
)  # fmt: skip
FIXED = product(id=U32, alive=Bool, owner=Identity, at=Timestamp, inner=product(a=U8, b=Bool))
VALUE = (
    7, "grün", [True, None, False], 1 << 200, Variant(2, "c"), [(), ()], None, Timestamp(-5), b"abc", Variant(0, 1), [(1, "x")]
)  # fmt: skip
SEEDS: dict[str, tuple[Any, bytes]] = {
    "row": (ROW, Codec[Any](ROW).encode(VALUE) * 2),
    "fixed": (FIXED, Codec[Any](FIXED).encode((7, True, 5, 6, (1, False))) * 3),
}


def mutated(source: random.Random, seed: bytes) -> Iterator[bytes]:
    """Endless damaged inputs; damage piles up for a while."""
    while True:
        data = bytearray(seed)
        for number in source.randbytes(24):
            where = number * 7 % len(data)
            action = number & 3
            if action == 0:
                data[where] ^= 1 << (number >> 5)
            elif action == 1:
                data[where] = number
            elif action == 2 and len(data) > 2:
                del data[where]
            else:
                data.insert(where, number >> 4)
            yield bytes(data)


def said(codec: Codec[Any], data: bytes, sums: Any) -> Any:
    """The columns, or what the error says."""
    try:
        return pa.table(codec.decode_columns(data, sums=sums))
    except BsatnError as error:
        return type(error), str(error)


def reader_of(codec: Codec[Any], sums: Any = "union") -> Any:
    """What reads columns natively."""
    from bsatn._native import ColumnReader
    from bsatn.columns.layout import layout_of

    return ColumnReader(layout_of(codec.shape, sums=sums, wide="decimal"), 1 << 10, 1 << 20)


def sweep(name: str, sums: Any, count: int, compared: int) -> None:
    """Nothing panics, and what is read is what may be; of one input in `compared`, pyarrow says the same."""
    kind, seed = SEEDS[name]
    codec, exact = Codec[Any](kind, engine="native"), Codec[Any](kind, engine="construct")
    reader = reader_of(codec, sums)
    inputs = mutated(random.Random(f"{name} {sums}"), seed)
    for number in range(count):
        data = next(inputs)
        made, stopped = reader.read(data, 0, None)  # a panic would be an exception
        assert (made is None) == bool(stopped.reason)
        assert stopped.sure_row <= stopped.row
        assert stopped.sure_offset <= stopped.offset <= len(data)
        if number % compared == 0:
            found, expected = (said(one, data, sums) for one in (codec, exact))
            assert found == expected, data.hex()


@native
@pytest.mark.parametrize("sums", ["union", "struct"])
@pytest.mark.parametrize("name", SEEDS)
def test_damage_does_not_panic(name: str, sums: str) -> None:
    sweep(name, sums, 10_000, 50)


@native
@pytest.mark.slow
@pytest.mark.parametrize("sums", ["union", "struct"])
@pytest.mark.parametrize("name", SEEDS)
def test_two_million_damaged_inputs_do_not_panic(name: str, sums: str) -> None:
    sweep(name, sums, 500_000, 1_000)
