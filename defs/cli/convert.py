"""`bsatn convert`: a definition as another version, or in the layout of another release.

The definition is validated, and the result is so written that it says the same; what it cannot say is listed on standard error.
Version 9 lacks much that version 10 has, so losing that has to be asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from bsatn import satsjson
from bsatn.paths import format_path
from bsatn.records import shape_of
from defs import raw
from defs.cli.common import BAD_INPUT, UsageError, add_output, add_source, load_source, printable, write_output
from defs.convert import losses_to_v9, losses_to_v10, to_v9, to_v10
from defs.schema import ModuleDef

VERSIONS = {"v9": 9, "v10": 10}
MAX_SHOWN = 1000  #: losses that are listed


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser, layout="--from-layout")
    parser.add_argument("--to", required=True, choices=VERSIONS, help="the version to write")
    parser.add_argument(
        "--layout",
        metavar="RELEASE",
        help="write in the wire layout of this release (2.4.0), or in a layout by its id (10c), see `bsatn layouts`; by "
        "default the newest",
    )
    parser.add_argument("--lossy", action="store_true", help="leave out what version 9 cannot say, instead of refusing")
    parser.add_argument("--drop", action="store_true", help="leave out what the layout cannot hold, instead of refusing")
    parser.add_argument(
        "--as-upstream",
        action="store_true",
        help="as the reference converts: never refuses, and loses names of indexes and columns; see docs/validation.md, 5.3",
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=("bsatn", "hex", "json"),
        default="bsatn",
        help="bsatn (binary, the default), hex, or SATS-JSON (json)",
    )
    add_output(parser)
    parser.epilog = (
        "Exit status: 0 written, 1 the definition is invalid or cannot be written so, 3 it could not be read.\n\n"
        "Examples:\n"
        "  bsatn convert old.wasm --to v10 -o old.v10.bsatn\n"
        "  bsatn convert arena.wasm --to v9 --lossy -o arena.v9.bsatn\n"
        "  bsatn convert arena.wasm --to v10 --layout 2.4.0 --drop -o arena.bsatn\n"
        "  bsatn convert arena.wasm --to v10 --format json"
    )


def run(args: argparse.Namespace) -> int:
    """Convert the definition."""
    if args.drop and args.layout is None:
        raise UsageError("--drop is about what a layout cannot hold: say --layout too")
    module = load_source(args).validate()
    version = VERSIONS[args.to]
    losses = losses_to_v9(module) if version == 9 else losses_to_v10(module)
    _list(f"version {version} cannot say", list(map(str, losses)))
    if losses and version == 9 and not (args.lossy or args.as_upstream):
        print("bsatn: error: LossyConversion: nothing is written; --lossy leaves these things out", file=sys.stderr)
        return BAD_INPUT
    write_output(args, _FORMS[args.format](args, _convert(args, module)))
    return 0


def _convert(args: argparse.Namespace, module: ModuleDef) -> raw.RawModuleDef:
    if args.to == "v9":
        return to_v9(module, lossy=True, as_upstream=args.as_upstream)
    return to_v10(module, as_upstream=args.as_upstream)


def _list(what: str, lines: Sequence[str]) -> None:
    """Say on standard error what is lost."""
    if not lines:
        return
    things = "1 thing" if len(lines) == 1 else f"{len(lines)} things"
    print(f"bsatn: {what} {things} of this definition:", file=sys.stderr)
    for line in lines[:MAX_SHOWN]:
        print(f"  {printable(line)}", file=sys.stderr)
    if len(lines) > MAX_SHOWN:
        print(f"  and {len(lines) - MAX_SHOWN} more", file=sys.stderr)


def _bytes(args: argparse.Namespace, definition: raw.RawModuleDef) -> bytes:
    """The bytes in the layout asked for; what is dropped is told."""
    if args.layout is None:
        return raw.encode(definition)
    from defs.raw import layouts

    data = layouts.encode(definition, layout=args.layout, drop=args.drop)
    dropped = [f"{format_path(one.path)}: {one.what}, since {one.since}" for one in layouts.misfits(definition, args.layout)]
    _list(f"layout {args.layout} cannot hold", dropped)
    return data


def _json(args: argparse.Namespace, definition: raw.RawModuleDef) -> str:
    """What the layout holds, as JSON."""
    if args.layout is None:
        return satsjson.dumps(shape_of(raw.RawModuleDef), definition, indent=2)
    from defs.raw import layouts

    held = layouts.decode(_bytes(args, definition), layout=args.layout).raw
    return satsjson.dumps(layouts.shape(args.layout), held, indent=2)


_FORMS: dict[str, Callable[[argparse.Namespace, raw.RawModuleDef], str | bytes]] = {
    "bsatn": _bytes,
    "hex": lambda args, definition: _bytes(args, definition).hex(),
    "json": _json,
}
