"""The score board: what runs of several testees say, side by side, with the reasons that their lists of expected failures give.

It is made of the JSON of runs alone (`read_board`), so they may be from different days and machines; that they asked different
vectors is said. Printers are in `defs.conformance.reports.boards`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

from bsatn.errors import BsatnError
from defs.conformance.reports.jsonform import FORMAT
from defs.conformance.running import STATUSES, Status
from defs.vectors.areas import AREAS

__all__ = ["BadRun", "Board", "Entry", "Group", "read_board", "read_entry"]

MAX_FILE = 256 << 20  #: bytes of a run
_WRONG: tuple[Status, ...] = ("fail", "crashed", "weak")

Counts: TypeAlias = Mapping[Status, int]


class BadRun(BsatnError):
    """A file is no run's JSON."""


@dataclass(slots=True)
class Group:
    """What is wrong in a group, and why: each reason of the list with how many cases it explains."""

    counts: Counter[Status] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unexplained: int = 0  #: failures that no list expects
    example: str = ""  #: the first such case, with what was seen


@dataclass(frozen=True, slots=True)
class Entry:
    """One run."""

    name: str
    version: str
    ops: tuple[str, ...]
    vectors: str | None
    cases: int
    seconds: float
    interrupted: bool
    faults: tuple[str, ...]
    areas: dict[str, Counts]
    flags: dict[str, Counts]
    groups: dict[str, Group]

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Board:
    entries: tuple[Entry, ...]

    @property
    def areas(self) -> list[str]:
        """Those that somebody was asked, in the order of the areas."""
        asked = {area for entry in self.entries for area in entry.areas}
        return [*(area for area in AREAS if area in asked), *sorted(asked - AREAS.keys())]

    @property
    def flags(self) -> list[str]:
        return sorted({flag for entry in self.entries for flag in entry.flags})

    @property
    def is_mixed(self) -> bool:
        """Whether not all were asked the same vectors."""
        return len({entry.vectors for entry in self.entries}) > 1


def read_board(paths: Iterable[Path]) -> Board:
    """The board over the files. Raises BadRun, OSError."""
    return Board(tuple(read_entry(path) for path in paths))


def read_entry(path: Path) -> Entry:
    """One file. Raises BadRun, OSError."""
    with path.open("rb") as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise BadRun("BadRun", f"{path}: the file is larger than {MAX_FILE >> 20} MiB")
    try:
        made = json.loads(data)
        if not isinstance(made, dict) or "results" not in made:
            raise BadRun("BadRun", f"{path}: it is not what `bsatn conformance run --format json` writes")
        if made.get("format") != FORMAT:
            raise BadRun("BadRun", f"{path}: it is a run of format {made.get('format')!r:.20}, this reads {FORMAT}")
        return _entry(made)
    except BadRun:
        raise
    except (ValueError, RecursionError) as error:
        raise BadRun("BadRun", f"{path}: it is not JSON: {error}") from None
    except (LookupError, TypeError, AttributeError) as error:
        raise BadRun("BadRun", f"{path}: a part of the run is missing or of another form: {error}") from None


def _entry(made: dict[str, Any]) -> Entry:
    testee = made["testee"]
    return Entry(
        str(testee["name"]),
        str(testee["version"]),
        tuple(map(str, testee["ops"])),
        made["vectors"],
        len(made["results"]),
        float(made["seconds"]),
        bool(made["interrupted"]),
        tuple(map(str, made["faults"])),
        {str(counts["name"]): _counts(counts) for counts in made["areas"]},
        {str(counts["name"]): _counts(counts) for counts in made["flags"]},
        _groups(made["results"]),
    )


def _counts(made: Mapping[str, Any]) -> Counts:
    return {status: int(made[status]) for status in STATUSES}


def _groups(results: Iterable[Mapping[str, Any]]) -> dict[str, Group]:
    groups: dict[str, Group] = {}
    for result in results:
        status = cast(Status, result["status"])
        if status not in _WRONG:
            continue
        group = groups.setdefault(f"{result['area']}/{result['group']}", Group())
        group.counts[status] += 1
        if result["expected"] is not None and not result["failure"]:
            group.reasons[str(result["expected"]["reason"])] += 1
        elif status != "weak" or result["failure"]:
            group.unexplained += 1
            group.example = group.example or f"{result['id']}: {_seen(result)}"
    return groups


def _seen(result: Mapping[str, Any]) -> str:
    for one in result["differences"]:
        return f"{one['what']}: expected {_short(one['expected'])}, got {_short(one['got'])}"
    return str(result["detail"])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}..."
