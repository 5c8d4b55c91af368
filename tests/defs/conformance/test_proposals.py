"""Findings as proposed vectors: right by the schema of the files, and true of the side that answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bsatn import types as t
from bsatn.codec import Codec
from bsatn.satn import parse_type
from defs.conformance.asking import Crashed, Reply, hexed, in_process
from defs.conformance.checks import CHECKS
from defs.conformance.fuzzing import Fuzz, Options, fuzz
from defs.conformance.proposals import case_faults, case_of, propose, write_proposals
from defs.conformance.questions.explaining import explained
from defs.conformance.questions.making import MAKERS, Question, make
from defs.testee import answer
from defs.vectors.areas import AREAS, FIELDS
from defs.vectors.files import default_directory
from defs.vectors.schema import faults, load_schema

KINDS = Codec(t.AlgebraicType)


def value(kind: str, data: str, **more: Any) -> Question:
    return Question("value.decode", {"type": KINDS.encode(parse_type(kind)), "bytes": bytes.fromhex(data), **more})


@pytest.mark.parametrize("op", MAKERS)
def test_cases_of_every_op_are_right_and_agree_with_the_checks(op: str) -> None:
    """The check of the case's area, asked of the side that answered, finds nothing required."""
    made = 0
    for number in range(60):
        question = make(4, number, [op])
        reply = answer(question.request())
        found = case_of(question, reply, "bsatn 0")
        if found is None or (not reply["ok"] and op.endswith(".encode")):
            continue
        area, case = found
        made += 1
        assert area in AREAS
        assert case.keys() <= FIELDS.keys()
        assert case_faults(area, case) == [], (case, reply)
        differences = [one for one in CHECKS[area](case, default_directory(), in_process()) if one.level == "required"]
        assert not differences, (question.request(), case, differences)
    assert made > 8 or op == "module.describe"


def test_a_case_says_what_was_answered() -> None:
    question = value("(a: U8, b: Array<Bool>)", "070200000001 00".replace(" ", ""))
    area, case = case_of(question, answer(question.request()), "me 1") or ("", {})
    assert area == "values"
    assert {name: case[name] for name in ("type_text", "verdict", "value", "json", "canonical", "source")} == {
        "type_text": "(a: U8, b: Array<Bool>)",
        "verdict": "accept",
        "value": [7, [True, False]],
        "json": '{"a":7,"b":[true,false]}',
        "canonical": True,
        "source": "me 1",
    }


def test_flags_follow_from_the_case() -> None:
    for kind, data, flags in (
        ("F32", "0100807f", ["nan-payload"]),
        ("I128", "00" * 16, ["wide-integer"]),
        ("Array<U8>", "00000000", ["empty-array"]),
        ("U32", "00", ["truncated"]),
        ("U8", "0000", ["trailing"]),
        ("String", "02000000c3a9", ["non-ascii"]),
    ):
        question = value(kind, data)
        _, case = case_of(question, answer(question.request()), "me") or ("", {})
        assert case["flags"] == flags, kind
        assert case_faults("values", case) == []


def test_bytes_left_over_are_a_choice() -> None:
    for more in ({}, {"trailing": "allow"}):
        question = value("U8", "07aabb", **more)
        _, case = case_of(question, answer(question.request()), "me") or ("", {})
        assert case["verdict"] == "implementation-defined"
        assert [(one["choice"], one["verdict"]) for one in case["choices"]] == [("strict", "reject"), ("lax", "accept")]
        assert (case["choices"][0]["offset"], case["choices"][1]["unread"]) == (1, 2)
        assert case_faults("values", case) == []


def test_the_schema_is_asked() -> None:
    question = value("U8", "07")
    area, case = case_of(question, answer(question.request()), "me") or ("", {})
    assert case_faults(area, {**case, "verdict": "maybe"})
    assert case_faults(area, {**case, "spec": "somewhere"})
    assert case_faults(area, {name: case[name] for name in case if name != "source"})


def wrong(op: str, fields: Mapping[str, Any]) -> Reply:
    """Crashes on strings, and takes one name for another."""
    reply = answer({**hexed(fields), "op": op})
    if op == "value.decode" and reply["ok"] and '"' in reply["json"]:
        raise Crashed("died", "it exited with status 1")
    return {**reply, "snake": "s"} if op == "name" else reply


@pytest.fixture(scope="module")
def done() -> Fuzz:
    return fuzz(wrong, None, Options(ops=("value.decode", "name"), count=120))


def test_files(done: Fuzz, tmp_path: Path) -> None:
    paths = write_proposals(tmp_path / "made", done)
    assert len(paths) == len(set(paths)) == len(done.findings) >= 2
    for path, finding in zip(paths, done.findings, strict=True):
        content = json.loads(path.read_text("utf-8"))
        assert content == json.loads(json.dumps(propose(finding, done)))
        assert path.name.startswith(content["area"])
        head = {"format": 1, "area": content["area"], "group": "proposed", "about": "", "count": 1}
        file = {**head, "cases": [{"id": f"{content['area']}-0001", **content["case"]}]}
        assert list(faults(load_schema(default_directory()), file)) == []
        assert content["found"]["request"] == finding.question.request()
        assert content["found"]["differences"]
        assert "id" not in content["found"]["expected"]
        assert content["case"]["source"].startswith("bsatn ")


def test_a_crash_says_so(done: Fuzz) -> None:
    (found, *_) = [one for one in done.findings if "died" in one.signature[1]]
    content = propose(found, done)
    assert content["found"]["got"] == {"crashed": "died", "detail": "it exited with status 1"}
    assert content["case"]["verdict"] == "accept"


def test_what_no_area_holds_is_a_proposal_without_a_case(done: Fuzz) -> None:
    finding = done.findings[0]
    finding = type(finding)(
        finding.signature, 1, 0, Question("value.encode", {"type": b"\7", "json": "x"}), finding.differences,
        {"ok": False, "error": "JsonSyntax"}, {"ok": True, "bytes": "00"},
    )  # fmt: skip
    content = propose(finding, done)
    assert content["area"] is None
    assert "no area" in content["why"]
    crashed = Crashed("died", "")
    both = type(finding)(finding.signature, 1, 0, finding.question, finding.differences, crashed, crashed)
    assert propose(both, done)["why"] == "both crash"


def test_a_crash_of_the_other_side_is_told_by_the_testee(done: Fuzz) -> None:
    finding, question = done.findings[0], value("U8", "07")
    one = type(finding)(finding.signature, 1, 0, question, finding.differences, Crashed("late", ""), answer(question.request()))
    assert propose(one, done)["case"]["verdict"] == "accept"


def test_questions_for_people() -> None:
    text = explained(value("(a: Bool, b: Bool)", "0007"))
    assert "type (a: Bool, b: Bool)" in text
    assert "byte 7 not valid as `bool`" in text
    assert "no such" not in explained(Question("value.decode", {"type": b"\xff", "bytes": b""}))
    for op in MAKERS:
        for number in range(12):
            assert explained(make(2, number, [op]))
    assert "sql SELECT" in explained(make(1, 1, ["sql.check"]))


def test_bytes_that_are_not_canonical() -> None:
    question = value("U8", "07")
    _, case = case_of(question, {"ok": True, "bytes": "08", "json": "7", "unread": 0}, "me") or ("", {})
    assert (case["canonical"], case["reencoded"]) == (False, b"\x08")
    assert case_faults("values", case) == []
