"""What goes wrong in a store, apart from bytes that do not decode."""

from __future__ import annotations

from typing import Any

from bsatn.errors import BsatnError

__all__ = ["StoreError"]


class StoreError(BsatnError):
    """The rows of a store, or of its log, contradict one another.

    `kind` is a short CamelCase word: `TableNotFound`, `IndexNotFound`, `InvalidColumns`, `RowExists`, `RowMissing`, ...;
    `tx_offset` the transaction in which it came up, None outside of a log; `fields` holds the details, such as `table_id`.
    """

    def __init__(self, kind: str, message: str = "", *, tx_offset: int | None = None, **fields: Any) -> None:
        self.tx_offset = tx_offset
        super().__init__(kind, message, **fields)

    def __str__(self) -> str:
        return self.message if self.tx_offset is None else f"transaction {self.tx_offset}: {self.message}"
