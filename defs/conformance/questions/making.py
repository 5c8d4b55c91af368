"""Questions by op: a row of `MAKERS` says how often one is asked, and draws its fields.

A question follows from its seed and its number alone. Four questions in a row share a type, since making a codec costs more
than using it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.wiretypes import ALGEBRAIC_TYPE_SHAPE
from defs.conformance.asking import hexed
from defs.conformance.questions.definitions import Definition, corpus, edited
from defs.conformance.questions.drawing import NAMES, TEXTS, draw_space, draw_type, draw_value
from defs.conformance.questions.queries import draw_sql, tables_of
from defs.conformance.questions.texts import edited_json
from defs.query.sql import CALLERS, PROTOCOLS
from defs.testee import answer
from defs.vectors.generation.values import mutated

__all__ = ["MAKERS", "Question", "make"]

Fields: TypeAlias = dict[str, Any]

assert ALGEBRAIC_TYPE_SHAPE  # types are encoded below
_KINDS, _SPACES = Codec(t.AlgebraicType), Codec(t.Typespace)
_SHARED = 4  #: questions in a row about one type


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; bytes are bytes."""

    op: str
    fields: Mapping[str, Any] = field(hash=False)

    @property
    def size(self) -> int:
        """Bytes and characters in all."""
        return sum(len(value) for value in self.fields.values() if isinstance(value, (bytes, str)))

    def request(self) -> dict[str, Any]:
        """As the protocol sends it, in the order of its fields."""
        shown: dict[str, Any] = hexed(self.fields)
        return {"op": self.op, **shown}

    def with_fields(self, **fields: Any) -> Question:
        return Question(self.op, {**self.fields, **fields})

    @property
    def key(self) -> str:
        """The same for the same question."""
        return json.dumps(self.request(), sort_keys=True)


class Drawn:
    """The sources of one question: its own, and the one it shares with its neighbours."""

    def __init__(self, seed: int, number: int) -> None:
        self.source = random.Random(f"bsatn {seed} {number}")
        self.shared = random.Random(f"bsatn {seed} about {number // _SHARED}")


def _typed(drawn: Drawn) -> tuple[t.AlgebraicType, t.Typespace]:
    space = draw_space(drawn.shared)
    kind = draw_type(drawn.shared, len(space))
    return kind, space


def _value_fields(kind: t.AlgebraicType, space: t.Typespace) -> Fields:
    fields: Fields = {"type": _KINDS.encode(kind)}
    return {**fields, "typespace": _SPACES.encode(space)} if space.types else fields


def _value_decode(drawn: Drawn) -> Fields:
    source, (kind, space) = drawn.source, _typed(drawn)
    way = source.random()
    data = draw_value(source, kind, space, faulty=0.5 < way < 0.75)
    if way > 0.95:
        data = source.randbytes(source.randrange(12))
    elif way > 0.75:
        data = mutated(data, source)
    fields = {**_value_fields(kind, space), "bytes": data}
    return {**fields, "trailing": "allow"} if source.random() < 0.1 else fields


def _value_encode(drawn: Drawn) -> Fields:
    source, (kind, space) = drawn.source, _typed(drawn)
    fields = _value_fields(kind, space)
    reply = answer({"op": "value.decode", **hexed({**fields, "bytes": draw_value(source, kind, space)})})
    text = reply.get("json", "[]")
    return {**fields, "json": edited_json(source, text) if source.random() < 0.4 else text}


_PIECES = (*NAMES, *TEXTS[:-1], "_", "-", " ", "HTTP", "2D", "ß", "ﬁ", "İ", "日", "Ǆ", "\u0301", "Σ")
_RANGES = ((0x20, 0x7F), (0x80, 0x3000), (0xE000, 0x20000))  #: of code points


def _name(drawn: Drawn) -> Fields:
    source = drawn.source
    pieces = [source.choice(_PIECES) for _ in range(source.randrange(5))]
    if source.random() < 0.4:
        pieces.append(chr(source.randrange(*source.choice(_RANGES))))
    source.shuffle(pieces)
    return {"name": "".join(pieces)}


def _module(drawn: Drawn, group: str, *, damaged: float) -> tuple[Definition, bytes]:
    """A definition of the corpus, edited or not, now and then with broken bytes."""
    source = drawn.source
    one = source.choice(corpus()[group])
    data = edited(source, one, source.choice((0, 1, 1, 2, 3, 5)))
    return one, mutated(data, source) if source.random() < damaged else data


def _module_fields(drawn: Drawn, group: str, damaged: float = 0.0) -> Fields:
    one, data = _module(drawn, group, damaged=damaged)
    return {"bytes": data, "layout": one.release}


def _module_encode(drawn: Drawn) -> Fields:
    one, data = _module(drawn, "any", damaged=0)
    text = answer({"op": "module.decode", "bytes": data.hex(), "layout": one.release}).get("json", '{"V10":{"sections":[]}}')
    source = drawn.source
    return {"json": edited_json(source, text) if source.random() < 0.4 else text, "layout": one.release}


def _module_convert(drawn: Drawn) -> Fields:
    fields = _module_fields(drawn, "valid")
    return {**fields, "to": drawn.source.choice(("v9", "v10"))}


def _migrate(drawn: Drawn) -> Fields:
    one = drawn.source.choice(corpus()["valid"])
    old = edited(drawn.source, one, drawn.source.choice((0, 0, 1)))
    return {"old": old, "new": edited(drawn.source, Definition(one.layout, old, False), drawn.source.choice((1, 1, 2, 3)))}


def _sql_check(drawn: Drawn) -> Fields:
    some = [one for one in corpus()["valid"] if tables_of(one.data)]
    one, source = drawn.shared.choice(some), drawn.source
    sql = draw_sql(source, tables_of(one.data))
    return {"module": one.data, "sql": sql, "caller": source.choice(CALLERS), "protocol": source.choice(PROTOCOLS)}


@dataclass(frozen=True, slots=True)
class Maker:
    """`weight`: how many of the questions it draws, beside the others."""

    weight: int
    draw: Callable[[Drawn], Fields]


MAKERS: dict[str, Maker] = {
    "value.decode": Maker(50, _value_decode),
    "value.encode": Maker(20, _value_encode),
    "name": Maker(5, _name),
    "module.decode": Maker(8, lambda drawn: _module_fields(drawn, "any", 0.3)),
    "module.encode": Maker(4, _module_encode),
    "module.validate": Maker(6, lambda drawn: _module_fields(drawn, "newest", 0.02)),
    "module.convert": Maker(3, _module_convert),
    "module.describe": Maker(1, lambda drawn: _module_fields(drawn, "valid")),
    "migrate": Maker(2, _migrate),
    "sql.check": Maker(2, _sql_check),
}


def make(seed: int, number: int, ops: Sequence[str]) -> Question:
    """Question `number` of a seed; ops are among `MAKERS`."""
    weights = [MAKERS[op].weight for op in ops]
    (op,) = random.Random(f"bsatn {seed} op {number // _SHARED}").choices(ops, weights)
    return Question(op, MAKERS[op].draw(Drawn(seed, number)))
