"""`bsatn check` of two definitions of 100 tables as a whole process, in times of a node that only imports the TypeScript SDK.

Run it by itself: `python -m bench.checking [ROUNDS]`. Where the SDK cannot be installed, only ours is measured.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from bench.definitions import definition
from bench.install import Unavailable, cache_folder, tool, typescript
from bench.processes import Process, run

TABLES = 100
IMPORT = "import('{}')"


def processes(folder: Path) -> list[Process]:
    """The check of an unchanged definition, that of one with half of the tables new, and the import."""
    whole, half = folder / "whole.bsatn", folder / "half.bsatn"
    whole.write_bytes(definition(TABLES))
    half.write_bytes(definition(TABLES // 2))
    ours = (sys.executable, "-m", "defs.cli", "check", "--no-config", "--fail-on", "never", "--against")
    found = [
        Process("python -c pass", (sys.executable, "-c", "pass")),
        Process(f"bsatn check, {TABLES} tables unchanged", (*ours, str(whole), str(whole))),
        Process(f"bsatn check, {TABLES // 2} tables to {TABLES}", (*ours, str(half), str(whole))),
    ]
    try:
        engine = typescript(cache_folder(), lambda text: print(text, file=sys.stderr))
        sdk = engine.folder / "node_modules" / "spacetimedb" / "dist" / "index.mjs"
        found.append(Process("node importing the TypeScript SDK", (tool("node"), "-e", IMPORT.format(sdk))))
    except (Unavailable, OSError) as reason:
        print(f"no TypeScript SDK: {reason}", file=sys.stderr)
    return found


def main(rounds: int) -> None:
    """Measure in turns, so that all are equally disturbed; print medians."""
    with tempfile.TemporaryDirectory(prefix="bsatn-bench-") as folder:
        found = processes(Path(folder))
        for turn in range(rounds + 1):
            for process in found:
                run(process)
                if not turn:
                    process.seconds.clear()
    for process in found:
        print(f"{process.says:36} {process.failure or f'{median(process.seconds) * 1e3:.0f} ms'}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
