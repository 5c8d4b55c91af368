"""The part of JSON Schema that `schema/vectors.schema.json` uses: enough to check the files without another package.

Known are: `$ref` into `$defs`, type, const, enum, pattern, minimum, required, properties, additionalProperties: false, items,
anyOf, allOf, if and then. A keyword beyond these is an error, not ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from defs.vectors.files import VectorError

__all__ = ["faults", "load_schema"]

Schema = dict[str, Any]
SCHEMA = Path("schema") / "vectors.schema.json"


def load_schema(directory: Path) -> Schema:
    """The schema of the files in a directory. Raises OSError or ValueError where there is none."""
    schema: Schema = json.loads((directory / SCHEMA).read_text("utf-8"))
    return schema


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda one: isinstance(one, dict),
    "array": lambda one: isinstance(one, list),
    "string": lambda one: isinstance(one, str),
    "boolean": lambda one: isinstance(one, bool),
    "integer": lambda one: isinstance(one, int) and not isinstance(one, bool),
}
_NOTES = {"$schema", "$id", "$defs", "$comment", "title", "description", "then"}


def faults(schema: Schema, instance: Any) -> Iterator[str]:
    """What the schema finds wrong, each with its place."""
    return _faults(schema, instance, "", schema)


def _faults(schema: Schema, one: Any, place: str, root: Schema) -> Iterator[str]:
    for keyword, wanted in schema.items():
        if keyword in _NOTES:
            continue
        if keyword not in _KEYWORDS:
            raise VectorError("Schema", f"the schema uses {keyword}, which is not checked here")
        yield from _KEYWORDS[keyword](wanted, one, place, root, schema)


def _holds(schema: Schema, one: Any, root: Schema) -> bool:
    return next(_faults(schema, one, "", root), None) is None


def _told(test: Callable[[Any, Any], bool], words: str) -> Callable[..., Iterator[str]]:
    def check(wanted: Any, one: Any, place: str, *_: Any) -> Iterator[str]:
        if not test(wanted, one):
            yield f"{place or 'the file'}: {words} {json.dumps(wanted)[:80]}"

    return check


def _ref(wanted: str, one: Any, place: str, root: Schema, _: Schema) -> Iterator[str]:
    yield from _faults(root["$defs"][wanted.rpartition("/")[2]], one, place, root)


def _properties(wanted: dict[str, Schema], one: Any, place: str, root: Schema, _: Schema) -> Iterator[str]:
    if isinstance(one, dict):
        for name in one.keys() & wanted.keys():
            yield from _faults(wanted[name], one[name], f"{place}.{name}", root)


def _additional(wanted: bool, one: Any, place: str, _: Schema, schema: Schema) -> Iterator[str]:
    if wanted is False and isinstance(one, dict):
        yield from (f"{place}.{name}: there is no such field" for name in sorted(one.keys() - schema["properties"].keys()))


def _required(wanted: list[str], one: Any, place: str, *_: Any) -> Iterator[str]:
    if isinstance(one, dict):
        yield from (f"{place or 'the file'}: `{name}` is missing" for name in wanted if name not in one)


def _items(wanted: Schema, one: Any, place: str, root: Schema, _: Schema) -> Iterator[str]:
    if isinstance(one, list):
        for index, item in enumerate(one):
            yield from _faults(wanted, item, f"{place}[{index}]", root)


def _any_of(wanted: list[Schema], one: Any, place: str, root: Schema, _: Schema) -> Iterator[str]:
    if not any(_holds(choice, one, root) for choice in wanted):
        yield f"{place}: none of what it may be"


def _all_of(wanted: list[Schema], one: Any, place: str, root: Schema, _: Schema) -> Iterator[str]:
    for part in wanted:
        yield from _faults(part, one, place, root)


def _if(wanted: Schema, one: Any, place: str, root: Schema, schema: Schema) -> Iterator[str]:
    if _holds(wanted, one, root):
        yield from _faults(schema["then"], one, place, root)


_KEYWORDS: dict[str, Callable[..., Iterator[str]]] = {
    "$ref": _ref,
    "type": _told(lambda wanted, one: _TYPES[wanted](one), "it must be of type"),
    "const": _told(lambda wanted, one: type(one) is type(wanted) and one == wanted, "it must be"),
    "enum": _told(lambda wanted, one: one in wanted, "it must be one of"),
    "pattern": _told(lambda wanted, one: not isinstance(one, str) or re.search(wanted, one) is not None, "it must match"),
    "minimum": _told(lambda wanted, one: not isinstance(one, int) or one >= wanted, "it must be at least"),
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "if": _if,
}
