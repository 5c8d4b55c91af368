"""The builder against the Rust query builder's own texts, case by case; and descriptions that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defs.query import QueryError, render
from defs.testee import answer

REFERENCE = Path(__file__).parents[4] / "vectors" / "reference" / "query_builder.jsonl.gz"
with gzip.open(REFERENCE, "rt", encoding="utf-8") as _lines:
    CASES = [json.loads(line) for line in _lines]


def test_there_are_cases() -> None:
    assert len(CASES) == 260


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_reference(case: dict[str, Any]) -> None:
    assert render(case["description"]) == case["sql"]
    reply = answer({"op": "query.render", "description": case["description"]})
    assert reply == {"ok": True, "sql": case["sql"]}


WRONG: list[tuple[Any, str]] = [
    (None, "a description is an object"),
    ({}, "`table` is a string"),
    ({"table": "t", "filters": {}}, "`filters` is a list"),
    ({"table": "t", "filters": [3]}, "a filter is an object"),
    ({"table": "t", "filters": [{"op": "xor", "args": []}]}, "there is no filter 'xor' of 0 arguments"),
    ({"table": "t", "filters": [{"op": "not", "args": []}]}, "there is no filter 'not' of 0 arguments"),
    ({"table": "t", "filters": [{"op": "const", "value": 1}]}, "true or false"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c"}]}, "a value is an object"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c", "value": {"type": "u7"}}]}, "no value of type 'u7'"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c", "value": {"type": "u8", "value": 3}}]}, "3 is no u8"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c", "value": {"type": "u8", "value": "256"}}]}, "256 is not in it"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c", "value": {"type": "f32", "bits": "0"}}]}, "'0' is no f32"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c", "value": {"type": "uuid", "value": "x" * 32}}]}, "is no uuid"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c", "value": {"type": "timestamp", "value": "9" * 30}}]}, "timestamp"),
    ({"table": "t", "filters": [{"op": "eq", "column": "c", "value": {"type": "bytes", "value": None}}]}, "None is no bytes"),
    ({"table": "t", "filters": [], "join": {"table": "u", "kind": "cross", "on": ["a", "b"]}}, "the join's kind"),
    ({"table": "t", "filters": [], "join": {"table": "u", "kind": "left_semijoin", "on": ["a"]}}, "two names"),
    ({"view": "v", "args": "x"}, "`args` is a list"),
]


@pytest.mark.parametrize(("description", "message"), WRONG, ids=lambda part: part if isinstance(part, str) else "")
def test_what_is_no_description(description: Any, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        render(description)
    reply = answer({"op": "query.render", "description": description})
    assert not reply["ok"]
    assert message in reply["message"]


def test_filters_have_a_depth() -> None:
    nested: dict[str, Any] = {"op": "column", "column": "c"}
    for _ in range(100_000):
        nested = {"op": "not", "args": [nested]}
    with pytest.raises(QueryError, match="nested deeper"):
        render({"table": "t", "filters": [nested]})
    while nested["op"] == "not":  # freed step by step
        nested = nested["args"].pop()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["table", "filters", "op", "value"]), inner),
    max_leaves=8,
)


@given(JSON)
def test_nothing_makes_it_raise_otherwise(description: Any) -> None:
    reply = answer({"op": "query.render", "description": description})
    assert reply["ok"] in (True, False)
    assert reply.get("error") != "Internal"
