"""Records: dataclasses whose annotations are their wire layout, and sums of them.

A layout is declared once, in wire order, as a class:

    @record
    class Damage:
        target: U64
        kind: DamageKind
        notes: list[str]
        by: Identity | None

`@record` makes a frozen, slotted dataclass; its annotations say the type and the Python value in one. A sum is an
`enum.Enum` (when no variant carries anything), or a union of classes marked with `variants(...)`: each class is a record,
whose fields are then the payload, or a `@case`, which holds the payload in its one field or is a variant without one.

    @case
    class Ranged:
        distance: U32

    DamageKind = Annotated[Melee | Ranged, variants("DamageKind")]

Annotations are read on first use, so classes of a module may name one another in any order, and themselves; classes made
inside a function name what stands before them. `since=` on fields and cases names the release that brought them.
(spec: wire 6)
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import types as pytypes
import typing
from collections.abc import Callable
from typing import Any, TypeVar, Union, dataclass_transform, overload

from bsatn import types as t
from bsatn.errors import DefinitionError
from bsatn.frozen import frozen
from bsatn.shapes import Array, Case, Product, Shape, Style, Sum, is_option
from bsatn.typeshapes import SPECIAL_SHAPES, UNIT_SHAPE, leaf, shape_of_type, type_of_shape

__all__ = ["case", "field", "record", "shape_of", "spelled_before", "type_of", "variants"]

_C = TypeVar("_C", bound=type)


@frozen
class Declared:
    """What `record` and `case` note about a class, under `__bsatn__`."""

    is_case: bool
    name: str  #: wire name of the variant
    since: str | None  #: release that brought it
    namespace: dict[str, Any]  #: local names its annotations may use


@frozen
class variants:
    """Marks a union of classes as the sum type `name`; `names` gives the variants' wire names where classes do not."""

    name: str | None = None
    names: tuple[str, ...] = ()


def field(*, default: Any = dataclasses.MISSING, name: str | None = None, since: str | None = None, was: Any = None) -> Any:
    """A record's field with a default value, a wire name other than the attribute's, or the release that brought it.

    With `was`, an annotation, the release changed the field's type, which was that before.
    """
    return dataclasses.field(default=default, metadata={"name": name, "since": since, "was": was})


def spelled_before(release: str, **names: str) -> Callable[[_C], _C]:
    """Declare of an enum that before `release` the variants given had other wire names."""

    def declare(cls: _C) -> _C:
        cls.__bsatn_spelled__ = (*getattr(cls, "__bsatn_spelled__", ()), (release, names))  # type: ignore[attr-defined]
        return cls

    return declare


@overload
def record(cls: _C, /) -> _C: ...
@overload
def record(*, name: str | None = None, since: str | None = None) -> Callable[[_C], _C]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: Any = None, /, *, name: str | None = None, since: str | None = None) -> Any:
    """Declare a product type: a frozen, slotted dataclass whose fields are the wire fields, in order."""
    return _declare(cls, False, name, since)


@overload
def case(cls: _C, /) -> _C: ...
@overload
def case(*, name: str | None = None, since: str | None = None) -> Callable[[_C], _C]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def case(cls: Any = None, /, *, name: str | None = None, since: str | None = None) -> Any:
    """Declare a variant of a sum: one field, which is the payload, or none. `name` is its wire name if not the class's."""
    return _declare(cls, True, name, since)


def _declare(cls: Any, is_case: bool, name: str | None, since: str | None) -> Any:
    frame = sys._getframe(2)
    local = {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)

    def declare(cls: type[Any]) -> type[Any]:
        made = frozen(cls)
        if is_case and len(dataclasses.fields(made)) > 1:
            raise DefinitionError("TooManyFields", f"case {cls.__name__} has more than one field: declare it a record")
        made.__bsatn__ = Declared(is_case, name or cls.__name__, since, local)
        return made

    return declare if cls is None else declare(cls)


def shape_of(annotation: Any) -> Shape:
    """The shape of anything that names a type: an AlgebraicType, a record, a sum, or an annotation of a field.

    Raises DefinitionError where it has no BSATN layout.
    """
    known = _SHAPES.get(annotation) if isinstance(annotation, type) else None
    return known or _Resolver().finish(annotation)


def type_of(annotation: Any) -> t.AlgebraicType:
    """The AlgebraicType of anything that names a type; raises DefinitionError where there is none, or a recursive one."""
    return annotation if isinstance(annotation, t.AlgebraicType) else type_of_shape(shape_of(annotation))


def bind(cls: type[Any], shape: Shape) -> None:
    """Give a class a shape made by hand, for use in annotations."""
    _SHAPES[cls] = shape


#: Classes with their shapes: the built-in ones, and records once read.
_SHAPES: dict[type[Any], Shape] = {
    str: leaf(t.STRING), bytes: leaf(t.BYTES), bool: leaf(t.BOOL), float: leaf(t.F64), pytypes.NoneType: UNIT_SHAPE,
    **SPECIAL_SHAPES,
}  # fmt: skip
_WIDTHS = ", ".join(primitive.name for primitive in t.INTEGERS)


class _Resolver:
    """Reads one annotation and all it leads to; classes become known only when the whole graph is sound."""

    def __init__(self) -> None:
        self.new: dict[Any, Shape] = {}
        self.options: list[Sum] = []

    def finish(self, annotation: Any) -> Shape:
        shape = self.resolve(annotation)
        for option in self.options:
            option.style = Style.NESTED_OPTION if is_option(option.payloads[0]) else Style.OPTION
        for made in self.new.values():
            _refuse_circle(made)
        _SHAPES.update(self.new)
        return shape

    def resolve(self, annotation: Any) -> Shape:
        if isinstance(annotation, t.AlgebraicType):
            return shape_of_type(annotation)
        if isinstance(annotation, type) and not isinstance(annotation, pytypes.GenericAlias):
            return self.of_class(annotation)
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is typing.Annotated:
            return self.of_annotated(annotation, arguments[0], arguments[1:])
        if origin in (Union, pytypes.UnionType):
            return self.of_union(annotation, arguments)
        if origin is list:
            return self.of_array(arguments[0], list)
        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            return self.of_array(arguments[0], tuple)
        if origin is tuple:
            return Product((None,) * len(arguments), tuple(map(self.resolve, arguments))) if arguments else UNIT_SHAPE
        if annotation is None:
            return UNIT_SHAPE
        raise DefinitionError("NotAType", f"{annotation!r} has no BSATN layout")

    def of_class(self, cls: type[Any]) -> Shape:
        if cls.__module__ == "bsatn.types":
            import bsatn.wiretypes  # noqa: F401 - ties the types' own layout, and stands on this module
        known = _SHAPES.get(cls) or self.new.get(cls)
        if known:
            return known
        if issubclass(cls, enum.Enum):
            members = tuple(cls)
            # `None_` is how Python spells a variant called None
            shape = Sum(
                tuple(m.name.rstrip("_") for m in members), (UNIT_SHAPE,) * len(members), Style.UNION, cls.__name__, members
            )
            self.new[cls] = shape
            return shape
        declared: Declared | None = cls.__dict__.get("__bsatn__")
        if declared is None:
            hint = f"; say its width, one of {_WIDTHS}" if cls is int else ""
            raise DefinitionError("NotAType", f"{cls.__qualname__} has no BSATN layout{hint}")
        return self.of_case(cls, declared) if declared.is_case else self.of_record(cls, declared)

    def of_record(self, cls: type[Any], declared: Declared) -> Shape:
        fields = dataclasses.fields(cls)
        names = tuple(f.metadata.get("name") or f.name for f in fields)
        product = Product(names, (), cls, tuple(f.name for f in fields))
        self.new[cls] = product
        hints = self.hints(cls, declared)
        product.fields = tuple(self.of_field(f.name, hints[f.name]) for f in fields)
        return product

    def of_field(self, name: str, annotation: Any) -> Shape:
        """The shape of a field; an error learns the way to it."""
        try:
            return self.resolve(annotation)
        except DefinitionError as error:
            error.path = (name, *error.path)
            raise

    def of_case(self, cls: type[Any], declared: Declared) -> Shape:
        fields = dataclasses.fields(cls)
        if not fields:
            return UNIT_SHAPE
        shape = Case(cls, fields[0].name, UNIT_SHAPE)
        self.new[cls] = shape
        shape.inner = self.of_field(fields[0].name, self.hints(cls, declared)[fields[0].name])
        return shape

    def hints(self, cls: type[Any], declared: Declared) -> dict[str, Any]:
        try:
            return typing.get_type_hints(cls, localns={**declared.namespace, cls.__name__: cls}, include_extras=True)
        except NameError as error:
            raise DefinitionError("UnknownName", f"{cls.__qualname__}: {error}") from None

    def of_array(self, element: Any, container: Any) -> Shape:
        shape = self.resolve(element)
        return leaf(t.BYTES) if shape is leaf(t.U8) else Array(shape, container)

    def of_annotated(self, annotation: Any, inner: Any, metadata: tuple[Any, ...]) -> Shape:
        for mark in metadata:
            if isinstance(mark, (t.AlgebraicType, Shape)):
                return mark if isinstance(mark, Shape) else shape_of_type(mark)
            if isinstance(mark, variants):
                if annotation not in self.new:
                    self.of_sum(annotation, inner, mark)
                return self.new[annotation]
        return self.resolve(inner)

    def of_union(self, annotation: Any, arguments: tuple[Any, ...]) -> Shape:
        if len(arguments) == 2 and pytypes.NoneType in arguments:
            payload = next(a for a in arguments if a is not pytypes.NoneType)
        elif pytypes.NoneType in arguments:
            payload = Union[tuple(a for a in arguments if a is not pytypes.NoneType)]  # noqa: UP007
        else:
            raise DefinitionError("NotAType", f"{annotation!r}: mark a union of classes with variants(...)")
        option = Sum(("some", "none"), (UNIT_SHAPE, UNIT_SHAPE), Style.OPTION, "option")
        self.options.append(option)
        option.payloads = (self.resolve(payload), UNIT_SHAPE)
        return option

    def of_sum(self, annotation: Any, inner: Any, mark: variants) -> None:
        classes = typing.get_args(inner) or (inner,)
        declared: list[Declared] = [getattr(cls, "__bsatn__", None) for cls in classes]  # type: ignore[misc]
        if None in declared:
            raise DefinitionError("NotAType", f"{inner!r}: every class of the sum {mark.name} must be a record or case")
        shape = Sum(mark.names or tuple(d.name for d in declared), (), Style.UNION, mark.name)
        self.new[annotation] = shape
        shape.members = tuple(
            cls() if d.is_case and not dataclasses.fields(cls) else cls for cls, d in zip(classes, declared, strict=True)
        )
        shape.payloads = tuple(self.of_class(cls) for cls in classes)


def _refuse_circle(shape: Shape) -> None:
    """A case that holds nothing but itself has no bytes, and no value."""
    seen: list[Shape] = []
    while isinstance(shape, Case):
        if shape in seen:
            raise DefinitionError("RecursiveType", f"case {shape.cls.__qualname__} holds nothing but itself")
        seen.append(shape)
        shape = shape.inner
