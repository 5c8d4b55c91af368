"""What the nodes read from and write to: the bytes, and the place in the value, carried along for every error.

A node never catches an error to extend its path: Reader and Writer know the path when they word it. (spec: wire 1, 3)
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, ClassVar

from bsatn.errors import DecodeError, EncodeError, LimitExceeded
from bsatn.limits import Limits
from bsatn.shapes import Case, Shape

MAX_LENGTH = 0xFFFF_FFFF  #: Lengths and counts are a u32: the one limit that encoding has upstream. (spec: wire 1)


class Role(enum.Enum):
    """What a read is for."""

    VALUE = "value"
    LENGTH = "length"  #: of a string or byte string, in bytes
    COUNT = "count"  #: of an array, in elements
    TAG = "tag"  #: of a sum


@dataclass(frozen=True, slots=True)
class Read:
    """One primitive read: the bytes, what for, at which shape, and how many containers were open."""

    offset: int
    data: bytes
    role: Role
    shape: Shape
    path: tuple[str | int, ...]
    depth: int


class _Cursor:
    """What is open around the value in hand: the place, outermost step first, and the depth."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.place: list[str | int] = []
        self.depth = 0

    def where(self) -> int | None:
        """Offset for an error about a limit."""
        return None

    def open(self) -> None:
        """An array, product or sum begins."""
        self.depth += 1
        if self.depth > self.limits.depth:
            what = "the value is nested too deep"
            raise LimitExceeded("depth", self.limits.depth, what, offset=self.where(), path=tuple(self.place))

    def close(self) -> None:
        """It ends."""
        self.depth -= 1


class Reader(_Cursor):
    """The bytes still to be read, from `offset` on."""

    def __init__(self, data: bytes, offset: int, limits: Limits) -> None:
        super().__init__(limits)
        self.data = data
        self.offset = offset
        self.end = len(data)
        self.empty = 0

    def where(self) -> int | None:
        return self.offset

    def take(self, length: int, for_type: str, role: Role, shape: Shape) -> bytes:
        """The next `length` bytes; `for_type` is what the error calls them. (spec: wire 3)"""
        start = self.offset
        stop = start + length
        if stop > self.end:
            raise self.error("BufferLength", start, for_type=for_type, expected=length, given=self.end - start)
        self.offset = stop
        return self.data[start:stop]

    def length(self, role: Role, shape: Shape) -> int:
        """The u32 before a string, a byte string or an array. (spec: wire 1)"""
        return int.from_bytes(self.take(4, "u32", role, shape), "little")

    def spend(self, count: int, offset: int) -> None:
        """Pay for values that take no bytes, of which the input cannot run out. (spec: wire 1)"""
        self.empty += count
        if self.empty > self.limits.empty_elements:
            what = f"{self.empty} values that take no bytes"
            raise LimitExceeded("empty_elements", self.limits.empty_elements, what, offset=offset, path=tuple(self.place))

    def error(self, kind: str, offset: int, **fields: Any) -> DecodeError:
        """The error of what begins at `offset`, at the place in hand."""
        return DecodeError(kind, offset=offset, path=tuple(self.place), **fields)


class TracingReader(Reader):
    """A Reader that reports each read to `report` once its bytes are there."""

    def __init__(self, data: bytes, offset: int, limits: Limits, report: Callable[[Read], object]) -> None:
        super().__init__(data, offset, limits)
        self.report = report

    def take(self, length: int, for_type: str, role: Role, shape: Shape) -> bytes:
        start = self.offset
        data = super().take(length, for_type, role, shape)
        self.report(Read(start, bytes(data), role, shape, tuple(self.place), self.depth))
        return data


class StreamReader(Reader):
    """A Reader of a binary stream; takes no byte past the value. Offsets count as the stream does."""

    CHUNK: ClassVar[int] = 1 << 16  #: What is asked of the stream at once: a length read from it may be a lie.

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        super().__init__(b"", _tell(stream), limits)
        self.stream = stream

    def take(self, length: int, for_type: str, role: Role, shape: Shape) -> bytes:
        chunks: list[bytes] = []
        missing = length
        while missing and (chunk := self.stream.read(min(missing, self.CHUNK))):
            chunks.append(chunk)
            missing -= len(chunk)
        if missing:
            raise self.error("BufferLength", self.offset, for_type=for_type, expected=length, given=length - missing)
        self.offset += length
        return b"".join(chunks)


def _tell(stream: BinaryIO) -> int:
    """The stream's position; 0 for one that has none, such as a socket's."""
    try:
        return stream.tell()
    except (AttributeError, OSError):
        return 0


class Writer(_Cursor):
    """The bytes written so far."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.out = bytearray()

    def prefix(self, length: int) -> None:
        """The u32 before a string, a byte string or an array. (spec: wire 1)"""
        if length > MAX_LENGTH:
            raise self.error("TooLong", f"the length {length} is past {MAX_LENGTH}, the most a u32 can say")
        self.out += length.to_bytes(4, "little")

    def error(self, kind: str, message: str, **fields: Any) -> EncodeError:
        """The error of the value in hand."""
        return EncodeError(kind, message, path=tuple(self.place), **fields)

    def wrong(self, kind: str, expected: str, value: Any) -> EncodeError:
        """The error of a value that is not what was expected."""
        found = describe(value)
        return self.error(kind, f"expected {expected}, found {found}", expected=expected, found=found)

    def open_cases(self, cases: tuple[Case, ...], value: Any) -> Any:
        """The payload inside case classes, outermost first."""
        for case in cases:
            if not isinstance(value, case.cls):
                raise self.wrong("WrongType", f"a {case.cls.__name__}", value)
            value = getattr(value, case.attribute)
            self.place.append(case.attribute)
        return value


def describe(value: Any) -> str:
    """A value in a few words for an error: plain ones as written, others, which may be vast, by type."""
    kind = type(value)
    if value is None:
        return "None"
    if kind is int and value.bit_length() > 512:
        return f"an int of {value.bit_length()} bits"
    if kind in (bool, int, float):
        return f"{kind.__name__} {value!r}"
    if kind in (str, bytes):
        return f"{kind.__name__} {value[:40]!r}{'…' if len(value) > 40 else ''}"
    if kind in (list, tuple, dict, set):
        return f"a {kind.__name__} of length {len(value)}"
    return f"a {kind.__qualname__}"
