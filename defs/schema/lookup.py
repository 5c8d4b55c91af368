"""Read-only look-ups by name, in a stated order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["Lookup"]

_K = TypeVar("_K")
_V = TypeVar("_V")


class Lookup(Mapping[_K, _V]):
    """A mapping that cannot be changed, in the order it was made in."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[_K, _V]] = ()) -> None:
        self._items = dict(items)

    def __getitem__(self, key: _K) -> _V:
        return self._items[key]

    def __iter__(self) -> Iterator[_K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self._items == other._items if isinstance(other, Lookup) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self._items.items()),)

    def __repr__(self) -> str:
        return f"Lookup({self._items!r})"
