"""The plain-text form, the one that the reference prints.

What it looks like, found from several thousand descriptions:

- Sections, in this order, each only if it has something, a blank line between: Tables, Views, Reducers, Procedures, HTTP
  routes, Environment variables, Types, Row-level security. Items are indented by two spaces. A module without anything
  is the empty text; otherwise the text ends with one line feed.
- Items are sorted by full name, submodules' among the others (`lib.message`), compared as text by code points. Routes keep
  the order in which they are matched. A submodule's routes and row-level security are not shown.
- A table is `name (public)`, `(private)`, `(public, event)` or `(private, event)`; blank lines separate tables. Below, by
  four: `Columns:` (always), `Unique constraints:`, `Indexes:`, `Schedule: calls reducer name` (or `procedure`).
- Columns, variables and indexes stand in columns, two spaces apart, as wide as the widest of their list counted in
  characters. After a column's type: `primary key` or else `unique`, `auto-increment`, `default: value`, joined by commas.
  Lines without any of them end with the type. Default values are SATN: strings are not escaped, line feeds included.
- Unique constraints over one column are that column's `unique`; over several, `(a, b)` in the order of the columns, sorted by
  the constraints' names. Indexes are sorted by name, which a submodule's namespace precedes; their columns keep the order.
- Functions are `name(a: T, b: U) -> R`. A view always has a result, a query view's is the array of its rows; a procedure
  without a result and a reducer show none. After two spaces: `[public]` or `[private]`, then `[anonymous]`, for a view;
  `[lifecycle: init]` (`client_connected`, `client_disconnected`), then `[private]`, for the others.
- A route is `GET /path → handler`, `ANY` for every method; an empty path is `""`. A variable's type is `String`, or its
  possible values in quotes joined by ` | `, then `optional`.
- Types are the named ones that columns, parameters and results reach, row types of tables left out: `A = { x: T }`, `A = {}`,
  `A = x | y(T)`, where a variant whose payload is the unit type shows none; one without any variant is `A = ` with a blank
  after it. Scopes and namespace precede with dots. A reference is the type's name without the namespace.

Ours alone, for what no valid definition has: names with invisible characters show them as escapes, so that a description
cannot play with the terminal (in default values and row-level security line feeds, tabs and NUL stay as they are); a table
whose row type is no product says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from defs.describe.model import Column, Description, NamedType, Param, Procedure, Reducer, Route, Table, Variable, View
from defs.describe.words import quoted, visible

__all__ = ["choices_text", "column_notes", "signature", "summary", "to_text", "type_body"]

_KEPT = "\n\t\0"  #: Invisible characters that values keep, because the reference prints them too.


def to_text(description: Description) -> str:
    """The description as the reference prints it."""
    sections = (
        ("Tables", _tables(description.tables)),
        ("Views", [_view(view) for view in description.views]),
        ("Reducers", [_reducer(reducer) for reducer in description.reducers]),
        ("Procedures", [_procedure(procedure) for procedure in description.procedures]),
        ("HTTP routes", [_route(route) for route in description.routes]),
        ("Environment variables", _aligned([_variable(variable) for variable in description.environment or ()])),
        ("Types", [f"{visible(kind.full_name)} = {type_body(kind)}" for kind in description.listed_types]),
        ("Row-level security", [visible(sql, _KEPT) for sql in description.row_level_security]),
    )
    return "\n".join(_section(title, lines) for title, lines in sections if lines)


def summary(description: Description) -> str:
    """How much there is, in a few words."""
    events = sum(table.is_event for table in description.tables)
    counts = (
        (len(description.tables), "table", f" ({events} of them for events)" if events else ""),
        (len(description.views), "view", ""),
        (len(description.reducers), "reducer", ""),
        (len(description.procedures), "procedure", ""),
    )
    shown = [f"{count} {what}{'' if count == 1 else 's'}{more}" for count, what, more in counts if count]
    return ", ".join(shown) or "An empty module"


def _section(title: str, items: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in (title, *(f"  {item}" for item in items)))


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells, every cell but a row's last as wide as its column."""
    widths: dict[int, int] = {}
    for row in rows:
        for column, cell in enumerate(row):
            widths[column] = max(widths.get(column, 0), len(cell))
    return ["  ".join([*(cell.ljust(widths[i]) for i, cell in enumerate(row[:-1])), row[-1]]) for row in rows]


def _tables(tables: Sequence[Table]) -> list[str]:
    """One item a table, with the blank line before the next in it."""
    texts = ["\n  ".join(_table(table)) for table in tables]
    return [*(f"{text}\n" for text in texts[:-1]), *texts[-1:]]


def _table(table: Table) -> list[str]:
    access = "public" if table.is_public else "private"
    lines = [f"{visible(table.full_name)} ({access}{', event' if table.is_event else ''})", "  Columns:"]
    lines += _indented([f"({table.problem})"] if table.problem else _aligned([_column(c) for c in table.columns]))
    if table.unique_constraints:
        lines += ["  Unique constraints:", *_indented(_columns(columns) for columns in table.unique_constraints)]
    if table.indexes:
        rows = [(visible(index.name), f"{index.algorithm} {_columns(index.columns)}") for index in table.indexes]
        lines += ["  Indexes:", *_indented(_aligned(rows))]
    if table.schedule:
        called = f"{table.schedule.function_kind or 'unknown function'} {visible(table.schedule.function)}"
        lines.append(f"  Schedule: calls {called}")
    return lines


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _columns(names: Iterable[str]) -> str:
    return f"({', '.join(visible(name) for name in names)})"


def column_notes(column: Column) -> list[str]:
    """What a column is besides its type, default left out."""
    key = "primary key" if column.is_primary_key else "unique" if column.is_unique else ""
    return [note for note in (key, "auto-increment" if column.is_auto_increment else "") if note]


def _column(column: Column) -> list[str]:
    notes = column_notes(column)
    if column.default is not None:
        notes.append(f"default: {visible(column.default, _KEPT)}")
    return [visible(column.name), visible(column.type), *([", ".join(notes)] if notes else [])]


def signature(name: str, params: Iterable[Param], returns: str | None) -> str:
    """A function as `name(a: T) -> R`."""
    listed = ", ".join(f"{visible(param.name)}: {visible(param.type)}" for param in params)
    return f"{visible(name)}({listed})" + ("" if returns is None else f" -> {visible(returns)}")


def _marks(*marks: str) -> str:
    shown = " ".join(f"[{mark}]" for mark in marks if mark)
    return f"  {shown}" if shown else ""


def _view(view: View) -> str:
    access = "public" if view.is_public else "private"
    marks = _marks(access, "anonymous" if view.is_anonymous else "")
    return signature(view.full_name, view.params, view.return_type) + marks


def _reducer(reducer: Reducer) -> str:
    lifecycle = f"lifecycle: {reducer.lifecycle}" if reducer.lifecycle else ""
    marks = _marks(lifecycle, "private" if reducer.is_private else "")
    return signature(reducer.full_name, reducer.params, None) + marks


def _procedure(procedure: Procedure) -> str:
    marks = _marks("private" if procedure.is_private else "")
    return signature(procedure.full_name, procedure.params, procedure.return_type) + marks


def _route(route: Route) -> str:
    return f"{visible(route.method)} {visible(route.path) or quoted('')} → {visible(route.handler)}"


def choices_text(variable: Variable) -> str:
    """The type of an environment variable."""
    return "String" if variable.choices is None else " | ".join(quoted(choice) for choice in variable.choices)


def _variable(variable: Variable) -> list[str]:
    return [visible(variable.name), choices_text(variable), *(["optional"] if variable.is_optional else [])]


def type_body(kind: NamedType) -> str:
    """What stands after a type's name and `=`."""
    if kind.kind == "alias":
        return visible(kind.alias)
    if kind.kind == "product":
        fields = ", ".join(f"{visible(member.name)}: {visible(member.type or '')}" for member in kind.members)
        return f"{{ {fields} }}" if fields else "{}"
    variants = (member.name if member.type is None else f"{member.name}({member.type})" for member in kind.members)
    return " | ".join(visible(variant) for variant in variants)
