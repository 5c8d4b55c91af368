"""The layout of types themselves: AlgebraicType, ProductType, SumType, Typespace as they stand on the wire.

These classes are plain data (`bsatn.types`), so their shapes are tied here by hand; the cycle AlgebraicType -> ProductType
-> AlgebraicType is an ordinary cycle of the shape graph. Importing this module makes the classes usable in records.
(spec: wire 2.1)
"""

from __future__ import annotations

from bsatn import types as t
from bsatn.records import bind
from bsatn.shapes import Array, Case, Product, Style, Sum
from bsatn.typeshapes import UNIT_SHAPE, integer, leaf

__all__ = ["ALGEBRAIC_TYPE_SHAPE", "TYPESPACE_SHAPE"]

_NAME = Sum(("some", "none"), (leaf(t.STRING), UNIT_SHAPE), Style.OPTION, "option")
_REF = Case(t.Ref, "index", integer(32, signed=False))
_ARRAY = Case(t.ArrayType, "element", UNIT_SHAPE)
_ELEMENT = Product(("name", "algebraic_type"), (), t.ProductTypeElement, ("name", "algebraic_type"))
_VARIANT = Product(("name", "algebraic_type"), (), t.SumTypeVariant, ("name", "algebraic_type"))
_PRODUCT = Product(("elements",), (Array(_ELEMENT, tuple),), t.ProductType, ("elements",))
_SUM = Product(("variants",), (Array(_VARIANT, tuple),), t.SumType, ("variants",))

#: One AlgebraicType. (spec: wire 2.1)
ALGEBRAIC_TYPE_SHAPE = Sum(
    names=("Ref", "Sum", "Product", "Array", *(primitive.name for primitive in t.PRIMITIVES)),
    payloads=(_REF, _SUM, _PRODUCT, _ARRAY, *(UNIT_SHAPE for _ in t.PRIMITIVES)),
    style=Style.UNION,
    name="AlgebraicType",
    members=(t.Ref, t.SumType, t.ProductType, t.ArrayType, *t.PRIMITIVES),
)
_ARRAY.inner = ALGEBRAIC_TYPE_SHAPE
_ELEMENT.fields = _VARIANT.fields = (_NAME, ALGEBRAIC_TYPE_SHAPE)

#: A Typespace: the types that a Ref indexes. (spec: wire 2.1)
TYPESPACE_SHAPE = Product(("types",), (Array(ALGEBRAIC_TYPE_SHAPE, tuple),), t.Typespace, ("types",))

for _cls, _shape in {
    t.AlgebraicType: ALGEBRAIC_TYPE_SHAPE,
    t.ProductType: _PRODUCT,
    t.SumType: _SUM,
    t.ProductTypeElement: _ELEMENT,
    t.SumTypeVariant: _VARIANT,
    t.Typespace: TYPESPACE_SHAPE,
}.items():
    bind(_cls, _shape)
