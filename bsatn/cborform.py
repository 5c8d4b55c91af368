"""CBOR (RFC 8949), both ways: values with their names, exact to the bit, and no bigger than they need to be.

| shape | CBOR |
|---|---|
| Bool, String, Bytes | true or false, text string, byte string |
| integers | integer; outside 64 bits a bignum (tag 2 or 3) |
| F32, F64 | single or double, by their bits: NaN keeps sign and payload |
| F32 signalling NaN | tag 81 (RFC 8746) on its four bytes, big-endian: readers turn a bare one quiet |
| Array | array |
| product, all names given and different | map of name to field, in order; unit is the empty map |
| product, otherwise | array of its fields |
| Identity and the other special products | a map of one field, like any product |
| Option | null, or the payload |
| Option in an Option | the outer: null, or an array of the one payload |
| sum, the variant has a name of its own | map of one: name to payload |
| sum, otherwise | array of tag and payload |

Reading wants exactly that, save that an integer, length or float may be wider than need be and a float
narrower, that map keys come in any order, and that a float is refused only where the type cannot hold its
value. Duplicate and unknown keys, bytes after the value, indefinite lengths, all other tags are refused. The
package cbor2 does the reading.
"""

from __future__ import annotations

import functools
import io
import math
import struct
from collections.abc import Callable
from typing import Any, NoReturn, TypeAlias

from bsatn.errors import DecodeError, LimitExceeded
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.rendering import Form, Visit, build_product, build_variant, fits, is_flat, payload_of, render, walk
from bsatn.shapes import (
    Array,
    Bool,
    Broken,
    Bytes,
    Case,
    Choice,
    Float,
    Int,
    Newtype,
    Product,
    Shape,
    String,
    Style,
    Sum,
    is_option,
)
from bsatn.values import F32NaN, f32_from_bits

__all__ = ["dumps", "loads"]

# Writing ----------------------------------------------------------------------------------------------------

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)  # major types
_NULL, _FALSE, _TRUE, _SINGLE, _DOUBLE = b"\xf6", b"\xf4", b"\xf5", b"\xfa", b"\xfb"
_F32_ARRAY = 81  #: The tag of an array of big-endian 32-bit floats. (RFC 8746)


def _head(major: int, argument: int) -> bytes:
    """Major type and argument, as short as can be."""
    if argument < 24:
        return bytes([major << 5 | argument])
    size = (max(argument.bit_length() - 1, 0) // 8).bit_length()  # 1, 2, 4, 8 bytes: 0, 1, 2, 3
    return bytes([major << 5 | 24 + size]) + argument.to_bytes(1 << size, "big")


def _blob(data: bytes) -> bytes:
    return _head(_BYTES, len(data)) + data


def _text(text: str) -> bytes:
    data = text.encode()
    return _head(_TEXT, len(data)) + data


def _integer(_: Int, value: int) -> bytes:
    negative = value < 0
    argument = ~value if negative else value
    if argument >> 64:
        return _head(_TAG, 3 if negative else 2) + _blob(argument.to_bytes((argument.bit_length() + 7) // 8, "big"))
    return _head(_NEGATIVE if negative else _UNSIGNED, argument)


def _float(shape: Float, value: float) -> bytes:
    if isinstance(value, F32NaN) and shape.bits == 32:
        return _head(_TAG, _F32_ARRAY) + _blob(value.bits.to_bytes(4, "big"))
    return _SINGLE + struct.pack(">f", value) if shape.bits == 32 else _DOUBLE + struct.pack(">d", value)


def _is_map(names: tuple[str | None, ...]) -> bool:
    return None not in names and len(set(names)) == len(names)


def _product(_: Shape, names: tuple[str | None, ...], __: bool) -> tuple[list[bytes], bytes]:
    head = _head(_MAP if _is_map(names) else _ARRAY, len(names))
    if not names:
        return [], head
    labels = [_text(name) if _is_map(names) and name is not None else b"" for name in names]
    return [head + labels[0], *labels[1:]], b""


def _has_own_name(shape: Sum, tag: int) -> bool:
    return shape.names[tag] is not None and shape.names.count(shape.names[tag]) == 1


def _variant(shape: Sum, tag: int, _: bool) -> tuple[bytes, bytes]:
    if is_option(shape):
        return (_head(_ARRAY, 1) if shape.style is Style.NESTED_OPTION else b""), b""
    if _has_own_name(shape, tag):
        return _head(_MAP, 1) + _text(shape.names[tag] or ""), b""
    return _head(_ARRAY, 2) + _head(_UNSIGNED, tag), b""


_FORM: Form[bytes] = Form(
    leaves={
        Int: _integer,
        Float: _float,
        Bool: lambda _, value: _TRUE if value else _FALSE,
        String: lambda _, value: _text(value),
        Bytes: lambda _, value: _blob(value),
    },
    array=lambda count: (_head(_ARRAY, count), b"", b""),
    product=_product,
    variant=_variant,
    none=_NULL,
)


def dumps(shape: Shape, value: Any, *, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """The value as CBOR; raises EncodeError, with the path, for a value that is none of the shape's."""
    return b"".join(render(_FORM, shape, value, limits))


# Reading ----------------------------------------------------------------------------------------------------

#: Tags that cbor2 would make something of. Refused before their contents are read: some repeat parts.
_REFUSED_TAGS = (0, 1, 4, 5, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_DEEPEST = 4096  #: What cbor2, which recurses natively, is allowed, whatever `Limits.depth` says.


def loads(shape: Shape, data: bytes, *, limits: Limits = DEFAULT_LIMITS) -> Any:
    """The value that CBOR bytes say; raises DecodeError.

    Kinds: `CborSyntax` (not CBOR, or refused forms of it), `CborShape` (CBOR of another kind than the type
    wants), `TrailingBytes`, `OutOfRange`, `UnknownField`, `MissingField`, `UnknownVariant`, `WrongLength`,
    `LimitExceeded`.
    """
    return walk(_enter, (shape, _parsed(data, limits)), limits)


def _parsed(data: bytes, limits: Limits) -> Any:
    """Any CBOR item as Python sees it, and nothing after it."""
    import cbor2

    stream = io.BytesIO(data)
    depth = min(limits.depth + 2, _DEEPEST)  # a leaf may stand in one tag
    try:
        item = cbor2.CBORDecoder(
            stream,
            semantic_decoders=dict.fromkeys(_REFUSED_TAGS, _refuse_tag),
            max_depth=depth,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        ).decode()
    except cbor2.CBORDecodeError as error:
        if "nesting depth" in str(error):
            raise LimitExceeded("depth", min(limits.depth, _DEEPEST), "the CBOR is nested too deep") from None
        message = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
        raise DecodeError("CborSyntax", message) from None
    if stream.tell() != len(data):
        raise DecodeError("TrailingBytes", offset=stream.tell(), unread=len(data) - stream.tell())
    return item


def _refuse_tag(_: Any) -> NoReturn:
    raise ValueError("a tag that no value here has")


_Node: TypeAlias = tuple[Any, Any]


def _enter(node: _Node) -> Any:
    shape, item = node
    if isinstance(shape, Product) and is_flat(shape):
        return build_product(shape, _fields((), item))
    return _READS[type(shape)](shape, item)


_WORDS = {dict: "a map", list: "an array", str: "a text string", bytes: "a byte string", float: "a float"}


def _mismatch(item: Any, expected: str) -> DecodeError:
    words = {**_WORDS, bool: "a boolean", int: "an integer", type(None): "null"}
    return DecodeError("CborShape", f"found {words.get(type(item), type(item).__name__)}, expected {expected}")


def _read_plain(kind: type[Any], expected: str) -> Callable[[Shape, Any], Any]:
    def read(_: Shape, item: Any) -> Any:
        if type(item) is not kind:
            raise _mismatch(item, expected)
        return item

    return read


def _read_int(shape: Int, item: Any) -> int:
    if type(item) is not int:
        raise _mismatch(item, f"an integer ({shape.label})")
    if not fits(shape, item):
        raise DecodeError("OutOfRange", f"the integer does not fit {shape.label}", bits=shape.bits, signed=shape.signed)
    return item


def _read_float(shape: Float, item: Any) -> float:
    if getattr(item, "tag", None) == _F32_ARRAY and type(item.value) is bytes and len(item.value) == 4 and shape.bits == 32:
        return f32_from_bits(int.from_bytes(item.value, "big"))
    if type(item) is not float:
        raise _mismatch(item, f"a float (f{shape.bits})")
    if shape.bits == 32 and not math.isnan(item) and not _is_f32(item):
        raise DecodeError("OutOfRange", f"{item!r} is no 32-bit float")
    return item


def _is_f32(value: float) -> bool:
    try:
        return bool(struct.unpack("<f", struct.pack("<f", value))[0] == value)
    except OverflowError:
        return False


def _read_choice(shape: Choice, item: Any) -> Any:
    found = _READS[type(shape.inner)](shape.inner, item)
    if found not in shape.values:
        raise DecodeError("Other", text=shape.refusal.format(found=found))
    return shape.values[found]


def _read_broken(shape: Broken, _: Any) -> NoReturn:
    raise DecodeError(shape.kind, ref=shape.ref)


def _read_array(shape: Array, item: Any) -> Visit:
    if type(item) is not list:
        raise _mismatch(item, "an array")
    made: list[Any] = []
    for index, part in enumerate(item):
        made.append((yield index, (shape.element, part)))
    return shape.container(made)


def _read_product(shape: Product, item: Any) -> Visit:
    made: list[Any] = []
    for (step, part), field in zip(shape.steps(), _fields(shape.names, item), strict=True):
        made.append((yield step, (part, field)))
    return build_product(shape, made)


def _read_newtype(shape: Newtype, item: Any) -> int:
    (number,) = _fields((shape.name,), item)
    return shape.cls(_read_int(shape.inner, number))


def _fields(names: tuple[str | None, ...], item: Any) -> list[Any]:
    """The items of a product's fields, in the order of the type."""
    if not _is_map(names):
        if type(item) is not list:
            raise _mismatch(item, f"an array of {len(names)}")
        if len(item) != len(names):
            raise DecodeError("WrongLength", f"found an array of {len(item)}, expected {len(names)} fields")
        return item
    if type(item) is not dict:
        raise _mismatch(item, f"a map of {len(names)}")
    if unknown := item.keys() - set(names):
        name = min(map(str, unknown))
        raise DecodeError("UnknownField", f"no field {name!r}", name=name)
    if missing := [name for name in names if name not in item]:
        raise DecodeError("MissingField", f"the field {missing[0]!r} is missing", name=missing[0])
    return [item[name] for name in names]


def _read_sum(shape: Sum, item: Any) -> Visit:
    tag, content = _option(shape, item) if is_option(shape) else _tagged(shape, item)
    step, payload, case = payload_of(shape, tag)
    made = () if tag and is_option(shape) else (yield step, (payload, content))
    return build_variant(shape, tag, case.cls(made) if case else made)


def _option(shape: Sum, item: Any) -> tuple[int, Any]:
    if item is None:
        return 1, None
    if shape.style is Style.OPTION:
        return 0, item
    if type(item) is not list or len(item) != 1:
        raise _mismatch(item, "null or an array of one, as an option in an option is")
    return 0, item[0]


@functools.lru_cache(maxsize=1024)
def _tags(shape: Sum) -> dict[str | None, int]:
    return {name: tag for tag, name in enumerate(shape.names) if _has_own_name(shape, tag)}


def _tagged(shape: Sum, item: Any) -> tuple[int, Any]:
    tags = _tags(shape)
    if type(item) is dict and len(item) == 1:
        ((name, content),) = item.items()
        if name not in tags:
            raise DecodeError("UnknownVariant", f"no variant {name!r}", name=name)
        return tags[name], content
    if type(item) is not list or len(item) != 2:
        raise _mismatch(item, "a map of one, variant to payload")
    tag, content = item
    if type(tag) is not int or not 0 <= tag < len(shape.payloads) or tag in tags.values():
        raise DecodeError("UnknownVariant", f"no variant without a name of its own has the tag {tag!r}")
    return tag, content


def _read_case(shape: Case, item: Any) -> Visit:
    return shape.cls((yield shape.attribute, (shape.inner, item)))


_READS: dict[type[Shape], Callable[[Any, Any], Any]] = {
    Int: _read_int,
    Float: _read_float,
    Bool: _read_plain(bool, "a boolean"),
    String: _read_plain(str, "a text string"),
    Bytes: _read_plain(bytes, "a byte string"),
    Choice: _read_choice,
    Broken: _read_broken,
    Array: _read_array,
    Product: _read_product,
    Newtype: _read_newtype,
    Case: _read_case,
    Sum: _read_sum,
}
