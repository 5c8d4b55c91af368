"""`bsatn decode`: a value from its bytes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from bsatn import cborform, satn, satsjson
from bsatn.codec import Codec
from bsatn.shapes import Shape
from defs.cli.common import UsageError, add_output, add_value_bytes, read_value_bytes, write_output
from defs.cli.types import add_type, resolve_type

#: How a value can be printed.
_FORMS: dict[str, Callable[[Shape, Any], str | bytes]] = {
    "json": lambda shape, value: satsjson.dumps(shape, value, tuples="array"),
    "untyped-json": satsjson.dumps_untyped,
    "satn": satn.format_value,
    "python": lambda _, value: repr(value),
    "cbor": cborform.dumps,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_value_bytes(parser)
    add_type(parser)
    parser.add_argument("-f", "--format", choices=_FORMS, default="json", help="how to print the value; by default SATS-JSON")
    parser.add_argument("--many", action="store_true", help="the bytes hold values back to back: print one a line")
    parser.add_argument(
        "--trailing", choices=("reject", "allow"), default="reject", help="bytes left over: an error (the default), or ignored"
    )
    add_output(parser)
    parser.epilog = (
        'Examples:\n  bsatn decode 0007000000 --type "(some: U32 | none: ())"\n'
        "  bsatn decode @rows.bin --many --type arena.wasm::Fighter"
    )


def run(args: argparse.Namespace) -> int:
    """Decode the bytes."""
    kind, typespace = resolve_type(args.type)
    codec: Codec[Any] = Codec(kind, typespace)
    data = read_value_bytes(args)
    if args.many and codec.min_width == 0:
        raise UsageError("values of this type take no bytes, so --many cannot tell how many there are")
    values = codec.decode_many(data) if args.many else [codec.decode(data, trailing=args.trailing)]
    pieces = [_FORMS[args.format](codec.shape, value) for value in values]
    binary = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    write_output(args, binary or "".join(f"{piece}\n" for piece in pieces if isinstance(piece, str)))
    return 0
