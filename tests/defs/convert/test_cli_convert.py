"""`bsatn convert` and the testee's `module.convert`: results, what is told to be lost, exit statuses."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import defs
from defs import raw
from defs.cli import main
from defs.convert import normal, to_v9, to_v10
from defs.testee import answer
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

from convert_cases import HAZARDS_V9, HAZARDS_V10, IMPOSSIBLE, valid_cases

MODULES = Path(__file__).parents[3] / "vectors" / "modules"
MODULE, CLASSIC = str(MODULES / "arena_v1.wasm"), str(MODULES / "arena_classic.wasm")
INVALID = "02010000000301000000000000000000000000020000000004"  # a reducer without a name


class Result(NamedTuple):
    status: object
    out: bytes
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `bsatn convert` in this process."""

    def command(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status: object
        try:
            status = main(["convert", *map(str, arguments)])
        except SystemExit as exit_:
            status = exit_.code
        out, err = capsysbinary.readouterr()
        return Result(status, out, err.decode())

    return command


def test_to_version_10_and_back(run: Run, tmp_path: Path) -> None:
    ten = tmp_path / "ten.bsatn"
    assert run(MODULE, "--to", "v10", "-o", ten) == (0, b"", "")
    assert defs.load(ten).validate() == defs.load(MODULE).validate()
    assert run(ten, "--to", "v10").out == ten.read_bytes()


def test_formats_say_the_same(run: Run) -> None:
    data = run(CLASSIC, "--to", "v9").out
    assert run(CLASSIC, "--to", "v9", "-f", "hex").out == data.hex().encode() + b"\n"
    text = run(CLASSIC, "--to", "v9", "-f", "json").out
    assert defs.load(text).raw == defs.load(data).raw == to_v9(defs.load(CLASSIC).validate())


def test_losses_are_listed_and_refused(run: Run, tmp_path: Path) -> None:
    result = run(MODULE, "--to", "v9", "-o", tmp_path / "nine")
    assert (result.status, result.out) == (1, b"")
    assert not (tmp_path / "nine").exists()
    lines = result.err.splitlines()
    assert lines[0] == "bsatn: version 9 cannot say 7 things of this definition:"
    assert "  tables.audit_event: that it is an event table; it becomes an ordinary table, which keeps its rows" in lines
    assert lines[-1] == "bsatn: error: LossyConversion: nothing is written; --lossy leaves these things out"


def test_losses_are_listed_and_allowed(run: Run) -> None:
    for option in ("--lossy", "--as-upstream"):
        result = run(MODULE, "--to", "v9", option)
        assert result.status == 0
        assert len(result.err.splitlines()) == 8
        assert defs.load(result.out).version == 9


def test_as_upstream(run: Run) -> None:
    module = defs.load(MODULE).validate()
    assert run(MODULE, "--to", "v10", "--as-upstream").out == raw.encode(to_v10(module, as_upstream=True))
    assert to_v10(module, as_upstream=True) != to_v10(module)


def test_version_8_and_9_become_10(run: Run) -> None:
    for version in (8, 9):
        data = bytes.fromhex(valid_cases(version)[0]["bytes"])
        result = run("-", "--to", "v10", stdin=data)
        assert result.status == 0
        assert list(defs.load(result.out).validate().tables) == list(defs.load(data).validate().tables)


def test_what_changes_in_version_10_is_listed(run: Run) -> None:
    result = run("-", "--to", "v10", stdin=raw.encode(HAZARDS_V9["names of constraints"]))
    assert result.status == 0
    assert result.err.splitlines() == [
        "bsatn: version 10 cannot say 1 thing of this definition:",
        "  tables.t.constraints['any name, but its own']: the constraint's name; it becomes t_a_key",
    ]


def test_what_cannot_be_version_10(run: Run) -> None:
    definition, _ = IMPOSSIBLE["a table with a schedule's generated name"]
    result = run("-", "--to", "v10", stdin=raw.encode(definition))
    assert (result.status, result.out) == (1, b"")
    assert result.err.splitlines()[-1].startswith("bsatn: error: LossyConversion: version 10 cannot say 1 thing of it")


def test_layouts(run: Run) -> None:
    older = run(MODULE, "--to", "v10", "--layout", "2.0.0")
    assert (older.status, older.err) == (0, "")
    refused = run(MODULE, "--to", "v10", "--layout", "1.12.0")
    assert (refused.status, refused.out) == (1, b"")
    assert "is_event" in refused.err
    dropped = run(MODULE, "--to", "v10", "--layout", "1.12.0", "--drop")
    assert dropped.status == 0
    assert dropped.err.startswith("bsatn: layout 1.12.0 cannot hold 4 things of this definition:\n")
    assert "is_event" not in run(MODULE, "--to", "v10", "--layout", "1.12.0", "--drop", "-f", "json").out.decode()
    assert run(MODULE, "--to", "v10", "--layout", "nonsense").status == 1


@pytest.mark.parametrize(
    ("arguments", "stdin", "status"),
    [
        (("-", "--to", "v10"), bytes.fromhex(INVALID), 1),
        (("-", "--to", "v10"), b"\x02\x01", 1),
        (("no such file", "--to", "v10"), b"", 3),
        ((MODULE, "--to", "v11"), b"", 2),
        ((MODULE,), b"", 2),
        ((MODULE, "--to", "v10", "--drop"), b"", 2),
    ],
)
def test_exit_statuses(run: Run, arguments: tuple[str, ...], stdin: bytes, status: int) -> None:
    result = run(*arguments, stdin=stdin)
    assert result.status == status
    assert result.out == b""
    assert "Traceback" not in result.err


def test_help_has_examples(run: Run) -> None:
    assert b"bsatn convert old.wasm --to v10" in run("--help").out


# The testee -------------------------------------------------------------------------------------------------


def ask(definition: raw.RawModuleDef, **request: Any) -> dict[str, Any]:
    return answer({"op": "module.convert", "bytes": raw.encode(definition).hex(), **request})


@pytest.mark.parametrize("version", [8, 9, 10])
def test_the_testee_converts_as_the_reference(version: int) -> None:
    for case in valid_cases(version)[:50]:
        for target in ("v9", "v10"):
            reply = answer({"op": "module.convert", "bytes": case["bytes"], "to": target})
            assert reply["ok"], case["id"]
            assert reply["bytes"] == raw.encode(normal(raw.decode(bytes.fromhex(case[target])))).hex(), case["id"]


def test_the_testee_converts_without_loss_when_asked() -> None:
    definition = HAZARDS_V10["explicit index name"]
    reply = ask(definition, to="v10", upstream=False)
    assert validate(raw.decode(bytes.fromhex(reply["bytes"]))) == validate(definition)
    assert reply != ask(definition, to="v10", upstream=True) == ask(definition, to="v10")
    assert ask(definition, to="v9", upstream=False)["ok"]


def test_the_testee_says_what_is_wrong() -> None:
    invalid = answer({"op": "module.convert", "bytes": INVALID, "to": "v10"})
    assert (invalid["ok"], invalid["error"]) == (False, "InvalidModule")
    assert invalid["errors"]
    impossible, _ = IMPOSSIBLE["a table with a schedule's generated name"]
    assert ask(impossible, to="v10", upstream=False)["error"] == "LossyConversion"
    definition = HAZARDS_V10["explicit index name"]
    assert ask(definition)["error"] == "BadRequest"
    assert ask(definition, to="v8")["error"] == "BadRequest"
    assert ask(definition, to="v9", upstream="no")["error"] == "BadRequest"
    assert json.dumps(ask(definition, to="v9", id=3)).startswith('{"id": 3, "ok": true')
