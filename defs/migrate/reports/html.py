"""The check as one HTML page that reads well on a phone: a verdict for each comparison, findings that unfold by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from defs.findings.model import counted
from defs.findings.page import Hue, code, report, styled, words
from defs.migrate.reports.model import Check, Comparison, Entry
from defs.migrate.reports.words import AXES, UPGRADES, about, headline, question, server_line, summary, witness_lines

__all__ = ["print_html"]

_HUES: Final[dict[str, Hue]] = {  # of outcomes and levels
    "compatible": "good",
    "incompatible": "error",
    "not-compared": "error",
    "error": "error",
    "warning": "warning",
    "note": "note",
    "absent": "note",
}

STYLE = styled(_HUES, """
main{max-width:52rem}
.silent{background:var(--error);color:var(--paper);border-radius:.25rem;padding:0 .35rem;font-size:.8125rem;font-weight:600}
""")  # fmt: skip


def print_html(check: Check) -> str:
    """The page."""
    return report(f"Compatibility of {check.new.source}", STYLE, _body(check))


def _body(check: Check) -> Iterator[str]:
    yield f"<h1>Compatibility of {code(check.new.source)}</h1>"
    lines = (about(check.new), f"server release {check.release}", summary(check) if len(check.comparisons) > 1 else "")
    yield f'<p class="soft">{words("; ".join(filter(None, lines)))}</p>'
    for comparison in check.comparisons:
        yield from _comparison(check, comparison)
    if check.settings:
        yield f'<section class="verdict warning"><h2>{code(check.config or "configuration")}</h2></section>'
        yield from map(_entry, check.settings)


def _comparison(check: Check, comparison: Comparison) -> Iterator[str]:
    yield f'<section class="verdict {check.outcome(comparison)}"><h2>Against {code(comparison.old.source)}</h2>'
    yield f"<p><strong>{words(headline(check, comparison))}</strong></p>"
    for source, failure in comparison.failures:
        yield f"<p>{code(source)}: {words(failure.kind)}: {words(failure.message)}</p>"
    if comparison.server is not None:
        yield f"<p>Server: {words(server_line(check, comparison))}.</p>"
    if any(entry.rule.axis == "client" for entry in comparison.entries):
        yield f"<p>Upgrade: {UPGRADES[comparison.upgrade_first]}.</p>"
    yield "</section>"
    yield from map(_entry, comparison.entries)
    if comparison.ignored:
        yield f'<details><summary>{counted(len(comparison.ignored), "ignored finding")}</summary><div class="body">'
        for one in comparison.ignored:
            yield f"<p>{code(one.entry.element)} {one.entry.rules}: {words(one.reason)}</p>"
        yield "</div></details>"


def _entry(entry: Entry) -> str:
    return "\n".join(_lines(entry))


def _lines(entry: Entry) -> Iterator[str]:
    silent = '<span class="silent">unnoticed</span>' if entry.silent else ""
    yield f'<details class="{entry.level}"{" open" if entry.level == "error" else ""}><summary>'
    yield f'<span class="hue">{entry.level}</span>{silent}<code>{words(entry.element)}</code>'
    yield f'<span class="soft">{entry.rules}</span></summary><div class="body"><p>{words(entry.message)}</p>'
    if entry.witness is not None:
        yield f"<dl>{''.join(f'<dt>{label}</dt><dd>{code(text)}</dd>' for label, text in witness_lines(entry)[:-1])}</dl>"
        yield f"<p>{words(entry.witness.shows)}</p>"
    if entry.data_check is not None:
        yield f"<p>Ask the database: {code(question(entry))}</p>"
    yield f"<p><b>Why:</b> {words(entry.rule.why)}</p><p><b>Fix:</b> {words(entry.fix)}</p>"
    upgrade = "" if entry.rule.axis == "server" else f" Upgrade: {UPGRADES[entry.rule.upgrade_first]}."
    yield f'<p class="soft">Noticed by: {AXES[entry.rule.axis]}.{upgrade}</p></div></details>'
