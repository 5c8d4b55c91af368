"""Differential fuzzing: the same questions asked of two implementations, what they answer otherwise, each kind of it once.

Questions follow from the seed and their number, so a run can be repeated, whatever the number of jobs. What differs is grouped
by its signature (the op, what differs, kinds of errors), and of each group a few of the smallest questions, about different
types, are shrunk; those that end with the same type are one finding.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import bsatn
from defs.conformance.asking import REQUIRED, Ask, Crashed, Difference, Level, Skipped, in_process
from defs.conformance.process import PROTOCOL, BadTestee, Hello, Testee
from defs.conformance.questions.comparing import Outcome, Signature, compare, signature
from defs.conformance.questions.grouping import Asked, Group
from defs.conformance.questions.making import MAKERS, Question, make
from defs.conformance.questions.reducing import weight
from defs.conformance.shrinking import Budget, shrink

__all__ = ["Finding", "Fuzz", "Options", "Progress", "fuzz"]

Side: TypeAlias = str | Sequence[str] | Ask  #: a command, or a function that asks
Progress: TypeAlias = Callable[[str, int, int], None]  #: of what is done (`asked`, `shrunk`), how often, and differences so far

_CHUNK = 4  #: questions that a worker takes at a time: those that share a type
TICK = 0.2  #: seconds
HURRY = 5  #: a testee that hangs gets this much less time while its question shrinks


@dataclass(frozen=True, slots=True)
class Options:
    """What to ask, for how long: `count` questions, or `seconds` when given; timeouts in seconds; `level` that counts."""

    ops: tuple[str, ...] = tuple(MAKERS)
    seed: int = 0
    count: int = 10_000
    seconds: float | None = None
    jobs: int = 1
    timeout: float = 10.0
    level: Level = "recommended"
    budget: Budget | None = field(default_factory=Budget)  #: of shrinking one question; None: none shrinks


@dataclass(slots=True)
class Finding:
    """One kind of difference: `count` questions showed it, the first was `number`; `question` is the smallest, once shrunk."""

    signature: Signature
    count: int
    number: int
    question: Question
    differences: list[Difference]
    expected: Outcome
    got: Outcome

    @property
    def level(self) -> Level:
        return self.differences[0].level


@dataclass(slots=True)
class Fuzz:
    """What came of it. `asked` and `skipped` count questions by op."""

    testee: Hello
    against: Hello
    options: Options
    asked: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    different: int = 0  #: questions that were answered otherwise
    findings: list[Finding] = field(default_factory=list)
    ops: tuple[str, ...] = ()
    interrupted: bool = False
    crashes: int = 0
    seconds: float = 0.0

    @property
    def status(self) -> int:
        """The exit status: 1 for any difference."""
        return int(bool(self.findings))


def fuzz(testee: Side, against: Side | None = None, options: Options | None = None, progress: Progress | None = None) -> Fuzz:
    """Ask both sides. Raises BadTestee where one cannot be asked at all, VectorError or OSError without golden vectors.

    Interrupted by the keyboard, it gives what was found until then.
    """
    with _Fuzzing(testee, against or in_process(), options or Options(), progress or (lambda *_: None)) as fuzzing:
        return fuzzing.run()


class _Pair:
    """Both sides, as one worker asks them."""

    def __init__(self, testee: Side, against: Side, timeout: float, stack: ExitStack) -> None:
        self.testees: list[Testee] = []
        self.asks = [self._open(side, timeout, stack) for side in (testee, against)]
        self.timeout = timeout

    def _open(self, side: Side, timeout: float, stack: ExitStack) -> Ask:
        if callable(side):
            return side
        self.testees.append(stack.enter_context(Testee(side, timeout=timeout)))
        return self.testees[-1].ask

    def hurry(self, times: float) -> None:
        for testee in self.testees:
            testee.timeout = self.timeout / times

    def ask(self, question: Question) -> tuple[Outcome, Outcome]:
        """What is expected, and what the testee answers. Raises Skipped, BadTestee."""
        got, expected = (_outcome(ask, question) for ask in self.asks)
        return expected, got


def _outcome(ask: Ask, question: Question) -> Outcome:
    try:
        return ask(question.op, question.fields)
    except Crashed as crashed:
        return crashed


def _greeting(side: Side) -> Hello:
    if callable(side):
        return Hello("bsatn", bsatn.__version__, PROTOCOL, tuple(MAKERS))
    with Testee(side) as testee:
        return testee.hello()


class _Fuzzing:
    def __init__(self, testee: Side, against: Side, options: Options, progress: Progress) -> None:
        self.sides = (testee, against)
        self.options, self.progress = options, progress
        self.stack = ExitStack()
        self.lock = threading.Lock()
        self.next = 0
        self.groups: dict[Signature, Group] = {}
        self.over = threading.Event()
        self.failed: BaseException | None = None
        self.ended: dict[tuple[Signature, Any], Finding] = {}

    def __enter__(self) -> _Fuzzing:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.stack.close()

    def run(self) -> Fuzz:
        began = time.monotonic()
        testee, against = map(_greeting, self.sides)
        found = self.found = Fuzz(testee, against, self.options)
        answered = set(found.testee.ops) & set(found.against.ops)
        found.ops = tuple(op for op in MAKERS if op in self.options.ops and op in answered)
        try:
            if found.ops:
                make(self.options.seed, 0, found.ops)
                self.ask_all(began)
                self.findings(self.options.budget)
        except KeyboardInterrupt:
            found.interrupted = True
            self.over.set()
            self.findings(None)
        found.seconds = time.monotonic() - began
        return found

    # -- asking

    def ask_all(self, began: float) -> None:
        workers = [threading.Thread(target=self.work, daemon=True) for _ in range(self.options.jobs)]
        for worker in workers:
            worker.start()
        try:
            while any(worker.is_alive() for worker in workers):
                workers[0].join(TICK) if workers[0].is_alive() else workers.append(workers.pop(0))
                if self.options.seconds is not None and time.monotonic() - began > self.options.seconds:
                    self.over.set()
                self.progress("asked", self.found.asked.total(), self.found.different)
        finally:
            self.over.set()
            for worker in workers:
                worker.join(2 * self.options.timeout + 5)
        if self.failed is not None:
            raise self.failed

    def numbers(self) -> Iterator[int]:
        """The numbers of a worker's questions."""
        while not self.over.is_set():
            with self.lock:
                start, self.next = self.next, self.next + _CHUNK
            stop = start + _CHUNK
            if self.options.seconds is None:
                stop = min(stop, self.options.count)
            if start >= stop:
                return
            yield from range(start, stop)

    def work(self) -> None:
        try:
            with ExitStack() as stack:
                pair = _Pair(*self.sides, self.options.timeout, stack)
                for number in self.numbers():
                    if self.over.is_set():
                        break
                    self.ask_one(pair, number)
                with self.lock:
                    self.found.crashes += sum(testee.crashes for testee in pair.testees)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self.failed = error
            self.over.set()

    def ask_one(self, pair: _Pair, number: int) -> None:
        question = make(self.options.seed, number, self.found.ops)
        try:
            outcomes = pair.ask(question)
        except Skipped:
            with self.lock:
                self.found.skipped[question.op] += 1
            return
        differences = self.differences(question, *outcomes)
        with self.lock:
            self.found.asked[question.op] += 1
            if differences:
                self.found.different += 1
                self.groups.setdefault(signature(question, differences), Group()).add(number, Asked(question, *outcomes))

    def differences(self, question: Question, expected: Outcome, got: Outcome) -> list[Difference]:
        """Those of the level that counts."""
        found = compare(question, expected, got)
        return [one for one in found if self.options.level != REQUIRED or one.level == REQUIRED]

    # -- shrinking

    def findings(self, budget: Budget | None) -> None:
        """A finding for each group and each type that its questions shrink to, the worst first; as drawn without a budget."""
        pair = _Pair(*self.sides, self.options.timeout, self.stack)
        told = {kind for kind, _ in self.ended}
        for kind, group in sorted(self.groups.items(), key=lambda one: (-one[1].count, one[0])):
            if kind in told:
                continue
            for asked in group.some() if budget else group.some()[:1]:
                found = self.finding(kind, group, self.shrunk(pair, kind, asked, budget) if budget else asked)
                key = (kind, found.question.fields.get("type"))
                if key not in self.ended or weight(found.question) < weight(self.ended[key].question):
                    self.ended[key] = found
                self.found.findings = _ordered(self.ended.values())
                self.progress("shrunk", len(self.ended), self.found.different)

    def shrunk(self, pair: _Pair, kind: Signature, asked: Asked, budget: Budget) -> Asked:
        question = self.smallest(pair, kind, asked.question, budget)
        try:
            return Asked(question, *pair.ask(question))
        except (Skipped, BadTestee):  # it does not even start any more
            return asked

    def smallest(self, pair: _Pair, kind: Signature, question: Question, budget: Budget) -> Question:
        def still_fails(candidate: Question) -> bool:
            if self.over.is_set() and self.found.interrupted:
                return False
            try:
                found = self.differences(candidate, *pair.ask(candidate))
            except (Skipped, BadTestee):
                return False
            return bool(found) and signature(candidate, found) == kind

        late = any("(late)" in word for word in kind)
        pair.hurry(HURRY if late else 1)
        try:
            found = shrink(question, still_fails, budget=budget)
        finally:
            pair.hurry(1)
        return found if not late or still_fails(found) else question

    def finding(self, kind: Signature, group: Group, asked: Asked) -> Finding:
        differences = self.differences(*asked)
        if not differences:
            differences = [Difference("answers change", "the same answer twice", "another answer")]
        return Finding(kind, group.count, group.first, asked.question, differences, asked.expected, asked.got)


def _ordered(findings: Any) -> list[Finding]:
    return sorted(
        findings, key=lambda one: (one.level != REQUIRED, -one.count, one.signature, one.question.size, one.question.key)
    )
