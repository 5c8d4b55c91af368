"""Tokens to the syntax tree: statements, queries, what stands in FROM. Expressions are next door.

A recursive descent that follows the server's parser in what it accepts; of what the server refuses in any case, it reads enough
to say so in the server's words. Depth is bounded as there: statements, queries and expressions open inside one another,
50 in all. Statements that are no queries are not read. (spec: event-tables 1.9)
"""

from __future__ import annotations

from defs.query.sql.cursor import words
from defs.query.sql.errors import SqlError
from defs.query.sql.expressions import ExpressionParser
from defs.query.sql.lexer import END, tokenize
from defs.query.sql.syntax import (
    Alias,
    FunctionArg,
    Ident,
    Join,
    Name,
    NonSelect,
    Other,
    Piece,
    Query,
    Select,
    SelectItem,
    Statement,
    TableRef,
    joined,
)

__all__ = ["parse_statements"]

#: Words that begin a statement other than a query.
_STATEMENTS = words(
    "KILL DESCRIBE EXPLAIN ANALYZE TRUNCATE MSCK CREATE CACHE DROP DISCARD DECLARE FETCH DELETE INSERT UNCACHE UPDATE "
    "ALTER COPY CLOSE SET SHOW USE GRANT REVOKE START BEGIN SAVEPOINT COMMIT ROLLBACK ASSERT DEALLOCATE EXECUTE "
    "PREPARE MERGE COMMENT"
)
_RESERVED_BOTH = words(
    "WITH EXPLAIN ANALYZE SELECT WHERE GROUP SORT HAVING ORDER TOP LATERAL VIEW LIMIT OFFSET FETCH UNION EXCEPT "
    "INTERSECT CLUSTER DISTRIBUTE END"
)
#: Words that cannot be an alias without AS.
_RESERVED_FOR_TABLES = _RESERVED_BOTH | words(
    "PIVOT ON JOIN INNER CROSS FULL LEFT RIGHT NATURAL USING OUTER SET QUALIFY WINDOW PARTITION"
)
_RESERVED_FOR_COLUMNS = _RESERVED_BOTH | {"FROM", "INTO"}
_SIDED = {"OUTER": "", "SEMI": "SEMI ", "ANTI": "ANTI ", "JOIN": ""}


def parse_statements(text: str) -> list[Statement]:
    """The statements of a text. Raises SqlError."""
    return _Parser(tokenize(text), text).statements()


class _Parser(ExpressionParser):
    def statements(self) -> list[Statement]:
        found: list[Statement] = []
        while True:
            separated = not found
            while self.accept(";"):
                separated = True
            if self.token.kind == END or self.token.keyword == "END":  # what follows END is not even looked at
                return found
            if not separated:
                raise self.expected("end of statement")
            with self.deeper():
                found.append(self.statement())

    def statement(self) -> Statement:
        start = self.token
        if start.keyword in _STATEMENTS:
            while self.token.kind != END and not self.at_op(";"):
                self.advance()
            return NonSelect(start.start)
        if start.keyword in ("SELECT", "WITH", "VALUES") or self.at_op("("):
            return self.query()
        raise self.expected("an SQL statement")

    # -- queries

    def query(self) -> Query:
        with self.deeper():
            at = self.token.start
            before = self.with_clause() if self.accept_word("WITH") else ()
            body = self.body(0)
            return Query(body, at, before, self.query_tail())

    def with_clause(self) -> tuple[Piece, ...]:
        recursive = "RECURSIVE " if self.accept_word("RECURSIVE") else ""

        def table() -> Piece:
            alias = Alias(self.identifier(), self.column_list())
            self.expect_word("AS")
            self.expect("(")
            query = self.query()
            self.expect(")")
            return Other((*alias.spelling()[1:], " AS (", query, ")"), alias.name.at)

        return (f"WITH {recursive}", *joined(self.comma_separated(table)), " ")

    def query_tail(self) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        if self.accept_words("ORDER", "BY"):
            pieces += [" ORDER BY ", *joined(self.comma_separated(self.order))]
        limit: list[Piece] = []
        offset: list[Piece] = []
        for _ in range(2):
            if not limit and self.accept_word("LIMIT") and not self.accept_word("ALL"):
                limit = [" LIMIT ", self.expression()]
            if not offset and self.accept_word("OFFSET"):
                offset = [" OFFSET ", self.expression()]
                word = self.accept_one_of("ROW", "ROWS")
                offset += [f" {word}"] if word else []
        pieces += limit + offset
        if self.accept_word("FETCH"):
            pieces.append(self.fetch())
        while self.accept_word("FOR"):
            pieces.append(self.lock())
        return tuple(pieces)

    def fetch(self) -> str:
        self.expect_one_of("FIRST", "NEXT")
        quantity = ""
        if not self.accept_one_of("ROW", "ROWS"):
            quantity = self.advance().text + (" PERCENT" if self.accept_word("PERCENT") else "")
            self.expect_one_of("ROW", "ROWS")
        if self.accept_words("WITH", "TIES"):
            extent = "WITH TIES"
        else:
            self.expect_word("ONLY")
            extent = "ONLY"
        return f" FETCH FIRST {quantity + ' ' if quantity else ''}ROWS {extent}"

    def lock(self) -> Piece:
        kind = self.expect_one_of("UPDATE", "SHARE")
        pieces: list[Piece] = [f" FOR {kind}"]
        if self.accept_word("OF"):
            pieces += [" OF ", self.object_name()]
        if self.accept_word("NOWAIT"):
            pieces.append(" NOWAIT")
        elif self.accept_words("SKIP", "LOCKED"):
            pieces.append(" SKIP LOCKED")
        return Other(tuple(pieces), self.token.start)

    def body(self, precedence: int) -> Select | Other:
        at = self.token.start
        body: Select | Other
        if self.accept_word("SELECT"):
            body = self.select(at)
        elif self.accept("("):
            inner = self.query()
            self.expect(")")
            body = Other(("(", inner, ")"), at)
        elif self.accept_word("VALUES"):
            body = Other(("VALUES ", *joined(self.comma_separated(self.values_row))), at)
        elif self.accept_word("TABLE"):
            body = Other(("TABLE ", self.object_name()), at)
        else:
            raise self.expected("SELECT, VALUES, or a subquery in the query body")
        while (operator := self.token.keyword) in ("UNION", "EXCEPT", "INTERSECT"):
            binding = 20 if operator == "INTERSECT" else 10
            if precedence >= binding:
                break
            self.advance()
            word = self.accept_one_of("ALL", "DISTINCT")
            body = Other((body, f" {operator}{f' {word}' if word else ''} ", self.body(binding)), at)
        return body

    def values_row(self) -> Piece:
        at = self.token.start
        word = "ROW" if self.accept_word("ROW") else ""
        self.expect("(")
        row = self.comma_separated(self.expression)
        self.expect(")")
        return Other((f"{word}(", *joined(row), ")"), at)

    def select(self, at: int) -> Select:
        before = (*self.distinct(), *(self.top() if self.accept_word("TOP") else ()))
        items = self.comma_separated(self.select_item)
        into: tuple[Piece, ...] = ()
        if self.accept_word("INTO"):
            words = [self.accept_one_of("TEMP", "TEMPORARY"), self.accept_one_of("UNLOGGED"), self.accept_one_of("TABLE")]
            into = (" INTO ", "".join(f"{word} " for word in words if word), self.object_name())
        tables = self.comma_separated(self.table_and_joins) if self.accept_word("FROM") else []
        where = self.expression() if self.accept_word("WHERE") else None
        return Select(tuple(items), tuple(tables), where, at, before, into, self.select_tail())

    def distinct(self) -> tuple[Piece, ...]:
        every = self.accept_word("ALL")
        if not self.accept_word("DISTINCT"):
            return ()
        if every:
            raise SqlError("parse", "sql parser error: Cannot specify both ALL and DISTINCT", self.token.start)
        if not self.accept_word("ON"):
            return (" DISTINCT",)
        self.expect("(")
        columns = [] if self.at_op(")") else self.comma_separated(self.expression)
        self.expect(")")
        return (" DISTINCT ON (", *joined(columns), ")")

    def top(self) -> tuple[Piece, ...]:
        if self.accept("("):
            quantity: Piece = self.expression()
            self.expect(")")
        elif self.token.kind == "number":
            quantity = self.advance().text
        else:
            raise self.expected("literal number")
        percent = " PERCENT" if self.accept_word("PERCENT") else ""
        ties = " WITH TIES" if self.accept_words("WITH", "TIES") else ""
        return (" TOP (", quantity, f"){percent}{ties}")

    def select_tail(self) -> tuple[Piece, ...]:
        pieces: list[Piece] = []
        if self.accept_words("GROUP", "BY"):
            every = self.accept_word("ALL")
            pieces += [" GROUP BY ", *(["ALL"] if every else joined(self.comma_separated(self.expression)))]
        for word in ("CLUSTER", "DISTRIBUTE", "SORT"):
            if self.accept_words(word, "BY"):
                pieces += [f" {word} BY ", *joined(self.comma_separated(self.expression))]
        for word in ("HAVING", "QUALIFY"):
            if self.accept_word(word):
                pieces += [f" {word} ", self.expression()]
        return tuple(pieces)

    def select_item(self) -> SelectItem:
        at = self.token.start
        found = self.wildcard_or_expression()
        if found is None or isinstance(found, tuple):
            return (
                SelectItem("star", None, None, None, at)
                if found is None
                else SelectItem("table-star", Name(found), None, None, at)
            )
        expr = self.filtered(found)
        return SelectItem("expr", None, expr, self.alias(_RESERVED_FOR_COLUMNS), at)

    # -- FROM

    def table_and_joins(self) -> tuple[TableRef, tuple[Join, ...]]:
        table = self.table_factor()
        joins = []
        while (join := self.join()) is not None:
            joins.append(join)
        return table, tuple(joins)

    def join(self) -> Join | None:
        at = self.token.start
        if self.accept_word("CROSS"):
            word = self.expect_one_of("JOIN", "APPLY")
            return Join(self.table_factor(), f"CROSS {word}", "", None, (), at)
        if self.accept_word("OUTER"):
            self.expect_word("APPLY")
            return Join(self.table_factor(), "OUTER APPLY", "", None, (), at)
        natural = self.accept_word("NATURAL")
        word = self.token.keyword
        if word in ("INNER", "JOIN"):
            self.accept_word("INNER")
            self.expect_word("JOIN")
            kind = "JOIN"
        elif word in ("LEFT", "RIGHT"):
            self.advance()
            how = self.expect_one_of(*_SIDED)
            if how != "JOIN":
                self.expect_word("JOIN")
            kind = f"{word} {_SIDED[how]}JOIN"
        elif word == "FULL":
            self.advance()
            self.accept_word("OUTER")
            self.expect_word("JOIN")
            kind = "FULL JOIN"
        elif natural:
            raise self.expected("a join type after NATURAL")
        else:
            return None
        table = self.table_factor()
        if natural:
            return Join(table, kind, "natural", None, (), at)
        if self.accept_word("ON"):
            return Join(table, kind, "on", self.expression(), (), at)
        if self.accept_word("USING"):
            if not self.at_op("("):
                raise self.expected("a list of columns in parentheses")
            return Join(table, kind, "using", None, self.column_list(), at)
        return Join(table, kind, "", None, (), at)

    def table_factor(self) -> TableRef:
        at = self.token.start
        if self.accept_word("LATERAL"):
            if not self.accept("("):
                raise self.expected("subquery after LATERAL")
            return self.derived("LATERAL ", at)
        if self.accept_word("TABLE"):
            self.expect("(")
            return self.odd_table(("TABLE(", self.expression()), at)
        if self.accept("("):
            return self.parenthesised(at)
        if self.token.keyword == "UNNEST":
            self.advance()
            self.expect("(")
            return self.odd_table(("UNNEST(", *joined(self.comma_separated(self.expression))), at)
        name = self.object_name()
        args: tuple[FunctionArg, ...] | None = None
        if self.accept("("):
            args = () if self.at_op(")") else tuple(self.comma_separated(self.function_argument))
            self.expect(")")
        alias = self.table_alias()
        table = TableRef(name, alias, args, at)
        if self.token.keyword == "WITH" and self.next_is("("):
            self.advance()
            self.advance()
            hints = self.comma_separated(self.expression)
            self.expect(")")
            return TableRef(name, alias, args, at, False, (*table.pieces(), " WITH (", *joined(hints), ")"))
        return table

    def parenthesised(self, at: int) -> TableRef:
        """A subquery, or joins: which, is tried."""
        mark = self.position
        try:
            return self.derived("", at)
        except SqlError:
            self.position = mark
        table, joins = self.table_and_joins()
        if not joins and (table.plain or table.spelling[:1] != ("(",)):
            raise self.expected("joined table")
        return self.odd_table(("(", table, *joins), at)

    def derived(self, prefix: str, at: int) -> TableRef:
        query = self.query()
        return self.odd_table((f"{prefix}(", query), at)

    def odd_table(self, spelling: tuple[Piece, ...], at: int) -> TableRef:
        """The end of what is no mere table: a parenthesis, perhaps an alias."""
        self.expect(")")
        alias = self.table_alias()
        return TableRef(Name((Ident("", at),)), alias, None, at, False, (*spelling, ")", *(alias.spelling() if alias else ())))

    def table_alias(self) -> Alias | None:
        name = self.alias(_RESERVED_FOR_TABLES)
        return None if name is None else Alias(name, self.column_list())

    def column_list(self) -> tuple[Ident, ...]:
        if not self.accept("("):
            return ()
        columns = self.comma_separated(self.identifier)
        self.expect(")")
        return tuple(columns)

    def alias(self, reserved: frozenset[str]) -> Ident | None:
        explicit = self.accept_word("AS")
        token = self.token
        if token.kind == "string" or (token.kind == "word" and (explicit or token.keyword not in reserved)):
            return self.identifier()
        if explicit:
            raise self.expected("an identifier after AS")
        return None

    def order(self) -> Piece:
        at = self.token.start
        pieces: list[Piece] = [self.expression()]
        if word := self.accept_one_of("ASC", "DESC"):
            pieces.append(f" {word}")
        if self.accept_word("NULLS"):
            pieces.append(f" NULLS {self.expect_one_of('FIRST', 'LAST')}")
        return Other(tuple(pieces), at)
