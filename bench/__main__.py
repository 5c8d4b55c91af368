"""`python -m bench`, from the root of the repository."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from bench.report import FORMATS, SUFFIXES
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
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="of what goes to the terminal")
    endings = ", ".join(SUFFIXES)
    parser.add_argument(
        "-o", "--output", action="append", default=[], type=Path, metavar="FILE",
        help=f"write there, not to the terminal, in the format that its name ends in ({endings}); may be repeated",
    )  # fmt: skip
    found = parser.parse_args()
    known = names(quick=found.quick)
    for name in found.only:
        if name not in known:
            parser.error(f"no workload {name!r}; there are {', '.join(known)}")
    for path in found.output:
        if path.suffix not in SUFFIXES:
            parser.error(f"{path}: a name that ends in {', '.join(SUFFIXES)} is wanted")
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
    for path in options.output:
        path.write_text(SUFFIXES[path.suffix](results))
    if not options.output:
        print(FORMATS[options.format](results), end="")


if __name__ == "__main__":
    main()
