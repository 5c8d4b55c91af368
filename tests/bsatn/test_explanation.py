"""What explain says of good, broken, hostile and very long input."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bsatn import types as t
from bsatn.annotations import F32, U32, plain_enum, product, sum_
from bsatn.codec import Codec
from bsatn.explanation import Explanation, Row, explain
from bsatn.limits import Limits
from bsatn.records import case, record
from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp, Uuid


def encode(kind: Any, value: Any) -> bytes:
    codec: Codec[Any] = Codec(kind)
    return codec.encode(value)


FRAME = product(
    id=t.U32,
    name=t.STRING,
    kind=plain_enum("red", "green"),
    hp=t.option_type(t.F32),
    tags=t.ArrayType(t.STRING),
)
DATA = encode(FRAME, (7, "bob", ("green", ()), 0.1, ["x", ""]))


@case
class Melee:
    reach: F32


@record
class Hit:
    target: U32
    how: Melee | None


def words(kind: Any, value: Any) -> str:
    """What the last row says of a value."""
    return explain(encode(kind, value), kind).rows[-1].value


# -- Rows ----------------------------------------------------------------------------------------------------


def test_rows() -> None:
    rows = explain(DATA, FRAME).rows
    assert rows == (
        Row(0, 4, "07000000", "id", "value", "U32", "7", 1),
        Row(4, 4, "03000000", "name", "length", "length", "3 bytes", 1),
        Row(8, 3, "626f62", "name", "value", "String", "'bob'", 1),
        Row(11, 1, "01", "kind", "tag", "tag", "1 green", 2),
        Row(12, 1, "00", "hp", "tag", "tag", "0 some", 2),
        Row(13, 4, "cdcccc3d", "hp.some", "value", "F32", "0.1", 2),
        Row(17, 4, "02000000", "tags", "count", "count", "2 elements", 2),
        Row(21, 4, "01000000", "tags[0]", "length", "length", "1 byte", 2),
        Row(25, 1, "78", "tags[0]", "value", "String", "'x'", 2),
        Row(26, 4, "00000000", "tags[1]", "length", "length", "0 bytes", 2),
        Row(30, 0, "", "tags[1]", "value", "String", "''", 2),
    )


def test_good_input_has_no_error() -> None:
    good = explain(DATA, FRAME)
    assert (good.error, good.unread, good.left_out) == (None, 0, 0)
    assert good.type == str(FRAME)
    assert "✗" not in good.to_text()


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (t.I256, -42, "-42"),
        (t.U64, 1 << 63, "9223372036854775808"),
        (t.BOOL, True, "true"),
        (t.BOOL, False, "false"),
        (t.F64, 0.1, "0.1"),
        (t.F64, -0.0, "-0.0"),
        (t.F32, 0.1, "0.1"),
        (t.F32, 16777216.0, "16777216.0"),
        (t.F32, 3.4028234663852886e38, "3.4028235e+38"),
        (t.F32, float("-inf"), "-inf"),
        (t.F32, float("nan"), "NaN (0x7fc00000)"),
        (t.F64, float("nan"), "NaN (0x7ff8000000000000)"),
        (t.TIMESTAMP, Timestamp(1714564800000001), "2024-05-01T12:00:00.000001Z"),
        (t.TIMESTAMP, Timestamp(-1), "1969-12-31T23:59:59.999999Z"),
        (t.TIMESTAMP, Timestamp(-(1 << 63)), f"{-(1 << 63)} µs after 1970, outside the years 1 to 9999"),
        (t.TIME_DURATION, TimeDuration(10), "0.00001 s"),
        (t.TIME_DURATION, TimeDuration(-5), "-0.000005 s"),
        (t.TIME_DURATION, TimeDuration(0), "0 s"),
        (t.TIME_DURATION, TimeDuration(90061_500000), "90061.5 s (1 day, 1:01:01)"),
        (t.TIME_DURATION, TimeDuration(-(1 << 63)), "-9223372036854.775808 s (-106751991 days, 4:00:54)"),
        (t.IDENTITY, Identity(0xC2 << 248), "0xc2" + "00" * 31),
        (t.CONNECTION_ID, ConnectionId(1), "0x" + "00" * 15 + "01"),
        (t.UUID, Uuid(1), "00000000-0000-0000-0000-000000000001"),
        (t.SCHEDULE_AT, TimeDuration(1_000_000), "1 s"),
        (t.BYTES, b"\x00\xff\x01\x02", "4 bytes"),
        (t.BYTES, b"GET /", "5 bytes 'GET /'"),
        (t.STRING, "hé", "'hé'"),
        (t.ArrayType(t.U8), b"", "0 bytes"),
        (t.ArrayType(t.U16), [0] * 1, "0"),
        (sum_(t.U8, ok=t.UNIT), (1, ()), "1 ok"),
        (t.SumType((t.SumTypeVariant(None, t.UNIT),)), (0, ()), "0"),
        (t.SumType((t.SumTypeVariant("a b", t.UNIT),)), (0, ()), "0 'a b'"),
    ],
)
def test_values_in_words(kind: Any, value: Any, expected: str) -> None:
    assert words(kind, value) == expected


def test_records_and_their_sums_are_named() -> None:
    explained = explain(encode(Hit, Hit(1, Melee(1.5))), Hit)
    assert explained.type == "Hit"
    assert [(row.path, row.type, row.value) for row in explained.rows] == [
        ("target", "U32", "1"),
        ("how", "tag of option", "0 some"),
        ("how.some.reach", "F32", "1.5"),
    ]


def test_types_may_refer() -> None:
    space = t.Typespace((sum_(end=t.UNIT, more=t.Ref(0)),))
    rows = explain(b"\x01\x01\x00", t.Ref(0), space).rows
    assert [(row.path, row.value, row.depth) for row in rows] == [
        ("", "1 more", 1),
        ("more", "1 more", 2),
        ("more.more", "0 end", 3),
    ]


# -- Where it goes wrong -------------------------------------------------------------------------------------


def test_too_short() -> None:
    broken = explain(DATA[:15], FRAME)
    assert broken.error is not None
    assert (broken.error.kind, broken.error.offset, broken.unread) == ("BufferLength", 13, 2)
    assert broken.rows == explain(DATA, FRAME).rows[:5]
    title, table = broken.to_text().split("\n", 1)
    assert title == f"15 bytes as {FRAME}"
    assert table == TOO_SHORT


TOO_SHORT = """
  offset      bytes        place    type    value
       0 0x0  07 00 00 00  id       U32     7
       4 0x4  03 00 00 00  name     length  3 bytes
       8 0x8  62 6f 62     name     String  'bob'
      11 0xb  01           kind     tag     1 green
      12 0xc  00           hp       tag     0 some
✗     13 0xd  cd cc        hp.some  u32
              ^^^^^ data too short for u32: Expected 4, given 2
"""


def test_a_byte_that_was_read_but_is_wrong() -> None:
    broken = explain(b"\x01\x02\x03\x04", product(a=t.U8, b=t.BOOL, c=t.U16))
    assert broken.unread == 2
    assert (
        broken.to_text()
        == """\
4 bytes as (a: U8, b: Bool, c: U16)

  offset      bytes  place  type  value
       0 0x0  01     a      U8    1
✗      1 0x1  02     b      Bool  2
              ^^ byte 2 not valid as `bool` (must be 0 or 1)
       2 0x2  03 04               2 bytes not read
"""
    )


def test_unknown_tag() -> None:
    broken = explain(b"\x05", t.option_type(t.U8))
    assert broken.rows[-1].value == "5 (of 2 variants)"
    assert "✗      0 0x0  05     ·      tag   5 (of 2 variants)\n              ^^ unknown tag 0x5" in broken.to_text()


def test_text_that_is_no_text() -> None:
    broken = explain(b"\x02\0\0\0\xffa", t.STRING)
    assert broken.rows[-1].value == r"'\\xffa'"
    assert "^^^^^ invalid utf8" in broken.to_text()


def test_nothing_at_all() -> None:
    text = explain(b"", t.U32).to_text()
    assert text.startswith("0 bytes as U32\n")
    assert "✗      0 0x0  (end)  ·      u32\n              ^^^^^ data too short for u32: Expected 4, given 0" in text


def test_left_over() -> None:
    rejected = explain(DATA + b"zz", FRAME)
    assert rejected.error is not None
    assert (rejected.error.kind, rejected.error.offset, rejected.unread) == ("TrailingBytes", len(DATA), 2)
    assert "7a 7a        ·\n" in rejected.to_text()
    assert "^^^^^ 2 bytes left over after the value" in rejected.to_text()
    allowed = explain(DATA + b"zz", FRAME, trailing="allow")
    assert (allowed.error, allowed.unread) == (None, 2)
    assert allowed.rows == rejected.rows
    assert allowed.to_text().endswith(f"30 0x1e  7a 7a{' ' * 25}2 bytes left over\n")


def test_limits_end_it_too() -> None:
    space = t.Typespace((t.ArrayType(t.Ref(0)),))
    deep = explain(b"\x01\0\0\0" * 600, t.Ref(0), space, max_rows=4)
    assert deep.error is not None
    assert (deep.error.kind, deep.error.offset, deep.unread) == ("LimitExceeded", 2048, 2400 - 2048)
    assert (len(deep.rows), deep.left_out) == (4, 508)
    assert "the limit `depth` is 512" in deep.to_text()
    assert max(map(len, deep.to_text(width=80).splitlines())) <= 80
    empty = explain(b"\xff\xff\xff\xff", t.ArrayType(t.UNIT), limits=Limits(empty_elements=5))
    assert empty.to_json()["error"]["fields"] == {"limit": "empty_elements", "bound": 5}
    assert "✗      0 0x0  ff ff ff ff  ·      count  4,294,967,295 elements" in empty.to_text()


def test_from_deep_in_a_stack() -> None:
    space = t.Typespace((t.ArrayType(t.Ref(0)),))
    data = b"\x01\0\0\0" * 500 + b"\0\0\0\0"

    def down(frames: int) -> Explanation:
        return down(frames - 1) if frames else explain(data, t.Ref(0), space)

    explained = down(sys.getrecursionlimit() - 300)
    assert explained.error is None
    assert len(explained.rows) == 501


# -- Text ----------------------------------------------------------------------------------------------------


def test_nothing_unprintable_reaches_the_terminal() -> None:
    evil = "\x1b[31m\r\n\u202e\x9b"
    kind = product(
        ("\x1b]0;a", t.STRING),
        ("b", t.SumType((t.SumTypeVariant(evil, t.UNIT),))),
        ("c", t.BYTES),
        ("d", t.BOOL),
    )
    data = encode(kind, (evil, (0, ()), evil.encode(), True))
    for cut in (len(data), len(data) - 1, 5):
        text = explain(data[:cut], kind).to_text()
        assert all(c.isprintable() for c in text.replace("\n", ""))
    rows = explain(data, kind).rows
    assert [row.offset for row in rows] == [0, 4, 16, 17, 21, 33]
    assert len(explain(data, kind).to_text().splitlines()) == 3 + len(rows)


def test_long_runs_are_shortened() -> None:
    explained = explain(b"\xe8\x03\0\0" + b"a" * 1000, t.BYTES)
    row = explained.rows[-1]
    assert (row.length, row.hex) == (1000, "61" * 32)
    assert len(row.value) == 400
    assert row.value.endswith("…")
    assert "61 61 61 61 61 61 61 …" in explained.to_text()
    eight = explain(bytes(range(8)), t.U64).to_text()
    assert "00 01 02 03 04 05 06 07" in eight
    assert "…" not in eight


@pytest.mark.parametrize("most", [1, 2, 5, 10, 11, 50])
def test_max_rows(most: int) -> None:
    whole = explain(DATA, FRAME)
    part = explain(DATA, FRAME, max_rows=most)
    assert len(part.rows) == min(most, len(whole.rows))
    assert part.left_out == len(whole.rows) - len(part.rows)
    assert part.rows[: part.head] == whole.rows[: part.head]
    assert part.rows[part.head :] == whole.rows[len(whole.rows) - len(part.rows) + part.head :]
    assert part.to_json()["left_out"] == {"reads": part.left_out, "after": part.head}
    lines = part.to_text().splitlines()
    shown = [line for line in lines if "⋮" in line]
    reads = "read" if part.left_out == 1 else "reads"
    assert shown == ([f"        ⋮  {part.left_out} {reads} left out"] if part.left_out else [])
    if shown:
        assert lines.index(shown[0]) == 3 + part.head


def test_max_rows_keep_what_went_wrong() -> None:
    kind = t.ArrayType(t.BOOL)
    broken = explain(b"\xff\0\0\0" + b"\x01" * 200 + b"\x07", kind, max_rows=6)
    assert broken.rows[-1].value == "7"
    assert re.search(r"✗ +204 0xcc  07 .*\n +\^\^ byte 7 not valid", broken.to_text())


@pytest.mark.parametrize("width", [60, 80, 100])
def test_width(width: int) -> None:
    inner = product(a_rather_long_name=product(and_one_more_inside_it=t.STRING))
    kind = product(the_first_of_the_names=t.ArrayType(inner))
    data = encode(kind, ([(("word " * 30,),)] * 2,))
    text = explain(data, kind).to_text(width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" in text
    assert "inside_it  length" in text
    assert max(map(len, explain(data, kind).to_text().splitlines())) > width


def test_colour_changes_nothing_but_colour() -> None:
    for data in (DATA, DATA[:15], DATA + b"zz", b"\x01"):
        for width in (None, 70):
            explained = explain(data, FRAME)
            painted = explained.to_text(color=True, width=width)
            assert "\x1b[" in painted
            assert _bare(painted) == explained.to_text(width=width)
            assert "\x1b[" not in explained.to_text()
    assert "\x1b[31;1m" in explain(DATA[:15], FRAME).to_text(color=True)
    assert "\x1b[31;1m" not in explain(DATA, FRAME).to_text(color=True)


def test_colour_dims_the_steps_of_the_place_above() -> None:
    inner = product(ab=t.U8, ac=t.U8)
    kind = product(pos=inner, posts=t.ArrayType(inner))
    painted = explain(b"\1\2" + b"\2\0\0\0" + b"\3\4" * 2, kind).to_text(color=True)
    places = [
        re.findall(r"\x1b\[([12])m([a-z0-9.\[\]]+)\x1b\[0m([a-z0-9.\[\]]*) ", line)[-1] for line in painted.splitlines()[3:]
    ]
    assert places == [
        ("1", "pos.ab", ""),
        ("2", "pos", ".ac"),
        ("1", "posts", ""),
        ("2", "posts", "[0].ab"),
        ("2", "posts[0]", ".ac"),
        ("2", "posts", "[1].ab"),
        ("2", "posts[1]", ".ac"),
    ]


def _bare(text: str) -> str:
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n")
    return "\n".join(line.rstrip() for line in lines)


def test_str_is_the_table() -> None:
    explained = explain(DATA, FRAME)
    assert str(explained) == explained.to_text()


# -- JSON ----------------------------------------------------------------------------------------------------


def test_json() -> None:
    explained = explain(b"\x07\x02", product(a=t.U8, b=t.BOOL))
    assert json.loads(json.dumps(explained.to_json())) == {
        "type": "(a: U8, b: Bool)",
        "size": 2,
        "rows": [
            {
                "offset": 0,
                "length": 1,
                "bytes": "07",
                "path": "a",
                "role": "value",
                "type": "U8",
                "value": "7",
                "depth": 1,
            },
            {
                "offset": 1,
                "length": 1,
                "bytes": "02",
                "path": "b",
                "role": "value",
                "type": "Bool",
                "value": "2",
                "depth": 1,
            },
        ],
        "left_out": {"reads": 0, "after": 2},
        "error": {
            "kind": "InvalidBool",
            "message": "byte 2 not valid as `bool` (must be 0 or 1)",
            "offset": 1,
            "path": ["b"],
            "fields": {"byte": 2},
        },
        "unread": 0,
    }
    assert explain(DATA, FRAME).to_json()["error"] is None


# -- Properties ----------------------------------------------------------------------------------------------

KINDS = st.sampled_from([FRAME, t.AlgebraicType, t.Typespace, t.ArrayType(FRAME), t.SCHEDULE_AT, Hit, t.ArrayType(t.U128)])


@settings(max_examples=300, deadline=None)
@given(
    kind=KINDS,
    data=st.one_of(st.binary(max_size=60), st.binary(max_size=20).map(lambda tail: DATA[:20] + tail)),
    color=st.booleans(),
    width=st.none() | st.integers(1, 120),
)
def test_any_bytes_can_be_explained(kind: Any, data: bytes, color: bool, width: int | None) -> None:
    """The rows and what is unread are all the bytes, once each, and it can always be printed."""
    explained = explain(data, kind)
    offset = 0
    for row in explained.rows:
        assert row.offset == offset
        assert bytes.fromhex(row.hex) == data[offset : offset + row.length][:32]
        offset += row.length
    assert offset + explained.unread == len(data)
    assert (explained.error is None) or explained.error.kind in explained.to_json()["error"].values()
    assert explained.to_text(color, width).endswith("\n")
    json.dumps(explained.to_json())
