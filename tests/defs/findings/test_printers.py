"""Printers: small reports in full, and names that try to break out of each format."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest

from defs.findings import PRINTERS, Finding, Reading, Report
from defs.findings.model import element_path
from defs.findings.places import file_of, uri_of

DUPLICATE = Finding("DuplicateName", "error", "name `fighter` is taken", "bad.wasm", ("tables", 2), name="fighter")
INDEX = Finding("ColumnNotFound", "error", "no column 9", "bad.wasm", ("tables", 2, "indexes", 0), name="fighter")
GLOBAL = Finding("LifecycleWithoutReducer", "warning", "no reducer", "bad.wasm", help="declare one")
REPORTS = [
    Report("good.wasm", 10, "10i"),
    Report("bad.wasm", 9, "9e", [DUPLICATE, GLOBAL, INDEX], omitted=1),
    Report("nope.wasm", failed=Finding("NotFound", "error", "there is no such file", "nope.wasm"), unreadable=True),
]

TEXT = """\
good.wasm: valid (version 10, layout 10i)

bad.wasm: 3 errors, 1 warning (version 9, layout 9e)
  tables[2] fighter
    error DuplicateName: name `fighter` is taken
    error ColumnNotFound: no column 9
      at tables[2].indexes[0]
  the definition
    warning LifecycleWithoutReducer: no reducer
      help: declare one
  ... and 1 more

nope.wasm: unreadable: NotFound: there is no such file

3 sources: 1 valid, 1 invalid, 1 unreadable; 4 errors, 1 warning
"""

GITHUB = """\
::error title=DuplicateName,file=bad.wasm::tables[2] fighter: name `fighter` is taken
::warning title=LifecycleWithoutReducer,file=bad.wasm::no reducer%0Adeclare one
::error title=ColumnNotFound,file=bad.wasm::tables[2] fighter: no column 9
::error title=NotFound,file=nope.wasm::there is no such file
::error title=omitted,file=bad.wasm::1 more finding left out
"""

JUNIT = """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bsatn validate" tests="6" failures="3" errors="1">
  <testsuite name="good.wasm" tests="1" failures="0" errors="0">
    <testcase classname="good.wasm" name="validate" />
  </testsuite>
  <testsuite name="bad.wasm" tests="4" failures="3" errors="0">
    <testcase classname="bad.wasm" name="DuplicateName tables[2]">
      <failure message="name `fighter` is taken" type="DuplicateName">tables[2] fighter: name `fighter` is taken</failure>
    </testcase>
    <testcase classname="bad.wasm" name="LifecycleWithoutReducer">
      <system-out>warning: no reducer
declare one</system-out>
    </testcase>
    <testcase classname="bad.wasm" name="ColumnNotFound tables[2].indexes[0]">
      <failure message="no column 9" type="ColumnNotFound">tables[2] fighter: no column 9</failure>
    </testcase>
    <testcase classname="bad.wasm" name="omitted">
      <failure message="1 more findings were left out" type="omitted">1 more findings were left out</failure>
    </testcase>
  </testsuite>
  <testsuite name="nope.wasm" tests="1" failures="0" errors="1">
    <testcase classname="nope.wasm" name="NotFound">
      <error message="there is no such file" type="NotFound">there is no such file</error>
    </testcase>
  </testsuite>
</testsuites>
"""


@pytest.mark.parametrize(("form", "text"), [("text", TEXT), ("github", GITHUB), ("junit", JUNIT)])
def test_a_report_in_full(form: str, text: str) -> None:
    assert PRINTERS[form](Reading(REPORTS)) == text


def test_json_has_every_key_at_all_times() -> None:
    document = json.loads(PRINTERS["json"](Reading(REPORTS)))
    assert {key: document[key] for key in ("valid", "errors", "warnings", "notes")} == {
        "valid": False, "errors": 4, "warnings": 1, "notes": 0,
    }  # fmt: skip
    good, bad, nope = document["sources"]
    empty: dict[str, Any] = {"failed": None, "omitted": 0, "findings": []}
    assert good == {"source": "good.wasm", "status": "valid", "version": 10, "layout": "10i", **empty}
    assert bad["findings"][2] == {
        "rule": "ColumnNotFound", "level": "error", "message": "no column 9", "path": ["tables", 2, "indexes", 0],
        "where": "tables[2].indexes[0]", "element": "tables[2] fighter", "name": "fighter", "help": None,
    }  # fmt: skip
    assert (nope["status"], nope["version"], nope["failed"]["rule"]) == ("unreadable", None, "NotFound")


def sarif(*reports: Report, rules: dict[str, str] | None = None) -> dict[str, Any]:
    """The run, once everything that GitHub requires of it is there."""
    document = json.loads(PRINTERS["sarif"](Reading(reports, rules=rules or {})))
    assert document["version"] == "2.1.0"
    assert "sarif-2.1.0" in document["$schema"]
    [run] = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert all(rule[part]["text"] for part in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert set(result["message"]) == {"text"}
        assert result["message"]["text"]
        [location] = result["locations"]
        physical = location["physicalLocation"]
        assert re.fullmatch(r"[!-~]+", physical["artifactLocation"]["uri"])
        assert physical["region"]["startLine"] == 1
        assert re.fullmatch(r"[0-9a-f]{32}:[0-9]+", result["partialFingerprints"]["primaryLocationLineHash"])
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    run_: dict[str, Any] = run
    return run_


def test_sarif_has_what_code_scanning_requires() -> None:
    run = sarif(*REPORTS, rules={"ColumnNotFound": "a column that is not there"})
    assert [result["ruleId"] for result in run["results"]] == [
        "DuplicateName", "LifecycleWithoutReducer", "ColumnNotFound", "NotFound",
    ]  # fmt: skip
    texts = {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert texts["ColumnNotFound"] == "a column that is not there"
    assert texts["DuplicateName"] == "Duplicate name"
    place = run["results"][2]["locations"][0]
    assert place["logicalLocations"] == [{"name": "fighter", "fullyQualifiedName": "tables[2].indexes[0]", "kind": "member"}]
    assert place["physicalLocation"]["artifactLocation"] == {"uri": "bad.wasm", "uriBaseId": "%SRCROOT%"}
    assert run["invocations"][0]["executionSuccessful"] is False
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 2


def test_sarif_of_nothing_wrong_is_an_empty_list() -> None:
    run = sarif(REPORTS[0])
    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is True


def test_a_fingerprint_stays_when_only_positions_change() -> None:
    def printed(position: int) -> str:
        moved = Finding("R", "error", "m", "a.wasm", ("tables", position), name="t")
        found: str = sarif(Report("a.wasm", 10, "10i", [moved]))["results"][0]["partialFingerprints"]["primaryLocationLineHash"]
        return found

    assert printed(1) == printed(2)


HOSTILE = "a\x1b[31m\nb\r::error::c%0A,:d \x00\ud800\ufffe\u202e]]></failure>\"'&"


@pytest.mark.parametrize("form", PRINTERS)
@pytest.mark.parametrize("color", [False, True])
def test_hostile_names_break_out_of_no_format(form: str, color: bool) -> None:
    finding = Finding(HOSTILE, "error", HOSTILE, HOSTILE, ("tables", 1, HOSTILE), HOSTILE, HOSTILE)
    failed = Report(HOSTILE, failed=finding)
    text = PRINTERS[form](Reading([Report(HOSTILE, 10, "10i", [finding], omitted=2), failed], color=color))
    plain = re.sub(r"\x1b\[[0-9]+m", "", text) if color and form == "text" else text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff\ufffe]", plain)
    text.encode()
    if form == "junit":
        assert len(ElementTree.fromstring(text).findall("testsuite/testcase/*")) == 3
    if form == "github":
        assert len(text.splitlines()) == 3
        assert all(re.fullmatch(r"::error title=[^,:\n]*,file=[^,:\n]*::.*", line) for line in text.splitlines())
    if form == "sarif":
        assert len(sarif(failed)["results"]) == 1
    if form == "text":
        assert all(not line.startswith("::") for line in plain.splitlines())


def test_github_names_no_file_for_what_is_none() -> None:
    finding = Finding("R", "note", "m", "<stdin>")
    text = PRINTERS["github"](Reading([Report("<stdin>", 10, "10i", [finding])]))
    assert text == "::notice title=R::<stdin>: m\n"


def test_text_is_coloured_when_asked() -> None:
    assert "\x1b[31merror\x1b[0m" in PRINTERS["text"](Reading(REPORTS, color=True))


@pytest.mark.parametrize(
    ("path", "element"),
    [
        ((), ()),
        (("environment",), ("environment",)),
        (("tables", 1, "indexes", 0), ("tables", 1)),
        (("submodules", 0), ("submodules", 0)),
        (("submodules", 0, "module", "tables", 1, "indexes", 2), ("submodules", 0, "module", "tables", 1)),
        (("submodules", 0, "module", "submodules", 3, "module", "types", 1),) * 2,
    ],
)
def test_the_element_of_a_path(path: tuple[str | int, ...], element: tuple[str | int, ...]) -> None:
    assert element_path(path) == element


@pytest.mark.parametrize(
    ("source", "file", "uri"),
    [
        ("a b/ü%.wasm", "a b/ü%.wasm", "a%20b/%C3%BC%25.wasm"),
        ("/tmp/a.wasm", "/tmp/a.wasm", "file:///tmp/a.wasm"),
        ("./a.wasm", "a.wasm", "a.wasm"),
        ("<stdin>", None, "stdin"),
        ("http://h/v1/x?version=9", None, "http://h/v1/x?version=9"),
        ("http://h/\x1b \udc80", None, "http://h/%1B%20%ED%B2%80"),
    ],
)
def test_a_source_as_file_and_as_uri(source: str, file: str | None, uri: str) -> None:
    assert (file_of(source), uri_of(source)) == (file, uri)


def test_what_a_report_counts() -> None:
    assert [report.status for report in REPORTS] == ["valid", "invalid", "unreadable"]
    assert Report("a", 10, "10i", [GLOBAL]).status == "valid"
    assert Report("a", failed=DUPLICATE).status == "undecodable"
    assert Report("a", 10, "10i", omitted=3).count("error") == 3


def test_github_escapes_what_its_commands_are_made_of() -> None:
    finding = Finding("a:b,c%0A", "error", "100%0A: a, b\r\n::stop", "x:y,z%\n", help="more")
    text = PRINTERS["github"](Reading([Report("x", 10, "10i", [finding])]))
    title = "a%3Ab%2Cc%250A"
    assert text == f"::error title={title},file=x%3Ay%2Cz%25\\n::100%250A: a, b\\r%0A::stop%0Amore\n"


def test_sarif_tells_findings_apart_that_are_alike() -> None:
    assert len(sarif(Report("a.wasm", 10, "10i", [INDEX, INDEX, INDEX]))["results"]) == 3


@pytest.mark.parametrize("form", [form for form in PRINTERS if form != "json"])
def test_long_messages_are_cut(form: str) -> None:
    finding = Finding("R", "error", "x" * 100_000, "a.wasm", ("tables", 0), "y" * 100_000, "z" * 100_000)
    assert len(PRINTERS[form](Reading([Report("a.wasm", 10, "10i", [finding])]))) < 40_000
