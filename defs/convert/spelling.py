"""How a module is spelled in version 10: as it was written, or as the reference spells it.

The conversion of each kind of definition is in `defs.convert.v10`; what differs between the two ways is here, a method each.
`AsWritten` gives back the source's names and types with the policy that converts them, so that validation finds the very same
definition. `AsUpstream` writes converted names, and loses what the reference loses. (spec: validation 5.2, 5.3)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from bsatn.types import F32, F64, AlgebraicType, ProductType, ProductTypeElement, Ref, Typespace
from defs.convert.plan import Plan
from defs.raw.v10 import CaseConversionPolicy, FunctionVisibility
from defs.schema.model import (
    FunctionParams,
    IndexDef,
    ModuleDef,
    ProcedureDef,
    ReducerDef,
    ScopedTypeName,
    SequenceDef,
    TableDef,
    TypeDef,
    ViewDef,
)
from defs.validate.attach import inherited_keys
from defs.validate.names import generated_schedule_name

__all__ = ["AsUpstream", "AsWritten", "called_functions", "types_in_order"]


def types_in_order(module: ModuleDef) -> list[TypeDef]:
    """The named types by name; of several names for one entry the one that counts comes last, as validation reads them."""
    return sorted(module.types.values(), key=lambda one: module.type_names.get(one.ty) == one.accessor_name)


def called_functions(module: ModuleDef) -> set[str]:
    """Canonical names of the functions that the database calls, which version 10 makes private. (spec: validation 2.8)"""
    called = {table.schedule.function_name for table in module.tables.values() if table.schedule}
    called |= {table.outbox.on_result_reducer or "" for table in module.tables.values() if table.outbox}
    return called | set(module.lifecycle_reducers.values())


class AsWritten:
    """Exact: validating it gives the definition again. Without the names as written, canonical names are written."""

    def __init__(self, module: ModuleDef) -> None:
        self.module = module
        self.known = module.source_typespace is not None
        self.policy = module.case_conversion_policy if self.known else CaseConversionPolicy.None_
        self.typespace = module.typespace if module.source_typespace is None else module.source_typespace
        functions: tuple[ReducerDef | ProcedureDef | ViewDef, ...]
        functions = (*module.reducers.values(), *module.procedures.values(), *module.views.values())
        self.functions = {one.name: one.accessor_name for one in functions}
        self.handlers = {one.name: one.accessor_name for one in module.http_handlers.values()}
        self.called = called_functions(module)
        self.inherited = inherited_keys(module.tables.values())
        self._entries: dict[AlgebraicType, int] = {}
        self._name_floats()

    @cached_property
    def plan(self) -> Plan:
        """The names that parts of tables can have."""
        return Plan(self.module)

    def _name_floats(self) -> None:
        """Version 10 allows no floats as parameters of views, but references to floats."""
        params = [part.algebraic_type for view in self.module.views.values() for part in view.params.elements]
        floats = [kind for kind in (F32, F64) if kind in params]
        self._entries = {kind: len(self.typespace) + place for place, kind in enumerate(floats)}
        if floats:
            self.typespace = Typespace((*self.typespace.types, *floats))

    def types(self) -> list[TypeDef]:
        """The named types, in the order to write them in."""
        return types_in_order(self.module)

    def type_name(self, one: TypeDef) -> ScopedTypeName:
        """A type's name."""
        return one.source_name if self.known and one.source_name is not None else one.accessor_name

    def params(self, function: ReducerDef | ProcedureDef | ViewDef) -> FunctionParams:
        """A function's parameters."""
        params = function.source_params if self.known else function.params
        if not isinstance(function, ViewDef) or not self._entries:
            return params
        return ProductType(tuple(self._view_param(part) for part in params.elements))

    def _view_param(self, part: ProductTypeElement) -> ProductTypeElement:
        entry = self._entries.get(part.algebraic_type)
        return part if entry is None else ProductTypeElement(part.name, Ref(entry))

    def visibility(self, function: ReducerDef | ProcedureDef) -> FunctionVisibility:
        """Who may call a function."""
        return FunctionVisibility.Private if function.name in self.called else function.visibility

    def constraints(self, table: TableDef) -> list[tuple[str, tuple[int, ...]]]:
        """Names and columns of a table's constraints, by name."""
        placed = (self.plan.constraints.get((table.name, name)) for name in table.constraints)
        return sorted(one for one in placed if one is not None)

    def indexes(self, table: TableDef) -> list[tuple[str, IndexDef]]:
        """A table's indexes with their source names, by canonical name."""
        planned = [(*self.plan.indexes[table.name, one.name], one) for one in table.indexes.values()]
        return [(source, one) for source, _, one in sorted(planned, key=lambda part: part[1])]

    def explicit_indexes(self) -> Iterator[tuple[str, str]]:
        """Source and canonical name of the indexes that would otherwise be called something else."""
        for table in self.module.tables.values():
            for source, index in self.indexes(table):
                name = self.plan.indexes[table.name, index.name][1]
                if name != self.plan.generated_index_name(table, index):
                    yield source, name

    def sequences(self, table: TableDef) -> list[tuple[str, SequenceDef]]:
        """A table's sequences with their names, by name."""
        planned = [(self.plan.sequences[table.name, one.name], one) for one in table.sequences.values()]
        return sorted(planned, key=lambda part: part[0])

    def schedule_name(self, table: TableDef) -> str:
        """A schedule's name, which version 10 makes itself whatever is written."""
        return generated_schedule_name(table.name)

    def table(self, table: TableDef) -> str:
        """What a schedule calls its table."""
        return table.accessor_name

    def function(self, name: str) -> str:
        """What a schedule, or an event, calls a function."""
        return self.functions[name]

    def view_key(self, view: ViewDef) -> str | None:
        """The column that is said to be a view's key; None when nothing needs to be said."""
        if view.primary_key is None or (view.is_query and self.inherited.get(view.product_type_ref) == view.primary_key):
            return None
        column = view.return_columns[view.primary_key]
        return column.accessor_name if self.known else column.name


class AsUpstream(AsWritten):
    """As the reference writes it."""

    def __init__(self, module: ModuleDef) -> None:
        super().__init__(module)
        self.known, self.policy, self.typespace = False, CaseConversionPolicy.None_, module.typespace

    def params(self, function: ReducerDef | ProcedureDef | ViewDef) -> FunctionParams:
        """Canonical names; floats stay."""
        return function.params

    def visibility(self, function: ReducerDef | ProcedureDef) -> FunctionVisibility:
        """As it is."""
        return function.visibility

    def constraints(self, table: TableDef) -> list[tuple[str, tuple[int, ...]]]:
        """Columns sorted, whatever the name was made of."""
        return [(one.name, one.columns) for one in table.constraints.values()]

    def indexes(self, table: TableDef) -> list[tuple[str, IndexDef]]:
        """By their aliases."""
        return [(one.source_name, one) for one in table.indexes.values()]

    def explicit_indexes(self) -> Iterator[tuple[str, str]]:
        """None, so that indexes lose their explicit names."""
        return iter(())

    def sequences(self, table: TableDef) -> list[tuple[str, SequenceDef]]:
        """By their names."""
        return [(one.name, one) for one in table.sequences.values()]

    def schedule_name(self, table: TableDef) -> str:
        """The name."""
        return table.schedule.name if table.schedule is not None else ""

    def table(self, table: TableDef) -> str:
        """The canonical name, though it is looked up as a source name."""
        return table.name

    def function(self, name: str) -> str:
        """The canonical name, though it is looked up as a source name."""
        return name

    def view_key(self, view: ViewDef) -> str | None:
        """Keys of query views are not written."""
        return None if view.is_query or view.primary_key is None else view.return_columns[view.primary_key].name
