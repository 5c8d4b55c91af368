"""From answers of the crates to the verdict of a case: one rule for values, types and definitions.

What no crate says, the offset of an error, and the verdict on input that kills the reference, is this project's, and the case
says so in `derived`. Where both a bound and no bound are right the verdict is `implementation-defined`.
"""

from __future__ import annotations

from typing import Any

from defs.testee import answer as ours
from defs.vectors.files import Case
from defs.vectors.generation.programs import Answer

__all__ = ["from_hex", "own", "verdict"]

_DECODED = ("unread", "value", "json", "canonical", "reencoded")


def from_hex(form: Any) -> Any:
    """An answer's semantic form, with byte strings for `{"hex": ...}`."""
    if isinstance(form, dict):
        return bytes.fromhex(form["hex"])
    return [from_hex(one) for one in form] if isinstance(form, list) else form


def own(case: Case) -> Answer:
    """What this project answers to a case about a value."""
    asked = {name: case[name].hex() for name in ("type", "typespace", "bytes")}
    return ours({"op": "value.decode", **asked})


def verdict(case: Case, answer: Answer, reply: Answer) -> Case:
    """The case with its verdict: `answer` is the crates', `reply` this project's to the same input."""
    ours_refuses, bound = not reply["ok"], reply.get("error") == "LimitExceeded"
    place = {"offset": reply["offset"]} if ours_refuses and "offset" in reply else {}
    derived = [*place] if place else []
    if bound:
        choices = [{"choice": "bounded", "verdict": "reject", "error": "LimitExceeded", **place}]
        if "crashed" not in answer:
            choices.append({"choice": "unbounded", **_plain(case, answer, place={}, brief=True)})
        flags = {"reference-crashes"} if "crashed" in answer else set()
        return _flagged(case, flags, verdict="implementation-defined", choices=choices, derived=["choices"])
    if "crashed" in answer and not ours_refuses:
        eager = {"choice": "eager", "verdict": "reject", "error": "InvalidTypeRef"}
        lazy = {"choice": "lazy", "verdict": "accept", "canonical": reply["bytes"] == case["bytes"].hex()}
        fields = {"verdict": "implementation-defined", "choices": [eager, lazy], "derived": ["choices"]}
        return _flagged(case, {"reference-crashes"}, **fields)
    if "crashed" in answer:
        refusal = {"verdict": "reject", "error": reply["error"], **place}
        return _flagged(case, {"reference-crashes"}, **refusal, derived=["verdict", "error", *derived])
    if answer.get("error") == "AllocationFailed":
        reserving = {"choice": "reserving", "verdict": "reject", "error": "AllocationFailed"}
        growing = {"choice": "growing", "verdict": "reject", "error": reply.get("error", "BufferLength"), **place}
        choices = [reserving, growing]
        return _flagged(case, {"huge-count"}, verdict="implementation-defined", choices=choices, derived=["choices"])
    if answer.get("unread"):
        end = len(case["bytes"]) - answer["unread"]
        strict = {"choice": "strict", "verdict": "reject", "error": "TrailingBytes", "offset": end}
        lax = {"choice": "lax", **_plain(case, answer, place={})}
        return _flagged(case, {"trailing"}, verdict="implementation-defined", choices=[strict, lax], derived=["choices"])
    same = reply.get("error") == answer.get("error")
    told = {"derived": derived} if same and derived else {}
    return _flagged(case, set(), **_plain(case, answer, place=place if same else {}), **told)


def _plain(case: Case, answer: Answer, place: dict[str, Any], brief: bool = False) -> Case:
    if "error" in answer:
        return {"verdict": "reject", "error": answer["error"], **place}
    read = case["bytes"][: len(case["bytes"]) - answer["unread"]]
    again = bytes.fromhex(answer["reencoded"])
    found: Case = {"verdict": "accept", "canonical": again == read}
    if answer["unread"]:
        found["unread"] = answer["unread"]
    if again != read:
        found["reencoded"] = again
    if not brief and answer.get("value") is not None:
        found["value"] = from_hex(answer["value"])
    if not brief and answer.get("json") is not None:
        found["json"] = answer["json"]
    return found


def _flagged(case: Case, flags: set[str], **fields: Any) -> Case:
    return {**case, **fields, "flags": sorted({*case.get("flags", ()), *flags})}
