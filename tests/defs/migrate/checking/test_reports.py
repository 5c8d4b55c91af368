"""Printers: every format in full for three upgrades of the arena, and names that try to break out of each.

After a change that is meant, `BSATN_GOLDEN=write` writes the expected files anew; look at the difference.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import defs
from bsatn import __version__
from defs import raw
from defs.migrate.checking import check, side
from defs.migrate.config import Ignore, Settings
from defs.migrate.reports import PRINTERS
from defs.migrate.reports.model import Check, Comparison, Entry, Failure, Ignored, Side
from defs.migrate.reports.spacetime import visible_lines
from defs.migrate.rules.model import Rule, Witness
from defs.raw import v10
from defs.vectors.schema import faults

GOLDEN = Path(__file__).with_name("golden")
MODULES = "vectors/modules"
SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[4] / "docs/schema/check.schema.json").read_text("utf-8"))
PAIRS = (("v1", "v2"), ("v1", "v3"), ("classic", "v1"))


def arena(name: str) -> Side:
    path = f"{MODULES}/arena_{name}.wasm"
    return side(path, lambda: loaded(path))


@cache
def loaded(path: str) -> defs.Loaded:
    return defs.load(path)


def checked(old: str, new: str, **more: Any) -> Check:
    return check([arena(old)], arena(new), **more)


@pytest.mark.parametrize("form", PRINTERS)
@pytest.mark.parametrize(("old", "new"), PAIRS, ids=["v1-v2", "v1-v3", "classic-v1"])
def test_golden(old: str, new: str, form: str) -> None:
    text = PRINTERS[form](checked(old, new)).replace(f"bsatn {__version__}", "bsatn 0.0.0")
    text = text.replace(f'"semanticVersion": "{__version__}"', '"semanticVersion": "0.0.0"')
    path = GOLDEN / f"{old}-{new}.{form}"
    if os.environ.get("BSATN_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def test_the_plan_in_colour() -> None:
    plain = PRINTERS["spacetime"](checked("v1", "v2"))
    colored = PRINTERS["spacetime"](replace(checked("v1", "v2"), color=True))
    assert "\x1b[0m\x1b[1m\x1b[41m!!! Warning" in colored
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain
    assert "\x1b[31merror\x1b[0m" in PRINTERS["text"](replace(checked("v1", "v3"), color=True))


# JSON and SARIF ---------------------------------------------------------------------------------------------


def strict(schema: Any) -> Any:
    """The schema, with no key allowed that it does not have; only steps may have more."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: strict(value) for key, value in schema.items()}
    return {**made, "additionalProperties": False} if set(schema.get("required", ())) > {"kind"} else made


def everything() -> Check:
    """A check in which whatever can be there is there."""
    settings = Settings(ignore=(Ignore("TABLE_NO_SHRINK", "table *", "known"), Ignore("TABLE_NO_SHRINK", "nothing", "stale")))
    found = check([arena("v1"), arena("classic"), arena("v3"), Side("gone", failed=Failure("NotFound", "m"))], arena("v2"))
    more = check([arena("v1")], arena("v2"), settings=settings)
    return replace(found, comparisons=[*found.comparisons, *more.comparisons], settings=more.settings)


def test_json_is_as_published() -> None:
    document = json.loads(PRINTERS["json"](everything()))
    assert list(faults(strict(SCHEMA), document)) == []
    assert [one["outcome"] for one in document["comparisons"]].count("not-compared") == 1
    assert document["comparisons"][-1]["ignored"][0]["reason"] == "known"
    del document["comparisons"][0]["findings"][0]["witness"]
    assert list(faults(strict(SCHEMA), document)) == [".comparisons[0].findings[0]: `witness` is missing"]


def test_sarif_has_what_code_scanning_requires() -> None:
    [run] = json.loads(PRINTERS["sarif"](everything()))["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert "PUBLISH_NOT_REFUSED" in ids
    assert len(set(ids)) == len(ids)
    assert run["invocations"][0]["executionSuccessful"] is False
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        [location] = result["locations"]
        assert re.fullmatch(r"[!-~]+", location["physicalLocation"]["artifactLocation"]["uri"])
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_gitlab_has_what_code_quality_requires() -> None:
    found = json.loads(PRINTERS["gitlab"](everything()))
    assert all(set(one) == {"description", "check_name", "fingerprint", "severity", "location"} for one in found)
    assert len({one["fingerprint"] for one in found}) == len(found)
    assert {one["severity"] for one in found} <= {"info", "minor", "major", "critical", "blocker"}


def test_junit_counts() -> None:
    root = ElementTree.fromstring(PRINTERS["junit"](everything()))
    assert [suite.get("errors") for suite in root] == ["0", "0", "0", "1", "0", "0"]
    assert root[0].get("name") == f"{MODULES}/arena_v2.wasm against {MODULES}/arena_v1.wasm"


def test_annotations_are_on_the_file_that_git_has() -> None:
    new = replace(arena("v3"), source="git:HEAD:server/module.wasm")
    assert "file=server/module.wasm::" in PRINTERS["github"](check([arena("v1")], new))
    here = replace(arena("v3"), source="./server/module.wasm")
    for one_side in (new, here):
        found = json.loads(PRINTERS["gitlab"](check([arena("v1")], one_side)))
        assert {one["location"]["path"] for one in found} == {"server/module.wasm"}


# What every format has to say -------------------------------------------------------------------------------

ALL = [form for form in PRINTERS if form != "spacetime"]
FOR_PEOPLE = ("text", "html", "markdown")


def asking() -> Check:
    """A check of which rows decide: a table that is not there any more, and a view that became private."""
    definition = loaded(f"{MODULES}/arena_v1.wasm").raw
    assert isinstance(definition, raw.RawModuleDefV10)
    sections: list[Any] = []
    for one in definition.sections:
        if isinstance(one, v10.TablesSection):
            sections.append(v10.TablesSection(tuple(table for table in one.tables if table.source_name != "ledger")))
        elif isinstance(one, v10.ViewsSection):
            sections.append(v10.ViewsSection(tuple(replace(view, is_public=False) for view in one.views)))
        else:
            sections.append(one)
    data = raw.encode(raw.RawModuleDefV10(tuple(sections)))
    return check([arena("v1")], side("new.wasm", lambda: defs.load(data)))


@pytest.mark.parametrize("form", ALL)
def test_findings_about_the_settings_are_shown(form: str) -> None:
    assert "IGNORE_MATCHES" in PRINTERS[form](everything())


@pytest.mark.parametrize("form", [*FOR_PEOPLE, "json"])
def test_what_is_ignored_is_shown_with_the_reason(form: str) -> None:
    found = everything()
    text = PRINTERS[form](found)
    assert "known" in text
    assert len(text) > len(PRINTERS[form](replace(found, comparisons=[replace(one, ignored=()) for one in found.comparisons])))
    if form != "json":
        headlines = re.findall(r"ompatible: [^<\n]*1 ignored", text)
        assert len(headlines) == 1


@pytest.mark.parametrize("form", ["github", "sarif", "gitlab", "junit"])
def test_findings_say_against_which_definition(form: str) -> None:
    """Where there are several; where there is one it goes without saying."""
    one, several = check([arena("v1")], arena("v2")), check([arena("v1"), arena("classic")], arena("v2"))
    mark = f"(against {MODULES}/arena_v1.wasm)"
    assert mark in PRINTERS[form](several)
    assert mark not in PRINTERS[form](one)


@pytest.mark.parametrize("form", [form for form in ALL if form != "gitlab"])
def test_questions_are_shown(form: str) -> None:
    text = PRINTERS[form](asking())
    assert "SELECT COUNT(*) AS n FROM ledger" in text
    assert "n is 0" in text


@pytest.mark.parametrize("form", FOR_PEOPLE)
def test_a_verdict_says_that_clients_are_disconnected_as_well(form: str) -> None:
    found = asking()
    assert "publishes it if what is stored allows it and disconnects all clients" in PRINTERS[form](found)


def test_a_plan_that_the_server_cannot_print() -> None:
    assert "Failed to format migration plan: " in PRINTERS["spacetime"](asking())


def test_words_of_the_server_disturb_no_terminal() -> None:
    assert visible_lines("a\x1b[31mb\n\nc\r") == "a\\u{1b}[31mb\n\nc\\r"


def test_there_is_no_verdict_where_a_side_is_missing() -> None:
    found = check([Side("gone", failed=Failure("NotFound", "there is no such file"))], arena("v1"))
    lines = PRINTERS["text"](found).splitlines()
    assert lines == [f"{MODULES}/arena_v1.wasm against gone: could not be compared", "  gone: NotFound: there is no such file"]
    for form in ("html", "markdown"):
        assert "server of release" not in PRINTERS[form](found)


def test_plans_of_several_say_against_which() -> None:
    text = PRINTERS["spacetime"](check([arena("v1"), arena("v2")], arena("v2")))
    assert re.findall(r"^Against (.*):$", text, re.MULTILINE) == [f"{MODULES}/arena_v1.wasm", f"{MODULES}/arena_v2.wasm"]
    assert "Against" not in PRINTERS["spacetime"](checked("v1", "v2"))


def test_errors_are_unfolded_and_the_rest_is_folded() -> None:
    text = PRINTERS["html"](checked("classic", "v1"))
    assert set(re.findall(r'<details class="(\w+)" open>', text)) == {"error"}
    assert set(re.findall(r'<details class="(\w+)">', text)) == {"note"}


def test_text_tells_bytes_and_fixes_once() -> None:
    entry = next(one for one in checked("v1", "v3").comparisons[0].entries if one.witness)
    assert entry.witness
    found = checked("v1", "v3")
    twice = replace(found, comparisons=[replace(found.comparisons[0], entries=[entry, replace(entry, element="another")])])
    text = PRINTERS["text"](twice)
    assert text.count("bytes:") == text.count("fix:") == 1
    assert f"shown by the same bytes as of {entry.element}\n" in text
    other = replace(twice.comparisons[0].entries[1], witness=replace(entry.witness, bytes="ff"), help="do another thing")
    text = PRINTERS["text"](replace(twice, comparisons=[replace(found.comparisons[0], entries=[entry, other])]))
    assert text.count("bytes:") == text.count("fix:") == 2
    assert "fix: Do another thing.\n" in text


# Hostile names ----------------------------------------------------------------------------------------------

HOSTILE = "a\x1b[31m\nb\r::error::c%0A,:d \x00\ud800￾\u202e]]></failure>\"'&<script>alert(1)</script>`@all![x](http://e)|"


def hostile() -> Check:
    rule = Rule("SOME_RULE", HOSTILE, "client", "error", HOSTILE, HOSTILE, "clients")
    witness = Witness(HOSTILE, "new", HOSTILE, HOSTILE, HOSTILE, HOSTILE, True)
    entry = Entry(rule, "error", HOSTILE, HOSTILE, ("tables", HOSTILE), ("tables", HOSTILE), witness)
    sides = Side(HOSTILE, 10, "10i"), replace(arena("v2"), source=HOSTILE)
    found = checked("v1", "v2").comparisons[0]
    failed = Comparison(Side(HOSTILE, failed=Failure(HOSTILE, HOSTILE)), sides[1])
    comparison = Comparison(*sides, found.server, [entry], [Ignored(entry, HOSTILE)])
    return Check(sides[1], [comparison, failed], "2.14.0", settings=[entry], config=HOSTILE)


@pytest.mark.parametrize("form", PRINTERS)
def test_hostile_names_break_out_of_no_format(form: str) -> None:
    text = PRINTERS[form](hostile())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff￾]", text)
    text.encode()
    if form in ("html", "junit"):
        assert "<script" not in text
    if form in ("json", "sarif", "gitlab"):
        assert json.loads(text)
    if form == "junit":
        assert len(ElementTree.fromstring(text)) == 3
    if form in ("text", "github", "spacetime"):
        assert all(line.startswith("::error title=") for line in text.splitlines() if line.startswith("::"))
    if form == "markdown":
        prose = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        assert not re.search(r"@all|(?<!\\)\]\(|http://|<script", prose)


def test_cells_of_a_comment_end_where_they_should() -> None:
    rows = [line for line in PRINTERS["markdown"](hostile()).splitlines() if line.startswith("| the ")]
    assert len(rows) == 2
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [3, 3]


def test_a_comment_is_no_longer_than_github_takes() -> None:
    found = checked("v1", "v3")
    many = [replace(found.comparisons[0].entries[0], element=f"table t{number}") for number in range(2000)]
    text = PRINTERS["markdown"](replace(found, comparisons=[replace(found.comparisons[0], entries=many)]))
    assert len(text) < 65_536
    assert "more than fits a comment" in text


# The page ---------------------------------------------------------------------------------------------------


def test_the_page_stands_alone() -> None:
    text = PRINTERS["html"](everything())
    assert '<meta name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme:dark" in text
    assert "default-src 'none'" in text
    assert not re.search(r"\b(src|href)=|url\(|@import|<script|<link", text)


def test_the_page_fits_a_phone(tmp_path: Path) -> None:
    """As a browser lays it out: no wider than the screen, with its style applied."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no chromium to lay the page out")
    probe = (
        "<script>document.title=[document.documentElement.scrollWidth<=innerWidth,"
        "getComputedStyle(document.querySelector('dl')).display]</script>"
    )
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", PRINTERS["html"](everything()))
    (tmp_path / "page.html").write_text(page.replace("</body>", f"{probe}</body>"), "utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--window-size=420,900", "--dump-dom", (tmp_path / "page.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if "<title>" not in done.stdout:
        pytest.skip(f"chromium does not run here: {done.stderr[-200:]}")
    title = re.search(r"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title[1] == "true,grid"


def test_the_reports_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages as they are printed now, each with a picture that is small; all of them are linked to."""
    monkeypatch.undo()  # what the rules say there is what they really say
    docs = Path(__file__).parents[4] / "docs"
    pages: dict[Path, str] = runpy.run_path(str(docs / "generate_upgrades.py"))["pages"]()
    assert [path.stem for path in pages] == [f"{old}-{new}" for old, new in PAIRS]
    text = (docs / "upgrades.md").read_text("utf-8")
    for path, page in pages.items():
        assert path.read_text("utf-8") == page, "run: python docs/generate_upgrades.py --pictures"
        picture = path.with_suffix(".png")
        assert 10_000 < picture.stat().st_size < 150_000
        assert [name for name in (path.name, picture.name) if f"(upgrades/{name})" not in text] == []
    assert len(list((docs / "upgrades").iterdir())) == 2 * len(pages)
