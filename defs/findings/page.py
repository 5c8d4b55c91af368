"""Reports as HTML pages, in the light and in the dark: a verdict, then what was found, to unfold. There is no script.

What reports look like is here: colours by name, and the rules of the parts that all have. A report says in a table which colour
each of its classes has, and adds the rules that only it needs. Every word is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Final, Literal, TypeAlias

from defs.findings.words import visible
from defs.page import framed

__all__ = ["Hue", "code", "report", "styled", "words"]

Hue: TypeAlias = Literal["error", "warning", "note", "good", "soft"]

_COLOURS: Final[dict[str, tuple[str, str]]] = {  # in the light, in the dark
    "bg": ("#f6f7f9", "#12151c"),
    "paper": ("#fff", "#1a1f29"),
    "ink": ("#1b2230", "#e6eaf2"),
    "rule": ("#dfe3ea", "#2d3443"),
    "well": ("#f1f3f7", "#12161e"),
    "soft": ("#5c6678", "#a3adbf"),
    "error": ("#b3261e", "#ff8a80"),
    "warning": ("#8a5a00", "#f0b95a"),
    "note": ("#2457c5", "#8fb3ff"),
    "good": ("#0d6e3f", "#6fd6a2"),
}
_LIGHT, _DARK = (";".join(f"--{name}:{of[at]}" for name, of in _COLOURS.items()) for at in (0, 1))

_PALETTE = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media (prefers-color-scheme:dark){{:root{{{_DARK}}}}}"""

_RULES = """
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{margin:0 auto;padding:1rem 1rem 3rem}
h1{font-size:1.25rem;margin:.5rem 0 0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.6rem 0 .5rem;overflow-wrap:anywhere}
code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.soft{color:var(--soft);font-size:.875rem;margin:.15rem 0}
.hue{color:var(--hue);font-weight:600}
.verdict{border-left:.35rem solid var(--hue);background:var(--paper);border-radius:.4rem;padding:.75rem 1rem;
margin:1.5rem 0 1rem}
.verdict h2{margin:0}.verdict p{margin:.25rem 0;overflow-wrap:anywhere}
.verdict strong{color:var(--hue);font-size:1.1rem}
details{background:var(--paper);border:1px solid var(--rule);border-radius:.4rem;margin:.6rem 0;overflow:hidden}
summary{cursor:pointer;padding:.6rem 1rem;display:flex;flex-wrap:wrap;gap:.15rem .6rem;align-items:baseline}
summary:focus-visible{outline:2px solid var(--note);outline-offset:-2px}
summary::before{content:"▸";color:var(--soft)}details[open]>summary::before{content:"▾"}
summary::-webkit-details-marker{display:none}
summary .soft{font-size:.8125rem;margin:0 0 0 auto}
.body{padding:0 1rem .8rem}.body p{margin:.4rem 0;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem .8rem;margin:.6rem 0;padding:.6rem .8rem;
background:var(--well);border-radius:.3rem}
dt{color:var(--soft)}dd{margin:0;overflow:auto;overflow-wrap:anywhere;max-height:9em}
@media (max-width:34rem){dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:.3rem}
summary .soft{margin-left:0;width:100%}}
@media print{details{break-inside:avoid}body{background:none}}
"""


def styled(hues: Mapping[str, Hue], rules: str) -> str:
    """The style sheet of a report: what all have, the colour of each of its classes, and rules of its own."""
    return _PALETTE + _RULES + "".join(f".{name}{{--hue:var(--{hue})}}" for name, hue in hues.items()) + rules


def report(title: str, style: str, body: Iterable[str]) -> str:
    """A whole page, of the style sheet that `styled` makes; the title is plain text, the body HTML."""
    return framed(visible(title), style, ["<main>", *body, "</main>"])


def words(text: str) -> str:
    return escape(visible(text))


def code(text: str) -> str:
    return f"<code>{words(text)}</code>"
