"""Work that may nest as deep as `Limits.depth` lets it, whoever calls it from how deep."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["on_enough_stack"]

_R = TypeVar("_R")


def on_enough_stack(work: Callable[[], _R]) -> _R:
    """Do the work; once more on a thread of its own, which starts with an empty stack, if this one is too full.

    Raises what the work raises: RecursionError, when a fresh stack is not enough either.
    """
    try:
        return work()
    except RecursionError:
        pass
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((work(), None))
        except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread
            outcome.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    result, error = outcome[0]
    if error is not None:
        raise error
    done: _R = result
    return done
