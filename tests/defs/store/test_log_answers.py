"""The testee's answers about logs are those of the reference."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from defs.testee import answer

sys.path.insert(0, str(Path(__file__).parent))

from log_cases import ROOT, SCENARIOS, expected

INTACT = [name for name in SCENARIOS if not name.startswith("damaged_") and expected(name)["replayed"]["ok"]]


def without_text(answered: Any) -> Any:
    """JSON texts read."""
    if isinstance(answered, list):
        return [without_text(one) for one in answered]
    if isinstance(answered, dict):
        return {name: json.loads(one) if name == "json" else without_text(one) for name, one in answered.items()}
    return answered


@pytest.mark.parametrize("scenario", INTACT)
def test_log_read(scenario: str) -> None:
    reply = without_text(answer({"op": "log.read", "path": str(ROOT / scenario), "id": 7}))
    want = expected(scenario)
    assert (reply["ok"], reply["id"]) == (True, 7)
    assert bool(reply["damage"]) == (scenario == "recovered")
    for found, segment in zip(reply["segments"], want["segments"], strict=True):
        assert found == {name: segment[name] for name in found}
    assert len(reply["commits"]) == len(want["commits"])
    for found, commit in zip(reply["commits"], want["commits"], strict=True):
        commit = {name: commit[name] for name in found if name in commit}
        for tx in commit.get("txs", ()):
            del tx["reencodes_identically"]
        assert found == {"txs": found["txs"], **commit}


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("scenario", INTACT)
def test_log_replay(scenario: str) -> None:
    reply = without_text(answer({"op": "log.replay", "path": str(ROOT / scenario)}))
    want = expected(scenario)
    assert reply["next_tx_offset"] == want["next_tx_offset"]
    for found, table in zip(reply["tables"], sorted(want["replayed"]["tables"], key=lambda one: one["table_id"]), strict=True):
        assert found == {"rows": found["rows"], **found, **{name: table[name] for name in found if name in table}}


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(("op", "error"), [("log.read", None), ("log.replay", "TornCommit")])
def test_a_damaged_log(op: str, error: str | None) -> None:
    reply = answer({"op": op, "path": str(ROOT / "damaged_cut_payload")})
    assert reply.get("error") == error
    if error is None:
        (damage,) = reply["damage"]
        assert (damage["kind"], damage["byte_offset"], damage["tx_offset"]) == ("TornCommit", 60044, 290)
        assert len(reply["commits"]) == 290


@pytest.mark.parametrize(("path", "error"), [("/nowhere", "NotFound"), ("/", "NotALog"), (7, "BadRequest")])
@pytest.mark.parametrize("op", ["log.read", "log.replay"])
def test_no_log(op: str, path: object, error: str) -> None:
    reply = answer({"op": op, "path": path})
    assert (reply["ok"], reply["error"]) == (False, error)
