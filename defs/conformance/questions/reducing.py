"""Smaller questions: of one question, those that are a step smaller, the boldest first.

A value shrinks together with its type: a part is taken for the whole, a field goes from the type and from every value of it.
Where only the value may shrink (a definition's type is its layout) lists lose items, parts become the smallest of their type,
numbers and texts become plain. All of it edits spans of a `Tree`, so bytes that do not decode shrink just as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE
from defs.conformance.questions.definitions import tree_of
from defs.conformance.questions.making import Question
from defs.conformance.questions.modules import smaller_definition, smaller_pair
from defs.conformance.questions.texts import smaller_json, smaller_name, smaller_sql
from defs.conformance.questions.trees import parse
from defs.conformance.questions.typed import Typed, plainest, smaller_typed
from defs.conformance.questions.values import smaller_bytes, smaller_value
from defs.testee import answer

__all__ = ["Weight", "plainer", "smaller", "weight"]

assert ALGEBRAIC_TYPE_SHAPE  # types are encoded below
Weight: TypeAlias = tuple[int, int, int]
_KINDS, _SPACES = Codec(t.AlgebraicType), Codec(t.Typespace)


def weight(question: Question) -> Weight:
    """What a smaller question has less of: bytes, then bits that are set, then their worth."""
    size = bits = worth = 0
    for value in question.fields.values():
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        if isinstance(data, bytes):
            number = int.from_bytes(data, "little")
            size, bits, worth = size + len(data), bits + number.bit_count(), worth + number
    return size, bits, worth


def smaller(question: Question) -> Iterator[Question]:
    """Questions to ask instead, not all of them smaller by `weight`."""
    for name, plain in (("trailing", "allow"), ("typespace", bytes(4))):
        if question.fields.get(name) == plain:
            yield Question(question.op, {other: value for other, value in question.fields.items() if other != name})
    yield from _REDUCERS[question.op](question)


def plainer(question: Question) -> Iterator[Question]:
    """The same without references, even if that is longer."""
    typed = _typed(question)
    if typed is not None:
        yield from (_retyped(question, one) for one in plainest(typed))


# Values ------------------------------------------------------------------------------------------------------------------


def _typed(question: Question) -> Typed | None:
    """Type, typespace and bytes of a question about a value; the bytes of a JSON are those that this library writes."""
    if "type" not in question.fields:
        return None
    try:
        kind, space = _KINDS.decode(question.fields["type"]), _SPACES.decode(question.fields.get("typespace", bytes(4)))
    except BsatnError:
        return None
    data = question.fields.get("bytes")
    if data is None:
        reply = answer(question.request())
        data = bytes.fromhex(reply["bytes"]) if reply["ok"] else None
    return None if data is None else Typed(kind, space, data)


def _retyped(question: Question, typed: Typed) -> Question:
    fields = {**question.fields, "type": _KINDS.encode(typed.kind), "typespace": _SPACES.encode(typed.space)}
    if not typed.space.types:
        del fields["typespace"]
    if "bytes" in fields:
        return Question(question.op, {**fields, "bytes": typed.data})
    request = Question("value.decode", {**fields, "bytes": typed.data}).request()
    return Question(question.op, {**fields, "json": answer(request).get("json", "")})


def _value(question: Question) -> Iterator[Question]:
    typed = _typed(question)
    if typed is not None:
        yield from (_retyped(question, one) for one in smaller_typed(typed))
        tree = parse(typed.kind, typed.space, typed.data)
        yield from (_retyped(question, Typed(typed.kind, typed.space, data)) for data in smaller_value(tree))
        yield from _types(question)
    if "json" in question.fields:
        yield from (question.with_fields(json=text) for text in smaller_json(question.fields["json"]))
    else:
        yield from (question.with_fields(bytes=data) for data in smaller_bytes(question.fields["bytes"]))


def _types(question: Question) -> Iterator[Question]:
    """The type and typespace by themselves, as values of their own type."""
    for name, shape in (("typespace", t.Typespace), ("type", t.AlgebraicType)):
        if name in question.fields:
            tree = parse(*_meta(shape), question.fields[name])
            yield from (question.with_fields(**{name: data}) for data in smaller_value(tree))


def _meta(cls: type) -> tuple[t.AlgebraicType, t.Typespace]:
    """The type of types, as a type."""
    name = t.SumType((t.SumTypeVariant("some", t.STRING), t.SumTypeVariant("none", t.UNIT)))
    named = t.ProductType((t.ProductTypeElement("name", name), t.ProductTypeElement("algebraic_type", t.Ref(0))))
    parts = t.ProductType((t.ProductTypeElement("parts", t.ArrayType(named)),))
    variants = (t.U32, parts, parts, t.Ref(0), *(t.UNIT for _ in t.PRIMITIVES))
    space = t.Typespace((t.SumType(tuple(t.SumTypeVariant(None, one) for one in variants)),))
    return (t.Ref(0) if cls is t.AlgebraicType else t.ArrayType(t.Ref(0))), space


# Definitions and texts --------------------------------------------------------------------------------------------------


def _definition(name: str) -> Callable[[Question], Iterator[Question]]:
    def reduced(question: Question) -> Iterator[Question]:
        data = question.fields[name]
        if data:
            tree = tree_of(question.fields.get("layout", _NEWEST.get(data[0], "10i")), data)
            yield from (question.with_fields(**{name: one}) for one in smaller_definition(tree))
        yield from (question.with_fields(**{name: one}) for one in smaller_bytes(data))

    return reduced


_NEWEST = {0: "8", 1: "9e", 2: "10i"}


def _module_json(question: Question) -> Iterator[Question]:
    """By way of the bytes, where the JSON says some."""
    layout = question.fields["layout"]
    reply = answer(question.request())
    if reply["ok"]:
        for data in smaller_definition(tree_of(layout, bytes.fromhex(reply["bytes"]))):
            again = answer({"op": "module.decode", "bytes": data.hex(), "layout": layout})
            if again["ok"]:
                yield question.with_fields(json=again["json"])
    yield from (question.with_fields(json=text) for text in smaller_json(question.fields["json"]))


def _pair(question: Question) -> Iterator[Question]:
    old, new = (question.fields[name] for name in ("old", "new"))
    yield from (question.with_fields(old=one, new=other) for one, other in smaller_pair(old, new))


def _sql(question: Question) -> Iterator[Question]:
    yield from (question.with_fields(sql=text) for text in smaller_sql(question.fields["sql"]))
    yield from _definition("module")(question)


def _name(question: Question) -> Iterator[Question]:
    yield from (question.with_fields(name=text) for text in smaller_name(question.fields["name"]))


_REDUCERS: dict[str, Callable[[Question], Iterator[Question]]] = {
    "value.decode": _value,
    "value.encode": _value,
    "name": _name,
    "module.decode": _definition("bytes"),
    "module.encode": _module_json,
    "module.validate": _definition("bytes"),
    "module.convert": _definition("bytes"),
    "module.describe": _definition("bytes"),
    "migrate": _pair,
    "sql.check": _sql,
}
