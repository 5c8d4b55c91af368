"""What generated functions call: the few things worth a function of their own. All are pure; none knows a shape."""

from __future__ import annotations

import dataclasses
import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from bsatn.values import F32NaN, f32_from_bits

__all__ = [
    "SHORT",
    "GiveUp",
    "Unsure",
    "has_nan",
    "maker",
    "nan32",
    "pack_many",
    "short_packers",
    "short_unpackers",
    "twin_of",
    "unpack_floats",
    "unpack_many",
]

_SWAP = sys.byteorder == "big"
SHORT = 16  #: below so many elements, a struct made once beats a memoryview


class GiveUp(Exception):
    """The bytes, or the value, are wrong; the Construct engine says how."""


class Unsure(GiveUp):
    """A limit may be passed, or the type is too large to compile; the Construct engine decides."""


def nan32(data: bytes, offset: int) -> float:
    """The 32-bit NaN at `offset`, with its bits kept."""
    return f32_from_bits(int.from_bytes(data[offset : offset + 4], "little"))


def has_nan(data: bytes, start: int, stride: int) -> bool:
    """Whether an F32 whose top byte is at `start`, `start + stride`, ... may be a NaN (or is huge): a scan in C."""
    tops = data[start::stride]
    return 0x7F in tops or 0xFF in tops


@cache
def short_unpackers(code: str) -> tuple[Callable[[bytes, int], tuple[Any, ...]], ...]:
    """`unpack_from` of 0, 1, ... SHORT - 1 numbers of one struct code, by their count."""
    return tuple(struct.Struct(f"<{count}{code}").unpack_from for count in range(SHORT))


@cache
def short_packers(code: str) -> tuple[Callable[..., bytes], ...]:
    """`pack` of 0, 1, ... SHORT - 1 numbers of one struct code, by their count."""
    return tuple(struct.Struct(f"<{count}{code}").pack for count in range(SHORT))


def unpack_many(data: bytes, offset: int, count: int, code: str, width: int) -> list[Any]:
    """`count` numbers of one struct code from `offset`; raises GiveUp when the data is too short."""
    chunk = data[offset : offset + count * width]
    if len(chunk) != count * width:
        raise GiveUp
    if _SWAP:
        return list(struct.unpack(f"<{count}{code}", chunk))
    return memoryview(chunk).cast(code).tolist()  # type: ignore[call-overload, no-any-return]


def unpack_floats(data: bytes, offset: int, count: int) -> list[float]:
    """`count` F32 from `offset`, every NaN with its bits; raises GiveUp when the data is too short."""
    values = unpack_many(data, offset, count, "f", 4)
    if has_nan(data[offset : offset + 4 * count], 3, 4):
        for index, value in enumerate(values):
            if value != value:
                values[index] = nan32(data, offset + 4 * index)
    return values


def pack_many(code: str, values: Sequence[Any]) -> bytes:
    """Numbers of one struct code, back to back; raises what struct or array raise for values that do not fit."""
    if len(values) < SHORT:
        packed = short_packers(code)[len(values)](*values)
    else:
        numbers = array(code, values)
        if _SWAP:
            numbers.byteswap()
        packed = numbers.tobytes()
    if code == "f" and any(isinstance(value, F32NaN) for value in values):
        raise GiveUp
    return packed


def twin_of(cls: type[Any], attributes: tuple[str, ...]) -> type[Any] | None:
    """An unfrozen class of the same slots as a frozen record; None for a class with a say in its making.

    A frozen dataclass sets each field through object.__setattr__, which costs more than reading it from the wire. So the
    fields are set on an instance of the twin, which is then turned into the record: to both classes the object is the same
    few slots. A class with a say (__post_init__, no slots) is to be called as usual.
    """
    params = getattr(cls, "__dataclass_params__", None)
    slots = tuple(cls.__dict__.get("__slots__", ()))
    if params is None or slots != attributes or hasattr(cls, "__post_init__") or not attributes:
        return None
    if tuple(f.name for f in dataclasses.fields(cls)) != attributes:
        return None
    return type(cls.__name__, cls.__bases__, {"__slots__": slots})


def maker(cls: type[Any], attributes: tuple[str, ...]) -> Callable[..., Any]:
    """A function that makes an instance of a frozen, slotted record from its fields, fast: by way of its twin."""
    twin = twin_of(cls, attributes)
    if twin is None:
        return cls
    names = [f"v{index}" for index in range(len(attributes))]
    lines = [f"def make({', '.join(names)}):", "    self = new(twin)"]
    lines += [f"    self.{attribute} = {name}" for attribute, name in zip(attributes, names, strict=True)]
    lines += ["    self.__class__ = cls", "    return self"]
    space: dict[str, Any] = {"new": object.__new__, "twin": twin, "cls": cls}
    exec("\n".join(lines), space)  # noqa: S102 - attribute names are identifiers by dataclass's own check
    make: Callable[..., Any] = space["make"]
    return make
