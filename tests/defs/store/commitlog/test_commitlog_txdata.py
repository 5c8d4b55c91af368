"""Records: all of those in the vectors, any that hypothesis can think of, and bytes that are none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsatn.errors import BsatnError, DecodeError, EncodeError
from defs.store.commitlog.txdata import (
    Inputs,
    Mutations,
    RowGroup,
    Txdata,
    read_txdata,
    read_varint,
    write_txdata,
    write_varint,
)

sys.path.insert(0, str(Path(__file__).parent))

from commitlog_cases import SCENARIOS, VECTORS, commits, expected


class KnownRows:
    """Reads the rows that it is told come next, and checks that it is asked for them in file order."""

    def __init__(self, inserts: list[RowGroup], deletes: list[RowGroup]) -> None:
        self.groups = [*(("insert", group) for group in inserts), *(("delete", group) for group in deletes)]

    def _next(self, what: str, table_id: int, buffer: Any, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
        expected_what, group = self.groups.pop(0)
        assert (what, table_id, count) == (expected_what, group.table_id, len(group.rows))
        for row in group.rows:
            assert buffer[position : position + len(row)] == row
            position += len(row)
        return group.rows, position

    def insert(self, table_id: int, buffer: Any, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
        return self._next("insert", table_id, buffer, position, count)

    def delete(self, table_id: int, buffer: Any, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
        return self._next("delete", table_id, buffer, position, count)


class FixedRows:
    """Rows of so many bytes each."""

    def __init__(self, size: int) -> None:
        self.size = size

    def insert(self, table_id: int, buffer: Any, position: int, count: int) -> tuple[tuple[bytes, ...], int]:
        end = position + self.size * count
        if end > len(buffer):
            raise DecodeError("Other", text="rows")
        return tuple(bytes(buffer[at : at + self.size]) for at in range(position, end, self.size or 1))[:count], end

    delete = insert


def groups(told: list[Any]) -> list[RowGroup]:
    return [RowGroup(group["table_id"], tuple(bytes.fromhex(row["bsatn"]) for row in group["rows"])) for group in told]


@pytest.mark.parametrize("scenario", [name for name in SCENARIOS if "txs" in expected(name)["commits"][0]])
def test_every_record_of_the_vectors(scenario: str) -> None:
    seen = 0
    for commit, told in zip(commits(VECTORS / scenario), expected(scenario)["commits"], strict=True):
        position = 0
        for tx in told.get("txs", ()):
            assert position == tx["record_offset"]
            inserts, deletes = groups(tx["inserts"]), groups(tx["deletes"])
            txdata, end = read_txdata(commit.records, position, KnownRows(inserts, deletes))
            assert end - position == tx["record_len"]
            assert txdata.mutations == Mutations(
                tuple(inserts), tuple(deletes), tuple(one["table_id"] for one in tx["truncates"])
            )
            assert txdata.outputs is None
            check_inputs(txdata.inputs, tx["inputs"])
            assert write_txdata(txdata) == commit.records[position:end]
            position = end
            seen += 1
    assert seen


def check_inputs(inputs: Inputs | None, told: Any) -> None:
    if told is None:
        assert inputs is None
        return
    assert inputs is not None
    assert inputs.reducer_name == told["reducer_name"]
    assert inputs.reducer_args.hex() == told["reducer_args_hex"]
    assert inputs.caller_identity is not None
    assert inputs.caller_identity.hex() == told["caller_identity"]
    assert inputs.caller_connection_id is not None
    assert inputs.caller_connection_id.hex() == told["caller_connection_id"]
    assert inputs.timestamp == told["timestamp_micros"]
    assert inputs.args is not None
    assert inputs.args.hex() == told["arg_bsatn_hex"]


def test_a_call_that_is_too_short_has_no_parts() -> None:
    short = Inputs("r", bytes(55))
    assert (short.caller_identity, short.caller_connection_id, short.timestamp, short.args) == (None, None, None, None)
    assert Inputs("r", bytes(56)).args == b""


U32 = st.integers(0, (1 << 32) - 1)


@st.composite
def txdatas(draw: st.DrawFn) -> tuple[Txdata, int]:
    size = draw(st.integers(1, 5))
    group = st.builds(RowGroup, U32, st.lists(st.binary(min_size=size, max_size=size), max_size=200).map(tuple))
    mutations = st.builds(
        Mutations,
        st.lists(group, max_size=4).map(tuple),
        st.lists(group, max_size=4).map(tuple),
        st.lists(U32, max_size=4).map(tuple),
    )
    name = st.text(max_size=300).filter(lambda text: len(text.encode()) <= 255)
    inputs = st.builds(Inputs, name, st.binary(max_size=80))
    made = st.builds(Txdata, st.none() | inputs, st.none() | st.binary(max_size=255), st.none() | mutations)
    return draw(made), size


@given(txdatas(), st.binary(max_size=3), st.binary(max_size=3))
def test_round_trip(made: tuple[Txdata, int], before: bytes, after: bytes) -> None:
    txdata, size = made
    written = write_txdata(txdata)
    for buffer in (before + written + after, memoryview(before + written + after)):
        assert read_txdata(buffer, len(before), FixedRows(size)) == (txdata, len(before) + len(written))


@given(txdatas())
def test_cut_records_are_refused(made: tuple[Txdata, int]) -> None:
    txdata, size = made
    written = write_txdata(txdata)
    for end in range(max(len(written) - 40, 0), len(written)):
        with pytest.raises(DecodeError):
            read_txdata(written[:end], 0, FixedRows(size))


@given(st.binary(max_size=60), st.integers(0, 3))
def test_any_bytes(data: bytes, size: int) -> None:
    try:
        txdata, end = read_txdata(data, 0, FixedRows(size))
    except DecodeError:
        return
    assert 0 < end <= len(data)
    again = write_txdata(txdata)
    assert read_txdata(again, 0, FixedRows(size)) == (txdata, len(again))


@given(st.integers(0, (1 << 64) - 1))
def test_varint_round_trip(value: int) -> None:
    written = write_varint(value)
    assert read_varint(written, 0) == (value, len(written))
    assert len(written) == max(1, -(-value.bit_length() // 7))
    padded = written[:-1] + bytes([written[-1] | 0x80]) + b"\x00"
    if len(padded) <= 10:
        assert read_varint(b"?" + padded, 1) == (value, len(padded) + 1)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9 + b"\x02", b"\x80" * 10 + b"\x01"])
def test_bad_varints(data: bytes) -> None:
    with pytest.raises(DecodeError):
        read_varint(data, 0)


BOMBS = {
    "groups": "20 ffffffffffffffffff01",
    "groups, few too many": "20 02 00100000 00",
    "rows": "20 01 00100000 ffffffffffffffffff01",
    "rows of nothing": "20 01 00100000 80808010",
    "truncates": "20 00 00 ffffffffffffffffff01",
    "inputs": "80 ffffffff 00",
    "no room for a name's length": "80 00000000",
    "name": "80 02000000 05 61",
    "name that is no text": "80 02000000 01 ff",
    "outputs": "40 ff 00",
    "nothing": "",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_txdata(bytes.fromhex(BOMBS[name]), 0, FixedRows(0))
    assert caught.value.offset is not None


def test_bits_that_mean_nothing_are_ignored() -> None:
    assert read_txdata(b"\x1f", 0, FixedRows(1)) == (Txdata(), 1)


@pytest.mark.parametrize(
    ("txdata", "kind"),
    [
        (Txdata(Inputs("é" * 128, b"")), "TooLong"),
        (Txdata(Inputs("\ud800", b"")), "InvalidUtf8"),
        (Txdata(outputs=bytes(256)), "TooLong"),
        (Txdata(mutations=Mutations(truncates=(1 << 32,))), "OutOfRange"),
        (Txdata(mutations=Mutations((RowGroup(-1, ()),))), "OutOfRange"),
    ],
)
def test_what_cannot_be_written(txdata: Txdata, kind: str) -> None:
    with pytest.raises(EncodeError) as caught:
        write_txdata(txdata)
    assert caught.value.kind == kind
    assert isinstance(caught.value, BsatnError)
