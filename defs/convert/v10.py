"""ModuleDef to RawModuleDefV10: a small function for each kind of definition, and the sections in the reference's order.

A `spelling` says what differs between writing it exactly and writing it as the reference does. (spec: validation 5.2)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from bsatn.collector import collector_paused
from bsatn.stack import on_enough_stack
from defs.convert.loss import LossyConversion
from defs.convert.normal import normal
from defs.convert.spelling import AsUpstream, AsWritten
from defs.raw import RawModuleDefV10, v10
from defs.raw.shared import RawRowLevelSecurityDefV9, RawUniqueConstraintDataV9
from defs.schema.model import (
    ColumnDef,
    EnvironmentDeclaration,
    HttpHandlerDef,
    HttpRouteDef,
    IndexDef,
    ModuleDef,
    OutboxDef,
    ProcedureDef,
    ReducerDef,
    ScheduleDef,
    SequenceDef,
    TableDef,
    TypeDef,
    ViewDef,
)

__all__ = ["to_v10"]


def to_v10(module: ModuleDef, *, as_upstream: bool = False) -> RawModuleDefV10:
    """The definition as version 10, so written that validating it gives the same definition.

    A definition that was version 9 or 8 may have to change a little: `losses_to_v10` says how. One whose names leave no way to
    write it validly raises LossyConversion. `as_upstream=True` writes what the reference would, its lists that are in no order
    sorted; that never raises, and does not always validate.
    """
    with collector_paused():
        raw = on_enough_stack(lambda: _module(module, AsUpstream if as_upstream else AsWritten))
        return normal(raw) if as_upstream else raw


# Tables and their parts


def table(spelling: AsWritten, one: TableDef) -> v10.RawTableDefV10:
    """A table with its columns' defaults; schedules and outboxes stand elsewhere."""
    return v10.RawTableDefV10(
        source_name=one.accessor_name,
        product_type_ref=one.product_type_ref,
        primary_key=() if one.primary_key is None else (one.primary_key,),
        indexes=tuple(index(name, part) for name, part in spelling.indexes(one)),
        constraints=tuple(constraint(name, columns) for name, columns in spelling.constraints(one)),
        sequences=tuple(sequence(name, part) for name, part in spelling.sequences(one)),
        table_type=one.table_type,
        table_access=one.table_access,
        default_values=tuple(default for column in one.columns for default in default_value(column)),
        is_event=one.is_event,
    )


def index(source_name: str, one: IndexDef) -> v10.RawIndexDefV10:
    """An index; its canonical name is among the explicit names where it needs to be."""
    return v10.RawIndexDefV10(source_name, one.accessor_name, one.algorithm)


def constraint(name: str, columns: tuple[int, ...]) -> v10.RawConstraintDefV10:
    """A constraint; its name is made of the columns, in this order."""
    return v10.RawConstraintDefV10(name, RawUniqueConstraintDataV9(columns))


def sequence(name: str, one: SequenceDef) -> v10.RawSequenceDefV10:
    """A sequence."""
    return v10.RawSequenceDefV10(name, one.column, None, None, None, 1)


def default_value(column: ColumnDef) -> Iterator[v10.RawColumnDefaultValueV10]:
    """A column's default, if it has one."""
    if column.default_bytes is not None:
        yield v10.RawColumnDefaultValueV10(column.col_id, column.default_bytes)


def schedule(spelling: AsWritten, owner: TableDef, one: ScheduleDef) -> v10.RawScheduleDefV10:
    """A schedule."""
    name, function = spelling.table(owner), spelling.function(one.function_name)
    return v10.RawScheduleDefV10(spelling.schedule_name(owner), name, one.at_column, function)


def outbox(spelling: AsWritten, owner: TableDef, one: OutboxDef) -> v10.RawOutboxDefV10:
    """An outbox."""
    callback = None if one.on_result_reducer is None else spelling.functions[one.on_result_reducer]
    return v10.RawOutboxDefV10(
        owner.accessor_name, one.remote_reducer, one.target_column, one.arg_columns, callback, one.signature_hash
    )


# Types


def type_def(spelling: AsWritten, one: TypeDef) -> v10.RawTypeDefV10:
    """A named type."""
    name = spelling.type_name(one)
    return v10.RawTypeDefV10(v10.RawScopedTypeNameV10(name.scope, name.name), one.ty, one.custom_ordering)


# Functions


def reducer(spelling: AsWritten, one: ReducerDef) -> v10.RawReducerDefV10:
    """A reducer; the event it answers stands elsewhere."""
    params, visibility = spelling.params(one), spelling.visibility(one)
    return v10.RawReducerDefV10(one.accessor_name, params, visibility, one.ok_return_type, one.err_return_type)


def procedure(spelling: AsWritten, one: ProcedureDef) -> v10.RawProcedureDefV10:
    """A procedure."""
    return v10.RawProcedureDefV10(one.accessor_name, spelling.params(one), one.return_type, spelling.visibility(one))


def view(spelling: AsWritten, one: ViewDef) -> v10.RawViewDefV10:
    """A view; its key stands elsewhere."""
    params = spelling.params(one)
    return v10.RawViewDefV10(one.accessor_name, one.fn_ptr, one.is_public, one.is_anonymous, params, one.return_type)


def view_primary_key(spelling: AsWritten, one: ViewDef) -> Iterator[v10.RawViewPrimaryKeyDefV10]:
    """A view's key, where one is said."""
    column = spelling.view_key(one)
    if column is not None:
        yield v10.RawViewPrimaryKeyDefV10(one.accessor_name, (column,))


def lifecycle(spelling: AsWritten, event: Any, name: str) -> v10.RawLifeCycleReducerDefV10:
    """Which reducer answers an event."""
    return v10.RawLifeCycleReducerDefV10(event, spelling.function(name))


def http_handler(one: HttpHandlerDef) -> v10.RawHttpHandlerDefV10:
    """An HTTP handler."""
    return v10.RawHttpHandlerDefV10(one.accessor_name)


def http_route(spelling: AsWritten, one: HttpRouteDef) -> v10.RawHttpRouteDefV10:
    """An HTTP route."""
    return v10.RawHttpRouteDefV10(spelling.handlers[one.handler_name], one.method, one.path)


# The module


def row_level_security(sql: str) -> RawRowLevelSecurityDefV9:
    """A row-level security rule."""
    return RawRowLevelSecurityDefV9(sql)


def environment(one: EnvironmentDeclaration) -> v10.RawEnvironmentDeclarationV10:
    """An environment variable."""
    return v10.RawEnvironmentDeclarationV10(one.name, one.ty, one.optional)


def submodule(one: ModuleDef, spelling: type[AsWritten]) -> v10.RawSubmoduleV10:
    """A module within the module."""
    return v10.RawSubmoduleV10(one.accessor_path[-1], _module(one, spelling))


def explicit_names(spelling: AsWritten) -> Iterator[v10.ExplicitNameEntry]:
    """The canonical name of everything that has one, whatever the policy would make of its source name."""
    module, mapping = spelling.module, v10.NameMapping
    for one in module.tables.values():
        yield v10.TableName(mapping(one.accessor_name, one.name))
    for source, name in spelling.explicit_indexes():
        yield v10.IndexName(mapping(source, name))
    for functions in (module.reducers, module.procedures, module.http_handlers, module.views):
        for function in functions.values():
            yield v10.FunctionName(mapping(function.accessor_name, function.name))
    for inner in module.submodules.values():
        yield v10.NamespaceName(mapping(inner.accessor_path[-1], inner.path[-1]))


#: Sections that are written even when there is nothing in them.
_ALWAYS = (v10.CaseConversionPolicySection, v10.EnvironmentSection, v10.TypespaceSection, v10.ExplicitNamesSection)


def _module(module: ModuleDef, spelled: type[AsWritten]) -> RawModuleDefV10:
    spelling = spelled(module)
    if spelled is AsWritten and spelling.plan.impossible:
        raise LossyConversion(spelling.plan.impossible, 10)
    sections = _sections(module, spelling, spelled)
    return RawModuleDefV10(tuple(one for one in sections if isinstance(one, _ALWAYS) or getattr(one, fields(one)[0].name)))


def _sections(module: ModuleDef, spelling: AsWritten, spelled: type[AsWritten]) -> Iterator[v10.RawModuleDefV10Section]:
    """All of them, in the reference's order."""
    tables = module.tables.values()
    yield v10.CaseConversionPolicySection(spelling.policy)
    if module.environment is not None:
        yield v10.EnvironmentSection(tuple(map(environment, module.environment.values())))
    yield v10.TypespaceSection(spelling.typespace)
    yield v10.TypesSection(tuple(type_def(spelling, one) for one in spelling.types()))
    yield v10.TablesSection(tuple(table(spelling, one) for one in tables))
    yield v10.ReducersSection(tuple(reducer(spelling, one) for one in module.reducers.values()))
    yield v10.ProceduresSection(tuple(procedure(spelling, one) for one in module.procedures.values()))
    yield v10.HttpHandlersSection(tuple(map(http_handler, module.http_handlers.values())))
    yield v10.HttpRoutesSection(tuple(http_route(spelling, one) for one in module.http_routes))
    yield v10.ViewsSection(tuple(view(spelling, one) for one in module.views.values()))
    yield v10.ViewPrimaryKeysSection(tuple(key for one in module.views.values() for key in view_primary_key(spelling, one)))
    yield v10.SchedulesSection(tuple(schedule(spelling, one, one.schedule) for one in tables if one.schedule is not None))
    yield v10.OutboxesSection(tuple(outbox(spelling, one, one.outbox) for one in tables if one.outbox is not None))
    yield v10.LifeCycleReducersSection(
        tuple(lifecycle(spelling, event, name) for event, name in module.lifecycle_reducers.items())
    )
    yield v10.RowLevelSecuritySection(tuple(map(row_level_security, module.row_level_security)))
    yield v10.SubmodulesSection(tuple(submodule(one, spelled) for one in module.submodules.values()))
    yield v10.ExplicitNamesSection(v10.ExplicitNames(tuple(explicit_names(spelling))))
