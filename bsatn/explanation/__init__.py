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

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_origin

from bsatn.constructs import ConstructEngine, Read, shape_for
from bsatn.errors import DecodeError, LimitExceeded
from bsatn.explanation.table import Table
from bsatn.explanation.words import KEPT_BYTES, KEPT_TEXT, printable, shorten, words_of
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.paths import format_path
from bsatn.types import AlgebraicType, Typespace

__all__ = ["Explanation", "Row", "explain"]


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
        return Table(self, color, width).text()

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
        type=_type_text(annotation, engine),
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


def _row(read: Read) -> Row:
    type_text, value = words_of(read)
    return Row(
        offset=read.offset,
        length=len(read.data),
        hex=read.data[:KEPT_BYTES].hex(),
        path=format_path(read.path),
        role=read.role.value,
        type=printable(type_text),
        value=shorten(printable(value), KEPT_TEXT),
        depth=read.depth,
    )


def _type_text(annotation: Any, engine: ConstructEngine) -> str:
    if isinstance(annotation, AlgebraicType):
        return str(annotation)
    if isinstance(annotation, type):
        return annotation.__qualname__
    return engine.root.title() if get_origin(annotation) is Annotated else str(annotation)
