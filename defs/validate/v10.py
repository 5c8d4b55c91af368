"""RawModuleDefV10 to ModuleDef, in the reference's order of work. (spec: validation 2)

`validate_v10` is that order, top to bottom; each step is a function of this package. Only the first section of a kind counts.
Steps 4 to 7 run side by side; the attachments of step 9 one after another, each stopping the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bsatn.paths import Path
from defs.raw.shared import Lifecycle
from defs.raw.v10 import RawModuleDefV10
from defs.schema.lookup import Lookup
from defs.schema.model import ModuleDef, ProcedureDef, ReducerDef, ScopedTypeName, ViewDef
from defs.validate import attach, environment, http, submodules
from defs.validate.casing import convert_typespace
from defs.validate.collect import Collector, Faults
from defs.validate.errors import DuplicateFunctionName, DuplicateLifecycle, LifecycleWithoutReducer
from defs.validate.functions import procedure_v10, reducer_v10, view
from defs.validate.naming import names_of
from defs.validate.scope import Scope
from defs.validate.tables import table_v10
from defs.validate.typedefs import type_def

__all__ = ["validate_v10"]

_T = TypeVar("_T")


def all_of(collected: Collector, step: Callable[..., _T], raws: Sequence[Any], scope: Scope, path: Path) -> list[_T] | None:
    """Run a step for each raw item; None when any failed."""
    before = len(collected.errors)
    found = [collected.attempt(step, scope, raw, (*path, place)) for place, raw in enumerate(raws)]
    return [one for one in found if one is not None] if len(collected.errors) == before else None


def validate_v10(raw: RawModuleDefV10, path: Path = ()) -> ModuleDef:
    """One module level and those below it; raises Faults with everything wrong."""
    names = names_of(raw)
    outer = Collector()
    declared = outer.attempt(environment.validate, raw.environment, (*path, "environment"))
    mounted = outer.attempt(submodules.validate, validate_v10, names, raw.submodules, (*path, "submodules"))
    module = outer.attempt(_own, raw, names, path)
    outer.done()
    assert module is not None
    assert mounted is not None
    module = replace(module, environment=declared, submodules=mounted[0])
    submodules.check_conflicts(module, mounted[1], path)
    return module


def _own(raw: RawModuleDefV10, names: Any, path: Path) -> ModuleDef:
    """What the module declares itself."""
    typespace = convert_typespace(raw.typespace, names.member, names.variant)
    scope = Scope(10, names, raw.typespace, typespace, {one.ty for one in raw.types}, path)
    collected = Collector()
    reducers = all_of(collected, reducer_v10, raw.reducers, scope, (*path, "reducers"))
    procedures = all_of(collected, procedure_v10, raw.procedures, scope, (*path, "procedures"))
    handlers = all_of(collected, http.handler, raw.http_handlers, scope, (*path, "http_handlers"))
    views = all_of(collected, view, raw.views, scope, (*path, "views"))
    tables = all_of(collected, table_v10, raw.tables, scope, (*path, "tables"))
    taken: set[ScopedTypeName] = set()
    types = [
        collected.attempt(type_def, scope, taken, one.source_name, one.ty, one.custom_ordering, (*path, "types", place))
        for place, one in enumerate(raw.types)
    ]
    schedules = lifecycles = routes = None
    if tables is not None:
        by_name = {table.name: table for table in tables}
        schedules = collected.attempt(attach.schedules, scope, raw.schedules, by_name, (*path, "schedules"))
    if reducers is not None:
        lifecycles = collected.attempt(_lifecycles, scope, raw, reducers, (*path, "lifecycle_reducers"))
    if handlers is not None:
        routes = collected.attempt(http.routes, scope, raw.http_routes, handlers, (*path, "http_routes"))
    collected.done()
    assert reducers is not None
    assert procedures is not None
    assert views is not None
    assert tables is not None
    parts = attach.Parts(
        scope,
        {one.name: one for one in tables},
        {one.name: one for one in reducers},
        {one.name: one for one in procedures},
        {one.name: one for one in views},
    )
    check_function_names(reducers, procedures, views, path)
    _attach_lifecycles(parts, lifecycles or [], path)
    attach.attach_schedules(parts, schedules or [], path)
    attach.attach_outboxes(parts, raw.outboxes, (*path, "outboxes"))
    attach.check_scheduled_functions(parts, path)
    attach.hide_called_functions(parts)
    attach.view_primary_keys(parts, raw.view_primary_keys, (*path, "view_primary_keys"))
    attach.query_view_primary_keys(parts)
    named = [one for one in types if one is not None]
    return ModuleDef(
        typespace=typespace,
        tables=Lookup(sorted(parts.tables.items())),
        reducers=Lookup(parts.reducers.items()),
        procedures=Lookup(parts.procedures.items()),
        views=Lookup(parts.views.items()),
        types=sorted_types(named),
        version=10,
        lifecycle_reducers=Lookup(
            (event, one.name) for event in Lifecycle for one in parts.reducers.values() if one.lifecycle is event
        ),
        http_handlers=Lookup((one.name, one) for one in handlers or ()),
        http_routes=tuple(routes or ()),
        row_level_security=tuple(dict.fromkeys(rule.sql for rule in raw.row_level_security)),
        type_names=Lookup((one.ty, one.accessor_name) for one in named),
        typespace_for_generate=scope.uses.finish(),
        owners=Lookup(scope.owners.items()),
        source_typespace=raw.typespace,
        case_conversion_policy=raw.case_conversion_policy,
    )


def sorted_types(named: Sequence[Any]) -> Lookup[ScopedTypeName, Any]:
    """Named types sorted by scope, then name."""
    ordered = sorted(named, key=lambda one: (one.accessor_name.scope, one.accessor_name.name))
    return Lookup((one.accessor_name, one) for one in ordered)


def check_function_names(
    reducers: Sequence[ReducerDef], procedures: Sequence[ProcedureDef], views: Sequence[ViewDef], path: Path
) -> None:
    """Reducers, procedures and views have names of their own. (spec: validation 2.4)"""
    seen: set[str] = set()
    collected = Collector()
    functions: dict[str, Sequence[Any]] = {"reducers": reducers, "procedures": procedures, "views": views}
    named = [(part, place, one.name) for part, ones in functions.items() for place, one in enumerate(ones)]
    for part, place, name in named:
        if name in seen:
            collected.add(DuplicateFunctionName(name, path=(*path, part, place)))
        seen.add(name)
    collected.done()


def _lifecycles(
    scope: Scope, raw: RawModuleDefV10, reducers: Sequence[ReducerDef], path: Path
) -> list[tuple[Lifecycle, str, Path]]:
    """The reducers that answer events: they exist, and one answers each."""
    known = {one.name for one in reducers}
    taken: set[Lifecycle] = set()
    collected = Collector()
    found: list[tuple[Lifecycle, str, Path]] = []
    for place, entry in enumerate(raw.lifecycle_reducers):
        here = (*path, place)
        name = collected.attempt(scope.names.function, entry.function_name, here)
        if name is None:
            continue
        if name not in known:
            collected.add(LifecycleWithoutReducer(entry.lifecycle_spec, path=here))
        elif entry.lifecycle_spec in taken:
            collected.add(DuplicateLifecycle(entry.lifecycle_spec, path=here))
        else:
            taken.add(entry.lifecycle_spec)
            found.append((entry.lifecycle_spec, name, here))
    collected.done()
    return found


def _attach_lifecycles(parts: attach.Parts, found: Sequence[tuple[Lifecycle, str, Path]], path: Path) -> None:
    """A reducer answers one event at most; the first that answers another stops the rest."""
    for event, name, here in found:
        reducer = parts.reducers[name]
        if reducer.lifecycle is not None:
            raise Faults(DuplicateLifecycle(event, path=tuple(here)))
        parts.reducers[name] = replace(reducer, lifecycle=event)
