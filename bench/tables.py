"""What is reported, as tables of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.engines import CONSTRUCT, ENGINES, MARSHAL, NATIVE, PYTHON, RUST, TYPESCRIPT
from bench.goals import GOALS
from bench.measure import DIRECTIONS, VALIDATE, Direction, Timings
from bench.processes import Process, ratios
from bench.run import Footprint, Results
from bench.workloads import Workload

NOT_MEASURED = "-"


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(results: Results) -> Iterator[Table]:
    for unit in ("row", "table"):
        found = [(workload, timings) for workload, timings in results.speeds if workload.unit == unit]
        if found:
            yield speed_table(unit, found)
            if unit == "row":
                yield column_table(found)
    if results.growth:
        yield growth_table("Microseconds per table, Python engine", DIRECTIONS, *results.growth)
    if results.validations:
        yield validation_table(results.validations)
    if results.validation_growth:
        yield growth_table("Microseconds per table, validated by bsatn", VALIDATE, *results.validation_growth)
    if results.logs:
        yield log_table(results.logs)
    if results.log_memory:
        yield log_memory_table(results.log_memory)
    if results.processes:
        yield process_table("Whole processes", results.processes)
    if results.checking:
        yield process_table("Checking as a whole process", results.checking)
    if results.footprints:
        yield memory_table("Traced bytes, Python engine", "plain list", results.footprints)
    if results.column_footprints:
        yield memory_table("Bytes of columns, native engine", "Arrow's buffers", results.column_footprints)
    if results.outcomes:
        yield goal_table(results)
    missing = list(absences(results))
    if missing:
        yield Table("Not available", ("what", "why"), missing)


def speed_table(unit: str, found: Sequence[tuple[Workload, Timings]]) -> Table:
    peers = {NATIVE: (TYPESCRIPT, RUST, MARSHAL), PYTHON: (TYPESCRIPT, RUST, CONSTRUCT)}
    pairs = [(engine, peer) for engine, others in peers.items() for peer in others]
    head = ("workload", "", *ENGINES, *(f"{engine}/{peer}" for engine, peer in pairs))
    rows = [
        (
            workload.name,
            direction,
            *(rate(timings.typical(direction, engine)) for engine in ENGINES),
            *(times(timings.ratio(direction, peer, engine)) for engine, peer in pairs),
        )
        for workload, timings in found
        for direction in DIRECTIONS
    ]
    size = f", {found[0][0].units:,} at once" if unit == "row" else ""
    return Table(
        f"{unit.capitalize()}s per second{size}; an engine's speed in speeds of the others",
        head,
        rows,
    )


def column_table(found: Sequence[tuple[Workload, Timings]]) -> Table:
    rows = [
        (
            workload.name,
            rate(timings.typical("columns", NATIVE)),
            *(times(timings.ratio_of(("decode", peer), ("columns", NATIVE))) for peer in (NATIVE, TYPESCRIPT, RUST)),
        )
        for workload, timings in found
    ]
    head = ("workload", "rows per second", *(f"in speeds of {peer}'s decode" for peer in (NATIVE, TYPESCRIPT, RUST)))
    return Table("Rows decoded to Arrow columns by the native engine", head, rows)


def growth_table(title: str, directions: Sequence[Direction], few: str, many: str, timings: Timings) -> Table:
    rows = [
        (
            direction,
            micros(timings.typical(direction, few)),
            micros(timings.typical(direction, many)),
            times(timings.ratio(direction, many, few)),
        )
        for direction in directions
    ]
    return Table(title, ("", few, many, "ratio"), rows)


def validation_table(found: Sequence[tuple[Workload, Timings]]) -> Table:
    rows = [
        (
            workload.name,
            *(rate(timings.typical("validate", engine)) for engine in (PYTHON, RUST)),
            times(timings.ratio("validate", PYTHON, RUST)),
        )
        for workload, timings in found
    ]
    return Table("Tables validated per second, once decoded", ("workload", "bsatn", RUST, "time in times of rust's"), rows)


def log_table(found: Sequence[tuple[Workload, Timings]]) -> Table:
    head = (
        "log",
        "engine",
        "walk",
        "rust walk",
        "ratio",
        "verify",
        "rust rows",
        "ratio",
        "verify/rust walk",
        "replay",
        "replay/python",
    )
    rows = [
        (
            workload.name,
            engine,
            *(rate(timings.typical("walk", one)) for one in (engine, RUST)),
            times(timings.ratio("walk", RUST, engine)),
            *(rate(timings.typical("verify", one)) for one in (engine, RUST)),
            times(timings.ratio("verify", RUST, engine)),
            times(timings.ratio_of(("walk", RUST), ("verify", engine))),
            rate(timings.typical("replay", engine)),
            times(timings.ratio("replay", PYTHON, engine)),
        )
        for workload, timings in found
        for engine in (NATIVE, PYTHON)
    ]
    return Table("Bytes of commit log read per second", head, rows)


def log_memory_table(found: Sequence[tuple[int, int]]) -> Table:
    rows = [(f"{size / 1e6:.0f} MB", f"{peak:,}") for size, peak in found]
    return Table("Most memory of a process that verifies a log", ("log", "kilobytes"), rows)


def process_table(title: str, found: Sequence[Process]) -> Table:
    rows = [
        (
            process.says,
            f"{median(process.seconds) * 1e3:.1f}" if process.seconds and not process.failure else NOT_MEASURED,
            times(ratio),
        )
        for process, ratio in zip(found, ratios(found), strict=True)
    ]
    return Table(title, ("command", "ms", "in times of the first"), rows)


def memory_table(title: str, plain: str, footprints: Sequence[Footprint]) -> Table:
    rows = [(found.workload, f"{found.plain:,}", f"{found.peak:,}", times(found.peak / found.plain)) for found in footprints]
    return Table(title, ("workload", plain, "peak while decoding", "ratio"), rows)


def goal_table(results: Results) -> Table:
    verdict = {True: "met", False: "MISSED", None: "not measured"}
    rows = [
        (
            goal.says,
            outcome.subject,
            times(outcome.value),
            f"{goal.bound} {goal.limit:g}",
            verdict[outcome.met],
        )
        for goal in GOALS
        for outcome in results.outcomes
        if outcome.goal == goal
    ]
    counts = Counter(row[-1] for row in rows)
    summary = ", ".join(f"{counts[word]} {word}" for word in verdict.values() if counts[word])
    return Table(f"Goals: {summary}", ("goal", "where", "is", "should be", ""), rows)


def absences(results: Results) -> Iterator[tuple[str, str]]:
    yield from results.unavailable.items()
    for workload, timings in (*results.speeds, *results.validations, *results.logs):
        for engine, failure in timings.failures.items():
            yield f"{engine} on {workload.name}", failure
    for growth in (results.growth, results.validation_growth):
        for name, failure in growth[2].failures.items() if growth else ():
            yield f"growth, {name}", failure
    for process in (*results.processes, *results.checking):
        if process.failure:
            yield process.says, process.failure


def rate(nanoseconds: float | None) -> str:
    if nanoseconds is None:
        return NOT_MEASURED
    count = 1e9 / nanoseconds
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{suffix}" if count < 1e3 * size else f"{count / size:.0f}{suffix}"
    return f"{count:.3g}"


def times(ratio: float | None) -> str:
    return NOT_MEASURED if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"


def micros(nanoseconds: float | None) -> str:
    return NOT_MEASURED if nanoseconds is None else f"{nanoseconds / 1e3:.2f}"
