"""Module definitions at random: those of the golden vectors, edited in a few places.

A definition is a value like any other, of the type of its layout, so edits know no section by name: an item dropped, repeated
or moved, a part replaced by one of the same type from elsewhere, a name by another. Half of the edits are such that what was
valid often stays so: a name changed everywhere it stands, a part taken over from a valid definition.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from bsatn import types as t
from bsatn.codec import Codec
from defs.conformance.questions.drawing import TEXTS, draw_value
from defs.conformance.questions.trees import WIDTHS, Node, Splice, Tree, is_bytes, parse, splice, with_items
from defs.raw import layouts
from defs.vectors.files import default_directory, read, read_all

__all__ = ["Definition", "corpus", "edited", "layout_space", "tree_of"]

ROOT = t.Ref(0)  #: RawModuleDef, in the typespace of a layout
LONGEST = 3000  #: bytes of a definition that is edited
_NEWEST = {layout.id for layout in layouts.NEWEST.values()}
_WORDS = (
    "a",
    "b",
    "id",
    "x_y",
    "fooBar",
    "Foo",
    "",
    "9lives",
    "a b",
    "a.b",
    "st_table",
    "select",
    "\u200b",
    "é",
    "_",
    "x" * 64,
)


@dataclass(frozen=True, slots=True)
class Definition:
    """Bytes, and the id of the layout they are in; `valid` where the vectors say so."""

    layout: str
    data: bytes
    valid: bool

    @property
    def release(self) -> str:
        """A release whose layout it is."""
        return layouts.layout_of(self.layout, self.data[0] + 8).last


@lru_cache(maxsize=1)
def corpus() -> dict[str, tuple[Definition, ...]]:
    """What is edited: `any` definitions, those in the `newest` layouts, those that are `valid`. Raises VectorError, OSError."""
    found = {"any": [], "newest": [], "valid": []}  # type: dict[str, list[Definition]]
    for file in read_all(default_directory(), ("definitions", "validation", "conversion")):
        for case in file.cases:
            if len(case["bytes"]) > LONGEST or (file.area == "definitions" and case["verdict"] != "accept"):
                continue
            valid = file.area == "conversion" or (file.area == "validation" and case["verdict"] == "accept")
            one = Definition(case["layout"], case["bytes"], valid)
            found["any"].append(one)
            if one.layout in _NEWEST:
                found["newest"].append(one)
            if valid:
                found["valid"].append(one)
    return {name: tuple(dict.fromkeys(ones)) for name, ones in found.items()}


@lru_cache(maxsize=1)
def _spaces() -> dict[str, t.Typespace]:
    cases = read(default_directory() / "types" / "layouts.cbor").cases
    return {case["layout"]: Codec(t.Typespace).decode(case["bytes"]) for case in cases}


def layout_space(layout: str, version: int | None = None) -> t.Typespace:
    """The typespace whose entry 0 is RawModuleDef in a layout, given by its id, or by one of its releases and the version."""
    if layout in _spaces():
        return _spaces()[layout]
    known = layouts.layouts_of(layout)
    return _spaces()[next((one for one in known if one.version == version), known[-1]).id]


def tree_of(layout: str, data: bytes) -> Tree:
    """The parts of a definition."""
    return parse(ROOT, layout_space(layout, data[0] + 8 if data else None), data)


# Edits ------------------------------------------------------------------------------------------------------------------


def edited(source: random.Random, one: Definition, times: int) -> bytes:
    """The definition after some edits; fewer where an edit finds nothing to change."""
    data = one.data
    for _ in range(times):
        tree = tree_of(one.layout, data)
        data = splice(data, list(source.choice(EDITS)(source, tree, list(tree.nodes()))))
    return data


def _one(source: random.Random, nodes: Iterable[Node]) -> Node | None:
    found = list(nodes)
    return source.choice(found) if found else None


def _lists(tree: Tree, nodes: list[Node], least: int) -> list[Node]:
    return [node for node in nodes if isinstance(node.kind, t.ArrayType) and len(node.parts) >= least and node.whole]


def _items(
    source: random.Random, tree: Tree, nodes: list[Node], least: int, change: Callable[[list[bytes]], None]
) -> list[Splice]:
    node = _one(source, _lists(tree, nodes, least))
    if node is None:
        return []
    items = [tree.bytes_of(part) for part in node.parts]
    change(items)
    return [with_items(tree, node, items)]


def _drop(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    return _items(source, tree, nodes, 1, lambda items: items.__delitem__(source.randrange(len(items))))


def _repeat(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    return _items(source, tree, nodes, 1, lambda items: items.append(source.choice(items)))


def _move(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    return _items(source, tree, nodes, 2, source.shuffle)


def _from_elsewhere(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    """A part replaced by one of the same type, of this definition or of another in a layout whose type is the same."""
    node = _one(source, nodes)
    if node is None:
        return []
    donor = source.choice(corpus()["valid"])
    other = tree_of(donor.layout, donor.data) if source.random() < 0.6 and tree.space == layout_space(donor.layout) else tree
    twin = _one(source, (one for one in other.nodes() if one.kind == node.kind))
    return [] if twin is None else [(node.start, node.end, other.bytes_of(twin))]


def _added(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    """An item of another valid definition's list, appended to a list of the same type."""
    donor = source.choice(corpus()["valid"])
    if tree.space != layout_space(donor.layout):
        return []
    other = tree_of(donor.layout, donor.data)
    theirs = _one(source, _lists(other, list(other.nodes()), 1))
    ours = None if theirs is None else _one(source, (one for one in _lists(tree, nodes, 0) if one.kind == theirs.kind))
    if theirs is None or ours is None:
        return []
    return [with_items(tree, ours, [*map(tree.bytes_of, ours.parts), other.bytes_of(source.choice(theirs.parts))])]


def _texts(tree: Tree, nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.kind == t.STRING and node.whole]


def _word(source: random.Random, tree: Tree, nodes: list[Node]) -> bytes:
    known = _one(source, _texts(tree, nodes))
    if known is not None and source.random() < 0.5:
        return tree.bytes_of(known)
    text = source.choice(TEXTS if source.random() < 0.2 else _WORDS).encode()
    return len(text).to_bytes(4, "little") + text


def _name(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    node = _one(source, _texts(tree, nodes))
    return [] if node is None else [(node.start, node.end, _word(source, tree, nodes))]


def _rename(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    """One name replaced everywhere."""
    node = _one(source, _texts(tree, nodes))
    if node is None:
        return []
    old, new = tree.bytes_of(node), _word(source, tree, nodes)
    return [(one.start, one.end, new) for one in _texts(tree, nodes) if tree.bytes_of(one) == old]


def _number(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    node = _one(source, (one for one in nodes if isinstance(one.kind, t.Primitive) and one.kind != t.STRING and one.whole))
    if node is None:
        return []
    width = WIDTHS[node.kind]
    drawn = source.choice((source.randrange(4), source.randrange(4), -1, 1 << width * 8 - 1))
    if node.kind == t.BOOL:
        drawn &= 1
    return [(node.start, node.end, (drawn & (1 << width * 8) - 1).to_bytes(width, "little"))]


def _redrawn(source: random.Random, tree: Tree, nodes: list[Node]) -> list[Splice]:
    node = _one(source, (one for one in nodes if one.end - one.start < 40 and not is_bytes(one.kind, tree.space)))
    return [] if node is None else [(node.start, node.end, draw_value(source, node.kind, tree.space))]


#: Each gives the spans to replace, none where there is nothing for it to do.
EDITS: tuple[Callable[[random.Random, Tree, list[Node]], list[Splice]], ...] = (
    _drop, _repeat, _move, _from_elsewhere, _added, _added, _name, _rename, _rename, _number, _redrawn,
)  # fmt: skip
