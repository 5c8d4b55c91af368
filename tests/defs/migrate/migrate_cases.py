"""Small definitions of version 10 for tests of migrations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bsatn import types as t
from defs.raw import v10
from defs.raw.shared import BTree, RawUniqueConstraintDataV9, TableAccess, TableType
from defs.schema.model import ModuleDef
from defs.validate import validate

__all__ = ["Table", "module", "raw_module"]


class Table:
    """A table: its columns by name, and what stands beside them."""

    def __init__(self, name: str, columns: Mapping[str, t.AlgebraicType], **options: Any) -> None:
        self.name, self.columns, self.options = name, columns, options

    def raw(self, ref: int) -> v10.RawTableDefV10:
        """With `index` and `unique` as lists of columns, `defaults` as bytes by column."""
        given = self.options
        indexes: Sequence[Sequence[int]] = given.get("indexes", ())
        names: Sequence[str | None] = given.get("index_names", [f"{self.name}_ix{place}" for place in range(len(indexes))])
        return v10.RawTableDefV10(
            source_name=self.name,
            product_type_ref=ref,
            primary_key=given.get("primary_key", ()),
            indexes=tuple(
                v10.RawIndexDefV10(name, given.get("accessor"), BTree(tuple(cols)))
                for name, cols in zip(names, indexes, strict=True)
            ),
            constraints=tuple(
                v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(tuple(cols))) for cols in given.get("unique", ())
            ),
            sequences=tuple(v10.RawSequenceDefV10(None, col, None, None, None, 1) for col in given.get("sequences", ())),
            table_type=given.get("table_type", TableType.User),
            table_access=given.get("access", TableAccess.Public),
            default_values=tuple(v10.RawColumnDefaultValueV10(col, data) for col, data in given.get("defaults", {}).items()),
            is_event=given.get("event", False),
        )

    @property
    def row(self) -> t.ProductType:
        """The type of a row."""
        return t.ProductType(tuple(t.ProductTypeElement(name, kind) for name, kind in self.columns.items()))


def module(*tables: Table, **more: Any) -> ModuleDef:
    """A valid module, of what `raw_module` takes."""
    return validate(raw_module(*tables, **more))


def raw_module(
    *tables: Table, types: Sequence[t.AlgebraicType] = (), sections: Sequence[v10.RawModuleDefV10Section] = ()
) -> v10.RawModuleDefV10:
    """A module; `types` are entries 0, 1, ... of the typespace, the rows of the tables come after them."""
    typespace = t.Typespace((*types, *(table.row for table in tables)))
    named = tuple(
        v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), f"T{place}"), place, True) for place in range(len(typespace.types))
    )
    raws = tuple(table.raw(len(types) + place) for place, table in enumerate(tables))
    none = v10.CaseConversionPolicySection(v10.CaseConversionPolicy.None_)
    parts = (v10.TypespaceSection(typespace), v10.TypesSection(named), v10.TablesSection(raws), none)
    return v10.RawModuleDefV10((*parts, *sections))
