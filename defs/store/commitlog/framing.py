"""Commits made by the native engine, some at a time. What is not as it should be is left to `walking`, which looks closer."""

from __future__ import annotations

from functools import partial

from bsatn._native import frames
from defs.store.commitlog.layout import MAX_TX_OFFSET
from defs.store.commitlog.model import Commit, Run, Within

__all__ = ["framed"]

_SOME = 128  #: commits at once: what one reader takes while the processor still has it at hand

_commit = partial(tuple.__new__, Commit)


def framed(data: bytes, at: int, within: Within, position: int, expected: int) -> Run | None:
    """The first commits in `data` from `at` on, `expected` their first transaction; None if the first needs care.

    `position` is that of `at` in the segment.
    """
    found = frames(data, at, within, position, expected, _SOME) if expected <= MAX_TX_OFFSET else ()
    if not found:
        return None
    commits = list(map(_commit, found))
    last = commits[-1]
    size = last.byte_offset + last.len - position
    return Run(expected, last.end_tx_offset - expected, len(commits), 0, size, last.min_tx_offset, last.checksum, commits)
