"""What names mean: the tables and views that a caller sees, and their columns.

A table answers to its canonical name and to its accessor; a column too. Names of a mounted module's tables have the namespaces
before them, with dots. Owners see private tables, clients do not, as if they were not there. (spec: event-tables 1.9)
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from defs.raw.shared import TableAccess, TableType
from defs.schema.model import ModuleDef, TableDef, ViewDef
from defs.schema.table import ColumnSchema, TableSchema, table_schema, view_schema

__all__ = ["CALLERS", "Caller", "Catalog", "column_of", "nearest", "public_columns"]

Caller: TypeAlias = Literal["client", "owner"]
CALLERS: tuple[Caller, ...] = ("client", "owner")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A table that can be asked for."""

    is_public: bool
    is_event: bool
    load: Callable[[], TableSchema]


class Catalog:
    """The tables of a module, its mounted modules and the system, by every name. Schemas are made when asked for."""

    def __init__(self, module: ModuleDef) -> None:
        self.module = module
        self._canonical: dict[str, _Entry] = {}
        self._accessor: dict[str, str] = {}
        self._schemas: dict[str, TableSchema] = {}
        for part in module.modules():
            for table in part.tables.values():
                accessor = ".".join((*part.accessor_path, table.accessor_name))
                self._add(table.qualified_name, accessor, _table_entry(module, table))
            for view in part.views.values():
                accessor = ".".join((*part.accessor_path, view.accessor_name))
                self._add(view.qualified_name, accessor, _view_entry(module, view))

    def _add(self, name: str, accessor: str, entry: _Entry) -> None:
        self._canonical[name] = entry
        self._accessor.setdefault(accessor, name)

    def find(self, name: str, caller: Caller) -> TableSchema | None:
        """The table or view of a name that the caller sees. Raises TableSchemaError when its types cannot be written out."""
        canonical = name if name in self._canonical else self._accessor.get(name, name)
        entry = self._canonical.get(canonical)
        if entry is None:
            schema = _system_table(canonical)
            return schema if schema is not None and (caller == "owner" or schema.table_access is TableAccess.Public) else None
        if caller == "client" and not entry.is_public:
            return None
        if canonical not in self._schemas:
            self._schemas[canonical] = entry.load()
        return self._schemas[canonical]

    def is_private(self, name: str) -> bool:
        """Whether there is such a table, but not for clients."""
        entry = self._canonical.get(self._accessor.get(name, name))
        return entry is not None and not entry.is_public

    def names(self, caller: Caller) -> list[str]:
        """Canonical names of what the caller sees, sorted; without the system's tables."""
        return sorted(name for name, entry in self._canonical.items() if caller == "owner" or entry.is_public)

    def spellings(self, caller: Caller) -> list[str]:
        """Every name of what the caller sees."""
        seen = set(self.names(caller))
        return sorted(seen | {accessor for accessor, name in self._accessor.items() if name in seen})

    def everything(self, caller: Caller) -> list[TableSchema]:
        """What `SELECT * FROM *` stands for: no event tables, no views with parameters."""
        schemas = [self.find(name, caller) for name in self.names(caller) if not self._canonical[name].is_event]
        return [one for one in schemas if one is not None and not (one.view_info and one.view_info.params.elements)]


def _table_entry(module: ModuleDef, table: TableDef) -> _Entry:
    return _Entry(table.is_public, table.is_event, lambda: table_schema(module, table).stored_under(table.namespace))


def _view_entry(module: ModuleDef, view: ViewDef) -> _Entry:
    return _Entry(view.is_public, False, lambda: view_schema(module, view, "datastore").stored_under(view.namespace))


def _system_table(name: str) -> TableSchema | None:
    if not name.startswith("st_"):
        return None
    from defs.system.tables import SYSTEM_TABLES

    return next((table.schema for table in SYSTEM_TABLES if table.name == name), None)


def public_columns(table: TableSchema) -> tuple[ColumnSchema, ...]:
    """The columns that queries may name: all, but for the one of a view's stored rows that tells arguments apart."""
    return table.columns if table.view_info is None else table.columns[1:]


def column_of(table: TableSchema, name: str) -> ColumnSchema | None:
    """The column of an accessor or, where none has it, of a canonical name."""
    columns = public_columns(table)
    by_alias = next((column for column in columns if column.alias == name), None)
    return by_alias or next((column for column in columns if column.col_name == name), None)


def is_user_table(table: TableSchema) -> bool:
    """Whether the module declares it."""
    return table.table_type is TableType.User


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like one that is not known, first of all one that differs in capitals; or nothing."""
    names = list(known)
    same = [one for one in names if one.lower() == name.lower()]
    close = same or difflib.get_close_matches(name[:256], names, n=1)
    return close[0] if close else ""
