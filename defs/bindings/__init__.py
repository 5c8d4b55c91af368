"""Modules declared in Python, as the Rust macros declare them: tables, reducers, procedures, views, and what belongs to them.

    from bsatn import U64
    from defs.bindings import EventTable, Module, ReducerContext, Table, column

    module = Module()

    @module.table(public=True)
    class Fighter(Table):
        id: U64 = column(primary_key=True, auto_inc=True)
        name: str

    @module.reducer
    def rename(ctx: ReducerContext, id: U64, name: str) -> None: ...

    definition = module.build()

The definition is the one that the Rust bindings send for the same module. (spec: event-tables 1.1; wire 6.3)
"""

from __future__ import annotations

from defs.bindings.builder import RawModuleDefV10Builder, RawTableDefBuilderV10
from defs.bindings.contexts import (
    AnonymousViewContext,
    HttpHandlerContext,
    ProcedureContext,
    Query,
    ReducerContext,
    Request,
    Response,
    ViewContext,
)
from defs.bindings.errors import DeclarationError
from defs.bindings.module import Module
from defs.bindings.rows import CanBeLookupTable, EventTable, Index, Row, Table, column
from defs.bindings.tables import Outbox, Schedule

__all__ = [
    "AnonymousViewContext", "CanBeLookupTable", "DeclarationError", "EventTable", "HttpHandlerContext", "Index", "Module",
    "Outbox", "ProcedureContext", "Query", "RawModuleDefV10Builder", "RawTableDefBuilderV10", "ReducerContext", "Request",
    "Response", "Row", "Schedule", "Table", "ViewContext", "column",
]  # fmt: skip
