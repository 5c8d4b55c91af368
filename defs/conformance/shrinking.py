"""A question made as small as it gets while it still fails in the same way.

`shrink` walks through the smaller questions that `questions.reducing` knows, takes the first that still fails and goes on from
where it was, until none does or the budget is spent. Nothing is drawn, so the same question shrinks to the same one; nothing
is asked twice. Each step is smaller by weight, so it ends; and by time, so that it ends with a testee that hangs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from bsatn.errors import BsatnError
from defs.conformance.questions.making import Question
from defs.conformance.questions.reducing import plainer, smaller, weight

__all__ = ["Budget", "shrink"]


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of one shrinking: how often it asks, and for how long, in seconds; a question on its way is waited for."""

    asks: int = 4000
    seconds: float = 30.0


def shrink(question: Question, still_fails: Callable[[Question], bool], *, budget: Budget | None = None) -> Question:
    """The smallest question found for which `still_fails`; the question itself if there is none."""
    return _Shrinking(still_fails, budget or Budget()).run(question)


class _Spent(Exception):
    """The budget is."""


class _Shrinking:
    def __init__(self, still_fails: Callable[[Question], bool], budget: Budget) -> None:
        self.still_fails = still_fails
        self.left, self.until = budget.asks, time.monotonic() + budget.seconds
        self.seen: set[str] = set()
        self.best: Question | None = None

    def run(self, question: Question) -> Question:
        self.best = question
        self.seen.add(question.key)
        try:
            for plain in plainer(question):
                if self.fails(plain):
                    self.best = plain
                    break
            while self.round():
                pass
        except _Spent:
            pass
        return self.best

    def round(self) -> bool:
        """Once through all smaller questions, going on with each that fails; whether one did."""
        found, at = False, 0
        while True:
            step = self.step(at)
            if step is None:
                return found
            found, at = True, step

    def step(self, at: int) -> int | None:
        """The number of the first smaller question from `at` that fails, which is then the best; None if there is none."""
        assert self.best is not None
        heavy = weight(self.best)
        try:
            for number, candidate in enumerate(islice(smaller(self.best), at, None), at):
                if weight(candidate) < heavy and self.fails(candidate):
                    self.best = candidate
                    return number
        except (BsatnError, RecursionError):  # it cannot be read to the end: what is found so far holds
            return None
        return None

    def fails(self, candidate: Question) -> bool:
        key = candidate.key
        if key in self.seen:
            return False
        self.seen.add(key)
        if self.left <= 0 or time.monotonic() > self.until:
            raise _Spent
        self.left -= 1
        return self.still_fails(candidate)
