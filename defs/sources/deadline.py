"""A bound on wall-clock time for work that cannot be asked to stop.

The work runs in a daemon thread with a stack of known size, and the caller waits only so long. That keeps
Ctrl-C working while native code runs, and lets a caller walk away from a compiler or a name lookup that does
not end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_STACK_BYTES = 16 << 20
_starting = threading.Lock()  # threading.stack_size is a process-wide setting


class Overrun(Exception):
    """The time is up and the work has not ended."""


class _Outcome(Generic[T]):
    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.value: T | None = None


def within(seconds: float, work: Callable[[], T], *, interrupt: Callable[[], None] | None = None, grace: float = 0.0) -> T:
    """What `work()` returns or raises, if it ends within `seconds`; else `Overrun`.

    When time is up, `interrupt()` is called first and the work gets `grace` more seconds to end by itself;
    what it then returns or raises counts. `interrupt()` is also called when waiting is broken off (Ctrl-C).
    """
    outcome: _Outcome[T] = _Outcome()

    def run() -> None:
        try:
            outcome.value = work()
        except BaseException as error:  # noqa: BLE001  # handed to the waiting thread, whatever it is
            outcome.error = error
        finally:
            outcome.done.set()

    _start(threading.Thread(target=run, name="bsatn-source", daemon=True))
    ended = False
    try:
        ended = outcome.done.wait(seconds)
    finally:
        if not ended and interrupt is not None:
            interrupt()
    if not ended and not outcome.done.wait(grace):
        raise Overrun
    if outcome.error is not None:
        try:
            raise outcome.error
        finally:
            outcome.error = None  # no cycle through the traceback
    return outcome.value  # type: ignore[return-value]  # set whenever there is no error


def _start(thread: threading.Thread) -> None:
    with _starting:
        before = threading.stack_size()
        try:
            threading.stack_size(max(before, _STACK_BYTES))
        except ValueError:  # the platform wants another size: keep its own
            before = -1
        try:
            thread.start()
        finally:
            if before >= 0:
                threading.stack_size(before)
