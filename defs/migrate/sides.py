"""One of the two definitions, indexed by what the planner looks things up by. (spec: compat 1)

Identity is the namespace and the canonical name. Indexes, constraints and sequences are found by their own name alone: which
table they are of is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeAlias, TypeVar

from bsatn.frozen import frozen
from bsatn.types import AlgebraicType
from defs.migrate.steps import Key
from defs.migrate.types import Resolved
from defs.schema.model import (
    ColumnDef,
    ConstraintDef,
    IndexDef,
    ModuleDef,
    NamespacePath,
    ScheduleDef,
    SequenceDef,
    TableDef,
    ViewColumnDef,
    ViewDef,
    ViewParamDef,
)
from defs.schema.resolve import Unresolvable

__all__ = ["Column", "Owned", "Part", "Side", "Unanswerable", "paired"]

Column: TypeAlias = ColumnDef | ViewColumnDef | ViewParamDef
_T = TypeVar("_T")


class Unanswerable(Exception):
    """A column's type cannot be written out: the server crashes on it, or it is past a bound of ours."""

    def __init__(self, why: Unresolvable, path: tuple[str, ...]) -> None:
        self.why, self.path = why, path
        super().__init__(why, path)


@frozen
class Owned(Generic[_T]):
    """A table or view, the module it is of, and that module's types without references."""

    module: ModuleDef
    types: Resolved
    item: _T

    def type_of(self, column: Column) -> AlgebraicType:
        """The type of one of its columns without references. Raises Unanswerable where there is none."""
        try:
            return self.types.of(column.ty)
        except Unresolvable as error:
            kind, owner = ("tables", column.table_name) if isinstance(column, ColumnDef) else ("views", column.view_name)
            raise Unanswerable(error, (*self.module.path, kind, owner, "columns", column.name)) from None


@frozen
class Part(Generic[_T]):
    """An index, constraint or sequence, with its table."""

    table: Owned[TableDef]
    item: _T

    @property
    def table_key(self) -> Key:
        """The key of the table."""
        return self.table.item.namespace, self.table.item.name

    def columns(self, positions: Iterable[int]) -> list[str]:
        """Names of columns of the table."""
        return [self.table.item.columns[position].name for position in positions]


class Side:
    """A definition's tables, views and their parts, by key; submodules after the module they are mounted in."""

    def __init__(self, module: ModuleDef) -> None:
        self.module = module
        self.tables: dict[Key, Owned[TableDef]] = {}
        self.views: dict[Key, Owned[ViewDef]] = {}
        self.indexes: dict[Key, Part[IndexDef]] = {}
        self.constraints: dict[Key, Part[ConstraintDef]] = {}
        self.sequences: dict[Key, Part[SequenceDef]] = {}
        self.schedules: dict[Key, Part[ScheduleDef]] = {}
        self.rules = dict.fromkeys(module.row_level_security)
        for owner in module.modules():
            types = Resolved(owner.typespace)
            for view in owner.views.values():
                self.views[owner.path, view.name] = Owned(owner, types, view)
            for table in owner.tables.values():
                self._table(owner.path, Owned(owner, types, table))

    def _table(self, path: NamespacePath, table: Owned[TableDef]) -> None:
        item = table.item
        self.tables[path, item.name] = table
        self.indexes.update(((path, one.name), Part(table, one)) for one in item.indexes.values())
        self.constraints.update(((path, one.name), Part(table, one)) for one in item.constraints.values())
        self.sequences.update(((path, one.name), Part(table, one)) for one in item.sequences.values())
        if item.schedule is not None:
            self.schedules[path, item.schedule.name] = Part(table, item.schedule)

    def columns(self, key: Key) -> Mapping[str, ColumnDef]:
        """The columns of a table by name."""
        return {column.name: column for column in self.tables[key].item.columns}


def paired(old: Mapping[Key, _T], new: Mapping[Key, _T]) -> Iterator[tuple[Key, _T | None, _T | None]]:
    """Every key of either, with what each has there: the old ones first, then what is new."""
    for key, before in old.items():
        yield key, before, new.get(key)
    for key, after in new.items():
        if key not in old:
            yield key, None, after
