"""Checks types for code generation, and builds what generators need of them. (spec: validation 2.6, 7)

Two things are parsed: uses, which contract chains of aliases, and definitions, whose members are uses. Nothing recurses
natively and every entry of the typespace is settled once, right or wrong, so the work is linear in the typespace whatever
shares or refers to what. What an alias comes to never depends on who asks: a failure is remembered like a success, and in
a cycle of aliases each one blames itself, as it would when asked first.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from bsatn import types as t
from defs.schema.generate import (
    LEAVES,
    MAX_DEPTH,
    MAX_PARTS,
    ArrayUse,
    Definition,
    OptionUse,
    PlainEnumTypeDef,
    ProductTypeDef,
    RefUse,
    ResultUse,
    SumTypeDef,
    TypespaceForGenerate,
    Use,
)
from defs.schema.lookup import Lookup
from defs.validate.naming import identifier_reason
from defs.validate.reasons import (
    CodegenError,
    InvalidTypeRef,
    NamelessTypeDefElement,
    NonDeclaredTypeDef,
    NonSpecialTypeNotAUse,
    NotValidForDefinition,
    NotValidIdentifier,
    RecursiveTypeRef,
    TypeRefError,
    UseTooLarge,
)

__all__ = ["Builder"]


class _Sized(NamedTuple):
    """A use, with how deep it nests and how many parts it is made of."""

    use: Use
    depth: int = 1
    parts: int = 1


@dataclass(slots=True)
class _Open:
    """A type whose parts are being looked at; `ref` is the entry, when it is an alias."""

    make: Callable[..., Use] | None
    left: list[t.AlgebraicType]  #: from the last to the next
    ref: int = -1
    done: list[_Sized] = field(default_factory=list)


_Found: TypeAlias = _Sized | CodegenError
_LEAVES: dict[str, _Sized] = {name: _Sized(use) for name, use in LEAVES.items()}


def _special(kind: t.ProductType | t.SumType) -> _Sized | None:
    """The leaf that a product or sum is, if any; compared, never hashed, as types may be deep."""
    if isinstance(kind, t.SumType):
        if kind == t.SCHEDULE_AT:
            return _LEAVES["ScheduleAt"]
        return None if kind.variants else _LEAVES["Never"]
    if not kind.elements:
        return _LEAVES["Unit"]
    special = t.SPECIAL_PRODUCTS.get(kind.elements[0].name or "")
    return _LEAVES[str(t.special_name(special))] if special is not None and kind == special else None


class Builder:
    """Parses the uses and definitions of one typespace. `declared` are the entries that type definitions name."""

    def __init__(self, typespace: t.Typespace, declared: Iterable[int]) -> None:
        self.typespace = typespace
        self.declared = frozenset(declared)
        self._aliases: dict[int, _Found] = {}
        self._definitions: dict[int, Definition] = {}

    # Uses

    def use(self, kind: t.AlgebraicType) -> Use | CodegenError:
        """The use that a type is, or the first thing that keeps it from being one."""
        found = self._find(kind)
        return found if isinstance(found, CodegenError) else found.use

    def fault(self, kind: t.AlgebraicType) -> CodegenError | None:
        """What keeps a type from being a use, if anything."""
        found = self._find(kind)
        return found if isinstance(found, CodegenError) else None

    def _find(self, kind: t.AlgebraicType) -> _Found:
        opened: list[_Open] = []
        touching: set[int] = set()
        while True:
            entered = self._enter(kind, touching)
            if isinstance(entered, _Open):
                opened.append(entered)
                if entered.ref >= 0:
                    touching.add(entered.ref)
                kind = entered.left.pop()
                continue
            found: _Found = entered
            while opened and not isinstance(found, CodegenError):
                opened[-1].done.append(found)
                if opened[-1].left:
                    break
                found = self._close(opened.pop())
            if isinstance(found, CodegenError):
                self._blame([node.ref for node in opened if node.ref >= 0], found)
                return found
            if not opened:
                return found
            kind = opened[-1].left.pop()

    def _enter(self, kind: t.AlgebraicType, touching: Collection[int]) -> _Found | _Open:
        if isinstance(kind, t.Ref):
            return self._enter_ref(kind.index, touching)
        if isinstance(kind, t.ArrayType):
            return _Open(ArrayUse, [kind.element])
        if isinstance(kind, t.Primitive):
            return _LEAVES[kind.name]
        assert isinstance(kind, (t.ProductType, t.SumType))
        if (leaf := _special(kind)) is not None:
            return leaf
        if (payload := t.option_payload(kind)) is not None:
            return _Open(OptionUse, [payload])
        if (payloads := t.result_payloads(kind)) is not None:
            return _Open(ResultUse, [*reversed(payloads)])
        return NonSpecialTypeNotAUse(kind)

    def _enter_ref(self, ref: int, touching: Collection[int]) -> _Found | _Open:
        if ref in self.declared:
            return _Sized(RefUse(ref))
        if ref in self._aliases:  # so what `touching` holds is still open
            return self._aliases[ref]
        if not 0 <= ref < len(self.typespace):
            return TypeRefError(InvalidTypeRef(ref))
        if ref in touching:
            return TypeRefError(RecursiveTypeRef(ref))
        return _Open(None, [self.typespace[ref]], ref)

    def _close(self, node: _Open) -> _Found:
        if node.make is None:
            self._aliases[node.ref] = node.done[0]
            return node.done[0]
        depth = 1 + max(part.depth for part in node.done)
        parts = 1 + sum(part.parts for part in node.done)
        if depth > MAX_DEPTH:
            return UseTooLarge("levels", MAX_DEPTH)
        if parts > MAX_PARTS:
            return UseTooLarge("parts", MAX_PARTS)
        return _Sized(node.make(*(part.use for part in node.done)), depth, parts)

    def _blame(self, chain: list[int], error: CodegenError) -> None:
        """Remember why the aliases of a chain, each leading to the next, failed."""
        cycle = len(chain)
        if isinstance(error, TypeRefError) and error.error.ref_ in chain:
            cycle = chain.index(error.error.ref_)
        for position, ref in enumerate(chain):
            self._aliases[ref] = error if position < cycle else TypeRefError(RecursiveTypeRef(ref))

    # Definitions

    def define(self, ref: int) -> list[CodegenError]:
        """Check, and add, the definition at a declared entry; everything that is wrong with it."""
        if ref not in self.declared:
            return [NonDeclaredTypeDef(ref)]
        if not 0 <= ref < len(self.typespace):
            return [TypeRefError(InvalidTypeRef(ref))]
        kind = self.typespace[ref]
        if not isinstance(kind, (t.ProductType, t.SumType)):
            return [NotValidForDefinition(kind)]
        faults: list[CodegenError] = []
        members: list[tuple[str, Use]] = []
        for member in kind:
            fault = self._name_fault(kind, member.name)
            use = self.use(member.algebraic_type)
            faults += [] if fault is None else [fault]
            if isinstance(use, CodegenError):
                faults.append(use)
            else:
                members.append((member.name or "", use))
        if not faults:
            self._definitions[ref] = _definition(kind, tuple(members))
        return faults

    @staticmethod
    def _name_fault(kind: t.AlgebraicType, name: str | None) -> CodegenError | None:
        if name is None:
            return NamelessTypeDefElement(kind)
        reason = identifier_reason(name)
        return None if reason is None else NotValidIdentifier(kind, reason)

    def finish(self) -> TypespaceForGenerate:
        """The definitions added so far, marked where they are recursive."""
        recursive = _recursive(self.typespace, self._definitions)
        return TypespaceForGenerate(
            Lookup(
                (ref, replace(made, recursive=True) if ref in recursive and not isinstance(made, PlainEnumTypeDef) else made)
                for ref, made in sorted(self._definitions.items())
            )
        )


def _definition(kind: t.ProductType | t.SumType, members: tuple[tuple[str, Use], ...]) -> Definition:
    if isinstance(kind, t.ProductType):
        return ProductTypeDef(members)
    if all(use == LEAVES["Unit"] for _, use in members):
        return PlainEnumTypeDef(tuple(name for name, _ in members))
    return SumTypeDef(members)


# Recursion --------------------------------------------------------------------------------------------------


def _refs(kind: t.AlgebraicType) -> Iterator[int]:
    """The entries a type refers to, as written."""
    todo: list[t.AlgebraicType] = [kind]
    while todo:
        node = todo.pop()
        if isinstance(node, t.Ref):
            yield node.index
        elif isinstance(node, t.ArrayType):
            todo.append(node.element)
        elif isinstance(node, (t.ProductType, t.SumType)):
            todo.extend(member.algebraic_type for member in node)


def _recursive(typespace: t.Typespace, roots: Iterable[int]) -> set[int]:
    """The entries that lead to themselves: members of strongly connected components, and those that name themselves.

    Tarjan's algorithm over the entries as written, aliases included: an alias is never recursive without a definition.
    """
    order: dict[int, int] = {}  # when an entry was met
    low: dict[int, int] = {}  # the earliest entry on the path that it leads back to
    path: list[int] = []
    on_path: set[int] = set()
    found: set[int] = set()
    for root in roots:
        if root in order:
            continue
        visits: list[tuple[int, Iterator[int]]] = []
        entering: Any = root
        while True:
            if entering is not None:
                order[entering] = low[entering] = len(order)
                path.append(entering)
                on_path.add(entering)
                visits.append((entering, _refs(typespace[entering])))
            entry, refs = visits[-1]
            entering = None
            for ref in refs:
                if not 0 <= ref < len(typespace):
                    continue
                if ref not in order:
                    entering = ref
                    break
                if ref == entry:
                    found.add(entry)
                if ref in on_path:
                    low[entry] = min(low[entry], order[ref])
            if entering is not None:
                continue
            visits.pop()
            if visits:
                low[visits[-1][0]] = min(low[visits[-1][0]], low[entry])
            if low[entry] == order[entry]:
                position = len(path) - 1
                while path[position] != entry:
                    position -= 1
                component = path[position:]
                del path[position:]
                on_path.difference_update(component)
                if len(component) > 1:
                    found.update(component)
            if not visits:
                break
    return found
