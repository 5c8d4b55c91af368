"""Modules compiled from Rust, declared again in Python: the same definitions, to the byte."""

from __future__ import annotations

import dataclasses
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import defs
from bsatn import Codec, Timestamp
from bsatn.engines import available
from bsatn.types import Ref, Typespace
from defs import raw
from defs.bindings import Module
from defs.describe import describe
from defs.describe.text import to_text
from defs.raw import v10
from defs.validate import validate

sys.path.insert(0, str(Path(__file__).parent))

import arena_v1
from meaning import meaning

MODULES = Path(__file__).parents[3] / "vectors" / "modules"
VERSIONS = ("arena_v1", "arena_v2", "arena_v3")


def python(name: str) -> Module:
    module: Module = import_module(name).module
    return module


@cache
def rust(name: str) -> v10.RawModuleDefV10:
    definition = defs.load(MODULES / f"{name}.wasm").raw
    assert isinstance(definition, v10.RawModuleDefV10)
    return definition


@pytest.mark.parametrize("name", VERSIONS)
def test_the_definition_is_that_of_the_rust_bindings(name: str) -> None:
    assert python(name).build().sections == rust(name).sections
    assert raw.encode(python(name).build()) == raw.encode(rust(name))


@pytest.mark.parametrize("name", VERSIONS)
def test_it_means_the_same(name: str) -> None:
    assert meaning(python(name).validate()) == meaning(validate(rust(name)))


@pytest.mark.parametrize("name", VERSIONS)
def test_it_is_described_the_same(name: str) -> None:
    built = python(name).build()
    assert to_text(describe(built)) == to_text(describe(rust(name)))
    assert to_text(describe(validate(built))) == to_text(describe(validate(rust(name))))


@pytest.mark.parametrize("name", VERSIONS)
def test_it_comes_back_from_its_bytes(name: str) -> None:
    built = python(name).build()
    assert raw.decode(raw.encode(built)) == built


def renumbered(value: Any, last: int) -> Any:
    """A definition, or a part of one, with the types of its typespace in the opposite order."""
    if isinstance(value, Ref):
        return Ref(last - value.index)
    if isinstance(value, Typespace):
        return Typespace(tuple(renumbered(value.types, last))[::-1])
    if isinstance(value, tuple):
        return tuple(renumbered(part, last) for part in value)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    parts = {field.name: renumbered(getattr(value, field.name), last) for field in dataclasses.fields(value)}
    for name in ("ty", "product_type_ref"):
        if isinstance(parts.get(name), int):
            parts[name] = last - parts[name]
    return type(value)(**parts)


def test_meaning_is_more_than_numbering() -> None:
    built = arena_v1.module.build()
    other = renumbered(built, len(built.typespace) - 1)
    assert other.typespace != built.typespace
    assert meaning(validate(other)) == meaning(validate(built))


def test_meaning_tells_modules_apart() -> None:
    one, two, three = (meaning(python(name).validate()) for name in VERSIONS)
    assert one != two
    assert one != three
    assert two != three


def test_is_event_is_the_last_byte_of_a_table() -> None:
    codec = Codec(v10.RawTableDefV10)
    events = {table.source_name: codec.encode(table)[-1] for table in python("arena_v1").build().tables}
    assert events == {"audit_event": 1, "damage_event": 1, "fighter": 0, "ledger": 0, "respawn_timer": 0}
    dropped = {table.source_name: codec.encode(table)[-1] for table in python("arena_v3").build().tables}
    assert dropped == {**events, "damage_event": 0}


def test_rows_are_records() -> None:
    event = arena_v1.DamageEvent(7, 5, arena_v1.Area(arena_v1.Vec2(0.5, 1.0)), Timestamp(3))
    assert event == arena_v1.DamageEvent(target=7, amount=5, kind=event.kind, at=Timestamp(3))
    for engine in available():
        codec = Codec(arena_v1.DamageEvent, engine=engine)
        assert codec.decode(codec.encode(event)) == event
    definition = arena_v1.module.build()
    table = next(one for one in definition.tables if one.source_name == "damage_event")
    plain = Codec[object](definition.typespace[table.product_type_ref], definition.typespace)
    assert plain.decode(Codec(arena_v1.DamageEvent).encode(event)) == (7, 5, (2, (0.5, 1.0)), 3)
