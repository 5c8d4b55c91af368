"""A module's declaration: decorators collect, `build` makes the definition.

What is declared is built in the order in which the Rust bindings register it, by name, so that the same module gives the same
definition in both languages, whatever the order of its parts in the source. (spec: wire 6.3, 8.2)
"""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, Literal, TypeAlias, TypeVar, overload

from bsatn.types import Ref
from defs.bindings.builder import RawModuleDefV10Builder
from defs.bindings.contexts import (
    AnonymousViewContext,
    HttpHandlerContext,
    ProcedureContext,
    ReducerContext,
    Request,
    Response,
    ViewContext,
)
from defs.bindings.environment import declarations
from defs.bindings.errors import DeclarationError
from defs.bindings.functions import FunctionDeclaration, Kind, register_function
from defs.bindings.rows import EventTable, Index, Row, make_row
from defs.bindings.tables import Outbox, Schedule, TableDeclaration, declare_table, register_table, source_name
from defs.bindings.types import Scope, Types, read_shape, type_key
from defs.raw import RawModuleDefV10, v10
from defs.raw.shared import Lifecycle
from defs.validate.names import snake

if TYPE_CHECKING:
    from defs.schema.model import ModuleDef

__all__ = ["Module"]

_C = TypeVar("_C", bound=type)
_Row = TypeVar("_Row", bound=Row)
_Event = TypeVar("_Event", bound=EventTable)
_Reducer = TypeVar("_Reducer", bound=Callable[Concatenate[ReducerContext, ...], None])
_Lifecycle = TypeVar("_Lifecycle", bound=Callable[[ReducerContext], None])
_Procedure = TypeVar("_Procedure", bound=Callable[Concatenate[ProcedureContext, ...], object])
_View = TypeVar(
    "_View",
    bound=Callable[Concatenate[ViewContext, ...], object] | Callable[Concatenate[AnonymousViewContext, ...], object],
)
_Handler = TypeVar("_Handler", bound=Callable[[HttpHandlerContext, Request], Response])

_METHODS: dict[str, v10.MethodOrAny] = {
    "ANY": v10.AnyMethod(),
    **{
        method.__name__.upper(): v10.Method(method())
        for method in (
            v10.Get, v10.Head, v10.Post, v10.Put, v10.Delete, v10.Connect, v10.Options, v10.Trace, v10.Patch,
        )
    },
}  # fmt: skip
CaseConversion: TypeAlias = Literal["snake_case", "none"]
_POLICIES: dict[CaseConversion, v10.CaseConversionPolicy] = {
    "snake_case": v10.CaseConversionPolicy.SnakeCase, "none": v10.CaseConversionPolicy.None_,
}  # fmt: skip


def _bytes(name: str) -> bytes:
    """What names are sorted by."""
    return name.encode("utf-8", "surrogatepass")


class Module:
    """A module: what its decorators have declared.

    `case_conversion` says how canonical names are made of those in the source: `"snake_case"`, which is also what a server does
    when nothing is said, or `"none"`. Decorators raise DeclarationError for what is wrong by itself, `build` for the rest.
    """

    def __init__(self, *, case_conversion: CaseConversion | None = None) -> None:
        if case_conversion is not None and case_conversion not in _POLICIES:
            raise ValueError(f"case_conversion is one of {', '.join(_POLICIES)} or None, not {case_conversion!r}")
        self._policy = None if case_conversion is None else _POLICIES[case_conversion]
        self._scope: dict[str, Any] = {}  # local names that annotations may use, of wherever something was declared
        self._tables: list[TableDeclaration] = []
        self._functions: list[FunctionDeclaration] = []
        self._taken: set[tuple[str, str]] = set()
        self._type_names: list[tuple[Any, str]] = []
        self._security: list[str] = []
        self._routes: list[tuple[str, v10.MethodOrAny, str]] = []
        self._submodules: list[tuple[str, Module, str | None]] = []
        self._environment: tuple[type[Any], Scope] | None = None

    # -- tables

    @overload
    def table(
        self,
        *,
        event: Literal[True],
        accessor: str | None = None,
        name: str | None = None,
        public: bool = False,
        indexes: Sequence[Index] = (),
    ) -> Callable[[type[_Event]], type[_Event]]: ...
    @overload
    def table(
        self,
        *,
        accessor: str | None = None,
        name: str | None = None,
        public: bool = False,
        indexes: Sequence[Index] = (),
        scheduled: Schedule | str | Callable[..., Any] | None = None,
        outbox: Outbox | None = None,
    ) -> Callable[[type[_Row]], type[_Row]]: ...
    def table(
        self,
        *,
        event: bool | None = None,
        accessor: str | None = None,
        name: str | None = None,
        public: bool = False,
        indexes: Sequence[Index] = (),
        scheduled: Schedule | str | Callable[..., Any] | None = None,
        outbox: Outbox | None = None,
    ) -> Any:
        """Declare a table whose rows are of the class.

        `accessor` is its name in code, by default the class's in snake case; `name` its canonical name where that is not to be
        made of the accessor. Clients see a table that is `public`. Whether rows are events the class says, deriving from
        EventTable; `event=True` says it again. `scheduled` is what rows call at the time in their column `scheduled_at`; a
        Schedule names another column.
        """
        scope = self._look_around()

        def declare(cls: type[Any]) -> type[Any]:
            row = make_row(cls, scope)
            self._scope.setdefault(row.__name__, row)
            if event is not None and event is not row.IS_EVENT:
                message = f"event={event}: the class must derive from {'EventTable' if event else 'Table'}"
                raise DeclarationError("EventTableMismatch", message, path=(row.__name__,))
            table = declare_table(
                row,
                scope,
                accessor=accessor or snake(row.__name__),
                name=name,
                public=public,
                indexes=indexes,
                scheduled=self._schedule(scheduled),
                outbox=outbox and replace(outbox, on_result=outbox.on_result and self._called(outbox.on_result)),
            )
            self._claim(row.__name__, table.accessor, "table or view")
            self._tables.append(table)
            row.__tables__ = (*row.__dict__.get("__tables__", ()), table)
            return row

        return declare

    def client_visibility_filter(self, sql: str) -> None:
        """Clients see only the rows that the SQL selects."""
        self._security.append(sql)

    # -- functions

    @overload
    def reducer(self, function: _Reducer, /) -> _Reducer: ...
    @overload
    def reducer(
        self, *, accessor: str | None = None, name: str | None = None, private: bool = False
    ) -> Callable[[_Reducer], _Reducer]: ...
    def reducer(self, function: Any = None, **options: Any) -> Any:
        """Declare a reducer; `accessor` and `name` as for a table. Clients cannot call one that is `private`."""
        return self._function("reducer", function, self._look_around(), options)

    @overload
    def procedure(self, function: _Procedure, /) -> _Procedure: ...
    @overload
    def procedure(
        self, *, accessor: str | None = None, name: str | None = None, private: bool = False
    ) -> Callable[[_Procedure], _Procedure]: ...
    def procedure(self, function: Any = None, **options: Any) -> Any:
        """Declare a procedure, as a reducer."""
        return self._function("procedure", function, self._look_around(), options)

    @overload
    def view(self, function: _View, /) -> _View: ...
    @overload
    def view(
        self,
        *,
        accessor: str | None = None,
        name: str | None = None,
        private: bool = False,
        primary_key: str | None = None,
    ) -> Callable[[_View], _View]: ...
    def view(self, function: Any = None, **options: Any) -> Any:
        """Declare a view, which returns `Row | None`, `list[Row]` or `Query[Row]`; `primary_key` names a column of its rows.

        One that takes an AnonymousViewContext is the same for all clients.
        """
        return self._function("view", function, self._look_around(), options)

    @overload
    def http_handler(self, function: _Handler, /) -> _Handler: ...
    @overload
    def http_handler(self, *, accessor: str | None = None, name: str | None = None) -> Callable[[_Handler], _Handler]: ...
    def http_handler(self, function: Any = None, **options: Any) -> Any:
        """Declare a function that answers HTTP requests; `route` says which."""
        return self._function("HTTP handler", function, self._look_around(), options)

    def init(self, function: _Lifecycle, /) -> _Lifecycle:
        """Declare the reducer that a new database calls."""
        return self._lifecycle(Lifecycle.Init, function, self._look_around())

    def client_connected(self, function: _Lifecycle, /) -> _Lifecycle:
        """Declare the reducer called when a client connects."""
        return self._lifecycle(Lifecycle.OnConnect, function, self._look_around())

    def client_disconnected(self, function: _Lifecycle, /) -> _Lifecycle:
        """Declare the reducer called when a client disconnects."""
        return self._lifecycle(Lifecycle.OnDisconnect, function, self._look_around())

    def route(self, method: str | v10.Extension, path: str, handler: str | Callable[..., Any]) -> None:
        """Requests that a handler answers; `method` is GET, POST, ..., an Extension for one without a name here, or ANY."""
        known = v10.Method(method) if isinstance(method, v10.Extension) else _METHODS.get(method.upper())
        if known is None:
            message = f"the route {path} has the method {method!r}; expected one of {', '.join(_METHODS)} or an Extension"
            raise DeclarationError("UnknownMethod", message)
        self._routes.append((self._called(handler), known, path))

    # -- the rest

    def type_name(self, kind: Any, name: str) -> None:
        """Give a type of the module, such as a record or an enum, a name other than the class's; it may have scopes, `a.B`."""
        self._type_names.append((kind, name))

    def environment(self, cls: _C) -> _C:
        """Declare the environment variables: `str`, `Literal["dev", "live"]`, and `| None` for one that may be missing."""
        scope = self._look_around()
        if self._environment is not None:
            message = f"the environment is declared already, by {self._environment[0].__name__}"
            raise DeclarationError("DuplicateDeclaration", message, path=(cls.__name__,))
        self._environment = cls, scope
        return cls

    def submodule(self, namespace: str, module: Module, *, name: str | None = None) -> None:
        """Mount another module under a namespace; `name` is its canonical name where that is not to be made of it."""
        self._submodules.append((namespace, module, name))

    def build(self) -> RawModuleDefV10:
        """The definition. Raises DeclarationError for what cannot be one; `validate` finds what breaks the server's rules."""
        return self._build(())

    def validate(self) -> ModuleDef:
        """The validated definition. Raises DeclarationError, or ValidationErrors with everything the server would refuse."""
        from defs.validate import validate

        return validate(self.build())

    # -- how

    def _look_around(self) -> Scope:
        """The local names in sight where something is declared, and behind them those of other declarations."""
        frame = sys._getframe(2)
        own = {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
        self._scope.update(own)
        return ChainMap(own, self._scope)

    def _function(self, kind: Kind, function: Any, scope: Scope, options: dict[str, Any]) -> Any:
        accessor = options.pop("accessor", None)

        def declare(function: Callable[..., Any]) -> Callable[..., Any]:
            self._declare(FunctionDeclaration(kind, function, accessor or function.__name__, scope, **options))
            return function

        return declare if function is None else declare(function)

    def _lifecycle(self, event: Lifecycle, function: _Lifecycle, scope: Scope) -> _Lifecycle:
        if any(one.lifecycle is event for one in self._functions):
            message = f"another reducer answers {event.name} already"
            raise DeclarationError("DuplicateLifecycle", message, path=(function.__name__,))
        self._declare(FunctionDeclaration("reducer", function, function.__name__, scope, lifecycle=event))
        return function

    def _called(self, function: str | Callable[..., Any]) -> str:
        """The name of a function of the module, which may be another than Python's; a name stays as it is."""
        return next((one.accessor for one in self._functions if one.function is function), source_name(function))

    def _schedule(self, scheduled: Schedule | str | Callable[..., Any] | None) -> Schedule | None:
        if scheduled is None:
            return None
        wanted = scheduled if isinstance(scheduled, Schedule) else Schedule(scheduled)
        return replace(wanted, function=self._called(wanted.function))

    def _declare(self, declared: FunctionDeclaration) -> None:
        where = declared.function.__name__
        if declared.kind == "view":
            self._claim(where, declared.accessor, "table or view")
        among = declared.kind if declared.kind == "HTTP handler" else "reducer, procedure or view"
        self._claim(where, declared.accessor, among)
        self._functions.append(declared)

    def _claim(self, where: str, name: str, among: str) -> None:
        """Names are one's own, among those of a kind."""
        if (among, name) in self._taken:
            kind = "DuplicateName" if among == "table or view" else "DuplicateFunctionName"
            raise DeclarationError(kind, f"another {among} is called {name}", path=(where,))
        self._taken.add((among, name))

    def _build(self, within: tuple[Module, ...]) -> RawModuleDefV10:
        if self in within:
            raise DeclarationError("RecursiveSubmodule", "a module is mounted within itself")
        builder = RawModuleDefV10Builder()
        if self._policy is not None:
            builder.set_case_conversion_policy(self._policy)
        types = Types(builder, self._given_type_names())
        numbers: dict[bool, int] = {}
        steps: list[tuple[int, str, Callable[[], object]]] = [
            (0, table.accessor, partial(register_table, types, table)) for table in self._tables
        ]
        for one in self._functions:
            rank = 2 if one.kind == "HTTP handler" else 0
            steps.append((rank, one.accessor, partial(register_function, types, one, numbers)))
        if self._environment is not None:
            variables = tuple(declarations(*self._environment))
            steps.append((1, "", partial(builder.add_environment, variables)))
        for _, _, register in sorted(steps, key=lambda step: (step[0], _bytes(step[1]))):
            register()
        for sql in self._security:
            builder.add_row_level_security(sql)
        for handler, method, path in self._routes:
            builder.add_http_route(handler, method, path)
        for namespace, module, name in self._submodules:
            builder.add_submodule(namespace, module._build((*within, self)))
            if name is not None:
                builder.add_explicit_names((v10.NamespaceName(v10.NameMapping(namespace, name)),))
        definition = builder.finish()
        self._check_calls(definition)
        return definition

    def _given_type_names(self) -> dict[Hashable, str]:
        names: dict[Hashable, str] = {}
        for kind, name in self._type_names:
            key = type_key(read_shape(kind, self._scope, ()))
            if key is None:
                raise DeclarationError("NamelessType", f"{kind!r} is no type that could have the name {name}")
            names[key] = name
        return names

    def _check_calls(self, definition: RawModuleDefV10) -> None:
        """What tables and routes call is there, and what a schedule calls takes a row."""
        params = {one.source_name: one.params for one in definition.reducers}
        params |= {one.source_name: one.params for one in definition.procedures}
        for table, raw in zip(sorted(self._tables, key=lambda one: _bytes(one.accessor)), definition.tables, strict=True):
            if table.schedule is not None:
                name, row = table.schedule[0], Ref(raw.product_type_ref)
                if name not in params:
                    table.fault("MissingScheduledFunction", f"its schedule calls {name}, which is no reducer or procedure")
                if [element.algebraic_type for element in params[name].elements] != [row]:
                    message = f"its schedule calls {name}, which must take one argument, a {table.cls.__name__}"
                    table.fault("IncorrectScheduledFunctionParams", message)
            callback = table.outbox and table.outbox.callback
            if callback and callback not in {one.source_name for one in definition.reducers}:
                message = f"its outbox reports to {callback}, which is no reducer"
                table.fault("MissingOutboxOnResult", message)
        handlers = {one.source_name for one in definition.http_handlers}
        for route in definition.http_routes:
            if route.handler_function not in handlers:
                message = f"the route {route.path} leads to {route.handler_function}, which is no HTTP handler"
                raise DeclarationError("MissingHttpHandler", message)
