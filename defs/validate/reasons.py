"""Why something is wrong, inside a ValidationError: identifiers, types for code generation, environment, default values.

Each enum of the reference is a class, its variants the classes below it, in rank order. (spec: validation 4.3 to 4.5)
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, TypeAlias

from bsatn import errors
from defs.raw.v10 import (
    Connect,
    Delete,
    Extension,
    Get,
    Head,
    HttpMethod,
    MethodOrAny,
    Options,
    Patch,
    Post,
    Put,
    Trace,
)
from defs.raw.v10 import Method as RawMethod
from defs.validate.rustlike import (
    Char,
    Count,
    Family,
    Name,
    OptionalName,
    Pretty,
    Rust,
    SumName,
    TypeRef,
    debug_str,
    fields_of,
    variant,
)

__all__ = [
    "AllocationFailed", "BufferLength", "CodegenError", "ConflictingUpdate", "ConstraintMismatch", "DecodeReason",
    "DuplicateDeclaration", "Empty", "EmptyUnion", "EnvironmentReason", "FunctionKind", "IdentifierReason", "InTypespace",
    "InvalidBool", "InvalidContinue", "InvalidLen", "InvalidName", "InvalidStart", "InvalidTag", "InvalidTypeRef",
    "InvalidUtf8", "Kind", "LiteralTooLarge", "Method", "MissingRequired", "NamelessReducerParam",
    "NamelessTypeDefElement", "NonDeclaredTypeDef", "NonSpecialTypeNotAUse", "NotCanonicalized", "NotValidForDefinition",
    "NotValidIdentifier", "Other", "ProcedureArg", "ProcedureReturn", "RawColumnName", "RecursiveTypeRef", "ReducerArg",
    "Reserved", "SchemaTooLarge", "TooManyDeclarations", "TooManyUnionEntries", "TooManyValues", "TypeLocation",
    "TypeRefError", "TypeRefReason", "UseTooLarge", "ValueTooLarge", "ViewArg", "ViewReturn", "decode_reason",
]  # fmt: skip

# Identifiers ------------------------------------------------------------------------------------------------


class IdentifierReason(Family, family=True):
    """Why a name is no identifier. (spec: validation 2.1, 4.3)"""

    __slots__ = ()


@variant(
    "Identifier `{name}` is not in normalization form C according to Unicode Standard Annex 15 "
    "(http://www.unicode.org/reports/tr15/) and cannot be used for entities in a module."
)
class NotCanonicalized(IdentifierReason):
    name: Name


@variant("Identifier `{name}` is reserved by spacetimedb and cannot be used for entities in a module.")
class Reserved(IdentifierReason):
    name: Name


@variant(
    "Identifier `{name}`'s starting character '{invalid_start}' is neither an underscore ('_') nor a "
    "Unicode XID_start character (according to Unicode Standard Annex 31, https://www.unicode.org/reports/tr31/) "
    "and cannot be used for entities in a module."
)
class InvalidStart(IdentifierReason):
    name: Name
    invalid_start: Char


@variant(
    "Identifier `{name}` contains a character '{invalid_continue}' that is not an XID_continue character "
    "(according to Unicode Standard Annex 31, https://www.unicode.org/reports/tr31/) "
    "and cannot be used for entities in a module."
)
class InvalidContinue(IdentifierReason):
    name: Name
    invalid_continue: Char


@variant("Empty identifiers are forbidden.")
class Empty(IdentifierReason):
    pass


# Types for code generation ----------------------------------------------------------------------------------


class TypeRefReason(Family, family=True):
    """Why a reference leads nowhere."""

    __slots__ = ()
    ref_: TypeRef


@variant("Found recursive type reference {ref_}", tuple_like=True)
class RecursiveTypeRef(TypeRefReason):
    ref_: TypeRef


@variant("Type reference {ref_} out of bounds", tuple_like=True)
class InvalidTypeRef(TypeRefReason):
    ref_: TypeRef


class CodegenError(Family, family=True):
    """Why a type cannot be used, or defined, in generated code. (spec: validation 4.4)"""

    __slots__ = ()


@variant("internal codegen error: non-special product or sum type {ty} cannot be used to generate a client type use")
class NonSpecialTypeNotAUse(CodegenError):
    ty: Pretty


@variant("internal codegen error: invalid AlgebraicTypeRef", tuple_like=True)
class TypeRefError(CodegenError):
    error: TypeRefReason


@variant("internal codegen error: type ref {ref_} was not pre-declared as a definition")
class NonDeclaredTypeDef(CodegenError):
    ref_: TypeRef


@variant("internal codegen error: all type elements require names: {ty}")
class NamelessTypeDefElement(CodegenError):
    ty: Pretty


@variant("internal codegen error: all reducer parameters require names")
class NamelessReducerParam(CodegenError):
    pass


@variant("internal codegen error: type {ty} is not valid for generating a definition")
class NotValidForDefinition(CodegenError):
    ty: Pretty


@variant("type {ty} contains identifier error {err}")
class NotValidIdentifier(CodegenError):
    ty: Pretty
    err: IdentifierReason


@variant("a type, with the types it refers to written out, passes the limit of {bound} {limit}")
class UseTooLarge(CodegenError):
    """Ours: on such types the reference runs out of stack, or of time."""

    limit: Name
    bound: Count


# Places -----------------------------------------------------------------------------------------------------


class TypeLocation(Family, family=True):
    """Where a type stands."""

    __slots__ = ()


class _Argument(TypeLocation):
    __slots__ = ()
    arg_name: OptionalName

    @property
    def message(self) -> str:
        """The place in the reference's words; the argument's name only where it has one."""
        return super().message + ("" if self.arg_name is None else f" (`{self.arg_name}`)")


@variant("reducer `{reducer_name}` argument {position}")
class ReducerArg(_Argument):
    reducer_name: Name
    position: Count
    arg_name: OptionalName


@variant("procedure `{procedure_name}` argument {position}")
class ProcedureArg(_Argument):
    procedure_name: Name
    position: Count
    arg_name: OptionalName


@variant("view `{view_name}` argument {position}")
class ViewArg(_Argument):
    view_name: Name
    position: Count
    arg_name: OptionalName


@variant("procedure `{procedure_name}` return value")
class ProcedureReturn(TypeLocation):
    procedure_name: Name


@variant("view `{view_name}` return value")
class ViewReturn(TypeLocation):
    view_name: Name


@variant("typespace ref `{ref_}`")
class InTypespace(TypeLocation):
    ref_: TypeRef


class _Column(Family, family=True):
    __slots__ = ()


@variant("table `{table}` column `{column}`")
class RawColumnName(_Column):
    """A column by name; one without a name by its position, in digits."""

    table: Name
    column: Name


class FunctionKind(enum.Enum):
    """What a schedule calls."""

    Unknown = 0
    Reducer = 1
    Procedure = 2


_KIND_WORDS = {FunctionKind.Unknown: "exported function", FunctionKind.Reducer: "reducer", FunctionKind.Procedure: "procedure"}
Kind: TypeAlias = Annotated[FunctionKind, Rust(lambda kind: kind.name, _KIND_WORDS.__getitem__, lambda kind, _: kind.value)]

_METHODS: tuple[type[HttpMethod], ...] = (Get, Head, Post, Put, Delete, Connect, Options, Trace, Patch, Extension)


def _debug_method(value: MethodOrAny) -> str:
    if not isinstance(value, RawMethod):
        return "Any"
    method = value.method
    name = f"Extension({debug_str(method.name)})" if isinstance(method, Extension) else type(method).__name__
    return f"Method({name})"


def _method_key(value: MethodOrAny, _: object) -> tuple[int | bytes, ...]:
    if not isinstance(value, RawMethod):
        return (0,)
    method = value.method
    return 1, _METHODS.index(type(method)), method.name.encode() if isinstance(method, Extension) else b""


Method: TypeAlias = Annotated[MethodOrAny, Rust(_debug_method, _debug_method, _method_key)]

# Environment ------------------------------------------------------------------------------------------------


class EnvironmentReason(Family, family=True):
    """What is wrong with an environment section. (spec: validation 2.14, 4.2)"""

    __slots__ = ()


@variant("invalid name")
class InvalidName(EnvironmentReason):
    pass


@variant("too many declarations")
class TooManyDeclarations(EnvironmentReason):
    pass


@variant("too many stored values")
class TooManyValues(EnvironmentReason):
    pass


@variant("environment key {key!r}: conflicting environment update operations")
class ConflictingUpdate(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: duplicate declaration")
class DuplicateDeclaration(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: string union must not be empty")
class EmptyUnion(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: string union has too many entries")
class TooManyUnionEntries(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: declaration schema exceeds size limit")
class SchemaTooLarge(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: declared literal exceeds value size limit")
class LiteralTooLarge(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: required value is missing")
class MissingRequired(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: value exceeds size limit")
class ValueTooLarge(EnvironmentReason):
    key: Name


@variant("environment key {key!r}: value does not satisfy its declared string constraint")
class ConstraintMismatch(EnvironmentReason):
    key: Name


# Default values ---------------------------------------------------------------------------------------------


class DecodeReason(Family, family=True):
    """Why the bytes of a default value are not one. (spec: validation 4.5)"""

    __slots__ = ()


@variant("data too short for {for_type}: Expected {expected}, given {given}")
class BufferLength(DecodeReason):
    for_type: Name
    expected: Count
    given: Count


@variant("unexpected data length: Expected {expected}, given {given}")
class InvalidLen(DecodeReason):
    expected: Count
    given: Count


@variant("unknown tag {tag:#x} for sum type {sum_name}")
class InvalidTag(DecodeReason):
    tag: Count
    sum_name: SumName


@variant("invalid utf8")
class InvalidUtf8(DecodeReason):
    pass


@variant("byte {byte} not valid as `bool` (must be 0 or 1)", tuple_like=True)
class InvalidBool(DecodeReason):
    byte: Count


@variant("allocation of {size} elements failed", tuple_like=True)
class AllocationFailed(DecodeReason):
    size: Count


@variant("{text}", tuple_like=True)
class Other(DecodeReason):
    text: Name


def decode_reason(error: errors.DecodeError) -> DecodeReason:
    """The reason that a DecodeError of the codec stands for; kinds of our own become Other."""
    made: type[Any] | None = _DECODE_REASONS.get(error.kind)
    return Other(error.message) if made is None else made(**{f.name: error.fields.get(f.name) for f in fields_of(made)})


_DECODE_REASONS: dict[str, type[Family]] = {made.kind: made for made in (BufferLength, InvalidTag, InvalidUtf8, InvalidBool)}
