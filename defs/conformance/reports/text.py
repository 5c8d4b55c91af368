"""The run for people: what is wrong first, then the tables; the summary stands at the end, where a terminal shows it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping

from defs.conformance.reports.words import COLUMNS, about, by_area, by_flag, counted, headline, notes, percent, share
from defs.conformance.running import STATUSES, Result, Run, Status
from defs.findings.words import visible

__all__ = ["print_text"]

MAX_SHOWN = 20  #: cases of a kind that are shown with what is wrong


def print_text(run: Run) -> str:
    return "\n".join(map(visible, _lines(run))).lstrip("\n") + "\n"


def _lines(run: Run) -> Iterator[str]:
    failures = run.failures
    for result, why in failures[:MAX_SHOWN]:
        yield from _case(run, result, why)
    yield from _rest("and {} more", [result for result, _ in failures[MAX_SHOWN:]])
    weak = [] if run.strict else [result for result in run.results if result.status == "weak" and run.line_of(result) is None]
    yield from _rest("{} weak, which does not count without --strict", weak)
    yield from notes(run)
    yield ""
    yield from _table("AREA", by_area(run))
    flags = by_flag(run)
    if flags:
        yield ""
        yield from _table("FLAG", flags)
    yield ""
    yield about(run)
    if run.known:
        kinds = Counter(line.status for _, line in run.known)
        yield f"as expected: {', '.join(f'{count} {status}' for status, count in kinds.items())}"
    if failures:
        id = failures[0].result.id
        yield f"see a case with `bsatn vectors show {id}`, ask it again with `--case {id}`"
    yield headline(run)


def _case(run: Run, result: Result, why: str) -> Iterator[str]:
    about = " ".join(filter(None, (result.place, f"[{', '.join(result.flags)}]" if result.flags else "", result.note)))
    yield f"{result.status.upper()} {result.id} {about}"
    yield from (f"    {line}" for line in (why, *map(str, result.differences), result.detail) if line)
    if (small := run.reduced.get(result.id)) is not None:
        yield f"    smallest: {json.dumps(small.request)}"
        yield f"        {small.words}"


def _rest(words: str, results: list[Result]) -> Iterator[str]:
    if results:
        listed = ", ".join(f"{place} {count}" for place, count in Counter(result.place for result in results).items())
        yield f"{words.format(counted(len(results), 'case'))}: {listed}"


def _table(title: str, rows: Mapping[str, Mapping[Status, int]]) -> Iterator[str]:
    total: Counter[Status] = Counter()
    cells: list[tuple[str, ...]] = [(title, *(name.upper() for name in COLUMNS))]
    for name, counts in rows.items():
        cells.append(_row(name, counts))
        total.update(counts)
    if title == "AREA" and len(rows) > 1:
        cells.append(_row("total", total))
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for name, *numbers in cells:
        yield "  ".join([f"{name:{widths[0]}}", *(f"{one:>{width}}" for one, width in zip(numbers, widths[1:], strict=True))])


def _row(name: str, counts: Mapping[Status, int]) -> tuple[str, ...]:
    shares = (percent(share(counts, of)) for of in COLUMNS[len(STATUSES) :])
    return (name, *(str(counts.get(status, 0)) for status in STATUSES), *shares)
