"""Promises to clients that subscribe to tables and views: they stay, stay public, and keep their keys. (spec: compat 7.1)"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from bsatn.frozen import frozen
from defs.migrate.rules.comparison import Comparison, Pair, Relation, columns_of, row_type
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.texts import listed
from defs.migrate.rules.uses import Use
from defs.migrate.rules.wire import BREAKING
from defs.migrate.rules.witness import Typed
from defs.schema.model import TableDef, ViewDef

__all__: list[str] = []


@frozen
class _Removal:
    """A rule that relations of a kind stay."""

    kind: type[Relation]
    why: str
    since: str | None = None


_REMOVALS: Final = {
    "TABLE": _Removal(
        TableDef,
        "Subscriptions to it are refused. The server removes a table only while it is empty, and disconnects all clients.",
    ),
    "VIEW": _Removal(ViewDef, "Subscriptions to it are refused, and all clients are disconnected.", since="1.8.0"),
}


def _removed(both: Comparison, kind: type[Relation]) -> Iterator[Hit]:
    for one in both.relations.removed():
        if isinstance(one.item, kind) and one.item.is_public:
            yield Hit(one.path(), None, one.element, f"{one.noun} `{one.item.name}` is gone")


for _name, _one in _REMOVALS.items():
    rule(
        f"{_name}_NO_REMOVE",
        f"A public {_name.lower()} stays",
        axis="client",
        severity="error",
        why=_one.why,
        fix="Keep it until no client subscribes to it.",
        upgrade_first="clients",
        since=_one.since,
    )(partial(_removed, kind=_one.kind))


@rule(
    "RELATION_STAYS_PUBLIC",
    "A public table or view stays public",
    axis="client",
    severity="error",
    why="New subscriptions to it are refused. The server accepts the change and disconnects nobody, so it shows late.",
    fix="Keep it public; or add a view that shows clients what they may see, and wait until they use it.",
    upgrade_first="clients",
)
def made_private(both: Comparison) -> Iterator[Hit]:
    """Tables and views that clients could read."""
    for pair in both.relations.both:
        if pair.old.item.is_public and not pair.new.item.is_public:
            yield Hit(*pair.paths(), pair.element, f"`{pair.old.item.name}` is private now")


@rule(
    "TABLE_NOT_ADDED_TO_ALL",
    "Clients that subscribe to all tables know each of them",
    axis="client",
    severity="note",
    why=(
        "Only of interest if clients subscribe to all tables at once (`SELECT * FROM *`): they then get rows of a table that "
        "they were not generated with, which is an error in Rust, and logged and skipped in C#."
    ),
    fix="None is needed where clients name the tables that they subscribe to.",
    upgrade_first="either",
)
def tables_added(both: Comparison) -> Iterator[Hit]:
    """Public tables that are new."""
    renamed = {pair.new.key for pair in both.tables.renamed()}
    for one in both.tables.added:
        if one.item.is_public and not one.item.is_event and one.key not in renamed:
            yield Hit(None, one.path(), one.element, f"table `{one.item.name}` is new")


# Keys -------------------------------------------------------------------------------------------------------


def _names(relation: Relation, columns: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(columns_of(relation)[column].name for column in columns)


def _unique(relation: Relation, names: tuple[str, ...]) -> bool:
    """Whether no two rows agree on the columns."""
    if isinstance(relation, ViewDef):
        return False
    return any(set(_names(relation, one.columns)) <= set(names) for one in relation.constraints.values())


def _columns_kept(pair: Pair[Relation], names: tuple[str, ...]) -> bool:
    return set(names) <= {column.name for column in columns_of(pair.new.item)}


def _same_key(both: Comparison, pair: Pair[Relation], names: tuple[str, ...], message: str, shows: str) -> Hit:
    """Rows that the new definition allows, and that clients mistake for one; shown where clients read rows as they are."""
    row = Typed(row_type(pair.new.item), pair.new.module)
    columns = [column.col_id for column in columns_of(pair.new.item) if column.name in names]
    readable = not any(one.kind in BREAKING for one in Use.of_rows(pair).differences(both))
    witness = both.demonstrator.same_key(row, columns, shows) if readable else None
    return Hit(*pair.paths(), pair.element, message, witness)


@rule(
    "PRIMARY_KEY_SAME",
    "A primary key stays, and stays the same column",
    axis="client",
    severity="error",
    why=(
        "Clients keep rows by their primary key. One that was generated before goes on using the old column: rows that "
        "agree on it replace one another in its cache. The server accepts the change and disconnects nobody."
    ),
    fix="Keep the old column unique, so that no two rows agree on it, until all clients were generated anew.",
    upgrade_first="lock-step",
)
def primary_key(both: Comparison) -> Iterator[Hit]:
    """Relations whose old key two rows may share."""
    for pair in both.cached:
        old, new = pair.items
        if old.primary_key is None:
            continue
        names = _names(old, (old.primary_key,))
        key = None if new.primary_key is None else _names(new, (new.primary_key,))
        if key != names and _columns_kept(pair, names) and not _unique(new, names):
            message = f"the primary key was `{names[0]}`, {f'is `{key[0]}`' if key else 'and there is none now'}"
            yield _same_key(both, pair, names, message, f"two rows with the same `{names[0]}`: an old client keeps one of them")


@rule(
    "PRIMARY_KEY_NOT_ADDED",
    "A table or view without primary key gets none",
    axis="client",
    severity="note",
    why="Clients that were generated before see an update as a deletion and an insertion, until they are generated anew.",
    fix="Generate clients anew if they want to see updates.",
    upgrade_first="either",
)
def primary_key_added(both: Comparison) -> Iterator[Hit]:
    """Relations that have a key now."""
    for pair in both.cached:
        old, new = pair.items
        if old.primary_key is None and new.primary_key is not None:
            (name,) = _names(new, (new.primary_key,))
            yield Hit(pair.old.path(), pair.new.path("columns", name), pair.element, f"the primary key is `{name}` now")


@rule(
    "UNIQUE_NO_REMOVE",
    "Columns that are unique stay unique",
    axis="client",
    severity="error",
    why=(
        "Generated code finds the one row by a unique column. One that was generated before goes on doing so, and of several "
        "rows finds any. The server accepts the change and disconnects nobody."
    ),
    fix="Keep the constraint until all clients were generated anew.",
    upgrade_first="clients",
)
def unique(both: Comparison) -> Iterator[Hit]:
    """Constraints that are gone, unless another one says as much."""
    for pair in both.cached:
        old, new = pair.items
        for constraint in old.constraints.values() if isinstance(old, TableDef) else ():
            names = _names(old, constraint.columns)
            is_key = constraint.columns == (old.primary_key,) and _names(old, constraint.columns) != _new_key(new)
            if not is_key and _columns_kept(pair, names) and not _unique(new, names):
                text = listed(f"`{name}`" for name in names)
                message = f"{text} {'is' if len(names) == 1 else 'are'} not unique any more"
                yield _same_key(both, pair, names, message, f"two rows with the same {text}, of which an old client finds one")


def _new_key(relation: Relation) -> tuple[str, ...] | None:
    return None if relation.primary_key is None else _names(relation, (relation.primary_key,))


@rule(
    "INDEX_NO_REMOVE",
    "Columns that subscriptions join on stay indexed",
    axis="client",
    severity="warning",
    why="A subscription with a join needs an index on the column it looks rows up by; without it the server refuses it.",
    fix="Keep an index over the same columns, of any algorithm and under any name.",
    upgrade_first="clients",
)
def indexes(both: Comparison) -> Iterator[Hit]:
    """Indexes that are gone, unless another one is over the same columns."""
    for pair in both.cached:
        old, new = pair.items
        if not isinstance(old, TableDef) or not isinstance(new, TableDef):
            continue
        kept = {_names(new, index.columns) for index in new.indexes.values()}
        gone = dict.fromkeys(_names(old, index.columns) for index in old.indexes.values())
        for names in gone:
            if names not in kept and _columns_kept(pair, names):
                text = listed(f"`{name}`" for name in names)
                yield Hit(*pair.paths(), pair.element, f"there is no index over {text} any more")


# Views ------------------------------------------------------------------------------------------------------


@rule(
    "VIEW_SAME_PARAMS",
    "A view's parameters keep their names, order and types",
    axis="client",
    severity="error",
    why="Subscriptions that pass arguments were made for the old parameters. All clients are disconnected.",
    fix="Add a view with the new parameters under a new name.",
    upgrade_first="lock-step",
    since="1.8.0",
)
def view_params(both: Comparison) -> Iterator[Hit]:
    """Views that take something else."""
    for pair in both.shown_views:
        old, new = pair.items
        use = Use.of_params(pair)
        found = [one for one in use.differences(both) if one.kind in BREAKING]
        if found or [one.name for one in old.params] != [one.name for one in new.params]:
            message = f"takes {use.read.text} where it took {use.written.text}"
            yield use.hit(both, found, message, "the arguments of an old client, as the new module reads them")


@rule(
    "VIEW_SAME_CONTEXT",
    "A view goes on knowing, or not knowing, who asks",
    axis="client",
    severity="note",
    why="The server takes it for another view and disconnects all clients; what they see may now depend on who they are.",
    fix="Add a view under a new name.",
    upgrade_first="either",
    since="1.8.0",
)
def view_context(both: Comparison) -> Iterator[Hit]:
    """Views that became anonymous, or ceased to be."""
    for pair in both.shown_views:
        old, new = pair.items
        if old.is_anonymous != new.is_anonymous:
            change = "does not know any more who asks" if new.is_anonymous else "knows who asks now"
            yield Hit(*pair.paths(), pair.element, f"`{old.name}` {change}")
