"""Queries of a module's tables: what clients may subscribe to, and what they get.

    from defs.query import From, tables

    t = tables(module)
    From(t["fighter"]).where(t["fighter"].level >= 3).sql(check=module)

`defs.query.sql` checks texts, the rest builds them: of tables that `bsatn generate` wrote with their types, of classes declared
with `defs.bindings`, or of any module's at run time. Names load on first use. (spec: event-tables 6)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from defs.lazy import lazily

if TYPE_CHECKING:
    from defs.query.bound import table as table
    from defs.query.builder import Call as Call
    from defs.query.builder import From as From
    from defs.query.builder import Query as Query
    from defs.query.builder import Semijoin as Semijoin
    from defs.query.columns import FALSE as FALSE
    from defs.query.columns import TRUE as TRUE
    from defs.query.columns import Column as Column
    from defs.query.columns import IndexedColumn as IndexedColumn
    from defs.query.columns import Predicate as Predicate
    from defs.query.columns import not_ as not_
    from defs.query.description import render as render
    from defs.query.errors import QueryError as QueryError
    from defs.query.handles import AnyTable as AnyTable
    from defs.query.handles import EventTable as EventTable
    from defs.query.handles import Table as Table
    from defs.query.handles import View as View
    from defs.query.runtime import Tables as Tables
    from defs.query.runtime import call as call
    from defs.query.runtime import tables as tables

_HOME = {
    "bound": "table",
    "builder": "Call From Query Semijoin",
    "columns": "Column FALSE IndexedColumn Predicate TRUE not_",
    "description": "render",
    "errors": "QueryError",
    "runtime": "Tables call tables",
    "handles": "AnyTable EventTable Table View",
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__all__ = list(_MODULE_OF)

__getattr__, __dir__ = lazily(__name__, _MODULE_OF)
