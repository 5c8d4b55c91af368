"""Python's cyclic garbage collector, out of the way while many values are made, and right after.

After work that made many objects CPython's next collection of the young walks them all, finds nothing to free, and takes up to
half as long as the work did. So that collection is done before the work, when there is little to walk; and what the work made
is counted as old at once: `gc.freeze()` and `gc.unfreeze()` put it there without walking it.

Those two also forget how much was made since the last full collection, by which CPython tells when the next one is due.
`_Books` remembers: once that is more than `GROWTH` times what the last full collection left and `SPARE` more, the next work
begins with a full collection. So

- garbage that is not old yet is found when the next work begins, if not before;
- old garbage is at most so much, and what one work makes;
- full collections are so far apart that for every `GROWTH` objects made at most one that is in use is walked.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

__all__ = ["LARGE", "collector_paused"]

LARGE = 1 << 15  #: bytes to read from which on pausing the garbage collector pays
GROWTH = 2
SPARE = 1 << 19  #: objects that the collector knows, such as rows


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cyclic garbage collection inside; what was made is old afterwards, unless the work raises.

    For work that makes many objects and no cycles: a collection would find nothing to free, yet each one walks all that was
    made so far, which turns large work from linear to worse. Memory is freed by reference counts as ever. Nothing is done
    where the collector is off. It is only paused where the program froze objects of its own, which must stay so; where a
    threshold is zero; and on a Python whose collector is another.
    """
    if not gc.isenabled() or not _PAUSE.acquire(blocking=False):
        yield
        return
    try:
        _BOOKS.before()
        gc.disable()
        try:
            yield
            _BOOKS.after()
        finally:
            gc.enable()
    finally:
        _PAUSE.release()


class _Books:
    """What CPython forgets: how many objects were `made` since a full collection left so many `alive`."""

    def __init__(self) -> None:
        self.usable = sys.implementation.name == "cpython" and "free-threading" not in sys.version
        self.made = 0
        self.alive = 0
        self.unseen = 0  #: made since the last full collection, and not yet counted here

    def before(self) -> None:
        """The collection that is due."""
        thresholds = gc.get_threshold() if self.usable else (0, 0, 0)
        if not all(thresholds):
            return
        young, middle, old = gc.get_count()
        self.unseen = young + thresholds[0] * (middle + thresholds[1] * old)
        if gc.get_freeze_count():
            self.usable = False  # for good: counting them takes time
        elif self.made > GROWTH * self.alive + SPARE:
            gc.collect()
            self.made, self.unseen, self.alive = 0, 0, _grow_old(gc.get_freeze_count)
        else:
            gc.collect(min(middle, 1))

    def after(self) -> None:
        """What was made is old, where there is so much that it would be walked now."""
        count = gc.get_count()[0]
        if self.usable and all(gc.get_threshold()) and count > gc.get_threshold()[0] and not gc.get_freeze_count():
            self.made += count + self.unseen
            _grow_old()


def _grow_old(count: Callable[[], int] = int) -> int:
    """Whatever is alive is old; `count` is asked meanwhile."""
    gc.freeze()
    try:
        return count()
    finally:
        gc.unfreeze()


_BOOKS = _Books()
_PAUSE = Lock()  #: held by the one that paused the collector
