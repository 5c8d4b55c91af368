"""ModuleDef to RawModuleDefV9: a small function for each kind of definition, names canonical and written out.

What version 9 has no words for is in `defs.convert.losses`. (spec: validation 5.1)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bsatn.collector import collector_paused
from bsatn.types import AlgebraicType, ProductType, SumType, Typespace
from defs.convert.loss import LossyConversion
from defs.convert.losses import losses_to_v9
from defs.convert.normal import normal
from defs.convert.spelling import types_in_order
from defs.raw import RawModuleDefV9, v9
from defs.raw.shared import RawRowLevelSecurityDefV9, RawUniqueConstraintDataV9
from defs.schema.model import (
    ConstraintDef,
    FunctionParams,
    IndexDef,
    ModuleDef,
    ProcedureDef,
    ReducerDef,
    ScheduleDef,
    SequenceDef,
    TableDef,
    TypeDef,
    ViewDef,
)
from defs.validate.names import identifier_fault
from defs.validate.typedefs import is_default_order

__all__ = ["to_v9"]


def to_v9(module: ModuleDef, *, lossy: bool = False, as_upstream: bool = False) -> RawModuleDefV9:
    """The definition as version 9. Of one that was version 9 or 8 nothing is lost.

    Of one of version 10 much may be, see `losses_to_v9`; raises LossyConversion then, unless `lossy`. `as_upstream=True` writes
    what the reference would, its lists that are in no order sorted; that never raises, and does not always validate.
    """
    losses = () if lossy or as_upstream else losses_to_v9(module)
    if losses:
        raise LossyConversion(losses, 9)
    with collector_paused():
        return normal(_module(module, as_upstream)) if as_upstream else _module(module, as_upstream)


def table(one: TableDef) -> v9.RawTableDefV9:
    """A table; its columns' defaults stand elsewhere."""
    return v9.RawTableDefV9(
        name=one.name,
        product_type_ref=one.product_type_ref,
        primary_key=() if one.primary_key is None else (one.primary_key,),
        indexes=tuple(map(index, one.indexes.values())),
        constraints=tuple(map(constraint, one.constraints.values())),
        sequences=tuple(map(sequence, one.sequences.values())),
        schedule=None if one.schedule is None else schedule(one.schedule),
        table_type=one.table_type,
        table_access=one.table_access,
    )


def index(one: IndexDef) -> v9.RawIndexDefV9:
    """An index."""
    return v9.RawIndexDefV9(one.name, one.accessor_name, one.algorithm)


def constraint(one: ConstraintDef) -> v9.RawConstraintDefV9:
    """A constraint."""
    return v9.RawConstraintDefV9(one.name, RawUniqueConstraintDataV9(one.columns))


def sequence(one: SequenceDef) -> v9.RawSequenceDefV9:
    """A sequence."""
    return v9.RawSequenceDefV9(one.name, one.column, None, None, None, 1)


def schedule(one: ScheduleDef) -> v9.RawScheduleDefV9:
    """A schedule."""
    return v9.RawScheduleDefV9(one.name, one.function_name, one.at_column)


def default_values(one: TableDef) -> Iterator[v9.RawColumnDefaultValueV9]:
    """The defaults of a table's columns."""
    for column in one.columns:
        if column.default_bytes is not None:
            yield v9.RawColumnDefaultValueV9(one.name, column.col_id, column.default_bytes)


def type_def(one: TypeDef) -> v9.RawTypeDefV9:
    """A named type."""
    return v9.RawTypeDefV9(v9.RawScopedTypeNameV9(one.accessor_name.scope, one.accessor_name.name), one.ty, one.custom_ordering)


def reducer(one: ReducerDef, params: FunctionParams) -> v9.RawReducerDefV9:
    """A reducer."""
    return v9.RawReducerDefV9(one.name, params, one.lifecycle)


def procedure(one: ProcedureDef, params: FunctionParams) -> v9.RawProcedureDefV9:
    """A procedure."""
    return v9.RawProcedureDefV9(one.name, params, one.return_type)


def view(one: ViewDef, params: FunctionParams) -> v9.RawViewDefV9:
    """A view."""
    return v9.RawViewDefV9(one.name, one.fn_ptr, one.is_public, one.is_anonymous, params, one.return_type)


def _module(module: ModuleDef, as_upstream: bool) -> RawModuleDefV9:
    def params(one: ReducerDef | ProcedureDef | ViewDef) -> FunctionParams:
        """The reference writes the source's names beside converted ones."""
        return one.source_params if as_upstream else one.params

    exports: list[v9.RawMiscModuleExportV9] = [one for owner in module.tables.values() for one in default_values(owner)]
    exports += [procedure(one, params(one)) for one in module.procedures.values()]
    exports += [view(one, params(one)) for one in module.views.values()]
    definition = RawModuleDefV9(
        typespace=module.typespace,
        tables=tuple(map(table, module.tables.values())),
        reducers=tuple(reducer(one, params(one)) for one in module.reducers.values()),
        types=tuple(map(type_def, types_in_order(module))),
        misc_exports=tuple(exports),
        row_level_security=tuple(map(RawRowLevelSecurityDefV9, module.row_level_security)),
    )
    return definition if as_upstream else _with_usable_names(definition, module)


# Names that are none


def _with_usable_names(definition: RawModuleDefV9, module: ModuleDef) -> RawModuleDefV9:
    """Version 9 wants members of types to be identifiers, which converted names need not be: such a member has the name that it
    was written with. Members may stand in another than the default order then. (spec: validation 2.2, 5.1)"""
    if module.source_typespace is None or module.source_typespace is module.typespace:
        return definition
    changed: dict[int, AlgebraicType] = {}
    for ref in {one.ty for one in definition.types}:
        kind = _usable(module.typespace[ref], module.source_typespace[ref])
        if kind is not module.typespace[ref]:
            changed[ref] = kind
    if not changed:
        return definition
    entries = tuple(changed.get(ref, kind) for ref, kind in enumerate(module.typespace.types))
    members = {ref: kind for ref, kind in changed.items() if isinstance(kind, (ProductType, SumType))}
    unordered = {ref for ref, kind in members.items() if not is_default_order(kind)}
    types = tuple(replace(one, custom_ordering=one.custom_ordering or one.ty in unordered) for one in definition.types)
    return replace(definition, typespace=Typespace(entries), types=types)


def _usable(kind: AlgebraicType, written: AlgebraicType) -> AlgebraicType:
    """The type with names that are identifiers."""
    if isinstance(kind, ProductType) and isinstance(written, ProductType):
        elements = tuple(
            replace(one, name=source.name) if identifier_fault(one.name or "") else one
            for one, source in zip(kind.elements, written.elements, strict=True)
        )
        return kind if elements == kind.elements else replace(kind, elements=elements)
    if isinstance(kind, SumType) and isinstance(written, SumType):
        variants = tuple(
            replace(one, name=source.name) if identifier_fault(one.name or "") else one
            for one, source in zip(kind.variants, written.variants, strict=True)
        )
        return kind if variants == kind.variants else replace(kind, variants=variants)
    return kind
