"""Canonical names inside types: fields in snake case, variants in camel case, special types left alone.

Unchanged parts are the same objects as before, so a definition whose names need no conversion costs no memory. Types nest as
deep as the codec lets them (`bsatn.limits`), and each level takes one frame here. (spec: validation 2.2)
"""

from __future__ import annotations

from collections.abc import Callable

from bsatn.types import (
    AlgebraicType,
    ArrayType,
    ProductType,
    ProductTypeElement,
    SumType,
    SumTypeVariant,
    Typespace,
    option_payload,
    result_payloads,
    special_name,
)

__all__ = ["convert_type", "convert_typespace"]

Convert = Callable[[str], str]


def convert_typespace(typespace: Typespace, field: Convert, variant: Convert) -> Typespace:
    """The typespace with every field and variant name converted."""
    converted = [convert_type(kind, field, variant) for kind in typespace.types]
    same = all(new is old for new, old in zip(converted, typespace.types, strict=True))
    return typespace if same else Typespace(tuple(converted))


def convert_type(kind: AlgebraicType, field: Convert, variant: Convert) -> AlgebraicType:
    """The type with its names converted, special types excepted."""
    if isinstance(kind, ArrayType):
        element = convert_type(kind.element, field, variant)
        return kind if element is kind.element else ArrayType(element)
    if isinstance(kind, ProductType):
        return kind if special_name(kind) else _product(kind, field, variant)
    if isinstance(kind, SumType):
        is_special = special_name(kind) or option_payload(kind) is not None or result_payloads(kind) is not None
        return kind if is_special else _sum(kind, field, variant)
    return kind


def _product(kind: ProductType, field: Convert, variant: Convert) -> ProductType:
    changed, elements = False, []
    for element in kind.elements:
        name = element.name and field(element.name)
        inner = convert_type(element.algebraic_type, field, variant)
        if name != element.name or inner is not element.algebraic_type:
            element, changed = ProductTypeElement(name, inner), True
        elements.append(element)
    return ProductType(tuple(elements)) if changed else kind


def _sum(kind: SumType, field: Convert, variant: Convert) -> SumType:
    changed, variants = False, []
    for one in kind.variants:
        name = one.name and variant(one.name)
        inner = convert_type(one.algebraic_type, field, variant)
        if name != one.name or inner is not one.algebraic_type:
            one, changed = SumTypeVariant(name, inner), True
        variants.append(one)
    return SumType(tuple(variants)) if changed else kind
