"""Traces: a transaction over tables of events and ordinary ones; what it comes to, in the log, and for who is subscribed.

The datastore's own crate runs the transactions: results, changes, the record in the log, and the state after replaying a log of
them. What subscribers are sent was recorded of the server's crates where a trace is a recorded one, and is this project's
where it is declared here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from defs.conformance.asking import hexed
from defs.conformance.checks.traces import fields
from defs.testee import answer as ours
from defs.vectors.files import Case, VectorError, VectorFile
from defs.vectors.generation.logs import FIRST_USER_TABLE, user_tables
from defs.vectors.generation.plays import Play, plays, random_plays
from defs.vectors.generation.programs import ENGINE, Answer, Programs
from defs.vectors.generation.releases import NEWEST
from defs.vectors.generation.selecting import recorded, spread

__all__ = ["make"]

RANDOM, RECORDED = 130, 260
_ENGINE = f"spacetimedb-datastore {NEWEST}, spacetimedb-commitlog {NEWEST}"
_SENT = f"recorded: spacetimedb-subscription {NEWEST}"
_NAMES = {"+": "insert", "-": "delete"}
_DELIVERED = ("initial", "inserts", "deletes")


def make(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    chosen = spread(recorded(directory, "deliveries"), RECORDED, features=_features, size=_size)
    groups: dict[str, tuple[str, list[Case]]] = {
        "events": ("one thing each about tables of events", list(map(_played, plays()))),
        "random": ("random operations on tables with and without keys and sequences", list(map(_played, random_plays(RANDOM)))),
        "recorded": ("random transactions, and what a server sends its subscribers for them",
                     list(map(_recorded, chosen))),
    }  # fmt: skip
    for group, (about, cases) in groups.items():
        yield VectorFile("traces", group, about, tuple(map(_decided, cases, _asked(programs, cases))))


def _asked(programs: Programs, cases: Iterable[Case]) -> list[Answer]:
    """Answers that came twice: once in 4096 generated values the datastore jumps to another, at random."""
    questions = [_question(case) for case in cases]
    before, answers = programs.ask(ENGINE, questions), programs.ask(ENGINE, questions)
    while before != answers:
        before, answers = answers, programs.ask(ENGINE, questions)
    return answers


def _question(case: Case) -> Answer:
    setup = [{"op": "insert", "table": group["table"], "row": row.hex()} for group in case["setup"] for row in group["rows"]]
    operations = [{**one, "row": one["row"].hex()} for one in case["operations"]]
    return {"op": "trace", "module": case["module"].hex(), "transactions": [setup, operations]}


def _case(module: bytes, sender: str, setup: list[Case], operations: list[Case], queries: list[str], **more: Any) -> Case:
    asked = {"module": module, "caller_identity": sender, "setup": setup, "operations": operations, "subscribed": queries}
    return {"spec": "event-tables 1.9", "since": NEWEST, "until": NEWEST, **asked, **more}


def _played(play: Play) -> Case:
    tables = list(dict.fromkeys(table for _, table, _ in play.before))
    setup = [
        {"table": name, "rows": [play.row(table, row) for _, table, row in play.before if table == name]} for name in tables
    ]
    operations = [{"op": _NAMES[sign], "table": table, "row": play.row(table, row)} for sign, table, row in play.operations]
    named: Case = {"note": play.about, "flags": []} if play.about else {"flags": ["random"]}
    case = _case(play.definition(), "00" * 32, setup, operations, list(play.queries), **named, source=_ENGINE)
    reply = ours({"op": "deliver", **hexed(fields(case))})
    if not reply["ok"]:
        raise VectorError("Play", f"{play.about}: {reply['message']}")
    return {**case, "deliveries": [_delivery(one) for one in reply["queries"]], "derived": ["deliveries"]}


def _recorded(row: Any) -> Case:
    setup = [{"table": table, "rows": [bytes.fromhex(one["bsatn"]) for one in rows]} for table, rows in row["setup"].items()]
    operations = [{"op": one["op"], "table": one["table"], "row": bytes.fromhex(one["row"])} for one in row["tx"]]
    case = _case(
        bytes.fromhex(row["module"]), row["caller_identity"], setup, operations, [one["sql"] for one in row["queries"]]
    )
    told = {"flags": ["random"], "source": f"{_ENGINE}; {_SENT}", "_expected": row}
    sent = [_delivery(one) for one in row["queries"]]
    if not any("skipped" in one for one in row["queries"]):
        return {**case, **told, "deliveries": sent}
    sound = [_delivery({**one, **one.get("skipped", {})}) for one in row["queries"]]
    choices = [{"choice": "sound", "verdict": "accept", "deliveries": sound},
               {"choice": "upstream", "verdict": "accept", "deliveries": sent}]  # fmt: skip
    return {**case, **told, "flags": ["random", "reference-defect"], "choices": choices}


def _delivery(one: Any) -> Case:
    return {"initial_sent": one["initial_sent"], **{name: [bytes.fromhex(row) for row in one[name]] for name in _DELIVERED}}


def _decided(case: Case, answer: Answer) -> Case:
    """The case with what the datastore says."""
    transaction = answer["transactions"][-1]
    expected = case.pop("_expected", None)
    if expected:
        _agreeing(transaction, expected)
    state, live = (user_tables(answer[name]) for name in ("state", "live"))
    if not all(one["ok"] for one in answer["transactions"][0]["results"]):
        raise VectorError("Play", f"a row of the setup is refused: {case.get('note', case['subscribed'])}")
    if state != live:
        raise VectorError("Disagreement", f"replaying gives another state: {case.get('note', case['subscribed'])}")
    events = {table["table_id"] for table in state if table["is_event"]}
    changes = [_change(one, events) for one in transaction["changes"]]
    results = [_result(one, asked["row"]) for one, asked in zip(transaction["results"], case["operations"], strict=True)]
    found: Case = {**case, "verdict": "implementation-defined" if "choices" in case else "accept", "results": results}
    found |= {"changes": changes, "state": {"tables": state}}
    return {**found, "record": bytes.fromhex(transaction["record"])} if transaction["record"] else found


def _change(change: Answer, events: set[int]) -> Case:
    rows = {name: [bytes.fromhex(row) for row in change[name]] for name in ("inserts", "deletes")}
    return {"table": change["table"], "table_id": change["table_id"], "is_event": change["table_id"] in events, **rows,
            "truncated": change["truncated"]}  # fmt: skip


def _result(result: Answer, row: bytes) -> Case:
    if "deleted" in result:
        return {"deleted": result["deleted"]}
    if not result["ok"]:
        return {"ok": False, "message": result["error"]}
    inserted = bytes.fromhex(result["row"])
    return {"ok": True, "row": inserted} if inserted != row else {"ok": True}


def _features(row: Any) -> set[str]:
    """What makes a recorded trace worth having; all those that a server is wrong about."""
    ways = {f"{one['is_event']} {one['lookup_side']} {bool(one['inserts'])} {bool(one['deletes'])} {one['initial_sent']}"
            for one in row["queries"]}  # fmt: skip
    return ways | {row["id"] for one in row["queries"] if "skipped" in one}


def _size(row: Any) -> int:
    return len(str(row))


def _agreeing(transaction: Answer, row: Any) -> None:
    """Raises VectorError unless the datastore says what was recorded."""
    got = [(one.get("ok"), one.get("deleted")) for one in transaction["results"]]
    wanted = [(one.get("ok"), one.get("deleted")) for one in row["tx"]]
    changes = {one["table"]: {name: sorted(one[name]) for name in ("inserts", "deletes")} for one in transaction["changes"]
               if one["table_id"] >= FIRST_USER_TABLE}  # fmt: skip
    if got != wanted or changes != {
        table: {name: sorted(rows[name]) for name in rows} for table, rows in row["changes"].items()
    }:
        raise VectorError("Disagreement", f"{row['id']}: it is not as it was recorded")
