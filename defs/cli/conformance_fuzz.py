"""`bsatn conformance fuzz`: the same random questions asked of two implementations."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from defs.cli.asking import Progress, count, ended_as_interrupted, seconds
from defs.cli.common import UsageError, printable

if TYPE_CHECKING:
    from defs.conformance.fuzzing import Finding, Fuzz

__all__ = ["configure_fuzz", "run_fuzz"]

OPS = (
    "value.decode", "value.encode", "name", "module.decode", "module.encode", "module.validate", "module.convert",
    "module.describe", "migrate", "sql.check",
)  # fmt: skip
FORMAT = 1  #: of the JSON report; counts up when a key changes its meaning

_EPILOG = """\
Questions follow from the seed alone, so a run can be repeated; the same difference is reported once, with its smallest case.

Exit status: 0 no difference, 1 differences, 2 wrong usage, 3 one of the two cannot be run.

Examples:
  bsatn conformance fuzz --testee "node testee.js"
  bsatn conformance fuzz --testee ./testee --op value.decode --seconds 60 --jobs 2 -o proposals
  bsatn conformance fuzz --testee "node testee.js" --against ./rust-testee --count 100000 --seed 7
  bsatn conformance fuzz --testee ./testee --level required --format json > fuzz.json
"""


def configure_fuzz(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("--testee", required=True, metavar="CMD", help="the command that is asked; see docs/testee.md")
    parser.add_argument("--against", metavar="CMD", help="the command it is compared with; by default this library")
    parser.add_argument(
        "--op", action="append", choices=OPS, metavar="OP", help=f"only this op; repeatable; of {', '.join(OPS)}"
    )
    parser.add_argument("--seed", type=_natural, default=0, metavar="N", help="draws other questions; by default 0")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--count", type=_positive, default=10_000, metavar="N", help="how many questions, by default 10000")
    length.add_argument("--seconds", type=seconds, metavar="S", help="ask for so long instead")
    parser.add_argument("--jobs", type=count, default=1, metavar="N", help="processes at once of each command, by default 1")
    parser.add_argument("--timeout", type=seconds, default=10.0, metavar="S", help="seconds for a reply, by default 10")
    parser.add_argument(
        "--level",
        choices=("required", "recommended"),
        default="recommended",
        help="recommended (the default): kinds of errors, offsets and words are compared too; required: nothing else is",
    )
    parser.add_argument(
        "--shrink-seconds", type=_shrink, default=30.0, metavar="S", help="seconds to shrink each case, by default 30; 0: none"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="write each finding to a file there, as a proposed vector"
    )
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="of the report, by default text")


def _natural(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise argparse.ArgumentTypeError("expected a number of at most 18 digits")
    return int(text)


def _positive(text: str) -> int:
    if not _natural(text):
        raise argparse.ArgumentTypeError("expected a number above 0")
    return int(text)


def _shrink(text: str) -> float:
    return 0.0 if text == "0" else seconds(text)


def run_fuzz(args: argparse.Namespace) -> int:
    """Ask, report, write proposals; status 1 for any difference."""
    from defs.conformance.fuzzing import Options, fuzz
    from defs.conformance.proposals import propose, write_proposals
    from defs.conformance.shrinking import Budget

    for command in filter(None, (args.testee, args.against)):
        if not command.strip():
            raise UsageError("a command is empty")
    options = Options(
        ops=tuple(args.op or OPS),
        seed=args.seed,
        count=args.count,
        seconds=args.seconds,
        jobs=args.jobs,
        timeout=args.timeout,
        level=args.level,
        budget=Budget(seconds=args.shrink_seconds) if args.shrink_seconds else None,
    )
    progress = _Progress(None if args.seconds else args.count)
    try:
        with ended_as_interrupted():
            done = fuzz(args.testee, args.against, options, progress)
    finally:
        progress.close()
    written = write_proposals(args.output, done) if args.output is not None else []
    if args.format == "json":
        print(json.dumps(_to_json(done, [propose(one, done) for one in done.findings])))
    else:
        print(_to_text(done, written))
    if args.format == "json" or done.interrupted:
        print(f"bsatn: {printable(_headline(done))}", file=sys.stderr)
    return done.status


# Reports ----------------------------------------------------------------------------------------------------------------


def _headline(done: Fuzz) -> str:
    required = sum(one.level == "required" for one in done.findings)
    number = len(done.findings)
    kinds = f"{number} difference{'s' * (number > 1)} ({required} required)" if number else "no difference"
    stopped = ", interrupted" if done.interrupted else ""
    total = done.asked.total()
    return f"{kinds} in {total} questions, {done.different} of them answered otherwise, seed {done.options.seed}{stopped}"


def _to_text(done: Fuzz, written: list[Path]) -> str:
    from defs.conformance.questions.explaining import explained

    names = [f"{side.name} {side.version}" for side in (done.testee, done.against)]
    lines = [f"{names[0]} against {names[1]}: {_headline(done)}", ""]
    for op in done.options.ops:
        skipped = f", {done.skipped[op]} skipped" if done.skipped[op] else ""
        asked = f"{done.asked[op]} asked{skipped}" if op in done.ops else "not answered by both"
        lines.append(f"  {op:16}{asked}")
    for number, finding in enumerate(done.findings):
        lines += ["", f"{number + 1}. {_title(finding)}"]
        lines += [
            f"   {printable(str(one))}" + (f" ({one.level})" if one.level != finding.level else "")
            for one in finding.differences
        ]
        lines += [f"   {who} crashed: {printable(how)}" for who, how in _crashes(finding)]
        lines += [f"   {printable(line)}".rstrip() for line in explained(finding.question).splitlines()]
        lines += [f"   {json.dumps(finding.question.request())}"]
        lines += [f"   {written[number]}"] if written else []
    return "\n".join(lines)


def _crashes(finding: Finding) -> list[tuple[str, str]]:
    """Which side crashed, and what it left behind."""
    from defs.conformance.asking import Crashed

    sides = (("the other side", finding.expected), ("the testee", finding.got))
    return [(who, one.detail) for who, one in sides if isinstance(one, Crashed)]


def _title(finding: Finding) -> str:
    op, *kinds = finding.signature
    times = "once" if finding.count == 1 else f"{finding.count} times"
    return f"{op}: {printable('; '.join(kinds))} ({finding.level}, {times}, first in question {finding.number})"


def _to_json(done: Fuzz, proposals: list[dict[str, object]]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "status": done.status,
        "testee": {"name": done.testee.name, "version": done.testee.version},
        "against": {"name": done.against.name, "version": done.against.version},
        "seed": done.options.seed,
        "asked": dict(done.asked),
        "skipped": dict(done.skipped),
        "different": done.different,
        "crashes": done.crashes,
        "interrupted": done.interrupted,
        "seconds": round(done.seconds, 3),
        "findings": [
            {"signature": list(finding.signature), "level": finding.level, **proposal}
            for finding, proposal in zip(done.findings, proposals, strict=True)
        ],
    }


class _Progress(Progress):
    def __init__(self, total: int | None) -> None:
        super().__init__()
        self.of = "" if total is None else f" of {total}"

    def __call__(self, doing: str, done: int, different: int) -> None:
        if self.is_due():
            told = f"{done}{self.of} questions" if doing == "asked" else f"{done} shrunk"
            self.show(f"{told}, {different} answered otherwise")
