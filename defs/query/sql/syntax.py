"""The syntax tree: what the server understands in full, and of everything else its spelling.

The server's parser reads far more SQL than the server accepts, and then says what it does not accept by printing that part in a
spelling of its own. So nodes that are never accepted are kept as the pieces they print as. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "Alias",
    "Binary",
    "Expr",
    "FunctionCall",
    "Ident",
    "Join",
    "Literal",
    "Name",
    "Nested",
    "NonSelect",
    "Other",
    "Piece",
    "Query",
    "Select",
    "SelectItem",
    "Statement",
    "TableRef",
    "Unary",
    "joined",
    "render",
]


class Node:
    """Something that prints as pieces. Those with `at` begin there, in characters."""

    __slots__ = ()

    def pieces(self) -> tuple[Piece, ...]:
        """What it prints as, left to right."""
        raise NotImplementedError


Piece: TypeAlias = str | Node


def render(*pieces: Piece) -> str:
    """The spelling. Trees may be as deep as texts are long, so nothing recurses."""
    out: list[str] = []
    todo: list[Piece] = list(reversed(pieces))
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            out.append(piece)
        else:
            todo.extend(reversed(piece.pieces()))
    return "".join(out)


def joined(pieces: Sequence[Piece], separator: str = ", ") -> tuple[Piece, ...]:
    """The pieces with a separator between them."""
    return tuple(part for index, piece in enumerate(pieces) for part in ((separator, piece) if index else (piece,)))


@dataclass(frozen=True, slots=True)
class Ident(Node):
    """One part of a name, and the quote it was written in."""

    value: str
    at: int
    quote: str = ""

    def pieces(self) -> tuple[Piece, ...]:
        """As written."""
        return (f"{self.quote}{self.value.replace(self.quote, self.quote * 2)}{self.quote}" if self.quote else self.value,)


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name of one or more parts with dots in between."""

    parts: tuple[Ident, ...]

    @property
    def at(self) -> int:
        """Where it begins."""
        return self.parts[0].at

    @property
    def dotted(self) -> str:
        """The parts without their quotes."""
        return ".".join(part.value for part in self.parts)

    def pieces(self) -> tuple[Piece, ...]:
        """The parts, dots between."""
        return joined(self.parts, ".")


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant. `kind`: number, string, hex, bool, null, placeholder, other."""

    kind: str
    text: str
    at: int
    end: int

    def pieces(self) -> tuple[Piece, ...]:
        """In the parser's spelling."""
        match self.kind:
            case "string":
                return ("'" + self.text.replace("'", "''") + "'",)
            case "hex":
                return (f"X'{self.text}'",)
            case "bool":
                return (self.text.lower(),)
        return (self.text,)


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`+x`, `-x`."""

    op: str
    operand: Expr
    at: int

    def pieces(self) -> tuple[Piece, ...]:
        """The sign, then the operand."""
        return (self.op, self.operand)


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`a op b`; the operator in the parser's spelling."""

    left: Expr
    op: str
    right: Expr
    op_at: int

    @property
    def at(self) -> int:
        """Where it begins."""
        return self.op_at

    def pieces(self) -> tuple[Piece, ...]:
        """With spaces around the operator."""
        return (self.left, f" {self.op} ", self.right)


@dataclass(frozen=True, slots=True)
class Nested(Node):
    """An expression in parentheses."""

    inner: Expr
    at: int

    def pieces(self) -> tuple[Piece, ...]:
        """In parentheses."""
        return ("(", self.inner, ")")


@dataclass(frozen=True, slots=True)
class FunctionCall(Node):
    """A function call; `is_count` for `COUNT(*)` and nothing more."""

    is_count: bool
    spelling: tuple[Piece, ...]
    at: int

    def pieces(self) -> tuple[Piece, ...]:
        """As it prints."""
        return self.spelling


@dataclass(frozen=True, slots=True)
class Other(Node):
    """Anything that is never accepted."""

    spelling: tuple[Piece, ...]
    at: int

    def pieces(self) -> tuple[Piece, ...]:
        """As it prints."""
        return self.spelling


Expr: TypeAlias = Name | Literal | Unary | Binary | Nested | FunctionCall | Other


@dataclass(frozen=True, slots=True)
class Alias:
    """A table's alias, with columns when there is a list of them."""

    name: Ident
    columns: tuple[Ident, ...] = ()

    def spelling(self) -> tuple[Piece, ...]:
        """With `AS` before it."""
        columns = (" (", *joined(self.columns), ")") if self.columns else ()
        return (" AS ", self.name, *columns)


@dataclass(frozen=True, slots=True)
class TableRef(Node):
    """A table in FROM. `args`: of a view call, None without parentheses. `plain` is false for what is no mere name."""

    name: Name
    alias: Alias | None
    args: tuple[FunctionArg, ...] | None
    at: int
    plain: bool = True
    spelling: tuple[Piece, ...] = ()

    def pieces(self) -> tuple[Piece, ...]:
        """As it prints."""
        if self.spelling:
            return self.spelling
        args = () if self.args is None else ("(", *joined(self.args), ")")
        return (self.name, *args, *(self.alias.spelling() if self.alias else ()))


@dataclass(frozen=True, slots=True)
class FunctionArg(Node):
    """An argument; `value` is None for one that is named, or a wildcard."""

    value: Expr | None
    spelling: tuple[Piece, ...]
    at: int

    def pieces(self) -> tuple[Piece, ...]:
        """As it prints."""
        return self.spelling


@dataclass(frozen=True, slots=True)
class Join(Node):
    """A joined table. `kind` is the words before the table; `constraint` is `on`, `using`, `natural` or nothing."""

    table: TableRef
    kind: str
    constraint: str
    on: Expr | None
    columns: tuple[Ident, ...]
    at: int

    def pieces(self) -> tuple[Piece, ...]:
        """With a space before it."""
        suffix: tuple[Piece, ...] = ()
        if self.on is not None:
            suffix = (" ON ", self.on)
        elif self.columns:
            suffix = (" USING(", *joined(self.columns), ")")
        return (f" {'NATURAL ' if self.constraint == 'natural' else ''}{self.kind} ", self.table, *suffix)


@dataclass(frozen=True, slots=True)
class SelectItem(Node):
    """A part of the select list: `*` (no name), `t.*` (no expression), or an expression, perhaps renamed."""

    kind: str  #: star, table-star, expr
    name: Name | None
    expr: Expr | None
    alias: Ident | None
    at: int

    def pieces(self) -> tuple[Piece, ...]:
        """As it prints."""
        if self.kind == "star":
            return ("*",)
        if self.name is not None:
            return (self.name, ".*")
        assert self.expr is not None
        return (self.expr, *((" AS ", self.alias) if self.alias else ()))


@dataclass(frozen=True, slots=True)
class Select(Node):
    """A SELECT. `before` and `after` hold what is never accepted: before the select list, after it, and after WHERE."""

    items: tuple[SelectItem, ...]
    tables: tuple[tuple[TableRef, tuple[Join, ...]], ...]
    where: Expr | None
    at: int
    before: tuple[Piece, ...] = ()
    into: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()

    def pieces(self) -> tuple[Piece, ...]:
        """As it prints."""
        tables: list[Piece] = [Other((table, *joins), table.at) for table, joins in self.tables]
        source = (" FROM ", *joined(tables)) if tables else ()
        where = (" WHERE ", self.where) if self.where is not None else ()
        return ("SELECT", *self.before, " ", *joined(self.items), *self.into, *source, *where, *self.after)


@dataclass(frozen=True, slots=True)
class Query(Node):
    """A statement that returns rows. `body` is a Select, or the spelling of another kind."""

    body: Select | Other
    at: int
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()

    def pieces(self) -> tuple[Piece, ...]:
        """As it prints."""
        return (*self.before, self.body, *self.after)


@dataclass(frozen=True, slots=True)
class NonSelect:
    """A statement that returns no rows, unread."""

    at: int


Statement: TypeAlias = Query | NonSelect
