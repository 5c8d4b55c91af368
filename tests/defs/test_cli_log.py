"""`bsatn log`: what it prints, for people and for programs; bad command lines, damaged logs, readers that go away."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from defs.cli import main

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "vectors" / "commitlog"
VALID, INVALID, USAGE, UNREADABLE = 0, 1, 2, 3


class Result(NamedTuple):
    status: object
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]


Run = Callable[..., Result]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `bsatn log` in this process; names of scenarios become their paths."""

    def command(name: str, scenario: str | Path, *arguments: object) -> Result:
        status: object
        path = LOGS / scenario if isinstance(scenario, str) else scenario
        try:
            status = main(["log", name, str(path), *map(str, arguments)])
        except SystemExit as exit_:
            status = exit_.code
        out, err = capsysbinary.readouterr()
        return Result(status, out.decode(), err.decode())

    return command


def txs(scenario: str) -> list[dict[str, Any]]:
    with gzip.open(LOGS / scenario / "expected.json.gz", "rt", encoding="utf-8") as file:
        return [tx for commit in json.load(file)["commits"] for tx in commit["txs"]]


# show -------------------------------------------------------------------------------------------------------


def test_show(run: Run) -> None:
    result = run("show", "event_mixed", "--from", 3, "--to", 5)
    assert (result.status, result.err) == (VALID, "")
    heads = [line for line in result.lines if not line.startswith(" ")]
    assert [line.split()[0] for line in heads] == ["3", "4", "5"]
    assert heads[0].split()[1:4] == ["2026-09-21T14:13:22.730927Z", "join_game", "by"]
    rows = [line.split()[:2] for line in result.lines if line.startswith(" ")]
    assert rows[:4] == [["+", "st_sequence:"], ["!", "chat_event"], ["!", "chat_event"], ["+", "player"]]
    assert ["-", "st_sequence:"] in rows
    assert "\x1b" not in result.out


def test_show_hides_rows_of_system_tables_unless_asked(run: Run) -> None:
    assert "    + st_column: 102 rows" in run("show", "plain", "--to", 0).lines
    shown = run("show", "plain", "--to", 0, "--system")
    assert len(shown.lines) == 1 + 26 + 102 + 8 + 37 + 33
    assert '    + st_column  table_id=1  col_pos=0  col_name="table_id"  col_type=0x0b' in shown.lines
    assert len(run("show", "plain", "--to", 0, "--table", "st_table").lines) == 27


def test_show_of_a_table(run: Run) -> None:
    result = run("show", "event_mixed", "--table", "ping_event")
    assert [line.split()[0] for line in result.lines if not line.startswith(" ")] == ["13", "14", "15", "17"]
    assert all("ping_event" in line for line in result.lines if line.startswith(" "))
    assert result == run("show", "event_mixed", "--table", "4097")


def test_show_tells_commits_of_several_transactions(run: Run) -> None:
    result = run("show", "batched")
    assert [line for line in result.lines if line.startswith("commit")][1] == "commit of transactions 3 to 5, epoch 2"


@pytest.mark.parametrize("scenario", ["event_mixed", "truncate", "batched", "many"])
def test_show_as_json_is_complete(run: Run, scenario: str) -> None:
    result = run("show", scenario, "-f", "json")
    for found, want in zip(result.objects, txs(scenario), strict=True):
        assert found["tx_offset"] == want["tx_offset"]
        assert found["reducer"] == (want["inputs"] and want["inputs"]["reducer_name"])
        assert found["caller_identity"] == (want["inputs"] and want["inputs"]["caller_identity"])
        assert found["timestamp_micros"] == (want["inputs"] and want["inputs"]["timestamp_micros"])
        for part in ("inserts", "deletes"):
            assert [
                {"table_id": one["table_id"], "table": one["table_name"], "is_event": one["is_event"],
                 "rows": [row["json"] for row in one["rows"]]}
                for one in want[part]
            ] == found[part]  # fmt: skip
        assert [one["table"] for one in found["truncates"]] == [one["table_name"] for one in want["truncates"]]


def test_show_of_a_damaged_log(run: Run) -> None:
    result = run("show", "damaged_flip_first_segment", "--from", 46)
    assert (result.status, len([line for line in result.lines if not line.startswith(" ")])) == (INVALID, 1)
    assert result.err.startswith("bsatn: error: Checksum: 00000000000000000000.stdb.log at byte 37854: ")
    salvaged = run("show", "damaged_flip_first_segment", "--from", 46, "--to", 50, "--salvage", "-f", "json")
    assert salvaged.status == INVALID
    assert [one.get("tx_offset", "damage") for one in salvaged.objects] == [46, "damage", 48, 49, 50]


# events -----------------------------------------------------------------------------------------------------


def events(scenario: str) -> list[tuple[int, str, Any]]:
    return [
        (tx["tx_offset"], group["table_name"], row["json"])
        for tx in txs(scenario)
        for group in tx["inserts"]
        if group["is_event"]
        for row in group["rows"]
    ]


@pytest.mark.parametrize("scenario", ["event_mixed", "event_dropped", "event_reschema", "many"])
def test_events(run: Run, scenario: str) -> None:
    want = events(scenario)
    assert want
    as_json = run("events", scenario, "--format", "json")
    assert [(one["tx_offset"], one["table"], one["row"]) for one in as_json.objects] == want
    text = run("events", scenario)
    assert [(int(line.split()[0]), line.split()[3]) for line in text.lines] == [(offset, table) for offset, table, _ in want]
    rows = list(csv.DictReader(io.StringIO(run("events", scenario, "-f", "csv").out)))
    assert [(int(row["tx_offset"]), row["table"], json.loads(row["row"])) for row in rows] == want


def test_events_in_text(run: Run) -> None:
    lines = run("events", "event_mixed").lines
    assert lines[2].startswith("4  2026-09-21T14:13:24.167033Z  say  chat_event  seq=3  nonce=3  sender=0xffff")
    assert lines[2].endswith('body="plain words here"  kind=warning')
    assert next(line.split()[:4] for line in lines if line.startswith("17 ")) == ["17", "-", "-", "chat_event"]
    assert not [line for line in lines if any(ord(char) < 32 for char in line)]


def test_events_of_one_table_as_csv_have_its_columns(run: Run) -> None:
    out = run("events", "event_reschema", "--table", "feed_event", "-f", "csv").out
    parts = [list(csv.DictReader(io.StringIO(part))) for part in out.split("\n\n")]
    assert [list(part[0])[5:] for part in parts] == [
        ["old_payload", "payload"], ["payload"], ["kind", "payload", "at"], ["id", "at", "kind"],
    ]  # fmt: skip
    assert sum(map(len, parts)) == len(events("event_reschema"))
    assert parts[1][1]["payload"] == events("event_reschema")[4][2]["payload"]
    assert parts[2][0]["payload"].startswith("[")
    ping = list(csv.DictReader(io.StringIO(run("events", "event_mixed", "-t", "ping_event", "-f", "csv").out)))
    assert ping[0]["at"] == "1970-01-01T00:00:00.000213Z"


def test_events_since(run: Run) -> None:
    for since, first in [("2026-09-21T14:13:50Z", 16), ("2026-09-21T14:13:52.309145+00:00", 16), ("2026-09-21 14:13:54", 18)]:
        assert run("events", "event_mixed", "--since", since).lines[0].split()[0] == str(first)
    assert run("events", "event_mixed", "--since", "0s").lines == []
    assert len(run("events", "event_mixed", "--since", "1970-01-01").lines) == len(events("event_mixed"))
    assert len(run("events", "event_mixed", "--since", "90000000d").err.splitlines()) > 1


def test_events_without_a_call_happen_at_the_last_time_known(run: Run) -> None:
    assert [line.split()[0] for line in run("events", "event_mixed", "--since", "2026-09-21T14:13:52Z").lines] == [
        "16", "16", "17", "17", "18",
    ]  # fmt: skip


def test_events_are_followed(tmp_path: Path) -> None:
    """Also through a commit that is being written, and into the next segment."""
    source = sorted((LOGS / "many").glob("*.log"))
    directory = tmp_path / "clog"
    directory.mkdir()
    first = directory / source[0].name
    whole = source[0].read_bytes()
    first.write_bytes(whole[:50_000])
    command = [sys.executable, "-m", "defs.cli", "log", "events", str(directory), "--follow", "--format", "json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        time.sleep(1)
        first.write_bytes(whole)
        time.sleep(0.6)
        shutil.copy(source[1], directory)
        want = [offset for offset, *_ in events("many") if offset < 193]
        assert process.stdout is not None
        found = [json.loads(process.stdout.readline())["tx_offset"] for _ in want]
        assert found == want
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


# replay, schema, verify -------------------------------------------------------------------------------------


def test_replay(run: Run) -> None:
    result = run("replay", "event_mixed")
    assert [line for line in result.lines if not line.startswith(" ")] == [
        "chat_event (public, event, 0 rows)",
        "ping_event (public, event, 0 rows)",
        "player (public, 5 rows)",
    ]
    assert '    id=2  name="key-2"  score=-1  bio=none' in result.lines
    assert len(run("replay", "event_mixed", "--at", 3, "--table", "player").lines) == 2


def test_replay_as_json(run: Run) -> None:
    whole = json.loads(run("replay", "truncate", "-f", "json", "--system").out)
    with gzip.open(LOGS / "truncate" / "expected.json.gz", "rt", encoding="utf-8") as file:
        want = json.load(file)["replayed"]["tables"]
    assert whole["next_tx_offset"] == 12

    def texts(rows: list[Any]) -> list[str]:
        return sorted(json.dumps(row, sort_keys=True) for row in rows)

    assert {one["name"]: (one["row_count"], texts(one["rows"])) for one in whole["tables"]} == {
        one["table_name"]: (one["row_count"], texts([row["json"] for row in one["rows"]])) for one in want
    }
    assert json.loads(run("replay", "plain", "--at", 0, "-f", "json").out) == {"next_tx_offset": 1, "tables": []}


def test_replay_of_a_damaged_log(run: Run) -> None:
    refused = run("replay", "damaged_flip_length")
    assert (refused.status, refused.out) == (INVALID, "")
    salvaged = run("replay", "damaged_flip_length", "--salvage")
    assert salvaged.status == INVALID
    assert len(salvaged.lines) == 84
    assert "at byte 31221" in salvaged.err
    assert run("replay", "damaged_flip_length", "--at", 241).out == salvaged.out
    assert run("replay", "event_reschema_same_tx").status == VALID
    assert "Expected 131951, given 232" in run("replay", "event_reschema_same_tx", "--upstream").err


def test_schema(run: Run) -> None:
    assert run("schema", "event_mixed", "--table", "ping_event").lines == [
        "ping_event (public, event)  id 4097",
        "    at     Timestamp",
        "    value  F64",
    ]
    assert run("schema", "event_reschema", "--at", 3, "-t", "feed_event").lines[1:] == [
        "    old_payload  U64",
        "    payload      U64",
    ]
    (found,) = run("schema", "event_reschema", "-t", "feed_event", "-f", "json").objects
    assert (found["is_event"], [one["name"] for one in found["columns"]]) == (True, ["id", "at", "kind"])
    assert len([line for line in run("schema", "plain", "--system").lines if not line.startswith(" ")]) == 27


def test_verify(run: Run) -> None:
    result = run("verify", "many_zstd")
    assert (result.status, result.err) == (VALID, "")
    assert result.out.startswith("intact: 3 segments, 291 commits, 291 transactions, 1,435 rows; 0.19 MB in ")
    assert run("verify", "recovered").status == VALID
    assert run("verify", "recovered", "--salvage").status == INVALID


def test_verify_names_every_damaged_place(run: Run) -> None:
    result = run("verify", "damaged_flip_middle", "-f", "json")
    *damage, summary = result.objects
    assert result.status == INVALID
    assert [(one["damage"]["kind"], one["damage"]["byte_offset"], one["damage"]["tx_offset"]) for one in damage] == [
        ("Checksum", 31221, 242)
    ]
    assert (summary["summary"]["commits"], summary["summary"]["damaged_places"]) == (290, 1)
    assert run("verify", "damaged_flip_middle").lines[-1].startswith("damaged in 1 place: 3 segments, 290 commits, ")


# Command lines ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("show", Path("/nowhere")), UNREADABLE, "NotFound: /nowhere: there is no such directory"),
        (("verify", Path("/")), UNREADABLE, "NotALog: /: no segments here"),
        (("events", LOGS / "README.md"), UNREADABLE, "this is a file; name the directory"),
        (("show", "plain", "--table", "playr"), USAGE, "the log has no table playr; did you mean player?"),
        (("events", "event_mixed", "--table", "x"), USAGE, "it has chat_event, ping_event, player"),
        (("replay", "plain", "--table", "x\x1b"), USAGE, "the log has no table x\\x1b"),
        (("replay", "plain", "--at", 99), INVALID, "there is no transaction 99: the last one is 9"),
        (("schema", "plain", "--at", 99), USAGE, "there is no transaction 99; the last one is 9"),
        (("show", "plain", "--from", "-1"), USAGE, "'-1' is no transaction offset, a number from 0 on"),
        (("show", "plain", "--to", "x"), USAGE, "'x' is no transaction offset"),
        (("events", "plain", "--since", "yesterday"), USAGE, "'yesterday' is no time: expected "),
        (("events", "plain", "--format", "xml"), USAGE, "invalid choice"),
        (("schema", "damaged_gap"), INVALID, "OutOfOrder: 00000000000000000193.stdb.log at byte 31221"),
        (("events", "damaged_gap"), INVALID, "OutOfOrder: 00000000000000000193.stdb.log at byte 31221"),
    ],
)
def test_errors(run: Run, arguments: tuple[Any, ...], status: int, says: str) -> None:
    result = run(*arguments)
    assert result.status == status
    assert says in result.err
    assert "Traceback" not in result.err


def test_help(run: Run) -> None:
    for name in ("show", "events", "columns", "replay", "verify", "schema"):
        result = run(name, "plain", "--help")
        assert (result.status, "Examples:" in result.out) == (0, True)
        assert f"bsatn log {name} " in result.out


def test_a_reader_that_goes_away() -> None:
    command = f"{sys.executable} -m defs.cli log show {LOGS / 'many'} --system -f json | head -c 10; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, cwd=ROOT, check=True)
    assert done.stdout == b'{"tx_offse0\n'
    assert done.stderr == b""


# The module in a log ----------------------------------------------------------------------------------------


def test_describe_of_a_log_whose_program_is_no_module(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["describe", str(LOGS / "plain")]) == INVALID
    error = capsysbinary.readouterr().err.decode()
    assert "plain (module published by transaction 1): it has no export memory" in error
