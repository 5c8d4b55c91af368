"""`bsatn fingerprint`: a digest of what clients can see of a module."""

from __future__ import annotations

import argparse
import json
import sys

from defs.cli.common import BAD_INPUT, add_output, add_source, load_source, write_output
from defs.cli.validate import report_of
from defs.findings import PRINTERS, Reading
from defs.migrate.fingerprint import fingerprint, surface
from defs.validate import ValidationErrors


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser, "module")
    parser.add_argument("--surface", action="store_true", help="write what the digest is of, as JSON, instead of the digest")
    add_output(parser)
    parser.epilog = (
        "The same fingerprint means that no client can tell the modules apart.\n\n"
        "Examples:\n"
        "  bsatn fingerprint module.wasm\n"
        "  bsatn fingerprint module.wasm --surface"
    )


def run(args: argparse.Namespace) -> int:
    """Write it; of an invalid module what is wrong with it."""
    loaded = load_source(args, args.module)
    try:
        module = loaded.validate()
    except ValidationErrors:
        faults = Reading([report_of(loaded, frozenset())], "fingerprint", {}, color=False)
        print(PRINTERS["text"](faults).rstrip("\n"), file=sys.stderr)
        return BAD_INPUT
    write_output(args, json.dumps(surface(module), indent=2) if args.surface else fingerprint(module))
    return 0
