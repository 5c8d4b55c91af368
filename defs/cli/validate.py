"""`bsatn validate`: whether definitions are valid, and everything that is wrong with them.

Each source is judged on its own and becomes a report; one that cannot be read does not hide the others. The exit status is that
of the worst: 3 a source could not be read, 1 a definition is invalid or its bytes are none, 0 all are valid. Warnings change
nothing about it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from bsatn.errors import BsatnError
from defs.cli.common import (
    BAD_INPUT,
    UNREADABLE,
    UsageError,
    add_output,
    add_source,
    load_source,
    printable,
    use_color,
    write_output,
)
from defs.findings import PRINTERS, Finding, Reading, Report
from defs.findings.model import element_path
from defs.loading import Loaded
from defs.sources import SourceError
from defs.validate import ValidationErrors
from defs.validate.warnings import ROUTES_IN_SUBMODULE, WARNINGS, warnings_of

ALL = "all"
MANY = 4  #: sources from which on a person wants to see which one it is at
_STATUS = {"valid": 0, "invalid": BAD_INPUT, "undecodable": BAD_INPUT, "unreadable": UNREADABLE}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser, many=True)
    parser.add_argument(
        "-f",
        "--format",
        choices=PRINTERS,
        default="text",
        help="text (the default), json, sarif (2.1.0, for code scanning), junit (XML, for CI), or github (annotations of a "
        "workflow run)",
    )
    parser.add_argument(
        "--warn",
        action="append",
        default=[],
        choices=(*WARNINGS, ALL),
        metavar="NAME",
        help="give a warning listed below, or all",
    )
    add_output(parser)
    width = max(map(len, WARNINGS))
    warnings = "\n".join(f"  {name:{width}}  {check.why}" for name, check in WARNINGS.items())
    parser.epilog = (
        f"Warnings:\n{warnings}\n"
        f"  {ROUTES_IN_SUBMODULE:{width}}  HTTP routes that the server ignores; always given, as the server does\n\n"
        "Exit status: 0 all valid, 1 one is invalid or does not decode, 3 one could not be read.\n\n"
        "Examples:\n"
        "  bsatn validate arena.wasm\n"
        "  bsatn validate modules/*.wasm --format github\n"
        "  bsatn validate arena.wasm --format sarif -o arena.sarif\n"
        "  bsatn validate arena.wasm --warn all"
    )


def run(args: argparse.Namespace) -> int:
    """Validate every source."""
    if args.sources.count("-") > 1:
        raise UsageError("standard input, '-', can be read only once")
    chosen = frozenset(WARNINGS) if ALL in args.warn else frozenset(args.warn)
    reports = [_report(args, source, chosen) for source in _progress(args.sources)]
    about = {name: check.why for name, check in WARNINGS.items()}
    reading = Reading(reports, "validate", about, color=use_color(args))
    write_output(args, PRINTERS[args.format](reading))
    return max(_STATUS[report.status] for report in reports)


def _progress(sources: list[str]) -> Iterator[str]:
    """The sources; says which one it is at, where somebody watches and it takes a while."""
    watched = len(sources) >= MANY and sys.stderr.isatty()
    for number, source in enumerate(sources, 1):
        if watched:
            print(f"\r\x1b[K[{number}/{len(sources)}] {printable(source)[-60:]}", end="", file=sys.stderr, flush=True)
        yield source
    if watched:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _report(args: argparse.Namespace, source: str, chosen: frozenset[str]) -> Report:
    """What there is to say of one source, whatever it raises."""
    try:
        return report_of(load_source(args, source), chosen)
    except SourceError as error:
        failed = Finding(error.kind, "error", error.message, error.origin)
        return Report(error.origin, failed=failed, unreadable=error.unreadable)
    except BsatnError as error:
        return Report(source, failed=Finding(error.kind, "error", str(error), source))
    except OSError as error:
        return Report(source, failed=Finding("Unreadable", "error", error.strerror or str(error), source), unreadable=True)


def report_of(loaded: Loaded, chosen: frozenset[str]) -> Report:
    """What there is to say of a definition: the errors, as far as there is room for them, then the warnings."""
    module, faults, omitted = None, [], 0
    try:
        module = loaded.validate()
    except ValidationErrors as invalid:
        found = invalid.to_json()  # which bounds how much text there is
        faults, omitted = found["errors"], found["omitted"]
    names = _Names(loaded.raw)
    findings = [_finding(names, loaded.origin, fault) for fault in faults]
    for one in warnings_of(loaded.raw, module, chosen):
        name = names.of(one.path)
        findings.append(Finding(one.name, "warning", one.message, loaded.origin, one.path, name=name))
    return Report(loaded.origin, loaded.version, loaded.layout, findings, omitted=omitted)


def _finding(names: _Names, source: str, fault: dict[str, Any]) -> Finding:
    path = tuple(fault["path"])
    return Finding(fault["kind"], "error", fault["message"], source, path, name=names.of(path))


class _Names:
    """What the elements of a definition are called, by their paths."""

    def __init__(self, definition: Any) -> None:
        self._definition = definition
        self._known: dict[tuple[str | int, ...], str | None] = {}

    def of(self, path: tuple[str | int, ...]) -> str | None:
        """The name of the table, function or type that a path leads into; None when it has none."""
        element = element_path(path)
        if element not in self._known:
            self._known[element] = self._find(element)
        return self._known[element]

    def _find(self, path: tuple[str | int, ...]) -> str | None:
        found = level = self._definition
        try:
            for step in path:
                found, level = (found[step], level) if isinstance(step, int) else (getattr(found, step), found)
        except (AttributeError, IndexError, TypeError):
            return None
        if path[-2:-1] == ("typespace",):  # a type has no name of its own
            named = level.types if hasattr(level, "types") else level.misc_exports
            found = next((one for one in named if one.ty == path[-1]), None)
        return _called(found)


#: The attributes that name a thing, in the versions' words; a table of version 8 keeps its name in its schema.
_NAMING = ("source_name", "name", "schema", "table_name", "namespace", "view_source_name", "handler_function", "function_name")


def _called(thing: Any) -> str | None:
    for attribute in _NAMING:
        found = getattr(thing, attribute, None)
        if isinstance(found, str):
            return found if len(found) <= 64 else found[:63] + "…"
        if found is not None:
            return _called(found)
    return None
