"""What the type of a column may become: the server's rule, and the layout of rows that it looks at. (spec: compat 4.1, 4.2)

`Upgrade.changes` walks two types side by side and yields what stands in the way; `grew` says whether anything changed at all.
Types come without references. What is shared inside them is walked once where it holds no error, so sharing costs nothing;
where there are errors each occurrence is told, as the server does, up to `MAX_FAULTS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from bsatn import types as t
from bsatn.errors import LimitExceeded
from bsatn.frozen import frozen
from bsatn.types import AlgebraicType, ArrayType, Primitive, ProductType, Ref, SumType, Typespace
from defs.migrate import errors as e
from defs.schema.resolve import resolve_refs

__all__ = ["Fault", "Layout", "Layouts", "Resolved", "Upgrade", "row_layout"]

MAX_FAULTS = 100_000

# Layouts ----------------------------------------------------------------------------------------------------


@frozen
class Layout:
    """How a value lies in a row: bytes, alignment, and whether no part of it lies elsewhere."""

    size: int
    align: int
    fixed: bool = True


_SIZES = {1: (t.BOOL, t.I8, t.U8), 2: (t.I16, t.U16), 4: (t.I32, t.U32, t.F32), 8: (t.I64, t.U64, t.F64)}
_WIDE = {16: (t.I128, t.U128), 32: (t.I256, t.U256)}
_PRIMITIVES = {kind: Layout(size, size) for size, kinds in (_SIZES | _WIDE).items() for kind in kinds}
_ELSEWHERE = Layout(4, 2, fixed=False)  #: strings and arrays


def _up(size: int, align: int) -> int:
    return -(-size // align) * align


class Layouts:
    """Layouts of types without references; those of one object are worked out once."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[AlgebraicType, Layout]] = {}  # with the type, which so stays alive

    def of(self, kind: AlgebraicType) -> Layout:
        """The layout of a type."""
        if isinstance(kind, Primitive):
            return _PRIMITIVES.get(kind, _ELSEWHERE)
        if isinstance(kind, ArrayType):
            return _ELSEWHERE
        if id(kind) not in self._made:
            self._made[id(kind)] = kind, self._composite(kind)
        return self._made[id(kind)][1]

    def _composite(self, kind: AlgebraicType) -> Layout:
        if isinstance(kind, ProductType):
            return self.product([part.algebraic_type for part in kind.elements])
        assert isinstance(kind, SumType), kind
        parts = [self.of(part.algebraic_type) for part in kind.variants]
        align = max((part.align for part in parts), default=1)
        payload = _up(max((part.size for part in parts), default=0), align)
        return Layout(align + payload, align, all(part.fixed for part in parts))

    def product(self, kinds: Sequence[AlgebraicType]) -> Layout:
        """The layout of values one after another."""
        parts = [self.of(kind) for kind in kinds]
        size = 0
        for part in parts:
            size = _up(size, part.align) + part.size
        align = max((part.align for part in parts), default=1)
        return Layout(_up(size, align), align, all(part.fixed for part in parts))


def row_layout(layouts: Layouts, kinds: Sequence[AlgebraicType]) -> Layout:
    """The layout of a row of columns of these types: a product of at least two bytes, an even number of them."""
    found = layouts.product(kinds)
    return Layout(max(2, _up(found.size, 2)), found.align, found.fixed)


# References -------------------------------------------------------------------------------------------------


class Resolved:
    """Types of one typespace without references, each entry resolved once."""

    def __init__(self, typespace: Typespace) -> None:
        self._typespace = typespace
        self._made: dict[int, tuple[AlgebraicType, AlgebraicType]] = {}
        self._entries: dict[int, AlgebraicType] = {}

    def of(self, kind: AlgebraicType) -> AlgebraicType:
        """The type without references. Raises Unresolvable, as `resolve_refs` does."""
        if isinstance(kind, Primitive):
            return kind
        if isinstance(kind, Ref):
            if kind.index not in self._entries:
                self._entries[kind.index] = resolve_refs(kind, self._typespace)
            return self._entries[kind.index]
        if id(kind) not in self._made:
            self._made[id(kind)] = kind, resolve_refs(kind, self._typespace)
        return self._made[id(kind)][1]


# Upgrades ---------------------------------------------------------------------------------------------------

Fault: TypeAlias = tuple[type[e.TypeChange], AlgebraicType, AlgebraicType]  #: the error, and the types that it is about

#: Each error for a column's own type, and for one within it.
_TYPE = e.ChangeColumnType, e.ChangeWithinColumnType
_FEWER_VARIANTS = e.ChangeColumnTypeFewerVariants, e.ChangeWithinColumnTypeFewerVariants
_RENAMED_VARIANT = e.ChangeColumnTypeRenamedVariant, e.ChangeWithinColumnTypeRenamedVariant
_SIZE = e.ChangeColumnTypeSizeMismatch, e.ChangeWithinColumnTypeSizeMismatch
_ALIGN = e.ChangeColumnTypeAlignMismatch, e.ChangeWithinColumnTypeAlignMismatch
_FEWER_FIELDS = e.ChangeColumnTypeFewerFields, e.ChangeWithinColumnTypeFewerFields
_RENAMED_FIELD = e.ChangeColumnTypeRenamedField, e.ChangeWithinColumnTypeRenamedField
_Errors: TypeAlias = tuple[type[e.TypeChange], type[e.TypeChange]]


class Upgrade:
    """Compares types of an old and a new module, with what it learned of pairs before."""

    def __init__(self) -> None:
        self.layouts = Layouts()
        self._clean: dict[tuple[int, int], tuple[AlgebraicType, AlgebraicType, bool]] = {}  # with the types, to keep them alive
        self._faults = 0

    def compare(self, old: AlgebraicType, new: AlgebraicType) -> tuple[bool, list[Fault]]:
        """Whether the type changed, and what stands in the way. Raises LimitExceeded past `MAX_FAULTS` faults in all."""
        walk = _Walk(self, within=False)
        changed = walk.compare(old, new)
        return changed or bool(walk.faults), walk.faults

    def known(self, old: AlgebraicType, new: AlgebraicType) -> bool | None:
        """Whether a pair changed, if it was compared before and nothing stood in the way."""
        found = self._clean.get((id(old), id(new)))
        return None if found is None else found[2]

    def remember(self, old: AlgebraicType, new: AlgebraicType, changed: bool) -> None:
        """Nothing stood in the way of this pair."""
        self._clean[id(old), id(new)] = old, new, changed

    def count(self) -> None:
        """One more fault."""
        self._faults += 1
        if self._faults > MAX_FAULTS:
            what = f"more than {MAX_FAULTS} differences between the types of columns"
            raise LimitExceeded("MAX_FAULTS", MAX_FAULTS, what, advice="the definitions have little in common")


class _Walk:
    """One pair of types, and the faults found in it so far."""

    def __init__(self, upgrade: Upgrade, *, within: bool) -> None:
        self.upgrade, self.within = upgrade, within
        self.faults: list[Fault] = []

    def fault(self, errors: _Errors, old: AlgebraicType, new: AlgebraicType) -> None:
        self.upgrade.count()
        self.faults.append((errors[self.within], old, new))

    def part(self, old: AlgebraicType, new: AlgebraicType) -> bool:
        """Whether a part of the types changed."""
        inner = _Walk(self.upgrade, within=True)
        changed = inner.compare(old, new)
        self.faults += inner.faults
        return changed

    def compare(self, old: AlgebraicType, new: AlgebraicType) -> bool:
        if isinstance(old, Primitive):
            if old == new:
                return False
            self.fault(_TYPE, old, new)
            return True
        known = self.upgrade.known(old, new)
        if known is not None:
            return known
        changed = self.composite(old, new)
        if not self.faults:
            self.upgrade.remember(old, new, changed)
        return changed

    def composite(self, old: AlgebraicType, new: AlgebraicType) -> bool:
        if isinstance(old, ArrayType) and isinstance(new, ArrayType):
            return self.part(old.element, new.element)
        if isinstance(old, ProductType) and isinstance(new, ProductType):
            return self.product(old, new)
        if isinstance(old, SumType) and isinstance(new, SumType):
            return self.sum(old, new)
        self.fault(_TYPE, old, new)
        return True

    def product(self, old: ProductType, new: ProductType) -> bool:
        changed = len(old.elements) != len(new.elements)
        if changed:
            self.fault(_FEWER_FIELDS, old, new)
        for before, after in zip(old.elements, new.elements, strict=False):
            changed |= self.part(before.algebraic_type, after.algebraic_type)
            if before.name != after.name:
                self.fault(_RENAMED_FIELD, old, new)
        return changed

    def sum(self, old: SumType, new: SumType) -> bool:
        changed = len(old.variants) != len(new.variants)
        if len(old.variants) > len(new.variants):
            self.fault(_FEWER_VARIANTS, old, new)
        for before, after in zip(old.variants, new.variants, strict=False):
            changed |= self.part(before.algebraic_type, after.algebraic_type)
            if before.name != after.name:
                self.fault(_RENAMED_VARIANT, old, new)
        was, becomes = self.upgrade.layouts.of(old), self.upgrade.layouts.of(new)
        if was.size != becomes.size:
            self.fault(_SIZE, old, new)
        if was.align != becomes.align:
            self.fault(_ALIGN, old, new)
        return changed
