"""What is worth a warning in a definition: what the reference warns of, and more that one may ask for by name.

The reference has one warning: HTTP routes of a submodule, which the server ignores. It is always given, for valid definitions.
Ours are rows of `WARNINGS`: why it matters, and a function that finds it in the raw definition. They judge each module level on
its own, stay silent when unsure, and never raise, valid definition or not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from bsatn.types import (
    AlgebraicType,
    ArrayType,
    ProductType,
    ProductTypeElement,
    Ref,
    SumType,
    option_payload,
    result_payloads,
    special_name,
)
from defs.raw import RawModuleDef, RawModuleDefV8, RawModuleDefV9, RawModuleDefV10, v9
from defs.raw.v10 import CaseConversionPolicy
from defs.schema.model import ModuleDef
from defs.validate.names import camel, pascal, snake

__all__ = ["ROUTES_IN_SUBMODULE", "WARNINGS", "Check", "ModuleWarning", "upstream_warnings", "warnings_of"]

ROUTES_IN_SUBMODULE = "http-routes-in-submodule"  #: the reference's own warning
MAX_WARNINGS = 10_000  #: of one definition; hostile ones could have more than anybody's memory
_SHOWN = 200  #: characters of a name that a message repeats

Path: TypeAlias = tuple[str | int, ...]
Convert: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ModuleWarning:
    """One thing to look at; the definition may be valid all the same."""

    name: str  #: which warning
    message: str
    path: Path  #: where in the raw definition


class Check(NamedTuple):
    """A warning one may ask for: why, in a line, and what finds it."""

    why: str
    find: Callable[[RawModuleDef], Iterable[tuple[Path, str]]]


def warnings_of(raw: RawModuleDef, module: ModuleDef | None, names: Collection[str] = ()) -> list[ModuleWarning]:
    """The reference's warnings, when there is a valid `module`, then those of `names`, which are keys of `WARNINGS`."""
    routes = () if module is None else islice(_routes(module, ()), MAX_WARNINGS)
    found = [ModuleWarning(ROUTES_IN_SUBMODULE, text, path) for path, text in routes]
    for name in WARNINGS:
        if name in names:
            found += [ModuleWarning(name, text, path) for path, text in islice(WARNINGS[name].find(raw), MAX_WARNINGS)]
    return found[:MAX_WARNINGS]


def upstream_warnings(module: ModuleDef) -> list[str]:
    """The texts of the reference's warnings."""
    return [text for _, text in _routes(module, ())]


def _routes(module: ModuleDef, path: Path) -> Iterator[tuple[Path, str]]:
    """Depth first, each under the name that the source gives it. (spec: validation 1.1)"""
    for place, mounted in enumerate(module.submodules.values()):
        here = (*path, "submodules", place, "module")
        if mounted.http_routes:
            name = ".".join(mounted.accessor_path)
            text = f"HTTP routes declared in submodule '{name}' are ignored. Define HTTP routes in the root module instead."
            yield (*here, "http_routes"), text
        yield from _routes(mounted, here)


# Levels and names -------------------------------------------------------------------------------------------


def _levels(raw: RawModuleDef) -> Iterator[tuple[Path, RawModuleDef]]:
    """The definition and the submodules in it, with their paths."""
    todo: list[tuple[Path, RawModuleDef]] = [((), raw)]
    while todo:
        path, level = todo.pop()
        yield path, level
        if isinstance(level, RawModuleDefV10):
            mounted = [((*path, "submodules", place, "module"), one.module) for place, one in enumerate(level.submodules)]
            todo += reversed(mounted)


class _Named(NamedTuple):
    """Names that must stay apart: of what kind, whose, where each one stands, and how they are converted."""

    noun: str
    owner: str
    names: list[tuple[Path, str]]
    convert: Convert


def _name(thing: Any) -> str:
    name: str = thing.source_name if hasattr(thing, "source_name") else thing.name
    return name


def _functions(level: RawModuleDef) -> Iterator[tuple[Path, str, Any]]:
    """Functions that have parameters: path, noun, declaration."""
    parts = {"reducers": "reducer"}
    if isinstance(level, RawModuleDefV10):
        parts |= {"procedures": "procedure", "views": "view"}
    for part, noun in parts.items():
        for place, one in enumerate(getattr(level, part)):
            yield (part, place), noun, one
    if isinstance(level, RawModuleDefV9):
        nouns: dict[type, str] = {v9.RawProcedureDefV9: "procedure", v9.RawViewDefV9: "view"}
        for place, export in enumerate(level.misc_exports):
            if type(export) in nouns:
                yield ("misc_exports", place), nouns[type(export)], export


def _members(level: RawModuleDef, path: Path) -> Iterator[_Named]:
    """Columns of tables, parameters of functions, fields and variants of all other types of the typespace."""
    if isinstance(level, RawModuleDefV8):
        return
    for function_path, noun, function in _functions(level):
        here, elements = (*path, *function_path, "params"), function.params.elements
        names = [((*here, at), one.name) for at, one in enumerate(elements) if one.name]
        yield _Named("parameters", f"{noun} {_short(_name(function))}", names, snake)
    declared: Sequence[Any] = level.tables
    tables = {table.product_type_ref: _name(table) for table in reversed(declared)}
    types: dict[int, str] = {}
    for named in level.types:
        types.setdefault(named.ty, _name(named.name if isinstance(named, v9.RawTypeDefV9) else named.source_name))
    for ref, kind in enumerate(level.typespace.types):
        here = (*path, "typespace", ref)
        if ref in tables and isinstance(kind, ProductType):
            columns = [((*here, at), one.name) for at, one in enumerate(kind.elements) if one.name]
            yield _Named("columns", f"table {_short(tables[ref])}", columns, snake)
            inner = [((*here, at), one.algebraic_type) for at, one in enumerate(kind.elements)]
            owner = f"table {_short(tables[ref])}"
        else:
            inner, owner = [(here, kind)], f"type {_short(types[ref])}" if ref in types else f"type &{ref}"
        for place, part in inner:
            yield from _parts(part, place, owner)


def _parts(kind: AlgebraicType, path: Path, owner: str) -> Iterator[_Named]:
    """Fields and variants in a type, at any depth, where names are converted. (spec: validation 2.2)"""
    todo = [(path, kind)]
    while todo:
        here, one = todo.pop()
        if isinstance(one, ArrayType):
            todo.append((here, one.element))
        elif isinstance(one, ProductType) and not special_name(one):
            yield _Named("fields", owner, [((*here, at), e.name) for at, e in enumerate(one.elements) if e.name], snake)
            todo += reversed([((*here, at), e.algebraic_type) for at, e in enumerate(one.elements)])
        elif isinstance(one, SumType) and not (special_name(one) or option_payload(one) or result_payloads(one)):
            yield _Named("variants", owner, [((*here, at), v.name) for at, v in enumerate(one.variants) if v.name], camel)
            todo += reversed([((*here, at), v.algebraic_type) for at, v in enumerate(one.variants)])


def _short(name: str) -> str:
    """A name in backquotes, no longer than one cares to read."""
    return f"`{name if len(name) <= _SHOWN else name[: _SHOWN - 1] + '…'}`"


# Ours -------------------------------------------------------------------------------------------------------


def _names_meet(raw: RawModuleDef) -> Iterator[tuple[Path, str]]:
    for path, level in _levels(raw):
        converts = isinstance(level, RawModuleDefV10) and level.case_conversion_policy is CaseConversionPolicy.SnakeCase
        become = "both become" if converts else "would both become, under the default naming policy,"
        for named in _members(level, path):
            first: dict[str, str] = {}
            for place, name in named.names:
                converted = named.convert(name)
                other = first.setdefault(converted, name)
                if other != name:
                    both = f"{named.noun} {_short(other)} and {_short(name)} of {named.owner}"
                    yield place, f"{both} {become} {_short(converted)}"


def _v9_names_change(raw: RawModuleDef) -> Iterator[tuple[Path, str]]:
    if not isinstance(raw, RawModuleDefV9):
        return
    declared: list[tuple[Path, str, str, Convert]] = [
        (("tables", place), "table", table.name, snake) for place, table in enumerate(raw.tables)
    ]
    declared += [(path, noun, _name(one), snake) for path, noun, one in _functions(raw)]
    for place, named in enumerate(raw.types):
        declared += [(("types", place), "type", part, pascal) for part in (*named.name.scope, named.name.name)]
    for path, noun, name, convert in declared:
        if convert(name) != name:
            yield path, f"{noun} {_short(name)} would become {_short(convert(name))} in a version 10 module"
    for members in _members(raw, ()):
        for path, name in members.names:
            if members.convert(name) != name:
                what = f"{members.noun[:-1]} {_short(name)} of {members.owner}"
                yield path, f"{what} would become {_short(members.convert(name))} in a version 10 module"


def _duplicate_sections(raw: RawModuleDef) -> Iterator[tuple[Path, str]]:
    for path, level in _levels(raw):
        if not isinstance(level, RawModuleDefV10):
            continue
        first: dict[type, int] = {}
        for place, section in enumerate(level.sections):
            kind = type(section)
            if first.setdefault(kind, place) != place:
                name = kind.__name__.removesuffix("Section")
                yield (*path, "sections", place), f"a section {name} stands at {first[kind]} already: this one is ignored"


#: What SQL text is made of; anything not in here makes a rule unclear.
_SQL = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*(?:.*?\*/|.*))  # what is left open goes on to the end, which keeps the time linear
    |(?P<string>'(?:[^']|'')*+(?:'|$))
    |(?P<name>"[^"]+"|[^\W\d]\w*)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_JOINS = ("join", "inner", "left", "right", "full", "outer", "cross", "natural")
_AFTER_TABLE = frozenset((*_JOINS, "on", "using", "where", "order", "group", "having", "limit", "union", "as", "from"))
_MAX_SQL = 1 << 16  #: characters of a rule that are worth scanning


def _tables_named(sql: str) -> set[str] | None:
    """The names after FROM and JOIN, without what qualifies them, in lower case; None when it is not clear which."""
    words: list[str] = []
    for token in _SQL.finditer(sql):
        if token.lastgroup == "name":
            words.append(token[0])
        elif token.lastgroup != "skip":
            words.append(token[0] if token.lastgroup == "other" else "''")
    found: set[str] = set()
    for place, word in enumerate(words):
        if word.lower() not in ("from", "join"):
            continue
        end = place + 1
        while end + 2 < len(words) and _is_name(words[end]) and words[end + 1] == ".":
            end += 2
        if end >= len(words) or not _is_name(words[end]) or words[end].lower() in (*_AFTER_TABLE, "select", "lateral", "only"):
            return None
        after = [word for word in words[end + 1 : end + 4] if word.lower() != "as"]
        alias = bool(after) and _is_name(after[0]) and after[0].lower() not in _AFTER_TABLE
        if after[alias : alias + 1] in ([","], ["("]):
            return None  # a list of tables, or a function
        found.add(words[end].strip('"').lower())
    return found


def _is_name(word: str) -> bool:
    return word.startswith('"') or word[0].isalpha() or word[0] == "_"


def _rls_without_table(raw: RawModuleDef) -> Iterator[tuple[Path, str]]:
    if isinstance(raw, RawModuleDefV8):
        return
    known: set[str] = set()
    rules: list[tuple[Path, str]] = []
    for path, level in _levels(raw):
        assert not isinstance(level, RawModuleDefV8)
        known |= {_name(table) for table in level.tables}
        known |= {_name(function) for _, noun, function in _functions(level) if noun == "view"}
        if isinstance(level, RawModuleDefV10):
            known |= {entry.mapping.canonical_name for entry in level.explicit_names}
        rules += [((*path, "row_level_security", place), rule.sql) for place, rule in enumerate(level.row_level_security)]
    spelled = {spelling.lower() for name in known for spelling in (name, snake(name))}
    for path, sql in rules:
        tables = _tables_named(sql) if len(sql) <= _MAX_SQL else None
        if tables and not any(name in spelled or snake(name) in spelled or name.startswith("st_") for name in tables):
            names = ", ".join(_short(name) for name in islice(sorted(tables), 3))
            yield path, f"row-level security reads {names}, and the module has no such table"


def _views_of_events(raw: RawModuleDef) -> Iterator[tuple[Path, str]]:
    """Nothing forbids it, and it does not work: the transaction sees its own events only. (spec: event-tables 1.8)"""
    for path, level in _levels(raw):
        if not isinstance(level, RawModuleDefV10):
            continue
        kept = {table.product_type_ref for table in level.tables if not table.is_event}
        events = {table.product_type_ref: table.source_name for table in level.tables if table.is_event}
        for place, view in enumerate(level.views):
            ref = _row_type(view.return_type)
            if ref in events and ref not in kept:
                what = f"view {_short(view.source_name)} returns rows of event table {_short(events[ref])}"
                yield (
                    (*path, "views", place),
                    f"{what}: it sees those of its own transaction, and they stay until it runs again",
                )


def _row_type(returned: AlgebraicType) -> int | None:
    """The entry that a view's rows are of: it returns an option, an array, or a query of them. (spec: wire 6.2)"""
    match returned:
        case ArrayType(element=Ref(index=index)):
            return index
        case ProductType(elements=(ProductTypeElement(name="__query__", algebraic_type=Ref(index=index)),)):
            return index
    payload = option_payload(returned) if isinstance(returned, SumType) else None
    return payload.index if isinstance(payload, Ref) else None


WARNINGS: dict[str, Check] = {
    "names-meet-after-conversion": Check(
        "columns, parameters, fields or variants whose names become one when case is converted", _names_meet
    ),
    "v9-name-would-change": Check(
        "names of a version 9 module that the default policy of version 10 would change", _v9_names_change
    ),
    "duplicate-sections": Check("sections of one kind, of which the server reads only the first", _duplicate_sections),
    "view-of-event-table": Check(
        "views that return rows of an event table, which are gone when the transaction is", _views_of_events
    ),
    "rls-names-no-table": Check("row-level security rules that read no table of the module", _rls_without_table),
}
