"""A place in a list of tokens, and how to move on from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from defs.query.sql.errors import SqlError
from defs.query.sql.lexer import Token
from defs.query.sql.syntax import Ident, Name

__all__ = ["MAX_DEPTH", "Cursor", "words"]

_T = TypeVar("_T")

#: How many statements, queries and expressions may be open inside one another.
MAX_DEPTH = 50


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


class Cursor:
    """The tokens of a text and the next one's position. `accept` moves on if it can, `expect` must."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.position = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.position]

    def ahead(self, count: int) -> Token:
        """The token so many after the next one; the last one stands for those that are not there."""
        return self.tokens[min(self.position + count, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """The next token; the place moves past it, but never past the end."""
        token = self.token
        self.position = min(self.position + 1, len(self.tokens) - 1)
        return token

    def expected(self, what: str) -> SqlError:
        """The error that something else should stand here."""
        return SqlError.syntax(what, str(self.token), self.token.start)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level down. Raises SqlError below MAX_DEPTH."""
        if self.depth >= MAX_DEPTH:
            raise SqlError("parse", "sql parser error: recursion limit exceeded", self.token.start, self.too_deep)
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    too_deep = f"at most {MAX_DEPTH} levels: leave out parentheses, which AND and OR of one kind do not need"

    # -- symbols

    def at_op(self, op: str) -> bool:
        """Whether the next token is this symbol."""
        return self.token.kind == "op" and self.token.text == op

    def next_is(self, op: str) -> bool:
        """Whether the token after the next one is this symbol."""
        token = self.ahead(1)
        return token.kind == "op" and token.text == op

    def accept(self, op: str) -> bool:
        """Move past a symbol."""
        if not self.at_op(op):
            return False
        self.advance()
        return True

    def expect(self, op: str) -> None:
        """Move past a symbol, which must be there."""
        if not self.accept(op):
            raise self.expected(op)

    # -- keywords

    def accept_word(self, word: str) -> bool:
        """Move past a keyword."""
        return self.accept_one_of(word) is not None

    def accept_words(self, *words: str) -> bool:
        """Move past several keywords, all or none."""
        if any(self.ahead(index).keyword != word for index, word in enumerate(words)):
            return False
        self.position += len(words)
        return True

    def accept_one_of(self, *words: str) -> str | None:
        """Move past one of the keywords; which."""
        word = self.token.keyword
        if word not in words:
            return None
        self.advance()
        return word

    def expect_word(self, word: str) -> None:
        """Move past a keyword, which must be there."""
        self.expect_one_of(word)

    def expect_one_of(self, *words: str) -> str:
        """Move past one of the keywords, which must be there; which."""
        word = self.accept_one_of(*words)
        if word is None:
            raise self.expected(" or ".join(words))
        return word

    # -- names

    def identifier(self) -> Ident:
        """A word, quoted or not; a string does as well."""
        token = self.token
        if token.kind not in ("word", "string"):
            raise self.expected("identifier")
        self.advance()
        return Ident(token.text, token.start, "'" if token.kind == "string" else token.quote)

    def object_name(self) -> Name:
        """Identifiers with dots in between."""
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return Name(tuple(parts))

    def comma_separated(self, one: Callable[[], _T]) -> list[_T]:
        """One or more, with commas in between."""
        found = [one()]
        while self.accept(","):
            found.append(one())
        return found
