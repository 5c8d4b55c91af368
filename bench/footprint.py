"""Memory: the peak while rows are decoded, against a plain list of equal tuples, built of fresh objects."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from operator import neg
from typing import Any


def footprint(decode: Callable[[bytes], Any], data: bytes) -> dict[str, object]:
    rows = decode(data)  # also has whatever is made once made before anything is traced
    gc.collect()  # empties the free lists too, whose objects aren't traced when they're used again
    tracemalloc.start()
    try:
        plain = fresh(rows)
        size = tracemalloc.get_traced_memory()[0]
        del plain, rows
        gc.collect()
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        kept = decode(data)
        peak = tracemalloc.get_traced_memory()[1] - before
        del kept
    finally:
        tracemalloc.stop()
    return {"plain": size, "peak": peak}


def fresh(value: Any) -> Any:
    """An equal value that shares no object, but for those Python itself shares."""
    if isinstance(value, tuple):
        return tuple([fresh(item) for item in value])
    if isinstance(value, list):
        return [fresh(item) for item in value][:]  # a slice has no room to spare
    if isinstance(value, str):
        return value.encode().decode()
    if isinstance(value, bytes):
        return bytes(bytearray(value))
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return neg(neg(value))
    if isinstance(value, float):
        return float.fromhex(value.hex())
    raise TypeError(f"no plain form of {type(value).__name__}")
