"""Reading what is cut, flipped, misnamed, missing, old, new, or no log at all."""

from __future__ import annotations

import os
import random
import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from crc32c import crc32c

from defs.store.commitlog import DAMAGE_KINDS, Commit, Damage, LogError, Writer, list_segments, read_commits
from defs.store.commitlog import searching as searching_module

sys.path.insert(0, str(Path(__file__).parent))

from commitlog_cases import LAST, VECTORS, bodies, commits, copy, damage, rewrite, whole

pytestmark = pytest.mark.usefixtures("each_engine")

FIRST = "00000000000000000000.stdb.log"
MODES = ("strict", "salvage", "upstream")


def flip(path: Path, byte: int, mask: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[byte] ^= mask
    path.write_bytes(data)


def small(to: Path, count: int = 6, **options: Any) -> Path:
    with Writer(to, fsync=False, **options) as writer:
        for number in range(count):
            writer.append(bytes([number]) * (10 + number))
    return to


def v0_segment(offset: int, count: int) -> bytes:
    out = bytearray.fromhex("286473295e3200000000")
    for number in range(count):
        commit = struct.pack("<QHI", offset + number, 1, 5) + b"hello"
        out += commit + struct.pack("<I", crc32c(commit))
    return bytes(out)


# -- what is no log


@pytest.mark.parametrize("mode", MODES)
def test_no_log(tmp_path: Path, mode: str) -> None:
    for path, kind in ((tmp_path / "no", "NotFound"), (tmp_path, "NotALog"), (VECTORS / "README.md", "NotALog")):
        with pytest.raises(LogError) as caught:
            read_commits(path, mode=mode)  # type: ignore[arg-type]
        assert (caught.value.kind, caught.value.unreadable) == (kind, True)
        assert str(path) in str(caught.value)
    with pytest.raises(LogError):
        list_segments("\0")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FIRST)
    with pytest.raises(LogError, match="not a file") as caught:
        list(read_commits(tmp_path))
    assert caught.value.kind == "Unreadable"
    with pytest.raises(LogError, match="not a file"):
        Writer(tmp_path)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match="offset"):
        read_commits(VECTORS / "plain", start=-1)
    with pytest.raises(ValueError, match="salvage"):
        read_commits(VECTORS / "plain", mode="lenient")  # type: ignore[arg-type]


def test_a_replica_is_a_log_too(tmp_path: Path) -> None:
    copy("plain", tmp_path / "clog")
    assert bodies(commits(tmp_path)) == bodies(commits(VECTORS / "plain"))


def test_misnamed_segments_are_told(tmp_path: Path) -> None:
    log = small(tmp_path)
    (log / "1.stdb.log").write_bytes(b"")
    (log / ("9" * 20 + ".stdb.log")).write_bytes(b"")
    assert [d.kind for d in damage(log, "salvage")] == ["FileName", "FileName"]
    assert len(commits(log, "salvage")) == 6
    assert [d.kind for d in damage(log)] == ["FileName"]
    with pytest.raises(LogError, match="20 digits"):
        Writer(log)


# -- cuts and flips


def test_cut_at_every_byte_of_the_last_commit(tmp_path: Path) -> None:
    log = small(tmp_path)
    *good, last = whole(log)
    path = log / FIRST
    for size in range(path.stat().st_size - 1, last.byte_offset - 1, -1):
        with path.open("r+b") as file:
            file.truncate(size)
        there = size - last.byte_offset
        kinds = [] if not there else ["TornHeader"] if there < 22 else ["TornCommit"]
        for mode in ("strict", "salvage"):
            assert bodies(commits(log, mode)) == bodies(good)
            assert [(d.kind, d.byte_offset) for d in damage(log, mode)] == [(kind, last.byte_offset) for kind in kinds]
        assert bodies(commits(log, "upstream")) == bodies(good)
        assert [d.kind for d in damage(log, "upstream")] == (["Io"] if there >= 22 else [])


def intact(log: Path, original: list[Commit], flipped: dict[str, set[int]]) -> list[tuple[int, bytes]]:
    return bodies(c for c in original if not flipped.get(c.segment, set()) & set(range(c.byte_offset, c.byte_offset + c.len)))


def check_flips(log: Path, places: list[tuple[str, int, int]], original: list[Commit]) -> None:
    flipped: dict[str, set[int]] = {}
    for name, byte, mask in places:
        flip(log / name, byte, mask)
        flipped.setdefault(name, set()).add(byte)
    wanted = intact(log, original, flipped)
    items = list(read_commits(log, mode="salvage"))
    told = [item for item in items if isinstance(item, Damage)]
    assert bodies(item for item in items if isinstance(item, Commit)) == wanted
    assert len({(d.segment, d.byte_offset) for d in told}) == len(told)
    lost = [c for c in original if (c.min_tx_offset, bytes(c.records)) not in wanted]
    for commit in lost:
        at = [d for d in told if d.segment == commit.segment and d.byte_offset <= commit.byte_offset < (d.end or 0)]
        assert len(at) == 1, (commit[:3], told)
    strict = list(read_commits(log))
    assert strict[:-1] == [item for item in strict if isinstance(item, Commit)][: len(strict) - 1]
    for item in read_commits(log, mode="upstream"):
        assert isinstance(item, Commit) or item.kind in DAMAGE_KINDS
    for name, byte, mask in places:
        flip(log / name, byte, mask)


def test_every_bit_of_a_small_log(tmp_path: Path) -> None:
    log = small(tmp_path, max_segment_size=150)
    original = whole(log)
    assert len(list_segments(log)) > 1
    for segment in list_segments(log):
        for byte in range(segment.file_size):
            check_flips(log, [(segment.file, byte, 1 << byte % 8)], original)


def sweep(log: Path, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    original = whole(log)
    files = [(segment.file, segment.file_size) for segment in list_segments(log)]
    for _ in range(rounds):
        places = {}
        for _ in range(chance.randint(1, 6)):
            name, size = chance.choice(files)
            places[name, chance.randrange(10, size)] = 1 << chance.randrange(8)
        check_flips(log, [(name, byte, mask) for (name, byte), mask in places.items()], original)


def test_random_flips(tmp_path: Path) -> None:
    sweep(copy("many", tmp_path), 25, 1)


@pytest.mark.slow
def test_random_flips_many(tmp_path: Path) -> None:
    sweep(copy("many", tmp_path), 1000, 2)


@pytest.mark.parametrize("header", [b"", b"(ds)^2", bytes(10), bytes.fromhex("286473295e3201000000"), b"\x28\xb5\x2f\xfd"])
def test_random_bytes(tmp_path: Path, header: bytes) -> None:
    chance = random.Random(3)
    for size in (0, 1, 9, 10, 11, 40, 3000):
        (tmp_path / FIRST).write_bytes(header + chance.randbytes(size))
        for mode in MODES:
            assert commits(tmp_path, mode) == []


def test_zeros_before_and_after(tmp_path: Path) -> None:
    log = small(tmp_path)
    good, size = bodies(whole(log)), (log / FIRST).stat().st_size
    with (log / FIRST).open("ab") as file:
        file.truncate(size + 5_000_000)
    assert [(d.kind, d.byte_offset, d.end) for d in damage(log)] == [("ZeroTail", size, size + 5_000_000)]
    assert bodies(commits(log)) == good
    with (log / FIRST).open("ab") as file:
        file.write(struct.pack("<QQHI", 6, 0, 1, 0) + struct.pack("<I", crc32c(struct.pack("<QQHI", 6, 0, 1, 0))))
    assert bodies(commits(log, "salvage")) == [*good, (6, b"")]
    assert [d.kind for d in damage(log, "salvage")] == ["Checksum"]


# -- order


def test_runs_of_old_commits_are_told_once(tmp_path: Path) -> None:
    log = small(tmp_path)
    data = (log / FIRST).read_bytes()
    (log / FIRST).write_bytes(data + data[10:])
    (found,) = damage(log, "salvage")
    assert (found.kind, found.byte_offset, found.end, found.tx_offset) == ("OutOfOrder", len(data), 2 * len(data) - 10, 0)
    assert len(commits(log, "salvage")) == 6


def test_a_commit_without_transactions(tmp_path: Path) -> None:
    log = small(tmp_path)
    header = struct.pack("<QQHI", 6, 0, 0, 0)
    with (log / FIRST).open("ab") as file:
        file.write(header + struct.pack("<I", crc32c(header)))
    assert [d.kind for d in damage(log)] == [d.kind for d in damage(log, "salvage")] == ["EmptyCommit"]
    assert len(commits(log, "salvage")) == 6
    with pytest.raises(LogError, match="without transactions"):
        Writer(log)
    with Writer(log, upstream=True) as writer:
        writer.append(b"next")
    assert [d.kind for d in damage(log, "upstream")] == ["Forked"]


def test_commits_that_the_server_gave_up_are_told(tmp_path: Path) -> None:
    """As the server opens a log damaged in the middle: later commits stay in the file, and a new segment starts before them."""
    log = copy("damaged_flip_middle", tmp_path)
    with Writer(log, upstream=True) as writer:
        assert writer.append(b"instead of 242") == 242
    assert [(d.kind, d.byte_offset) for d in damage(log, "salvage")] == [("Checksum", 31221), ("Superseded", 31847)]
    assert bodies(commits(log, "salvage"))[-1] == (242, b"instead of 242")
    assert [d.kind for d in damage(log)] == ["Superseded"]
    assert damage(log, "upstream") == []


def test_an_empty_segment_behind_a_gap(tmp_path: Path) -> None:
    log = small(tmp_path)
    (log / "00000000000000000009.stdb.log").write_bytes((log / FIRST).read_bytes()[:10])
    assert [(d.kind, d.tx_offset) for d in damage(log)] == [("OutOfOrder", 6)]
    with pytest.raises(LogError, match="transaction 9"):
        Writer(log)


def test_a_log_may_begin_anywhere(tmp_path: Path) -> None:
    log = copy("many", tmp_path)
    (log / FIRST).unlink()
    assert commits(log)[0].min_tx_offset == 95
    assert damage(log) == []
    assert commits(log, start=10)[0].min_tx_offset == 95


@pytest.mark.parametrize("bad", ["no commits", "other commits", "far away", "garbage", "missing"])
def test_offset_indexes_are_only_advice(tmp_path: Path, bad: str) -> None:
    log = copy("many", tmp_path)
    for index in log.glob("*.stdb.ofs"):
        data = index.read_bytes()
        if bad == "other commits":
            index.write_bytes(b"".join(struct.pack("<QQ", max(k - 3, 0), p) for k, p in struct.iter_unpack("<QQ", data)))
        elif bad == "no commits":
            index.write_bytes(b"".join(struct.pack("<QQ", k, p + 1) for k, p in struct.iter_unpack("<QQ", data)))
        elif bad == "far away":
            index.write_bytes(b"".join(struct.pack("<QQ", k, p + (1 << 60)) for k, p in struct.iter_unpack("<QQ", data)))
        elif bad == "garbage":
            index.write_bytes(random.Random(4).randbytes(511))
        else:
            index.unlink()
    for start in (48, 50, 52, 150, 151, 280):
        assert bodies(commits(log, start=start)) == bodies(c for c in whole(VECTORS / "many") if c.min_tx_offset >= start)


def test_the_offset_index_is_used(tmp_path: Path) -> None:
    log = copy("many", tmp_path)
    flip(log / LAST, 100)
    assert [d.kind for d in damage(log, start=280)] == []
    (log / LAST).with_suffix(".ofs").unlink()
    assert [d.kind for d in damage(log, start=280)] == ["Checksum"]


# -- versions


def test_version_0(tmp_path: Path) -> None:
    (tmp_path / FIRST).write_bytes(v0_segment(0, 3))
    for mode in MODES:
        found = commits(tmp_path, mode)
        assert [(c.min_tx_offset, c.epoch, c.n, c.records, c.len, c.version) for c in found] == [
            (number, 0, 1, b"hello", 23, 0) for number in range(3)
        ]
        assert damage(tmp_path, mode) == []
    with pytest.raises(LogError):
        Writer(tmp_path, upstream=True)
    with Writer(tmp_path) as writer:
        assert writer.append(b"new") == 3
    assert [c.version for c in whole(tmp_path)] == [0, 0, 0, 1]


def test_version_0_ends_at_zeros_for_the_server(tmp_path: Path) -> None:
    (tmp_path / FIRST).write_bytes(v0_segment(0, 3) + bytes(100))
    assert damage(tmp_path, "upstream") == []
    assert [d.kind for d in damage(tmp_path)] == ["ZeroTail"]


@pytest.mark.parametrize(("declared", "told"), [(0, "Version"), (2, "Version"), (255, "Version")])
def test_the_wrong_version_loses_nothing(tmp_path: Path, declared: int, told: str) -> None:
    log = small(tmp_path)
    original = bodies(whole(log))
    flip(log / FIRST, 6, 1 ^ declared)
    assert bodies(commits(log, "salvage")) == original
    assert [d.kind for d in damage(log, "salvage")] == [told]
    assert commits(log) == []
    (tmp_path / "v0").mkdir()
    (tmp_path / "v0" / FIRST).write_bytes(v0_segment(0, 3))
    flip(tmp_path / "v0" / FIRST, 6, declared or 1)
    assert len(commits(tmp_path / "v0", "salvage")) == 3


# -- size


def test_memory_does_not_grow_with_lengths_that_lie(tmp_path: Path) -> None:
    log = small(tmp_path, 3)
    with (log / FIRST).open("r+b") as file:
        file.seek(10 + 18)
        file.write(struct.pack("<I", 0xFFFFFFF0))
        file.truncate(200 << 20)
    tracemalloc.start()
    try:
        assert len(commits(log, "salvage")) == 2
        assert len(commits(log)) == 0
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_commit_larger_than_what_is_read_at_once(tmp_path: Path) -> None:
    big = random.Random(5).randbytes(3_000_000)
    with Writer(tmp_path, fsync=False) as writer:
        for records in (b"before", big, b"after"):
            writer.append(records)
    assert [c.records for c in whole(tmp_path)] == [b"before", big, b"after"]
    flip(tmp_path / FIRST, 1_000_000)
    assert [c.records for c in commits(tmp_path, "salvage")] == [b"before", b"after"]
    assert [d.kind for d in damage(tmp_path, "salvage")] == ["Checksum"]
    assert [d.kind for d in damage(tmp_path, "upstream")] == ["Checksum", "OutOfOrder"]


def test_commits_at_every_place_of_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = rewrite(whole(VECTORS / "plain"), tmp_path)
    original = whole(log)
    for chunk in (64, 100, 333, 1000, 8900, 12892, 12893):
        monkeypatch.setattr("defs.store.commitlog.walking.CHUNK", chunk)
        assert whole(log) == original
        monkeypatch.setattr("defs.store.commitlog.searching.CHUNK", max(chunk, 200))
        flip(log / FIRST, original[4].byte_offset + 18)
        assert bodies(commits(log, "salvage")) == bodies([*original[:4], *original[5:]])
        flip(log / FIRST, original[4].byte_offset + 18)


def test_commits_found_at_every_place_of_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Writer(tmp_path, fsync=False) as writer:
        for size in (1000, 10, 20):
            writer.append(bytes([size % 256]) * size)
    log = tmp_path
    original = bodies(whole(log))
    flip(log / FIRST, whole(log)[0].byte_offset + 18)
    for chunk in range(100, 200):
        monkeypatch.setattr("defs.store.commitlog.searching.CHUNK", chunk)
        assert bodies(commits(log, "salvage")) == original[1:]


def test_a_length_that_leads_to_a_later_commit_hides_none(tmp_path: Path) -> None:
    with Writer(tmp_path, fsync=False) as writer:
        for number in range(8):
            writer.append(bytes([number]) * 10)
    original = whole(tmp_path)
    with (tmp_path / FIRST).open("r+b") as file:
        file.seek(original[2].byte_offset + 18)
        file.write(struct.pack("<I", 10 + 2 * original[2].len))
    assert bodies(commits(tmp_path, "salvage")) == bodies([*original[:2], *original[3:]])
    assert [(d.byte_offset, d.end) for d in damage(tmp_path, "salvage")] == [(original[2].byte_offset, original[3].byte_offset)]


def test_a_search_that_costs_too_much_is_given_up_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching_module, "_FREE_BYTES", 0)
    monkeypatch.setattr(searching_module, "_BYTES_PER_BYTE", 1)
    log = small(tmp_path, 3)
    trap = b"".join(struct.pack("<QQHI", 3, 0, 1, 1000) for _ in range(500))
    with (log / FIRST).open("ab") as file:
        file.write(trap)
    assert [d.kind for d in damage(log, "salvage")] == ["SearchLimit", "Checksum"]
    with pytest.raises(LogError, match="too odd"):
        Writer(log)


def test_what_is_appended_while_reading_is_not_seen_and_does_no_harm(tmp_path: Path) -> None:
    log = small(tmp_path)
    reader = read_commits(log)
    next(reader)
    (log / FIRST).write_bytes(b"")
    for item in reader:
        assert isinstance(item, (Commit, Damage))
