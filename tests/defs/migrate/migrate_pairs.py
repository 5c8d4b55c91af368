"""Pairs of valid definitions, made at random from a seed: one, and what a few random changes make of it.

Definitions are those of defs.testing. `MUTATIONS` has what may happen to one: types and tables change as people change them,
and anything at all may become something else of its kind. What is not valid any more is dropped.
"""

from __future__ import annotations

import enum
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeAlias

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bsatn import types as t
from bsatn.errors import BsatnError
from defs import raw, testing
from defs.convert import to_v10
from defs.raw import v10
from defs.raw.shared import BTree, Hash, RawUniqueConstraintDataV9, TableAccess
from defs.schema.model import ModuleDef
from defs.validate import validate

__all__ = ["Definition", "pairs"]

Mutation: TypeAlias = Callable[[random.Random, v10.RawModuleDefV10], v10.RawModuleDefV10]

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example)
_PRIMITIVES = (t.U8, t.U16, t.U32, t.U64, t.I32, t.STRING, t.BOOL, t.F32, t.U128, t.I256)
_KINDS: tuple[t.AlgebraicType, ...] = (
    *_PRIMITIVES, t.UNIT, t.option_type(t.U32), t.option_type(t.STRING), t.BYTES, t.ArrayType(t.U32), t.ArrayType(t.F64),
    t.SumType((t.SumTypeVariant("a", t.UNIT), t.SumTypeVariant("b", t.U64))),
    t.ProductType((t.ProductTypeElement("q", t.F64), t.ProductTypeElement("w", t.STRING))),
    t.ArrayType(t.option_type(t.F32)), t.ArrayType(t.ArrayType(t.U8)), t.ArrayType(t.BOOL), t.ArrayType(t.I128),
)  # fmt: skip
_WIDTHS: dict[t.AlgebraicType, int] = {
    t.U8: 1, t.U16: 2, t.U32: 4, t.I32: 4, t.F32: 4, t.U64: 8, t.F64: 8, t.U128: 16, t.I128: 16, t.I256: 32,
}  # fmt: skip
_FLOATS = (0.0, -0.0, 1.5, 1e21, 1e16, 9.999999e15, 1e-5, 1.1e-5, 9.9e-6, 0.1, float("inf"), float("nan"), 1e-7, 1e15)


@dataclass(frozen=True)
class Definition:
    """A definition's bytes, and what it says."""

    data: bytes
    module: ModuleDef


def pairs(number: int, count: int) -> Iterator[tuple[Definition, Definition]]:
    """The first `count` pairs of the seed `number`."""
    rng, made = random.Random(number), 0
    while made < count:
        for old, new in _pairs_of(rng, _definitions(rng.randrange(2**32), 60)):
            yield old, new
            made += 1
            if made == count:
                return


def _definitions(number: int, count: int) -> list[raw.RawModuleDef]:
    found: list[raw.RawModuleDef] = []
    version_10 = testing.valid_definitions(10)

    @seed(number)
    @settings(max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=SLOW)
    @given(st.one_of(version_10, version_10, testing.valid_definitions(9)))
    def keep(definition: raw.RawModuleDef) -> None:
        found.append(definition)

    keep()
    return found


def _valid(definition: raw.RawModuleDef) -> Definition | None:
    try:
        return Definition(raw.encode(definition), validate(definition))
    except BsatnError:
        return None


def _pairs_of(rng: random.Random, definitions: list[raw.RawModuleDef]) -> Iterator[tuple[Definition, Definition]]:
    """Each with itself, with changed ones and back, and with the one before it; of version 9 with itself as version 10."""
    before: Definition | None = None
    for definition in definitions:
        old = _valid(definition)
        assert old is not None
        base = definition if isinstance(definition, v10.RawModuleDefV10) else to_v10(old.module)
        yield old, _valid(base) or old
        for _ in range(10):
            new = _changed(rng, base)
            if new is not None and new.data != old.data:
                yield (old, new) if rng.random() < 0.7 else (new, old)
        if before is not None:
            yield before, old
        before = old


def _changed(rng: random.Random, definition: v10.RawModuleDefV10) -> Definition | None:
    """After one to five changes, those left out that would make it invalid; None if none is left."""
    found: Definition | None = None
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        changed = mutate(rng, definition)
        valid = None if changed is definition else _valid(changed)
        if valid is not None:
            definition, found = changed, valid
    return found


def mutate(rng: random.Random, definition: v10.RawModuleDefV10) -> v10.RawModuleDefV10:
    """The definition after one change, or as it was where what should change is not there."""
    return rng.choice(MUTATIONS)(rng, definition)


# -- tools


def _put(items: tuple[Any, ...], place: int, *new: Any) -> tuple[Any, ...]:
    return (*items[:place], *new, *items[place + 1 :])


def _section(definition: v10.RawModuleDefV10, kind: type[Any]) -> tuple[int, Any]:
    """Where the first section of a kind is, and its content; -1 and an empty tuple if there is none."""
    for place, section in enumerate(definition.sections):
        if isinstance(section, kind):
            return place, getattr(section, fields(section)[0].name)
    return -1, ()


def _with_section(definition: v10.RawModuleDefV10, place: int, content: Any) -> v10.RawModuleDefV10:
    section = definition.sections[place]
    changed = replace(section, **{fields(section)[0].name: content})
    return v10.RawModuleDefV10(_put(definition.sections, place, changed))


# -- types


def _mutate_type(rng: random.Random, kind: t.AlgebraicType) -> t.AlgebraicType:
    match kind:
        case t.SumType(variants):
            return t.SumType(_mutate_parts(rng, variants, t.SumTypeVariant))
        case t.ProductType(elements):
            return t.ProductType(_mutate_parts(rng, elements, t.ProductTypeElement))
        case t.ArrayType(element):
            return t.ArrayType(_mutate_type(rng, element))
        case t.Ref() if rng.random() < 0.7:
            return kind
    return rng.choice(_KINDS)


def _mutate_parts(rng: random.Random, parts: tuple[Any, ...], make: Callable[[str, t.AlgebraicType], Any]) -> tuple[Any, ...]:
    """One is added at the end, removed, renamed, changes places or its type."""
    change = rng.choice(("add", "add", "remove", "rename", "swap", "type", "type", "type"))
    if change == "add" or not parts:
        return (*parts, make(rng.choice(("added", "Zed", "x9")), rng.choice(_KINDS) if rng.random() < 0.5 else t.UNIT))
    place, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    part = parts[place]
    match change:
        case "remove":
            return _put(parts, place)
        case "rename":
            return _put(parts, place, make("renamed", part.algebraic_type))
        case "swap":
            return _put(_put(parts, place, parts[other]), other, part)
    return _put(parts, place, make(part.name, _mutate_type(rng, part.algebraic_type)))


def change_type(rng: random.Random, definition: v10.RawModuleDefV10) -> v10.RawModuleDefV10:
    """An entry of the typespace."""
    at, space = _section(definition, v10.TypespaceSection)
    if at < 0 or not space.types:
        return definition
    place = rng.randrange(len(space.types))
    return _with_section(definition, at, t.Typespace(_put(space.types, place, _mutate_type(rng, space.types[place]))))


def change_column(rng: random.Random, definition: v10.RawModuleDefV10) -> v10.RawModuleDefV10:
    """The type of a table's column, or the entry of the typespace that it refers to."""
    at, space = _section(definition, v10.TypespaceSection)
    _, tables = _section(definition, v10.TablesSection)
    if at < 0 or not tables:
        return definition
    place = rng.choice(tables).product_type_ref
    row = space.types[place]
    if not isinstance(row, t.ProductType) or not row.elements:
        return definition
    column = rng.randrange(len(row.elements))
    kind = row.elements[column].algebraic_type
    if isinstance(kind, t.Ref):
        return _with_section(
            definition, at, t.Typespace(_put(space.types, kind.index, _mutate_type(rng, space.types[kind.index])))
        )
    changed = t.ProductTypeElement(row.elements[column].name, _mutate_type(rng, kind))
    row = t.ProductType(_put(row.elements, column, changed))
    return _with_section(definition, at, t.Typespace(_put(space.types, place, row)))


def add_column(rng: random.Random, definition: v10.RawModuleDefV10) -> v10.RawModuleDefV10:
    """To a table, most often with a default value."""
    in_space, space = _section(definition, v10.TypespaceSection)
    in_tables, tables = _section(definition, v10.TablesSection)
    if in_space < 0 or not tables:
        return definition
    place = rng.randrange(len(tables))
    table = tables[place]
    row = space.types[table.product_type_ref]
    if not isinstance(row, t.ProductType):
        return definition
    kind = rng.choice(_KINDS)
    grown = t.ProductType((*row.elements, t.ProductTypeElement(rng.choice(("added", "addedB", "zz9")), kind)))
    if rng.random() < 0.85:
        default = v10.RawColumnDefaultValueV10(len(row.elements), _value(rng, kind))
        table = replace(table, default_values=(*table.default_values, default))
    definition = _with_section(definition, in_tables, _put(tables, place, table))
    return _with_section(definition, in_space, t.Typespace(_put(space.types, table.product_type_ref, grown)))


def _value(rng: random.Random, kind: t.AlgebraicType) -> bytes:
    """BSATN of a random value, often a peculiar one."""
    match kind:
        case t.ProductType(elements):
            return b"".join(_value(rng, part.algebraic_type) for part in elements)
        case t.SumType(variants):
            tag = rng.randrange(len(variants))
            return bytes((tag,)) + _value(rng, variants[tag].algebraic_type)
        case t.ArrayType(element):
            count = rng.randrange(4)
            return count.to_bytes(4, "little") + b"".join(_value(rng, element) for _ in range(count))
    if kind == t.STRING:
        text = rng.choice(("", 'a"b\\', "tab\t\n\0", "üñ", "e\u0301\u200b", "\U0001f600", "\x7f\x1b")).encode()
        return len(text).to_bytes(4, "little") + text
    if kind in (t.F32, t.F64) and rng.random() < 0.5:
        return struct.pack("<f" if kind == t.F32 else "<d", rng.choice(_FLOATS))
    return bytes((rng.randrange(2),)) if kind == t.BOOL else rng.randbytes(_WIDTHS[kind])


# -- tables


def change_table(rng: random.Random, definition: v10.RawModuleDefV10) -> v10.RawModuleDefV10:
    """Flags, indexes, constraints, sequences; or the table goes."""
    at, tables = _section(definition, v10.TablesSection)
    if not tables:
        return definition
    place = rng.randrange(len(tables))
    table = tables[place]
    columns = tuple(rng.sample(range(3), rng.choice((1, 1, 2))))
    indexes, constraints = table.indexes, table.constraints
    changes: dict[str, Any] = {}
    match rng.choice(("event", "access", "constraint", "sequence", "new sequence", "new index", "index", "gone index", "gone")):
        case "event":
            changes = {"is_event": not table.is_event}
        case "access":
            changes = {"table_access": rng.choice((TableAccess.Public, TableAccess.Private))}
        case "constraint":
            changes = {"constraints": constraints[:-1], "primary_key": ()}
        case "sequence":
            changes = {"sequences": table.sequences[:-1]}
        case "new sequence":
            changes = {"sequences": (*table.sequences, v10.RawSequenceDefV10(None, columns[0], None, None, None, 1))}
        case "new index":
            algorithm = rng.choice((BTree, Hash))(columns)
            index = v10.RawIndexDefV10(f"new_ix{rng.randrange(3)}", rng.choice((None, "acc")), algorithm)
            unique = v10.RawConstraintDefV10(None, RawUniqueConstraintDataV9(columns))
            changes = {"indexes": (*indexes, index), "constraints": (*constraints, *((unique,) if rng.random() < 0.6 else ()))}
        case "index" if indexes:
            index = indexes[-1]
            named = rng.choice(({"source_name": f"{index.source_name}q"}, {"accessor_name": None}, {"accessor_name": "acc9"}))
            changes = {"indexes": (*indexes[:-1], replace(index, **named))}
        case "gone index" if indexes:
            changes = {"indexes": _put(indexes, rng.randrange(len(indexes)))}
        case "gone":
            return _with_section(definition, at, _put(tables, place))
    return _with_section(definition, at, _put(tables, place, replace(table, **changes)))


# -- anything


def change_submodule(rng: random.Random, definition: v10.RawModuleDefV10) -> v10.RawModuleDefV10:
    """One goes, or something in it changes."""
    at, mounted = _section(definition, v10.SubmodulesSection)
    if not mounted:
        return definition
    place = rng.randrange(len(mounted))
    one = mounted[place]
    changed = () if rng.random() < 0.15 else (replace(one, module=mutate(rng, one.module)),)
    return _with_section(definition, at, _put(mounted, place, *changed))


def change_anything(rng: random.Random, definition: v10.RawModuleDefV10) -> v10.RawModuleDefV10:
    """A flag, number, name or list anywhere outside the typespace."""
    places = [place for place in _places(definition, ()) if len(place) > 1]
    changed: v10.RawModuleDefV10 = _replaced(rng, definition, rng.choice(places)) if places else definition
    return changed


def _places(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, v10.TypespaceSection | t.AlgebraicType | bytes) or value is None:
        return
    yield place
    if is_dataclass(value):
        for part in fields(value):
            yield from _places(getattr(value, part.name), (*place, part.name))
    elif isinstance(value, tuple):
        for number, one in enumerate(value):
            yield from _places(one, (*place, number))


def _replaced(rng: random.Random, value: Any, place: tuple[str | int, ...]) -> Any:
    """The value with something else at a place in it."""
    if place and isinstance(place[0], str):
        return replace(value, **{place[0]: _replaced(rng, getattr(value, place[0]), place[1:])})
    if place:
        return _put(value, int(place[0]), _replaced(rng, value[int(place[0])], place[1:]))
    match value:
        case bool():
            return not value
        case enum.Enum():
            return rng.choice(list(type(value)))
        case int():
            return rng.randrange(6)
        case str():
            return rng.choice((f"{value}Z", f"{value}2", "other", value.upper(), value.lower()))
        case tuple() if value and rng.random() < 0.3:
            return tuple(rng.sample(value, len(value)))
        case tuple() if value:
            return _put(value, rng.randrange(len(value)))
    return value


#: What may happen to a definition; what is there several times happens more often.
MUTATIONS: tuple[Mutation, ...] = (
    change_submodule, *(change_type,) * 2, *(add_column,) * 2, *(change_anything,) * 2, *(change_table,) * 3,
    *(change_column,) * 5,
)  # fmt: skip
