"""Columns without the native engine: rows are decoded as ever, and pyarrow's arrays made of the values, a column at a time.

Slower, and the same arrays to the bit. A value that is not there is ABSENT on its way down, and zeros or nothing in the end.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

import pyarrow as pa

from bsatn.columns.layout import DIGITS, Layout
from bsatn.columns.told import MAX_OFFSET, too_many_digits, too_many_nulls, too_many_offsets
from bsatn.errors import LimitExceeded
from bsatn.shapes import Case, Choice, Product, Shape, Style, Sum
from bsatn.values import F32NaN

__all__ = ["ArrowData", "arrow_data"]

ABSENT: Any = object()
_BATCH = 1 << 18  #: rows of a batch

#: Arrow type and struct code of what is the same bytes in Arrow and on the wire.
_NUMBERS: dict[str, tuple[pa.DataType, str]] = {
    "int8": (pa.int8(), "b"),
    "uint8": (pa.uint8(), "B"),
    "int16": (pa.int16(), "h"),
    "uint16": (pa.uint16(), "H"),
    "int32": (pa.int32(), "i"),
    "uint32": (pa.uint32(), "I"),
    "int64": (pa.int64(), "q"),
    "uint64": (pa.uint64(), "Q"),
    "float32": (pa.float32(), "f"),
    "float64": (pa.float64(), "d"),
    "timestamp": (pa.timestamp("us"), "q"),
    "duration": (pa.duration("us"), "q"),
}
_PLAIN: dict[str, pa.DataType] = {
    "bool": pa.bool_(), "utf8": pa.utf8(), "binary": pa.binary(), "null": pa.null(), "broken": pa.null(),
    **{kind: data_type for kind, (data_type, _) in _NUMBERS.items()},
}  # fmt: skip
_DECIMALS = {16: pa.decimal128(DIGITS[16], 0), 32: pa.decimal256(DIGITS[32], 0)}
_TAG = pa.dictionary(pa.uint8(), pa.utf8())
_TYPES: dict[str, Callable[[Layout], pa.DataType]] = {
    "fixed": lambda layout: pa.binary(layout.width),
    "decimal": lambda layout: _DECIMALS[layout.width],
    "choice": lambda layout: arrow_type(layout.parts[0]),
    "option": lambda layout: arrow_type(layout.parts[0]),
    "list": lambda layout: pa.list_(_field("item", layout.parts[0])),
    "struct": lambda layout: pa.struct(_fields(layout)),
    "union": lambda layout: pa.dense_union(_fields(layout)),
    "option_union": lambda layout: pa.dense_union([*_fields(layout.parts[0]), pa.field("none", pa.null())]),
    "tagged": lambda layout: _tagged(_carried(layout)),
}


def arrow_type(layout: Layout) -> pa.DataType:
    """The type of a layout's arrays."""
    return _PLAIN[layout.kind] if layout.kind in _PLAIN else _TYPES[layout.kind](layout)


def _field(name: str, layout: Layout) -> pa.Field:
    return pa.field(name, arrow_type(layout), nullable=layout.may_be_null)


def _fields(layout: Layout) -> list[pa.Field]:
    return [_field(name, part) for name, part in zip(layout.names, layout.parts, strict=True)]


def _carried(layout: Layout) -> list[pa.Field]:
    """The fields of a struct of variants, but for its tag."""
    named = zip(layout.names, layout.parts, strict=True)
    return [pa.field(name, arrow_type(part), nullable=True) for name, part in named if part.kind != "null"]


def _tagged(carried: list[pa.Field]) -> pa.DataType:
    return pa.struct([pa.field("tag", _TAG, nullable=False), *carried]) if carried else _TAG


class ArrowData:
    """Columns made by pyarrow, as the native engine's ColumnData looks."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.rows: int = table.num_rows

    @property
    def batches(self) -> int:
        return len(self.table.to_batches()) or 1

    @property
    def nbytes(self) -> int:
        return int(self.table.nbytes)

    @property
    def names(self) -> list[str]:
        return list(self.table.column_names)

    def schema(self) -> object:
        return self.table.schema.__arrow_c_schema__()

    def array(self, number: int) -> tuple[object, object]:
        batches = self.table.to_batches() or [pa.RecordBatch.from_pylist([], schema=self.table.schema)]
        capsules: tuple[object, object] = batches[number].__arrow_c_array__()
        return capsules

    def stream(self) -> object:
        return self.table.__arrow_c_stream__()

    def joined(self, others: Iterable[ArrowData]) -> ArrowData:
        others = list(others)
        if any(other.table.schema != self.table.schema for other in others):
            raise ValueError("columns of different types do not go together")
        return ArrowData(pa.concat_tables([self.table, *(other.table for other in others)]))


def arrow_data(layout: Layout, rows: list[Any], null_bytes: int) -> ArrowData:
    """The columns of rows. Raises LimitExceeded."""
    schema = pa.schema(_fields(layout))
    maker = _Maker(null_bytes)
    batches: list[pa.RecordBatch] = []
    for start in range(0, len(rows), _BATCH):
        batch, nulls = rows[start : start + _BATCH], maker.nulls
        try:
            columns = [maker.column(layout, index, batch) for index in range(len(layout.parts))]
        except (_TooWide, LimitExceeded) as too_much:
            raise maker.told(layout, batch, start, nulls) or too_much from None
        batches.append(pa.RecordBatch.from_struct_array(_array(pa.struct(list(schema)), len(batch), [None], columns)))
    return ArrowData(pa.Table.from_batches(batches, schema))


def _part(shape: Shape, values: list[Any], index: int) -> list[Any]:
    """One field of each value; of what is no product, the value."""
    if not isinstance(shape, Product):
        return values
    if shape.cls is None:
        return [ABSENT if value is ABSENT else value[index] for value in values]
    attribute = shape.attributes[index]
    return [ABSENT if value is ABSENT else getattr(value, attribute) for value in values]


def _array(data_type: pa.DataType, length: int, buffers: list[Any], children: list[pa.Array] | None = None) -> pa.Array:
    return pa.Array.from_buffers(data_type, length, buffers, children=children)


def _given(values: list[Any], instead: Any) -> list[Any]:
    return [instead if value is ABSENT else value for value in values]


def _bits(valid: list[bool] | None) -> Any:
    """A validity bitmap."""
    return None if valid is None else pa.array(valid, pa.bool_()).buffers()[1]


class _TooWide(Exception):
    """A number has too many digits."""


class _Maker:
    def __init__(self, null_bytes: int) -> None:
        self.null_bytes = null_bytes
        self.nulls = null_bytes
        self.dispatch: dict[str, Callable[[Layout, list[Any], list[bool] | None], pa.Array]] = {
            **dict.fromkeys(_NUMBERS, self.numbers),
            "fixed": self.fixed,
            "decimal": self.decimals,
            "bool": self.flat,
            "utf8": self.texts,
            "binary": self.texts,
            **dict.fromkeys(("null", "broken"), lambda layout, values, valid: pa.nulls(len(values))),
            "choice": self.choices,
            "list": self.lists,
            "struct": self.structs,
            "option": self.options,
            "union": self.unions,
            "option_union": self.option_unions,
            "tagged": self.tagged,
        }

    def column(self, layout: Layout, index: int, rows: list[Any]) -> pa.Array:
        """One column of the layout of rows."""
        return self.make(layout.parts[index], _part(layout.shape, rows, index))

    def told(self, layout: Layout, rows: list[Any], start: int, nulls: int) -> LimitExceeded | None:
        """What is too much in the first row where anything is; None if only all of them are."""
        self.nulls = nulls
        for row, value in enumerate(rows, start):
            for index, name in enumerate(layout.names):
                try:
                    self.column(layout, index, [value])
                except _TooWide:
                    return too_many_digits(row, name)
                except LimitExceeded as error:
                    return error
        return None

    def make(self, layout: Layout, values: list[Any], valid: list[bool] | None = None) -> pa.Array:
        return self.dispatch[layout.kind](layout, values, valid)

    def spend_nulls(self, count: int, cost: int) -> None:
        if count * cost > max(0, self.nulls):
            raise too_many_nulls(self.null_bytes)
        self.nulls -= count * cost

    # -- leaves

    def numbers(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        data_type, code = _NUMBERS[layout.kind]
        given = _given(values, 0)
        if code == "f" and any(isinstance(value, F32NaN) for value in given):
            pieces = (
                value.bits.to_bytes(4, "little") if isinstance(value, F32NaN) else struct.pack("<f", value) for value in given
            )
            body = b"".join(pieces)
        else:
            body = struct.pack(f"<{len(given)}{code}", *given)
        return _array(data_type, len(given), [_bits(valid), pa.py_buffer(body)])

    def fixed(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        body = b"".join(value.to_bytes(layout.width, "big", signed=layout.signed) for value in _given(values, 0))
        return _array(arrow_type(layout), len(values), [_bits(valid), pa.py_buffer(body)])

    def decimals(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        given, digits = _given(values, 0), DIGITS[layout.width]
        if any(abs(value) >= 10**digits for value in given):
            raise _TooWide
        body = b"".join(value.to_bytes(layout.width, "little", signed=True) for value in given)
        return _array(arrow_type(layout), len(values), [_bits(valid), pa.py_buffer(body)])

    def flat(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        made = pa.array(_given(values, False), arrow_type(layout))
        return _array(made.type, len(made), [_bits(valid), *made.buffers()[1:]])

    def texts(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        given = _given(values, b"")
        pieces: list[bytes] = [value.encode() if isinstance(value, str) else value for value in given]
        ends = _ends(map(len, pieces))
        return _array(arrow_type(layout), len(values), [_bits(valid), ends, pa.py_buffer(b"".join(pieces))])

    def choices(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        assert isinstance(layout.shape, Choice)
        wire = {constant: value for value, constant in layout.shape.values.items()}
        return self.make(layout.parts[0], [ABSENT if value is ABSENT else wire[value] for value in values], valid)

    # -- containers

    def lists(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        given = _given(values, ())
        element = self.make(layout.parts[0], [item for value in given for item in value])
        return _array(arrow_type(layout), len(values), [_bits(valid), _ends(map(len, given))], [element])

    def structs(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        if layout.shape is layout.parts[0].shape:
            parts = [values]  # what an option holds, in a struct of its own
        else:
            parts = [_part(layout.shape, values, index) for index in range(len(layout.parts))]
        made = [self.make(part, found) for part, found in zip(layout.parts, parts, strict=True)]
        return _array(arrow_type(layout), len(values), [_bits(valid)], made)

    def options(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        inside = self.payloads(layout, values)
        self.spend_nulls(sum(value is None for value in values), layout.cost)
        return self.make(layout.parts[0], inside, [value is not ABSENT for value in inside])

    def payloads(self, layout: Layout, values: list[Any]) -> list[Any]:
        """What options hold, or ABSENT."""
        assert isinstance(layout.shape, Sum)
        some = layout.shape.style is Style.NESTED_OPTION
        return [ABSENT if value is None or value is ABSENT else value[0] if some else value for value in values]

    def unions(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        return self.dense(layout, layout, values)

    def option_unions(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        return self.dense(layout, layout.parts[0], self.payloads(layout, values), [value is None for value in values])

    def dense(self, layout: Layout, union: Layout, values: list[Any], nones: list[bool] | None = None) -> pa.Array:
        assert isinstance(union.shape, Sum)
        tags, payloads = _split(union.shape, values)
        children: list[list[Any]] = [[] for _ in range(len(union.parts) + (nones is not None))]
        ids: list[int] = []
        offsets: list[int] = []
        for index, (tag, payload) in enumerate(zip(tags, payloads, strict=True)):
            chosen = len(union.parts) if nones is not None and nones[index] else tag
            ids.append(chosen)
            offsets.append(len(children[chosen]))
            children[chosen].append(payload)
        made = [self.make(part, found) for part, found in zip(union.parts, children, strict=False)]
        if nones is not None:
            made.append(pa.nulls(len(children[-1])))
        buffers = [struct.pack(f"<{len(ids)}b", *ids), struct.pack(f"<{len(offsets)}i", *offsets)]
        return _array(arrow_type(layout), len(values), [None, *map(pa.py_buffer, buffers)], made)

    def tagged(self, layout: Layout, values: list[Any], valid: list[bool] | None) -> pa.Array:
        assert isinstance(layout.shape, Sum)
        self.spend_nulls(sum(value is not ABSENT for value in values), layout.cost)
        tags, payloads = _split(layout.shape, values)
        children: list[pa.Array] = []
        for tag, part in enumerate(layout.parts):
            if part.kind != "null":
                chosen = [found == tag and value is not ABSENT for found, value in zip(tags, values, strict=True)]
                inside = [payload if held else ABSENT for held, payload in zip(chosen, payloads, strict=True)]
                children.append(self.make(part, inside, chosen))
        names = pa.array(layout.names, pa.utf8())
        indices = _array(pa.uint8(), len(tags), [None if children else _bits(valid), pa.py_buffer(bytes(tags))])
        tag_array = pa.DictionaryArray.from_arrays(indices, names)
        if not children:
            return tag_array
        return _array(arrow_type(layout), len(values), [_bits(valid)], [tag_array, *children])


def _split(shape: Sum, values: list[Any]) -> tuple[list[int], list[Any]]:
    """Tags and payloads; of what is not there, the first tag and ABSENT."""
    if shape.style is Style.VARIANT:
        return [0 if v is ABSENT else v[0] for v in values], [ABSENT if v is ABSENT else v[1] for v in values]
    by_class, by_constant = shape.tags_by_class(), shape.tags_by_constant()
    tags = [0 if v is ABSENT else by_class[type(v)] if type(v) in by_class else by_constant[v] for v in values]
    return tags, [_payload(shape.payloads[tag], value) for tag, value in zip(tags, values, strict=True)]


def _payload(shape: Shape, value: Any) -> Any:
    return getattr(value, shape.attribute) if isinstance(shape, Case) and value is not ABSENT else value


def _ends(lengths: Iterable[int]) -> Any:
    """Offsets of items that have these lengths."""
    ends = [0, *accumulate(lengths)]
    if ends[-1] > MAX_OFFSET:
        raise too_many_offsets()
    return pa.py_buffer(struct.pack(f"<{len(ends)}i", *ends))
