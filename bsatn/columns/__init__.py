"""Rows as Arrow columns, for `Codec.decode_columns`.

The native engine reads bytes into Arrow's buffers; without it, pyarrow makes the same arrays of decoded rows. Either way a type
becomes a tree of layouts first (`bsatn.columns.layout`). When the native engine stops, it says at which row, and the Construct
engine words the error from there on. What comes out is handed on through Arrow's C data interface, as capsules, which pyarrow,
polars, duckdb, nanoarrow and others take without copying.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self

from bsatn.columns.layout import Sums, Wide, layout_of
from bsatn.columns.told import too_many_digits, too_many_nulls, too_many_offsets
from bsatn.errors import BsatnError, DecodeError

if TYPE_CHECKING:
    from bsatn._native import ColumnReader, Stopped
    from bsatn.codec import Codec

__all__ = ["ColumnCodec", "Columns", "Sums", "Wide"]

_U64_MAX = 2**64 - 1


class ColumnSource(Protocol):
    """Columns as an engine made them."""

    @property
    def rows(self) -> int: ...
    @property
    def batches(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def names(self) -> list[str]: ...
    def schema(self) -> object: ...
    def array(self, number: int) -> tuple[object, object]: ...
    def stream(self) -> object: ...
    def joined(self, others: Sequence[Self]) -> Self: ...


class Columns:
    """Rows as Arrow columns: give it to `pyarrow.table`, `polars.DataFrame`, `nanoarrow.ArrayStream`, or to a query of duckdb.

    It has the three methods of Arrow's PyCapsule interface. Rows stand in batches, of about 64 MB of input each
    (or of 2^30 values that take no bytes); `__arrow_c_array__` is there if there is one batch only.
    """

    def __init__(self, source: ColumnSource) -> None:
        self._source = source

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return self._source.rows

    @property
    def column_names(self) -> list[str]:
        """The columns' names, in order."""
        return self._source.names

    @property
    def num_batches(self) -> int:
        """How many batches the rows stand in; one at least."""
        return self._source.batches

    @property
    def nbytes(self) -> int:
        """The size of Arrow's buffers, in bytes."""
        return self._source.nbytes

    @classmethod
    def concat(cls, parts: Iterable[Columns]) -> Self:
        """The rows of several, one after the other, without copying. Raises ValueError for none, or of different columns."""
        sources = [part._source for part in parts]
        if not sources:
            raise ValueError("there is nothing to put together")
        if len({type(source) for source in sources}) > 1:
            raise ValueError("columns of different engines do not go together")
        return cls(sources[0].joined(sources[1:]))

    def __len__(self) -> int:
        return self.num_rows

    def __repr__(self) -> str:
        return f"<Columns: {self.num_rows} rows of {', '.join(self.column_names)}>"

    def __arrow_c_schema__(self) -> object:
        return self._source.schema()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._source.stream()

    @property
    def __arrow_c_array__(self) -> Callable[..., tuple[object, object]]:
        if self.num_batches != 1:
            raise AttributeError(f"there are {self.num_batches} batches, so no single array: ask for the stream")
        return lambda requested_schema=None: self._source.array(0)


class ColumnCodec:
    """Reads rows of a codec's type into columns of one layout. Made once for each choice of options."""

    def __init__(self, codec: Codec[Any], wide: Wide, sums: Sums) -> None:
        self.layout = layout_of(codec.shape, wide=wide, sums=sums)
        self.reader: ColumnReader | None = None
        if codec.engine == "native" and self.layout.levels <= codec.limits.depth:
            from bsatn._native import ColumnReader

            limits = codec.limits.empty_elements, codec.limits.null_bytes
            self.reader = ColumnReader(self.layout, *(max(0, min(limit, _U64_MAX)) for limit in limits))

    def read(self, codec: Codec[Any], data: bytes, count: int | None) -> Columns:
        """What `Codec.decode_columns` does."""
        natively = self.reader if (count or 0) <= sys.maxsize else None
        made = self._natively(natively, codec, data, count) if natively else None
        return Columns(made or self._slowly(codec, data, count))

    def _slowly(self, codec: Codec[Any], data: bytes, count: int | None) -> ColumnSource:
        rows = codec.decode_many(data, count=count)
        try:
            from bsatn.columns.arrow import arrow_data
        except ImportError:
            message = "columns need the native engine, or else pyarrow: pip install 'bsatn[columns]'"
            raise BsatnError("PyarrowMissing", message) from None
        return arrow_data(self.layout, rows, codec.limits.null_bytes)

    def _natively(self, reader: ColumnReader, codec: Codec[Any], data: bytes, count: int | None) -> ColumnSource | None:
        """The columns, unless somebody more careful must look at the bytes. Raises DecodeError, LimitExceeded."""
        made, stopped = reader.read(data, 0, count)
        if made is not None:
            if stopped.offset < len(data):
                raise DecodeError("TrailingBytes", offset=stopped.offset, unread=len(data) - stopped.offset)
            return made
        _check(codec, data, count, stopped)  # wrong bytes are told before what is too much
        if stopped.reason == "nulls":
            raise too_many_nulls(codec.limits.null_bytes)
        if stopped.reason == "offsets":
            raise too_many_offsets()
        if stopped.reason == "digits":
            row, step = stopped.row, reader.read(data, stopped.offset, 1)[1]
            while not step.reason:
                row, step = row + 1, reader.read(data, step.offset, 1)[1]
            raise too_many_digits(row, self.layout.names[step.column])
        return None


def _check(codec: Codec[Any], data: bytes, count: int | None, stopped: Stopped) -> None:
    """Raises DecodeError for the first row that is wrong, as `decode_many` does."""
    row, offset, step = stopped.sure_row, stopped.sure_offset, max(1, stopped.row - stopped.sure_row)
    while offset < len(data) if count is None else row < count:
        try:
            offset = codec.skip(data, offset, count=step)
        except BsatnError as error:
            index, *inside = error.path
            error.path = (row + int(index), *inside)
            raise
        row, step = row + step, 1
    if offset < len(data):
        raise DecodeError("TrailingBytes", offset=offset, unread=len(data) - offset)
