"""What differs between two replies to one question, and of which kind the difference is.

Levels are those of the checks of golden cases: required are the verdict, bytes, the value, what a migration does; recommended
are kinds of errors, offsets and words. A bound of an implementation (LimitExceeded) is no difference, and bytes left over that
one side ignores are a recommended one, as both are right by the vectors. A crash is always a difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.errors import BsatnError
from defs.conformance.asking import RECOMMENDED, REQUIRED, Crashed, Difference, Level, Reply
from defs.conformance.checks.common import differs, json_differs
from defs.conformance.questions.making import Question
from defs.conformance.questions.trees import is_bytes, resolve

__all__ = ["Outcome", "Signature", "compare", "describe_outcome", "signature"]

Outcome: TypeAlias = Reply | Crashed
Signature: TypeAlias = tuple[str, ...]  #: the op, then each difference in words that say nothing of one value

_BOUND = "LimitExceeded"


def compare(question: Question, expected: Outcome, got: Outcome) -> list[Difference]:
    """What differs, required differences first."""
    if isinstance(expected, Crashed) or isinstance(got, Crashed):
        return [Difference("crash", describe_outcome(expected), describe_outcome(got))]
    if _BOUND in (expected.get("error"), got.get("error")):
        return []
    if expected["ok"] and got["ok"]:
        found = [one for part in _PARTS[question.op] for one in part(expected, got)]
    else:
        found = list(_refused(question, expected, got))
    return sorted(found, key=lambda one: one.level != REQUIRED)


def describe_outcome(outcome: Outcome) -> str:
    """`accept`, `reject` and the error's kind, or how it crashed."""
    if isinstance(outcome, Crashed):
        return f"crashed ({outcome.how})"
    return "accept" if outcome["ok"] else f"reject ({outcome.get('error')})"


def _refused(question: Question, expected: Reply, got: Reply) -> Iterator[Difference]:
    """At least one side refuses."""
    if expected["ok"] != got["ok"]:
        lax = "TrailingBytes" in (expected.get("error"), got.get("error"))
        lenient = question.op.endswith(".encode") and not expected["ok"]  # nothing says which JSON must be refused
        level: Level = RECOMMENDED if lax or lenient else REQUIRED
        yield Difference("trailing" if lax else "verdict", describe_outcome(expected), describe_outcome(got), level)
    elif not question.op.endswith(".encode"):
        yield from differs("error", expected.get("error"), got.get("error"), RECOMMENDED)
        if expected.get("error") == got.get("error") and "offset" in expected and "offset" in got:
            yield from differs("offset", expected["offset"], got.get("offset"), RECOMMENDED)


_Part: TypeAlias = Callable[[Reply, Reply], Iterator[Difference]]


def _field(name: str, level: Level = REQUIRED) -> _Part:
    return lambda expected, got: differs(name, expected.get(name), got.get(name), level)


def _json(expected: Reply, got: Reply) -> Iterator[Difference]:
    """JSON that one side does not write is a recommended difference: the crates write none of unnamed fields."""
    texts = expected.get("json"), got.get("json")
    if None in texts:
        yield from differs("no json", texts[0] is None, texts[1] is None, RECOMMENDED)
    else:
        yield from json_differs("json", str(texts[0]), texts[1])


def _bag(name: str, level: Level) -> _Part:
    """A list without order."""

    def part(expected: Reply, got: Reply) -> Iterator[Difference]:
        ours, theirs = (sorted(reply.get(name) or [], key=json.dumps) for reply in (expected, got))
        yield from differs(name, ours, theirs, level)

    return part


def _message(expected: Reply, got: Reply) -> Iterator[Difference]:
    """A query's error, unless a third party's parser worded it."""
    if not str(expected.get("message", "")).startswith("sql parser error"):
        yield from differs("message", expected.get("message"), got.get("message"), RECOMMENDED)


_PARTS: dict[str, tuple[_Part, ...]] = {
    "value.decode": (_field("bytes"), _json, _field("unread")),
    "value.encode": (_field("bytes"),),
    "name": (_field("identifier"), _field("snake"), _field("camel"), _field("pascal")),
    "module.decode": (_field("version"), _field("bytes"), _json),
    "module.encode": (_field("bytes"),),
    "module.validate": (_field("valid"), _field("errors", RECOMMENDED), _field("warnings", RECOMMENDED)),
    "module.convert": (_field("bytes"),),
    "module.describe": (_field("text", RECOMMENDED),),
    "migrate": (
        _field("verdict"), _field("prechecks"), _field("steps"), _field("text", RECOMMENDED), _bag("errors", RECOMMENDED),
    ),
    "sql.check": (
        _field("verdict"), _field("returns"), _field("is_event"), _field("lookup"), _field("lookup_side"),
        _field("stage", RECOMMENDED), _message,
    ),
}  # fmt: skip


# Kinds of difference ----------------------------------------------------------------------------------------------------


def signature(question: Question, found: list[Difference]) -> Signature:
    """What the worst of the differences are, without the values; the same for two questions that one fault explains."""
    level = found[0].level
    worst = [one for one in found if one.level == level]
    return (question.op, *dict.fromkeys(_words(question, one) for one in worst))


def _words(question: Question, one: Difference) -> str:
    shown = _SAYING.get(one.what)
    return f"{one.what}{shown(question, one) if shown else ''}"


def _both(_: Question, one: Difference) -> str:
    return f": {one.expected} / {one.got}"


def _kinds(_: Question, one: Difference) -> str:
    """Kinds of errors of a list that only one side reports; or that the same are told in other words."""
    lists: list[list[str]] = [
        sorted(str(error.get("kind")) for error in errors or [] if isinstance(error, Mapping))
        for errors in (one.expected, one.got)
    ]
    missing, extra = (sorted(set(ours) - set(theirs)) for ours, theirs in (lists, lists[::-1]))
    if not missing and not extra:
        return ": the same kinds" if lists[0] == lists[1] else ": how often"
    return f": {' '.join(missing) or 'nothing'} / {' '.join(extra) or 'nothing'}"


def _kind_of_leaf(question: Question, one: Difference) -> str:
    """The type of the first part that differs, of a value's JSON."""
    kind = question.fields.get("type")
    if question.op != "value.decode" or not isinstance(kind, bytes) or not isinstance(one.got, str):
        return ""
    try:
        space = Codec(t.Typespace).decode(question.fields.get("typespace", bytes(4)))
        place = _differing(Codec(t.AlgebraicType).decode(kind), space, json.loads(one.expected), json.loads(one.got))
    except (ValueError, RecursionError, BsatnError):
        return " that is none"
    return f" of {place}"


def _differing(kind: t.AlgebraicType, space: t.Typespace, one: Any, other: Any) -> str:
    kind = resolve(kind, space)
    name = t.special_name(kind) or (kind.name if isinstance(kind, t.Primitive) else type(kind).__name__.removesuffix("Type"))
    if t.special_name(kind) and not isinstance(kind, t.SumType):
        return name
    pairs: list[tuple[t.AlgebraicType, Any, Any]] = []
    match kind, one, other:
        case t.ArrayType(element), list(), list() if len(one) == len(other) and not is_bytes(kind, space):
            pairs = [(element, *pair) for pair in zip(one, other, strict=True)]
        case t.ProductType(elements), list(), list() if len(one) == len(other) == len(elements):
            pairs = [(part.algebraic_type, *pair) for part, *pair in zip(elements, one, other, strict=True)]
        case t.SumType(variants), [int(tag), inner], [int(same), theirs] if tag == same < len(variants):
            pairs = [(variants[tag].algebraic_type, inner, theirs)]
        case ((t.ProductType() | t.SumType()), dict(), dict()) if one.keys() == other.keys():
            parts = kind.elements if isinstance(kind, t.ProductType) else kind.variants
            pairs = [(part.algebraic_type, one[part.name], other[part.name]) for part in parts if part.name in one]
    for part, *pair in pairs:
        if list(json_differs("", json.dumps(pair[0]), json.dumps(pair[1]))):
            return _differing(part, space, *pair)
    return name


_SAYING: dict[str, Callable[[Question, Difference], str]] = {
    "crash": _both,
    "verdict": _both,
    "trailing": _both,
    "error": _both,
    "errors": _kinds,
    "valid": _both,
    "stage": _both,
    "json": _kind_of_leaf,
    "offset": lambda question, one: "",
}
