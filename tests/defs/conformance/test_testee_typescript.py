"""The testees over npm packages: they build, greet, keep to the protocol, fail only what their lists say; findings hold."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from defs.conformance.asking import Skipped
from defs.conformance.expected import Expected
from defs.conformance.process import Testee
from defs.conformance.running import run

ROOT = Path(__file__).parents[3]
TESTEES = ROOT / "vectors" / "testees"
FINDINGS = sorted((ROOT / "docs" / "findings").glob("typescript*.md"))
NAMES = {"typescript": "npm spacetimedb", "typescript-1": "npm @clockworklabs/spacetimedb-sdk"}
PAGES = re.compile(r"^# docs/findings/(\S+\.md)$", re.MULTILINE)
ASKED = re.compile(r"^\$ echo ('.*') \| vectors/testees/(\S+)/run\n(.*)$", re.MULTILINE)

U32 = bytes.fromhex("0b")
WIDE = bytes.fromhex("020200000000010000006111000100000062" + "0d")  #: (a: U256, b: U64)
BIG = '{"a":"0x' + "f" * 64 + '","b":18446744073709551615}'
CIRCLE = bytes.fromhex("01000000" + "030000000000")  #: &0 = Array<&0>
EMPTY = bytes.fromhex("0200000000")  #: a definition of version 10 without sections


# -- without node


@pytest.mark.parametrize("name", NAMES)
def test_no_tools(name: str, tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    environment = {"PATH": str(tmp_path), "BSATN_TESTEE_CACHE": str(tmp_path)}
    done = subprocess.run(["/bin/sh", TESTEES / name / "build"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "build: node is not there\n")


@pytest.mark.parametrize("name", NAMES)
def test_not_built(name: str, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "BSATN_TESTEE_CACHE": str(tmp_path)}
    done = subprocess.run([TESTEES / name / "run"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("run: it is not built: run ")


@pytest.mark.parametrize("name", NAMES)
def test_manifest(name: str) -> None:
    """Exact versions, and those that the findings are about."""
    manifest = json.loads((TESTEES / name / "package.json").read_text("utf-8"))["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in manifest.values())
    package = NAMES[name].removeprefix("npm ")
    pages = [page for page in FINDINGS if f"`{package}` {manifest[package]}" in page.read_text("utf-8")]
    assert len(pages) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_list(name: str) -> None:
    """Each part of the list is about a page that there is, and that is about the package."""
    path = TESTEES / name / "expected-failures.txt"
    listed = PAGES.findall(path.read_text("utf-8"))
    assert len(listed) == len(set(listed)) >= 8
    package = NAMES[name].removeprefix("npm ")
    assert [page for page in listed if f"`{package}`" not in (ROOT / "docs/findings" / page).read_text("utf-8")] == []
    assert len(Expected.read(path).lines) > 100


# -- with it


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        pytest.skip(f"{missing[0]} is not there, which runs the npm packages")
    built: str = request.param
    subprocess.run([TESTEES / built / "build"], check=True)
    return built


@pytest.fixture
def testee(name: str) -> Iterator[Testee]:
    with Testee([str(TESTEES / name / "run")]) as running:
        yield running


@pytest.mark.slow
def test_hello(name: str, testee: Testee) -> None:
    hello = testee.hello()
    manifest = json.loads((TESTEES / name / "package.json").read_text("utf-8"))["dependencies"]
    assert (hello.name, hello.protocol) == (NAMES[name], 1)
    assert hello.version == manifest[NAMES[name].removeprefix("npm ")]
    assert {"hello", "value.decode", "value.encode"} <= set(hello.ops)


@pytest.mark.slow
def test_numbers_are_whole(testee: Testee) -> None:
    data = bytes([255]) * 40
    assert testee.ask("value.encode", {"type": WIDE, "json": BIG})["bytes"] == data.hex()
    assert asked(testee, "value.decode", type=WIDE, bytes=data) == {"ok": True, "json": BIG, "bytes": data.hex(), "unread": 0}


@pytest.mark.slow
def test_bytes_left_over_are_an_error_unless_allowed(testee: Testee) -> None:
    refused = asked(testee, "value.decode", type=U32, bytes=bytes(5))
    assert (refused["ok"], refused["error"], refused["offset"]) == (False, "TrailingBytes", 4)
    allowed = asked(testee, "value.decode", type=U32, bytes=bytes(5), trailing="allow")
    assert allowed == {"ok": True, "json": "0", "bytes": "00000000", "unread": 1}


@pytest.mark.slow
def test_what_it_does_not_do_is_skipped(name: str, testee: Testee) -> None:
    with pytest.raises(Skipped):
        testee.ask("migrate", {"old": EMPTY, "new": EMPTY})
    if name == "typescript":
        assert testee.ask("module.decode", {"bytes": EMPTY, "layout": "2.10.1"})["layout"] == "10e"
        with pytest.raises(Skipped, match=r"2\.8\.0 to 2\.10\.1"):
            testee.ask("module.decode", {"bytes": EMPTY, "layout": "2.14.0"})
    else:
        with pytest.raises(Skipped, match="no references"):
            testee.ask("value.decode", {"type": bytes(5), "typespace": CIRCLE, "bytes": bytes(4)})


@pytest.mark.slow
def test_it_fails_only_what_its_list_says(name: str) -> None:
    known = Expected.read(TESTEES / name / "expected-failures.txt")
    done = run([str(TESTEES / name / "run")], areas=["values", "types", "definitions"], expected=known, jobs=2)
    assert [f"{one.result.id}: {one.why} {one.result.words}" for one in done.failures] == []
    assert (done.unmatched, done.faults, done.status) == ([], [], 0)
    certain = [line for line in known.lines if line.status != "varies"]
    assert len([line for _, line in done.known if line in certain]) == len(certain)


@pytest.mark.slow
def test_findings(name: str) -> None:
    """What the pages show is what the package does."""
    shown = [(page.name, *one) for page in FINDINGS for one in ASKED.findall(page.read_text("utf-8")) if one[1] == name]
    assert shown
    with Testee([str(TESTEES / name / "run")]) as testee:
        for page, line, _, expected in shown:
            request: dict[str, Any] = json.loads(shlex.split(line)[0])
            assert (page, asked(testee, **request)) == (page, json.loads(expected))


def asked(testee: Testee, op: str, **fields: Any) -> dict[str, Any]:
    return {name: value for name, value in testee.ask(op, fields).items() if name != "id"}
