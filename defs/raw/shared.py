"""What the raw definitions of several versions share: column lists, kinds of table, index algorithms, sequences' rules.

Every class is the wire layout: its fields are the wire fields, in wire order. (spec: wire 6)
"""

from __future__ import annotations

import enum
from typing import Annotated, TypeAlias

from bsatn import wiretypes as _wiretypes
from bsatn.annotations import U16, U32
from bsatn.records import case, record, variants
from bsatn.types import AlgebraicType, ProductType, Typespace

__all__ = [
    "BTree",
    "ColId",
    "Cols",
    "Direct",
    "Hash",
    "Lifecycle",
    "Params",
    "RawConstraintDataV9",
    "RawIndexAlgorithm",
    "RawRowLevelSecurityDefV9",
    "RawUniqueConstraintDataV9",
    "TableAccess",
    "TableType",
    "Type",
    "TypeRef",
    "Typespace",
]  # fmt: skip

assert _wiretypes  # importing it gives AlgebraicType and Typespace their layout

TypeRef: TypeAlias = U32  #: index of an entry of the typespace
ColId: TypeAlias = U16  #: position of a column in its table
Cols: TypeAlias = tuple[U16, ...]  #: column positions; order and duplicates are kept
Type: TypeAlias = AlgebraicType
Params: TypeAlias = ProductType


class TableType(enum.Enum):
    """Who owns a table."""

    System = 0
    User = 1


class TableAccess(enum.Enum):
    """Who may read a table."""

    Public = 0
    Private = 1


class Lifecycle(enum.Enum):
    """The events of a database's life that a reducer may answer."""

    Init = 0
    OnConnect = 1
    OnDisconnect = 2


@case
class BTree:
    """An ordered index over `columns`: equality and ranges."""

    columns: Cols


@case
class Hash:
    """A hash index over `columns`: equality only."""

    columns: Cols


@case(since="1.0.0")
class Direct:
    """An array indexed by one small-integer column."""

    column: ColId


RawIndexAlgorithm: TypeAlias = Annotated[BTree | Hash | Direct, variants("RawIndexAlgorithm")]


@record(name="Unique")
class RawUniqueConstraintDataV9:
    """No two rows agree on all of `columns`."""

    columns: Cols


RawConstraintDataV9: TypeAlias = Annotated[RawUniqueConstraintDataV9, variants("RawConstraintDataV9")]


@record
class RawRowLevelSecurityDefV9:
    """A row-level security rule: clients see only the rows this SQL selects."""

    sql: str
