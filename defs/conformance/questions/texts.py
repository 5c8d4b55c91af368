"""Texts edited and made smaller: JSON by its structure, SQL by its words, names by their characters."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

__all__ = ["edited_json", "smaller_json", "smaller_name", "smaller_sql"]

Place: TypeAlias = tuple[str | int, ...]

_OTHERS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 256, 1 << 53, 1 << 64, -(1 << 127), 1.5, 1e300, "", "a", "1", "ff", "0x00", [], {}, [0, []],
    {"some": 0},
)  # fmt: skip


class Pairs:
    """An object with its keys as they stand, equal ones too."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs


def _places(value: Any) -> Iterator[tuple[Place, Any]]:
    todo: list[tuple[Place, Any]] = [((), value)]
    while todo:
        place, one = todo.pop(0)
        yield place, one
        if isinstance(one, list):
            todo += [((*place, index), part) for index, part in enumerate(one)]
        elif isinstance(one, Pairs):
            todo += [((*place, index), part) for index, (_, part) in enumerate(one.pairs)]


def _changed(value: Any, place: Place, change: Callable[[Any], Any]) -> Any:
    """The value with one part changed."""
    if not place:
        return change(value)
    at = int(place[0])
    if isinstance(value, Pairs):
        key, part = value.pairs[at]
        return Pairs([*value.pairs[:at], (key, _changed(part, place[1:], change)), *value.pairs[at + 1 :]])
    return [*value[:at], _changed(value[at], place[1:], change), *value[at + 1 :]]


def _read(text: str) -> Any:
    return json.loads(text, object_pairs_hook=Pairs)


def _written(value: Any) -> str:
    match value:
        case Pairs():
            return "{" + ",".join(f"{json.dumps(key)}:{_written(part)}" for key, part in value.pairs) + "}"
        case list():
            return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)


def edited_json(source: random.Random, text: str) -> str:
    """The JSON with one part changed: dropped, repeated, moved, or of another type."""
    try:
        value = _read(text)
        place, part = source.choice(list(_places(value)))
        return _written(_changed(value, place, lambda _: _edited(source, part)))
    except (ValueError, RecursionError):
        return text


def _edited(source: random.Random, part: Any) -> Any:
    parts = part.pairs if isinstance(part, Pairs) else part if isinstance(part, list) else []
    way = source.randrange(6)
    if not parts or way == 0:
        return source.choice(
            (source.choice(_OTHERS), source.choice(_OTHERS), [part], part + 1 if type(part) is int else str(part)[:9])
        )
    at = source.randrange(len(parts))
    kept = list(parts)
    match way:
        case 1:
            kept.insert(at, parts[at])
        case 2:
            kept.reverse()
        case 3 if isinstance(part, Pairs):
            kept[at] = (source.choice(("a", "", "some", parts[at][0].upper())), parts[at][1])
        case 4 if isinstance(part, Pairs):
            return [one for _, one in parts]
        case _:
            del kept[at]
    return Pairs(kept) if isinstance(part, Pairs) else kept


# Smaller ----------------------------------------------------------------------------------------------------------------


def smaller_json(text: str) -> Iterator[str]:
    """Texts with a part left out, or something small in its place; a part in place of the whole."""
    try:
        value = _read(text)
        found = list(_places(value))
    except (ValueError, RecursionError):
        yield from smaller_name(text)
        return
    for place, part in found:
        if place:
            yield _written(part)
        for new in _smaller_parts(part):
            yield _written(_changed(value, place, lambda _, new=new: new))  # type: ignore[misc]


def _smaller_parts(part: Any) -> Iterator[Any]:
    if isinstance(part, (list, Pairs)):
        parts: list[Any] = part.pairs if isinstance(part, Pairs) else part
        for start, end in chunks(len(parts)):
            kept = parts[:start] + parts[end:]
            yield Pairs(kept) if isinstance(part, Pairs) else kept
    elif isinstance(part, str):
        yield from ("", *smaller_name(part))
    elif isinstance(part, (int, float)) and not isinstance(part, bool):
        yield from (0, 1, *((part // 2, part - 1) if isinstance(part, int) and part > 1 else ()))
    yield None


def chunks(count: int) -> Iterator[tuple[int, int]]:
    """Spans to leave out of a list: all of it, halves, quarters, down to single items."""
    size = count
    while size:
        yield from ((start, min(start + size, count)) for start in range(0, count, size))
        size //= 2


def smaller_name(text: str) -> Iterator[str]:
    """Without some characters; then with plainer ones."""
    for start, end in chunks(len(text)):
        yield text[:start] + text[end:]
    for at, character in enumerate(text):
        for plain in "aA0":
            if ord(plain) < ord(character):
                yield text[:at] + plain + text[at + 1 :]


_TOKENS = re.compile(r"'(?:[^']|'')*'?|\"[^\"]*\"?|\w+|\s+|.", re.DOTALL)


def smaller_sql(text: str) -> Iterator[str]:
    """Without some words; then with shorter ones."""
    tokens = _TOKENS.findall(text)
    for start, end in chunks(len(tokens)):
        yield "".join(tokens[:start] + tokens[end:])
    for at, token in enumerate(tokens):
        for shorter in ("0", "''", token[: len(token) // 2], token[1:]):
            if len(shorter) < len(token):
                yield "".join([*tokens[:at], shorter, *tokens[at + 1 :]])
