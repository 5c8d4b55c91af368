"""Rows in a message: their bytes back to back, and a hint where each begins. (spec: event-tables 5)

Decoding a message does not cut its rows apart: `BsatnRowList.rows` does, and what it refuses `check` has refused before, when
the list came in a message.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from bsatn.annotations import U16, U64
from bsatn.errors import DecodeError
from bsatn.records import case, record, variants

__all__ = ["BsatnRowList", "FixedSize", "RowOffsets", "RowSizeHint"]

_MAX_SIZE = (1 << 16) - 1


@case
class FixedSize:
    """Every row takes `size` bytes, which are more than none."""

    size: U16


@case
class RowOffsets:
    """Where in the data each row begins; it ends where the next one begins, the last one at the end."""

    offsets: tuple[U64, ...]


RowSizeHint: TypeAlias = Annotated[FixedSize | RowOffsets, variants("RowSizeHint")]


@record
class BsatnRowList:
    """Rows of one table: BSATN values back to back."""

    size_hint: RowSizeHint
    rows_data: bytes

    @classmethod
    def of(cls, rows: Iterable[bytes]) -> BsatnRowList:
        """The list of these rows, with the hint that the server gives. (spec: event-tables 5)

        Rows of one length have FixedSize, unless it is 0 or past 65535; all others, and no rows at all, have RowOffsets.
        """
        found = list(rows)
        sizes = {len(row) for row in found}
        data = b"".join(found)
        if len(sizes) == 1 and 0 < (size := min(sizes)) <= _MAX_SIZE:
            return cls(FixedSize(size), data)
        offsets, end = [], 0
        for row in found:
            offsets.append(end)
            end += len(row)
        return cls(RowOffsets(tuple(offsets)), data)

    def check(self) -> None:
        """Raise DecodeError where the hint does not fit the data: `InvalidRowSize`, `InvalidRowOffset`, `TrailingBytes`.

        Rows are in order, from the first byte to the last, and none reaches past the end.
        """
        size = len(self.rows_data)
        if isinstance(self.size_hint, FixedSize):
            width = self.size_hint.size
            if width == 0 or size % width:
                raise _bad_size(width, size)
            return
        offsets = self.size_hint.offsets
        if offsets and offsets[0] == 0 and offsets[-1] <= size and all(map(int.__le__, offsets, offsets[1:])):
            return
        if not offsets:
            if size:
                raise DecodeError("TrailingBytes", f"{size} bytes of rows, but no row", path=("rows_data",), unread=size)
            return
        before = 0
        for index, offset in enumerate(offsets):
            if not before <= offset <= size or (index == 0 and offset):
                raise _bad_offset(index, offset, before, size)
            before = offset

    def rows(self) -> tuple[bytes, ...]:
        """The rows, each as BSATN. Raises DecodeError as `check` does."""
        self.check()
        data = self.rows_data
        if isinstance(self.size_hint, FixedSize):
            width = self.size_hint.size
            return tuple(data[start : start + width] for start in range(0, len(data), width))
        starts = self.size_hint.offsets
        return tuple(data[start:end] for start, end in zip(starts, (*starts, len(data))[1:], strict=True))

    def __len__(self) -> int:
        """How many rows there are; of a list that `check` refuses the number means nothing."""
        if isinstance(self.size_hint, FixedSize):
            return len(self.rows_data) // self.size_hint.size if self.size_hint.size else 0
        return len(self.size_hint.offsets)


def _bad_size(width: int, size: int) -> DecodeError:
    what = f"{size} bytes of rows are no whole number of rows of {width}" if width else "rows of 0 bytes cannot be told apart"
    return DecodeError("InvalidRowSize", f"{what}; expected a size that divides", path=("size_hint", "size"), size=width)


def _bad_offset(index: int, offset: int, before: int, size: int) -> DecodeError:
    expected = f"from {before} to {size}" if index else "0"
    message = f"row {index} is said to begin at {offset}; expected {expected}"
    return DecodeError("InvalidRowOffset", message, path=("size_hint", "offsets", index), row=index)
