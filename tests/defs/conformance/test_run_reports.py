"""What a run prints: each format says everything, and nothing that a testee wrote can disturb where it is shown."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from defs.conformance.asking import RECOMMENDED, Difference
from defs.conformance.board import BadRun, read_board
from defs.conformance.expected import Expected
from defs.conformance.process import Hello
from defs.conformance.reduced import Reduced
from defs.conformance.reports import PRINTERS
from defs.conformance.reports import boards as printers
from defs.conformance.reports.words import headline, percent, share
from defs.conformance.running import Result, Run
from defs.vectors import schema

ROOT = Path(__file__).parents[3]
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e\ud800&]]>|`*\n"
KNOWN = Expected.parse("values-3 fail # any byte is true\nvalues-5 crashed # |stack| <b>\n")


def result(number: int, status: Any, **more: Any) -> Result:
    return Result(f"values-{number}", "values", "floats", more.pop("flags", ()), status, **more)


RESULTS = [
    result(1, "pass", flags=("nul",)),
    result(2, "fail", flags=("nul", "random"), differences=(Difference("json", HOSTILE, "no"),), note="what it is about"),
    result(3, "fail", differences=(Difference("verdict", "reject", "accept"),)),
    result(4, "weak", differences=(Difference("offset", 4, None, RECOMMENDED),)),
    result(5, "crashed", detail="died: " + HOSTILE),
    result(6, "skipped", detail="no floats"),
    Result("names-1", "names", "cases", (), "pass", left_out=("value.encode",)),
]
HELLO = Hello("sdk <1>", HOSTILE, 1, ("hello", "value.decode"))
WHOLE = Run(HELLO, "sdk --testee", RESULTS, KNOWN, list(KNOWN.lines[1:]), ["it <stays>"], 9, 2, 2, 1.25)
SMALL = Reduced({"op": "value.decode", "bytes": "02"}, (Difference("verdict", "reject", "accept"),))
SELECTION: dict[str, list[str]] = {"areas": ["values"], "flags": [], "cases": []}
WHOLE = replace(WHOLE, reduced={"values-2": SMALL}, vectors="ab" * 32, selection=SELECTION)
CLEAN = Run(Hello("fine", "1", 1, ("name",)), "fine", [RESULTS[0]], total=1)
EMPTY = Run(HELLO, "x", [result(6, "skipped", detail="no")], total=1)
RUNS = [WHOLE, CLEAN, EMPTY, replace(WHOLE, strict=True, interrupted=True), replace(CLEAN, results=[])]


def parsed(run: Run) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(PRINTERS["json"](run))
    return made


def test_what_fails_and_what_does_not() -> None:
    assert [one.result.id for one in WHOLE.failures] == ["values-2"]
    assert [one.result.id for one in replace(WHOLE, strict=True).failures] == ["values-2", "values-4"]
    assert [one.id for one, _ in WHOLE.known] == ["values-3", "values-5"]
    assert [run.status for run in (WHOLE, CLEAN, EMPTY)] == [1, 0, 0]
    assert replace(CLEAN, interrupted=True).status == replace(CLEAN, faults=["x"]).status == 1


def test_headlines() -> None:
    assert headline(WHOLE) == "failed: 1 failure, 1 fault, 1 line of the list for no case"
    assert headline(CLEAN) == "passed: nothing is wrong"
    assert headline(EMPTY) == "passed, but nothing was answered: all is skipped"
    assert "only 1 of 4 cases asked" in headline(replace(CLEAN, interrupted=True, total=4))
    known = replace(CLEAN, results=[RESULTS[2]], expected=KNOWN)
    assert headline(known) == "passed: nothing is wrong but what is expected"


@pytest.mark.parametrize(
    ("counts", "shown"),
    [({"pass": 3}, "100 %"), ({"fail": 3}, "0 %"), ({}, "-"), ({"skipped": 3}, "-"), ({"pass": 1, "crashed": 1}, "50.0 %"),
     ({"pass": 99_999, "fail": 1}, "99.9 %"), ({"pass": 1, "fail": 99_999}, "0.1 %"), ({"weak": 1, "skipped": 5}, "100 %")],
)  # fmt: skip
def test_shares_are_not_rounded_to_all_or_nothing(counts: Any, shown: str) -> None:
    assert percent(share(counts)) == shown
    assert percent(share({"weak": 1}, "all right")) == "0 %"


@pytest.mark.parametrize("run", RUNS, ids=range(len(RUNS)))
@pytest.mark.parametrize("name", PRINTERS)
def test_nothing_can_disturb_where_it_is_shown(name: str, run: Run) -> None:
    text = PRINTERS[name](run)
    assert text.endswith("\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800]", text)
    assert "<script" not in text or name in ("text", "json")


def test_text() -> None:
    lines = PRINTERS["text"](WHOLE).splitlines()
    assert lines[0] == "FAIL values-2 values/floats [nul, random] what it is about"
    assert lines[1].startswith("    json: expected <script>")
    assert lines[2:4] == ['    smallest: {"op": "value.decode", "bytes": "02"}', "        verdict: expected reject, got accept"]
    told = "\n".join(lines)
    for words in ("fault: it <stays>", "matches no case", "1 case was asked without value.encode", "--case values-2",
                  "values: 1 case skipped: no floats", "as expected: 1 fail, 1 crashed",
                  "1 case weak, which does not count"):  # fmt: skip
        assert words in told
    rows = {line.split()[0]: line.split()[1:6] for line in lines if line[:1].islower() and line.split()[1:2] != ["case"]}
    assert rows["values"] == ["1", "1", "2", "1", "1"]
    assert rows["total"] == ["2", "1", "2", "1", "1"]
    assert rows["nul"] == ["1", "0", "1", "0", "0"]
    assert lines[-1] == headline(WHOLE)


def test_long_answers_and_many_failures_are_cut_in_text() -> None:
    many = [result(number, "fail", differences=(Difference("bytes", "ab" * 9000, None),)) for number in range(50)]
    text = PRINTERS["text"](Run(HELLO, "x", many, total=50))
    assert len(text) < 12_000
    assert "... (18000 characters), got nothing" in text
    assert "and 30 cases more: values/floats 30" in text
    got = parsed(Run(HELLO, "x", many, total=50))["results"][0]["differences"][0]
    assert len(got["expected"]) < 5000


@pytest.mark.parametrize("run", RUNS, ids=range(len(RUNS)))
def test_json_is_as_its_schema_says(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(schema._TYPES, "number", lambda one: isinstance(one, (int, float)) and not isinstance(one, bool))
    described = json.loads((ROOT / "docs/schema/conformance.schema.json").read_text("utf-8"))
    made = parsed(run)
    assert list(schema.faults(described, made)) == []
    assert set(made) == set(described["properties"])
    for one in made["results"]:
        assert set(one) == set(described["$defs"]["result"]["properties"])
    for wrong in ({**made, "format": 2}, {**made, "cases": -1}, {**made, "results": [{}]}, {**made, "areas": [{"name": 1}]}):
        assert list(schema.faults(described, wrong))


def test_json() -> None:
    made = parsed(WHOLE)
    assert (made["status"], made["cases"], made["crashes"], made["failures"]) == (1, 9, 2, 1)
    assert made["testee"]["version"] == HOSTILE
    assert made["areas"][0] == {"name": "values", "pass": 1, "weak": 1, "fail": 2, "crashed": 1, "skipped": 1}
    two, three = made["results"][1:3]
    assert (two["failure"], two["expected"], two["smallest"]["request"]["bytes"]) == (True, None, "02")
    assert (three["failure"], three["expected"]["reason"]) == (False, "any byte is true")


def test_junit() -> None:
    root = ElementTree.fromstring(PRINTERS["junit"](WHOLE))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "9", "failures": "1", "errors": "2", "skipped": "3",
    }  # fmt: skip
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["values/floats", "names/cases", "the run as a whole"]
    cases = {case.get("name"): [one.tag for one in case] for case in suites["values/floats"]}
    assert cases == {"values-1": [], "values-2": ["failure"], "values-3": ["skipped"], "values-4": ["system-out"],
                     "values-5": ["skipped"], "values-6": ["skipped"]}  # fmt: skip
    crashed = replace(WHOLE, expected=Expected())
    assert ElementTree.fromstring(PRINTERS["junit"](crashed)).get("errors") == "3"
    assert ElementTree.fromstring(PRINTERS["junit"](replace(CLEAN, results=[]))).get("tests") == "0"


class Page(html.parser.HTMLParser):
    """Whether every tag is closed, and what is in the page."""

    VOID = ("meta",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_page(text: str) -> Page:
    page = Page(text)
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "b"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("href", "src", "onclick", "style")]
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in text.partition("<style>")[0]
    assert 'name="viewport"' in text
    assert "prefers-color-scheme:dark" in style
    return page


@pytest.mark.parametrize("run", RUNS, ids=range(len(RUNS)))
def test_html(run: Run) -> None:
    text = PRINTERS["html"](run)
    page = check_page(text)
    shown = {one.id for one in run.results if one.status in ("fail", "crashed", "weak")}
    assert page.tags.count("details") == len(shown)
    assert all(f"<code>{id}</code>" in text for id in shown)
    if run is WHOLE:
        for words in ("The smallest input that fails alike", "any byte is true", "it &lt;stays&gt;", "what it is about"):
            assert words in text


# The score board --------------------------------------------------------------------------------------------


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    paths = []
    for number, run in enumerate((WHOLE, replace(CLEAN, vectors="ab" * 32), replace(EMPTY, interrupted=True))):
        paths.append(tmp_path / f"{number}.json")
        paths[-1].write_text(PRINTERS["json"](run), "utf-8")
    return paths


def test_a_board_says_what_the_runs_say(runs: list[Path]) -> None:
    board = read_board(runs)
    whole, clean, empty = board.entries
    assert (whole.name, whole.faults, clean.version, empty.interrupted) == ("sdk <1>", ("it <stays>",), "1", True)
    assert board.areas == ["values", "names"]
    assert board.flags == ["nul", "random"]
    assert board.is_mixed
    assert not read_board(runs[:2]).is_mixed
    group = whole.groups["values/floats"]
    assert group.counts == {"fail": 2, "weak": 1, "crashed": 1}
    assert group.reasons == {"any byte is true": 1, "|stack| <b>": 1}
    assert group.unexplained == 1
    assert group.example.startswith("values-2: json: expected")
    assert clean.groups == {}
    other = replace(WHOLE, results=[result(3, "crashed", detail="died: otherwise than the list says")])
    runs[0].write_text(PRINTERS["json"](other), "utf-8")
    group = read_board(runs[:1]).entries[0].groups["values/floats"]
    assert (group.reasons, group.unexplained) == ({}, 1)
    assert group.example == "values-3: died: otherwise than the list says"


def test_boards_as_pages(runs: list[Path]) -> None:
    board = read_board(runs)
    check_page(printers.PRINTERS["html"](board))
    text = printers.PRINTERS["markdown"](board)
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (5, 9), line
    for words in ("| values | 40.0 % | 100 % | - |", "| **all** | **50.0 %** | **100 %** | **-** |",
                  "1 × any byte is true", "1 × not expected, such as values-2", "`values/floats`: 1 weak, 2 fail, 1 crashed",
                  "did not all ask the same"):  # fmt: skip
        assert words in text, text
    made = json.loads(printers.PRINTERS["json"](board))
    assert [one["name"] for one in made["testees"]] == ["sdk <1>", "fine", "sdk <1>"]
    assert made["testees"][0]["required"] == {"values": 40.0, "names": 100.0, "all": 50.0}
    for name in ("markdown", "html"):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\ud800]|(?<!\\)<script", printers.PRINTERS[name](board))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"results": []}', '{"format": 2, "results": []}', '{"format": 1, "results": [{}]}',
     '{"format": 1, "results": 7}', "[" * 100_000, '{"format": 1, "results": [], "testee": 5}', "\x00"],
)  # fmt: skip
def test_a_file_that_is_no_run(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, "utf-8")
    with pytest.raises(BadRun, match=r"run\.json"):
        read_board([path])
