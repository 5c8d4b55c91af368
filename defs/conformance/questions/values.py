"""Bytes made smaller where their type stays as it is."""

from __future__ import annotations

from collections.abc import Iterator

from bsatn import types as t
from defs.conformance.questions.texts import chunks
from defs.conformance.questions.trees import Node, Smallest, Tree, is_bytes, splice, with_items

__all__ = ["smaller_bytes", "smaller_value"]

_MANY = 400  #: bytes, past which single ones are not tried


def smaller_value(tree: Tree) -> Iterator[bytes]:
    """Values of the same type, or bytes that are none in the same way."""
    nodes, smallest = list(tree.nodes()), Smallest(tree.space)
    data, end = tree.data, tree.root.end
    for start, stop in chunks(len(data) - end) if end < len(data) else ():
        yield data[: end + start] + data[end + stop :]
    for node in nodes:
        if node.whole and node.end > node.start:
            least = smallest.of(node.kind)
            if least is not None and least != tree.bytes_of(node):
                yield splice(data, [(node.start, node.end, least)])
    for node in nodes:
        yield from _shorter(tree, node)
    for node in nodes:
        yield from (splice(data, [(node.start, node.end, tree.bytes_of(inner))]) for inner in _within(node))
    for node in nodes:
        yield from (splice(data, [(node.start, node.start + len(new), new)]) for new in _plainer(tree, node))


def _within(node: Node) -> Iterator[Node]:
    """Parts of the same type as the whole: for a recursive type, a value inside the value."""
    if node.parts:
        todo = list(node.parts)
        while todo:
            inner = todo.pop()
            if inner.kind is node.kind:
                yield inner
            todo += inner.parts


def _shorter(tree: Tree, node: Node) -> Iterator[bytes]:
    """Without some items, characters or bytes."""
    if isinstance(node.kind, t.ArrayType) and not is_bytes(node.kind, tree.space):
        items = [tree.bytes_of(part) for part in node.parts]
    elif isinstance(node.kind, t.ArrayType) or node.kind == t.STRING:
        content = tree.data[node.start + 4 : node.end]
        items = [content[at : at + 1] for at in range(len(content))]
    else:
        return
    for start, stop in chunks(len(items)):
        yield splice(tree.data, [with_items(tree, node, items[:start] + items[stop:])])


def _plainer(tree: Tree, node: Node) -> Iterator[bytes]:
    """Other content of the same length: numbers with fewer bits, unknown tags that are lower, plain letters."""
    content = tree.bytes_of(node)
    if isinstance(node.kind, t.Primitive) and node.kind != t.STRING:
        yield from _numbers(content)
    elif isinstance(node.kind, t.SumType) and content and not node.parts:
        yield from (
            bytes([tag]) for tag in sorted({len(node.kind.variants), content[0] // 2, max(content[0] - 1, 0)}) if tag < 256
        )
    elif node.kind == t.STRING or is_bytes(node.kind, tree.space):
        for at in range(4, len(content)):
            yield from (content[:at] + new + content[at + 1 :] for new in (b"\0", b"a", b"\x80") if new != content[at : at + 1])
    elif isinstance(node.kind, t.ArrayType) and not node.whole:
        yield from _numbers(content[:4])
    if not node.whole and (node.kind == t.STRING or is_bytes(node.kind, tree.space)):
        yield from _numbers(content[:4])


def _numbers(content: bytes) -> Iterator[bytes]:
    value, width = int.from_bytes(content, "little"), len(content)
    found = [0, 1, value >> 8, value >> 1]
    found += [value & ~(1 << bit) for bit in range(value.bit_length() - 1, -1, -1) if value >> bit & 1]
    yield from (one.to_bytes(width, "little") for one in dict.fromkeys(found) if one < value)


def smaller_bytes(data: bytes) -> Iterator[bytes]:
    """Without some bytes, whatever they are; then with zeros."""
    if len(data) <= _MANY:
        yield from (data[:start] + data[stop:] for start, stop in chunks(len(data)))
        for at in range(len(data)):
            yield from (data[:at] + new + data[at + 1 :] for new in (b"\0", b"\1") if data[at : at + 1] > new)
