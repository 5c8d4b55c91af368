"""Valid definitions of versions 9 and 8, written down from one of version 10 that was drawn for the purpose.

Such a definition takes names verbatim and has nothing that the older version lacks; what is left to choose here is how the
older version says it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bsatn import types as t
from defs.raw import RawModuleDefV8, RawModuleDefV9, RawModuleDefV10, v8, v9, v10
from defs.raw.shared import Hash, Lifecycle, TableAccess, TableType
from defs.schema.model import IndexAlgorithm

__all__ = ["to_v8", "to_v9"]

_LIFECYCLES = {
    Lifecycle.Init: "__init__",
    Lifecycle.OnConnect: "__identity_connected__",
    Lifecycle.OnDisconnect: "__identity_disconnected__",
}


# Version 9


@st.composite
def to_v9(draw: st.DrawFn, raw: RawModuleDefV10) -> RawModuleDefV9:
    """The definition as version 9; exports stand in any order."""
    events = {one.function_name: one.lifecycle_spec for one in raw.lifecycle_reducers}
    schedules = {one.table_name: one for one in raw.schedules}
    exports: list[v9.RawMiscModuleExportV9] = [
        *(v9.RawProcedureDefV9(one.source_name, one.params, one.return_type) for one in raw.procedures),
        *(
            v9.RawViewDefV9(one.source_name, one.index, one.is_public, one.is_anonymous, one.params, one.return_type)
            for one in raw.views
        ),
        *(
            v9.RawColumnDefaultValueV9(table.source_name, one.col_id, one.value)
            for table in raw.tables
            for one in table.default_values
        ),
    ]
    return RawModuleDefV9(
        typespace=raw.typespace,
        tables=tuple(_table_v9(draw, one, schedules.get(one.source_name)) for one in raw.tables),
        reducers=tuple(v9.RawReducerDefV9(one.source_name, one.params, events.get(one.source_name)) for one in raw.reducers),
        types=tuple(
            v9.RawTypeDefV9(
                v9.RawScopedTypeNameV9(one.source_name.scope, one.source_name.source_name), one.ty, one.custom_ordering
            )
            for one in raw.types
        ),
        misc_exports=tuple(draw(st.permutations(exports))),
        row_level_security=raw.row_level_security,
    )


def _table_v9(draw: st.DrawFn, raw: v10.RawTableDefV10, schedule: v10.RawScheduleDefV10 | None) -> v9.RawTableDefV9:
    name = raw.source_name
    when = None
    if schedule is not None:
        given = f"{name}_when" if draw(st.booleans()) else None
        when = v9.RawScheduleDefV9(given, schedule.function_name, schedule.schedule_at_col)
    return v9.RawTableDefV9(
        name=name,
        product_type_ref=raw.product_type_ref,
        primary_key=raw.primary_key,
        indexes=tuple(
            v9.RawIndexDefV9(one.source_name if draw(st.booleans()) else None, one.accessor_name, one.algorithm)
            for one in raw.indexes
        ),
        constraints=tuple(
            v9.RawConstraintDefV9(f"{name}: rule {place}" if draw(st.booleans()) else None, one.data)
            for place, one in enumerate(raw.constraints)
        ),
        sequences=tuple(
            v9.RawSequenceDefV9(one.source_name, one.column, one.start, one.min_value, one.max_value, one.increment)
            for one in raw.sequences
        ),
        schedule=when,
        table_type=raw.table_type,
        table_access=raw.table_access,
    )


# Version 8


@st.composite
def to_v8(draw: st.DrawFn, raw: RawModuleDefV10) -> RawModuleDefV8:
    """The definition as version 8: reducers answer events by name, constraints imply indexes and sequences."""
    events = {one.function_name: _LIFECYCLES[one.lifecycle_spec] for one in raw.lifecycle_reducers}
    schedules = {one.table_name: one for one in raw.schedules}
    separator = draw(st.sampled_from(["::", "."]))
    return RawModuleDefV8(
        typespace=raw.typespace,
        tables=tuple(
            v8.TableDesc(_table_v8(draw, raw, one, schedules.get(one.source_name)), one.product_type_ref) for one in raw.tables
        ),
        reducers=tuple(
            v8.ReducerDef(events.get(one.source_name, one.source_name), one.params.elements) for one in raw.reducers
        ),
        misc_exports=tuple(
            v8.TypeAlias8(separator.join((*one.source_name.scope, one.source_name.source_name)), one.ty) for one in raw.types
        ),
    )


def _table_v8(
    draw: st.DrawFn, module: RawModuleDefV10, raw: v10.RawTableDefV10, schedule: v10.RawScheduleDefV10 | None
) -> v8.RawTableDefV8:
    row = module.typespace[raw.product_type_ref]
    assert isinstance(row, t.ProductType)
    columns = tuple(v8.RawColumnDefV8(part.name or "", part.algebraic_type) for part in row.elements)
    generated = {one.column for one in raw.sequences}
    return v8.RawTableDefV8(
        table_name=raw.source_name,
        columns=columns[: draw(st.integers(0, len(columns)))] if schedule is None else columns,
        indexes=tuple(_index_v8(one.source_name or "", one.algorithm) for one in raw.indexes),
        constraints=tuple(_constraints_v8(draw, raw, generated)),
        sequences=tuple(
            v8.RawSequenceDefV8(f"seq_{raw.source_name}_{col}", col, 1, None, None, None, 0) for col in sorted(generated)
        ),
        table_type=v8.StTableType.System if raw.table_type is TableType.System else v8.StTableType.User,
        table_access=v8.StAccess.Public if raw.table_access is TableAccess.Public else v8.StAccess.Private,
        scheduled=None if schedule is None else schedule.function_name,
    )


def _index_v8(name: str, algorithm: IndexAlgorithm) -> v8.RawIndexDefV8:
    kind = v8.IndexType.Hash if isinstance(algorithm, Hash) else v8.IndexType.BTree
    columns: Any = getattr(algorithm, "columns", None)
    return v8.RawIndexDefV8(name, False, kind, columns)


def _constraints_v8(draw: st.DrawFn, raw: v10.RawTableDefV10, generated: set[int]) -> list[v8.RawConstraintDefV8]:
    """The constraints; a column's implied sequence may take the place of the one written."""
    found = []
    for place, one in enumerate(raw.constraints):
        cols = one.data.columns
        flags = v8.Constraints.PRIMARY_KEY if cols == raw.primary_key else v8.Constraints.UNIQUE
        if len(cols) == 1 and cols[0] in generated and draw(st.booleans()):
            generated.discard(cols[0])
            flags |= v8.Constraints.AUTO_INC
        found.append(v8.RawConstraintDefV8(f"ct_{raw.source_name}_rule{place}", flags, cols))
    return found
