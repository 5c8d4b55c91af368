"""Columns in other libraries' hands: who takes them, for how long, how many at once, and how much memory reading them takes."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bsatn.annotations import (
    F32,
    I64,
    U8,
    U16,
    U32,
    U64,
    Bool,
    ScheduleAt,
    String,
    Unit,
    array,
    option,
    plain_enum,
    product,
    sum_,
)
from bsatn.codec import Codec
from bsatn.columns import Columns
from bsatn.engines import Engine, available
from bsatn.types import AlgebraicType
from bsatn.values import Identity, Timestamp, Variant

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed, and is the measure of what others see")

REPOSITORY = Path(__file__).parents[2]
ENGINES = available()

each_engine = pytest.mark.parametrize("engine", ENGINES)
native = pytest.mark.skipif("native" not in ENGINES, reason="the native engine is not built")

PLAYER = product(
    id=U64, name=String, owner=Identity, seen=Timestamp, level=option(U16), tags=array(String), rank=plain_enum("low", "high"),
    action=sum_(wait=U8, stop=Unit), speed=F32, gold=option(I64),
)  # fmt: skip
ROWS = [
    (1, "ann", 5, 7, 3, ["a", "b"], Variant(1), Variant(0, 9), 0.5, None),
    (2, "grün", 6, 1_700_000_000_000_000, None, [], Variant(0), Variant(1), -1.0, -4),
]
DATA = Codec[Any](PLAYER).encode_many(ROWS)


def players(engine: Engine, sums: Any = "struct") -> Columns:
    return Codec[Any](PLAYER, engine=engine).decode_columns(DATA, sums=sums)


# -- who takes them


@each_engine
@pytest.mark.parametrize("sums", ["union", "struct"])
def test_pyarrow_takes_them_in_every_way(sums: str, engine: Engine) -> None:
    columns = players(engine, sums)
    table = pa.table(columns)
    assert pa.Table.from_batches([pa.record_batch(columns)]).equals(table)
    assert pa.RecordBatchReader.from_stream(columns).read_all().equals(table)
    assert pa.schema(columns) == table.schema
    assert table.column("name").to_pylist() == ["ann", "grün"]
    assert pa.table(columns).equals(table)  # they may be given away again


@each_engine
def test_polars_takes_them(engine: Engine) -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    frame = polars.DataFrame(players(engine))
    assert frame["name"].to_list() == ["ann", "grün"]
    assert frame["level"].to_list() == [3, None]
    assert frame["rank"].to_list() == ["high", "low"]
    assert frame["action"].to_list() == [{"tag": "wait", "wait": 9}, {"tag": "stop", "wait": None}]
    assert frame["tags"].to_list() == [["a", "b"], []]
    assert frame["owner"].to_list() == [bytes(31) + b"\5", bytes(31) + b"\6"]
    assert frame["seen"].dt.timestamp("us").to_list() == [7, 1_700_000_000_000_000]


@each_engine
def test_duckdb_takes_them(engine: Engine) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    people = pa.RecordBatchReader.from_stream(players(engine))
    query = "select name, level, rank::varchar, action.wait, len(tags), epoch_us(seen), gold from people order by id"
    with duckdb.connect() as connection:
        connection.register("people", people)
        found = connection.sql(query).fetchall()
    assert found == [("ann", 3, "high", 9, 2, 7, None), ("grün", None, "low", None, 0, 1_700_000_000_000_000, -4)]


@each_engine
def test_duckdb_takes_them_as_they_are(engine: Engine) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    columns = players(engine)
    with duckdb.connect() as connection:
        connection.register("people", columns)
        for _ in range(2):
            assert connection.sql("select sum(id), max(name) from people").fetchall() == [(3, "grün")]


@each_engine
@pytest.mark.parametrize("sums", ["union", "struct"])
def test_nanoarrow_takes_them(sums: str, engine: Engine) -> None:
    nanoarrow = pytest.importorskip("nanoarrow", reason="nanoarrow is not installed")
    columns = players(engine, sums)
    found = nanoarrow.ArrayStream(columns).read_all()
    assert len(found) == 2
    assert pa.table(pa.RecordBatchReader.from_stream(found)).equals(pa.table(columns))
    assert nanoarrow.c_array(columns).length == 2


@each_engine
def test_batches_arrive_one_by_one(engine: Engine) -> None:
    columns = Columns.concat([players(engine), players(engine)])
    assert [batch.num_rows for batch in pa.RecordBatchReader.from_stream(columns)] == [2, 2]


# -- for how long


@each_engine
def test_capsules_outlive_the_columns(engine: Engine) -> None:
    columns = players(engine, "union")
    expected = pa.table(columns)
    schema, array_ = columns.__arrow_c_array__()
    stream = columns.__arrow_c_stream__()
    lone = columns.__arrow_c_schema__()
    del columns
    gc.collect()
    batch = pa.RecordBatch._import_from_c_capsule(schema, array_)
    reader = pa.RecordBatchReader._import_from_c_capsule(stream)
    assert pa.Schema._import_from_c_capsule(lone) == expected.schema
    assert pa.Table.from_batches([batch]).equals(expected)
    assert reader.read_all().equals(expected)


@each_engine
def test_a_capsule_is_taken_once(engine: Engine) -> None:
    columns = players(engine, "union")
    schema, array_ = columns.__arrow_c_array__(None)
    stream = columns.__arrow_c_stream__(None)
    pa.RecordBatch._import_from_c_capsule(schema, array_)
    kept = pa.RecordBatchReader._import_from_c_capsule(stream)
    with pytest.raises(pa.ArrowInvalid, match="released"):
        pa.RecordBatch._import_from_c_capsule(columns.__arrow_c_schema__(), array_)
    with pytest.raises(pa.ArrowInvalid, match="released"):
        pa.RecordBatchReader._import_from_c_capsule(stream)
    assert kept.read_all().num_rows == 2


@each_engine
def test_capsules_may_be_left_alone(engine: Engine) -> None:
    columns = players(engine)
    for _ in range(100):
        columns.__arrow_c_array__()
        columns.__arrow_c_stream__()
        columns.__arrow_c_schema__()
    assert pa.table(columns).num_rows == 2


# -- how many at once


@each_engine
def test_threads_read_at_the_same_time(engine: Engine) -> None:
    codec = Codec[Any](PLAYER, engine=engine)
    data = DATA * (20_000 if engine == "native" else 300)
    expected = pa.table(codec.decode_columns(data))
    found: list[Any] = []

    def read() -> None:
        found.append(pa.table(codec.decode_columns(data)))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one.equals(expected) for one in found)


@native
def test_others_run_while_columns_are_read() -> None:
    data = bytes(13 * 6_000_000)
    codec = Codec(product(x=U64, y=U32, z=Bool), engine="native")
    codec.decode_columns(b"")
    read = threading.Event()
    steps = 0

    def work() -> None:
        codec.decode_columns(data)
        read.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)  # nobody is asked to let go
    try:
        thread = threading.Thread(target=work)
        thread.start()
        while not read.is_set():
            steps += 1
            read.wait(0.0005)
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert steps > 2


# -- how much memory

WEIGHED = {
    "fixed": (product(a=U64, b=U32, c=Bool, d=Identity, e=Timestamp), (1, 2, True, 3, 4)),
    "texts": (product(a=U64, b=String, c=array(String)), (1, "grün" * 4, ["a", "bc" * 9])),
    "nested": (
        product(a=option(U32), b=sum_(x=U64, y=Unit), c=array(product(d=U16, e=option(I64))), f=ScheduleAt),
        (5, Variant(0, 6), [(1, None), (2, 3)], Timestamp(4)),
    ),
}  # fmt: skip

SCALES = """
import sys
from pathlib import Path
from bsatn import AlgebraicType, Codec

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

kind, row, sums = sys.argv[1:]
codec = Codec(Codec(AlgebraicType).decode(bytes.fromhex(kind)), engine="native")
row = bytes.fromhex(row)
codec.decode_columns(row, sums=sums)
data = row * (200_000_000 // len(row))
Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is now
before = peak()
columns = codec.decode_columns(data, sums=sums)
print(peak() - before, columns.nbytes)
"""


@native
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("sums", ["union", "struct"])
@pytest.mark.parametrize("name", WEIGHED)
def test_reading_takes_little_more_memory_than_the_columns(name: str, sums: str) -> None:
    kind, row = WEIGHED[name]
    words = Codec(AlgebraicType).encode(kind).hex(), Codec[Any](kind).encode(row).hex(), sums
    done = subprocess.run([sys.executable, "-c", SCALES, *words], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    peak, size = map(int, done.stdout.split())
    assert peak <= 1.3 * size, f"{peak / size:.3f}"
