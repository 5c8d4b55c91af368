"""A shape is a type together with what its values are in Python: what every engine compiles.

A shape graph is built once, from an AlgebraicType (`bsatn.typeshapes`) or from records (`bsatn.records`), and then read
by the engines, the renderings and `explain`. It has no references left to resolve: a recursive type is a cycle in the
graph, and a reference that leads nowhere is a `Broken` shape, an error only for bytes that reach it.

Nodes compare by identity. A node's parts may be filled in after it is made (that is how cycles are tied); nothing changes
once an engine has seen it. Depth counts the arrays, products and sums that are open (spec: wire 1, 2.4).
"""

from __future__ import annotations

import enum
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Array",
    "Bool",
    "Broken",
    "Bytes",
    "Case",
    "Choice",
    "Float",
    "Int",
    "Newtype",
    "Product",
    "Shape",
    "String",
    "Style",
    "Sum",
    "children",
    "is_option",
    "is_unit",
    "metered",
    "min_widths",
    "reachable",
]  # fmt: skip


@dataclass(eq=False, slots=True)
class Shape:
    """Base of the nodes."""


@dataclass(eq=False, slots=True)
class Int(Shape):
    """An integer of 8 to 256 `bits`; a Python int. Its label, `u32`, is what errors call it."""

    bits: int
    signed: bool

    @property
    def label(self) -> str:
        """Upstream's name in errors, such as `u32`. (spec: wire 3)"""
        return f"{'i' if self.signed else 'u'}{self.bits}"


@dataclass(eq=False, slots=True)
class Float(Shape):
    """A float of 32 or 64 `bits`; a Python float, or F32NaN for a signalling 32-bit NaN."""

    bits: int


@dataclass(eq=False, slots=True)
class Bool(Shape):
    """One byte, 0 or 1; a Python bool."""


@dataclass(eq=False, slots=True)
class String(Shape):
    """u32 byte length and UTF-8; a Python str."""


@dataclass(eq=False, slots=True)
class Bytes(Shape):
    """u32 length and bytes: an array of U8; Python bytes."""


@dataclass(eq=False, slots=True)
class Array(Shape):
    """u32 count and elements; a Python list, or a tuple where a record asks for one (`container`)."""

    element: Shape
    container: type[list[Any]] | type[tuple[Any, ...]] = list


@dataclass(eq=False, slots=True)
class Product(Shape):
    """Fields in order; a tuple, or an instance of the record class `cls`, whose attributes are `attributes`.

    `names` are the wire names (None for a tuple's field).
    """

    names: tuple[str | None, ...] = ()
    fields: tuple[Shape, ...] = ()
    cls: type[Any] | None = None
    attributes: tuple[str, ...] = ()

    def steps(self) -> Iterator[tuple[str, Shape]]:
        """Path step and shape of each field: the attribute, else the wire name, else the position."""
        for position, (name, part) in enumerate(zip(self.names, self.fields, strict=True)):
            yield (self.attributes[position] if self.cls else str(position) if name is None else name), part


@dataclass(eq=False, slots=True)
class Newtype(Shape):
    """A product of one integer named `name`, such as Identity; an instance of `cls`, a subclass of int."""

    name: str
    inner: Int
    cls: type[int]


@dataclass(eq=False, slots=True)
class Case(Shape):
    """A sum variant's payload, held in the one attribute of a case class; on the wire just the payload."""

    cls: type[Any]
    attribute: str
    inner: Shape


@dataclass(eq=False, slots=True)
class Choice(Shape):
    """A value of `inner` (a string or integer) that must be one of `values`: wire value to Python constant.

    `refusal` is upstream's sentence for another one, with `{found}` in it; the error's kind is Other. (spec: wire 3)
    """

    inner: Shape
    values: dict[Any, Any]
    refusal: str

    def wire_forms(self) -> dict[bytes, Any]:
        """The bytes of each value to its Python constant."""
        return {_wire_form(self.inner, value): constant for value, constant in self.values.items()}


class Style(enum.Enum):
    """What the values of a sum are in Python."""

    VARIANT = "Variant(tag, value)"
    OPTION = "None or the payload"
    NESTED_OPTION = "None or Some(payload)"
    UNION = "an instance of the variant's class, or the variant's constant"


@dataclass(eq=False, slots=True)
class Sum(Shape):
    """u8 tag and payload. `members[tag]`, for a UNION, is the class of that variant's values or its one value.

    `name` is what upstream calls the sum in errors; None for one that comes from an AlgebraicType. (spec: wire 3)
    """

    names: tuple[str | None, ...] = ()
    payloads: tuple[Shape, ...] = ()
    style: Style = Style.VARIANT
    name: str | None = None
    members: tuple[Any, ...] = ()

    def step(self, tag: int) -> str:
        """Path step into the payload of a variant that is not a class: its wire name, else its tag."""
        name = self.names[tag]
        return str(tag) if name is None else name

    def is_constant(self, tag: int) -> bool:
        """Whether a UNION's variant is one fixed value (an enum member, a unit case) rather than a class."""
        return not isinstance(self.members[tag], type)

    def tags_by_class(self) -> dict[type[Any], int]:
        """Of a UNION: the tag for each class of values."""
        return {member: tag for tag, member in enumerate(self.members) if isinstance(member, type)}

    def tags_by_constant(self) -> dict[Any, int]:
        """Of a UNION: the tag for each constant."""
        return {member: tag for tag, member in enumerate(self.members) if not isinstance(member, type)}


@dataclass(eq=False, slots=True)
class Broken(Shape):
    """A reference that resolves to nothing: `kind` is InvalidTypeRef or RecursiveTypeRef. No value, no bytes."""

    kind: str
    ref: int


def _wire_form(inner: Shape, value: Any) -> bytes:
    """The bytes of a string or integer."""
    if isinstance(inner, Int):
        return int(value).to_bytes(inner.bits // 8, "little", signed=inner.signed)
    body: bytes = value.encode()
    return len(body).to_bytes(4, "little") + body


def is_unit(shape: Shape) -> bool:
    """Whether the shape is the empty product written `()`: nothing on the wire and no record class."""
    return isinstance(shape, Product) and not shape.fields and shape.cls is None


def is_option(shape: Shape) -> bool:
    """Whether None is one of the shape's values."""
    return isinstance(shape, Sum) and shape.style in (Style.OPTION, Style.NESTED_OPTION)


_PARTS: dict[type[Shape], Callable[[Any], tuple[Shape, ...]]] = {
    Array: lambda s: (s.element,),
    Product: lambda s: s.fields,
    Newtype: lambda s: (s.inner,),
    Case: lambda s: (s.inner,),
    Choice: lambda s: (s.inner,),
    Sum: lambda s: s.payloads,
}


def children(shape: Shape) -> tuple[Shape, ...]:
    """The shapes directly inside; empty for leaves."""
    parts = _PARTS.get(type(shape))
    return parts(shape) if parts else ()


def reachable(root: Shape) -> list[Shape]:
    """Every shape of the graph once, parents before the children they were first met in."""
    seen = {root: None}
    todo = [root]
    while todo:
        for child in reversed(children(todo.pop())):
            if child not in seen:
                seen[child] = None
                todo.append(child)
    return list(seen)


INFINITE = 1 << 62  #: Minimum width of a type that no finite value has.


def min_widths(shapes: list[Shape]) -> dict[Shape, int]:
    """The fewest bytes a value of each shape takes; at least INFINITE where a value would never end.

    `shapes` is closed under `children`. The narrowest shape whose parts are all known is settled first (Knuth's form of
    Dijkstra's algorithm), so each edge of the graph is looked at once, however many fields a product has.
    """
    widths = dict.fromkeys(shapes, INFINITE)
    parents: dict[Shape, list[Shape]] = {shape: [] for shape in shapes}
    missing: dict[Shape, int] = {}  # parts of a product not yet known
    sums: dict[Shape, int] = {}  # width of those that are
    order = {shape: index for index, shape in enumerate(shapes)}  # breaks ties in the heap
    heap: list[tuple[int, int, Shape]] = []
    for shape in shapes:
        parts = () if isinstance(shape, Array) else children(shape)  # an array may be empty
        for part in parts:
            parents[part].append(shape)
        missing[shape], sums[shape] = len(parts), 0
        if not parts:
            heap.append((_own_width(shape), order[shape], shape))
    heapq.heapify(heap)
    settled: set[Shape] = set()
    while heap:
        width, _, shape = heapq.heappop(heap)
        if shape in settled:
            continue
        settled.add(shape)
        widths[shape] = width
        for parent in parents[shape]:
            missing[parent] -= 1
            sums[parent] = min(INFINITE, sums[parent] + width)
            if isinstance(parent, Sum):
                if parent not in settled:
                    heapq.heappush(heap, (min(INFINITE, 1 + width), order[parent], parent))
            elif not missing[parent]:
                heapq.heappush(heap, (sums[parent], order[parent], parent))
    return widths


def _own_width(shape: Shape) -> int:
    """The width of a shape without parts that matter; a reference to nothing has none, so that decoding gets to say so."""
    match shape:
        case Int(bits=bits) | Float(bits=bits):
            return bits // 8
        case Bool() | Sum():
            return 1
        case String() | Bytes() | Array():
            return 4
    return 0


def metered(widths: dict[Shape, int]) -> set[Shape]:
    """The products that cost one of `Limits.empty_elements` each time: empty ones that the graph shares.

    A product without bytes that stands in one place only is bounded by the size of the type. One that is shared may be
    shared by another that is shared again, and so make 2^n values from a type of n entries and no bytes at all.
    """
    uses: dict[Shape, int] = {}
    for shape in widths:
        for child in children(shape):
            uses[child] = uses.get(child, 0) + 1
    return {
        shape
        for shape, width in widths.items()
        if width == 0 and isinstance(shape, Product) and shape.fields and uses.get(shape, 0) > 1
    }
