"""The picture of the HTML page: an SVG of tables, the types they use, and the functions that their rows call.

Words are set in a font of fixed width, so the size of a box follows from its texts. A line leaves from the row of the column or
member that makes it. Colours are classes, set by the page's style sheet. At most `MAX_BOXES` boxes of `_MAX_ROWS` rows are
drawn: the cards below the picture say everything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from defs.describe import model as m
from defs.describe.layout import Box, Layout, lay_out
from defs.describe.words import clip, visible

__all__ = ["MAX_BOXES", "anchor", "draw"]

MAX_BOXES = 300
_MAX_ROWS = 24
_MAX_WORD = 30
_CHARACTER = 7.25  #: width of one at 12 px, rounded up
_ROW, _HEAD, _FOOT, _PAD = 19.0, 30.0, 6.0, 12.0
_MARGIN = 14.0


@dataclass(frozen=True, slots=True)
class _Row:
    mark: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class _Content:
    title: str
    style: str
    badge: str
    rows: tuple[_Row, ...]
    hidden: int


def anchor(node: m.Node) -> str:
    """The id of a node's card on the page."""
    return f"{node.kind.value}-{node.position}"


def draw(description: m.Description) -> tuple[str, int]:
    """The picture, empty without any table, and how many boxes are not in it."""
    every = list(_contents(description))
    contents = dict(every[:MAX_BOXES])
    if not description.tables:
        return "", 0
    links = [
        link
        for link in description.links
        if link.kind is not m.LinkKind.RETURNS and link.source in contents and link.target in contents
    ]
    boxes = [Box(node, _width(content), _height(content)) for node, content in contents.items()]
    layout = lay_out(boxes, [(link.source, link.target) for link in links])
    drawn = [*_lines(links, layout, contents), *(_box(layout.boxes[node], c) for node, c in contents.items())]
    return _svg(layout, drawn), len(every) - len(contents)


def _svg(layout: Layout[m.Node], drawn: list[str]) -> str:
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{-_MARGIN:.0f} {-_MARGIN:.0f} {width:.0f} {height:.0f}" role="img" '
        'aria-label="Tables, the types they use and the functions they call">'
    )
    arrow = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z" class="tip"/></marker></defs>'
    )
    return "\n".join([head, arrow, *drawn, "</svg>"])


# What the boxes say -------------------------------------------------------------------------------------------------


def _contents(description: m.Description) -> Iterator[tuple[m.Node, _Content]]:
    for position, table in enumerate(description.tables):
        style = "event" if table.is_event else "table"
        badge = f"{'' if table.is_public else 'private '}{'event' if table.is_event else ''}".strip()
        rows = [_Row(_mark(column), column.name, column.type) for column in table.columns]
        yield m.Node(m.NodeKind.TABLE, position), _content(table.full_name, style, badge, rows)
    for position, kind in enumerate(description.types):
        if kind.is_listed:
            badge = {"sum": "one of", "alias": "alias"}.get(kind.kind, "")
            rows = [_Row("", member.name, member.type or "") for member in kind.members]
            yield m.Node(m.NodeKind.TYPE, position), _content(kind.full_name, "type", badge, rows)
    functions: dict[m.NodeKind, Sequence[m.Reducer | m.Procedure]] = {
        m.NodeKind.REDUCER: description.reducers,
        m.NodeKind.PROCEDURE: description.procedures,
    }
    called = (link.target for link in description.links if link.kind is m.LinkKind.SCHEDULES)
    for node in dict.fromkeys(called):
        function = functions[node.kind][node.position]
        rows = [_Row("", param.name, param.type) for param in function.params]
        yield node, _content(function.full_name, "function", type(function).__name__.lower(), rows)


def _mark(column: m.Column) -> str:
    return "PK" if column.is_primary_key else "UQ" if column.is_unique else ""


def _content(title: str, style: str, badge: str, rows: list[_Row]) -> _Content:
    shown = tuple(_Row(row.mark, _word(row.name), _word(row.type)) for row in rows[:_MAX_ROWS])
    return _Content(_word(title), style, badge, shown, len(rows) - len(shown))


def _word(text: str) -> str:
    return clip(visible(text), _MAX_WORD)


def _measure(text: str) -> float:
    """Width of a text: East Asian characters take two places."""
    return _CHARACTER * sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _width(content: _Content) -> float:
    marks = 24.0 if any(row.mark for row in content.rows) else 0.0
    rows = (marks + _measure(row.name) + 18 + _measure(row.type) for row in content.rows)
    title = 1.09 * _measure(content.title) + (14 + 0.85 * _measure(content.badge) if content.badge else 0)
    return 2 * _PAD + max(title, 110.0, *rows)


def _height(content: _Content) -> float:
    rows = len(content.rows) + (1 if content.hidden else 0)
    return _HEAD + (rows * _ROW + _FOOT if rows else 0.0)


# Drawing ------------------------------------------------------------------------------------------------------------


def _text(x: float, y: float, style: str, text: str, *, end: bool = False) -> str:
    anchor_ = ' text-anchor="end"' if end else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" class="{style}"{anchor_}>{escape(text)}</text>'


def _box(box: Box[m.Node], content: _Content) -> str:
    right = box.width - _PAD
    marks = 24.0 if any(row.mark for row in content.rows) else 0.0
    parts = [
        f'<a href="#{anchor(box.key)}" class="box {content.style}" transform="translate({box.x:.0f} {box.y:.0f})">',
        f'<rect class="body" width="{box.width:.0f}" height="{box.height:.0f}" rx="7"/>',
        _head(box, bool(content.rows or content.hidden)),
        _text(_PAD, 20, "title", content.title),
    ]
    if content.badge:
        parts.append(_text(right, 20, "badge", content.badge, end=True))
    for position, row in enumerate(content.rows):
        y = _HEAD + position * _ROW + 15
        if row.mark:
            parts.append(_text(_PAD, y, "key", row.mark))
        parts += [_text(_PAD + marks, y, "name", row.name), _text(right, y, "kind", row.type, end=True)]
    if content.hidden:
        y = _HEAD + len(content.rows) * _ROW + 15
        parts.append(_text(_PAD, y, "kind", f"… {content.hidden} more"))
    return "".join([*parts, "</a>"])


def _head(box: Box[m.Node], has_rows: bool) -> str:
    """The title's background: round above, and below too if nothing follows."""
    w, h = box.width, _HEAD
    bottom = f"V{h:.0f}H0" if has_rows else f"V{h - 7:.0f}a7 7 0 0 1 -7 7H7a7 7 0 0 1 -7 -7"
    return f'<path class="head" d="M0 7a7 7 0 0 1 7 -7H{w - 7:.0f}a7 7 0 0 1 7 7{bottom}z"/>'


def _lines(links: list[m.Link], layout: Layout[m.Node], contents: dict[m.Node, _Content]) -> Iterator[str]:
    for link in links:
        source, target = layout.boxes[link.source], layout.boxes[link.target]
        y1 = source.y + _port(contents[link.source], _word(link.label))
        y2 = target.y + _HEAD / 2
        style = "line calls" if link.kind is m.LinkKind.SCHEDULES else "line"
        way = layout.ways.get((link.source, link.target), [])
        yield f'<path class="{style}" d="{_curve(source, target, y1, y2, way)}" marker-end="url(#arrow)"/>'


def _port(content: _Content, label: str) -> float:
    """Where in a box the row with that name is."""
    rows = (position for position, row in enumerate(content.rows) if row.name == label)
    position = next(rows, len(content.rows) if content.hidden else -1)
    return _HEAD / 2 if position < 0 else _HEAD + position * _ROW + 10


def _curve(source: Box[m.Node], target: Box[m.Node], y1: float, y2: float, way: list[Box[m.Node]]) -> str:
    """From the right side of the source to the left side of the target; around, if that is not to the right."""
    x1, x2 = source.x + source.width, target.x
    if x2 <= x1:
        right = target.x + target.width
        reach = max(x1, right) + 34
        return f"M{x1:.0f} {y1:.0f}C{reach:.0f} {y1:.0f} {reach:.0f} {y2:.0f} {right:.0f} {y2:.0f}"
    path = [f"M{x1:.0f} {y1:.0f}"]
    x, y = x1, y1
    for place in way:
        middle = place.y + place.height / 2
        path += [_bend(x, y, place.x, middle), f"H{place.x + place.width:.0f}"]
        x, y = place.x + place.width, middle
    return "".join([*path, _bend(x, y, x2, y2)])


def _bend(x1: float, y1: float, x2: float, y2: float) -> str:
    middle = (x1 + x2) / 2
    return f"C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
