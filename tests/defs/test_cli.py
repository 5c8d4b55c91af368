"""The `bsatn` command: what it prints, its exit statuses, and one line for whatever goes wrong."""

from __future__ import annotations

import argparse
import base64
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import pytest

from bsatn import cborform
from bsatn.types import U8
from bsatn.typeshapes import shape_of_type
from defs import cli, raw
from defs.cli import common, main
from defs.describe import RENDERERS

REPOSITORY = Path(__file__).parents[2]
MODULE = str(REPOSITORY / "vectors" / "modules" / "arena_v1.wasm")
ARENA = bytes.fromhex(
    json.loads((REPOSITORY / "vectors" / "modules" / "expected.json").read_text("utf-8"))["modules"]["arena_v1"]["bytes"]
)
OPTION = "(some: U32 | none: ())"

FINE, BAD_INPUT, USAGE, UNREADABLE = 0, 1, 2, 3


class Result(NamedTuple):
    status: object
    out: str
    err: str


Run: TypeAlias = Callable[..., Result]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process, with bytes on its standard input."""

    def command(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsysbinary.readouterr()
        status: object
        try:
            status = main(arguments)
        except SystemExit as exit_:
            status = exit_.code
        out, err = capsysbinary.readouterr()
        return Result(status, out.decode("utf-8", "surrogateescape"), err.decode())

    return command


def process(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "defs.cli", *arguments],
        input=stdin, capture_output=True, cwd=REPOSITORY, timeout=60, check=False, env={**os.environ, **environment},
    )  # fmt: skip


# -- what is fine


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["decode", "0007000000", "--type", OPTION], '{"some":7}\n'),
        (["decode", "00 07 00 00 00", "-t", OPTION], '{"some":7}\n'),
        (["decode", "0x0007000000", "-t", OPTION], '{"some":7}\n'),
        (["decode", "0007000000", "-t", OPTION, "-f", "json"], '{"some":7}\n'),
        (["decode", "0007000000", "-t", OPTION, "-f", "untyped-json"], "[0,7]\n"),
        (["decode", "0007000000", "-t", OPTION, "-f", "satn"], "(some = 7)\n"),
        (["decode", "0007000000", "-t", OPTION, "-f", "python"], "7\n"),
        (["decode", "07", "-t", '{"U8":[]}'], "7\n"),
        (["decode", "0708", "-t", "(U8, U8)"], "[7,8]\n"),
        (["decode", "0708", "-t", "U8", "--many"], "7\n8\n"),
        (["decode", "", "-t", "U8", "--many"], ""),
        (["decode", "0708", "-t", "U8", "--trailing", "allow"], "7\n"),
        (["decode", "", "-t", "()"], "{}\n"),
        (["encode", "7", "-t", "U32"], "07000000\n"),
        (["encode", '{"id": 7, "name": "bob"}', "-t", "(id: U32, name: String)"], "0700000003000000626f62\n"),
        (["encode", "7", "-t", "U32", "-f", "base64"], base64.b64encode(b"\7\0\0\0").decode() + "\n"),
        (["encode", "7", "-t", "U32", "-f", "binary"], "\7\0\0\0"),
    ],
)
def test_values_are_read_and_written(run: Run, arguments: list[str], out: str) -> None:
    assert run(*arguments) == (FINE, out, "")


def test_a_value_is_printed_as_cbor(run: Run) -> None:
    result = run("decode", "07", "-t", "U8", "-f", "cbor")
    assert cborform.loads(shape_of_type(U8), os.fsencode(result.out)) == 7


@pytest.mark.parametrize("name", ["fighter", "Fighter", "&1"])
def test_a_type_is_found_in_a_module(run: Run, name: str) -> None:
    result = run("decode", "00" * 100, "-t", f"{MODULE}::{name}", "--trailing", "allow")
    assert result.status == FINE
    assert isinstance(json.loads(result.out), dict)


def test_a_functions_arguments_are_a_type_of_a_module(run: Run) -> None:
    assert run("encode", '[7, "bob"]', "-t", f"{MODULE}::rename").out == "070000000000000003000000626f62\n"


@pytest.mark.parametrize("stdin", [b"07", b"07\n", b" 0x07 \n", b"\x07"])
def test_a_values_bytes_come_from_standard_input(run: Run, stdin: bytes) -> None:
    assert run("decode", "-", "-t", "U8", stdin=stdin).out == "7\n"


def test_input_that_looks_like_hex_may_be_binary_all_the_same(run: Run) -> None:
    assert run("decode", "-", "-t", "(U8, U8)", "--input", "binary", stdin=b"07").out == "[48,55]\n"


def test_a_values_bytes_come_from_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "rows").write_bytes(b"\7\xff")
    assert run("decode", f"@{tmp_path / 'rows'}", "-t", "U8", "--many").out == "7\n255\n"


def test_json_comes_from_a_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "value.json").write_text("7")
    assert run("encode", f"@{tmp_path / 'value.json'}", "-t", "U8").out == "07\n"


def test_bytes_are_explained(run: Run) -> None:
    result = run("explain", "0007000000", "-t", OPTION)
    assert result.status == FINE
    assert "07 00 00 00" in result.out


def test_wrong_bytes_are_explained_as_far_as_they_go(run: Run) -> None:
    result = run("explain", "000700", "-t", OPTION)
    assert result.status == BAD_INPUT
    assert "data too short" in result.out


def test_bytes_are_explained_as_json(run: Run) -> None:
    result = run("explain", "0200000000", "-f", "json")
    assert result.status == FINE
    assert json.loads(result.out)["type"] == "RawModuleDef"


@pytest.mark.parametrize("form", [*RENDERERS, "raw-json"])
def test_a_module_is_described_in_every_format(run: Run, form: str) -> None:
    result = run("describe", MODULE, "-f", form)
    assert (result.status, result.err) == (FINE, "")
    assert "damage_event" in result.out
    assert result.out.endswith("\n")


def test_text_is_the_default_description(run: Run) -> None:
    assert run("describe", MODULE).out == run("describe", MODULE, "-f", "text").out


def test_a_raw_description_is_the_definition(run: Run) -> None:
    text = run("describe", MODULE, "-f", "raw-json").out
    assert run("extract", "-", "-f", "bsatn", stdin=text.encode()).out.encode("utf-8", "surrogateescape") == ARENA


@pytest.mark.parametrize("form", ["bsatn", "hex", "json"])
def test_a_definition_extracted_is_a_source_again(run: Run, form: str, tmp_path: Path) -> None:
    path = str(tmp_path / "definition")
    assert run("extract", MODULE, "-f", form, "-o", path).status == FINE
    assert run("extract", path, "-f", "hex").out == ARENA.hex() + "\n"


def test_writing_to_a_file_says_what_was_written(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "definition.bsatn"
    result = run("extract", MODULE, "-o", str(path))
    assert result == (FINE, "", f"{path}: version 10, layout 10i, {len(ARENA)} bytes\n")
    assert path.read_bytes() == ARENA


def test_a_description_goes_where_it_is_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert run("describe", MODULE, "-f", "html", "-o", str(path)) == (FINE, "", "")
    assert path.read_text("utf-8").startswith("<!doctype html>")


def test_the_testee_answers(run: Run) -> None:
    result = run("testee", stdin=b'{"id": 1, "op": "hello"}\n')
    assert json.loads(result.out)["id"] == 1


# -- help


def test_the_version_says_which_definitions(run: Run) -> None:
    result = run("--version")
    assert result.status == FINE
    assert result.out.startswith("bsatn ")
    assert "2.14.0" in result.out


def test_the_help_names_every_command(run: Run) -> None:
    result = run("--help")
    assert result.status == FINE
    for command in cli.COMMANDS:
        assert re.search(rf"^    {command}\s", result.out, re.MULTILINE)
    assert "Exit status" in result.out


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_help_of_a_command_shows_an_example(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert (result.status, result.err) == (FINE, "")
    assert "Example" in result.out
    assert f"bsatn {command}" in result.out.split("Example")[1]


def test_no_command_is_a_mistake_that_shows_the_help(run: Run) -> None:
    result = run()
    assert result.status == USAGE
    assert "Examples:" in result.out


# -- what goes wrong

V8_TABLE = raw.encode(
    raw.RawModuleDefV8(
        raw.shared.Typespace(),
        (
            raw.v8.TableDesc(
                raw.v8.RawTableDefV8("t", (), (), (), (), raw.v8.StTableType.User, raw.v8.StAccess.Public, None), 0
            ),
        ),
        (),
        (),
    )
)
HOSTILE_TEXT = V8_TABLE.replace(b"\6\0\0\0public", b"\x0e\0\0\0a\nbsatn: \x1b[2J\r")

MISTAKES: list[tuple[str, list[str], bytes, int, str]] = [
    ("no such file", ["describe", "/nowhere/x.wasm"], b"", UNREADABLE, "NotFound"),
    ("a directory", ["describe", "/"], b"", UNREADABLE, "directory"),
    ("no such scheme", ["describe", "ftp://x"], b"", UNREADABLE, "ftp"),
    ("no server", ["describe", "http://127.0.0.1:1/v1/database/x/schema?version=9"], b"", UNREADABLE, "HttpRefused"),
    ("nothing", ["describe", "-"], b"", BAD_INPUT, "Empty"),
    ("text", ["describe", "-"], b"hello", BAD_INPUT, "UnknownContent"),
    ("half a module", ["describe", "-"], b"\0asm", BAD_INPUT, "Wasm"),
    ("half a definition", ["describe", "-"], ARENA[:-1], BAD_INPUT, "BufferLength"),
    ("a definition and more", ["describe", "-"], ARENA + b"\0", BAD_INPUT, "TrailingBytes"),
    ("a tag of no version", ["extract", "-"], b"\3", BAD_INPUT, "InvalidTag"),
    ("a lying count", ["extract", "-"], b"\2\xff\xff\xff\xff", BAD_INPUT, "BufferLength"),
    ("JSON of another kind", ["describe", "-"], b'{"sections": 3}', BAD_INPUT, "JsonShape"),
    ("deep JSON", ["describe", "-"], b"[" * 100_000, BAD_INPUT, "Json"),
    ("half of JSON", ["describe", "-"], b'{"sections": [', BAD_INPUT, "JsonSyntax"),
    ("bad hex in a source", ["extract", "-"], b"0200000000z", BAD_INPUT, "BadHex"),
    ("another kind than told", ["describe", MODULE, "--kind", "hex"], b"", BAD_INPUT, "BadHex"),
    ("no such kind", ["describe", MODULE, "--kind", "x"], b"", USAGE, "--kind"),
    ("no such format", ["describe", MODULE, "-f", "x"], b"", USAGE, "--format"),
    ("no source", ["describe"], b"", USAGE, "SOURCE"),
    ("no such command", ["frobnicate"], b"", USAGE, "frobnicate"),
    ("no such option", ["describe", MODULE, "--frobnicate"], b"", USAGE, "frobnicate"),
    ("no hex", ["decode", "zz", "-t", "U8"], b"", USAGE, "hex digits"),
    ("half a byte", ["decode", "0", "-t", "U8"], b"", USAGE, "hex digits"),
    ("no hex on input", ["decode", "-", "-t", "U8", "--input", "hex"], b"zz", USAGE, "hex digits"),
    ("too few bytes", ["decode", "01", "-t", "U32"], b"", BAD_INPUT, "BufferLength"),
    ("too many bytes", ["decode", "0102", "-t", "U8"], b"", BAD_INPUT, "TrailingBytes"),
    ("too few bytes for the last", ["decode", "01000000" "02", "-t", "U32", "--many"], b"", BAD_INPUT, "[1]"),
    ("how many of nothing", ["decode", "", "-t", "()", "--many"], b"", USAGE, "--many"),
    ("no file of bytes", ["decode", "@/nowhere/x", "-t", "U8"], b"", UNREADABLE, "/nowhere/x"),
    ("a directory of bytes", ["decode", "@/", "-t", "U8"], b"", UNREADABLE, "/: "),
    ("no type", ["decode", "00"], b"", USAGE, "--type"),
    ("an unknown type", ["decode", "00", "-t", "U9"], b"", BAD_INPUT, "U9"),
    ("half a type", ["decode", "00", "-t", "(a: U8"], b"", BAD_INPUT, "Syntax"),
    ("an empty type", ["decode", "00", "-t", ""], b"", BAD_INPUT, "Syntax"),
    ("half a type in JSON", ["decode", "00", "-t", '{"U8":['], b"", BAD_INPUT, "JsonSyntax"),
    ("a deep type", ["decode", "00", "-t", "(" * 10_000], b"", BAD_INPUT, "LimitExceeded"),
    ("a reference to nothing", ["decode", "00", "-t", "&0"], b"", BAD_INPUT, "InvalidTypeRef"),
    ("a type that no module has", ["decode", "00", "-t", f"{MODULE}::fihgter"], b"", USAGE, "did you mean fighter"),
    ("an entry that no module has", ["decode", "00", "-t", f"{MODULE}::&8"], b"", USAGE, "8 types"),
    ("an entry past any", ["decode", "00", "-t", f"{MODULE}::&{'9' * 5000}"], b"", USAGE, "8 types"),
    ("a type of no module", ["decode", "00", "-t", "/nowhere/x::T"], b"", UNREADABLE, "NotFound"),
    ("a number too large", ["encode", "300", "-t", "U8"], b"", BAD_INPUT, "OutOfRange"),
    ("half a value", ["encode", "[1", "-t", "Array<U8>"], b"", BAD_INPUT, "Json"),
    ("no UTF-8", ["encode", "-", "-t", "String"], b'"\xff"', BAD_INPUT, "InvalidUtf8"),
    ("half a character", ["encode", '"\\ud800"', "-t", "String"], b"", BAD_INPUT, "surrogate"),
    ("an output that cannot be", ["extract", MODULE, "-o", "/nowhere/x"], b"", UNREADABLE, "/nowhere/x"),
    ("an output that is a directory", ["describe", MODULE, "-o", "/"], b"", UNREADABLE, "directory"),
    ("no count", ["explain", "00", "--max-rows", "-1"], b"", USAGE, "--max-rows"),
    ("nothing to explain", ["explain", "zz"], b"", USAGE, "hex digits"),
    ("text with line ends", ["describe", "-"], HOSTILE_TEXT, BAD_INPUT, r"`a\nbsatn: \x1b[2J\r`"),
    ("a path with line ends", ["describe", "/a\nb\x1b[m\u202e"], b"", UNREADABLE, r"/a\nb\x1b[m\u202e"),
    ("a name with line ends", ["decode", "00", "-t", f"{MODULE}::\x1b"], b"", USAGE, r"\x1b"),
]  # fmt: skip
mistakes = pytest.mark.parametrize(
    ("arguments", "stdin", "status", "says"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)


@mistakes
def test_a_mistake_has_its_status_and_is_told(run: Run, arguments: list[str], stdin: bytes, status: int, says: str) -> None:
    result = run(*arguments, stdin=stdin)
    assert result.status == status
    assert says in result.err
    assert result.out == ""


@mistakes
def test_a_mistake_is_told_in_one_line_fit_for_a_terminal(
    run: Run, arguments: list[str], stdin: bytes, status: int, says: str
) -> None:
    lines = run(*arguments, stdin=stdin).err.removesuffix("\n").split("\n")
    assert all(line.isprintable() for line in lines)
    told = [line for line in lines if line.startswith("bsatn")]
    assert len(told) == 1
    assert ": error: " in told[0]
    if lines[0].startswith("usage:"):
        assert lines[-1] == told[0]  # argparse says how it is used first
    else:
        assert len(lines) == (3 if "^" in lines[-1] else 1)  # a type's text is shown with the place


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["extract", MODULE], ["decode", "07", "-t", "U8"]])
def test_a_full_disk_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "defs.cli", *arguments],
            stdout=full, stderr=subprocess.PIPE, cwd=REPOSITORY, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == UNREADABLE
    assert done.stderr.decode().splitlines() == ["bsatn: error: output: No space left on device"]


@pytest.mark.skipif(os.name == "nt", reason="pipes close another way")
@pytest.mark.parametrize(
    "arguments", [["describe", MODULE, "-f", "html"], ["decode", f"@{MODULE}", "-t", "U8", "--many"], ["--help"]]
)
def test_a_reader_that_goes_away_is_no_error(arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "defs.cli", *arguments],
        stdout=write, stderr=subprocess.PIPE, cwd=REPOSITORY, timeout=60, check=False,
    )  # fmt: skip
    os.close(write)
    assert b"Traceback" not in done.stderr
    assert done.stderr == b""


def test_a_process_exits_with_the_status() -> None:
    assert process("decode", "07", "-t", "U8").returncode == FINE
    assert process("decode", "", "-t", "U8").returncode == BAD_INPUT
    assert process("decode", "0", "-t", "U8").returncode == USAGE
    assert process("describe", "/nowhere").returncode == UNREADABLE


def test_a_process_says_utf_8_whatever_the_locale() -> None:
    done = process("decode", "0200000068c3a9"[:8] + "68c3", "-t", "Bytes", LC_ALL="C", PYTHONUTF8="0")
    assert done.stdout == b'"68c3"\n'
    done = process("decode", "0300000068c3a9", "-t", "String", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.stdout == '"hé"\n'.encode()


def test_a_closed_input_is_told() -> None:
    done = subprocess.run(
        f'"{sys.executable}" -m defs.cli describe - <&-',
        shell=True, capture_output=True, cwd=REPOSITORY, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == UNREADABLE
    assert b"Traceback" not in done.stderr


# -- colour


def colored(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, output: str, no_color: str | None) -> bool:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    if no_color is None:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", no_color)
    args = argparse.Namespace(output=output)
    return common.use_color(args)


@pytest.mark.parametrize(
    ("terminal", "output", "no_color", "expected"),
    [
        (True, "-", None, True),
        (True, "-", "", True),
        (True, "-", "1", False),
        (False, "-", None, False),
        (True, "file", None, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, output: str, no_color: str | None, expected: bool
) -> None:
    assert colored(monkeypatch, terminal=terminal, output=output, no_color=no_color) is expected


def test_nothing_is_coloured_in_a_pipe(run: Run) -> None:
    assert "\x1b" not in run("explain", "0007000000", "-t", OPTION).out


def test_bytes_do_not_go_to_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    result = run("extract", MODULE)
    assert result.status == USAGE
    assert "-o FILE" in result.err
