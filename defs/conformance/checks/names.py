"""Names: whether one is an identifier, and its other spellings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from defs.conformance.asking import RECOMMENDED, REQUIRED, Ask, Difference
from defs.conformance.checks.common import accepted, differs

if TYPE_CHECKING:
    from defs.vectors.files import Case

__all__ = ["check_name"]


def check_name(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    reply = ask("name", {"name": case["name"]})
    yield from accepted(reply)
    if not reply["ok"]:
        return
    expected, got = case["identifier"], reply.get("identifier")
    same_verdict = isinstance(got, str) and (expected == "valid") == (got == "valid")
    yield from differs("identifier", expected, got, RECOMMENDED if same_verdict else REQUIRED)
    yield from differs("spellings", case["spellings"], {name: reply.get(name) for name in case["spellings"]})
