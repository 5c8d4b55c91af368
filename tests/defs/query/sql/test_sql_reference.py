"""Every case of the reference: the same verdict, and the same of everything that it says."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from defs.query.sql import PROTOCOLS, SqlError, check
from defs.query.sql.checking import Protocol
from defs.query.sql.explain import plan_to_json

sys.path.insert(0, str(Path(__file__).parent))

from sql_cases import cases, catalog_of

#: How many cases there are to compare, by verdict, for each protocol.
COUNTS = {"v2": (374, 476), "v1": (254, 596), "v1_single": (250, 600), "oneoff": (547, 303)}


def expected(case: dict[str, Any], protocol: Protocol) -> dict[str, Any]:
    verdict = case.get(protocol, case["v1"])
    found: dict[str, Any] = case["v2"] if verdict == "same" else verdict
    return found


def answered(case: dict[str, Any], protocol: Protocol) -> dict[str, Any]:
    try:
        found = check(case["sql"], catalog_of(case["module"]), caller=case["caller"], protocol=protocol)
    except SqlError as error:
        inside = error.position is None or 0 <= error.position <= len(case["sql"])
        return {"verdict": "error", "stage": error.stage, "error": error.message} if inside else {}
    reply: dict[str, Any] = {"verdict": "ok", "returns": found.returns, "is_event": found.is_event}
    reply |= {"lookup": found.lookup, "lookup_side": found.lookup_side}
    return reply | ({} if found.all_tables else {"plan": plan_to_json(found.plans[0])})


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_case_gets_the_reference_answer(protocol: Protocol) -> None:
    counts = Counter[str]()
    for case in cases():
        want, have = expected(case, protocol), answered(case, protocol)
        counts[want["verdict"]] += 1
        if want.get("error", "").startswith("sql parser error"):
            assert have["error"].startswith("sql parser error"), (case["id"], have)
            want = {**want, "error": have["error"]}
        assert {field: have.get(field) for field in want} == want, (case["id"], case["sql"])
    assert (counts["ok"], counts["error"]) == COUNTS[protocol]


def test_most_refusals_come_with_a_hint() -> None:
    """All but those of the parser, which say what is expected, and of few odd texts."""
    hints = Counter[bool]()
    for case in cases():
        try:
            check(case["sql"], catalog_of(case["module"]), caller=case["caller"])
        except SqlError as error:
            if not error.message.startswith("sql parser error"):
                hints[bool(error.hint)] += 1
    assert hints[True] > 20 * hints[False]
