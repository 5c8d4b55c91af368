"""Transactions and rows for people and for programs: lines of text, and JSON.

Text shows values as briefly as they can be told apart, safe for a terminal; what is long is cut. JSON is complete: rows are
SATS-JSON, objects by column name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any, TypeAlias

from bsatn import satsjson
from bsatn.types import AlgebraicType, ArrayType, ProductType, SumType, option_payload, special_name
from bsatn.values import ConnectionId, Identity, Some, TimeDuration, Timestamp, Uuid
from defs.describe.words import clip, quoted, visible
from defs.store.commitlog.txdata import Inputs
from defs.store.reading import Fault, TableRows, Transaction
from defs.store.tracking import LogTable

__all__ = [
    "Paint",
    "cell_text",
    "fault_json",
    "inputs_json",
    "plain",
    "row_json",
    "row_text",
    "schema_json",
    "schema_text",
    "time_text",
    "transaction_json",
    "transaction_text",
    "type_text",
    "value_text",
]

Paint: TypeAlias = Callable[[str, str], str]  #: text and the name of a colour to coloured text

MAX_STRING, MAX_BYTES, MAX_ITEMS = 200, 32, 20
_BIG = 1 << 64


def plain(text: str, _: str) -> str:
    """No colours."""
    return text


# Values -----------------------------------------------------------------------------------------------------


def value_text(kind: AlgebraicType, value: Any, *, cut: bool = True) -> str:
    """A value on one line. Options show what they hold, or `none`; `cut`: of what is long only the beginning."""
    if isinstance(value, Timestamp):
        return time_text(value)
    if isinstance(value, TimeDuration):
        return f"{int(value) / 1e6:.6f}".rstrip("0").rstrip(".") + "s"
    if isinstance(value, Uuid):
        return str(value.to_uuid())
    if isinstance(value, (Identity, ConnectionId)):
        return f"0x{value.hex()}"
    if isinstance(kind, ProductType):
        parts = zip(kind.elements, value, strict=True)
        shown = (f"{_label(one.name)}{value_text(one.algebraic_type, item, cut=cut)}" for one, item in parts)
        return "(" + ", ".join(shown) + ")"
    if isinstance(kind, SumType):
        return _sum(kind, value, cut)
    if isinstance(value, bytes):
        short = cut and len(value) > MAX_BYTES
        return f"0x{value[:MAX_BYTES].hex()}… ({len(value):,} bytes)" if short else f"0x{value.hex()}"
    if isinstance(kind, ArrayType):
        short = cut and len(value) > MAX_ITEMS
        items = ", ".join(value_text(kind.element, item, cut=cut) for item in (value[:MAX_ITEMS] if short else value))
        return f"[{items}, … {len(value):,} in all]" if short else f"[{items}]"
    return _leaf(value, cut)


def _leaf(value: Any, cut: bool) -> str:
    if isinstance(value, str):
        return quoted(clip(value, MAX_STRING) if cut else value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and not -_BIG < value < _BIG:
        return hex(value)
    return str(value)


def _sum(kind: SumType, value: Any, cut: bool) -> str:
    payload = option_payload(kind)
    if payload is not None:
        return "none" if value is None else value_text(payload, value.value if isinstance(value, Some) else value, cut=cut)
    variant = kind.variants[value.tag]
    name = visible(variant.name) if variant.name is not None else str(value.tag)
    return name if value.value == () else f"{name}({value_text(variant.algebraic_type, value.value, cut=cut)})"


def cell_text(kind: AlgebraicType, value: Any) -> str:
    """A value as a cell of CSV: complete; text as it is."""
    return value if isinstance(value, str) else value_text(kind, value, cut=False)


def _label(name: str | None) -> str:
    return "" if name is None else f"{visible(name)}="


def time_text(value: Timestamp) -> str:
    """A time as RFC 3339 in UTC, to the microsecond; past the year 9999 as microseconds since 1970."""
    try:
        return value.to_datetime().astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return f"{int(value)}us"


def row_text(table: LogTable, row: tuple[Any, ...]) -> str:
    """A row as `column=value`, two spaces apart."""
    parts = zip(table.columns, row, strict=True)
    return "  ".join(f"{visible(clip(column.name))}={value_text(column.type, value)}" for column, value in parts)


def row_json(table: LogTable, row: tuple[Any, ...]) -> str:
    """A row as SATS-JSON."""
    return satsjson.dumps(table.codec.shape, row)


def type_text(kind: AlgebraicType) -> str:
    """A type as SATN text, with the names of the special types and of options."""
    payload = option_payload(kind) if isinstance(kind, SumType) else None
    if payload is not None:
        return f"Option<{type_text(payload)}>"
    if isinstance(kind, ArrayType):
        return f"Array<{type_text(kind.element)}>"
    return special_name(kind) or str(kind)


# Transactions -----------------------------------------------------------------------------------------------


def transaction_text(tx: Transaction, groups: Callable[[LogTable], bool | None], paint: Paint = plain) -> list[str]:
    """A transaction as lines. `groups` says of a table whether its rows are shown; None: only how many there are."""
    inputs = tx.inputs
    lines = [f"{paint(str(tx.tx_offset), 'bold')}  {_call_text(inputs)}"]
    for sign, colour, part in (("+", "green", tx.inserts), ("-", "red", tx.deletes)):
        for group in part:
            shown = groups(group.table)
            name = visible(group.table.name)
            mark, shade = ("!", "yellow") if group.table.is_event else (sign, colour)
            if shown is None:
                lines.append(f"    {paint(mark, shade)} {paint(f'{name}: {_rows(len(group.rows))}', 'dim')}")
            elif shown:
                lines += [f"    {paint(mark, shade)} {name}  {row_text(group.table, row)}" for row in group.values]
    lines += [f"    {paint('-', 'red')} {visible(table.name)}: emptied" for table in tx.truncates if groups(table) is not False]
    return lines


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _call_text(inputs: Inputs | None) -> str:
    if inputs is None:
        return "no reducer"
    caller, time = inputs.caller_identity, inputs.timestamp
    parts = [time_text(time)] if time is not None else []
    parts.append(visible(inputs.reducer_name))
    parts += [f"by {caller.hex()}"] if caller is not None else []
    return "  ".join(parts)


def transaction_json(tx: Transaction, wanted: Callable[[LogTable], bool | None]) -> str:
    """A transaction as one line of JSON, with the groups of the tables that are wanted."""
    head = {
        "tx_offset": tx.tx_offset,
        "segment": tx.commit.segment,
        "byte_offset": tx.byte_offset,
        "commit": tx.commit.min_tx_offset,
        "epoch": tx.commit.epoch,
        **inputs_json(tx.inputs),
    }
    inserts, deletes = (
        _array(_group_json(group) for group in part if wanted(group.table) is not False) for part in (tx.inserts, tx.deletes)
    )
    truncates = [{"table_id": table.table_id, "table": table.name} for table in tx.truncates if wanted(table) is not False]
    return f'{json.dumps(head)[:-1]}, "inserts": {inserts}, "deletes": {deletes}, "truncates": {json.dumps(truncates)}}}'


def inputs_json(inputs: Inputs | None) -> dict[str, Any]:
    """Who asked for a transaction, as fields; each is null where it is not recorded."""
    caller = inputs.caller_identity if inputs else None
    connection = inputs.caller_connection_id if inputs else None
    time = inputs.timestamp if inputs else None
    args = inputs.args if inputs else None
    return {
        "timestamp": None if time is None else time_text(time),
        "timestamp_micros": None if time is None else int(time),
        "reducer": inputs.reducer_name if inputs else None,
        "caller_identity": None if caller is None else caller.hex(),
        "caller_connection_id": None if connection is None else connection.hex(),
        "args": None if args is None else args.hex(),
    }


def _group_json(group: TableRows) -> str:
    table = group.table
    head = {"table_id": table.table_id, "table": table.name, "is_event": table.is_event}
    return f'{json.dumps(head)[:-1]}, "rows": {_array(row_json(table, row) for row in group.values)}}}'


def _array(items: Iterable[str]) -> str:
    return "[" + ", ".join(items) + "]"


def fault_json(fault: Fault) -> dict[str, Any]:
    """Something wrong in a log, as fields."""
    return {
        "segment": fault.segment,
        "byte_offset": fault.byte_offset,
        "kind": fault.kind,
        "message": fault.message,
        "tx_offset": fault.tx_offset,
    }


# Schemas ----------------------------------------------------------------------------------------------------


def schema_text(table: LogTable, paint: Paint = plain) -> list[str]:
    """A table as lines: its name and kind, then its columns."""
    words = [table.access, *(["event"] if table.is_event else []), *(["system"] if table.is_system else [])]
    lines = [f"{paint(visible(table.name), 'bold')} ({', '.join(words)})  id {table.table_id}"]
    width = max((len(visible(column.name)) for column in table.columns), default=0)
    for position, column in enumerate(table.columns):
        key = "  primary key" if position == table.primary_key else ""
        lines.append(f"    {visible(column.name):{width}}  {visible(type_text(column.type))}{key}")
    return lines


def schema_json(table: LogTable) -> dict[str, Any]:
    """A table as fields; types are SATN text."""
    return {
        "table_id": table.table_id,
        "name": table.name,
        "type": table.table_type,
        "access": table.access,
        "is_event": table.is_event,
        "primary_key": table.primary_key,
        "columns": [{"name": column.name, "type": str(column.type)} for column in table.columns],
    }
