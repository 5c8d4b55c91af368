"""The plan as the server prints it, character for character, with and without colour. (spec: compat 5.2)

`PRINTERS` has one function a kind of step; each writes its lines with the `Writer`. What is removed is looked up in the old
definition, everything else in the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeAlias

from bsatn.errors import BsatnError
from bsatn.stack import on_enough_stack
from bsatn.types import AlgebraicType
from defs.migrate import steps as s
from defs.migrate.planner import MigrationPlan
from defs.migrate.sides import Owned, Part, Side, Unanswerable
from defs.migrate.values import debug_value
from defs.raw.shared import TableType
from defs.schema.model import ColumnDef, ScheduleDef, ViewColumnDef, ViewParamDef

__all__ = ["CannotPrint", "to_text"]

_RULE = "━" * 60
Style: TypeAlias = Literal["title", "name", "type", "access", "sql", "column", "warning", "Created", "Removed", "Changed"]
#: Whether it is bold, and its colour.
_STYLES: Final[dict[Style, tuple[bool, int]]] = {
    "title": (True, 34),
    "name": (True, 36),
    "type": (False, 35),
    "access": (False, 32),
    "sql": (False, 34),
    "column": (True, 35),
    "warning": (True, 41),
    "Created": (True, 32),
    "Removed": (True, 31),
    "Changed": (True, 33),
}


class CannotPrint(BsatnError):
    """The server cannot print this plan, and so cannot show it before publishing.

    Kinds: `TableNotFound`, a view becomes public or private, and the server's printer takes it for a table;
    `TypeResolution`, a column of what is added has a type that contains itself. For a type past a bound of ours, too.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(kind, f"Failed to format migration plan: {reason}")


def to_text(plan: MigrationPlan, *, color: bool = False) -> str:
    """The text that the server sends for a plan; `color` adds terminal escapes. Raises CannotPrint."""
    try:
        return on_enough_stack(lambda: _Printer(plan, color).print())
    except (Unanswerable, RecursionError):
        raise CannotPrint("TypeResolution", "Type resolution failed") from None


class Writer:
    """Lines of text, and spans of it in a style."""

    def __init__(self, color: bool) -> None:
        self.color = color
        self.pieces: list[str] = []

    def span(self, style: Style, text: str) -> str:
        """The text in a style: every span begins and ends with a reset."""
        if not self.color:
            return text
        bold, colour = _STYLES[style]
        codes = [0, *([1] if bold else []), colour]
        return "".join(f"\x1b[{code}m" for code in codes) + text + "\x1b[0m"

    def line(self, text: str = "", indent: int = 0) -> None:
        """A line, indented by levels."""
        self.pieces.append(f"{'    ' * indent}{text}\n")

    def bullet(self, word: Literal["Created", "Removed", "Changed"], text: str) -> None:
        """The line that a step begins with."""
        self.line(f"▸ {self.span(word, word)} {text}")

    def section(self, title: str, entries: Iterable[str]) -> None:
        """A titled list, when there is anything in it."""
        for number, entry in enumerate(entries):
            if not number:
                self.line(self.span("title", title), 1)
            self.line(f"• {entry}", 2)


class _Printer:
    def __init__(self, plan: MigrationPlan, color: bool) -> None:
        self.plan = plan
        self.old, self.new = plan.sides
        self.out = Writer(color)

    def print(self) -> str:
        self.out.line(_RULE)
        self.out.line(self.out.span("title", "Database Migration Plan"))
        self.out.line(_RULE)
        self.out.line()
        for step in self.plan.steps:
            PRINTERS[type(step)](self, step)
        return "".join(self.out.pieces)

    # -- pieces of lines

    def name(self, key: s.Key) -> str:
        namespace, name = key
        return self.out.span("name", ".".join((*namespace, name)))

    def typed(self, kind: AlgebraicType) -> str:
        return self.out.span("type", str(kind))

    def columns(self, columns: Iterable[ColumnDef | ViewColumnDef | ViewParamDef], owned: Owned[Any]) -> list[str]:
        return [f"{column.name}: {self.typed(owned.type_of(column))}" for column in columns]

    def side(self, step: s.Step) -> tuple[Side, Literal["Created", "Removed"]]:
        """Where what the step is about is found, and what happens to it."""
        return (self.old, "Removed") if step.kind.startswith("Remove") else (self.new, "Created")

    def over(self, part: Part[Any], positions: Iterable[int]) -> str:
        return f"{part.item.name} on [{', '.join(part.columns(positions))}]"

    # -- tables

    def add_table(self, step: s.AddTable) -> None:
        owned = self.new.tables[step.key]
        table = owned.item
        word = "system" if table.table_type is TableType.System else "user"
        access = self.out.span("access", "public" if table.is_public else "private")
        self.out.bullet("Created", f"{word} table: {self.name(step.key)} ({access})")
        self.out.section("Columns:", self.columns(table.columns, owned))
        constraints = (self.over(Part(owned, one), one.columns) for _, one in sorted(table.constraints.items()))
        self.out.section("Unique constraints:", constraints)
        indexes = (self.over(Part(owned, one), one.columns) for _, one in sorted(table.indexes.items()))
        self.out.section("Indexes:", indexes)
        sequences = (f"{name} on {table.columns[one.column].name}" for name, one in sorted(table.sequences.items()))
        self.out.section("Auto-increment constraints:", sequences)
        if table.schedule is not None:
            self.out.section("Schedule:", [f"Calls {_callee(table.schedule)}: {table.schedule.function_name}"])
        self.out.line()

    def remove_table(self, step: s.RemoveTable) -> None:
        self.out.bullet("Removed", f"table: {self.name(step.key)}")
        self.out.line()

    def change_columns(self, step: s.ChangeColumns) -> None:
        """Only columns whose types differ as written, references and all."""
        self.out.bullet("Changed", f"columns for table {self.name(step.key)}")
        before, after = self.old.tables[step.key], self.new.tables[step.key]
        old = {column.name: column for column in before.item.columns}
        for column in after.item.columns:
            was = old[column.name]
            if was.ty != column.ty:
                change = f"{self.typed(before.type_of(was))} → {self.typed(after.type_of(column))}"
                self.out.line(f"~ Modified: {column.name} ({change})", 1)

    def add_columns(self, step: s.AddColumns) -> None:
        old, owned = self.old.columns(step.key), self.new.tables[step.key]
        added = [column for column in owned.item.columns if column.name not in old]
        self.out.bullet("Created", f"column{'s' if len(added) > 1 else ''} in table {self.name(step.key)}")
        for column in added:
            kind = owned.type_of(column)
            value = debug_value(kind, column.default_bytes or b"")
            self.out.line(f"+ {column.name}: {self.typed(kind)} (default: {value})", 1)

    def reschema(self, step: s.ReschemaEventTable) -> None:
        self.out.bullet("Changed", f"schema of event table {self.name(step.key)}")

    def table_accessor(self, step: s.ChangeTableAccessorName) -> None:
        self.out.bullet("Changed", f"table accessor name for {self.name(step.key)}")

    def column_accessor(self, step: s.ChangeColumnAccessorName) -> None:
        column = self.out.span("column", step.column)
        self.out.bullet("Changed", f"column accessor name for {self.name(step.key)}.{column}")

    def access(self, step: s.ChangeAccess) -> None:
        if step.key not in self.new.tables:
            raise CannotPrint("TableNotFound", f"Table not found: {'.'.join((*step.namespace, step.name))}")
        change = "private → public" if self.new.tables[step.key].item.is_public else "public → private"
        self.out.bullet("Changed", f"access for table {self.name(step.key)} ({self.out.span('access', change)})")

    def primary_key(self, step: s.ChangePrimaryKey) -> None:
        old, new = (side.tables[step.key].item.primary_key for side in (self.old, self.new))
        added = "added on" if old is None else "changed to"
        change = "removed" if new is None else f"{added} column {new}"
        self.out.bullet("Changed", f"primary key on table {self.name(step.key)} ({change})")

    def schedule(self, step: s.AddSchedule | s.RemoveSchedule) -> None:
        side, word = self.side(step)
        part = side.schedules[step.key]
        what = f"{_callee(part.item)} {part.item.function_name}"
        self.out.bullet(word, f"schedule for table {self.name(part.table_key)} calling {what}")

    # -- parts of tables

    def index(self, step: s.AddIndex | s.RemoveIndex | s.ChangeIndexSourceName) -> None:
        side, word = self.side(step)
        part = side.indexes[step.key]
        what = f"index {self.over(part, part.item.columns)} of table {self.name(part.table_key)}"
        self.out.bullet("Changed" if isinstance(step, s.ChangeIndexSourceName) else word, what)

    def constraint(self, step: s.AddConstraint | s.RemoveConstraint) -> None:
        side, word = self.side(step)
        part = side.constraints[step.key]
        columns = self.over(part, part.item.columns)
        self.out.bullet(word, f"unique constraint {columns} of table {self.name(part.table_key)}")

    def sequence(self, step: s.AddSequence | s.RemoveSequence) -> None:
        side, word = self.side(step)
        part = side.sequences[step.key]
        (column,) = part.columns([part.item.column])
        table = self.name(part.table_key)
        self.out.bullet(word, f"auto-increment constraint {step.name} on column {column} of table {table}")

    # -- the rest

    def view(self, step: s.AddView | s.RemoveView) -> None:
        """With the mark twice, as the server writes it."""
        side, word = self.side(step)
        owned = side.views[step.key]
        anonymous = "anonymous " if owned.item.is_anonymous else ""
        self.out.pieces.append("▸ ")
        self.out.bullet(word, f"{anonymous}view: {self.name(step.key)}")
        self.out.section("Parameters:", self.columns(owned.item.param_columns, owned))
        self.out.section("Columns:", self.columns(owned.item.return_columns, owned))
        self.out.line()

    def rule(self, step: s.AddRowLevelSecurity | s.RemoveRowLevelSecurity) -> None:
        """Only a rule that the other side does not have."""
        side, word = self.side(step)
        other = self.new if side is self.old else self.old
        if step.sql not in other.rules:
            self.out.bullet(word, "row level security policy:")
            self.out.line(f"`{self.out.span('sql', step.sql)}`", 1)

    def disconnect(self, _: s.DisconnectAllUsers) -> None:
        warning = "!!! Warning: All clients will be disconnected due to breaking schema changes"
        self.out.line(self.out.span("warning", warning))

    def nothing(self, _: s.Step) -> None:
        """The step is not told of."""


def _callee(schedule: ScheduleDef) -> str:
    return "procedure" if schedule.is_procedure else "reducer"


#: What is written of each step.
PRINTERS: Final[dict[type[s.Step], Callable[[_Printer, Any], None]]] = {
    s.RemoveIndex: _Printer.index,
    s.RemoveConstraint: _Printer.constraint,
    s.RemoveSequence: _Printer.sequence,
    s.RemoveSchedule: _Printer.schedule,
    s.RemoveView: _Printer.view,
    s.RemoveRowLevelSecurity: _Printer.rule,
    s.RemoveTable: _Printer.remove_table,
    s.ChangeColumns: _Printer.change_columns,
    s.ReschemaEventTable: _Printer.reschema,
    s.AddColumns: _Printer.add_columns,
    s.ChangeIndexSourceName: _Printer.index,
    s.ChangeTableAccessorName: _Printer.table_accessor,
    s.ChangeOutbox: _Printer.nothing,
    s.ChangeColumnAccessorName: _Printer.column_accessor,
    s.AddTable: _Printer.add_table,
    s.AddIndex: _Printer.index,
    s.AddConstraint: _Printer.constraint,
    s.AddSequence: _Printer.sequence,
    s.AddSchedule: _Printer.schedule,
    s.AddView: _Printer.view,
    s.AddRowLevelSecurity: _Printer.rule,
    s.ChangeAccess: _Printer.access,
    s.ChangePrimaryKey: _Printer.primary_key,
    s.UpdateView: _Printer.nothing,
    s.DisconnectAllUsers: _Printer.disconnect,
}
