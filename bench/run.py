"""One run: what is asked for, measured; the results as plain data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import engines, goals, logs, machine
from bench.checking import measure_checking
from bench.engines import Engine, EngineFailed, Peer
from bench.goals import Outcome
from bench.install import INSTALLERS, Progress, Unavailable, cache_folder
from bench.measure import DIRECTIONS, READ_LOG, REPLAY, VALIDATE, WITH_COLUMNS, Pace, Timings, measure
from bench.processes import Process, measure_processes
from bench.workloads import (
    FEW_TABLES,
    LOG_SIZE,
    MANY_LOG_BYTES,
    MANY_TABLES,
    QUICK_LOG_SIZE,
    QUICK_MANY_LOG_BYTES,
    QUICK_MANY_TABLES,
    QUICK_VALIDATED_TABLES,
    VALIDATED_TABLES,
    Workload,
    log,
    module,
    validation,
    workloads,
)
from bsatn.engines import available

GROWTH, VALIDATION, PROCESSES, MEMORY = "growth", "validate", "processes", "memory"
LOGS, LOG_MEMORY, CHECK = "logs", "log-memory", "check"
MEMORY_WORKLOADS = ("narrow", "wide", "strings", "nested", "mixed")
COLUMN_BYTES, QUICK_COLUMN_BYTES = 100_000_000, 10_000_000  #: of rows read into columns, to see how much memory it takes
FULL = Pace(rounds=7, seconds=0.25)
QUICK = Pace(rounds=3, seconds=0.05)


@dataclass(frozen=True, slots=True)
class Footprint:
    workload: str
    plain: int
    peak: int


@dataclass(slots=True)
class Results:
    header: dict[str, str]
    unavailable: dict[str, str] = field(default_factory=dict)
    speeds: list[tuple[Workload, Timings]] = field(default_factory=list)
    growth: tuple[str, str, Timings] | None = None
    validations: list[tuple[Workload, Timings]] = field(default_factory=list)
    validation_growth: tuple[str, str, Timings] | None = None
    logs: list[tuple[Workload, Timings]] = field(default_factory=list)
    log_memory: list[tuple[int, int]] = field(default_factory=list)  #: bytes of log, kilobytes held at most
    processes: list[Process] = field(default_factory=list)
    checking: list[Process] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)
    column_footprints: list[Footprint] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


def names(*, quick: bool) -> list[str]:
    rest = (GROWTH, VALIDATION, LOGS, LOG_MEMORY, PROCESSES, CHECK, MEMORY)
    return [*(workload.name for workload in workloads(quick=quick)), *rest]


@dataclass(slots=True)
class Run:
    """What a run needs at every step, and where it puts what it finds."""

    folder: Path
    pace: Pace
    quick: bool
    row_count: int | None
    wanted: Callable[[str], bool]
    progress: Progress
    results: Results

    def everything(self) -> None:
        self.speeds()
        if self.wanted(GROWTH):
            self.growth()
        if self.wanted(VALIDATION):
            self.validations()
            self.validation_growth()
        if self.wanted(LOGS):
            self.logs()
        if self.wanted(LOG_MEMORY):
            self.log_memory()
        if self.wanted(PROCESSES):
            self.results.processes = measure_processes(3 if self.quick else 15, self.progress)
        if self.wanted(CHECK):
            self.results.checking = measure_checking(self.folder, 3 if self.quick else 15, self.progress)
            self.results.outcomes += goals.checking_outcomes(self.results.checking)
        if self.wanted(MEMORY):
            self.results.footprints = list(self.footprints(engines.PYTHON, goals.MEMORY))
            if engines.NATIVE in available():
                self.results.column_footprints = list(self.footprints(engines.NATIVE, goals.COLUMNS_MEMORY))

    def workloads(self) -> Iterator[Workload]:
        return workloads(quick=self.quick, row_count=self.row_count)

    def engines(self) -> list[Engine]:
        return [*map(engines.ours, available()), *(peer for name in INSTALLERS for peer in self.installed(name))]

    def installed(self, name: str) -> Iterator[Engine]:
        """The peer, if it can be had."""
        try:
            yield INSTALLERS[name](cache_folder(), self.progress)
        except (Unavailable, OSError) as reason:
            self.results.unavailable[name] = str(reason)

    def speeds(self) -> None:
        chosen = [workload for workload in self.workloads() if self.wanted(workload.name)]
        running = self.engines() if chosen else []
        for workload in chosen:
            reference = [engines.ours(engines.MARSHAL)] if workload.unit == "row" else []
            runners = {engine.name: (engine, workload) for engine in (*running, *reference)}
            directions = WITH_COLUMNS if workload.unit == "row" else DIRECTIONS
            timings = measure(runners, self.folder, self.pace, self.progress, directions)
            self.results.speeds.append((workload, timings))
            self.results.outcomes += goals.speed_outcomes(workload, timings)

    def growth(self) -> None:
        few, many = module(FEW_TABLES), module(QUICK_MANY_TABLES if self.quick else MANY_TABLES)
        engine = engines.ours(engines.PYTHON)
        timings = measure({w.name: (engine, w) for w in (few, many)}, self.folder, self.pace, self.progress)
        self.results.growth = few.name, many.name, timings
        for direction in DIRECTIONS:
            ratio = timings.ratio(direction, many.name, few.name)
            self.results.outcomes.append(Outcome(goals.GROWTH, f"{many.name} {direction}", ratio))

    def validations(self) -> None:
        running = [engines.ours(engines.PYTHON), *self.installed(engines.RUST)]
        for tables in QUICK_VALIDATED_TABLES if self.quick else VALIDATED_TABLES:
            workload = validation(tables)
            runners = {engine.name: (engine, workload) for engine in running}
            timings = measure(runners, self.folder, self.pace, self.progress, VALIDATE)
            self.results.validations.append((workload, timings))
        self.results.outcomes.append(goals.validation_outcome(*self.results.validations[-1]))

    def validation_growth(self) -> None:
        sizes = (QUICK_VALIDATED_TABLES[-1], QUICK_MANY_TABLES) if self.quick else (VALIDATED_TABLES[-1], MANY_TABLES)
        few, many = map(validation, sizes)
        engine = engines.ours(engines.PYTHON)
        timings = measure({w.name: (engine, w) for w in (few, many)}, self.folder, self.pace, self.progress, VALIDATE)
        self.results.validation_growth = few.name, many.name, timings
        ratio = timings.ratio("validate", many.name, few.name)
        self.results.outcomes.append(Outcome(goals.VALIDATION_GROWTH, many.name, ratio))

    def logs(self) -> None:
        ours = [engines.ours(name) for name in available() if name != engines.CONSTRUCT]
        running = [*ours, *self.installed(engines.RUST)]
        for kind in logs.RECORDS:
            self.progress(f"log-{kind}: writing it, the first time")
            workload = log(cache_folder(), kind, QUICK_LOG_SIZE if self.quick else LOG_SIZE)
            runners = {engine.name: (engine, workload) for engine in running}
            timings = measure(runners, self.folder, self.pace, self.progress, READ_LOG)
            runners = {engine.name: (engine, workload) for engine in ours}
            replays = measure(runners, self.folder, self.pace, self.progress, REPLAY)
            timings.rounds.update(replays.rounds)
            timings.failures.update(replays.failures)
            self.results.logs.append((workload, timings))
            self.results.outcomes += goals.log_outcomes(workload, timings)

    def log_memory(self) -> None:
        sizes = (QUICK_LOG_SIZE, QUICK_MANY_LOG_BYTES) if self.quick else (LOG_SIZE, MANY_LOG_BYTES)
        found = self.results.log_memory
        for size in sizes:
            self.progress(f"memory: a log of {size / 1e6:g} MB")
            workload = log(cache_folder(), logs.MEDIUM, size)
            with Peer(engines.ours(engines.PYTHON)) as peer:
                try:
                    peer.load({**workload.write(self.folder), "unchecked": True})
                    found.append((workload.units, peer.ask({"op": "memory"})["peak"]))
                except EngineFailed as failure:
                    self.results.unavailable[f"{LOG_MEMORY} {size}"] = str(failure)
        if len(found) == len(sizes):
            self.results.outcomes.append(Outcome(goals.LOG_MEMORY, f"{sizes[-1] / 1e6:g} MB", found[-1][1] / found[0][1]))

    def footprints(self, engine: str, goal: goals.Goal) -> Iterator[Footprint]:
        """Of rows, or of columns where that is the goal."""
        for workload in self.workloads():
            if workload.name not in MEMORY_WORKLOADS:
                continue
            self.progress(f"{goal.says}: {workload.name}")
            request = workload.write(self.folder)
            if goal is goals.COLUMNS_MEMORY:
                size = QUICK_COLUMN_BYTES if self.quick else COLUMN_BYTES
                request["repeat"] = size // len(workload.make()) + 1
            with Peer(engines.ours(engine)) as peer:
                try:
                    peer.load(request)
                    found = Footprint(workload.name, **peer.ask({"op": "memory"}))
                except EngineFailed as failure:
                    self.results.unavailable[f"{MEMORY} {workload.name}"] = str(failure)
                    continue
            yield found
            self.results.outcomes.append(Outcome(goal, workload.name, found.peak / found.plain))


def run(*, quick: bool, row_count: int | None, only: list[str], pace: Pace, progress: Progress) -> Results:
    def wanted(name: str) -> bool:
        return not only or name in only

    results = Results(machine.describe())
    with tempfile.TemporaryDirectory(prefix="bsatn-bench-") as folder:
        Run(Path(folder), pace, quick, row_count, wanted, progress, results).everything()
    return results
