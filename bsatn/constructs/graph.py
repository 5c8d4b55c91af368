"""All nodes of a type, tied to one another: a recursive type is a cycle of nodes.

Made in two rounds, first every node and then its links, so that no type is too deep and none goes round for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bsatn.constructs.containers import ArrayNode, CaseNode, ProductNode
from bsatn.constructs.leaves import (
    BoolNode,
    BrokenNode,
    BytesNode,
    ChoiceNode,
    FloatNode,
    IntNode,
    NewtypeNode,
    StringNode,
)
from bsatn.constructs.node import Node, Part
from bsatn.constructs.sums import SumNode
from bsatn.shapes import (
    Array,
    Bool,
    Broken,
    Bytes,
    Case,
    Choice,
    Float,
    Int,
    Newtype,
    Product,
    Shape,
    String,
    Sum,
    children,
    metered,
    min_widths,
    reachable,
)

_NODES: dict[type[Shape], Callable[[Any], Node]] = {
    Int: IntNode,
    Float: FloatNode,
    Bool: BoolNode,
    String: StringNode,
    Bytes: BytesNode,
    Array: ArrayNode,
    Product: ProductNode,
    Newtype: NewtypeNode,
    Case: CaseNode,
    Choice: ChoiceNode,
    Sum: SumNode,
    Broken: BrokenNode,
}


@dataclass(frozen=True, slots=True)
class Graph:
    """All that the nodes need to know of one another."""

    nodes: dict[Shape, Node]
    min_widths: dict[Shape, int]
    metered: set[Shape]

    def part(self, shape: Shape, *outer: str, wraps: tuple[Callable[[Any], Any], ...] = ()) -> Part:
        """The way to a child: through however many cases to the first shape that stands for bytes."""
        cases: list[Case] = []
        while isinstance(shape, Case) and shape not in cases:  # a case that holds but itself has no bytes: see CaseNode
            cases.append(shape)
            shape = shape.inner
        steps = (*outer, *(case.attribute for case in cases))
        return Part(self.nodes[shape], outer, tuple(cases), steps, (*(case.cls for case in reversed(cases)), *wraps))


def nodes_of(root: Shape) -> dict[Shape, Node]:
    """A node for every shape reachable from `root`, tied to one another. No shape is too deep for it."""
    shapes = reachable(root)
    widths = min_widths(shapes)
    graph = Graph({shape: _NODES[type(shape)](shape) for shape in shapes}, widths, metered(widths))
    sizes = _fixed_sizes(shapes)
    for shape, node in graph.nodes.items():
        node.size = sizes.get(shape)
        node.link(graph)
    return graph.nodes


def _fixed_sizes(shapes: list[Shape]) -> dict[Shape, int]:
    """The size of each shape whose values all take the same number of bytes, children before parents."""
    parents: dict[Shape, list[Shape]] = {shape: [] for shape in shapes}
    missing = {shape: len(children(shape)) for shape in shapes}
    for shape in shapes:
        for child in children(shape):
            parents[child].append(shape)
    sizes: dict[Shape, int] = {}
    todo = [shape for shape in shapes if not missing[shape]]
    while todo:
        shape = todo.pop()
        size = _fixed_size(shape, sizes)
        if size is None:
            continue
        sizes[shape] = size
        for parent in parents[shape]:
            missing[parent] -= 1
            if not missing[parent]:
                todo.append(parent)
    return sizes


def _fixed_size(shape: Shape, sizes: dict[Shape, int]) -> int | None:
    match shape:
        case Int(bits=bits) | Float(bits=bits):
            return bits // 8
        case Bool():
            return 1
        case String() | Bytes() | Array() | Broken():
            return None
        case Sum():
            payloads = {sizes[payload] for payload in shape.payloads}
            return 1 + payloads.pop() if len(payloads) == 1 else None
    return sum(sizes[child] for child in children(shape))
