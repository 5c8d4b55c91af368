"""`bsatn check` of two definitions of 100 tables as a whole process, in times of a node that only imports the TypeScript SDK.

By itself: `python -m bench.checking [ROUNDS]`, which prints medians.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.definitions import definition
from bench.install import Progress, Unavailable, cache_folder, tool, typescript
from bench.processes import NOTHING, Process, measure_in_turns, ratio_to

TABLES = 100
NODE = "node importing the TypeScript SDK"
IMPORT = "import('{}')"


def checks(folder: Path) -> list[Process]:
    """The check of a definition that stays as it is, and of one whose tables become twice as many."""
    whole, half = folder / "whole.bsatn", folder / "half.bsatn"
    whole.write_bytes(definition(TABLES))
    half.write_bytes(definition(TABLES // 2))
    ours = (sys.executable, "-m", "defs.cli", "check", "--no-config", "--fail-on", "never", "--against")
    return [
        Process(f"bsatn check, {TABLES} tables unchanged", (*ours, str(whole), str(whole))),
        Process(f"bsatn check, {TABLES // 2} tables to {TABLES}", (*ours, str(half), str(whole))),
    ]


def node_import(progress: Progress) -> Process:
    """node with the SDK as it is installed; one without a command, which says why, where there is none."""
    try:
        sdk = typescript(cache_folder(), progress).folder / "node_modules" / "spacetimedb" / "dist" / "index.mjs"
        return Process(NODE, (tool("node"), "-e", IMPORT.format(sdk)))
    except (Unavailable, OSError) as reason:
        progress(f"check: not compared with node: {reason}")
        return Process(NODE, (), failure=str(reason))


def measure_checking(folder: Path, rounds: int, progress: Progress) -> list[Process]:
    """node first, or why there is none; then a Python that does nothing, then the checks."""
    found = [node_import(progress), Process(NOTHING, (sys.executable, "-c", "pass")), *checks(folder)]
    return measure_in_turns(found, rounds, lambda turn: progress(f"check: round {turn} of {rounds}"))


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bsatn-bench-") as folder:
        found = measure_checking(Path(folder), rounds, lambda said: print(said, file=sys.stderr))
    for process in found:
        ratio = ratio_to(found[0], process)
        times = "" if ratio is None else f" {ratio:6.2f} times node"
        print(f"{process.says:36} {process.failure or f'{median(process.seconds) * 1e3:4.0f} ms{times}'}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
