"""What a program's instructions refer to: records, sums and choices as the extension takes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bsatn.codegen.runtime import twin_of
from bsatn.shapes import Choice, Style, Sum, is_unit
from bsatn.values import Variant

__all__ = ["MAX_TAG", "RecordTable", "SumTable", "choice_table", "constant_of", "record_table", "sum_table"]

MAX_TAG = 0xFF


class RecordTable(NamedTuple):
    """A record class, its unfrozen twin if it has one, and its attributes in wire order."""

    cls: type[Any]
    twin: type[Any] | None
    attributes: tuple[str, ...]


@dataclass(slots=True)
class SumTable:
    """`arms`: for each tag where its payload is read, and its one value, if it has one, as a list of it."""

    style: str
    arms: list[tuple[int, list[Any]]] = field(default_factory=list)
    by_name: dict[str, int] = field(default_factory=dict)
    by_class: list[tuple[type[Any], int]] = field(default_factory=list)
    by_constant: dict[Any, int] = field(default_factory=dict)


_RECORDS: dict[tuple[type[Any], tuple[str, ...]], RecordTable] = {}


def record_table(cls: type[Any], attributes: tuple[str, ...]) -> RecordTable:
    """The table of a record class, whose twin is made once."""
    if (cls, attributes) not in _RECORDS:
        _RECORDS[cls, attributes] = RecordTable(cls, twin_of(cls, attributes), attributes)
    return _RECORDS[cls, attributes]


def choice_table(shape: Choice) -> list[tuple[bytes, Any]]:
    """The bytes of each value that is allowed, and what it is in Python."""
    return list(shape.wire_forms().items())


def constant_of(shape: Sum, tag: int) -> list[Any]:
    """The one value of a variant that carries nothing, in a list; nothing of others."""
    if shape.style is Style.UNION:
        return [shape.members[tag]] if shape.is_constant(tag) else []
    if shape.style is Style.VARIANT:
        return [Variant(tag)] if is_unit(shape.payloads[tag]) else []
    return [None] if tag == 1 else []


def sum_table(shape: Sum) -> SumTable:
    """The table of a sum, its arms still to come."""
    table = SumTable(shape.style.name)
    if shape.style is Style.UNION:
        table.by_class = [(cls, tag) for cls, tag in shape.tags_by_class().items() if tag <= MAX_TAG]
        table.by_constant = {key: tag for key, tag in shape.tags_by_constant().items() if tag <= MAX_TAG}
    elif shape.style is Style.VARIANT:
        names = [name for name in shape.names if name is not None]
        pairs = [(name, tag) for tag, name in enumerate(shape.names) if name is not None and names.count(name) == 1]
        table.by_name = {name: tag for name, tag in pairs if tag <= MAX_TAG}
    return table
