"""Collecting errors the way the reference does: independent steps run whatever the others did, dependent ones stop.

A step raises `Faults` with everything it found. `Collector.attempt` runs a step and keeps what it raises, so that its
siblings still run; `Collector.done` raises what was kept. A step that must stop the rest is simply called.
(spec: validation 4.1)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from defs.validate.errors import ValidationError

__all__ = ["Collector", "Faults"]

_T = TypeVar("_T")


class Faults(Exception):
    """What one step found wrong; never empty, and never seen outside validation."""

    def __init__(self, *errors: ValidationError) -> None:
        self.errors = errors


class Collector:
    """Errors of steps that run side by side."""

    def __init__(self) -> None:
        self.errors: list[ValidationError] = []

    def attempt(self, step: Callable[..., _T], *arguments: Any) -> _T | None:
        """The step's result; None when it failed, its errors kept."""
        try:
            return step(*arguments)
        except Faults as faults:
            self.errors.extend(faults.errors)
            return None

    def add(self, error: ValidationError) -> None:
        """Keep an error."""
        self.errors.append(error)

    def done(self) -> None:
        """Raise what was kept, if anything."""
        if self.errors:
            raise Faults(*self.errors)
