"""Default values as the printed plan shows them: Rust's indented debug form of an untyped value. (spec: compat 5.2)

Written straight from the bytes of the value, at its type without references. Lines after the first begin at column 0 of the
plan; each level is indented by four blanks, and ends its items with a comma.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Final

from bsatn import types as t
from bsatn.rendering import shortest_decimal
from bsatn.types import AlgebraicType, ArrayType, ProductType, SumType
from defs.validate.rustlike import debug_str

__all__ = ["debug_float", "debug_value"]

_INTEGERS: Final = {str(kind): (bits // 8, str(kind).startswith("I")) for kind, bits in (
    (t.I8, 8), (t.U8, 8), (t.I16, 16), (t.U16, 16), (t.I32, 32), (t.U32, 32), (t.I64, 64), (t.U64, 64),
    (t.I128, 128), (t.U128, 128), (t.I256, 256), (t.U256, 256),
)}  # fmt: skip
_FLOATS: Final = {"F32": ("<f", 32), "F64": ("<d", 64)}
_STEP = "    "


def debug_value(kind: AlgebraicType, data: bytes) -> str:
    """The debug form of the value that the bytes begin with; they are a value of the type, as validation made sure."""
    return _Reader(data).value(kind, 0)


def debug_float(value: float, bits: int) -> str:
    """A float as Rust debugs it: plain from 1e-4 to 1e16, with an exponent outside."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    sign, digits, power = shortest_decimal(value, bits)
    if not value or 1e-4 <= abs(value) < 1e16:
        whole, part = digits[: max(power + 1, 0)], digits[max(power + 1, 0) :]
        whole = whole + "0" * (power + 1 - len(whole)) if power >= 0 else "0"
        part = "0" * (-power - 1) + part if power < 0 else part
        return f"{sign}{whole}.{part or '0'}"
    return f"{sign}{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{power}"


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(size), "little", signed=signed)

    def value(self, kind: AlgebraicType, level: int) -> str:
        """The value as one of any type: wrapped in what it is."""
        if isinstance(kind, ProductType):
            return _block("Product(", [self.product(kind, level + 1)], ")", level)
        if isinstance(kind, SumType):
            return _block("Sum(", [self.sum(kind, level + 1)], ")", level)
        if isinstance(kind, ArrayType):
            return _block("Array(", [self.array(kind, level + 1)], ")", level)
        return _block(f"{kind}(", [self.bare(kind, level + 1)], ")", level)

    def bare(self, kind: AlgebraicType, level: int) -> str:
        """The value as one of a known type."""
        return _BARE[type(kind)](self, kind, level) if type(kind) in _BARE else self.primitive(str(kind), level)

    def primitive(self, name: str, level: int) -> str:
        if name == "String":
            return debug_str(self.take(self.number(4)).decode("utf-8", "replace"))
        if name == "Bool":
            return "true" if self.number(1) else "false"
        if name in _FLOATS:
            form, bits = _FLOATS[name]
            (value,) = struct.unpack(form, self.take(bits // 8))
            return _block("Total(", [debug_float(value, bits)], ")", level)
        size, signed = _INTEGERS[name]
        text = str(self.number(size, signed=signed))
        return _block("Packed(", [text], ")", level) if size == 16 else text

    def product(self, kind: ProductType, level: int) -> str:
        elements = [self.value(part.algebraic_type, level + 2) for part in kind.elements]
        return _block("ProductValue {", [f"elements: {_block('[', elements, ']', level + 1)}"], "}", level)

    def sum(self, kind: SumType, level: int) -> str:
        tag = self.number(1)
        payload = self.value(kind.variants[tag].algebraic_type, level + 1)
        return _block("SumValue {", [f"tag: {tag}", f"value: {payload}"], "}", level)

    def array(self, kind: ArrayType, level: int) -> str:
        count = self.number(4)
        integer = _INTEGERS.get(str(kind.element)) if isinstance(kind.element, t.Primitive) else None
        if integer is not None:  # bare even where one by itself is Packed
            size, signed = integer
            return _block("[", [str(self.number(size, signed=signed)) for _ in range(count)], "]", level)
        return _block("[", [self.bare(kind.element, level + 1) for _ in range(count)], "]", level)


#: How composite values are written without what they are.
_BARE: Final[dict[type, Callable[..., str]]] = {ProductType: _Reader.product, SumType: _Reader.sum, ArrayType: _Reader.array}


def _block(begin: str, items: list[str], end: str, level: int) -> str:
    """The items on lines of their own, one level further in."""
    if not items:
        return begin + end
    lines = "".join(f"{_STEP * (level + 1)}{item},\n" for item in items)
    return f"{begin}\n{lines}{_STEP * level}{end}"
