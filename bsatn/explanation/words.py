"""A read in words: what its bytes say, by the shape they were read at and what they were read for.

Strings and names are as their writer chose them. Whatever may hold some goes through `printable` before anyone
sees it.
"""

from __future__ import annotations

import datetime
import math
import struct
from collections.abc import Callable
from typing import Any

from bsatn.constructs import Read, Role
from bsatn.shapes import Bool, Bytes, Float, Int, Newtype, Shape, String, Sum
from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp, Uuid, f32_from_bits

KEPT_BYTES = 32  #: bytes of a read that a row keeps: an Identity in full
KEPT_TEXT = 400  #: characters of a value that a row keeps


def words_of(read: Read) -> tuple[str, str]:
    """The type that was read and the value, as text."""
    return _WORDS[read.role](read.shape, read.data)


def _number(data: bytes, signed: bool = False) -> int:
    return int.from_bytes(data, "little", signed=signed)


def _count_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "count", plural(_number(data), "element")


def _length_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "length", plural(_number(data), "byte")


def _tag_words(shape: Shape, data: bytes) -> tuple[str, str]:
    """The variant's name: the tag of an option says `some`. (spec: wire 1)"""
    assert isinstance(shape, Sum)
    tag = data[0]
    type_text = f"tag of {shape.name}" if shape.name else "tag"
    if tag >= len(shape.names):
        return type_text, f"{tag} (of {plural(len(shape.names), 'variant')})"
    name = shape.names[tag]
    return type_text, f"{tag}" if name is None else f"{tag} {name if name.isidentifier() else repr(name)}"


def _value_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return _LEAF_WORDS[type(shape)](shape, data)


def _newtype_words(shape: Newtype, data: bytes) -> tuple[str, str]:
    value = shape.cls(_number(data, shape.inner.signed))
    words = _SPECIAL_WORDS.get(shape.cls)
    return shape.cls.__name__, words(value) if words else str(int(value))


def _float_words(shape: Float, data: bytes) -> tuple[str, str]:
    value = f32_from_bits(_number(data)) if shape.bits == 32 else struct.unpack("<d", data)[0]
    if math.isnan(value):
        return f"F{shape.bits}", f"NaN ({_number(data):#x})"
    return f"F{shape.bits}", _shortest32(value) if shape.bits == 32 else repr(value)


def _shortest32(value: float) -> str:
    """The fewest digits that name the 32-bit float: 0.1, not 0.10000000149011612."""
    for digits in range(6, 9):
        text = f"{value:.{digits}g}"
        try:
            if struct.pack("<f", float(text)) == struct.pack("<f", value):
                return repr(float(text))
        except OverflowError:  # rounded up past the largest
            continue
    return repr(float(f"{value:.9g}"))


def _string_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "String", repr(data[: 4 * KEPT_TEXT].decode("utf-8", "backslashreplace"))


def _bytes_words(shape: Shape, data: bytes) -> tuple[str, str]:
    text = data[:KEPT_TEXT].decode("ascii", "replace")
    shown = f" {text!r}" if len(data) > 3 and text.isprintable() and text.isascii() else ""
    return "Bytes", plural(len(data), "byte") + shown


def _bool_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "Bool", {0: "false", 1: "true"}.get(data[0], str(data[0]))


def _time(value: Timestamp) -> str:
    try:
        return value.to_datetime().isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return f"{int(value)} µs after 1970, outside the years 1 to 9999"


def _duration(value: TimeDuration) -> str:
    """Seconds, exactly; and from a minute on, how long that is to people."""
    seconds, micros = divmod(abs(int(value)), 1_000_000)
    sign = "-" if value < 0 else ""
    text = f"{sign}{seconds}" + (f".{micros:06}".rstrip("0") if micros else "") + " s"
    return text if seconds < 60 else f"{text} ({sign}{datetime.timedelta(seconds=seconds)})" if seconds < 1e14 else text


_SPECIAL_WORDS: dict[type[int], Callable[[Any], str]] = {
    Identity: lambda value: f"0x{value.hex()}",
    ConnectionId: lambda value: f"0x{value.hex()}",
    Uuid: lambda value: str(value.to_uuid()),
    Timestamp: _time,
    TimeDuration: _duration,
}
_LEAF_WORDS: dict[type[Shape], Callable[[Any, bytes], tuple[str, str]]] = {
    Int: lambda shape, data: (shape.label.upper(), str(_number(data, shape.signed))),
    Float: _float_words,
    Bool: _bool_words,
    String: _string_words,
    Bytes: _bytes_words,
    Newtype: _newtype_words,
}
_WORDS: dict[Role, Callable[[Shape, bytes], tuple[str, str]]] = {
    Role.VALUE: _value_words,
    Role.LENGTH: _length_words,
    Role.COUNT: _count_words,
    Role.TAG: _tag_words,
}


def plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """Without line breaks, terminal controls and characters that turn the line around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def shorten(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"
