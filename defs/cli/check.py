"""`bsatn check`: may a definition replace older ones, and who notices?

Both sides are read, validated and compared without a server. What the configuration says holds where the command line says
nothing. A side that cannot be read or is invalid is never compatible: the status is 3 whatever else was found.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from defs.cli.common import UsageError, add_output, add_source, load_source, printable, use_color, write_output
from defs.migrate.checking import check, side
from defs.migrate.config import THRESHOLDS, BadConfig, Settings, find, read
from defs.migrate.releases import NEWEST, Profile, UnknownRelease
from defs.migrate.reports import PRINTERS
from defs.migrate.reports.model import Check, Side
from defs.migrate.reports.words import headline
from defs.raw.layouts import UnknownLayout, release_of

_COLORS = {"always": True, "never": False}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "-a",
        "--against",
        action="append",
        default=[],
        metavar="OLD",
        help="the definition to replace, from anywhere that NEW may be from, or git:REF:PATH, a file as git has it; repeat it "
        "for every release still in use",
    )
    add_source(parser, "new")
    parser.add_argument(
        "--against-layout", default="auto", metavar="RELEASE", help="the release whose wire layout the OLD definitions are in"
    )
    parser.add_argument(
        "--allow-missing",
        action="store_true",
        help="accept that git has no file at PATH in REF, as for a module that is new; a REF that is not there stays an error",
    )
    parser.add_argument("--server", metavar="RELEASE", help=f"the server's release, such as 2.4; by default {NEWEST}")
    parser.add_argument(
        "--fail-on",
        choices=THRESHOLDS,
        metavar="LEVEL",
        help="the least level of findings that makes the status 1: error (the default), warning or note; or server: only what "
        "stops publishing; or never",
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=PRINTERS,
        metavar="FORMAT",
        default="text",
        help="text (the default), json, sarif, junit, github (annotations), gitlab (code quality), markdown (for a comment), "
        "html (one file), or spacetime (the plan as the server prints it)",
    )
    parser.add_argument("--config", metavar="FILE", help="the settings; by default bsatn.toml or pyproject.toml, here or above")
    parser.add_argument("--no-config", action="store_true", help="look for no settings")
    parser.add_argument("--color", choices=("auto", *_COLORS), default="auto", help="colour, by default on a terminal")
    add_output(parser)
    parser.epilog = (
        "NEW and OLD may also be git:REF:PATH and lock files (see `bsatn lock`); --kind and --layout are about NEW.\n\n"
        "Exit status: 0 compatible, 1 findings at or above --fail-on, 2 wrong usage, 3 could not compare.\n\n"
        "Examples:\n"
        "  bsatn check --against bsatn.lock module.wasm\n"
        "  bsatn check --against git:origin/main:module.wasm module.wasm\n"
        "  bsatn check --against v1.lock --against v2.lock module.wasm --server 2.4\n"
        "  bsatn check --against old.wasm new.wasm --format spacetime\n"
        "  bsatn check --against old.wasm new.wasm --format html -o report.html"
    )


def run(args: argparse.Namespace) -> int:
    """Compare, print, and say by the status how it went."""
    try:
        settings = _settings(args)
        against = args.against or settings.against
        if not against:
            raise UsageError("compared with what? Say --against OLD, or `against` in the configuration")
        if [*against, args.new].count("-") > 1:
            raise UsageError("standard input, '-', can be read only once")
        release = args.server or settings.server or NEWEST
        Profile(release)
        for layout in (args.source_layout, args.against_layout):
            _ = layout == "auto" or release_of(layout)
        threshold = args.fail_on or settings.fail_on or "error"
        new = _side(args, args.new, args.source_layout, args.kind)
        old = [_side(args, one, args.against_layout, None, known=new) for one in against]
        missing = args.allow_missing or bool(settings.allow_missing)
        found = check(old, new, release=release, threshold=threshold, settings=settings, allow_missing=missing)
    except (BadConfig, UnknownRelease, UnknownLayout) as error:
        raise UsageError(str(error)) from None
    found = replace(found, color=_COLORS[args.color] if args.color in _COLORS else use_color(args))
    try:
        write_output(args, PRINTERS[args.format](found))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone, which changes nothing about what was found
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if args.format != "text" or args.output != "-":
        _tell(found)
    return found.status


def _settings(args: argparse.Namespace) -> Settings:
    """The settings that hold here."""
    if args.no_config and args.config:
        raise UsageError("--config and --no-config exclude each other")
    path = Path(args.config) if args.config else None if args.no_config else find(Path.cwd())
    return Settings() if path is None else read(path)


def _side(args: argparse.Namespace, source: str, layout: str, kind: str | None, known: Side | None = None) -> Side:
    one = argparse.Namespace(**{**vars(args), "source_layout": layout, "kind": kind})
    return side(source, lambda: load_source(one, source), known=known)


def _tell(found: Check) -> None:
    """For the log of whoever keeps the report elsewhere: how it went, and why something could not be compared."""
    for comparison in found.comparisons:
        print(f"bsatn: against {printable(comparison.old.source)}: {headline(found, comparison)}", file=sys.stderr)
        for source, failure in comparison.failures:
            print(f"bsatn: error: {printable(source)}: {failure.kind}: {printable(failure.message)}", file=sys.stderr)
