"""Random tables: whatever is declared without a fault builds to a valid definition that says what was declared."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bsatn import U8, U16, U32, U64, U256, ConnectionId, Identity, Variant, case, record, result, variants
from bsatn import types as t
from bsatn.codec import Codec
from bsatn.strategies import values
from defs import raw
from defs.bindings import DeclarationError, EventTable, Index, Module, Table, column
from defs.raw import v10
from defs.raw.shared import Direct, RawIndexAlgorithm
from defs.validate import ValidationErrors


class Team(enum.Enum):
    Red = 0
    Blue = 1


@record
class Spot:
    x: U8
    team: Team


@case
class Near:
    pass


@case
class Far:
    spot: Spot


KINDS: dict[str, Any] = {
    "u8": U8, "u16": U16, "u32": U32, "u64": U64, "u256": U256, "str": str, "bool": bool, "bytes": bytes, "team": Team,
    "spot": Spot, "range": Annotated[Near | Far, variants("Range")], "who": Identity | None, "list": list[Spot],
    "connection": ConnectionId, "result": Annotated[Variant, result(U16, str)],
}  # fmt: skip
#: Options that a column of strings cannot have; "column" is another fault.
FAULTS: dict[str, dict[str, Any]] = {
    "auto_inc": {"auto_inc": True}, "default": {"default_value": 3}, "column": {},
    "direct": {"unique": True, "index": "direct"},
}  # fmt: skip
INTEGERS = {"u8", "u16", "u32", "u64", "u256"}
DIRECT = {"u8", "u16", "u32", "u64", "team"}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """What a table is declared with: its columns, their options, its indexes."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=6))
    words = st.from_regex(r"[a-z][a-z_]{0,6}", fullmatch=True)
    names = [f"{draw(words)}x{place}" for place in range(len(kinds))]
    key = draw(st.sampled_from([None, *range(len(kinds))]))
    options: list[dict[str, Any]] = []
    for place, kind in enumerate(kinds):
        chosen: dict[str, Any] = {}
        if place == key:
            chosen["primary_key"] = True
        if draw(st.booleans()):
            chosen["unique"] = True
        is_unique = bool(chosen)
        if kind in INTEGERS and draw(st.booleans()):
            chosen["auto_inc"] = True
        allowed = ["btree", "hash", *(["direct"] if is_unique and kind in DIRECT else [])]
        if draw(st.booleans()):
            chosen["index"] = draw(st.sampled_from(allowed))
        if not is_unique and "auto_inc" not in chosen and draw(st.booleans()):
            chosen["default_value"] = draw(values(Codec(KINDS[kind]).shape))
        options.append(chosen)
    taken: set[tuple[Any, tuple[str, ...]]] = set()
    indexes: list[Index] = []
    for number in range(draw(st.integers(0, 2)) if len(names) > 1 else 0):
        columns = tuple(draw(st.lists(st.sampled_from(names), min_size=2, unique=True)))
        algorithm: Any = draw(st.sampled_from(("btree", "hash")))
        if (algorithm, columns) not in taken:
            taken.add((algorithm, columns))
            indexes.append(Index(algorithm, columns, f"by_{number}"))
    return {
        "kinds": kinds, "names": names, "options": options, "indexes": indexes, "event": draw(st.booleans()),
        "public": draw(st.booleans()), "accessor": draw(st.sampled_from(("thing", "Thing", "two_words", "st_1"))),
    }  # fmt: skip


def declare(module: Module, drawn: dict[str, Any]) -> type[Any]:
    """The class and its table, as the statement `class Thing(Table): ...` makes them."""
    annotations = {name: KINDS[kind] for name, kind in zip(drawn["names"], drawn["kinds"], strict=True)}
    columns = {name: column(**chosen) for name, chosen in zip(drawn["names"], drawn["options"], strict=True) if chosen}
    base = EventTable if drawn["event"] else Table
    cls: Any = type("Thing", (base,), {"__annotations__": annotations, "__module__": __name__, **columns})
    made: type[Any] = module.table(accessor=drawn["accessor"], public=drawn["public"], indexes=drawn["indexes"])(cls)
    return made


@settings(max_examples=120, deadline=None, suppress_health_check=(HealthCheck.too_slow,))
@given(tables())
def test_what_is_declared_is_built(drawn: dict[str, Any]) -> None:
    module = Module()
    cls = declare(module, drawn)
    built = module.build()
    assert raw.decode(raw.encode(built)) == built
    (table,) = built.tables
    if drawn["accessor"] == "st_1":  # reserved, which is the server's to say
        with pytest.raises(ValidationErrors, match="st_1"):
            module.validate()
        return
    checked = module.validate().tables[table.source_name.lower()]
    assert (checked.is_event, checked.is_public) == (drawn["event"], drawn["public"])
    assert Codec(v10.RawTableDefV10).encode(table)[-1] == drawn["event"] == cls.IS_EVENT
    assert [one.accessor_name for one in checked.columns] == drawn["names"]
    for place, chosen in enumerate(drawn["options"]):
        is_key = chosen.get("primary_key", False)
        assert (checked.primary_key == place) == is_key
        assert checked.is_unique(place) == (is_key or chosen.get("unique", False))
        assert checked.is_auto_inc(place) == chosen.get("auto_inc", False)
        assert (checked.columns[place].default_bytes is not None) == ("default_value" in chosen)
        if "default_value" in chosen:
            kind = KINDS[drawn["kinds"][place]]
            assert Codec(kind).encode(chosen["default_value"]) == checked.columns[place].default_bytes
    columns = [one.columns for one in checked.indexes.values()]
    for index in drawn["indexes"]:
        assert tuple(drawn["names"].index(name) for name in index.columns) in columns
    constrained = [one.data.columns for one in table.constraints]
    of_unique = [_columns(one.algorithm) in constrained for one in table.indexes]
    assert of_unique == sorted(of_unique, reverse=True)


def _columns(algorithm: RawIndexAlgorithm) -> tuple[int, ...]:
    return (algorithm.column,) if isinstance(algorithm, Direct) else algorithm.columns


@settings(max_examples=60, deadline=None, suppress_health_check=(HealthCheck.too_slow,))
@given(tables(), st.data())
def test_rows_read_the_same_by_class_and_by_definition(drawn: dict[str, Any], data: st.DataObject) -> None:
    module = Module()
    cls = declare(module, drawn)
    definition = module.build()
    by_class: Codec[Any] = Codec(cls)
    by_definition: Codec[Any] = Codec(t.Ref(definition.tables[0].product_type_ref), definition.typespace)
    row = data.draw(values(by_class.shape))
    encoded = by_class.encode(row)
    assert by_definition.encode(by_definition.decode(encoded)) == encoded


@settings(max_examples=60, deadline=None, suppress_health_check=(HealthCheck.too_slow,))
@given(tables(), st.sampled_from(sorted(FAULTS)))
def test_one_fault_is_found(drawn: dict[str, Any], fault: str) -> None:
    name = "extra_one"
    drawn["names"].append(name)
    drawn["kinds"].append("str")
    drawn["options"].append(FAULTS[fault])
    if fault == "column":
        drawn["indexes"].append(Index.btree("nowhere", accessor="by_nothing"))

    def declare_and_build() -> None:
        module = Module()
        declare(module, drawn)
        module.build()

    with pytest.raises(DeclarationError) as caught:
        declare_and_build()
    assert caught.value.path == (("Thing",) if fault == "column" else ("Thing", name))
