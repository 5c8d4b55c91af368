"""The frame of the HTML pages: one file that needs nothing else, for a phone too, in the light and in the dark.

No request leaves a page: its content policy allows its own style sheet, by its hash, and nothing besides. There is no script.
Every word is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from defs.findings.words import visible

__all__ = ["code", "page", "table", "words"]

STYLE = """
:root{color-scheme:light dark;--bg:#f6f7f9;--paper:#fff;--ink:#1b2230;--soft:#5c6678;--rule:#dfe3ea;--well:#f1f3f7;
--fail:#b3261e;--weak:#8a5a00;--known:#2457c5;--pass:#0d6e3f}
@media (prefers-color-scheme:dark){:root{--bg:#12151c;--paper:#1a1f29;--ink:#e6eaf2;--soft:#a3adbf;--rule:#2d3443;
--well:#12161e;--fail:#ff8a80;--weak:#f0b95a;--known:#8fb3ff;--pass:#6fd6a2}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:64rem;margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.25rem;margin:.5rem 0 0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.6rem 0 .5rem;overflow-wrap:anywhere}
code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.soft{color:var(--soft);font-size:.875rem;margin:.15rem 0}
.verdict{border-left:.35rem solid var(--hue);background:var(--paper);border-radius:.4rem;padding:.75rem 1rem;margin:1rem 0}
.verdict p{margin:.25rem 0;overflow-wrap:anywhere}
.verdict strong{color:var(--hue);font-size:1.1rem}
.passed,.pass{--hue:var(--pass)}.failed,.interrupted,.fail,.crashed{--hue:var(--fail)}.weak{--hue:var(--weak)}
.known{--hue:var(--known)}.skipped{--hue:var(--soft)}
.scroll{overflow-x:auto;background:var(--paper);border:1px solid var(--rule);border-radius:.4rem}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .7rem;text-align:right;white-space:nowrap;border-top:1px solid var(--rule)}
thead th{border-top:0;color:var(--soft);font-weight:500;white-space:normal;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--paper)}
tbody th{font-weight:500}tr.total>*{font-weight:650;border-top-width:2px}
.hue{color:var(--hue);font-weight:600}.none{color:var(--soft);opacity:.55}
details{background:var(--paper);border:1px solid var(--rule);border-radius:.4rem;margin:.5rem 0;overflow:hidden}
summary{cursor:pointer;padding:.5rem 1rem;display:flex;flex-wrap:wrap;gap:.15rem .6rem;align-items:baseline}
summary:focus-visible{outline:2px solid var(--known);outline-offset:-2px}
summary::before{content:"▸";color:var(--soft)}details[open]>summary::before{content:"▾"}
summary::-webkit-details-marker{display:none}
summary .soft{margin-left:auto}
.body{padding:0 1rem .8rem}.body p{margin:.4rem 0;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem .8rem;margin:.5rem 0;padding:.5rem .8rem;
background:var(--well);border-radius:.3rem}
dt{color:var(--soft)}dd{margin:0;overflow:auto;overflow-wrap:anywhere;max-height:9em}
@media (max-width:34rem){th,td{padding:.3rem .5rem}dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:.3rem}
summary .soft{margin-left:0;width:100%}}
@media print{details{break-inside:avoid}body{background:none}}
"""


def page(title: str, body: Iterable[str]) -> str:
    """A whole page; the body is HTML."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{words(title)}</title>",
        f"<style>{STYLE}</style></head><body><main>",
    )
    return "\n".join([*head, *body, "</main></body></html>", ""])


def words(text: str) -> str:
    return escape(visible(text))


def code(text: str) -> str:
    return f"<code>{words(text)}</code>"


def table(head: Iterable[str], rows: Iterable[tuple[str, Iterable[str], str]]) -> str:
    """A table that scrolls by itself: of each row its name, cells and class, all of them HTML."""
    made = [f"<tr{f' class={chr(34)}{style}{chr(34)}' if style else ''}><th scope=\"row\">{name}</th>"
            + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for name, cells, style in rows]  # fmt: skip
    heads = "".join(f'<th scope="col">{one}</th>' for one in head)
    body = f"<thead><tr>{heads}</tr></thead><tbody>{''.join(made)}</tbody>"
    return f'<div class="scroll" tabindex="0"><table>{body}</table></div>'
