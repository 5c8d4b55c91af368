"""Schemas before they are stored, and how columns may change. (spec: event-tables 1.7)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from bsatn import types as t
from bsatn.stack import on_enough_stack
from defs.schema.table import ColumnSchema, IndexSchema, TableSchema
from defs.store.transactions.errors import TransactionError

__all__ = ["Changed", "check_columns", "numbered", "reset"]


def numbered(schema: TableSchema, table_id: int) -> TableSchema:
    """The schema with a table's id, and none for its parts yet."""
    return replace(
        schema,
        table_id=table_id,
        columns=tuple(replace(one, table_id=table_id, col_pos=position) for position, one in enumerate(schema.columns)),
        indexes=tuple(replace(one, table_id=table_id, index_id=0) for one in schema.indexes),
        constraints=tuple(replace(one, table_id=table_id, constraint_id=0) for one in schema.constraints),
        sequences=tuple(replace(one, table_id=table_id, sequence_id=0) for one in schema.sequences),
        schedule=schema.schedule and replace(schema.schedule, table_id=table_id, schedule_id=0),
    )


def reset(schema: TableSchema) -> TableSchema:
    """The schema without ids; 0 asks for one."""
    return numbered(schema, 0)


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of columns."""

    old: TableSchema
    columns: Sequence[ColumnSchema]

    def retyped_indexes(self) -> tuple[IndexSchema, ...]:
        """The indexes over a position whose type is another now."""
        before = [one.col_type for one in self.old.columns]
        after = [one.col_type for one in self.columns]
        return tuple(
            index
            for index in self.old.indexes
            if any(before[column : column + 1] != after[column : column + 1] for column in index.columns)
        )


def check_columns(old: TableSchema, columns: Sequence[ColumnSchema]) -> None:
    """Whether all rows of a table are rows of these columns too. Raises TransactionError (`InvalidColumns`)."""

    def wrong(reason: str) -> TransactionError:
        return TransactionError("InvalidColumns", table=old.table_name, reason=reason)

    if [one.col_name for one in columns] != [one.col_name for one in old.columns]:
        raise wrong(f"they are {', '.join(one.col_name for one in old.columns)} and stay so, in that order")
    for before, after in zip(old.columns, columns, strict=True):
        if not on_enough_stack(partial(_grows, before.col_type, after.col_type)):
            raise wrong(f"{before.col_name} is of type {before.col_type}; variants may be added at the end of sums only")


def _grows(old: t.AlgebraicType, new: t.AlgebraicType) -> bool:
    """Whether the new type is the old one, or has more variants at the end of sums."""
    match old, new:
        case t.SumType(before), t.SumType(after):
            return len(before) <= len(after) and all(
                one.name == other.name and _grows(one.algebraic_type, other.algebraic_type)
                for one, other in zip(before, after, strict=False)
            )
        case t.ProductType(before), t.ProductType(after):
            return len(before) == len(after) and all(
                one.name == other.name and _grows(one.algebraic_type, other.algebraic_type)
                for one, other in zip(before, after, strict=True)
            )
        case t.ArrayType(before), t.ArrayType(after):
            return _grows(before, after)
        case _:
            return old == new
