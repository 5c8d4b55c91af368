"""Types as code generators see them: definitions, which get a name in generated code, and uses of them. (spec: validation 7)

A declared entry of the typespace is a definition: a product, a plain enum (no variant carries anything) or another sum.
Everything a field, parameter or element may hold is a use: a reference to a definition, an array, option or result of
uses, or a leaf. References to entries that are not declared are followed when a use is made, so every `RefUse` points to
a definition, and recursion only ever passes through definitions: a use is a finite tree, no deeper than `MAX_DEPTH` and of no
more than `MAX_PARTS` parts, which plain recursion may walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from bsatn.frozen import frozen
from bsatn.types import PRIMITIVES, SCHEDULE_AT, SPECIAL_PRODUCTS, AlgebraicType, special_name
from defs.schema.lookup import Lookup

__all__ = [
    "LEAVES",
    "MAX_DEPTH",
    "MAX_PARTS",
    "ArrayUse",
    "Definition",
    "LeafUse",
    "OptionUse",
    "PlainEnumTypeDef",
    "ProductTypeDef",
    "RefUse",
    "ResultUse",
    "SumTypeDef",
    "TypespaceForGenerate",
    "Use",
    "refs_of",
]

MAX_DEPTH = 512  #: how deep uses nest; the reference has no bound, and runs out of stack
MAX_PARTS = 4096  #: how many uses a use is made of; shared aliases multiply


class _Text:
    """A use is its text, `Array<Option<&0>>`: that is what it prints, compares and hashes by, at any depth."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and repr(self) == repr(other))

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        text: list[str] = []
        todo: list[object] = [self]
        while todo:
            match todo.pop():
                case str(piece):
                    text.append(piece)
                case LeafUse(name):
                    text.append(name)
                case RefUse(ref):
                    text.append(f"&{ref}")
                case ArrayUse(element):
                    todo += [">", element, "Array<"]
                case OptionUse(payload):
                    todo += [">", payload, "Option<"]
                case ResultUse(ok, err):
                    todo += [">", err, ", ", ok, "Result<"]
        return "".join(text)


@frozen(eq=False, repr=False)
class LeafUse(_Text):
    """A use without parts: a primitive by its name, `ScheduleAt`, `Identity`, ..., `Unit` or `Never`."""

    name: str


@frozen(eq=False, repr=False)
class RefUse(_Text):
    """A definition, by its entry in the typespace."""

    ref: int


@frozen(eq=False, repr=False)
class ArrayUse(_Text):
    """Any number of `element`."""

    element: Use


@frozen(eq=False, repr=False)
class OptionUse(_Text):
    """A `payload`, or nothing."""

    payload: Use


@frozen(eq=False, repr=False)
class ResultUse(_Text):
    """An `ok`, or an `err`."""

    ok: Use
    err: Use


Use: TypeAlias = LeafUse | RefUse | ArrayUse | OptionUse | ResultUse

_SPECIALS: tuple[AlgebraicType, ...] = (*SPECIAL_PRODUCTS.values(), SCHEDULE_AT)
#: Every leaf by its name.
LEAVES: dict[str, LeafUse] = {
    name: LeafUse(name)
    for name in (*(p.name for p in PRIMITIVES), *(str(special_name(kind)) for kind in _SPECIALS), "Unit", "Never")
}


@frozen
class ProductTypeDef:
    """A struct: names and uses of its fields. `recursive` says that it contains itself, through whatever else."""

    elements: tuple[tuple[str, Use], ...]
    recursive: bool = False


@frozen
class SumTypeDef:
    """A tagged union of which at least one variant carries something."""

    variants: tuple[tuple[str, Use], ...]
    recursive: bool = False


@frozen
class PlainEnumTypeDef:
    """A sum of which no variant carries anything."""

    variants: tuple[str, ...]
    recursive: bool = field(default=False, init=False)


Definition: TypeAlias = ProductTypeDef | SumTypeDef | PlainEnumTypeDef


@frozen
class TypespaceForGenerate:
    """The definitions of a typespace, by entry, in that order."""

    definitions: Lookup[int, Definition]

    def __getitem__(self, ref: int) -> Definition:
        return self.definitions[ref]

    def __iter__(self) -> Iterator[int]:
        return iter(self.definitions)

    def __len__(self) -> int:
        return len(self.definitions)


def refs_of(use: Use) -> Iterator[int]:
    """The definitions a use refers to, in order, with repeats."""
    todo: list[Use] = [use]
    while todo:
        match todo.pop():
            case RefUse(ref):
                yield ref
            case ArrayUse(inner) | OptionUse(inner):
                todo.append(inner)
            case ResultUse(ok, err):
                todo += [err, ok]
            case _:
                pass
