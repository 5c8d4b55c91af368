"""Columns and predicates: what operators on columns make, as a tree that renders to the Rust builder's text.

`fighter.level >= 3` is a predicate, `(a) & (b)`, `(a) | (b)` and `~(a)` join them. Both are parametrised by the table they are
about, so a type checker refuses a predicate of another table; columns also by the Python type of their literals and by their
kind. Python's `and`, `or`, `not` and chained comparisons ask for a truth value, which a predicate does not have: they raise.
(spec: event-tables 6.1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeAlias, TypeVar

from defs.query import kinds
from defs.query.errors import QueryError
from defs.query.literals import literal

if TYPE_CHECKING:
    from defs.query.handles import Handle

__all__ = ["FALSE", "TRUE", "Column", "Condition", "IndexedColumn", "Predicate", "condition", "not_", "quoted"]

_T = TypeVar("_T")
_V = TypeVar("_V")
_W = TypeVar("_W")


# The tree ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compare:
    """Two operands, as text, and the operator between them."""

    left: str
    op: str
    right: str


@dataclass(frozen=True, slots=True)
class Constant:
    """True or false."""

    value: bool


@dataclass(frozen=True, slots=True)
class Logic:
    """AND or OR."""

    left: Node
    op: str
    right: Node


@dataclass(frozen=True, slots=True)
class Not:
    """NOT, as the Rust builder writes it."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Opposite:
    """The opposite, written without NOT."""

    inner: Node


Node: TypeAlias = Compare | Constant | Logic | Not | Opposite

#: What an operator becomes in the opposite. The server's order is total, for floats too, so nothing is lost.
_OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "AND": "OR", "OR": "AND"}


def render(node: Node) -> str:
    """The text. Trees may be as deep as filters are many, so nothing recurses."""
    out: list[str] = []
    todo: list[tuple[Node | str, bool]] = [(node, False)]
    while todo:
        match todo.pop():
            case str(text), _:
                out.append(text)
            case Compare(left, op, right), opposite:
                out.append(f"({left} {_OPPOSITE[op] if opposite else op} {right})")
            case Constant(value), opposite:
                out.append("(FALSE = TRUE)" if value is opposite else "(TRUE = TRUE)")
            case Logic(left, op, right), opposite:
                word = _OPPOSITE[op] if opposite else op
                todo += [(")", False), (right, opposite), (f" {word} ", False), (left, opposite), ("(", False)]
            case Opposite(inner), opposite:
                todo.append((inner, not opposite))
            case Not(inner), True:
                todo.append((inner, False))
            case Not(inner), False:
                todo += [(")", False), (inner, False), ("(NOT ", False)]
    return "".join(out)


# Predicates -------------------------------------------------------------------------------------------------


class Predicate(Generic[_T]):
    """True or false of each row of a table."""

    __slots__ = ("node", "table")

    def __init__(self, node: Node, table: str | None) -> None:
        self.node, self.table = node, table

    def __and__(self, other: Condition[_T]) -> Predicate[_T]:
        return self._joined("AND", other)

    def __or__(self, other: Condition[_T]) -> Predicate[_T]:
        return self._joined("OR", other)

    def __invert__(self) -> Predicate[_T]:
        """The opposite, written without NOT, which servers do not read."""
        return Predicate(Opposite(self.node), self.table)

    def __bool__(self) -> NoReturn:
        raise _no_truth("predicate")

    if not TYPE_CHECKING:  # to a type checker there is no such operator, and what fails on the left is wrong

        def __rand__(self, other: object) -> NoReturn:
            raise _not_a_predicate(other)

        __ror__ = __rand__

    def __str__(self) -> str:
        return render(self.node)

    def __repr__(self) -> str:
        return f"<predicate {self}>"

    def _joined(self, op: str, other: Any) -> Predicate[_T]:
        right: Predicate[_T] = condition(other, self.table)
        return Predicate(Logic(self.node, op, right.node), self.table if right.table is None else right.table)


def condition(given: Any, table: str | None) -> Predicate[Any]:
    """What a filter of a table was given, as a predicate; a column of booleans is one. Raises QueryError."""
    made = given.is_true() if isinstance(given, Column) else given
    if not isinstance(made, Predicate):
        raise _not_a_predicate(given)
    if table is not None and made.table is not None and made.table != table:
        message = f"the predicate {_short(made)} is about {made.table}, not about {table}"
        hint = "filter a table's rows by its own columns; those of a join's other table before the join, in its From(...)"
        raise QueryError("OtherTable", message, hint)
    return made


def not_(predicate: Condition[_T]) -> Predicate[_T]:
    """NOT, as the Rust builder writes it; servers do not read it. `~` says the same so that they do."""
    inner = condition(predicate, None)
    return Predicate(Not(inner.node), inner.table)


TRUE: Predicate[Any] = Predicate(Constant(True), None)  #: of every row
FALSE: Predicate[Any] = Predicate(Constant(False), None)  #: of no row


def _no_truth(what: str) -> QueryError:
    hint = "write (a) & (b), (a) | (b), ~(a), each comparison in parentheses, and a chain as (1 < x) & (x < 9)"
    message = (
        f"a {what} is neither true nor false in Python: `and`, `or`, `not`, `if`, `in` and chained comparisons cannot use it"
    )
    return QueryError("NoTruthValue", message, hint)


def _not_a_predicate(given: object) -> QueryError:
    hint = "& and | bind tighter than comparisons: put each comparison in parentheses"
    if isinstance(given, bool):
        hint = "say TRUE or FALSE of defs.query for a constant; a bool may come of comparing what is no column"
    return QueryError("NotAPredicate", f"{given!r:.80} is no predicate", hint)


def _short(predicate: Predicate[Any]) -> str:
    text = str(predicate)
    return text if len(text) <= 80 else text[:79] + "…"


# Columns ----------------------------------------------------------------------------------------------------


def quoted(name: str) -> str:
    """A name as the Rust builder writes it: in double quotes, and nothing escaped."""
    return f'"{name}"'


class Column(Generic[_T, _V, _W]):
    """A column of table `_T`, whose literals are `_V` in Python (Never where there are none), of kind `_W`."""

    __slots__ = ("indexed", "kind", "name", "table")

    def __init__(self, table: Handle[Any], name: str, kind: Any, indexed: bool = False) -> None:
        self.table, self.name, self.kind, self.indexed = table, name, kind, indexed

    def eq(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        """Equal; also `==`."""
        return self._compared("=", other)

    def ne(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        """Not equal; also `!=`."""
        return self._compared("<>", other)

    def lt(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        """Less; also `<`."""
        return self._compared("<", other)

    def lte(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        """Less or equal; also `<=`."""
        return self._compared("<=", other)

    def gt(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        """Greater; also `>`."""
        return self._compared(">", other)

    def gte(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        """Greater or equal; also `>=`."""
        return self._compared(">=", other)

    def __eq__(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:  # type: ignore[override]
        return self._compared("=", other)

    def __ne__(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:  # type: ignore[override]
        return self._compared("<>", other)

    def __lt__(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        return self._compared("<", other)

    def __le__(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        return self._compared("<=", other)

    def __gt__(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        return self._compared(">", other)

    def __ge__(self, other: _V | Column[_T, _V, _W]) -> Predicate[_T]:
        return self._compared(">=", other)

    __hash__ = object.__hash__

    def is_true(self: Column[_T, bool, kinds.Bool]) -> Predicate[_T]:
        """A column of booleans as a predicate; filters, `&`, `|` and `~` take it as it is."""
        if self.kind is not kinds.Bool:
            message = f"{self} is of type {kinds.name_of(self.kind)}: only a Bool is a predicate by itself"
            raise QueryError("NotAPredicate", message, "compare it; & and | bind tighter than comparisons, so use parentheses")
        return Predicate(Compare(self.sql, "=", "TRUE"), self.table.__table__.name)

    def __and__(self: Column[_T, bool, kinds.Bool], other: Condition[_T]) -> Predicate[_T]:
        return self.is_true() & other

    def __or__(self: Column[_T, bool, kinds.Bool], other: Condition[_T]) -> Predicate[_T]:
        return self.is_true() | other

    def __invert__(self: Column[_T, bool, kinds.Bool]) -> Predicate[_T]:
        return ~self.is_true()

    if not TYPE_CHECKING:  # to a type checker there is no such operator, and what fails on the left is wrong

        def __rand__(self, other: object) -> NoReturn:
            raise _not_a_predicate(other)

        __ror__ = __rand__

    def __bool__(self) -> NoReturn:
        raise _no_truth("column")

    @property
    def sql(self) -> str:
        """`"table"."column"`."""
        return f"{quoted(self.table.__table__.name)}.{quoted(self.name)}"

    def __str__(self) -> str:
        return f"{self.table.__table__.name}.{self.name}"

    def __repr__(self) -> str:
        return f"<column {self}: {kinds.name_of(self.kind)}{', indexed' if self.indexed else ''}>"

    def _compared(self, op: str, other: Any) -> Predicate[_T]:
        table = self.table.__table__.name
        if not isinstance(other, Column):
            if isinstance(other, Predicate):
                raise _not_a_predicate(self)
            return Predicate(Compare(self.sql, op, literal(self.kind, other, str(self))), table)
        if other.table.__table__.name != table:
            hint = f"to join the tables name both columns in on=: left_semijoin(..., on=({self}, {other}))"
            raise QueryError("OtherTable", f"{self} and {other} are columns of different tables", hint)
        check_kinds(self, other, "compared with")
        return Predicate(Compare(self.sql, op, other.sql), table)


class IndexedColumn(Column[_T, _V, _W]):
    """A column with an index of its own: tables may be joined on it."""

    __slots__ = ()


Condition: TypeAlias = Predicate[_T] | Column[_T, bool, kinds.Bool]  #: what a table's rows are filtered by


def check_kinds(one: Column[Any, Any, Any], other: Column[Any, Any, Any], verb: str) -> None:
    """Both columns are of one type. Raises QueryError."""
    if one.kind != other.kind:
        message = f"{one} ({kinds.name_of(one.kind)}) is {verb} {other} ({kinds.name_of(other.kind)}): the types differ"
        hint = "the server converts nothing: use columns of one type, or change a column's type in the module"
        raise QueryError("TypeMismatch", message, hint)
