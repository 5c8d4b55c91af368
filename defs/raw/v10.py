"""RawModuleDefV10: how modules of releases from 2.0 describe themselves, in the layout of 2.14.0. (spec: wire 6.3)

A definition is a list of sections, in any order, each kind at most meaningful once: upstream takes the first of a kind.
All are kept, in the order read, so that decoding and encoding again gives the same bytes. Each section is a case with one
field, named as the look-ups of RawModuleDefV10 name it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from bsatn import types as wire
from bsatn.annotations import I128, U32
from bsatn.records import case, field, record, spelled_before, variants
from defs.raw.shared import (
    ColId,
    Cols,
    Lifecycle,
    Params,
    RawConstraintDataV9,
    RawIndexAlgorithm,
    RawRowLevelSecurityDefV9,
    TableAccess,
    TableType,
    Type,
    TypeRef,
    Typespace,
)

_S = TypeVar("_S")
_T = TypeVar("_T")


@spelled_before("2.0.0-rc1", Private="Internal")
class FunctionVisibility(enum.Enum):
    """Who may call a function."""

    Private = 0
    ClientCallable = 1


class CaseConversionPolicy(enum.Enum):
    """How canonical names are made from source names. (spec: validation 2.2)"""

    None_ = 0
    SnakeCase = 1


@record
class RawScopedTypeNameV10:
    """A type's name within a path of scopes."""

    scope: tuple[str, ...]
    source_name: str


@record
class RawTypeDefV10:
    """A name for a typespace entry; without `custom_ordering` its parts stand in the default order."""

    source_name: RawScopedTypeNameV10
    ty: TypeRef
    custom_ordering: bool


@record
class RawIndexDefV10:
    """An index; `accessor_name` is what generated code calls it."""

    source_name: str | None
    accessor_name: str | None
    algorithm: RawIndexAlgorithm


@record
class RawConstraintDefV10:
    """A constraint on a table's rows."""

    source_name: str | None
    data: RawConstraintDataV9


@record
class RawSequenceDefV10:
    """A generator of column values; bounds left out are the column type's."""

    source_name: str | None
    column: ColId
    start: I128 | None
    min_value: I128 | None
    max_value: I128 | None
    increment: I128


@record
class RawColumnDefaultValueV10:
    """The value old rows get when the column is added: `value` is BSATN at the column's type."""

    col_id: ColId
    value: bytes


@record
class RawTableDefV10:
    """A table; its columns are the fields of the product at `product_type_ref`."""

    source_name: str
    product_type_ref: TypeRef
    primary_key: Cols
    indexes: tuple[RawIndexDefV10, ...]
    constraints: tuple[RawConstraintDefV10, ...]
    sequences: tuple[RawSequenceDefV10, ...]
    table_type: TableType
    table_access: TableAccess
    default_values: tuple[RawColumnDefaultValueV10, ...]
    #: Rows are logged and delivered but never stored.
    is_event: bool = field(default=False, since="2.0.0-rc1")


@record
class RawReducerDefV10:
    """A function that runs in a transaction."""

    source_name: str
    params: Params
    visibility: FunctionVisibility
    ok_return_type: Type
    err_return_type: Type


@record
class RawProcedureDefV10:
    """A function outside a transaction that returns a value."""

    source_name: str
    params: Params
    return_type: Type
    visibility: FunctionVisibility


@record
class RawViewDefV10:
    """A function clients subscribe to like a table; `index` is its number among its kind."""

    source_name: str
    index: U32
    is_public: bool
    is_anonymous: bool
    params: Params
    return_type: Type


@record
class RawScheduleDefV10:
    """Rows of the table call a reducer or procedure at the time that a column says."""

    source_name: str | None
    table_name: str
    schedule_at_col: ColId
    function_name: str


@record
class RawLifeCycleReducerDefV10:
    """The reducer that answers an event of the database's life."""

    lifecycle_spec: Lifecycle
    function_name: str


@record
class NameMapping:
    """A canonical name given outright instead of made from the source name."""

    source_name: str
    canonical_name: str


@case(name="Table")
class TableName:
    """The canonical name of a table."""

    mapping: NameMapping


@case(name="Function")
class FunctionName:
    """The canonical name of a reducer, procedure, view or handler."""

    mapping: NameMapping


@case(name="Index")
class IndexName:
    """The canonical name of an index."""

    mapping: NameMapping


@case(name="Namespace", since="2.10.2")
class NamespaceName:
    """The canonical name of a submodule's namespace."""

    mapping: NameMapping


ExplicitNameEntry: TypeAlias = Annotated[TableName | FunctionName | IndexName | NamespaceName, variants("ExplicitNameEntry")]


@record
class ExplicitNames:
    """All canonical names given outright."""

    entries: tuple[ExplicitNameEntry, ...]


@record
class RawHttpHandlerDefV10:
    """A function that answers HTTP requests."""

    source_name: str


@case
class Get:
    """The method GET."""


@case
class Head:
    """The method HEAD."""


@case
class Post:
    """The method POST."""


@case
class Put:
    """The method PUT."""


@case
class Delete:
    """The method DELETE."""


@case
class Connect:
    """The method CONNECT."""


@case
class Options:
    """The method OPTIONS."""


@case
class Trace:
    """The method TRACE."""


@case
class Patch:
    """The method PATCH."""


@case
class Extension:
    """A method by its own name."""

    name: str


HttpMethod: TypeAlias = Annotated[
    Get | Head | Post | Put | Delete | Connect | Options | Trace | Patch | Extension, variants("HttpMethod")
]


@case(name="Any")
class AnyMethod:
    """Every method."""


@case
class Method:
    """One method."""

    method: HttpMethod


MethodOrAny: TypeAlias = Annotated[AnyMethod | Method, variants("MethodOrAny")]


@record
class RawHttpRouteDefV10:
    """A path and method that a handler answers."""

    handler_function: str
    method: MethodOrAny
    path: str


@record
class RawViewPrimaryKeyDefV10:
    """The primary key of a view's rows, by column names."""

    view_source_name: str
    columns: tuple[str, ...]


@record
class RawSubmoduleV10:
    """A module within the module, under a namespace."""

    namespace: str
    module: RawModuleDefV10


@case(name="String")
class EnvString:
    """Any string."""


@case(name="StringLiteral")
class EnvStringLiteral:
    """Exactly this string."""

    value: str


@case(name="Union")
class EnvUnion:
    """One of these strings."""

    values: tuple[str, ...]


RawEnvVarTypeV10: TypeAlias = Annotated[EnvString | EnvStringLiteral | EnvUnion, variants("RawEnvVarTypeV10")]


@record
class RawEnvironmentDeclarationV10:
    """An environment variable the module reads."""

    name: str
    ty: RawEnvVarTypeV10
    optional: bool


@record
class RawOutboxDefV10:
    """A table whose rows call a reducer of another database."""

    table_name: str
    remote_reducer: str
    target_column: ColId
    arg_columns: Cols
    on_result_reducer: str | None
    #: Keccak-256 of the remote reducer's signature: the 32 digest bytes read as a little-endian number; before 2.14.0 a text.
    signature_hash: Annotated[int | str, wire.U256] = field(since="2.14.0", was=str)


@case(name="Typespace")
class TypespaceSection:
    """What every type reference resolves in."""

    typespace: Typespace


@case(name="Types")
class TypesSection:
    """Names of types."""

    types: tuple[RawTypeDefV10, ...]


@case(name="Tables")
class TablesSection:
    """The tables."""

    tables: tuple[RawTableDefV10, ...]


@case(name="Reducers")
class ReducersSection:
    """The reducers."""

    reducers: tuple[RawReducerDefV10, ...]


@case(name="Procedures")
class ProceduresSection:
    """The procedures."""

    procedures: tuple[RawProcedureDefV10, ...]


@case(name="Views")
class ViewsSection:
    """The views."""

    views: tuple[RawViewDefV10, ...]


@case(name="Schedules")
class SchedulesSection:
    """Which tables call what, when."""

    schedules: tuple[RawScheduleDefV10, ...]


@case(name="LifeCycleReducers")
class LifeCycleReducersSection:
    """Which reducers answer which events of the database's life."""

    lifecycle_reducers: tuple[RawLifeCycleReducerDefV10, ...]


@case(name="RowLevelSecurity")
class RowLevelSecuritySection:
    """The row-level security rules."""

    row_level_security: tuple[RawRowLevelSecurityDefV9, ...]


@case(name="CaseConversionPolicy", since="2.0.0-rc1")
class CaseConversionPolicySection:
    """How names are made; one byte, not a list."""

    case_conversion_policy: CaseConversionPolicy


@case(name="ExplicitNames", since="2.0.0-rc1")
class ExplicitNamesSection:
    """Names given outright; one record, not a list."""

    explicit_names: ExplicitNames


@case(name="HttpHandlers", since="2.4.0")
class HttpHandlersSection:
    """The HTTP handlers."""

    http_handlers: tuple[RawHttpHandlerDefV10, ...]


@case(name="HttpRoutes", since="2.4.0")
class HttpRoutesSection:
    """The HTTP routes."""

    http_routes: tuple[RawHttpRouteDefV10, ...]


@case(name="ViewPrimaryKeys", since="2.4.1")
class ViewPrimaryKeysSection:
    """The primary keys of views."""

    view_primary_keys: tuple[RawViewPrimaryKeyDefV10, ...]


@case(name="Submodules", since="2.8.0")
class SubmodulesSection:
    """Modules within the module."""

    submodules: tuple[RawSubmoduleV10, ...]


@case(name="Environment", since="2.11.0")
class EnvironmentSection:
    """The environment variables; an empty section differs from an absent one."""

    environment: tuple[RawEnvironmentDeclarationV10, ...]


@case(name="Outboxes", since="2.12.0")
class OutboxesSection:
    """The outboxes."""

    outboxes: tuple[RawOutboxDefV10, ...]


RawModuleDefV10Section: TypeAlias = Annotated[
    TypespaceSection
    | TypesSection
    | TablesSection
    | ReducersSection
    | ProceduresSection
    | ViewsSection
    | SchedulesSection
    | LifeCycleReducersSection
    | RowLevelSecuritySection
    | CaseConversionPolicySection
    | ExplicitNamesSection
    | HttpHandlersSection
    | HttpRoutesSection
    | ViewPrimaryKeysSection
    | SubmodulesSection
    | EnvironmentSection
    | OutboxesSection,
    variants("RawModuleDefV10Section"),
]


class _Content(Generic[_S, _T]):
    """What the first section of a kind holds, or `absent`: the look-up of RawModuleDefV10 by a section's name."""

    def __init__(self, kind: type[_S], get: Callable[[_S], _T], absent: Any = ()) -> None:
        self.kind, self.get, self.absent = kind, get, absent

    def __get__(self, definition: RawModuleDefV10, owner: type[RawModuleDefV10]) -> _T:
        section = definition.first(self.kind)
        return self.absent if section is None else self.get(section)


@record(name="V10", since="1.12.0")
class RawModuleDefV10:
    """The whole definition, version 10.

    The look-ups below give the content of the first section of a kind, the one that upstream reads, or what its absence
    means: nothing, `SnakeCase`, and for the environment None, because an empty one differs from none.
    """

    sections: tuple[RawModuleDefV10Section, ...] = ()

    def first(self, kind: type[_S]) -> _S | None:
        """The first section of a kind, the one that counts; None when there is none."""
        return next((section for section in self.sections if isinstance(section, kind)), None)

    typespace = _Content(TypespaceSection, lambda s: s.typespace, Typespace())
    types = _Content(TypesSection, lambda s: s.types)
    tables = _Content(TablesSection, lambda s: s.tables)
    reducers = _Content(ReducersSection, lambda s: s.reducers)
    procedures = _Content(ProceduresSection, lambda s: s.procedures)
    views = _Content(ViewsSection, lambda s: s.views)
    schedules = _Content(SchedulesSection, lambda s: s.schedules)
    lifecycle_reducers = _Content(LifeCycleReducersSection, lambda s: s.lifecycle_reducers)
    row_level_security = _Content(RowLevelSecuritySection, lambda s: s.row_level_security)
    case_conversion_policy = _Content(
        CaseConversionPolicySection, lambda s: s.case_conversion_policy, CaseConversionPolicy.SnakeCase
    )
    explicit_names = _Content(ExplicitNamesSection, lambda s: s.explicit_names.entries)
    http_handlers = _Content(HttpHandlersSection, lambda s: s.http_handlers)
    http_routes = _Content(HttpRoutesSection, lambda s: s.http_routes)
    view_primary_keys = _Content(ViewPrimaryKeysSection, lambda s: s.view_primary_keys)
    submodules = _Content(SubmodulesSection, lambda s: s.submodules)
    environment = _Content[EnvironmentSection, tuple[RawEnvironmentDeclarationV10, ...] | None](
        EnvironmentSection, lambda s: s.environment, None
    )
    outboxes = _Content(OutboxesSection, lambda s: s.outboxes)
