"""The documentation: its examples run, its tables agree with the code, its links lead somewhere."""

from __future__ import annotations

import ast
import doctest
import gzip
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import bsatn
from bsatn import satsjson
from bsatn.satn import parse_type
from defs import raw
from defs.cli import COMMANDS, main
from defs.raw.shared import TableAccess
from defs.store.showing import type_text
from defs.system.tables import EPHEMERAL_TABLES, SYSTEM_TABLES
from defs.testee import OPS

ROOT = Path(__file__).parents[1]
DOCS = sorted((ROOT / "docs").glob("*.md"))
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *DOCS, *sorted((ROOT / "vectors").rglob("*.md"))]
WIRE = ROOT / "docs" / "wire-format.md"
VALIDATION = ROOT / "docs" / "validation.md"
EVENT_TABLES = ROOT / "docs" / "event-tables.md"
COMPATIBILITY = ROOT / "docs" / "compatibility.md"


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> Iterator[tuple[int, str]]:
    """The fenced blocks in a language, each with the number of its first line."""
    text = page.read_text("utf-8")
    for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield text.count("\n", 0, match.start(1)), match[1]


# Examples ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(page, "pycon"))], ids=name_of)
def test_python_examples(page: Path) -> None:
    """One namespace a page; what is not an example is blank, so that line numbers are the page's."""
    lines: list[str] = []
    for start, block in blocks(page, "pycon"):
        lines += [""] * (start - len(lines)) + block.split("\n")
    test = doctest.DocTestParser().get_doctest("\n".join(lines), {"__name__": "__main__"}, name_of(page), str(page), 0)
    report: list[str] = []
    assert not doctest.DocTestRunner(verbose=False).run(test, out=report.append).failed, "".join(report)


def test_an_example_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```pycon\n>>> 1 + 1\n3\n```\n")
    ((_, block),) = blocks(page, "pycon")
    test = doctest.DocTestParser().get_doctest(block, {}, "page", None, 0)
    assert doctest.DocTestRunner(verbose=False).run(test, out=lambda _: None).failed == 1


def test_python_blocks_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    """They run, in order, and where a comment after an expression reads as Python it is the expression's value."""
    codec = bsatn.Codec(bsatn.product(bsatn.U64, bsatn.U32, bsatn.Timestamp))
    module = ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)
    namespace: dict[str, Any] = vars(module)
    namespace.update(buffer=bytes(16), data=codec.encode((7, 3, 0)))
    compared = 0
    for _, block in blocks(README, "python"):
        lines = block.split("\n")
        for statement in ast.parse(block).body:
            source = ast.get_source_segment(block, statement) or ""
            if not isinstance(statement, ast.Expr):
                first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
                lines_of_it = "\n".join(lines[first - 1 : statement.end_lineno])
                exec(compile(lines_of_it, "README.md", "exec", dont_inherit=True), namespace)  # noqa: S102
                continue
            value = eval(source, namespace)
            comment = lines[(statement.end_lineno or 0) - 1].partition(source.split("\n")[-1])[2].partition("# ")[2]
            if comment and is_python(comment):
                assert repr(value) == comment, source
                compared += 1
    assert compared >= 5


def is_python(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


COMMAND_LINES = [
    pytest.param(page, line, start, id=f"{name_of(page)}:{start}")
    for page in PAGES
    for block_start, block in blocks(page, "console")
    for start, line in enumerate(block.split("\n"), block_start + 1)
    if line.startswith("$ ")
]


@pytest.mark.skipif(shutil.which("bash") is None, reason="the pages' command lines are for bash")
@pytest.mark.parametrize(("page", "line", "start"), COMMAND_LINES)
def test_command_lines(page: Path, line: str, start: int) -> None:
    """What the pages show after `$ bsatn ...` is what it prints."""
    shown: list[str] = []
    for text in page.read_text("utf-8").split("\n")[start:]:
        if text.startswith(("$ ", "```")):
            break
        shown.append(text.rstrip())
    run = f'bsatn() {{ {shlex.quote(sys.executable)} -m defs.cli "$@"; }}; {line[2:]}'
    done = subprocess.run(
        ["bash", "-c", run],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "COLUMNS": "120", "PYTHONPATH": str(ROOT)},
    )
    printed = [text.rstrip() for text in (done.stdout + done.stderr).rstrip("\n").split("\n")]
    assert printed == shown


def test_commands_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    """Every command with its bytes in it works; `explain` of wrong bytes says so."""
    tried = set()
    for line in re.findall(r"`(bsatn (?:decode|explain|encode) [^`@]*)`", README.read_text("utf-8").replace("\\|", "|")):
        arguments = shlex.split(line)[1:]
        assert main(arguments) in ((0, 1) if arguments[0] == "explain" else (0,)), capsys.readouterr().err
        tried.add(arguments[0])
    assert tried == {"decode", "explain", "encode"}


# The wire format --------------------------------------------------------------------------------------------


def test_generated_parts_are_up_to_date() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "generate.py"))
    page = WIRE.read_text("utf-8")
    assert page.count("<!-- generated: ") == len(made["parts"]()) == 6
    assert made["regenerated"](page) == page, "run: python docs/generate.py"


def rows(header: str) -> list[list[str]]:
    """The cells of all tables of wire-format.md that have this header."""
    found: list[list[str]] = []
    for table in re.findall(rf"^{re.escape(header)}\n\|[-|]+\n((?:\|.*\n)+)", WIRE.read_text("utf-8"), re.MULTILINE):
        for row in table.splitlines():
            cells = re.split(r"(?<!\\)\|", row)[1:-1]
            found.append([cell.strip().replace("\\|", "|") for cell in cells])
    return found


def code(cell: str) -> str:
    """What stands between the backticks of a cell."""
    return cell.strip("`")


def spelled(cell: str) -> bytes:
    """The bytes of a cell such as "`d6` 31 × `ff`"."""
    pieces = re.findall(r"(?:(\d+) × )?`([0-9a-f]*)`", cell)
    return b"".join(bytes.fromhex(digits) * int(count or 1) for count, digits in pieces)


def codec_of(cell: str) -> bsatn.Codec[Any]:
    return bsatn.Codec(raw.RawModuleDef if cell == "RawModuleDef" else parse_type(code(cell)))


def test_value_vectors() -> None:
    table = rows("| type | value | bytes |")
    assert len(table) == 19
    for kind, value, data in table:
        codec = codec_of(kind)
        if value.startswith("`"):
            assert satsjson.dumps(codec.shape, codec.decode(spelled(data))) == code(value)
            assert codec.encode(satsjson.loads(codec.shape, code(value))) == spelled(data)
        else:  # a NaN, which JSON cannot say
            assert codec.encode(codec.decode(spelled(data))) == spelled(data)


def test_type_vectors() -> None:
    table = rows("| type | bytes |")
    assert len(table) == 10
    for kind, data in table:
        codec = bsatn.Codec(bsatn.AlgebraicType)
        assert codec.encode(parse_type(code(kind))) == spelled(data)
        assert codec.decode(spelled(data)) == parse_type(code(kind))


def test_decode_errors() -> None:
    table = rows("| type | bytes | kind | message |")
    assert len(table) == 12
    for kind, data, error, message in table:
        with pytest.raises(bsatn.DecodeError) as caught:
            codec_of(kind).decode(spelled(data))
        assert (caught.value.kind, caught.value.message) == (error, re.sub(r"\\([`<])", r"\1", message))


def test_definition_vectors() -> None:
    vectors = [line for _, block in blocks(WIRE, "hex") for line in block.split()]
    assert len(vectors) == 14
    for vector in vectors:
        assert raw.encode(raw.decode(bytes.fromhex(vector))).hex() == vector


@pytest.mark.parametrize(
    ("spec", "page"),
    [("wire", WIRE), ("validation", VALIDATION), ("event-tables", EVENT_TABLES), ("compat", COMPATIBILITY)],
    ids=("wire", "validation", "event-tables", "compat"),
)
def test_sections_that_the_code_cites_exist(spec: str, page: Path) -> None:
    sections = set(re.findall(r"^#+ ([\d.]+?)\.? ", page.read_text("utf-8"), re.MULTILINE))
    files = [path for package in ("bsatn", "defs", "tests") for path in (ROOT / package).rglob("*.py")]
    cited = {
        number
        for path in files
        for numbers in re.findall(rf"spec: {spec} ([\d., -]+)", path.read_text("utf-8"))
        for number in re.findall(r"\d+(?:\.\d+)?", numbers)
    }
    assert cited
    assert cited <= sections


# Event tables -----------------------------------------------------------------------------------------------


def test_system_tables() -> None:
    """The table of system tables is that of the code."""

    def parts(parts: Mapping[int, tuple[int, ...]]) -> str:
        return "; ".join(f"{number}: ({', '.join(map(str, columns))})" for number, columns in parts.items()) or "–"

    rows = []
    for table in SYSTEM_TABLES:
        private = " *private*" if table.access is TableAccess.Private else ""
        unlogged = ", never logged" if table.table_id in EPHEMERAL_TABLES else ""
        columns = ", ".join(f"`{one.col_name}: {type_text(one.col_type)}`" for one in table.schema.columns)
        cells = [
            table.table_id,
            f"`{table.name}`{private}{unlogged}",
            columns.replace("|", "\\|"),
            "–" if table.primary_key is None else table.primary_key,
            parts(table.constraints),
            parts(table.indexes),
            "; ".join(f"{number}: {column}" for number, column in table.sequences.items()) or "–",
        ]
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    header = "| id | table | columns | key | unique | indexes | sequence |\n|---|---|---|---|---|---|---|\n"
    assert header + "\n".join(rows) + "\n\n" in EVENT_TABLES.read_text("utf-8")


# The rest ---------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link.partition("#")
        if target.startswith(("http://", "https://")):
            continue
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(link)
    assert not dead


def test_the_readme_mentions_every_command() -> None:
    text = README.read_text("utf-8")
    assert [name for name in COMMANDS if f"`bsatn {name}" not in text] == []


def test_the_testee_page_lists_every_op() -> None:
    """Those that it answers as answered, and no other one."""
    page = (ROOT / "docs" / "testee.md").read_text("utf-8")
    table = re.findall(r"^\| `([a-z.]+)` \| (yes|not yet) \|", page, re.MULTILINE)
    assert {op for op, state in table if state == "yes"} == set(OPS)


def test_the_vectors_page_tells_the_truth() -> None:
    """Each file of reference cases, with its number of cases and all of its fields."""
    page = (ROOT / "vectors" / "README.md").read_text("utf-8")
    for path in sorted((ROOT / "vectors" / "reference").glob("*.jsonl.gz")):
        section = re.search(rf"^### {re.escape(path.name)}\n(.*?)(?=^#|\Z)", page, re.DOTALL | re.MULTILINE)
        assert section, path.name
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            cases = [json.loads(line) for line in lines]
        assert f"{len(cases)} cases" in section[1]
        cells = re.findall(r"^\| (`.*?`) \|", section[1], re.MULTILINE)
        fields = {field for cell in cells for field in re.findall(r"`(\w+)`", cell)}
        assert fields == {field for case in cases for field in case}
