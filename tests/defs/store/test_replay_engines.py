"""Replay by every engine leaves the same state, tells the same faults and ends with the same error, whatever is in the log."""

from __future__ import annotations

import random
import struct
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bsatn
from bsatn import types as t
from bsatn.engines import engine
from defs.store.commitlog import read_commits
from defs.store.commitlog.layout import FRAMINGS, MAX_TX_OFFSET, crc32c, pack_commit_header
from defs.store.commitlog.model import Run
from defs.store.commitlog.txdata import Inputs, write_varint
from defs.store.reading import LogReader, Mode
from defs.store.replay import replay
from defs.store.state import codec_of_rows
from defs.store.verifying import verify
from defs.system.tables import bootstrap_rows

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import ROOT, SCENARIOS, bootstrap, column, record, user_table, write_log
from replay_cases import EVENT, NOTE, NOTES, PLAIN, THING, RandomLog, alike, commit, read_alike, write_commits

NATIVE = pytest.mark.skipif(engine() != "native", reason="the native engine is not in use")
MODES: list[Mode] = ["strict", "salvage"]
HEADER = FRAMINGS[1].header_size


def thing(number: int) -> bytes:
    return codec_of_rows(THING).encode((number, True))


def note(number: int, text: str = "x") -> bytes:
    return codec_of_rows(NOTE).encode((number, text, None))


def started(*more: bytes) -> list[bytes]:
    """A new database with two tables that have a row each, and an event table; then more records."""
    described = [
        record(user_table(PLAIN, "thing", THING)),
        record(user_table(NOTES, "note", NOTE)),
        record(user_table(EVENT, "said", NOTE, event=True)),
    ]
    return [bootstrap(), *described, record({PLAIN: [thing(0)], NOTES: [note(0)]}), *more]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("mode", MODES)
def test_the_scenarios(scenario: str, mode: Mode) -> None:
    for at in (None, 0, 7, 100):
        alike(ROOT / scenario, mode=mode, at=at)
    for start in (0, 7, 250):
        read_alike(ROOT / scenario, mode=mode, start=start)


# Random logs ------------------------------------------------------------------------------------------------


Change = Callable[[random.Random, list[bytes]], None]


def nothing(chance: random.Random, commits: list[bytes]) -> None:
    pass


def flip(chance: random.Random, commits: list[bytes]) -> None:
    """A bit anywhere."""
    which = chance.randrange(len(commits))
    data = bytearray(commits[which])
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    commits[which] = bytes(data)


def flip_in_records(chance: random.Random, commits: list[bytes]) -> None:
    """A byte in the records, and the checksum is right again."""
    which = chance.randrange(1, len(commits))
    data = bytearray(commits[which][:-4])
    data[chance.randrange(HEADER, len(data))] = chance.choice((0, 1, 2, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    commits[which] = bytes(data) + struct.pack("<I", crc32c()(data))


def cut(chance: random.Random, commits: list[bytes]) -> None:
    commits[-1] = commits[-1][: chance.randrange(len(commits[-1]))]


def lose(chance: random.Random, commits: list[bytes]) -> None:
    del commits[chance.randrange(len(commits))]


def repeat(chance: random.Random, commits: list[bytes]) -> None:
    which = chance.randrange(len(commits))
    commits.insert(chance.choice((which, chance.randrange(len(commits)))), commits[which])


def swap(chance: random.Random, commits: list[bytes]) -> None:
    which = chance.randrange(1, len(commits))
    commits[which - 1 : which + 1] = reversed(commits[which - 1 : which + 1])


def another_count(chance: random.Random, commits: list[bytes]) -> None:
    """The header says another number of records, or bytes, and the checksum agrees."""
    which = chance.randrange(1, len(commits))
    records = commits[which][HEADER:-4]
    offset, _, n, size = FRAMINGS[1].read(commits[which], 0)
    data = pack_commit_header(offset, 0, (n + chance.choice((-1, 0, 1))) % 65536, (size + chance.choice((-1, 0, 1))) % 2**32)
    commits[which] = data + records + struct.pack("<I", crc32c()(data + records))


def hollow(chance: random.Random, commits: list[bytes]) -> None:
    """A commit without a transaction."""
    which = chance.randrange(1, len(commits))
    commits.insert(which, commit(FRAMINGS[1].read(commits[which], 0)[0], []))


CHANGES: list[Change] = [
    nothing,
    nothing,
    flip,
    flip_in_records,
    flip_in_records,
    cut,
    lose,
    repeat,
    swap,
    another_count,
    hollow,
]


def check_random_logs(directory: Path, seeds: range) -> Counter[str]:
    """Counts how replays ended."""
    ends: Counter[str] = Counter()
    for seed in seeds:
        chance = random.Random(seed)
        log = RandomLog(chance)
        records = log.records(chance.randrange(5, 40))
        commits = log.commits(records)
        chance.choice(CHANGES)(chance, commits)
        place = directory / f"{seed}"
        write_commits(place, commits)
        for mode in MODES:
            read_alike(place, mode=mode, start=chance.choice((0, chance.randrange(len(records)))))
            for at in (None, chance.randrange(len(records))):
                found = alike(place, mode=mode, at=at)
                ends[found[1] if isinstance(found[1], str) else f"state with faults: {bool(found[2])}"] += 1
    return ends


def test_random_logs(tmp_path: Path) -> None:
    ends = check_random_logs(tmp_path, range(40))
    assert {"RowExists", "RowMissing", "Checksum", "OutOfOrder"} <= ends.keys()
    assert ends["state with faults: False"] > 50
    assert ends["state with faults: True"] > 12


@pytest.mark.slow
def test_many_random_logs(tmp_path: Path) -> None:
    ends = check_random_logs(tmp_path, range(1000, 1400))
    assert {"TableNotFound", "NoTransaction", "IncompatibleLayout", "BufferLength", "TornCommit"} <= ends.keys()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["many", "many_zstd", "recovered", "truncate"])
def test_scenarios_with_bytes_changed(tmp_path: Path, scenario: str) -> None:
    chance = random.Random(3)
    files = {path.name: path.read_bytes() for path in (ROOT / scenario).glob("*.stdb.*")}
    segments = [name for name in files if name.endswith(".log")]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for _ in range(40):
        name = chance.choice(segments)
        data = bytearray(files[name][: chance.choice((len(files[name]), chance.randrange(1, len(files[name]))))])
        data[chance.randrange(len(data))] ^= chance.choice((0, 1 << chance.randrange(8)))
        (tmp_path / name).write_bytes(data)
        for mode in MODES:
            alike(tmp_path, mode=mode)
            read_alike(tmp_path, mode=mode)
        (tmp_path / name).write_bytes(files[name])


# What contradicts the rows ----------------------------------------------------------------------------------


CONTRADICTIONS = {
    "a row is there already": (record({PLAIN: [thing(60), thing(0)]}), "RowExists"),
    "a row comes twice": (record({PLAIN: [thing(60), thing(60)]}), "RowExists"),
    "a row is not there": (record(None, {PLAIN: [thing(99)]}), "RowMissing"),
    "a row goes twice": (record(None, {PLAIN: [thing(0), thing(0)]}), "RowMissing"),
    "a row of an event table goes": (record(None, {EVENT: [note(1)]}), "RowMissing"),
    "none: all rows go": (record({NOTES: [note(5)]}, None, [NOTES, PLAIN, NOTES]), None),
}


@pytest.mark.parametrize(("bad", "kind"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
@pytest.mark.parametrize("before", range(4))
def test_a_contradiction_late_in_a_commit(tmp_path: Path, bad: bytes, kind: str | None, before: int) -> None:
    """What the commit has done before it is done once."""
    some = [
        record({PLAIN: [thing(10), thing(11)]}, {NOTES: [note(0)]}),
        record({NOTES: [note(1), note(2)], EVENT: [note(1)]}, {PLAIN: [thing(11)]}, [NOTES]),
        record({NOTES: [note(1), note(2)]}, {NOTES: [note(2)], PLAIN: [thing(10)]}, [EVENT]),
    ][:before]
    first = started()
    log = [*(commit(number, [one]) for number, one in enumerate(first)), commit(len(first), [*some, bad, record()])]
    write_commits(tmp_path, log)
    for mode in MODES:
        found = alike(tmp_path, mode=mode)
        if kind is None:
            assert found[1] == len(first) + before + 2
        else:
            assert (found[1], found[3]) == (kind, len(first) + before)
            assert alike(tmp_path, mode=mode, at=len(first) + before - 1)[1] == len(first) + before


def test_a_table_whose_description_makes_no_sense(tmp_path: Path) -> None:
    """A table with a third column and no second one."""
    described = user_table(5000, "t", bsatn.product(a=t.U8))
    described[2].append(column(5000, 2, "c", t.U8))
    log = write_log(tmp_path, started(record(described), record({5000: [b"\1\1"]}), record({PLAIN: [thing(1)]})))
    assert alike(log)[1] == "InvalidColumns"
    assert [fault.kind for fault in verify(log).faults] == ["InvalidColumns"]


@pytest.mark.parametrize("first", [MAX_TX_OFFSET - 1, MAX_TX_OFFSET])
def test_the_last_transactions_there_can_be(tmp_path: Path, first: int) -> None:
    commits = [commit((first + number) % (1 << 64), [record()]) for number in range(3)]
    write_commits(tmp_path, commits, first=first)
    for mode in MODES:
        alike(tmp_path, mode=mode)
        assert len(read_alike(tmp_path, mode=mode)) > 1
    assert verify(tmp_path).faults


def test_rows_of_st_table_are_all_gone(tmp_path: Path) -> None:
    """Nobody knows the tables then, and their rows are left over."""
    found = alike(write_log(tmp_path, started(record({EVENT: [note(1)]}), record(None, None, [1, 2]), record())))
    assert found[1] == "TableNotFound"


@pytest.mark.parametrize(("count", "kind"), [(0, None), (1, None), (2, "RowExists"), (1 << 20, "BufferLength")])
def test_rows_that_take_no_bytes(tmp_path: Path, count: int, kind: str | None) -> None:
    """A table without columns has one row at most."""
    rows = b"\x20\1" + (5000).to_bytes(4, "little") + write_varint(count) + b"\0\0"
    log = [record(user_table(5000, "t", bsatn.product())), record({5000: [b""]}), record(None, {5000: [b""]}), rows]
    found = alike(write_log(tmp_path, started(*log)))
    assert found[1] == (kind or 9)
    assert verify(tmp_path).transactions == (8 if kind == "BufferLength" else 9)


def test_rows_of_the_system_that_come_again(tmp_path: Path) -> None:
    """That is no error for those that a new database has; all else in the commit is done once."""
    rows = list(bootstrap_rows()[4])
    some = [record({NOTES: [note(1)]}, {4: [rows[0]], NOTES: [note(0)]}), record({4: rows[1:3]}), record({4: rows[:1]})]
    first = started()
    write_commits(tmp_path, [*(commit(number, [one]) for number, one in enumerate(first)), commit(len(first), some)])
    tables = alike(tmp_path)[-1]
    assert [row for row, _ in tables[NOTES][1]] == [note(1)]
    assert [row for row, _ in tables[4][1]] == [*rows[1:], rows[0]]


def test_a_table_becomes_an_event_table_and_the_other_way_round(tmp_path: Path) -> None:
    event = user_table(PLAIN, "thing", THING, event=True)[17]
    emptied = record(None, {PLAIN: [thing(0)]})
    there = [record({17: event}), record({PLAIN: [thing(1)]}), record({PLAIN: [thing(1)]}, None, [PLAIN])]
    back = [
        record(None, {17: event}),
        record({PLAIN: [thing(1)]}),
        record({PLAIN: [thing(2)]}),
        record(None, {PLAIN: [thing(1)]}),
    ]
    for log in ([*there, *back], [emptied, *there, *back], [emptied, *there, *back, record({PLAIN: [thing(2)]})]):
        alike(write_log(tmp_path, started(*log)))
    assert alike(tmp_path)[1] == "RowExists"


# How much of it is native -----------------------------------------------------------------------------------


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BSATN_ENGINE", "native")


def seen(directory: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[int]:
    """The number of transactions of each item that a replay gets to see."""
    found: list[int] = []
    runs = LogReader.runs

    def counted(self: LogReader, stepper: Any) -> Iterator[Any]:
        for item in runs(self, stepper):
            found.append(item.n if isinstance(item, Run) else 1)
            yield item

    monkeypatch.setattr(LogReader, "runs", counted)
    replay(directory, **options)
    return found


def plain(number: int) -> bytes:
    """Two rows come, one of them stays; and an event."""
    inserts = {PLAIN: [thing(number), thing(number + 100)], NOTES: [note(number)], EVENT: [note(0)]}
    return record(inserts, {PLAIN: [thing(number + 100)]}, [NOTES] if number % 3 == 0 else (), Inputs("größer", bytes(56)))


@NATIVE
@pytest.mark.usefixtures("native")
def test_commits_of_plain_rows_are_applied_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write_log(tmp_path, started(*map(plain, range(1, 91))))
    assert seen(log, monkeypatch) == [1, 1, 1, 1, 1, 90]
    state = alike(log)[-1]
    assert [row for row, _ in state[PLAIN][1]] == [thing(number) for number in range(91)]


@NATIVE
@pytest.mark.usefixtures("native")
def test_up_to_a_transaction_amid_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = started()
    commits = [commit(number, [one]) for number, one in enumerate(first)]
    for number in range(4):
        commits.append(commit(len(first) + 3 * number, [plain(3 * number + one) for one in (1, 2, 3)]))
    write_commits(tmp_path, commits)
    with monkeypatch.context() as patch:
        assert seen(tmp_path, patch, at=len(first) + 6) == [*[1] * len(first), 6, 1]
    assert seen(tmp_path, monkeypatch, at=len(first) + 5) == [*[1] * len(first), 6]
    for at in range(len(first) + 12):
        assert alike(tmp_path, at=at)[1] == at + 1
    for at in (-1, -(1 << 70), len(first) + 12, MAX_TX_OFFSET, 1 << 70):
        assert alike(tmp_path, at=at)[1] == "NoTransaction"


@NATIVE
@pytest.mark.usefixtures("native")
def test_behind_what_is_missing_nothing_is_applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commits = [commit(number, [one]) for number, one in enumerate(started(*map(plain, range(1, 31))))]
    bad = len(commits) - 10
    commits[bad] = commits[bad][:-1] + bytes([commits[bad][-1] ^ 1])
    write_commits(tmp_path, commits)
    assert alike(tmp_path, mode="salvage")[1] == bad
    assert seen(tmp_path, monkeypatch, mode="salvage") == [1, 1, 1, 1, 1, bad - 5, 1, 9]  # the damage, and what is behind it


@NATIVE
@pytest.mark.usefixtures("native")
@pytest.mark.parametrize("start", [0, 3])
def test_commits_are_made_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: int) -> None:
    from bsatn._native import frames
    from defs.store.commitlog import framing

    calls: list[int] = []

    def counted(*arguments: Any) -> Any:
        found = frames(*arguments)
        calls.append(len(found))
        return found

    monkeypatch.setattr(framing, "frames", counted)
    monkeypatch.setattr(framing, "_SOME", 20)
    log = write_log(tmp_path, started(*map(plain, range(1, 46))))
    assert len(list(read_commits(log, start=start))) == sum(calls) == 50 - start
    assert calls == [20, 20, 10 - start]


# The engine alone -------------------------------------------------------------------------------------------


class Applying:
    """The native engine with two tables that have rows, and an event table."""

    def __init__(self) -> None:
        from bsatn._native import Commits
        from bsatn.native import NativeEngine

        codec = codec_of_rows(NOTE)
        self.commits = Commits()
        self.rows: dict[int, dict[bytes, Any]] = {
            PLAIN: dict.fromkeys(map(thing, range(20))),
            NOTES: dict.fromkeys(map(note, range(20))),
        }
        for table_id, kind in ((PLAIN, THING), (NOTES, NOTE)):
            codec = codec_of_rows(kind)
            self.commits.learn(table_id, NativeEngine(codec.shape, codec.limits).checker, self.rows[table_id])
        self.commits.learn(EVENT, NativeEngine(codec.shape, codec.limits).checker, None, is_event=True)

    def contents(self) -> dict[int, set[bytes]]:
        return {table_id: set(rows) for table_id, rows in self.rows.items()}

    def apply(self, data: bytes, expected: int = 7, end: int = MAX_TX_OFFSET, at: int = 0, header_size: int = HEADER) -> int:
        found = self.commits.apply(data, at, header_size, expected, end)
        assert 0 <= found.end - at <= max(len(data) - at, 0)
        return found.commits


@NATIVE
def test_a_commit_is_applied_as_a_whole_or_not_at_all() -> None:
    good = [
        record({PLAIN: [thing(30), thing(31)], NOTES: [note(30)]}),
        record(None, {PLAIN: [thing(30)], NOTES: [note(30), note(2)]}, [NOTES, NOTES]),
        record({NOTES: [note(30)], EVENT: [note(30)]}, {PLAIN: [thing(31), thing(1)]}),
        record({PLAIN: [thing(30)]}, {PLAIN: [thing(30), thing(2)]}, [NOTES]),
    ]
    no_more = [record({PLAIN + 10: [thing(1)]}), record() + b"\0", record({PLAIN: [b"\1\2"]}), record(None, None, [EVENT])]
    for bad in [*(one for one, kind in CONTRADICTIONS.values() if kind), *no_more]:
        for count in range(len(good) + 1):
            applying = Applying()
            before = applying.contents()
            assert applying.apply(commit(7, [*good[:count], bad])) == 0
            assert applying.contents() == before
    applying = Applying()
    assert applying.apply(commit(7, good)) == 1
    assert applying.contents() == {PLAIN: {thing(0), *map(thing, range(3, 20))}, NOTES: set()}


@NATIVE
def test_where_it_ends() -> None:
    some = [commit(7, [plain(41), plain(42)]), commit(9, [plain(43)]), commit(10, [plain(44)])]
    assert [Applying().apply(b"".join(some), end=end) for end in (0, 7, 8, 9, 10, 11, MAX_TX_OFFSET)] == [0, 0, 0, 1, 2, 3, 3]
    assert [Applying().apply(b"".join(some), expected=expected) for expected in (6, 8, 9, MAX_TX_OFFSET)] == [0] * 4
    late = commit(MAX_TX_OFFSET - 1, [record()]), commit(MAX_TX_OFFSET, [record()])
    assert Applying().apply(b"".join(late), expected=MAX_TX_OFFSET - 1) == 1


HUGE = [*(1 << shift for shift in (7, 14, 31, 32, 61, 62)), (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


@NATIVE
def test_hostile_counts() -> None:
    """Whatever a count says, nothing is applied, at once."""
    table = PLAIN.to_bytes(4, "little")
    for number in HUGE:
        count = write_varint(number)
        records = [
            b"\x20" + count,
            b"\x20" + count + table + b"\1" + thing(50) + b"\0\0",
            b"\x20\1" + table + count + thing(50) + b"\0\0",
            b"\x20\0\1" + table + count + thing(0) + b"\0",
            b"\x20\0\0" + count + table,
            b"\x20\1" + NOTES.to_bytes(4, "little") + b"\1\0" + ((number - 1) & 0xFFFFFFFF).to_bytes(4, "little") + b"\0\0\0",
            b"\x80" + ((number - 1) & 0xFFFFFFFF).to_bytes(4, "little") + b"\0",
            b"\x40" + b"\xff" + bytes(9),
        ]
        for one in records:
            applying = Applying()
            before = applying.contents()
            assert applying.apply(commit(7, [one])) == 0
            assert applying.contents() == before
    for size in (0, 1, 0xFFFFFFEA, 0xFFFFFFFF):
        data = pack_commit_header(7, 0, 1, size) + record({PLAIN: [thing(50)]})
        assert Applying().apply(data + struct.pack("<I", crc32c()(data))) == 0
    good = commit(7, [plain(50)])
    for at in (1, HEADER, len(good), len(good) + 1, 1 << 31, sys.maxsize, 2 * sys.maxsize + 1):
        assert Applying().commits.apply(good, at, HEADER, 7, MAX_TX_OFFSET).commits == 0
    for header_size in (0, 1, 14, len(good), 1 << 40, sys.maxsize, 2 * sys.maxsize + 1):
        assert Applying().apply(good, header_size=header_size) == 0


@NATIVE
def test_any_bytes() -> None:
    """Mutated records with a right checksum: applied or not, never a panic; and not applied, nothing has changed."""
    chance = random.Random(11)
    some = [plain(41), record({NOTES: [note(60, "größer" * 9)]}, {PLAIN: [thing(3)]}), record(None, None, [NOTES])]
    applied = 0
    for _ in range(2000):
        data = bytearray(b"".join(some))
        for _ in range(chance.choice((1, 1, 2, 8))):
            place = chance.randrange(len(data))
            data[place] = chance.choice((0, 1, 0x20, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        content = bytes(data[: chance.choice((len(data), chance.randrange(len(data))))])
        header = pack_commit_header(7, 0, chance.randrange(5), len(content))
        applying = Applying()
        before = applying.contents()
        found = applying.apply(header + content + struct.pack("<I", crc32c()(header + content)))
        applied += found
        assert found or applying.contents() == before
    assert 50 < applied < 1950


@NATIVE
def test_frames_of_any_bytes() -> None:
    """Commits as they are, up to the first that is not one; never a panic."""
    from bsatn._native import frames
    from defs.store.commitlog.model import Within

    chance = random.Random(4)
    some = [commit(7, [plain(1), plain(2)]), commit(9, [plain(3)]), commit(10, [b"", b""]), commit(12, [plain(4)])]
    good = b"".join(some)
    within = Within("a", 1, HEADER)
    found = frames(good, 0, within, 100, 7, 9)
    starts = [sum(map(len, some[:number])) for number in range(4)]
    assert [(one[0], one[2], one[6], one[7]) for one in found] == [
        (first, n, 100 + start, len(one))
        for first, n, start, one in zip((7, 9, 10, 12), (2, 1, 2, 1), starts, some, strict=True)
    ]
    assert [len(frames(good, 0, within, 100, 7, most)) for most in (0, 1, 4, 5, sys.maxsize)] == [0, 1, 4, 4, 4]
    assert len(frames(good, starts[1], within, MAX_TX_OFFSET, 9, 9)) == 3
    for at in (1, len(good), len(good) + 1, sys.maxsize, 2 * sys.maxsize + 1):
        assert frames(good, at, within, 0, 7, 9) == []
    for header_size in (0, 1, 14, len(good), 1 << 40, sys.maxsize, 2 * sys.maxsize + 1):
        assert frames(good, 0, Within("a", 1, header_size), 0, 7, 9) == []
    for _ in range(2000):
        data = bytearray(good)
        which, place = chance.randrange(4), chance.randrange(HEADER)
        data[starts[which] + place] ^= 1 << chance.randrange(8)
        cut = data[: chance.choice((len(data), chance.randrange(len(data))))]
        assert len(frames(bytes(cut), 0, within, 0, 7, 9)) <= which + (len(cut) <= starts[which] + place)
