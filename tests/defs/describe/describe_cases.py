"""The reference's descriptions, and definitions written by hand, for the tests beside."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from bsatn import types as t
from defs import raw
from defs.raw import RawModuleDefV10, v10
from defs.raw.shared import (
    BTree,
    RawIndexAlgorithm,
    RawUniqueConstraintDataV9,
    TableAccess,
    TableType,
)

VECTORS = Path(__file__).parents[3] / "vectors"


@cache
def reference_cases() -> list[dict[str, Any]]:
    """Every case of the reference, valid or not."""
    files = ("modules.jsonl.gz", "modules_v8.jsonl.gz")
    return [json.loads(line) for name in files for line in gzip.open(VECTORS / "reference" / name)]


def valid_cases(version: int) -> list[dict[str, Any]]:
    """The cases of a version that have a description."""
    return [case for case in reference_cases() if case["valid"] and case["version"] == version]


@cache
def real_modules() -> dict[str, dict[str, Any]]:
    """The compiled modules, by name."""
    modules: dict[str, dict[str, Any]] = json.loads((VECTORS / "modules" / "expected.json").read_text())["modules"]
    return modules


def decode(case: dict[str, Any], key: str = "bytes") -> raw.RawModuleDef:
    """The definition of a case."""
    return raw.decode(bytes.fromhex(case[key]))


def keeps_names(module: RawModuleDefV10) -> bool:
    """Whether validation changes no name: no case conversion and no names given outright, in submodules neither."""
    verbatim = module.case_conversion_policy is v10.CaseConversionPolicy.None_ and not module.explicit_names
    return verbatim and all(keeps_names(submodule.module) for submodule in module.submodules)


def gives_names(module: RawModuleDefV10) -> bool:
    """Whether some name is given outright."""
    return bool(module.explicit_names) or any(gives_names(submodule.module) for submodule in module.submodules)


def product(*fields: tuple[str | None, t.AlgebraicType]) -> t.ProductType:
    """A product from names and types, of which names may repeat."""
    return t.ProductType(tuple(t.ProductTypeElement(name, kind) for name, kind in fields))


def variants(*cases: tuple[str | None, t.AlgebraicType]) -> t.SumType:
    """A sum from names and types."""
    return t.SumType(tuple(t.SumTypeVariant(name, kind) for name, kind in cases))


def table(
    name: str,
    ref: int,
    *,
    key: tuple[int, ...] = (),
    indexes: tuple[RawIndexAlgorithm, ...] = (),
    uniques: tuple[tuple[int, ...], ...] = (),
    defaults: dict[int, bytes] | None = None,
    is_event: bool = False,
) -> v10.RawTableDefV10:
    """A public table."""
    return v10.RawTableDefV10(
        name,
        ref,
        key,
        tuple(v10.RawIndexDefV10("ignored", None, index) for index in indexes),
        tuple(v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(columns)) for columns in uniques),
        (),
        TableType.User,
        TableAccess.Public,
        tuple(v10.RawColumnDefaultValueV10(column, value) for column, value in (defaults or {}).items()),
        is_event,
    )


def reducer(name: str, *params: tuple[str | None, t.AlgebraicType]) -> v10.RawReducerDefV10:
    """A reducer that clients may call."""
    return v10.RawReducerDefV10(name, product(*params), v10.FunctionVisibility.ClientCallable, t.UNIT, t.STRING)


def module(
    types: tuple[t.AlgebraicType, ...] = (),
    names: dict[str, int] | None = None,
    tables: tuple[v10.RawTableDefV10, ...] = (),
    reducers: tuple[v10.RawReducerDefV10, ...] = (),
    *more: v10.RawModuleDefV10Section,
) -> RawModuleDefV10:
    """A V10 definition whose names stay as they are. In `names`, dots part scopes."""
    named = tuple(
        v10.RawTypeDefV10(v10.RawScopedTypeNameV10(tuple(name.split(".")[:-1]), name.split(".")[-1]), ref, True)
        for name, ref in (names or {}).items()
    )
    return RawModuleDefV10(
        (
            v10.CaseConversionPolicySection(v10.CaseConversionPolicy.None_),
            v10.TypespaceSection(t.Typespace(types)),
            v10.TypesSection(named),
            v10.TablesSection(tables),
            v10.ReducersSection(reducers),
            *more,
        )
    )


#: Names that mean something to a terminal, to HTML, Markdown or Mermaid, or nothing at all.
NASTY = (
    "\x1b[31mred", "a\nb", "a|b", "`tick`", "<script>alert(1)</script>", '"quoted"', "a\\|b", "%% note", "{", "}", "#35;",
    "&amp;", "PK", "uk", "erDiagram", "", "1st", "東京", "\u202egnp.exe", "\ud800", "]]>", "x" * 5000, "--", "a;b", "\x00",
    "*_*", "www.example.org", "http://example.org", "'", "`", "\x85", " lead", "@import",
)  # fmt: skip


def nasty_module() -> RawModuleDefV10:
    """A module in which everything has one of the names above, some of them twice, and most references are wrong."""
    here = t.Ref(0)
    columns = tuple((name, (t.Ref(position % 5), t.option_type(here))[position % 2]) for position, name in enumerate(NASTY))
    types = (product(*columns), variants(*((name, here) for name in NASTY)), here, t.Ref(4), t.Ref(3))
    tables = tuple(
        table(name, position % 6, key=(position,), indexes=(BTree((0, position, 999)),), defaults={0: b"", 1: b"\x01"})
        for position, name in enumerate(NASTY)
    )
    unnamed = product((None, t.Ref(1)), (None, t.Ref(77)))
    submodule = module((unnamed,), {"": 0}, (table("", 0),))
    functions = tuple(reducer(name, (name, t.Ref(1)), (None, t.Ref(2**32 - 1))) for name in NASTY)
    views = tuple(v10.RawViewDefV10(name, 0, True, False, product((name, here)), t.ArrayType(here)) for name in NASTY)
    return module(
        types,
        dict(zip(NASTY, (0, 1, 2, 9, *[1] * len(NASTY)), strict=False)),
        tables + tables,
        functions,
        v10.ViewsSection(views),
        v10.ProceduresSection(
            tuple(v10.RawProcedureDefV10(name, product(), t.Ref(3), v10.FunctionVisibility.Private) for name in NASTY)
        ),
        v10.SchedulesSection(tuple(v10.RawScheduleDefV10(None, name, 65535, name) for name in (*NASTY, "nowhere"))),
        v10.OutboxesSection((v10.RawOutboxDefV10("a|b", "<b>", 999, (0, 999), "`", 0),)),
        v10.ViewPrimaryKeysSection((v10.RawViewPrimaryKeyDefV10("a|b", NASTY),)),
        v10.HttpRoutesSection(tuple(v10.RawHttpRouteDefV10(name, v10.Method(v10.Extension(name)), name) for name in NASTY)),
        v10.EnvironmentSection((v10.RawEnvironmentDeclarationV10("<i>", v10.EnvUnion(NASTY), True),)),
        v10.RowLevelSecuritySection(tuple(raw.shared.RawRowLevelSecurityDefV9(name) for name in NASTY)),
        v10.SubmodulesSection(tuple(v10.RawSubmoduleV10(name, submodule) for name in NASTY)),
    )
