"""Shrinking: to the least that still fails, in bounds, always the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.satn import format_type, parse_type
from defs import raw
from defs.conformance.questions.definitions import corpus, tree_of
from defs.conformance.questions.making import MAKERS, Question, make
from defs.conformance.questions.modules import smaller_definition, smaller_pair
from defs.conformance.questions.reducing import smaller, weight
from defs.conformance.questions.trees import parse
from defs.conformance.questions.typed import Typed, smaller_typed
from defs.conformance.questions.values import smaller_value
from defs.conformance.shrinking import Budget, shrink
from defs.testee import answer

KINDS, SPACES = Codec(t.AlgebraicType), Codec(t.Typespace)


def value(kind: str, data: str, *entries: str, **more: Any) -> Question:
    fields = {"type": KINDS.encode(parse_type(kind)), "bytes": bytes.fromhex(data.replace(" ", "")), **more}
    if entries:
        fields["typespace"] = SPACES.encode(t.Typespace(tuple(map(parse_type, entries))))
    return Question("value.decode", fields)


def text_of(question: Question) -> str:
    return format_type(KINDS.decode(question.fields["type"]), exact=True)


def error_is(kind: str) -> Callable[[Question], bool]:
    return lambda question: answer(question.request()).get("error") == kind


LONG = "(a: (x: U64, y: Array<(p: String, q: (r: Bool | s: U8))>), b: String, c: Option<I256>)"
LONG_DATA = "0102030405060708 02000000 03000000616263 0007 01000000 7a 01 09 00000000 01"


@pytest.mark.parametrize(
    ("question", "kind", "type_text", "data"),
    [
        (value(LONG, LONG_DATA), "InvalidBool", "Bool", "02"),
        (value("(a: U8, b: Array<(x: String | y: ())>)", "01 02000000 01 05 aa"), "InvalidTag", "(|)", "00"),
        (value("(a: String, b: String)", "01000000 61 03000000 61c37a"), "InvalidUtf8", "String", "0100000080"),
        (value("&0", "01 00 00 07", "(a: U8, b: Option<&1>)", "(c: Bool, d: Bool)"), "InvalidBool", "Bool", "02"),
        (value("&0", "00 00 00 07", "(some: &0 | none: ())"), "InvalidTag", "(|)", "00"),
        (value("(a: U8, b: &7)", "00"), "InvalidTypeRef", "&0", ""),
        (value("(a: U8, b: &0)", "00", "&0"), "RecursiveTypeRef", "&0", ""),
        (value("(a: U64, b: Array<U8>)", "0102030405060708 ffffffff 00"), "BufferLength", "Bool", ""),
        (value("(a: U64, b: Bool)", "0102030405060708 01 aabbcc"), "TrailingBytes", "()", "00"),
        (value("I32", "0102"), "BufferLength", "Bool", ""),
    ],
)
def test_values_end_as_a_person_would_write_them(question: Question, kind: str, type_text: str, data: str) -> None:
    small = shrink(question, error_is(kind))
    assert error_is(kind)(small)
    assert len(small.fields["bytes"]) == len(data) // 2, (text_of(small), small.fields["bytes"].hex())
    assert small.fields["bytes"].hex() == data
    assert len(KINDS.encode(parse_type(type_text))) >= len(small.fields["type"]), text_of(small)


def test_types_shrink_in_step_with_values() -> None:
    """Tags and fields move as variants and fields before them go."""
    question = value(
        "(a: U8, b: (x: U8 | y: U16 | z: (p: I128, q: String)))", "05 02 ff000000000000000000000000000000 02000000 6869"
    )

    def fails(one: Question) -> bool:
        reply = answer(one.request())
        return bool(reply["ok"]) and "I128" in text_of(one) and "255" in reply["json"]

    small = shrink(question, fails)
    assert text_of(small) == "I128"
    assert small.fields["bytes"] == b"\xff" + bytes(15)


def test_arrays_lose_items_and_fields_of_every_item() -> None:
    question = value("Array<(a: U8, b: Bool, c: U16)>", "03000000 01 00 0100 02 01 0200 03 00 0300")

    def fails(one: Question) -> bool:
        reply = answer(one.request())
        return bool(reply["ok"]) and "true" in reply["json"] and text_of(one).startswith("Array<")

    small = shrink(question, fails)
    assert text_of(small) == "Array<Bool>"
    assert small.fields["bytes"] == b"\1\0\0\0\1"


def test_recursive_values_lose_levels_where_the_reference_matters() -> None:
    question = value("&0", "00 01 00 02 00 03 01", "(some: (a: U8, next: &0) | none: ())")
    small = shrink(question, lambda one: bool(answer(one.request())["ok"]) and "&" in text_of(one))
    assert text_of(small) == "&0"
    assert small.size < question.size / 2


def test_entries_that_nothing_refers_to_go() -> None:
    """Also where the reference itself is what fails, in a circle or to nothing."""
    circle = value("(a: &2, b: U8)", "", "String", "(a: U8, b: &2)", "&2", "Array<&1>")
    small = shrink(circle, error_is("RecursiveTypeRef"))
    assert (text_of(small), small.fields["typespace"].hex()) == ("&0", "010000000000000000")
    nowhere = value("(a: U8, b: Array<&9>)", "07 01000000", "String", "(a: U8, b: &2)")
    small = shrink(nowhere, error_is("InvalidTypeRef"))
    assert (text_of(small), "typespace" in small.fields) == ("&0", False)
    unused = value("(a: U8, b: Bool)", "0707", "String", "(a: U8, b: &1)")
    assert "typespace" not in shrink(unused, error_is("InvalidBool")).fields


def test_json_shrinks_with_its_type() -> None:
    question = Question(
        "value.encode",
        {"type": KINDS.encode(parse_type("(a: U8, b: Array<I64>)")), "json": '{"a":7,"b":[1,-9007199254740993,5]}'},
    )
    small = shrink(question, lambda one: bool(answer(one.request())["ok"]) and "-" in one.fields["json"])
    assert text_of(small) in ("I8", "I64")
    assert len(small.fields["json"]) < 5
    refused = shrink(question.with_fields(json='{"a":7,"b":[1,"x",5]}'), lambda one: error_is("JsonShape")(one))
    assert len(refused.fields["json"]) <= 4


def test_definitions_shrink_and_stay_what_they_are() -> None:
    """Tables, entries of the typespace and names go, and references are kept in step."""
    one = max((one for one in corpus()["valid"] if one.layout == "10i" and len(one.data) < 1200), key=lambda one: len(one.data))

    def fails(question: Question) -> bool:
        reply = answer(question.request())
        return bool(reply.get("valid")) and len(raw.decode(question.fields["bytes"]).tables) > 0

    question = Question("module.validate", {"bytes": one.data, "layout": "2.14.0"})
    some = [one for one in corpus()["valid"] if one.layout == "10i" and fails(Question("module.validate", {"bytes": one.data}))]
    question = question.with_fields(bytes=max((one.data for one in some if len(one.data) < 1500), key=len))
    small = shrink(question, fails, budget=Budget(asks=3000, seconds=60))
    read = raw.decode(small.fields["bytes"])
    assert len(read.tables) == 1
    assert len(read.typespace.types) == 1
    assert len(small.fields["bytes"]) < 75, small.fields["bytes"].hex()


def test_pairs_of_definitions_shrink_together() -> None:
    def fails(question: Question) -> bool:
        reply = answer(question.request())
        return bool(reply["ok"]) and reply["verdict"] != "manual" and not reply["steps"] and len(question.fields["old"]) > 40

    one = next(one for one in corpus()["valid"] if one.layout == "10i" and 250 < len(one.data) < 400)
    question = Question("migrate", {"old": one.data, "new": one.data})
    assert fails(question)
    small = shrink(question, fails, budget=Budget(asks=1500, seconds=30))
    assert small.size < 200


def test_names_and_sql_shrink() -> None:
    name = shrink(Question("name", {"name": "fooBar baz"}), lambda one: answer(one.request())["identifier"] != "valid")
    assert len(name.fields["name"]) <= 1
    one = next(one for one in corpus()["valid"] if one.layout == "10i" and b"user" in one.data)
    fields = {"module": one.data, "sql": "SELECT * FROM user WHERE id = 1 AND nothing = 2", "caller": "owner", "protocol": "v2"}
    small = shrink(Question("sql.check", fields), lambda one: answer(one.request()).get("stage") == "resolve")
    assert len(small.fields["sql"]) < 20
    assert len(small.fields["module"]) <= 5


# Bounds


def test_the_same_question_shrinks_to_the_same_one() -> None:
    asked: list[list[str]] = [[], []]
    for keys in asked:

        def fails(one: Question, keys: list[str] = keys) -> bool:
            keys.append(one.key)
            return error_is("InvalidBool")(one)

        shrink(value(LONG, LONG_DATA), fails)
    assert asked[0] == asked[1]
    assert len(set(asked[0])) == len(asked[0])


def test_it_stops_after_so_many_asks() -> None:
    asked: list[str] = []

    def fails(one: Question) -> bool:
        asked.append(one.key)
        return error_is("InvalidBool")(one)

    small = shrink(value(LONG, LONG_DATA), fails, budget=Budget(asks=7))
    assert len(asked) <= 7
    assert error_is("InvalidBool")(small)


def test_it_stops_in_time_with_a_testee_that_hangs() -> None:
    asked: list[str] = []

    def slow(one: Question) -> bool:
        asked.append(one.key)
        time.sleep(0.1)
        return error_is("InvalidBool")(one)

    shrink(value(LONG, LONG_DATA), slow, budget=Budget(seconds=0.3))
    assert len(asked) <= 4


def test_every_step_is_lighter() -> None:
    """So it ends, whatever the reductions offer."""
    first = Question("value.encode", {"type": KINDS.encode(t.U8), "json": '{"a":[1,"xyz",true]}'})
    kept = [weight(first)]

    def fails(one: Question) -> bool:
        kept.append(weight(one))
        return True

    small = shrink(first, fails)
    assert small.fields["json"] == "{}"
    assert len(kept) > 1
    assert all(later < earlier for earlier, later in pairwise(kept))
    odd = Question("value.encode", {"type": KINDS.encode(t.U8), "json": "0"})
    assert shrink(odd, lambda one: bool(one.fields["json"])).fields["json"] == "0"


def test_what_never_fails_again_stays_as_it_is() -> None:
    question = value(LONG, LONG_DATA)
    assert shrink(question, lambda one: False) is question


@pytest.mark.parametrize("op", MAKERS)
def test_every_op_has_smaller_questions(op: str) -> None:
    """What always fails ends as next to nothing; every step on the way is smaller by weight."""
    question = make(3, 8, [op])
    last = [weight(question)]

    def fails(one: Question) -> bool:
        assert one.op == op
        assert one.fields.keys() <= question.fields.keys()
        return True

    small = shrink(question, fails, budget=Budget(asks=3000, seconds=20))
    last.append(weight(small))
    assert last[1] <= last[0]
    assert weight(small)[0] <= 20 + len(str(question.fields.get("caller", ""))) + len(str(question.fields.get("layout", "")))
    assert all(weight(one) >= (0, 0, 0) for one in smaller(small))


# Steps


def steps(kind: str, data: str) -> set[tuple[str, str]]:
    typed = Typed(parse_type(kind), t.Typespace(), bytes.fromhex(data))
    return {(format_type(one.kind, exact=True), one.data.hex()) for one in smaller_typed(typed)}


def test_steps_keep_type_and_bytes_together() -> None:
    sums = steps("(x: U8 | y: U16 | z: Bool)", "0201")
    assert {
        ("(x: U8 | z: Bool)", "0101"),
        ("(y: U16 | z: Bool)", "0101"),
        ("Bool", "01"),
        ("(x: U8 | y: U16 | z: ())", "02"),
    } <= sums
    assert not {data for kind, data in sums if kind == "(x: U8 | y: U16)"}
    products = steps("(x: U8, y: Array<(p: U16, q: Bool)>)", "07" + "02000000" + "010001" + "020000")
    wanted = {
        ("(y: Array<(p: U16, q: Bool)>)", "02000000" + "010001" + "020000"),
        ("(x: U8, y: Array<(q: Bool)>)", "07" + "02000000" + "01" + "00"),
        ("(x: U8, y: Array<(p: U8, q: Bool)>)", "07" + "02000000" + "0101" + "0200"),
        ("(x: U8, y: (p: U16, q: Bool))", "07" + "010001"),
        ("(a: U8, b: Array<(p: U16, q: Bool)>)", "07" + "02000000" + "010001" + "020000"),
        ("U16", "0100"),
        ("U16", "0200"),
    }
    assert wanted <= products, wanted - products


def test_references_to_later_entries_move_with_them() -> None:
    later = bytes.fromhex("02 01000000 00 03000000 04 00 02000000 05".replace(" ", ""))
    made = {one.hex() for one in smaller_definition(tree_of("10i", later))}
    assert bytes.fromhex("02 01000000 00 02000000 00 01000000 05".replace(" ", "")).hex() in made


def test_values_of_one_type_get_plainer() -> None:
    def made(kind: str, data: str) -> set[str]:
        return {one.hex() for one in smaller_value(parse(parse_type(kind), t.Typespace(), bytes.fromhex(data)))}

    assert made("U16", "1c00") == {"0000", "0100", "0e00", "0c00", "1400", "1800"}
    assert "1c00" in made("U16", "001c")
    assert made("U8", "05aabb") >= {"05", "05bb", "05aa"}
    assert "0100000061" in made("String", "0200000061c3")
    assert "00000000" in made("Array<Bool>", "020000000007")


def named(*names: str) -> bytes:
    """A definition with a typespace of one product, whose fields have these names."""
    fields = b"".join(b"\0" + len(name).to_bytes(4, "little") + name.encode() + b"\7" for name in names)
    return b"\2\1\0\0\0\0\1\0\0\0\2" + len(names).to_bytes(4, "little") + fields


def test_names_change_everywhere_at_once() -> None:
    made = set(smaller_definition(tree_of("10i", named("user", "id", "user"))))
    assert named("a", "id", "a") in made
    assert named("user", "a", "user") in made


def test_both_of_a_pair_lose_the_same() -> None:
    made = set(smaller_pair(named("user", "id"), named("user", "id", "more")))
    assert (named("user"), named("user", "more")) in made
    assert (named("a", "id"), named("a", "id", "more")) in made
    assert (named("user", "id"), named("a", "id", "more")) in made
    assert (named("user", "id"), named("user", "id")) in made
