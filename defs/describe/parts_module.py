"""A validated module brought to the form that descriptions are made of: canonical names, everything where it belongs."""

from __future__ import annotations

from bsatn.types import UNIT
from defs.describe.parts import (
    LIFECYCLES,
    FunctionParts,
    IndexParts,
    ModuleParts,
    OutboxParts,
    ScheduleParts,
    TableParts,
    TypeParts,
    UniqueParts,
    VariableParts,
    algorithm_parts,
    choices_of,
    method_word,
)
from defs.raw.shared import TableType
from defs.raw.v10 import FunctionVisibility
from defs.schema.model import EnvironmentDeclaration, ModuleDef, ProcedureDef, ReducerDef, TableDef, ViewDef

__all__ = ["parts_of_module"]


def parts_of_module(module: ModuleDef) -> ModuleParts:
    """The parts of a validated module."""
    declared = module.environment
    return ModuleParts(
        module.typespace,
        tables=[_table(table) for table in module.tables.values()],
        reducers=[_reducer(reducer) for reducer in module.reducers.values()],
        procedures=[_procedure(procedure) for procedure in module.procedures.values()],
        views=[_view(view) for view in module.views.values()],
        types=_types(module),
        routes=[(method_word(route.method), route.path, route.handler_name) for route in module.http_routes],
        environment=None if declared is None else [_variable(one) for one in declared.values()],
        row_level_security=list(module.row_level_security),
        submodules=list(module.submodules.items()),
    )


def _types(module: ModuleDef) -> list[TypeParts]:
    """The named types; of several names for one entry the one that counts comes last."""
    counts = sorted(module.types.values(), key=lambda kind: module.type_names[kind.ty] == kind.accessor_name)
    return [TypeParts((*kind.accessor_name.scope, kind.accessor_name.name), kind.ty) for kind in counts]


def _table(table: TableDef) -> TableParts:
    outbox, schedule = table.outbox, table.schedule
    return TableParts(
        table.name,
        table.product_type_ref,
        () if table.primary_key is None else (table.primary_key,),
        [IndexParts(index.name, *algorithm_parts(index.algorithm)) for index in table.indexes.values()],
        [UniqueParts(constraint.name, constraint.columns) for constraint in table.constraints.values()],
        {sequence.column for sequence in table.sequences.values()},
        table.is_public,
        table.table_type is TableType.System,
        table.is_event,
        {column.col_id: column.default_bytes for column in table.columns if column.default_bytes is not None},
        None if schedule is None else ScheduleParts(schedule.function_name, schedule.at_column),
        None
        if outbox is None
        else OutboxParts(outbox.remote_reducer, outbox.target_column, outbox.arg_columns, outbox.on_result_reducer),
    )


def _reducer(reducer: ReducerDef) -> FunctionParts:
    lifecycle = None if reducer.lifecycle is None else LIFECYCLES[reducer.lifecycle]
    is_private = reducer.visibility is FunctionVisibility.Private
    return FunctionParts(reducer.name, reducer.params.elements, UNIT, lifecycle, is_private)


def _procedure(procedure: ProcedureDef) -> FunctionParts:
    is_private = procedure.visibility is FunctionVisibility.Private
    return FunctionParts(procedure.name, procedure.params.elements, procedure.return_type, is_private=is_private)


def _view(view: ViewDef) -> FunctionParts:
    key = () if view.primary_key is None else (view.return_columns[view.primary_key].name,)
    return FunctionParts(
        view.name,
        view.params.elements,
        view.return_type,
        is_private=not view.is_public,
        is_anonymous=view.is_anonymous,
        primary_key=key,
    )


def _variable(declared: EnvironmentDeclaration) -> VariableParts:
    return VariableParts(declared.name, choices_of(declared.ty), declared.optional)
