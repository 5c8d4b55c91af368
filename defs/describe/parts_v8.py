"""A V8 definition brought to the common form, as the server upgrades it. (spec: validation 3.2)

V8 says keys, sequences and indexes as flags of constraints. The server makes each flag the thing it stands for, with a
name built from the constraint's, and leaves out what the definition also says outright.
"""

from __future__ import annotations

import re

from bsatn.types import ProductType
from defs.describe.parts import (
    LIFECYCLES,
    FunctionParts,
    IndexParts,
    ModuleParts,
    ScheduleParts,
    TableParts,
    TypeParts,
    UniqueParts,
)
from defs.describe.words import clip, joined
from defs.raw import RawModuleDefV8
from defs.raw.shared import Lifecycle
from defs.raw.v8 import Constraints, RawConstraintDefV8, RawTableDefV8, StAccess, StTableType, TableDesc

__all__ = ["parts_of_v8"]

_LIFECYCLES = {
    "__init__": LIFECYCLES[Lifecycle.Init],
    "__identity_connected__": LIFECYCLES[Lifecycle.OnConnect],
    "__identity_disconnected__": LIFECYCLES[Lifecycle.OnDisconnect],
}
_SCOPES = re.compile(r"::|\.")


def parts_of_v8(definition: RawModuleDefV8) -> ModuleParts:
    """The parts of a V8 definition."""
    return ModuleParts(
        definition.typespace,
        tables=[_table(desc, definition) for desc in definition.tables],
        reducers=[FunctionParts(r.name, r.args, lifecycle=_LIFECYCLES.get(r.name)) for r in definition.reducers],
        types=[TypeParts(tuple(_SCOPES.split(alias.name)), alias.ty) for alias in definition.misc_exports],
    )


def _table(desc: TableDesc, definition: RawModuleDefV8) -> TableParts:
    table = desc.schema
    return TableParts(
        table.table_name,
        desc.data,
        next((c.columns for c in reversed(table.constraints) if _is_primary_key(c)), ()),
        [*(IndexParts(i.index_name, i.index_type.name.lower(), i.columns) for i in table.indexes), *_indexes(table)],
        [*(UniqueParts(c.constraint_name, c.columns) for c in table.constraints if _is_unique(c)), *_uniques(table)],
        {sequence.col_pos for sequence in table.sequences} | _sequences(table),
        table.table_access is StAccess.Public,
        table.table_type is StTableType.System,
        schedule=_schedule(desc, definition),
    )


def _is_unique(constraint: RawConstraintDefV8) -> bool:
    return constraint.constraints & Constraints.UNIQUE == Constraints.UNIQUE


def _is_primary_key(constraint: RawConstraintDefV8) -> bool:
    is_key = constraint.constraints & Constraints.PRIMARY_KEY == Constraints.PRIMARY_KEY
    return is_key and len(constraint.columns) == 1


def _indexes(table: RawTableDefV8) -> list[IndexParts]:
    """An index for each constraint that demands one, unless one of that name is there."""
    taken = {index.index_name for index in table.indexes}
    owner = clip(table.table_name)
    made: list[IndexParts] = []
    for constraint in table.constraints:
        if constraint.constraints & Constraints.INDEXED:
            suffix = "unique" if _is_unique(constraint) else "non_unique"
            base = _without(f"ct_{owner}_", clip(constraint.constraint_name))
            name = f"idx_{owner}_{base}" + ("" if base.endswith(suffix) else f"_{suffix}")
            if name not in taken:
                made.append(IndexParts(name, "btree", constraint.columns))
    return made


def _uniques(table: RawTableDefV8) -> list[UniqueParts]:
    """A constraint for each unique index whose columns no constraint has."""
    constrained = {constraint.columns for constraint in table.constraints if constraint.constraints}
    owner = clip(table.table_name)
    names = [clip(column.col_name) for column in table.columns]
    made: list[UniqueParts] = []
    for index in table.indexes:
        if index.is_unique and index.columns not in constrained:
            columns = joined(names[c] for c in index.columns if c < len(names))
            base = _without(f"idx_{owner}_", columns)
            suffix = "" if base.endswith("unique") else "_unique"
            made.append(UniqueParts(f"ct_{owner}_{base}{suffix}", index.columns))
    return made


def _sequences(table: RawTableDefV8) -> set[int]:
    """The columns that constraints number."""
    flagged = (c for c in table.constraints if c.constraints & Constraints.AUTO_INC)
    return {constraint.columns[0] for constraint in flagged if constraint.columns}


def _schedule(desc: TableDesc, definition: RawModuleDefV8) -> ScheduleParts | None:
    """The schedule, unless no column says when: the server drops it silently then."""
    types = definition.typespace.types
    row = types[desc.data] if desc.data < len(types) else None
    if desc.schema.scheduled is None or not isinstance(row, ProductType):
        return None
    at = next((i for i, element in enumerate(row.elements) if element.name == "scheduled_at"), None)
    return None if at is None else ScheduleParts(desc.schema.scheduled, at)


def _without(prefix: str, name: str) -> str:
    """The name without any number of leading prefixes."""
    start = 0
    while prefix and name.startswith(prefix, start):
        start += len(prefix)
    return name[start:]
