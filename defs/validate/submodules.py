"""Modules within a module: their namespaces, and what may not stand in them. (spec: validation 2.13)

A submodule is validated as a module of its own, with its own naming rules; afterwards it and everything in it is moved under
its namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bsatn.paths import Path
from defs.raw.shared import Lifecycle
from defs.raw.v10 import RawModuleDefV10, RawSubmoduleV10
from defs.schema.lookup import Lookup
from defs.schema.model import ModuleDef, NamespacePath
from defs.validate.collect import Collector, Faults
from defs.validate.errors import (
    DuplicateName,
    EnvironmentInSubmodule,
    LifecycleInSubmodule,
    NamespaceNameConflict,
    NamespaceTooLong,
)
from defs.validate.naming import Names, identifier

__all__ = ["check_conflicts", "validate"]

MAX_NAMESPACE = 63  #: bytes

Validate = Callable[[RawModuleDefV10, Path], ModuleDef]


def validate(
    validate_module: Validate, names: Names, raws: Sequence[RawSubmoduleV10], path: Path
) -> tuple[Lookup[str, ModuleDef], dict[str, str]]:
    """The mounted modules by canonical namespace, and the namespaces as written."""
    collected = Collector()
    accessors: dict[str, str] = {}
    mounted: dict[str, ModuleDef] = {}
    seen: set[str] = set()
    for place, raw in enumerate(raws):
        name = collected.attempt(_one, validate_module, names, raw, seen, mounted, (*path, place))
        if name is not None:
            accessors[name] = raw.namespace
    collected.done()
    return Lookup(mounted.items()), accessors


def _one(
    validate_module: Validate,
    names: Names,
    raw: RawSubmoduleV10,
    seen: set[str],
    mounted: dict[str, ModuleDef],
    path: Path,
) -> str:
    """Mount one; returns its canonical namespace, which is taken even by a module that holds what only the root may."""
    here, accessor = tuple(path), identifier(raw.namespace, path)
    name = names.namespace(raw.namespace, path)
    sizes = {spelling: len(spelling.encode()) for spelling in (accessor, name)}
    if long := [NamespaceTooLong(spelling, size, path=here) for spelling, size in sizes.items() if size > MAX_NAMESPACE]:
        raise Faults(*long)
    if accessor in seen:
        raise Faults(DuplicateName(accessor, path=here))
    seen.add(accessor)
    if name in mounted:
        raise Faults(DuplicateName(name, path=here))
    module = validate_module(raw.module, (*path, "module"))
    mounted[name] = mount(module, (name,), (accessor,))
    collected = Collector()
    if module.environment:
        collected.add(EnvironmentInSubmodule(raw.namespace, path=here))
    for event in Lifecycle:
        if event in module.lifecycle_reducers:
            collected.add(LifecycleInSubmodule(event, raw.namespace, path=here))
    collected.done()
    return name


def mount(module: ModuleDef, path: NamespacePath, accessors: NamespacePath) -> ModuleDef:
    """The module, and all in it, moved under a path of namespaces."""

    def moved(items: Lookup[Any, Any]) -> Lookup[Any, Any]:
        return Lookup((key, replace(one, namespace=(*path, *one.namespace))) for key, one in items.items())

    def table(one: Any) -> Any:
        inner = {part: moved(getattr(one, part)) for part in ("indexes", "constraints", "sequences")}
        schedule = one.schedule and replace(one.schedule, namespace=(*path, *one.schedule.namespace))
        return replace(one, namespace=(*path, *one.namespace), schedule=schedule, **inner)

    return replace(
        module,
        path=(*path, *module.path),
        accessor_path=(*accessors, *module.accessor_path),
        tables=Lookup((key, table(one)) for key, one in module.tables.items()),
        reducers=moved(module.reducers),
        procedures=moved(module.procedures),
        views=moved(module.views),
        submodules=Lookup((key, mount(one, path, accessors)) for key, one in module.submodules.items()),
    )


def check_conflicts(module: ModuleDef, namespaces: dict[str, str], path: Path) -> None:
    """No table or function shares its accessor name with a namespace mounted beside it."""
    taken = set(namespaces.values())
    collected = Collector()
    kinds = (("table", module.tables), ("view", module.views), ("reducer", module.reducers), ("procedure", module.procedures))
    for kind, items in kinds:
        for one in items.values():
            if one.accessor_name in taken:
                error = NamespaceNameConflict(kind, one.accessor_name, one.accessor_name, path=(*path, "submodules"))
                collected.add(error)
    collected.done()
