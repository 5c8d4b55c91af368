"""What a reader of one type makes of bytes that were written as another: every difference, by kind and place.

Types are compared as BSATN sees them: a product is its fields one after another, a sum a tag and a payload; names are nothing.
So names that only differ are told apart from those that moved, where a reader takes one thing for another. `differences` walks
both types at once, visits each pair of references once, and remembers what it found.
(spec: compat 7.2; wire 1)
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from enum import Enum
from typing import Final, TypeAlias

from bsatn.frozen import frozen
from bsatn.types import AlgebraicType, ArrayType, Primitive, ProductType, Ref, SumType, Typespace, special_name

__all__ = ["BREAKING", "ENUM", "Difference", "Kind", "Steps", "Wire"]

MAX_DIFFERENCES: Final = 16  #: that are looked for between two types; more would not change what is reported
MAX_ATOMS: Final = 4096  #: fields that a product may have in all to be compared regardless of how they are grouped

Steps: TypeAlias = tuple[int, ...]  #: into the type that is written: a field's position, a variant's, 0 for an element


class Kind(Enum):
    """How two types differ, the written one from the one it is read as."""

    FIELD_RENAMED = "field renamed"
    VARIANT_RENAMED = "variant renamed"
    FIELD_MOVED = "field moved"
    RETYPED = "type changed"
    ALIASED = "meaning changed"  #: of a special type, whose bytes are those of another
    LONGER = "more fields than are read"
    SHORTER = "fewer fields than are read"
    VARIANT_MOVED = "variant moved"
    VARIANT_UNKNOWN = "variant unknown"


ENUM: Final = frozenset({Kind.VARIANT_MOVED, Kind.VARIANT_UNKNOWN})
BREAKING: Final = frozenset(Kind) - {Kind.FIELD_RENAMED, Kind.VARIANT_RENAMED}

_IN_NAMES: Final = frozenset({Kind.FIELD_MOVED, Kind.ALIASED})  #: what the same bytes show in names alone


@frozen
class Difference:
    """One difference: where in the written type, and the names of what is there in it and in the other."""

    kind: Kind
    steps: Steps
    labels: tuple[str, ...]  #: the way there in names
    written: str = ""
    read: str = ""

    @property
    def place(self) -> str:
        """The way in words; empty at the top."""
        return ".".join(self.labels)


_Key: TypeAlias = tuple[int, int, int, int]  #: typespaces and references of both sides


class Wire:
    """Compares types of two modules, in either direction."""

    def __init__(self) -> None:
        self._same: set[_Key] = set()
        self._known: dict[tuple[AlgebraicType, int, AlgebraicType, int], tuple[Difference, ...]] = {}
        self._alive: dict[int, Typespace] = {}  # keys are of their ids

    def differences(
        self, written: AlgebraicType, typespace: Typespace, read: AlgebraicType, read_typespace: Typespace
    ) -> tuple[Difference, ...]:
        """What differs between a type and the one that its bytes are read as, in order; at most `MAX_DIFFERENCES`."""
        if typespace is read_typespace and written == read:
            return ()
        known = self._known.get((written, id(typespace), read, id(read_typespace)))
        if known is not None:
            return known
        walk = _Walk(typespace, read_typespace, self._same)
        found = tuple(_walked(walk.compare(written, read, (), ())))
        if not found:
            self._same |= walk.seen
        self._alive |= {id(typespace): typespace, id(read_typespace): read_typespace}
        return self._known.setdefault((written, id(typespace), read, id(read_typespace)), found[:MAX_DIFFERENCES])


@frozen
class _All:
    """A walk whose differences are wanted one and all, before any of them counts."""

    walk: _Walking


#: A walk yields differences, and walks to be walked first: no type is nested too deep for it.
_Walking: TypeAlias = Generator["Difference | _All | _Walking", list[Difference], None]


def _walked(walk: _Walking) -> list[Difference]:
    """The differences in order."""
    outcome: list[Difference] = []
    walks = [(walk, outcome)]
    answer: list[Difference] | None = None
    while walks:
        current, found = walks[-1]
        try:
            step = next(current) if answer is None else current.send(answer)
        except StopIteration:
            walks.pop()
            answer = found if walks and walks[-1][1] is not found else None
            continue
        answer = None
        if isinstance(step, Difference):
            found.append(step)
        elif isinstance(step, _All):
            walks.append((step.walk, []))
        else:
            walks.append((step, found))
    return outcome


class _Walk:
    def __init__(self, typespace: Typespace, read_typespace: Typespace, same: set[_Key], *, regroups: bool = True) -> None:
        self.spaces = typespace, read_typespace
        self.same, self.regroups = same, regroups
        self.differ: set[tuple[AlgebraicType, AlgebraicType]] = set()  # however their parts are grouped
        self.seen: set[_Key] = set()
        self.found = 0

    def one(self, kind: Kind, steps: Steps, labels: tuple[str, ...], written: str = "", read: str = "") -> Difference:
        self.found += 1
        return Difference(kind, steps, labels, written, read)

    def compare(self, a: AlgebraicType, b: AlgebraicType, steps: Steps, labels: tuple[str, ...]) -> _Walking:
        if self.found >= MAX_DIFFERENCES:
            return
        if isinstance(a, Ref) and isinstance(b, Ref):
            key = id(self.spaces[0]), id(self.spaces[1]), a.index, b.index
            if key in self.same or key in self.seen:
                return
            self.seen.add(key)
        a, b = follow(a, self.spaces[0]), follow(b, self.spaces[1])
        if isinstance(a, Primitive) and a == b:
            return
        if not self.regroups and (a, b) in self.differ:
            yield self.one(Kind.RETYPED, steps, labels)
            return
        special = special_name(a), special_name(b)
        if isinstance(a, ArrayType) and isinstance(b, ArrayType):
            yield self.compare(a.element, b.element, (*steps, 0), (*labels, "[]"))
        elif isinstance(a, SumType) and isinstance(b, SumType):
            yield self.sums(a, b, steps, labels)
        elif all(special) and special[0] != special[1] and self.same_bytes(a, b):
            yield self.one(Kind.ALIASED, steps, labels, *map(str, special))
        elif isinstance(a, ProductType) and isinstance(b, ProductType) and not any(special):
            yield self.products(a, b, steps, labels)
        elif special[0] and special[0] == special[1]:
            return
        elif self.same_bytes(a, b):
            yield self.one(Kind.FIELD_RENAMED, steps, labels)
        else:
            yield self.one(Kind.RETYPED, steps, labels)

    def sums(self, a: SumType, b: SumType, steps: Steps, labels: tuple[str, ...]) -> _Walking:
        names = {one.name for one in a}, {one.name for one in b}
        for tag, one in enumerate(a.variants):
            inside, name = (*steps, tag), one.name or str(tag)
            if tag >= len(b.variants):
                yield self.one(Kind.VARIANT_UNKNOWN, inside, labels, name)
                continue
            other = b.variants[tag]
            if one.name != other.name:
                moved = one.name in names[1] or other.name in names[0]
                kind = Kind.VARIANT_MOVED if moved else Kind.VARIANT_RENAMED
                yield self.one(kind, inside, labels, name, other.name or str(tag))
                if moved:
                    continue
            yield self.compare(one.algebraic_type, other.algebraic_type, inside, (*labels, name))

    def products(self, a: ProductType, b: ProductType, steps: Steps, labels: tuple[str, ...]) -> _Walking:
        before = self.found
        found = yield _All(self.fields(a, b, steps, labels))
        kinds = {one.kind for one in found}
        if self.regroups and kinds & BREAKING - ENUM and not kinds & _IN_NAMES and self.same_bytes(a, b):
            self.found = before
            found = [self.one(Kind.FIELD_RENAMED, steps, labels)]
        yield from found

    def fields(self, a: ProductType, b: ProductType, steps: Steps, labels: tuple[str, ...]) -> _Walking:
        names = {one.name for one in a}, {one.name for one in b}
        for position, (one, other) in enumerate(zip(a.elements, b.elements, strict=False)):
            inside, name = (*steps, position), one.name or str(position)
            if one.name != other.name:
                moved = one.name in names[1] or other.name in names[0]
                kind = Kind.FIELD_MOVED if moved else Kind.FIELD_RENAMED
                yield self.one(kind, inside, labels, name, other.name or str(position))
            yield self.compare(one.algebraic_type, other.algebraic_type, inside, (*labels, name))
        if len(a.elements) > len(b.elements):
            yield self.one(Kind.LONGER, steps, labels)
        elif len(a.elements) < len(b.elements):
            yield self.one(Kind.SHORTER, steps, labels)

    def same_bytes(self, a: AlgebraicType, b: AlgebraicType) -> bool:
        """Whether both are the same sequence of parts, however they are grouped into products."""
        flat = _atoms(a, self.spaces[0]), _atoms(b, self.spaces[1])
        if flat[0] is None or flat[1] is None or len(flat[0]) != len(flat[1]):
            return False
        return all(self._same_atom(one, other) for one, other in zip(flat[0], flat[1], strict=True))

    def _same_atom(self, a: AlgebraicType, b: AlgebraicType) -> bool:
        if isinstance(a, Primitive) or isinstance(b, Primitive) or not self.regroups:
            return isinstance(a, Primitive) and a == b
        if (a, b) in self.differ:
            return False
        walk = _Walk(*self.spaces, self.same, regroups=False)
        walk.differ = self.differ
        same = not any(one.kind in BREAKING for one in _walked(walk.compare(a, b, (), ())))
        if not same:
            self.differ.add((a, b))
        return same


def follow(kind: AlgebraicType, typespace: Typespace) -> AlgebraicType:
    """What a reference leads to; a chain that leads nowhere stays one."""
    for _ in range(len(typespace) + 1):
        if not isinstance(kind, Ref) or kind.index >= len(typespace):
            break
        kind = typespace[kind.index]
    return kind


def _atoms(kind: AlgebraicType, typespace: Typespace) -> Sequence[AlgebraicType] | None:
    """The type's parts one after another, products opened; None if there are too many."""
    found: list[AlgebraicType] = []
    todo = [kind]
    for _ in range(MAX_ATOMS):
        if not todo:
            return found
        part = follow(todo.pop(), typespace)
        if isinstance(part, ProductType):
            todo.extend(one.algebraic_type for one in reversed(part.elements))
        else:
            found.append(part)
    return None
