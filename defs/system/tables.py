"""The system tables of release 2.14.0: declared once, with their fixed ids; their schemas and the rows that describe them.

`SYSTEM_TABLES` stands in upstream's order, in which a new database writes the tables into its log; indexes and constraints of a
table are written sorted by name. Names of indexes, constraints and sequences follow from the columns. (spec: event-tables 2)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias

from bsatn.records import type_of
from bsatn.types import ProductType
from defs.raw.shared import BTree, TableAccess, TableType
from defs.schema.table import ColumnSchema, ConstraintSchema, IndexSchema, SequenceSchema, TableSchema
from defs.system import rows as st
from defs.system.catalog import describing_rows

__all__ = [
    "EPHEMERAL_TABLES",
    "FIRST_USER_ID",
    "SYSTEM_BY_ID",
    "SYSTEM_SCHEMAS",
    "SYSTEM_TABLES",
    "SystemTable",
    "bootstrap_rows",
]

Columns: TypeAlias = tuple[int, ...]

#: The first id of a user's table, index, constraint, sequence, schedule or view.
FIRST_USER_ID: Final = 4096
#: System tables whose rows are never logged.
EPHEMERAL_TABLES: Final = frozenset({st.ST_VIEW_SUB_ID, st.ST_VIEW_ARG_ID})
#: What the system's sequences start from, and what they have allocated in a new database.
SYSTEM_START: Final = 4097
SYSTEM_ALLOCATED: Final = 4096

_PRIVATE: Final = TableAccess.Private


@dataclass(frozen=True)
class SystemTable:
    """A system table: id, name, record of its rows; columns by position of its primary key and, by id, of its parts."""

    table_id: int
    name: str
    row: type[Any]
    primary_key: int | None = None
    constraints: Mapping[int, Columns] = field(default_factory=dict)
    indexes: Mapping[int, Columns] = field(default_factory=dict)
    sequences: Mapping[int, int] = field(default_factory=dict)
    access: TableAccess = TableAccess.Public

    @cached_property
    def row_type(self) -> ProductType:
        """The type of a row."""
        kind = type_of(self.row)
        assert isinstance(kind, ProductType)
        return kind

    @cached_property
    def schema(self) -> TableSchema:
        """The schema, parts sorted by name."""
        number = self.table_id
        columns = tuple(
            ColumnSchema(number, position, element.name or "", None, element.algebraic_type)
            for position, element in enumerate(self.row_type)
        )

        def named(over: Columns, suffix: str) -> str:
            return "_".join((self.name, *(columns[one].col_name for one in over), suffix))

        return TableSchema(
            table_id=number,
            table_name=self.name,
            alias=None,
            view_info=None,
            columns=columns,
            primary_key=self.primary_key,
            indexes=tuple(IndexSchema(n, number, named(c, "idx_btree"), None, BTree(c)) for n, c in self.indexes.items()),
            constraints=tuple(ConstraintSchema(number, n, named(c, "key"), c) for n, c in self.constraints.items()),
            sequences=tuple(SequenceSchema(n, named((c,), "seq"), number, c, SYSTEM_START) for n, c in self.sequences.items()),
            table_type=TableType.System,
            table_access=self.access,
        ).normalize()


#: Every system table, in upstream's order. Of a table: primary key, constraints, indexes, sequences.
SYSTEM_TABLES: Final[tuple[SystemTable, ...]] = (
    SystemTable(st.ST_TABLE_ID, "st_table", st.StTableRow, 0, {1: (0,), 2: (1,)}, {1: (0,), 2: (1,)}, {1: 0}),
    SystemTable(st.ST_COLUMN_ID, "st_column", st.StColumnRow, None, {3: (0, 1)}, {3: (0, 1)}),
    SystemTable(st.ST_INDEX_ID, "st_index", st.StIndexRow, 0, {5: (0,)}, {5: (0,)}, {2: 0}),
    SystemTable(st.ST_CONSTRAINT_ID, "st_constraint", st.StConstraintRow, 0, {6: (0,)}, {6: (0,)}, {3: 0}),
    SystemTable(st.ST_MODULE_ID, "st_module", st.StModuleRow),
    SystemTable(st.ST_CLIENT_ID, "st_client", st.StClientRow, None, {7: (0, 1)}, {7: (0, 1)}),
    SystemTable(st.ST_VAR_ID, "st_var", st.StVarRow, 0, {8: (0,)}, {8: (0,)}),
    SystemTable(st.ST_SCHEDULED_ID, "st_scheduled", st.StScheduledRow, 0, {9: (0,), 10: (1,)}, {9: (0,), 10: (1,)}, {4: 0}),
    SystemTable(
        st.ST_ROW_LEVEL_SECURITY_ID, "st_row_level_security", st.StRowLevelSecurityRow, 1, {11: (1,)}, {11: (0,), 12: (1,)}
    ),
    SystemTable(st.ST_SEQUENCE_ID, "st_sequence", st.StSequenceRow, 0, {4: (0,)}, {4: (0,)}, {5: 0}),
    SystemTable(
        st.ST_CONNECTION_CREDENTIALS_ID,
        "st_connection_credentials",
        st.StConnectionCredentialsRow,
        0,
        {12: (0,)},
        {13: (0,)},
        access=_PRIVATE,
    ),
    SystemTable(st.ST_VIEW_ID, "st_view", st.StViewRow, 0, {13: (0,), 14: (1,)}, {14: (0,), 15: (1,)}, {6: 0}),
    SystemTable(st.ST_VIEW_PARAM_ID, "st_view_param", st.StViewParamRow, None, {15: (0, 1)}, {16: (0, 1)}),
    SystemTable(st.ST_VIEW_COLUMN_ID, "st_view_column", st.StViewColumnRow, None, {16: (0, 1)}, {17: (0, 1)}),
    SystemTable(st.ST_VIEW_SUB_ID, "st_view_sub", st.StViewSubRow, None, {}, {18: (2,), 19: (4,), 20: (0, 1, 2)}),
    SystemTable(st.ST_VIEW_ARG_ID, "st_view_arg", st.StViewArgRow, 0, {17: (0,), 18: (1,)}, {21: (0,), 22: (1,)}, {7: 0}),
    SystemTable(st.ST_EVENT_TABLE_ID, "st_event_table", st.StEventTableRow, 0, {19: (0,)}, {23: (0,)}),
    SystemTable(
        st.ST_TABLE_ACCESSOR_ID, "st_table_accessor", st.StTableAccessorRow, None, {20: (0,), 21: (1,)}, {24: (0,), 25: (1,)}
    ),
    SystemTable(
        st.ST_INDEX_ACCESSOR_ID, "st_index_accessor", st.StIndexAccessorRow, None, {22: (0,), 23: (1,)}, {26: (0,), 27: (1,)}
    ),
    SystemTable(
        st.ST_COLUMN_ACCESSOR_ID,
        "st_column_accessor",
        st.StColumnAccessorRow,
        None,
        {24: (0, 1), 25: (0, 2)},
        {28: (0, 1), 29: (0, 2)},
    ),
    SystemTable(st.ST_ENV_ID, "st_env", st.StEnvRow, 0, {26: (0,)}, {30: (0,)}, access=_PRIVATE),
    SystemTable(
        st.ST_OUTBOUND_STREAM_ID,
        "st_outbound_stream",
        st.StOutboundStreamRow,
        0,
        {27: (0,), 28: (1, 2)},
        {31: (0,), 32: (1, 2)},
        {8: 0},
        _PRIVATE,
    ),
    SystemTable(
        st.ST_OUTBOUND_MSG_ID,
        "st_outbound_msg",
        st.StOutboundMsgRow,
        None,
        {29: (0, 2), 32: (0, 1)},
        {33: (0, 2), 36: (0, 1)},
        access=_PRIVATE,
    ),
    SystemTable(
        st.ST_INBOUND_STREAM_ID, "st_inbound_stream", st.StInboundStreamRow, None, {30: (0, 1)}, {34: (0, 1)}, access=_PRIVATE
    ),
    SystemTable(
        st.ST_INBOUND_MSG_ID, "st_inbound_msg", st.StInboundMsgRow, None, {31: (0, 1, 2)}, {35: (0, 1, 2)}, access=_PRIVATE
    ),
    SystemTable(st.ST_OUTBOX_ID, "st_outbox", st.StOutboxRow, 0, {33: (0,)}, {37: (0,)}, access=_PRIVATE),
)

SYSTEM_BY_ID: Final[dict[int, SystemTable]] = {table.table_id: table for table in SYSTEM_TABLES}
SYSTEM_SCHEMAS: Final[dict[int, TableSchema]] = {table.table_id: table.schema for table in SYSTEM_TABLES}


def bootstrap_rows() -> dict[int, tuple[bytes, ...]]:
    """What transaction 0 of a new database inserts: by ascending table id the rows, BSATN, of tables 1 to 5, in their order."""
    groups: dict[int, list[bytes]] = {}
    for table in SYSTEM_TABLES:
        for described in describing_rows(table.schema, allocated=SYSTEM_ALLOCATED):
            groups.setdefault(described.table_id, []).append(described.encode())
    return {table_id: tuple(groups[table_id]) for table_id in sorted(groups)}
