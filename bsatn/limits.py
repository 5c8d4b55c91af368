"""Bounds that hold before memory is taken, whoever wrote the bytes. Every engine counts them alike."""

from __future__ import annotations

from bsatn.frozen import frozen

__all__ = ["DEFAULT_LIMITS", "Limits"]


@frozen
class Limits:
    """Bounds of one decode or encode.

    `depth`: how many arrays, products and sums may be open inside one another. The default leaves room for types nested
    over 100 products deep, and stays clear of Python's own stack.
    `empty_elements`: how many values that take no bytes may be made in all: elements of an array of units, or
    references to a type that is empty. Everything else is bounded by the length of the input.
    """

    depth: int = 512
    empty_elements: int = 1 << 18


DEFAULT_LIMITS = Limits()
