"""Promises to stored rows: their bytes stay, and are read by the new definition. Event tables store none. (spec: compat 4)

The planner refuses these changes too; here they are told with what would become of a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from defs.migrate.rules.comparison import Comparison, Pair
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.uses import Use
from defs.migrate.rules.wire import BREAKING, ENUM
from defs.migrate.rules.witness import Typed
from defs.schema.model import ColumnDef, TableDef

__all__ = ["stored_uses"]

_BESIDE = "Leave the column as it is and add another one, with a default, at the end."


def _element(pair: Pair[TableDef], column: str) -> str:
    return f"{pair.element} / column {column}"


_Column: TypeAlias = tuple[Pair[TableDef], ColumnDef | None, ColumnDef | None]


def _columns(both: Comparison) -> Iterator[_Column]:
    """Columns of stored rows by name, as each definition has them; of a table the old ones first, then what is new."""
    for pair in both.stored:
        before, after = ({column.name: column for column in item.columns} for item in pair.items)
        yield from ((pair, before.get(name), after.get(name)) for name in (before | after))


def _hit(found: _Column, message: str) -> Hit:
    """A hit where the column stands, in whichever definition has it; `{name}` in the message is its name."""
    pair, old, new = found
    name = (old or new).name  # type: ignore[union-attr]
    paths = pair.paths("columns", name)
    shown = message.format(name=f"column `{name}`")
    return Hit(paths[0] if old else None, paths[1] if new else None, _element(pair, name), shown)


def stored_uses(both: Comparison) -> Iterator[Use]:
    """Columns of stored rows that both definitions have, by name."""
    for pair, old, new in _columns(both):
        if old and new:
            types = Typed(old.ty, pair.old.module), Typed(new.ty, pair.new.module)
            yield Use(pair.paths("columns", old.name), _element(pair, old.name), "a stored value", "old", *types)


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
    for found in _columns(both):
        if found[1] is None and found[2] is not None and found[2].default_bytes is None:
            yield _hit(found, "{name} is new and has no default")


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
    yield from (_hit(found, "{name} is new") for found in _columns(both) if found[1] is None)


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
    yield from (_hit(found, "{name} is gone") for found in _columns(both) if found[2] is None)


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
    for found in _columns(both):
        _, old, new = found
        if old and new and old.col_id != new.col_id:
            yield _hit(found, f"{{name}} was at position {old.col_id}, is at {new.col_id}")


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
