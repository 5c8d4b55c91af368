"""Questions at random: the same from the same seed, of every kind there is, and bytes that say what their type does."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.satn import parse_type
from defs.conformance.questions.definitions import EDITS, corpus, edited, layout_space, tree_of
from defs.conformance.questions.drawing import draw_space, draw_type, draw_value
from defs.conformance.questions.making import MAKERS, make
from defs.conformance.questions.queries import draw_sql, tables_of
from defs.conformance.questions.texts import edited_json, smaller_json, smaller_name, smaller_sql
from defs.conformance.questions.trees import MAX_NODES, Smallest, parse, splice, with_items
from defs.raw import layouts
from defs.testee import OPS, answer

ROOT = Path(__file__).parents[3]
EMPTY = t.Typespace()


def tree(kind: str, data: str, *entries: str):  # type: ignore[no-untyped-def]
    return parse(parse_type(kind), t.Typespace(tuple(map(parse_type, entries))), bytes.fromhex(data))


# Drawing


def test_the_same_seed_draws_the_same_questions() -> None:
    ops = list(MAKERS)
    first = [make(5, number, ops).key for number in range(60)]
    assert [make(5, number, ops).key for number in reversed(range(60))] == first[::-1]
    assert len(set(first)) > 50
    assert [make(6, number, ops).key for number in range(60)] != first


def test_another_process_draws_the_same() -> None:
    """Whatever the hash seed is."""
    code = "from defs.conformance.questions.making import *\nprint([make(5, n, list(MAKERS)).key for n in range(24)])"
    seeds = [{"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT), "PATH": ""} for seed in (1, 2)]
    one, other = (
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout for env in seeds
    )
    assert one == other
    assert one.decode().strip() == str([make(5, number, list(MAKERS)).key for number in range(24)])


def test_every_op_is_drawn_and_answered() -> None:
    """The testee takes every question for one: none is BadRequest or skipped."""
    found: Counter[str] = Counter()
    for op in MAKERS:
        for number in range(24):
            reply = answer(make(1, number, [op]).request())
            assert reply.get("error") not in ("BadRequest", "Internal"), reply
            assert "skipped" not in reply
            found[f"{op} {reply['ok']}"] += 1
    assert {f"{op} True" for op in MAKERS} <= set(found)
    assert found["value.decode False"] > 2
    assert set(MAKERS) <= set(OPS)


def test_ops_are_drawn_by_weight() -> None:
    drawn = Counter(make(2, number, ["value.decode", "name"]).op for number in range(0, 1200, 4))
    assert 8 < drawn["value.decode"] / drawn["name"] < 13


def test_values_are_right_and_faulty_ones_mostly_wrong() -> None:
    kinds: Counter[str] = Counter()
    for number in range(400):
        source = random.Random(f"values {number}")
        space = draw_space(source)
        kind = draw_type(source, len(space))
        codec = Codec[object](kind, space)
        for faulty in (False, True):
            data = draw_value(source, kind, space, faulty)
            try:
                assert codec.encode(codec.decode(data)) == data
                kinds[f"{faulty} ok"] += 1
            except BsatnError as error:
                kinds[f"{faulty} {error.kind}"] += 1
    assert kinds["False ok"] > 350
    assert not {
        name
        for name in kinds
        if name.startswith("False") and name.split()[1] in ("InvalidBool", "InvalidUtf8", "TrailingBytes")
    }
    assert {f"True {kind}" for kind in ("InvalidBool", "InvalidTag", "BufferLength", "InvalidUtf8")} <= set(kinds)


def test_definitions_are_edited_and_many_stay_valid() -> None:
    assert len(corpus()["valid"]) > 100
    assert {one.layout for one in corpus()["any"]} == {layout.id for layout in layouts.LAYOUTS}
    verdicts: Counter[str] = Counter()
    for number in range(150):
        source = random.Random(f"definitions {number}")
        one = source.choice(corpus()["valid"])
        data = edited(source, one, 2)
        reply = answer({"op": "module.validate", "bytes": data.hex(), "layout": one.release})
        verdicts["same" if data == one.data else str(reply.get("valid"))] += 1
    assert verdicts["True"] > 15
    assert verdicts["False"] > 15


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_each_edit_changes_something_and_keeps_the_form(edit) -> None:  # type: ignore[no-untyped-def]
    changed = 0
    for number in range(40):
        source = random.Random(number)
        one = source.choice(corpus()["valid"])
        before = tree_of(one.layout, one.data)
        after = splice(one.data, edit(source, before, list(before.nodes())))
        read = tree_of(one.layout, after)
        assert read.root.whole
        assert read.root.end == len(after)
        changed += after != one.data
    assert changed > 3


def test_sql_is_mostly_right_in_form() -> None:
    some = [one for one in corpus()["valid"] if tables_of(one.data)]
    stages: Counter[str] = Counter()
    for number in range(200):
        source = random.Random(number)
        one = source.choice(some)
        sql = draw_sql(source, tables_of(one.data))
        request = {"op": "sql.check", "module": one.data.hex(), "sql": sql, "caller": "owner", "protocol": "v2"}
        reply = answer(request)
        stages[str(reply.get("stage", reply["verdict"]))] += 1
    assert stages["ok"] > 20
    assert len(stages) > 3, stages
    assert tables_of(b"\xff") == ()


# Trees


def test_a_tree_has_every_part_with_its_span() -> None:
    read = tree("(a: U16, b: Array<Bool>, c: (x: () | y: String))", "0700 02000000 00 07 01 01000000 ff".replace(" ", ""))
    spans = [(node.start, node.end) for node in read.nodes()]
    assert spans == [(0, 14), (0, 2), (2, 8), (6, 7), (7, 8), (8, 14), (9, 14)]
    assert read.root.whole


@pytest.mark.parametrize(
    ("kind", "data", "end", "parts"),
    [
        ("U32", "0000", 2, 0),
        ("(a: U8, b: U32, c: U8)", "00ffff", 3, 2),
        ("(a: U8 | b: ())", "07aabb", 1, 0),
        ("Array<U16>", "ffffffff 0100 02".replace(" ", ""), 7, 2),
        ("String", "05000000 61".replace(" ", ""), 5, 0),
        ("&0", "00", 0, 0),
    ],
)
def test_a_tree_ends_where_bytes_cannot_be_told_apart(kind: str, data: str, end: int, parts: int) -> None:
    read = tree(kind, data)
    assert (read.root.end, len(read.root.parts), read.root.whole) == (end, parts, False)


def test_trees_are_bounded() -> None:
    assert len(list(tree("Array<()>", "ffffffff").nodes())) <= MAX_NODES + 1
    deep = tree("&0", "00" * 5000, "(some: &0 | none: ())")
    assert not deep.root.whole
    assert len(list(deep.nodes())) < 300
    endless = tree("&0", "", "(a: &0)")
    assert not endless.root.whole


def test_items_take_their_count_along() -> None:
    read = tree("Array<U16>", "0200000001000200")
    assert splice(read.data, [with_items(read, read.root, [b"\5\0"])]) == bytes.fromhex("010000000500")
    huge = tree("Array<U16>", "ffffffff0100")
    assert splice(huge.data, [with_items(huge, huge.root, [])]) == bytes.fromhex("ffffffff")
    text = tree("String", "03000000616263")
    assert splice(text.data, [with_items(text, text.root, [b"a", b"c"])]) == bytes.fromhex("020000006163")


def test_smallest_values() -> None:
    space = t.Typespace(tuple(map(parse_type, ("(a: U8, next: Option<&0>)", "(a: &1)", "(x: &1 | y: U16)"))))
    smallest = Smallest(space)
    assert smallest.of(t.Ref(0)) == b"\0\1"
    assert smallest.of(t.Ref(1)) is None
    assert smallest.of(t.Ref(2)) == b"\1\0\0"
    assert smallest.of(t.Ref(3)) is None
    assert smallest.of(t.NEVER) is None
    assert smallest.of(t.ArrayType(t.Ref(1))) == bytes(4)


@pytest.mark.parametrize("layout", [layout.id for layout in layouts.LAYOUTS])
def test_definitions_of_every_layout_are_read_to_the_end(layout: str) -> None:
    (one, *_) = [one for one in corpus()["any"] if one.layout == layout]
    read = tree_of(one.release, one.data)
    assert read.space is layout_space(layout)
    assert read.root.whole
    assert read.root.end == len(one.data)


# Texts


def test_json_is_edited_by_its_structure() -> None:
    text = '{"a":[1,2,"x"],"b":{"some":true}}'
    made = {edited_json(random.Random(seed), text) for seed in range(200)}
    assert len(made) > 60
    assert any('"a":[1,2,"x"],"a":' in one for one in made)
    assert edited_json(random.Random(1), "nonsense") == "nonsense"


def test_smaller_texts() -> None:
    assert "[1]" in set(smaller_json("[1,2]"))
    assert "2" in set(smaller_json("[1,2]"))
    assert '{"b":1}' in set(smaller_json('{"a":1,"b":1}'))
    assert "" in set(smaller_json("{{"))
    assert {"bc", "ac", "ab", "", "abA"} <= set(smaller_name("abc"))
    assert "SELECT a FROM t" in set(smaller_sql("SELECT a FROM tt")) or "SELECT a FROM t" in set(
        smaller_sql("SELECT a  FROM t")
    )
    assert "SELECT * FROM t WHERE a = 0" in set(smaller_sql("SELECT * FROM t WHERE a = 55"))
