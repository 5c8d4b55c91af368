"""The normal form of a converted definition: what is unordered, sorted.

The reference keeps tables, types and much else in hash maps, so what it writes comes in another order each time. Two outputs
of a conversion say the same when their normal forms are equal, byte for byte. What was declared in an order keeps it. This is
for what a conversion wrote; of a definition with repeats, such as two types for one entry, order may mean something.
(spec: validation 5.1, 5.2, 5.3)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from bsatn.stack import on_enough_stack
from defs.raw import RawModuleDef, RawModuleDefV9, RawModuleDefV10, v9, v10

__all__ = ["normal"]

_D = TypeVar("_D", bound=RawModuleDef)
_T = TypeVar("_T")
Key = Callable[[Any], Any]


def normal(raw: _D) -> _D:
    """The definition with its unordered lists sorted by name; a V8 definition as it is, since it has none."""
    definition: Any = raw
    if isinstance(raw, RawModuleDefV9):
        return cast("_D", _v9(raw))
    return cast("_D", on_enough_stack(lambda: _v10(definition))) if isinstance(raw, RawModuleDefV10) else raw


def _name(one: Any) -> str:
    """The name of a part, whichever version it is of; parts without one come first."""
    name: str | None = one.source_name if hasattr(one, "source_name") else one.name
    return name or ""


def _scoped(one: v10.RawTypeDefV10) -> tuple[tuple[str, ...], str]:
    return one.source_name.scope, one.source_name.source_name


def _by(key: Key, items: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(sorted(items, key=key))


def _among_themselves(items: Sequence[Any], kind: type[Any], key: Key) -> tuple[Any, ...]:
    """The items with those of a kind sorted, on the places where such stand; the others stay where they are."""
    ordered = iter(sorted((one for one in items if isinstance(one, kind)), key=key))
    return tuple(next(ordered) if isinstance(one, kind) else one for one in items)


def _table(table: Any) -> Any:
    parts = {part: _by(_name, getattr(table, part)) for part in ("indexes", "constraints", "sequences")}
    return replace(table, **parts)


def _v9(raw: RawModuleDefV9) -> RawModuleDefV9:
    return replace(
        raw,
        tables=_by(_name, map(_table, raw.tables)),
        types=_by(lambda one: (one.name.scope, one.name.name), raw.types),
        misc_exports=_among_themselves(
            raw.misc_exports, v9.RawColumnDefaultValueV9, lambda one: (one.table, one.col_id, one.value)
        ),
        row_level_security=_by(lambda one: one.sql, raw.row_level_security),
    )


def _explicit_names(names: v10.ExplicitNames) -> v10.ExplicitNames:
    return v10.ExplicitNames(_among_themselves(names.entries, v10.TableName, lambda one: one.mapping.source_name))


def _submodule(one: v10.RawSubmoduleV10) -> v10.RawSubmoduleV10:
    return replace(one, module=_v10(one.module))


#: Sections with something unordered in them, and how their content is put in order.
_SECTIONS: dict[type[Any], Callable[[Any], Any]] = {
    v10.TypesSection: lambda types: _by(_scoped, types),
    v10.TablesSection: lambda tables: _by(_name, map(_table, tables)),
    v10.SchedulesSection: lambda schedules: _by(lambda one: (one.table_name, one.source_name or ""), schedules),
    v10.OutboxesSection: lambda outboxes: _by(lambda one: one.table_name, outboxes),
    v10.RowLevelSecuritySection: lambda rules: _by(lambda one: one.sql, rules),
    v10.SubmodulesSection: lambda mounted: tuple(map(_submodule, mounted)),
    v10.ExplicitNamesSection: _explicit_names,
}


def _section(section: Any) -> Any:
    order = _SECTIONS.get(type(section))
    if order is None:
        return section
    (field,) = section.__dataclass_fields__
    return replace(section, **{field: order(getattr(section, field))})


def _v10(raw: RawModuleDefV10) -> RawModuleDefV10:
    return RawModuleDefV10(tuple(map(_section, raw.sections)))
