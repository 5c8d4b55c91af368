"""Where the boxes of a picture go: a layered layout, small enough to read.

Boxes that refer to one another form groups. In a group what refers stands to the left of what it refers to: a
box's layer is the longest way to it, lines that close a circle not counted. Within a layer boxes are ordered
by where their neighbours are, forth and back a few times, which removes most crossings. A line that passes
layers has a narrow place of its own in each, so it runs between boxes. A layer too tall is broken into
several columns. Groups are put on shelves, the tallest first; boxes without any line fill columns below.
Everything is linear in boxes and lines, but for sorting.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Box", "Layout", "lay_out"]

_K = TypeVar("_K", bound=Hashable)

_GAP_X = 84.0  #: between layers: room for the lines
_GAP_Y = 20.0
_GROUP_GAP = 36.0
_MAX_LAYERS = 8
_MAX_PER_COLUMN = 9
_SWEEPS = 4
_MAX_THREADED = 400  #: lines that get places of their own; more of them are a thicket anyway
_THREAD = 4.0  #: height of such a place
_PAGE = 1180.0  #: the width that groups are put on shelves for


@dataclass(slots=True)
class Box(Generic[_K]):
    """A rectangle to place; `x` and `y` are its upper left corner once it is."""

    key: _K
    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


@dataclass(slots=True)
class Layout(Generic[_K]):
    """Boxes in their places, the size of the picture, and for lines past layers the places they run through."""

    boxes: dict[_K, Box[_K]]
    ways: dict[tuple[_K, _K], list[Box[_K]]] = field(default_factory=dict[tuple[_K, _K], list["Box[_K]"]])
    width: float = 0.0
    height: float = 0.0


@dataclass(slots=True)
class _Group(Generic[_K]):
    columns: list[list[Box[_K]]] = field(default_factory=list[list[Box[_K]]])
    width: float = 0.0
    height: float = 0.0


def lay_out(boxes: Sequence[Box[_K]], lines: Iterable[tuple[_K, _K]]) -> Layout[_K]:
    """Place the boxes; `lines` go from what refers to what it refers to, both among the boxes."""
    layout = Layout({box.key: box for box in boxes})
    forth: dict[_K, list[_K]] = {box.key: [] for box in boxes}
    back: dict[_K, list[_K]] = {box.key: [] for box in boxes}
    for source, target in dict.fromkeys(lines):
        if source != target:
            forth[source].append(target)
            back[target].append(source)
    layers = _layers(forth)
    groups: list[_Group[_K]] = []
    for keys in _connected(forth, back):
        if len(keys) > 1:
            ranks = _Ranks({key: layout.boxes[key] for key in keys}, layers)
            ranks.draw_lines(forth)
            layout.ways |= ranks.ways
            groups.append(_group(ranks.in_order()))
    _shelve(sorted(groups, key=lambda group: -group.height), layout)
    _fill([box for box in boxes if not forth[box.key] and not back[box.key]], layout)
    return layout


def _layers(forth: dict[_K, list[_K]]) -> dict[_K, int]:
    order, closing = _finished(forth)
    layers = dict.fromkeys(forth, 0)
    for key in reversed(order):
        for target in forth[key]:
            if (key, target) not in closing:
                layers[target] = max(layers[target], min(layers[key] + 1, _MAX_LAYERS - 1))
    return layers


def _finished(forth: dict[_K, list[_K]]) -> tuple[list[_K], set[tuple[_K, _K]]]:
    """Keys in the order a depth-first walk leaves them, and the lines that close a circle."""
    order: list[_K] = []
    closing: set[tuple[_K, _K]] = set()
    state: dict[_K, bool] = {}  # whether the walk is still inside
    for root in forth:
        todo = [] if root in state else [(root, iter(forth[root]))]
        state.setdefault(root, True)
        while todo:
            key, targets = todo[-1]
            for target in targets:
                if target not in state:
                    state[target] = True
                    todo.append((target, iter(forth[target])))
                    break
                if state[target]:
                    closing.add((key, target))
            else:
                state[key] = False
                order.append(key)
                todo.pop()
    return order, closing


def _connected(forth: dict[_K, list[_K]], back: dict[_K, list[_K]]) -> list[list[_K]]:
    """Keys by group, groups and keys in the order given."""
    seen: set[_K] = set()
    groups: list[list[_K]] = []
    for root in forth:
        if root in seen:
            continue
        seen.add(root)
        todo, members = [root], {root}
        while todo:
            key = todo.pop()
            for other in (*forth[key], *back[key]):
                if other not in seen:
                    seen.add(other)
                    members.add(other)
                    todo.append(other)
        groups.append(list(members) if len(members) == 1 else [key for key in forth if key in members])
    return groups


class _Ranks(Generic[_K]):
    """One group's boxes by layer, and the places of lines among them; numbered, so that both can be sorted alike."""

    def __init__(self, boxes: dict[_K, Box[_K]], layers: dict[_K, int]) -> None:
        self.places: list[Box[_K]] = list(boxes.values())
        self.number = {key: number for number, key in enumerate(boxes)}
        self.layer = [layers[key] for key in boxes]
        self.forth: list[list[int]] = [[] for _ in boxes]
        self.back: list[list[int]] = [[] for _ in boxes]
        self.ways: dict[tuple[_K, _K], list[Box[_K]]] = {}

    def draw_lines(self, forth: dict[_K, list[_K]]) -> None:
        """Connect the boxes, by way of a place in each layer that a line passes."""
        for key in list(self.number):
            for target in forth[key]:
                before, last = self.number[key], self.number[target]
                way: list[Box[_K]] = []
                if len(self.ways) < _MAX_THREADED:
                    for layer in range(self.layer[before] + 1, self.layer[last]):
                        way.append(Box(key, 0.0, _THREAD))
                        before = self._connect(before, self._place(way[-1], layer))
                self._connect(before, last)
                if way:
                    self.ways[key, target] = way

    def _place(self, box: Box[_K], layer: int) -> int:
        self.places.append(box)
        self.layer.append(layer)
        self.forth.append([])
        self.back.append([])
        return len(self.places) - 1

    def _connect(self, source: int, target: int) -> int:
        self.forth[source].append(target)
        self.back[target].append(source)
        return target

    def in_order(self) -> list[list[Box[_K]]]:
        """Layer by layer what stands there, top to bottom."""
        by_layer: dict[int, list[int]] = {}
        for number, layer in enumerate(self.layer):
            by_layer.setdefault(layer, []).append(number)
        ranks = [by_layer[layer] for layer in sorted(by_layer)]
        for sweep in range(_SWEEPS):
            sideways = (ranks, self.back) if sweep % 2 == 0 else (ranks[::-1], self.forth)
            _sort_by_neighbours(*sideways)
        return [[self.places[number] for number in rank] for rank in ranks]


def _sort_by_neighbours(ranks: list[list[int]], neighbours: list[list[int]]) -> None:
    """Order each rank but the first by the mean place of the neighbours; what has none keeps its own."""
    places: dict[int, float] = {}
    for rank in ranks:
        wanted: dict[int, float] = {}
        for place, number in enumerate(rank):
            around = [places[other] for other in neighbours[number] if other in places]
            wanted[number] = sum(around) / len(around) if around else place / len(rank)
        rank.sort(key=wanted.__getitem__)
        places |= {number: place / len(rank) for place, number in enumerate(rank)}


def _group(ranks: list[list[Box[_K]]]) -> _Group[_K]:
    """The group with its boxes placed, from its own upper left corner."""
    group: _Group[_K] = _Group()
    for rank in ranks:
        per_column = -(-len(rank) // -(-len(rank) // _MAX_PER_COLUMN))
        group.columns += [rank[i : i + per_column] for i in range(0, len(rank), per_column)]
    heights = [sum(box.height for box in column) + _GAP_Y * (len(column) - 1) for column in group.columns]
    group.height = max(heights)
    for column, height in zip(group.columns, heights, strict=True):
        y = (group.height - height) / 2
        width = max(box.width for box in column)
        for box in column:
            box.x, box.y = group.width, y
            # a line's place is as wide as its column: the line is straight there
            box.width = box.width or width
            y += box.height + _GAP_Y
        group.width += width + _GAP_X
    group.width -= _GAP_X
    return group


def _shelve(groups: list[_Group[_K]], layout: Layout[_K]) -> None:
    """Put groups side by side while they fit the page, then on the next shelf."""
    x = top = bottom = 0.0
    for group in groups:
        if x and x + group.width > _PAGE:
            x, top = 0.0, bottom + _GROUP_GAP
        for column in group.columns:
            for box in column:
                box.x += x
                box.y += top
        x += group.width + _GROUP_GAP
        bottom = max(bottom, top + group.height)
        layout.width = max(layout.width, x - _GROUP_GAP)
    layout.height = bottom


def _fill(boxes: list[Box[_K]], layout: Layout[_K]) -> None:
    """Put boxes without lines below, each in the column that is shortest so far."""
    if not boxes:
        return
    width = max(box.width for box in boxes)
    count = max(1, min(len(boxes), int((max(_PAGE, layout.width) + _GAP_Y) // (width + _GAP_Y))))
    top = layout.height + _GROUP_GAP if layout.height else 0.0
    bottoms = [top] * count
    for box in boxes:
        column = min(range(count), key=bottoms.__getitem__)
        box.x, box.y = column * (width + _GAP_Y), bottoms[column]
        bottoms[column] += box.height + _GAP_Y
    layout.width = max(layout.width, count * (width + _GAP_Y) - _GAP_Y)
    layout.height = max(bottoms) - _GAP_Y
