"""What may be wrong with a definition: a table of edits, each of one place in a definition that was valid.

A fault says which parts of a definition it applies to, and what it makes of one of them. Nothing here knows the layout of
any version: places are found by walking the records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from hypothesis import strategies as st

from bsatn import strategies
from bsatn import types as t
from defs.raw import RawModuleDef, v8, v9, v10
from defs.raw.shared import BTree, Direct, Hash, RawUniqueConstraintDataV9

__all__ = ["FAULTS", "Fault", "break_once"]

Place: TypeAlias = tuple[str | int, ...]

_BAD_NAMES = ("", "9lives", "a b", "a.b", "A\u030a", "\u200bx", "🍌", "st_mine", "select", "x" * 64, "_", "é", "Ok", "some")
_ROWS = (v10.RawTableDefV10, v9.RawTableDefV9)
_SEQUENCES = (v10.RawSequenceDefV10, v9.RawSequenceDefV9)
_FUNCTIONS = (v10.RawReducerDefV10, v10.RawProcedureDefV10, v10.RawViewDefV10, v9.RawProcedureDefV9, v9.RawViewDefV9)


@dataclass(frozen=True, slots=True)
class Fault:
    """`applies` to a part, its place, and then `edit` makes another of it; `edit` also gets every part there is."""

    name: str
    applies: Callable[[Any, Place], bool]
    edit: Callable[[st.DrawFn, Any, list[tuple[Place, Any]]], Any]


def _of(*kinds: type[Any]) -> Callable[[Any, Place], bool]:
    return lambda part, place: isinstance(part, kinds)


def _drawn(strategy: st.SearchStrategy[Any]) -> Callable[[st.DrawFn, Any, Any], Any]:
    return lambda draw, part, parts: draw(strategy)


def _set(**fields: st.SearchStrategy[Any]) -> Callable[[st.DrawFn, Any, Any], Any]:
    """Give one field of a record another value."""

    def edit(draw: st.DrawFn, part: Any, parts: Any) -> Any:
        name = draw(st.sampled_from(sorted(fields)))
        return dataclasses.replace(part, **{name: draw(fields[name])})

    return edit


def _is_type(part: Any, place: Place) -> bool:
    return isinstance(part, t.AlgebraicType) and place[-1] != "params"


def _many(part: Any, place: Place) -> bool:
    return isinstance(part, tuple) and bool(part)


def _drop(draw: st.DrawFn, part: tuple[Any, ...], parts: Any) -> tuple[Any, ...]:
    at = draw(st.integers(0, len(part) - 1))
    return part[:at] + part[at + 1 :]


def _repeat(draw: st.DrawFn, part: tuple[Any, ...], parts: Any) -> tuple[Any, ...]:
    return (*part, draw(st.sampled_from(part)))


def _another_name(draw: st.DrawFn, part: str, parts: list[tuple[Place, Any]]) -> str:
    return draw(st.sampled_from([other for _, other in parts if isinstance(other, str)]))


def _other_member(draw: st.DrawFn, part: Enum, parts: Any) -> Any:
    return draw(st.sampled_from(list(type(part))))


def _damaged(draw: st.DrawFn, part: bytes, parts: Any) -> bytes:
    return part[: draw(st.integers(0, len(part)))] + draw(st.binary(max_size=2))


_refs = st.integers(0, 12) | st.sampled_from([(1 << 32) - 1])
_cols = st.integers(0, 6) | st.sampled_from([(1 << 16) - 1])
_col_lists = st.lists(_cols, max_size=3).map(tuple)
_kinds = strategies.algebraic_types(8, 4)
_numbers = st.none() | st.sampled_from([0, 1, -1, (1 << 127) - 1, -(1 << 127)])

FAULTS = (
    Fault("bad_identifier", _of(str), _drawn(st.sampled_from(_BAD_NAMES))),
    Fault("duplicate_name", _of(str), _another_name),
    Fault("unnamed_part", _of(t.ProductTypeElement, t.SumTypeVariant), _set(name=st.none())),
    Fault("unnamed_index", _of(v10.RawIndexDefV10), _set(source_name=st.none(), accessor_name=st.none())),
    Fault("flag_turned", _of(bool), lambda draw, part, parts: not part),
    Fault("item_dropped", _many, _drop),
    Fault("item_repeated", _many, _repeat),
    Fault("items_moved", _many, lambda draw, part, parts: tuple(draw(st.permutations(part)))),
    Fault("constraint_dropped", lambda part, place: _many(part, place) and place[-1:] == ("constraints",), _drop),
    Fault("index_dropped", lambda part, place: _many(part, place) and place[-1:] == ("indexes",), _drop),
    Fault("wrong_ref", _of(t.Ref), _drawn(_refs.map(t.Ref))),
    Fault("wrong_row_type", _of(*_ROWS), _set(product_type_ref=_refs)),
    Fault("wrong_row_type_v8", _of(v8.TableDesc), _set(data=_refs)),
    Fault("wrong_named_entry", _of(v10.RawTypeDefV10, v9.RawTypeDefV9, v8.TypeAlias8), _set(ty=_refs)),
    Fault("wrong_order", _of(v10.RawTypeDefV10, v9.RawTypeDefV9), _set(custom_ordering=st.just(False))),
    Fault("wrong_type", _is_type, _drawn(_kinds)),
    Fault("wrong_primary_key", _of(*_ROWS), _set(primary_key=_col_lists)),
    Fault("column_out_of_range", _of(BTree, Hash, RawUniqueConstraintDataV9, v8.RawIndexDefV8), _set(columns=_col_lists)),
    Fault("wrong_direct_column", _of(BTree, Hash, Direct), _drawn(_cols.map(Direct))),
    Fault("wrong_sequence", _of(*_SEQUENCES), _set(column=_cols, start=_numbers, min_value=_numbers, max_value=_numbers)),
    Fault("wrong_increment", _of(*_SEQUENCES, v8.RawSequenceDefV8), _set(increment=st.sampled_from([0, -1, 1 << 100]))),
    Fault("wrong_sequence_v8", _of(v8.RawSequenceDefV8), _set(col_pos=_cols, start=_numbers)),
    Fault(
        "wrong_constraint_v8",
        _of(v8.RawConstraintDefV8),
        _set(columns=_col_lists, constraints=st.sampled_from([v8.Constraints(bits) for bits in range(16)])),
    ),
    Fault("unique_index_v8", _of(v8.RawIndexDefV8), _set(is_unique=st.just(True), index_type=st.sampled_from(v8.IndexType))),
    Fault("wrong_default", _of(v10.RawColumnDefaultValueV10, v9.RawColumnDefaultValueV9), _set(col_id=_cols)),
    Fault("wrong_default_bytes", _of(bytes), _damaged),
    Fault("wrong_schedule", _of(v10.RawScheduleDefV10), _set(schedule_at_col=_cols)),
    Fault("wrong_schedule_v9", _of(v9.RawScheduleDefV9), _set(scheduled_at_column=_cols)),
    Fault("wrong_outbox", _of(v10.RawOutboxDefV10), _set(target_column=_cols, arg_columns=_col_lists)),
    Fault("event_table", _of(v10.RawTableDefV10), _set(is_event=st.just(True))),
    Fault("wrong_return_type", _of(*_FUNCTIONS[1:]), _set(return_type=_kinds)),
    Fault("wrong_reducer_return", _of(v10.RawReducerDefV10), _set(ok_return_type=_kinds, err_return_type=_kinds)),
    Fault(
        "wrong_params",
        _of(*_FUNCTIONS, v9.RawReducerDefV9),
        _set(params=st.lists(st.builds(t.ProductTypeElement, st.none() | strategies.names, _kinds), max_size=2).map(
            lambda parts: t.ProductType(tuple(parts)))),
    ),
    Fault("other_choice", _of(Enum), _other_member),
)  # fmt: skip


def parts_of(definition: RawModuleDef) -> Iterator[tuple[Place, Any]]:
    """Every part of a definition with its place, the parts of types too."""
    todo: list[tuple[Place, Any]] = [((), definition)]
    while todo:
        place, part = todo.pop()
        if place:
            yield place, part
        if dataclasses.is_dataclass(part) and not isinstance(part, t.Primitive):
            todo += [((*place, field.name), getattr(part, field.name)) for field in dataclasses.fields(part)]
        elif isinstance(part, tuple):
            todo += [((*place, at), item) for at, item in enumerate(part)]


def replaced(whole: Any, place: Place, part: Any) -> Any:
    """The whole with another part in a place."""
    if not place:
        return part
    step, rest = place[0], place[1:]
    if isinstance(step, int):
        return (*whole[:step], replaced(whole[step], rest, part), *whole[step + 1 :])
    return dataclasses.replace(whole, **{step: replaced(getattr(whole, step), rest, part)})


def break_once(draw: st.DrawFn, definition: RawModuleDef) -> RawModuleDef:
    """The definition with one fault; unchanged if it has no part that any fault applies to."""
    parts = list(parts_of(definition))
    fitting = [(fault, places) for fault in FAULTS if (places := [one for one in parts if fault.applies(one[1], one[0])])]
    if not fitting:
        return definition
    fault, places = draw(st.sampled_from(fitting))
    place, part = draw(st.sampled_from(places))
    broken: RawModuleDef = replaced(definition, place, fault.edit(draw, part, parts))
    return broken
