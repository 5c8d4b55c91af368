"""`bsatn sql check`: verdicts in words and JSON, plans, places of faults, standard input; and the testee's sql.check."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from defs.cli import main
from defs.testee import answer

ROOT = Path(__file__).parents[2]
ARENA = str(ROOT / "vectors" / "modules" / "arena_v2.wasm")
DEFINITION = json.loads((ROOT / "vectors" / "modules" / "expected.json").read_text())["modules"]["arena_v2"]["bytes"]
JOIN = "SELECT fighter.* FROM damage_event JOIN fighter ON damage_event.target = fighter.id"


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The module's definition in a file, which is read faster than the module."""
    path = tmp_path_factory.mktemp("sql") / "arena.hex"
    path.write_text(DEFINITION)
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["sql", "check", *arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_accepted(arena: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, arena, "SELECT * FROM fighter") == (0, "accepted: returns rows of fighter\n", "")
    assert (
        run(capsys, arena, "SELECT * FROM damage_event")[1]
        == "accepted: returns damage_event, an event table: rows come once, and are not kept\n"
    )
    assert run(capsys, arena, JOIN)[1].split("\n")[:3] == [
        "accepted: returns rows of fighter",
        "  looks up fighter (right of JOIN) by its index on id",
        "  because it is on the right of JOIN",
    ]


def test_a_module_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capsys, ARENA, "SELECT * FROM *")[1]
        == "accepted: returns every table but event tables: fighter, my_fighter, top_fighters\n"
    )


def test_explain(arena: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, arena, f"{JOIN} WHERE damage_event.amount > 5", "--explain")
    assert status == 0
    assert out.split("\n")[-4:] == [
        "  look up fighter by index fighter_id_idx_btree: id = damage_event.target, at most one; keep the rows found",
        "  └─ filter damage_event.amount > 5",
        "     └─ scan damage_event",
        "",
    ]


def test_refused(arena: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, arena, "SELECT *\nFROM figter")
    assert (status, err) == (1, "")
    assert out.split("\n") == [
        "refused (resolve): no such table: `figter`. If the table exists, it may be marked private.",
        "  FROM figter",
        "       ^",
        "  hint: did you mean `fighter`?",
        "",
    ]


def test_protocols_and_callers(arena: str, capsys: pytest.CaptureFixture[str]) -> None:
    event, secret = "SELECT * FROM damage_event", "SELECT * FROM ledger"
    assert [run(capsys, arena, event, "--protocol", one)[0] for one in ("v2", "v1", "v1_single", "oneoff")] == [0, 1, 1, 0]
    assert [run(capsys, arena, secret, "--caller", one)[0] for one in ("client", "owner")] == [1, 0]


def test_json(arena: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, arena, JOIN, "SELECT * FROM nope", "-f", "json", "--explain")
    good, bad = (json.loads(line) for line in out.splitlines())
    assert status == 1
    assert (good["sql"], good["verdict"], good["returns"], good["lookup"], good["lookup_side"]) == (
        JOIN,
        "ok",
        "fighter",
        "fighter",
        "right",
    )
    assert good["plans"][0]["op"] == "index-join"
    assert (bad["verdict"], bad["stage"], bad["position"]) == ("error", "resolve", 14)
    assert "`fighter`" in bad["hint"]


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("SELECT * FROM fighter;\nSELECT *\nFROM nope;\n", ["ok", "error"]),
        ("SELECT * FROM fighter\n\nSELECT * FROM nope\n", ["ok", "error"]),
        ("SELECT * FROM fighter WHERE name = ';'\nSELECT * FROM fighter", ["ok", "ok"]),
        ("SELECT * FROM fighter WHERE name = '", ["error"]),
    ],
)
def test_standard_input(
    arena: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, verdicts: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    status, out, _ = run(capsys, arena, "-", "-f", "json")
    assert [json.loads(line)["verdict"] for line in out.splitlines()] == verdicts
    assert status == ("error" in verdicts)


def test_several_in_words(arena: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, arena, "SELECT  *\nFROM fighter", "SELECT * FROM fighter WHERE \x1b")
    assert out.startswith(
        "SELECT * FROM fighter\naccepted: returns rows of fighter\n\nSELECT * FROM fighter WHERE \\x1b\nrefused (parse): "
    )
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("data", "message"), [(b" \n", "standard input has no query"), (b"\xff", "standard input is not UTF-8: byte 0")]
)
def test_bad_input(
    arena: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: bytes, message: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run(capsys, arena, "-") == (2, "", f"bsatn: error: {message}\n")
    assert run(capsys, "-", "-")[0] == 2


# The testee -------------------------------------------------------------------------------------------------


def test_the_testee_accepts() -> None:
    assert answer({"op": "sql.check", "module": DEFINITION, "sql": JOIN, "caller": "client", "protocol": "v2"}) == {
        "ok": True,
        "verdict": "ok",
        "returns": "fighter",
        "is_event": False,
        "lookup": "fighter",
        "lookup_side": "right",
    }


def test_the_testee_refuses() -> None:
    reply = answer(
        {"op": "sql.check", "module": DEFINITION, "sql": "SELECT id FROM fighter", "caller": "owner", "protocol": "oneoff"}
    )
    assert (reply["ok"], reply["verdict"], reply["stage"]) == (True, "error", "type")
    assert reply["message"].startswith("Column projections are not supported")


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"module": "0201"}, "BufferLength"),
        ({"protocol": "v3"}, "BadRequest"),
        ({"caller": "me"}, "BadRequest"),
        ({"sql": 1}, "BadRequest"),
    ],
)
def test_bad_requests(changed: dict[str, object], kind: str) -> None:
    reply = answer({"op": "sql.check", "module": DEFINITION, "sql": JOIN, "caller": "client", "protocol": "v2", **changed})
    assert (reply["ok"], reply["error"]) == (False, kind)
