"""RawModuleDefV9 to ModuleDef: names verbatim, and almost everything side by side. (spec: validation 3.1)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bsatn.paths import Path
from bsatn.types import STRING, UNIT
from defs.raw.shared import Lifecycle, TableType
from defs.raw.v9 import (
    RawColumnDefaultValueV9,
    RawConstraintDefV9,
    RawIndexDefV9,
    RawModuleDefV9,
    RawProcedureDefV9,
    RawReducerDefV9,
    RawSequenceDefV9,
    RawTableDefV9,
    RawViewDefV9,
)
from defs.raw.v10 import FunctionVisibility, RawScheduleDefV10, RawViewDefV10
from defs.schema.lookup import Lookup
from defs.schema.model import (
    ConstraintDef,
    IndexDef,
    ModuleDef,
    ProcedureDef,
    ReducerDef,
    ScheduleDef,
    ScopedTypeName,
    SequenceDef,
    TableDef,
    ViewDef,
)
from defs.validate import attach
from defs.validate.collect import Collector, Faults
from defs.validate.errors import (
    DuplicateLifecycle,
    MultipleColumnDefaultValues,
    TableNameReserved,
    TableNotFound,
)
from defs.validate.functions import params, view
from defs.validate.naming import Names, identifier
from defs.validate.reasons import ProcedureArg, ProcedureReturn, ReducerArg
from defs.validate.scope import Scope
from defs.validate.tables import (
    Source,
    by_name,
    check_algorithm,
    check_backing,
    columns,
    constraint,
    default_value,
    each,
    generated_index_name,
    primary_key,
    sequence,
    with_defaults,
)
from defs.validate.typedefs import type_def
from defs.validate.v10 import all_of, check_function_names, sorted_types

__all__ = ["validate_v9"]


def validate_v9(raw: RawModuleDefV9, version: int = 9) -> ModuleDef:
    """A V9 definition; raises Faults with everything wrong. `version` is 8 for one that was upgraded."""
    scope = Scope(9, Names(), raw.typespace, raw.typespace, {one.ty for one in raw.types})
    exports = list(enumerate(raw.misc_exports))
    collected = Collector()
    taken: set[Lifecycle] = set()
    reducers = all_of(collected, lambda s, r, p: _reducer(s, r, taken, p), raw.reducers, scope, ("reducers",))
    procedures = _exported(collected, _procedure, RawProcedureDefV9, exports, scope)
    views = _exported(collected, _view, RawViewDefV9, exports, scope)
    tables = all_of(collected, _table, raw.tables, scope, ("tables",))
    names: set[ScopedTypeName] = set()
    types = [
        collected.attempt(type_def, scope, names, one.name, one.ty, one.custom_ordering, ("types", place))
        for place, one in enumerate(raw.types)
    ]
    collected.done()
    assert reducers is not None
    assert tables is not None
    sources = {source.name: source for source, _ in tables}
    parts = attach.Parts(
        scope,
        {table.name: table for _, table in tables},
        {one.name: one for one in reducers},
        {one.name: one for one in procedures},
        {one.name: one for one in views},
    )
    collected.attempt(check_function_names, reducers, procedures, views, ())
    collected.attempt(_defaults, parts, sources, exports)
    collected.done()
    attach.check_scheduled_functions(parts, ())
    named = [one for one in types if one is not None]
    return ModuleDef(
        typespace=raw.typespace,
        tables=Lookup(sorted(parts.tables.items())),
        reducers=Lookup(parts.reducers.items()),
        procedures=Lookup(parts.procedures.items()),
        views=Lookup(parts.views.items()),
        types=sorted_types(named),
        version=version,
        lifecycle_reducers=Lookup((event, one.name) for event in Lifecycle for one in reducers if one.lifecycle is event),
        row_level_security=tuple(dict.fromkeys(rule.sql for rule in raw.row_level_security)),
        type_names=Lookup((one.ty, one.accessor_name) for one in named),
        typespace_for_generate=scope.uses.finish(),
        owners=Lookup(scope.owners.items()),
    )


def _exported(collected: Collector, step: Any, kind: type[Any], exports: Sequence[tuple[int, Any]], scope: Scope) -> list[Any]:
    """Run a step for each export of a kind."""
    found = [collected.attempt(step, scope, raw, ("misc_exports", place)) for place, raw in exports if isinstance(raw, kind)]
    return [one for one in found if one is not None]


# -- functions


def _reducer(scope: Scope, raw: RawReducerDefV9, taken: set[Lifecycle], path: Path) -> ReducerDef:
    collected = Collector()
    canonical = collected.attempt(params, scope, raw.params, lambda place, name: ReducerArg(raw.name, place, name), path)
    name = collected.attempt(identifier, raw.name, path)
    if raw.lifecycle is not None:
        if raw.lifecycle in taken:
            collected.add(DuplicateLifecycle(raw.lifecycle, path=tuple(path)))
        taken.add(raw.lifecycle)
    collected.done()
    assert name is not None
    assert canonical is not None
    public = FunctionVisibility.ClientCallable
    return ReducerDef(name, name, canonical, raw.params, raw.lifecycle, public, UNIT, STRING)


def _procedure(scope: Scope, raw: RawProcedureDefV9, path: Path) -> ProcedureDef:
    collected = Collector()
    canonical = collected.attempt(params, scope, raw.params, lambda place, name: ProcedureArg(raw.name, place, name), path)
    collected.attempt(scope.check_use, raw.return_type, ProcedureReturn(raw.name), (*path, "return_type"))
    name = collected.attempt(identifier, raw.name, path)
    collected.done()
    assert name is not None
    assert canonical is not None
    return ProcedureDef(name, name, canonical, raw.params, raw.return_type, FunctionVisibility.ClientCallable)


def _view(scope: Scope, raw: RawViewDefV9, path: Path) -> ViewDef:
    same = RawViewDefV10(raw.name, raw.index, raw.is_public, raw.is_anonymous, raw.params, raw.return_type)
    return view(scope, same, path)


# -- tables


def _table(scope: Scope, raw: RawTableDefV9, path: Path) -> tuple[Source, TableDef]:
    row, _ = scope.row_type(raw.product_type_ref, raw.name, path)
    name = scope.names.table(raw.name, path)
    source = Source(scope, raw.name, name, raw.product_type_ref, row, row, path)
    collected = Collector()
    found = collected.attempt(columns, source)
    indexes = each(collected, _index, raw.indexes, source, "indexes")
    constraints = each(collected, _constraint, raw.constraints, source, "constraints")
    key = None
    if constraints is not None:
        before = len(collected.errors)
        key = collected.attempt(primary_key, source, raw.primary_key, constraints, (*path, "primary_key"))
        if indexes is not None and len(collected.errors) == before:
            collected.attempt(check_backing, source, constraints, indexes)
    sequences = each(collected, _sequence, raw.sequences, source, "sequences")
    schedule = collected.attempt(_schedule, source, raw)
    collected.attempt(_claim_name, scope, raw, path)
    collected.done()
    table = TableDef(
        name=name,
        accessor_name=name,
        product_type_ref=raw.product_type_ref,
        primary_key=key,
        columns=found or (),
        indexes=by_name(indexes or ()),
        constraints=by_name(constraints or ()),
        sequences=by_name(sequences or ()),
        schedule=schedule,
        table_type=raw.table_type,
        table_access=raw.table_access,
    )
    return source, table


def _claim_name(scope: Scope, raw: RawTableDefV9, path: Path) -> None:
    scope.claim(raw.name, raw.name, path)
    if raw.name.startswith("st_") and raw.table_type is not TableType.System:
        raise Faults(TableNameReserved(raw.name, path=tuple(path)))


def _index(source: Source, raw: RawIndexDefV9, path: Path) -> IndexDef:
    name = generated_index_name(source, raw.algorithm) if raw.name is None else raw.name
    source.scope.claim(name, source.name, path)
    check_algorithm(source, raw.algorithm, name, path)
    accessor = None if raw.accessor_name is None else identifier(raw.accessor_name, path)
    return IndexDef(name, name, accessor, raw.algorithm)


def _constraint(source: Source, raw: RawConstraintDefV9, path: Path) -> ConstraintDef:
    return constraint(source, raw.name, raw.data.columns, path)


def _sequence(source: Source, raw: RawSequenceDefV9, path: Path) -> SequenceDef:
    return sequence(source, raw.name, raw, path)


def _schedule(source: Source, raw: RawTableDefV9) -> ScheduleDef | None:
    if raw.schedule is None:
        return None
    one, key = raw.schedule, raw.primary_key[0] if raw.primary_key else None
    same = RawScheduleDefV10(one.name, raw.name, one.scheduled_at_column, one.reducer_name)
    return attach.schedule(source.scope, source.name, source.ref, one.name, same, key, (*source.path, "schedule"))


# -- defaults


def _defaults(parts: attach.Parts, sources: dict[str, Source], exports: Sequence[tuple[int, Any]]) -> None:
    """The exported defaults, in order; every bad one is told."""
    collected = Collector()
    found: dict[str, list[tuple[int, Any, bytes]]] = {}
    for place, raw in exports:
        if isinstance(raw, RawColumnDefaultValueV9):
            one = collected.attempt(_default, sources, found, raw, ("misc_exports", place))
            if one is not None:
                found.setdefault(raw.table, []).append(one)
    collected.done()
    for name, defaults in found.items():
        parts.tables[name] = replace(parts.tables[name], columns=with_defaults(parts.tables[name].columns, defaults))


def _default(
    sources: dict[str, Source], found: dict[str, list[tuple[int, Any, bytes]]], raw: RawColumnDefaultValueV9, path: Path
) -> tuple[int, Any, bytes]:
    name = identifier(raw.table, path)
    if name not in sources:
        raise Faults(TableNotFound(name, path=tuple(path)))
    one = default_value(sources[name], name, raw.col_id, raw.value, path)
    if any(col == raw.col_id for col, _, _ in found.get(name, ())):
        raise Faults(MultipleColumnDefaultValues(name, raw.col_id, path=tuple(path)))
    return one
