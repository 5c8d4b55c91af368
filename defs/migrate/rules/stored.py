"""Promises to stored rows: their bytes stay, and are read by the new definition. Event tables store none. (spec: compat 4)

The planner refuses these changes too; here they are told with what would become of a row.
"""

from __future__ import annotations

from collections.abc import Iterator

from defs.migrate.rules.comparison import Comparison, Pair
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.uses import Use
from defs.migrate.rules.wire import BREAKING, ENUM
from defs.migrate.rules.witness import Typed
from defs.schema.model import TableDef

__all__ = ["stored_uses"]

_BESIDE = "Leave the column as it is and add another one, with a default, at the end."


def _element(pair: Pair[TableDef], column: str) -> str:
    return f"{pair.element} / column {column}"


def stored_uses(both: Comparison) -> Iterator[Use]:
    """Columns of stored rows that both definitions have, by name."""
    for pair in both.stored:
        after = {column.name: column for column in pair.new.item.columns}
        for column in pair.old.item.columns:
            other = after.get(column.name)
            if other is not None:
                place = ("columns", column.name)
                types = Typed(column.ty, pair.old.module), Typed(other.ty, pair.new.module)
                paths = pair.paths(*place)
                yield Use(paths, _element(pair, column.name), "a stored value", "old", *types)


@rule(
    "COLUMN_ADDED_HAS_DEFAULT",
    "A column added to a table has a default",
    axis="data",
    severity="error",
    why="Rows that are stored have no value for it. The server refuses to publish, even if the table is empty.",
    fix="Give the column a default value, or make it part of a new table.",
    upgrade_first="server",
    since="1.4.0",
    spec="compat 4.3",
)
def added_without_default(both: Comparison) -> Iterator[Hit]:
    """New columns without default."""
    for pair in both.stored:
        for path, name, default in _added(pair):
            if default is None:
                yield Hit(None, path, _element(pair, name), f"column `{name}` is new and has no default")


@rule(
    "COLUMN_NO_ADD",
    "A table gets no columns",
    axis="data",
    severity="error",
    why="Servers before 1.4 cannot add a column to a table that exists, with a default or without.",
    fix="Put the column into a new table; or upgrade the server.",
    upgrade_first="server",
    until="1.4.0",
    spec="compat 0",
)
def added(both: Comparison) -> Iterator[Hit]:
    """New columns."""
    for pair in both.stored:
        for path, name, _ in _added(pair):
            yield Hit(None, path, _element(pair, name), f"column `{name}` is new")


def _added(pair: Pair[TableDef]) -> Iterator[tuple[tuple[str, ...], str, bytes | None]]:
    before = {column.name for column in pair.old.item.columns}
    for column in pair.new.item.columns:
        if column.name not in before:
            yield pair.new.path("columns", column.name), column.name, column.default_bytes


@rule(
    "COLUMN_NO_REMOVE",
    "A table's columns stay",
    axis="data",
    severity="error",
    why="Stored rows hold its values. The server refuses to publish; a column under another name is another column to it.",
    fix="Keep the column, and stop using it.",
    upgrade_first="lock-step",
    spec="compat 4.3",
)
def removed(both: Comparison) -> Iterator[Hit]:
    """Columns of stored rows that are gone."""
    for pair in both.stored:
        after = {column.name for column in pair.new.item.columns}
        for column in pair.old.item.columns:
            if column.name not in after:
                path = pair.old.path("columns", column.name)
                yield Hit(path, None, _element(pair, column.name), f"column `{column.name}` is gone")


@rule(
    "COLUMN_ORDER_SAME",
    "A table's columns keep their order",
    axis="data",
    severity="error",
    why="A row is its columns one after another. The server refuses to publish when a column is at another position.",
    fix="Put new columns after all others.",
    upgrade_first="lock-step",
    spec="compat 4.3",
)
def reordered(both: Comparison) -> Iterator[Hit]:
    """Columns of stored rows that are elsewhere."""
    for pair in both.stored:
        after = {column.name: column.col_id for column in pair.new.item.columns}
        for column in pair.old.item.columns:
            place = after.get(column.name, column.col_id)
            if place != column.col_id:
                message = f"column `{column.name}` was at position {column.col_id}, is at {place}"
                paths = pair.paths("columns", column.name)
                yield Hit(*paths, _element(pair, column.name), message)


@rule(
    "COLUMN_SAME_TYPE",
    "A column keeps its type",
    axis="data",
    severity="error",
    why="Stored values are bytes of the old type. The server refuses to publish; only enums may grow, at their end.",
    fix=_BESIDE,
    upgrade_first="lock-step",
    spec="compat 4.1",
)
def retyped(both: Comparison) -> Iterator[Hit]:
    """Columns of stored rows whose bytes mean something else."""
    for use in stored_uses(both):
        found = [one for one in use.differences(both) if one.kind in BREAKING - ENUM]
        if found:
            message = f"the column was {use.written.text}, is {use.read.text}"
            yield use.hit(both, found, message, "a stored value, as the new module would read it")


@rule(
    "EVENT_FLAG_SAME",
    "An event table stays one, and a table that keeps its rows keeps them",
    axis="data",
    severity="error",
    why=(
        "Rows of an event table are never stored, those of others are. Every server release refuses the change, even of an "
        "empty table, and clients subscribe to the two in different ways."
    ),
    fix="Add a table of the other kind under a new name.",
    upgrade_first="lock-step",
    since="2.0.0",
    spec="compat 4.3; event-tables 1.7",
)
def event_flag(both: Comparison) -> Iterator[Hit]:
    """Tables that became event tables, or ceased to be."""
    for pair in both.tables.both:
        old, new = pair.items
        if old.is_event != new.is_event:
            change = "is an event table now" if new.is_event else "is no event table any more"
            yield Hit(*pair.paths(), pair.element, f"`{old.name}` {change}")


@rule(
    "SEQUENCE_NO_REMOVE",
    "A column whose values are generated goes on generating them",
    axis="data",
    severity="note",
    why="A row inserted with 0 in the column gets the next number; without the sequence it is stored with 0.",
    fix="Keep the column auto-incremented, or set it wherever rows are inserted.",
    upgrade_first="either",
)
def sequences(both: Comparison) -> Iterator[Hit]:
    """Columns that were auto-incremented."""
    for pair in both.tables.both:
        after = {column.name: column.col_id for column in pair.new.item.columns}
        kept = {one.column for one in pair.new.item.sequences.values()}
        for sequence in pair.old.item.sequences.values():
            column = pair.old.item.columns[sequence.column].name
            if column in after and after[column] not in kept:
                paths = pair.paths("columns", column)
                yield Hit(*paths, _element(pair, column), f"`{column}` is not auto-incremented any more")
