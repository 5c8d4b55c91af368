"""The testee's answers about names and validity, against every recorded answer of the reference."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from defs.testee import answer

REFERENCE = Path(__file__).parents[2] / "vectors" / "reference"


def cases(file: str) -> list[dict[str, Any]]:
    with gzip.open(REFERENCE / f"{file}.jsonl.gz") as lines:
        return [json.loads(line) for line in lines]


def test_every_name_gets_the_reference_answers() -> None:
    for case in cases("names"):
        reply = answer({"op": "name", "name": case["name"]})
        assert reply["identifier"] == case["identifier"].split(" ")[0], case["id"]
        assert all(reply[spelling] == case[spelling] for spelling in ("snake", "camel", "pascal")), case["id"]


@pytest.mark.parametrize("file", ["modules", "modules_v8"])
def test_every_definition_gets_the_reference_verdict(file: str) -> None:
    for case in cases(file):
        reply = answer({"op": "module.validate", "bytes": case["bytes"]})
        assert reply["ok"]
        assert reply["valid"] == case["valid"], case["id"]
        if case["valid"]:
            assert (reply["errors"], reply["warnings"]) == ([], case["warnings"]), case["id"]
        elif not case.get("reference_crashed"):
            said = Counter((error["kind"], error["message"]) for error in reply["errors"])
            assert said == Counter((error["kind"], error["message"]) for error in case["errors"]), case["id"]


@pytest.mark.parametrize("file", ["modules", "modules_v8"])
def test_every_valid_definition_is_described_as_the_reference_does(file: str) -> None:
    for case in cases(file):
        reply = answer({"op": "module.describe", "bytes": case["bytes"]})
        if case["valid"]:
            assert reply == {"ok": True, "text": case["describe"]}, case["id"]
        else:
            assert (reply["ok"], reply["error"]) == (False, "InvalidModule"), case["id"]
            assert reply["errors"]


def test_bytes_that_do_not_decode_are_no_verdict() -> None:
    assert answer({"op": "module.validate", "bytes": "0201"})["error"] == "BufferLength"
