"""Whatever decodes can be described: in bounded time, in bounded space, and without a trick on who reads it."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import pytest

from bsatn import types as t
from bsatn.errors import DecodeError
from defs import raw
from defs.describe import RENDERERS, describe
from defs.describe.model import Description, LinkKind, Node, NodeKind
from defs.raw import v10
from defs.raw.shared import BTree

sys.path.insert(0, str(Path(__file__).parent))

from describe_cases import (
    NASTY,
    decode,
    module,
    nasty_module,
    product,
    real_modules,
    reducer,
    reference_cases,
    table,
)


def render_all(description: Description) -> dict[str, str]:
    return {name: render(description) for name, render in RENDERERS.items()}


def test_names_that_mean_something_elsewhere_do_no_harm() -> None:
    description = describe(nasty_module())
    for name, text in render_all(description).items():
        text.encode()  # a lone surrogate would not pass
        bad = {character for character in text if character < " " and character not in "\n\t\0"} | {"\x85", "\u202e"}
        assert not bad & set(text), name
        assert len(text) < 2_000_000, name
    assert len(description.tables) == 3 * len(NASTY)


def test_reference_cases_that_are_invalid_are_described_too() -> None:
    invalid = [case for case in reference_cases() if not case["valid"]]
    assert len(invalid) >= 615
    for position, case in enumerate(invalid):
        description = describe(decode(case))
        RENDERERS["text"](description)
        if position % 5 == 0:
            render_all(description)


@pytest.mark.parametrize("name", ["arena_v1", "arena_classic"])
def test_damaged_definitions_are_described_if_they_decode(name: str) -> None:
    source = bytes.fromhex(real_modules()[name]["bytes"])
    chance = random.Random(name)
    described = 0
    while described < 150:
        data = bytearray(source)
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 2, 3, 0xFF, chance.randrange(256)))
        try:
            definition = raw.decode(bytes(data))
        except DecodeError:
            continue
        render_all(describe(definition))
        described += 1


def test_what_does_not_make_sense_is_shown_as_far_as_it_goes() -> None:
    ref = t.Ref
    types = (product(("a", ref(1)), ("b", ref(3)), (None, ref(99))), ref(2), ref(1), t.ArrayType(ref(3)), t.U8)
    tables = (
        table("t", 0, key=(9,), indexes=(BTree((0, 99)),), uniques=((0, 7),), defaults={0: b"\0", 1: b"", 2: b"\1", 50: b""}),
        table("no_product", 4),
        table("no_entry", 44),
        table("t", 0),
    )
    made = module(types, {}, tables, (reducer("r", (None, ref(2**32 - 1))),))
    assert RENDERERS["text"](describe(made)) == (
        "Tables\n  no_entry (public)\n    Columns:\n      (the row type &44 is no product)\n\n"
        "  no_product (public)\n    Columns:\n      (the row type &4 is no product)\n\n"
        "  t (public)\n    Columns:\n      a      &1         default: invalid 0x00\n"
        "      b      Array<&3>  default: invalid 0x\n      col_2  &99        default: invalid 0x01\n"
        "    Unique constraints:\n      (a, col_7)\n    Indexes:\n      t_a_col_99_idx_btree  btree (a, col_99)\n\n"
        "  t (public)\n    Columns:\n      a      &1\n      b      Array<&3>\n      col_2  &99\n\n"
        "Reducers\n  r(col_0: &4294967295)\n"
    )


def test_named_types_that_are_broken_are_shown_by_name() -> None:
    types = (product(("a", t.Ref(1)), ("b", t.Ref(2))), t.Ref(1), t.ArrayType(t.Ref(9)))
    description = describe(module(types, {"Loop": 1, "Lost": 9, "List": 2}, (table("t", 0),)))
    assert [(kind.name, kind.kind, kind.alias) for kind in description.types] == [
        ("List", "alias", "Array<Lost>"),
        ("Loop", "alias", "Loop"),
        ("Lost", "alias", "Lost"),
    ]


def deep(depth: int) -> t.AlgebraicType:
    kind: t.AlgebraicType = t.U8
    for _ in range(depth):
        kind = t.ArrayType(kind)
    return kind


def doubling(count: int, first: int = 0) -> tuple[t.AlgebraicType, ...]:
    """Types from entry `first` on, each of which holds the next twice: 2 to the power of `count` parts written out."""
    return (*(product(("a", t.Ref(i)), ("b", t.Ref(i))) for i in range(first + 1, first + count + 1)), t.U8)


def nested(depth: int) -> raw.RawModuleDefV10:
    inner = module((product(),), {}, (table("t", 0),))
    for _ in range(depth):
        inner = module((product(),), {}, (table("t", 0),), (), v10.SubmodulesSection((v10.RawSubmoduleV10("n" * 99, inner),)))
    return inner


BOMBS = {
    "types that double": lambda: module(doubling(60), {}, tuple(table(f"t{i}", i, defaults={0: b"x" * 99}) for i in range(60))),
    "named types that double": lambda: module(doubling(900), {f"T{i}": i for i in range(900)}, (table("t", 0),)),
    "a long chain of references": lambda: module(
        (*(t.Ref(i + 1) for i in range(20_000)), t.U8),
        {},
        (),
        (reducer("r", *((None, t.Ref(i)) for i in range(0, 20_000, 5))),),
    ),
    "a type nested deep": lambda: module((product(("a", deep(3000))),), {}, (table("t", 0, defaults={0: b""}),)),
    "a long name referred to often": lambda: module(
        (product(("a", t.Ref(1))), product()),
        {"X" * 300_000: 1},
        tuple(table("n" * 300_000, 0, indexes=(BTree((0,) * 20_000),) * 9) for _ in range(20)),
        (reducer("r", *(("a", t.Ref(1)) for _ in range(5000))),),
    ),
    "defaults of many elements without bytes": lambda: module(
        (product(("a", t.ArrayType(t.UNIT))),), {}, tuple(table(f"t{i}", 0, defaults={0: b"\xff\xff\x0f\0"}) for i in range(99))
    ),
    "defaults of many large types": lambda: module(
        (product(*((f"c{i}", t.ArrayType(t.Ref(1))) for i in range(900))), *doubling(900, 1)),
        {},
        (table("t", 0, defaults=dict.fromkeys(range(900), b"\x00\x00\x00\x00")),),
    ),
    "tables that share a row type which holds itself": lambda: module(
        (product(("a", t.Ref(0))),), {"Row": 0}, tuple(table(f"t{i}", 0) for i in range(2000))
    ),
    "many entries without a name, each as long as they are written out": lambda: module(
        (product(*((None, t.Ref(i + 1)) for i in range(9000))), *(deep(70) for _ in range(9000))), {}, (table("t", 0),)
    ),
    "submodules in submodules": lambda: nested(90),
}  # fmt: skip


@pytest.mark.parametrize("bomb", BOMBS)
def test_small_definitions_make_no_large_descriptions(bomb: str) -> None:
    definition = BOMBS[bomb]()
    start = time.process_time()
    texts = render_all(describe(definition))
    assert time.process_time() - start < 5
    assert max(len(text) for text in texts.values()) < 3_000_000


def test_limits_show_where_they_cut() -> None:
    (column,) = describe(BOMBS["a type nested deep"]()).tables[0].columns
    assert column.type.startswith("Array<Array<")
    assert column.type.endswith("…")
    assert len(column.type) == 4096
    assert column.default == "not read 0x"
    columns = describe(BOMBS["defaults of many large types"]()).tables[0].columns
    assert {each.default for each in columns} == {"[]", "not read 0x00000000"}


def test_thousands_of_tables_are_all_there() -> None:
    types = tuple(product(*((f"c{j}", t.U64) for j in range(5))) for _ in range(3000))
    made = module(types, {f"Row{i}": i for i in range(3000)}, tuple(table(f"t{i}", i) for i in range(3000)))
    start = time.process_time()
    texts = render_all(describe(made))
    assert time.process_time() - start < 8
    assert texts["text"].count(" (public)\n") == 3000
    assert texts["html"].count("<article ") == 3000
    assert texts["markdown"].count("\n### ") == 3000


def test_links_are_positions_of_the_sorted_lists() -> None:
    description = describe(decode(real_modules()["arena_v1"]))
    lists = {
        NodeKind.TABLE: description.tables,
        NodeKind.TYPE: description.types,
        NodeKind.REDUCER: description.reducers,
        NodeKind.VIEW: description.views,
    }

    def name(node: Node) -> str:
        return lists[node.kind][node.position].name

    found = [(link.kind, name(link.source), link.label, name(link.target)) for link in description.links]
    uses, returns = LinkKind.USES, LinkKind.RETURNS
    assert sorted(found, key=str) == sorted(
        [
            (uses, "damage_event", "kind", "DamageKind"),
            (uses, "fighter", "loadout", "Loadout"),
            (uses, "fighter", "pos", "Vec2"),
            (uses, "DamageKind", "Area", "Vec2"),
            (LinkKind.SCHEDULES, "respawn_timer", "scheduled_at", "respawn"),
            (returns, "my_fighter", "", "fighter"),
            (returns, "top_fighters", "", "fighter"),
        ],
        key=str,
    )


def test_two_things_of_one_name_stay_two() -> None:
    types = (product(("x", t.Ref(1))), product(("y", t.U8)))
    description = describe(module(types, {"A": 1}, (table("t", 0), table("t", 1), table("t", 0))))
    assert len(description.tables) == 3
    sources = {link.source.position for link in description.links}
    assert sources == {i for i, each in enumerate(description.tables) if each.columns[0].name == "x"}
    assert len(sources) == 2
