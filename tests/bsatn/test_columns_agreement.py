"""Columns of any type and any bytes: the native engine's and pyarrow's are the same to the bit, and hold the decoded rows.

What the values should be is worked out here once more, from the rows; what is said of wrong bytes is what `decode_many` says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from itertools import product as combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsatn import strategies
from bsatn import types as t
from bsatn.annotations import F64, I128, U8, U16, U32, U64, Bool, String, array, option, product
from bsatn.codec import Codec
from bsatn.columns import Columns
from bsatn.engines import Engine, available
from bsatn.errors import BsatnError, DefinitionError, LimitExceeded
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.shapes import Array, Broken, Case, Float, Int, Newtype, Product, Shape, Style, Sum, is_option
from bsatn.values import Timestamp

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed, and says what columns are")

CAREFUL = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    deadline=None,
    max_examples=50,
)
ENGINES: tuple[Engine, ...] = tuple(name for name in available() if name != "python")
OPTIONS: list[dict[str, Any]] = [
    {"wide": wide, "sums": sums} for wide, sums in combinations(("binary", "decimal"), ("union", "struct"))
]


def bits_of(columns: Columns) -> bytes:
    """Every buffer of the arrays and their types, as Arrow writes them to files: of equal arrays the same bytes."""
    table = pa.table(columns)
    table.validate(full=True)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    written: bytes = sink.getvalue().to_pybytes()
    return written


def told(error: BsatnError) -> tuple[Any, ...]:
    """All that an error says."""
    return type(error), error.kind, getattr(error, "offset", None), error.path, str(error), error.fields


def outcome(work: Callable[[], Any]) -> Any:
    """What comes of it, or what its error says."""
    try:
        return work()
    except BsatnError as error:
        return told(error)


# -- what the values are


def read(array: Any) -> list[Any]:
    """Arrow's values: a struct as a tuple of its fields, of a union tag and payload, of a time the integer."""
    kind = array.type
    if pa.types.is_union(kind):
        parts = [read(array.field(tag)) for tag in range(kind.num_fields)]
        return [(tag, parts[tag][at]) for tag, at in zip(array.type_codes.to_pylist(), array.offsets.to_pylist(), strict=True)]
    valid = array.is_valid().to_pylist()
    if pa.types.is_struct(kind):
        fields = zip(*(read(array.field(index)) for index in range(kind.num_fields)), strict=True)
        return [row if there else None for there, row in zip(valid, fields, strict=True)]
    if pa.types.is_list(kind):
        items, ends = read(array.values), array.offsets.to_pylist()
        return [items[start:end] if there else None for there, start, end in zip(valid, ends[:-1], ends[1:], strict=True)]
    if pa.types.is_temporal(kind):
        array = array.view(pa.int64())
    return ["nan" if isinstance(value, float) and math.isnan(value) else value for value in array.to_pylist()]


class Expected:
    """What `read` should find where a value of a shape was decoded."""

    def __init__(self, wide: str, sums: str) -> None:
        self.wide = wide
        self.sums = sums

    def row(self, shape: Shape, value: Any) -> tuple[Any, ...]:
        if isinstance(shape, Product):
            return tuple(self.of(part, found) for part, found in self.fields(shape, value))
        return (self.of(shape, value),)

    def fields(self, shape: Product, value: Any) -> list[tuple[Shape, Any]]:
        found = value if shape.cls is None else [getattr(value, name) for name in shape.attributes]
        return list(zip(shape.fields, found, strict=True))

    def of(self, shape: Shape, value: Any) -> Any:
        match shape:
            case Int(bits=bits):
                return value if bits <= 64 else self.big(shape, value, self.wide)
            case Newtype(inner=inner):
                return int(value) if inner.bits <= 64 else self.big(inner, value, "binary")
            case Float():
                return "nan" if math.isnan(value) else float(value)
            case Array(element=element):
                return [self.of(element, item) for item in value]
            case Product(fields=()):
                return None
            case Product():
                return self.row(shape, value)
            case Sum() if is_option(shape):
                return self.option(shape, value)
            case Sum():
                return self.chosen(shape, *self.split(shape, value))
        return value

    def big(self, shape: Int, value: int, wide: str) -> Any:
        return Decimal(int(value)) if wide == "decimal" else value.to_bytes(shape.bits // 8, "big", signed=shape.signed)

    def is_union(self, shape: Shape) -> bool:
        return isinstance(shape, Sum) and not is_option(shape) and bool(shape.payloads) and self.sums == "union"

    def option(self, shape: Sum, value: Any) -> Any:
        payload = shape.payloads[0]
        if value is None:
            return (len(payload.payloads), None) if isinstance(payload, Sum) and self.is_union(payload) else None
        inside = self.of(payload, value[0] if shape.style is Style.NESTED_OPTION else value)
        nothing = isinstance(payload, Broken) or (isinstance(payload, Product) and not payload.fields)
        return (inside,) if nothing or is_option(payload) or not getattr(payload, "payloads", True) else inside

    def split(self, shape: Sum, value: Any) -> tuple[int, Any]:
        if shape.style is Style.VARIANT:
            return value.tag, value.value
        tag = next(
            t for t, one in enumerate(shape.members) if value == one or (isinstance(one, type) and isinstance(value, one))
        )
        payload = shape.payloads[tag]
        return tag, getattr(value, payload.attribute) if isinstance(payload, Case) else value

    def chosen(self, shape: Sum, tag: int, payload: Any) -> Any:
        inside = self.of(shape.payloads[tag], payload)
        if self.sums == "union":
            return tag, inside
        name = str(tag) if shape.names[tag] is None else shape.names[tag]
        carried = [number for number, part in enumerate(shape.payloads) if not (isinstance(part, Product) and not part.fields)]
        return (name, *(inside if number == tag else None for number in carried)) if carried else name


def rows_of(columns: Columns) -> list[tuple[Any, ...]]:
    table = pa.table(columns)
    found = [[value for chunk in column.chunks for value in read(chunk)] for column in table.columns]
    return list(zip(*found, strict=True)) if found else [()] * table.num_rows


def agree(kind: Any, typespace: Any, data: bytes, count: int | None, limits: Limits = DEFAULT_LIMITS) -> None:
    """The engines make the same columns, of the rows that decode_many finds, or say the same, which is what it says."""
    codecs = [Codec[Any](kind, typespace, limits=limits, engine=engine) for engine in ENGINES]
    shape = codecs[-1].shape
    rows = outcome(lambda: codecs[-1].decode_many(data, count=count))
    for options in OPTIONS:
        found = [outcome(partial(codec.decode_columns, data, count=count, **options)) for codec in codecs]
        if isinstance(found[0], Columns):
            for codec, columns in zip(codecs, found, strict=True):
                assert rows_of(columns) == [Expected(**options).row(shape, row) for row in rows]
                alone = codec.engine == "native" and limits.depth == DEFAULT_LIMITS.depth
                assert not alone or type(columns._source).__name__ == "ColumnData"
            assert len({bits_of(columns) for columns in found}) == 1
        else:
            assert all(one == found[0] for one in found)
            assert found[0][0] in (DefinitionError, LimitExceeded) or found[0] == rows
            if isinstance(rows, tuple):
                assert found[0] == rows or found[0][0] is DefinitionError


def test_the_oracle_knows_what_differs() -> None:
    shape = Codec[Any](t.option_type(t.option_type(t.U8)), engine="construct").shape
    assert Expected("binary", "union").row(shape, None) == (None,)
    columns = Codec[Any](t.option_type(t.option_type(t.U8))).decode_columns(b"\0\0\7\0\1\1")
    assert rows_of(columns) == [((7,),), ((None,),), (None,)]


@pytest.mark.parametrize("kind", [t.STRING, t.BYTES], ids=str)
def test_texts_of_any_length_are_whole(kind: t.AlgebraicType) -> None:
    bodies = [bytes(97 + place % 26 for place in range(length)) for length in (*range(40), 300)]
    rows = [len(body).to_bytes(4, "little") + body for body in bodies]
    agree(kind, t.Typespace(()), b"".join([*rows, *reversed(rows)]), None)
    for row in rows:
        agree(kind, t.Typespace(()), row, 1)


@st.composite
def typed_rows(draw: st.DrawFn) -> tuple[Any, t.Typespace, list[Any]]:
    """A type that may have references, and a few rows of it."""
    typespace = draw(strategies.typespaces(2))
    kind = draw(strategies.algebraic_types(len(typespace)))
    values = strategies.values(Codec[Any](kind, typespace, engine="construct").shape)
    return kind, typespace, draw(st.lists(values, max_size=4)) if not values.is_empty else []


@CAREFUL
@given(typed_rows())
def test_rows_of_any_type_are_the_same_columns(case: Any) -> None:
    kind, typespace, rows = case
    data = Codec[Any](kind, typespace).encode_many(rows)
    agree(kind, typespace, data, len(rows))


@CAREFUL
@given(typed_rows(), st.data())
def test_damaged_rows_get_the_verdict_of_decode_many(case: Any, source: st.DataObject) -> None:
    kind, typespace, rows = case
    codec = Codec[Any](kind, typespace)
    data = codec.encode_many(rows)
    count = None if codec.min_width and source.draw(st.booleans()) else max(0, len(rows) + source.draw(st.integers(-1, 1)))
    agree(kind, typespace, data, count)
    agree(kind, typespace, data[: source.draw(st.integers(0, len(data)))], count)
    agree(kind, typespace, data + source.draw(st.binary(min_size=1, max_size=4)), count)
    if data:
        place, bit = source.draw(st.integers(0, len(data) - 1)), source.draw(st.integers(0, 7))
        agree(kind, typespace, data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :], count)


@CAREFUL
@given(typed_rows(), st.integers(0, 6), st.integers(0, 6))
def test_small_limits_get_the_verdict_of_decode_many(case: Any, depth: int, empty: int) -> None:
    kind, typespace, rows = case
    data = Codec[Any](kind, typespace).encode_many(rows)
    limits = Limits(depth=depth, empty_elements=empty)
    try:
        Codec[Any](kind, typespace, limits=limits)
    except BsatnError:
        return
    agree(kind, typespace, data, len(rows), limits)


# -- many rows, of which the native engine reads some columns late

SCATTERED = product(
    a=U8, b=Bool, c=I128, text=String, d=Bool, e=U16, f=F64, items=array(U32), when=Timestamp, last=Bool, g=option(U64)
)  # fmt: skip
ROWS = [
    (n % 256, n % 3 == 0, n - 400, "x" * (n % 40), n % 2 == 0, n, n / 7, [n] * (n % 4), Timestamp(n), n % 5 == 0, n % 2 or None)
    for n in range(700)
]


@pytest.mark.parametrize("engine", available())
@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 512, 700])
def test_each_of_many_rows_is_where_it_should_be(engine: Engine, count: int) -> None:
    codec: Codec[Any] = Codec(SCATTERED, engine=engine)
    columns = codec.decode_columns(codec.encode_many(ROWS[:count]))
    assert columns.num_rows == count
    table = pa.table(columns)
    for index, name in enumerate(table.column_names):
        if name not in ("c", "when"):
            assert table[name].to_pylist() == [row[index] for row in ROWS[:count]]
    assert [int.from_bytes(value, "big", signed=True) for value in table["c"].to_pylist()] == [row[2] for row in ROWS[:count]]
    assert table["when"].cast(pa.int64()).to_pylist() == [row[8] for row in ROWS[:count]]


@pytest.mark.parametrize("engine", available())
@pytest.mark.parametrize("wrong", [0, 255, 256, 300, 699])
@pytest.mark.parametrize("column", ["b", "d", "last"])
def test_the_first_wrong_row_of_many_is_told(engine: Engine, wrong: int, column: str) -> None:
    codec: Codec[Any] = Codec(SCATTERED, engine=engine)
    data, position = bytearray(codec.encode_many(ROWS)), len(codec.encode_many(ROWS[:wrong]))
    row = ROWS[wrong]
    before = {"b": 1, "d": 22 + len(row[3]), "last": 45 + len(row[3]) + 4 * len(row[7])}[column]
    data[position + before] = 7
    data[-9] = 9  # the last tag: wrong too, and later
    verdict = outcome(lambda: codec.decode_columns(data))
    assert verdict == outcome(lambda: codec.decode_many(data))
    assert verdict[1:4] == ("InvalidBool", position + before, (wrong, column))
