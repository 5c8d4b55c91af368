"""Measuring in rounds: every runner takes a short turn in every round, so what drifts drifts for all.

Ratios are taken within a round, and the median of the rounds is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Literal

from bench.engines import NATIVE, Engine, EngineFailed, Peer
from bench.install import Progress
from bench.workloads import Workload

Direction = Literal["decode", "encode", "columns", "validate", "walk", "verify", "replay"]
DIRECTIONS: tuple[Direction, ...] = ("decode", "encode")
WITH_COLUMNS: tuple[Direction, ...] = (*DIRECTIONS, "columns")
VALIDATE: tuple[Direction, ...] = ("validate",)
READ_LOG: tuple[Direction, ...] = ("walk", "verify")
REPLAY: tuple[Direction, ...] = ("replay",)


@dataclass(frozen=True, slots=True)
class Pace:
    rounds: int
    seconds: float


@dataclass(slots=True)
class Timings:
    """Nanoseconds per row, table or byte of a log: for each direction and runner, one number a round."""

    rounds: dict[Direction, dict[str, list[float]]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def of(self, direction: Direction, runner: str) -> Sequence[float]:
        return self.rounds.get(direction, {}).get(runner, ())

    def typical(self, direction: Direction, runner: str) -> float | None:
        found = self.of(direction, runner)
        return median(found) if found else None

    def ratio(self, direction: Direction, over: str, under: str) -> float | None:
        """The time of `over` in times of `under`: how many times as fast `under` is."""
        return self.ratio_of((direction, over), (direction, under))

    def ratio_of(self, over: tuple[Direction, str], under: tuple[Direction, str]) -> float | None:
        """As `ratio`, for what differs in direction too."""
        pairs = zip(self.of(*over), self.of(*under), strict=False)
        ratios = [one / other for one, other in pairs]
        return median(ratios) if ratios else None


def measure(
    runners: Mapping[str, tuple[Engine, Workload]],
    folder: Path,
    pace: Pace,
    progress: Progress,
    directions: Sequence[Direction] = DIRECTIONS,
) -> Timings:
    timings = Timings()
    with ExitStack() as stack:
        running: dict[str, Peer] = {}
        for name, (engine, workload) in runners.items():
            progress(f"{workload.name}: loading {name}")
            peer = stack.enter_context(Peer(engine))
            try:
                peer.load(workload.write(folder))
                running[name] = peer
            except EngineFailed as failure:
                timings.failures[name] = str(failure)
        names = ", ".join(dict.fromkeys(workload.name for _, workload in runners.values()))
        for turn in range(pace.rounds):
            progress(f"{names}: round {turn + 1} of {pace.rounds}")
            play(running, timings, pace.seconds, directions)
    return timings


def play(running: dict[str, Peer], timings: Timings, seconds: float, directions: Sequence[Direction]) -> None:
    for direction in directions:
        for name, peer in list(running.items()):
            if direction == "columns" and peer.engine.name != NATIVE:
                continue
            try:
                nanoseconds = median(peer.run(direction, seconds))
            except EngineFailed as failure:
                timings.failures[name] = str(failure)
                del running[name]
                continue
            timings.rounds.setdefault(direction, {}).setdefault(name, []).append(nanoseconds)
