"""Memory: the peak while rows are decoded, against a plain list of equal tuples, built of fresh objects.

Of columns, which Python's tracer does not see: what the process comes to hold at most, against the size of Arrow's buffers.
"""

from __future__ import annotations

import gc
import resource
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


def column_footprint(columns: Callable[[bytes], Any], data: bytes) -> dict[str, object]:
    """To be asked of a process that has done nothing else yet: the most it has held never shrinks."""
    columns(data[:0])  # what is made once
    before = held()
    made = columns(data)
    return {"plain": made.nbytes, "peak": held() - before}


def held() -> int:
    """The most bytes that this process has had in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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
