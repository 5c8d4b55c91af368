"""`bsatn log columns`: a table's history as an Arrow stream, or in a file of columns.

pyarrow writes it, some megabytes at a time. What was read before a place that cannot be read goes out, and then the error, as
with the other subcommands; a file is complete up to there.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import IO, NamedTuple

from bsatn.errors import BsatnError
from bsatn.values import Timestamp
from defs.cli.common import BAD_INPUT, UsageError, add_output
from defs.cli.log_arguments import add_range, add_since, complain, progress
from defs.store.history import LEADING, HistoryError, HistoryReader
from defs.system.errors import StoreError


class _Format(NamedTuple):
    """A format: the ends of file names that ask for it, its words in the help, and what of pyarrow makes its writer."""

    suffixes: tuple[str, ...]
    help: str
    module: str
    maker: str


_FORMATS = {
    "stream": _Format((".arrows",), "an Arrow IPC stream", "pyarrow.ipc", "new_stream"),
    "arrow": _Format((".arrow", ".feather", ".ipc"), "an Arrow IPC file", "pyarrow.ipc", "new_file"),
    "parquet": _Format((".parquet", ".pq"), "Parquet", "pyarrow.parquet", "ParquetWriter"),
}
_BY_SUFFIX = {suffix: name for name, one in _FORMATS.items() for suffix in one.suffixes}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("table", metavar="TABLE", help="the table, by name or id")
    add_output(parser)
    endings = ", ".join(f"{name}: {one.help} ({' '.join(one.suffixes)})" for name, one in _FORMATS.items())
    parser.add_argument(
        "-f", "--format", choices=_FORMATS, help=f"{endings}; by default what FILE ends with, and a stream to standard output"
    )
    add_range(parser)
    add_since(parser, "rows")
    parser.add_argument("--salvage", action="store_true", help="go on behind what cannot be read, and tell of it")
    parser.add_argument(
        "--merge", action="store_true", help="if the table's columns change, write all of them, with nulls; reads the log twice"
    )
    parser.add_argument(
        "--wide",
        choices=("binary", "decimal"),
        default="binary",
        help="integers of 128 and 256 bits as bytes (the default), or as decimals of 38 and 76 digits",
    )
    parser.add_argument(
        "--sums",
        choices=("struct", "union"),
        default="struct",
        help="sums as structs with a tag (the default), or as dense unions, which polars, duckdb and Parquet do not take",
    )
    parser.epilog = (
        f"Columns: {', '.join(element.name or '' for element in LEADING.elements)}, then the table's own. A row for each\n"
        "row inserted or deleted; of a transaction the deletes come first.\n"
        "Needs pyarrow: pip install 'bsatn[columns]'\n\n"
        "Examples:\n"
        "  bsatn log columns clog damage_event -o damage.parquet\n"
        "  bsatn log columns clog damage_event --since 7d | python -c \\\n"
        "    'import polars, sys; print(polars.read_ipc_stream(sys.stdin.buffer))'"
    )


def run(args: argparse.Namespace) -> int:
    """Write the columns."""
    chosen = _format(args)
    try:
        pyarrow = import_module("pyarrow")
    except ImportError:
        raise UsageError("columns are written by pyarrow, which is not here: pip install 'bsatn[columns]'") from None
    shown = sys.stderr.isatty()
    reader = HistoryReader(
        args.directory,
        args.table,
        first=args.first,
        last=args.last,
        since=None if args.since is None else Timestamp(args.since),
        mode="salvage" if args.salvage else "strict",
        merge=args.merge,
        wide=args.wide,
        sums=args.sums,
        progress=progress if shown else None,
    )
    failure: BsatnError | None = None
    with contextlib.ExitStack() as stack:
        writer = None
        try:
            for columns in reader.chunks():
                part = pyarrow.table(columns)
                if writer is None:
                    make = getattr(import_module(chosen.module), chosen.maker)
                    writer = stack.enter_context(make(stack.enter_context(_sink(args.output)), part.schema))
                writer.write_table(part)
        except StoreError as error:
            failure = error
        finally:
            if shown:
                progress("")
    return _told(reader, failure)


def _told(reader: HistoryReader, failure: BsatnError | None) -> int:
    """What was wrong, once everything is written; the exit status."""
    for fault in reader.faults:
        complain(fault)
    if failure is None or isinstance(failure, HistoryError):
        return BAD_INPUT if reader.faults else 0
    if failure.kind == "TableNotFound":
        raise UsageError(str(failure))
    raise failure


def _format(args: argparse.Namespace) -> _Format:
    """The format. Raises UsageError."""
    if args.output == "-" and sys.stdout.isatty():
        raise UsageError("the output is binary: say -o FILE, or pipe it")
    suffix = Path(args.output).suffix.lower()
    found = args.format or ("stream" if args.output == "-" else _BY_SUFFIX.get(suffix))
    if found is None:
        raise UsageError(f"{args.output}: say --format, or end the name with {' or '.join(_BY_SUFFIX)}")
    if found == "parquet" and args.sums == "union":
        raise UsageError("Parquet has no unions: leave out --sums union")
    return _FORMATS[found]


@contextlib.contextmanager
def _sink(output: str) -> Iterator[IO[bytes]]:
    """Where to write."""
    if output == "-":
        yield sys.stdout.buffer
        return
    with Path(output).open("wb") as file:
        yield file
