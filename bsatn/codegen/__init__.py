"""The Python engine: a type becomes Python functions specialised for it, compiled on first use.

`plan` decides what becomes a function, `reader` and `writer` write them, `runtime` is what they call. The engine is fast and
knows nothing of errors: whatever it raises means only that the Construct engine must look.
"""

from __future__ import annotations

from typing import Any, NoReturn

from bsatn.codegen.plan import make_plan
from bsatn.codegen.reader import write_readers
from bsatn.codegen.runtime import Unsure
from bsatn.collector import LARGE, collector_paused
from bsatn.limits import Limits
from bsatn.shapes import Shape

__all__ = ["GeneratedEngine"]


def _give_up(*_: object) -> NoReturn:
    raise Unsure


class GeneratedEngine:
    """Reads and writes values of one shape. Methods raise any exception for input that is wrong, or that is unsure."""

    def __init__(self, shape: Shape, limits: Limits) -> None:
        self.shape = shape
        self.limits = limits
        self._readers: dict[str, Any] | None = None
        self._writers: dict[str, Any] | None = None

    @property
    def readers(self) -> dict[str, Any]:
        """The reading functions; made on first use."""
        if self._readers is None:
            plan = make_plan(self.shape, self.limits)
            if plan.is_too_large:
                self._readers = {"read": _give_up, "read_many": _give_up}
                return self._readers
            readers = write_readers(plan)
            read, extra = readers["read0"], (0,) if plan.counts_depth else ()
            if plan.counts_empty:
                budget = self.limits.empty_elements
                readers["read"] = lambda data, offset: read(data, offset, *extra, [budget])
            else:
                readers["read"] = (lambda data, offset: read(data, offset, 0)) if extra else read
            self._readers = readers
        return self._readers

    @property
    def writers(self) -> dict[str, Any]:
        """The writing functions; made on first use."""
        if self._writers is None:
            from bsatn.codegen.writer import write_writers

            plan = make_plan(self.shape, self.limits)
            if plan.is_too_large:
                self._writers = {"write": _give_up, "write_many": _give_up}
                return self._writers
            writers = write_writers(plan)
            write = writers["write0"]
            writers["write"] = (lambda value, add: write(value, add, 0)) if plan.counts_depth else write
            self._writers = writers
        return self._writers

    def decode(self, data: bytes, offset: int) -> tuple[Any, int]:
        """A value at `offset` and the offset after it, which may be past the end of truncated data."""
        read = self.readers["read"]
        if len(data) < LARGE:
            return read(data, offset)  # type: ignore[no-any-return]
        with collector_paused():
            return read(data, offset)  # type: ignore[no-any-return]

    def decode_many(self, data: bytes, offset: int, end: int) -> tuple[list[Any], int]:
        """Values back to back from `offset` until `end`, and the offset after the last."""
        read_many = self.readers["read_many"]
        if end - offset < LARGE:
            return read_many(data, offset, end)  # type: ignore[no-any-return]
        with collector_paused():
            return read_many(data, offset, end)  # type: ignore[no-any-return]

    def check(self, data: bytes, offset: int, count: int) -> int:
        """The offset after `count` values back to back from `offset`, which may be past the end of truncated data."""
        read = self.readers["read"]
        for _ in range(count):
            _, offset = read(data, offset)
        return offset

    def encode(self, value: Any) -> bytes:
        """The bytes of a value."""
        pieces: list[bytes] = []
        self.writers["write"](value, pieces.append)
        return b"".join(pieces)

    def encode_many(self, values: Any) -> bytes:
        """The bytes of values, back to back."""
        pieces: list[bytes] = []
        self.writers["write_many"](values, pieces.append)
        return b"".join(pieces)
