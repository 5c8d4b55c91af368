"""Types with every reference replaced by what it names. (spec: wire 2.4)"""

from __future__ import annotations

from bsatn.types import (
    AlgebraicType,
    ArrayType,
    ProductType,
    ProductTypeElement,
    Ref,
    SumType,
    SumTypeVariant,
    Typespace,
)

__all__ = ["Unresolvable", "resolve_refs"]

MAX_SIZE = 1 << 20  #: parts a resolved type may have; sharing can make it exponential


class Unresolvable(Exception):
    """The type names an entry that does not exist, or itself, or is too large written out."""


def resolve_refs(kind: AlgebraicType, typespace: Typespace) -> AlgebraicType:
    """The type without references; raises Unresolvable for a recursive one, or one out of range."""
    return _Resolver(typespace).resolve(kind)


class _Resolver:
    def __init__(self, typespace: Typespace) -> None:
        self.typespace = typespace
        self.done: dict[int, tuple[AlgebraicType, int]] = {}
        self.open: set[int] = set()
        self.size = 0

    def resolve(self, kind: AlgebraicType) -> AlgebraicType:
        self.size += 1
        if self.size > MAX_SIZE:
            raise Unresolvable
        if isinstance(kind, Ref):
            return self.follow(kind.index)
        if isinstance(kind, ArrayType):
            return ArrayType(self.resolve(kind.element))
        if isinstance(kind, ProductType):
            elements = []
            for element in kind.elements:
                elements.append(ProductTypeElement(element.name, self.resolve(element.algebraic_type)))
            return ProductType(tuple(elements))
        if isinstance(kind, SumType):
            variants = []
            for variant in kind.variants:
                variants.append(SumTypeVariant(variant.name, self.resolve(variant.algebraic_type)))
            return SumType(tuple(variants))
        return kind

    def follow(self, index: int) -> AlgebraicType:
        """An entry, resolved once; its size counts each time it is used."""
        if index in self.done:
            kind, size = self.done[index]
            self.size += size
            if self.size > MAX_SIZE:
                raise Unresolvable
            return kind
        if index in self.open or index >= len(self.typespace):
            raise Unresolvable
        self.open.add(index)
        before = self.size
        kind = self.resolve(self.typespace[index])
        self.open.discard(index)
        self.done[index] = kind, self.size - before
        return kind
