"""What is peculiar about a case: flags that follow from its type, its value and its answers. A table of tests, one a flag."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.satn import format_type
from bsatn.shapes import Array, Bytes, Float, Int, Newtype, Product, Shape, String, Sum, is_option, min_widths, reachable
from bsatn.typeshapes import SCHEDULE_AT_SHAPE, shape_of_type
from defs.vectors.files import Case

__all__ = ["finite", "shape_for", "text_for", "traits"]

Node: TypeAlias = tuple[Shape, Any, int]


@lru_cache(maxsize=4096)
def shape_for(kind: bytes, typespace: bytes) -> Shape:
    """The shape of a type and its typespace, as BSATN. Raises BsatnError for what does not decode."""
    return shape_of_type(Codec(t.AlgebraicType).decode(kind), Codec(t.Typespace).decode(typespace))


def text_for(kind: bytes, typespace: bytes) -> str:
    """The type for people: SATN that reads back as it, and what its references are."""
    space = Codec(t.Typespace).decode(typespace)
    shown = format_type(Codec(t.AlgebraicType).decode(kind), exact=True)
    entries = [f"&{index} = {format_type(entry, exact=True)}" for index, entry in enumerate(space.types)]
    return f"{shown} where {', '.join(entries)}" if entries and "&" in shown else shown


def nodes(shape: Shape, form: Any) -> Iterator[Node]:
    """Every value inside one in semantic form, with its shape and depth."""
    todo: list[Node] = [(shape, form, 0)]
    while todo:
        node = shape, form, depth = todo.pop()
        yield node
        match shape:
            case Newtype():
                todo.append((shape.inner, form[0], depth + 1))
            case Array() if not isinstance(form, bytes):
                todo += [(shape.element, item, depth + 1) for item in form]
            case Product():
                todo += [(part, field, depth + 1) for part, field in zip(shape.fields, form, strict=True)]
            case Sum():
                todo.append((shape.payloads[form[0]], form[1], depth + 1))


def _float(shape: Shape, bits: int) -> float | None:
    if not isinstance(shape, Float):
        return None
    size, code = (4, "<f") if shape.bits == 32 else (8, "<d")
    value: float = struct.unpack(code, bits.to_bytes(size, "little"))[0]
    return value


_QUIET = {32: 0x7FC00000, 64: 0x7FF8000000000000}


def _odd_nan(shape: Shape, form: Any, _: int) -> bool:
    value = _float(shape, form)
    return value is not None and math.isnan(value) and isinstance(shape, Float) and form != _QUIET[shape.bits]


def _negative_zero(shape: Shape, form: Any, _: int) -> bool:
    value = _float(shape, form)
    return value == 0 and bool(form)


def finite(shape: Shape, form: Any) -> bool:
    """Whether JSON can say the value: no float of it is NaN or infinite."""
    return all(math.isfinite(_float(part, one) or 0.0) for part, one, _ in nodes(shape, form))


_OF_VALUES: dict[str, Callable[[Shape, Any, int], bool]] = {
    "nan-payload": _odd_nan,
    "negative-zero": _negative_zero,
    "wide-integer": lambda shape, form, _: isinstance(shape, Int) and shape.bits > 64,
    "big-integer": lambda shape, form, _: isinstance(shape, Int) and shape.bits == 64 and abs(form) > 1 << 53,
    "empty-array": lambda shape, form, _: isinstance(shape, (Array, Bytes)) and not form,
    "empty-element": lambda shape, form, _: isinstance(shape, Array) and bool(form) and _width(shape.element) == 0,
    "deep": lambda shape, form, depth: depth > 100,
    "special": lambda shape, form, _: isinstance(shape, Newtype) or is_option(shape) or shape is SCHEDULE_AT_SHAPE,
    "unnamed": lambda shape, form, _: isinstance(shape, (Product, Sum)) and None in shape.names,
    "non-ascii": lambda shape, form, _: isinstance(shape, String) and not form.isascii(),
    "nul": lambda shape, form, _: isinstance(shape, String) and "\0" in form,
}


def _width(shape: Shape) -> int:
    return min_widths(reachable(shape))[shape]


def traits(case: Case, shape: Shape | None = None) -> set[str]:
    """The flags that follow from a case with its answers; `shape` is that of its type."""
    found: set[str] = set()
    if shape is not None and "value" in case:
        parts = list(nodes(shape, case["value"]))
        found |= {flag for flag, test in _OF_VALUES.items() if any(test(*part) for part in parts)}
    choices = case.get("choices", [])
    errors = {case.get("error"), *(choice.get("error") for choice in choices)}
    found |= {"truncated"} if "BufferLength" in errors else set()
    found |= {"trailing"} if "TrailingBytes" in errors else set()
    if _follows(case):
        found |= {"reference"}
    return found


def _follows(case: Case) -> bool:
    if "typespace" not in case or "type" not in case:
        return False
    try:
        return "&" in format_type(Codec(t.AlgebraicType).decode(case["type"]))
    except BsatnError:
        return False
