"""HTTP handlers and the routes to them. (spec: validation 2.11)"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bsatn.paths import Path
from defs.raw.v10 import AnyMethod, MethodOrAny, RawHttpHandlerDefV10, RawHttpRouteDefV10
from defs.schema.model import HttpHandlerDef, HttpRouteDef
from defs.validate.collect import Collector, Faults
from defs.validate.errors import DuplicateHttpHandlerName, DuplicateHttpRoute, InvalidHttpRoutePath, MissingHttpHandler
from defs.validate.naming import identifier
from defs.validate.scope import Scope

__all__ = ["handler", "routes"]

_ROUTE = re.compile(r"(?:/[a-z0-9_~/-]*)?", re.ASCII)


def handler(scope: Scope, raw: RawHttpHandlerDefV10, path: Path) -> HttpHandlerDef:
    """One handler."""
    collected = Collector()
    accessor = collected.attempt(identifier, raw.source_name, path)
    name = collected.attempt(scope.names.function, raw.source_name, path)
    collected.done()
    assert name is not None
    assert accessor is not None
    return HttpHandlerDef(name, accessor)


def routes(
    scope: Scope, raws: Sequence[RawHttpRouteDefV10], handlers: Sequence[HttpHandlerDef], path: Path
) -> list[HttpRouteDef]:
    """The routes: handlers have names of their own, every route leads to one, and no two answer the same request."""
    unique = Collector()
    seen: set[str] = set()
    for place, one in enumerate(handlers):
        if one.name in seen:
            unique.add(DuplicateHttpHandlerName(one.name, path=(*tuple(path)[:-1], "http_handlers", place)))
        seen.add(one.name)
    unique.done()
    collected = Collector()
    found = [collected.attempt(_route, scope, raw, seen, (*path, place)) for place, raw in enumerate(raws)]
    collected.done()
    made = [one for one in found if one is not None]
    by_path: dict[str, list[MethodOrAny]] = {}
    for place, route in enumerate(made):
        earlier = by_path.setdefault(route.path, [])
        if any(AnyMethod() in (other, route.method) or other == route.method for other in earlier):
            collected.add(DuplicateHttpRoute(route.path, route.method, path=(*path, place)))
        earlier.append(route.method)
    collected.done()
    return made


def _route(scope: Scope, raw: RawHttpRouteDefV10, known: set[str], path: Path) -> HttpRouteDef:
    if not _ROUTE.fullmatch(raw.path):
        raise Faults(InvalidHttpRoutePath(raw.path, path=(*path, "path")))
    name = scope.names.function(raw.handler_function, path)
    if name not in known:
        raise Faults(MissingHttpHandler(raw.handler_function, path=tuple(path)))
    return HttpRouteDef(name, raw.method, raw.path)
