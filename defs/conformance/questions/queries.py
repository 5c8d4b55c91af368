"""SQL texts at random, about the tables of a module: most of them right in form, some of them broken by a word."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import TypeAlias

from bsatn import types as t
from bsatn.errors import BsatnError
from defs import raw
from defs.conformance.questions.trees import resolve

__all__ = ["draw_sql", "tables_of"]

Tables: TypeAlias = tuple[tuple[str, tuple[tuple[str, t.AlgebraicType], ...]], ...]

_OPERATORS = ("=", "=", "=", "<>", "!=", "<", ">", "<=", ">=")
_LITERALS = (
    "0", "1", "-1", "255", "256", "18446744073709551616", "1.5", "1e3", "'a'", "''", "true", "false", "0x00", "X'ff'",
    ":sender", "NULL",
)  # fmt: skip
_WORDS = (
    "SELECT", "*", "FROM", "WHERE", "AND", "OR", "NOT", "(", ")", ",", ".", ";", "JOIN", "ON", "LIMIT", "1", "COUNT", "AS",
    '"a"', "'",
)  # fmt: skip


@lru_cache(maxsize=512)
def tables_of(definition: bytes) -> Tables:
    """Names of a definition's tables, with the names and types of their columns; nothing of one that does not decode."""
    try:
        module = raw.decode(definition)
    except BsatnError:
        return ()
    if not isinstance(module, raw.RawModuleDefV10):
        return ()
    found = []
    for table in module.tables:
        row = resolve(t.Ref(table.product_type_ref), module.typespace)
        columns = row.elements if isinstance(row, t.ProductType) else ()
        found.append((table.source_name, tuple((part.name or "0", part.algebraic_type) for part in columns)))
    return tuple(found)


def draw_sql(source: random.Random, tables: Tables) -> str:
    """A text; nonsense in it is rare."""
    if not tables:
        return "SELECT * FROM t"
    name, columns = source.choice(tables)
    words = ["SELECT"]
    other = source.choice(tables) if source.random() < 0.35 else None
    words += ["*"] if other is None or source.random() < 0.1 else [source.choice((name, other[0])), ".", "*"]
    words += ["FROM", name]
    scope = [(name, columns)]
    if other is not None:
        words += ["JOIN", other[0], "ON", *_column(source, name, columns), "=", *_column(source, *other)]
        scope.append(other)
    if source.random() < 0.75:
        words += ["WHERE", *_condition(source, scope, other is not None, 3)]
    for _ in range(source.choice((0, 0, 0, 1))):
        at = source.randrange(len(words))
        words[at : at + source.randrange(2)] = [source.choice((*_WORDS, *_LITERALS))]
    return " ".join(words).replace(" . ", ".")


def _column(source: random.Random, table: str, columns: tuple[tuple[str, t.AlgebraicType], ...]) -> list[str]:
    return [table, ".", source.choice(columns)[0] if columns and source.random() < 0.95 else "nothing"]


def _condition(
    source: random.Random, scope: list[tuple[str, tuple[tuple[str, t.AlgebraicType], ...]]], named: bool, depth: int
) -> list[str]:
    drawn = source.random()
    if depth and drawn < 0.3:
        left, right = (_condition(source, scope, named, depth - 1) for _ in range(2))
        return ["(", *left, source.choice(("AND", "OR")), *right, ")"] if drawn < 0.1 else [*left, "AND", *right]
    table, columns = source.choice(scope)
    column = _column(source, table, columns)
    if not named and source.random() < 0.7:
        column = column[2:]
    kind = dict(columns).get(column[-1])
    return [*column, source.choice(_OPERATORS), _literal(source, kind)]


def _literal(source: random.Random, kind: t.AlgebraicType | None) -> str:
    if source.random() < 0.25 or not isinstance(kind, t.Primitive):
        return source.choice(_LITERALS)
    if kind == t.STRING:
        return "'" + source.choice(("", "a", "it''s", "é")) + "'"
    if kind == t.BOOL:
        return source.choice(("true", "false", "TRUE"))
    if kind in t.INTEGERS:
        bits, signed = t.INTEGERS[kind]
        return str(source.choice((0, 1, 7, (1 << bits - signed) - 1, 1 << bits - signed, -(1 << bits - 1), -1)))
    return source.choice(("0.5", "1", "1e38", "-2.25", "1e400"))
