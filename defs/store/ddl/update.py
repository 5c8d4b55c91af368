"""A database takes over another module: the steps of a migration plan, carried out in one transaction. (spec: event-tables 1.7)

Which steps there are, and in which order, is the plan's business. `STEPS` says what each does and what the server logs of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from defs.raw.shared import TableAccess
from defs.schema.model import ModuleDef, NamespacePath, TableDef, ViewDef
from defs.schema.table import TableSchema, qualified, table_schema
from defs.store.ddl.rules import create_rule, drop_rule
from defs.store.ddl.views import create_view, drop_view
from defs.store.transactions.errors import TransactionError
from defs.system import rows as st

if TYPE_CHECKING:
    from defs.store.transactions.transaction import Transaction

__all__ = ["STEPS", "Step", "Update", "UpdateResult", "update_database"]

UpdateResult: TypeAlias = Literal["Success", "RequiresClientDisconnect", "EvaluateSubscribedViews"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its name, the namespace and local name of what it is about, and for a column's accessor the column's name.

    Of a rule of row level security, `target` is the SQL.
    """

    name: str
    namespace: NamespacePath = ()
    target: str = ""
    column: str = ""

    @property
    def stored_name(self) -> str:
        """The name as the database stores it."""
        return qualified(self.namespace, self.target)


@dataclass(frozen=True, slots=True)
class Update:
    """What the server logs of an update, and what it asks for afterwards."""

    log: tuple[str, ...]
    result: UpdateResult


def update_database(tx: Transaction, module: ModuleDef, steps: Iterable[Step]) -> Update:
    """Carry out the steps that lead to `module`. After an error, roll the transaction back.

    Raises TransactionError: `TableNotEmpty` (a table to remove has rows), `Unsupported` (schedules), and as
    the transaction's methods do.
    """
    updating = _Updating(tx, module)
    for step in steps:
        if step.name not in STEPS:
            raise TransactionError("Unsupported", what=f"the migration step {step.name}")
        STEPS[step.name](updating, step)
    return Update(tuple(updating.log), updating.result)


class _Updating:
    def __init__(self, tx: Transaction, module: ModuleDef) -> None:
        self.tx = tx
        self.module = module
        self.log: list[str] = []
        self.result: UpdateResult = "Success"

    def new(self, step: Step) -> TableDef:
        """The table of the new module that the step is about, or that the step's part is of."""
        for table in self.module.all_tables():
            parts = (table.name, *table.indexes, *table.constraints, *table.sequences)
            if table.namespace == step.namespace and step.target in parts:
                return table
        raise TransactionError("TableNotFound", name=step.stored_name)

    def schema(self, step: Step) -> TableSchema:
        """The schema that the new module gives that table."""
        table = self.new(step)
        return table_schema(self.module, table).stored_under(table.namespace)

    def view(self, step: Step) -> ViewDef:
        for part in self.module.modules():
            if part.path == step.namespace and step.target in part.views:
                return part.views[step.target]
        raise TransactionError("TableNotFound", name=step.stored_name)

    def owner(self, row: type[st.StIndexRow | st.StConstraintRow | st.StSequenceRow], step: Step, at: int) -> str:
        """The name of the stored table that has a part of this name."""
        found = self.tx.records(row, (at,), (step.stored_name,))
        if not found:
            raise TransactionError("IdNotFound", id=step.stored_name, system_table=row.__name__)
        return self.tx.schema(found[0].table_id).table_name

    # -- tables

    def remove_table(self, step: Step) -> None:
        if self.tx.count(step.stored_name):
            raise TransactionError("TableNotEmpty", table=step.stored_name)
        self.log.append(f"Dropping table `{step.stored_name}`")
        self.tx.drop_table(step.stored_name)

    def add_table(self, step: Step) -> None:
        self.log.append(f"Creating table `{step.stored_name}`")
        self.tx.create_table(self.schema(step))

    def add_view(self, step: Step) -> None:
        create_view(self.tx, self.module, self.view(step))

    def remove_view(self, step: Step) -> None:
        drop_view(self.tx, step.stored_name)

    def update_view(self, step: Step) -> None:
        if self.result == "Success":
            self.result = "EvaluateSubscribedViews"

    def change_columns(self, step: Step) -> None:
        self.log.append(f"Changing columns of table `{step.stored_name}`")
        self.tx.alter_table_columns(step.stored_name, self.schema(step).columns)

    def reschema_event_table(self, step: Step) -> None:
        self.log.append(f"Changing schema of event table `{step.stored_name}`")
        self.tx.alter_event_table_columns(step.stored_name, self.schema(step).columns)

    def add_columns(self, step: Step) -> None:
        new = self.new(step)
        defaults = [column.default_value for column in new.columns if column.default_bytes is not None]
        self.tx.add_columns(step.stored_name, self.schema(step).columns, defaults)

    def change_access(self, step: Step) -> None:
        views = (part.views for part in self.module.modules() if part.path == step.namespace)
        view = next((found[step.target] for found in views if step.target in found), None)
        public = self.new(step).is_public if view is None else view.is_public
        self.tx.alter_table_access(step.stored_name, TableAccess.Public if public else TableAccess.Private)

    def change_primary_key(self, step: Step) -> None:
        self.log.append(f"Changing primary key for table `{step.stored_name}`")
        self.tx.alter_table_primary_key(step.stored_name, self.new(step).primary_key)

    def change_outbox(self, step: Step) -> None:
        self.tx.alter_table_outbox(step.stored_name, self.schema(step).outbox)

    # -- names in generated code

    def change_table_accessor(self, step: Step) -> None:
        alias = qualified(step.namespace, self.new(step).accessor_name)
        self.log.append(f"Changing table accessor name for `{step.stored_name}` to `{alias}`")
        self.tx.alter_table_accessor_name(step.stored_name, alias)

    def change_column_accessor(self, step: Step) -> None:
        column = self.new(step).column(step.column)
        stored = next((one for one in self.tx.schema(step.stored_name).columns if one.col_name == step.column), None)
        if column is None or stored is None:
            raise TransactionError("InvalidColumns", table=step.stored_name, reason=f"there is no column {step.column}")
        self.log.append(f"Changing column accessor name for `{step.stored_name}`.`{step.column}` to `{column.accessor_name}`")
        self.tx.alter_column_accessor_name(step.stored_name, stored.col_pos, column.accessor_name)

    def change_index_source(self, step: Step) -> None:
        table = self.owner(st.StIndexRow, step, 2)
        alias = qualified(step.namespace, self.new(step).indexes[step.target].source_name)
        before = next(one.alias or "" for one in self.tx.schema(table).indexes if one.index_name == step.stored_name)
        self.log.append(f"Changing index source name for `{step.target}` on table `{table}` from `{before}` to `{alias}`")
        self.tx.alter_index_source_name(table, step.stored_name, alias)

    # -- parts

    def add_index(self, step: Step) -> None:
        schema = self.schema(step)
        self.log.append(f"Creating index `{step.target}` on table `{schema.table_name}`")
        index = next(one for one in schema.indexes if one.index_name == step.stored_name)
        unique = any(one.columns == tuple(sorted(set(index.columns))) for one in schema.constraints)
        self.tx.create_index(schema.table_name, index, unique=unique)

    def remove_index(self, step: Step) -> None:
        table = self.owner(st.StIndexRow, step, 2)
        self.log.append(f"Dropping index `{step.target}` on table `{table}`")
        self.tx.drop_index(table, step.stored_name)

    def add_constraint(self, step: Step) -> None:
        schema = self.schema(step)
        self.log.append(f"Adding constraint `{step.target}` on table `{schema.table_name}`")
        found = next(one for one in schema.constraints if one.constraint_name == step.stored_name)
        self.tx.create_constraint(schema.table_name, found)

    def remove_constraint(self, step: Step) -> None:
        table = self.owner(st.StConstraintRow, step, 1)
        self.log.append(f"Dropping constraint `{step.target}` on table `{table}`")
        self.tx.drop_constraint(table, step.stored_name)

    def add_sequence(self, step: Step) -> None:
        schema = self.schema(step)
        self.log.append(f"Adding sequence `{step.target}` to table `{schema.table_name}`")
        found = next(one for one in schema.sequences if one.sequence_name == step.stored_name)
        self.tx.create_sequence(schema.table_name, replace(found, sequence_id=0))

    def remove_sequence(self, step: Step) -> None:
        table = self.owner(st.StSequenceRow, step, 1)
        self.log.append(f"Dropping sequence `{step.target}` from table `{table}`")
        self.tx.drop_sequence(table, step.stored_name)

    # -- rules

    def add_rule(self, step: Step) -> None:
        self.log.append(f"Adding row-level security `{step.target}`")
        create_rule(self.tx, step.target)

    def remove_rule(self, step: Step) -> None:
        self.log.append(f"Removing row-level security `{step.target}`")
        drop_rule(self.tx, step.target)

    def disconnect_all_users(self, step: Step) -> None:
        self.log.append("Disconnecting all users")
        self.result = "RequiresClientDisconnect"


#: What each step does. Those about schedules are missing: the server cannot do them either.
STEPS: Final[dict[str, Callable[[_Updating, Step], None]]] = {
    "RemoveIndex": _Updating.remove_index,
    "RemoveConstraint": _Updating.remove_constraint,
    "RemoveSequence": _Updating.remove_sequence,
    "RemoveView": _Updating.remove_view,
    "RemoveRowLevelSecurity": _Updating.remove_rule,
    "RemoveTable": _Updating.remove_table,
    "ChangeColumns": _Updating.change_columns,
    "ReschemaEventTable": _Updating.reschema_event_table,
    "AddColumns": _Updating.add_columns,
    "ChangeIndexSourceName": _Updating.change_index_source,
    "ChangeTableAccessorName": _Updating.change_table_accessor,
    "ChangeOutbox": _Updating.change_outbox,
    "ChangeColumnAccessorName": _Updating.change_column_accessor,
    "AddTable": _Updating.add_table,
    "AddIndex": _Updating.add_index,
    "AddConstraint": _Updating.add_constraint,
    "AddSequence": _Updating.add_sequence,
    "AddView": _Updating.add_view,
    "AddRowLevelSecurity": _Updating.add_rule,
    "ChangeAccess": _Updating.change_access,
    "ChangePrimaryKey": _Updating.change_primary_key,
    "UpdateView": _Updating.update_view,
    "DisconnectAllUsers": _Updating.disconnect_all_users,
}
