"""Every scenario of vectors/commitlog: what is read, what is told, where writing goes on, against the engine's own answers."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from defs.store.commitlog import Commit, Damage, LogError, Writer, list_segments, read_commits, read_offset_index

sys.path.insert(0, str(Path(__file__).parent))

from commitlog_cases import LAST, SCENARIOS, VECTORS, bodies, commits, copy, damage, expected, rewrite, whole

pytestmark = pytest.mark.usefixtures("each_engine")

INTACT = [name for name in SCENARIOS if not name.startswith("damaged_")]
OPTIONS = {"many": {"max_segment_size": 1 << 16, "offset_index_interval_bytes": 2048}}
USUAL = {"max_segment_size": 1 << 20, "offset_index_interval_bytes": 4096}


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) == 32


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_segments(scenario: str) -> None:
    for found, wanted in zip(list_segments(VECTORS / scenario), expected(scenario)["segments"], strict=True):
        assert (found.file, found.min_tx_offset) == (wanted["file"], wanted["min_tx_offset"])
        assert (found.file_size, found.compressed) == (wanted["file_size"], wanted["compressed"])
        if "open_error" not in wanted:
            assert found.log_format_version == wanted["log_format_version"]
            assert found.checksum_algorithm == wanted["checksum_algorithm"]


def test_a_version_that_is_not_known_is_told_and_a_header_that_is_none_is_not() -> None:
    assert [segment.log_format_version for segment in list_segments(VECTORS / "damaged_version")] == [1, 1, 3]
    assert [segment.checksum_algorithm for segment in list_segments(VECTORS / "damaged_algorithm")] == [0, 0, 1]
    assert list_segments(VECTORS / "damaged_magic")[2].log_format_version is None
    assert list_segments(VECTORS / "damaged_short_segment_header")[2].checksum_algorithm is None


@pytest.mark.parametrize("mode", ["strict", "upstream"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_commits(scenario: str, mode: str) -> None:
    wanted = [commit for commit in expected(scenario)["commits"] if not commit.get("duplicate")]
    found = commits(VECTORS / scenario, mode)
    assert len(found) == len(wanted)
    for commit, want in zip(found, wanted, strict=True):
        assert commit.segment == want["segment"]
        assert (commit.byte_offset, commit.len) == (want["byte_offset"], want["len"])
        assert (commit.min_tx_offset, commit.epoch, commit.n) == (want["min_tx_offset"], want["epoch"], want["n"])
        assert (len(commit.records), commit.checksum) == (want["records_len"], want["checksum"])
        assert (commit.version, commit.end_tx_offset) == (1, want["min_tx_offset"] + want["n"])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_offset_indexes(scenario: str) -> None:
    for index in expected(scenario)["offset_indexes"]:
        assert read_offset_index(VECTORS / scenario / index["file"]) == [tuple(entry) for entry in index["entries"]]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_server_iterates_like_this(scenario: str) -> None:
    directory = VECTORS / scenario
    wanted = [run for run in expected(scenario)["reader"]["commits_iterator"] if isinstance(run, dict)]
    assert _runs(directory)[: len(wanted)] == [_told(run) for run in wanted]
    if len(wanted) == len(expected(scenario)["reader"]["commits_iterator"]):
        assert len(_runs(directory)) == len(wanted)


def _told(run: Any) -> Any:
    if "error" not in run:
        return run
    error = run["error"]
    previous = error.get("prev_error") or {}
    return {key: error[key] for key in ("kind", "message")} | {"previous": previous.get("message")}


def _runs(directory: Path) -> list[Any]:
    runs: list[Any] = []
    for is_commit, group in groupby(read_commits(directory, mode="upstream"), key=lambda item: isinstance(item, Commit)):
        items: Any = list(group)
        if is_commit:
            first, last = items[0].min_tx_offset, items[-1].min_tx_offset
            runs.append({"commits": len(items), "first_min_tx_offset": first, "last_min_tx_offset": last})
        else:
            for item in items:
                message = item.message.replace(str(directory), "<dir>")
                runs.append({"kind": item.kind, "message": message, "previous": item.previous and item.previous.message})
    return runs


SALVAGED: dict[str, tuple[int, list[tuple[str, str, int, int | None]]]] = {
    "damaged_algorithm": (291, [(LAST, "ChecksumAlgorithm", 7, 193)]),
    "damaged_cut_checksum": (290, [(LAST, "TornCommit", 60044, 290)]),
    "damaged_cut_header": (290, [(LAST, "TornHeader", 60044, 290)]),
    "damaged_cut_payload": (290, [(LAST, "TornCommit", 60044, 290)]),
    "damaged_duplicate_commit": (291, [(LAST, "Duplicate", 60168, 290)]),
    "damaged_empty_segment": (193, []),
    "damaged_flip_first_segment": (290, [("00000000000000000000.stdb.log", "Checksum", 37854, 47)]),
    "damaged_flip_last": (290, [(LAST, "Checksum", 60044, 290)]),
    "damaged_flip_last_checksum": (290, [(LAST, "Checksum", 60044, 290)]),
    "damaged_flip_length": (290, [(LAST, "TornCommit", 31221, 242)]),
    "damaged_flip_middle": (290, [(LAST, "Checksum", 31221, 242)]),
    "damaged_flip_offset": (290, [(LAST, "Checksum", 31221, 242)]),
    "damaged_forked": (291, [(LAST, "Forked", 60168, 290)]),
    "damaged_gap": (290, [(LAST, "OutOfOrder", 31221, 242)]),
    "damaged_magic": (291, [(LAST, "Magic", 0, 193)]),
    "damaged_missing_segment": (193, [(LAST, "OutOfOrder", 0, 95)]),
    "damaged_short_segment_header": (193, [(LAST, "ShortSegmentHeader", 0, 193)]),
    "damaged_version": (291, [(LAST, "Version", 6, 193)]),
    "damaged_zero_tail": (291, [(LAST, "ZeroTail", 60168, 291)]),
    "damaged_zero_tail_short": (291, [(LAST, "TornHeader", 60168, 291)]),
    "recovered": (291, [(LAST, "Checksum", 60044, 290)]),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_salvage(scenario: str) -> None:
    intact = bodies(whole(VECTORS / "many"))
    many, told = SALVAGED.get(scenario, (len(expected(scenario)["commits"]), []))
    found = commits(VECTORS / scenario, "salvage")
    assert len(found) == many
    assert [(d.segment, d.kind, d.byte_offset, d.tx_offset) for d in damage(VECTORS / scenario, "salvage")] == told
    if scenario.startswith("damaged_") or scenario == "recovered":
        assert set(bodies(found)) <= set(intact)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_strict_reader_stops_at_the_first_damage(scenario: str) -> None:
    items = list(read_commits(VECTORS / scenario))
    told = [item for item in items if isinstance(item, Damage)]
    salvaged = damage(VECTORS / scenario, "salvage")
    if scenario in ("recovered", "damaged_duplicate_commit"):
        assert told == []
    else:
        place = [(d.segment, d.byte_offset, d.kind) for d in salvaged]
        assert [(d.segment, d.byte_offset, d.kind) for d in told] == place
        assert items[len(items) - len(told) :] == told


def test_damage_says_what_is_lost_and_where_it_goes_on() -> None:
    (found,) = damage(VECTORS / "damaged_flip_middle", "salvage")
    assert str(found) == (
        f"{LAST} at byte 31221: checksum mismatch in a commit of 626 bytes; transaction 242 is lost; "
        "it goes on with transaction 243 at byte 31847"
    )
    assert found.end == 31847
    (found,) = damage(VECTORS / "damaged_missing_segment", "salvage")
    assert "transactions 95 to 192 are lost" in found.message


@pytest.mark.parametrize("start", [0, 1, 46, 48, 94, 95, 96, 192, 193, 250, 290, 291, 5000])
@pytest.mark.parametrize("scenario", ["many", "many_zstd", "batched"])
@pytest.mark.parametrize("mode", ["strict", "salvage", "upstream"])
def test_start(scenario: str, start: int, mode: str) -> None:
    everything = commits(VECTORS / scenario)
    assert commits(VECTORS / scenario, mode, start) == [c for c in everything if c.end_tx_offset > start]
    assert damage(VECTORS / scenario, mode, start) == []


# -- writing


@pytest.mark.parametrize("upstream", [True, False])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_open_for_append(scenario: str, upstream: bool, tmp_path: Path) -> None:
    """Sound, a log is refused where opening it would give up intact commits, and is else taken up as the server does."""
    wanted = expected(scenario)["reader"]["open_for_append"]
    log = copy(scenario, tmp_path)
    supersedes = scenario in ("damaged_flip_length", "damaged_flip_middle", "damaged_flip_offset")
    if not wanted["ok"] or (supersedes and not upstream):
        before = {path.name: path.read_bytes() for path in log.glob("*.stdb.*")}
        with pytest.raises(LogError) as caught:
            Writer(log, upstream=upstream)
        assert (caught.value.kind, caught.value.unreadable) == ("NotAppendable", False)
        if "error" in wanted:
            assert wanted["error"]["message"].partition("]: ")[2] in str(caught.value)
        assert {path.name: path.read_bytes() for path in log.glob("*.stdb.*")} == before
        return
    with Writer(log, upstream=upstream) as writer:
        assert writer.next_tx_offset == wanted["max_committed_offset"] + 1
        assert writer.epoch == wanted["epoch"]
    after = [{"file": segment.file, "size": segment.file_size} for segment in list_segments(log)]
    assert after == wanted["segments_after"]


@pytest.mark.parametrize("scenario", [name for name in INTACT if name not in ("many_zstd", "recovered")])
def test_written_again_byte_for_byte(scenario: str, tmp_path: Path) -> None:
    log = rewrite(whole(VECTORS / scenario), tmp_path, **OPTIONS.get(scenario, USUAL))
    originals = sorted((VECTORS / scenario).glob("*.stdb.*"))
    assert originals
    for original in originals:
        assert (log / original.name).read_bytes() == original.read_bytes(), original.name


def test_recovered_again_byte_for_byte(tmp_path: Path) -> None:
    last = commits(VECTORS / "recovered")[-1]
    log = rewrite([last], copy("damaged_flip_last", tmp_path))
    assert (log / last.segment).read_bytes() == (VECTORS / "recovered" / last.segment).read_bytes()
    assert damage(log) == []
    assert bodies(commits(log)) == bodies(whole(VECTORS / "many"))
