"""Testees that are broken in one way, and the proof that none of them is left behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from defs.vectors.files import VectorFile, read_all

ROOT = Path(__file__).parents[3]


def is_gone(pid: int) -> bool:
    """Whether there is no such process. One that was left to init, and that init has not reaped, is gone as well."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split() if stat.exists() else ["", "1"]
    return fields[0] == "Z" and int(fields[1]) != os.getpid()


@cache
def read_once(directory: Path, areas: tuple[str, ...]) -> list[VectorFile]:
    return list(read_all(directory, areas))


@pytest.fixture(autouse=True)
def _vectors_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defs.conformance.running.read_all", lambda directory, areas: read_once(directory, tuple(areas)))


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], list[str]]]:
    """The command of a testee of some mode; in the end, every process that was started must be gone."""
    pids = tmp_path / "pids"
    pids.touch()
    monkeypatch.setenv("PIDS", str(pids))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    yield lambda mode: [sys.executable, str(Path(__file__).parent / "broken_testee.py"), mode]
    started = [int(line) for line in pids.read_text(encoding="utf-8").split()]
    deadline = time.monotonic() + 3
    while left := [pid for pid in started if not is_gone(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.01)
