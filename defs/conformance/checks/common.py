"""What checks share: differences, parts that may be skipped, bytes decoded and encoded again, JSON compared as numbers."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from defs.conformance.asking import RECOMMENDED, REQUIRED, Ask, Difference, Level, Reply, Skipped, hexed

if TYPE_CHECKING:
    from defs.vectors.files import Case

__all__ = [
    "accepted", "bytes_of", "decoded", "differs", "from_json", "json_differs", "parts", "refusal", "same_json",
]  # fmt: skip


def differs(what: str, expected: Any, got: Any, level: Level = REQUIRED) -> Iterator[Difference]:
    """One difference, if there is one; bytes are hex, and no boolean is a number."""
    expected, got = hexed(expected), hexed(got)
    if not _same(expected, got, exact=True):
        yield Difference(what, expected, got, level)


def parts(*checks: Iterator[Difference]) -> Iterator[Difference]:
    """All of the checks; one that is skipped does not stop the others."""
    for check in checks:
        with suppress(Skipped):
            yield from check


def decoded(case: Case, ask: Ask, op: str, fields: Mapping[str, Any]) -> Iterator[Difference]:
    """The case's bytes, decoded by `op` and encoded again. Of an implementation-defined verdict any choice is right."""
    reply = ask(op, {**fields, "bytes": case["bytes"]})
    if case["verdict"] != "implementation-defined":
        yield from _judged(case, case, reply)
        return
    tried = {choice["choice"]: list(_judged(case, choice, reply)) for choice in case["choices"]}
    closest = min(tried.values(), key=lambda found: (any(one.level == REQUIRED for one in found), len(found)))
    if any(one.level == REQUIRED for one in closest):
        yield from (Difference(f"{name}: {one.what}", one.expected, one.got) for name, (one, *_) in tried.items())
    else:
        yield from closest


def _judged(case: Case, expected: Case, reply: Reply) -> Iterator[Difference]:
    """What differs from one verdict."""
    if reply["ok"] != (expected["verdict"] == "accept"):
        yield Difference("verdict", expected["verdict"], "accept" if reply["ok"] else f"reject ({refusal(reply)})")
    elif expected["verdict"] == "reject":
        yield from differs("error", expected["error"], reply.get("error"), RECOMMENDED)
        if "offset" in expected:
            yield from differs("offset", expected["offset"], reply.get("offset"), RECOMMENDED)
    else:
        again = expected.get("reencoded", case["bytes"][: len(case["bytes"]) - expected.get("unread", 0)])
        yield from differs("re-encoded", again, reply.get("bytes"))
        if "json" in expected:
            yield from json_differs("json", expected["json"], reply.get("json"))


def from_json(case: Case, ask: Ask, op: str, fields: Mapping[str, Any]) -> Iterator[Difference]:
    """The case's JSON, encoded by `op`, gives the canonical bytes."""
    if case["verdict"] == "accept" and "json" in case:
        reply = ask(op, {**fields, "json": case["json"]})
        again: bytes = case["reencoded" if "reencoded" in case else "bytes"]
        yield from differs("from json", again, bytes_of(reply))


def accepted(reply: Reply) -> Iterator[Difference]:
    """That the question is answered at all, where nothing that is asked can be refused."""
    if not reply["ok"]:
        yield Difference("ok", True, f"false ({refusal(reply)})")


def refusal(reply: Reply) -> str:
    """Why the testee refused."""
    return f"{reply.get('error')}: {reply.get('message')}"


def bytes_of(reply: Reply) -> Any:
    """The reply's bytes, or for a difference to show, why there are none."""
    return reply.get("bytes") if reply["ok"] else refusal(reply)


# -- JSON


def json_differs(what: str, expected: str, got: Any, level: Level = REQUIRED) -> Iterator[Difference]:
    """Whether two JSON texts say the same: objects in any order of keys, numbers by what they are worth.

    A float that is the nearest of 32 bits to the expected one is the same; the bytes tell those of 64 apart.
    """
    if not isinstance(got, str) or not same_json(expected, got):
        yield Difference(what, expected, got, level)


def same_json(expected: str, got: str) -> bool:
    try:
        return _same(json.loads(expected), json.loads(got, parse_constant=_no_number), exact=False)
    except (ValueError, RecursionError):
        return False


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _same(expected: Any, got: Any, *, exact: bool) -> bool:
    """Without recursion, as answers nest as deep as they like."""
    pairs = [(expected, got)]
    while pairs:
        one, other = pairs.pop()
        match one, other:
            case dict(), dict():
                if one.keys() != other.keys():
                    return False
                pairs += [(one[name], other[name]) for name in one]
            case list(), list():
                if len(one) != len(other):
                    return False
                pairs += zip(one, other, strict=True)
            case (bool(), _) | (_, bool()):
                if one is not other:
                    return False
            case (int() | float(), int() | float()) if not exact:
                if not _same_number(one, other):
                    return False
            case _:
                if one != other:
                    return False
    return True


def _same_number(expected: float, got: float) -> bool:
    """Integers by all their digits; floats as the nearest ones that there are."""
    if expected == got or not isinstance(expected, float):
        return expected == got
    try:
        return float(got) == expected or struct.pack("<f", got) == struct.pack("<f", expected)
    except (OverflowError, struct.error):
        return False
