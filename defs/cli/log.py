"""`bsatn log`: what is in a commit log. It reads, never writes, and needs no module: a log describes its own tables.

One function a subcommand, listed in `_SUBCOMMANDS`. Output is written as the log is read, so a log may be of any size; a place
that cannot be read ends it, with a line on standard error and exit status 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator

from defs.cli import log_columns
from defs.cli.common import BAD_INPUT, UNREADABLE, UsageError, printable, use_color
from defs.cli.log_arguments import add_range, add_since, complain, offset, progress
from defs.store.commitlog import LogError, list_segments
from defs.store.eventlines import EVENT_FORMATS
from defs.store.history import missing_table
from defs.store.reading import Fault, LogReader, Transaction
from defs.store.replay import replay
from defs.store.showing import (
    Paint,
    fault_json,
    plain,
    row_json,
    row_text,
    schema_json,
    schema_text,
    transaction_json,
    transaction_text,
)
from defs.store.tracking import LogTable
from defs.store.verifying import verify

_DIRECTORY = "the directory of a log's segments (NNN.stdb.log), or of a replica, with clog/ in it"
_POLL = 0.25  #: seconds between looks at a log that is followed
_PATIENCE = 20  #: looks after which damage at the end of a log that is followed is no commit being written


def run(args: argparse.Namespace) -> int:
    """Run the subcommand that was named."""
    try:
        status: int = args.run_log(args)
    except LogError as error:
        print(f"bsatn: error: {error.kind}: {printable(str(error))}", file=sys.stderr)
        return UNREADABLE if error.unreadable else BAD_INPUT
    return status


# Output and faults ------------------------------------------------------------------------------------------

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def _painted(text: str, colour: str) -> str:
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def _paint() -> Paint:
    return _painted if use_color(argparse.Namespace(output="-")) else plain


def _say(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")


class _Wanted:
    """The tables of `--table`, by name or id; and whether each of them was ever seen."""

    def __init__(self, names: list[str]) -> None:
        self.names = set(names)
        self.missing = set(names)
        self.seen: set[str] = set()

    def __call__(self, table: LogTable) -> bool:
        if not self.names:
            return True
        self.seen.add(table.name)
        found = self.names & {table.name, str(table.table_id)}
        self.missing -= found
        return bool(found)

    def check(self, tables: Iterator[LogTable]) -> None:
        """Once the log is read: names of no table are a mistake. Raises UsageError."""
        for table in tables if self.missing else ():
            self(table)
        for name in sorted(self.missing):
            raise UsageError(str(missing_table(name, self.seen)))


def _add_tables(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("-t", "--table", action="append", default=[], metavar="TABLE", help=f"{help} (name or id; repeatable)")


def _add_format(parser: argparse.ArgumentParser, *formats: str, help: str) -> None:
    parser.add_argument("-f", "--format", choices=formats, default=formats[0], help=help)


# show -------------------------------------------------------------------------------------------------------


def _configure_show(parser: argparse.ArgumentParser) -> None:
    add_range(parser)
    parser.add_argument("--system", action="store_true", help="show the rows of system tables too, not only how many")
    parser.add_argument("--salvage", action="store_true", help="go on behind what cannot be read, and show that too")
    _add_tables(parser, "show only rows of TABLE, and transactions that have some")
    _add_format(parser, "text", "json", help="text (the default), or json: a JSON object a line, complete")
    parser.epilog = (
        "In text, + is a row inserted, - a row deleted, ! an event.\n\n"
        "Examples:\n"
        "  bsatn log show data/replicas/1/clog\n"
        "  bsatn log show clog --from 1200 --to 1210 --system\n"
        "  bsatn log show clog --table player --format json | jq .reducer"
    )


def _show(args: argparse.Namespace) -> int:
    reader = LogReader(args.directory, "salvage" if args.salvage else "strict")
    wanted, paint, status = _Wanted(args.table), _paint(), 0

    def shown(table: LogTable) -> bool | None:
        """Rows of system tables are only counted, unless they were asked for."""
        if args.table or args.system or not table.is_system:
            return wanted(table)
        return None

    for item in reader.transactions():
        if not isinstance(item, Transaction):
            status = complain(item)
            if args.format == "json":
                _say(json.dumps({"damage": fault_json(item)}))
            continue
        if args.last is not None and item.tx_offset > args.last:
            break
        if item.tx_offset < args.first:
            continue
        touched = [wanted(table) for table in (*(group.table for group in (*item.inserts, *item.deletes)), *item.truncates)]
        if args.table and not any(touched):
            continue
        if args.format == "json":
            _say(transaction_json(item, wanted))
            continue
        if item.commit.n > 1 and item.tx_offset == item.commit.min_tx_offset:
            last = item.commit.end_tx_offset - 1
            _say(paint(f"commit of transactions {item.tx_offset} to {last}, epoch {item.commit.epoch}", "dim"))
        _say("\n".join(transaction_text(item, shown, paint)))
    if not status:
        wanted.check(reader.tracker.tables())
    return status


# events -----------------------------------------------------------------------------------------------------


def _configure_events(parser: argparse.ArgumentParser) -> None:
    _add_tables(parser, "only events of TABLE")
    add_since(parser, "events")
    parser.add_argument("--follow", action="store_true", help="wait for more events, until interrupted")
    _add_format(
        parser,
        "text",
        "json",
        "csv",
        help="text (the default); json: a JSON object a line; csv: with a column for each column of the table if one --table "
        "is named, else with the row as JSON",
    )
    parser.epilog = (
        "The time and the reducer are those of the call that made the transaction; without a call there are none, and --since\n"
        "takes the last time before.\n\n"
        "Examples:\n"
        "  bsatn log events data/replicas/1/clog\n"
        "  bsatn log events clog --table damage_event --since 2h --follow\n"
        "  bsatn log events clog --table damage_event --format csv > damage.csv"
    )


def _events(args: argparse.Namespace) -> int:
    reader, wanted = LogReader(args.directory), _Wanted(args.table)
    lines = EVENT_FORMATS[args.format](len(args.table) == 1)
    latest: int | None = None
    for item in _followed(reader) if args.follow else reader.transactions():
        if not isinstance(item, Transaction):
            return complain(item)
        if item.inputs is not None and item.inputs.timestamp is not None:
            latest = int(item.inputs.timestamp)
        if args.since is not None and (latest is None or latest < args.since):
            continue
        for group in item.events():
            if wanted(group.table):
                for line in lines(item, group):
                    _say(line)
        if args.follow:
            sys.stdout.buffer.flush()
    wanted.check(reader.tracker.tables())
    return 0


def _followed(reader: LogReader) -> Iterator[Transaction | Fault]:
    """The transactions of a log that may grow. Damage at its end may be a commit that is being written: it gets a while."""
    looks, before = 0, None
    while True:
        seen = _extent(reader)
        damage = None
        for item in reader.transactions() if seen != before or looks else ():
            if isinstance(item, Transaction):
                looks = 0
                yield item
            else:
                damage = item
                break
        before, looks = seen, looks + 1 if damage else 0
        if damage and looks > _PATIENCE:
            yield damage
            return
        sys.stdout.buffer.flush()
        time.sleep(_POLL)


def _extent(reader: LogReader) -> tuple[tuple[str, int], ...]:
    return tuple((segment.file, segment.file_size) for segment in list_segments(reader.directory)[-2:])


# replay -----------------------------------------------------------------------------------------------------


def _configure_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", type=offset, metavar="OFFSET", help="the state after this transaction, instead of the last")
    parser.add_argument(
        "--salvage", action="store_true", help="up to the first transaction that is missing, if the log is damaged"
    )
    parser.add_argument("--upstream", action="store_true", help="exactly as the server does, with its faults")
    parser.add_argument("--system", action="store_true", help="show system tables too")
    _add_tables(parser, "only TABLE")
    _add_format(parser, "text", "json", help="text (the default), or json: one JSON object, a table a line")
    parser.epilog = (
        "Examples:\n"
        "  bsatn log replay data/replicas/1/clog\n"
        "  bsatn log replay clog --at 1200 --table player\n"
        "  bsatn log replay clog --format json"
    )


def _replay(args: argparse.Namespace) -> int:
    state = replay(args.directory, at=args.at, mode="salvage" if args.salvage else "strict", upstream=args.upstream)
    for fault in state.faults:
        complain(fault)
    wanted, paint = _Wanted(args.table), _paint()
    tables = [LogTable.of(state.tables[table_id].schema) for table_id in sorted(state.tables)]
    chosen = [table for table in tables if wanted(table) and (args.system or args.table or not table.is_system)]
    wanted.check(iter(()))
    if args.format == "json":
        _say(f'{{"next_tx_offset": {state.next_tx_offset}, "tables": [')
    for index, table in enumerate(chosen):
        rows = state.tables[table.table_id]
        if args.format == "text":
            kind = ", ".join(
                [table.access, *(["event"] if table.is_event else []), f"{len(rows):,} row{'s' * (len(rows) != 1)}"]
            )
            _say(f"{paint(printable(table.name), 'bold')} ({kind})")
            for row in rows.scan():
                _say(f"    {row_text(table, row)}")
            continue
        head = json.dumps({**schema_json(table), "row_count": len(rows)})[:-1]
        shown = ", ".join(row_json(table, row) for row in rows.scan())
        _say(f'{head}, "rows": [{shown}]}}' + ("," if index < len(chosen) - 1 else ""))
    if args.format == "json":
        _say("]}")
    return BAD_INPUT if state.faults else 0


# verify -----------------------------------------------------------------------------------------------------


def _configure_verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--salvage",
        action="store_true",
        help="tell of bytes too that a recovery has left behind, and that the server passes over",
    )
    _add_format(
        parser, "text", "json", help="text (the default), or json: a JSON object for each damaged place, then the summary"
    )
    parser.epilog = (
        "Checks every commit's checksum and order, and that every row of every record can be read.\n"
        "Exit status: 0 intact, 1 damaged, 3 it could not be read.\n\n"
        "Examples:\n"
        "  bsatn log verify data/replicas/1/clog"
    )


def _verify(args: argparse.Namespace) -> int:
    shown = sys.stderr.isatty()
    found = verify(args.directory, salvage=args.salvage, progress=progress if shown else None)
    if shown:
        progress("")
    for fault in found.faults:
        _say(json.dumps({"damage": fault_json(fault)}) if args.format == "json" else printable(f"{fault.kind}: {fault}"))
    _say(json.dumps({"summary": found.counts()}) if args.format == "json" else found.summary())
    return BAD_INPUT if found.faults else 0


# schema -----------------------------------------------------------------------------------------------------


def _configure_schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--at", type=offset, metavar="OFFSET", help="as of after this transaction, instead of the last")
    parser.add_argument("--system", action="store_true", help="show system tables too")
    _add_tables(parser, "only TABLE")
    _add_format(parser, "text", "json", help="text (the default), or json: a JSON object a line")
    parser.epilog = (
        "Examples:\n  bsatn log schema data/replicas/1/clog\n  diff <(bsatn log schema clog --at 1200) <(bsatn log schema clog)"
    )


def _schema(args: argparse.Namespace) -> int:
    reader, wanted, paint = LogReader(args.directory), _Wanted(args.table), _paint()
    for item in reader.transactions():
        if not isinstance(item, Transaction):
            return complain(item)
        if item.tx_offset == args.at:
            break
    if args.at is not None and reader.next <= args.at:
        raise UsageError(f"there is no transaction {args.at}; the last one is {reader.next - 1}")
    tables = list(reader.tracker.tables())
    chosen = [table for table in tables if wanted(table) and (args.system or args.table or not table.is_system)]
    wanted.check(iter(()))
    for table in chosen:
        _say(json.dumps(schema_json(table)) if args.format == "json" else "\n".join(schema_text(table, paint)))
    return 0


# The command ------------------------------------------------------------------------------------------------

#: Subcommands: a line of help, how its arguments are added, and what it does.
_SUBCOMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]] = {
    "show": ("list transactions: who called which reducer when, and the rows that changed", _configure_show, _show),
    "events": ("list the rows of event tables, which only the log keeps", _configure_events, _events),
    "columns": (
        "write what a table had inserted and deleted as columns, for polars, duckdb and others",
        log_columns.configure,
        log_columns.run,
    ),
    "replay": ("show the tables as the log leaves them, or left them at some point", _configure_replay, _replay),
    "verify": ("check that a log is intact, and name every damaged place", _configure_verify, _verify),
    "schema": ("show the tables and columns that the log describes", _configure_schema, _schema),
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True)
    for name, (text, add, done) in _SUBCOMMANDS.items():
        sub = commands.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub.add_argument("directory", metavar="DIR", help=_DIRECTORY)
        add(sub)
        sub.set_defaults(run_log=done)
    parser.epilog = (
        "Examples:\n"
        "  bsatn log show data/replicas/1/clog\n"
        "  bsatn log events clog --table damage_event --since 2h\n"
        "  bsatn log columns clog damage_event -o damage.parquet\n"
        "  bsatn log replay clog --at 1200 --table player\n"
        "  bsatn log verify clog"
    )
