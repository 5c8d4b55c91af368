"""`bsatn describe`: what is in a module.

The validated definition is shown, with the names that the server will use. One that is not valid cannot be published; it is
shown as it is written, and the exit status says so.
"""

from __future__ import annotations

import argparse
import sys

from bsatn import satsjson
from defs import raw
from defs.cli.common import BAD_INPUT, add_output, add_source, load_source, write_output
from defs.describe import RENDERERS, describe
from defs.raw import layouts
from defs.schema import ModuleDef
from defs.validate import ValidationErrors, validate

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
    parser.add_argument(
        "--raw",
        action="store_true",
        help="the definition as the module writes it: not validated, names not converted as the server will convert them",
    )
    add_output(parser)
    parser.epilog = (
        "Examples:\n"
        "  bsatn describe arena.wasm\n"
        "  bsatn describe arena.wasm --format html -o arena.html\n"
        "  curl -s 'http://127.0.0.1:3000/v1/database/arena/schema?version=10' | bsatn describe -"
    )


def run(args: argparse.Namespace) -> int:
    """Describe the source."""
    loaded = load_source(args)
    if args.format == RAW_JSON:
        write_output(args, satsjson.dumps(layouts.shape(loaded.layout), loaded.raw, indent=2))
    else:
        shown, status = (loaded.raw, 0) if args.raw else _validated(loaded.raw)
        write_output(args, RENDERERS[args.format](describe(shown)))
        return status
    return 0


def _validated(definition: raw.RawModuleDef) -> tuple[raw.RawModuleDef | ModuleDef, int]:
    """The validated definition; or, of one that is not valid, the raw one and the exit status 1."""
    try:
        return validate(definition), 0
    except ValidationErrors as invalid:
        faults = f"{len(invalid.errors)} fault{'s' if len(invalid.errors) > 1 else ''}"
        print(f"bsatn: the definition is not valid ({faults}, see `bsatn validate`): shown as written", file=sys.stderr)
        return definition, BAD_INPUT
