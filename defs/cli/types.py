"""Types named on the command line: as text, as JSON, or by a module and a name in it."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from bsatn import satn, satsjson
from bsatn.types import AlgebraicType, ProductType, Typespace
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE
from defs import raw
from defs.cli.common import UsageError, printable
from defs.loading import load

__all__ = ["TypeInSpace", "add_type", "resolve_type"]


class TypeInSpace(NamedTuple):
    """A type, and what its references resolve in."""

    type: AlgebraicType
    typespace: Typespace


def add_type(parser: argparse.ArgumentParser) -> None:
    """The argument that names a type."""
    parser.add_argument(
        "--type",
        "-t",
        required=True,
        metavar="TYPE",
        help="the value's type: SATN text such as '(id: U32, name: String)', SATS-JSON such as '{\"U8\":[]}', or "
        "MODULE::NAME for a type, table or function's arguments of a module (NAME may be &3, an entry of its typespace)",
    )


def resolve_type(text: str) -> TypeInSpace:
    """The type that the text of `--type` names. Raises BsatnError for text that is none, UsageError for unknown names."""
    module, separator, name = text.rpartition("::")
    if separator and re.fullmatch(r"&\d+|[^\s:|,(){}\[\]<>]+", name):
        return _type_of_module(module, name)
    if text.lstrip().startswith("{"):
        return TypeInSpace(satsjson.loads(ALGEBRAIC_TYPE_SHAPE, text), Typespace())
    return TypeInSpace(satn.parse_type(text), Typespace())


def _type_of_module(source: str, name: str) -> TypeInSpace:
    definition = load(source).raw
    typespace = definition.typespace
    if name.startswith("&"):
        index = int(name[1:]) if len(name) < 12 else len(typespace)
        if index >= len(typespace):
            raise UsageError(f"{source} has {len(typespace)} types, so there is no {name}")
        return TypeInSpace(typespace[index], typespace)
    known: dict[str, AlgebraicType] = {}
    for found, kind in _named_types(definition):
        known.setdefault(found, kind)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else f"; it has {', '.join(sorted(known)[:20]) or 'none'}"
        raise UsageError(f"{source} has no type, table or function named {name}{printable(hint)}")
    return TypeInSpace(known[name], typespace)


def _named_types(definition: raw.RawModuleDef) -> Iterator[tuple[str, AlgebraicType]]:
    """Names of a definition with what they mean: types first, then tables (their rows), then functions (their arguments)."""
    space = definition.typespace

    def entry(index: int) -> list[AlgebraicType]:
        return [space[index]] if index < len(space) else []

    if isinstance(definition, raw.RawModuleDefV8):
        for export in definition.misc_exports:
            yield from ((export.name, kind) for kind in entry(export.ty))
        for described in definition.tables:
            yield from ((described.schema.table_name, kind) for kind in entry(described.data))
        for old in definition.reducers:
            yield old.name, ProductType(old.args)
        return
    for named in definition.types:
        scoped = named.name if isinstance(named, raw.v9.RawTypeDefV9) else named.source_name
        last = scoped.name if isinstance(scoped, raw.v9.RawScopedTypeNameV9) else scoped.source_name
        yield from ((".".join((*scoped.scope, last)), kind) for kind in entry(named.ty))
    for table in definition.tables:
        yield from ((_name(table), kind) for kind in entry(table.product_type_ref))
    functions: list[Any] = list(definition.reducers)
    if isinstance(definition, raw.RawModuleDefV10):
        functions += [*definition.procedures, *definition.views]
    else:
        functions += [export for export in definition.misc_exports if hasattr(export, "params")]
    for function in functions:
        yield _name(function), function.params


def _name(named: Any) -> str:
    """The name as written, whichever version it is of."""
    name: str = named.source_name if hasattr(named, "source_name") else named.name
    return name
