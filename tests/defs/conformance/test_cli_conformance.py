"""`bsatn conformance` as it is used: options, exit statuses, where output goes, and what remains after Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from defs.cli import main

ROOT = Path(__file__).parents[3]
OURS = f"{shlex.quote(sys.executable)} -m defs.cli testee"
Broken = Callable[[str], list[str]]


def conformance(testee: list[str] | str, *options: str) -> int:
    command = testee if isinstance(testee, str) else shlex.join(testee)
    return main(["conformance", "run", "--testee", command, *options])


FEW = ["--case", "names-000*"]


def test_exit_statuses(broken: Broken, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert conformance(broken("normal"), *FEW) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "passed: nothing is wrong"
    assert re.sub(r"bsatn: \d+ of \d+ cases.*\n", "", err) == ""
    assert conformance(broken("refuse_all"), *FEW) == 1
    assert capsys.readouterr().out.startswith("FAIL names-0001 names/identifiers")
    known = tmp_path / "known.txt"
    known.write_text("names-0001 fail\n", "utf-8")
    assert conformance(broken("normal"), *FEW, "--expected-failures", str(known)) == 2
    assert f"{known}:1: names-0001 lacks a reason" in capsys.readouterr().err
    assert conformance(broken("normal"), "--vectors", str(tmp_path / "none")) == 2
    assert conformance(broken("normal"), "--vectors", str(tmp_path)) == 2
    assert conformance(broken("normal"), "--case", "nothing-*") == 2
    assert conformance(broken("normal"), *FEW, "--expected-failures", str(tmp_path / "no.txt")) == 3
    capsys.readouterr()


CANNOT = [("banner", "standard output is for replies"), ("ends_at_once", "cannot find libfoo"), ("protocol_2", "version 2")]


@pytest.mark.parametrize(("mode", "words"), CANNOT)
def test_a_testee_that_cannot_be_run(broken: Broken, capsys: pytest.CaptureFixture[str], mode: str, words: str) -> None:
    assert conformance(broken(mode), *FEW) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


def test_a_command_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance("/nowhere/at/all", *FEW) == 3
    assert "/nowhere/at/all: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("options", ["--jobs 0", "--jobs x", "--timeout 0", "--timeout nan", "--flag odd", "--area odd",
                                     "--format odd", "--startup-timeout -1"])  # fmt: skip
def test_wrong_usage(options: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        conformance("x", *options.split())
    assert stopped.value.code == 2
    capsys.readouterr()


def test_formats_and_files(broken: Broken, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "out"
    for name in ("text", "json", "junit", "html"):
        assert conformance(broken("refuse_all"), *FEW, "--format", name, "-o", str(path)) == 1
        out, err = capsys.readouterr()
        assert (out, err.splitlines()[-1][:14]) == ("", "bsatn: failed:")
        text = path.read_text("utf-8")
        if name == "json":
            assert json.loads(text)["selection"]["cases"] == ["names-000*"]
        elif name == "junit":
            assert ElementTree.fromstring(text).get("failures") == "9"
        else:
            assert "names-0001" in text
    assert conformance(broken("normal"), *FEW, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == 0


def test_the_list_is_written_and_true_once_it_has_reasons(
    broken: Broken, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(tmp_path / "known.txt")
    assert conformance(broken("refuse_all"), *FEW, "--write-expected", path) == 1
    assert conformance(broken("refuse_all"), *FEW, "--expected-failures", path) == 2
    text = Path(path).read_text("utf-8")
    Path(path).write_text(text.replace("TODO", "always no:"), "utf-8")
    assert conformance(broken("refuse_all"), *FEW, "--expected-failures", path) == 0
    assert conformance(broken("normal"), *FEW, "--expected-failures", path) == 1
    assert "line 3 of the list says fail" in capsys.readouterr().out


def test_flags_and_strictness(broken: Broken, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--area", "values", "--flag", "truncated", "--case", "values/errors/*"]
    assert conformance(broken("refuse_all"), *options) == 0
    assert "weak, which does not count without --strict" in capsys.readouterr().out
    assert conformance(broken("refuse_all"), *options, "--strict") == 1
    assert "WEAK values-" in capsys.readouterr().out


def test_failing_cases_shrink(broken: Broken, capsys: pytest.CaptureFixture[str]) -> None:
    """A value of booleans becomes one boolean."""
    cases = ["--case", "values/shapes/*", "--shrink"]
    assert conformance(broken("swap_booleans"), *cases) == 1
    small = [json.loads(line.partition(": ")[2]) for line in capsys.readouterr().out.splitlines() if "smallest:" in line]
    assert [(one["op"], one.get("bytes"), one.get("json")) for one in small] == [
        ("value.decode", "00", None), ("value.encode", None, "false"),
    ]  # fmt: skip


def test_board(broken: Broken, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    paths = [str(tmp_path / f"{mode}.json") for mode in ("normal", "refuse_all")]
    for path in paths:
        conformance(broken(Path(path).stem), *FEW, "--format", "json", "-o", path)
    capsys.readouterr()
    assert main(["conformance", "board", *paths]) == 0
    assert "| names | 100 % | 0 % |" in capsys.readouterr().out
    assert main(["conformance", "board", *paths, "--format", "html", "-o", str(tmp_path / "b.html")]) == 0
    assert "<!doctype html>" in (tmp_path / "b.html").read_text("utf-8")
    (tmp_path / "bad.json").write_text("{}", "utf-8")
    assert main(["conformance", "board", str(tmp_path / "bad.json")]) == 1
    assert main(["conformance", "board", str(tmp_path / "none.json")]) == 3


def test_help_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    for action, words in {"": "fuzz", "run": "--expected-failures", "board": "markdown", "fuzz": "--against"}.items():
        with pytest.raises(SystemExit) as stopped:
            main(["conformance", *action.split(), "--help"])
        assert stopped.value.code == 0
        assert words in capsys.readouterr().out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_prints_what_is_known(broken: Broken, number: signal.Signals) -> None:
    """The fixture sees to it that the testees, which hang by then, are gone."""
    command = [sys.executable, "-m", "defs.cli", "conformance", "run", "--jobs", "2", "--timeout", "600",
               "--case", "values/integers/*", "--testee", shlex.join(broken("hang"))]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    pids, until = Path(os.environ["PIDS"]), time.monotonic() + 60
    while len(pids.read_text("utf-8").split()) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.search(r"^failed|^interrupted: only \d+ of \d+ cases asked$", out, re.MULTILINE)
    assert "Traceback" not in err


def test_a_terminal_has_a_line_that_changes(broken: Broken) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "defs.cli", "conformance", "run", "--case", "names-000[12]", "--timeout", "0.3",
               "--testee", shlex.join(broken("hang_always"))]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, cwd=ROOT)
    os.close(theirs)
    shown, until = b"", time.monotonic() + 60
    while time.monotonic() < until and select.select([ours], [], [], 30)[0]:
        try:
            chunk = os.read(ours, 4096)
        except OSError:
            break
        shown += chunk
    process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == 1
    assert b"\r1 of 2 cases, 1 crashed" in shown
    assert shown.endswith(b"\r")
    assert b"\n" not in shown
