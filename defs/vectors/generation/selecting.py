"""Recorded answers of the reference, and which to take: everything that occurs a few times at least, the small ones first."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

__all__ = ["recorded", "spread"]

_TIMES = 3  #: how often each feature is to be there, if it can


def recorded(directory: Path, name: str) -> list[Any]:
    """The rows of a file under reference/."""
    with gzip.open(directory / "reference" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def spread(rows: Iterable[Any], count: int, *, features: Callable[[Any], set[str]], size: Callable[[Any], int]) -> list[Any]:
    """`count` of the rows, in their order: the smallest that have each feature, then others, drawn from the smaller half."""
    rows = list(rows)
    by_size = sorted(range(len(rows)), key=lambda place: (size(rows[place]), place))
    seen: Counter[str] = Counter()
    taken: set[int] = set()
    for place in by_size:
        wanted = [feature for feature in features(rows[place]) if seen[feature] < _TIMES]
        if wanted and len(taken) < count:
            taken.add(place)
            seen.update(features(rows[place]))
    rest = [place for place in by_size[: len(rows) * 2 // 3] if place not in taken]
    random.Random(f"spread {count}").shuffle(rest)
    taken.update(rest[: count - len(taken)])
    return [rows[place] for place in sorted(taken)]
