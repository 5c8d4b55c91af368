"""`bsatn generate`: code for clients of a module."""

from __future__ import annotations

import argparse
import sys

from defs.cli.common import BAD_INPUT, add_output, add_source, load_source, write_output
from defs.cli.validate import report_of
from defs.findings import PRINTERS, Reading
from defs.generate import LANGUAGES
from defs.validate import ValidationErrors


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser, "module")
    parser.add_argument("--lang", "-l", choices=LANGUAGES, required=True, help="the language to write")
    add_output(parser)
    parser.epilog = (
        "Examples:\n"
        "  bsatn generate arena.wasm --lang python -o arena.py\n\n"
        "The file imports bsatn and defs, nothing else. The same module gives the same file."
    )


def run(args: argparse.Namespace) -> int:
    """Write the code; of an invalid module what is wrong with it."""
    loaded = load_source(args, args.module)
    try:
        module = loaded.validate()
    except ValidationErrors:
        faults = Reading([report_of(loaded, frozenset())], "generate", {}, color=False)
        print(PRINTERS["text"](faults).rstrip("\n"), file=sys.stderr)
        return BAD_INPUT
    write_output(args, LANGUAGES[args.lang](module))
    return 0
