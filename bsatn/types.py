"""The type system: AlgebraicType, ProductType, SumType, Typespace, as immutable values.

Types are plain data: they compare, hash and pickle by structure, know nothing of bytes, and follow no `Ref`. `str(t)` is
SATN text, as the reference prints types; `repr(t)` is the Python that builds it. The special shapes are ordinary types
recognised by their exact structure: names, order, count and inner type. (spec: wire 1.1, 2, 5.4)

What the wire looks like stands beside the fields: `bsatn.wiretypes` binds these classes to their layout.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from bsatn.frozen import frozen
from bsatn.values import SPECIAL_CLASSES

__all__ = [
    "BOOL", "BYTES", "CONNECTION_ID", "F32", "F64", "I8", "I16", "I32", "I64", "I128", "I256", "IDENTITY", "NEVER",
    "SCHEDULE_AT", "STRING", "TIMESTAMP", "TIME_DURATION", "U8", "U16", "U32", "U64", "U128", "U256", "UNIT", "UUID",
    "AlgebraicType", "ArrayType", "Primitive", "ProductType", "ProductTypeElement", "Ref", "SumType", "SumTypeVariant",
    "Typespace", "option_payload", "option_type", "result_payloads", "result_type", "special_name",
]  # fmt: skip


class AlgebraicType:
    """Base of every type. Its kinds, in tag order: Ref, SumType, ProductType, ArrayType, and the Primitives."""

    __slots__ = ()

    def __str__(self) -> str:
        from bsatn.satn import format_type

        return format_type(self)


@frozen
class Ref(AlgebraicType):
    """A reference to an entry of the Typespace the type is used with."""

    index: int

    def __repr__(self) -> str:
        return f"ref({self.index})"

    __str__ = AlgebraicType.__str__


@frozen
class Primitive(AlgebraicType):
    """A type without parts: Bool, String, an integer or a float. Use the constants of this module."""

    name: str

    def __repr__(self) -> str:
        return self.name

    __str__ = AlgebraicType.__str__


@frozen
class ArrayType(AlgebraicType):
    """Any number of values of one type. An array of U8 is a byte string."""

    element: AlgebraicType

    def __repr__(self) -> str:
        return "Bytes" if self == BYTES else f"array({self.element!r})"

    __str__ = AlgebraicType.__str__


@frozen
class ProductTypeElement:
    """One field of a product; tuples have fields without names."""

    name: str | None
    algebraic_type: AlgebraicType


@frozen
class ProductType(AlgebraicType):
    """Fields in order. No fields at all is the unit type."""

    elements: tuple[ProductTypeElement, ...] = ()

    def __iter__(self) -> Iterator[ProductTypeElement]:
        return iter(self.elements)

    def __repr__(self) -> str:
        return special_name(self) or _builder("product", [(e.name, e.algebraic_type) for e in self.elements])

    __str__ = AlgebraicType.__str__


@frozen
class SumTypeVariant:
    """One alternative of a sum; its position is its tag."""

    name: str | None
    algebraic_type: AlgebraicType


@frozen
class SumType(AlgebraicType):
    """One of several alternatives. No variants at all is the never type."""

    variants: tuple[SumTypeVariant, ...] = ()

    def __iter__(self) -> Iterator[SumTypeVariant]:
        return iter(self.variants)

    def __repr__(self) -> str:
        if name := special_name(self):
            return name
        if (payload := option_payload(self)) is not None:
            return f"option({payload!r})"
        if (payloads := result_payloads(self)) is not None:
            return f"result({payloads[0]!r}, {payloads[1]!r})"
        return _builder("sum_", [(v.name, v.algebraic_type) for v in self.variants])

    __str__ = AlgebraicType.__str__


@frozen
class Typespace:
    """The types that a `Ref` can name, by index."""

    types: tuple[AlgebraicType, ...] = ()

    def __len__(self) -> int:
        return len(self.types)

    def __getitem__(self, index: int) -> AlgebraicType:
        return self.types[index]

    def __iter__(self) -> Iterator[AlgebraicType]:
        return iter(self.types)


def _builder(function: str, parts: list[tuple[str | None, AlgebraicType]]) -> str:
    """Python that builds a product or sum: keywords where the names allow it, pairs otherwise."""
    if not parts:
        return {"product": "Unit", "sum_": "Never"}[function]
    names = [name for name, _ in parts]
    if all(name is not None and _is_keyword_argument(name) for name in names) and len(set(names)) == len(names):
        return f"{function}({', '.join(f'{name}={part!r}' for name, part in parts)})"
    return f"{function}({', '.join(repr(part) if name is None else repr((name, part)) for name, part in parts)})"


def _is_keyword_argument(name: str) -> bool:
    """Whether a call can say `name=`; Python spells names that are not ASCII its own way."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and name != "__debug__"


STRING = Primitive("String")
BOOL = Primitive("Bool")
I8, U8, I16, U16 = (Primitive(name) for name in ("I8", "U8", "I16", "U16"))
I32, U32, I64, U64 = (Primitive(name) for name in ("I32", "U32", "I64", "U64"))
I128, U128, I256, U256 = (Primitive(name) for name in ("I128", "U128", "I256", "U256"))
F32, F64 = Primitive("F32"), Primitive("F64")

#: The primitives in tag order, from tag 4. (spec: wire 2.1)
PRIMITIVES: tuple[Primitive, ...] = (
    STRING, BOOL, I8, U8, I16, U16, I32, U32, I64, U64, I128, U128, I256, U256, F32, F64,
)  # fmt: skip
INTEGERS: dict[Primitive, tuple[int, bool]] = {
    t: (int(t.name[1:]), t.name[0] == "I") for t in PRIMITIVES if t.name[0] in "IU"
}  #: Width in bits and signedness of the integer types.

BYTES = ArrayType(U8)
UNIT = ProductType()
NEVER = SumType()


def _newtype(name: str, inner: AlgebraicType) -> ProductType:
    return ProductType((ProductTypeElement(name, inner),))


#: Class name and type of each special product, by its field's name. (spec: wire 1.1)
SPECIAL_PRODUCTS: dict[str, ProductType] = {
    field: _newtype(field, Primitive(f"{'I' if cls.SIGNED else 'U'}{cls.BITS}")) for field, cls in SPECIAL_CLASSES.items()
}
IDENTITY, CONNECTION_ID, TIMESTAMP, TIME_DURATION, UUID = SPECIAL_PRODUCTS.values()

SCHEDULE_AT = SumType((SumTypeVariant("Interval", TIME_DURATION), SumTypeVariant("Time", TIMESTAMP)))


def special_name(t: AlgebraicType) -> str | None:
    """`Identity`, `ConnectionId`, `Timestamp`, `TimeDuration`, `Uuid` or `ScheduleAt`, or None for another type."""
    if isinstance(t, ProductType) and len(t.elements) == 1:
        field = t.elements[0].name or ""
        return SPECIAL_CLASSES[field].__name__ if t == SPECIAL_PRODUCTS.get(field) else None
    return "ScheduleAt" if t == SCHEDULE_AT else None


def option_type(payload: AlgebraicType) -> SumType:
    """`Option<payload>`: some is tag 0, none is tag 1."""
    return SumType((SumTypeVariant("some", payload), SumTypeVariant("none", UNIT)))


def option_payload(t: AlgebraicType) -> AlgebraicType | None:
    """The T of `Option<T>`, or None for another type."""
    match t:
        case SumType((SumTypeVariant("some", payload), SumTypeVariant("none", ProductType(())))):
            return payload
    return None


def result_type(ok: AlgebraicType, err: AlgebraicType) -> SumType:
    """`Result<ok, err>`: ok is tag 0, err is tag 1."""
    return SumType((SumTypeVariant("ok", ok), SumTypeVariant("err", err)))


def result_payloads(t: AlgebraicType) -> tuple[AlgebraicType, AlgebraicType] | None:
    """The T and E of `Result<T, E>`, or None for another type."""
    match t:
        case SumType((SumTypeVariant("ok", ok), SumTypeVariant("err", err))):
            return ok, err
    return None
