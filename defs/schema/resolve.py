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
MAX_DEPTH = 256  #: how deep a resolved type may be; the reference has no bound, and runs out of stack


class Unresolvable(Exception):
    """The type names an entry that does not exist, or itself, or is too large or too deep written out.

    `kind` says which: InvalidTypeRef or RecursiveTypeRef, of the entry `ref`, or TypeTooLarge.
    """

    def __init__(self, kind: str, ref: int | None = None) -> None:
        self.kind = kind
        self.ref = ref
        super().__init__(kind, ref)


def resolve_refs(kind: AlgebraicType, typespace: Typespace) -> AlgebraicType:
    """The type without references; raises Unresolvable for a recursive one, or one out of range."""
    return _Resolver(typespace).resolve(kind)


class _Resolver:
    def __init__(self, typespace: Typespace) -> None:
        self.typespace = typespace
        self.done: dict[int, tuple[AlgebraicType, int]] = {}
        self.open: set[int] = set()
        self.size = self.depth = 0

    def resolve(self, kind: AlgebraicType) -> AlgebraicType:
        self.size += 1
        self.depth += 1
        if self.size > MAX_SIZE or self.depth > MAX_DEPTH:
            raise Unresolvable("TypeTooLarge")
        resolved = self.follow(kind.index) if isinstance(kind, Ref) else self.rebuild(kind)
        self.depth -= 1
        return resolved

    def rebuild(self, kind: AlgebraicType) -> AlgebraicType:
        """A type that is no reference, its parts resolved."""
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
        """An entry, resolved once; its size counts each time it is used. Aliases of aliases are no depth."""
        opened: list[int] = []
        while index not in self.done:
            if index >= len(self.typespace):
                raise Unresolvable("InvalidTypeRef", index)
            if index in self.open:
                raise Unresolvable("RecursiveTypeRef", index)
            self.open.add(index)
            opened.append(index)
            kind = self.typespace[index]
            if not isinstance(kind, Ref):
                before = self.size
                resolved = self.resolve(kind)
                self.done[index] = resolved, self.size - before
                break
            index = kind.index
        else:
            self.size += self.done[index][1]
            if self.size > MAX_SIZE:
                raise Unresolvable("TypeTooLarge")
        self.open.difference_update(opened)
        self.done.update(dict.fromkeys(opened, self.done[index]))
        return self.done[index][0]
