"""What the subcommands of `bsatn log` share: ranges on the command line, faults and progress on standard error."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import UTC, datetime, timedelta

from bsatn.values import Timestamp
from defs.cli.common import BAD_INPUT, printable
from defs.store.reading import Fault

__all__ = ["add_range", "add_since", "complain", "moment", "offset", "progress"]


def offset(text: str) -> int:
    """A transaction's offset."""
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise argparse.ArgumentTypeError(f"{text!r} is no transaction offset, a number from 0 on")
    return int(text)


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str) -> int:
    """Microseconds since 1970 of a time, or of so long ago."""
    ago = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhdw])", text)
    try:
        if ago:
            return int((datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})).timestamp() * 1e6)
        moment = datetime.fromisoformat(text)
        return int(Timestamp.from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
    except (ValueError, OverflowError):
        expected = (
            "expected a time such as 2026-01-31T12:00:00Z (UTC unless it says), or how long ago, such as 90s, 15m, 2h, 7d"
        )
        raise argparse.ArgumentTypeError(f"{text!r} is no time: {expected}") from None


def add_range(parser: argparse.ArgumentParser) -> None:
    """`--from` and `--to`, into `first` and `last`."""
    parser.add_argument("--from", dest="first", type=offset, default=0, metavar="OFFSET", help="begin with this transaction")
    parser.add_argument("--to", dest="last", type=offset, metavar="OFFSET", help="end with this transaction")


def add_since(parser: argparse.ArgumentParser, what: str) -> None:
    """`--since`, in microseconds since 1970."""
    parser.add_argument(
        "--since",
        type=moment,
        metavar="WHEN",
        help=f"only {what} since then: a time such as 2026-01-31T12:00:00Z, or how long ago, such as 90s, 15m, 2h, 7d",
    )


def complain(fault: Fault) -> int:
    """Tell of a fault; the exit status for it."""
    print(f"bsatn: error: {fault.kind}: {printable(str(fault))}", file=sys.stderr)
    return BAD_INPUT


def progress(text: str) -> None:
    """Show how far it is, on one line that is written over."""
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
