"""Promises about what is neither table nor function: routes, filters on rows, the environment, other databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from defs.migrate.environment import stricter
from defs.migrate.rules.comparison import Comparison
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.texts import shortened
from defs.raw.v10 import AnyMethod, Extension, HttpMethod, MethodOrAny
from defs.schema.model import ModuleDef

__all__: list[str] = []

_Answered: TypeAlias = dict[str, list[HttpMethod | None]]


def _answered(module: ModuleDef) -> _Answered:
    """Methods by path; None for any."""
    found: _Answered = {}
    for route in module.http_routes:
        found.setdefault(route.path, []).append(_method(route.method))
    return found


def _method(method: MethodOrAny) -> HttpMethod | None:
    return None if isinstance(method, AnyMethod) else method.method


def _name(method: HttpMethod | None) -> str:
    if isinstance(method, Extension):
        return method.name
    return "any method" if method is None else type(method).__name__.upper()


@rule(
    "HTTP_ROUTE_NO_REMOVE",
    "A path and method that a handler answers goes on being answered",
    axis="client",
    severity="error",
    why="Callers get the answer 404. The server does not compare routes when it publishes.",
    fix="Keep the route, to the same handler or to one that tells where to go.",
    upgrade_first="clients",
)
def routes(both: Comparison) -> Iterator[Hit]:
    """Routes that no route of the new definition covers."""
    after = _answered(both.new)
    told: set[tuple[str, str]] = set()
    for route in both.old.http_routes:
        method = _method(route.method)
        name = _name(method)
        answered = after.get(route.path, [])
        if None in answered or method in answered or (name, route.path) in told:
            continue
        told.add((name, route.path))
        element = f"route {name} {shortened(route.path)}"
        yield Hit(("http_routes", name, route.path), None, element, f"nothing answers {name} at `{shortened(route.path)}`")


@rule(
    "RLS_SAME",
    "The rules about who sees which rows stay",
    axis="client",
    severity="note",
    why="Clients see other rows than before. From 1.8 on the server disconnects all of them.",
    fix="None is needed if that is what was meant.",
    upgrade_first="either",
)
def row_level_security(both: Comparison) -> Iterator[Hit]:
    """Rules that are on one side only, as their text says."""
    old, new = (dict.fromkeys(side.row_level_security) for side in (both.old, both.new))
    for sql in old:
        if sql not in new:
            yield Hit(("row_level_security", sql), None, "row-level security", f"a rule is gone: {shortened(sql)}")
    for sql in new:
        if sql not in old:
            yield Hit(None, ("row_level_security", sql), "row-level security", f"a rule is new: {shortened(sql)}")


@rule(
    "ENVIRONMENT_NOT_STRICTER",
    "The environment that served the old module serves the new one",
    axis="server",
    severity="warning",
    why="Publishing fails while a required variable has no value, or one that is not allowed. The check before does not look.",
    fix="Set the variable when publishing, or make it optional.",
    upgrade_first="server",
    since="2.12.0",
    spec="compat 6.3",
)
def environment(both: Comparison) -> Iterator[Hit]:
    """Variables that are required, or less of whose values are allowed."""
    for name, known, message in stricter(both.old, both.new):
        path = ("environment", name)
        yield Hit(path if known else None, path, f"environment variable {name}", message)


@rule(
    "OUTBOX_SAME_CALL",
    "An outbox goes on calling the same reducer with the same arguments",
    axis="client",
    severity="note",
    why="The database that is called compares the signature, and refuses calls with another one.",
    fix="Publish the database that is called first, with a reducer that takes them.",
    upgrade_first="server",
    since="2.12.0",
)
def outboxes(both: Comparison) -> Iterator[Hit]:
    """Outboxes that call something else."""
    for pair in both.tables.both:
        old, new = pair.old.item.outbox, pair.new.item.outbox
        if old is None or new is None:
            continue
        before, after = ((one.remote_reducer, one.arg_columns, one.signature_hash) for one in (old, new))
        if before != after:
            what = f"calls `{new.remote_reducer}` instead of `{old.remote_reducer}`"
            if old.remote_reducer == new.remote_reducer:
                what = f"calls `{new.remote_reducer}` with other arguments"
            yield Hit(*pair.paths(), pair.element, what)
