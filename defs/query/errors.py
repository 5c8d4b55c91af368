"""What the builder refuses to say, and what to do instead."""

from __future__ import annotations

from bsatn.errors import BsatnError

__all__ = ["QueryError", "UnknownColumn", "UnknownTable"]


class QueryError(BsatnError):
    """The query means nothing, or nothing a server could run.

    Kinds: `EventLookup` an event table on the side that is looked up, `NotIndexed` a join's column without an index of its own,
    `TypeMismatch` two columns of different types, `OtherTable` a column of a table that the query is not about, `SelfJoin`,
    `WrongLiteral` a value of another type than its column, `OutOfRange` one that does not fit, `NoLiteral` a value or type that
    SQL cannot spell, `NoTruthValue` a predicate used as a bool, `NotAPredicate`, `NotATable`, `BadDescription`. `hint` says
    what to do instead.
    """

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(kind, message)
        self.hint = hint


class UnknownTable(QueryError, KeyError):
    """No table or view has the name."""


class UnknownColumn(QueryError, AttributeError):
    """The table has no such column."""
