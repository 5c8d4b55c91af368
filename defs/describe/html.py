"""The description as one HTML file: a picture, and below it a card or line for everything.

The file needs nothing else: no request leaves it, and its content policy forbids any, and any style or script
but its own two. Every word of the definition is escaped. The picture is drawn here, as SVG
(`defs.describe.picture`); the one small script filters the cards and dims the picture, and the page is
complete without it. Size is linear in the description.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from defs.describe import model as m
from defs.describe.page import SCRIPT, STYLE
from defs.describe.picture import anchor, draw
from defs.describe.text import choices_text, column_notes, summary
from defs.describe.words import visible
from defs.page import framed

__all__ = ["to_html"]


def to_html(description: m.Description) -> str:
    """The page."""
    return framed(f"SpacetimeDB module: {summary(description)}", STYLE, _Page(description).body(), SCRIPT)


def _words(text: str) -> str:
    return escape(visible(text))


def _code(text: str) -> str:
    return f"<code>{_words(text)}</code>"


def _flag(text: str, *, hot: bool = False) -> str:
    return f'<span class="flag{" hot" if hot else ""}">{escape(text)}</span>' if text else ""


class _Page:
    """Writes the body; `targets` says where a column's or member's type is to be found."""

    def __init__(self, description: m.Description) -> None:
        self.description = description
        listed = {m.Node(m.NodeKind.TYPE, position) for position, kind in enumerate(description.types) if kind.is_listed}
        self.targets: dict[tuple[m.Node, str], m.Node] = {}
        for link in description.links:
            is_shown = link.target.kind is not m.NodeKind.TYPE or link.target in listed
            if is_shown and link.kind is not m.LinkKind.SCHEDULES:
                self.targets.setdefault((link.source, link.label), link.target)

    def body(self) -> Iterator[str]:
        d = self.description
        yield f"<header><h1>Module</h1><p>{summary(d)}; definition version {d.version}</p>"
        yield '<input type="search" placeholder="Find…" aria-label="Find a name" hidden></header><main>'
        yield from self._picture()
        yield from _section("Tables", "cards", map(self._table, range(len(d.tables)), d.tables))
        yield from _section("Views", "list", map(self._view, range(len(d.views)), d.views))
        yield from _section("Reducers", "list", map(self._reducer, range(len(d.reducers)), d.reducers))
        yield from _section("Procedures", "list", map(self._procedure, range(len(d.procedures)), d.procedures))
        yield from _section("HTTP routes", "list", map(_route, d.routes))
        yield from _section("Environment variables", "list", map(_variable, d.environment or ()))
        types = ((position, kind) for position, kind in enumerate(d.types) if kind.is_listed)
        yield from _section("Types", "cards", (self._type(position, kind) for position, kind in types))
        yield from _section("Row-level security", "list", map(_rule, d.row_level_security))
        yield "</main>"

    def _picture(self) -> Iterator[str]:
        picture, hidden = draw(self.description)
        if picture:
            yield f'<div class="picture" tabindex="0">{picture}</div>'
            yield (
                '<p class="note">Lines lead from a column to its type; dashed ones to the function that rows call.'
                + (f" {hidden} more boxes are not drawn, only listed." if hidden else "")
                + "</p>"
            )

    # -- cards

    def _typed(self, node: m.Node, label: str, text: str) -> str:
        target = self.targets.get((node, label))
        return f'<a href="#{anchor(target)}">{_words(text)}</a>' if target else _words(text)

    def _table(self, position: int, table: m.Table) -> str:
        node = m.Node(m.NodeKind.TABLE, position)
        flags = (
            _flag("event", hot=True) if table.is_event else "",
            _flag("public" if table.is_public else "private"),
            _flag("system" if table.is_system else ""),
        )
        rows = [self._column(node, column) for column in table.columns]
        return _card(node, "event" if table.is_event else "table", table.full_name, flags, rows, _facts(table))

    def _column(self, node: m.Node, column: m.Column) -> str:
        name = f"<b>{_words(column.name)}</b>" if column.is_primary_key else _words(column.name)
        notes = [escape(note) for note in column_notes(column)]
        if column.default is not None:
            notes.append(f"default {_code(column.default)}")
        why = f'<span class="why">{", ".join(notes)}</span>' if notes else ""
        return f"<tr><td>{name}{why}</td><td>{self._typed(node, column.name, column.type)}</td></tr>"

    def _type(self, position: int, kind: m.NamedType) -> str:
        node = m.Node(m.NodeKind.TYPE, position)
        members = kind.members if kind.kind != "alias" else (m.Member("", kind.alias),)
        rows = [
            f"<tr><td>{_words(member.name)}</td><td>{self._typed(node, member.name, member.type or '')}</td></tr>"
            for member in members
        ]
        flag = {"sum": "one of", "alias": "alias"}.get(kind.kind, "")
        return _card(node, "type", kind.full_name, (_flag(flag),), rows, ())

    # -- lines

    def _view(self, position: int, view: m.View) -> str:
        flags = ("public" if view.is_public else "private", "anonymous" * view.is_anonymous)
        key = f"primary key {', '.join(visible(name) for name in view.primary_key)}" if view.primary_key else ""
        node = m.Node(m.NodeKind.VIEW, position)
        returns = self._typed(node, "", view.return_type)
        return _function(node, view.full_name, view.params, returns, (*flags, key))

    def _reducer(self, position: int, reducer: m.Reducer) -> str:
        flags = (f"on {reducer.lifecycle}" if reducer.lifecycle else "", "private" * reducer.is_private)
        return _function(m.Node(m.NodeKind.REDUCER, position), reducer.full_name, reducer.params, "", flags)

    def _procedure(self, position: int, procedure: m.Procedure) -> str:
        node = m.Node(m.NodeKind.PROCEDURE, position)
        returns = _words(procedure.return_type or "")
        return _function(node, procedure.full_name, procedure.params, returns, ("private" * procedure.is_private,))


def _section(title: str, style: str, items: Iterable[str]) -> Iterator[str]:
    found = list(items)
    if found:
        tag = "ul" if style == "list" else "div"
        yield f'<section class="group"><h2>{escape(title)} <small>{len(found)}</small></h2><{tag} class="{style}">'
        yield from found
        yield f"</{tag}></section>"


def _card(node: m.Node, style: str, name: str, flags: Iterable[str], rows: list[str], facts: Iterable[str]) -> str:
    parts = [f'<article class="card {style}" id="{anchor(node)}" data-find>']
    parts.append(f"<h3>{_code(name)}{''.join(flags)}</h3>")
    if rows:
        parts += ['<table class="cols">', *rows, "</table>"]
    parts += [f'<p class="more">{fact}</p>' for fact in facts]
    return "".join([*parts, "</article>"])


def _facts(table: m.Table) -> Iterator[str]:
    """What a table has besides columns."""
    if table.problem:
        yield escape(table.problem)
    for columns in table.unique_constraints:
        yield f"Unique together: {_names(columns)}"
    indexes = [f"{_names(index.columns)} {escape(index.algorithm)}" for index in table.indexes]
    if indexes:
        yield f"Indexes: {' · '.join(indexes)}"
    if table.schedule:
        kind = table.schedule.function_kind or "unknown function"
        yield f"Rows call {kind} {_code(table.schedule.function)} at {_code(table.schedule.column)}"
    if table.outbox:
        yield f"Rows call {_code(table.outbox.remote_reducer)} of the database in {_code(table.outbox.target_column)}"


def _names(names: Iterable[str]) -> str:
    return f"<code>{escape(', '.join(visible(name) for name in names))}</code>"


def _line(content: str, flags: Iterable[str], node: m.Node | None = None) -> str:
    place = f' id="{anchor(node)}"' if node else ""
    return f"<li{place} data-find>{content}{''.join(_flag(flag) for flag in flags)}</li>"


def _function(node: m.Node, name: str, params: Iterable[m.Param], returns: str, flags: Iterable[str]) -> str:
    listed = ", ".join(f"{_words(param.name)}: {_words(param.type)}" for param in params)
    result = f" → {returns}" if returns else ""
    return _line(f"<code><b>{_words(name)}</b>({listed}){result}</code>", flags, node)


def _route(route: m.Route) -> str:
    return _line(f"{_code(f'{route.method} {route.path}')} → {_code(route.handler)}", ())


def _variable(variable: m.Variable) -> str:
    return _line(f"{_code(variable.name)} {_code(choices_text(variable))}", ("optional" * variable.is_optional,))


def _rule(sql: str) -> str:
    return _line(f"<code>{escape(visible(sql, keep=chr(10) + chr(9)))}</code>", ())
