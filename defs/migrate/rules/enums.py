"""Promises about sums, whose values are the number of a variant: what a number stands for must stay. (spec: compat 7.2)"""

from __future__ import annotations

from collections.abc import Iterator

from defs.migrate.rules.comparison import Comparison
from defs.migrate.rules.model import Hit, rule
from defs.migrate.rules.stored import stored_uses
from defs.migrate.rules.texts import listed
from defs.migrate.rules.uses import Use, client_uses
from defs.migrate.rules.wire import Difference, Kind

__all__: list[str] = []


def _message(found: list[Difference]) -> str:
    moved = [f"`{one.written}` as `{one.read}`" for one in found if one.kind is Kind.VARIANT_MOVED]
    unknown = [f"`{one.written}`" for one in found if one.kind is Kind.VARIANT_UNKNOWN]
    texts = [f"reads {listed(moved)}"] * bool(moved) + [f"knows no {listed(unknown)}"] * bool(unknown)
    place = found[0].place
    return f"{'in ' + place + ': ' if place else ''}whoever reads it {' and '.join(texts)}"


def _tags(both: Comparison, use: Use) -> Iterator[Hit]:
    """Variants that moved; and variants that are gone, where an old value is read."""
    kinds = {Kind.VARIANT_MOVED} | ({Kind.VARIANT_UNKNOWN} if use.written_by == "old" else set())
    found = [one for one in use.differences(both) if one.kind in kinds]
    if found:
        yield use.hit(both, found, _message(found), f"{use.what} with a variant whose number means another one, or none")


_FIX = "Append variants at the end, and leave those that are no longer used where they are."


@rule(
    "ENUM_VARIANTS_APPEND_ONLY",
    "The variants of stored enums keep their places",
    axis="data",
    severity="error",
    why="A stored value says the variant by its position, so stored rows would mean other variants, or none.",
    fix=_FIX,
    upgrade_first="lock-step",
    spec="compat 4.1, 7.2",
)
def stored_tags(both: Comparison) -> Iterator[Hit]:
    """Sums in the columns of stored rows."""
    for use in stored_uses(both):
        yield from _tags(both, use)


@rule(
    "ENUM_TAGS_SAME",
    "The variants of enums that clients send or receive keep their places",
    axis="client",
    severity="error",
    why=(
        "On the wire a variant is its position. A client that was generated before sends and reads the old positions: after a "
        "change of order one variant is taken for another without any error, if their payloads look alike."
    ),
    fix=_FIX,
    upgrade_first="lock-step",
)
def client_tags(both: Comparison) -> Iterator[Hit]:
    """Sums in arguments, results and rows."""
    for use in client_uses(both):
        yield from _tags(both, use)


@rule(
    "ENUM_NO_NEW_VARIANT_SENT",
    "Clients receive no variants that they do not know",
    axis="client",
    severity="warning",
    why=(
        "The server accepts a new variant at the end, and disconnects nobody. As soon as a row or a result uses it, clients "
        "that were generated before fail to read it: Rust and C# with an error, TypeScript not at all, it goes on with what "
        "follows as if the variant had no payload."
    ),
    fix="Use the new variant only after clients were upgraded; or keep it in a column or a table of its own.",
    upgrade_first="clients",
)
def new_variants(both: Comparison) -> Iterator[Hit]:
    """Sums in results and rows."""
    for use in client_uses(both):
        found = [one for one in use.differences(both) if one.kind is Kind.VARIANT_UNKNOWN]
        if found and use.written_by == "new":
            yield use.hit(both, found, _message(found), f"{use.what} with the new variant, as an old client reads it")
