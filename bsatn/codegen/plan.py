"""What to write as one function, and what to count: decided once per shape graph, for reading and writing alike.

A shape becomes a function of its own when it closes a cycle, when several places share it and it is not small, when it is
metered (see shapes.metered), or when a body would nest too deep for Python's compiler. Everything else is written in
line, so that fixed-width fields of nested products join one struct.

Depth is not counted container by container: a function that is entered with so many containers open that its own body
might go past the limit gives up, and the Construct engine, which counts exactly, decides. A graph without cycles whose
longest path is within the limit needs no counting at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from bsatn.frozen import frozen
from bsatn.limits import Limits
from bsatn.shapes import (
    Array,
    Bool,
    Broken,
    Case,
    Choice,
    Float,
    Int,
    Newtype,
    Product,
    Shape,
    Style,
    Sum,
    children,
    is_unit,
    metered,
    min_widths,
    reachable,
)

__all__ = ["MAX_NEST", "MAX_SIZE", "Plan", "is_plain_enum", "make_plan", "post_order"]

MAX_NEST = 8  #: containers written in line inside one another; Python's compiler stops at 20 nested loops
_SHARED_SIZE = 24  #: a shared shape up to this many nodes is written in line each time
MAX_SIZE = 8000  #: nodes of one function; Python takes a second to compile 20,000
_HUGE = 1 << 20


@frozen
class Plan:
    """The decisions for one graph. `functions` maps a shape to its function's number; more may join while writing."""

    root: Shape
    functions: dict[Shape, int]
    widths: dict[Shape, int]
    metered: set[Shape]
    fixed: dict[Shape, int]  #: width in bytes of every shape of one width that is written in line
    counts_depth: bool
    counts_empty: bool
    is_too_large: bool  #: to be worth compiling: a function would be longer than MAX_SIZE
    limits: Limits

    def function(self, shape: Shape) -> int:
        """The number of a shape's function, making it one if it is none yet."""
        return self.functions.setdefault(shape, len(self.functions))

    def each_function(self) -> Iterator[tuple[Shape, int]]:
        """Shapes and numbers of the functions, those included that join while this runs."""
        done: list[Shape] = []
        while len(done) < len(self.functions):
            for shape in list(self.functions)[len(done) :]:
                yield shape, len(done)
                done.append(shape)


def is_plain_enum(shape: Shape) -> bool:
    """Whether the sum is only a tag: no variant carries anything. (Options are not: None is their own affair.)"""
    return (
        isinstance(shape, Sum)
        and shape.style in (Style.UNION, Style.VARIANT)
        and bool(shape.payloads)
        and all(is_unit(payload) for payload in shape.payloads)
    )


def make_plan(root: Shape, limits: Limits) -> Plan:
    """Decide how to write the functions of a graph."""
    shapes = reachable(root)
    widths = min_widths(shapes)
    counted = metered(widths)
    order, heads = post_order(root)
    uses = dict.fromkeys(shapes, 0)
    for shape in shapes:
        for child in children(shape):
            uses[child] += 1
    functions = {root: 0}
    sizes: dict[Shape, int] = {}
    heights: dict[Shape, int] = {}
    for shape in order:
        parts = children(shape)
        sizes[shape] = min(_HUGE, 1 + sum(1 if part in functions else sizes.get(part, 1) for part in parts))
        heights[shape] = isinstance(shape, (Array, Product, Sum)) + max((heights.get(part, 0) for part in parts), default=0)
        if shape in heads or shape in counted or (uses[shape] > 1 and sizes[shape] > _SHARED_SIZE):
            functions.setdefault(shape, len(functions))
    empty_arrays = any(isinstance(shape, Array) and widths[shape.element] == 0 for shape in shapes)
    return Plan(
        root=root,
        functions=functions,
        widths=widths,
        metered=counted,
        fixed=_fixed(order, functions),
        counts_depth=bool(heads) or heights[root] > limits.depth,
        counts_empty=bool(counted) or empty_arrays,
        is_too_large=max(sizes[shape] for shape in functions) > MAX_SIZE,
        limits=limits,
    )


def post_order(root: Shape) -> tuple[list[Shape], set[Shape]]:
    """Children before parents, and the shapes at which a cycle closes."""
    order: list[Shape] = []
    heads: set[Shape] = set()
    state: dict[Shape, bool] = {root: True}  # True while open
    stack = [(root, iter(children(root)))]
    while stack:
        shape, rest = stack[-1]
        for child in rest:
            if child not in state:
                state[child] = True
                stack.append((child, iter(children(child))))
                break
            if state[child]:
                heads.add(child)
        else:
            state[shape] = False
            order.append(shape)
            stack.pop()
    return order, heads


def _fixed(order: list[Shape], functions: dict[Shape, int]) -> dict[Shape, int]:
    """Widths of the shapes that always take the same bytes and nest little; bottom up."""
    fixed: dict[Shape, int] = {}
    nest: dict[Shape, int] = {}
    root = order[-1]
    for shape in order:
        parts = children(shape)
        nest[shape] = 1 + max((nest.get(part, MAX_NEST) for part in parts), default=0)
        if nest[shape] > MAX_NEST or (shape in functions and shape is not root):
            nest[shape] = MAX_NEST
            continue
        match shape:
            case Int(bits=bits) | Float(bits=bits):
                fixed[shape] = bits // 8
            case Bool():
                fixed[shape] = 1
            case Sum() if is_plain_enum(shape):
                fixed[shape] = 1
            case Newtype() | Case() | Choice() | Product() if parts or isinstance(shape, Product):
                if all(part in fixed for part in parts):
                    fixed[shape] = sum(fixed[part] for part in parts)
            case Broken():
                continue
    return fixed
