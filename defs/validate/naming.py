"""Which canonical name a source name gets: by case conversion, by an explicit entry, or verbatim. (spec: validation 2.2, 2.3)

V9 and V8 take every name verbatim; V10 converts by the module's policy, unless ExplicitNames says otherwise. References to
things go through the same look-ups as their declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any

from bsatn.frozen import frozen
from bsatn.paths import Path
from defs.raw.v10 import (
    CaseConversionPolicy,
    ExplicitNameEntry,
    FunctionName,
    IndexName,
    NamespaceName,
    RawModuleDefV10,
    TableName,
)
from defs.schema.model import ScopedTypeName
from defs.validate import reasons
from defs.validate.collect import Faults
from defs.validate.errors import IdentifierError
from defs.validate.names import camel, identifier_fault, pascal, snake
from defs.validate.rustlike import fields_of

__all__ = ["Names", "identifier", "identifier_reason", "names_of"]


def _verbatim(name: str) -> str:
    return name


def identifier_reason(name: str) -> reasons.IdentifierReason | None:
    """Why the name is no identifier, in the reference's words; None when it is one. (spec: validation 2.1)"""
    fault = identifier_fault(name)
    if fault is None:
        return None
    cls: type[Any] = getattr(reasons, fault.kind)
    values = {"name": fault.name, "invalid_start": fault.char, "invalid_continue": fault.char}
    reason: reasons.IdentifierReason = cls(**{part.attribute: values[part.attribute] for part in fields_of(cls)})
    return reason


def identifier(name: str, path: Path) -> str:
    """The name, if it is an identifier; raises Faults with an IdentifierError otherwise. (spec: validation 2.1)"""
    reason = identifier_reason(name)
    if reason is not None:
        raise Faults(IdentifierError(reason, path=tuple(path)))
    return name


@frozen
class Names:
    """The naming rules of one module: conversions by kind of thing, and explicit entries, which win."""

    member: Callable[[str], str] = _verbatim  #: columns, parameters, fields; functions and tables without an entry
    variant: Callable[[str], str] = _verbatim
    type_part: Callable[[str], str] = _verbatim
    tables: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    indexes: Mapping[str, str] = field(default_factory=dict)
    namespaces: Mapping[str, str] = field(default_factory=dict)

    def table(self, source: str, path: Path) -> str:
        """The canonical name of a table; raises Faults when it is no identifier."""
        return identifier(self._name(self.tables, source), path)

    def function(self, source: str, path: Path) -> str:
        """The canonical name of a reducer, procedure, view or handler; raises Faults when it is no identifier."""
        return identifier(self._name(self.functions, source), path)

    def namespace(self, source: str, path: Path) -> str:
        """The canonical name of a submodule's namespace; raises Faults when it is no identifier."""
        return identifier(self._name(self.namespaces, source), path)

    def type_name(self, scope: Iterable[str], name: str, path: Path) -> ScopedTypeName:
        """The canonical name of a type; raises Faults for the name and for the first bad scope segment."""
        converted = self.type_part(name)
        segments = tuple(self.type_part(segment) for segment in scope)
        bad = next(filter(None, map(identifier_reason, segments)), None)
        faults = [IdentifierError(reason, path=tuple(path)) for reason in (identifier_reason(converted), bad) if reason]
        if faults:
            raise Faults(*faults)
        return ScopedTypeName(segments, converted)

    def _name(self, explicit: Mapping[str, str], source: str) -> str:
        return explicit[source] if source in explicit else self.member(source)


_POLICIES: dict[CaseConversionPolicy, Names] = {
    CaseConversionPolicy.None_: Names(),
    CaseConversionPolicy.SnakeCase: Names(member=snake, variant=camel, type_part=pascal),
}


def names_of(definition: RawModuleDefV10) -> Names:
    """The naming rules that a V10 definition asks for; of several entries for one name the last wins."""
    policy = _POLICIES[definition.case_conversion_policy]

    def entries(kind: type[ExplicitNameEntry]) -> dict[str, str]:
        mappings = [entry.mapping for entry in definition.explicit_names if isinstance(entry, kind)]
        return {mapping.source_name: mapping.canonical_name for mapping in mappings}

    return Names(
        policy.member,
        policy.variant,
        policy.type_part,
        entries(TableName),
        entries(FunctionName),
        entries(IndexName),
        entries(NamespaceName),
    )
