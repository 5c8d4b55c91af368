"""The planner answers every reference case as the server's crates did: verdict, steps, errors, printed plan."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from defs import migrate, raw
from defs.schema.model import ModuleDef
from defs.testee import answer
from defs.validate import validate

VECTORS = Path(__file__).parents[3] / "vectors"
with gzip.open(VECTORS / "reference" / "migrations.jsonl.gz", "rt", encoding="utf-8") as lines:
    CASES = [json.loads(line) for line in lines]
REAL = json.loads((VECTORS / "modules" / "expected.json").read_text("utf-8"))


def definition(data: str) -> ModuleDef:
    return validate(raw.decode(bytes.fromhex(data)))


def printed(plan: migrate.MigrationPlan, *, color: bool) -> str:
    try:
        return migrate.to_text(plan, color=color)
    except migrate.CannotPrint as error:
        return f"ERR {error.message}"


def answered(old: ModuleDef, new: ModuleDef) -> dict[str, Any]:
    try:
        plan = migrate.plan(old, new)
    except migrate.MigrationErrors as refused:
        return {"verdict": "manual", "errors": [(one.kind, one.debug, one.message) for one in refused.errors]}
    return {**plan.to_json(), "text": printed(plan, color=False), "ansi": printed(plan, color=True)}


def assert_as_expected(got: dict[str, Any], case: dict[str, Any]) -> None:
    fields = ("verdict", "errors") if case["verdict"] == "manual" else ("verdict", "prechecks", "steps", "text", "ansi")
    expected = {name: case[name] for name in fields if name in case}
    if "errors" in expected:
        expected["errors"] = Counter((one["kind"], one["debug"], one["message"]) for one in expected["errors"])
        got = {**got, "errors": Counter(got.get("errors", ()))}
    assert {name: got.get(name) for name in expected} == expected


def test_every_case() -> None:
    seen = Counter(case["verdict"] for case in CASES)
    assert seen == {"auto": 709, "breaks-clients": 189, "manual": 302}
    for case in CASES:
        assert_as_expected(answered(definition(case["old"]), definition(case["new"])), case)


@pytest.mark.parametrize("pair", REAL["pairs"], ids=lambda pair: f"{pair['old']}-{pair['new']}")
def test_real_modules(pair: dict[str, Any]) -> None:
    old, new = (definition(REAL["modules"][pair[side]]["bytes"]) for side in ("old", "new"))
    assert_as_expected(answered(old, new), pair)


def test_errors_are_sorted() -> None:
    """By rank, then fields, whatever order they were found in."""
    several = 0
    for case in CASES[:400]:
        if case["verdict"] == "manual":
            with pytest.raises(migrate.MigrationErrors) as refused:
                migrate.plan(definition(case["old"]), definition(case["new"]))
            errors = refused.value.errors
            assert list(errors) == sorted(errors)
            assert str(refused.value).count("\n") == len(errors) - 1
            several += len(errors) > 1
    assert several > 20


def test_the_testee_says_the_same() -> None:
    for case in CASES[:60]:
        reply = answer({"op": "migrate", "old": case["old"], "new": case["new"]})
        assert reply["ok"]
        assert reply["verdict"] == case["verdict"]
        assert reply.get("text") == case.get("text")
        assert reply.get("steps") == case.get("steps")
        kinds = [one["kind"] for one in case.get("errors", ())]
        assert sorted(one["kind"] for one in reply.get("errors", ())) == sorted(kinds)
    assert answer({"op": "migrate", "old": CASES[0]["old"], "new": "02"})["ok"] is False
    assert answer({"op": "migrate", "old": CASES[0]["old"]})["error"] == "BadRequest"
