"""Defects planted in a testee: each is found soon, and shrinks to what a person would have written."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bsatn import satsjson
from bsatn.codec import Codec
from bsatn.shapes import Array, Bytes, Int, Product, Shape, Sum
from bsatn.types import AlgebraicType, Typespace
from defs.conformance.asking import Ask, Crashed, Reply, hexed
from defs.conformance.fuzzing import Finding, Fuzz, Options, fuzz
from defs.conformance.process import Testee
from defs.conformance.proposals import case_faults, propose
from defs.conformance.shrinking import Budget
from defs.testee import answer
from defs.vectors.semantic import from_semantic, to_semantic

OPTIONS = Options(ops=("value.decode",), count=300, budget=Budget(asks=1000, seconds=60))


def forms(shape: Shape, form: Any) -> Iterator[tuple[Shape, Any]]:
    yield shape, form
    match shape:
        case Array() if isinstance(form, list):
            for one in form:
                yield from forms(shape.element, one)
        case Product():
            for part, one in zip(shape.fields, form, strict=True):
                yield from forms(part, one)
        case Sum():
            yield from forms(shape.payloads[form[0]], form[1])


def mapped(shape: Shape, form: Any, change: Any) -> Any:
    match shape:
        case Array() if isinstance(form, list):
            return [mapped(shape.element, one, change) for one in form]
        case Product():
            return [mapped(part, one, change) for part, one in zip(shape.fields, form, strict=True)]
        case Sum():
            return [form[0], mapped(shape.payloads[form[0]], form[1], change)]
    return change(shape, form)


def read(fields: Mapping[str, Any]) -> tuple[Shape, Any] | None:
    codec: Codec[Any] = Codec(
        Codec(AlgebraicType).decode(fields["type"]), Codec(Typespace).decode(fields.get("typespace", bytes(4)))
    )
    value = codec.attempt(fields["bytes"])
    return None if value is None else (codec.shape, to_semantic(codec.shape, value[0]))


def told(fields: Mapping[str, Any], reply: Reply, change: Any) -> Reply:
    """The reply with every leaf of the value changed, in its JSON only."""
    found = read(fields)
    if found is None:
        return reply
    value = from_semantic(found[0], mapped(*found, change))
    return {**reply, "json": satsjson.dumps(found[0], value, tuples="array")}


def swapped_booleans(fields: Mapping[str, Any], reply: Reply) -> Reply:
    return told(fields, reply, lambda _, form: not form if isinstance(form, bool) else form)


def ignored_trailing(fields: Mapping[str, Any], reply: Reply) -> Reply:
    if reply.get("error") == "TrailingBytes":
        return {**answer({"op": "value.decode", **hexed(fields), "trailing": "allow"}), "unread": 0}
    return reply


def wrong_sign(fields: Mapping[str, Any], reply: Reply) -> Reply:
    def unsigned(shape: Shape, form: Any) -> Any:
        wide = isinstance(shape, Int) and shape.bits == 128 and shape.signed
        return form.lstrip("-") if wide and form != str(-(1 << 127)) else form

    return told(fields, reply, unsigned)


def lossy_u64(fields: Mapping[str, Any], reply: Reply) -> Reply:
    def rounded(shape: Shape, form: Any) -> Any:
        if isinstance(shape, Int) and shape.bits == 64 and not shape.signed:
            return min(int(float(form)), (1 << 64) - 1)
        return form

    return told(fields, reply, rounded)


def crash_on_empty(fields: Mapping[str, Any], reply: Reply) -> Reply:
    found = read(fields)
    if found and any(isinstance(shape, (Array, Bytes)) and not form for shape, form in forms(*found)):
        raise Crashed("died", "it exited with status 3")
    return reply


def hang_on_tag_7(fields: Mapping[str, Any], reply: Reply) -> Reply:
    found = read(fields)
    if found and any(isinstance(shape, Sum) and form[0] == 7 for shape, form in forms(*found)):
        raise Crashed("late", "no reply in 10 s")
    return reply


def wrong_order(fields: Mapping[str, Any], reply: Reply) -> Reply:
    """Of three fields of one width the first is written last; any other product is right."""
    found = read(fields)
    if found and isinstance(found[0], Product) and len(found[0].fields) == 3:
        data = fields["bytes"]
        third = len(data) // 3
        return {**reply, "bytes": (data[third:] + data[:third]).hex()}
    return reply


def any_text(fields: Mapping[str, Any], reply: Reply) -> Reply:
    if reply.get("error") == "InvalidUtf8":
        return {"ok": True, "json": '"\ufffd"', "bytes": fields["bytes"].hex(), "unread": 0}
    return reply


def planted(defect: Any) -> Ask:
    def ask(op: str, fields: Mapping[str, Any]) -> Reply:
        reply = answer({**hexed(fields), "op": op})
        return defect(fields, reply) if op == "value.decode" else reply

    return ask


#: Of each defect: its kind of difference, the longest type and bytes that a person would need, and the numbers it may end at.
DEFECTS: list[tuple[Any, str, int, int, tuple[int, ...]]] = [
    (swapped_booleans, "json of Bool", 1, 1, ()),
    (ignored_trailing, "trailing: reject (TrailingBytes) / accept", 5, 2, ()),
    (wrong_sign, "json of I128", 1, 16, (1 << 127 | 1,)),
    (lossy_u64, "json of U64", 1, 8, ((1 << 53) + 1,)),
    (crash_on_empty, "crash: accept / crashed (died)", 2, 4, ()),
    (hang_on_tag_7, "crash: accept / crashed (late)", 5 + 8 * 11, 1, ()),
    (wrong_order, "bytes", 5 + 3 * 11, 5, ()),
    (any_text, "verdict: reject (InvalidUtf8) / accept", 1, 5, ()),
]


def smallest(done: Fuzz, kind: str) -> Finding:
    return min((one for one in done.findings if kind in one.signature), key=lambda one: one.question.size)


@pytest.mark.parametrize(
    ("defect", "kind", "longest_type", "longest", "edges"), DEFECTS, ids=[row[0].__name__ for row in DEFECTS]
)
def test_planted(defect: Any, kind: str, longest_type: int, longest: int, edges: tuple[int, ...]) -> None:
    done = fuzz(planted(defect), None, OPTIONS)
    found = smallest(done, kind)
    assert {one.signature for one in done.findings} == {("value.decode", kind)}
    assert len(found.question.fields["type"]) <= longest_type, found.question.request()
    assert len(found.question.fields["bytes"]) <= longest, found.question.request()
    assert "typespace" not in found.question.fields
    assert int.from_bytes(found.question.fields["bytes"], "little") in edges or not edges, found.question.request()
    proposal = propose(found, done)
    assert proposal["area"] == "values", proposal
    assert case_faults("values", proposal["case"]) == []


@pytest.mark.slow
def test_two_defects_are_two_findings() -> None:
    done = fuzz(planted(lambda fields, reply: wrong_sign(fields, any_text(fields, reply))), None, OPTIONS)
    kinds = {one.signature[1] for one in done.findings}
    assert kinds == {"json of I128", "verdict: reject (InvalidUtf8) / accept"}


SCRIPT = """
import json, sys, time
from defs.testee import answer
for line in sys.stdin:
    request = json.loads(line)
    reply = answer(request)
    if request["op"] == "value.decode" and reply.get("json", "").count("[]"):
        DEFECT
    print(json.dumps(reply), flush=True)
"""


@pytest.mark.parametrize(
    ("defect", "kind"),
    [
        ("sys.exit(3)", "died"),
        pytest.param("time.sleep(60)", "late", marks=pytest.mark.slow),
        ("print('{', flush=True)", "nonsense"),
    ],
)
def test_a_process_that_crashes(tmp_path: Path, defect: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hang costs a timeout each time that it is asked again: shrinking ends by its budget, and what it found still fails."""
    root = Path(__file__).parents[3]
    monkeypatch.setenv("PYTHONPATH", str(root))
    script = tmp_path / "testee.py"
    script.write_text(SCRIPT.replace("DEFECT", defect))
    options = Options(ops=("value.decode",), count=40, seed=3, timeout=1.0, budget=Budget(asks=400, seconds=4))
    with ExitStack() as stack:
        stack.enter_context(Testee([sys.executable, str(script)])).hello()
    done = fuzz([sys.executable, str(script)], None, options)
    assert done.crashes
    found = smallest(done, f"crash: accept / crashed ({kind})")
    assert found.question.size <= 30, found.question.request()
