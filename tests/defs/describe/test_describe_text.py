"""The plain text is the reference's, wherever validation changes no name; elsewhere it differs by case conversion alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from bsatn import types as t
from defs import raw
from defs.describe import describe
from defs.describe.text import to_text
from defs.raw import RawModuleDefV9, RawModuleDefV10, v8, v9, v10
from defs.raw.shared import BTree, Direct, Hash, RawRowLevelSecurityDefV9, TableAccess, TableType
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from describe_cases import (
    decode,
    gives_names,
    keeps_names,
    module,
    product,
    real_modules,
    reducer,
    table,
    valid_cases,
    variants,
)


def text_of(definition: raw.RawModuleDef) -> str:
    return to_text(describe(definition))


def squashed(text: str) -> list[str]:
    """What is left of a text when case conversion does not count: no case, no underlines, no widths, no order."""
    return sorted(re.sub(r"\s+", " ", line.lower().replace("_", "")) for line in text.splitlines())


class Reading(NamedTuple):
    """A valid case, what we print for it, and what the reference prints."""

    name: str
    definition: raw.RawModuleDef
    ours: str
    expected: str


@cache
def readings(version: int, key: str = "bytes") -> list[Reading]:
    """All valid cases of a version."""
    found = ((case["id"], decode(case, key), case["describe"]) for case in valid_cases(version))
    return [Reading(name, definition, text_of(definition), expected) for name, definition, expected in found]


def v10_readings(wanted: Callable[[RawModuleDefV10], bool]) -> list[Reading]:
    """The V10 cases whose definition is wanted."""
    return [each for each in readings(10) if isinstance(each.definition, RawModuleDefV10) and wanted(each.definition)]


@pytest.mark.parametrize(("version", "least"), [(8, 227), (9, 167)])
def test_every_older_definition_reads_as_the_reference_prints_it(version: int, least: int) -> None:
    assert len(readings(version)) >= least
    assert [each.name for each in readings(version) if each.ours != each.expected] == []


@pytest.mark.parametrize("version", [8, 9])
def test_the_reference_s_own_conversion_to_v9_reads_the_same(version: int) -> None:
    assert [each.name for each in readings(version, "v9") if each.ours != each.expected] == []


def test_every_v10_definition_whose_names_stay_reads_as_the_reference_prints_it() -> None:
    clean = v10_readings(keeps_names)
    assert len(clean) >= 42
    assert [each.name for each in clean if each.ours != each.expected] == []


def test_case_conversion_is_all_that_differs_in_the_other_v10_definitions() -> None:
    converted = v10_readings(lambda definition: not gives_names(definition))
    assert len(converted) >= 346
    assert [each.name for each in converted if squashed(each.ours) != squashed(each.expected)] == []


@pytest.mark.parametrize(("version", "least_equal", "least_alike"), [(8, 227, 227), (9, 167, 167), (10, 60, 364)])
def test_how_many_definitions_are_equal_in_all(version: int, least_equal: int, least_alike: int) -> None:
    cases = readings(version)
    equal = sum(each.ours == each.expected for each in cases)
    alike = sum(squashed(each.ours) == squashed(each.expected) for each in cases)
    print(f"V{version}: {equal} equal, {alike} equal but for case conversion, of {len(cases)}")  # noqa: T201 - measured
    assert equal >= least_equal
    assert alike >= least_alike


@pytest.mark.parametrize("name", ["arena_v1", "arena_v2", "arena_v3", "arena_2_0", "arena_2_8"])
def test_a_real_module_differs_in_converted_names_alone(name: str) -> None:
    ours, expected = text_of(decode(real_modules()[name])), real_modules()[name]["describe"]
    changed = [(a, b) for a, b in zip(ours.splitlines(), expected.splitlines(), strict=True) if a != b]
    assert len(changed) == 1  # the variants of one enum, which the server spells in camel case
    assert changed[0][0].lower() == changed[0][1].lower()


def test_a_real_v9_module_is_equal() -> None:
    assert text_of(decode(real_modules()["arena_classic"])) == real_modules()["arena_classic"]["describe"]


# What the cases above do not have. The texts were printed by the reference for these very definitions.


def test_an_empty_module_is_the_empty_text() -> None:
    assert text_of(module()) == ""


def test_a_table_without_columns_still_has_the_line() -> None:
    assert text_of(module((t.UNIT,), {}, (table("empty", 0), table("ev", 0, is_event=True)))) == (
        "Tables\n  empty (public)\n    Columns:\n\n  ev (public, event)\n    Columns:\n"
    )


def test_unique_constraints_over_several_columns_stand_in_the_order_of_their_names() -> None:
    row = product(("z", t.U8), ("a", t.U8), ("m", t.U8))
    indexes = (BTree((0, 1)), BTree((1, 2)), BTree((2, 0)), BTree(()), Hash((0,)), Direct(1))
    assert text_of(module((row,), {}, (table("t", 0, indexes=indexes, uniques=((0, 1), (2, 1), (2, 0), ())),))) == (
        "Tables\n  t (public)\n    Columns:\n      z  U8\n      a  U8\n      m  U8\n    Unique constraints:\n"
        "      (a, m)\n      (z, m)\n      (z, a)\n    Indexes:\n      t__idx_btree     btree ()\n"
        "      t_a_idx_direct   direct (a)\n      t_a_m_idx_btree  btree (a, m)\n      t_m_z_idx_btree  btree (m, z)\n"
        "      t_z_a_idx_btree  btree (z, a)\n      t_z_idx_hash     hash (z)\n"
    )


def test_v9_generates_names_only_where_there_are_none() -> None:
    indexes = (v9.RawIndexDefV9(None, None, BTree((0, 1))), v9.RawIndexDefV9("weird name!", None, BTree((0,))))
    row = product(("a", t.U8), ("b", t.U8))
    own = v9.RawTableDefV9("t", 0, (), indexes, (), (), None, TableType.User, TableAccess.Public)
    assert text_of(RawModuleDefV9(t.Typespace((row,)), (own,), (), (), (), ())) == (
        "Tables\n  t (public)\n    Columns:\n      a  U8\n      b  U8\n    Indexes:\n"
        "      t_a_b_idx_btree  btree (a, b)\n      weird name!      btree (a)\n"
    )


def test_widths_are_counted_in_characters() -> None:
    row = product(("scheduled_id", t.U64), ("東京", t.STRING))
    assert "      scheduled_id  U64\n      東京            String\n" in text_of(module((row,), {}, (table("t", 0),)))


def test_defaults_are_satn_and_the_last_one_of_a_column_counts() -> None:
    row = product(("a", t.U8), ("b", t.option_type(t.STRING)), ("c", t.BYTES), ("d", t.F32))
    first = table("t", 0, defaults={0: b"\x06\xff", 1: b"\0\2\0\0\0hi", 2: b"\2\0\0\0\1\2", 3: b"\0\0\0\x80"})
    assert text_of(module((row,), {}, (first,))) == (
        "Tables\n  t (public)\n    Columns:\n      a  U8              default: 6\n"
        '      b  Option<String>  default: (some = "hi")\n      c  Array<U8>       default: 0x0102\n'
        "      d  F32             default: -0\n"
    )


def test_types_listed_are_those_used_and_no_rows() -> None:
    ref = t.Ref
    types = (
        product(("a", t.U8), ("b", ref(1))),
        variants(("A", ref(0)), ("B", t.UNIT), ("C", t.NEVER), ("D", ref(5))),
        product(("self", t.option_type(ref(2))), ("ar", t.ArrayType(ref(2)))),
        t.IDENTITY,
        t.NEVER,
        t.UNIT,
        product(("r", ref(7)), ("u", ref(8))),
        t.option_type(t.U8),
        ref(1),
        product(("x", t.U8)),
    )
    names = {"Z": 0, "A.B.K": 1, "A": 2, "Ident": 3, "Nev": 4, "Rows": 6, "Unused": 9}
    made = module(types, names, (table("t", 6),), (reducer("r", ("a", ref(2)), ("b", ref(4)), ("c", ref(3)), ("d", t.NEVER)),))
    assert text_of(made) == (
        "Tables\n  t (public)\n    Columns:\n      r  Option<U8>\n      u  A.B.K\n\n"
        "Reducers\n  r(a: A, b: Nev, c: Ident, d: Never)\n\n"
        "Types\n  A = { self: Option<A>, ar: Array<A> }\n  A.B.K = A(Z) | B | C(Never) | D\n"
        "  Ident = { __identity__: U256 }\n  Nev = \n  Z = { a: U8, b: A.B.K }\n"
    )


def test_functions_and_what_is_called() -> None:
    ref = t.Ref(0)
    private, open_ = v10.FunctionVisibility.Private, v10.FunctionVisibility.ClientCallable
    row = product(("scheduled_id", t.U64), ("at", t.SCHEDULE_AT))
    submodule = module(
        (row,),
        {"X": 0},
        (table("st", 0),),
        (reducer("srun", ("timer", ref)),),
        v10.SchedulesSection((v10.RawScheduleDefV10(None, "st", 1, "srun"),)),
        v10.RowLevelSecuritySection((RawRowLevelSecurityDefV9("SELECT hidden"),)),
    )
    made = module(
        (row,),
        {"P": 0},
        (table("t", 0),),
        (reducer("zz"), reducer("cb")),
        v10.ProceduresSection(
            (
                v10.RawProcedureDefV10("sched", product(("timer", ref)), t.U8, open_),
                v10.RawProcedureDefV10("p", product(), t.UNIT, private),
            )
        ),
        v10.ViewsSection(
            (
                v10.RawViewDefV10("w", 0, False, True, product(("x", t.U8)), t.option_type(ref)),
                v10.RawViewDefV10("v", 0, True, False, product(), product(("__query__", ref))),
            )
        ),
        v10.SchedulesSection((v10.RawScheduleDefV10(None, "t", 1, "sched"),)),
        v10.LifeCycleReducersSection((v10.RawLifeCycleReducerDefV10(raw.shared.Lifecycle.OnConnect, "zz"),)),
        v10.OutboxesSection((v10.RawOutboxDefV10("t", "a.b", 1, (), "cb", 0),)),
        v10.SubmodulesSection((v10.RawSubmoduleV10("sub", submodule),)),
    )
    assert text_of(made).partition("\n\nViews")[0].endswith("    Schedule: calls procedure sched")
    assert "  sub.st (public)\n" in text_of(made)
    assert "    Schedule: calls reducer sub.srun\n" in text_of(made)
    assert text_of(made).partition("\n\nViews")[2] == (
        "\n  v() -> Array<P>  [public]\n  w(x: U8) -> Option<P>  [private] [anonymous]\n\n"
        "Reducers\n  cb()  [private]\n  sub.srun(timer: X)  [private]\n  zz()  [lifecycle: client_connected] [private]\n\n"
        "Procedures\n  p()  [private]\n  sched(timer: P) -> U8  [private]\n"
    )


def test_routes_keep_their_order_and_the_rest_is_sorted() -> None:
    routes = (("hh", v10.Method(v10.Extension("X")), "/z"), ("aa", v10.Method(v10.Post()), ""), ("aa", v10.AnyMethod(), "/b"))
    variables = (
        ("ZZ", v10.EnvUnion(("b", 'a"\n', "b")), False),
        ("A", v10.EnvStringLiteral('q"\\\né'), True),
        ("LONGER", v10.EnvString(), True),
    )
    made = module(
        (),
        {},
        (),
        (),
        v10.HttpRoutesSection(tuple(v10.RawHttpRouteDefV10(*route) for route in routes)),
        v10.EnvironmentSection(tuple(v10.RawEnvironmentDeclarationV10(*variable) for variable in variables)),
        v10.RowLevelSecuritySection(tuple(RawRowLevelSecurityDefV9(sql) for sql in ("z", "SELECT\n  * x", "a", "z", ""))),
    )
    assert text_of(made) == (
        'HTTP routes\n  X /z → hh\n  POST "" → aa\n  ANY /b → aa\n\n'
        'Environment variables\n  A       "q\\"\\\\\\né"     optional\n  LONGER  String         optional\n'
        '  ZZ      "a\\"\\n" | "b"\n\nRow-level security\n  \n  SELECT\n  * x\n  a\n  z\n'
    )


def test_entries_find_what_they_name_under_the_name_given_outright() -> None:
    given = (
        v10.FunctionName(v10.NameMapping("runTimer", "run")),
        v10.TableName(v10.NameMapping("Timer", "timers")),
        v10.FunctionName(v10.NameMapping("absent", "start")),
    )
    made = module(
        (product(("at", t.SCHEDULE_AT)),),
        {},
        (table("Timer", 0),),
        (reducer("runTimer"), reducer("start")),
        v10.SchedulesSection((v10.RawScheduleDefV10(None, "timers", 0, "run"),)),
        v10.LifeCycleReducersSection((v10.RawLifeCycleReducerDefV10(raw.shared.Lifecycle.Init, "start"),)),
        v10.ExplicitNamesSection(v10.ExplicitNames(given)),
    )
    assert text_of(made) == (
        "Tables\n  Timer (public)\n    Columns:\n      at  ScheduleAt\n    Schedule: calls reducer runTimer\n\n"
        "Reducers\n  runTimer()  [private]\n  start()  [lifecycle: init] [private]\n"
    )


def test_v8_flags_become_what_is_not_there_yet() -> None:
    index = v8.RawIndexDefV8("idx_t_a_unique", True, v8.IndexType.Hash, (0,))
    constraints = (
        v8.RawConstraintDefV8("ct_t_a", v8.Constraints.PRIMARY_KEY_AUTO, (0,)),
        v8.RawConstraintDefV8("ct_t_ct_t_b_non_unique", v8.Constraints.INDEXED, (1,)),
    )
    columns = tuple(v8.RawColumnDefV8(name, t.U8) for name in "ab")
    schema = v8.RawTableDefV8("t", columns, (index,), constraints, (), v8.StTableType.User, v8.StAccess.Private, None)
    made = v8.RawModuleDefV8(t.Typespace((product(("a", t.U8), ("b", t.U8)),)), (v8.TableDesc(schema, 0),), (), ())
    assert text_of(made) == (
        "Tables\n  t (private)\n    Columns:\n      a  U8  primary key, auto-increment\n      b  U8\n"
        "    Indexes:\n      idx_t_a_unique      hash (a)\n      idx_t_b_non_unique  btree (b)\n"
    )


def test_of_two_names_for_a_type_the_later_one_is_shown() -> None:
    kind = t.SumType((t.SumTypeVariant("A", t.UNIT),))
    row = t.ProductType((t.ProductTypeElement("k", t.Ref(0)),))
    types = tuple(v10.RawTypeDefV10(v10.RawScopedTypeNameV10(scope, "Kind"), 0, True) for scope in (("Scope",), ()))
    table = v10.RawTableDefV10("t", 1, (), (), (), (), TableType.User, TableAccess.Public, ())
    sections = (v10.TypespaceSection(t.Typespace((kind, row))), v10.TypesSection(types), v10.TablesSection((table,)))
    assert "k  Kind" in to_text(describe(validate(v10.RawModuleDefV10(sections))))
