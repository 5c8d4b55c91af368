"""What each type is as Arrow columns: types, values and nulls written out, for every engine."""

from __future__ import annotations

import enum
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import pytest

from bsatn import types as t
from bsatn.annotations import (
    F32,
    F64,
    I8,
    I16,
    I32,
    I64,
    I128,
    I256,
    U8,
    U16,
    U32,
    U64,
    U128,
    U256,
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
    result,
    sum_,
)
from bsatn.codec import Codec
from bsatn.columns import Columns
from bsatn.engines import Engine, available
from bsatn.errors import BsatnError, DefinitionError, LimitExceeded
from bsatn.limits import Limits
from bsatn.records import case, record, variants
from bsatn.shapes import Choice, Int
from bsatn.shapes import String as StringShape
from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp, Uuid

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed, and says what columns are")

ENGINES = available()
each_engine = pytest.mark.parametrize("engine", ENGINES)

STRUCT: dict[str, Any] = {"sums": "struct"}
DECIMAL: dict[str, Any] = {"wide": "decimal"}


def made_by(columns: Columns, engine: Engine) -> bool:
    """Whether the engine made the columns itself: the native one must not leave them to pyarrow."""
    return (type(columns._source).__name__ == "ColumnData") == (engine == "native")


def table_of(kind: Any, rows: list[str] | bytes, engine: Engine, **options: Any) -> Any:
    """The rows, in hexadecimal digits or bytes, as pyarrow's table."""
    data = rows if isinstance(rows, bytes) else b"".join(map(bytes.fromhex, rows))
    count = None if isinstance(rows, bytes) else len(rows)
    columns = Codec[Any](kind, engine=engine).decode_columns(data, count=count, **options)
    assert made_by(columns, engine)
    table = pa.table(columns)
    table.validate(full=True)
    assert columns.column_names == table.column_names
    assert len(columns) == columns.num_rows == table.num_rows
    return table


def there(name: str, data_type: Any) -> Any:
    """A field without nulls."""
    return pa.field(name, data_type, nullable=False)


TAG = pa.dictionary(pa.uint8(), pa.utf8())
ACTION = sum_(wait=U8, stop=Unit, say=String)
ACTION_UNION = [there("wait", pa.uint8()), pa.field("stop", pa.null()), there("say", pa.utf8())]

#: what, type, rows, options; Arrow's type, whether there are nulls, values
GOLDEN: list[tuple[str, Any, list[str], dict[str, Any], Any, bool, list[Any]]] = [
    ("i8", I8, ["80", "7f"], {}, pa.int8(), False, [-128, 127]),
    ("u8", U8, ["00", "ff"], {}, pa.uint8(), False, [0, 255]),
    ("i16", I16, ["0080", "ff7f"], {}, pa.int16(), False, [-(2**15), 2**15 - 1]),
    ("u16", U16, ["0100", "ffff"], {}, pa.uint16(), False, [1, 2**16 - 1]),
    ("i32", I32, ["00000080", "ffffff7f"], {}, pa.int32(), False, [-(2**31), 2**31 - 1]),
    ("u32", U32, ["01000000", "ffffffff"], {}, pa.uint32(), False, [1, 2**32 - 1]),
    ("i64", I64, ["0000000000000080", "ffffffffffffff7f"], {}, pa.int64(), False, [-(2**63), 2**63 - 1]),
    ("u64", U64, ["0100000000000000", "ffffffffffffffff"], {}, pa.uint64(), False, [1, 2**64 - 1]),
    ("f32", F32, ["0000c03f", "000080ff"], {}, pa.float32(), False, [1.5, float("-inf")]),
    ("f64", F64, ["000000000000f8bf"], {}, pa.float64(), False, [-1.5]),
    ("bool", Bool, ["00", "01", "01"], {}, pa.bool_(), False, [False, True, True]),
    ("string", String, ["00000000", "0300000061c3bc"], {}, pa.utf8(), False, ["", "aü"]),
    ("bytes", Bytes, ["00000000", "0300000061ff00"], {}, pa.binary(), False, [b"", b"a\xff\0"]),
    ("u128", U128, ["01" + "00" * 15, "ff" * 15 + "7f"], {}, pa.binary(16), False, [bytes(15) + b"\1", b"\x7f" + b"\xff" * 15]),
    ("i128", I128, ["00" * 15 + "80", "fe" + "ff" * 15], {}, pa.binary(16), False,
     [b"\x80" + bytes(15), b"\xff" * 15 + b"\xfe"]),
    ("u256", U256, ["02" + "00" * 31, "ff" * 32], {}, pa.binary(32), False, [bytes(31) + b"\2", b"\xff" * 32]),
    ("i256", I256, ["00" * 31 + "80"], {}, pa.binary(32), False, [b"\x80" + bytes(31)]),
    ("u128 as decimal", U128, ["01" + "00" * 15], DECIMAL, pa.decimal128(38, 0), False, [Decimal(1)]),
    ("i128 as decimal", I128, ["fe" + "ff" * 15], DECIMAL, pa.decimal128(38, 0), False, [Decimal(-2)]),
    ("u256 as decimal", U256, ["02" + "00" * 31], DECIMAL, pa.decimal256(76, 0), False, [Decimal(2)]),
    ("i256 as decimal", I256, ["fd" + "ff" * 31], DECIMAL, pa.decimal256(76, 0), False, [Decimal(-3)]),
    ("identity is never decimal", Identity, ["05" + "00" * 31], DECIMAL, pa.binary(32), False, [bytes(31) + b"\5"]),
    ("connection", ConnectionId, ["05" + "00" * 15], DECIMAL, pa.binary(16), False, [bytes(15) + b"\5"]),
    ("uuid", Uuid, ["0102" + "00" * 14], {}, pa.binary(16), False, [bytes(14) + b"\2\1"]),
    ("array", array(U16), ["0200000001000200", "00000000"], {}, pa.list_(there("item", pa.uint16())), False, [[1, 2], []]),
    (
        "array of options", array(option(Bool)), ["03000000000101" + "0000"], {}, pa.list_(pa.field("item", pa.bool_())), False,
        [[True, None, False]],
    ),
    ("array of units", array(Unit), ["02000000"], {}, pa.list_(pa.field("item", pa.null())), False, [[None, None]]),
    ("unit", Unit, ["", "", ""], {}, pa.null(), True, [None, None, None]),
    ("product", product(x=U8, y=String), ["0701000000" + "61"], {}, pa.struct([there("x", pa.uint8()), there("y", pa.utf8())]),
     False, [{"x": 7, "y": "a"}]),
    ("unnamed fields", product(U8, U16), ["070800"], {}, pa.struct([there("0", pa.uint8()), there("1", pa.uint16())]), False,
     [{"0": 7, "1": 8}]),
    ("option", option(U8), ["0007", "01", "0000"], {}, pa.uint8(), True, [7, None, 0]),
    ("option of text", option(String), ["000100000061", "01", "0000000000"], {}, pa.utf8(), True, ["a", None, ""]),
    ("option of a product", option(product(x=U8)), ["0007", "01"], {}, pa.struct([there("x", pa.uint8())]), True,
     [{"x": 7}, None]),
    ("option of an option", option(option(U8)), ["000007", "0001", "01"], {}, pa.struct([pa.field("some", pa.uint8())]), True,
     [{"some": 7}, {"some": None}, None]),
    ("three options", option(option(option(U8))), ["00000007", "000001", "0001", "01"], {},
     pa.struct([pa.field("some", pa.struct([pa.field("some", pa.uint8())]))]), True,
     [{"some": {"some": 7}}, {"some": {"some": None}}, {"some": None}, None]),
    ("option of unit", option(Unit), ["00", "01"], {}, pa.struct([pa.field("some", pa.null())]), True, [{"some": None}, None]),
    ("option of bytes", option(array(U8)), ["000100000009", "01"], {}, pa.binary(), True, [b"\t", None]),
    ("sum", ACTION, ["0007", "01", "020100000061"], {}, pa.dense_union(ACTION_UNION), False, [7, None, "a"]),
    ("sum as struct", ACTION, ["0007", "01", "020100000061"], STRUCT,
     pa.struct([there("tag", TAG), pa.field("wait", pa.uint8()), pa.field("say", pa.utf8())]), False,
     [{"tag": "wait", "wait": 7, "say": None}, {"tag": "stop", "wait": None, "say": None},
      {"tag": "say", "wait": None, "say": "a"}]),
    ("option of a sum", option(ACTION), ["000007", "01", "0001"], {},
     pa.dense_union([*ACTION_UNION, pa.field("none", pa.null())]),
     True, [7, None, None]),
    ("option of a sum as struct", option(ACTION), ["000007", "01", "0001"], STRUCT,
     pa.struct([there("tag", TAG), pa.field("wait", pa.uint8()), pa.field("say", pa.utf8())]), True,
     [{"tag": "wait", "wait": 7, "say": None}, None, {"tag": "stop", "wait": None, "say": None}]),
    ("option of an option of a sum", option(option(ACTION)), ["00000007", "0001", "01"], {},
     pa.struct([pa.field("some", pa.dense_union([*ACTION_UNION, pa.field("none", pa.null())]))]), True,
     [{"some": 7}, {"some": None}, None]),
    ("plain enum", plain_enum("red", "blue"), ["01", "00"], {},
     pa.dense_union([pa.field("red", pa.null()), pa.field("blue", pa.null())]), False, [None, None]),
    ("plain enum as struct", plain_enum("red", "blue"), ["01", "00"], STRUCT, TAG, False, ["blue", "red"]),
    ("option of a plain enum", option(plain_enum("red", "blue")), ["0001", "01"], STRUCT, TAG, True, ["blue", None]),
    ("unnamed variants", sum_(U8, Unit), ["0007", "01"], STRUCT,
     pa.struct([there("tag", TAG), pa.field("0", pa.uint8())]), False,
     [{"tag": "0", "0": 7}, {"tag": "1", "0": None}]),
    ("a variant with an option", sum_(a=option(U8), b=U8), ["000007", "0001", "0109"], STRUCT,
     pa.struct([there("tag", TAG), pa.field("a", pa.uint8()), pa.field("b", pa.uint8())]), False,
     [{"tag": "a", "a": 7, "b": None}, {"tag": "a", "a": None, "b": None}, {"tag": "b", "a": None, "b": 9}]),
    ("result", result(U8, String), ["0007", "0100000000"], {},
     pa.dense_union([there("ok", pa.uint8()), there("err", pa.utf8())]),
     False, [7, ""]),
    ("array of a sum that may carry nothing", array(ACTION), ["020000000007" + "01"], {},
     pa.list_(there("item", pa.dense_union(ACTION_UNION))), False, [[7, None]]),
    ("product of a sum that may carry nothing", product(x=ACTION), ["01", "0007"], {},
     pa.struct([there("x", pa.dense_union(ACTION_UNION))]), False, [{"x": None}, {"x": 7}]),
    ("sum of sums", sum_(a=ACTION, b=product(x=option(U8))), ["000007", "0101", "0001"], {},
     pa.dense_union([there("a", pa.dense_union(ACTION_UNION)), there("b", pa.struct([pa.field("x", pa.uint8())]))]), False,
     [7, {"x": None}, None]),
    ("what has no values", array(Never), ["00000000"], {}, pa.list_(pa.field("item", pa.null())), False, [[]]),
    ("what has no values, in an option", option(product(x=Never, y=U8)), ["01"], {},
     pa.struct([pa.field("x", pa.null()), there("y", pa.uint8())]), True, [None]),
    ("what has no values, at once in an option", option(Never), ["01"], STRUCT, pa.struct([pa.field("some", pa.null())]), True,
     [None]),
    ("schedule as struct", ScheduleAt, ["000100000000000000"], STRUCT,
     pa.struct([there("tag", TAG), pa.field("Interval", pa.duration("us")), pa.field("Time", pa.timestamp("us"))]), False, []),
    ("schedule", ScheduleAt, ["000100000000000000"], {},
     pa.dense_union([there("Interval", pa.duration("us")), there("Time", pa.timestamp("us"))]), False, []),
]  # fmt: skip


@each_engine
@pytest.mark.parametrize(
    ("kind", "rows", "options", "data_type", "nulls", "values"), [one[1:] for one in GOLDEN], ids=[one[0] for one in GOLDEN]
)
def test_a_type_is_its_arrow_type(
    kind: Any, rows: list[str], options: dict[str, Any], data_type: Any, nulls: bool, values: list[Any], engine: Engine
) -> None:
    table = table_of(product(value=kind), rows, engine, **options)
    assert table.schema == pa.schema([pa.field("value", data_type, nullable=nulls)])
    assert not values or table.column("value").to_pylist() == values
    empty = table_of(product(value=kind), [], engine, **options)
    assert empty.schema == table.schema
    assert empty.num_rows == 0


# -- what stands in rows


@each_engine
def test_a_product_has_a_column_for_each_field(engine: Engine) -> None:
    table = table_of(product(id=U32, name=String), ["07000000" + "0100000061"], engine)
    assert table.schema == pa.schema([there("id", pa.uint32()), there("name", pa.utf8())])
    assert table.to_pylist() == [{"id": 7, "name": "a"}]


@each_engine
@pytest.mark.parametrize("kind", [U16, array(U8), option(U8), ACTION, Identity], ids=str)
def test_what_is_no_product_is_one_column(kind: Any, engine: Engine) -> None:
    assert table_of(kind, [], engine).column_names == ["value"]


@each_engine
def test_fields_may_share_a_name_or_have_none(engine: Engine) -> None:
    elements = (t.ProductTypeElement("x", t.U8), t.ProductTypeElement("x", t.U16), t.ProductTypeElement(None, t.U8))
    table = table_of(t.ProductType(elements), b"\1\2\0\3", engine)
    assert table.column_names == ["x", "x", "2"]
    assert [column.to_pylist() for column in table.columns] == [[1], [2], [3]]


@each_engine
def test_rows_without_bytes_are_counted(engine: Engine) -> None:
    assert table_of(Unit, ["", "", ""], engine).num_rows == 3
    table = table_of(product(a=Unit, b=product(c=Unit)), ["", ""], engine)
    assert table.schema == pa.schema([pa.field("a", pa.null()), there("b", pa.struct([pa.field("c", pa.null())]))])
    assert table.to_pylist() == [{"a": None, "b": {"c": None}}] * 2
    with pytest.raises(ValueError, match="say count="):
        Codec(Unit, engine=engine).decode_columns(b"")


@each_engine
def test_no_rows_are_one_batch(engine: Engine) -> None:
    columns = Codec(product(a=U8, b=String), engine=engine).decode_columns(b"")
    assert (len(columns), columns.num_batches) == (0, 1)
    assert pa.record_batch(columns).num_rows == 0


@each_engine
@pytest.mark.parametrize("kind", [Timestamp, TimeDuration])
def test_times_are_kept_to_the_microsecond(kind: Any, engine: Engine) -> None:
    ends = [-(2**63), -1, 0, 2**63 - 1]
    table = table_of(
        product(a=kind, b=option(kind)), b"".join(end.to_bytes(8, "little", signed=True) + b"\1" for end in ends), engine
    )
    whole = pa.timestamp("us") if kind is Timestamp else pa.duration("us")
    assert table.schema == pa.schema([there("a", whole), pa.field("b", whole)])
    assert table.column("a").cast(pa.int64()).to_pylist() == ends
    assert table.column("b").null_count == 4


@each_engine
def test_floats_keep_their_bits(engine: Engine) -> None:
    bits = [0x7F800001, 0xFFC00001, 0x80000000, 0x7FC00000, 0x00000001]
    table = table_of(F32, b"".join(one.to_bytes(4, "little") for one in bits), engine)
    assert table.column(0).chunk(0).view(pa.uint32()).to_pylist() == bits
    bits = [0x7FF0000000000001, 0xFFF8000000000001, 1 << 63]
    table = table_of(option(F64), b"".join(b"\0" + one.to_bytes(8, "little") for one in bits), engine)
    assert table.column(0).chunk(0).view(pa.uint64()).to_pylist() == bits


@each_engine
def test_a_union_says_which_variant(engine: Engine) -> None:
    chunk = table_of(ACTION, b"\0\7\2\0\0\0\0\1\0\5", engine).column(0).chunk(0)
    assert chunk.type_codes.to_pylist() == [0, 2, 1, 0]
    assert chunk.offsets.to_pylist() == [0, 0, 0, 1]
    chunk = table_of(option(ACTION), b"\0\0\7\1\0\1\1", engine).column(0).chunk(0)
    assert chunk.type_codes.to_pylist() == [0, 3, 1, 3]
    assert chunk.offsets.to_pylist() == [0, 0, 0, 1]


@each_engine
def test_a_schedule_is_a_duration_or_a_time(engine: Engine) -> None:
    chunk = table_of(ScheduleAt, b"\0" + bytes([5] + [0] * 7) + b"\1" + bytes([6] + [0] * 7), engine).column(0).chunk(0)
    assert chunk.type_codes.to_pylist() == [0, 1]
    assert [chunk.field(tag).cast(pa.int64()).to_pylist() for tag in (0, 1)] == [[5], [6]]


# -- records


class Kind(enum.Enum):
    Melee = 0
    Ranged = 1


@case
class Burn:
    seconds: U16


@case
class Stun:
    pass


@record
class Push:
    x: U8
    y: U8


Effect: TypeAlias = Annotated[Burn | Stun | Push, variants("Effect")]
Access = Annotated[str, Choice(StringShape(), {"public": "PUBLIC", "private": "PRIVATE"}, "no access: `{found}`")]
Level = Annotated[str, Choice(Int(16, False), {1: "ONE", 258: "MANY"}, "no level {found}")]


@record
class Damage:
    target: U32
    kind: Kind
    effect: Effect
    maybe: Effect | None
    access: Access
    level: Level | None
    notes: tuple[str, ...]


DAMAGE = [
    Damage(1, Kind.Melee, Burn(2), None, "PUBLIC", "MANY", ("a", "")),
    Damage(2, Kind.Ranged, Stun(), Push(3, 4), "PRIVATE", None, ()),
    Damage(3, Kind.Melee, Push(5, 6), Stun(), "PUBLIC", "ONE", ("b",)),
]


@each_engine
def test_records_are_columns_of_what_is_on_the_wire(engine: Engine) -> None:
    table = table_of(Damage, Codec(Damage).encode_many(DAMAGE), engine)
    push = pa.struct([there("x", pa.uint8()), there("y", pa.uint8())])
    effects = [there("Burn", pa.uint16()), pa.field("Stun", pa.null()), there("Push", push)]
    assert table.schema == pa.schema([
        there("target", pa.uint32()),
        there("kind", pa.dense_union([pa.field("Melee", pa.null()), pa.field("Ranged", pa.null())])),
        there("effect", pa.dense_union(effects)),
        pa.field("maybe", pa.dense_union([*effects, pa.field("none", pa.null())])),
        there("access", pa.utf8()),
        pa.field("level", pa.uint16()),
        there("notes", pa.list_(there("item", pa.utf8()))),
    ])  # fmt: skip
    assert table.column("kind").chunk(0).type_codes.to_pylist() == [0, 1, 0]
    assert table.column("effect").to_pylist() == [2, None, {"x": 5, "y": 6}]
    assert table.column("maybe").chunk(0).type_codes.to_pylist() == [3, 2, 1]
    assert table.column("maybe").to_pylist() == [None, {"x": 3, "y": 4}, None]
    assert table.column("access").to_pylist() == ["public", "private", "public"]
    assert table.column("level").to_pylist() == [258, None, 1]
    assert table.column("notes").to_pylist() == [["a", ""], [], ["b"]]


@each_engine
def test_records_are_structs_of_their_variants(engine: Engine) -> None:
    table = table_of(Damage, Codec(Damage).encode_many(DAMAGE), engine, sums="struct")
    assert table.column("kind").to_pylist() == ["Melee", "Ranged", "Melee"]
    assert table.column("effect").to_pylist() == [
        {"tag": "Burn", "Burn": 2, "Push": None},
        {"tag": "Stun", "Burn": None, "Push": None},
        {"tag": "Push", "Burn": None, "Push": {"x": 5, "y": 6}},
    ]
    assert [found and found["tag"] for found in table.column("maybe").to_pylist()] == [None, "Push", "Stun"]


@each_engine
def test_a_choice_there_is_not_is_refused(engine: Engine) -> None:
    codec = Codec[Any](Access, engine=engine)
    with pytest.raises(BsatnError, match="no access: `publik`"):
        codec.decode_columns(b"\6\0\0\0public\6\0\0\0publik")


# -- wide integers


def wide(value: int, bits: int) -> bytes:
    return value.to_bytes(bits // 8, "little", signed=value < 0)


@each_engine
@pytest.mark.parametrize(("kind", "bits", "digits"), [(U128, 128, 38), (I128, 128, 38), (U256, 256, 76), (I256, 256, 76)])
def test_decimals_have_so_many_digits(kind: Any, bits: int, digits: int, engine: Engine) -> None:
    most = 10**digits - 1
    signs = (1, -1) if kind in (I128, I256) else (1,)
    table = table_of(kind, b"".join(wide(sign * most, bits) for sign in signs), engine, wide="decimal")
    assert table.column(0).to_pylist() == [Decimal(sign * most) for sign in signs]
    row = product(a=U8, b=kind, c=option(kind))
    top = (1 << bits) - 1 if len(signs) == 1 else -(1 << bits - 1)
    for value in (*(sign * (most + 1) for sign in signs), top):
        for late in (row, product(a=U8, b=kind, c=kind)):
            tail = b"\1" if late is row else bytes(bits // 8)
            rows = (b"\0" + wide(0, bits) + tail) * 3 + b"\0" + wide(value, bits) + tail
            with pytest.raises(LimitExceeded, match="a number has too many digits") as caught:
                Codec(late, engine=engine).decode_columns(rows, wide="decimal")
            assert (caught.value.limit, caught.value.path) == ("digits", (3, "b"))
        assert table_of(row, b"\0" + wide(value, bits) + b"\1", engine).num_rows == 1


@each_engine
def test_wrong_bytes_are_told_before_too_many_digits(engine: Engine) -> None:
    with pytest.raises(BsatnError) as caught:
        Codec(product(a=U128, b=Bool), engine=engine).decode_columns(b"\xff" * 16 + b"\0" + bytes(16) + b"\2", wide="decimal")
    assert (caught.value.kind, caught.value.path) == ("InvalidBool", (1, "b"))


@each_engine
def test_the_first_row_that_is_too_much_is_told(engine: Engine) -> None:
    row = product(a=U128, b=option(product(*[U256] * 4)))
    codec = Codec(row, limits=Limits(null_bytes=100), engine=engine)
    small, large, none = bytes(16), b"\xff" * 16, b"\1"
    for data, limit in ((small + none + large + none, "null_bytes"), (large + none + small + none, "digits")):
        with pytest.raises(LimitExceeded) as caught:
            codec.decode_columns(data, wide="decimal")
        assert caught.value.limit == limit


# -- many variants, and types that are none


def many(count: int) -> t.SumType:
    return t.SumType(tuple(t.SumTypeVariant(f"v{tag}", t.U8) for tag in range(count)))


@each_engine
def test_a_union_has_128_variants(engine: Engine) -> None:
    rows = bytes([0, 1, 127, 2])
    chunk = table_of(many(128), rows, engine).column(0).chunk(0)
    assert (chunk.type_codes.to_pylist(), chunk.to_pylist()) == ([0, 127], [1, 2])
    chunk = table_of(option(many(127)), b"\0\x7e\1\1", engine).column(0).chunk(0)
    assert chunk.type_codes.to_pylist() == [126, 127]
    table = table_of(option(many(128)), b"\0\x7f\1\1", engine)
    assert table.column(0).to_pylist() == [{"some": 1}, None]


@each_engine
def test_more_variants_are_a_struct(engine: Engine) -> None:
    codec = Codec(product(x=many(129)), engine=engine)
    with pytest.raises(DefinitionError, match=r"129 variants.*use sums='struct'") as caught:
        codec.decode_columns(b"")
    assert caught.value.kind == "TooManyVariants"
    row = table_of(many(256), bytes([255, 7]), engine, sums="struct").column(0).to_pylist()[0]
    assert {name: value for name, value in row.items() if value is not None} == {"tag": "v255", "v255": 7}
    assert table_of(plain_enum(*map(str, range(256))), bytes([255]), engine, sums="struct").column(0).to_pylist() == ["255"]


LIST = t.ProductType((t.ProductTypeElement("value", t.U32), t.ProductTypeElement("next", t.option_type(t.Ref(0)))))


def nested(outer: Callable[[Any], Any], levels: int) -> Any:
    kind: Any = t.U32
    for _ in range(levels):
        kind = outer(kind)
    return kind


@each_engine
@pytest.mark.parametrize(
    ("kind", "typespace", "refusal", "path"),
    [
        (t.Ref(0), t.Typespace((LIST,)), "RecursiveColumns", ("next", "some")),
        (t.ArrayType(t.Ref(0)), t.Typespace((t.ArrayType(t.Ref(0)),)), "RecursiveColumns", ("[]", "[]")),
        (nested(array, 61), None, "ColumnsTooDeep", ("[]",) * 8),
        (product(*[U8] * ((1 << 14) + 1)), None, "TooManyColumns", (str(1 << 14),)),
        (t.AlgebraicType, None, "RecursiveColumns", ("Sum", "variants", "[]", "algebraic_type")),
        (product(x=product(**{"a\0b": U8})), None, "ColumnName", ("x",)),
        (sum_(**{"a\ud800": U8}), None, "ColumnName", ()),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_arrow_has_no_columns_for_is_refused(kind: Any, typespace: Any, refusal: str, path: Any, engine: Engine) -> None:
    with pytest.raises(DefinitionError) as caught:
        Codec[Any](kind, typespace, engine=engine).decode_columns(b"")
    assert (caught.value.kind, caught.value.path) == (refusal, path)


@each_engine
def test_a_reference_to_nothing_is_no_column_of_values(engine: Engine) -> None:
    kind, nothing = option(product(x=U8, y=t.Ref(3))), t.Typespace(())
    columns = Codec(kind, nothing, engine=engine).decode_columns(b"\1\1")
    assert made_by(columns, engine)
    assert pa.table(columns).column(0).to_pylist() == [None, None]
    with pytest.raises(BsatnError) as caught:
        Codec(kind, nothing, engine=engine).decode_columns(b"\1\0\7")
    assert (caught.value.kind, caught.value.path) == ("InvalidTypeRef", (1, "some", "y"))


@each_engine
@pytest.mark.parametrize(
    ("options", "message"),
    [({"wide": "text"}, "wide is one of"), ({"sums": "none"}, "sums is one of"), ({"count": -1}, "not -1")],
    ids=str,
)
def test_options_there_are_not_are_refused(options: dict[str, Any], message: str, engine: Engine) -> None:
    with pytest.raises(ValueError, match=message):
        Codec(U8, engine=engine).decode_columns(b"", **options)
    with pytest.raises(TypeError, match="bytes are needed"):
        Codec(U8, engine=engine).decode_columns("00")  # type: ignore[arg-type]


@each_engine
def test_any_buffer_is_read(engine: Engine) -> None:
    for data in (b"\1\2", bytearray(b"\1\2"), memoryview(b"\1\0\2\0")[::2]):
        assert pa.table(Codec(U8, engine=engine).decode_columns(data)).column(0).to_pylist() == [1, 2]
