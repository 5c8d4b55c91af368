"""One finding for one fact: what rules say and the server says as well is told once, as what the server says.

`SAME` declares it: a finding of a rule and one of the server that has one of these kinds, at the same place, are one. What the
rule knows besides, such as a witness, goes with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bsatn.frozen import frozen
from defs.migrate.reports.model import Entry

__all__ = ["SAME", "Same", "told_once"]


@frozen
class Same:
    """What the server calls that which breaks a rule."""

    kinds: tuple[str, ...]  #: how its names for it begin
    adds: bool = False  #: whether the rule's sentence says more than the server's


_TYPE: Final = ("ChangeColumnType", "ChangeWithinColumnType")

SAME: Final[dict[str, Same]] = {
    "COLUMN_ADDED_HAS_DEFAULT": Same(("AddColumn",)),
    "COLUMN_NO_ADD": Same(("AddColumn",)),
    "COLUMN_NO_REMOVE": Same(("RemoveColumn",)),
    "COLUMN_ORDER_SAME": Same(("ReorderTable",), adds=True),
    "COLUMN_SAME_TYPE": Same(_TYPE),
    "ENUM_VARIANTS_APPEND_ONLY": Same(_TYPE, adds=True),
    "EVENT_FLAG_SAME": Same(("ChangeTableEventFlag",), adds=True),
    "ENVIRONMENT_NOT_STRICTER": Same(("RequiredVariable",), adds=True),
}


def told_once(server: Iterable[Entry], rules: Iterable[Entry]) -> list[Entry]:
    """The findings of both, with one for each fact: the server's first, with what is `also` broken."""
    told = list(dict.fromkeys(server))
    places: dict[object, list[int]] = {}
    for at, entry in enumerate(told):
        places.setdefault(entry.path_new, []).append(at)
    others = []
    for entry in dict.fromkeys(rules):
        same = SAME.get(entry.rule.id)
        near = places.get(entry.path_new or entry.path_old, ()) if same else ()
        found = next((at for at in near if same and (told[at].kind or "").startswith(same.kinds)), None)
        if same is None or found is None:
            others.append(entry)
        else:
            told[found] = _both(told[found], entry, adds=same.adds)
    return told + others


def _both(server: Entry, entry: Entry, *, adds: bool) -> Entry:
    message = f"{server.message}: {entry.message}" if adds else server.message
    witness = server.witness or entry.witness
    return replace(server, message=message, witness=witness, also=(*server.also, entry.rule.id))
