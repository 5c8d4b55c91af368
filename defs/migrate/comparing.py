"""What the planner compares, thing by thing: each comparison is a function that yields what follows from it. (spec: compat 2.1)

`COMPARISONS` lists them in the server's order; those of a table that both definitions have are in `TABLE`. A comparison says
all that the newest release would, and `defs.migrate.planner` drops or replaces what an older one does not know; only where a
release looks at things in another way does a comparison ask for the profile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from itertools import zip_longest
from typing import Final, TypeAlias

from bsatn.frozen import frozen
from defs.migrate import errors as e
from defs.migrate import steps as s
from defs.migrate.releases import RULES, Profile
from defs.migrate.sides import Column, Owned, Part, Side, paired
from defs.migrate.types import Fault, Upgrade
from defs.schema.model import ColumnDef, ConstraintDef, IndexDef, SequenceDef, TableDef, ViewDef

__all__ = ["COMPARISONS", "Finding", "Work"]

Finding: TypeAlias = s.Step | s.Precheck | e.MigrationError


@frozen
class Work:
    """The two definitions, the release, and what was learned of types so far."""

    old: Side
    new: Side
    profile: Profile
    upgrade: Upgrade = field(default_factory=Upgrade)

    def same_paths(self, old: Owned[TableDef], new: Owned[TableDef]) -> bool:
        """Whether the tables' modules are mounted under the same accessor names."""
        return not self.profile.has(RULES.ACCESSOR_PATHS) or old.module.accessor_path == new.module.accessor_path


_Columns: TypeAlias = tuple[Column, ...]


def _place(table: TableDef, *rest: str) -> tuple[str, ...]:
    return (*table.namespace, "tables", table.name, *rest)


# Views ------------------------------------------------------------------------------------------------------


def views(work: Work) -> Iterator[Finding]:
    """A view is taken over as it is, or is another one of the same name."""
    for key, old, new in paired(work.old.views, work.new.views):
        if old is None:
            yield s.AddView(*key)
        elif new is None:
            yield s.RemoveView(*key)
            yield s.DisconnectAllUsers()
        else:
            if old.item.is_public != new.item.is_public:
                yield s.ChangeAccess(*key)
            if _same_view(work, old, new):
                yield s.UpdateView(*key)
            else:
                yield s.AddView(*key)
                yield s.RemoveView(*key)
                yield s.DisconnectAllUsers()


def _same_view(work: Work, old: Owned[ViewDef], new: Owned[ViewDef]) -> bool:
    """Both lists of columns are looked at, whatever the other says: a type the server crashes on makes it crash."""
    before, after = old.item, new.item
    keys = not work.profile.has(RULES.VIEW_KEYS) or before.primary_key == after.primary_key
    columns = _same_columns(work, old, new, before.return_columns, after.return_columns)
    params = _same_columns(work, old, new, before.param_columns, after.param_columns)
    return keys and columns and params and before.is_anonymous == after.is_anonymous


def _same_columns(work: Work, old: Owned[ViewDef], new: Owned[ViewDef], before: _Columns, after: _Columns) -> bool:
    """Whether names, places and types are equal, not even growth of a type allowed; the first difference ends it."""
    for was, becomes in zip_longest(before, after):
        if was is None or becomes is None or was.name != becomes.name:
            return False
        if work.upgrade.compare(old.type_of(was), new.type_of(becomes))[0]:
            return False
    return True


# Tables -----------------------------------------------------------------------------------------------------

_Table: TypeAlias = Callable[[Work, Owned[TableDef], Owned[TableDef]], Iterator[Finding]]


def tables(work: Work) -> Iterator[Finding]:
    """Tables come, go, or are compared."""
    for key, old, new in paired(work.old.tables, work.new.tables):
        if old is None:
            yield s.AddTable(*key)
        elif new is None:
            yield s.RemoveTable(*key)
            yield s.DisconnectAllUsers()
        else:
            for compare in TABLE:
                yield from compare(work, old, new)


def _key(table: Owned[TableDef]) -> s.Key:
    return table.item.namespace, table.item.name


def table_type(_: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """A user's table stays one."""
    before, after = old.item.table_type, new.item.table_type
    if before != after:
        yield e.ChangeTableType(old.item.name, before, after, path=_place(old.item))


def event_flag(_: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """An event table stays one, an ordinary table too. (spec: event-tables 1.7)"""
    if old.item.is_event != new.item.is_event:
        yield e.ChangeTableEventFlag(old.item.name, path=_place(old.item))


def outbox(_: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """An outbox table stays one, with its key and target."""
    name, before, after, place = old.item.name, old.item.outbox, new.item.outbox, _place(old.item)
    keys = old.item.primary_key, new.item.primary_key
    if before is None or after is None:
        if after is not None:
            yield e.AddOutbox(name, path=place)
        elif before is not None:
            yield e.RemoveOutbox(name, path=place)
    elif keys[0] != keys[1]:
        yield e.ChangeOutboxPrimaryKey(name, *keys, path=place)
    elif before.target_column != after.target_column:
        yield e.ChangeOutboxTargetColumn(name, before.target_column, after.target_column, path=place)
    elif before != after:
        yield s.ChangeOutbox(*_key(new))


def access(_: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """Public or private."""
    if old.item.table_access != new.item.table_access:
        yield s.ChangeAccess(*_key(new))


def primary_key(_: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """The column that is the key, or none."""
    if old.item.primary_key != new.item.primary_key:
        yield s.ChangePrimaryKey(*_key(new))


def table_accessor(work: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """The table's alias."""
    if old.item.accessor_name != new.item.accessor_name or not work.same_paths(old, new):
        yield s.ChangeTableAccessorName(*_key(new))


def schedule(_: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """A schedule that differs in anything is another one."""
    before, after = old.item.schedule, new.item.schedule
    if before != after:
        if before is not None:
            yield s.RemoveSchedule(old.item.namespace, before.name)
        if after is not None:
            yield s.AddSchedule(new.item.namespace, after.name)


def column_accessors(_: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """Aliases of the columns that stay."""
    before = {column.name: column.accessor_name for column in old.item.columns}
    for column in new.item.columns:
        if before.get(column.name, column.accessor_name) != column.accessor_name:
            yield s.ChangeColumnAccessorName(*_key(new), column.name)


def columns(work: Work, old: Owned[TableDef], new: Owned[TableDef]) -> Iterator[Finding]:
    """Columns of rows that are stored may grow, at their end; those of what was an event table may become anything."""
    found = _Columnwise(work, old, new)
    if old.item.is_event and work.profile.has(s.ReschemaEventTable):
        if found.differ:
            yield s.ReschemaEventTable(*_key(new))
            yield s.DisconnectAllUsers()
        return
    yield from found.errors()
    if found.added:
        yield s.AddColumns(*_key(new))
        yield s.DisconnectAllUsers()
    elif found.changed:
        yield s.ChangeColumns(*_key(new))


class _Columnwise:
    """The columns of a table, old and new by name."""

    def __init__(self, work: Work, old: Owned[TableDef], new: Owned[TableDef]) -> None:
        self.work, self.old, self.new = work, old, new
        self.table = old.item
        after = {column.name: column for column in new.item.columns}
        before = {column.name for column in old.item.columns}
        self.pairs = [(column, after.get(column.name)) for column in old.item.columns]
        self.types = [
            None if other is None else work.upgrade.compare(old.type_of(column), new.type_of(other))
            for column, other in self.pairs
        ]
        self.added = [column for column in new.item.columns if column.name not in before]

    @property
    def changed(self) -> bool:
        """Whether any column's type did, as far as it may."""
        return any(one is not None and one[0] for one in self.types)

    @property
    def differ(self) -> bool:
        """Whether there is any difference at all."""
        moved = any(other is None or other.col_id != column.col_id for column, other in self.pairs)
        return bool(self.added) or moved or self.changed

    def errors(self) -> Iterator[e.MigrationError]:
        """What rows that are stored do not allow: of old columns by position, then of new ones."""
        name = self.table.name
        for (column, other), types in zip(self.pairs, self.types, strict=True):
            place = _place(self.table, "columns", column.name)
            if other is None or types is None:
                yield e.RemoveColumn(name, column.name, path=place)
                continue
            for kind, was, becomes in self.faults(column, other, types):
                yield kind(e.ChangeColumnTypeParts(name, column.name, was, becomes), path=place)
            if other.col_id != column.col_id:
                yield e.ReorderTable(name, path=place)
        for column in self.added:
            if column.default_bytes is None or not self.work.profile.has(s.AddColumns):
                yield e.AddColumn(name, column.name, path=_place(self.table, "columns", column.name))

    def faults(self, column: ColumnDef, other: ColumnDef, types: tuple[bool, list[Fault]]) -> list[Fault]:
        """What stands in the way of a type's change: before there was a step for it, that it is one."""
        if self.work.profile.has(s.ChangeColumns) or not types[0]:
            return types[1]
        return [(e.ChangeColumnType, self.old.type_of(column), self.new.type_of(other))]


#: What is compared of a table that both definitions have: first what yields errors, in the server's order.
TABLE: Final[tuple[_Table, ...]] = (
    table_type,
    event_flag,
    outbox,
    columns,
    access,
    primary_key,
    table_accessor,
    column_accessors,
    schedule,
)

# Parts of tables --------------------------------------------------------------------------------------------


def _gone(work: Work, part: Part[IndexDef] | Part[ConstraintDef] | Part[SequenceDef]) -> bool:
    """Whether its table is removed, which takes the part along. Before there was such a step, nothing was."""
    return part.table_key not in work.new.tables and work.profile.has(s.RemoveTable)


def _comes(work: Work, part: Part[IndexDef] | Part[ConstraintDef] | Part[SequenceDef]) -> bool:
    """Whether its table is added, which brings the part along."""
    return part.table_key not in work.old.tables


def indexes(work: Work) -> Iterator[Finding]:
    """An index keeps its accessor, or is another one by its algorithm and columns."""
    for key, old, new in paired(work.old.indexes, work.new.indexes):
        if old is None or new is None:
            if new is not None and not _comes(work, new):
                yield s.AddIndex(*key)
            if old is not None and not _gone(work, old):
                yield s.RemoveIndex(*key)
            continue
        before, after = old.item, new.item
        if before.accessor_name != after.accessor_name:
            path = _place(old.table.item, "indexes", before.name)
            yield e.ChangeIndexAccessor(before.name, before.accessor_name, after.accessor_name, path=path)
        elif before.algorithm != after.algorithm:
            yield s.RemoveIndex(*key)
            yield s.AddIndex(*key)
        elif before.source_name != after.source_name or not work.same_paths(old.table, new.table):
            yield s.ChangeIndexSourceName(*key)


def sequences(work: Work) -> Iterator[Finding]:
    """A sequence on another column is another sequence. A new one is checked against the rows."""
    for key, old, new in paired(work.old.sequences, work.new.sequences):
        if old is not None and new is not None and old.item.column == new.item.column:
            continue
        if old is not None and (new is not None or not _gone(work, old)):
            yield s.RemoveSequence(*key)
        if new is not None and (old is not None or not _comes(work, new)):
            yield s.CheckAddSequenceRangeValid(*key)
            yield s.AddSequence(*key)


def constraints(work: Work) -> Iterator[Finding]:
    """A unique constraint keeps its columns."""
    for key, old, new in paired(work.old.constraints, work.new.constraints):
        if old is not None and new is not None:
            if old.item.columns != new.item.columns:
                path = _place(old.table.item, "constraints", old.item.name)
                yield e.ChangeUniqueConstraint(old.item.name, path=path)
        elif new is not None and not _comes(work, new):
            yield s.AddConstraint(*key)
        elif old is not None and not _gone(work, old):
            yield s.RemoveConstraint(*key)


def row_level_security(work: Work) -> Iterator[Finding]:
    """Every rule is taken away and put back; clients notice when the rules are others."""
    yield from map(s.RemoveRowLevelSecurity, work.old.rules)
    yield from map(s.AddRowLevelSecurity, work.new.rules)
    if work.old.rules.keys() != work.new.rules.keys() and work.profile.has(RULES.RLS_DISCONNECTS):
        yield s.DisconnectAllUsers()


COMPARISONS: Final[tuple[Callable[[Work], Iterator[Finding]], ...]] = (
    views,
    tables,
    indexes,
    sequences,
    constraints,
    row_level_security,
)
