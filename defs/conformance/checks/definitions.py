"""Definitions: read and written, validated, converted. A testee is told a release, as in any question, not a layout's id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from defs.conformance.asking import RECOMMENDED, Ask, Difference
from defs.conformance.checks.common import accepted, bytes_of, decoded, differs, from_json, parts

if TYPE_CHECKING:
    from defs.vectors.files import Case

__all__ = ["check_conversion", "check_definition", "check_validation"]


def check_definition(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    layout = {"layout": case["until"]}
    yield from parts(decoded(case, ask, "module.decode", layout), from_json(case, ask, "module.encode", layout))


def check_validation(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    """What is wrong, and in which words, is recommended; whether anything is, is required."""
    reply = ask("module.validate", {"bytes": case["bytes"], "layout": case["until"]})
    yield from accepted(reply)
    if reply["ok"]:
        yield from differs("valid", case["verdict"] == "accept", reply.get("valid"))
        for name in ("errors", "warnings"):
            if name in case:
                yield from differs(name, case[name], reply.get(name), RECOMMENDED)


def check_conversion(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    yield from parts(*(_converted(case, ask, version) for version in ("v9", "v10")))


def _converted(case: Case, ask: Ask, version: str) -> Iterator[Difference]:
    reply = ask("module.convert", {"bytes": case["bytes"], "layout": case["until"], "to": version})
    yield from differs(version, case[version], bytes_of(reply))
