"""`python -m defs.bindings`: the definition of a module named on the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from defs import raw

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent

WRONG = "from defs.bindings import *\nmodule = Module()\n@module.table()\nclass Thing(Table):\n    size: int\nother = 3\n"
INVALID = "from defs.bindings import *\nmodule = Module()\nmodule.route('GET', 'no path', 'h')\n@module.http_handler\n"
INVALID += "def h(ctx: HttpHandlerContext, request: Request) -> Response: ...\n"


def run(*arguments: str, cwd: Path = HERE) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "defs.bindings", *arguments],
        capture_output=True, cwd=cwd, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_a_module_is_written() -> None:
    done = run("arena_v1:module")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [table.source_name for table in raw.decode(done.stdout).tables] == [  # type: ignore[union-attr]
        "audit_event", "damage_event", "fighter", "ledger", "respawn_timer",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("wrong:module", 1, "NotAType: int has no BSATN layout"),
        ("invalid:module", 1, "no path"),
        ("wrong:other", 2, "wrong has no Module called other"),
        ("wrong:nothing", 2, "wrong has no Module called nothing"),
        ("nowhere:module", 2, "No module named 'nowhere'"),
        ("wrong", 2, "package.module:object"),
        ("wrong.py:module", 2, "No module named"),
        ("../wrong:module", 2, "package.module:object"),
    ],
)
def test_what_goes_wrong_is_said(tmp_path: Path, name: str, status: int, says: str) -> None:
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "invalid.py").write_text(INVALID)
    done = run(name, cwd=tmp_path)
    assert done.returncode == status
    assert done.stdout == b""
    assert says in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_it_is_told_how_it_is_used() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (2, b"bindings: error: usage: python -m defs.bindings package.module:object\n")
