"""AlgebraicType to shape, and back.

Works off a list rather than by recursion, so no type is too deep for it; references become edges of the graph, special
shapes become their classes. Depth of a type expression is checked against `Limits.depth` here, once, because a type
deeper than that has no value that could be read anyway. (spec: wire 1.1, 2.4)
"""

from __future__ import annotations

from bsatn import types as t
from bsatn.errors import DefinitionError, LimitExceeded
from bsatn.limits import DEFAULT_LIMITS, Limits
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
    Style,
    Sum,
    children,
    is_option,
    is_unit,
)
from bsatn.values import SPECIAL_CLASSES, TimeDuration, Timestamp

__all__ = ["shape_of_type", "type_of_shape"]

UNIT_SHAPE = Product()
_LEAVES: dict[t.AlgebraicType, Shape] = {
    t.BOOL: Bool(), t.STRING: String(), t.BYTES: Bytes(), t.F32: Float(32), t.F64: Float(64), t.UNIT: UNIT_SHAPE,
    **{kind: Int(bits, signed) for kind, (bits, signed) in t.INTEGERS.items()},
}  # fmt: skip
_KIND_OF_LEAF: dict[Shape, t.AlgebraicType] = {shape: kind for kind, shape in _LEAVES.items()}


def leaf(kind: t.AlgebraicType) -> Shape:
    """The shared shape of a primitive, of bytes or of unit."""
    return _LEAVES[kind]


def integer(bits: int, signed: bool) -> Int:
    """The shared shape of an integer type."""
    shape = _LEAVES[t.Primitive(f"{'I' if signed else 'U'}{bits}")]
    assert isinstance(shape, Int)
    return shape


#: Shape of each special product, by its class.
SPECIAL_SHAPES: dict[type, Newtype] = {
    cls: Newtype(field, integer(cls.BITS, cls.SIGNED), cls) for field, cls in SPECIAL_CLASSES.items()
}
SCHEDULE_AT_SHAPE = Sum(
    names=("Interval", "Time"),
    payloads=(SPECIAL_SHAPES[TimeDuration], SPECIAL_SHAPES[Timestamp]),
    style=Style.UNION,
    members=(TimeDuration, Timestamp),
)
_SHARED: dict[t.AlgebraicType, Shape] = {
    **_LEAVES,
    **{t.SPECIAL_PRODUCTS[shape.name]: shape for shape in SPECIAL_SHAPES.values()},
    t.SCHEDULE_AT: SCHEDULE_AT_SHAPE,
}


def shape_of_type(kind: t.AlgebraicType, typespace: t.Typespace | None = None, *, limits: Limits = DEFAULT_LIMITS) -> Shape:
    """The shape of a type whose references resolve in `typespace`.

    A reference out of range, or one that only leads to references in a circle, becomes a `Broken` shape. Raises
    LimitExceeded for a type nested deeper than `limits.depth`.
    """
    return _Builder(typespace or t.Typespace(), limits).build(kind)


class _Builder:
    def __init__(self, typespace: t.Typespace, limits: Limits) -> None:
        self.typespace = typespace
        self.limits = limits
        self.ends: dict[int, int | Broken] = {}  #: where a chain of references leads
        self.by_ref: dict[int, Shape] = {}
        self.todo: list[tuple[Shape, t.AlgebraicType, int]] = []

    def build(self, kind: t.AlgebraicType) -> Shape:
        root = self.node(kind, 0)
        options: list[Sum] = []
        while self.todo:
            shape, kind, depth = self.todo.pop()
            match shape, kind:
                case Array(), t.ArrayType():
                    shape.element = self.node(kind.element, depth)
                case Product(), t.ProductType():
                    shape.fields = tuple(self.node(e.algebraic_type, depth) for e in kind.elements)
                case Sum(), t.SumType():
                    shape.payloads = tuple(self.node(v.algebraic_type, depth) for v in kind.variants)
                    if shape.style is Style.OPTION:
                        options.append(shape)
        for option in options:
            if is_option(option.payloads[0]):
                option.style = Style.NESTED_OPTION
        return root

    def node(self, kind: t.AlgebraicType, depth: int) -> Shape:
        """The shape of a type, its parts still to come; `depth` is how many types are open around it."""
        if isinstance(kind, t.Ref):
            return self.resolve(kind.index)
        if isinstance(kind, t.Primitive):
            return _LEAVES[kind]
        shape = self.composite(kind)
        if depth >= self.limits.depth and isinstance(shape, (Array, Product, Sum)):
            raise LimitExceeded("depth", self.limits.depth, "the type is nested too deep")
        if shape not in _STATIC:
            self.todo.append((shape, kind, depth + 1))
        return shape

    def composite(self, kind: t.AlgebraicType) -> Shape:
        match kind:
            case t.ArrayType():
                return _LEAVES[t.BYTES] if self.is_byte(kind.element) else Array(_LEAVES[t.UNIT])
            case t.ProductType():
                if not kind.elements:
                    return UNIT_SHAPE
                if t.special_name(kind):
                    return _SHARED[kind]
                return Product(names=tuple(e.name for e in kind.elements))
            case t.SumType():
                if t.special_name(kind):
                    return SCHEDULE_AT_SHAPE
                names = tuple(v.name for v in kind.variants)
                return Sum(names, style=Style.VARIANT if t.option_payload(kind) is None else Style.OPTION)
        raise DefinitionError("NotAType", f"{kind!r} is no AlgebraicType")

    def resolve(self, index: int) -> Shape:
        """The shape of what a reference leads to; the same one for every reference that leads there."""
        end = self.end(index)
        if isinstance(end, Broken):
            return end
        if end not in self.by_ref:
            self.by_ref[end] = self.node(self.typespace[end], 0)
        return self.by_ref[end]

    def end(self, index: int) -> int | Broken:
        """The entry at the end of a chain of references, the first that is none; the same for each link of the chain."""
        chain: dict[int, None] = {}  # in order
        end: int | Broken | None = None
        while end is None:
            if index in self.ends:
                end = self.ends[index]
            elif index in chain:
                end = Broken("RecursiveTypeRef", index)
            elif not 0 <= index < len(self.typespace):
                chain[index] = None
                end = Broken("InvalidTypeRef", index)
            else:
                chain[index] = None
                entry = self.typespace[index]
                if isinstance(entry, t.Ref):
                    index = entry.index
                else:
                    end = index
        self.ends.update(dict.fromkeys(chain, end))
        return end

    def is_byte(self, kind: t.AlgebraicType) -> bool:
        """Whether it is U8, or leads there: an array of it is bytes."""
        if isinstance(kind, t.Ref):
            end = self.end(kind.index)
            return not isinstance(end, Broken) and self.typespace[end] == t.U8
        return kind == t.U8


_STATIC: set[Shape] = set(_SHARED.values())


def type_of_shape(root: Shape) -> t.AlgebraicType:
    """The AlgebraicType a shape stands for. Raises DefinitionError for a recursive one, which needs a Typespace."""
    made: dict[Shape, t.AlgebraicType] = {}
    open_: set[Shape] = set()
    todo = [root]
    while todo:
        shape = todo[-1]
        missing = [child for child in children(shape) if child not in made]
        if shape in made or not missing:
            made.setdefault(shape, _one_type(shape, made)) if shape not in made else None
            open_.discard(todo.pop())
        elif shape in open_ and any(child in open_ for child in missing):
            raise DefinitionError("RecursiveType", "a recursive type has no AlgebraicType without a Typespace")
        else:
            open_.add(shape)
            todo.extend(missing)
    return made[root]


def _one_type(shape: Shape, made: dict[Shape, t.AlgebraicType]) -> t.AlgebraicType:
    match shape:
        case Array():
            return t.ArrayType(made[shape.element])
        case Product() if not is_unit(shape):
            return t.ProductType(
                tuple(t.ProductTypeElement(n, made[f]) for n, f in zip(shape.names, shape.fields, strict=True))
            )
        case Newtype():
            return t.SPECIAL_PRODUCTS.get(shape.name) or t.ProductType((t.ProductTypeElement(shape.name, made[shape.inner]),))
        case Case() | Choice():
            return made[shape.inner]
        case Sum():
            return t.SumType(tuple(t.SumTypeVariant(n, made[p]) for n, p in zip(shape.names, shape.payloads, strict=True)))
        case Broken():
            return t.Ref(shape.ref)
    return _KIND_OF_LEAF[shape]
