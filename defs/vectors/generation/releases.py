"""The releases that are asked, and which layouts of definitions are theirs. (spec: wire 7)

One release stands for a layout: the first that has it, or, where releases are many, one of them. Cargo resolves a crate to one
release per major version in a program, so each of these becomes a program of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LAYOUTS", "NEWEST", "RELEASES", "Layout"]

NEWEST = "2.14.0"


@dataclass(frozen=True, slots=True)
class Layout:
    """`release` is asked about it; it is that of `since` to `until`."""

    version: int
    release: str
    since: str
    until: str


LAYOUTS: dict[str, Layout] = {
    "8": Layout(8, NEWEST, "1.0.0-rc3", NEWEST),
    "9b": Layout(9, "1.0.0-rc3", "1.0.0-rc3", "1.0.0-rc3.1"),
    "9c": Layout(9, "1.0.0", "1.0.0", "1.3.2"),
    "9d": Layout(9, "1.7.0", "1.4.0", "1.7.0"),
    "9e": Layout(9, "1.11.0", "1.8.0", NEWEST),
    "10a": Layout(10, "1.12.0", "1.12.0", "1.12.0"),
    "10b": Layout(10, "2.0.0", "2.0.0-rc1", "2.3.0"),
    "10c": Layout(10, "2.4.0", "2.4.0", "2.4.0"),
    "10d": Layout(10, "2.7.1", "2.4.1", "2.7.1"),
    "10e": Layout(10, "2.8.0", "2.8.0", "2.10.1"),
    "10f": Layout(10, "2.10.2", "2.10.2", "2.10.2"),
    "10g": Layout(10, "2.11.0", "2.11.0", "2.11.0"),
    "10h": Layout(10, "2.12.0", "2.12.0", "2.13.0"),
    "10i": Layout(10, NEWEST, NEWEST, NEWEST),
}

#: Oldest first.
RELEASES: tuple[str, ...] = tuple(dict.fromkeys([*(layout.release for key, layout in LAYOUTS.items() if key != "8"), NEWEST]))
