"""Hypothesis strategies for types, typespaces and values, for tests of whatever speaks BSATN.

    from hypothesis import given
    from bsatn import strategies

    @given(strategies.typed_values())
    def test_my_codec(case):
        kind, typespace, value = case

Needs the package hypothesis, which is not installed with bsatn.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bsatn import types as t
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
    children,
    min_widths,
    reachable,
)
from bsatn.typeshapes import shape_of_type
from bsatn.values import Some, Variant, f32_from_bits

__all__ = ["algebraic_types", "names", "typed_values", "typespaces", "values"]

names = st.one_of(st.sampled_from(["x", "y", "id", "name", "some", "none", "kind"]), st.text(max_size=4))
_SPECIALS = st.sampled_from([*t.SPECIAL_PRODUCTS.values(), t.SCHEDULE_AT, t.UNIT, t.NEVER, t.BYTES])


def _composites(inner: st.SearchStrategy[t.AlgebraicType]) -> st.SearchStrategy[t.AlgebraicType]:
    name = st.none() | names
    elements = st.lists(st.builds(t.ProductTypeElement, name, inner), max_size=5)
    variants = st.lists(st.builds(t.SumTypeVariant, name, inner), max_size=6)
    return st.one_of(
        st.builds(t.ArrayType, inner),
        elements.map(lambda parts: t.ProductType(tuple(parts))),
        variants.map(lambda parts: t.SumType(tuple(parts))),
        st.builds(t.option_type, inner),
        st.builds(t.result_type, inner, inner),
        st.lists(names, min_size=1, max_size=4).map(
            lambda parts: t.SumType(tuple(t.SumTypeVariant(name, t.UNIT) for name in parts))
        ),
    )


def algebraic_types(refs: int = 0, max_leaves: int = 12) -> st.SearchStrategy[t.AlgebraicType]:
    """Types of every kind; references below `refs` stand among the leaves."""
    leaves: st.SearchStrategy[t.AlgebraicType] = st.sampled_from(t.PRIMITIVES) | _SPECIALS
    if refs:
        leaves |= st.integers(0, refs - 1).map(t.Ref)
    return st.recursive(leaves, _composites, max_leaves=max_leaves)


@st.composite
def typespaces(draw: st.DrawFn, max_size: int = 4) -> t.Typespace:
    """Typespaces whose entries may refer to one another and to themselves."""
    size = draw(st.integers(0, max_size))
    return t.Typespace(tuple(draw(algebraic_types(size, 6)) for _ in range(size)))


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape; nothing for a shape that has none (never, or one whose values never end)."""
    shapes = reachable(shape)
    widths = min_widths(shapes)
    inhabited = _inhabited(shapes)
    memo: dict[Shape, st.SearchStrategy[Any]] = {}

    def of(shape: Shape) -> st.SearchStrategy[Any]:
        if shape not in memo:
            memo[shape] = st.deferred(lambda: _VALUES[type(shape)](shape))
        return memo[shape]

    def sums(shape: Sum) -> st.SearchStrategy[Any]:
        tags = [tag for tag, payload in enumerate(shape.payloads[:256]) if payload in inhabited]
        # the variants that end soonest come first, so that recursive values end
        tags.sort(key=lambda tag: widths[shape.payloads[tag]])
        return st.one_of([variant(shape, tag) for tag in tags]) if tags else st.nothing()

    def variant(shape: Sum, tag: int) -> st.SearchStrategy[Any]:
        if shape.style is Style.UNION and shape.is_constant(tag):
            return st.just(shape.members[tag])
        payload = of(shape.payloads[tag])
        wrap: dict[Style, Any] = {
            Style.VARIANT: lambda value: Variant(tag, value),
            Style.OPTION: lambda value: None if tag else value,
            Style.NESTED_OPTION: lambda value: None if tag else Some(value),
        }
        return payload.map(wrap[shape.style]) if shape.style in wrap else payload

    def products(shape: Product) -> st.SearchStrategy[Any]:
        parts = st.tuples(*map(of, shape.fields))
        cls = shape.cls
        return parts if cls is None else parts.map(lambda fields: cls(*fields))

    def arrays(shape: Array) -> st.SearchStrategy[Any]:
        if shape.element not in inhabited:
            return st.just(shape.container())
        return st.lists(of(shape.element), max_size=20 if isinstance(shape.element, (Int, Float)) else 4).map(shape.container)

    _VALUES: dict[type[Shape], Any] = {
        Int: _integers,
        Float: _floats,
        Bool: lambda _: st.booleans(),
        String: lambda _: st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
        Bytes: lambda _: st.binary(max_size=12),
        Array: arrays,
        Product: products,
        Newtype: lambda shape: _integers(shape.inner).map(shape.cls),
        Case: lambda shape: of(shape.inner).map(shape.cls),
        Choice: lambda shape: st.sampled_from(list(shape.values.values())),
        Sum: sums,
        Broken: lambda _: st.nothing(),
    }
    return of(shape) if shape in inhabited else st.nothing()


def _inhabited(shapes: list[Shape]) -> set[Shape]:
    """The shapes that have a value at all: the least set closed under how values are made."""
    found: set[Shape] = set()
    grew = True
    while grew:
        grew = False
        for shape in shapes:
            enough = any if isinstance(shape, Sum) else all
            if shape in found or isinstance(shape, Broken):
                continue
            if isinstance(shape, Array) or enough(child in found for child in children(shape)):
                found.add(shape)
                grew = True
    return found


def _integers(shape: Int) -> st.SearchStrategy[int]:
    low, high = (-(1 << shape.bits - 1), (1 << shape.bits - 1) - 1) if shape.signed else (0, (1 << shape.bits) - 1)
    return st.integers(low, high) | st.sampled_from([low, high, 0])


def _floats(shape: Float) -> st.SearchStrategy[float]:
    if shape.bits == 32:
        return st.integers(0, (1 << 32) - 1).map(f32_from_bits) | st.floats(width=32)
    return st.floats(allow_nan=True)


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[t.AlgebraicType, t.Typespace, Any]:
    """A type, the typespace it refers to, and a value of it."""
    typespace = draw(typespaces())
    kind = draw(algebraic_types(len(typespace)))
    return kind, typespace, draw(values(shape_of_type(kind, typespace)))
