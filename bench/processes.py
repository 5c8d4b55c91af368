"""Whole processes: how long a command takes from start to exit, in times of another.

Modules are compiled beforehand, as pip does when it installs: the first run of each command is not counted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.engines import ROOT
from bench.install import Progress

NOTHING = "python -c pass"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(slots=True)
class Process:
    says: str
    command: tuple[str, ...]
    seconds: list[float] = field(default_factory=list)
    failure: str | None = None


def processes() -> list[Process]:
    python = sys.executable
    beside = Path(python).with_name("bsatn")
    bsatn = str(beside) if beside.exists() else shutil.which("bsatn") or "bsatn"
    module = "vectors/modules/arena_v1.wasm"
    return [
        Process(NOTHING, (python, "-c", "pass")),
        Process("python -c 'import bsatn'", (python, "-c", "import bsatn")),
        Process("bsatn --help", (bsatn, "--help")),
        Process(f"bsatn describe {module}", (bsatn, "describe", module)),
    ]


def measure_processes(rounds: int, progress: Progress) -> list[Process]:
    return measure_in_turns(processes(), rounds, lambda turn: progress(f"processes: round {turn} of {rounds}"))


def measure_in_turns(found: list[Process], rounds: int, says: Callable[[int], None]) -> list[Process]:
    """Every process once a round, so that all are disturbed alike."""
    for process in found:
        run(process)
        process.seconds.clear()
    for turn in range(rounds):
        says(turn + 1)
        for process in found:
            run(process)
    return found


def run(process: Process) -> None:
    if process.failure is not None:
        return
    start = time.perf_counter()
    try:
        done = subprocess.run(process.command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    except OSError as error:
        process.failure = f"{process.command[0]}: {error.strerror}"
        return
    process.seconds.append(time.perf_counter() - start)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        process.failure = lines[-1] if lines else f"exit code {done.returncode}"


def ratio_to(base: Process, process: Process) -> float | None:
    """The time of a process in times of another's, round by round; None where one of them failed."""
    if process.failure is not None or base.failure is not None:
        return None
    return median(one / other for one, other in zip(process.seconds, base.seconds, strict=True))


def ratios(found: Sequence[Process]) -> list[float | None]:
    """Each in times of the first."""
    return [ratio_to(found[0], process) for process in found]
