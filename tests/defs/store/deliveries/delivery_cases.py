"""A small module, databases of it, and queries over it that are evaluated twice: by plans, and by looking at every row."""

from __future__ import annotations

import gzip
import json
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product as pairs
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bsatn import types as t
from bsatn.types import AlgebraicType, ProductType, ProductTypeElement, Typespace
from defs import raw
from defs.query.sql import Catalog, Plan, compile
from defs.raw import v10
from defs.raw.shared import BTree, TableAccess, TableType
from defs.schema.model import ModuleDef
from defs.store.datastore import Datastore
from defs.store.deliveries import Change
from defs.store.state import CommittedState, Table
from defs.validate import validate

REFERENCE = Path(__file__).parents[4] / "vectors" / "reference" / "deliveries.jsonl.gz"

#: Every column is indexed, so that every pair of columns of a type can be joined.
TABLES: dict[str, dict[str, AlgebraicType]] = {
    "users": {"id": t.U32, "team": t.U32, "score": t.F32},
    "teams": {"id": t.U32, "boss": t.U32, "score": t.F32},
    "events": {"user_id": t.U32, "n": t.U32, "score": t.F32},
    "secrets": {"id": t.U32},
    "notes": {"owner": t.IDENTITY, "id": t.U32},
}
EVENT = "events"


def _table(ref: int, name: str, columns: dict[str, AlgebraicType]) -> v10.RawTableDefV10:
    return v10.RawTableDefV10(
        source_name=name,
        product_type_ref=ref,
        primary_key=(),
        indexes=tuple(v10.RawIndexDefV10(f"{name}_ix{place}", f"ix{place}", BTree((place,))) for place in range(len(columns))),
        constraints=(),
        sequences=(),
        table_type=TableType.User,
        table_access=TableAccess.Private if name == "secrets" else TableAccess.Public,
        default_values=(),
        is_event=name == EVENT,
    )


@lru_cache
def arena() -> ModuleDef:
    """Users, teams, events, notes, and secrets, which are private."""
    rows = tuple(ProductType(tuple(ProductTypeElement(*one) for one in columns.items())) for columns in TABLES.values())
    types = tuple(v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), f"{name}Row"), ref, True) for ref, name in enumerate(TABLES))
    tables = tuple(_table(ref, *one) for ref, one in enumerate(TABLES.items()))
    space = v10.TypespaceSection(Typespace(rows))
    return validate(v10.RawModuleDefV10((space, v10.TypesSection(types), v10.TablesSection(tables))))


@lru_cache
def catalog() -> Catalog:
    return Catalog(arena())


def database() -> Datastore:
    """An empty database of the module."""
    datastore = Datastore.create()
    datastore.publish(arena())
    return datastore


@lru_cache
def shared_database() -> Datastore:
    """One that tests fill by `filled`, each anew."""
    return database()


def table_of(state: CommittedState, name: str) -> Table:
    found = state.table_named(name)
    assert found is not None
    return found


def row(name: str, *values: Any) -> bytes:
    """A row's BSATN."""
    return table_of(shared_database().state, name).codec.encode(values)


def plan_of(sql: str) -> Plan:
    (plan,) = compile(sql, catalog())
    return plan


@lru_cache
def cases() -> list[dict[str, Any]]:
    """The reference's cases."""
    with gzip.open(REFERENCE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def module_of(case: dict[str, Any]) -> ModuleDef:
    return validate(raw.decode(bytes.fromhex(case["module"])))


# Contents -----------------------------------------------------------------------------------------------------

Contents = dict[str, set[tuple[Any, ...]]]
_NUMBERS = st.integers(0, 3)
_FLOATS = st.sampled_from([0.0, -0.0, 1.5, float("inf"), float("nan")])
_VALUES: dict[AlgebraicType, st.SearchStrategy[Any]] = {t.U32: _NUMBERS, t.F32: _FLOATS}
OPEN = ("users", "teams", EVENT)


def rows_of(name: str, most: int) -> st.SearchStrategy[set[bytes]]:
    values = st.tuples(*(_VALUES[kind] for kind in TABLES[name].values()))
    return st.sets(values.map(lambda one: row(name, *one)), max_size=most)


@st.composite
def changes(draw: st.DrawFn) -> tuple[dict[str, set[bytes]], dict[str, Change]]:
    """Rows before, and a transaction: rows not there before are inserted, rows there are deleted; of events only inserts."""
    before = {name: draw(rows_of(name, 7)) if name != EVENT else set() for name in OPEN}
    made = {}
    for name in OPEN:
        inserts = sorted(draw(rows_of(name, 4)) - before[name])
        deletes = [one for one in sorted(before[name]) if draw(st.integers(0, 2)) == 0]
        if inserts or deletes:
            made[name] = Change(tuple(inserts), tuple(deletes))
    return before, made


def after(before: dict[str, set[bytes]], made: dict[str, Change]) -> dict[str, set[bytes]]:
    """The rows after the transaction, none of them events."""
    return {
        name: set() if name == EVENT else (rows - set(made.get(name, Change()).deletes)) | set(made.get(name, Change()).inserts)
        for name, rows in before.items()
    }


def filled(contents: dict[str, set[bytes]]) -> CommittedState:
    """The state with these rows."""
    state = shared_database().state
    for name, rows in contents.items():
        table = table_of(state, name)
        table.clear()
        for one in sorted(rows):
            table.insert(one)
    return state


# Queries ------------------------------------------------------------------------------------------------------

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
_LITERALS: dict[AlgebraicType, list[str]] = {t.U32: ["0", "1", "2", "3"], t.F32: ["0.0", "-0.0", "1.5", "1e400"]}
Rows = tuple[dict[str, Any], ...]


def total(value: Any) -> Any:
    """A value so that it compares as in the server."""
    return (value != value, 0.0 if value != value else value) if isinstance(value, float) else value


@dataclass(frozen=True)
class Term:
    """A condition: its text, and what it says of a row of each table."""

    sql: str
    holds: Callable[[Rows], bool]


@dataclass(frozen=True)
class Question:
    """A query: the tables by alias, the joined columns, the conditions, and which table's rows it returns."""

    tables: tuple[str, ...]
    on: tuple[str, str] | None
    terms: tuple[Term, ...]
    returned: int

    @property
    def sql(self) -> str:
        where = f" WHERE {' AND '.join(term.sql for term in self.terms)}" if self.terms else ""
        if self.on is None:
            return f"SELECT * FROM {self.tables[0]} AS a{where}"
        left, right = self.tables
        join = f"FROM {left} AS a JOIN {right} AS b ON a.{self.on[0]} = b.{self.on[1]}"
        return f"SELECT {'ab'[self.returned]}.* {join}{where}"

    def answer(self, *contents: Iterable[bytes]) -> Counter[bytes]:
        """The rows returned, every pair of rows looked at; `contents` has the rows of each table."""
        found: Counter[bytes] = Counter()
        read = [list(decoded(name, rows)) for name, rows in zip(self.tables, contents, strict=True)]
        for chosen in pairs(*read):
            rows = tuple(values for _, values in chosen)
            joined = self.on is None or total(rows[0][self.on[0]]) == total(rows[1][self.on[1]])
            if joined and all(term.holds(rows) for term in self.terms):
                found[chosen[self.returned][0]] += 1
        return found


def decoded(name: str, rows: Iterable[bytes]) -> Iterator[tuple[bytes, dict[str, Any]]]:
    codec = table_of(shared_database().state, name).codec
    return ((one, dict(zip(TABLES[name], codec.decode(one), strict=True))) for one in rows)


def _compared(draw: st.DrawFn, tables: tuple[str, ...]) -> Term:
    slot = draw(st.integers(0, len(tables) - 1))
    column = draw(st.sampled_from(sorted(TABLES[tables[slot]])))
    kind = TABLES[tables[slot]][column]
    sign = draw(st.sampled_from(sorted(_OPERATORS)) if draw(st.booleans()) else st.just("="))
    compare = _OPERATORS[sign]
    if draw(st.integers(0, 4)):
        literal = draw(st.sampled_from(_LITERALS[kind]))
        constant = total(int(literal) if kind == t.U32 else float(literal))
        return Term(f"{'ab'[slot]}.{column} {sign} {literal}", lambda rows: compare(total(rows[slot][column]), constant))
    other = draw(st.integers(0, len(tables) - 1))
    second = draw(st.sampled_from([one for one in sorted(TABLES[tables[other]]) if TABLES[tables[other]][one] == kind]))
    sql = f"{'ab'[slot]}.{column} {sign} {'ab'[other]}.{second}"
    return Term(sql, lambda rows: compare(total(rows[slot][column]), total(rows[other][second])))


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Queries of one table or two, which may be the same; the server refuses some of them."""
    tables = tuple(draw(st.lists(st.sampled_from(OPEN), min_size=1, max_size=2)))
    on = None
    if len(tables) == 2:
        left = draw(st.sampled_from(sorted(TABLES[tables[0]])))
        same = [one for one in sorted(TABLES[tables[1]]) if TABLES[tables[1]][one] == TABLES[tables[0]][left]]
        on = left, draw(st.sampled_from(same))
    terms = []
    for _ in range(draw(st.integers(0, 2))):
        one = _compared(draw, tables)
        if draw(st.integers(0, 3)) == 0:
            one = _either(one, _compared(draw, tables))
        terms.append(one)
    return Question(tables, on, tuple(terms), draw(st.integers(0, len(tables) - 1)))


def _either(one: Term, other: Term) -> Term:
    return Term(f"({one.sql} OR {other.sql})", lambda rows: one.holds(rows) or other.holds(rows))
