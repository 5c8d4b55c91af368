"""Websocket messages: the published bytes, every message there and back, and frames that lie."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import re
import sys
import tracemalloc
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bsatn
from bsatn.errors import BsatnError, DecodeError, LimitExceeded
from bsatn.records import shape_of
from bsatn.shapes import Sum
from bsatn.strategies import values
from defs.store.messages import (
    BsatnRowList,
    Compression,
    FixedSize,
    Protocol,
    RowOffsets,
    compressed_update,
    decode_client,
    decode_server,
    encode_client,
    encode_server,
    query_update,
    v1,
    v2,
)
from defs.store.messages.rowlist import RowSizeHint

EV, SET = "ev", v2.QuerySetId(7)
EMPTY = BsatnRowList.of([])
ONE_TWO = BsatnRowList.of([bytes.fromhex("01000000"), bytes.fromhex("02000000")])


def update(rows: v2.TableUpdateRows) -> v2.TransactionUpdate:
    return v2.TransactionUpdate((v2.QuerySetUpdate(SET, (v2.TableUpdate(EV, (rows,)),)),))


def of(kind: Any) -> bsatn.Codec[Any]:
    return bsatn.Codec(kind)


#: What the published crate writes. (spec: event-tables 5.3)
VECTORS: list[tuple[str, Any, Any, str]] = [
    ("two numbers", BsatnRowList, ONE_TWO, "000400080000000100000002000000"),
    (
        "two strings",
        BsatnRowList,
        BsatnRowList.of([bytes.fromhex("0100000061"), bytes.fromhex("020000006263")]),
        "0102000000000000000000000005000000000000000b0000000100000061020000006263",
    ),
    ("no rows", BsatnRowList, EMPTY, "010000000000000000"),
    (
        "events",
        v2.ServerMessage,
        update(v2.EventTable(ONE_TWO)),
        "040100000007000000010000000200000065760100000001000400080000000100000002000000",
    ),
    (
        "inserts",
        v2.ServerMessage,
        update(v2.PersistentTable(ONE_TWO, EMPTY)),
        "040100000007000000010000000200000065760100000000000400080000000100000002000000010000000000000000",
    ),
    (
        "subscribe",
        v2.ClientMessage,
        v2.Subscribe(1, SET, ("SELECT * FROM ev",)),
        "000100000007000000010000001000000053454c454354202a2046524f4d206576",
    ),
    (
        "unsubscribe",
        v2.ClientMessage,
        v2.Unsubscribe(1, SET, v2.UnsubscribeFlags.SendDroppedRows),
        "01010000000700000001",
    ),
    ("refused", v2.ServerMessage, v2.SubscriptionError(1, SET, "x"), "030001000000070000000100000078"),
    ("one-off", v2.ServerMessage, v2.OneOffQueryResult(1, v2.QueryErr("x")), "0501000000010100000078"),
    (
        "reducer",
        v2.ServerMessage,
        v2.ReducerResult(1, bsatn.Timestamp(2), v2.ReducerOkEmpty()),
        "0601000000020000000000000001",
    ),
]


@pytest.mark.parametrize(("kind", "value", "data"), [row[1:] for row in VECTORS], ids=[row[0] for row in VECTORS])
def test_published_bytes(kind: Any, value: Any, data: str) -> None:
    assert of(kind).encode(value).hex() == data
    assert of(kind).decode(bytes.fromhex(data)) == value


def test_the_page_has_the_same_examples() -> None:
    page = (Path(__file__).parents[4] / "docs" / "event-tables.md").read_text("utf-8")
    section = page[page.index("### 5.3 ") : page.index("### 5.4 ")]
    assert re.findall(r"\| `([0-9a-f]+)` \|$", section, re.MULTILINE) == [data for *_, data in VECTORS]


#: The variants in the order of their tags. (spec: event-tables 5.1, 5.2)
TAGS: list[tuple[Any, str]] = [
    (v2.ClientMessage, "Subscribe Unsubscribe OneOffQuery CallReducer CallProcedure SubscribeBatch"),
    (
        v2.ServerMessage,
        "InitialConnection SubscribeApplied UnsubscribeApplied SubscriptionError TransactionUpdate OneOffQueryResult "
        "ReducerResult ProcedureResult SubscribeBatchApplied",
    ),
    (v2.TableUpdateRows, "PersistentTable EventTable"),
    (v2.ReducerOutcome, "Ok OkEmpty Err InternalError"),
    (v2.ProcedureStatus, "Returned InternalError"),
    (v2.QueryResult, "ok err"),
    (v2.BatchOutcome, "Applied Error"),
    (RowSizeHint, "FixedSize RowOffsets"),
    (
        v1.ClientMessage,
        "CallReducer Subscribe OneOffQuery SubscribeSingle SubscribeMulti Unsubscribe UnsubscribeMulti CallProcedure",
    ),
    (
        v1.ServerMessage,
        "InitialSubscription TransactionUpdate TransactionUpdateLight IdentityToken OneOffQueryResponse SubscribeApplied "
        "UnsubscribeApplied SubscriptionError SubscribeMultiApplied UnsubscribeMultiApplied ProcedureResult",
    ),
    (v1.CompressableQueryUpdate, "Uncompressed Brotli Gzip"),
    (v1.UpdateStatus, "Committed Failed OutOfEnergy"),
]


@pytest.mark.parametrize(("kind", "names"), TAGS)
def test_variants_stand_in_the_order_of_their_tags(kind: Any, names: str) -> None:
    shape = shape_of(kind)
    assert isinstance(shape, Sum)
    assert list(shape.names) == names.split()


#: The fields of every message, in wire order. (spec: event-tables 5.1, 5.2)
FIELDS: list[tuple[Any, str]] = [
    (v2.SubscribeApplied, "request_id query_set_id rows"),
    (v2.CallReducer, "request_id flags reducer args"),
    (v2.CallProcedure, "request_id flags procedure args"),
    (v2.SubscribeBatch, "request_id sets"),
    (v2.QuerySetQueries, "query_set_id query_strings"),
    (v2.InitialConnection, "identity connection_id token"),
    (v2.ProcedureResult, "status timestamp total_host_execution_duration request_id"),
    (v2.SubscribeBatchApplied, "request_id results"),
    (v2.BatchResult, "query_set_id outcome"),
    (v2.ReducerOk, "ret_value transaction_update"),
    (v2.PersistentTable, "inserts deletes"),
    (v1.QueryUpdate, "deletes inserts"),
    (v1.TableUpdate, "table_id table_name num_rows updates"),
    (v1.CallReducer, "reducer args request_id flags"),
    (v1.OneOffQuery, "message_id query_string"),
    (v1.SubscribeSingle, "query request_id query_id"),
    (v1.SubscribeMulti, "query_strings request_id query_id"),
    (v1.SubscriptionError, "total_host_execution_duration_micros request_id query_id table_id error"),
]


@pytest.mark.parametrize(("kind", "names"), FIELDS)
def test_fields_stand_in_wire_order(kind: Any, names: str) -> None:
    assert [field.name for field in dataclasses.fields(kind)] == names.split()


def test_the_v1_answer_to_an_event_query() -> None:
    message = v1.SubscriptionError(1, 2, 3, None, "x")
    assert encode_server(
        message, protocol="v1"
    ).hex() == "00" + "07" + "0100000000000000" + "0002000000" + "0003000000" + "01" + ("0100000078")


# Row lists ------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.binary(max_size=5), max_size=8)
    | st.integers(0, 4).flatmap(lambda n: st.lists(st.binary(min_size=n, max_size=n)))
)
def test_rows_come_out_as_they_went_in(rows: list[bytes]) -> None:
    made = BsatnRowList.of(rows)
    assert made.rows() == tuple(rows)
    assert len(made) == len(rows)
    same = len({len(row) for row in rows}) == 1 and len(rows[0]) > 0
    assert isinstance(made.size_hint, FixedSize) == same
    assert of(BsatnRowList).decode(of(BsatnRowList).encode(made)) == made


def test_rows_too_long_for_a_fixed_size_have_offsets() -> None:
    assert BsatnRowList.of([bytes(65535)] * 2).size_hint == FixedSize(65535)
    assert BsatnRowList.of([bytes(65536)] * 2).size_hint == RowOffsets((0, 65536))


#: A row list that lies, the kind of error, the path below the list, and how far after its first byte.
LIES: list[tuple[BsatnRowList, str, tuple[str | int, ...], int]] = [
    (BsatnRowList(FixedSize(4), bytes(6)), "InvalidRowSize", ("size_hint", "size"), 1),
    (BsatnRowList(FixedSize(0), bytes(6)), "InvalidRowSize", ("size_hint", "size"), 1),
    (BsatnRowList(FixedSize(0), b""), "InvalidRowSize", ("size_hint", "size"), 1),
    (BsatnRowList(RowOffsets((0, 7)), bytes(6)), "InvalidRowOffset", ("size_hint", "offsets", 1), 13),
    (BsatnRowList(RowOffsets((0, 4, 2)), bytes(6)), "InvalidRowOffset", ("size_hint", "offsets", 2), 21),
    (BsatnRowList(RowOffsets((1, 4)), bytes(6)), "InvalidRowOffset", ("size_hint", "offsets", 0), 5),
    (BsatnRowList(RowOffsets((0, (1 << 64) - 1)), bytes(6)), "InvalidRowOffset", ("size_hint", "offsets", 1), 13),
    (BsatnRowList(RowOffsets(()), bytes(6)), "TrailingBytes", ("rows_data",), 5),
]


@pytest.mark.parametrize(("rows", "kind", "path", "after"), LIES)
def test_lists_that_lie_are_refused_with_their_place(
    rows: BsatnRowList, kind: str, path: tuple[str | int, ...], after: int
) -> None:
    with pytest.raises(DecodeError) as alone:
        rows.rows()
    assert (alone.value.kind, alone.value.path) == (kind, path)
    fine = update(v2.PersistentTable(ONE_TWO, EMPTY))
    bad = update(v2.PersistentTable(ONE_TWO, rows))
    frame = encode_server(fine, bad, protocol="v3")
    with pytest.raises(DecodeError) as caught:
        decode_server(frame, protocol="v3")
    assert caught.value.kind == kind
    assert caught.value.path == ("query_sets", 0, "tables", 0, "rows", 0, "deletes", *path)
    assert caught.value.offset == len(frame) - len(of(BsatnRowList).encode(rows)) + after


def test_lists_of_version_1_are_checked_too() -> None:
    lie = v1.QueryUpdate(BsatnRowList(FixedSize(4), bytes(6)), EMPTY)
    message = v1.TransactionUpdateLight(1, v1.DatabaseUpdate((v1.TableUpdate(1, "t", 1, (v1.Uncompressed(lie),)),)))
    with pytest.raises(DecodeError) as caught:
        decode_server(encode_server(message, protocol="v1"), protocol="v1")
    assert caught.value.path[:4] == ("update", "tables", 0, "updates")
    with pytest.raises(DecodeError):
        query_update(compressed_update(lie, Compression.GZIP, threshold=0))


# Frames ---------------------------------------------------------------------------------------------------------


def honest(message: Any) -> Any:
    """The message, with row lists that hold what they say."""
    if isinstance(message, BsatnRowList):
        return BsatnRowList.of([message.rows_data] * 2)
    if isinstance(message, tuple):
        return tuple(map(honest, message))
    if dataclasses.is_dataclass(message) and not isinstance(message, type):
        return type(message)(*(honest(getattr(message, field.name)) for field in dataclasses.fields(message)))
    return message


SIDES: list[tuple[Any, Protocol, bool]] = [
    (v1.ClientMessage, "v1", False),
    (v1.ServerMessage, "v1", True),
    (v2.ClientMessage, "v2", False),
    (v2.ServerMessage, "v2", True),
]


@pytest.mark.parametrize(("kind", "protocol", "by_server"), SIDES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_message_comes_back(kind: Any, protocol: Protocol, by_server: bool, data: st.DataObject) -> None:
    message = honest(data.draw(values(shape_of(kind))))
    if by_server:
        how = data.draw(st.sampled_from([Compression.NONE, Compression.GZIP]))
        frame = encode_server(message, protocol=protocol, compression=how, threshold=data.draw(st.sampled_from([0, 1024])))
        assert decode_server(frame, protocol=protocol) == (message,)
    else:
        assert decode_client(encode_client(message, protocol=protocol), protocol=protocol) == (message,)


@given(st.lists(st.sampled_from([row[2] for row in VECTORS if row[1] is v2.ServerMessage]), min_size=1, max_size=4))
def test_version_3_has_several_messages_to_a_frame(messages: list[Any]) -> None:
    frame = encode_server(*messages, protocol="v3", compression=Compression.GZIP, threshold=0)
    assert decode_server(frame, protocol="v3") == tuple(messages)
    if len(messages) > 1:
        with pytest.raises(ValueError, match="one message"):
            encode_server(*messages, protocol="v2")
        with pytest.raises(DecodeError) as caught:
            decode_server(frame, protocol="v2")
        assert caught.value.kind == "TrailingBytes"


def test_no_frame_is_empty() -> None:
    with pytest.raises(ValueError, match="not 0"):
        encode_client(protocol="v3")
    for decode in (decode_client, decode_server):
        with pytest.raises(DecodeError):
            decode(b"", protocol="v3")
    with pytest.raises(DecodeError):
        decode_server(b"\0", protocol="v3")


def test_only_long_messages_are_compressed() -> None:
    def frame(length: int) -> bytes:
        return encode_server(v2.SubscriptionError(None, SET, "x" * length), compression=Compression.GZIP)

    header = len(frame(0)) - 1
    assert frame(1024 - header)[0] == Compression.NONE
    assert frame(1025 - header)[0] == Compression.GZIP
    assert len(frame(5000)) < 200


FRAME = encode_server(update(v2.EventTable(BsatnRowList.of([b"a" * 40, b"b" * 50]))), compression=Compression.GZIP, threshold=0)


@pytest.mark.parametrize(
    ("frame", "kind", "offset"),
    [
        (b"\x03\x00", "InvalidTag", 0),
        (b"\x02", "InvalidCompression", 1),
        (b"\x02not gzip", "InvalidCompression", 1),
        (FRAME[:-1], "InvalidCompression", 1),
        (FRAME + b"\0", "TrailingBytes", len(FRAME)),
        (b"\x00\x04\x01", "BufferLength", 2),
        (b"\x00\x63", "InvalidTag", 1),
    ],
)
def test_frames_that_are_none(frame: bytes, kind: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_server(frame)
    assert (caught.value.kind, caught.value.offset) == (kind, offset)


@pytest.mark.parametrize("how", [Compression.NONE, Compression.GZIP])
def test_every_truncation_is_refused(how: Compression) -> None:
    frame = encode_server(update(v2.EventTable(ONE_TWO)), compression=how, threshold=0)
    for end in range(len(frame)):
        with pytest.raises(DecodeError):
            decode_server(frame[:end])


@given(st.binary(max_size=60), st.sampled_from(["v1", "v2", "v3"]))
def test_any_bytes_are_read_or_refused(data: bytes, protocol: Protocol) -> None:
    for decode in (decode_client, decode_server):
        with contextlib.suppress(BsatnError):
            decode(data, protocol=protocol)


def test_a_bomb_does_not_go_off() -> None:
    deflate = zlib.compressobj(9, wbits=31)
    block = bytes(1 << 20)
    bomb = b"\x02" + b"".join(deflate.compress(block) for _ in range(80)) + deflate.flush()
    assert len(bomb) < 100_000
    with pytest.raises(LimitExceeded) as caught:
        decode_server(bomb)
    assert caught.value.limit == "max_size"
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded):
            decode_server(bomb, max_size=1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    small = b"\x02" + gzip.compress(bytes(1000))
    with pytest.raises(LimitExceeded):
        decode_server(small, max_size=999)
    with pytest.raises(DecodeError) as past:
        decode_server(small, max_size=1000)
    assert past.value.kind != "LimitExceeded"
    with pytest.raises(LimitExceeded):
        query_update(v1.GzipUpdate(bomb[1:]))


def test_a_count_that_lies_takes_no_memory() -> None:
    with pytest.raises(DecodeError):
        decode_server(b"\x00\x04" + b"\xff\xff\xff\xff" * 3)


@pytest.mark.parametrize("how", [Compression.GZIP, Compression.NONE])
def test_updates_of_version_1_are_compressed_by_themselves(how: Compression) -> None:
    plain = v1.QueryUpdate(BsatnRowList.of([b"row"] * 1000), EMPTY)
    sent = compressed_update(plain, how)
    assert isinstance(sent, v1.GzipUpdate if how is Compression.GZIP else v1.Uncompressed)
    assert query_update(sent) == plain
    assert compressed_update(v1.QueryUpdate(EMPTY, EMPTY), how) == v1.Uncompressed(v1.QueryUpdate(EMPTY, EMPTY))


# Brotli ---------------------------------------------------------------------------------------------------------


def test_without_the_package_brotli_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BsatnError, match="brotli") as caught:
        decode_server(b"\x01abc")
    assert caught.value.kind == "BrotliMissing"
    assert "pip install 'brotli" in str(caught.value)
    with pytest.raises(BsatnError):
        encode_server(v2.SubscriptionError(None, SET, "x" * 2000), compression=Compression.BROTLI)


def test_an_old_brotli_cannot_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "brotli", SimpleNamespace(Decompressor=object, error=ValueError))
    monkeypatch.setitem(sys.modules, "brotlicffi", None)
    with pytest.raises(BsatnError, match=r"1\.2") as caught:
        decode_server(b"\x01abc")
    assert caught.value.kind == "BrotliMissing"


def test_brotli() -> None:
    pytest.importorskip("brotli", minversion="1.2")
    message = v2.SubscriptionError(None, SET, "x" * 200_000)
    frame = encode_server(message, compression=Compression.BROTLI)
    assert frame[0] == Compression.BROTLI
    assert len(frame) < 1000
    assert decode_server(frame) == (message,)
    with pytest.raises(LimitExceeded):
        decode_server(frame, max_size=100_000)
    for bad in (frame[:-1], b"\x01\xff\xff\xff", frame + b"\0"):
        with pytest.raises(DecodeError) as caught:
            decode_server(bad)
        assert caught.value.kind == "InvalidCompression"
