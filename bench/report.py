"""The results as aligned text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bench.engines import ENGINES, NATIVE, PYTHON, RUST
from bench.measure import WITH_COLUMNS, Direction, Timings
from bench.picture import svg
from bench.processes import Process, ratios
from bench.run import Results
from bench.tables import NOT_MEASURED, absences, tables
from bench.workloads import Workload


def text(results: Results) -> str:
    parts = ["\n".join(f"{name:7} {value}" for name, value in results.header.items())]
    for table in tables(results):
        widths = [max(map(len, column)) for column in zip(table.head, *table.rows, strict=True)]
        lines = [aligned(row, widths) for row in (table.head, *table.rows)]
        lines.insert(1, "-" * len(lines[0]))
        parts.append("\n".join([table.title, "", *lines]))
    return "\n\n".join(parts) + "\n"


def aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    pairs = zip(row, widths, strict=True)
    return "  ".join(cell.rjust(width) if is_number(cell) else cell.ljust(width) for cell, width in pairs).rstrip()


def is_number(cell: str) -> bool:
    return cell[:1].isdigit() or cell == NOT_MEASURED


def markdown(results: Results) -> str:
    parts = ["\n".join(f"- {name}: {value}" for name, value in results.header.items())]
    for table in tables(results):
        rule = ["---"] * len(table.head)
        lines = ("| " + " | ".join(escaped(cell) for cell in row) + " |" for row in (table.head, rule, *table.rows))
        parts.append("\n".join([f"## {table.title}", "", *lines]))
    return "\n\n".join(parts) + "\n"


def escaped(cell: str) -> str:
    return cell.replace("|", "\\|")


def as_json(results: Results) -> str:
    document = {
        "machine": results.header,
        "unavailable": dict(absences(results)),
        "speeds": [speed_data(workload, timings) for workload, timings in results.speeds],
        "growth": asdict(results.growth[2]) if results.growth else None,
        "validations": [validation_data(workload, timings) for workload, timings in results.validations],
        "validation_growth": asdict(results.validation_growth[2]) if results.validation_growth else None,
        "logs": [{**about(workload), **asdict(timings)} for workload, timings in results.logs],
        "log_memory": [{"bytes": size, "kilobytes": peak} for size, peak in results.log_memory],
        "processes": process_data(results.processes),
        "check": process_data(results.checking),
        "memory": [asdict(found) for found in results.footprints],
        "column_memory": [asdict(found) for found in results.column_footprints],
        "goals": [{**asdict(outcome), "met": outcome.met} for outcome in results.outcomes],
    }
    return json.dumps(document, indent=2) + "\n"


def speed_data(workload: Workload, timings: Timings) -> dict[str, object]:
    def one(direction: Direction) -> dict[str, object]:
        return {
            "ns": {engine: timings.typical(direction, engine) for engine in ENGINES},
            "rounds": timings.rounds.get(direction, {}),
            **{
                f"{ours}_in_speeds_of": {peer: timings.ratio(direction, peer, ours) for peer in ENGINES if peer != ours}
                for ours in (NATIVE, PYTHON)
            },
        }

    return {**about(workload), **{direction: one(direction) for direction in WITH_COLUMNS}}


def validation_data(workload: Workload, timings: Timings) -> dict[str, object]:
    ratio = timings.ratio("validate", PYTHON, RUST)
    return {**about(workload), "rounds": timings.rounds.get("validate", {}), "time_in_times_of_rust": ratio}


def process_data(found: Sequence[Process]) -> list[dict[str, object]]:
    return [{**asdict(one), "ratio": ratio} for one, ratio in zip(found, ratios(found), strict=True)]


def about(workload: Workload) -> dict[str, object]:
    return {
        "workload": workload.name,
        "family": workload.family,
        "unit": workload.unit,
        "units": workload.units,
    }


FORMATS = {"text": text, "markdown": markdown, "json": as_json, "svg": svg}
SUFFIXES = {".txt": text, ".md": markdown, ".json": as_json, ".svg": svg}
