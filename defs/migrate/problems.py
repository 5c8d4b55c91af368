"""What stands in the way of publishing although the planner agreed, and why upgrades to version 10 go wrong. (spec: compat 2.2)

The planner sees neither rows nor what carrying out its steps takes. `publishing_problems` runs each check of `CHECKS`; a check
is a function that yields problems, a kind of problem is a row of `KINDS`: what the server does, and what helps.

It is assumed that the database stores what the old definition says: drift between the two is not seen from definitions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal, TypeAlias

from bsatn.frozen import frozen
from defs.migrate import steps as s
from defs.migrate.environment import stricter
from defs.migrate.errors import MigrationErrors
from defs.migrate.planner import MigrationPlan
from defs.migrate.sides import Side
from defs.migrate.types import Layouts, row_layout
from defs.schema.model import ModuleDef, TableDef
from defs.validate.names import snake

__all__ = ["KINDS", "Outcome", "Problem", "publishing_problems"]

#: `refused`: always; `data`: depends on the rows, or the values of variables; `crash`: the server panics, if there are rows;
#: `lost`: it seems to work, and every later publish fails; `unshown`: works, but cannot be looked at before;
#: `notice`: works differently from what one might expect.
Outcome: TypeAlias = Literal["refused", "data", "crash", "lost", "unshown", "notice"]


@frozen
class _Kind:
    outcome: Outcome
    why: str
    workaround: str


KINDS: Final[dict[str, _Kind]] = {
    "TableNotEmpty": _Kind(
        "data",
        "the table must be empty when the module is published",
        "delete its rows first, in a module that still has the table",
    ),
    "ScheduleChanged": _Kind(
        "refused",
        "the server cannot attach or detach a schedule: it fails with `{verb} schedules is not yet implemented`",
        "keep the schedule, its function's name and its columns; or move to a new table",
    ),
    "SequenceRange": _Kind(
        "data",
        "no row may have a value in the column that the sequence would generate: any from 1 to the largest of the type",
        "set the column to 0 or below in every row first",
    ),
    "SequenceOnNewColumn": _Kind(
        "crash",
        "the column is added in the same publish, and the check of its values reads it in rows that do not have it yet",
        "publish the column first, then the sequence",
    ),
    "DuplicateRows": _Kind(
        "data", "no two rows may agree on {columns}, which the new unique constraint forbids", "remove duplicates first"
    ),
    "ConstraintWithoutIndex": _Kind(
        "refused",
        "the server looks for an index over exactly {columns}, in this order, and takes no other order",
        "declare the index with the columns in the order of the table",
    ),
    "RowLayout": _Kind(
        "refused",
        "rows of {old} become rows of {new}: the first variant with a payload of no fixed size, such as a string or a"
        " list, changes how rows are stored, even in an empty table",
        "give the variant a payload of fixed size, or put the new variant's data into another table",
    ),
    "SecurityRuleTable": _Kind(
        "refused", "a row-level security rule still names the removed table: {sql}", "remove the rule in the same publish"
    ),
    "IndexMoved": _Kind(
        "lost",
        "the index of this name was on table {old} and is now on {new}: nothing is done about it, and every later"
        " publish fails with `Index not found in definition`",
        "give the index of one of the tables another name",
    ),
    "PlanNotShown": _Kind(
        "unshown",
        "the server cannot print a plan in which a view becomes public or private, so the command line tool stops before"
        " publishing",
        "publish through the HTTP interface, or change the access in a publish that also renames the view",
    ),
    "RequiredVariable": _Kind(
        "data",
        "publishing looks at the value of the environment variable, which planning does not",
        "set it with the publish, or make it optional with the values that it could have",
    ),
    "MajorVersionUpgrade": _Kind(
        "notice",
        "the definition goes from version {old} to 10: the command line tool asks for the word `upgrade`",
        "publish with --yes=migrate",
    ),
    "RenamedByCasing": _Kind(
        "notice",
        "version 10 converts names: {old} is called {new} now, which to the server is another name",
        "set the case conversion policy to none, or give the old name explicitly",
    ),
}


@frozen
class Problem:
    """One thing that publishing runs into.

    `kind` is ours; `path` says where, `("tables", "player")`, after the namespaces; `outcome` says how bad it is.
    """

    kind: str
    what: str
    why: str
    path: tuple[str, ...]
    workaround: str
    outcome: Outcome


@frozen
class _Work:
    plan: MigrationPlan
    old: Side
    new: Side

    def steps(self, *kinds: type[s.Step]) -> Iterator[Any]:
        return (step for step in self.plan.steps if isinstance(step, kinds))


def _problem(kind: str, path: tuple[str, ...], **details: object) -> Problem:
    said = KINDS[kind]
    return Problem(kind, " ".join(path[-2:]), said.why.format(**details), path, said.workaround, said.outcome)


def publishing_problems(old: ModuleDef, new: ModuleDef, plan: MigrationPlan | MigrationErrors) -> tuple[Problem, ...]:
    """What stands in the way, in the order of `CHECKS`. Given the refusal instead of a plan: what may have led to it."""
    sides = plan.sides if isinstance(plan, MigrationPlan) else (Side(old), Side(new))
    found = list(_upgrade(*sides))
    if isinstance(plan, MigrationPlan):
        work = _Work(plan, *sides)
        found += [problem for check in CHECKS for problem in check(work)]
    return tuple(found)


def _table(key: s.Key, *rest: str) -> tuple[str, ...]:
    return (*key[0], "tables", key[1], *rest)


# Checks -----------------------------------------------------------------------------------------------------


def removed_tables(work: _Work) -> Iterator[Problem]:
    """Rows are lost with nobody's consent: the server refuses. Event tables have none."""
    for step in work.steps(s.RemoveTable):
        if not work.old.tables[step.key].item.is_event:
            yield _problem("TableNotEmpty", _table(step.key))


def schedules(work: _Work) -> Iterator[Problem]:
    """Of a scheduled table the planner plans what the server cannot do."""
    for step in work.steps(s.RemoveSchedule, s.AddSchedule):
        removed = isinstance(step, s.RemoveSchedule)
        part = (work.old if removed else work.new).schedules[step.key]
        yield _problem("ScheduleChanged", _table(part.table_key, "schedule"), verb="Removing" if removed else "Adding")


def sequences(work: _Work) -> Iterator[Problem]:
    """Sequences for columns that have values already."""
    for step in work.steps(s.AddSequence):
        part = work.new.sequences[step.key]
        (column,) = part.columns([part.item.column])
        known = work.old.tables.get(part.table_key)
        new_column = known is not None and known.item.column(column) is None
        yield _problem("SequenceOnNewColumn" if new_column else "SequenceRange", _table(part.table_key, "columns", column))


def constraints(work: _Work) -> Iterator[Problem]:
    """Unique constraints for tables that have rows already. An event table keeps none."""
    for step in work.steps(s.AddConstraint):
        part = work.new.constraints[step.key]
        table = part.table.item
        columns = f"({', '.join(part.columns(part.item.columns))})"
        path = _table(part.table_key, "constraints", step.name)
        if not any(index.columns == part.item.columns for index in table.indexes.values()):
            yield _problem("ConstraintWithoutIndex", path, columns=columns)
        elif not table.is_event:
            yield _problem("DuplicateRows", path, columns=columns)


def layouts(work: _Work) -> Iterator[Problem]:
    """Growth of a type that changes how rows are stored."""
    known = Layouts()
    for step in work.steps(s.ChangeColumns, s.AddColumns):
        old, new = work.old.tables[step.key], work.new.tables[step.key]
        kept = new.item.columns[: len(old.item.columns)]
        before = row_layout(known, [old.type_of(column) for column in old.item.columns])
        after = row_layout(known, [new.type_of(column) for column in kept])
        if before != after:
            sizes = {True: "fixed size", False: "variable size"}
            yield _problem("RowLayout", _table(step.key), old=sizes[before.fixed], new=sizes[after.fixed])


def security_rules(work: _Work) -> Iterator[Problem]:
    """Rules are compiled against the new tables, those that did not change as well."""
    removed = {step.name: step.key for step in work.steps(s.RemoveTable)}
    for sql in work.new.rules:
        for name in dict.fromkeys(re.findall(r"\w+", sql)):
            if name in removed and removed[name] not in work.new.tables:
                yield _problem("SecurityRuleTable", _table(removed[name]), sql=sql)


def moved_indexes(work: _Work) -> Iterator[Problem]:
    """An index's table is not part of what it is known by."""
    for key, old in work.old.indexes.items():
        new = work.new.indexes.get(key)
        stays = new is not None and old.table_key in work.new.tables and new.table_key in work.old.tables
        if new is not None and stays and old.table_key != new.table_key and old.item.algorithm == new.item.algorithm:
            yield _problem("IndexMoved", _table(old.table_key, "indexes", key[1]), old=old.table_key[1], new=new.table_key[1])


def shown(work: _Work) -> Iterator[Problem]:
    """Plans that the server cannot print."""
    for step in work.steps(s.ChangeAccess):
        if step.key not in work.new.tables:
            yield _problem("PlanNotShown", (*step.namespace, "views", step.name))


def environment(work: _Work) -> Iterator[Problem]:
    """Variables that did not have to have such a value before."""
    for name, _, _ in stricter(work.old.module, work.new.module):
        yield _problem("RequiredVariable", ("environment", name))


#: What is looked at of a plan.
CHECKS: Final[tuple[Callable[[_Work], Iterator[Problem]], ...]] = (
    removed_tables,
    schedules,
    sequences,
    constraints,
    layouts,
    security_rules,
    moved_indexes,
    shown,
    environment,
)


# Upgrades to version 10 -------------------------------------------------------------------------------------


def _upgrade(old: Side, new: Side) -> Iterator[Problem]:
    """Names that version 10 converts where older versions did not. (spec: compat 6.4)"""
    if old.module.version == 10 or new.module.version != 10:
        return
    yield _problem("MajorVersionUpgrade", ("module",), old=old.module.version)
    for key, owned in old.tables.items():
        namespace, name = key
        other = key if key in new.tables else (namespace, snake(name))
        if other not in new.tables:
            continue
        if other != key:
            yield _problem("RenamedByCasing", _table(key), old=name, new=other[1])
        yield from _renamed_columns(key, owned.item, new.tables[other].item)


def _renamed_columns(key: s.Key, old: TableDef, new: TableDef) -> Iterator[Problem]:
    names = {column.name for column in new.columns}
    for column in old.columns:
        converted = snake(column.name)
        if column.name not in names and converted in names:
            yield _problem("RenamedByCasing", _table(key, "columns", column.name), old=column.name, new=converted)
