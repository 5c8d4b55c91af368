"""The goals, as data, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.checking import TABLES
from bench.engines import CONSTRUCT, NATIVE, PYTHON, RUST, TYPESCRIPT
from bench.measure import DIRECTIONS, Direction, Timings
from bench.processes import Process, ratios
from bench.workloads import Family, Workload


@dataclass(frozen=True, slots=True)
class Goal:
    says: str
    bound: Literal["at least", "at most"]
    limit: float


@dataclass(frozen=True, slots=True)
class SpeedGoal:
    """An engine's speed in speeds of a peer, for every workload of some families, or of some names."""

    engine: str
    peer: str
    families: frozenset[Family]
    goal: Goal
    directions: tuple[Direction, ...] = DIRECTIONS
    names: frozenset[str] | None = None

    def concerns(self, workload: Workload) -> bool:
        return workload.name in self.names if self.names else workload.family in self.families


VARIABLE = Goal("python / typescript, strings, sums, arrays", "at least", 0.9)
FIXED = Goal("python / typescript, fixed width", "at least", 0.2)
SPECIFICATION = Goal("python / construct", "at least", 10.0)
NATIVE_VARIABLE = Goal("native / typescript, strings, sums, arrays", "at least", 3.0)
NATIVE_NARROW = Goal("native / typescript, narrow", "at least", 0.6)
NATIVE_WIDE = Goal("native / typescript, wide", "at least", 1.0)
NATIVE_DYNAMIC = Goal("native / rust's dynamic values", "at least", 1.0)
NATIVE_MODULE = Goal("native / rust, a definition", "at least", 0.25)
COLUMNS_TYPESCRIPT = Goal("columns / typescript's decode", "at least", 5.0)
COLUMNS_RUST = Goal("columns / rust's decode to dynamic values", "at least", 3.0)
COLUMNS_MEMORY = Goal("memory while decoding to columns / Arrow's buffers", "at most", 1.3)
COLUMNS = {COLUMNS_TYPESCRIPT: TYPESCRIPT, COLUMNS_RUST: RUST}
NATIVES = (NATIVE_VARIABLE, NATIVE_NARROW, NATIVE_WIDE, NATIVE_DYNAMIC, NATIVE_MODULE)
_ROWS: frozenset[Family] = frozenset({"fixed", "variable"})
SPEED = (
    SpeedGoal(NATIVE, TYPESCRIPT, frozenset({"variable"}), NATIVE_VARIABLE),
    SpeedGoal(NATIVE, TYPESCRIPT, frozenset(), NATIVE_NARROW, names=frozenset({"narrow"})),
    SpeedGoal(NATIVE, TYPESCRIPT, frozenset(), NATIVE_WIDE, names=frozenset({"wide"})),
    SpeedGoal(NATIVE, RUST, _ROWS, NATIVE_DYNAMIC, ("decode",)),
    SpeedGoal(NATIVE, RUST, frozenset(), NATIVE_MODULE, ("decode",), frozenset({"module-1000"})),
    SpeedGoal(PYTHON, TYPESCRIPT, frozenset({"variable"}), VARIABLE),
    SpeedGoal(PYTHON, TYPESCRIPT, frozenset({"fixed"}), FIXED),
    SpeedGoal(PYTHON, CONSTRUCT, frozenset({"fixed", "variable", "module"}), SPECIFICATION),
)
GROWTH = Goal("time per table, many tables / few", "at most", 1.3)
MEMORY = Goal("peak while decoding / plain list", "at most", 1.2)
VALIDATION = Goal("time to validate / rust", "at most", 15.0)
VALIDATION_GROWTH = Goal("time per table to validate, many tables / few", "at most", 1.5)
LOG_COMMITS = Goal("log, commits / rust's commits", "at least", 0.5)
LOG_ROWS = Goal("log verify / rust's records with rows", "at least", 0.5)
LOG_VERIFY = Goal("log verify / rust's commits, no rows read", "at least", 0.5)
LOG_MEMORY = Goal("memory of log verify, large log / small", "at most", 1.1)
NATIVE_LOG = Goal("native log verify / rust's records with rows", "at least", 1.0)
NATIVE_COMMITS = Goal("native log, commits / rust's commits", "at least", 1.0)
NATIVE_REPLAY = Goal("native log replay / python", "at least", 5.0)
LOGS = (NATIVE_LOG, NATIVE_COMMITS, NATIVE_REPLAY, LOG_COMMITS, LOG_ROWS, LOG_VERIFY, LOG_MEMORY)
CHECKING = Goal(f"bsatn check, {TABLES} tables / node importing the TypeScript SDK", "at most", 2.0)
GOALS = (
    *NATIVES,
    *COLUMNS,
    COLUMNS_MEMORY,
    VARIABLE,
    FIXED,
    SPECIFICATION,
    GROWTH,
    MEMORY,
    VALIDATION,
    VALIDATION_GROWTH,
    *LOGS,
    CHECKING,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    goal: Goal
    subject: str
    value: float | None

    @property
    def met(self) -> bool | None:
        if self.value is None:
            return None
        return self.value >= self.goal.limit if self.goal.bound == "at least" else self.value <= self.goal.limit


def speed_outcomes(workload: Workload, timings: Timings) -> Iterator[Outcome]:
    for speed in SPEED:
        if speed.concerns(workload):
            for direction in speed.directions:
                value = timings.ratio(direction, speed.peer, speed.engine)
                yield Outcome(speed.goal, f"{workload.name} {direction}", value)
    if workload.unit == "row":
        for goal, peer in COLUMNS.items():
            yield Outcome(goal, workload.name, timings.ratio_of(("decode", peer), ("columns", NATIVE)))


def validation_outcome(workload: Workload, timings: Timings) -> Outcome:
    return Outcome(VALIDATION, workload.name, timings.ratio("validate", PYTHON, RUST))


def log_outcomes(workload: Workload, timings: Timings) -> Iterator[Outcome]:
    yield Outcome(NATIVE_LOG, workload.name, timings.ratio("verify", RUST, NATIVE))
    yield Outcome(NATIVE_COMMITS, workload.name, timings.ratio("walk", RUST, NATIVE))
    yield Outcome(NATIVE_REPLAY, workload.name, timings.ratio("replay", PYTHON, NATIVE))
    yield Outcome(LOG_COMMITS, workload.name, timings.ratio("walk", RUST, PYTHON))
    yield Outcome(LOG_ROWS, workload.name, timings.ratio("verify", RUST, PYTHON))
    yield Outcome(LOG_VERIFY, workload.name, timings.ratio_of(("walk", RUST), ("verify", PYTHON)))


def checking_outcomes(found: Sequence[Process]) -> Iterator[Outcome]:
    """`found` as measure_checking gives it: node, then what does nothing, then the checks."""
    for process, ratio in list(zip(found, ratios(found), strict=True))[2:]:
        yield Outcome(CHECKING, process.says, ratio)
