"""What a conversion loses: where, what, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bsatn.errors import BsatnError
from bsatn.paths import format_path

__all__ = ["Loss", "LossyConversion", "Path"]

Path: TypeAlias = tuple[str | int, ...]

_TOLD = 5  #: losses that the message of an exception repeats


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the other version cannot say."""

    path: Path  #: of the definition in the ModuleDef: `("tables", "players", "indexes", "by_name")`; () is the module
    what: str  #: what is lost, `the table is an event table`
    why: str  #: what comes of it, `it becomes an ordinary table, which keeps its rows`

    def __str__(self) -> str:
        where = f"{format_path(self.path)}: " if self.path else ""
        return f"{where}{self.what}; {self.why}"


class LossyConversion(BsatnError):
    """A conversion would lose something, and was not told that it may; or it would write what cannot be valid.

    `losses` are all the things it would lose.
    """

    def __init__(self, losses: Sequence[Loss], version: int, advice: str = "") -> None:
        self.losses = tuple(losses)
        told = "; ".join(f"[{number}] {loss}" for number, loss in enumerate(self.losses[:_TOLD], 1))
        more = f"; and {len(self.losses) - _TOLD} more" if len(self.losses) > _TOLD else ""
        count = f"{len(self.losses)} thing{'s' if len(self.losses) > 1 else ''}"
        super().__init__("LossyConversion", f"version {version} cannot say {count} of it: {told}{more}{advice}")
