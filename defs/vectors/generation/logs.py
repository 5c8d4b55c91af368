"""Commit logs: read and replayed by the crates that the server is made of. Small logs with one thing to them; recorded ones.

The crates say which commits there are before anything is wrong, their transactions, and the state that replaying leaves. Where
a commit lies, what segments there are and how damage is called is this project's. Where one of the two replays what the other
refuses, both answers are right.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

from defs.testee import answer as ours
from defs.vectors.files import Case, VectorError, VectorFile
from defs.vectors.generation import smalllogs
from defs.vectors.generation.programs import ENGINE, Answer, Programs
from defs.vectors.generation.releases import NEWEST

__all__ = ["make"]

FIRST_USER_TABLE = 4096
_LARGE = 40_000  #: bytes of a recorded log that is left out
_COMMIT = ("segment", "byte_offset", "len", "min_tx_offset", "epoch", "n", "checksum", "records_len")
_SAME = ("min_tx_offset", "epoch", "n", "checksum")

Declared = tuple[str, smalllogs.Files, tuple[str, ...]]


def make(programs: Programs, directory: Path) -> Iterator[VectorFile]:
    """The groups of the area."""
    groups: dict[str, tuple[str, Iterable[Declared]]] = {
        "intact": ("logs in which nothing is wrong", smalllogs.intact()),
        "records": ("what a record of a transaction may be, and may not", smalllogs.records()),
        "damaged": ("logs with one thing wrong", smalllogs.damaged()),
        "recorded": ("logs that a server wrote", _recorded(directory)),
    }
    for group, (about, declared) in groups.items():
        cases = _unique(_case(*one) for one in declared)
        asked = [{"op": "log", "files": [{"name": one["name"], "bytes": one["bytes"].hex()} for one in case["files"]]}
                 for case in cases]  # fmt: skip
        answers = programs.ask(ENGINE, asked)
        found = (_judged(*one, brief=group == "damaged") for one in zip(cases, answers, strict=True))
        yield VectorFile("logs", group, about, tuple(found))


def _recorded(directory: Path) -> Iterator[Declared]:
    for place in sorted((directory / "commitlog").iterdir()):
        if place.is_dir() and not place.name.startswith("damaged_"):
            files = {path.name: path.read_bytes() for path in sorted(place.glob("*.stdb.*"))}
            if sum(map(len, files.values())) < _LARGE:
                yield f"commitlog/{place.name}", files, ()


def _case(note: str, files: smalllogs.Files, flags: tuple[str, ...]) -> Case:
    listed = [{"name": name, "bytes": data} for name, data in sorted(files.items())]
    return {"note": note, "spec": "event-tables 3", "since": NEWEST, "until": NEWEST, "flags": sorted(flags), "files": listed,
            "source": f"spacetimedb-commitlog {NEWEST}, spacetimedb-datastore {NEWEST}"}  # fmt: skip


def _unique(cases: Iterable[Case]) -> list[Case]:
    return list({tuple((one["name"], one["bytes"]) for one in case["files"]): case for case in cases}.values())


def _judged(case: Case, answer: Answer, *, brief: bool) -> Case:
    read, replayed = _own(case)
    faults = read["damage"]
    found: Case = {**case, "segments": [_some(one) for one in read["segments"]]}
    derived = {"segments"}
    if faults:
        found["damage"] = [
            _some({name: one.get(name) for name in ("segment", "byte_offset", "kind", "tx_offset")}) for one in faults
        ]
        derived.add("damage")
    error = replayed.get("error") or (faults[0]["kind"] if faults else None)
    refusal = {"verdict": "reject", "error": error}
    if "crashed" in answer:
        flags = sorted({*case["flags"], "reference-crashes"})
        return {**found, **refusal, "flags": flags, "commits": [], "derived": sorted({*derived, "error", "verdict"})}
    found["commits"] = _prefix(answer["items"], read["commits"])
    if not brief:
        found["transactions"] = _transactions(answer["transactions"], read["commits"])
    theirs, mine = _state(answer["state"]), _own_state(replayed)
    if theirs and mine and theirs != mine:
        raise VectorError("Disagreement", f"{case['note']}: replaying leaves two states")
    if theirs and mine and not faults:
        return {**found, "verdict": "accept", "state": theirs, "derived": sorted(derived)}
    if not theirs and (faults or not mine):
        return {**found, **refusal, "derived": sorted({*derived, "error"})}
    lax = {"choice": "lax", "verdict": "accept", "state": theirs or mine}
    strict = {"choice": "strict", "verdict": "reject", "error": error or "ReplayError"}
    return {**found, "verdict": "implementation-defined", "choices": [strict, lax], "derived": sorted({*derived, "choices"})}


def _own(case: Case) -> tuple[Answer, Answer]:
    """What this project answers."""
    with tempfile.TemporaryDirectory(prefix="bsatn-vectors-") as place:
        for one in case["files"]:
            (Path(place) / one["name"]).write_bytes(one["bytes"])
        return ours({"op": "log.read", "path": place}), ours({"op": "log.replay", "path": place})


def _prefix(items: list[Answer], commits: list[Answer]) -> list[Case]:
    """The commits before anything is wrong, of which both say the same."""
    good = list(takewhile(lambda item: "error" not in item, items))
    pairs = zip(good, commits, strict=False)
    same = takewhile(lambda pair: all(pair[0][name] == pair[1][name] for name in _SAME), pairs)
    return [{name: commit[name] for name in _COMMIT} for _, commit in same]


def _transactions(theirs: list[Answer], commits: list[Answer]) -> list[Case]:
    """The transactions of which both say the same, from the first on."""
    mine = (told(tx) for commit in commits for tx in commit["txs"])
    pairs = zip((_bytes(one) for one in theirs), mine, strict=False)
    return [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs)]


def told(tx: Answer) -> Case:
    """A transaction as the testee tells it, in the form of the cases."""
    found: Case = {"tx_offset": tx["tx_offset"], "truncates": [one["table_id"] for one in tx["truncates"]]}
    for name in ("inserts", "deletes"):
        found[name] = [{"table_id": group["table_id"], "rows": [bytes.fromhex(row["bsatn"]) for row in group["rows"]]}
                       for group in tx[name]]  # fmt: skip
    if tx["inputs"]:
        found["reducer"], found["args"] = tx["inputs"]["reducer_name"], bytes.fromhex(tx["inputs"]["reducer_args_hex"])
    if tx["outputs"] is not None:
        found["output"] = bytes.fromhex(tx["outputs"]).decode()
    return found


def _bytes(tx: Answer) -> Case:
    found = {**tx}
    for name in ("inserts", "deletes"):
        found[name] = [{**group, "rows": [bytes.fromhex(row) for row in group["rows"]]} for group in tx[name]]
    return {**found, "args": bytes.fromhex(tx["args"])} if "args" in tx else found


def _state(state: Answer) -> Case | None:
    if "error" in state:
        return None
    return {"next_tx_offset": state["next_tx_offset"], "tables": user_tables(state["tables"])}


def user_tables(tables: Iterable[Answer]) -> list[Case]:
    """Of the tables after a replay those that are a module's."""
    return [
        {**one, "rows": [bytes.fromhex(row) for row in one["rows"]]} for one in tables if one["table_id"] >= FIRST_USER_TABLE
    ]


def _own_state(replayed: Answer) -> Case | None:
    if not replayed["ok"]:
        return None
    names = ("table_id", "table_name", "is_event")
    tables = [
        {**{name: one[name] for name in names}, "rows": [row["bsatn"] for row in one["rows"]]} for one in replayed["tables"]
    ]
    return {"next_tx_offset": replayed["next_tx_offset"], "tables": user_tables(tables)}


def _some(fields: dict[str, Any]) -> Case:
    return {name: value for name, value in fields.items() if value is not None}
