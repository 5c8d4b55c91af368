"""`bsatn describe`: what is in a module."""

from __future__ import annotations

import argparse

from bsatn import satsjson
from bsatn.records import shape_of
from defs import raw
from defs.cli.common import add_output, add_source, load_source, write_output
from defs.describe import RENDERERS, describe

RAW_JSON = "raw-json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument(
        "-f",
        "--format",
        choices=(*RENDERERS, RAW_JSON),
        default="text",
        help="text (the default), json, markdown, a mermaid diagram, a self-contained html page with a picture, or the "
        "definition itself as SATS-JSON (raw-json)",
    )
    add_output(parser)
    parser.epilog = (
        "Names are printed as the module writes them; the server may convert their case when the module is published.\n\n"
        "Examples:\n"
        "  bsatn describe arena.wasm\n"
        "  bsatn describe arena.wasm --format html -o arena.html\n"
        "  curl -s 'http://127.0.0.1:3000/v1/database/arena/schema?version=10' | bsatn describe -"
    )


def run(args: argparse.Namespace) -> int:
    """Describe the source."""
    loaded = load_source(args)
    if args.format == RAW_JSON:
        write_output(args, satsjson.dumps(shape_of(raw.RawModuleDef), loaded.raw, indent=2))
    else:
        write_output(args, RENDERERS[args.format](describe(loaded.raw)))
    return 0
