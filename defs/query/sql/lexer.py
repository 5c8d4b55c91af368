"""Text to tokens, as the server's parser splits it: PostgreSQL's rules, with their corners.

Words are names or keywords; which, their place decides. Quoted words are never keywords. Whitespace and comments are dropped.
A number may not be followed by a name without space in between, but nothing forbids it here: `1_000` is a number and a word.
Nothing is slower than linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from defs.query.sql.errors import SqlError

__all__ = ["END", "Token", "tokenize"]

END = "EOF"


@dataclass(frozen=True, slots=True)
class Token:
    """A token. `kind` is word, number, string, hex, other (a literal of a kind that nothing takes), placeholder, op or EOF."""

    kind: str
    text: str  #: as written; of a quoted word or a string, what is between the quotes
    start: int  #: in characters
    end: int
    quote: str = ""  #: of a word: the quote before it

    @property
    def keyword(self) -> str:
        """The word in capitals, or nothing for what cannot be a keyword."""
        return self.text.upper() if self.kind == "word" and not self.quote else ""

    def __str__(self) -> str:
        if self.kind == "word" and self.quote:
            return '"' + self.text.replace('"', '""') + '"'
        return "'" + self.text.replace("'", "''") + "'" if self.kind == "string" else self.text


def _split(text: str) -> list[str]:
    return text.split()


#: Symbols, the longer ones before those they begin with.
_OPERATORS = _split(
    "<=> !~* ->> #>> ||/ :: := == => != !! !~ <= <> << <@ >= >> -> || |/ && ~* #- #> @> @? @@ "
    "( ) , ; + - * / % = < > ! : . [ ] { } & | ^ ~ # @ \\"
)

#: The tokens that a pattern finds, in the order they are tried.
_PATTERNS = (
    ("comment", r"--[^\n]*\n?"),
    ("block", r"/\*"),
    ("other", r"[nN]'[^']*(?:''[^']*)*'|[eE]'(?:\\.|''|[^'\\])*'"),
    ("xhex", r"[xX]'[^']*(?:''[^']*)*'"),
    ("unended", r"[nNxXeE]'"),
    ("hex", r"0x[0-9a-fA-F]*"),
    ("number", r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?L?"),
    ("string", r"'[^']*(?:''[^']*)*'"),
    ("quoted", r'"[^"]*(?:""[^"]*)*"'),
    ("dollar", r"\$\$(?:[^$]|\$(?!\$))*\$\$|\$(?P<tag>\w+)\$[^$]*\$(?P=tag)\$"),
    ("placeholder", r"\$\w*(?!\$)|\?[0-9]*"),
    ("op", "|".join(re.escape(op) for op in _OPERATORS)),
)
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS), re.DOTALL)
_NOT_SPACE = "\x1c\x1d\x1e\x1f"  #: spaces to Python, not to Unicode
_UNENDED = {
    "'": "Unterminated string literal",
    '"': "Expected close delimiter '\"' before EOF.",
    "$": "Unterminated dollar-quoted string",
}


def _is_letter(char: str) -> bool:
    return char.isalpha() or unicodedata.category(char) == "Nl"


def _is_word_part(char: str) -> bool:
    return char in "_$0123456789" or _is_letter(char)


def tokenize(text: str) -> list[Token]:
    """The tokens, with an END at the end. Raises SqlError for a string or comment without end."""
    tokens: list[Token] = []
    position, length = 0, len(text)
    while position < length:
        char = text[position]
        if char.isspace() and char not in _NOT_SPACE:
            position += 1
            continue
        found = _TOKEN.match(text, position)
        kind = found.lastgroup if found else None
        if kind == "tag":
            kind = "dollar"
        if found is None or kind is None:
            token = _word(text, position) if char == "_" or _is_letter(char) else _stray(text, position)
        elif kind == "comment":
            position = found.end()
            continue
        elif kind == "block":
            position = _block_comment_end(text, found.end())
            continue
        elif kind == "unended":
            raise SqlError("parse", "sql parser error: Unterminated string literal", position)
        else:
            token = _token(kind, found)
        tokens.append(token)
        position = token.end
    return [*tokens, Token(END, END, length, length)]


def _token(kind: str, found: re.Match[str]) -> Token:
    text, start, end = found[0], found.start(), found.end()
    match kind:
        case "string":
            return Token("string", text[1:-1].replace("''", "'"), start, end)
        case "quoted":
            return Token("word", text[1:-1].replace('""', '"'), start, end, '"')
        case "xhex":
            return Token("hex", text[2:-1].replace("''", "'"), start, end)
        case "hex":
            return Token("hex", text[2:], start, end)
        case "dollar":
            return Token("other", text, start, end)
    return Token(kind, text, start, end)


def _word(text: str, start: int) -> Token:
    end = start + 1
    while end < len(text) and _is_word_part(text[end]):
        end += 1
    return Token("word", text[start:end], start, end)


def _stray(text: str, start: int) -> Token:
    if text[start] in _UNENDED:
        raise SqlError("parse", f"sql parser error: {_UNENDED[text[start]]}", start)
    return Token("op", text[start], start, start + 1)


def _block_comment_end(text: str, position: int) -> int:
    """Comments nest; of `/*/` within one, both halves count."""
    start, depth, last = position - 2, 1, " "
    while position < len(text):
        char = text[position]
        position += 1
        if last == "/" and char == "*":
            depth += 1
        elif last == "*" and char == "/":
            depth -= 1
            if not depth:
                return position
        last = char
    raise SqlError("parse", "sql parser error: Unexpected EOF while in a multi-line comment", start)
