"""What the steps of validating one module share: its names, its types, and who owns which name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bsatn.paths import Path
from bsatn.types import AlgebraicType, Primitive, ProductType, Typespace
from defs.validate.collect import Faults
from defs.validate.errors import ClientCodegenError, DuplicateName, InvalidProductTypeRef
from defs.validate.generate import Builder
from defs.validate.naming import Names
from defs.validate.reasons import InTypespace, TypeLocation

__all__ = ["Scope"]


class Scope:
    """One module level while it is validated.

    `typespace` has converted names, `source` the names as written; both have the same entries. `declared` are the entries
    that type definitions name. `owners` is the global namespace. (spec: validation 2.4, 2.6)
    """

    def __init__(
        self,
        version: int,
        names: Names,
        source: Typespace,
        typespace: Typespace,
        declared: set[int],
        path: Path = (),
    ) -> None:
        self.version = version
        self.path = tuple(path)
        self.names = names
        self.source = source
        self.typespace = typespace
        self.uses = Builder(source, declared)
        self.owners: dict[str, str] = {}

    def type_path(self, ref: int, *steps: int) -> tuple[str | int, ...]:
        """Where an entry of the typespace, or a part of it, stands in the definition."""
        return (*self.path, "typespace", ref, *steps)

    def claim(self, name: str, owner: str, path: Path) -> None:
        """Enter a name into the global namespace; raises Faults when it is taken."""
        if name in self.owners:
            raise Faults(DuplicateName(name, path=tuple(path)))
        self.owners[name] = owner

    def check_use(self, kind: AlgebraicType, location: TypeLocation, path: Path) -> None:
        """Raise Faults unless the type may stand where a value is used."""
        error = None if isinstance(kind, Primitive) else self.uses.fault(kind)
        if error is not None:
            raise Faults(ClientCodegenError(location, error, path=tuple(path)))

    def row_type(self, ref: int, owner: str, path: Path) -> tuple[ProductType, ProductType]:
        """The row type at an entry, converted and as written; raises Faults when it is no product."""
        if not 0 <= ref < len(self.typespace):
            raise Faults(InvalidProductTypeRef(owner, ref, path=tuple(path)))
        row, source = self.typespace[ref], self.source[ref]
        if not isinstance(row, ProductType) or not isinstance(source, ProductType):
            raise Faults(InvalidProductTypeRef(owner, ref, path=tuple(path)))
        return row, source

    def in_typespace(self, ref: int) -> TypeLocation:
        """The place of a type inside an entry."""
        return InTypespace(ref)

    def resolve(self, kind: AlgebraicType) -> AlgebraicType:
        """The type a reference names, one step."""
        index: Any = getattr(kind, "index", None)
        return self.typespace[index] if index is not None and index < len(self.typespace) else kind


def column_names(row: ProductType, columns: Sequence[int]) -> list[str]:
    """Names of columns for generated names; `col_n` where there is none. (spec: validation 2.3)"""
    names = dict(enumerate(element.name for element in row.elements))
    return [f"col_{col}" if (name := names.get(col)) is None else name for col in columns]
