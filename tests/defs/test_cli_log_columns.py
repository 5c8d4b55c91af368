"""`bsatn log columns`: what it writes, where, and what it says when it cannot."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from defs.cli import main
from defs.store import table_history

pa = pytest.importorskip("pyarrow")

ROOT = Path(__file__).parents[2]
LOGS = ROOT / "vectors" / "commitlog"
VALID, INVALID, USAGE, UNREADABLE = 0, 1, 2, 3


class Result(NamedTuple):
    status: object
    out: bytes
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `bsatn log columns` in this process; names of scenarios become their paths."""

    def command(scenario: str | Path, *arguments: object) -> Result:
        status: object
        try:
            status = main(["log", "columns", str(LOGS / scenario), *map(str, arguments)])
        except SystemExit as exit_:
            status = exit_.code
        out, err = capsysbinary.readouterr()
        return Result(status, out, err.decode())

    return command


def stream(data: bytes) -> Any:
    """The table of an Arrow stream."""
    return pa.ipc.open_stream(io.BytesIO(data)).read_all()


def file(path: Path) -> Any:
    """The table of an Arrow file."""
    with pa.OSFile(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def parquet(path: Path) -> Any:
    """The table of a Parquet file."""
    return import_module("pyarrow.parquet").read_table(path)


def history(scenario: str, table: str, **options: Any) -> Any:
    return pa.table(table_history(LOGS / scenario, table, **options))


# What is written --------------------------------------------------------------------------------------------


def test_a_stream_to_standard_output(run: Run) -> None:
    result = run("event_mixed", "chat_event")
    assert (result.status, result.err) == (VALID, "")
    assert stream(result.out).equals(history("event_mixed", "chat_event"))
    assert run("event_mixed", "4096").out == result.out


@pytest.mark.parametrize("name", ["x.arrow", "x.FEATHER", "x.ipc"])
def test_an_arrow_file(run: Run, tmp_path: Path, name: str) -> None:
    assert run("event_mixed", "chat_event", "-o", tmp_path / name) == (VALID, b"", "")
    assert file(tmp_path / name).equals(history("event_mixed", "chat_event"))


@pytest.mark.parametrize("name", ["x.parquet", "x.pq"])
def test_a_parquet_file(run: Run, tmp_path: Path, name: str) -> None:
    assert run("event_mixed", "chat_event", "-o", tmp_path / name) == (VALID, b"", "")
    found, want = parquet(tmp_path / name).to_pylist(), history("event_mixed", "chat_event").to_pylist()
    assert found == want


def test_the_format_that_is_asked_for_wins(run: Run, tmp_path: Path) -> None:
    want = run("event_mixed", "chat_event").out
    for name, arguments in (("x.arrows", ()), ("x.parquet", ("--format", "stream")), ("x", ("-f", "stream"))):
        assert run("event_mixed", "chat_event", "-o", tmp_path / name, *arguments).status == VALID
        assert (tmp_path / name).read_bytes() == want
    assert run("event_mixed", "chat_event", "--format", "parquet").out[:4] == b"PAR1"


@pytest.mark.parametrize("table", ["blip_event", "nested", "options", "people", "scalars"])
@pytest.mark.parametrize("suffix", ["arrows", "arrow", "parquet"])
def test_every_type_can_be_written(run: Run, tmp_path: Path, table: str, suffix: str) -> None:
    path = tmp_path / f"x.{suffix}"
    assert run("many", table, "-o", path) == (VALID, b"", "")
    read = {"arrows": lambda path: stream(path.read_bytes()), "arrow": file, "parquet": parquet}[suffix]
    assert read(path).num_rows == len(table_history(LOGS / "many", table)) > 0


def test_it_is_written_some_at_a_time(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defs.store.history._CHUNK", 1000)
    monkeypatch.setattr("defs.store.history._CHUNK_OF_VALUES", 1000)
    found = stream(run("many", "blip_event").out)
    assert len(found.to_batches()) > 5
    assert found.equals(history("many", "blip_event"))
    assert run("many", "blip_event", "-o", tmp_path / "x.parquet").status == VALID
    assert import_module("pyarrow.parquet").ParquetFile(tmp_path / "x.parquet").num_row_groups > 5


def test_nothing_is_an_empty_table(run: Run) -> None:
    found = stream(run("event_mixed", "chat_event", "--from", 19).out)
    assert (found.num_rows, found.num_columns) == (0, 10)


def test_ranges(run: Run) -> None:
    found = stream(run("event_mixed", "ping_event", "--from", 14, "--to", 15).out)
    assert sorted(set(found["tx_offset"].to_pylist())) == [14, 15]
    since = stream(run("event_mixed", "chat_event", "--since", "2026-09-21T14:13:52Z").out)
    assert since["tx_offset"].to_pylist() == [16, 16, 17, 18]


def test_sums_and_wide(run: Run) -> None:
    unions = stream(run("event_mixed", "chat_event", "--sums", "union").out)
    assert pa.types.is_union(unions.schema.field("kind").type)
    wide = run("many", "scalars", "--to", 11, "--wide", "decimal")
    assert str(stream(wide.out).schema.field("i_128").type) == "decimal128(38, 0)"


def test_polars_and_duckdb_read_what_is_written(run: Run, tmp_path: Path) -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    want = len(table_history(LOGS / "many", "blip_event"))
    assert polars.read_ipc_stream(io.BytesIO(run("many", "blip_event").out)).height == want
    for name, read in (("x.arrow", polars.read_ipc), ("x.parquet", polars.read_parquet)):
        assert run("many", "blip_event", "-o", tmp_path / name).status == VALID
        assert read(tmp_path / name).height == want
    assert duckdb.sql(f"select count(*) from '{tmp_path / 'x.parquet'}'").fetchall() == [(want,)]


# What is wrong ----------------------------------------------------------------------------------------------


def test_columns_that_change(run: Run, tmp_path: Path) -> None:
    """What comes before is there; all of it with --merge."""
    path = tmp_path / "x.arrow"
    result = run("event_reschema", "feed_event", "-o", path)
    assert (result.status, file(path)["tx_offset"].to_pylist()) == (INVALID, [2, 2, 3])
    assert result.err.startswith("bsatn: error: ColumnsChanged: transaction 5: from here on table feed_event has columns (pay")
    assert result.err.count("\n") == 1
    refused = run("event_reschema", "feed_event", "--merge")
    assert (refused.status, refused.out) == (INVALID, b"")
    assert refused.err.startswith("bsatn: error: ColumnsDiffer: column payload is String in older rows and ")
    merged = run("event_reschema", "feed_event", "--merge", "--from", 8)
    assert (merged.status, stream(merged.out).num_rows) == (VALID, 6)


def test_a_damaged_log(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    result = run("damaged_flip_first_segment", "blip_event", "-o", path)
    assert (result.status, result.err.count("\n")) == (INVALID, 1)
    assert result.err.startswith("bsatn: error: Checksum: 00000000000000000000.stdb.log at byte 37854: ")
    assert parquet(path).num_rows == len(table_history(LOGS / "many", "blip_event", last=46))
    salvaged = run("damaged_flip_first_segment", "options", "--salvage")
    assert salvaged.status == INVALID
    assert "transaction 47 is lost; it goes on with transaction 48 at byte 38978\n" in salvaged.err
    missing = set(history("many", "options")["tx_offset"].to_pylist()) - set(stream(salvaged.out)["tx_offset"].to_pylist())
    assert missing == {47}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("event_mixed", "chat_evnt"), USAGE, "the log has no table chat_evnt; did you mean chat_event or ping_event?"),
        (("event_mixed", "st_colum"), USAGE, "did you mean st_column or "),
        (("event_mixed", "x\x1b"), USAGE, "the log has no table x\\x1b; it has chat_event, ping_event, player"),
        (("event_mixed",), USAGE, "arguments are required: TABLE"),
        (("nowhere", "x"), UNREADABLE, "NotFound: "),
        (("event_mixed", "player", "-o", "OUT.csv"), USAGE, "OUT.csv: say --format, or end the name with .arrows or .arrow or"),
        (("event_mixed", "player", "-o", "OUT"), USAGE, "OUT: say --format, or end the name with "),
        (("event_mixed", "player", "-o", "OUT.parquet", "--sums", "union"), USAGE, "Parquet has no unions"),
        (("event_mixed", "player", "-f", "parquet", "--sums", "union"), USAGE, "Parquet has no unions"),
        (("event_mixed", "player", "-f", "csv"), USAGE, "invalid choice"),
        (("event_mixed", "player", "--from", "x"), USAGE, "'x' is no transaction offset"),
        (("many", "scalars", "--wide", "decimal"), INVALID, "transaction 12: table scalars, i_128: a number has too many"),
        (("event_mixed", "player", "-o", "nowhere/OUT.arrow"), UNREADABLE, "nowhere/OUT.arrow: No such file or directory"),
    ],
)
def test_errors(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert (result.status, result.out) == (status, b"")
    assert says in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []


def test_without_pyarrow(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    result = run("event_mixed", "player", "-o", tmp_path / "x.arrow")
    assert result.status == USAGE
    assert result.err == "bsatn: error: columns are written by pyarrow, which is not here: pip install 'bsatn[columns]'\n"
    assert list(tmp_path.iterdir()) == []


def test_help(run: Run) -> None:
    result = run("plain", "--help")
    assert result.status == 0
    assert b"Examples:" in result.out
    assert b"Columns: tx_offset, tx_timestamp, tx_reducer, tx_caller, tx_op, then" in result.out


# Terminals and pipes ----------------------------------------------------------------------------------------

_COMMAND = [sys.executable, "-m", "defs.cli", "log", "columns"]
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals to open")
def test_a_terminal_gets_no_bytes() -> None:
    ours, theirs = os.openpty()
    try:
        command = [*_COMMAND, str(LOGS / "plain"), "player"]
        done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, env=_ENVIRONMENT, check=False, timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (done.returncode, done.stderr) == (USAGE, b"bsatn: error: the output is binary: say -o FILE, or pipe it\n")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals to open")
def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        command = [*_COMMAND, str(LOGS / "many"), "scalars", "-o", str(tmp_path / "x.arrow")]
        done = subprocess.run(command, stderr=theirs, env=_ENVIRONMENT, check=False, timeout=60)
        shown = os.read(ours, 1000)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == VALID
    assert b" transactions, " in shown
    assert shown.endswith(b"\r\x1b[K")


@pytest.mark.skipif(os.name == "nt", reason="needs a shell")
def test_a_reader_that_goes_away() -> None:
    """The first time something is written that it does not take; that is no error."""
    script = f"{sys.executable} -m defs.cli log columns {LOGS / 'many'} st_column | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, env=_ENVIRONMENT, check=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == ([b"10", b"0"], b"")
