"""`bsatn validate`: real modules, broken ones, every format, exit statuses, several sources."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

import defs
from bsatn.types import ProductTypeElement, Ref, Typespace
from defs import raw
from defs.cli import main, validate
from defs.findings import PRINTERS, Reading
from defs.raw import v10
from defs.validate import ValidationErrors
from defs.validate.warnings import WARNINGS

MODULES = Path(__file__).parents[2] / "vectors" / "modules"
MODULE = str(MODULES / "arena_v1.wasm")
EXPECTED = json.loads((MODULES / "expected.json").read_text("utf-8"))["modules"]
ARENA = bytes.fromhex(EXPECTED["arena_v1"]["bytes"])
VALID, INVALID, USAGE, UNREADABLE = 0, 1, 2, 3


class Result(NamedTuple):
    status: object
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `bsatn validate` in this process."""

    def command(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status: object
        try:
            status = main(["validate", *map(str, arguments)])
        except SystemExit as exit_:
            status = exit_.code
        out, err = capsysbinary.readouterr()
        return Result(status, out.decode(), err.decode())

    return command


# The arena, broken ------------------------------------------------------------------------------------------


def arena() -> raw.RawModuleDefV10:
    definition = raw.decode(ARENA)
    assert isinstance(definition, raw.RawModuleDefV10)
    return definition


def changed(
    kind: type[Any], change: Callable[[Any], Any], definition: raw.RawModuleDefV10 | None = None
) -> raw.RawModuleDefV10:
    """The definition with the content of one section changed."""
    definition = definition or arena()
    [part] = kind.__slots__
    sections = [
        replace(one, **{part: change(getattr(one, part))}) if isinstance(one, kind) else one for one in definition.sections
    ]
    return raw.RawModuleDefV10(tuple(sections))


def table(place: int, **changes: Any) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    return lambda tables: (*tables[:place], replace(tables[place], **changes), *tables[place + 1 :])


def unknown_type(space: Typespace) -> Typespace:
    row: Any = space.types[4]
    bad = replace(row, elements=(*row.elements[:-1], ProductTypeElement(row.elements[-1].name, Ref(99))))
    return Typespace((*space.types[:4], bad, *space.types[5:]))


BAD_DEFAULT = (v10.RawColumnDefaultValueV10(5, b"\1"),)
HOSTILE = "x\x1b[31m\n::error::y"
BROKEN: dict[str, tuple[raw.RawModuleDefV10, str, str, str]] = {
    "unknown type": (changed(v10.TypespaceSection, unknown_type), "ClientCodegenError", "typespace[4][8]", "Fighter"),
    "no such row type": (
        changed(v10.TablesSection, table(2, product_type_ref=99)), "InvalidProductTypeRef", "tables[2]", "fighter",
    ),
    "duplicate table": (changed(v10.TablesSection, lambda t: (*t, t[1])), "DuplicateName", "tables[5]", "damage_event"),
    "no unique constraint": (
        changed(v10.TablesSection, table(2, constraints=())),
        "MissingPrimaryKeyUniqueConstraint", "tables[2].primary_key", "fighter",
    ),
    "bad default": (
        changed(v10.TablesSection, table(2, default_values=BAD_DEFAULT)),
        "ColumnDefaultValueMalformed", "tables[2].default_values[0]", "fighter",
    ),
    "reserved name": (
        changed(v10.TablesSection, table(1, source_name="st_damage")), "TableNameReserved", "tables[1]", "st_damage",
    ),
    "no index": (
        changed(v10.TablesSection, table(2, indexes=())), "UniqueConstraintWithoutIndex", "tables[2].constraints", "fighter",
    ),
    "no identifier": (
        changed(v10.TablesSection, table(1, source_name=HOSTILE)), "IdentifierError", "tables[1]", "x\\u{1b}[31m\\n::error::y",
    ),
    "no such function": (
        changed(v10.LifeCycleReducersSection, lambda all_: (replace(all_[0], function_name="nobody"), *all_[1:])),
        "LifecycleWithoutReducer", "lifecycle_reducers[0]", "nobody",
    ),
    "no such scheduled function": (
        changed(v10.SchedulesSection, lambda all_: (replace(all_[0], function_name="nobody"),)),
        "MissingScheduledFunction", "tables[4]", "respawn_timer",
    ),
}  # fmt: skip


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str], Path]:
    def written(name: str) -> Path:
        path = tmp_path / f"{name.replace(' ', '_')}.bsatn"
        path.write_bytes(raw.encode(BROKEN[name][0]))
        return path

    return written


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_is_named_with_its_place(run: Run, broken: Callable[[str], Path], name: str) -> None:
    _, kind, where, element = BROKEN[name]
    path = broken(name)
    result = run(path)
    assert result.status == INVALID
    assert f"{path}: " in result.out
    assert f"    error {kind}: " in result.out
    assert "\x1b" not in result.out
    findings = json.loads(run(path, "-f", "json").out)["sources"][0]["findings"]
    assert (kind, where) in [(one["rule"], one["where"]) for one in findings]
    assert element in result.out


def test_all_faults_of_a_definition_are_found(run: Run, tmp_path: Path) -> None:
    two = changed(v10.TablesSection, lambda t: table(1, source_name="st_x")(table(2, constraints=())(t)))
    three = changed(v10.LifeCycleReducersSection, lambda all_: (*all_, replace(all_[0], function_name="nobody")), two)
    (tmp_path / "a").write_bytes(raw.encode(three))
    result = run(tmp_path / "a")
    assert result.out.splitlines()[0] == f"{tmp_path / 'a'}: 3 errors (version 10, layout 10i)"
    assert "  tables[1] st_x\n    error TableNameReserved" in result.out
    assert "  tables[2] fighter\n    error MissingPrimaryKeyUniqueConstraint" in result.out
    assert "  lifecycle_reducers[3] nobody\n    error LifecycleWithoutReducer" in result.out


def test_a_loaded_definition_validates_itself() -> None:
    assert defs.load(MODULE).validate().tables["damage_event"].is_event
    with pytest.raises(ValidationErrors) as caught:
        defs.load(raw.encode(BROKEN["reserved name"][0])).validate()
    assert [error.kind for error in caught.value.errors] == ["TableNameReserved"]


@pytest.mark.parametrize("file", ["modules.jsonl.gz", "modules_v8.jsonl.gz"])
def test_every_reference_case_has_a_report_in_every_format(file: str) -> None:
    with gzip.open(MODULES.parent / "reference" / file, "rt") as lines:
        cases = list(map(json.loads, lines))
    reports = [validate.report_of(defs.load(bytes.fromhex(case["bytes"]), kind="bsatn"), frozenset(WARNINGS)) for case in cases]
    assert [report.status == "valid" for report in reports] == [case["valid"] for case in cases]
    for printer in PRINTERS.values():
        assert printer(Reading(reports))


# Real modules, formats, statuses ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_real_modules_are_valid(run: Run, name: str) -> None:
    path = MODULES / f"{name}.wasm"
    result = run(path)
    assert result.status == VALID
    assert result.out.startswith(f"{path}: valid (version ")


@pytest.mark.parametrize("form", PRINTERS)
def test_every_format(run: Run, broken: Callable[[str], Path], tmp_path: Path, form: str) -> None:
    sources = [MODULE, broken("reserved name"), tmp_path / "missing"]
    result = run(*sources, "--format", form, "-o", tmp_path / "out")
    text = (tmp_path / "out").read_text("utf-8")
    assert (result.status, result.out) == (UNREADABLE, "")
    assert "TableNameReserved" in text
    assert "NotFound" in text
    if form in ("json", "sarif"):
        assert json.loads(text)
    if form == "junit":
        root = ElementTree.fromstring(text)
        assert [suite.get("name") for suite in root] == list(map(str, sources))
        assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "1")


@pytest.mark.parametrize("form", PRINTERS)
def test_a_fine_source_in_every_format(run: Run, form: str) -> None:
    result = run(MODULE, "-f", form)
    assert result.status == VALID
    assert (result.out == "") == (form == "github")


def test_the_worst_source_decides_the_status(run: Run, broken: Callable[[str], Path], tmp_path: Path) -> None:
    fine, invalid, missing, junk = MODULE, broken("reserved name"), tmp_path / "missing", tmp_path / "junk"
    junk.write_bytes(ARENA[:-5])
    assert run(fine, fine).status == VALID
    assert run(fine, invalid, fine).status == INVALID
    assert run(fine, junk).status == INVALID
    assert run(missing, junk, invalid, fine).status == UNREADABLE
    result = run(invalid, missing, junk, fine)
    assert result.status == UNREADABLE
    assert "4 sources: 1 valid, 1 invalid, 1 undecodable, 1 unreadable; 3 errors" in result.out
    assert f"{junk}: undecodable: " in result.out
    assert f"{fine}: valid" in result.out
    assert result.err == ""


def test_standard_input(run: Run) -> None:
    assert run("-", stdin=ARENA).out.startswith("<stdin>: valid")
    assert run("-", "-", stdin=ARENA).status == USAGE


def test_the_kind_and_bytes_left_over(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "longer"
    path.write_bytes(ARENA + b"\0")
    assert run(path).status == INVALID
    assert run(path, "--trailing", "allow").status == VALID
    assert run(path, "--trailing", "allow", "--kind", "json").status == INVALID


def test_a_command_line_that_cannot_be(run: Run) -> None:
    assert run().status == USAGE
    assert run(MODULE, "-f", "xml").status == USAGE
    assert run(MODULE, "--warn", "nothing").status == USAGE


# Warnings ---------------------------------------------------------------------------------------------------


def test_warnings_are_given_when_asked_for_and_change_no_status(run: Run) -> None:
    classic = MODULES / "arena_classic.wasm"
    assert "warning" not in run(classic).out
    for names in (["--warn", "v9-name-would-change"], ["--warn", "all"], ["--warn=duplicate-sections", "--warn", "all"]):
        result = run(classic, *names)
        assert result.status == VALID
        assert f"{classic}: valid, 3 warnings" in result.out
        assert "  typespace[2] DamageKind\n    warning v9-name-would-change: variant `Melee`" in result.out
    assert "warning" not in run(classic, "--warn", "duplicate-sections").out


def test_the_servers_own_warning_is_always_given(run: Run, tmp_path: Path) -> None:
    routes = (
        v10.HttpHandlersSection((v10.RawHttpHandlerDefV10("answer"),)),
        v10.HttpRoutesSection((v10.RawHttpRouteDefV10("answer", v10.AnyMethod(), "/a"),)),
    )
    mounted = v10.SubmodulesSection((v10.RawSubmoduleV10("auth", raw.RawModuleDefV10(routes)),))
    (tmp_path / "a").write_bytes(raw.encode(raw.RawModuleDefV10((mounted,))))
    result = run(tmp_path / "a")
    assert result.status == VALID
    assert "warning http-routes-in-submodule: HTTP routes declared in submodule 'auth' are ignored." in result.out


def test_help_lists_the_warnings(run: Run) -> None:
    result = run("--help")
    assert result.status == VALID
    for name, check in WARNINGS.items():
        assert any(name in line and check.why in line for line in result.out.splitlines())
    assert "Examples:" in result.out


def test_progress_is_for_a_terminal_and_many_sources(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [MODULES / "arena_v1.wasm"] * validate.MANY
    assert run(*sources).err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert f"[{validate.MANY}/{validate.MANY}] " in run(*sources).err
    assert run(*sources[1:]).err == ""
