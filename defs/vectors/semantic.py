"""The semantic form of values: by position and without names, so that a type and a form say one value, to the bit.

| type | form |
|---|---|
| Bool | boolean |
| integers of up to 64 bits | integer |
| integers of 128 and 256 bits | decimal text |
| F32, F64 | the bit pattern, an unsigned integer |
| String | text |
| Array of U8, also by reference | byte string |
| any other Array | array of the elements |
| Product, the special ones too | array of the fields |
| Sum, Option and the other special ones too | array of tag and payload |

A codec that is wrong in both directions alike gives back the bytes it read; what it made of them shows here.
"""

from __future__ import annotations

import struct
from typing import Any

from bsatn.errors import EncodeError
from bsatn.limits import DEFAULT_LIMITS
from bsatn.rendering import VARIANTS, Visit, build_product, build_variant, payload_of, walk
from bsatn.shapes import Array, Bool, Bytes, Float, Int, Newtype, Product, Shape, String, Sum
from bsatn.values import f32_from_bits, f32_to_bytes

__all__ = ["from_semantic", "to_semantic"]

_WIDEST = 64  #: bits of the widest integer that is written as an integer


def to_semantic(shape: Shape, value: Any) -> Any:
    """The form of a decoded value of a shape that comes from an AlgebraicType."""
    return walk(_take_apart, (shape, value), DEFAULT_LIMITS)


def _is_bytes(shape: Array) -> bool:
    """Whether the elements turn out to be U8, behind a reference."""
    return isinstance(shape.element, Int) and shape.element.bits == 8 and not shape.element.signed


def _take_apart(node: tuple[Any, Any]) -> Any:
    shape, value = node
    match shape:
        case Int():
            return int(value) if shape.bits <= _WIDEST else str(int(value))
        case Float(bits=32):
            return int.from_bytes(f32_to_bytes(value), "little")
        case Float():
            return int.from_bytes(struct.pack("<d", value), "little")
        case Newtype():
            return [_take_apart((shape.inner, value))]
        case Array() if _is_bytes(shape):
            return bytes(value)
        case Array():
            return _parts([(shape.element, item) for item in value])
        case Product():
            return _parts(list(zip(shape.fields, value, strict=True)))
        case Sum():
            return _tagged(shape, value)
    return value


def _parts(nodes: list[tuple[Shape, Any]]) -> Visit:
    made = []
    for index, node in enumerate(nodes):
        made.append((yield index, node))
    return made


def _tagged(shape: Sum, value: Any) -> Visit:
    tag, content = VARIANTS[shape.style](shape, value)
    step, payload, _ = payload_of(shape, tag)
    made = yield step, (payload, content)
    return [tag, made]


def from_semantic(shape: Shape, form: Any) -> Any:
    """The value that a form says; raises EncodeError, with the path, for a form that says none of the shape's."""
    return walk(_put_together, (shape, form), DEFAULT_LIMITS)


def _put_together(node: tuple[Any, Any]) -> Any:
    shape, form = node
    match shape:
        case Int():
            return int(_a(form, int if shape.bits <= _WIDEST else str))
        case Float(bits=32):
            return f32_from_bits(_a(form, int))
        case Float():
            return struct.unpack("<d", _a(form, int).to_bytes(8, "little"))[0]
        case Newtype():
            return shape.cls(_put_together((shape.inner, _a(form, list, 1)[0])))
        case Bool():
            return _a(form, bool)
        case String():
            return _a(form, str)
        case Bytes():
            return _a(form, bytes)
        case Array() if _is_bytes(shape):
            return list(_a(form, bytes))
        case Array():
            return _parts([(shape.element, item) for item in _a(form, list)])
        case Product():
            return _built(shape, _a(form, list, len(shape.fields)))
        case Sum():
            return _chosen(shape, _a(form, list, 2))
    raise EncodeError("WrongType", f"nothing says a value of {type(shape).__name__}")


def _built(shape: Product, forms: list[Any]) -> Visit:
    fields = yield from _parts(list(zip(shape.fields, forms, strict=True)))
    return build_product(shape, fields)


def _chosen(shape: Sum, form: list[Any]) -> Visit:
    tag = _a(form[0], int)
    if not 0 <= tag < len(shape.payloads):
        raise EncodeError("UnknownVariant", f"no variant {tag} among {len(shape.payloads)}")
    step, payload, _ = payload_of(shape, tag)
    content = yield step, (payload, form[1])
    return build_variant(shape, tag, content)


def _a(form: Any, kind: type[Any], length: int | None = None) -> Any:
    """The form, which must be of a kind: no boolean is an integer."""
    if type(form) is not kind or (length is not None and len(form) != length):
        raise EncodeError("WrongType", f"expected {kind.__name__}{'' if length is None else f' of {length}'}")
    return form
