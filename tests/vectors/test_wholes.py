"""The vectors of what is more than one value: migrations, logs, traces, queries. All that can be said is said of some case."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from defs import migrate
from defs.conformance.asking import Ask, Difference, Reply, in_process
from defs.conformance.checks import CHECKS
from defs.migrate.errors import MigrationError, TypeChange
from defs.store.commitlog.model import DAMAGE_KINDS
from defs.vectors import Case, read_all
from defs.vectors.tracing import trace_differences
from defs.vectors.verify import differences

VECTORS = Path(__file__).parents[2] / "vectors"
AREAS = ("migrations", "logs", "traces", "subscriptions", "queries")
FILES = {file.path: file for file in read_all(VECTORS, AREAS)}
CASES: dict[str, list[Case]] = {
    area: [case for file in FILES.values() if file.area == area for case in file.cases] for area in AREAS
}


def noted(area: str, note: str) -> Case:
    return next(case for case in CASES[area] if case.get("note") == note)


# What is there ----------------------------------------------------------------------------------------------


def test_every_step_error_and_precheck_of_migrations() -> None:
    kinds = Counter(one["kind"] for case in CASES["migrations"] for name in ("steps", "prechecks", "errors")
                    for one in case.get(name, ()))  # fmt: skip
    assert {step.__name__ for step in migrate.STEPS} | {"CheckAddSequenceRangeValid"} <= kinds.keys()
    errors = {cls.__name__ for base in (MigrationError, TypeChange) for cls in base.__subclasses__()}
    never = {"AddUniqueConstraint", "RemoveTable", "ServerWouldCrash", "TypeChange"}  # the planner plans these, or panics
    assert errors - never <= kinds.keys()
    verdicts = Counter(case.get("migration") for case in CASES["migrations"])
    assert min(verdicts["auto"], verdicts["breaks-clients"], verdicts["manual"]) > 70


def test_plans_that_the_server_cannot_print() -> None:
    failing = [case for case in CASES["migrations"] if case.get("text", "").startswith("ERR ")]
    assert len(failing) >= 9
    assert all("reference-defect" in case["flags"] for case in failing)


def test_colours_are_those_of_this_library() -> None:
    from defs import raw
    from defs.validate import validate

    asked = 0
    for case in CASES["migrations"]:
        if "ansi" in case and not case["ansi"].startswith("ERR "):
            plan = migrate.plan(*(validate(raw.decode(case[name])) for name in ("old", "new")))
            assert migrate.to_text(plan, color=True) == case["ansi"], case["id"]
            asked += 1
    assert asked > 150


def test_every_kind_of_damage() -> None:
    found = {one["kind"] for case in CASES["logs"] for one in case.get("damage", ())}
    unread = {"Io", "SearchLimit"}  # of another mode; of logs that nobody makes but to do harm
    assert set(DAMAGE_KINDS) - unread <= found


def test_logs_of_every_kind() -> None:
    segments = [case["segments"] for case in CASES["logs"]]
    assert any(len(one) > 5 for one in segments)
    assert sum(any(segment["compressed"] for segment in one) for one in segments) > 15
    versions = {segment.get("log_format_version") for one in segments for segment in one}
    assert {0, 1, None} <= versions
    verdicts = Counter(case["verdict"] for case in CASES["logs"])
    assert min(verdicts.values()) > 50
    assert any(commit["n"] > 1 for case in CASES["logs"] for commit in case["commits"])
    assert any("output" in tx for case in CASES["logs"] for tx in case.get("transactions", ()))


def test_events_are_in_the_log_and_in_no_state() -> None:
    events = 0
    for case in CASES["traces"]:
        for table in case["state"]["tables"]:
            assert not (table["is_event"] and table["rows"]), case["id"]
        inserted = [row for change in case["changes"] if change["is_event"] for row in change["inserts"]]
        assert all(row in case["record"] for row in inserted)
        events += bool(inserted)
    assert events > 150


def test_traces_of_every_kind() -> None:
    changes = [change for case in CASES["traces"] for change in case["changes"]]
    assert any(change["truncated"] for change in changes)
    assert any("record" not in case for case in CASES["traces"])
    results = [result for case in CASES["traces"] for result in case["results"]]
    assert sum("row" in result for result in results) > 30
    assert sum(not result.get("ok", True) for result in results) > 50
    assert {result["deleted"] for result in results if "deleted" in result} == {0, 1}


def test_what_the_server_does_wrong_has_both_answers() -> None:
    defects = [case for case in CASES["traces"] if "choices" in case]
    assert len(defects) >= 7
    for case in defects:
        assert case["verdict"] == "implementation-defined"
        assert "reference-defect" in case["flags"]
        assert [choice["choice"] for choice in case["choices"]] == ["sound", "upstream"]


def test_every_stage_and_protocol() -> None:
    stages = Counter(case.get("stage") for case in CASES["subscriptions"])
    assert set(stages) == {None, "parse", "resolve", "type", "index", "event-lookup", "event-v1", "plan"}
    assert {case["protocol"] for case in CASES["subscriptions"]} == {"v1", "v1_single", "v2", "oneoff"}
    assert any(isinstance(case.get("returns"), list) for case in CASES["subscriptions"])
    assert {case.get("lookup_side") for case in CASES["subscriptions"]} == {None, "left", "right"}


def test_every_operator_of_a_description() -> None:
    def operators(filters: list[Any]) -> Iterator[str]:
        for one in filters:
            yield one["op"]
            yield from operators([*one.get("args", ()), *([one["arg"]] if "arg" in one else [])])

    found = {name for case in CASES["queries"] for name in operators(case["description"].get("filters", []))}
    assert {"eq", "ne", "gt", "lt", "gte", "lte", "and", "or", "not", "column", "const"} <= found
    assert {"view", "table"} <= {name for case in CASES["queries"] for name in case["description"]}


def test_what_was_recorded_is_said_to_be() -> None:
    for area, words in (("subscriptions", "recorded"), ("queries", "recorded"), ("migrations", "spacetimedb-schema"),
                        ("logs", "spacetimedb-commitlog"), ("traces", "spacetimedb-datastore")):  # fmt: skip
        assert all(case["source"].startswith(words) for case in CASES[area]), area
    for case in CASES["traces"]:
        assert ("deliveries" in case.get("derived", ())) != ("recorded" in case["source"])


def test_this_library_agrees_with_traces() -> None:
    """With some of them; all are asked with those of the other areas, in the long run."""
    found = {case["id"]: differences("traces", case, VECTORS) for case in CASES["traces"][::6]}
    assert {id_: one for id_, one in found.items() if one} == {}


# What is noticed --------------------------------------------------------------------------------------------

WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("migrations", "an event table", {"steps": []}),
    ("migrations", "an event table", {"prechecks": [{"kind": "CheckAddSequenceRangeValid", "namespace": [], "name": "x"}]}),
    ("migrations", "an event table", {"migration": "breaks-clients"}),
    ("migrations", "an event table", {"text": "nothing"}),
    ("migrations", "the event flag", {"errors": []}),
    ("migrations", "the event flag", {"verdict": "accept", "migration": "auto", "steps": [], "prechecks": [], "text": ""}),
    ("logs", "three segments", {"segments": []}),
    ("logs", "three segments", {"verdict": "reject", "error": "Checksum"}),
    ("logs", "three segments", {"state": {"next_tx_offset": 8, "tables": []}}),
    ("logs", "three segments", {"state": {"next_tx_offset": 9, "tables": []}}),
    ("logs", "commit 4 is missing", {"damage": []}),
    ("logs", "commit 4 is missing", {"error": "Forked"}),
    ("traces", "an event", {"deliveries": []}),
    ("traces", "an event", {"results": [{"ok": False, "message": "no"}]}),
    ("traces", "an event", {"changes": []}),
    ("traces", "an event", {"record": b"\0"}),
    ("traces", "an event", {"state": {"tables": []}}),
]


@pytest.mark.parametrize(("area", "note", "fields"), WRONG, ids=str)
def test_a_wrong_answer_is_noticed(area: str, note: str, fields: dict[str, Any]) -> None:
    case = noted(area, note)
    assert differences(area, case, VECTORS) == []
    assert differences(area, {**case, **fields}, VECTORS)


def edits(value: Any) -> Iterator[Any]:
    """The value with each of its leaves changed."""
    match value:
        case dict():
            for name in value:
                yield from ({**value, name: one} for one in edits(value[name]))
        case list():
            for place, item in enumerate(value):
                yield from ([*value[:place], one, *value[place + 1 :]] for one in edits(item))
            if value:
                yield value[:-1]
        case bool():
            yield not value
        case int():
            yield value + 1
        case bytes():
            yield value + b"\1"
        case str():
            yield value + "x"


@pytest.mark.parametrize(
    ("area", "note", "names"),
    [
        ("logs", "several transactions in a commit, three segments", ("commits", "transactions", "state", "segments")),
        ("logs", "an output", ("transactions",)),
        ("traces", "keys of two tables", ("results", "changes", "record", "state", "deliveries")),
        ("migrations", "several things at once", ("steps", "migration", "text")),
        ("migrations", "several things that forbid it", ("errors",)),
    ],
)  # fmt: skip
def test_every_part_of_an_answer_counts(area: str, note: str, names: tuple[str, ...]) -> None:
    case = noted(area, note)
    for name in names:
        changes = list(edits(case[name]))
        for changed in changes[:: len(changes) // 40 + 1]:
            assert differences(area, {**case, name: changed}, VECTORS), (name, changed)


def test_every_part_of_a_subscription_counts() -> None:
    joined = next(case for case in CASES["subscriptions"] if "lookup" in case and case["protocol"] == "v2")
    refused = next(case for case in CASES["subscriptions"] if case.get("stage") == "index")
    for case in (joined, refused):
        names = ("returns", "is_event", "lookup", "lookup_side", "stage", "reason")
        for changed in ({**case, name: one} for name in names if name in case for one in edits(case[name])):
            assert differences("subscriptions", changed, VECTORS)
    query = CASES["queries"][0]
    assert differences("queries", {**query, "sql": query["sql"] + " "}, VECTORS)


def test_a_choice_is_enough() -> None:
    case = next(case for case in CASES["traces"] if "choices" in case)
    assert differences("traces", case, VECTORS) == []
    for choice in case["choices"]:
        alone = {**case, "choices": [choice]}
        asked = list(CHECKS["traces"](alone, VECTORS, as_upstream if choice["choice"] == "upstream" else in_process()))
        assert asked == [], choice["choice"]
    swapped = {**case, "choices": [{**case["choices"][1], "choice": "sound"}]}
    assert differences("traces", swapped, VECTORS)
    log = next(case for case in CASES["logs"] if "choices" in case)
    assert differences("logs", log, VECTORS) == []
    assert any(differences("logs", {**log, "choices": [choice]}, VECTORS) for choice in log["choices"])


def as_upstream(op: str, fields: Any) -> Reply:
    return in_process()(op, {**fields, "upstream": True})


NONSENSE: list[Callable[[Any], Any]] = [
    lambda reply: {"ok": True},
    lambda reply: {"ok": False},
    lambda reply: {name: None if name != "ok" else True for name in reply},
    lambda reply: {name: 7 if name != "ok" else True for name in reply},
    lambda reply: {name: [7] if name != "ok" else True for name in reply},
    lambda reply: {name: [{}] if name != "ok" else True for name in reply},
    lambda reply: {name: {"a": "b"} if name != "ok" else True for name in reply},
    lambda reply: {name: "zz" if name != "ok" else True for name in reply},
]


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("place", range(len(NONSENSE)))
def test_an_answer_of_another_form_is_wrong_and_no_more(area: str, place: int) -> None:
    def ask(op: str, fields: Any) -> Reply:
        changed: Reply = NONSENSE[place](copy.deepcopy(in_process()(op, fields)))
        return changed

    answered: Ask = ask
    wrong = 0
    cases = CASES[area][:: max(len(CASES[area]) // 12, 1)]
    for case in cases:
        found: list[Difference] = list(CHECKS[area](case, VECTORS, answered))
        wrong += bool(found)
    assert wrong >= len(cases) // 3


def test_traces_say_what_else_a_testee_may_answer() -> None:
    case = noted("traces", "an event")

    def ask(op: str, fields: Any) -> Reply:
        return {**in_process()(op, fields), "record": "00"}

    assert [one.what for one in CHECKS["traces"](case, VECTORS, ask)] == ["record"]
    assert list(trace_differences(case, VECTORS)) == []
