"""The one door: `Codec(type)` reads and writes values of a type.

A fast engine, native or Python, does the work; when it fails, whatever the reason, the Construct engine reads the same
bytes (or the same value) again and its verdict holds: its error, with kind, offset and path, or its value where the fast engine
was merely too careful. Both use Python's stack only within `Limits.depth`; a caller who is already deep gets a fresh stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from bsatn.codegen.runtime import Unsure
from bsatn.engines import Engine, fast_engine
from bsatn.engines import engine as default_engine
from bsatn.errors import BsatnError, DecodeError, LimitExceeded
from bsatn.limits import DEFAULT_LIMITS, Limits
from bsatn.records import shape_of
from bsatn.shapes import Shape, min_widths, reachable
from bsatn.stack import on_enough_stack
from bsatn.types import AlgebraicType, Typespace
from bsatn.typeshapes import shape_of_type

if TYPE_CHECKING:
    from bsatn.columns import ColumnCodec, Columns, Sums, Wide
    from bsatn.constructs import ConstructEngine

__all__ = ["Buffer", "Codec", "Engine", "Trailing"]

_T = TypeVar("_T")
_R = TypeVar("_R")

Buffer: TypeAlias = bytes | bytearray | memoryview
Trailing: TypeAlias = Literal["reject", "allow"]


class Codec(Generic[_T]):
    """Reads and writes values of one type.

    `annotation` is an AlgebraicType, a record, or anything a record's field may be annotated with. References of an
    AlgebraicType resolve in `typespace`. `engine` names the engine to use, for tests and measurements: all give the same
    values and errors (`bsatn.engines` says which is used otherwise). Values look as `bsatn.values` says. Compiling happens
    on first use; keep the codec.

    Raises DefinitionError for what is no type, LimitExceeded for a type nested past `limits.depth`.
    """

    @overload
    def __init__(
        self: Codec[_R], annotation: type[_R], typespace: None = None, *, limits: Limits = ..., engine: Engine | None = ...
    ) -> None: ...
    @overload
    def __init__(
        self: Codec[Any],
        annotation: Any,
        typespace: Typespace | None = None,
        *,
        limits: Limits = ...,
        engine: Engine | None = ...,
    ) -> None: ...
    def __init__(
        self,
        annotation: Any,
        typespace: Typespace | None = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        engine: Engine | None = None,
    ) -> None:
        self.limits = limits
        self.engine: Engine = engine or default_engine()
        self.shape: Shape = (
            shape_of_type(annotation, typespace, limits=limits)
            if isinstance(annotation, AlgebraicType)
            else shape_of(annotation)
        )
        self._fast = fast_engine(self.engine, self.shape, limits)

    # -- reading

    def decode(self, data: Buffer, *, trailing: Trailing = "reject") -> _T:
        """The value that `data` holds.

        Raises DecodeError. Bytes left over are the error TrailingBytes unless `trailing="allow"`, which is what the
        server does. (spec: wire 1)
        """
        data = _bytes(data)
        if self._fast is not None:
            try:
                value, end = self._fast.decode(data, 0)
                if end == len(data) or (end < len(data) and trailing == "allow"):
                    return value  # type: ignore[no-any-return]
            except Exception:  # noqa: BLE001 - whatever it was, the Construct engine says it better
                pass
        value, end = self._exact(data, 0)
        if end < len(data) and trailing != "allow":
            raise DecodeError("TrailingBytes", offset=end, unread=len(data) - end)
        return value

    def attempt(self, data: Buffer) -> tuple[_T] | None:
        """The value that `data` holds, in a tuple; None where it holds none: `decode` when nobody asks why. (spec: wire 1)"""
        data = _bytes(data)
        if self._fast is not None:
            try:
                value, end = self._fast.decode(data, 0)
                return (value,) if end == len(data) else None
            except (Unsure, RecursionError, MemoryError):
                pass
            except Exception:  # noqa: BLE001 - wrong bytes fail in many ways
                return None
        try:
            return (self.decode(data),)
        except DecodeError:
            return None

    def decode_from(self, data: Buffer, offset: int = 0) -> tuple[_T, int]:
        """The value that starts at `offset`, and the offset after it; what follows is left alone. Raises DecodeError."""
        data = _bytes(data)
        if not 0 <= offset <= len(data):
            raise ValueError(f"offset {offset} is outside the {len(data)} bytes given")
        if self._fast is not None:
            try:
                value, end = self._fast.decode(data, offset)
                if end <= len(data):
                    return value, end
            except Exception:  # noqa: BLE001 - as in decode
                pass
        return self._exact(data, offset)

    def skip(self, data: Buffer, offset: int = 0, *, count: int = 1) -> int:
        """The offset after `count` values that stand back to back from `offset`: they are checked, and not kept.

        The native engine does not even make them. Raises DecodeError, whose path begins with the value's index.
        """
        data = _bytes(data)
        if not 0 <= offset <= len(data):
            raise ValueError(f"offset {offset} is outside the {len(data)} bytes given")
        if count < 0:
            raise ValueError(f"count is a number of values, so not {count}")
        if count and not self.min_width:
            count = 1  # what takes no bytes ends where it begins, however many there are
        if self._fast is not None:
            try:
                end = self._fast.check(data, offset, count)
                if end <= len(data):
                    return end
            except Exception:  # noqa: BLE001 - as in decode
                pass
        for index in range(count):
            try:
                _, offset = self.decode_from(data, offset)
            except BsatnError as error:
                error.path = (index, *error.path)
                raise
        return offset

    def decode_many(self, data: Buffer, *, count: int | None = None) -> list[_T]:
        """All the values that stand back to back in `data`; `count` of them exactly, if given.

        Raises DecodeError, whose path begins with the row's index; ValueError for rows that take no bytes, whose number
        the data cannot tell, when `count` is not given.
        """
        data = self._countable(data, count)
        if self._fast is not None and count is None:
            try:
                rows, end = self._fast.decode_many(data, 0, len(data))
                if end == len(data):
                    return rows
            except Exception:  # noqa: BLE001 - as in decode
                pass
        return list(self._rows(data, count))

    def iter_decode(self, data: Buffer, *, count: int | None = None) -> Iterator[_T]:
        """As decode_many, one value at a time."""
        data = self._countable(data, count)
        return self._rows(data, count)

    def decode_columns(self, data: Buffer, *, count: int | None = None, wide: Wide = "binary", sums: Sums = "union") -> Columns:
        """All the values that stand back to back in `data`, as Arrow columns; `count` of them exactly, if given.

        A product has a column for each field, what is no product one column, `value`. What types become is written in
        `bsatn.columns.layout`; `wide` and `sums` choose where there is a choice: integers of 128 and 256 bits as binary or as
        decimals, sums as dense unions or as structs (polars reads no unions). The native engine makes no Python object a
        value; the others need pyarrow.

        Raises DefinitionError for a type that Arrow has no columns for (one that contains itself, above all); DecodeError as
        decode_many; LimitExceeded for an integer of more digits than a decimal has (`digits`), for too much room taken by
        values that are not there (`null_bytes`) or by one row (`offsets`); BsatnError where there is neither the native engine
        nor pyarrow; ValueError as decode_many.
        """
        data = self._countable(data, count)
        if count is not None and count < 0:
            raise ValueError(f"count is a number of values, so not {count}")
        if (wide, sums) not in self._column_codecs:
            from bsatn.columns import ColumnCodec

            self._column_codecs[wide, sums] = ColumnCodec(self, wide, sums)
        return self._column_codecs[wide, sums].read(self, data, count)

    def _countable(self, data: Buffer, count: int | None) -> bytes:
        """The bytes of rows. Raises ValueError where neither they nor `count` tell how many there are."""
        data = _bytes(data)
        if count is None and self.min_width == 0:
            raise ValueError("values of this type take no bytes, so their number is unknown: say count=")
        return data

    def _rows(self, data: bytes, count: int | None) -> Iterator[_T]:
        offset = index = 0
        while offset < len(data) if count is None else index < count:
            try:
                value, offset = self.decode_from(data, offset)
            except BsatnError as error:
                error.path = (index, *error.path)
                raise
            yield value
            index += 1
        if offset < len(data):
            raise DecodeError("TrailingBytes", offset=offset, unread=len(data) - offset)

    # -- writing

    def encode(self, value: _T) -> bytes:
        """The bytes of a value. Raises EncodeError, with the path to what does not fit."""
        if self._fast is not None:
            try:
                return self._fast.encode(value)
            except Exception:  # noqa: BLE001 - as in decode
                pass
        return self._stacked(lambda: self._construct.encode(value))

    def encode_many(self, values: Iterable[_T]) -> bytes:
        """The bytes of values, back to back. Raises EncodeError, whose path begins with the value's index."""
        values = list(values)
        if self._fast is not None:
            try:
                return self._fast.encode_many(values)
            except Exception:  # noqa: BLE001 - as in decode
                pass
        pieces: list[bytes] = []
        for index, value in enumerate(values):
            try:
                pieces.append(self.encode(value))
            except BsatnError as error:
                error.path = (index, *error.path)
                raise
        return b"".join(pieces)

    # -- the rest

    @cached_property
    def min_width(self) -> int:
        """The fewest bytes that a value takes."""
        return min_widths(reachable(self.shape))[self.shape]

    @cached_property
    def _column_codecs(self) -> dict[tuple[Wide, Sums], ColumnCodec]:
        return {}

    @cached_property
    def _construct(self) -> ConstructEngine:
        from bsatn.constructs import ConstructEngine

        return ConstructEngine(self.shape, self.limits)

    def _exact(self, data: bytes, offset: int) -> tuple[_T, int]:
        return self._stacked(lambda: self._construct.decode(data, offset))

    def _stacked(self, work: Callable[[], _R]) -> _R:
        """`Limits.depth` keeps the work well within a fresh stack; past a limit that was raised, the stack is the limit."""
        try:
            return on_enough_stack(work)
        except RecursionError:
            what = "the value nests deeper than Python's stack allows"
            raise LimitExceeded("depth", self.limits.depth, what, advice="sys.setrecursionlimit stops it first") from None


def _bytes(data: Buffer) -> bytes:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"bytes are needed, not {type(data).__name__}")
    return data if isinstance(data, bytes) else bytes(data)
