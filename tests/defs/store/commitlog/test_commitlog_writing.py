"""Writing: what goes to disk and when, rotation, recovery, the lock, compression, and processes that are killed."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bsatn.errors import EncodeError
from defs.store.commitlog import Commit, LogError, Writer, compress_segment, list_segments, read_commits, read_offset_index

sys.path.insert(0, str(Path(__file__).parent))

from commitlog_cases import VECTORS, bodies, commits, copy, damage, rewrite, whole

ROOT = Path(__file__).parents[4]
FIRST = "00000000000000000000.stdb.log"
SMALLEST = bytes.fromhex(
    "286473295e3201000000 0000000000000000 0000000000000000 0100 0d000000 2001001000000107000000 0000 2a0f8508".replace(" ", "")
)


def test_the_smallest_log(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        assert writer.append(SMALLEST[32:-4]) == 0
        assert (writer.next_tx_offset, writer.epoch, writer.directory) == (1, 0, tmp_path)
    assert (tmp_path / FIRST).read_bytes() == SMALLEST
    index = (tmp_path / FIRST).with_suffix(".ofs")
    assert index.stat().st_size == 4_194_304
    assert read_offset_index(index) == []


def test_records_may_be_a_list_or_joined(tmp_path: Path) -> None:
    with Writer(tmp_path) as writer:
        assert writer.append([b"a", b"bc"], epoch=3) == 0
        assert writer.append(b"def", n=2) == 2
        assert writer.append([b""], n=1) == 4
        assert writer.sync() == 5
    assert [(c.min_tx_offset, c.n, c.epoch, c.records) for c in whole(tmp_path)] == [
        (0, 2, 3, b"abc"),
        (2, 2, 3, b"def"),
        (4, 1, 3, b""),
    ]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"records": []}, "OutOfRange"),
        ({"records": b"", "n": 0}, "OutOfRange"),
        ({"records": b"", "n": 65536}, "OutOfRange"),
        ({"records": [b"a"], "n": 2}, "OutOfRange"),
        ({"records": b"", "epoch": 1}, "OutOfRange"),
        ({"records": b"", "epoch": 1 << 64}, "OutOfRange"),
    ],
)
def test_what_cannot_be_written_changes_nothing(tmp_path: Path, arguments: dict[str, Any], kind: str) -> None:
    with Writer(tmp_path) as writer:
        writer.append(b"before", epoch=2)
        with pytest.raises(EncodeError) as caught:
            writer.append(**arguments)
        assert caught.value.kind == kind
        writer.append(b"after")
    assert bodies(whole(tmp_path)) == [(0, b"before"), (1, b"after")]


def test_closed(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.append(b"")


def test_sync_is_what_puts_it_on_disk(tmp_path: Path) -> None:
    writer = Writer(tmp_path)
    writer.append(b"one")
    assert (tmp_path / FIRST).stat().st_size == 10
    assert writer.sync() == 1
    assert bodies(whole(tmp_path)) == [(0, b"one")]
    writer.append(bytes(200_000))
    assert (tmp_path / FIRST).stat().st_size > 200_000
    writer.close()


def test_a_segment_ends_once_it_has_its_size(tmp_path: Path) -> None:
    with Writer(tmp_path, max_segment_size=100) as writer:
        for _ in range(6):
            writer.append(b"x" * 19)
    assert [(segment.min_tx_offset, segment.file_size) for segment in list_segments(tmp_path)] == [
        (0, 100),
        (2, 100),
        (4, 100),
        (6, 10),
    ]


@pytest.mark.parametrize("after_sync", [True, False])
def test_offset_index_entries_wait_for_sync_if_they_are_to(tmp_path: Path, after_sync: bool) -> None:
    index = (tmp_path / FIRST).with_suffix(".ofs")
    with Writer(tmp_path, offset_index_interval_bytes=100, offset_index_require_segment_fsync=after_sync) as writer:
        for _ in range(9):
            writer.append(b"x" * 24)
        assert read_offset_index(index) == ([] if after_sync else [(1, 60), (2, 110), (4, 210), (6, 310)])
    assert read_offset_index(index) == ([(1, 60)] if after_sync else [(1, 60), (2, 110), (4, 210), (6, 310)])


def test_an_index_that_is_full_stays_full(tmp_path: Path) -> None:
    made = [Commit(number, 0, 1, b"x" * 39, 0, "", 0, 0, 1) for number in range(4)]
    rewrite(made, tmp_path, max_segment_size=100, offset_index_interval_bytes=60)
    index = tmp_path / "00000000000000000002.stdb.ofs"
    assert index.stat().st_size == 16
    assert read_offset_index(index) == [(2, 10)]


def test_entries_for_what_was_cut_off_go(tmp_path: Path) -> None:
    index = (tmp_path / FIRST).with_suffix(".ofs")
    made = [Commit(number, 0, 1, b"x" * 24, 0, "", 0, 0, 1) for number in range(9)]
    rewrite(made, tmp_path, offset_index_interval_bytes=100, offset_index_require_segment_fsync=False)
    assert read_offset_index(index) == [(1, 60), (2, 110), (4, 210), (6, 310)]
    with (tmp_path / FIRST).open("r+b") as file:
        file.truncate(210)
    with Writer(tmp_path, offset_index_interval_bytes=100) as writer:
        assert read_offset_index(index) == [(1, 60), (2, 110)]
        for _ in range(3):
            writer.append(b"y" * 50)
    assert read_offset_index(index) == [(1, 60), (2, 110), (4, 210)]


# -- going on


@pytest.mark.parametrize("every", [1, 2, 7])
def test_stopping_and_going_on_changes_no_byte_of_the_segments(tmp_path: Path, every: int) -> None:
    original = whole(VECTORS / "many")
    for start in range(0, 291, every * 10):
        rewrite(original[start : start + every * 10], tmp_path, max_segment_size=1 << 16, offset_index_interval_bytes=2048)
    for path in (VECTORS / "many").glob("*.stdb.log"):
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
        entries = read_offset_index((tmp_path / path.name).with_suffix(".ofs"))
        places = {(c.min_tx_offset, c.byte_offset) for c in original if c.segment == path.name}
        assert entries
        assert set(entries) <= places


def test_cut_anywhere_in_the_last_commit_and_gone_on(tmp_path: Path) -> None:
    with Writer(tmp_path, fsync=False) as writer:
        for number in range(4):
            writer.append(bytes([number]) * 30)
    data = (tmp_path / FIRST).read_bytes()
    *good, last = whole(tmp_path)
    for size in range(last.byte_offset, len(data)):
        log = tmp_path / str(size)
        log.mkdir()
        (log / FIRST).write_bytes(data[:size])
        with Writer(log, fsync=False) as writer:
            assert writer.append(b"again") == 3
        assert bodies(whole(log)) == [*bodies(good), (3, b"again")]
        assert len(list_segments(log)) == (1 if size - last.byte_offset < 22 else 2)


def test_after_a_compressed_segment_a_new_one_is_begun(tmp_path: Path) -> None:
    log = copy("many_zstd", tmp_path)
    for path in log.glob("*.stdb.log"):
        if path.name != FIRST:
            path.unlink()
    with Writer(log) as writer:
        assert writer.append(b"next") == 95
    assert [segment.compressed for segment in list_segments(log)] == [True, False]
    assert len(whole(log)) == 96


def test_an_empty_first_segment_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "00000000000000000095.stdb.log").write_bytes(SMALLEST[:10])
    with Writer(tmp_path) as writer:
        assert writer.next_tx_offset == 95
    with Writer(tmp_path, upstream=True) as writer:
        assert writer.next_tx_offset == 0


def test_a_write_that_fails_ends_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = Writer(tmp_path)
    writer.append(b"safe")
    writer.sync()
    writer.append(b"lost")

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogError, match="No space left") as caught:
        writer.sync()
    assert (caught.value.kind, caught.value.unreadable) == ("Failed", True)
    monkeypatch.undo()
    with pytest.raises(LogError, match="open the log anew"):
        writer.append(b"more")
    writer.close()
    with Writer(tmp_path) as again:
        assert again.next_tx_offset in (1, 2)


# -- the lock


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


HOLD = """
import sys
from defs.store.commitlog import Writer
writer = Writer(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("replica", [True, False])
def test_a_second_writer_is_refused(tmp_path: Path, replica: bool) -> None:
    log = tmp_path / "clog" if replica else tmp_path
    log.mkdir(exist_ok=True)
    process = child(HOLD, str(log))
    assert process.stdout
    assert process.stdout.readline() == "open\n"
    for directory in {log, tmp_path}:
        with pytest.raises(LogError, match="another writer") as caught:
            Writer(directory)
        assert (caught.value.kind, caught.value.unreadable) == ("Locked", True)
        assert str(tmp_path / "db.lock") in str(caught.value)
    process.kill()
    process.communicate()
    with Writer(tmp_path) as writer, pytest.raises(LogError, match="another writer"):
        Writer(writer.directory)
    Writer(tmp_path).close()


def test_a_log_that_is_refused_is_not_kept_locked(tmp_path: Path) -> None:
    log = copy("damaged_gap", tmp_path)
    for _ in range(2):
        with pytest.raises(LogError, match="out-of-order"):
            Writer(log)


APPEND = """
import sys
from defs.store.commitlog import Writer
with Writer(sys.argv[1], max_segment_size=5000, write_buffer_size=300) as writer:
    while True:
        for _ in range(3):
            number = writer.next_tx_offset
            writer.append(number.to_bytes(8, "little") * (1 + number % 40))
        print(writer.sync(), flush=True)
"""


def kill_while_appending(log: Path, rounds: int) -> None:
    for number in range(rounds):
        process = child(APPEND, str(log))
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(1 + number % 5)]
        process.send_signal(signal.SIGKILL)
        lines += process.communicate()[0].split("\n")
        safe = max(int(line) for line in lines if line.strip())
        found = commits(log)
        assert [c.min_tx_offset for c in found] == list(range(len(found)))
        assert len(found) >= safe
        assert all(c.records == c.min_tx_offset.to_bytes(8, "little") * (1 + c.min_tx_offset % 40) for c in found)


@pytest.mark.skipif(os.name != "posix", reason="no SIGKILL")
def test_what_was_synced_outlives_kill(tmp_path: Path) -> None:
    kill_while_appending(tmp_path, 3)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="no SIGKILL")
def test_what_was_synced_outlives_kill_100_times(tmp_path: Path) -> None:
    kill_while_appending(tmp_path, 100)


# -- compression


def test_compressed_as_the_engine_does(tmp_path: Path) -> None:
    log = copy("many", tmp_path)
    size = compress_segment(log / FIRST)
    assert size == (log / FIRST).stat().st_size
    assert bodies(whole(log)) == bodies(whole(VECTORS / "many_zstd"))
    assert [segment.compressed for segment in list_segments(log)] == [True, False, False]
    ours, theirs = ((directory / FIRST).read_bytes() for directory in (log, VECTORS / "many_zstd"))
    assert _table(ours)[0::2] == _table(theirs)[0::2]
    assert compress_segment(log / FIRST) == size
    assert sorted(path.name for path in log.iterdir()) == sorted(path.name for path in (VECTORS / "many").glob("*.stdb.*"))


def _table(data: bytes) -> tuple[int, tuple[int, ...], tuple[int, ...], bytes]:
    count = int.from_bytes(data[-9:-5], "little")
    sizes = struct.unpack(f"<{2 * count}I", data[-9 - 8 * count : -9])
    return count, sizes[::2], sizes[1::2], data[-5:] + data[-17 - 8 * count : -9 - 8 * count]


def test_what_is_not_compressed(tmp_path: Path) -> None:
    log = copy("damaged_flip_first_segment", tmp_path)
    for name, words in ((FIRST, "damaged"), ("00000000000000000193.stdb.log", "newest")):
        before = (log / name).read_bytes()
        with pytest.raises(LogError, match=words) as caught:
            compress_segment(log / name)
        assert caught.value.kind == "NotCompressible"
        assert (log / name).read_bytes() == before
    with pytest.raises(LogError, match="No such file"):
        compress_segment(log / "none")


def test_a_bad_frame_takes_only_its_commits(tmp_path: Path) -> None:
    log = copy("many_zstd", tmp_path)
    data = bytearray((log / FIRST).read_bytes())
    data[10_000] ^= 0xFF
    (log / FIRST).write_bytes(data)
    found = commits(log, "salvage")
    (told,) = damage(log, "salvage")
    assert told.kind in ("Compression", "Checksum")
    assert told.end is not None
    assert told.end - told.byte_offset < 4096 + 2 * 3000
    missing = set(bodies(whole(VECTORS / "many"))) - set(bodies(found))
    assert missing
    assert all(told.byte_offset <= c.byte_offset < told.end for c in whole(VECTORS / "many")[:95] if bodies([c])[0] in missing)
    assert damage(log)[0].byte_offset == told.byte_offset


def test_without_its_table_a_compressed_segment_reads_from_the_beginning(tmp_path: Path) -> None:
    log = copy("many_zstd", tmp_path)
    data = (log / FIRST).read_bytes()
    (log / FIRST).write_bytes(data[: len(data) - 9])
    assert bodies(whole(log)) == bodies(whole(VECTORS / "many"))
    assert commits(log, start=80) == [c for c in commits(log) if c.min_tx_offset >= 80]
    (log / FIRST).write_bytes(data[:9000])
    found = commits(log, "salvage")
    assert 20 < len(found) < 291
    assert found[-1].min_tx_offset == 290
    assert len(damage(log, "salvage")) == 1


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_flips_in_a_compressed_segment(tmp_path: Path, step: int) -> None:
    log = copy("many_zstd", tmp_path)
    data = (log / FIRST).read_bytes()
    original = bodies(whole(log))
    for byte in range(0, len(data), 97 * step):
        changed = bytearray(data)
        changed[byte] ^= 1 << byte % 8
        (log / FIRST).write_bytes(changed)
        for mode in ("strict", "salvage", "upstream"):
            found = bodies(item for item in read_commits(log, mode=mode) if isinstance(item, Commit))
            assert set(found) <= set(original)
            assert mode != "salvage" or len(found) > 150
