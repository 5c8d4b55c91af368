"""The run as one HTML page: the verdict, the tables, and every case that is not as it should be, to unfold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from defs.conformance.asking import RECOMMENDED, Difference, shortened
from defs.conformance.reports.page import page, table
from defs.conformance.reports.words import COLUMNS, about, by_area, by_flag, headline, notes, outcome, percent, share
from defs.conformance.running import STATUSES, Result, Run, Status
from defs.findings.page import code, words

__all__ = ["counts_table", "print_html"]

MAX_CASES = 1000  #: of a section; a page that long is read by nobody
_OPEN = 5  #: cases that are unfolded to begin with


def print_html(run: Run) -> str:
    return page(f"Conformance of {run.testee.name} {run.testee.version}", _body(run))


def _body(run: Run) -> Iterator[str]:
    yield f"<h1>Conformance of {words(run.testee.name)} {words(run.testee.version)}</h1>"
    yield f'<p class="soft">{words(about(run))}</p><p class="soft">{code(run.command)}</p>'
    yield f'<section class="verdict {outcome(run)}"><p><strong>{words(headline(run))}</strong></p>'
    yield from (f"<p>{words(note)}</p>" for note in notes(run))
    yield "</section>"
    yield counts_table("area", by_area(run), total=True)
    failures = run.failures
    failed = {result.id for result, _ in failures}
    yield from _section(run, "Wrong", [(result, why, result.status) for result, why in failures], _OPEN)
    known = [(result, f"expected: {line.reason}", "known") for result, line in run.known]
    yield from _section(run, "As expected", known)
    weak = [(result, "", "weak") for result in run.results if result.status == "weak" and result.id not in failed
            and run.line_of(result) is None]  # fmt: skip
    yield from _section(run, "Weak: recommended answers differ", weak)
    flags = by_flag(run)
    if flags:
        yield "<h2>By flag</h2>"
        yield counts_table("flag", flags)


def counts_table(name: str, tally: Mapping[str, Mapping[Status, int]], *, total: bool = False) -> str:
    """The table of a tally, without or with a row for all of it."""
    rows = [(code(key), _cells(counts), "") for key, counts in tally.items()]
    if total and len(tally) > 1:
        whole: Counter[Status] = Counter()
        for counts in tally.values():
            whole.update(counts)
        rows.append(("all", _cells(whole), "total"))
    return table((name, *COLUMNS), rows)


def _cells(counts: Mapping[Status, int]) -> list[str]:
    cells = [f'<span class="{f"hue {status}" if counts.get(status) else "none"}">{counts.get(status, 0)}</span>'
             for status in STATUSES]  # fmt: skip
    return [*cells, *(percent(share(counts, of)) for of in COLUMNS[len(STATUSES) :])]


def _section(run: Run, title: str, cases: list[tuple[Result, str, str]], unfolded: int = 0) -> Iterator[str]:
    if not cases:
        return
    yield f'<h2>{title} <span class="soft">{len(cases)}</span></h2>'
    for position, (result, why, style) in enumerate(cases[:MAX_CASES]):
        yield from _case(run, result, why, style, position < unfolded)
    if len(cases) > MAX_CASES:
        yield f'<p class="soft">{len(cases) - MAX_CASES} more are in the JSON.</p>'


def _case(run: Run, result: Result, why: str, style: str, is_open: bool) -> Iterator[str]:
    yield f'<details class="{style}"{" open" if is_open else ""}><summary><span class="hue">{result.status}</span>'
    yield f'{code(result.id)}<span class="soft">{words(", ".join((result.place, *result.flags)))}</span></summary>'
    yield f'<div class="body">{_paragraphs(filter(None, (result.note, why, result.detail)))}'
    yield from _differences(result.differences)
    if (small := run.reduced.get(result.id)) is not None:
        yield f"<p>The smallest input that fails alike: {code(json.dumps(small.request))}</p>"
        yield from _differences(small.differences)
    yield "</div></details>"


def _differences(differences: Iterable[Difference]) -> Iterator[str]:
    for one in differences:
        level = ", recommended" if one.level == RECOMMENDED else ""
        yield f"<dl><dt>what</dt><dd>{words(one.what)}{level}</dd>"
        yield f"<dt>expected</dt><dd>{code(shortened(one.expected))}</dd><dt>got</dt><dd>{code(shortened(one.got))}</dd></dl>"


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f"<p>{words(text)}</p>" for text in texts)
