"""Python's cyclic garbage collector, out of the way while many values are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LARGE", "collector_paused"]

LARGE = 1 << 15  #: bytes to read from which on pausing the garbage collector pays


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cyclic garbage collection inside.

    For work that makes many objects and no cycles: a collection would find nothing to free, yet each one walks all that was
    made so far, which turns large work from linear to worse. Memory is freed by reference counts as ever.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
