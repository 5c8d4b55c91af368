"""Views in a transaction: the table that stores a view's rows, never logged, and the rows that describe the view.

(spec: event-tables 2; validation 6.1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bsatn.codec import Codec
from bsatn.types import AlgebraicType
from defs.schema.model import ModuleDef, ViewDef
from defs.schema.table import view_schema
from defs.store.transactions.errors import TransactionError
from defs.system import rows as st

if TYPE_CHECKING:
    from defs.store.transactions.transaction import Transaction

__all__ = ["create_view", "drop_view"]

_TYPE: Final[Codec[AlgebraicType]] = Codec(AlgebraicType)
_DESCRIBING: Final = (st.StViewRow, st.StViewParamRow, st.StViewColumnRow, st.StViewSubRow)


def create_view(tx: Transaction, module: ModuleDef, view: ViewDef) -> int:
    """Make the table that stores a view's rows, and the rows that describe the view; returns the table's id."""
    table_id = tx.create_table(view_schema(module, view, "datastore").stored_under(view.namespace))
    made = tx.schema(table_id).view_info
    assert made is not None
    for param in view.param_columns:
        tx.describe(st.StViewParamRow(made.view_id, param.col_id, param.name, _TYPE.encode(param.ty)))
    for column in view.return_columns:
        tx.describe(st.StViewColumnRow(made.view_id, column.col_id, column.name, _TYPE.encode(column.ty)))
    return table_id


def drop_view(tx: Transaction, name: str) -> None:
    """Drop a view with its table. Raises TransactionError (`TableNotFound`)."""
    found = tx.records(st.StViewRow, (1,), (name,))
    if not found:
        raise TransactionError("TableNotFound", name=name)
    for record in _DESCRIBING:
        tx.undescribe(record, (0,), found[0].view_id)
    if found[0].table_id is not None:
        tx.drop_table(found[0].table_id)
