"""Everything the reference finds wrong with a module definition: one class a `ValidationError` variant, in rank order.

A class is the whole story of its error: its sentence, and its fields as upstream names and orders them (but `def_`, `kind_`,
`path_`: `kind` is the variant's name, and `path`, ours, says where in the raw definition it is, `("tables", 2, "indexes", 0)`,
and takes no part in equality or order). `kind`, `message`, `debug` and `sort_key` follow from the declaration. What is wrapped
(identifiers, code generation, environment, default values) stands in `defs.validate.reasons`. (spec: validation 4.1, 4.2)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from bsatn.errors import BsatnError
from defs.raw.shared import Lifecycle
from defs.validate import reasons
from defs.validate.placed import Placed
from defs.validate.reasons import (
    FunctionKind,
    InTypespace,
    ProcedureArg,
    ProcedureReturn,
    ReducerArg,
    TypeLocation,
    ViewArg,
    ViewReturn,
)
from defs.validate.reasons import RawColumnName as ColumnName
from defs.validate.rustlike import (
    ColId,
    ColList,
    ColSet,
    Count,
    Name,
    Names,
    Pretty,
    Product,
    RawTypeName,
    TypeKeys,
    TypeName,
    TypeRef,
    variant,
)

__all__ = [
    "ClientCodegenError", "ColumnDefMalformed", "ColumnDefaultValueMalformed", "ColumnName", "ColumnNotFound",
    "DirectIndexOnBadType", "DuplicateColumns", "DuplicateFunctionName", "DuplicateHttpHandlerName", "DuplicateHttpRoute",
    "DuplicateLifeCycle", "DuplicateLifecycle", "DuplicateName", "DuplicateOutbox", "DuplicateSchedule",
    "DuplicateTypeName", "Environment", "EnvironmentInSubmodule", "FunctionKind", "IdentifierError", "InTypespace",
    "IncorrectOutboxOnResultParams", "IncorrectScheduledFunctionParams", "InvalidHttpRoutePath", "InvalidProductTypeRef",
    "InvalidReducerReturnType", "InvalidRowLevelQuery", "InvalidSequenceColumnType", "InvalidSequenceDefOption",
    "InvalidTypeRef", "InvalidViewReturnType", "LifecycleInSubmodule", "LifecycleWithoutReducer", "MissingHttpHandler",
    "MissingOutboxOnResult", "MissingOutboxTable", "MissingPrimaryKeyUniqueConstraint", "MissingScheduleTable",
    "MissingScheduledFunction", "MissingTypeDef", "MultipleColumnDefaultValues", "MultipleViewPrimaryKeyColumns",
    "NamespaceNameConflict", "NamespaceTooLong", "OneAutoInc", "OutboxArgumentColumnNotFound", "OutboxEventTable",
    "OutboxInvalidPrimaryKey", "OutboxMissingPrimaryKey", "OutboxOnResultMustBeLocal", "OutboxScheduledTable",
    "OutboxTargetColumnAmbiguous", "OutboxTargetColumnMissing", "ProcedureArg", "ProcedureReturn", "ReducerArg",
    "ReferenceWouldCrash", "RepeatedPrimaryKey", "RepeatedViewPrimaryKey", "ScheduledEventTable",
    "ScheduledIncorrectColumns", "TableNameReserved", "TableNotFound", "TableTypeNameMismatch",
    "TypeHasIncorrectOrdering", "TypeLocation", "UniqueConstraintWithoutIndex", "UnnamedColumn", "ValidationError",
    "ValidationErrors", "ViewArg", "ViewFloatParam", "ViewPrimaryKeyColumnNotFound", "ViewPrimaryKeyViewNotFound",
    "ViewPrimaryKeyWithParams", "ViewReturn", "combine",
]  # fmt: skip


class ValidationError(Placed, family=True):
    """One thing wrong with a definition."""

    __slots__ = ()


@variant("name `{name}` is used for multiple entities")
class DuplicateName(ValidationError):
    name: Name


@variant("name `{name}` is used for multiple types")
class DuplicateTypeName(ValidationError):
    name: TypeName


@variant("Multiple reducers defined for lifecycle event {lifecycle!r}")
class DuplicateLifecycle(ValidationError):
    lifecycle: Lifecycle


@variant("module contains invalid identifier: {error}")
class IdentifierError(ValidationError):
    error: reasons.IdentifierReason


@variant("table `{column.table}` has unnamed column `{column.column}`, which is forbidden.")
class UnnamedColumn(ValidationError):
    column: ColumnName


@variant("type `{type_name!r}` is not annotated with a custom ordering, but uses one: {bad_type}")
class TypeHasIncorrectOrdering(ValidationError):
    type_name: RawTypeName
    ref_: TypeRef
    bad_type: Pretty


@variant("column `{column}` referenced by def {def} not found in table `{table}`")
class ColumnNotFound(ValidationError):
    table: Name
    def_: Name
    column: ColId


@variant("{column} type {ty} does not match corresponding element at position {pos} in product type `{product_type}`")
class ColumnDefMalformed(ValidationError):
    column: ColumnName
    ty: Pretty
    pos: ColId
    product_type: Pretty


@variant("table `{table}` has multiple primary key annotations")
class RepeatedPrimaryKey(ValidationError):
    table: Name


@variant("Attempt to define {column} with more than 1 auto_inc sequence")
class OneAutoInc(ValidationError):
    column: ColumnName


@variant("No index found to support unique constraint `{constraint}` for columns `{columns!r}`")
class UniqueConstraintWithoutIndex(ValidationError):
    constraint: Name
    columns: ColSet


@variant("Direct index does not support type `{ty}` in column `{column}` in index `{index}`")
class DirectIndexOnBadType(ValidationError):
    index: Name
    column: Name
    ty: Pretty


@variant("def `{def}` has duplicate columns: {columns!r}")
class DuplicateColumns(ValidationError):
    def_: Name
    columns: ColList


@variant("invalid sequence column type: {column} with type `{column_type!r}` in sequence `{sequence}`")
class InvalidSequenceColumnType(ValidationError):
    sequence: Name
    column: ColumnName
    column_type: Pretty


@variant(
    "sequence definition `{sequence}` specifies unsupported option `{option}` with value {supplied_value}, "
    "should be {expected_value}"
)
class InvalidSequenceDefOption(ValidationError):
    sequence: Name
    option: Name
    supplied_value: Count
    expected_value: Name


@variant("View {view} has invalid return type {ty}")
class InvalidViewReturnType(ValidationError):
    view: Name
    ty: Pretty


@variant("View {view} referenced by primary key definition not found")
class ViewPrimaryKeyViewNotFound(ValidationError):
    view: Name


@variant("View {view} has multiple primary key definitions")
class RepeatedViewPrimaryKey(ValidationError):
    view: Name


@variant("View {view} has multiple primary key columns: {columns!r}")
class MultipleViewPrimaryKeyColumns(ValidationError):
    view: Name
    columns: Names


@variant("Primary key column {column} for view {view} not found")
class ViewPrimaryKeyColumnNotFound(ValidationError):
    view: Name
    column: Name


@variant("View {view} has parameters and cannot have a primary key")
class ViewPrimaryKeyWithParams(ValidationError):
    view: Name


@variant("View {view} has a float parameter `{param}`, which views can't take yet")
class ViewFloatParam(ValidationError):
    view: Name
    param: Name


@variant("Table {table} has invalid product_type_ref {ref_}")
class InvalidProductTypeRef(ValidationError):
    table: Name
    ref_: TypeRef


@variant("Type {type_name!r} has invalid ref: {ref_}")
class InvalidTypeRef(ValidationError):
    type_name: RawTypeName
    ref_: TypeRef


@variant(
    "A scheduled table must have columns `scheduled_id: u64` and `scheduled_at: ScheduledAt`, but table "
    "`{table}` has columns {columns!r}"
)
class ScheduledIncorrectColumns(ValidationError):
    table: Name
    columns: Product


@variant("error at {location}: {error}")
class ClientCodegenError(ValidationError):
    location: TypeLocation
    error: reasons.CodegenError


@variant("Missing type definition for ref: {ref_}, holds type: {ty}")
class MissingTypeDef(ValidationError):
    ref_: TypeRef
    ty: Pretty


@variant("{column} is primary key but has no unique constraint")
class MissingPrimaryKeyUniqueConstraint(ValidationError):
    column: ColumnName


@variant("Table {table} should have a type definition for its product_type_element, but does not")
class TableTypeNameMismatch(ValidationError):
    table: Name


@variant("Schedule {schedule} refers to a scheduled reducer or procedure {function} that does not exist")
class MissingScheduledFunction(ValidationError):
    schedule: Name
    function: Name


@variant("Scheduled {function_kind} {function_name} expected to have type {expected}, but has type {actual}")
class IncorrectScheduledFunctionParams(ValidationError):
    function_name: Name
    function_kind: reasons.Kind
    expected: Pretty
    actual: Pretty


@variant("Table name is reserved for system use: {table}")
class TableNameReserved(ValidationError):
    table: Name


@variant("Row-level security invalid: `{error}`, query: `{sql}")
class InvalidRowLevelQuery(ValidationError):
    sql: Name
    error: Name


@variant("Failed to deserialize default value for table {table} column {col_id}: {err}")
class ColumnDefaultValueMalformed(ValidationError):
    table: Name
    col_id: ColId
    err: reasons.DecodeReason


@variant("Multiple default values for table {table} column {col_id}")
class MultipleColumnDefaultValues(ValidationError):
    table: Name
    col_id: ColId


@variant("Table {table} not found")
class TableNotFound(ValidationError):
    table: Name


@variant("table {table} is assigned in multiple outboxes")
class DuplicateOutbox(ValidationError):
    table: Name


@variant("outbox table {table_name} not found")
class MissingOutboxTable(ValidationError):
    table_name: Name


@variant("on_result reducer {reducer_name} for outbox {table} does not exist")
class MissingOutboxOnResult(ValidationError):
    table: Name
    reducer_name: Name


@variant("on_result reducer {reducer_name} for outbox {table} expected parameters {expected}, but has {actual}")
class IncorrectOutboxOnResultParams(ValidationError):
    table: Name
    reducer_name: Name
    expected: Pretty
    actual: Pretty


@variant(
    "on_result reducer {reducer_name} for outbox {table} must be an unqualified name in the same module; "
    "cross-module callbacks are not supported"
)
class OutboxOnResultMustBeLocal(ValidationError):
    table: Name
    reducer_name: Name


@variant("outbox table {table} must not be an event table")
class OutboxEventTable(ValidationError):
    table: Name


@variant("outbox table {table} must not be a scheduled table")
class OutboxScheduledTable(ValidationError):
    table: Name


@variant("outbox table {table} must have a primary key")
class OutboxMissingPrimaryKey(ValidationError):
    table: Name


@variant("outbox table {table} primary key must be u64, found {found}")
class OutboxInvalidPrimaryKey(ValidationError):
    table: Name
    found: Pretty


@variant("outbox table {table} must have exactly one non-primary-key identity target column")
class OutboxTargetColumnMissing(ValidationError):
    table: Name


@variant("outbox table {table} must not have multiple non-primary-key identity target columns")
class OutboxTargetColumnAmbiguous(ValidationError):
    table: Name


@variant("outbox table {table} argument column {column} does not exist")
class OutboxArgumentColumnNotFound(ValidationError):
    table: Name
    column: ColId


@variant("Name {name} is used for multiple reducers, procedures and/or views")
class DuplicateFunctionName(ValidationError):
    name: Name


@variant("HTTP handler name {name} is used for multiple HTTP handlers")
class DuplicateHttpHandlerName(ValidationError):
    name: Name


@variant("HTTP route duplicates method {method!r} for path {path}")
class DuplicateHttpRoute(ValidationError):
    path_: Name
    method: reasons.Method


@variant("HTTP route path `{path}` is invalid; allowed characters are ASCII lowercase letters, digits and `-_~/`")
class InvalidHttpRoutePath(ValidationError):
    path_: Name


@variant("HTTP route refers to unknown HTTP handler `{handler}`")
class MissingHttpHandler(ValidationError):
    handler: Name


@variant("lifecycle event {lifecycle!r} without reducer")
class LifecycleWithoutReducer(ValidationError):
    lifecycle: Lifecycle


@variant("lifecycle event {lifecycle!r} assigned multiple reducers")
class DuplicateLifeCycle(ValidationError):
    lifecycle: Lifecycle


@variant("table {table} is assigned in multiple schedules")
class DuplicateSchedule(ValidationError):
    table: Name


@variant("scheduled table {table} must not be an event table")
class ScheduledEventTable(ValidationError):
    table: Name


@variant("table {table_name} corresponding to schedule {schedule_name} not found")
class MissingScheduleTable(ValidationError):
    table_name: Name
    schedule_name: Name


@variant("reducer {reducer_name} has invalid return type: found Result<{ok_type}, {err_type}>")
class InvalidReducerReturnType(ValidationError):
    reducer_name: Name
    ok_type: Pretty
    err_type: Pretty


@variant(
    "lifecycle event {lifecycle!r} is not permitted in submodule under namespace `{namespace}`; lifecycle "
    "reducers may only be declared in the root module"
)
class LifecycleInSubmodule(ValidationError):
    lifecycle: Lifecycle
    namespace: Name


@variant("submodule namespace `{namespace}` is {len} bytes, which exceeds the 63-byte limit")
class NamespaceTooLong(ValidationError):
    namespace: Name
    len: Count


@variant(
    "naming conflict between {kind} `{name}` and submodule namespace `{namespace}`; a {kind} cannot share its "
    "accessor name with a namespace mounted in the same module"
)
class NamespaceNameConflict(ValidationError):
    kind_: Name
    name: Name
    namespace: Name


@variant("invalid environment declaration: {error}", tuple_like=True)
class Environment(ValidationError):
    error: reasons.EnvironmentReason


@variant("submodule {namespace!r} cannot declare environment variables")
class EnvironmentInSubmodule(ValidationError):
    namespace: Name


@variant("the reference crashes on this input: {what}")
class ReferenceWouldCrash(ValidationError):
    """Ours: upstream panics, or overflows its stack, instead of reporting. (spec: validation 4.6)"""

    what: Name


# All of them ------------------------------------------------------------------------------------------------


def combine(errors: Iterable[ValidationError]) -> tuple[ValidationError, ...]:
    """Errors in the reference's order, without repeats; of equal ones the first stays. (spec: validation 4.1)"""
    keys: TypeKeys = {}
    held = list(errors)  # `keys` goes by identity: the types must live as long
    by_key: dict[tuple[Any, ...], ValidationError] = {}
    for error in held:
        by_key.setdefault(error.keyed(keys), error)
    return tuple(by_key[key] for key in sorted(by_key))


class ValidationErrors(BsatnError):
    """A definition is not valid: `errors` holds everything that is wrong with it, in the reference's order.

    `str()` has a line for each, with its place. Sentences quote whole types, so a small definition can have a great deal of
    text: past `SHOWN` characters errors are only counted.
    """

    SHOWN: ClassVar[int] = 1 << 20

    def __init__(self, errors: Iterable[ValidationError]) -> None:
        self.errors = combine(errors)
        super().__init__("ValidationErrors", self._lines())

    def _lines(self) -> str:
        lines = [_one_line(f"{e.where}: {e.message}" if e.path else e.message) for e in self._shown(1)]
        more = len(self.errors) - len(lines)
        return "\n".join([*lines, f"... and {more} more"] if more else lines)

    def _shown(self, texts: int) -> Iterator[ValidationError]:
        room = self.SHOWN
        for error in self.errors:
            if room <= 0:
                return
            room -= texts * len(error.message)
            yield error

    def to_json(self) -> dict[str, Any]:
        """The errors as plain data, and how many there is no room for."""
        shown = [error.to_json() for error in self._shown(2)]
        return {"errors": shown, "omitted": len(self.errors) - len(shown)}


def _one_line(text: str) -> str:
    """Names come from whoever wrote the definition: no line breaks, no terminal escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)
