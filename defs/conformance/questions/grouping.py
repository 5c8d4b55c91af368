"""Questions that differ in the same way, of which a few are kept: the smallest, about different types."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from bsatn.codec import Codec
from bsatn.errors import BsatnError
from bsatn.types import AlgebraicType, Typespace
from defs.conformance.questions.comparing import Outcome
from defs.conformance.questions.making import Question

__all__ = ["VARIETY", "Asked", "Group"]

VARIETY = 4  #: questions of a group that are shrunk


class Asked(NamedTuple):
    """A question, what is expected, and what the testee answers."""

    question: Question
    expected: Outcome
    got: Outcome


@dataclass(slots=True)
class Group:
    """Questions with one signature; the smallest about each set of types, with its number and both answers."""

    count: int = 0
    first: int = 0
    smallest: dict[str, tuple[int, int, Asked]] = field(default_factory=dict)

    def add(self, number: int, asked: Asked) -> None:
        self.first = number if not self.count else min(self.first, number)
        self.count += 1
        about = _about(asked.question)
        found = (asked.question.size, number, asked)
        if about not in self.smallest or found[:2] < self.smallest[about][:2]:
            self.smallest[about] = found

    def some(self) -> list[Asked]:
        return [asked for *_, asked in sorted(self.smallest.values(), key=lambda one: one[:2])[:VARIETY]]


def _about(question: Question) -> str:
    """The kinds of types in a question about a value."""
    kind = question.fields.get("type")
    if not isinstance(kind, bytes):
        return ""
    with suppress(BsatnError):
        space = Codec(Typespace).decode(question.fields.get("typespace", bytes(4)))
        texts = [repr(one) for one in (Codec(AlgebraicType).decode(kind), *space.types)]
        return " ".join(sorted({name for name in _KINDS if any(name in text for text in texts)}))
    return ""


_KINDS = (
    "ref", "array", "product", "sum_", "option", "result", "Bool", "String", "Bytes", "I8", "U8", "I16", "U16", "I32", "U32",
    "I64", "U64", "I128", "U128", "I256", "U256", "F32", "F64", "Identity", "Timestamp", "ScheduleAt",
)  # fmt: skip
