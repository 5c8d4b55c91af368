"""Migrations: the verdict and the steps are required, the reasons of a refusal and the printed plan recommended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defs.conformance.asking import RECOMMENDED, Ask, Difference
from defs.conformance.checks.common import differs
from defs.vectors.files import Case

__all__ = ["check_migration"]


def check_migration(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    reply = ask("migrate", {"old": case["old"], "new": case["new"]})
    accepted = reply["ok"] and reply.get("verdict") in ("auto", "breaks-clients")
    yield from differs("verdict", case["verdict"], "accept" if accepted else "reject")
    if "migration" in case:
        yield from differs("migration", case["migration"], reply.get("verdict"))
    if case["verdict"] == "accept" and accepted:
        yield from differs("prechecks", case["prechecks"], reply.get("prechecks"))
        yield from differs("steps", case["steps"], reply.get("steps"))
        yield from differs("text", case["text"], reply.get("text"), RECOMMENDED)
    elif "errors" in case and not accepted:
        yield from differs("errors", _sorted(case["errors"]), _sorted(reply.get("errors")), RECOMMENDED)


def _sorted(errors: Any) -> Any:
    """In an order of their own, as theirs means nothing."""
    try:
        return sorted(errors, key=lambda one: (one["kind"], one["message"]))
    except (TypeError, KeyError):
        return errors
