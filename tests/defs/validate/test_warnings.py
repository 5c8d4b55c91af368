"""Warnings: the reference's on all its cases, each of ours where it is due and where it is not."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.annotations import array, option, product, sum_
from defs import raw
from defs.raw import v9, v10
from defs.raw.shared import RawRowLevelSecurityDefV9, TableAccess, TableType
from defs.validate import validate
from defs.validate.warnings import MAX_WARNINGS, WARNINGS, upstream_warnings, warnings_of

REFERENCE = Path(__file__).parents[3] / "vectors" / "reference"


@cache
def cases(file: str) -> list[dict[str, Any]]:
    with gzip.open(REFERENCE / file, "rt") as lines:
        return [json.loads(line) for line in lines]


def definition(*sections: Any) -> raw.RawModuleDefV10:
    return raw.RawModuleDefV10(sections)


def found(name: str, module: raw.RawModuleDef) -> list[tuple[tuple[str | int, ...], str]]:
    """What one warning finds, judged without validation."""
    return [(one.path, one.message) for one in warnings_of(module, None, [name]) if one.name == name]


def messages(name: str, module: raw.RawModuleDef) -> list[str]:
    return [message for _, message in found(name, module)]


# The reference's --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["modules.jsonl.gz", "modules_v8.jsonl.gz"])
def test_the_references_warnings(file: str) -> None:
    checked = 0
    for case in cases(file):
        if case["valid"]:
            assert upstream_warnings(validate(raw.decode(bytes.fromhex(case["bytes"])))) == case["warnings"], case["id"]
            checked += 1
    assert checked > 200


ROUTES = (
    v10.HttpHandlersSection((v10.RawHttpHandlerDefV10("answer"),)),
    v10.HttpRoutesSection((v10.RawHttpRouteDefV10("answer", v10.AnyMethod(), "/a"),)),
)


def mounted(*modules: tuple[str, raw.RawModuleDefV10]) -> v10.SubmodulesSection:
    return v10.SubmodulesSection(tuple(v10.RawSubmoduleV10(name, module) for name, module in modules))


def test_routes_in_submodules_are_ignored() -> None:
    """Under the names that the source gives; a submodule without routes is silent, whatever it holds."""
    branch = definition(mounted(("LeafTwo", definition(*ROUTES))))
    module = definition(*ROUTES, mounted(("MyAuth", definition(*ROUTES)), ("Quiet", definition()), ("Branch", branch)))
    warnings = warnings_of(module, validate(module))
    tail = "are ignored. Define HTTP routes in the root module instead."
    assert [(one.name, one.message) for one in warnings] == [
        ("http-routes-in-submodule", f"HTTP routes declared in submodule 'MyAuth' {tail}"),
        ("http-routes-in-submodule", f"HTTP routes declared in submodule 'Branch.LeafTwo' {tail}"),
    ]
    assert warnings[1].path == ("submodules", 2, "module", "submodules", 0, "module", "http_routes")


def test_routes_of_the_root_are_fine() -> None:
    module = definition(*ROUTES)
    assert warnings_of(module, validate(module), [*WARNINGS]) == []


# Ours -------------------------------------------------------------------------------------------------------


def table(name: str, ref: int) -> v10.RawTableDefV10:
    return v10.RawTableDefV10(name, ref, (), (), (), (), TableType.User, TableAccess.Public, ())


def space(*types: t.AlgebraicType) -> v10.TypespaceSection:
    return v10.TypespaceSection(t.Typespace(types))


def reducer(name: str, params: t.ProductType) -> v10.RawReducerDefV10:
    return v10.RawReducerDefV10(name, params, v10.FunctionVisibility.ClientCallable, product(), t.STRING)


MEETING = (
    space(
        product(playerId=t.U8, player_id=t.U8, other=t.U8),
        product(inner=array(product(aB=t.U8, a_b=t.U8))),
        sum_(RedTeam=product(), redTeam=product(), blue=product()),
        product(x=option(t.U8), y=sum_(ok=t.U8, err=t.U8), z=t.SCHEDULE_AT),
    ),
    v10.TablesSection((table("players", 0),)),
    v10.TypesSection((v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), "Team"), 2, True),)),
    v10.ReducersSection((reducer("join", product(teamId=t.U8, team_id=t.U8)),)),
)
NONE = v10.CaseConversionPolicySection(v10.CaseConversionPolicy.None_)


def test_names_that_meet() -> None:
    assert found("names-meet-after-conversion", definition(*MEETING)) == [
        (("reducers", 0, "params", 1), "parameters `teamId` and `team_id` of reducer `join` both become `team_id`"),
        (("typespace", 0, 1), "columns `playerId` and `player_id` of table `players` both become `player_id`"),
        (("typespace", 1, 0, 1), "fields `aB` and `a_b` of type &1 both become `a_b`"),
        (("typespace", 2, 1), "variants `RedTeam` and `redTeam` of type `Team` both become `redTeam`"),
    ]


def test_names_that_would_meet_under_another_policy() -> None:
    found_ = messages("names-meet-after-conversion", definition(NONE, *MEETING))
    assert len(found_) == 4
    assert all("would both become, under the default naming policy, `" in message for message in found_)


def test_names_of_a_submodule_meet_by_its_own_policy() -> None:
    [first, *_] = found("names-meet-after-conversion", definition(NONE, mounted(("sub", definition(*MEETING)))))
    assert first[0] == ("submodules", 0, "module", "reducers", 0, "params", 1)
    assert "would" not in first[1]


def test_names_that_are_the_same_do_not_meet() -> None:
    same = t.ProductType((t.ProductTypeElement("a", t.U8), t.ProductTypeElement("a", t.U8), t.ProductTypeElement(None, t.U8)))
    assert messages("names-meet-after-conversion", definition(space(same))) == []


def module_v9(
    name: str, row: t.ProductType, *, reducers: Sequence[v9.RawReducerDefV9] = (), exports: Sequence[Any] = (), sql: str = ""
) -> raw.RawModuleDefV9:
    declared = v9.RawTableDefV9(name, 0, (), (), (), (), None, TableType.User, TableAccess.Public)
    named = v9.RawTypeDefV9(v9.RawScopedTypeNameV9(("game",), "Row"), 0, True)
    rules = (RawRowLevelSecurityDefV9(sql),) if sql else ()
    return raw.RawModuleDefV9(t.Typespace((row,)), (declared,), tuple(reducers), (named,), tuple(exports), rules)


def test_names_of_version_9_that_would_change() -> None:
    procedure = v9.RawProcedureDefV9("getAll", product(maxCount=t.U8), t.U8)
    module = module_v9(
        "Player2", product(id=t.U8, homeTown=sum_(Red=product())),
        reducers=[v9.RawReducerDefV9("fine", product(ok=t.U8), None)], exports=[procedure],
    )  # fmt: skip
    tail = "in a version 10 module"
    assert found("v9-name-would-change", module) == [
        (("tables", 0), f"table `Player2` would become `player_2` {tail}"),
        (("misc_exports", 0), f"procedure `getAll` would become `get_all` {tail}"),
        (("types", 0), f"type `game` would become `Game` {tail}"),
        (("misc_exports", 0, "params", 0), f"parameter `maxCount` of procedure `getAll` would become `max_count` {tail}"),
        (("typespace", 0, 1), f"column `homeTown` of table `Player2` would become `home_town` {tail}"),
        (("typespace", 0, 1, 0), f"variant `Red` of table `Player2` would become `red` {tail}"),
    ]


def test_names_of_version_10_are_converted_already() -> None:
    assert messages("v9-name-would-change", definition(*MEETING)) == []


def test_sections_that_stand_twice() -> None:
    inner = definition(v10.TypesSection(()), v10.TypesSection(()))
    module = definition(v10.TablesSection(()), v10.TypesSection(()), v10.TablesSection(()), mounted(("sub", inner)), NONE, NONE)
    assert found("duplicate-sections", module) == [
        (("sections", 2), "a section Tables stands at 0 already: this one is ignored"),
        (("sections", 5), "a section CaseConversionPolicy stands at 4 already: this one is ignored"),
        (("submodules", 0, "module", "sections", 1), "a section Types stands at 0 already: this one is ignored"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM users",
        "select * from Users where users.id = :sender",
        'SELECT u.* FROM "users" AS u WHERE (a = 1)',
        "SELECT * FROM\n-- FROM nothing\n users /* FROM x */ WHERE name = 'FROM nowhere'",
        "SELECT x.* FROM missing x JOIN users ON x.id = users.id",
        "SELECT * FROM auth.users",
        "SELECT * FROM st_client",
        "SELECT * FROM missing, users",
        "SELECT * FROM missing m, users",
        "SELECT * FROM missing AS m, users",
        "SELECT * FROM (SELECT * FROM missing) x",
        "SELECT * FROM f(1)",
        "SELECT * FROM `missing`",
        "SELECT * FROM",
        "SELECT * FROM WHERE",
        "SELECT 1",
        "SELECT 'FROM missing",
        "SELECT 1 /* FROM missing",
        "",
        "SELECT * FROM missing" + " " * (1 << 17),
    ],
)
def test_row_level_security_that_reads_a_table_or_is_unclear(sql: str) -> None:
    assert messages("rls-names-no-table", module_v9("users", product(id=t.U8), sql=sql or " ")) == []


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT * FROM missing", "`missing`"),
        ("SELECT * FROM missing WHERE (x = 1)", "`missing`"),
        ("SELECT m.* FROM missing AS m WHERE m.users = 'users'", "`missing`"),
        ('select * from a."Missing" join "other" on x = y', "`missing`, `other`"),
    ],
)
def test_row_level_security_that_reads_no_table(sql: str, names: str) -> None:
    assert found("rls-names-no-table", module_v9("users", product(id=t.U8), sql=sql)) == [
        (("row_level_security", 0), f"row-level security reads {names}, and the module has no such table")
    ]


def test_row_level_security_may_use_any_spelling_of_a_table() -> None:
    names = v10.ExplicitNamesSection(v10.ExplicitNames((v10.TableName(v10.NameMapping("Crew", "staff")),)))
    tables = v10.TablesSection((table("PlayerState", 0), table("Crew", 0)))
    rules = [f"SELECT * FROM {name}" for name in ("PlayerState", "player_state", "staff", "Crew", "Nobody")]
    section = v10.RowLevelSecuritySection(tuple(map(RawRowLevelSecurityDefV9, rules)))
    assert found("rls-names-no-table", definition(tables, names, section)) == [
        (("row_level_security", 4), "row-level security reads `nobody`, and the module has no such table")
    ]


# All of ours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["modules.jsonl.gz", "modules_v8.jsonl.gz"])
def test_no_definition_makes_them_raise(file: str) -> None:
    seen = {
        one.name for case in cases(file) for one in warnings_of(raw.decode(bytes.fromhex(case["bytes"])), None, [*WARNINGS])
    }
    assert seen <= set(WARNINGS)


def test_only_what_is_asked_for() -> None:
    assert warnings_of(definition(*MEETING, *MEETING), None) == []
    assert {one.name for one in warnings_of(definition(*MEETING, *MEETING), None, ["duplicate-sections"])} == {
        "duplicate-sections"
    }


@pytest.mark.parametrize(
    "sql", ["/*" * 30_000, "'" * 60_001, '"' * 60_001, "FROM " * 13_000, "''a" * 20_000, "FROM a.b." * 7000]
)
def test_hostile_rules_take_no_time(sql: str) -> None:
    start = time.perf_counter()
    messages("rls-names-no-table", module_v9("users", product(id=t.U8), sql=sql))
    assert time.perf_counter() - start < 2


def test_there_are_not_more_than_one_can_read() -> None:
    row = t.ProductType(tuple(t.ProductTypeElement(f"A{'_' * n}", t.U8) for n in range(MAX_WARNINGS + 10)))
    found_ = warnings_of(definition(space(row)), None, ["names-meet-after-conversion"])
    assert len(found_) == MAX_WARNINGS
    assert max(len(one.message) for one in found_) < 1000


def test_deep_types_do_not_overflow_the_stack() -> None:
    kind: t.AlgebraicType = product(aB=t.U8, a_b=t.U8)
    for _ in range(20_000):
        kind = t.ProductType((t.ProductTypeElement("f", kind),))
    assert len(messages("names-meet-after-conversion", definition(space(kind)))) == 1


# -- views of event tables

ROW = t.Typespace((product(id=t.U64), product(id=t.U32)))


@pytest.mark.parametrize(
    ("returned", "is_due"),
    [
        (array(t.Ref(0)), True),
        (option(t.Ref(0)), True),
        (product(__query__=t.Ref(0)), True),
        (array(t.Ref(1)), False),
        (product(query=t.Ref(0)), False),
        (t.Ref(0), False),
        (array(array(t.Ref(0))), False),
    ],
)
def test_a_view_of_an_event_table(returned: t.AlgebraicType, is_due: bool) -> None:
    def table(name: str, ref: int, is_event: bool) -> v10.RawTableDefV10:
        return v10.RawTableDefV10(name, ref, (), (), (), (), TableType.User, TableAccess.Public, (), is_event)

    view = v10.RawViewDefV10("recent", 0, True, True, t.ProductType(), returned)
    tables = (table("log", 0, True), table("kept", 1, False))
    module = definition(v10.TypespaceSection(ROW), v10.TablesSection(tables), v10.ViewsSection((view,)))
    message = (
        "view `recent` returns rows of event table `log`: it sees those of its own transaction, and they stay "
        "until it runs again"
    )
    assert found("view-of-event-table", module) == ([(("views", 0), message)] if is_due else [])
    mounted = definition(v10.SubmodulesSection((v10.RawSubmoduleV10("inner", module),)))
    paths = [path for path, _ in found("view-of-event-table", mounted)]
    assert paths == ([("submodules", 0, "module", "views", 0)] if is_due else [])
    same_rows = definition(
        v10.TypespaceSection(ROW), v10.TablesSection((*tables, table("also", 0, False))), v10.ViewsSection((view,))
    )
    assert found("view-of-event-table", same_rows) == []
