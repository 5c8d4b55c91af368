"""What commands that ask a testee share: numbers of the command line, an end that is told like Ctrl-C, and progress."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Progress", "count", "ended_as_interrupted", "seconds"]


def count(text: str) -> int:
    """The number that an argument is: of processes at once."""
    if not text.isdecimal() or not 0 < int(text) <= 256:
        raise argparse.ArgumentTypeError("expected a number from 1 to 256")
    return int(text)


def seconds(text: str) -> float:
    """The time that an argument is."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError("expected seconds, more than 0 and at most 86400")
    return value


@contextmanager
def ended_as_interrupted() -> Iterator[None]:
    """Within it SIGTERM raises KeyboardInterrupt, so that what is known by then is printed."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class Progress:
    """How far it is, on standard error: a terminal has one line that changes, anything else a line every few seconds."""

    def __init__(self) -> None:
        self.is_live = sys.stderr.isatty()
        self.pause = 0.1 if self.is_live else 5.0
        self.last = time.monotonic()
        self.width = 0

    def is_due(self) -> bool:
        """Whether it is time to show something again; if so, the time begins anew."""
        now = time.monotonic()
        if now - self.last < self.pause:
            return False
        self.last = now
        return True

    def show(self, text: str) -> None:
        """Shows a text in place of the one before."""
        if self.is_live:
            text = text[: (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1]
            sys.stderr.write("\r" + text.ljust(self.width))
            self.width = len(text)
        else:
            sys.stderr.write(f"bsatn: {text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Takes the changing line away."""
        if self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()
