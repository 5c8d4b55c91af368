"""A module in the database: the tables it is published with, and its row of `st_module`. (spec: event-tables 2)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from defs.keccak import keccak_256
from defs.schema.model import ModuleDef
from defs.schema.table import TableSchema, table_schema
from defs.store.ddl.rules import create_rule
from defs.store.ddl.views import create_view
from defs.store.transactions.errors import TransactionError
from defs.system import rows as st

if TYPE_CHECKING:
    from defs.store.transactions.transaction import Transaction

__all__ = ["NO_PROGRAM", "Program", "initialize", "update_program"]

_VERSION: Final = "0.0.1"


@dataclass(frozen=True, slots=True)
class Program:
    """A module's code. `kind` is 0 for WebAssembly, 1 for JavaScript; `hash` is made of the code unless it is given."""

    code: bytes = b""
    kind: int = 0
    hash: int = field(default=-1)

    def __post_init__(self) -> None:
        if self.hash < 0:
            object.__setattr__(self, "hash", int.from_bytes(keccak_256(self.code), "little"))


NO_PROGRAM: Final = Program()


def initialize(tx: Transaction, module: ModuleDef, program: Program, arrange: Callable[[TableSchema], TableSchema]) -> None:
    """Make what a module declares in a database without one. Raises TransactionError."""
    _check_fresh(tx)
    for table in sorted(module.all_tables(), key=lambda table: table.qualified_name):
        tx.create_table(arrange(table_schema(module, table)).stored_under(table.namespace))
    views = [view for part in module.modules() for view in part.views.values()]
    for view in sorted(views, key=lambda view: view.qualified_name):
        create_view(tx, module, view)
    for sql in module.row_level_security:
        create_rule(tx, sql)
    _set_program(tx, program)


def _check_fresh(tx: Transaction) -> None:
    if tx.records(st.StModuleRow):
        raise TransactionError("AlreadyInitialized", database_identity=f"{tx.datastore.database_identity:064x}")


def update_program(tx: Transaction, program: Program) -> None:
    """Put another program in place of the one in `st_module`."""
    old = tx.records(st.StModuleRow)
    for row in old:
        tx.delete(st.ST_MODULE_ID, row)
    first = old[0] if old else None
    _set_program(tx, program, first)


def _set_program(tx: Transaction, program: Program, old: st.StModuleRow | None = None) -> None:
    store = tx.datastore
    fresh = st.StModuleRow(
        int(store.database_identity), int(store.owner_identity), program.kind, program.hash, program.code, _VERSION
    )
    row = (
        fresh if old is None else replace(old, program_kind=program.kind, program_hash=program.hash, program_bytes=program.code)
    )
    tx.insert(st.ST_MODULE_ID, row)
