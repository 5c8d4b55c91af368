"""The scenarios of vectors/commitlog, and small tools the tests of the commit log share."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from defs.store.commitlog import Commit, Damage, Writer, read_commits

VECTORS = Path(__file__).parents[4] / "vectors" / "commitlog"
SCENARIOS = sorted(path.name for path in VECTORS.iterdir() if path.is_dir())
LAST = "00000000000000000193.stdb.log"


@cache
def expected(scenario: str) -> Any:
    return json.loads(gzip.decompress((VECTORS / scenario / "expected.json.gz").read_bytes()))


def copy(scenario: str, to: Path) -> Path:
    """The files of a log alone, in a new directory."""
    to.mkdir(parents=True, exist_ok=True)
    for path in (VECTORS / scenario).glob("*.stdb.*"):
        shutil.copyfile(path, to / path.name)
    return to


def commits(directory: Path, mode: Any = "strict", start: int = 0) -> list[Commit]:
    return [item for item in read_commits(directory, mode=mode, start=start) if isinstance(item, Commit)]


def damage(directory: Path, mode: Any = "strict", start: int = 0) -> list[Damage]:
    return [item for item in read_commits(directory, mode=mode, start=start) if isinstance(item, Damage)]


def whole(directory: Path) -> list[Commit]:
    """The commits of a log that has no damage."""
    assert damage(directory) == []
    return commits(directory)


def rewrite(items: Iterable[Commit], to: Path, **options: Any) -> Path:
    """The same commits, each synced on its own, as the engine does."""
    with Writer(to, fsync=False, **options) as writer:
        for commit in items:
            assert writer.append(bytes(commit.records), n=commit.n, epoch=commit.epoch) == commit.min_tx_offset
            writer.sync()
    return to


def bodies(items: Iterable[Commit]) -> list[tuple[int, bytes]]:
    return [(commit.min_tx_offset, bytes(commit.records)) for commit in items]
