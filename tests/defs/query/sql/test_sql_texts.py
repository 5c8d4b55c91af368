"""Single queries: names, literals, syntax, hints; and what no text may do."""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsatn.values import ConnectionId, Identity, Timestamp, Uuid
from defs.query.sql import MAX_LENGTH, MAX_TABLES, SqlError, check, compile
from defs.query.sql.lexer import tokenize
from defs.query.sql.plan import Compare, Constant, Filter
from defs.query.sql.report import place, refused

sys.path.insert(0, str(Path(__file__).parent))

from sql_cases import ALL_TYPES, arena, cases, catalog_of


def error(sql: str, **options: Any) -> SqlError:
    with pytest.raises(SqlError) as caught:
        check(sql, arena(), **options)
    return caught.value


# Literals ---------------------------------------------------------------------------------------------------

INFINITY = float("inf")
MAX_U256 = (1 << 256) - 1
NO = None  #: refused

LITERALS = [
    ("u8", "255", 255), ("u8", "256", NO), ("u8", "-1", NO), ("u8", "-0", 0), ("u8", "+7", 7), ("u8", "7L", 7),
    ("u8", "0x10", 10), ("u8", "0xff", NO), ("u8", "X'10'", 10), ("u8", "'5'", 5), ("u8", "' 5'", NO), ("u8", "'1_0'", 10),
    ("u8", "'_1'", NO), ("u8", "1.0", 1), ("u8", "1.5", NO), ("u8", "1e2", 100), ("u8", "10e-1", 1), ("u8", "1e3", NO),
    ("u8", "'.5e1'", 5), ("u8", "'+-5'", NO), ("u8", "'e5'", NO), ("u8", "''", NO), ("u8", "1e99999999999", NO),
    ("u8", "0e99999999999", 0), ("u8", "1e10000000000000000000000000000000000000000", NO), ("u8", "TRUE", NO),
    ("i8", "-128", -128), ("i8", "-129", NO), ("i64", "-9223372036854775808", -(1 << 63)), ("i128", "1e38", 10**38),
    ("i128", "2e38", NO),
    ("u256", str(MAX_U256), MAX_U256), ("u256", str(MAX_U256 + 1), NO), ("u256", "1e77", 10**77), ("u256", "1e78", NO),
    ("u256", "1.0", NO), ("i256", "'-5'", -5), ("u32", "1.0", 1),
    ("f64", "1e400", INFINITY), ("f64", "-1e400", -INFINITY), ("f64", "1e-400", 0.0), ("f64", "1e-9999999999", INFINITY),
    ("f64", "-0.0", 0.0),
    ("f64", "0.1", 0.1), ("f64", "1e22", 1e22), ("f64", "1e23", 1e23), ("f64", "123e20", 1.23e22), ("f64", "'NaN'", NO),
    ("f64", "'inf'", NO),
    ("f32", "0.1", 0.10000000149011612), ("f32", "16777217", 16777216.0), ("f32", "3.5e38", INFINITY),
    ("text", "'it''s'", "it's"), ("text", "5", "5"), ("text", "-5.0", "-5.0"), ("text", "0xff", "ff"), ("text", "TRUE", NO),
    ("flag", "TRUE", True),
    ("flag", "1", NO), ("flag", "'true'", NO),
    ("raw", "0x616263", b"abc"), ("raw", "x'6'", NO), ("raw", "'0x61'", b"a"), ("raw", "''", b""), ("raw", "61", b"a"),
    ("who", "0x" + "ab" * 32, Identity(int("ab" * 32, 16))), ("who", "0x" + "ab" * 31, NO),
    ("who", "'" + "0" * 63 + "1'", Identity(1)),
    ("conn", "0x" + "ab" * 16, ConnectionId(int("ab" * 16, 16))), ("conn", "1", NO),
    ("uid", "'00000000-0000-0000-0000-00000000000a'", Uuid(10)), ("uid", "'0000000000000000000000000000000A'", Uuid(10)),
    ("uid", "'{00000000-0000-0000-0000-00000000000a}'", Uuid(10)),
    ("uid", "'URN:uuid:00000000-0000-0000-0000-00000000000a'", Uuid(10)),
    ("uid", "'{0000000000000000000000000000000a}'", NO), ("uid", "'000000000-000-0000-0000-00000000000a'", NO),
    ("when", "'1970-01-01T00:00:00.001+00:00'", Timestamp(1000)), ("when", "'1970-01-01 00:00:01z'", Timestamp(1_000_000)),
    ("when", "'1969-12-31T23:59:59.9999999Z'", Timestamp(-1)), ("when", "'1970-01-01T01:30:00+01:30'", Timestamp(0)),
    ("when", "'1970-01-01T00:00:00'", NO), ("when", "'1970-13-01T00:00:00Z'", NO), ("when", "'1900-02-29T00:00:00Z'", NO),
    ("when", "'2000-02-29T00:00:00Z'", Timestamp(951782400000000)),
    ("when", "'0000-01-01T00:00:00Z'", Timestamp(-62167219200000000)),
    ("when", "'2016-12-31T23:59:60Z'", Timestamp(1483228800000000)), ("when", "'1970-01-01T24:00:00Z'", NO), ("when", "0", NO),
    ("when", "'1970-01-01T00:00:00+24:00'", NO), ("when", "'1970-01-01T00:00:00.Z'", NO),
    ("span", "1", NO), ("maybe", "1", NO), ("kind", "0", NO), ("list", "0x00", NO),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "value"), LITERALS)
def test_literals(column: str, text: str, value: Any) -> None:
    """The text of a literal is read as the type of the column, before or after it."""
    name = {"f32": "f_32", "f64": "f_64"}.get(column, column)
    for condition in (f"{name} >= {text}", f"{text} <= {name}"):
        sql = f"SELECT * FROM everything WHERE {condition}"
        if value is NO:
            assert error(sql).stage == "type"
            continue
        (plan,) = compile(sql, arena())
        assert isinstance(plan.root, Filter)
        assert isinstance(plan.root.condition, Compare)
        assert plan.root.condition.op == ">="
        constant = plan.root.condition.right
        assert isinstance(constant, Constant)
        assert (constant.value, type(constant.value)) == (value, type(value))
        assert str(constant.value) == str(value)


def test_accessors_of_columns() -> None:
    """A column is known by both of its names; `i8` became `i_8`."""
    for name in ALL_TYPES:
        check(
            f"SELECT * FROM everything WHERE everything.{name} = everything.{name}"
            if name not in ODD
            else "SELECT * FROM users",
            arena(),
        )
    check("SELECT * FROM my_team WHERE team_name = 'x' AND teamName = 'y'", arena())
    assert error("SELECT * FROM my_team WHERE TeamName = 'x'").message == "`TeamName` is not in scope"


ODD = {"span", "maybe", "kind", "list"}


@pytest.mark.parametrize("column", sorted(ODD))
def test_types_that_cannot_be_compared(column: str) -> None:
    assert error(f"SELECT * FROM everything WHERE {column} = {column}").message.startswith(
        "Invalid binary operator `=` for type `"
    )


# Names, syntax ----------------------------------------------------------------------------------------------

ACCEPTED = [
    "select * from users;",
    "SELECT ALL * FROM users /* a /* nested */ comment */ -- and more",
    'SELECT * FROM "users" WHERE "users"."id" == 1',
    "SELECT * FROM 'users'",
    "SELECT * FROM users 'u' WHERE u.id = 1",
    "SELECT u.* FROM users AS u WHERE id = 1",
    "SELECT * FROM users() u",
    "SELECT * FROM users END and nobody reads this",
    "SELECT * FROM users WHERE TRUE AND flag AND (flag = TRUE) = FALSE",
    "SELECT * FROM everything WHERE who = :sender OR raw = :sender OR :sender = who",
    'SELECT * FROM everything WHERE :sender = :sender AND who > : "sender"',
    "SELECT\u3000* FROM users",
]


@pytest.mark.parametrize("sql", ACCEPTED)
def test_accepted(sql: str) -> None:
    assert check(sql, arena()).returns in ("users", "everything")


#: A text, the message, what the position points at (None: nowhere), and words of the hint.
REFUSED = [
    ("", "SubscriptionError: Empty string", None, "SELECT"),
    (" ; ", "Empty SQL query", None, "SELECT"),
    ("SELECT * FROM users; SELECT * FROM users", "Multiple SQL statements are not supported", None, "by itself"),
    ("DELETE FROM users", "Unsupported: Non-SELECT queries", "DELETE", "reducer"),
    ("SELECT * FROM users LIMIT 1", "Unsupported: SELECT * FROM users LIMIT 1", "SELECT", "leave out"),
    ("SELECT * FROM users UNION ALL SELECT 1",
     "Unsupported set operation: SELECT * FROM users UNION ALL SELECT 1", "SELECT", ""),
    ("SELECT DISTINCT * FROM users GROUP BY id", "Unsupported SELECT: SELECT DISTINCT * FROM users GROUP BY id", "SELECT", ""),
    ("SELECT * FROM users, events", "Implicit joins are not supported", "events", "JOIN"),
    ("SELECT * FROM (SELECT 1) AS x", "Unsupported FROM expression: (SELECT 1) AS x", "(SELECT", "names"),
    ("SELECT a.* FROM users a LEFT JOIN users b ON a.id = b.id", "Non-inner joins are not supported", "LEFT", ""),
    ("SELECT a.* FROM users a JOIN users b ON (a.id = b.id)",
     "Non-inner joins are not supported", "JOIN", "without parentheses"),
    ("SELECT a.* FROM users a JOIN users b ON a.id = b.id WHERE name = 'x'",
     "Names must be qualified when using joins", "name", "`a.name`"),
    ("SELECT * FROM users WHERE NOT flag", "Unsupported expression: NOT flag", "NOT", "turn"),
    ("SELECT * FROM users WHERE id IN (1, 2)", "Unsupported expression: id IN (1, 2)", "id", ""),
    ("SELECT * FROM users WHERE id + 1 != 2", "Unsupported binary operator: +", "+", ""),
    ("SELECT * FROM users WHERE id = -(1)", "Unsupported expression: -(1)", "-", "sign"),
    ("SELECT * FROM users WHERE id = :Sender", "Unsupported literal expression: :Sender", ":Sender", ":sender"),
    ("SELECT * FROM users WHERE name = N'x'", "Unsupported literal expression: N'x'", "N'x'", ""),
    ("SELECT COUNT(*) FROM users", "Aggregate expressions must have column aliases", "COUNT", ""),
    ("SELECT SUM(id) AS n FROM users", "Unsupported aggregate function: SUM(id)", "SUM", ""),
    ("SELECT *, id FROM users", "Mixed wildcard projections are not supported", "*", ""),
    ("SELECT * FROM usres", "no such table: `usres`. If the table exists, it may be marked private.", "usres", "`users`"),
    ("SELECT * FROM USERS",
     "no such table: `USERS`. If the table exists, it may be marked private.", "USERS", "case-sensitive"),
    ("SELECT * FROM secrets",
     "no such table: `secrets`. If the table exists, it may be marked private.", "secrets", "is private"),
    ("SELECT my_team.* FROM myTeam", "`my_team` is not in scope", "my_team", "called `myTeam`"),
    ("SELECT * FROM users WHERE users.nmae = 'x'", "`nmae` is not in scope", "nmae", "`name`"),
    ("SELECT users.* FROM users JOIN users ON id = id", "Names must be qualified when using joins", "id", ""),
    ("SELECT users.* FROM users JOIN users ON users.id = users.id", "Duplicate name `users`", "users ON", "alias"),
    ("SELECT * FROM users a JOIN users b ON a.id = b.id", "SELECT * is not supported for joins", "*", "SELECT a.*"),
    ("SELECT id, id FROM users", "Duplicate name `id`", "id FROM", ""),
    ("SELECT * FROM users WHERE 1 = 1", "Cannot resolve type for literal expression", "1", "column"),
    ("SELECT * FROM users WHERE id", "Unexpected type: (expected) U32 != Bool (inferred)", "id", "Bool"),
    ("SELECT * FROM users WHERE id = name", "Unexpected type: (expected) String != U32 (inferred)", "name", "one type"),
    ("SELECT * FROM users WHERE id = :sender",
     "Unexpected type: (expected) (__identity__: U256) != U32 (inferred)", ":sender", "Identity"),
    ("SELECT * FROM users(1)", "`users` is a table, not a view; it does not take arguments", "1", ""),
    ("SELECT * FROM users WHERE id = 'x'", "The literal expression `x` cannot be parsed as type `U32`", "'x'", "0 to 2^32 - 1"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "message", "at", "hint"), REFUSED)
def test_refused(sql: str, message: str, at: str | None, hint: str) -> None:
    found = error(sql)
    assert found.message == message
    assert hint in found.hint
    if at is None:
        assert found.position is None
    else:
        assert found.position is not None
        assert sql[found.position :].startswith(at)


HINTS = [
    (
        "SELECT users.* FROM users JOIN events ON events.user_id = users.id",
        "swap the tables around JOIN: FROM events JOIN users",
    ),
    (
        "SELECT u.* FROM users AS u JOIN sparks s ON s.user_id = u.id",
        "swap the tables around JOIN: FROM sparks AS s JOIN users AS u",
    ),
    (
        "SELECT users.* FROM events JOIN users ON events.user_id = users.id WHERE users.id = 1",
        "only `users` is compared with a constant",
    ),
    ("SELECT a.* FROM events a JOIN events b ON a.user_id = b.user_id", "two event tables cannot be joined"),
    ("SELECT users.* FROM users JOIN myTeam ON users.team = myTeam.id", "add an index on column `id` of table `my_team`"),
    ("SELECT users.* FROM users JOIN myTeam ON users.id = myTeam.id", "or swap the tables around JOIN: FROM myTeam JOIN users"),
    ("SELECT users.* FROM users JOIN myTeam", "ON one column = another"),
    (
        "SELECT users.* FROM users JOIN myTeam ON users.id = users.id",
        "ON must compare a column of `users` with one of `myTeam`",
    ),
]


@pytest.mark.parametrize(("sql", "hint"), HINTS)
def test_hints_of_joins(sql: str, hint: str) -> None:
    assert hint in error(sql).hint


def test_advice_to_swap_is_good_advice() -> None:
    for sql, hint in HINTS:
        if "FROM" in hint:
            advice = error(sql).hint.rsplit("FROM ", 1)[1]
            head, tail = sql.split(" FROM ")[0], sql.split(" ON ")[1]
            check(f"{head} FROM {advice} ON {tail}", arena())


def test_places() -> None:
    assert place("SELECT *\n FROM x", 15) == (" FROM x", "      ^")
    line, caret = place("a" * 100 + "x" + "b" * 100, 100)
    assert line[len(caret) - 1] == "x"
    assert line.startswith("…")
    assert line.endswith("…")
    assert len(line) == 102
    assert place("\x00\ud800x", 2) == ("\\x00\\ud800x", " " * 10 + "^")
    assert refused(error("SELECT * FROM usres"), "SELECT * FROM usres").split("\n")[1:3] == [
        "  SELECT * FROM usres",
        " " * 16 + "^",
    ]


# Whatever the text ------------------------------------------------------------------------------------------


def outcome(sql: str, **options: Any) -> str:
    """`ok`, or the stage; nothing but SqlError, and in no time."""
    begin = time.perf_counter()
    try:
        check(sql, arena(), **options)
        found = "ok"
    except SqlError as caught:
        found = caught.stage
        if caught.position is not None and not 0 <= caught.position <= len(sql):
            raise
        refused(caught, sql)
    assert time.perf_counter() - begin < 20
    return found


HOSTILE = {
    "nesting": "SELECT * FROM users WHERE " + "(" * 20_000 + "TRUE" + ")" * 20_000,
    "parentheses": "(" * 49_000,
    "queries": "SELECT * FROM " + "(SELECT * FROM " * 3000,
    "prefixes": "SELECT * FROM users WHERE id = " + "- " * 20_000 + "1",
    "nots": "SELECT * FROM users WHERE " + "NOT " * 10_000 + "flag",
    "terms": "SELECT * FROM users WHERE TRUE" + " AND TRUE" * 5000,
    "comparisons": "SELECT * FROM users WHERE TRUE" + "=TRUE" * 9000,
    "postfixes": "SELECT * FROM users WHERE flag" + " IS NULL" * 6000,
    "casts": "SELECT * FROM users WHERE flag" + "::int" * 9000,
    "brackets": "SELECT * FROM users WHERE flag" + "[1]" * 15_000,
    "digits": "SELECT * FROM users WHERE id = " + "9" * 49_000,
    "fraction": "SELECT * FROM everything WHERE f_64 = 0." + "9" * 49_000 + "e100",
    "hex": "SELECT * FROM everything WHERE raw = 0x" + "f" * 49_001,
    "exponent": "SELECT * FROM users WHERE id = 1e" + "9" * 49_000,
    "small exponent": "SELECT * FROM everything WHERE u_256 = 1e-" + "9" * 18,
    "plain exponent": "SELECT * FROM everything WHERE i_256 = 1e10000000",
    "quotes": "SELECT * FROM users WHERE name = '" + "''" * 24_000,
    "double quotes": "SELECT * FROM " + '"' * 49_001,
    "dollars": "$" * 49_001,
    "tags": "$a$" * 16_000,
    "comments": "/*" * 24_000,
    "comment": "SELECT * FROM users /*" + "*" * 49_000,
    "names": "SELECT * FROM " + "a." * 24_000 + "a",
    "joins": "SELECT a.* FROM users a" + "".join(f" JOIN users b{i} ON a.id=b{i}.id" for i in range(1400)),
    "crosses": "SELECT a.* FROM users a" + "".join(f" JOIN users b{i}" for i in range(2500)),
    "commas": "SELECT " + ",".join(["id"] * 16_000) + " FROM users",
    "columns": "SELECT " + ",".join(f"id x{i}" for i in range(5000)) + " FROM users",
    "unknown": "SELECT * FROM " + "x" * 49_000,
    "case": "SELECT * FROM users WHERE " + "CASE WHEN " * 4000,
    "nul": "SELECT * FROM users\0",
    "surrogate": "SELECT * FROM users WHERE name = '\ud800'",
    "too long": "SELECT * FROM users WHERE name = '" + "é" * 25_000 + "'",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts(name: str) -> None:
    for protocol in ("v2", "oneoff"):
        assert outcome(HOSTILE[name], protocol=protocol) != "ok" or name == "fraction"


def test_limits() -> None:
    """As in the server: 47 parentheses, 1600 operators in a row, 50000 bytes."""
    for depth, found in ((47, "ok"), (48, "parse")):
        assert outcome("SELECT * FROM users WHERE " + "(" * depth + "TRUE" + ")" * depth) == found
    for count, found in ((1600, "ok"), (1601, "parse")):
        assert outcome("SELECT * FROM users WHERE TRUE" + " AND TRUE" * count) == found
    text = "SELECT * FROM users WHERE name = '{}'"
    room = MAX_LENGTH - len(text) + 2
    for count, found in ((room, "ok"), (room + 1, "parse")):
        assert outcome(text.format("x" * count)) == found
    assert (
        error(text.format("x" * 60_000)).message
        == 'SQL query exceeds maximum allowed length: "' + text[:34] + "x" * 86 + '..."'
    )
    for tables, found in ((MAX_TABLES, "ok"), (MAX_TABLES + 1, "plan")):
        joins = "".join(f" JOIN users b{i} ON b{i}.id = a.id" for i in range(tables - 1))
        assert outcome(f"SELECT a.* FROM users a{joins}", protocol="oneoff") == found


@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    assert outcome(text) != "ok"


PIECES = sorted({text for case in cases()[:300] if len(case["sql"]) < 500 for text in case["sql"].split()}) + list(
    ".,;()[]*:-+'\"\\$?@!=<>|&\0é"
)


@settings(max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=25))
def test_any_words(words: list[str]) -> None:
    outcome("SELECT * FROM users WHERE " + " ".join(words))


@settings(max_examples=200)
@given(st.data())
def test_changed_texts(data: st.DataObject) -> None:
    """Pieces of accepted and refused texts, dropped, doubled, exchanged: an answer or an SqlError."""
    case = data.draw(st.sampled_from([case for case in cases() if len(case["sql"]) < 500]))
    try:
        cuts = [token.start for token in tokenize(case["sql"])]
    except SqlError:
        cuts = [0, len(case["sql"])]
    pieces = [case["sql"][start:end] for start, end in pairwise(cuts)]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(pieces)))
        pieces[at : at + data.draw(st.integers(0, 2))] = data.draw(st.lists(st.sampled_from(PIECES + pieces), max_size=2))
    for protocol in ("v2", "v1", "oneoff"):
        try:
            check("".join(pieces), catalog_of(case["module"]), caller=case["caller"], protocol=protocol)
        except SqlError as caught:
            refused(caught, "".join(pieces))
