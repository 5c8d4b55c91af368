"""For a program: one JSON object, whose keys are stable and always there; see `docs/schema/conformance.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from bsatn import __version__
from defs.conformance.asking import Difference
from defs.conformance.reports.words import by_area, by_flag
from defs.conformance.running import STATUSES, Result, Run, Status

if TYPE_CHECKING:
    from defs.conformance.reduced import Reduced

__all__ = ["FORMAT", "print_json", "to_json"]

FORMAT: Final = 1  #: counts up when a key changes its meaning or goes; new keys do not count
MAX_VALUE = 4096  #: characters of an answer, as JSON, past which it is cut


def print_json(run: Run) -> str:
    """The object, a result a line, in ASCII: no answer can disturb a terminal or an encoding."""
    made = to_json(run)
    results = made.pop("results")
    head = json.dumps(made, indent=1).removesuffix("\n}")
    return head + ',\n "results": [\n' + ",\n".join("  " + json.dumps(one) for one in results) + "\n ]\n}\n"


def to_json(run: Run) -> dict[str, Any]:
    """The run as plain data."""
    why = {failure.result.id: failure.why for failure in run.failures}
    return {
        "format": FORMAT,
        "tool": f"bsatn {__version__}",
        "status": run.status,
        "testee": {
            "name": run.testee.name,
            "version": run.testee.version,
            "protocol": run.testee.protocol,
            "ops": list(run.testee.ops),
            "command": run.command,
        },
        "selection": {name: run.selection.get(name, []) for name in ("areas", "flags", "cases")},
        "vectors": run.vectors,
        "cases": run.total,
        "strict": run.strict,
        "interrupted": run.interrupted,
        "jobs": run.jobs,
        "seconds": round(run.seconds, 3),
        "crashes": run.crashes,
        "failures": len(why),
        "faults": run.faults,
        "unmatched": [{"line": line.number, "pattern": line.pattern, "reason": line.reason} for line in run.unmatched],
        "areas": _counts(by_area(run)),
        "flags": _counts(by_flag(run)),
        "results": [_result(run, result, why.get(result.id)) for result in run.results],
    }


def _counts(tally: Mapping[str, Mapping[Status, int]]) -> list[dict[str, Any]]:
    return [{"name": name, **{status: counts.get(status, 0) for status in STATUSES}} for name, counts in tally.items()]


def _result(run: Run, result: Result, why: str | None) -> dict[str, Any]:
    line, small = run.line_of(result), run.reduced.get(result.id)
    return {
        "id": result.id,
        "area": result.area,
        "group": result.group,
        "note": result.note or None,
        "flags": list(result.flags),
        "status": result.status,
        "failure": why is not None,
        "why": why or None,
        "expected": None if line is None else {"status": line.status, "reason": line.reason, "line": line.number},
        "differences": [_difference(one) for one in result.differences],
        "detail": result.detail or None,
        "left_out": list(result.left_out),
        "smallest": None if small is None else _smallest(small),
    }


def _smallest(small: Reduced) -> dict[str, Any]:
    return {"request": small.request, "differences": [_difference(one) for one in small.differences]}


def _difference(one: Difference) -> dict[str, Any]:
    return {"what": one.what, "level": one.level, "expected": _cut(one.expected), "got": _cut(one.got)}


def _cut(value: Any) -> Any:
    """The value, or if it is large the beginning of its text."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply)"
    return value if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}... ({len(text)} characters)"
