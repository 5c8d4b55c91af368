"""The reference's conversions, and definitions written by hand for what is lost in them, for the tests beside."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from bsatn import types as t
from bsatn.annotations import array, product, ref, sum_
from defs.raw import RawModuleDefV9, RawModuleDefV10, v9, v10
from defs.raw.shared import (
    BTree,
    Hash,
    Lifecycle,
    RawUniqueConstraintDataV9,
    TableAccess,
    TableType,
)
from defs.schema.lookup import Lookup
from defs.schema.model import ModuleDef

VECTORS = Path(__file__).parents[3] / "vectors"
ROW = product(a=t.U64, b=t.STRING, at=t.SCHEDULE_AT)
CALLABLE, NONE = v10.FunctionVisibility.ClientCallable, v10.CaseConversionPolicy.None_


@cache
def valid_cases(version: int) -> list[dict[str, Any]]:
    """The reference's valid cases of a version."""
    files = ("modules.jsonl.gz", "modules_v8.jsonl.gz")
    lines = [line for name in files for line in gzip.decompress((VECTORS / "reference" / name).read_bytes()).splitlines()]
    cases = [json.loads(line) for line in lines]
    return [case for case in cases if case["valid"] and case["version"] == version]


def comparable(module: ModuleDef, version: int | None = None) -> ModuleDef:
    """The definition without decoded defaults, which may be NaN and then equal nothing; their bytes stay."""
    tables = {
        name: replace(table, columns=tuple(replace(column, default_value=None) for column in table.columns))
        for name, table in module.tables.items()
    }
    inner = Lookup((name, comparable(one)) for name, one in module.submodules.items())
    return replace(module, version=version or module.version, tables=Lookup(tables.items()), submodules=inner)


# Version 10


def index(name: str, *columns: int, kind: type[BTree] | type[Hash] = BTree) -> v10.RawIndexDefV10:
    return v10.RawIndexDefV10(name, None, kind(columns))


def unique(*columns: int) -> v10.RawConstraintDefV10:
    return v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(columns))


def table(name: str, **parts: Any) -> v10.RawTableDefV10:
    given: dict[str, Any] = {
        "product_type_ref": 0, "primary_key": (), "indexes": (), "constraints": (), "sequences": (), "default_values": (),
        "table_type": TableType.User, "table_access": TableAccess.Public,
    }  # fmt: skip
    return v10.RawTableDefV10(source_name=name, **given | parts)


def keyed_table(name: str, **parts: Any) -> v10.RawTableDefV10:
    return table(name, primary_key=(0,), indexes=(index(f"{name}_index", 0),), constraints=(unique(0),), **parts)


def reducer(name: str, params: t.ProductType = t.UNIT) -> v10.RawReducerDefV10:
    return v10.RawReducerDefV10(name, params, CALLABLE, t.UNIT, t.STRING)


def view(name: str, returned: t.AlgebraicType, params: t.ProductType = t.UNIT) -> v10.RawViewDefV10:
    return v10.RawViewDefV10(name, 0, True, True, params, returned)


def named_type(name: str, entry: int) -> v10.RawTypeDefV10:
    return v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), name), entry, True)


def explicit(kind: Any, **names: str) -> tuple[Any, ...]:
    return tuple(kind(v10.NameMapping(source, name)) for source, name in names.items())


def module(*sections: Any, entries: Sequence[t.AlgebraicType] = (ROW,)) -> RawModuleDefV10:
    """The sections with a typespace; rows have a type's name, so that functions may take them."""
    named = () if any(isinstance(one, v10.TypesSection) for one in sections) else (v10.TypesSection((named_type("Row", 0),)),)
    return RawModuleDefV10((v10.TypespaceSection(t.Typespace(tuple(entries))), *named, *sections))


def explicit_names(*entries: Any) -> v10.ExplicitNamesSection:
    return v10.ExplicitNamesSection(v10.ExplicitNames(entries))


QUERY = product(__query__=ref(0))
TAKES_ROW = product(row=ref(0))

#: One definition of version 10 for each way in which the reference's conversion to version 10 loses something.
HAZARDS_V10: dict[str, RawModuleDefV10] = {
    "explicit index name": module(
        v10.TablesSection((table("t", indexes=(index("by_a", 0),)),)),
        explicit_names(*explicit(v10.IndexName, by_a="chosen")),
    ),
    "schedule of a function with another's accessor name": module(
        v10.TablesSection((keyed_table("t"),)),
        v10.ReducersSection((reducer("f", TAKES_ROW), reducer("g", TAKES_ROW))),
        v10.SchedulesSection((v10.RawScheduleDefV10(None, "t", 2, "f"),)),
        explicit_names(*explicit(v10.FunctionName, f="g", g="k")),
    ),
    "schedule that cannot bind": module(
        v10.TablesSection((keyed_table("t"),)),
        v10.ReducersSection((reducer("f", TAKES_ROW), reducer("g"))),
        v10.SchedulesSection((v10.RawScheduleDefV10(None, "t", 2, "f"),)),
        explicit_names(*explicit(v10.FunctionName, f="g", g="k")),
    ),
    "event of a function with another's accessor name": module(
        v10.ReducersSection((reducer("f"), reducer("g"))),
        v10.LifeCycleReducersSection((v10.RawLifeCycleReducerDefV10(Lifecycle.Init, "f"),)),
        explicit_names(*explicit(v10.FunctionName, f="g", g="k")),
    ),
    "unsorted unique columns": module(
        v10.TablesSection((table("t", indexes=(index("i", 0, 1),), constraints=(unique(1, 0),)),))
    ),
    "key of a query view": module(
        v10.TablesSection((keyed_table("t"),)),
        v10.ViewsSection((view("v", QUERY),)),
        v10.ViewPrimaryKeysSection((v10.RawViewPrimaryKeyDefV10("v", ("b",)),)),
    ),
    "names of columns, members, parameters and types": module(
        v10.TablesSection((table("MyTable", indexes=(index("AnyName", 0),)),)),
        v10.TypesSection((named_type("a_b", 1), named_type("my_row", 0))),
        v10.ReducersSection((reducer("MyReducer", product(SomeArg=ref(1))),)),
        entries=(product(MyId=t.U64, TheName=array(ref(1))), sum_(TheFirst=t.U8, TheSecond=t.STRING)),
    ),
    "converted names that are no identifiers": module(
        v10.TypesSection((named_type("T", 0), named_type("S", 1))),
        entries=(product(a=t.U8, _1=t.U8), sum_(_2=t.U8, b=t.U8)),
    ),
    "several types for an entry": module(
        v10.TypesSection((named_type("B", 0), named_type("A", 0), named_type("C", 0), named_type("Ab", 0)))
    ),
}

#: Which of them the reference's conversion makes invalid.
INVALID_UPSTREAM = {
    "schedule that cannot bind": "IncorrectScheduledFunctionParams",
    "converted names that are no identifiers": "ClientCodegenError",
}


# Version 9


def index_v9(name: str | None, *columns: int) -> v9.RawIndexDefV9:
    return v9.RawIndexDefV9(name, None, BTree(columns))


def unique_v9(name: str | None, *columns: int) -> v9.RawConstraintDefV9:
    return v9.RawConstraintDefV9(name, RawUniqueConstraintDataV9(columns))


def sequence_v9(name: str | None, column: int) -> v9.RawSequenceDefV9:
    return v9.RawSequenceDefV9(name, column, None, None, None, 1)


def table_v9(name: str, **parts: Any) -> v9.RawTableDefV9:
    given: dict[str, Any] = {
        "product_type_ref": 0, "primary_key": (), "indexes": (), "constraints": (), "sequences": (), "schedule": None,
        "table_type": TableType.User, "table_access": TableAccess.Public,
    }  # fmt: skip
    return v9.RawTableDefV9(name=name, **given | parts)


def keyed_table_v9(name: str, **parts: Any) -> v9.RawTableDefV9:
    given: dict[str, Any] = {"primary_key": (0,), "indexes": (index_v9(None, 0),), "constraints": (unique_v9(None, 0),)}
    return table_v9(name, **given | parts)


def module_v9(*tables: v9.RawTableDefV9, **parts: Any) -> RawModuleDefV9:
    types = (v9.RawTypeDefV9(v9.RawScopedTypeNameV9((), "Row"), 0, True),)
    given: dict[str, Any] = {"reducers": (), "types": types, "misc_exports": (), "row_level_security": ()}
    return RawModuleDefV9(t.Typespace((ROW,)), tables, **given | parts)


def view_v9(name: str, returned: t.AlgebraicType, params: t.ProductType = t.UNIT) -> v9.RawViewDefV9:
    return v9.RawViewDefV9(name, 0, True, True, params, returned)


#: Definitions of version 9 that version 10 cannot say exactly.
HAZARDS_V9: dict[str, RawModuleDefV9] = {
    "names of constraints": module_v9(
        table_v9("t", indexes=(index_v9("i", 0),), constraints=(unique_v9("any name, but its own", 0),))
    ),
    "constraints over the same columns": module_v9(
        table_v9("t", indexes=(index_v9("i", 0),), constraints=(unique_v9("one", 0), unique_v9("two", 0)))
    ),
    "constraints over the same two columns": module_v9(
        table_v9("t", indexes=(index_v9("i", 0, 1),), constraints=(unique_v9("one", 0, 1), unique_v9("two", 0, 1)))
    ),
    "constraints of two tables with one generated name": module_v9(
        table_v9("t", indexes=(index_v9("i", 0, 1),), constraints=(unique_v9("one", 0, 1),)),
        table_v9("t_a", indexes=(index_v9("j", 1),), constraints=(unique_v9("two", 1),)),
    ),
    "two indexes over the same columns": module_v9(table_v9("t", indexes=(index_v9("i", 0), index_v9("j", 0)))),
    "index names that are no identifiers": module_v9(table_v9("t", indexes=(index_v9("t(a).1", 0), index_v9("t(a).2", 0)))),
    "an index with another's generated name": module_v9(
        table_v9("t", indexes=(index_v9("t_b_idx_btree", 0), index_v9("no name", 1)))
    ),
    "an index with a constraint's generated name": module_v9(
        table_v9("t", indexes=(index_v9("t_a_key", 0),), constraints=(unique_v9("c", 0),))
    ),
    "a sequence with a constraint's generated name": module_v9(
        table_v9("t", indexes=(index_v9("i", 0),), constraints=(unique_v9("c", 0),), sequences=(sequence_v9("t_a_key", 0),))
    ),
    "a sequence with a schedule's generated name": module_v9(
        keyed_table_v9(
            "t", sequences=(sequence_v9("t_sched", 0),), schedule=v9.RawScheduleDefV9("another", "f", 2)
        ),
        reducers=(v9.RawReducerDefV9("f", TAKES_ROW, None),),
    ),
    "float parameters of a view": module_v9(
        misc_exports=(view_v9("v", array(ref(0)), product(x=t.F32, y=t.F64, z=t.U8)), view_v9("w", QUERY, product(x=t.F64)))
    ),
    "functions that the database calls": module_v9(
        keyed_table_v9("t", schedule=v9.RawScheduleDefV9("t_sched", "p", 2)),
        reducers=(v9.RawReducerDefV9("f", t.UNIT, Lifecycle.OnConnect),),
        misc_exports=(v9.RawProcedureDefV9("p", TAKES_ROW, t.U8),),
    ),
    "a query view over a table with a key": module_v9(keyed_table_v9("t"), misc_exports=(view_v9("v", QUERY),)),
    "an index with the generated name of a constraint on two columns": module_v9(
        table_v9(
            "t",
            indexes=(index_v9("i", 0, 1), index_v9("t_a_b_key", 1)),
            constraints=(unique_v9("c", 0, 1),),
        ),
    ),
}  # fmt: skip

#: A table whose rows are identities: its column has a name that its type's field has not.
SPECIAL_ROWS = module(v10.TablesSection((keyed_table("t"),)), entries=(t.SPECIAL_PRODUCTS["__identity__"],))

#: Definitions of version 9 for which there is none of version 10, and what is in the way.
IMPOSSIBLE: dict[str, tuple[RawModuleDefV9, tuple[str, ...]]] = {
    "a table with a constraint's generated name": (
        module_v9(table_v9("t_a_key"), table_v9("t", indexes=(index_v9("i", 0),), constraints=(unique_v9("c", 0),))),
        ("tables", "t", "constraints", "c"),
    ),
    "a table with a schedule's generated name": (
        module_v9(
            table_v9("t_sched"),
            keyed_table_v9("t", schedule=v9.RawScheduleDefV9("another", "f", 2)),
            reducers=(v9.RawReducerDefV9("f", TAKES_ROW, None),),
        ),
        ("tables", "t", "schedule"),
    ),
    "a view with a constraint's generated name": (
        module_v9(
            table_v9("t", indexes=(index_v9("i", 0),), constraints=(unique_v9("c", 0),)),
            misc_exports=(view_v9("t_a_key", array(ref(0))),),
        ),
        ("tables", "t", "constraints", "c"),
    ),
}
