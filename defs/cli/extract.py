"""`bsatn extract`: the bytes of a module's definition, in a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bsatn import satsjson
from defs.cli.common import add_output, add_source, load_source, write_output
from defs.loading import Loaded
from defs.raw import layouts

_FORMS: dict[str, Callable[[Loaded], str | bytes]] = {
    "bsatn": lambda loaded: layouts.encode(loaded.raw, layout=loaded.layout),
    "hex": lambda loaded: layouts.encode(loaded.raw, layout=loaded.layout).hex(),
    "json": lambda loaded: satsjson.dumps(layouts.shape(loaded.layout), loaded.raw),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument("-f", "--format", choices=_FORMS, default="bsatn", help="how to write it; by default its bytes")
    add_output(parser)
    parser.epilog = "Example:\n  bsatn extract arena.wasm -o arena.bsatn"


def run(args: argparse.Namespace) -> int:
    """Extract the definition."""
    loaded = load_source(args)
    content = _FORMS[args.format](loaded)
    write_output(args, content)
    if args.output != "-":
        print(f"{args.output}: version {loaded.version}, layout {loaded.layout}, {len(content)} bytes", file=sys.stderr)
    return 0
