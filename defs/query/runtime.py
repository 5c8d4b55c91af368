"""Tables at run time: of any module.

Names are the accessors, which is how the Rust builder spells tables and columns; a server knows both. Tables and views of
mounted modules have the namespaces before their names. (spec: event-tables 6.1)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from bsatn.types import AlgebraicType, Typespace
from defs.query.builder import Call
from defs.query.errors import QueryError, UnknownTable
from defs.query.handles import AnyTable, ColumnInfo, TableInfo
from defs.query.kinds import kind_of_type
from defs.schema.model import ModuleDef, TableDef, ViewDef
from defs.schema.resolve import Unresolvable, resolve_refs

__all__ = ["Tables", "call", "single_indexes", "sql_name", "tables"]


class Tables(Mapping[str, AnyTable]):
    """The tables and views of a module by accessor; canonical names find them too. Raises UnknownTable for others."""

    def __init__(self, module: ModuleDef) -> None:
        self._tables: dict[str, AnyTable] = {}
        self._canonical: dict[str, str] = {}
        for part in module.modules():
            found: list[tuple[TableDef | ViewDef, TableInfo]] = [(one, _of_table(one, part)) for one in part.tables.values()]
            found += [(view, _of_view(view, part)) for view in part.views.values()]
            for definition, info in found:
                self._tables[info.name] = AnyTable(info)
                self._canonical.setdefault(definition.qualified_name, info.name)

    def __getitem__(self, name: str) -> AnyTable:
        accessor = name if name in self._tables else self._canonical.get(name)
        if accessor is None:
            close = difflib.get_close_matches(name, self._tables, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(list(self._tables)[:20]) or 'none'}"
            raise UnknownTable("UnknownTable", f"the module has no table or view {name}", hint)
        return self._tables[accessor]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def __repr__(self) -> str:
        return f"<tables {', '.join(self._tables)}>"


def tables(module: ModuleDef) -> Tables:
    """Handles of a validated module's tables and views, by name; a table's columns are its attributes, or its items."""
    return Tables(module)


def single_indexes(table: TableDef) -> frozenset[int]:
    """Positions of the columns that have an index alone."""
    return frozenset(index.columns[0] for index in table.indexes.values() if len(index.columns) == 1)


def sql_name(module: ModuleDef, definition: TableDef | ViewDef) -> str:
    """What queries call a table or view of a module: its accessor, with the namespaces before it."""
    return ".".join((*module.accessor_path, definition.accessor_name))


def _of_table(table: TableDef, module: ModuleDef) -> TableInfo:
    indexed = single_indexes(table)
    columns = {}
    for one in table.columns:
        kind = _kind(one.ty, module.typespace)
        columns[one.accessor_name] = ColumnInfo(one.accessor_name, kind, one.col_id in indexed)
    return TableInfo(sql_name(module, table), None, table.is_event, columns)


def _of_view(view: ViewDef, module: ModuleDef) -> TableInfo:
    space = module.typespace
    columns = {one.accessor_name: ColumnInfo(one.accessor_name, _kind(one.ty, space)) for one in view.return_columns}
    return TableInfo(sql_name(module, view), None, False, columns, tuple(_kind(one.ty, space) for one in view.param_columns))


def _kind(kind: AlgebraicType, typespace: Typespace) -> Any:
    try:
        return kind_of_type(resolve_refs(kind, typespace))
    except Unresolvable:
        return kind


def call(view: AnyTable, *arguments: Any) -> Call[AnyTable]:
    """The rows of a view with parameters for these arguments. Raises QueryError."""
    info = view.__table__
    if len(arguments) != len(info.parameters):
        message = f"{info.name} takes {len(info.parameters)} arguments, not {len(arguments)}"
        hint = "" if info.parameters else f"it is no view with parameters: say From({info.name})"
        raise QueryError("WrongLiteral", message, hint)
    return Call(info.name, list(zip(info.parameters, arguments, strict=True)))
