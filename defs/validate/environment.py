"""The environment variables a module declares. (spec: validation 2.14)"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bsatn.paths import Path
from defs.raw.v10 import EnvStringLiteral, EnvUnion, RawEnvironmentDeclarationV10, RawEnvVarTypeV10
from defs.schema.lookup import Lookup
from defs.schema.model import EnvironmentDeclaration
from defs.validate import reasons
from defs.validate.collect import Faults
from defs.validate.errors import Environment

__all__ = ["validate"]

MAX_DECLARATIONS, MAX_UNION, MAX_NAME, MAX_LITERAL, MAX_TOTAL = 256, 256, 256, 8192, 2 << 20
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def validate(raws: Sequence[RawEnvironmentDeclarationV10] | None, path: Path) -> Lookup[str, EnvironmentDeclaration] | None:
    """The declarations by name; the first fault is the only one told, and a repeated name after the others."""
    if raws is None:
        return None
    if len(raws) > MAX_DECLARATIONS:
        raise Faults(Environment(reasons.TooManyDeclarations(), path=tuple(path)))
    total = 0
    for place, raw in enumerate(raws):
        here = (*path, place)
        if not _NAME.fullmatch(raw.name) or len(raw.name) > MAX_NAME:
            raise Faults(Environment(reasons.InvalidName(), path=here))
        total += len(raw.name)
        for reason, size in _costs(raw, total):
            total = size
            if reason is not None:
                raise Faults(Environment(reason, path=here))
    found: dict[str, EnvironmentDeclaration] = {}
    for place, raw in enumerate(raws):
        if raw.name in found:
            raise Faults(Environment(reasons.DuplicateDeclaration(raw.name), path=(*path, place)))
        found[raw.name] = EnvironmentDeclaration(raw.name, _sorted(raw.ty), raw.optional)
    return Lookup(sorted(found.items()))


def _costs(raw: RawEnvironmentDeclarationV10, total: int) -> Iterator[tuple[reasons.EnvironmentReason | None, int]]:
    """The running total of bytes after each part, with what is wrong with it."""
    yield (reasons.SchemaTooLarge(raw.name) if total > MAX_TOTAL else None), total
    values: tuple[str, ...] = ()
    if isinstance(raw.ty, EnvStringLiteral):
        values = (raw.ty.value,)
    elif isinstance(raw.ty, EnvUnion):
        values = raw.ty.values
        if not values:
            yield reasons.EmptyUnion(raw.name), total
        if len(values) > MAX_UNION:
            yield reasons.TooManyUnionEntries(raw.name), total
    for value in values:
        size = len(value.encode())
        if size > MAX_LITERAL:
            yield reasons.LiteralTooLarge(raw.name), total
        total += size
        yield (reasons.SchemaTooLarge(raw.name) if total > MAX_TOTAL else None), total


def _sorted(kind: RawEnvVarTypeV10) -> RawEnvVarTypeV10:
    return EnvUnion(tuple(sorted(set(kind.values), key=str.encode))) if isinstance(kind, EnvUnion) else kind
