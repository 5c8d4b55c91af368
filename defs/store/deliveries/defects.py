"""Where the server is defective in what it delivers, and what happens here. (spec: event-tables 1.9)"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["DEFECTS", "Defect"]


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect: what the server does, what is done by default, and why. With `upstream=True` all is as the server does it."""

    name: str
    server: str
    here: str
    reason: str

    @property
    def is_repeated(self) -> bool:
        """Whether the default is what the server does."""
        return self.here == _SAME


_SAME: Final = "the same"

DEFECTS: Final[tuple[Defect, ...]] = (
    Defect(
        "self-join-pruning",
        "of a table joined with itself, holds the terms `column = constant` of both aliases against every changed row, and "
        "delivers nothing where none fits, though the other alias has changed",
        "terms are held against the alias that they are about",
        "clients would miss rows, and keep rows that are gone",
    ),
    Defect(
        "legacy-subscribe-events",
        "V1's legacy Subscribe takes queries that return event tables, which its messages cannot tell from rows to keep",
        "they are refused, as by every other message of V1",
        "such a client would keep each event for ever",
    ),
    Defect(
        "events-join-the-past",
        "an event is joined with the other table as it was before the transaction: a row inserted along with it is not found",
        _SAME,
        "modules are written with that in mind, and clients must see what they will see from the server",
    ),
    Defect(
        "joined-rows-never-leave",
        "a join with an event table that returns the other table sends its row for each event, and never takes it away",
        _SAME,
        "the event is gone when the transaction is, so there is no later moment at which the row would leave",
    ),
    Defect(
        "ok-never-empty",
        "a reducer that changed nothing for its caller is answered with Ok and no rows, never with OkEmpty",
        _SAME,
        "harmless, and what clients are tested with",
    ),
)
