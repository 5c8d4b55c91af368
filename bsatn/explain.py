"""Bytes explained: what each of them is, one row a read, as far as they can be read.

For people with a captured frame in front of them. `explain` decodes with the Construct engine, listens to its
reads and turns each into a `Row`; an `Explanation` holds the rows, the error that ended them and what was not
read, and prints itself as a table or as JSON.

    print(explain(frame, bsatn.product(id=bsatn.U32, name=bsatn.String)))

    9 bytes as (id: U32, name: String)

      offset      bytes        place  type    value
           0 0x0  07 00 00 00  id     U32     7
           4 0x4  05 00 00 00  name   length  5 bytes
    ✗      8 0x8  62           name   [u8]
                  ^^ data too short for [u8]: Expected 5, given 1

Names and strings come from whoever wrote the bytes, so nothing reaches the terminal but printable characters.
"""

from __future__ import annotations

import datetime
import math
import struct
import textwrap
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from bsatn.constructs import ConstructEngine, Read, Role, shape_for
from bsatn.errors import DecodeError, LimitExceeded
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.paths import format_path
from bsatn.shapes import Bool, Bytes, Float, Int, Newtype, Shape, String, Sum
from bsatn.types import AlgebraicType, Typespace
from bsatn.values import ConnectionId, Identity, TimeDuration, Timestamp, Uuid, f32_from_bits

__all__ = ["Explanation", "Row", "explain"]

KEPT_BYTES = 32  #: bytes of a read that its row keeps: an Identity in full
KEPT_TEXT = 400  #: characters of a value that its row keeps


@dataclass(frozen=True, slots=True)
class Row:
    """One read: where, which bytes, what for, and what they say.

    `hex` has the first 32 bytes of `length`. `role` is `value`; `length`, `count` or `tag` for what stands
    before one. `depth` counts the arrays, products and sums open around the read, for those who indent.
    """

    offset: int
    length: int
    hex: str
    path: str
    role: str
    type: str
    value: str
    depth: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The rows read, in order of the bytes, and how it ended.

    `error` is why decoding stopped, or None. `unread` counts the bytes after the last row. With `max_rows`,
    `left_out` reads are missing after the first `head` rows. `type` is the type's text.
    """

    rows: tuple[Row, ...]
    error: DecodeError | None
    unread: int
    type: str
    data: bytes
    left_out: int = 0
    head: int = 0

    def to_text(self, color: bool = False, width: int | None = None) -> str:
        """A table for the terminal. `width`, 60 or more, is its widest line: all else is shortened."""
        return _Table(self, color, width).text()

    def to_json(self) -> dict[str, Any]:
        """The same as plain data.

        Keys: `type` (text), `size` (bytes given), `rows` (each `offset`, `length`, `bytes` (hex, first 32),
        `path`, `role`, `type`, `value`, `depth`), `left_out` (`reads` missing, `after` so many rows),
        `error` (null, or `kind`, `message`, `offset`, `path` as a list, `fields`) and `unread`.
        """
        names = ("offset", "length", "path", "role", "type", "value", "depth")
        return {
            "type": self.type,
            "size": len(self.data),
            "rows": [{"bytes": row.hex, **{name: getattr(row, name) for name in names}} for row in self.rows],
            "left_out": {"reads": self.left_out, "after": self.head},
            "error": None if self.error is None else _error_json(self.error),
            "unread": self.unread,
        }

    def __str__(self) -> str:
        return self.to_text()


def _error_json(error: DecodeError) -> dict[str, Any]:
    limit = {"limit": error.limit, "bound": error.bound} if isinstance(error, LimitExceeded) else {}
    return {
        "kind": error.kind,
        "message": error.message,
        "offset": error.offset,
        "path": list(error.path),
        "fields": {**error.fields, **limit},
    }


def explain(
    data: bytes,
    annotation: Any,
    typespace: Typespace | None = None,
    *,
    trailing: Literal["reject", "allow"] = "reject",
    limits: Limits = DEFAULT_LIMITS,
    max_rows: int | None = None,
) -> Explanation:
    """What every byte of `data` is, read as `annotation`: an AlgebraicType, or what else names a type.

    Wrong bytes are no exception here but the explanation's `error`. Bytes after the value are an error unless
    `trailing` is "allow". `max_rows` keeps the first and the last rows of a long input, half of each.
    """
    data = bytes(data)
    engine = ConstructEngine(shape_for(annotation, typespace, limits), limits)
    try:
        reads, end, error = _read(engine, data, max_rows)
    except RecursionError:  # the caller's own stack is deep
        with ThreadPoolExecutor(1) as fresh:
            reads, end, error = fresh.submit(_read, engine, data, max_rows).result()
    unread = len(data) - end
    if error is None and unread and trailing == "reject":
        error = DecodeError("TrailingBytes", offset=end, unread=unread)
    return Explanation(
        rows=tuple(map(_row, reads.kept())),
        error=error,
        unread=unread,
        type=_type_text(annotation),
        data=data,
        left_out=reads.left_out(),
        head=len(reads.first),
    )


def _read(engine: ConstructEngine, data: bytes, max_rows: int | None) -> tuple[_Reads, int, DecodeError | None]:
    """The reads, where the last of them ends, and what ended them."""
    reads = _Reads(max_rows)
    try:
        engine.decode(data, trace=reads.add)
    except DecodeError as error:
        return reads, reads.end, error
    return reads, reads.end, None


class _Reads:
    """The first and the last reads, and a count of those between."""

    def __init__(self, most: int | None) -> None:
        self.room = most if most is None else max(1, most - most // 2)
        self.first: list[Read] = []
        self.last: deque[Read] = deque(maxlen=None if most is None else most // 2)
        self.count = self.end = 0

    def add(self, read: Read) -> None:
        (self.first if self.room is None or self.count < self.room else self.last).append(read)
        self.count += 1
        self.end = read.offset + len(read.data)

    def kept(self) -> list[Read]:
        return [*self.first, *self.last]

    def left_out(self) -> int:
        return self.count - len(self.first) - len(self.last)


def _type_text(annotation: Any) -> str:
    if isinstance(annotation, (AlgebraicType, type)):
        return str(annotation) if isinstance(annotation, AlgebraicType) else annotation.__qualname__
    return str(annotation)


# -- A read in words -----------------------------------------------------------------------------------------


def _row(read: Read) -> Row:
    type_text, value = _WORDS[read.role](read.shape, read.data)
    return Row(
        offset=read.offset,
        length=len(read.data),
        hex=read.data[:KEPT_BYTES].hex(),
        path=format_path(read.path),
        role=read.role.value,
        type=_printable(type_text),
        value=_shorten(_printable(value), KEPT_TEXT),
        depth=read.depth,
    )


def _number(data: bytes, signed: bool = False) -> int:
    return int.from_bytes(data, "little", signed=signed)


def _count_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "count", _plural(_number(data), "element")


def _length_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "length", _plural(_number(data), "byte")


def _tag_words(shape: Shape, data: bytes) -> tuple[str, str]:
    """The variant's name: the tag of an option says `some`. (spec: wire 1)"""
    assert isinstance(shape, Sum)
    tag = data[0]
    type_text = f"tag of {shape.name}" if shape.name else "tag"
    if tag >= len(shape.names):
        return type_text, f"{tag} (of {_plural(len(shape.names), 'variant')})"
    name = shape.names[tag]
    return type_text, f"{tag}" if name is None else f"{tag} {name if name.isidentifier() else repr(name)}"


def _value_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return _LEAF_WORDS[type(shape)](shape, data)


def _newtype_words(shape: Newtype, data: bytes) -> tuple[str, str]:
    value = shape.cls(_number(data, shape.inner.signed))
    words = _SPECIAL_WORDS.get(shape.cls)
    return shape.cls.__name__, words(value) if words else str(int(value))


def _float_words(shape: Float, data: bytes) -> tuple[str, str]:
    value = f32_from_bits(_number(data)) if shape.bits == 32 else struct.unpack("<d", data)[0]
    if math.isnan(value):
        return f"F{shape.bits}", f"NaN ({_number(data):#x})"
    return f"F{shape.bits}", _shortest32(value) if shape.bits == 32 else repr(value)


def _shortest32(value: float) -> str:
    """The fewest digits that name the 32-bit float: 0.1, not 0.10000000149011612."""
    for digits in range(6, 9):
        text = f"{value:.{digits}g}"
        try:
            if struct.pack("<f", float(text)) == struct.pack("<f", value):
                return repr(float(text))
        except OverflowError:  # rounded up past the largest
            continue
    return repr(float(f"{value:.9g}"))


def _string_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "String", repr(data[: 4 * KEPT_TEXT].decode("utf-8", "backslashreplace"))


def _bytes_words(shape: Shape, data: bytes) -> tuple[str, str]:
    text = data[:KEPT_TEXT].decode("ascii", "replace")
    shown = f" {text!r}" if len(data) > 3 and text.isprintable() and text.isascii() else ""
    return "Bytes", _plural(len(data), "byte") + shown


def _bool_words(shape: Shape, data: bytes) -> tuple[str, str]:
    return "Bool", {0: "false", 1: "true"}.get(data[0], str(data[0]))


def _time(value: Timestamp) -> str:
    try:
        return value.to_datetime().isoformat(timespec="microseconds").replace("+00:00", "Z")
    except OverflowError:
        return f"{int(value)} µs after 1970, outside the years 1 to 9999"


def _duration(value: TimeDuration) -> str:
    """Seconds, exactly; and from a minute on, how long that is to people."""
    seconds, micros = divmod(abs(int(value)), 1_000_000)
    sign = "-" if value < 0 else ""
    text = f"{sign}{seconds}" + (f".{micros:06}".rstrip("0") if micros else "") + " s"
    return text if seconds < 60 else f"{text} ({sign}{datetime.timedelta(seconds=seconds)})" if seconds < 1e14 else text


_SPECIAL_WORDS: dict[type[int], Callable[[Any], str]] = {
    Identity: lambda value: f"0x{value.hex()}",
    ConnectionId: lambda value: f"0x{value.hex()}",
    Uuid: lambda value: str(value.to_uuid()),
    Timestamp: _time,
    TimeDuration: _duration,
}
_LEAF_WORDS: dict[type[Shape], Callable[[Any, bytes], tuple[str, str]]] = {
    Int: lambda shape, data: (shape.label.upper(), str(_number(data, shape.signed))),
    Float: _float_words,
    Bool: _bool_words,
    String: _string_words,
    Bytes: _bytes_words,
    Newtype: _newtype_words,
}
_WORDS: dict[Role, Callable[[Shape, bytes], tuple[str, str]]] = {
    Role.VALUE: _value_words,
    Role.LENGTH: _length_words,
    Role.COUNT: _count_words,
    Role.TAG: _tag_words,
}


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _printable(text: str) -> str:
    """Without line breaks, terminal controls and characters that turn the line around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in text)


def _shorten(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"


def _shorten_left(text: str, room: int) -> str:
    return text if len(text) <= room else "…" + text[len(text) - room + 1 :]


# -- The table -----------------------------------------------------------------------------------------------

SHOWN_BYTES, FEWER_BYTES = (
    8,
    4,
)  #: bytes of a row that the table shows, a U64 in full; and that a narrow one does
NARROW = 72  #: tables of less width are narrow
TOP = "·"  #: place of the value as a whole
_HEADER = ("offset", "", "bytes", "place", "type", "value")
_GAP = "  "
_MIN_PLACE, _MIN_VALUE, _MIN_SENTENCE = 10, 10, 30  #: columns that even a narrow table gives to each

_STYLES = {"dim": "2", "bold": "1", "cyan": "36", "red": "31;1", "yellow": "33", "green": "32"}


@dataclass(slots=True)
class _Line:
    """One row of the table: the cells, and whether it is where decoding failed."""

    cells: tuple[str, str, str, str, str, str]
    role: str = "value"
    failed: bool = False
    shared: int = 0  #: characters that the place has in common with the place above


class _Table:
    """Lays out an explanation: first all cells as plain text, then widths, then colour."""

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
            gap = f"{' ' * 8}⋮  {_plural(self.of.left_out, 'read')} left out"
            rendered.insert(self.of.head, self.paint("dim", gap))
        out += rendered
        out += self.error_lines(error, lines, widths) if error is not None else []
        out += [self.render(line, widths) for line in rest]
        return "\n".join(line.rstrip() for line in out) + "\n"

    def title(self) -> str:
        title = f"{_plural(len(self.of.data), 'byte')} as {_printable(self.of.type)}"
        return self.paint("bold", _shorten(title, self.width or KEPT_TEXT))

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
        return _Line((*self.offset(offset), shown, _printable(error.where) or TOP, type_text, ""), failed=True)

    def error_lines(self, error: DecodeError, lines: Sequence[_Line], widths: Sequence[int]) -> list[str]:
        """The error's sentence, pointing up at the bytes."""
        marks = "^" * max(1, len(lines[-1].cells[2]))
        indent = " " * self.bytes_column(widths)
        sentence = _shorten(_printable(error.message), KEPT_TEXT)
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
        cells = (*self.offset(start), shown, "", "", f"{_plural(len(left), 'byte')} {what}")
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
            self.paint(_VALUE_TONES.get(line.role), _shorten(value, widths[5])),
        ]
        return gutter + _GAP.join([where, *cells])

    def paint(self, style: str | None, text: str) -> str:
        if not self.color or style is None or not text.strip():
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


_VALUE_TONES = {"header": "bold", "tag": "green", "count": "dim", "length": "dim", "rest": "yellow"}


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
