"""What the errors of all judges of definitions have in common: the place of what is wrong."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from bsatn.frozen import frozen
from bsatn.paths import format_path
from defs.validate.rustlike import Family

__all__ = ["Placed"]


@frozen(eq=False, repr=False)
class Placed(Family):
    """Base of the enums of errors; `path`, ours, is no field of the reference's, and takes no part in equality or order."""

    path: tuple[str | int, ...] = field(default=(), kw_only=True)

    @property
    def where(self) -> str:
        """The place in words, `tables[2].indexes[0]`; empty when it is not known."""
        return format_path(self.path)

    def to_json(self) -> dict[str, Any]:
        """The error as plain data."""
        return {"kind": self.kind, "message": self.message, "debug": self.debug, "path": list(self.path)}
