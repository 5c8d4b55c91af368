"""What clients can see of one module: which tables, views and functions, and which types those lead to. (spec: compat 7.1)"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from bsatn.types import AlgebraicType, ArrayType, ProductType, ProductTypeElement, Ref, SumType, Typespace
from defs.raw.v10 import FunctionVisibility
from defs.schema.model import ColumnDef, ModuleDef, ProcedureDef, ReducerDef, TableDef, ViewColumnDef, ViewDef

__all__ = [
    "Function",
    "Relation",
    "columns_of",
    "functions",
    "is_callable",
    "reachable",
    "relations",
    "results_of",
    "row_type",
    "visible_types",
]

Function: TypeAlias = ReducerDef | ProcedureDef
Relation: TypeAlias = TableDef | ViewDef


def is_callable(function: Function) -> bool:
    """Whether clients may call it: it is neither private nor left to the server."""
    lifecycle = function.lifecycle if isinstance(function, ReducerDef) else None
    return function.visibility is FunctionVisibility.ClientCallable and lifecycle is None


def columns_of(relation: Relation) -> tuple[ColumnDef | ViewColumnDef, ...]:
    """The columns of a table or of a view's rows."""
    return relation.return_columns if isinstance(relation, ViewDef) else relation.columns


def row_type(relation: Relation) -> ProductType:
    """The type of a row."""
    return ProductType(tuple(ProductTypeElement(column.name, column.ty) for column in columns_of(relation)))


def results_of(function: Function) -> tuple[AlgebraicType, ...]:
    """What comes back of a call: a reducer's result and error, or a procedure's result."""
    if isinstance(function, ReducerDef):
        return function.ok_return_type, function.err_return_type
    return (function.return_type,)


def functions(module: ModuleDef) -> Iterator[Function]:
    """Reducers, then procedures, that clients may call."""
    yield from filter(is_callable, module.reducers.values())
    yield from filter(is_callable, module.procedures.values())


def relations(module: ModuleDef) -> Iterator[Relation]:
    """Tables, then views, that clients may read."""
    yield from (table for table in module.tables.values() if table.is_public)
    yield from (view for view in module.views.values() if view.is_public)


def visible_types(module: ModuleDef, items: Iterable[Function | Relation] | None = None) -> frozenset[int]:
    """The entries of the module's typespace that what clients see leads to; or that some of it leads to."""
    roots: list[AlgebraicType] = []
    for item in (*functions(module), *relations(module)) if items is None else items:
        if isinstance(item, (ReducerDef, ProcedureDef)):
            roots += [item.params, *results_of(item)]
        else:
            roots += [Ref(item.product_type_ref), row_type(item)]
        if isinstance(item, ViewDef):
            roots.append(item.params)
    return reachable(roots, module.typespace)


def reachable(roots: list[AlgebraicType], typespace: Typespace) -> frozenset[int]:
    """The entries that types lead to."""
    found: set[int] = set()
    todo = list(roots)
    while todo:
        match todo.pop():
            case Ref(index) if index not in found and index < len(typespace):
                found.add(index)
                todo.append(typespace[index])
            case ArrayType(element):
                todo.append(element)
            case ProductType(parts) | SumType(parts):
                todo.extend(part.algebraic_type for part in parts)
    return frozenset(found)
