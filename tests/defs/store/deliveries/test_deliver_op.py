"""The testee's op `deliver`: as the library answers, and in words where the request is none."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from delivery_cases import arena, cases

from defs import raw
from defs.convert import to_v10
from defs.testee import answer

MODULE = raw.encode(to_v10(arena())).hex()
ANN = "010000000100000000000000"


def request(**fields: Any) -> dict[str, Any]:
    return {"op": "deliver", "module": MODULE, "setup": {}, "tx": [], "queries": [], **fields}


@pytest.mark.parametrize("upstream", [True, False])
def test_cases_of_the_reference(upstream: bool) -> None:
    chosen = [case for case in cases() if any("skipped" in query for query in case["queries"])] + cases()[:20]
    for case in chosen:
        asked = {field: case[field] for field in ("module", "setup", "tx", "caller_identity")}
        found = answer(request(**asked, queries=[query["sql"] for query in case["queries"]], upstream=upstream))
        want = []
        for query in case["queries"]:
            sent = query if upstream else query.get("skipped", query)
            first = {field: query[field] for field in ("initial", "initial_sent")}
            want.append({**first, "inserts": sent["inserts"], "deletes": sent["deletes"]})
        assert found == {"ok": True, "queries": want}, case["id"]


def test_without_a_caller_sender_is_nobody() -> None:
    rows = [{"bsatn": (bytes(32) + bytes([5, 0, 0, 0])).hex()}, {"bsatn": (bytes([1]) * 36).hex()}]
    found = answer(request(setup={"notes": rows}, queries=["SELECT * FROM notes WHERE owner = :sender"]))
    assert found["queries"][0]["initial"] == [rows[0]["bsatn"]]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"module": "zz"}, "BadRequest"),
        ({"module": "09"}, "InvalidTag"),
        ({"setup": []}, "BadRequest"),
        ({"setup": {"users": [ANN]}}, "BadRequest"),
        ({"setup": {"users": [{"bsatn": "01"}]}}, "InvalidRow"),
        ({"setup": {"nobody": [{"bsatn": ANN}]}}, "TableNotFound"),
        ({"tx": {}}, "BadRequest"),
        ({"tx": ["insert"]}, "BadRequest"),
        ({"tx": [{"op": "update", "table": "users", "row": ANN}]}, "BadRequest"),
        ({"tx": [{"op": "insert", "table": "users", "row": ANN + "00"}]}, "InvalidRow"),
        ({"queries": "SELECT * FROM users"}, "BadRequest"),
        ({"queries": ["SELECT * FROM nowhere"]}, "SqlError"),
        ({"queries": ["SELECT * FROM *"]}, "SqlError"),
        ({"queries": ["SELECT * FROM secrets"]}, "SqlError"),
        ({"caller_identity": "0a"}, "BadRequest"),
        ({"upstream": 1}, "BadRequest"),
    ],
)
def test_requests_that_are_none(fields: dict[str, Any], error: str) -> None:
    found = answer(request(**fields))
    assert (found["ok"], found.get("error")) == (False, error), found
    assert found["message"]
