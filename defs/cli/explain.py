"""`bsatn explain`: bytes read field by field, up to where they are wrong."""

from __future__ import annotations

import argparse
import json
import shutil

from bsatn.explanation import explain
from defs import raw
from defs.cli.common import add_output, add_value_bytes, read_value_bytes, resolve_type, use_color, write_output


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
    parser.epilog = 'Example:\n  bsatn explain 0007000000 --type "(some: U32 | none: ())"'


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no count")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Explain the bytes; status 1 when they are wrong."""
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
