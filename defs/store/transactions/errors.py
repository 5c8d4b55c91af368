"""What the server says when a transaction cannot do something: a table of its messages, by kind.

`TransactionError.message` is the sentence; `error.upstream` has the prefixes that the server puts before it.
"""

from __future__ import annotations

from typing import Any

from defs.system.errors import StoreError

__all__ = ["MESSAGES", "TransactionError"]

#: By kind: the server's wrapping error, and the sentence. Kinds without a wrapper are ours.
MESSAGES: dict[str, tuple[str, str]] = {
    "UniqueConstraintViolation": (
        "IndexError",
        "Unique constraint violation '{index}' in table '{table}': column(s): '[{columns}]' value: {value}",
    ),
    "KeyNotFound": ("IndexError", "Key {key} was not found in index IndexId({index_id})"),
    "NotUnique": ("IndexError", "Index was not unique: IndexId({index_id})"),
    "IndexNotFound": ("IndexError", "Index not found: {index}"),
    "IndexCannotSeekRange": ("IndexError", "IndexId IndexId({index_id}) does not support seeking for a range"),
    "TableNotFound": ("TableError", "Table with name `{name}` not found."),
    "IdNotFound": ("TableError", "Table with ID `{id}` not found in `{system_table}`."),
    "EventTableNotEmpty": ("TableError", "Event table with ID `{table_id}` is not empty"),
    "ReschemaNotAnEventTable": (
        "TableError",
        "Table with ID `{table_id}` attempted to reschema using `alter_event_table_row_type`, but it is not an event table",
    ),
    "DefaultValueMissing": ("TableError", "Missing default value for column {column}"),
    "DefaultValueTypeMismatch": ("TableError", "Default value type does not match column type for column {column}"),
    "MissingExistingColumns": ("TableError", "New column schema missing existing columns"),
    "UnableToAllocate": ("SequenceError", "Sequence ID `{sequence_id}` still had no values left after allocation."),
    "TableNotEmpty": (
        "",
        "Cannot remove table `{table}`: table contains data. "
        "Clear the table's rows (e.g. via a reducer) before removing it from your schema.",
    ),
    "AlreadyInitialized": ("", "database {database_identity} already initialized"),
    "InvalidRow": ("", "not a row of table {table}: {reason}"),
    "InvalidKey": ("", "not a key of index {index} of table {table}: {reason}"),
    "InvalidTable": ("", "table {table} cannot be stored: {reason}"),
    "InvalidColumns": ("", "the columns of table {table} cannot change so: {reason}"),
    "DuplicateRows": ("", "constraint {constraint} of table {table}: several rows have the value {value}"),
    "ConstraintWithoutIndex": ("", "constraint {constraint} of table {table}: no index is over the columns {columns}"),
    "SystemTable": ("", "{table} is a system table; it says what tables there are, and changes only with them"),
    "ReschemedTable": (
        "",
        "table {table} takes no events in the transaction that changed its columns: the server could not replay the log; "
        "commit first",
    ),
    "StaleIndex": ("", "index {index} of table {table} still has keys of the column's former type; reopen the database"),
    "TransactionOpen": ("", "another transaction is open; commit it or roll it back first"),
    "TransactionClosed": ("", "this transaction was {outcome}; begin another"),
    "TransactionBroken": ("", "a change of tables failed half-way, roll the transaction back: {reason}"),
    "InvalidWorkload": ("", "{reason}"),
    "InvalidRule": ("", "row level security `{sql}`: {reason}"),
    "Unsupported": ("", "{what} cannot be stored here"),
}


class TransactionError(StoreError):
    """A transaction refused something, and goes on without it. `kind` is a key of `MESSAGES`; `fields` fill its sentence."""

    def __init__(self, kind: str, **fields: Any) -> None:
        super().__init__(kind, MESSAGES[kind][1].format(**fields), **fields)

    @property
    def upstream(self) -> str:
        """The message with the server's prefixes, as its client sees it."""
        wrapper = MESSAGES[self.kind][0]
        return f"DatastoreError: {wrapper}: {self.message}" if wrapper else self.message
