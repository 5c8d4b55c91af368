"""What each version has no words for, found in a definition before it is converted.

A row of a table of losses says what is lost and what comes of it; a function finds where. (spec: validation 5.1, 5.3)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from bsatn.types import F32, F64, STRING, UNIT, ProductType
from defs.convert.loss import Loss, Path
from defs.convert.plan import Plan
from defs.convert.spelling import called_functions
from defs.raw.v10 import FunctionVisibility
from defs.schema.model import ModuleDef, TableDef, ViewDef
from defs.validate.attach import inherited_keys

__all__ = ["losses_to_v9", "losses_to_v10"]

Found: TypeAlias = Iterator[Loss]


# To version 9


def losses_to_v9(module: ModuleDef) -> tuple[Loss, ...]:
    """Everything in a definition that version 9 cannot say; empty means that validating the conversion gives the definition."""
    return tuple(_to_v9(module))


def _to_v9(module: ModuleDef) -> Found:
    for table in module.tables.values():
        yield from _table(module, table)
    for part, noun in (("reducers", "reducer"), ("procedures", "procedure"), ("views", "view")):
        for one in getattr(module, part).values():
            yield from _function(module, one, noun, (part, one.name))
    yield from _types(module)
    for handler in module.http_handlers:
        yield Loss(("http_handlers", handler), "the HTTP handler", "it is left out")
    if module.http_routes:
        yield Loss(("http_routes",), f"HTTP routes ({len(module.http_routes)})", "they are left out")
    if module.environment is not None:
        names = ", ".join(module.environment) or "none"
        yield Loss(("environment",), f"the declared environment variables ({names})", "they are left out")
    for name in module.submodules:
        yield Loss(("submodules", name), "the submodule", "it is left out, with all that is in it")


def _accessor(one: Any, path: Path, noun: str) -> Found:
    if one.accessor_name != one.name:
        yield Loss(path, f"the {noun}'s accessor name {one.accessor_name}", f"generated code has to say {one.name}")


def _columns(module: ModuleDef, ref: int, columns: Sequence[Any], path: Path) -> Found:
    """Version 9 calls columns as the fields of their type are called, which of a special type is not what they are called."""
    row = module.typespace[ref]
    assert isinstance(row, ProductType)
    for column, field in zip(columns, row.elements, strict=True):
        if field.name != column.name:
            yield Loss((*path, column.name), f"the column's name {column.name}", f"it becomes {field.name}")
        else:
            yield from _accessor(column, (*path, column.name), "column")


def _table(module: ModuleDef, table: TableDef) -> Found:
    path: Path = ("tables", table.name)
    if table.is_event:
        yield Loss(path, "that it is an event table", "it becomes an ordinary table, which keeps its rows")
    if table.outbox is not None:
        yield Loss((*path, "outbox"), "the outbox", f"{table.outbox.remote_reducer} is no longer called")
    yield from _accessor(table, path, "table")
    yield from _columns(module, table.product_type_ref, table.columns, (*path, "columns"))
    for index in table.indexes.values():
        if index.source_name != index.name:
            yield Loss((*path, "indexes", index.name), f"the alias {index.source_name}", f"its only name is {index.name}")


def _function(module: ModuleDef, one: Any, noun: str, path: Path) -> Found:
    yield from _accessor(one, path, noun)
    if one.source_params != one.params:
        names = ", ".join(part.name or "" for part in one.source_params.elements)
        yield Loss((*path, "params"), f"the parameters' names as written ({names})", "they have their canonical names only")
    if isinstance(one, ViewDef):
        if one.primary_key is not None:
            key = one.return_columns[one.primary_key].name
            yield Loss((*path, "primary_key"), f"the view's primary key {key}", "clients see a view without a key")
        yield from _columns(module, one.product_type_ref, one.return_columns, (*path, "return_columns"))
        return
    if one.visibility is FunctionVisibility.Private:
        yield Loss((*path, "visibility"), f"that the {noun} is private", "clients may call it")
    if noun == "reducer" and (one.ok_return_type, one.err_return_type) != (UNIT, STRING):
        yield Loss(path, "the reducer's return types", "it returns nothing, or a text as its error")


def _types(module: ModuleDef) -> Found:
    """Members of named types whose names were converted."""
    written = module.source_typespace
    if written is None or written is module.typespace:
        return
    rows = {table.product_type_ref for table in module.tables.values()}
    rows |= {view.product_type_ref for view in module.views.values()}
    for ref, kind in enumerate(module.typespace.types):
        if kind != written[ref] and ref not in rows:
            name = module.type_names.get(ref)
            what = f"the member names of type {name or f'&{ref}'} as written"
            yield Loss(("typespace", ref), what, "they have their canonical names, where those are identifiers")


# To version 10


def losses_to_v10(module: ModuleDef) -> tuple[Loss, ...]:
    """What of a definition changes when it is written as version 10; nothing, of one that was version 10."""
    return tuple(_to_v10(module))


def _to_v10(module: ModuleDef) -> Found:
    plan = Plan(module)
    yield from (*plan.impossible, *plan.losses)
    called = called_functions(module)
    for part, noun in (("reducers", "reducer"), ("procedures", "procedure")):
        for one in getattr(module, part).values():
            if one.name in called and one.visibility is not FunctionVisibility.Private:
                what = f"that clients may call the {noun}, which the database calls"
                yield Loss((part, one.name, "visibility"), what, "it becomes private")
    keys = inherited_keys(module.tables.values())
    for view in module.views.values():
        path: Path = ("views", view.name)
        if view.is_query and not view.params.elements and view.primary_key is None and view.product_type_ref in keys:
            key = view.return_columns[keys[view.product_type_ref]].name
            yield Loss((*path, "primary_key"), "that the view has no primary key", f"it gets its tables' key {key}")
        for place, parameter in enumerate(view.params.elements):
            if parameter.algebraic_type in (F32, F64):
                what = f"the type of the parameter {parameter.name}, {parameter.algebraic_type}"
                yield Loss((*path, "params", place), what, "it becomes a reference to an entry of that type")
    for name, inner in module.submodules.items():
        yield from (Loss(("submodules", name, *one.path), one.what, one.why) for one in _to_v10(inner))
