"""Definitions made smaller: as values of the type of their layout, with names and references kept in step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from bsatn import types as t
from defs.conformance.questions.definitions import tree_of
from defs.conformance.questions.texts import chunks
from defs.conformance.questions.trees import Node, Splice, Tree, resolve, splice, with_items
from defs.conformance.questions.values import smaller_value

__all__ = ["smaller_definition", "smaller_pair"]

_REFERRING = {"product_type_ref", "ty", "data"}  #: fields of records whose number is an entry of the typespace
_NEWEST = {0: "8", 1: "9e", 2: "10i"}


def smaller_definition(tree: Tree) -> Iterator[bytes]:
    """Definitions with less in them, most of which still decode."""
    nodes = list(tree.nodes())
    yield from _without_entries(tree, nodes)
    yield from smaller_value(tree)
    yield from (renamed for _, renamed in _renamed(tree, set(_names(tree))))


def _without_entries(tree: Tree, nodes: list[Node]) -> Iterator[bytes]:
    """Without some entries of the typespace, what refers to later ones in step; for a definition without submodules."""
    spaces = [node for node in nodes if _is_typespace(tree, node)]
    if len(spaces) != 1 or not spaces[0].whole:
        return
    (space,) = spaces
    refs = [node for node in _references(tree, nodes) if node.whole]
    items = [tree.bytes_of(part) for part in space.parts]
    for start, stop in chunks(len(items)):
        edits: list[Splice] = []
        for node in refs:
            index = int.from_bytes(tree.bytes_of(node), "little")
            if index >= stop:
                edits.append((node.start, node.end, (index - stop + start).to_bytes(4, "little")))
        kept = []
        for at, part in enumerate(space.parts):
            if not start <= at < stop:
                own = [_moved(edit, part.start) for edit in edits if _within(edit, part)]
                kept.append(splice(items[at], own))
        outside = [edit for edit in edits if not (space.start <= edit[0] < space.end)]
        yield splice(tree.data, [*outside, with_items(tree, space, kept)])


def _within(edit: Splice, node: Node) -> bool:
    return node.start <= edit[0] and edit[1] <= node.end


def _moved(edit: Splice, by: int) -> Splice:
    return edit[0] - by, edit[1] - by, edit[2]


def _is_typespace(tree: Tree, node: Node) -> bool:
    """An array of types: nothing else in a definition is one."""
    return isinstance(node.kind, t.ArrayType) and _is_type(resolve(node.kind.element, tree.space))


def _is_type(kind: t.AlgebraicType) -> bool:
    return isinstance(kind, t.SumType) and [part.name for part in kind.variants[:2]] == ["Ref", "Sum"]


def _references(tree: Tree, nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node.kind, t.ProductType):
            named = zip(node.kind.elements, node.parts, strict=False)
            yield from (part for field, part in named if field.name in _REFERRING and part.kind == t.U32)
        elif _is_type(node.kind) and node.parts and tree.data[node.start] == 0:
            yield node.parts[0]


def _names(tree: Tree) -> dict[bytes, list[Node]]:
    """The texts of a definition, and where they stand."""
    found: dict[bytes, list[Node]] = {}
    for node in tree.nodes():
        if node.kind == t.STRING and node.whole:
            found.setdefault(tree.data[node.start + 4 : node.end], []).append(node)
    return found


def _renamed(tree: Tree, taken: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """One name shorter everywhere; with what was renamed to what. No new name is among those `taken`."""
    letters = [letter.encode() for letter in "abcdefghijklmnopqrstuvwxyz" if letter.encode() not in taken]
    for name, places in _names(tree).items():
        new = letters[0] if letters and len(name) > 1 else name[: len(name) // 2]
        if new not in taken:
            edits = [(node.start, node.end, len(new).to_bytes(4, "little") + new) for node in places]
            yield b"name " + name, splice(tree.data, edits)


def _without_items(tree: Tree) -> Iterator[tuple[bytes, bytes]]:
    """One item of a list left out; with the item."""
    for node in tree.nodes():
        items = [tree.bytes_of(part) for part in node.parts] if isinstance(node.kind, t.ArrayType) else []
        for at, item in enumerate(items):
            yield b"item " + item, splice(tree.data, [with_items(tree, node, items[:at] + items[at + 1 :])])


def smaller_pair(old: bytes, new: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Two definitions: the same left out of both, or renamed in both; then something of one."""
    trees = [tree_of(_NEWEST.get(data[0] if data else 2, "10i"), data) for data in (old, new)]
    taken = {name for tree in trees for name in _names(tree)}
    ones, others = (dict(chain(_without_items(tree), _renamed(tree, taken))) for tree in trees)
    yield from ((one, others[what]) for what, one in ones.items() if what in others)
    yield from ((one, new) for one in smaller_definition(trees[0]))
    yield from ((old, other) for other in smaller_definition(trees[1]))
