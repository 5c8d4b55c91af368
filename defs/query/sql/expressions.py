"""Tokens to expressions: by precedence, as the server's parser binds them.

Operators of one precedence associate to the left, in a loop; only parentheses, prefixes and a tighter operator to the right
nest. What a subscription never takes (CASE, CAST, BETWEEN, functions, ...) is read for its spelling. (spec: event-tables 1.9)
"""

from __future__ import annotations

from collections.abc import Callable

from defs.query.sql.cursor import Cursor, words
from defs.query.sql.errors import SqlError
from defs.query.sql.lexer import END
from defs.query.sql.syntax import (
    Binary,
    Expr,
    FunctionArg,
    FunctionCall,
    Ident,
    Literal,
    Name,
    Nested,
    Other,
    Piece,
    Query,
    Unary,
    joined,
)

__all__ = ["ExpressionParser"]

#: How many prefixes (NOT, +, -) may stand in a row.
MAX_PREFIXES = 200

_AND, _OR, _XOR, _NOT, _IS, _LIKE, _BETWEEN, _PLUS, _TIMES, _TIGHT = 10, 5, 24, 15, 17, 19, 20, 30, 40, 50

#: How tightly infix symbols bind.
_SYMBOLS: dict[str, int] = {
    **dict.fromkeys(("=", "<", "<=", "<>", "!=", ">", ">=", "==", "~", "~*", "!~", "!~*", "<=>"), 20),
    "|": 21,
    **dict.fromkeys(("^", "#", ">>", "<<"), 22),
    "&": 23,
    **dict.fromkeys(("+", "-"), _PLUS),
    **dict.fromkeys(("*", "/", "%", "||"), _TIMES),
    **dict.fromkeys(("::", ":", "!", "[", "->>", "->", "&&", "#>", "#>>", "@>", "<@", "#-", "@?", "@@"), _TIGHT),
}
#: How tightly infix words bind; NOT only before those in _AFTER_NOT.
_WORDS: dict[str, int] = {
    "OR": _OR,
    "AND": _AND,
    "XOR": _XOR,
    "IS": _IS,
    "IN": _BETWEEN,
    "BETWEEN": _BETWEEN,
    "LIKE": _LIKE,
    "ILIKE": _LIKE,
    "SIMILAR": _LIKE,
    "OPERATOR": _BETWEEN,
    "DIV": _TIMES,
}
_AFTER_NOT = ("IN", "BETWEEN", "LIKE", "ILIKE", "SIMILAR")
#: Symbols whose two operands make a binary expression; as they are spelled then.
_BINARY = {symbol: symbol for symbol, tight in _SYMBOLS.items() if tight < _TIGHT} | {"&&": "&&", "==": "=", "!=": "<>"}
_JSON = ("->", "->>", "#>", "#>>", "@>", "<@", "#-", "@?", "@@")
_COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")

#: Words that are an expression by themselves.
_SPECIAL = words(
    "CURRENT_CATALOG CURRENT_USER SESSION_USER USER CURRENT_TIMESTAMP CURRENT_TIME CURRENT_DATE LOCALTIME LOCALTIMESTAMP"
)
_TIMES_OF_DAY = words("CURRENT_TIMESTAMP CURRENT_TIME CURRENT_DATE LOCALTIME LOCALTIMESTAMP")
#: Words that must be followed by parentheses.
_CALLS = words("TRY_CAST SAFE_CAST EXTRACT CEIL FLOOR POSITION SUBSTRING OVERLAY TRIM LISTAGG ARRAY_AGG")
#: Units of an interval.
_UNITS = words("YEAR MONTH WEEK DAY DATE HOUR MINUTE SECOND MILLISECOND MICROSECOND NANOSECOND")
#: Types that may stand before a string.
_TYPES = words(
    "BOOLEAN BOOL FLOAT REAL FLOAT4 FLOAT8 DOUBLE TINYINT INT2 SMALLINT MEDIUMINT INT INT4 INTEGER BIGINT INT8 "
    "VARCHAR NVARCHAR CHARACTER CHAR CLOB BINARY VARBINARY BLOB UUID DATE DATETIME TIMESTAMP TIMESTAMPTZ TIME TIMETZ "
    "REGCLASS STRING TEXT BYTEA NUMERIC DECIMAL DEC BIGNUMERIC BIGDECIMAL JSON"
)


#: Words that may follow a name; any other word after the name of a type is taken for a string.
_NO_STRING = frozenset(_WORDS) | words(
    "NOT AT COLLATE AS FROM INTO WHERE GROUP CLUSTER DISTRIBUTE SORT HAVING QUALIFY WINDOW ORDER LIMIT OFFSET FETCH FOR UNION "
    "EXCEPT INTERSECT JOIN INNER LEFT RIGHT FULL CROSS NATURAL OUTER ON USING THEN WHEN ELSE END ASC DESC NULLS ESCAPE FILTER "
    "OVER WITH LATERAL ROW ROWS"
)


class ExpressionParser(Cursor):
    """Reads expressions; what it needs of queries, the parser that derives from it has."""

    prefixes = 0

    def query(self) -> Query:
        """A query."""
        raise NotImplementedError

    def order(self) -> Piece:
        """A part of ORDER BY."""
        raise NotImplementedError

    def expression(self) -> Expr:
        """A whole expression."""
        with self.deeper():
            return self.tighter_than(0)

    def tighter_than(self, precedence: int) -> Expr:
        """An expression of operators that bind more tightly."""
        expr = self.collated(self.prefix())
        while precedence < (binding := self.binding()):
            expr = self.infix(expr, binding)
        return expr

    def binding(self) -> int:
        token = self.token
        if token.kind == "op":
            return _SYMBOLS.get(token.text, 0)
        word = token.keyword
        if word == "NOT":
            return _WORDS[self.ahead(1).keyword] if self.ahead(1).keyword in _AFTER_NOT else 0
        if word == "AT":
            return 20 if (self.ahead(1).keyword, self.ahead(2).keyword) == ("TIME", "ZONE") else 0
        return _WORDS.get(word, 0)

    # -- what an expression begins with

    def prefix(self) -> Expr:
        token = self.token
        if token.kind == "word" and not token.quote:
            return self.from_word()
        if token.kind == "word":
            return self.name_or_call()
        if token.kind in ("number", "string", "hex", "other", "placeholder"):
            self.advance()
            return Literal(token.kind, token.text, token.start, token.end)
        for op, found in (("(", self.parenthesised_expression), ("[", self.array), (":", self.parameter)):
            if self.at_op(op):
                return found()
        for signs, binding in ((("-", "+"), _TIMES), (("!!", "|/", "||/", "@", "~"), _PLUS)):
            if token.kind == "op" and token.text in signs:
                self.advance()
                operand = self.after_prefix(binding)
                return (
                    Unary(token.text, operand, token.start) if binding == _TIMES else Other((token.text, operand), token.start)
                )
        raise self.expected("an expression:")

    def after_prefix(self, binding: int) -> Expr:
        """What a prefix applies to; prefixes are bounded, because they nest."""
        if self.prefixes >= MAX_PREFIXES:
            raise SqlError("parse", "sql parser error: recursion limit exceeded", self.token.start)
        self.prefixes += 1
        try:
            return self.tighter_than(binding)
        finally:
            self.prefixes -= 1

    def from_word(self) -> Expr:
        token = self.token
        word, at = token.keyword, token.start
        if word in _TYPES and (typed := self.typed_string()) is not None:
            return typed
        if word in ("TRUE", "FALSE", "NULL"):
            self.advance()
            return Literal("null" if word == "NULL" else "bool", word, at, token.end)
        if word in _SPECIAL:
            self.advance()
            if word in _TIMES_OF_DAY and self.at_op("("):
                return self.call(Name((Ident(token.text, at),)))
            return FunctionCall(False, (token.text,), at)
        if word == "NOT":
            self.advance()
            if self.token.keyword == "EXISTS":
                return Other(("NOT ", self.exists()), at)
            return Other(("NOT ", self.after_prefix(_NOT)), at)
        readers: dict[str, Callable[[], Expr]] = {
            "CASE": self.case,
            "CAST": self.cast,
            "EXISTS": self.exists,
            "INTERVAL": self.interval,
        }
        if word in readers:
            return readers[word]()
        if word in _CALLS or (word == "ARRAY" and self.next_is("(")):
            self.advance()
            return self.unread_call(token.text.upper(), at)
        if word == "ARRAY" and self.next_is("["):
            self.advance()
            return Other(("ARRAY", self.array()), at)
        return self.name_or_call()

    def name_or_call(self) -> Expr:
        first = self.identifier()
        parts = [first]
        while self.accept("."):
            if self.token.kind != "word":
                raise self.expected("an identifier or a '*' after '.'")
            parts.append(self.identifier())
        name = Name(tuple(parts))
        if self.at_op("("):
            return self.call(name)
        if len(parts) == 1 and first.value.startswith("_") and self.token.kind in ("string", "hex"):
            value = self.advance()
            return Other((f"{first.value} ", Literal(value.kind, value.text, value.start, value.end)), first.at)
        return name

    def parameter(self) -> Expr:
        at = self.advance().start
        name = self.identifier()
        return Literal("placeholder", f":{name.value}", at, self.tokens[self.position - 1].end)

    def parenthesised_expression(self) -> Expr:
        at = self.advance().start
        found: Expr
        if self.token.keyword in ("SELECT", "WITH"):
            found = Other(("(", self.query(), ")"), at)
        else:
            inner = self.comma_separated(self.expression)
            found = Nested(inner[0], at) if len(inner) == 1 else Other(("(", *joined(inner), ")"), at)
        self.expect(")")
        if self.accept("."):
            if self.token.kind != "word":
                raise self.expected("identifier")
            return Other((found, ".", self.identifier()), at)
        return found

    def array(self) -> Expr:
        at = self.advance().start
        elements = [] if self.at_op("]") else self.comma_separated(self.expression)
        self.expect("]")
        return Other(("[", *joined(elements), "]"), at)

    # -- what is read for its spelling only

    def typed_string(self) -> Expr | None:
        """A type, then a string; None when the word is a name after all."""
        mark = self.position
        try:
            kind = self.data_type()
        except SqlError:
            kind = ""
        value = self.token
        if kind and (value.kind == "string" or (value.kind == "word" and value.keyword not in _NO_STRING)):
            self.advance()
            return Other((f"{kind} ", Literal("string", value.text, value.start, value.end)), self.tokens[mark].start)
        self.position = mark
        return None

    def data_type(self) -> str:
        token = self.token
        if token.kind != "word":
            raise self.expected("a data type name")
        self.advance()
        kind = token.text.upper() if not token.quote and token.keyword in _TYPES else str(token)
        if token.keyword == "DOUBLE" and self.accept_word("PRECISION"):
            kind = "DOUBLE PRECISION"
        if self.at_op("("):
            kind += self.balanced()
        for word in ("WITH", "WITHOUT"):
            if token.keyword in ("TIMESTAMP", "TIME") and self.accept_words(word, "TIME", "ZONE"):
                kind += f" {word} TIME ZONE"
        while self.at_op("[") and self.next_is("]"):
            self.position += 2
            kind += "[]"
        return kind

    def cast(self) -> Expr:
        at = self.advance().start
        self.expect("(")
        inner = self.expression()
        self.expect_word("AS")
        kind = self.data_type()
        self.expect(")")
        return Other(("CAST(", inner, f" AS {kind})"), at)

    def case(self) -> Expr:
        at = self.advance().start
        pieces: list[Piece] = ["CASE"]
        if self.token.keyword != "WHEN":
            pieces += [" ", self.expression()]
        self.expect_word("WHEN")
        while True:
            pieces += [" WHEN ", self.expression()]
            self.expect_word("THEN")
            pieces += [" THEN ", self.expression()]
            if not self.accept_word("WHEN"):
                break
        if self.accept_word("ELSE"):
            pieces += [" ELSE ", self.expression()]
        self.expect_word("END")
        return Other((*pieces, " END"), at)

    def exists(self) -> Expr:
        at = self.advance().start
        self.expect("(")
        query = self.query()
        self.expect(")")
        return Other(("EXISTS (", query, ")"), at)

    def interval(self) -> Expr:
        at = self.advance().start
        value = self.prefix()
        while self.token.keyword not in ("AND", "OR", "XOR") and (binding := self.binding()):
            value = self.infix(value, binding)
        unit = self.accept_one_of(*_UNITS)
        return Other(("INTERVAL ", value, f" {unit}" if unit else ""), at)

    def unread_call(self, name: str, at: int) -> Expr:
        if not self.at_op("("):
            raise self.expected("(")
        return Other((name, self.balanced()), at)

    def balanced(self) -> str:
        """Text from an opening parenthesis to the one that closes it, unread."""
        start, depth = self.token.start, 0
        while True:
            token = self.advance()
            if token.kind == END:
                raise SqlError.syntax(")", END, token.start)
            if token.kind == "op" and token.text in "()":
                depth += 1 if token.text == "(" else -1
                if not depth:
                    return self.text[start : token.end]

    def call(self, name: Name) -> Expr:
        self.expect("(")
        distinct = self.accept_one_of("ALL", "DISTINCT") == "DISTINCT"
        args: list[FunctionArg] = []
        order: tuple[Piece, ...] = ()
        if not self.at_op(")"):
            args = self.comma_separated(self.function_argument)
            if self.accept_words("ORDER", "BY"):
                order = (" ORDER BY ", *joined(self.comma_separated(self.order)))
        self.expect(")")
        over: tuple[Piece, ...] = ()
        if self.accept_word("OVER"):
            over = (" OVER ", self.balanced() if self.at_op("(") else self.identifier())
        stars = [arg.spelling for arg in args] == [("*",)]
        is_count = stars and not distinct and not over and len(name.parts) == 1 and name.dotted.lower() == "count"
        spelling = (name, "(", "DISTINCT " if distinct else "", *joined(args), *order, ")", *over)
        return FunctionCall(is_count, spelling, name.at)

    def function_argument(self) -> FunctionArg:
        """`x`, `*`, `t.*` or `name => x`."""
        at = self.token.start
        named: tuple[Piece, ...] = ()
        if self.next_is("=>"):
            named = (self.identifier(), " => ")
            self.advance()
        found = self.wildcard_or_expression()
        if found is None:
            return FunctionArg(None, (*named, "*"), at)
        if isinstance(found, tuple):
            return FunctionArg(None, (*named, Name(found), ".*"), at)
        return FunctionArg(None if named else found, (*named, found), at)

    def wildcard_or_expression(self) -> Expr | tuple[Ident, ...] | None:
        """An expression; the parts of `t.*`; None for `*`."""
        mark = self.position
        if self.accept("*"):
            return None
        if self.token.kind == "word" and self.next_is("."):
            parts = [self.identifier()]
            while self.accept("."):
                if self.accept("*"):
                    return tuple(parts)
                if self.token.kind != "word":
                    raise self.expected("an identifier or a '*' after '.'")
                parts.append(self.identifier())
        self.position = mark
        return self.expression()

    def filtered(self, expr: Expr) -> Expr:
        """An aggregate's FILTER clause."""
        if self.token.keyword != "FILTER" or not self.next_is("(") or self.ahead(2).keyword != "WHERE":
            return expr
        self.position += 3
        where = self.expression()
        self.expect(")")
        return Other((expr, " FILTER (WHERE ", where, ")"), expr.at)

    def collated(self, expr: Expr) -> Expr:
        if not self.accept_word("COLLATE"):
            return expr
        return Other((expr, " COLLATE ", self.object_name()), expr.at)

    # -- what goes on after an operand

    def infix(self, left: Expr, binding: int) -> Expr:
        token = self.advance()
        word = token.keyword
        op = _BINARY.get(token.text) if token.kind == "op" else word if word in ("AND", "OR", "XOR") else None
        if word == "OPERATOR":
            op = f"OPERATOR{self.balanced()}"
        if op is not None:
            return self.binary(left, op, binding, token.start)
        if token.text in _JSON:
            return Other((left, f" {token.text} ", self.expression()), left.at)
        match word or token.text:
            case "IS":
                return self.after_is(left)
            case "AT":
                self.position += 2
                zone = self.token
                if zone.kind != "string":
                    raise self.expected("Expected Token::SingleQuotedString after AT TIME ZONE")
                self.advance()
                return Other((left, f" AT TIME ZONE '{zone.text}'"), left.at)
            case "::":
                return Other(("CAST(", left, f" AS {self.data_type()})"), left.at)
            case "!":
                return Other((left, "!"), left.at)
            case "[":
                index = self.expression()
                self.expect("]")
                return Other((left, "[", index, "]"), left.at)
            case ":":
                if self.token.kind == END or (
                    self.token.kind == "op" or self.token.keyword not in ("", "TRUE", "FALSE", "NULL")
                ):
                    raise self.expected("a concrete value")
                return Other((left, ":", self.prefix()), left.at)
            case "DIV":
                raise self.expected("an operator")
        return self.after_not(left, word)

    def binary(self, left: Expr, op: str, binding: int, at: int) -> Expr:
        if (word := self.accept_one_of("ANY", "ALL")) is None:
            return Binary(left, op, self.tighter_than(binding), at)
        self.expect("(")
        right = self.tighter_than(binding)
        self.expect(")")
        if op not in _COMPARISONS:
            raise SqlError.syntax("one of [=, >, <, =>, =<, !=] as comparison operator", op, at)
        return Other((left, f" {op} {word}(", right, ")"), left.at)

    def after_is(self, left: Expr) -> Expr:
        negated = "NOT " if self.accept_word("NOT") else ""
        if word := self.accept_one_of("NULL", "TRUE", "FALSE", "UNKNOWN"):
            return Other((left, f" IS {negated}{word}"), left.at)
        if self.accept_words("DISTINCT", "FROM"):
            return Other((left, f" IS {negated}DISTINCT FROM ", self.expression()), left.at)
        raise self.expected("[NOT] NULL or TRUE|FALSE or [NOT] DISTINCT FROM after IS")

    def after_not(self, left: Expr, word: str) -> Expr:
        """IN, BETWEEN and LIKE, perhaps negated; `word` has been read."""
        negated = "NOT " if word == "NOT" else ""
        word = self.advance().keyword if negated else word
        if word == "IN":
            return Other((left, f" {negated}IN ", *self.in_list()), left.at)
        if word == "BETWEEN":
            low = self.tighter_than(_BETWEEN)
            self.expect_word("AND")
            return Other((left, f" {negated}BETWEEN ", low, " AND ", self.tighter_than(_BETWEEN)), left.at)
        if word == "SIMILAR":
            self.expect_word("TO")
            word = "SIMILAR TO"
        pattern = self.tighter_than(_LIKE)
        escape = f" ESCAPE '{self.advance().text}'" if self.accept_word("ESCAPE") else ""
        return Other((left, f" {negated}{word} ", pattern, escape), left.at)

    def in_list(self) -> tuple[Piece, ...]:
        unnest = "UNNEST" if self.accept_word("UNNEST") else ""
        self.expect("(")
        if not unnest and self.token.keyword in ("SELECT", "WITH"):
            pieces: tuple[Piece, ...] = (self.query(),)
        else:
            pieces = joined(self.comma_separated(self.expression))
        self.expect(")")
        return (f"{unnest}(", *pieces, ")")
