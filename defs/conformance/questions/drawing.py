"""Types, typespaces and the bytes of values, drawn from a `random.Random`: right ones, and ones with a fault where it hurts.

Bytes are written by the type alone, by no codec, so that no fault of a codec can hide in them. Tables of edges say what is
drawn more often than chance would: the ends of integers, floats that are not numbers, texts of every length of UTF-8.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from bsatn import types as t
from bsatn.stack import on_enough_stack
from defs.conformance.questions.trees import WIDTHS, Smallest, is_bytes, resolve

__all__ = ["BROKEN_TEXTS", "NAMES", "TEXTS", "draw_space", "draw_type", "draw_value"]

NAMES = ("a", "b", "c", "x", "y", "id", "name", "kind", "value", "fooBar", "Foo", "is_event")
ODD_NAMES = (
    "", "a", "some", "none", "ok", "err", "__identity__", "__timestamp_micros_since_unix_epoch__", "0", "a b", "é", "\0", '"',
)  # fmt: skip
TEXTS = (
    "", "a", "A", "0", "abc", "\0", "é", "\u07ff", "\u0800", "\ud7ff", "\ufeff", "\uffff", "\U00010000", "\U0010ffff", "🍌",
    "a" * 255,
)  # fmt: skip
BROKEN_TEXTS = (
    b"\x80", b"\xff", b"\xc0\x80", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80",
)  # fmt: skip
_FLOATS = {
    4: [struct.pack("<I", bits) for bits in (
        0, 1 << 31, 1, 0x7FFFFF, 0x800000, 0x3F800000, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFC12345,
        0x3DCCCCCD)],
    8: [struct.pack("<Q", bits) for bits in (
        0, 1 << 63, 1, 0x3FF0000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF << 52, 0x7FF << 52 | 1, 0xFFF << 52, 0x7FF8 << 48,
        0xFFF8000000012345, 0x3FB999999999999A)],
}  # fmt: skip
_SPECIALS: tuple[t.AlgebraicType, ...] = (*t.SPECIAL_PRODUCTS.values(), t.SCHEDULE_AT, t.UNIT, t.BYTES)
_COUNTS = (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x10000)
_FUEL = 40  #: parts of a value, after which it takes the shortest way to its end
FAULT = 0.12  #: how often a part of a faulty value is at fault


# Types ------------------------------------------------------------------------------------------------------------------


def draw_type(source: random.Random, refs: int = 0, size: int = 12) -> t.AlgebraicType:
    """A type of about `size` parts at most; references are below `refs`, but for a rare one."""
    if size <= 1 or source.random() < 0.3:
        return _leaf(source, refs)
    return _COMPOSITES[source.randrange(len(_COMPOSITES))](source, refs, size - 1)


def _leaf(source: random.Random, refs: int) -> t.AlgebraicType:
    drawn = source.random()
    if refs and drawn < 0.35:
        return t.Ref(source.randrange(refs))
    if drawn > 0.995:
        return t.NEVER if drawn > 0.998 else t.Ref(refs + source.randrange(2))
    return source.choice(_SPECIALS if drawn > 0.8 else t.PRIMITIVES)


def _names(source: random.Random, count: int) -> list[str | None]:
    drawn = source.random()
    if drawn < 0.15:
        return [None] * count
    if drawn > 0.95:
        return [source.choice((None, *ODD_NAMES)) for _ in range(count)]
    if drawn < 0.5 and count <= len(NAMES):
        return list(source.sample(NAMES, count))
    return [f"f{place}" for place in range(count)]


def _parts(source: random.Random, refs: int, size: int, most: int) -> list[t.AlgebraicType]:
    count = min(source.randrange(most + 1), size)
    return [draw_type(source, refs, max(1, size // max(count, 1))) for _ in range(count)]


def _product(source: random.Random, refs: int, size: int) -> t.AlgebraicType:
    parts = _parts(source, refs, size, 6)
    return t.ProductType(tuple(map(t.ProductTypeElement, _names(source, len(parts)), parts)))


def _sum(source: random.Random, refs: int, size: int) -> t.AlgebraicType:
    parts = _parts(source, refs, size, 6)
    if source.random() < 0.02:
        parts += [t.UNIT] * source.choice((120, 250))
    return t.SumType(tuple(map(t.SumTypeVariant, _names(source, len(parts)), parts)))


def _enumeration(source: random.Random, refs: int, size: int) -> t.AlgebraicType:
    count = 1 + source.randrange(10)
    return t.SumType(tuple(t.SumTypeVariant(name, t.UNIT) for name in _names(source, count)))


_COMPOSITES: tuple[Callable[[random.Random, int, int], t.AlgebraicType], ...] = (
    _product, _product, _sum, _enumeration,
    lambda source, refs, size: t.ArrayType(draw_type(source, refs, size)),
    lambda source, refs, size: t.ArrayType(draw_type(source, refs, size)),
    lambda source, refs, size: t.option_type(draw_type(source, refs, size)),
    lambda source, refs, size: t.result_type(draw_type(source, refs, size // 2), draw_type(source, refs, size // 2)),
)  # fmt: skip


def draw_space(source: random.Random) -> t.Typespace:
    """A typespace, most often an empty one; its entries refer to one another and to themselves.

    An entry that is a reference itself is rare: a circle of them takes a testee that follows it a timeout each.
    """
    count = source.choice((0, 0, 0, 1, 2, 3, 4))
    entries = [draw_type(source, count, 6) for _ in range(count)]
    for at, entry in enumerate(entries):
        if isinstance(entry, t.Ref) and source.random() < 0.95:
            entries[at] = t.ArrayType(entry)
    return t.Typespace(tuple(entries))


# Values -----------------------------------------------------------------------------------------------------------------


def draw_value(source: random.Random, kind: t.AlgebraicType, space: t.Typespace, faulty: bool = False) -> bytes:
    """Bytes of a value of the type; with `faulty`, some parts are wrong. Of a type without values: the start of one."""
    writer = _Writer(source, space, FAULT if faulty else 0.0)
    on_enough_stack(lambda: writer.write(kind, 0))
    return bytes(writer.out)


class _Writer:
    def __init__(self, source: random.Random, space: t.Typespace, fault: float) -> None:
        self.source, self.space, self.fault = source, space, fault
        self.smallest = Smallest(space)
        self.fuel, self.out = _FUEL, bytearray()

    def wrong(self) -> bool:
        return self.fault > 0 and self.source.random() < self.fault

    def write(self, kind: t.AlgebraicType, depth: int) -> None:
        kind = resolve(kind, self.space)
        self.fuel -= 1
        if isinstance(kind, t.Ref) or depth > 200:
            return
        if self.fuel < 0 or depth > 60:
            self.out += self.smallest.of(kind) or b""
        elif isinstance(kind, t.ProductType):
            for part in kind.elements:
                self.write(part.algebraic_type, depth + 1)
        elif isinstance(kind, t.SumType):
            self.sum(kind, depth)
        elif kind == t.STRING:
            self.string()
        elif is_bytes(kind, self.space):
            self.counted(self.source.randbytes(self.source.choice((0, 1, 2, 5, 16))))
        elif isinstance(kind, t.ArrayType):
            self.array(kind, depth)
        elif kind == t.BOOL:
            self.out.append(self.source.choice((2, 3, 7, 128, 255)) if self.wrong() else self.source.randrange(2))
        else:
            self.number(kind)

    def sum(self, kind: t.SumType, depth: int) -> None:
        tags = [tag for tag, part in enumerate(kind.variants[:256]) if self.smallest.of(part.algebraic_type) is not None]
        if not tags or self.wrong():
            self.out.append(self.source.choice((min(len(kind.variants), 255), 255, 2, 7, 0)))
            return
        tag = (self.smallest.tag(kind) or 0) if self.fuel < 0 else self.source.choice(tags)
        self.out.append(tag)
        self.write(kind.variants[tag].algebraic_type, depth + 1)

    def array(self, kind: t.ArrayType, depth: int) -> None:
        empty = self.smallest.of(kind.element) is None or self.fuel < 0
        count = 0 if empty else self.source.choice((0, 1, 1, 2, 3, 9))
        said = count
        if self.wrong():
            said = self.source.choice((count + 1, max(count - 1, 0), self.source.choice(_COUNTS)))
        self.out += struct.pack("<I", said)
        for _ in range(count):
            self.write(kind.element, depth + 1)

    def string(self) -> None:
        if self.wrong():
            self.counted(b"a" * self.source.randrange(3) + self.source.choice(BROKEN_TEXTS))
        elif self.source.random() < 0.5:
            self.counted(self.source.choice(TEXTS).encode())
        else:
            codes = (self.source.choice((0x7F, 0x7FF, 0xD7FF, 0x10FFFF)) for _ in range(self.source.randrange(6)))
            text = "".join(chr(self.source.randrange(code + 1)) for code in codes)
            self.counted(text.encode("utf-8", "replace"))

    def counted(self, data: bytes) -> None:
        said = self.source.choice((len(data) + 1, max(len(data) - 1, 0), *_COUNTS)) if self.wrong() else len(data)
        self.out += struct.pack("<I", said) + data

    def number(self, kind: t.AlgebraicType) -> None:
        width = WIDTHS[kind]
        if kind in (t.F32, t.F64):
            simple = struct.pack("<f" if width == 4 else "<d", self.source.randrange(-2000, 2000) / 16)
            self.out += self.source.choice((self.source.choice(_FLOATS[width]), self.source.randbytes(width), simple))
            return
        bits = width * 8
        edges = (0, 1, (1 << bits) - 1, 1 << bits - 1, (1 << bits - 1) - 1, 1 << 53, (1 << 53) + 1, 1 << 64, 1 << 127)
        drawn = self.source.choice((self.source.choice(edges), self.source.getrandbits(self.source.randrange(1, bits + 1))))
        self.out += (drawn & (1 << bits) - 1).to_bytes(width, "little")
