"""Tables: columns, indexes, constraints, the primary key, sequences, defaults. (spec: validation 2.3, 2.7, 3.1)

The steps are functions that raise Faults; V10 and V9 run the same steps and differ in which of them stop the rest, which is
written down in `table_v10` and `defs.validate.v9`. `Source` holds what the steps of one table share.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bsatn.codec import Codec
from bsatn.errors import DecodeError, LimitExceeded
from bsatn.paths import Path
from bsatn.types import INTEGERS, U8, U16, U32, U64, UNIT, AlgebraicType, Primitive, ProductType, Ref, SumType, Typespace
from defs.raw.shared import BTree, Direct, Hash, TableType
from defs.raw.v10 import RawConstraintDefV10, RawIndexDefV10, RawSequenceDefV10, RawTableDefV10
from defs.schema.lookup import Lookup
from defs.schema.model import ColumnDef, ConstraintDef, IndexAlgorithm, IndexDef, SequenceDef, TableDef
from defs.validate import names
from defs.validate.collect import Collector, Faults
from defs.validate.columns import row_columns
from defs.validate.errors import (
    ColumnDefaultValueMalformed,
    ColumnNotFound,
    DirectIndexOnBadType,
    DuplicateColumns,
    InvalidSequenceColumnType,
    InvalidSequenceDefOption,
    MissingPrimaryKeyUniqueConstraint,
    OneAutoInc,
    ReferenceWouldCrash,
    RepeatedPrimaryKey,
    TableNameReserved,
    UniqueConstraintWithoutIndex,
)
from defs.validate.naming import identifier
from defs.validate.reasons import RawColumnName, decode_reason
from defs.validate.scope import Scope, column_names

__all__ = ["Source", "table_v10"]

_DIRECT = {U8, U16, U32, U64}
_ALGORITHM_WORDS = {BTree: "btree", Hash: "hash", Direct: "direct"}


@dataclass(slots=True)
class Source:
    """One table while it is validated: whose it is, what its rows are, where it stands."""

    scope: Scope
    source_name: str
    name: str  #: canonical
    ref: int
    row: ProductType  #: converted
    source_row: ProductType  #: as written
    path: Path
    auto_inc: set[int] = field(default_factory=set)  #: columns that have a sequence

    def column_name(self, col: int) -> RawColumnName:
        """What errors call a column; its number where it has no name."""
        elements = self.row.elements
        name = elements[col].name if col < len(elements) else None
        return RawColumnName(self.source_name, str(col) if name is None else name)

    def column_names(self, columns: Sequence[int]) -> list[str]:
        """Names of columns in generated names."""
        return column_names(self.row, columns)

    def require(self, columns: Sequence[int], owner: str, path: Path) -> None:
        """Every column exists, and none twice; the missing ones are told first."""
        missing = [col for col in columns if col >= len(self.row.elements)]
        if missing:
            raise Faults(*(ColumnNotFound(self.source_name, owner, col, path=tuple(path)) for col in missing))
        if len(set(columns)) != len(columns):
            raise Faults(DuplicateColumns(owner, tuple(columns), path=tuple(path)))


# -- columns


def columns(source: Source) -> tuple[ColumnDef, ...]:
    """All the columns; every bad one is told."""
    found = row_columns(source.scope, source.source_name, source.ref, source.row, source.source_row)
    return tuple(ColumnDef(one.name, one.accessor_name, col, one.ty, source.name) for col, one in enumerate(found))


# -- indexes


def index_v10(source: Source, raw: RawIndexDefV10, path: Path) -> IndexDef:
    """One index; its canonical name is an explicit one or generated, the source name only an alias."""
    if raw.source_name is None:
        raise Faults(ReferenceWouldCrash(f"an index of table {source.source_name} has no source_name", path=tuple(path)))
    scope = source.scope
    scope.claim(raw.source_name, source.name, path)
    explicit = scope.names.indexes.get(raw.source_name)
    name = identifier(explicit if explicit is not None else generated_index_name(source, raw.algorithm), path)
    if name != raw.source_name:
        scope.claim(name, source.name, path)
    check_algorithm(source, raw.algorithm, name, path)
    accessor = None if raw.accessor_name is None else identifier(raw.accessor_name, path)
    return IndexDef(name, raw.source_name, accessor, raw.algorithm)


def algorithm_columns(algorithm: IndexAlgorithm) -> tuple[int, ...]:
    """Positions of the columns an index covers."""
    return (algorithm.column,) if isinstance(algorithm, Direct) else algorithm.columns


def generated_index_name(source: Source, algorithm: IndexAlgorithm) -> str:
    """`table_columns_idx_algorithm`. (spec: validation 2.3)"""
    word = _ALGORITHM_WORDS[type(algorithm)]
    return names.generated_index_name(source.name, source.column_names(algorithm_columns(algorithm)), word)


def check_algorithm(source: Source, algorithm: IndexAlgorithm, name: str, path: Path) -> None:
    """The indexed columns exist, and a direct index is on a small integer or a plain enum."""
    source.require(algorithm_columns(algorithm), name, path)
    if not isinstance(algorithm, Direct):
        return
    kind = source.row.elements[algorithm.column].algebraic_type
    if isinstance(kind, Ref) and kind.index >= len(source.scope.typespace):
        raise Faults(ReferenceWouldCrash(f"direct index {name} is on a column of unknown type {kind}", path=tuple(path)))
    target = source.scope.resolve(kind)
    if kind in _DIRECT or (isinstance(target, SumType) and all(one.algebraic_type == UNIT for one in target.variants)):
        return
    column = source.column_name(algorithm.column).column
    raise Faults(DirectIndexOnBadType(name, column, kind, path=tuple(path)))


# -- constraints and keys


def constraint(source: Source, given: str | None, cols: Sequence[int], path: Path) -> ConstraintDef:
    """One unique constraint, its columns as a set."""
    name = given if given is not None else names.generated_key_name(source.name, source.column_names(cols))
    collected = Collector()
    collected.attempt(source.require, cols, name, path)
    collected.attempt(source.scope.claim, name, source.name, path)
    collected.done()
    return ConstraintDef(name, tuple(sorted(set(cols))), declared_columns=tuple(cols))


def primary_key(source: Source, cols: Sequence[int], constraints: Sequence[ConstraintDef], path: Path) -> int | None:
    """The key's column: there is one at most, it exists, and a constraint says it is unique."""
    if len(cols) > 1:
        raise Faults(RepeatedPrimaryKey(source.source_name, path=tuple(path)))
    if not cols:
        return None
    if cols[0] >= len(source.row.elements):
        raise Faults(ColumnNotFound(source.source_name, source.source_name, cols[0], path=tuple(path)))
    if not any(one.columns == (cols[0],) for one in constraints):
        raise Faults(MissingPrimaryKeyUniqueConstraint(source.column_name(cols[0]), path=tuple(path)))
    return cols[0]


def check_backing(source: Source, constraints: Sequence[ConstraintDef], indexes: Sequence[IndexDef]) -> None:
    """Every unique constraint has an index over exactly its columns."""
    indexed = {tuple(sorted(set(index.columns))) for index in indexes}
    bare = [one for one in constraints if one.columns not in indexed]
    if bare:
        path = (*source.path, "constraints")
        raise Faults(*(UniqueConstraintWithoutIndex(one.name, one.columns, path=path) for one in bare))


# -- sequences


def sequence(source: Source, given: str | None, raw: Any, path: Path) -> SequenceDef:
    """One sequence: on an integer column that has no other, without options."""
    name = given if given is not None else names.generated_sequence_name(source.name, source.column_names([raw.column])[0])
    collected = Collector()
    collected.attempt(_sequence_column, source, name, raw.column, path)
    for option, expected in (("start", None), ("min_value", None), ("max_value", None), ("increment", 1)):
        supplied = getattr(raw, option)
        if supplied != expected:
            said = "None" if expected is None else str(expected)
            collected.add(InvalidSequenceDefOption(name, option, supplied, said, path=tuple(path)))
    collected.attempt(source.scope.claim, name, source.name, path)
    collected.done()
    return SequenceDef(name, raw.column)


def _sequence_column(source: Source, name: str, col: int, path: Path) -> None:
    if col >= len(source.row.elements):
        raise Faults(ColumnNotFound(source.source_name, name, col, path=tuple(path)))
    kind = source.row.elements[col].algebraic_type
    if kind not in INTEGERS:
        raise Faults(InvalidSequenceColumnType(name, source.column_name(col), kind, path=tuple(path)))
    if col in source.auto_inc:
        raise Faults(OneAutoInc(source.column_name(col), path=tuple(path)))
    source.auto_inc.add(col)


# -- defaults


def default_value(source: Source, owner: str, col: int, value: bytes, path: Path) -> tuple[int, Any, bytes]:
    """A column's default: the column exists and the bytes are a value of its type; what is left over is ignored."""
    if col >= len(source.row.elements):
        raise Faults(ColumnNotFound(owner, owner, col, path=tuple(path)))
    try:
        decoded, end = _codec(source.row.elements[col].algebraic_type, source.scope.typespace).decode_from(value)
    except LimitExceeded as error:
        raise Faults(ReferenceWouldCrash(f"default of column {col}: {error.message}", path=tuple(path))) from None
    except DecodeError as error:
        raise Faults(ColumnDefaultValueMalformed(owner, col, decode_reason(error), path=tuple(path))) from None
    return col, decoded, value[:end]


def _codec(kind: AlgebraicType, typespace: Typespace) -> Codec[Any]:
    """Making a codec costs more than reading a default; most defaults are of the few types that have no parts."""
    return _primitive_codec(kind) if isinstance(kind, Primitive) else Codec(kind, typespace)


_primitive_codec: Callable[[Primitive], Codec[Any]] = functools.cache(Codec)


def with_defaults(found: tuple[ColumnDef, ...], defaults: Sequence[tuple[int, Any, bytes]]) -> tuple[ColumnDef, ...]:
    """The columns with their defaults; of several for one column the last wins."""
    by_column = {col: (value, data) for col, value, data in defaults}
    return tuple(
        ColumnDef(one.name, one.accessor_name, one.col_id, one.ty, one.table_name, *by_column[one.col_id])
        if one.col_id in by_column
        else one
        for one in found
    )


# -- the table


def each(collected: Collector, step: Callable[..., Any], items: Sequence[Any], source: Source, part: str) -> list[Any] | None:
    """Run a step for each raw part of the table; None when any failed."""
    before = len(collected.errors)
    found = [collected.attempt(step, source, raw, (*source.path, part, place)) for place, raw in enumerate(items)]
    return found if len(collected.errors) == before else None


def table_v10(scope: Scope, raw: RawTableDefV10, path: Path) -> TableDef:
    """One V10 table; what stops early and what does not is the reference's order of work. (spec: validation 2.7)"""
    row, source_row = scope.row_type(raw.product_type_ref, raw.source_name, path)
    name = scope.names.table(raw.source_name, path)
    source = Source(scope, raw.source_name, name, raw.product_type_ref, row, source_row, path)
    found = columns(source)
    collected = Collector()
    indexes = each(collected, index_v10, raw.indexes, source, "indexes")
    constraints = each(collected, _constraint_v10, raw.constraints, source, "constraints")
    key = None
    if constraints is not None:
        before = len(collected.errors)
        key = collected.attempt(primary_key, source, raw.primary_key, constraints, (*path, "primary_key"))
        if indexes is not None and len(collected.errors) == before:
            collected.attempt(check_backing, source, constraints, indexes)
    sequences = each(collected, _sequence_v10, raw.sequences, source, "sequences")
    scope.claim(raw.source_name, name, path)
    if name.startswith("st_") and raw.table_type is not TableType.System:
        collected.add(TableNameReserved(name, path=tuple(path)))
    elif name != raw.source_name:
        scope.claim(name, name, path)
    defaults = _defaults_v10(source, raw)
    collected.done()
    identifier(raw.source_name, path)
    return TableDef(
        name=name,
        accessor_name=raw.source_name,
        product_type_ref=raw.product_type_ref,
        primary_key=key,
        columns=with_defaults(found, defaults) if defaults else found,
        indexes=by_name(indexes or ()),
        constraints=by_name(constraints or ()),
        sequences=by_name(sequences or ()),
        schedule=None,
        table_type=raw.table_type,
        table_access=raw.table_access,
        is_event=raw.is_event,
    )


def by_name(defs: Sequence[Any]) -> Lookup[str, Any]:
    """Definitions sorted by name."""
    return Lookup((one.name, one) for one in sorted(defs, key=lambda one: one.name))


def _constraint_v10(source: Source, raw: RawConstraintDefV10, path: Path) -> ConstraintDef:
    return constraint(source, None, raw.data.columns, path)  # V10 ignores the name given


def _sequence_v10(source: Source, raw: RawSequenceDefV10, path: Path) -> SequenceDef:
    return sequence(source, raw.source_name, raw, path)


def _defaults_v10(source: Source, raw: RawTableDefV10) -> list[tuple[int, Any, bytes]]:
    collected = Collector()
    found = [
        collected.attempt(
            default_value, source, source.source_name, one.col_id, one.value, (*source.path, "default_values", place)
        )
        for place, one in enumerate(raw.default_values)
    ]
    collected.done()
    return [one for one in found if one is not None]
