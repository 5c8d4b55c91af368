"""A type made smaller together with the bytes of its values.

A *site* is a place in the type, without following references, with the parts of the bytes that stand there: none where no value
got so far, several under an array. What is done to the type at a site is done to each of these parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from bsatn import types as t
from defs.conformance.questions.texts import chunks
from defs.conformance.questions.trees import Node, Splice, Tree, is_bytes, parse, resolve, splice

__all__ = ["Typed", "plainest", "smaller_typed"]

Place: TypeAlias = tuple[int, ...]
_MOST = 4000  #: parts of a type without references


@dataclass(frozen=True, slots=True)
class Typed:
    """A type, what its references resolve in, and bytes."""

    kind: t.AlgebraicType
    space: t.Typespace
    data: bytes


@dataclass(frozen=True, slots=True)
class _Site:
    place: Place
    kind: t.AlgebraicType
    nodes: tuple[Node, ...]


def smaller_typed(typed: Typed) -> Iterator[Typed]:
    """The boldest first: a part alone, parts replaced by something plain, fields and variants dropped, names shortened."""
    if typed.space.types:
        yield _reached(typed)
    tree = parse(typed.kind, typed.space, typed.data)
    sites = list(_sites(tree, typed.kind, (tree.root,), ()))
    tail = typed.data[tree.root.end :]
    for site in sorted(sites[1:], key=lambda one: _count(one.kind)):
        for node in dict.fromkeys(site.nodes[:1] + site.nodes[-1:]):
            alone = tree.bytes_of(node)
            yield from (Typed(site.kind, typed.space, data) for data in ((alone + tail, alone) if tail else (alone,)))
    for make in (_replaced, _unwrapped, _thinner, _plain_names):
        for site in sites:
            for kind, edits in make(tree, site):
                yield Typed(_with(typed.kind, site.place, kind), typed.space, splice(typed.data, edits))


def _count(kind: t.AlgebraicType) -> int:
    return 1 + sum(map(_count, _children(kind)))


def _children(kind: t.AlgebraicType) -> list[t.AlgebraicType]:
    match kind:
        case t.ProductType(parts) | t.SumType(parts):
            return [part.algebraic_type for part in parts]
        case t.ArrayType(element):
            return [element]
    return []


def _sites(tree: Tree, kind: t.AlgebraicType, nodes: tuple[Node, ...], place: Place) -> Iterator[_Site]:
    yield _Site(place, kind, nodes)
    if is_bytes(kind, tree.space):
        return
    for at, child in enumerate(_children(kind)):
        yield from _sites(tree, child, tuple(_below(tree, kind, nodes, at)), (*place, at))


def _below(tree: Tree, kind: t.AlgebraicType, nodes: tuple[Node, ...], at: int) -> Iterator[Node]:
    for node in nodes:
        if isinstance(kind, t.ArrayType):
            yield from node.parts
        elif isinstance(kind, t.SumType):
            yield from node.parts if tree.data[node.start : node.start + 1] == bytes([at % 256]) else ()
        else:
            yield from node.parts[at : at + 1]


def _with(kind: t.AlgebraicType, place: Place, new: t.AlgebraicType) -> t.AlgebraicType:
    """The type with another at a place."""
    if not place:
        return new
    at, rest = place[0], place[1:]
    match kind:
        case t.ProductType(parts):
            field = t.ProductTypeElement(parts[at].name, _with(parts[at].algebraic_type, rest, new))
            return t.ProductType((*parts[:at], field, *parts[at + 1 :]))
        case t.SumType(parts):
            variant = t.SumTypeVariant(parts[at].name, _with(parts[at].algebraic_type, rest, new))
            return t.SumType((*parts[:at], variant, *parts[at + 1 :]))
        case t.ArrayType(element):
            return t.ArrayType(_with(element, rest, new))
    raise ValueError("no such place")


_Edit: TypeAlias = tuple[t.AlgebraicType, list[Splice]]


def _replaced(tree: Tree, site: _Site) -> Iterator[_Edit]:
    """By unit, by a byte of zero, by an integer that is narrower."""
    plain: tuple[tuple[t.AlgebraicType, bytes], ...] = ((t.UNIT, b""), (t.U8, b"\0"))
    for kind, data in plain:
        if site.kind not in (t.UNIT, kind):
            yield kind, [(node.start, node.end, data) for node in site.nodes]
    if site.kind in t.INTEGERS:
        bits, signed = t.INTEGERS[t.Primitive(str(site.kind))]
        for kind, (narrow, sign) in t.INTEGERS.items():
            if (narrow, not sign) < (bits, not signed) and narrow < bits:
                yield kind, [(node.start, node.end, tree.bytes_of(node)[: narrow // 8]) for node in site.nodes]
    elif site.kind == t.F64:
        yield t.F32, [(node.start + 4, node.end, b"") for node in site.nodes if node.whole]


def _unwrapped(tree: Tree, site: _Site) -> Iterator[_Edit]:
    """By one of its parts."""
    if is_bytes(site.kind, tree.space):
        return
    for at, child in enumerate(_children(site.kind)):
        below = [tuple(_below(tree, site.kind, (node,), at)) for node in site.nodes]
        if all(below):
            yield (
                child,
                [(node.start, node.end, tree.bytes_of(inner[0])) for node, inner in zip(site.nodes, below, strict=True)],
            )


def _thinner(tree: Tree, site: _Site) -> Iterator[_Edit]:
    """Without some fields or variants."""
    match site.kind:
        case t.ProductType(parts):
            for start, stop in chunks(len(parts)):
                kept = t.ProductType(parts[:start] + parts[stop:])
                yield kept, [(part.start, part.end, b"") for node in site.nodes for part in node.parts[start:stop]]
        case t.SumType(variants):
            tags = [tree.data[node.start] for node in site.nodes if node.end > node.start]
            for start, stop in chunks(len(variants)):
                if not any(start <= tag < stop for tag in tags):
                    moved = [node for node in site.nodes if node.end > node.start and tree.data[node.start] >= stop]
                    edits = [(node.start, node.start + 1, bytes([tree.data[node.start] - (stop - start)])) for node in moved]
                    yield t.SumType(variants[:start] + variants[stop:]), edits


def _plain_names(tree: Tree, site: _Site) -> Iterator[_Edit]:
    """With short names; with none, codecs fail in ways of their own."""
    match site.kind:
        case t.ProductType(parts) | t.SumType(parts) if any(part.name is not None for part in parts):
            old = [part.name for part in parts]
            short: list[str | None] = ["abcdefghijklmnopqrstuvwxyz"[at % 26] for at in range(len(parts))]
            yield _renamed(site.kind, short), []
            for at, name in enumerate(old):
                if name not in (None, short[at]):
                    yield _renamed(site.kind, [*old[:at], short[at], *old[at + 1 :]]), []


def _renamed(kind: t.AlgebraicType, names: list[str | None]) -> t.AlgebraicType:
    named = list(zip(names, _children(kind), strict=True))
    if isinstance(kind, t.ProductType):
        return t.ProductType(tuple(t.ProductTypeElement(*one) for one in named))
    return t.SumType(tuple(t.SumTypeVariant(*one) for one in named))


# References -------------------------------------------------------------------------------------------------------------


def _reached(typed: Typed) -> Typed:
    """With only the entries of the typespace that the type leads to, in their order; references to none stay such."""
    found: dict[int, None] = {}
    todo = [typed.kind]
    while todo:
        kind = todo.pop()
        if isinstance(kind, t.Ref) and kind.index < len(typed.space) and kind.index not in found:
            found[kind.index] = None
            todo.append(typed.space[kind.index])
        todo += _children(kind)
    kept = sorted(found)
    numbers = {old: new for new, old in enumerate(kept)}
    entries = tuple(_renumbered(typed.space[old], numbers) for old in kept)
    return Typed(_renumbered(typed.kind, numbers), t.Typespace(entries), typed.data)


def _renumbered(kind: t.AlgebraicType, numbers: dict[int, int]) -> t.AlgebraicType:
    if isinstance(kind, t.Ref):
        return t.Ref(numbers.get(kind.index, len(numbers)))
    for at, child in enumerate(_children(kind)):
        kind = _with(kind, (at,), _renumbered(child, numbers))
    return kind


def plainest(typed: Typed) -> Iterator[Typed]:
    """With what references lead to in their place, as deep as the value goes; below that, unit."""
    if "&" in str(typed.kind):
        tree = parse(typed.kind, typed.space, typed.data)
        kind = _Unrolled(tree).of(typed.kind, (tree.root,), 0)
        if kind is not None:
            yield Typed(kind, t.Typespace(), typed.data)


class _Unrolled:
    def __init__(self, tree: Tree) -> None:
        self.tree, self.left = tree, _MOST

    def of(self, kind: t.AlgebraicType, nodes: tuple[Node, ...], depth: int) -> t.AlgebraicType | None:
        """None for a reference that leads nowhere, and past bounds."""
        self.left -= 1
        if isinstance(kind, t.Ref) and not nodes:
            return t.UNIT
        kind = resolve(kind, self.tree.space)
        if isinstance(kind, t.Ref) or self.left < 0 or depth > 100:
            return None
        if is_bytes(kind, self.tree.space):
            return t.BYTES
        for at, child in enumerate(_children(kind)):
            found = self.of(child, tuple(_below(self.tree, kind, nodes, at)), depth + 1)
            if found is None:
                return None
            kind = _with(kind, (at,), found)
        return kind
