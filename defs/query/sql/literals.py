"""The text of a literal, read as the type it is compared with: numbers, hex, times, and the server's quirks with each.

It is the text between the quotes that counts, whether written as a number, a string or hex: `id = '5'` is `id = 5`, and
`0x10` against a number is ten. Nothing is expanded: a number's exponent costs nothing, however large. (spec: event-tables 1.9)
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from bsatn.types import (
    BYTES,
    CONNECTION_ID,
    F32,
    F64,
    IDENTITY,
    INTEGERS,
    STRING,
    TIMESTAMP,
    UUID,
    AlgebraicType,
    Primitive,
)
from bsatn.values import ConnectionId, Identity, Timestamp, Uuid

__all__ = ["has_literals", "parse_literal"]


def parse_literal(text: str, kind: AlgebraicType) -> Any:
    """The value that a literal's text means as this type, in the form of `bsatn.values`. Raises ValueError for none."""
    if kind in INTEGERS and isinstance(kind, Primitive):
        return _integer(text, *INTEGERS[kind])
    read = _READERS.get(kind)
    if read is None:
        raise ValueError(f"{kind} has no literals")
    return read(text)


def has_literals(kind: AlgebraicType) -> bool:
    """Whether a number, string or hex literal can be of the type."""
    return kind in INTEGERS or kind in _READERS


# Numbers ----------------------------------------------------------------------------------------------------


class _Decimal(NamedTuple):
    """`digits` (no leading zeros, empty for zero) times ten to the power of -`scale`."""

    negative: bool
    digits: str
    scale: int


_DIGITS = re.compile(r"[0-9][0-9_]*")
_EXPONENT = re.compile(r"[+-]?[0-9]+")
_EXPONENT_DIGITS = 39  #: of a 128-bit number
_INT64 = range(-(1 << 63), 1 << 63)
_INT32 = range(-(1 << 31), 1 << 31)


def _decimal(text: str) -> _Decimal:
    base, mark, exponent = _cut_exponent(text)
    power = 0
    if mark:
        if not _EXPONENT.fullmatch(exponent):
            raise ValueError("no exponent")
        significant = exponent.lstrip("+-").lstrip("0")
        if len(significant) > _EXPONENT_DIGITS:
            raise ValueError("exponent out of range")
        power = int(significant or "0") * (-1 if exponent[0] == "-" else 1)
    lead, _, trail = base.partition(".")
    scale = len(trail.replace("_", "")) - power
    if scale not in _INT64:
        raise ValueError("exponent out of range")
    digits = lead + trail
    negative = digits.startswith("-")
    if negative and not digits.startswith("-+"):
        digits = digits[1:]
    if digits.startswith("+") and not digits.startswith("++"):
        digits = digits[1:]
    if not _DIGITS.fullmatch(digits):
        raise ValueError("not a number")
    return _Decimal(negative, digits.replace("_", "").lstrip("0"), scale)


def _cut_exponent(text: str) -> tuple[str, str, str]:
    found = re.search("[eE]", text)
    return (text[: found.start()], "e", text[found.end() :]) if found else (text, "", "")


def _integer(text: str, bits: int, signed: bool) -> int:
    """A whole number in the type's range. Of 256 bits, it must not be written with decimals, not even `1.0`."""
    number = _decimal(text)
    if bits == 256 and number.scale > 0:
        raise ValueError("decimals")
    if not number.digits:
        return 0
    significant = number.digits.rstrip("0")
    power = len(number.digits) - len(significant) - number.scale
    if power < 0:
        raise ValueError("not a whole number")
    if len(significant) + power > 80:
        raise ValueError("out of range")
    value = int(significant + "0" * power) * (-1 if number.negative else 1)
    low, high = (-(1 << bits - 1), 1 << bits - 1) if signed else (0, 1 << bits)
    if not low <= value < high:
        raise ValueError("out of range")
    return value


_KEPT_DIGITS, _DROPPED_AT_ONCE = 25, 19


def _float(text: str) -> float:
    """As the server rounds: digits past the first few count for nothing; a positive exponent multiplies by a power of ten."""
    number = _decimal(text)
    if not number.digits:
        return 0.0
    sign = -1.0 if number.negative else 1.0
    if number.scale == 0:
        return sign * _nearest(number.digits)
    dropped = max(len(number.digits) - _KEPT_DIGITS, 0) // _DROPPED_AT_ONCE * _DROPPED_AT_ONCE
    digits, power = number.digits[: len(number.digits) - dropped], dropped - number.scale
    if power not in _INT32 or -power not in _INT32:
        return sign * math.inf
    return sign * (_nearest(digits) * _power_of_ten(power) if power >= 0 else float(f"{digits}e{power}"))


def _nearest(digits: str) -> float:
    return float(digits) if len(digits) < 400 else math.inf


def _power_of_ten(power: int) -> float:
    result, base = 1.0, 10.0
    while True:
        if power & 1:
            result *= base
        power >>= 1
        if not power:
            return result
        base *= base


def _float32(text: str) -> float:
    value = _float(text)
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return rounded


# Hex, times -------------------------------------------------------------------------------------------------

_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_UUID_DIGITS = re.compile(r"[0-9a-fA-F]{32}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[tT ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[zZ]|([+\-\u2212])([0-9]{2}):([0-5][0-9]))"
)


def _bytes(text: str) -> bytes:
    digits = text[2:] if text.startswith(("0x", "X'")) else text
    if not _HEX.fullmatch(digits):
        raise ValueError("not hex digits, two a byte")
    return bytes.fromhex(digits)


def _number_from_hex(text: str, size: int) -> int:
    data = _bytes(text)
    if len(data) != size:
        raise ValueError(f"{size * 2} hex digits are needed")
    return int.from_bytes(data)


def _uuid(text: str) -> Uuid:
    hyphenated = text[9:] if len(text) == 45 and text[:9].lower() == "urn:uuid:" else text
    if len(text) == 38 and text.startswith("{") and text.endswith("}"):
        hyphenated = text[1:-1]
    if not (_UUID_DIGITS.fullmatch(text) or _UUID.fullmatch(hyphenated)):
        raise ValueError("not a UUID")
    return Uuid(int(hyphenated.replace("-", ""), 16))


_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _timestamp(text: str) -> Timestamp:
    """RFC 3339: an offset is needed, a space may stand for the T, second 60 is taken. Microseconds, rounded down."""
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError("not a time as in 2024-02-29T12:30:45Z")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    nanoseconds = int((found[7] or "0")[:9].ljust(9, "0"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    offset = (int(found[9]) * 60 + int(found[10])) * (1 if found[8] == "+" else -1) if found[8] else 0
    days = _DAYS[month - 1] + (leap and month == 2) if 1 <= month <= 12 else 0
    if not 1 <= day <= days or hour > 23 or minute > 59 or second > 60 or abs(offset) >= 24 * 60:
        raise ValueError("out of range")
    seconds = ((_days_from_civil(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second
    return Timestamp(seconds * 1_000_000 + nanoseconds // 1000)


def _days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a date in the Gregorian calendar, year 0 included."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719468


#: How each type other than the integers reads a literal.
_READERS: dict[AlgebraicType, Callable[[str], Any]] = {
    STRING: str,
    F32: _float32,
    F64: _float,
    BYTES: _bytes,
    IDENTITY: lambda text: Identity(_number_from_hex(text, 32)),
    CONNECTION_ID: lambda text: ConnectionId(_number_from_hex(text, 16)),
    TIMESTAMP: _timestamp,
    UUID: _uuid,
}
