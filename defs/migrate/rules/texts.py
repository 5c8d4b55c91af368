"""Types and lists as messages show them: names where there are any, and never long."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bsatn.types import (
    AlgebraicType,
    ArrayType,
    Primitive,
    ProductType,
    Ref,
    SumType,
    option_payload,
    result_payloads,
    special_name,
)
from defs.migrate.rules.wire import follow
from defs.schema.model import ModuleDef

__all__ = ["listed", "shortened", "type_text"]

MAX_TEXT: Final = 160  #: characters of a type
MAX_NAMES: Final = 5  #: in a list


def type_text(kind: AlgebraicType, module: ModuleDef) -> str:
    """A type with the names that the module gives its types: `(id: U64, kind: DamageKind)`."""
    pieces: list[str] = []
    size = 0
    todo: list[AlgebraicType | str] = [kind]
    while todo and size <= MAX_TEXT:
        part = todo.pop()
        if isinstance(part, str):
            pieces.append(part)
            size += len(part)
        else:
            todo.extend(reversed(_opened(part, module)))
    return shortened("".join(pieces) + "…" * bool(todo))


def _opened(kind: AlgebraicType, module: ModuleDef) -> list[AlgebraicType | str]:
    if isinstance(kind, Ref):
        name = module.type_names.get(kind.index)
        if name is not None:
            return [str(name)]
        end = follow(kind, module.typespace)
        return [f"&{end.index}" if isinstance(end, Ref) else end]
    if isinstance(kind, Primitive):
        return [kind.name]
    if (special := special_name(kind)) is not None:
        return [special]
    if isinstance(kind, ArrayType):
        return ["Array<", kind.element, ">"]
    if (payload := option_payload(kind)) is not None:
        return ["Option<", payload, ">"]
    if (payloads := result_payloads(kind)) is not None:
        return ["Result<", payloads[0], ", ", payloads[1], ">"]
    if isinstance(kind, ProductType):
        return ["(", *_members(((one.name, one.algebraic_type) for one in kind), ", "), ")"]
    assert isinstance(kind, SumType), kind
    return ["{", *_members(((one.name, one.algebraic_type) for one in kind), " | "), "}"]


def _members(parts: Iterable[tuple[str | None, AlgebraicType]], between: str) -> list[AlgebraicType | str]:
    found: list[AlgebraicType | str] = []
    for name, kind in parts:
        if found:
            found.append(between)
        if name is not None:
            found.append(name if kind == ProductType() else f"{name}: ")
        if name is None or kind != ProductType():
            found.append(kind)
    return found


def shortened(text: str) -> str:
    """The text, cut at `MAX_TEXT` characters."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and 3 more`."""
    found = list(names)
    if len(found) > MAX_NAMES:
        return f"{', '.join(found[:MAX_NAMES])} and {len(found) - MAX_NAMES} more"
    return " and ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else ""
