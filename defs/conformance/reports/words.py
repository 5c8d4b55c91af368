"""What all printers of a run say alike: the headline, the table by area and by flag, what is known and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction

from defs.conformance.running import STATUSES, Run, Status

__all__ = [
    "COLUMNS", "Share", "about", "by_area", "by_flag", "counted", "headline", "notes", "outcome", "percent", "share",
]  # fmt: skip

Share = Fraction  #: of the cases that were answered or crashed, those that are right

COLUMNS = (*STATUSES, "required", "all right")  #: of the tables, after the name

_RIGHT: dict[str, tuple[Status, ...]] = {"required": ("pass", "weak"), "all right": ("pass",)}


def counted(count: int, one: str, many: str = "") -> str:
    """`1 case`, `2 cases`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def share(counts: Mapping[Status, int], of: str = "required") -> Share | None:
    """Those right in all that is `required`, or `all right`, of those that were not skipped; None of none."""
    asked = sum(count for status, count in counts.items() if status != "skipped")
    return Fraction(sum(counts.get(status, 0) for status in _RIGHT[of]), asked) if asked else None


def percent(part: Share | None) -> str:
    """Whole percents only where they are exact: nothing is rounded to 100 %, or to 0 %."""
    if part is None:
        return "-"
    if part in (0, 1):
        return f"{int(part) * 100} %"
    tenths = min(max(round(part * 1000), 1), 999)
    return f"{tenths // 10}.{tenths % 10} %"


def by_area(run: Run) -> dict[str, Counter[Status]]:
    return run.tally(lambda result: [result.area])


def by_flag(run: Run) -> dict[str, Counter[Status]]:
    """Sorted by the flag."""
    return dict(sorted(run.tally(lambda result: result.flags).items()))


def outcome(run: Run) -> str:
    return "interrupted" if run.interrupted else "failed" if run.status else "passed"


def headline(run: Run) -> str:
    """How it went, in one line."""
    failures = run.failures
    said = [counted(len(failures), "failure")] if failures else []
    if run.faults:
        said.append(counted(len(run.faults), "fault"))
    if run.unmatched:
        said.append(f"{counted(len(run.unmatched), 'line')} of the list for no case")
    if run.interrupted:
        said.append(f"only {len(run.results)} of {counted(run.total, 'case')} asked")
    skipped = sum(result.status == "skipped" for result in run.results)
    if skipped == len(run.results) and not said:
        return "passed, but nothing was answered: all is skipped"
    fine = "nothing is wrong but what is expected" if run.known else "nothing is wrong"
    return f"{outcome(run)}: {', '.join(said) or fine}"


def about(run: Run) -> str:
    """Who was asked what."""
    processes = counted(run.jobs, "process", "processes")
    restarts = f", {counted(run.crashes, 'crash', 'crashes')}" if run.crashes else ""
    return (
        f"{run.testee.name} {run.testee.version}, protocol {run.testee.protocol}: {counted(len(run.results), 'case')} in "
        f"{run.seconds:.1f} s by {processes}{restarts}"
    )


def notes(run: Run) -> Iterator[str]:
    """Faults of the testee as a whole, lines that mean no case, parts of cases that were skipped."""
    for fault in run.faults:
        yield f"fault: {fault}"
    for line in run.unmatched:
        yield f"line {line.number} of the list, {line.pattern}, matches no case"
    left_out = Counter(op for result in run.results if result.status != "skipped" for op in result.left_out)
    for op, count in sorted(left_out.items()):
        yield f"{counted(count, 'case was', 'cases were')} asked without {op}, which is skipped"
    reasons = Counter((result.area, result.detail) for result in run.results if result.status == "skipped")
    for (area, why), count in sorted(reasons.items(), key=lambda item: (item[0][0], -item[1]))[:20]:
        yield f"{area}: {counted(count, 'case')} skipped: {why}"
