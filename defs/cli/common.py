"""What subcommands share: errors to exit statuses, values and types from the command line, output to where it goes."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bsatn import satn, satsjson
from bsatn.errors import BsatnError, TypeTextError
from bsatn.types import AlgebraicType, ProductType, Typespace
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE
from defs import raw
from defs.loading import Loaded, load
from defs.sources import KINDS, SourceError

__all__ = ["UsageError", "add_source", "add_type", "load_source", "read_input", "resolve_type", "run", "write_output"]

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


# -- types


class TypeInSpace(NamedTuple):
    """A type, and what its references resolve in."""

    type: AlgebraicType
    typespace: Typespace


def add_type(parser: argparse.ArgumentParser) -> None:
    """The argument that names a type."""
    parser.add_argument(
        "--type",
        "-t",
        required=True,
        metavar="TYPE",
        help="the value's type: SATN text such as '(id: U32, name: String)', SATS-JSON such as '{\"U8\":[]}', or "
        "MODULE::NAME for a type, table or function's arguments of a module (NAME may be &3, an entry of its typespace)",
    )


def resolve_type(text: str) -> TypeInSpace:
    """The type that the text of `--type` names. Raises BsatnError for text that is none, UsageError for unknown names."""
    module, separator, name = text.rpartition("::")
    if separator and re.fullmatch(r"&\d+|[^\s:|,(){}\[\]<>]+", name):
        return _type_of_module(module, name)
    if text.lstrip().startswith("{"):
        return TypeInSpace(satsjson.loads(ALGEBRAIC_TYPE_SHAPE, text), Typespace())
    return TypeInSpace(satn.parse_type(text), Typespace())


def _type_of_module(source: str, name: str) -> TypeInSpace:
    definition = load(source).raw
    typespace = definition.typespace
    if name.startswith("&"):
        index = int(name[1:]) if len(name) < 12 else len(typespace)
        if index >= len(typespace):
            raise UsageError(f"{source} has {len(typespace)} types, so there is no {name}")
        return TypeInSpace(typespace[index], typespace)
    known: dict[str, AlgebraicType] = {}
    for found, kind in _named_types(definition):
        known.setdefault(found, kind)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else f"; it has {', '.join(sorted(known)[:20]) or 'none'}"
        raise UsageError(f"{source} has no type, table or function named {name}{printable(hint)}")
    return TypeInSpace(known[name], typespace)


def _named_types(definition: raw.RawModuleDef) -> Iterator[tuple[str, AlgebraicType]]:
    """Names of a definition with what they mean: types first, then tables (their rows), then functions (their arguments)."""
    space = definition.typespace

    def entry(index: int) -> list[AlgebraicType]:
        return [space[index]] if index < len(space) else []

    if isinstance(definition, raw.RawModuleDefV8):
        for export in definition.misc_exports:
            yield from ((export.name, kind) for kind in entry(export.ty))
        for described in definition.tables:
            yield from ((described.schema.table_name, kind) for kind in entry(described.data))
        for old in definition.reducers:
            yield old.name, ProductType(old.args)
        return
    for named in definition.types:
        scoped = named.name if isinstance(named, raw.v9.RawTypeDefV9) else named.source_name
        last = scoped.name if isinstance(scoped, raw.v9.RawScopedTypeNameV9) else scoped.source_name
        yield from ((".".join((*scoped.scope, last)), kind) for kind in entry(named.ty))
    for table in definition.tables:
        yield from ((_name(table), kind) for kind in entry(table.product_type_ref))
    functions: list[Any] = list(definition.reducers)
    if isinstance(definition, raw.RawModuleDefV10):
        functions += [*definition.procedures, *definition.views]
    else:
        functions += [export for export in definition.misc_exports if hasattr(export, "params")]
    for function in functions:
        yield _name(function), function.params


def _name(named: Any) -> str:
    """The name as written, whichever version it is of."""
    name: str = named.source_name if hasattr(named, "source_name") else named.name
    return name


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
