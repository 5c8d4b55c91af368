"""`bsatn conformance`: the golden vectors asked of any testee, questions made at random, and the score board over the runs."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from defs.cli import LazyParser
from defs.cli.asking import Progress, count, ended_as_interrupted, seconds
from defs.cli.common import UsageError, add_output, printable, write_output
from defs.vectors.areas import AREAS, FLAGS
from defs.vectors.files import VectorError

if TYPE_CHECKING:
    from defs.conformance.running import Run, Status

_FORMATS = ("text", "json", "junit", "html")
_RUN_EPILOG = """\
Exit status: 0 fine, 1 failures, 2 wrong usage, 3 the testee cannot be run.

Examples:
  bsatn conformance run --testee "node testee.js"
  bsatn conformance run --testee ./testee --area values --area names
  bsatn conformance run --testee ./testee --expected-failures known.txt --format junit -o junit.xml
  bsatn conformance run --testee ./testee --write-expected known.txt
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = 'Example:\n  bsatn conformance run --testee "bsatn testee"'
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=LazyParser)
    for name, (configure_action, action, text) in _ACTIONS.items():
        sub = actions.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub.fill = configure_action
        sub.set_defaults(action=action)


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


# -- run


def _configure_run(parser: argparse.ArgumentParser) -> None:
    parser.epilog = _RUN_EPILOG
    parser.add_argument("--testee", required=True, metavar="CMD", help="the command that answers, by the testee protocol")
    parser.add_argument(
        "--area", choices=AREAS, action="append", metavar="AREA", help=f"only this area, of {', '.join(AREAS)}; may be repeated"
    )
    parser.add_argument(
        "--flag",
        choices=FLAGS,
        action="append",
        default=[],
        metavar="FLAG",
        help="only cases with this flag, see `bsatn vectors list`; may be repeated",
    )
    parser.add_argument(
        "--case", action="append", default=[], metavar="GLOB", help="only cases whose id, or AREA/GROUP/ID, matches; repeatable"
    )
    parser.add_argument("--vectors", type=Path, metavar="DIR", help="the vectors, instead of those that come with bsatn")
    parser.add_argument(
        "--expected-failures",
        type=Path,
        metavar="FILE",
        help="failures that are known: lines `ID-OR-GLOB [weak|fail|crashed|varies]  # reason`; a line that is not true fails",
    )
    parser.add_argument(
        "--write-expected",
        type=Path,
        metavar="FILE",
        help="write the list that this run would need; new lines have a TODO in place of the reason, which is yours to give",
    )
    parser.add_argument("--jobs", type=count, metavar="N", help="processes at once; by default as many as there are cores")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="seconds for a reply, by default 10")
    parser.add_argument("--startup-timeout", type=seconds, default=60.0, metavar="S", help="seconds to start, by default 60")
    parser.add_argument("--strict", action="store_true", help="differences in what is only recommended are failures too")
    parser.add_argument("--shrink", action="store_true", help="reduce failing cases to the smallest input that still fails")
    parser.add_argument("-f", "--format", choices=_FORMATS, default="text", help="of the report, by default text")
    add_output(parser)


def _run(args: argparse.Namespace) -> int:
    from defs.conformance.expected import BadList, Expected
    from defs.conformance.reports import PRINTERS
    from defs.conformance.running import run as run_all

    if args.vectors is not None and not args.vectors.is_dir():
        raise UsageError(f"{args.vectors} is no directory")
    try:
        expected = Expected.read(args.expected_failures) if args.expected_failures else Expected()
    except BadList as bad:
        raise UsageError(str(bad)) from None
    progress = _Progress()
    try:
        with ended_as_interrupted():
            done = run_all(
                args.testee,
                args.vectors,
                dict.fromkeys(args.area or AREAS),
                flags=args.flag,
                cases=args.case,
                jobs=args.jobs,
                timeout=args.timeout,
                startup=args.startup_timeout,
                expected=expected,
                strict=args.strict,
                progress=progress,
            )
            if args.shrink and not done.interrupted:
                from defs.conformance.reduced import reduce_failures

                done.reduced = reduce_failures(
                    done,
                    args.testee,
                    args.vectors,
                    timeout=args.timeout,
                    startup=args.startup_timeout,
                    progress=progress.shrinking,
                )
    except VectorError as error:
        if error.kind == "NoVectors":
            raise UsageError(str(error)) from None
        raise
    finally:
        progress.close()
    write_output(args, PRINTERS[args.format](done))
    if args.write_expected is not None:
        _write_expected(args.write_expected, done)
    if args.format != "text" or args.output != "-":
        from defs.conformance.reports.words import headline

        print(f"bsatn: {printable(headline(done))}", file=sys.stderr)
    return done.status


def _write_expected(path: Path, done: Run) -> None:
    from defs.conformance.updating import updated

    path.write_text(updated(done), "utf-8")


class _Progress(Progress):
    def __call__(self, done: int, total: int, counts: Counter[Status]) -> None:
        if self.is_due():
            told = [f"{counts[status]} {status}" for status in ("fail", "weak", "crashed", "skipped") if counts[status]]
            self.show(f"{done} of {total} cases{''.join(f', {one}' for one in told)}")

    def shrinking(self, id: str) -> None:
        if self.is_due():
            self.show(f"reducing {id}")


# -- the others


def _configure_fuzz(parser: argparse.ArgumentParser) -> None:
    from defs.cli.conformance_fuzz import configure_fuzz

    configure_fuzz(parser)


def _fuzz(args: argparse.Namespace) -> int:
    from defs.cli.conformance_fuzz import run_fuzz

    return run_fuzz(args)


def _configure_board(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Example:\n  bsatn conformance board rust.json typescript.json --format html -o board.html"
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="what `bsatn conformance run --format json` wrote")
    parser.add_argument("-f", "--format", choices=("markdown", "html", "json"), default="markdown", help="by default markdown")
    add_output(parser)


def _board(args: argparse.Namespace) -> int:
    from defs.conformance.board import read_board
    from defs.conformance.reports.boards import PRINTERS

    write_output(args, PRINTERS[args.format](read_board(args.runs)))
    return 0


_Configure = Callable[[argparse.ArgumentParser], None]

#: Of each action what adds its arguments, what does it, and help.
_ACTIONS: dict[str, tuple[_Configure, Callable[[argparse.Namespace], int], str]] = {
    "run": (_configure_run, _run, "ask a testee every case, and say where it answers otherwise"),
    "fuzz": (_configure_fuzz, _fuzz, "ask questions made at random, of one testee or of two, and compare"),
    "board": (_configure_board, _board, "make one page of the runs of several testees"),
}
