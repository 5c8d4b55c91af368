"""Promises to clients that read rows: of public tables, event tables among them, and of public views. (spec: compat 7.1)

Rows arrive one after another. A Rust client cuts each out by the offsets that come with them and ignores what is left of it;
C# and TypeScript clients read on where the row before ended.
"""

from __future__ import annotations

from collections.abc import Iterator

from defs.migrate.rules.comparison import Comparison, Pair, Relation, columns_of
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.texts import listed, type_text
from defs.migrate.rules.uses import Use
from defs.migrate.rules.wire import BREAKING, ENUM, Difference, Kind

__all__: list[str] = []


def _broken(both: Comparison) -> Iterator[tuple[Pair[Relation], Use, list[Difference]]]:
    """Relations whose rows an old client does not read as they were meant, but for their enums."""
    for pair in both.shown:
        use = Use.of_rows(pair)
        found = [one for one in use.differences(both) if one.kind in BREAKING - ENUM]
        if found:
            yield pair, use, found


def _appended(found: list[Difference]) -> bool:
    """Whether all there is to it are columns after the others."""
    return all(one.kind is Kind.LONGER and not one.steps for one in found)


def _changes(pair: Pair[Relation]) -> str:
    """What happened to the columns, in words."""
    old, new = (columns_of(item) for item in pair.items)
    before, after = ({column.name: column for column in columns} for columns in (old, new))
    order = [name for name in after if name in before]
    kept = [name for name in before if name in after]
    retyped = (f"{name} ({_types(pair, name)})" for name in kept if _types(pair, name) is not None)
    parts = {
        "new": (name for name in after if name not in before),
        "gone": (name for name in before if name not in after),
        "moved": (name for name, other in zip(kept, order, strict=True) if name != other),
        "retyped": retyped,
    }
    return "; ".join(f"{what}: {text}" for what, names in parts.items() if (text := listed(names))) or "types within changed"


def _types(pair: Pair[Relation], name: str) -> str | None:
    places = (pair.old, pair.new)
    kinds = [next(column.ty for column in columns_of(one.item) if column.name == name) for one in places]
    was, becomes = (type_text(kind, one.module) for kind, one in zip(kinds, places, strict=True))
    return None if was == becomes else f"{was}, now {becomes}"


@rule(
    "ROW_SAME_COLUMNS",
    "The rows that clients read keep their columns, with order and types",
    axis="client",
    severity="error",
    why=(
        "A client that was generated before reads the bytes of a row as the columns that it knows. The server disconnects "
        "clients when it replaces columns, and lets old ones connect again; for event tables and views it accepts any change."
    ),
    fix="Add a table or a view with the new columns, and keep this one until no client reads it.",
    upgrade_first="lock-step",
)
def same_columns(both: Comparison) -> Iterator[Hit]:
    """Rows whose columns an old client does not find where they were."""
    for pair, use, found in _broken(both):
        if not _appended(found):
            message = f"the columns of its rows differ: {_changes(pair)}"
            yield use.hit(both, found, message, "a row of the new module, as an old client reads it")


@rule(
    "ROW_NO_NEW_COLUMNS",
    "The rows that clients read get no columns at their end",
    axis="client",
    severity="error",
    why=(
        "Rust clients ignore what follows the columns that they know. C# and TypeScript clients take it for the beginning of "
        "the next row: wrong rows, or an error. The server disconnects clients, and lets old ones connect again."
    ),
    fix=(
        "Put the new columns into a table of their own, by the same key; or upgrade C# and TypeScript clients together with "
        "the server."
    ),
    upgrade_first="lock-step",
)
def no_new_columns(both: Comparison) -> Iterator[Hit]:
    """Rows that got longer, and are as before otherwise."""
    for pair, use, found in _broken(both):
        if _appended(found):
            old, new = (columns_of(item) for item in pair.items)
            names = listed(f"`{column.name}`" for column in new[len(old) :])
            shows = "two rows of the new module, as a C# client generated before reads them; a Rust client reads them well"
            yield use.hit(both, found, f"its rows end in new columns: {names}", shows, reading="rows")
