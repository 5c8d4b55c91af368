"""Where rows lie in a table: the order in which a commit lists them. (spec: event-tables 1.4)

A new row takes the slot that was freed last, or, when none is free, the one after all others. Slots are those of one page
of the server; it begins another after 64 KiB, which is not modelled: of larger tables it may list rows in another order.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Slots"]


class Slots:
    """The slots of a table's rows, which are their BSATN."""

    __slots__ = ("_free", "_of", "_size", "_sorted")

    def __init__(self, rows: Iterable[bytes] = ()) -> None:
        """`rows` take the first slots, in their order."""
        self._of: dict[bytes, int] = {row: slot for slot, row in enumerate(rows)}
        self._size = len(self._of)
        self._free: list[int] = []
        self._sorted = True  # the rows' order in the dict is that of their slots

    def take(self) -> int:
        """A slot for a row that may follow; `free` it or `put` the row there."""
        if self._free:
            return self._free.pop()
        self._size += 1
        return self._size - 1

    def free(self, slot: int) -> None:
        """Give a slot back that no row is in."""
        self._free.append(slot)

    def put(self, row: bytes, slot: int | None = None) -> None:
        """Place a new row, in a slot that was taken for it."""
        slot = self.take() if slot is None else slot
        self._sorted = self._sorted and slot == self._size - 1
        self._of[row] = slot

    def remove(self, row: bytes) -> None:
        """Take a row out; its slot is the next to be filled."""
        self.free(self._of.pop(row))

    def slot_of(self, row: bytes) -> int | None:
        """Where a row is; None when it is in no slot."""
        return self._of.get(row)

    def clear(self) -> None:
        """Take all rows out, in the order of their slots."""
        for row in self.ordered():
            self.remove(row)

    def ordered(self, rows: Iterable[bytes] | None = None) -> list[bytes]:
        """These rows, or all, in the order of their slots."""
        if rows is None and self._sorted:
            return list(self._of)
        return sorted(self._of if rows is None else rows, key=self._of.__getitem__)
