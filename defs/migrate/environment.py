"""Environment variables that a new definition asks more of than the old one did. (spec: compat 6.3)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from defs.raw.v10 import EnvStringLiteral, EnvUnion, RawEnvVarTypeV10
from defs.schema.model import EnvironmentDeclaration, ModuleDef

__all__ = ["stricter"]


def stricter(old: ModuleDef, new: ModuleDef) -> Iterator[tuple[str, bool, str]]:
    """Each variable that has to have a value now, or one of fewer: (name, whether it was there before, what changed)."""
    before: Mapping[str, EnvironmentDeclaration] = old.environment or {}
    for name, after in (new.environment or {}).items():
        known = before.get(name)
        if not after.optional and (known is None or known.optional):
            yield name, known is not None, f"`{name}` is required now"
        elif known is not None and not _allows(known.ty, after.ty):
            yield name, True, f"`{name}` may not have every value any more that it could"


def _values(kind: RawEnvVarTypeV10) -> frozenset[str] | None:
    """The values that are allowed; None for any."""
    if isinstance(kind, EnvStringLiteral):
        return frozenset({kind.value})
    return frozenset(kind.values) if isinstance(kind, EnvUnion) else None


def _allows(old: RawEnvVarTypeV10, new: RawEnvVarTypeV10) -> bool:
    before, after = _values(old), _values(new)
    return after is None or (before is not None and before <= after)
