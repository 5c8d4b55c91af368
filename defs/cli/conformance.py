"""`bsatn conformance`: the golden vectors asked of any testee, questions made at random, and the score board over the runs."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

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
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=_Parser)
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


class _Parser(argparse.ArgumentParser):
    """An action's parser, filled in when it is used."""

    fill: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]
        if self.fill is not None:
            fill, self.fill = self.fill, None
            fill(self)
        return super().parse_known_args(args, namespace)


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
    parser.add_argument("--jobs", type=_count, metavar="N", help="processes at once; by default as many as there are cores")
    parser.add_argument("--timeout", type=_seconds, default=10.0, metavar="S", help="seconds for a reply, by default 10")
    parser.add_argument("--startup-timeout", type=_seconds, default=60.0, metavar="S", help="seconds to start, by default 60")
    parser.add_argument("--strict", action="store_true", help="differences in what is only recommended are failures too")
    parser.add_argument("--shrink", action="store_true", help="reduce failing cases to the smallest input that still fails")
    parser.add_argument("-f", "--format", choices=_FORMATS, default="text", help="of the report, by default text")
    add_output(parser)


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 256:
        raise argparse.ArgumentTypeError("expected a number from 1 to 256")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError("expected seconds, more than 0 and at most 86400")
    return value


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
    before = signal.signal(signal.SIGTERM, _interrupt)
    progress = _Progress()
    try:
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
                done, args.testee, args.vectors, timeout=args.timeout, startup=args.startup_timeout, progress=progress.shrinking
            )
    except VectorError as error:
        if error.kind == "NoVectors":
            raise UsageError(str(error)) from None
        raise
    finally:
        progress.close()
        signal.signal(signal.SIGTERM, before)
    write_output(args, PRINTERS[args.format](done))
    if args.write_expected is not None:
        _write_expected(args.write_expected, done)
    if args.format != "text" or args.output != "-":
        from defs.conformance.reports.words import headline

        print(f"bsatn: {printable(headline(done))}", file=sys.stderr)
    return done.status


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _write_expected(path: Path, done: Run) -> None:
    from defs.conformance.updating import updated

    path.write_text(updated(done), "utf-8")


class _Progress:
    """How far it is, on standard error: a terminal has one line that changes, anything else a line every few seconds."""

    def __init__(self) -> None:
        self.is_live = sys.stderr.isatty()
        self.pause = 0.1 if self.is_live else 5.0
        self.last = time.monotonic()
        self.width = 0

    def __call__(self, done: int, total: int, counts: Counter[Status]) -> None:
        now = time.monotonic()
        if now - self.last < self.pause:
            return
        self.last = now
        told = [f"{counts[status]} {status}" for status in ("fail", "weak", "crashed", "skipped") if counts[status]]
        self.show(f"{done} of {total} cases{''.join(f', {one}' for one in told)}")

    def shrinking(self, id: str) -> None:
        if time.monotonic() - self.last >= self.pause:
            self.last = time.monotonic()
            self.show(f"reducing {id}")

    def show(self, text: str) -> None:
        if self.is_live:
            text = text[: (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1]
            sys.stderr.write("\r" + text.ljust(self.width))
            self.width = len(text)
        else:
            sys.stderr.write(f"bsatn: {text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Takes the changing line away."""
        if self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()


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
