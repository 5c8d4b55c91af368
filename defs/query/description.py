"""Queries given as data, rendered as the builder would if it took all that the Rust builder takes.

A description is `{table, filters, join?}` or `{view, args}`. A filter has an `op`: `eq`, `ne`, `gt`, `lt`, `gte`, `lte` with
`column` and `value` or `other_column`; `and`, `or`, `not` with `args`; `column` with `column`; `const` with `value`. `join`
has `kind`, `table`, `on` and `filters`. A value has its `type` and `value`, text; floats have `bits`. Names are any, and
nothing says what tables have which columns, so only the form is checked. (spec: event-tables 6.1)
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from operator import and_, or_
from typing import Any, NoReturn

from bsatn.values import ConnectionId, Identity, Timestamp, Uuid, f32_from_bits
from defs.query import kinds
from defs.query.builder import Semijoin, Side
from defs.query.columns import FALSE, TRUE, Column, Compare, Predicate, condition, not_, quoted
from defs.query.errors import QueryError
from defs.query.handles import AnyTable, TableInfo
from defs.query.literals import spell

__all__ = ["MAX_DEPTH", "render"]

MAX_DEPTH = 200  #: levels of filters in one another

_JOINS: dict[tuple[str, int], Callable[..., Predicate[Any]]] = {("and", 2): and_, ("or", 2): or_, ("not", 1): not_}
_COMPARISONS = {"eq": "=", "ne": "<>", "gt": ">", "lt": "<", "gte": ">=", "lte": "<="}


def render(description: Any) -> str:
    """The text of a described query. Raises QueryError, of kind BadDescription where it is none."""
    if "view" in _object(description, "a description"):
        arguments = [_value(one) for one in _list(description, "args")]
        return f"SELECT * FROM {quoted(_text(description, 'view'))}({', '.join(arguments)})"
    table = _table(description)
    before = _filters(description, table)
    if "join" not in description:
        return f"SELECT * FROM {quoted(table.__table__.name)}" + ("" if before is None else f" WHERE {before}")
    join = _object(description["join"], "join")
    kind, other = _text(join, "kind"), _table(join)
    if kind not in ("left_semijoin", "right_semijoin"):
        _bad(f"the join's kind is left_semijoin or right_semijoin, not {kind!r:.60}")
    names = _list(join, "on")
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        _bad("a join's on has two names of columns")
    on = tuple(Column[Any, Any, Any](side, name, None, True) for side, name in zip((table, other), names, strict=True))
    left = kind == "left_semijoin"
    side: Side = "left" if left else "right"
    query = Semijoin[Any].unchecked(side, table, before, other, on)
    for one in _list(join, "filters"):
        query = query.where(_filter(one, table if left else other, 0))
    return str(query)


def _filters(described: Mapping[str, Any], table: AnyTable) -> Predicate[Any] | None:
    """All filters of a table, joined as calls one after the other join them."""
    made: Predicate[Any] | None = None
    for one in _list(described, "filters"):
        added = _filter(one, table, 0)
        made = added if made is None else made & added
    return made


def _filter(described: Any, table: AnyTable, depth: int) -> Predicate[Any]:
    op = _text(_object(described, "a filter"), "op")
    if depth > MAX_DEPTH:
        _bad(f"filters are nested deeper than {MAX_DEPTH}")
    if op in _COMPARISONS:
        other = described.get("other_column")
        right = _column(described, "other_column", table).sql if other is not None else _value(described.get("value"))
        return Predicate(Compare(_column(described, "column", table).sql, _COMPARISONS[op], right), None)
    if op == "column":
        return condition(_column(described, "column", table), None)
    if op == "const":
        if not isinstance(described.get("value"), bool):
            _bad("a const's value is true or false")
        return TRUE if described["value"] else FALSE
    parts = [_filter(one, table, depth + 1) for one in _list(described, "args")]
    join = _JOINS.get((op, len(parts)))
    if join is None:
        _bad(f"there is no filter {op!r:.60} of {len(parts)} arguments")
    return join(*parts)


def _table(described: Mapping[str, Any]) -> AnyTable:
    return AnyTable(TableInfo(_text(described, "table"), None, False, {}))


def _column(described: Mapping[str, Any], field: str, table: AnyTable) -> Column[Any, Any, Any]:
    return Column(table, _text(described, field), kinds.Bool)


# Values -----------------------------------------------------------------------------------------------------


def _hex(cls: Callable[[int], Any], digits: int) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str) or len(value) != digits:
            raise ValueError
        return cls(int.from_bytes(bytes.fromhex(value)))

    return read


def _decimal(value: Any) -> int:
    if not isinstance(value, str) or len(value) > 80 or not value.removeprefix("-").isdecimal():
        raise ValueError
    return int(value)


def _exactly(cls: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not cls:
            raise ValueError
        return value

    return read


def _timestamp(value: Any) -> Timestamp:
    micros = _decimal(value)
    if not -(1 << 63) <= micros < 1 << 63:
        raise ValueError
    return Timestamp(micros)


_READERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    **{kind.__name__.lower(): (kind, _decimal) for kind in kinds.INTEGERS},
    "usize": (kinds.U64, _decimal),
    "isize": (kinds.I64, _decimal),
    "bool": (kinds.Bool, _exactly(bool)),
    "string": (kinds.String, _exactly(str)),
    "bytes": (kinds.Bytes, lambda value: bytes.fromhex(_exactly(str)(value))),
    "f32": (kinds.F32, _hex(f32_from_bits, 8)),
    "f64": (kinds.F64, _hex(lambda bits: struct.unpack(">d", bits.to_bytes(8))[0], 16)),
    "identity": (kinds.Identity, _hex(Identity, 64)),
    "connection_id": (kinds.ConnectionId, _hex(ConnectionId, 32)),
    "uuid": (kinds.Uuid, _hex(Uuid, 32)),
    "timestamp": (kinds.Timestamp, _timestamp),
}


def _value(described: Any) -> str:
    kind = _text(_object(described, "a value"), "type")
    if kind not in _READERS:
        _bad(f"there is no value of type {kind!r:.60}; there is {', '.join(_READERS)}")
    cls, read = _READERS[kind]
    given = described.get("bits" if kind in ("f32", "f64") else "value")
    try:
        return spell(cls, read(given), f"a value of type {kind}")
    except ValueError:
        _bad(f"{given!r:.60} is no {kind}")


# Form -------------------------------------------------------------------------------------------------------


def _bad(message: str) -> NoReturn:
    raise QueryError("BadDescription", message)


def _object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        _bad(f"{what} is an object, not {value!r:.60}")
    return value


def _text(described: Mapping[str, Any], field: str) -> str:
    value = described.get(field)
    if not isinstance(value, str):
        _bad(f"`{field}` is a string, not {value!r:.60}")
    return value


def _list(described: Mapping[str, Any], field: str) -> list[Any]:
    value = described.get(field, [])
    if not isinstance(value, list):
        _bad(f"`{field}` is a list, not {value!r:.60}")
    return value
