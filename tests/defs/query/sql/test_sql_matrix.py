"""Which joins are accepted: event and stored tables, indexes, filters, the order of tables. (spec: event-tables 1.9)"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from bsatn import types as t
from defs.query.sql import Catalog, SqlError, check
from defs.query.sql.catalog import Caller

sys.path.insert(0, str(Path(__file__).parent))

from sql_cases import arena, module

FILTERS = {
    "none": "",
    "events": " WHERE events.n = 1",
    "users": " WHERE users.age > 1",
    "both": " WHERE events.n = 1 AND users.age > 1",
}
#: Of each order of tables and each filter, the table that is looked up.
LOOKED_UP = {
    ("events", "users"): {"none": "users", "events": "users", "both": "users", "users": "events"},
    ("users", "events"): {"none": "events", "users": "events", "both": "events", "events": "users"},
}


def two_tables(events_indexed: bool, users_indexed: bool) -> Catalog:
    events = {"columns": {"user_id": t.U32, "n": t.U32}, "event": True, "indexes": [("user_id",)] if events_indexed else []}
    users = {
        "columns": {"id": t.U32, "age": t.U32},
        "indexes": [("id",)] if users_indexed else [],
        "unique": ["id"] if users_indexed else [],
    }
    return Catalog(module(events=events, users=users))


@pytest.mark.parametrize("events_indexed", [True, False])
@pytest.mark.parametrize("users_indexed", [True, False])
def test_the_matrix(events_indexed: bool, users_indexed: bool) -> None:
    catalog = two_tables(events_indexed, users_indexed)
    for (left, right), (filtered, where) in itertools.product(LOOKED_UP, FILTERS.items()):
        looked_up = LOOKED_UP[left, right][filtered]
        verdict = "ok"
        if not (events_indexed if looked_up == "events" else users_indexed):
            verdict = "index"
        elif looked_up == "events":
            verdict = "event-lookup"
        for returned, on in itertools.product((left, right), ("events.user_id = users.id", "users.id = events.user_id")):
            sql = f"SELECT {returned}.* FROM {left} JOIN {right} ON {on}{where}"
            assert stage(sql, catalog) == verdict, sql
            if verdict == "ok":
                found = check(sql, catalog)
                assert (found.lookup, found.lookup_side) == ("users", "right" if right == "users" else "left")
                assert (found.returns, found.is_event) == (returned, returned == "events")
                assert stage(sql, catalog, "v1") == ("event-v1" if returned == "events" else "ok")
            assert stage(sql, catalog, "oneoff") == "ok"


def stage(sql: str, catalog: Catalog, protocol: str = "v2", caller: Caller = "client") -> str:
    try:
        check(sql, catalog, protocol=protocol, caller=caller)  # type: ignore[arg-type]
    except SqlError as error:
        return error.stage
    return "ok"


@pytest.mark.parametrize(
    ("term", "counts"),
    [
        ("users.id = 1", True),
        ("1 >= users.id", True),
        ("(users.name <> 'x')", True),
        ("users.flag = TRUE", True),
        ("users.flag", False),
        ("users.id = users.team", False),
        ("(users.id = 1 OR users.id = 2)", False),
        ("TRUE", False),
        ("TRUE = TRUE", False),
        ("(TRUE AND (users.id = 1 AND TRUE))", True),
        ("events.n = users.id", False),
    ],
)
def test_which_terms_make_the_other_side_looked_up(term: str, counts: bool) -> None:
    """A filter on the right side alone swaps the sides, and then `events` is looked up; only some terms are filters."""
    sql = f"SELECT users.* FROM events JOIN users ON events.user_id = users.id WHERE {term}"
    assert stage(sql, arena()) == ("event-lookup" if counts else "ok")


@pytest.mark.parametrize(
    ("where", "verdict"),
    [
        ("", "index"),
        ("WHERE users.team = 1 AND myTeam.id = 1", "ok"),
        ("WHERE 1 = users.team AND 1 < myTeam.id", "ok"),
        ("WHERE users.team > 1 AND myTeam.id = 1", "index"),
        ("WHERE (users.team = 1 OR users.team = 1) AND myTeam.id = 1", "index"),
    ],
)
def test_an_index_of_several_columns_joins_by_its_last(where: str, verdict: str) -> None:
    sql = f"SELECT users.* FROM myTeam JOIN users ON myTeam.teamName = users.name {where}"
    assert stage(sql, arena()) == verdict


@pytest.mark.parametrize(
    ("sql", "verdict"),
    [
        ("SELECT a.* FROM users a JOIN users b ON a.id = a.id", "plan"),
        ("SELECT a.* FROM users a JOIN users b ON b.id = b.id", "plan"),
        ("SELECT a.* FROM users a JOIN users b", "index"),
        ("SELECT a.* FROM users a CROSS JOIN users b", "index"),
        ("SELECT a.* FROM users a JOIN users b ON a.id = b.id JOIN users c ON c.id = a.id", "plan"),
        ("SELECT a.* FROM users a JOIN users b ON a.id = b.id JOIN users c ON c.flag = a.flag", "index"),
        ("SELECT a.* FROM users a JOIN users b ON a.id = b.id JOIN events c ON c.user_id = a.id", "event-lookup"),
    ],
)
def test_other_joins(sql: str, verdict: str) -> None:
    assert stage(sql, arena()) == verdict
    # over a one-off query only the sides are checked, and not even the left one
    assert stage(sql, arena(), "oneoff") == ("plan" if "b.id = b.id" in sql else "ok")


def test_all_tables() -> None:
    """Stored tables that the caller may read, in V2 and SubscribeMulti only."""
    for sql in ("SELECT * FROM *", " select\n*\tfrom  * "):
        assert check(sql, arena()).returns == ["everything", "my_team", "users"]
        assert check(sql, arena(), caller="owner", protocol="v1").returns == ["everything", "my_team", "secrets", "users"]
        assert stage(sql, arena(), "v1_single") == stage(sql, arena(), "oneoff") == "parse"
    assert stage("SELECT * FROM *;", arena()) == stage("SELECT * FROM*", arena()) == "parse"


def test_callers() -> None:
    assert stage("SELECT * FROM secrets", arena()) == "resolve"
    assert stage("SELECT * FROM secrets", arena(), caller="owner") == "ok"
    assert stage("SELECT * FROM st_table", arena()) == "ok"
    assert stage("SELECT * FROM st_env", arena()) == "resolve"
    assert stage("SELECT * FROM st_env", arena(), caller="owner") == "ok"
