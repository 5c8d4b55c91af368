"""`bsatn testee`: the conformance protocol on standard input and output."""

from __future__ import annotations

import argparse
import sys

from defs.testee import answer_line


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = (
        "Requests come on standard input, one JSON object a line; replies go to standard output in the same order.\n\n"
        "Example:\n"
        """  echo '{"op": "value.decode", "type": "0b", "bytes": "07000000"}' | bsatn testee"""
    )


def run(args: argparse.Namespace) -> int:
    """Answer until the input ends."""
    for line in sys.stdin.buffer:
        if line.strip():
            print(answer_line(line), flush=True)
    return 0
