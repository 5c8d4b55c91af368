"""Commit logs: written to a directory that only the question lives in, read and replayed.

Required are the commits before anything that is wrong, with their transactions, that nothing is wrong where that is so, and the
state; where what lies and what damage is called is recommended. Beyond damage a reader may find more, or not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from defs.conformance.asking import RECOMMENDED, Ask, Difference, Reply
from defs.conformance.checks.common import differs, parts
from defs.vectors.files import Case

__all__ = ["check_log"]

_FIRST_USER_TABLE = 4096
_COMMIT = ("min_tx_offset", "epoch", "n", "checksum", "records_len")
_PLACE = ("segment", "byte_offset", "len")
_FAULT = ("segment", "byte_offset", "kind", "tx_offset")


def check_log(case: Case, _: Path, ask: Ask) -> Iterator[Difference]:
    with tempfile.TemporaryDirectory(prefix="bsatn-log-") as place:
        for file in case["files"]:
            (Path(place) / file["name"]).write_bytes(file["bytes"])
        yield from parts(_read(case, ask, place), _replayed(case, ask, place))


def _read(case: Case, ask: Ask, place: str) -> Iterator[Difference]:
    reply = ask("log.read", {"path": place})
    yield from differs("read: ok", True, reply["ok"])
    if not reply["ok"]:
        return
    whole = case["verdict"] == "accept"
    commits = _list(reply.get("commits"))
    got = commits if whole else commits[: len(case["commits"])]
    yield from differs("commits", _told(case["commits"], _COMMIT), _told(got, _COMMIT))
    yield from differs("places of commits", _told(case["commits"], _PLACE), _told(got, _PLACE), RECOMMENDED)
    if "transactions" in case:
        transactions = [_transaction(tx) for commit in commits for tx in _list(_get(commit, "txs"))]
        read = transactions if whole else transactions[: len(case["transactions"])]
        yield from differs("transactions", case["transactions"], read)
    yield from differs("segments", case["segments"], [_some(one) for one in _list(reply.get("segments"))], RECOMMENDED)
    damage = _list(reply.get("damage"))
    if whole:
        yield from differs("damage", [], damage)
    else:
        yield from differs("damage", case.get("damage", []), [_some(one, _FAULT) for one in damage], RECOMMENDED)


def _replayed(case: Case, ask: Ask, place: str) -> Iterator[Difference]:
    """Any of the choices, where there are some."""
    reply = ask("log.replay", {"path": place})
    tried = [list(_one(choice, reply)) for choice in case.get("choices", [case])]
    yield from min(tried, key=len)


def _one(expected: Case, reply: Reply) -> Iterator[Difference]:
    yield from differs("replay: verdict", expected["verdict"], "accept" if reply["ok"] else "reject")
    if expected["verdict"] == "accept" and reply["ok"]:
        state = expected["state"]
        yield from differs("next_tx_offset", state["next_tx_offset"], reply.get("next_tx_offset"))
        yield from differs("state", state["tables"], [_table(one) for one in _list(reply.get("tables")) if _is_user(one)])
    elif expected["verdict"] == "reject" and not reply["ok"]:
        yield from differs("replay: error", expected["error"], reply.get("error"), RECOMMENDED)


# -- replies in the form of the cases; whatever is not as it should be stays as it is, and differs


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _told(items: list[Any], names: tuple[str, ...]) -> list[Any]:
    return [[_get(one, name) for name in names] for one in items]


def _some(one: Any, names: tuple[str, ...] | None = None) -> Any:
    """Without what is null."""
    if not isinstance(one, dict):
        return one
    return {name: value for name, value in one.items() if value is not None and (names is None or name in names)}


def _is_user(table: Any) -> bool:
    number = _get(table, "table_id")
    return not isinstance(number, int) or number >= _FIRST_USER_TABLE


def _rows(rows: Any) -> list[Any]:
    return [_get(row, "bsatn") for row in _list(rows)]


def _table(table: Any) -> Any:
    named = {name: _get(table, name) for name in ("table_id", "table_name", "is_event")}
    return {**named, "rows": sorted(map(str, _rows(_get(table, "rows"))))}


def _transaction(tx: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"tx_offset": _get(tx, "tx_offset"), "truncates": _told(_list(_get(tx, "truncates")), ("table_id",))}
    told["truncates"] = [number for (number,) in told["truncates"]]
    for name in ("inserts", "deletes"):
        told[name] = [
            {"table_id": _get(group, "table_id"), "rows": _rows(_get(group, "rows"))} for group in _list(_get(tx, name))
        ]
    inputs, outputs = _get(tx, "inputs"), _get(tx, "outputs")
    if inputs is not None:
        told["reducer"], told["args"] = _get(inputs, "reducer_name"), _get(inputs, "reducer_args_hex")
    if outputs is not None:
        told["output"] = _text(outputs)
    return told


def _text(digits: Any) -> Any:
    try:
        return bytes.fromhex(digits).decode()
    except (TypeError, ValueError):
        return digits
