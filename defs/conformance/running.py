"""A run: every case asked of a testee by a few processes at once, each answer judged, nothing lost.

A case passes; fails, by a required difference; is weak, by recommended ones alone; is skipped; or crashed the testee. Workers
take a few neighbouring cases at a time, each with a process of its own. A group in which one question after the other is late
is given up, so that a testee which hangs cannot hold a run for hours.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from bsatn.errors import BsatnError
from defs.conformance.asking import REQUIRED, Ask, Counting, Crashed, Difference, Skipped
from defs.conformance.checks import CHECKS, ask_case
from defs.conformance.expected import Expected, Line
from defs.conformance.process import BadTestee, Hello, Testee
from defs.vectors.areas import AREAS
from defs.vectors.files import DIGESTS, Case, VectorError, default_directory, read_all

if TYPE_CHECKING:
    from defs.conformance.reduced import Reduced

__all__ = ["STATUSES", "Asked", "Failure", "Progress", "Result", "Run", "Status", "choose", "judge", "run"]

Status: TypeAlias = Literal["pass", "weak", "fail", "crashed", "skipped"]
STATUSES: tuple[Status, ...] = ("pass", "weak", "fail", "crashed", "skipped")

Progress: TypeAlias = Callable[[int, int, "Counter[Status]"], None]  #: of cases done, cases to do, and how they went

PATIENCE = 10  #: late replies in a row, after which the rest of a group is not asked
_CHUNK = 16  #: cases that a worker takes at a time


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went. `detail` says why it was skipped or how it crashed; `left_out` are ops of it that were skipped."""

    id: str
    area: str
    group: str
    flags: tuple[str, ...]
    status: Status
    differences: tuple[Difference, ...] = ()
    detail: str = ""
    left_out: tuple[str, ...] = ()
    note: str = ""  #: what the case is about

    @property
    def place(self) -> str:
        return f"{self.area}/{self.group}"

    @property
    def words(self) -> str:
        """What is wrong, in one line."""
        return "; ".join([*map(str, self.differences), *([self.detail] if self.detail else [])])


class Asked(NamedTuple):
    """A case, and where it is from."""

    area: str
    group: str
    case: Case


class Failure(NamedTuple):
    """A result that makes the run fail; `why` says so where the list of expected failures does."""

    result: Result
    why: str


@dataclass(slots=True)
class Run:
    """What came of a run. `results` are in the order of the cases, without those that were not reached if it was interrupted;
    `faults` are of the testee as a whole; `unmatched` are lines of the list that mean no case; `vectors` is a digest of the
    vectors that were asked; `reduced` has smaller inputs that fail alike, by the id of a case."""

    testee: Hello
    command: str
    results: list[Result] = field(default_factory=list)
    expected: Expected = field(default_factory=Expected)
    unmatched: list[Line] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    total: int = 0
    crashes: int = 0
    jobs: int = 1
    seconds: float = 0.0
    strict: bool = False
    interrupted: bool = False
    selection: dict[str, list[str]] = field(default_factory=dict)
    vectors: str | None = None
    reduced: dict[str, Reduced] = field(default_factory=dict)

    def line_of(self, result: Result) -> Line | None:
        """The line of the list that speaks of a case."""
        return self.expected.of(result.id, result.place)

    @property
    def failures(self) -> list[Failure]:
        """What is wrong and not expected, or expected and not so."""
        return [Failure(result, why) for result in self.results if (why := self._failure(result)) is not None]

    def _failure(self, result: Result) -> str | None:
        line = self.line_of(result)
        if line is not None:
            return None if line.allows(result.status) else f"line {line.number} of the list says {line.status}"
        return "" if result.status in ("fail", "crashed", *(["weak"] if self.strict else [])) else None

    @property
    def known(self) -> list[tuple[Result, Line]]:
        """Results that are as the list says."""
        lines = ((result, self.line_of(result)) for result in self.results)
        return [
            (result, line)
            for result, line in lines
            if line is not None and result.status != "pass" and line.allows(result.status)
        ]

    def tally(self, by: Callable[[Result], Iterable[str]]) -> dict[str, Counter[Status]]:
        """How many results there are of each status, by each of the names that `by` gives a result."""
        counts: dict[str, Counter[Status]] = {}
        for result in self.results:
            for name in by(result):
                counts.setdefault(name, Counter())[result.status] += 1
        return counts

    @property
    def status(self) -> int:
        """The exit status: 0, or 1 for anything wrong."""
        return int(bool(self.failures or self.unmatched or self.faults or self.interrupted))


def choose(
    directory: Path, areas: Iterable[str] = AREAS, *, flags: Sequence[str] = (), cases: Sequence[str] = ()
) -> list[Asked]:
    """The cases of the areas that have one of the flags, if any are given, and an id or `area/group/id` as one of the globs.
    Raises VectorError."""

    def is_chosen(area: str, group: str, case: Case) -> bool:
        names = (case["id"], f"{area}/{group}/{case['id']}")
        return (not flags or any(flag in case["flags"] for flag in flags)) and (
            not cases or any(fnmatchcase(name, glob) for glob in cases for name in names)
        )

    return [Asked(file.area, file.group, case) for file in read_all(directory, areas) for case in file.cases
            if is_chosen(file.area, file.group, case)]  # fmt: skip


def judge(area: str, case: Case, place: Path, ask: Ask, *, group: str = "") -> Result:
    """Asks one case; never raises for what the implementation does."""
    counting = Counting(ask)
    found: list[Difference] = []
    status: Status
    detail = ""
    try:
        found = ask_case(area, case, place, counting)
        status = "pass" if not found else "fail" if any(one.level == REQUIRED for one in found) else "weak"
    except Skipped as skipped:
        status, detail = "skipped", skipped.why
    except Crashed as crashed:
        status, detail = "crashed", f"{crashed.how}: {crashed.detail}"
    except BadTestee:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, BsatnError) as error:
        status, detail = "fail", f"the case cannot be judged: {type(error).__name__}: {error}"
    left_out = tuple(counting.skipped) if counting.answered else ()
    return _result(Asked(area, group, case), status, found, detail, left_out)


def _result(
    asked: Asked, status: Status, found: Iterable[Difference] = (), detail: str = "", left_out: tuple[str, ...] = ()
) -> Result:
    area, group, case = asked
    flags = tuple(case.get("flags", ()))
    return Result(case["id"], area, group, flags, status, tuple(found), detail, left_out, case.get("note", ""))


def run(
    command: str | Sequence[str],
    directory: Path | None = None,
    areas: Iterable[str] = AREAS,
    *,
    flags: Sequence[str] = (),
    cases: Sequence[str] = (),
    jobs: int | None = None,
    timeout: float = 10.0,
    startup: float = 60.0,
    expected: Expected | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Asks the cases that `choose` gives. Raises BadTestee, VectorError. Ctrl-C ends it early, and gives what there is."""
    place, areas = directory or default_directory(), [area for area in areas if area in CHECKS]
    asked = choose(place, areas, flags=flags, cases=cases)
    if not asked:
        raise VectorError("NoVectors", f"no cases of those under {place} are asked for")
    jobs = max(1, min(jobs or os.cpu_count() or 1, (len(asked) + _CHUNK - 1) // _CHUNK))
    testees = [Testee(command, timeout=timeout, startup=startup) for _ in range(jobs)]
    started = time.monotonic()
    try:
        hello = testees[0].hello()
        work = _Work(asked, place, progress)
        interrupted = work.spread(testees)
    except BaseException:
        for testee in testees:
            testee.stop()
        raise
    finally:
        for testee in testees:
            testee.close()
    known = expected or Expected()
    everything = ((one.case["id"], f"{one.area}/{one.group}") for one in choose(place)) if known.lines else ()
    return Run(
        hello,
        command if isinstance(command, str) else " ".join(command),
        [result for result in work.results if result is not None],
        known,
        known.unmatched(everything),
        [*work.faults, *_farewells(testees)],
        len(asked),
        sum(testee.crashes for testee in testees),
        jobs,
        time.monotonic() - started,
        strict,
        interrupted,
        {"areas": list(areas), "flags": list(flags), "cases": list(cases)},
        _digest(place),
    )


def _digest(place: Path) -> str | None:
    """SHA-256 of the file that has the digests of all vectors."""
    try:
        return hashlib.sha256((place / DIGESTS).read_bytes()).hexdigest()
    except OSError:
        return None


def _farewells(testees: Iterable[Testee]) -> Iterator[str]:
    """Each only once: all processes run the same program."""
    yield from dict.fromkeys(testee.farewell for testee in testees if testee.farewell)


class _Work:
    """The cases to do and what came of them; workers share it."""

    def __init__(self, asked: Sequence[Asked], place: Path, progress: Progress | None) -> None:
        self.asked = asked
        self.place = place
        self.progress = progress
        self.results: list[Result | None] = [None] * len(asked)
        self.faults: list[str] = []
        self.counts: Counter[Status] = Counter()
        self._chunks = iter(range(0, len(asked), _CHUNK))
        self._lock = threading.Lock()
        self._late: Counter[str] = Counter()
        self._stopping = False
        self._broken: list[BaseException] = []

    def spread(self, testees: Sequence[Testee]) -> bool:
        """Does it all, a thread for each testee; whether that was interrupted."""
        threads = [threading.Thread(target=self._work, args=(testee,), daemon=True) for testee in testees]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)
                    self._tell()
        except KeyboardInterrupt:
            self._stopping = True
            for testee in testees:
                testee.stop()
            for thread in threads:
                thread.join(5)
        if self._broken:
            raise self._broken[0]
        return self._stopping

    def _tell(self) -> None:
        if self.progress is not None:
            with self._lock:
                counts = self.counts.copy()
            self.progress(counts.total(), len(self.asked), counts)

    def _work(self, testee: Testee) -> None:
        """Takes cases until there are none. What is written too much belongs to the case that was asked before it came."""
        asked: list[tuple[int, int]] = []  # of each case the number of the question before it, and its index
        try:
            testee.hello()
            while not self._stopping and (start := self._take()) is not None:
                for index in range(start, min(start + _CHUNK, len(self.asked))):
                    asked.append((testee.number, index))
                    result = self._judge(index, testee)
                    if self._stopping:
                        return
                    self._note(index, result)
                    self._blame(asked, testee)
            testee.close()
            self._blame(asked, testee)
        except BadTestee as bad:  # but another process was started before
            with self._lock:
                self.faults.append(f"one of several processes: {bad.message}")
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self._broken.append(error)

    def _take(self) -> int | None:
        with self._lock:
            return next(self._chunks, None)

    def _judge(self, index: int, testee: Testee) -> Result:
        area, group, case = self.asked[index]
        place = f"{area}/{group}"
        if self._late[place] >= PATIENCE:
            detail = f"late: not asked, as {PATIENCE} cases in a row were late before it"
            return _result(self.asked[index], "crashed", (), detail)
        result = judge(area, case, self.place, testee.ask, group=group)
        is_late = result.status == "crashed" and result.detail.startswith("late")
        self._late[place] = self._late[place] + 1 if is_late else 0
        return result

    def _note(self, index: int, result: Result) -> None:
        with self._lock:
            old = self.results[index]
            if old is not None:
                self.counts[old.status] -= 1
            self.counts[result.status] += 1
            self.results[index] = result

    def _blame(self, asked: Sequence[tuple[int, int]], testee: Testee) -> None:
        """The case whose question it was that more was written for."""
        extra, testee.surplus = testee.surplus, ""
        if not extra:
            return
        position = bisect_left(asked, (testee.surplus_of, -1)) - 1
        if position < 0:
            with self._lock:
                self.faults.append(extra)
            return
        index = asked[position][1]
        old = self.results[index]
        differences = old.differences if old is not None else ()
        self._note(index, _result(self.asked[index], "crashed", differences, f"nonsense: {extra}"))
