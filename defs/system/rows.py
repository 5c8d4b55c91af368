"""Rows of the system tables, one record a table: fields are the columns, in order. (spec: event-tables 2)

Identities and hashes are plain numbers here, as the tables' own column types are. `col_type` and `param_type` hold the BSATN of
an AlgebraicType.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeAlias

from bsatn import types as t
from bsatn.annotations import I64, I128, U8, U32, U64, U128, U256, sum_
from bsatn.records import case, field, record, variants
from defs.raw.shared import BTree, ColId, Cols, Direct, Hash

__all__ = [
    "ST_CLIENT_ID",
    "ST_COLUMN_ACCESSOR_ID",
    "ST_COLUMN_ID",
    "ST_CONNECTION_CREDENTIALS_ID",
    "ST_CONSTRAINT_ID",
    "ST_ENV_ID",
    "ST_EVENT_TABLE_ID",
    "ST_INBOUND_MSG_ID",
    "ST_INBOUND_STREAM_ID",
    "ST_INDEX_ACCESSOR_ID",
    "ST_INDEX_ID",
    "ST_MODULE_ID",
    "ST_OUTBOUND_MSG_ID",
    "ST_OUTBOUND_STREAM_ID",
    "ST_OUTBOX_ID",
    "ST_ROW_LEVEL_SECURITY_ID",
    "ST_SCHEDULED_ID",
    "ST_SEQUENCE_ID",
    "ST_TABLE_ACCESSOR_ID",
    "ST_TABLE_ID",
    "ST_VAR_ID",
    "ST_VIEW_ARG_ID",
    "ST_VIEW_COLUMN_ID",
    "ST_VIEW_ID",
    "ST_VIEW_PARAM_ID",
    "ST_VIEW_SUB_ID",
    "StClientRow",
    "StColumnAccessorRow",
    "StColumnRow",
    "StConnectionCredentialsRow",
    "StConstraintRow",
    "StEnvRow",
    "StEventTableRow",
    "StInboundMsgRow",
    "StInboundStreamRow",
    "StIndexAccessorRow",
    "StIndexRow",
    "StModuleRow",
    "StOutboundMsgRow",
    "StOutboundStreamRow",
    "StOutboxRow",
    "StRowLevelSecurityRow",
    "StScheduledRow",
    "StSequenceRow",
    "StTableAccessorRow",
    "StTableRow",
    "StVarRow",
    "StViewArgRow",
    "StViewColumnRow",
    "StViewParamRow",
    "StViewRow",
    "StViewSubRow",
    "Unique",
    "Unused",
]

ST_TABLE_ID: Final = 1
ST_COLUMN_ID: Final = 2
ST_SEQUENCE_ID: Final = 3
ST_INDEX_ID: Final = 4
ST_CONSTRAINT_ID: Final = 5
ST_MODULE_ID: Final = 6
ST_CLIENT_ID: Final = 7
ST_VAR_ID: Final = 8
ST_SCHEDULED_ID: Final = 9
ST_ROW_LEVEL_SECURITY_ID: Final = 10
ST_CONNECTION_CREDENTIALS_ID: Final = 11
ST_VIEW_ID: Final = 12
ST_VIEW_PARAM_ID: Final = 13
ST_VIEW_COLUMN_ID: Final = 14
ST_VIEW_SUB_ID: Final = 15
ST_VIEW_ARG_ID: Final = 16
ST_EVENT_TABLE_ID: Final = 17
ST_TABLE_ACCESSOR_ID: Final = 18
ST_INDEX_ACCESSOR_ID: Final = 19
ST_COLUMN_ACCESSOR_ID: Final = 20
ST_ENV_ID: Final = 21
ST_OUTBOUND_STREAM_ID: Final = 22
ST_OUTBOUND_MSG_ID: Final = 23
ST_INBOUND_STREAM_ID: Final = 24
ST_INBOUND_MSG_ID: Final = 25
ST_OUTBOX_ID: Final = 26


@case
class Unused:
    """Reserved by upstream; no row has it."""

    value: U128


@case
class Unique:
    """No two rows agree on all of `columns`."""

    columns: Cols


StIndexAlgorithm: TypeAlias = Annotated[Unused | BTree | Direct | Hash, variants("StIndexAlgorithm")]
StConstraintData: TypeAlias = Annotated[Unused | Unique, variants("StConstraintData")]
StVarValue: TypeAlias = Annotated[
    Any,
    sum_(
        *(
            (kind.name, kind)
            for kind in (
                t.BOOL, t.I8, t.U8, t.I16, t.U16, t.I32, t.U32, t.I64, t.U64, t.I128, t.U128, t.F32, t.F64, t.STRING
            )
        )
    ),
]  # fmt: skip


@record
class StTableRow:
    """A table. `table_type` is `system` or `user`, `table_access` is `public` or `private`."""

    table_id: U32
    table_name: str
    table_type: str
    table_access: str
    table_primary_key: Cols | None


@record
class StColumnRow:
    """A column of a table."""

    table_id: U32
    col_pos: ColId
    col_name: str
    col_type: bytes


@record
class StSequenceRow:
    """A generator of a column's values; `allocated` is the value it gives next."""

    sequence_id: U32
    sequence_name: str
    table_id: U32
    col_pos: ColId
    increment: I128
    start: I128
    min_value: I128
    max_value: I128
    allocated: I128


@record
class StIndexRow:
    """An index of a table."""

    index_id: U32
    table_id: U32
    index_name: str
    index_algorithm: StIndexAlgorithm


@record
class StConstraintRow:
    """A constraint of a table; the only kind is `Unique`."""

    constraint_id: U32
    constraint_name: str
    table_id: U32
    constraint_data: StConstraintData


@record
class StModuleRow:
    """The module that runs: `program_kind` is 0 for WebAssembly, 1 for JavaScript."""

    database_identity: U256
    owner_identity: U256
    program_kind: U8
    program_hash: U256
    program_bytes: bytes
    module_version: str


@record
class StClientRow:
    """A connected client."""

    identity: U256
    connection_id: U128


@record
class StVarRow:
    """A system variable."""

    name: str
    value: StVarValue


@record
class StScheduledRow:
    """A scheduled table: its rows call `reducer_name` at the time in `at_column`."""

    schedule_id: U32
    table_id: U32
    reducer_name: str
    schedule_name: str
    at_column: ColId


@record
class StRowLevelSecurityRow:
    """A rule: clients see only the rows that `sql` selects."""

    table_id: U32
    sql: str


@record
class StConnectionCredentialsRow:
    """The token that a connection was made with."""

    connection_id: U128
    jwt_payload: str


@record
class StViewRow:
    """A view; `table_id` is the table that holds its rows, if there is one."""

    view_id: U32
    view_name: str
    table_id: U32 | None
    is_public: bool
    is_anonymous: bool


@record
class StViewParamRow:
    """A parameter of a view."""

    view_id: U32
    param_pos: ColId
    param_name: str
    param_type: bytes


@record
class StViewColumnRow:
    """A column of a view."""

    view_id: U32
    col_pos: ColId
    col_name: str
    col_type: bytes


@record
class StViewSubRow:
    """A subscription to a view; never logged."""

    view_id: U32
    arg_id: U64
    identity: U256
    num_subscribers: U64
    has_subscribers: bool
    last_called: I64


@record
class StViewArgRow:
    """Arguments that a view was called with; never logged."""

    id: U64
    data: bytes = field(name="bytes")


@record
class StEventTableRow:
    """An event table."""

    table_id: U32


@record
class StTableAccessorRow:
    """The name of a table in generated code."""

    table_name: str
    accessor_name: str


@record
class StIndexAccessorRow:
    """The name of an index in generated code."""

    index_name: str
    accessor_name: str


@record
class StColumnAccessorRow:
    """The name of a column in generated code."""

    table_name: str
    col_name: str
    accessor_name: str


@record
class StEnvRow:
    """A variable of the environment."""

    key: str
    value: str


@record
class StOutboundStreamRow:
    """Messages from an outbox table to one database."""

    stream_id: U64
    outbox_table_id: U32
    target_identity: U256
    next_seq: U64
    ack_prefix: U64


@record
class StOutboundMsgRow:
    """A message that was sent, and how it went."""

    stream_id: U64
    msg_id: U64
    seq: U64
    retry_count: U32
    last_transport_error: str | None
    result_status: U8 | None
    result_payload: bytes | None


@record
class StInboundStreamRow:
    """Messages from another database: how far they were applied."""

    sender_identity: U256
    stream_id: U64
    applied_prefix: U64


@record
class StInboundMsgRow:
    """A message that was applied, and its answer."""

    sender_identity: U256
    stream_id: U64
    seq: U64
    result_status: U8
    result_payload: bytes


@record
class StOutboxRow:
    """An outbox table: its rows call `remote_reducer` of the database that `target_column` names."""

    table_id: U32
    remote_reducer: str
    target_column: ColId
    arg_columns: Cols
    on_result_reducer: str | None
    signature_hash: str
