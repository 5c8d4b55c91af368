"""An explanation as a table for the terminal: the cells of all rows first, then widths, then colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bsatn.errors import DecodeError
from bsatn.explanation.words import KEPT_BYTES, KEPT_TEXT, plural, printable, shorten

if TYPE_CHECKING:
    from bsatn.explanation import Explanation, Row

SHOWN_BYTES = 8  #: bytes of a row that the table shows: a U64 in full
FEWER_BYTES = 4  #: and that a narrow one does
NARROW = 72  #: tables of less width are narrow
TOP = "·"  #: place of the value as a whole
_HEADER = ("offset", "", "bytes", "place", "type", "value")
_GAP = "  "
_MIN_PLACE, _MIN_VALUE, _MIN_SENTENCE = 10, 10, 30  #: columns that even a narrow table gives to each

_STYLES = {"dim": "2", "bold": "1", "cyan": "36", "red": "31;1", "yellow": "33", "green": "32"}
_VALUE_TONES = {"header": "bold", "tag": "green", "count": "dim", "length": "dim", "rest": "yellow"}


@dataclass(slots=True)
class _Line:
    """One row of the table: the cells, and whether it is where decoding failed."""

    cells: tuple[str, str, str, str, str, str]
    role: str = "value"
    failed: bool = False
    shared: int = 0  #: characters that the place has in common with the place above


class Table:
    """Lays out one explanation. `width`, if given, is the widest line."""

    def __init__(self, explanation: Explanation, color: bool, width: int | None) -> None:
        self.of = explanation
        self.color = color
        self.width = width
        self.hex_width = len(f"{len(explanation.data):x}")
        self.most = SHOWN_BYTES if width is None or width >= NARROW else FEWER_BYTES

    def text(self) -> str:
        error = self.of.error
        lines = [self.line(row) for row in self.of.rows]
        self.share(lines)
        if error is not None and not self.mark_last(lines, error):
            lines.append(self.failure(error))
        rest = self.rest(error)
        widths = self.widths(lines + rest)
        out = [self.title(), "", self.render(_Line(_HEADER, role="header"), widths)]
        rendered = [self.render(line, widths) for line in lines]
        if self.of.left_out:
            gap = f"{' ' * 8}⋮  {plural(self.of.left_out, 'read')} left out"
            rendered.insert(self.of.head, self.paint("dim", gap))
        out += rendered
        out += self.error_lines(error, lines, widths) if error is not None else []
        out += [self.render(line, widths) for line in rest]
        return "\n".join(line.rstrip() for line in out) + "\n"

    def title(self) -> str:
        title = f"{plural(len(self.of.data), 'byte')} as {printable(self.of.type)}"
        return self.paint("bold", shorten(title, self.width or KEPT_TEXT))

    # -- lines

    def line(self, row: Row) -> _Line:
        shown = self.shown(row.hex, row.length)
        return _Line((*self.offset(row.offset), shown, row.path or TOP, row.type, row.value), row.role)

    def offset(self, offset: int) -> tuple[str, str]:
        return str(offset), f"0x{offset:0{self.hex_width}x}"

    def shown(self, digits: str, length: int) -> str:
        """Hex digits in pairs, the first few bytes of `length`: `07 00 00 00`."""
        most = self.most if length <= self.most else self.most - 1
        pairs = [digits[index : index + 2] for index in range(0, min(len(digits), 2 * most), 2)]
        return " ".join(pairs + ["…"] * (length > self.most))

    @staticmethod
    def share(lines: Sequence[_Line]) -> None:
        """What of each place was there in the line above: colour leaves it dim."""
        before = ""
        for line in lines:
            place = line.cells[3]
            line.shared = _common_steps(before, place)
            before = place

    def mark_last(self, lines: Sequence[_Line], error: DecodeError) -> bool:
        """Whether the last row read is itself what is wrong: a tag, a bool, a text."""
        rows = self.of.rows
        if not rows or rows[-1].offset != error.offset or not rows[-1].length:
            return False
        lines[-1].failed = True
        return True

    def failure(self, error: DecodeError) -> _Line:
        """A row for the read that failed before it had its bytes; or for bytes that nothing was to read."""
        offset = len(self.of.data) if error.offset is None else error.offset
        left = self.of.data[offset:]
        shown = self.shown(left[:KEPT_BYTES].hex(), len(left)) or "(end)"
        type_text = str(error.fields.get("for_type", ""))
        return _Line((*self.offset(offset), shown, printable(error.where) or TOP, type_text, ""), failed=True)

    def error_lines(self, error: DecodeError, lines: Sequence[_Line], widths: Sequence[int]) -> list[str]:
        """The error's sentence, pointing up at the bytes."""
        marks = "^" * max(1, len(lines[-1].cells[2]))
        indent = " " * self.bytes_column(widths)
        sentence = shorten(printable(error.message), KEPT_TEXT)
        if self.width is None or len(indent) + len(marks) + 1 + len(sentence) <= self.width:
            return [self.paint("red", f"{indent}{marks} {sentence}")]
        wrapped = textwrap.wrap(sentence, max(_MIN_SENTENCE, self.width - len(indent)))
        return [self.paint("red", indent + text) for text in (marks, *wrapped)]

    def rest(self, error: DecodeError | None) -> list[_Line]:
        """The bytes after the last row, unless the failing row has shown them."""
        start = len(self.of.data) - self.of.unread
        if not self.of.unread or (error is not None and error.offset == start):
            return []
        what = "left over" if error is None else "not read"
        left = self.of.data[start:]
        shown = self.shown(left[:KEPT_BYTES].hex(), len(left))
        cells = (*self.offset(start), shown, "", "", f"{plural(len(left), 'byte')} {what}")
        return [_Line(cells, role="rest")]

    # -- widths and colour

    def widths(self, lines: Iterable[_Line]) -> list[int]:
        """Of each column but the last, which takes what is left."""
        rows = [_HEADER, *(line.cells for line in lines)]
        widths = [max(len(row[column]) for row in rows) for column in range(6)]
        widths[0] = max(widths[0], len(str(len(self.of.data))))
        widths[1] = 2 + self.hex_width
        if self.width is not None:
            fixed = 2 + widths[0] + 1 + widths[1] + widths[2] + widths[4] + 4 * len(_GAP)
            room = max(_MIN_PLACE + _MIN_VALUE, self.width - fixed)
            widths[3] = min(widths[3], max(_MIN_PLACE, room - min(widths[5], max(_MIN_VALUE, room // 2))))
            widths[5] = max(_MIN_VALUE, room - widths[3])
        return widths

    @staticmethod
    def bytes_column(widths: Sequence[int]) -> int:
        return 2 + widths[0] + 1 + widths[1] + len(_GAP)

    def render(self, line: _Line, widths: Sequence[int]) -> str:
        offset, hexadecimal, shown, place, type_text, value = line.cells
        place = _shorten_left(place, widths[3])
        cut = len(line.cells[3]) - len(place)
        pad = " " * (widths[3] - len(place))
        shared = max(0, line.shared - cut)
        header, tone = line.role == "header", {"rest": "yellow"}.get(line.role)
        gutter = self.paint("red", "✗ ") if line.failed else "  "
        where = self.paint("bold" if header else "dim", f"{offset:>{widths[0]}} {hexadecimal:<{widths[1]}}")
        cells = [
            self.paint("bold" if header else "red" if line.failed else tone, f"{shown:<{widths[2]}}"),
            self.paint("bold", place) + pad
            if header or not shared
            else self.paint("dim", place[:shared]) + place[shared:] + pad,
            self.paint("bold" if header else "cyan", f"{type_text:<{widths[4]}}"),
            self.paint(_VALUE_TONES.get(line.role), shorten(value, widths[5])),
        ]
        return gutter + _GAP.join([where, *cells])

    def paint(self, style: str | None, text: str) -> str:
        if not self.color or style is None or not text.strip():
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def _common_steps(before: str, place: str) -> int:
    """How much of a place is the place before, up to a whole step."""
    length = 0
    for mine, theirs in zip(place, before, strict=False):
        if mine != theirs:
            break
        length += 1
    while length and length < len(place) and place[length] not in ".[":
        length -= 1
    return length


def _shorten_left(text: str, room: int) -> str:
    return text if len(text) <= room else "…" + text[len(text) - room + 1 :]
