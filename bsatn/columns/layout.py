"""What the values of a shape are as Arrow arrays: a tree of layouts, which both makers of columns read.

| shape | Arrow |
| --- | --- |
| integers to 64 bits, floats, Bool | int8 to uint64, float, double, bool |
| String; Bytes | utf8; binary |
| Timestamp, TimeDuration | timestamp[us], duration[us] |
| 128 and 256 bits, with Identity, ConnectionId, Uuid | fixed_size_binary, the most significant byte first |
| the same, with `wide="decimal"` and no class of their own | decimal128(38), decimal256(76) |
| Array | list |
| a product with fields; without | struct; null |
| Option | a nullable array; where the payload may be null itself, a nullable struct of the one field `some` |
| other sums | dense union; of an Option, with one more type, null, for the value that is not there |
| the same, with `sums="struct"` | struct of `tag` (dictionary) and a nullable field for each variant that carries something; \
the dictionary alone where none does |
| a sum without variants, a reference to nothing: what has no values | null |

Arrow has no type that contains itself, and readers of its C interface stop at 64 levels, so such types have no layout. A type
may share parts that a tree cannot, so layouts are counted while the tree is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from bsatn.errors import DefinitionError
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
    is_option,
    metered,
    min_widths,
    reachable,
)

__all__ = ["DIGITS", "MAX_COLUMNS", "MAX_LEVELS", "Layout", "Sums", "Wide", "layout_of"]

Wide: TypeAlias = Literal["binary", "decimal"]
Sums: TypeAlias = Literal["union", "struct"]

MAX_LEVELS = 60  #: containers inside one another; the C interface's readers stop at 64
MAX_COLUMNS = 1 << 14  #: arrays in all, those inside others too
MAX_UNION = 128  #: types of an Arrow union
FREE_SLOT = 64  #: bytes up to which a value that is not there costs nothing
DIGITS = {16: 38, 32: 76}  #: of the decimals that hold integers of so many bytes

_SLOTS = {"utf8": 4, "binary": 4, "list": 4, "union": 5, "tagged": 1, "bool": 1}
_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")  #: in names, which are C strings of UTF-8
_TIMES = {"__timestamp_micros_since_unix_epoch__": "timestamp", "__time_duration_micros__": "duration"}


@dataclass(eq=False, slots=True)
class Layout:
    """One Arrow array, and what it is read from.

    `width` is the number of bytes on the wire, where it is fixed; `least` the fewest that an element of a list takes. `slot` is
    what a value that is not there takes in Arrow's buffers, in bytes. `choices` are the wire forms a value must have one of.
    """

    kind: str
    shape: Shape
    parts: tuple[Layout, ...] = ()
    names: tuple[str, ...] = ()
    width: int = 0
    least: int = 0
    slot: int = 0
    signed: bool = False
    metered: bool = False
    choices: tuple[bytes, ...] = ()

    @property
    def cost(self) -> int:
        """What a value that is not there takes from `Limits.null_bytes`."""
        return self.slot if self.slot > FREE_SLOT else 0

    @property
    def levels(self) -> int:
        """How many containers are open at most while a value is read."""
        own = self.kind in ("list", "struct", "null", "option", "union", "option_union", "tagged")
        return own + max((part.levels for part in self.parts), default=0)

    @property
    def may_be_null(self) -> bool:
        """Whether the array has nulls of its own."""
        return self.kind in ("option", "option_union", "null", "broken")


def layout_of(root: Shape, *, wide: Wide = "binary", sums: Sums = "union") -> Layout:
    """The layout of a shape; the one at the top is a struct whose fields are the columns.

    What is no product is one column, called `value`. Raises DefinitionError for what has no layout: `RecursiveColumns`,
    `TooManyColumns`, `ColumnsTooDeep`, `TooManyVariants`, `ColumnName`; ValueError for an option that there is not.
    """
    for name, chosen, there_are in (("wide", wide, get_args(Wide)), ("sums", sums, get_args(Sums))):
        if chosen not in there_are:
            raise ValueError(f"{name} is one of {', '.join(there_are)}, not {chosen!r}")
    return _Maker(root, wide, sums).top()


class _Maker:
    def __init__(self, root: Shape, wide: Wide, sums: Sums) -> None:
        self.root = root
        self.wide = wide
        self.sums = sums
        self.widths = min_widths(reachable(root))
        self.metered = metered(self.widths)
        self.open: dict[Shape, str] = {}
        self.made = 0
        self.dispatch: dict[type[Shape], Callable[[Any], Layout]] = {
            Int: self.integer,
            Float: lambda shape: Layout(f"float{shape.bits}", shape, width=shape.bits // 8, slot=shape.bits // 8),
            Bool: lambda shape: Layout("bool", shape, width=1),
            String: lambda shape: Layout("utf8", shape),
            Bytes: lambda shape: Layout("binary", shape),
            Newtype: self.newtype,
            Case: lambda shape: self.inside(shape, ((shape.attribute, shape.inner),))[0],
            Choice: self.choice,
            Product: self.product,
            Array: self.array,
            Sum: self.sum,
            Broken: lambda shape: Layout("broken", shape),
        }

    def top(self) -> Layout:
        if isinstance(self.root, Product):
            parts = self.inside(self.root, tuple(self.root.steps()))
            return self.struct(self.root, parts)
        return Layout("struct", self.root, (self.make(self.root),), ("value",))

    def make(self, shape: Shape) -> Layout:
        self.made += 1
        if self.made > MAX_COLUMNS:
            raise self.refusal("TooManyColumns", f"the type has more than {MAX_COLUMNS} columns, nested ones counted")
        layout = self.dispatch[type(shape)](shape)
        layout.slot = layout.slot or _SLOTS.get(layout.kind, 0)
        return layout

    def refusal(self, kind: str, message: str) -> DefinitionError:
        return DefinitionError(kind, message, path=tuple(self.open.values())[:8])

    def names(self, shape: Product | Sum) -> tuple[str, ...]:
        """The names of fields or variants; the position where there is none."""
        names = tuple(str(position) if name is None else name for position, name in enumerate(shape.names))
        for name in names:
            if _UNSPEAKABLE.search(name):
                raise self.refusal("ColumnName", f"Arrow takes no name with a NUL or a lone surrogate, as {name!r} has")
        return names

    def inside(self, shape: Shape, steps: tuple[tuple[str, Shape], ...]) -> tuple[Layout, ...]:
        """The layouts of a container's parts."""
        if shape in self.open:
            raise self.refusal("RecursiveColumns", "the type contains itself, which Arrow cannot say; use decode_many")
        if len(self.open) >= MAX_LEVELS:
            raise self.refusal("ColumnsTooDeep", f"the type is nested deeper than {MAX_LEVELS} levels")
        parts: list[Layout] = []
        for step, part in steps:
            self.open[shape] = step
            parts.append(self.make(part))
        self.open.pop(shape, None)
        return tuple(parts)

    # -- leaves

    def integer(self, shape: Int) -> Layout:
        width = shape.bits // 8
        if shape.bits <= 64:
            return Layout(f"{'int' if shape.signed else 'uint'}{shape.bits}", shape, width=width, slot=width)
        kind = "fixed" if self.wide == "binary" else "decimal"
        return Layout(kind, shape, width=width, slot=width, signed=shape.signed)

    def newtype(self, shape: Newtype) -> Layout:
        width = shape.inner.bits // 8
        return Layout(_TIMES.get(shape.name, "fixed"), shape, width=width, slot=width, signed=shape.inner.signed)

    def choice(self, shape: Choice) -> Layout:
        (inner,) = self.inside(shape, (("", shape.inner),))
        return Layout("choice", shape, (inner,), slot=inner.slot, choices=tuple(shape.wire_forms()))

    # -- containers

    def product(self, shape: Product) -> Layout:
        if not shape.fields:
            return Layout("null", shape, metered=shape in self.metered)
        return self.struct(shape, self.inside(shape, tuple(shape.steps())))

    def struct(self, shape: Product, parts: tuple[Layout, ...]) -> Layout:
        names = self.names(shape)
        slot = sum(part.slot for part in parts)
        return Layout("struct", shape, parts, names, slot=slot, metered=shape in self.metered)

    def array(self, shape: Array) -> Layout:
        return Layout("list", shape, self.inside(shape, (("[]", shape.element),)), least=self.widths[shape.element])

    def sum(self, shape: Sum) -> Layout:
        names = self.names(shape)
        parts = self.inside(shape, tuple(zip(names, shape.payloads, strict=True)))
        if is_option(shape):
            return self.option(shape, parts[0])
        if not parts:
            return Layout("broken", shape)
        if self.sums == "struct":
            slot = 1 + sum(part.slot + 1 for part in parts)
            return Layout("tagged", shape, parts, names, slot=slot)
        if len(parts) > MAX_UNION:
            message = f"the sum has {len(parts)} variants, and an Arrow union at most {MAX_UNION} types: use sums='struct'"
            raise self.refusal("TooManyVariants", message)
        return Layout("union", shape, parts, names, slot=5 + (parts[0].slot if parts else 0))

    def option(self, shape: Sum, payload: Layout) -> Layout:
        if payload.kind == "union" and len(payload.parts) < MAX_UNION:
            return Layout("option_union", shape, (payload,), slot=payload.slot)
        if payload.may_be_null or payload.kind == "union":
            payload = Layout("struct", payload.shape, (payload,), ("some",), slot=payload.slot)
        return Layout("option", shape, (payload,), slot=payload.slot + 1)
