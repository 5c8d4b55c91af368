"""`bsatn rules`: the rules that `bsatn check` goes by."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from defs.cli.common import UsageError, add_output, write_output
from defs.migrate.checking import all_rules
from defs.migrate.releases import UnknownRelease
from defs.migrate.reports.words import AXES
from defs.migrate.rules.model import Rule
from defs.migrate.rules.running import holds


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--server", metavar="RELEASE", help="only the rules that hold for a server of this release")
    parser.add_argument("-f", "--format", choices=_FORMATS, default="text", help="text (the default), markdown or json")
    add_output(parser)
    parser.epilog = "Examples:\n  bsatn rules\n  bsatn rules --server 2.4\n  bsatn explain REDUCER_SAME_PARAMS"


def run(args: argparse.Namespace) -> int:
    """Print the list."""
    try:
        chosen = [rule for rule in all_rules().values() if args.server is None or holds(rule, args.server)]
    except UnknownRelease as error:
        raise UsageError(str(error)) from None
    write_output(args, _FORMATS[args.format](chosen))
    return 0


def to_text(rules: Sequence[Rule]) -> str:
    """Columns."""
    width = max(len(rule.id) for rule in rules)
    return "\n".join(f"{rule.id:{width}}  {AXES[rule.axis]:11}  {rule.severity:7}  {rule.title}" for rule in rules)


def to_markdown(rules: Sequence[Rule]) -> str:
    """A Markdown table."""
    rows = [("rule", "noticed by", "severity", "promise"), ("---",) * 4]
    rows += [(f"`{rule.id}`", AXES[rule.axis], rule.severity, rule.title.replace("|", "\\|")) for rule in rules]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def to_json(rules: Sequence[Rule]) -> str:
    """A JSON array of objects."""
    return json.dumps([asdict(rule) for rule in rules], indent=2)


_FORMATS: dict[str, Callable[[Sequence[Rule]], str]] = {"text": to_text, "markdown": to_markdown, "json": to_json}
