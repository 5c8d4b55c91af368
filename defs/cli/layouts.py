"""`bsatn layouts`: every published wire layout, the releases that write it, and what changed."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable, Sequence

from defs.cli.common import add_output, write_output
from defs.raw.layouts import LAYOUTS, Layout, layouts_of

_HEADINGS = ("layout", "releases", "against the layout before it")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("release", nargs="?", metavar="RELEASE", help="only the layouts that this release writes")
    parser.add_argument("-f", "--format", choices=_FORMATS, default="text", help="text (the default), markdown or json")
    add_output(parser)
    parser.epilog = "Examples:\n  bsatn layouts\n  bsatn layouts 2.4.0\n  bsatn describe old.bsatn --layout 2.12.0"


def run(args: argparse.Namespace) -> int:
    """Print the table."""
    write_output(args, _FORMATS[args.format](_of(args.release)))
    return 0


def _of(release: str | None) -> Sequence[Layout]:
    """All layouts; of a release the one it writes of each version; of a layout's id that one."""
    by_id = [layout for layout in LAYOUTS if layout.id == release]
    if release is None or by_id:
        return by_id or LAYOUTS
    return layouts_of(release)


def _cells(layout: Layout) -> tuple[str, str, str]:
    return layout.id, layout.releases, layout.changes


def to_text(layouts: Sequence[Layout]) -> str:
    """Columns."""
    rows = [_HEADINGS, *map(_cells, layouts)]
    widths = [max(len(row[place]) for row in rows) for place in (0, 1)]
    return "\n".join(f"{one:{widths[0]}}  {two:{widths[1]}}  {three}" for one, two, three in rows)


def to_markdown(layouts: Sequence[Layout]) -> str:
    """A Markdown table."""
    rows = [_HEADINGS, ("---",) * len(_HEADINGS), *map(_cells, layouts)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def to_json(layouts: Sequence[Layout]) -> str:
    """A JSON array of objects."""
    return json.dumps([dataclasses.asdict(layout) for layout in layouts], indent=2)


_FORMATS: dict[str, Callable[[Sequence[Layout]], str]] = {"text": to_text, "markdown": to_markdown, "json": to_json}
