"""Functions that see whether bytes are rows of a type, and where they end, without making the rows.

Of most parts of a row any bytes are a value, so a function written for the type only steps over them: it looks at lengths,
tags, booleans and the bytes of strings. Types it is not written for (nested deeply, or arrays of what takes no bytes) get None,
and the Python engine reads their rows. What a check takes the engine takes, and its rows end at the same place.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from bsatn.codec import Codec
from bsatn.codegen.runtime import Unsure
from bsatn.codegen.source import Source
from bsatn.shapes import Array, Bool, Bytes, Float, Int, Newtype, Product, Shape, String, Sum
from defs.store.state import Row

__all__ = ["GroupReader", "checker"]

GroupReader = Callable[[bytes, int, int], int]
"""(buffer, position, count) to the position after so many rows, maybe past the end. Raises anything for what is no row."""

_MAX_NEST, _MAX_NODES = 8, 500


class _NotWritten(Exception):
    """The type is none that a check is written for."""


@lru_cache(maxsize=1024)
def checker(codec: Codec[Row]) -> GroupReader | None:
    """The check for rows of this codec; None when there is none."""
    if not codec.min_width:
        return None
    try:
        width = _plain_width(codec.shape, 0)
        if width is not None:
            return lambda buffer, position, count: position + count * width
        return _Writer().function(codec.shape)
    except _NotWritten:
        return None


def _plain_width(shape: Shape, nest: int) -> int | None:
    """The bytes of a shape of which any are a value; None if it is no such shape."""
    if nest > _MAX_NEST:
        raise _NotWritten
    match shape:
        case Newtype():
            return shape.inner.bits // 8
        case Int() | Float():
            return shape.bits // 8
        case Product():
            widths = [_plain_width(part, nest + 1) for part in shape.fields]
            return None if None in widths else sum(width or 0 for width in widths)
    return None


class _Writer:
    """Writes `check(b, o, n)`. `ahead` bytes behind `o` are known to be stepped over before the next line that moves it."""

    def __init__(self) -> None:
        self.source = Source({"Unsure": Unsure, "u32": struct.Struct("<I").unpack_from})
        self.ahead = 0
        self.nodes = 0

    def function(self, shape: Shape) -> GroupReader:
        with self.source.block("def check(b, o, n):"):
            with self.source.block("for _ in range(n):"):
                self.step(shape, 0)
                self.settle()
            self.source.line("return o")
        check: GroupReader = self.source.compile("<check of rows>")["check"]
        return check

    def settle(self) -> None:
        if self.ahead:
            self.source.line(f"o += {self.ahead}")
            self.ahead = 0

    def step(self, shape: Shape, nest: int) -> None:
        """Lines that step over a value of the shape."""
        self.nodes += 1
        if nest > _MAX_NEST or self.nodes > _MAX_NODES:
            raise _NotWritten
        width = _plain_width(shape, 0)
        if width is not None:
            self.ahead += width
            return
        match shape:
            case Bool():
                with self.source.block(f"if b[o + {self.ahead}] > 1:"):
                    self.source.line("raise Unsure")
                self.ahead += 1
            case String():
                self.run(1)
                self.source.line("s = b[p:o]")
                with self.source.block("if not s.isascii():"):
                    self.source.line("s.decode()")
            case Bytes():
                self.run(1)
            case Product():
                for part in shape.fields:
                    self.step(part, nest + 1)
            case Sum():
                self.sum(shape, nest)
            case Array():
                self.array(shape, nest)
            case _:
                raise _NotWritten

    def run(self, width: int) -> None:
        """A length and so many elements of one width, from p to o."""
        self.source.line(f"p = o + {self.ahead + 4}")
        self.source.line(f"o = p + {width} * u32(b, p - 4)[0]" if width > 1 else "o = p + u32(b, p - 4)[0]")
        self.ahead = 0

    def sum(self, shape: Sum, nest: int) -> None:
        tag = self.source.name()
        self.source.line(f"{tag} = b[o + {self.ahead}]")
        before = self.ahead + 1
        for number, payload in enumerate(shape.payloads):
            with self.source.block(f"{'elif' if number else 'if'} {tag} == {number}:"):
                self.ahead = before
                self.step(payload, nest + 1)
                self.settle()
        self.ahead = 0
        with self.source.block("else:" if shape.payloads else "if True:"):
            self.source.line("raise Unsure")

    def array(self, shape: Array, nest: int) -> None:
        width = _plain_width(shape.element, 0)
        if width == 0:
            raise _NotWritten
        if width is not None:
            self.run(width)
            return
        self.source.line(f"o += {self.ahead + 4}")
        self.ahead = 0
        with self.source.block("for _ in range(u32(b, o - 4)[0]):"):
            self.step(shape.element, nest + 1)
            self.settle()
