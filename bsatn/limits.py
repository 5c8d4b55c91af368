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
    `null_bytes`: how many bytes Arrow columns may take for values that are not there, such as a large struct in an option.
    """

    depth: int = 512
    empty_elements: int = 1 << 18
    null_bytes: int = 1 << 30


DEFAULT_LIMITS = Limits()
