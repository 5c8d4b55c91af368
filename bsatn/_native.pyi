"""The native engine's extension; `native/src` has what it does."""

from collections.abc import Sequence
from typing import Any, final

@final
class Commits:
    """Steps over the commits of a log whose rows are of tables it has learnt, or applies them to those rows."""

    def __new__(cls) -> Commits: ...
    def learn(self, table_id: int, plan: Plan, rows: dict[bytes, Any] | None = None, is_event: bool = False) -> None: ...
    def forget(self) -> None: ...
    def step(self, data: bytes, at: int, header_size: int, expected: int) -> Stepped: ...
    def apply(self, data: bytes, at: int, header_size: int, expected: int, end: int) -> Stepped: ...

@final
class Stepped:
    """What was stepped over, and where it ends."""

    end: int
    commits: int
    transactions: int
    rows: int
    last_tx_offset: int
    checksum: int
    wanted: int | None

def frames(data: bytes, at: int, segment: object, position: int, expected: int, most: int) -> list[tuple[Any, ...]]: ...

@final
class Plan:
    """A type's program. Methods raise GiveUp or Unsure of `bsatn.codegen.runtime`, or what Python code raised."""

    def __new__(cls, program: object, kit: object) -> Plan: ...
    def decode(self, data: bytes, offset: int) -> tuple[Any, int]: ...
    def decode_many(self, data: bytes, offset: int, end: int) -> tuple[list[Any], int]: ...
    def encode(self, value: object) -> bytes: ...
    def encode_many(self, values: list[Any]) -> bytes: ...
    def check(self, data: bytes, offset: int, count: int) -> int: ...

@final
class ColumnReader:
    """Reads rows of a layout (`bsatn.columns.layout`) into Arrow arrays."""

    def __new__(cls, layout: object, empty_elements: int, null_bytes: int) -> ColumnReader: ...
    def read(self, data: bytes, offset: int, count: int | None) -> tuple[ColumnData | None, Stopped]: ...

@final
class Stopped:
    """Where reading stopped, and why there are no columns: `reason` is empty, bytes, digits, nulls or offsets.

    `row` is the first that can be too much, and begins at `offset`; `column` is the one that was read. `sure_row` begins at
    `sure_offset`, and all before it is right to the last byte.
    """

    reason: str
    row: int
    offset: int
    column: int
    sure_row: int
    sure_offset: int

@final
class ColumnData:
    """Arrow arrays, in batches of rows."""

    rows: int
    batches: int
    nbytes: int
    names: list[str]
    def joined(self, others: Sequence[ColumnData]) -> ColumnData: ...
    def schema(self) -> object: ...
    def array(self, number: int) -> tuple[object, object]: ...
    def stream(self) -> object: ...
