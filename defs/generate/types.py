"""Definitions and uses of a module's types as Python: records, enums, sums of cases, and what annotations say of them.

Options of options and results have no name in the module and no annotation of their own; each becomes a sum of two cases, once.
(spec: validation 7)
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from defs.generate.lines import WIDTH, text_literal
from defs.generate.names import Names, is_plain, pascal
from defs.query import kinds
from defs.query.literals import PYTHON
from defs.schema.generate import (
    LEAVES,
    ArrayUse,
    Definition,
    LeafUse,
    OptionUse,
    PlainEnumTypeDef,
    ProductTypeDef,
    RefUse,
    ResultUse,
    SumTypeDef,
    Use,
)

__all__ = ["Scope", "Writer", "has_literals"]

_BUILT_IN = {"Bool": "bool", "String": "str", "Bytes": "bytes"}
_BYTES = ArrayUse(LEAVES["U8"])
_LONGEST = 48  #: characters of a name made of a type's text
_ENUM_MEMBER = re.compile(r"[^\W_]\w*(?<!_)")  # what an enum takes as a member and the codec reads back as it stands
_NOT_MEMBERS = frozenset({"mro", "name", "value"})


@dataclass(slots=True)
class Writer:
    """The generated text in the making: names of the file, what is imported, the lines of its parts."""

    names: Names = field(default_factory=Names)
    imports: dict[str, set[str]] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
    type_names: set[str] = field(default_factory=set)  #: that annotations use, so that no attribute may hide them

    def need(self, module: str, name: str) -> str:
        """A name that is to be imported; returned as it is."""
        self.imports.setdefault(module, set()).add(name)
        return name

    def type_name(self, wanted: str) -> str:
        """A new name for a class or sum."""
        name = self.names.give(wanted, "Type")
        self.type_names.add(name)
        return name

    def attributes(self, reserved: Sequence[str] = ()) -> Names:
        """The names within a class."""
        return Names((*self.type_names, *reserved))


@dataclass(slots=True)
class Scope:
    """The types of one module: `given` are the names of its definitions."""

    writer: Writer
    given: dict[int, str]
    prefix: tuple[str, ...] = ()
    _made: dict[tuple[str, Use], str] = field(default_factory=dict)

    # Uses

    def annotation(self, use: Use) -> str:
        """The type of a field, for Python and for the codec."""
        writer = self.writer
        match use:
            case LeafUse(name):
                return _BUILT_IN.get(name) or writer.need("bsatn", name)
            case RefUse(ref):
                return self.given[ref]
            case ArrayUse(element):
                return "bytes" if use == _BYTES else f"list[{self.annotation(element)}]"
            case OptionUse(OptionUse() as inner):
                return self._unnamed("Option", use, [("some", inner), ("none", LEAVES["Unit"])])
            case OptionUse(payload):
                return f"{self.annotation(payload)} | None"
            case ResultUse(ok, err):
                return self._unnamed("Result", use, [("ok", ok), ("err", err)])

    def kind(self, use: Use) -> str:
        """The kind of a column, as a type argument."""
        if isinstance(use, RefUse):
            return self.given[use.ref]
        self.writer.need("defs.query", "kinds")
        match use:
            case LeafUse(name):
                return f"kinds.{name}"
            case ArrayUse(element):
                return "kinds.Bytes" if use == _BYTES else f"kinds.Array[{self.kind(element)}]"
            case OptionUse(payload):
                return f"kinds.Option[{self.kind(payload)}]"
            case ResultUse(ok, err):
                return f"kinds.Result[{self.kind(ok)}, {self.kind(err)}]"

    def literals(self, use: Use) -> str:
        """The Python type of a column's literals, as a type argument; Never where there are none."""
        python = PYTHON.get(_literal_kind(use))
        if python is None:
            return self.writer.need("typing", "Never")
        return self.writer.need("bsatn", python.__name__) if python.__module__ == "bsatn.values" else python.__name__

    def _unnamed(self, what: str, use: Use, variants: list[tuple[str, Use]]) -> str:
        key = (what, use)
        if key not in self._made:
            wanted = pascal(*self.prefix, *re.findall(r"\w+", self._described(use)))
            wanted = wanted if len(wanted) <= _LONGEST else pascal(*self.prefix, what)
            self._made[key] = self.writer.type_name(wanted)
            self._sum(self._made[key], variants)
        return self._made[key]

    def _described(self, use: Use) -> str:
        return re.sub(r"&(\d+)", lambda ref: self.given[int(ref[1])], repr(use))

    # Definitions

    def define(self, ref: int, definition: Definition) -> None:
        """Write a definition, under its name."""
        name = self.given[ref]
        match definition:
            case ProductTypeDef(elements):
                self.record(name, elements)
            case PlainEnumTypeDef(variants) if _is_enum(variants):
                self.writer.imports.setdefault("enum", set())
                body = [f"    {one}{'_' * keyword.iskeyword(one)} = {tag}" for tag, one in enumerate(variants)]
                self.writer.classes += ["", "", f"class {name}(enum.Enum):", *(body or ["    pass"])]
            case PlainEnumTypeDef(variants):
                self._sum(name, [(one, LEAVES["Unit"]) for one in variants])
            case SumTypeDef(variants):
                self._sum(name, variants)

    def record(
        self,
        name: str,
        elements: Sequence[tuple[str, Use]],
        *,
        base: str = "",
        head: Sequence[str] = (),
        reserved: Sequence[str] = (),
    ) -> list[str]:
        """Write a product, with a base among the calls; the attributes of its fields."""
        annotations = [self.annotation(use) for _, use in elements]  # before attributes, which must not hide them
        attributes = self.writer.attributes(reserved)
        given = [attributes.give(wire, "field") for wire, _ in elements]
        body = [self._field(*one) for one in zip(given, annotations, (wire for wire, _ in elements), strict=True)]
        self.writer.need("bsatn", "record")
        top = ["", "", "@record", f"class {name}{base and f'({base})'}:", *head]
        lines = self.writer.calls if base else self.writer.classes
        lines += [*top, *([""] if head and body else []), *(body or ([] if head else ["    pass"]))]
        return given

    def _field(self, attribute: str, annotation: str, wire: str) -> str:
        line = f"    {attribute}: {annotation}"
        if attribute == wire:
            return line
        self.writer.need("bsatn", "field")
        return f"{line} = field(name={text_literal(wire)})"

    def _sum(self, name: str, variants: Sequence[tuple[str, Use]]) -> None:
        """A class for each variant, and the sum of them."""
        writer = self.writer
        if not variants:
            writer.imports.setdefault("enum", set())
            writer.classes += ["", "", f"class {name}(enum.Enum):", "    pass"]
            return
        members = []
        for wire, use in variants:
            members.append(writer.type_name(f"{name}{wire[:1].upper()}{wire[1:]}"))
            payload = "    pass" if use == LEAVES["Unit"] else f"    value: {self.annotation(use)}"
            shown = text_literal(wire)
            writer.classes += ["", "", f"@{writer.need('bsatn', 'case')}(name={shown})", f"class {members[-1]}:", payload]
        writer.need("typing", "Annotated")
        writer.need("typing", "TypeAlias")
        mark = f"{writer.need('bsatn', 'variants')}({text_literal(name)})"
        writer.sums += [f"{name}: TypeAlias = Annotated[", *_union(members), f"    {mark},", "]"]


def _union(members: Sequence[str]) -> list[str]:
    line = f"    {' | '.join(members)},"
    if len(line) <= WIDTH:
        return [line]
    return [f"    {'| ' if place else ''}{one}{',' if place == len(members) - 1 else ''}" for place, one in enumerate(members)]


def _is_enum(variants: Sequence[str]) -> bool:
    """Whether an enum's members can have the variants' names, which the codec reads without underscores at the end."""
    return all(_ENUM_MEMBER.fullmatch(one) and is_plain(one) and one not in _NOT_MEMBERS for one in variants)


def has_literals(use: Use) -> bool:
    """Whether SQL has literals of the type."""
    return _literal_kind(use) in PYTHON


def _literal_kind(use: Use) -> Any:
    if isinstance(use, LeafUse):
        return getattr(kinds, use.name)
    return kinds.Bytes if use == _BYTES else None
