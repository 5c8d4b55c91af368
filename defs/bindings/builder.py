"""RawModuleDefV10 piece by piece, with the calls of the builder that upstream's bindings feed.

A section comes to be when it is first touched, and sections stand in that order, as in what the Rust bindings send; only what
was said is there. Nothing is checked: validate the result. (spec: wire 6.3; event-tables 1.1)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Self

from bsatn.types import STRING, UNIT, AlgebraicType, ProductType, Ref, Typespace
from defs.raw import RawModuleDefV10, v10
from defs.raw.shared import (
    Lifecycle,
    RawIndexAlgorithm,
    RawRowLevelSecurityDefV9,
    RawUniqueConstraintDataV9,
    TableAccess,
    TableType,
)

__all__ = ["RawModuleDefV10Builder", "RawTableDefBuilderV10", "scoped_name"]

#: How a section is made of what was collected for it, where that is more than a tuple.
_SECTIONS: dict[type[Any], Callable[[list[Any]], v10.RawModuleDefV10Section]] = {
    v10.TypespaceSection: lambda types: v10.TypespaceSection(Typespace(tuple(types))),
    v10.ExplicitNamesSection: lambda entries: v10.ExplicitNamesSection(v10.ExplicitNames(tuple(entries))),
    v10.CaseConversionPolicySection: lambda policy: v10.CaseConversionPolicySection(policy[-1]),
}


def scoped_name(name: str) -> v10.RawScopedTypeNameV10:
    """A type's name as bindings write it: `combat::DamageKind` or `combat.DamageKind` stands in the scope `combat`."""
    *scope, last = name.replace("::", ".").split(".")
    return v10.RawScopedTypeNameV10(tuple(scope), last)


class RawModuleDefV10Builder:
    """A module definition in the making; `finish` gives it."""

    def __init__(self) -> None:
        self._content: dict[type[Any], list[Any]] = {}
        self._named: dict[Hashable, int] = {}

    def _section(self, kind: type[Any]) -> list[Any]:
        return self._content.setdefault(kind, [])

    # -- types

    def add_algebraic_type(self, scope: Iterable[str], source_name: str, ty: AlgebraicType, custom_ordering: bool) -> int:
        """Add a named type; its reference."""
        ref = self._add_type(ty)
        name = v10.RawScopedTypeNameV10(tuple(scope), source_name)
        self._section(v10.TypesSection).append(v10.RawTypeDefV10(name, ref, custom_ordering))
        return ref

    def add_type(self, key: Hashable, name: str, make: Callable[[], AlgebraicType]) -> Ref:
        """A reference to the named type that `key` stands for; on first sight `make` says what it is, and may name it."""
        if key not in self._named:
            ref = self._named[key] = self._add_type(UNIT)
            self._section(v10.TypesSection).append(v10.RawTypeDefV10(scoped_name(name), ref, True))
            self._section(v10.TypespaceSection)[ref] = make()
        return Ref(self._named[key])

    def definition_of(self, ref: Ref) -> AlgebraicType:
        """What a reference names."""
        definition: AlgebraicType = self._section(v10.TypespaceSection)[ref.index]
        return definition

    def _add_type(self, ty: AlgebraicType) -> int:
        types = self._section(v10.TypespaceSection)
        types.append(ty)
        return len(types) - 1

    # -- tables

    def build_table(self, source_name: str, product_type_ref: int) -> RawTableDefBuilderV10:
        """A builder of a table whose rows are of a type of the typespace."""
        return RawTableDefBuilderV10(self._section, source_name, product_type_ref)

    def build_table_with_new_type(
        self, source_name: str, product_type: ProductType, custom_ordering: bool
    ) -> RawTableDefBuilderV10:
        """A builder of a table, whose row type is added under the table's name."""
        return self.build_table(source_name, self.add_algebraic_type((), source_name, product_type, custom_ordering))

    def add_schedule(self, table: str, column: int, function: str) -> None:
        """Rows of the table call the function when the column says."""
        self._section(v10.SchedulesSection).append(v10.RawScheduleDefV10(None, table, column, function))

    def add_outbox(
        self,
        table_name: str,
        remote_reducer: str,
        target_column: int,
        arg_columns: Sequence[int],
        on_result_reducer: str | None,
        signature_hash: int,
    ) -> None:
        """Rows of the table call a reducer of another database."""
        outbox = v10.RawOutboxDefV10(
            table_name, remote_reducer, target_column, tuple(arg_columns), on_result_reducer, signature_hash
        )
        self._section(v10.OutboxesSection).append(outbox)

    def add_row_level_security(self, sql: str) -> None:
        """Clients see only the rows that the SQL selects."""
        self._section(v10.RowLevelSecuritySection).append(RawRowLevelSecurityDefV9(sql))

    # -- functions

    def add_reducer(
        self,
        source_name: str,
        params: ProductType,
        visibility: v10.FunctionVisibility = v10.FunctionVisibility.ClientCallable,
    ) -> None:
        """A reducer; it returns nothing, or an error's text."""
        reducer = v10.RawReducerDefV10(source_name, params, visibility, UNIT, STRING)
        self._section(v10.ReducersSection).append(reducer)

    def add_lifecycle_reducer(self, lifecycle_spec: Lifecycle, function_name: str, params: ProductType) -> None:
        """A reducer that answers an event of the database's life, and that clients cannot call."""
        entry = v10.RawLifeCycleReducerDefV10(lifecycle_spec, function_name)
        self._section(v10.LifeCycleReducersSection).append(entry)
        self.add_reducer(function_name, params, v10.FunctionVisibility.Private)

    def add_procedure(
        self,
        source_name: str,
        params: ProductType,
        return_type: AlgebraicType,
        visibility: v10.FunctionVisibility = v10.FunctionVisibility.ClientCallable,
    ) -> None:
        """A procedure."""
        procedure = v10.RawProcedureDefV10(source_name, params, return_type, visibility)
        self._section(v10.ProceduresSection).append(procedure)

    def add_view(
        self,
        source_name: str,
        index: int,
        is_public: bool,
        is_anonymous: bool,
        params: ProductType,
        return_type: AlgebraicType,
    ) -> None:
        """A view; `index` counts those with and those without a caller apart."""
        view = v10.RawViewDefV10(source_name, index, is_public, is_anonymous, params, return_type)
        self._section(v10.ViewsSection).append(view)

    def add_view_primary_key(self, view_source_name: str, columns: Iterable[str]) -> None:
        """The primary key of a view's rows."""
        key = v10.RawViewPrimaryKeyDefV10(view_source_name, tuple(columns))
        self._section(v10.ViewPrimaryKeysSection).append(key)

    def add_http_handler(self, source_name: str) -> None:
        """A function that answers HTTP requests."""
        self._section(v10.HttpHandlersSection).append(v10.RawHttpHandlerDefV10(source_name))

    def add_http_route(self, handler_function: str, method: v10.MethodOrAny, path: str) -> None:
        """Requests that a handler answers."""
        self._section(v10.HttpRoutesSection).append(v10.RawHttpRouteDefV10(handler_function, method, path))

    # -- the module

    def add_explicit_names(self, entries: Iterable[v10.ExplicitNameEntry]) -> None:
        """Names given outright; the section comes to be even without any, as with the Rust bindings."""
        self._section(v10.ExplicitNamesSection).extend(entries)

    def add_submodule(self, namespace: str, module: RawModuleDefV10) -> None:
        """A module within the module."""
        self._section(v10.SubmodulesSection).append(v10.RawSubmoduleV10(namespace, module))

    def add_environment(self, declarations: Iterable[v10.RawEnvironmentDeclarationV10]) -> None:
        """The environment variables; none at all still says that there is an environment."""
        self._section(v10.EnvironmentSection).extend(declarations)

    def set_case_conversion_policy(self, policy: v10.CaseConversionPolicy) -> None:
        """How canonical names are made."""
        self._section(v10.CaseConversionPolicySection).append(policy)

    def finish(self) -> RawModuleDefV10:
        """The definition; the builder may go on."""
        return RawModuleDefV10(
            tuple(
                _SECTIONS[kind](content) if kind in _SECTIONS else kind(tuple(content))
                for kind, content in self._content.items()
            )
        )


class RawTableDefBuilderV10:
    """A table in the making: public, of the user, not of events, until told otherwise; `finish` adds it to the module."""

    def __init__(self, section: Callable[[type[Any]], list[Any]], source_name: str, product_type_ref: int) -> None:
        self._section = section
        self.source_name, self.product_type_ref = source_name, product_type_ref
        self.table_type, self.table_access, self.is_event = TableType.User, TableAccess.Public, False
        self.primary_key: tuple[int, ...] = ()
        self.indexes: list[v10.RawIndexDefV10] = []
        self.constraints: list[v10.RawConstraintDefV10] = []
        self.sequences: list[v10.RawSequenceDefV10] = []
        self.default_values: list[v10.RawColumnDefaultValueV10] = []

    def with_type(self, table_type: TableType) -> Self:
        """Say who owns it."""
        self.table_type = table_type
        return self

    def with_access(self, table_access: TableAccess) -> Self:
        """Say who may read it."""
        self.table_access = table_access
        return self

    def with_event(self, is_event: bool) -> Self:
        """Say whether its rows are events: delivered and logged, never stored."""
        self.is_event = is_event
        return self

    def with_unique_constraint(self, *columns: int) -> Self:
        """No two rows agree on all of the columns. Wants an index over them too."""
        self.constraints.append(v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(columns)))
        return self

    def with_index(self, algorithm: RawIndexAlgorithm, source_name: str, accessor_name: str) -> Self:
        """An index that generated code calls `accessor_name`."""
        self.indexes.append(v10.RawIndexDefV10(source_name, accessor_name, algorithm))
        return self

    def with_index_no_accessor_name(self, algorithm: RawIndexAlgorithm, source_name: str) -> Self:
        """An index that generated code has no name for."""
        self.indexes.append(v10.RawIndexDefV10(source_name, None, algorithm))
        return self

    def with_primary_key(self, column: int) -> Self:
        """The primary key. Wants a unique constraint too."""
        self.primary_key = (column,)
        return self

    def with_column_sequence(self, column: int) -> Self:
        """Values of the column are generated."""
        self.sequences.append(v10.RawSequenceDefV10(None, column, None, None, None, 1))
        return self

    def with_auto_inc_primary_key(self, column: int) -> Self:
        """A primary key whose values are generated, and its unique constraint."""
        return self.with_primary_key(column).with_unique_constraint(column).with_column_sequence(column)

    def with_default_column_value(self, column: int, value: bytes) -> Self:
        """What old rows get when the column is added, as BSATN at the column's type."""
        self.default_values.append(v10.RawColumnDefaultValueV10(column, value))
        return self

    def finish(self) -> int:
        """Add it to the module; the reference of its row type."""
        table = v10.RawTableDefV10(
            source_name=self.source_name,
            product_type_ref=self.product_type_ref,
            primary_key=self.primary_key,
            indexes=tuple(self.indexes),
            constraints=tuple(self.constraints),
            sequences=tuple(self.sequences),
            table_type=self.table_type,
            table_access=self.table_access,
            default_values=tuple(self.default_values),
            is_event=self.is_event,
        )
        self._section(v10.TablesSection).append(table)
        return self.product_type_ref
