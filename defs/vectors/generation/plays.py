"""Transactions over tables of events and ordinary ones, declared: a module, rows committed before, operations, queries.

A row is a list of its columns. An operation is `+` or `-`, a table and a row.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bsatn.codec import Codec
from bsatn.satn import parse_type
from defs import raw
from defs.vectors.generation.pairs import Module, Table

__all__ = ["Play", "plays", "random_plays"]

Op = tuple[str, str, Sequence[Any]]

KEY = {"columns": [0]}
COLUMNS = "(id: U32, n: U32, s: String)"
WORLD = Module(
    [
        Table("plain", COLUMNS),
        Table("keyed", COLUMNS, key=0, indexes=[KEY], unique=[[0]]),
        Table("counted", COLUMNS, key=0, indexes=[KEY], unique=[[0]], sequences=[0]),
        Table("event", COLUMNS, event=True),
        Table("event_keyed", COLUMNS, key=0, indexes=[KEY], unique=[[0]], event=True),
        Table("event_counted", COLUMNS, key=0, indexes=[KEY, {"columns": [1]}], unique=[[0]], sequences=[0], event=True),
        Table("event_small", "(id: U8, n: U32)", indexes=[KEY], unique=[[0]], sequences=[0], event=True),
        Table("event_pair", "(a: U32, b: U32)", indexes=[{"columns": [0, 1]}], unique=[[0, 1]], event=True),
        Table("hidden", COLUMNS, private=True, event=True),
    ]
)
JOIN = "SELECT event_counted.* FROM event_counted JOIN keyed ON event_counted.n = keyed.id"
LOOKED_UP = "SELECT keyed.* FROM event_counted JOIN keyed ON event_counted.n = keyed.id"


@dataclass(frozen=True)
class Play:
    """`before` are operations of an earlier transaction, all of them inserts; `operations` those of the one that is told of."""

    about: str
    operations: Sequence[Op]
    before: Sequence[Op] = ()
    queries: Sequence[str] = ()
    module: Module = WORLD

    def definition(self) -> bytes:
        """The module as BSATN."""
        return raw.encode(self.module.raw())

    def row(self, table: str, values: Sequence[Any]) -> bytes:
        """A row as BSATN."""
        (kind,) = (one.row for one in self.module.tables if one.name == table)
        return Codec(parse_type(kind)).encode(tuple(values))


A, B, C = (1, 10, "a"), (2, 20, "b"), (3, 10, "c")
NEW = (0, 10, "new")


def _each(*tables: str) -> list[str]:
    return [f"SELECT * FROM {table}" for table in tables]


PLAYS: tuple[Play, ...] = (
    Play("nothing", [], queries=_each("plain", "event")),
    Play("an event", [("+", "event", A)], queries=[*_each("event"), "SELECT * FROM event WHERE n = 10",
         "SELECT * FROM event WHERE n = 11"]),
    Play("an event is gone after its transaction", [("+", "plain", A)], [("+", "event", A)], _each("event", "plain")),
    Play("two events", [("+", "event", A), ("+", "event", B)], queries=_each("event")),
    Play("an event twice, to the byte", [("+", "event", A), ("+", "event", A)], queries=_each("event")),
    Play("an event that was there in an earlier transaction", [("+", "event", A)], [("+", "event", A)], _each("event")),
    Play("an event inserted and deleted", [("+", "event", A), ("-", "event", A)], queries=_each("event")),
    Play("an event inserted, deleted, inserted", [("+", "event", A), ("-", "event", A), ("+", "event", A)],
         queries=_each("event")),
    Play("an event deleted that was not there", [("-", "event", A)], queries=_each("event")),
    Play("an event of an earlier transaction deleted", [("-", "event", A)], [("+", "event", A)], _each("event")),
    Play("the first of three events deleted, another inserted", [("+", "event", A), ("+", "event", B), ("+", "event", C),
         ("-", "event", A), ("+", "event", (4, 4, "d"))], queries=_each("event")),
    Play("the last two of three events deleted, others inserted", [("+", "event", A), ("+", "event", B), ("+", "event", C),
         ("-", "event", B), ("-", "event", C), ("+", "event", (4, 4, "d")), ("+", "event", (5, 5, "e"))],
              queries=_each("event")),
    Play("an event and a row", [("+", "event", A), ("+", "plain", A)], queries=_each("event", "plain")),
    Play("an event and a deleted row", [("+", "event", A), ("-", "plain", B)], [("+", "plain", B)], _each("event", "plain")),
    Play("an event and the last row deleted", [("+", "event", A), ("-", "plain", A)], [("+", "plain", A)], _each("event",
         "plain")),
    Play("an event of each table", [("+", "event", A), ("+", "event_keyed", A), ("+", "event_counted", A), ("+",
         "event_small", (7, 7)),
         ("+", "event_pair", (1, 2)), ("+", "hidden", A)], queries=_each("event", "event_keyed", "event_counted",
              "event_small", "event_pair")),
    Play("a private event", [("+", "hidden", A)], queries=_each("event")),
    Play("an event with a key", [("+", "event_keyed", A)], queries=_each("event_keyed")),
    Play("an event with a key, twice to the byte", [("+", "event_keyed", A), ("+", "event_keyed", A)],
         queries=_each("event_keyed")),
    Play("another event of the same key", [("+", "event_keyed", A), ("+", "event_keyed", (1, 11, "other"))],
         queries=_each("event_keyed")),
    Play("another event of the same key as an earlier one's", [("+", "event_keyed", (1, 11, "other"))], [("+",
         "event_keyed", A)],
         _each("event_keyed")),
    Play("an event of the key of a deleted one", [("+", "event_keyed", A), ("-", "event_keyed", A), ("+", "event_keyed", (1,
         11, "other"))],
         queries=_each("event_keyed")),
    Play("a pair that is there by half", [("+", "event_pair", (1, 2)), ("+", "event_pair", (1, 3)), ("+", "event_pair", (2,
         2))],
         queries=_each("event_pair")),
    Play("a generated key", [("+", "event_counted", NEW)], queries=_each("event_counted")),
    Play("generated keys", [("+", "event_counted", NEW), ("+", "event_counted", NEW), ("+", "event_counted", NEW)],
         queries=_each("event_counted")),
    Play("generated keys go on after a transaction", [("+", "event_counted", NEW)], [("+", "event_counted", NEW), ("+",
         "event_counted", NEW)],
         _each("event_counted")),
    Play("a generated key that is there", [("+", "event_counted", A), ("+", "event_counted", NEW)],
         queries=_each("event_counted")),
    Play("a generated key that is there, and the next", [("+", "event_counted", A), ("+", "event_counted", NEW), ("+",
         "event_counted", NEW)],
         queries=_each("event_counted")),
    Play("a generated key, deleted", [("+", "event_counted", NEW), ("-", "event_counted", (1, 10, "new"))],
         queries=_each("event_counted")),
    Play("a given key, deleted", [("+", "event_counted", A), ("-", "event_counted", A)], queries=_each("event_counted")),
    Play("a given key past the generated ones", [("+", "event_counted", (100, 1, "")), ("+", "event_counted", NEW)],
         queries=_each("event_counted")),
    Play("generated keys of a byte run out", [("+", "event_small", (0, 1))] * 3, [("+", "event_small", (0,
         n)) for n in range(254)],
         _each("event_small")),
    Play("keys of two tables", [("+", "event_counted", NEW), ("+", "counted", NEW)], queries=_each("event_counted",
         "counted")),
    Play("a row with a generated key", [("+", "counted", NEW)], [("+", "counted", NEW)], _each("counted")),
    Play("a row with a key that is there", [("+", "keyed", (1, 99, "other"))], [("+", "keyed", A)], _each("keyed")),
    Play("a row that is there", [("+", "keyed", A)], [("+", "keyed", A)], _each("keyed")),
    Play("a row replaced by its key", [("-", "keyed", A), ("+", "keyed", (1, 99, "other"))], [("+", "keyed", A), ("+",
         "keyed", B)], _each("keyed")),
    Play("a row deleted and inserted again", [("-", "keyed", A), ("+", "keyed", A)], [("+", "keyed", A)], _each("keyed")),
    Play("a row inserted and deleted", [("+", "plain", A), ("-", "plain", A)], [("+", "plain", B)], _each("plain")),
    Play("a row deleted twice", [("-", "plain", A), ("-", "plain", A)], [("+", "plain", A), ("+", "plain", B)],
         _each("plain")),
    Play("all rows deleted", [("-", "plain", A), ("-", "plain", B)], [("+", "plain", A), ("+", "plain", B)], _each("plain")),
    Play("all rows deleted, one inserted", [("-", "plain", A), ("-", "plain", B), ("+", "plain", C)], [("+", "plain", A),
         ("+", "plain", B)],
         _each("plain")),
    Play("all rows deleted and one of them inserted again", [("-", "plain", A), ("-", "plain", B), ("+", "plain", A)],
         [("+", "plain", A), ("+", "plain", B)], _each("plain")),
    Play("an event joined with a row", [("+", "event_counted", NEW)], [("+", "keyed", (10, 1, "k"))], [JOIN, LOOKED_UP]),
    Play("an event joined with no row", [("+", "event_counted", NEW)], [("+", "keyed", (11, 1, "k"))], [JOIN, LOOKED_UP]),
    Play("an event joined with a row of its transaction", [("+", "keyed", (10, 1, "k")), ("+", "event_counted", NEW)], (),
         [JOIN, LOOKED_UP]),
    Play("an event joined with a row that goes", [("-", "keyed", (10, 1, "k")), ("+", "event_counted", NEW)], [("+",
         "keyed", (10, 1, "k"))],
         [JOIN, LOOKED_UP]),
    Play("an event joined with a row that changes", [("-", "keyed", (10, 1, "k")), ("+", "keyed", (10, 2, "k")), ("+",
         "event_counted", NEW)],
         [("+", "keyed", (10, 1, "k"))], [JOIN, LOOKED_UP]),
    Play("two events joined with a row", [("+", "event_counted", NEW), ("+", "event_counted", NEW)], [("+", "keyed", (10, 1,
         "k"))],
         [JOIN, LOOKED_UP]),
    Play("a row that events could be joined with, and none", [("+", "keyed", (10, 1, "k"))], [("+", "event_counted", NEW)],
         [JOIN, LOOKED_UP]),
)  # fmt: skip


def plays() -> Iterator[Play]:
    """What is declared."""
    yield from PLAYS


def random_plays(count: int) -> Iterator[Play]:
    """Random operations on the tables of the same module, from a seed; rows are few, so that they meet."""
    source = random.Random("traces 1")
    tables = [one.name for one in WORLD.tables]

    def drawn(table: str, *numbers: int) -> tuple[Any, ...]:
        number = source.choice(numbers)
        return (number, source.choice((1, 2))) if table in ("event_small", "event_pair") else (
            number, source.choice((1, 2, 10)), source.choice(("", "x")))  # fmt: skip

    for _ in range(count):
        chosen = source.sample(tables, source.choice((2, 3, 4)))
        keys = {(table, source.choice((1, 2, 3))) for table in source.choices(chosen, k=source.randrange(6))}
        before: list[Op] = [("+", table, drawn(table, number)) for table, number in sorted(keys)]
        operations: list[Op] = []
        for table in source.choices(chosen, k=source.randrange(1, 9)):
            known = [row for _, name, row in (*before, *operations) if name == table]
            deleted = bool(known) and source.random() < 0.35
            operations.append(("-", table, source.choice(known)) if deleted else ("+", table, drawn(table, 0, 1, 2, 3)))
        asked = [f"SELECT * FROM {table}" for table in chosen if table != "hidden"]
        asked += [one for one in (JOIN, LOOKED_UP) if "event_counted" in chosen]
        yield Play("", operations, before, asked)
