"""Conditions of plans as Python functions over joined rows.

A joined row is a tuple with the BSATN of one row for each slot. A column reads its slot's relation, which keeps the values that
it decoded. Floats compare totally: NaN equals itself and is greatest, `-0.0` equals `0.0`. (spec: event-tables 1.9)
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from bsatn.errors import LimitExceeded
from bsatn.types import F32, F64, IDENTITY, AlgebraicType
from bsatn.values import Identity
from defs.query.sql.plan import And, Column, Compare, Constant, Expression, Or, Parameter
from defs.store.state import Table

__all__ = ["MAX_NESTING", "Joined", "Reader", "reader", "value_of"]

Joined: TypeAlias = tuple[bytes, ...]  #: a row for each slot; empty bytes where there is none yet
Reader: TypeAlias = Callable[[Joined], Any]  #: the value of an expression for a joined row

MAX_NESTING: Final = 200  #: conditions inside one another that are evaluated

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def reader(expression: Expression, relations: Mapping[int, Table], sender: Identity, *, ordered: bool = True) -> Reader:
    """The expression as a function; `relations` are what the slots read.

    With `ordered` values compare as the server's do; without, they are as decoded, fit for `Table.find`.
    Raises LimitExceeded for a condition nested past MAX_NESTING.
    """
    return _Compiler(relations, sender, ordered).compile(expression, 0)


def value_of(expression: Constant | Parameter, sender: Identity) -> Any:
    """What a constant or parameter is; None for the arguments of a view, which has no rows here."""
    if isinstance(expression, Constant):
        return expression.value
    if expression.name != "sender":
        return None
    return sender if expression.type == IDENTITY else sender.to_bytes(32, "big")


class _Compiler:
    def __init__(self, relations: Mapping[int, Table], sender: Identity, ordered: bool) -> None:
        self.relations = relations
        self.sender = sender
        self.ordered = ordered

    def compile(self, expression: Expression, depth: int) -> Reader:
        if depth > MAX_NESTING:
            what, advice = "the condition is nested too deep to be evaluated", "write it with fewer comparisons in one another"
            raise LimitExceeded("nesting", MAX_NESTING, what, advice=advice)
        match expression:
            case Column(slot, position, kind):
                return self.column(self.relations[slot], slot, position, kind)
            case Constant() | Parameter():
                value = value_of(expression, self.sender)
                return _constant(_total(value) if self.is_float(expression.type) else value)
            case Compare(op, left, right):
                return _comparison(_COMPARE[op], self.compile(left, depth + 1), self.compile(right, depth + 1))
            case And(terms):
                return _all([self.compile(term, depth + 1) for term in terms])
            case Or(terms):
                return _any([self.compile(term, depth + 1) for term in terms])

    def column(self, table: Table, slot: int, position: int, kind: AlgebraicType) -> Reader:
        row = table.row
        if self.is_float(kind):
            return lambda joined: _total(row(joined[slot])[position])
        return lambda joined: row(joined[slot])[position]

    def is_float(self, kind: AlgebraicType) -> bool:
        return self.ordered and kind in (F32, F64)


def _total(value: float) -> tuple[bool, float]:
    """A float so that it compares totally."""
    is_nan = value != value
    return is_nan, 0.0 if is_nan else float(value)


def _constant(value: Any) -> Reader:
    return lambda joined: value


def _comparison(compare: Callable[[Any, Any], bool], left: Reader, right: Reader) -> Reader:
    return lambda joined: compare(left(joined), right(joined))


def _all(terms: list[Reader]) -> Reader:
    return lambda joined: all(term(joined) for term in terms)


def _any(terms: list[Reader]) -> Reader:
    return lambda joined: any(term(joined) for term in terms)
