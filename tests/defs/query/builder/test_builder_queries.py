"""Queries built: what they render to, that the server's parser reads the same in it, and what is refused, with what to do."""

from __future__ import annotations

import gc
import itertools
import operator
from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import defs
from bsatn import U32, U64, Identity, Timestamp, record
from defs.bindings import EventTable, Index, Module, Table, column
from defs.query import FALSE, TRUE, From, QueryError, call, kinds, not_, table, tables
from defs.query.columns import Column, IndexedColumn
from defs.query.handles import EventTable as TypedEventTable
from defs.query.handles import Table as TypedTable
from defs.query.sql import SqlError, check
from defs.query.sql.parser import parse_statements
from defs.query.sql.query import Comparison, Field, Lit, read_query
from defs.schema import ModuleDef

MODULES = Path(__file__).parents[4] / "vectors" / "modules"

module = Module()


@record
class Spot:
    x: U32


@module.table(public=True, indexes=[Index.btree("team", "level", accessor="by_team_level")])
class Player(Table):
    id: U64 = column(primary_key=True)
    team: U64 = column(index="hash")
    level: U32
    online: bool
    name: str = column(name="nickName")
    spot: Spot
    from_: U64


@module.table(public=True)
@module.table(public=True, accessor="late_hit")
class Hit(EventTable):
    player: U64 = column(index="btree")
    other: U64
    at: Timestamp


MODULE: ModuleDef = module.validate()
T = tables(MODULE)
player, hit = T["player"], T["hit"]
Unchecked: Any = From  #: for what type checkers would not let through


# Rendered ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "sql"),
    [
        (From(player), 'SELECT * FROM "player"'),
        (From(player).where(player.level >= 3), 'SELECT * FROM "player" WHERE ("player"."level" >= 3)'),
        (From(player).where(player.online), 'SELECT * FROM "player" WHERE ("player"."online" = TRUE)'),
        (From(player).where(~player.online), 'SELECT * FROM "player" WHERE ("player"."online" <> TRUE)'),
        (From(player).where(TRUE), 'SELECT * FROM "player" WHERE (TRUE = TRUE)'),
        (From(player).where(~TRUE), 'SELECT * FROM "player" WHERE (FALSE = TRUE)'),
        (From(player).filter(FALSE), 'SELECT * FROM "player" WHERE (FALSE = TRUE)'),
        (From(player).where(not_(player.online)), 'SELECT * FROM "player" WHERE (NOT ("player"."online" = TRUE))'),
        (From(player).where(~not_(player.online)), 'SELECT * FROM "player" WHERE ("player"."online" = TRUE)'),
        (From(player).where(player.level > 3), 'SELECT * FROM "player" WHERE ("player"."level" > 3)'),
        (From(player).where(player["from"] == 1), 'SELECT * FROM "player" WHERE ("player"."from" = 1)'),
        (From(player).where(player.nickName != "x"), 'SELECT * FROM "player" WHERE ("player"."nickName" <> \'x\')'),
        (
            From(player).where(player.level > 1).where(player.level < 9).where(player.online),
            'SELECT * FROM "player" WHERE ((("player"."level" > 1) AND ("player"."level" < 9)) AND ("player"."online" = TRUE))',
        ),
        (
            From(hit).left_semijoin(player, on=(hit.player, player.id)),
            'SELECT "hit".* FROM "hit" JOIN "player" ON "hit"."player" = "player"."id"',
        ),
        (
            From(hit).where(hit.other == 1).left_semijoin(player, on=(hit.player, player.id)).where(hit.other < 2),
            'SELECT "hit".* FROM "hit" JOIN "player" ON "hit"."player" = "player"."id" '
            'WHERE (("hit"."other" = 1) AND ("hit"."other" < 2))',
        ),
        (
            From(hit).where(hit.other == 1).right_semijoin(player, on=(hit.player, player.id)).where(player.level < 2),
            'SELECT "player".* FROM "hit" JOIN "player" ON "hit"."player" = "player"."id" '
            'WHERE ("hit"."other" = 1) AND ("player"."level" < 2)',
        ),
    ],
)
def test_texts(query: Any, sql: str) -> None:
    assert query.sql() == sql
    assert str(query) == sql
    assert sql[:100] in repr(query)
    if "NOT" not in sql:
        assert query.sql(check=MODULE) == sql


def test_queries_do_not_change() -> None:
    all_players = From(player)
    some = all_players.where(player.level > 1)
    some.where(player.level > 2)
    joined = From(hit).left_semijoin(player, on=(hit.player, player.id))
    joined.where(hit.other == 1)
    assert all_players.sql() == 'SELECT * FROM "player"'
    assert some.sql().count(">") == 1
    assert "WHERE" not in joined.sql()


def test_many_filters_are_no_depth() -> None:
    many = reduce(operator.or_, [player.level == number for number in range(20_000)])
    assert str(~many).count("<>") == 20_000
    assert From(player).where(many).sql().count("(") == 39_999
    del many
    gc.collect()


# Read back --------------------------------------------------------------------------------------------------


class Numbers(TypedTable[object], name="n"):
    a: Column[Numbers, int, kinds.U8]
    b: Column[Numbers, int, kinds.U8]
    c: Column[Numbers, bool, kinds.Bool]


N = Numbers()
ROWS = [dict(zip("abc", row, strict=True)) for row in itertools.product(range(3), range(3), (False, True))]
OPS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@st.composite
def comparisons(draw: st.DrawFn) -> tuple[Any, Callable[[Any], bool], Any]:
    """A predicate, what it means, and its form."""
    op = draw(st.sampled_from(list(OPS)))
    one = draw(st.sampled_from("ab"))
    if draw(st.booleans()):
        other = draw(st.sampled_from("ab"))
        return OPS[op](N[one], N[other]), lambda row: OPS[op](row[one], row[other]), (op, one, other)
    value = draw(st.integers(0, 3))
    return OPS[op](N[one], value), lambda row: OPS[op](row[one], value), (op, one, str(value))


FLAG = st.just((N.c, lambda row: row["c"], ("=", "c", "true")))


def _joined(parts: Any) -> Any:
    word, (one, left, form), (other, right, form_2) = parts
    if word == "AND":
        return one & other, lambda row: left(row) and right(row), (word, form, form_2)
    return one | other, lambda row: left(row) or right(row), (word, form, form_2)


def _trees(negate: bool) -> st.SearchStrategy[Any]:
    def grow(inner: Any) -> Any:
        joined = st.tuples(st.sampled_from(["AND", "OR"]), inner, inner).map(_joined)
        negated = inner.map(lambda part: (~part[0], lambda row: not part[1](row), None))
        return joined | negated if negate else joined

    return st.recursive(comparisons() | FLAG, grow, max_leaves=12)


def parsed(predicate: Any) -> Any:
    return read_query(parse_statements(From(N).where(predicate).sql())).where


def form(expression: Any) -> Any:
    match expression:
        case Field(name=name):
            return name
        case Lit(text=text):
            return text.lower()
    return expression.op, form(expression.left), form(expression.right)


def holds(expression: Any, row: dict[str, Any]) -> Any:
    match expression:
        case Field(name=name):
            return row[name]
        case Lit(kind, text):
            return text.lower() == "true" if kind == "bool" else int(text)
        case Comparison(op, left, right):
            return OPS[op](holds(left, row), holds(right, row))
    both = holds(expression.left, row), holds(expression.right, row)
    return all(both) if expression.op == "AND" else any(both)


@given(_trees(negate=False))
def test_the_parser_reads_the_same_predicate(tree: Any) -> None:
    predicate, _, expected = tree
    assert form(parsed(predicate)) == expected


@given(_trees(negate=True))
def test_the_text_means_what_the_operators_say(tree: Any) -> None:
    predicate, meaning, _ = tree
    expression = parsed(predicate)
    assert [holds(expression, row) for row in ROWS] == [meaning(row) for row in ROWS]


# Refused ----------------------------------------------------------------------------------------------------


def refused(kind: str, build: Callable[[], Any]) -> str:
    with pytest.raises(QueryError) as caught:
        build()
    assert caught.value.kind == kind
    return caught.value.hint


def test_event_tables_are_not_looked_up() -> None:
    on = (player.id, hit.player)
    hint = refused("EventLookup", lambda: From(player).left_semijoin(hit, on=on))
    assert hint == "swap the sides: From(hit).right_semijoin(player, on=(hit.player, player.id)) returns player too"
    swapped = From(hit).right_semijoin(player, on=(hit.player, player.id))
    assert check(swapped.sql(), MODULE).returns == "player"
    hint = refused("EventLookup", lambda: From(player).right_semijoin(hit, on=on))
    assert hint == "swap the sides: From(hit).left_semijoin(player, on=(hit.player, player.id)) returns hit too"
    assert check(From(hit).left_semijoin(player, on=(hit.player, player.id)).sql(), MODULE).returns == "hit"
    late = T["late_hit"]
    assert "subscribe to both" in refused("EventLookup", lambda: From(hit).left_semijoin(late, on=(hit.player, late.player)))


def test_joins_need_an_index_of_the_column_alone() -> None:
    hint = refused("NotIndexed", lambda: From(hit).left_semijoin(player, on=(hit.other, player.id)))
    assert hint == "add an index on this column alone to the module, or join on player"
    refused("NotIndexed", lambda: From(hit).left_semijoin(player, on=(hit.player, player["from"])))
    refused("NotAPredicate", lambda: Unchecked(hit).left_semijoin(player, on=(hit.player,)))


def test_other_joins() -> None:
    refused("SelfJoin", lambda: Unchecked(player).left_semijoin(player, on=(player.id, player.team)))
    refused("OtherTable", lambda: Unchecked(hit).left_semijoin(player, on=(player.id, hit.player)))
    refused("NotAPredicate", lambda: Unchecked(hit).left_semijoin(player, on=hit.player == 3))
    refused("NotATable", lambda: Unchecked(hit).left_semijoin("player", on=(hit.player, player.id)))
    assert "table(Class)" in refused("NotATable", lambda: Unchecked(Player))


def test_the_server_is_asked() -> None:
    """What the types let through, the checker finds: it looks up the side without a filter."""
    joined = From(hit).right_semijoin(player, on=(hit.player, player.id)).where(player.level > 3)
    assert joined.sql().endswith("> 3)")
    with pytest.raises(SqlError) as caught:
        joined.sql(check=MODULE)
    assert caught.value.stage == "event-lookup"
    with pytest.raises(SqlError, match="NOT"):
        From(player).where(not_(player.online)).sql(check=MODULE)
    with pytest.raises(SqlError, match="cannot be compared"):
        From(player).where(player.spot == player.spot).sql(check=MODULE)
    with pytest.raises(SqlError, match="WebSocket v2"):
        From(hit).sql(check=MODULE, protocol="v1")


wild: Any = player
PITFALLS: list[tuple[str, Callable[[], Any]]] = [
    ("NoTruthValue", lambda: (wild.level > 1) and (wild.level < 9)),
    ("NoTruthValue", lambda: (wild.level > 1) or (wild.level < 9)),
    ("NoTruthValue", lambda: not (wild.level > 1)),
    ("NoTruthValue", lambda: 1 < wild.level < 9),
    ("NoTruthValue", lambda: bool(wild.online)),
    ("NoTruthValue", lambda: wild.level in [3]),
    ("TypeMismatch", lambda: wild.level in [wild.id]),
    ("NotAPredicate", lambda: wild.level == 1 & wild.online),
    ("NotAPredicate", lambda: wild.level == 1 | wild.id == 2),
    ("NotAPredicate", lambda: (wild.level == 1) & 3),
    ("NotAPredicate", lambda: wild.online == (wild.level == 1)),
    ("NotAPredicate", lambda: wild.level & wild.online),
    ("NotAPredicate", lambda: Unchecked(wild).where(wild.level)),
    ("NotAPredicate", lambda: Unchecked(wild).where(True)),
    ("NotAPredicate", lambda: Unchecked(wild).where(None)),
    ("OtherTable", lambda: Unchecked(wild).where(hit.other == 1)),
    ("OtherTable", lambda: (wild.level == 1) & (hit.other == 1)),
    ("OtherTable", lambda: wild.id == hit.player),
    ("UnknownColumn", lambda: wild.nope),
    ("UnknownTable", lambda: T["nope"]),
]


@pytest.mark.parametrize(("kind", "build"), PITFALLS, ids=range(len(PITFALLS)))
def test_pitfalls(kind: str, build: Callable[[], Any]) -> None:
    assert refused(kind, build)


# Tables -----------------------------------------------------------------------------------------------------


def test_tables_of_a_module() -> None:
    assert list(T) == ["hit", "late_hit", "player"]
    assert "player" in T
    assert "nope" not in T
    assert T.get("nope") is None
    assert hasattr(player, "level")
    assert not hasattr(player, "nope")
    assert "level" in dir(player)
    assert repr(hit) == "<event table hit>"
    assert repr(player.id) == "<column player.id: U64, indexed>"
    assert [name for name, one in player.__table__.columns.items() if one.indexed] == ["id", "team"]
    with pytest.raises(QueryError, match="did you mean player"):
        T["playr"]


def test_tables_of_classes_are_those_of_their_module() -> None:
    mine = table(Player)
    assert mine.__table__.columns.keys() == {"id", "team", "level", "online", "name", "spot", "from_"}
    for attribute, info in mine.__table__.columns.items():
        other = player[info.name].indexed, player[info.name].name
        assert (info.indexed, info.name) == other, attribute
    assert From(mine).where(mine.from_ == 3).sql(check=MODULE).endswith('("player"."from" = 3)')
    with pytest.raises(QueryError, match="late_hit"):
        table(Hit)
    late = table(Hit, "late_hit")
    assert From(late).sql(check=MODULE) == 'SELECT * FROM "late_hit"'
    with pytest.raises(QueryError, match="declare a class"):
        table(Spot)  # type: ignore[type-var]


def test_a_typed_table_has_a_name() -> None:
    class Nameless(TypedTable[object]):
        x: IndexedColumn[Nameless, int, kinds.U8]

    with pytest.raises(QueryError, match="has no table"):
        From(Nameless())


def test_arena() -> None:
    arena = defs.load(MODULES / "arena_v1.wasm").validate()
    known = tables(arena)
    fighter = known["fighter"]
    assert fighter.owner.indexed
    assert not fighter.team.indexed
    query = From(fighter).where((fighter.owner == Identity(1)) | (fighter.level > 3))
    assert query.sql(check=arena).endswith('1) OR ("fighter"."level" > 3))')
    with pytest.raises(QueryError, match="takes 0 arguments"):
        call(known["my_fighter"], 3)


def test_events_of_typed_tables() -> None:
    class Pings(TypedEventTable[object], name="pings"):
        seq: IndexedColumn[Pings, int, kinds.U64]

    assert Pings().__table__.is_event
