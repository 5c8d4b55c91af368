"""Columns of rows, whoever has them: a table, or a view for what it returns. (spec: validation 2.7, 2.10)"""

from __future__ import annotations

from typing import NamedTuple

from bsatn.types import AlgebraicType, ProductType
from defs.validate.collect import Collector
from defs.validate.errors import UnnamedColumn
from defs.validate.naming import identifier
from defs.validate.reasons import RawColumnName
from defs.validate.scope import Scope

__all__ = ["RowColumn", "row_columns"]


class RowColumn(NamedTuple):
    """A column that is fit to be one: its canonical name, its name as written, its converted type.

    The name is converted even where the row is a special type, whose fields keep theirs.
    """

    name: str
    accessor_name: str
    ty: AlgebraicType


def row_columns(scope: Scope, owner: str, ref: int, row: ProductType, source_row: ProductType) -> list[RowColumn]:
    """The columns of the row type at entry `ref`, in order; every bad one is told. `owner` is whose they are, as written."""
    collected = Collector()
    found = [collected.attempt(_column, scope, owner, ref, row, source_row, col) for col in range(len(row.elements))]
    collected.done()
    return [one for one in found if one is not None]


def _column(scope: Scope, owner: str, ref: int, row: ProductType, source_row: ProductType, col: int) -> RowColumn:
    """One column: named, of a type that may stand there, and both its names are identifiers."""
    written = source_row.elements[col]
    path = scope.type_path(ref, col)
    collected = Collector()
    if written.name is None:
        collected.add(UnnamedColumn(RawColumnName(owner, str(col)), path=path))
    collected.attempt(scope.check_use, written.algebraic_type, scope.in_typespace(ref), path)
    collected.done()
    assert written.name is not None
    accessor = identifier(written.name, path)
    return RowColumn(identifier(scope.names.member(written.name), path), accessor, row.elements[col].algebraic_type)
