"""The description as a Mermaid entity-relationship diagram, for Markdown pages and wikis that draw them.

Entities are the tables and the named types that something drawn uses. A box is called `t0`, `y3`, ... (unique
whatever the names are) and shows its name as an alias. Mermaid's grammar allows few characters in attribute
names and types, so those are written as far as they go and the exact text stands in the attribute's comment
when something had to be changed. Keys are PK and UK; event tables, access and kinds of types stand in the
box's title. A solid line says that a column or member has that type, a dotted one that rows call a function,
which is drawn as a box of its own.

More than `MAX_BOXES` boxes are no picture any more (and past Mermaid's own limits): the rest is counted in a
comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from defs.describe import model as m
from defs.describe.text import column_notes
from defs.describe.words import clip, visible

__all__ = ["MAX_BOXES", "to_mermaid"]

MAX_BOXES = 200
_MAX_ATTRIBUTES = 100
_MAX_TITLE = 80
_PREFIX = {
    m.NodeKind.TABLE: "t",
    m.NodeKind.TYPE: "y",
    m.NodeKind.REDUCER: "r",
    m.NodeKind.PROCEDURE: "p",
    m.NodeKind.VIEW: "v",
}
_LINES = {m.LinkKind.USES: "}o--||", m.LinkKind.SCHEDULES: "||..||"}
_KEYS = ("PK", "FK", "UK")  #: Words that Mermaid takes for marks of keys, wherever they stand.
_NOT_A_WORD = re.compile(r"[^A-Za-z0-9_]+")
#: What Mermaid would read as syntax inside a quoted text, and what writes it as an entity of Mermaid's own.
_QUOTED = re.compile(r'["#;%`<>&{}\\]')


def to_mermaid(description: m.Description) -> str:
    """The diagram's source."""
    lines = ["erDiagram"]
    boxes = _boxes(description)
    shown = dict(list(boxes.items())[:MAX_BOXES])
    for box in shown.values():
        lines += box
    for link in description.links:
        if link.kind in _LINES and link.source in shown and link.target in shown:
            ends = f"{_id(link.source)} {_LINES[link.kind]} {_id(link.target)}"
            lines.append(f"    {ends} : {_quoted(link.label or link.kind.value)}")
    if len(shown) < len(boxes):
        lines.append(f"    %% {len(boxes) - len(shown)} more tables and types are not drawn")
    return "\n".join(lines) + "\n"


def _boxes(description: m.Description) -> dict[m.Node, list[str]]:
    """Lines of every box: tables first, then what they refer to."""
    boxes: dict[m.Node, list[str]] = {}
    for position, table in enumerate(description.tables):
        node = m.Node(m.NodeKind.TABLE, position)
        boxes[node] = _box(node, f"{visible(table.full_name)} {_flags(table)}", _columns(table))
    for position, kind in enumerate(description.types):
        if kind.is_listed:
            node = m.Node(m.NodeKind.TYPE, position)
            boxes[node] = _box(node, f"{visible(kind.full_name)} ({kind.kind})", _members(kind))
    functions: dict[m.NodeKind, Sequence[m.Reducer | m.Procedure]] = {
        m.NodeKind.REDUCER: description.reducers,
        m.NodeKind.PROCEDURE: description.procedures,
    }
    for link in description.links:
        if link.kind is m.LinkKind.SCHEDULES and link.target not in boxes:
            function = functions[link.target.kind][link.target.position]
            title = f"{visible(function.full_name)} ({type(function).__name__.lower()})"
            params = [_attribute(param.type, param.name) for param in function.params]
            boxes[link.target] = _box(link.target, title, params)
    return boxes


def _flags(table: m.Table) -> str:
    access = "public" if table.is_public else "private"
    return f"({access}{', event' if table.is_event else ''})"


def _box(node: m.Node, title: str, attributes: list[str]) -> list[str]:
    lines = [f"    {_id(node)}[{_quoted(title)}] {{", *attributes[:_MAX_ATTRIBUTES]]
    if len(attributes) > _MAX_ATTRIBUTES:
        lines.append(f'        more more "and {len(attributes) - _MAX_ATTRIBUTES} more"')
    return [*lines, "    }"]


def _columns(table: m.Table) -> list[str]:
    return [_attribute(c.type, c.name, _key(c), *_notes(c)) for c in table.columns]


def _key(column: m.Column) -> str:
    return "PK" if column.is_primary_key else "UK" if column.is_unique else ""


def _notes(column: m.Column) -> Iterator[str]:
    yield from (note for note in column_notes(column) if note == "auto-increment")
    if column.default is not None:
        yield f"default: {column.default}"


def _members(kind: m.NamedType) -> list[str]:
    if kind.kind == "alias":
        return [_attribute(kind.alias, "is")]
    return [_attribute("variant" if member.type is None else member.type, member.name) for member in kind.members]


def _attribute(kind: str, name: str, key: str = "", *notes: str) -> str:
    """A line of a box: type, name, key, and a comment with what the first two could not say."""
    words = _word(kind, "type"), _word(name, "name")
    exact = [f"{name}: {kind}"] if words != (kind, name) else []
    comment = "; ".join(visible(note) for note in (*exact, *notes))
    return " ".join(["       ", *words, *([key] if key else []), *([_quoted(comment)] if comment else [])])


def _word(text: str, fallback: str) -> str:
    """A word that Mermaid takes as an attribute's type or name: a letter, then letters, digits and underlines."""
    word = _NOT_A_WORD.sub("_", clip(text, _MAX_TITLE).rstrip("…")).strip("_")
    if not word or word.upper() in _KEYS:
        return f"{fallback}_{word}".rstrip("_")
    return word if word[0].isalpha() else f"{fallback}_{word}"


def _quoted(text: str) -> str:
    shown = visible(clip(text, _MAX_TITLE))
    return '"' + _QUOTED.sub(lambda match: f"#{ord(match[0])};", shown) + '"'


def _id(node: m.Node) -> str:
    return f"{_PREFIX[node.kind]}{node.position}"
