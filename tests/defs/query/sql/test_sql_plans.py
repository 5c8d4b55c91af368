"""Plans: evaluated, they give what the query means; rewritten or not, over a table or over what a transaction changed."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsatn import types as t
from bsatn.values import Identity
from defs.query.sql import Catalog, Plan, SqlError, check, compile
from defs.query.sql.explain import plan_to_json, to_tree
from defs.query.sql.optimize import slots_of
from defs.query.sql.plan import (
    And,
    Column,
    Compare,
    Constant,
    Expression,
    Filter,
    HashJoin,
    IndexJoin,
    IndexScan,
    Or,
    Parameter,
    PlanNode,
    TableScan,
    nodes_of,
)

sys.path.insert(0, str(Path(__file__).parent))

from sql_cases import arena, cases, catalog_of, module

Row: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = Mapping[tuple[str, str | None], list[Row]]  #: by table and what of it: None, "inserts", "deletes"
Joined: TypeAlias = dict[int, Row]
SENDER = Identity(1)
OPERATORS = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}


# An evaluator, as simple as can be --------------------------------------------------------------------------


def value(expr: Expression, row: Joined) -> Any:
    match expr:
        case Column():
            return row[expr.slot][expr.position]
        case Constant():
            return expr.value
        case Parameter():
            return SENDER
        case Compare():
            return OPERATORS[expr.op](value(expr.left, row), value(expr.right, row))
        case And():
            return all(value(term, row) for term in expr.terms)
        case Or():
            return any(value(term, row) for term in expr.terms)


def evaluate(node: PlanNode, rows: Rows) -> Iterator[Joined]:
    match node:
        case TableScan():
            yield from ({node.slot: row} for row in rows[node.table.table_name, node.delta])
        case IndexScan():
            for row in rows[node.table.table_name, node.delta]:
                if [row[position] for position in node.positions] == [value(one, {}) for one in node.key]:
                    yield {node.slot: row}
        case Filter():
            yield from (row for row in evaluate(node.input, rows) if value(node.condition, row))
        case IndexJoin():
            for outer in evaluate(node.outer, rows):
                for row in rows[node.table.table_name, node.delta]:
                    if [row[position] for position in node.positions] == [value(one, outer) for one in node.key]:
                        yield kept(node.returns, outer, {node.slot: row})
        case HashJoin():
            for left, right in itertools.product(evaluate(node.left, rows), list(evaluate(node.right, rows))):
                if value(node.left_column, left) == value(node.right_column, right):
                    yield kept(node.returns, left, right)
        case _:
            for left, right in itertools.product(evaluate(node.left, rows), list(evaluate(node.right, rows))):
                yield {**left, **right}


def kept(returns: str, outer: Joined, found: Joined) -> Joined:
    return {"outer": outer, "lookup": found, "both": {**outer, **found}}[returns]


def result(plan: Plan, node: PlanNode, rows: Rows) -> Counter[Row]:
    found = list(evaluate(node, rows))
    assert all(list(row) == slots_of(node) or set(row) == set(slots_of(node)) for row in found)
    return Counter(row[plan.returned_slot] for row in found)


# Queries and rows -------------------------------------------------------------------------------------------

TABLES = Catalog(
    module(
        users={
            "columns": {"id": t.U32, "team": t.U32, "who": t.IDENTITY},
            "indexes": [("id",), ("team", "id"), ("team",)],
            "unique": ["id"],
        },
        posts={"columns": {"author": t.U32, "team": t.U32, "flag": t.BOOL}, "indexes": [("author",), ("team", "flag")]},
    )
)
COLUMNS = {"users": ("id", "team"), "posts": ("author", "team")}
NUMBERS = st.integers(0, 2)


@st.composite
def conditions(draw: st.DrawFn, tables: Mapping[str, str], depth: int = 2) -> str:
    alias = draw(st.sampled_from(sorted(tables)))
    column = f"{alias}.{draw(st.sampled_from(COLUMNS[tables[alias]]))}"
    other = draw(st.sampled_from(sorted(tables)))
    operator = draw(st.sampled_from(["=", "=", "<>", "<", ">="]))
    extra = f"{alias}.flag" if tables[alias] == "posts" else f"{alias}.who = :sender"
    nested = conditions(tables, depth - 1) if depth else st.just("TRUE")
    return draw(
        st.one_of(
            st.builds(lambda n: f"{column} {operator} {n}", NUMBERS),
            st.builds(lambda n: f"{n} {operator} {column}", NUMBERS),
            st.just(f"{column} {operator} {other}.team"),
            st.just(extra),
            st.builds(lambda a, word, b: f"({a} {word} {b})", nested, st.sampled_from(["AND", "OR"]), nested),
        )
    )


@st.composite
def queries(draw: st.DrawFn) -> str:
    tables = {"a": draw(st.sampled_from(["users", "posts"]))}
    source = f"{tables['a']} AS a"
    if draw(st.integers(0, 3)):
        tables["b"] = draw(st.sampled_from(["users", "posts"]))
        sides = [f"{alias}.{draw(st.sampled_from(COLUMNS[name]))}" for alias, name in tables.items()]
        source += f" JOIN {tables['b']} AS b ON {' = '.join(draw(st.permutations(sides)))}"
    terms = draw(st.lists(conditions(tables), max_size=4))
    where = f" WHERE {draw(st.sampled_from([' AND ', ' AND ', ' OR '])).join(terms)}" if terms else ""
    return f"SELECT {draw(st.sampled_from(sorted(tables)))}.* FROM {source}{where}"


USERS = st.lists(
    st.tuples(NUMBERS, NUMBERS, st.sampled_from([Identity(1), Identity(2)])), max_size=4, unique_by=lambda row: row[0]
)
POSTS = st.lists(st.tuples(NUMBERS, NUMBERS, st.booleans()), max_size=5, unique=True)


@settings(max_examples=120)
@given(queries(), USERS, POSTS)
def test_optimised_plans_give_the_same_rows(sql: str, users: list[Row], posts: list[Row]) -> None:
    rows: Rows = {("users", None): users, ("posts", None): posts}
    (plan,) = compile(sql, TABLES, protocol="oneoff")
    assert result(plan, plan.root, rows) == result(plan, plan.logical, rows), to_tree(plan)


@settings(max_examples=120)
@given(queries(), USERS, USERS, POSTS, POSTS)
def test_fragments_compute_the_changes(
    sql: str, users: list[Row], users2: list[Row], posts: list[Row], posts2: list[Row]
) -> None:
    """The rows before, plus inserts, minus deletes, are the rows after."""
    try:
        (plan,) = compile(sql, TABLES)
    except SqlError as error:
        if error.stage != "index":
            raise
        return
    before: Rows = {("users", None): users, ("posts", None): posts}
    changes: dict[tuple[str, str | None], list[Row]] = {}
    for name, old, new in (("users", users, users2), ("posts", posts, posts2)):
        changes[name, None] = new
        changes[name, "inserts"] = [row for row in new if row not in old]
        changes[name, "deletes"] = [row for row in old if row not in new]
    after = Counter(result(plan, plan.root, before))
    for node in plan.inserts:
        after.update(result(plan, node, changes))
    for node in plan.deletes:
        after.subtract(result(plan, node, changes))
    assert +after == result(plan, plan.root, changes)
    assert all(count >= 0 for count in after.values())


# Shapes -----------------------------------------------------------------------------------------------------


def test_a_tree() -> None:
    sql = "SELECT u.* FROM events JOIN users AS u ON events.user_id = u.id WHERE events.n > 5 AND (u.team = 1 OR events.flag)"
    found = check(sql, arena())
    assert to_tree(found.plans[0]).split("\n") == [
        "filter u.team = 1 OR events.flag",
        "└─ look up users as u by index users_id_idx_btree: id = events.user_id, at most one; keep both",
        "   └─ filter events.n > 5",
        "      └─ scan events",
    ]


def test_indexes_of_several_columns() -> None:
    (plan,) = compile("SELECT * FROM users WHERE 'x' = name AND id > 1 AND team = 3", arena())
    assert isinstance(plan.root, Filter)
    scan = plan.root.input
    assert isinstance(scan, IndexScan)
    assert (scan.index, scan.positions, [one.value for one in scan.key if isinstance(one, Constant)]) == (
        "users_team_name_idx_btree",
        (1, 2),
        [3, "x"],
    )
    assert plan_to_json(plan)["input"]["index"] == ["team", "name"]
    assert to_tree(plan) == "filter id > 1\n└─ scan users by index users_team_name_idx_btree: team = 3 and name = 'x'"


def test_fragments_of_a_table_and_of_a_join() -> None:
    (alone,) = compile("SELECT * FROM users", arena())
    assert [node.delta for node in (*alone.inserts, *alone.deletes) if isinstance(node, TableScan)] == ["inserts", "deletes"]
    (join,) = compile(
        "SELECT users.* FROM events JOIN users ON user_id = id".replace("user_id", "events.user_id").replace(
            "= id", "= users.id"
        ),
        arena(),
    )
    assert (len(join.inserts), len(join.deletes)) == (4, 4)
    assert compile("SELECT * FROM users", arena(), protocol="oneoff")[0].inserts == ()
    assert not join.uses_sender
    assert compile("SELECT * FROM everything WHERE who = :sender", arena())[0].uses_sender


def test_plans_of_the_reference_hold_together() -> None:
    """Columns are of the tables in their slots, keys fit their indexes, and every plan can be drawn."""
    for case in cases():
        try:
            plans = compile(case["sql"], catalog_of(case["module"]), caller=case["caller"])
        except SqlError:
            continue
        for plan in plans:
            assert plan.returned_slot in slots_of(plan.root)
            assert to_tree(plan)
            for node in (one for root in (plan.root, *plan.inserts, *plan.deletes) for one in nodes_of(root)):
                if isinstance(node, TableScan | IndexScan | IndexJoin):
                    assert plan.tables[node.slot] is node.table
                if isinstance(node, IndexScan | IndexJoin):
                    assert any((one.index_name, one.columns) == (node.index, node.positions) for one in node.table.indexes)
                    assert len(node.key) == len(node.positions)


@pytest.mark.parametrize(
    "sql", ["SELECT a.* FROM users a JOIN users b", "SELECT a.* FROM users a JOIN users b ON a.flag = b.flag"]
)
def test_one_off_joins_without_an_index(sql: str) -> None:
    (plan,) = compile(sql, arena(), protocol="oneoff")
    assert plan_to_json(plan)["op"] in ("cross-join", "hash-join")
    assert to_tree(plan).count("scan users") == 2


@pytest.mark.parametrize(("written", "meant"), [("=", "="), ("<>", "<>"), ("<", ">"), (">", "<"), ("<=", ">="), (">=", "<=")])
def test_a_constant_before_a_column_changes_places_with_it(written: str, meant: str) -> None:
    (plan,) = compile(f"SELECT * FROM users WHERE 7 {written} team", arena())
    assert isinstance(plan.root, Filter)
    assert plan.root.condition == Compare(meant, Column(0, 1, t.U32, "team"), Constant(7, t.U32))  # type: ignore[arg-type]


def test_an_index_that_ends_in_a_unique_column_finds_one_row() -> None:
    users = {"columns": {"id": t.U32, "area": t.U32}, "indexes": [("area", "id"), ("id",)], "unique": ["id"]}
    catalog = Catalog(module(users=users, posts={"columns": {"author": t.U32}}))
    sql = "SELECT posts.* FROM posts JOIN users ON posts.author = users.id WHERE posts.author > 0 AND users.area = 1"
    join = check(sql, catalog).join
    assert join is not None
    assert (join.positions, join.unique, join.key[0]) == ((1, 0), True, Constant(1, t.U32))


def test_what_changed_is_read_first() -> None:
    """Wherever only one table is replaced by its changes, those are scanned, and the other table is looked up."""
    (plan,) = compile("SELECT b.* FROM users a JOIN users b ON a.id = b.id WHERE b.flag = TRUE AND a.name = 'x'", arena())
    for node in (*plan.inserts[:2], *plan.deletes[:2]):
        scans = [one for one in nodes_of(node) if isinstance(one, TableScan | IndexScan)]
        joins = [one for one in nodes_of(node) if isinstance(one, IndexJoin)]
        assert [one.delta is not None for one in scans] == [True]
        assert [one.delta for one in joins] == [None]
    (plan,) = compile("SELECT b.* FROM users a JOIN users b ON a.id = b.id WHERE b.flag = TRUE", arena())
    assert [one.slot for node in plan.inserts[:2] for one in nodes_of(node) if isinstance(one, TableScan)] == [0, 1]
