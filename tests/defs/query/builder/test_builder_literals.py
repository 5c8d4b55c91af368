"""Values as SQL: read back by the checker they are the same value; what does not fit its column is refused."""

from __future__ import annotations

import datetime
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsatn import ConnectionId, Identity, TimeDuration, Timestamp, Uuid
from bsatn.types import F32, INTEGERS, Primitive
from defs.query import QueryError, kinds
from defs.query.literals import literal, spell
from defs.query.sql.literals import parse_literal


def unquoted(text: str) -> str:
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    wire = kinds.TYPES[kind]
    if isinstance(wire, Primitive) and wire in INTEGERS:
        bits, signed = INTEGERS[wire]
        return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else st.integers(0, (1 << bits) - 1)
    finite: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}
    start = int((datetime.datetime(1, 1, 1) - datetime.datetime(1970, 1, 1)).total_seconds()) * 10**6
    others: dict[Any, st.SearchStrategy[Any]] = {
        kinds.F32: st.floats(width=32, **finite),
        kinds.F64: st.floats(**finite),
        kinds.String: st.text(),
        kinds.Bytes: st.binary(max_size=40),
        kinds.Identity: st.integers(0, (1 << 256) - 1).map(Identity),
        kinds.ConnectionId: st.integers(0, (1 << 128) - 1).map(ConnectionId),
        kinds.Uuid: st.integers(0, (1 << 128) - 1).map(Uuid),
        kinds.Timestamp: st.integers(start, 253402300799999999).map(Timestamp),
    }
    return others[kind]


@pytest.mark.parametrize("kind", [kind for kind in kinds.TYPES if kind is not kinds.Bool], ids=kinds.name_of)
@given(st.data())
def test_the_checker_reads_the_same_value(kind: Any, data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    assert parse_literal(unquoted(literal(kind, value, "c")), kinds.TYPES[kind]) == value


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_any_time_has_a_text(micros: int) -> None:
    text = spell(kinds.Timestamp, Timestamp(micros))
    if Timestamp(0) <= micros < 253402300800000000:
        assert datetime.datetime.fromisoformat(text.strip("'")) == Timestamp(micros).to_datetime()
    else:
        assert text.endswith("+00:00'")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (kinds.F32, 0.1, "0.10000000149011612"),
        (kinds.F32, 3, "3"),
        (kinds.F64, 1e21, "1000000000000000000000"),
        (kinds.F64, -0.0, "-0"),
        (kinds.F64, 1e-7, "0.0000001"),
        (kinds.F64, 5e-324, "0." + "0" * 323 + "5"),
        (kinds.Bytes, b"", "0x"),
        (kinds.Bytes, bytearray(b"\xff\x00"), "0xff00"),
        (kinds.Timestamp, Timestamp(0), "'1970-01-01T00:00:00+00:00'"),
        (kinds.Timestamp, Timestamp(1000), "'1970-01-01T00:00:00.001+00:00'"),
        (kinds.Timestamp, Timestamp(-1), "'1969-12-31T23:59:59.999999+00:00'"),
        (kinds.Timestamp, Timestamp(951782400000000), "'2000-02-29T00:00:00+00:00'"),
        (kinds.Bool, True, "TRUE"),
        (kinds.String, "o'clock", "'o''clock'"),
    ],
)
def test_spellings(kind: Any, value: Any, text: str) -> None:
    assert literal(kind, value, "c") == text


REFUSED: list[tuple[Any, Any, str, str]] = [
    (kinds.U8, 256, "OutOfRange", "c is U8, from 0 to 255: 256 is not in it"),
    (kinds.U8, -1, "OutOfRange", "-1 is not in it"),
    (kinds.I8, -129, "OutOfRange", "from -128 to 127"),
    (kinds.U256, 1 << 256, "OutOfRange", "is not in it"),
    (kinds.U64, 1 << 100_000, "OutOfRange", "a number of 100001 bits"),
    (kinds.U8, True, "WrongLiteral", "takes int"),
    (kinds.U8, 1.0, "WrongLiteral", "takes int"),
    (kinds.U8, "1", "WrongLiteral", "takes int"),
    (kinds.U8, None, "WrongLiteral", "never NULL"),
    (kinds.U64, Timestamp(1), "WrongLiteral", "takes int"),
    (kinds.Bool, 1, "WrongLiteral", "say True or False"),
    (kinds.String, b"x", "WrongLiteral", "takes str"),
    (kinds.String, "\ud800", "WrongLiteral", "surrogate"),
    (kinds.Bytes, "00", "WrongLiteral", "takes bytes"),
    (kinds.Identity, 1, "WrongLiteral", "Identity.from_hex"),
    (kinds.Identity, ConnectionId(1), "WrongLiteral", "takes Identity"),
    (kinds.Timestamp, datetime.datetime(2020, 1, 1), "WrongLiteral", "Timestamp.from_datetime"),
    (kinds.Timestamp, TimeDuration(1), "WrongLiteral", "takes Timestamp"),
    (kinds.Timestamp, Timestamp(253402300800000000), "NoLiteral", "years 0 to 9999"),
    (kinds.Timestamp, Timestamp(-(1 << 63)), "NoLiteral", "years 0 to 9999"),
    (kinds.F64, math.nan, "NoLiteral", "nan"),
    (kinds.F32, math.inf, "NoLiteral", "inf"),
    (kinds.F32, 1e39, "OutOfRange", "F32"),
    (kinds.F64, 10**400, "OutOfRange", "F64"),
    (kinds.F32, 10**400, "OutOfRange", "F32"),
    (kinds.F32, 10**5000, "OutOfRange", "F32"),
    (kinds.String, 10**5000, "WrongLiteral", "takes str"),
    (kinds.Option[kinds.U8], 1, "NoLiteral", r"type Option\[U8\], which has no literals"),
    (F32, 1.0, "NoLiteral", "no literals"),
]


@pytest.mark.parametrize(("kind", "value", "error", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refused(kind: Any, value: Any, error: str, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        literal(kind, value, "c")
    assert caught.value.kind == error
    assert len(str(caught.value)) < 500


def test_an_f32_is_the_one_that_is_stored() -> None:
    stored = struct.unpack("<f", struct.pack("<f", 0.3))[0]
    assert literal(kinds.F32, 0.3, "c") == literal(kinds.F64, stored, "c")
