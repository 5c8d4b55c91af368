"""Promises about names: the canonical ones that clients send, and those that generated code is made of. (spec: compat 7.1)"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from bsatn.frozen import frozen
from defs.migrate.rules.comparison import Comparison, Pair, columns_of, is_callable
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.texts import listed
from defs.migrate.rules.uses import Use, client_uses
from defs.migrate.rules.wire import BREAKING, Difference, Kind
from defs.schema.model import ProcedureDef, ReducerDef, TableDef, ViewDef

__all__: list[str] = []


def _visible(item: Any) -> bool:
    return bool(item.is_public) if isinstance(item, (TableDef, ViewDef)) else is_callable(item)


def _renamed(both: Comparison) -> Iterator[Pair[Any]]:
    for kind in (both.relations, both.reducers, both.procedures):
        yield from kind.renamed()


def _kept(both: Comparison) -> Iterator[Pair[Any]]:
    for kind in (both.relations, both.reducers, both.procedures):
        yield from kind.both


@rule(
    "CANONICAL_NAME_SAME",
    "What keeps its name in the source keeps the name that clients send",
    axis="client",
    severity="error",
    why=(
        "Clients call and subscribe by the canonical name. It changes with the policy for upper and lower case, for one when "
        "a module is built with bindings that convert names; a table under another name is another table, without the rows."
    ),
    fix="Give the canonical name explicitly, or set the policy so that names are not converted.",
    upgrade_first="lock-step",
    spec="compat 6.4, 7.2",
)
def canonical(both: Comparison) -> Iterator[Hit]:
    """Things that are gone and there again, under the same name in the source."""
    for pair in _renamed(both):
        old, new = pair.items
        if _visible(old):
            name = ".".join((*pair.new.module.path, new.name))
            message = f"`{old.accessor_name}` was `{'.'.join((*pair.old.module.path, old.name))}` to clients, is `{name}`"
            yield Hit(*pair.paths(), pair.element, message)


@rule(
    "COLUMN_NAME_SAME",
    "The columns that clients name in queries keep their names",
    axis="client",
    severity="warning",
    why="Rows are read by position and do not notice. Queries that name the column are refused.",
    fix="Keep the canonical name, and rename the column in the source only.",
    upgrade_first="clients",
)
def column_names(both: Comparison) -> Iterator[Hit]:
    """Columns at the same place, under another name."""
    for pair in both.shown:
        old, new = (columns_of(item) for item in pair.items)
        after = {name for column in new for name in (column.name, column.accessor_name)}
        before = {column.name for column in old}
        for column, other in zip(old, new, strict=False):
            if column.name not in after and other.name not in before:
                element = f"{pair.element} / column {column.name}"
                paths = pair.old.path("columns", column.name), pair.new.path("columns", other.name)
                yield Hit(*paths, element, f"column `{column.name}` is called `{other.name}` now")


@rule(
    "MEMBER_NAMES_SAME",
    "Fields and variants that clients send or receive keep their names",
    axis="client",
    severity="warning",
    why="BSATN has no names, and does not notice. JSON has: what is written with the old names is refused, or not understood.",
    fix="Keep the names.",
    upgrade_first="lock-step",
)
def members(both: Comparison) -> Iterator[Hit]:
    """Names within arguments, results and columns."""
    for use in client_uses(both):
        found = use.differences(both)
        if any(one.kind in BREAKING for one in found):
            continue
        inner = (one for one in found if len(one.steps) > 1 or use.what == "a result" or not one.written)
        changes = dict.fromkeys(_member(one, use) for one in inner)
        if changes:
            yield Hit(*use.paths, use.element, f"in {use.what}: {listed(changes)}")


def _member(one: Difference, use: Use) -> str:
    place = f" of {one.place}" if one.place else ""
    if not one.written:
        return f"the parts{place} are grouped in another way"
    old, new = (one.written, one.read) if use.written_by == "old" else (one.read, one.written)
    return f"{'variant' if one.kind is Kind.VARIANT_RENAMED else 'field'} `{old}`{place} is called `{new}` now"


@rule(
    "ACCESSOR_NAME_SAME",
    "Names in generated code stay",
    axis="client",
    severity="note",
    why="Nothing changes for clients that run. Code that is generated anew has the new name, and what uses it must follow.",
    fix="Keep the name in the source, or rename it in the clients when they are generated anew.",
    upgrade_first="either",
    spec="compat 4.3, 7.2",
)
def accessors(both: Comparison) -> Iterator[Hit]:
    """Tables, views, functions and columns under another name in the source."""
    for pair in _kept(both):
        old, new = pair.items
        if not (_visible(old) and _visible(new)):
            continue
        if pair.old.source != pair.new.source:
            was, becomes = (".".join((*path, name)) for path, name in (pair.old.source, pair.new.source))
            yield Hit(*pair.paths(), pair.element, f"`{was}` is `{becomes}` in generated code now")
        for part in _PARTS:
            if isinstance(old, part.of) and isinstance(new, part.of):
                yield from _aliases(part, pair)


@frozen
class _Part:
    """Parts that have names in generated code."""

    noun: str
    of: tuple[type, ...]  #: the things that have such parts
    aliases: Callable[[Any], dict[tuple[Any, ...], str | None]]  #: by what they are paired by, its name first
    place: str | None = None  #: the collection in paths, if they have a place there


_PARTS: Final = (
    _Part(
        "column",
        (TableDef, ViewDef),
        lambda one: {(column.name,): column.accessor_name for column in columns_of(one)},
        "columns",
    ),
    _Part("index", (TableDef,), lambda one: {(n, i.columns): i.accessor_name for n, i in one.indexes.items()}, "indexes"),
    _Part(
        "parameter",
        (ViewDef, ReducerDef, ProcedureDef),
        lambda one: {(param.name,): source.name for param, source in zip(one.params, one.source_params, strict=True)},
    ),
)


def _aliases(part: _Part, pair: Pair[Any]) -> Iterator[Hit]:
    before, after = map(part.aliases, pair.items)
    for key, alias in before.items():
        other = after.get(key, alias)
        if other != alias:
            was, becomes = (f"`{one}`" if one else "nothing" for one in (alias, other))
            paths = pair.paths(part.place, key[0]) if part.place else pair.paths()
            message = f"the {part.noun} is {becomes} in generated code now, was {was}"
            yield Hit(*paths, f"{pair.element} / {part.noun} {key[0]}", message)


@rule(
    "TYPE_NAME_SAME",
    "The types that clients name in their code keep their names",
    axis="client",
    severity="note",
    why="The wire has no names of types. Code that is generated anew does not have the type under the old name.",
    fix="Keep the name, or rename it in the clients when they are generated anew.",
    upgrade_first="either",
)
def types(both: Comparison) -> Iterator[Hit]:
    """Named types that clients used, and that are not there."""
    after = {(module.path, name) for module in both.new.modules() for name in module.types}
    for module in both.old.modules():
        used = both.kept_types(module)
        for name, one in module.types.items():
            if (module.path, name) not in after and one.ty in used:
                path = (*module.path, "types", str(name))
                yield Hit(path, None, f"type {'.'.join((*module.path, str(name)))}", f"no type is called `{name}` any more")


@rule(
    "VIEW_SAME_KIND",
    "A view goes on returning one row at most, or any number",
    axis="client",
    severity="note",
    why="Rows arrive as before. Code that is generated anew may offer them in another way.",
    fix="Look at what uses the view when clients are generated anew.",
    upgrade_first="either",
    since="1.8.0",
)
def view_kind(both: Comparison) -> Iterator[Hit]:
    """Views that returned an option and return rows, or the other way round."""
    for pair in both.shown_views:
        if both.returns_option(pair.old) != both.returns_option(pair.new):
            change = "one row at most" if both.returns_option(pair.new) else "any number of rows"
            yield Hit(*pair.paths(), pair.element, f"`{pair.old.item.name}` returns {change} now")
