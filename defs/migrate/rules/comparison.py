"""Both definitions, paired by name: what every rule looks at.

Things of the module and of what is mounted in it are paired by canonical name, namespaces included, once, in time linear in the
definitions' size; in the old definition's order, then what is new. To a client a table and a view are the same, a relation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

from bsatn.frozen import frozen
from bsatn.types import option_payload
from defs.migrate.rules.model import Path
from defs.migrate.rules.visible import Function, Relation, columns_of, is_callable, row_type, visible_types
from defs.migrate.rules.wire import follow
from defs.migrate.rules.witness import Demonstrator
from defs.schema.model import (
    ModuleDef,
    NamespacePath,
    ProcedureDef,
    ReducerDef,
    TableDef,
    ViewDef,
)

__all__ = ["Comparison", "Function", "Pair", "Paired", "Place", "Relation", "columns_of", "is_callable", "row_type"]

_T = TypeVar("_T", bound=Function | Relation)

#: The collection that a thing is of.
_KINDS: dict[type[Any], str] = {TableDef: "tables", ViewDef: "views", ReducerDef: "reducers", ProcedureDef: "procedures"}


@frozen
class Place(Generic[_T]):
    """A thing of one definition, and the module it is of."""

    item: _T
    module: ModuleDef

    @property
    def key(self) -> tuple[NamespacePath, str]:
        """What it is paired by."""
        return self.module.path, self.item.name

    @property
    def source(self) -> tuple[NamespacePath, str]:
        """What generated code calls it."""
        return self.module.accessor_path, self.item.accessor_name

    def path(self, *rest: str) -> Path:
        """Where it, or a part of it, stands."""
        return (*self.module.path, _KINDS[type(self.item)], self.item.name, *rest)

    @property
    def noun(self) -> str:
        """What people call its kind."""
        return _KINDS[type(self.item)][:-1]

    @property
    def element(self) -> str:
        """For people: `table fighter`."""
        return f"{self.noun} {'.'.join((*self.module.path, self.item.name))}"


@frozen
class Pair(Generic[_T]):
    """The same thing in both definitions."""

    old: Place[_T]
    new: Place[_T]

    @property
    def items(self) -> tuple[_T, _T]:
        """The old one and the new one."""
        return self.old.item, self.new.item

    @property
    def element(self) -> str:
        """For people."""
        return self.old.element

    def paths(self, *rest: str) -> tuple[Path, Path]:
        """Where it, or a part of it, stands in the old and in the new definition."""
        return self.old.path(*rest), self.new.path(*rest)


@frozen
class Paired(Generic[_T]):
    """Things of a kind that both have, that only the old one has, and that only the new one has."""

    both: tuple[Pair[_T], ...]
    gone: tuple[Place[_T], ...]
    added: tuple[Place[_T], ...]

    def renamed(self) -> Iterator[Pair[_T]]:
        """What is gone but for its source's name, which something new of the same kind has."""
        after = {(type(one.item), one.source): one for one in self.added}
        for one in self.gone:
            found = after.get((type(one.item), one.source))
            if found is not None:
                yield Pair(one, found)

    def removed(self) -> Iterator[Place[_T]]:
        """What is gone under any name."""
        renamed = {one.old.key for one in self.renamed()}
        return (one for one in self.gone if one.key not in renamed)


class Comparison:
    """The old and the new definition."""

    def __init__(self, old: ModuleDef, new: ModuleDef) -> None:
        self.old, self.new = old, new

    def _paired(self, items: Callable[[ModuleDef], Iterable[_T]]) -> Paired[_T]:
        before, after = (
            {one.key: one for one in (Place(item, module) for module in side.modules() for item in items(module))}
            for side in (self.old, self.new)
        )
        return Paired(
            tuple(Pair(one, after[key]) for key, one in before.items() if key in after),
            tuple(one for key, one in before.items() if key not in after),
            tuple(one for key, one in after.items() if key not in before),
        )

    @cached_property
    def tables(self) -> Paired[TableDef]:
        """The tables."""
        return self._paired(lambda module: module.tables.values())

    @cached_property
    def views(self) -> Paired[ViewDef]:
        """The views."""
        return self._paired(lambda module: module.views.values())

    @cached_property
    def relations(self) -> Paired[Relation]:
        """Tables and views."""
        return self._paired(lambda module: [*module.tables.values(), *module.views.values()])

    @cached_property
    def reducers(self) -> Paired[ReducerDef]:
        """The reducers."""
        return self._paired(lambda module: module.reducers.values())

    @cached_property
    def procedures(self) -> Paired[ProcedureDef]:
        """The procedures."""
        return self._paired(lambda module: module.procedures.values())

    @cached_property
    def shown(self) -> tuple[Pair[Relation], ...]:
        """Relations that clients read before and after."""
        return tuple(pair for pair in self.relations.both if all(item.is_public for item in pair.items))

    @cached_property
    def cached(self) -> tuple[Pair[Relation], ...]:
        """Of these, those whose rows clients keep: all but event tables."""
        return tuple(pair for pair in self.shown if not any(isinstance(i, TableDef) and i.is_event for i in pair.items))

    @cached_property
    def shown_views(self) -> tuple[Pair[ViewDef], ...]:
        """Views that clients read before and after."""
        return tuple(pair for pair in self.views.both if all(item.is_public for item in pair.items))

    @cached_property
    def stored(self) -> tuple[Pair[TableDef], ...]:
        """Tables that keep rows before and after."""
        return tuple(pair for pair in self.tables.both if not any(item.is_event for item in pair.items))

    @cached_property
    def demonstrator(self) -> Demonstrator:
        """Compares types, and shows what a difference does."""
        return Demonstrator()

    def kept_types(self, module: ModuleDef) -> frozenset[int]:
        """The entries of an old module's typespace that lead there from what clients see before and after."""
        return visible_types(module, self._kept.get(module.path, ()))

    @cached_property
    def _kept(self) -> dict[NamespacePath, list[Function | Relation]]:
        found: dict[NamespacePath, list[Function | Relation]] = {}
        calls: tuple[Pair[Any], ...] = (*self.reducers.both, *self.procedures.both)
        for pair in (*(one for one in calls if all(map(is_callable, one.items))), *self.shown):
            found.setdefault(pair.old.module.path, []).append(pair.old.item)
        return found

    def returns_option(self, view: Place[ViewDef]) -> bool:
        """Whether a view returns one row at most."""
        return option_payload(follow(view.item.return_type, view.module.typespace)) is not None
