"""Values as SQL, to the letter as the Rust builder writes them; a value that is not its column's is refused, never adapted.

(spec: event-tables 6.1)
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from bsatn import values
from bsatn.types import INTEGERS, Primitive
from bsatn.values import F32NaN
from defs.query import kinds
from defs.query.errors import QueryError

__all__ = ["PYTHON", "literal", "spell"]


def literal(kind: Any, value: Any, where: str) -> str:
    """A value of a kind as SQL; `where` names its column in errors.

    Raises QueryError for a value of another type, one out of range, and one that no server reads: NaN, the infinities, times
    outside the years 0 to 9999.
    """
    _check_type(kind, value, where)
    if isinstance(value, float) and not math.isfinite(value):
        message = f"{where} is compared with {value}, for which the server's SQL has no literal"
        raise QueryError("NoLiteral", message, "compare with finite numbers, or test the rows that arrive")
    text = spell(kind, value, where)
    if kind is kinds.Timestamp and not text[1:5].isdigit():
        hint = "the server reads the years 0 to 9999: leave the comparison out, or use a bound that a calendar has"
        raise QueryError("NoLiteral", f"{where} is compared with the time {text}, which is no literal", hint)
    return text


def _check_type(kind: Any, value: Any, where: str) -> None:
    known = _LITERALS.get(kind) if isinstance(kind, type) else None
    if known is None:
        message = f"{where} is of type {kinds.name_of(kind)}, which has no literals in SQL"
        hint = "the server compares no values of this type: test the rows that arrive, or filter by a column of its own"
        raise QueryError("NoLiteral", message, hint)
    if value is None:
        message = f"{where} is never NULL: None is no value of type {kinds.name_of(kind)}"
        raise QueryError("WrongLiteral", message, "columns that may be None are options, which SQL cannot test")
    if type(value) not in known.accepts and not (known.accepts == (float,) and isinstance(value, F32NaN)):
        names = known.accepts[0].__name__
        message = f"{where} takes {names} ({kinds.name_of(kind)}), not {_shown(value)}"
        raise QueryError("WrongLiteral", message, known.hint)


def _shown(value: Any) -> str:
    text = _number(value) if isinstance(value, int) else repr(value)
    return f"{type(value).__name__} {text}" if len(text) <= 60 else f"{type(value).__name__} {text[:59]}…"


def _number(value: float) -> str:
    """A number for a person; those of thousands of digits Python does not print."""
    long = isinstance(value, int) and value.bit_length() > 512
    return f"a number of {int(value).bit_length()} bits" if long else repr(value)


def spell(kind: Any, value: Any, where: str = "the value") -> str:
    """A value that is of its kind as the Rust builder writes it, whether or not a server reads that. Raises QueryError."""
    return _LITERALS[kind].spell(value, where)


# Spellings --------------------------------------------------------------------------------------------------


def _integer(bits: int, signed: bool, name: str, value: int, where: str) -> str:
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not low <= value <= high:
        raise QueryError("OutOfRange", f"{where} is {name}, from {low} to {high}: {_number(value)} is not in it")
    return str(value)


def _float(value: float, where: str) -> str:
    try:
        value = float(value)
    except OverflowError:
        raise QueryError("OutOfRange", f"{where} is F64, up to about 1.8e308: {_number(value)} is not in it") from None
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _float32(value: float, where: str) -> str:
    if isinstance(value, F32NaN):
        return "NaN"
    try:
        return _float(struct.unpack("<f", struct.pack("<f", value))[0], where)
    except (OverflowError, struct.error):
        raise QueryError("OutOfRange", f"{where} is F32, up to about 3.4e38: {_number(value)} is not in it") from None


def _string(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise QueryError("WrongLiteral", f"{where}: the text has half a surrogate pair, which is no character") from None
    return "'" + value.replace("'", "''") + "'"


def _uuid(value: values.Uuid, where: str) -> str:
    digits = value.hex()
    return f"'{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}'"


_DAY = 86_400_000_000  #: microseconds


def _timestamp(value: int, where: str) -> str:
    days, micros = divmod(int(value), _DAY)
    seconds, fraction = divmod(micros, 1_000_000)
    year, month, day = _civil(days)
    date = f"{year:04d}" if 0 <= year <= 9999 else f"{year:+05d}"
    shown = "" if not fraction else f".{fraction // 1000:03d}" if fraction % 1000 == 0 else f".{fraction:06d}"
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{shown}"
    return f"'{date}-{month:02d}-{day:02d}T{clock}+00:00'"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970-01-01; the Gregorian calendar goes on both ways, year 0 included."""
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day_of_year + 2) // 153  # from March on
    day = day_of_year - (153 * month + 2) // 5 + 1
    return year_of_era + era * 400 + (month >= 10), (month + 2) % 12 + 1, day


def _hex(value: values.Identity | values.ConnectionId, where: str) -> str:
    return f"0x{value.hex()}"


class _Literal(NamedTuple):
    """What Python values are literals of a kind, exactly these types, and how they are spelled."""

    accepts: tuple[type, ...]
    spell: Callable[[Any, str], str]
    hint: str = ""


_LITERALS: dict[Any, _Literal] = {
    kinds.Bool: _Literal((bool,), lambda value, where: "TRUE" if value else "FALSE", "say True or False"),
    kinds.F32: _Literal((float, int), _float32),
    kinds.F64: _Literal((float, int), _float),
    kinds.String: _Literal((str,), _string),
    kinds.Bytes: _Literal((bytes, bytearray), lambda value, where: f"0x{value.hex()}"),
    kinds.Identity: _Literal((values.Identity,), _hex, "make one with Identity.from_hex(...)"),
    kinds.ConnectionId: _Literal((values.ConnectionId,), _hex, "make one with ConnectionId.from_hex(...)"),
    kinds.Timestamp: _Literal((values.Timestamp,), _timestamp, "make one with Timestamp.from_datetime(...)"),
    kinds.Uuid: _Literal((values.Uuid,), _uuid, "make one with Uuid.from_uuid(...)"),
    **{
        kind: _Literal((int,), partial(_integer, *INTEGERS[wire], kind.__name__))
        for kind, wire in kinds.TYPES.items()
        if isinstance(wire, Primitive) and wire in INTEGERS
    },
}

#: The Python type of the literals of each kind.
PYTHON: dict[Any, type] = {kind: known.accepts[0] for kind, known in _LITERALS.items()}
