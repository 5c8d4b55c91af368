"""What type checkers make of queries: read by mypy and pyright, and run as any test.

A line marked `type: ignore[code]` is wrong on purpose. Both checkers refuse a mark that hides no error; the last test takes the
marks away and looks where the errors are.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, assert_type

import pytest

from bsatn import U64, Identity, Timestamp
from defs.bindings import EventTable, Module, Table, column
from defs.query import FALSE, TRUE, AnyTable, Call, From, Predicate, QueryError, Semijoin, kinds, not_, table, tables
from defs.query.columns import Column, IndexedColumn
from defs.query.handles import EventTable as TypedEventTable
from defs.query.handles import Table as TypedTable

sys.path.insert(0, str(Path(__file__).parent))

from client_arena_v1 import (
    AuditEventTable,
    Fighter,
    FighterTable,
    RenameArgs,
    ScoreArgs,
    audit_event,
    damage_event,
    fighter,
    ledger,
    my_fighter,
)

HERE = Path(__file__)
ROOT = HERE.parents[2]
MARK = re.compile(r"  # type: ignore\[[a-z, -]+\]")


class FlagTable(TypedTable[object], name="flag"):
    on: Column[FlagTable, bool, kinds.Bool]
    off: Column[FlagTable, bool, kinds.Bool]
    seq: IndexedColumn[FlagTable, int, kinds.U64]
    name: Column[FlagTable, str, kinds.String]


class PingTable(TypedEventTable[object], name="ping"):
    seq: IndexedColumn[PingTable, int, kinds.U64]


flag, ping = FlagTable(), PingTable()


# What is right ----------------------------------------------------------------------------------------------


def test_predicates_know_their_table() -> None:
    assert_type(fighter.level >= 3, Predicate[FighterTable])
    assert_type(fighter.level >= 3, Predicate[FighterTable])
    assert_type(fighter.owner == Identity(1), Predicate[FighterTable])
    assert_type(fighter.owner != fighter.owner, Predicate[FighterTable])
    assert_type((fighter.level > 3) & (fighter.name == "x") | ~(fighter.id < 9), Predicate[FighterTable])
    assert_type(fighter.level.gte(3), Predicate[FighterTable])
    assert_type(flag.on & ~flag.off | (flag.name == "x"), Predicate[FlagTable])
    assert_type(not_(flag.on), Predicate[FlagTable])
    assert_type((flag.on & TRUE) | FALSE, Predicate[FlagTable])


def test_queries_know_what_they_return() -> None:
    assert_type(From(fighter).where(fighter.level >= 3), From[FighterTable])
    assert_type(From(flag).filter(flag.on).sql(), str)
    on = (audit_event.seq, fighter.id)
    assert_type(From(audit_event).left_semijoin(fighter, on=on), Semijoin[AuditEventTable])
    assert_type(From(audit_event).right_semijoin(fighter, on=on), Semijoin[FighterTable])
    assert_type(From(audit_event).right_semijoin(fighter, on=on).where(fighter.level > 3), Semijoin[FighterTable])
    assert From(my_fighter).where(my_fighter.level > 3).sql() == 'SELECT * FROM "my_fighter" WHERE ("my_fighter"."level" > 3)'


def test_calls_know_their_arguments() -> None:
    assert RenameArgs.decode(RenameArgs(id=1, new_name="x").encode()).new_name == "x"
    assert_type(ScoreArgs.decode_result(bytes(4)), list[int])
    with pytest.raises(TypeError):
        RenameArgs(1)  # type: ignore[call-arg]


module = Module()


@module.table(public=True)
class User(Table):
    id: U64 = column(primary_key=True)


@module.table(public=True)
class Seen(EventTable):
    user: U64 = column(index="btree")
    at: Timestamp


def test_tables_of_classes() -> None:
    users, seen = table(User), table(Seen)
    query = From(seen).right_semijoin(users, on=(seen.user, users.id)).where(users.id > 3)
    assert query.sql().startswith('SELECT "user".* FROM "seen" JOIN "user" ON "seen"."user" = "user"."id"')
    with pytest.raises(QueryError, match="swap the sides"):
        From(users).left_semijoin(seen, on=(users.id, seen.user))  # type: ignore[type-var]


def test_tables_at_run_time() -> None:
    known = tables(module.validate())
    assert_type(known["user"], AnyTable)
    users = known["user"]
    assert_type(From(users).where(users.id >= 3).sql(), str)
    seen = known["seen"]
    assert_type(From(seen).left_semijoin(users, on=(seen.user, users.id)), Semijoin[AnyTable])


# What is wrong ----------------------------------------------------------------------------------------------


def test_an_event_table_is_not_looked_up() -> None:
    with pytest.raises(QueryError, match="swap the sides"):
        From(fighter).left_semijoin(audit_event, on=(fighter.id, audit_event.seq))  # type: ignore[type-var]
    with pytest.raises(QueryError, match="swap the sides"):
        From(fighter).right_semijoin(audit_event, on=(fighter.id, audit_event.seq))  # type: ignore[type-var]
    with pytest.raises(QueryError, match="subscribe to both"):
        From(ping).left_semijoin(audit_event, on=(ping.seq, audit_event.seq))  # type: ignore[type-var]


def test_joins_are_on_indexes() -> None:
    with pytest.raises(QueryError, match="index"):
        From(damage_event).left_semijoin(fighter, on=(damage_event.target, fighter.id))  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="index"):
        From(audit_event).left_semijoin(flag, on=(audit_event.seq, flag.name))  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="index"):
        From(fighter).left_semijoin(my_fighter, on=(fighter.id, my_fighter.id))  # type: ignore[arg-type]


def test_joins_are_between_equal_types() -> None:
    with pytest.raises(QueryError, match="types differ"):
        From(audit_event).left_semijoin(fighter, on=(audit_event.seq, fighter.name))  # type: ignore[misc]
    with pytest.raises(QueryError, match="types differ"):
        From(audit_event).left_semijoin(ledger, on=(audit_event.seq, ledger.key))  # type: ignore[misc]


def test_joins_name_the_left_column_first() -> None:
    with pytest.raises(QueryError, match="no column of audit_event"):
        From(audit_event).left_semijoin(fighter, on=(fighter.id, audit_event.seq))  # type: ignore[misc, arg-type]
    with pytest.raises(QueryError, match="two columns"):
        From(audit_event).left_semijoin(fighter, on=audit_event.seq)  # type: ignore[arg-type]


def test_comparisons_are_between_equal_types() -> None:
    with pytest.raises(QueryError, match="types differ"):
        fighter.id == fighter.level  # type: ignore[operator]  # noqa: B015
    with pytest.raises(QueryError, match="types differ"):
        fighter.level < fighter.health  # type: ignore[operator]  # noqa: B015
    with pytest.raises(QueryError, match="takes int"):
        fighter.level.eq("3")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="takes int"):
        From(fighter).where(fighter.level == "3")  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="takes str"):
        fighter.name >= 3  # type: ignore[operator]  # noqa: B015
    with pytest.raises(QueryError, match="never NULL"):
        From(fighter).where(fighter.name == None)  # type: ignore[arg-type]  # noqa: E711
    with pytest.raises(QueryError, match="takes Identity"):
        fighter.owner.eq(1)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no literals"):
        fighter.loadout.eq(())  # type: ignore[arg-type]


def test_predicates_are_of_one_table() -> None:
    with pytest.raises(QueryError, match="about ping"):
        From(flag).where(ping.seq == 3)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="about ping"):
        (flag.seq == 3) & (ping.seq == 3)  # type: ignore[operator]
    with pytest.raises(QueryError, match="different tables"):
        flag.seq.eq(ping.seq)  # type: ignore[arg-type]
    joined = From(ping).left_semijoin(flag, on=(ping.seq, flag.seq))
    with pytest.raises(QueryError, match="about flag"):
        joined.where(flag.on)  # type: ignore[arg-type]


def test_filters_are_predicates() -> None:
    with pytest.raises(QueryError, match="only a Bool"):
        From(flag).where(flag.name)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no predicate"):
        From(flag).where(True)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="parentheses"):
        flag.seq == 3 & flag.on  # type: ignore[operator]  # noqa: B015
    with pytest.raises(QueryError, match="neither true nor false"):
        From(flag).where(not flag.on)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="neither true nor false"):
        _ = flag.on and flag.off  # run time only
    with pytest.raises(AttributeError, match="did you mean name"):
        _ = flag.nam  # type: ignore[attr-defined]


def test_tables_are_no_rows() -> None:
    with pytest.raises(QueryError, match="no table"):
        From(Fighter)  # type: ignore[type-var]
    assert isinstance(Call[Any]("v", [(kinds.U8, 3)]), Call)


# Each on its line -------------------------------------------------------------------------------------------


def checked(tool: str, folder: Path) -> dict[int, str]:
    """The lines with errors in this file without its marks, as a checker sees it."""
    for client in HERE.parent.glob("client_*.py"):
        shutil.copy(client, folder)
    copy = folder / "queries.py"
    copy.write_text(MARK.sub("", HERE.read_text("utf-8")), "utf-8")
    binary = Path(sys.executable).parent / tool
    if not binary.exists():
        pytest.skip(f"{tool} is not installed")
    if tool == "mypy":
        options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache")]
        done = subprocess.run([binary, *options, copy], cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 1, done.stdout + done.stderr
        found = re.findall(r"^(.*?):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
        return {int(line): text for file, line, text in found if Path(file).name == copy.name}
    settings = {"extraPaths": [str(ROOT)], "typeCheckingMode": "standard", "pythonVersion": "3.11"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run([binary, "--outputjson", copy.name], cwd=folder, capture_output=True, text=True, timeout=300)
    faults = json.loads(done.stdout)["generalDiagnostics"]
    return {one["range"]["start"]["line"] + 1: one["message"] for one in faults if one["severity"] == "error"}


@pytest.mark.parametrize("tool", ["mypy", "pyright"])
def test_every_error_is_found_on_its_line(tool: str, tmp_path: Path) -> None:
    lines = HERE.read_text("utf-8").split("\n")
    expected = {number for number, line in enumerate(lines, 1) if MARK.search(line)}
    found = checked(tool, tmp_path)
    assert len(expected) >= 30
    assert {line: found.get(line) for line in expected ^ set(found)} == {}
