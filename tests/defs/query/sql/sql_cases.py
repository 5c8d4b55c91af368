"""A small module to query, and the reference's cases."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from bsatn import types as t
from bsatn.types import AlgebraicType, ProductType, ProductTypeElement, Ref, Typespace
from defs import raw
from defs.query.sql import Catalog
from defs.raw import v10
from defs.raw.shared import BTree, RawUniqueConstraintDataV9, TableAccess, TableType
from defs.schema.model import ModuleDef
from defs.validate import validate

REFERENCE = Path(__file__).parents[4] / "vectors" / "reference" / "subscriptions.jsonl.gz"
ENUM = t.SumType((t.SumTypeVariant("Melee", t.UNIT), t.SumTypeVariant("Ranged", t.UNIT)))


def product(columns: dict[str, AlgebraicType]) -> ProductType:
    return ProductType(tuple(ProductTypeElement(name, kind) for name, kind in columns.items()))


def module(**tables: dict[str, Any]) -> ModuleDef:
    """A module of tables, and a type `Kind` after theirs.

    Each table has `columns`, and perhaps `indexes` (names of columns), `unique`, `event`, `private`.
    """
    rows = [product(table["columns"]) for table in tables.values()]
    declared = []
    for ref, (name, table) in enumerate(tables.items()):
        names = list(table["columns"])
        places = [tuple(names.index(one) for one in index) for index in table.get("indexes", ())]
        unique = [RawUniqueConstraintDataV9((names.index(one),)) for one in table.get("unique", ())]
        declared.append(
            v10.RawTableDefV10(
                source_name=name,
                product_type_ref=ref,
                primary_key=(),
                indexes=tuple(
                    v10.RawIndexDefV10(f"{name}_ix{number}", f"ix{number}", BTree(place)) for number, place in enumerate(places)
                ),
                constraints=tuple(v10.RawConstraintDefV10(None, one) for one in unique),
                sequences=(),
                table_type=TableType.User,
                table_access=TableAccess.Private if table.get("private") else TableAccess.Public,
                default_values=(),
                is_event=table.get("event", False),
            )
        )
    names_of_types = (*(f"{name}Row" for name in tables), "Kind")
    types = tuple(v10.RawTypeDefV10(v10.RawScopedTypeNameV10((), name), ref, True) for ref, name in enumerate(names_of_types))
    space = v10.TypespaceSection(Typespace((*rows, ENUM)))
    return validate(v10.RawModuleDefV10((space, v10.TypesSection(types), v10.TablesSection(tuple(declared)))))


ALL_TYPES: dict[str, AlgebraicType] = {
    **{kind.name.lower(): kind for kind in (*t.INTEGERS, t.F32, t.F64)},
    "flag": t.BOOL,
    "text": t.STRING,
    "raw": t.BYTES,
    "who": t.IDENTITY,
    "conn": t.CONNECTION_ID,
    "when": t.TIMESTAMP,
    "span": t.TIME_DURATION,
    "uid": t.UUID,
    "maybe": t.option_type(t.U32),
    "kind": Ref(6),
    "list": t.ArrayType(t.U32),
}


@lru_cache
def arena() -> Catalog:
    """`users` and `myTeam` are stored, `events` and `sparks` are not; `secrets` is private; `everything` has all types."""
    return Catalog(
        module(
            users={
                "columns": {"id": t.U32, "team": t.U32, "name": t.STRING, "flag": t.BOOL},
                "indexes": [("id",), ("team", "name")],
                "unique": ["id"],
            },
            events={"columns": {"user_id": t.U32, "n": t.U32, "flag": t.BOOL}, "indexes": [("user_id",)], "event": True},
            sparks={"columns": {"user_id": t.U32, "n": t.U32}, "event": True},
            myTeam={"columns": {"id": t.U32, "teamName": t.STRING}},
            secrets={"columns": {"id": t.U32}, "private": True},
            everything={"columns": ALL_TYPES},
        )
    )


@lru_cache
def cases() -> list[dict[str, Any]]:
    """The reference's cases."""
    with gzip.open(REFERENCE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@lru_cache(maxsize=128)
def catalog_of(definition: str) -> Catalog:
    """The tables of a case's module."""
    return Catalog(validate(raw.decode(bytes.fromhex(definition))))


__all__ = ["ALL_TYPES", "arena", "cases", "catalog_of", "module"]
