"""Types of one module as texts, and which named things they reach.

A type prints as descriptions do: `Vec2` for a reference to a named type, `Option<T>`, `Result<T, E>`, `Array<T>`, `Identity`
and its kin, `()` and `Never`, primitives by name. References to entries without a name print as what stands there. What no
valid definition has prints as SATN: `(a: U8, b: T)`, `(a: U8 | b: T)`, `&7`. (spec: wire 1.1, 5.4)

Small bytes must not become long texts: an entry that is referred to and has no name is written out up to `_MAX_ENTRY`
characters, a whole type up to `_MAX_TEXT`, all written-out entries together up to `_BUDGET`; past that, and in a circle,
the reference itself (`&7`) is printed. Nothing recurses, so no type is too deep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from bsatn import types as t
from bsatn.types import AlgebraicType, Ref, Typespace
from defs.describe.words import clip

__all__ = ["TypeTexts", "parts_of_type"]

_MAX_ENTRY = 512
_MAX_TEXT = 4096
_BUDGET = 1 << 20
_MAX_NESTED_ENTRIES = 32


@dataclass(frozen=True, slots=True)
class _Close:
    """Marks where the writing out of an entry ends."""

    ref: int


_Piece: TypeAlias = "str | AlgebraicType | _Close"


def _array(kind: t.ArrayType) -> list[_Piece]:
    return ["Array<", kind.element, ">"]


def _product(kind: t.ProductType) -> list[_Piece]:
    if name := t.special_name(kind):
        return [name]
    pieces: list[_Piece] = ["("]
    for position, element in enumerate(kind.elements):
        label = position if element.name is None else clip(element.name)
        pieces += [f"{', ' if position else ''}{label}: ", element.algebraic_type]
    return [*pieces, ")"]


def _sum(kind: t.SumType) -> list[_Piece]:
    if name := t.special_name(kind):
        return [name]
    if (payload := t.option_payload(kind)) is not None:
        return ["Option<", payload, ">"]
    if (payloads := t.result_payloads(kind)) is not None:
        return ["Result<", payloads[0], ", ", payloads[1], ">"]
    if not kind.variants:
        return ["Never"]
    pieces: list[_Piece] = ["("]
    for tag, variant in enumerate(kind.variants):
        label = "" if variant.name is None else f"{clip(variant.name)}: "
        pieces += [f"{' | ' if tag else ''}{label}", variant.algebraic_type]
    return [*pieces, ")"]


_PIECES: dict[type[AlgebraicType], Callable[[Any], list[_Piece]]] = {
    t.Primitive: lambda kind: [kind.name],
    t.ArrayType: _array,
    t.ProductType: _product,
    t.SumType: _sum,
}


def parts_of_type(kind: AlgebraicType) -> Iterator[AlgebraicType]:
    """The types directly inside one."""
    match kind:
        case t.ArrayType():
            yield kind.element
        case t.ProductType():
            yield from (element.algebraic_type for element in kind.elements)
        case t.SumType():
            yield from (variant.algebraic_type for variant in kind.variants)
        case _:
            pass


class TypeTexts:
    """Writes types whose references resolve in `typespace`; `names` are the entries that have one."""

    def __init__(self, typespace: Typespace, names: dict[int, str]) -> None:
        self.types = typespace.types
        self.names = names
        self.budget = _BUDGET
        self._entries: dict[int, str] = {}
        self._reached: dict[int, frozenset[int]] = {}

    def text(self, kind: AlgebraicType) -> str:
        """The type, written out."""
        return self._write([kind], set(), _MAX_TEXT) or "…"

    def resolve(self, kind: AlgebraicType) -> AlgebraicType:
        """The first type that is no reference to an entry without a name; a reference that leads nowhere stays."""
        seen: set[int] = set()
        while isinstance(kind, Ref) and kind.index not in self.names and kind.index not in seen:
            if kind.index >= len(self.types):
                break
            seen.add(kind.index)
            kind = self.types[kind.index]
        return kind

    def is_unit(self, kind: AlgebraicType) -> bool:
        """Whether a value of the type says nothing: `()`, under whatever reference without a name."""
        return self.resolve(kind) == t.UNIT

    def reached(self, kind: AlgebraicType) -> frozenset[int]:
        """The named entries that a type refers to, directly or through entries without a name."""
        if isinstance(kind, Ref) and kind.index in self._reached:
            return self._reached[kind.index]
        found: set[int] = set()
        seen: set[int] = set()
        todo = [kind]
        while todo:
            part = todo.pop()
            if not isinstance(part, Ref):
                todo.extend(parts_of_type(part))
            elif part.index in self.names:
                found.add(part.index)
            elif part.index < len(self.types) and part.index not in seen and self.budget > 0:
                seen.add(part.index)
                self.budget -= 1
                todo.append(self.types[part.index])
        answer = frozenset(found)
        if isinstance(kind, Ref):
            self._reached[kind.index] = answer
        return answer

    def _entry(self, ref: int) -> str:
        """What a reference prints as."""
        if ref in self.names:
            return self.names[ref]
        if ref not in self._entries:
            text = ""
            if ref < len(self.types) and self.budget > 0:
                text = self._write([_Close(ref), self.types[ref]], {ref}, _MAX_ENTRY)
                self.budget -= len(text) or _MAX_ENTRY
            self._entries[ref] = text or f"&{ref}"
        return self._entries[ref]

    def _write(self, todo: list[_Piece], open_: set[int], limit: int) -> str:
        """The pieces as text; empty when it would be longer than the limit, for an entry, or cut, for a type."""
        out: list[str] = []
        size = 0
        nested = bool(open_)
        while todo:
            piece = todo.pop()
            if isinstance(piece, _Close):
                open_.discard(piece.ref)
            elif isinstance(piece, Ref):
                todo.extend(self._written_out(piece.index, open_, nested))
            elif isinstance(piece, str):
                out.append(piece)
                size += len(piece)
                if size > limit:
                    return "" if nested else clip("".join(out), limit)
            else:
                todo.extend(reversed(_PIECES[type(piece)](piece)))
        return "".join(out)

    def _written_out(self, ref: int, open_: set[int], nested: bool) -> list[_Piece]:
        """A reference as pieces: its name, or the entry itself within another entry that is being written out."""
        if not nested or ref in self.names:
            return [self._entry(ref)]
        if ref in open_ or ref >= len(self.types) or len(open_) >= _MAX_NESTED_ENTRIES:
            return [f"&{ref}"]
        open_.add(ref)
        return [_Close(ref), self.types[ref]]
