"""Names of cases: given once, in a file that remembers them, so that generating again changes none and reuses none.

A line of the ledger is an id and the key of its case, a digest of the area, the group and what is asked. A case that is no
longer made keeps its line, and so its id.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from defs.vectors.areas import AREAS
from defs.vectors.files import Case, VectorError, to_cbor

__all__ = ["Ledger", "key_of"]

NAME = "LEDGER"


def key_of(area: str, group: str, case: Case) -> str:
    """What makes a case the same one: its place and its inputs, none of its answers."""
    asked = {name: case[name] for name in (*AREAS[area].inputs,) if name in case and name != "type_text"}
    return hashlib.sha256(to_cbor([area, group, asked])).hexdigest()[:24]


class Ledger:
    """The ids that were given so far."""

    def __init__(self, text: str = "") -> None:
        self.ids: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), 1):
            id_, separator, key = line.partition(" ")
            if not separator or key in self.ids:
                raise VectorError("Ledger", f"line {number} is not an id and a new key", path=(NAME,))
            self.ids[key] = id_
        if len(set(self.ids.values())) != len(self.ids):
            raise VectorError("Ledger", "an id is given twice", path=(NAME,))
        self._last: dict[str, int] = {}
        for id_ in self.ids.values():
            area, _, number_text = id_.rpartition("-")
            self._last[area] = max(self._last.get(area, 0), int(number_text))

    @classmethod
    def read(cls, directory: Path) -> Ledger:
        path = directory / NAME
        return cls(path.read_text("utf-8") if path.is_file() else "")

    def id_for(self, area: str, group: str, case: Case) -> str:
        """The id of a case; a new one for a case that never was."""
        key = key_of(area, group, case)
        if key not in self.ids:
            self._last[area] = self._last.get(area, 0) + 1
            self.ids[key] = f"{area}-{self._last[area]:04d}"
        return self.ids[key]

    def text(self) -> str:
        """The file."""
        return "".join(f"{id_} {key}\n" for key, id_ in self.ids.items())
