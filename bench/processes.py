"""Whole processes: how long a command takes from start to exit, in times of a Python that does nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.engines import ROOT
from bench.install import Progress

NOTHING = "python -c pass"


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
    found = processes()
    for process in found:
        run(process)
        process.seconds.clear()
    for turn in range(rounds):
        progress(f"processes: round {turn + 1} of {rounds}")
        for process in found:
            run(process)
    return found


def run(process: Process) -> None:
    if process.failure is not None:
        return
    start = time.perf_counter()
    try:
        done = subprocess.run(process.command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError as error:
        process.failure = f"{process.command[0]}: {error.strerror}"
        return
    process.seconds.append(time.perf_counter() - start)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        process.failure = lines[-1] if lines else f"exit code {done.returncode}"


def ratio_to_nothing(process: Process, found: list[Process]) -> float | None:
    nothing = next(one for one in found if one.says == NOTHING)
    if process.failure is not None or nothing.failure is not None:
        return None
    return median(one / other for one, other in zip(process.seconds, nothing.seconds, strict=True))
