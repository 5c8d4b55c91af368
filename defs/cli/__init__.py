"""The `bsatn` command: one subcommand a file, loaded when it is asked for, so that `--help` starts at once.

A subcommand's module has `configure(parser)` and `run(args) -> int`. Errors become one line on standard error and an exit
status: 0 fine, 1 the input is bad, 2 the command line is, 3 something could not be read or written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module

__all__ = ["main"]

#: Subcommands: the module in this package, and a line of help.
COMMANDS: dict[str, tuple[str, str]] = {
    "describe": ("describe", "say what is in a module: tables, reducers, views, types"),
    "validate": ("validate", "say whether definitions are valid, and everything that is wrong with them"),
    "check": ("check", "say whether a definition may replace older ones, and who notices"),
    "lock": ("lock", "keep a module's definition in a file, to compare later ones with"),
    "fingerprint": ("fingerprint", "write a digest of what clients can see of a module"),
    "rules": ("rules", "list the rules that `bsatn check` goes by"),
    "convert": ("convert", "write a module's definition as another version, or for another release"),
    "extract": ("extract", "write the bytes of a module's definition"),
    "decode": ("decode", "read a value's bytes"),
    "encode": ("encode", "write a value's bytes from its JSON"),
    "explain": ("explain", "read bytes field by field, up to where they are wrong; or explain a rule of `bsatn check`"),
    "generate": ("generate", "write typed code for clients of a module"),
    "log": ("log", "read a commit log: transactions, events, the state they leave, damage"),
    "layouts": ("layouts", "list the wire layouts that are known, and the releases that write them"),
    "sql": ("sql", "say what the server would make of a subscription"),
    "testee": ("testee", "answer conformance questions, one JSON object a line"),
    "conformance": ("conformance", "ask an implementation in any language the golden vectors, or questions made at random"),
    "vectors": ("vectors", "list, show, check and generate the golden vectors"),
}

_EPILOG = """\
Examples:
  bsatn describe module.wasm
  bsatn describe module.wasm --format html -o module.html
  bsatn validate module.wasm
  bsatn check --against bsatn.lock module.wasm
  bsatn convert module.wasm --to v9 --lossy -o module.v9.bsatn
  bsatn decode 0007000000 --type "(some: U32 | none: ())"
  bsatn explain 0007000000 --type module.wasm::Player
  bsatn generate module.wasm --lang python -o module.py
  bsatn log events data/replicas/1/clog --table damage_event --since 2h

Exit status: 0 fine, 1 the input is bad, 2 the command line is, 3 something could not be read or written.
"""


class LazyParser(argparse.ArgumentParser):
    """The parser of a subcommand or of its action, filled in when it is used."""

    fill: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]  # overloads, which only pass through
        if self.fill is not None:
            fill, self.fill = self.fill, None
            fill(self)
        return super().parse_known_args(args, namespace)


def _load(module: str, parser: argparse.ArgumentParser) -> None:
    """Fill the parser in as the module of a command does."""
    command = import_module(f"defs.cli.{module}")
    parser.set_defaults(run=command.run)
    command.configure(parser)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from bsatn import __version__
        from bsatn.engines import engine
        from bsatn.errors import BsatnError

        try:
            print(f"bsatn {__version__} (definitions as of SpacetimeDB 2.14.0; {engine()} engine)")
        except BsatnError as error:
            parser.error(str(error))
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bsatn",
        description="Read, describe and test SpacetimeDB module definitions and BSATN values, without a server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=LazyParser)
    for name, (module, text) in COMMANDS.items():
        sub = commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub.fill = partial(_load, module)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status. Prints, and never raises for bad input."""
    parser = _parser()
    args = parser.parse_args(argv)
    if not hasattr(args, "run"):
        parser.print_help()
        return 2
    from defs.cli.common import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
