"""The check as one HTML file that needs nothing else and reads well on a phone, in the light and in the dark.

No request leaves the page: its content policy allows its own style sheet, by its hash, and nothing besides. There is no script;
findings unfold by themselves. Every word of a definition is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape

from defs.findings.model import counted
from defs.findings.words import visible
from defs.migrate.reports.model import Check, Comparison, Entry
from defs.migrate.reports.words import AXES, UPGRADES, about, headline, question, server_line, summary, witness_lines

__all__ = ["print_html"]

STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--paper:#fff;--ink:#1b2230;--soft:#5c6678;--rule:#dfe3ea;--well:#f1f3f7;
--error:#b3261e;--warning:#8a5a00;--note:#2457c5;--good:#0d6e3f}
@media (prefers-color-scheme:dark){:root{--bg:#12151c;--paper:#1a1f29;--ink:#e6eaf2;--soft:#a3adbf;--rule:#2d3443;
--well:#12161e;--error:#ff8a80;--warning:#f0b95a;--note:#8fb3ff;--good:#6fd6a2}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:52rem;margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.25rem;margin:.5rem 0 0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:0;overflow-wrap:anywhere}
code,pre{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.soft{color:var(--soft);font-size:.875rem;margin:.15rem 0}
.verdict{border-left:.35rem solid var(--hue);background:var(--paper);border-radius:.4rem;padding:.75rem 1rem;
margin:1.5rem 0 1rem}
.verdict p{margin:.25rem 0}
.compatible{--hue:var(--good)}.incompatible,.not-compared,.error{--hue:var(--error)}.warning{--hue:var(--warning)}
.note,.absent{--hue:var(--note)}
.verdict strong{color:var(--hue);font-size:1.1rem}
details{background:var(--paper);border:1px solid var(--rule);border-radius:.4rem;margin:.6rem 0;overflow:hidden}
summary{cursor:pointer;padding:.6rem 1rem;display:flex;flex-wrap:wrap;gap:.15rem .6rem;align-items:baseline}
summary:focus-visible{outline:2px solid var(--note);outline-offset:-2px}
summary::before{content:"▸";color:var(--soft)}details[open]>summary::before{content:"▾"}
summary::-webkit-details-marker{display:none}
.level{color:var(--hue);font-weight:600}.silent{background:var(--error);color:var(--paper);border-radius:.25rem;
padding:0 .35rem;font-size:.8125rem;font-weight:600}
.rule{color:var(--soft);font-size:.8125rem;margin-left:auto}
.body{padding:0 1rem .8rem}.body p{margin:.4rem 0}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem .8rem;margin:.6rem 0;padding:.6rem .8rem;
background:var(--well);border-radius:.3rem}
dt{color:var(--soft)}dd{margin:0;overflow:auto;overflow-wrap:anywhere;max-height:9em}
@media (max-width:30rem){dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:.3rem}.rule{margin-left:0;width:100%}}
@media print{details{break-inside:avoid}body{background:none}}
"""


def print_html(check: Check) -> str:
    """The page."""
    return "\n".join([*_head(check), *_body(check), "</main></body></html>", ""])


def _words(text: str) -> str:
    return escape(visible(text))


def _code(text: str) -> str:
    return f"<code>{_words(text)}</code>"


def _head(check: Check) -> Iterator[str]:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>Compatibility of {_words(check.new.source)}</title>"
    yield f"<style>{STYLE}</style></head><body><main>"


def _body(check: Check) -> Iterator[str]:
    yield f"<h1>Compatibility of {_code(check.new.source)}</h1>"
    lines = (about(check.new), f"server release {check.release}", summary(check) if len(check.comparisons) > 1 else "")
    yield f'<p class="soft">{_words("; ".join(filter(None, lines)))}</p>'
    for comparison in check.comparisons:
        yield from _comparison(check, comparison)
    if check.settings:
        yield f'<section class="verdict warning"><h2>{_code(check.config or "configuration")}</h2></section>'
        yield from map(_entry, check.settings)


def _comparison(check: Check, comparison: Comparison) -> Iterator[str]:
    yield f'<section class="verdict {check.outcome(comparison)}"><h2>Against {_code(comparison.old.source)}</h2>'
    yield f"<p><strong>{_words(headline(check, comparison))}</strong></p>"
    for source, failure in comparison.failures:
        yield f"<p>{_code(source)}: {_words(failure.kind)}: {_words(failure.message)}</p>"
    if comparison.server is not None:
        yield f"<p>Server: {_words(server_line(check, comparison))}.</p>"
    if any(entry.rule.axis == "client" for entry in comparison.entries):
        yield f"<p>Upgrade: {UPGRADES[comparison.upgrade_first]}.</p>"
    yield "</section>"
    yield from map(_entry, comparison.entries)
    if comparison.ignored:
        yield f'<details><summary>{counted(len(comparison.ignored), "ignored finding")}</summary><div class="body">'
        for one in comparison.ignored:
            yield f"<p>{_code(one.entry.element)} {one.entry.rules}: {_words(one.reason)}</p>"
        yield "</div></details>"


def _entry(entry: Entry) -> str:
    return "\n".join(_lines(entry))


def _lines(entry: Entry) -> Iterator[str]:
    silent = '<span class="silent">unnoticed</span>' if entry.silent else ""
    yield f'<details class="{entry.level}"{" open" if entry.level == "error" else ""}><summary>'
    yield f'<span class="level">{entry.level}</span>{silent}<code>{_words(entry.element)}</code>'
    yield f'<span class="rule">{entry.rules}</span></summary><div class="body"><p>{_words(entry.message)}</p>'
    if entry.witness is not None:
        yield f"<dl>{''.join(f'<dt>{label}</dt><dd>{_code(text)}</dd>' for label, text in witness_lines(entry)[:-1])}</dl>"
        yield f"<p>{_words(entry.witness.shows)}</p>"
    if entry.data_check is not None:
        yield f"<p>Ask the database: {_code(question(entry))}</p>"
    yield f"<p><b>Why:</b> {_words(entry.rule.why)}</p><p><b>Fix:</b> {_words(entry.fix)}</p>"
    upgrade = "" if entry.rule.axis == "server" else f" Upgrade: {UPGRADES[entry.rule.upgrade_first]}."
    yield f'<p class="soft">Noticed by: {AXES[entry.rule.axis]}.{upgrade}</p></div></details>'
