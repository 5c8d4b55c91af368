"""The testee over the published crates: it builds, greets, keeps to the protocol, and fails only what its list says."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from defs.conformance.asking import Crashed, Skipped
from defs.conformance.expected import Expected
from defs.conformance.process import Testee
from defs.conformance.running import run
from defs.vectors.generation.releases import LAYOUTS, NEWEST, RELEASES

RUST = Path(__file__).parents[3] / "vectors" / "testees" / "rust"
U32 = bytes.fromhex("0b")
EMPTY = bytes.fromhex("0200000000")  #: a definition of version 10 without sections


def test_it_is_built_for_every_release_that_has_a_layout() -> None:
    listed = subprocess.run([RUST / "build", "--list"], capture_output=True, text=True, check=True)
    assert listed.stdout.split() == list(reversed(RELEASES))


def test_layouts_are_those_of_this_library() -> None:
    source = (RUST / "src" / "layouts.rs").read_text("utf-8")
    rows = [f'("{id}", {one.version - 8}, "{one.since}", "{one.until}"),' for id, one in LAYOUTS.items()]
    assert [line.strip() for line in source.splitlines() if line.startswith('    ("')] == rows


@pytest.mark.parametrize("script", ["build", "run"])
def test_a_release_that_is_not_there(script: str, tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "BSATN_TESTEE_CACHE": str(tmp_path)}
    done = subprocess.run([RUST / script, "0.9.0"], capture_output=True, text=True, env=environment)
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert done.stderr.startswith(f"{script}: ")


def test_without_cargo(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "BSATN_TESTEE_CACHE": str(tmp_path)}
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = subprocess.run(["/bin/sh", RUST / "build"], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert "https://rustup.rs" in done.stderr


@pytest.fixture(scope="module")
def command() -> str:
    if shutil.which("cargo") is None:
        pytest.skip("cargo is not there, which builds the published crates: https://rustup.rs")
    subprocess.run([RUST / "build"], check=True)
    return str(RUST / "run")


@pytest.fixture
def testee(command: str) -> Iterator[Testee]:
    with Testee([command]) as running:
        yield running


@pytest.mark.slow
def test_hello(testee: Testee) -> None:
    hello = testee.hello()
    assert (hello.name, hello.version, hello.protocol) == ("spacetimedb (Rust)", NEWEST, 1)
    assert {"hello", "value.decode", "value.encode", "module.decode", "module.encode", "migrate"} <= set(hello.ops)


@pytest.mark.slow
def test_bytes_left_over_are_an_error_unless_allowed(testee: Testee) -> None:
    fields = {"type": U32, "bytes": bytes(5)}
    assert testee.ask("value.decode", fields)["error"] == "TrailingBytes"
    assert testee.ask("value.decode", {**fields, "trailing": "allow"})["unread"] == 1
    assert testee.ask("module.decode", {"bytes": EMPTY + b"\0"})["error"] == "TrailingBytes"


@pytest.mark.slow
def test_only_its_own_layout_is_answered(testee: Testee) -> None:
    for layout in (NEWEST, "10i", "auto"):
        assert testee.ask("module.decode", {"bytes": EMPTY, "layout": layout})["layout"] == "10i"
    for layout in ("2.12.0", "10h", "1.0.0", "nonsense"):
        with pytest.raises(Skipped, match=f"not the layout of {layout}"):
            testee.ask("module.decode", {"bytes": EMPTY, "layout": layout})
        with pytest.raises(Skipped):
            testee.ask("module.encode", {"json": '{"V10":{"sections":[]}}', "layout": layout})


@pytest.mark.slow
def test_bad_requests_are_answered(testee: Testee) -> None:
    for fields in (
        {"bytes": b""},
        {"type": U32},
        {"type": U32, "bytes": "0"},
        {"type": U32, "bytes": "zz"},
        {"type": "", "bytes": ""},
    ):
        assert testee.ask("value.decode", fields)["error"] == "BadRequest"
    with pytest.raises(Skipped):
        testee.ask("no.such", {})


@pytest.mark.slow
def test_a_panic_is_a_crash_with_its_reason(testee: Testee) -> None:
    with pytest.raises(Crashed, match="index out of bounds") as crashed:
        testee.ask("value.decode", {"type": bytes(5), "bytes": b""})
    assert crashed.value.how == "died"
    assert testee.ask("value.decode", {"type": U32, "bytes": bytes(4)})["json"] == "0"


@pytest.mark.slow
def test_every_vector(command: str) -> None:
    done = run([command], expected=Expected.read(RUST / "expected-failures.txt"), jobs=2)
    assert [f"{one.result.id} {one.result.status} {one.why} {one.result.words}" for one in done.failures] == []
    assert (done.unmatched, done.faults, done.interrupted) == ([], [], False)
    assert done.tally(lambda result: (result.area,))["values"]["skipped"] == 0
