"""`bsatn lock`: a module's definition in a file that is kept beside the code, for later ones to be compared with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from defs.cli.common import BAD_INPUT, UsageError, add_source, load_source, printable, write_output
from defs.cli.validate import report_of
from defs.findings import PRINTERS, Reading
from defs.migrate.lockfile import lock_of
from defs.sources.lock import read_lock, write_lock
from defs.validate import ValidationErrors

DEFAULT = "bsatn.lock"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser, "module")
    parser.add_argument("-o", "--output", metavar="FILE", default=DEFAULT, help=f"by default {DEFAULT}; '-' for the screen")
    parser.add_argument(
        "--check", action="store_true", help="write nothing: the status is 1 when the file is not the lock of this module"
    )
    parser.epilog = (
        "The file holds the definition with its layout, and the fingerprint of what clients can see.\n\n"
        "Examples:\n"
        "  bsatn lock module.wasm\n"
        "  bsatn lock module.wasm --check\n"
        "  bsatn check --against bsatn.lock module.wasm"
    )


def run(args: argparse.Namespace) -> int:
    """Write the lock, or compare with the one that is there."""
    if args.check and args.output == "-":
        raise UsageError("--check compares with a file, not with standard output")
    loaded = load_source(args, args.module)
    try:
        lock = lock_of(loaded)
    except ValidationErrors:
        faults = Reading([report_of(loaded, frozenset())], "lock", {}, color=False)
        print(PRINTERS["text"](faults).rstrip("\n"), file=sys.stderr)
        return BAD_INPUT
    if not args.check:
        write_output(args, write_lock(lock))
        if args.output != "-":
            print(f"{args.output}: fingerprint {lock.fingerprint[:16]}, layout {lock.layout}", file=sys.stderr)
        return 0
    kept = read_lock(Path(args.output).read_bytes(), args.output)
    if (kept.definition, kept.layout) == (lock.definition, lock.layout):
        return 0
    seen = "clients see no difference" if kept.fingerprint == lock.fingerprint else "clients can see the difference"
    where = f"{printable(args.output)} is not the lock of {printable(args.module)}"
    print(f"bsatn: error: {where}: {seen}; write it with `bsatn lock`", file=sys.stderr)
    return BAD_INPUT
