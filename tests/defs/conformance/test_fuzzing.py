"""Fuzzing: what is compared, how differences are grouped, that a run can be repeated; and the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from defs.cli import main
from defs.cli.conformance_fuzz import OPS
from defs.conformance.asking import Crashed, Reply, Skipped, hexed
from defs.conformance.fuzzing import Fuzz, Options, fuzz
from defs.conformance.process import BadTestee
from defs.conformance.questions.comparing import compare, signature
from defs.conformance.questions.making import MAKERS, Question
from defs.conformance.shrinking import Budget
from defs.testee import answer

ROOT = Path(__file__).parents[3]
VALUE = Question("value.decode", {"type": bytes([5]), "bytes": b"\0"})


def ok(**fields: Any) -> Reply:
    return {"ok": True, **fields}


def bad(error: str, **fields: Any) -> Reply:
    return {"ok": False, "error": error, "message": "", **fields}


# Comparing


@pytest.mark.parametrize(
    ("op", "expected", "got", "found"),
    [
        ("value.decode", ok(bytes="00", json="1", unread=0), ok(bytes="00", json="1.0", unread=0), []),
        ("value.decode", ok(bytes="00", json="1"), ok(bytes="01", json="1"), [("bytes", "required")]),
        ("value.decode", ok(bytes="00", json="true"), ok(bytes="00", json="1"), [("json", "required")]),
        ("value.decode", ok(bytes="00", json="1"), ok(bytes="00"), [("no json", "recommended")]),
        ("value.decode", ok(bytes="", json="1", unread=1), ok(bytes="", json="1", unread=2), [("unread", "required")]),
        ("value.decode", ok(bytes="00", json="1"), bad("InvalidTag"), [("verdict", "required")]),
        ("value.decode", bad("InvalidTag"), ok(bytes="00", json="1"), [("verdict", "required")]),
        ("value.decode", bad("TrailingBytes"), ok(bytes="00", json="1"), [("trailing", "recommended")]),
        ("value.decode", bad("LimitExceeded"), ok(bytes="00", json="1"), []),
        ("value.decode", bad("LimitExceeded"), bad("InvalidTag"), []),
        ("value.decode", bad("A", offset=1), bad("B", offset=2), [("error", "recommended")]),
        ("value.decode", bad("A", offset=1), bad("A", offset=2), [("offset", "recommended")]),
        ("value.decode", bad("A", offset=1), bad("A"), []),
        ("value.encode", bad("JsonShape"), ok(bytes="00"), [("verdict", "recommended")]),
        ("value.encode", ok(bytes="00"), bad("JsonShape"), [("verdict", "required")]),
        ("value.encode", bad("JsonShape"), bad("Other"), []),
        ("name", ok(identifier="valid", snake="a"), ok(identifier="valid", snake="b"), [("snake", "required")]),
        ("module.validate", ok(valid=True), ok(valid=False), [("valid", "required")]),
        ("module.validate", ok(valid=False, errors=[{"kind": "A"}]), ok(valid=False, errors=[]), [("errors", "recommended")]),
        ("migrate", ok(verdict="manual", errors=[{"kind": "A"}, {"kind": "B"}]),
         ok(verdict="manual", errors=[{"kind": "B"}, {"kind": "A"}]), []),
        ("migrate", ok(verdict="auto", steps=[]), ok(verdict="auto", steps=[{}]), [("steps", "required")]),
        ("sql.check", ok(verdict="error", stage="parse"), ok(verdict="error", stage="type"), [("stage", "recommended")]),
        ("value.decode", Crashed("died", ""), ok(bytes="00"), [("crash", "required")]),
        ("value.decode", ok(bytes="00"), Crashed("late", ""), [("crash", "required")]),
        ("value.decode", Crashed("died", ""), Crashed("died", ""), [("crash", "required")]),
    ],
)  # fmt: skip
def test_what_differs(op: str, expected: Any, got: Any, found: list[tuple[str, str]]) -> None:
    differences = compare(replace(VALUE, op=op), expected, got)
    assert [(one.what, one.level) for one in differences] == found


def kind_of(op: str, expected: Any, got: Any, **fields: Any) -> tuple[str, ...]:
    question = Question(op, {**VALUE.fields, **fields})
    return signature(question, compare(question, expected, got))


def test_signatures_say_what_kind_of_difference_it_is() -> None:
    product = bytes.fromhex("020200000000010000006107000100000062" + "0e")  # (a: U8, b: I128)
    one = kind_of("value.decode", ok(json='{"a":1,"b":2}'), ok(json='{"a":1,"b":3}'), type=product)
    assert one == ("value.decode", "json of I128")
    assert kind_of("value.decode", ok(json='{"a":1,"b":5}'), ok(json='{"a":1,"b":-5}'), type=product) == one
    assert kind_of("value.decode", ok(json='{"a":1,"b":5}'), ok(json='{"a":2,"b":5}'), type=product) != one
    assert kind_of("value.decode", ok(), bad("InvalidTag")) != kind_of("value.decode", ok(), bad("InvalidBool"))
    assert kind_of("value.decode", ok(), Crashed("died", "x")) == kind_of("value.decode", ok(), Crashed("died", "y"))
    assert kind_of("value.decode", ok(), Crashed("died", "")) != kind_of("value.decode", ok(), Crashed("late", ""))
    lists = [{"kind": "A"}, {"kind": "B"}], [{"kind": "A"}]
    both = kind_of("module.validate", ok(valid=False, errors=lists[0]), ok(valid=False, errors=lists[1]))
    assert both == ("module.validate", "errors: B / nothing")
    # a recommended difference beside a required one is not part of it
    mixed = kind_of("module.validate", ok(valid=True, warnings=["a"]), ok(valid=False, warnings=[]))
    assert mixed == ("module.validate", "valid: True / False")


# Runs


def odd(op: str, fields: Mapping[str, Any]) -> Reply:
    """Wrong about strings, and about an enumeration's tag 1."""
    reply = answer({**hexed(fields), "op": op})
    if op == "value.decode" and reply["ok"]:
        return {**reply, "json": reply["json"].replace('"a"', '"A"')}
    return {**reply, "identifier": "valid"} if op == "name" else reply


def shape_of(done: Fuzz) -> list[tuple[Any, ...]]:
    return [(one.signature, one.count, one.number, one.question.key) for one in done.findings]


OPTIONS = Options(ops=("value.decode", "name"), count=100, seed=9, budget=Budget(asks=300, seconds=30))


def test_a_run_can_be_repeated_with_any_number_of_jobs() -> None:
    done = fuzz(odd, None, OPTIONS)
    assert done.asked.total() == 100
    assert done.findings
    assert done.status == 1
    again = fuzz(odd, None, replace(OPTIONS, jobs=3))
    assert (shape_of(again), again.asked, again.different) == (shape_of(done), done.asked, done.different)
    drawn = [shape_of(fuzz(odd, None, replace(OPTIONS, seed=seed, budget=None))) for seed in (9, 10)]
    assert drawn[0] != drawn[1]


def test_a_question_asked_again_by_its_number_is_the_same() -> None:
    from defs.conformance.questions.making import make

    done = fuzz(odd, None, replace(OPTIONS, budget=None))
    finding = done.findings[0]
    question = make(OPTIONS.seed, finding.number, done.ops)
    assert compare(question, answer(question.request()), odd(question.op, question.fields))


def test_the_same_difference_is_told_once() -> None:
    done = fuzz(odd, None, OPTIONS)
    keys = [(one.signature, one.question.key) for one in done.findings]
    assert len(set(keys)) == len(keys)
    names = [one for one in done.findings if one.question.op == "name"]
    assert len(names) >= 1
    assert max(one.count for one in done.findings) > 5


def test_ourselves_against_ourselves() -> None:
    done = fuzz(lambda op, fields: answer({**hexed(fields), "op": op}), None, Options(count=120))
    assert done.findings == []
    assert done.status == 0
    assert set(done.asked) <= set(MAKERS)


def test_skipped_questions_are_counted_apart() -> None:
    def partial(op: str, fields: Mapping[str, Any]) -> Reply:
        if op == "name":
            raise Skipped("no names")
        return answer({**hexed(fields), "op": op})

    done = fuzz(partial, None, OPTIONS)
    assert done.skipped["name"] + done.asked["value.decode"] == 100
    assert done.asked["name"] == 0
    assert done.findings == []


def test_recommended_differences_may_be_left_out() -> None:
    def worded(op: str, fields: Mapping[str, Any]) -> Reply:
        reply = answer({**hexed(fields), "op": op})
        return reply if reply["ok"] else {**reply, "error": "Error"}

    options = replace(OPTIONS, ops=("value.decode",))
    assert fuzz(worded, None, options).findings
    assert not fuzz(worded, None, replace(options, level="required")).findings


def test_an_answer_that_changes_is_told_as_such() -> None:
    count = iter(range(10_000))

    def fickle(op: str, fields: Mapping[str, Any]) -> Reply:
        reply = answer({**hexed(fields), "op": op})
        return {**reply, "snake": "odd"} if op == "name" and next(count) < 30 else reply

    done = fuzz(fickle, None, replace(OPTIONS, ops=("name",), count=30))
    assert [one.differences[0].what for one in done.findings] == ["answers change"]


def test_interrupted_while_it_shrinks_it_tells_the_other_groups_too() -> None:
    def stop(doing: str, done: int, different: int) -> None:
        if doing == "shrunk":
            stopped.append(done)
            if len(stopped) == 1:
                raise KeyboardInterrupt

    stopped: list[int] = []
    done = fuzz(odd, None, OPTIONS, stop)
    assert done.interrupted
    assert {one.signature for one in done.findings} == {one.signature for one in fuzz(odd, None, OPTIONS).findings}


def test_a_testee_that_cannot_be_asked() -> None:
    with pytest.raises(BadTestee):
        fuzz("no-such-command-at-all", None, OPTIONS)
    with pytest.raises(BadTestee):
        fuzz(odd, [sys.executable, "-c", "print('hello')"], OPTIONS)


# The command

TESTEE = """
import json, sys, time
from defs.testee import answer
for line in sys.stdin:
    request = json.loads(line)
    reply = answer(request)
    if request["op"] == "name" and reply.get("identifier") == "valid":
        reply["camel"] = "no\\x1b[31m"
    print(json.dumps(reply), flush=True)
"""


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (tmp_path / "testee.py").write_text(TESTEE)
    return f"{sys.executable} {tmp_path / 'testee.py'}"


def test_the_command(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["conformance", "fuzz", "--testee", command, "--op", "name", "--op", "value.decode", "--count", "60"]
    assert main([*asked, "-o", str(tmp_path / "out")]) == 1
    text = capsys.readouterr().out
    assert "1. name: camel (required, " in text
    assert "\x1b" not in text
    (path, *_) = (tmp_path / "out").iterdir()
    assert json.loads(path.read_text())["area"] == "names"
    assert str(path) in text
    assert main([*asked, "--format", "json"]) == 1
    made = json.loads(capsys.readouterr().out)
    assert made["status"] == 1
    assert made["findings"][0]["signature"] == ["name", "camel"]
    assert sum(made["asked"].values()) == 60
    assert main([*asked[:-2], "--count", "40", "--against", command]) == 0
    assert "no difference in 40 questions" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--testee", "no-such-command-at-all"], 3),
        (["--testee", " "], 2),
        (["--testee", "x", "--op", "hello"], 2),
        (["--testee", "x", "--count", "0"], 2),
        (["--testee", "x", "--seed", "-1"], 2),
        (["--testee", "x", "--seconds", "nan"], 2),
        (["--testee", "x", "--jobs", "0"], 2),
        (["--testee", "x", "--count", "5", "--seconds", "5"], 2),
        ([], 2),
    ],
)
def test_statuses(arguments: list[str], status: int, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        found = main(["conformance", "fuzz", *arguments])
    except SystemExit as error:
        found = int(str(error.code))
    assert found == status
    assert "Traceback" not in capsys.readouterr().err


def test_the_ops_of_the_command_are_those_there_are() -> None:
    assert set(OPS) == set(MAKERS)


def test_interrupted_it_prints_what_it_found(command: str) -> None:
    """A long run, stopped as soon as it has found something."""
    arguments = [
        sys.executable,
        "-m",
        "defs.cli",
        "conformance",
        "fuzz",
        "--testee",
        command,
        "--op",
        "name",
        "--count",
        "900000",
    ]
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "questions, " in line and ", 0 answered" not in line:
            break
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode == 1
    assert "1. name: camel" in out
    assert "interrupted" in out
    assert "Traceback" not in err
