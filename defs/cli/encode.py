"""`bsatn encode`: a value's bytes from its SATS-JSON."""

from __future__ import annotations

import argparse
import base64
from collections.abc import Callable
from typing import Any

from bsatn import satsjson
from bsatn.codec import Codec
from defs.cli.common import add_output, read_input, write_output
from defs.cli.types import add_type, resolve_type

_FORMS: dict[str, Callable[[bytes], str | bytes]] = {
    "hex": bytes.hex,
    "base64": lambda data: base64.b64encode(data).decode(),
    "binary": lambda data: data,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("json", metavar="JSON", help="the value as SATS-JSON, or @FILE, or '-' for standard input")
    add_type(parser)
    parser.add_argument("-f", "--format", choices=_FORMS, default="hex", help="how to write the bytes; by default hex")
    add_output(parser)
    parser.epilog = 'Example:\n  bsatn encode \'{"id": 7, "name": "bob"}\' --type \'(id: U32, name: String)\''


def run(args: argparse.Namespace) -> int:
    """Encode the value."""
    kind, typespace = resolve_type(args.type)
    codec: Codec[Any] = Codec(kind, typespace)
    value = satsjson.loads(codec.shape, read_input(args.json))
    write_output(args, _FORMS[args.format](codec.encode(value)))
    return 0
