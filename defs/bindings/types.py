"""From annotations to types of the module: named ones are registered once, and meant by reference.

Named are records, row classes, dataclasses, enums and sums of classes; they come into the typespace when first met, before
what they are made of, as with the Rust bindings. Special types, options and results stand where they are used. (spec: wire
1.1, 2.3, 6.3)
"""

from __future__ import annotations

import dataclasses
import types as pytypes
import typing
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias

from bsatn import types as t
from bsatn.errors import DefinitionError
from bsatn.paths import Path
from bsatn.records import Declared, shape_of
from bsatn.shapes import Array, Broken, Case, Choice, Product, Shape, Style, Sum, is_unit
from bsatn.typeshapes import SCHEDULE_AT_SHAPE, type_of_shape
from defs.bindings.builder import RawModuleDefV10Builder
from defs.bindings.errors import DeclarationError

__all__ = ["Scope", "Types", "read_shape", "type_key"]

Scope: TypeAlias = Mapping[str, Any]  #: local names that annotations may use, besides those of their Python module


def read_shape(annotation: Any, scope: Scope, path: Path) -> Shape:
    """The shape of an annotation; dataclasses count as records. Raises DeclarationError."""
    try:
        _adopt(annotation, scope)
        return shape_of(annotation)
    except DefinitionError as error:
        raise DeclarationError(error.kind, error.message, path=(*path, *error.path)) from None


def _adopt(annotation: Any, scope: Scope) -> None:
    """Make the plain dataclasses that an annotation leads to known to bsatn, as if they were declared records."""
    todo, seen = [annotation], set[type]()
    while todo:
        one = todo.pop()
        if not isinstance(one, type) or isinstance(one, pytypes.GenericAlias):
            todo.extend(typing.get_args(one))
        elif one not in seen and dataclasses.is_dataclass(one) and one.__module__.partition(".")[0] != "bsatn":
            seen.add(one)
            if "__bsatn__" not in one.__dict__:
                vars_of: Any = one
                vars_of.__bsatn__ = Declared(is_case=False, name=one.__name__, since=None, namespace=dict(scope))
            names = {**one.__dict__["__bsatn__"].namespace, one.__name__: one}
            try:
                todo.extend(typing.get_type_hints(one, localns=names, include_extras=True).values())
            except NameError as error:
                raise DefinitionError("UnknownName", f"{one.__qualname__}: {error}") from None


def type_key(shape: Shape) -> Hashable:
    """What tells one named type from another: the class, or the name and members of a sum; None for a type without name."""
    match shape:
        case Product(cls=cls) if cls is not None:
            return (cls,)
        case Sum(style=Style.UNION) if shape is not SCHEDULE_AT_SHAPE and shape.names != ("ok", "err"):
            return shape.name, shape.names, shape.members
    return None


class Types:
    """The types of a module in the making; `given` has the names that are not the classes'."""

    def __init__(self, builder: RawModuleDefV10Builder, given: dict[Hashable, str]) -> None:
        self.builder, self.given = builder, given
        self.keys: dict[str, Hashable] = {}

    def use(self, annotation: Any, scope: Scope, path: Path) -> t.AlgebraicType:
        """The type that an annotation means. Raises DeclarationError where it means none."""
        return self.of_shape(read_shape(annotation, scope, path), path)

    def product(self, parts: Iterable[tuple[str, Any]], scope: Scope, path: Path) -> t.ProductType:
        """The product of named annotations."""
        return t.ProductType(tuple(t.ProductTypeElement(name, self.use(part, scope, (*path, name))) for name, part in parts))

    def of_shape(self, shape: Shape, path: Path) -> t.AlgebraicType:
        """The type of a shape, a reference where it has a name."""
        key = type_key(shape)
        if key is not None:
            return self.builder.add_type(key, self.name_of(key, shape, path), lambda: self.definition(shape, path))
        match shape:
            case Array():
                return t.ArrayType(self.of_shape(shape.element, path))
            case Case() | Choice():
                return self.of_shape(shape.inner, path)
            case Sum(style=Style.OPTION | Style.NESTED_OPTION):
                return t.option_type(self.of_shape(shape.payloads[0], path))
            case Sum(names=("ok", "err")) if shape is not SCHEDULE_AT_SHAPE:
                return t.result_type(*(self.of_shape(payload, path) for payload in shape.payloads))
            case Broken():
                raise DeclarationError("InvalidTypeRef", f"the reference &{shape.ref} leads nowhere: name the class", path=path)
            case Product() if not is_unit(shape):
                message = "a product needs a name to be used here: make it a class, declared with @record"
                raise DeclarationError("NonSpecialTypeNotAUse", message, path=path)
            case Sum(style=Style.VARIANT) if shape.names:
                message = "a sum needs a name to be used here: make it an enum, or a union of classes with variants(...)"
                raise DeclarationError("NonSpecialTypeNotAUse", message, path=path)
        return type_of_shape(shape)

    def name_of(self, key: Hashable, shape: Shape, path: Path) -> str:
        """The name of a named type, which is no other's."""
        own = shape.cls.__name__ if isinstance(shape, Product) and shape.cls else getattr(shape, "name", None)
        name = self.given.get(key) or own
        if not name:
            raise DeclarationError("NamelessType", 'the sum has no name: say variants("Name")', path=path)
        if self.keys.setdefault(name, key) != key:
            message = f"another type is called {name} too: give one of them another name with Module.type_name"
            raise DeclarationError("DuplicateTypeName", message, path=path)
        return str(name)

    def definition(self, shape: Shape, path: Path) -> t.AlgebraicType:
        """What a named type is: its parts, by name."""
        if isinstance(shape, Product):
            parts = zip(shape.names, shape.fields, strict=True)
            return t.ProductType(tuple(t.ProductTypeElement(n, self.of_shape(f, (*path, n or ""))) for n, f in parts))
        assert isinstance(shape, Sum)
        parts = zip(shape.names, shape.payloads, strict=True)
        return t.SumType(tuple(t.SumTypeVariant(n, self.of_shape(p, (*path, n or ""))) for n, p in parts))
