"""Failing cases made small: of each kind of failure one case, and the smallest question that shows the same difference.

What is right about a question that no vector asks is what this library answers. The kind of a failure is the signature by which
fuzzing groups its findings; a case of a kind that was reduced before is not reduced again. Each has a budget of time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defs.conformance.asking import Ask, Crashed, Difference, Reply, Skipped, in_process
from defs.conformance.process import BadTestee, Testee
from defs.conformance.questions.comparing import Outcome, Signature, compare, signature
from defs.conformance.questions.making import MAKERS, Question
from defs.conformance.running import Run, choose, judge
from defs.conformance.shrinking import Budget, shrink
from defs.vectors.files import default_directory

__all__ = ["MAX_CASES", "Reduced", "reduce_failures"]

MAX_CASES = 20  #: kinds of failures that are reduced
HURRY = 5  #: how many times less a testee is waited for that was late
_BUDGET = Budget(asks=2000, seconds=10.0)


@dataclass(frozen=True, slots=True)
class Reduced:
    """The smallest question found, and what differs in its reply."""

    request: dict[str, Any]
    differences: tuple[Difference, ...]

    @property
    def words(self) -> str:
        return "; ".join(map(str, self.differences))


def reduce_failures(
    run: Run,
    command: str | Sequence[str],
    directory: Path | None = None,
    *,
    timeout: float = 10.0,
    startup: float = 60.0,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Reduced]:
    """By the id of a failing case; those there are by then, if the testee does not start any more or the user presses Ctrl-C.

    `progress` is told the id that is at work.
    """
    place = directory or default_directory()
    wanted = [result for result, _ in run.failures if result.status != "skipped" and result.status != "pass"]
    ids = {result.id for result in wanted}
    cases = {one.case["id"]: one for one in choose(place, {result.area: None for result in wanted}) if one.case["id"] in ids}
    found: dict[str, Reduced] = {}
    seen: set[Signature] = set()
    with suppress(BadTestee, KeyboardInterrupt), Testee(command, timeout=timeout, startup=startup) as testee:
        for result in wanted:
            if len(found) == MAX_CASES:
                break
            progress(result.id)
            testee.timeout = timeout / HURRY if result.detail.startswith("late") else timeout
            recorded = _Recording(testee.ask)
            judge(result.area, cases[result.id].case, place, recorded)
            for question in recorded.questions:
                reduced = _reduced(question, testee.ask, seen)
                if reduced is not None:
                    found[result.id] = reduced
                    break
    return found


class _Recording:
    """An Ask that keeps what was asked."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.questions: list[Question] = []

    def __call__(self, op: str, fields: Mapping[str, Any]) -> Reply:
        if op in MAKERS:
            self.questions.append(Question(op, dict(fields)))
        return self.ask(op, fields)


def _reduced(question: Question, ask: Ask, seen: set[Signature]) -> Reduced | None:
    """The smallest question like it; None where nothing differs, or only what was seen before."""
    found = _compared(question, ask)
    kind = signature(question, found) if found else None
    if kind is None or kind in seen:
        return None
    seen.add(kind)

    def still_fails(other: Question) -> bool:
        differences = _compared(other, ask)
        return bool(differences) and signature(other, differences) == kind

    smallest = shrink(question, still_fails, budget=_BUDGET)
    return Reduced(smallest.request(), tuple(_compared(smallest, ask) or found))


def _compared(question: Question, ask: Ask) -> list[Difference]:
    try:
        return compare(question, _outcome(question, in_process()), _outcome(question, ask))
    except (Skipped, BadTestee):
        return []


def _outcome(question: Question, ask: Ask) -> Outcome:
    try:
        return ask(question.op, question.fields)
    except Crashed as crashed:
        return crashed
