"""RawModuleDefV8 to V9, and then V9's rules. (spec: validation 3.2)

The upgrade derives what V8 left implicit: indexes and sequences from constraints, constraints from indexes, lifecycle from
reducers' names. Its own errors join those of the V9 validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bsatn.types import AlgebraicType, ProductType
from defs.raw.shared import BTree, Hash, Lifecycle, RawUniqueConstraintDataV9, TableAccess, TableType
from defs.raw.v8 import (
    Constraints,
    IndexType,
    RawConstraintDefV8,
    RawModuleDefV8,
    RawTableDefV8,
    StAccess,
    StTableType,
    TableDesc,
)
from defs.raw.v9 import (
    RawConstraintDefV9,
    RawIndexDefV9,
    RawModuleDefV9,
    RawReducerDefV9,
    RawScheduleDefV9,
    RawScopedTypeNameV9,
    RawSequenceDefV9,
    RawTableDefV9,
    RawTypeDefV9,
)
from defs.schema.model import ModuleDef
from defs.schema.resolve import Unresolvable, resolve_refs
from defs.validate.collect import Collector, Faults
from defs.validate.errors import (
    ColumnDefMalformed,
    InvalidProductTypeRef,
    ReferenceWouldCrash,
    RepeatedPrimaryKey,
    ValidationError,
)
from defs.validate.reasons import RawColumnName
from defs.validate.v9 import validate_v9

__all__ = ["upgrade_v8", "validate_v8"]

_LIFECYCLES = {
    "__init__": Lifecycle.Init,
    "__identity_connected__": Lifecycle.OnConnect,
    "__identity_disconnected__": Lifecycle.OnDisconnect,
}
#: The kinds of constraint, by their flags; any other set of flags has no kind, and upstream crashes on it.
_KINDS = {
    0: "unset",
    1: "indexed",
    5: "unique",
    7: "identity",
    13: "primary_key",
    15: "primary_key_auto",
}


def validate_v8(raw: RawModuleDefV8) -> ModuleDef:
    """A V8 definition; raises Faults with everything wrong, in the upgrade and after."""
    upgraded, errors = upgrade_v8(raw)
    if crashes := [error for error in errors if isinstance(error, ReferenceWouldCrash)]:
        raise Faults(*crashes)  # upstream gets no further
    collected = Collector()
    module = collected.attempt(validate_v9, upgraded, 8)
    collected.errors.extend(errors)
    collected.done()
    assert module is not None
    return module


def upgrade_v8(raw: RawModuleDefV8) -> tuple[RawModuleDefV9, list[ValidationError]]:
    """The definition as V9, and what the upgrade found wrong."""
    errors: list[ValidationError] = []
    upgraded = RawModuleDefV9(
        typespace=raw.typespace,
        tables=tuple(_Table(raw, place, errors).upgrade() for place in range(len(raw.tables))),
        reducers=tuple(RawReducerDefV9(one.name, ProductType(one.args), _LIFECYCLES.get(one.name)) for one in raw.reducers),
        types=tuple(RawTypeDefV9(_scoped(one.name), one.ty, True) for one in raw.misc_exports),
        misc_exports=(),
        row_level_security=(),
    )
    return upgraded, errors


def _scoped(name: str) -> RawScopedTypeNameV9:
    """`a::b.C` is C within a within b."""
    *scope, last = re.split(r"::|\.", name)
    return RawScopedTypeNameV9(tuple(scope), last)


class _Table:
    """One table while it is upgraded. Derived parts come from the lists as written, after what is written."""

    def __init__(self, module: RawModuleDefV8, place: int, errors: list[ValidationError]) -> None:
        self.module = module
        self.desc: TableDesc = module.tables[place]
        self.table: RawTableDefV8 = self.desc.schema
        self.path = ("tables", place)
        self.errors = errors

    def upgrade(self) -> RawTableDefV9:
        """The table as V9."""
        table = self.table
        self.check_columns()
        for one in table.constraints:
            self.check_flags(one)
        key = self.primary_key()
        return RawTableDefV9(
            name=table.table_name,
            product_type_ref=self.desc.data,
            primary_key=key,
            indexes=(
                *(self.index(one.index_name, one.index_type, one.columns) for one in table.indexes),
                *self.derived_indexes(),
            ),
            constraints=tuple(self.constraints()),
            sequences=(*(self.sequence(one) for one in table.sequences), *self.derived_sequences()),
            schedule=self.schedule(),
            table_type={StTableType.System: TableType.System, StTableType.User: TableType.User}[table.table_type],
            table_access={StAccess.Public: TableAccess.Public, StAccess.Private: TableAccess.Private}[table.table_access],
        )

    def check_columns(self) -> None:
        """Declared columns agree with the row type."""
        space, ref, name = self.module.typespace, self.desc.data, self.table.table_name
        row: AlgebraicType | None = space[ref] if ref < len(space) else None
        if isinstance(row, ProductType):
            try:
                row = resolve_refs(row, space)
            except Unresolvable:
                row = None
        if not isinstance(row, ProductType):
            self.errors.append(InvalidProductTypeRef(name, ref, path=self.path))
            return
        for place, one in enumerate(self.table.columns):
            element = row.elements[place] if place < len(row.elements) else None
            resolved = None if element is None else self.resolved(one.col_type)
            if element is None or element.name != one.col_name or element.algebraic_type != resolved:
                column = RawColumnName(name, one.col_name)
                path = (*self.path, "schema", "columns", place)
                said = one.col_type if resolved is None else resolved
                self.errors.append(ColumnDefMalformed(column, said, place, row, path=path))

    def resolved(self, kind: AlgebraicType) -> AlgebraicType | None:
        try:
            return resolve_refs(kind, self.module.typespace)
        except Unresolvable:
            return None

    def check_flags(self, one: RawConstraintDefV8) -> None:
        """Upstream crashes on flags without a kind, and on auto_inc without a column."""
        if int(one.constraints) not in _KINDS:
            what = f"constraint {one.constraint_name} has flags {int(one.constraints)}, which have no kind"
            self.errors.append(ReferenceWouldCrash(what, path=self.path))
        if one.constraints & Constraints.AUTO_INC and not one.columns:
            what = f"auto_inc constraint {one.constraint_name} has no columns"
            self.errors.append(ReferenceWouldCrash(what, path=self.path))

    def primary_key(self) -> tuple[int, ...]:
        """The key: of several the last; one over several columns is none."""
        key: tuple[int, ...] = ()
        for one in self.table.constraints:
            if int(one.constraints) & 13 != 13:
                continue
            if len(one.columns) != 1 or key:
                self.errors.append(RepeatedPrimaryKey(self.table.table_name, path=self.path))
            if len(one.columns) == 1:
                key = one.columns
        return key

    @staticmethod
    def index(name: str, kind: IndexType, columns: tuple[int, ...]) -> RawIndexDefV9:
        return RawIndexDefV9(name, name, BTree(columns) if kind is IndexType.BTree else Hash(columns))

    def base(self, one: RawConstraintDefV8) -> str:
        """The constraint's name without `ct_table_` before it, however often."""
        name, prefix = one.constraint_name, f"ct_{self.table.table_name}_"
        while name.startswith(prefix):
            name = name[len(prefix) :]
        return name

    def derived_indexes(self) -> Iterator[RawIndexDefV9]:
        """An index for each constraint that needs one."""
        known = {one.index_name for one in self.table.indexes}
        for one in self.table.constraints:
            if not one.constraints & Constraints.INDEXED:
                continue
            suffix = "unique" if int(one.constraints) & 5 == 5 else "non_unique"
            base = self.base(one)
            name = f"idx_{self.table.table_name}_{base}" + ("" if base.endswith(suffix) else f"_{suffix}")
            if name not in known:
                yield self.index(name, IndexType.BTree, one.columns)

    @staticmethod
    def sequence(one: Any) -> RawSequenceDefV9:
        return RawSequenceDefV9(one.sequence_name, one.col_pos, one.start, one.min_value, one.max_value, one.increment)

    def derived_sequences(self) -> Iterator[RawSequenceDefV9]:
        """A sequence for each auto_inc constraint whose column has none."""
        names = {one.sequence_name for one in self.table.sequences}
        covered = {(one.col_pos,) for one in self.table.sequences}
        for one in self.table.constraints:
            if not one.constraints & Constraints.AUTO_INC or one.columns in covered or not one.columns:
                continue
            name = f"seq_{self.table.table_name}_{self.base(one)}"
            if name not in names:
                yield RawSequenceDefV9(name, one.columns[0], None, None, None, 1)

    def constraints(self) -> Iterator[RawConstraintDefV9]:
        """The unique constraints: written ones, and one for each unique index that has none."""
        for one in self.table.constraints:
            if int(one.constraints) & 5 == 5:
                yield RawConstraintDefV9(one.constraint_name, RawUniqueConstraintDataV9(one.columns))
        covered = {one.columns for one in self.table.constraints if int(one.constraints)}
        for index in self.table.indexes:
            if index.columns not in covered and index.is_unique:
                yield RawConstraintDefV9(self.constraint_name(index.columns), RawUniqueConstraintDataV9(index.columns))

    def constraint_name(self, columns: tuple[int, ...]) -> str:
        declared = self.table.columns
        cols = "_".join(declared[col].col_name for col in columns if col < len(declared))
        cols = cols.removeprefix(f"idx_{self.table.table_name}_")
        return f"ct_{self.table.table_name}_{cols}" + ("" if cols.endswith("unique") else "_unique")

    def schedule(self) -> RawScheduleDefV9 | None:
        """The schedule; dropped where no column is called scheduled_at."""
        places = [place for place, one in enumerate(self.table.columns) if one.col_name == "scheduled_at"]
        if self.table.scheduled is None or not places:
            return None
        return RawScheduleDefV9(None, self.table.scheduled, places[0])
