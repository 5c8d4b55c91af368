"""What subcommands share: errors to exit statuses, definitions and values from the command line, output to where it goes."""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from bsatn.errors import BsatnError, TypeTextError
from defs.loading import Loaded, load
from defs.sources import KINDS, SourceError

__all__ = ["UsageError", "add_source", "load_source", "read_input", "run", "write_output"]

BAD_INPUT, USAGE, UNREADABLE = 1, 2, 3
MAX_INPUT = 256 << 20  #: bytes of a value, from a file or standard input


class UsageError(Exception):
    """The command line asks for something that cannot be."""


def run(args: argparse.Namespace) -> int:
    """Run the chosen subcommand; whatever it raises becomes a line on standard error and a status."""
    try:
        status = args.run(args)
        sys.stdout.flush()
        return int(status or 0)
    except TypeTextError as error:  # shows where in the text, on two more lines
        return _fail(f"{error.kind}: {error}", BAD_INPUT, lines=3)
    except BsatnError as error:
        return _fail(f"{error.kind}: {error}", UNREADABLE if error.unreadable else BAD_INPUT)
    except SourceError as error:
        return _fail(f"{error.kind}: {error}", UNREADABLE if error.unreadable else BAD_INPUT)
    except UsageError as error:
        return _fail(str(error), USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; nothing more to say
        return 0
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}", UNREADABLE)
    except KeyboardInterrupt:
        return 130


def _fail(message: str, status: int, lines: int = 1) -> int:
    """Print the message on as many lines as it may have, no more."""
    shown = "\n".join(map(printable, message.split("\n", lines - 1)))
    print(f"bsatn: error: {shown}", file=sys.stderr)
    return status


_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """Text from outside on one line, fit for a terminal: control characters and line ends are escaped."""
    return _UNPRINTABLE.sub(lambda m: ascii(m[0])[1:-1], text)


# -- definitions


def add_source(parser: argparse.ArgumentParser, name: str = "source", *, many: bool = False, layout: str = "--layout") -> None:
    """The arguments of a command that reads a definition, or with `many` any number of them into `name`s.

    `layout` is what the option for the definition's layout is called.
    """
    parser.add_argument(
        f"{name}s" if many else name,
        nargs="+" if many else None,
        metavar=name.upper(),
        help="a .wasm module; its definition as BSATN (binary or hex) or SATS-JSON; '-' for standard input; "
        "or a server's address, http://HOST/v1/database/NAME/schema?version=9",
    )
    parser.add_argument("--kind", choices=KINDS, help="what the source is, instead of finding out by its content")
    parser.add_argument(
        "--trailing",
        choices=("reject", "allow"),
        default="reject",
        help="bytes left over after the definition: an error (the default), or ignored as the server does",
    )
    parser.add_argument(
        layout,
        dest="source_layout",
        default="auto",
        metavar="RELEASE",
        help="the release whose wire layout the definition is in, such as 2.12.0, or a layout's id, see `bsatn layouts`; "
        "by default the one that reads it",
    )


def load_source(args: argparse.Namespace, source: str | None = None) -> Loaded:
    """The definition that the arguments of `add_source` name; what a module printed goes to standard error."""
    loaded = load(source or args.source, kind=args.kind, layout=args.source_layout, trailing=args.trailing)
    for note in loaded.notes:
        if note.startswith("the module logged"):
            print(f"bsatn: {printable(note)}", file=sys.stderr)
    return loaded


# -- values


def read_input(text: str) -> bytes:
    """The bytes of a value argument: `-` is standard input, `@FILE` a file, anything else is the text itself."""
    if text == "-":
        data = sys.stdin.buffer.read(MAX_INPUT + 1)
    elif text.startswith("@"):
        with Path(text[1:]).open("rb") as file:
            data = file.read(MAX_INPUT + 1)
    else:
        return os.fsencode(text)
    if len(data) > MAX_INPUT:
        raise UsageError(f"the input is larger than {MAX_INPUT >> 20} MiB")
    return data


_HEX = re.compile(rb"\s*(?:0x)?(?:[0-9a-fA-F]{2}\s*)*")


def read_value_bytes(args: argparse.Namespace) -> bytes:
    """The bytes that a value argument spells: hex, or binary from a file or standard input."""
    data = read_input(args.bytes)
    literal = args.bytes != "-" and not args.bytes.startswith("@")
    if args.input == "binary" and not literal:
        return data
    if _HEX.fullmatch(data):
        return bytes.fromhex(re.sub(rb"^\s*0x", b"", data).decode())
    if literal or args.input == "hex":
        raise UsageError("the bytes must be hex digits, two a byte; for a file say @FILE, for standard input -")
    return data


def add_value_bytes(parser: argparse.ArgumentParser) -> None:
    """The arguments of a command that reads a value's bytes."""
    parser.add_argument("bytes", metavar="BYTES", help="hex digits, or @FILE, or '-' for standard input")
    parser.add_argument(
        "--input",
        choices=("auto", "hex", "binary"),
        default="auto",
        help="what a file or standard input holds; by default hex text if it looks like it",
    )


# -- output


def add_output(parser: argparse.ArgumentParser) -> None:
    """The argument that says where output goes."""
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="write to FILE instead of standard output")


def write_output(args: argparse.Namespace, content: str | bytes) -> None:
    """Write where `-o` says: text gets a final line end; bytes do not go to a terminal."""
    if isinstance(content, str) and content and not content.endswith("\n"):
        content += "\n"
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    if args.output != "-":
        Path(args.output).write_bytes(data)
    elif isinstance(content, bytes) and sys.stdout.isatty():
        raise UsageError("the output is binary: say -o FILE, or pipe it")
    else:
        sys.stdout.buffer.write(data)


def use_color(args: argparse.Namespace) -> bool:
    """Whether to colour: only on a terminal, and not where NO_COLOR is set."""
    return args.output == "-" and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
