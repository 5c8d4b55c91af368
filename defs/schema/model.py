"""The validated model: what a definition means once its names are settled and its rules hold. (spec: validation 1)

Every definition is immutable. Names come in two spellings: `name` is canonical, what the database stores and the wire uses;
`accessor_name` is the source's, what generated code uses. Look-ups are by canonical name. Their order never depends on
hashing: tables, indexes, constraints, sequences and types are sorted by name, everything else stands as declared.

Definitions of a submodule carry the path of canonical namespaces they are mounted at in `namespace`; names are local, and
`qualified_name` is the two joined by dots.

Definitions are equal when the server sees no difference. So what only says how something was written, and is here for
conversions back to raw definitions, does not take part in comparisons: the order in which a constraint's columns were declared,
the names of types before their case was converted, the typespace as written, the policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Any, TypeAlias

from bsatn.frozen import frozen
from bsatn.types import AlgebraicType, ProductType, Typespace
from defs.raw.shared import BTree, Direct, Hash, Lifecycle, TableAccess, TableType
from defs.raw.v10 import CaseConversionPolicy, FunctionVisibility, MethodOrAny, RawEnvVarTypeV10
from defs.schema.generate import TypespaceForGenerate
from defs.schema.lookup import Lookup

__all__ = [
    "ColumnDef",
    "ConstraintDef",
    "EnvironmentDeclaration",
    "FunctionParams",
    "HttpHandlerDef",
    "HttpRouteDef",
    "IndexAlgorithm",
    "IndexDef",
    "ModuleDef",
    "NamespacePath",
    "OutboxDef",
    "ProcedureDef",
    "ReducerDef",
    "ScheduleDef",
    "ScopedTypeName",
    "SequenceDef",
    "TableDef",
    "TypeDef",
    "ViewColumnDef",
    "ViewDef",
    "ViewParamDef",
]

NamespacePath: TypeAlias = tuple[str, ...]  #: canonical namespaces from the root inwards; () is the root
IndexAlgorithm: TypeAlias = BTree | Hash | Direct
FunctionParams: TypeAlias = ProductType


def _qualified(namespace: NamespacePath, name: str) -> str:
    return ".".join((*namespace, name))


@frozen
class ScopedTypeName:
    """A type's name within a path of scopes; prints as `scope::name`."""

    scope: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return "::".join((*self.scope, self.name))


@frozen
class ColumnDef:
    """A column. `ty` is the converted type; `default_value` is what old rows get when the column is added."""

    name: str
    accessor_name: str
    col_id: int
    ty: AlgebraicType
    table_name: str
    #: the value in the forms of `bsatn.values`, None when there is none; the bytes are what is compared, for NaN's sake
    default_value: Any = field(default=None, compare=False)
    default_bytes: bytes | None = None  #: the same as BSATN, without bytes left over


@frozen
class IndexDef:
    """An index. `source_name` is its alias; an index without accessor was not asked for by name."""

    name: str
    source_name: str
    accessor_name: str | None
    algorithm: IndexAlgorithm
    namespace: NamespacePath = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """Positions of the indexed columns, in the index's order."""
        return (self.algorithm.column,) if isinstance(self.algorithm, Direct) else self.algorithm.columns


@frozen
class ConstraintDef:
    """No two rows agree on all of `columns` (sorted, without repeats)."""

    name: str
    columns: tuple[int, ...]
    namespace: NamespacePath = ()
    #: the columns as declared, in the order that version 10 makes the name of; None when unknown
    declared_columns: tuple[int, ...] | None = field(default=None, compare=False)


@frozen
class SequenceDef:
    """A generator of values for `column`, one by one from 1."""

    name: str
    column: int
    namespace: NamespacePath = ()


@frozen
class ScheduleDef:
    """Rows of the table call a function at the time that the column `at_column` says; `id_column` is the primary key."""

    name: str
    at_column: int
    id_column: int
    function_name: str
    is_procedure: bool = False
    namespace: NamespacePath = ()


@frozen
class OutboxDef:
    """Rows of the table call a reducer of another database."""

    remote_reducer: str
    target_column: int
    arg_columns: tuple[int, ...]
    on_result_reducer: str | None
    signature_hash: int | str  #: the 32 bytes read as a little-endian number; of releases before 2.14.0 a text


@frozen
class TableDef:
    """A table. `primary_key` is the column's position, or None."""

    name: str
    accessor_name: str
    product_type_ref: int
    primary_key: int | None
    columns: tuple[ColumnDef, ...]
    indexes: Lookup[str, IndexDef]
    constraints: Lookup[str, ConstraintDef]
    sequences: Lookup[str, SequenceDef]
    schedule: ScheduleDef | None
    table_type: TableType
    table_access: TableAccess
    is_event: bool = False
    outbox: OutboxDef | None = None
    namespace: NamespacePath = ()

    @property
    def qualified_name(self) -> str:
        """The name with the namespaces before it."""
        return _qualified(self.namespace, self.name)

    @property
    def is_public(self) -> bool:
        """Whether clients may read it."""
        return self.table_access is TableAccess.Public

    def column(self, name: str) -> ColumnDef | None:
        """The column of a canonical name."""
        return next((column for column in self.columns if column.name == name), None)

    def is_unique(self, col_id: int) -> bool:
        """Whether a constraint says no two rows agree on this column alone."""
        return any(constraint.columns == (col_id,) for constraint in self.constraints.values())

    def is_auto_inc(self, col_id: int) -> bool:
        """Whether a sequence generates the column's values."""
        return any(sequence.column == col_id for sequence in self.sequences.values())


@frozen
class ReducerDef:
    """A function that runs in a transaction. `params` have canonical names, `source_params` those of the source."""

    name: str
    accessor_name: str
    params: FunctionParams
    source_params: FunctionParams
    lifecycle: Lifecycle | None
    visibility: FunctionVisibility
    ok_return_type: AlgebraicType
    err_return_type: AlgebraicType
    namespace: NamespacePath = ()

    @property
    def qualified_name(self) -> str:
        """The name with the namespaces before it."""
        return _qualified(self.namespace, self.name)


@frozen
class ProcedureDef:
    """A function outside a transaction that returns a value."""

    name: str
    accessor_name: str
    params: FunctionParams
    source_params: FunctionParams
    return_type: AlgebraicType
    visibility: FunctionVisibility
    namespace: NamespacePath = ()

    @property
    def qualified_name(self) -> str:
        """The name with the namespaces before it."""
        return _qualified(self.namespace, self.name)


@frozen
class HttpHandlerDef:
    """A function that answers HTTP requests."""

    name: str
    accessor_name: str


@frozen
class HttpRouteDef:
    """A path and method that a handler answers; the first route that fits is taken."""

    handler_name: str
    method: MethodOrAny
    path: str


@frozen
class ViewColumnDef:
    """A column of a view's rows."""

    name: str
    accessor_name: str
    col_id: int
    ty: AlgebraicType
    view_name: str


@frozen
class ViewParamDef:
    """A parameter of a view."""

    name: str
    col_id: int
    ty: AlgebraicType
    view_name: str


@frozen
class ViewDef:
    """A function clients subscribe to like a table. `fn_ptr` is its number in the module's code."""

    name: str
    accessor_name: str
    is_public: bool
    is_anonymous: bool
    is_query: bool  #: returns a query rather than rows
    fn_ptr: int
    params: FunctionParams
    source_params: FunctionParams
    return_type: AlgebraicType
    product_type_ref: int
    primary_key: int | None
    return_columns: tuple[ViewColumnDef, ...]
    param_columns: tuple[ViewParamDef, ...]
    namespace: NamespacePath = ()

    @property
    def qualified_name(self) -> str:
        """The name with the namespaces before it."""
        return _qualified(self.namespace, self.name)


@frozen
class TypeDef:
    """A named type. `custom_ordering` says its parts need not be in the default order."""

    accessor_name: ScopedTypeName
    ty: int
    custom_ordering: bool
    source_name: ScopedTypeName | None = field(default=None, compare=False)  #: as written, where names are converted


@frozen
class EnvironmentDeclaration:
    """An environment variable the module reads; entries of a union are sorted by bytes, without repeats."""

    name: str
    ty: RawEnvVarTypeV10
    optional: bool


@frozen
class ModuleDef:
    """A valid module definition."""

    typespace: Typespace  #: with converted names, where the version converts
    tables: Lookup[str, TableDef]  #: sorted by name
    reducers: Lookup[str, ReducerDef]  #: as declared; the position is the reducer's id
    procedures: Lookup[str, ProcedureDef]  #: as declared; the position is the procedure's id
    views: Lookup[str, ViewDef]  #: as declared
    types: Lookup[ScopedTypeName, TypeDef]  #: sorted by scope, then name
    version: int  #: of the raw definition: 8, 9 or 10
    lifecycle_reducers: Lookup[Lifecycle, str] = field(default_factory=Lookup)  #: canonical names
    http_handlers: Lookup[str, HttpHandlerDef] = field(default_factory=Lookup)
    http_routes: tuple[HttpRouteDef, ...] = ()
    row_level_security: tuple[str, ...] = ()  #: the rules' SQL, as declared, without repeats
    submodules: Lookup[str, ModuleDef] = field(default_factory=Lookup)  #: by canonical namespace, as declared
    environment: Lookup[str, EnvironmentDeclaration] | None = None  #: sorted by name; None when undeclared
    path: NamespacePath = ()  #: canonical namespaces it is mounted at
    accessor_path: NamespacePath = ()
    type_names: Lookup[int, ScopedTypeName] = field(default_factory=Lookup)  #: names by typespace entry; the last one wins
    #: what code generators need of the types, with accessor names
    typespace_for_generate: TypespaceForGenerate = field(default_factory=lambda: TypespaceForGenerate(Lookup()))
    owners: Lookup[str, str] = field(default_factory=Lookup)  #: the global namespace: every name and the table it belongs to
    #: how it was written, for conversions that write it so again; None where that is `typespace`
    source_typespace: Typespace | None = field(default=None, compare=False)
    case_conversion_policy: CaseConversionPolicy = field(default=CaseConversionPolicy.None_, compare=False)

    def modules(self) -> Iterator[ModuleDef]:
        """This module and the mounted ones, depth first, as ids are numbered."""
        yield self
        for module in self.submodules.values():
            yield from module.modules()

    def all_tables(self) -> Iterator[TableDef]:
        """The tables of this module and the mounted ones."""
        for module in self.modules():
            yield from module.tables.values()
