"""RawModuleDefV9: how modules of releases 1.0 to 1.12 describe themselves (layout 9e). (spec: wire 6.2)"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from bsatn.annotations import I128, U32
from bsatn.records import record, variants
from defs.raw.shared import (
    ColId,
    Cols,
    Lifecycle,
    Params,
    RawConstraintDataV9,
    RawIndexAlgorithm,
    RawRowLevelSecurityDefV9,
    TableAccess,
    TableType,
    Type,
    TypeRef,
    Typespace,
)

__all__ = [
    "RawColumnDefaultValueV9", "RawConstraintDefV9", "RawIndexDefV9", "RawMiscModuleExportV9", "RawModuleDefV9",
    "RawProcedureDefV9", "RawReducerDefV9", "RawScheduleDefV9", "RawScopedTypeNameV9", "RawSequenceDefV9", "RawTableDefV9",
    "RawTypeDefV9", "RawViewDefV9",
]  # fmt: skip


@record
class RawSequenceDefV9:
    """A generator of column values; bounds left out are the column type's."""

    name: str | None
    column: ColId
    start: I128 | None
    min_value: I128 | None
    max_value: I128 | None
    increment: I128


@record
class RawIndexDefV9:
    """An index; `accessor_name` is what generated code calls it."""

    name: str | None
    accessor_name: str | None
    algorithm: RawIndexAlgorithm


@record
class RawConstraintDefV9:
    """A constraint on a table's rows."""

    name: str | None
    data: RawConstraintDataV9


@record
class RawScheduleDefV9:
    """Rows of the table call a reducer or procedure at the time that a column says."""

    name: str | None
    reducer_name: str
    scheduled_at_column: ColId


@record
class RawTableDefV9:
    """A table; its columns are the fields of the product at `product_type_ref`."""

    name: str
    product_type_ref: TypeRef
    primary_key: Cols
    indexes: tuple[RawIndexDefV9, ...]
    constraints: tuple[RawConstraintDefV9, ...]
    sequences: tuple[RawSequenceDefV9, ...]
    schedule: RawScheduleDefV9 | None
    table_type: TableType
    table_access: TableAccess


@record
class RawReducerDefV9:
    """A function that runs in a transaction; `lifecycle` says which event calls it."""

    name: str
    params: Params
    lifecycle: Lifecycle | None


@record
class RawScopedTypeNameV9:
    """A type's name within a path of scopes."""

    scope: tuple[str, ...]
    name: str


@record
class RawTypeDefV9:
    """A name for a typespace entry; without `custom_ordering` its parts stand in the default order."""

    name: RawScopedTypeNameV9
    ty: TypeRef
    custom_ordering: bool


@record(name="ColumnDefaultValue", since="1.4.0")
class RawColumnDefaultValueV9:
    """The value old rows get when the column is added: `value` is BSATN at the column's type."""

    table: str
    col_id: ColId
    value: bytes


@record(name="Procedure", since="1.8.0")
class RawProcedureDefV9:
    """A function outside a transaction that returns a value."""

    name: str
    params: Params
    return_type: Type


@record(name="View", since="1.8.0")
class RawViewDefV9:
    """A function clients subscribe to like a table; `index` is its number among its kind."""

    name: str
    index: U32
    is_public: bool
    is_anonymous: bool
    params: Params
    return_type: Type


RawMiscModuleExportV9: TypeAlias = Annotated[
    RawColumnDefaultValueV9 | RawProcedureDefV9 | RawViewDefV9, variants("RawMiscModuleExportV9")
]


@record(name="V9")
class RawModuleDefV9:
    """The whole definition, version 9."""

    typespace: Typespace
    tables: tuple[RawTableDefV9, ...]
    reducers: tuple[RawReducerDefV9, ...]
    types: tuple[RawTypeDefV9, ...]
    misc_exports: tuple[RawMiscModuleExportV9, ...]
    row_level_security: tuple[RawRowLevelSecurityDefV9, ...]
