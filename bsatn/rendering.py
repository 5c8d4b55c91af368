"""The walk that every rendering of values shares: SATN, SATS-JSON, CBOR.

A rendering never recurses: `walk` keeps the open nodes itself. What is to be done at a composite node is a
generator, which yields the parts it needs, each with its path step, and is sent back what they came to; so it
still reads like recursion, a depth is counted, and an error learns its path. `render` is the walk over a
value: it takes the value apart as its shape says and asks a `Form` (SATN here; SATS-JSON and CBOR next door)
for what to write around the parts.
"""

from __future__ import annotations

import functools
import operator
import struct
from collections.abc import Callable, Generator
from decimal import Decimal
from types import GeneratorType
from typing import Any, Generic, TypeAlias, TypeVar

from bsatn.errors import BsatnError, EncodeError, LimitExceeded
from bsatn.frozen import frozen
from bsatn.limits import DEFAULT_LIMITS, Limits
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
)
from bsatn.values import Some, Variant, f32_to_bytes

__all__ = [
    "Form",
    "Visit",
    "build_product",
    "build_variant",
    "fits",
    "is_flat",
    "payload_of",
    "plain_decimal",
    "render",
    "shortest_decimal",
    "walk",
]

_P = TypeVar("_P", str, bytes)

Visit: TypeAlias = Generator[tuple["str | int | None", Any], Any, Any]


def walk(enter: Callable[[Any], Any], root: Any, limits: Limits) -> Any:
    """What `root` comes to: `enter(node)` answers at once, or with a Visit that asks for the parts it needs.

    A step of None adds nothing to the path of an error.
    """
    visits: list[Visit] = []
    steps: list[str | int | None] = []
    step: str | int | None = None
    node = root
    try:
        while True:
            result = enter(node)
            if isinstance(result, GeneratorType):
                if len(visits) >= limits.depth:
                    raise LimitExceeded("depth", limits.depth, "nested too deep")
                visits.append(result)
                steps.append(step)
                result = None
            while True:
                if not visits:
                    return result
                try:
                    step, node = visits[-1].send(result)
                    break
                except StopIteration as done:
                    result = done.value
                    visits.pop()
                    step = steps.pop()
                except BsatnError:
                    step = None  # the visit itself complains, not a part of it
                    raise
    except BsatnError as error:
        error.path = (*(s for s in (*steps, step) if s is not None), *error.path)
        raise


# Values taken apart -----------------------------------------------------------------------------------------


def _wrong(value: Any, expected: str) -> EncodeError:
    return EncodeError("WrongType", f"expected {expected}, found {type(value).__name__}")


def fits(shape: Int, number: int) -> bool:
    """Whether the integer is one of the shape's."""
    low = -(1 << shape.bits - 1) if shape.signed else 0
    return low <= number < low + (1 << shape.bits)


def _int(shape: Int, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise _wrong(value, f"an integer ({shape.label})") from None
    if not fits(shape, number):
        raise EncodeError("OutOfRange", f"the integer does not fit {shape.label}", bits=shape.bits, signed=shape.signed)
    return int(number)


def _float(shape: Float, value: Any) -> float:
    if not isinstance(value, (float, int)):
        raise _wrong(value, f"a float (f{shape.bits})")
    try:
        f32_to_bytes(value) if shape.bits == 32 else float(value)
    except (OverflowError, struct.error):
        raise EncodeError("OutOfRange", f"{value!r} does not fit f{shape.bits}") from None
    return value if isinstance(value, float) else float(value)


def _string(_: String, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(value, "a str")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise EncodeError("InvalidUtf8", "the string holds a lone surrogate, which UTF-8 cannot say") from None
    return value


def _bool(_: Bool, value: Any) -> bool:
    if value not in (True, False):
        raise _wrong(value, "a bool")
    return bool(value)


def _bytes(_: Bytes, value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise _wrong(value, "bytes")
    return bytes(value)


def _broken(shape: Broken, _: Any) -> Any:
    raise EncodeError(shape.kind, ref=shape.ref)


#: A leaf's value as its form gets it, or the error why it is none.
_CHECKS: dict[type[Shape], Callable[[Any, Any], Any]] = {
    Int: _int, Float: _float, Bool: _bool, String: _string, Bytes: _bytes, Broken: _broken,
}  # fmt: skip


def fields_of(shape: Product, value: Any) -> tuple[Any, ...]:
    """The fields of a product's value, in order."""
    if shape.cls is not None:
        if not isinstance(value, shape.cls):
            raise _wrong(value, shape.cls.__name__)
        return tuple(getattr(value, attribute) for attribute in shape.attributes)
    if not isinstance(value, (tuple, list)):
        raise _wrong(value, f"a tuple of {len(shape.fields)}")
    if len(value) != len(shape.fields):
        raise EncodeError("WrongLength", f"expected a tuple of {len(shape.fields)}, found one of {len(value)}")
    return tuple(value)


@functools.lru_cache(maxsize=1024)
def _union_tags(shape: Sum) -> tuple[dict[type[Any], int], dict[Any, int]]:
    return shape.tags_by_class(), shape.tags_by_constant()


def _union_variant(shape: Sum, value: Any) -> tuple[int, Any]:
    by_class, by_constant = _union_tags(shape)
    tag = by_class.get(type(value))
    if tag is not None:
        return tag, value
    try:
        return by_constant[value], ()
    except (KeyError, TypeError):
        raise _wrong(value, f"a variant of {shape.name or 'the sum'}") from None


@functools.lru_cache(maxsize=1024)
def _wire_values(shape: Choice) -> dict[Any, Any]:
    return {constant: value for value, constant in shape.values.items()}


def _choice(shape: Choice, value: Any) -> Any:
    """What stands on the wire for one of a choice's constants."""
    try:
        return _wire_values(shape)[value]
    except (KeyError, TypeError):
        accepted = ", ".join(repr(constant) for constant in shape.values.values())
        raise _wrong(value, f"one of {accepted}") from None


def _plain_variant(shape: Sum, value: Any) -> tuple[int, Any]:
    if not isinstance(value, (tuple, list)) or len(value) != 2 or not isinstance(value[0], (int, str)):
        raise _wrong(value, "a Variant")
    tag, payload = value
    if isinstance(tag, str) and tag in shape.names:
        tag = shape.names.index(tag)
    if isinstance(tag, str) or not 0 <= tag < len(shape.payloads):
        raise EncodeError("UnknownVariant", f"no variant {tag!r} among the {len(shape.payloads)} of the sum", tag=tag)
    return tag, payload


def _nested_variant(_: Sum, value: Any) -> tuple[int, Any]:
    if value is not None and not isinstance(value, Some):
        raise _wrong(value, "None or a Some")
    return (1, ()) if value is None else (0, value.value)


#: Tag and payload of a sum's value.
VARIANTS: dict[Style, Callable[[Sum, Any], tuple[int, Any]]] = {
    Style.VARIANT: _plain_variant,
    Style.OPTION: lambda _, value: (1, ()) if value is None else (0, value),
    Style.NESTED_OPTION: _nested_variant,
    Style.UNION: _union_variant,
}


def payload_of(shape: Sum, tag: int) -> tuple[str | int | None, Shape, Case | None]:
    """Path step, shape and case class of a variant's payload. A class takes no step, a case its attribute."""
    payload = shape.payloads[tag]
    if isinstance(payload, Case):
        return payload.attribute, payload.inner, payload
    return (None if shape.style is Style.UNION else shape.step(tag)), payload, None


# Values put together ----------------------------------------------------------------------------------------


def build_product(shape: Product, fields: list[Any]) -> Any:
    """The value of a product, from its fields in order."""
    return tuple(fields) if shape.cls is None else shape.cls(*fields)


def build_variant(shape: Sum, tag: int, payload: Any) -> Any:
    """The value of a sum; `payload` is wrapped in its case class already."""
    return _BUILDS[shape.style](shape, tag, payload)


_BUILDS: dict[Style, Callable[[Sum, int, Any], Any]] = {
    Style.VARIANT: lambda _, tag, payload: Variant(tag, payload),
    Style.OPTION: lambda _, tag, payload: None if tag else payload,
    Style.NESTED_OPTION: lambda _, tag, payload: None if tag else Some(payload),
    Style.UNION: lambda shape, tag, payload: shape.members[tag] if shape.is_constant(tag) else payload,
}


def is_flat(shape: Shape) -> bool:
    """Whether a value holds no other one, however a rendering spells it. It adds nothing to the depth."""
    return isinstance(shape, (Bytes, Newtype)) or (isinstance(shape, Product) and not shape.fields)


# Values rendered --------------------------------------------------------------------------------------------


@frozen
class Form(Generic[_P]):
    """How a rendering writes each kind of value, as pieces of text or bytes.

    `derived` says that the nearest record or sum around a value comes from a class, not from an
    AlgebraicType.
    """

    leaves: dict[type[Shape], Callable[[Any, Any], _P]]
    array: Callable[[int], tuple[_P, _P, _P]]  #: count -> opening, separator, closing
    product: Callable[[Shape, tuple[str | None, ...], bool], tuple[list[_P], _P]]  #: piece before each field, closing
    variant: Callable[[Sum, int, bool], tuple[_P, _P]]  #: tag -> opening, closing
    none: _P | None = None  #: an absent option, where that is no plain variant


def render(form: Form[_P], shape: Shape, value: Any, limits: Limits = DEFAULT_LIMITS) -> list[_P]:
    """The pieces of a value; raises EncodeError, with the path, for a value that is none of the shape's."""
    writer = _Writer(form)
    walk(writer.enter, (shape, value, False), limits)
    return writer.out


_Node: TypeAlias = tuple[Any, Any, bool]


class _Writer(Generic[_P]):
    def __init__(self, form: Form[_P]) -> None:
        self.form: Form[_P] = form
        self.out: list[_P] = []

    def enter(self, node: _Node) -> Visit | None:
        shape = node[0]
        visit = _VISITS.get(type(shape))
        if visit and not is_flat(shape):
            made: Visit = visit(self, *node)
            return made
        write: Callable[..., None] = _SIMPLE.get(type(shape), _Writer.leaf)
        write(self, *node)
        return None

    def leaf(self, shape: Shape, value: Any, _: bool) -> None:
        checked = _CHECKS[type(shape)](shape, value)
        self.out.append(self.form.leaves[type(shape)](shape, checked))

    def newtype(self, shape: Newtype, value: Any, derived: bool) -> None:
        (label,), closing = self.form.product(shape, (shape.name,), derived)
        self.out.append(label)
        self.leaf(shape.inner, value, derived)
        self.out.append(closing)

    def choice(self, shape: Choice, value: Any, derived: bool) -> None:
        self.leaf(shape.inner, _choice(shape, value), derived)

    def empty(self, shape: Product, value: Any, derived: bool) -> None:
        fields_of(shape, value)
        self.out.append(self.form.product(shape, (), derived)[1])

    def array(self, shape: Array, value: Any, derived: bool) -> Visit:
        if not isinstance(value, (list, tuple)):
            raise _wrong(value, "a list")
        opening, separator, closing = self.form.array(len(value))
        for index, item in enumerate(value):
            self.out.append(separator if index else opening)
            yield index, (shape.element, item, derived)
        self.out.append(closing if value else opening + closing)

    def product(self, shape: Product, value: Any, derived: bool) -> Visit:
        values = fields_of(shape, value)
        if shape.cls is not None:
            derived = True
        elif None not in shape.names:
            derived = False
        labels, closing = self.form.product(shape, shape.names, derived)
        for label, (step, part), field in zip(labels, shape.steps(), values, strict=True):
            self.out.append(label)
            yield step, (part, field, derived)
        self.out.append(closing)

    def sum(self, shape: Sum, value: Any, derived: bool) -> Visit:
        tag, content = VARIANTS[shape.style](shape, value)
        derived = derived if shape.style is Style.UNION and shape.name is None else shape.name is not None
        step, payload, case = payload_of(shape, tag)
        if value is None and self.form.none:
            self.out.append(self.form.none)
            return
        opening, closing = self.form.variant(shape, tag, derived)
        self.out.append(opening)
        yield step, (payload, getattr(content, case.attribute) if case else content, derived)
        self.out.append(closing)

    def case(self, shape: Case, value: Any, derived: bool) -> Visit:
        if not isinstance(value, shape.cls):
            raise _wrong(value, shape.cls.__name__)
        yield shape.attribute, (shape.inner, getattr(value, shape.attribute), derived)


_VISITS: dict[type[Shape], Callable[..., Visit]] = {
    Array: _Writer.array, Product: _Writer.product, Sum: _Writer.sum, Case: _Writer.case,
}  # fmt: skip
_SIMPLE: dict[type[Shape], Callable[..., None]] = {
    Newtype: _Writer.newtype, Product: _Writer.empty, Choice: _Writer.choice,
}  # fmt: skip


_NORMAL_F32 = 2.0**-126


def shortest_decimal(value: float, bits: int) -> tuple[str, str, int]:
    """Sign, digits and first digit's power of ten, of the shortest decimal that reads back as the float.

    The float is finite. Of several as short it is the closest. For 64 bits Python's own repr is that.
    """
    if bits == 64 or not value:
        return _decimal_parts(repr(value))
    for digits in range(6 if abs(value) >= _NORMAL_F32 else 1, 9):  # six digits always survive a normal 32-bit float
        near = Decimal(f"{value:.{digits - 1}e}")
        unit = Decimal((0, (1,), near.adjusted() - digits + 1))
        # below a power of two floats are twice as dense: where the closest misses its neighbour may not
        for candidate in (near, near + unit, near - unit):
            if _same_f32(candidate, value):
                return _decimal_parts(f"{candidate:e}")
    return _decimal_parts(f"{value:.8e}")


def _same_f32(candidate: Decimal, value: float) -> bool:
    try:
        return struct.pack("<f", float(candidate)) == struct.pack("<f", value)
    except OverflowError:
        return False


def _decimal_parts(text: str) -> tuple[str, str, int]:
    sign, digits, exponent = Decimal(text).as_tuple()
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    assert isinstance(exponent, int)
    return "-" * sign, shown, len(digits) - 1 + exponent if shown != "0" else 0


def plain_decimal(digits: str, power: int) -> str:
    """Digits whose first stands for ten to the `power`, without exponent and without an empty fraction."""
    if power < 0:
        return f"0.{'0' * (-power - 1)}{digits}"
    whole, fraction = digits[: power + 1].ljust(power + 1, "0"), digits[power + 1 :]
    return f"{whole}.{fraction}" if fraction else whole
