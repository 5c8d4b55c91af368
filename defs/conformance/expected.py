"""Which failures are known: a list with a line for a case or a pattern, how it fails, and why.

    values-0123                fail      # reads a Boolean of 2 as true
    values/floats/* weak                 # names no offset
    definitions-* crashed                # overflows its stack

A pattern is a case's id or a glob, of the id or of `area/group/id`; what is left out is `fail`; `varies` is for what a testee
gets right at times. The line that counts is the
one that names the id, else the last that matches. A reason is due, a line that is not true any more is a failure, and so is one
that matches no case there is: the list cannot rot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from bsatn.errors import BsatnError

__all__ = ["BadList", "Expected", "Known", "Line"]

Known: TypeAlias = Literal["weak", "fail", "crashed", "varies"]

_ALLOWED: dict[Known, tuple[str, ...]] = {"varies": ("pass", "weak", "fail")}  #: of other statuses: themselves
MAX_LIST = 16 << 20  #: bytes of a list
_LINE = re.compile(r"(?P<pattern>[^\s#]+)(?:\s+(?P<status>[^\s#]+))?\s*(?:#\s*(?P<reason>.*))?")
_GLOB = re.compile(r"[*?\[/]")
_TODO = re.compile(r"\W*todo\b", re.IGNORECASE)


class BadList(BsatnError):
    """The list is none; the message begins with the file and line."""


@dataclass(frozen=True)
class Line:
    """`number` counts from 1."""

    pattern: str
    status: Known
    reason: str
    number: int = 0

    def allows(self, status: str) -> bool:
        """Whether a case that ended so is as the line says."""
        return status in _ALLOWED.get(self.status, (self.status,))

    def matches(self, id: str, place: str) -> bool:
        """Whether it means the case of this id in this `area/group`."""
        return self._expression.fullmatch(id) is not None or self._expression.fullmatch(f"{place}/{id}") is not None

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile(translate(self.pattern))

    @property
    def is_glob(self) -> bool:
        return _GLOB.search(self.pattern) is not None

    def __str__(self) -> str:
        return f"{self.pattern} {self.status}  # {self.reason}"


class Expected:
    """A list, and the text it was read from; an empty one by default."""

    def __init__(self, lines: Iterable[Line] = (), text: str = "") -> None:
        self.lines = tuple(lines)
        self.text = text
        self._found: dict[tuple[str, str], Line | None] = {}
        self._named = {line.pattern: line for line in self.lines if not line.is_glob}
        self._globs = [line for line in reversed(self.lines) if line.is_glob]

    @classmethod
    def read(cls, path: Path) -> Expected:
        """The list in a file. Raises BadList, OSError."""
        with path.open("rb") as file:
            data = file.read(MAX_LIST + 1)
        if len(data) > MAX_LIST:
            raise BadList("ExpectedFailures", f"{path}: the list is larger than {MAX_LIST >> 20} MiB")
        try:
            return cls.parse(data.decode("utf-8-sig"), str(path))
        except UnicodeDecodeError:
            raise BadList("ExpectedFailures", f"{path}: the list is not UTF-8") from None

    @classmethod
    def parse(cls, text: str, name: str = "list") -> Expected:
        """The list that a text is. Raises BadList."""
        lines: list[Line] = []
        seen: dict[str, int] = {}
        for number, raw in enumerate(text.splitlines(), 1):
            if not raw.strip() or raw.lstrip().startswith("#"):
                continue
            line = _parsed(raw.strip(), number, f"{name}:{number}")
            if line.pattern in seen:
                raise BadList("ExpectedFailures", f"{name}:{number}: {line.pattern} is in line {seen[line.pattern]} already")
            seen[line.pattern] = number
            lines.append(line)
        return cls(lines, text)

    def of(self, id: str, place: str) -> Line | None:
        """The line that counts for a case."""
        if (id, place) not in self._found:
            glob = (line for line in self._globs if line.matches(id, place))
            self._found[id, place] = self._named.get(id) or next(glob, None)
        return self._found[id, place]

    def unmatched(self, cases: Iterable[tuple[str, str]]) -> list[Line]:
        """The lines that mean none of the cases, each an id and its `area/group`."""
        everything = list(cases)
        ids = {id for id, _ in everything}
        return [line for line in self.lines if not (any(line.matches(*case) for case in everything) if line.is_glob else
                                                    line.pattern in ids)]  # fmt: skip


def _parsed(text: str, number: int, where: str) -> Line:
    match = _LINE.fullmatch(text)
    if match is None:
        raise BadList("ExpectedFailures", f"{where}: expected `ID-OR-GLOB [{'|'.join(get_args(Known))}]  # reason`")
    status, reason = match["status"] or "fail", (match["reason"] or "").strip()
    statuses: dict[str, Known] = {one: one for one in get_args(Known)}
    if status not in statuses:
        raise BadList("ExpectedFailures", f"{where}: {status} is none of {', '.join(statuses)}")
    if not reason or _TODO.match(reason):
        raise BadList("ExpectedFailures", f"{where}: {match['pattern']} lacks a reason: say after `#` why it fails")
    return Line(match["pattern"], statuses[status], reason, number)
