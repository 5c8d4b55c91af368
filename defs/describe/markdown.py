"""The description as a Markdown page for people: GitHub's flavour, a table for each table, nothing that needs
a script.

Every word of the definition is shown as code, which is what it is, and which no Markdown or HTML in it can
leave. Where a code span could be left (a backtick; a pipe in a table's cell, or a backslash before one) the
same is said in HTML with a character reference for each character that might mean something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from defs.describe import model as m
from defs.describe.text import choices_text, column_notes, signature, summary, type_body
from defs.describe.words import visible

__all__ = ["code", "to_markdown"]

_LEAVES_A_SPAN = re.compile(r"[`|\\]|^ | $")
_MEANING = re.compile(r"[^\w .,;:=()/-]|_|\b(?=://|www)")
_RUN_OF_TICKS = re.compile(r"`+")


def code(text: str) -> str:
    """The text as inline code, whatever its characters; safe in a table's cell. Empty for the empty text."""
    text = visible(text)
    if not _LEAVES_A_SPAN.search(text):
        return f"`{text}`" if text else ""
    return f"<code>{_MEANING.sub(_reference, text)}</code>"


def _reference(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};" if match[0] else ""


def _block(text: str, language: str) -> str:
    """The text as a block of code, its fence longer than any in it."""
    fence = "`" * max(3, *(len(run) + 1 for run in _RUN_OF_TICKS.findall(text)), 0)
    return f"{fence}{language}\n{visible(text, keep=chr(10) + chr(9))}\n{fence}"


def to_markdown(description: m.Description) -> str:
    """The page."""
    sections = (
        ("Tables", [block for table in description.tables for block in _table(table)]),
        ("Views", _bullets(_view(view) for view in description.views)),
        ("Reducers", _bullets(_reducer(reducer) for reducer in description.reducers)),
        ("Procedures", _bullets(_procedure(procedure) for procedure in description.procedures)),
        ("HTTP routes", _grid(("Method", "Path", "Handler"), map(_route, description.routes))),
        (
            "Environment variables",
            _grid(("Name", "Value", "Required"), map(_variable, description.environment or ())),
        ),
        ("Types", _bullets(_type(kind) for kind in description.listed_types)),
        ("Row-level security", [_block(sql, "sql") for sql in description.row_level_security]),
    )
    blocks = ["# Module", f"{summary(description)}; definition version {description.version}."]
    for title, content in sections:
        if content:
            blocks += [f"## {title}", *content]
    return "\n\n".join(blocks) + "\n"


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table, if there is any row."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return ["\n".join([f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines])] if lines else []


def _bullets(items: Iterable[str]) -> list[str]:
    lines = [f"- {item}" for item in items]
    return ["\n".join(lines)] if lines else []


# Tables -------------------------------------------------------------------------------------------------------------


def _table(table: m.Table) -> Iterator[str]:
    yield f"### {code(table.full_name)}"
    flags = ("public" if table.is_public else "private", "event" * table.is_event, "system" * table.is_system)
    yield f"*{', '.join(flag for flag in flags if flag)} table*" + (f": {table.problem}" if table.problem else "")
    yield from _grid(("Column", "Type", "Key", "Default"), (_column(column) for column in table.columns))
    yield from _grid(
        ("Index", "Algorithm", "Columns"),
        ((code(index.name), index.algorithm, _names(index.columns)) for index in table.indexes),
    )
    yield from _bullets(f"Unique together: {_names(columns)}" for columns in table.unique_constraints)
    if table.schedule:
        kind = table.schedule.function_kind or "unknown function"
        yield f"Rows call {kind} {code(table.schedule.function)} at {code(table.schedule.column)}."
    if table.outbox:
        yield f"Rows call {code(table.outbox.remote_reducer)} of the database in {code(table.outbox.target_column)}."


def _column(column: m.Column) -> tuple[str, str, str, str]:
    default = "" if column.default is None else code(column.default)
    return code(column.name), code(column.type), ", ".join(column_notes(column)), default


def _names(names: Iterable[str]) -> str:
    return ", ".join(code(name) for name in names)


# The rest -----------------------------------------------------------------------------------------------------------


def _with_notes(text: str, *notes: str) -> str:
    shown = ", ".join(note for note in notes if note)
    return f"{text} ({shown})" if shown else text


def _view(view: m.View) -> str:
    key = f"primary key {_names(view.primary_key)}" if view.primary_key else ""
    access = "public" if view.is_public else "private"
    text = code(signature(view.full_name, view.params, view.return_type))
    return _with_notes(text, access, "anonymous" * view.is_anonymous, key)


def _reducer(reducer: m.Reducer) -> str:
    text = code(signature(reducer.full_name, reducer.params, None))
    lifecycle = f"lifecycle: {reducer.lifecycle}" if reducer.lifecycle else ""
    return _with_notes(text, lifecycle, "private" * reducer.is_private)


def _procedure(procedure: m.Procedure) -> str:
    text = code(signature(procedure.full_name, procedure.params, procedure.return_type))
    return _with_notes(text, "private" * procedure.is_private)


def _route(route: m.Route) -> tuple[str, str, str]:
    return code(route.method), code(route.path or '""'), code(route.handler)


def _variable(variable: m.Variable) -> tuple[str, str, str]:
    return code(variable.name), code(choices_text(variable)), "no" if variable.is_optional else "yes"


def _type(kind: m.NamedType) -> str:
    return code(f"{visible(kind.full_name)} = {type_body(kind)}".rstrip())
