"""What is said of rows that cannot be columns, whichever engine found out."""

from __future__ import annotations

from bsatn.columns.layout import DIGITS
from bsatn.errors import LimitExceeded

__all__ = ["MAX_OFFSET", "too_many_digits", "too_many_nulls", "too_many_offsets"]

MAX_OFFSET = (1 << 31) - 1  #: of a text or list within its array


def too_many_digits(row: int, column: str) -> LimitExceeded:
    """An integer is too large for a decimal."""
    bits = " and ".join(f"{digits} for {8 * width} bits" for width, digits in DIGITS.items())
    advice = f"decimals have {bits}: say wide='binary'"
    return LimitExceeded("digits", max(DIGITS.values()), "a number has too many digits", path=(row, column), advice=advice)


def too_many_nulls(null_bytes: int) -> LimitExceeded:
    """Values that are not there take too much memory."""
    return LimitExceeded("null_bytes", null_bytes, "room for values that are not there would take too many bytes")


def too_many_offsets() -> LimitExceeded:
    """Texts or elements of one batch are too many for 32-bit offsets."""
    what = "the texts or elements of a column are too long together"
    return LimitExceeded("offsets", MAX_OFFSET, what, advice="decode fewer rows at once")
