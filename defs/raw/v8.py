"""RawModuleDefV8: how modules described themselves before 1.0; every release still reads it. (spec: wire 6.1)"""

from __future__ import annotations

import enum
from typing import Annotated, TypeAlias

from bsatn.annotations import I128
from bsatn.records import record, variants
from bsatn.shapes import Choice
from bsatn.types import STRING, U8, ProductTypeElement
from bsatn.typeshapes import leaf
from defs.raw.shared import ColId, Cols, Type, TypeRef, Typespace

__all__ = [
    "Constraints", "IndexType", "MiscModuleExport", "RawColumnDefV8", "RawConstraintDefV8", "RawIndexDefV8", "RawModuleDefV8",
    "RawSequenceDefV8", "RawTableDefV8", "ReducerDef", "StAccess", "StTableType", "TableDesc", "TypeAlias8",
]  # fmt: skip


class StTableType(enum.Enum):
    """Who owns a table; a string on the wire."""

    System = "system"
    User = "user"


class StAccess(enum.Enum):
    """Who may read a table; a string on the wire."""

    Public = "public"
    Private = "private"


class Constraints(enum.IntFlag):
    """What a constraint demands, as a set of flags; any value up to 15 decodes. (spec: wire 6.1)"""

    INDEXED = 1
    AUTO_INC = 2
    UNIQUE_ONLY = 4
    PRIMARY_KEY_ONLY = 8
    UNIQUE = 5
    IDENTITY = 7
    PRIMARY_KEY = 13
    PRIMARY_KEY_AUTO = 15


StTableTypeText: TypeAlias = Annotated[
    StTableType,
    Choice(
        leaf(STRING),
        {member.value: member for member in StTableType},
        "DecodeError for StTableType: `{found}`. Expected 'system' | 'user'",
    ),
]
StAccessText: TypeAlias = Annotated[
    StAccess,
    Choice(
        leaf(STRING),
        {member.value: member for member in StAccess},
        "DecodeError for StAccess: `{found}`. Expected `public` | 'private'",
    ),
]
ConstraintFlags: TypeAlias = Annotated[
    Constraints,
    Choice(leaf(U8), {bits: Constraints(bits) for bits in range(16)}, "invalid bitflags for `Constraints`"),
]


class IndexType(enum.Enum):
    """How an index is kept."""

    BTree = 0
    Hash = 1


@record
class RawColumnDefV8:
    """A column, named and typed here as well as in the typespace."""

    col_name: str
    col_type: Type


@record
class RawIndexDefV8:
    """An index over columns."""

    index_name: str
    is_unique: bool
    index_type: IndexType
    columns: Cols


@record
class RawConstraintDefV8:
    """What holds for some columns: a set of flags, see `Constraints`."""

    constraint_name: str
    constraints: ConstraintFlags
    columns: Cols


@record
class RawSequenceDefV8:
    """A generator of column values."""

    sequence_name: str
    col_pos: ColId
    increment: I128
    start: I128 | None
    min_value: I128 | None
    max_value: I128 | None
    allocated: I128


@record
class RawTableDefV8:
    """A table as its declaration says it."""

    table_name: str
    columns: tuple[RawColumnDefV8, ...]
    indexes: tuple[RawIndexDefV8, ...]
    constraints: tuple[RawConstraintDefV8, ...]
    sequences: tuple[RawSequenceDefV8, ...]
    table_type: StTableTypeText
    table_access: StAccessText
    scheduled: str | None


@record
class TableDesc:
    """A table with the typespace entry of its rows."""

    schema: RawTableDefV8
    data: TypeRef


@record
class ReducerDef:
    """A reducer and its arguments."""

    name: str
    args: tuple[ProductTypeElement, ...]


@record(name="TypeAlias")
class TypeAlias8:
    """A name for a typespace entry."""

    name: str
    ty: TypeRef


MiscModuleExport: TypeAlias = Annotated[TypeAlias8, variants("MiscModuleExport")]


@record(name="V8BackCompat")
class RawModuleDefV8:
    """The whole definition, version 8."""

    typespace: Typespace
    tables: tuple[TableDesc, ...]
    reducers: tuple[ReducerDef, ...]
    misc_exports: tuple[MiscModuleExport, ...]
