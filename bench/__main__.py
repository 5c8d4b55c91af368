"""`python -m bench`, from the root of the repository."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from bench.report import FORMATS
from bench.run import FULL, QUICK, names, run


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Rows and definitions decoded and encoded per second by bsatn and its peers.",
        epilog="Peers are installed once, into $BSATN_BENCH_CACHE or ~/.cache/bsatn-bench.",
    )
    parser.add_argument("--only", action="append", default=[], metavar="WORKLOAD", help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer rows, tables, rounds: a smoke test")
    parser.add_argument("--rows", type=int, metavar="N", help="how many rows are read and written in one go")
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each engine takes its turn")
    parser.add_argument("--format", choices=tuple(FORMATS), default="text")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there, not to the terminal")
    found = parser.parse_args()
    known = names(quick=found.quick)
    for name in found.only:
        if name not in known:
            parser.error(f"no workload {name!r}; there are {', '.join(known)}")
    for option in ("rows", "rounds"):
        value = getattr(found, option)
        if value is not None and value < 1:
            parser.error(f"--{option} must be at least 1")
    return found


def progress(said: str) -> None:
    print(said, file=sys.stderr, flush=True)


def main() -> None:
    options = arguments()
    pace = QUICK if options.quick else FULL
    if options.rounds:
        pace = replace(pace, rounds=options.rounds)
    results = run(quick=options.quick, row_count=options.rows, only=options.only, pace=pace, progress=progress)
    report = FORMATS[options.format](results)
    if options.output:
        options.output.write_text(report)
    else:
        print(report, end="")


if __name__ == "__main__":
    main()
