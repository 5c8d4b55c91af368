"""Generated Python: its text is stable and formatted, it imports, and its records and tables are the module's."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import defs
from bsatn import Codec, plain_enum, strategies, sum_
from bsatn import types as t
from bsatn.types import Ref
from defs import raw
from defs.bindings import RawModuleDefV10Builder
from defs.cli import main
from defs.generate import to_python
from defs.generate.names import Names, pascal
from defs.query import From, QueryError, tables
from defs.query.handles import Handle
from defs.raw import v10
from defs.raw.shared import TableAccess
from defs.schema import ModuleDef
from defs.schema.model import ProcedureDef, ReducerDef
from defs.testing import valid_definitions
from defs.validate import validate

ROOT = Path(__file__).parents[3]
MODULES = ROOT / "vectors" / "modules"
CLIENTS = ROOT / "tests" / "typing"
ARENAS = ("arena_v1", "arena_v2", "arena_v3")


@contextmanager
def imported(text: str, name: str = "generated_client") -> Iterator[ModuleType]:
    """The text as a module, for as long as it is looked at."""
    made = ModuleType(name)
    sys.modules[name] = made
    try:
        exec(compile(text, f"{name}.py", "exec", dont_inherit=True), vars(made))  # noqa: S102
        yield made
    finally:
        del sys.modules[name]


@cache
def arena(name: str) -> ModuleDef:
    return defs.load(MODULES / f"{name}.wasm").validate()


@pytest.mark.parametrize("name", ARENAS)
def test_arenas(name: str) -> None:
    """The clients that the typing tests read; to write them again: bsatn generate vectors/modules/X.wasm -l python -o ..."""
    text = to_python(arena(name))
    assert text == (CLIENTS / f"client_{name}.py").read_text("utf-8")
    assert text == to_python(arena(name))


@pytest.mark.parametrize("width", [88, 128])
@pytest.mark.parametrize("name", ARENAS)
def test_formatters_leave_it_alone(name: str, width: int) -> None:
    ruff = Path(sys.executable).parent / "ruff"
    if not ruff.exists():
        pytest.skip("ruff is not installed")
    client = CLIENTS / f"client_{name}.py"
    for what in (["format", "--check"], ["check", "--no-cache", "--select", "E,F,W,I,B,UP"]):
        done = subprocess.run([ruff, *what, "--isolated", "--line-length", str(width), client], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def described(made: ModuleType) -> dict[str, Handle[Any]]:
    return {one.__table__.name: one for one in vars(made).values() if isinstance(one, Handle)}


def check_tables(module: ModuleDef, made: ModuleType) -> None:
    """The tables are those that are found at run time, with the same columns in the same order."""
    known = {name: one for name, one in tables(module).items() if not one.__table__.parameters}
    mine = described(made)
    assert mine.keys() == known.keys()
    for name, one in known.items():
        wanted = [(column.name, column.indexed) for column in one.__table__.columns.values()]
        assert [(column.name, column.indexed) for column in mine[name].__table__.columns.values()] == wanted
        assert mine[name].__table__.is_event is one.__table__.is_event
        assert From(mine[name]).sql() == From(one).sql()
        for left, right in zip(mine[name].__table__.columns.values(), one.__table__.columns.values(), strict=True):
            literal = isinstance(right.kind, type)
            assert not literal or left.kind is right.kind


def check_rows(module: ModuleDef, made: ModuleType, data: st.DataObject) -> None:
    """Both ways, a row's bytes are the same value."""
    by_name = described(made)
    for part in module.modules():
        for table in part.tables.values():
            name = ".".join((*part.accessor_path, table.accessor_name))
            wire = Codec[Any](Ref(table.product_type_ref), part.typespace)
            mine = Codec[Any](by_name[name].__table__.row)
            value = data.draw(strategies.values(wire.shape), label=name)
            encoded = wire.encode(value)
            row = mine.decode(encoded)
            assert type(row) is by_name[name].__table__.row
            assert mine.encode(row) == encoded
            assert list(type(row).__dataclass_fields__) == list(by_name[name].__table__.columns)


def functions_of(module: ModuleDef) -> list[ReducerDef | ProcedureDef]:
    reducers = [one for one in module.reducers.values() if one.lifecycle is None]
    return [*reducers, *module.procedures.values()]


def check_calls(module: ModuleDef, made: ModuleType, data: st.DataObject) -> None:
    classes = [one for one in vars(made).values() if isinstance(one, type) and isinstance(getattr(one, "NAME", None), str)]
    wanted: list[tuple[str, t.ProductType, t.Typespace]] = [
        (function.qualified_name, function.params, part.typespace)
        for part in module.modules()
        for function in functions_of(part)
    ]
    assert [one.NAME for one in classes] == [name for name, _, _ in wanted]  # type: ignore[attr-defined]
    for cls, (_, params, typespace) in zip(classes, wanted, strict=True):
        wire = Codec[Any](params, typespace)
        encoded = wire.encode(data.draw(strategies.values(wire.shape)))
        arguments: Any = cls.decode(encoded)  # type: ignore[attr-defined]
        assert arguments.encode() == encoded


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
    ],
)
@given(valid_definitions(version=None), st.data())
def test_random_modules(definition: raw.RawModuleDef, data: st.DataObject) -> None:
    module = validate(definition)
    text = to_python(module)
    assert {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)} <= {
        "__future__", "typing", "bsatn", "defs.query", "defs.generate.calls",
    }  # fmt: skip
    with imported(text) as made:
        check_tables(module, made)
        check_rows(module, made, data)
        check_calls(module, made, data)


@pytest.mark.parametrize("name", ARENAS)
@settings(max_examples=5, deadline=None)
@given(st.data())
def test_rows_and_calls_of_arenas(name: str, data: st.DataObject) -> None:
    module = arena(name)
    with imported((CLIENTS / f"client_{name}.py").read_text("utf-8")) as made:
        check_tables(module, made)
        check_rows(module, made, data)
        check_calls(module, made, data)


# Names ------------------------------------------------------------------------------------------------------


def product(*parts: tuple[str, Any]) -> t.ProductType:
    return t.ProductType(tuple(t.ProductTypeElement(*part) for part in parts))


def awkward() -> ModuleDef:
    """A module whose names are Python's, or one another's, or the generated code's own."""
    builder = RawModuleDefV10Builder()
    builder.set_case_conversion_policy(v10.CaseConversionPolicy.None_)
    row = product(
        ("from", t.U64), ("class", t.U32), ("int", t.STRING), ("self", t.BOOL), ("Identity", t.Ref(1)), ("name", t.STRING),
        ("__private", t.U8), ("IS_EVENT", t.U8), ("kinds", t.U8), ("größe", t.F32),
        ("日本", t.option_type(t.option_type(t.U8))),
        ("Column", t.Ref(2)), ("ok", t.result_type(t.U16, t.Ref(1))), ("again", t.result_type(t.U16, t.Ref(1))),
        ("tree", t.Ref(3)), ("ResultU16Identity", t.U8), ("ﬁ", t.U8), ("fi", t.U8),
    )  # fmt: skip
    builder.add_algebraic_type((), "list", row, True)
    builder.add_algebraic_type((), "Identity", plain_enum("None", "name", "x_"), True)
    builder.add_algebraic_type((), "class", plain_enum("red", "None", "class"), True)
    builder.add_algebraic_type(("a", "b"), "Tree", sum_(leaf=t.UNIT, node=t.ArrayType(t.Ref(3))), True)
    for name in ("list", "def", "日本", "TreeTable", "kinds"):
        builder.build_table(name, 0).with_access(TableAccess.Public).finish()
    builder.add_reducer("encode", product(("encode", t.U8), ("NAME", t.STRING), ("value", t.Ref(3))))
    return validate(builder.finish())


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(st.data())
def test_awkward_names(data: st.DataObject) -> None:
    module = awkward()
    with imported(to_python(module)) as made:
        check_tables(module, made)
        check_rows(module, made, data)
        check_calls(module, made, data)


def test_awkward_names_in_queries() -> None:
    module = awkward()
    with imported(to_python(module)) as made:
        wrong: Any = vars(made)["def_"]
        assert From(wrong).where(wrong.from_ == 3).sql() == 'SELECT * FROM "def" WHERE ("def"."from" = 3)'
        assert From(wrong).where(wrong["from"] == 3).sql() == From(wrong).where(wrong.from_ == 3).sql()


def test_a_view_with_parameters_is_a_function() -> None:
    builder = RawModuleDefV10Builder()
    ref = builder.add_algebraic_type((), "Thing", product(("id", t.U64)), True)
    rows = t.ArrayType(t.Ref(ref))
    builder.add_view("near", 0, True, True, product(("x", t.U8), ("class", t.STRING)), rows)
    builder.add_view("odd", 1, True, True, product(("some", t.ArrayType(t.U32))), rows)
    text = to_python(validate(builder.finish()))
    with imported(text) as made:
        assert made.near(3, "y").sql() == "SELECT * FROM \"near\"(3, 'y')"
        with pytest.raises(QueryError, match="argument 1 of near"):
            made.near(300, "y")
    assert "def odd" not in text
    assert "# The view odd has no query: SQL has no literals for some." in text


def test_every_type_is_written_once() -> None:
    builder = RawModuleDefV10Builder()
    ref = builder.add_algebraic_type((), "Nothing", product(), True)
    for name in ("one", "other"):
        builder.build_table(name, ref).finish()
    text = to_python(validate(builder.finish()))
    assert text.count("class Nothing:") == 1


def test_awkward_names_type_check(tmp_path: Path) -> None:
    """Nothing in a generated class hides what its annotations mean."""
    mypy = Path(sys.executable).parent / "mypy"
    if not mypy.exists():
        pytest.skip("mypy is not installed")
    file = tmp_path / "awkward_client.py"
    file.write_text(to_python(awkward()), "utf-8")
    cache = ["--cache-dir", str(ROOT / ".mypy_cache"), "--config-file", str(ROOT / "pyproject.toml")]
    done = subprocess.run([mypy, *cache, file], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_names() -> None:
    names = Names()
    assert [names.give(wanted) for wanted in ("x", "x", "from", "U64", "list", "1a", "", "a-b", "__x")] == [
        "x", "x_", "from_", "U64_", "list_", "x_1a", "x__", "a_b", "x__x",
    ]  # fmt: skip
    assert pascal("lib", "top_players") == "LibTopPlayers"
    assert pascal("größe") == "Größe"


# The command ------------------------------------------------------------------------------------------------


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "client.py"
    assert main(["generate", str(MODULES / "arena_v1.wasm"), "--lang", "python", "-o", str(out)]) == 0
    assert out.read_text("utf-8") == (CLIENTS / "client_arena_v1.py").read_text("utf-8")


def test_the_command_says_what_is_wrong_with_a_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builder = RawModuleDefV10Builder()
    for name in ("fine", "not fine", "nor\x1bthis"):
        builder.build_table(name, 7).with_access(TableAccess.Public).finish()
    source, out = tmp_path / "wrong.bsatn", tmp_path / "client.py"
    source.write_bytes(raw.encode(builder.finish()))
    assert main(["generate", str(source), "--lang", "python", "-o", str(out)]) == 1
    assert not out.exists()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "not fine" in printed.err
    assert "\x1b" not in printed.err
    assert "Traceback" not in printed.err


def test_the_command_wants_a_language() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["generate", "x.wasm"])
    assert caught.value.code == 2
