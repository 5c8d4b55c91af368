"""What decoded values look like in Python.

| type | value |
|---|---|
| Bool, integers, String | `bool`, `int`, `str` |
| F32, F64 | `float`; an F32 signalling NaN, which `float` would turn quiet, is an `F32NaN` that keeps its bits |
| Array of U8, other arrays | `bytes`, `list` (records may ask for `tuple`) |
| product | `tuple` of its fields, or the record class bound to it; unit is `()` |
| sum | `Variant(tag, value)`, or the class or enum bound to it |
| Option | `None` or the value; an option directly inside an option is `Some(value)` when present |
| Identity, ConnectionId, Timestamp, TimeDuration, Uuid | a subclass of `int` of that name |
| ScheduleAt | a `TimeDuration` (the interval) or a `Timestamp` (the time) |

The special ones are integers because that is what they are on the wire: encoding takes a plain integer too, and
comparing, hashing and sorting need no code. (spec: wire 1, 1.1)
"""

from __future__ import annotations

import datetime
import struct
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, SupportsIndex, TypeVar

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["ConnectionId", "F32NaN", "Identity", "Some", "TimeDuration", "Timestamp", "Uuid", "Variant"]

_T = TypeVar("_T")


class Variant(tuple[int, Any]):
    """A value of a sum type: `tag` is the variant's position, `value` its payload. Equal to the plain pair."""

    __slots__ = ()
    __match_args__ = ("tag", "value")

    def __new__(cls, tag: int, value: Any = ()) -> Variant:
        return tuple.__new__(cls, (tag, value))

    @property
    def tag(self) -> int:
        """Position of the variant in its sum type, from 0."""
        return self[0]

    @property
    def value(self) -> Any:
        """The payload; `()` for a variant without one."""
        return self[1]

    def __getnewargs__(self) -> tuple[int, Any]:
        return self[0], self[1]

    def __repr__(self) -> str:
        return f"Variant({self[0]})" if self[1] == () else f"Variant({self[0]}, {self[1]!r})"


class Some(tuple[_T], Generic[_T]):
    """The present case of an option whose payload is an option itself, so that `some(none)` and `none` differ."""

    __slots__ = ()
    __match_args__ = ("value",)

    def __new__(cls, value: _T) -> Some[_T]:
        return tuple.__new__(cls, (value,))

    @property
    def value(self) -> _T:
        """What the option holds."""
        return self[0]

    def __getnewargs__(self) -> tuple[_T]:
        return (self[0],)

    def __repr__(self) -> str:
        return f"Some({self[0]!r})"


class F32NaN(float):
    """A 32-bit NaN kept bit by bit: widening a signalling NaN to a Python float sets its quiet bit. `bits` is the u32."""

    __slots__ = ("bits",)
    bits: int

    def __new__(cls, bits: int) -> Self:
        if bits & 0x7F800000 != 0x7F800000 or not bits & 0x007FFFFF or bits >> 32:
            raise ValueError(f"{bits:#010x} is not the bit pattern of a 32-bit NaN")
        self = super().__new__(cls, struct.unpack("<f", bits.to_bytes(4, "little"))[0])
        self.bits = bits
        return self

    def __reduce__(self) -> tuple[type[F32NaN], tuple[int]]:
        return F32NaN, (self.bits,)

    def __repr__(self) -> str:
        return f"F32NaN({self.bits:#010x})"


class _Special(int):
    """An integer with a name: the one field of a special product. `FIELD` is its wire name, `BITS` its width."""

    __slots__ = ()
    FIELD: ClassVar[str]
    BITS: ClassVar[int]
    SIGNED: ClassVar[bool] = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({int(self)})"

    def __str__(self) -> str:
        return repr(self)


class _Hex(_Special):
    """A special integer that people write in big-endian hex: the last byte on the wire comes first."""

    __slots__ = ()

    @classmethod
    def from_hex(cls, text: str) -> Self:
        """From big-endian hex digits, `0x` optional; raises ValueError unless they are exactly the width's."""
        digits = text[2:] if text[:2] in ("0x", "0X") else text
        if len(digits) != cls.BITS // 4 or not digits.isascii() or not digits.isalnum():
            raise ValueError(f"{cls.__name__} needs {cls.BITS // 4} hex digits, not {text!r}")
        return cls(int(digits, 16))

    def hex(self) -> str:
        """Big-endian hex digits, zero-padded, no prefix."""
        return f"{int(self):0{self.BITS // 4}x}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}.from_hex('{self.hex()}')"


class Identity(_Hex):
    """Who acts: a 256-bit number."""

    __slots__ = ()
    FIELD = "__identity__"
    BITS = 256


class ConnectionId(_Hex):
    """One connection of a client: a 128-bit number."""

    __slots__ = ()
    FIELD = "__connection_id__"
    BITS = 128


class Uuid(_Hex):
    """A UUID as the 128-bit number its sixteen bytes spell in big-endian order."""

    __slots__ = ()
    FIELD = "__uuid__"
    BITS = 128

    @classmethod
    def from_uuid(cls, value: UUID) -> Self:
        """From the standard library's UUID."""
        return cls(value.int)

    def to_uuid(self) -> UUID:
        """As the standard library's UUID."""
        from uuid import UUID

        return UUID(int=int(self))


_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)


class Timestamp(_Special):
    """A point in time: microseconds since the Unix epoch, signed 64 bits."""

    __slots__ = ()
    FIELD = "__timestamp_micros_since_unix_epoch__"
    BITS = 64
    SIGNED = True

    @classmethod
    def from_datetime(cls, value: datetime.datetime) -> Self:
        """From an aware datetime; raises ValueError for a naive one, which names no point in time."""
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone names no point in time")
        return cls((value - _EPOCH) // _MICROSECOND)

    def to_datetime(self) -> datetime.datetime:
        """As a UTC datetime; raises OverflowError outside the years 1 to 9999."""
        return _EPOCH + datetime.timedelta(microseconds=int(self))


class TimeDuration(_Special):
    """A span of time: microseconds, signed 64 bits."""

    __slots__ = ()
    FIELD = "__time_duration_micros__"
    BITS = 64
    SIGNED = True

    @classmethod
    def from_timedelta(cls, value: datetime.timedelta) -> Self:
        """From a timedelta, exact to the microsecond."""
        return cls(value // _MICROSECOND)

    def to_timedelta(self) -> datetime.timedelta:
        """As a timedelta; raises OverflowError past its range of a billion days."""
        return datetime.timedelta(microseconds=int(self))


#: Index of the special product classes, by the name of their one field. (spec: wire 1.1)
SPECIAL_CLASSES: dict[str, type[_Special]] = {cls.FIELD: cls for cls in (Identity, ConnectionId, Timestamp, TimeDuration, Uuid)}


def f32_from_bits(bits: int) -> float:
    """The float of a 32-bit pattern, keeping every NaN distinct. `bits` is below 2^32."""
    if bits & 0x7FC00000 == 0x7F800000 and bits & 0x003FFFFF:
        return F32NaN(bits)
    value: float = struct.unpack("<f", bits.to_bytes(4, "little"))[0]
    return value


def f32_to_bytes(value: float | SupportsIndex) -> bytes:
    """The four bytes of a float; raises struct.error or OverflowError for what is no 32-bit float."""
    return value.bits.to_bytes(4, "little") if isinstance(value, F32NaN) else struct.pack("<f", value)
