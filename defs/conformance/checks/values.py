"""Values of any type, and types, which are values of the type of types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from defs.conformance.asking import Ask, Difference
from defs.conformance.checks.common import decoded, from_json, parts

if TYPE_CHECKING:
    from defs.vectors.files import Case

__all__ = ["check_type", "check_value"]


def check_value(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    typed = {name: case[name] for name in ("type", "typespace")}
    yield from parts(decoded(case, ask, "value.decode", typed), from_json(case, ask, "value.encode", typed))


def check_type(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    """Without `json`, which is the reference's own for types: its variants without payload differ from the type of types."""
    plain = {name: value for name, value in case.items() if name != "json"}
    yield from decoded(plain, ask, "value.decode", {name: case[name] for name in ("type", "typespace")})
