"""Tables in a transaction: made, dropped and altered by writing the rows of system tables that describe them.

Each change writes rows as the server does and in its order, then takes the schema that the rows now describe. Ids come from the
sequences of the system tables. (spec: event-tables 1.2, 1.7, 2)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bsatn import types as t
from bsatn.errors import EncodeError
from defs.raw.shared import TableAccess
from defs.schema.model import ModuleDef, TableDef
from defs.schema.table import (
    ColumnSchema,
    OutboxSchema,
    TableSchema,
    table_schema,
)
from defs.store.ddl.columns import Changed, check_columns, numbered, reset
from defs.store.ddl.parts import PartTransaction, whole
from defs.store.state import Table, codec_of_rows
from defs.store.transactions.errors import TransactionError
from defs.store.transactions.rows import TableName
from defs.store.transactions.slots import Slots
from defs.store.transactions.tables import TxTable
from defs.system import rows as st
from defs.system.catalog import describing_rows

__all__ = ["SchemaTransaction"]

_R = TypeVar("_R")


class SchemaTransaction(PartTransaction):
    """What a transaction can do to tables. After an error in the middle of a change it can only be rolled back."""

    # -- tables

    @whole
    def create_table(self, table: TableSchema | TableDef, module: ModuleDef | None = None) -> int:
        """Make a table and return its id; ids in the schema are not looked at. A definition comes with its module.

        Raises TransactionError: `InvalidTable`, `UniqueConstraintViolation` (a name is taken); TableSchemaError.
        """
        self._open()
        if isinstance(table, TableDef):
            if module is None:
                raise ValueError("a TableDef needs the module that it is of")
            table = table_schema(module, table).stored_under(table.namespace)
        schema = self._checked(reset(table))
        described = describing_rows(schema)
        table_id: int = self.describe(next(described).row).table_id
        schema = numbered(schema, table_id)
        for one in list(describing_rows(schema))[1:]:
            self.describe(one.row)
            if one.table_id == st.ST_TABLE_ACCESSOR_ID and schema.view_info is not None:
                self.describe(st.StViewRow(0, schema.table_name, table_id, True, schema.view_info.is_anonymous))
        schema = self._described(table_id)
        self._tables[table_id] = TxTable(Table(schema), Slots(), is_new=True)
        return table_id

    @whole
    def drop_table(self, table: TableName) -> None:
        """Drop a table with its rows and all that describes it. Raises TransactionError."""
        found = self._user_table(table)
        schema = found.schema
        found.clear()
        for index in schema.indexes:
            self.undescribe(st.StIndexRow, (0,), index.index_id)
            self.undescribe(st.StIndexAccessorRow, (0,), index.index_name)
        for sequence in schema.sequences:
            self.undescribe(st.StSequenceRow, (0,), sequence.sequence_id)
        for constraint in schema.constraints:
            self.undescribe(st.StConstraintRow, (0,), constraint.constraint_id)
        self.undescribe(st.StTableAccessorRow, (0,), schema.table_name)
        self.undescribe(st.StColumnAccessorRow, (0,), schema.table_name)
        for row in (st.StTableRow, st.StColumnRow, st.StEventTableRow, st.StOutboxRow):
            self.undescribe(row, (0,), schema.table_id)
        self.undescribe(st.StScheduledRow, (1,), schema.table_id)
        del self._tables[schema.table_id]
        self._dropped[schema.table_id] = found

    # -- columns

    @whole
    def add_columns(self, table: TableName, columns: Sequence[ColumnSchema], defaults: Sequence[Any] = ()) -> int:
        """Add columns at the end: the table gets another id, its rows the defaults, its sequences go on. Returns the new id.

        `columns` are all columns, `defaults` the values of the new ones. Raises TransactionError: `MissingExistingColumns`,
        `DefaultValueMissing`, `DefaultValueTypeMismatch`, `InvalidTable`.
        """
        found = self._user_table(table)
        old = found.schema
        new = replace(old, columns=tuple(columns))
        if [(one.col_name, one.col_type) for one in columns[: len(old.columns)]] != [
            (one.col_name, one.col_type) for one in old.columns
        ]:
            raise TransactionError("MissingExistingColumns", table=old.table_name)
        added = self._defaults(columns[len(old.columns) :], defaults)
        rows = [data + added for data in found]
        sequences = {one.sequence_name: one for one in self.records(st.StSequenceRow, (2,), (old.table_id,))}
        self.drop_table(table)
        table_id = self.create_table(new)
        for fresh in self.records(st.StSequenceRow, (2,), (table_id,)):
            self._rewrite(fresh, replace(fresh, allocated=sequences[fresh.sequence_name].allocated))
        made = self._by_id(table_id)
        for data in rows:
            made.put(data)
        return table_id

    @staticmethod
    def _defaults(columns: Sequence[ColumnSchema], defaults: Sequence[Any]) -> bytes:
        if len(defaults) < len(columns):
            raise TransactionError("DefaultValueMissing", column=columns[len(defaults)].col_pos)
        encoded = b""
        for column, value in zip(columns, defaults[len(defaults) - len(columns) :], strict=True):
            try:
                encoded += codec_of_rows(t.ProductType((t.ProductTypeElement(None, column.col_type),))).encode((value,))
            except EncodeError:
                raise TransactionError("DefaultValueTypeMismatch", column=column.col_pos) from None
        return encoded

    @whole
    def alter_table_columns(self, table: TableName, columns: Sequence[ColumnSchema]) -> None:
        """Change columns so that all rows stay what they are: sums may get variants at their end.

        Raises TransactionError (`InvalidColumns`).
        """
        found = self._user_table(table)
        check_columns(found.schema, columns)
        self._rewrite_columns(found.schema, columns)

    @whole
    def alter_event_table_columns(self, table: TableName, columns: Sequence[ColumnSchema]) -> None:
        """Give an event table other columns, in any way; it keeps its id. It must have no rows in this transaction.

        Afterwards it takes no events in this transaction (upstream: it does, and the log cannot be replayed), and indexes are
        over the new columns (upstream: an index over a retyped column is broken until the database is opened again).
        Raises TransactionError: `ReschemaNotAnEventTable`, `EventTableNotEmpty`, `InvalidTable`.
        """
        found = self._user_table(table)
        schema = found.schema
        if not self.is_event(schema.table_id):
            raise TransactionError("ReschemaNotAnEventTable", table_id=schema.table_id)
        if len(found):
            raise TransactionError("EventTableNotEmpty", table_id=schema.table_id)
        self._checked(replace(schema, columns=tuple(columns)))
        self._rewrite_columns(schema, columns)
        found.reschemed = True
        found.stale += Changed(schema, columns).retyped_indexes() if self.datastore.upstream else ()

    def _rewrite_columns(self, schema: TableSchema, columns: Sequence[ColumnSchema]) -> None:
        table_id, name = schema.table_id, schema.table_name
        self.undescribe(st.StColumnRow, (0,), table_id)
        self.undescribe(st.StColumnAccessorRow, (0,), name)
        for one in describing_rows(replace(numbered(schema, table_id), columns=tuple(columns))):
            if one.table_id in (st.ST_COLUMN_ID, st.ST_COLUMN_ACCESSOR_ID):
                self.describe(one.row)
        self._refresh(table_id)

    # -- access, key, names, outbox

    @whole
    def alter_table_access(self, table: TableName, access: TableAccess) -> None:
        """Make a table public or private."""
        self._alter_row(table, table_access=access.name.lower())

    @whole
    def alter_table_primary_key(self, table: TableName, column: int | None) -> None:
        """Make a column the primary key, or none."""
        self._alter_row(table, table_primary_key=None if column is None else (column,))

    def _alter_row(self, table: TableName, **changes: Any) -> None:
        table_id = self._user_table(table).schema.table_id
        for row in self.records(st.StTableRow, (0,), (table_id,)):
            self.undescribe(st.StTableRow, (0,), table_id)
            self.describe(replace(row, **changes))
        self._refresh(table_id)

    @whole
    def alter_table_accessor_name(self, table: TableName, alias: str) -> None:
        """Change the name of a table in generated code."""
        schema = self._user_table(table).schema
        if schema.alias != alias:
            self.undescribe(st.StTableAccessorRow, (0,), schema.table_name)
            self.describe(st.StTableAccessorRow(schema.table_name, alias))
            self._refresh(schema.table_id)

    @whole
    def alter_column_accessor_name(self, table: TableName, column: int, alias: str) -> None:
        """Change the name of a column in generated code. Columns without such a name get their own. Raises TransactionError."""
        schema = self._user_table(table).schema
        if not 0 <= column < len(schema.columns):
            raise TransactionError("InvalidColumns", table=schema.table_name, reason=f"there is no column {column}")
        if schema.columns[column].alias == alias:
            return
        self.undescribe(st.StColumnAccessorRow, (0,), schema.table_name)
        for one in schema.columns:
            name = alias if one.col_pos == column else one.alias or one.col_name
            self.describe(st.StColumnAccessorRow(schema.table_name, one.col_name, name))
        self._refresh(schema.table_id)

    @whole
    def alter_index_source_name(self, table: TableName, index: str | int, alias: str) -> None:
        """Change the name of an index in generated code. Raises TransactionError (`IndexNotFound`)."""
        found = self._user_table(table)
        over = found.index(index)
        if over.alias != alias:
            self.undescribe(st.StIndexAccessorRow, (0,), over.index_name)
            self.describe(st.StIndexAccessorRow(over.index_name, alias))
            self._refresh(found.schema.table_id)

    @whole
    def alter_table_outbox(self, table: TableName, outbox: OutboxSchema | None) -> None:
        """Make a table an outbox, change it, or make it none."""
        schema = self._user_table(table).schema
        self.undescribe(st.StOutboxRow, (0,), schema.table_id)
        for one in describing_rows(replace(schema, outbox=outbox)):
            if one.table_id == st.ST_OUTBOX_ID:
                self.describe(one.row)
        self._refresh(schema.table_id)
