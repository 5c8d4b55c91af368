"""Functions: what their annotations say, read when the module is built, and fed to the builder.

The first parameter is the context and no part of the definition; the others are the function's arguments, a parameter `from_`
being the argument `from`. (spec: validation 2.8-2.11; wire 6.3)
"""

from __future__ import annotations

import inspect
import types as pytypes
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, TypeAlias, Union

from bsatn import types as t
from defs.bindings import contexts
from defs.bindings.errors import DeclarationError
from defs.bindings.rows import wire_name
from defs.bindings.types import Scope, Types
from defs.raw import v10
from defs.raw.shared import Lifecycle

__all__ = ["FunctionDeclaration", "Kind", "register_function"]

Kind: TypeAlias = Literal["reducer", "procedure", "view", "HTTP handler"]

#: The context that a function of a kind takes first.
_CONTEXTS: dict[Kind, tuple[type[Any], ...]] = {
    "reducer": (contexts.ReducerContext,),
    "procedure": (contexts.ProcedureContext,),
    "view": (contexts.ViewContext, contexts.AnonymousViewContext),
    "HTTP handler": (contexts.HttpHandlerContext,),
}
_NOTHING = (None, pytypes.NoneType)


@dataclass(frozen=True, slots=True)
class FunctionDeclaration:
    """A function as declared."""

    kind: Kind
    function: Callable[..., Any]
    accessor: str
    scope: Scope
    name: str | None = None
    private: bool = False  #: not for clients to call; of a view: not for them to see
    lifecycle: Lifecycle | None = None
    primary_key: str | None = None  #: of a view's rows

    def fault(self, kind: str, message: str, *where: str) -> NoReturn:
        """Raise what is wrong with the function, or with a parameter."""
        raise DeclarationError(kind, f"{self.kind} {self.accessor}: {message}", path=(self.function.__name__, *where))


@dataclass(frozen=True, slots=True)
class _Signature:
    """A function's annotations."""

    context: type[Any]
    arguments: tuple[tuple[str, Any], ...]
    returned: Any  #: inspect.Signature.empty where nothing is said


def _signature(declared: FunctionDeclaration) -> _Signature:
    """The annotations, resolved. Raises DeclarationError for what cannot be a function's signature."""
    function = declared.function
    try:
        hints = typing.get_type_hints(function, localns=dict(declared.scope), include_extras=True)
    except NameError as error:
        declared.fault("UnknownName", f"an annotation names what is not there: {error}")
    parameters = list(inspect.signature(function).parameters.values())
    wanted = _CONTEXTS[declared.kind]
    names = " or ".join(cls.__name__ for cls in wanted)
    context = hints.get(parameters[0].name) if parameters else None
    if not (isinstance(context, type) and issubclass(context, wanted)):
        found = f"not {getattr(context, '__name__', repr(context))}" if parameters else "it has none"
        declared.fault("MissingContext", f"the first parameter is annotated {names}; {found}")
    arguments = []
    for parameter in parameters[1:]:
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD or parameter.default is not inspect.Parameter.empty:
            message = "an argument is a plain parameter: no default, no * and no /"
            declared.fault("InvalidParameter", message, parameter.name)
        if parameter.name not in hints:
            declared.fault("MissingAnnotation", "the argument has no type: annotate it", parameter.name)
        arguments.append((wire_name(parameter.name), hints[parameter.name]))
    return _Signature(context, tuple(arguments), hints.get("return", inspect.Signature.empty))


def register_function(types: Types, declared: FunctionDeclaration, view_numbers: dict[bool, int]) -> None:
    """Add the function to the module in the making; `view_numbers` counts views, anonymous and not. Raises DeclarationError."""
    signature = _signature(declared)
    if declared.kind == "HTTP handler":
        _register_handler(types, declared, signature)
        return
    params = types.product(signature.arguments, declared.scope, (declared.function.__name__,))
    if declared.kind == "reducer":
        _register_reducer(types, declared, signature, params)
    elif declared.kind == "procedure":
        returned = None if signature.returned is inspect.Signature.empty else signature.returned
        returned_type = types.use(returned, declared.scope, (declared.function.__name__, "return"))
        types.builder.add_procedure(declared.accessor, params, returned_type, _visibility(declared))
    else:
        _register_view(types, declared, signature, params, view_numbers)
    names = () if declared.name is None else (v10.FunctionName(v10.NameMapping(declared.accessor, declared.name)),)
    types.builder.add_explicit_names(names)


def _visibility(declared: FunctionDeclaration) -> v10.FunctionVisibility:
    return v10.FunctionVisibility.Private if declared.private else v10.FunctionVisibility.ClientCallable


def _register_reducer(types: Types, declared: FunctionDeclaration, signature: _Signature, params: t.ProductType) -> None:
    if signature.returned not in (*_NOTHING, inspect.Signature.empty):
        declared.fault("InvalidReducerReturnType", "a reducer returns None; it fails by raising", "return")
    if declared.lifecycle is None:
        types.builder.add_reducer(declared.accessor, params, _visibility(declared))
        return
    if params.elements:
        declared.fault("InvalidParameter", "a lifecycle reducer takes nothing but its context", params.elements[0].name or "")
    types.builder.add_lifecycle_reducer(declared.lifecycle, declared.accessor, params)


def _register_handler(types: Types, declared: FunctionDeclaration, signature: _Signature) -> None:
    kinds = [kind for _, kind in signature.arguments]
    if kinds != [contexts.Request] or signature.returned is not contexts.Response:
        declared.fault("InvalidHandler", "a handler takes an HttpHandlerContext and a Request, and returns a Response")
    types.builder.add_http_handler(declared.accessor)
    if declared.name is not None:
        types.builder.add_explicit_names((v10.FunctionName(v10.NameMapping(declared.accessor, declared.name)),))


# -- views


def _returned_rows(annotation: Any) -> tuple[Any, Callable[[t.AlgebraicType], t.AlgebraicType]] | None:
    """The class of a view's rows, and what makes the returned type of the row's; None where a view cannot return this."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, pytypes.UnionType) and len(arguments) == 2 and pytypes.NoneType in arguments:
        return next(one for one in arguments if one is not pytypes.NoneType), t.option_type
    if origin is list:
        return arguments[0], t.ArrayType
    if origin is contexts.Query:
        return arguments[0], lambda row: t.ProductType((t.ProductTypeElement("__query__", row),))
    return None


def _register_view(
    types: Types, declared: FunctionDeclaration, signature: _Signature, params: t.ProductType, numbers: dict[bool, int]
) -> None:
    found = _returned_rows(signature.returned)
    row, returned = found or (None, t.option_type)
    kind = types.use(row, declared.scope, (declared.function.__name__, "return")) if found else None
    fields = types.builder.definition_of(kind) if isinstance(kind, t.Ref) else None
    if kind is None or not isinstance(fields, t.ProductType):
        said = "nothing" if signature.returned is inspect.Signature.empty else repr(signature.returned)
        message = f"a view returns Row | None, list[Row] or Query[Row] for a class Row of rows, not {said}"
        declared.fault("InvalidViewReturnType", message, "return")
    for element in params.elements:
        if element.algebraic_type in (t.F32, t.F64):
            declared.fault("ViewFloatParam", "a view's argument is no float", element.name or "")
    is_anonymous = issubclass(signature.context, contexts.AnonymousViewContext)
    number = numbers.get(is_anonymous, 0)
    numbers[is_anonymous] = number + 1
    types.builder.add_view(declared.accessor, number, not declared.private, is_anonymous, params, returned(kind))
    if declared.primary_key is None:
        return
    names = [element.name for element in fields.elements]
    if declared.primary_key not in names:
        message = f"the primary key {declared.primary_key!r} is none of the columns {', '.join(map(str, names))}"
        declared.fault("ViewPrimaryKeyColumnNotFound", message)
    if params.elements:
        declared.fault("ViewPrimaryKeyWithParams", "a view with arguments has no primary key")
    types.builder.add_view_primary_key(declared.accessor, (declared.primary_key,))
