"""What is said beside the things it belongs to: schedules, outboxes, keys of views. (spec: validation 2.9, 2.10, 2.12)

`Parts` holds a module's definitions while these are attached; a definition with something attached takes the place of the
one without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bsatn.paths import Path
from bsatn.types import (
    IDENTITY,
    SCHEDULE_AT,
    STRING,
    U64,
    U256,
    UNIT,
    AlgebraicType,
    ProductType,
    ProductTypeElement,
    Ref,
    result_payloads,
    result_type,
)
from defs.raw.v10 import FunctionVisibility, RawOutboxDefV10, RawScheduleDefV10, RawViewPrimaryKeyDefV10
from defs.schema.model import OutboxDef, ProcedureDef, ReducerDef, ScheduleDef, TableDef, ViewDef
from defs.validate import names
from defs.validate.collect import Collector, Faults
from defs.validate.errors import (
    DuplicateOutbox,
    DuplicateSchedule,
    IncorrectOutboxOnResultParams,
    IncorrectScheduledFunctionParams,
    MissingOutboxOnResult,
    MissingOutboxTable,
    MissingScheduledFunction,
    MultipleViewPrimaryKeyColumns,
    OutboxArgumentColumnNotFound,
    OutboxEventTable,
    OutboxInvalidPrimaryKey,
    OutboxMissingPrimaryKey,
    OutboxOnResultMustBeLocal,
    OutboxScheduledTable,
    OutboxTargetColumnMissing,
    RepeatedViewPrimaryKey,
    ScheduledEventTable,
    ScheduledIncorrectColumns,
    TableNotFound,
    ViewPrimaryKeyColumnNotFound,
    ViewPrimaryKeyViewNotFound,
    ViewPrimaryKeyWithParams,
)
from defs.validate.naming import identifier
from defs.validate.reasons import FunctionKind
from defs.validate.scope import Scope

__all__ = ["Parts"]


@dataclass(slots=True)
class Parts:
    """A module's definitions by canonical name, while things are attached to them."""

    scope: Scope
    tables: dict[str, TableDef]
    reducers: dict[str, ReducerDef]
    procedures: dict[str, ProcedureDef]
    views: dict[str, ViewDef]


# -- schedules


def schedules(
    scope: Scope, raws: Sequence[RawScheduleDefV10], tables: Mapping[str, TableDef], path: Path
) -> list[tuple[str, ScheduleDef, Path]]:
    """The schedules with the tables they are for; every bad one is told."""
    collected = Collector()
    found = [collected.attempt(_schedule, scope, raw, tables, (*path, place)) for place, raw in enumerate(raws)]
    collected.done()
    return [one for one in found if one is not None]


def _schedule(
    scope: Scope, raw: RawScheduleDefV10, tables: Mapping[str, TableDef], path: Path
) -> tuple[str, ScheduleDef, Path]:
    table = tables.get(scope.names.table(raw.table_name, path))
    if table is None:
        raise Faults(TableNotFound(raw.table_name, path=tuple(path)))
    return table.name, schedule(scope, table.name, table.product_type_ref, None, raw, table.primary_key, path), path


def schedule(
    scope: Scope, table: str, ref: int, given: str | None, raw: RawScheduleDefV10, key: int | None, path: Path
) -> ScheduleDef:
    """A schedule of a table with rows of entry `ref`: they say when (ScheduleAt), and have a u64 primary key, column `key`."""
    name = given if given is not None else names.generated_schedule_name(table)
    row, at_column = scope.typespace[ref], raw.schedule_at_col
    assert isinstance(row, ProductType)
    kinds = [element.algebraic_type for element in row.elements]
    collected = Collector()
    collected.attempt(scope.claim, name, table, path)
    if key is None or key >= len(kinds) or kinds[key] != U64 or at_column >= len(kinds) or kinds[at_column] != SCHEDULE_AT:
        collected.add(ScheduledIncorrectColumns(raw.table_name, row, path=tuple(path)))
    function_name = collected.attempt(scope.names.function, raw.function_name, path)
    collected.done()
    assert function_name is not None
    assert key is not None
    return ScheduleDef(identifier(name, path), at_column, key, function_name)


def attach_schedules(parts: Parts, found: Sequence[tuple[str, ScheduleDef, Path]], path: Path) -> None:
    """Give the tables their schedules; the first that may not have one stops the rest."""
    for name, one, here in found:
        table = parts.tables[name]
        if table.schedule is not None:
            raise Faults(DuplicateSchedule(name, path=tuple(here)))
        if table.is_event:
            raise Faults(ScheduledEventTable(name, path=tuple(here)))
        parts.tables[name] = replace(table, schedule=one)


def check_scheduled_functions(parts: Parts, path: Path) -> None:
    """What a schedule calls exists and takes one row of the table."""
    collected = Collector()
    for place, table in enumerate(parts.tables.values()):
        checked = collected.attempt(_scheduled_function, parts, table, (*path, "tables", place))
        if checked is not None:
            parts.tables[table.name] = checked
    collected.done()


def _scheduled_function(parts: Parts, table: TableDef, path: Path) -> TableDef:
    one = table.schedule
    if one is None:
        return table
    reducer, procedure = parts.reducers.get(one.function_name), parts.procedures.get(one.function_name)
    function = reducer or procedure
    if function is None:
        raise Faults(MissingScheduledFunction(one.name, one.function_name, path=tuple(path)))
    kinds = [element.algebraic_type for element in function.params.elements]
    if kinds != [Ref(table.product_type_ref)]:
        expected = ProductType((ProductTypeElement(None, Ref(table.product_type_ref)),))
        # the reference says Reducer of procedures too
        raise Faults(
            IncorrectScheduledFunctionParams(
                one.function_name, FunctionKind.Reducer, expected, function.params, path=tuple(path)
            )
        )
    return replace(table, schedule=replace(one, is_procedure=reducer is None))


def hide_called_functions(parts: Parts) -> None:
    """Functions that the database calls are private. (spec: validation 2.8)"""
    called = {table.schedule.function_name for table in parts.tables.values() if table.schedule}
    called |= {one.name for one in parts.reducers.values() if one.lifecycle is not None}
    called |= {table.outbox.on_result_reducer or "" for table in parts.tables.values() if table.outbox}
    private = FunctionVisibility.Private
    for name in called & parts.reducers.keys():
        parts.reducers[name] = replace(parts.reducers[name], visibility=private)
    for name in called & parts.procedures.keys():
        parts.procedures[name] = replace(parts.procedures[name], visibility=private)


# -- outboxes


def attach_outboxes(parts: Parts, raws: Sequence[RawOutboxDefV10], path: Path) -> None:
    """Give the tables their outboxes; the first bad one stops the rest."""
    by_accessor = {table.accessor_name: table for table in parts.tables.values()}
    for place, raw in enumerate(raws):
        known = by_accessor.get(raw.table_name)
        if known is None:
            raise Faults(MissingOutboxTable(raw.table_name, path=(*path, place)))
        table = parts.tables[known.name]
        parts.tables[known.name] = replace(table, outbox=_outbox(parts, table, raw, (*path, place)))


def _outbox(parts: Parts, table: TableDef, raw: RawOutboxDefV10, path: Path) -> OutboxDef:
    here, name, key = tuple(path), table.name, table.primary_key
    if table.outbox is not None:
        raise Faults(DuplicateOutbox(name, path=here))
    if table.is_event:
        raise Faults(OutboxEventTable(name, path=here))
    if table.schedule is not None:
        raise Faults(OutboxScheduledTable(name, path=here))
    if key is None:
        raise Faults(OutboxMissingPrimaryKey(name, path=here))
    kinds = [column.ty for column in table.columns]
    if kinds[key] != U64:
        raise Faults(OutboxInvalidPrimaryKey(name, kinds[key], path=here))
    target = raw.target_column
    if target >= len(kinds) or target == key or kinds[target] not in (U256, IDENTITY):
        raise Faults(OutboxTargetColumnMissing(name, path=here))
    for col in raw.arg_columns:
        if col >= len(kinds):
            raise Faults(OutboxArgumentColumnNotFound(name, col, path=here))
    callback = None if raw.on_result_reducer is None else _callback(parts, table, raw.on_result_reducer, path)
    for segment in raw.remote_reducer.split("."):
        identifier(segment, path)
    return OutboxDef(raw.remote_reducer, target, raw.arg_columns, callback, raw.signature_hash)


def _callback(parts: Parts, table: TableDef, source: str, path: Path) -> str:
    if "." in source or "::" in source:
        raise Faults(OutboxOnResultMustBeLocal(table.name, source, path=tuple(path)))
    name = parts.scope.names.function(source, path)
    reducer = parts.reducers.get(name)
    if reducer is None:
        raise Faults(MissingOutboxOnResult(table.name, source, path=tuple(path)))
    kinds = [element.algebraic_type for element in reducer.params.elements]
    if len(kinds) != 2 or kinds[0] != Ref(table.product_type_ref) or not _is_plain_result(parts.scope, kinds[1]):
        row = ProductTypeElement(None, Ref(table.product_type_ref))
        expected = ProductType((row, ProductTypeElement(None, result_type(UNIT, STRING))))
        raise Faults(IncorrectOutboxOnResultParams(table.name, source, expected, reducer.source_params, path=tuple(path)))
    return name


def _is_plain_result(scope: Scope, kind: AlgebraicType) -> bool:
    """Whether the type, references resolved, is `Result<(), String>`."""
    payloads = result_payloads(_follow(scope, kind))
    if payloads is None:
        return False
    return _follow(scope, payloads[0]) == UNIT and _follow(scope, payloads[1]) == STRING


def _follow(scope: Scope, kind: AlgebraicType) -> AlgebraicType:
    seen: set[int] = set()
    while isinstance(kind, Ref) and kind.index not in seen and kind.index < len(scope.typespace):
        seen.add(kind.index)
        kind = scope.typespace[kind.index]
    return kind


# -- keys of views


def view_primary_keys(parts: Parts, raws: Sequence[RawViewPrimaryKeyDefV10], path: Path) -> None:
    """Give views the keys that the module declares for them."""
    by_accessor = {one.accessor_name: one.name for one in parts.views.values()}
    seen: set[str] = set()
    collected = Collector()
    for place, raw in enumerate(raws):
        collected.attempt(_view_key, parts, by_accessor, seen, raw, (*path, place))
    collected.done()


def _view_key(parts: Parts, by_accessor: Mapping[str, str], seen: set[str], raw: RawViewPrimaryKeyDefV10, path: Path) -> None:
    here, source = tuple(path), raw.view_source_name
    if source in seen:
        raise Faults(RepeatedViewPrimaryKey(source, path=here))
    seen.add(source)
    if len(raw.columns) > 1:
        raise Faults(MultipleViewPrimaryKeyColumns(source, raw.columns, path=here))
    if not raw.columns:
        return
    if source not in by_accessor:
        raise Faults(ViewPrimaryKeyViewNotFound(source, path=here))
    found = parts.views[by_accessor[source]]
    if found.params.elements:
        raise Faults(ViewPrimaryKeyWithParams(source, path=here))
    key = next((column.col_id for column in found.return_columns if column.accessor_name == raw.columns[0]), None)
    if key is None:
        raise Faults(ViewPrimaryKeyColumnNotFound(source, raw.columns[0], path=here))
    parts.views[found.name] = replace(found, primary_key=key)


def query_view_primary_keys(parts: Parts) -> None:
    """Query views without parameters inherit the key that the tables of their row type agree on."""
    keys = inherited_keys(parts.tables.values())
    for name, one in list(parts.views.items()):
        if one.is_query and not one.params.elements and one.primary_key is None:
            parts.views[name] = replace(one, primary_key=keys.get(one.product_type_ref))


def inherited_keys(tables: Iterable[TableDef]) -> dict[int, int]:
    """The primary keys that query views inherit, by row type: those on which all tables of the type that have one agree."""
    keys: dict[int, set[int]] = {}
    for table in tables:
        if table.primary_key is not None:
            keys.setdefault(table.product_type_ref, set()).add(table.primary_key)
    return {ref: next(iter(common)) for ref, common in keys.items() if len(common) == 1}
