"""Why a query is refused: the server's words, and beside them ours.

`message` is what the server answers, to the letter, except where it begins `sql parser error`: that is a parser's wording, and
ours differs. `hint` is what to do about it, which the server never says. (spec: event-tables 1.9)
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from bsatn.errors import BsatnError

__all__ = ["SqlError", "Stage"]

#: Where the server stops: `parse` syntax, `resolve` names, `type` literals and comparisons, `index` a join's column is not
#: indexed, `event-lookup` a join looks up an event table, `event-v1` an event table over protocol V1, `plan` everything else.
Stage: TypeAlias = Literal["parse", "resolve", "type", "index", "event-lookup", "event-v1", "plan"]


class SqlError(BsatnError):
    """The server refuses the query.

    `stage` says at which check, `position` counts characters of the text to where the fault is (None when it is in no one
    place), `hint` is a sentence about what to do (empty when there is nothing to say). The kind is `SqlError`.
    """

    def __init__(self, stage: Stage, message: str, position: int | None = None, hint: str = "") -> None:
        self.stage: Stage = stage
        self.position = position
        self.hint = hint
        super().__init__("SqlError", message)

    @classmethod
    def syntax(cls, expected: str, found: str, position: int) -> SqlError:
        """What a text that is no SQL gets."""
        return cls("parse", f"sql parser error: Expected {expected}, found: {found}", position)
