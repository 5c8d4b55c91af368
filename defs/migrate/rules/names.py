"""Promises about names: the canonical ones that clients send, and those that generated code is made of. (spec: compat 7.1)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from defs.migrate.rules.comparison import Comparison, Pair, columns_of, is_callable
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.texts import listed
from defs.migrate.rules.uses import Use, client_uses
from defs.migrate.rules.wire import BREAKING, Difference, Kind
from defs.schema.model import TableDef, ViewDef

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
        if isinstance(old, (TableDef, ViewDef)):
            yield from _columns(pair)
        if isinstance(old, TableDef) and isinstance(new, TableDef):
            yield from _indexes(pair)
        if not isinstance(old, TableDef) and not isinstance(new, TableDef):
            yield from _params(pair)


def _indexes(pair: Pair[Any]) -> Iterator[Hit]:
    """Indexes by name; one that is over other columns is another one."""
    for name, index in pair.old.item.indexes.items():
        other = pair.new.item.indexes.get(name)
        if other is not None and other.columns == index.columns and other.accessor_name != index.accessor_name:
            was, becomes = (f"`{one.accessor_name}`" if one.accessor_name else "nothing" for one in (index, other))
            paths = pair.paths("indexes", name)
            yield Hit(*paths, f"{pair.element} / index {name}", f"the index is {becomes} in generated code now, was {was}")


def _params(pair: Pair[Any]) -> Iterator[Hit]:
    """Parameters by their canonical names."""
    old, new = ({one.name: written.name for one, written in zip(i.params, i.source_params, strict=True)} for i in pair.items)
    for name, source in old.items():
        if new.get(name, source) != source:
            message = f"parameter `{source}` is `{new[name]}` in generated code now"
            yield Hit(*pair.paths(), f"{pair.element} / parameter {name}", message)


def _columns(pair: Pair[Any]) -> Iterator[Hit]:
    after = {column.name: column.accessor_name for column in columns_of(pair.new.item)}
    for column in columns_of(pair.old.item):
        name = after.get(column.name, column.accessor_name)
        if name != column.accessor_name:
            paths = pair.paths("columns", column.name)
            element = f"{pair.element} / column {column.name}"
            yield Hit(*paths, element, f"`{column.accessor_name}` is `{name}` in generated code now")


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
    for pair in both.views.both:
        old, new = pair.items
        if old.is_public and new.is_public and both.returns_option(pair.old) != both.returns_option(pair.new):
            change = "one row at most" if both.returns_option(pair.new) else "any number of rows"
            yield Hit(*pair.paths(), pair.element, f"`{old.name}` returns {change} now")
