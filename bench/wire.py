"""BSATN by hand: just enough packing to make the inputs without asking the library that is being measured."""

from __future__ import annotations

import struct
from collections.abc import Iterable

REF, SUM, PRODUCT, ARRAY = b"\x00", b"\x01", b"\x02", b"\x03"
STRING, BOOL, I8, U8, I16, U16, I32, U32, I64, U64 = (bytes([tag]) for tag in range(4, 14))
I128, U128, I256, U256, F32, F64 = (bytes([tag]) for tag in range(14, 20))
UNIT = PRODUCT + bytes(4)
NONE = b"\x01"


def u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")


def u64(value: int) -> bytes:
    return value.to_bytes(8, "little")


def i64(value: int) -> bytes:
    return value.to_bytes(8, "little", signed=True)


def i128(value: int) -> bytes:
    return value.to_bytes(16, "little", signed=True)


def f32(value: float) -> bytes:
    return struct.pack("<f", value)


def f64(value: float) -> bytes:
    return struct.pack("<d", value)


def text(value: str) -> bytes:
    data = value.encode()
    return u32(len(data)) + data


def items(values: Iterable[bytes]) -> bytes:
    parts = list(values)
    return u32(len(parts)) + b"".join(parts)


def some(value: bytes) -> bytes:
    return b"\x00" + value


def members(named: dict[str, bytes]) -> bytes:
    """Product elements or sum variants, which have one layout: an optional name and a type."""
    return items(some(text(name)) + kind for name, kind in named.items())


def product_type(**elements: bytes) -> bytes:
    return PRODUCT + members(elements)


def sum_type(**variants: bytes) -> bytes:
    return SUM + members(variants)


def array_type(element: bytes) -> bytes:
    return ARRAY + element


def option_type(kind: bytes) -> bytes:
    return sum_type(some=kind, none=UNIT)


def result_type(ok: bytes, err: bytes) -> bytes:
    return sum_type(ok=ok, err=err)


def ref_type(index: int) -> bytes:
    return REF + u32(index)


IDENTITY = product_type(__identity__=U256)
CONNECTION_ID = product_type(__connection_id__=U128)
TIMESTAMP = product_type(__timestamp_micros_since_unix_epoch__=I64)
TIME_DURATION = product_type(__time_duration_micros__=I64)
