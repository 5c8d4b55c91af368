"""`bsatn explain`: bytes read field by field, up to where they are wrong; or a rule of `bsatn check`."""

from __future__ import annotations

import argparse
import json
import re
import shutil

from bsatn.explanation import explain
from defs import raw
from defs.cli.common import UsageError, add_output, add_value_bytes, read_value_bytes, use_color, write_output
from defs.cli.types import resolve_type

_RULE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")  #: what ids of rules look like, and no bytes do


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_value_bytes(parser)
    parser.add_argument(
        "--type",
        "-t",
        metavar="TYPE",
        help="the value's type, as for `bsatn decode`; without it, the bytes are a module definition",
    )
    parser.add_argument("-f", "--format", choices=("text", "json"), default="text", help="a table (the default), or JSON")
    parser.add_argument("--max-rows", type=_count, metavar="N", help="print at most N rows of the reading")
    add_output(parser)
    parser.epilog = (
        "The id of a rule, see `bsatn rules`, explains the rule.\n\n"
        'Examples:\n  bsatn explain 0007000000 --type "(some: U32 | none: ())"\n  bsatn explain PUBLISH_NOT_REFUSED'
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no count")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Explain the bytes; status 1 when they are wrong. Or the rule."""
    if args.type is None and _RULE.fullmatch(args.bytes):
        return _explain_rule(args)
    data = read_value_bytes(args)
    if args.type is None:
        explanation = explain(data, raw.RawModuleDef, max_rows=args.max_rows)
    else:
        kind, typespace = resolve_type(args.type)
        explanation = explain(data, kind, typespace, max_rows=args.max_rows)
    if args.format == "json":
        write_output(args, json.dumps(explanation.to_json(), indent=2, ensure_ascii=False))
    else:
        width = shutil.get_terminal_size((120, 24)).columns
        write_output(args, explanation.to_text(color=use_color(args), width=width))
    return 1 if explanation.error else 0


def _explain_rule(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from defs.migrate.checking import all_rules
    from defs.migrate.config import nearest
    from defs.migrate.rules.running import explanation

    rules = all_rules()
    rule = rules.get(args.bytes)
    if rule is None:
        raise UsageError(f"there is no rule {args.bytes}{nearest(args.bytes, rules) or '; see `bsatn rules`'}")
    if args.format == "json":
        write_output(args, json.dumps(asdict(rule), indent=2))
        return 0
    lines = [f"{head + ':':9}{text}" for head, text in explanation(rule)]
    write_output(args, "\n".join([f"{rule.id}: {rule.title}", "", *lines]))
    return 0
