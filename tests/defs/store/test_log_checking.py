"""Reading a log the fast way finds what reading it with all care finds; a check takes the bytes that the codec takes."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as hs

import bsatn
from bsatn import engines, strategies
from bsatn import types as t
from bsatn.codec import Codec
from bsatn.codegen.runtime import Unsure
from bsatn.engines import Engine, available
from bsatn.errors import DecodeError
from bsatn.types import ProductType
from defs.store import reading
from defs.store.checking import checker
from defs.store.commitlog.txdata import Inputs
from defs.store.reading import BadRecord, Fault, LogReader, Mode, Transaction, read_transactions
from defs.store.state import codec_of_rows
from defs.store.verifying import verify
from defs.system import rows as st

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import ROOT, SCENARIOS, bootstrap, record, user_table, write_log

CAREFUL = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large], deadline=None
)
ROW = bsatn.product(id=t.U64, ok=t.BOOL, text=t.STRING, maybe=t.option_type(t.U32), many=t.ArrayType(t.U16))
FLAT = bsatn.product(id=t.U64, level=t.F32)
CALL = Inputs("größer", bytes(56))


# Checks -----------------------------------------------------------------------------------------------------


def end_by_codec(codec: Codec[Any], data: bytes, count: int) -> int | None:
    position = 0
    for _ in range(count):
        try:
            _, position = codec.decode_from(data, position)
        except DecodeError:
            return None
    return position


def end_by_check(codec: Codec[Any], data: bytes, count: int) -> int | None:
    check = checker(codec)
    assert check is not None
    try:
        end = check(data, 0, count)
    except Exception:  # noqa: BLE001 - whatever it raises means the same
        return None
    return end if end <= len(data) else None


@CAREFUL
@given(hs.lists(strategies.algebraic_types(2), min_size=1, max_size=4), hs.data())
def test_a_check_agrees_with_the_codec(columns: Any, data: hs.DataObject) -> None:
    kind = bsatn.product(**{f"c{index}": column for index, column in enumerate(columns)})
    codec = codec_of_rows(kind)
    if checker(codec) is None:
        return
    try:
        good = codec.encode_many([data.draw(strategies.values(codec.shape)) for _ in range(2)])
    except bsatn.BsatnError:
        return
    bad = bytearray(good)
    for _ in range(data.draw(hs.integers(0, 2)) if good else 0):
        bad[data.draw(hs.integers(0, len(good) - 1))] = data.draw(hs.integers(0, 255))
    cut = good[: data.draw(hs.integers(0, len(good)))]
    for content in (good, bytes(bad), cut):
        for count in (1, 2, 3):
            assert end_by_check(codec, content, count) == end_by_codec(codec, content, count)


@pytest.mark.parametrize(
    ("kind", "is_written"),
    [
        (ROW, True),
        (FLAT, True),
        (bsatn.product(a=t.ArrayType(ROW)), True),
        (bsatn.product(a=t.ArrayType(t.UNIT)), False),
        (bsatn.product(), False),
    ],
)
def test_which_types_have_a_check(kind: ProductType, is_written: bool) -> None:
    assert (checker(codec_of_rows(kind)) is not None) is is_written


def test_every_byte_of_a_row_matters_to_the_check_as_to_the_codec() -> None:
    codec = codec_of_rows(ROW)
    good = codec.encode((7, True, "größer", 5, [1, 2]))
    for place in range(len(good)):
        for value in range(256):
            bad = good[:place] + bytes([value]) + good[place + 1 :]
            assert end_by_check(codec, bad, 1) == end_by_codec(codec, bad, 1), (place, value)


# Records ----------------------------------------------------------------------------------------------------


@contextmanager
def only_careful() -> Iterator[None]:
    """The fast way always gives up."""

    def give_up(*_: object) -> Any:
        raise Unsure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "scan", give_up)
        yield


def faults_and_counts(directory: Path, mode: Mode) -> list[Any]:
    def told(item: object) -> object:
        if isinstance(item, Transaction):
            return sum(len(group.rows) for group in (*item.inserts, *item.deletes))
        return item

    return [told(item) for item in read_transactions(directory, mode=mode)]


class Totals(NamedTuple):
    """What a log comes to, and what its reader knows afterwards."""

    transactions: int
    rows: int
    faults: list[Fault]
    commits: int
    bytes: int
    next: int


def totals(directory: Path, mode: Mode, engine: Engine) -> Totals:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BSATN_ENGINE", engine)
        reader = LogReader(directory, mode)
        found = list(reader.row_totals())
    numbers = [item for item in found if isinstance(item, tuple)]
    faults = [item for item in found if not isinstance(item, tuple)]
    transactions, rows = (sum(pair[place] for pair in numbers) for place in (0, 1))
    return Totals(transactions, rows, faults, reader.commits, reader.bytes, reader.next)


def compare_totals(directory: Path, mode: Mode) -> Totals:
    """All engines come to the same; that of the last."""
    *others, found = [totals(directory, mode, engine) for engine in available()]
    assert all(other == found for other in others)
    return found


def compare(directory: Path, mode: Mode = "strict") -> list[Any]:
    fast, counts = list(read_transactions(directory, mode=mode)), list(LogReader(directory, mode).row_counts())
    told = faults_and_counts(directory, mode)
    with only_careful():
        assert list(read_transactions(directory, mode=mode)) == fast
        assert list(LogReader(directory, mode).row_counts()) == counts == told
    rows = [item for item in counts if isinstance(item, int)]
    faults = [item for item in counts if not isinstance(item, int)]
    assert compare_totals(directory, mode)[:3] == (len(rows), sum(rows), faults)
    return fast


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("mode", ["strict", "salvage", "upstream"])
def test_the_scenarios_read_alike(scenario: str, mode: Mode) -> None:
    compare(ROOT / scenario, mode)


def described() -> list[bytes]:
    first = record({key: [*rows, *user_table(4097, "flat", FLAT)[key]] for key, rows in user_table(4096, "rows", ROW).items()})
    return [bootstrap(), first]


def contents() -> bytes:
    some = [codec_of_rows(ROW).encode((number, True, "ü" * number, None, [number])) for number in range(200)]
    flat = [codec_of_rows(FLAT).encode((number, 1.5)) for number in range(3)]
    return record({4096: some, 4097: flat}, {4096: some[:2]}, inputs=CALL)


def test_groups_of_many_rows_are_read_the_fast_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write_log(tmp_path / "log", [*described(), contents()])
    *_, last = compare(log)
    assert isinstance(last, Transaction)
    assert last.inputs == CALL
    assert [len(group.rows) for group in (*last.inserts, *last.deletes)] == [200, 3, 2]
    careful: list[object] = []
    read = LogReader._read

    def counted(self: LogReader, *rest: Any) -> Any:
        careful.append(rest)
        return read(self, *rest)

    monkeypatch.setattr(LogReader, "_read", counted)
    found = verify(log)
    assert (found.transactions, found.faults, len(careful)) == (3, [], 2)


def test_damaged_records_read_alike(tmp_path: Path) -> None:
    good = contents()
    choose = random.Random(5)
    faults = 0
    for number in range(40):
        bad = bytearray(good[: choose.choice([len(good), choose.randrange(1, len(good))])])
        bad[choose.randrange(min(len(bad), 200))] = choose.randrange(256)
        found = compare(write_log(tmp_path / f"{number}", [*described(), bytes(bad), good]))
        faults += isinstance(found[-1], BadRecord)
    assert 10 < faults < 40


NAMED = bytes([0x80]) + (8).to_bytes(4, "little")  #: inputs of eight bytes


@pytest.mark.parametrize(
    "bad",
    [
        NAMED + b"\x02\xff\xff" + bytes(5),
        NAMED + b"\x09" + bytes(20),
        NAMED + b"\x02ab" + bytes(2),
        bytes([0x40, 3, 1, 1]),
        record({4097: [codec_of_rows(FLAT).encode((1, 1.5))]})[:-3],
    ],
    ids=["name is no text", "name longer than the inputs", "inputs cut off", "outputs cut off", "row cut off"],
)
@pytest.mark.parametrize("mode", ["strict", "upstream"])
def test_records_that_end_wrong_read_alike(tmp_path: Path, bad: bytes, mode: Mode) -> None:
    *_, last = compare(write_log(tmp_path / "log", [*described(), bad]), mode)
    assert isinstance(last, BadRecord)


def test_bytes_after_the_last_record_are_seen(tmp_path: Path) -> None:
    *_, last = compare(write_log(tmp_path / "log", [*described(), plain(1), plain(2) + b"\0", plain(3)]))
    assert isinstance(last, BadRecord)
    assert last.kind == "TrailingBytes"


def test_a_table_that_changes_is_read_anew(tmp_path: Path) -> None:
    """What was made for a table's rows goes when the log describes the table otherwise."""
    wider = bsatn.product(id=t.U64, level=t.F32, more=t.U8)
    flat, wide = codec_of_rows(FLAT).encode((1, 2.0)), codec_of_rows(wider).encode((1, 2.0, 3))
    change = record({st.ST_COLUMN_ID: user_table(4097, "flat", wider)[st.ST_COLUMN_ID][2:]})
    found = compare(write_log(tmp_path / "log", [*described(), record({4097: [flat]}), change, record({4097: [wide]})]))
    assert [item.inserts[0].values for item in found[-3::2]] == [((1, 2.0),), ((1, 2.0, 3),)]


# Commits ----------------------------------------------------------------------------------------------------


def plain(number: int) -> bytes:
    rows = [
        codec_of_rows(ROW).encode((number, False, "a", 1, [2])),
        codec_of_rows(ROW).encode((number + 1, True, "", None, [])),
    ]
    return record({4096: rows, 4097: [codec_of_rows(FLAT).encode((number, 0.5))]}, {4096: rows[:1]}, inputs=CALL)


def test_commits_that_need_no_care_are_stepped_over(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log", [*described(), *map(plain, range(50))])
    assert compare_totals(log, "strict").transactions == len(compare(log)) == 52
    if engines.engine() == "native":
        found = list(LogReader(log).row_totals())
        assert [item[0] for item in found if isinstance(item, tuple)] == [1, 1, 50]


@pytest.mark.parametrize("mode", ["strict", "salvage"])
def test_a_log_with_any_byte_changed_comes_to_the_same(tmp_path: Path, mode: Mode) -> None:
    log = write_log(tmp_path / "log", [*described(), *map(plain, range(3)), contents()[:300], *map(plain, range(3))])
    (segment,) = log.glob("*.stdb.log")
    good, choose = segment.read_bytes(), random.Random(9)
    faults: set[str] = set()
    for place in [*range(60), *choose.sample(range(60, len(good)), 60)]:
        segment.write_bytes(good[:place] + bytes([good[place] ^ 1 << choose.randrange(8)]) + good[place + 1 :])
        faults |= {fault.kind for fault in compare_totals(log, mode).faults}
    for cut in choose.sample(range(len(good)), 40):
        segment.write_bytes(good[:cut])
        compare_totals(log, mode)
    assert faults >= {"Checksum", "Magic", "Version"}
