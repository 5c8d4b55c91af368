"""The three raw versions brought to one form: what a description is made of, still with positions and type references.

Each version says the same things in other places: a V10 schedule stands in a section of its own, a V9 default among the
exports, a V8 primary key in the flags of a constraint. `parts_of` is a table of one function a version; everything after it
knows only `ModuleParts`. Nothing is checked here and nothing raises.

What the server adds is added here too: names it generates (spec: validation 2.3, 3.1), functions that it makes private
(spec: validation 2.8), and what it derives from V8 flags (spec: validation 3.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bsatn.types import UNIT, AlgebraicType, ProductTypeElement, Typespace
from defs.raw import RawModuleDef, RawModuleDefV8, RawModuleDefV9, RawModuleDefV10, v9, v10
from defs.raw.shared import BTree, Direct, Hash, Lifecycle, RawIndexAlgorithm, TableAccess, TableType
from defs.schema.model import ModuleDef

__all__ = [
    "LIFECYCLES", "FunctionParts", "IndexParts", "ModuleParts", "OutboxParts", "ScheduleParts", "TableParts", "TypeParts",
    "UniqueParts", "VariableParts", "algorithm_parts", "choices_of", "method_word", "parts_of",
]  # fmt: skip

#: How descriptions call the events.
LIFECYCLES: dict[Lifecycle, str] = {
    Lifecycle.Init: "init",
    Lifecycle.OnConnect: "client_connected",
    Lifecycle.OnDisconnect: "client_disconnected",
}


@dataclass(slots=True)
class IndexParts:
    """An index; without a name the server generates one."""

    name: str | None
    algorithm: str
    columns: tuple[int, ...]


@dataclass(slots=True)
class UniqueParts:
    """A unique constraint; without a name the server generates one."""

    name: str | None
    columns: tuple[int, ...]


@dataclass(slots=True)
class ScheduleParts:
    """The function that rows call, and the column that says when."""

    function: str
    at_column: int


@dataclass(slots=True)
class OutboxParts:
    """The reducer of another database that rows call."""

    remote_reducer: str
    target_column: int
    arg_columns: tuple[int, ...]
    on_result_reducer: str | None


@dataclass(slots=True)
class TableParts:
    """A table; `defaults` are bytes by column position."""

    name: str
    row_ref: int
    primary_key: tuple[int, ...]
    indexes: list[IndexParts]
    uniques: list[UniqueParts]
    sequences: set[int]
    is_public: bool
    is_system: bool
    is_event: bool = False
    defaults: dict[int, bytes] = field(default_factory=dict[int, bytes])
    schedule: ScheduleParts | None = None
    outbox: OutboxParts | None = None


@dataclass(slots=True)
class FunctionParts:
    """A reducer, procedure or view: only the fields that its kind has are meant."""

    name: str
    params: tuple[ProductTypeElement, ...]
    returns: AlgebraicType = UNIT
    lifecycle: str | None = None
    is_private: bool = False
    is_anonymous: bool = False
    primary_key: tuple[str, ...] = ()


@dataclass(slots=True)
class TypeParts:
    """A name for an entry of the typespace, scopes first."""

    path: tuple[str, ...]
    ref: int


@dataclass(slots=True)
class VariableParts:
    """An environment variable; `choices` None means any string."""

    name: str
    choices: tuple[str, ...] | None
    is_optional: bool


@dataclass(slots=True)
class ModuleParts:
    """A module, its submodules by namespace."""

    typespace: Typespace
    tables: list[TableParts] = field(default_factory=list[TableParts])
    reducers: list[FunctionParts] = field(default_factory=list[FunctionParts])
    procedures: list[FunctionParts] = field(default_factory=list[FunctionParts])
    views: list[FunctionParts] = field(default_factory=list[FunctionParts])
    types: list[TypeParts] = field(default_factory=list[TypeParts])
    routes: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    environment: list[VariableParts] | None = None
    row_level_security: list[str] = field(default_factory=list[str])
    submodules: Sequence[tuple[str, RawModuleDefV10 | ModuleDef]] = ()


_Item = TypeVar("_Item", TableParts, FunctionParts)


def parts_of(definition: RawModuleDef | ModuleDef) -> ModuleParts:
    """The parts of a definition: raw, of any version, or validated."""
    return _VERSIONS[type(definition)](definition)


def algorithm_parts(algorithm: RawIndexAlgorithm) -> tuple[str, tuple[int, ...]]:
    """What descriptions call an index's algorithm, and its columns."""
    match algorithm:
        case BTree(columns):
            return "btree", columns
        case Hash(columns):
            return "hash", columns
        case Direct(column):
            return "direct", (column,)


# V9 -----------------------------------------------------------------------------------------------------------------


def _v9(definition: RawModuleDefV9) -> ModuleParts:
    parts = ModuleParts(
        definition.typespace,
        tables=[_v9_table(table) for table in definition.tables],
        reducers=[
            FunctionParts(r.name, r.params.elements, lifecycle=None if r.lifecycle is None else LIFECYCLES[r.lifecycle])
            for r in definition.reducers
        ],
        types=[TypeParts((*t.name.scope, t.name.name), t.ty) for t in definition.types],
        row_level_security=[rule.sql for rule in definition.row_level_security],
    )
    tables = {table.name: table for table in parts.tables}
    for export in definition.misc_exports:
        match export:
            case v9.RawColumnDefaultValueV9():
                if export.table in tables:
                    tables[export.table].defaults[export.col_id] = export.value
            case v9.RawProcedureDefV9():
                parts.procedures.append(FunctionParts(export.name, export.params.elements, export.return_type))
            case v9.RawViewDefV9():
                parts.views.append(_view(export.name, export))
    return parts


def _v9_table(table: v9.RawTableDefV9) -> TableParts:
    schedule = table.schedule
    return TableParts(
        table.name,
        table.product_type_ref,
        table.primary_key,
        [IndexParts(index.name, *algorithm_parts(index.algorithm)) for index in table.indexes],
        [UniqueParts(constraint.name, constraint.data.columns) for constraint in table.constraints],
        {sequence.column for sequence in table.sequences},
        table.table_access is TableAccess.Public,
        table.table_type is TableType.System,
        schedule=None if schedule is None else ScheduleParts(schedule.reducer_name, schedule.scheduled_at_column),
    )


def _view(name: str, view: v9.RawViewDefV9 | v10.RawViewDefV10) -> FunctionParts:
    return FunctionParts(
        name,
        view.params.elements,
        view.return_type,
        is_private=not view.is_public,
        is_anonymous=view.is_anonymous,
    )


# V10 ----------------------------------------------------------------------------------------------------------------


def _v10(definition: RawModuleDefV10) -> ModuleParts:
    parts = ModuleParts(
        definition.typespace,
        tables=[_v10_table(table) for table in definition.tables],
        reducers=[_v10_function(reducer, UNIT) for reducer in definition.reducers],
        procedures=[_v10_function(procedure, procedure.return_type) for procedure in definition.procedures],
        views=[_view(view.source_name, view) for view in definition.views],
        types=[TypeParts((*t.source_name.scope, t.source_name.source_name), t.ty) for t in definition.types],
        routes=[(method_word(route.method), route.path, route.handler_function) for route in definition.http_routes],
        environment=None if definition.environment is None else [_variable(v) for v in definition.environment],
        row_level_security=[rule.sql for rule in definition.row_level_security],
        submodules=[(submodule.namespace, submodule.module) for submodule in definition.submodules],
    )
    _attach(definition, parts)
    return parts


def _v10_table(table: v10.RawTableDefV10) -> TableParts:
    # constraints and indexes have generated names whatever they are called here (spec: validation 2.3)
    return TableParts(
        table.source_name,
        table.product_type_ref,
        table.primary_key,
        [IndexParts(None, *algorithm_parts(index.algorithm)) for index in table.indexes],
        [UniqueParts(None, constraint.data.columns) for constraint in table.constraints],
        {sequence.column for sequence in table.sequences},
        table.table_access is TableAccess.Public,
        table.table_type is TableType.System,
        table.is_event,
        {default.col_id: default.value for default in table.default_values},
    )


def _v10_function(function: v10.RawReducerDefV10 | v10.RawProcedureDefV10, returns: AlgebraicType) -> FunctionParts:
    is_private = function.visibility is v10.FunctionVisibility.Private
    return FunctionParts(function.source_name, function.params.elements, returns, is_private=is_private)


def _attach(definition: RawModuleDefV10, parts: ModuleParts) -> None:
    """What V10 says in sections of its own, put where it belongs. Entries that name nothing are left out.

    Scheduled functions, lifecycle reducers and outbox callbacks become private. (spec: validation 2.8)
    """
    tables = _by_name(parts.tables, definition, v10.TableName)
    reducers = _by_name(parts.reducers, definition, v10.FunctionName)
    functions = _by_name(parts.procedures, definition, v10.FunctionName) | reducers
    views = {view.name: view for view in parts.views}
    private: list[FunctionParts | None] = []
    for schedule in definition.schedules:
        called = functions.get(schedule.function_name)
        if schedule.table_name in tables:
            name = called.name if called else schedule.function_name
            tables[schedule.table_name].schedule = ScheduleParts(name, schedule.schedule_at_col)
            private.append(called)
    for entry in definition.lifecycle_reducers:
        if entry.function_name in reducers:
            reducers[entry.function_name].lifecycle = LIFECYCLES[entry.lifecycle_spec]
            private.append(reducers[entry.function_name])
    for outbox in definition.outboxes:
        if outbox.table_name in tables:
            tables[outbox.table_name].outbox = OutboxParts(
                outbox.remote_reducer, outbox.target_column, outbox.arg_columns, outbox.on_result_reducer
            )
            private.append(reducers.get(outbox.on_result_reducer or ""))
    for key in definition.view_primary_keys:
        if key.view_source_name in views:
            views[key.view_source_name].primary_key = key.columns
    for function in private:
        if function is not None:
            function.is_private = True


def _by_name(items: list[_Item], definition: RawModuleDefV10, kind: type[v10.TableName | v10.FunctionName]) -> dict[str, _Item]:
    """Items by the names that entries may call them: the one as written, else the one given outright."""
    by_source = {item.name: item for item in reversed(items)}
    given = (entry.mapping for entry in definition.explicit_names if isinstance(entry, kind))
    canonical = {name.canonical_name: by_source[name.source_name] for name in given if name.source_name in by_source}
    return canonical | by_source


def method_word(method: v10.MethodOrAny) -> str:
    """What descriptions call the requests that a route answers."""
    match method:
        case v10.Method(v10.Extension(name)):
            return name
        case v10.Method(named):
            return type(named).__name__.upper()
        case _:
            return "ANY"


def choices_of(kind: v10.RawEnvVarTypeV10) -> tuple[str, ...] | None:
    """The values that a variable may have; None means any string."""
    match kind:
        case v10.EnvUnion(values):
            return tuple(sorted(set(values)))
        case v10.EnvStringLiteral(value):
            return (value,)
        case _:
            return None


def _variable(variable: v10.RawEnvironmentDeclarationV10) -> VariableParts:
    return VariableParts(variable.name, choices_of(variable.ty), variable.optional)


def _v8(definition: RawModuleDefV8) -> ModuleParts:
    from defs.validate.v8 import upgrade_v8

    upgraded, _ = upgrade_v8(definition)  # what is wrong with it is not asked here
    return _v9(upgraded)


def _module(definition: ModuleDef) -> ModuleParts:
    from defs.describe.parts_module import parts_of_module

    return parts_of_module(definition)


_VERSIONS: dict[type[RawModuleDef | ModuleDef], Callable[[Any], ModuleParts]] = {
    RawModuleDefV8: _v8,
    RawModuleDefV9: _v9,
    RawModuleDefV10: _v10,
    ModuleDef: _module,
}
