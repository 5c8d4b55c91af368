"""Values as the server's indexes and messages take them: without names, so that special types are what they consist of.

An option is a sum, an Identity a product of one integer; of such values, tuples compare as the server's do.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.satn import format_value
from bsatn.stack import on_enough_stack
from bsatn.typeshapes import shape_of_type

__all__ = ["PlainRows", "debug_text", "is_integer", "nameless", "plain_rows", "wrapped"]

_BITS = {f"{sign}{bits}": (sign == "I", bits) for sign in "IU" for bits in (8, 16, 32, 64, 128, 256)}

_PACKED = frozenset({"I128", "U128"})


def is_integer(kind: t.AlgebraicType) -> bool:
    """Whether a sequence can give values of the type."""
    return isinstance(kind, t.Primitive) and kind.name in _BITS


def wrapped(kind: t.AlgebraicType, value: int) -> int:
    """The lowest bits of the value, as many as the integer type has. (spec: event-tables 1.3)"""
    assert isinstance(kind, t.Primitive)
    signed, bits = _BITS[kind.name]
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


class PlainRows:
    """A table's rows with plain values. `types` are the columns' types without names."""

    def __init__(self, row_type: t.ProductType) -> None:
        plain = on_enough_stack(lambda: nameless(row_type))
        assert isinstance(plain, t.ProductType)
        self.types = tuple(element.algebraic_type for element in plain)
        self._codec: Codec[tuple[Any, ...]] = Codec(plain)

    def key(self, data: bytes, columns: Sequence[int]) -> tuple[Any, ...]:
        """The row's values in these columns, so that they compare."""
        row = self._codec.decode(data)
        return tuple(_ordered(row[column]) for column in columns)

    def texts(self, data: bytes, columns: Sequence[int]) -> tuple[str, str]:
        """The row's value in these columns, as the server prints it and as it shows it for debugging."""
        row = self._codec.decode(data)
        if len(columns) == 1:
            kind, value = self.types[columns[0]], row[columns[0]]
        else:
            kind = t.ProductType(tuple(t.ProductTypeElement(None, self.types[column]) for column in columns))
            value = tuple(row[column] for column in columns)
        return format_value(shape_of_type(kind), value), debug_text(kind, value)


@lru_cache(maxsize=1024)
def plain_rows(row_type: t.ProductType) -> PlainRows:
    """The plain form of a table's rows."""
    return PlainRows(row_type)


def nameless(kind: t.AlgebraicType) -> t.AlgebraicType:
    """The type without the names of fields and variants."""
    match kind:
        case t.ProductType(elements):
            return t.ProductType(tuple(t.ProductTypeElement(None, nameless(one.algebraic_type)) for one in elements))
        case t.SumType(variants):
            return t.SumType(tuple(t.SumTypeVariant(None, nameless(one.algebraic_type)) for one in variants))
        case t.ArrayType(element):
            return t.ArrayType(nameless(element))
        case _:
            return kind


def _ordered(value: Any) -> Any:
    if isinstance(value, float):
        return (1, 0.0) if math.isnan(value) else (0, float(value))
    if isinstance(value, (tuple, list)):
        return tuple(map(_ordered, value))
    return value


def debug_text(kind: t.AlgebraicType, value: Any) -> str:
    """A plain value as Rust shows it for debugging, such as `U64(7)` or `String("a")`."""
    match kind:
        case t.ProductType(elements):
            parts = [debug_text(one.algebraic_type, part) for one, part in zip(elements, value, strict=True)]
            return f"Product(ProductValue {{ elements: [{', '.join(parts)}] }})"
        case t.SumType(variants):
            payload = debug_text(variants[value[0]].algebraic_type, value[1])
            return f"Sum(SumValue {{ tag: {value[0]}, value: {payload} }})"
        case t.ArrayType():
            return f"Array([{', '.join(_bare(kind.element, part) for part in value)}])"
        case _:
            bare = _bare(kind, value)
            name = kind.name if isinstance(kind, t.Primitive) else str(kind)
            return f"{name}({f'Packed({bare})' if name in _PACKED else bare})"


def _bare(kind: t.AlgebraicType, value: Any) -> str:
    if not isinstance(kind, t.Primitive):
        return debug_text(kind, value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)
