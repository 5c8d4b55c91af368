"""Row level security in a transaction: a rule is a query, stored with the id of the table whose rows it returns.

(spec: event-tables 2; validation 1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bsatn.errors import BsatnError
from defs.store.transactions.errors import TransactionError
from defs.system import rows as st

if TYPE_CHECKING:
    from defs.store.transactions.transaction import Transaction

__all__ = ["create_rule", "drop_rule"]


def create_rule(tx: Transaction, sql: str) -> None:
    """Store a rule. That it is a query that the server takes is not checked here, only which table it returns.

    Raises TransactionError: `InvalidRule`, `TableNotFound`, `UniqueConstraintViolation`.
    """
    table = _returned(sql)
    aliases = tx.records(st.StTableAccessorRow, (1,), (table,))
    name = aliases[0].table_name if aliases else table
    tx.insert(st.ST_ROW_LEVEL_SECURITY_ID, st.StRowLevelSecurityRow(tx.schema(name).table_id, sql))


def drop_rule(tx: Transaction, sql: str) -> None:
    """Remove a rule. Raises TransactionError (`InvalidRule`)."""
    if not tx.delete_by_index(st.ST_ROW_LEVEL_SECURITY_ID, "st_row_level_security_sql_idx_btree", sql):
        raise TransactionError("InvalidRule", sql=sql, reason="there is no such rule")


def _returned(sql: str) -> str:
    """The name of the table whose rows the query returns."""
    from defs.query.sql.parser import parse_statements
    from defs.query.sql.syntax import Query, Select

    try:
        statements = parse_statements(sql)
    except BsatnError as error:
        raise TransactionError("InvalidRule", sql=sql, reason=error) from None
    body = statements[0].body if len(statements) == 1 and isinstance(statements[0], Query) else None
    if not isinstance(body, Select) or len(body.items) != 1 or not body.tables:
        raise TransactionError("InvalidRule", sql=sql, reason="expected a SELECT of the rows of a table")
    first, joins = body.tables[0]
    refs = (first, *(join.table for join in joins))
    tables = {ref.alias.name.value if ref.alias else ref.name.dotted: ref.name.dotted for ref in refs}
    item = body.items[0]
    wanted = first.name.dotted if item.name is None else tables.get(item.name.dotted)
    if wanted is None:
        raise TransactionError("InvalidRule", sql=sql, reason="it returns the rows of a table that is not in FROM")
    return wanted
