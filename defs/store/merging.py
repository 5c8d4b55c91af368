"""Rows of a table whose columns change, as rows of one type that has all the columns.

The columns of the newest rows come first, then those that went. A column that some rows lack is nullable: an Option, if it is
none already. A row is taken apart into the bytes of its columns, which are put together again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bsatn.types import AlgebraicType, ProductType, ProductTypeElement, SumType, option_payload, option_type
from defs.store.checking import GroupReader
from defs.store.scanning import counter
from defs.store.showing import type_text
from defs.store.tracking import LogColumn, LogTable
from defs.system.errors import StoreError

__all__ = ["Converter", "Merged", "described"]

Converter = Callable[[bytes], bytes]
"""A row's bytes to the bytes of the same row among merged columns."""

_SOME, _NONE = b"\0", b"\1"  #: tags of an Option


class Merged:
    """The row types that a table has one after the other, as one, `row_type`. Raises StoreError `ColumnsDiffer`."""

    def __init__(self, row_types: Sequence[ProductType]) -> None:
        self._wrapped: set[str] = set()
        self._converters: dict[ProductType, Converter] = {}
        self._alone = len(row_types) == 1
        self.row_type = row_types[0] if self._alone else self._merged(row_types)

    def _merged(self, row_types: Sequence[ProductType]) -> ProductType:
        types: dict[str, AlgebraicType] = {}
        for row_type in reversed(row_types):
            if len({element.name for element in row_type.elements}) < len(row_type.elements):
                raise StoreError("ColumnsDiffer", f"columns {described(row_type)} have a name twice, so they cannot be merged")
            for element in row_type.elements:
                name, kind = element.name or "", element.algebraic_type
                if types.setdefault(name, kind) != kind:
                    what = f"{type_text(kind)} in older rows and {type_text(types[name])} in newer ones"
                    what = f"column {name} is {what}, which cannot be merged; read a range of transactions that has one"
                    raise StoreError("ColumnsDiffer", what, column=name)
        everywhere = set(types).intersection(*({one.name or "" for one in row_type.elements} for row_type in row_types))
        self._wrapped = {name for name, kind in types.items() if name not in everywhere and not _is_option(kind)}
        columns = ((name, option_type(kind) if name in self._wrapped else kind) for name, kind in types.items())
        return ProductType(tuple(ProductTypeElement(*one) for one in columns))

    def converter(self, row_type: ProductType) -> Converter | None:
        """What makes rows of one of the types rows of `row_type`; None where they are such rows already."""
        if self._alone:
            return None
        if row_type not in self._converters:
            self._converters[row_type] = self._made(row_type)
        return self._converters[row_type]

    def _made(self, row_type: ProductType) -> Converter:
        steps = [_step(element) for element in row_type.elements]
        places = {element.name or "": place for place, element in enumerate(row_type.elements)}
        plan = [
            (_SOME if name in self._wrapped else b"", places[name]) if name in places else (_NONE, -1)
            for name in (element.name or "" for element in self.row_type.elements)
        ]

        def convert(row: bytes) -> bytes:
            cells: list[bytes] = []
            position = 0
            for step in steps:
                end = step(row, position, 1)
                cells.append(row[position:end])
                position = end
            cells.append(b"")
            return b"".join([mark + cells[place] for mark, place in plan])

        return convert


def _is_option(kind: AlgebraicType) -> bool:
    return isinstance(kind, SumType) and option_payload(kind) is not None


def _step(element: ProductTypeElement) -> GroupReader:
    """What finds the end of a column's bytes."""
    column = LogColumn(element.name or "", element.algebraic_type)
    return counter(LogTable(0, "", "user", "public", None, (column,), False))


def described(row_type: ProductType) -> str:
    """Columns as text, `id U64, text String`."""
    columns = [f"{element.name} {type_text(element.algebraic_type)}" for element in row_type.elements]
    return f"({', '.join(columns)})"
