"""What clients can see of a module, and a digest of it: equal digests, and no client sees a difference. (spec: compat 7.1)

Seen are public tables and views with their rows, keys and the columns that they are indexed by; reducers and procedures that
clients may call, with parameters and results; the named types those lead to; HTTP routes; row-level security. Names are both
the canonical ones, which clients send, and the source's, which generated code is made of.

Not seen are private tables and functions, names and algorithms of indexes, names of constraints, sequences, defaults,
schedules, outboxes, the environment, what answers a route, the order of declarations, the numbers of types, and the version of
the definition.

A type is written out, named types by name. One that is large stands there as a digest, so that shared parts cost once.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Any, Final

from bsatn.errors import LimitExceeded
from bsatn.stack import on_enough_stack
from bsatn.types import AlgebraicType, ArrayType, Primitive, ProductType, Ref, SumType, option_payload
from defs.migrate.rules.visible import Relation, columns_of, functions, relations, visible_types
from defs.migrate.rules.wire import follow
from defs.raw.v10 import AnyMethod, Extension, MethodOrAny
from defs.schema.generate import PlainEnumTypeDef, ProductTypeDef, SumTypeDef
from defs.schema.model import ModuleDef, ReducerDef, TableDef, ViewDef

__all__ = ["fingerprint", "surface"]

FORMAT: Final = 1  #: raised when the same module would get another fingerprint
MAX_PARTS: Final = 64  #: of a type that is written out


def fingerprint(module: ModuleDef) -> str:
    """SHA-256 of the surface as JSON, 64 hexadecimal digits. Raises LimitExceeded for types nested too deep."""
    return _digest(surface(module))


def surface(module: ModuleDef) -> dict[str, Any]:
    """What clients can see, as plain data: lists sorted by name, columns and parameters in order.

    Raises LimitExceeded for types nested too deep.
    """
    try:
        found = on_enough_stack(lambda: _surface(module))
    except RecursionError:
        what = "a type is nested deeper than Python's stack allows"
        raise LimitExceeded("depth", sys.getrecursionlimit(), what, advice="sys.setrecursionlimit stops it first") from None
    routes = {(route.path, _method(route.method)) for route in module.http_routes}
    rest = {"http_routes": [list(one) for one in sorted(routes)], "row_level_security": sorted(module.row_level_security)}
    return {"format": FORMAT, **found, **{key: value for key, value in rest.items() if value}}


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode("utf-8")).hexdigest()


def _method(method: MethodOrAny) -> str:
    if isinstance(method, AnyMethod):
        return "*"
    name = type(method.method).__name__
    return method.method.name if isinstance(method.method, Extension) else name.upper()


def _surface(module: ModuleDef) -> dict[str, Any]:
    """One module's part, and those of the modules mounted in it that show anything."""
    types = _Types(module)
    found: dict[str, list[Any]] = {"tables": [], "views": [], "reducers": [], "procedures": []}
    for relation in relations(module):
        kind = "tables" if isinstance(relation, TableDef) else "views"
        found[kind].append(_relation(relation, types))
    for function in functions(module):
        shown = {
            "name": function.name,
            "accessor": function.accessor_name,
            "params": _params(function.params, function.source_params, types),
        }
        if isinstance(function, ReducerDef):
            results = {"ok": types.of(function.ok_return_type), "err": types.of(function.err_return_type)}
            found["reducers"].append({**shown, **results})
        else:
            found["procedures"].append({**shown, "returns": types.of(function.return_type)})
    parts: dict[str, Any] = {kind: sorted(items, key=lambda one: str(one["name"])) for kind, items in found.items() if items}
    if named := types.named(visible_types(module)):
        parts["types"] = named
    mounted = [
        {"namespace": inner.path[-1], "accessor": inner.accessor_path[-1], **part}
        for inner in module.submodules.values()
        if (part := _surface(inner))
    ]
    if mounted:
        parts["submodules"] = sorted(mounted, key=lambda one: str(one["namespace"]))
    return parts


def _params(params: ProductType, source: ProductType, types: _Types) -> list[list[Any]]:
    pairs = zip(params, source, strict=True)
    return [[one.name, written.name, types.of(one.algebraic_type)] for one, written in pairs]


def _relation(relation: Relation, types: _Types) -> dict[str, Any]:
    columns = columns_of(relation)

    def names(positions: Iterable[int]) -> list[str]:
        return [columns[position].name for position in positions]

    shown: dict[str, Any] = {
        "name": relation.name,
        "accessor": relation.accessor_name,
        "row": types.name(relation.product_type_ref),
        "columns": [[column.name, column.accessor_name, types.of(column.ty)] for column in columns],
        "primary_key": None if relation.primary_key is None else columns[relation.primary_key].name,
    }
    if isinstance(relation, ViewDef):
        one = option_payload(follow(relation.return_type, types.module.typespace)) is not None
        return {**shown, "params": _params(relation.params, relation.source_params, types), "rows": "one" if one else "many"}
    indexes = {(index.accessor_name or "", *names(index.columns)) for index in relation.indexes.values()}
    return {
        **shown,
        "event": relation.is_event,
        "unique": sorted(names(constraint.columns) for constraint in relation.constraints.values()),
        "indexes": [[accessor or None, columns] for accessor, *columns in sorted(indexes)],
    }


class _Types:
    """Types of one module as plain data."""

    def __init__(self, module: ModuleDef) -> None:
        self.module = module
        self._made: dict[int, tuple[Any, int]] = {}

    def of(self, kind: AlgebraicType) -> Any:
        """A type; named ones by name."""
        return self._bounded(kind)[0]

    def name(self, ref: int) -> str | None:
        """The name of a typespace entry."""
        name = self.module.type_names.get(ref)
        return None if name is None else str(name)

    def named(self, visible: frozenset[int]) -> dict[str, Any]:
        """The named types among some, with the names of their members in generated code."""
        found: dict[str, Any] = {}
        for name, one in self.module.types.items():
            if one.ty in visible:
                kind = follow(Ref(one.ty), self.module.typespace)
                found[str(name)] = {"type": self._composite(kind)[0], "members": self._members(one.ty)}
        return found

    def _members(self, ref: int) -> list[str] | None:
        made = self.module.typespace_for_generate.definitions.get(ref)
        match made:
            case ProductTypeDef(elements):
                return [name for name, _ in elements]
            case SumTypeDef(variants):
                return [name for name, _ in variants]
            case PlainEnumTypeDef(variants):
                return list(variants)
        return None

    def _bounded(self, kind: AlgebraicType) -> tuple[Any, int]:
        if isinstance(kind, Primitive):
            return kind.name, 1
        if isinstance(kind, Ref):
            name = self.name(kind.index)
            if name is not None:
                return {"type": name}, 1
            if kind.index not in self._made:
                self._made[kind.index] = {"circle": True}, 1  # none in valid definitions
                self._made[kind.index] = self._bounded(self.module.typespace[kind.index])
            return self._made[kind.index]
        made, size = self._composite(kind)
        return (made, size) if size <= MAX_PARTS else ({"digest": _digest(made)}, 1)

    def _composite(self, kind: AlgebraicType) -> tuple[Any, int]:
        if isinstance(kind, ArrayType):
            element, size = self._bounded(kind.element)
            return {"array": element}, size + 1
        if isinstance(kind, (ProductType, SumType)):
            parts = [(one.name, *self._bounded(one.algebraic_type)) for one in kind]
            word = "product" if isinstance(kind, ProductType) else "sum"
            return {word: [[name, made] for name, made, _ in parts]}, 1 + sum(size for *_, size in parts)
        return self._bounded(kind)
