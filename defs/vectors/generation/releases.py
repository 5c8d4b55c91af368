"""The releases that are asked, and of which layouts of definitions. (spec: wire 7)

One release stands for a layout: the first that has it, or, where releases are many, one of them. Cargo resolves a crate to one
release per major version in a program, so each of these becomes a program of its own. Which releases write a layout is said
in `defs.raw.layouts`.
"""

from __future__ import annotations

from dataclasses import dataclass

from defs.raw import layouts
from defs.releases import release_named

__all__ = ["LAYOUTS", "NEWEST", "RELEASES", "Layout"]

NEWEST = layouts.NEWEST_RELEASE

#: The release that is asked, by layout. Version 8 is the same in all of them.
_ASKED: dict[str, str] = {
    "8": NEWEST,
    "9b": "1.0.0-rc3",
    "9c": "1.0.0",
    "9d": "1.7.0",
    "9e": "1.11.0",
    "10a": "1.12.0",
    "10b": "2.0.0",
    "10c": "2.4.0",
    "10d": "2.7.1",
    "10e": "2.8.0",
    "10f": "2.10.2",
    "10g": "2.11.0",
    "10h": "2.12.0",
    "10i": NEWEST,
}

#: Oldest first.
RELEASES: tuple[str, ...] = tuple(dict.fromkeys([*(release for layout, release in _ASKED.items() if layout != "8"), NEWEST]))


@dataclass(frozen=True, slots=True)
class Layout:
    """`release` is asked about it; it is that of `since`, or the first release that is asked at all, to `until`."""

    version: int
    release: str
    since: str
    until: str


LAYOUTS: dict[str, Layout] = {
    one.id: Layout(one.version, _ASKED[one.id], max(one.first, RELEASES[0], key=release_named), one.last)
    for one in layouts.LAYOUTS
}
