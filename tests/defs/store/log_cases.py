"""Logs for tests: the reference's scenarios, and logs made by hand."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from bsatn.codec import Codec
from bsatn.types import AlgebraicType, ProductType
from defs.store.commitlog.layout import crc32c
from defs.store.commitlog.txdata import Inputs, Mutations, RowGroup, Txdata, write_txdata
from defs.system import rows as st
from defs.system.catalog import row_codec
from defs.system.tables import bootstrap_rows

ROOT = Path(__file__).parents[3] / "vectors" / "commitlog"
SCENARIOS = sorted(path.parent.name for path in ROOT.glob("*/expected.json.gz"))
INTACT = [name for name in SCENARIOS if not name.startswith("damaged_")]


@cache
def expected(scenario: str) -> dict[str, Any]:
    """What the engine says of a scenario."""
    with gzip.open(ROOT / scenario / "expected.json.gz", "rt", encoding="utf-8") as file:
        found: dict[str, Any] = json.load(file)
    return found


def user_table(table_id: int, name: str, row_type: ProductType, *, event: bool = False) -> dict[int, list[bytes]]:
    """The rows that describe a table, by system table."""
    described = {st.ST_TABLE_ID: [encoded(st.StTableRow(table_id, name, "user", "public", None))]}
    described[st.ST_COLUMN_ID] = [
        column(table_id, position, element.name or "", element.algebraic_type) for position, element in enumerate(row_type)
    ]
    if event:
        described[st.ST_EVENT_TABLE_ID] = [encoded(st.StEventTableRow(table_id))]
    return described


def column(table_id: int, position: int, name: str, kind: AlgebraicType) -> bytes:
    """A row of `st_column`."""
    return encoded(st.StColumnRow(table_id, position, name, Codec(AlgebraicType).encode(kind)))


def encoded(row: Any) -> bytes:
    """A row of a system table as BSATN."""
    return row_codec(type(row)).encode(row)


def record(
    inserts: dict[int, list[bytes]] | None = None,
    deletes: dict[int, list[bytes]] | None = None,
    truncates: Iterable[int] = (),
    inputs: Inputs | None = None,
) -> bytes:
    """A record, tables in ascending order as the server writes them."""

    def groups(rows: dict[int, list[bytes]] | None) -> tuple[RowGroup, ...]:
        return tuple(RowGroup(table_id, tuple(group)) for table_id, group in sorted((rows or {}).items()))

    return write_txdata(Txdata(inputs, None, Mutations(groups(inserts), groups(deletes), tuple(truncates))))


def bootstrap() -> bytes:
    """The record of transaction 0."""
    return record({table_id: list(rows) for table_id, rows in bootstrap_rows().items()})


def write_log(directory: Path, records: Iterable[bytes], first: int = 0) -> Path:
    """A log with one segment and one record a commit, checksums right."""
    directory.mkdir(parents=True, exist_ok=True)
    data = bytearray.fromhex("286473295e32") + bytes([1, 0, 0, 0])
    for offset, content in enumerate(records, first):
        commit = struct.pack("<QQHI", offset, 0, 1, len(content)) + content
        data += commit + struct.pack("<I", crc32c()(commit))
    (directory / f"{first:020}.stdb.log").write_bytes(data)
    return directory


def records_of(scenario: str) -> list[bytes]:
    """The records of a scenario's log, one a transaction."""
    from defs.store.commitlog import Commit, read_commits

    found = []
    for commit in read_commits(ROOT / scenario):
        assert isinstance(commit, Commit)
        assert commit.n == 1
        found.append(bytes(commit.records))
    return found


def changed(content: bytes, change: Callable[[bytearray], object]) -> bytes:
    """The bytes with a change made in place."""
    data = bytearray(content)
    change(data)
    return bytes(data)
