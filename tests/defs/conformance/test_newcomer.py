"""The page for newcomers, followed to the letter: its testee, in a fresh directory, does what the page says; so does ours."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from defs.cli import main
from defs.conformance.expected import Expected
from defs.conformance.running import choose, run
from defs.vectors.areas import FLAGS
from defs.vectors.files import default_directory

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "write-a-testee.md").read_text("utf-8")
PYTHON = ROOT / "vectors" / "testees" / "python"


@pytest.fixture
def testee(tmp_path: Path) -> str:
    """The page's code, where there is nothing else, with an interpreter that has no packages."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert code.count("\n") < 60
    lines = f"{code.count(chr(10))} lines"
    assert f"A testee in {lines}" in PAGE
    assert lines in (ROOT / "docs" / "testee.md").read_text("utf-8")
    assert lines in (PYTHON / "README.md").read_text("utf-8")
    assert set(re.findall(r"^import (.*)$", code, re.MULTILINE)) == {"json, sys"}
    (tmp_path / "testee.py").write_text(code, "utf-8")
    return f"{shlex.quote(sys.executable)} -I {tmp_path / 'testee.py'}"


def test_the_testee_of_the_page_is_right_in_all_that_it_does(testee: str, capsys: pytest.CaptureFixture[str]) -> None:
    done = run(testee, areas=["values"])
    counts = done.tally(lambda result: [result.area])["values"]
    assert done.status == 0
    assert (counts["fail"], counts["crashed"]) == (0, 0)
    assert counts["pass"] > 1400
    weak = [result for result in done.results if result.status == "weak"]
    assert len(weak) == 3
    assert "Three are weak" in PAGE
    assert all([one.what for one in result.differences] == ["offset"] for result in weak)
    assert {result.detail for result in done.results if result.status == "skipped"} == {"references and floats"}
    assert done.faults == []
    assert done.crashes == 0


def test_what_the_page_shows_of_the_protocol(testee: str) -> None:
    """But for the words of a message, which are anybody's, and its own hello and what it skips."""
    shown = re.findall(r"^(->|<-) (\{.*\})$", PAGE, re.MULTILINE)
    asked = "".join(text + "\n" for way, text in shown if way == "->")
    done = subprocess.run(shlex.split(testee), input=asked, capture_output=True, text=True, timeout=60, check=True)
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    expected = [json.loads(text) for way, text in shown if way == "<-"]
    assert len(replies) == len(expected) == 4
    for reply, one in zip(replies, expected, strict=True):
        assert reply.keys() == one.keys()
    for field in ("json", "bytes", "unread", "error", "offset", "ok", "protocol", "ops"):
        assert [reply.get(field) for reply in replies] == [one.get(field) for one in expected]


def test_breaking_it_shows(testee: str, tmp_path: Path) -> None:
    """The two ways that the page proposes."""
    path = tmp_path / "testee.py"
    code = path.read_text("utf-8")
    ways = (("byte == 1", "byte == 0", "json"), ("< 2:", "< 256:", "verdict"), ("json.dumps(value)", "exit()", ""))
    for old, new, what in ways:
        assert code.count(old) == 1
        path.write_text(code.replace(old, new), "utf-8")
        done = run(testee, areas=["values"], cases=["values/errors/*", "values/shapes/*"])
        found = [one.what for result in done.results for one in result.differences if result.status == "fail"]
        assert what in found if what else done.crashes > 10
        assert done.status == 1


def test_the_page_names_what_there_is() -> None:
    cases = choose(default_directory())
    groups = {f"{one.area}/{one.group}/*" for one in cases}
    assert set(re.findall(r"(?<=`--case \")[a-z/*]+(?=\"`)", PAGE)) <= groups
    for area in re.findall(r"`--area ([a-z]+)`", PAGE):
        assert area in {one.area for one in cases}
    for id in re.findall(r"\b[a-z]+-\d{4}\b", PAGE):
        assert id in {one.case["id"] for one in cases}
    table = PAGE.partition("## Flags to look at")[2].partition("## ")[0]
    assert set(re.findall(r"`([a-z-]+)`(?=[,| ])", table.partition("`bsatn")[0])) <= FLAGS.keys() | {"bsatn"}


def test_the_list_of_the_page_is_one() -> None:
    (text,) = re.findall(r"^```text\n(values-\d+ .*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert [line.status for line in Expected.parse(text).lines] == ["fail", "weak", "crashed", "varies"]


def test_the_commands_of_the_page_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    """Those that would run something run nothing: there is no such testee."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
    for line in re.findall(r"^bsatn (.*)$", blocks, re.MULTILINE):
        words = shlex.split(line, comments=True)
        if "--testee" in words:
            words[words.index("--testee") + 1] = "/no/testee"
        assert main([word for word in words if word != "known.txt" and word != "--expected-failures"]) in (0, 1, 3), line
        assert "usage:" not in capsys.readouterr().err


def test_our_own_testee_starts_and_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON", sys.executable)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    subprocess.run([PYTHON / "build"], check=True, capture_output=True, timeout=60)
    known = Expected.read(PYTHON / "expected-failures.txt")
    done = run([str(PYTHON / "run")], areas=["names", "values"], cases=["*-00*"], expected=known)
    assert (done.status, {result.status for result in done.results}) == (0, {"pass"})
    monkeypatch.setenv("PYTHON", "false")
    broken = subprocess.run([PYTHON / "build"], check=False, capture_output=True, text=True, timeout=60)
    assert broken.returncode == 1
    assert "install bsatn" in broken.stderr


@pytest.mark.slow
def test_the_whole_suite_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON", sys.executable)
    done = run([str(PYTHON / "run")], strict=True)
    assert (done.status, {result.status for result in done.results}) == (0, {"pass"})
    assert done.total > 5000
