"""For a program: one JSON object, whose keys are stable and always there. `docs/schema/check.schema.json` describes it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from bsatn import __version__
from defs.migrate.reports.model import Check, Comparison, Entry, ServerVerdict, Side

__all__ = ["FORMAT", "print_json", "to_json"]

FORMAT: Final = 1  #: counts up when a key changes its meaning or goes; new keys do not count


def print_json(check: Check) -> str:
    """The object, indented, in ASCII: no name can disturb a terminal or an encoding."""
    return json.dumps(to_json(check), indent=2) + "\n"


def to_json(check: Check) -> dict[str, Any]:
    """The check as plain data."""
    return {
        "format": FORMAT,
        "tool": f"bsatn {__version__}",
        "status": check.status,
        "server": check.release,
        "fail_on": check.threshold,
        "config": check.config,
        "new": _side(check.new),
        "comparisons": [_comparison(check, one) for one in check.comparisons],
        "settings": [_finding(entry) for entry in check.settings],
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "source": side.source,
        "version": side.version,
        "layout": side.layout,
        "fingerprint": side.fingerprint,
    }


def _comparison(check: Check, comparison: Comparison) -> dict[str, Any]:
    return {
        "old": _side(comparison.old),
        "outcome": check.outcome(comparison),
        "unchanged": comparison.unchanged,
        "failures": [
            {"source": source, "kind": failure.kind, "message": failure.message} for source, failure in comparison.failures
        ],
        "server": None if comparison.server is None else _server(comparison.server),
        "upgrade_first": comparison.upgrade_first,
        "findings": [_finding(entry) for entry in comparison.entries],
        "ignored": [{"reason": one.reason, "finding": _finding(one.entry)} for one in comparison.ignored],
    }


def _server(server: ServerVerdict) -> dict[str, Any]:
    errors = server.errors.errors if server.errors else ()
    return {
        "verdict": server.verdict,
        "breaks_clients": server.breaks_clients,
        "prechecks": [one.to_json() for one in server.plan.prechecks] if server.plan else [],
        "steps": [one.to_json() for one in server.plan.steps] if server.plan else [],
        "errors": [{"kind": one.kind, "message": one.message, "path": list(one.path)} for one in errors],
    }


def _finding(entry: Entry) -> dict[str, Any]:
    return {
        "rule": entry.rule.id,
        "also": list(entry.also),
        "axis": entry.rule.axis,
        "level": entry.level,
        "kind": entry.kind,
        "element": entry.element,
        "path_old": None if entry.path_old is None else list(entry.path_old),
        "path_new": None if entry.path_new is None else list(entry.path_new),
        "message": entry.message,
        "title": entry.rule.title,
        "why": entry.rule.why,
        "fix": entry.fix,
        "upgrade_first": entry.rule.upgrade_first,
        "silent": entry.silent,
        "witness": None if entry.witness is None else asdict(entry.witness),
        "data_check": None if entry.data_check is None else asdict(entry.data_check),
    }
