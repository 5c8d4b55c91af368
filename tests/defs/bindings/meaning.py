"""Whether two modules mean the same: validated definitions without the numbers that types happen to have in the typespace."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from bsatn.types import AlgebraicType, ArrayType, ProductType, Ref, SumType, Typespace
from defs.schema import ModuleDef
from defs.schema.generate import TypespaceForGenerate


def meaning(module: ModuleDef) -> dict[str, Any]:
    """Plain data that is equal for modules that mean the same."""
    return {
        field.name: _Meaning(module).of(getattr(module, field.name), field.name)
        for field in dataclasses.fields(module)
        if field.name != "type_names" and not isinstance(getattr(module, field.name), (Typespace, TypespaceForGenerate))
    }


class _Meaning:
    def __init__(self, module: ModuleDef) -> None:
        self.module = module

    def of(self, value: Any, field: str = "") -> Any:
        if field in ("product_type_ref", "ty") and isinstance(value, int):
            return self.type(Ref(value), frozenset())
        if isinstance(value, AlgebraicType):
            return self.type(value, frozenset())
        if isinstance(value, ModuleDef):
            return meaning(value)
        if isinstance(value, (str, bytes, int, float, enum.Enum)) or value is None:
            return value
        if dataclasses.is_dataclass(value):
            parts = {one.name: self.of(getattr(value, one.name), one.name) for one in dataclasses.fields(value)}
            return type(value).__name__, parts
        if isinstance(value, tuple):
            return [self.of(one) for one in value]
        return [(self.of(key), self.of(one)) for key, one in value.items()]

    def type(self, kind: AlgebraicType, open_: frozenset[int]) -> Any:
        """The type written out; a named one with its names, a recursive one by name where it comes again."""
        if isinstance(kind, Ref):
            names = sorted(str(name) for name, one in self.module.types.items() if one.ty == kind.index)
            entry = self.module.typespace[kind.index]
            return names, None if kind.index in open_ else self.type(entry, open_ | {kind.index})
        if isinstance(kind, ArrayType):
            return "array", self.type(kind.element, open_)
        if isinstance(kind, ProductType):
            return "product", [(one.name, self.type(one.algebraic_type, open_)) for one in kind]
        if isinstance(kind, SumType):
            return "sum", [(one.name, self.type(one.algebraic_type, open_)) for one in kind]
        return kind
