"""The frame of pages, and that reports have every colour they use."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import get_args

import pytest

from defs.conformance.reports.page import STYLE as OF_RUNS
from defs.conformance.running import STATUSES
from defs.findings.model import Level
from defs.findings.page import Hue, code, report, styled, words
from defs.migrate.reports.html import STYLE as OF_CHECKS
from defs.migrate.reports.model import Outcome
from defs.page import framed

HOSTILE = "</title><script>\x1b\u202e\"'&"
STYLES = {"runs": OF_RUNS, "checks": OF_CHECKS, "plain": styled({}, "")}


def policy(page: str) -> dict[str, str]:
    """What the page allows, by directive."""
    (content,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    return dict(one.split(" ", 1) for one in content.split("; "))


def source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_a_page_allows_its_own_style_and_nothing_else() -> None:
    page = framed("a", "b{color:red}", ["<p>c</p>"])
    nothing = {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}
    assert policy(page) == {**nothing, "style-src": source("b{color:red}")}
    assert "<style>b{color:red}</style>" in page
    assert "<script" not in page
    with_script = framed("a", "", ["<p>c</p>"], "d()")
    assert policy(with_script) == {**nothing, "style-src": source(""), "script-src": source("d()")}
    assert with_script.endswith("<p>c</p>\n<script>d()</script>\n</body></html>\n")


def test_titles_and_words_break_out_of_nothing() -> None:
    assert "<title>&lt;/title&gt;&lt;script&gt;" in framed(HOSTILE, "", [])
    page = report(HOSTILE, styled({}, ""), [f"<p>{words(HOSTILE)}{code(HOSTILE)}</p>"])
    assert not re.search("[\x1b\u202e]|<script", page)
    assert page.count("&lt;/title&gt;&lt;script&gt;\\u{1b}\\u{202e}&quot;&#x27;&amp;") == 3


@pytest.mark.parametrize("name", STYLES)
def test_every_colour_used_is_there_by_day_and_by_night(name: str) -> None:
    light, dark = (dict(re.findall(r"--([\w-]+):(#\w+)", root)) for root in re.findall(r":root\{(.*?)\}", STYLES[name]))
    used = {*re.findall(r"var\(--([\w-]+)\)", STYLES[name])} - {"hue"}
    assert light.keys() == dark.keys() >= {*used, *get_args(Hue)}
    assert [colour for colour in light if light[colour] == dark[colour]] == []
    assert "@media (prefers-color-scheme:dark){:root{" in STYLES[name]
    assert STYLES[name].count("{") == STYLES[name].count("}")


@pytest.mark.parametrize(
    ("style", "classes"),
    [
        (OF_RUNS, (*STATUSES, "known", "passed", "failed", "interrupted")),
        (OF_CHECKS, (*get_args(Level), *get_args(Outcome))),
    ],
    ids=["runs", "checks"],
)
def test_every_outcome_has_a_colour(style: str, classes: tuple[str, ...]) -> None:
    assert [name for name in classes if f".{name}{{--hue:var(--" not in style] == []
