"""Bytes by their type, as far as they can be told apart: every part with its span, whether or not it is right.

A bool of 7 and text that is no UTF-8 are parts like any other; where bytes end too early, or a tag is unknown, the tree ends,
and what follows is its tail. So input that no codec accepts can be edited where it stands: by replacing spans. (spec: wire 1)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bsatn import types as t
from bsatn.stack import on_enough_stack

__all__ = ["WIDTHS", "Node", "Smallest", "Splice", "Tree", "is_bytes", "parse", "resolve", "splice", "with_items"]

#: Bytes of the primitives of a fixed width.
WIDTHS: dict[t.AlgebraicType, int] = {
    t.BOOL: 1, t.F32: 4, t.F64: 8, **{kind: bits // 8 for kind, (bits, _) in t.INTEGERS.items()},
}  # fmt: skip
MAX_NODES = 20_000
MAX_DEPTH = 250

Splice: TypeAlias = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True)
class Node:
    """A part. `kind` is never a reference, unless to nothing; `whole` says that none of it is missing.

    Text and byte strings have no parts. Of an array `start` is where its count stands, of a sum its tag.
    """

    kind: t.AlgebraicType
    start: int
    end: int
    parts: tuple[Node, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """The bytes and their parts; `root.end` is where the tail begins."""

    space: t.Typespace
    data: bytes
    root: Node

    def nodes(self) -> Iterator[Node]:
        """Every part, a whole before its parts, in the order of the bytes."""
        todo = [self.root]
        while todo:
            node = todo.pop()
            yield node
            todo += reversed(node.parts)

    def bytes_of(self, node: Node) -> bytes:
        return self.data[node.start : node.end]


def resolve(kind: t.AlgebraicType, space: t.Typespace) -> t.AlgebraicType:
    """The type at the end of references; the last reference where they lead nowhere."""
    for _ in range(len(space) + 1):
        if not isinstance(kind, t.Ref) or not 0 <= kind.index < len(space):
            break
        kind = space[kind.index]
    return kind


def is_bytes(kind: t.AlgebraicType, space: t.Typespace) -> bool:
    """Whether it is an array of U8."""
    return isinstance(kind, t.ArrayType) and resolve(kind.element, space) == t.U8


def parse(kind: t.AlgebraicType, space: t.Typespace, data: bytes) -> Tree:
    """The tree of some bytes; ends early past bounds of its own."""
    reader = _Reader(space, data)
    return Tree(space, data, on_enough_stack(lambda: reader.read(kind, 0)))


class _Reader:
    def __init__(self, space: t.Typespace, data: bytes) -> None:
        self.space, self.data = space, data
        self.at, self.left = 0, MAX_NODES
        self.ended = False  #: nothing after this can be told apart

    def read(self, kind: t.AlgebraicType, depth: int) -> Node:
        kind, start = resolve(kind, self.space), self.at
        parts: tuple[Node, ...] = ()
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH or isinstance(kind, t.Ref):
            self.ended = True
        elif isinstance(kind, t.Primitive) and kind != t.STRING:
            self.take(WIDTHS[kind])
        elif kind == t.STRING or is_bytes(kind, self.space):
            self.take(self.count())
        elif isinstance(kind, t.ArrayType):
            parts = self.many((kind.element for _ in range(self.count())), depth)
        elif isinstance(kind, t.ProductType):
            parts = self.many((part.algebraic_type for part in kind.elements), depth)
        elif isinstance(kind, t.SumType):
            parts = self.variant(kind, depth)
        return Node(kind, start, self.at, parts, not self.ended)

    def take(self, size: int) -> None:
        self.at += size
        if self.at > len(self.data):
            self.at, self.ended = len(self.data), True

    def count(self) -> int:
        start = self.at
        self.take(4)
        return 0 if self.ended else int.from_bytes(self.data[start : self.at], "little")

    def many(self, kinds: Iterator[t.AlgebraicType], depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        for kind in kinds:
            if self.ended:
                break
            node = self.read(kind, depth + 1)
            if node.whole or node.end > node.start:
                found.append(node)
        return tuple(found)

    def variant(self, kind: t.SumType, depth: int) -> tuple[Node, ...]:
        self.take(1)
        if self.ended or self.data[self.at - 1] >= len(kind.variants):
            self.ended = True
            return ()
        return self.many(iter((kind.variants[self.data[self.at - 1]].algebraic_type,)), depth)


def splice(data: bytes, edits: list[Splice] | tuple[Splice, ...]) -> bytes:
    """The bytes with spans replaced; spans do not overlap."""
    pieces, at = [], 0
    for start, end, new in sorted(edits, key=lambda one: one[:2]):
        pieces += [data[at:start], new]
        at = end
    return b"".join([*pieces, data[at:]])


def with_items(tree: Tree, node: Node, items: Sequence[bytes]) -> Splice:
    """An array, byte string or text with other items; the count is what they are, if it was before."""
    data = b"".join(items)
    if not node.whole:
        return node.start, node.end, tree.data[node.start : node.start + 4] + data
    counted = isinstance(node.kind, t.ArrayType) and not is_bytes(node.kind, tree.space)
    return node.start, node.end, (len(items) if counted else len(data)).to_bytes(4, "little") + data


class Smallest:
    """The shortest value of each type of a typespace; None for a type that has none."""

    def __init__(self, space: t.Typespace) -> None:
        self.space = space
        self.entries: list[bytes | None] = [None] * len(space)
        grew = True
        while grew:
            found = [self._of(kind) for kind in space.types]
            grew = any(
                new is not None and (old is None or len(new) < len(old)) for old, new in zip(self.entries, found, strict=True)
            )
            self.entries = found

    def of(self, kind: t.AlgebraicType) -> bytes | None:
        """The shortest value; the first of several as short."""
        return self._of(kind)

    def tag(self, kind: t.SumType) -> int | None:
        """The variant of the shortest value."""
        sizes = {
            tag: data for tag, part in enumerate(kind.variants[:256]) if (data := self._of(part.algebraic_type)) is not None
        }
        return min(sizes, key=lambda tag: len(sizes[tag])) if sizes else None

    def _of(self, kind: t.AlgebraicType) -> bytes | None:
        match kind:
            case t.Ref(index):
                return self.entries[index] if index < len(self.entries) else None
            case t.ArrayType() | t.STRING:
                return bytes(4)
            case t.ProductType(elements):
                parts = [self._of(part.algebraic_type) for part in elements]
                return None if None in parts else b"".join(part for part in parts if part is not None)
            case t.SumType():
                tag = self.tag(kind)
                return None if tag is None else bytes([tag]) + (self._of(kind.variants[tag].algebraic_type) or b"")
        return bytes(WIDTHS[kind])
