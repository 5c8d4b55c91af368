"""What printers print: findings, a report for each source, and all of them together.

Texts are kept as they are, hostile names included; each printer escapes what its format cannot carry.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from itertools import islice
from typing import Literal, TypeAlias

from bsatn.frozen import frozen
from bsatn.paths import format_path

__all__ = ["Finding", "Level", "Reading", "Report", "Status", "counted", "element_path"]

Level: TypeAlias = Literal["error", "warning", "note"]
Status: TypeAlias = Literal["valid", "invalid", "undecodable", "unreadable"]

#: How the path of what stands in a submodule begins, after which it goes on as in the root.
_NESTED = ("submodules", int, "module")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@frozen
class Finding:
    """One thing found."""

    rule: str  #: stable: upstream's name of an error, or a warning's name
    level: Level
    message: str
    source: str  #: where the definition came from, as a person knows it
    path: tuple[str | int, ...] = ()  #: where in the definition; () is all of it
    help: str | None = None  #: what to do about it
    name: str | None = None  #: what the element that the path leads into is called

    @property
    def where(self) -> str:
        """The place in words, `tables[2].indexes[0]`; empty for the whole definition."""
        return format_path(self.path)

    @property
    def element(self) -> str:
        """The element that the path leads into, with its name: `tables[2] fighter`."""
        return " ".join(filter(None, (format_path(element_path(self.path)), self.name)))

    @property
    def is_inside(self) -> bool:
        """Whether the path leads on, into the element."""
        return self.path != element_path(self.path)


def element_path(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The beginning of a path, which names one table, function or type, through the submodules it stands in."""
    start = 0
    while _is_nested(path[start : start + len(_NESTED)]):
        start += len(_NESTED)
    return path[: start + 2]


def _is_nested(steps: tuple[str | int, ...]) -> bool:
    return len(steps) == 3 and steps[0] == _NESTED[0] and isinstance(steps[1], int) and steps[2] == _NESTED[2]


@frozen
class Report:
    """What was found in one source."""

    source: str
    version: int | None = None  #: of the definition: 8, 9 or 10; None when none was read
    layout: str | None = None  #: of its bytes, such as `10i`
    findings: Sequence[Finding] = ()
    failed: Finding | None = None  #: why there is no definition to judge
    unreadable: bool = False  #: it failed because the source could not be read, not because of what it holds
    omitted: int = 0  #: findings there was no room for; they count as errors

    @property
    def status(self) -> Status:
        """What became of the source, in a word."""
        if self.failed is not None:
            return "unreadable" if self.unreadable else "undecodable"
        return "invalid" if self.count("error") else "valid"

    def count(self, level: Level) -> int:
        """How many findings have the level; why the source failed is an error, and so is what was omitted."""
        extra = self.omitted + (self.failed is not None) if level == "error" else 0
        return extra + sum(one.level == level for one in self.findings)

    def all(self) -> Iterator[Finding]:
        """Why it failed, then what was found."""
        if self.failed is not None:
            yield self.failed
        yield from self.findings


@frozen
class Reading:
    """All that a printer prints from."""

    reports: Sequence[Report]
    command: str = "validate"  #: which of the tool's commands judged
    rules: Mapping[str, str] = field(default_factory=dict)  #: what rules are about, in a line
    color: bool = False  #: for a terminal; only text has any

    def count(self, level: Level) -> int:
        """How many findings of all sources have the level."""
        return sum(report.count(level) for report in self.reports)

    def statuses(self) -> Counter[str]:
        """How many sources came out how."""
        return Counter(report.status for report in self.reports)

    def about(self, rule: str) -> str:
        """What the rule is about: its line, or its name in words."""
        words = " ".join(islice(_WORDS.findall(rule), 32)).lower()
        return self.rules.get(rule) or words.capitalize() or rule


def counted(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")
