"""Named types: that each names an entry, in the default order or said not to be, and fit to generate code for.

(spec: validation 2.3, 2.6)
"""

from __future__ import annotations

from collections.abc import Sequence

from bsatn.paths import Path
from bsatn.types import ProductType, SumType
from defs.raw.v9 import RawScopedTypeNameV9
from defs.raw.v10 import RawScopedTypeNameV10
from defs.schema.model import ScopedTypeName, TypeDef
from defs.validate.collect import Collector, Faults
from defs.validate.errors import ClientCodegenError, DuplicateTypeName, InvalidTypeRef, TypeHasIncorrectOrdering
from defs.validate.scope import Scope

__all__ = ["is_default_order", "type_def"]


def type_def(
    scope: Scope,
    taken: set[ScopedTypeName],
    raw_name: RawScopedTypeNameV9 | RawScopedTypeNameV10,
    ref: int,
    custom_ordering: bool,
    path: Path,
) -> TypeDef:
    """One named type; `taken` are the names of those before it."""
    last = raw_name.name if isinstance(raw_name, RawScopedTypeNameV9) else raw_name.source_name
    collected = Collector()
    collected.attempt(_target, scope, raw_name, ref, custom_ordering, path)
    name = collected.attempt(_name, scope, taken, raw_name.scope, last, path)
    collected.done()
    assert name is not None
    return TypeDef(name, ref, custom_ordering, ScopedTypeName(raw_name.scope, last))


def _name(scope: Scope, taken: set[ScopedTypeName], segments: Sequence[str], last: str, path: Path) -> ScopedTypeName:
    name = scope.names.type_name(segments, last, path)
    if name in taken:
        raise Faults(DuplicateTypeName(name, path=tuple(path)))
    taken.add(name)
    return name


def _target(
    scope: Scope, raw_name: RawScopedTypeNameV9 | RawScopedTypeNameV10, ref: int, custom_ordering: bool, path: Path
) -> None:
    if ref >= len(scope.typespace):
        raise Faults(InvalidTypeRef(raw_name, ref, path=tuple(path)))
    kind = scope.typespace[ref]
    collected = Collector()
    if not custom_ordering and isinstance(kind, (ProductType, SumType)) and not is_default_order(kind):
        collected.add(TypeHasIncorrectOrdering(raw_name, ref, kind, path=tuple(path)))
    for error in scope.uses.define(ref):
        collected.add(ClientCodegenError(scope.in_typespace(ref), error, path=scope.type_path(ref)))
    collected.done()


def is_default_order(kind: ProductType | SumType) -> bool:
    """Whether members stand unnamed first, then by the bytes of their names. (spec: wire 2.3)"""
    names = [part.name for part in (kind.elements if isinstance(kind, ProductType) else kind.variants)]
    named = [name.encode() for name in names if name is not None]
    return None not in names[len(names) - len(named) :] and named == sorted(named)
